/* tests/emu/input_test.c: the input log. */
#include "emu/input.h"

#include <check.h>
#include <stdlib.h>

static const char *script;
static int next_byte(void *owner)
{
	(void)owner;
	return *script ? (unsigned char)*script++ : -1;
}

static struct input in;
static void setup(void)
{
	script = "abc";
	input_init(&in, (struct input_source){ next_byte, NULL });
}
static void teardown(void) { input_free(&in); }

START_TEST(bytes_enter_at_multiples_of_the_grid_only)
{
	ck_assert_uint_eq(input_next_tick(&in, 0), INPUT_GRID);
	ck_assert_uint_eq(input_next_tick(&in, INPUT_GRID - 1), INPUT_GRID);
	ck_assert_uint_eq(input_next_tick(&in, INPUT_GRID), 2 * INPUT_GRID);
	ck_assert_int_eq(input_take(&in, INPUT_GRID + 1), -1);
	ck_assert_int_eq(input_take(&in, INPUT_GRID), 'a');
}
END_TEST

START_TEST(what_entered_is_in_the_log_with_its_tick)
{
	ck_assert_int_eq(input_take(&in, INPUT_GRID), 'a');
	ck_assert_int_eq(input_take(&in, 3 * INPUT_GRID), 'b');
	ck_assert_uint_eq(in.count, 2);
	ck_assert_uint_eq(in.event[1].tick, 3 * INPUT_GRID);
	ck_assert_uint_eq(in.event[1].byte, 'b');
}
END_TEST

START_TEST(a_replay_gives_the_same_bytes_at_the_same_ticks)
{
	static const struct input_event log[] = { { 5, 'x' }, { 5, 'y' }, { 900, 'z' } };

	ck_assert_int_eq(input_replay(&in, log, 3), 0);
	ck_assert_uint_eq(input_next_tick(&in, 0), 5);
	ck_assert_int_eq(input_take(&in, 4), -1);
	ck_assert_int_eq(input_take(&in, 5), 'x');
	ck_assert_int_eq(input_take(&in, 5), 'y');
	ck_assert_int_eq(input_take(&in, 5), -1);
	ck_assert_uint_eq(input_next_tick(&in, 5), 900);
	ck_assert_int_eq(input_take(&in, 900), 'z');
	ck_assert_uint_eq(input_next_tick(&in, 900), UINT64_MAX);
}
END_TEST

START_TEST(the_log_grows_past_its_first_size)
{
	static char many[5001];

	for (int i = 0; i < 5000; i++)
		many[i] = (char)('a' + i % 26);
	script = many;
	for (int i = 0; i < 5000; i++)
		ck_assert_int_eq(input_take(&in, INPUT_GRID), 'a' + i % 26);
	ck_assert_uint_eq(in.count, 5000);
	ck_assert_uint_eq(in.event[4999].byte, 'a' + 4999 % 26);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("input");
	TCase *t = tcase_create("input");
	SRunner *r = srunner_create(s);

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, bytes_enter_at_multiples_of_the_grid_only);
	tcase_add_test(t, what_entered_is_in_the_log_with_its_tick);
	tcase_add_test(t, a_replay_gives_the_same_bytes_at_the_same_ticks);
	tcase_add_test(t, the_log_grows_past_its_first_size);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
