/* tests/mmu/fast_test.c: the fast tables say what mmu_translate() says, and nothing more.
 *
 * Three promises, over random tables, accesses and flushes with fixed seeds:
 *   an entry is there:     mmu_translate() succeeds without a walk, at the same host byte
 *   a TLB entry is there:  a missing fast entry means a fault, a walk, or an access that must be seen, or a page that held
 *                          code until now or has not been written
 *   no TLB entry is there: all six fast entries are empty
 */
#include "space.h"

static struct space s;
static const uint8_t rom[2 * PAGE_SIZE] = {0x55, 0xaa};

static uint32_t device_read(void *owner, uint32_t offset, unsigned size)
{
	(void)owner, (void)offset, (void)size;
	return 0;
}

static const struct mmio_ops device = {.read = device_read};

#define LA     0x5576a000u
#define PA     0x00345000u
#define ROM    0x000c8000u
#define DEVICE 0x000a0000u

static void setup(void)
{
	space_init(&s, (struct tlb_geometry){0, 0});
	ck_assert_int_eq(phys_add_rom(&s.phys, "option ROM", ROM, rom, sizeof(rom), NULL), 0);
	ck_assert_int_eq(phys_add_mmio(&s.phys, "VGA", DEVICE, 0x20000, &device, NULL, NULL), 0);
}

static void teardown(void)
{
	space_free(&s);
}

static uint8_t *fast(laddr_t la, enum access_kind kind, bool user)
{
	uintptr_t addend = s.mmu.fast[user][kind][la >> 12];

	return addend ? (uint8_t *)(addend + la) : NULL;
}

/* --- single facts ----------------------------------------------------------------------------------------------- */

START_TEST(a_read_opens_reads_and_fetches_but_not_writes)
{
	map(&s, LA, PA, PG_P | PG_W | PG_U);
	ck_assert(touch(&s, LA, ACCESS_READ, true, NULL));
	for (unsigned user = 0; user < 2; user++) {
		ck_assert_ptr_eq(fast(LA + 5, ACCESS_READ, user), s.phys.ram + PA + 5);
		ck_assert_ptr_eq(fast(LA + 5, ACCESS_FETCH, user), s.phys.ram + PA + 5);
		ck_assert_ptr_null(fast(LA, ACCESS_WRITE, user));
	}
	ck_assert(!(s.phys.attr[PA >> 12] & PHYS_DIRTY));
	ck_assert(touch(&s, LA, ACCESS_WRITE, true, NULL));
	ck_assert_ptr_eq(fast(LA + 5, ACCESS_WRITE, false), s.phys.ram + PA + 5);
	ck_assert_ptr_eq(fast(LA + 5, ACCESS_WRITE, true), s.phys.ram + PA + 5);
	ck_assert(s.phys.attr[PA >> 12] & PHYS_DIRTY);
}
END_TEST

START_TEST(a_read_opens_writes_of_a_dirty_page_once_it_counts_as_written)
{
	map(&s, LA, PA, PG_P | PG_W | PG_D);
	ck_assert(touch(&s, LA, ACCESS_READ, false, NULL));
	ck_assert_ptr_null(fast(LA, ACCESS_WRITE, false));
	ck_assert(!(s.phys.attr[PA >> 12] & PHYS_DIRTY));
	ck_assert(touch(&s, LA, ACCESS_WRITE, false, NULL));
	ck_assert(s.phys.attr[PA >> 12] & PHYS_DIRTY);
	ck_assert_ptr_nonnull(fast(LA, ACCESS_WRITE, false));
	map(&s, LA + PAGE_SIZE, PA, PG_P | PG_W | PG_D);
	ck_assert(touch(&s, LA + PAGE_SIZE, ACCESS_READ, false, NULL));
	ck_assert_ptr_nonnull(fast(LA + PAGE_SIZE, ACCESS_WRITE, false));
}
END_TEST

START_TEST(without_wp_only_the_supervisor_writes_to_read_only_pages)
{
	struct paging pg = s.mmu.pg;

	pg.wp = false;
	mmu_set_paging(&s.mmu, &pg);
	map(&s, LA, PA, PG_P | PG_U);
	ck_assert(touch(&s, LA, ACCESS_WRITE, false, NULL));
	ck_assert_ptr_nonnull(fast(LA, ACCESS_WRITE, false));
	ck_assert_ptr_null(fast(LA, ACCESS_WRITE, true));
	pg.wp = true;
	mmu_set_paging(&s.mmu, &pg);
	ck_assert_ptr_null(fast(LA, ACCESS_WRITE, false));
}
END_TEST

START_TEST(rom_is_read_fast_and_written_slowly)
{
	struct translation t;

	map(&s, LA, ROM, PG_P | PG_W);
	ck_assert(touch(&s, LA, ACCESS_WRITE, false, &t));
	ck_assert_ptr_null(t.host);
	ck_assert_ptr_nonnull(fast(LA, ACCESS_READ, false));
	ck_assert_uint_eq(*fast(LA + 1, ACCESS_FETCH, false), 0xaa);
	ck_assert_ptr_null(fast(LA, ACCESS_WRITE, false));
}
END_TEST

START_TEST(devices_and_holes_are_never_fast)
{
	const uint32_t pa[] = {DEVICE, 0xf0000000};
	struct translation t;

	map(&s, LA, pa[_i], PG_P | PG_W | PG_U | PG_D);
	for (enum access_kind kind = ACCESS_READ; kind <= ACCESS_FETCH; kind++) {
		ck_assert(touch(&s, LA, kind, false, &t));
		ck_assert_ptr_null(t.host);
		ck_assert_uint_eq(t.pa, pa[_i]);
		ck_assert_ptr_null(fast(LA, kind, false));
		ck_assert_ptr_null(fast(LA, kind, true));
	}
}
END_TEST

START_TEST(marking_code_closes_writes_through_every_alias)
{
	struct translation t;

	for (unsigned i = 0; i < 3; i++) {
		map(&s, LA + i * 0x1400000, PA, PG_P | PG_W | PG_U);
		ck_assert(touch(&s, LA + i * 0x1400000, ACCESS_WRITE, true, NULL));
	}
	map(&s, LA + PAGE_SIZE, PA + PAGE_SIZE, PG_P | PG_W | PG_U);
	ck_assert(touch(&s, LA + PAGE_SIZE, ACCESS_WRITE, true, NULL));
	mmu_mark_code(&s.mmu, PA + 0x123);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_ptr_null(fast(LA + i * 0x1400000, ACCESS_WRITE, false));
		ck_assert_ptr_null(fast(LA + i * 0x1400000, ACCESS_WRITE, true));
		ck_assert_ptr_nonnull(fast(LA + i * 0x1400000, ACCESS_FETCH, true));
	}
	ck_assert_ptr_nonnull(fast(LA + PAGE_SIZE, ACCESS_WRITE, true));
	ck_assert(touch(&s, LA, ACCESS_WRITE, true, &t));
	ck_assert_ptr_null(t.host);
	ck_assert_uint_eq(t.pa, PA);
	ck_assert_ptr_null(fast(LA, ACCESS_WRITE, true));
	s.phys.attr[PA >> 12] &= (uint8_t)~PHYS_CODE;      /* its decoded instructions were dropped */
	ck_assert(touch(&s, LA, ACCESS_WRITE, true, &t));
	ck_assert_ptr_eq(t.host, s.phys.ram + PA);
	ck_assert_ptr_nonnull(fast(LA, ACCESS_WRITE, true));
}
END_TEST

START_TEST(marking_code_outside_the_address_space_does_nothing)
{
	mmu_mark_code(&s.mmu, 1ull << 32);
	mmu_mark_code(&s.mmu, ~0ull);
	mmu_mark_code(&s.mmu, 0xffffffff);
	ck_assert(s.phys.attr[PHYS_PAGES - 1] & PHYS_CODE);
}
END_TEST

static void count_store(void *owner, paddr_t pa, unsigned len)
{
	unsigned *stores = owner;

	*stores += pa == table_of(LA) + 4 * (LA >> 12 & 0x3ff) && len == 4;
}

START_TEST(setting_accessed_in_a_table_that_holds_code_is_told)
{
	unsigned stores = 0;

	map(&s, LA, PA, PG_P);
	s.phys.code_written = count_store;
	s.phys.code_owner = &stores;
	mmu_mark_code(&s.mmu, table_of(LA));
	ck_assert(touch(&s, LA, ACCESS_READ, false, NULL));
	ck_assert_uint_eq(get_pte(&s, LA) & PG_A, PG_A);
	ck_assert_uint_eq(stores, 1);
}
END_TEST

START_TEST(a_modelled_tlb_leaves_the_tables_empty)
{
	struct mmu mmu;

	map(&s, LA, PA, PG_P | PG_W | PG_U);
	ck_assert_int_eq(mmu_init(&mmu, &s.phys, (struct tlb_geometry){64, 4}), 0);
	mmu_set_paging(&mmu, &s.mmu.pg);
	for (unsigned i = 0; i < 6; i++) {
		struct translation t;
		struct access a = {.la = LA, .kind = i % 3, .user = i / 3};
		ck_assert(mmu_translate(&mmu, &a, &t));
		ck_assert_ptr_eq(t.host, s.phys.ram + PA);
		ck_assert_uint_eq(mmu.fast[i / 3][i % 3][LA >> 12], 0);
	}
	mmu_free(&mmu);
}
END_TEST

/* --- the property ------------------------------------------------------------------------------------------------ */

#define SLOTS 3
#define PAGES 8

static laddr_t some_la(uint32_t r)
{
	return r % SLOTS * 0x15800000u + (r >> 4) % PAGES * 0x77000u;
}

/* Mostly RAM; the last frames share their pages, so that aliases occur. */
static uint32_t some_frame(uint32_t r)
{
	static const uint32_t odd[] = {ROM, ROM + PAGE_SIZE, DEVICE, 0xf0000000, 0x00800000, PA, PA, PA + PAGE_SIZE};

	return r & 8 ? odd[r & 7] : 0x00300000 + (r >> 4) % 64 * PAGE_SIZE;
}

static void check_page(laddr_t la, uint32_t seed, unsigned step)
{
	for (unsigned i = 0; i < 6; i++) {
		struct access a = {.la = la + 0x18, .kind = i % 3, .user = i / 3};
		struct translation t;
		uint8_t *host = fast(a.la, a.kind, a.user);
		const struct tlb_entry *e = mmu_tlb_probe(&s.mmu, la);
		if (!e) {
			ck_assert_msg(!host, "seed %u step %u: a fast entry without a TLB entry at %#x", seed, step, la);
			continue;
		}
		uint64_t walks = s.mmu.stats.walks;
		bool ok = mmu_translate(&s.mmu, &a, &t);
		if (host)
			ck_assert_msg(ok && t.host == host && s.mmu.stats.walks == walks,
			              "seed %u step %u: the fast entry %u at %#x is not what mmu_translate says", seed, step, i, la);
		else
			ck_assert_msg(!ok || !t.host || s.mmu.stats.walks == walks + 1 || a.kind == ACCESS_WRITE,
			              "seed %u step %u: the fast entry %u at %#x is missing", seed, step, i, la);
		/* One that code had taken away is back as soon as it is asked for. */
		if (ok)
			ck_assert_msg(fast(a.la, a.kind, a.user) == t.host, "seed %u step %u: not filled at %#x", seed, step, la);
	}
}

static void random_step(uint32_t r, uint32_t r2)
{
	laddr_t la = some_la(r);
	struct paging pg = s.mmu.pg;

	switch (r2 % 64) {
	case 0 ... 7:                                      /* stale from here on: no flush */
		put_pte(&s, la, some_frame(r2 >> 6) | (r2 >> 16 & 0x167));
		break;
	case 8 ... 9:
		put_pde(&s, la, table_of(la) | PG_P | (r2 >> 16 & 0x127));
		break;
	case 10:
		put_pde(&s, la, 0x00400000 | PG_P | PG_PS | (r2 >> 16 & 0x167));
		break;
	case 11:
		mmu_write_cr3(&s.mmu, DIR, NULL);
		break;
	case 12:
		pg.wp = !pg.wp;
		mmu_set_paging(&s.mmu, &pg);
		break;
	case 13 ... 18:
		mmu_invlpg(&s.mmu, la);
		break;
	case 19:
		mmu_mark_code(&s.mmu, some_frame(r2 >> 6));
		break;
	case 20:
		s.phys.attr[some_frame(r2 >> 6) >> 12] &= (uint8_t)~PHYS_CODE;
		break;
	default:
		touch(&s, la, r2 >> 6 & 3 ? r2 >> 8 & 1 : ACCESS_FETCH, r2 >> 9 & 1, NULL);
	}
}

START_TEST(fast_entries_equal_mmu_translate_over_random_tables)
{
	uint32_t seed = 0x2545f491u + 77 * (uint32_t)_i;
	unsigned present = 0, writable = 0;

	for (unsigned step = 0; step < 20000; step++) {
		uint32_t r = next_random(&seed), r2 = next_random(&seed);
		random_step(r, r2);
		laddr_t la = some_la(next_random(&seed));
		present += !!fast(la, ACCESS_READ, false);
		writable += !!fast(la, ACCESS_WRITE, true);
		/* Looking at one page in eight leaves the others as the steps made them. */
		if (step % 8 == 0)
			check_page(la, _i, step);
	}
	ck_assert_uint_gt(present, 2000);
	ck_assert_uint_gt(writable, 200);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fast tables");
	TCase *facts = tcase_create("facts"), *property = tcase_create("property");

	tcase_add_checked_fixture(facts, setup, teardown);
	tcase_add_test(facts, a_read_opens_reads_and_fetches_but_not_writes);
	tcase_add_test(facts, a_read_opens_writes_of_a_dirty_page_once_it_counts_as_written);
	tcase_add_test(facts, without_wp_only_the_supervisor_writes_to_read_only_pages);
	tcase_add_test(facts, rom_is_read_fast_and_written_slowly);
	tcase_add_loop_test(facts, devices_and_holes_are_never_fast, 0, 2);
	tcase_add_test(facts, marking_code_closes_writes_through_every_alias);
	tcase_add_test(facts, marking_code_outside_the_address_space_does_nothing);
	tcase_add_test(facts, setting_accessed_in_a_table_that_holds_code_is_told);
	tcase_add_test(facts, a_modelled_tlb_leaves_the_tables_empty);
	suite_add_tcase(suite, facts);

	tcase_set_timeout(property, 60);
	tcase_add_checked_fixture(property, setup, teardown);
	tcase_add_loop_test(property, fast_entries_equal_mmu_translate_over_random_tables, 0, 16);
	suite_add_tcase(suite, property);
	return run_suite(suite);
}
