/* stress: several processes do random things to memory, files and each other, and look at every step whether all is as it should be.
 *
 *   stress [ROUNDS [SEED [PROCESSES]]]
 *
 * Each worker keeps a model of what its memory and its file must contain, and draws its operations from its own generator, so SEED
 * alone says who wants what; the interleaving is the kernel's (option seed=N). At the end the kernel's books must agree
 * (/proc/check), and memory, tables and swap must be back where they were. A line for each violation; exit 0 if there is none. */
#include "stress.h"

#include <fcntl.h>
#include <random.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <vm.h>

#define MOST_WORKERS 16

int worker, round_number;
const char *doing = "beginning";
static uint32_t state, seed = 1;

uint32_t any(uint32_t below)
{
	uint32_t n = next_random(&state);
	return (n >> 4) % below;
}

_Noreturn void violation(const char *format, ...)
{
	char text[160];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	printf("stress: VIOLATION seed %u, process %d, round %d, %s: %s\n", (unsigned)seed, worker, round_number, doing, text);
	fflush(stdout);
	_exit(1);
}

static const struct operation *const tables[] = {memory_operations, process_operations, file_operations, cut_operations};
#define TABLES (sizeof(tables) / sizeof(tables[0]))

static void one_operation(void)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < TABLES; i++)
		for (const struct operation *o = tables[i]; o->name; o++)
			sum += o->weight;
	uint32_t drawn = any(sum);
	for (size_t i = 0; i < TABLES; i++)
		for (const struct operation *o = tables[i]; o->name; o++) {
			if (drawn < o->weight) {
				doing = o->name;
				o->run();
				return;
			}
			drawn -= o->weight;
		}
}

static _Noreturn void work(int number, int rounds, uint32_t pages)
{
	worker = number;
	state = (seed * 2654435761u) ^ (number * 40503u) ^ 0x5bd1e995u;
	state += !state;
	memory_begin(pages);
	files_begin();
	for (round_number = 1; round_number <= rounds; round_number++)
		one_operation();
	doing = "ending";
	memory_check();
	files_end();
	_exit(0);
}

static bool memory_came_back(const struct vm_held *before)
{
	struct vm_held now;

	if (vm_held_again(before, &now))
		return true;
	printf("stress: VIOLATION seed %u: memory did not come back: private pages %ld -> %ld, page tables %ld -> %ld, kernel %ld -> %ld, "
		"heap %ld -> %ld\n", (unsigned)seed, before->private, now.private, before->tables, now.tables, before->kernel, now.kernel,
		before->heap, now.heap);
	return false;
}

static bool books_agree(void)
{
	static char text[4096];
	int fd = open("/proc/check", O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read_full(fd, text, sizeof(text) - 1);

	close(fd);
	text[n < 0 ? 0 : n] = 0;
	if (strncmp(text, "ok: ", 4) == 0)
		return true;
	printf("stress: VIOLATION seed %u: the kernel's books do not agree:\n%s", (unsigned)seed, text);
	return false;
}

static int run(int rounds, int workers, uint32_t pages)
{
	pid_t pids[MOST_WORKERS];
	int bad = 0, status;

	for (int i = 0; i < workers; i++)
		if ((pids[i] = fork()) == 0)
			work(i + 1, rounds, pages);
	for (int i = 0; i < workers; i++) {
		if (pids[i] < 0 || waitpid(pids[i], &status, 0) != pids[i] || status == 0)
			continue;
		bad++;
		if (WIFSIGNALED(status))
			printf("stress: VIOLATION seed %u, process %d: ended by signal %d\n", (unsigned)seed, i + 1, WTERMSIG(status));
	}
	return bad;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "--exec") == 0)       /* family.c: proof that exec brought the arguments */
		return (atoi(argv[2]) * 31 + atoi(argv[3])) & 127;
	int rounds = argc > 1 ? atoi(argv[1]) : 40, workers = argc > 3 ? atoi(argv[3]) : 6;
	seed = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
	if (rounds < 1 || workers < 1 || workers > MOST_WORKERS) {
		puts("usage: stress [ROUNDS [SEED [PROCESSES]]]");
		return 2;
	}
	long memory = vm_meminfo_kb("MemTotal") / 4, frames = memory < 4096 ? memory : 4096;
	uint32_t pages = frames * 3 / 2 / workers;     /* with children and files that is about twice memory */
	run(1, 1, 8);                                  /* so that this process has touched all it will touch */
	memory_came_back(&(struct vm_held){1 << 30, 1 << 30, 1 << 30, 1 << 30});
	struct vm_held before = vm_held_now();
	long evictions = vm_counter("evictions");
	printf("stress: seed %u, %d processes, %d rounds, %u pages each of %ld\n", (unsigned)seed, workers, rounds, (unsigned)pages, memory);
	fflush(stdout);
	int bad = run(rounds, workers, pages);
	bad += !memory_came_back(&before);
	bad += !books_agree();
	printf("stress: seed %u: %d violations, %ld evictions\n", (unsigned)seed, bad, vm_counter("evictions") - evictions);
	return bad != 0;
}
