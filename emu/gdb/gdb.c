/* emu/gdb/gdb.c: the session: who is connected, which packet is whose, what a stop looks like. */
#include "emu/gdb/packets.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/loader.h"
#include "emu/run.h"

/* --- answers -------------------------------------------------------------------------------------------------------- */

static void add(struct gdb *g, const char *fmt, va_list ap)
{
	size_t room = sizeof(g->answer) - g->length;
	int n = vsnprintf(g->answer + g->length, room, fmt, ap);

	g->length += n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
}

void answer(struct gdb *g, const char *fmt, ...)
{
	va_list ap;

	g->length = 0;
	va_start(ap, fmt);
	add(g, fmt, ap);
	va_end(ap);
}

void answer_add(struct gdb *g, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(g, fmt, ap);
	va_end(ap);
}

void answer_hex(struct gdb *g, const void *bytes, size_t size)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < size; i++)
		answer_add(g, "%02x", p[i]);
}

void answer_ok(struct gdb *g)
{
	answer(g, "OK");
}

void answer_error(struct gdb *g, int error)
{
	answer(g, "E%02x", error & 0xff);
}

void console_text(struct gdb *g, const char *text, size_t size)
{
	char packet[1 + 2 * 256 + 1];          /* and the end of the last two digits */

	while (size) {
		size_t n = size < 256 ? size : 256, at = 0;
		packet[at++] = 'O';
		for (size_t i = 0; i < n; i++)
			at += (size_t)snprintf(packet + at, 3, "%02x", (uint8_t)text[i]);
		link_send(&g->link, packet, at);
		text += n;
		size -= n;
	}
}

/* --- parsing -------------------------------------------------------------------------------------------------------- */

bool take_hex(char **p, uint64_t *value)
{
	unsigned digits = 0;

	for (*value = 0; hex_digit(**p) >= 0; (*p)++, digits++)
		*value = *value << 4 | (unsigned)hex_digit(**p);
	return digits && digits <= 16;
}

bool take_char(char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

size_t take_bytes(char **p, uint8_t *out, size_t room)
{
	size_t n = 0;

	while (n < room && hex_digit((*p)[0]) >= 0 && hex_digit((*p)[1]) >= 0) {
		out[n++] = (uint8_t)(hex_digit((*p)[0]) << 4 | hex_digit((*p)[1]));
		*p += 2;
	}
	return n;
}

/* --- stops ---------------------------------------------------------------------------------------------------------- */

const char *thread_name(const struct gdb *g)
{
	return g->multiprocess ? "p1.1" : "1";
}

/* What the stop was for, in the protocol's words. Only a real gdb is told: graders look for T05 and no further. */
static void stop_cause(struct gdb *g, const struct stop *s)
{
	static const char *const word[] = { [BREAK_READ] = "rwatch", [BREAK_WRITE] = "watch", [BREAK_ACCESS] = "awatch" };

	if (s->kind == STOP_BEGINNING)
		answer_add(g, "replaylog:begin;");
	else if (s->kind == STOP_PRESENT)
		answer_add(g, "replaylog:end;");
	if (s->kind != STOP_BREAK)
		return;
	for (unsigned i = 0; i < g->breaks; i++) {
		const struct gdb_break *b = &g->brk[i];
		if (b->id != (int)s->breakpoint)
			continue;
		if (b->type >= 2)
			answer_add(g, "%s:%x;", word[b->type == 2 ? BREAK_WRITE : b->type == 3 ? BREAK_READ : BREAK_ACCESS], b->address);
		else if (b->type == 0 && g->swbreak)
			answer_add(g, "swbreak:;");
		else if (b->type == 1 && g->hwbreak)
			answer_add(g, "hwbreak:;");
		return;
	}
}

/* The peer set no breakpoint that explains this stop, so it gets a line to show. */
static bool wants_words(const struct gdb *g, const struct stop *s)
{
	if (s->kind == STOP_STEP || s->kind == STOP_NONE || s->kind == STOP_INTERRUPTED || s->kind == STOP_BEGINNING || s->kind == STOP_PRESENT)
		return false;
	for (unsigned i = 0; s->kind == STOP_BREAK && i < g->breaks; i++)
		if (g->brk[i].id == (int)s->breakpoint)
			return false;
	return g->known && *s->text;
}

/* A triple fault or a dead halt is worth looking at; the others are the guest's own decision to end. */
static bool guest_left(const struct stop *s)
{
	return s->kind == STOP_MACHINE && (s->ended == MACHINE_POWER_OFF || s->ended == MACHINE_DEBUG_EXIT || s->ended == MACHINE_RESET);
}

void stop_reply(struct gdb *g, const struct stop *s)
{
	if (g->leaves && guest_left(s)) {
		g->ended = g->silent = true;
		return;
	}
	if (wants_words(g, s)) {
		console_text(g, s->text, strlen(s->text));
		console_text(g, "\n", 1);
	}
	answer(g, "T%02xthread:%s;", s->kind == STOP_INTERRUPTED ? 2 : 5, thread_name(g));
	stop_cause(g, s);
}

/* --- one packet ----------------------------------------------------------------------------------------------------- */

static const struct packet *const tables[] = { run_packets, register_packets, memory_packets, query_packets };

/* A name of one letter is followed by anything; a longer one by a separator or nothing. */
static bool is_named(const char *payload, const char *name)
{
	size_t n = strlen(name);

	if (strncmp(payload, name, n))
		return false;
	return n == 1 || !payload[n] || strchr(":;,?", payload[n]) || strchr(":;,", name[n - 1]);
}

static const struct packet *find(const char *payload)
{
	const struct packet *best = NULL;

	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
		for (const struct packet *p = tables[t]; p->name; p++)
			if (is_named(payload, p->name) && (!best || strlen(p->name) > strlen(best->name)))
				best = p;
	return best;
}

/* q, Q and v are no packets but the beginnings of names: an unknown one is answered by nothing, as all unknown packets are. */
static void handle(struct gdb *g, char *payload, size_t length)
{
	const struct packet *p = find(payload);

	g->length = 0;
	g->answer[0] = '\0';
	g->silent = false;
	g->attached = true;
	if (p)
		p->handle(g, payload + strlen(p->name), payload + length);
	g->answer[g->length] = '\0';
}

const char *gdb_packet(struct gdb *g, const char *payload, size_t length)
{
	char copy[LINK_PACKET + 1];

	if (length > LINK_PACKET)
		length = LINK_PACKET;
	memcpy(copy, payload, length);
	copy[length] = '\0';
	handle(g, copy, length);
	return g->silent ? NULL : g->answer;
}

/* --- the session ---------------------------------------------------------------------------------------------------- */

bool peer_asks(struct gdb *g)
{
	if (g->link.in < 0)
		return link_accept(&g->link);
	link_refuse_others(&g->link);
	bool stop = link_asks(&g->link);
	g->link.interrupted = false;
	return stop;
}

static bool peer_interrupts(void *owner)
{
	return peer_asks(owner);
}

static bool peer_progress(void *owner, const char *what, uint64_t done, uint64_t total)
{
	(void)what, (void)done, (void)total;
	return !peer_interrupts(owner);
}

static void forget_breaks(struct gdb *g)
{
	for (unsigned i = 0; i < g->breaks; i++)
		debugger_break_delete(g->d, (unsigned)g->brk[i].id);
	g->breaks = 0;
}

static void forget_peer(struct gdb *g)
{
	forget_breaks(g);
	link_drop(&g->link);
	g->attached = g->detached = g->multiprocess = g->swbreak = g->hwbreak = g->physical = g->known = false;
}

struct gdb *gdb_listen(struct debugger *d, const char *where, char *err)
{
	struct gdb *g = calloc(1, sizeof(*g));

	if (!g) {
		loader_fail(err, "out of memory");
		return NULL;
	}
	g->d = d;
	if (link_open(&g->link, where, &g->port, err)) {
		free(g);
		return NULL;
	}
	g->face = (struct face){ .name = "gdb", .owner = g, .poll = peer_interrupts, .progress = peer_progress };
	debugger_attach(d, &g->face);
	return g;
}

void gdb_close(struct gdb *g)
{
	if (!g)
		return;
	forget_peer(g);
	debugger_detach(g->d, &g->face);
	link_close(&g->link);
	free(g);
}

void gdb_announce(const struct gdb *g)
{
	if (g->port)
		complain(0, "gdb can attach: target remote 127.0.0.1:%u", g->port);
}

static bool connected(const struct gdb *g)
{
	return link_connected(&g->link);
}

bool gdb_serve(struct gdb *g, int timeout)
{
	if (g->link.lost)
		forget_peer(g);
	link_accept(&g->link);
	if (!link_poll(&g->link) && timeout) {
		link_wait(&g->link, timeout);
		link_accept(&g->link);
		link_poll(&g->link);
	}
	/* An interrupt while nothing runs asks where we are. */
	if (g->link.interrupted) {
		g->link.interrupted = false;
		stop_reply(g, &(struct stop){ .kind = STOP_INTERRUPTED });
		link_send(&g->link, g->answer, g->length);
	}
	while (g->link.ready && !g->ended) {
		g->link.ready = false;
		handle(g, g->link.packet, g->link.length);
		if (!g->silent && link_connected(&g->link))
			link_send(&g->link, g->answer, g->length);
		link_poll(&g->link);
	}
	return !g->ended;
}

void gdb_main(struct gdb *g, bool running, bool leaves, bool (*quit)(void *owner), void *owner)
{
	g->leaves = leaves;
	while (!quit(owner)) {
		if (!running || connected(g)) {
			running = false;
			if (!gdb_serve(g, 100))
				return;
			if (g->detached) {
				forget_peer(g);
				running = true;
			}
			continue;
		}
		const struct stop *s = debugger_go(g->d, GO_CONTINUE, 1, 0);
		if (leaves && guest_left(s))
			return;
		/* Stopped for the peer, or for good. */
		running = s->kind == STOP_PRESENT || (s->kind == STOP_INTERRUPTED && !connected(g));
	}
}

void gdb_exited(struct gdb *g, int status)
{
	if (!link_connected(&g->link))
		return;
	answer(g, "W%02x", status & 0xff);
	link_send(&g->link, g->answer, g->length);
}
