/* vmtest/swap.c: more data than memory, in every order, by several processes at once; and the end of swap. */
#include "vmtest.h"
#include "settings.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char *heap;
static uint32_t n;

static void fill(void)
{
	n = pressure_pages();
	heap = grow_heap(n);
	stamp_pages(heap, n, 1);
}

static void linear(void)
{
	long outs = vm_counter("swap_outs"), evictions = vm_counter("evictions");
	fill();
	check_pages(heap, n, 1);
	outs = vm_counter("swap_outs") - outs;
	evictions = vm_counter("evictions") - evictions;
	if (n <= memory_pages()) {
		note("%u pages in order; this machine has %u, so nothing had to leave", (unsigned)n, (unsigned)memory_pages());
		return;
	}
	CHECK(outs >= (long)(n - memory_pages()) && evictions >= (long)(n - memory_pages()), "%u pages in %u: %ld swapped out, %ld evicted",
		(unsigned)n, (unsigned)memory_pages(), outs, evictions);
}

static uint32_t word_in(uint32_t page) { return *(volatile uint32_t *)(heap + page * PAGE_SIZE); }

static void backward(void)
{
	fill();
	for (uint32_t i = n; i-- > 0;)
		CHECK_EQ(word_in(i), stamp(i * 3, 1));
}

/* Random pages of a working set 1/4 larger than memory, half of the accesses writing. */
static void shuffled(void)
{
	uint32_t seed = 4711;

	n = memory_pages() / 4 * 5;
	n = n < 6000 ? n : 6000;
	heap = grow_heap(n);
	for (uint32_t i = 0; i < n; i++)
		*(volatile uint32_t *)(heap + i * PAGE_SIZE) = i;
	for (uint32_t turn = 0; turn < 6000; turn++) {
		uint32_t page = next_random(&seed) % n, word = word_in(page);
		CHECK(word % n == page, "page %u holds the word of page %u", (unsigned)page, (unsigned)(word % n));
		if (seed & 0x10000)
			*(volatile uint32_t *)(heap + page * PAGE_SIZE) = word + n;
	}
}

/* A page read again and not changed needs no second write to swap: however often all are evicted, each is written once, and a few pages of
 * others with them. Where memory is large it is made short for this process alone: its pages go the same way. */
static void clean_not_rewritten(void)
{
	uint32_t frames = memory_pages();
	long outs = vm_counter("swap_outs"), evictions = vm_counter("evictions");

	if (frames > 6000) {
		frames = 600;
		limit_here(frames);
	}
	n = frames / 4 * 5;
	heap = grow_heap(n);
	stamp_pages(heap, n, 1);
	for (int pass = 0; pass < 20 && vm_counter("evictions") - evictions < 2 * (long)n; pass++)
		check_pages(heap, n, 1);
	outs = vm_counter("swap_outs") - outs;
	evictions = vm_counter("evictions") - evictions;
	CHECK(evictions >= 2 * (long)n, "only %ld evictions of %u pages", evictions, (unsigned)n);
	CHECK(outs <= (long)n / 4 * 5, "%ld of %ld evictions of %u unchanged pages wrote to swap", outs, evictions, (unsigned)n);
}

static void worker(void *who)
{
	uint32_t pages = memory_pages() / 3, seed = (uint32_t)who * 77 + 1;

	pages = pages < 3000 ? pages : 3000;
	char *mine = grow_heap(pages);
	for (uint32_t turn = 0; turn < 3; turn++) {
		stamp_pages(mine, pages, (uint32_t)who + turn * 16);
		for (int i = 0; i < 100; i++) {
			uint32_t page = next_random(&seed) % pages;
			CHECK_EQ(*(volatile uint32_t *)(mine + page * PAGE_SIZE), stamp(page * 3, (uint32_t)who + turn * 16));
		}
		check_pages(mine, pages, (uint32_t)who + turn * 16);
	}
}

static void parallel(void)
{
	enum { WORKERS = 5 };
	pid_t child[WORKERS];

	for (int i = 0; i < WORKERS; i++)
		child[i] = start_child(worker, (void *)(i + 1));
	for (int i = 0; i < WORKERS; i++)
		must_end_well(child[i]);
}

struct record { uint32_t key, rest[15]; };

static void quick_sort(struct record *a, long lo, long hi)
{
	while (lo < hi) {
		uint32_t pivot = a[lo + (hi - lo) / 2].key;
		long i = lo, j = hi;
		while (i <= j) {
			while (a[i].key < pivot)
				i++;
			while (a[j].key > pivot)
				j--;
			if (i <= j) {
				struct record t = a[i];
				a[i++] = a[j];
				a[j--] = t;
			}
		}
		if (j - lo < hi - i) {         /* the smaller part by recursion, so that the stack stays small */
			quick_sort(a, lo, j);
			lo = i;
		} else {
			quick_sort(a, i, hi);
			hi = j;
		}
	}
}

static void sort(void)
{
	uint32_t pages = memory_pages() / 2 * 3, seed = 31337, sum = 0, after = 0;

	pages = pages < 1500 ? pages : 1500;
	uint32_t count = pages * (PAGE_SIZE / sizeof(struct record));
	struct record *a = (struct record *)grow_heap(pages);
	for (uint32_t i = 0; i < count; i++) {
		sum += a[i].key = next_random(&seed);
		a[i].rest[14] = ~a[i].key;
	}
	quick_sort(a, 0, count - 1);
	for (uint32_t i = 0; i < count; i++) {
		after += a[i].key;
		CHECK(a[i].rest[14] == ~a[i].key, "record %u came apart", (unsigned)i);
		CHECK(i == 0 || a[i - 1].key <= a[i].key, "records %u and %u are out of order", (unsigned)i - 1, (unsigned)i);
	}
	CHECK(sum == after, "the sum of all keys changed from %u to %u", (unsigned)sum, (unsigned)after);
}

static void check_and_change(void *who)
{
	check_pages(heap, n, 1);
	stamp_pages(heap, n, (uint32_t)who);
	check_pages(heap, n, (uint32_t)who);
}

static void fork_under_pressure(void)
{
	n = memory_pages() / 4 * 3;
	n = n < 8000 ? n : 8000;
	heap = grow_heap(n);
	stamp_pages(heap, n, 1);
	pid_t a = start_child(check_and_change, (void *)2), b = start_child(check_and_change, (void *)3);
	check_pages(heap, n, 1);
	stamp_pages(heap, n, 4);
	must_end_well(a);
	must_end_well(b);
	check_pages(heap, n, 4);
}

/* Touch pages until killed, or until a number of turns that depends on who. */
static void churn(void *who)
{
	uint32_t pages = memory_pages() / 2, seed = (uint32_t)who, turns = (uint32_t)who < 100 ? (uint32_t)who * 150 : 0xffffffff;

	pages = pages < 2000 ? pages : 2000;
	char *mine = grow_heap(pages);
	for (uint32_t i = 0; i < turns; i++)
		*(volatile uint32_t *)(mine + next_random(&seed) % pages * PAGE_SIZE) = i;
}

static void exit_while_evicted(void)
{
	pid_t child[6];

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 6; i++)
			child[i] = start_child(churn, (void *)(i + round + 1));
		for (int i = 0; i < 6; i++)
			must_end_well(child[i]);
	}
}

static void kill_while_swapping(void)
{
	pid_t child[4];
	int status;

	for (int round = 0; round < 4; round++) {
		for (int i = 0; i < 4; i++)
			child[i] = start_child(churn, (void *)(1000 + round * 4 + i));
		usleep(40000 + 30000 * round);
		for (int i = 0; i < 4; i++) {
			CHECK_EQ(kill(child[i], SIGKILL), 0);
			CHECK_EQ(waitpid(child[i], &status, 0), child[i]);
			CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "wait status 0x%x after kill", status);
		}
	}
}

static void take_everything(void *unused)
{
	(void)unused;
	for (;;) {
		char *p = sbrk(PAGE_SIZE);
		if (p == (void *)-1)
			_exit(42);             /* refused: as good as being killed */
		*(volatile char *)p = 1;
	}
}

static void swap_full(void)
{
	if (memory_pages() + swap_pages_free() > 12000) {
		note("not tried: %u MB of memory and swap are too much to fill in a test",
			(unsigned)((memory_pages() + swap_pages_free()) / 256));
		return;
	}
	char *mine = grow_heap(20);
	stamp_pages(mine, 20, 1);
	int status = child_status(take_everything, NULL);
	CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) || status == 42 << 8, "wait status 0x%x", status);
	check_pages(mine, 20, 1);
	must_end_well(start_child(worker, (void *)1));         /* the machine goes on */
}

static void slots_return(void)
{
	long used = vm_counter("swap_used");
	for (int round = 0; round < 2; round++)
		squeeze();
	long after = vm_counter("swap_used");
	CHECK(after - used < 500, "swap in use rose from %ld to %ld after the processes ended", used, after);
}

static void in_place(void)
{
	/* The same page out and in many times, with a different content each time. */
	const uint32_t few = 40;
	char *mine = grow_heap(few);
	for (uint32_t round = 1; round <= 3; round++) {
		stamp_pages(mine, few, round);
		squeeze_out(mine, few);
		check_pages(mine, few, round);
	}
}

const struct test swap_tests[] = {
	{"swap-linear", "data beyond memory, read back in order", linear, NULL},
	{"swap-backward", "data beyond memory, read back from the end", backward, NULL},
	{"swap-random", "6000 accesses to random pages of more than memory", shuffled, NULL},
	{"swap-clean", "unchanged pages are dropped without a second write to swap", clean_not_rewritten, NULL},
	{"swap-parallel", "five processes, together beyond memory, keep their data apart", parallel, NULL},
	{"swap-quicksort", "sorting an array larger than memory", sort, NULL},
	{"swap-fork", "fork of a process as large as memory, and three owners writing", fork_under_pressure, NULL},
	{"swap-rounds", "pages changed between trips to swap come back as last written", in_place, NULL},
	{"swap-exit", "processes end while their pages are being evicted", exit_while_evicted, NULL},
	{"swap-kill", "processes are killed while they swap", kill_while_swapping, NULL},
	{"swap-slots-return", "slots are free again when their owners have gone", slots_return, NULL},
	{"swap-full", "when memory and swap are full one process pays, and nobody else", swap_full, NULL},
	{0}};
