/* guestos/mm/mremap.c: a mapping gets another size, or another place.
 *
 * Growing in place moves the region's end; moving makes a second region and hands the page-table entries over, one by one: frames and
 * swap slots stay where they are, only their address changes. Nothing is copied, and nothing is lost if memory for the
 * new page tables cannot be had: what was moved moves back, for which the tables are still there.
 * Invariant: at every moment each page is in exactly one of the two places, so that eviction, which may come between any two entries, finds
 * it where its frame's list says. */
#include "mm.h"
#include "fs.h"
#include "proc.h"

/* The region's size as if it were `length` long: a file's bytes go on, unless zeroes had begun already. */
static void resize(struct region *r, uint32_t length)
{
	if (r->inode && r->file_bytes == r->end - r->start)
		r->file_bytes = length;
	r->file_bytes = min(r->file_bytes, length);
	r->end = r->start + length;
}

static void move_entry(struct space *s, uint32_t from, pte_t *src, uint32_t to, pte_t *dst)
{
	pte_t v = *src;
	if (v & PG_P && PTE_FRAME(v) != frame_pa(zero_frame))
		rmap_move(frame_of(PTE_FRAME(v)), s, from, to);
	pte_set(s, to, dst, v);
	pte_set(s, from, src, 0);
}

static int move_entries(struct space *s, uint32_t from, uint32_t to, uint32_t length)
{
	for (uint32_t at = 0; at < length; at += PAGE_SIZE) {
		pte_t *src = pte_find(s, from + at);
		if (!src || !*src)
			continue;
		pte_t *dst = pte_make(s, to + at);
		if (!dst) {
			move_entries(s, to, from, at);
			return -ENOMEM;
		}
		move_entry(s, from + at, src, to + at, dst);
	}
	return 0;
}

/* [from, from + length) is the whole of one region, and nothing is mapped at `to` for new_length. */
static int move_region(struct space *s, uint32_t from, uint32_t length, uint32_t to, uint32_t new_length)
{
	struct region *old = region_find(s, from), moved = *old;
	moved.kind = moved.kind == REGION_FILE ? REGION_FILE : REGION_ANON;
	resize(&moved, new_length);
	moved.start = to;
	moved.end = to + new_length;
	struct region *new = region_add(s, &moved);
	if (!new)
		return -ENOMEM;
	int err = move_entries(s, from, to, min(length, new_length));
	region_zap(s, err ? to : from, err ? to + new_length : from + length);
	region_remove(s, err ? new : old);
	space_free_tables(s, err ? to : from, err ? to + new_length : from + length);
	regions_merge(s, to, to + new_length);
	return err;
}

/* A second mapping of the same shared pages. */
static int map_again(struct space *s, const struct region *r, uint32_t from, uint32_t to, uint32_t length)
{
	struct region again = *r;
	again.file_page += (from - r->start) >> PAGE_SHIFT;
	again.start = to;
	again.end = to + length;
	again.file_bytes = r->inode ? length : 0;
	return space_map(s, &again);
}

/* Not into the stack's reserve, unless it is there already. */
static bool can_grow(struct space *s, const struct region *r, uint32_t end)
{
	struct region *next = region_after(s, r->end);
	uint32_t limit = !next ? KERNEL_BASE : next->kind == REGION_STACK ? next->start - STACK_GUARD : next->start;
	if (r->end <= MAP_TOP)
		limit = min(limit, MAP_TOP);
	return end > r->end && end <= limit;
}

/* Where [from, from + length) is now that it has new_length, or an error. to: where it must go, or 0. */
int space_remap(struct space *s, uint32_t from, uint32_t length, uint32_t new_length, bool may_move, uint32_t to)
{
	struct region *r = region_find(s, from);
	int err = 0;
	if (!r || length > r->end - from)
		return -EFAULT;
	if (!length && !r->shared)
		return -EINVAL;
	if (region_page_at(r, from) + (new_length >> PAGE_SHIFT) < region_page_at(r, from))
		return -EINVAL;                /* pages of a file are counted in 32 bits: the first would come after the last */
	if (new_length > length && !r->shared && region_writable(r) && !space_affordable((new_length - length) >> PAGE_SHIFT))
		return -ENOMEM;
	if (new_length > length && !space_may_grow(s, (new_length - length) >> PAGE_SHIFT))
		return -ENOMEM;
	if (!to && length && new_length <= length) {
		err = new_length < length ? space_unmap(s, from + new_length, from + length) : 0;
		return err ? err : (int)from;
	}
	if (!to && length && from + length == r->end && can_grow(s, r, from + new_length)) {
		bool populate = r->locked == LOCKED_ALL;
		resize(r, from + new_length - r->start);
		regions_merge(s, from, from + new_length);
		if (populate)
			space_populate(s, from + length, from + new_length);
		return from;
	}
	if (!may_move)
		return -ENOMEM;
	if (!to && !(to = space_find_gap(s, 0, new_length)))
		return -ENOMEM;
	if (!length)
		err = map_again(s, r, from, to, new_length);
	else if (!(err = regions_carve(s, from, from + length)))
		err = move_region(s, from, length, to, new_length);
	if (!err && length && region_find(s, to)->locked == LOCKED_ALL)
		space_populate(s, to, to + new_length);
	return err ? err : (int)to;
}
