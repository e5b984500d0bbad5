/* vmtest/loadcontrol.c: working sets, and processes that are suspended because memory cannot hold all of them. */
#include "vmtest.h"
#include "settings.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What follows "name:" and a tab in its status file. */
static const char *status_of(pid_t pid, const char *name)
{
	static char value[32];
	char path[40], line[128];
	size_t n = strlen(name);

	value[0] = 0;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	FILE *f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, name, n) == 0 && line[n] == ':')
			strlcpy(value, line + n + 2, sizeof(value));
	if (f)
		fclose(f);
	return value;
}

static long working_set_now(void) { return strtol(status_of(getpid(), "VmWSet"), NULL, 10) / 4; }

static void compute(const volatile char *pages, uint32_t n, unsigned ms)
{
	long end = now_ms() + (long)ms;

	for (uint32_t i = 0; i % 256 || now_ms() <= end; i++)
		(void)pages[i % n * PAGE_SIZE];
}

static void working_set(void)
{
	char *pages = grow_heap(200);

	stamp_pages(pages, 200, 1);
	compute(pages, 200, 300);
	long big = working_set_now();
	compute(pages, 20, 1500);
	long small = working_set_now();
	CHECK(big >= 200 && big < 260, "using 200 pages, the estimate is %ld", big);
	CHECK(small >= 20 && small < 80, "using 20 of 200 pages, the estimate is %ld", small);
}

static volatile uint32_t *data;
static uint32_t data_pages;

/* Touches its pages at random until told to stop. Word 0 counts; the sum must be right in the end. */
static void toucher(void *until_ms)
{
	uint32_t seed = getpid() * 7 + 1, touches = 0, sum = 0;

	data_pages = memory_pages() * 28 / 100;
	data = (volatile uint32_t *)grow_heap(data_pages);
	while (now_ms() < (long)until_ms) {
		for (int i = 0; i < 64; i++, touches++)
			++data[next_random(&seed) % data_pages * (PAGE_SIZE / 4)];
	}
	for (uint32_t i = 0; i < data_pages; i++)
		sum += data[i * (PAGE_SIZE / 4)];
	CHECK(sum == touches, "%u touches, %u remembered", (unsigned)touches, (unsigned)sum);
}

static void touch_together(long seconds)
{
	enum { N = 5 };
	pid_t child[N];
	long until = now_ms() + seconds * 1000;

	for (int i = 0; i < N; i++)
		child[i] = start_child(toucher, (void *)until);
	for (int i = 0; i < N; i++)
		must_end_well(child[i]);
}

/* On a machine that is slow for its clock processes need longer until their working sets are known: several attempts. */
static void controlled(void *unused)
{
	long suspended = vm_counter("suspensions"), resumed = vm_counter("resumptions"), suspensions = 0, resumptions = 0;

	(void)unused;
	for (long seconds = 4; seconds <= 32 && (suspensions < 2 || resumptions < 2); seconds *= 2) {
		touch_together(seconds);
		suspensions = vm_counter("suspensions") - suspended;
		resumptions = vm_counter("resumptions") - resumed;
	}
	CHECK(suspensions >= 2 && resumptions >= 2 && resumptions <= suspensions, "%ld suspensions, %ld resumptions", suspensions, resumptions);
}

static bool too_big_to_fill(void)
{
	bool too_big = memory_pages() > 6000 || swap_pages_free() < memory_pages() * 2;
	if (too_big)
		note("not tried: memory is too large to fill with five processes here; demo-thrash does it");
	return too_big;
}

static void load_control(void)
{
	if (too_big_to_fill())
		return;
	with(LOADCONTROL, "on", controlled, NULL);
}

static void killed_while_suspended(void *unused)
{
	enum { N = 5 };
	pid_t child[N];
	int status, suspended = 0;

	(void)unused;
	for (int i = 0; i < N; i++)
		child[i] = start_child(toucher, (void *)0x7fffffff);
	for (int tries = 0; tries < 400 && suspended < 2; tries++) {
		usleep(25000);
		suspended = 0;
		for (int i = 0; i < N; i++)
			suspended += status_of(child[i], "State")[0] == 'W';
	}
	CHECK(suspended >= 2, "%d processes are suspended", suspended);
	for (int i = N - 1; i >= 0; i--) {
		CHECK_EQ(kill(child[i], SIGKILL), 0);
		CHECK_EQ(waitpid(child[i], &status, 0), child[i]);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "wait status 0x%x after kill", status);
	}
}

static void load_control_kill(void)
{
	if (too_big_to_fill())
		return;
	with(LOADCONTROL, "on", killed_while_suspended, NULL);
}

const struct test load_control_tests[] = {
	{"working-set", "the estimate follows what a process uses", working_set, NULL},
	{"load-control", "processes beyond memory are suspended and resumed, and keep their data", load_control, NULL},
	{"load-control-kill", "suspended processes can be killed", load_control_kill, NULL},
	{0}};
