/* tests/emu/expr_test.c: expressions, and registers by name. */
#include "emu/debug/expr.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/debug/guest/source.h"

static char err[ERROR_LINE];
static struct kernel kernel;
static struct machine *m;
static struct history *h;
static struct debugger d;

/* A machine that has run long enough to have paging on, and a page taken away. */
static void setup(void)
{
	ck_assert_msg(!kernel_open(&kernel, GUEST_DIR "/stepping.elf", err), "%s", err);
	m = machine_create(&(struct machine_config){ .memory = 4u << 20, .kernel = &kernel }, err);
	ck_assert_msg(m, "%s", err);
	h = history_create(m, 0, err);
	ck_assert_msg(h, "%s", err);
	ck_assert_msg(!debugger_init(&d, m, h, err), "%s", err);
	d.source = source_open(&kernel);
	ck_assert_ptr_nonnull(d.source);
	uint32_t la;
	ck_assert(source_find(&d, "touch", &la));
	debugger_go(&d, GO_UNTIL, 1, la);
}

static void teardown(void)
{
	source_close(d.source);
	debugger_free(&d);
	history_free(h);
	machine_free(m);
	kernel_close(&kernel);
}

static uint64_t value(const char *text)
{
	uint64_t v = 0;

	ck_assert_msg(!expr_eval(&d, text, &v, err), "%s: %s", text, err);
	ck_assert_msg(!expr_check(&d, text, err), "%s: %s", text, err);
	return v;
}

/* The error's line holds this; the check alone says the same, unless it only shows when memory is read. */
static void fails(const char *text, const char *line, bool when_read)
{
	uint64_t v;

	ck_assert_msg(expr_eval(&d, text, &v, err) == -1, "%s is no error", text);
	ck_assert_msg(strstr(err, line), "%s: %s", text, err);
	ck_assert_msg(!expr_check(&d, text, err) == when_read, "%s", text);
}

static const struct { const char *text; uint64_t value; } cases[] = {
	{ "1 + 2 * 3", 7 }, { "(1 + 2) * 3", 9 }, { "10 - 3 - 2", 5 }, { "100 / 10 / 5", 2 }, { "17 % 5", 2 },
	{ "037", 37 }, { "0x1f", 31 }, { "0XfF", 255 }, { "18446744073709551615", UINT64_MAX }, { "'a'", 'a' }, { "'\\n'", 10 }, { "'\\''", 39 },
	{ "1 << 4 | 1", 17 }, { "1 << 63 << 1", 0 }, { "1 << 64", 0 }, { "256 >> 64", 0 }, { "6 & 3 == 3", 0 }, { "(6 & 3) == 2", 1 },
	{ "1 ^ 3 & 2", 3 }, { "1 | 2 ^ 2", 1 }, { "0 || 5", 1 }, { "3 && 0", 0 }, { "1 || 0 && 0", 1 }, { "!5", 0 }, { "!!5", 1 }, { "~0", UINT64_MAX },
	{ "-1", UINT64_MAX }, { "- - 1", 1 }, { "+3", 3 }, { "3 < 4", 1 }, { "4 <= 3", 0 }, { "-1 > 1", 1 }, { "1 != 1", 0 }, { "2 >= 2 == 1", 1 },
	{ "1 ? 2 : 3", 2 }, { "0 ? 2 : 0 ? 4 : 5", 5 }, { "1 ? 0 ? 6 : 7 : 8", 7 }, { "0 ? 1 / 0 : 9", 9 }, { "1 || 1 / 0", 1 }, { "0 && *0xf0000000", 0 },
	{ "\t 1 +\t1 ", 2 }, { "2--1", 3 }, { "~-1", 0 },
};

START_TEST(operators_are_those_of_c)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(value(cases[i].text) == cases[i].value, "%s is 0x%" PRIx64, cases[i].text, value(cases[i].text));
}
END_TEST

START_TEST(registers_have_their_names_and_parts)
{
	m->cpu.r[R_EAX] = 0x12345678;
	m->cpu.r[R_ESP] = 0x1ffff0;
	ck_assert_uint_eq(value("eax"), 0x12345678);
	ck_assert_uint_eq(value("$eax"), 0x12345678);
	ck_assert_uint_eq(value("%eax + 1"), 0x12345679);
	ck_assert_uint_eq(value("7%4"), 3);
	ck_assert_uint_eq(value("ax"), 0x5678);
	ck_assert_uint_eq(value("ah << 8 | al"), 0x5678);
	ck_assert_uint_eq(value("sp"), 0x1ffff0);
	ck_assert_uint_eq(value("pc"), value("eip"));
	ck_assert_uint_eq(value("cs"), 8);
	ck_assert_uint_eq(value("ds.base"), 0);
	ck_assert_uint_eq(value("gdtr.limit"), 23);
	ck_assert_uint_eq(value("cpl"), 0);
	ck_assert_uint_eq(value("cr0 >> 31 & 1"), 1);
	ck_assert_uint_eq(value("if"), value("eflags >> 9 & 1"));
	ck_assert_uint_eq(value("icount"), cpu_icount(&m->cpu));
	ck_assert_uint_eq(value("tick"), machine_now(m));
	ck_assert_uint_eq(value("msr(0x1b)"), m->cpu.apic_base);
	fails("$nonsense", "no register 'nonsense' at '$nonsense'", false);
	fails("msr(0x1234)", "no readable MSR 0x1234", true);
}
END_TEST

START_TEST(every_listed_register_can_be_read)
{
	unsigned n = 0, bits;
	uint64_t v;

	for (const char *name; (name = register_name(n)); n++) {
		ck_assert_msg(register_read(&d, name, &v, &bits), "%s", name);
		ck_assert_msg(bits == 8 || bits == 16 || bits == 32 || bits == 64, "%s: %u bits", name, bits);
		ck_assert_msg(bits == 64 || !(v >> bits), "%s", name);
		ck_assert_uint_eq(value(name), v);
	}
	ck_assert_uint_gt(n, 40);
	ck_assert_str_eq(register_name(0), "eax");
}
END_TEST

START_TEST(symbols_and_memory)
{
	uint32_t rounds;

	ck_assert(source_find(&d, "rounds", &rounds));
	ck_assert_uint_eq(value("rounds"), rounds);
	ck_assert_uint_eq(value("rounds + 4"), rounds + 4);
	ck_assert_uint_eq(value("*rounds"), 1);
	ck_assert_uint_eq(value("[rounds]"), 1);
	uint32_t bytes = 0x11223344;
	phys_copy_in(&m->phys, rounds, &bytes, 4);
	ck_assert_uint_eq(value("*rounds"), 0x11223344);
	ck_assert_uint_eq(value("*(u8*)rounds"), 0x44);
	ck_assert_uint_eq(value("*(u16 *) (rounds + 2)"), 0x1122);
	ck_assert_uint_eq(value("*(u8*)rounds + 1"), 0x45);
	ck_assert_uint_eq(value("(u8*)rounds + 1"), rounds + 1);
	ck_assert_uint_eq(value("byte(rounds+1)"), 0x33);
	ck_assert_uint_eq(value("word(rounds)"), 0x3344);
	ck_assert_uint_eq(value("long(rounds) == phys(pa(rounds))"), 1);
	ck_assert_uint_eq(value("*(u64*)rounds & 0xffffffff"), 0x11223344);
	ck_assert_uint_eq(value("pte(rounds) & 1"), 1);
	ck_assert_uint_eq(value("pde(rounds) & ~0xfff"), value("page_table"));
	ck_assert_uint_eq(value("pte(0x300000)"), 0);
	ck_assert_uint_eq(value("1?rounds:touch"), rounds);
	fails("no_such_thing", "no register or symbol 'no_such_thing'", false);
	fails("no_such.c:12", "no register or symbol 'no_such.c:12'", false);
}
END_TEST

START_TEST(what_cannot_be_read_is_said)
{
	fails("*0x300000", "4 bytes at 0x300000 cannot be read", true);
	fails("byte(0xf0000000)", "1 byte at 0xf0000000 cannot be read", true);
	fails("phys(0xf0000000)", "physical 0xf0000000", true);
	fails("pa(0x300000)", "0x300000 is not mapped", true);
	fails("pte(0xf0000000)", "the walk for 0xf0000000 has no PTE", true);
	fails("1 / (2 - 2)", "division by zero", true);
	fails("5 % 0", "division by zero", true);
}
END_TEST

START_TEST(errors_say_where)
{
	fails("", "a value expected at the end of ''", false);
	fails("1 +", "a value expected at the end", false);
	fails("1 2", "not understood: at '2'", false);
	fails("(1", "')' expected at the end", false);
	fails("1 ? 2", "':' expected", false);
	fails("12abc", "no number at '12abc'", false);
	fails("0x", "no number", false);
	fails("99999999999999999999", "beyond 64 bits", false);
	fails("'", "no character", false);
	fails("'ab'", "' expected at 'b'", false);
	fails("'\\q'", "no such escape", false);
	fails("eax = 1", "not understood: at '= 1'", false);
	fails("[1", "']' expected", false);
}
END_TEST

START_TEST(depth_is_bounded)
{
	char text[5000];

	for (const char *c = "(!-*[1"; *c; c++) {
		memset(text, *c, sizeof(text) - 1);
		text[sizeof(text) - 1] = 0;
		uint64_t v;
		ck_assert_int_eq(expr_eval(&d, text, &v, err), -1);
	}
	memset(text, 0, sizeof(text));
	for (unsigned i = 0; i < 1000; i++)
		memcpy(text + 4 * i, "1?1:", 4);
	uint64_t v;
	ck_assert_int_eq(expr_eval(&d, text, &v, err), -1);
	ck_assert_ptr_nonnull(strstr(err, "too deeply nested"));
}
END_TEST

/* Text from anywhere: pieces of expressions in any order, and bytes of any value. The sanitizers look on; an error is one line. */
START_TEST(random_text_does_no_harm)
{
	static const char *const pieces[] = { "eax", "$", "%", "*", "(u8*)", "(u64*)", "[", "]", "(", ")", "0x", "1", "18446744073709551615", "'", "\\", "?", ":", "&&",
		"||", "<<", ">>", "msr(", "pte(", "phys(", "rounds", "a.b:1", "x:y", ".", " ", "!", "~", "-", "/", "0", "byte(", "icount", "\t", "\xff" };
	unsigned seed = 1;
	char text[200];

	for (unsigned i = 0; i < 200000; i++) {
		text[0] = 0;
		for (unsigned n = 1 + (unsigned)rand_r(&seed) % 10; n; n--)
			strcat(text, pieces[(unsigned)rand_r(&seed) % (sizeof(pieces) / sizeof(pieces[0]))]);
		if (i % 4 == 0)
			text[(unsigned)rand_r(&seed) % (strlen(text))] = (char)rand_r(&seed);
		uint64_t v;
		*err = 0;
		int checked = expr_check(&d, text, err), evaluated = expr_eval(&d, text, &v, err);
		ck_assert_msg(!evaluated || (*err && !strchr(err, '\n') && strlen(err) < ERROR_LINE), "%s", text);
		ck_assert_msg(!checked || evaluated, "%s: evaluates, but the check refuses it", text);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("expr");
	Suite *s = suite_create("expr");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, operators_are_those_of_c);
	tcase_add_test(tc, registers_have_their_names_and_parts);
	tcase_add_test(tc, every_listed_register_can_be_read);
	tcase_add_test(tc, symbols_and_memory);
	tcase_add_test(tc, what_cannot_be_read_is_said);
	tcase_add_test(tc, errors_say_where);
	tcase_add_test(tc, depth_is_bounded);
	tcase_add_test(tc, random_text_does_no_harm);
	suite_add_tcase(s, tc);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
