/* tests/devices/uart_test.c: the 16550A. */
#include "dev_bench.h"
#include "devices/uart.h"

#include <string.h>

enum { DATA, IER, FCR, LCR, MCR, LSR, MSR, SCR, IIR = FCR };
#define CHAR (10 * 16 * CLOCK_HZ / 1843200)        /* ticks at 115200 8N1 */

static struct uart uart;
static struct wire irq4;
static char sent[256];

static void put(void *owner, uint8_t byte)
{
	size_t n = strlen(sent);

	(void)owner;
	if (n + 1 < sizeof sent) {
		sent[n] = (char)byte;
		sent[n + 1] = '\0';
	}
}

static void setup(void)
{
	bench_clock_start(0);
	uart_init(&uart, &bench_clock);
	uart.dev.irq = bench_wire(&irq4);
	uart.out.put = put;
	sent[0] = '\0';
}

static uint8_t in(uint16_t reg) { return in8(&uart.dev, reg); }
static void out(uint16_t reg, uint8_t value) { out8(&uart.dev, reg, value); }

START_TEST(a_byte_is_sent_at_once_and_the_line_is_busy_for_its_time)
{
	ck_assert_uint_eq(in(LSR), 0x60);
	out(DATA, 'A');
	ck_assert_str_eq(sent, "A");
	ck_assert_uint_eq(in(LSR), 0x20);              /* THR passed on to the shift register */
	out(DATA, 'B');
	ck_assert_uint_eq(in(LSR), 0x00);
	bench_run(CHAR - 1);
	ck_assert_uint_eq(in(LSR), 0x00);
	bench_run(1);
	ck_assert_uint_eq(in(LSR), 0x20);
	bench_run(CHAR);
	ck_assert_uint_eq(in(LSR), 0x60);
	ck_assert_str_eq(sent, "AB");
}
END_TEST

START_TEST(the_format_and_the_divisor_set_the_time)
{
	out(LCR, 0x80);
	out(DATA, 96);
	out(IER, 0);
	ck_assert_uint_eq(in(DATA), 96);
	ck_assert_uint_eq(in(IER), 0);
	out(LCR, 0x0f);                                /* 8 bits, two stop bits, parity: 12 bits at 1200 baud, 10 ms */
	out(DATA, 'x');
	bench_run(CLOCK_HZ / 100 - 1);
	ck_assert_uint_eq(in(LSR), 0x20);
	bench_run(1);
	ck_assert_uint_eq(in(LSR), 0x60);
}
END_TEST

START_TEST(the_transmit_FIFO_takes_sixteen_and_one_in_the_shift_register)
{
	out(FCR, 0x01);
	for (unsigned i = 0; i < 17; i++)
		out(DATA, (uint8_t)('a' + i));
	ck_assert_str_eq(sent, "abcdefghijklmnopq");
	out(IER, 0x02);
	bench_run(16 * CHAR - 1);
	ck_assert_uint_eq(in(LSR) & 0x20, 0);
	ck_assert_int_eq(irq4.level, 0);
	bench_run(1);
	ck_assert_uint_eq(in(LSR) & 0x60, 0x20);
	ck_assert_int_eq(irq4.level, 1);
	bench_run(CHAR);
	ck_assert_uint_eq(in(LSR) & 0x60, 0x60);
}
END_TEST

START_TEST(the_THR_empty_interrupt_ends_with_reading_IIR_or_sending)
{
	out(IER, 0x02);
	ck_assert_int_eq(irq4.level, 1);               /* enabling it while THR is empty raises it */
	ck_assert_uint_eq(in(IIR), 0x02);
	ck_assert_uint_eq(in(IIR), 0x01);
	ck_assert_int_eq(irq4.level, 0);
	out(DATA, 'a');
	ck_assert_int_eq(irq4.level, 1);               /* went straight into the shift register */
	out(DATA, 'b');
	ck_assert_int_eq(irq4.level, 0);
	bench_run(CHAR);
	ck_assert_int_eq(irq4.level, 1);
}
END_TEST

START_TEST(a_received_byte_interrupts_until_it_is_read)
{
	out(IER, 0x01);
	ck_assert(uart_can_receive(&uart));
	uart_receive(&uart, 'z');
	ck_assert(!uart_can_receive(&uart));
	ck_assert_int_eq(irq4.level, 1);
	ck_assert_uint_eq(in(IIR), 0x04);
	ck_assert_uint_eq(in(LSR), 0x61);
	ck_assert_uint_eq(in(DATA), 'z');
	ck_assert_int_eq(irq4.level, 0);
	ck_assert_uint_eq(in(LSR), 0x60);
	ck_assert(!uart_can_receive(&uart));           /* the next byte takes its time on the wire */
	bench_run(CHAR);
	ck_assert(uart_can_receive(&uart));
}
END_TEST

START_TEST(the_receive_FIFO_interrupts_at_its_trigger)
{
	static const uint8_t level[4] = { 1, 4, 8, 14 };

	out(FCR, (uint8_t)(0x01 | _i << 6));
	out(IER, 0x01);
	for (unsigned i = 1; i <= 16; i++) {
		bench_run(CHAR);
		ck_assert(uart_can_receive(&uart));
		uart_receive(&uart, (uint8_t)i);
		ck_assert_int_eq(irq4.level, i >= level[_i]);
	}
	ck_assert_uint_eq(in(IIR), 0xc4);
	bench_run(CHAR);
	ck_assert(!uart_can_receive(&uart));
	uart_receive(&uart, 17);                       /* one too many */
	ck_assert_uint_eq(in(LSR), 0x63);
	ck_assert_uint_eq(in(LSR), 0x61);
	for (unsigned i = 1; i <= 16; i++) {
		ck_assert_uint_eq(in(DATA), i);
		ck_assert_int_eq(irq4.level, 16 - i >= level[_i]);
	}
}
END_TEST

START_TEST(a_FIFO_below_its_trigger_times_out_after_four_characters)
{
	out(FCR, 0xc1);
	out(IER, 0x01);
	uart_receive(&uart, 'a');
	bench_run(CHAR);
	uart_receive(&uart, 'b');
	bench_run(4 * CHAR - 1);
	ck_assert_int_eq(irq4.level, 0);
	bench_run(1);
	ck_assert_int_eq(irq4.level, 1);
	ck_assert_uint_eq(in(IIR), 0xcc);
	ck_assert_uint_eq(in(DATA), 'a');
	ck_assert_int_eq(irq4.level, 0);
	bench_run(4 * CHAR);
	ck_assert_int_eq(irq4.level, 1);
	ck_assert_uint_eq(in(DATA), 'b');
	bench_run(100 * CHAR);
	ck_assert_int_eq(irq4.level, 0);
}
END_TEST

START_TEST(without_FIFO_an_overrun_loses_the_older_byte)
{
	uart_receive(&uart, 'a');
	uart_receive(&uart, 'b');
	ck_assert_uint_eq(in(LSR), 0x63);
	ck_assert_uint_eq(in(DATA), 'b');
	ck_assert_uint_eq(in(LSR), 0x60);
}
END_TEST

START_TEST(interrupt_causes_have_their_priority)
{
	out(FCR, 0x01);
	out(MCR, 0x10);                                /* loopback moves the modem lines */
	in(MSR);
	out(MCR, 0x00);
	out(IER, 0x0f);
	uart_receive_break(&uart);
	ck_assert_uint_eq(in(IIR), 0xc6);
	ck_assert_uint_eq(in(LSR) & 0x10, 0x10);
	ck_assert_uint_eq(in(IIR), 0xc4);
	ck_assert_uint_eq(in(DATA), 0);
	ck_assert_uint_eq(in(IIR), 0xc2);
	ck_assert_uint_eq(in(IIR), 0xc0);
	ck_assert_uint_eq(in(MSR), 0xbb);
	ck_assert_uint_eq(in(IIR), 0xc1);
	ck_assert_int_eq(irq4.level, 0);
}
END_TEST

START_TEST(loopback_receives_what_it_sends_and_turns_the_modem_lines_round)
{
	out(MCR, 0x10);
	in(MSR);
	out(DATA, 'L');
	ck_assert_str_eq(sent, "");
	ck_assert_uint_eq(in(LSR) & 1, 0);
	bench_run(CHAR);
	ck_assert_uint_eq(in(LSR) & 1, 1);
	ck_assert_uint_eq(in(DATA), 'L');
	out(MCR, 0x1a);                                /* RTS and OUT2 */
	ck_assert_uint_eq(in(MSR), 0x99);              /* CTS and DCD, both changed */
	ck_assert_uint_eq(in(MSR), 0x90);
	ck_assert(!uart_can_receive(&uart));
	uart_receive(&uart, 'x');
	ck_assert_uint_eq(in(LSR) & 1, 0);
}
END_TEST

START_TEST(clearing_the_FIFOs_empties_them)
{
	out(FCR, 0x01);
	ck_assert_uint_eq(in(IIR), 0xc1);
	uart_receive(&uart, 'a');
	out(DATA, 'b');
	out(DATA, 'c');
	out(FCR, 0x07);
	ck_assert_uint_eq(in(LSR), 0x20);
	bench_run(CHAR);
	ck_assert_uint_eq(in(LSR), 0x60);
	uart_receive(&uart, 'a');
	out(FCR, 0x00);                                /* leaving FIFO mode clears too */
	ck_assert_uint_eq(in(LSR), 0x60);
	ck_assert_uint_eq(in(IIR), 0x01);
}
END_TEST

START_TEST(the_host_waits_until_the_guest_listens)
{
	ck_assert(!uart_can_receive(&uart));
	switch (_i) {
	case 0: out(IER, 0x01); break;
	case 1: out(MCR, 0x02); break;
	default:
		for (unsigned i = 0; i < 100; i++)     /* a kernel that prints by polling does not listen */
			for (out(DATA, 'p'); !(in(LSR) & 0x40);)
				bench_run(1000);
		ck_assert(!uart_can_receive(&uart));
		for (unsigned i = 0; i < 32; i++)
			in(LSR);
	}
	ck_assert(uart_can_receive(&uart));
}
END_TEST

START_TEST(registers_keep_only_the_bits_they_have)
{
	out(SCR, 0xa5);
	ck_assert_uint_eq(in(SCR), 0xa5);
	out(IER, 0xff);
	ck_assert_uint_eq(in(IER), 0x0f);
	out(MCR, 0xff);
	ck_assert_uint_eq(in(MCR), 0x1f);
	out(LSR, 0x00);
	out(MSR, 0x00);
	out(LCR, 0x7f);
	ck_assert_uint_eq(in(LCR), 0x7f);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("uart");
	TCase *t = tcase_create("16550A");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, a_byte_is_sent_at_once_and_the_line_is_busy_for_its_time);
	tcase_add_test(t, the_format_and_the_divisor_set_the_time);
	tcase_add_test(t, the_transmit_FIFO_takes_sixteen_and_one_in_the_shift_register);
	tcase_add_test(t, the_THR_empty_interrupt_ends_with_reading_IIR_or_sending);
	tcase_add_test(t, a_received_byte_interrupts_until_it_is_read);
	tcase_add_loop_test(t, the_receive_FIFO_interrupts_at_its_trigger, 0, 4);
	tcase_add_test(t, a_FIFO_below_its_trigger_times_out_after_four_characters);
	tcase_add_test(t, without_FIFO_an_overrun_loses_the_older_byte);
	tcase_add_test(t, interrupt_causes_have_their_priority);
	tcase_add_test(t, loopback_receives_what_it_sends_and_turns_the_modem_lines_round);
	tcase_add_test(t, clearing_the_FIFOs_empties_them);
	tcase_add_loop_test(t, the_host_waits_until_the_guest_listens, 0, 3);
	tcase_add_test(t, registers_keep_only_the_bits_they_have);
	suite_add_tcase(s, t);
	return bench_main(s);
}
