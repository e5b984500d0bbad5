/* tests/devices/clock_ports_test.c: deadlines and the port space. */
#include "dev_bench.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static char order[16];

static void note(void *owner)
{
	strncat(order, owner, 1);
}

static void clock_setup(void)
{
	bench_clock_start(0);
	order[0] = '\0';
}

START_TEST(timers_fire_by_deadline_and_then_in_the_order_they_were_armed)
{
	struct timer a, b, c;

	timer_init(&a, "a", note, "a");
	timer_init(&b, "b", note, "b");
	timer_init(&c, "c", note, "c");
	timer_arm(&bench_clock, &c, 20);
	timer_arm(&bench_clock, &b, 10);
	timer_arm(&bench_clock, &a, 10);
	ck_assert_uint_eq(clock_next_deadline(&bench_clock), 10);
	bench_run(9);
	ck_assert_str_eq(order, "");
	bench_run(1);
	ck_assert_str_eq(order, "ba");
	bench_run(10);
	ck_assert_str_eq(order, "bac");
	ck_assert_uint_eq(clock_next_deadline(&bench_clock), UINT64_MAX);
}
END_TEST

START_TEST(arming_again_moves_a_timer_and_cancelling_takes_it_away)
{
	struct timer a, b;

	timer_init(&a, "a", note, "a");
	timer_init(&b, "b", note, "b");
	timer_arm(&bench_clock, &a, 10);
	timer_arm(&bench_clock, &b, 20);
	timer_arm(&bench_clock, &a, 30);
	bench_run(25);
	ck_assert_str_eq(order, "b");
	ck_assert(a.armed);
	timer_cancel(&bench_clock, &a);
	timer_cancel(&bench_clock, &a);
	bench_run(100);
	ck_assert_str_eq(order, "b");
}
END_TEST

static unsigned sooner_calls;

static void count_sooner(void *owner)
{
	(void)owner;
	sooner_calls++;
}

START_TEST(the_run_loop_is_told_only_of_a_nearer_deadline)
{
	struct timer a, b;

	sooner_calls = 0;
	bench_clock.sooner = count_sooner;
	timer_init(&a, "a", note, "a");
	timer_init(&b, "b", note, "b");
	timer_arm(&bench_clock, &a, 10);
	timer_arm(&bench_clock, &b, 20);
	ck_assert_uint_eq(sooner_calls, 1);
	timer_arm(&bench_clock, &b, 5);
	ck_assert_uint_eq(sooner_calls, 2);
}
END_TEST

START_TEST(scaling_does_not_overflow_in_between)
{
	ck_assert_uint_eq(clock_scale(UINT64_MAX / 2, 1193182, 1193182), UINT64_MAX / 2);
	ck_assert_uint_eq(clock_scale(1000000000000000ull, 1193182, 100000000), 11931820000000ull);
	ck_assert_uint_eq(clock_scale(7, 2, 5), 2);
}
END_TEST

/* --- ports --- */

struct probe { struct device dev; char log[128]; uint8_t base; };

static uint32_t probe_read(struct device *dev, uint16_t offset, unsigned size)
{
	struct probe *p = (struct probe *)dev;

	snprintf(p->log + strlen(p->log), sizeof p->log - strlen(p->log), "r%u/%u ", offset, size);
	return 0xa0b0c000u + p->base + offset;
}

static void probe_write(struct device *dev, uint16_t offset, unsigned size, uint32_t value)
{
	struct probe *p = (struct probe *)dev;

	snprintf(p->log + strlen(p->log), sizeof p->log - strlen(p->log), "w%u/%u=%x ", offset, size, value);
}

static const struct device_ops first_ops = { .name = "first", .io_read = probe_read, .io_write = probe_write };
static const struct device_ops second_ops = { .name = "second", .io_read = probe_read, .io_write = probe_write };
static struct ports ports;
static struct probe first, second;

static void ports_setup(void)
{
	const char *clash = NULL;

	ports_init(&ports);
	first = (struct probe){ .dev.ops = &first_ops, .base = 0x10 };
	second = (struct probe){ .dev.ops = &second_ops, .base = 0x20 };
	ck_assert_int_eq(ports_add(&ports, &first.dev, 0x100, 4, 0, &clash), 0);
	ck_assert_int_eq(ports_add(&ports, &second.dev, 0x104, 2, 6, &clash), 0);
}

START_TEST(an_access_inside_one_range_reaches_its_device_whole)
{
	ck_assert_uint_eq(ports_read(&ports, 0x100, 4), 0xa0b0c010);
	ck_assert_uint_eq(ports_read(&ports, 0x102, 2), 0xc012);
	ck_assert_uint_eq(ports_read(&ports, 0x103, 1), 0x13);
	ports_write(&ports, 0x104, 2, 0xfffff123);
	ck_assert_str_eq(first.log, "r0/4 r2/2 r3/1 ");
	ck_assert_str_eq(second.log, "w6/2=f123 ");
}
END_TEST

START_TEST(an_access_across_owners_is_split_into_bytes)
{
	ck_assert_uint_eq(ports_read(&ports, 0x102, 4), 0x27261312);
	ports_write(&ports, 0x103, 4, 0x44332211);
	ck_assert_str_eq(first.log, "r2/1 r3/1 w3/1=11 ");
	ck_assert_str_eq(second.log, "r6/1 r7/1 w6/1=22 w7/1=33 ");
}
END_TEST

START_TEST(ports_of_nobody_read_as_all_ones_to_the_end_of_the_space)
{
	ck_assert_uint_eq(ports_read(&ports, 0x200, 4), 0xffffffff);
	ck_assert_uint_eq(ports_read(&ports, 0xffff, 4), 0xffffffff);
	ck_assert_uint_eq(ports_read(&ports, 0xff, 2), 0x10ff);
	ports_write(&ports, 0xffff, 4, 0);
}
END_TEST

START_TEST(overlapping_ranges_are_refused_and_the_owner_named)
{
	const char *clash = NULL;
	struct probe third = { .dev.ops = &second_ops };

	ck_assert_int_eq(ports_add(&ports, &third.dev, 0xfe, 4, 0, &clash), -EEXIST);
	ck_assert_str_eq(clash, "first");
	ck_assert_int_eq(ports_add(&ports, &third.dev, 0xfff0, 17, 0, &clash), -EINVAL);
	ck_assert_int_eq(ports_add(&ports, &third.dev, 0xfff0, 16, 0, &clash), 0);
	ck_assert_uint_eq(ports_read(&ports, 0xffff, 4), 0xffffff0f);      /* the space does not wrap */
	ck_assert_str_eq(third.log, "r15/1 ");
	ck_assert_int_eq(ports_add(&ports, &third.dev, 0, 0, 0, &clash), -EINVAL);
}
END_TEST

START_TEST(a_removed_range_is_free_again_and_its_slot_reused)
{
	const char *clash = NULL;

	for (unsigned i = 0; i < 3 * PORT_RANGES; i++) {
		ports_remove(&ports, &first.dev, 0x100);
		ck_assert_uint_eq(ports_read(&ports, 0x100, 1), 0xff);
		ck_assert_int_eq(ports_add(&ports, &first.dev, 0x100, 4, 0, &clash), 0);
	}
	for (unsigned i = 2; i < PORT_RANGES; i++)
		ck_assert_int_eq(ports_add(&ports, &first.dev, (uint16_t)(0x1000 + i), 1, 0, &clash), 0);
	ck_assert_int_eq(ports_add(&ports, &first.dev, 0x2000, 1, 0, &clash), -ENOSPC);
	ck_assert_uint_eq(ports_read(&ports, 0x1000 + PORT_RANGES - 1, 1), 0x10);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("clock and ports");
	TCase *clock = tcase_create("clock"), *space = tcase_create("ports");

	tcase_add_checked_fixture(clock, clock_setup, NULL);
	tcase_add_test(clock, timers_fire_by_deadline_and_then_in_the_order_they_were_armed);
	tcase_add_test(clock, arming_again_moves_a_timer_and_cancelling_takes_it_away);
	tcase_add_test(clock, the_run_loop_is_told_only_of_a_nearer_deadline);
	tcase_add_test(clock, scaling_does_not_overflow_in_between);
	tcase_add_checked_fixture(space, ports_setup, NULL);
	tcase_add_test(space, an_access_inside_one_range_reaches_its_device_whole);
	tcase_add_test(space, an_access_across_owners_is_split_into_bytes);
	tcase_add_test(space, ports_of_nobody_read_as_all_ones_to_the_end_of_the_space);
	tcase_add_test(space, overlapping_ranges_are_refused_and_the_owner_named);
	tcase_add_test(space, a_removed_range_is_free_again_and_its_slot_reused);
	suite_add_tcase(s, clock);
	suite_add_tcase(s, space);
	return bench_main(s);
}
