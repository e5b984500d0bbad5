/* emu/debug/view/view_frames.c: the view `frames`: physical memory, frame by frame, as the guest keeps account of it, beside what its page tables say.
 *
 *   frames              a map, a letter for each frame or for each few; how many of which kind; then a list, neighbours folded
 *   frames FRAME        one frame (or a physical address): the guest's record, and everybody who maps it
 *
 * ! marks a frame whose count of references is not the number of its mappings, plus what the guest says it holds otherwise: a reference
 * was lost or forgotten. Such frames come first in the list. While the kernel is at work on a frame it may differ for a moment.
 */
#include <stdlib.h>
#include <string.h>

#include "emu/debug/view/entry.h"
#include "emu/debug/guest/guest_maps.h"
#include "emu/debug/view/views.h"

#define OWNERS_MAX 16
#define MAP_LINES 16u                  /* at most, and no more than a third of the height */
#define NAMED_MAX 4u                   /* mappings told in a line */
#define MAPPERS_MOST 256u              /* told of one frame */
#define JSON_WRONG_MAX 10000u

struct frames {
	struct guest_maps maps;
	struct guest_frame *frame;     /* of each */
	uint32_t known, counted, wrong;
	struct { char name[16]; char letter; uint32_t count; } owner[OWNERS_MAX];
	unsigned owners;
};

static bool is_wrong(const struct frames *f, uint32_t n) { return guest_frame_wrong(&f->frame[n], f->maps.count[n]); }

static char owner_letter(const struct frames *f, const char *name)
{
	static const struct { const char *name; char letter; } usual[] = { { "free", '.' }, { "page table", 'T' }, { "reserved", '-' }, { "kernel heap", 'H' } };

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (!strcmp(usual[i].name, name))
			return usual[i].letter;
	for (const char *c = name; *c; c++) {          /* the first of its letters that is not taken */
		char letter = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
		bool taken = letter < 'A' || letter > 'Z' || letter == 'T' || letter == 'H';
		for (unsigned i = 0; i < f->owners; i++)
			taken |= f->owner[i].letter == letter;
		if (!taken)
			return letter;
	}
	return '+';
}

static unsigned owner_of(struct frames *f, const char *name)
{
	unsigned i = 0;

	while (i < f->owners && strcmp(f->owner[i].name, name))
		i++;
	if (i == f->owners && i < OWNERS_MAX) {
		f->owner[i].letter = owner_letter(f, name);
		snprintf(f->owner[i].name, sizeof(f->owner[i].name), "%s", name);
		f->owners++;
	}
	return i < OWNERS_MAX ? i : OWNERS_MAX - 1;
}

static bool frames_take(struct debugger *d, struct frames *f)
{
	*f = (struct frames){ 0 };
	if (!guest_maps_take(d, &f->maps))
		return false;
	f->frame = calloc(f->maps.frames, sizeof(*f->frame));
	for (uint32_t n = 0; f->frame && n < f->maps.frames; n++)
		if (guest_frame(d, n, &f->frame[n])) {
			f->known++;
			f->counted += f->frame[n].counted;
			f->wrong += is_wrong(f, n);
			f->owner[owner_of(f, f->frame[n].owner)].count++;
		}
	if (!f->frame)
		guest_maps_free(&f->maps);
	return f->frame != NULL;
}

static void frames_free(struct frames *f)
{
	guest_maps_free(&f->maps);
	free(f->frame);
}

/* --- the map -------------------------------------------------------------------------------------------------------- */

static char frame_letter(struct frames *f, uint32_t n)
{
	if (!f->frame[n].known)
		return ' ';
	return is_wrong(f, n) ? '!' : f->owner[owner_of(f, f->frame[n].owner)].letter;
}

/* One letter for [start, end): wrong before all, then what is there most. */
static char cell_letter(struct frames *f, uint32_t start, uint32_t end)
{
	uint32_t count[256] = { 0 };
	unsigned char best = ' ';

	for (uint32_t n = start; n < end && n < f->maps.frames; n++) {
		unsigned char letter = (unsigned char)frame_letter(f, n);
		if (letter == '!')
			return '!';
		if (++count[letter] > count[best])
			best = letter;
	}
	return (char)best;
}

static enum style letter_style(char letter)
{
	return letter == '!' ? STYLE_BAD : letter == '.' || letter == '-' ? STYLE_DIM : STYLE_PLAIN;
}

static void put_map(struct frames *f, const struct view_request *rq, struct text *t)
{
	uint32_t columns = rq->width >= 140 ? 128 : rq->width >= 76 ? 64 : 32, cell = 1;
	uint32_t lines = rq->height && rq->height / 3 < MAP_LINES ? rq->height / 3 : MAP_LINES;

	lines = lines ? lines : 1;
	while (cell * columns * lines < f->maps.frames)
		cell *= 2;
	text_put(t, STYLE_DIM, " %u frame%s a letter; no letter: the guest keeps no record\n", cell, cell == 1 ? "" : "s");
	for (uint32_t row = 0; row < f->maps.frames; row += cell * columns) {
		text_put(t, STYLE_ADDRESS, " %05x ", row);
		for (uint32_t n = row; n < row + cell * columns && n < f->maps.frames; n += cell) {
			char letter = cell_letter(f, n, n + cell);
			text_put(t, letter_style(letter), "%c", letter);
		}
		text_add(t, "\n");
	}
}

static void put_totals(const struct frames *f, unsigned width, struct text *t)
{
	unsigned column = 0;

	for (unsigned i = 0; i < f->owners; i++) {
		char item[64];
		int n = snprintf(item, sizeof(item), " %c %s %u ", f->owner[i].letter, f->owner[i].name, f->owner[i].count);
		if (column && column + (unsigned)n > width) {
			text_add(t, "\n");
			column = 0;
		}
		text_add(t, "%s", item);
		column += (unsigned)n;
	}
	text_add(t, "\n");
}

/* --- the list ------------------------------------------------------------------------------------------------------- */

static void put_mapping(const struct frames *f, const struct mapping *m, struct text *t)
{
	const struct guest_process *p = guest_maps_process(&f->maps, m->cr3);

	if (p)
		text_put(t, STYLE_NAME, " %s[%lld]", p->name, (long long)p->id);
	else
		text_put(t, STYLE_DIM, " cr3=%08x", m->cr3);
	text_put(t, STYLE_ADDRESS, " %08x", m->la);
}

static void put_mappings(const struct frames *f, uint32_t n, struct text *t)
{
	uint32_t have = f->maps.first[n + 1] - f->maps.first[n];

	for (uint32_t i = 0; i < have && i < NAMED_MAX; i++)
		put_mapping(f, &f->maps.list[f->maps.first[n] + i], t);
	if (f->maps.count[n] > NAMED_MAX)
		text_put(t, STYLE_DIM, " and %u more", f->maps.count[n] - NAMED_MAX);
}

static void put_frames(const struct frames *f, uint32_t start, uint32_t end, struct text *t)
{
	const struct guest_frame *g = &f->frame[start];
	bool wrong = is_wrong(f, start);

	text_put(t, wrong ? STYLE_BAD : STYLE_PLAIN, wrong ? "!" : " ");
	text_put(t, STYLE_ADDRESS, "%05x", start);
	if (end > start + 1)
		text_put(t, STYLE_ADDRESS, "-%05x", end - 1);
	text_column(t, 13);
	text_add(t, "%-11s ", g->owner);
	text_put(t, wrong ? STYLE_BAD : STYLE_PLAIN, "%4llu %4u ", (unsigned long long)(g->references), f->maps.count[start]);
	text_add(t, "%c%c ", g->dirty ? 'D' : '-', g->pinned ? 'P' : '-');
	if (wrong && g->extra)
		text_put(t, STYLE_BAD, " %llu held otherwise", (unsigned long long)g->extra);
	put_mappings(f, start, t);
	text_add(t, "\n");
}

/* Nobody maps either, and their records say the same. */
static bool same(const struct frames *f, uint32_t a, uint32_t b)
{
	const struct guest_frame *x = &f->frame[a], *y = &f->frame[b];

	return x->known && y->known && !f->maps.count[a] && !f->maps.count[b] && is_wrong(f, a) == is_wrong(f, b) && !strcmp(x->owner, y->owner)
		&& x->references == y->references && x->dirty == y->dirty && x->pinned == y->pinned && x->extra == y->extra;
}

static void put_list(const struct frames *f, bool wrong, struct text *t)
{
	for (uint32_t n = 0, end; n < f->maps.frames; n = end) {
		for (end = n + 1; end < f->maps.frames && same(f, n, end); end++)
			;
		if (f->frame[n].known && is_wrong(f, n) == wrong)
			put_frames(f, n, end, t);
	}
}

/* --- one frame ------------------------------------------------------------------------------------------------------ */

static void put_record(const struct guest_frame *g, struct text *t)
{
	text_add(t, " %s, %llu reference%s", *g->owner ? g->owner : "in use", (unsigned long long)g->references, g->references == 1 ? "" : "s");
	if (g->extra)
		text_add(t, ", %llu of them no mapping%s", (unsigned long long)g->extra, g->extra == 1 ? "" : "s");
	text_add(t, "%s%s\n", g->dirty ? ", dirty" : "", g->pinned ? ", pinned" : "");
}

/* The kernel's half is the same in every space: each address there is told once. */
static bool first_at(const struct mapping *map, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (map[k].la == map[i].la)
			return false;
	return true;
}

static void put_shared_mapping(struct debugger *d, const struct mapping *map, size_t count, size_t i, struct text *t)
{
	char letters[ENTRY_LETTERS + 1];
	unsigned spaces = 0;

	for (size_t k = i; k < count; k++)
		spaces += map[k].la == map[i].la;
	text_put(t, STYLE_DIM, " the kernel");
	text_put(t, STYLE_ADDRESS, " %08x", map[i].la);
	text_add(t, "  %s  in %u address space%s\n", entry_letters(&d->m->mmu.pg, map[i].entry, letters), spaces, spaces == 1 ? "" : "s");
}

static void put_one(struct debugger *d, const struct frames *f, uint32_t n, struct text *t)
{
	const struct guest_frame *g = &f->frame[n];
	struct mapping map[MAPPERS_MOST];
	char letters[ENTRY_LETTERS + 1];

	text_put(t, STYLE_TITLE, " frame %05x, physical %08x-%08x\n", n, n << 12, (n << 12) + 0xfff);
	if (!g->known)
		text_put(t, STYLE_DIM, " The guest keeps no record of it.\n");
	else
		put_record(g, t);
	if (is_wrong(f, n))
		text_put(t, STYLE_BAD, " ! %llu references, but %u mappings%s\n", (unsigned long long)(g->references - g->extra), f->maps.count[n],
			g->references - g->extra < f->maps.count[n] ? ": freed or written while others still map it" : ": it will never be free");
	size_t have = guest_mappings(d, n, map, MAPPERS_MOST);
	uint64_t user_end = guest_user_end(d);
	text_put(t, STYLE_TITLE, " %zu entr%s map it%s\n", have, have == 1 ? "y" : "ies", have ? ":" : "");
	have = have < MAPPERS_MOST ? have : MAPPERS_MOST;
	for (size_t i = 0; i < have; i++)
		if (map[i].la < user_end) {
			put_mapping(f, &map[i], t);
			text_add(t, "  %s\n", entry_letters(&d->m->mmu.pg, map[i].entry, letters));
		}
	for (size_t i = 0; i < have; i++)
		if (map[i].la >= user_end && first_at(map, i))
			put_shared_mapping(d, map, have, i, t);
}

/* The frame asked for: a number, or an address above all of them. False: none, or told in t. */
static bool chosen(struct debugger *d, const struct view_request *rq, const struct frames *f, uint32_t *n, struct text *t)
{
	uint64_t value;

	if (!rq->argument || !*rq->argument || !view_address(d, rq, 0, &value, t))
		return false;
	if (value >= f->maps.frames)
		value >>= 12;
	*n = (uint32_t)value;
	if (value < f->maps.frames)
		return true;
	text_put(t, STYLE_BAD, " Memory has no such frame: there are %u.\n", f->maps.frames);
	return false;
}

void view_frames(struct debugger *d, const struct view_request *rq, struct text *t)
{
	struct frames f;
	uint32_t n;

	if (!frames_take(d, &f)) {
		t->failed = 1;
		return;
	}
	if (rq->argument && *rq->argument) {
		if (chosen(d, rq, &f, &n, t))
			put_one(d, &f, n, t);
		frames_free(&f);
		return;
	}
	text_put(t, STYLE_TITLE, " %u frames of 4 KB", f.maps.frames);
	if (!f.known)
		text_put(t, STYLE_DIM, "; the guest's own records are not known%s", d->guest ? " yet" : ": --view FILE describes them");
	else if (f.counted)
		text_put(t, f.wrong ? STYLE_BAD : STYLE_GOOD, f.wrong ? ", ! %u with a count that its mappings contradict" : ", all counts agree with the mappings",
			f.wrong);
	text_add(t, "\n");
	if (f.known) {
		put_map(&f, rq, t);
		put_totals(&f, rq->width ? rq->width : 80, t);
		text_put(t, STYLE_TITLE, " FRAME      OWNER       REFS MAPS DP MAPPED BY\n");
		put_list(&f, true, t);
		put_list(&f, false, t);
	}
	frames_free(&f);
}

/* --- as JSON -------------------------------------------------------------------------------------------------------- */

static json_t *mapping_json(const struct frames *f, const struct mapping *m)
{
	const struct guest_process *p = guest_maps_process(&f->maps, m->cr3);

	return json_pack("{s:o,s:o,s:o,s:s,s:I}", "cr3", json_hex(m->cr3), "address", json_hex(m->la), "entry", json_hex(m->entry),
		"process", p ? p->name : "", "id", p ? (json_int_t)p->id : 0);
}

static json_t *frame_json(const struct frames *f, uint32_t n)
{
	const struct guest_frame *g = &f->frame[n];
	json_t *by = json_array();

	for (uint32_t i = f->maps.first[n]; i < f->maps.first[n + 1]; i++)
		json_array_append_new(by, mapping_json(f, &f->maps.list[i]));
	return json_pack("{s:I,s:b,s:s,s:I,s:I,s:I,s:b,s:b,s:b,s:o}", "frame", (json_int_t)n, "known", g->known, "owner", g->owner,
		"references", (json_int_t)g->references, "extra", (json_int_t)g->extra, "mappings", (json_int_t)f->maps.count[n],
		"dirty", g->dirty, "pinned", g->pinned, "wrong", is_wrong(f, n), "mapped_by", by);
}

json_t *view_frames_json(struct debugger *d, const struct view_request *rq)
{
	struct frames f;
	struct text t = { 0 };
	uint32_t n;

	if (!frames_take(d, &f))
		return json_pack("{s:s}", "error", "out of memory");
	json_t *out = NULL;
	if (rq->argument && *rq->argument) {
		out = chosen(d, rq, &f, &n, &t) ? frame_json(&f, n) : view_error(&t);
	} else {
		json_t *owners = json_object(), *wrong = json_array();
		for (unsigned i = 0; i < f.owners; i++)
			json_object_set_new(owners, f.owner[i].name, json_integer(f.owner[i].count));
		for (n = 0; n < f.maps.frames && json_array_size(wrong) < JSON_WRONG_MAX; n++)
			if (is_wrong(&f, n))
				json_array_append_new(wrong, frame_json(&f, n));
		out = json_pack("{s:I,s:I,s:o,s:o}", "frames", (json_int_t)f.maps.frames, "known", (json_int_t)f.known, "owners", owners, "wrong", wrong);
	}
	frames_free(&f);
	return out;
}
