/* emu/input.h: the only door through which bytes from outside enter a machine.
 *
 *   source (keyboard, pipe, file) --asked at fixed ticks--> input log --> UART
 *   input log of an earlier run   --at the logged ticks---> input log --> UART
 *
 * The machine asks at multiples of INPUT_GRID ticks, and only when the UART has room, so when a byte enters depends on virtual time and on
 * what the source has, never on how the run was cut into pieces: a source that had nothing is not asked again at the same tick. Every byte
 * that entered is in the log with its tick: the log and the images are the run, and replaying the log gives the same state at every
 * instruction.
 */
#ifndef EMU_INPUT_H
#define EMU_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INPUT_GRID 10000u          /* ticks: 0.1 ms, a character at 115200 bit/s takes 0.087 ms */

struct input_event { uint64_t tick; uint8_t byte; };

struct input_source {
	int (*next)(void *owner);      /* the next byte, 0..255, or -1 when there is none now */
	void *owner;
};

struct input {
	struct input_event *event;     /* what has entered, or when replaying also what will */
	size_t count, capacity;
	size_t position;               /* replaying: the next to enter */
	bool replaying;
	bool lost;                     /* out of memory: the log is not the whole run */
	uint64_t silent;               /* the tick at which the source last had nothing, + 1 */
	struct input_source source;
};

void input_init(struct input *in, struct input_source source);
void input_free(struct input *in);
/* Replays a copy of log instead of asking the source. 0 or -ENOMEM. */
int input_replay(struct input *in, const struct input_event *log, size_t count);
/* For a machine that goes back: replays from a position of the log on; the source and what the log holds are kept. */
void input_rewind(struct input *in, size_t position);
/* All of the log has entered again: asks the source from here on. */
void input_resume(struct input *in);
/* Forgets the log from its position on, and asks the source from here on. */
void input_cut(struct input *in);
/* The next tick after now at which input_take may give something; UINT64_MAX when never. */
uint64_t input_next_tick(const struct input *in, uint64_t now);
/* The byte that enters at this tick, or -1. Call until -1 while there is room for one. */
int input_take(struct input *in, uint64_t now);

#endif
