/* guestos/mm/evict.c: there is no free frame: choose a victim, unmap it everywhere, write it if it is nowhere else, free it.
 *
 *   clean file page         drop: the region knows where it came from
 *   dirty file page         write to its block, then drop
 *   shared memory           the same, but its block is a swap slot, which it gets when it first needs it
 *   private page            give it a swap slot, write it, leave swap entries in all page tables that mapped it
 *   private page in a slot  an unchanged copy is on disk already: leave swap entries, no writing
 *
 * Which frame is a policy's decision (policy.c). Replacement is global: any process may pay for any other's fault; but one that has
 * reached its limit of resident pages (RLIMIT_RSS) pays for its own.
 * While a victim is being written it is BUSY and keeps its name, so that a process that faults on it finds the frame, waits, and
 * takes it back; the process that unmaps it (exit) only drops a slot reference.
 * Invariants: a victim is neither pinned nor BUSY when it is chosen, and pinned from then on; every entry that mapped it leads to its
 * contents afterwards, by the region or by the slot; nothing is dropped whose contents are nowhere else. */
#include "mm.h"
#include "fs.h"
#include "proc.h"

/* Would it need a new swap slot? A private page does unless it has one; of shared memory, one that is changed and has none. */
static bool needs_slot(const struct frame *f)
{
	if (f->state == FRAME_ANON)
		return f->object != OBJECT_SWAP;
	return object_is_memory(f->object) && f->flags & FRAME_DIRTY && !f->block;
}

/* Within one space: what it alone maps. A page that others use too is not this process's to give. */
bool evictable(const struct frame *f, const struct choice *c)
{
	if (!frame_holds_page(f) || f->pins || (f->flags & (FRAME_BUSY | FRAME_ORPHAN)))
		return false;
	if (c->unmapped && (f->state != FRAME_CACHE || f->refs || f->flags & (FRAME_DIRTY | FRAME_AHEAD) || f->object == OBJECT_DEVICE))
		return false;
	if (c->space && (f->refs != 1 || f->maps->space != c->space))
		return false;
	return c->may_swap || !needs_slot(f);
}

/* Are its contents nowhere else? Private pages equal their slot as long as they have one; pages of files are DIRTY when write() or the first
 * write through a mapping has changed them (pagecache.c). */
bool frame_needs_write(const struct frame *f)
{
	return f->state == FRAME_ANON ? f->object != OBJECT_SWAP : f->flags & FRAME_DIRTY;
}

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
		/* If it cannot be written the frame stays, pinned: whoever faults still finds it by name.
		 * Simplified: it stays for good, also when nobody wants it any more. */
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

static bool evict_frame(struct frame *f) { return f->state == FRAME_CACHE ? evict_cache(f) : evict_anon(f); }

/* May sleep. True if a frame became free or may soon. */
static bool evict(struct space *only)
{
	struct choice c = { .space = only, .may_swap = swap_used < swap_total || reclaim_slots() };
	struct frame *f = only && !only->rss ? NULL : evict_policy->choose(&c);
	if (!f)
		return false;
	return evict_frame(f);
}

bool evict_one(void) { return evict(NULL); }

void evict_clean(struct frame *f)
{
	KASSERT(f->state == FRAME_CACHE && !(f->flags & (FRAME_DIRTY | FRAME_BUSY)));
	evict_cache(f);
}

/* For what is only a guess. Pages that were guesses themselves stay, or guesses would chase each other. */
bool evict_unmapped(void)
{
	struct choice c = { .unmapped = true };
	struct frame *f = evict_policy->choose(&c);
	if (f)
		evict_clean(f);
	return f;
}

/* No policy is asked, since all have to go. What can not, because it is pinned or swap is full, stays. */
void evict_all(struct space *s)
{
	for (uint32_t la = USER_START; la < KERNEL_BASE && s->rss && current->suspended && !current->killed; la += PAGE_SIZE) {
		struct choice c = { .space = s, .may_swap = swap_used < swap_total };
		pte_t *pte = pte_find(s, la);
		if (!pte)
			la = table_last_page(la);
		else if (*pte & PG_P && evictable(frame_of(PTE_FRAME(*pte)), &c))
			evict_frame(frame_of(PTE_FRAME(*pte)));
	}
}

/* A page is about to be mapped at la: if the process has as many as it may have, others of its own make room first. The limit is a
 * wish: pages that are pinned or shared stay, and so the process goes on beyond it. Nor does anything go for the second and later pages of
 * one instruction: it needs them all at once, and under a low limit they would push each other out for ever. */
void rss_make_room(struct space *s, uint32_t la)
{
	uint32_t limit = current->rlimits[RLIMIT_RSS].soft >> PAGE_SHIFT;
	pte_t *pte = pte_find(s, la);
	if (s->rss < limit || current->faults_again || (pte && *pte & PG_P))
		return;
	for (uint32_t n = s->rss - limit + 1; n && s->rss >= limit && evict(s); n--)
		;
}
