/* emu/debug/going.h: what break.c (arming, noticing) and go.c, back.c (running) share. Private to the debugger's core.
 *
 * Breakpoints are armed for a run only: between runs nothing of the debugger is in the machine. While it runs, the observer's callbacks
 * leave notes; the machine then stops at the next boundary, where conditions are looked at and hits counted:
 *
 *      boundary at tick T        instruction         boundary at tick T + 1
 *   alone(): EXECUTE, goal    accessed(), control() ...: the others leave notes, which count at T + 1; going back, at T
 *                             exception(): counts at T, after its boundary's own. The machine goes on to T + 1 and is then put back to T,
 *                             so that half an instruction never shows (Accessed bits, TLB)
 */
#ifndef EMU_DEBUG_GOING_H
#define EMU_DEBUG_GOING_H

#include "emu/debug/debugger.h"

#define NEVER UINT64_MAX

/* Something hit. */
struct note {
	unsigned id;
	bool exception;                /* counts at the tick before */
	struct fault_record fault;
	struct phys_access access;
	uint32_t la;
	uint64_t old_value, value;
	uint32_t insn_eip;
};
#define NOTES 32

/* The translation of one linear address, as far as a mapping breakpoint cares: entries without Accessed and Dirty, the TLB's. */
struct mapping_state {
	unsigned levels;
	paddr_t addr[3];
	uint64_t entry[3];
	bool cached;
	uint32_t frame;
	uint16_t flags;
};

/* What one breakpoint has in the machine. */
struct arm {
	struct breakpoint *b;
	uint32_t *frame;               /* watched, one for each page of a range or level of a walk; NO_FRAME: none */
	unsigned frames;
	uint8_t *copy;                 /* the range as it was last seen */
	struct mapping_state map;
	bool touched;                  /* map wants to be looked at, at the next boundary */
	struct arm *next;
};
#define NO_FRAME UINT32_MAX

/* Where a step ends: before the instruction at la, on the same stack as it began. */
struct goal {
	bool on, reached;
	uint32_t la;
	bool anywhere;                 /* la is all that counts */
	uint32_t cr3, esp;
	uint8_t cpl;
	bool above;                    /* ESP may be higher: a callee that takes its arguments off the stack */
};

#define INTERRUPTED 256u

struct go_state {
	bool armed, running;
	struct arm *arms;
	struct note note[NOTES];
	unsigned notes;
	const struct note *about;      /* while its condition is looked at; expr.c knows what it says */
	uint64_t skip_tick;            /* what is before the instruction at this tick has been told */
	uint64_t skip_exception_tick;
	struct goal goal;
	struct fault_record interrupted[INTERRUPTED];      /* the last events, newest at interrupteds - 1: by these an IRET is known to resume one */
	unsigned interrupteds;
	bool delivered, stop_at_delivery;                  /* an event was, since step.c cleared this */
	bool cr3_written;              /* since the last boundary */
	uint64_t limit;                /* the machine's own instruction_limit */
	enum stop_kind request;        /* by checker or script; STOP_NONE */
	char request_text[160];
	bool told_trouble;
	bool reached_present;          /* by the last step, from the past */
	const char *what;              /* long work, in a word or two */
	uint64_t slice, polled_ns, polled_tick;
	bool live;                     /* in the past by our own doing only: the present is no news */
	struct observer instructions;  /* step.c's: sees each instruction while a way out is looked for */
	struct call_search *call;      /* back.c's */
	uint32_t out_esp, out_base;
	uint8_t out_cpl;
};

/* --- notice.c, settle.c --- */
/* A breakpoint's note at this boundary, for the caller to fill; asks the machine to stop. NULL: it has left one already. */
struct note *break_leave_note(struct debugger *d, const struct breakpoint *b);
/* Its condition; about: what has happened, NULL: nothing but coming here. */
bool break_holds(struct debugger *d, const struct breakpoint *b, const struct note *about);
void break_note_execution(struct debugger *d);
void break_arm(struct debugger *d);
void break_disarm(struct debugger *d);
/* At a boundary after a run: settles the notes. Those that remain hold. landing: also what stands before the next instruction. */
void break_settle(struct debugger *d, bool landing);
/* Counts the note's breakpoint. False: it is to be ignored this time. */
bool break_count(struct debugger *d, const struct note *n);
/* Counts all notes of this boundary (exception or not), fills d->stop from the lowest that is not ignored; false when there is none. */
bool break_report(struct debugger *d, bool exception);
/* Gone to a boundary by a step: is there a breakpoint? Then d->stop tells of it. */
bool break_landed(struct debugger *d);
/* Fills d->stop from a note. */
void break_tell(struct debugger *d, const struct note *n);
/* The nearest BREAK_COUNT ahead of icount, or the machine's own limit. */
uint64_t break_next_limit(const struct debugger *d, uint64_t icount);
/* Will the next boundary deliver an interrupt instead of executing? */
bool interrupt_due(const struct cpu *cpu);
bool same_space(const struct cpu *cpu, uint32_t cr3);

/* --- go.c --- */
/* Before anything that runs the machine. */
void go_begin(struct debugger *d);
enum run_end { RUN_TICKS, RUN_HIT, RUN_GOAL, RUN_ENDED, RUN_PRESENT, RUN_INTERRUPTED, RUN_REQUEST };
/* Runs at most so many ticks, until something is noted that holds, or the goal is reached. Fills d->stop for all ends but TICKS and GOAL (HIT: the
 * caller reports). */
enum run_end go_run(struct debugger *d, uint64_t ticks);
/* ... until icount, however many ticks pass without an instruction. */
enum run_end go_run_until(struct debugger *d, uint64_t icount);
/* Sets d->stop. text may be NULL. */
const struct stop *go_stop(struct debugger *d, enum stop_kind kind, const char *text);
/* Counts and reports what a run that ended in RUN_HIT noted. False: all of it is ignored. */
bool go_report(struct debugger *d);
/* History's answer as a stop: true if it is not OK. */
bool go_failed(struct debugger *d, enum history_result r, const char *err);
struct progress go_progress(struct debugger *d, const char *what);

/* --- step.c --- */
/* One instruction; true: d->stop says that something else happened. through: also a fault's handler, until the instruction has completed. */
bool step_one(struct debugger *d, bool through);
bool step_over(struct debugger *d);
void step_out(struct debugger *d);
/* Runs to the goal: as step_one. */
bool step_to_goal(struct debugger *d, const struct goal *goal);

/* --- back.c, back_step.c --- */
/* exception: after whatever else is at that boundary, before the delivery. */
struct place { uint64_t tick; bool exception; };
struct place back_here(const struct debugger *d);
/* Puts the machine at a place; keeps d->stop. False: d->stop says why not. */
bool back_put_at(struct debugger *d, struct place p);
/* A search that ended otherwise: what it said stays said, there where it began. */
void back_give_up(struct debugger *d, struct place start);
void back_steps(struct debugger *d, bool over, uint64_t count);
void back_out(struct debugger *d);
void go_back(struct debugger *d, enum go how, uint64_t count, uint32_t la);
/* noted() is told of each boundary in a piece of the past at which something was noted or the goal reached, also of those not before now;
 * after the piece found() says whether it was in there. */
struct search {
	void (*noted)(struct debugger *d, void *ctx);
	bool (*found)(struct debugger *d, void *ctx);
	void *ctx;
	uint64_t reach;                /* ticks to look back at most */
};
/* Walks the pieces from now back to the beginning; breakpoints are not looked for. 1: found, 0: not, -1: d->stop says why. The machine is
 * anywhere afterwards. */
int back_search_alone(struct debugger *d, const struct search *s);

#endif
