/* guestos/mm/pagecache.c: frames found by name.
 *
 *   (inode number, page)    contents of a file: read() and write() use it, and processes map it as text and data
 *   (OBJECT_DEVICE, block)  file-system metadata
 *   (OBJECT_SWAP, slot)     private memory that also has a copy in a swap slot; the name holds a reference to the slot
 *   (memory object, page)   shared memory without a file (object.c)
 *
 * Two processes that want the same page find the same frame, so text is shared and a page is read once.
 * Invariants: a name belongs to at most one frame. A BUSY frame is under transfer and pinned by whoever does it. A frame
 * named (OBJECT_SWAP, n) equals its slot: it is mapped read-only everywhere, and loses the name before it becomes writable.
 *
 * Dirty is known by faults. A CACHE frame that is not DIRTY is mapped read-only everywhere, also in shared writable regions; the
 * first write faults, gives a hole its block, marks the frame DIRTY and only then allows writing (fault.c). Writing the
 * frame back takes the right away again, so that the next write is told of. The other way would be to collect the
 * processor's dirty bits before looking at a frame; but then a disk that is full would be found out when the program's write is long
 * done, and everybody who asks whether a frame is dirty would have to walk its mappings. */
#include "mm.h"
#include "fs.h"
#include "proc.h"

static struct frame **buckets;
static uint32_t bucket_mask;

void cache_init(void)
{
	uint32_t n = 64;
	while (n * 4 < nr_frames)
		n *= 2;
	buckets = early_alloc(n * sizeof *buckets);
	bucket_mask = n - 1;
}

uint32_t cache_buckets(void) { return bucket_mask + 1; }
struct frame *cache_chain(uint32_t n) { return buckets[n]; }

uint32_t cache_bucket_of(uint32_t object, uint32_t index)
{
	return (object * 0x9e3779b1u + index) & bucket_mask;
}

static struct frame **bucket(uint32_t object, uint32_t index)
{
	return &buckets[cache_bucket_of(object, index)];
}

static struct frame *lookup(uint32_t object, uint32_t index)
{
	struct frame *f = *bucket(object, index);
	while (f && (f->object != object || f->index != index))
		f = f->next;
	return f;
}

static bool named(const struct frame *f)
{
	return lookup(f->object, f->index) == f;
}

void cache_name(struct frame *f, uint32_t object, uint32_t index)
{
	struct frame **head = bucket(object, index);
	f->object = object;
	f->index = index;
	f->next = *head;
	*head = f;
}

/* Harmless if it has none. Gives up the reference to a swap slot. */
void cache_forget_name(struct frame *f)
{
	if (!named(f))
		return;
	struct frame **link = bucket(f->object, f->index);
	while (*link != f)
		link = &(*link)->next;
	*link = f->next;
	f->next = NULL;
	if (f->object == OBJECT_SWAP)
		swap_put(f->index);
	f->object = f->index = 0;
}

static int transfer(struct frame *f, bool write)
{
	if (f->object == OBJECT_SWAP)
		return disk_swap(f->index, frame_pa(f), write);
	if (object_is_memory(f->object))
		return disk_swap(f->block, frame_pa(f), write);
	return disk_block(f->block, frame_pa(f), write);
}

bool cache_has(uint32_t object, uint32_t index) { return lookup(object, index); }
struct frame *cache_peek(uint32_t object, uint32_t index) { return lookup(object, index); }

struct frame *cache_find(uint32_t object, uint32_t index)
{
	may_sleep();
	for (;;) {
		struct frame *f = lookup(object, index);
		if (!f)
			return NULL;
		frame_pin(f);
		while (f->flags & FRAME_BUSY)
			frame_wait(f);
		if (f->object == object && f->index == index && !(f->flags & FRAME_ORPHAN)) {
			f->flags |= FRAME_REFERENCED;
			prefetch_used(f);
			return f;
		}
		frame_unpin(f);        /* it lost its name while we waited */
	}
}

/* 1 and a new, pinned, busy frame of that name; 0 and the frame that has it already; -ENOMEM. */
static int find_or_make(uint32_t object, uint32_t index, uint32_t block, struct frame **out)
{
	if ((*out = cache_find(object, index)))
		return 0;
	struct frame *f = frame_alloc(object & OBJECT_MEMORY ? ALLOC_USER : ALLOC_KERNEL);
	if (!f)
		return -ENOMEM;
	if (lookup(object, index)) {                   /* somebody made it while we slept */
		frame_free(f);
		return find_or_make(object, index, block, out);
	}
	frame_set_state(f, object == OBJECT_SWAP ? FRAME_ANON : FRAME_CACHE);
	frame_pin(f);
	f->flags = FRAME_BUSY | FRAME_REFERENCED;
	f->block = object_is_memory(object) ? object_slot(object, index) : block;
	cache_name(f, object, index);
	if (object == OBJECT_SWAP)
		swap_get(index);
	*out = f;
	return 1;
}

/* 1 if it was read from the disk, 0 if it was here, or a negative error. Block 0 of a file is a hole: zeroes. */
int cache_get(uint32_t object, uint32_t index, uint32_t block, struct frame **out)
{
	int made = find_or_make(object, index, block, out);
	if (made <= 0)
		return made;
	struct frame *f = *out;
	if (!f->block && object != OBJECT_DEVICE && object != OBJECT_SWAP) {
		memset(frame_va(f), 0, PAGE_SIZE);
		frame_wake(f);
		return 0;
	}
	int err = transfer(f, false);
	if (err) {
		cache_forget_name(f);
		f->flags |= FRAME_ORPHAN;
	}
	frame_wake(f);
	if (err)
		frame_unpin(f);
	return err ? err : 1;
}

/* For a block whose old contents do not matter. */
int cache_get_zeroed(uint32_t object, uint32_t index, uint32_t block, struct frame **out)
{
	int made = find_or_make(object, index, block, out);
	if (made < 0)
		return made;
	memset(frame_va(*out), 0, PAGE_SIZE);
	(*out)->block = block;
	if (made)
		frame_wake(*out);
	return 0;
}

/* A write under way is let finish: the block may get a new owner, whose data must not be overtaken on its way to the disk. */
static void remove_frame(struct frame *f)
{
	frame_pin(f);
	while (f->flags & FRAME_BUSY)
		frame_wait(f);
	rmap_unmap_all(f, 0);
	cache_forget_name(f);
	f->flags &= ~FRAME_DIRTY;
	f->flags |= FRAME_ORPHAN;
	frame_unpin(f);
}

/* The file no longer has these pages: processes that map them will fault. */
void cache_remove(uint32_t object, uint32_t index)
{
	struct frame *f = lookup(object, index);
	if (f)
		remove_frame(f);
}

void cache_remove_from(uint32_t object, uint32_t first_index)
{
	for (uint32_t i = 0; i < nr_frames; i++) {
		struct frame *f = &frames[i];
		if (f->state == FRAME_CACHE && f->object == object && f->index >= first_index && !(f->flags & FRAME_ORPHAN))
			remove_frame(f);
	}
	if (!object_is_memory(object))
		regions_forget(object, first_index);
}

/* Write a frame back. The caller has pinned it and set BUSY; a write that happens meanwhile marks it dirty again. */
int cache_write(struct frame *f)
{
	bool memory = object_is_memory(f->object);
	if (memory && !f->block)
		f->block = object_give_slot(f->object, f->index);
	int err = memory && !f->block ? -ENOSPC : 0;
	if (!err) {
		rmap_write_protect(f);
		f->flags &= ~FRAME_DIRTY;
		err = transfer(f, true);
		if (f->object != OBJECT_DEVICE && !memory)
			journal_in_place(f->block);
		memory ? vm.swap_outs++ : vm.writebacks++;
	}
	if (err && memory)
		f->flags |= FRAME_DIRTY;       /* it is nowhere else */
	frame_wake(f);
	return err;
}

static int sync_frame(struct frame *f)
{
	frame_pin(f);
	f->flags |= FRAME_BUSY;
	int err = cache_write(f);
	frame_unpin(f);
	return err;
}

/* A write that is under way may be older than the newest change: it is waited for. */
int cache_sync_range(uint32_t object, uint32_t first, uint32_t n)
{
	int err = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct frame *f = lookup(object, first + i);
		if (!f || !(f->flags & (FRAME_DIRTY | FRAME_BUSY)))
			continue;
		f = cache_find(object, first + i);
		if (!f)
			continue;
		int e = (f->flags & (FRAME_DIRTY | FRAME_LOGGED)) == FRAME_DIRTY ? sync_frame(f) : 0;
		frame_unpin(f);
		err = err ? err : e;
	}
	return err;
}

/* Also waits for writes that others have begun, so that a flush after this covers them. */
int cache_sync(bool metadata)
{
	int err = 0;
	for (uint32_t i = 0; i < nr_frames; i++) {
		struct frame *f = &frames[i];
		if (f->state != FRAME_CACHE || !(f->flags & (FRAME_DIRTY | FRAME_BUSY)) || object_is_memory(f->object)
		    || (f->object == OBJECT_DEVICE && !metadata))
			continue;
		frame_pin(f);
		while (f->flags & FRAME_BUSY)
			frame_wait(f);
		int e = (f->flags & (FRAME_DIRTY | FRAME_LOGGED | FRAME_ORPHAN)) == FRAME_DIRTY ? sync_frame(f) : 0;
		frame_unpin(f);
		err = err ? err : e;
	}
	return err;
}
