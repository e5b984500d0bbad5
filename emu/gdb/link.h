/* emu/gdb/link.h: packets over a socket, as gdb's remote protocol frames them.
 *
 *   $ payload # checksum(2 hex)     + and - acknowledge, until QStartNoAckMode     0x03 interrupts
 *   in a payload: } escapes the next byte (xor 0x20)
 *
 * Only the framing: what the payload says is gdb.c's. The peer is untrusted: a packet longer than the buffer is skipped whole, one with
 * a wrong checksum is refused (or, without acknowledgements, dropped).
 * References: [GDB E.1 "Overview"], [GDB E.11 "Interrupts"], [GDB E.10 "Packet Acknowledgment"].
 */
#ifndef EMU_GDB_LINK_H
#define EMU_GDB_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINK_PACKET 16384          /* bytes of payload, both ways */

enum link_state { LINK_IDLE, LINK_PAYLOAD, LINK_ESCAPED, LINK_SUM1, LINK_SUM2 };

struct gdb_link {
	int listener;                  /* -1: on standard input and output */
	int in, out;                   /* -1: nobody is connected */
	bool no_ack;
	bool interrupted;              /* 0x03 came */
	bool lost;                     /* the peer went away */
	enum link_state state;
	uint8_t sum, wanted;
	bool overlong;
	char packet[LINK_PACKET + 1];
	size_t length;
	bool ready;                    /* packet holds a whole payload, NUL-terminated */
	uint8_t pending[4096];         /* received, not looked at yet */
	size_t pending_at, pending_size;
	char reply[LINK_PACKET + 1];
};

/* where: "tcp::1234", "HOST:PORT", ":PORT", "PORT", "stdio"; no host means 127.0.0.1. 0, or -1 with one line in err. port 0 lets the
 * system choose. *port is what it became (0 for stdio). */
int link_open(struct gdb_link *l, const char *where, unsigned *port, char *err);
void link_close(struct gdb_link *l);
/* Takes a waiting connection if there is none; else refuses it. True: somebody has just connected. */
bool link_accept(struct gdb_link *l);
/* One peer at a time: another one hears at once that it cannot be. But if the first has just hung up, it waits for its turn. */
void link_refuse_others(const struct gdb_link *l);
bool link_connected(const struct gdb_link *l);
void link_drop(struct gdb_link *l);
/* Reads what there is without waiting, until a packet is ready, or an interrupt or nothing more. True when l->packet is ready; the
 * caller sets ready to false when it is done. */
bool link_poll(struct gdb_link *l);
/* While the machine runs: does the peer interrupt, or is it gone? Looks behind a packet that waits for the end of the run, too. */
bool link_asks(struct gdb_link *l);
/* Waits until something may have come, or timeout milliseconds. */
void link_wait(const struct gdb_link *l, int timeout);
/* Sends a payload (escaped as needed). It is cut at LINK_PACKET bytes. */
void link_send(struct gdb_link *l, const char *payload, size_t length);
/* 0..15, or -1: no hexadecimal digit. */
int hex_digit(int c);
/* Feeds bytes as if received, up to the end of a packet; how many were taken. For tests and the fuzzer. */
size_t link_feed(struct gdb_link *l, const uint8_t *bytes, size_t size);

#endif
