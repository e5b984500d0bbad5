/* bad: programs that mean harm. Whatever they do, the kernel stays up, ends at most them, and has all memory and swap back afterwards.
 *
 *   bad                    all of them, one line each      ok   NAME: what it did
 *   bad NAME [COUNT]       one of them                     FAIL NAME: why
 *
 * Excluded on purpose, and said so: reboot(), signals to others, and waiting for ever are not what is tried here: a program
 * that may switch the machine off is not a bad one, but the user's. */
#include "bad.h"

#include <errno.h>
#include <random.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <vm.h>

static char evidence[160];
static uint32_t state = 20071;

void say(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(evidence, sizeof(evidence), format, ap);
	va_end(ap);
}

uint32_t any(uint32_t below)
{
	uint32_t n = next_random(&state);
	return below ? (n >> 3) % below : n;
}

static pid_t start(void (*run)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		syscall(SYS_setpgid, 0, 0);    /* a group of its own, so that all of it can be killed */
		run();
		_exit(0);
	}
	return pid;
}

/* Forks until it fails, in every process there is. */
static void bomb(void)
{
	for (;;)
		if (fork() < 0)
			usleep(10000);
}

static bool fork_bomb(uint32_t unused)
{
	long before = vm_counter("forks"), made;
	pid_t pid = start(bomb);

	(void)unused;
	usleep(700000);
	made = vm_counter("forks") - before;
	for (int quiet = 0; quiet < 3; usleep(20000)) {        /* new ones may appear while the old ones die */
		quiet = kill(-pid, SIGKILL) < 0 ? quiet + 1 : 0;
		waitpid(pid, NULL, WNOHANG);
	}
	say("%ld processes were made, then no more; all were killed", made);
	return made > 10;
}

static void take_memory(void)
{
	for (uint32_t *at; (at = sbrk(16 * PAGE_SIZE)) != (void *)-1;)
		for (uint32_t i = 0; i < 16; i++)
			at[i * PAGE_SIZE / 4] = i + 1;
	_exit(3);
}

/* brk refuses what memory and swap could never hold, so that several are needed to use up both. */
static bool memory_hogs(uint32_t unused)
{
	pid_t pids[3];
	long ooms = vm_counter("oom_kills");
	int killed = 0, refused = 0;

	(void)unused;
	for (int i = 0; i < 3; i++)
		pids[i] = start(take_memory);
	for (int i = 0; i < 3; i++) {
		int status = wait_for(pids[i], 600000);
		killed += WIFSIGNALED(status);
		refused += WIFEXITED(status) && WEXITSTATUS(status) == 3;
	}
	ooms = vm_counter("oom_kills") - ooms;
	say("three processes take all there is: %d killed, %d told that there is no more; the kernel chose %ld", killed, refused, ooms);
	return killed + refused == 3 && killed > 0 && ooms > 0;
}

static volatile bool forever = true;

static uint32_t deeper(volatile uint32_t *above)
{
	volatile uint32_t here[64];
	here[0] = above[0] + 1;
	return (forever ? deeper(here) : 0) + here[0];
}

static void recurse(void)
{
	volatile uint32_t zero[1] = {0};
	deeper(zero);
}

static bool recursion(uint32_t unused)
{
	long before = vm_counter("stack_growths");
	int status = wait_for(start(recurse), 60000);

	(void)unused;
	say("the stack grew by %ld pages, then signal %d ended it", vm_counter("stack_growths") - before, WTERMSIG(status));
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}

static uint32_t target;
static void jump(void) { ((void (*)(void))target)(); }

static bool jumps(uint32_t count)
{
	static const uint32_t known[] = {0, 1, 0xfff, 0xc0000000, 0xc0100000, 0xffffffff, 0xbffff000, 0xfffff000, 0x80000000};
	int signals = 0, others = 0;

	for (uint32_t i = 0; i < count; i++) {
		target = i < sizeof(known) / sizeof(known[0]) ? known[i] : i % 3 ? any(0) : 0x08048000 + any(0x8000);
		int status = wait_for(start(jump), 300);
		WIFSIGNALED(status) ? signals++ : others++;
	}
	say("%d of %u ended by a signal, %d by themselves", signals, (unsigned)count, others);
	return signals > 0 && signals + others == (int)count;
}

static bool calls(uint32_t count)
{
	struct random_calls r = {.place = PLACE, .seed = 20071, .calls = count};

	if (random_calls(&r) < 0) {
		say("no shared memory");
		return false;
	}
	say("%u random system calls by %d processes; %d ended by a signal, %d of them because they waited", (unsigned)r.made, r.processes, r.killed,
		r.stuck);
	return r.made >= count;
}

static const struct {
	const char *name;
	bool (*run)(uint32_t count);
	uint32_t count;
} programs[] = {
	{"fork-bomb", fork_bomb, 0},
	{"memory", memory_hogs, 0},
	{"recursion", recursion, 0},
	{"jumps", jumps, 60},
	{"calls", calls, 20000},
	{"images", bad_images, 60},
};

/* In a child, so that what it touches goes with it. True if it did what it was to do. */
static bool run_in_child(int i, uint32_t count)
{
	int fd[2], status = -1;

	strlcpy(evidence, "it said nothing", sizeof(evidence));
	if (pipe(fd) < 0)
		return false;
	pid_t pid = fork();
	if (pid == 0) {
		close(fd[0]);
		bool ok = programs[i].run(count);
		write(fd[1], evidence, strlen(evidence) + 1);
		_exit(!ok);
	}
	close(fd[1]);
	read_full(fd[0], evidence, sizeof(evidence));
	close(fd[0]);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static bool run_one(int i, uint32_t count)
{
	struct vm_held before = vm_held_now(), now;
	bool ok = run_in_child(i, count ? count : programs[i].count), back = vm_held_again(&before, &now);

	if (ok && back)
		printf("ok   bad %s: %s; memory and swap are back\n", programs[i].name, evidence);
	else if (back)
		printf("FAIL bad %s: %s\n", programs[i].name, evidence);
	else
		printf("FAIL bad %s: %s; did not come back: private pages %ld -> %ld, page tables %ld -> %ld, kernel %ld -> %ld, heap %ld -> %ld\n",
			programs[i].name, evidence, before.private, now.private, before.tables, now.tables, before.kernel, now.kernel,
			before.heap, now.heap);
	fflush(stdout);
	return ok && back;
}

int main(int argc, char **argv)
{
	int found = 0, bad = 0;
	uint32_t count = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;

	wait_for(start(sync), 1000);
	run_in_child(3, 1);                    /* so that this process has touched what it will touch */
	vm_held_again(&(struct vm_held){1 << 30, 1 << 30, 1 << 30, 1 << 30}, &(struct vm_held){0});
	puts("bad: harm is tried; of system calls all but reboot, signals to others, and waiting for ever");
	fflush(stdout);
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (argc < 2 || strcmp(argv[1], programs[i].name) == 0) {
			found++;
			bad += !run_one(i, count);
		}
	if (!found) {
		puts("usage: bad [fork-bomb|memory|recursion|jumps|calls|images [COUNT]]");
		return 2;
	}
	printf("bad: %d of %d did no harm\n", found - bad, found);
	return bad != 0;
}
