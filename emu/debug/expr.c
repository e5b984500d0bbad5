/* emu/debug/expr.c: see expr.h. One pass: what is parsed is evaluated at once, except where C would not (the other side of && || ?:), and
 * in expr_check(), which only parses.
 *
 *   conditional   binary ? conditional : conditional
 *   binary        unary operator unary ..., by the table of priorities
 *   unary         ! ~ - + * unary | (u8*) unary | primary
 *   primary       number | 'c' | [ e ] | ( e ) | function ( e ) | register | flag | file.c:12 | symbol
 *
 * A register's name wins over a symbol's; the priorities are C's. A pointer type says how much its * reads and nothing else: (u8*)p + 4 is a
 * plain number again. Text may come from anywhere: depth is bounded.
 */
#include "emu/debug/expr.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/debug/going.h"
#include "emu/debug/guest/guest.h"
#include "emu/debug/guest/source.h"

#define DEPTH_MAX 200
#define NAME_MAX_LENGTH 120
#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

struct value { uint64_t n; unsigned size; };       /* size: bytes that * reads, when a type was given; else 0 */

struct parser {
	struct debugger *d;
	const char *text, *p;
	bool evaluate;
	unsigned depth;
	unsigned choices;              /* inside "? ... :", where a colon is not a file's or program's */
	char *err;
};

static bool parse_conditional(struct parser *x, struct value *v);
static bool parse_unary(struct parser *x, struct value *v);

/* --- errors and tokens ------------------------------------------------------------------------------------------------ */

static bool fail(struct parser *x, const char *what)
{
	const char *at = x->p;

	if (*at)
		loader_fail(x->err, "%s at '%.40s'", what, at);
	else
		loader_fail(x->err, "%s at the end of '%.80s'", what, x->text);
	return false;
}

static void skip_blanks(struct parser *x)
{
	while (*x->p == ' ' || *x->p == '\t')
		x->p++;
}

static bool take(struct parser *x, const char *token)
{
	skip_blanks(x);
	size_t n = strlen(token);
	if (strncmp(x->p, token, n))
		return false;
	x->p += n;
	return true;
}

static bool need(struct parser *x, const char *token)
{
	char what[40];

	if (take(x, token))
		return true;
	snprintf(what, sizeof(what), "'%s' expected", token);
	return fail(x, what);
}

static bool name_char(char c) { return isalnum((unsigned char)c) || c == '_'; }

/* A name, dots inside it included: "gdtr.base", "copy.part.0". Empty when there is none. */
static void take_name(struct parser *x, char name[NAME_MAX_LENGTH])
{
	size_t n = 0;

	while (n + 1 < NAME_MAX_LENGTH && (name_char(x->p[n]) || (n && x->p[n] == '.' && name_char(x->p[n + 1]))))
		n++;
	memcpy(name, x->p, n);
	name[n] = 0;
	x->p += n;
}

/* --- memory ----------------------------------------------------------------------------------------------------------- */

static bool unreadable(struct parser *x, unsigned size, const char *kind, uint64_t address)
{
	loader_fail(x->err, "%u byte%s at %s0x%llx cannot be read", size, size == 1 ? "" : "s", kind, (unsigned long long)address);
	return false;
}

static bool read_linear(struct parser *x, uint64_t address, unsigned size, struct value *v)
{
	uint64_t n = 0;

	if (x->evaluate && debugger_read_linear(x->d, (uint32_t)address, &n, size) != size)
		return unreadable(x, size, "", address);
	*v = (struct value){ .n = n };
	return true;
}

static bool read_physical(struct parser *x, uint64_t address, struct value *v)
{
	uint32_t n = 0;

	if (x->evaluate && debugger_read_physical(x->d, address, &n, 4) != 4)
		return unreadable(x, 4, "physical ", address);
	*v = (struct value){ .n = n };
	return true;
}

/* The walk for an address, or an error. */
static bool walk_to(struct parser *x, uint64_t address, struct walk *w)
{
	struct access a = { .la = (uint32_t)address, .kind = ACCESS_READ };

	page_walk(&x->d->m->phys, &x->d->m->mmu.pg, &a, w);
	return true;
}

static bool find_entry(struct parser *x, const char *level, uint64_t address, struct value *v)
{
	struct walk w;

	*v = (struct value){ 0 };
	if (!x->evaluate)
		return true;
	walk_to(x, address, &w);
	for (unsigned i = 0; i < w.levels; i++)
		if (!strcmp(w.step[i].name, level)) {
			v->n = w.step[i].value;
			return true;
		}
	loader_fail(x->err, "the walk for 0x%llx has no %s", (unsigned long long)address, level);
	return false;
}

static bool translate(struct parser *x, uint64_t address, struct value *v)
{
	struct walk w;

	*v = (struct value){ 0 };
	if (!x->evaluate)
		return true;
	walk_to(x, address, &w);
	if (w.result != WALK_OK) {
		loader_fail(x->err, "0x%llx is not mapped", (unsigned long long)address);
		return false;
	}
	v->n = w.pa;
	return true;
}

/* --- names ------------------------------------------------------------------------------------------------------------ */

static bool call_function(struct parser *x, const char *name, uint64_t argument, struct value *v)
{
	if (!strcmp(name, "byte"))
		return read_linear(x, argument, 1, v);
	if (!strcmp(name, "word"))
		return read_linear(x, argument, 2, v);
	if (!strcmp(name, "long"))
		return read_linear(x, argument, 4, v);
	if (!strcmp(name, "phys"))
		return read_physical(x, argument, v);
	if (!strcmp(name, "pa"))
		return translate(x, argument, v);
	if (!strcmp(name, "pte"))
		return find_entry(x, "PTE", argument, v);
	if (!strcmp(name, "pde"))
		return find_entry(x, "PDE", argument, v);
	*v = (struct value){ 0 };
	if (!x->evaluate || cpu_msr_peek(&x->d->m->cpu, (uint32_t)argument, &v->n))
		return true;
	loader_fail(x->err, "there is no readable MSR 0x%llx", (unsigned long long)argument);
	return false;
}

static bool is_function(const char *name)
{
	static const char *const names[] = { "byte", "word", "long", "phys", "pa", "pte", "pde", "msr" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static bool find_flag(const struct debugger *d, const char *name, uint64_t *value)
{
	static const struct { const char *name; unsigned shift, mask; } flags[] = {
		{ "cf", 0, 1 }, { "pf", 2, 1 }, { "af", 4, 1 }, { "zf", 6, 1 }, { "sf", 7, 1 }, { "tf", 8, 1 }, { "if", 9, 1 }, { "df", 10, 1 },
		{ "of", 11, 1 }, { "iopl", 12, 3 }, { "nt", 14, 1 }, { "rf", 16, 1 }, { "vm", 17, 1 }, { "ac", 18, 1 }, { "vif", 19, 1 },
		{ "vip", 20, 1 }, { "id", 21, 1 },
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (!strcmp(flags[i].name, name)) {
			*value = cpu_eflags(&d->m->cpu) >> flags[i].shift & flags[i].mask;
			return true;
		}
	return false;
}

/* The last exception: what a condition or a stop before its delivery is about, else the last delivered. NULL: none. */
static const struct fault_record *last_fault(const struct debugger *d)
{
	const struct cpu *cpu = &d->m->cpu;
	const struct note *about = d->going->about;

	if (about && about->fault.eip)
		return &about->fault;
	if (d->stop.kind == STOP_BREAK && d->stop.at.tick == machine_now(d->m) && d->stop.fault.eip)
		return &d->stop.fault;
	for (unsigned i = 0; i < FAULT_HISTORY && i < cpu->fault_count; i++) {
		const struct fault_record *r = &cpu->faults[(cpu->fault_count - 1 - i) % FAULT_HISTORY];
		if (!r->external)
			return r;
	}
	return NULL;
}

/* What the event that a condition is about says. CR2 is written with the delivery, so a condition before it has to look here. */
static bool find_event(const struct debugger *d, const char *name, uint64_t *value)
{
	const struct note *about = d->going->about;
	const struct fault_record *r = last_fault(d);

	if (!strcmp(name, "error"))
		*value = r ? r->fault.error : 0;
	else if (!strcmp(name, "vector"))
		*value = r ? r->fault.vector : 0;
	else if (!strcmp(name, "cr2") && about && about->exception && r->fault.vector == VEC_PF)
		*value = r->fault.cr2;
	else if (!strcmp(name, "old"))
		*value = about ? about->old_value : d->stop.old_value;
	else if (!strcmp(name, "value"))
		*value = about ? about->value : d->stop.value;
	else
		return false;
	return true;
}

static bool find_number(struct debugger *d, const char *name, uint64_t *value)
{
	if (register_read(d, name, value, NULL) || find_flag(d, name, value))
		return true;
	if (!strcmp(name, "icount"))
		*value = cpu_icount(&d->m->cpu);
	else if (!strcmp(name, "tick"))
		*value = machine_now(d->m);
	else
		return false;
	return true;
}

/* "file.c:12" and "program:name": the part after the colon is joined to the name. */
static void take_qualified(struct parser *x, char name[NAME_MAX_LENGTH])
{
	size_t n = strlen(name);
	bool line = strchr(name, '.') && isdigit((unsigned char)x->p[1]);

	if (x->p[0] != ':' || (!line && (x->choices || !(isalpha((unsigned char)x->p[1]) || x->p[1] == '_'))))
		return;
	do {
		if (n + 1 < NAME_MAX_LENGTH)
			name[n++] = *x->p;
		x->p++;
	} while (name_char(*x->p));
	name[n] = 0;
}

/* "demo-cow:main": names of programs have dashes. Only outside of ?:, where nothing else could be meant by the colon. */
static bool find_dashed(struct parser *x, const char *start, uint64_t *value)
{
	char name[NAME_MAX_LENGTH];
	const char *colon = start + strspn(start, NAME_CHARS "-"), *end = colon;
	uint32_t la;

	if (x->choices || *colon != ':' || !memchr(start, '-', (size_t)(colon - start)) || !x->d->source)
		return false;
	end += 1 + strspn(colon + 1, NAME_CHARS);
	if (end == colon + 1 || (size_t)(end - start) >= sizeof(name))
		return false;
	snprintf(name, sizeof(name), "%.*s", (int)(end - start), start);
	if (!source_find(x->d, name, &la))
		return false;
	*value = la;
	x->p = end;
	return true;
}

/* process(NAME) or process(NUMBER): is it the one that runs? What is in the brackets is a name, dashes and all, not an expression. */
static bool parse_process(struct parser *x, struct value *v)
{
	struct guest_process p;
	char id[24];
	size_t n = strcspn(x->p, ")");

	*v = (struct value){ 0 };
	if (!n || x->p[n] != ')')
		return fail(x, "process(NAME) expected");
	if (x->evaluate && guest_process_of(x->d, x->d->m->cpu.cr3, &p)) {
		snprintf(id, sizeof(id), "%lld", (long long)p.id);
		v->n = (strlen(p.name) == n && !memcmp(p.name, x->p, n)) || (strlen(id) == n && !memcmp(id, x->p, n));
	}
	x->p += n + 1;
	return true;
}

static bool parse_name(struct parser *x, struct value *v)
{
	char name[NAME_MAX_LENGTH], what[NAME_MAX_LENGTH + 40];
	bool marked = *x->p == '$' || *x->p == '%';
	const char *start = x->p;
	uint32_t la;

	x->p += marked;
	take_name(x, name);
	*v = (struct value){ 0 };
	if (!marked && !strcmp(name, "process") && take(x, "("))
		return parse_process(x, v);
	if (!marked && is_function(name) && take(x, "("))
		return parse_conditional(x, v) && need(x, ")") && call_function(x, name, v->n, v);
	if ((x->d->going->about && find_event(x->d, name, &v->n)) || find_number(x->d, name, &v->n))
		return true;
	if (!marked && find_dashed(x, start, &v->n))
		return true;
	const char *end = x->p;
	char plain[NAME_MAX_LENGTH];
	memcpy(plain, name, sizeof(plain));
	if (!marked) {
		take_qualified(x, name);
		if (x->d->source && source_find(x->d, name, &la)) {
			v->n = la;
			return true;
		}
	}
	if (find_event(x->d, plain, &v->n)) {          /* a symbol of that name would have won */
		x->p = end;
		return true;
	}
	x->p = start;
	snprintf(what, sizeof(what), "no %s '%s'", marked ? "register" : "register or symbol", name);
	return fail(x, what);
}

/* --- numbers ---------------------------------------------------------------------------------------------------------- */

static bool parse_number(struct parser *x, struct value *v)
{
	bool hex = x->p[0] == '0' && (x->p[1] == 'x' || x->p[1] == 'X');
	const char *start = x->p;
	char *end;

	errno = 0;
	*v = (struct value){ .n = strtoull(start, &end, hex ? 16 : 10) };
	if (errno || name_char(*end))
		return fail(x, errno ? "a number beyond 64 bits" : "no number");
	x->p = end;
	return true;
}

static bool parse_character(struct parser *x, struct value *v)
{
	static const char escapes[] = "n\nt\tr\r0\0b\be\033\\\\''";
	const char *start = x->p++;
	uint8_t c = (uint8_t)*x->p;

	if (c == '\\' && x->p[1]) {
		const char *e = escapes;
		while (e < escapes + sizeof(escapes) - 1 && *e != x->p[1])
			e += 2;
		if (e >= escapes + sizeof(escapes) - 1)
			return fail(x, "no such escape");
		c = (uint8_t)e[1];
		x->p++;
	} else if (!c || c == '\'') {
		x->p = start;
		return fail(x, "no character");
	}
	x->p++;
	*v = (struct value){ .n = c };
	return *x->p == '\'' ? (x->p++, true) : fail(x, "' expected");
}

/* --- expressions ------------------------------------------------------------------------------------------------------- */

static bool parse_primary(struct parser *x, struct value *v)
{
	skip_blanks(x);
	if (isdigit((unsigned char)*x->p))
		return parse_number(x, v);
	if (*x->p == '\'')
		return parse_character(x, v);
	if (take(x, "("))
		return parse_conditional(x, v) && need(x, ")");
	if (take(x, "["))
		return parse_conditional(x, v) && need(x, "]") && read_linear(x, v->n, v->size ? v->size : 4, v);
	if (isalpha((unsigned char)*x->p) || *x->p == '_' || *x->p == '$' || *x->p == '%')
		return parse_name(x, v);
	return fail(x, "a value expected");
}

/* "(u8*)". 0: there is no such thing here. */
static unsigned take_type(struct parser *x)
{
	static const struct { const char *name; unsigned size; } types[] = {
		{ "u8", 1 }, { "char", 1 }, { "uint8_t", 1 }, { "u16", 2 }, { "short", 2 }, { "uint16_t", 2 }, { "u32", 4 }, { "int", 4 },
		{ "uint32_t", 4 }, { "u64", 8 }, { "uint64_t", 8 },
	};
	const char *start = x->p;
	char name[NAME_MAX_LENGTH];

	if (take(x, "(")) {
		skip_blanks(x);
		take_name(x, name);
		for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
			if (!strcmp(types[i].name, name) && take(x, "*") && take(x, ")"))
				return types[i].size;
	}
	x->p = start;
	return 0;
}

static bool parse_unary_here(struct parser *x, struct value *v)
{
	static const char operators[] = "!~-+*";

	skip_blanks(x);
	char op = *x->p;
	if (op && strchr(operators, op)) {
		x->p++;
		if (!parse_unary(x, v))
			return false;
		if (op == '*')
			return read_linear(x, v->n, v->size ? v->size : 4, v);
		*v = (struct value){ .n = op == '!' ? !v->n : op == '~' ? ~v->n : op == '-' ? 0 - v->n : v->n };
		return true;
	}
	unsigned size = take_type(x);
	if (!size)
		return parse_primary(x, v);
	if (!parse_unary(x, v))
		return false;
	v->size = size;
	return true;
}

static bool parse_unary(struct parser *x, struct value *v)
{
	if (x->depth >= DEPTH_MAX)
		return fail(x, "too deeply nested");
	x->depth++;
	bool ok = parse_unary_here(x, v);
	x->depth--;
	return ok;
}

/* Those that begin as another does come before it. */
static const struct binary { const char *token; unsigned priority; } binaries[] = {
	{ "||", 1 }, { "&&", 2 }, { "==", 6 }, { "!=", 6 }, { "<<", 8 }, { ">>", 8 }, { "<=", 7 }, { ">=", 7 }, { "<", 7 }, { ">", 7 },
	{ "|", 3 }, { "^", 4 }, { "&", 5 }, { "+", 9 }, { "-", 9 }, { "*", 10 }, { "/", 10 }, { "%", 10 },
};
#define BINARIES (sizeof(binaries) / sizeof(binaries[0]))

static const struct binary *next_binary(struct parser *x)
{
	skip_blanks(x);
	for (size_t i = 0; i < BINARIES; i++)
		if (!strncmp(x->p, binaries[i].token, strlen(binaries[i].token)))
			return &binaries[i];
	return NULL;
}

static bool apply(struct parser *x, const char *op, uint64_t a, uint64_t b, uint64_t *v)
{
	switch (op[0]) {
	case '+': *v = a + b; break;
	case '-': *v = a - b; break;
	case '*': *v = a * b; break;
	case '^': *v = a ^ b; break;
	case '=': *v = a == b; break;
	case '!': *v = a != b; break;
	case '&': *v = op[1] ? a && b : a & b; break;
	case '|': *v = op[1] ? a || b : a | b; break;
	case '<': *v = op[1] == '<' ? (b < 64 ? a << b : 0) : op[1] ? a <= b : a < b; break;
	case '>': *v = op[1] == '>' ? (b < 64 ? a >> b : 0) : op[1] ? a >= b : a > b; break;
	default:
		*v = 0;
		if (!x->evaluate)
			return true;
		if (!b) {
			loader_fail(x->err, "division by zero in '%.80s'", x->text);
			return false;
		}
		*v = op[0] == '/' ? a / b : a % b;
	}
	return true;
}

/* The right side of && and || is not evaluated when the left side has decided. */
static bool decided(const char *op, uint64_t left)
{
	return (!strcmp(op, "&&") && !left) || (!strcmp(op, "||") && left);
}

/* Operators of at least this priority, the left side being in v. */
static bool parse_binary(struct parser *x, unsigned least, struct value *v)
{
	const struct binary *op;

	if (!parse_unary(x, v))
		return false;
	while ((op = next_binary(x)) && op->priority >= least) {
		bool evaluate = x->evaluate;
		struct value right;
		x->p += strlen(op->token);
		x->evaluate = evaluate && !decided(op->token, v->n);
		bool ok = parse_binary(x, op->priority + 1, &right);
		x->evaluate = evaluate;
		if (!ok || !apply(x, op->token, v->n, right.n, &v->n))
			return false;
		v->size = 0;
	}
	return true;
}

static bool parse_choice(struct parser *x, struct value *v)
{
	bool evaluate = x->evaluate, yes = v->n;
	struct value no;

	x->choices++;
	x->evaluate = evaluate && yes;
	bool ok = parse_conditional(x, v) && need(x, ":");
	x->choices--;
	x->evaluate = evaluate && !yes;
	ok = ok && parse_conditional(x, &no);
	x->evaluate = evaluate;
	if (ok && !yes)
		*v = no;
	return ok;
}

static bool parse_conditional(struct parser *x, struct value *v)
{
	if (x->depth >= DEPTH_MAX)
		return fail(x, "too deeply nested");
	x->depth++;
	bool ok = parse_binary(x, 1, v) && (!take(x, "?") || parse_choice(x, v));
	x->depth--;
	return ok;
}

/* --- entry ------------------------------------------------------------------------------------------------------------ */

static int parse_all(struct debugger *d, const char *text, bool evaluate, uint64_t *value, char *err)
{
	struct parser x = { .d = d, .text = text, .p = text, .evaluate = evaluate, .err = err };
	struct value v;
	bool ok = parse_conditional(&x, &v);

	skip_blanks(&x);
	if (ok && *x.p)
		ok = fail(&x, "not understood:");
	if (!ok) {
		for (char *c = err; *c; c++)           /* the text may hold anything; the error is one line */
			if (iscntrl((unsigned char)*c))
				*c = '?';
		return -1;
	}
	*value = v.n;
	return 0;
}

int expr_eval(struct debugger *d, const char *text, uint64_t *value, char *err)
{
	return parse_all(d, text, true, value, err);
}

int expr_check(struct debugger *d, const char *text, char *err)
{
	uint64_t value;

	return parse_all(d, text, false, &value, err);
}
