/* emu/run.c: `emu run`: from options to a machine, the loop between machine and host, and how it ended.
 *
 *   options -> session (kernel, disks, console, machine) -> slices of virtual time, between them the host's wishes -> outcome -> exit status
 */
#include "emu/run.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/report.h"
#include "emu/run_check.h"
#include "emu/run_gdb.h"
#include "emu/session.h"
#include "emu/status.h"
#include "emu/status_json.h"
#include "emu/terminal.h"

struct run {
	struct session session;
	struct run_check check;
	struct outcome outcome;
	enum machine_stop stop;
};

int complain(int status, const char *fmt, ...)
{
	char line[2 * ERROR_LINE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	for (char *c = line; *c; c++)              /* a file's name may hold anything; this stays one line, and orders the terminal nothing */
		if (iscntrl((unsigned char)*c))
			*c = '?';
	fprintf(stderr, "emu: %s\n", line);
	return status;
}

/* --- between slices ------------------------------------------------------------------------------------------------ */

/* Has the host a reason to end the run? */
static bool host_ends(void *owner)
{
	struct run *r = owner;
	struct outcome *o = &r->outcome;

	if (r->session.console.quit)
		*o = (struct outcome){ STATUS_OK, "quit by the user", 0 };
	else if (signal_pending())
		*o = (struct outcome){ STATUS_SIGNAL + signal_pending(), "killed by a signal", signal_pending() };
	else if (r->session.console.out_error == EPIPE)
		*o = (struct outcome){ STATUS_SIGNAL + SIGPIPE, "nobody reads the console any more", SIGPIPE };
	else if (r->session.console.out_error)
		*o = (struct outcome){ STATUS_ERROR, "the console output could not be written", 0 };
	else if (session_timed_out(&r->session))
		*o = (struct outcome){ STATUS_LIMIT, "timeout", 0 };
	else
		return false;
	return true;
}

static bool machine_ended(struct run *r, enum machine_stop stop)
{
	struct outcome *o = &r->outcome;
	const struct machine *m = r->session.machine;

	if (stop != MACHINE_RAN && stop != MACHINE_REQUESTED)
		*o = (struct outcome){ ended_status(m, stop), ended_text(stop), 0 };
	else if (run_check_ended(&r->check))
		*o = (struct outcome){ STATUS_CHECK, "the paging checker found something", 0 };
	else
		return false;
	return true;
}

static void run_loop(struct run *r)
{
	struct session *s = &r->session;
	uint64_t ticks = 0, took = 0;

	session_start(s);
	do {
		ticks = session_next_slice(ticks, took);
		uint64_t before = host_ns();
		r->stop = session_run(s, ticks);
		if (machine_ended(r, r->stop))
			break;
		took = host_ns() - before;
		session_pause(s);
		session_save_when_asked(s);
	} while (!host_ends(r));
	console_flush(&s->console);
}

/* gdb's wish to end is as the user's. */
static int run_with_gdb(struct run *r, char *err)
{
	session_start(&r->session);
	if (run_under_gdb(&r->session, host_ends, r, &r->stop, err))
		return -1;
	if (!machine_ended(r, r->stop) && !r->outcome.cause)
		r->outcome = (struct outcome){ STATUS_OK, "quit by gdb", 0 };
	console_flush(&r->session.console);
	return 0;
}

/* --- the end ---------------------------------------------------------------------------------------------------------- */

/* What the user has to be told, after the terminal is a terminal again. */
static void tell(struct run *r)
{
	struct outcome *o = &r->outcome;

	switch (o->status) {
	case STATUS_TRIPLE_FAULT:
		report_triple_fault(r->session.machine, &r->session.symbols, stderr);
		break;
	case STATUS_HALTED:
		report_halted(r->session.machine, &r->session.symbols, stderr);
		break;
	case STATUS_LIMIT:
		complain(0, "stopped: %s after %llu instructions", o->cause, (unsigned long long)cpu_icount(&r->session.machine->cpu));
		break;
	}
	if (r->session.console.out_error && r->session.console.out_error != EPIPE) {
		complain(0, "cannot write the guest's console to '%s': %s", r->session.console.name, strerror(r->session.console.out_error));
		if (o->status == STATUS_OK)
			*o = (struct outcome){ STATUS_ERROR, "the console output could not be written", 0 };
	}
	if (r->session.history && history_trouble(r->session.history))
		complain(0, "%s", history_trouble(r->session.history));
	const char *disk = machine_disk_error(r->session.machine);
	if (!disk)
		return;
	complain(0, "%s", disk);
	if (o->status == STATUS_OK)
		*o = (struct outcome){ STATUS_ERROR, "a disk image could not be read or written", 0 };
}

static void finish(struct run *r)
{
	char err[ERROR_LINE];
	double seconds = (double)(host_ns() - r->session.started_ns) / 1e9;

	bool told = r->session.trace.error;
	int traced = session_leave(&r->session);
	tell(r);
	run_check_end(&r->check);
	if (session_keep(&r->session, r->stop) && r->outcome.status == STATUS_OK)
		r->outcome = (struct outcome){ STATUS_ERROR, "the machine could not be saved or recorded", 0 };
	if (traced) {
		if (!told)
			complain(0, "the trace is not complete: %s", strerror(-traced));
		if (r->outcome.status == STATUS_OK)
			r->outcome = (struct outcome){ STATUS_ERROR, "the trace could not be written", 0 };
	}
	if (r->session.options.status_json && status_json_write(r->session.options.status_json, &r->outcome, r->session.machine, seconds, err)) {
		complain(0, "%s", err);
		if (r->outcome.status == STATUS_OK)
			r->outcome.status = STATUS_ERROR;
	}
}

static int run_with_options(struct run *r)
{
	char err[ERROR_LINE];

	if (r->session.options.waits && !r->session.options.gdb)
		return complain(STATUS_USAGE, "-S waits for gdb, so it wants --gdb or -s");
	if (session_open(&r->session, err))
		return complain(STATUS_ERROR, "%s", err);
	int failed = run_check_start(&r->check, &r->session, err);
	if (!failed && r->session.options.gdb)
		failed = run_with_gdb(r, err);
	else if (!failed)
		run_loop(r);
	if (failed) {
		session_leave(&r->session);
		return complain(STATUS_ERROR, "%s", err);
	}
	finish(r);
	return r->outcome.status;
}

int command_run(int argc, char **argv)
{
	char err[ERROR_LINE];
	struct run *r = calloc(1, sizeof(*r));

	if (!r)
		return complain(STATUS_ERROR, "out of memory");
	run_options_init(&r->session.options);
	int parsed = options_parse(&run_option_set, argc, argv, &r->session.options, err);
	int status = STATUS_OK;
	if (parsed == OPTIONS_HELP)
		options_help(&run_option_set, stdout);
	else if (parsed == OPTIONS_ERROR)
		status = complain(STATUS_USAGE, "%s", err);
	else
		status = run_with_options(r);
	int sig = r->outcome.signal;
	session_close(&r->session);
	free(r);
	if (sig)
		die_by_signal(sig);
	return status;
}
