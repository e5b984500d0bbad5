/* tests/emu/checker_test.c: the paging checker on Pagoda, which does everything right: not one finding while it pages and swaps, and state,
 * TLB and statistics as without it. */
#include "small_pagoda.h"

#include "emu/debug/check/checker.h"

#define MILLION 1000000u
#ifdef __SANITIZE_ADDRESS__
#define MILLIONS 4
#else
#define MILLIONS 200
#endif

static void tell(void *owner, const struct finding *f)
{
	struct text t = { 0 };

	(void)owner;
	finding_describe(NULL, f, &t);
	ck_abort_msg("a false alarm: %s", text_plain(&t));
}

static struct checker *start(struct machine *m)
{
	char err[ERROR_LINE];
	struct checker *c = checker_start(m, CHECK_STOP, tell, NULL, err);

	ck_assert_msg(c, "%s", err);
	return c;
}

static void check_same(struct machine *a, struct machine *b, unsigned million)
{
	struct tlb_stats s = a->mmu.stats, t = b->mmu.stats;

	if (!a->mmu.geometry.entries)
		s.hits = t.hits;               /* of a flat TLB only those count that no fast entry answers */
	ck_assert_msg(machine_hash(a) == machine_hash(b), "the state differs after %u million ticks", million);
	ck_assert_uint_eq(mmu_tlb_count(&a->mmu), mmu_tlb_count(&b->mmu));
	ck_assert(!memcmp(&s, &t, sizeof(s)));
}

/* The checker may begin, end and begin again anywhere. */
static void compare(struct tlb_geometry tlb, unsigned millions)
{
	struct rig plain, checked;

	rig_start(&plain, tlb);
	rig_start(&checked, tlb);
	struct checker *c = start(checked.m);
	for (unsigned i = 1; i <= millions; i++) {
		ck_assert_int_eq(machine_run(plain.m, MILLION), MACHINE_RAN);
		ck_assert_int_eq(machine_run(checked.m, MILLION), MACHINE_RAN);
		check_same(plain.m, checked.m, i);
		if (i % 16 == 3) {
			checker_stop(c);
			c = start(checked.m);
		}
		if (i % 16 == 7)
			machine_jumped(checked.m);
	}
	ck_assert_uint_eq(plain.printed, checked.printed);
	checker_stop(c);
	rig_end(&plain);
	rig_end(&checked);
}

START_TEST(pagoda_is_silent_and_the_same)
{
	compare((struct tlb_geometry){ 0, 0 }, MILLIONS);
}
END_TEST

START_TEST(so_it_is_with_a_modelled_tlb)
{
	compare((struct tlb_geometry){ 64, 4 }, MILLIONS / 8 + 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("checker");
	TCase *t = tcase_create("checker");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 0);
	tcase_add_test(t, pagoda_is_silent_and_the_same);
	tcase_add_test(t, so_it_is_with_a_modelled_tlb);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
