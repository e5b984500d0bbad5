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
#include "emu/state/state_file.h"
#include "emu/symbols.h"
#include "emu/trace/trace.h"

struct session {
	struct run_options options;    /* filled in by the caller before session_open */
	struct plan plan;
	struct console console;
	struct trace trace;
	struct symbols symbols;
	struct machine *machine;
	struct state_file loaded;      /* with --load; the plan is empty then */
	struct history *history;       /* NULL: none is kept */
	struct recorder *recorder;     /* with --record */
	bool debugged;                 /* by the caller: a recording may be opened, there is always a history, standard input is not the guest's */
	struct char_out tap;           /* by the caller: also told what the guest writes to its console */
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
/* machine_run(), or history_run() where there is a history. */
enum machine_stop session_run(struct session *s, uint64_t ticks);
/* Between slices: writes what the guest said, sleeps until the wall clock has caught up with virtual time, or a key is pressed. */
void session_pause(struct session *s);
bool session_timed_out(const struct session *s);
/* Between slices: Ctrl-A s. */
void session_save_when_asked(struct session *s);
/* At the end: writes the recording and the snapshot that the options ask for, with a line each on standard error. 0 or -1. */
int session_keep(struct session *s, enum machine_stop ended);
/* The terminal is a terminal again, the trace is complete: 0, or a negative errno if it is not. The machine can still be looked at. */
int session_leave(struct session *s);
/* Frees everything; also after a session_open that failed. */
void session_close(struct session *s);

/* Private to session.c and session_files.c: the steps of opening that have to do with files. 0, or -1 with a line in err. */
int session_load(struct session *s, char *err);
int session_record(struct session *s, char *err);

#endif
