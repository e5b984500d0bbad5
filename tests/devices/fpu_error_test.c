/* tests/devices/fpu_error_test.c: IRQ 13 and IGNNE#, [SDM1 8.7.2 "MS-DOS* Compatibility Sub-mode"]. */
#include "dev_bench.h"
#include "devices/fpu_error.h"

static struct fpu_error f;
static struct wire irq13, ignne;

static void setup(void)
{
	fpu_error_init(&f);
	f.dev.irq = bench_wire(&irq13);
	f.ignne = bench_wire(&ignne);
	f.dev.ops->reset(&f.dev);
}

static void expect(int irq, int ignoring)
{
	ck_assert_int_eq(irq13.level, irq);
	ck_assert_int_eq(ignne.level, ignoring);
}

START_TEST(an_error_raises_IRQ_13_until_port_F0_is_written)
{
	fpu_error_set(&f, true);
	expect(1, 0);
	fpu_error_set(&f, true);
	out8(&f.dev, 1, 0);                            /* port F1 does nothing */
	expect(1, 0);
	out8(&f.dev, 0, 0);
	expect(0, 1);
	ck_assert_uint_eq(irq13.rises, 1);
	ck_assert_uint_eq(in8(&f.dev, 0), 0xff);
}
END_TEST

START_TEST(the_processor_is_told_to_go_on_only_while_the_error_lasts)
{
	out8(&f.dev, 0, 0);                            /* without an error the port does nothing */
	expect(0, 0);
	fpu_error_set(&f, true);
	out8(&f.dev, 0, 0);
	fpu_error_set(&f, false);
	expect(0, 0);
	fpu_error_set(&f, true);
	expect(1, 0);
	/* Cleared without the port: the interrupt stays asked for. */
	fpu_error_set(&f, false);
	expect(1, 0);
	out8(&f.dev, 0, 0);
	expect(0, 0);
}
END_TEST

START_TEST(reset_lets_both_lines_go)
{
	fpu_error_set(&f, true);
	out8(&f.dev, 0, 0);
	f.dev.ops->reset(&f.dev);
	expect(0, 0);
	fpu_error_set(&f, true);
	expect(1, 0);
	f.dev.ops->reset(&f.dev);
	expect(0, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("fpu_error");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, an_error_raises_IRQ_13_until_port_F0_is_written);
	tcase_add_test(t, the_processor_is_told_to_go_on_only_while_the_error_lasts);
	tcase_add_test(t, reset_lets_both_lines_go);
	suite_add_tcase(s, t);
	return bench_main(s);
}
