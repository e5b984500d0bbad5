/* emu/debug/view/view_memory.c: the views of memory as bytes, and of the stack as words with the names they may be.
 *
 *   c0105000  7f 45 4c 46 01 01 01 00  00 00 00 00 00 00 00 00  .ELF............
 *   c0106000  -- not mapped --
 *
 * The argument of `memory` is an expression; "phys EXPRESSION" is a physical address.
 */
#include "emu/debug/view/views.h"

#include <inttypes.h>
#include <string.h>

#include "emu/debug/notebook.h"
#include "emu/debug/guest/source.h"

#define MEMORY_LINES 16
#define MEMORY_MOST  4096u
#define STACK_WORDS  24
#define FRAMES       16

static size_t read_space(const struct debugger *d, bool physical, uint64_t at, void *buf, size_t n)
{
	return physical ? debugger_read_physical(d, at, buf, n) : debugger_read_linear(d, (uint32_t)at, buf, n);
}

static void bytes_line(const struct debugger *d, const struct view_request *rq, bool physical, uint64_t at, unsigned across, struct text *t)
{
	uint8_t b[16], old[16];
	bool known = physical && rq->mark;

	text_put(t, STYLE_ADDRESS, "%08" PRIx64 "  ", at);
	size_t n = read_space(d, physical, at, b, across);
	if (!n) {
		text_put(t, STYLE_DIM, "-- not mapped --\n");
		return;
	}
	if (known)
		mark_read(rq->mark, at, old, n);
	for (size_t i = 0; i < across; i++) {
		bool changed = known && i < n && old[i] != b[i];
		if (i < n)
			text_put(t, changed ? STYLE_CHANGED : STYLE_PLAIN, "%02x%s", b[i], changed ? "*" : " ");
		else
			text_put(t, STYLE_DIM, "-- ");
		if (i % 8 == 7)
			text_add(t, " ");
	}
	for (size_t i = 0; i < n; i++)
		text_put(t, STYLE_DIM, "%c", b[i] >= ' ' && b[i] < 0x7f ? b[i] : '.');
	text_add(t, "\n");
}

/* Takes "phys " off the argument. */
static bool is_physical(struct view_request *rq)
{
	if (!rq->argument || strncmp(rq->argument, "phys ", 5))
		return false;
	rq->argument += 5;
	return true;
}

void view_memory(struct debugger *d, const struct view_request *rq, struct text *t)
{
	struct view_request own = *rq;
	bool physical = is_physical(&own);
	unsigned lines = rq->height ? rq->height : MEMORY_LINES, across = rq->width >= 76 ? 16 : 8;
	uint64_t at;

	if (!view_address(d, &own, debugger_pc(d) & ~0xfu, &at, t))
		return;
	at += (uint64_t)across * rq->first;
	for (unsigned i = 0; i < lines && i < MEMORY_MOST; i++, at += across)
		bytes_line(d, rq, physical, physical ? at : (uint32_t)at, across, t);
}

json_t *view_memory_json(struct debugger *d, const struct view_request *rq)
{
	struct view_request own = *rq;
	bool physical = is_physical(&own);
	unsigned lines = rq->height && rq->height < MEMORY_MOST ? rq->height : MEMORY_LINES;
	uint64_t at;
	struct text err = { 0 };
	json_t *list = json_array();

	if (!view_address(d, &own, debugger_pc(d) & ~0xfu, &at, &err))
		return json_decref(list), view_error(&err);
	for (unsigned i = 0; i < lines; i++, at += 16) {
		uint8_t b[16];
		char hex[33] = "";
		size_t n = read_space(d, physical, at, b, sizeof(b));
		for (size_t k = 0; k < n; k++)
			snprintf(hex + 2 * k, 3, "%02x", b[k]);
		json_array_append_new(list, json_pack("{s:o,s:i,s:s}", "address", json_hex(at), "mapped", (int)n, "bytes", hex));
	}
	return json_pack("{s:b,s:o}", "physical", physical, "lines", list);
}

/* --- stack ------------------------------------------------------------------------------------------------------------- */

/* The linear address of the stack's top and the size of its words. */
static uint32_t stack_top(const struct debugger *d, unsigned *word)
{
	const struct segment *ss = &d->m->cpu.seg[SEG_SS];
	bool big = ss->flags & SEG_FLAG_DB;

	*word = d->m->cpu.seg[SEG_CS].flags & SEG_FLAG_DB ? 4 : 2;
	return ss->base + (big ? d->m->cpu.r[R_ESP] : d->m->cpu.r[R_ESP] & 0xffff);
}

static void frames(struct debugger *d, struct text *t)
{
	struct source_frame f[FRAMES];
	size_t n = d->source ? source_backtrace(d, f, FRAMES) : 0;

	for (size_t i = 0; i < n && i < FRAMES; i++) {
		char name[128];
		struct source_line line;
		text_put(t, STYLE_DIM, "#%-2zu ", i);
		text_put(t, STYLE_ADDRESS, "%08" PRIx32 " ", f[i].pc);
		text_put(t, STYLE_NAME, "%s", source_symbol(d, f[i].pc, name, sizeof(name)));
		/* A return address may be the first of the next line: the call is before it. */
		if (source_line_of(d, f[i].exact ? f[i].pc : f[i].pc - 1, &line))
			text_add(t, " at %s:%u", line.file, line.line);
		text_add(t, "\n");
	}
	if (n)
		text_add(t, "\n");
}

static bool read_word(const struct debugger *d, uint32_t la, unsigned word, uint32_t *v)
{
	uint8_t b[4] = { 0 };

	if (debugger_read_linear(d, la, b, word) != word)
		return false;
	*v = b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
	return true;
}

void view_stack(struct debugger *d, const struct view_request *rq, struct text *t)
{
	unsigned word, lines = rq->height ? rq->height : STACK_WORDS;
	uint32_t top = stack_top(d, &word), ebp = d->m->cpu.seg[SEG_SS].base + d->m->cpu.r[R_EBP];
	uint64_t at;

	if (!view_address(d, rq, top, &at, t))
		return;
	if (!rq->height || rq->height >= 30)
		frames(d, t);
	at += (uint64_t)word * rq->first;
	for (unsigned i = 0; i < lines && i < MEMORY_MOST; i++, at += word) {
		uint32_t v;
		char name[128];
		uint32_t la = (uint32_t)at;
		text_put(t, la == top ? STYLE_HERE : STYLE_PLAIN, "%c", la == top ? '>' : ' ');
		text_put(t, STYLE_ADDRESS, "%08" PRIx32 "  ", la);
		if (!read_word(d, la, word, &v)) {
			text_put(t, STYLE_DIM, "-- not mapped --\n");
			return;
		}
		text_add(t, "%0*" PRIx32, (int)(2 * word), v);
		if (word == 4 && v >= 0x1000 && *source_symbol(d, v, name, sizeof(name)))
			text_put(t, STYLE_NAME, "  %s", name);
		text_add(t, "%s\n", la == ebp ? "  <- EBP" : "");
	}
}

json_t *view_stack_json(struct debugger *d, const struct view_request *rq)
{
	struct source_frame f[FRAMES];
	size_t n = d->source ? source_backtrace(d, f, FRAMES) : 0;
	unsigned word, lines = rq->height && rq->height < MEMORY_MOST ? rq->height : STACK_WORDS;
	uint32_t top = stack_top(d, &word), v;
	json_t *words = json_array(), *list = json_array();
	char name[128];

	for (size_t i = 0; i < n && i < FRAMES; i++)
		json_array_append_new(list, json_pack("{s:o,s:s}", "pc", json_hex(f[i].pc), "symbol", source_symbol(d, f[i].pc, name, sizeof(name))));
	for (uint32_t la = top; lines && read_word(d, la, word, &v); la += word, lines--)
		json_array_append_new(words, json_pack("{s:o,s:o,s:s}", "address", json_hex(la), "value", json_hex(v),
			"symbol", word == 4 ? source_symbol(d, v, name, sizeof(name)) : ""));
	return json_pack("{s:o,s:o}", "frames", list, "words", words);
}
