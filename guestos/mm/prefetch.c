/* guestos/mm/prefetch.c: pages that come before they are asked for.
 *
 *   fault-around   a fault on a file's page also maps those of its neighbours that are in memory: no disk, fewer faults
 *   read-ahead     whoever goes on where it was before (by faults in a region, by read() in a file) finds the next pages read
 *   on request     madvise(WILLNEED)
 *
 *   advice         fault-around   read-ahead
 *   NORMAL         yes            a window that doubles each time it was used up in order, and is gone at the first jump
 *   SEQUENTIAL     yes            the largest window at once; what lies behind is dropped
 *   RANDOM         no             no
 *
 * Read-ahead brings pages into the page cache under their names and maps nothing, so nobody can tell whether a page was read ahead
 * or used before by somebody else. It never goes beyond the end of the file or the region, nor makes pages for holes. In swap it follows
 * addresses, which pages swapped out together have in common with their slots; a slot does not tell whose page it holds.
 * A guess takes a page from nobody: it uses free frames, of which it leaves LEAVES, or clean pages of files that no process maps.
 *
 * Books: FRAME_AHEAD is on a frame from its reading until its first use (a hit) or its end (waste), and vm.ahead_reads == hits + waste +
 * nr_ahead. A use is a fault or a read() that finds the frame by its name; if fault-around has mapped it before, it is the Accessed bit
 * of an entry, which whoever clears it reports here. A private page that was read ahead stays, mapped by nobody, as long as an
 * entry names its slot. Simplified: the pages of a window are read one by one, within the fault or the read() that shows the order. */
#include "mm.h"
#include "fs.h"
#include "proc.h"

#define LEAVES 32u                     /* frames that stay free: a few faults' worth */
#define AROUND (16 * PAGE_SIZE)        /* aligned, so all of it is in one page table */
#define FIRST_WINDOW 4u                /* pages */
#define NORMAL_WINDOW 16u
#define SEQUENTIAL_WINDOW 32u
#define BEHIND (2 * SEQUENTIAL_WINDOW * PAGE_SIZE)

uint32_t nr_ahead;
static bool off;

/* ---- the books ---- */

void prefetch_mark(struct frame *f)
{
	if (f->flags & FRAME_AHEAD)
		return;
	f->flags |= FRAME_AHEAD;
	nr_ahead++;
	vm.ahead_reads++;
}

static void unmark(struct frame *f, uint32_t *counter)
{
	if (!(f->flags & FRAME_AHEAD))
		return;
	f->flags &= ~FRAME_AHEAD;
	nr_ahead--;
	++*counter;
}

void prefetch_used(struct frame *f) { unmark(f, &vm.ahead_hits); }

void prefetch_gone(struct frame *f)
{
	if (f->flags & FRAME_AHEAD)
		unmark(f, rmap_any(f, PG_A | PG_SEEN) ? &vm.ahead_hits : &vm.ahead_waste);
}

/* An entry that named the slot is gone. If only the name of a frame that nobody ever used is left, the frame goes. If it is pinned, it is
 * just being read, and goes when the reader unpins it. */
void prefetch_slot_put(uint32_t slot)
{
	struct frame *f = swap_refs(slot) == 1 ? cache_peek(OBJECT_SWAP, slot) : NULL;
	if (!f || !(f->flags & FRAME_AHEAD) || f->refs || f->pins)
		return;
	cache_forget_name(f);
	frame_free(f);
}

/* Uses of pages that were mapped by fault-around are known only to the processor until somebody looks. */
void prefetch_find_uses(void)
{
	for (uint32_t i = 0, left = nr_ahead; i < nr_frames && left; i++)
		if (frame_holds_page(&frames[i]) && frames[i].flags & FRAME_AHEAD) {
			left--;
			if (rmap_any(&frames[i], PG_A | PG_SEEN))
				prefetch_used(&frames[i]);
		}
}

void prefetch_show(struct text *t, struct proc *p)
{
	(void)p;
	prefetch_find_uses();
	print(t, "%s\n\nbrought ahead %8u\nhits          %8u\nwaste         %8u\nnot used yet  %8u\n", off ? "off" : "on", vm.ahead_reads, vm.ahead_hits,
		vm.ahead_waste, nr_ahead);
	print(t, "mapped around %8u\ndropped behind%8u\n", vm.around_maps, vm.behind_drops);
}

int prefetch_switch(const char *word)
{
	if (strcmp(word, "on") && strcmp(word, "off"))
		return -EINVAL;
	off = word[1] == 'f';
	return 0;
}

/* ---- bringing ---- */

/* A frame for a guess? Looking for a page to drop costs a walk over all frames. As long as it finds none it is done more and more seldom: a
 * program that reads more than memory holds would else spend its time so. */
#define LONGEST_PAUSE 15u              /* ticks */

static bool room(void)
{
	static uint32_t next_look, pause;
	if (current->killed)
		return false;
	while (nr_free <= LEAVES) {
		if ((int32_t)(ticks - next_look) < 0)
			return false;
		if (!evict_unmapped()) {
			pause = min(2 * pause + 1, LONGEST_PAUSE);
			next_look = ticks + pause;
			return false;
		}
		pause = 0;
	}
	return true;
}

static int bring_named(uint32_t object, uint32_t index)
{
	struct frame *f;
	if (cache_has(object, index))
		return 0;
	if (!room())
		return -ENOMEM;
	int got = cache_get(object, index, 0, &f);
	if (got < 0)
		return got;
	if (got) {
		vm.swap_ins++;
		prefetch_mark(f);
	}
	frame_unpin(f);
	return 0;
}

static int bring_from_file(struct inode *ip, uint32_t index)
{
	return cache_has(ip->ino, index) || room() ? pfs_page_ahead(ip, index) : -ENOMEM;
}

/* Only the process itself changes its regions and adds entries, so both stay as they are while this sleeps. 0 or a reason to stop. */
static int bring(struct space *s, struct region *r, uint32_t la)
{
	const pte_t *pte = pte_find(s, la);
	if (pte && *pte & PG_P)
		return 0;
	if (pte && pte_swapped(*pte))
		return bring_named(OBJECT_SWAP, PTE_SLOT(*pte));
	if (r->object)
		return object_in_swap(r->object, region_page_at(r, la)) ? bring_named(r->object->id, region_page_at(r, la)) : 0;
	return region_from_file(r, la) ? bring_from_file(r->inode, region_page_at(r, la)) : 0;
}

/* madvise(WILLNEED): on request, so also when switched off. */
void prefetch_range(struct space *s, struct region *r, uint32_t start, uint32_t end)
{
	for (uint32_t la = start; la < end && r->prot && room(); la += PAGE_SIZE)
		bring(s, r, la);
}

/* ---- read-ahead ---- */

/* Page is used now. How many pages after it shall be read? In order is the page after the last one, or one that was read
 * ahead: with fault-around not every page faults. */
static uint32_t window_after(struct ahead *a, uint32_t page, unsigned advice)
{
	if (page == a->last && page < a->end)
		return 0;
	bool in_order = page == a->last + 1 || (page > a->last && page <= a->end);
	a->last = page;
	if (advice == MADV_SEQUENTIAL) {
		a->window = SEQUENTIAL_WINDOW;
	} else if (!in_order) {
		a->window = 0;
	} else if (page + 1 >= a->end) {
		a->window = a->window ? min(2u * a->window, NORMAL_WINDOW) : FIRST_WINDOW;
	}
	if (!in_order || page >= a->end)
		a->end = page + 1;
	return page + 1 >= a->end ? a->window : 0;
}

static void read_ahead(struct space *s, struct region *r, uint32_t la)
{
	uint32_t n = window_after(&r->ahead, region_page_at(r, la), r->advice);
	n = min(n, (r->end - la) / PAGE_SIZE - 1);
	for (uint32_t i = 1; i <= n; i++) {
		if (bring(s, r, la + i * PAGE_SIZE) < 0)
			return;
		r->ahead.end = region_page_at(r, la) + i + 1;
	}
}

/* read() has used a page of the file. */
void prefetch_read(struct file *file, uint32_t page)
{
	uint32_t n = off ? 0 : window_after(&file->ahead, page, MADV_NORMAL);
	for (uint32_t i = 1; i <= n; i++) {
		if (bring_from_file(file->inode, page + i) < 0)
			return;
		file->ahead.end = page + i + 1;
	}
}

/* ---- around and behind ---- */

/* The frame in memory that may be mapped at la, which is not mapped yet. Where zeroes begin within a writable page it is not the file's. */
static struct frame *mappable(struct space *s, struct region *r, uint32_t la)
{
	const pte_t *pte = pte_find(s, la);
	if (!pte || *pte || !region_from_file(r, la) || (region_writable(r) && r->file_bytes - (la - r->start) < PAGE_SIZE))
		return NULL;
	struct frame *f = cache_peek(r->inode->ino, region_page_at(r, la));
	return f && !(f->flags & (FRAME_BUSY | FRAME_ORPHAN)) ? f : NULL;
}

/* Entries are made without Accessed: nobody has used the pages yet, and eviction may take them first. */
static void map_around(struct space *s, struct region *r, uint32_t la)
{
	uint32_t first = la & ~(AROUND - 1), limit = current->rlimits[RLIMIT_RSS].soft >> PAGE_SHIFT;
	for (uint32_t at = max(first, r->start); at < min(first + AROUND, r->end) && s->rss < limit; at += PAGE_SIZE) {
		if (!mappable(s, r, at))
			continue;
		struct rmap *m = kmalloc(sizeof *m);
		struct frame *f = m ? mappable(s, r, at) : NULL;       /* again: it may have slept */
		if (!f) {
			kfree(m);
			continue;
		}
		f->refs++;
		rmap_add(f, m, s, at);
		pte_set(s, at, pte_find(s, at), frame_pa(f) | PG_P | PG_U);
		vm.around_maps++;
	}
}

/* Pages of the file that this process alone has used, and will not use again. What others map or somebody changed stays. */
static void drop_behind(struct space *s, struct region *r, uint32_t la)
{
	for (uint32_t at = max(r->start, la - min(la, BEHIND)); at + PAGE_SIZE < la; at += PAGE_SIZE) {
		pte_t *pte = pte_find(s, at);
		struct frame *f = pte && *pte & PG_P ? frame_of(PTE_FRAME(*pte)) : NULL;
		if (!f || f->state != FRAME_CACHE || f->refs != 1 || f->pins || f->flags & (FRAME_BUSY | FRAME_DIRTY))
			continue;
		pte_zap(s, at, pte);
		evict_clean(f);
		vm.behind_drops++;
	}
}

/* A page that was absent has been mapped at la. May sleep. */
void prefetch_fault(struct space *s, struct region *r, uint32_t la, bool write)
{
	if (off || r->advice == MADV_RANDOM || (!r->inode && !r->object && !s->swapped))
		return;
	read_ahead(s, r, la);
	if (r->locked)
		return;                        /* pages that come there are pinned, one by one */
	if (r->inode && !write)
		map_around(s, r, la);
	if (r->inode && r->advice == MADV_SEQUENTIAL)
		drop_behind(s, r, la);
}
