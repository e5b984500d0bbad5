/* tests/devices/power_test.c: the small ports that end a run or reset it: ACPI, isa-debug-exit, 0xE9, port 0x92. */
#include "dev_bench.h"
#include "devices/acpi_pm.h"
#include "devices/debugport.h"
#include "devices/port92.h"

#include <string.h>

static struct acpi_pm pm;
static struct port92 port92;
static struct debug_exit debug_exit;
static struct debug_console console;
static struct wire sci, a20, reset;
static unsigned offs, exits;
static uint32_t exit_value;
static char printed[16];

static void count_off(void *owner) { ++*(unsigned *)owner; }

static void note_exit(void *owner, uint32_t value)
{
	++*(unsigned *)owner;
	exit_value = value;
}

static void put(void *owner, uint8_t byte)
{
	char *text = owner;
	size_t n = strlen(text);

	if (n + 1 < sizeof printed) {
		text[n] = (char)byte;
		text[n + 1] = '\0';
	}
}

static void setup(void)
{
	bench_clock_start(0);
	acpi_pm_init(&pm, &bench_clock, count_off, &offs);
	pm.dev.irq = bench_wire(&sci);
	port92_init(&port92);
	port92.a20 = bench_wire(&a20);
	port92.reset = bench_wire(&reset);
	debug_exit_init(&debug_exit, note_exit, &exits);
	debug_console_init(&console);
	console.out = (struct char_out){ put, printed };
	offs = exits = 0;
	printed[0] = '\0';
}

static uint32_t pm_in(uint16_t offset, unsigned size) { return pm.dev.ops->io_read(&pm.dev, offset, size); }
static void pm_out(uint16_t offset, unsigned size, uint32_t value) { pm.dev.ops->io_write(&pm.dev, offset, size, value); }

START_TEST(SLP_EN_with_soft_off_switches_off)
{
	pm_out(4, 2, 0x0001);
	pm_out(4, 2, 0x0401);                          /* a type alone does nothing */
	ck_assert_uint_eq(offs, 0);
	pm_out(4, 2, 0x2401);                          /* another sleep type is not off */
	ck_assert_uint_eq(offs, 0);
	pm_out(4, 2, 0x2001);
	ck_assert_uint_eq(offs, 1);
	ck_assert_uint_eq(pm_in(4, 2), 0x0001);        /* SLP_EN reads as 0 */
	pm_out(ACPI_PM_OLD_OFFSET, 2, 0x2000);
	ck_assert_uint_eq(offs, 2);
}
END_TEST

START_TEST(the_word_Shutdown_switches_off_and_no_other)
{
	const char *said[] = { "shutdown", "Shutdow", "ShutdownX", "ShShutdown", "Shut down" };
	static const unsigned off[] = { 0, 0, 1, 1, 0 };

	for (const char *c = said[_i]; *c; c++)
		pm_out(SHUTDOWN_OFFSET, 1, (uint8_t)*c);
	ck_assert_uint_eq(offs, off[_i]);
}
END_TEST

START_TEST(the_PM_timer_counts_24_bits_at_3579545_Hz)
{
	bench_run(CLOCK_HZ);
	ck_assert_uint_eq(pm_in(8, 4), 3579545);
	bench_run(4 * CLOCK_HZ);
	ck_assert_uint_eq(pm_in(8, 4), 5 * 3579545 - 0x1000000);
	pm_out(8, 4, 0);
	ck_assert_uint_eq(pm_in(8, 4), 5 * 3579545 - 0x1000000);
}
END_TEST

START_TEST(the_timer_status_follows_bit_23_and_interrupts_when_enabled)
{
	uint64_t half = ((1ull << 23) * CLOCK_HZ + 3579544) / 3579545;

	bench_run(half);
	ck_assert_uint_eq(pm_in(0, 2), 1);
	ck_assert_int_eq(sci.level, 0);
	pm_out(0, 2, 0);                               /* only ones clear */
	ck_assert_uint_eq(pm_in(0, 2), 1);
	pm_out(0, 2, 1);
	ck_assert_uint_eq(pm_in(0, 2), 0);
	pm_out(2, 2, 0xffff);
	ck_assert_uint_eq(pm_in(2, 2), 0x0101);
	bench_run(half - 2);
	ck_assert_int_eq(sci.level, 0);
	bench_run(2);
	ck_assert_int_eq(sci.level, 1);
	pm_out(0, 2, 1);
	ck_assert_int_eq(sci.level, 0);
}
END_TEST

START_TEST(the_power_button_raises_its_event)
{
	acpi_pm_power_button(&pm);
	ck_assert_uint_eq(pm_in(0, 2), 0x0100);
	ck_assert_int_eq(sci.level, 0);
	pm_out(2, 2, 0x0100);
	ck_assert_int_eq(sci.level, 1);
	pm_out(4, 1, 0);                               /* without SCI_EN it would be an SMI */
	ck_assert_int_eq(sci.level, 0);
	ck_assert_uint_eq(offs, 0);
}
END_TEST

START_TEST(the_debug_exit_gives_the_value_whatever_its_size)
{
	debug_exit.dev.ops->io_write(&debug_exit.dev, 0, 1, 0x10);
	ck_assert_uint_eq(exit_value, 0x10);
	debug_exit.dev.ops->io_write(&debug_exit.dev, 0, 4, 0x12345678);
	ck_assert_uint_eq(exit_value, 0x12345678);
	ck_assert_uint_eq(exits, 2);
	ck_assert_uint_eq(in8(&debug_exit.dev, 0), 0);
	ck_assert_uint_eq(exits, 2);
}
END_TEST

START_TEST(port_E9_prints_and_says_it_is_there)
{
	out8(&console.dev, 0, 'h');
	out8(&console.dev, 0, 'i');
	ck_assert_str_eq(printed, "hi");
	ck_assert_uint_eq(in8(&console.dev, 0), 0xe9);
}
END_TEST

START_TEST(port_92_opens_A20_and_resets_on_a_rising_bit)
{
	out8(&port92.dev, 0, 0x02);
	ck_assert_int_eq(a20.level, 1);
	ck_assert_uint_eq(in8(&port92.dev, 0), 0x02);
	out8(&port92.dev, 0, 0x00);
	ck_assert_int_eq(a20.level, 0);
	ck_assert_uint_eq(reset.rises, 0);
	out8(&port92.dev, 0, 0x01);
	ck_assert_uint_eq(reset.rises, 1);
	out8(&port92.dev, 0, 0x01);
	ck_assert_uint_eq(reset.rises, 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("power");
	TCase *t = tcase_create("small ports");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, SLP_EN_with_soft_off_switches_off);
	tcase_add_loop_test(t, the_word_Shutdown_switches_off_and_no_other, 0, 5);
	tcase_add_test(t, the_PM_timer_counts_24_bits_at_3579545_Hz);
	tcase_add_test(t, the_timer_status_follows_bit_23_and_interrupts_when_enabled);
	tcase_add_test(t, the_power_button_raises_its_event);
	tcase_add_test(t, the_debug_exit_gives_the_value_whatever_its_size);
	tcase_add_test(t, port_E9_prints_and_says_it_is_there);
	tcase_add_test(t, port_92_opens_A20_and_resets_on_a_rising_bit);
	suite_add_tcase(s, t);
	return bench_main(s);
}
