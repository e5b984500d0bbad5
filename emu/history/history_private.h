/* emu/history/history_private.h: what the files of history share.
 *
 *   history.c              its life, running in the present, forks, questions
 *   history_goto.c         moving: running again, to a moment, over checkpoints
 *   history_checkpoint.c   one checkpoint: taken, gone to, compared with
 *   history_list.c         the list of them: finding, adding, thinning
 *   history_output.c       what went to the console
 *   history_pages.c, history_disk.c    versions of pages, disks
 *   history_store.c, history_spill.c   the pages' bytes, in memory and in a file
 */
#ifndef EMU_HISTORY_PRIVATE_H
#define EMU_HISTORY_PRIVATE_H

#include "emu/history/history.h"
#include "emu/history/history_disk.h"
#include "emu/history/history_pages.h"
#include "emu/state/machine_state.h"

struct checkpoint {
	struct moment at;
	uint64_t effort;               /* history_effort() there */
	struct page_tree ram, state, disk[MACHINE_DISKS];
	size_t state_size;
	size_t input;                  /* bytes of input that had entered */
	uint64_t serial;               /* of all that were ever taken */
	bool first_tick;               /* of its icount */
	bool temporary;                /* not one of the present's regular ones: dropped first */
	bool changed;                  /* by hand, just before: nothing can be run again across it */
	unsigned pins;                 /* somebody will come back to it */
};

struct output_log {
	struct output_event *event;
	size_t count, capacity, most;
};

/* Stands between a device and its char_out. */
struct output_tap {
	struct history *history;
	struct char_out *at, original;
};

struct history {
	struct machine *m;
	uint64_t limit;
	struct page_store *store;
	struct checkpoint **checkpoint;            /* by tick; of those at one tick the newest is last */
	size_t checkpoints, capacity;
	uint64_t taken;
	struct page_tree ram;                      /* what is in RAM, but for pages marked PHYS_DIRTY */
	struct page_tree state;
	struct history_disk disk[MACHINE_DISKS];
	uint64_t look;                             /* icount at which to ask whether a regular checkpoint is due */
	uint64_t since, due;                       /* effort at the last one, and at which the next is due */
	bool past;
	struct checkpoint *present;                /* while in the past */
	enum machine_stop ended;
	bool live_input;                           /* the present asks a source, it does not replay a recording */
	bool forked;                               /* the machine may have been changed since it last ran */
	bool lost;                                 /* checkpoint_restore() failed half way: the machine is at no moment, and must not run */
	char trouble[ERROR_LINE], notice[ERROR_LINE];
	bool noticed;
	struct output_log output;
	struct output_tap tap[2];
	struct bytes saved, wanted;                /* kept for their room */
	uint64_t pages_shared, replayed, restores;
	void (*on_checkpoint)(void *owner, struct moment at, uint64_t hash);
	void *on_checkpoint_owner;
};

/* --- history_checkpoint.c --- */

enum { CHECKPOINT_TEMPORARY = 1, CHECKPOINT_FIRST_TICK = 2, CHECKPOINT_CHANGED = 4 };
/* Of this moment; it is in the list. NULL with a line in err. *stored: pages it took, may be NULL. */
struct checkpoint *checkpoint_take(struct history *h, unsigned flags, uint64_t *stored, char *err);
void checkpoint_free(struct history *h, struct checkpoint *c);
/* The machine becomes as it was; h->past must be right already. 0, or -1 with a line in err. */
int checkpoint_restore(struct history *h, const struct checkpoint *c, char *err);
/* The machine has come to this moment by running: is it as it was? If so true, and later pages are shared with c. Else err says
 * what differs. */
bool checkpoint_verify(struct history *h, const struct checkpoint *c, char *err);
/* Marks all of RAM that holds anything. */
void checkpoint_mark_all(struct history *h);
/* What was stored after c and is in no checkpoint is let go; it will be stored again. */
void checkpoint_rebase(struct history *h, const struct checkpoint *c);

/* --- history_list.c --- */

int list_add(struct history *h, struct checkpoint *c);
/* The last checkpoint at or before a tick, the first after it (of several at one tick the newest); NULL when there is none. */
struct checkpoint *list_at_or_before(const struct history *h, uint64_t tick);
struct checkpoint *list_after(const struct history *h, uint64_t tick);
/* The last from which running forward comes to the first tick of icount. */
struct checkpoint *list_before_icount(const struct history *h, uint64_t icount);
void list_drop_after(struct history *h, uint64_t tick);
void list_drop_all(struct history *h);
uint64_t history_bytes(const struct history *h);
/* Drops checkpoints until the limit is kept or only those are left that must stay. */
void list_thin(struct history *h);
/* The spacing that thinning has come to, in effort. */
uint64_t list_spacing(const struct history *h);

/* --- history.c --- */

/* How long running up to here takes a host, counted in executed instructions. A function of the guest's state;
 * less after a reset of the machine. */
uint64_t history_effort(const struct machine *m);
/* A change by hand is kept as a checkpoint before the machine moves. 0, or -1 with a line in err. */
int history_settle(struct history *h, char *err);

/* --- history_goto.c --- */

enum machine_stop history_repeat(struct history *h, uint64_t ticks);

/* --- history_output.c --- */

void output_tap(struct history *h, struct output_tap *tap, struct char_out *out);
void output_untap(struct output_tap *tap);
/* Events up to a tick. */
size_t output_until(const struct output_log *log, uint64_t tick);

#endif
