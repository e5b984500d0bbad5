/* vmtest/fuzz.c: system calls with random numbers and arguments: whatever they do, the kernel ends at most the caller.
 * vmtest --fuzz SEED-COUNT makes that many, for longer runs than random-calls. */
#include "vmtest.h"

#include <errno.h>
#include <random_calls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct random_calls make(uint32_t seed, uint32_t calls)
{
	struct random_calls r = {.place = "/tmp/hostile", .seed = seed, .calls = calls};

	CHECK_EQ(random_calls(&r), 0);
	return r;
}

void fuzz_main(const char *what)
{
	uint32_t seed = strtoul(what, NULL, 10);
	const char *count = strchr(what, '-');
	struct random_calls r = make(seed ? seed : 1, count ? strtoul(count + 1, NULL, 10) : 1000);
	printf("%u calls by %d processes, %d ended by a signal\n", (unsigned)r.made, r.processes, r.killed);
}

static void fuzz(void)
{
	for (uint32_t seed = 1; seed <= 6; seed++) {
		struct random_calls r = make(seed * 2654435761u, 3000);
		CHECK(r.made == 3000, "seed %u: %u calls by %d processes", (unsigned)seed, (unsigned)r.made, r.processes);
	}
}

const struct test fuzz_tests[] = {
	{"random-calls", "18000 random system calls", fuzz, NULL},
	{0}};
