/* tests/fuzz/fuzz_gdb.c: gdb's remote protocol on arbitrary bytes: first as they come over the line, then as packets in their right frame. Nothing
 * crashes, an answer fits its packet, and what is sent is a frame with the right sum.
 *
 * A byte from 0x80 on stands for a word of the protocol, so that random bytes are often packets; a newline ends a packet.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "emu/debug/guest/source.h"
#include "emu/gdb/gdb.h"
#include "emu/gdb/packets.h"

#define INSTRUCTIONS 20000u            /* the guest ends after so many */
#define PATIENCE     40u               /* looks of long work at its face, until that has enough */
#define PACKETS      32u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const words[128] = {
	"?", "g", "G", "p", "P", "m", "M", "X", "c", "s", "C05", "S05", "bc", "bs", "vCont;c", "vCont;s:p1.1", "vCont;r", "vCont?", "vKill;1", "D;1", "k", "!",
	"Z0,", "Z1,", "Z2,", "Z3,", "Z4,", "z0,", "z1,", "z2,", "z3,", "z4,", "H", "Hg0", "Hc-1", "T", "qSupported:", "multiprocess+;", "swbreak+;", "hwbreak+",
	"QStartNoAckMode", "qXfer:features:read:target.xml:", "qXfer:memory-map:read::", "qXfer:threads:read::", "qRcmd,", "696e666f20746c62", "726573746570",
	"qSearch:memory:", "qCRC:", "Qqemu.PhyMemMode:", "qqemu.PhyMemMode", "qqemu.sstepbits", "qfThreadInfo", "qsThreadInfo", "qThreadExtraInfo,", "qC", "qAttached",
	"vMustReplyEmpty", ",", ":", ";", "=", "p1.1", "-1", "0", "1", "4", "10", "1000", "ffffffff", "fffff000", "100000", "100010", "300000", "b8000", "7fffffff",
	"00000000", "78563412", "deadbeef", ",1", ",4", ",fff", ",ffb", "0,100", "}", "*", "#",
};

static unsigned looks;

static bool has_enough(void *owner)
{
	(void)owner;
	return ++looks > PATIENCE;
}

static bool goes_on(void *owner, const char *what, uint64_t done, uint64_t total)
{
	(void)owner, (void)what, (void)done, (void)total;
	return ++looks <= PATIENCE;
}

static void wrong(const char *what)
{
	fprintf(stderr, "fuzz_gdb: %s\n", what);
	abort();
}

static size_t next_packet(const uint8_t *data, size_t size, char *packet, size_t room, size_t *length)
{
	size_t i = 0, n = 0;

	for (; i < size && data[i] != '\n'; i++) {
		const char *word = data[i] >= 0x80 ? words[data[i] - 0x80] : NULL;
		char plain[2] = { (char)data[i], 0 };
		size_t bytes = word ? strlen(word) : 1;
		if (n + bytes > room)
			break;
		memcpy(packet + n, word ? word : plain, bytes);
		n += bytes;
	}
	*length = n;
	return i + 1;
}

/* Everything sent so far is + and - and whole frames. */
static void check_sent(int peer)
{
	static uint8_t buf[1 << 18];
	ssize_t got = recv(peer, buf, sizeof(buf), MSG_DONTWAIT);

	for (ssize_t i = 0; i < got; i++) {
		if (buf[i] != '$') {
			if (buf[i] != '+' && buf[i] != '-')
				wrong("a byte outside of frames");
			continue;
		}
		uint8_t sum = 0;
		char hex[3] = "";
		for (i++; i < got && buf[i] != '#'; i++)
			sum += buf[i];
		if (i + 2 >= got)
			wrong("a frame without an end");
		memcpy(hex, buf + i + 1, 2);
		if (strtoul(hex, NULL, 16) != sum)
			wrong("a wrong sum");
		i += 2;
	}
}

static void talk(struct debugger *d, const uint8_t *data, size_t size)
{
	char err[ERROR_LINE], packet[LINK_PACKET];
	int pair[2];
	struct gdb *g = gdb_listen(d, "0", err);

	if (!g || socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		wrong("no link");
	g->link.in = g->link.out = pair[0];
	for (size_t at = 0; at < size && !g->ended; ) {                /* as they come */
		at += link_feed(&g->link, data + at, size - at);
		g->link.ready = false;
		check_sent(pair[1]);
	}
	for (size_t at = 0, packets = 0; at < size && packets < PACKETS && !g->ended; packets++) {
		size_t length;
		at += next_packet(data + at, size - at, packet, sizeof(packet), &length);
		looks = 0;
		const char *a = gdb_packet(g, packet, length);
		if (a && strlen(a) > LINK_PACKET)
			wrong("an answer too long");
		if (a)
			link_send(&g->link, a, strlen(a));
		check_sent(pair[1]);
	}
	gdb_close(g);
	close(pair[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char err[ERROR_LINE];
	struct kernel kernel;
	struct debugger d;
	struct face face = { .name = "fuzz", .poll = has_enough, .progress = goes_on };

	if (kernel_open(&kernel, GUEST_DIR "/stepping.elf", err))
		wrong("no guest");
	struct machine *m = machine_create(&(struct machine_config){ .memory = 4u << 20, .kernel = &kernel }, err);
	if (!m)
		wrong("no machine");
	m->instruction_limit = INSTRUCTIONS;
	struct history *h = history_create(m, 8u << 20, err);
	if (!h || debugger_init(&d, m, h, err))
		wrong("no debugger");
	d.source = source_open(&kernel);
	debugger_attach(&d, &face);
	talk(&d, data, size);
	debugger_detach(&d, &face);
	struct source *source = d.source;
	debugger_free(&d);
	source_close(source);
	history_free(h);
	machine_free(m);
	kernel_close(&kernel);
	return 0;
}
