/* vmtest/policy.c: who has to leave, and who decides: the replacement policies, and replacement within a process.
 *
 * The policy is the whole machine's. Each test that changes it does its work in a child and puts the old one back, however that ends. */
#include "vmtest.h"
#include "settings.h"

#include <errno.h>
#include <fcntl.h>
#include <replay.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define W(page) ((page) | REPLAY_WRITES)

void with(const char *file, const char *setting, void (*run)(void *), void *argument)
{
	char before[32];

	CHECK_EQ(vm_setting(file, before, sizeof(before)), 0);
	CHECK(vm_switch(file, setting) == 0, "%s to %s: %s", setting, file, strerror(errno));
	int status = child_status(run, argument);
	CHECK_EQ(vm_switch(file, before), 0);
	CHECK(status == 0, "under %s a child ended with wait status 0x%x", setting, status);
}

void limit_here(uint32_t more)
{
	struct rlimit l = {(vm_resident() + more) * PAGE_SIZE, RLIM_INFINITY};
	CHECK_EQ(setrlimit(RLIMIT_RSS, &l), 0);
}

volatile char *map_pages(uint32_t n)
{
	void *pages = mmap(NULL, n * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(pages != MAP_FAILED, "mmap: %s", strerror(errno));
	return pages;
}

/* --- all of them ------------------------------------------------------------------------------------------------------- */

/* Random reads and writes; word 2 of each page counts its writes. */
static void churn(void *who)
{
	uint32_t n = memory_pages() / 4 * 3, seed = (uint32_t)who * 77 + 1, writes = 0, sum = 0;
	bool plenty = memory_pages() > 6000;   /* for four of these: what is meant to be short must be made so, and need not be much */

	n = plenty ? 500 : n < 1500 ? n : 1500;
	char *heap = grow_heap(n);
	if (plenty)
		limit_here(n / 2);
	stamp_pages(heap, n, (uint32_t)who);
	usleep(30000);                 /* so that all are there at once */
	for (int i = 0; i < 1500; i++) {
		volatile uint32_t *page = (uint32_t *)(heap + next_random(&seed) % n * PAGE_SIZE);
		sum += page[2];
		if (seed & 0x10000) {
			page[2]++;
			writes++;
		}
	}
	check_pages(heap, n, (uint32_t)who);
	for (uint32_t i = sum = 0; i < n; i++)
		sum += *(uint32_t *)(heap + i * PAGE_SIZE + 8);
	CHECK_EQ(sum, writes);
}

static void pressure(void *unused)
{
	pid_t child[4];
	long evictions = vm_counter("evictions");

	(void)unused;
	for (int i = 0; i < 4; i++)
		child[i] = start_child(churn, (void *)(i + 1));
	for (int i = 0; i < 4; i++)
		must_end_well(child[i]);
	evictions = vm_counter("evictions") - evictions;
	CHECK(evictions > 100, "only %ld evictions", evictions);
}

static void survives(void) { with(POLICY, running->argument, pressure, NULL); }

static void switch_often(void *unused)
{
	static const char *const names[] = {"fifo", "wsclock", "random:9", "second-chance", "aging", "clock"};
	pid_t child[4];

	(void)unused;
	for (int i = 0; i < 4; i++)
		child[i] = start_child(churn, (void *)(i + 1));
	for (int i = 0; i < 120; i++) {
		CHECK_EQ(vm_switch(POLICY, names[i % 6]), 0);
		usleep(3000);
	}
	for (int i = 0; i < 4; i++)
		must_end_well(child[i]);
}

static void switching(void) { with(POLICY, "clock", switch_often, NULL); }

static void refuses_nonsense(void)
{
	static const char *const words[] = {"", "nosuch", "fif", "fifoo", "random:", "random:0", "fifo:3", "second-chance-and-some-more"};
	char before[32], now[32];

	CHECK_EQ(vm_setting(POLICY, before, sizeof(before)), 0);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		CHECK_ERROR(vm_switch(POLICY, words[i]), EINVAL);
	int fd = open(POLICY, O_WRONLY);
	CHECK(fd >= 0, "open: %s", strerror(errno));
	CHECK_ERROR(write(fd, (void *)0xc0000000, 4), EFAULT);
	CHECK_ERROR(write(fd, (void *)4, 4), EFAULT);
	CHECK_ERROR(write(fd, before, 200), EINVAL);
	close(fd);
	CHECK_ERROR(vm_switch(LOADCONTROL, "perhaps"), EINVAL);
	CHECK_ERROR(vm_switch("/proc/meminfo", "9"), EINVAL);
	CHECK_EQ(vm_setting(POLICY, now, sizeof(now)), 0);
	CHECK(strcmp(before, now) == 0, "the policy changed from %s to %s", before, now);
}

/* --- replacement within a process, counted exactly ----------------------------------------------------------------------- */

static struct replay_result run(const struct replay *r)
{
	struct replay_result result = {0};

	CHECK(replay(r, &result) == 0, "the string could not be run in %u frames", r->frames);
	CHECK_EQ(result.errors, 0);
	return result;
}

static const uint16_t classic[] = {W(1), W(2), W(3), W(4), W(1), W(2), W(5), W(1), W(2), W(3), W(4), W(5)};
static const struct replay classic_replay = {.string = classic, .length = 12, .pages = 6, .pause_every = 1};

static void belady_counts(void *unused)
{
	struct replay r = classic_replay;

	(void)unused;
	r.frames = 3;
	CHECK_EQ(run(&r).faults, 9);
	r.frames = 4;
	CHECK_EQ(run(&r).faults, 10);
}

static void belady(void) { with(POLICY, "fifo", belady_counts, NULL); }

static void lru_counts(void *unused)
{
	struct replay r = classic_replay;

	(void)unused;
	r.pause_us = 120000;           /* the pager takes at least one sample */
	r.frames = 3;
	CHECK_EQ(run(&r).faults, 10);
	r.frames = 4;
	CHECK_EQ(run(&r).faults, 8);
}

static void aging_is_lru(void) { with(POLICY, "aging", lru_counts, NULL); }

static uint16_t string[600];

static void make_string(unsigned pages)
{
	uint32_t seed = 99;

	for (unsigned i = 0; i < sizeof(string) / sizeof(string[0]); i++) {
		unsigned page = next_random(&seed) % pages;
		string[i] = page | (page % 3 ? REPLAY_WRITES : 0);
	}
}

static void fifo_counts(void *unused)
{
	(void)unused;
	for (unsigned frames = 1; frames <= 11; frames += 5) {
		struct replay r = {.string = string, .length = 600, .pages = 17, .frames = frames, .pause_every = 1};
		CHECK_EQ(run(&r).faults, replay_fifo(&r));
	}
}

static void rss_fifo(void)
{
	make_string(17);
	with(POLICY, "fifo", fifo_counts, NULL);
}

static void random_counts(void *unused)
{
	struct replay r = {.string = string, .length = 600, .pages = 17, .frames = 8, .pause_every = 1};
	uint32_t missed[3];

	(void)unused;
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(vm_switch(POLICY, i < 2 ? "random:4711" : "random:4712"), 0);
		missed[i] = run(&r).missed;
	}
	CHECK(missed[0] == missed[1], "the same seed gave other faults");
	CHECK(missed[0] != missed[2], "another seed gave the same faults");
}

static void random_seed(void)
{
	make_string(17);
	with(POLICY, "random", random_counts, NULL);
}

/* Pages 0-7 are written each time, 8-15 only once, and read after. All have been to swap, so the second half is clean; all have just
 * been used. Then four new pages need room: the order of the pages alone would take the first half. */
#define HALF 8u
#define EXTRA 4u

static void lock_all_but(const char *pages)
{
	char line[256];
	FILE *f = fopen("/proc/self/maps", "r");

	CHECK(f, "/proc/self/maps: %s", strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		char *dash;
		uintptr_t start = strtoul(line, &dash, 16), end = strtoul(dash + 1, NULL, 16);
		CHECK(start == (uintptr_t)pages || mlock((void *)start, end - start) == 0, "mlock: %s", strerror(errno));
	}
	fclose(f);
}

static void clean_goes_first(void *unused)
{
	volatile char *pages = map_pages(2 * HALF + EXTRA);
	uint32_t i;

	(void)unused;
	lock_all_but((const char *)pages);
	lock_all_but((const char *)pages);
	limit_here(1);
	for (i = 0; i <= 2 * HALF; i++)
		pages[i * PAGE_SIZE] = 1;
	CHECK_EQ(pages_present(pages, 2 * HALF), 0);
	limit_here(2 * HALF - 1);      /* now only the first of the extra pages is there */
	CHECK_EQ(madvise((void *)(pages + 2 * HALF * PAGE_SIZE), PAGE_SIZE, MADV_DONTNEED), 0);
	for (i = 0; i < 2 * HALF; i++)
		if (i >= HALF)
			(void)pages[i * PAGE_SIZE];
		else
			pages[i * PAGE_SIZE] = 2;
	CHECK_EQ(pages_present(pages, 2 * HALF), 2 * HALF);
	long dropped = vm_counter("clean_drops"), evictions = vm_counter("evictions");
	for (i = 0; i < EXTRA; i++)
		pages[(2 * HALF + i) * PAGE_SIZE] = 3;
	dropped = vm_counter("clean_drops") - dropped;
	evictions = vm_counter("evictions") - evictions;
	CHECK_EQ(pages_present(pages, HALF), HALF);
	CHECK_EQ(pages_present(pages + HALF * PAGE_SIZE, HALF), HALF - EXTRA);
	CHECK(dropped == EXTRA && evictions == EXTRA, "%ld evictions, %ld of them dropped, not %u", evictions, dropped, EXTRA);
}

static void second_chance_order(void) { with(POLICY, "second-chance", clean_goes_first, NULL); }

/* Half of the pages are used all the time; the process computes for longer than the window; then new pages need room. One is let in
 * before, since a policy that has never looked believes every page used. */
static void idle_goes_first(void *unused)
{
	volatile char *pages = map_pages(2 * HALF + EXTRA + 1);
	struct rusage start, now;
	uint32_t i, turn = 0;

	(void)unused;
	for (i = 0; i < 2 * HALF; i++)
		pages[i * PAGE_SIZE] = 1;
	lock_all_but((const char *)pages);
	lock_all_but((const char *)pages);
	limit_here(0);
	pages[(2 * HALF + EXTRA) * PAGE_SIZE] = 3;
	getrusage(RUSAGE_SELF, &start);
	do {
		for (int j = 0; j < 1000; j++, turn++)
			pages[(turn % HALF) * 2 * PAGE_SIZE]++;
		getrusage(RUSAGE_SELF, &now);
	} while ((now.ru_utime.tv_sec - start.ru_utime.tv_sec) * 1000000 + now.ru_utime.tv_usec - start.ru_utime.tv_usec < 250000);
	for (i = 0; i < EXTRA; i++)
		pages[(2 * HALF + i) * PAGE_SIZE] = 3;
	for (i = 0; i < HALF; i++)
		CHECK(page_of(pages + 2 * i * PAGE_SIZE).present, "page %u is in use, and was taken", (unsigned)i * 2);
	CHECK_EQ(pages_present(pages, 2 * HALF + EXTRA + 1), 2 * HALF);
}

static void wsclock_idle(void) { with(POLICY, "wsclock", idle_goes_first, NULL); }
static void clock_idle(void) { with(POLICY, "clock", idle_goes_first, NULL); }
static void aging_idle(void) { with(POLICY, "aging", idle_goes_first, NULL); }

const struct test policy_tests[] = {
	{"policy-fifo", "first in, first out: four processes beyond memory keep their data", survives, "fifo"},
	{"policy-clock", "clock: the same", survives, "clock"},
	{"policy-second-chance", "enhanced second chance: the same", survives, "second-chance"},
	{"policy-aging", "aging: the same", survives, "aging"},
	{"policy-random", "random: the same", survives, "random"},
	{"policy-wsclock", "working-set clock: the same", survives, "wsclock"},
	{"policy-switch", "the policy changes 120 times while pages come and go", switching, NULL},
	{"policy-nonsense", "what is not a policy is refused and changes nothing", refuses_nonsense, NULL},
	{"policy-belady", "fifo makes 9 faults in 3 frames and 10 in 4 on the classic string", belady, NULL},
	{"policy-lru", "aging with a sample after each reference is exactly LRU: 10 and 8", aging_is_lru, NULL},
	{"policy-fifo-exact", "under RLIMIT_RSS fifo makes exactly the faults of a simulation", rss_fifo, NULL},
	{"policy-random-seed", "random: one seed, one sequence of faults; another, another", random_seed, NULL},
	{"policy-clean-first", "second chance: of pages used alike, clean ones go before dirty ones", second_chance_order, NULL},
	{"policy-wsclock-idle", "wsclock: pages in the working set stay, idle ones go", wsclock_idle, NULL},
	{"policy-clock-idle", "clock: used pages stay, idle ones go", clock_idle, NULL},
	{"policy-aging-idle", "aging: used pages stay, idle ones go", aging_idle, NULL},
	{0}};
