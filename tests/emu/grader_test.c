/* tests/emu/grader_test.c: a client that speaks gdb's protocol as the graders of courses do: it never acknowledges, sends a bare `c`, knows only
 * Z1 and only T05 as a stop, reads what the guest prints line by line, and ends the emulator by SIGTERM. */
#define _GNU_SOURCE
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "emu/loader.h"
#include "emu/symbols.h"

#define PATIENCE_MS 30000

static pid_t emulator;
static int console, messages, client;
static unsigned port;

/* Reads until what has come contains text; what came is in buf. */
static bool wait_for(int fd, const char *text, char *buf, size_t size)
{
	size_t n = strlen(buf);

	while (!strstr(buf, text)) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		if (poll(&p, 1, PATIENCE_MS) <= 0 || n + 1 >= size)
			return false;
		ssize_t got = read(fd, buf + n, size - 1 - n);
		if (got <= 0)
			return false;
		n += (size_t)got;
		buf[n] = '\0';
	}
	return true;
}

static int connect_to(unsigned port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void start(const char *guest, const char *waits)
{
	char path[512], line[512] = "";
	int out[2], err[2];

	snprintf(path, sizeof(path), GUEST_DIR "/%s.elf", guest);
	ck_assert(!pipe(out) && !pipe(err));
	emulator = fork();
	if (!emulator) {
		int null = open("/dev/null", O_RDONLY);
		dup2(null, 0);
		dup2(out[1], 1);
		dup2(err[1], 2);
		execl(EMU, EMU, "run", "-gdb", "tcp::0", path, waits, (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	close(err[1]);
	console = out[0];
	messages = err[0];
	ck_assert(wait_for(messages, "\n", line, sizeof(line)));
	char *colon = strrchr(line, ':');
	ck_assert_ptr_nonnull(colon);
	port = (unsigned)atoi(colon + 1);
	client = connect_to(port);
}

static void send_packet(const char *payload)
{
	char frame[128];
	uint8_t sum = 0;

	for (const char *p = payload; *p; p++)
		sum += (uint8_t)*p;
	int n = snprintf(frame, sizeof(frame), "$%s#%02x", payload, sum);
	ck_assert_int_eq(send(client, frame, (size_t)n, 0), n);
}

static void break_at(const char *symbol)
{
	char err[ERROR_LINE], packet[64], answer[4096] = "";
	struct symbols s;
	struct kernel k;
	uint32_t la;

	ck_assert_msg(!kernel_open(&k, GUEST_DIR "/modes.elf", err), "%s", err);
	symbols_load(&s, &k);
	ck_assert(!symbols_find(&s, symbol, &la));
	symbols_free(&s);
	kernel_close(&k);
	snprintf(packet, sizeof(packet), "Z1,%x,1", la);
	send_packet(packet);
	ck_assert(wait_for(client, "$OK#9a", answer, sizeof(answer)));
}

static int status(void)
{
	int s;

	close(client);
	ck_assert_int_eq(waitpid(emulator, &s, 0), emulator);
	close(console);
	close(messages);
	return s;
}

START_TEST(a_grader_breaks_continues_and_terminates)
{
	char answer[4096] = "";

	start("modes", "-S");
	break_at("protection");
	send_packet("c");
	ck_assert(wait_for(client, "$T05", answer, sizeof(answer)));
	kill(emulator, SIGTERM);
	int s = status();
	ck_assert(WIFSIGNALED(s) && WTERMSIG(s) == SIGTERM);
}
END_TEST

/* Closed before it has said a word, whether the machine stands or runs; the first goes on. When that has gone, the next may come. */
START_TEST(a_second_connection_is_refused_at_once)
{
	char answer[4096] = "", byte;

	start("echo", "-S");
	for (unsigned running = 0; running < 2; running++) {
		send_packet(running ? "c" : "?");
		ck_assert(wait_for(client, running ? "+" : "$T05", answer, sizeof(answer)));
		int second = connect_to(port);
		struct pollfd p = { .fd = second, .events = POLLIN };
		ck_assert_int_eq(poll(&p, 1, PATIENCE_MS), 1);
		ck_assert_int_le(read(second, &byte, 1), 0);
		close(second);
	}
	ck_assert_int_eq(send(client, "\x03", 1, 0), 1);
	memset(answer, 0, sizeof(answer));
	ck_assert(wait_for(client, "$T0", answer, sizeof(answer)));
	close(client);
	client = connect_to(port);
	send_packet("?");
	memset(answer, 0, sizeof(answer));
	ck_assert(wait_for(client, "$T05", answer, sizeof(answer)));
	kill(emulator, SIGTERM);
	status();
}
END_TEST

START_TEST(the_guests_lines_come_while_it_runs)
{
	char text[4096] = "", answer[4096] = "";

	start("echo", "-S");
	send_packet("c");
	ck_assert(wait_for(console, "\n", text, sizeof(text)));
	ck_assert_int_eq(send(client, "\x03", 1, 0), 1);
	ck_assert(wait_for(client, "$T0", answer, sizeof(answer)));
	kill(emulator, SIGTERM);
	status();
}
END_TEST

START_TEST(a_guest_that_powers_off_ends_the_emulator)
{
	char answer[4096] = "", text[4096] = "";

	start("poweroff", "-S");
	send_packet("c");
	ck_assert(wait_for(client, "$W00#b7", answer, sizeof(answer)));
	ck_assert(wait_for(console, "hello", text, sizeof(text)));
	int s = status();
	ck_assert(WIFEXITED(s) && WEXITSTATUS(s) == 0);
}
END_TEST

START_TEST(a_triple_fault_is_a_stop_to_look_at)
{
	char answer[4096] = "";

	start("triple", "-S");
	send_packet("c");
	ck_assert(wait_for(client, "$T05", answer, sizeof(answer)));
	send_packet("bs");
	answer[0] = '\0';
	ck_assert(wait_for(client, "$T05", answer, sizeof(answer)));
	send_packet("k");
	status();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("grader");
	TCase *t = tcase_create("grader");

	tcase_set_timeout(t, 100);
	tcase_add_test(t, a_grader_breaks_continues_and_terminates);
	tcase_add_test(t, a_second_connection_is_refused_at_once);
	tcase_add_test(t, the_guests_lines_come_while_it_runs);
	tcase_add_test(t, a_guest_that_powers_off_ends_the_emulator);
	tcase_add_test(t, a_triple_fault_is_a_stop_to_look_at);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
