/* vmtest/process.c: fork, exec, wait, kill, pipes and descriptors, as far as they move memory about. */
#include "vmtest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- after an exec: vmtest --helper NAME ----------------------------------------------------------------------------- */

static void touch_and_go(const char *address) { *(volatile char *)strtoul(address, NULL, 16) = 1; }
static void exit_seven(const char *rest) { (void)rest; exit(7); }
static void write_fd_five(const char *rest) { (void)rest; exit(write(5, "x", 1) == 1 ? 0 : 9); }

static void exec_again(const char *left)
{
	char next[20];
	char *argv[] = {"vmtest", "--helper", next, NULL};

	if (atoi(left) == 0)
		exit(3);
	snprintf(next, sizeof(next), "again-%d", atoi(left) - 1);
	execve("/bin/vmtest", argv, environ);
	exit(8);
}

static const struct { const char *name; void (*run)(const char *rest); } helpers[] = {
	{"exit-7", exit_seven},
	{"touch-", touch_and_go},              /* a name that ends with - has an argument behind it */
	{"fd-5", write_fd_five},
	{"again-", exec_again},
	{"constants", report_constants},
	{"segments", segments_helper},
	{"signals", signal_helper},
	{"float", float_helper},
	{"linux-", linux_helper},
};

void exec_helper(const char *what)
{
	for (size_t i = 0; i < sizeof(helpers) / sizeof(helpers[0]); i++) {
		size_t n = strlen(helpers[i].name);
		if (strncmp(what, helpers[i].name, n) == 0 && (!what[n] || helpers[i].name[n - 1] == '-'))
			helpers[i].run(what + n);
	}
}

static void exec_self(void *what)
{
	char *argv[] = {"vmtest", "--helper", what, NULL};
	execve("/bin/vmtest", argv, environ);
	_exit(98);
}

/* What the helper prints: pages present in three arrays, and the frame of one page of constants. */
static void read_report(int number[4])
{
	int fd[2];
	char text[100] = {0}, *p = text;

	CHECK_EQ(pipe(fd), 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(fd[1], 1);
		exec_self("constants");
	}
	close(fd[1]);
	read_full(fd[0], text, sizeof(text) - 1);
	close(fd[0]);
	must_end_well(pid);
	for (int i = 0; i < 4; i++) {
		char *end;
		number[i] = strtol(p, &end, 10);
		CHECK(end != p, "the helper printed '%s'", text);
		p = end;
	}
}

static void exec_lazy(void)
{
	int number[4];
	char before[8];
	/* fault-around maps neighbours of the helper's own first pages */
	CHECK(vm_setting("/proc/prefetch", before, sizeof(before)) == 0 && vm_switch("/proc/prefetch", "off") == 0, "/proc/prefetch cannot be switched");
	read_report(number);
	vm_switch("/proc/prefetch", before);
	CHECK_EQ(number[0], 0);
	CHECK_EQ(number[1], 0);
	CHECK_EQ(number[2], 0);
}

static void exec_shares_text(void)
{
	int a[4], b[4];
	read_report(a);
	read_report(b);
	CHECK(a[3] == b[3], "two runs had the same page of the file in frames %d and %d", a[3], b[3]);
}

static void exec_chain(void)
{
	CHECK_EQ(child_status(exec_self, "again-20"), 3 << 8);
}

static void exec_fails(void)
{
	char *argv[] = {"x", NULL};
	volatile char keep[100] = "still here";
	int fd = open("/tmp/vmtest-noexec", O_WRONLY | O_CREAT | O_TRUNC, 0755);

	CHECK(fd >= 0, "cannot create: %s", strerror(errno));
	write(fd, "\177ELF\1\1\1", 7);         /* begins like a program */
	close(fd);
	CHECK_ERROR(execve("/nonexistent", argv, environ), ENOENT);
	CHECK_ERROR(execve("/tmp/vmtest-noexec", argv, environ), ENOEXEC);
	CHECK(execve("/bin", argv, environ) == -1, "a directory was executed");
	unlink("/tmp/vmtest-noexec");
	CHECK(strcmp((char *)keep, "still here") == 0, "a failed exec damaged the stack");
	CHECK_EQ(child_status(exec_self, "exit-7"), 7 << 8);
}

static void exec_many_args(void *unused)
{
	static char *argv[402];
	static char word[100];

	(void)unused;
	memset(word, 'w', sizeof(word) - 1);
	argv[0] = "vmtest";
	argv[1] = "--helper";
	argv[2] = "exit-7";
	for (int i = 3; i < 400; i++)
		argv[i] = word;
	execve("/bin/vmtest", argv, environ);
	_exit(98);
}

static void exec_too_many(void *unused)
{
	static char *argv[20];
	char *big = grow_heap(1024);           /* 4 MB of argument */

	(void)unused;
	memset(big, 'w', 1024 * PAGE_SIZE - 1);
	argv[0] = argv[1] = big;
	errno = 0;
	execve("/bin/vmtest", argv, environ);
	_exit(errno == E2BIG || errno == ENOMEM ? 5 : 98);
}

static void exec_arguments(void)
{
	CHECK_EQ(child_status(exec_many_args, NULL), 7 << 8);
	CHECK_EQ(child_status(exec_too_many, NULL), 5 << 8);
}

static void end_with(void *status) { _exit((int)status); }

static void many_forks(void)
{
	for (int i = 0; i < 60; i++)
		CHECK_EQ(child_status(end_with, (void *)i), i << 8);
}

static void sleep_long(void *unused) { (void)unused; sleep(1000); }
static void spin(void *unused) { (void)unused; for (;;) __asm__ volatile(""); }
static void read_forever(void *fd) { char c; read((int)fd, &c, 1); }

static void killed(void (*run)(void *), void *argument)
{
	int status;
	pid_t pid = start_child(run, argument);

	usleep(30000);
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	CHECK_EQ(kill(pid, SIGTERM), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM, "wait status 0x%x", status);
	CHECK_ERROR(kill(pid, SIGTERM), ESRCH);
}

static void kill_works(void)
{
	int fd[2];
	CHECK_EQ(pipe(fd), 0);
	killed(sleep_long, NULL);
	killed(spin, NULL);
	killed(read_forever, (void *)fd[0]);
}

/* The orphan reports who its parent is once its first parent has gone. */
static void leave_orphan(void *fd)
{
	if (fork() != 0)
		_exit(0);
	while (getppid() != 1)
		usleep(10000);
	stamp_pages(grow_heap(50), 50, 5);
	write((int)fd, "o", 1);
	_exit(0);
}

static void orphans(void)
{
	int fd[2];
	char c = 0;

	CHECK_EQ(pipe(fd), 0);
	for (int i = 0; i < 5; i++) {
		must_end_well(start_child(leave_orphan, (void *)fd[1]));
		CHECK_EQ(read(fd[0], &c, 1), 1);
		CHECK_EQ(c, 'o');
	}
	CHECK_ERROR(wait(NULL), ECHILD);
}

static void wait_options(void)
{
	int status;
	pid_t pid = start_child(sleep_long, NULL);

	CHECK_EQ(waitpid(-1, &status, WNOHANG), 0);
	CHECK_ERROR(waitpid(pid + 1000, &status, 0), ECHILD);
	kill(pid, SIGKILL);
	CHECK_EQ(wait(&status), pid);
	CHECK_ERROR(wait(&status), ECHILD);
}

/* Registers, and a busy neighbour: the timer takes the processor away and gives it back with everything as it was. */
static void preemption(void)
{
	pid_t pid = start_child(spin, NULL);
	long start = now_ms();
	uint32_t turns = 0;

	do {
		uint32_t b = 0x11111111, si = 0x22222222, di = 0x33333333, dx = 0x44444444, count = 20000;
		__asm__ volatile("1: decl %%ecx\n\tjnz 1b" : "+b"(b), "+S"(si), "+D"(di), "+d"(dx), "+c"(count) : : "cc");
		CHECK(b == 0x11111111 && si == 0x22222222 && di == 0x33333333 && dx == 0x44444444 && count == 0,
			"registers changed: %x %x %x %x %x", (unsigned)b, (unsigned)si, (unsigned)di, (unsigned)dx, (unsigned)count);
		turns++;
	} while (now_ms() - start < 1000 && turns < 2000);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void send_stamps(void *fd)
{
	const uint32_t pages = 40;
	char *mine = grow_heap(pages);

	stamp_pages(mine, pages, 9);
	CHECK_EQ(write_full((int)fd, mine + 0, pages * PAGE_SIZE), pages * PAGE_SIZE);
}

static void pipe_pages(void)
{
	const uint32_t pages = 40;
	char *mine = grow_heap(pages);
	int fd[2];

	CHECK_EQ(pipe(fd), 0);
	pid_t pid = start_child(send_stamps, (void *)fd[1]);
	close(fd[1]);
	CHECK_EQ(read_full(fd[0], mine, pages * PAGE_SIZE), pages * PAGE_SIZE);
	check_pages(mine, pages, 9);
	CHECK_EQ(read(fd[0], mine, 1), 0);
	must_end_well(pid);
}

static void write_closed(void *fd)
{
	errno = 0;
	long n = write((int)fd, "x", 1);
	_exit(n == -1 && errno == EPIPE ? 4 : 98);
}

static void pipe_closed(void)
{
	int fd[2];

	CHECK_EQ(pipe(fd), 0);
	close(fd[0]);
	int status = child_status(write_closed, (void *)fd[1]);
	CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE) || status == 4 << 8, "wait status 0x%x", status);
}

static void read_three(void *fd)
{
	char buf[3];
	CHECK_EQ(read((int)fd, buf, 3), 3);
}

static void descriptors(void)
{
	int fd = open("/bin/vmtest", O_RDONLY), out[2];
	char c;

	CHECK_EQ(lseek(fd, 100, SEEK_SET), 100);
	must_end_well(start_child(read_three, (void *)fd));
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 103);         /* fork shares the open file and its offset */
	close(fd);
	CHECK_EQ(pipe(out), 0);
	CHECK_EQ(dup2(out[1], 5), 5);
	CHECK_EQ(child_status(exec_self, "fd-5"), 0);  /* exec keeps it */
	CHECK_EQ(read(out[0], &c, 1), 1);
	fcntl(5, F_SETFD, FD_CLOEXEC);
	CHECK_EQ(child_status(exec_self, "fd-5"), 9 << 8);
}

static void sleep_length(void)
{
	long start = now_ms();

	usleep(200000);
	long ms = now_ms() - start;
	CHECK(ms >= 190 && ms < 5000, "200 ms of sleep took %ld ms", ms);
}

const struct test process_tests[] = {
	{"exec-lazy", "after exec no page of text, data or bss is present that was not touched", exec_lazy, NULL},
	{"exec-shares-text", "two runs of a program find the same file page in one frame", exec_shares_text, NULL},
	{"exec-chain", "twenty execs in one process", exec_chain, NULL},
	{"exec-fails", "a failed exec leaves the caller as it was", exec_fails, NULL},
	{"exec-arguments", "40 KB of arguments arrive, 4 MB are refused", exec_arguments, NULL},
	{"fork-60", "sixty children, each with its own status", many_forks, NULL},
	{"kill", "kill ends a sleeping, a busy and a reading process", kill_works, NULL},
	{"orphans", "orphans go to process 1, which collects them", orphans, NULL},
	{"wait-options", "WNOHANG, wrong children, no children", wait_options, NULL},
	{"preemption", "the timer shares the processor and keeps every register", preemption, NULL},
	{"pipe-pages", "160 KB through a pipe, then end of file", pipe_pages, NULL},
	{"pipe-closed", "writing where nobody reads is SIGPIPE or EPIPE", pipe_closed, NULL},
	{"descriptors", "fork and exec keep descriptors and offsets; close-on-exec closes", descriptors, NULL},
	{"nanosleep", "a sleep takes as long as asked", sleep_length, NULL},
	{0}};
