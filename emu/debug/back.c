/* emu/debug/back.c: run control backwards: the search for what hit last. Steps are in back_step.c.
 *
 *      checkpoint          checkpoint             now
 *   -------+-----------x-------+------x------x-----+
 *                            first: load, run again up to now with everything armed; the last hit wins; none: the piece before it
 *
 * A hit's place is a tick, and for exceptions after whatever else is there. Going back it is the last boundary at which what is looked for
 * had not yet happened (breakpoint.h), so that continuing from there meets it again.
 *
 * Interrupted, the machine is put where it was.
 */
#include <stdlib.h>
#include <string.h>

#include "emu/debug/going.h"

struct hit { unsigned id; struct place at; };

/* What one piece of the past holds. Bounded: of very many hits the last count. */
#define HITS_MOST (1u << 20)
struct hits { struct hit *hit; size_t count, capacity; };

static bool before(struct place a, struct place b)
{
	return a.tick != b.tick ? a.tick < b.tick : !a.exception && b.exception;
}

struct place back_here(const struct debugger *d)
{
	uint64_t now = machine_now(d->m);

	return (struct place){ now, d->going->skip_exception_tick == now };
}

/* Which kinds stop, backwards, a tick before they do forwards. */
static bool undoes(const struct breakpoint *b)
{
	switch (b->kind) {
	case BREAK_READ: case BREAK_WRITE: case BREAK_ACCESS: case BREAK_PORT: case BREAK_MSR: case BREAK_CONTROL: case BREAK_SPACE: case BREAK_MAPPING:
		return true;
	default:
		return false;
	}
}

static struct place place_of(const struct debugger *d, const struct note *n)
{
	uint64_t now = machine_now(d->m);
	const struct breakpoint *b = debugger_break_find((struct debugger *)d, n->id);

	return (struct place){ n->exception || undoes(b) ? now - 1 : now, n->exception };
}

static void keep(struct hits *h, struct hit hit)
{
	if (h->count == h->capacity) {
		size_t capacity = h->capacity ? 2 * h->capacity : 256;
		struct hit *grown = capacity <= HITS_MOST ? realloc(h->hit, capacity * sizeof(*grown)) : NULL;
		if (!grown) {                          /* forget the older half */
			h->count /= 2;
			memmove(h->hit, h->hit + h->count, h->count * sizeof(*h->hit));
		} else {
			h->hit = grown;
			h->capacity = capacity;
		}
	}
	if (h->count < h->capacity)
		h->hit[h->count++] = hit;
}

/* --- one piece of the past ------------------------------------------------------------------------------------------------ */

#define PIECE 20000000ull              /* ticks between signs of progress */

/* Runs on to the tick end. False: d->stop says why not. */
static bool run_piece(struct debugger *d, uint64_t end, const struct search *s, const struct progress *progress)
{
	struct go_state *g = d->going;
	uint64_t first = history_first(d->h).tick, total = history_present(d->h).tick - first;

	while (machine_now(d->m) < end) {
		uint64_t left = end - machine_now(d->m);
		enum run_end r = go_run(d, left < PIECE ? left : PIECE);
		if (r == RUN_HIT || r == RUN_GOAL)
			s->noted(d, s->ctx);
		else if (r != RUN_TICKS && r != RUN_PRESENT && !(r == RUN_ENDED && machine_now(d->m) >= end))
			return false;                  /* the end of the run is where a search from there began */
		if (left > PIECE && !progress->report(progress->owner, machine_now(d->m) - first, total)) {
			go_stop(d, STOP_INTERRUPTED, NULL);
			return false;
		}
		g->notes = 0;
		g->goal.reached = false;
		g->skip_tick = machine_now(d->m);
	}
	return true;
}

static int search_back(struct debugger *d, const struct search *s)
{
	char err[ERROR_LINE];
	uint64_t start = machine_now(d->m), end = start;
	struct moment at = history_now(d->h);
	struct progress progress = go_progress(d, "searching backwards");
	bool live = d->going->live;
	int result = 0;

	d->going->live = true;                         /* the present is no news to a search, nor is what others have been told already */
	machine_quiet(d->m, true);
	while (!result && start - end <= s->reach && history_checkpoint_before(d->h, at, &at)) {
		if (go_failed(d, history_goto_tick(d->h, at.tick, &progress, err), err)) {
			result = -1;
			break;
		}
		d->going->skip_tick = d->going->skip_exception_tick = NEVER;
		break_arm(d);
		bool ran = run_piece(d, end, s, &progress);
		break_disarm(d);
		end = at.tick;
		result = !ran ? -1 : s->found(d, s->ctx);
	}
	machine_quiet(d->m, false);
	d->going->live = live;
	return result;
}

int back_search_alone(struct debugger *d, const struct search *s)
{
	struct breakpoint *breaks = d->breaks;

	d->breaks = NULL;
	int result = search_back(d, s);
	d->breaks = breaks;
	return result;
}

/* Puts the machine at a place; keeps d->stop. */
bool back_put_at(struct debugger *d, struct place p)
{
	char err[ERROR_LINE];

	d->going->live = false;
	if (go_failed(d, history_goto_tick(d->h, p.tick, NULL, err), err))
		return false;
	d->going->skip_tick = p.tick;
	d->going->skip_exception_tick = p.exception ? p.tick : NEVER;
	return true;
}

/* A search that ended otherwise: what it said stays said, there where it began. */
void back_give_up(struct debugger *d, struct place start)
{
	struct stop why = d->stop;

	if (back_put_at(d, start))
		d->stop = why;
}

/* --- breakpoints ---------------------------------------------------------------------------------------------------------- */

struct back_search { struct place now, found; struct hits hits; bool goal_found; unsigned id; };

static void note_hits(struct debugger *d, void *ctx)
{
	struct back_search *s = ctx;

	for (unsigned i = 0; i < d->going->notes; i++) {
		struct hit hit = { d->going->note[i].id, place_of(d, &d->going->note[i]) };
		if (before(hit.at, s->now))
			keep(&s->hits, hit);
	}
	if (d->going->goal.reached && before(back_here(d), s->now))
		keep(&s->hits, (struct hit){ 0, back_here(d) });
}

static int by_place(const void *a, const void *b)
{
	const struct hit *x = a, *y = b;

	return before(x->at, y->at) ? -1 : before(y->at, x->at) ? 1 : x->id < y->id ? -1 : x->id > y->id;
}

/* From the last place backwards, as they would be met: each counts, and the first that is not ignored is it. */
static bool choose_hit(struct debugger *d, void *ctx)
{
	struct back_search *s = ctx;
	struct hits *h = &s->hits;
	bool stop = false;

	if (h->count)
		qsort(h->hit, h->count, sizeof(h->hit[0]), by_place);
	while (h->count && !stop) {
		s->found = h->hit[h->count - 1].at;
		while (h->count && !before(h->hit[h->count - 1].at, s->found)) {
			struct note n = { .id = h->hit[--h->count].id };
			bool counts = !n.id || break_count(d, &n);
			s->goal_found |= !n.id;
			if (counts)
				s->id = n.id;          /* the lowest comes last */
			stop |= counts;
		}
	}
	h->count = 0;
	return stop;
}

/* Looks among the notes for one to tell of at p: the one with the lowest number, if it fits. */
static void choose_note(struct debugger *d, bool (*fits)(const struct breakpoint *b, const struct note *n), struct note *found)
{
	struct go_state *g = d->going;

	for (unsigned i = 0; i < g->notes; i++) {
		const struct note *n = &g->note[i];
		if (fits(debugger_break_find(d, n->id), n) && (!found->id || n->id < found->id))
			*found = *n;
	}
	g->notes = 0;
}

static bool came_there(const struct breakpoint *b, const struct note *n) { return !undoes(b) && !n->exception; }
static bool is_undone(const struct breakpoint *b, const struct note *n) { return undoes(b) && !n->exception; }
static bool is_exception(const struct breakpoint *b, const struct note *n) { (void)b; return n->exception; }

static void run_one_tick(struct debugger *d)
{
	machine_quiet(d->m, true);
	go_run(d, 1);
	machine_quiet(d->m, false);
}

/* At the place that was chosen: what hit there, told as it is forwards. What led there is seen from a tick before, what is undone there
 * by a tick more. Counting is done already. */
static void report_at(struct debugger *d, struct place p, unsigned id)
{
	struct note found = { 0 }, ignored = { 0 };
	bool earlier = p.tick > history_first(d->h).tick;

	if (!back_put_at(d, (struct place){ p.tick - earlier, false }))
		return;
	d->going->skip_exception_tick = NEVER;
	break_arm(d);
	if (earlier)
		run_one_tick(d);
	d->going->skip_tick = NEVER;
	break_settle(d, true);
	choose_note(d, came_there, p.exception ? &ignored : &found);
	d->going->skip_tick = p.tick;
	run_one_tick(d);
	choose_note(d, p.exception ? is_exception : is_undone, &found);
	break_disarm(d);
	if (!found.id)
		found.id = id;
	if (back_put_at(d, p))
		break_tell(d, &found);
}

static bool wants_anything(const struct debugger *d)
{
	bool any = d->going->goal.on;

	for (const struct breakpoint *b = d->breaks; b; b = b->next)
		any |= b->enabled;
	return any;
}

static void back_to_hit(struct debugger *d)
{
	struct back_search s = { .now = back_here(d) };
	int found = !wants_anything(d) ? 0 : search_back(d, &(struct search){ note_hits, choose_hit, &s, NEVER });

	free(s.hits.hit);
	if (found < 0) {
		back_give_up(d, s.now);
	} else if (!found) {
		if (back_put_at(d, (struct place){ history_first(d->h).tick, false }))
			go_stop(d, STOP_BEGINNING, NULL);
	} else if (!s.goal_found) {
		report_at(d, s.found, s.id);
	} else if (back_put_at(d, s.found)) {
		go_stop(d, STOP_STEP, NULL);
	}
}

static void back_until(struct debugger *d, uint32_t la)
{
	d->going->goal = (struct goal){ .on = true, .la = la, .anywhere = true };
	back_to_hit(d);
	d->going->goal.on = false;
}

/* --- all ways back ------------------------------------------------------------------------------------------------------- */

void go_back(struct debugger *d, enum go how, uint64_t count, uint32_t la)
{
	d->going->goal.on = false;
	switch (how) {
	case GO_BACK_STEP: back_steps(d, false, count); break;
	case GO_BACK_OVER: back_steps(d, true, count); break;
	case GO_BACK_OUT: back_out(d); break;
	case GO_BACK_UNTIL: back_until(d, la); break;
	default: back_to_hit(d);
	}
}
