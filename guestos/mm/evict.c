/* guestos/mm/evict.c: there is no free frame: choose a victim, unmap it everywhere, write it if it is nowhere else, free it.
 *
 *   clean file page         drop: the region knows where it came from
 *   dirty file page         write to its block, then drop
 *   private page            give it a swap slot, write it, leave swap entries in all page tables that mapped it
 *   private page in a slot  an unchanged copy is on disk already: leave swap entries, no writing
 *
 * Which frame is a policy's decision; this one is the clock: a hand passes over all frames and takes the first that was not used
 * since it last came by. Pinned and busy frames are never victims.
 * While a victim is being written it is BUSY and keeps its name, so that a process that faults on it finds the frame, waits, and
 * takes it back; the process that unmaps it (exit) only drops a slot reference. */
#include "mm.h"
#include "fs.h"

static uint32_t hand;

bool evictable(const struct frame *f, bool may_swap)
{
	if (f->pins || (f->flags & (FRAME_BUSY | FRAME_ORPHAN)))
		return false;
	return f->state == FRAME_CACHE || (f->state == FRAME_ANON && (may_swap || f->object == OBJECT_SWAP));
}

static struct frame *clock_choose(bool may_swap)
{
	for (uint32_t steps = 0; steps < 2 * nr_frames + 1; steps++) {
		struct frame *f = &frames[hand];
		hand = hand + 1 < nr_frames ? hand + 1 : 0;
		if (!evictable(f, may_swap))
			continue;
		bool used = f->flags & FRAME_REFERENCED;
		f->flags &= ~FRAME_REFERENCED;
		if (!rmap_test_clear_accessed(f) && !used)
			return f;
	}
	return NULL;
}

static const struct evict_policy clock_policy = { "clock", clock_choose };
const struct evict_policy *evict_policy = &clock_policy;

/* Swap is full: slots that only back up a page that is in memory can be had. The page then counts as changed. */
static bool reclaim_slots(void)
{
	uint32_t got = 0;
	for (uint32_t i = 0; i < nr_frames && got < 64; i++) {
		struct frame *f = &frames[i];
		if (f->state == FRAME_ANON && f->object == OBJECT_SWAP && f->refs && !(f->flags & FRAME_BUSY) && swap_refs(f->index) == 1) {
			cache_forget_name(f);
			got++;
		}
	}
	return got > 0;
}

static bool evict_cache(struct frame *f)
{
	vm.evictions++;
	frame_pin(f);
	if (f->flags & FRAME_DIRTY) {
		f->flags |= FRAME_BUSY;
		cache_write(f);
	} else {
		vm.clean_drops++;
	}
	/* Somebody may have found it while it was being written. */
	if (f->pins == 1 && !(f->flags & (FRAME_DIRTY | FRAME_ORPHAN))) {
		rmap_unmap_all(f, 0);
		cache_forget_name(f);
		f->flags |= FRAME_ORPHAN;
	}
	frame_unpin(f);
	return true;
}

static bool evict_anon(struct frame *f)
{
	bool clean = f->object == OBJECT_SWAP;
	if (!clean) {
		uint32_t slot = swap_alloc();
		if (!slot)
			return false;
		cache_name(f, OBJECT_SWAP, slot);
	}
	vm.evictions++;
	frame_pin(f);
	rmap_unmap_all(f, f->index << PAGE_SHIFT | PG_SWAPPED);
	if (clean) {
		vm.clean_drops++;
	} else {
		f->flags |= FRAME_BUSY;
		/* If it cannot be written the frame stays, pinned: whoever faults still finds it by name. */
		if (disk_swap(f->index, frame_pa(f), true)) {
			frame_lock(f);
			f->flags |= FRAME_STUCK;
		}
		vm.swap_outs++;
		frame_wake(f);
	}
	frame_unpin(f);                /* frees it, unless a process has taken it back */
	return true;
}

bool evict_one(void)
{
	bool may_swap = swap_used < swap_total || reclaim_slots();
	struct frame *f = evict_policy->choose(may_swap);
	if (!f)
		return false;
	return f->state == FRAME_CACHE ? evict_cache(f) : evict_anon(f);
}
