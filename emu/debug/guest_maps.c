/* emu/debug/guest_maps.c: see guest_maps.h and guest.h. Page tables are read from memory as they are: an entry counts when every level above
 * it is present. References: [SDM3A 4.3 "32-Bit Paging"], [SDM3A 4.4 "PAE Paging"]. */
#include "emu/debug/guest_maps.h"

#include <stdlib.h>
#include <string.h>

#include "emu/debug/guest_private.h"

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

struct tally { bool pae; struct guest_maps *maps; };

static bool on_leaf(void *ctx, uint32_t cr3, uint32_t la, uint64_t entry, unsigned shift)
{
	struct tally *t = ctx;
	uint64_t first = first_frame(t->pae, entry, shift);

	(void)cr3;
	(void)la;
	for (uint32_t i = 0; i < 1u << (shift - 12) && first + i < t->maps->frames; i++)
		t->maps->count[first + i]++;
	return true;
}

bool guest_maps_take(struct debugger *d, struct guest_maps *maps)
{
	*maps = (struct guest_maps){ .frames = (uint32_t)(d->m->phys.ram_size >> 12) };
	maps->count = calloc(maps->frames, sizeof(*maps->count));
	if (!maps->count)
		return false;
	struct tally t = { d->m->mmu.pg.pae, maps };
	each_mapping(d, guest_user_end(d), on_leaf, &t);
	return true;
}

void guest_maps_free(struct guest_maps *maps)
{
	free(maps->count);
	*maps = (struct guest_maps){ 0 };
}

bool guest_frame_wrong(const struct guest_frame *f, uint64_t mappings)
{
	return f->known && f->counted && f->references != mappings + f->extra;
}
