/* demo-belady: Belady's anomaly: under first in, first out, a program can fault more when it gets more memory.
 *
 * The classic string of twelve references is run in three frames and in four; the kernel counts the faults. The same string under a policy
 * that knows use: aging, with a sample between any two references, is exactly LRU, which has no such anomaly. */
#include <demo.h>
#include <replay.h>
#include <string.h>

#define W(page) ((page) | REPLAY_WRITES)

static const uint16_t string[] = {W(1), W(2), W(3), W(4), W(1), W(2), W(5), W(1), W(2), W(3), W(4), W(5)};
#define LENGTH (sizeof(string) / sizeof(string[0]))

static char policy_before[32];

static long measure(const char *policy, unsigned frames, unsigned pause_us)
{
	struct replay r = {.string = string, .length = LENGTH, .pages = 6, .frames = frames, .pause_us = pause_us, .pause_every = 1};
	struct replay_result result = {0};
	bool well = vm_switch("/proc/policy", policy) == 0 && replay(&r, &result) == 0;

	vm_switch("/proc/policy", policy_before);
	demo_check(well && result.errors == 0, "the string ran, and every page kept its data");
	return result.faults;
}

static void row(const char *policy, long three, long four)
{
	printf("   %-30s %2ld faults in 3 frames, %2ld in 4%s\n", policy, three, four, four > three ? ": more memory, more faults" : "");
}

int main(void)
{
	struct replay r3 = {.string = string, .length = LENGTH, .pages = 6, .frames = 3}, r4 = r3;

	r4.frames = 4;
	demo_needs_pagoda();
	if (vm_setting("/proc/policy", policy_before, sizeof(policy_before)) < 0)
		return 1;
	printf("demo-belady: references to pages ");
	for (unsigned i = 0; i < LENGTH; i++)
		printf("%u ", REPLAY_PAGE(string[i]));
	puts("in 3 and in 4 frames.");

	demo_step("First in, first out: counted by the kernel");
	long fifo3 = measure("fifo", 3, 0), fifo4 = measure("fifo", 4, 0);
	row("fifo", fifo3, fifo4);

	demo_step("Least recently used: aging, with a sample after every reference");
	long lru3 = measure("aging", 3, 120000), lru4 = measure("aging", 4, 120000);
	row("aging", lru3, lru4);

	demo_step("What theory says");
	row("fifo", replay_fifo(&r3), replay_fifo(&r4));
	row("least recently used", replay_lru(&r3), replay_lru(&r4));
	row("the best possible", replay_best(&r3), replay_best(&r4));
	demo_check(fifo3 == 9 && fifo4 == 10, "under fifo a fourth frame made it 10 faults instead of 9");
	demo_check(lru3 == 10 && lru4 == 8, "under aging it made it 8 instead of 10");
	puts("\ndemo-belady: done.");
	return 0;
}
