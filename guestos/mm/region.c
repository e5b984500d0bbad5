/* guestos/mm/region.c: what the addresses of a process mean.
 *
 * A space is a page directory and a list of regions ordered by address. Regions are the truth; page tables only cache
 * it: any entry of a FILE region may be dropped, and is found again from the region. Regions never overlap.
 * A space is changed only by the one process that runs in it (and by eviction, which changes entries, not regions). */
#include "mm.h"
#include "fs.h"
#include "proc.h"

struct space *space_new(void)
{
	struct space *s = kzalloc(sizeof *s);
	struct frame *f = s ? frame_alloc(ALLOC_KERNEL) : NULL;
	if (!f) {
		kfree(s);
		return NULL;
	}
	frame_set_state(f, FRAME_TABLE);
	s->dir = frame_va(f);
	memset(s->dir, 0, KERNEL_BASE >> 20);
	memcpy(s->dir + (KERNEL_BASE >> 22), boot_pgdir + (KERNEL_BASE >> 22), (1024 - (KERNEL_BASE >> 22)) * sizeof(pte_t));
	s->refs = 1;
	return s;
}

void space_put(struct space *s)
{
	if (!s || --s->refs)
		return;
	struct region *r = s->regions;
	while (r) {
		struct region *next = r->next;
		region_unmap(s, r->start, r->end);
		if (r->inode)
			inode_put(r->inode);
		kfree(r);
		s->regions = r = next;
	}
	tables_free(s);
	KASSERT(!s->rss && !s->swapped);
	frame_free(frame_of(virt_to_phys(s->dir)));
	kfree(s->exe);
	kfree(s->cmdline);
	kfree(s);
}

struct region *region_add(struct space *s, const struct region *like)
{
	struct region *r = kmalloc(sizeof *r), **link = &s->regions;
	if (!r)
		return NULL;
	*r = *like;
	if (r->inode)
		inode_get(r->inode);
	while (*link && (*link)->start < r->start)
		link = &(*link)->next;
	r->next = *link;
	*link = r;
	return r;
}

struct region *region_find(struct space *s, uint32_t la)
{
	for (struct region *r = s->regions; r; r = r->next)
		if (la >= r->start && la < r->end)
			return r;
	return NULL;
}

/* Throw away the pages of a range; the region itself stays. */
void region_unmap(struct space *s, uint32_t start, uint32_t end)
{
	for (uint32_t la = start; la < end;) {
		pte_t *pte = pte_find(s, la);
		if (!pte) {
			la = (la & ~0x3fffffu) + 0x400000;     /* no table: next 4 MB */
			if (!la)
				return;
			continue;
		}
		if (*pte)
			pte_zap(s, la, pte);
		la += PAGE_SIZE;
	}
}

static struct region *heap_of(struct space *s)
{
	for (struct region *r = s->regions; r; r = r->next)
		if (r->kind == REGION_HEAP)
			return r;
	return NULL;
}

/* brk moves by bytes, the mapping by pages. Refuses what could never be backed by memory and swap together. */
int space_set_brk(struct space *s, uint32_t brk)
{
	struct region *heap = heap_of(s);
	uint32_t end = page_up(brk);
	if (!heap || brk < s->brk_start || brk >= STACK_LOWEST - PAGE_SIZE)
		return -ENOMEM;
	if (end > heap->end && (end - heap->end) >> PAGE_SHIFT > nr_usable + (swap_total - swap_used))
		return -ENOMEM;
	if (end < heap->end)
		region_unmap(s, end, heap->end);
	heap->end = end;
	s->brk = brk;
	return 0;
}

static int lock_page(struct space *s, struct region *r, uint32_t la)
{
	for (;;) {
		pte_t *pte = pte_find(s, la);
		if (pte && (*pte & PG_LOCKED))
			return 0;
		if (pte && (*pte & PG_P) && PTE_FRAME(*pte) == frame_pa(zero_frame) && !r->writable)
			return 0;              /* it never leaves; a pin for each mapping could be more than can be counted */
		if (pte && (*pte & PG_P) && (!r->writable || (*pte & PG_W))) {
			frame_pin(frame_of(PTE_FRAME(*pte)));
			*pte |= PG_LOCKED;
			return 0;
		}
		/* Room must be left for everybody else, or locking would lock up the machine. */
		if (nr_pinned > nr_usable / 2 || fault_in(s, la, r->writable, la) != FAULT_DONE)
			return -ENOMEM;
	}
}

int space_lock_range(struct space *s, uint32_t start, uint32_t end, bool lock)
{
	for (uint32_t la = page_down(start); la < end; la += PAGE_SIZE) {
		struct region *r = region_find(s, la);
		pte_t *pte = pte_find(s, la);
		if (!r)
			return -ENOMEM;
		if (lock) {
			int err = lock_page(s, r, la);
			if (err)
				return err;
		} else if (pte && (*pte & PG_P) && (*pte & PG_LOCKED)) {
			*pte &= ~PG_LOCKED;
			frame_unpin(frame_of(PTE_FRAME(*pte)));
		}
	}
	return 0;
}
