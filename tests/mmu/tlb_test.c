/* tests/mmu/tlb_test.c: what is cached, what stays stale, what each operation flushes, and what is counted.
 *
 * Every test of behaviour runs with the flat TLB and with a modelled one (64 entries, 4 ways).
 * References: [SDM3A 4.8 "Accessed and Dirty Flags"], [SDM3A 4.10 "Caching Translation Information"].
 */
#include "space.h"

#include <errno.h>

static struct space s;

#define LA  0x5576a000u
#define LA2 0x5576b000u
#define PA  0x00345000u
#define PA2 0x00346000u

static void setup_flat(void)
{
	space_init(&s, (struct tlb_geometry){0, 0});
}

static void setup_modelled(void)
{
	space_init(&s, (struct tlb_geometry){64, 4});
}

static void teardown(void)
{
	space_free(&s);
}

#define assert_reaches(la, kind, user, pa)         ck_assert_uint_eq(reach(&s, la, kind, user), pa)
#define assert_faults(la, kind, user, code)        ck_assert_uint_eq(reach(&s, la, kind, user), FAULTED | (code))

/* --- Accessed and Dirty ------------------------------------------------------------------------------------------ */

START_TEST(a_read_sets_accessed_at_both_levels_and_not_dirty)
{
	map(&s, LA, PA, PG_P | PG_W | PG_U);
	assert_reaches(LA, ACCESS_READ, true, PA);
	ck_assert_uint_eq(get_pde(&s, LA) & (PG_A | PG_D), PG_A);
	ck_assert_uint_eq(get_pte(&s, LA) & (PG_A | PG_D), PG_A);
}
END_TEST

START_TEST(a_write_after_a_read_sets_dirty_by_a_walk_of_its_own)
{
	map(&s, LA, PA, PG_P | PG_W | PG_U);
	assert_reaches(LA, ACCESS_READ, true, PA);
	ck_assert_uint_eq(s.mmu.stats.walks, 1);
	assert_reaches(LA, ACCESS_WRITE, true, PA);
	ck_assert_uint_eq(s.mmu.stats.walks, 2);
	ck_assert_uint_eq(get_pte(&s, LA) & PG_D, PG_D);
	ck_assert_uint_eq(get_pde(&s, LA) & PG_D, 0);
	assert_reaches(LA, ACCESS_WRITE, true, PA);
	ck_assert_uint_eq(s.mmu.stats.walks, 2);
}
END_TEST

START_TEST(a_faulting_access_sets_nothing)
{
	map(&s, LA, PA, PG_P | PG_U);
	assert_faults(LA, ACCESS_WRITE, true, PF_P | PF_W | PF_U);
	ck_assert_uint_eq(get_pde(&s, LA) & (PG_A | PG_D), 0);
	ck_assert_uint_eq(get_pte(&s, LA) & (PG_A | PG_D), 0);
	ck_assert_int_eq(s.mmu.last_fault.result, WALK_PROTECTION);
	ck_assert_uint_eq(s.mmu.last_fault.access.la, LA);
}
END_TEST

START_TEST(a_read_of_a_page_already_dirty_leaves_the_entry_ready_for_writes)
{
	map(&s, LA, PA, PG_P | PG_W | PG_U | PG_D);
	assert_reaches(LA, ACCESS_READ, true, PA);
	assert_reaches(LA, ACCESS_WRITE, true, PA);
	ck_assert_uint_eq(s.mmu.stats.walks, 1);
}
END_TEST

START_TEST(dirty_cleared_without_a_flush_is_not_set_again)
{
	map(&s, LA, PA, PG_P | PG_W | PG_U);
	assert_reaches(LA, ACCESS_WRITE, true, PA);
	put_pte(&s, LA, PA | PG_P | PG_W | PG_U);
	assert_reaches(LA, ACCESS_WRITE, true, PA);
	ck_assert_uint_eq(get_pte(&s, LA) & PG_D, 0);
	mmu_invlpg(&s.mmu, LA);
	assert_reaches(LA, ACCESS_WRITE, true, PA);
	ck_assert_uint_eq(get_pte(&s, LA) & PG_D, PG_D);
}
END_TEST

START_TEST(a_write_to_a_4_mb_page_sets_dirty_in_the_pde)
{
	put_pde(&s, LA, 0x00400000 | PG_P | PG_W | PG_PS);
	assert_reaches(LA, ACCESS_WRITE, false, 0x00400000 + (LA & 0x3fffff));
	ck_assert_uint_eq(get_pde(&s, LA) & (PG_A | PG_D), PG_A | PG_D);
}
END_TEST

/* --- stale until flushed ---------------------------------------------------------------------------------------- */

START_TEST(a_changed_pte_is_not_seen_before_invlpg)
{
	map(&s, LA, PA, PG_P | PG_U);
	assert_reaches(LA, ACCESS_READ, true, PA);
	map(&s, LA, PA2, PG_P | PG_U);
	assert_reaches(LA, ACCESS_READ, true, PA);
	mmu_invlpg(&s.mmu, LA + 0xabc);
	assert_reaches(LA, ACCESS_READ, true, PA2);
}
END_TEST

START_TEST(a_page_made_absent_is_reached_until_cr3_is_written)
{
	map(&s, LA, PA, PG_P | PG_U);
	assert_reaches(LA, ACCESS_READ, true, PA);
	map(&s, LA, 0, 0);
	assert_reaches(LA, ACCESS_READ, true, PA);
	mmu_write_cr3(&s.mmu, DIR, NULL);
	assert_faults(LA, ACCESS_READ, true, PF_U);
}
END_TEST

START_TEST(invlpg_leaves_the_neighbours)
{
	map(&s, LA, PA, PG_P);
	map(&s, LA2, PA2, PG_P);
	assert_reaches(LA, ACCESS_READ, false, PA);
	assert_reaches(LA2, ACCESS_READ, false, PA2);
	mmu_invlpg(&s.mmu, LA);
	ck_assert_ptr_null(mmu_tlb_probe(&s.mmu, LA));
	ck_assert_ptr_nonnull(mmu_tlb_probe(&s.mmu, LA2));
}
END_TEST

START_TEST(global_entries_survive_cr3_and_not_invlpg)
{
	map(&s, LA, PA, PG_P | PG_G);
	assert_reaches(LA, ACCESS_READ, false, PA);
	map(&s, LA, PA2, PG_P | PG_G);
	mmu_write_cr3(&s.mmu, DIR, NULL);
	assert_reaches(LA, ACCESS_READ, false, PA);
	mmu_invlpg(&s.mmu, LA);
	assert_reaches(LA, ACCESS_READ, false, PA2);
}
END_TEST

/* A write to a page that was only read loads the entry again, and G may have changed meanwhile. */
START_TEST(an_entry_loaded_again_is_as_global_as_the_table_says_now)
{
	for (unsigned g = 0; g < 2; g++) {
		map(&s, LA, PA, PG_P | PG_W | (g ? 0 : PG_G));
		assert_reaches(LA, ACCESS_READ, false, PA);
		map(&s, LA, PA, PG_P | PG_W | (g ? PG_G : 0));
		assert_reaches(LA, ACCESS_WRITE, false, PA);
		mmu_write_cr3(&s.mmu, DIR, NULL);
		ck_assert_int_eq(mmu_tlb_probe(&s.mmu, LA) != NULL, g);
		mmu_flush_all(&s.mmu);
		ck_assert_ptr_null(mmu_tlb_probe(&s.mmu, LA));
	}
}
END_TEST

START_TEST(g_means_nothing_without_pge)
{
	s.mmu.pg.pge = false;
	map(&s, LA, PA, PG_P | PG_G);
	assert_reaches(LA, ACCESS_READ, false, PA);
	mmu_write_cr3(&s.mmu, DIR, NULL);
	ck_assert_ptr_null(mmu_tlb_probe(&s.mmu, LA));
}
END_TEST

START_TEST(toggling_any_paging_bit_flushes_global_entries_too)
{
	struct paging pg = s.mmu.pg;

	map(&s, LA, PA, PG_P | PG_G);
	assert_reaches(LA, ACCESS_READ, false, PA);
	mmu_set_paging(&s.mmu, &pg);
	ck_assert_ptr_nonnull(mmu_tlb_probe(&s.mmu, LA));
	bool *bit[] = {&pg.enabled, &pg.wp, &pg.pse, &pg.pge};
	*bit[_i] = !*bit[_i];
	mmu_set_paging(&s.mmu, &pg);
	ck_assert_ptr_null(mmu_tlb_probe(&s.mmu, LA));
}
END_TEST

START_TEST(set_paging_with_another_cr3_keeps_global_entries)
{
	struct paging pg = s.mmu.pg;

	map(&s, LA, PA, PG_P | PG_G);
	map(&s, LA2, PA2, PG_P);
	assert_reaches(LA, ACCESS_READ, false, PA);
	assert_reaches(LA2, ACCESS_READ, false, PA2);
	pg.cr3 = DIR + 0x1000;
	mmu_set_paging(&s.mmu, &pg);
	assert_reaches(LA, ACCESS_READ, false, PA);
	assert_faults(LA2, ACCESS_READ, false, 0);
}
END_TEST

START_TEST(invlpg_drops_every_fragment_of_a_4_mb_page)
{
	laddr_t first = LA & 0xffc00000;

	put_pde(&s, LA, 0x00400000 | PG_P | PG_PS);
	assert_reaches(first, ACCESS_READ, false, 0x00400000);
	assert_reaches(first + 0x12000, ACCESS_READ, false, 0x00412000);
	assert_reaches(first + 0x3ff000, ACCESS_READ, false, 0x007ff000);
	put_pde(&s, first + 0x400000, 0x00400000 | PG_P | PG_PS);
	put_pde(&s, first - 1, 0x00400000 | PG_P | PG_PS);
	assert_reaches(first + 0x400000, ACCESS_READ, false, 0x00400000);
	assert_reaches(first - 0x1000, ACCESS_READ, false, 0x007ff000);
	mmu_invlpg(&s.mmu, first + 0x200000);              /* a part that is not cached itself */
	ck_assert_ptr_null(mmu_tlb_probe(&s.mmu, first));
	ck_assert_ptr_null(mmu_tlb_probe(&s.mmu, first + 0x12000));
	ck_assert_ptr_null(mmu_tlb_probe(&s.mmu, first + 0x3ff000));
	ck_assert_ptr_nonnull(mmu_tlb_probe(&s.mmu, first + 0x400000));
	ck_assert_ptr_nonnull(mmu_tlb_probe(&s.mmu, first - 0x1000));
}
END_TEST

START_TEST(a_fault_drops_the_stale_entry)
{
	map(&s, LA, PA, PG_P | PG_U);
	assert_reaches(LA, ACCESS_READ, true, PA);
	map(&s, LA, 0, 0);
	assert_faults(LA, ACCESS_WRITE, true, PF_W | PF_U);
	ck_assert_ptr_null(mmu_tlb_probe(&s.mmu, LA));
	assert_faults(LA, ACCESS_READ, true, PF_U);
}
END_TEST

START_TEST(rights_given_later_are_seen_without_a_flush)
{
	map(&s, LA, PA, PG_P | PG_U);
	assert_reaches(LA, ACCESS_READ, true, PA);
	map(&s, LA, PA2, PG_P | PG_U | PG_W);              /* as copy-on-write does */
	assert_reaches(LA, ACCESS_WRITE, true, PA2);
	assert_reaches(LA, ACCESS_READ, true, PA2);
}
END_TEST

START_TEST(a_hit_obeys_the_cached_rights)
{
	map(&s, LA, PA, PG_P | PG_D);
	assert_reaches(LA, ACCESS_READ, false, PA);
	assert_faults(LA, ACCESS_READ, true, PF_P | PF_U);
	map(&s, LA, PA, PG_P | PG_U | PG_D);
	assert_reaches(LA, ACCESS_READ, false, PA);
	assert_faults(LA, ACCESS_WRITE, false, PF_P | PF_W);
	assert_faults(LA, ACCESS_WRITE, true, PF_P | PF_W | PF_U);
}
END_TEST

/* --- looking ----------------------------------------------------------------------------------------------------- */

START_TEST(peeking_changes_nothing)
{
	paddr_t pa = 0;

	map(&s, LA, PA, PG_P);
	struct tlb_stats before = s.mmu.stats;
	ck_assert(mmu_peek(&s.mmu, LA + 5, &pa));
	ck_assert_uint_eq(pa, PA + 5);
	ck_assert(!mmu_peek(&s.mmu, LA2, &pa));
	ck_assert_uint_eq(get_pte(&s, LA) & PG_A, 0);
	ck_assert_ptr_null(mmu_tlb_probe(&s.mmu, LA));
	ck_assert_mem_eq(&before, &s.mmu.stats, sizeof(before));
}
END_TEST

struct listing {
	unsigned n;
	uint32_t last;
	bool ordered;
};

static void list(void *ctx, const struct tlb_entry *e)
{
	struct listing *l = ctx;

	l->ordered &= !l->n || e->vpn > l->last;
	l->last = e->vpn;
	l->n++;
}

START_TEST(entries_are_listed_in_order_of_page_number)
{
	static const laddr_t la[] = {0xfffff000, 0x00000000, 0x7fffe000, 0x80000000, 0x0003f000, 0x00040000, 0x00fff000, 0x3fffd000};
	struct listing l = {.ordered = true};

	for (unsigned i = 0; i < 8; i++) {
		map(&s, la[i], PA, i & 2 ? PG_P | PG_G : PG_P);
		assert_reaches(la[i], ACCESS_READ, false, PA);
	}
	mmu_tlb_each(&s.mmu, list, &l);
	ck_assert(l.ordered);
	ck_assert_uint_eq(l.n, 8);
	ck_assert_uint_eq(l.last, 0xfffff);
	mmu_flush_all(&s.mmu);
	l = (struct listing){.ordered = true};
	mmu_tlb_each(&s.mmu, list, &l);
	ck_assert_uint_eq(l.n, 0);
	for (unsigned i = 0; i < 8; i++)
		ck_assert_ptr_null(mmu_tlb_probe(&s.mmu, la[i]));
}
END_TEST

START_TEST(an_entry_says_where_it_came_from)
{
	map(&s, LA, PA, PG_P | PG_U | PG_W | PG_G);
	assert_reaches(LA, ACCESS_READ, false, PA);
	const struct tlb_entry *e = mmu_tlb_probe(&s.mmu, LA);
	ck_assert_uint_eq(e->flags, TLB_VALID | TLB_U | TLB_W | TLB_G);
	ck_assert_uint_eq(e->frame, PA >> 12);
	ck_assert_uint_eq(e->leaf, table_of(LA) + 4 * (LA >> 12 & 0x3ff));
	put_pde(&s, 0, 0x00400000 | PG_P | PG_PS | PG_D);
	assert_reaches(0x3000, ACCESS_READ, false, 0x00403000);
	ck_assert_uint_eq(mmu_tlb_probe(&s.mmu, 0x3000)->flags, TLB_VALID | TLB_LARGE | TLB_D);
	ck_assert_uint_eq(mmu_tlb_probe(&s.mmu, 0x3000)->leaf, DIR);
}
END_TEST

START_TEST(without_paging_translation_is_the_identity_and_is_not_counted)
{
	mmu_reset(&s.mmu);
	for (unsigned i = 0; i < 2; i++) {
		assert_reaches(0x00345678, ACCESS_WRITE, true, 0x00345678);
		assert_reaches(0xf0000000, ACCESS_READ, false, 0xf0000000);
	}
	ck_assert_uint_eq(s.mmu.stats.hits + s.mmu.stats.misses + s.mmu.stats.walks, 0);
	mmu_set_paging(&s.mmu, &(struct paging){.enabled = true, .cr3 = DIR});
	assert_faults(0x00345678, ACCESS_WRITE, true, PF_W | PF_U);
}
END_TEST

/* --- counting ----------------------------------------------------------------------------------------------------- */

static void map_many(laddr_t la, unsigned pages)
{
	for (unsigned i = 0; i < pages; i++)
		map(&s, la + i * PAGE_SIZE, PA + i % 64 * PAGE_SIZE, PG_P);
}

static void read_pages(laddr_t la, unsigned pages)
{
	for (unsigned i = 0; i < pages; i++)
		ck_assert(touch(&s, la + i * PAGE_SIZE, ACCESS_READ, false, NULL));
}

static void assert_counts(uint64_t hits, uint64_t misses, uint64_t evictions)
{
	ck_assert_uint_eq(s.mmu.stats.hits, hits);
	ck_assert_uint_eq(s.mmu.stats.misses, misses);
	ck_assert_uint_eq(s.mmu.stats.evictions, evictions);
}

START_TEST(as_many_pages_as_entries_fit_and_then_only_hit)
{
	map_many(LA, 64);
	read_pages(LA, 64);
	assert_counts(0, 64, 0);
	read_pages(LA, 64);
	assert_counts(64, 64, 0);
	ck_assert_uint_eq(s.mmu.stats.walks, 64);
}
END_TEST

START_TEST(reading_beyond_the_reach_in_order_only_misses)
{
	map_many(LA, 128);
	read_pages(LA, 128);
	read_pages(LA, 128);
	assert_counts(0, 256, 192);
}
END_TEST

START_TEST(the_least_recently_used_way_is_evicted)
{
	const laddr_t stride = 16 * PAGE_SIZE;             /* 64 entries in 4 ways: 16 sets */

	map_many(LA, 16 * 5);
	for (unsigned i = 0; i < 4; i++)
		assert_reaches(LA + i * stride, ACCESS_READ, false, PA + i * stride);
	assert_reaches(LA, ACCESS_READ, false, PA);        /* now page 1 is the oldest */
	ck_assert(touch(&s, LA + 4 * stride, ACCESS_READ, false, NULL));
	assert_counts(1, 5, 1);
	ck_assert_ptr_nonnull(mmu_tlb_probe(&s.mmu, LA));
	ck_assert_ptr_null(mmu_tlb_probe(&s.mmu, LA + stride));
	ck_assert_ptr_nonnull(mmu_tlb_probe(&s.mmu, LA + 2 * stride));
}
END_TEST

START_TEST(probing_is_not_a_use)
{
	const laddr_t stride = 16 * PAGE_SIZE;

	map_many(LA, 16 * 5);
	for (unsigned i = 0; i < 4; i++)
		ck_assert(touch(&s, LA + i * stride, ACCESS_READ, false, NULL));
	ck_assert_ptr_nonnull(mmu_tlb_probe(&s.mmu, LA));
	ck_assert(touch(&s, LA + 4 * stride, ACCESS_READ, false, NULL));
	ck_assert_ptr_null(mmu_tlb_probe(&s.mmu, LA));
}
END_TEST

START_TEST(an_entry_that_does_not_suffice_is_a_walk_and_no_miss)
{
	map(&s, LA, PA, PG_P | PG_W);
	ck_assert(touch(&s, LA, ACCESS_READ, false, NULL));
	ck_assert(touch(&s, LA, ACCESS_WRITE, false, NULL));
	assert_counts(0, 1, 0);
	ck_assert_uint_eq(s.mmu.stats.walks, 2);
	uint64_t flushes = s.mmu.stats.flushes;
	mmu_flush_all(&s.mmu);
	mmu_write_cr3(&s.mmu, DIR, NULL);
	ck_assert_uint_eq(s.mmu.stats.flushes, flushes + 2);
}
END_TEST

START_TEST(geometries_that_cannot_be_are_refused)
{
	static const struct tlb_geometry bad[] = {{64, 0}, {0, 4}, {65, 4}, {12, 4}, {131072, 4}, {4, 8}};
	static const struct tlb_geometry good[] = {{1, 1}, {65536, 1}, {12, 3}, {64, 64}};
	struct mmu mmu;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_int_eq(mmu_init(&mmu, &s.phys, bad[i]), -EINVAL);
	for (unsigned i = 0; i < sizeof(good) / sizeof(*good); i++) {
		ck_assert_int_eq(mmu_init(&mmu, &s.phys, good[i]), 0);
		mmu_free(&mmu);
	}
}
END_TEST

/* --- telling who caches fetches ---------------------------------------------------------------------------------- */

struct told {
	unsigned calls;
	uint32_t first, count;
};

static void note(void *owner, uint32_t first, uint32_t count)
{
	struct told *t = owner;

	t->calls++;
	t->first = first;
	t->count = count;
}

#define assert_told(n, f, c) do { \
	ck_assert_uint_eq(told.calls, n); \
	ck_assert_uint_eq(told.first, f); \
	ck_assert_uint_eq(told.count, c); \
} while (0)

START_TEST(the_owner_hears_of_every_fetch_translation_that_goes)
{
	struct told told = {0};

	s.mmu.fetch_dropped = note;
	s.mmu.owner = &told;
	map(&s, LA, PA, PG_P | PG_W);
	assert_reaches(LA, ACCESS_FETCH, false, PA);
	assert_reaches(LA, ACCESS_WRITE, false, PA);       /* Dirty changes nothing for fetches */
	ck_assert_uint_eq(told.calls, 0);
	mmu_invlpg(&s.mmu, LA);
	assert_told(1, LA >> 12, 1);
	mmu_invlpg(&s.mmu, LA);
	assert_told(1, LA >> 12, 1);
	map(&s, LA, PA, PG_P);
	assert_reaches(LA, ACCESS_FETCH, false, PA);
	map(&s, LA, PA2, PG_P | PG_W);
	assert_reaches(LA, ACCESS_WRITE, false, PA2);      /* another frame replaces the stale one */
	assert_told(2, LA >> 12, 1);
	map(&s, LA, 0, 0);
	assert_faults(LA, ACCESS_READ, true, PF_U);        /* a fault drops */
	assert_told(3, LA >> 12, 1);
	mmu_flush_all(&s.mmu);
	assert_told(4, 0, 1u << 20);
	put_pde(&s, LA, 0x00400000 | PG_P | PG_PS);
	ck_assert(touch(&s, LA, ACCESS_FETCH, false, NULL));
	ck_assert(touch(&s, LA2, ACCESS_FETCH, false, NULL));
	mmu_invlpg(&s.mmu, LA);
	assert_told(5, (LA & 0xffc00000) >> 12, 1024);
}
END_TEST

START_TEST(the_owner_hears_of_evictions)
{
	struct told told = {0};

	map_many(LA, 16 * 5);
	s.mmu.fetch_dropped = note;
	s.mmu.owner = &told;
	for (unsigned i = 0; i < 5; i++)
		ck_assert(touch(&s, LA + i * 16 * PAGE_SIZE, ACCESS_FETCH, false, NULL));
	assert_told(1, LA >> 12, 1);
}
END_TEST

/* --- one result, whatever the geometry ---------------------------------------------------------------------------- */

/* 24 pages in 3 directory slots, so that a TLB of 8 entries evicts all the time. */
static laddr_t random_la(uint32_t r)
{
	return (r % 3) * 0x15800000u + (r >> 4) % 8 * 0x77000u + (r >> 8) % PAGE_SIZE;
}

/* One step of a guest that flushes what it changes. */
static uint64_t random_step(struct space *g, uint32_t r, uint32_t r2)
{
	laddr_t la = random_la(r);

	switch (r2 % 64) {
	case 0 ... 3:
		put_pte(g, la, ((r2 >> 8) % 0x700 << 12) | (r2 >> 20 & 0x1ff & ~PG_PS));
		mmu_invlpg(&g->mmu, la);
		return 0;
	case 4:
		put_pde(g, la, r2 >> 6 & 7 ? table_of(la) | PG_P | (r2 >> 8 & 0x107) : 0x00400000 | PG_PS | (r2 >> 8 & 0x10f));
		mmu_flush_all(&g->mmu);
		return 0;
	default:
		return reach(g, la, r2 >> 8 & 3 ? r2 >> 10 & 1 : ACCESS_FETCH, r2 >> 12 & 1);
	}
}

START_TEST(flat_and_modelled_give_the_same_results_and_the_same_memory)
{
	struct space other;
	uint32_t seed = 0x9e3779b9u + (uint32_t)_i;
	unsigned reached = 0, faulted = 0;

	space_init(&other, (struct tlb_geometry){8, 2});
	for (unsigned i = 0; i < 50000; i++) {
		uint32_t r = next_random(&seed), r2 = next_random(&seed);
		uint64_t a = random_step(&s, r, r2), b = random_step(&other, r, r2);
		ck_assert_msg(a == b, "seed %d step %u: flat %#llx, modelled %#llx", _i, i, (unsigned long long)a, (unsigned long long)b);
		reached += a && !(a & FAULTED);
		faulted += !!(a & FAULTED);
	}
	ck_assert(!memcmp(s.phys.ram, other.phys.ram, RAM));
	ck_assert_uint_gt(reached, 5000);
	ck_assert_uint_gt(faulted, 5000);
	ck_assert_uint_gt(other.mmu.stats.evictions, 300);
	space_free(&other);
}
END_TEST

static void add_behaviour(TCase *t)
{
	tcase_add_test(t, a_read_sets_accessed_at_both_levels_and_not_dirty);
	tcase_add_test(t, a_write_after_a_read_sets_dirty_by_a_walk_of_its_own);
	tcase_add_test(t, a_faulting_access_sets_nothing);
	tcase_add_test(t, a_read_of_a_page_already_dirty_leaves_the_entry_ready_for_writes);
	tcase_add_test(t, dirty_cleared_without_a_flush_is_not_set_again);
	tcase_add_test(t, a_write_to_a_4_mb_page_sets_dirty_in_the_pde);
	tcase_add_test(t, a_changed_pte_is_not_seen_before_invlpg);
	tcase_add_test(t, a_page_made_absent_is_reached_until_cr3_is_written);
	tcase_add_test(t, invlpg_leaves_the_neighbours);
	tcase_add_test(t, global_entries_survive_cr3_and_not_invlpg);
	tcase_add_test(t, an_entry_loaded_again_is_as_global_as_the_table_says_now);
	tcase_add_test(t, g_means_nothing_without_pge);
	tcase_add_loop_test(t, toggling_any_paging_bit_flushes_global_entries_too, 0, 4);
	tcase_add_test(t, set_paging_with_another_cr3_keeps_global_entries);
	tcase_add_test(t, invlpg_drops_every_fragment_of_a_4_mb_page);
	tcase_add_test(t, a_fault_drops_the_stale_entry);
	tcase_add_test(t, rights_given_later_are_seen_without_a_flush);
	tcase_add_test(t, a_hit_obeys_the_cached_rights);
	tcase_add_test(t, peeking_changes_nothing);
	tcase_add_test(t, entries_are_listed_in_order_of_page_number);
	tcase_add_test(t, an_entry_says_where_it_came_from);
	tcase_add_test(t, without_paging_translation_is_the_identity_and_is_not_counted);
	tcase_add_test(t, an_entry_that_does_not_suffice_is_a_walk_and_no_miss);
	tcase_add_test(t, as_many_pages_as_entries_fit_and_then_only_hit);
	tcase_add_test(t, the_owner_hears_of_every_fetch_translation_that_goes);
}

int main(void)
{
	Suite *suite = suite_create("tlb");
	TCase *flat = tcase_create("flat"), *modelled = tcase_create("modelled"), *same = tcase_create("same");

	tcase_add_checked_fixture(flat, setup_flat, teardown);
	add_behaviour(flat);
	suite_add_tcase(suite, flat);

	tcase_add_checked_fixture(modelled, setup_modelled, teardown);
	add_behaviour(modelled);
	tcase_add_test(modelled, reading_beyond_the_reach_in_order_only_misses);
	tcase_add_test(modelled, the_least_recently_used_way_is_evicted);
	tcase_add_test(modelled, probing_is_not_a_use);
	tcase_add_test(modelled, the_owner_hears_of_evictions);
	tcase_add_test(modelled, geometries_that_cannot_be_are_refused);
	suite_add_tcase(suite, modelled);

	tcase_set_timeout(same, 60);
	tcase_add_checked_fixture(same, setup_flat, teardown);
	tcase_add_loop_test(same, flat_and_modelled_give_the_same_results_and_the_same_memory, 0, 8);
	suite_add_tcase(suite, same);
	return run_suite(suite);
}
