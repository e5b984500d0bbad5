/* tests/emu/tui_parts_test.c: the parts of the full-screen debugger that need no terminal: layout, line editor, time bar, characters. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/tui/editor.h"
#include "emu/tui/glyphs.h"
#include "emu/tui/layout.h"
#include "emu/tui/timebar.h"

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

/* --- time bar --------------------------------------------------------------------------------------------------------- */

static const char *bar(const struct timebar *b, unsigned width)
{
	static struct text t;

	text_clear(&t);
	timebar_draw(b, width, &t);
	return text_plain(&t);
}

START_TEST(the_bar_shows_where_we_are)
{
	uint64_t checkpoint[] = { 0, 500 };
	struct timebar_marks faults = { 0 };
	struct timebar b = { .first = 0, .now = 1000, .present = 1000, .checkpoint = checkpoint, .checkpoints = 2, .faults = &faults, .ascii = true };

	timebar_note(&faults, 750);
	ck_assert_str_eq(bar(&b, 30), " 0 |'--------'---:---O| 1,000");
	b.now = 500;
	ck_assert_str_eq(bar(&b, 30), " 0 |'--------O...:....| 1,000");
	b.now = 0;
	b.ascii = false;
	ck_assert_str_eq(bar(&b, 30), " 0 ├●┄┄┄┄┄┄┄┄┴┄┄┄▂┄┄┄┄┤ 1,000");
	ck_assert_str_eq(bar(&b, 10), "");
	for (uint64_t i = 760; i < 800; i++)
		timebar_note(&faults, i);
	ck_assert_str_eq(bar(&b, 30), " 0 ├●┄┄┄┄┄┄┄┄┴┄┄┄▆▁┄┄┄┤ 1,000");
	b = (struct timebar){ .ascii = true };
	ck_assert_str_eq(bar(&b, 16), " 0 |O.......| 0");
	b.first = b.now = b.present = UINT64_MAX;
	ck_assert_ptr_nonnull(strchr(bar(&b, 80), 'O'));
}
END_TEST

START_TEST(a_click_on_the_bar_is_a_moment)
{
	struct timebar b = { .first = 100, .now = 100, .present = 1100 };
	uint64_t at = 0;
	unsigned hits = 0;

	for (unsigned column = 0; column < 80; column++) {
		uint64_t was = at;
		if (!timebar_moment(&b, 80, column, &at))
			continue;
		if (hits++)
			ck_assert_uint_gt(at, was);
		else
			ck_assert_uint_eq(at, 100);
	}
	ck_assert_uint_eq(at, 1100);
	ck_assert_uint_gt(hits, 50);
	ck_assert_uint_eq(timebar_column(&b, 80), 1000 / (hits - 1));
	ck_assert(!timebar_moment(&b, 8, 4, &at));
}
END_TEST

START_TEST(too_many_faults_are_thinned_evenly)
{
	struct timebar_marks m = { 0 };

	for (uint64_t i = 1; i <= 10 * TIMEBAR_MARKS; i++)
		timebar_note(&m, i);
	ck_assert_uint_le(m.count, TIMEBAR_MARKS);
	ck_assert_uint_ge(m.count, TIMEBAR_MARKS / 2);
	for (size_t i = 1; i < m.count; i++)
		if (m.at[i] <= m.at[i - 1] || m.at[i] - m.at[i - 1] > 2 * m.keep)
			ck_abort_msg("uneven at %zu", i);
	timebar_note(&m, 5);                   /* the past again */
	timebar_forget(&m, 1000);
	ck_assert_uint_le(m.at[m.count - 1], 1000);
}
END_TEST

START_TEST(numbers_have_commas)
{
	char buf[32];

	ck_assert_str_eq(timebar_number(0, buf), "0");
	ck_assert_str_eq(timebar_number(999, buf), "999");
	ck_assert_str_eq(timebar_number(1000, buf), "1,000");
	ck_assert_str_eq(timebar_number(UINT64_MAX, buf), "18,446,744,073,709,551,615");
}
END_TEST

/* --- characters ------------------------------------------------------------------------------------------------------- */

static uint32_t first(const char *bytes, size_t size, size_t *used)
{
	const char *p = bytes;
	uint32_t c = glyph_next(&p, bytes + size);

	*used = (size_t)(p - bytes);
	return c;
}

START_TEST(utf8_is_read_and_what_is_none_is_replaced)
{
	static const struct { const char *bytes; uint32_t c; size_t used; } cases[] = {
		{ "a", 'a', 1 }, { "\t", ' ', 1 }, { "\x1b", '?', 1 }, { "\x7f", '?', 1 }, { "\xc3\xa9", 0xe9, 2 }, { "\xe2\x94\x80", 0x2500, 3 },
		{ "\xf0\x9f\x98\x80", 0x1f600, 4 }, { "\xe2\x94", 0xfffd, 1 }, { "\xc0\x80", 0xfffd, 1 }, { "\xed\xa0\x80", 0xfffd, 1 },
		{ "\xf4\x90\x80\x80", 0xfffd, 1 }, { "\x80", 0xfffd, 1 }, { "\xff", 0xfffd, 1 }, { "\xc2\x9b", 0xfffd, 1 },
	};
	size_t used;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_uint_eq(first(cases[i].bytes, strlen(cases[i].bytes), &used), cases[i].c);
		ck_assert_uint_eq(used, cases[i].used);
	}
}
END_TEST

START_TEST(boxes_and_arrows_have_something_like_them_in_ascii)
{
	static const struct { uint32_t c; char ascii; } cases[] = {
		{ 'x', 'x' }, { 0x2500, '-' }, { 0x2501, '-' }, { 0x2502, '|' }, { 0x2503, '|' }, { 0x2504, '-' }, { 0x2506, '|' }, { 0x250c, '+' }, { 0x253c, '+' }, { 0x2550, '-' },
		{ 0x2551, '|' }, { 0x2554, '+' }, { 0x2192, '>' }, { 0x25cf, 'O' }, { 0x2588, '#' }, { 0x4e00, '?' }, { 0xfffd, '?' },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_int_eq(glyph_ascii(cases[i].c), cases[i].ascii);
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
	t = tcase_create("time bar");
	tcase_add_test(t, the_bar_shows_where_we_are);
	tcase_add_test(t, a_click_on_the_bar_is_a_moment);
	tcase_add_test(t, too_many_faults_are_thinned_evenly);
	tcase_add_test(t, numbers_have_commas);
	suite_add_tcase(s, t);
	t = tcase_create("characters");
	tcase_add_test(t, utf8_is_read_and_what_is_none_is_replaced);
	tcase_add_test(t, boxes_and_arrows_have_something_like_them_in_ascii);
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
