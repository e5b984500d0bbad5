/* tests/emu/options_test.c: what the option tables accept and refuse, and what they suggest. */
#include "emu/options.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "emu/loader.h"

static struct run_options options;
static char err[ERROR_LINE];

#define PARSE(...) parse((char *[]){ __VA_ARGS__, NULL })
static int parse(char **argv)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	*err = 0;
	run_options_init(&options);
	return options_parse(&run_option_set, argc, argv, &options, err);
}

START_TEST(a_size_is_a_number_with_a_unit_and_megabytes_without)
{
	static const struct { const char *text; uint64_t bytes; } good[] = {
		{ "4M", 4u << 20 }, { "64m", 64u << 20 }, { "1G", 1u << 30 }, { "512K", 512u << 10 }, { "8", 8u << 20 }, { "2MB", 2u << 20 },
		{ "0", 0 }, { "5G", 5ull << 30 },
	};
	static const char *const bad[] = { "", "abc", "M", "4X", "4MM", "-4M", "4 M", "4.5M", "99999999999999999999", "18446744073709551615M", "0x10M" };
	uint64_t bytes;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert_msg(parse_size(good[i].text, &bytes), "'%s' is a size", good[i].text);
		ck_assert_msg(bytes == good[i].bytes, "'%s' is %llu bytes", good[i].text, (unsigned long long)bytes);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!parse_size(bad[i], &bytes), "'%s' is no size", bad[i]);
}
END_TEST

START_TEST(every_option_has_its_effect)
{
	ck_assert_int_eq(PARSE("--memory", "8M", "--kernel=k", "--initrd", "i", "--append", "a b", "--disk", "d1", "--disk", "d2", "--snapshot", "--no-reboot",
		"--serial", "file:out", "--engine", "interp", "--tlb", "entries=64,ways=4", "--seed", "7", "--timeout", "1.5",
		"--max-instructions", "1000", "--status-json", "s", "--trace", "int,walk:t", "image"), OPTIONS_OK);
	ck_assert_uint_eq(options.memory, 8u << 20);
	ck_assert_str_eq(options.kernel, "k");
	ck_assert_str_eq(options.initrd[0], "i");
	ck_assert_str_eq(options.append, "a b");
	ck_assert_uint_eq(options.disks, 2);
	ck_assert_str_eq(options.disk[1], "d2");
	ck_assert(options.snapshot);
	ck_assert(options.no_reboot);
	ck_assert_int_eq(options.serial, SERIAL_FILE);
	ck_assert_str_eq(options.serial_path, "out");
	ck_assert_uint_eq(options.tlb.entries, 64);
	ck_assert_uint_eq(options.tlb.ways, 4);
	ck_assert_uint_eq(options.seed, 7);
	ck_assert_uint_eq(options.timeout_ms, 1500);
	ck_assert_uint_eq(options.max_instructions, 1000);
	ck_assert_str_eq(options.status_json, "s");
	ck_assert_uint_eq(options.trace, TRACE_INT | TRACE_WALK);
	ck_assert_str_eq(options.trace_path, "t");
	ck_assert_str_eq(options.image, "image");
}
END_TEST

START_TEST(one_dash_is_as_good_as_two)
{
	ck_assert_int_eq(PARSE("-kernel", "k", "-initrd=i", "-append", "a b", "-snapshot"), OPTIONS_OK);
	ck_assert_str_eq(options.kernel, "k");
	ck_assert_str_eq(options.initrd[0], "i");
	ck_assert_str_eq(options.append, "a b");
	ck_assert(options.snapshot);
	ck_assert_int_eq(PARSE("-kernels", "k"), OPTIONS_ERROR);
	ck_assert_int_eq(PARSE("kernel", "k"), OPTIONS_ERROR);
}
END_TEST

START_TEST(defaults_are_64M_stdio_and_a_flat_tlb)
{
	ck_assert_int_eq(parse((char *[]){ NULL }), OPTIONS_OK);
	ck_assert_uint_eq(options.memory, 64u << 20);
	ck_assert_int_eq(options.serial, SERIAL_STDIO);
	ck_assert_uint_eq(options.tlb.entries, 0);
	ck_assert_uint_eq(options.timeout_ms, 0);
	ck_assert_ptr_null(options.image);
}
END_TEST

/* Each refused with one line that names the offending text. */
static char *const refused[][3] = {
	{ "--memory", "0", "'0'" }, { "--memory", "5G", "'5G'" }, { "--memory", "abc", "'abc'" }, { "--memory", "1025K", "'1025K'" },
	{ "--memory", "512K", "'512K'" }, { "--serial", "tape", "'tape'" }, { "--serial", "file:", "'file:'" }, { "--engine", "jit", "'jit'" },
	{ "--tlb", "round", "'round'" }, { "--tlb", "entries=48,ways=4", "'entries=48,ways=4'" }, { "--tlb", "entries=0,ways=0", "'entries=0,ways=0'" },
	{ "--tlb", "entries=131072,ways=2", "'entries=131072,ways=2'" }, { "--tlb", "entries=64,ways=4x", "'entries=64,ways=4x'" },
	{ "--seed", "x", "'x'" }, { "--timeout", "0", "'0'" }, { "--timeout", "soon", "'soon'" }, { "--timeout", "-1", "'-1'" },
	{ "--timeout", "nan", "'nan'" }, { "--max-instructions", "0", "'0'" }, { "--max-instructions", "1e6", "'1e6'" },
	{ "--max-instructions", "18446744073709551616", "'18446744073709551616'" }, { "--seed", "-1", "'-1'" },
	{ "--kernel", "", "''" }, { "--disk", "", "''" }, { "--initrd", "", "''" }, { "--status-json", "", "''" }, { "--trace", "int:", "''" },
	{ "--trace", "foo", "'foo'" }, { "--trace", "", "''" }, { "--trace", "int,,exc", "'int,,exc'" },
};

START_TEST(a_bad_value_is_refused_and_named)
{
	char *const *row = refused[_i];

	ck_assert_int_eq(PARSE(row[0], row[1]), OPTIONS_ERROR);
	ck_assert_msg(strstr(err, row[0]) && strstr(err, row[2]), "%s %s: %s", row[0], row[1], err);
	ck_assert_ptr_null(strchr(err, '\n'));
}
END_TEST

START_TEST(an_unknown_option_gets_the_nearest_name)
{
	static char *const typos[][2] = {
		{ "--memroy", "--memory" }, { "--mem", "--memory" }, { "--snapshoot", "--snapshot" }, { "--disks", "--disk" }, { "--kernal", "--kernel" },
		{ "--max-instruction", "--max-instructions" }, { "--hepl", "--help" }, { "--memroy=4M", "--memory" },
	};

	for (size_t i = 0; i < sizeof(typos) / sizeof(typos[0]); i++) {
		ck_assert_int_eq(PARSE(typos[i][0], "4M"), OPTIONS_ERROR);
		ck_assert_msg(strstr(err, "did you mean"), "%s: %s", typos[i][0], err);
		ck_assert_msg(strstr(err, typos[i][1]), "%s: %s", typos[i][0], err);
	}
	ck_assert_int_eq(PARSE("--xyzzy"), OPTIONS_ERROR);
	ck_assert_ptr_null(strstr(err, "did you mean"));
}
END_TEST

START_TEST(a_leading_zero_is_not_octal_and_0x_is_hexadecimal)
{
	ck_assert_int_eq(PARSE("--max-instructions", "0100", "--seed=0x10"), OPTIONS_OK);
	ck_assert_uint_eq(options.max_instructions, 100);
	ck_assert_uint_eq(options.seed, 16);
	ck_assert_int_eq(PARSE("--seed", "09"), OPTIONS_OK);
	ck_assert_int_eq(PARSE("--seed", "0x"), OPTIONS_ERROR);
}
END_TEST

START_TEST(a_second_trace_adds_events_and_keeps_the_file)
{
	ck_assert_int_eq(PARSE("--trace", "int:t", "--trace", "exc"), OPTIONS_OK);
	ck_assert_uint_eq(options.trace, TRACE_INT | TRACE_EXC);
	ck_assert_str_eq(options.trace_path, "t");
}
END_TEST

START_TEST(values_and_operands_are_counted)
{
	ck_assert_int_eq(PARSE("--memory"), OPTIONS_ERROR);
	ck_assert_ptr_nonnull(strstr(err, "needs a value"));
	ck_assert_int_eq(PARSE("--snapshot=yes"), OPTIONS_ERROR);
	ck_assert_int_eq(PARSE("a", "b"), OPTIONS_ERROR);
	ck_assert_ptr_nonnull(strstr(err, "'b'"));
	ck_assert_int_eq(PARSE("--disk", "1", "--disk", "2", "--disk", "3", "--disk", "4", "--disk", "5"), OPTIONS_ERROR);
	ck_assert_int_eq(PARSE("--", "--memory"), OPTIONS_OK);
	ck_assert_str_eq(options.image, "--memory");
	ck_assert_int_eq(PARSE("--help"), OPTIONS_HELP);
	ck_assert_int_eq(PARSE("--help=yes"), OPTIONS_ERROR);
	ck_assert_str_eq(err, "--help takes no value");
	ck_assert_int_eq(PARSE(""), OPTIONS_ERROR);
}
END_TEST

START_TEST(help_names_every_option_after_the_examples)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	options_help(&run_option_set, f);
	fclose(f);
	ck_assert_int_eq(strncmp(text, "examples:", 9), 0);
	for (const struct option_row *r = run_option_set.rows; r->name; r++)
		ck_assert_msg(strstr(text, r->name), "help lacks %s", r->name);
	free(text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("options");
	TCase *t = tcase_create("options");
	SRunner *r = srunner_create(s);

	tcase_add_test(t, a_size_is_a_number_with_a_unit_and_megabytes_without);
	tcase_add_test(t, every_option_has_its_effect);
	tcase_add_test(t, one_dash_is_as_good_as_two);
	tcase_add_test(t, defaults_are_64M_stdio_and_a_flat_tlb);
	tcase_add_loop_test(t, a_bad_value_is_refused_and_named, 0, sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(t, an_unknown_option_gets_the_nearest_name);
	tcase_add_test(t, a_leading_zero_is_not_octal_and_0x_is_hexadecimal);
	tcase_add_test(t, a_second_trace_adds_events_and_keeps_the_file);
	tcase_add_test(t, values_and_operands_are_counted);
	tcase_add_test(t, help_names_every_option_after_the_examples);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
