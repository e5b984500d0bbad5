/* emu/console.c: see console.h. */
#define _GNU_SOURCE                        /* posix_openpt, ptsname_r */
#include "emu/console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "emu/loader.h"
#include "emu/terminal.h"

#define CTRL_A 1

uint64_t host_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* As much of these milliseconds as the time limit leaves. */
static int within_limit(const struct console *c, int milliseconds)
{
	uint64_t now = host_ns();

	if (!c->until_ns)
		return milliseconds;
	uint64_t left = c->until_ns > now ? (c->until_ns - now + 999999) / 1000000 : 0;
	return left < (uint64_t)milliseconds ? (int)left : milliseconds;
}

/* --- input -------------------------------------------------------------------------------------------------------- */

static uint32_t ring_room(const struct console *c) { return CONSOLE_RING - (c->tail - c->head); }

static void ring_put(struct console *c, uint8_t byte)
{
	if (ring_room(c))
		c->ring[c->tail++ % CONSOLE_RING] = byte;
}

bool console_type(struct console *c, uint8_t byte)
{
	bool room = ring_room(c);

	ring_put(c, byte);
	return room;
}

static void command_key(struct console *c, uint8_t key)
{
	switch (key) {
	case 'x':
		c->quit = true;
		break;
	case 's':
		c->save = true;
		break;
	case CTRL_A:
		ring_put(c, CTRL_A);
		break;
	default:
		fputs("\n[Ctrl-A x quit | Ctrl-A s save | Ctrl-A h this help | Ctrl-A Ctrl-A send Ctrl-A]\n", stderr);
	}
}

static void key_put(struct console *c, uint8_t key)
{
	if (c->escape) {
		c->escape = false;
		command_key(c, key);
	} else if (key == CTRL_A && c->terminal) {
		c->escape = true;
	} else {
		ring_put(c, key);
	}
}

/* Waits at most milliseconds for input and takes what there is. False when nothing came. */
static bool fill(struct console *c, int milliseconds)
{
	uint8_t bytes[4096];
	uint32_t room = c->terminal ? sizeof(bytes) : ring_room(c);
	struct pollfd p = { .fd = c->in, .events = POLLIN };

	if (c->ended || c->in < 0 || !room) {
		if (milliseconds)
			poll(NULL, 0, milliseconds);
		return false;
	}
	if (poll(&p, 1, milliseconds) <= 0)
		return false;
	if (c->kind == SERIAL_PTY && p.revents & POLLHUP) {        /* nobody has the other side open */
		poll(NULL, 0, milliseconds);
		return false;
	}
	ssize_t n = read(c->in, bytes, room < sizeof(bytes) ? room : sizeof(bytes));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return false;
	if (n <= 0) {
		if (c->kind != SERIAL_PTY)
			c->ended = true;
		return false;
	}
	for (ssize_t i = 0; i < n; i++)
		key_put(c, bytes[i]);
	return true;
}

void console_wait(struct console *c, int milliseconds)
{
	fill(c, milliseconds);
}

int console_next(void *owner)
{
	struct console *c = owner;

	if (c->head == c->tail && !c->live && !c->ended && c->in >= 0 && !signal_pending()) {
		console_flush(c);                      /* the writer may be waiting for what the guest said last */
		if (!fill(c, within_limit(c, CONSOLE_GRACE_MS)) && !c->ended && !signal_pending())
			c->live = true;
	}
	if (c->head == c->tail)
		return -1;
	return c->ring[c->head++ % CONSOLE_RING];
}

bool console_at_end(const struct console *c)
{
	return (c->in < 0 || c->ended) && c->head == c->tail;
}

bool console_paced(const struct console *c)
{
	return c->live && !c->ended;
}

/* --- output ------------------------------------------------------------------------------------------------------- */

/* Waits until the output takes bytes. False: nobody has taken any, and there is a reason to wait no longer. */
static bool output_ready(struct console *c)
{
	struct pollfd p = { .fd = c->out, .events = POLLOUT };

	while (poll(&p, 1, within_limit(c, 50)) <= 0) {
		if (c->terminal)
			fill(c, 0);                    /* Ctrl-A x, perhaps */
		if (c->quit || signal_pending() || (c->until_ns && host_ns() >= c->until_ns))
			return false;
	}
	return true;
}

void console_flush(struct console *c)
{
	uint32_t done = 0;
	bool lossy = c->kind == SERIAL_PTY;        /* nobody reads the pseudo-terminal: the bytes are lost, as on a cable */

	while (done < c->buffered && c->out >= 0 && !c->out_error) {
		if (!lossy && !output_ready(c))
			break;
		ssize_t n = write(c->out, c->buffer + done, c->buffered - done);
		if (n >= 0)
			done += (uint32_t)n;
		else if (errno == EAGAIN && lossy)
			break;
		else if (errno != EINTR && errno != EAGAIN)
			c->out_error = errno;
	}
	c->buffered = 0;
}

void console_put(void *owner, uint8_t byte)
{
	struct console *c = owner;

	c->buffer[c->buffered++] = byte;
	if (byte == '\n' || c->buffered == CONSOLE_OUT)
		console_flush(c);
}

/* --- opening ------------------------------------------------------------------------------------------------------ */

static int fail(char *err, const char *what, const char *name)
{
	snprintf(err, ERROR_LINE, "cannot open %s '%s': %s", what, name, strerror(errno));
	return -1;
}

static int open_pty(struct console *c, char *err)
{
	struct termios t;
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return fail(err, "pseudo-terminal", "/dev/ptmx");
	c->in = c->out = fd;
	c->live = true;
	if (grantpt(fd) || unlockpt(fd) || ptsname_r(fd, c->name, sizeof(c->name)))
		return fail(err, "pseudo-terminal", "/dev/ptmx");
	if (!tcgetattr(fd, &t)) {                      /* the guest does its own echo and line editing */
		cfmakeraw(&t);
		tcsetattr(fd, TCSANOW, &t);
	}
	fprintf(stderr, "emu: serial port is %s\n", c->name);
	return 0;
}

/* A pipe that poll() calls ready takes CONSOLE_OUT bytes at once, a terminal perhaps fewer, and then write() would wait. Through an
 * opening of its own it does not; a flag on standard output itself would be the shell's as well. */
static int open_output(void)
{
	int fd = isatty(STDOUT_FILENO) ? open("/proc/self/fd/1", O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC) : -1;

	return fd < 0 ? STDOUT_FILENO : fd;
}

static int open_stdio(struct console *c, char *err)
{
	c->in = STDIN_FILENO;
	c->out = open_output();
	snprintf(c->name, sizeof(c->name), "standard output");
	if (!isatty(STDIN_FILENO))
		return 0;
	c->terminal = c->live = true;
	int r = terminal_enter(STDIN_FILENO);
	if (r) {
		snprintf(err, ERROR_LINE, "cannot set the terminal to raw mode: %s", strerror(-r));
		return -1;
	}
	fputs("emu: press Ctrl-A x to quit\n", stderr);
	return 0;
}

int console_open(struct console *c, enum serial_kind kind, const char *path, char *err)
{
	memset(c, 0, sizeof(*c));
	c->kind = kind;
	c->in = c->out = -1;
	switch (kind) {
	case SERIAL_STDIO:
		return open_stdio(c, err);
	case SERIAL_PTY:
		return open_pty(c, err);
	case SERIAL_FILE:
		snprintf(c->name, sizeof(c->name), "%s", path);
		c->out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
		return c->out < 0 ? fail(err, "serial output", path) : 0;
	case SERIAL_NONE:
		return 0;
	}
	return 0;
}

void console_close(struct console *c)
{
	console_flush(c);
	if (c->terminal)
		terminal_leave();
	if (c->out > STDERR_FILENO)
		close(c->out);
	c->in = c->out = -1;
}
