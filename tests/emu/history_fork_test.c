/* tests/emu/history_fork_test.c: the machine is changed by hand, in the past and in the present, and the way there and back stays one. */
#include "tests/emu/history_rig.h"

#include <check.h>
#include <stdlib.h>

/* Twice at one moment, and a way back from there that is remembered, too: whoever runs over it or up to it meets what was changed last. */
START_TEST(changes_where_a_checkpoint_is_already)
{
	static const uint64_t at = 5 * MILLION, ends[] = { 0, MILLION };
	struct rig r;
	struct print present;

	for (unsigned i = 0; i < 2; i++) {
		start_pagoda(&r, (struct tlb_geometry){ 0, 0 }, script);
		remember(&r, PAGODA_LIMIT);
		ck_assert_int_eq(history_run(r.h, at), MACHINE_RAN);
		for (unsigned change = 1; change <= 2; change++) {
			ck_assert_int_eq(history_goto_tick(r.h, at - 1000, NULL, err), HISTORY_OK);
			ck_assert_int_eq(history_goto_tick(r.h, at, NULL, err), HISTORY_OK);
			ck_assert_int_eq(history_fork(r.h, err), 0);
			phys_write(&r.m->phys, 0xc8000, 4, change);
		}
		ck_assert(!ends[i] || history_run(r.h, ends[i]) == MACHINE_RAN);
		present = print_of(r.m, true);
		ck_assert_int_eq(history_goto_tick(r.h, at - 1000, NULL, err), HISTORY_OK);
		ck_assert_int_eq(history_run(r.h, 1000), MACHINE_RAN);
		ck_assert_uint_eq(phys_read(&r.m->phys, 0xc8000, 4), 2);
		ck_assert_int_eq(history_in_past(r.h), ends[i] != 0);
		ck_assert_int_eq(history_run(r.h, ends[i]), MACHINE_RAN);
		check_same(r.m, &present, true, "the present", i);
		ck_assert(!history_in_past(r.h));
		ck_assert_ptr_null(history_trouble(r.h));
		end(&r);
	}
}
END_TEST

/* --- a walk through time, drawn by lot ------------------------------------------------------------------------------------ */

#define SEEN 64
#ifdef __SANITIZE_ADDRESS__
#define WALKS 3
#else
#define WALKS 8
#endif

struct seen { uint64_t tick; struct print p; };

/* What is known of the run as it is now: a fork forgets what came after it. */
struct wander { struct rig r; struct seen seen[SEEN]; unsigned count, seed; };

static uint64_t drawn(struct wander *w, uint64_t below) { return ((uint64_t)rand_r(&w->seed) << 20 ^ (uint64_t)rand_r(&w->seed)) % below; }

static void look(struct wander *w, unsigned step)
{
	struct print now = print_of(w->r.m, false);
	uint64_t tick = machine_now(w->r.m);

	for (unsigned i = 0; i < w->count; i++)
		if (w->seen[i].tick == tick) {
			check_same(w->r.m, &w->seen[i].p, false, "walk, step", step);
			return;
		}
	w->seen[w->count < SEEN ? w->count++ : drawn(w, SEEN)] = (struct seen){ tick, now };
}

static void fork_here(struct wander *w)
{
	uint64_t tick = machine_now(w->r.m);
	unsigned kept = 0;

	ck_assert_int_eq(history_fork(w->r.h, err), 0);
	if (rand_r(&w->seed) % 4)
		phys_write(&w->r.m->phys, 0xc8000 + 4 * (uint32_t)drawn(w, 64), 4, (uint32_t)rand_r(&w->seed));
	for (unsigned i = 0; i < w->count; i++)
		if (w->seen[i].tick < tick)
			w->seen[kept++] = w->seen[i];
	w->count = kept;
}

static void step_somewhere(struct wander *w, unsigned step)
{
	uint64_t first = history_first(w->r.h).tick, present = history_present(w->r.h).tick;
	bool again = w->count && rand_r(&w->seed) % 2;

	switch (rand_r(&w->seed) % 5) {
	case 0:
		fork_here(w);
		break;
	case 1:
		ck_assert_int_eq(history_run(w->r.h, drawn(w, MILLION)), MACHINE_RAN);
		break;
	case 2:
		ck_assert_int_eq(history_run(w->r.h, present - machine_now(w->r.m)), MACHINE_RAN);
		break;
	default:
		ck_assert_msg(history_goto_tick(w->r.h, again ? w->seen[drawn(w, w->count)].tick : first + drawn(w, present - first + 1), NULL, err) ==
			HISTORY_OK, "step %u: %s", step, err);
	}
}

START_TEST(a_walk_through_time)
{
	struct wander w = { .seed = (unsigned)_i };

	start_pagoda(&w.r, (struct tlb_geometry){ 0, 0 }, script);
	remember(&w.r, _i % 2 ? 8u << 20 : 0);
	ck_assert_int_eq(history_run(w.r.h, 5 * MILLION), MACHINE_RAN);
	for (unsigned step = 0; step < 60; step++) {
		step_somewhere(&w, step);
		ck_assert_msg(!history_trouble(w.r.h), "step %u: %s", step, history_trouble(w.r.h));
		look(&w, step);
	}
	end(&w.r);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("history forks");
	TCase *t = tcase_create("forks");
	SRunner *r = srunner_create(s);

	tcase_set_timeout(t, 0);
	tcase_add_test(t, changes_where_a_checkpoint_is_already);
	tcase_add_loop_test(t, a_walk_through_time, 1, WALKS + 1);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
