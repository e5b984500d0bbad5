/* emu/history/history_checkpoint.c: one checkpoint: taken, gone back to, compared with.
 *
 *   RAM      h->ram is what RAM held when last looked at; PHYS_DIRTY marks the pages written since
 *   state    machine_state_save(), cut into pages: most of them are as they were at the checkpoint before
 *   disks    history_disk.h
 *
 * Clearing a mark means that the next write to the page must be seen again: mmu_forget_writes(). The TLB stays as it is, since the guest
 * could notice what is in it.
 */
#define _GNU_SOURCE                        /* SEEK_DATA */
#include "emu/history/history_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATE_PAGES_MOST (1u << 20)

static uint64_t frames(const struct history *h) { return h->m->phys.ram_size >> PAGE_SHIFT; }
static uint8_t *frame_bytes(const struct history *h, uint64_t frame) { return h->m->phys.ram + (frame << PAGE_SHIFT); }

/* --- marks on pages of RAM ----------------------------------------------------------------------------------------- */

/* The first marked frame at or after from, or the number of frames. Looks at eight marks at a time. */
static uint64_t next_marked(const struct history *h, uint64_t from)
{
	const uint8_t *attr = h->m->phys.attr;
	uint64_t end = frames(h), eight;

	for (; from < end && from % 8; from++)
		if (attr[from] & PHYS_DIRTY)
			return from;
	for (; from + 8 <= end; from += 8) {
		memcpy(&eight, attr + from, 8);
		if (eight & PHYS_DIRTY * 0x0101010101010101ull)
			break;
	}
	while (from < end && !(attr[from] & PHYS_DIRTY))
		from++;
	return from;
}

static void unmark(struct history *h, uint64_t frame)
{
	h->m->phys.attr[frame] &= (uint8_t)~PHYS_DIRTY;
}

static void unmark_all(struct history *h)
{
	for (uint64_t f = next_marked(h, 0); f < frames(h); f = next_marked(h, f + 1))
		unmark(h, f);
	mmu_forget_writes(&h->m->mmu);
}

static int mark(void *owner, uint64_t frame)
{
	((struct history *)owner)->m->phys.attr[frame] |= PHYS_DIRTY;
	return 0;
}

/* Pages of the memory file that were never touched are holes in it; reading them would make them. */
void checkpoint_mark_all(struct history *h)
{
	const struct phys *phys = &h->m->phys;
	off_t size = (off_t)phys->ram_size;

	for (off_t at = lseek(phys->memfd, 0, SEEK_DATA), hole; at >= 0 && at < size; at = lseek(phys->memfd, hole, SEEK_DATA)) {
		hole = lseek(phys->memfd, at, SEEK_HOLE);
		for (off_t page = at >> PAGE_SHIFT; page << PAGE_SHIFT < hole; page++)
			mark(h, (uint64_t)page);
		if (hole < 0)
			break;
	}
}

/* --- taking ---------------------------------------------------------------------------------------------------------- */

static int gather_ram(struct history *h, uint64_t *stored)
{
	for (uint64_t f = next_marked(h, 0); f < frames(h); f = next_marked(h, f + 1)) {
		int r = page_tree_set(h->store, &h->ram, f, frame_bytes(h, f));
		if (r < 0)
			return r;
		*stored += (unsigned)r;
	}
	unmark_all(h);
	return 0;
}

static int gather_state(struct history *h, size_t *size, uint64_t *stored)
{
	struct bytes *b = &h->saved;

	b->size = 0;
	int err = machine_state_save(h->m, b);
	if (err)
		return err;
	*size = b->size;
	if (b->size > (size_t)STATE_PAGES_MOST * HISTORY_PAGE)
		return -E2BIG;
	uint8_t last[HISTORY_PAGE] = { 0 };
	size_t whole = b->size / HISTORY_PAGE;
	memcpy(last, b->data + whole * HISTORY_PAGE, b->size % HISTORY_PAGE);
	for (size_t i = 0; i <= whole; i++) {
		int r = page_tree_set(h->store, &h->state, i, i < whole ? b->data + i * HISTORY_PAGE : last);
		if (r < 0)
			return r;
		*stored += (unsigned)r;
	}
	return 0;
}

static int gather_disks(struct history *h)
{
	int err = 0;

	for (unsigned i = 0; i < MACHINE_DISKS && !err; i++)
		if (h->disk[i].file && !h->past)
			err = history_disk_gather(&h->disk[i]);
	return err;
}

static size_t input_entered(const struct history *h)
{
	return h->m->input.replaying ? h->m->input.position : h->m->input.count;
}

struct checkpoint *checkpoint_take(struct history *h, unsigned flags, uint64_t *stored, char *err)
{
	struct checkpoint *c = calloc(1, sizeof(*c));
	uint64_t pages = 0;

	int r = c ? gather_ram(h, &pages) : -ENOMEM;
	if (!r)
		r = gather_state(h, &c->state_size, &pages);
	if (!r)
		r = gather_disks(h);
	if (!r) {
		c->at = history_now(h);
		c->effort = history_effort(h->m);
		c->input = input_entered(h);
		c->serial = h->taken++;
		c->temporary = flags & CHECKPOINT_TEMPORARY;
		c->first_tick = flags & CHECKPOINT_FIRST_TICK;
		c->changed = flags & CHECKPOINT_CHANGED;
		r = list_add(h, c);
	}
	if (r) {
		snprintf(err, ERROR_LINE, "history: no checkpoint could be made: %s", strerror(-r));
		free(c);
		return NULL;
	}
	c->ram = page_tree_share(&h->ram);
	c->state = page_tree_share(&h->state);
	for (unsigned i = 0; i < MACHINE_DISKS; i++)
		if (h->disk[i].file)
			c->disk[i] = page_tree_share(&h->disk[i].now);
	h->pages_shared += frames(h) > pages ? frames(h) - pages : 0;
	if (stored)
		*stored = pages;
	return c;
}

void checkpoint_free(struct history *h, struct checkpoint *c)
{
	page_tree_drop(h->store, &c->ram);
	page_tree_drop(h->store, &c->state);
	for (unsigned i = 0; i < MACHINE_DISKS; i++)
		page_tree_drop(h->store, &c->disk[i]);
	free(c);
}

static void take_version(struct history *h, struct page_tree *t, const struct page_tree *version)
{
	struct page_tree taken = page_tree_share(version);

	page_tree_drop(h->store, t);
	*t = taken;
}

void checkpoint_rebase(struct history *h, const struct checkpoint *c)
{
	page_tree_diff(&h->ram, &c->ram, mark, h);
	take_version(h, &h->ram, &c->ram);
	take_version(h, &h->state, &c->state);
	for (unsigned i = 0; i < MACHINE_DISKS; i++)
		if (h->disk[i].file && !h->past)
			history_disk_rebase(&h->disk[i], &c->disk[i]);
}

/* --- going back to one ------------------------------------------------------------------------------------------------- */

struct restoring { struct history *h; const struct checkpoint *c; };

static int put_frame(struct history *h, const struct checkpoint *c, uint64_t frame)
{
	int r = page_tree_get(h->store, &c->ram, frame, frame_bytes(h, frame));

	if (!r)
		memset(frame_bytes(h, frame), 0, PAGE_SIZE);
	return r < 0 ? r : 0;
}

/* Marked pages come in their own turn. */
static int put_differing(void *owner, uint64_t frame)
{
	const struct restoring *r = owner;

	return r->h->m->phys.attr[frame] & PHYS_DIRTY ? 0 : put_frame(r->h, r->c, frame);
}

/* Failing half way it leaves all of RAM marked, so that another try puts all of it. */
static int restore_ram(struct history *h, const struct checkpoint *c)
{
	struct restoring r = { h, c };
	int err = page_tree_diff(&h->ram, &c->ram, put_differing, &r);

	for (uint64_t f = next_marked(h, 0); f < frames(h) && !err; f = next_marked(h, f + 1))
		err = put_frame(h, c, f);
	if (err)
		checkpoint_mark_all(h);
	else
		take_version(h, &h->ram, &c->ram);
	return err;
}

/* The saved state of a checkpoint, put together again in h->wanted. */
static int join_state(struct history *h, const struct checkpoint *c)
{
	struct bytes *b = &h->wanted;
	size_t room = c->state_size + HISTORY_PAGE;

	if (b->capacity < room) {
		uint8_t *grown = realloc(b->data, room);
		if (!grown)
			return -ENOMEM;
		b->data = grown;
		b->capacity = room;
	}
	for (size_t i = 0; i * HISTORY_PAGE < c->state_size; i++)
		if (page_tree_get(h->store, &c->state, i, b->data + i * HISTORY_PAGE) < 0)
			return -EIO;
	b->size = c->state_size;
	return 0;
}

int checkpoint_restore(struct history *h, const struct checkpoint *c, char *err)
{
	int r = join_state(h, c);

	h->lost = true;
	if (!r)
		r = restore_ram(h, c);
	if (r) {
		snprintf(err, ERROR_LINE, "history: %s", r == -ENOMEM ? "out of memory" : "the file that pages were moved to has lost some");
		return -1;
	}
	if (machine_state_load(h->m, h->wanted.data, h->wanted.size, err))
		return -1;
	unmark_all(h);
	take_version(h, &h->state, &c->state);
	for (unsigned i = 0; i < MACHINE_DISKS; i++)
		if (h->disk[i].file)
			history_disk_restore(&h->disk[i], &c->disk[i], h->past);
	if (h->past || !h->live_input)
		input_rewind(&h->m->input, c->input);
	else
		input_resume(&h->m->input);
	h->restores++;
	h->lost = false;
	return 0;
}

/* --- comparing ----------------------------------------------------------------------------------------------------------- */

struct comparing {
	struct history *h;
	const struct checkpoint *c;
	unsigned disk;
	char *what;                    /* ERROR_LINE - 128 bytes */
};

#define WHAT_ROOM (ERROR_LINE - 128)

static bool frame_differs(const struct comparing *p, uint64_t frame)
{
	uint64_t found = p->h->m->phys.attr[frame] & PHYS_DIRTY ? page_hash(frame_bytes(p->h, frame)) : page_tree_hash(&p->h->ram, frame);

	return found != page_tree_hash(&p->c->ram, frame);
}

static int compare_frame(void *owner, uint64_t frame)
{
	const struct comparing *p = owner;
	uint8_t wanted[HISTORY_PAGE] = { 0 };
	unsigned i = 0;

	if (!frame_differs(p, frame))
		return 0;
	const uint8_t *found = frame_bytes(p->h, frame);
	page_tree_get(p->h->store, &p->c->ram, frame, wanted);
	while (i < HISTORY_PAGE - 1 && wanted[i] == found[i])
		i++;
	snprintf(p->what, WHAT_ROOM, "memory at physical 0x%08llx is 0x%02x and was 0x%02x",
		(unsigned long long)(frame << PAGE_SHIFT) + i, found[i], wanted[i]);
	return -1;
}

static int compare_ram(struct comparing *p)
{
	struct history *h = p->h;
	int r = page_tree_diff(&h->ram, &p->c->ram, compare_frame, p);

	for (uint64_t f = next_marked(h, 0); f < frames(h) && !r; f = next_marked(h, f + 1))
		r = compare_frame(p, f);
	return r;
}

static int compare_block(void *owner, uint64_t block)
{
	const struct comparing *p = owner;
	const struct history_disk *d = &p->h->disk[p->disk];

	if (history_disk_hash(d, &d->now, block) == history_disk_hash(d, &p->c->disk[p->disk], block))
		return 0;
	snprintf(p->what, WHAT_ROOM, "disk %u has other bytes in sectors %llu to %llu", p->disk,
		(unsigned long long)block * 8, (unsigned long long)block * 8 + 7);
	return -1;
}

static int compare_disks(struct comparing *p)
{
	int r = 0;

	for (p->disk = 0; p->disk < MACHINE_DISKS && !r; p->disk++)
		if (p->h->disk[p->disk].file)
			r = page_tree_diff(&p->h->disk[p->disk].now, &p->c->disk[p->disk], compare_block, p);
	return r;
}

static int compare_state(struct comparing *p)
{
	struct history *h = p->h;
	char name[128];

	h->saved.size = 0;
	if (machine_state_save(h->m, &h->saved) || join_state(h, p->c)) {
		snprintf(p->what, WHAT_ROOM, "it could not be compared: there is too little memory, or the file that pages were moved to has lost some");
		return -1;
	}
	const char *differs = machine_state_compare(&h->saved, &h->wanted, name, sizeof(name));
	if (differs)
		snprintf(p->what, WHAT_ROOM, "%s differs", differs);
	return differs ? -1 : 0;
}

bool checkpoint_verify(struct history *h, const struct checkpoint *c, char *err)
{
	char what[WHAT_ROOM] = "";
	struct comparing p = { .h = h, .c = c, .what = what };

	if (compare_state(&p) || compare_ram(&p) || compare_disks(&p)) {
		snprintf(err, ERROR_LINE, "running again from the past gave something else at instruction %llu: %s",
			(unsigned long long)c->at.icount, what);
		return false;
	}
	take_version(h, &h->ram, &c->ram);
	take_version(h, &h->state, &c->state);
	unmark_all(h);
	return true;
}
