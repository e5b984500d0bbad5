/* emu/monitor/commands_break.c: commands that say what to stop for.
 *
 *   break WHERE [once] [ignore N] [if CONDITION]          WHERE: [phys|here] EXPRESSION[,LENGTH] [in PROCESS]
 *   watch|rwatch|awatch WHERE ...
 *   catch exception|interrupt|port|msr|cr|space|mapping|resume|count ... [once] [ignore N] [if CONDITION]
 */
#define _GNU_SOURCE                        /* asprintf */
#include "emu/monitor/commands.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "emu/debug/expr.h"
#include "emu/debug/guest/source.h"
#include "emu/debug/view/views.h"
#include "emu/report.h"

#define WORDS 512u

/* --- the tail that all have ------------------------------------------------------------------------------------------------ */

/* The last place in text where word stands alone, outside brackets; NULL when nowhere. */
static char *find_word(char *text, const char *word)
{
	size_t n = strlen(word);
	char *found = NULL;
	int depth = 0;

	for (char *p = text; *p; p++) {
		depth += (*p == '(' || *p == '[') - (*p == ')' || *p == ']');
		if (!depth && (p == text || isspace((unsigned char)p[-1])) && !strncmp(p, word, n) && (!p[n] || isspace((unsigned char)p[n])) && !found)
			found = p;
	}
	return found;
}

/* Cuts "WORD VALUE" off the end of text: returns VALUE, or NULL. */
static char *cut(char *text, const char *word)
{
	char *p = find_word(text, word);

	if (!p)
		return NULL;
	*p = 0;
	p += strlen(word);
	p += strspn(p, " \t");
	for (size_t n = strlen(text); n && isspace((unsigned char)text[n - 1]); n--)
		text[n - 1] = 0;
	return p;
}

/* Takes once, ignore N and if CONDITION off the end of text and puts them into b. */
static bool tail(struct debugger *d, char *text, struct breakpoint *b, struct reply *r)
{
	char *condition = cut(text, "if"), *ignore = cut(text, "ignore"), *once = cut(text, "once");

	b->enabled = true;
	b->temporary |= once != NULL;
	if (condition && !*condition) {
		reply_fail(r, "if what? a condition is missing");
		return false;
	}
	if ((once && *once) || (ignore && !number_of(d, ignore, &b->ignore, r))) {
		if (!r->failed)
			reply_fail(r, "'%s' after once: expected the end, ignore or if", once);
		return false;
	}
	b->condition = condition ? strdup(condition) : NULL;
	return true;
}

static void add(struct debugger *d, struct breakpoint *b, struct reply *r)
{
	char err[ERROR_LINE], what[BREAK_TEXT];
	int id = debugger_break_add(d, b, err);

	if (id < 0) {
		free(b->condition);
		reply_fail(r, "%s", err);
		return;
	}
	const struct breakpoint *own = debugger_break_find(d, (unsigned)id);
	break_describe(d, own, what, sizeof(what));
	text_add(&r->text, "breakpoint %d: %s\n", id, what);
	reply_set(r, "id", json_integer(id));
	reply_set(r, "what", json_string(what));
}

/* A copy of args that may be cut; false when there is none. */
static bool copy(const char *args, char *own, const char *usage, struct reply *r)
{
	if (!*args)
		reply_fail(r, "%s", usage);
	else if (strlen(args) >= WORDS)
		reply_fail(r, "the breakpoint has more than %u characters", WORDS - 1);
	else
		return strcpy(own, args);
	return false;
}

/* --- places -------------------------------------------------------------------------------------------------------------- */

/* The comma that ends the expression: not one in brackets. */
static char *length_of(char *text)
{
	int depth = 0;

	for (char *p = text; *p; p++) {
		depth += (*p == '(' || *p == '[') - (*p == ')' || *p == ']');
		if (*p == ',' && !depth) {
			*p = 0;
			return p + 1;
		}
	}
	return NULL;
}

/* "sh:main" is meant in sh: other programs have other code at that address. */
static bool only_in_program(struct debugger *d, const char *where, struct breakpoint *b)
{
	char program[64], *condition;
	int made;

	if (!source_process_of(d, where, program, sizeof(program)))
		return true;
	if (b->condition)
		made = asprintf(&condition, "process(%s) && (%s)", program, b->condition);
	else
		made = asprintf(&condition, "process(%s)", program);
	if (made < 0)
		return false;
	free(b->condition);
	b->condition = condition;
	return true;
}

static bool place(struct debugger *d, char *text, uint32_t length, struct breakpoint *b, struct reply *r)
{
	const char *p = text;
	uint64_t n = length;

	b->space = SPACE_LINEAR;
	if (take_this(&p, "phys"))
		b->space = SPACE_PHYSICAL;
	else if (take_this(&p, "here")) {
		b->space = SPACE_VIRTUAL;
		b->cr3 = d->m->cpu.cr3;
	}
	char *rest = text + (p - text), *in = cut(rest, "in");
	if (in) {
		b->space = SPACE_VIRTUAL;
		if (!space_of(d, in, &b->cr3, r))
			return false;
	}
	char *size = length_of(rest);
	rest += *rest == '*' && b->kind == BREAK_EXECUTE;          /* gdb's break *ADDRESS is the address itself */
	if (!number_of(d, rest, &b->address, r) || (size && !number_of(d, size, &n, r)))
		return false;
	if (!n || n > UINT32_MAX || (b->space != SPACE_PHYSICAL && b->address > UINT32_MAX)) {
		reply_fail(r, "a range of %" PRIu64 " bytes at 0x%" PRIx64 " is not in memory", n, b->address);
		return false;
	}
	b->length = (uint32_t)n;
	if (b->space == SPACE_LINEAR && !only_in_program(d, rest, b)) {
		reply_fail(r, "out of memory");
		return false;
	}
	return true;
}

static void at_place(struct debugger *d, enum break_kind kind, bool temporary, uint32_t length, const char *args, struct reply *r)
{
	struct breakpoint b = { .kind = kind, .temporary = temporary, .vector = -1 };
	char own[WORDS];

	if (!copy(args, own, "where? an address, a function, FILE:LINE; help break has examples", r))
		return;
	if (!tail(d, own, &b, r) || !place(d, own, length, &b, r)) {
		free(b.condition);
		return;
	}
	add(d, &b, r);
}

/* `break` alone: here, as gdb has it. */
static void run_break(struct debugger *d, const char *args, struct reply *r)
{
	char here[16];

	snprintf(here, sizeof(here), "0x%" PRIx32, debugger_pc(d));
	at_place(d, BREAK_EXECUTE, false, 1, *args ? args : here, r);
}

static void run_tbreak(struct debugger *d, const char *args, struct reply *r)
{
	at_place(d, BREAK_EXECUTE, true, 1, args, r);
}

/* Bochs: pb physical, vb SEGMENT:OFFSET; the rest is break's. */
static void run_pb(struct debugger *d, const char *args, struct reply *r)
{
	char own[WORDS];

	snprintf(own, sizeof(own), "phys %s", args);
	at_place(d, BREAK_EXECUTE, false, 1, *args ? own : args, r);
}

static void run_vb(struct debugger *d, const char *args, struct reply *r)
{
	const char *colon = strchr(args, ':');
	char segment[WORDS], own[WORDS];
	uint64_t selector, offset;

	if (!colon || strlen(args) >= WORDS) {
		reply_fail(r, "vb wants SELECTOR:OFFSET; for linear addresses there are lb and break");
		return;
	}
	snprintf(segment, sizeof(segment), "%.*s", (int)(colon - args), args);
	if (!number_of(d, segment, &selector, r) || !number_of(d, colon + 1, &offset, r))
		return;
	const struct segment *cs = &d->m->cpu.seg[SEG_CS];
	bool real = !(d->m->cpu.cr0 & CR0_PE) || cpu_eflags(&d->m->cpu) & F_VM;
	if (!real && selector != cs->selector) {
		reply_fail(r, "vb knows the base of CS (%04x) only; take lb for a linear address", cs->selector);
		return;
	}
	snprintf(own, sizeof(own), "0x%" PRIx32, (uint32_t)((real ? selector * 16 : cs->base) + offset));
	at_place(d, BREAK_EXECUTE, false, 1, own, r);
}

/* gdb's watch EXPRESSION means the bytes of a variable: with an address or a symbol that is the same. Bochs' has r or w first. */
static void watch(struct debugger *d, enum break_kind kind, const char *args, struct reply *r)
{
	if (take_this(&args, "r") || take_this(&args, "read"))
		kind = BREAK_READ;
	else if (take_this(&args, "w") || take_this(&args, "write"))
		kind = BREAK_WRITE;
	else if (take_this(&args, "rw") || take_this(&args, "access"))
		kind = BREAK_ACCESS;
	const char *address = args;
	unsigned size = target_size(args, &address);
	at_place(d, kind, false, size ? size : 4, address, r);
}

static void run_watch(struct debugger *d, const char *args, struct reply *r) { watch(d, BREAK_WRITE, args, r); }
static void run_rwatch(struct debugger *d, const char *args, struct reply *r) { watch(d, BREAK_READ, args, r); }
static void run_awatch(struct debugger *d, const char *args, struct reply *r) { watch(d, BREAK_ACCESS, args, r); }

/* --- events ------------------------------------------------------------------------------------------------------------------ */

/* "14", "#PF", "pf", "page-fault". -1: none. */
static int vector_of(struct debugger *d, const char *word)
{
	struct reply ignored = { 0 };
	uint64_t n;

	for (int v = 0; v < 32; v++) {
		const char *m = vector_mnemonic((unsigned)v);
		if (*m && (!strcasecmp(word, m) || (*m == '#' && !strcasecmp(word, m + 1))))
			return v;
	}
	if (!strcasecmp(word, "page-fault") || !strcasecmp(word, "pagefault"))
		return VEC_PF;
	bool is = number_of(d, word, &n, &ignored);
	reply_free(&ignored);
	return is && n < 256 ? (int)n : -1;
}

/* A word about a page fault's error code: the bits it speaks of, and what they are. */
static const struct { const char *word; uint32_t mask, value; } error_words[] = {
	{ "not-present", PF_P, 0 }, { "protection", PF_P, PF_P }, { "read", PF_W, 0 }, { "write", PF_W, PF_W }, { "kernel", PF_U, 0 },
	{ "supervisor", PF_U, 0 }, { "user", PF_U, PF_U }, { "reserved", PF_RSVD, PF_RSVD }, { "fetch", PF_I, PF_I },
};

static bool error_word(const char *word, struct breakpoint *b)
{
	for (size_t i = 0; i < sizeof(error_words) / sizeof(error_words[0]); i++)
		if (!strcmp(error_words[i].word, word)) {
			b->error_mask |= error_words[i].mask;
			b->error_value |= error_words[i].value;
			if (b->vector < 0)
				b->vector = VEC_PF;
			return true;
		}
	return false;
}

/* [VECTOR] [WORDS] [error VALUE[/MASK]] [at LA[,LENGTH]] */
static bool exception(struct debugger *d, char *text, struct breakpoint *b, struct reply *r)
{
	char *at = cut(text, "at"), *error = cut(text, "error"), word[64];
	uint64_t n, length = 1, mask = UINT32_MAX;

	if (at) {
		char *size = length_of(at);
		if (!number_of(d, at, &b->address, r) || (size && !number_of(d, size, &length, r)))
			return false;
		b->length = (uint32_t)length;
		b->vector = VEC_PF;
	}
	if (error) {
		char *slash = strchr(error, '/');
		if (slash)
			*slash++ = 0;
		if (!number_of(d, error, &n, r) || (slash && !number_of(d, slash, &mask, r)))
			return false;
		b->error_mask = (uint32_t)mask;
		b->error_value = (uint32_t)(n & mask);
	}
	for (const char *p = text; *p; ) {
		p = take_word(p, word, sizeof(word));
		if (error_word(word, b))
			continue;
		b->vector = vector_of(d, word);
		if (b->vector >= 0)
			continue;
		reply_fail(r, "'%s' is no exception's name or number, nor user, kernel, read, write, fetch, not-present, protection, reserved", word);
		return false;
	}
	return true;
}

static bool interrupt(struct debugger *d, char *text, struct breakpoint *b, struct reply *r)
{
	if (!*text)
		return true;
	b->vector = vector_of(d, text);
	if (b->vector < 0)
		reply_fail(r, "'%s' is no vector from 0 to 255", text);
	return b->vector >= 0;
}

/* NUMBER[,LENGTH] */
static bool numbered(struct debugger *d, char *text, struct breakpoint *b, struct reply *r)
{
	uint64_t n = 1;
	char *size = length_of(text);

	if (!*text) {
		reply_fail(r, "which one? a number is missing");
		return false;
	}
	if (!number_of(d, text, &b->address, r) || (size && !number_of(d, size, &n, r)))
		return false;
	b->length = (uint32_t)n;
	return true;
}

static bool control(struct debugger *d, char *text, struct breakpoint *b, struct reply *r)
{
	text += !strncasecmp(text, "cr", 2) ? 2 : 0;
	return numbered(d, text, b, r);
}

static bool space(struct debugger *d, char *text, struct breakpoint *b, struct reply *r)
{
	uint32_t cr3;

	b->any = !*text;
	if (b->any)
		return true;
	if (!space_of(d, text, &cr3, r))
		return false;
	b->address = cr3;
	return true;
}

static bool mapping(struct debugger *d, char *text, struct breakpoint *b, struct reply *r)
{
	return *text ? place(d, text, 1, b, r) : numbered(d, text, b, r);
}

static bool resume(struct debugger *d, char *text, struct breakpoint *b, struct reply *r)
{
	return !*text || place(d, text, 1, b, r);
}

static const struct catch {
	const char *name;
	enum break_kind kind;
	bool (*parse)(struct debugger *d, char *text, struct breakpoint *b, struct reply *r);
} catches[] = {
	{ "exception", BREAK_EXCEPTION, exception }, { "fault", BREAK_EXCEPTION, exception }, { "interrupt", BREAK_INTERRUPT, interrupt },
	{ "port", BREAK_PORT, numbered }, { "msr", BREAK_MSR, numbered }, { "cr", BREAK_CONTROL, control }, { "space", BREAK_SPACE, space },
	{ "process", BREAK_SPACE, space }, { "mapping", BREAK_MAPPING, mapping }, { "resume", BREAK_RESUME, resume }, { "count", BREAK_COUNT, numbered },
};
#define CATCHES (sizeof(catches) / sizeof(catches[0]))

static void catch_it(struct debugger *d, bool temporary, const char *args, struct reply *r)
{
	char own[WORDS], word[64];
	struct breakpoint b = { .temporary = temporary, .vector = -1 };
	size_t i = 0;

	if (!copy(args, own, "catch what? exception, interrupt, port, msr, cr, space, mapping, resume or count; see help catch", r))
		return;
	char *rest = own + (take_word(own, word, sizeof(word)) - own);
	while (i < CATCHES && strncmp(catches[i].name, word, strlen(word)))
		i++;
	if (i == CATCHES) {
		/* catch pf: an exception by its name */
		if (vector_of(d, word) < 0) {
			reply_fail(r, "'%s' is nothing to catch: exception, interrupt, port, msr, cr, space, mapping, resume or count", word);
			return;
		}
		i = 0;
		rest = own;
	}
	b.kind = catches[i].kind;
	if (tail(d, rest, &b, r) && catches[i].parse(d, rest, &b, r))
		add(d, &b, r);
	else
		free(b.condition);
}

static void run_catch(struct debugger *d, const char *args, struct reply *r) { catch_it(d, false, args, r); }
static void run_tcatch(struct debugger *d, const char *args, struct reply *r) { catch_it(d, true, args, r); }

/* Bochs: stop when the processor's mode changes. */
static void run_modebp(struct debugger *d, const char *args, struct reply *r)
{
	(void)args;
	catch_it(d, false, "cr 0", r);
}

static void complete_catch(struct debugger *d, const char *args, found_fn *found, void *ctx)
{
	(void)d;
	for (size_t i = 0; i < CATCHES && !strchr(args, ' '); i++)
		if (!strncmp(catches[i].name, args, strlen(args)))
			found(ctx, catches[i].name);
}

#define WHERE "WHERE [once] [ignore N] [if CONDITION]"
const struct command break_commands[] = {
	{ "break", WHERE, "stop before the instruction there; WHERE: [phys|here] ADDRESS [in PROCESS]\nbreak page_fault\nbreak vm.c:88 if eax == 0\n"
		"break *0xc0100000\nbreak here 0x8048000       only in this address space\nbreak 0x8048000 in sh\nbreak phys 0x7c00\n"
		"break sh:main                  only in that program, also before it runs",
		run_break, NULL, complete_symbol },
	{ "b", NULL, NULL, NULL, "break", complete_symbol },
	{ "br", NULL, NULL, NULL, "break", complete_symbol },
	{ "hbreak", NULL, NULL, NULL, "break", complete_symbol },
	{ "lb", NULL, NULL, NULL, "break", NULL },
	{ "lbreak", NULL, NULL, NULL, "break", NULL },
	{ "tbreak", WHERE, "once", run_tbreak, NULL, complete_symbol },
	{ "tb", NULL, NULL, NULL, "tbreak", NULL },
	{ "pb", "ADDRESS", "break at a physical address (Bochs)", run_pb, NULL, NULL },
	{ "pbreak", NULL, NULL, NULL, "pb", NULL },
	{ "vb", "SELECTOR:OFFSET", "break at a logical address (Bochs)", run_vb, NULL, NULL },
	{ "vbreak", NULL, NULL, NULL, "vb", NULL },
	{ "watch", "[r|w|rw] WHERE[,LENGTH] ...", "stop after bytes were written\nwatch free_frames\nwatch 0xc0105000,16 if eax == 0\nwatch phys 0x103ffc\n"
		"watch r 0xb8000       read (Bochs)", run_watch, NULL, complete_symbol },
	{ "w", NULL, NULL, NULL, "watch", NULL },
	{ "rwatch", "WHERE[,LENGTH] ...", "... were read", run_rwatch, NULL, complete_symbol },
	{ "awatch", "WHERE[,LENGTH] ...", "... were read or written", run_awatch, NULL, complete_symbol },
	{ "catch", "KIND ...", "stop for an event\ncatch exception pf user write     before it is delivered\ncatch exception pf at 0xbffff000,4096\n"
		"catch exception gp error 0x10/0xfff8\ncatch interrupt 0x20\ncatch port 0x3f8,8\ncatch msr 0x1b\ncatch cr 3\ncatch space sh     a switch to it\n"
		"catch mapping 0xbfffe000     its PTE, PDE or TLB entry changes\ncatch resume     a faulted instruction runs again\ncatch count 1500000",
		run_catch, NULL, complete_catch },
	{ "tcatch", "KIND ...", "once", run_tcatch, NULL, complete_catch },
	{ "modebp", NULL, "stop when CR0 is written (Bochs)", run_modebp, NULL, NULL },
	{ NULL, NULL, NULL, NULL, NULL, NULL },
};
