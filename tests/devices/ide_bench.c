/* tests/devices/ide_bench.c: see ide_bench.h. */
#include "ide_bench.h"

#include <stdlib.h>
#include <string.h>

struct bench bench;

static uint64_t bench_now(const void *owner)
{
	return ((const struct bench *)owner)->now;
}

static void bench_wire(void *owner, unsigned line, int level)
{
	struct bench *b = owner;

	if (line != 14)
		ck_abort_msg("interrupt line %u", line);
	b->rises += level && !b->wire;
	b->wire = level;
}

static void bench_log(void *owner, enum log_level level, const char *device, const char *text)
{
	(void)level;
	if (strcmp(device, "ide") || !*text)
		ck_abort_msg("log: %s: %s", device, text);
	((struct bench *)owner)->logged++;
}

/* Memory outside the bench's RAM reads as ones and swallows writes. */
static void bench_dma_read(void *owner, uint64_t pa, void *buf, size_t len)
{
	struct bench *b = owner;

	for (size_t i = 0; i < len; i++)
		((uint8_t *)buf)[i] = pa + i < BENCH_RAM ? b->ram[pa + i] : 0xff;
}

static void bench_dma_write(void *owner, uint64_t pa, const void *buf, size_t len)
{
	struct bench *b = owner;

	for (size_t i = 0; i < len; i++)
		if (pa + i < BENCH_RAM)
			b->ram[pa + i] = ((const uint8_t *)buf)[i];
}

/* --- a disk that fails on demand -------------------------------------------------------------------------------- */

struct moody {
	struct disk disk;
	struct disk *under;
};

static int moody_read(struct disk *d, uint64_t lba, void *buf, uint32_t count)
{
	struct disk *under = ((struct moody *)d)->under;

	if (lba + count > d->sectors)
		ck_abort_msg("read of sector %llu", (unsigned long long)lba);
	return bench.fail_read ? -bench.fail_read : under->read(under, lba, buf, count);
}

static int moody_write(struct disk *d, uint64_t lba, const void *buf, uint32_t count)
{
	struct disk *under = ((struct moody *)d)->under;

	if (lba + count > d->sectors || d->read_only)
		ck_abort_msg("write of sector %llu", (unsigned long long)lba);
	return bench.fail_write ? -bench.fail_write : under->write(under, lba, buf, count);
}

static int moody_flush(struct disk *d)
{
	(void)d;
	bench.flushes++;
	return -bench.fail_flush;
}

static void moody_close(struct disk *d)
{
	struct moody *m = (struct moody *)d;

	m->under->close(m->under);
	free(m);
}

static struct disk *moody_disk(uint64_t sectors)
{
	struct moody *m = calloc(1, sizeof(*m));

	ck_assert_ptr_nonnull(m);
	m->under = disk_memory(sectors);
	ck_assert_ptr_nonnull(m->under);
	m->disk = (struct disk){.sectors = sectors, .read = moody_read, .write = moody_write, .flush = moody_flush, .close = moody_close};
	return &m->disk;
}

/* --- the bench -------------------------------------------------------------------------------------------------- */

static void bench_ports(uint16_t base, uint16_t count, uint16_t first_offset)
{
	const char *clash;

	ck_assert_int_eq(ports_add(&bench.ports, &bench.ide.dev, base, count, first_offset, &clash), 0);
}

void bench_setup(uint64_t sectors0, uint64_t sectors1)
{
	uint64_t sectors[2] = {sectors0, sectors1};

	memset(&bench, 0, sizeof(bench));
	ports_init(&bench.ports);
	bench.clock = (struct clock){.now = bench_now, .owner = &bench};
	bench.log = (struct device_log){bench_log, &bench};
	ide_init(&bench.ide, &bench.clock, &bench.log, (struct dma){bench_dma_read, bench_dma_write, &bench});
	bench.ide.dev.irq = (struct irq_line){bench_wire, &bench, 14};
	for (unsigned i = 0; i < 2; i++) {
		if (!sectors[i])
			continue;
		bench.disk[i] = moody_disk(sectors[i]);
		ide_attach(&bench.ide, i, bench.disk[i], i ? "second.img" : "first.img");
	}
	bench_ports(0x1f0, 8, 0);
	bench_ports(0x3f6, 1, IDE_CONTROL);
	bench_ports(0xc000, 8, IDE_BM_COMMAND);
}

void bench_teardown(void)
{
	for (unsigned i = 0; i < 2; i++)
		if (bench.disk[i])
			bench.disk[i]->close(bench.disk[i]);
}

uint32_t in(uint16_t port, unsigned size)
{
	return ports_read(&bench.ports, port, size);
}

void out(uint16_t port, unsigned size, uint32_t value)
{
	ports_write(&bench.ports, port, size, value);
}

uint64_t run_clock(void)
{
	uint64_t start = bench.now;

	for (unsigned guard = 0; clock_next_deadline(&bench.clock) != UINT64_MAX; guard++) {
		if (guard == 100000)
			ck_abort_msg("the clock never stops");
		bench.now = clock_next_deadline(&bench.clock);
		clock_fire_due(&bench.clock);
	}
	return bench.now - start;
}

void command28(uint8_t opcode, uint32_t lba, uint8_t count)
{
	outb(0x1f6, 0xe0 | lba >> 24);
	outb(0x1f2, count);
	outb(0x1f3, lba);
	outb(0x1f4, lba >> 8);
	outb(0x1f5, lba >> 16);
	outb(0x1f7, opcode);
}

void command48(uint8_t opcode, uint64_t lba, uint16_t count)
{
	outb(0x1f6, 0x40);
	outb(0x1f2, count >> 8);
	outb(0x1f3, lba >> 24);
	outb(0x1f4, lba >> 32);
	outb(0x1f5, lba >> 40);
	outb(0x1f2, count);
	outb(0x1f3, lba);
	outb(0x1f4, lba >> 8);
	outb(0x1f5, lba >> 16);
	outb(0x1f7, opcode);
}

void fill_sectors(uint8_t *buf, uint64_t lba, unsigned count, uint8_t salt)
{
	for (unsigned i = 0; i < count * SECTOR_SIZE; i++) {
		uint64_t x = (lba * SECTOR_SIZE + i) * 0x9e3779b97f4a7c15ull + salt;

		buf[i] = x >> 56 ^ x >> 40;
	}
}

void put_prd(unsigned index, uint32_t addr, uint32_t bytes, bool last)
{
	uint32_t word[2] = {addr, (bytes & 0xffff) | (last ? 0x80000000u : 0)};

	for (unsigned i = 0; i < 8; i++)
		bench.ram[0x1000 + 8 * index + i] = word[i / 4] >> 8 * (i % 4);
}

void start_bus_master(uint8_t direction)
{
	outb(0xc000, direction);
	out(0xc004, 4, 0x1000);
	outb(0xc002, 0x06);
	outb(0xc000, direction | IDE_BM_START);
}
