/* mmu/mmu.c: translation for real accesses, and what the control registers do to it.
 *
 *   tlb_find --- rights suffice, and Dirty is set if it writes ---> hit
 *      |
 *      +-- else page_walk --- OK ---> page_walk_commit (A, D) --> tlb_insert
 *                 |
 *                 +-- fault --> the page's entry is dropped; last_fault keeps the walk
 *
 * A write through an entry without Dirty walks again, and so obeys the tables as they are now. With CR0.PG clear linear
 * addresses are cached the same way, as pages that grant everything, and are not counted.
 *
 * stats: a lookup that finds no entry is a miss, an access the entry answers is a hit; an entry that is found but does not
 * suffice (Dirty, rights) is neither, and shows as a walk more than there are misses.
 *
 * The A20 gate is folded into what is cached: who moves it calls mmu_flush_all().
 *
 * References: [SDM3A 4.8 "Accessed and Dirty Flags"], [SDM3A 4.10.2.1 "Page Numbers, Page Frames, and Page Offsets"],
 * [SDM3A 4.10.4.1 "Operations that Invalidate TLBs and Paging-Structure Caches"].
 */
#include "mmu/mmu.h"

#include <string.h>

#include "mmu/phys_page.h"
#include "mmu/rights.h"
#include "mmu/tlb.h"

int mmu_init(struct mmu *mmu, struct phys *phys, struct tlb_geometry geometry)
{
	*mmu = (struct mmu){.phys = phys, .geometry = geometry};

	int err = tlb_init(mmu);
	if (!err)
		err = fast_init(mmu);
	if (err)
		mmu_free(mmu);
	return err;
}

void mmu_free(struct mmu *mmu)
{
	fast_free(mmu);
	tlb_free(mmu);
	sparse_free(mmu->watched_vpn, TLB_VPNS);
	*mmu = (struct mmu){0};
}

void mmu_reset(struct mmu *mmu)
{
	mmu_flush_all(mmu);
	mmu->pg = (struct paging){0};
	mmu->last_fault = (struct walk){0};
	mmu->stats = (struct tlb_stats){0};
}

/* --- translation ------------------------------------------------------------------------------------------------ */

static bool entry_suffices(const struct mmu *mmu, const struct tlb_entry *e, const struct access *a)
{
	if (a->kind == ACCESS_WRITE && !(e->flags & TLB_D))
		return false;
	return page_access_allowed(tlb_rights(e), mmu->pg.wp, a);
}

/* What the TLB keeps of a walk that succeeded. */
static struct tlb_entry entry_from(const struct walk *w)
{
	struct tlb_entry e = {
		.frame = (uint32_t)(w->pa >> PAGE_SHIFT),
		.vpn = w->access.la >> PAGE_SHIFT,
		.flags = TLB_VALID,
	};

	if (w->rights & PG_W)
		e.flags |= TLB_W;
	if (w->rights & PG_U)
		e.flags |= TLB_U;
	if (w->global)
		e.flags |= TLB_G;
	if (!(w->rights & PG_X))
		e.flags |= TLB_NX;
	if (w->page_shift != PAGE_SHIFT)
		e.flags |= TLB_LARGE;
	if (!w->levels) {
		e.flags |= TLB_D;
		return e;
	}
	const struct walk_step *leaf = &w->step[w->levels - 1];
	e.leaf = leaf->addr;
	if ((leaf->value | leaf->set) & PG_D)
		e.flags |= TLB_D;
	return e;
}

/* Walks and fills. NULL on a fault. */
static struct tlb_entry *fill(struct mmu *mmu, const struct access *a)
{
	struct walk w;

	page_walk(mmu->phys, &mmu->pg, a, &w);
	mmu->stats.walks += w.levels != 0;
	if (mmu->walked && w.levels)
		mmu->walked(mmu->walked_owner, &w);
	if (w.result != WALK_OK) {
		tlb_drop(mmu, a->la >> PAGE_SHIFT);
		mmu->last_fault = w;
		return NULL;
	}
	page_walk_commit(mmu->phys, &w);
	struct tlb_entry e = entry_from(&w);
	return tlb_insert(mmu, &e);
}

/* The host byte for an access that the entry allows, or NULL when phys_read or phys_write has to do it. */
static uint8_t *host_for(struct mmu *mmu, paddr_t pa, enum access_kind kind)
{
	bool write = kind == ACCESS_WRITE;
	uint8_t *host = phys_page_host(mmu->phys, pa, write);

	if (kind == ACCESS_FETCH || !host)
		return host;
	if (phys_watched(mmu->phys, pa))
		return NULL;
	if (!write)
		return host;
	if (phys_page_has_code(mmu->phys, pa))
		return NULL;
	mmu->phys->attr[pa >> PAGE_SHIFT] |= PHYS_DIRTY;
	return host;
}

/* After a walk the page has no fast entries. After a hit that came here all the same this one is missing: its page is watched, or
 * somebody has taken it away, as mmu_mark_code() does for code that may be there no longer. */
static bool wants_fast(const struct mmu *mmu, const struct access *a, const struct translation *t, bool hit)
{
	if (!tlb_is_flat(mmu))
		return false;
	return !hit || (t->host && !mmu->fast[a->user][a->kind][a->la >> PAGE_SHIFT]);
}

bool mmu_translate(struct mmu *mmu, const struct access *a, struct translation *t)
{
	uint32_t vpn = a->la >> PAGE_SHIFT;
	struct tlb_entry *e = tlb_find(mmu, vpn);

	mmu->stats.misses += !e && mmu->pg.enabled;
	bool hit = e && entry_suffices(mmu, e, a);
	if (!hit && !(e = fill(mmu, a)))
		return false;
	mmu->stats.hits += hit && mmu->pg.enabled;
	t->pa = (paddr_t)e->frame << PAGE_SHIFT | (a->la & PG_OFFSET);
	t->host = host_for(mmu, t->pa, a->kind);
	if (wants_fast(mmu, a, t, hit))
		fast_fill(mmu, e);
	if (mmu->translated)
		mmu->translated(mmu->walked_owner, a, e, hit);
	return true;
}

const struct tlb_entry *mmu_hit(const struct mmu *mmu, const struct access *a)
{
	const struct tlb_entry *e = mmu_tlb_probe(mmu, a->la);

	return e && entry_suffices(mmu, e, a) ? e : NULL;
}

bool mmu_peek(const struct mmu *mmu, laddr_t la, paddr_t *pa)
{
	/* A supervisor's read passes every check but those of Present and of reserved bits. */
	struct access a = {.la = la, .kind = ACCESS_READ};
	struct walk w;

	page_walk(mmu->phys, &mmu->pg, &a, &w);
	if (w.result != WALK_OK)
		return false;
	*pa = w.pa;
	return true;
}

/* --- control registers ------------------------------------------------------------------------------------------ */

void mmu_flush_all(struct mmu *mmu)
{
	tlb_flush(mmu, false);
}

void mmu_write_cr3(struct mmu *mmu, uint32_t cr3, const uint64_t pdpte[PDPTES])
{
	mmu->pg.cr3 = cr3;
	if (pdpte)
		memcpy(mmu->pg.pdpte, pdpte, sizeof(mmu->pg.pdpte));
	tlb_flush(mmu, true);
}

static bool same_mode(const struct paging *a, const struct paging *b)
{
	return a->enabled == b->enabled && a->wp == b->wp && a->pse == b->pse && a->pge == b->pge && a->pae == b->pae && a->nxe == b->nxe;
}

static bool same_tables(const struct paging *a, const struct paging *b)
{
	return a->cr3 == b->cr3 && !memcmp(a->pdpte, b->pdpte, sizeof(a->pdpte));
}

void mmu_set_paging(struct mmu *mmu, const struct paging *pg)
{
	struct paging old = mmu->pg;

	mmu->pg = *pg;
	if (!same_mode(&old, pg))
		tlb_flush(mmu, false);
	else if (!same_tables(&old, pg))
		tlb_flush(mmu, true);
}

void mmu_invlpg(struct mmu *mmu, laddr_t la)
{
	tlb_drop(mmu, la >> PAGE_SHIFT);
}

/* --- decoded code ----------------------------------------------------------------------------------------------- */

struct code_search {
	struct mmu *mmu;
	uint32_t frame;
};

static void forget_write(void *ctx, const struct tlb_entry *e)
{
	const struct code_search *s = ctx;

	if (e->frame == s->frame)
		fast_clear_writes(s->mmu, e->vpn);
}

void mmu_mark_code(struct mmu *mmu, paddr_t pa)
{
	struct code_search s = {.mmu = mmu, .frame = (uint32_t)(pa >> PAGE_SHIFT)};

	/* While the mark is on the page no write entry to it is made, so a second search would find none. */
	if (pa >= PHYS_LIMIT || phys_page_has_code(mmu->phys, pa))
		return;
	if (tlb_is_flat(mmu))
		mmu_tlb_each(mmu, forget_write, &s);
	mmu->phys->attr[s.frame] |= PHYS_CODE;
}
