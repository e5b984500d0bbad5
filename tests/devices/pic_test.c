/* tests/devices/pic_test.c: the 8259 pair, driven by ports, lines and acknowledge cycles. */
#include "dev_bench.h"
#include "devices/pic.h"

enum { M_CMD, M_DATA, S_CMD, S_DATA, ELCR1, ELCR2 };

static struct pic pic;
static struct wire intr;

/* ICW1-4 as every PC kernel writes them, vectors 0x20 and 0x28, nothing masked. */
static void program(uint8_t icw4)
{
	static const uint8_t base[2] = { 0x20, 0x28 }, cascade[2] = { 0x04, 0x02 };

	for (unsigned chip = 0; chip < 2; chip++) {
		out8(&pic.dev, (uint16_t)(2 * chip), 0x11);
		out8(&pic.dev, (uint16_t)(2 * chip + 1), base[chip]);
		out8(&pic.dev, (uint16_t)(2 * chip + 1), cascade[chip]);
		out8(&pic.dev, (uint16_t)(2 * chip + 1), icw4);
		out8(&pic.dev, (uint16_t)(2 * chip + 1), 0x00);
	}
}

static void setup(void)
{
	pic_init(&pic);
	pic.dev.irq = bench_wire(&intr);
	program(0x01);
}

static void pulse(unsigned line)
{
	pic_set_irq(&pic, line, 0);
	pic_set_irq(&pic, line, 1);
}

static uint8_t isr(unsigned chip)
{
	out8(&pic.dev, (uint16_t)(2 * chip), 0x0b);
	return in8(&pic.dev, (uint16_t)(2 * chip));
}

static uint8_t irr(unsigned chip)
{
	out8(&pic.dev, (uint16_t)(2 * chip), 0x0a);
	return in8(&pic.dev, (uint16_t)(2 * chip));
}

START_TEST(each_line_gives_its_vector)
{
	unsigned line = (unsigned)_i;

	if (line == 2)
		return;
	pic_set_irq(&pic, line, 1);
	ck_assert(intr.level && pic_intr(&pic));
	ck_assert_int_eq(pic_acknowledge(&pic), 0x20 + (int)line);
	ck_assert(!intr.level);
	ck_assert_uint_eq(isr(line / 8), 1u << line % 8);
	ck_assert_uint_eq(isr(0), line < 8 ? 1u << line : 1u << 2);
}
END_TEST

START_TEST(the_lower_line_goes_first_and_others_wait_for_the_end_of_interrupt)
{
	pulse(4);
	pulse(3);
	ck_assert_int_eq(pic_acknowledge(&pic), 0x23);
	ck_assert(!intr.level);
	out8(&pic.dev, M_CMD, 0x20);
	ck_assert(intr.level);
	ck_assert_int_eq(pic_acknowledge(&pic), 0x24);
}
END_TEST

START_TEST(a_higher_line_interrupts_a_handler_and_a_lower_one_does_not)
{
	pulse(4);
	pic_acknowledge(&pic);
	pulse(5);
	ck_assert(!intr.level);
	pulse(1);
	ck_assert(intr.level);
	ck_assert_int_eq(pic_acknowledge(&pic), 0x21);
	ck_assert_uint_eq(isr(0), 0x12);
	out8(&pic.dev, M_CMD, 0x20);                   /* ends the highest in service */
	ck_assert_uint_eq(isr(0), 0x10);
}
END_TEST

START_TEST(a_masked_line_waits)
{
	out8(&pic.dev, M_DATA, 0x08);
	pulse(3);
	ck_assert(!intr.level);
	ck_assert_uint_eq(irr(0), 0x08);
	ck_assert_uint_eq(in8(&pic.dev, M_DATA), 0x08);
	out8(&pic.dev, M_DATA, 0x00);
	ck_assert(intr.level);
}
END_TEST

START_TEST(an_edge_asks_once)
{
	pulse(3);
	pic_acknowledge(&pic);
	out8(&pic.dev, M_CMD, 0x63);                   /* specific end of interrupt */
	ck_assert_uint_eq(isr(0), 0);
	ck_assert(!intr.level);
	pulse(3);
	ck_assert(intr.level);
}
END_TEST

START_TEST(a_level_asks_as_long_as_it_is_high)
{
	out8(&pic.dev, ELCR2, 0xff);
	out8(&pic.dev, ELCR1, 0xff);
	ck_assert_uint_eq(in8(&pic.dev, ELCR1), 0xf8);
	ck_assert_uint_eq(in8(&pic.dev, ELCR2), 0xde);
	pic_set_irq(&pic, 11, 1);
	ck_assert_int_eq(pic_acknowledge(&pic), 0x2b);
	out8(&pic.dev, S_CMD, 0x20);
	out8(&pic.dev, M_CMD, 0x20);
	ck_assert(intr.level);
	ck_assert_int_eq(pic_acknowledge(&pic), 0x2b);
	pic_set_irq(&pic, 11, 0);
	out8(&pic.dev, S_CMD, 0x20);
	out8(&pic.dev, M_CMD, 0x20);
	ck_assert(!intr.level);
}
END_TEST

START_TEST(a_request_that_goes_away_is_a_spurious_line_7)
{
	pulse(3);
	pic_set_irq(&pic, 3, 0);
	ck_assert(!intr.level);
	ck_assert_int_eq(pic_acknowledge(&pic), 0x27);
	ck_assert_uint_eq(isr(0), 0);
}
END_TEST

START_TEST(a_request_of_the_second_chip_that_goes_away_is_a_spurious_line_15)
{
	pulse(10);
	pic.chip[1].irr = 0;                           /* gone between the two pulses of the acknowledge */
	ck_assert_int_eq(pic_acknowledge(&pic), 0x2f);
	ck_assert_uint_eq(isr(1), 0);
	ck_assert_uint_eq(isr(0), 0x04);
}
END_TEST

START_TEST(the_second_chip_asks_again_after_both_ends_of_interrupt)
{
	pulse(8);
	pulse(14);
	ck_assert_int_eq(pic_acknowledge(&pic), 0x28);
	out8(&pic.dev, S_CMD, 0x20);
	ck_assert(!intr.level);                        /* the first chip still has line 2 in service */
	out8(&pic.dev, M_CMD, 0x20);
	ck_assert(intr.level);
	ck_assert_int_eq(pic_acknowledge(&pic), 0x2e);
}
END_TEST

START_TEST(special_fully_nested_lets_the_second_chip_interrupt_its_own_handler)
{
	program(_i ? 0x11 : 0x01);
	pulse(12);
	ck_assert_int_eq(pic_acknowledge(&pic), 0x2c);
	pulse(9);
	ck_assert_int_eq(intr.level, _i);
	if (_i)
		ck_assert_int_eq(pic_acknowledge(&pic), 0x29);
}
END_TEST

START_TEST(automatic_end_of_interrupt_leaves_nothing_in_service)
{
	program(0x03);
	pulse(9);
	pulse(12);
	ck_assert_int_eq(pic_acknowledge(&pic), 0x29);
	ck_assert_int_eq(pic_acknowledge(&pic), 0x2c);     /* INT fell in between and made a new edge */
	pulse(3);
	ck_assert_int_eq(pic_acknowledge(&pic), 0x23);
	ck_assert_uint_eq(isr(0), 0);
	out8(&pic.dev, M_CMD, 0x80);                   /* and rotate from now on */
	pulse(3);
	pic_acknowledge(&pic);
	pulse(3);
	pulse(4);
	ck_assert_int_eq(pic_acknowledge(&pic), 0x24);
	out8(&pic.dev, M_CMD, 0x00);
	ck_assert_int_eq(pic_acknowledge(&pic), 0x23);
	pulse(5);
	pulse(6);
	ck_assert_int_eq(pic_acknowledge(&pic), 0x25);
}
END_TEST

START_TEST(rotation_on_end_of_interrupt_makes_the_line_the_lowest)
{
	pulse(1);
	pic_acknowledge(&pic);
	out8(&pic.dev, M_CMD, 0xa0);
	pulse(1);
	pulse(7);
	ck_assert_int_eq(pic_acknowledge(&pic), 0x27);
	out8(&pic.dev, M_CMD, 0xe7);                   /* rotate on specific end of interrupt: 7 is the lowest */
	ck_assert_uint_eq(isr(0), 0);
	ck_assert_int_eq(pic_acknowledge(&pic), 0x21);
}
END_TEST

START_TEST(set_priority_makes_any_line_the_lowest)
{
	unsigned lowest = (unsigned)_i;

	out8(&pic.dev, M_CMD, (uint8_t)(0xc0 | lowest));
	for (unsigned line = 0; line < 8; line++)
		if (line != 2)
			pulse(line);
	for (unsigned n = 1; n <= 8; n++) {
		unsigned line = (lowest + n) % 8;

		if (line == 2)
			continue;
		ck_assert_int_eq(pic_acknowledge(&pic), 0x20 + (int)line);
		out8(&pic.dev, M_CMD, 0x60 | (uint8_t)line);
	}
	ck_assert(!intr.level);
}
END_TEST

START_TEST(special_mask_lets_lower_lines_in_while_a_masked_one_is_in_service)
{
	pulse(3);
	pic_acknowledge(&pic);
	pulse(6);
	ck_assert(!intr.level);
	out8(&pic.dev, M_DATA, 0x08);
	ck_assert(!intr.level);
	out8(&pic.dev, M_CMD, 0x68);
	ck_assert(intr.level);
	ck_assert_int_eq(pic_acknowledge(&pic), 0x26);
	out8(&pic.dev, M_CMD, 0x20);                   /* non-specific: does not touch the masked line 3 */
	ck_assert_uint_eq(isr(0), 0x08);
	out8(&pic.dev, M_CMD, 0x48);                   /* special mask off */
	out8(&pic.dev, M_CMD, 0x20);
	ck_assert_uint_eq(isr(0), 0x00);
}
END_TEST

START_TEST(a_poll_acknowledges_and_tells_the_line)
{
	out8(&pic.dev, M_CMD, 0x0c);
	ck_assert_uint_eq(in8(&pic.dev, M_CMD), 0x00);
	pulse(5);
	out8(&pic.dev, M_CMD, 0x0c);
	ck_assert_uint_eq(in8(&pic.dev, M_CMD), 0x85);
	ck_assert(!intr.level);
	ck_assert_uint_eq(isr(0), 0x20);
}
END_TEST

START_TEST(initialisation_forgets_edges_masks_and_service)
{
	pulse(3);
	pic_acknowledge(&pic);
	pulse(1);
	out8(&pic.dev, M_DATA, 0xf0);
	program(0x01);
	ck_assert_uint_eq(isr(0), 0);
	ck_assert_uint_eq(irr(0), 0);
	ck_assert_uint_eq(in8(&pic.dev, M_DATA), 0);
	ck_assert(!intr.level);
	pulse(1);                                      /* a new edge counts */
	ck_assert_int_eq(pic_acknowledge(&pic), 0x21);
}
END_TEST

START_TEST(without_ICW4_the_sequence_is_one_word_shorter)
{
	out8(&pic.dev, M_CMD, 0x12);                   /* single, no ICW4 */
	out8(&pic.dev, M_DATA, 0x47);                  /* low bits of the vector are the line's */
	out8(&pic.dev, M_DATA, 0xfe);                  /* already the mask */
	ck_assert_uint_eq(in8(&pic.dev, M_DATA), 0xfe);
	pulse(0);
	ck_assert_int_eq(pic_acknowledge(&pic), 0x40);
}
END_TEST

START_TEST(a_word_access_writes_both_ports)
{
	pic.dev.ops->io_write(&pic.dev, M_CMD, 2, 0xa50b);
	ck_assert_uint_eq(in8(&pic.dev, M_DATA), 0xa5);
	ck_assert_uint_eq(pic.dev.ops->io_read(&pic.dev, M_CMD, 2), 0xa500);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pic");
	TCase *t = tcase_create("8259");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_loop_test(t, each_line_gives_its_vector, 0, 16);
	tcase_add_test(t, the_lower_line_goes_first_and_others_wait_for_the_end_of_interrupt);
	tcase_add_test(t, a_higher_line_interrupts_a_handler_and_a_lower_one_does_not);
	tcase_add_test(t, a_masked_line_waits);
	tcase_add_test(t, an_edge_asks_once);
	tcase_add_test(t, a_level_asks_as_long_as_it_is_high);
	tcase_add_test(t, a_request_that_goes_away_is_a_spurious_line_7);
	tcase_add_test(t, a_request_of_the_second_chip_that_goes_away_is_a_spurious_line_15);
	tcase_add_test(t, the_second_chip_asks_again_after_both_ends_of_interrupt);
	tcase_add_loop_test(t, special_fully_nested_lets_the_second_chip_interrupt_its_own_handler, 0, 2);
	tcase_add_test(t, automatic_end_of_interrupt_leaves_nothing_in_service);
	tcase_add_test(t, rotation_on_end_of_interrupt_makes_the_line_the_lowest);
	tcase_add_loop_test(t, set_priority_makes_any_line_the_lowest, 0, 8);
	tcase_add_test(t, special_mask_lets_lower_lines_in_while_a_masked_one_is_in_service);
	tcase_add_test(t, a_poll_acknowledges_and_tells_the_line);
	tcase_add_test(t, initialisation_forgets_edges_masks_and_service);
	tcase_add_test(t, without_ICW4_the_sequence_is_one_word_shorter);
	tcase_add_test(t, a_word_access_writes_both_ports);
	suite_add_tcase(s, t);
	return bench_main(s);
}
