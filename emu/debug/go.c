/* emu/debug/go.c: run control. debugger_go() arms, runs forwards here, by steps in step.c, or backwards in back.c, disarms, and tells the faces.
 *
 * The machine runs in slices of at most 10 ms of virtual time or the host's; between them the faces are asked whether to go on.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/console.h"
#include "emu/debug/going.h"
#include "emu/report.h"

#define SLICE_MOST  (CLOCK_HZ / 100)
#define SLICE_LEAST 1000u
#define SLICE_NS    10000000ull

/* --- stops ------------------------------------------------------------------------------------------------------------- */

const char *stop_kind_name(enum stop_kind kind)
{
	static const char *const name[] = { "none", "step", "breakpoint", "ended", "present", "beginning", "interrupted", "check", "script", "error" };

	return name[kind];
}

static const char *kind_text(enum stop_kind kind)
{
	switch (kind) {
	case STOP_PRESENT: return "the present: nothing later has been run yet";
	case STOP_BEGINNING: return "the beginning: nothing earlier is known";
	case STOP_INTERRUPTED: return "interrupted";
	default: return "";
	}
}

const struct stop *go_stop(struct debugger *d, enum stop_kind kind, const char *text)
{
	d->stop = (struct stop){ .kind = kind, .at = history_now(d->h) };
	snprintf(d->stop.text, sizeof(d->stop.text), "%s", text ? text : kind_text(kind));
	return &d->stop;
}

static void stop_ended(struct debugger *d, enum machine_stop ended)
{
	go_stop(d, STOP_MACHINE, ended_text(ended));
	d->stop.ended = ended;
}

bool go_failed(struct debugger *d, enum history_result r, const char *err)
{
	if (r == HISTORY_OK)
		return false;
	go_stop(d, r == HISTORY_INTERRUPTED ? STOP_INTERRUPTED : STOP_ERROR, r == HISTORY_INTERRUPTED ? NULL : err);
	return true;
}

/* --- faces --------------------------------------------------------------------------------------------------------------- */

/* Asks every face, so that each gets its turn. */
static bool interrupted(struct debugger *d)
{
	bool stop = false;

	for (struct face *f = d->faces; f; f = f->next)
		if (f->poll)
			stop |= f->poll(f->owner);
	return stop;
}

static bool report_progress(void *owner, uint64_t done, uint64_t total)
{
	struct debugger *d = owner;
	bool go_on = true;

	for (struct face *f = d->faces; f; f = f->next)
		if (f->progress)
			go_on &= f->progress(f->owner, d->going->what, done, total);
	return go_on;
}

struct progress go_progress(struct debugger *d, const char *what)
{
	d->going->what = what;
	return (struct progress){ report_progress, d, PROGRESS_NS };
}

static const struct stop *tell_faces(struct debugger *d)
{
	for (struct face *f = d->faces, *next; f; f = next) {
		next = f->next;                        /* it may detach itself */
		if (f->stopped)
			f->stopped(f->owner, &d->stop);
	}
	return &d->stop;
}

void debugger_request_stop(struct debugger *d, enum stop_kind kind, const char *text)
{
	d->going->request = kind;
	snprintf(d->going->request_text, sizeof(d->going->request_text), "%s", text);
	machine_stop_soon(d->m);
}

/* --- running ------------------------------------------------------------------------------------------------------------- */

static enum machine_stop run_slice(struct debugger *d, uint64_t ticks, uint64_t limit)
{
	struct go_state *g = d->going;
	uint64_t icount = cpu_icount(&d->m->cpu), own = break_next_limit(d, icount);

	d->m->instruction_limit = limit < own ? limit : own;
	g->running = true;
	enum machine_stop stop = history_run(d->h, ticks);
	g->running = false;
	d->m->instruction_limit = g->limit;
	if (stop == MACHINE_INSTRUCTION_LIMIT && cpu_icount(&d->m->cpu) < g->limit)
		return MACHINE_RAN;
	return stop;
}

static void adapt_slice(struct go_state *g, uint64_t took_ns)
{
	if (took_ns > SLICE_NS && g->slice / 2 >= SLICE_LEAST)
		g->slice /= 2;
	else if (took_ns < SLICE_NS / 2 && g->slice * 2 <= SLICE_MOST)
		g->slice *= 2;
}

/* What a slice's end means, the notes aside. */
static enum run_end judge(struct debugger *d, enum machine_stop stop, bool was_past, bool moved)
{
	struct go_state *g = d->going;

	if (g->goal.reached)
		return RUN_GOAL;
	if (g->request != STOP_NONE) {
		go_stop(d, g->request, g->request_text);
		g->request = STOP_NONE;
		return RUN_REQUEST;
	}
	const char *trouble = history_trouble(d->h);
	if (trouble && (!g->told_trouble || (stop == MACHINE_REQUESTED && !moved))) {
		g->told_trouble = true;
		go_stop(d, STOP_ERROR, trouble);
		return RUN_REQUEST;
	}
	if (stop != MACHINE_RAN && stop != MACHINE_REQUESTED) {
		stop_ended(d, stop);
		return RUN_ENDED;
	}
	if (was_past && !history_in_past(d->h) && history_ended(d->h) != MACHINE_RAN) {
		stop_ended(d, history_ended(d->h));
		return RUN_ENDED;
	}
	if (was_past && !history_in_past(d->h) && !g->live) {
		go_stop(d, STOP_PRESENT, NULL);
		return RUN_PRESENT;
	}
	return RUN_TICKS;
}

/* Do faces want a stop? Much virtual time in little of the host's: the guest is idle, and a face may want to keep pace with the clock. */
static bool polled(struct debugger *d)
{
	struct go_state *g = d->going;
	bool idle = !history_in_past(d->h) && machine_now(d->m) - g->polled_tick >= SLICE_MOST;

	if (!idle && host_ns() - g->polled_ns < SLICE_NS)
		return false;
	g->polled_ns = host_ns();
	g->polled_tick = machine_now(d->m);
	if (!interrupted(d))
		return false;
	go_stop(d, STOP_INTERRUPTED, NULL);
	return true;
}

static enum run_end run(struct debugger *d, uint64_t ticks, uint64_t limit)
{
	struct go_state *g = d->going;
	uint64_t end = machine_now(d->m) + ticks;

	if (end < ticks)
		end = UINT64_MAX;
	while (machine_now(d->m) < end && cpu_icount(&d->m->cpu) < limit) {
		if (polled(d))
			return RUN_INTERRUPTED;
		uint64_t now = machine_now(d->m), before = host_ns(), left = end - now;
		uint64_t icount = cpu_icount(&d->m->cpu);
		bool past = history_in_past(d->h);
		enum machine_stop stop = run_slice(d, left < g->slice ? left : g->slice, limit);
		if (machine_now(d->m) - now >= g->slice)
			adapt_slice(g, host_ns() - before);
		break_settle(d, cpu_icount(&d->m->cpu) > icount && cpu_icount(&d->m->cpu) == break_next_limit(d, icount));
		if (g->notes)
			return RUN_HIT;
		enum run_end result = judge(d, stop, past, machine_now(d->m) != now);
		if (result != RUN_TICKS)
			return result;
	}
	return RUN_TICKS;
}

enum run_end go_run(struct debugger *d, uint64_t ticks)
{
	return run(d, ticks, UINT64_MAX);
}

enum run_end go_run_until(struct debugger *d, uint64_t icount)
{
	return run(d, UINT64_MAX, icount);
}

/* --- forwards ------------------------------------------------------------------------------------------------------------ */

/* An exception has been delivered meanwhile: back to before it. In the present that is now the past, by one tick, and nobody's wish. */
static bool put_back(struct debugger *d)
{
	char err[ERROR_LINE];
	struct stop stop = d->stop;
	bool live = !history_in_past(d->h) || d->going->live;
	uint64_t tick = machine_now(d->m) - 1;

	break_disarm(d);
	if (go_failed(d, history_goto_tick(d->h, tick, NULL, err), err))
		return false;
	d->stop = stop;
	d->stop.at = history_now(d->h);
	d->going->live = live && history_in_past(d->h);
	d->going->skip_tick = d->going->skip_exception_tick = tick;
	return true;
}

bool go_report(struct debugger *d)
{
	if (break_report(d, true)) {
		put_back(d);
		return true;
	}
	if (break_report(d, false)) {
		d->going->skip_tick = machine_now(d->m);
		return true;
	}
	d->going->notes = 0;
	d->going->skip_tick = machine_now(d->m);       /* what was ignored has been counted */
	return false;
}

static void continue_on(struct debugger *d)
{
	enum run_end end;

	do {
		end = go_run(d, UINT64_MAX);
	} while ((end == RUN_HIT && !go_report(d)) || end == RUN_TICKS);
}

static void run_to(struct debugger *d, uint32_t la)
{
	if (!step_to_goal(d, &(struct goal){ .la = la, .anywhere = true }))
		go_stop(d, STOP_STEP, NULL);
}

static void step_count(struct debugger *d, bool over, uint64_t count)
{
	d->going->reached_present = false;
	for (; count; count--) {
		if (d->going->reached_present) {
			go_stop(d, STOP_PRESENT, NULL);
			return;
		}
		if (over ? step_over(d) : step_one(d, false))
			return;
	}
	go_stop(d, STOP_STEP, NULL);
}

static void forwards(struct debugger *d, enum go how, uint64_t count, uint32_t la)
{
	enum machine_stop ended = history_in_past(d->h) ? MACHINE_RAN : history_ended(d->h);

	if (ended != MACHINE_RAN) {
		stop_ended(d, ended);
		return;
	}
	d->going->goal.on = false;
	break_arm(d);
	switch (how) {
	case GO_STEP: step_count(d, false, count); break;
	case GO_OVER: step_count(d, true, count); break;
	case GO_OUT: step_out(d); break;
	case GO_UNTIL: run_to(d, la); break;
	default: continue_on(d);
	}
	break_disarm(d);
}

/* Standing where the last stop was reported, what it reported is not reported again. */
void go_begin(struct debugger *d)
{
	struct go_state *g = d->going;
	uint64_t now = machine_now(d->m);

	g->limit = d->m->instruction_limit;
	d->stop.kind = STOP_NONE;
	g->slice = g->slice ? g->slice : SLICE_LEAST;
	g->polled_ns = host_ns();
	g->polled_tick = now;
	g->request = STOP_NONE;
	g->skip_tick = now;
	if (g->skip_exception_tick != now)
		g->skip_exception_tick = NEVER;
}

const struct stop *debugger_go(struct debugger *d, enum go how, uint64_t count, uint32_t la)
{
	go_begin(d);
	if (how >= GO_BACK_CONTINUE)
		go_back(d, how, count ? count : 1, la);
	else
		forwards(d, how, count ? count : 1, la);
	d->stop.at = history_now(d->h);
	return tell_faces(d);
}

const struct stop *debugger_goto(struct debugger *d, uint64_t icount)
{
	char err[ERROR_LINE];
	struct progress progress = go_progress(d, "going there");

	go_begin(d);
	d->going->live = false;
	d->going->skip_exception_tick = NEVER;
	if (!go_failed(d, history_goto(d->h, icount, &progress, err), err))
		go_stop(d, STOP_STEP, NULL);
	return tell_faces(d);
}
