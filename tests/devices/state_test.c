/* tests/devices/state_test.c: two things every device owes.
 *
 *   - Its register table is its whole state: saved, loaded into a new device at the same time, it goes on exactly as the old one.
 *   - No sequence of accesses, and no state file, makes it misbehave; the sanitizers are the judge of that.
 */
#include "dev_bench.h"
#include "devices/acpi_pm.h"
#include "devices/cmos.h"
#include "devices/debugport.h"
#include "devices/fpu_error.h"
#include "devices/i8042.h"
#include "devices/pic.h"
#include "devices/pit.h"
#include "devices/port92.h"
#include "devices/uart.h"
#include "devices/vga.h"

#include <stdlib.h>
#include <string.h>

static union any {
	struct device dev;
	struct pic pic;
	struct pit pit;
	struct cmos cmos;
	struct i8042 i8042;
	struct port92 port92;
	struct uart uart;
	struct vga vga;
	struct acpi_pm pm;
	struct fpu_error fpu_error;
	struct debug_exit debug_exit;
	struct debug_console console;
} any;

/* Everything a device lets out, folded into one number. */
static uint64_t trace;

static void fold(uint64_t value)
{
	trace = (trace ^ value) * 0x100000001b3ull;
	trace ^= trace >> 29;
}

static void fold_line(void *owner, unsigned line, int level)
{
	(void)owner;
	fold(bench_now());
	fold(line * 2 + !!level);
}

static void fold_byte(void *owner, uint8_t byte)
{
	(void)owner;
	fold(byte);
}

static void fold_exit(void *owner, uint32_t value)
{
	(void)owner;
	fold(value);
}

static void fold_off(void *owner)
{
	(void)owner;
	fold(0x0ff);
}

static struct irq_line line(unsigned n) { return (struct irq_line){ fold_line, NULL, n }; }

/* A small generator of its own, so that a run is the same everywhere. */
static uint64_t seed;

static uint32_t rnd(uint32_t below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)((seed >> 33) % below);
}

static void make_pic(void) { pic_init(&any.pic); }
static void make_pit(void) { pit_init(&any.pit, &bench_clock); }
static void make_cmos(void) { cmos_init(&any.cmos, &bench_clock, CMOS_START_2026); }
static void make_port92(void) { port92_init(&any.port92); any.port92.a20 = line(1); any.port92.reset = line(2); }
static void make_fpu_error(void) { fpu_error_init(&any.fpu_error); any.fpu_error.ignne = line(1); }
static void make_uart(void) { uart_init(&any.uart, &bench_clock); any.uart.out.put = fold_byte; }
static void make_vga(void) { vga_init(&any.vga, &bench_clock); }
static void make_pm(void) { acpi_pm_init(&any.pm, &bench_clock, fold_off, NULL); }
static void make_exit(void) { debug_exit_init(&any.debug_exit, fold_exit, NULL); }
static void make_console(void) { debug_console_init(&any.console); any.console.out.put = fold_byte; }

static void make_i8042(void)
{
	i8042_init(&any.i8042);
	any.i8042.irq_aux = line(1);
	any.i8042.a20 = line(2);
	any.i8042.reset = line(3);
}

/* What the outside does to a device now and then. */
static void poke_pic(void)
{
	pic_set_irq(&any.pic, rnd(20), (int)rnd(2));
	if (pic_intr(&any.pic) || rnd(8) == 0)
		fold((uint64_t)pic_acknowledge(&any.pic));
}

static void poke_uart(void)
{
	if (uart_can_receive(&any.uart) || rnd(4) == 0)
		uart_receive(&any.uart, (uint8_t)rnd(256));
	if (rnd(50) == 0)
		uart_receive_break(&any.uart);
}

static void poke_i8042(void)
{
	fold(i8042_key(&any.i8042, rnd(4) ? rnd(256) : 0xe000 + rnd(256)));
	i8042_mouse(&any.i8042, (int)rnd(2000) - 1000, (int)rnd(2000) - 1000, rnd(16));
}

static void poke_vga(void)
{
	uint32_t offset = rnd(VGA_WINDOW_SIZE + 16);
	unsigned size = 1u << rnd(3);
	char text[VGA_TEXT_BYTES];
	struct vga_cursor c = vga_cursor(&any.vga);

	if (rnd(2))
		vga_mmio_ops.write(&any.vga, offset, size, rnd(UINT32_MAX));
	else
		fold(vga_mmio_ops.read(&any.vga, offset, size));
	fold(c.visible ? c.row * 80 + c.column : 0);
	if (rnd(64) == 0)
		fold(vga_text(&any.vga, text, rnd(sizeof text)));
}

static void poke_pit(void) { fold(pit_speaker(&any.pit)); }
static void poke_pm(void) { if (rnd(10) == 0) acpi_pm_power_button(&any.pm); }
static void poke_fpu_error(void) { fpu_error_set(&any.fpu_error, rnd(2)); }
static void poke_nothing(void) {}

static const struct subject {
	void (*make)(void);
	void (*poke)(void);
	uint16_t offsets;              /* of interest */
	uint32_t longest;              /* ticks between two accesses */
} subjects[] = {
	{ make_pic, poke_pic, 6, 10 },
	{ make_pit, poke_pit, 5, 2000 },
	{ make_cmos, poke_nothing, 2, 30000000 },
	{ make_i8042, poke_i8042, 5, 10 },
	{ make_port92, poke_nothing, 1, 10 },
	{ make_uart, poke_uart, 8, 20000 },
	{ make_vga, poke_vga, 64, 1000 },
	{ make_pm, poke_pm, 0x51, 10000000 },
	{ make_fpu_error, poke_fpu_error, 2, 10 },
	{ make_exit, poke_nothing, 4, 10 },
	{ make_console, poke_nothing, 1, 10 },
};
#define SUBJECTS (int)(sizeof subjects / sizeof subjects[0])

static void make(const struct subject *s)
{
	memset(&any, 0xa5, sizeof any);        /* init owes nothing to what was there */
	s->make();
	any.dev.irq = line(0);
}

static void step(const struct subject *s)
{
	uint16_t offset = (uint16_t)(rnd(100) ? rnd(s->offsets) : rnd(65536));
	unsigned size = rnd(8) ? 1 : 1u << rnd(3);

	switch (rnd(5)) {
	case 0:
	case 1:
		any.dev.ops->io_write(&any.dev, offset, size, rnd(3) ? rnd(UINT32_MAX) : rnd(8));
		break;
	case 2:
	case 3:
		fold(any.dev.ops->io_read(&any.dev, offset, size));
		break;
	default:
		s->poke();
		bench_run(rnd(s->longest));
	}
}

static void steps(const struct subject *s, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		step(s);
}

START_TEST(a_hundred_thousand_random_accesses_do_no_harm)
{
	const struct subject *s = &subjects[_i];

	bench_clock_start(0);
	seed = 0x5eed + (uint64_t)_i;
	make(s);
	steps(s, 100000);
	any.dev.ops->reset(&any.dev);
	steps(s, 1000);
}
END_TEST

START_TEST(a_loaded_device_goes_on_as_the_saved_one)
{
	const struct subject *s = &subjects[_i];

	for (unsigned round = 0; round < 40; round++) {
		uint64_t now, seed_saved, trace_first;
		size_t size, size_again;
		uint8_t *saved, *again;

		bench_clock_start(12345);
		seed = 1000 * round + (unsigned)_i;
		make(s);
		steps(s, 500 + 37 * round);
		saved = bench_save(&any.dev, &size);
		now = bench_now();
		seed_saved = seed;
		trace = 0;
		steps(s, 1000);
		trace_first = trace;

		bench_clock_start(now);
		make(s);
		bench_load(&any.dev, saved, size);
		again = bench_save(&any.dev, &size_again);
		ck_assert_msg(size == size_again && !memcmp(saved, again, size), "%s: loading changed the state", any.dev.ops->name);
		seed = seed_saved;
		trace = 0;
		steps(s, 1000);
		ck_assert_msg(trace == trace_first, "%s: round %u went on differently", any.dev.ops->name, round);
		free(saved);
		free(again);
	}
}
END_TEST

START_TEST(reset_gives_the_same_state_whatever_went_before)
{
	const struct subject *s = &subjects[_i];
	uint8_t *states[2];
	size_t size;

	if (s->make == make_cmos || s->make == make_pic || s->make == make_pm)
		return;                        /* a battery, pins others hold, a timer that runs on */
	for (unsigned round = 0; round < 2; round++) {
		bench_clock_start(0);
		seed = 77 + round;
		make(s);
		steps(s, round * 5000);
		any.dev.ops->reset(&any.dev);
		states[round] = bench_save(&any.dev, &size);
	}
	ck_assert(!memcmp(states[0], states[1], size));
	free(states[0]);
	free(states[1]);
}
END_TEST

START_TEST(no_state_file_does_harm)
{
	const struct subject *s = &subjects[_i];

	for (unsigned round = 0; round < 100; round++) {
		uint8_t *state;
		size_t size;

		bench_clock_start(round * 1000000007ull);
		seed = 31 * round + (unsigned)_i;
		make(s);
		steps(s, 50);
		state = bench_save(&any.dev, &size);
		for (size_t i = 0; i < size; i++)
			if (round < 50 || rnd(4) == 0)
				state[i] = rnd(4) ? (uint8_t)rnd(256) : 0xff;
		bench_load(&any.dev, state, size);
		steps(s, 500);
		free(state);
	}
}
END_TEST

START_TEST(register_tables_lie_inside_their_struct_and_do_not_overlap)
{
	static uint8_t seen[sizeof any];
	const struct subject *s = &subjects[_i];

	bench_clock_start(0);
	make(s);
	memset(seen, 0, sizeof seen);
	for (const struct reg_desc *r = any.dev.ops->regs; r->name; r++) {
		size_t bytes = (size_t)r->bytes * r->count;

		ck_assert_uint_gt(bytes, 0);
		ck_assert_uint_ge(r->offset, sizeof(struct device));
		ck_assert_uint_le(r->offset + bytes, sizeof any);
		ck_assert(r->help && *r->help);
		for (size_t i = 0; i < bytes; i++) {
			ck_assert_msg(!seen[r->offset + i], "%s.%s is named twice", any.dev.ops->name, r->name);
			seen[r->offset + i] = 1;
		}
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("device state");
	TCase *t = tcase_create("every device");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, a_hundred_thousand_random_accesses_do_no_harm, 0, SUBJECTS);
	tcase_add_loop_test(t, a_loaded_device_goes_on_as_the_saved_one, 0, SUBJECTS);
	tcase_add_loop_test(t, reset_gives_the_same_state_whatever_went_before, 0, SUBJECTS);
	tcase_add_loop_test(t, no_state_file_does_harm, 0, SUBJECTS);
	tcase_add_loop_test(t, register_tables_lie_inside_their_struct_and_do_not_overlap, 0, SUBJECTS);
	suite_add_tcase(s, t);
	return bench_main(s);
}
