/* demo-policies: one string of references, in one number of frames, under every replacement policy; and the best possible.
 *
 * The string has phases with a few favourite pages, as programs do; a loop over a little more than fits, which is the worst case for those
 * who take the page that was not used for longest; and a stretch without any pattern. Half the pages are written at every use, so that
 * evicting them costs a write; the others only once. The kernel replaces among these pages alone (RLIMIT_RSS) and counts. */
#include <demo.h>
#include <random.h>
#include <replay.h>

#define PAGES 40u
#define FRAMES 20u
#define LOOP 22u
#define LENGTH 1200

static uint16_t string[LENGTH];
static unsigned length;

static uint32_t state = 2463534242u;

static void add(unsigned page)
{
	if (length < LENGTH)
		string[length++] = page | (page % 2 ? REPLAY_WRITES : 0);
}

static void make_string(void)
{
	while (length < LENGTH) {
		for (unsigned phase = 0; phase < 3; phase++)
			for (unsigned i = 0; i < 100; i++)
				add(next_random(&state) % 8 ? (phase * 11 + next_random(&state) % 10) % PAGES : next_random(&state) % PAGES);
		for (unsigned i = 0; i < 4 * LOOP; i++)
			add(i % LOOP);
		for (unsigned i = 0; i < 60; i++)
			add(next_random(&state) % PAGES);
	}
}

static const char *const policies[] = {"fifo", "clock", "second-chance", "aging", "random", "wsclock"};
#define POLICIES (sizeof(policies) / sizeof(policies[0]))

int main(void)
{
	struct replay r = {.string = string, .length = LENGTH, .pages = PAGES, .frames = FRAMES, .pause_us = 5000, .pause_every = 4, .spin = 2000};
	char before[32];
	long best, fifo = 0, errors = 0, fewest = LENGTH, most = 0;

	demo_needs_pagoda();
	if (vm_setting("/proc/policy", before, sizeof(before)) < 0)
		return 1;
	make_string();
	best = replay_best(&r);
	printf("demo-policies: %u references to %u pages in %u frames.\n", LENGTH, PAGES, FRAMES);
	demo_step("Under each policy, as the kernel counts");
	puts("   policy             faults    written    dropped");
	for (unsigned i = 0; i < POLICIES; i++) {
		struct replay_result result = {0};
		bool well = vm_switch("/proc/policy", policies[i]) == 0 && replay(&r, &result) == 0;
		vm_switch("/proc/policy", before);
		if (!well)
			demo_check(false, "the string can be run");
		printf("   %-14s %10ld %10ld %10ld\n", policies[i], result.faults, result.written, result.dropped);
		fflush(stdout);
		fifo = i == 0 ? result.faults : fifo;
		errors += result.errors;
		fewest = result.faults < fewest ? result.faults : fewest;
		most = result.faults > most ? result.faults : most;
	}
	printf("   %-14s %10ld            (by simulation: the loop is its worst case)\n", "least recent", replay_lru(&r));
	printf("   %-14s %10ld            (by simulation, knowing the future)\n", "best possible", best);
	demo_check(errors == 0, "no page lost what was written to it");
	demo_check(fifo == replay_fifo(&r), "fifo made exactly the faults that a simulation of it makes");
	demo_check(best < fewest, "no policy was as good as knowing the future");
	demo_check(most < LENGTH && fewest < most, "and they differ");
	puts("\ndemo-policies: done.");
	return 0;
}
