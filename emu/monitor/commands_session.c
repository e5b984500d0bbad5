/* emu/monitor/commands_session.c: commands about the session: views and their export, marks, moments with names, files, traces, scripts. */
#include "emu/monitor/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "emu/console.h"
#include "emu/debug/guest/guest.h"
#include "emu/debug/mark.h"
#include "emu/debug/view/views.h"
#include "emu/options.h"
#include "emu/script/script.h"
#include "emu/state/state_file.h"

#define SCRIPT_MOST (1u << 20)         /* bytes of a file of commands */
#define CHANGES     32

/* --- views ------------------------------------------------------------------------------------------------------------------------ */

/* NULL, and r failed: there is none of this name. */
static const struct view *view_of(const char *name, struct reply *r)
{
	const char *names[64];
	size_t n = 0;
	const struct view *found = NULL;

	for (const struct view *v = views; v->name && n < 64; v++) {
		names[n++] = v->name;
		if (!strncmp(v->name, name, strlen(name)) && (!found || strcmp(found->name, name)))
			found = v;
	}
	if (found && *name)
		return found;
	const char *near = nearest_name(name, names, n);
	if (near)
		reply_fail(r, "there is no view '%s'; did you mean '%s'?", name, near);
	else
		reply_fail(r, "there is no view '%s'; see view", name);
	return NULL;
}

static void run_view(struct debugger *d, const char *args, struct reply *r)
{
	char name[32];
	const char *argument = take_word(args, name, sizeof(name));

	if (!*name) {
		for (const struct view *v = views; v->name; v++) {
			text_put(&r->text, STYLE_NAME, "%-12s", v->name);
			text_add(&r->text, " %s\n", v->help);
		}
		return;
	}
	const struct view *v = view_of(name, r);
	if (v)
		reply_view(d, v->name, argument, 0, r);
}

/* export FILE VIEW [ARGUMENT]: the file's name says what it becomes. */
static void run_export(struct debugger *d, const char *args, struct reply *r)
{
	char file[512], name[32];
	const char *argument = take_word(take_word(args, file, sizeof(file)), name, sizeof(name));
	size_t n = strlen(file);
	bool svg = n > 4 && !strcmp(file + n - 4, ".svg"), txt = n > 4 && !strcmp(file + n - 4, ".txt");

	if (!svg && !txt) {
		reply_fail(r, "export FILE.svg VIEW, or FILE.txt: '%s' ends with neither", file);
		return;
	}
	if (!files_allowed(r))
		return;
	const struct view *v = view_of(name, r);
	if (!v)
		return;
	struct reply shown = { 0 };
	reply_view(d, v->name, argument, 0, &shown);
	FILE *out = shown.failed ? NULL : fopen(file, "we");
	if (shown.failed)
		reply_fail(r, "%s", text_plain(&shown.text));
	else if (!out || (svg ? text_write_svg(&shown.text, v->title, out) : text_write_plain(&shown.text, out)))
		reply_fail(r, "cannot write '%s': %s", file, strerror(errno));
	if (out && fclose(out) && !r->failed)
		reply_fail(r, "cannot write '%s': %s", file, strerror(errno));
	reply_free(&shown);
	reply_set(r, "file", json_string(file));
}

/* --- marks and moments ------------------------------------------------------------------------------------------------------------ */

static void run_mark(struct debugger *d, const char *args, struct reply *r)
{
	struct notebook *nb = d->notes;

	mark_free(nb->mark);
	nb->mark = NULL;
	if (!strcmp(args, "off"))
		return;
	nb->mark = mark_take(d);
	if (!nb->mark)
		reply_fail(r, "not enough memory for a mark");
	else
		text_add(&r->text, "marked instruction %" PRIu64 ": views and diff compare with it\n", nb->mark->at.icount);
}

static void diff_registers(struct debugger *d, const struct registers *was, struct reply *r)
{
	struct registers now;
	static const char *const names[] = { "eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", "eip", "eflags", "cr0", "cr2", "cr3", "cr4", "efer" };
	json_t *list = json_array();

	registers_read(&d->m->cpu, &now);
	for (unsigned i = 0; i < 15; i++) {
		const uint32_t *a = i < 8 ? &was->r[i] : i == 8 ? &was->eip : i == 9 ? &was->eflags : (&was->cr0) + (i - 10);
		const uint32_t *b = i < 8 ? &now.r[i] : i == 8 ? &now.eip : i == 9 ? &now.eflags : (&now.cr0) + (i - 10);
		if (*a == *b)
			continue;
		text_put(&r->text, STYLE_NAME, "%-8s", names[i]);
		text_add(&r->text, " %08" PRIx32 " -> %08" PRIx32 "\n", *a, *b);
		json_array_append_new(list, json_pack("{s:s,s:o,s:o}", "name", names[i], "old", json_hex(*a), "value", json_hex(*b)));
	}
	reply_set(r, "registers", list);
}

static void run_diff(struct debugger *d, const char *args, struct reply *r)
{
	const struct debugger_mark *mark = d->notes->mark;
	struct mark_range range[CHANGES];
	json_t *list = json_array();

	(void)args;
	if (!mark) {
		json_decref(list);
		reply_fail(r, "no mark has been set: see mark");
		return;
	}
	text_add(&r->text, "from instruction %" PRIu64 " to %" PRIu64 "\n", mark->at.icount, history_now(d->h).icount);
	diff_registers(d, &mark->registers, r);
	size_t n = mark_changes(mark, d, range, CHANGES);
	for (size_t i = 0; i < n && i < CHANGES; i++) {
		text_add(&r->text, "memory   ");
		text_put(&r->text, STYLE_ADDRESS, "%08" PRIx64 " - %08" PRIx64, range[i].start, range[i].end - 1);
		text_put(&r->text, STYLE_DIM, "  %" PRIu64 " bytes\n", range[i].end - range[i].start);
		json_array_append_new(list, json_pack("{s:o,s:I}", "start", json_hex(range[i].start), "bytes", (json_int_t)(range[i].end - range[i].start)));
	}
	if (n > CHANGES)
		text_put(&r->text, STYLE_DIM, "... and more\n");
	reply_set(r, "memory", list);
}

const struct bookmark *bookmark_find(const struct debugger *d, const char *name)
{
	for (const struct bookmark *b = d->notes->bookmarks; b; b = b->next)
		if (!strcmp(b->name, name))
			return b;
	return NULL;
}

/* Every moment of the run can be gone to, so that a snapshot within it needs a name only. */
static void run_savevm(struct debugger *d, const char *args, struct reply *r)
{
	struct bookmark *b = (struct bookmark *)bookmark_find(d, *args ? args : "vm");

	if (strlen(args) >= sizeof(b->name)) {
		reply_fail(r, "a name has at most %zu characters", sizeof(b->name) - 1);
		return;
	}
	if (!b) {
		b = calloc(1, sizeof(*b));
		if (!b) {
			reply_fail(r, "out of memory");
			return;
		}
		snprintf(b->name, sizeof(b->name), "%s", *args ? args : "vm");
		b->next = d->notes->bookmarks;
		d->notes->bookmarks = b;
	}
	b->at = history_now(d->h);
	text_add(&r->text, "'%s' is instruction %" PRIu64 "\n", b->name, b->at.icount);
}

static void run_loadvm(struct debugger *d, const char *args, struct reply *r)
{
	char line[64];

	if (!bookmark_find(d, *args ? args : "vm")) {
		reply_fail(r, "savevm has not named '%s'", *args ? args : "vm");
		return;
	}
	snprintf(line, sizeof(line), "goto %s", *args ? args : "vm");
	command_execute(d, line, r);
}

static void run_info_snapshots(struct debugger *d, const char *args, struct reply *r)
{
	(void)args;
	for (const struct bookmark *b = d->notes->bookmarks; b; b = b->next) {
		text_add(&r->text, "%-20s instruction %" PRIu64 "\n", b->name, b->at.icount);
		reply_set(r, b->name, json_integer((json_int_t)b->at.icount));
	}
}

static void run_save(struct debugger *d, const char *args, struct reply *r)
{
	char err[ERROR_LINE];

	if (!*args)
		reply_fail(r, "save to which file?");
	else if (files_allowed(r) && state_save(d->m, args, err))
		reply_fail(r, "%s", err);
	else if (!r->failed)
		text_add(&r->text, "saved instruction %" PRIu64 " to %s: emu debug %s, or emu run --load %s, goes on from it\n", history_now(d->h).icount, args, args,
			args);
}

/* --- the machine as a whole -------------------------------------------------------------------------------------------------------- */

static void run_hash(struct debugger *d, const char *args, struct reply *r)
{
	uint64_t hash = machine_hash(d->m);

	(void)args;
	text_add(&r->text, "%016" PRIx64 "\n", hash);
	reply_set(r, "hash", json_hex(hash));
	reply_set(r, "icount", json_integer((json_int_t)history_now(d->h).icount));
}

static void run_status(struct debugger *d, const char *args, struct reply *r)
{
	struct moment now = history_now(d->h);
	char mode[32];

	(void)args;
	mode_name(&d->m->cpu, mode, sizeof(mode));
	text_add(&r->text, "%s, CPL %u, %s, instruction %" PRIu64 ", tick %" PRIu64 ", %s\n", d->guest ? guest_name(d->guest) : "a guest nothing is known of",
		d->m->cpu.cpl, mode, now.icount, now.tick, debugger_in_past(d) ? "in the past" : "in the present");
	reply_set(r, "icount", json_integer((json_int_t)now.icount));
	reply_set(r, "tick", json_integer((json_int_t)now.tick));
	reply_set(r, "past", json_boolean(debugger_in_past(d)));
	reply_set(r, "cpl", json_integer(d->m->cpu.cpl));
	reply_set(r, "mode", json_string(mode));
	reply_set(r, "guest", d->guest ? json_string(guest_name(d->guest)) : json_null());
}

static void run_history(struct debugger *d, const char *args, struct reply *r) { reply_view(d, "history", args, 0, r); }
static void run_console(struct debugger *d, const char *args, struct reply *r) { reply_view(d, "console", args, 0, r); }

static void run_reset(struct debugger *d, const char *args, struct reply *r)
{
	char err[ERROR_LINE];

	(void)args;
	if (history_fork(d->h, err) || machine_reset(d->m, err))
		reply_fail(r, "%s", err);
	else {
		machine_jumped(d->m);
		text_add(&r->text, "the machine was reset; what lay ahead is forgotten\n");
	}
	r->moved = true;
}

/* The button, and what follows from it. */
static void run_nmi(struct debugger *d, const char *args, struct reply *r)
{
	char err[ERROR_LINE];

	(void)args;
	if (history_fork(d->h, err)) {
		reply_fail(r, "%s", err);
		return;
	}
	machine_nmi(d->m);
	machine_jumped(d->m);
}

/* --- files of commands, Lua ---------------------------------------------------------------------------------------------------------- */

static void run_source(struct debugger *d, const char *args, struct reply *r)
{
	FILE *in = *args && files_allowed(r) ? fopen(args, "re") : NULL;
	char *lines = in ? malloc(SCRIPT_MOST + 1) : NULL;

	if (!in) {
		if (!r->failed)
			reply_fail(r, "cannot open '%s': %s", args, *args ? strerror(errno) : "a file's name is missing");
		return;
	}
	size_t n = lines ? fread(lines, 1, SCRIPT_MOST + 1, in) : 0;
	if (!lines || ferror(in) || n > SCRIPT_MOST)
		reply_fail(r, "'%s' cannot be read, or has more than %u bytes", args, SCRIPT_MOST);
	else {
		lines[n] = 0;
		run_lines(d, lines, args, r);
	}
	free(lines);
	fclose(in);
}

/* lua CODE, or a file whose name ends with .lua. */
static void run_lua(struct debugger *d, const char *args, struct reply *r)
{
	char err[ERROR_LINE];
	size_t n = strlen(args);
	bool file = n > 4 && !strcmp(args + n - 4, ".lua") && !strpbrk(args, " ()=");

	if (!*args)
		reply_fail(r, "lua CODE, or lua FILE.lua");
	else if (!file || files_allowed(r)) {
		if (file ? script_load(d, args, &r->text, err) : script_eval(d, args, &r->text, err))
			reply_fail(r, "%s", err);
	}
}

/* --- trace ----------------------------------------------------------------------------------------------------------------------------- */

/* The events that are remembered, into FILE.jsonl or as text. */
static void export_trace(struct debugger *d, const char *path, struct reply *r)
{
	struct view_request rq = { .width = 200, .height = NOTED_EVENTS, .argument = "all" };
	size_t n = strlen(path);
	bool json = n > 6 && !strcmp(path + n - 6, ".jsonl");
	FILE *out = *path && files_allowed(r) ? fopen(path, "we") : NULL;
	struct text t = { 0 };
	int bad = !out;

	if (out && json) {
		json_t *all = view_trace_json(d, &rq), *e;
		size_t i;
		json_array_foreach(json_object_get(all, "events"), i, e)
			bad |= json_dumpf(e, out, JSON_COMPACT) || fputc('\n', out) == EOF;
		json_decref(all);
	} else if (out) {
		view_trace(d, &rq, &t);
		bad = text_write_plain(&t, out);
	}
	text_free(&t);
	bad |= out && fclose(out);
	if (bad && !r->failed)
		reply_fail(r, "cannot write '%s': %s", path, *path ? strerror(errno) : "a file's name is missing");
}

/* trace on [LIST[:FILE]] | trace export FILE | trace off | trace: the last events */
static void run_trace(struct debugger *d, const char *args, struct reply *r)
{
	struct trace *t = &d->notes->trace;
	struct run_options o = { 0 };
	char err[ERROR_LINE];

	if (take_this(&args, "off")) {
		if (t->out)
			machine_unobserve(d->m, &t->observer);
		int bad = trace_close(t);
		if (bad)
			reply_fail(r, "the trace is not complete: %s", strerror(-bad));
	} else if (take_this(&args, "on")) {
		if (t->out) {
			reply_fail(r, "a trace is being written: trace off ends it");
			return;
		}
		if (run_options_trace(&o, *args ? args : "cpu", err) || (o.trace_path && !files_allowed(r)) || trace_open(t, o.trace, o.trace_path, err)) {
			if (!r->failed)
				reply_fail(r, "%s", err);
			return;
		}
		t->names = debugger_trace_names(d);
		trace_attach(t, d->m);
	} else if (take_this(&args, "export"))
		export_trace(d, args, r);
	else
		reply_view(d, "trace", args, 0, r);
}

/* --- typing for the guest ---------------------------------------------------------------------------------------------------------------- */

/* type TEXT: \n, \t, \e and \\ as usual; a newline follows unless the text ends with \c. */
static void run_type(struct debugger *d, const char *args, struct reply *r)
{
	bool newline = true, room = true;

	if (!d->console)
		reply_fail(r, "nobody types for this guest here");
	else if (debugger_in_past(d))
		reply_fail(r, "in the past the guest's input is written already; fork begins another future here");
	if (r->failed)
		return;
	for (const char *p = args; *p; p++) {
		char c = *p;
		if (c == '\\' && p[1]) {
			static const char from[] = "nrte\\c", to[] = "\n\r\t\033\\";
			const char *at = strchr(from, *++p);
			newline &= *p != 'c';
			if (*p == 'c')
				continue;
			c = at ? to[at - from] : *p;
		}
		room &= console_type(d->console, (uint8_t)c);
	}
	if (newline)
		room &= console_type(d->console, '\n');
	if (!room)
		reply_fail(r, "more was typed than waits for the guest");
}

static void run_fork(struct debugger *d, const char *args, struct reply *r)
{
	char err[ERROR_LINE];

	(void)args;
	if (history_fork(d->h, err))
		reply_fail(r, "%s", err);
}

static void run_quit(struct debugger *d, const char *args, struct reply *r)
{
	(void)d;
	(void)args;
	r->quit = true;
}

const struct command session_commands[] = {
	{ "view", "[NAME [ARGUMENT]]", "something to look at; without a name, all there is\nview walk 0xbfffeffc\nview registers --json\nview trace exc,int", run_view, NULL,
		complete_view },
	{ "export", "FILE VIEW [ARGUMENT]", "a view as FILE.svg for slides, or FILE.txt\nexport walk.svg walk 0xbfffeffc", run_export, NULL, NULL },
	{ "mark", "[off]", "remember this moment to compare with", run_mark, NULL, NULL },
	{ "diff", NULL, "registers and memory that changed since the mark", run_diff, NULL, NULL },
	{ "savevm", "[NAME]", "give this moment a name; goto NAME comes back", run_savevm, NULL, NULL },
	{ "loadvm", "[NAME]", "go to a moment that savevm named", run_loadvm, NULL, NULL },
	{ "info snapshots", NULL, "the moments with names, and where they are", run_info_snapshots, NULL, NULL },
	{ "save", "FILE", "the machine as it is now, into a file\nsave before.emu", run_save, NULL, NULL },
	{ "info history", NULL, "how far back one can go, and what that costs", run_history, NULL, NULL },
	{ "info console", NULL, "what the guest has written up to now", run_console, NULL, NULL },
	{ "info status", NULL, "where the machine stands", run_status, NULL, NULL },
	{ "hash", NULL, "a number that is equal for equal machines", run_hash, NULL, NULL },
	{ "trace", "[LIST] | on [LIST[:FILE]] | off | export FILE", "the last events, or every event as it happens\ntrace\ntrace walk\ntrace on exc,int:events.txt\ntrace on walk:w.jsonl\n"
		"trace on exc,int:for-perfetto.json\ntrace off\ntrace export last.jsonl", run_trace, NULL, NULL },
	{ "lua", "CODE | FILE.lua", "a script; its hooks stay\nlua print(emu.reg('eip'))\nlua tools/lua/faults.lua", run_lua, NULL, NULL },
	{ "source", "FILE", "the commands in a file", run_source, NULL, NULL },
	{ "script", NULL, NULL, NULL, "source", NULL },
	{ "type", "TEXT", "for the guest's console, with a newline unless it ends with \\c\ntype demo-stack\ntype q\\c", run_type, NULL, NULL },
	{ "fork", NULL, "begin another future here: what lay ahead is forgotten", run_fork, NULL, NULL },
	{ "system_reset", NULL, "the RESET button; what lay ahead is forgotten", run_reset, NULL, NULL },
	{ "nmi", NULL, "press the NMI button; what lay ahead is forgotten", run_nmi, NULL, NULL },
	{ "ptime", NULL, NULL, NULL, "info status", NULL },
	{ "stop", NULL, NULL, NULL, "info status", NULL },
	{ "quit", NULL, "leave the debugger", run_quit, NULL, NULL },
	{ "q", NULL, NULL, NULL, "quit", NULL },
	{ "exit", NULL, NULL, NULL, "quit", NULL },
	{ NULL, NULL, NULL, NULL, NULL, NULL },
};
