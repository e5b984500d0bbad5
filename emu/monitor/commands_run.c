/* emu/monitor/commands_run.c: commands that move the machine: forwards, backwards, to a moment; and into one instruction.
 *
 * After each: why it stopped, the next instruction, what `display` asked for, and the commands of the breakpoint that hit. When those end
 * with `continue`, the machine goes on.
 */
#include "emu/monitor/commands.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "emu/debug/guest/source.h"
#include "emu/debug/view/views.h"
#include "emu/disasm.h"

#define LINE_STEPS 1000000u            /* instructions that a step by source line may take */
#define TEXT_MOST  (1u << 16)          /* of a reply, before the faces are told what is there so far */

static const char *const ended_names[] = { "ran", "power-off", "reset", "debug-exit", "triple-fault", "halted-forever", "instruction-limit", "requested" };

/* --- telling where it stands -------------------------------------------------------------------------------------------- */

/* "main.c:12  source", then "> c0101234 <main+0x10>  call 0x...": the next instruction. */
static void location(struct debugger *d, struct text *t)
{
	char name[128], words[200];
	uint32_t pc = debugger_pc(d);
	struct source_line line;
	struct disassembly a;
	bool bits32 = d->m->cpu.seg[SEG_CS].flags & SEG_FLAG_DB;

	if (d->source && source_line_of(d, pc, &line)) {
		text_put(t, STYLE_NAME, "%s:%u", line.file, line.line);
		if (source_text(d, &line, words, sizeof(words)))
			text_add(t, "  %s", words + strspn(words, " \t"));
		text_add(t, "\n");
	}
	(d->intel ? disassemble_intel : disassemble)(&d->m->cpu, pc, bits32, &a);
	text_put(t, STYLE_HERE, ">");
	text_put(t, STYLE_ADDRESS, "%08" PRIx32, pc);
	if (*source_symbol(d, pc, name, sizeof(name)))
		text_put(t, STYLE_NAME, " <%s>", name);
	text_add(t, "  %s\n", a.text);
}

static void stop_json(struct debugger *d, const struct stop *s, struct reply *r)
{
	char name[128];

	if (!r->want_json)
		return;
	json_t *j = json_pack("{s:s,s:s,s:I,s:I}", "kind", stop_kind_name(s->kind), "text", s->text, "icount", (json_int_t)s->at.icount,
		"tick", (json_int_t)s->at.tick);
	if (s->kind == STOP_BREAK)
		json_object_set_new(j, "breakpoint", json_integer(s->breakpoint));
	if (s->kind == STOP_MACHINE)
		json_object_set_new(j, "ended", json_string(ended_names[s->ended]));
	if (s->old_value != s->value) {
		json_object_set_new(j, "old", json_hex(s->old_value));
		json_object_set_new(j, "value", json_hex(s->value));
	}
	reply_set(r, "stop", j);
	reply_set(r, "pc", json_hex(debugger_pc(d)));
	reply_set(r, "symbol", json_string(source_symbol(d, debugger_pc(d), name, sizeof(name))));
	reply_set(r, "past", json_boolean(debugger_in_past(d)));
}

static void displays(struct debugger *d, struct reply *r)
{
	for (const struct display *s = d->notes->displays; s; s = s->next) {
		struct reply one = { .no_files = r->no_files };
		command_execute(d, s->line, &one);
		text_put(&r->text, STYLE_DIM, "%s\n", s->line);
		text_add(&r->text, "%s", text_plain(&one.text));
		reply_free(&one);
	}
}

/* The stop for people and as JSON. An end of the machine, or an error, is news; the failure of a command is only the latter. */
static void tell_stop(struct debugger *d, const struct stop *s, struct reply *r)
{
	r->moved = true;
	stop_json(d, s, r);
	if (s->kind == STOP_ERROR) {
		reply_fail(r, "%s", s->text);
		return;
	}
	if (s->kind != STOP_STEP)
		text_put(&r->text, s->kind == STOP_MACHINE || s->kind == STOP_CHECK ? STYLE_WARN : STYLE_BOLD, "%s\n", s->text);
	location(d, &r->text);
	displays(d, r);
}

/* --- breakpoint commands -------------------------------------------------------------------------------------------------- */

static bool continues(const char *line)
{
	return !strcmp(line, "continue") || !strcmp(line, "cont") || !strcmp(line, "c");
}

/* Runs the lines; true when the last of them is `continue`, which is not run. */
static bool run_commands_of(struct debugger *d, const struct breakpoint *b, struct reply *r)
{
	char *lines = strdup(b->commands), origin[64];
	bool again = false;

	if (!lines)
		return false;
	size_t n = strlen(lines);
	while (n && isspace((unsigned char)lines[n - 1]))
		lines[--n] = 0;
	char *last = strrchr(lines, '\n') ? strrchr(lines, '\n') + 1 : lines;
	if (continues(last + strspn(last, " \t"))) {
		again = true;
		*last = 0;
	}
	snprintf(origin, sizeof(origin), "commands of breakpoint %u", b->id);
	run_lines(d, lines, origin, r);
	free(lines);
	return again && !r->failed;
}

/* Breakpoint commands may go on for ever. */
static void tell_so_far(struct debugger *d, struct reply *r)
{
	if (r->text.size < TEXT_MOST)
		return;
	for (size_t i = 0; i < text_lines(&r->text); i++) {
		size_t n;
		const char *line = text_line(&r->text, i, &n, NULL);
		debugger_say(d, "%.*s", (int)n, line);
	}
	text_clear(&r->text);
}

static void go(struct debugger *d, enum go how, uint64_t count, uint32_t la, struct reply *r)
{
	const struct stop *s = debugger_go(d, how, count, la);

	tell_stop(d, s, r);
	while (!r->failed && s->kind == STOP_BREAK && s->hit && s->hit->commands && run_commands_of(d, s->hit, r)) {
		tell_so_far(d, r);
		s = debugger_go(d, how == GO_BACK_CONTINUE ? how : GO_CONTINUE, 1, 0);
		tell_stop(d, s, r);
	}
}

static void counted(struct debugger *d, enum go how, const char *args, struct reply *r)
{
	uint64_t count;

	if (!number_or(d, args, 1, &count, r))
		return;
	if (!count)
		reply_fail(r, "0 times does nothing");
	else
		go(d, how, count, 0, r);
}

static void run_step(struct debugger *d, const char *args, struct reply *r) { counted(d, GO_STEP, args, r); }
static void run_next(struct debugger *d, const char *args, struct reply *r) { counted(d, GO_OVER, args, r); }
static void run_rstep(struct debugger *d, const char *args, struct reply *r) { counted(d, GO_BACK_STEP, args, r); }
static void run_rnext(struct debugger *d, const char *args, struct reply *r) { counted(d, GO_BACK_OVER, args, r); }

/* continue [N]: N - 1 stops at the breakpoint that is stood on are passed by. */
static void run_continue(struct debugger *d, const char *args, struct reply *r)
{
	uint64_t count;

	if (!number_or(d, args, 1, &count, r))
		return;
	struct breakpoint *b = d->stop.kind == STOP_BREAK ? debugger_break_find(d, d->stop.breakpoint) : NULL;
	if (b && count > 1)
		b->ignore = count - 1;
	go(d, GO_CONTINUE, 1, 0, r);
}

static void run_rcontinue(struct debugger *d, const char *args, struct reply *r)
{
	(void)args;
	go(d, GO_BACK_CONTINUE, 1, 0, r);
}

static void run_finish(struct debugger *d, const char *args, struct reply *r)
{
	(void)args;
	go(d, GO_OUT, 1, 0, r);
}

static void run_rfinish(struct debugger *d, const char *args, struct reply *r)
{
	(void)args;
	go(d, GO_BACK_OUT, 1, 0, r);
}

static void until(struct debugger *d, enum go how, const char *args, struct reply *r)
{
	uint64_t la;

	if (!*args)
		reply_fail(r, "until where? an address, a function, or FILE:LINE");
	else if (number_of(d, args, &la, r))
		go(d, how, 1, (uint32_t)la, r);
}

static void run_until(struct debugger *d, const char *args, struct reply *r) { until(d, GO_UNTIL, args, r); }
static void run_runtil(struct debugger *d, const char *args, struct reply *r) { until(d, GO_BACK_UNTIL, args, r); }

/* --- by source line --------------------------------------------------------------------------------------------------------- */

static void by_line(struct debugger *d, enum go how, struct reply *r)
{
	struct source_line from, now;
	const struct stop *s = &d->stop;

	if (!d->source || !source_line_of(d, debugger_pc(d), &from)) {
		go(d, how, 1, 0, r);
		return;
	}
	for (unsigned n = 0; n < LINE_STEPS; n++) {
		s = debugger_go(d, how, 1, 0);
		if (s->kind != STOP_STEP)
			break;
		if (source_line_of(d, debugger_pc(d), &now) && (now.line != from.line || now.file != from.file))
			break;
	}
	tell_stop(d, s, r);
}

static void run_line(struct debugger *d, const char *args, struct reply *r)
{
	(void)args;
	by_line(d, GO_STEP, r);
}

static void run_nextline(struct debugger *d, const char *args, struct reply *r)
{
	(void)args;
	by_line(d, GO_OVER, r);
}

/* --- to a moment ------------------------------------------------------------------------------------------------------------ */

/* The icount that the argument of goto names; false, and r failed, when it names none. */
static bool moment_of(struct debugger *d, const char *args, uint64_t *icount, struct reply *r)
{
	uint64_t first = history_first(d->h).icount, present = history_present(d->h).icount, n;
	uint64_t now = history_now(d->h).icount;
	size_t length = strlen(args);
	char *end;

	if (!strcmp(args, "first") || !strcmp(args, "start") || !strcmp(args, "beginning"))
		*icount = first;
	else if (!strcmp(args, "mark")) {
		if (!d->notes->mark) {
			reply_fail(r, "no mark has been set: see mark");
			return false;
		}
		*icount = d->notes->mark->at.icount;
	} else if (bookmark_find(d, args))
		*icount = bookmark_find(d, args)->at.icount;
	else if (length > 1 && args[length - 1] == '%') {
		double share = strtod(args, &end);
		if (end != args + length - 1 || !(share >= 0 && share <= 100)) {
			reply_fail(r, "'%s' is no percentage from 0%% to 100%%", args);
			return false;
		}
		*icount = first + (uint64_t)((double)(present - first) * (share / 100));
	} else if (*args == '+' || *args == '-') {
		if (!number_of(d, args + 1, &n, r))
			return false;
		*icount = *args == '+' ? now + n : n > now ? 0 : now - n;
	} else if (!number_of(d, args, icount, r))
		return false;
	if (*icount >= first && *icount <= present)
		return true;
	reply_fail(r, "instruction %" PRIu64 " lies outside what has been run: %" PRIu64 " to %" PRIu64, *icount, first, present);
	return false;
}

static bool tell_progress(void *owner, uint64_t done, uint64_t total)
{
	struct debugger *d = owner;
	bool on = true;

	for (struct face *f = d->faces; f; f = f->next)
		if (f->progress)
			on &= f->progress(f->owner, "going to a tick", done, total);
	return on;
}

/* Ticks pass while instructions do not: debugger_goto() knows instructions only. */
static void goto_tick(struct debugger *d, const char *args, struct reply *r)
{
	char err[ERROR_LINE] = "interrupted";
	uint64_t tick;
	struct progress progress = { tell_progress, d, PROGRESS_NS };

	if (!number_of(d, args, &tick, r))
		return;
	if (tick < history_first(d->h).tick || tick > history_present(d->h).tick) {
		reply_fail(r, "tick %" PRIu64 " lies outside what has been run: %" PRIu64 " to %" PRIu64, tick, history_first(d->h).tick,
			history_present(d->h).tick);
		return;
	}
	if (history_goto_tick(d->h, tick, &progress, err) != HISTORY_OK) {
		reply_fail(r, "%s", err);
		return;
	}
	d->stop = (struct stop){ .kind = STOP_STEP, .at = history_now(d->h) };
	for (struct face *f = d->faces; f; f = f->next)
		if (f->stopped)
			f->stopped(f->owner, &d->stop);
	tell_stop(d, &d->stop, r);
}

/* Ticks may have passed since the last instruction: the first moment with its number is not yet the present. */
static void goto_present(struct debugger *d, struct reply *r)
{
	char tick[32];

	snprintf(tick, sizeof(tick), "%" PRIu64, history_present(d->h).tick);
	goto_tick(d, tick, r);
}

static void run_goto(struct debugger *d, const char *args, struct reply *r)
{
	uint64_t icount;

	if (!*args)
		reply_fail(r, "goto what? an instruction's number, N%%, +N, -N, tick N, first, present or mark");
	else if (take_this(&args, "tick"))
		goto_tick(d, args, r);
	else if (!strcmp(args, "present") || !strcmp(args, "end"))
		goto_present(d, r);
	else if (moment_of(d, args, &icount, r))
		tell_stop(d, debugger_goto(d, icount), r);
}

static void run_run(struct debugger *d, const char *args, struct reply *r)
{
	(void)args;
	const struct stop *s = debugger_goto(d, history_first(d->h).icount);
	if (s->kind == STOP_STEP)
		go(d, GO_CONTINUE, 1, 0, r);
	else
		tell_stop(d, s, r);
}

/* --- until the guest says something ------------------------------------------------------------------------------------------- */

struct waiter {
	struct debugger *d;
	const char *text;
	char last[256];                /* of what the guest wrote, as long as text */
	size_t n;
	bool heard;
};

static void on_heard(void *owner, uint8_t byte)
{
	struct waiter *w = owner;
	size_t length = strlen(w->text);

	if (w->n == length)
		memmove(w->last, w->last + 1, --w->n);
	w->last[w->n++] = (char)byte;
	if (w->n < length || memcmp(w->last, w->text, length))
		return;
	w->heard = true;
	debugger_request_stop(w->d, STOP_STEP, "the guest wrote it");
}

/* The machine stops after the instruction that wrote the last byte: the same one on each run. */
static void run_wait(struct debugger *d, const char *args, struct reply *r)
{
	struct waiter w = { .d = d, .text = args };
	struct face face = { .name = "wait", .owner = &w, .output = on_heard };

	if (!*args || strlen(args) >= sizeof(w.last)) {
		reply_fail(r, "wait for what text? at most %zu characters", sizeof(w.last) - 1);
		return;
	}
	debugger_attach(d, &face);
	const struct stop *s = debugger_go(d, GO_CONTINUE, 1, 0);
	debugger_detach(d, &face);
	tell_stop(d, s, r);
	if (!w.heard && !r->failed && (s->kind == STOP_MACHINE || s->kind == STOP_INTERRUPTED))
		reply_fail(r, "the guest has not written '%s': %s", args, s->text);
}

/* --- into one instruction ---------------------------------------------------------------------------------------------------- */

static void micro_json(const struct debugger *d, const struct micro_event *e, struct reply *r)
{
	struct text t = { 0 };

	if (!r->want_json)
		return;
	micro_describe(d, e, &t);
	json_t *list = json_object_get(r->json, "events");
	if (!list) {
		reply_set(r, "events", json_array());
		list = json_object_get(r->json, "events");
	}
	const char *words = text_plain(&t);
	json_array_append_new(list, json_pack("{s:i,s:i,s:o,s:o,s:o,s:s%}", "kind", (int)e->kind, "level", (int)e->level, "address", json_hex(e->address),
		"old", json_hex(e->old), "value", json_hex(e->value), "text", words, strcspn(words, "\n")));
	text_free(&t);
}

static void show_micro(struct debugger *d, struct micro *u, struct reply *r)
{
	const struct micro_event *e = &u->event[u->position++];

	text_put(&r->text, STYLE_DIM, "%zu/%zu ", u->position, u->count);
	size_t before = r->text.size;
	micro_describe(d, e, &r->text);
	if (r->text.size > before && r->text.byte[r->text.size - 1] != '\n')
		text_add(&r->text, "\n");
	micro_json(d, e, r);
}

/* Each time one event more; after the last the instruction is executed. `all`: every event at once, without executing. */
static void run_walkstep(struct debugger *d, const char *args, struct reply *r)
{
	struct micro *u = &d->notes->micro;
	char err[ERROR_LINE];
	bool all = take_this(&args, "all");

	if (u->count && (u->at.tick != history_now(d->h).tick || all)) {
		micro_free(u);
		*u = (struct micro){ 0 };
	}
	if (!u->count) {
		if (!all)
			location(d, &r->text);
		if (micro_begin(d, u, err)) {
			*u = (struct micro){ 0 };
			reply_fail(r, "%s", err);
			return;
		}
	}
	bool execute = u->position == u->count;
	do {
		if (u->position < u->count)
			show_micro(d, u, r);
	} while (all && u->position < u->count);
	if (!execute && !all)
		return;
	micro_free(u);
	*u = (struct micro){ 0 };
	if (execute)
		go(d, GO_STEP, 1, 0, r);
}

const struct command run_commands[] = {
	{ "continue", "[N]", "go on until something stops the machine; N: at the Nth stop here\ncontinue\ncontinue 3", run_continue, NULL, NULL },
	{ "c", NULL, NULL, NULL, "continue", NULL },
	{ "cont", NULL, NULL, NULL, "continue", NULL },
	{ "fg", NULL, NULL, NULL, "continue", NULL },
	{ "step", "[N]", "one instruction, into calls and fault handlers, past interrupts\nstep\nstep 100", run_step, NULL, NULL },
	{ "s", NULL, NULL, NULL, "step", NULL },
	{ "si", NULL, NULL, NULL, "step", NULL },
	{ "stepi", NULL, NULL, NULL, "step", NULL },
	{ "t", NULL, NULL, NULL, "step", NULL },
	{ "next", "[N]", "one instruction, over calls, REP and fault handlers", run_next, NULL, NULL },
	{ "n", NULL, NULL, NULL, "next", NULL },
	{ "ni", NULL, NULL, NULL, "next", NULL },
	{ "nexti", NULL, NULL, NULL, "next", NULL },
	{ "line", NULL, "to the next line of source, into calls", run_line, NULL, NULL },
	{ "nextline", NULL, "to the next line of source, over calls", run_nextline, NULL, NULL },
	{ "finish", NULL, "until the function, or handler, has returned", run_finish, NULL, NULL },
	{ "fin", NULL, NULL, NULL, "finish", NULL },
	{ "out", NULL, NULL, NULL, "finish", NULL },
	{ "until", "ADDRESS", "until the instruction there\nuntil page_fault\nuntil vm.c:88", run_until, NULL, complete_symbol },
	{ "advance", NULL, NULL, NULL, "until", complete_symbol },
	{ "run", NULL, "from the beginning again, the same run", run_run, NULL, NULL },
	{ "r", NULL, NULL, NULL, "run", NULL },
	{ "wait", "TEXT", "go on until the guest has written this to its console\nwait $", run_wait, NULL, NULL },
	{ "rstep", "[N]", "one instruction back", run_rstep, NULL, NULL },
	{ "rs", NULL, NULL, NULL, "rstep", NULL },
	{ "rsi", NULL, NULL, NULL, "rstep", NULL },
	{ "reverse-stepi", NULL, NULL, NULL, "rstep", NULL },
	{ "reverse-step", NULL, NULL, NULL, "rstep", NULL },
	{ "rnext", "[N]", "one instruction back, over calls", run_rnext, NULL, NULL },
	{ "rn", NULL, NULL, NULL, "rnext", NULL },
	{ "rni", NULL, NULL, NULL, "rnext", NULL },
	{ "reverse-nexti", NULL, NULL, NULL, "rnext", NULL },
	{ "reverse-next", NULL, NULL, NULL, "rnext", NULL },
	{ "rcontinue", NULL, "back to the last time something would have stopped the machine", run_rcontinue, NULL, NULL },
	{ "rc", NULL, NULL, NULL, "rcontinue", NULL },
	{ "reverse-continue", NULL, NULL, NULL, "rcontinue", NULL },
	{ "rfinish", NULL, "back to the call of this function", run_rfinish, NULL, NULL },
	{ "reverse-finish", NULL, NULL, NULL, "rfinish", NULL },
	{ "runtil", "ADDRESS", "back to the last time at the instruction there", run_runtil, NULL, complete_symbol },
	{ "goto", "MOMENT", "to an instruction's number, a share of the run, a tick, the mark\ngoto 1500000\ngoto 50%\ngoto -100\ngoto tick 3000000\ngoto first\n"
		"goto present\ngoto mark\ngoto before-fork     a name that savevm gave", run_goto, NULL, NULL },
	{ "walkstep", "[all]", "into the next instruction: each translation, entry, fault and push; after the last it is executed\nwalkstep\nwalkstep all",
		run_walkstep, NULL, NULL },
	{ "microstep", NULL, NULL, NULL, "walkstep", NULL },
	{ "ws", NULL, NULL, NULL, "walkstep", NULL },
	{ NULL, NULL, NULL, NULL, NULL, NULL },
};
