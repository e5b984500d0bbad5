/* guestos/mm/policy.c: six answers to one question: which page is least likely to be wanted again?
 *
 *   fifo            the page that came first
 *   clock           a hand passes over all frames; the first that was not used since the hand last came by
 *   second-chance   the clock with four classes: unused and clean, unused and dirty, used and clean, used and dirty
 *   aging           each page has an 8-bit history of use, one bit a sample; the smallest number goes
 *   random          any page, by a generator of its own: what a policy must beat
 *   wsclock         the clock, but a page counts as unused only when its owners have run for a while without it
 *
 * All know use only as the processor tells it: it sets Accessed and Dirty in page-table entries, software clears them
 * [SDM3A 4.8 "Accessed and Dirty Flags"]. The kernel's own uses, which no entry shows, set FRAME_REFERENCED.
 * A policy only chooses; evict.c does the rest. It keeps its notes in the frames (struct frame's union), and hears of each frame that
 * begins or ceases to hold a page. Invariants: exactly one policy is in force; its notes are good for every frame in state ANON or
 * CACHE, since start() makes them when it takes over. Nothing here sleeps, so a switch falls between two choices. */
#include "mm.h"
#include "fs.h"
#include "proc.h"

/* One hand goes over all frames. Within a space, its own hand goes over its pages, by address; it has at least one. */
static uint32_t frame_hand;

static uint32_t *hand_of(const struct choice *c) { return c->space ? &c->space->hand : &frame_hand; }
static uint32_t round(const struct choice *c) { return c->space ? c->space->rss : nr_frames; }

static struct frame *next_under_hand(const struct choice *c)
{
	uint32_t *hand = hand_of(c);
	if (!c->space) {
		struct frame *f = &frames[*hand];
		*hand = *hand + 1 < nr_frames ? *hand + 1 : 0;
		return f;
	}
	for (uint32_t la = *hand;; la += PAGE_SIZE) {
		if (la >= KERNEL_BASE)
			la = USER_START;
		pte_t *pte = pte_find(c->space, la);
		if (!pte) {
			la = table_last_page(la);
		} else if (*pte & PG_P) {
			*hand = la + PAGE_SIZE;
			return frame_of(PTE_FRAME(*pte));
		}
	}
}

/* Has anybody used it since this was last asked? */
static bool test_clear_used(struct frame *f)
{
	bool by_kernel = f->flags & FRAME_REFERENCED;
	f->flags &= ~FRAME_REFERENCED;
	return rmap_test_clear_accessed(f) || by_kernel;
}

/* --- fifo: a list in order of arrival ------------------------------------------------------------------------------- */

static struct frame *oldest, *newest;

static void fifo_page_in(struct frame *f)
{
	f->newer = NULL;
	f->older = newest;
	*(newest ? &newest->newer : &oldest) = f;
	newest = f;
}

static void fifo_page_out(struct frame *f)
{
	*(f->older ? &f->older->newer : &oldest) = f->newer;
	*(f->newer ? &f->newer->older : &newest) = f->older;
}

/* When each page came was not written down before: they count as having come in the order of their frames. */
static void fifo_start(void)
{
	oldest = newest = NULL;
	for (uint32_t i = 0; i < nr_frames; i++)
		if (frame_holds_page(&frames[i]))
			fifo_page_in(&frames[i]);
}

static struct frame *fifo_choose(const struct choice *c)
{
	for (struct frame *f = oldest; f; f = f->newer)
		if (evictable(f, c))
			return f;
	return NULL;
}

/* --- clock ---------------------------------------------------------------------------------------------------------- */

static struct frame *clock_choose(const struct choice *c)
{
	for (uint32_t steps = 0; steps < 2 * round(c) + 1; steps++) {
		struct frame *f = next_under_hand(c);
		if (evictable(f, c) && !test_clear_used(f))
			return f;
	}
	return NULL;
}

/* --- second chance, enhanced ------------------------------------------------------------------------------------------
 * Of the next LOOK candidates under the hand the first that is unused and clean goes; else the first that is unused, though it must be
 * written. If all are used they forget that, and the hand looks at those behind them: so what was used and is clean goes before what was
 * used and is dirty. Simplified: the classic form looks at all frames for a clean one, which costs more than the write it saves. */

#define LOOK 64u

static bool used_since(const struct frame *f) { return f->flags & FRAME_REFERENCED || rmap_any(f, PG_A); }

/* NULL if all of them are used. Changes nothing but the hand. */
static struct frame *first_unused(const struct choice *c)
{
	struct frame *dirty = NULL;
	for (uint32_t steps = 0, looks = 0; steps < round(c) && looks < LOOK; steps++) {
		struct frame *f = next_under_hand(c);
		if (!evictable(f, c))
			continue;
		looks++;
		if (used_since(f))
			continue;
		if (!frame_needs_write(f))
			return f;
		dirty = dirty ? dirty : f;
	}
	return dirty;
}

static struct frame *second_choose(const struct choice *c)
{
	uint32_t *hand = hand_of(c);
	for (uint32_t from = *hand, passed = 0; passed <= 2 * round(c); from = *hand) {
		struct frame *f, *victim = first_unused(c);
		uint32_t to = *hand;
		/* The hand goes again, to the victim and no further; who had his chance forgets his use. */
		*hand = from;
		do {
			f = next_under_hand(c);
			if (evictable(f, c))
				test_clear_used(f);
			passed++;
		} while (f != victim && *hand != to);
		if (victim)
			return victim;
	}
	return NULL;
}

/* --- aging ------------------------------------------------------------------------------------------------------------
 * Several times a second each counter moves right and gets this sample's bit on the left, so that a smaller number means used longer
 * ago. Between two samples counters only begin (at NEW), never fall: no page is below the smallest found since. */

#define NEW 0x80u

static uint8_t least;

static void aging_page_in(struct frame *f) { f->age = NEW; }

static void aging_sample(void)
{
	for (uint32_t i = 0; i < nr_frames; i++)
		if (frame_holds_page(&frames[i]))
			frames[i].age = frames[i].age >> 1 | (test_clear_used(&frames[i]) ? NEW : 0);
	least = 0;
}

static void aging_start(void)
{
	for (uint32_t i = 0; i < nr_frames; i++)
		if (frame_holds_page(&frames[i]))
			aging_page_in(&frames[i]);
	least = 0;
}

static struct frame *aging_choose(const struct choice *c)
{
	struct frame *best = NULL;
	for (uint32_t steps = 0; steps < round(c); steps++) {
		struct frame *f = next_under_hand(c);
		if (!evictable(f, c) || (best && f->age >= best->age))
			continue;
		best = f;
		if (f->age <= least)
			return f;
	}
	if (best && !c->space)                 /* only a look at all pages says something of all */
		least = best->age;
	return best;
}

/* --- random -------------------------------------------------------------------------------------------------------------
 * Most frames can be had when memory is full, so a few throws find one. Within a space every candidate is counted, in order of address,
 * and one of them drawn: the same seed then gives the same victims, whatever frames the pages happen to be in. */

static uint32_t seed = 1, state;

static void random_start(void) { state = seed; }

/* The candidate after skip others, or NULL if there are not so many; *seen counts them. */
static struct frame *nth_candidate(const struct choice *c, uint32_t skip, uint32_t *seen)
{
	*seen = *hand_of(c) = 0;
	for (uint32_t steps = 0; steps < round(c); steps++) {
		struct frame *f = next_under_hand(c);
		if (evictable(f, c) && (*seen)++ == skip)
			return f;
	}
	return NULL;
}

static struct frame *random_choose(const struct choice *c)
{
	uint32_t n;
	for (int throws = 0; throws < 16 && !c->space; throws++) {
		struct frame *f = &frames[xorshift(&state) % nr_frames];
		if (evictable(f, c))
			return f;
	}
	nth_candidate(c, ~0u, &n);
	return n ? nth_candidate(c, xorshift(&state) % n, &n) : NULL;
}

/* --- wsclock --------------------------------------------------------------------------------------------------------
 * The hand writes down when it saw a page used, in the time its owners have had the processor: a process that waits does not lose its
 * working set. A page not used for WINDOW of that time has left the working set; a clean one goes at once, else the first
 * dirty one met. If all that the hand looks at (LOOK) belong to working sets, the one used longest ago goes: memory is overcommitted.
 * Time without the processor counts for half: one that sleeps for good must not keep its memory for good.
 * The owners' times are added: one that comes has just used the page, and one that goes makes the page look younger by itself.
 * Simplified: dirty pages are not written ahead while the hand passes, since the disk takes one transfer at a time. */

#define WINDOW (HZ / 10 * VTIME_TICK)

static uint32_t owners_time(const struct frame *f)
{
	uint32_t sum = 0;
	for (const struct rmap *m = f->maps; m; m = m->next)
		sum += m->space->vtime;
	return sum;
}

static void note_use(struct frame *f)
{
	f->last_use = owners_time(f);
	f->last_tick = ticks;
}

static void wsclock_start(void)
{
	for (uint32_t i = 0; i < nr_frames; i++)
		if (frame_holds_page(&frames[i]))
			note_use(&frames[i]);
}

/* How long its owners have done without it. What nobody maps is in no working set. */
static uint32_t unused_for(struct frame *f)
{
	if (test_clear_used(f) || owners_time(f) < f->last_use)
		note_use(f);
	else if (!f->maps)
		return ~0u;
	return max(owners_time(f) - f->last_use, (ticks - f->last_tick) * (VTIME_TICK / 2));
}

static struct frame *wsclock_choose(const struct choice *c)
{
	struct frame *dirty = NULL, *longest = NULL;
	uint32_t most = 0, behind = 0;
	for (uint32_t steps = 0, looks = 0; steps < round(c) && looks < LOOK; steps++) {
		struct frame *f = next_under_hand(c);
		if (!evictable(f, c))
			continue;
		looks++;
		uint32_t age = unused_for(f);
		if (age > WINDOW && !frame_needs_write(f))
			return f;
		if (age > WINDOW && !dirty) {
			dirty = f;
			behind = *hand_of(c);
		}
		if (!longest || age > most) {
			longest = f;
			most = age;
		}
	}
	/* The hand stays behind a dirty victim. If it stayed where it looked last it might come by in the same steps for ever, and take
	 * only the first of each. */
	if (dirty)
		*hand_of(c) = behind;
	return dirty ? dirty : longest;
}

/* --- which one is in force ----------------------------------------------------------------------------------------- */

static const struct evict_policy policies[] = {
	{ .name = "fifo", .choose = fifo_choose, .start = fifo_start, .page_in = fifo_page_in, .page_out = fifo_page_out },
	{ .name = "clock", .choose = clock_choose },
	{ .name = "second-chance", .choose = second_choose },
	{ .name = "aging", .choose = aging_choose, .start = aging_start, .page_in = aging_page_in, .tick = aging_sample },
	{ .name = "random", .choose = random_choose, .start = random_start },
	{ .name = "wsclock", .choose = wsclock_choose, .start = wsclock_start, .page_in = note_use },
};
#define CLOCK (&policies[1])
const struct evict_policy *evict_policy = CLOCK;

/* What happened while a policy was last in force; of the present one, the counters when it began. */
static struct { uint32_t faults, major, evictions, clean; } counts[ARRAY_SIZE(policies)];

static void toggle_counts(void)
{
	uint32_t i = evict_policy - policies;
	counts[i].faults = vm.pgfault - counts[i].faults;
	counts[i].major = vm.pgmajfault - counts[i].major;
	counts[i].evictions = vm.evictions - counts[i].evictions;
	counts[i].clean = vm.clean_drops - counts[i].clean;
}

/* NAME, or random:SEED. */
int policy_select(const char *word)
{
	uint32_t new_seed = 1;
	char name[20];
	uint32_t n = 0;
	while (word[n] && word[n] != ':')
		n++;
	strlcpy(name, word, min(n + 1, (uint32_t)sizeof name));
	if (word[n]) {
		new_seed = 0;
		for (const char *p = word + n + 1; *p >= '0' && *p <= '9'; p++)
			new_seed = new_seed * 10 + *p - '0';
		if (!new_seed || strcmp(name, "random"))
			return -EINVAL;
	}
	for (uint32_t i = 0; i < ARRAY_SIZE(policies); i++) {
		if (strcmp(policies[i].name, name))
			continue;
		toggle_counts();
		evict_policy = &policies[i];
		memset(&counts[i], 0, sizeof counts[i]);
		toggle_counts();
		seed = new_seed;
		if (evict_policy->start)
			evict_policy->start();
		return 0;
	}
	return -EINVAL;
}

void policy_show(struct text *t, struct proc *p)
{
	(void)p;
	print(t, "%s\n\n%-14s %10s %10s %10s %10s %10s\n", evict_policy->name, "policy", "faults", "major", "evictions", "written", "dropped");
	for (uint32_t i = 0; i < ARRAY_SIZE(policies); i++) {
		bool now = evict_policy == &policies[i];
		if (now)
			toggle_counts();
		print(t, "%-14s %10u %10u %10u %10u %10u%s\n", policies[i].name, counts[i].faults, counts[i].major, counts[i].evictions,
			counts[i].evictions - counts[i].clean, counts[i].clean, now ? "  now" : "");
		if (now)
			toggle_counts();
	}
}
