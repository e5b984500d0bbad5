/* guestos/mm/mlock.c: memory that stays: the pages of locked regions are pinned, so that no policy can choose them.
 *
 * The region says that its pages are to stay; PG_LOCKED in an entry says that this mapping holds one pin of its frame. Locking brings
 * all pages in, or with LOCKED_ON_FAULT pins those that are there; a page that comes to a locked region later is pinned by the fault
 * that brings it.
 * Invariant: an entry with PG_LOCKED is present, in a locked region. The zero frame never leaves, so it is never pinned. */
#include "mm.h"
#include "proc.h"

#define MOST_PINS 0x8000u              /* of one frame, by mappings: half of what its count can hold */

/* Room must be left for everybody else, or locking would lock up the machine. */
static bool may_pin(void) { return nr_pinned <= nr_usable / 2; }

void lock_entry(struct region *r, pte_t *pte)
{
	if (!r->locked || !(*pte & PG_P) || *pte & PG_LOCKED)
		return;
	struct frame *f = frame_of(PTE_FRAME(*pte));
	if (f == zero_frame || f->pins >= MOST_PINS || !may_pin())
		return;
	frame_lock(f);
	*pte |= PG_LOCKED;
}

static void unlock_pages(struct space *s, struct region *r)
{
	for (uint32_t la = r->start; la < r->end; la += PAGE_SIZE) {
		pte_t *pte = pte_find(s, la);
		if (!pte) {
			la = table_last_page(la);
		} else if (*pte & PG_P && *pte & PG_LOCKED) {
			*pte &= ~PG_LOCKED;
			frame_unlock(frame_of(PTE_FRAME(*pte)));
		}
	}
}

/* Private memory is locked as it will be used: a writable page is copied, or filled, now. */
static int lock_pages(struct space *s, struct region *r)
{
	for (uint32_t la = r->start; la < r->end; la += PAGE_SIZE) {
		if (fault_in(s, la, region_writable(r) && !r->shared, la) != FAULT_DONE)
			return -ENOMEM;
		pte_t v = *pte_find(s, la);
		if (!(v & PG_LOCKED) && PTE_FRAME(v) != frame_pa(zero_frame))
			return -ENOMEM;
	}
	return 0;
}

/* What is there stays from now on. */
static int lock_present(struct space *s, struct region *r)
{
	for (uint32_t la = r->start; la < r->end; la += PAGE_SIZE) {
		pte_t *pte = pte_find(s, la);
		if (!pte) {
			la = table_last_page(la);
			continue;
		}
		lock_entry(r, pte);
		if (*pte & PG_P && !(*pte & PG_LOCKED) && PTE_FRAME(*pte) != frame_pa(zero_frame))
			return -ENOMEM;
	}
	return 0;
}

static int set_locked(struct space *s, struct region *r, enum locked how)
{
	r->locked = how;
	if (how == LOCKED_ALL)
		return lock_pages(s, r);
	if (how == LOCKED_ON_FAULT)
		return lock_present(s, r);
	unlock_pages(s, r);
	return 0;
}

/* All there is. A region of which a page cannot be brought in, as beyond the end of a file, is no error. */
int space_lock_all(struct space *s, enum locked how)
{
	int err = 0;
	for (struct region *r = s->regions; r && !err; r = r->next) {
		set_locked(s, r, how);
		if (how && !may_pin())
			err = -ENOMEM;
	}
	regions_merge(s, USER_START, STACK_TOP);
	return err;
}

int space_lock_range(struct space *s, uint32_t start, uint32_t end, enum locked how)
{
	uint32_t at = start;
	int err = regions_carve(s, start, end);
	for (struct region *r = region_after(s, start); !err && at < end; r = r->next) {
		if (!r || r->start > at) {
			err = -ENOMEM;
			break;
		}
		at = r->end;
		err = set_locked(s, r, how);
	}
	regions_merge(s, start, end);
	return err;
}
