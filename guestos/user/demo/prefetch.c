/* demo-prefetch: pages that come before they are asked for, who gains by it and who does not.
 *
 * One file is mapped and read again and again, each time from the disk: in order and in no order, with and without prefetching, and with
 * each advice a program can give. The kernel counts how often the program waited for the disk (major faults), how many pages it
 * brought ahead, how many of those were used (hits) and how many were not (waste). */
#include <demo.h>

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAME "/tmp/demo-prefetch"
#define PAGES 96
#define STRIDE 37                      /* has no divisor in common with PAGES: visits every page, never the next one */
#define SLACK 4                        /* pages of this program itself that may have to come back meanwhile */

struct counts { long major, faults, ahead, hits, waste, behind; };
struct turn { const char *what; int stride, pages, advice; bool on; };

static int fd;
static unsigned char in_memory[PAGES];

static struct counts counts_now(void)
{
	struct rusage u;
	struct counts c = {.ahead = vm_counter("ahead_reads"), .hits = vm_counter("ahead_hits"), .waste = vm_counter("ahead_waste"),
		.behind = vm_counter("behind_drops")};
	getrusage(RUSAGE_SELF, &u);
	c.major = u.ru_majflt;
	c.faults = u.ru_majflt + u.ru_minflt;
	return c;
}

static struct counts since(const struct counts *a)
{
	struct counts b = counts_now();
	return (struct counts){b.major - a->major, b.faults - a->faults, b.ahead - a->ahead, b.hits - a->hits, b.waste - a->waste,
		b.behind - a->behind};
}

static void make_file(void)
{
	static char page[PAGE_SIZE];

	fd = open(NAME, O_RDWR | O_CREAT | O_TRUNC, 0644);
	for (int i = 0; i < PAGES; i++) {
		memset(page, i + 1, sizeof(page));
		if (fd < 0 || write(fd, page, sizeof(page)) != sizeof(page)) {
			puts("   " NAME " cannot be written");
			exit(1);
		}
	}
	sync();
	sync();                                /* once to the log, once home */
}

static int in_core(char *map)
{
	int n = 0;

	if (mincore(map, PAGES * PAGE_SIZE, in_memory) < 0)
		return -1;
	for (int i = 0; i < PAGES; i++)
		n += in_memory[i] & 1;
	return n;
}

/* A child uses up memory until none of these pages is there any more. */
static void push_out(char *map)
{
	long most = vm_meminfo_kb("MemTotal") / 2, n = 0;
	int status;

	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		while (in_core(map) && n < most)
			for (int i = 0; i < 32; i++, n++)
				*(volatile char *)sbrk(PAGE_SIZE) = 1;
		_exit(in_core(map) != 0);
	}
	demo_check(waitpid(pid, &status, 0) == pid && status == 0, "none of its pages is in memory");
}

static void out_of_memory(void)
{
	char *map = mmap(NULL, PAGES * PAGE_SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
	push_out(map);
	munmap(map, PAGES * PAGE_SIZE);
}

/* Read one byte of every page and see that it is the right one. */
static struct counts measure(const struct turn *t)
{
	struct counts start, got;
	char *map = mmap(NULL, PAGES * PAGE_SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
	int wrong = 0;

	vm_switch("/proc/prefetch", t->on ? "on" : "off");
	madvise(map, PAGES * PAGE_SIZE, t->advice);
	start = counts_now();
	for (int i = 0; i < t->pages; i++) {
		int page = i * t->stride % PAGES;
		wrong += map[page * PAGE_SIZE + 100] != page + 1;
	}
	got = since(&start);
	munmap(map, PAGES * PAGE_SIZE);        /* now every use is known */
	long hits = since(&start).hits;
	got.hits = hits;
	if (wrong) {
		printf("   NOT AS CLAIMED: %d pages had the wrong contents\n", wrong);
		exit(1);
	}
	printf("   %-34s %4ld major of %4ld faults; %4ld ahead, %4ld hits\n", t->what, got.major, got.faults, got.ahead, got.hits);
	return got;
}

static struct counts from_disk(struct turn t)
{
	out_of_memory();
	return measure(&t);
}

static void in_order(void)
{
	demo_step("In order");
	struct counts without = from_disk((struct turn){"prefetch off:", 1, PAGES, MADV_NORMAL, false});
	struct counts with = from_disk((struct turn){"prefetch on:", 1, PAGES, MADV_NORMAL, true});
	demo_check(without.major >= PAGES && without.ahead == 0, "without prefetching every page is waited for");
	demo_check(with.major * 4 < PAGES, "with it fewer than one in four is");
	demo_check(with.hits * 10 >= with.ahead * 9, "and nine of ten pages brought ahead were used");
}

static void in_no_order(void)
{
	demo_step("In no order");
	struct counts without = from_disk((struct turn){"prefetch off:", STRIDE, PAGES, MADV_NORMAL, false});
	struct counts with = from_disk((struct turn){"prefetch on:", STRIDE, PAGES, MADV_NORMAL, true});
	demo_check(without.major >= PAGES && with.major >= PAGES - SLACK, "every page is waited for, with prefetching or without");
	demo_check(with.ahead <= SLACK, "since the next page is never guessed, none is read for nothing");
}

static void advised(void)
{
	demo_step("In order, and the program has said how it will read");
	struct counts random = from_disk((struct turn){"madvise(MADV_RANDOM):", 1, PAGES, MADV_RANDOM, true});
	struct counts sequential = from_disk((struct turn){"madvise(MADV_SEQUENTIAL):", 1, PAGES, MADV_SEQUENTIAL, true});
	printf("   SEQUENTIAL gave back %ld pages behind the reader\n", sequential.behind);
	demo_check(random.major >= PAGES && random.ahead <= SLACK, "RANDOM: nothing is brought ahead, even in order");
	demo_check(sequential.major <= PAGES / 16, "SEQUENTIAL: the largest window from the first page on");
	demo_check(sequential.behind >= PAGES / 2, "and what was read does not stay");

	out_of_memory();
	char *map = mmap(NULL, PAGES * PAGE_SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
	madvise(map, PAGES / 2 * PAGE_SIZE, MADV_WILLNEED);
	int there = in_core(map);
	munmap(map, PAGES * PAGE_SIZE);
	printf("   madvise(MADV_WILLNEED) for %d pages: %d in memory before any was touched\n", PAGES / 2, there);
	demo_check(there >= PAGES / 2, "WILLNEED: brought at once");
}

static void stops(void)
{
	demo_step("In order, but the reader stops in the middle");
	out_of_memory();
	struct counts start = counts_now();
	measure(&(struct turn){"36 pages:", 1, 36, MADV_NORMAL, true});
	out_of_memory();
	struct counts got = since(&start);
	printf("   after memory was needed for something else: %ld pages wasted\n", got.waste);
	demo_check(got.waste > 0, "what was brought ahead and never used is counted as waste");
}

/* read() of the same file: nothing is mapped and nothing faults, but every hit is a page that was there in time. */
static void by_read(void)
{
	static char page[PAGE_SIZE];

	demo_step("read() in order");
	out_of_memory();
	vm_switch("/proc/prefetch", "on");
	lseek(fd, 0, SEEK_SET);
	struct counts start = counts_now();
	int i = 0;
	while (read(fd, page, PAGE_SIZE) == PAGE_SIZE && page[100] == i + 1)
		i++;
	struct counts got = since(&start);
	printf("   %d pages read; %ld brought ahead, %ld hits\n", i, got.ahead, got.hits);
	demo_check(i == PAGES && got.hits * 4 >= PAGES * 3, "three of four pages were there before they were read");
}

static long swapped_in(bool on)
{
	char *own = mmap(NULL, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int wrong = 0;

	for (int i = 0; i < PAGES; i++)
		own[i * PAGE_SIZE + 7] = i + 1;
	push_out(own);
	vm_switch("/proc/prefetch", on ? "on" : "off");
	struct counts start = counts_now();
	for (int i = 0; i < PAGES; i++)
		wrong += own[i * PAGE_SIZE + 7] != i + 1;
	struct counts got = since(&start);
	munmap(own, PAGES * PAGE_SIZE);
	printf("   prefetch %-4s %4ld major faults; %4ld ahead, %4ld hits; %d pages wrong\n", on ? "on:" : "off:", got.major, got.ahead, got.hits, wrong);
	return wrong ? -1 : got.major;
}

static void from_swap(void)
{
	demo_step("Private pages that are in swap, in order");
	long without = swapped_in(false), with = swapped_in(true);
	demo_check(without >= PAGES && with >= 0 && with * 4 < PAGES, "swap is read ahead like a file");
}

int main(void)
{
	char before[8];

	demo_needs_pagoda();
	printf("demo-prefetch: a file of %d pages, read in several ways.\n", PAGES);
	if (vm_setting("/proc/prefetch", before, sizeof(before)) < 0) {
		puts("/proc/prefetch cannot be read");
		return 1;
	}
	make_file();
	in_order();
	in_no_order();
	advised();
	stops();
	by_read();
	from_swap();
	vm_switch("/proc/prefetch", before);
	unlink(NAME);
	puts("\ndemo-prefetch: done.");
	return 0;
}
