/* tests/emu/text_test.c: styled text: columns, lines, and that nothing a guest wrote reaches a terminal or an SVG as an order. */
#include "emu/debug/text.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct text t;
static void setup(void) { t = (struct text){ 0 }; }
static void teardown(void) { text_free(&t); }

/* What a writer wrote; the caller frees it. */
static char *written(int (*write)(const struct text *, FILE *))
{
	char *buf = NULL;
	size_t size;
	FILE *out = open_memstream(&buf, &size);

	ck_assert_int_eq(write(&t, out), 0);
	fclose(out);
	return buf;
}

static int write_svg(const struct text *text, FILE *out)
{
	return text_write_svg(text, "A <title> & more", out);
}

static void expect(int (*write)(const struct text *, FILE *), const char *wanted)
{
	char *got = written(write);

	ck_assert_str_eq(got, wanted);
	free(got);
}

START_TEST(every_byte_has_the_style_it_was_put_with)
{
	text_put(&t, STYLE_NAME, "%s", "main");
	text_add(&t, "+%d\n", 4);
	ck_assert_str_eq(text_plain(&t), "main+4\n");
	ck_assert_int_eq(t.style[3], STYLE_NAME);
	ck_assert_int_eq(t.style[4], STYLE_PLAIN);
}
END_TEST

START_TEST(a_text_grows_beyond_any_buffer)
{
	char word[1001];

	memset(word, 'x', 1000);
	word[1000] = 0;
	for (unsigned i = 0; i < 50; i++)
		text_put(&t, STYLE_BAD, "%s\n", word);
	ck_assert_uint_eq(t.size, 50 * 1001);
	ck_assert_uint_eq(text_lines(&t), 50);
	ck_assert_int_eq(t.style[t.size - 1], STYLE_BAD);
	ck_assert_uint_eq(strlen(text_plain(&t)), t.size);
}
END_TEST

START_TEST(columns_count_characters_not_bytes)
{
	text_add(&t, "first\n\xc3\xa9\xe2\x86\x92");
	text_column(&t, 5);
	text_add(&t, "|");
	ck_assert_str_eq(text_plain(&t), "first\n\xc3\xa9\xe2\x86\x92   |");
	text_column(&t, 3);
	text_add(&t, "|");
	ck_assert_str_eq(text_plain(&t), "first\n\xc3\xa9\xe2\x86\x92   ||");
}
END_TEST

START_TEST(lines_are_found_by_number)
{
	size_t length;
	const uint8_t *style;

	text_add(&t, "one\n\n");
	text_put(&t, STYLE_HERE, "three");
	ck_assert_uint_eq(text_lines(&t), 3);
	const char *p = text_line(&t, 2, &length, &style);
	ck_assert_int_eq(strncmp(p, "three", length), 0);
	ck_assert_uint_eq(length, 5);
	ck_assert_int_eq(style[0], STYLE_HERE);
	text_line(&t, 1, &length, NULL);
	ck_assert_uint_eq(length, 0);
	text_line(&t, 7, &length, NULL);
	ck_assert_uint_eq(length, 0);
}
END_TEST

START_TEST(an_empty_text_is_no_lines)
{
	size_t length;

	ck_assert_uint_eq(text_lines(&t), 0);
	ck_assert_str_eq(text_plain(&t), "");
	text_line(&t, 0, &length, NULL);
	ck_assert_uint_eq(length, 0);
	expect(text_write_plain, "");
	expect(text_write_ansi, "");
}
END_TEST

START_TEST(control_characters_come_out_as_question_marks)
{
	text_add(&t, "a\033[2Jb\rc\x7f\tT\xc2\x9b" "31m\n");
	expect(text_write_plain, "a?[2Jb?c?\tT?31m\n");
	expect(text_write_ansi, "a?[2Jb?c?\tT?31m\n");
}
END_TEST

/* Cut short, overlong, a surrogate, beyond Unicode, a lone continuation, and the override that shows text backwards. */
START_TEST(bytes_that_are_no_characters_come_out_as_question_marks)
{
	text_add(&t, "\xe2\x86|\xc0\xaf|\xed\xa0\x80|\xf4\x90\x80\x80|\x80|\xe2\x80\xae|\xc3");
	expect(text_write_plain, "\?\?|\?\?|\?\?\?|\?\?\?\?|?|?|?");
}
END_TEST

START_TEST(colours_end_with_their_line)
{
	text_put(&t, STYLE_HERE, "x\n");
	text_add(&t, "y\n");
	expect(text_write_ansi, "\033[0m\033[7mx\033[0m\ny\n");
}
END_TEST

START_TEST(svg_escapes_what_xml_reads)
{
	text_add(&t, "<a href=\"x\">&\001");
	text_put(&t, STYLE_BAD, "P=0\n");
	char *svg = written(write_svg);
	ck_assert_ptr_nonnull(strstr(svg, "&lt;a href=&quot;x&quot;&gt;&amp;?</text>"));
	ck_assert_ptr_nonnull(strstr(svg, "<title>A &lt;title&gt; &amp; more</title>"));
	ck_assert_ptr_nonnull(strstr(svg, "font-weight=\"bold\" text-decoration=\"underline\">P=0</text>"));
	ck_assert_int_eq(strncmp(svg, "<svg ", 5), 0);
	ck_assert_str_eq(svg + strlen(svg) - 7, "</svg>\n");
	free(svg);
}
END_TEST

/* A run of another style stands in the column it has on a terminal, tabs included. */
START_TEST(svg_keeps_columns)
{
	text_add(&t, "ab\t");
	text_put(&t, STYLE_NAME, "c");
	char *svg = written(write_svg);
	ck_assert_ptr_nonnull(strstr(svg, "x=\"12.0\" y=\"26\""));
	ck_assert_ptr_nonnull(strstr(svg, "x=\"79.2\" y=\"26\""));      /* 12 + 8 * 8.4 */
	free(svg);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("text");
	Suite *s = suite_create("text");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, every_byte_has_the_style_it_was_put_with);
	tcase_add_test(tc, a_text_grows_beyond_any_buffer);
	tcase_add_test(tc, columns_count_characters_not_bytes);
	tcase_add_test(tc, lines_are_found_by_number);
	tcase_add_test(tc, an_empty_text_is_no_lines);
	tcase_add_test(tc, control_characters_come_out_as_question_marks);
	tcase_add_test(tc, bytes_that_are_no_characters_come_out_as_question_marks);
	tcase_add_test(tc, colours_end_with_their_line);
	tcase_add_test(tc, svg_escapes_what_xml_reads);
	tcase_add_test(tc, svg_keeps_columns);
	suite_add_tcase(s, tc);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
