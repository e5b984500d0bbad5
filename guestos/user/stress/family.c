/* stress/family.c: processes that come, become others, talk, and go at bad moments. */
#include "stress.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vm.h>

/* A system that is short of memory may refuse; that is no violation. */
static pid_t child(void)
{
	pid_t pid = fork();

	if (pid < 0)
		EXPECT(errno == ENOMEM || errno == EAGAIN, "fork: errno %d", errno);
	return pid;
}

static void must_end_with(pid_t pid, int wanted)
{
	int status = -1;
	pid_t got = waitpid(pid, &status, 0);

	EXPECT(got == pid && status == wanted, "process %d: waitpid gave %d, status 0x%x, not 0x%x", pid, got, status, wanted);
}

static void pause_a_little(void)
{
	if (any(3) == 0)
		usleep(1000 * any(15));
	else
		for (uint32_t n = any(6); n; n--)
			sched_yield();
}

/* Both write to what they share, and neither sees the other's. */
static void family(void)
{
	pid_t pid = child();

	if (pid == 0) {
		for (uint32_t n = any(50) + 1; n; n--)
			any(2);                /* another way from here on */
		memory_touch(1 + any(3));
		if (any(3) == 0)
			memory_check();
		if (any(4) == 0 && fork() == 0)
			memory_touch(2);       /* init will find it */
		_exit(0);
	}
	memory_touch(any(4));
	if (pid > 0)
		must_end_with(pid, 0);
}

/* Memory of both: each writes every other page, and finds the other's. */
static void share(void)
{
	uint32_t n = 2 + any(30), key = any(60000), ours = any(2);
	char *at = mmap(NULL, n * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED) {
		EXPECT(errno == ENOMEM, "mmap: errno %d", errno);
		return;
	}
	pid_t pid = child();
	bool both = pid < 0;
	if (pid == 0)
		ours = !ours;
	for (uint32_t i = 0; i < n; i++)
		if (both || i % 2 == ours)
			*(volatile uint32_t *)(at + i * PAGE_SIZE + 4 * (i % 2)) = stamp(i, 0, key);
	memory_touch(any(3));
	if (pid == 0)
		_exit(0);
	if (pid > 0)
		must_end_with(pid, 0);
	for (uint32_t i = 0; i < n; i++) {
		volatile uint32_t *words = (volatile uint32_t *)(at + i * PAGE_SIZE);
		EXPECT(words[i % 2] == stamp(i, 0, key) && words[!(i % 2)] == 0, "shared page %u of %u: 0x%x 0x%x", (unsigned)i, (unsigned)n,
			(unsigned)words[0], (unsigned)words[1]);
	}
	EXPECT(munmap(at, n * PAGE_SIZE) == 0, "munmap: errno %d", errno);
}

static void die_at_once(void)
{
	pid_t pid = child();

	if (pid == 0)
		_exit(7);
	if (pid > 0)
		must_end_with(pid, 7 << 8);
}

static void become_another(void)
{
	char a[12], b[12], *argv[] = {"stress", "--exec", a, b, NULL}, *none[] = {NULL};
	int x = any(100), y = any(100);

	snprintf(a, sizeof(a), "%d", x);
	snprintf(b, sizeof(b), "%d", y);
	pid_t pid = child();
	if (pid == 0) {
		execve("/bin/stress", argv, none);
		_exit(errno == ENOMEM ? (x * 31 + y) & 127 : 255);
	}
	memory_touch(any(3));
	if (pid > 0)
		must_end_with(pid, ((x * 31 + y) & 127) << 8);
}

static void murder(void)
{
	pid_t pid = child();

	if (pid == 0)
		for (;;)
			memory_touch(1);
	pause_a_little();
	if (pid > 0) {
		EXPECT(kill(pid, SIGKILL) == 0, "kill: errno %d", errno);
		must_end_with(pid, SIGKILL);
	}
}

static void talk(void)
{
	static unsigned char buffer[3000];
	int fd[2];
	uint32_t total = 1 + any(16000), key = any(256), at = 0;

	if (pipe(fd) < 0)
		return;
	pid_t pid = child();
	if (pid == 0) {
		close(fd[0]);
		while (at < total) {
			uint32_t n = 1 + any(sizeof(buffer));
			n = n < total - at ? n : total - at;
			for (uint32_t i = 0; i < n; i++)
				buffer[i] = (at + i) * 7 + key;
			if (write_full(fd[1], buffer, n) != (ssize_t)n)
				_exit(1);
			at += n;
		}
		_exit(0);
	}
	close(fd[1]);
	ssize_t n;
	while (pid > 0 && (n = read(fd[0], buffer, 1 + any(sizeof(buffer)))) > 0)
		for (ssize_t i = 0; i < n; i++, at++)
			EXPECT(buffer[i] == (unsigned char)(at * 7 + key), "byte %u is 0x%x", (unsigned)at, buffer[i]);
	close(fd[0]);
	if (pid > 0) {
		EXPECT(at == total, "%u bytes came, not %u", (unsigned)at, (unsigned)total);
		must_end_with(pid, 0);
	}
}

const struct operation process_operations[] = {
	{"fork", family, 10},
	{"share", share, 4},
	{"exit", die_at_once, 2},
	{"exec", become_another, 3},
	{"kill", murder, 4},
	{"pipe", talk, 3},
	{"pause", pause_a_little, 3},
	{0}};
