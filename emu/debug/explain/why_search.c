/* emu/debug/explain/why_search.c: what the story needs from other moments.
 *
 *   ... last write of the entry ... fault ---- handler ---- IRET to the same instruction ... now
 *            <----- history <---------|---- run again ---->|------------- and back to here -->
 */
#include "emu/debug/explain/why_private.h"

#include <stdio.h>
#include <string.h>

#include "emu/debug/view/entry.h"
#include "emu/debug/explain/fault_words.h"

#define WALKS_PASSED 8u

/* --- which fault -------------------------------------------------------------------------------------------------------- */

static bool stopped_before_fault(const struct debugger *d)
{
	const struct stop *s = &d->stop;

	return s->kind == STOP_BREAK && s->hit && s->hit->kind == BREAK_EXCEPTION && s->at.tick == history_now(d->h).tick;
}

static unsigned blamed_step(const struct walk *w)
{
	for (unsigned i = 0; i < w->levels; i++)
		if (step_blame(w, i))
			return i;
	return w->levels;
}

void story_find(struct debugger *d, struct story *s)
{
	const struct cpu *cpu = &d->m->cpu;

	memset(s, 0, sizeof(*s));
	s->d = d;
	s->now = history_now(d->h);
	s->shut_down = cpu->shutdown;
	if (stopped_before_fault(d)) {
		s->pending = true;
		s->chain[s->count++] = d->stop.fault;
		s->first = cpu->fault_count;
	} else {
		s->count = fault_chain(cpu, &s->first);
		for (unsigned i = 0; i < s->count; i++)
			s->chain[i] = cpu->faults[(s->first + i) % FAULT_HISTORY];
	}
	s->none = !s->count;
	s->blamed = s->none ? 0 : blamed_step(&story_fault(s)->walk);
}

bool story_entry_changed(const struct story *s, unsigned i)
{
	const struct walk *a = &story_fault(s)->walk, *b = &s->then;
	uint64_t told = ~(uint64_t)(PG_A | PG_D);

	if (i >= b->levels)
		return false;
	return i >= a->levels || a->step[i].addr != b->step[i].addr || ((a->step[i].value ^ b->step[i].value) & told);
}

/* --- after the fault --------------------------------------------------------------------------------------------------- */

struct follower {
	struct observer observer;
	const struct fault_record *fault;
	bool resumed;
};

static void on_iret(void *owner, struct machine *m)
{
	struct follower *f = owner;
	const struct cpu *cpu = &m->cpu;

	if (cpu->eip != f->fault->eip || cpu->cr3 != f->fault->cr3 || cpu->seg[SEG_CS].selector != f->fault->cs || cpu->r[R_ESP] != f->fault->esp)
		return;
	f->resumed = true;
	machine_stop_soon(m);
}

/* Who had called the writer. The machine is taken to the write, and left there. */
static void look_callers(struct debugger *d, struct entry_writer *e)
{
	struct source_frame frames[CALLERS + 1];
	char err[ERROR_LINE];
	size_t n;

	if (!d->source || e->w.access.by != BY_PROCESSOR || history_goto_tick(d->h, e->w.at.tick, NULL, err) != HISTORY_OK)
		return;
	n = source_backtrace(d, frames, CALLERS + 1);
	for (size_t i = 1; i < n && i <= CALLERS; i++)
		e->caller[e->callers++] = frames[i].pc;
}

/* Four bytes hold all that matters, but the upper half of a PAE entry: NX and high addresses. The guest's own write is wanted: walks that set
 * Accessed and Dirty are passed over, earlier and earlier. */
static void look_who(struct debugger *d, paddr_t pa, struct entry_writer *e)
{
	struct moment here = history_now(d->h);
	char err[ERROR_LINE];

	e->looked = true;
	for (unsigned i = 0; i < WALKS_PASSED; i++) {
		e->known = debugger_last_write(d, pa, 4, &e->w);
		if (!e->known || e->w.access.by != BY_WALK || history_goto_tick(d->h, e->w.at.tick, NULL, err) != HISTORY_OK)
			break;
	}
	if (e->known)
		look_callers(d, e);
	if (history_now(d->h).tick != here.tick)
		history_goto_tick(d->h, here.tick, NULL, err);
}

/* From the fault on to where its instruction runs again, or to where the story is told. */
static void follow(struct story *s)
{
	struct machine *m = s->d->m;
	struct follower f = { .fault = story_fault(s), .observer = { .name = "why", .owner = &f, .even_quiet = true, .iret = on_iret } };

	machine_observe(m, &f.observer);
	machine_quiet(m, true);
	while (!f.resumed && history_now(s->d->h).tick < s->now.tick)
		if (history_run(s->d->h, s->now.tick - history_now(s->d->h).tick) != MACHINE_REQUESTED || !f.resumed)
			break;
	machine_quiet(m, false);
	machine_unobserve(m, &f.observer);
	s->followed = true;
	s->resumed = f.resumed;
	s->resumed_at = history_now(s->d->h);
	if (!story_has_walk(s))
		return;
	page_walk(&m->phys, &m->mmu.pg, &story_fault(s)->walk.access, &s->then);
	if (m->cpu.cr3 != story_fault(s)->cr3)
		s->then.levels = 0;            /* another address space: nothing to compare */
	for (unsigned i = 0; i < s->then.levels; i++)
		if (story_entry_changed(s, i))
			look_who(s->d, s->then.step[i].addr, &s->after[i]);
}

void story_search(struct story *s)
{
	struct history *h = s->d->h;
	const struct walk *w = &story_fault(s)->walk;

	if (s->none || story_fault(s)->icount < history_first(h).icount)
		return;
	if (!s->pending && history_goto(h, story_fault(s)->icount, NULL, s->trouble) != HISTORY_OK)
		return;
	if (story_has_walk(s) && s->blamed < w->levels)
		look_who(s->d, w->step[s->blamed].addr, &s->before);
	if (!s->pending && !s->shut_down)
		follow(s);
	if (history_now(h).tick != s->now.tick)
		history_goto_tick(h, s->now.tick, NULL, s->trouble);
}
