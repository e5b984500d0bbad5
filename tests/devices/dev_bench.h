/* tests/devices/dev_bench.h: what a device is wired to on the bench: a clock turned by hand and wires that count. */
#ifndef TESTS_DEVICES_DEV_BENCH_H
#define TESTS_DEVICES_DEV_BENCH_H

#include <check.h>

#include "devices/device.h"

struct wire { int level; unsigned rises, falls; };

/* A clock at zero. It is one per test program; each test starts it anew. */
extern struct clock bench_clock;
void bench_clock_start(uint64_t now);
/* Moves time on, stopping at each deadline on the way, as the run loop does. */
void bench_run(uint64_t ticks);
uint64_t bench_now(void);

/* Leads to a wire that counts. */
struct irq_line bench_wire(struct wire *w);

static inline uint8_t in8(struct device *dev, uint16_t offset) { return (uint8_t)dev->ops->io_read(dev, offset, 1); }
static inline void out8(struct device *dev, uint16_t offset, uint8_t value) { dev->ops->io_write(dev, offset, 1, value); }

/* All rows of the device's register table, one after the other. The caller frees it. */
uint8_t *bench_save(struct device *dev, size_t *size);
void bench_load(struct device *dev, const uint8_t *state, size_t size);

/* Runs a suite and gives main's result. */
int bench_main(Suite *suite);

#define TICKS_PER_US (CLOCK_HZ / 1000000)

#endif
