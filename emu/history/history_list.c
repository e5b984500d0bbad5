/* emu/history/history_list.c: the checkpoints in order of time, and which of them go when they outgrow the limit.
 *
 * Before any goes, pages are compressed, then moved to a file. Of the checkpoints temporary ones go first, those that are close to each other
 * and far from here before the others. Then of the regular ones always that whose neighbours are nearest to each other, so that what is left
 * stays even: over a run that grows, each round of dropping takes every second one. One that holds much more than others goes before them.
 * The first stays, and those at which the machine was changed by hand, since nothing else leads there.
 */
#include "emu/history/history_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TEMPORARY_MOST 64u

/* --- finding ------------------------------------------------------------------------------------------------------- */

/* How many checkpoints lie at or before a tick. */
static size_t upto(const struct history *h, uint64_t tick)
{
	size_t low = 0, high = h->checkpoints;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (h->checkpoint[middle]->at.tick <= tick)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct checkpoint *list_at_or_before(const struct history *h, uint64_t tick)
{
	size_t n = upto(h, tick);

	return n ? h->checkpoint[n - 1] : NULL;
}

struct checkpoint *list_after(const struct history *h, uint64_t tick)
{
	size_t n = upto(h, tick);

	return n < h->checkpoints ? list_at_or_before(h, h->checkpoint[n]->at.tick) : NULL;
}

struct checkpoint *list_before_icount(const struct history *h, uint64_t icount)
{
	size_t n = h->checkpoints;

	while (n > 1) {
		const struct checkpoint *c = h->checkpoint[n - 1];
		if (c->at.icount < icount || (c->at.icount == icount && c->first_tick))
			break;
		n--;
	}
	return h->checkpoint[n - 1];
}

/* --- adding and dropping --------------------------------------------------------------------------------------------- */

/* The newest of one tick stands for it: a change by hand that an older one kept is in the newest, too. */
int list_add(struct history *h, struct checkpoint *c)
{
	if (h->checkpoints == h->capacity) {
		size_t capacity = h->capacity ? 2 * h->capacity : 64;
		struct checkpoint **grown = realloc(h->checkpoint, capacity * sizeof(struct checkpoint *));
		if (!grown)
			return -ENOMEM;
		h->checkpoint = grown;
		h->capacity = capacity;
	}
	size_t n = upto(h, c->at.tick);
	struct checkpoint *before = n ? h->checkpoint[n - 1] : NULL;
	if (before && before->at.tick == c->at.tick && before->changed) {
		c->changed = true;
		before->changed = false;
	}
	memmove(h->checkpoint + n + 1, h->checkpoint + n, (h->checkpoints - n) * sizeof(struct checkpoint *));
	h->checkpoint[n] = c;
	h->checkpoints++;
	return 0;
}

static void drop(struct history *h, size_t n)
{
	checkpoint_free(h, h->checkpoint[n]);
	h->checkpoints--;
	memmove(h->checkpoint + n, h->checkpoint + n + 1, (h->checkpoints - n) * sizeof(struct checkpoint *));
}

void list_drop_after(struct history *h, uint64_t tick)
{
	for (size_t kept = upto(h, tick); h->checkpoints > kept; )
		drop(h, h->checkpoints - 1);
}

void list_drop_all(struct history *h)
{
	while (h->checkpoints)
		drop(h, h->checkpoints - 1);
	free(h->checkpoint);
	h->checkpoint = NULL;
	h->capacity = 0;
}

/* --- thinning ---------------------------------------------------------------------------------------------------------- */

uint64_t history_bytes(const struct history *h)
{
	uint64_t each = sizeof(struct checkpoint) + sizeof(struct checkpoint *);

	return page_store_bytes(h->store) + h->checkpoints * each + h->output.capacity * sizeof(struct output_event) +
		h->m->input.capacity * sizeof(struct input_event);
}

struct choice { size_t index; double loss; };       /* index 0, the first, is never chosen */

static bool may_drop(const struct checkpoint *c)
{
	return !c->pins && !c->changed;
}

/* Those near to where the machine is want to be dense, farther ones less so. */
static double temporary_loss(const struct history *h, size_t n)
{
	uint64_t at = h->checkpoint[n]->at.tick, before = h->checkpoint[n - 1]->at.tick, now = machine_now(h->m);
	uint64_t after = n + 1 < h->checkpoints ? h->checkpoint[n + 1]->at.tick : 2 * at;

	return (double)(after - before) / ((double)(at > now ? at - now : now - at) + 1);
}

static bool drop_temporary(struct history *h, unsigned most)
{
	struct choice best = { 0, 0 };
	unsigned found = 0;

	for (size_t i = 1; i < h->checkpoints; i++) {
		const struct checkpoint *c = h->checkpoint[i];
		if (!c->temporary || !may_drop(c))
			continue;
		double l = temporary_loss(h, i);
		found++;
		if (!best.index || l < best.loss)
			best = (struct choice){ i, l };
	}
	if (found <= most)
		return false;
	drop(h, best.index);
	return true;
}

/* Is this one of those that keep the run covered? */
static bool regular(const struct checkpoint *c)
{
	return !c->temporary || c->changed;
}

static uint64_t own_bytes(const struct history *h, const struct checkpoint *c)
{
	uint64_t bytes = page_tree_own_bytes(&c->ram, &h->ram) + page_tree_own_bytes(&c->state, &h->state);

	for (unsigned i = 0; i < MACHINE_DISKS; i++)
		bytes += page_tree_own_bytes(&c->disk[i], &h->disk[i].now);
	return bytes;
}

/* All that is kept, in memory and in the file, when memory is full. */
static uint64_t full(const struct history *h)
{
	return h->limit + page_store_spilled(h->store);
}

/* How much is lost by dropping one, for what is gained: less is better. What it gains counts where it is a good part of all there is. */
static double loss(const struct history *h, const struct checkpoint *c, uint64_t gap)
{
	return (double)gap / ((double)own_bytes(h, c) + (double)full(h) / 64 + 1);
}

static uint64_t effort_between(const struct history *h, size_t from, size_t to)
{
	const struct checkpoint *a = h->checkpoint[from], *b = h->checkpoint[to];

	return b->effort >= a->effort ? b->effort - a->effort : b->at.icount - a->at.icount;
}

static void consider(const struct history *h, struct choice *best, size_t index, uint64_t gap)
{
	if (!index || !may_drop(h->checkpoint[index]))
		return;
	double l = loss(h, h->checkpoint[index], gap);
	if (!best->index || l < best->loss)
		*best = (struct choice){ index, l };
}

static bool drop_regular(struct history *h)
{
	struct choice best = { 0, 0 };
	size_t before = 0, middle = 0;

	for (size_t i = 1; i < h->checkpoints; i++) {
		if (!regular(h->checkpoint[i]))
			continue;
		consider(h, &best, middle, effort_between(h, before, i));
		before = middle;
		middle = i;
	}
	/* The run goes on from the newest, but one that would leave no room for the others goes before them. */
	if (middle && may_drop(h->checkpoint[middle]) && (!best.index || own_bytes(h, h->checkpoint[middle]) > full(h) / 3))
		best.index = middle;
	if (best.index)
		drop(h, best.index);
	return best.index;
}

/* Without dropping anything. */
static void make_room(struct history *h)
{
	uint64_t other = history_bytes(h) - page_store_bytes(h->store), pages = h->limit > other ? h->limit - other : 0;

	page_store_compress(h->store, pages);
	page_store_spill(h->store, pages);
}

void list_thin(struct history *h)
{
	while (drop_temporary(h, TEMPORARY_MOST))
		;
	make_room(h);
	while (history_bytes(h) > h->limit && (drop_temporary(h, 0) || drop_regular(h))) {
		checkpoint_rebase(h, list_at_or_before(h, machine_now(h->m)));
		make_room(h);
	}
}

uint64_t list_spacing(const struct history *h)
{
	return effort_between(h, 0, h->checkpoints - 1) / (2 * h->checkpoints);
}
