/* guestos/mm/region.c: what the addresses of a process mean.
 *
 * A space is a page directory and a list of regions ordered by address. Regions are the truth; page tables only cache
 * it: any entry of a FILE region that holds no private page may be dropped, and is found again from the region.
 * Invariants: regions never overlap, are never empty, and neighbours that mean the same are one region. What changes a part of a region
 * first carves it out (regions_carve), and afterwards joins what has become alike (regions_merge).
 * A space is changed only by the one process that runs in it (and by eviction and truncation, which change entries, not regions). */
#include "mm.h"
#include "fs.h"
#include "proc.h"

struct space *all_spaces;

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
	s->next = all_spaces;
	all_spaces = s;
	return s;
}

/* An object's slots are counted for everybody who maps it: whoever of them goes, the others still have it, but nobody is overlooked. */
uint32_t space_burden(const struct space *s)
{
	uint32_t pages = s->rss + s->swapped;
	for (const struct region *r = s->regions; r; r = r->next)
		pages += r->object ? min(r->object->swapped, region_pages(r)) : 0;
	return pages;
}

static uint32_t file_pages_from(const struct inode *ip, uint32_t first)
{
	uint32_t pages = page_up(ip->d.size) >> PAGE_SHIFT;
	return pages > first ? pages - first : 0;
}

/* The region must be off the list already: giving up a file may sleep. */
static void region_free(struct region *r)
{
	if (r->inode)
		inode_put(r->inode);
	if (r->object)
		object_put(r->object);
	kfree(r);
}

/* Its pages are somewhere else already. */
void region_remove(struct space *s, struct region *r)
{
	struct region **link = &s->regions;
	while (*link != r)
		link = &(*link)->next;
	*link = r->next;
	region_free(r);
}

/* The end of a mapping: its pages are gone from the tables, and what was written through it goes to the file now. */
void region_close(struct region *r)
{
	if (r->inode && r->shared && r->may_write && r->inode->d.links)
		cache_sync_range(r->inode->ino, r->file_page, min(region_pages(r), file_pages_from(r->inode, r->file_page)));
	region_free(r);
}

void space_put(struct space *s)
{
	if (!s || --s->refs)
		return;
	while (s->regions) {
		struct region *r = s->regions;
		region_zap(s, r->start, r->end);
		s->regions = r->next;
		region_close(r);
	}
	tables_free(s);
	KASSERT(!s->rss && !s->swapped);
	struct space **link = &all_spaces;
	while (*link != s)
		link = &(*link)->next;
	*link = s->next;
	frame_free(frame_of(virt_to_phys(s->dir)));
	ldt_free(s);
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
	if (r->object)
		object_get(r->object);
	while (*link && (*link)->start < r->start)
		link = &(*link)->next;
	r->next = *link;
	*link = r;
	return r;
}

struct region *region_after(struct space *s, uint32_t la)
{
	struct region *r = s->regions;
	while (r && r->end <= la)
		r = r->next;
	return r;
}

struct region *region_find(struct space *s, uint32_t la)
{
	struct region *r = region_after(s, la);
	return r && r->start <= la ? r : NULL;
}

bool regions_cover(struct space *s, uint32_t start, uint32_t end)
{
	for (struct region *r = region_after(s, start); r && r->start <= start; r = r->next) {
		start = r->end;
		if (start >= end)
			return true;
	}
	return start >= end;
}

/* Throw away the pages of a range; the regions stay. */
void region_zap(struct space *s, uint32_t start, uint32_t end)
{
	for (uint32_t la = start; la < end; la += PAGE_SIZE) {
		pte_t *pte = pte_find(s, la);
		if (!pte)
			la = table_last_page(la);
		else if (*pte)
			pte_zap(s, la, pte);
	}
}

/* The file ends before first_page now. Its own frames are unmapped by the page cache; private copies of the pages that are
 * gone go as well, in every space, as in Linux: an access beyond the end is SIGBUS, whoever wrote there before. Copies in swap stay
 * until they are unmapped, since their owner may be about to read them; a fault looks at the file's end before them.
 * Simplified: so they come back if the file grows again meanwhile. */
void regions_forget(uint32_t ino, uint32_t first_page)
{
	for (struct space *s = all_spaces; s; s = s->next)
		for (struct region *r = s->regions; r; r = r->next) {
			if (!r->inode || r->inode->ino != ino || r->file_page + region_pages(r) <= first_page)
				continue;
			uint32_t kept = first_page > r->file_page ? (first_page - r->file_page) << PAGE_SHIFT : 0;
			uint32_t end = min(r->end, r->start + page_up(r->file_bytes));
			for (uint32_t la = r->start + kept; la < end; la += PAGE_SIZE) {
				pte_t *pte = pte_find(s, la);
				if (!pte)
					la = table_last_page(la);
				else if (*pte & PG_P)
					pte_zap(s, la, pte);
			}
		}
}

/* Two regions where there was one: [start, at) and [at, end). */
static int split(struct space *s, struct region *r, uint32_t at)
{
	struct region upper = *r;
	uint32_t below = at - r->start;
	uint32_t regions = 0;
	for (struct region *each = s->regions; each; each = each->next)
		regions++;
	if (regions >= MAX_REGIONS)
		return -ENOMEM;
	upper.start = at;
	upper.file_page += below >> PAGE_SHIFT;
	upper.file_bytes -= min(upper.file_bytes, below);
	if (!region_add(s, &upper))
		return -ENOMEM;
	r->end = at;
	r->file_bytes = min(r->file_bytes, below);
	return 0;
}

int regions_carve(struct space *s, uint32_t start, uint32_t end)
{
	for (int i = 0; i < 2; i++) {
		uint32_t at = i ? end : start;
		struct region *r = region_find(s, at);
		int err = r && r->start < at ? split(s, r, at) : 0;
		if (err)
			return err;
	}
	return 0;
}

/* May b, which begins where a ends, become part of a? A file must go on where a leaves it, with no zeroes between. */
static bool mergeable(const struct region *a, const struct region *b)
{
	if (a->end != b->start || a->kind != b->kind || a->prot != b->prot || a->advice != b->advice || a->shared != b->shared
	    || a->may_write != b->may_write || a->locked != b->locked || a->inode != b->inode || a->object != b->object)
		return false;
	if (!a->inode && !a->object)
		return true;
	return b->file_page == a->file_page + region_pages(a) && (a->object || a->file_bytes == a->end - a->start || !b->file_bytes);
}

/* Join what has become alike in [start, end] and at its edges. May sleep. */
void regions_merge(struct space *s, uint32_t start, uint32_t end)
{
	struct region *r = s->regions;
	while (r && r->next && r->next->start <= end) {
		struct region *next = r->next;
		if (r->end < start || !mergeable(r, next)) {
			r = next;
			continue;
		}
		r->end = next->end;
		r->file_bytes += next->file_bytes;
		r->next = next->next;
		region_free(next);
	}
}
