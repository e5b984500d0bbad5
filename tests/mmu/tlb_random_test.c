/* tests/mmu/tlb_random_test.c: the flat TLB against the modelled one, through anything that fills, changes or empties them.
 *
 * Nobody flushes what it changes here, so that what is stale is compared, too: that works as long as the modelled TLB evicts nothing, and
 * with 64 ways for the few pages that are used it does not. The flat one finds entries by two maps, of global ones and of others, which
 * the modelled one has not: an entry in the wrong map shows as one that a flush should have taken, or left.
 */
#include "space.h"

#define DIR2     0x00011000u
#define STEPS    20000
#define ENTRIES  4096

static const uint32_t slots[] = {0, 0x15800000, 0x15c00000, 0xffc00000};
static struct space flat, modelled;

static void setup(void)
{
	space_init(&flat, (struct tlb_geometry){0, 0});
	space_init(&modelled, (struct tlb_geometry){ENTRIES, 64});
}

static void teardown(void)
{
	space_free(&flat);
	space_free(&modelled);
}

/* Of 4 MB each: the first and last pages, those on both sides of the middle, where PAE paging has another large page, and some between. */
static laddr_t random_la(uint32_t r)
{
	static const uint32_t page[] = {0, 1, 63, 64, 511, 512, 513, 1023};

	return slots[r & 3] + page[r >> 2 & 7] * PAGE_SIZE + (r >> 8) % PAGE_SIZE;
}

static void change_tables(struct space *g, laddr_t la, uint32_t r)
{
	uint32_t dir = r & 1 ? DIR : DIR2, bits = r >> 8 & 0x167;

	if (r & 2)
		put_pte(g, la, (r >> 20) % 0x700 << 12 | bits | PG_P);
	else
		phys_write(&g->phys, dir + 4 * (la >> 22), 4, r & 0x0c ? table_of(la) | PG_P | PG_W | PG_U : bits | PG_P | PG_PS | 0x00400000);
}

static void set_mode(struct space *g, uint32_t r)
{
	struct paging pg = g->mmu.pg;
	bool *const bit[] = {&pg.enabled, &pg.wp, &pg.pse, &pg.pge};

	if (r & 7)
		pg.cr3 = r & 16 ? DIR : DIR2;
	else
		*bit[r >> 5 & 3] ^= 1;
	mmu_set_paging(&g->mmu, &pg);
}

/* Every second entry is put back into the TLB it comes from, as a saved machine is loaded: the others must be gone. */
static void save_and_load(struct space *g)
{
	size_t n = mmu_tlb_count(&g->mmu);
	struct tlb_entry *entries = calloc(n + 1, sizeof(*entries));
	uint64_t lru;

	mmu_tlb_save(&g->mmu, entries, &lru);
	for (size_t i = 0; i < n / 2; i++)
		entries[i] = entries[2 * i];
	n /= 2;
	ck_assert_int_eq(mmu_tlb_load(&g->mmu, entries, n, lru), 0);
	free(entries);
}

static uint64_t random_step(struct space *g, uint32_t r, uint32_t r2)
{
	laddr_t la = random_la(r2);

	switch (r % 64) {
	case 0 ... 9:
		change_tables(g, la, r >> 6);
		return 0;
	case 10 ... 11:
		mmu_invlpg(&g->mmu, la);
		return 0;
	case 12 ... 13:
		mmu_write_cr3(&g->mmu, r & 64 ? DIR : DIR2, NULL);
		return 0;
	case 14:
		set_mode(g, r >> 6);
		return 0;
	case 15:
		save_and_load(g);
		return 0;
	default:
		return reach(g, la, (r >> 6) % 3, r >> 8 & 1);
	}
}

static uint64_t without_use(const struct tlb_entry *e)
{
	return (uint64_t)e->vpn << 32 ^ (uint64_t)e->frame << 8 ^ e->flags ^ e->leaf << 40;
}

/* Are the same entries in both, in order of page number? */
static void compare(uint32_t seed, unsigned step)
{
	static struct tlb_entry a[ENTRIES], b[ENTRIES];
	size_t n = mmu_tlb_count(&flat.mmu);
	uint64_t lru;

	ck_assert_msg(n == mmu_tlb_count(&modelled.mmu), "seed %u step %u: %zu entries, modelled %zu", seed, step, n, mmu_tlb_count(&modelled.mmu));
	mmu_tlb_save(&flat.mmu, a, &lru);
	mmu_tlb_save(&modelled.mmu, b, &lru);
	for (size_t i = 0; i < n; i++)
		ck_assert_msg(without_use(&a[i]) == without_use(&b[i]), "seed %u step %u: page 0x%x flags 0x%x, modelled page 0x%x flags 0x%x",
			seed, step, a[i].vpn, a[i].flags, b[i].vpn, b[i].flags);
}

START_TEST(flat_and_modelled_hold_the_same_whatever_happens)
{
	uint32_t seed = 0x9e3779b9u + (uint32_t)_i, globals = 0;

	for (unsigned i = 0; i < STEPS; i++) {
		uint32_t r = next_random(&seed), r2 = next_random(&seed);
		uint64_t a = random_step(&flat, r, r2), b = random_step(&modelled, r, r2);
		ck_assert_msg(a == b, "seed %d step %u: flat %#llx, modelled %#llx", _i, i, (unsigned long long)a, (unsigned long long)b);
		if (i % 16 == 0)
			compare((uint32_t)_i, i);
		const struct tlb_entry *e = mmu_tlb_probe(&flat.mmu, random_la(r2));
		globals += e && e->flags & TLB_G;
	}
	ck_assert(!memcmp(flat.phys.ram, modelled.phys.ram, RAM));
	ck_assert_uint_eq(modelled.mmu.stats.evictions, 0);
	ck_assert_uint_eq(flat.mmu.stats.hits, modelled.mmu.stats.hits);
	ck_assert_uint_eq(flat.mmu.stats.walks, modelled.mmu.stats.walks);
	ck_assert_uint_gt(flat.mmu.stats.hits, STEPS / 40);
	ck_assert_uint_gt(globals, STEPS / 100);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tlb_random");
	TCase *t = tcase_create("random");

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, flat_and_modelled_hold_the_same_whatever_happens, 0, 8);
	suite_add_tcase(suite, t);
	return run_suite(suite);
}
