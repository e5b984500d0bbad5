/* lib/replay.c: see replay.h. */
#include <replay.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vm.h>

#define MOST_PAGES 256u

/* --- for real --------------------------------------------------------------------------------------------------------- */

static void touch_stack(void)
{
	volatile char room[6 * PAGE_SIZE];

	for (unsigned i = 0; i < sizeof(room); i += PAGE_SIZE)
		room[i] = 1;
}

/* All regions but the one of the string. */
static int lock_the_rest(const char *pages)
{
	char line[256];
	int failed = 0;
	FILE *f = fopen("/proc/self/maps", "r");

	touch_stack();
	while (f && fgets(line, sizeof(line), f)) {
		char *dash;
		uintptr_t start = strtoul(line, &dash, 16), end = strtoul(dash + 1, NULL, 16);
		if (start != (uintptr_t)pages)
			failed |= mlock((void *)start, end - start);
	}
	if (f)
		fclose(f);
	return f ? failed : -1;
}

static void run(const struct replay *r, volatile uint32_t *pages, struct replay_result *result)
{
	uint32_t written[MOST_PAGES] = {0};
	volatile unsigned spin;
	long before = vm_faults();

	for (unsigned i = 0; i < r->length; i++) {
		unsigned page = REPLAY_PAGE(r->string[i]);
		volatile uint32_t *word = pages + page * (PAGE_SIZE / sizeof(*pages));
		if (!written[page] || r->string[i] & REPLAY_WRITES)
			*word = written[page] = i + 1;
		result->errors += *word != written[page];
		for (spin = 0; spin < r->spin; spin++)
			;
		if (r->pause_us && i % r->pause_every == 0)
			usleep(r->pause_us);
		long now = vm_faults();
		result->missed = result->missed * 31 + (now != before);
		result->faults += now - before;
		before = now;
	}
}

static _Noreturn void child(const struct replay *r, int report)
{
	static struct replay_result result;
	void *pages = mmap(NULL, r->pages * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	madvise(pages, r->pages * PAGE_SIZE, MADV_RANDOM);     /* what is read ahead counts as having come then, which changes fifo's order */
	/* Once, so that the library has touched and allocated all it ever will. */
	if (pages == MAP_FAILED || vm_resident() < 0 || lock_the_rest(pages) < 0 || lock_the_rest(pages) < 0)
		_exit(1);
	long evictions = vm_counter("evictions"), dropped = vm_counter("clean_drops");
	struct rlimit limit = {(vm_resident() + r->frames) * PAGE_SIZE, RLIM_INFINITY};
	if (setrlimit(RLIMIT_RSS, &limit) < 0)
		_exit(1);
	run(r, pages, &result);
	result.dropped = vm_counter("clean_drops") - dropped;
	result.written = vm_counter("evictions") - evictions - result.dropped;
	_exit(write(report, &result, sizeof(result)) != sizeof(result));
}

int replay(const struct replay *r, struct replay_result *result)
{
	int fd[2], status = -1;

	if (r->pages > MOST_PAGES || pipe(fd) < 0)
		return -1;
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		child(r, fd[1]);
	close(fd[1]);
	bool got = pid > 0 && read_full(fd[0], result, sizeof(*result)) == sizeof(*result);
	close(fd[0]);
	if (pid > 0)
		waitpid(pid, &status, 0);
	return got && status == 0 ? 0 : -1;
}

/* --- by simulation ------------------------------------------------------------------------------------------------------- */

/* When this page is needed again; beyond the end if never. */
static unsigned next_use(const struct replay *r, unsigned from, unsigned page)
{
	while (from < r->length && REPLAY_PAGE(r->string[from]) != page)
		from++;
	return from;
}

enum rule { FIFO, LRU, BEST };

/* The frame whose page goes: the one that came first, was used first, or is needed last. */
static unsigned victim(const struct replay *r, enum rule rule, unsigned now, const unsigned *held, const unsigned *when)
{
	unsigned best = 0;

	for (unsigned f = 1; f < r->frames; f++)
		if (rule == BEST ? next_use(r, now, held[f]) > next_use(r, now, held[best]) : when[f] < when[best])
			best = f;
	return best;
}

static long simulate(const struct replay *r, enum rule rule)
{
	unsigned held[MOST_PAGES], when[MOST_PAGES], used = 0;
	long faults = 0;

	for (unsigned i = 0; i < r->length; i++) {
		unsigned page = REPLAY_PAGE(r->string[i]), f = 0;
		while (f < used && held[f] != page)
			f++;
		if (f < used) {
			if (rule == LRU)
				when[f] = i;
			continue;
		}
		faults++;
		f = used < r->frames ? used++ : victim(r, rule, i, held, when);
		held[f] = page;
		when[f] = i;
	}
	return faults;
}

long replay_fifo(const struct replay *r) { return simulate(r, FIFO); }
long replay_lru(const struct replay *r) { return simulate(r, LRU); }
long replay_best(const struct replay *r) { return simulate(r, BEST); }
