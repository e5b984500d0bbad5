/* emu/debug/arm.c: what breakpoints need of the machine while it runs: physical pages that are watched.
 *
 *   a range of linear addresses   the page each of its pages lies in, now; a walk that leads elsewhere moves the watch (notice.c)
 *   a range of physical addresses its pages
 *   a mapping                     the pages of the entries of its walk
 *
 * Before the TLB has a translation nothing can use it, and it gets there by a walk; so watching what is mapped now, and every walk,
 * misses no access.
 */
#include <stdlib.h>
#include <string.h>

#include "emu/debug/arm.h"
#include "emu/little_endian.h"

/* --- translations ------------------------------------------------------------------------------------------------------- */

bool same_space(const struct cpu *cpu, uint32_t cr3)
{
	uint32_t bits = cpu->cr4 & CR4_PAE ? 0xffffffe0u : PG_FRAME;

	return !((cpu->cr3 ^ cr3) & bits);
}

/* The paging view of the space that a breakpoint is about. */
static void paging_of(const struct debugger *d, const struct breakpoint *b, struct paging *pg)
{
	const struct machine *m = d->m;

	*pg = m->mmu.pg;
	if (b->space != SPACE_VIRTUAL || same_space(&m->cpu, b->cr3))
		return;
	pg->cr3 = b->cr3;
	if (pg->enabled && pg->pae && !page_read_pdptes(&m->phys, b->cr3, pg->pdpte))
		memset(pg->pdpte, 0, sizeof(pg->pdpte));
}

static bool space_is_current(const struct debugger *d, const struct breakpoint *b)
{
	return b->space != SPACE_VIRTUAL || same_space(&d->m->cpu, b->cr3);
}

/* The physical page where a linear address lies in the breakpoint's space: by the TLB, else by the tables. NO_FRAME: nowhere. */
static uint32_t frame_of(const struct debugger *d, const struct breakpoint *b, uint32_t la)
{
	const struct tlb_entry *e = space_is_current(d, b) ? mmu_tlb_probe(&d->m->mmu, la) : NULL;
	struct access a = { .la = la, .kind = ACCESS_READ };
	struct paging pg;
	struct walk w;

	if (e)
		return e->frame;
	paging_of(d, b, &pg);
	page_walk(&d->m->phys, &pg, &a, &w);
	return w.result == WALK_OK ? (uint32_t)(w.pa >> PAGE_SHIFT) : NO_FRAME;
}

/* --- watching ---------------------------------------------------------------------------------------------------------- */

static void watch(struct debugger *d, struct arm *a, unsigned i, uint32_t frame)
{
	if (frame >= PHYS_PAGES)
		frame = NO_FRAME;
	if (a->frame[i] == frame)
		return;
	if (frame != NO_FRAME)
		machine_watch_frame(d->m, frame, true);
	if (a->frame[i] != NO_FRAME)
		machine_watch_frame(d->m, a->frame[i], false);
	a->frame[i] = frame;
}

static unsigned pages_of(const struct breakpoint *b)
{
	return (unsigned)(((b->address & PG_OFFSET) + b->length + PG_OFFSET) >> PAGE_SHIFT);
}

/* The bytes of the range that lie in its page i. */
static void part_of(const struct breakpoint *b, unsigned i, uint64_t *start, uint32_t *length)
{
	uint64_t end = b->address + b->length;
	uint64_t page = (b->address & ~(uint64_t)PG_OFFSET) + (uint64_t)i * PAGE_SIZE;

	*start = page > b->address ? page : b->address;
	*length = (uint32_t)((page + PAGE_SIZE < end ? page + PAGE_SIZE : end) - *start);
}

static void refresh_part(struct debugger *d, struct arm *a, unsigned i)
{
	uint64_t start;
	uint32_t length;

	if (a->frame[i] == NO_FRAME)
		return;
	part_of(a->b, i, &start, &length);
	debugger_read_physical(d, (paddr_t)a->frame[i] << PAGE_SHIFT | (start & PG_OFFSET), a->copy + (start - a->b->address), length);
}

static void arm_page(struct debugger *d, struct arm *a, unsigned i, uint32_t frame)
{
	if (a->frame[i] == frame)
		return;
	watch(d, a, i, frame);
	refresh_part(d, a, i);
}

static void arm_memory(struct debugger *d, struct arm *a)
{
	const struct breakpoint *b = a->b;

	for (unsigned i = 0; i < a->frames; i++) {
		uint64_t page = (b->address & ~(uint64_t)PG_OFFSET) + (uint64_t)i * PAGE_SIZE;
		arm_page(d, a, i, b->space == SPACE_PHYSICAL ? (uint32_t)(page >> PAGE_SHIFT) : frame_of(d, b, (uint32_t)page));
	}
}

void arm_walked(struct debugger *d, const struct walk *w)
{
	if (w->result != WALK_OK)
		return;
	for (struct arm *a = d->going->arms; a; a = a->next) {
		const struct breakpoint *b = a->b;
		uint32_t first = (uint32_t)(b->address >> PAGE_SHIFT), vpn = w->access.la >> PAGE_SHIFT;
		if (!a->copy || b->space == SPACE_PHYSICAL || vpn < first || vpn - first >= a->frames || !space_is_current(d, b))
			continue;
		arm_page(d, a, vpn - first, (uint32_t)(w->pa >> PAGE_SHIFT));
	}
}

bool arm_touches(const struct debugger *d, const struct arm *a, const struct phys_access *access, struct note *n)
{
	const struct breakpoint *b = a->b;
	uint32_t frame = (uint32_t)(access->pa >> PAGE_SHIFT);

	for (unsigned i = 0; i < a->frames; i++) {
		uint64_t start;
		uint32_t length;
		part_of(b, i, &start, &length);
		uint32_t low = start & PG_OFFSET, at = access->pa & PG_OFFSET;
		if (a->frame[i] != frame || at + access->len <= low || at >= low + length)
			continue;
		/* The watch may lag behind a change of address space. */
		if (b->space != SPACE_PHYSICAL && (!space_is_current(d, b) || frame_of(d, b, (uint32_t)start) != frame))
			continue;
		n->la = (uint32_t)(start + (at > low ? at - low : 0));
		return true;
	}
	return false;
}

void arm_values(struct debugger *d, struct arm *a, struct note *n)
{
	const struct breakpoint *b = a->b;
	uint32_t from = (uint32_t)(n->la - (uint32_t)b->address), left = b->length - from;
	uint32_t len = n->access.len < left ? n->access.len : left;

	n->old_value = get_number(a->copy + from, len);
	for (unsigned i = 0; i < a->frames; i++)
		refresh_part(d, a, i);
	n->value = get_number(a->copy + from, len);
}

/* --- mappings ---------------------------------------------------------------------------------------------------------- */

static void look_up(struct debugger *d, const struct breakpoint *b, struct mapping_state *s)
{
	struct access access = { .la = (uint32_t)b->address, .kind = ACCESS_READ };
	struct paging pg;
	struct walk w;

	*s = (struct mapping_state){ 0 };
	paging_of(d, b, &pg);
	page_walk(&d->m->phys, &pg, &access, &w);
	s->levels = w.levels;
	for (unsigned i = 0; i < w.levels; i++) {
		s->addr[i] = w.step[i].addr;
		s->entry[i] = w.step[i].value & ~(uint64_t)(PG_A | PG_D);
	}
	const struct tlb_entry *e = space_is_current(d, b) ? mmu_tlb_probe(&d->m->mmu, access.la) : NULL;
	if (e) {
		s->cached = true;
		s->frame = e->frame;
		s->flags = e->flags & (uint16_t)~TLB_D;
	}
}

static void watch_entries(struct debugger *d, struct arm *a)
{
	for (unsigned i = 0; i < a->frames; i++)
		watch(d, a, i, i < a->map.levels ? (uint32_t)(a->map.addr[i] >> PAGE_SHIFT) : NO_FRAME);
}

void arm_mapping_anew(struct debugger *d, struct arm *a)
{
	look_up(d, a->b, &a->map);
	a->touched = false;
	watch_entries(d, a);
}

bool arm_mapping_changed(struct debugger *d, struct arm *a, struct note *n)
{
	const struct mapping_state old = a->map;

	arm_mapping_anew(d, a);
	const struct mapping_state now = a->map;
	n->la = (uint32_t)a->b->address;
	for (unsigned i = 0; i < old.levels || i < now.levels; i++) {
		n->access = (struct phys_access){ .pa = i < now.levels ? now.addr[i] : old.addr[i], .len = d->m->mmu.pg.pae ? 8 : 4, .write = true };
		n->old_value = i < old.levels ? old.entry[i] : 0;
		n->value = i < now.levels ? now.entry[i] : 0;
		if (n->old_value != n->value)
			return true;
	}
	n->access = (struct phys_access){ 0 };
	n->old_value = old.cached ? (uint64_t)old.frame << PAGE_SHIFT | 1 : 0;
	n->value = now.cached ? (uint64_t)now.frame << PAGE_SHIFT | 1 : 0;
	return now.cached != old.cached || now.frame != old.frame || now.flags != old.flags;
}

/* --- all of them -------------------------------------------------------------------------------------------------------- */

static bool arm_one(struct debugger *d, struct breakpoint *b)
{
	bool memory = b->kind == BREAK_READ || b->kind == BREAK_WRITE || b->kind == BREAK_ACCESS;

	if (!b->enabled || (!memory && b->kind != BREAK_MAPPING))
		return true;
	struct arm *a = calloc(1, sizeof(*a));
	if (!a)
		return false;
	a->b = b;
	a->frames = memory ? pages_of(b) : 3;
	a->frame = malloc(a->frames * sizeof(a->frame[0]));
	a->copy = memory ? calloc(b->length, 1) : NULL;
	if (!a->frame || (memory && !a->copy)) {
		free(a->frame);
		free(a->copy);
		free(a);
		return false;
	}
	for (unsigned i = 0; i < a->frames; i++)
		a->frame[i] = NO_FRAME;
	a->next = d->going->arms;
	d->going->arms = a;
	if (memory)
		arm_memory(d, a);
	else
		arm_mapping_anew(d, a);
	return true;
}

bool arm_all(struct debugger *d)
{
	for (struct breakpoint *b = d->breaks; b; b = b->next)
		if (!arm_one(d, b))
			return false;
	return true;
}

void arm_none(struct debugger *d)
{
	while (d->going->arms) {
		struct arm *a = d->going->arms;
		for (unsigned i = 0; i < a->frames; i++)
			watch(d, a, i, NO_FRAME);
		d->going->arms = a->next;
		free(a->frame);
		free(a->copy);
		free(a);
	}
}
