/* demo/collector.c: the collector of gc.c.
 *
 *   the new half:  | copies: scanned, open | copies: not scanned, closed | free | new objects, open |
 *                  0                                        copy_page           new_page      GC_PAGES
 *
 * Invariants: the program can reach only pages that hold no pointers into the old half. fill[p] bytes of page p hold objects. A page that
 * has been scanned takes no more copies. SIGALRM's handler does nothing while the allocator is at work. */
#include "gc.h"

#include <complain.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>
#include <vm.h>

#define TICK_US 10000
#define HEAP_FILE "/tmp/gc-heap"

struct half { char *seen, *window; };  /* the program's view, and the collector's */

void *gc_roots[64];
struct gc_statistics gc_statistics;

static struct half old, new;
static uint32_t fill[GC_PAGES];
static bool scanned[GC_PAGES];
static uint32_t copy_page, new_page;
static unsigned nr_roots;
static volatile bool collecting, allocating;
static long scanned_now, copied_now;

bool gc_collecting(void) { return collecting; }

static _Noreturn void give_up(const char *why)
{
	printf("   the collector gives up: %s\n", why);
	exit(1);
}

static void set_protection(char *start, uint32_t pages, int protection)
{
	if (mprotect(start, pages * PAGE_SIZE, protection) < 0)
		exit(complain("mprotect"));
}

static bool lies_in(const struct half *h, const void *p) { return (char *)p >= h->seen && (char *)p < h->seen + GC_PAGES * PAGE_SIZE; }
static struct object *through_window(const struct half *h, void *p) { return (struct object *)((char *)p - h->seen + h->window); }

/* Copying */

static uint32_t room_for_copy(uint32_t bytes)
{
	if (scanned[copy_page] || fill[copy_page] + bytes > PAGE_SIZE)
		copy_page++;
	if (copy_page >= new_page)
		give_up("the heap is too small for what is alive");
	uint32_t at = copy_page * PAGE_SIZE + fill[copy_page];
	fill[copy_page] += bytes;
	return at;
}

/* The new address of what p points to. */
static void *forward(void *p)
{
	if (!p || !lies_in(&old, p))
		return p;
	struct object *o = through_window(&old, p);
	if (!o->moved_to) {
		uint32_t at = room_for_copy(o->bytes);
		memcpy(new.window + at, o, o->bytes);
		o->moved_to = (struct object *)(new.seen + at);
		copied_now++;
	}
	return o->moved_to;
}

static void end_collection(void)
{
	struct gc_statistics *s = &gc_statistics;

	collecting = false;
	s->collections++;
	s->copied += copied_now;
	if (scanned_now > s->longest_collection)
		s->longest_collection = scanned_now;
	if (copied_now > s->longest_alive)
		s->longest_alive = copied_now;
}

/* A page that nobody has scanned, or GC_PAGES. */
static uint32_t unscanned_page(void)
{
	for (uint32_t p = 0; p <= copy_page; p++)
		if (!scanned[p] && fill[p])
			return p;
	return GC_PAGES;
}

/* If copies go to this very page, they are scanned along, until the page is full. */
static void scan(uint32_t page)
{
	char *start = new.window + page * PAGE_SIZE, *p = start;

	while (p < start + fill[page]) {
		struct object *o = (struct object *)p;
		void **field = (void **)(o + 1);
		for (int i = 0; i < o->pointers; i++)
			field[i] = forward(field[i]);
		p += o->bytes;
	}
	scanned[page] = true;
	set_protection(new.seen + page * PAGE_SIZE, 1, PROT_READ | PROT_WRITE);
	scanned_now++;
	if (unscanned_page() == GC_PAGES)
		end_collection();
}

/* The two ways in */

static void touched(int signal, siginfo_t *info, void *context)
{
	uint32_t page = ((char *)info->si_addr - new.seen) / PAGE_SIZE;

	(void)signal;
	if (!collecting || !lies_in(&new, info->si_addr) || scanned[page] || !fill[page] || page >= new_page) {
		printf("   a stray access to %p, eip 0x%08x%s\n", info->si_addr, (unsigned)context_of(context)->eip,
			lies_in(&old, info->si_addr) ? ", in the old half" : "");
		exit(1);
	}
	scan(page);
	gc_statistics.by_fault++;
	if (gc_statistics.longest_stop < 1)
		gc_statistics.longest_stop = 1;
}

static void tick(int signal)
{
	(void)signal;
	if (!collecting || allocating)
		return;
	gc_statistics.by_timer++;
	scan(unscanned_page());
}

/* Allocating */

static void flip(void)
{
	struct half h = old;

	old = new;
	new = h;
	memset(fill, 0, sizeof(fill));
	memset(scanned, 0, sizeof(scanned));
	copy_page = 0;
	new_page = GC_PAGES;
	scanned_now = copied_now = 0;
	set_protection(old.seen, GC_PAGES, PROT_NONE);
	set_protection(new.seen, GC_PAGES, PROT_NONE);
	for (unsigned i = 0; i < nr_roots; i++)
		gc_roots[i] = forward(gc_roots[i]);
	collecting = fill[0];
}

/* One more page for new objects. If copies and new objects meet, the rest of the collection cannot wait. */
static void take_page(void)
{
	long before = scanned_now;

	if (new_page <= copy_page + 2) {
		for (; collecting; gc_statistics.by_need++)
			scan(unscanned_page());
		if (scanned_now - before > gc_statistics.longest_stop)
			gc_statistics.longest_stop = scanned_now - before;
		flip();
	}
	if (--new_page <= copy_page + 1)
		give_up("the heap is too small for what is alive");
	fill[new_page] = 0;
	scanned[new_page] = true;
	set_protection(new.seen + new_page * PAGE_SIZE, 1, PROT_READ | PROT_WRITE);
}

void *gc_alloc(uint32_t bytes, unsigned pointers)
{
	allocating = true;
	if (new_page == GC_PAGES || fill[new_page] + bytes > PAGE_SIZE)
		take_page();
	struct object *o = (struct object *)(new.seen + new_page * PAGE_SIZE + fill[new_page]);
	fill[new_page] += bytes;
	memset(o, 0, bytes);
	o->bytes = bytes;
	o->pointers = pointers;
	gc_statistics.allocated++;
	allocating = false;
	return o;
}

static struct half map_twice(int fd, off_t at)
{
	uint32_t n = GC_PAGES * PAGE_SIZE;
	struct half h = {mmap(NULL, n, PROT_NONE, MAP_SHARED, fd, at), mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, at)};

	if (h.seen == MAP_FAILED || h.window == MAP_FAILED)
		exit(complain("mmap"));
	return h;
}

void gc_start(unsigned roots)
{
	struct sigaction on_fault = {.sa_sigaction = touched, .sa_flags = SA_SIGINFO, .sa_mask = sigmask(SIGALRM)};
	struct sigaction on_tick = {.sa_handler = tick, .sa_flags = SA_RESTART};
	struct itimerval timer = {{0, TICK_US}, {0, TICK_US}};
	int fd = open(HEAP_FILE, O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || ftruncate(fd, 2 * GC_PAGES * PAGE_SIZE) < 0)
		exit(complain(HEAP_FILE));
	new = map_twice(fd, 0);
	old = map_twice(fd, GC_PAGES * PAGE_SIZE);
	close(fd);
	unlink(HEAP_FILE);
	new_page = GC_PAGES;
	nr_roots = roots;
	sigaction(SIGSEGV, &on_fault, NULL);
	sigaction(SIGALRM, &on_tick, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

void gc_stop(void)
{
	struct itimerval never = {{0, 0}, {0, 0}};
	setitimer(ITIMER_REAL, &never, NULL);
}
