/* demo-thrash [POLICY]: more and more processes, until memory cannot hold what they all need; then load control.
 *
 * Each process owns data a little larger than a quarter of memory and touches its pages at random: all of it is its working set. A touch is
 * a unit of work. As long as all of them fit, the machine does the same work per second however many there are. One more, and each waits
 * for pages that were taken by the others. With load control on, some are suspended and the rest run at full speed, in turns.
 * Unless another policy is asked for it is random replacement, which takes from everybody alike. One that looks at use may let the process
 * that happens to run keep its pages, at the cost of the others: then look at what the slowest one gets done. */
#include <demo.h>

#include <random.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST 5
#define SECONDS 1
#define CONTROLLED_SECONDS 6
#define UNITS_BETWEEN_CLOCKS 64
#define WIDTH 40                       /* of the longest bar */

struct result { long units, errors; };

static uint32_t pages;                 /* of each process */

static long now_ms(void)
{
	struct timespec t = {0};
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Word 0 of a page counts its touches; word 1 depends on that and on the page, so that a lost touch or a wrong page shows. */
static uint32_t seal(uint32_t page, uint32_t touches) { return page * 2654435761u + touches; }

static void work(uint32_t *data, uint32_t seed, long until, struct result *r)
{
	while (now_ms() < until)
		for (int i = 0; i < UNITS_BETWEEN_CLOCKS; i++, r->units++) {
			uint32_t page = (uint32_t)((uint64_t)(next_linear(&seed) >> 8) * pages >> 24);
			uint32_t *p = data + page * (PAGE_SIZE / sizeof(*p));
			r->errors += p[1] != seal(page, p[0]);
			p[1] = seal(page, ++p[0]);
		}
}

static _Noreturn void child(int number, int ready, int go, int report)
{
	struct result r = {0};
	long until = 0;
	uint32_t *data = sbrk(pages * PAGE_SIZE);

	if (data == (void *)-1)
		_exit(1);
	for (uint32_t page = 0; page < pages; page++)
		data[page * (PAGE_SIZE / sizeof(*data)) + 1] = seal(page, 0);
	if (write(ready, "r", 1) != 1 || read(go, &until, sizeof(until)) != sizeof(until))
		_exit(1);
	work(data, number * 77 + 1, until, &r);
	_exit(write(report, &r, sizeof(r)) != sizeof(r));
}

static void must(bool well)
{
	if (well)
		return;
	puts("   a process could not be made, or did not end well");
	exit(1);
}

/* Units of work per second of n processes together. */
static long measure(int n, int seconds)
{
	int ready[2], go[2], report[2], status;
	long total = 0, slowest = -1, faults = vm_counter("pgmajfault"), until;
	char byte;

	must(pipe(ready) == 0 && pipe(go) == 0 && pipe(report) == 0);
	fflush(stdout);
	for (int i = 0; i < n; i++) {
		pid_t pid = fork();
		must(pid >= 0);
		if (pid == 0)
			child(i, ready[1], go[0], report[1]);
	}
	for (int i = 0; i < n; i++)
		must(read(ready[0], &byte, 1) == 1);
	faults = vm_counter("pgmajfault");
	until = now_ms() + seconds * 1000;
	for (int i = 0; i < n; i++)
		must(write(go[1], &until, sizeof(until)) == sizeof(until));
	usleep(seconds * 1000000);
	faults = vm_counter("pgmajfault") - faults;
	for (int i = 0; i < n; i++) {
		struct result r;
		must(read(report[0], &r, sizeof(r)) == sizeof(r) && r.errors == 0);
		total += r.units;
		slowest = slowest < 0 || r.units < slowest ? r.units : slowest;
	}
	for (int i = 0; i < n; i++)
		must(wait(&status) > 0 && status == 0);
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(go[i]);
		close(report[i]);
	}
	printf("%6d %9u %12ld %12ld %12ld  ", n, (unsigned)(n * pages), total / seconds, slowest / seconds, faults / seconds);
	return total / seconds;
}

static void bar(long rate, long best)
{
	for (long i = 0; i < (rate * WIDTH + best / 2) / best; i++)
		putchar('#');
	putchar('\n');
	fflush(stdout);
}

static void heading(void) { puts(" procs     pages      units/s   of slowest   page-ins/s"); }

/* Exit status. */
static int demonstrate(const char *policy)
{
	long rate[MOST + 1], best = 0, suspensions;

	printf("   Pages are chosen by policy %s.\n", policy);
	demo_step("More and more processes, without load control");
	heading();
	for (int n = 1; n <= MOST; n++) {
		rate[n] = measure(n, SECONDS);
		best = rate[n] > best ? rate[n] : best;
		bar(rate[n], best);
	}
	demo_step("The same processes, with load control");
	heading();
	suspensions = vm_counter("suspensions");
	vm_switch("/proc/loadcontrol", "on");
	long controlled = measure(MOST, CONTROLLED_SECONDS);
	bar(controlled, best);
	suspensions = vm_counter("suspensions") - suspensions;
	printf("   processes were suspended %ld times\n", suspensions);
	if (strcmp(policy, "random") == 0) {
		demo_check(rate[MOST] < best / 4, "without load control the work done collapsed to less than a quarter");
		demo_check(suspensions > 0, "with it, processes were suspended");
		demo_check(controlled > 2 * rate[MOST] && controlled > best / 3, "more than a third of the best rate is back");
	} else {
		puts("   To compare: under policy random the same processes get less than a quarter\n   of the work done without load control.");
	}
	puts("\ndemo-thrash: done.");
	return 0;
}

/* Whatever ends the demonstration, Ctrl-C or a check, does not end who waits to put back the settings. */
static int in_a_child(const char *policy)
{
	int status = 0;

	signal(SIGINT, SIG_IGN);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		signal(SIGINT, SIG_DFL);
		exit(demonstrate(policy));
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
	const char *asked = argc > 1 ? argv[1] : "random";
	char policy[32], control[32];

	demo_needs_pagoda();
	pages = vm_meminfo_kb("MemTotal") / 4 * 28 / 100;
	printf("demo-thrash: processes of %u pages each, on a machine with %ld.\n", (unsigned)pages, vm_meminfo_kb("MemTotal") / 4);
	if (vm_meminfo_kb("SwapFree") / 4 < (long)(MOST * pages)) {
		puts("   there is too little swap for that");
		return 1;
	}
	if (vm_setting("/proc/policy", policy, sizeof(policy)) < 0 || vm_setting("/proc/loadcontrol", control, sizeof(control)) < 0 ||
		vm_switch("/proc/policy", asked) < 0) {
		printf("   there is no policy %s; `policy` lists them\n", asked);
		return 2;
	}
	vm_switch("/proc/loadcontrol", "off");
	int result = in_a_child(asked);
	vm_switch("/proc/loadcontrol", control);
	vm_switch("/proc/policy", policy);
	return result;
}
