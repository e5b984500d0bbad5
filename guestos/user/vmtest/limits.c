/* vmtest/limits.c: what setrlimit remembers, a stack's limit, and a process that has to do with less memory than there is. */
#include "vmtest.h"
#include "settings.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void check_limit(void *wanted)
{
	struct rlimit l = {0, 0};
	CHECK_EQ(getrlimit(RLIMIT_RSS, &l), 0);
	CHECK_EQ(l.rlim_cur, (uint32_t)wanted);
}

static void limits(void)
{
	struct rlimit l = {1, 1}, bad = {2, 1};

	CHECK_EQ(getrlimit(RLIMIT_RSS, &l), 0);
	CHECK(l.rlim_cur == RLIM_INFINITY && l.rlim_max == RLIM_INFINITY, "there is a limit to begin with: %u", l.rlim_cur);
	CHECK_EQ(getrlimit(RLIMIT_STACK, &l), 0);
	CHECK_EQ(l.rlim_cur, 8u << 20);
	CHECK_ERROR(getrlimit(16, &l), EINVAL);
	CHECK_ERROR(getrlimit(-1, &l), EINVAL);
	CHECK_ERROR(getrlimit(RLIMIT_RSS, (void *)8), EFAULT);
	CHECK_ERROR(setrlimit(RLIMIT_RSS, (void *)8), EFAULT);
	CHECK_ERROR(setrlimit(RLIMIT_RSS, &bad), EINVAL);
	l = (struct rlimit){1u << 30, RLIM_INFINITY};
	CHECK_EQ(setrlimit(RLIMIT_RSS, &l), 0);
	must_end_well(start_child(check_limit, (void *)(1u << 30)));
	uint64_t wide[2] = {0};
	CHECK_EQ(syscall(SYS_prlimit64, 0, RLIMIT_RSS, 0, wide), 0);
	CHECK(wide[0] == 1u << 30 && wide[1] == ~0ull, "prlimit64 tells 0x%lx of the soft limit", (unsigned long)wide[0]);
}

static void recurse(void *left)
{
	volatile char frame[1024];

	frame[0] = 1;
	if (left)
		recurse((char *)left - 1);
	frame[1] = frame[0];
}

static void small_stack(void *kilobytes)
{
	struct rlimit l = {64 << 10, RLIM_INFINITY};

	CHECK_EQ(setrlimit(RLIMIT_STACK, &l), 0);
	recurse(kilobytes);
}

static void rlimit_stack(void)
{
	must_end_well(start_child(small_stack, (void *)32));
	must_be_killed(small_stack, (void *)80, SIGSEGV);
	must_end_well(start_child(recurse, (void *)80));
}

/* More data than the limit: it works, and never more than the limit is resident, though memory has room. */
static void rss_data(void)
{
	const uint32_t n = 120, room = 40;
	volatile char *pages = map_pages(n);
	long before, most = 0;

	limit_here(room);
	before = vm_resident();
	for (uint32_t round = 1; round <= 2; round++)
		for (uint32_t i = 0; i < n; i++) {
			stamp_pages((char *)pages + i * PAGE_SIZE, 1, i + round * 1000);
			if (i % 10 == 0)
				most = vm_resident() > most ? vm_resident() : most;
		}
	CHECK(most <= before + (long)room, "%ld pages were resident, %ld more than at first", most, most - before);
	for (uint32_t i = 0; i < n; i++)
		check_pages((const char *)pages + i * PAGE_SIZE, 1, i + 2000);
}

/* The parent's pages, which the child shares, are not the child's to give. */
static void use_fifty(void *unused)
{
	volatile char *mine = map_pages(50);

	(void)unused;
	limit_here(4);
	for (int i = 0; i < 50; i++)
		mine[i * PAGE_SIZE] = 1;
}

static void rss_shared(void)
{
	volatile char *pages = map_pages(30);

	stamp_pages((char *)pages, 30, 5);
	must_end_well(start_child(use_fifty, NULL));
	CHECK_EQ(pages_present(pages, 30), 30);
	check_pages((const char *)pages, 30, 5);
}

const struct test limit_tests[] = {
	{"rlimit", "limits are told, set, checked and inherited", limits, NULL},
	{"rlimit-stack", "the stack grows to its limit and no further", rlimit_stack, NULL},
	{"rlimit-rss", "a process replaces its own pages at its limit, and keeps its data", rss_data, NULL},
	{"rlimit-rss-shared", "pages it shares are not taken for a process at its limit", rss_shared, NULL},
	{0}};
