/* tests/devices/cmos_test.c: the MC146818 on a virtual clock. */
#include "dev_bench.h"
#include "devices/cmos.h"

static struct cmos cmos;
static struct wire irq8;

static uint8_t cell(uint8_t index)
{
	out8(&cmos.dev, 0, index);
	return in8(&cmos.dev, 1);
}

static void set_cell(uint8_t index, uint8_t value)
{
	out8(&cmos.dev, 0, index);
	out8(&cmos.dev, 1, value);
}

static void start(uint64_t unix_seconds)
{
	bench_clock_start(0);
	cmos_init(&cmos, &bench_clock, unix_seconds);
	cmos.dev.irq = bench_wire(&irq8);
}

static void setup(void)
{
	start(CMOS_START_2026);
}

/* century, year, month, day, weekday, hour, minute, second as cells hold them */
static void expect_date(const uint8_t want[8])
{
	static const uint8_t index[8] = { 0x32, 9, 8, 7, 6, 4, 2, 0 };

	for (unsigned i = 0; i < 8; i++)
		ck_assert_msg(cell(index[i]) == want[i], "cell %#x is %#x, not %#x", index[i], cell(index[i]), want[i]);
}

START_TEST(the_date_starts_as_given_whatever_the_host_thinks)
{
	expect_date((const uint8_t[]){ 0x20, 0x26, 0x01, 0x01, 5, 0, 0, 0 });      /* a Thursday */
	start(951782399);                              /* 2000-02-28 23:59:59, a Monday */
	expect_date((const uint8_t[]){ 0x20, 0x00, 0x02, 0x28, 2, 0x23, 0x59, 0x59 });
	bench_run(CLOCK_HZ);
	expect_date((const uint8_t[]){ 0x20, 0x00, 0x02, 0x29, 3, 0, 0, 0 });
	bench_run(86400 * CLOCK_HZ);
	expect_date((const uint8_t[]){ 0x20, 0x00, 0x03, 0x01, 4, 0, 0, 0 });
}
END_TEST

START_TEST(the_last_second_of_a_century_carries_into_every_cell)
{
	start(946684799);                              /* 1999-12-31 23:59:59, a Friday */
	expect_date((const uint8_t[]){ 0x19, 0x99, 0x12, 0x31, 6, 0x23, 0x59, 0x59 });
	bench_run(CLOCK_HZ - 1);
	ck_assert_uint_eq(cell(0), 0x59);
	bench_run(1);
	expect_date((const uint8_t[]){ 0x20, 0x00, 0x01, 0x01, 7, 0, 0, 0 });
}
END_TEST

START_TEST(binary_and_twelve_hour_forms)
{
	static const struct { uint8_t b, hour, next; } form[4] = {
		{ 0x02, 0x23, 0x00 }, { 0x06, 23, 0 }, { 0x00, 0x91, 0x12 }, { 0x04, 0x8b, 0x0c } };

	set_cell(0x0b, 0x80 | form[_i].b);
	set_cell(0, form[_i].b & 4 ? 59 : 0x59);
	set_cell(2, form[_i].b & 4 ? 59 : 0x59);
	set_cell(4, form[_i].hour);
	set_cell(0x0b, form[_i].b);
	bench_run(CLOCK_HZ);
	ck_assert_uint_eq(cell(0), 0);
	ck_assert_uint_eq(cell(2), 0);
	ck_assert_uint_eq(cell(4), form[_i].next);
	ck_assert_uint_eq(cell(7), form[_i].b & 4 ? 2 : 0x02);
}
END_TEST

START_TEST(noon_in_twelve_hour_form_sets_the_PM_bit)
{
	set_cell(0x0b, 0x00);
	set_cell(0, 0x59);
	set_cell(2, 0x59);
	set_cell(4, 0x11);
	bench_run(CLOCK_HZ);
	ck_assert_uint_eq(cell(4), 0x92);
	set_cell(0, 0x59);
	set_cell(2, 0x59);
	bench_run(CLOCK_HZ);
	ck_assert_uint_eq(cell(4), 0x81);
}
END_TEST

START_TEST(SET_holds_the_cells_and_the_update_interrupt)
{
	set_cell(0x0b, 0x82);
	bench_run(10 * CLOCK_HZ);
	ck_assert_uint_eq(cell(0), 0);
	ck_assert_uint_eq(cell(0x0c) & 0x10, 0);
	set_cell(0x0b, 0x92);
	ck_assert_uint_eq(cell(0x0b), 0x82);           /* SET clears UIE */
	set_cell(0x0b, 0x02);
	bench_run(CLOCK_HZ);
	ck_assert_uint_eq(cell(0), 1);
	ck_assert_uint_eq(cell(0x0c) & 0x10, 0x10);
}
END_TEST

START_TEST(UIP_warns_2228_us_before_the_update)
{
	bench_run(CLOCK_HZ - 2228 * TICKS_PER_US - 1);
	ck_assert_uint_eq(cell(0x0a), 0x26);
	bench_run(1);
	ck_assert_uint_eq(cell(0x0a), 0xa6);
	bench_run(2228 * TICKS_PER_US - 1);
	ck_assert_uint_eq(cell(0x0a), 0xa6);
	bench_run(1);
	ck_assert_uint_eq(cell(0x0a), 0x26);
}
END_TEST

START_TEST(the_update_ended_interrupt_lasts_until_C_is_read)
{
	set_cell(0x0b, 0x12);
	bench_run(CLOCK_HZ);
	ck_assert_int_eq(irq8.level, 1);
	bench_run(CLOCK_HZ / 2);
	ck_assert_uint_eq(cell(0x0c) & ~0x40, 0x90);
	ck_assert_int_eq(irq8.level, 0);
	ck_assert_uint_eq(cell(0x0c), 0x00);
	bench_run(CLOCK_HZ / 2);
	ck_assert_uint_eq(irq8.rises, 2);
}
END_TEST

START_TEST(the_alarm_matches_all_three_cells_or_any)
{
	set_cell(0x0b, 0x22);
	set_cell(1, 0x05);
	set_cell(3, _i ? 0xc0 : 0x01);
	set_cell(5, _i ? 0xff : 0x00);
	bench_run(5 * CLOCK_HZ);
	ck_assert_int_eq(irq8.level, _i);
	cell(0x0c);
	bench_run(59 * CLOCK_HZ);
	ck_assert_int_eq(irq8.level, 0);
	bench_run(CLOCK_HZ);
	ck_assert_int_eq(irq8.level, 1);
	ck_assert_uint_eq(cell(0x0c) & 0xa0, 0xa0);
}
END_TEST

START_TEST(each_periodic_rate_gives_its_frequency)
{
	unsigned rate = (unsigned)_i, want = rate < 3 ? 512 >> rate : 65536 >> rate;

	set_cell(0x0a, (uint8_t)(0x20 | rate));
	set_cell(0x0b, 0x42);
	/* Reading C at each edge lets the next one be counted. */
	for (unsigned n = 1; rate && n <= want; n++) {
		uint64_t due = (n * CLOCK_HZ + want - 1) / want;

		bench_run(due - 1 - bench_now());
		ck_assert_msg(!irq8.level, "rate %u: edge %u came early", rate, n);
		bench_run(1);
		ck_assert_msg(irq8.level, "rate %u: edge %u is late", rate, n);
		ck_assert_uint_eq(cell(0x0c) & 0xc0, 0xc0);
	}
	if (!rate) {
		bench_run(CLOCK_HZ);
		ck_assert_uint_eq(irq8.rises, 0);
	}
}
END_TEST

START_TEST(PF_is_seen_without_its_interrupt)
{
	ck_assert_uint_eq(cell(0x0c) & 0x40, 0);
	bench_run(CLOCK_HZ / 1024 + 1);                /* rate 6, as reset leaves it */
	ck_assert_uint_eq(cell(0x0c), 0x40);
	ck_assert_uint_eq(cell(0x0c), 0);
	bench_run(CLOCK_HZ / 1024);
	ck_assert_uint_eq(irq8.rises, 0);
	set_cell(0x0b, 0x42);                          /* PIE finds PF already set */
	ck_assert_int_eq(irq8.level, 1);
}
END_TEST

START_TEST(a_divider_in_reset_stops_the_clock_and_restarts_half_a_second_early)
{
	set_cell(0x0a, 0x76);
	bench_run(100 * CLOCK_HZ);
	ck_assert_uint_eq(cell(0), 0);
	set_cell(0x0a, 0x26);
	bench_run(CLOCK_HZ / 2 - 1);
	ck_assert_uint_eq(cell(0), 0);
	bench_run(1);
	ck_assert_uint_eq(cell(0), 1);
}
END_TEST

START_TEST(reset_keeps_date_and_memory_and_takes_the_interrupts)
{
	set_cell(0x40, 0xa5);
	set_cell(0x0b, 0x12);
	bench_run(CLOCK_HZ);
	cmos.dev.ops->reset(&cmos.dev);
	ck_assert_int_eq(irq8.level, 0);
	ck_assert_uint_eq(cell(0x0b), 0x02);
	ck_assert_uint_eq(cell(0x0c), 0x00);
	ck_assert_uint_eq(cell(0x40), 0xa5);
	ck_assert_uint_eq(cell(0), 1);
}
END_TEST

START_TEST(registers_that_are_read_only_stay)
{
	set_cell(0x0d, 0);
	ck_assert_uint_eq(cell(0x0d), 0x80);
	set_cell(0x0c, 0xff);
	ck_assert_uint_eq(cell(0x0c), 0);
	ck_assert_uint_eq(in8(&cmos.dev, 0), 0xff);
	set_cell(0x80 | 0x50, 0x77);                   /* bit 7 of the index masks NMI, no more */
	ck_assert_uint_eq(cell(0x50), 0x77);
}
END_TEST

START_TEST(memory_size_is_where_kernels_look_for_it)
{
	unsigned sum = 0;

	cmos_set_memory(&cmos, 64 << 20);
	ck_assert_uint_eq(cell(0x15) | cell(0x16) << 8, 640);
	ck_assert_uint_eq(cell(0x17) | cell(0x18) << 8, 63 * 1024);
	ck_assert_uint_eq(cell(0x30) | cell(0x31) << 8, 63 * 1024);
	ck_assert_uint_eq(cell(0x34) | cell(0x35) << 8, 48 * 16);
	for (uint8_t i = 0x10; i <= 0x2d; i++)
		sum += cell(i);
	ck_assert_uint_eq(cell(0x2f) | cell(0x2e) << 8, sum);
	cmos_set_memory(&cmos, 3ull << 30);
	ck_assert_uint_eq(cell(0x30) | cell(0x31) << 8, 0xffff);
	ck_assert_uint_eq(cell(0x34) | cell(0x35) << 8, 3056 * 16);
	cmos_set_memory(&cmos, 1 << 20);
	ck_assert_uint_eq(cell(0x30) | cell(0x31) << 8, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cmos");
	TCase *t = tcase_create("MC146818");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, the_date_starts_as_given_whatever_the_host_thinks);
	tcase_add_test(t, the_last_second_of_a_century_carries_into_every_cell);
	tcase_add_loop_test(t, binary_and_twelve_hour_forms, 0, 4);
	tcase_add_test(t, noon_in_twelve_hour_form_sets_the_PM_bit);
	tcase_add_test(t, SET_holds_the_cells_and_the_update_interrupt);
	tcase_add_test(t, UIP_warns_2228_us_before_the_update);
	tcase_add_test(t, the_update_ended_interrupt_lasts_until_C_is_read);
	tcase_add_loop_test(t, the_alarm_matches_all_three_cells_or_any, 0, 2);
	tcase_add_loop_test(t, each_periodic_rate_gives_its_frequency, 0, 16);
	tcase_add_test(t, PF_is_seen_without_its_interrupt);
	tcase_add_test(t, a_divider_in_reset_stops_the_clock_and_restarts_half_a_second_early);
	tcase_add_test(t, reset_keeps_date_and_memory_and_takes_the_interrupts);
	tcase_add_test(t, registers_that_are_read_only_stay);
	tcase_add_test(t, memory_size_is_where_kernels_look_for_it);
	suite_add_tcase(s, t);
	return bench_main(s);
}
