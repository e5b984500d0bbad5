/* emu/gdb/gdb.h: gdb's remote protocol: one more face of the debugger (emu/debug/debugger.h).
 *
 *   emu debug --gdb 1234 kernel.elf        (gdb) target remote :1234
 *
 * Speaks to stock gdb (target description, memory map, watchpoints, backwards, `monitor` with every command) and to the graders of
 * courses, whose clients are simpler: no acknowledgements, a bare `c`, and only T05 known as a stop. Breakpoints are never written into
 * memory, so Z0 and Z1 are the same. Listens on 127.0.0.1 unless a host is named.
 *
 * PC is linear: gdb's eip is CS.base + EIP, so that real and virtual-8086 mode show the right bytes. Where CS.base is 0 they are equal.
 *
 * Reading order: link.c (framing), gdb.c (session, stops), packets.h, packets_run.c, packets_registers.c, packets_memory.c, packets_query.c.
 * Not implemented: starting or restarting a program (vRun, R; `!` is answered OK all the same), files of the host (vFile),
 * tracepoints, conditions of breakpoints on our side (gdb evaluates them itself).
 * References: [GDB E "GDB Remote Serial Protocol"], [GDB G "Target Descriptions"].
 */
#ifndef EMU_GDB_GDB_H
#define EMU_GDB_GDB_H

#include "emu/debug/debugger.h"

struct gdb;

/* where: "tcp::1234", "HOST:PORT", ":PORT", "PORT" (0: any free one), "stdio". NULL with one line in err. Attaches to d as a face. */
struct gdb *gdb_listen(struct debugger *d, const char *where, char *err);
void gdb_close(struct gdb *g);
/* One line on standard error that says what to type in gdb. */
void gdb_announce(const struct gdb *g);
/* Answers what has arrived, runs the guest when asked; waits at most timeout milliseconds when there is nothing. For the loop of
 * another face, or of a program whose only face this is. False: the peer asked to end the emulator (k, vKill). */
bool gdb_serve(struct gdb *g, int timeout);
/* The loop of a program whose only face this is. running: the guest does not wait for the peer (it stops when one connects, and goes on
 * when it detaches). leaves: a guest that powers off or exits ends the loop, as QEMU's habit is; the peer is to be told by
 * gdb_exited(). Returns when that happened, when the peer asked for the end, or when quit(owner) says so. */
void gdb_main(struct gdb *g, bool running, bool leaves, bool (*quit)(void *owner), void *owner);
/* The emulator ends: tells the peer with W and the exit status. */
void gdb_exited(struct gdb *g, int status);
/* One packet's payload, as if it had come; for tests and the fuzzer. The answer's payload, NUL-terminated, or NULL when there is none yet. */
const char *gdb_packet(struct gdb *g, const char *payload, size_t length);

#endif
