/* emu/debug/view/view_code.c: the view of the code around the next instruction, or around an address.
 *
 *   vm.c:88  frame = frame_take();
 *   > c0101234  e8 17 02 00 00     call 0xc0101450 <frame_take>
 *   B c0101239  85 c0              testl %eax, %eax
 *
 * > is the next instruction, B an enabled breakpoint, b one that is off.
 */
#include "emu/debug/view/views.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "emu/debug/guest/source.h"
#include "emu/disasm.h"

#define CODE_LINES 12                  /* when nobody says how many */
#define CODE_MOST  1024
#define BACK_BYTES 64u                 /* how far before an address without a symbol instructions are searched */
#define SYMBOL_FAR 0x4000u             /* a symbol further away than this is no start to count instructions from */

static bool bits32(const struct debugger *d)
{
	return d->m->cpu.seg[SEG_CS].flags & SEG_FLAG_DB;
}

static void decode_at(const struct debugger *d, uint32_t la, struct disassembly *a)
{
	(d->intel ? disassemble_intel : disassemble)(&d->m->cpu, la, bits32(d), a);
}

/* Where instructions can be counted from so that one begins at la: the start of its function, or a place from which a run of good
 * instructions leads there. */
static uint32_t start_before(const struct debugger *d, uint32_t la)
{
	char name[128];
	const char *plus = strrchr(source_symbol(d, la, name, sizeof(name)), '+');
	uint32_t offset = plus ? (uint32_t)strtoul(plus + 1, NULL, 0) : 0;

	if (*name)
		return offset < SYMBOL_FAR ? la - offset : la;
	for (uint32_t back = BACK_BYTES; back; back--) {
		uint32_t at = la - back;
		struct disassembly a;
		do {
			decode_at(d, at, &a);
			if (!a.len || !strcmp(a.text, "(bad)"))
				break;
			at += a.len;
		} while (at - la >= 0x80000000u);
		if (at == la)
			return la - back;
	}
	return la;
}

/* The instruction that begins lines instructions before la, as far as there are so many. */
static uint32_t lines_before(const struct debugger *d, uint32_t la, unsigned lines)
{
	uint32_t at = start_before(d, la);
	uint32_t *start = lines ? calloc(lines, sizeof(*start)) : NULL;
	unsigned n = 0;

	if (!start)
		return la;
	while (at != la && la - at < SYMBOL_FAR) {
		struct disassembly a;
		decode_at(d, at, &a);
		start[n++ % lines] = at;
		at += a.len ? a.len : 1;
	}
	/* A function whose bytes do not count up to la (data in it): begin at la after all. */
	uint32_t first = at != la || !n ? la : n >= lines ? start[n % lines] : start[0];
	free(start);
	return first;
}

static char break_mark(const struct debugger *d, uint32_t la)
{
	char mark = ' ';

	for (const struct breakpoint *b = d->breaks; b; b = b->next)
		if (b->kind == BREAK_EXECUTE && !b->silent && b->space != SPACE_PHYSICAL && (uint32_t)b->address == la)
			mark = b->enabled || mark == 'B' ? 'B' : 'b';
	return mark;
}

/* " <name>" for the first address in the operands. */
static void target(const struct debugger *d, const char *text, struct text *t)
{
	char name[96];

	for (const char *p = strstr(text, "0x"); p; p = strstr(p + 2, "0x")) {
		char *end;
		unsigned long la = strtoul(p, &end, 16);
		if (end - p < 6 || !*source_symbol(d, (uint32_t)la, name, sizeof(name)))
			continue;
		text_put(t, STYLE_NAME, " <%s>", name);
		return;
	}
}

static void instruction(const struct debugger *d, const struct view_request *rq, uint32_t la, const struct disassembly *a, struct text *t)
{
	bool here = la == debugger_pc(d);
	char mark = break_mark(d, la);

	text_put(t, here ? STYLE_HERE : STYLE_PLAIN, "%c", here ? '>' : ' ');
	text_put(t, mark == 'B' ? STYLE_WARN : STYLE_DIM, "%c", mark);
	text_put(t, STYLE_ADDRESS, "%08" PRIx32, la);
	text_add(t, "  ");
	if (rq->width >= 72 && !rq->large) {
		for (unsigned i = 0; i < 8; i++)
			text_put(t, STYLE_DIM, i < a->len ? "%02x " : "   ", a->byte[i]);
		text_put(t, STYLE_DIM, "%s", a->len > 8 ? "+ " : "  ");
	}
	text_put(t, here ? STYLE_HERE : STYLE_PLAIN, "%s", a->text);
	target(d, a->text, t);
	text_add(t, "\n");
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* A line of source, when it is another than the one before. */
static bool source_above(const struct debugger *d, uint32_t la, struct source_line *last, struct text *t)
{
	struct source_line line;
	char words[200];

	if (!d->source || !source_line_of(d, la, &line) || (line.line == last->line && line.file == last->file))
		return false;
	*last = line;
	text_put(t, STYLE_NAME, "%s:%u", base_name(line.file), line.line);
	if (source_text(d, &line, words, sizeof(words))) {
		const char *w = words;
		while (*w == ' ' || *w == '\t')
			w++;
		text_put(t, STYLE_TITLE, "  %s", w);
	}
	text_add(t, "\n");
	return true;
}

/* Draws lines from la on; first of them are left out. */
static void draw(const struct debugger *d, const struct view_request *rq, uint32_t la, unsigned lines, struct text *t)
{
	struct source_line last = { NULL, NULL, 0 };
	char name[128], was[128] = "";

	for (unsigned n = 0; n < lines; n++) {
		struct disassembly a;
		decode_at(d, la, &a);
		const char *symbol = source_symbol(d, la, name, sizeof(name));
		size_t plain = strcspn(symbol, "+");
		if (plain && (strncmp(was, symbol, plain) || was[plain]) && ++n) {
			snprintf(was, sizeof(was), "%.*s", (int)plain, symbol);
			text_put(t, STYLE_NAME, "%s:\n", was);
		}
		if (n < lines && source_above(d, la, &last, t))
			n++;
		if (n < lines)
			instruction(d, rq, la, &a, t);
		if (!a.len)
			return;
		la += a.len;
	}
}

void view_disassembly(struct debugger *d, const struct view_request *rq, struct text *t)
{
	uint64_t at;
	unsigned lines = rq->height ? rq->height : CODE_LINES;

	if (!view_address(d, rq, debugger_pc(d), &at, t))
		return;
	if (lines > CODE_MOST)
		lines = CODE_MOST;
	uint32_t la = (uint32_t)at;
	if (!rq->argument)
		la = lines_before(d, la, lines / 4);
	for (size_t skip = rq->first < CODE_MOST ? rq->first : CODE_MOST; skip; skip--) {
		struct disassembly a;
		decode_at(d, la, &a);
		la += a.len ? a.len : 1;
	}
	draw(d, rq, la, lines, t);
}

static json_t *instruction_json(const struct debugger *d, uint32_t la, const struct disassembly *a)
{
	char bytes[2 * INSN_MAX + 1] = "", name[128];
	struct source_line line;

	for (unsigned i = 0; i < a->len; i++)
		snprintf(bytes + 2 * i, 3, "%02x", a->byte[i]);
	json_t *j = json_pack("{s:o,s:s,s:s}", "address", json_hex(la), "bytes", bytes, "text", a->text);
	if (*source_symbol(d, la, name, sizeof(name)))
		json_object_set_new(j, "symbol", json_string(name));
	if (d->source && source_line_of(d, la, &line)) {
		json_object_set_new(j, "file", json_string(line.file));
		json_object_set_new(j, "line", json_integer(line.line));
	}
	return j;
}

json_t *view_disassembly_json(struct debugger *d, const struct view_request *rq)
{
	uint64_t at;
	struct text err = { 0 };
	unsigned lines = rq->height && rq->height < CODE_MOST ? rq->height : CODE_LINES;
	json_t *list = json_array();

	if (!view_address(d, rq, debugger_pc(d), &at, &err))
		return json_decref(list), view_error(&err);
	for (uint32_t la = (uint32_t)at; lines; lines--) {
		struct disassembly a;
		decode_at(d, la, &a);
		json_array_append_new(list, instruction_json(d, la, &a));
		if (!a.len)
			break;
		la += a.len;
	}
	return json_pack("{s:o,s:o}", "pc", json_hex(debugger_pc(d)), "instructions", list);
}
