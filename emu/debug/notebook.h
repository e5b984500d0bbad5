/* emu/debug/notebook.h: what views and commands remember between stops: registers at the last stop, recent events, what to show at each stop,
 * the mark. One for each debugger (d->notes), made at first use.
 */
#ifndef EMU_DEBUG_NOTEBOOK_H
#define EMU_DEBUG_NOTEBOOK_H

#include "emu/debug/mark.h"
#include "emu/debug/explain/micro.h"
#include "emu/debug/registers.h"
#include "emu/trace/trace.h"

#define NOTED_EVENTS 4096u             /* a power of two */

enum event_kind { EVENT_INTERRUPT, EVENT_EXCEPTION, EVENT_IRET, EVENT_CONTROL, EVENT_WALK, EVENT_KINDS };
struct event {
	uint64_t icount;
	enum event_kind kind;
	uint32_t cs, eip, cr3;         /* CS is the selector */
	uint32_t vector, error, cr2;   /* of an interrupt or exception */
	uint32_t number;               /* EVENT_CONTROL: of the register; register_kind as in struct register_write */
	uint8_t register_kind;
	uint64_t old, value;
	struct access access;          /* EVENT_WALK */
	uint8_t result;                /* enum walk_result */
	paddr_t entry, pa;             /* of the last entry read, and what it says; where it led */
};

struct display { char *line; struct display *next; };
struct bookmark { char name[32]; struct moment at; struct bookmark *next; };

struct notebook {
	struct debugger *d;
	struct face face;              /* to hear of stops */
	struct observer observer;      /* to hear of events */
	struct registers before, now;  /* at the stop before the last, and at the last */
	struct event event[NOTED_EVENTS];
	uint64_t events, first_event;  /* numbers of the next, and of the oldest that is kept: event[number % NOTED_EVENTS] */
	struct display *displays;
	struct bookmark *bookmarks;    /* moments with names */
	struct debugger_mark *mark;
	struct micro micro;            /* the walk step in progress, if micro.count */
	struct text story;             /* the last one that was searched for (why.h), told at this moment and with this present */
	struct moment story_at, story_present;
	struct trace trace;            /* the command `trace` */
	uint64_t examine_next;         /* where the last x ended */
	unsigned depth;                /* commands that run commands */
	bool only_look;                /* a script's hook runs: the machine is in the middle of something */
};

/* NULL: out of memory. */
struct notebook *notebook(struct debugger *d);
/* Part of debugger_free. */
void notebook_free(struct debugger *d);
/* For traces: names of address spaces and the number of free frames, as far as the guest's own tables say. */
struct trace_names debugger_trace_names(struct debugger *d);
/* One line without its end, as in the trace file. */
void event_describe(const struct debugger *d, const struct event *e, struct text *t);

#endif
