/* guestos/mm/frame.c: every 4 KB of RAM has a struct frame that says who uses it; the free ones are on a list.
 *
 * When the list runs low, frame_alloc() asks evict.c for a victim and may therefore sleep. User memory may not take the last
 * RESERVE frames: they let the file system and the swap path, whose work frees memory, go on.
 * Invariants: nr_in_state[s] counts the frames in state s; a FREE frame has no refs, pins, name or busy flag;
 *   a frame fresh from frame_alloc() is in state KERNEL, so it is never a victim until it is given another one.
 *
 * What keeps a frame as it is while somebody sleeps (the lock of a frame is these two, and a third that says it came too late):
 *   pins    the frame stays, and stays this page: it is no victim and not freed. Whoever sleeps and wants it afterwards pins it first, and so
 *           does who waits for a transfer, so that no frame is given away under the disk's hands. A pin does not keep mappings.
 *   BUSY    a transfer is under way. Set only on a frame that is pinned and not BUSY; others pin it, wait, and look again whether it still has
 *           the name they came for.
 *   ORPHAN  its file has lost it while somebody had it pinned: it is mapped no more, never written, and goes with the last pin.
 * Nothing else is locked, since between two sleeps nobody else runs. So:
 *   two faults on one page              the first makes the frame under its name, BUSY; the second finds the name and waits. Who got
 *                                       memory for a frame looks again whether the name has come meanwhile (pagecache.c).
 *   a fault on a page being written     its entries name the slot already; the name leads to the frame, and it is taken back
 *   fork while pages are evicted        reads an entry only when nothing is left to sleep for (cow.c)
 *   exit, exec, munmap meanwhile        drop references to frames and slots; the frame goes when its transfer's pin does
 *   truncation, unlink                  wait until the frame is not BUSY, since its block may get another owner; unmap; ORPHAN
 *   a copy, a new mapping               compares the entry, and looks for ORPHAN, after the last sleep (cow.c, fault.c)
 * The descriptors live just after the kernel image, taken by early_alloc() before there is an allocator. */
#include "mm.h"
#include "proc.h"
#include "x86.h"

#define RESERVE 8u
#define RETRIES 300

extern char kernel_end[];
struct frame *frames, *zero_frame;
uint32_t nr_frames, nr_free, nr_usable, nr_pinned, nr_in_state[FRAME_STATES];
struct vm_counters vm;
static struct frame *free_list;
static uint32_t early_end;

/* Memory that is never given back; only before frame_init() has built the free list. */
void *early_alloc(uint32_t bytes)
{
	if (!early_end)
		early_end = (uint32_t)kernel_end;
	void *p = (void *)early_end;
	early_end += (bytes + 15) & ~15u;
	if (virt_to_phys((void *)early_end) > memory_top())
		panic("not enough memory for the kernel's own tables");
	memset(p, 0, bytes);
	return p;
}

paddr_t frame_pa(const struct frame *f) { return (f - frames) << PAGE_SHIFT; }

struct frame *frame_of(paddr_t pa)
{
	KASSERT(pa >> PAGE_SHIFT < nr_frames);
	return &frames[pa >> PAGE_SHIFT];
}

struct frame *free_frames(void) { return free_list; }

void frame_set_state(struct frame *f, enum frame_state s)
{
	bool held = frame_holds_page(f);
	nr_in_state[f->state]--;
	nr_in_state[s]++;
	if (f->state == FRAME_KERNEL)
		f->index = f->block = 0;
	f->state = s;
	if (!held && frame_holds_page(f) && evict_policy->page_in)
		evict_policy->page_in(f);
	if (held && !frame_holds_page(f) && evict_policy->page_out)
		evict_policy->page_out(f);
}

static void add_range(uint32_t start, uint32_t end)
{
	for (start = max(page_up(start), PAGE_SIZE); start + PAGE_SIZE <= end && start >> PAGE_SHIFT < nr_frames; start += PAGE_SIZE) {
		bool kernel = start >= 0x100000 && start < page_up(early_end - KERNEL_BASE);
		struct frame *f = frame_of(start);
		if (f->state != FRAME_RESERVED)
			continue;
		nr_usable++;
		if (!kernel) {
			f->next = NULL;
			frame_free(f);
		}
	}
}

void frame_init(void)
{
	nr_frames = memory_top() >> PAGE_SHIFT;
	nr_in_state[FRAME_RESERVED] = nr_frames;
	frames = early_alloc(nr_frames * sizeof *frames);
	cache_init();
	memory_each(add_range);
	zero_frame = frame_alloc(ALLOC_KERNEL);
	frame_set_state(zero_frame, FRAME_ZERO);
	memset(frame_va(zero_frame), 0, PAGE_SIZE);
}

/* Until the frame gets a state of its own, block and index say which process asked for it, in which of its entries into the kernel:
 * if nothing refers to it, that process must still be at it. */
struct frame *frame_alloc(unsigned how)
{
	uint32_t reserve = how == ALLOC_USER ? RESERVE : 0;
	may_evict();
	for (int waits = 0; nr_free <= reserve;) {
		if (current && current->killed && (how == ALLOC_USER || waits > 30))
			return NULL;
		if (evict_one())
			continue;
		if (!current || ++waits > RETRIES)
			return NULL;
		/* Nothing to evict: either everything is busy for a moment, or memory and swap are full. */
		if (waits == 20 || waits == 120)
			proc_oom_kill();
		sleep_ticks(&free_list, 1, false);
	}
	struct frame *f = free_list;
	free_list = f->next;
	nr_free--;
	KASSERT(!f->refs && !f->pins);
	frame_set_state(f, FRAME_KERNEL);
	f->next = NULL;
	f->maps = NULL;
	f->flags = 0;
	f->object = 0;
	f->block = current ? current->pid : 0;
	f->index = current ? current->entries : 0;
	return f;
}

void frame_free(struct frame *f)
{
	KASSERT(f->state != FRAME_FREE && !f->refs && !f->pins && !(f->flags & FRAME_BUSY));
	prefetch_gone(f);
	frame_set_state(f, FRAME_FREE);
	f->next = free_list;
	free_list = f;
	nr_free++;
}

void frame_wait(struct frame *f)
{
	if (f->flags & FRAME_BUSY)
		sleep_uninterruptible(f);
}

void frame_wake(struct frame *f)
{
	f->flags &= ~FRAME_BUSY;
	wakeup(f);
}

/* Processes pin frames while they sleep over them, and write down which, so that every pin has an owner. A process needs a few at
 * a time; one too many would be pinned all the same, but check.c would not know whose pin it is. */
static void write_down(struct frame *from, struct frame *to)
{
	for (int i = 0; current && i < MAX_PINS; i++)
		if (current->pins[i] == from) {
			current->pins[i] = to;
			return;
		}
}

void frame_lock(struct frame *f)
{
	if (!f->pins++)
		nr_pinned++;
}

void frame_pin(struct frame *f)
{
	write_down(NULL, f);
	frame_lock(f);
}

void frame_unpin(struct frame *f)
{
	write_down(f, NULL);
	frame_unlock(f);
}

/* The last pin may be all that kept the frame: one that no process maps any more, or that its file has lost. */
void frame_unlock(struct frame *f)
{
	KASSERT(f->pins);
	if (--f->pins)
		return;
	nr_pinned--;
	if (f->refs || (f->flags & FRAME_BUSY))
		return;
	if (f->state == FRAME_ANON && f->flags & FRAME_AHEAD && swap_refs(f->index) > 1)
		return;                        /* read ahead: an entry still names its slot */
	if (f->state == FRAME_ANON) {
		cache_forget_name(f);
		frame_free(f);
	} else if (f->flags & FRAME_ORPHAN) {
		frame_free(f);
	}
}

const char *frame_state_name(unsigned state)
{
	static const char *const names[FRAME_STATES] = {
		"reserved", "free", "kernel", "heap", "table", "anon", "cache", "zero",
	};
	return names[state];
}
