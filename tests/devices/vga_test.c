/* tests/devices/vga_test.c: VGA text mode. */
#include "dev_bench.h"
#include "devices/vga.h"

#include <string.h>

static struct vga vga;

static void setup(void)
{
	bench_clock_start(0);
	vga_init(&vga, &bench_clock);
}

static uint8_t in(uint16_t port) { return in8(&vga.dev, port >= 0x3c0 ? port - 0x3c0 : port - 0x3b0 + VGA_MONO_OFFSET); }
static void out(uint16_t port, uint8_t value) { out8(&vga.dev, port >= 0x3c0 ? port - 0x3c0 : port - 0x3b0 + VGA_MONO_OFFSET, value); }
static uint32_t mem_read(uint32_t pa, unsigned size) { return vga_mmio_ops.read(&vga, pa - VGA_WINDOW_START, size); }
static void mem_write(uint32_t pa, unsigned size, uint32_t v) { vga_mmio_ops.write(&vga, pa - VGA_WINDOW_START, size, v); }

static void crtc(uint8_t index, uint8_t value)
{
	out(0x3d4, index);
	out(0x3d5, value);
}

static void print(unsigned row, unsigned column, const char *text)
{
	for (unsigned i = 0; text[i]; i++)
		mem_write(0xb8000 + 2 * (row * 80 + column + i), 2, 0x0700u | (uint8_t)text[i]);
}

START_TEST(the_screen_after_reset_is_25_empty_lines)
{
	char text[VGA_TEXT_BYTES];

	ck_assert_uint_eq(vga_text(&vga, text, sizeof text), 25);
	for (unsigned i = 0; i < 25; i++)
		ck_assert_int_eq(text[i], '\n');
	ck_assert_uint_eq(mem_read(0xb8000, 4), 0x07200720);
}
END_TEST

START_TEST(what_is_written_to_B8000_is_shown)
{
	char text[VGA_TEXT_BYTES];

	print(0, 0, "hello");
	print(1, 2, "x\xb3\x81\x02");
	print(24, 79, "!");
	vga_text(&vga, text, sizeof text);
	ck_assert_int_eq(strncmp(text, "hello\n  x\u2502\u00fc\u263b\n\n", 19), 0);
	ck_assert_str_eq(text + strlen(text) - 3, " !\n");
	ck_assert_uint_eq(vga_cell(&vga, 0, 1), 0x0765);
}
END_TEST

START_TEST(the_start_address_scrolls_the_screen)
{
	char text[VGA_TEXT_BYTES];

	print(0, 0, "first");
	print(1, 0, "second");
	crtc(0x0c, 0);
	crtc(0x0d, 80);
	vga_text(&vga, text, sizeof text);
	ck_assert_int_eq(strncmp(text, "second\n", 7), 0);
	crtc(0x0c, 0x3f);                              /* 64 cells before the end: the address wraps */
	crtc(0x0d, 0xc0);
	vga_text(&vga, text, sizeof text);
	ck_assert_ptr_nonnull(strstr(text, "first"));
}
END_TEST

START_TEST(text_is_cut_to_the_buffer_and_terminated)
{
	char text[VGA_TEXT_BYTES];

	for (unsigned row = 0; row < 25; row++)
		for (unsigned i = 0; i < 80; i++)
			print(row, i, "\xdb");         /* three bytes of UTF-8 each */
	ck_assert_uint_eq(vga_text(&vga, text, sizeof text), VGA_TEXT_BYTES - 1);
	for (size_t size = 0; size < 600; size++) {
		memset(text, '#', sizeof text);
		size_t n = vga_text(&vga, text, size);
		ck_assert(size == 0 || (n < size && text[n] == '\0'));
		ck_assert_int_eq(text[size], '#');
	}
}
END_TEST

START_TEST(the_cursor_follows_the_CRTC)
{
	struct vga_cursor c;

	crtc(0x0e, 0x03);
	crtc(0x0f, 0x25);                              /* 805 = row 10, column 5 */
	c = vga_cursor(&vga);
	ck_assert(c.visible && c.row == 10 && c.column == 5);
	crtc(0x0d, 80);
	c = vga_cursor(&vga);
	ck_assert(c.visible && c.row == 9);
	crtc(0x0a, 0x2d);
	ck_assert(!vga_cursor(&vga).visible);
	crtc(0x0a, 0x0d);
	crtc(0x0e, 0x20);
	ck_assert(!vga_cursor(&vga).visible);
	crtc(0x13, 0);
	ck_assert(!vga_cursor(&vga).visible);
}
END_TEST

START_TEST(the_attribute_port_is_index_and_data_in_turn)
{
	in(0x3da);
	out(0x3c0, 0x01);
	out(0x3c0, 0x2a);
	out(0x3c0, 0x21);                              /* index again, screen on */
	ck_assert_uint_eq(in(0x3c0), 0x21);
	ck_assert_uint_eq(in(0x3c1), 0x2a);
	in(0x3da);                                     /* back to index, though data was due */
	out(0x3c0, 0x02);
	ck_assert_uint_eq(in(0x3c0), 0x02);
}
END_TEST

START_TEST(the_DAC_counts_through_the_colours)
{
	out(0x3c8, 255);
	for (uint8_t i = 0; i < 6; i++)
		out(0x3c9, 0x70 + i);                  /* six bits each; colour 255, then 0 */
	out(0x3c7, 255);
	ck_assert_uint_eq(in(0x3c7), 3);
	for (uint8_t i = 0; i < 6; i++)
		ck_assert_uint_eq(in(0x3c9), 0x30 + i);
	out(0x3c8, 0);
	ck_assert_uint_eq(in(0x3c7), 0);
}
END_TEST

START_TEST(CRTC_registers_0_to_7_can_be_protected)
{
	crtc(0x01, 0x11);                              /* mode 3 leaves them protected */
	ck_assert_uint_eq(in(0x3d5), 0x4f);
	crtc(0x07, 0xe0);
	ck_assert_uint_eq(in(0x3d5), 0x0f);            /* 0x1f with only bit 4 written */
	crtc(0x11, 0x0e);
	crtc(0x01, 0x11);
	ck_assert_uint_eq(in(0x3d5), 0x11);
}
END_TEST

START_TEST(the_CRTC_moves_to_3B4_in_monochrome)
{
	ck_assert_uint_eq(in(0x3b5), 0xff);
	out(0x3c2, in(0x3cc) & ~1);
	ck_assert_uint_eq(in(0x3d5), 0xff);
	out(0x3b4, 0x0f);
	out(0x3b5, 0x42);
	ck_assert_uint_eq(in(0x3b5), 0x42);
	out(0x3c2, in(0x3cc) | 1);
	ck_assert_uint_eq(in(0x3d4), 0x0f);
	ck_assert_uint_eq(in(0x3d5), 0x42);
}
END_TEST

START_TEST(graphics_register_6_chooses_the_part_of_the_window)
{
	static const struct { uint32_t first, last; } map[4] = {
		{ 0xa0000, 0xbffff }, { 0xa0000, 0xaffff }, { 0xb0000, 0xb7fff }, { 0xb8000, 0xbffff } };

	out(0x3ce, 6);
	out(0x3cf, (uint8_t)(_i << 2));
	for (uint32_t pa = 0xa0000; pa < 0xc0000; pa += 0x7fff) {
		bool answers = pa >= map[_i].first && pa <= map[_i].last;

		mem_write(pa, 1, 0x55);
		ck_assert_uint_eq(mem_read(pa, 1), answers ? 0x55 : 0xff);
	}
	ck_assert_uint_eq(mem_read(0xbffff, 4) >> 8, 0xffffff);
}
END_TEST

START_TEST(the_retrace_bit_comes_seventy_times_a_second)
{
	unsigned frames = 0;
	bool last = false;

	for (unsigned i = 0; i < 100000; i++) {
		bool now = in(0x3da) & 8;

		frames += now && !last;
		last = now;
		if (now)
			ck_assert_uint_eq(in(0x3da) & 1, 1);
		bench_run(CLOCK_HZ / 100000);
	}
	ck_assert_uint_eq(frames, 70);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vga");
	TCase *t = tcase_create("text mode");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, the_screen_after_reset_is_25_empty_lines);
	tcase_add_test(t, what_is_written_to_B8000_is_shown);
	tcase_add_test(t, the_start_address_scrolls_the_screen);
	tcase_add_test(t, text_is_cut_to_the_buffer_and_terminated);
	tcase_add_test(t, the_cursor_follows_the_CRTC);
	tcase_add_test(t, the_attribute_port_is_index_and_data_in_turn);
	tcase_add_test(t, the_DAC_counts_through_the_colours);
	tcase_add_test(t, CRTC_registers_0_to_7_can_be_protected);
	tcase_add_test(t, the_CRTC_moves_to_3B4_in_monochrome);
	tcase_add_loop_test(t, graphics_register_6_chooses_the_part_of_the_window, 0, 4);
	tcase_add_test(t, the_retrace_bit_comes_seventy_times_a_second);
	suite_add_tcase(s, t);
	return bench_main(s);
}
