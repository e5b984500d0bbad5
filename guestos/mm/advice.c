/* guestos/mm/advice.c: what a program says about its memory, and what it can ask: madvise, msync, mincore.
 *
 * Advice on the order of use is kept in the region, where prefetch.c finds it. DONTNEED drops pages: private ones are gone, those of a
 * file or a memory object are still there for the next fault. WILLNEED brings in now what is in a file or in swap, but takes no page from
 * anybody: it stops while there are still free frames. */
#include "mm.h"
#include "fs.h"
#include "proc.h"

/* fn for the part of each region in [start, end). Holes are passed over, and are -ENOMEM in the end. */
static int each_part(struct space *s, uint32_t start, uint32_t end, int (*fn)(struct space *s, struct region *r, uint32_t start, uint32_t end, uint32_t what),
	uint32_t what)
{
	bool holes = false;
	for (uint32_t at = start; at < end;) {
		struct region *r = region_after(s, at);
		if (!r || r->start >= end) {
			holes = true;
			break;
		}
		holes |= r->start > at;
		uint32_t first = max(at, r->start), last = min(end, r->end);
		int err = fn(s, r, first, last, what);
		if (err)
			return err;
		at = last;
	}
	return holes ? -ENOMEM : 0;
}

static int bring_in(struct space *s, struct region *r, uint32_t start, uint32_t end, uint32_t what)
{
	(void)what;
	prefetch_range(s, r, start, end);
	return 0;
}

static int drop(struct space *s, struct region *r, uint32_t start, uint32_t end, uint32_t what)
{
	(void)what;
	if (r->locked)
		return -EINVAL;
	region_zap(s, start, end);
	return 0;
}

static int keep_advice(struct space *s, struct region *r, uint32_t start, uint32_t end, uint32_t advice)
{
	(void)s, (void)start, (void)end;
	r->advice = advice;
	return 0;
}

int space_advise(struct space *s, uint32_t start, uint32_t end, uint32_t advice)
{
	if (advice == MADV_WILLNEED)
		return each_part(s, start, end, bring_in, 0);
	if (advice == MADV_DONTNEED)
		return each_part(s, start, end, drop, 0);
	int err = regions_carve(s, start, end);
	if (!err)
		err = each_part(s, start, end, keep_advice, advice);
	regions_merge(s, start, end);
	return err;
}

/* MS_ASYNC has nothing to do: syncd will write. MS_INVALIDATE neither: there is one copy of a page, which everybody sees. */
static int sync_part(struct space *s, struct region *r, uint32_t start, uint32_t end, uint32_t flags)
{
	(void)s;
	if (flags & MS_INVALIDATE && r->locked)
		return -EBUSY;
	if (!(flags & MS_SYNC) || !r->shared || !r->inode)
		return 0;
	return cache_sync_range(r->inode->ino, region_page_at(r, start), (end - start) >> PAGE_SHIFT);
}

int space_sync(struct space *s, uint32_t start, uint32_t end, uint32_t flags)
{
	int err = each_part(s, start, end, sync_part, flags), err2 = 0;
	for (struct region *r = region_after(s, start); r && r->start < end && flags & MS_SYNC; r = r->next)
		if (r->shared && r->inode) {
			err2 = pfs_sync();     /* what leads to the pages has to be on the disk too; once is enough */
			break;
		}
	return err ? err : err2;
}

/* Is the page in memory, whether this process has mapped it or not? */
static bool in_core(struct space *s, const struct region *r, uint32_t la)
{
	pte_t *pte = pte_find(s, la);
	if (pte && *pte & PG_P)
		return true;
	if (pte && pte_swapped(*pte))
		return cache_has(OBJECT_SWAP, PTE_SLOT(*pte));
	if (r->object)
		return cache_has(r->object->id, region_page_at(r, la));
	return region_from_file(r, la) && cache_has(r->inode->ino, region_page_at(r, la));
}

/* mincore: a byte for each page, 1 if it is in memory. Only the process itself removes regions of its space, so that the list stands while
 * the bytes are copied, and one walk of it serves the whole range. */
int space_in_core(struct space *s, uint32_t start, uint32_t pages, uaddr_t to)
{
	struct region *r = region_after(s, start);
	uint8_t in[64];
	for (uint32_t done = 0, count; done < pages; done += count) {
		count = min(pages - done, (uint32_t)sizeof in);
		for (uint32_t i = 0; i < count; i++) {
			uint32_t la = start + (done + i) * PAGE_SIZE;
			if (r && r->end == la)
				r = r->next;
			if (!r || r->start > la)
				return -ENOMEM;
			in[i] = in_core(s, r, la);
		}
		if (copy_to_user(to + done, in, count))
			return -EFAULT;
	}
	return 0;
}
