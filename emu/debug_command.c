/* emu/debug_command.c: `emu debug`: from options to a machine that waits at its first instruction, with a debugger and its faces around it.
 *
 *   options -> session (as emu run) -> debugger, symbols, the guest's own tables -> TUI | line monitor | script | gdb's link -> exit status
 *
 * A recording is run to its end first: its whole past is there to go back to.
 */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "emu/debug/check/checker.h"
#include "emu/debug/guest/guest.h"
#include "emu/monitor/monitor.h"
#include "emu/debug/notebook.h"
#include "emu/debug/guest/source.h"
#include "emu/gdb/gdb.h"
#include "emu/report.h"
#include "emu/run.h"
#include "emu/script/script.h"
#include "emu/session.h"
#include "emu/status.h"
#include "emu/status_json.h"
#include "emu/terminal.h"
#include "emu/tui/tui.h"

#define LIST_MOST 32

struct list { const char *item[LIST_MOST]; unsigned count; };

enum face_choice { FACE_BY_TERMINAL, FACE_TUI, FACE_MONITOR };

struct debug_options {
	struct run_options run;        /* first: its table of options fills it */
	enum face_choice face;
	bool batch;
	const char *script, *view, *lua;
	struct list symbols, sources;
};

struct debug {
	struct debug_options options;
	struct session session;
	struct debugger d;
	struct face face;              /* the session's own: time and signals */
	struct gdb *gdb;
	FILE *script;
};

/* --- options ------------------------------------------------------------------------------------------------------------- */

#define DEBUG(target) ((struct debug_options *)(target))

static int set_text(const char **field, const char *option, const char *value, char *err)
{
	if (*field || !*value)
		return loader_fail(err, "%s '%.200s': %s", option, value, *value ? "given twice" : "must not be empty");
	*field = value;
	return 0;
}

static int add_text(struct list *l, const char *option, const char *value, char *err)
{
	if (l->count == LIST_MOST || !*value)
		return loader_fail(err, "%s '%.200s': %s", option, value, *value ? "too many of these" : "must not be empty");
	l->item[l->count++] = value;
	return 0;
}

static int set_face(struct debug_options *o, enum face_choice face, char *err)
{
	if (o->face != FACE_BY_TERMINAL && o->face != face)
		return loader_fail(err, "--tui and --monitor exclude each other");
	o->face = face;
	return 0;
}

static int set_tui(void *target, const char *value, char *err)
{
	(void)value;
	return set_face(target, FACE_TUI, err);
}

static int set_monitor(void *target, const char *value, char *err)
{
	(void)value;
	return set_face(target, FACE_MONITOR, err);
}

static int set_batch(void *target, const char *value, char *err)
{
	(void)value, (void)err;
	DEBUG(target)->batch = true;
	return 0;
}

static int set_script(void *target, const char *value, char *err) { return set_text(&DEBUG(target)->script, "-x", value, err); }
static int set_view(void *target, const char *value, char *err) { return set_text(&DEBUG(target)->view, "--view", value, err); }
static int set_lua(void *target, const char *value, char *err) { return set_text(&DEBUG(target)->lua, "--lua", value, err); }
static int add_symbols(void *target, const char *value, char *err) { return add_text(&DEBUG(target)->symbols, "--symbols", value, err); }
static int add_source(void *target, const char *value, char *err) { return add_text(&DEBUG(target)->sources, "--source", value, err); }

static const struct option_row debug_rows[] = {
	{ "--tui", NULL, "the full-screen debugger (default on a terminal)", set_tui },
	{ "--monitor", NULL, "a command line instead; from a pipe its commands are read from there", set_monitor },
	{ "-x", "SCRIPT", "first run the monitor commands in a file", set_script },
	{ "--batch", NULL, "end after the script, or at the end of standard input", set_batch },
	{ "--symbols", "FILE[@NAME]", "names and lines of one more program, or of process NAME only", add_symbols },
	{ "--source", "DIR", "a folder to look for source files in; may be repeated", add_source },
	{ "--view", "FILE", "description of the guest's own tables, for a kernel of your own", set_view },
	{ "--lua", "FILE", "a Lua script with hooks", set_lua },
	{ 0 },
};

static int set_image(void *target, const char *value, char *err)
{
	return run_option_set.operand(&DEBUG(target)->run, value, err);
}

/* The options of emu run are the second table; it is only known there. */
static struct option_set debug_option_set(void)
{
	return (struct option_set){
		.usage = "emu debug [options] [IMAGE]",
		.examples =
			"examples:\n"
			"  emu debug                                 Pagoda in the debugger; ? shows the keys\n"
			"  emu debug mykernel.elf --monitor          a command line: break page_fault, continue, why\n"
			"  emu debug run.emu                         a recording, at its end: step back from there\n"
			"  emu debug --gdb 1234 mykernel.elf         then: gdb mykernel.elf -ex 'target remote :1234'\n"
			"  emu debug --batch -x check.txt mykernel.elf\n",
		.rows = debug_rows,
		.more = run_option_set.rows,
		.operand = set_image,
		.notes =
			"IMAGE may also be a snapshot (emu run --save) or a recording (emu run --record).\n"
			"Standard input and output belong to the debugger: what the guest's console says is shown there, and typed with `type`,\n"
			"unless --serial leads elsewhere (--serial stdio: standard input is the guest's; only with a script).\n"
			"Exit status: 0, 1 a command failed or emulator error, 2 usage, 122 an assert failed, 124 time limit; a monitor whose last stop was\n"
			"the guest's end gives what emu run would.\n",
	};
}

/* --- opening --------------------------------------------------------------------------------------------------------------- */

/* What standard input is wanted for, only once. */
static int check_options(struct debug_options *o, char *err)
{
	bool stdio = o->run.serial_given && o->run.serial == SERIAL_STDIO;

	if (o->run.record)
		return loader_fail(err, "--record belongs to emu run; emu debug opens what it made");
	if (stdio && !(o->batch && o->script))
		return loader_fail(err, "--serial stdio: standard input belongs to the debugger, unless --batch -x SCRIPT says what to do");
	if (o->batch && o->face == FACE_TUI)
		return loader_fail(err, "--batch and --tui exclude each other");
	if (!o->run.image || !state_file_is(o->run.image))
		return 0;
	if (o->run.load)
		return loader_fail(err, "'%.200s' and '%.200s' are both whole machines", o->run.load, o->run.image);
	o->run.load = o->run.image;
	o->run.image = NULL;
	return 0;
}

static int add_program(struct debugger *d, const char *what, char *err)
{
	const char *at = strrchr(what, '@');
	char path[4096];

	if (!at || !at[1])
		return source_add(d->source, what, 0, NULL, err);
	snprintf(path, sizeof(path), "%.*s", (int)(at - what), what);
	return source_add(d->source, path, 0, at + 1, err);
}

static int open_guest_knowledge(struct debug *g, char *err)
{
	const struct debug_options *o = &g->options;
	struct debugger *d = &g->d;

	d->source = d->m->kernel ? source_open(d->m->kernel) : NULL;
	if (!d->source)
		return o->symbols.count ? loader_fail(err, "--symbols: there is no kernel to add them to") : 0;
	for (unsigned i = 0; i < o->sources.count; i++)
		if (source_root(d->source, o->sources.item[i]))
			return loader_fail(err, "--source '%.200s': too many", o->sources.item[i]);
	for (unsigned i = 0; i < o->symbols.count; i++)
		if (add_program(d, o->symbols.item[i], err))
			return -1;
	return guest_open(d, o->view, &d->guest, err);
}

static void on_output(void *owner, uint8_t byte)
{
	struct debug *g = owner;

	if (g->d.going)
		debugger_output(&g->d, byte);
}

static bool on_poll(void *owner)
{
	struct debug *g = owner;

	if (!history_in_past(g->d.h))
		session_pause(&g->session);
	return signal_pending() || session_timed_out(&g->session);
}

/* To the end of a recording; in pieces, so that Ctrl-C ends the program. */
static int run_recording(struct debug *g, char *err)
{
	struct session *s = &g->session;

	while (s->loaded.recording && machine_now(s->machine) < s->loaded.end.tick) {
		uint64_t left = s->loaded.end.tick - machine_now(s->machine), piece = CLOCK_HZ / 10;
		enum machine_stop stop = history_run(s->history, left < piece ? left : piece);
		if (signal_pending())
			return loader_fail(err, "interrupted");
		if (stop != MACHINE_RAN && stop != MACHINE_REQUESTED)
			break;
	}
	if (s->loaded.recording && machine_hash(s->machine) != s->loaded.end_hash)
		complain(0, "'%.200s' does not run as it was recorded; emu replay says from where on", s->options.load);
	return 0;
}

static int open_debugger(struct debug *g, char *err)
{
	struct session *s = &g->session;

	if (debugger_init(&g->d, s->machine, s->history, err))
		return -1;
	g->d.console = &s->console;
	g->face = (struct face){ .name = "session", .owner = g, .poll = on_poll };
	debugger_attach(&g->d, &g->face);
	if (!notebook(&g->d))                                   /* it hears of events from the first on */
		return loader_fail(err, "out of memory");
	if (run_recording(g, err) || open_guest_knowledge(g, err))
		return -1;
	s->trace.names = debugger_trace_names(&g->d);
	enum check_choice check = g->options.run.check;
	if (check != CHECKS_OFF && checker_attach(&g->d, check == CHECKS_STOP ? CHECK_STOP : CHECK_WARN, err))
		return -1;
	if (g->options.lua && script_load(&g->d, g->options.lua, NULL, err))
		return -1;
	if (g->options.run.gdb && !(g->gdb = gdb_listen(&g->d, g->options.run.gdb, err)))
		return -1;
	if (g->gdb)
		gdb_announce(g->gdb);
	return 0;
}

static int open_all(struct debug *g, char *err)
{
	struct session *s = &g->session;

	if (check_options(&g->options, err))
		return -1;
	if (g->options.script && !(g->script = fopen(g->options.script, "re")))
		return loader_fail(err, "cannot read script '%.300s'", g->options.script);
	s->options = g->options.run;
	s->debugged = true;
	s->tap = (struct char_out){ on_output, g };
	if (session_open(s, err))
		return -1;
	s->console.out = s->console.out == STDOUT_FILENO ? -1 : s->console.out;       /* the faces show it */
	return open_debugger(g, err);
}

/* --- faces ------------------------------------------------------------------------------------------------------------------- */

static bool wants_end(void *owner)
{
	return signal_pending() || session_timed_out(&((struct debug *)owner)->session);
}

static void on_idle(void *owner)
{
	gdb_serve(((struct debug *)owner)->gdb, 0);
}

/* With another face gdb's link is served between that one's keys. */
static int run_face(struct debug *g)
{
	const struct debug_options *o = &g->options;
	bool terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	bool tui = !o->batch && (o->face == FACE_TUI || (o->face == FACE_BY_TERMINAL && terminal && !o->run.gdb));
	int status = STATUS_OK;

	if (g->script)
		status = monitor_run(&g->d, &g->session, g->script, o->script);
	if (g->script && (o->batch || status))
		return status;
	g->session.console.live = terminal || o->run.gdb;          /* somebody watches: idle time follows the wall clock */
	if (g->gdb && o->face == FACE_BY_TERMINAL) {
		gdb_main(g->gdb, false, false, wants_end, g);
		return g->d.stop.kind == STOP_MACHINE ? ended_status(g->d.m, g->d.stop.ended) : STATUS_OK;
	}
	if (g->gdb)
		g->face.idle = on_idle;
	return tui ? tui_run(&g->d, &g->session) : monitor_run(&g->d, &g->session, NULL, NULL);
}

static int report_status(struct debug *g, int status)
{
	struct session *s = &g->session;
	struct outcome o = { status, status ? "the debugger ended with an error" : "the debugger ended", 0 };
	char err[ERROR_LINE];

	if (session_timed_out(s)) {
		o = (struct outcome){ STATUS_LIMIT, "timeout", 0 };
		complain(0, "stopped: timeout after %llu instructions", (unsigned long long)cpu_icount(&s->machine->cpu));
	}
	if (session_keep(s, history_ended(s->history)) && o.status == STATUS_OK)
		o = (struct outcome){ STATUS_ERROR, "the machine could not be saved", 0 };
	double seconds = (double)(host_ns() - s->started_ns) / 1e9;
	if (s->options.status_json && status_json_write(s->options.status_json, &o, s->machine, seconds, err))
		o.status = complain(o.status ? o.status : STATUS_ERROR, "%s", err);
	return o.status;
}

static int debug_with_options(struct debug *g)
{
	char err[ERROR_LINE];

	if (open_all(g, err))
		return complain(STATUS_ERROR, "%s", err);
	session_start(&g->session);
	int status = run_face(g);
	if (g->gdb)
		gdb_exited(g->gdb, status);
	if (session_leave(&g->session))
		status = complain(status ? status : STATUS_ERROR, "the trace is not complete");
	return report_status(g, status);
}

static void close_all(struct debug *g)
{
	gdb_close(g->gdb);
	if (g->d.going) {
		struct source *source = g->d.source;
		struct guest *guest = g->d.guest;
		debugger_free(&g->d);
		guest_close(guest);
		source_close(source);
	}
	session_close(&g->session);
	if (g->script)
		fclose(g->script);
}

int command_debug(int argc, char **argv)
{
	struct option_set set = debug_option_set();
	char err[ERROR_LINE];
	struct debug *g = calloc(1, sizeof(*g));

	if (!g)
		return complain(STATUS_ERROR, "out of memory");
	setlocale(LC_CTYPE, "");               /* diagrams are drawn with what the terminal can show */
	run_options_init(&g->options.run);
	int parsed = options_parse(&set, argc, argv, &g->options, err);
	int status = STATUS_OK;
	if (parsed == OPTIONS_HELP)
		options_help(&set, stdout);
	else if (parsed == OPTIONS_ERROR)
		status = complain(STATUS_USAGE, "%s", err);
	else
		status = debug_with_options(g);
	close_all(g);
	free(g);
	int sig = signal_pending();
	if (sig)
		die_by_signal(sig);
	return status;
}
