/* emu/monitor/commands_look.c: commands that look at code, memory and values; and that change them. */
#include "emu/monitor/commands.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "emu/debug/expr.h"
#include "emu/debug/guest/source.h"
#include "emu/debug/view/views.h"
#include "emu/disasm.h"

#define EXAMINE_MOST 4096u

/* --- x and xp ------------------------------------------------------------------------------------------------------------ */

struct format { unsigned count; char kind; unsigned size; };

/* "/10wx", in gdb's and in QEMU's spelling; false: no format. What it does not say stays as it is. */
static bool take_format(const char **args, struct format *f, struct reply *r)
{
	const char *p = *args;

	if (*p != '/')
		return true;
	p++;
	if (isdigit((unsigned char)*p)) {
		char *end;
		unsigned long n = strtoul(p, &end, 10);
		f->count = n > EXAMINE_MOST ? EXAMINE_MOST : (unsigned)n;
		p = end;
	}
	for (; *p && !isspace((unsigned char)*p); p++)
		switch (*p) {
		case 'b': f->size = 1; break;
		case 'h': f->size = 2; break;
		case 'w': f->size = 4; break;
		case 'g': f->size = 8; break;
		case 'x': case 'd': case 'u': case 'o': case 't': case 'c': case 'i': case 's': case 'a': f->kind = *p; break;
		default:
			reply_fail(r, "'%c' is no format: x d u o t c a i s, sizes b h w g", *p);
			return false;
		}
	*args = p + strspn(p, " \t");
	return true;
}

static void put_binary(struct text *t, uint64_t v, unsigned bits)
{
	for (unsigned i = bits; i--; )
		text_add(t, "%u", (unsigned)(v >> i & 1));
}

static void put_value(struct debugger *d, uint64_t v, const struct format *f, struct text *t)
{
	int64_t s = (int64_t)(v << (64 - 8 * f->size)) >> (64 - 8 * f->size);
	char name[128];

	switch (f->kind) {
	case 'd': text_add(t, "%" PRId64, s); break;
	case 'u': text_add(t, "%" PRIu64, v); break;
	case 'o': text_add(t, "0%" PRIo64, v); break;
	case 't': put_binary(t, v, 8 * f->size); break;
	case 'c': text_add(t, "%" PRId64 " '%c'", s, (v & 0xff) >= ' ' && (v & 0xff) < 0x7f ? (char)v : '.'); break;
	case 'a': text_add(t, "0x%" PRIx64 " <%s>", v, source_symbol(d, (uint32_t)v, name, sizeof(name))); break;
	default: text_add(t, "0x%0*" PRIx64, (int)(2 * f->size), v);
	}
}

static size_t fetch(const struct debugger *d, bool physical, uint64_t at, void *buf, size_t n)
{
	return physical ? debugger_read_physical(d, at, buf, n) : debugger_read_linear(d, (uint32_t)at, buf, n);
}

static void examine_code(struct debugger *d, uint64_t *at, const struct format *f, struct reply *r)
{
	char argument[24];
	struct disassembly a;
	bool bits32 = d->m->cpu.seg[SEG_CS].flags & SEG_FLAG_DB;

	snprintf(argument, sizeof(argument), "0x%" PRIx64, *at);
	if (r->want_json) {
		reply_view(d, "disassembly", argument, f->count, r);
		return;
	}
	for (unsigned i = 0; i < f->count; i++) {
		char name[128];
		(d->intel ? disassemble_intel : disassemble)(&d->m->cpu, (uint32_t)*at, bits32, &a);
		text_put(&r->text, STYLE_ADDRESS, "0x%08" PRIx32, (uint32_t)*at);
		if (*source_symbol(d, (uint32_t)*at, name, sizeof(name)))
			text_put(&r->text, STYLE_NAME, " <%s>", name);
		text_add(&r->text, ":  %s\n", a.text);
		if (!a.len)
			return;
		*at += a.len;
	}
}

static void examine_strings(struct debugger *d, bool physical, uint64_t *at, unsigned count, struct reply *r)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < count; i++) {
		char s[201];
		size_t n = fetch(d, physical, *at, s, 200), length = strnlen(s, n);
		s[length] = 0;
		if (!n) {
			text_put(&r->text, STYLE_DIM, "0x%08" PRIx64 ":  (not mapped)\n", *at);
			break;
		}
		for (char *c = s; *c; c++)
			if (!isprint((unsigned char)*c))
				*c = '.';
		text_put(&r->text, STYLE_ADDRESS, "0x%08" PRIx64, *at);
		text_add(&r->text, ":  \"%s\"\n", s);
		json_array_append_new(list, json_pack("{s:o,s:s}", "address", json_hex(*at), "string", s));
		*at += length + (length < n);
	}
	reply_set(r, "strings", list);
}

static void examine_words(struct debugger *d, bool physical, uint64_t *at, const struct format *f, struct reply *r)
{
	unsigned across = f->kind == 't' ? 1 : f->kind == 'c' || f->size == 1 ? 8 : f->kind == 'a' ? 1 : 16 / f->size;
	json_t *list = json_array();

	reply_set(r, "address", json_hex(*at));
	for (unsigned i = 0; i < f->count; i++, *at += f->size) {
		uint8_t b[8];
		uint64_t v = 0;
		if (!physical)
			*at = (uint32_t)*at;
		if (i % across == 0) {
			char name[128] = "";
			text_put(&r->text, STYLE_ADDRESS, "%s0x%08" PRIx64, i ? "\n" : "", *at);
			if (!physical && *source_symbol(d, (uint32_t)*at, name, sizeof(name)))
				text_put(&r->text, STYLE_NAME, " <%s>", name);
			text_add(&r->text, ":");
		}
		if (fetch(d, physical, *at, b, f->size) != f->size) {
			text_put(&r->text, STYLE_DIM, " (not %s)", physical ? "memory" : "mapped");
			break;
		}
		for (unsigned k = f->size; k--; )
			v = v << 8 | b[k];
		text_add(&r->text, "  ");
		put_value(d, v, f, &r->text);
		json_array_append_new(list, json_hex(v));
	}
	text_add(&r->text, "\n");
	reply_set(r, "size", json_integer(f->size));
	reply_set(r, "values", list);
}

/* NEMU's `x 10 $esp`: a count, then an expression. */
static bool count_first(const char *args, struct format *f, const char **rest)
{
	size_t n = strspn(args, "0123456789"), blanks = strspn(args + n, " \t");
	const char *next = args + n + blanks;

	if (!n || !blanks || !*next || (!isalnum((unsigned char)*next) && !strchr("$_(", *next)))
		return false;
	unsigned long count = strtoul(args, NULL, 10);
	f->count = count > EXAMINE_MOST ? EXAMINE_MOST : (unsigned)count;
	*rest = next;
	return true;
}

static void examine(struct debugger *d, bool physical, const char *args, struct reply *r)
{
	struct format f = { .count = 1, .kind = 'x', .size = 4 };
	uint64_t at;

	if (!take_format(&args, &f, r))
		return;
	count_first(args, &f, &args);
	if (!number_or(d, args, d->notes->examine_next, &at, r))
		return;
	if (!physical)
		at = (uint32_t)at;
	if (f.kind == 'i' && !physical)
		examine_code(d, &at, &f, r);
	else if (f.kind == 's')
		examine_strings(d, physical, &at, f.count, r);
	else
		examine_words(d, physical, &at, &f, r);
	d->notes->examine_next = at;
}

static void run_x(struct debugger *d, const char *args, struct reply *r) { examine(d, false, args, r); }
static void run_xp(struct debugger *d, const char *args, struct reply *r) { examine(d, true, args, r); }

/* --- values ------------------------------------------------------------------------------------------------------------------ */

static void run_print(struct debugger *d, const char *args, struct reply *r)
{
	struct format f = { .kind = 0, .size = 0 };
	uint64_t v;
	char name[128];

	if (!take_format(&args, &f, r))
		return;
	if (!*args) {
		reply_fail(r, "print what? an expression; help print has examples");
		return;
	}
	if (!number_of(d, args, &v, r))
		return;
	source_symbol(d, (uint32_t)v, name, sizeof(name));
	if (f.kind == 'x' && !f.size)
		text_add(&r->text, "0x%" PRIx64, v);
	else if (f.kind) {
		f.size = f.size ? f.size : v > UINT32_MAX ? 8 : 4;
		put_value(d, v, &f, &r->text);
	} else {
		text_add(&r->text, "%" PRIu64 "  0x%" PRIx64, v, v);
		if ((int32_t)v < 0 && v <= UINT32_MAX)
			text_add(&r->text, "  %" PRId32, (int32_t)v);
		if (v >= 0x1000 && v <= UINT32_MAX && *name)
			text_put(&r->text, STYLE_NAME, "  <%s>", name);
	}
	text_add(&r->text, "\n");
	reply_set(r, "value", v <= INT64_MAX ? json_integer((json_int_t)v) : json_null());
	reply_set(r, "hex", json_hex(v));
	reply_set(r, "symbol", json_string(name));
}

/* Status 122 in a batch: see monitor.h. */
static void run_assert(struct debugger *d, const char *args, struct reply *r)
{
	uint64_t v;

	if (!*args)
		reply_fail(r, "assert what? an expression");
	else if (number_of(d, args, &v, r) && !v) {
		reply_fail(r, "assertion failed: %s", args);
		r->assertion = true;
	}
}

static void assign_memory(struct debugger *d, bool physical, const char *where, unsigned size, uint64_t value, struct reply *r)
{
	uint64_t at;
	uint8_t b[8];
	char err[ERROR_LINE];

	if (!number_of(d, where, &at, r))
		return;
	for (unsigned i = 0; i < 8; i++)
		b[i] = (uint8_t)(value >> 8 * i);
	if (debugger_write_memory(d, physical, at, b, size, err))
		reply_fail(r, "%s", err);
	else
		r->moved = true;
}

static bool option(struct debugger *d, const char *name, const char *value, struct reply *r)
{
	bool on = !strcmp(value, "on") || !strcmp(value, "1") || !strcmp(value, "intel");
	bool known = on || !strcmp(value, "off") || !strcmp(value, "0") || !strcmp(value, "att");

	if (!strcmp(name, "syntax") || !strcmp(name, "disassembly-flavor"))
		d->intel = known ? on : d->intel;
	else if (!strcmp(name, "interrupts"))
		d->step_into_interrupts = known ? on : d->step_into_interrupts;
	else if (!strcmp(name, "pagination") || !strcmp(name, "confirm") || !strcmp(name, "height") || !strcmp(name, "width"))
		return true;               /* what people's gdb files begin with */
	else
		return false;
	if (!known)
		reply_fail(r, "'%s' is no value for %s: %s", value, name, *name == 'i' ? "on or off" : "intel or att");
	return true;
}

static void run_set(struct debugger *d, const char *args, struct reply *r)
{
	char left[256], err[ERROR_LINE];
	const char *address, *right;
	uint64_t value;

	(void)(take_this(&args, "var") || take_this(&args, "variable"));           /* gdb's */
	size_t n = strcspn(args, "=");
	if (!args[n])
		n = strcspn(args, " \t");
	if (!*args || !args[n] || n >= sizeof(left)) {
		reply_fail(r, "set what? set REGISTER = VALUE, set *ADDRESS = VALUE, set syntax intel|att, set interrupts on|off");
		return;
	}
	snprintf(left, sizeof(left), "%.*s", (int)n, args);
	for (size_t k = strlen(left); k && isspace((unsigned char)left[k - 1]); k--)
		left[k - 1] = 0;
	right = args + n + 1 + strspn(args + n + 1, " \t");
	if (option(d, left, right, r) || !number_of(d, right, &value, r))
		return;
	bool past = debugger_in_past(d);
	unsigned size = target_size(left, &address);
	if (size)
		assign_memory(d, false, address, size, value, r);
	else if (!strncmp(left, "phys", 4) && left[4] == '(')
		assign_memory(d, true, left + 4, 4, value, r);
	else if (debugger_write_register(d, left + (*left == '$'), value, err))
		reply_fail(r, "%s", err);
	else
		r->moved = true;
	if (past && r->moved && !r->failed)
		text_add(&r->text, "another future begins here: what lay ahead is forgotten\n");
}

static void run_display(struct debugger *d, const char *args, struct reply *r)
{
	struct display **end = &d->notes->displays;

	if (!*args)
		for (struct display *s = d->notes->displays; s; s = s->next)
			text_add(&r->text, "%s\n", s->line);
	else {
		bool expression = *args == '/' || *args == '$' || *args == '*' || (strcspn(args, " ") == strlen(args) && !view_find(args));
		size_t n = strlen(args) + 16;
		struct display *s = calloc(1, sizeof(*s));
		char *line = malloc(n);
		if (!s || !line) {
			free(s);
			free(line);
			reply_fail(r, "out of memory");
			return;
		}
		/* display EXPRESSION and display VIEW do what print and view would; anything else is a command. */
		snprintf(line, n, "%s%s%s", *args == '/' ? "x" : expression ? "print " : view_find(args) ? "view " : "", args, "");
		s->line = line;
		while (*end)
			end = &(*end)->next;
		*end = s;
	}
}

static void run_undisplay(struct debugger *d, const char *args, struct reply *r)
{
	(void)args;
	(void)r;
	for (struct display *s = d->notes->displays, *next; s; s = next) {
		next = s->next;
		free(s->line);
		free(s);
	}
	d->notes->displays = NULL;
}

/* --- code ---------------------------------------------------------------------------------------------------------------------- */

/* disassemble [ADDRESS] [COUNT] */
static void run_disassemble(struct debugger *d, const char *args, struct reply *r)
{
	struct format f = { .count = 12 };

	if (!take_format(&args, &f, r))
		return;
	count_first(args, &f, &args);
	reply_view(d, "disassembly", args, f.count, r);
}

/* A few lines around the one of the next instruction, or of an address. */
static void run_list(struct debugger *d, const char *args, struct reply *r)
{
	uint64_t la;
	struct source_line line;
	char words[256];

	if (!number_or(d, args, debugger_pc(d), &la, r))
		return;
	if (!d->source || !source_line_of(d, (uint32_t)la, &line)) {
		reply_fail(r, "there is no source line for 0x%" PRIx32, (uint32_t)la);
		return;
	}
	unsigned here = line.line;
	json_t *list = json_array();
	text_put(&r->text, STYLE_NAME, "%s\n", line.file);
	for (line.line = here > 5 ? here - 5 : 1; line.line < here + 6; line.line++) {
		if (!source_text(d, &line, words, sizeof(words)))
			continue;
		text_put(&r->text, line.line == here ? STYLE_HERE : STYLE_PLAIN, "%c%5u  %s\n", line.line == here ? '>' : ' ', line.line, words);
		json_array_append_new(list, json_pack("{s:i,s:s}", "line", (int)line.line, "text", words));
	}
	reply_set(r, "file", json_string(line.file));
	reply_set(r, "line", json_integer(here));
	reply_set(r, "lines", list);
}

static void run_backtrace(struct debugger *d, const char *args, struct reply *r)
{
	struct source_frame f[64];
	size_t n = d->source ? source_backtrace(d, f, 64) : 0;
	json_t *list = json_array();

	(void)args;
	for (size_t i = 0; i < n && i < 64; i++) {
		char name[128];
		struct source_line line;
		bool known = source_line_of(d, f[i].exact ? f[i].pc : f[i].pc - 1, &line);
		source_symbol(d, f[i].pc, name, sizeof(name));
		text_put(&r->text, STYLE_DIM, "#%-2zu ", i);
		text_put(&r->text, STYLE_ADDRESS, "%08" PRIx32 " ", f[i].pc);
		text_put(&r->text, STYLE_NAME, "%s", *name ? name : "?");
		if (known)
			text_add(&r->text, " at %s:%u", line.file, line.line);
		text_add(&r->text, "\n");
		json_t *j = json_pack("{s:o,s:o,s:s}", "pc", json_hex(f[i].pc), "cfa", json_hex(f[i].cfa), "symbol", name);
		if (known) {
			json_object_set_new(j, "file", json_string(line.file));
			json_object_set_new(j, "line", json_integer(line.line));
		}
		json_array_append_new(list, j);
	}
	reply_set(r, "frames", list);
	if (!n)
		reply_fail(r, "nothing is known of this stack");
}

static void run_symbol(struct debugger *d, const char *args, struct reply *r)
{
	uint64_t la;
	char name[128];
	struct source_line line;

	if (!number_or(d, args, debugger_pc(d), &la, r))
		return;
	source_symbol(d, (uint32_t)la, name, sizeof(name));
	text_put(&r->text, STYLE_ADDRESS, "0x%08" PRIx32, (uint32_t)la);
	text_put(&r->text, STYLE_NAME, " %s", *name ? name : "(no symbol)");
	reply_set(r, "address", json_hex((uint32_t)la));
	reply_set(r, "symbol", json_string(name));
	if (d->source && source_line_of(d, (uint32_t)la, &line)) {
		text_add(&r->text, " %s:%u", line.file, line.line);
		reply_set(r, "file", json_string(line.file));
		reply_set(r, "line", json_integer(line.line));
	}
	text_add(&r->text, "\n");
}

/* symbols FILE[@PROCESS] [BIAS] */
static void run_symbols(struct debugger *d, const char *args, struct reply *r)
{
	char file[512], err[ERROR_LINE];
	const char *rest = take_word(args, file, sizeof(file));
	char *at = strrchr(file, '@');
	uint64_t bias;

	if (!*args)
		reply_fail(r, "symbols of which file? symbols FILE[@PROCESS] [BIAS]");
	else if (files_allowed(r) && number_or(d, rest, 0, &bias, r)) {
		if (at)
			*at++ = 0;
		if (!d->source)
			reply_fail(r, "symbols are off");
		else if (source_add(d->source, file, (uint32_t)bias, at, err))
			reply_fail(r, "%s", err);
	}
}

const struct command look_commands[] = {
	{ "x", "[/NFU] EXPRESSION", "memory; N how many, F x d u o t c a i s, U b h w g\nx/10i $eip\nx/4wx 0xc0105000\nx/s message\nx 10 $esp", run_x, NULL,
		complete_symbol },
	{ "xp", "[/NFU] EXPRESSION", "... at a physical address\nxp/16bx 0x7c00", run_xp, NULL, NULL },
	{ "print", "[/F] EXPRESSION", "a value\nprint eax + 4\nprint/x pte(0xbfffe000)\nprint *(u8*)message\nprint pa(main)", run_print, NULL, complete_symbol },
	{ "p", NULL, NULL, NULL, "print", complete_symbol },
	{ "output", NULL, NULL, NULL, "print", NULL },
	{ "calc", NULL, NULL, NULL, "print", NULL },
	{ "assert", "EXPRESSION", "fails when it is 0; in a batch the status is 122 then\nassert cr3 != 0", run_assert, NULL, complete_symbol },
	{ "expect", NULL, NULL, NULL, "assert", NULL },
	{ "set", "WHAT = VALUE", "change a register, memory or an option; what lay ahead of this moment is forgotten\nset eax = 1\nset *(u8*)0xc0105000 = 0x90\n"
		"set phys(0x7c00) = 0\nset syntax intel\nset interrupts on     steps stop in interrupt handlers", run_set, NULL, complete_symbol },
	{ "display", "[COMMAND|VIEW|EXPRESSION]", "show it at each stop\ndisplay x/3i $eip\ndisplay walk\ndisplay esp", run_display, NULL, complete_view },
	{ "info display", NULL, NULL, NULL, "display", NULL },
	{ "undisplay", NULL, "no longer show anything at stops", run_undisplay, NULL, NULL },
	{ "disassemble", "[/N] [ADDRESS]", "instructions with source lines", run_disassemble, NULL, complete_symbol },
	{ "disas", NULL, NULL, NULL, "disassemble", complete_symbol },
	{ "u", NULL, NULL, NULL, "disassemble", complete_symbol },
	{ "list", "[ADDRESS]", "source around the next instruction, or around an address\nlist page_fault", run_list, NULL, complete_symbol },
	{ "l", NULL, NULL, NULL, "list", NULL },
	{ "backtrace", NULL, "the calls that led here", run_backtrace, NULL, NULL },
	{ "bt", NULL, NULL, NULL, "backtrace", NULL },
	{ "where", NULL, NULL, NULL, "backtrace", NULL },
	{ "info frame", NULL, NULL, NULL, "backtrace", NULL },
	{ "info stack", NULL, NULL, NULL, "backtrace", NULL },
	{ "print-stack", NULL, NULL, NULL, "view stack", NULL },
	{ "info symbol", "ADDRESS", "its name and source line", run_symbol, NULL, complete_symbol },
	{ "info line", NULL, NULL, NULL, "info symbol", NULL },
	{ "info address", NULL, NULL, NULL, "info symbol", NULL },
	{ "symbols", "FILE[@PROCESS] [BIAS]", "names and lines of one more program\nsymbols user/sh.elf@sh", run_symbols, NULL, NULL },
	{ "add-symbol-file", NULL, NULL, NULL, "symbols", NULL },
	{ NULL, NULL, NULL, NULL, NULL, NULL },
};
