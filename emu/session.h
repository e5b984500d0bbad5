/* emu/session.h: one machine and its links to the host: what `emu run` and `emu debug` have in common.
 *
 *   options -> kernel, disks (plan) -> console, trace -> machine, its symbols -> slices of virtual time -> closed again
 *
 * Between slices the console is looked after and, when a person is at the other end, the wall clock is waited for; a machine that is
 * late is not hurried afterwards. How the run is cut into slices is nothing the guest can notice.
 */
#ifndef EMU_SESSION_H
#define EMU_SESSION_H

#include "emu/console.h"
#include "emu/machine.h"
#include "emu/options.h"
#include "emu/plan.h"
#include "emu/symbols.h"
#include "emu/trace.h"

struct session {
	struct run_options options;    /* filled in by the caller before session_open */
	struct plan plan;
	struct console console;
	struct trace trace;
	struct symbols symbols;
	struct machine *machine;
	uint64_t started_ns;
	uint64_t pace_ns, pace_tick;   /* this tick was due at this time */
};

/* 0, or -1 with one line in err (ERROR_LINE bytes); then nothing is left open but what session_close takes. */
int session_open(struct session *s, char *err);
/* The clock of pacing and of --timeout begins now. */
void session_start(struct session *s);
/* The ticks to run next, given how many the last slice had and how long it took: so that the host is asked about 100 times a second,
 * whether the guest is fast or each instruction is watched. 0: the first. */
uint64_t session_next_slice(uint64_t ticks, uint64_t took_ns);
/* Between slices: writes what the guest said, sleeps until the wall clock has caught up with virtual time, or a key is pressed. */
void session_pause(struct session *s);
bool session_timed_out(const struct session *s);
/* The terminal is a terminal again, the trace is complete: 0, or a negative errno if it is not. The machine can still be looked at. */
int session_leave(struct session *s);
/* Frees everything; also after a session_open that failed. */
void session_close(struct session *s);

#endif
