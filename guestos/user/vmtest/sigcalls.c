/* vmtest/sigcalls.c: system calls that signals interrupt, and timers that send them. */
#include "vmtest.h"
#include "handlers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

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

const struct test signal_call_tests[] = {
	{"sig-restart", "read, write and wait: EINTR, or again with SA_RESTART", restart, NULL},
	{"sig-nanosleep", "an interrupted sleep says what was left", sleep_left, NULL},
	{"sig-sleep-stopped", "a sleep goes on through stop and continue", sleep_stopped, NULL},
	{"sig-timers", "alarm and setitimer come when they should", timers, NULL},
	{0}};
