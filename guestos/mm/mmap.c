/* guestos/mm/mmap.c: regions come, go and change: what mmap, munmap, mprotect, mlock and brk do to a space.
 *
 * Mapping only makes a region; pages come by faults. Unmapping takes pages and region away. Changing rights changes the region and
 * makes the entries that are present follow: they may lose rights at once, but gain them only by a fault, which alone knows whether a
 * page is shared. New mappings are placed as high as they fit below the stack's reserve, so that heap and mappings
 * grow towards each other:
 *
 *   program | heap ->   ...   <- mappings | guard, stack's reserve (8 MB) <- stack | kernel
 *
 * Argument checks in Linux's order are in kernel/sys_mem.c; here ranges are page aligned and below KERNEL_BASE. */
#include "mm.h"
#include "fs.h"
#include "proc.h"

/* The hint if the range is free there, else the highest gap that is big enough. */
uint32_t space_find_gap(struct space *s, uint32_t hint, uint32_t length)
{
	uint32_t best = 0, floor = USER_START;
	if (length > MAP_TOP - USER_START)
		return 0;
	if (hint >= USER_START && hint <= KERNEL_BASE - length) {
		struct region *r = region_after(s, hint);
		uint32_t limit = !r ? KERNEL_BASE : r->kind == REGION_STACK ? r->start - STACK_GUARD : r->start;
		if (hint + length <= limit)
			return hint;
	}
	for (struct region *r = s->regions; floor < MAP_TOP; r = r->next) {
		uint32_t ceiling = r ? min(r->start, MAP_TOP) : MAP_TOP;
		if (ceiling > floor && ceiling - floor >= length)
			best = ceiling - length;
		if (!r)
			break;
		floor = r->end;
	}
	return best;
}

/* Page tables of the 4 MB pieces in which no region is left. */
void space_free_tables(struct space *s, uint32_t start, uint32_t end)
{
	for (uint32_t piece = table_start(start); piece < end; piece += TABLE_SPAN) {
		struct region *r = region_after(s, piece);
		if (!r || r->start >= piece + TABLE_SPAN)
			table_free(s, piece);
	}
}

int space_unmap(struct space *s, uint32_t start, uint32_t end)
{
	int err = regions_carve(s, start, end);
	if (err) {
		regions_merge(s, start, end);
		return err;
	}
	for (struct region **link = &s->regions; *link && (*link)->start < end;) {
		struct region *r = *link;
		if (r->start < start) {
			link = &r->next;
			continue;
		}
		region_zap(s, r->start, r->end);
		*link = r->next;
		region_close(r);
	}
	space_free_tables(s, start, end);
	return 0;
}

int space_map(struct space *s, const struct region *like)
{
	if (memory_crowded())
		return -ENOMEM;
	int err = space_unmap(s, like->start, like->end);
	if (err)
		return err;
	uint32_t regions = 0;
	for (struct region *r = s->regions; r; r = r->next)
		regions++;
	if (regions >= MAX_REGIONS || !region_add(s, like))
		return -ENOMEM;
	regions_merge(s, like->start, like->end);
	return 0;
}

/* Bring in all pages of a range, as far as that is possible; private memory as it will be used. */
void space_populate(struct space *s, uint32_t start, uint32_t end)
{
	for (struct region *r = region_after(s, start); r && r->start < end; r = r->next)
		for (uint32_t la = max(start, r->start); la < min(end, r->end); la += PAGE_SIZE)
			if (fault_in(s, la, region_writable(r) && !r->shared, la) != FAULT_DONE)
				return;
}

/* What is present loses rights now. The user loses all of them by U; the kernel, which copies on the user's
 * behalf and does not care for U, asks in usercopy.c. */
static void entries_follow(struct space *s, struct region *r)
{
	for (uint32_t la = r->start; la < r->end; la += PAGE_SIZE) {
		pte_t *pte = pte_find(s, la);
		if (!pte) {
			la = table_last_page(la);
			continue;
		}
		if (!(*pte & PG_P))
			continue;
		pte_t v = r->prot ? *pte | PG_U : *pte & ~PG_U;
		pte_set(s, la, pte, region_writable(r) ? v : v & ~PG_W);
	}
}

/* The part of [start, end) before the first hole changes; a hole, or a right that may not be given, is the error. */
int space_protect(struct space *s, uint32_t start, uint32_t end, uint8_t prot)
{
	int err = regions_carve(s, start, end);
	uint32_t at = start;
	for (struct region *r = region_after(s, start); !err && at < end;) {
		if (!r || r->start > at) {
			err = -ENOMEM;         /* also beyond the last region: the stack may be gone */
		} else if (prot & PROT_WRITE && !r->may_write) {
			err = -EACCES;
		} else {
			r->prot = prot;
			entries_follow(s, r);
			at = r->end;
			r = r->next;
		}
	}
	regions_merge(s, start, end);
	return err;
}

/* Could memory and swap together ever back that many more pages? */
bool space_affordable(uint32_t pages)
{
	return pages <= nr_usable + (swap_total - swap_used);
}

/* RLIMIT_AS: may the process have so many more pages of addresses? */
bool space_may_grow(struct space *s, uint32_t pages)
{
	for (struct region *r = s->regions; r; r = r->next)
		pages += region_pages(r);
	return pages <= current->rlimits[RLIMIT_AS].soft >> PAGE_SHIFT;
}

/* brk moves by bytes, the mapping by pages. A page stays free between the heap and what lies above it. */
int space_set_brk(struct space *s, uint32_t brk)
{
	uint32_t had = page_up(s->brk), end = page_up(brk);
	int err = 0;
	if (brk < s->brk_start || brk >= MAP_TOP)
		return -ENOMEM;
	if (end < had) {
		err = space_unmap(s, end, had);
	} else if (end > had) {
		struct region *above = region_after(s, had);
		struct region more = { .start = had, .end = end, .kind = REGION_HEAP, .prot = PROT_READ | PROT_WRITE,
			.may_write = true, .locked = s->lock_future };
		if ((above && above->start < end + PAGE_SIZE) || !space_affordable((end - had) >> PAGE_SHIFT)
		    || !space_may_grow(s, (end - had) >> PAGE_SHIFT) || brk - s->brk_start > current->rlimits[RLIMIT_DATA].soft)
			return -ENOMEM;
		err = space_map(s, &more);
		if (!err && more.locked == LOCKED_ALL)
			space_populate(s, had, end);
	}
	if (!err)
		s->brk = brk;
	return err;
}
