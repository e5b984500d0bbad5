/* vmtest/sigmasks.c: when a signal is let in: masks, handlers inside handlers, what waits and in which order; and signals at any moment. */
#include "vmtest.h"
#include "handlers.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int depth, deepest;

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

const struct test signal_mask_tests[] = {
	{"sig-nested", "a handler is interrupted by another signal, unless sa_mask forbids", nesting, NULL},
	{"sig-defer", "a handler's own signal waits; with SA_NODEFER it does not", defer, NULL},
	{"sig-resethand", "SA_RESETHAND: once, then the default", reset_hand, NULL},
	{"sig-pending", "blocked signals wait: once each, real-time ones in number", pending, NULL},
	{"sig-order", "of several signals a fault's frame comes first, and its handler runs last", fault_first, NULL},
	{"sig-stop-undone", "a stop and SIGCONT undo each other while they are blocked", stop_undone, NULL},
	{"sig-storm", "signals at any moment disturb no register", storm, NULL},
	{0}};
