/* tests/devices/dev_bench.c */
#include "dev_bench.h"

#include <stdlib.h>
#include <string.h>

static uint64_t time_now;

static uint64_t read_time(const void *owner)
{
	(void)owner;
	return time_now;
}

struct clock bench_clock = { .now = read_time };

void bench_clock_start(uint64_t now)
{
	bench_clock = (struct clock){ .now = read_time };
	time_now = now;
}

void bench_run(uint64_t ticks)
{
	uint64_t end = time_now + ticks;

	for (;;) {
		uint64_t next = clock_next_deadline(&bench_clock);

		if (next > end)
			break;
		ck_assert_msg(next >= time_now, "a deadline in the past");
		time_now = next;
		clock_fire_due(&bench_clock);
		ck_assert_msg(clock_next_deadline(&bench_clock) > time_now, "a timer came due twice at one tick");
	}
	time_now = end;
}

uint64_t bench_now(void)
{
	return time_now;
}

static void wire_set(void *owner, unsigned line, int level)
{
	struct wire *w = owner;

	(void)line;
	w->rises += level && !w->level;
	w->falls += !level && w->level;
	w->level = level;
}

struct irq_line bench_wire(struct wire *w)
{
	*w = (struct wire){0};
	return (struct irq_line){ .set = wire_set, .owner = w };
}

uint8_t *bench_save(struct device *dev, size_t *size)
{
	size_t n = 0;
	uint8_t *state;

	for (const struct reg_desc *r = dev->ops->regs; r->name; r++)
		n += (size_t)r->bytes * r->count;
	state = malloc(n + 1);
	*size = n;
	n = 0;
	for (const struct reg_desc *r = dev->ops->regs; r->name; r++) {
		memcpy(state + n, (uint8_t *)dev + r->offset, (size_t)r->bytes * r->count);
		n += (size_t)r->bytes * r->count;
	}
	return state;
}

void bench_load(struct device *dev, const uint8_t *state, size_t size)
{
	size_t n = 0;

	for (const struct reg_desc *r = dev->ops->regs; r->name; r++) {
		memcpy((uint8_t *)dev + r->offset, state + n, (size_t)r->bytes * r->count);
		n += (size_t)r->bytes * r->count;
	}
	ck_assert_uint_eq(n, size);
	if (dev->ops->restored)
		dev->ops->restored(dev);
}

int bench_main(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
