/* vmtest/signals2.c: signals between processes, masks, timers, and system calls that signals interrupt. */
#include "vmtest.h"
#include "handlers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

void signal_helper(const char *what);

volatile struct heard heard;
static volatile int depth, deepest;

void hear(int signal, siginfo_t *info, void *context)
{
	(void)context;
	if (heard.count < 16)
		heard.order[heard.count] = signal;
	heard.count++;
	memcpy((void *)&heard.last, info, sizeof(heard.last));
}

/* Masks */

static void raise_other(int signal, siginfo_t *info, void *context)
{
	hear(signal, info, context);
	if (signal == SIGUSR1) {
		raise(SIGUSR2);
		heard.order[heard.count < 16 ? heard.count : 15] = 100;  /* the end of this handler */
		heard.count++;
	}
}

static void nesting(void)
{
	struct sigaction a = {.sa_sigaction = raise_other, .sa_flags = SA_SIGINFO};

	catch_signal(SIGUSR2, raise_other, 0);
	sigaction(SIGUSR1, &a, NULL);
	raise(SIGUSR1);
	CHECK(heard.count == 3 && heard.order[0] == SIGUSR1 && heard.order[1] == SIGUSR2 && heard.order[2] == 100, "SIGUSR2 did not come inside");
	heard.count = 0;
	a.sa_mask = sigmask(SIGUSR2);
	sigaction(SIGUSR1, &a, NULL);
	raise(SIGUSR1);
	CHECK(heard.count == 3 && heard.order[0] == SIGUSR1 && heard.order[1] == 100 && heard.order[2] == SIGUSR2, "SIGUSR2 did not wait");
}

static void recurse(int signal)
{
	depth++;
	heard.count++;
	if (depth > deepest)
		deepest = depth;
	if (heard.count < 5)
		raise(signal);
	depth--;
}

static void defer(void)
{
	struct sigaction a = {.sa_handler = recurse};

	sigaction(SIGUSR1, &a, NULL);
	raise(SIGUSR1);
	CHECK(heard.count == 5 && deepest == 1, "%d calls, %d deep", heard.count, deepest);
	heard.count = deepest = 0;
	a.sa_flags = SA_NODEFER;
	sigaction(SIGUSR1, &a, NULL);
	raise(SIGUSR1);
	CHECK(heard.count == 5 && deepest == 5, "%d calls, %d deep", heard.count, deepest);
}

static void raise_usr1(void *unused)
{
	(void)unused;
	raise(SIGUSR1);
	_exit(heard.count == 1 ? 0 : 1);
}

static void reset_hand(void)
{
	struct sigaction now;

	catch_signal(SIGUSR1, hear, SA_RESETHAND);
	must_end_well(start_child(raise_usr1, NULL));
	raise(SIGUSR1);
	CHECK_EQ(heard.count, 1);
	sigaction(SIGUSR1, NULL, &now);
	CHECK(now.sa_handler == SIG_DFL, "the handler is still there");
	heard.count = 0;
	must_be_killed(raise_usr1, NULL, SIGUSR1);
}

static void pending(void)
{
	sigset_t set = sigmask(SIGUSR1) | sigmask(SIGUSR2) | sigmask(40), old, got;

	catch_signal(SIGUSR1, hear, 0);
	catch_signal(SIGUSR2, hear, 0);
	catch_signal(40, hear, 0);
	CHECK_EQ(sigprocmask(SIG_BLOCK, &set, &old), 0);
	for (int i = 0; i < 3; i++) {
		raise(SIGUSR2);
		raise(40);
		raise(SIGUSR1);
	}
	CHECK_EQ(heard.count, 0);
	CHECK_EQ(sigpending(&got), 0);
	CHECK(got == set, "pending: %08x%08x", (unsigned)(got >> 32), (unsigned)got);
	CHECK_EQ(sigprocmask(SIG_SETMASK, &old, &got), 0);
	CHECK(got == (set | old), "the mask was %08x%08x", (unsigned)(got >> 32), (unsigned)got);
	CHECK(heard.count == 5, "%d came: one SIGUSR1, one SIGUSR2 and three real-time ones were sent", heard.count);
	sigpending(&got);
	CHECK(got == 0, "some are still pending");
	/* Ignoring throws away what is pending. */
	heard.count = 0;
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	signal(SIGUSR1, SIG_IGN);
	catch_signal(SIGUSR1, hear, 0);
	sigprocmask(SIG_SETMASK, &old, NULL);
	CHECK_EQ(heard.count, 0);
}

/* Faults first: their frame must speak of the instruction that faulted, so it lies below all others, and its handler runs last. */
static void fault_first(void)
{
	sigset_t set = sigmask(SIGSEGV) | sigmask(SIGUSR1) | sigmask(40), none = 0;

	catch_signal(SIGUSR1, hear, 0);
	catch_signal(SIGSEGV, hear, 0);
	catch_signal(40, hear, 0);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(40);
	raise(SIGUSR1);
	raise(SIGSEGV);
	sigprocmask(SIG_SETMASK, &none, NULL);
	CHECK(heard.count == 3 && heard.order[0] == 40 && heard.order[1] == SIGUSR1 && heard.order[2] == SIGSEGV, "%d, %d, %d ran", heard.order[0],
		heard.order[1], heard.order[2]);
}

/* A stop and SIGCONT undo each other while they wait. */
static void undone_stop(void *unused)
{
	sigset_t set = sigmask(SIGTSTP) | sigmask(SIGCONT), none = 0, got;

	(void)unused;
	catch_signal(SIGCONT, hear, 0);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGTSTP);
	raise(SIGCONT);
	sigpending(&got);
	CHECK(got == sigmask(SIGCONT), "after SIGCONT %x is pending", (unsigned)got);
	raise(SIGTSTP);
	sigpending(&got);
	CHECK(got == sigmask(SIGTSTP), "after SIGTSTP %x is pending", (unsigned)got);
	raise(SIGCONT);
	sigprocmask(SIG_SETMASK, &none, NULL);
	CHECK_EQ(heard.count, 1);
}

static void stop_undone(void)
{
	int status;
	pid_t pid = start_child(undone_stop, NULL);

	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK(status == 0, "wait status 0x%x", status);
}

/* Who sent it */

void kill_parent(void *signal) { kill(getppid(), (int)signal); }

static void sender(void)
{
	sigset_t none = 0, usr1 = sigmask(SIGUSR1);

	catch_signal(SIGUSR1, hear, 0);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	pid_t pid = start_child(kill_parent, (void *)SIGUSR1);
	must_end_well(pid);
	CHECK_ERROR(sigsuspend(&none), EINTR);
	CHECK(heard.count == 1 && heard.last.si_code == SI_USER && heard.last.si_pid == pid && heard.last.si_uid == 0 && heard.last.si_signo == SIGUSR1,
		"code %d, from %d, not %d", heard.last.si_code, heard.last.si_pid, (int)pid);
	sigprocmask(SIG_SETMASK, &none, NULL);
	CHECK_EQ(syscall(SYS_tkill, getpid(), SIGUSR1), 0);
	CHECK(heard.count == 2 && heard.last.si_code == SI_TKILL && heard.last.si_pid == getpid(), "tkill: code %d", heard.last.si_code);
	CHECK_EQ(syscall(SYS_tgkill, getpid(), getpid(), 0), 0);
	CHECK_ERROR(syscall(SYS_tgkill, getpid(), 1, SIGUSR1), ESRCH);
	CHECK_ERROR(syscall(SYS_tgkill, 0, getpid(), SIGUSR1), EINVAL);
	CHECK_ERROR(syscall(SYS_tkill, 31999, SIGUSR1), ESRCH);
	CHECK_ERROR(kill(getpid(), 65), EINVAL);
	CHECK_EQ(kill(getpid(), 0), 0);
	CHECK_EQ(heard.count, 2);
}

static void ping_pong(void *fd)
{
	sigset_t block = sigmask(SIGUSR1), wait = 0;
	catch_signal(SIGUSR1, hear, 0);
	sigprocmask(SIG_BLOCK, &block, NULL);
	if (fd)
		write((int)fd, "x", 1);
	for (int i = 1; i <= 200; i++) {
		if (fd)
			kill(getppid(), SIGUSR1);
		while (heard.count < i)
			sigsuspend(&wait);
		if (!fd)
			kill(heard.last.si_pid, SIGUSR1);
	}
}

/* sigsuspend loses no signal: two processes answer each other. */
static void suspend(void)
{
	int fd[2];
	char c;
	sigset_t block = sigmask(SIGUSR1), got;

	CHECK_EQ(pipe(fd), 0);
	sigprocmask(SIG_BLOCK, &block, NULL);
	pid_t pid = start_child(ping_pong, (void *)fd[1]);
	CHECK_EQ(read(fd[0], &c, 1), 1);
	ping_pong(NULL);
	must_end_well(pid);
	CHECK_EQ(heard.count, 200);
	sigprocmask(SIG_BLOCK, NULL, &got);
	CHECK(got == block, "the mask afterwards is %08x%08x", (unsigned)(got >> 32), (unsigned)got);
}

/* fork and exec */

void signal_helper(const char *what)
{
	struct sigaction a;
	sigset_t mask;

	(void)what;
	sigaction(SIGUSR1, NULL, &a);
	int status = a.sa_handler == SIG_DFL ? 0 : 1;
	sigaction(SIGUSR2, NULL, &a);
	status |= a.sa_handler == SIG_IGN ? 0 : 2;
	sigprocmask(SIG_BLOCK, NULL, &mask);
	status |= mask == (sigmask(SIGHUP) | sigmask(40)) ? 0 : 4;
	sigpending(&mask);
	status |= mask == sigmask(40) ? 0 : 8;
	stack_t s;
	sigaltstack(NULL, &s);
	status |= s.ss_flags == SS_DISABLE ? 0 : 16;
	_exit(status);
}

static char stack[SIGSTKSZ];

static void become_helper(void *unused)
{
	char *argv[] = {"vmtest", "--helper", "signals", NULL};
	stack_t s = {.ss_sp = stack, .ss_size = sizeof(stack)};
	sigset_t set = sigmask(SIGHUP) | sigmask(40);

	(void)unused;
	catch_signal(SIGUSR1, hear, SA_ONSTACK);
	signal(SIGUSR2, SIG_IGN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(40);
	sigaltstack(&s, NULL);
	execve("/bin/vmtest", argv, environ);
	_exit(98);
}

static void exec_resets(void) { CHECK_EQ(child_status(become_helper, NULL), 0); }

static void check_inherited(void *unused)
{
	sigset_t got;
	struct itimerval t;

	(void)unused;
	sigpending(&got);
	CHECK(got == 0, "the child has pending signals");
	sigprocmask(SIG_BLOCK, NULL, &got);
	CHECK(got == sigmask(SIGUSR2), "the child's mask is %x", (unsigned)got);
	getitimer(ITIMER_REAL, &t);
	CHECK(t.it_value.tv_sec == 0 && t.it_value.tv_usec == 0, "the child has an alarm");
	raise(SIGUSR1);
	CHECK_EQ(heard.count, 1);
	signal(SIGUSR1, SIG_IGN);              /* its own table: the parent's is not touched */
}

static void fork_inherits(void)
{
	sigset_t set = sigmask(SIGUSR2);

	catch_signal(SIGUSR1, hear, 0);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR2);
	alarm(1000);
	must_end_well(start_child(check_inherited, NULL));
	CHECK_EQ(heard.count, 0);
	raise(SIGUSR1);
	CHECK_EQ(heard.count, 1);
	CHECK(alarm(0) > 990, "the parent's alarm is gone");
}

/* Interrupted system calls */

static void send_soon(void *fd)
{
	usleep(100000);
	kill(getppid(), SIGUSR1);
	usleep(100000);
	write((int)fd, "later", 5);
}

static void restart(void)
{
	int fd[2], status;
	char buf[8];

	CHECK_EQ(pipe(fd), 0);
	catch_signal(SIGUSR1, hear, 0);
	pid_t pid = start_child(send_soon, (void *)fd[1]);
	CHECK_ERROR(read(fd[0], buf, 8), EINTR);
	CHECK_EQ(heard.count, 1);
	CHECK_EQ(read(fd[0], buf, 8), 5);
	must_end_well(pid);
	catch_signal(SIGUSR1, hear, SA_RESTART);
	pid = start_child(send_soon, (void *)fd[1]);
	CHECK_EQ(read(fd[0], buf, 8), 5);
	CHECK_EQ(heard.count, 2);
	must_end_well(pid);
	pid = start_child(send_soon, (void *)fd[1]);   /* wait goes on, too */
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(heard.count, 3);
	catch_signal(SIGUSR1, hear, 0);
	pid = start_child(send_soon, (void *)fd[1]);
	CHECK_ERROR(waitpid(pid, &status, 0), EINTR);
	must_end_well(pid);
	/* pause and sigsuspend are never begun again. */
	catch_signal(SIGUSR1, hear, SA_RESTART);
	pid = start_child(send_soon, (void *)fd[1]);
	CHECK_ERROR(pause(), EINTR);
	must_end_well(pid);
	/* A writer to a full pipe. */
	static char much[PAGE_SIZE];
	read(fd[0], much, PAGE_SIZE);
	fcntl(fd[1], F_SETFL, O_NONBLOCK);
	while (write(fd[1], much, PAGE_SIZE) > 0)
		;
	fcntl(fd[1], F_SETFL, 0);
	catch_signal(SIGUSR1, hear, 0);
	pid = start_child(kill_parent, (void *)SIGUSR1);
	CHECK_ERROR(write(fd[1], much, PAGE_SIZE), EINTR);
	must_end_well(pid);
}

static void sleep_left(void)
{
	struct timespec want = {5, 0}, left = {0};
	int fd[2];

	pipe(fd);
	catch_signal(SIGUSR1, hear, SA_RESTART);
	long start = now_ms();
	pid_t pid = start_child(send_soon, (void *)fd[1]);
	CHECK_ERROR(nanosleep(&want, &left), EINTR);
	long slept = now_ms() - start, ms = left.tv_sec * 1000 + left.tv_nsec / 1000000;
	CHECK(slept < 4000 && ms + slept > 4900 && ms + slept < 5200, "slept %ld ms, %ld left", slept, ms);
	must_end_well(pid);
}

static void stop_and_go(void *unused)
{
	(void)unused;
	usleep(800000);
	kill(getppid(), SIGSTOP);
	usleep(100000);
	kill(getppid(), SIGCONT);
}

static void sleep_through(void *unused)
{
	struct timespec want = {1, 500000000}, left = {0};
	long start = now_ms();

	(void)unused;
	pid_t pid = start_child(stop_and_go, NULL);
	CHECK_EQ(nanosleep(&want, &left), 0);
	long ms = now_ms() - start;            /* begun again, it would be 2400 */
	CHECK(ms >= 1490 && ms < 2000, "slept %ld ms", ms);
	must_end_well(pid);
}

/* Without a handler nothing was interrupted: the sleep ends when it would have. */
static void sleep_stopped(void) { must_end_well(start_child(sleep_through, NULL)); }

/* Timers */

static void just_pause(void *unused) { (void)unused; pause(); }
static void alarm_and_pause(void *unused) { (void)unused; alarm(1); pause(); }

static void timers(void)
{
	struct itimerval t = {{0, 50000}, {0, 100000}}, old;

	must_be_killed(alarm_and_pause, NULL, SIGALRM);
	catch_signal(SIGALRM, hear, 0);
	long start = now_ms();
	CHECK_EQ(alarm(1), 0);
	CHECK_ERROR(pause(), EINTR);
	long ms = now_ms() - start;
	CHECK(heard.count == 1 && ms >= 990 && ms < 2500, "%d alarms after %ld ms", heard.count, ms);
	CHECK_EQ(heard.last.si_code, SI_KERNEL);
	start = now_ms();
	CHECK_EQ(setitimer(ITIMER_REAL, &t, NULL), 0);
	while (heard.count < 6)
		pause();
	ms = now_ms() - start;
	CHECK(ms >= 290 && ms < 2000, "five alarms, 100 ms and then every 50 ms, took %ld ms", ms);
	CHECK_EQ(getitimer(ITIMER_REAL, &t), 0);
	CHECK(t.it_interval.tv_usec == 50000 && t.it_value.tv_usec > 0 && t.it_value.tv_usec <= 60000, "%ld us to the next", t.it_value.tv_usec);
	memset(&t, 0, sizeof(t));
	CHECK_EQ(setitimer(ITIMER_REAL, &t, &old), 0);
	CHECK_EQ(old.it_interval.tv_usec, 50000);
	int n = heard.count;
	usleep(200000);
	CHECK_EQ(heard.count, n);
	t.it_value.tv_usec = 1000000;
	CHECK_ERROR(setitimer(ITIMER_REAL, &t, NULL), EINVAL);
	CHECK_ERROR(setitimer(9, &t, NULL), EINVAL);
	CHECK_EQ(alarm(100), 0);
	CHECK_EQ(alarm(0), 100);
}

/* Children */

static void exit_with(void *status) { _exit((int)status); }

static void child_ends(void)
{
	int status;
	struct sigaction a = {.sa_handler = SIG_IGN};

	catch_signal(SIGCHLD, hear, SA_RESTART);
	pid_t pid = start_child(exit_with, (void *)7);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(heard.count == 1 && heard.last.si_code == CLD_EXITED && heard.last.si_pid == pid && heard.last.si_status == 7, "code %d, status %d",
		heard.last.si_code, heard.last.si_status);
	pid = start_child(just_pause, NULL);
	kill(pid, SIGTERM);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(heard.count == 2 && heard.last.si_code == CLD_KILLED && heard.last.si_status == SIGTERM, "code %d, status %d", heard.last.si_code,
		heard.last.si_status);
	sigaction(SIGCHLD, &a, NULL);          /* now they vanish without being waited for */
	for (int i = 0; i < 5; i++)
		start_child(exit_with, NULL);
	CHECK_ERROR(wait(&status), ECHILD);
	a.sa_handler = SIG_DFL;
	a.sa_flags = SA_NOCLDWAIT;
	sigaction(SIGCHLD, &a, NULL);
	start_child(exit_with, NULL);
	CHECK_ERROR(wait(&status), ECHILD);
	a.sa_flags = 0;
	sigaction(SIGCHLD, &a, NULL);
	must_end_well(start_child(exit_with, NULL));
}

static void count_up(void *fd)
{
	for (unsigned char c = 0;; c++) {
		write((int)fd, &c, 1);
		usleep(20000);
	}
}

static int drain(int fd)
{
	char buf[200];
	int n, all = 0;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		all += n;
	return all;
}

static void stop_continue(void)
{
	int fd[2], status;
	char c;

	CHECK_EQ(pipe(fd), 0);
	catch_signal(SIGCHLD, hear, 0);
	pid_t pid = start_child(count_up, (void *)fd[1]);
	CHECK_EQ(read(fd[0], &c, 1), 1);
	CHECK_EQ(kill(pid, SIGSTOP), 0);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP && !WIFSIGNALED(status) && !WIFEXITED(status), "wait status 0x%x", status);
	CHECK(heard.last.si_code == CLD_STOPPED && heard.last.si_status == SIGSTOP && heard.last.si_pid == pid, "code %d, status %d", heard.last.si_code,
		heard.last.si_status);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED | WNOHANG), 0);
	fcntl(fd[0], F_SETFL, O_NONBLOCK);
	drain(fd[0]);
	kill(pid, SIGUSR1);                    /* deadly, but it waits like everything else */
	usleep(200000);
	CHECK_EQ(drain(fd[0]), 0);
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	CHECK_EQ(kill(pid, SIGCONT), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1, "wait status 0x%x", status);
	pid = start_child(count_up, (void *)fd[1]);
	kill(pid, SIGTSTP);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK_EQ(WSTOPSIG(status), SIGTSTP);
	kill(pid, SIGCONT);
	CHECK_EQ(waitpid(pid, &status, WCONTINUED), pid);
	CHECK(WIFCONTINUED(status) && heard.last.si_code == CLD_CONTINUED, "wait status 0x%x, code %d", status, heard.last.si_code);
	kill(pid, SIGSTOP);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	kill(pid, SIGKILL);                    /* stopped or not */
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(WTERMSIG(status), SIGKILL);
}

static void pipe_error(void)
{
	int fd[2];

	CHECK_EQ(pipe(fd), 0);
	close(fd[0]);
	signal(SIGPIPE, SIG_IGN);
	CHECK_ERROR(write(fd[1], "x", 1), EPIPE);
	catch_signal(SIGPIPE, hear, 0);
	CHECK_ERROR(write(fd[1], "x", 1), EPIPE);
	CHECK_EQ(heard.count, 1);
}

/* Signals at any moment: a sum goes on that needs every register, and none is disturbed. */
static void bombard(void *unused)
{
	(void)unused;
	for (int i = 0; i < 400; i++) {
		kill(getppid(), i % 2 ? SIGUSR1 : SIGUSR2);
		sched_yield();
	}
	kill(getppid(), SIGTERM);
}

static volatile bool enough;
static void finish(int signal) { (void)signal; enough = true; }

static void storm(void)
{
	uint32_t a = 1, b = 2, c = 3, d = 4, e = 5, rounds = 0;

	catch_signal(SIGUSR1, hear, 0);
	catch_signal(SIGUSR2, hear, SA_NODEFER);
	signal(SIGTERM, finish);
	pid_t pid = start_child(bombard, NULL);
	while (!enough) {
		for (int i = 0; i < 5000; i++) {
			a += b ^ i, b += c ^ i, c += d ^ i, d += e ^ i, e += a ^ i;
			a -= d, a += d;
			__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e));
		}
		rounds++;
	}
	must_end_well(pid);
	uint32_t x = 1, y = 2, z = 3, u = 4, v = 5;
	for (uint32_t r = 0; r < rounds; r++)
		for (int i = 0; i < 5000; i++)
			x += y ^ i, y += z ^ i, z += u ^ i, u += v ^ i, v += x ^ i;
	CHECK(a == x && b == y && c == z && d == u && e == v, "the sum is wrong after %d signals", heard.count);
	CHECK(heard.count > 20, "only %d signals came", heard.count);
	note("%d handlers ran between the instructions of a sum that came out right", heard.count);
}

const struct test signal_process_tests[] = {
	{"sig-nested", "a handler is interrupted by another signal, unless sa_mask forbids", nesting, NULL},
	{"sig-defer", "a handler's own signal waits; with SA_NODEFER it does not", defer, NULL},
	{"sig-resethand", "SA_RESETHAND: once, then the default", reset_hand, NULL},
	{"sig-pending", "blocked signals wait: once each, real-time ones in number", pending, NULL},
	{"sig-order", "of several signals a fault's frame comes first, and its handler runs last", fault_first, NULL},
	{"sig-stop-undone", "a stop and SIGCONT undo each other while they are blocked", stop_undone, NULL},
	{"sig-sender", "kill, tkill and tgkill say who sent it", sender, NULL},
	{"sig-suspend", "two processes answer each other 200 times through sigsuspend", suspend, NULL},
	{"sig-exec-resets", "exec forgets handlers and keeps what is ignored, blocked and pending", exec_resets, NULL},
	{"sig-fork", "fork copies handlers and masks, not pending signals or alarms", fork_inherits, NULL},
	{"sig-restart", "read, write and wait: EINTR, or again with SA_RESTART", restart, NULL},
	{"sig-nanosleep", "an interrupted sleep says what was left", sleep_left, NULL},
	{"sig-sleep-stopped", "a sleep goes on through stop and continue", sleep_stopped, NULL},
	{"sig-timers", "alarm and setitimer come when they should", timers, NULL},
	{"sig-child", "SIGCHLD tells who and how; ignored, children vanish", child_ends, NULL},
	{"sig-stop", "SIGSTOP, SIGTSTP and SIGCONT, as wait sees them", stop_continue, NULL},
	{"sig-pipe", "SIGPIPE ignored or caught: EPIPE", pipe_error, NULL},
	{"sig-storm", "signals at any moment disturb no register", storm, NULL},
	{0}};
