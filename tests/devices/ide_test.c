/* tests/devices/ide_test.c: the IDE channel through its ports alone: registers, PIO, errors, resets. DMA is in ide_dma_test.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ide_bench.h"

#define SECTORS 5000u
#define READY (IDE_ST_DRDY | IDE_ST_DSC)

static uint8_t want[256 * SECTOR_SIZE], got[256 * SECTOR_SIZE];

static void setup(void) { bench_setup(SECTORS, 0); }
static void setup_two(void) { bench_setup(SECTORS, 3000); }
static void setup_none(void) { bench_setup(0, 0); }
static void setup_slave(void) { bench_setup(0, 3000); }
static void setup_huge(void) { bench_setup(1ull << 33, 0); }

static void read_data(uint8_t *buf, unsigned bytes, unsigned size)
{
	for (unsigned i = 0; i < bytes; i += size) {
		uint32_t v = in(0x1f0, size);

		for (unsigned k = 0; k < size; k++)
			buf[i + k] = v >> 8 * k;
	}
}

static void write_data(const uint8_t *buf, unsigned bytes, unsigned size)
{
	for (unsigned i = 0; i < bytes; i += size) {
		uint32_t v = 0;

		for (unsigned k = 0; k < size; k++)
			v |= (uint32_t)buf[i + k] << 8 * k;
		out(0x1f0, size, v);
	}
}

/* Writes blocks as the drive asks for them; every block ends with an interrupt. */
static void pio_out(const uint8_t *buf, unsigned sectors, unsigned block)
{
	for (unsigned done = 0; done < sectors; done += block) {
		unsigned n = sectors - done < block ? sectors - done : block;
		unsigned rises = bench.rises;

		ck_assert_uint_eq(inb(0x1f7), READY | IDE_ST_DRQ);
		write_data(buf + done * SECTOR_SIZE, n * SECTOR_SIZE, 2);
		ck_assert_uint_eq(inb(0x3f6), IDE_ST_BSY);
		ck_assert_uint_eq(bench.rises, rises);
		run_clock();
		ck_assert_uint_eq(bench.rises, rises + 1);
	}
	ck_assert_uint_eq(inb(0x1f7), READY);
}

static void pio_in(uint8_t *buf, unsigned sectors, unsigned block)
{
	for (unsigned done = 0; done < sectors; done += block) {
		unsigned n = sectors - done < block ? sectors - done : block;
		unsigned rises = bench.rises;

		ck_assert_uint_eq(inb(0x1f7), IDE_ST_BSY);
		run_clock();
		ck_assert_uint_eq(bench.rises, rises + 1);
		ck_assert_uint_eq(inb(0x1f7), READY | IDE_ST_DRQ);
		ck_assert_int_eq(bench.wire, 0);
		read_data(buf + done * SECTOR_SIZE, n * SECTOR_SIZE, 4);
	}
	ck_assert_uint_eq(inb(0x1f7), READY);
	ck_assert_int_eq(bench.wire, 0);
}

static void on_disk(unsigned unit, uint64_t lba, unsigned count, const uint8_t *bytes)
{
	static uint8_t disk[256 * SECTOR_SIZE];

	ck_assert_int_eq(bench.disk[unit]->read(bench.disk[unit], lba, disk, count), 0);
	ck_assert_mem_eq(disk, bytes, count * SECTOR_SIZE);
}

static void put_on_disk(unsigned unit, uint64_t lba, unsigned count, uint8_t salt)
{
	fill_sectors(want, lba, count, salt);
	ck_assert_int_eq(bench.disk[unit]->write(bench.disk[unit], lba, want, count), 0);
}

static void assert_failed(uint8_t status, uint8_t error)
{
	run_clock();
	ck_assert_int_eq(bench.wire, 1);
	ck_assert_uint_eq(inb(0x3f6), READY | IDE_ST_ERR | status);
	ck_assert_uint_eq(inb(0x1f1), error);
	inb(0x1f7);
	ck_assert_int_eq(bench.wire, 0);
}

static void assert_done(void)
{
	run_clock();
	ck_assert_int_eq(bench.wire, 1);
	ck_assert_uint_eq(inb(0x1f7), READY);
	ck_assert_uint_eq(inb(0x1f1), 0);
	ck_assert_int_eq(bench.wire, 0);
}

/* --- registers and interrupts ----------------------------------------------------------------------------------- */

START_TEST(after_reset_the_registers_show_the_signature_of_a_disk)
{
	ck_assert_uint_eq(inb(0x1f7), READY);
	ck_assert_uint_eq(inb(0x1f1), 1);
	ck_assert_uint_eq(inb(0x1f2), 1);
	ck_assert_uint_eq(inb(0x1f3), 1);
	ck_assert_uint_eq(inb(0x1f4), 0);
	ck_assert_uint_eq(inb(0x1f5), 0);
	ck_assert_uint_eq(inb(0x1f6), 0xa0);
}

START_TEST(hob_shows_what_was_written_before_and_any_write_clears_it)
{
	for (unsigned reg = 2; reg <= 5; reg++) {
		outb(0x1f0 + reg, 0x10 + reg);
		outb(0x1f0 + reg, 0x20 + reg);
	}
	for (unsigned reg = 2; reg <= 5; reg++)
		ck_assert_uint_eq(inb(0x1f0 + reg), 0x20 + reg);
	outb(0x3f6, IDE_CTL_HOB);
	for (unsigned reg = 2; reg <= 5; reg++)
		ck_assert_uint_eq(inb(0x1f0 + reg), 0x10 + reg);
	outb(0x1f6, 0xe0);
	ck_assert_uint_eq(inb(0x1f2), 0x22);
}

START_TEST(status_clears_the_interrupt_and_alternate_status_does_not)
{
	outb(0x1f7, 0xe1);
	ck_assert_int_eq(bench.wire, 0);
	run_clock();
	ck_assert_int_eq(bench.wire, 1);
	inb(0x3f6);
	ck_assert_int_eq(bench.wire, 1);
	inb(0x1f7);
	ck_assert_int_eq(bench.wire, 0);
	outb(0x1f7, 0xe1);
	run_clock();
	outb(0x1f7, 0xe1);
	ck_assert_int_eq(bench.wire, 0);       /* a new command clears it too */
}

START_TEST(nien_holds_the_interrupt_back_until_it_is_cleared)
{
	outb(0x3f6, IDE_CTL_NIEN);
	outb(0x1f7, 0xe1);
	run_clock();
	ck_assert_int_eq(bench.wire, 0);
	ck_assert_uint_eq(inb(0xc002), 0);
	outb(0x3f6, 0);
	ck_assert_int_eq(bench.wire, 1);
	ck_assert_uint_eq(inb(0xc002), IDE_BM_ST_INT);
	outb(0x3f6, IDE_CTL_NIEN);
	ck_assert_int_eq(bench.wire, 0);
	inb(0x1f7);
	outb(0x3f6, 0);
	ck_assert_int_eq(bench.wire, 0);
}

START_TEST(a_busy_drive_ignores_its_registers)
{
	command28(0x40, 7, 1);
	outb(0x1f2, 0x55);
	outb(0x1f7, 0xec);
	outb(0x1f6, 0xf0);
	ck_assert_uint_eq(inb(0x1f2), IDE_ST_BSY);
	ck_assert_uint_eq(run_clock(), IDE_COMMAND_TICKS + IDE_SECTOR_TICKS);
	ck_assert_uint_eq(inb(0x1f7), READY);
	ck_assert_uint_eq(inb(0x1f2), 0);
	ck_assert_uint_eq(inb(0x1f6), 0xe0);
	ck_assert_uint_ge(bench.logged, 3);
}

START_TEST(an_empty_channel_floats)
{
	for (unsigned reg = 0; reg < 8; reg++)
		ck_assert_uint_eq(inb(0x1f0 + reg), 0xff);
	ck_assert_uint_eq(in(0x1f0, 2), 0xffff);
	ck_assert_uint_eq(in(0x1f0, 4), 0xffffffff);
	ck_assert_uint_eq(inb(0x3f6), 0xff);
	outb(0x1f7, 0xec);
	outb(0x1f7, 0x90);
	ck_assert_uint_eq(run_clock(), 0);
	ck_assert_uint_eq(bench.rises, 0);
}

START_TEST(an_absent_second_drive_has_status_0_and_hears_no_command)
{
	outb(0x1f6, 0xb0);
	outb(0x1f2, 0x33);
	ck_assert_uint_eq(inb(0x1f7), 0);
	ck_assert_uint_eq(inb(0x3f6), 0);
	ck_assert_uint_eq(inb(0x1f2), 0x33);
	outb(0x1f7, 0xec);
	ck_assert_uint_eq(run_clock(), 0);
	ck_assert_uint_eq(bench.rises, 0);
	outb(0x3f6, IDE_CTL_SRST);
	ck_assert_uint_eq(inb(0x1f7), 0);      /* not even busy with a reset */
	outb(0x3f6, 0);
	run_clock();
	outb(0x1f6, 0xa0);
	ck_assert_uint_eq(inb(0x1f7), READY);
}

START_TEST(a_second_drive_works_without_a_first)
{
	ck_assert_uint_eq(inb(0x1f7), 0xff);
	outb(0x1f6, 0xb0);
	ck_assert_uint_eq(inb(0x1f7), READY);
	outb(0x1f7, 0xec);
	run_clock();
	read_data(got, SECTOR_SIZE, 2);
	ck_assert_uint_eq(got[120] | got[121] << 8, 3000);
}

START_TEST(two_drives_do_not_share_settings_or_data)
{
	outb(0x1f6, 0xb0);
	outb(0x1f2, 8);
	outb(0x1f7, 0xc6);
	assert_done();
	ck_assert_uint_eq(bench.ide.drive[0].multiple, 0);
	ck_assert_uint_eq(bench.ide.drive[1].multiple, 8);
	put_on_disk(0, 5, 1, 1);
	put_on_disk(1, 5, 1, 2);
	outb(0x1f6, 0xf0);
	outb(0x1f2, 1);
	outb(0x1f3, 5);
	outb(0x1f4, 0);
	outb(0x1f5, 0);
	outb(0x1f7, 0x20);
	pio_in(got, 1, 1);
	ck_assert_mem_eq(got, want, SECTOR_SIZE);
	command28(0x20, 5, 1);
	pio_in(got, 1, 1);
	fill_sectors(want, 5, 1, 1);
	ck_assert_mem_eq(got, want, SECTOR_SIZE);
}

/* --- resets ----------------------------------------------------------------------------------------------------- */

START_TEST(software_reset_ends_a_transfer_and_shows_the_signature_without_interrupt)
{
	command28(0x30, 9, 3);
	write_data(want, 100, 2);
	outb(0x3f6, IDE_CTL_SRST);
	ck_assert_uint_eq(inb(0x3f6), IDE_ST_BSY);
	ck_assert_uint_eq(run_clock(), 0);             /* it stays busy as long as SRST is set */
	outb(0x1f7, 0xec);
	outb(0x3f6, 0);
	ck_assert_uint_eq(inb(0x1f7), IDE_ST_BSY);
	ck_assert_uint_eq(run_clock(), IDE_COMMAND_TICKS);
	ck_assert_uint_eq(inb(0x1f7), READY);
	ck_assert_uint_eq(inb(0x1f3), 1);
	ck_assert_uint_eq(inb(0x1f2), 1);
	ck_assert_uint_eq(bench.rises, 0);
	memset(want, 0, SECTOR_SIZE);
	on_disk(0, 9, 1, want);
}

START_TEST(software_reset_ends_a_command_the_drive_is_busy_with)
{
	command28(0x20, 9, 3);
	outb(0x3f6, IDE_CTL_SRST);
	ck_assert_uint_eq(run_clock(), 0);
	ck_assert_uint_eq(inb(0x3f6), IDE_ST_BSY);
	ck_assert_uint_eq(bench.rises, 0);
}

START_TEST(software_reset_selects_drive_0_and_reaches_both)
{
	outb(0x1f6, 0xb0);
	command28(0x20, 0, 1);
	outb(0x1f6, 0xb0);
	outb(0x3f6, IDE_CTL_SRST);
	outb(0x3f6, 0);
	run_clock();
	ck_assert_uint_eq(inb(0x1f6), 0xa0);
	ck_assert_uint_eq(inb(0x1f7), READY);
	outb(0x1f6, 0xb0);
	ck_assert_uint_eq(inb(0x1f7), READY);
	ck_assert_uint_eq(inb(0x1f3), 1);
}

START_TEST(settings_survive_a_software_reset_but_not_a_hardware_reset)
{
	outb(0x1f2, 4);
	outb(0x1f7, 0xc6);
	run_clock();
	outb(0x3f6, IDE_CTL_SRST);
	outb(0x3f6, 0);
	run_clock();
	ck_assert_uint_eq(bench.ide.drive[0].multiple, 4);
	ide_ops.reset(&bench.ide.dev);
	ck_assert_uint_eq(bench.ide.drive[0].multiple, 0);
}

START_TEST(diagnostic_runs_on_both_drives_and_interrupts)
{
	outb(0x1f6, 0xb0);
	outb(0x1f2, 0x77);
	outb(0x1f7, 0x90);
	ck_assert_uint_eq(inb(0x1f7), IDE_ST_BSY);
	run_clock();
	ck_assert_int_eq(bench.wire, 1);
	ck_assert_uint_eq(inb(0x1f7), READY);
	ck_assert_uint_eq(inb(0x1f6), 0xa0);
	ck_assert_uint_eq(inb(0x1f1), 1);
	ck_assert_uint_eq(inb(0x1f2), 1);
	outb(0x3f6, IDE_CTL_SRST);             /* a reset after it is silent again */
	outb(0x3f6, 0);
	run_clock();
	ck_assert_int_eq(bench.wire, 0);
}

/* --- IDENTIFY --------------------------------------------------------------------------------------------------- */

static unsigned id_word(unsigned n)
{
	return got[2 * n] | got[2 * n + 1] << 8;
}

static void identify(void)
{
	outb(0x1f7, 0xec);
	pio_in(got, 1, 1);
}

START_TEST(identify_describes_the_drive_and_adds_up_to_zero)
{
	uint8_t sum = 0;

	identify();
	for (unsigned i = 0; i < SECTOR_SIZE; i++)
		sum += got[i];
	ck_assert_uint_eq(sum, 0);
	ck_assert_uint_eq(got[510], 0xa5);
	ck_assert_uint_eq(id_word(0) & 0x8000, 0);
	ck_assert_uint_eq(id_word(60) | id_word(61) << 16, SECTORS);
	ck_assert_uint_eq(id_word(100), SECTORS);
	ck_assert_uint_eq(id_word(101) | id_word(102) | id_word(103), 0);
	ck_assert_uint_eq(id_word(49) & 0x0300, 0x0300);
	ck_assert_uint_eq(id_word(63), 0x0407);
	ck_assert_uint_eq(id_word(83) & 0xc400, 0x4400);
	ck_assert_uint_eq(id_word(1), SECTORS / 1008);
	ck_assert_uint_eq(id_word(54), SECTORS / 1008);
	ck_assert_uint_eq(id_word(55), 16);
	ck_assert_uint_eq(id_word(56), 63);
	ck_assert_uint_eq(id_word(57), SECTORS / 1008 * 1008);
	ck_assert_uint_eq(id_word(47) & 0xff, IDE_MULTIPLE_MAX);
	ck_assert_uint_eq(id_word(27), 'P' << 8 | 'A');        /* the first letter is the high byte */
	ck_assert_uint_eq(id_word(46), 0x2020);
}

START_TEST(identify_follows_set_features_and_set_multiple)
{
	outb(0x1f1, 0x03);
	outb(0x1f2, 0x21);
	outb(0x1f7, 0xef);
	assert_done();
	outb(0x1f1, 0x82);
	outb(0x1f7, 0xef);
	assert_done();
	outb(0x1f2, 16);
	outb(0x1f7, 0xc6);
	assert_done();
	identify();
	ck_assert_uint_eq(id_word(63), 0x0207);
	ck_assert_uint_eq(id_word(85) & 0x60, 0x40);
	ck_assert_uint_eq(id_word(59), 0x110);
	outb(0x1f1, 0x02);
	outb(0x1f7, 0xef);
	assert_done();
	outb(0x1f1, 0x55);
	outb(0x1f7, 0xef);
	assert_done();
	identify();
	ck_assert_uint_eq(id_word(85) & 0x60, 0x20);
}

START_TEST(a_disk_beyond_28_bits_says_so_in_both_counts)
{
	identify();
	ck_assert_uint_eq(id_word(60) | (uint32_t)id_word(61) << 16, 0x0fffffff);
	ck_assert_uint_eq(id_word(100) | id_word(101), 0);
	ck_assert_uint_eq(id_word(102), 2);
	ck_assert_uint_eq(id_word(1), 16383);
}

/* --- PIO -------------------------------------------------------------------------------------------------------- */

static const struct { uint8_t write, read; bool ext, multiple; } pio_pairs[] = {
	{0x30, 0x20, false, false}, {0x31, 0x21, false, false}, {0x34, 0x24, true, false},
	{0xc5, 0xc4, false, true}, {0x39, 0x29, true, true},
};

START_TEST(every_pio_write_can_be_read_back)
{
	static const unsigned counts[] = {1, 2, 7, 8, 9, 255, 256};
	unsigned block = 1;

	if (pio_pairs[_i].multiple) {
		outb(0x1f2, block = 8);
		outb(0x1f7, 0xc6);
		assert_done();
	}
	for (unsigned i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		unsigned n = counts[i], lba = 1000 * i % 4000 + 3;

		fill_sectors(want, lba, n, _i);
		if (pio_pairs[_i].ext)
			command48(pio_pairs[_i].write, lba, n);
		else
			command28(pio_pairs[_i].write, lba, n);
		ck_assert_int_eq(bench.wire, 0);       /* the first block is not announced */
		pio_out(want, n, block);
		on_disk(0, lba, n, want);
		if (pio_pairs[_i].ext)
			command48(pio_pairs[_i].read, lba, n);
		else
			command28(pio_pairs[_i].read, lba, n);
		memset(got, 0, sizeof(got));
		pio_in(got, n, block);
		ck_assert_mem_eq(got, want, n * SECTOR_SIZE);
		ck_assert_uint_eq(inb(0x1f2), 0);
		ck_assert_uint_eq(inb(0x1f3) | inb(0x1f4) << 8 | inb(0x1f5) << 16, lba + n - 1);
	}
}

START_TEST(the_data_port_takes_bytes_words_and_doublewords)
{
	unsigned size = 1 << _i;

	fill_sectors(want, 50, 1, 9);
	command28(0x30, 50, 1);
	write_data(want, SECTOR_SIZE, size);
	run_clock();
	on_disk(0, 50, 1, want);
	command28(0x20, 50, 1);
	run_clock();
	read_data(got, SECTOR_SIZE, size);
	ck_assert_mem_eq(got, want, SECTOR_SIZE);
	ck_assert_uint_eq(in(0x1f0, size), 0xffffffffu >> (32 - 8 * size));
}

START_TEST(lba48_reaches_beyond_28_bits)
{
	uint64_t lba = (1ull << 32) + 12345;

	fill_sectors(want, lba, 3, 4);
	command48(0x34, lba, 3);
	pio_out(want, 3, 1);
	on_disk(0, lba, 3, want);
	command48(0x24, lba, 3);
	pio_in(got, 3, 1);
	ck_assert_mem_eq(got, want, 3 * SECTOR_SIZE);
	command48(0x24, lba & 0xffffffff, 1);
	pio_in(got, 1, 1);
	memset(want, 0, SECTOR_SIZE);
	ck_assert_mem_eq(got, want, SECTOR_SIZE);
	command28(0x20, lba & 0x0fffffff, 1);
	pio_in(got, 1, 1);
	ck_assert_mem_eq(got, want, SECTOR_SIZE);
}

START_TEST(a_28_bit_command_has_four_address_bits_in_the_device_register)
{
	fill_sectors(want, 0x0abcdef1, 1, 4);
	command28(0x30, 0x0abcdef1, 1);
	pio_out(want, 1, 1);
	on_disk(0, 0x0abcdef1, 1, want);
}

START_TEST(count_0_means_65536_sectors_for_an_ext_command)
{
	command48(0x42, 5, 0);
	ck_assert_uint_eq(run_clock(), IDE_COMMAND_TICKS + 65536 * IDE_SECTOR_TICKS);
	ck_assert_uint_eq(inb(0x1f7), READY);
}

static void command_chs(uint8_t opcode, unsigned c, unsigned h, unsigned s, unsigned count)
{
	outb(0x1f6, 0xa0 | h);
	outb(0x1f2, count);
	outb(0x1f3, s);
	outb(0x1f4, c);
	outb(0x1f5, c >> 8);
	outb(0x1f7, opcode);
}

START_TEST(chs_addresses_follow_the_translation)
{
	put_on_disk(0, (2 * 16 + 5) * 63 + 7 - 1, 2, 3);
	command_chs(0x20, 2, 5, 7, 2);
	pio_in(got, 2, 1);
	ck_assert_mem_eq(got, want, 2 * SECTOR_SIZE);
	outb(0x1f6, 0xa0 | 3);                 /* 4 heads */
	outb(0x1f2, 20);
	outb(0x1f7, 0x91);
	assert_done();
	ck_assert_uint_eq(bench.ide.drive[0].cylinders, SECTORS / 80);
	put_on_disk(0, (11 * 4 + 3) * 20 + 20 - 1, 2, 5);
	command_chs(0x20, 11, 3, 20, 2);
	pio_in(got, 2, 1);
	ck_assert_mem_eq(got, want, 2 * SECTOR_SIZE);
	ck_assert_uint_eq(inb(0x1f3), 1);      /* the last sector: the next cylinder's first */
	ck_assert_uint_eq(inb(0x1f4), 12);
	ck_assert_uint_eq(inb(0x1f6), 0xa0);
}

START_TEST(chs_addresses_outside_the_translation_are_not_found)
{
	static const struct { unsigned c, h, s; } bad[] = {{0, 0, 0}, {0, 0, 64}, {4, 0, 1}, {0xffff, 0, 1}};

	for (unsigned i = 0; i < 4; i++) {
		command_chs(0x20, bad[i].c, bad[i].h, bad[i].s, 1);
		assert_failed(0, IDE_ERR_IDNF);
	}
	outb(0x1f6, 0xa0 | 3);
	outb(0x1f2, 20);
	outb(0x1f7, 0x91);
	assert_done();
	command_chs(0x20, 0, 4, 1, 1);
	assert_failed(0, IDE_ERR_IDNF);
}

/* --- errors ----------------------------------------------------------------------------------------------------- */

START_TEST(sectors_past_the_end_are_not_found_and_nothing_moves)
{
	static const uint8_t opcodes[] = {0x20, 0x30, 0x40, 0xc8, 0xca, 0x70};

	command28(opcodes[_i], SECTORS, 1);
	assert_failed(0, IDE_ERR_IDNF);
	if (opcodes[_i] != 0x70) {
		command28(opcodes[_i], SECTORS - 1, 2);
		assert_failed(0, IDE_ERR_IDNF);
	}
	command28(opcodes[_i], 0x0fffffff, 0);
	assert_failed(0, IDE_ERR_IDNF);
	ck_assert_uint_eq(in(0x1f0, 2), 0xffff);
}

START_TEST(ext_addresses_past_the_end_are_not_found)
{
	static const uint8_t opcodes[] = {0x24, 0x34, 0x42, 0x25, 0x35};

	command48(opcodes[_i], 0xffffffffffff, 0);
	assert_failed(0, IDE_ERR_IDNF);
	command48(opcodes[_i], 1ull << 32, 1);
	assert_failed(0, IDE_ERR_IDNF);
	command48(opcodes[_i], 0, 0);
	assert_failed(0, IDE_ERR_IDNF);
}

START_TEST(the_last_sector_can_be_read)
{
	put_on_disk(0, SECTORS - 1, 1, 8);
	command28(0x20, SECTORS - 1, 1);
	pio_in(got, 1, 1);
	ck_assert_mem_eq(got, want, SECTOR_SIZE);
}

START_TEST(unknown_and_packet_commands_are_aborted)
{
	static const uint8_t opcodes[] = {0x00, 0x08, 0xa0, 0xa1, 0xb0, 0xf1, 0x92, 0xff, 0xc7};

	outb(0x1f7, opcodes[_i]);
	assert_failed(0, IDE_ERR_ABRT);
}

START_TEST(bad_parameters_are_aborted)
{
	outb(0x1f2, 3);
	outb(0x1f7, 0xc6);
	assert_failed(0, IDE_ERR_ABRT);
	outb(0x1f2, 32);
	outb(0x1f7, 0xc6);
	assert_failed(0, IDE_ERR_ABRT);
	command28(0xc4, 0, 1);                 /* READ MULTIPLE before SET MULTIPLE */
	assert_failed(0, IDE_ERR_ABRT);
	outb(0x1f1, 0x99);
	outb(0x1f7, 0xef);
	assert_failed(0, IDE_ERR_ABRT);
	outb(0x1f1, 0x03);
	outb(0x1f2, 0x45);                     /* Ultra DMA */
	outb(0x1f7, 0xef);
	assert_failed(0, IDE_ERR_ABRT);
	outb(0x1f2, 0);
	outb(0x1f7, 0x91);
	assert_failed(0, IDE_ERR_ABRT);
}

START_TEST(commands_without_data_end_with_an_interrupt)
{
	static const uint8_t opcodes[] = {0x10, 0x1f, 0xe0, 0xe1, 0xe2, 0xe3, 0xe6, 0xe7, 0xea, 0x70};

	command28(opcodes[_i], 1, 1);
	ck_assert_uint_eq(inb(0x3f6), IDE_ST_BSY);
	ck_assert_int_eq(bench.wire, 0);
	assert_done();
}

START_TEST(check_power_mode_says_active)
{
	outb(0x1f7, 0xe5);
	assert_done();
	ck_assert_uint_eq(inb(0x1f2), 0xff);
}

START_TEST(native_max_is_the_last_sector)
{
	command28(0xf8, 0, 0);
	assert_done();
	ck_assert_uint_eq(inb(0x1f3) | inb(0x1f4) << 8 | inb(0x1f5) << 16 | (inb(0x1f6) & 0xf) << 24, SECTORS - 1);
}

START_TEST(native_max_of_a_huge_disk_needs_the_ext_command)
{
	uint64_t max;

	command28(0xf8, 0, 0);
	assert_done();
	ck_assert_uint_eq(inb(0x1f3) | inb(0x1f4) << 8 | inb(0x1f5) << 16 | (inb(0x1f6) & 0xf) << 24, 0x0ffffffe);
	command48(0x27, 0, 0);
	assert_done();
	max = inb(0x1f3) | inb(0x1f4) << 8 | inb(0x1f5) << 16;
	outb(0x3f6, IDE_CTL_HOB);
	max |= (uint64_t)inb(0x1f3) << 24 | (uint64_t)inb(0x1f4) << 32 | (uint64_t)inb(0x1f5) << 40;
	ck_assert_uint_eq(max, (1ull << 33) - 1);
}

START_TEST(a_host_read_error_is_an_unrecoverable_sector)
{
	bench.fail_read = EIO;
	command28(0x20, 0x123, 2);
	assert_failed(0, IDE_ERR_UNC);
	ck_assert_uint_eq(inb(0x1f3) | inb(0x1f4) << 8, 0x123);
	ck_assert_ptr_nonnull(strstr(bench.ide.host_error, "first.img"));
	ck_assert_ptr_nonnull(strstr(bench.ide.host_error, "Input/output error"));
	command28(0x40, 0x123, 2);
	assert_failed(0, IDE_ERR_UNC);
	bench.fail_read = 0;
	command28(0x20, 0x123, 1);
	pio_in(got, 1, 1);
}

START_TEST(a_full_host_disk_fails_the_sector_being_written)
{
	fill_sectors(want, 40, 3, 1);
	command28(0x30, 40, 3);
	write_data(want, SECTOR_SIZE, 2);
	run_clock();
	inb(0x1f7);
	bench.fail_write = ENOSPC;
	write_data(want + SECTOR_SIZE, SECTOR_SIZE, 2);
	assert_failed(IDE_ST_DF, IDE_ERR_ABRT);
	ck_assert_uint_eq(inb(0x1f3), 41);
	ck_assert_uint_eq(inb(0x1f2), 2);
	ck_assert_ptr_nonnull(strstr(bench.ide.host_error, "No space left"));
	on_disk(0, 40, 1, want);
}

START_TEST(flush_reaches_the_host_and_reports_its_failure)
{
	outb(0x1f7, 0xe7);
	assert_done();
	ck_assert_uint_eq(bench.flushes, 1);
	bench.fail_flush = EIO;
	outb(0x1f7, 0xea);
	assert_failed(IDE_ST_DF, IDE_ERR_ABRT);
	ck_assert_uint_eq(bench.flushes, 2);
	ck_assert(bench.ide.host_error[0]);
}

START_TEST(a_write_protected_disk_aborts_writes_and_allows_reads)
{
	bench.disk[0]->read_only = true;
	command28(0x30, 4, 1);
	assert_failed(0, IDE_ERR_ABRT);
	command28(0xca, 4, 1);
	assert_failed(0, IDE_ERR_ABRT);
	command28(0x20, 4, 1);
	pio_in(got, 1, 1);
}

#define ADD(fixture, test) tcase_add_test(fixture, test)

static TCase *fixture(Suite *s, const char *name, void (*up)(void))
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, up, bench_teardown);
	tcase_set_timeout(tc, 60);
	suite_add_tcase(s, tc);
	return tc;
}

static void add_one_drive(TCase *tc)
{
	ADD(tc, after_reset_the_registers_show_the_signature_of_a_disk);
	ADD(tc, hob_shows_what_was_written_before_and_any_write_clears_it);
	ADD(tc, status_clears_the_interrupt_and_alternate_status_does_not);
	ADD(tc, nien_holds_the_interrupt_back_until_it_is_cleared);
	ADD(tc, a_busy_drive_ignores_its_registers);
	ADD(tc, an_absent_second_drive_has_status_0_and_hears_no_command);
	ADD(tc, software_reset_ends_a_transfer_and_shows_the_signature_without_interrupt);
	ADD(tc, software_reset_ends_a_command_the_drive_is_busy_with);
	ADD(tc, settings_survive_a_software_reset_but_not_a_hardware_reset);
	ADD(tc, identify_describes_the_drive_and_adds_up_to_zero);
	ADD(tc, identify_follows_set_features_and_set_multiple);
	tcase_add_loop_test(tc, every_pio_write_can_be_read_back, 0, 5);
	tcase_add_loop_test(tc, the_data_port_takes_bytes_words_and_doublewords, 0, 3);
	ADD(tc, chs_addresses_follow_the_translation);
	ADD(tc, chs_addresses_outside_the_translation_are_not_found);
	tcase_add_loop_test(tc, sectors_past_the_end_are_not_found_and_nothing_moves, 0, 6);
	tcase_add_loop_test(tc, ext_addresses_past_the_end_are_not_found, 0, 5);
	ADD(tc, the_last_sector_can_be_read);
	tcase_add_loop_test(tc, unknown_and_packet_commands_are_aborted, 0, 9);
	ADD(tc, bad_parameters_are_aborted);
	tcase_add_loop_test(tc, commands_without_data_end_with_an_interrupt, 0, 10);
	ADD(tc, check_power_mode_says_active);
	ADD(tc, native_max_is_the_last_sector);
	ADD(tc, a_host_read_error_is_an_unrecoverable_sector);
	ADD(tc, a_full_host_disk_fails_the_sector_being_written);
	ADD(tc, flush_reaches_the_host_and_reports_its_failure);
	ADD(tc, a_write_protected_disk_aborts_writes_and_allows_reads);
}

int main(void)
{
	Suite *s = suite_create("ide");
	TCase *two = fixture(s, "two drives", setup_two), *huge = fixture(s, "beyond 28 bits", setup_huge);

	add_one_drive(fixture(s, "one drive", setup));
	ADD(fixture(s, "no drive", setup_none), an_empty_channel_floats);
	ADD(fixture(s, "only a second drive", setup_slave), a_second_drive_works_without_a_first);
	ADD(two, two_drives_do_not_share_settings_or_data);
	ADD(two, software_reset_selects_drive_0_and_reaches_both);
	ADD(two, diagnostic_runs_on_both_drives_and_interrupts);
	ADD(huge, a_disk_beyond_28_bits_says_so_in_both_counts);
	ADD(huge, lba48_reaches_beyond_28_bits);
	ADD(huge, a_28_bit_command_has_four_address_bits_in_the_device_register);
	ADD(huge, count_0_means_65536_sectors_for_an_ext_command);
	ADD(huge, native_max_of_a_huge_disk_needs_the_ext_command);

	SRunner *runner = srunner_create(s);

	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
