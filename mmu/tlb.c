/* mmu/tlb.c: where translations are kept.
 *
 * Flat (geometry {0, 0}): an array indexed by linear page number, so that nothing is ever evicted, beside two maps of the
 * valid entries, global ones in one and the others in the other: a bit a page, and above it a bit for each 64 of those, twice.
 * Flushing and listing visit set bits only, in order of page number. A load of CR3 keeps the global entries, and must not look at
 * them: a kernel with 64 MB mapped for itself has thousands of them, and comes to a new process just as often.
 *
 *   top[4] --> mid[256] --> bit[16384] --> store[2^20]
 *
 * Modelled: `entries` in sets of `ways`; the set is the page number modulo the number of sets, and the least recently
 * used entry of a full set makes room. This is for measuring TLB reach, not for speed. A large page takes one entry for each
 * 4 KB of it that is touched: a split of a large page as [SDM3A 4.10.2.3 "Details of TLB Use"] allows.
 *
 * References: [SDM3A 4.10.2 "Translation Lookaside Buffers (TLBs)"], [SDM3A 4.10.4 "Invalidation of TLBs and
 * Paging-Structure Caches"].
 * Not implemented: caches of directory entries, TLBs of their own for fetches and for large pages.
 */
#include "mmu/tlb.h"

#include <errno.h>
#include <stdlib.h>

#define STORE_BYTES (TLB_VPNS * sizeof(struct tlb_entry))
#define MAX_ENTRIES 65536u

struct map { uint64_t top[4], mid[256], bit[TLB_VPNS / 64]; };

struct tlb {
	struct tlb_entry *store;           /* flat: TLB_VPNS; modelled: geometry.entries, set after set */
	size_t bytes;
	struct map local, global;
	uint32_t sets;
	uint64_t clock;                    /* modelled: counts uses, for LRU */
	uint32_t large;                    /* valid entries made from large pages */
	const struct tlb_entry **sorted;   /* modelled: room for mmu_tlb_each to sort in */
};

/* --- construction --------------------------------------------------------------------------------------------- */

static bool geometry_ok(struct tlb_geometry g)
{
	if (!g.entries && !g.ways)
		return true;
	if (!g.ways || !g.entries || g.entries > MAX_ENTRIES || g.entries % g.ways)
		return false;
	unsigned sets = g.entries / g.ways;
	return (sets & (sets - 1)) == 0;
}

int tlb_init(struct mmu *mmu)
{
	struct tlb *t;

	if (!geometry_ok(mmu->geometry))
		return -EINVAL;
	if (!(t = mmu->tlb = calloc(1, sizeof(*t))))
		return -ENOMEM;
	t->bytes = STORE_BYTES;
	if (!tlb_is_flat(mmu)) {
		t->bytes = mmu->geometry.entries * sizeof(struct tlb_entry);
		t->sets = mmu->geometry.entries / mmu->geometry.ways;
		if (!(t->sorted = calloc(mmu->geometry.entries, sizeof(*t->sorted))))
			return -ENOMEM;
	}
	t->store = sparse_alloc(t->bytes);
	return t->store ? 0 : -ENOMEM;
}

void tlb_free(struct mmu *mmu)
{
	struct tlb *t = mmu->tlb;

	if (!t)
		return;
	sparse_free(t->store, t->bytes);
	free(t->sorted);
	free(t);
	mmu->tlb = NULL;
}

/* --- the map of valid flat entries ---------------------------------------------------------------------------- */

static struct map *map_of(struct tlb *t, const struct tlb_entry *e)
{
	return e->flags & TLB_G ? &t->global : &t->local;
}

static void map_set(struct map *m, uint32_t vpn)
{
	m->bit[vpn >> 6] |= 1ull << (vpn & 63);
	m->mid[vpn >> 12] |= 1ull << (vpn >> 6 & 63);
	m->top[vpn >> 18] |= 1ull << (vpn >> 12 & 63);
}

static void map_clear(struct map *m, uint32_t vpn)
{
	if (m->bit[vpn >> 6] &= ~(1ull << (vpn & 63)))
		return;
	if (m->mid[vpn >> 12] &= ~(1ull << (vpn >> 6 & 63)))
		return;
	m->top[vpn >> 18] &= ~(1ull << (vpn >> 12 & 63));
}

/* The first set bit of map[] at or after `from`, or `limit`. */
static uint32_t next_in(const uint64_t *map, uint32_t from, uint32_t limit)
{
	if (from >= limit)
		return limit;
	uint64_t word = map[from >> 6] & ~0ull << (from & 63);
	return word ? (from & ~63u) + (uint32_t)__builtin_ctzll(word) : limit;
}

/* The first page number in the map at or after vpn, or TLB_VPNS. */
static uint32_t map_next(const struct map *m, uint32_t vpn)
{
	while (vpn < TLB_VPNS) {
		uint32_t end = (vpn & ~63u) + 64;
		uint32_t hit = next_in(m->bit, vpn, end);
		if (hit < end)
			return hit;
		/* This word has no more: look for the next word that has any, then for the next word of words. */
		uint32_t word = end >> 6, word_end = (word + 63) & ~63u;
		uint32_t w = next_in(m->mid, word, word_end);
		if (w < word_end) {
			vpn = w << 6;
			continue;
		}
		uint32_t group = word_end >> 6;
		while (group < 256 && !(m->top[group >> 6] >> (group & 63) & 1))
			group = m->top[group >> 6] >> (group & 63) ? group + 1 : (group | 63) + 1;
		vpn = group << 12;
	}
	return TLB_VPNS;
}

/* The first valid page number at or after vpn, or TLB_VPNS. */
static uint32_t valid_next(const struct tlb *t, uint32_t vpn)
{
	uint32_t local = map_next(&t->local, vpn), global = map_next(&t->global, vpn);

	return local < global ? local : global;
}

/* --- entries --------------------------------------------------------------------------------------------------- */

static struct tlb_entry *set_of(const struct mmu *mmu, uint32_t vpn)
{
	return mmu->tlb->store + (vpn & (mmu->tlb->sets - 1)) * mmu->geometry.ways;
}

/* Looks without touching LRU. */
static struct tlb_entry *lookup(const struct mmu *mmu, uint32_t vpn)
{
	if (tlb_is_flat(mmu)) {
		struct tlb_entry *e = &mmu->tlb->store[vpn];
		return e->flags & TLB_VALID ? e : NULL;
	}
	struct tlb_entry *set = set_of(mmu, vpn);
	for (unsigned i = 0; i < mmu->geometry.ways; i++)
		if ((set[i].flags & TLB_VALID) && set[i].vpn == vpn)
			return &set[i];
	return NULL;
}

struct tlb_entry *tlb_find(struct mmu *mmu, uint32_t vpn)
{
	struct tlb_entry *e = lookup(mmu, vpn);

	if (e && !tlb_is_flat(mmu))
		e->used = ++mmu->tlb->clock;
	return e;
}

const struct tlb_entry *mmu_tlb_probe(const struct mmu *mmu, laddr_t la)
{
	return lookup(mmu, la >> PAGE_SHIFT);
}

void tlb_tell_dropped(struct mmu *mmu, uint32_t first, uint32_t count)
{
	if (mmu->fetch_dropped)
		mmu->fetch_dropped(mmu->owner, first, count);
}

/* Takes a valid entry out, and tells nobody. */
static void forget_entry(struct mmu *mmu, struct tlb_entry *e)
{
	struct tlb *t = mmu->tlb;

	t->large -= !!(e->flags & TLB_LARGE);
	if (tlb_is_flat(mmu)) {
		map_clear(map_of(t, e), e->vpn);
		fast_clear(mmu, e->vpn);
	}
	e->flags = 0;
}

/* ... and tells who watches; telling the owner is left to the caller, who may have many. */
static void remove_entry(struct mmu *mmu, struct tlb_entry *e)
{
	if (mmu->tlb_changed) {
		struct tlb_entry old = *e;
		forget_entry(mmu, e);
		mmu->tlb_changed(mmu->walked_owner, &old, NULL);
	} else {
		forget_entry(mmu, e);
	}
}

/* The way of a set that a new page takes: a free one, else the least recently used. */
static struct tlb_entry *victim(struct mmu *mmu, uint32_t vpn)
{
	struct tlb_entry *set = set_of(mmu, vpn), *oldest = set;

	for (unsigned i = 0; i < mmu->geometry.ways; i++) {
		if (!(set[i].flags & TLB_VALID))
			return &set[i];
		if (set[i].used < oldest->used)
			oldest = &set[i];
	}
	uint32_t evicted = oldest->vpn;
	mmu->stats.evictions++;
	remove_entry(mmu, oldest);
	tlb_tell_dropped(mmu, evicted, 1);
	return oldest;
}

/* Would a fetch that the old entry answered be answered differently by the new one? */
static bool fetch_changed(const struct tlb_entry *old, const struct tlb_entry *new)
{
	return old->frame != new->frame || ((old->flags ^ new->flags) & (TLB_U | TLB_NX));
}

/* Puts new into the free or replaced place e. */
static void place(struct tlb *t, struct tlb_entry *e, const struct tlb_entry *new, bool flat)
{
	*e = *new;
	t->large += !!(e->flags & TLB_LARGE);
	if (flat)
		map_set(map_of(t, e), e->vpn);
}

struct tlb_entry *tlb_insert(struct mmu *mmu, const struct tlb_entry *new)
{
	struct tlb *t = mmu->tlb;
	bool flat = tlb_is_flat(mmu), changed = false;
	struct tlb_entry *e = lookup(mmu, new->vpn), old = {0};

	if (e) {
		old = *e;
		changed = fetch_changed(e, new);
		t->large -= !!(e->flags & TLB_LARGE);
		if (flat) {
			map_clear(map_of(t, e), e->vpn);
			fast_clear(mmu, e->vpn);
		}
	} else {
		e = flat ? &t->store[new->vpn] : victim(mmu, new->vpn);
	}
	place(t, e, new, flat);
	if (!flat)
		e->used = ++t->clock;
	if (mmu->tlb_changed)
		mmu->tlb_changed(mmu->walked_owner, old.flags ? &old : NULL, e);
	if (changed)
		tlb_tell_dropped(mmu, e->vpn, 1);
	return e;
}

/* --- invalidation ---------------------------------------------------------------------------------------------- */

/* 4 KB pages in a large page. All cached ones are of this size, since a change of CR4.PAE flushes everything. */
static uint32_t large_pages(const struct mmu *mmu)
{
	return mmu->pg.pae ? 512 : 1024;
}

/* Drops the entries of one large page. Small pages in the same range, cached before the directory changed, stay. */
static bool drop_large(struct mmu *mmu, uint32_t vpn)
{
	struct tlb *t = mmu->tlb;
	uint32_t pages = large_pages(mmu), first = vpn & ~(pages - 1), end = first + pages;
	uint32_t before = t->large;

	if (tlb_is_flat(mmu)) {
		for (uint32_t v = valid_next(t, first); v < end; v = valid_next(t, v + 1))
			if (t->store[v].flags & TLB_LARGE)
				remove_entry(mmu, &t->store[v]);
		return t->large != before;
	}
	for (unsigned i = 0; i < mmu->geometry.entries; i++) {
		struct tlb_entry *e = &t->store[i];
		if ((e->flags & TLB_LARGE) && e->vpn - first < pages)
			remove_entry(mmu, e);
	}
	return t->large != before;
}

void tlb_drop(struct mmu *mmu, uint32_t vpn)
{
	struct tlb_entry *e = lookup(mmu, vpn);
	bool dropped = e;

	if (e)
		remove_entry(mmu, e);
	if (mmu->tlb->large && drop_large(mmu, vpn))
		tlb_tell_dropped(mmu, vpn & ~(large_pages(mmu) - 1), large_pages(mmu));
	else if (dropped)
		tlb_tell_dropped(mmu, vpn, 1);
}

static void flush_map(struct mmu *mmu, const struct map *m)
{
	for (uint32_t v = map_next(m, 0); v < TLB_VPNS; v = map_next(m, v + 1))
		remove_entry(mmu, &mmu->tlb->store[v]);
}

void tlb_flush(struct mmu *mmu, bool keep_global)
{
	struct tlb *t = mmu->tlb;
	uint16_t kept = keep_global ? TLB_G : 0;

	mmu->stats.flushes++;
	if (tlb_is_flat(mmu)) {
		flush_map(mmu, &t->local);
		if (!keep_global)
			flush_map(mmu, &t->global);
	} else {
		for (unsigned i = 0; i < mmu->geometry.entries; i++)
			if ((t->store[i].flags & TLB_VALID) && !(t->store[i].flags & kept))
				remove_entry(mmu, &t->store[i]);
	}
	tlb_tell_dropped(mmu, 0, TLB_VPNS);
}

/* --- listing ---------------------------------------------------------------------------------------------------- */

static int by_vpn(const void *a, const void *b)
{
	const struct tlb_entry *x = *(const struct tlb_entry *const *)a, *y = *(const struct tlb_entry *const *)b;

	return (x->vpn > y->vpn) - (x->vpn < y->vpn);
}

void mmu_tlb_each(const struct mmu *mmu, void (*fn)(void *ctx, const struct tlb_entry *e), void *ctx)
{
	struct tlb *t = mmu->tlb;
	size_t n = 0;

	if (tlb_is_flat(mmu)) {
		for (uint32_t v = valid_next(t, 0); v < TLB_VPNS; v = valid_next(t, v + 1))
			fn(ctx, &t->store[v]);
		return;
	}
	for (unsigned i = 0; i < mmu->geometry.entries; i++)
		if (t->store[i].flags & TLB_VALID)
			t->sorted[n++] = &t->store[i];
	qsort(t->sorted, n, sizeof(*t->sorted), by_vpn);
	for (size_t i = 0; i < n; i++)
		fn(ctx, t->sorted[i]);
}

/* --- as a list, and back ------------------------------------------------------------------------------------------ */

#define TLB_FLAGS (TLB_VALID | TLB_W | TLB_U | TLB_D | TLB_G | TLB_LARGE | TLB_NX)
#define PHYSICAL  (1ull << MAXPHYADDR)

static void count_entry(void *ctx, const struct tlb_entry *e)
{
	(void)e;
	++*(size_t *)ctx;
}

size_t mmu_tlb_count(const struct mmu *mmu)
{
	size_t n = 0;

	mmu_tlb_each(mmu, count_entry, &n);
	return n;
}

static void save_entry(void *ctx, const struct tlb_entry *e)
{
	struct tlb_entry **next = ctx;

	*(*next)++ = *e;
}

void mmu_tlb_save(const struct mmu *mmu, struct tlb_entry *entries, uint64_t *lru)
{
	mmu_tlb_each(mmu, save_entry, &entries);
	*lru = mmu->tlb->clock;
}

/* Could a processor hold this entry? */
static bool entry_valid(const struct tlb_entry *e, uint64_t lru)
{
	if (!(e->flags & TLB_VALID) || e->flags & ~TLB_FLAGS)
		return false;
	return e->vpn < TLB_VPNS && e->frame < PHYSICAL >> PAGE_SHIFT && e->leaf < PHYSICAL && e->used <= lru;
}

/* Whether all entries are valid, of different pages, and fit. seen: a bit a page; in_set: a count a set, NULL when flat. */
static bool list_valid(const struct mmu *mmu, const struct tlb_entry *entries, size_t count, uint64_t lru, uint64_t *seen, uint32_t *in_set)
{
	for (size_t i = 0; i < count; i++) {
		const struct tlb_entry *e = &entries[i];
		if (!entry_valid(e, lru) || seen[e->vpn >> 6] >> (e->vpn & 63) & 1)
			return false;
		seen[e->vpn >> 6] |= 1ull << (e->vpn & 63);
		if (in_set && ++in_set[e->vpn & (mmu->tlb->sets - 1)] > mmu->geometry.ways)
			return false;
	}
	return true;
}

static int check_list(const struct mmu *mmu, const struct tlb_entry *entries, size_t count, uint64_t lru)
{
	bool flat = tlb_is_flat(mmu);
	uint64_t *seen = calloc(TLB_VPNS / 64, sizeof(*seen));
	uint32_t *in_set = flat ? NULL : calloc(mmu->tlb->sets, sizeof(*in_set));
	int err = -ENOMEM;

	if (seen && (flat || in_set))
		err = list_valid(mmu, entries, count, lru, seen, in_set) ? 0 : -EINVAL;
	free(seen);
	free(in_set);
	return err;
}

static void forget_everything(struct mmu *mmu)
{
	struct tlb *t = mmu->tlb;

	if (tlb_is_flat(mmu)) {
		for (uint32_t v = valid_next(t, 0); v < TLB_VPNS; v = valid_next(t, v + 1))
			forget_entry(mmu, &t->store[v]);
		return;
	}
	for (unsigned i = 0; i < mmu->geometry.entries; i++)
		if (t->store[i].flags & TLB_VALID)
			forget_entry(mmu, &t->store[i]);
}

/* Which way of its set an entry is in makes no difference: `used` alone decides who goes. */
int mmu_tlb_load(struct mmu *mmu, const struct tlb_entry *entries, size_t count, uint64_t lru)
{
	struct tlb *t = mmu->tlb;
	bool flat = tlb_is_flat(mmu);
	int err = check_list(mmu, entries, count, lru);

	if (err)
		return err;
	forget_everything(mmu);
	for (size_t i = 0; i < count; i++)
		place(t, flat ? &t->store[entries[i].vpn] : victim(mmu, entries[i].vpn), &entries[i], flat);
	t->clock = lru;
	tlb_tell_dropped(mmu, 0, TLB_VPNS);
	return 0;
}
