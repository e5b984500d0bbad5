/* emu/history/history.c: its life, running in the present, forks, and what can be asked. See history.h.
 *
 * When the next regular checkpoint comes is decided at the one before, from what that one cost: pages stored times PAGE_EFFORT. Effort is
 * instructions and whatever else takes the host's time, counted in instructions. It and pages are the guest's, so the same run has its
 * checkpoints at the same instructions wherever and however it is run. SPACING_MOST bounds how long going anywhere takes.
 */
#include "emu/history/history_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/observer.h"

#define PAGE_EFFORT       20000ull
#define FLUSH_EFFORT      15000ull     /* of a TLB that never evicts: many entries go each time */
#define MODELLED_EFFORT      20ull     /* each access goes through the modelled TLB */
#define SPACING_LEAST  25000000ull
#define SPACING_MOST  400000000ull
#define LOOKS           5000000ull     /* instructions between two looks at the effort */
#define OUTPUT_MOST ((16u << 20) / sizeof(struct output_event))
#define OUTPUT_LEAST 4096u

uint64_t history_effort(const struct machine *m)
{
	uint64_t effort = m->cpu.icount + m->mmu.stats.flushes * FLUSH_EFFORT;

	return m->mmu.geometry.entries ? effort + m->mmu.stats.hits * MODELLED_EFFORT : effort;
}

static void schedule(struct history *h, uint64_t spacing)
{
	h->look = h->limit ? h->m->cpu.icount + LOOKS : UINT64_MAX;
	h->since = history_effort(h->m);
	h->due = h->since + spacing;
}

/* --- life ---------------------------------------------------------------------------------------------------------- */

static struct ide_drive *drive(struct machine *m, unsigned n) { return &m->ide[n / 2].drive[n % 2]; }

static int wrap_disks(struct history *h)
{
	int err = 0;

	for (unsigned i = 0; i < MACHINE_DISKS && !err; i++) {
		struct ide_drive *d = drive(h->m, i);
		if (!d->disk)
			continue;
		err = history_disk_open(&h->disk[i], d->disk, h->store);
		d->disk = &h->disk[i].disk;
	}
	return err;
}

static void unwrap_disks(struct history *h)
{
	for (unsigned i = 0; i < MACHINE_DISKS; i++) {
		if (!h->disk[i].file)
			continue;
		drive(h->m, i)->disk = h->disk[i].file;
		history_disk_close(&h->disk[i]);
	}
}

static int start(struct history *h, char *err)
{
	page_tree_init(&h->ram, h->m->phys.ram_size >> PAGE_SHIFT);
	page_tree_init(&h->state, 1u << 20);
	if (wrap_disks(h)) {
		snprintf(err, ERROR_LINE, "history: out of memory");
		return -1;
	}
	output_tap(h, &h->tap[0], &h->m->uart.out);
	output_tap(h, &h->tap[1], &h->m->debug_console.out);
	checkpoint_mark_all(h);
	if (!checkpoint_take(h, CHECKPOINT_FIRST_TICK, NULL, err))
		return -1;
	schedule(h, SPACING_LEAST);
	return 0;
}

struct history *history_create(struct machine *m, uint64_t limit, char *err)
{
	struct history *h = calloc(1, sizeof(*h));

	if (h)
		h->store = page_store_new(limit * HISTORY_SPILL);
	if (!h || !h->store) {
		free(h);
		snprintf(err, ERROR_LINE, "history: out of memory");
		return NULL;
	}
	h->m = m;
	h->limit = limit;
	h->live_input = !m->input.replaying;
	h->output.most = limit / 16 / sizeof(struct output_event);
	h->output.most = h->output.most > OUTPUT_MOST ? OUTPUT_MOST : h->output.most < OUTPUT_LEAST ? OUTPUT_LEAST : h->output.most;
	if (start(h, err)) {
		history_free(h);
		return NULL;
	}
	return h;
}

void history_free(struct history *h)
{
	if (!h)
		return;
	for (unsigned i = 0; i < 2; i++)
		output_untap(&h->tap[i]);
	list_drop_all(h);
	unwrap_disks(h);
	page_tree_drop(h->store, &h->ram);
	page_tree_drop(h->store, &h->state);
	page_store_free(h->store);
	free(h->output.event);
	free(h->saved.data);
	free(h->wanted.data);
	free(h);
}

/* --- the present ----------------------------------------------------------------------------------------------------- */

static uint64_t spacing(const struct history *h, uint64_t stored)
{
	uint64_t n = stored * PAGE_EFFORT, even = list_spacing(h);

	n = n > SPACING_LEAST ? n : SPACING_LEAST;
	n = n < SPACING_MOST ? n : SPACING_MOST;
	/* Where thinning keeps fewer, more would be made in vain. */
	return n > even ? n : even;
}

static void regular_checkpoint(struct history *h)
{
	char err[ERROR_LINE];
	uint64_t stored = 0;
	struct checkpoint *c = checkpoint_take(h, CHECKPOINT_FIRST_TICK, &stored, err);

	if (c) {
		list_thin(h);
		c = list_at_or_before(h, machine_now(h->m));
	} else if (!*h->trouble) {
		memcpy(h->trouble, err, sizeof(h->trouble));
	}
	bool kept = c && c->at.tick == machine_now(h->m);
	schedule(h, spacing(h, stored));
	if (kept && h->on_checkpoint)
		h->on_checkpoint(h->on_checkpoint_owner, c->at, machine_hash(h->m));
}

/* A reset of the machine makes the effort less. */
static bool due(const struct history *h)
{
	uint64_t effort = history_effort(h->m);

	return effort >= h->due || effort < h->since;
}

static bool final(enum machine_stop stop)
{
	return stop != MACHINE_RAN && stop != MACHINE_REQUESTED && stop != MACHINE_INSTRUCTION_LIMIT;
}

static enum machine_stop run_in_present(struct history *h, uint64_t ticks)
{
	struct machine *m = h->m;
	uint64_t limit = m->instruction_limit, end = machine_now(m) + ticks;
	enum machine_stop stop;

	for (;;) {
		m->instruction_limit = h->look < limit ? h->look : limit;
		stop = machine_run(m, end - machine_now(m));
		m->instruction_limit = limit;
		if (stop != MACHINE_INSTRUCTION_LIMIT || m->cpu.icount < h->look)
			break;
		if (due(h))
			regular_checkpoint(h);
		else
			h->look += LOOKS;
		if (m->cpu.icount >= limit)
			break;
	}
	h->ended = final(stop) ? stop : MACHINE_RAN;
	return stop;
}

/* What was changed by hand cannot be run again: it is kept before the machine moves on. */
int history_settle(struct history *h, char *err)
{
	if (!h->forked)
		return 0;
	if (!checkpoint_take(h, CHECKPOINT_CHANGED, NULL, err))
		return -1;
	h->forked = false;
	return 0;
}

enum machine_stop history_run(struct history *h, uint64_t ticks)
{
	if (h->lost || history_settle(h, h->trouble))
		return MACHINE_REQUESTED;
	return h->past ? history_repeat(h, ticks) : run_in_present(h, ticks);
}

/* --- forks --------------------------------------------------------------------------------------------------------------- */

static int rewrite_disks(struct history *h, char *err)
{
	for (unsigned i = 0; i < MACHINE_DISKS; i++) {
		int r = h->disk[i].file ? history_disk_rewrite(&h->disk[i]) : 0;
		if (!r)
			continue;
		snprintf(err, ERROR_LINE, "history: disk %u could not be made what it was: %s", i, strerror(-r));
		return -1;
	}
	return 0;
}

int history_fork(struct history *h, char *err)
{
	uint64_t now = machine_now(h->m);

	if (h->past) {
		if (rewrite_disks(h, err))
			return -1;
		h->present->pins--;
		h->present = NULL;
		h->past = false;
		h->ended = MACHINE_RAN;
		list_drop_after(h, now);
		h->output.count = output_until(&h->output, now);
		input_cut(&h->m->input);
		h->live_input = true;
		schedule(h, SPACING_LEAST);
	}
	h->forked = true;
	return 0;
}

/* --- questions ------------------------------------------------------------------------------------------------------------ */

struct moment history_now(const struct history *h)
{
	return (struct moment){ h->m->cpu.icount, machine_now(h->m) };
}

struct moment history_first(const struct history *h)
{
	return h->checkpoint[0]->at;
}

struct moment history_present(const struct history *h)
{
	return h->past ? h->present->at : history_now(h);
}

struct machine *history_machine(const struct history *h) { return h->m; }
bool history_in_past(const struct history *h) { return h->past; }
enum machine_stop history_ended(const struct history *h) { return h->ended; }
const struct input *history_input(const struct history *h) { return &h->m->input; }

const char *history_trouble(const struct history *h)
{
	return *h->trouble ? h->trouble : NULL;
}

const char *history_notice(struct history *h)
{
	int failed = page_store_spill_error(h->store);

	if (!failed || h->noticed)
		return NULL;
	h->noticed = true;
	snprintf(h->notice, sizeof(h->notice), "history: the file for pages that memory has no room for (in $TMPDIR, /var/tmp or /tmp) cannot grow: %s; "
		"fewer checkpoints are kept, and going back may take longer", strerror(-failed));
	return h->notice;
}

bool history_checkpoint_before(const struct history *h, struct moment at, struct moment *checkpoint)
{
	const struct checkpoint *c = at.tick ? list_at_or_before(h, at.tick - 1) : NULL;

	if (c)
		*checkpoint = c->at;
	return c;
}

size_t history_output(const struct history *h, const struct output_event **events)
{
	*events = h->output.event;
	return h->past ? output_until(&h->output, machine_now(h->m)) : h->output.count;
}

static uint64_t widest_gap(const struct history *h)
{
	uint64_t widest = 0;

	for (size_t i = 0; i < h->checkpoints; i++) {
		uint64_t next = i + 1 < h->checkpoints ? h->checkpoint[i + 1]->at.icount : history_present(h).icount;
		uint64_t gap = next - h->checkpoint[i]->at.icount;
		widest = gap > widest ? gap : widest;
	}
	return widest;
}

void history_stats(const struct history *h, struct history_stats *s)
{
	*s = (struct history_stats){ .limit = h->limit, .bytes = history_bytes(h), .spill_limit = h->limit * HISTORY_SPILL,
		.spilled = page_store_spilled(h->store), .spill_error = page_store_spill_error(h->store),
		.checkpoints = (unsigned)h->checkpoints, .widest = widest_gap(h), .pages_shared = h->pages_shared,
		.pages_stored = page_store_pages(h->store), .replayed = h->replayed, .restores = h->restores };
}

size_t history_checkpoints(const struct history *h, struct moment *at, size_t room)
{
	for (size_t i = 0; i < h->checkpoints && i < room; i++)
		at[i] = h->checkpoint[i]->at;
	return h->checkpoints;
}

void history_on_checkpoint(struct history *h, void (*fn)(void *owner, struct moment at, uint64_t hash), void *owner)
{
	h->on_checkpoint = fn;
	h->on_checkpoint_owner = owner;
}
