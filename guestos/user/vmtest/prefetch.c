/* vmtest/prefetch.c: pages that come before they are asked for: which ones, when not, and that nobody loses by it. */
#include "vmtest.h"
#include "mmap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define PREFETCH "/proc/prefetch"
#define RW (PROT_READ | PROT_WRITE)
#define N 64u

static unsigned char in[N];

static uint32_t in_core(char *p, uint32_t pages)
{
	uint32_t n = 0;
	CHECK_EQ(mincore(p, pages * PAGE_SIZE, in), 0);
	for (uint32_t i = 0; i < pages; i++)
		n += in[i] & 1;
	return n;
}

/* Until none of the pages is in memory, mapped or not. */
static void out(char *p, uint32_t pages)
{
	squeeze_out_of_core(p, pages);
	CHECK_EQ(in_core(p, pages), 0);
}

static long major(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return u.ru_majflt;
}

struct counts { long major, ahead, hits; };

static struct counts now(void)
{
	return (struct counts){.ahead = vm_counter("ahead_reads"), .hits = vm_counter("ahead_hits"), .major = major()};
}

static struct counts since(struct counts a)
{
	struct counts b = now();
	return (struct counts){b.major - a.major, b.ahead - a.ahead, b.hits - a.hits};
}

/* The case in a child with prefetching as named; afterwards it is as it was, however the child ended. */
static void with(const char *setting, void (*run)(void *), void *argument)
{
	char before[8];
	CHECK_EQ(vm_setting(PREFETCH, before, sizeof(before)), 0);
	CHECK_EQ(vm_switch(PREFETCH, setting), 0);
	int status = child_status(run, argument);
	CHECK_EQ(vm_switch(PREFETCH, before), 0);
	CHECK(status == 0, "with prefetching %s a child ended with wait status 0x%x", setting, status);
}

/* --- read-ahead by faults ---------------------------------------------------------------------------------------------- */

struct order { int stride, advice; };

static struct counts read_file(const struct order *o)
{
	int fd = mapped_file(N, 20);
	char *p = map(N, PROT_READ, MAP_PRIVATE, fd, 0);

	sync();
	sync();
	out(p, N);
	CHECK_EQ(madvise(p, N * PAGE_SIZE, o->advice), 0);
	struct counts start = now();
	for (uint32_t i = 0; i < N; i++) {
		uint32_t page = i * o->stride % N;
		check_pages(p + page * PAGE_SIZE, 1, 20 + page);
	}
	munmap(p, N * PAGE_SIZE);
	close(fd);
	unlink(MAPPED);
	return since(start);
}

static void few_waits(void *order)
{
	struct counts c = read_file(order);
	CHECK(c.major < (long)N / 3, "%ld of %u pages were waited for", c.major, N);
	CHECK(c.ahead >= (long)N / 2 && c.hits >= c.ahead - 4, "%ld brought ahead, %ld used", c.ahead, c.hits);
}

static void all_waits(void *order)
{
	struct counts c = read_file(order);
	CHECK(c.major >= (long)N && c.ahead <= 4, "%ld of %u pages were waited for, %ld brought ahead", c.major, N, c.ahead);
}

static void in_order(void) { with("on", few_waits, (void *)running->argument); }
static void not_in_order(void) { with("on", all_waits, (void *)running->argument); }
static void switched_off(void) { with("off", all_waits, (void *)running->argument); }

/* Sequential: what was read does not stay. */
static void behind(void *unused)
{
	int fd = mapped_file(N, 20);
	char *p = map(N, PROT_READ, MAP_PRIVATE, fd, 0);

	(void)unused;
	sync();
	sync();
	out(p, N);
	CHECK_EQ(madvise(p, N * PAGE_SIZE, MADV_SEQUENTIAL), 0);
	check_stamped(p, N, 20);
	CHECK(in_core(p, N / 2) == 0, "%u of the first %u pages are still in memory", (unsigned)in_core(p, N / 2), N / 2);
	check_stamped(p, N, 20);
	unlink(MAPPED);
}
static void drops_behind(void) { with("on", behind, NULL); }

/* A file of data, a hole, and data: nobody makes pages for the hole, nor for what is beyond the end. */
static void around_holes(void *unused)
{
	int fd = mapped_file(8, 20);
	char page[PAGE_SIZE] = {0};

	(void)unused;
	stamp_pages(page, 1, 99);
	CHECK_EQ(pwrite(fd, page, sizeof(page), 40 * PAGE_SIZE), PAGE_SIZE);
	sync();
	sync();
	char *p = map(N, PROT_READ, MAP_PRIVATE, fd, 0);
	out(p, N);
	check_stamped(p, 8, 20);
	check_pages(p + 40 * PAGE_SIZE, 1, 99);
	CHECK_EQ(in_core(p, N), 9);
	for (uint32_t i = 8; i < 40; i++)
		CHECK(p[i * PAGE_SIZE] == 0 && p[i * PAGE_SIZE + 4095] == 0, "the hole is not zero in page %u", (unsigned)i);
	must_be_killed(touch_read, p + 41 * PAGE_SIZE, SIGBUS);
	unlink(MAPPED);
}
static void holes(void) { with("on", around_holes, NULL); }

/* --- read() ------------------------------------------------------------------------------------------------------------ */

static void read_calls(void *unused)
{
	int fd = mapped_file(N, 20);
	char *p = map(N, PROT_READ, MAP_PRIVATE, fd, 0);
	static char page[PAGE_SIZE];

	(void)unused;
	sync();
	sync();
	out(p, N);
	struct counts start = now();
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	for (uint32_t i = 0; i < N; i++) {
		CHECK_EQ(read(fd, page, PAGE_SIZE), PAGE_SIZE);
		check_pages(page, 1, 20 + i);
	}
	CHECK_EQ(read(fd, page, PAGE_SIZE), 0);
	struct counts c = since(start);
	CHECK(c.ahead >= (long)N * 3 / 4 && c.hits >= c.ahead - 4, "%ld brought ahead, %ld used", c.ahead, c.hits);
	out(p, N);
	start = now();
	for (uint32_t i = 0; i < N; i++) {
		CHECK_EQ(pread(fd, page, PAGE_SIZE, i * 37 % N * PAGE_SIZE), PAGE_SIZE);
		check_pages(page, 1, 20 + i * 37 % N);
	}
	c = since(start);
	CHECK(c.ahead <= 8, "in no order %ld pages were brought ahead", c.ahead);
	unlink(MAPPED);
}
static void by_read(void) { with("on", read_calls, NULL); }

/* --- swap -------------------------------------------------------------------------------------------------------------- */

static void swap_order(void *flags)
{
	char *p = mmap(NULL, N * PAGE_SIZE, RW, MAP_ANONYMOUS | (int)(long)flags, -1, 0);

	stamp_pages(p, N, 1);
	out(p, N);
	struct counts start = now();
	check_pages(p, N, 1);
	struct counts c = since(start);
	CHECK(c.major < (long)N / 3 && c.ahead >= (long)N / 2, "%ld of %u pages were waited for, %ld brought ahead", c.major, N, c.ahead);
	stamp_pages(p, N, 2);                  /* a page that was read ahead is as writable as any */
	out(p, N);
	check_pages(p, N, 2);
}
static void from_swap(void) { with("on", swap_order, (void *)running->argument); }

static char *pages;

static void read_some(void *unused)
{
	(void)unused;
	check_pages(pages, 12, 1);
	stamp_pages(pages, 6, 7);
}

static void reader_leaves(void *unused)
{
	(void)unused;
	pages = map_anonymous(N);
	stamp_pages(pages, N, 1);
	out(pages, N);
	long slots = vm_counter("swap_used");
	pid_t a = start_child(read_some, NULL), b = start_child(read_some, NULL);
	must_end_well(a);
	must_end_well(b);
	check_pages(pages, N, 1);
	out(pages, N);
	check_pages(pages, 12, 1);             /* more is read ahead, and then nobody wants it */
	long waste = vm_counter("ahead_waste");
	CHECK_EQ(munmap(pages, N * PAGE_SIZE), 0);
	CHECK(vm_counter("ahead_waste") > waste, "no page that was read ahead and not used was given back");
	CHECK(vm_counter("swap_used") <= slots - (long)N / 2, "%ld slots before, %ld after the pages are gone", slots, vm_counter("swap_used"));
}
static void unused_from_swap(void) { with("on", reader_leaves, NULL); }

/* More than memory, in order: what is read ahead may take the place of clean pages of files that nobody maps, and there are few of those;
 * all other frames hold pages of processes, which guesses must not push out. */
static void scarce(void *unused)
{
	uint32_t n = memory_pages() / 4 * 5;
	char *p = map_anonymous(n);

	(void)unused;
	if (n > 4000) {
		note("not tried: memory is too large to fill here");
		return;
	}
	stamp_pages(p, n, 3);
	check_pages(p, n, 3);
	long ahead = vm_counter("ahead_reads"), waits = major();
	check_pages(p, n, 3);
	ahead = vm_counter("ahead_reads") - ahead;
	waits = major() - waits;
	CHECK(ahead <= (long)n / 8, "with memory full, %ld pages were brought ahead and %ld waited for", ahead, waits);
}
static void when_scarce(void) { with("on", scarce, NULL); }

/* --- fault-around ------------------------------------------------------------------------------------------------------ */

static void neighbours(void *expected)
{
	int fd = mapped_file(N, 20);           /* in the page cache, since it was just written */
	char *p = map(N, RW, MAP_PRIVATE, fd, 0), *aligned = (char *)(((uintptr_t)p + 0x1ffff) & ~0xffffu);
	uint32_t first = (aligned - p) / PAGE_SIZE;
	long maps = vm_counter("around_maps");

	check_pages(aligned + 5 * PAGE_SIZE, 1, 20 + first + 5);
	CHECK_EQ(pages_present(p, N), (long)expected);
	CHECK_EQ(pages_present(aligned, 16), (long)expected);
	CHECK(vm_counter("around_maps") - maps >= (long)expected - 1, "around_maps rose by %ld", vm_counter("around_maps") - maps);
	long faults = vm_faults();
	for (uint32_t i = 0; i < 16; i++)
		check_pages(aligned + i * PAGE_SIZE, 1, 20 + first + i);
	CHECK_EQ(vm_faults() - faults, 16 - (long)expected);
	stamp_pages(aligned, 16, 3);           /* a neighbour is copied like any page of the file */
	check_pages(aligned, 16, 3);
	aligned += 16 * PAGE_SIZE;
	*(volatile char *)aligned = 1;         /* a write brings one page only */
	CHECK_EQ(pages_present(aligned, 16), 1);
	char *again = map(N, PROT_READ, MAP_PRIVATE, fd, 0);
	check_stamped(again, N, 20);
	unlink(MAPPED);
}
static void around(void) { with("on", neighbours, (void *)16); }
static void around_off(void) { with("off", neighbours, (void *)1); }

static void cut_off(void *unused)
{
	int fd = mapped_file(N, 20);
	char *p = map(N, PROT_READ, MAP_SHARED, fd, 0);

	(void)unused;
	sync();
	sync();
	out(p, N);
	check_stamped(p, 12, 20);              /* those after it are there, some mapped, and nobody has used them */
	CHECK_EQ(ftruncate(fd, 10 * PAGE_SIZE), 0);
	CHECK_EQ(in_core(p, N), 10);
	CHECK_EQ(ftruncate(fd, N * PAGE_SIZE), 0);
	for (uint32_t i = 10; i < N; i++)
		CHECK(p[i * PAGE_SIZE] == 0, "page %u came back with its old contents", (unsigned)i);
	unlink(MAPPED);
}
static void truncated(void) { with("on", cut_off, NULL); }

static void the_switch(void)
{
	char before[8], after[8];

	CHECK_EQ(vm_setting(PREFETCH, before, sizeof(before)), 0);
	CHECK_ERROR(vm_switch(PREFETCH, "perhaps"), EINVAL);
	CHECK_ERROR(vm_switch(PREFETCH, "o"), EINVAL);
	CHECK_ERROR(vm_switch(PREFETCH, ""), EINVAL);
	CHECK_EQ(vm_setting(PREFETCH, after, sizeof(after)), 0);
	CHECK(strcmp(before, after) == 0, "nonsense changed %s to %s", before, after);
}

static const struct order normal = {1, MADV_NORMAL}, stride = {37, MADV_NORMAL}, advised_random = {1, MADV_RANDOM},
	advised_sequential = {1, MADV_SEQUENTIAL};

const struct test prefetch_tests[] = {
	{"ahead-in-order", "a mapped file read in order is read ahead, and what comes is used", in_order, &normal},
	{"ahead-no-order", "read in no order, nothing is guessed", not_in_order, &stride},
	{"ahead-off", "switched off, nothing is guessed even in order", switched_off, &normal},
	{"ahead-random", "nor after madvise(RANDOM)", not_in_order, &advised_random},
	{"ahead-sequential", "madvise(SEQUENTIAL) reads ahead from the first page", in_order, &advised_sequential},
	{"ahead-drop-behind", "and does not keep what has been read", drops_behind, NULL},
	{"ahead-holes", "no pages for holes and none beyond the end", holes, NULL},
	{"ahead-read-call", "read() in order is read ahead, pread() in no order is not", by_read, NULL},
	{"ahead-swap", "private pages in swap are read ahead", from_swap, (void *)MAP_PRIVATE},
	{"ahead-swap-shared", "shared memory in swap too", from_swap, (void *)MAP_SHARED},
	{"ahead-swap-unused", "pages from swap that nobody uses go when their owners go, and not before", unused_from_swap, NULL},
	{"ahead-scarce", "when memory is short guesses push out nothing", when_scarce, NULL},
	{"ahead-truncate", "a file that is cut loses what was read ahead", truncated, NULL},
	{"around", "a fault maps the neighbours that are in memory, and only for reading", around, NULL},
	{"around-off", "switched off, it maps one page", around_off, NULL},
	{"ahead-switch", "/proc/prefetch refuses nonsense", the_switch, NULL},
	{0}};
