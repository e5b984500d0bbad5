/* tests/devices/pit_test.c: the 8254 against an oracle that counts clock by clock, and the PC's wiring of it. */
#include "dev_bench.h"
#include "devices/pit.h"

enum { CH0, CH1, CH2, CONTROL, PORT61 };

static struct pit pit;
static struct wire irq0;

/* Moves to the first clock tick at which the PIT has had n pulses since power-on. */
static void run_to_pulse(uint64_t n)
{
	uint64_t tick = (n * CLOCK_HZ + PIT_HZ - 1) / PIT_HZ;

	ck_assert_uint_ge(tick, bench_now());
	bench_run(tick - bench_now());
}

static void setup(void)
{
	bench_clock_start(0);
	pit_init(&pit, &bench_clock);
	pit.dev.irq = bench_wire(&irq0);
}

static void program(unsigned channel, unsigned mode, uint16_t count)
{
	out8(&pit.dev, CONTROL, (uint8_t)(channel << 6 | 0x30 | mode << 1));
	out8(&pit.dev, (uint16_t)channel, (uint8_t)count);
	out8(&pit.dev, (uint16_t)channel, (uint8_t)(count >> 8));
}

static uint16_t read16(unsigned channel)
{
	uint8_t low = in8(&pit.dev, (uint16_t)channel);

	return (uint16_t)(low | in8(&pit.dev, (uint16_t)channel) << 8);
}

static uint16_t latched(unsigned channel)
{
	out8(&pit.dev, CONTROL, (uint8_t)(channel << 6));
	return read16(channel);
}

static uint8_t status(unsigned channel)
{
	out8(&pit.dev, CONTROL, (uint8_t)(0xe0 | 2 << channel));
	return in8(&pit.dev, (uint16_t)channel);
}

static bool out2(void) { return in8(&pit.dev, PORT61) & 0x20; }

/* The counting element of one channel, written from the data sheet's mode descriptions, one clock pulse at a time. */
struct oracle { unsigned mode; uint32_t count, ce; bool out, strobed, load; };

static void oracle_pulse(struct oracle *o)
{
	if (o->load) {
		o->load = false;
		o->ce = o->mode == 3 ? o->count & ~1u : o->count;
		return;
	}
	switch (o->mode) {
	case 0:
		o->ce = (o->ce - 1) & 0xffff;
		o->out = o->out || o->ce == 0;
		break;
	case 2:
		o->ce--;
		if (o->ce == 0)
			o->ce = o->count;
		o->out = o->ce != 1;
		break;
	case 3:
		/* Odd counts: OUT stays high for one more clock, with 0 in the counter, than it stays low. */
		if (o->ce == 0 || (o->ce == 2 && !(o->out && (o->count & 1)))) {
			o->out = !o->out;
			o->ce = o->count & ~1u;
		} else {
			o->ce -= 2;
		}
		break;
	case 4:
		o->ce = (o->ce - 1) & 0xffff;
		o->out = o->strobed || o->ce != 0;
		o->strobed |= o->ce == 0;
		break;
	}
}

START_TEST(modes_0_2_3_and_4_count_as_the_data_sheet_draws_them)
{
	static const unsigned modes[4] = { 0, 2, 3, 4 };
	static const uint16_t counts[7] = { 2, 3, 4, 5, 6, 9, 100 };
	struct oracle o = { .mode = modes[_i / 7], .count = counts[_i % 7], .load = true };

	o.out = o.mode != 0;
	out8(&pit.dev, PORT61, 1);
	program(CH0, o.mode, (uint16_t)o.count);
	program(CH2, o.mode, (uint16_t)o.count);
	for (unsigned pulse = 1; pulse < 400; pulse++) {
		run_to_pulse(pulse);
		oracle_pulse(&o);
		ck_assert_msg(latched(CH0) == (o.ce & 0xffff), "mode %u count %u pulse %u: counts %u, not %u",
			o.mode, o.count, pulse, latched(CH0), o.ce);
		ck_assert_msg(irq0.level == o.out, "mode %u count %u pulse %u: OUT is %d", o.mode, o.count, pulse, irq0.level);
		ck_assert_int_eq(out2(), o.out);
		ck_assert_int_eq(status(CH2) >> 7, o.out);
	}
}
END_TEST

START_TEST(the_rate_is_exact_over_an_hour)
{
	program(CH0, 2, 11932);                        /* 100 Hz, nearly */
	bench_run(3600 * CLOCK_HZ);
	/* OUT goes up once with the control word and then at the end of each period. */
	ck_assert_uint_eq(irq0.rises, 1 + (3600 * PIT_HZ - 1) / 11932);
}
END_TEST

START_TEST(a_count_of_zero_is_65536_or_10000)
{
	program(CH0, 2, 0);
	run_to_pulse(1 + 65536);
	ck_assert_uint_eq(irq0.rises, 2);
	ck_assert_uint_eq(latched(CH0), 0);
	out8(&pit.dev, CONTROL, 0x35);                 /* BCD, mode 2 */
	out8(&pit.dev, CH0, 0);
	out8(&pit.dev, CH0, 0);
	irq0.rises = 0;
	run_to_pulse(65537 + 1 + 1);
	ck_assert_uint_eq(latched(CH0), 0x9999);
	run_to_pulse(65537 + 1 + 10000);
	ck_assert_uint_eq(irq0.rises, 1);
}
END_TEST

START_TEST(BCD_counts_in_tens)
{
	out8(&pit.dev, CONTROL, 0x31);
	out8(&pit.dev, CH0, 0x00);
	out8(&pit.dev, CH0, 0x12);                     /* 1200 */
	run_to_pulse(1 + 1);
	ck_assert_uint_eq(latched(CH0), 0x1199);
	run_to_pulse(1 + 1200);
	ck_assert_uint_eq(irq0.level, 1);
	run_to_pulse(1 + 1201);
	ck_assert_uint_eq(latched(CH0), 0x9999);
}
END_TEST

START_TEST(a_latched_count_stays_until_it_is_read)
{
	uint8_t low;

	program(CH0, 2, 1000);
	run_to_pulse(1 + 100);
	out8(&pit.dev, CONTROL, 0x00);
	run_to_pulse(1 + 200);
	out8(&pit.dev, CONTROL, 0x00);                 /* ignored */
	low = in8(&pit.dev, CH0);
	run_to_pulse(1 + 300);
	ck_assert_uint_eq(low | in8(&pit.dev, CH0) << 8, 900);
	ck_assert_uint_eq(read16(CH0), 700);
}
END_TEST

START_TEST(one_byte_access_reads_and_writes_that_byte)
{
	out8(&pit.dev, CONTROL, 0x14);                 /* low byte only, mode 2 */
	out8(&pit.dev, CH0, 0x50);
	run_to_pulse(2);
	ck_assert_uint_eq(in8(&pit.dev, CH0), 0x4f);
	ck_assert_uint_eq(in8(&pit.dev, CH0), 0x4f);
	out8(&pit.dev, CONTROL, 0x24);                 /* high byte only */
	out8(&pit.dev, CH0, 0x02);
	run_to_pulse(3);
	ck_assert_uint_eq(in8(&pit.dev, CH0), 0x02);
	run_to_pulse(4);
	ck_assert_uint_eq(in8(&pit.dev, CH0), 0x01);
}
END_TEST

START_TEST(read_back_gives_status_before_count_for_every_channel_asked)
{
	program(CH0, 2, 1000);
	program(CH2, 3, 500);
	ck_assert_uint_eq(status(CH0), 0x80 | 0x40 | 0x34);        /* null count: not loaded yet */
	run_to_pulse(11);
	out8(&pit.dev, CONTROL, 0xc0 | 0x02 | 0x08);               /* count and status of 0 and 2 */
	run_to_pulse(50);
	ck_assert_uint_eq(in8(&pit.dev, CH0), 0x80 | 0x34);
	ck_assert_uint_eq(read16(CH0), 990);
	ck_assert_uint_eq(in8(&pit.dev, CH2), 0x80 | 0x36);
}
END_TEST

/* As long as one access takes less than a clock, and on a PC it takes more: see channel_count(). */
START_TEST(a_count_reads_back_at_once_as_it_was_written)
{
	program(CH2, 0, 0x1234);
	program(CH2, 0, 0xffff);
	ck_assert_uint_eq(bench_now(), 0);
	ck_assert_uint_eq(read16(CH2), 0xffff);
	ck_assert_uint_eq(latched(CH2), 0xffff);
	out8(&pit.dev, PORT61, 1);
	run_to_pulse(2);
	ck_assert_uint_eq(read16(CH2), 0xfffe);
}
END_TEST

START_TEST(a_new_count_in_mode_2_waits_for_the_end_of_the_period)
{
	program(CH0, 2, 100);
	run_to_pulse(1 + 30);
	out8(&pit.dev, CH0, 50);
	out8(&pit.dev, CH0, 0);
	ck_assert_uint_eq(status(CH0) & 0x40, 0x40);
	run_to_pulse(1 + 99);
	ck_assert_uint_eq(latched(CH0), 1);
	run_to_pulse(1 + 100);
	ck_assert_uint_eq(latched(CH0), 50);
	ck_assert_uint_eq(status(CH0) & 0x40, 0);
	irq0.rises = 0;
	run_to_pulse(1 + 100 + 500);
	ck_assert_uint_eq(irq0.rises, 10);
}
END_TEST

START_TEST(a_new_count_in_mode_3_waits_for_the_end_of_the_half_period)
{
	program(CH0, 3, 100);
	run_to_pulse(1 + 30);
	out8(&pit.dev, CH0, 20);
	out8(&pit.dev, CH0, 0);
	run_to_pulse(1 + 49);
	ck_assert_int_eq(irq0.level, 1);
	run_to_pulse(1 + 50);
	ck_assert_int_eq(irq0.level, 0);
	ck_assert_uint_eq(latched(CH0), 20);
	run_to_pulse(1 + 59);
	ck_assert_int_eq(irq0.level, 0);
	run_to_pulse(1 + 60);
	ck_assert_int_eq(irq0.level, 1);
	run_to_pulse(1 + 70);
	ck_assert_int_eq(irq0.level, 0);
}
END_TEST

START_TEST(in_mode_0_the_first_byte_stops_the_count)
{
	program(CH0, 0, 100);
	run_to_pulse(1 + 100);
	ck_assert_int_eq(irq0.level, 1);
	out8(&pit.dev, CH0, 10);
	ck_assert_int_eq(irq0.level, 0);
	run_to_pulse(1 + 5000);
	ck_assert_int_eq(irq0.level, 0);
	out8(&pit.dev, CH0, 0);
	run_to_pulse(1 + 5000 + 10);
	ck_assert_int_eq(irq0.level, 0);
	run_to_pulse(1 + 5000 + 11);
	ck_assert_int_eq(irq0.level, 1);
}
END_TEST

START_TEST(a_low_gate_holds_modes_0_and_4)
{
	unsigned mode = _i ? 4 : 0;

	out8(&pit.dev, PORT61, 1);
	program(CH2, mode, 100);
	run_to_pulse(1 + 40);
	out8(&pit.dev, PORT61, 0);
	run_to_pulse(1 + 1000);
	ck_assert_uint_eq(latched(CH2), 60);
	out8(&pit.dev, PORT61, 1);
	run_to_pulse(1 + 1000 + 59);
	ck_assert_int_eq(out2(), mode == 4);
	run_to_pulse(1 + 1000 + 60);
	ck_assert_int_eq(out2(), mode == 0);
}
END_TEST

START_TEST(a_low_gate_forces_OUT_high_in_modes_2_and_3_and_its_rise_starts_anew)
{
	unsigned mode = _i ? 3 : 2;

	out8(&pit.dev, PORT61, 1);
	program(CH2, mode, 10);
	run_to_pulse(1 + 9);
	ck_assert(!out2());
	out8(&pit.dev, PORT61, 0);
	ck_assert(out2());
	run_to_pulse(500);
	out8(&pit.dev, PORT61, 1);
	run_to_pulse(501);
	ck_assert_uint_eq(latched(CH2), 10);
	run_to_pulse(501 + (mode == 2 ? 8 : 4));
	ck_assert(out2());
	run_to_pulse(501 + (mode == 2 ? 9 : 5));
	ck_assert(!out2());
}
END_TEST

START_TEST(mode_1_is_a_pulse_that_the_gate_starts_and_restarts)
{
	program(CH2, 1, 100);
	run_to_pulse(300);
	ck_assert(out2());
	out8(&pit.dev, PORT61, 1);
	ck_assert(out2());
	run_to_pulse(301);
	ck_assert(!out2());
	run_to_pulse(351);
	out8(&pit.dev, PORT61, 0);
	out8(&pit.dev, PORT61, 1);
	run_to_pulse(352 + 99);
	ck_assert(!out2());
	run_to_pulse(352 + 100);
	ck_assert(out2());
}
END_TEST

START_TEST(mode_5_strobes_once_after_the_gate_rises)
{
	program(CH2, 5, 20);
	out8(&pit.dev, PORT61, 1);
	run_to_pulse(1 + 19);
	ck_assert(out2());
	run_to_pulse(1 + 20);
	ck_assert(!out2());
	run_to_pulse(1 + 21);
	ck_assert(out2());
	run_to_pulse(1 + 20 + 65536);
	ck_assert(out2());
}
END_TEST

START_TEST(port_61_reads_back_its_low_bits_and_toggles_refresh)
{
	unsigned toggles = 0;
	uint8_t last = in8(&pit.dev, PORT61) & 0x10;

	out8(&pit.dev, PORT61, 0xfe);
	ck_assert_uint_eq(in8(&pit.dev, PORT61) & 0xcf, 0x0e);
	for (unsigned i = 0; i < 1000; i++) {
		bench_run(TICKS_PER_US);
		if ((in8(&pit.dev, PORT61) & 0x10) != last) {
			toggles++;
			last ^= 0x10;
		}
	}
	ck_assert_uint_eq(toggles, 1193 / 18);
}
END_TEST

START_TEST(the_speaker_sounds_with_its_bit_and_OUT)
{
	out8(&pit.dev, PORT61, 3);
	program(CH2, 3, 10);
	run_to_pulse(3);
	ck_assert(pit_speaker(&pit));
	run_to_pulse(1 + 7);
	ck_assert(!pit_speaker(&pit));
	run_to_pulse(1 + 13);
	out8(&pit.dev, PORT61, 1);
	ck_assert(!pit_speaker(&pit));
}
END_TEST

START_TEST(a_count_of_one_makes_no_edges_in_modes_2_and_3)
{
	program(CH0, _i ? 3 : 2, 1);
	bench_run(CLOCK_HZ);
	ck_assert_uint_eq(irq0.rises, 1);
	ck_assert_int_eq(irq0.level, 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pit");
	TCase *t = tcase_create("8254");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_loop_test(t, modes_0_2_3_and_4_count_as_the_data_sheet_draws_them, 0, 28);
	tcase_add_test(t, the_rate_is_exact_over_an_hour);
	tcase_add_test(t, a_count_of_zero_is_65536_or_10000);
	tcase_add_test(t, BCD_counts_in_tens);
	tcase_add_test(t, a_latched_count_stays_until_it_is_read);
	tcase_add_test(t, one_byte_access_reads_and_writes_that_byte);
	tcase_add_test(t, read_back_gives_status_before_count_for_every_channel_asked);
	tcase_add_test(t, a_count_reads_back_at_once_as_it_was_written);
	tcase_add_test(t, a_new_count_in_mode_2_waits_for_the_end_of_the_period);
	tcase_add_test(t, a_new_count_in_mode_3_waits_for_the_end_of_the_half_period);
	tcase_add_test(t, in_mode_0_the_first_byte_stops_the_count);
	tcase_add_loop_test(t, a_low_gate_holds_modes_0_and_4, 0, 2);
	tcase_add_loop_test(t, a_low_gate_forces_OUT_high_in_modes_2_and_3_and_its_rise_starts_anew, 0, 2);
	tcase_add_test(t, mode_1_is_a_pulse_that_the_gate_starts_and_restarts);
	tcase_add_test(t, mode_5_strobes_once_after_the_gate_rises);
	tcase_add_test(t, port_61_reads_back_its_low_bits_and_toggles_refresh);
	tcase_add_test(t, the_speaker_sounds_with_its_bit_and_OUT);
	tcase_add_loop_test(t, a_count_of_one_makes_no_edges_in_modes_2_and_3, 0, 2);
	suite_add_tcase(s, t);
	return bench_main(s);
}
