/* tests/devices/i8042_test.c: keyboard controller, keyboard and mouse. */
#include "dev_bench.h"
#include "devices/i8042.h"

enum { DATA = 0, CMD = 4 };

static struct i8042 kbc;
static struct wire irq1, irq12, a20, reset;

static void setup(void)
{
	i8042_init(&kbc);
	kbc.dev.irq = bench_wire(&irq1);
	kbc.irq_aux = bench_wire(&irq12);
	kbc.a20 = bench_wire(&a20);
	kbc.reset = bench_wire(&reset);
}

static uint8_t status(void) { return in8(&kbc.dev, CMD); }
static void command(uint8_t value) { out8(&kbc.dev, CMD, value); }
static void data(uint8_t value) { out8(&kbc.dev, DATA, value); }

static void set_command_byte(uint8_t value)
{
	command(0x60);
	data(value);
}

static void expect(const uint8_t *bytes, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		ck_assert_msg(status() & 1, "byte %u of %u is missing", i, n);
		ck_assert_uint_eq(in8(&kbc.dev, DATA), bytes[i]);
	}
	ck_assert_msg(!(status() & 1), "there is more than %u bytes", n);
}
#define EXPECT(...) expect((const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

START_TEST(a_key_gives_set_1_codes_and_an_interrupt_for_each_byte)
{
	ck_assert(i8042_key(&kbc, 0x1e));
	ck_assert(i8042_key(&kbc, 0x9e));
	ck_assert(i8042_key(&kbc, 0xe048));
	ck_assert(i8042_key(&kbc, 0xe0c8));
	ck_assert_int_eq(irq1.level, 1);
	ck_assert_uint_eq(irq1.rises, 1);
	EXPECT(0x1e, 0x9e, 0xe0, 0x48, 0xe0, 0xc8);
	ck_assert_int_eq(irq1.level, 0);
	ck_assert_uint_eq(irq1.rises, 6);
}
END_TEST

START_TEST(translation_gives_every_key_back_as_in_set_1)
{
	/* Keys 0x01-0x58 of a PC keyboard; 0x54 is SysRq, 0x55 is not a key. */
	for (uint8_t key = 0x01; key <= 0x58; key++) {
		if (key == 0x55)
			continue;
		ck_assert_msg(i8042_key(&kbc, key), "key %#x has no code in set 2", key);
		i8042_key(&kbc, key | 0x80u);
		EXPECT(key, key | 0x80);
	}
}
END_TEST

START_TEST(untranslated_keys_come_in_set_2)
{
	set_command_byte(0x05);
	i8042_key(&kbc, 0x1e);                         /* A */
	i8042_key(&kbc, 0x9e);
	i8042_key(&kbc, 0xe0cb);                       /* left arrow released */
	i8042_key(&kbc, 0x41);                         /* F7 */
	EXPECT(0x1c, 0xf0, 0x1c, 0xe0, 0xf0, 0x6b, 0x83);
}
END_TEST

START_TEST(the_keyboard_itself_can_speak_set_1)
{
	set_command_byte(0x05);
	data(0xf0);
	data(0x01);
	EXPECT(0xfa, 0xfa);
	data(0xf0);
	data(0x00);
	EXPECT(0xfa, 0xfa, 0x01);
	i8042_key(&kbc, 0x9e);
	EXPECT(0x9e);
	data(0xf0);
	data(0x03);
	EXPECT(0xfa, 0xfe);
}
END_TEST

START_TEST(a_full_keyboard_buffer_loses_keys_and_says_so_once)
{
	unsigned kept = 0;

	set_command_byte(0x05);
	for (unsigned i = 0; i < 1000; i++)
		kept += i8042_key(&kbc, 0x1e);
	ck_assert_uint_lt(kept, 64);
	ck_assert(!i8042_can_key(&kbc));
	for (unsigned i = 0; i < kept; i++)
		ck_assert_uint_eq(in8(&kbc.dev, DATA), 0x1c);
	EXPECT(0x00);                                  /* the overrun code of set 2 */
	ck_assert(i8042_key(&kbc, 0x1e));
	EXPECT(0x1c);
}
END_TEST

START_TEST(keyboard_commands_are_acknowledged)
{
	static const struct { uint8_t send[2]; unsigned sent; uint8_t answer[4]; unsigned answers; } c[] = {
		{ { 0xed, 0x07 }, 2, { 0xfa, 0xfa }, 2 },
		{ { 0xee }, 1, { 0xee }, 1 },
		{ { 0xf2 }, 1, { 0xfa, 0xab, 0x83 }, 3 },
		{ { 0xf3, 0x20 }, 2, { 0xfa, 0xfa }, 2 },
		{ { 0xf4 }, 1, { 0xfa }, 1 },
		{ { 0xf5 }, 1, { 0xfa }, 1 },
		{ { 0xf6 }, 1, { 0xfa }, 1 },
		{ { 0xff }, 1, { 0xfa, 0xaa }, 2 },
		{ { 0xfe }, 1, { 0xee }, 1 },              /* Resend, after an echo */
		{ { 0x10 }, 1, { 0xfe }, 1 },              /* no command */
	};

	set_command_byte(0x05);
	data(0xee);
	in8(&kbc.dev, DATA);
	for (unsigned i = 0; i < c[_i].sent; i++)
		data(c[_i].send[i]);
	expect(c[_i].answer, c[_i].answers);
	ck_assert_uint_eq(i8042_leds(&kbc), _i == 0 ? 7 : 0);
}
END_TEST

START_TEST(a_keyboard_that_was_told_not_to_scan_is_silent)
{
	data(0xf5);
	EXPECT(0xfa);
	ck_assert(!i8042_key(&kbc, 0x1e));
	data(0xf4);
	EXPECT(0xfa);
	ck_assert(i8042_key(&kbc, 0x1e));
}
END_TEST

START_TEST(a_closed_interface_keeps_the_keys)
{
	command(0xad);
	i8042_key(&kbc, 0x1e);
	ck_assert(!(status() & 1));
	command(0xae);
	EXPECT(0x1e);
	command(0xad);
	data(0xee);                                    /* sending opens it again */
	EXPECT(0xee);
}
END_TEST

START_TEST(controller_commands_answer_before_waiting_keys)
{
	i8042_key(&kbc, 0x1e);
	i8042_key(&kbc, 0x9e);
	command(0xaa);
	EXPECT(0x1e, 0x55, 0x9e);
	command(0xab);
	EXPECT(0x00);
	command(0xa9);
	EXPECT(0x00);
	command(0x20);
	EXPECT(0x45);
	ck_assert_uint_eq(status() & 0x1c, 0x1c);
	data(0xee);
	ck_assert_uint_eq(status() & 0x08, 0);
}
END_TEST

START_TEST(controller_memory_holds_what_is_written)
{
	command(0x7f);
	data(0x5a);
	command(0x3f);
	EXPECT(0x5a);
	set_command_byte(0x34);
	command(0x20);
	EXPECT(0x34);
}
END_TEST

START_TEST(the_interrupt_needs_its_enable_bit)
{
	set_command_byte(0x44);
	i8042_key(&kbc, 0x1e);
	ck_assert(status() & 1);
	ck_assert_int_eq(irq1.level, 0);
	set_command_byte(0x45);
	ck_assert_int_eq(irq1.level, 1);
}
END_TEST

START_TEST(the_output_port_opens_and_closes_A20)
{
	kbc.dev.ops->reset(&kbc.dev);
	ck_assert_int_eq(a20.level, 1);
	command(0xd1);
	data(0xdd);                                    /* bit 1 clear */
	ck_assert_int_eq(a20.level, 0);
	command(0xd0);
	ck_assert_uint_eq(in8(&kbc.dev, DATA) & 3, 1);
	command(0xd1);
	data(0xdf);
	ck_assert_int_eq(a20.level, 1);
	command(0xdd);
	ck_assert_int_eq(a20.level, 0);
	command(0xdf);
	ck_assert_int_eq(a20.level, 1);
	ck_assert_uint_eq(reset.rises, 0);
}
END_TEST

START_TEST(reset_is_pulsed_by_FE_and_by_bit_0_of_the_output_port)
{
	command(0xff);
	ck_assert_uint_eq(reset.rises, 0);
	command(0xfe);
	ck_assert_uint_eq(reset.rises, 1);
	ck_assert_int_eq(reset.level, 0);
	command(0xd1);
	data(0x02);
	ck_assert_uint_eq(reset.rises, 2);
}
END_TEST

START_TEST(bytes_can_be_put_into_the_output_buffer)
{
	set_command_byte(0x47);
	command(0xd2);
	data(0x77);
	ck_assert_int_eq(irq1.level, 1);
	ck_assert_uint_eq(status() & 0x21, 0x01);
	EXPECT(0x77);
	command(0xd3);
	data(0x66);
	ck_assert_int_eq(irq12.level, 1);
	ck_assert_uint_eq(status() & 0x21, 0x21);
	EXPECT(0x66);
	ck_assert_int_eq(irq12.level, 0);
}
END_TEST

static void mouse(uint8_t value)
{
	command(0xd4);
	data(value);
}

START_TEST(the_mouse_resets_identifies_and_reports_status)
{
	set_command_byte(0x47);
	mouse(0xff);
	ck_assert_uint_eq(status() & 0x20, 0x20);
	ck_assert_int_eq(irq12.level, 1);
	ck_assert_int_eq(irq1.level, 0);
	EXPECT(0xfa, 0xaa, 0x00);
	mouse(0xf2);
	EXPECT(0xfa, 0x00);
	mouse(0xf3);
	mouse(40);
	EXPECT(0xfa, 0xfa);
	mouse(0xe8);
	mouse(3);
	EXPECT(0xfa, 0xfa);
	mouse(0xf4);
	EXPECT(0xfa);
	i8042_mouse(&kbc, 0, 0, 3);
	EXPECT(0x0b, 0x00, 0x00);
	mouse(0xe9);
	EXPECT(0xfa, 0x25, 0x03, 40);
	mouse(0x55);
	EXPECT(0xfe);
}
END_TEST

START_TEST(mouse_motion_is_nine_bits_with_sign)
{
	mouse(0xf4);
	EXPECT(0xfa);
	i8042_mouse(&kbc, 5, -3, 1);
	EXPECT(0x29, 5, 0xfd);
	i8042_mouse(&kbc, -100000, 100000, 0);
	EXPECT(0x18, 0x01, 0xff);
	mouse(0xf0);                                   /* remote: only when asked */
	EXPECT(0xfa);
	i8042_mouse(&kbc, 7, 0, 0);
	ck_assert(!(status() & 1));
	mouse(0xeb);
	EXPECT(0xfa, 0x08, 7, 0);
}
END_TEST

START_TEST(the_mouse_in_wrap_mode_echoes)
{
	mouse(0xee);
	mouse(0xf4);
	mouse(0x12);
	EXPECT(0xfa, 0xf4, 0x12);
	mouse(0xec);
	EXPECT(0xfa);
	mouse(0xf2);
	EXPECT(0xfa, 0x00);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("i8042");
	TCase *t = tcase_create("keyboard controller");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, a_key_gives_set_1_codes_and_an_interrupt_for_each_byte);
	tcase_add_test(t, translation_gives_every_key_back_as_in_set_1);
	tcase_add_test(t, untranslated_keys_come_in_set_2);
	tcase_add_test(t, the_keyboard_itself_can_speak_set_1);
	tcase_add_test(t, a_full_keyboard_buffer_loses_keys_and_says_so_once);
	tcase_add_loop_test(t, keyboard_commands_are_acknowledged, 0, 10);
	tcase_add_test(t, a_keyboard_that_was_told_not_to_scan_is_silent);
	tcase_add_test(t, a_closed_interface_keeps_the_keys);
	tcase_add_test(t, controller_commands_answer_before_waiting_keys);
	tcase_add_test(t, controller_memory_holds_what_is_written);
	tcase_add_test(t, the_interrupt_needs_its_enable_bit);
	tcase_add_test(t, the_output_port_opens_and_closes_A20);
	tcase_add_test(t, reset_is_pulsed_by_FE_and_by_bit_0_of_the_output_port);
	tcase_add_test(t, bytes_can_be_put_into_the_output_buffer);
	tcase_add_test(t, the_mouse_resets_identifies_and_reports_status);
	tcase_add_test(t, mouse_motion_is_nine_bits_with_sign);
	tcase_add_test(t, the_mouse_in_wrap_mode_echoes);
	suite_add_tcase(s, t);
	return bench_main(s);
}
