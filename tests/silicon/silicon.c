/* tests/silicon/silicon.c: compares the emulator with the processor it runs on; see --help. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "compare.h"
#include "generate.h"
#include "native.h"
#include "undefined.h"

#define JOBS_MAX 64
#define MISMATCHES 64

struct options {
	uint64_t seed, count, one, jobs, max;
	const char *only;
	bool one_case, studied, list, help;
};

/* What the workers tell, in memory they share. */
struct shared {
	uint64_t done[JOBS_MAX], excluded[JOBS_MAX], once[JOBS_MAX], vectors[JOBS_MAX][34];
	uint64_t mismatch[MISMATCHES];
	unsigned mismatches;       /* counted atomically; the first MISMATCHES are noted */
};

static int fail(const char *text)
{
	fprintf(stderr, "silicon: %s\n", text);
	return 2;
}

/* Not a failure: ctest counts it as skipped. */
static int cannot(const char *why)
{
	printf("skipped: %s\n", why);
	return 77;
}

static bool parse_number(const char *s, uint64_t *to)
{
	char *end;

	errno = 0;
	*to = strtoull(s, &end, 0);
	return *s && !*end && !errno;
}

/* --- workers -------------------------------------------------------------------------------------------------------------- */

static void note_mismatch(struct shared *s, uint64_t k)
{
	unsigned n = __atomic_fetch_add(&s->mismatches, 1, __ATOMIC_SEQ_CST);

	if (n < MISMATCHES)
		s->mismatch[n] = k;
}

static void work(const struct options *o, const struct sil_choice *choice, struct shared *s, unsigned job)
{
	static struct sil_bench b;
	static struct sil_case c;
	struct itimerval tick = { { 2, 0 }, { 2, 0 } };

	setitimer(ITIMER_REAL, &tick, NULL);
	sil_bench_open(&b, native_page);
	for (uint64_t k = job; k < o->count; k += o->jobs) {
		sil_generate(choice, o->seed, k, &c);
		/* The host's kernel may come between: a task switch loses the x87 operand pointer on AMD's processors. Then a
		 * second run agrees. */
		if (!sil_compare(&b, &c)) {
			if (!sil_compare(&b, &c))
				note_mismatch(s, k);
			else
				s->once[job]++;
		}
		s->done[job]++;
		s->excluded[job] += b.excluded != NULL;
		if (!b.excluded)
			s->vectors[job][b.host.vector + 2]++;
		if (s->mismatches >= o->max)
			break;
	}
	sil_bench_close(&b);
}

static uint64_t total(const uint64_t *n, uint64_t jobs)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < jobs; i++)
		sum += n[i];
	return sum;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void progress(const struct options *o, const struct shared *s, double since)
{
	uint64_t done = total(s->done, o->jobs);

	printf("\r%" PRIu64 " of %" PRIu64 " cases, %.0f a second, %u differ ", done, o->count, (double)done / (seconds() - since), s->mismatches);
	fflush(stdout);
}

/* Forks the workers and waits. Returns how many died. */
static unsigned run_jobs(const struct options *o, const struct sil_choice *choice, struct shared *s)
{
	uint64_t alive = o->jobs;
	unsigned died = 0;
	double since = seconds();
	const char *why;
	int status;

	for (unsigned job = 0; job < o->jobs; job++) {
		pid_t pid = fork();
		if (pid < 0)
			exit(fail("cannot fork"));
		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);      /* nobody would read what it finds */
			if (!native_open(&why))
				_exit(2);
			work(o, choice, s, job);
			_exit(0);
		}
	}
	while (alive) {
		pid_t pid = waitpid(-1, &status, WNOHANG);
		if (pid > 0) {
			alive--;
			died += status != 0;
			continue;
		}
		if (isatty(1))
			progress(o, s, since);
		usleep(50000);
	}
	if (isatty(1))
		fputs("\r\033[K", stdout);
	if (!died)
		printf("%" PRIu64 " cases in %.1f s, %.0f a second; %" PRIu64 " left out\n", total(s->done, o->jobs), seconds() - since,
	       (double)total(s->done, o->jobs) / (seconds() - since), total(s->excluded, o->jobs));
	return died;
}

static void print_endings(const struct options *o, const struct shared *s)
{
	static const struct { int vector; const char *name; } all[] = { { -1, "to the end" }, { 0, "#DE" }, { 1, "#DB" }, { 3, "#BP" }, { 4, "#OF" },
		{ 5, "#BR" }, { 6, "#UD" }, { 12, "#SS" }, { 13, "#GP" }, { 14, "#PF" }, { 16, "#MF" }, { 17, "#AC" }, { 19, "#XM" } };

	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		uint64_t n = 0;
		for (unsigned job = 0; job < o->jobs; job++)
			n += s->vectors[job][all[i].vector + 2];
		printf("%s%s %" PRIu64, i ? ", " : "ended: ", all[i].name, n);
	}
	putchar('\n');
	if (total(s->once, o->jobs))
		printf("%" PRIu64 " differed once, but not when run again: the host was interrupted\n", total(s->once, o->jobs));
}

static void report(const struct options *o, const struct sil_choice *choice, uint64_t k)
{
	static struct sil_bench b;
	static struct sil_case c;

	sil_bench_open(&b, native_page);
	sil_generate(choice, o->seed, k, &c);
	printf("\nCase %" PRIu64 " differs (silicon --seed %" PRIu64 "%s%s --case %" PRIu64 ")", k, o->seed, o->only ? " --only " : "", o->only ? o->only : "", k);
	if (sil_compare(&b, &c))
		printf(", but not when run alone");
	else if (!o->one_case)
		sil_shrink(&b, &c);
	puts(":");
	sil_report(&b, &c);
	sil_bench_close(&b);
}

static int look_at(const struct options *o, const struct sil_choice *choice)
{
	static struct sil_bench b;
	static struct sil_case c;
	bool same;

	sil_bench_open(&b, native_page);
	sil_generate(choice, o->seed, o->one, &c);
	sil_report(&b, &c);
	same = sil_compare(&b, &c);
	puts(b.excluded ? b.excluded : same ? "both agree" : "they differ");
	if (!same) {
		sil_shrink(&b, &c);
		puts("shrunk:");
		sil_report(&b, &c);
	}
	sil_bench_close(&b);
	return !same;
}

/* --- options -------------------------------------------------------------------------------------------------------------- */

static void list(const struct sil_choice *choice)
{
	static const char *const kind[] = { "int", "x87", "mmx", "sse" };
	const char *last = "";

	for (unsigned i = 0; i < choice->rows; i++) {
		const struct insn_row *row = &insn_table[choice->row[i]];
		if (strcmp(last, row->name))
			printf("%s%-12s %s", *last ? "\n" : "", row->name, kind[sil_kind_of(row)]);
		last = row->name;
	}
	printf("\n%u rows of %u\n", choice->rows, insn_rows);
	sil_list_exclusions();
}

static int run(const struct options *o, const struct sil_choice *choice)
{
	struct shared *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char name[96];
	const char *why = NULL;
	unsigned died;

	if (s == MAP_FAILED)
		return fail("no memory");
	native_name(name, sizeof(name));
	printf("seed %" PRIu64 ", on %s\n", o->seed, name);
	fflush(stdout);
	if (o->one_case) {
		if (!native_open(&why))
			return cannot(why);
		return look_at(o, choice);
	}
	died = run_jobs(o, choice, s);
	if (died) {
		if (!native_open(&why))
			return cannot(why);
		return fail("a worker died");
	}
	print_endings(o, s);
	if (!s->mismatches) {
		puts("all agree");
		return 0;
	}
	native_open(&why);
	for (unsigned i = 0; i < s->mismatches && i < MISMATCHES && i < o->max; i++)
		report(o, choice, s->mismatch[i]);
	if (o->studied && !native_studied()) {
		puts("Nobody has sorted out yet what processors of this maker do where the manual leaves it to them: no verdict.");
		return 77;
	}
	return 1;
}

/* Every option; help is printed from this. offset: the number in struct options, or NO_NUMBER. */
#define NO_NUMBER ((size_t)-1)
static const struct {
	const char *name, *argument, *help;
	size_t offset;
} option[] = {
	{ "--count", "N", "this many cases (default 1000000)", offsetof(struct options, count) },
	{ "--seed", "S", "the cases of this seed (default: a new one, printed)", offsetof(struct options, seed) },
	{ "--case", "K", "only case K of the seed, printed in full", offsetof(struct options, one) },
	{ "--only", "WHAT", "only instructions of this mnemonic, or int, x87, mmx, sse", NO_NUMBER },
	{ "--jobs", "J", "worker processes (default: one for each processor)", offsetof(struct options, jobs) },
	{ "--max", "N", "report at most N differences, each shrunk to what it needs (default 1)", offsetof(struct options, max) },
	{ "--studied", "", "no verdict (status 77) on a maker's processors whose own choices --list does not have yet", NO_NUMBER },
	{ "--list", "", "print the instructions that take part, and what is left out and why", NO_NUMBER },
	{ "--help", "", "this text", NO_NUMBER },
};
#define OPTIONS (sizeof(option) / sizeof(option[0]))

static void help(void)
{
	fputs("usage: silicon [OPTION]...\n"
	      "Runs random user-mode instructions in the emulator and on this computer's processor and compares everything they leave:\n"
	      "registers, flags, x87, MMX and SSE state, memory, and the exception with its error code and address.\n\n", stdout);
	for (unsigned i = 0; i < OPTIONS; i++)
		printf("  %-9s %-4s  %s\n", option[i].name, option[i].argument, option[i].help);
	fputs("\nexamples:\n"
	      "  silicon                            a million cases, about ten seconds\n"
	      "  silicon --only fdiv --count 50000  only FDIV\n"
	      "  silicon --seed 7 --case 1234       look at one case again\n\n"
	      "Exit status: 0 all agree, 1 some differ, 2 the arguments are wrong, 77 this computer cannot do it.\n", stdout);
}

/* Takes the option at argv[*i], and its argument. False when it is none. */
static bool take_option(struct options *o, char **argv, int *i)
{
	unsigned n = 0;

	while (n < OPTIONS && strcmp(argv[*i], option[n].name))
		n++;
	if (n == OPTIONS)
		return false;
	if (!strcmp(option[n].name, "--help"))
		o->help = true;
	if (!strcmp(option[n].name, "--list"))
		o->list = true;
	if (!strcmp(option[n].name, "--studied"))
		o->studied = true;
	if (!*option[n].argument)
		return true;
	if (!argv[++*i])
		return false;
	if (!strcmp(option[n].name, "--case"))
		o->one_case = true;
	if (option[n].offset != NO_NUMBER)
		return parse_number(argv[*i], (uint64_t *)((char *)o + option[n].offset));
	o->only = argv[*i];
	return true;
}

int main(int argc, char **argv)
{
	struct options o = { .count = 1000000, .max = 1 };
	static struct sil_choice choice;

	if (getrandom(&o.seed, 4, 0) != 4)
		o.seed = (uint64_t)time(NULL);
	for (int i = 1; i < argc; i++) {
		const char *name = argv[i];

		if (!take_option(&o, argv, &i)) {
			fprintf(stderr, "silicon: '%s%s%s': no such option, or not its argument; see silicon --help\n", name,
				argv[i] && argv[i] != name ? " " : "", argv[i] && argv[i] != name ? argv[i] : "");
			return 2;
		}
	}
	if (o.help) {
		help();
		return 0;
	}
	if (!o.jobs)
		o.jobs = (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);
	if (o.jobs > JOBS_MAX)
		o.jobs = JOBS_MAX;
	if (!o.count)
		return fail("--count 0 would show nothing");
	if (!sil_choose(&choice, o.only))
		return fail("no such instruction; see --list");
	if (o.list) {
		list(&choice);
		return 0;
	}
	return run(&o, &choice);
}
