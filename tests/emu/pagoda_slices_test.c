/* tests/emu/pagoda_slices_test.c: Pagoda, paging and swapping in 4 MB, run whole and run in pieces of random length: the same state at
 * every million ticks. Whatever can depend on where a run was cut (blocks of instructions, interrupts, DMA, Accessed bits,
 * device deadlines) would show here. */
#include "small_pagoda.h"

#define MILLION 1000000u
#ifdef __SANITIZE_ADDRESS__
#define FLAT_MILLIONS 12
#define MODELLED_MILLIONS 3
#else
#define FLAT_MILLIONS 400
#define MODELLED_MILLIONS 15
#endif

/* Mostly long pieces, sometimes a stretch of very short ones. */
static uint64_t piece(unsigned *seed)
{
	unsigned kind = (unsigned)rand_r(seed) % 16, length = (unsigned)rand_r(seed);

	return 1 + (kind == 0 ? length % 40 : kind < 4 ? length % 3000 : length % 60000);
}

static void compare(struct tlb_geometry tlb, unsigned millions, unsigned seed)
{
	struct rig whole, cut;

	rig_start(&whole, tlb);
	rig_start(&cut, tlb);
	for (unsigned i = 1; i <= millions; i++) {
		ck_assert_int_eq(machine_run(whole.m, MILLION), MACHINE_RAN);
		for (uint64_t left = MILLION; left; ) {
			uint64_t n = piece(&seed);

			n = n < left ? n : left;
			ck_assert_int_eq(machine_run(cut.m, n), MACHINE_RAN);
			left -= n;
		}
		ck_assert_msg(machine_hash(whole.m) == machine_hash(cut.m), "state differs after %u million ticks", i);
	}
	ck_assert_uint_eq(whole.printed, cut.printed);
	ck_assert_uint_gt(whole.printed, 100);
	rig_end(&whole);
	rig_end(&cut);
}

START_TEST(pagoda_in_pieces_is_pagoda_whole)
{
	compare((struct tlb_geometry){ 0, 0 }, FLAT_MILLIONS, 1);
}
END_TEST

START_TEST(so_it_is_with_a_modelled_tlb)
{
	compare((struct tlb_geometry){ 64, 4 }, MODELLED_MILLIONS, 2);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("slices");
	TCase *t = tcase_create("slices");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 0);
	tcase_add_test(t, pagoda_in_pieces_is_pagoda_whole);
	tcase_add_test(t, so_it_is_with_a_modelled_tlb);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
