/* tests/bench/history_bench.c: what remembering costs, and how long going back takes.
 *
 *   history_bench cost ROUNDS PAGODA_DIR GUEST.elf     the same instructions with and without history, alternately, at the default limit
 *   history_bench reverse INSTRUCTIONS MEGABYTES PAGODA_DIR    a run of Pagoda, then 100 random instructions of it, in random order, each timed
 *                                                      and compared with a second machine that has no history and stopped there
 *
 * Times are processor time of this process, so that other load on the host does not count; ratios are of medians. The second fails when
 * the median is over 1 s or the worst over 3 s.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "emu/hash.h"
#include "emu/history/history.h"
#include "emu/state/machine_state.h"

#define MILLION 1000000ull
#define POINTS 100u
#define MAX_ROUNDS 99

static char err[ERROR_LINE];

/* --- machines -------------------------------------------------------------------------------------------------------- */

struct workload {
	const char *name, *kernel, *image;
	const char *script;            /* typed over and over */
	uint64_t instructions, memory; /* bytes */
};

struct rig {
	struct kernel kernel;
	struct disk *disk;
	struct machine *m;
	struct history *h;
	const char *script, *at;
	bool answered;                 /* the shell has prompted since the last line was typed */
	uint8_t last;
};

static void die(const char *what)
{
	fprintf(stderr, "history_bench: %s: %s\n", what, err);
	exit(1);
}

/* Lines are typed when the shell asks for one, "$ ". */
static void put(void *owner, uint8_t byte)
{
	struct rig *r = owner;

	if (r->last == '$' && byte == ' ')
		r->answered = true;
	r->last = byte;
}

static int next(void *owner)
{
	struct rig *r = owner;

	if (!*r->script || (!r->answered && (r->at == r->script || r->at[-1] == '\n')))
		return -1;
	if (!*r->at)
		r->at = r->script;
	r->answered = false;
	return (unsigned char)*r->at++;
}

static void start(struct rig *r, const struct workload *w, uint64_t limit)
{
	struct machine_config config = { .memory = w->memory, .disk_name = { w->image } };

	*r = (struct rig){ .script = w->script, .at = w->script };
	if (kernel_open(&r->kernel, w->kernel, err))
		die(w->kernel);
	if (w->image && !(r->disk = disk_open(w->image, true, err, sizeof(err))))
		die(w->image);
	config.disk[0] = r->disk;
	config.kernel = &r->kernel;
	config.serial = config.debug = (struct char_out){ put, r };
	config.input = (struct input_source){ next, r };
	if (!(r->m = machine_create(&config, err)))
		die("no machine");
	if (limit && !(r->h = history_create(r->m, limit, err)))
		die("no history");
}

static void end(struct rig *r)
{
	history_free(r->h);
	machine_free(r->m);
	kernel_close(&r->kernel);
	if (r->disk)
		r->disk->close(r->disk);
}

/* In slices of 10 ms of the guest's time, as `emu run` does. */
static void run_to(struct rig *r, uint64_t icount)
{
	enum machine_stop stop;

	r->m->instruction_limit = icount;
	do
		stop = r->h ? history_run(r->h, MILLION) : machine_run(r->m, MILLION);
	while (stop == MACHINE_RAN);
	r->m->instruction_limit = UINT64_MAX;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, unsigned n)
{
	qsort(v, n, sizeof(*v), by_size);
	return v[n / 2];
}

static void show_stats(const struct history *h)
{
	struct history_stats s;

	history_stats(h, &s);
	printf("  %u checkpoints, %.1f MB of %.0f in memory, %.1f in a file, %" PRIu64 " pages stored, widest gap %.0f million instructions\n", s.checkpoints,
		(double)s.bytes / (1 << 20), (double)s.limit / (1 << 20), (double)s.spilled / (1 << 20), s.pages_stored, (double)s.widest / 1e6);
}

/* --- cost -------------------------------------------------------------------------------------------------------------- */

static double measure(const struct workload *w, uint64_t limit, bool show)
{
	struct rig r;

	start(&r, w, limit);
	double before = seconds();
	run_to(&r, w->instructions);
	double took = seconds() - before;
	if (show)
		show_stats(r.h);
	end(&r);
	return took;
}

static void cost(const struct workload *w, unsigned rounds)
{
	double without[MAX_ROUNDS], with[MAX_ROUNDS];

	printf("%s, %.0f million instructions:\n", w->name, (double)w->instructions / 1e6);
	for (unsigned i = 0; i < rounds; i++) {
		without[i] = measure(w, 0, false);
		with[i] = measure(w, HISTORY_DEFAULT_LIMIT, i == 0);
		fprintf(stderr, "  round %u of %u: %.3f s without, %.3f s with history\n", i + 1, rounds, without[i], with[i]);
	}
	double a = median(without, rounds), b = median(with, rounds);
	printf("  %.3f s without, %.3f s with history: %+.1f %%\n", a, b, 100 * (b / a - 1));
}

/* --- going back -------------------------------------------------------------------------------------------------------- */

struct print { uint64_t machine, state; };

static struct print print_of(struct machine *m)
{
	struct bytes b = { 0 };
	struct hash h;

	if (machine_state_save(m, &b))
		die("no state");
	hash_init(&h);
	hash_bytes(&h, b.data, b.size);
	free(b.data);
	return (struct print){ machine_hash(m), hash_result(&h) };
}

static int by_count(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* A random order in which all are visited. */
static void shuffle(unsigned *order)
{
	for (unsigned i = 0; i < POINTS; i++)
		order[i] = i;
	for (unsigned i = POINTS - 1; i; i--) {
		unsigned j = (unsigned)rand() % (i + 1), t = order[i];
		order[i] = order[j];
		order[j] = t;
	}
}

static int reverse(const struct workload *w)
{
	static uint64_t at[POINTS];
	static struct print print[POINTS];
	static double took[POINTS], steps[POINTS];
	unsigned order[POINTS];
	struct rig plain, r;

	srand(1);
	for (unsigned i = 0; i < POINTS; i++)
		at[i] = ((uint64_t)rand() << 31 ^ (uint64_t)rand()) % w->instructions;
	qsort(at, POINTS, sizeof(*at), by_count);
	start(&plain, w, 0);
	double before = seconds();
	for (unsigned i = 0; i < POINTS; i++) {
		run_to(&plain, at[i]);
		print[i] = print_of(plain.m);
	}
	run_to(&plain, w->instructions);
	printf("%s, %.0f million instructions: %.1f s without history\n", w->name, (double)w->instructions / 1e6, seconds() - before);
	struct print last = print_of(plain.m);
	end(&plain);

	start(&r, w, HISTORY_DEFAULT_LIMIT);
	before = seconds();
	run_to(&r, w->instructions);
	printf("  %.1f s with history\n", seconds() - before);
	show_stats(r.h);
	struct print here = print_of(r.m);
	if (memcmp(&here, &last, sizeof(here)))
		die("history has changed the run");
	shuffle(order);
	for (unsigned k = 0; k < POINTS; k++) {
		unsigned i = order[k];
		before = seconds();
		if (history_goto(r.h, at[i], NULL, err) != HISTORY_OK)
			die("going back");
		took[k] = seconds() - before;
		here = print_of(r.m);
		if (memcmp(&here, &print[i], sizeof(here))) {
			printf("instruction %" PRIu64 " is not what it was\n", at[i]);
			return 1;
		}
		before = seconds();
		if (at[i] && history_goto(r.h, at[i] - 1, NULL, err) != HISTORY_OK)
			die("stepping back");
		steps[k] = seconds() - before;
	}
	show_stats(r.h);
	double middle = median(took, POINTS), worst = took[POINTS - 1];
	printf("  %u random instructions, all as they were: median %.3f s, worst %.3f s\n", POINTS, middle, worst);
	middle = median(steps, POINTS);
	printf("  one step back from there: median %.1f ms, worst %.1f ms\n", 1000 * middle, 1000 * steps[POINTS - 1]);
	end(&r);
	return took[POINTS / 2] < 1 && worst < 3 ? 0 : 1;
}

int main(int argc, char **argv)
{
	static char kernel[4096], image[4096];
	bool costs = argc == 5 && !strcmp(argv[1], "cost"), reverses = argc == 5 && !strcmp(argv[1], "reverse");

	if (!costs && !reverses) {
		fprintf(stderr, "usage: history_bench cost ROUNDS PAGODA_DIR GUEST.elf, or history_bench reverse INSTRUCTIONS MEGABYTES PAGODA_DIR\n");
		return 2;
	}
	snprintf(kernel, sizeof(kernel), "%s/pagoda.elf", argv[costs ? 3 : 4]);
	snprintf(image, sizeof(image), "%s/pagoda.img", argv[costs ? 3 : 4]);
	struct workload pagoda = { "Pagoda", kernel, image,
		"vmtest\nls -l /bin | sort | wc\ndemo-cow\ndemo-swap\nls /bin | sort > /x ; cat /x /x | sort | wc ; rm /x\ndemo-stack\n", 2000 * MILLION, 64 << 20 };
	if (reverses) {
		pagoda.instructions = strtoull(argv[2], NULL, 10);
		pagoda.memory = strtoull(argv[3], NULL, 10) << 20;
		return pagoda.instructions && pagoda.memory ? reverse(&pagoda) : 2;
	}
	struct workload bench = { "compute guest", argv[4], NULL, "", 2000 * MILLION, 64 << 20 };
	unsigned rounds = (unsigned)atoi(argv[2]);
	if (rounds < 1 || rounds > MAX_ROUNDS)
		return 2;
	cost(&bench, rounds);
	cost(&pagoda, rounds);
	return 0;
}
