/* emu/history/history_goto.c: moving: to any moment that was, and forward again over the checkpoints there.
 *
 *   checkpoint                  64M    16M   4M 1M goal         new checkpoints at distances 2^k before the goal, so that from there
 *   ---+-------------------------+------+-----+--+--+---         the next steps back are short
 *      load, run again ------------------------------>
 *
 * A goal is an icount (its first tick) or a tick; distances and progress are counted in the same.
 */
#include "emu/history/history_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "emu/console.h"
#include "emu/observer.h"

#define PIECE 4000000ull               /* ticks between looks at the clock of the host: under 10 ms */
#define LONG_WAY (4 * PIECE)           /* worth a checkpoint to come back to when it is interrupted */

struct goal { bool by_tick; uint64_t at; };

static const unsigned distances[] = { 28, 27, 26, 25, 24, 23, 22, 21, 20, 18, 16, 14, 12 };         /* powers of two */
#define DISTANCES (sizeof(distances) / sizeof(distances[0]))

static uint64_t along(const struct goal *g, struct moment at) { return g->by_tick ? at.tick : at.icount; }

/* --- the present, left and reached ------------------------------------------------------------------------------------ */

static struct checkpoint *checkpoint_here(struct history *h, char *err)
{
	struct checkpoint *c = list_at_or_before(h, machine_now(h->m));

	return c->at.tick == machine_now(h->m) && c->serial ? c : checkpoint_take(h, CHECKPOINT_TEMPORARY, NULL, err);
}

static int leave_present(struct history *h, char *err)
{
	if (h->past)
		return 0;
	struct checkpoint *c = checkpoint_here(h, err);
	if (!c)
		return -1;
	c->pins++;
	h->present = c;
	h->past = true;
	return 0;
}

/* The machine is as it was there. */
static void enter_present(struct history *h)
{
	for (unsigned i = 0; i < MACHINE_DISKS; i++)
		if (h->disk[i].file)
			history_disk_restore(&h->disk[i], &h->present->disk[i], false);
	if (h->live_input)
		input_resume(&h->m->input);
	h->present->pins--;
	h->present = NULL;
	h->past = false;
	list_thin(h);
}

/* The machine stands where c was taken, by running: makes sure that it is the same. If it is not, err says what differs, and c's truth is
 * taken. */
static enum history_result cross(struct history *h, struct checkpoint *c, char *err)
{
	enum history_result result = HISTORY_OK;
	char why[ERROR_LINE];

	if (c->changed) {
		if (checkpoint_restore(h, c, err))
			return HISTORY_ERROR;
		machine_jumped(h->m);
	} else if (!checkpoint_verify(h, c, why)) {
		snprintf(err, ERROR_LINE, "%s", why);
		result = checkpoint_restore(h, c, why) ? HISTORY_ERROR : HISTORY_DIVERGED;
	}
	if (c == h->present)
		enter_present(h);
	return result;
}

/* --- forward as the guest's own time goes ----------------------------------------------------------------------------- */

static bool ends(enum machine_stop stop)
{
	return stop != MACHINE_RAN && stop != MACHINE_REQUESTED && stop != MACHINE_INSTRUCTION_LIMIT;
}

static void stopped_early(const struct history *h, char *err)
{
	snprintf(err, ERROR_LINE, "running again from the past ended at instruction %" PRIu64 ", where the run had gone on", h->m->cpu.icount);
}

enum machine_stop history_repeat(struct history *h, uint64_t ticks)
{
	uint64_t end = machine_now(h->m) + ticks;

	for (;;) {
		struct checkpoint *next = list_after(h, machine_now(h->m));
		uint64_t now = machine_now(h->m), until = next->at.tick < end ? next->at.tick : end;
		enum machine_stop stop = machine_run(h->m, until - now);
		bool reached = machine_now(h->m) == next->at.tick;

		h->replayed += machine_now(h->m) - now;
		if (reached) {
			if (cross(h, next, h->trouble) != HISTORY_OK) {
				machine_jumped(h->m);
				return MACHINE_REQUESTED;
			}
			if (!h->past)
				return stop == MACHINE_REQUESTED ? stop : MACHINE_RAN;
		}
		if (stop == MACHINE_REQUESTED || stop == MACHINE_INSTRUCTION_LIMIT)
			return stop;
		if (ends(stop)) {
			stopped_early(h, h->trouble);
			return MACHINE_REQUESTED;
		}
		if (machine_now(h->m) >= end)
			return MACHINE_RAN;
	}
}

/* --- forward to a goal, unseen ------------------------------------------------------------------------------------------ */

struct journey {
	struct history *h;
	struct goal goal;
	const struct progress *progress;
	uint64_t start, reported_ns;
	char *err;
};

static bool arrived(const struct journey *j, uint64_t at) { return along(&j->goal, history_now(j->h)) >= at; }

static bool report(struct journey *j)
{
	if (!j->progress)
		return true;
	uint64_t now = host_ns(), done = along(&j->goal, history_now(j->h)) - j->start;
	if (now - j->reported_ns < j->progress->every_ns)
		return true;
	j->reported_ns = now;
	return j->progress->report(j->progress->owner, done, j->goal.at - j->start);
}

/* Runs to a point not after the goal. */
static enum history_result advance(struct journey *j, uint64_t at)
{
	struct machine *m = j->h->m;
	unsigned idle = 0;

	while (!arrived(j, at)) {
		uint64_t now = machine_now(m), ticks = PIECE;
		if (j->goal.by_tick && at - now < ticks)
			ticks = at - now;
		m->instruction_limit = j->goal.by_tick ? UINT64_MAX : at;
		enum machine_stop stop = machine_run(m, ticks);
		m->instruction_limit = UINT64_MAX;
		j->h->replayed += machine_now(m) - now;
		idle = machine_now(m) == now ? idle + 1 : 0;
		if ((ends(stop) && !arrived(j, at)) || machine_now(m) > j->h->present->at.tick || idle > 2) {
			stopped_early(j->h, j->err);
			return HISTORY_DIVERGED;
		}
		if (!report(j))
			return HISTORY_INTERRUPTED;
	}
	return HISTORY_OK;
}

/* The next point before the goal that wants a checkpoint, or the goal. There is one already if any lies between there and twice the
 * distance. */
static uint64_t next_point(const struct journey *j, uint64_t now)
{
	for (size_t i = 0; i < DISTANCES && j->h->limit; i++) {
		uint64_t d = 1ull << distances[i], at = j->goal.at - d;
		if (j->goal.at < d || at <= now || at - now < d / 2)
			continue;
		return at;
	}
	return j->goal.at;
}

static enum history_result run_to_goal(struct journey *j)
{
	struct history *h = j->h;
	enum history_result result;

	for (;;) {
		uint64_t at = next_point(j, along(&j->goal, history_now(h)));
		result = advance(j, at);
		if (result != HISTORY_OK || at == j->goal.at)
			return result;
		if (!checkpoint_take(h, CHECKPOINT_TEMPORARY | (j->goal.by_tick ? 0 : CHECKPOINT_FIRST_TICK), NULL, j->err))
			return HISTORY_ERROR;
		list_thin(h);
	}
}

/* --- anywhere ---------------------------------------------------------------------------------------------------------------- */

static bool there(const struct history *h, const struct goal *g, const struct checkpoint *c)
{
	(void)h;
	return g->by_tick ? c->at.tick == g->at : c->at.icount == g->at && c->first_tick;
}

/* Is it shorter to go on from here than from c? */
static bool nearer(const struct history *h, const struct goal *g, const struct checkpoint *c)
{
	struct moment now = history_now(h);

	return now.tick >= c->at.tick && (g->by_tick ? now.tick <= g->at : now.icount < g->at);
}

static enum history_result journey(struct journey *j)
{
	struct history *h = j->h;
	struct checkpoint *c = j->goal.by_tick ? list_at_or_before(h, j->goal.at) : list_before_icount(h, j->goal.at);
	enum history_result result = HISTORY_OK;

	if (h->lost || there(h, &j->goal, c) || !nearer(h, &j->goal, c))
		if (checkpoint_restore(h, c, j->err))
			return HISTORY_ERROR;
	if (!there(h, &j->goal, c)) {
		j->start = along(&j->goal, history_now(h));
		result = run_to_goal(j);
	}
	if (result != HISTORY_OK)
		return result;
	struct checkpoint *here = list_at_or_before(h, machine_now(h->m));
	if (here != c && here->at.tick == machine_now(h->m) && (here->changed || here == h->present))
		return cross(h, here, j->err);
	if (here == h->present && here->at.tick == machine_now(h->m))
		enter_present(h);
	return HISTORY_OK;
}

/* Back to where a journey that failed began. */
static void go_back(struct history *h, uint64_t tick)
{
	char err[ERROR_LINE];
	struct journey j = { .h = h, .goal = { .by_tick = true, .at = tick }, .err = err };

	journey(&j);
	if (h->lost)
		snprintf(h->trouble, sizeof(h->trouble), "%.*s: the machine is at no moment of its run; going to another may still work",
			ERROR_LINE - 128, err);
}

/* In the past, a way that may be interrupted begins at a checkpoint. */
static struct checkpoint *mark_start(struct history *h, const struct goal *g, const struct progress *progress)
{
	const struct checkpoint *c = g->by_tick ? list_at_or_before(h, g->at) : list_before_icount(h, g->at);
	char err[ERROR_LINE];

	if (!progress || !h->past || h->lost || g->at - along(g, c->at) < LONG_WAY)
		return NULL;
	struct checkpoint *start = checkpoint_here(h, err);
	if (start)
		start->pins++;
	return start;
}

static enum history_result go(struct history *h, struct goal goal, const struct progress *progress, char *err)
{
	uint64_t from = machine_now(h->m), limit = h->m->instruction_limit;
	struct journey j = { .h = h, .goal = goal, .progress = progress, .reported_ns = host_ns(), .err = err };

	if (history_settle(h, err))
		return HISTORY_ERROR;
	struct checkpoint *start = mark_start(h, &goal, progress);
	if (leave_present(h, err))
		return HISTORY_ERROR;
	machine_quiet(h->m, true);
	h->m->instruction_limit = UINT64_MAX;
	enum history_result result = journey(&j);
	if (result != HISTORY_OK && !(result == HISTORY_DIVERGED && !h->past))
		go_back(h, from);
	h->m->instruction_limit = limit;
	machine_quiet(h->m, false);
	if (start)
		start->pins--;
	if (result == HISTORY_DIVERGED)
		snprintf(h->trouble, sizeof(h->trouble), "%s", err);
	list_thin(h);
	machine_jumped(h->m);
	return result;
}

static enum history_result outside(const char *unit, uint64_t at, uint64_t first, uint64_t last, char *err)
{
	snprintf(err, ERROR_LINE, "%s %" PRIu64 " lies outside what is remembered, %" PRIu64 " to %" PRIu64, unit, at, first, last);
	return HISTORY_ERROR;
}

enum history_result history_goto(struct history *h, uint64_t icount, const struct progress *progress, char *err)
{
	struct moment first = history_first(h), present = history_present(h);

	if (icount < first.icount || icount > present.icount)
		return outside("instruction", icount, first.icount, present.icount, err);
	return go(h, (struct goal){ false, icount }, progress, err);
}

enum history_result history_goto_tick(struct history *h, uint64_t tick, const struct progress *progress, char *err)
{
	struct moment first = history_first(h), present = history_present(h);

	if (tick < first.tick || tick > present.tick)
		return outside("tick", tick, first.tick, present.tick, err);
	if (tick == machine_now(h->m))
		return HISTORY_OK;
	return go(h, (struct goal){ true, tick }, progress, err);
}
