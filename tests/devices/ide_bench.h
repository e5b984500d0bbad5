/* tests/devices/ide_bench.h: an IDE channel on a bench: ports 1F0, 3F6 and C000, a clock turned by hand, 1 MB of memory, one
 * wire that counts, and disks that can be told to fail. */
#ifndef TESTS_DEVICES_IDE_BENCH_H
#define TESTS_DEVICES_IDE_BENCH_H

#include <check.h>

#include "devices/ide.h"

#define BENCH_RAM (1u << 20)

struct bench {
	struct ports ports;
	struct clock clock;
	uint64_t now;
	struct device_log log;
	unsigned logged;
	struct ide_channel ide;
	struct disk *disk[2];
	uint8_t ram[BENCH_RAM];
	int wire;                          /* level of the interrupt line */
	unsigned rises;
	int fail_read, fail_write, fail_flush;     /* errno for the wrapped disk, 0: works */
	unsigned flushes;
};

/* One bench for each test program; each test sets it up anew. */
extern struct bench bench;

/* Disks of that many sectors as drive 0 and 1; 0: no drive. */
void bench_setup(uint64_t sectors0, uint64_t sectors1);
void bench_teardown(void);

uint32_t in(uint16_t port, unsigned size);
void out(uint16_t port, unsigned size, uint32_t value);
static inline uint8_t inb(uint16_t port) { return in(port, 1); }
static inline void outb(uint16_t port, uint8_t value) { out(port, 1, value); }

/* Turns the clock to the next deadline, and on, until nothing is due. Returns the ticks that took. */
uint64_t run_clock(void);
/* Writes address and count registers for a 28-bit, or 48-bit, command of drive 0, then the command. */
void command28(uint8_t opcode, uint32_t lba, uint8_t count);
void command48(uint8_t opcode, uint64_t lba, uint16_t count);
/* A pattern that tells sectors apart. */
void fill_sectors(uint8_t *buf, uint64_t lba, unsigned count, uint8_t salt);
void put_prd(unsigned index, uint32_t addr, uint32_t bytes, bool last);    /* in the table at 1000 */
void start_bus_master(uint8_t direction);

#endif
