/* tests/emu/tui_monkey_test.c: random keys, sequences, commands and window sizes do not bring the full-screen debugger down, and in the end q
 * still quits it. Seeded: the same number plays the same keys (though not at the same moments).
 *   tui_monkey_test [FIRST SEED] */
#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEYS 400
#define MONKEYS 4
#define QUIET_MS 12                    /* so long without output, and the next key comes */
#define END_MS 60000

static const char *const sequences[] = { "\033[A", "\033[B", "\033[C", "\033[D", "\033[5~", "\033[6~", "\033OA", "\033OB", "\033OC", "\033OD", "\033[5~", "\033[6~", "\033[H",
	"\033OH", "\033[F", "\033OF", "\033[3~", "\033[Z", "\033", "\t", "\r", "\177", "\033[M !!", "\033[M 5)", "\033[Ma5)", "\033[M`5)", "\033[M P7",
	"\033[99;99~", "\033[<0;3;3M", "\035", "\003", "\f" };
static const char *const lines[] = { ":info tlb\r", ":help\r", ":view tables 0x100000\r", ":goto 100\r", ":goto 50%\r", ":goto present\r", ":mark\r",
	":break *0x100010\r", ":watch 0x101000\r", ":catch pf\r", ":delete\r", ":view walk user write 0xbfffeffc\r", ":view frames 5\r", ":walkstep\r", ":hash\r",
	":x/10i $eip\r", ":print 1+\r", ":info pg\r", ":fork\r", "/no\r" };
static const char keys[] = "snocuwSNOCUW<>gtbBy1234567890vvvvvl[]/zpmMaei=::????";

static unsigned first_seed = 1;
static unsigned long long seed;

static unsigned below(unsigned n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(seed >> 33) % n;
}

/* What the program painted last, for the one who must find out why it died. */
static char painted[8192];
static size_t painted_bytes;

static void keep(const char *bytes, size_t count)
{
	size_t kept = count < sizeof(painted) ? sizeof(painted) - count : 0;

	if (count > sizeof(painted)) {
		bytes += count - sizeof(painted);
		count = sizeof(painted);
	}
	if (kept > painted_bytes)
		kept = painted_bytes;
	memmove(painted, painted + painted_bytes - kept, kept);
	memcpy(painted + kept, bytes, count);
	painted_bytes = kept + count;
}

/* Reads what the program paints until it is quiet; false: it has gone. */
static bool drain(int fd, int milliseconds)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char bytes[65536];

	while (poll(&p, 1, milliseconds) > 0) {
		ssize_t got = read(fd, bytes, sizeof(bytes));

		if (got <= 0)
			return false;
		keep(bytes, (size_t)got);
	}
	return true;
}

/* Keys before the first screen would meet a terminal that is not the program's yet: Ctrl-C would end it. */
static bool first_screen(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, END_MS) == 1 && drain(fd, 500);
}

static bool send_text(int fd, const char *text)
{
	return write(fd, text, strlen(text)) >= 0 && drain(fd, QUIET_MS);
}

static bool send_anything(int fd)
{
	char key[2] = { keys[below(sizeof(keys) - 1)], 0 };
	unsigned dice = below(100);

	if (dice < 4) {
		struct winsize size = { .ws_row = (unsigned short)(1 + below(70)), .ws_col = (unsigned short)(1 + below(220)) };
		ioctl(fd, TIOCSWINSZ, &size);
		return drain(fd, QUIET_MS);
	}
	if (dice < 45)
		return send_text(fd, sequences[below(sizeof(sequences) / sizeof(sequences[0]))]);
	if (dice < 53)
		return send_text(fd, "\033") && send_text(fd, lines[below(sizeof(lines) / sizeof(lines[0]))]);
	if (dice < 57)
		key[0] = (char)(' ' + below(95));
	return send_text(fd, key);
}

static int start(pid_t *pid, const char *dir)
{
	static const char *const terminals[] = { "xterm-256color", "xterm", "vt100", "screen" };
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	const char *terminal = terminals[below(4)], *locale = below(2) ? "C" : "C.UTF-8";
	int fd;

	*pid = forkpty(&fd, NULL, NULL, &size);
	ck_assert_int_ge(*pid, 0);
	if (*pid)
		return fd;
	setenv("TERM", terminal, 1);
	setenv("LC_ALL", locale, 1);
	setenv("XDG_STATE_HOME", dir, 1);
	if (chdir(dir))                        /* what e writes goes there */
		_exit(99);
	execl(EMU, "emu", "debug", "--snapshot", GUEST_DIR "/stepping.elf", (char *)NULL);
	_exit(99);
}

static void leave(int fd, bool there)
{
	static const char *const way_out[] = { "\035", "\033", "\033", "\033", "q", "q", "q" };
	struct winsize size = { .ws_row = 24, .ws_col = 80 };

	ioctl(fd, TIOCSWINSZ, &size);
	for (size_t i = 0; there && i < sizeof(way_out) / sizeof(way_out[0]); i++) {
		there = write(fd, way_out[i], strlen(way_out[i])) >= 0 && drain(fd, 200);
	}
}

static int status_of(pid_t pid, int fd)
{
	int status;

	for (int waited = 0; waited < END_MS; waited += 50) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		drain(fd, 0);
		usleep(50000);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	ck_abort_msg("it does not end");
	return status;
}

/* The program's exit status as wait() gives it. */
static int play(unsigned number)
{
	char dir[] = "/tmp/tui-monkey-XXXXXX", command[64];
	pid_t pid;

	seed = number;
	ck_assert_ptr_nonnull(mkdtemp(dir));
	int fd = start(&pid, dir);
	bool there = first_screen(fd);
	for (int i = 0; there && i < KEYS; i++)
		there = send_anything(fd);
	leave(fd, there);
	int status = status_of(pid, fd);
	close(fd);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	ck_assert_int_eq(system(command), 0);
	return status;
}

/* Side by side, since most of the time they wait for a screen to be quiet. */
START_TEST(random_keys_do_no_harm)
{
	pid_t player[MONKEYS];
	int status, harmed = 0;

	for (unsigned i = 0; i < MONKEYS; i++) {
		player[i] = fork();
		ck_assert_int_ge(player[i], 0);
		if (player[i])
			continue;
		status = play(first_seed + i);
		if (status)
			fprintf(stderr, "seed %u: the debugger ended with wait status 0x%x; painted last:\n%.*s\n", first_seed + i, status, (int)painted_bytes, painted);
		_exit(status != 0);
	}
	for (unsigned i = 0; i < MONKEYS; i++) {
		ck_assert_int_eq(waitpid(player[i], &status, 0), player[i]);
		harmed += status != 0;
	}
	ck_assert_int_eq(harmed, 0);
}
END_TEST

int main(int argc, char **argv)
{
	if (argc > 1)
		first_seed = (unsigned)strtoul(argv[1], NULL, 10);
	Suite *s = suite_create("tui monkey");
	TCase *t = tcase_create("keys");

	tcase_set_timeout(t, 150);
	tcase_add_test(t, random_keys_do_no_harm);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
