/* emu/history/history.h: every run remembers itself: any earlier moment can be gone to.
 *
 *      checkpoint    checkpoint         checkpoint   now (present)
 *   ------+-------------+------------------+---------+
 *                           ^ goto: load the checkpoint before, run up to there again with the logged input
 *
 * A checkpoint is the machine's small state and a tree of its pages of RAM and blocks of disks; pages that did not change are shared with
 * the checkpoint before. They are spaced by what they cost (pages written), never by the clock, so that a run is the same whenever it
 * is run, and are thinned evenly when they outgrow the limit. The moment the history began is always kept. Going back puts more of them
 * just before the goal, so that the next steps back are short.
 *
 * The limit bounds the memory of this process. Pages that do not fit are compressed, then moved to a file without a name
 * (history_spill.h), of HISTORY_SPILL times the limit at most; so a guest that fills its swap area with random data keeps its past.
 * Checkpoints go only when that is full too, or cannot be written: then going back runs more again, as right but slower.
 *
 * The present is the last moment that was ever run. In the past the disks' files are left alone: what the guest reads and writes there
 * comes from and goes to memory; output to the console is swallowed, since it has been seen; observers are told as always by history_run, and
 * nothing (machine_quiet) by history_goto. Reaching the present again, the machine must be as it was: that is checked.
 */
#ifndef EMU_HISTORY_H
#define EMU_HISTORY_H

#include "emu/machine.h"

#define HISTORY_DEFAULT_LIMIT (256ull << 20)
#define HISTORY_SPILL 16

/* Instructions pass while ticks do, and ticks also pass while the processor is halted: a tick names a moment, an icount the first moment
 * at which so many instructions had been executed. */
struct moment { uint64_t icount, tick; };

/* Long work tells how far it is; returning false interrupts it. May be NULL. */
struct progress {
	bool (*report)(void *owner, uint64_t done, uint64_t total);
	void *owner;
	uint64_t every_ns;             /* of the host's time, at least, between two reports; 0: after each piece of work */
};

#define PROGRESS_NS 50000000ull    /* often enough for an eye */

enum history_result {
	HISTORY_OK = 0,
	HISTORY_INTERRUPTED,           /* by progress; the machine is back where it was */
	HISTORY_DIVERGED,              /* a replay did not give what the run gave: a bug, or a host's disk file changed; err says where and what */
	HISTORY_ERROR,                 /* err has a line */
};

struct history;

/* Before the machine has run, or at a loaded state; it takes over the machine's disks' write path, its input and its console outputs (which
 * still get every byte, once). limit: bytes of memory for checkpoints; 0: none are kept but the first. NULL with a line in err. */
struct history *history_create(struct machine *m, uint64_t limit, char *err);
/* Brings the disks to the present (they are already) and lets go of the machine. Before machine_free. */
void history_free(struct history *h);

struct machine *history_machine(const struct history *h);
struct moment history_now(const struct history *h);
struct moment history_first(const struct history *h);
struct moment history_present(const struct history *h);
bool history_in_past(const struct history *h);

/* machine_run(): in the present it records and takes checkpoints; in the past it repeats, and stops at the present with MACHINE_RAN
 * (history_in_past() is false then). Cutting a run into calls changes nothing. */
enum machine_stop history_run(struct history *h, uint64_t ticks);
/* How the machine had stopped when it was last in the present (power-off ...), MACHINE_RAN when it can go on. */
enum machine_stop history_ended(const struct history *h);

/* Any moment between the first and the present. icount: its first tick. */
enum history_result history_goto(struct history *h, uint64_t icount, const struct progress *progress, char *err);
enum history_result history_goto_tick(struct history *h, uint64_t tick, const struct progress *progress, char *err);
/* The last checkpoint strictly before a moment (there is none before the first). For searches backwards, which replay piece by piece. */
bool history_checkpoint_before(const struct history *h, struct moment at, struct moment *checkpoint);
/* The machine is going to be changed by hand (a register, memory, new input in the past): what lay ahead is forgotten, the disks' files
 * become as they are now. 0 or -1 with a line in err. */
int history_fork(struct history *h, char *err);

/* What went out to the console up to now (the past has less than the present), for a view of it. */
struct output_event { uint64_t tick; uint8_t byte; };
size_t history_output(const struct history *h, const struct output_event **events);
/* All input that entered up to the present. */
const struct input *history_input(const struct history *h);

/* The line that says where running again did not give what the run had given, or how memory for the past was lost; NULL: all is well. history_run()
 * puts the machine right and returns MACHINE_REQUESTED when it finds that. */
const char *history_trouble(const struct history *h);

/* A line that has to be said once, about how the past is kept; NULL: nothing new. */
const char *history_notice(struct history *h);

struct history_stats {
	uint64_t limit, bytes;         /* of memory */
	uint64_t spill_limit, spilled; /* of the file */
	int spill_error;               /* negative errno: why the file does not grow any more; 0: it can, up to its limit */
	unsigned checkpoints;
	uint64_t widest;               /* instructions between two checkpoints, or the last and the present, at most */
	uint64_t pages_shared, pages_stored, replayed, restores;
};
void history_stats(const struct history *h, struct history_stats *s);
/* Moments of the checkpoints, oldest first; returns how many (at most room are stored). For the time bar. */
size_t history_checkpoints(const struct history *h, struct moment *at, size_t room);

/* For recordings: called at each checkpoint the present makes, with machine_hash() (so it costs time). */
void history_on_checkpoint(struct history *h, void (*fn)(void *owner, struct moment at, uint64_t hash), void *owner);

#endif
