/* emu/console.h: the host's side of the guest's serial console: standard streams, a file, a pseudo-terminal, or nothing.
 *
 *   host --read--> ring --console_next (at the machine's input ticks)--> UART --console_put--> buffer --write--> host
 *
 * Where input comes from decides how waiting works:
 *   terminal, pty   live: what has been typed when the machine asks. Idle time follows the wall clock.
 *   file, pipe      a script: it is to run the same way each time, however slowly its writer starts. So the machine is held
 *                   until there is a byte or the end of input, and no virtual time passes meanwhile. A writer that stays
 *                   silent for CONSOLE_GRACE_MS (a program that talks to the guest, an inherited pipe nobody writes to) must
 *                   not freeze the guest: from then on the stream is live, as a terminal is. The input log stays exact.
 *
 * A guest that takes no input leaves the rest of a script in its pipe; a terminal is read on, for its Ctrl-A commands, and keys
 * beyond a full ring are lost. Output that nobody takes holds the machine, but not a quitting user, a signal or the time limit.
 */
#ifndef EMU_CONSOLE_H
#define EMU_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "emu/options.h"

#define CONSOLE_GRACE_MS 1000
#define CONSOLE_RING (1u << 18)
#define CONSOLE_OUT 4096u

struct console {
	enum serial_kind kind;
	int in, out;                   /* -1: none */
	bool terminal;                 /* raw mode, with Ctrl-A commands */
	bool live, ended;
	bool escape;                   /* Ctrl-A was the last key */
	bool quit;                     /* Ctrl-A x */
	bool save;                     /* Ctrl-A s; who saves clears it */
	uint64_t until_ns;             /* host_ns() from which on nothing is waited for; 0: no such time */
	uint8_t ring[CONSOLE_RING];
	uint32_t head, tail;           /* free-running: bytes taken, bytes put */
	uint8_t buffer[CONSOLE_OUT];
	uint32_t buffered;
	int out_error;                 /* errno of the first write that failed; output is dropped from then on */
	char name[256];                /* of the output, for messages */
};

uint64_t host_ns(void);            /* the host's monotonic clock */
/* 0, or -1 with one line in err. Puts the terminal into raw mode if there is one. */
int console_open(struct console *c, enum serial_kind kind, const char *path, char *err);
void console_close(struct console *c);
/* For struct input_source and struct char_out. */
int console_next(void *owner);
void console_put(void *owner, uint8_t byte);
/* As if it had been typed; false: the ring is full. */
bool console_type(struct console *c, uint8_t byte);
void console_flush(struct console *c);
/* Sleeps until input arrives or milliseconds have passed, and takes the input in. */
void console_wait(struct console *c, int milliseconds);
/* Nothing more will be read, and all that was has been taken. */
bool console_at_end(const struct console *c);
/* Is somebody at the other end who expects time to pass as on a clock? */
bool console_paced(const struct console *c);

#endif
