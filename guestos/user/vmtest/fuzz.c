/* vmtest/fuzz.c: system calls with random numbers and arguments: whatever they do, the kernel ends at most the caller.
 * vmtest --fuzz SEED-COUNT makes that many, for longer runs than random-calls.
 * Each caller makes thousands, so those that would end it or make it wait are left out; bad/calls.c makes these, too. */
#include "vmtest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char paths[4][40] = {"/tmp/hostile", "/tmp/hostile/../x", "/tmp/hostile.d/y", "/tmp/hostile.d"};
static uint32_t area[2 * PAGE_SIZE / 4];

static uint32_t random_argument(uint32_t *seed)
{
	uint32_t r = next_random(seed), pick = next_random(seed) % 16;

	if (pick < 3)
		return r % 40;
	if (pick < 6)
		return (uint32_t)paths[r % 4];
	if (pick < 9)
		return (uint32_t)area + r % sizeof(area);
	if (pick == 9)
		return 0xc0000000 - r % 200;          /* not our own variables */
	if (pick == 10)
		return (uint32_t)sbrk(0) + r % 9000 - 5000;
	if (pick == 11)
		return 0u - r % 70;
	if (pick == 12)
		return 1u << r % 32;
	return pick == 13 ? r % 10000 : pick == 14 ? 0xbf800000 - 5000 + r % 20000 : r;
}

static void fuzz(uint32_t seed, uint32_t count)
{
	int fd[2];

	for (int i = 0; i < 32; i++)
		close(i);
	open(paths[0], O_RDWR | O_CREAT, 0755);
	pipe(fd);
	open("/proc/self/maps", O_RDONLY);
	open("/dev/zero", O_RDONLY);
	open("/proc", O_RDONLY);
	open("/", O_RDONLY);
	mkdir(paths[3], 0755);
	memset(area, 0, 40);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t number = next_random(&seed) % 270, a[5];
		for (int k = 0; k < 5; k++)
			a[k] = random_argument(&seed);
		switch (number) {
		case SYS_exit: case SYS_exit_group: case SYS_reboot: case SYS_nanosleep: case SYS_kill:
		case SYS_poll: case SYS__newselect: case SYS_clock_nanosleep:  /* these may wait for ever */
		case SYS_clone: case SYS_vfork:                /* and a child of theirs would go on with this loop */
		case SYS_pause: case SYS_sigsuspend: case SYS_rt_sigsuspend: case SYS_alarm: case SYS_setitimer:
		case SYS_sigreturn: case SYS_rt_sigreturn: case SYS_tkill:
			continue;
		case SYS_fork:
			if (fork() == 0)
				_exit(0);
			continue;
		case SYS_read: case SYS_write: case SYS_writev:       /* a pipe must not keep us waiting */
			for (int p = 0; p < 32; p++)
				syscall(SYS_fcntl, p, F_SETFL, O_NONBLOCK);
			if (a[2] > 100000)
				a[2] %= 100000;
			break;
		case SYS_brk:
			a[0] = (uint32_t)sbrk(0) + a[0] % 200000 - 80000;
			break;
		case SYS_waitpid: case SYS_wait4:
			a[2] |= 1;
			break;
		}
		syscall(number, a[0], a[1], a[2], a[3], a[4]);
	}
	_exit(0);
}

void fuzz_main(const char *what)
{
	uint32_t seed = strtoul(what, NULL, 10);
	const char *count = strchr(what, '-');
	fuzz(seed ? seed : 1, count ? strtoul(count + 1, NULL, 10) : 1000);
}

static void fuzz_seed(void *seed) { fuzz((uint32_t)seed, 3000); }

static void random_calls(void)
{
	for (uint32_t seed = 1; seed <= 6; seed++) {
		int status = child_status(fuzz_seed, (void *)(seed * 2654435761u));
		CHECK(status == 0 || WIFSIGNALED(status), "seed %u: wait status 0x%x", (unsigned)seed, status);
	}
	for (int i = 0; i < 4; i++) {
		unlink(paths[i]);
		rmdir(paths[i]);
	}
}

const struct test fuzz_tests[] = {
	{"random-calls", "18000 random system calls", random_calls, NULL},
	{0}};
