/* lib/random_calls.c: system calls with random numbers and arguments, and waiting for whoever makes them.
 *
 * Most random arguments fail at the first check, so many are drawn from what might be accepted: small numbers, descriptors, paths of
 * the caller's own files, addresses in its own memory and at the edges of things. A caller that ends, or maps something over its
 * code, or waits, is replaced by another, until all calls are made; they are counted in memory that all share. */
#include <random_calls.h>

#include <fcntl.h>
#include <random.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vm.h>

int wait_for(pid_t pid, int milliseconds)
{
	int status = -1;

	for (int pause = 1; milliseconds > 0; milliseconds -= pause, pause = pause < 20 ? pause * 2 : pause) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		usleep(pause * 1000);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return status;
}

#define LAST_CALL 440
#define EACH 400                       /* calls of one process */

static char paths[4][40];              /* a file, two that are none, a directory */
static uint32_t area[2 * PAGE_SIZE / 4];
static uint32_t state;

static uint32_t any(uint32_t below)
{
	uint32_t n = next_random(&state);
	return below ? (n >> 3) % below : n;
}

static uint32_t argument(void)
{
	uint32_t r = any(0), pick = any(16);

	if (pick < 3)
		return r % 40;
	if (pick < 6)
		return (uint32_t)paths[r % 4];
	if (pick < 9)
		return (uint32_t)area + r % sizeof(area);
	switch (pick) {
	case 9:
		return 0xc0000000 - r % 8192;
	case 10:
		return (uint32_t)sbrk(0) + r % 9000 - 5000;
	case 11:
		return 0u - r % 70;
	case 12:
		return 1u << r % 32;
	case 13:
		return r % 10000;
	case 14:
		return PAGE_OF(0xbf000000 - r % 0x100000);
	}
	return r;
}

/* What is left out: ends of the process or the machine, signals to others, sleeps, and children that would go on here. */
static bool excluded(uint32_t number)
{
	switch (number) {
	case SYS_exit: case SYS_exit_group: case SYS_reboot: case SYS_kill: case SYS_tkill: case SYS_tgkill:
	case SYS_nanosleep: case SYS_clock_nanosleep: case SYS_pause: case SYS_sigsuspend: case SYS_rt_sigsuspend:
	case SYS_poll: case SYS__newselect: case SYS_vfork: case SYS_clone: case SYS_alarm: case SYS_setitimer:
		return true;
	}
	return false;
}

/* The descriptors it begins with; the pipe must not keep it waiting. */
static void prepare(void)
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
	for (int i = 0; i < 8; i++)
		syscall(SYS_fcntl, i, F_SETFL, O_NONBLOCK);
}

static _Noreturn void make_calls(volatile uint32_t *made, uint32_t end)
{
	prepare();
	for (int i = 0; i < EACH && *made < end; i++) {
		uint32_t number = any(LAST_CALL), a[5];
		for (int k = 0; k < 5; k++)
			a[k] = argument();
		if (excluded(number))
			continue;
		++*made;
		if (number == SYS_fork) {
			if (fork() == 0)
				_exit(0);
			continue;
		}
		if (number == SYS_waitpid || number == SYS_wait4)
			a[2] |= 1;             /* WNOHANG */
		if (number == SYS_brk)
			a[0] = (uint32_t)sbrk(0) + a[0] % 200000 - 80000;
		syscall(number, a[0], a[1], a[2], a[3], a[4]);
	}
	_exit(0);
}

int random_calls(struct random_calls *r)
{
	static const char *const endings[4] = {"", "/../x", ".d/y", ".d"};
	volatile uint32_t *made = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (made == MAP_FAILED)
		return -1;
	for (int i = 0; i < 4; i++)
		snprintf(paths[i], sizeof(paths[i]), "%s%s", r->place, endings[i]);
	state = r->seed;
	r->processes = r->killed = r->stuck = 0;
	for (int idle = 0; *made < r->calls && idle < 20; r->processes++) {
		uint32_t before = *made;
		any(0);                        /* each child begins at another place of the sequence */
		for (uint32_t skip = r->processes % 7; skip; skip--)
			any(0);
		pid_t pid = fork();
		if (pid == 0)
			make_calls(made, r->calls);
		int status = pid < 0 ? 0 : wait_for(pid, 3000);
		r->killed += WIFSIGNALED(status);
		r->stuck += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
		idle = *made == before ? idle + 1 : 0;
	}
	r->made = *made;
	munmap((void *)made, PAGE_SIZE);
	for (int i = 0; i < 4; i++) {
		unlink(paths[i]);
		rmdir(paths[i]);
	}
	return 0;
}
