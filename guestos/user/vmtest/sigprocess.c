/* vmtest/sigprocess.c: signals between processes: who sent them, what fork and exec leave of them, what parents are told. */
#include "vmtest.h"
#include "handlers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* Who sent it */

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

void signal_helper(const char *rest)
{
	struct sigaction a;
	sigset_t mask;

	(void)rest;
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

/* Children */

static void just_pause(void *unused) { (void)unused; pause(); }
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

const struct test signal_process_tests[] = {
	{"sig-sender", "kill, tkill and tgkill say who sent it", sender, NULL},
	{"sig-suspend", "two processes answer each other 200 times through sigsuspend", suspend, NULL},
	{"sig-exec-resets", "exec forgets handlers and keeps what is ignored, blocked and pending", exec_resets, NULL},
	{"sig-fork", "fork copies handlers and masks, not pending signals or alarms", fork_inherits, NULL},
	{"sig-child", "SIGCHLD tells who and how; ignored, children vanish", child_ends, NULL},
	{"sig-stop", "SIGSTOP, SIGTSTP and SIGCONT, as wait sees them", stop_continue, NULL},
	{"sig-pipe", "SIGPIPE ignored or caught: EPIPE", pipe_error, NULL},
	{0}};
