/* emu/debug/view/stale.c: whether the TLB still says what the tables say.
 *
 * Compared are the frame, the rights that all levels grant, and Dirty: a cached Dirty means that writes no longer set it. A cached
 * translation whose Accessed bit has been cleared is not called stale: the manual tells systems to expect that.
 * References: [SDM3A 4.10.2.3 "Details of TLB Use"], [SDM3A 4.10.4.3 "Optional Invalidation"].
 */
#include "emu/debug/check/checker.h"

static uint32_t entry_rights(const struct tlb_entry *e)
{
	return (e->flags & TLB_W ? PG_W : 0) | (e->flags & TLB_U ? PG_U : 0) | (e->flags & TLB_NX ? 0 : PG_X);
}

bool translation_is_stale(const struct machine *m, const struct tlb_entry *e, struct walk *now)
{
	/* A supervisor's read passes every check but those of Present and of reserved bits. */
	struct access a = { .la = e->vpn << PAGE_SHIFT, .kind = ACCESS_READ };

	page_walk(&m->phys, &m->mmu.pg, &a, now);
	if (now->result != WALK_OK || now->pa >> PAGE_SHIFT != e->frame)
		return true;
	if (!now->levels)
		return false;
	if (now->rights != entry_rights(e))
		return true;
	/* A global translation may come from another directory, with a Dirty bit of its own. */
	const struct walk_step *leaf = &now->step[now->levels - 1];
	return e->flags & TLB_D && leaf->addr == e->leaf && !(leaf->value & PG_D);
}
