/* guestos/mm/cow.c: copy-on-write.
 *
 * fork copies page tables, not pages: each private frame gets one more reference and every mapping of it becomes read-only; each swap
 * slot gets one more reference. The first write to a page faults and lands in cow_write(). The region has said already that
 * writing is allowed, so a read-only entry can only mean sharing: with the zero frame, with the page cache, or with
 * another process. The last owner of a private frame takes it back without copying.
 * Invariant: a private frame that more than one entry maps, or that has a copy in swap, is writable through none of them. */
#include "mm.h"

/* A private frame nobody else can reach, neither through a page table nor through a swap slot. */
static bool exclusive(const struct frame *f)
{
	return f->state == FRAME_ANON && f->refs == 1 && (f->object != OBJECT_SWAP || swap_refs(f->index) == 1);
}

/* Entered with *pte present and read-only in a writable region. May sleep; afterwards the caller looks again. */
enum fault_result cow_write(struct space *s, struct region *r, uint32_t la, pte_t *pte)
{
	pte_t old = *pte;
	struct frame *f = frame_of(PTE_FRAME(old));
	KASSERT(region_writable(r) && !r->shared);
	if (exclusive(f)) {
		cache_forget_name(f);          /* the copy in the slot is about to be out of date */
		pte_set(s, la, pte, old | PG_W);
		vm.cow_reuses++;
		return FAULT_DONE;
	}

	frame_pin(f);                          /* so it is still mapped here when we wake up */
	struct frame *copy = frame_alloc(ALLOC_USER);
	struct rmap *m = copy ? kmalloc(sizeof *m) : NULL;
	if (!m || *pte != old) {               /* a file may have lost this very page while we slept: the caller looks again */
		if (copy)
			frame_free(copy);
		kfree(m);
		frame_unpin(f);
		return m ? FAULT_DONE : FAULT_NOMEM;
	}
	frame_set_state(copy, FRAME_ANON);
	if (f->state == FRAME_ZERO) {
		memset(frame_va(copy), 0, PAGE_SIZE);
		vm.zero_fills++;
	} else {
		memcpy(frame_va(copy), frame_va(f), PAGE_SIZE);
		rmap_remove(f, s, la);
		prefetch_used(f);
		vm.cow_copies++;
	}
	f->refs--;
	if (old & PG_LOCKED) {
		frame_lock(copy);
		frame_unlock(f);
	}
	copy->refs = 1;
	rmap_add(copy, m, s, la);
	pte_set(s, la, pte, frame_pa(copy) | PG_P | PG_W | PG_U | PG_A | (old & PG_LOCKED));
	frame_unpin(f);
	return FAULT_DONE;
}

static int copy_entry(struct space *to, struct space *from, uint32_t la, pte_t *src)
{
	pte_t *dst = pte_make(to, la);
	struct rmap *m = dst ? kmalloc(sizeof *m) : NULL;
	if (!m)
		return -ENOMEM;
	pte_t v = *src;                        /* only now: eviction may have changed it while we slept */
	if (v & PG_P) {
		struct frame *f = frame_of(PTE_FRAME(v));
		if (v & PG_W)
			pte_set(from, la, src, v & ~PG_W);
		f->refs++;
		pte_set(to, la, dst, v & ~(PG_W | PG_LOCKED | PG_D));
		if (f->state != FRAME_ZERO) {
			rmap_add(f, m, to, la);
			return 0;
		}
	} else if (pte_swapped(v)) {
		swap_get(PTE_SLOT(v));
		pte_set(to, la, dst, v);
	}
	kfree(m);
	return 0;
}

int space_copy(struct space *to, struct space *from)
{
	to->brk_start = from->brk_start;
	to->brk = from->brk;
	if (from->cmdline && !(to->cmdline = kmalloc(from->cmdline_bytes)))
		return -ENOMEM;
	if (from->cmdline)
		memcpy(to->cmdline, from->cmdline, to->cmdline_bytes = from->cmdline_bytes);
	if (from->exe && !(to->exe = kstrdup(from->exe)))
		return -ENOMEM;
	if (ldt_copy(to, from))
		return -ENOMEM;
	for (struct region *r = from->regions; r; r = r->next) {
		struct region copy = *r;
		copy.locked = NOT_LOCKED;
		if (!region_add(to, &copy))
			return -ENOMEM;
		if (r->shared)
			continue;              /* its pages are found by their names */
		for (uint32_t la = r->start; la < r->end; la += PAGE_SIZE) {
			pte_t *src = pte_find(from, la);
			if (!src)
				la = table_last_page(la);
			int err = src && *src ? copy_entry(to, from, la, src) : 0;
			if (err)
				return err;
		}
	}
	return 0;
}
