/* tests/devices/ide_dma_test.c: the bus master through its ports, random port traffic, and the register table. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ide_bench.h"

#define SECTORS 5000u
#define READY (IDE_ST_DRDY | IDE_ST_DSC)
#define WAITING (READY | IDE_ST_DRQ)

static uint8_t want[256 * SECTOR_SIZE], got[256 * SECTOR_SIZE];

static void setup(void) { bench_setup(SECTORS, 0); }
static void setup_huge(void) { bench_setup(1ull << 33, 0); }
static void setup_fuzz(void) { bench_setup(SECTORS, 300); }

static void put_on_disk(uint64_t lba, unsigned count, uint8_t salt)
{
	fill_sectors(want, lba, count, salt);
	ck_assert_int_eq(bench.disk[0]->write(bench.disk[0], lba, want, count), 0);
}

static void on_disk(uint64_t lba, unsigned count)
{
	ck_assert_int_eq(bench.disk[0]->read(bench.disk[0], lba, got, count), 0);
	ck_assert_mem_eq(got, want, count * SECTOR_SIZE);
}

static void one_step(void)
{
	bench.now = clock_next_deadline(&bench.clock);
	clock_fire_due(&bench.clock);
}

/* The whole of a transfer has happened: INTRQ, and both status registers say so. */
static void assert_complete(uint8_t active)
{
	ck_assert_int_eq(bench.wire, 1);
	ck_assert_uint_eq(bench.rises, 1);
	ck_assert_uint_eq(inb(0xc002), IDE_BM_ST_INT | active);
	ck_assert_uint_eq(inb(0x1f7), READY);
	ck_assert_int_eq(bench.wire, 0);
	outb(0xc000, 0);
	ck_assert_uint_eq(inb(0xc002), IDE_BM_ST_INT);
	outb(0xc002, IDE_BM_ST_INT);
	ck_assert_uint_eq(inb(0xc002), 0);
	bench.rises = 0;
}

static const unsigned counts[] = {1, 2, 15, 16, 17, 33, 128};

START_TEST(dma_moves_sectors_both_ways)
{
	unsigned n = counts[_i], bytes = n * SECTOR_SIZE;

	fill_sectors(want, 77, n, 1);
	memcpy(bench.ram + 0x20000, want, bytes);
	put_prd(0, 0x20000, bytes, true);
	command28(_i % 2 ? 0xca : 0xcb, 77, n);
	ck_assert_uint_eq(inb(0x1f7), WAITING);
	ck_assert_uint_eq(run_clock(), 0);             /* until the bus master starts nothing moves */
	start_bus_master(0);
	ck_assert_uint_eq(inb(0xc002), IDE_BM_ST_ACTIVE);
	ck_assert_uint_eq(run_clock(), IDE_COMMAND_TICKS + n * IDE_SECTOR_TICKS);
	assert_complete(0);
	on_disk(77, n);
	put_prd(0, 0x40000, bytes, true);
	command28(_i % 2 ? 0xc8 : 0xc9, 77, n);
	start_bus_master(IDE_BM_TO_MEMORY);
	run_clock();
	assert_complete(0);
	ck_assert_mem_eq(bench.ram + 0x40000, want, bytes);
	ck_assert_uint_eq(bench.ram[0x40000 + bytes] | bench.ram[0x3ffff], 0);
	ck_assert_uint_eq(inb(0x1f2), 0);
	ck_assert_uint_eq(inb(0x1f3) | inb(0x1f4) << 8, 77 + n - 1);
}

START_TEST(dma_reaches_beyond_28_bits)
{
	uint64_t lba = (5ull << 30) + 99;

	fill_sectors(want, lba, 20, 3);
	memcpy(bench.ram + 0x20000, want, 20 * SECTOR_SIZE);
	put_prd(0, 0x20000, 20 * SECTOR_SIZE, true);
	command48(0x35, lba, 20);
	start_bus_master(0);
	run_clock();
	assert_complete(0);
	on_disk(lba, 20);
	put_prd(0, 0x50000, 20 * SECTOR_SIZE, true);
	command48(0x25, lba, 20);
	start_bus_master(IDE_BM_TO_MEMORY);
	run_clock();
	assert_complete(0);
	ck_assert_mem_eq(bench.ram + 0x50000, want, 20 * SECTOR_SIZE);
}

START_TEST(the_bus_master_may_start_before_the_command)
{
	put_on_disk(3, 1, 7);
	put_prd(0, 0x20000, 512, true);
	start_bus_master(IDE_BM_TO_MEMORY);
	ck_assert_uint_eq(run_clock(), 0);
	command28(0xc8, 3, 1);
	ck_assert_uint_eq(inb(0x1f7), IDE_ST_BSY);
	run_clock();
	assert_complete(0);
	ck_assert_mem_eq(bench.ram + 0x20000, want, 512);
}

START_TEST(regions_may_be_of_any_even_size)
{
	static const unsigned sizes[] = {2, 510, 6, 1000, 4096, 18, 3584};
	unsigned addr = 0x20000, total = 0, n = sizeof(sizes) / sizeof(sizes[0]);

	for (unsigned i = 0; i < n; i++)
		total += sizes[i];
	ck_assert_uint_eq(total % SECTOR_SIZE, 0);
	put_on_disk(100, total / SECTOR_SIZE, 2);
	for (unsigned i = 0; i < n; i++, addr += 0x2000)
		put_prd(i, addr, sizes[i], i == n - 1);
	command28(0xc8, 100, total / SECTOR_SIZE);
	start_bus_master(IDE_BM_TO_MEMORY);
	run_clock();
	assert_complete(0);
	for (unsigned i = 0, at = 0; i < n; at += sizes[i++]) {
		ck_assert_mem_eq(bench.ram + 0x20000 + 0x2000 * i, want + at, sizes[i]);
		ck_assert_uint_eq(bench.ram[0x20000 + 0x2000 * i + sizes[i]], 0);
	}
}

START_TEST(a_region_of_0_bytes_is_64_KB)
{
	put_on_disk(0, 256, 6);
	put_prd(0, 0x20000, 0, false);
	put_prd(1, 0x80000, 0, true);
	command28(0xc8, 0, 0);
	start_bus_master(IDE_BM_TO_MEMORY);
	run_clock();
	assert_complete(0);
	ck_assert_mem_eq(bench.ram + 0x20000, want, 0x10000);
	ck_assert_mem_eq(bench.ram + 0x80000, want + 0x10000, 0x10000);
}

START_TEST(bit_0_of_address_and_count_is_not_there)
{
	put_on_disk(0, 1, 6);
	put_prd(0, 0x20001, 513, true);
	command28(0xc8, 0, 1);
	start_bus_master(IDE_BM_TO_MEMORY);
	run_clock();
	assert_complete(0);
	ck_assert_mem_eq(bench.ram + 0x20000, want, 512);
}

START_TEST(regions_longer_than_the_transfer_leave_the_bus_master_active)
{
	put_prd(0, 0x20000, 1024, true);
	command28(0xc8, 0, 1);
	start_bus_master(IDE_BM_TO_MEMORY);
	run_clock();
	assert_complete(IDE_BM_ST_ACTIVE);
	put_prd(0, 0x20000, 512, false);       /* exact, but the end mark is on a later one */
	put_prd(1, 0x30000, 512, true);
	command28(0xc8, 0, 1);
	start_bus_master(IDE_BM_TO_MEMORY);
	run_clock();
	assert_complete(IDE_BM_ST_ACTIVE);
}

/* The rest of the block is in the drive's buffer already. */
static void resume_without_reading_again(uint8_t direction)
{
	start_bus_master(direction);
	bench.fail_read = EIO;
	one_step();
	bench.fail_read = 0;
}

START_TEST(regions_shorter_than_the_transfer_stop_it_without_interrupt)
{
	uint8_t opcode = _i ? 0xca : 0xc8, direction = _i ? 0 : IDE_BM_TO_MEMORY;

	fill_sectors(want, 10, 3, 4);
	if (_i)
		memcpy(bench.ram + 0x20000, want, 3 * SECTOR_SIZE);
	else
		put_on_disk(10, 3, 4);
	put_prd(0, 0x20000, 700, true);
	command28(opcode, 10, 3);
	start_bus_master(direction);
	run_clock();
	ck_assert_uint_eq(inb(0xc002), 0);
	ck_assert_int_eq(bench.wire, 0);
	ck_assert_uint_eq(inb(0x1f7), WAITING);
	ck_assert_uint_eq(bench.logged, 1);
	outb(0xc000, direction);
	put_prd(0, 0x20000 + 700, 3 * SECTOR_SIZE - 700, true);        /* the drive still waits for the rest */
	if (_i)
		start_bus_master(direction);
	else
		resume_without_reading_again(direction);
	run_clock();
	assert_complete(0);
	if (_i)
		on_disk(10, 3);
	else
		ck_assert_mem_eq(bench.ram + 0x20000, want, 3 * SECTOR_SIZE);
}

START_TEST(a_software_reset_frees_a_drive_that_waits_for_regions)
{
	put_prd(0, 0x20000, 2, true);
	command28(0xc8, 10, 3);
	start_bus_master(IDE_BM_TO_MEMORY);
	run_clock();
	outb(0xc000, 0);
	outb(0x3f6, IDE_CTL_SRST);
	outb(0x3f6, 0);
	run_clock();
	ck_assert_uint_eq(inb(0x1f7), READY);
	put_on_disk(3, 1, 7);
	put_prd(0, 0x20000, 512, true);
	command28(0xc8, 3, 1);
	start_bus_master(IDE_BM_TO_MEMORY);
	run_clock();
	assert_complete(0);
	ck_assert_mem_eq(bench.ram + 0x20000, want, 512);
}

START_TEST(stopping_the_bus_master_stops_the_transfer)
{
	put_prd(0, 0x20000, 0x8000, true);
	command28(0xc8, 0, 64);
	start_bus_master(IDE_BM_TO_MEMORY);
	one_step();
	outb(0xc000, IDE_BM_TO_MEMORY);
	ck_assert_uint_eq(run_clock(), 0);
	ck_assert_uint_eq(inb(0xc002), 0);
	ck_assert_uint_eq(inb(0x1f7), WAITING);
	ck_assert_int_eq(bench.wire, 0);
}

START_TEST(a_bus_master_going_the_other_way_moves_nothing)
{
	put_on_disk(10, 1, 4);
	memset(bench.ram + 0x20000, 0x55, 512);
	put_prd(0, 0x20000, 512, true);
	command28(_i ? 0xca : 0xc8, 10, 1);
	start_bus_master(_i ? IDE_BM_TO_MEMORY : 0);
	ck_assert_uint_eq(run_clock(), 0);
	ck_assert_uint_eq(inb(0x1f7), WAITING);
	ck_assert_uint_eq(bench.ram[0x20000], 0x55);
	on_disk(10, 1);
}

START_TEST(tables_and_regions_outside_memory_harm_nobody)
{
	static const uint32_t places[] = {BENCH_RAM - 4, BENCH_RAM - 256, 0xfffffffc, 0x80000000, 0xfffffe00};
	uint32_t place = places[_i];

	put_prd(0, place, 4096, true);
	command28(_i & 1 ? 0xca : 0xc8, 10, 8);
	start_bus_master(_i & 1 ? 0 : IDE_BM_TO_MEMORY);
	run_clock();
	assert_complete(0);
	command28(0xc8, 10, 8);
	outb(0xc000, IDE_BM_TO_MEMORY);
	out(0xc004, 4, place);
	outb(0xc000, IDE_BM_TO_MEMORY | IDE_BM_START);
	run_clock();                           /* ones everywhere: one region of 65534 bytes at fffffffe */
	ck_assert_uint_eq(inb(0xc002) & IDE_BM_ST_ACTIVE ? READY : inb(0x1f7), READY);
}

START_TEST(a_region_across_64_KB_goes_on_and_is_reported)
{
	put_on_disk(10, 2, 4);
	put_prd(0, 0x2fe00, 1024, true);
	command28(0xc8, 10, 2);
	start_bus_master(IDE_BM_TO_MEMORY);
	run_clock();
	assert_complete(0);
	ck_assert_uint_eq(bench.logged, 1);
	ck_assert_mem_eq(bench.ram + 0x2fe00, want, 1024);
}

START_TEST(a_disk_error_ends_dma_with_an_interrupt)
{
	put_prd(0, 0x20000, 0, true);
	command28(_i ? 0xca : 0xc8, 10, 40);
	start_bus_master(_i ? 0 : IDE_BM_TO_MEMORY);
	one_step();
	bench.fail_read = EIO;
	bench.fail_write = ENOSPC;
	run_clock();
	ck_assert_int_eq(bench.wire, 1);
	ck_assert_uint_eq(inb(0xc002), IDE_BM_ST_INT | IDE_BM_ST_ACTIVE);
	ck_assert_uint_eq(inb(0x1f7), READY | IDE_ST_ERR | (_i ? IDE_ST_DF : 0));
	ck_assert_uint_eq(inb(0x1f1), _i ? IDE_ERR_ABRT : IDE_ERR_UNC);
	ck_assert_uint_eq(inb(0x1f3), 10 + 16);
	ck_assert_uint_eq(inb(0x1f2), 40 - 16);
}

START_TEST(bus_master_registers_keep_what_they_should)
{
	outb(0xc000, 0xff & ~IDE_BM_START);
	ck_assert_uint_eq(inb(0xc000), IDE_BM_TO_MEMORY);
	outb(0xc002, 0xff);
	ck_assert_uint_eq(inb(0xc002), 0x60);
	out(0xc004, 4, 0xffffffff);
	ck_assert_uint_eq(in(0xc004, 4), 0xfffffffc);
	out(0xc006, 2, 0x1234);
	ck_assert_uint_eq(in(0xc004, 4), 0x1234fffc);
	outb(0xc005, 0x56);
	ck_assert_uint_eq(in(0xc004, 4), 0x123456fc);
	ck_assert_uint_eq(in(0xc000, 4), 0x00600008);
	outb(0x1f7, 0xe1);
	run_clock();
	ck_assert_uint_eq(inb(0xc002), 0x64);  /* any command's interrupt shows */
	outb(0xc002, 0);
	ck_assert_uint_eq(inb(0xc002), 0x04);  /* writing 0 does not clear it */
}

/* --- random traffic --------------------------------------------------------------------------------------------- */

static uint32_t seed, seen;        /* seen: a hash of all that was read */

static uint32_t rnd(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed % n;
}

static void look(uint16_t port, unsigned size)
{
	seen = (seen ^ in(port, size)) * 16777619u;
}

/* Mostly sensible values, so that commands get going, some nonsense. */
static void random_step(void)
{
	static const uint8_t opcodes[] = {0x20, 0x24, 0x25, 0x29, 0x30, 0x34, 0x35, 0x39, 0x40, 0x42, 0x90, 0x91, 0xc4, 0xc5, 0xc6, 0xc8, 0xca,
		0xe7, 0xec, 0xef, 0xf8, 0x27};
	unsigned size = 1 << rnd(3);

	switch (rnd(10)) {
	case 0: outb(0x1f7, rnd(8) ? opcodes[rnd(sizeof(opcodes))] : rnd(256)); break;
	case 1: outb(0x1f6, 0xa0 | rnd(128)); break;
	case 2: out(0x1f1 + rnd(5), 1, rnd(4) ? rnd(20) : rnd(256)); break;
	case 3: look(0x1f0 + rnd(8), size); break;
	case 4: out(0x1f0 + rnd(8), size, rnd(~0u)); break;
	case 5: for (unsigned i = rnd(300); i; i--) rnd(2) ? look(0x1f0, size) : out(0x1f0, size, i); break;
	case 6: if (!rnd(8)) outb(0x3f6, rnd(256)); else look(0x3f6, 1); break;
	case 7: out(0xc000 + rnd(8), size, rnd(2) ? rnd(16) : rnd(BENCH_RAM)); break;
	case 8: bench.ram[rnd(0x3000)] = rnd(256); look(0xc000 + rnd(8), size); break;
	case 9: bench.now += rnd(20000); clock_fire_due(&bench.clock); break;
	}
	if (!rnd(2000))
		ide_ops.reset(&bench.ide.dev);
	if (!rnd(50))
		bench.fail_read = bench.fail_write = bench.fail_flush = rnd(2) ? EIO : 0;
}

/* What every moment must satisfy. Plain C, since an assertion of Check costs more than the step. */
static bool sane(void)
{
	const struct ide_channel *ch = &bench.ide;
	bool waits = ch->phase != IDE_IDLE && ch->phase != IDE_DATA_IN && ch->phase != IDE_DATA_OUT && ch->phase != IDE_DMA_WAIT;

	return ch->pos <= ch->len && ch->len <= IDE_BUFFER && ch->left <= 65536
		&& bench.wire == (ch->intrq && !(ch->control & IDE_CTL_NIEN))
		&& ch->timer.armed == waits
		&& (ch->phase <= IDE_VERIFYING || ch->len == (ch->left < ch->block ? ch->left : ch->block) * SECTOR_SIZE)
		&& (!waits || ch->drive[ch->device >> 4 & 1].status == IDE_ST_BSY);
}

START_TEST(random_port_traffic_never_breaks_the_channel)
{
	seed = 12345 + _i;
	for (unsigned i = 0; i < 60000; i++) {
		random_step();
		if (!sane())
			ck_abort_msg("step %u: phase %u, pos %u of %u, wire %d", i, bench.ide.phase, bench.ide.pos, bench.ide.len, bench.wire);
	}
	bench.fail_read = bench.fail_write = 0;
	ide_ops.reset(&bench.ide.dev);
	put_on_disk(3, 1, 7);
	bench.rises = 0;
	outb(0xc002, 0);
	put_prd(0, 0x20000, 512, true);
	command28(0xc8, 3, 1);
	start_bus_master(IDE_BM_TO_MEMORY);
	run_clock();
	assert_complete(0);
	ck_assert_mem_eq(bench.ram + 0x20000, want, 512);
}

/* --- the register table ----------------------------------------------------------------------------------------- */

static size_t copy_state(uint8_t *bytes, bool load)
{
	size_t at = 0;

	for (const struct reg_desc *r = ide_ops.regs; r->name; r++) {
		uint8_t *field = (uint8_t *)&bench.ide + r->offset;
		size_t n = (size_t)r->bytes * r->count;

		ck_assert_uint_le(r->offset + n, sizeof(bench.ide));
		if (load)
			memcpy(field, bytes + at, n);
		else
			memcpy(bytes + at, field, n);
		at += n;
	}
	return at;
}

/* What a guest sees of the next steps. */
static uint32_t play(unsigned steps)
{
	seen = 2166136261u;
	for (unsigned i = 0; i < steps; i++) {
		random_step();
		look(0x1f1 + rnd(6), 1);
		look(0x3f6, 1);
		look(0xc000, 4);
		seen += bench.wire;
	}
	for (unsigned i = 0; i < BENCH_RAM; i += 64)   /* what DMA did */
		seen = (seen ^ bench.ram[i]) * 16777619u;
	return seen;
}

START_TEST(a_saved_and_loaded_channel_goes_on_as_if_nothing_had_happened)
{
	static uint8_t state[sizeof(struct ide_channel)], ram[BENCH_RAM];
	uint64_t now;
	uint32_t first, at_seed;

	seed = 777 + _i;
	put_on_disk(0, 256, 1);
	bench.disk[0]->read_only = bench.disk[1]->read_only = true;    /* the disks are not part of the state */
	play(300 + 7 * _i);
	bench.fail_read = bench.fail_write = bench.fail_flush = 0;
	copy_state(state, false);
	memcpy(ram, bench.ram, sizeof(ram));
	now = bench.now;
	at_seed = seed;
	first = play(200);
	bench.fail_read = bench.fail_write = bench.fail_flush = 0;
	ide_ops.reset(&bench.ide.dev);
	memcpy(bench.ram, ram, sizeof(ram));
	bench.now = now;
	seed = at_seed;
	copy_state(state, true);
	ide_ops.restored(&bench.ide.dev);
	ck_assert(sane());
	ck_assert_uint_eq(play(200), first);
}

/* 40 sectors in regions of 10000 bytes: after one step of 16 a region is half used. */
START_TEST(a_transfer_saved_half_way_is_finished_after_loading)
{
	static uint8_t state[sizeof(struct ide_channel)], expect[40 * SECTOR_SIZE];
	uint8_t direction = _i ? 0 : IDE_BM_TO_MEMORY;
	uint64_t now;

	fill_sectors(want, 500, 40, 9);
	memcpy(expect, want, sizeof(expect));
	if (_i)
		memcpy(bench.ram + 0x20000, want, sizeof(expect));
	else
		put_on_disk(500, 40, 9);
	put_prd(0, 0x20000, 10000, false);
	put_prd(1, 0x20000 + 10000, 10000, false);
	put_prd(2, 0x20000 + 20000, 480, true);
	put_prd(32, 0x60000, 0, true);
	outb(0x1f1, 0x03);
	outb(0x1f2, 0x20);
	outb(0x1f7, 0xef);
	run_clock();
	outb(0x1f1, 0x82);
	outb(0x1f7, 0xef);
	run_clock();
	command28(_i ? 0xca : 0xc8, 500, 40);
	start_bus_master(direction);
	one_step();
	copy_state(state, false);
	now = bench.now;
	ide_ops.reset(&bench.ide.dev);
	command28(_i ? 0xc8 : 0xca, 100, 30);          /* something else, the other way */
	out(0xc004, 4, 0x1000 + 8 * 32);
	outb(0xc000, direction ^ IDE_BM_TO_MEMORY);
	outb(0xc000, (direction ^ IDE_BM_TO_MEMORY) | IDE_BM_START);
	one_step();
	bench.now = now;
	copy_state(state, true);
	ide_ops.restored(&bench.ide.dev);
	bench.rises = 0;
	ck_assert_uint_eq(run_clock(), 24 * IDE_SECTOR_TICKS);
	assert_complete(0);
	memcpy(want, expect, sizeof(expect));
	on_disk(500, 40);
	if (!_i)
		ck_assert_mem_eq(bench.ram + 0x20000, expect, sizeof(expect));
	ck_assert_uint_eq(bench.ide.drive[0].dma_mode, 1);
	ck_assert_uint_eq(bench.ide.drive[0].write_cache, 0);
}

START_TEST(a_loaded_state_of_nonsense_is_brought_within_bounds)
{
	static uint8_t state[sizeof(struct ide_channel)];
	size_t n = copy_state(state, false);

	seed = 31 + _i;
	for (unsigned round = 0; round < 300; round++) {
		play(20);
		copy_state(state, false);
		for (unsigned i = rnd(40); i; i--)
			state[rnd(2) ? rnd(n) : rnd(64)] = rnd(256);       /* the first 64 bytes: the drives */
		for (unsigned i = rnd(20); i; i--)
			state[n - IDE_BUFFER - 60 + rnd(60)] = rnd(8);     /* before the buffer: the transfer */
		copy_state(state, true);
		ide_ops.restored(&bench.ide.dev);
		if (!sane())
			ck_abort_msg("round %u: phase %u, pos %u of %u", round, bench.ide.phase, bench.ide.pos, bench.ide.len);
	}
}

static TCase *fixture(Suite *s, const char *name, void (*up)(void))
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, up, bench_teardown);
	tcase_set_timeout(tc, 100);
	suite_add_tcase(s, tc);
	return tc;
}

int main(void)
{
	Suite *s = suite_create("ide dma");
	TCase *tc = fixture(s, "bus master", setup), *fuzz = fixture(s, "random", setup_fuzz);

	tcase_add_loop_test(tc, dma_moves_sectors_both_ways, 0, 7);
	tcase_add_test(tc, the_bus_master_may_start_before_the_command);
	tcase_add_test(tc, regions_may_be_of_any_even_size);
	tcase_add_test(tc, a_region_of_0_bytes_is_64_KB);
	tcase_add_test(tc, bit_0_of_address_and_count_is_not_there);
	tcase_add_test(tc, regions_longer_than_the_transfer_leave_the_bus_master_active);
	tcase_add_loop_test(tc, regions_shorter_than_the_transfer_stop_it_without_interrupt, 0, 2);
	tcase_add_test(tc, a_software_reset_frees_a_drive_that_waits_for_regions);
	tcase_add_test(tc, stopping_the_bus_master_stops_the_transfer);
	tcase_add_loop_test(tc, a_bus_master_going_the_other_way_moves_nothing, 0, 2);
	tcase_add_loop_test(tc, tables_and_regions_outside_memory_harm_nobody, 0, 5);
	tcase_add_test(tc, a_region_across_64_KB_goes_on_and_is_reported);
	tcase_add_loop_test(tc, a_disk_error_ends_dma_with_an_interrupt, 0, 2);
	tcase_add_test(tc, bus_master_registers_keep_what_they_should);
	tcase_add_loop_test(tc, a_transfer_saved_half_way_is_finished_after_loading, 0, 2);
	tcase_add_test(fixture(s, "beyond 28 bits", setup_huge), dma_reaches_beyond_28_bits);
	tcase_add_loop_test(fuzz, random_port_traffic_never_breaks_the_channel, 0, 4);
	tcase_add_loop_test(fuzz, a_saved_and_loaded_channel_goes_on_as_if_nothing_had_happened, 0, 150);

	tcase_add_loop_test(fuzz, a_loaded_state_of_nonsense_is_brought_within_bounds, 0, 10);

	SRunner *runner = srunner_create(s);

	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);

	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
