/* emu/gdb/packets.h: one table of packets; what their handlers share. Private to emu/gdb/. */
#ifndef EMU_GDB_PACKETS_H
#define EMU_GDB_PACKETS_H

#include "emu/gdb/gdb.h"
#include "emu/gdb/link.h"

#define GDB_CHUNK (LINK_PACKET / 2 - 16)       /* bytes of memory that fit an answer in hexadecimal */
#define GDB_BREAKS 1024

/* A breakpoint of the peer's: 'Z' type at address. */
struct gdb_break { int type; uint32_t address, kind; int id; };

struct gdb {
	struct debugger *d;
	struct gdb_link link;
	struct face face;
	unsigned port;
	bool attached;                 /* has ever asked for something: the guest waits for it */
	bool multiprocess, swbreak, hwbreak, physical;
	bool known;                    /* sent qSupported: a real gdb, which understands O packets */
	bool leaves;                   /* the emulator ends with the guest */
	bool ended;                    /* k or vKill */
	bool detached;                 /* D: the guest goes on without the peer */
	struct gdb_break brk[GDB_BREAKS];
	unsigned breaks;
	char answer[LINK_PACKET + 1];
	size_t length;                 /* of the answer */
	bool silent;                   /* no answer to this packet */
};

/* args: the payload behind the packet's name, NUL-terminated (it may hold NULs before that: end). */
struct packet {
	const char *name;
	void (*handle)(struct gdb *g, char *args, char *end);
};
extern const struct packet run_packets[], register_packets[], memory_packets[], query_packets[];

/* --- the answer --- */
void answer(struct gdb *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));        /* replaces */
void answer_add(struct gdb *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void answer_hex(struct gdb *g, const void *bytes, size_t size);                                /* adds */
void answer_ok(struct gdb *g);
/* E with an errno. */
void answer_error(struct gdb *g, int error);
/* A packet on its own, while the answer is still to come. */
void console_text(struct gdb *g, const char *text, size_t size);

/* --- parsing --- */
/* A hexadecimal number at *p, which moves behind it. False: there is none, or it has more than 16 digits. */
bool take_hex(char **p, uint64_t *value);
bool take_char(char **p, char c);
/* Two digits for each byte; how many bytes, at most room. */
size_t take_bytes(char **p, uint8_t *out, size_t room);

void stop_reply(struct gdb *g, const struct stop *s);
/* Whether the peer wants the guest stopped, or is gone. */
bool peer_asks(struct gdb *g);
const char *thread_name(const struct gdb *g);  /* "p1.1" or "1" */

#endif
