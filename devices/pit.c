/* devices/pit.c: 8254; the data sheet is in the header.
 *
 * A channel's position is the number of clocks counted since its count N was loaded. Everything is a function of it:
 *
 *   mode 0  OUT low, high from position N on                   mode 4, 5  OUT high, low for the one clock at N
 *   mode 1  OUT low, high from position N on (a gate's edge loads)
 *   mode 2  position mod N: OUT low for the clock at N - 1     mode 3  high for (N + 1) / 2 clocks, low for N / 2
 */
#include "devices/pit.h"
#include "devices/bytewise.h"

#define NEVER UINT64_MAX
#define REFRESH_CLOCKS 18          /* 15 us: a PC refreshes a row of memory so often */

enum { ACCESS_LATCH, ACCESS_LOW, ACCESS_HIGH, ACCESS_BOTH };

static uint64_t pit_now(const struct pit *pit)
{
	return clock_scale(clock_now(pit->dev.clock), PIT_HZ, CLOCK_HZ);
}

/* The first clock tick at which pit_now() has reached t. */
static uint64_t clock_tick_of(uint64_t t)
{
	uint64_t tick = clock_scale(t, CLOCK_HZ, PIT_HZ);

	return clock_scale(tick, PIT_HZ, CLOCK_HZ) < t ? tick + 1 : tick;
}

static unsigned access_of(const struct pit_channel *c) { return c->control >> 4 & 3; }

/* Modes 6 and 7 are 2 and 3. */
static unsigned mode_of(const struct pit_channel *c)
{
	unsigned mode = c->control >> 1 & 7;

	return mode > 5 ? mode - 4 : mode;
}

static bool periodic(const struct pit_channel *c) { return mode_of(c) == 2 || mode_of(c) == 3; }
static uint32_t modulus(const struct pit_channel *c) { return c->control & 1 ? 10000 : 65536; }

static bool before_load(const struct pit_channel *c, uint64_t now)
{
	return !c->loaded || now < c->since;
}

static uint64_t position_at(const struct pit_channel *c, uint64_t now)
{
	return c->counting && now > c->since ? c->position + (now - c->since) : c->position;
}

/* Clocks of the half cycle of mode 3 that is high, or low. */
static uint32_t half_length(uint32_t count, bool low)
{
	return low ? count / 2 : count - count / 2;
}

/* Mode 3: where position p lies. *into is the place in its half cycle. True when OUT is low. */
static bool half_of(const struct pit_channel *c, uint64_t p, uint32_t *into)
{
	uint32_t q = (uint32_t)(p % c->count), first = half_length(c->count, c->low_half);

	*into = q < first ? q : q - first;
	return q < first ? c->low_half : !c->low_half;
}

/* A count of 1 is illegal in modes 2 and 3; we let OUT stay high. */
static bool out_at_position(const struct pit_channel *c, uint64_t p)
{
	uint32_t into;

	switch (mode_of(c)) {
	case 0:
	case 1:
		return p >= c->count;
	case 2:
		return !c->gate || c->count == 1 || p % c->count != c->count - 1;
	case 3:
		return !c->gate || c->count == 1 || !half_of(c, p, &into);
	default:
		return p != c->count;
	}
}

static bool channel_out(const struct pit_channel *c, uint64_t now)
{
	return before_load(c, now) ? c->out_before : out_at_position(c, position_at(c, now));
}

/* The counting element as a number, before BCD.
 * Simplified: between the write of a count and the clock that loads it, this is the new count already, where the chip would still
 * give the old one [8254] "Read-Back Command". A PC never sees the old one, as one access of its I/O bus takes longer than a clock
 * of the timer; here accesses take 10 ns, and kernels that read back at once what they wrote, to measure the processor's speed,
 * would find a timer that does not work. */
static uint32_t channel_count(const struct pit_channel *c, uint64_t now)
{
	uint64_t p = position_at(c, now);
	uint32_t into, m = modulus(c);

	if (!c->loaded)
		return c->count_before;
	if (mode_of(c) == 2)
		return (uint32_t)(c->count - p % c->count) % m;
	if (mode_of(c) == 3) {
		half_of(c, p, &into);
		return ((c->count & ~1u) - 2 * into) % m;          /* an odd count loads as one less */
	}
	return (uint32_t)((c->count + m - p % m) % m);
}

static uint16_t to_bcd(uint32_t n)
{
	return (uint16_t)(n % 10 | n / 10 % 10 << 4 | n / 100 % 10 << 8 | n / 1000 % 10 << 12);
}

static uint32_t from_bcd(uint16_t n)
{
	return ((n & 15u) + (n >> 4 & 15u) * 10 + (n >> 8 & 15u) * 100 + (n >> 12) * 1000u) % 10000;
}

static uint16_t visible_count(const struct pit_channel *c, uint64_t now)
{
	uint32_t n = channel_count(c, now);

	return c->control & 1 ? to_bcd(n) : (uint16_t)n;
}

/* Modes 2 and 3 take a new count over at the end of the cycle, or half cycle, in which it was written. */
static uint64_t end_of_cycle(const struct pit_channel *c, uint64_t p)
{
	uint32_t into;
	bool low;

	if (mode_of(c) == 2)
		return p - p % c->count + c->count;
	low = half_of(c, p, &into);
	return p - into + half_length(c->count, low);
}

static void channel_sync(struct pit_channel *c, uint64_t now)
{
	uint64_t p = position_at(c, now);
	uint32_t into;

	if (!c->pending || !periodic(c) || before_load(c, now) || p < c->switch_at)
		return;
	if (mode_of(c) == 3)
		c->low_half = c->count > 1 ? half_of(c, c->switch_at, &into) : 0;
	c->position = p - c->switch_at;
	c->since = now;
	c->count = c->next;
	c->pending = 0;
}

/* Loads the count register at the next clock. */
static void channel_load(struct pit_channel *c, uint64_t now, bool out_before)
{
	c->count_before = (uint16_t)channel_count(c, now);
	c->out_before = out_before;
	c->loaded = 1;
	c->since = now + 1;
	c->position = 0;
	c->low_half = 0;
	c->count = c->next;
	c->pending = 0;
	c->counting = c->gate || mode_of(c) == 1 || mode_of(c) == 5;
}

static void channel_new_count(struct pit_channel *c, uint64_t now, uint16_t value)
{
	uint32_t n = c->control & 1 ? from_bcd(value) : value;

	c->next = n ? n : modulus(c);
	c->pending = 1;
	switch (mode_of(c)) {
	case 0:
		channel_load(c, now, false);
		break;
	case 4:
		channel_load(c, now, true);
		break;
	case 2:
	case 3:
		if (!c->loaded)
			channel_load(c, now, true);
		else
			c->switch_at = end_of_cycle(c, position_at(c, now));
		break;
	default:
		break;                     /* modes 1 and 5 wait for the gate */
	}
}

static void write_count(struct pit_channel *c, uint64_t now, uint8_t value)
{
	switch (access_of(c)) {
	case ACCESS_LOW:
		channel_new_count(c, now, value);
		break;
	case ACCESS_HIGH:
		channel_new_count(c, now, (uint16_t)(value << 8));
		break;
	case ACCESS_BOTH:
		if (c->write_high) {
			c->write_high = 0;
			channel_new_count(c, now, (uint16_t)(value << 8 | c->low));
			break;
		}
		c->write_high = 1;
		c->low = value;
		if (mode_of(c) == 0) {     /* the first byte stops the count and drops OUT */
			c->count_before = (uint16_t)channel_count(c, now);
			c->out_before = 0;
			c->loaded = 0;
		}
		break;
	default:
		break;
	}
}

static uint8_t read_count(struct pit_channel *c, uint64_t now)
{
	uint16_t count = c->latched ? c->latch : visible_count(c, now);
	bool high = access_of(c) == ACCESS_HIGH;

	if (c->status_latched) {
		c->status_latched = 0;
		return c->status;
	}
	if (access_of(c) == ACCESS_BOTH) {
		high = c->read_high;
		c->read_high = !c->read_high;
	}
	if (c->latched)
		c->latched--;
	return (uint8_t)(high ? count >> 8 : count);
}

static void latch_count(struct pit_channel *c, uint64_t now)
{
	if (c->latched)
		return;                    /* a second latch before the first is read is ignored */
	c->latch = visible_count(c, now);
	c->latched = access_of(c) == ACCESS_BOTH ? 2 : 1;
}

/* [8254] "Read-Back Command": bit 7 OUT, bit 6 null count, bits 5-0 the control word. */
static void latch_status(struct pit_channel *c, uint64_t now)
{
	bool null_count = c->pending || before_load(c, now);

	if (c->status_latched)
		return;
	c->status_latched = 1;
	c->status = (uint8_t)(channel_out(c, now) << 7 | null_count << 6 | c->control);
}

static void write_control(struct pit *pit, uint64_t now, uint8_t value)
{
	struct pit_channel *c;

	if (value >> 6 == 3) {
		for (unsigned i = 0; i < 3; i++) {
			if (!(value >> (i + 1) & 1))
				continue;
			if (!(value & 0x20))
				latch_count(&pit->channel[i], now);
			if (!(value & 0x10))
				latch_status(&pit->channel[i], now);
		}
		return;
	}
	c = &pit->channel[value >> 6];
	if ((value >> 4 & 3) == ACCESS_LATCH) {
		latch_count(c, now);
		return;
	}
	*c = (struct pit_channel){ .control = value & 0x3f, .gate = c->gate, .count_before = (uint16_t)channel_count(c, now),
		.count = 1, .next = 1 };
	c->out_before = mode_of(c) != 0;
}

static void set_gate(struct pit_channel *c, uint64_t now, bool gate)
{
	bool rises = gate && !c->gate;

	if (gate == (bool)c->gate)
		return;
	if (mode_of(c) != 1 && mode_of(c) != 5 && c->loaded) {
		c->position = position_at(c, now);
		c->since = now < c->since ? c->since : now;
		c->counting = gate;
	}
	c->gate = gate;
	if (!rises)
		return;
	if (periodic(c) && c->loaded) {
		if (!c->pending)
			c->next = c->count;
		channel_load(c, now, true);
	} else if ((mode_of(c) == 1 || mode_of(c) == 5) && (c->loaded || c->pending)) {
		if (!c->pending)
			c->next = c->count;
		channel_load(c, now, channel_out(c, now));
	}
}

/* The PIT tick of the next change of OUT, or of anything that moves that change. */
static uint64_t next_edge(const struct pit_channel *c, uint64_t now)
{
	uint64_t p = position_at(c, now), at = NEVER;
	uint32_t q;

	if (!c->loaded)
		return NEVER;
	if (now < c->since)
		return c->since;
	if (!c->counting)
		return NEVER;
	switch (mode_of(c)) {
	case 2:
		q = (uint32_t)(p % c->count);
		at = q < c->count - 1 ? p + (c->count - 1 - q) : p + 1;
		break;
	case 3:
		at = end_of_cycle(c, p);
		break;
	default:
		at = p < c->count ? c->count : p == c->count ? p + 1 : NEVER;
	}
	if (periodic(c) && c->count == 1)
		at = NEVER;
	if (periodic(c) && c->pending && c->switch_at < at)
		at = c->switch_at;
	return at == NEVER ? NEVER : now + (at - p);
}

static void pit_update(struct pit *pit)
{
	uint64_t now = pit_now(pit), at = next_edge(&pit->channel[0], now);
	uint8_t out = channel_out(&pit->channel[0], now);

	if (out != pit->out0) {
		pit->out0 = out;
		irq_set(&pit->dev.irq, out);
	}
	if (at == NEVER)
		timer_cancel(pit->dev.clock, &pit->edge);
	else
		timer_arm(pit->dev.clock, &pit->edge, clock_tick_of(at));
}

static void pit_sync(struct pit *pit, uint64_t now)
{
	for (unsigned i = 0; i < 3; i++)
		channel_sync(&pit->channel[i], now);
}

static void pit_edge(void *owner)
{
	struct pit *pit = owner;

	pit_sync(pit, pit_now(pit));
	pit_update(pit);
}

bool pit_speaker(const struct pit *pit)
{
	struct pit_channel c = pit->channel[2];

	channel_sync(&c, pit_now(pit));
	return (pit->port61 & 2) && channel_out(&c, pit_now(pit));
}

static uint8_t pit_read(struct device *dev, uint16_t offset)
{
	struct pit *pit = (struct pit *)dev;
	uint64_t now = pit_now(pit);

	pit_sync(pit, now);
	if (offset < 3)
		return read_count(&pit->channel[offset], now);
	if (offset != 4)
		return 0xff;
	return (uint8_t)(pit->port61 | (now / REFRESH_CLOCKS & 1) << 4 | channel_out(&pit->channel[2], now) << 5);
}

static void pit_write(struct device *dev, uint16_t offset, uint8_t value)
{
	struct pit *pit = (struct pit *)dev;
	uint64_t now = pit_now(pit);

	pit_sync(pit, now);
	if (offset < 3) {
		write_count(&pit->channel[offset], now, value);
	} else if (offset == 3) {
		write_control(pit, now, value);
	} else if (offset == 4) {
		pit->port61 = value & 0x0f;
		set_gate(&pit->channel[2], now, value & 1);
	}
	pit_update(pit);
}

static uint32_t pit_io_read(struct device *dev, uint16_t offset, unsigned size)
{
	return bytewise_read(dev, offset, size, pit_read);
}

static void pit_io_write(struct device *dev, uint16_t offset, unsigned size, uint32_t value)
{
	bytewise_write(dev, offset, size, value, pit_write);
}

/* The 8254 powers up undefined; we take mode 0 without a count in every channel, OUT low. */
static void pit_reset(struct device *dev)
{
	struct pit *pit = (struct pit *)dev;
	struct pit_channel idle = { .control = ACCESS_BOTH << 4, .gate = 1, .count = 1, .next = 1 };

	timer_cancel(pit->dev.clock, &pit->edge);
	*pit = (struct pit){ .dev = pit->dev, .edge = pit->edge, .channel = { idle, idle, idle } };
	pit->channel[2].gate = 0;
	irq_set(&pit->dev.irq, 0);
}

static void channel_restored(struct pit_channel *c, uint64_t now)
{
	uint32_t m = modulus(c);

	c->control &= 0x3f;
	if (c->count == 0 || c->count > m)
		c->count = m;
	if (c->next == 0 || c->next > m)
		c->next = m;
	if (c->since > now + 1)
		c->since = now + 1;
	if (c->position > UINT64_MAX / 4)
		c->position = 0;
	c->gate = !!c->gate;
	c->counting = !!c->counting;
	c->low_half = !!c->low_half;
	c->out_before = !!c->out_before;
	if (c->latched > 2)
		c->latched = 0;
}

static void pit_restored(struct device *dev)
{
	struct pit *pit = (struct pit *)dev;

	for (unsigned i = 0; i < 3; i++)
		channel_restored(&pit->channel[i], pit_now(pit));
	pit->port61 &= 0x0f;
	pit->out0 = !!pit->out0;
	channel_sync(&pit->channel[0], pit_now(pit));      /* its timer never lets it lag; the others follow when read */
	pit_update(pit);
}

#define CHANNEL(n) \
	REG(struct pit, channel[n].control, "access, mode and BCD"), \
	REG(struct pit, channel[n].gate, "level of GATE"), \
	REG(struct pit, channel[n].write_high, "the high byte is written next"), \
	REG(struct pit, channel[n].read_high, "the high byte is read next"), \
	REG(struct pit, channel[n].low, "low byte written"), \
	REG(struct pit, channel[n].latched, "latched bytes unread"), \
	REG(struct pit, channel[n].status_latched, "the status is read next"), \
	REG(struct pit, channel[n].status, "latched status"), \
	REG(struct pit, channel[n].latch, "latched count"), \
	REG(struct pit, channel[n].loaded, "a count is loaded"), \
	REG(struct pit, channel[n].counting, "counts"), \
	REG(struct pit, channel[n].pending, "a new count waits"), \
	REG(struct pit, channel[n].low_half, "mode 3: began with OUT low"), \
	REG(struct pit, channel[n].out_before, "OUT until the load"), \
	REG(struct pit, channel[n].count_before, "count until the load"), \
	REG(struct pit, channel[n].count, "initial count"), \
	REG(struct pit, channel[n].next, "new count"), \
	REG(struct pit, channel[n].since, "counting since this PIT tick"), \
	REG(struct pit, channel[n].position, "clocks counted by then"), \
	REG(struct pit, channel[n].switch_at, "position where the new count is taken")

static const struct reg_desc pit_regs[] = { CHANNEL(0), CHANNEL(1), CHANNEL(2),
	REG(struct pit, port61, "port 0x61, bits 3-0"), REG(struct pit, out0, "OUT of channel 0 as last signalled"), {0} };

static const struct device_ops pit_ops = { .name = "pit", .state_version = 1, .regs = pit_regs, .reset = pit_reset,
	.io_read = pit_io_read, .io_write = pit_io_write, .restored = pit_restored };

void pit_init(struct pit *pit, struct clock *clock)
{
	*pit = (struct pit){ .dev = { .ops = &pit_ops, .clock = clock } };
	timer_init(&pit->edge, "pit", pit_edge, pit);
	pit_reset(&pit->dev);
}
