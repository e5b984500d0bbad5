/* emu/debug/check/checker_stale.c: translations that the tables no longer grant.
 *
 *   an entry is written, a translation behind it is in the TLB
 *     says the same, or grants more               agreed           [SDM3A 4.10.4.3 "Optional Invalidation"]
 *     says less, or leads elsewhere, or D = 0     pending: the page is watched until INVLPG, CR3, a walk drops the translation
 *   a pending translation answers an access
 *     that the tables still allow, to the same frame      legal laziness
 *     that writes where D = 0                             the write goes unrecorded: warning
 *     any other                                           error
 *
 * So a page made read-only before the TLB is flushed may be read; and between clearing an entry and INVLPG nothing is wrong while nobody
 * uses the page. Where Accessed was cleared under a cached translation the manual tells systems what to expect, and they live with it.
 *
 * A global translation survives the load of CR3 [SDM3A 4.10.2.4 "Global Pages"], so it is compared with the new tables too. Where those have
 * no PDE for it and the supervisor uses it, this is taken for a kernel that copies its PDEs into each directory only when they are missed.
 * Simplified: a later write to the other directory's tables is not noticed.
 *
 * There is one processor. With more, each would have its own cache of these records, and a write would look behind the entry in each.
 * References: [SDM3A 4.10.2.3 "Details of TLB Use"], [SDM3A 4.10.4.2 "Recommended Invalidation"].
 */
#include "emu/debug/check/checker_private.h"

#define PDPTE_SHIFT 18                 /* of a linear page number */

/* --- comparing --------------------------------------------------------------------------------------------------------------- */

/* The walk from the directory that the translation came from, which is not the present one when it is global. */
static void walk_own(const struct checker *c, uint32_t vpn, const struct cached *r, const struct access *a, struct walk *w)
{
	struct paging pg = c->m->mmu.pg;
	paddr_t directory = r->entry[r->levels - 1] & ~(paddr_t)PG_OFFSET;

	if (pg.pae)
		pg.pdpte[vpn >> PDPTE_SHIFT] = directory | PG_P;
	else
		pg.cr3 = (uint32_t)directory;
	page_walk(&c->m->phys, &pg, a, w);
}

static uint32_t rights_of(const struct cached *r)
{
	return (r->flags & TLB_W ? PG_W : 0) | (r->flags & TLB_U ? PG_U : 0) | (r->flags & TLB_NX ? 0 : PG_X);
}

static uint64_t leaf_of(const struct walk *w)
{
	return w->step[w->levels - 1].value;
}

/* Does the walk grant all that is cached? */
static bool grants(const struct cached *r, const struct walk *w)
{
	return w->result == WALK_OK && w->pa >> PAGE_SHIFT == r->frame && !(rights_of(r) & ~w->rights);
}

/* Dirty has been cleared in the entry that the TLB remembers as dirty. Of another entry for the same page nobody knows what it should say. */
static bool dirty_lost(const struct cached *r, const struct walk *w)
{
	const struct walk_step *leaf = &w->step[w->levels - 1];

	return r->flags & TLB_D && leaf->addr == r->entry[LEAF] && !(leaf->value & PG_D);
}

/* --- writes ------------------------------------------------------------------------------------------------------------------ */

static void blame(struct checker *c, struct cached *r, unsigned level, uint32_t writer)
{
	r->culprit = (uint8_t)level;
	r->writer = writer;
	r->written = checker_now(c);
}

/* The directory that a global translation came from may be gone; it is good as long as the present one grants it. */
static bool rebase(struct checker *c, uint32_t vpn, const struct cached *r)
{
	const struct tlb_entry *e = mmu_tlb_probe(&c->m->mmu, vpn << PAGE_SHIFT);
	struct access a = { .la = vpn << PAGE_SHIFT, .kind = ACCESS_READ };
	struct walk w;

	if (!(r->flags & TLB_G) || !e)
		return false;
	page_walk(&c->m->phys, &c->m->mmu.pg, &a, &w);
	if (!grants(r, &w))
		return false;
	cache_put(c, e, &w);
	return true;
}

/* An entry behind the page has been written. What is written into a table after its PDE has gone is no longer the cause. */
static void reconsider(struct checker *c, uint32_t vpn, unsigned level)
{
	struct cached *r = cache_find(c, vpn);
	struct access a = { .la = vpn << PAGE_SHIFT, .kind = ACCESS_READ };
	struct walk w;

	walk_own(c, vpn, r, &a, &w);
	if (!grants(r, &w) && rebase(c, vpn, r))
		return;
	if (!grants(r, &w) || dirty_lost(r, &w)) {
		if (!r->pending || r->by_cr3 || level >= r->culprit)
			blame(c, r, level, c->m->cpu.eip);
		r->by_cr3 = false;
		cache_pend(c, vpn, true);
		return;
	}
	if (w.rights & ~rights_of(r))
		checker_lazy(c, LAZY_RAISED);
	if (!(leaf_of(&w) & PG_A))
		checker_lazy(c, LAZY_ACCESSED);
	if (!r->by_cr3)
		cache_pend(c, vpn, false);
}

void stale_written(struct checker *c, const struct phys_access *a)
{
	cache_each_behind(c, a->pa, a->len, reconsider);
}

/* --- uses -------------------------------------------------------------------------------------------------------------------- */

static void report(struct checker *c, const struct cached *r, const struct access *a, const struct walk *w, const char *kind,
		   enum finding_severity severity)
{
	struct finding f = { .severity = severity, .kind = kind, .la = a->la, .access = a->kind, .user = a->user, .frame = r->frame,
		.entry = r->entry[r->culprit], .entry_name = cache_entry_name(r, r->culprit),
		.cached = r->value[r->culprit], .written_at = r->written, .written_by = r->writer };

	if (r->by_cr3) {
		f.entry = w->step[w->levels - 1].addr;
		f.entry_name = w->step[w->levels - 1].name;
	}
	for (unsigned i = 0; i < w->levels; i++)
		if (w->step[i].addr == f.entry)
			f.now = w->step[i].value;
	checker_report(c, &f);
}

static bool lazily_copied(const struct cached *r, const struct access *a, const struct walk *w)
{
	return r->by_cr3 && !a->user && w->result == WALK_NOT_PRESENT && w->levels == 1u + w->paging.pae;
}

void stale_used(struct checker *c, const struct access *a, const struct tlb_entry *e)
{
	struct cached *r = cache_find(c, e->vpn);
	struct walk w;

	if (!r || !r->pending)
		return;
	if (r->by_cr3)
		page_walk(&c->m->phys, &c->m->mmu.pg, a, &w);
	else
		walk_own(c, e->vpn, r, a, &w);
	if (lazily_copied(r, a, &w))
		checker_lazy(c, LAZY_GLOBAL);
	else if (w.result != WALK_OK || w.pa >> PAGE_SHIFT != r->frame)
		report(c, r, a, &w, r->by_cr3 ? "global-translation" : "stale-translation", FINDING_ERROR);
	else if (a->kind == ACCESS_WRITE && dirty_lost(r, &w))
		report(c, r, a, &w, "lost-dirty", FINDING_WARNING);
	else
		checker_lazy(c, LAZY_ALLOWED);
}

/* --- global translations ------------------------------------------------------------------------------------------------------ */

static void compare_global(struct checker *c, uint32_t vpn, uint32_t eip)
{
	struct cached *r = cache_find(c, vpn);
	struct access a = { .la = vpn << PAGE_SHIFT, .kind = ACCESS_READ };
	struct walk w;

	if (!r || !(r->flags & TLB_G) || (r->pending && !r->by_cr3))
		return;
	page_walk(&c->m->phys, &c->m->mmu.pg, &a, &w);
	r->by_cr3 = !grants(r, &w);
	if (r->by_cr3) {
		blame(c, r, LEAF, eip);
		c->region[vpn / REGION_PAGES].mixed = true;
	}
	cache_pend(c, vpn, r->by_cr3);
}

static uint64_t present_pde(const struct checker *c, uint32_t vpn)
{
	struct access a = { .la = vpn << PAGE_SHIFT, .kind = ACCESS_READ };
	struct walk w;

	page_walk(&c->m->phys, &c->m->mmu.pg, &a, &w);
	return w.levels > w.paging.pae ? w.step[w.paging.pae].value & ~(uint64_t)(PG_A | PG_D) : 0;
}

void stale_space_changed(struct checker *c, uint32_t eip)
{
	for (uint32_t i = 0; i < REGIONS; i++) {
		const struct region *g = &c->region[i];
		if (!g->globals || (!g->mixed && present_pde(c, i * REGION_PAGES) == g->pde))
			continue;
		for (uint32_t k = 0; k < REGION_PAGES; k++)
			compare_global(c, i * REGION_PAGES + k, eip);
	}
}

/* --- what was cached before the checker looked --------------------------------------------------------------------------------- */

/* Which entries it came from is known only when the walk ends at the same one. Else, if global, it may come from another directory, of which
 * nothing is known; if not, its table has been replaced by somebody unknown. */
void stale_found(struct checker *c, const struct tlb_entry *e, const struct walk *w)
{
	if (w->levels <= w->paging.pae || (e->flags & TLB_G && w->step[w->levels - 1].addr != e->leaf))
		return;
	struct cached *r = cache_put(c, e, w);
	if (!r || (grants(r, w) && !dirty_lost(r, w)))
		return;
	r->culprit = LEAF;
	cache_pend(c, e->vpn, true);
}
