/* tests/emu/terminal_test.c: the program on a pseudo-terminal: raw mode, Ctrl-A commands, and the terminal as it was on every way out. */
#define _GNU_SOURCE
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 20000

static int master, slave;
static pid_t child;
static struct termios before;
static char seen[65536];
static size_t seen_len;
static const char *save_path;              /* for --save */

static void start(const char *guest)
{
	char path[512];

	snprintf(path, sizeof(path), GUEST_DIR "/%s.elf", guest);
	seen_len = 0;
	*seen = 0;
	ck_assert_int_eq(openpty(&master, &slave, NULL, NULL, NULL), 0);
	ck_assert_int_eq(tcgetattr(slave, &before), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (!child) {
		setpgid(0, 0);             /* not an orphaned group: those cannot be stopped */
		dup2(slave, 0);
		dup2(slave, 1);
		dup2(slave, 2);
		execl(EMU, EMU, "run", "--memory", "4M", path, save_path ? "--save" : NULL, save_path, (char *)NULL);
		_exit(99);
	}
}

/* Reads what the program writes until text was seen. */
static void wait_for(const char *text)
{
	for (int waited = 0; !strstr(seen, text); waited += 50) {
		struct pollfd p = { .fd = master, .events = POLLIN };
		ck_assert_msg(waited < PATIENCE_MS, "'%s' did not come; so far: %s", text, seen);
		if (poll(&p, 1, 50) <= 0)
			continue;
		ssize_t n = read(master, seen + seen_len, sizeof(seen) - 1 - seen_len);
		ck_assert_int_gt(n, 0);
		seen_len += (size_t)n;
		seen[seen_len] = 0;
	}
}

static int wait_for_end(void)
{
	int status;

	for (int waited = 0; waited < PATIENCE_MS; waited += 20) {
		struct pollfd p = { .fd = master, .events = POLLIN };
		char scrap[256];
		if (waitpid(child, &status, WNOHANG) == child)
			return status;
		if (poll(&p, 1, 20) > 0 && read(master, scrap, sizeof(scrap)) < 0)
			break;
	}
	kill(child, SIGKILL);
	ck_abort_msg("the program did not end");
	return -1;
}

static bool is_raw(void)
{
	struct termios now;

	ck_assert_int_eq(tcgetattr(slave, &now), 0);
	return !(now.c_lflag & (ICANON | ECHO | ISIG));
}

static void assert_restored(void)
{
	struct termios now;

	ck_assert_int_eq(tcgetattr(slave, &now), 0);
	ck_assert_uint_eq(now.c_lflag, before.c_lflag);
	ck_assert_uint_eq(now.c_iflag, before.c_iflag);
	ck_assert_uint_eq(now.c_oflag, before.c_oflag);
	ck_assert_uint_eq(now.c_cflag, before.c_cflag);
	close(master);
	close(slave);
}

static void type(const char *keys, size_t count)
{
	ck_assert_int_eq(write(master, keys, count), (ssize_t)count);
}

START_TEST(ctrl_a_x_quits_with_status_0)
{
	start("echo");
	wait_for("press Ctrl-A x to quit");
	wait_for("ready");
	ck_assert(is_raw());
	type("\001x", 2);
	int status = wait_for_end();
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_restored();
}
END_TEST

START_TEST(ctrl_a_s_saves_at_once)
{
	char path[64];
	struct stat st;

	start("echo");
	wait_for("ready");
	type("\001s", 2);
	wait_for("none was given");
	type("\001x", 2);
	wait_for_end();
	snprintf(path, sizeof(path), "/tmp/terminal_test_%ld.emu", (long)getpid());
	save_path = path;
	start("echo");
	save_path = NULL;
	wait_for("ready");
	ck_assert_int_ne(stat(path, &st), 0);
	type("\001s", 2);
	wait_for("saved the machine in");
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(unlink(path), 0);
	type("still here", 10);                    /* and the guest goes on */
	wait_for("still here");
	type("\001x", 2);
	int status = wait_for_end();
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	ck_assert_int_eq(unlink(path), 0);         /* the end saves too */
	assert_restored();
}
END_TEST

START_TEST(keys_reach_the_guest_and_ctrl_a_twice_is_one)
{
	start("echo");
	wait_for("ready");
	type("xyz", 3);
	wait_for("xyz");
	type("\001\001*", 3);
	wait_for("\001*");
	type("\003", 1);                           /* Ctrl-C is the guest's */
	wait_for("\003");
	type("\001h", 2);
	wait_for("Ctrl-A x quit");
	type("q", 1);                              /* the guest powers off */
	int status = wait_for_end();
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_restored();
}
END_TEST

/* A guest that never reads its port, and more keys than are kept for it. */
START_TEST(ctrl_a_x_quits_however_much_was_pasted)
{
	static char pasted[4096];

	start("spin");
	wait_for("press Ctrl-A x to quit");
	for (int waited = 0; !is_raw() && waited < PATIENCE_MS; waited += 20)
		poll(NULL, 0, 20);
	memset(pasted, 'p', sizeof(pasted));
	for (unsigned sent = 0; sent < 400 * 1024; sent += sizeof(pasted)) {
		struct pollfd p = { .fd = master, .events = POLLOUT };
		ck_assert_msg(poll(&p, 1, PATIENCE_MS) == 1, "the program reads no more after %u bytes", sent);
		type(pasted, sizeof(pasted));
	}
	type("\001x", 2);
	int status = wait_for_end();
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_restored();
}
END_TEST

/* The terminal's other side reads nothing, so the output is stuck; the keys still count. */
START_TEST(ctrl_a_x_quits_while_the_output_is_stuck)
{
	int status = 0;

	start("flood");
	wait_for("press Ctrl-A x to quit");
	poll(NULL, 0, 1000);
	type("\001x", 2);
	for (int waited = 0; waitpid(child, &status, WNOHANG) != child; waited += 20) {
		if (waited > PATIENCE_MS)
			kill(child, SIGKILL);
		ck_assert_msg(waited <= PATIENCE_MS, "the program did not end");
		poll(NULL, 0, 20);
	}
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_restored();
}
END_TEST

START_TEST(a_signal_restores_the_terminal_and_still_kills)
{
	int sig = _i;

	if (sig == SIGKILL || sig == SIGPIPE || sig == SIGXFSZ || sig == SIGCHLD || (sig >= SIGCONT && sig <= SIGURG) || sig == SIGWINCH)
		return;                    /* cannot be caught, are ignored, or do not kill */
	start("spin");
	wait_for("press Ctrl-A x to quit");
	for (int waited = 0; !is_raw() && waited < PATIENCE_MS; waited += 20)
		poll(NULL, 0, 20);
	kill(child, sig);
	int status = wait_for_end();
	ck_assert_msg((WIFSIGNALED(status) && WTERMSIG(status) == sig) || (WIFEXITED(status) && WEXITSTATUS(status) == 128 + sig),
		"signal %d gave status %x", sig, status);
	assert_restored();
}
END_TEST

START_TEST(a_guest_that_ends_by_itself_leaves_the_terminal_as_it_was)
{
	static const struct { const char *guest; int status; } ends[] = { { "poweroff", 0 }, { "exit", 33 }, { "triple", 120 }, { "halt", 118 } };

	start(ends[_i].guest);
	int status = wait_for_end();
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), ends[_i].status);
	assert_restored();
}
END_TEST

START_TEST(stopping_gives_the_terminal_back_and_continuing_takes_it)
{
	int status;

	start("echo");
	wait_for("ready");
	kill(child, SIGTSTP);
	ck_assert_int_eq(waitpid(child, &status, WUNTRACED), child);
	ck_assert(WIFSTOPPED(status));
	ck_assert(!is_raw());
	kill(child, SIGCONT);
	for (int waited = 0; !is_raw() && waited < PATIENCE_MS; waited += 20)
		poll(NULL, 0, 20);
	ck_assert(is_raw());
	type("A", 1);
	wait_for("A");
	type("\001x", 2);
	wait_for_end();
	assert_restored();
}
END_TEST

/* On a slow host a second of guest time may take longer than a second, but never less. */
START_TEST(virtual_time_keeps_pace_with_the_clock_on_a_terminal)
{
	struct timespec a, b;

	start("idle");
	clock_gettime(CLOCK_MONOTONIC, &a);
	int status = wait_for_end();
	clock_gettime(CLOCK_MONOTONIC, &b);
	double seconds = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	ck_assert_msg(seconds > 0.8, "a second of guest time took only %.2f s", seconds);
	assert_restored();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("terminal");
	TCase *t = tcase_create("terminal");
	SRunner *r = srunner_create(s);

	tcase_set_timeout(t, 60);
	tcase_add_test(t, ctrl_a_x_quits_with_status_0);
	tcase_add_test(t, ctrl_a_s_saves_at_once);
	tcase_add_test(t, keys_reach_the_guest_and_ctrl_a_twice_is_one);
	tcase_add_test(t, ctrl_a_x_quits_however_much_was_pasted);
	tcase_add_test(t, ctrl_a_x_quits_while_the_output_is_stuck);
	tcase_add_loop_test(t, a_signal_restores_the_terminal_and_still_kills, 1, 32);
	tcase_add_loop_test(t, a_guest_that_ends_by_itself_leaves_the_terminal_as_it_was, 0, 4);
	tcase_add_test(t, stopping_gives_the_terminal_back_and_continuing_takes_it);
	tcase_add_test(t, virtual_time_keeps_pace_with_the_clock_on_a_terminal);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
