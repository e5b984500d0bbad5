/* emu/tui/run.c: the guest runs: what the debugger tells a face meanwhile, steps, moments, walk steps, and keys for the guest. */
#include <stdio.h>
#include <string.h>

#include "emu/console.h"
#include "emu/monitor/command.h"
#include "emu/debug/explain/micro.h"
#include "emu/debug/notebook.h"
#include "emu/loader.h"
#include "emu/session.h"
#include "emu/terminal.h"
#include "emu/tui/app.h"

#define DRAW_NS 100000000ull           /* ten times a second */
#define LATE_NS 50000000ull            /* what is later than this is not made up for */
#define LONGEST_MS 50

/* --- what the core tells ----------------------------------------------------------------------------------------------- */

static void read_keys(struct tui *t, int milliseconds)
{
	int key;

	while ((key = screen_key(&t->screen, milliseconds)) != KEYS_NONE) {
		milliseconds = 0;
		if (key == K_RESIZE) {
			tui_arrange(t);
			tui_draw(t);
		} else {
			keys_press_running(t, key);
		}
	}
}

static void draw_now_and_then(struct tui *t)
{
	uint64_t now = host_ns();

	if (now - t->drawn_ns < DRAW_NS)
		return;
	t->drawn_ns = now;
	/* Going back passes moments that nobody asked to see. */
	if (t->work_total)
		tui_draw_work(t);
	else
		tui_draw(t);
}

static void pace_from_here(struct tui *t)
{
	t->pace_ns = host_ns();
	t->pace_tick = machine_now(t->d->m);
	t->pace_icount = cpu_icount(&t->d->m->cpu);
}

/* A busy guest runs as fast as it can; one that waits does so by the wall clock. Returns how long to sleep. */
static int idle_ms(struct tui *t)
{
	uint64_t now = host_ns(), ticks = machine_now(t->d->m) - t->pace_tick, busy = cpu_icount(&t->d->m->cpu) - t->pace_icount;
	uint64_t due = t->pace_ns + (ticks > busy ? ticks - busy : 0) * (1000000000u / CLOCK_HZ);

	if (history_in_past(t->d->h) || due + LATE_NS < now) {
		pace_from_here(t);
		return 0;
	}
	uint64_t ms = due > now ? (due - now) / 1000000 : 0;
	return ms < LONGEST_MS ? (int)ms : LONGEST_MS;
}

static bool on_poll(void *owner)
{
	struct tui *t = owner;

	t->running = true;                     /* for another face, perhaps */
	read_keys(t, idle_ms(t));
	tui_follow(t);
	draw_now_and_then(t);
	return t->interrupt || t->screen.gone || signal_pending();
}

static void working(struct tui *t, const char *what, uint64_t done, uint64_t total)
{
	snprintf(t->working, sizeof(t->working), "%s", what);
	t->work_done = done;
	t->work_total = total;
}

static bool on_progress(void *owner, const char *what, uint64_t done, uint64_t total)
{
	struct tui *t = owner;

	working(t, what, done, total ? total : 1);
	read_keys(t, 0);
	draw_now_and_then(t);
	return !t->interrupt && !signal_pending();
}

/* What a person is likely to want to know next. */
static const char *hint(const struct stop *s)
{
	if (s->kind == STOP_MACHINE)
		return s->ended == MACHINE_TRIPLE_FAULT ? "; y: why, S: back" : "; S: back";
	if (s->kind == STOP_BREAK && s->hit && s->hit->kind == BREAK_EXCEPTION)
		return "; w: inside, y: why";
	return "";
}

static void on_stopped(void *owner, const struct stop *s)
{
	bool bad = s->kind == STOP_ERROR || s->kind == STOP_CHECK || s->kind == STOP_MACHINE;

	tui_follow(owner);
	tui_message(owner, bad ? STYLE_BAD : s->kind == STOP_BREAK ? STYLE_WARN : STYLE_PLAIN, "%s%s", s->text, hint(s));
}

static void on_say(void *owner, const char *line)
{
	tui_message(owner, STYLE_WARN, "%s", line);
}

static void on_delivered(void *owner, struct machine *m, const struct fault_record *r)
{
	struct tui *t = owner;

	if (!r->external && r->fault.vector == VEC_PF)
		timebar_note(&t->faults, cpu_icount(&m->cpu));
}

void run_attach(struct tui *t)
{
	t->session->console.live = false;      /* the session is not to keep pace: idle_ms() does, for idle guests only */
	t->face = (struct face){ .name = "tui", .owner = t, .poll = on_poll, .stopped = on_stopped, .progress = on_progress, .say = on_say };
	debugger_attach(t->d, &t->face);
	t->observer = (struct observer){ .name = "tui", .owner = t, .delivered = on_delivered };
	machine_observe(t->d->m, &t->observer);
}

void run_detach(struct tui *t)
{
	machine_unobserve(t->d->m, &t->observer);
	debugger_detach(t->d, &t->face);
}

/* --- running ------------------------------------------------------------------------------------------------------------ */

void run_begin(struct tui *t)
{
	t->running = true;
	t->interrupt = false;
	*t->working = 0;
	t->work_total = 0;
	pace_from_here(t);
	t->drawn_ns = host_ns();               /* short work is over before anything has to be drawn */
	*t->message = 0;
}

void run_end(struct tui *t)
{
	t->running = t->interacting = false;
	*t->working = 0;
	t->work_total = 0;
}

static void drop(struct micro *u)
{
	micro_free(u);
	*u = (struct micro){ 0 };
}

/* The walk step in progress, if any, is of an instruction that will be left. */
static void forget_walk(struct tui *t)
{
	struct notebook *n = notebook(t->d);

	if (n && n->micro.count)
		drop(&n->micro);
}

bool run_in_past(const struct tui *t)
{
	return history_present(t->d->h).tick > history_now(t->d->h).tick + 1;
}

/* Who stands at the present, but for one instruction that was looked into, does not want to hear of it. */
static void go(struct tui *t, enum go how, uint32_t la)
{
	bool past = run_in_past(t);

	forget_walk(t);
	run_begin(t);
	if (how >= GO_BACK_CONTINUE)
		working(t, "going back", 0, 1);
	if (debugger_go(t->d, how, 1, la)->kind == STOP_PRESENT && !past && how != GO_STEP)
		debugger_go(t->d, how, 1, la);
}

void run_go(struct tui *t, enum go how, uint32_t la)
{
	go(t, how, la);
	run_end(t);
}

static void to_present(struct debugger *d)
{
	struct reply r = { 0 };

	command_execute(d, "goto present", &r);
	reply_free(&r);
}

void run_goto(struct tui *t, uint64_t icount)
{
	forget_walk(t);
	run_begin(t);
	working(t, "going there", 0, 1);
	if (icount >= history_present(t->d->h).icount)
		to_present(t->d);
	else
		debugger_goto(t->d, icount);
	run_end(t);
}

/* --- the walk step -------------------------------------------------------------------------------------------------------- */

/* The view of the walk tells the event itself. */
static void say_where(struct tui *t, const struct micro *u)
{
	if (u->position == u->count)
		tui_message(t, STYLE_DIM, "w executes the instruction now, W goes back into it");
	else
		tui_message(t, STYLE_DIM, "inside the instruction: w next of %zu events, W the one before, s leaves", u->count);
}

/* The walk step that goes on, or one that begins now; NULL, and a message, when there is none. */
static struct micro *walk_here(struct tui *t, int direction)
{
	struct notebook *n = notebook(t->d);
	char err[ERROR_LINE] = "out of memory";

	if (n && n->micro.count && n->micro.at.tick != history_now(t->d->h).tick)
		drop(&n->micro);
	if (n && n->micro.count)
		return &n->micro;
	if (direction < 0) {
		tui_message(t, STYLE_WARN, "no walk step is in progress; S goes an instruction back");
		return NULL;
	}
	if (n && !micro_begin(t->d, &n->micro, err))
		return &n->micro;
	if (n)
		n->micro = (struct micro){ 0 };
	tui_message(t, STYLE_BAD, "%s", err);
	return NULL;
}

void run_walk(struct tui *t, int direction)
{
	struct micro *u = walk_here(t, direction);

	if (!u)
		return;
	if (direction > 0 && u->position == u->count) {
		run_go(t, GO_STEP, 0);         /* all of it has been seen: now for real */
		return;
	}
	if (direction < 0 && u->position <= 1) {
		drop(u);
		tui_message(t, STYLE_PLAIN, "before the instruction");
		return;
	}
	u->position = direction < 0 ? u->position - 1 : u->position + 1;
	if (strcmp(t->pane[SLOT_MAIN].place.view->name, "walk") || *t->pane[SLOT_MAIN].place.argument)
		tui_show_view(t, SLOT_MAIN, "walk", NULL, true);
	t->pane[SLOT_MAIN].follow = true;
	say_where(t, u);
}

/* --- keys for the guest ---------------------------------------------------------------------------------------------------- */

void run_interact(struct tui *t)
{
	if (run_in_past(t)) {
		tui_message(t, STYLE_WARN, "in the past the guest's input is written already; the command fork begins another future here");
		return;
	}
	if (!t->layout.slot[SLOT_CONSOLE].rows && strcmp(t->pane[SLOT_MAIN].place.view->name, "console"))
		tui_show_view(t, SLOT_MAIN, "console", NULL, true);
	t->interacting = t->interacted = true;
	if (t->running)
		return;
	go(t, GO_CONTINUE, 0);
	run_end(t);
}
