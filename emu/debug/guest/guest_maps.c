/* emu/debug/guest/guest_maps.c: see guest_maps.h and guest.h. Page tables are read from memory as they are: an entry counts when every level above
 * it is present. References: [SDM3A 4.3 "32-Bit Paging"], [SDM3A 4.4 "PAE Paging"]. */
#include "emu/debug/guest/guest_maps.h"

#include <stdlib.h>
#include <string.h>

#include "emu/debug/guest/guest_private.h"

#define SPACES_MAX 4096u
#define ENTRIES_MAX (64u << 20)        /* tables that are their own tables have many */
#define PAE_FRAME 0x000ffffffffff000ull

/* Told of every present leaf: the linear page, its entry, the size. Returning false ends. */
typedef bool (*leaf_fn)(void *ctx, uint32_t cr3, uint32_t la, uint64_t entry, unsigned shift);
struct tour { const struct debugger *d; bool pae; uint32_t cr3; uint64_t end; unsigned left; leaf_fn fn; void *ctx; };

static uint64_t entry_at(const struct tour *t, paddr_t table, unsigned index)
{
	return t->pae ? phys_peek64(&t->d->m->phys, table + 8 * index) : phys_peek32(&t->d->m->phys, table + 4 * index);
}

static paddr_t frame_in(const struct tour *t, uint64_t entry) { return t->pae ? entry & PAE_FRAME : entry & PG_FRAME; }

static bool each_in_table(struct tour *t, uint32_t base, paddr_t table)
{
	unsigned entries = t->pae ? 512 : 1024;

	for (unsigned i = 0; i < entries; i++) {
		uint64_t la = (uint64_t)base + ((uint64_t)i << 12), e;
		if (la >= t->end)
			break;
		if (!t->left--)
			return false;
		e = entry_at(t, table, i);
		if (e & PG_P && !t->fn(t->ctx, t->cr3, (uint32_t)la, e, 12))
			return false;
	}
	return true;
}

static bool each_in_directory(struct tour *t, uint32_t base, paddr_t directory)
{
	unsigned entries = t->pae ? 512 : 1024, shift = t->pae ? 21 : 22;
	bool large = t->pae || t->d->m->mmu.pg.pse;

	for (unsigned i = 0; i < entries; i++) {
		uint64_t la = (uint64_t)base + ((uint64_t)i << shift), e;
		if (la >= t->end)
			break;
		e = entry_at(t, directory, i);
		if (!(e & PG_P))
			continue;
		if (large && e & PG_PS ? !t->fn(t->ctx, t->cr3, (uint32_t)la, e, shift) : !each_in_table(t, (uint32_t)la, frame_in(t, e)))
			return false;
	}
	return true;
}

static bool each_in_space(struct tour *t)
{
	if (!t->pae)
		return each_in_directory(t, 0, t->cr3 & PG_FRAME);
	for (unsigned i = 0; i < PDPTES; i++) {
		uint64_t e = phys_peek64(&t->d->m->phys, (t->cr3 & ~0x1fu) + 8 * i);
		if (e & PG_P && !each_in_directory(t, i << 30, frame_in(t, e)))
			return false;
	}
	return true;
}

/* The address spaces there are, each once, the current one among them. */
struct spaces { uint32_t cr3[SPACES_MAX]; unsigned count; };

static void add_space(struct spaces *s, uint32_t cr3)
{
	for (unsigned i = 0; i < s->count; i++)
		if (s->cr3[i] == cr3)
			return;
	if (cr3 && s->count < SPACES_MAX)
		s->cr3[s->count++] = cr3;
}

static void find_spaces(struct debugger *d, struct spaces *s)
{
	size_t count = guest_processes(d, NULL, 0);
	struct guest_process *p = count ? calloc(count, sizeof(*p)) : NULL;

	if (count && p) {
		size_t have = guest_processes(d, p, count);
		for (size_t i = 0; i < have && i < count; i++)
			add_space(s, p[i].cr3);
	}
	free(p);
	add_space(s, d->m->cpu.cr3 & (d->m->mmu.pg.pae ? ~0x1fu : PG_FRAME));
}

static void each_mapping(struct debugger *d, uint64_t end, leaf_fn fn, void *ctx)
{
	struct spaces *s = calloc(1, sizeof(*s));
	struct tour t = { .d = d, .pae = d->m->mmu.pg.pae, .end = end, .left = ENTRIES_MAX, .fn = fn, .ctx = ctx };

	if (s && d->m->mmu.pg.enabled) {
		find_spaces(d, s);
		for (unsigned i = 0; i < s->count; i++) {
			t.cr3 = s->cr3[i];
			if (!each_in_space(&t))
				break;
		}
	}
	free(s);
}

/* The frame a leaf maps first. PSE-36: bits 16:13 of a 4 MB entry are address bits 35:32. */
static uint64_t first_frame(bool pae, uint64_t entry, unsigned shift)
{
	uint64_t pa = pae ? entry & PAE_FRAME : entry & PG_FRAME;

	if (shift == 22)
		pa = (entry & 0xffc00000u) | (entry >> 13 & 0xf) << 32;
	return (pa & ~((1ull << shift) - 1)) >> 12;
}

/* --- who maps one frame --------------------------------------------------------------------------------------------- */

struct search { bool pae; uint32_t frame; struct mapping *out; size_t room, count; };

static bool on_leaf_of(void *ctx, uint32_t cr3, uint32_t la, uint64_t entry, unsigned shift)
{
	struct search *f = ctx;
	uint64_t first = first_frame(f->pae, entry, shift);

	if (f->frame < first || f->frame - first >= 1u << (shift - 12))
		return true;
	if (f->count < f->room)
		f->out[f->count] = (struct mapping){ cr3, la + ((f->frame - (uint32_t)first) << 12), entry, shift };
	f->count++;
	return true;
}

size_t guest_mappings(struct debugger *d, uint32_t frame, struct mapping *out, size_t room)
{
	struct search f = { d->m->mmu.pg.pae, frame, out, room, 0 };

	each_mapping(d, 1ull << 32, on_leaf_of, &f);
	return f.count;
}

/* --- all frames ----------------------------------------------------------------------------------------------------- */

uint64_t guest_user_end(struct debugger *d)
{
	struct cscope *s = guest_scope(d);
	uint64_t end;

	return s && d->guest->view->user_end && cexpr_number(s, d->guest->view->user_end, &end) && end < 1ull << 32 ? end : 1ull << 32;
}

struct tally { bool pae, listing; struct guest_maps *maps; };

static void tally_frame(const struct tally *t, uint32_t frame, const struct mapping *m)
{
	struct guest_maps *maps = t->maps;

	if (!t->listing)
		maps->count[frame]++;
	else if (maps->first[frame] < MAPPINGS_MAX)
		maps->list[maps->first[frame]++] = *m;
}

static bool on_leaf(void *ctx, uint32_t cr3, uint32_t la, uint64_t entry, unsigned shift)
{
	const struct tally *t = ctx;
	uint64_t first = first_frame(t->pae, entry, shift);

	for (uint32_t i = 0; i < 1u << (shift - 12) && first + i < t->maps->frames; i++)
		tally_frame(t, (uint32_t)first + i, &(struct mapping){ cr3, la + (i << 12), entry, shift });
	return true;
}

/* Where each frame's part of the list begins; returns its whole length. */
static size_t places(struct guest_maps *maps)
{
	size_t total = 0;

	for (uint32_t f = 0; f <= maps->frames; f++) {
		maps->first[f] = (uint32_t)total;
		if (f < maps->frames && total < MAPPINGS_MAX)
			total += maps->count[f] < MAPPINGS_MAX - total ? maps->count[f] : MAPPINGS_MAX - total;
	}
	return total;
}

static bool take_processes(struct debugger *d, struct guest_maps *maps)
{
	size_t n = guest_processes(d, NULL, 0);

	maps->process = calloc(n + 1, sizeof(*maps->process));
	if (!maps->process)
		return false;
	size_t have = guest_processes(d, maps->process, n);
	maps->processes = have < n ? have : n;
	return true;
}

bool guest_maps_take(struct debugger *d, struct guest_maps *maps)
{
	uint32_t n = (uint32_t)(d->m->phys.ram_size >> 12);
	struct tally t = { d->m->mmu.pg.pae, false, maps };

	*maps = (struct guest_maps){ .frames = n, .count = calloc(n + 1, 4), .first = calloc(n + 1, 4) };
	if (maps->count && maps->first && take_processes(d, maps)) {
		each_mapping(d, guest_user_end(d), on_leaf, &t);
		maps->list = calloc(places(maps) + 1, sizeof(*maps->list));
	}
	if (!maps->list) {
		guest_maps_free(maps);
		return false;
	}
	t.listing = true;
	each_mapping(d, guest_user_end(d), on_leaf, &t);
	places(maps);                          /* listing has moved them */
	return true;
}

void guest_maps_free(struct guest_maps *maps)
{
	free(maps->count);
	free(maps->first);
	free(maps->list);
	free(maps->process);
	*maps = (struct guest_maps){ 0 };
}

const struct guest_process *guest_maps_process(const struct guest_maps *maps, uint32_t cr3)
{
	for (size_t i = 0; i < maps->processes; i++)
		if (maps->process[i].cr3 == cr3)
			return &maps->process[i];
	return NULL;
}

/* --- one region ----------------------------------------------------------------------------------------------------- */

struct range { uint32_t start, end, pages; };

static bool on_leaf_in(void *ctx, uint32_t cr3, uint32_t la, uint64_t entry, unsigned shift)
{
	struct range *r = ctx;
	uint64_t low = la > r->start ? la : r->start, high = (uint64_t)la + (1ull << shift);

	(void)cr3;
	(void)entry;
	high = high < r->end ? high : r->end;
	if (low < high)
		r->pages += (uint32_t)((high - low) >> 12);
	return true;
}

uint32_t guest_present_pages(struct debugger *d, uint32_t cr3, uint32_t start, uint32_t end)
{
	struct range r = { start, end, 0 };
	struct tour t = { .d = d, .pae = d->m->mmu.pg.pae, .cr3 = cr3, .end = end, .left = ENTRIES_MAX, .fn = on_leaf_in, .ctx = &r };

	if (cr3 && d->m->mmu.pg.enabled)
		each_in_space(&t);
	return r.pages;
}

bool guest_frame_wrong(const struct guest_frame *f, uint64_t mappings)
{
	return f->known && f->counted && f->references != mappings + f->extra;
}
