/* emu/gdb/link.c: see link.h. */
#define _GNU_SOURCE
#include "emu/gdb/link.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "emu/loader.h"

#define INTERRUPT 0x03
#define SEND_PATIENCE 2000             /* ms a peer may leave its window closed */

/* --- listening ------------------------------------------------------------------------------------------------------ */

/* Splits where into host and port; both within size bytes. */
static int parse_where(const char *where, char *host, char *port, size_t size)
{
	if (!strncmp(where, "tcp:", 4))
		where += 4;
	const char *colon = strrchr(where, ':');
	size_t length = colon ? (size_t)(colon - where) : 0;
	const char *number = colon ? colon + 1 : where;

	if (length >= 2 && where[0] == '[' && where[length - 1] == ']') {
		where++;
		length -= 2;
	}
	if (length >= size || strlen(number) >= size || !*number || strspn(number, "0123456789") != strlen(number))
		return -1;
	memcpy(host, where, length);
	host[length] = '\0';
	strcpy(port, number);
	return 0;
}

static int listen_at(const struct addrinfo *a)
{
	int on = 1, fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, a->ai_addr, a->ai_addrlen) || listen(fd, 1)) {
		int saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

static unsigned port_of(int fd)
{
	struct sockaddr_storage s;
	socklen_t size = sizeof(s);

	if (getsockname(fd, (struct sockaddr *)&s, &size))
		return 0;
	return ntohs(s.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&s)->sin6_port : ((struct sockaddr_in *)&s)->sin_port);
}

static int open_stdio(struct gdb_link *l, unsigned *port)
{
	l->in = STDIN_FILENO;
	l->out = STDOUT_FILENO;
	*port = 0;
	return 0;
}

int link_open(struct gdb_link *l, const char *where, unsigned *port, char *err)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV }, *found;
	char host[256], number[16];

	*l = (struct gdb_link){ .listener = -1, .in = -1, .out = -1 };
	if (!strcmp(where, "stdio"))
		return open_stdio(l, port);
	if (parse_where(where, host, number, sizeof(number)))
		return loader_fail(err, "--gdb '%.100s': must be a port, HOST:PORT, tcp::PORT or stdio", where);
	int r = getaddrinfo(*host ? host : "127.0.0.1", number, &hints, &found);
	if (r)
		return loader_fail(err, "--gdb '%.100s': %s", where, gai_strerror(r));
	l->listener = listen_at(found);
	int saved = errno;
	freeaddrinfo(found);
	if (l->listener < 0 && saved == EADDRINUSE)
		return loader_fail(err, "--gdb: port %s is in use; choose another, or 0 for any free one", number);
	if (l->listener < 0)
		return loader_fail(err, "--gdb: cannot listen at '%.100s': %s", where, strerror(saved));
	*port = port_of(l->listener);
	return 0;
}

void link_drop(struct gdb_link *l)
{
	if (l->in > STDERR_FILENO)
		close(l->in);
	l->in = l->out = -1;
	l->no_ack = l->interrupted = l->lost = l->ready = l->overlong = false;
	l->state = LINK_IDLE;
	l->length = l->pending_at = l->pending_size = 0;
}

void link_close(struct gdb_link *l)
{
	link_drop(l);
	if (l->listener >= 0)
		close(l->listener);
	l->listener = -1;
}

bool link_connected(const struct gdb_link *l)
{
	return l->in >= 0 && !l->lost;
}

void link_refuse_others(const struct gdb_link *l)
{
	struct pollfd peer = { .fd = l->in, .events = POLLRDHUP };

	if (l->listener < 0 || poll(&peer, 1, 0))
		return;
	int other = accept4(l->listener, NULL, NULL, SOCK_CLOEXEC);
	if (other >= 0)
		close(other);
}

bool link_accept(struct gdb_link *l)
{
	int on = 1;

	if (l->lost)
		link_drop(l);
	if (l->in >= 0)
		link_refuse_others(l);
	if (l->in >= 0 || l->listener < 0)
		return false;
	l->in = accept4(l->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (l->in < 0)
		return false;
	setsockopt(l->in, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	l->out = l->in;
	return true;
}

/* --- sending -------------------------------------------------------------------------------------------------------- */

static void send_bytes(struct gdb_link *l, const void *bytes, size_t size)
{
	const uint8_t *p = bytes;

	while (size && link_connected(l)) {
		ssize_t n = l->listener >= 0 ? send(l->out, p, size, MSG_NOSIGNAL) : write(l->out, p, size);
		if (n > 0) {
			p += n;
			size -= (size_t)n;
			continue;
		}
		struct pollfd wait = { .fd = l->out, .events = POLLOUT };
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN && poll(&wait, 1, SEND_PATIENCE) > 0)
			continue;
		l->lost = true;
	}
}

static bool needs_escape(char c)
{
	return c == '$' || c == '#' || c == '}' || c == '*';
}

void link_send(struct gdb_link *l, const char *payload, size_t length)
{
	char frame[2 * LINK_PACKET + 4];
	size_t n = 0;
	uint8_t sum = 0;

	if (length > LINK_PACKET)
		length = LINK_PACKET;
	frame[n++] = '$';
	for (size_t i = 0; i < length; i++) {
		if (needs_escape(payload[i])) {
			frame[n++] = '}';
			frame[n++] = payload[i] ^ 0x20;
		} else {
			frame[n++] = payload[i];
		}
	}
	for (size_t i = 1; i < n; i++)
		sum += (uint8_t)frame[i];
	n += (size_t)snprintf(frame + n, sizeof(frame) - n, "#%02x", sum);
	send_bytes(l, frame, n);
}

/* --- receiving ------------------------------------------------------------------------------------------------------ */

int hex_digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void packet_begin(struct gdb_link *l)
{
	l->state = LINK_PAYLOAD;
	l->length = 0;
	l->sum = 0;
	l->overlong = false;
}

static void packet_add(struct gdb_link *l, uint8_t byte)
{
	if (l->length < LINK_PACKET)
		l->packet[l->length++] = (char)byte;
	else
		l->overlong = true;
}

static void packet_end(struct gdb_link *l, bool right)
{
	l->state = LINK_IDLE;
	if (!l->no_ack)
		send_bytes(l, right ? "+" : "-", 1);
	if (!right)
		return;
	if (l->overlong)
		link_send(l, "E22", 3);
	else
		l->ready = true;
	l->packet[l->length] = '\0';
}

static void take_byte(struct gdb_link *l, uint8_t c)
{
	int digit;

	/* A $ that is not in its place begins anew: the peer gave the last packet up. */
	if (c == '$' && l->state != LINK_ESCAPED) {
		packet_begin(l);
		return;
	}
	switch (l->state) {
	case LINK_IDLE:
		if (c == INTERRUPT)
			l->interrupted = true;
		break;
	case LINK_PAYLOAD:
		if (c == '#') {
			l->state = LINK_SUM1;
			break;
		}
		l->sum += c;
		if (c == '}')
			l->state = LINK_ESCAPED;
		else
			packet_add(l, c);
		break;
	case LINK_ESCAPED:
		l->sum += c;
		packet_add(l, c ^ 0x20);
		l->state = LINK_PAYLOAD;
		break;
	case LINK_SUM1:
		digit = hex_digit(c);
		if (digit < 0)
			packet_end(l, false);
		l->wanted = (uint8_t)((unsigned)digit << 4);
		if (digit >= 0)
			l->state = LINK_SUM2;
		break;
	case LINK_SUM2:
		digit = hex_digit(c);
		packet_end(l, digit >= 0 && l->sum == (l->wanted | digit));
		break;
	}
}

static void take_pending(struct gdb_link *l)
{
	while (l->pending_at < l->pending_size && !l->ready && !l->interrupted)
		take_byte(l, l->pending[l->pending_at++]);
}

size_t link_feed(struct gdb_link *l, const uint8_t *bytes, size_t size)
{
	size_t taken = 0;

	while (taken < size && !l->ready)
		take_byte(l, bytes[taken++]);
	return taken;
}

bool link_poll(struct gdb_link *l)
{
	take_pending(l);
	while (!l->ready && !l->interrupted && link_connected(l)) {
		struct pollfd wait = { .fd = l->in, .events = POLLIN };
		if (poll(&wait, 1, 0) <= 0)
			break;
		ssize_t n = read(l->in, l->pending, sizeof(l->pending));
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			break;
		if (n <= 0) {
			l->lost = true;
			break;
		}
		l->pending_at = 0;
		l->pending_size = (size_t)n;
		take_pending(l);
	}
	return l->ready;
}

/* Bytes behind a packet that waits: more are read, and the first that interrupts is taken out. */
static void look_behind(struct gdb_link *l)
{
	uint8_t *rest = l->pending + l->pending_at, *found;
	size_t size = l->pending_size - l->pending_at;

	memmove(l->pending, rest, size);
	l->pending_at = 0;
	if (l->listener >= 0 && size < sizeof(l->pending)) {
		ssize_t n = recv(l->in, l->pending + size, sizeof(l->pending) - size, MSG_DONTWAIT);
		if (!n || (n < 0 && errno != EINTR && errno != EAGAIN))
			l->lost = true;
		size += n > 0 ? (size_t)n : 0;
	}
	l->pending_size = size;
	found = size ? memchr(l->pending, INTERRUPT, size) : NULL;
	if (!found)
		return;
	memmove(found, found + 1, size - 1 - (size_t)(found - l->pending));
	l->pending_size--;
	l->interrupted = true;
}

bool link_asks(struct gdb_link *l)
{
	if (!link_poll(l) || l->interrupted || !link_connected(l))
		return l->interrupted || l->lost;
	look_behind(l);
	/* A peer that fills the buffer while the machine runs does not wait for an answer; it must not become deaf to it. */
	return l->interrupted || l->lost || l->pending_size == sizeof(l->pending);
}

void link_wait(const struct gdb_link *l, int timeout)
{
	struct pollfd wait[2] = { { .fd = l->in, .events = POLLIN }, { .fd = l->listener, .events = POLLIN } };

	if (l->pending_at < l->pending_size)
		return;
	poll(wait, 2, timeout);                /* those that are -1 are left out */
}
