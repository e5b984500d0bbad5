/* tests/emu/tui_parts_test.c: the parts of the full-screen debugger that need no terminal: layout and line editor. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/tui/editor.h"
#include "emu/tui/layout.h"

/* --- layout --------------------------------------------------------------------------------------------------------- */

static bool overlap(const struct rect *a, const struct rect *b)
{
	return a->rows && b->rows && a->y < b->y + b->rows && b->y < a->y + a->rows && a->x < b->x + b->cols && b->x < a->x + a->cols;
}

/* One assertion each would take minutes: each is told to the parent. */
#define REQUIRE(condition, ...) do { if (!(condition)) ck_abort_msg(__VA_ARGS__); } while (0)

static void check_layout(const struct layout *l, const struct layout_wish *wish)
{
	bool shown = false;

	for (int i = 0; i < SLOTS; i++) {
		const struct rect *r = &l->slot[i];
		if (!r->rows)
			continue;
		shown = true;
		REQUIRE(r->y >= 1 && r->y + r->rows <= l->time_row && r->x >= 0 && r->x + r->cols <= l->cols && r->rows >= 2 && r->cols > 8,
			"%dx%d slot %d: %d,%d %dx%d", l->cols, l->rows, i, r->x, r->y, r->cols, r->rows);
		for (int j = 0; j < i; j++)
			REQUIRE(!overlap(r, &l->slot[j]), "%dx%d: slots %d and %d overlap", l->cols, l->rows, i, j);
	}
	REQUIRE(shown && l->slot[wish->focus].rows, "%dx%d: the focus is not shown", l->cols, l->rows);
	REQUIRE(l->key_row == l->rows - 1, "%dx%d: the keys are not last", l->cols, l->rows);
}

START_TEST(every_window_has_a_layout_without_overlaps)
{
	for (int rows = 1; rows <= 80; rows++)
		for (int cols = 1; cols <= 220; cols++)
			for (int kind = 0; kind < 4 * SLOTS; kind++) {
				struct layout_wish wish = { .focus = (enum slot)(kind / 4), .zoom = kind & 1, .projector = kind & 2 };
				struct layout l;

				layout_make(&l, rows, cols, &wish);
				REQUIRE(l.too_small == (rows < LAYOUT_MIN_ROWS || cols < LAYOUT_MIN_COLS), "%dx%d", cols, rows);
				if (!l.too_small)
					check_layout(&l, &wish);
			}
}
END_TEST

static unsigned shown(int rows, int cols, const struct layout_wish *wish)
{
	struct layout l;
	unsigned n = 0;

	layout_make(&l, rows, cols, wish);
	for (int i = 0; i < SLOTS; i++)
		n += l.slot[i].rows > 0;
	return n;
}

START_TEST(larger_windows_show_more)
{
	struct layout_wish wish = { .focus = SLOT_MAIN };

	ck_assert_uint_eq(shown(10, 40, &wish), 1);
	ck_assert_uint_eq(shown(24, 80, &wish), 3);
	ck_assert_uint_eq(shown(40, 100, &wish), 5);
	ck_assert_uint_eq(shown(24, 160, &wish), 4);
	ck_assert_uint_eq(shown(50, 160, &wish), 6);
	wish.projector = true;
	ck_assert_uint_eq(shown(50, 160, &wish), 2);
	wish.zoom = true;
	ck_assert_uint_eq(shown(50, 160, &wish), 1);
}
END_TEST

START_TEST(the_diagram_has_its_rows_at_80x24)
{
	struct layout_wish wish = { .focus = SLOT_MAIN };
	struct layout l;

	layout_make(&l, 24, 80, &wish);
	ck_assert_int_eq(l.slot[SLOT_MAIN].cols, 80);
	ck_assert_int_ge(l.slot[SLOT_MAIN].rows, 12);
	ck_assert_int_ge(l.slot[SLOT_CODE].cols, 50);
}
END_TEST

START_TEST(the_focus_goes_round_what_is_shown)
{
	struct layout_wish wish = { .focus = SLOT_CODE };
	struct layout l;

	layout_make(&l, 24, 80, &wish);
	ck_assert_int_eq(layout_next(&l, SLOT_CODE, 1), SLOT_REGISTERS);
	ck_assert_int_eq(layout_next(&l, SLOT_REGISTERS, 1), SLOT_MAIN);
	ck_assert_int_eq(layout_next(&l, SLOT_MAIN, 1), SLOT_CODE);
	ck_assert_int_eq(layout_next(&l, SLOT_CODE, -1), SLOT_MAIN);
	ck_assert_int_eq(layout_at(&l, 2, 2), SLOT_CODE);
	ck_assert_int_eq(layout_at(&l, 2, 79), SLOT_REGISTERS);
	ck_assert_int_eq(layout_at(&l, 0, 2), -1);
	ck_assert_int_eq(layout_at(&l, 23, 2), -1);
}
END_TEST

/* --- editor --------------------------------------------------------------------------------------------------------- */

static struct editor e;

static void type(const char *s)
{
	for (; *s; s++)
		editor_insert(&e, *s);
}

static void check_line(const char *line, size_t cursor)
{
	ck_assert_str_eq(e.line, line);
	ck_assert_uint_eq(e.length, strlen(line));
	ck_assert_uint_eq(e.cursor, cursor);
}

static void editor_fresh(void) { editor_free(&e); }

START_TEST(characters_go_in_and_out_at_the_cursor)
{
	type("brek");
	editor_move(&e, -1);
	type("a");
	check_line("break", 4);
	editor_backspace(&e);
	check_line("brek", 3);
	editor_delete(&e);
	check_line("bre", 3);
	editor_delete(&e);
	editor_move(&e, 1);
	check_line("bre", 3);
	editor_home(&e);
	editor_backspace(&e);
	editor_move(&e, -1);
	check_line("bre", 0);
	editor_insert(&e, '\x1b');
	editor_insert(&e, (char)0xc3);
	check_line("bre", 0);
}
END_TEST

START_TEST(words_and_lines_are_cut)
{
	type("watch write  ");
	editor_kill_word(&e);
	check_line("watch ", 6);
	type("0x1000 4");
	editor_move(&e, -1);
	editor_move(&e, -1);
	editor_kill_to_end(&e);
	check_line("watch 0x1000", 12);
	editor_kill_line(&e);
	check_line("", 0);
	editor_kill_word(&e);
	editor_kill_line(&e);
	check_line("", 0);
}
END_TEST

START_TEST(a_line_has_an_end)
{
	for (int i = 0; i < 2 * EDITOR_LINE; i++)
		editor_insert(&e, 'x');
	ck_assert_uint_eq(e.length, EDITOR_LINE - 1);
	ck_assert_uint_eq(strlen(e.line), EDITOR_LINE - 1);
	editor_replace(&e, 10, "longer than the room that is left");
	ck_assert_uint_eq(e.length, 10 + strlen("longer than the room that is left"));
}
END_TEST

START_TEST(history_is_walked_and_the_draft_survives)
{
	editor_remember(&e, "step");
	editor_remember(&e, "step");
	editor_remember(&e, "");
	editor_remember(&e, "why");
	ck_assert_uint_eq(e.count, 2);
	type("got");
	editor_older(&e);
	check_line("why", 3);
	editor_older(&e);
	editor_older(&e);
	check_line("step", 4);
	editor_newer(&e);
	editor_newer(&e);
	check_line("got", 3);
	editor_newer(&e);
	check_line("got", 3);
}
END_TEST

START_TEST(old_history_is_dropped)
{
	char line[32];

	for (int i = 0; i < EDITOR_HISTORY + 5; i++) {
		snprintf(line, sizeof(line), "goto %d", i);
		editor_remember(&e, line);
	}
	ck_assert_uint_eq(e.count, EDITOR_HISTORY);
	ck_assert_str_eq(e.history[0], "goto 5");
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("tui parts");
	TCase *t = tcase_create("layout");

	tcase_add_test(t, every_window_has_a_layout_without_overlaps);
	tcase_add_test(t, larger_windows_show_more);
	tcase_add_test(t, the_diagram_has_its_rows_at_80x24);
	tcase_add_test(t, the_focus_goes_round_what_is_shown);
	suite_add_tcase(s, t);
	t = tcase_create("editor");
	tcase_add_checked_fixture(t, NULL, editor_fresh);
	tcase_add_test(t, characters_go_in_and_out_at_the_cursor);
	tcase_add_test(t, words_and_lines_are_cut);
	tcase_add_test(t, a_line_has_an_end);
	tcase_add_test(t, history_is_walked_and_the_draft_survives);
	tcase_add_test(t, old_history_is_dropped);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(suite());
	int failed;

	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
