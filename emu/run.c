/* emu/run.c: `emu run`: from options to a machine, the loop between machine and host, and how it ended.
 *
 *   options -> kernel, disks (plan) -> machine -> slices of virtual time, between them the host's wishes -> outcome -> exit status
 *
 * A slice is 10 ms of virtual time, or less where that takes the host longer; the guest cannot tell. Between slices the console is
 * looked after, and, when a person is at the other end, the wall clock is waited for; a machine that is late is not hurried
 * afterwards.
 */
#include "emu/run.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "emu/console.h"
#include "emu/machine.h"
#include "emu/options.h"
#include "emu/outputs.h"
#include "emu/plan.h"
#include "emu/report.h"
#include "emu/status.h"
#include "emu/status_json.h"
#include "emu/terminal.h"
#include "emu/trace.h"

#define SLICE_TICKS (CLOCK_HZ / 100)
#define SLICE_LEAST (SLICE_TICKS >> 10)
#define SLICE_NS 10000000ull           /* of the host's time; about what the longest slice takes an interpreter at 100 MIPS */
#define NS_PER_TICK (1000000000ull / CLOCK_HZ)
#define LATE_NS 50000000ull

struct run {
	struct run_options options;
	struct plan plan;
	struct console console;
	struct trace trace;
	struct symbols symbols;
	struct machine *machine;
	struct outcome outcome;
	uint64_t started_ns;
	uint64_t pace_ns, pace_tick;   /* this tick was due at this time */
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
static bool host_ends(struct run *r)
{
	struct outcome *o = &r->outcome;

	if (r->console.quit)
		*o = (struct outcome){ STATUS_OK, "quit by the user", 0 };
	else if (signal_pending())
		*o = (struct outcome){ STATUS_SIGNAL + signal_pending(), "killed by a signal", signal_pending() };
	else if (r->console.out_error == EPIPE)
		*o = (struct outcome){ STATUS_SIGNAL + SIGPIPE, "nobody reads the console any more", SIGPIPE };
	else if (r->console.out_error)
		*o = (struct outcome){ STATUS_ERROR, "the console output could not be written", 0 };
	else if (r->options.timeout_ms && host_ns() - r->started_ns >= r->options.timeout_ms * 1000000)
		*o = (struct outcome){ STATUS_LIMIT, "timeout", 0 };
	else
		return false;
	return true;
}

/* Sleeps until the wall clock has caught up with virtual time, or a key is pressed. */
static void keep_pace(struct run *r)
{
	uint64_t now = host_ns();

	if (!console_paced(&r->console)) {
		r->pace_ns = now;
		r->pace_tick = machine_now(r->machine);
		return;
	}
	uint64_t due = r->pace_ns + (machine_now(r->machine) - r->pace_tick) * NS_PER_TICK;
	if (now > due + LATE_NS) {
		r->pace_ns = now;
		r->pace_tick = machine_now(r->machine);
	}
	console_wait(&r->console, now < due ? (int)((due - now + 999999) / 1000000) : 0);
}

static bool machine_ended(struct run *r, enum machine_stop stop)
{
	struct outcome *o = &r->outcome;
	struct machine *m = r->machine;

	switch (stop) {
	case MACHINE_RAN:
	case MACHINE_REQUESTED:
		return false;
	case MACHINE_POWER_OFF:
		*o = (struct outcome){ STATUS_OK, "the guest powered off", 0 };
		break;
	case MACHINE_RESET:
		*o = (struct outcome){ STATUS_OK, "the guest reset the machine", 0 };
		break;
	case MACHINE_DEBUG_EXIT:
		*o = (struct outcome){ (int)((m->exit_value << 1 | 1) & 0xff), "the guest exited through isa-debug-exit", 0 };
		break;
	case MACHINE_TRIPLE_FAULT:
		*o = (struct outcome){ STATUS_TRIPLE_FAULT, "triple fault", 0 };
		break;
	case MACHINE_HALTED_FOREVER:
		*o = (struct outcome){ STATUS_HALTED, "the guest halted with interrupts disabled", 0 };
		break;
	case MACHINE_INSTRUCTION_LIMIT:
		*o = (struct outcome){ STATUS_LIMIT, "instruction limit", 0 };
		break;
	}
	return true;
}

/* So long that the host is asked about 100 times a second, whether the guest is fast or each instruction is traced. */
static uint64_t next_slice(uint64_t ticks, uint64_t took_ns)
{
	if (took_ns > SLICE_NS && ticks / 2 >= SLICE_LEAST)
		return ticks / 2;
	return took_ns < SLICE_NS / 2 && ticks * 2 <= SLICE_TICKS ? ticks * 2 : ticks;
}

static void run_loop(struct run *r)
{
	r->started_ns = r->pace_ns = host_ns();
	r->pace_tick = machine_now(r->machine);
	if (r->options.timeout_ms)
		r->console.until_ns = r->started_ns + r->options.timeout_ms * 1000000;
	uint64_t ticks = SLICE_LEAST;
	do {
		uint64_t before = host_ns();
		if (machine_ended(r, machine_run(r->machine, ticks)))
			break;
		ticks = next_slice(ticks, host_ns() - before);
		console_flush(&r->console);
		keep_pace(r);
	} while (!host_ends(r));
	console_flush(&r->console);
}

/* --- start and end -------------------------------------------------------------------------------------------------- */

static void on_device_log(void *owner, enum log_level level, const char *device, const char *text)
{
	struct run *r = owner;

	(void)level;
	trace_device(&r->trace, device, text);
}

static int build_machine(struct run *r, char *err)
{
	const struct run_options *o = &r->options;
	struct machine_config config = {
		.memory = o->memory,
		.tlb = o->tlb,
		.seed = o->seed,
		.stop_at_reset = o->no_reboot,
		.kernel = &r->plan.kernel,
		.serial = { console_put, &r->console },
		.debug = { console_put, &r->console },
		.input = { r->console.in >= 0 ? console_next : NULL, &r->console },
		.log = { on_device_log, r },
	};

	_Static_assert(MAX_DISKS <= MACHINE_DISKS, "every --disk has a drive to go into");
	for (unsigned i = 0; i < r->plan.disks; i++) {
		config.disk[i] = r->plan.disk[i];
		config.disk_name[i] = r->plan.disk_name[i];
	}
	r->machine = machine_create(&config, err);
	if (!r->machine)
		return -1;
	if (o->max_instructions)
		r->machine->instruction_limit = o->max_instructions;
	symbols_load(&r->symbols, &r->plan.kernel);
	trace_attach(&r->trace, r->machine);
	return 0;
}

/* What the user has to be told, after the terminal is a terminal again. */
static void tell(struct run *r)
{
	struct outcome *o = &r->outcome;

	switch (o->status) {
	case STATUS_TRIPLE_FAULT:
		report_triple_fault(r->machine, &r->symbols, stderr);
		break;
	case STATUS_HALTED:
		report_halted(r->machine, &r->symbols, stderr);
		break;
	case STATUS_LIMIT:
		complain(0, "stopped: %s after %llu instructions", o->cause, (unsigned long long)cpu_icount(&r->machine->cpu));
		break;
	}
	if (r->console.out_error && r->console.out_error != EPIPE) {
		complain(0, "cannot write the guest's console to '%s': %s", r->console.name, strerror(r->console.out_error));
		if (o->status == STATUS_OK)
			*o = (struct outcome){ STATUS_ERROR, "the console output could not be written", 0 };
	}
	const char *disk = machine_disk_error(r->machine);
	if (!disk)
		return;
	complain(0, "%s", disk);
	if (o->status == STATUS_OK)
		*o = (struct outcome){ STATUS_ERROR, "a disk image could not be read or written", 0 };
}

static void finish(struct run *r)
{
	char err[ERROR_LINE];
	double seconds = (double)(host_ns() - r->started_ns) / 1e9;

	console_close(&r->console);
	tell(r);
	int traced = trace_close(&r->trace);
	if (traced) {
		complain(0, "the trace is not complete: %s", strerror(-traced));
		if (r->outcome.status == STATUS_OK)
			r->outcome = (struct outcome){ STATUS_ERROR, "the trace could not be written", 0 };
	}
	if (r->options.status_json && status_json_write(r->options.status_json, &r->outcome, r->machine, seconds, err)) {
		complain(0, "%s", err);
		if (r->outcome.status == STATUS_OK)
			r->outcome.status = STATUS_ERROR;
	}
}

static int run_with_options(struct run *r)
{
	char err[ERROR_LINE];

	if (plan_make(&r->plan, &r->options, err) || outputs_check(&r->options, &r->plan, err))
		return complain(STATUS_ERROR, "%s", err);
	if (trace_open(&r->trace, r->options.trace, r->options.trace_path, err))
		return complain(STATUS_ERROR, "%s", err);
	signals_install();
	if (console_open(&r->console, r->options.serial, r->options.serial_path, err) || build_machine(r, err)) {
		console_close(&r->console);
		trace_close(&r->trace);
		return complain(STATUS_ERROR, "%s", err);
	}
	run_loop(r);
	finish(r);
	machine_free(r->machine);
	symbols_free(&r->symbols);
	return r->outcome.status;
}

int command_run(int argc, char **argv)
{
	char err[ERROR_LINE];
	struct run *r = calloc(1, sizeof(*r));

	if (!r)
		return complain(STATUS_ERROR, "out of memory");
	run_options_init(&r->options);
	int parsed = options_parse(&run_option_set, argc, argv, &r->options, err);
	int status = STATUS_OK;
	if (parsed == OPTIONS_HELP)
		options_help(&run_option_set, stdout);
	else if (parsed == OPTIONS_ERROR)
		status = complain(STATUS_USAGE, "%s", err);
	else
		status = run_with_options(r);
	int sig = r->outcome.signal;
	plan_free(&r->plan);
	free(r);
	if (sig)
		die_by_signal(sig);
	return status;
}
