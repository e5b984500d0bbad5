/* tests/mmu/watch_test.c: what debuggers and snapshots take away, watch and put back, and that translation does not notice. */
#include "space.h"

#include <errno.h>

static struct space s;

#define LA    0x5576a000u
#define LA2   0x6576b000u
#define PA    0x00345000u
#define PA2   0x00346000u
#define FRAME (PA >> PAGE_SHIFT)
#define VPN   (LA >> PAGE_SHIFT)
#define ALL   (PG_P | PG_W | PG_U)

static void setup(void)
{
	space_init(&s, (struct tlb_geometry){0, 0});
}

static void teardown(void)
{
	space_free(&s);
}

/* How many of the page's six fast entries there are. */
static unsigned fast(laddr_t la)
{
	unsigned n = 0;

	for (unsigned i = 0; i < 6; i++)
		n += !!s.mmu.fast[i / 3][i % 3][la >> PAGE_SHIFT];
	return n;
}

static void open_page(laddr_t la, uint32_t pa)
{
	map(&s, la, pa, ALL);
	ck_assert(touch(&s, la, ACCESS_WRITE, true, NULL));
	ck_assert_uint_eq(fast(la), 6);
}

/* --- forgetting -------------------------------------------------------------------------------------------------- */

static void note_dropped(void *owner, uint32_t first, uint32_t count)
{
	uint32_t *told = owner;

	told[0] = first;
	told[1] = count;
}

START_TEST(a_forgotten_page_keeps_its_TLB_entry_and_is_fast_again_after_one_access)
{
	uint32_t told[2] = {0};

	open_page(LA, PA);
	open_page(LA2, PA);
	s.mmu.fetch_dropped = note_dropped;
	s.mmu.owner = told;
	struct tlb_stats before = s.mmu.stats;
	mmu_forget_vpn(&s.mmu, VPN);
	ck_assert_uint_eq(fast(LA), 0);
	ck_assert_uint_eq(fast(LA2), 6);
	ck_assert_uint_eq(told[0], VPN);
	ck_assert_uint_eq(told[1], 1);
	ck_assert_ptr_nonnull(mmu_tlb_probe(&s.mmu, LA));
	ck_assert(touch(&s, LA, _i, true, NULL));
	ck_assert_uint_eq(fast(LA), 6);
	ck_assert_uint_eq(s.mmu.stats.walks, before.walks);
	mmu_forget_vpn(&s.mmu, 1u << 20);
}
END_TEST

START_TEST(a_forgotten_frame_loses_every_alias)
{
	open_page(LA, PA);
	open_page(LA2, PA);
	open_page(LA + PAGE_SIZE, PA2);
	mmu_forget_frame(&s.mmu, FRAME);
	ck_assert_uint_eq(fast(LA), 0);
	ck_assert_uint_eq(fast(LA2), 0);
	ck_assert_uint_eq(fast(LA + PAGE_SIZE), 6);
}
END_TEST

START_TEST(after_forgotten_writes_a_write_makes_the_page_dirty_and_a_read_does_not)
{
	open_page(LA, PA);
	s.phys.attr[FRAME] &= (uint8_t)~PHYS_DIRTY;
	mmu_forget_writes(&s.mmu);
	ck_assert_uint_eq(fast(LA), 4);
	ck_assert(touch(&s, LA, ACCESS_READ, true, NULL));
	ck_assert(touch(&s, LA, ACCESS_FETCH, true, NULL));
	mmu_forget_vpn(&s.mmu, VPN);
	ck_assert(touch(&s, LA, ACCESS_READ, true, NULL));
	mmu_invlpg(&s.mmu, LA);
	ck_assert(touch(&s, LA, ACCESS_READ, true, NULL));
	ck_assert_uint_eq(fast(LA), 4);
	ck_assert(!(s.phys.attr[FRAME] & PHYS_DIRTY));
	ck_assert(touch(&s, LA, ACCESS_WRITE, true, NULL));
	ck_assert(s.phys.attr[FRAME] & PHYS_DIRTY);
	ck_assert_uint_eq(fast(LA), 6);
}
END_TEST

/* --- watching ---------------------------------------------------------------------------------------------------- */

struct told { unsigned count, hits; struct access last; uint32_t frame; };

static void note_translated(void *owner, const struct access *a, const struct tlb_entry *e, bool hit)
{
	struct told *t = owner;

	t->count++;
	t->hits += hit;
	t->last = *a;
	t->frame = e->frame;
}

START_TEST(each_access_to_a_watched_page_is_told)
{
	struct told told = {0};

	open_page(LA, PA);
	open_page(LA2, PA2);
	s.mmu.translated = note_translated;
	s.mmu.walked_owner = &told;
	for (unsigned i = 0; i < 2; i++)
		ck_assert_int_eq(mmu_watch_vpn(&s.mmu, VPN, true), 0);
	ck_assert_uint_eq(fast(LA), 0);
	ck_assert_uint_eq(fast(LA2), 6);
	for (unsigned i = 0; i < 6; i++) {
		ck_assert(touch(&s, LA + i, i % 3, i / 3, NULL));
		ck_assert_uint_eq(fast(LA), 0);
		ck_assert_uint_eq(told.count, i + 1);
		ck_assert_uint_eq(told.hits, i + 1);
		ck_assert_uint_eq(told.last.la, LA + i);
		ck_assert_uint_eq(told.last.kind, i % 3);
		ck_assert_uint_eq(told.last.user, i / 3);
		ck_assert_uint_eq(told.frame, FRAME);
	}
	mmu_invlpg(&s.mmu, LA);
	ck_assert(touch(&s, LA, ACCESS_READ, true, NULL));
	ck_assert_uint_eq(told.hits, 6);
	ck_assert_uint_eq(told.count, 7);
	ck_assert_uint_eq(fast(LA), 0);
	/* Once for each watch. */
	ck_assert_int_eq(mmu_watch_vpn(&s.mmu, VPN, false), 0);
	ck_assert(touch(&s, LA, ACCESS_READ, true, NULL));
	ck_assert_uint_eq(fast(LA), 0);
	ck_assert_int_eq(mmu_watch_vpn(&s.mmu, VPN, false), 0);
	ck_assert(touch(&s, LA, ACCESS_READ, true, NULL));
	ck_assert_uint_eq(fast(LA), 6);
}
END_TEST

START_TEST(watches_that_cannot_be_are_refused)
{
	ck_assert_int_eq(mmu_watch_vpn(&s.mmu, VPN, false), -EINVAL);
	ck_assert_int_eq(mmu_watch_vpn(&s.mmu, 1u << 20, true), -EINVAL);
	for (unsigned i = 0; i < 255; i++)
		ck_assert_int_eq(mmu_watch_vpn(&s.mmu, VPN, true), 0);
	ck_assert_int_eq(mmu_watch_vpn(&s.mmu, VPN, true), -EOVERFLOW);
	for (unsigned i = 0; i < 255; i++)
		ck_assert_int_eq(mmu_watch_vpn(&s.mmu, VPN, false), 0);
	ck_assert(!mmu_vpn_watched(&s.mmu, VPN));
}
END_TEST

START_TEST(while_all_is_watched_nothing_is_fast)
{
	uint32_t dropped[2] = {0};

	open_page(LA, PA);
	open_page(LA2, PA2);
	s.mmu.fetch_dropped = note_dropped;
	s.mmu.owner = dropped;
	mmu_watch_all(&s.mmu, true);
	mmu_watch_all(&s.mmu, true);
	ck_assert_uint_eq(dropped[1], 1u << 20);
	ck_assert(touch(&s, LA, ACCESS_WRITE, true, NULL));
	ck_assert_uint_eq(fast(LA) + fast(LA2), 0);
	mmu_watch_all(&s.mmu, false);
	ck_assert(touch(&s, LA, ACCESS_WRITE, true, NULL));
	ck_assert_uint_eq(fast(LA), 0);
	mmu_watch_all(&s.mmu, false);
	ck_assert(touch(&s, LA, ACCESS_WRITE, true, NULL));
	ck_assert_uint_eq(fast(LA), 6);
}
END_TEST

/* --- changes of the TLB ------------------------------------------------------------------------------------------ */

struct changes { unsigned come, changed, gone; struct tlb_entry old, new; };

static void note_change(void *owner, const struct tlb_entry *old, const struct tlb_entry *new)
{
	struct changes *c = owner;

	c->come += !old;
	c->gone += !new;
	c->changed += old && new;
	c->old = old ? *old : (struct tlb_entry){0};
	c->new = new ? *new : (struct tlb_entry){0};
}

START_TEST(every_change_of_the_TLB_is_told)
{
	struct changes c = {0};
	struct space modelled;

	s.mmu.tlb_changed = note_change;
	s.mmu.walked_owner = &c;
	map(&s, LA, PA, ALL);
	map(&s, LA2, PA2, ALL);
	touch(&s, LA, ACCESS_READ, true, NULL);
	ck_assert_uint_eq(c.come, 1);
	ck_assert_uint_eq(c.new.vpn, VPN);
	ck_assert(!(c.new.flags & TLB_D));
	touch(&s, LA, ACCESS_WRITE, true, NULL);
	ck_assert_uint_eq(c.changed, 1);
	ck_assert(!(c.old.flags & TLB_D) && c.new.flags & TLB_D);
	touch(&s, LA, ACCESS_WRITE, true, NULL);
	touch(&s, LA2, ACCESS_READ, true, NULL);
	mmu_invlpg(&s.mmu, LA2);
	ck_assert_uint_eq(c.gone, 1);
	ck_assert_uint_eq(c.old.vpn, LA2 >> PAGE_SHIFT);
	touch(&s, LA2, ACCESS_READ, true, NULL);
	mmu_write_cr3(&s.mmu, DIR, NULL);
	ck_assert_uint_eq(c.gone, 3);
	ck_assert_uint_eq(c.come, 3);
	ck_assert_uint_eq(c.changed, 1);

	/* One goes to make room for another. */
	space_init(&modelled, (struct tlb_geometry){2, 1});
	modelled.mmu.tlb_changed = note_change;
	modelled.mmu.walked_owner = &c;
	map(&modelled, LA, PA, ALL);
	map(&modelled, LA + 2 * PAGE_SIZE, PA2, ALL);
	touch(&modelled, LA, ACCESS_READ, true, NULL);
	touch(&modelled, LA + 2 * PAGE_SIZE, ACCESS_READ, true, NULL);
	ck_assert_uint_eq(c.gone, 4);
	ck_assert_uint_eq(c.come, 5);
	space_free(&modelled);
}
END_TEST

/* --- the list ---------------------------------------------------------------------------------------------------- */

static const struct tlb_entry good = {.vpn = VPN, .frame = FRAME, .flags = TLB_VALID | TLB_U, .leaf = PA};
struct bad { const char *why; struct tlb_entry e; };
static const struct bad bad[] = {
	{"the same page twice", {.vpn = VPN, .frame = FRAME, .flags = TLB_VALID}},
	{"not valid", {.vpn = 1, .flags = TLB_U}},
	{"an unknown flag", {.vpn = 1, .flags = TLB_VALID | 1u << 7}},
	{"a page beyond 4 GB", {.vpn = 1u << 20, .flags = TLB_VALID}},
	{"a frame beyond 64 GB", {.vpn = 1, .frame = 1u << 24, .flags = TLB_VALID}},
	{"a leaf beyond 64 GB", {.vpn = 1, .leaf = 1ull << 36, .flags = TLB_VALID}},
	{"used in the future", {.vpn = 1, .used = 8, .flags = TLB_VALID}},
	{"more than a set holds", {.vpn = VPN + 2, .used = 1, .flags = TLB_VALID}},
};

START_TEST(a_bad_list_is_refused_and_changes_nothing)
{
	const struct bad *b = &bad[_i];
	struct tlb_entry list[2] = {good, b->e}, after;
	struct space m;
	uint64_t lru;

	space_init(&m, (struct tlb_geometry){2, 1});
	map(&m, LA, PA2, ALL);
	touch(&m, LA, ACCESS_READ, true, NULL);
	ck_assert_msg(mmu_tlb_load(&m.mmu, list, 2, 7) == -EINVAL, "%s", b->why);
	ck_assert_uint_eq(mmu_tlb_count(&m.mmu), 1);
	mmu_tlb_save(&m.mmu, &after, &lru);
	ck_assert_uint_eq(after.frame, PA2 >> PAGE_SHIFT);
	ck_assert_int_eq(mmu_tlb_load(&m.mmu, list, 1, 7), 0);
	mmu_tlb_save(&m.mmu, &after, &lru);
	ck_assert_uint_eq(after.frame, FRAME);
	ck_assert_uint_eq(lru, 7);
	if (_i != sizeof(bad) / sizeof(bad[0]) - 1)
		ck_assert_int_eq(mmu_tlb_load(&s.mmu, list, 2, 7), -EINVAL);
	space_free(&m);
}
END_TEST

START_TEST(a_loaded_list_replaces_everything_and_is_told_as_one_drop)
{
	struct changes c = {0};
	uint32_t dropped[2] = {0};
	struct tlb_stats stats;

	open_page(LA2, PA2);
	s.mmu.tlb_changed = note_change;
	s.mmu.walked_owner = &c;
	s.mmu.fetch_dropped = note_dropped;
	s.mmu.owner = dropped;
	stats = s.mmu.stats;
	ck_assert_int_eq(mmu_tlb_load(&s.mmu, &good, 1, 0), 0);
	ck_assert_uint_eq(c.come + c.gone + c.changed, 0);
	ck_assert_uint_eq(dropped[1], 1u << 20);
	ck_assert(!memcmp(&stats, &s.mmu.stats, sizeof(stats)));
	ck_assert_uint_eq(fast(LA) + fast(LA2), 0);
	ck_assert_ptr_null(mmu_tlb_probe(&s.mmu, LA2));
	/* There is no such mapping in the tables: the entry answers. */
	ck_assert_uint_eq(reach(&s, LA + 4, ACCESS_READ, true), PA + 4);
	ck_assert_uint_eq(fast(LA), 4);
}
END_TEST

/* --- the property: none of this is noticed ------------------------------------------------------------------------- */

#define PAGES 24

static laddr_t some_la(uint32_t r)
{
	return r % 3 * 0x15800000u + (r >> 4) % PAGES * 0x77000u;
}

/* One step of the guest, the same for both. */
static uint64_t guest_step(struct space *p, uint32_t r, uint32_t r2)
{
	laddr_t la = some_la(r);

	switch (r2 % 32) {
	case 0 ... 5:
		put_pte(p, la, (0x300000 + (r2 >> 6) % 32 * PAGE_SIZE) | (r2 >> 16 & 0x167));
		return 0;
	case 6:
		put_pde(p, la, table_of(la) | PG_P | (r2 >> 16 & 0x127));
		return 0;
	case 7:
		put_pde(p, la, 0x00400000 | PG_P | PG_PS | (r2 >> 16 & 0x167));
		return 0;
	case 8:
		mmu_write_cr3(&p->mmu, DIR, NULL);
		return 0;
	case 9 ... 11:
		mmu_invlpg(&p->mmu, la);
		return 0;
	case 12:
		mmu_mark_code(&p->mmu, 0x300000 + (r2 >> 6) % 32 * PAGE_SIZE);
		return 0;
	default:
		return reach(p, la + (r >> 20), r2 >> 8 & 3 ? r2 >> 10 & 1 : ACCESS_FETCH, r2 >> 11 & 1);
	}
}

static void save_and_load(struct mmu *mmu)
{
	size_t n = mmu_tlb_count(mmu);
	struct tlb_entry *list = calloc(n + 1, sizeof(*list));
	uint64_t lru;

	mmu_tlb_save(mmu, list, &lru);
	for (size_t i = 0; i < n / 2; i++) {       /* any order will do */
		struct tlb_entry e = list[i];
		list[i] = list[n - 1 - i];
		list[n - 1 - i] = e;
	}
	ck_assert_int_eq(mmu_tlb_load(mmu, list, n, lru), 0);
	free(list);
}

static void meddle(struct space *p, uint32_t r, unsigned *watched)
{
	laddr_t la = some_la(r >> 8);
	unsigned slot = (r >> 8) % 3 * PAGES + (r >> 12) % PAGES;
	bool on = !watched[slot];

	switch (r % 8) {
	case 0:
		mmu_forget_vpn(&p->mmu, la >> PAGE_SHIFT);
		break;
	case 1:
		mmu_forget_frame(&p->mmu, 0x300 + (r >> 8) % 32);
		break;
	case 2:
		mmu_forget_writes(&p->mmu);
		break;
	case 3:
		save_and_load(&p->mmu);
		break;
	case 4:
		mmu_watch_all(&p->mmu, r >> 8 & 1);
		break;
	case 5:
		ck_assert_int_eq(mmu_watch_vpn(&p->mmu, la >> PAGE_SHIFT, on), 0);
		watched[slot] = on;
		break;
	default:
		break;
	}
}

static void check_same_tlb(const struct mmu *a, const struct mmu *b, unsigned step)
{
	size_t n = mmu_tlb_count(a);
	struct tlb_entry *x = calloc(n + 1, sizeof(*x)), *y = calloc(n + 1, sizeof(*y));
	uint64_t lru[2];

	ck_assert_uint_eq(mmu_tlb_count(b), n);
	mmu_tlb_save(a, x, &lru[0]);
	mmu_tlb_save(b, y, &lru[1]);
	ck_assert_uint_eq(lru[0], lru[1]);
	for (size_t i = 0; i < n; i++)
		ck_assert_msg(x[i].vpn == y[i].vpn && x[i].frame == y[i].frame && x[i].flags == y[i].flags && x[i].leaf == y[i].leaf &&
		              x[i].used == y[i].used, "step %u: entry %zu differs, page %x", step, i, x[i].vpn);
	free(x);
	free(y);
}

START_TEST(watching_forgetting_saving_and_loading_go_unnoticed)
{
	uint32_t seed = 0x1234567u + 99 * (uint32_t)_i;
	struct tlb_geometry g = _i % 2 ? (struct tlb_geometry){16, 2} : (struct tlb_geometry){0, 0};
	unsigned watched[3 * PAGES] = {0};
	static struct space plain, other;
	struct told told = {0};

	space_init(&plain, g);
	space_init(&other, g);
	other.mmu.translated = note_translated;
	other.mmu.walked_owner = &told;
	for (unsigned step = 0; step < 20000; step++) {
		uint32_t r = next_random(&seed), r2 = next_random(&seed);
		ck_assert_uint_eq(guest_step(&plain, r, r2), guest_step(&other, r, r2));
		meddle(&other, next_random(&seed), watched);
		if (step % 64 == 0)
			check_same_tlb(&plain.mmu, &other.mmu, step);
	}
	ck_assert(!memcmp(plain.phys.ram, other.phys.ram, RAM));
	ck_assert(!memcmp(&plain.mmu.stats, &other.mmu.stats, sizeof(plain.mmu.stats)));
	ck_assert_uint_gt(told.hits, 500);
	space_free(&plain);
	space_free(&other);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("watching");
	TCase *facts = tcase_create("facts"), *property = tcase_create("property");

	tcase_add_checked_fixture(facts, setup, teardown);
	tcase_add_loop_test(facts, a_forgotten_page_keeps_its_TLB_entry_and_is_fast_again_after_one_access, ACCESS_READ, ACCESS_FETCH + 1);
	tcase_add_test(facts, a_forgotten_frame_loses_every_alias);
	tcase_add_test(facts, after_forgotten_writes_a_write_makes_the_page_dirty_and_a_read_does_not);
	tcase_add_test(facts, each_access_to_a_watched_page_is_told);
	tcase_add_test(facts, watches_that_cannot_be_are_refused);
	tcase_add_test(facts, while_all_is_watched_nothing_is_fast);
	tcase_add_test(facts, every_change_of_the_TLB_is_told);
	tcase_add_loop_test(facts, a_bad_list_is_refused_and_changes_nothing, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(facts, a_loaded_list_replaces_everything_and_is_told_as_one_drop);
	suite_add_tcase(suite, facts);

	tcase_set_timeout(property, 60);
	tcase_add_loop_test(property, watching_forgetting_saving_and_loading_go_unnoticed, 0, 8);
	suite_add_tcase(suite, property);
	return run_suite(suite);
}
