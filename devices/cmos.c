/* devices/cmos.c: MC146818; the data sheet is in the header. */
#include "devices/cmos.h"
#include "devices/bytewise.h"

enum { SECONDS = 0, SECONDS_ALARM, MINUTES, MINUTES_ALARM, HOURS, HOURS_ALARM, WEEKDAY, DAY, MONTH, YEAR,
	REG_A, REG_B, REG_C, REG_D, CENTURY = 0x32 };

#define A_UIP      0x80
#define A_DIVIDER  0x70
#define A_RUN      0x20            /* divider for the 32768 Hz crystal */
#define A_RATE     0x0f
#define B_SET      0x80
#define B_PIE      0x40
#define B_AIE      0x20
#define B_UIE      0x10
#define B_BINARY   0x04
#define B_24H      0x02
#define C_IRQF     0x80
#define C_PF       0x40
#define C_AF       0x20
#define C_UF       0x10
#define D_VRT      0x80

#define CRYSTAL_HZ 32768ull
#define UIP_TICKS  (CLOCK_HZ * 2228 / 1000000)

static uint8_t encode(const struct cmos *cmos, unsigned n)
{
	return (uint8_t)(cmos->cell[REG_B] & B_BINARY ? n : n / 10 % 10 << 4 | n % 10);
}

static unsigned decode(const struct cmos *cmos, uint8_t cell)
{
	return cmos->cell[REG_B] & B_BINARY ? cell : (cell >> 4) * 10u + (cell & 15u);
}

/* Twelve-hour form: 12, 1 .. 11, with bit 7 after noon. */
static uint8_t encode_hour(const struct cmos *cmos, unsigned hour)
{
	if (cmos->cell[REG_B] & B_24H)
		return encode(cmos, hour);
	return (uint8_t)(encode(cmos, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? 0x80 : 0));
}

static unsigned decode_hour(const struct cmos *cmos, uint8_t cell)
{
	if (cmos->cell[REG_B] & B_24H)
		return decode(cmos, cell);
	return decode(cmos, cell & 0x7f) % 12 + (cell & 0x80 ? 12 : 0);
}

static unsigned days_in_month(unsigned month, unsigned year)
{
	static const uint8_t days[13] = { 31, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0;         /* the chip knows no centuries */

	return month == 2 && leap ? 29 : days[month <= 12 ? month : 0];
}

/* Adds one to a cell that runs from first to last; true when it starts again. */
static bool roll(struct cmos *cmos, unsigned cell, unsigned first, unsigned last)
{
	unsigned n = decode(cmos, cmos->cell[cell]);

	cmos->cell[cell] = encode(cmos, n >= last ? first : n + 1);
	return n >= last;
}

static void add_second(struct cmos *cmos)
{
	unsigned hour, month = decode(cmos, cmos->cell[MONTH]), year = decode(cmos, cmos->cell[YEAR]);

	if (!roll(cmos, SECONDS, 0, 59) || !roll(cmos, MINUTES, 0, 59))
		return;
	hour = decode_hour(cmos, cmos->cell[HOURS]);
	cmos->cell[HOURS] = encode_hour(cmos, hour >= 23 ? 0 : hour + 1);
	if (hour < 23)
		return;
	roll(cmos, WEEKDAY, 1, 7);
	if (!roll(cmos, DAY, 1, days_in_month(month, year)) || !roll(cmos, MONTH, 1, 12) || !roll(cmos, YEAR, 0, 99))
		return;
	cmos->cell[CENTURY] = (uint8_t)((cmos->cell[CENTURY] & 15) < 9 ? cmos->cell[CENTURY] + 1 : (cmos->cell[CENTURY] & 0xf0) + 0x10);
}

static bool alarm_matches(const struct cmos *cmos)
{
	for (unsigned at = SECONDS; at <= HOURS; at += 2)
		if (cmos->cell[at + 1] < 0xc0 && cmos->cell[at + 1] != cmos->cell[at])
			return false;
	return true;
}

static void update_irq(struct cmos *cmos)
{
	uint8_t *c = &cmos->cell[REG_C];

	/* PF AF UF lie under PIE AIE UIE. */
	*c = (*c & ~C_IRQF) | (*c & cmos->cell[REG_B] & 0x70 ? C_IRQF : 0);
	irq_set(&cmos->dev.irq, !!(*c & C_IRQF));
}

static bool divider_runs(const struct cmos *cmos)
{
	return (cmos->cell[REG_A] & A_DIVIDER) == A_RUN;
}

/* Crystal cycles between periodic events, or 0. Rates 1 and 2 are those of 8 and 9. [MC146818] "Periodic Interrupt Rate" */
static uint64_t period(const struct cmos *cmos)
{
	unsigned rate = cmos->cell[REG_A] & A_RATE;

	if (!rate || !divider_runs(cmos))
		return 0;
	return 1ull << (rate < 3 ? rate + 6 : rate - 1);
}

static uint64_t periods_now(const struct cmos *cmos)
{
	uint64_t since = clock_now(cmos->dev.clock) - cmos->divider_start;

	return clock_scale(since, CRYSTAL_HZ, CLOCK_HZ) / period(cmos);
}

/* Brings PF up to date. Only with PIE set is there a timer for it; else nobody looks before the next read. */
static void sync_period(struct cmos *cmos)
{
	uint64_t n;

	if (!period(cmos))
		return;
	n = periods_now(cmos);
	if (n > cmos->periods_seen)
		cmos->cell[REG_C] |= C_PF;
	cmos->periods_seen = n;
}

static void schedule(struct cmos *cmos)
{
	struct clock *clock = cmos->dev.clock;
	uint64_t crystal, ticks;

	if (divider_runs(cmos))
		timer_arm(clock, &cmos->second, cmos->next_second);
	else
		timer_cancel(clock, &cmos->second);
	if (!period(cmos) || !(cmos->cell[REG_B] & B_PIE)) {
		timer_cancel(clock, &cmos->period);
		return;
	}
	crystal = (cmos->periods_seen + 1) * period(cmos);
	ticks = clock_scale(crystal, CLOCK_HZ, CRYSTAL_HZ);
	if (clock_scale(ticks, CRYSTAL_HZ, CLOCK_HZ) < crystal)
		ticks++;
	timer_arm(clock, &cmos->period, cmos->divider_start + ticks);
}

static void cmos_period(void *owner)
{
	struct cmos *cmos = owner;

	sync_period(cmos);
	update_irq(cmos);
	schedule(cmos);
}

static void cmos_second(void *owner)
{
	struct cmos *cmos = owner;

	cmos->next_second += CLOCK_HZ;
	if (!(cmos->cell[REG_B] & B_SET)) {
		add_second(cmos);
		cmos->cell[REG_C] |= C_UF;
		if (alarm_matches(cmos))
			cmos->cell[REG_C] |= C_AF;
		update_irq(cmos);
	}
	schedule(cmos);
}

static uint8_t read_a(const struct cmos *cmos)
{
	bool soon = divider_runs(cmos) && !(cmos->cell[REG_B] & B_SET) &&
		clock_now(cmos->dev.clock) + UIP_TICKS >= cmos->next_second;

	return (uint8_t)((cmos->cell[REG_A] & ~A_UIP) | (soon ? A_UIP : 0));
}

static uint8_t read_cell(struct cmos *cmos)
{
	uint8_t value = cmos->cell[cmos->index];

	if (cmos->index == REG_A)
		return read_a(cmos);
	if (cmos->index == REG_C) {
		sync_period(cmos);
		update_irq(cmos);
		value = cmos->cell[REG_C];
		cmos->cell[REG_C] = 0;
		update_irq(cmos);
		schedule(cmos);
	}
	return value;
}

/* A divider that leaves reset makes its first update half a second later. [MC146818] "Divider Control" */
static void write_a(struct cmos *cmos, uint8_t value)
{
	bool ran = divider_runs(cmos);
	uint64_t now = clock_now(cmos->dev.clock);

	sync_period(cmos);
	cmos->cell[REG_A] = value & ~A_UIP;
	if (!ran && divider_runs(cmos)) {
		cmos->next_second = now + CLOCK_HZ / 2;
		cmos->divider_start = now;
	}
	cmos->periods_seen = period(cmos) ? periods_now(cmos) : 0;
	update_irq(cmos);
	schedule(cmos);
}

static void write_cell(struct cmos *cmos, uint8_t value)
{
	switch (cmos->index) {
	case REG_A:
		write_a(cmos, value);
		break;
	case REG_B:
		sync_period(cmos);
		cmos->cell[REG_B] = value & B_SET ? value & ~B_UIE : value;
		update_irq(cmos);
		schedule(cmos);
		break;
	case REG_C:
	case REG_D:
		break;                     /* read only */
	default:
		cmos->cell[cmos->index] = value;
	}
}

static uint8_t cmos_read(struct device *dev, uint16_t offset)
{
	return offset == 1 ? read_cell((struct cmos *)dev) : 0xff;
}

static void cmos_write(struct device *dev, uint16_t offset, uint8_t value)
{
	struct cmos *cmos = (struct cmos *)dev;

	if (offset == 0) {
		cmos->index = value & 0x7f;
		cmos->nmi_masked = value >> 7;
		irq_set(&cmos->nmi_enable, !cmos->nmi_masked);
	} else if (offset == 1)
		write_cell(cmos, value);
}

static uint32_t cmos_io_read(struct device *dev, uint16_t offset, unsigned size)
{
	return bytewise_read(dev, offset, size, cmos_read);
}

static void cmos_io_write(struct device *dev, uint16_t offset, unsigned size, uint32_t value)
{
	bytewise_write(dev, offset, size, value, cmos_write);
}

/* The battery keeps date and memory; RESET# only takes the interrupts away. [MC146818] "RESET" */
static void cmos_reset(struct device *dev)
{
	struct cmos *cmos = (struct cmos *)dev;

	sync_period(cmos);
	cmos->index = 0;
	cmos->nmi_masked = 0;          /* as firmware leaves it */
	irq_set(&cmos->nmi_enable, 1);
	cmos->cell[REG_B] &= ~(B_PIE | B_AIE | B_UIE | 0x08);
	cmos->cell[REG_C] = 0;
	update_irq(cmos);
	schedule(cmos);
}

static void cmos_restored(struct device *dev)
{
	struct cmos *cmos = (struct cmos *)dev;
	uint64_t now = clock_now(cmos->dev.clock);

	cmos->index &= 0x7f;
	cmos->nmi_masked = !!cmos->nmi_masked;
	irq_set(&cmos->nmi_enable, !cmos->nmi_masked);
	if (divider_runs(cmos) && (cmos->next_second < now || cmos->next_second > now + CLOCK_HZ))
		cmos->next_second = now + CLOCK_HZ;
	if (cmos->divider_start > now)
		cmos->divider_start = now;
	if (period(cmos) && cmos->periods_seen > periods_now(cmos))
		cmos->periods_seen = periods_now(cmos);
	if (cmos->cell[REG_B] & B_PIE)
		sync_period(cmos);
	cmos->cell[REG_A] &= ~A_UIP;
	update_irq(cmos);
	schedule(cmos);
}

/* Days since 1970-01-01 to the cells; plain counting, done once. */
static void set_date(struct cmos *cmos, uint64_t days)
{
	unsigned year = 1970, month = 1;

	cmos->cell[WEEKDAY] = (uint8_t)((days + 4) % 7 + 1);               /* that day was a Thursday */
	for (;;) {
		bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
		unsigned length = leap ? 366 : 365;

		if (days < length)
			break;
		days -= length;
		year++;
	}
	for (unsigned length; month < 12; month++) {
		length = days_in_month(month, year);
		if (days < length)
			break;
		days -= length;
	}
	cmos->cell[DAY] = encode(cmos, (unsigned)days + 1);
	cmos->cell[MONTH] = encode(cmos, month);
	cmos->cell[YEAR] = encode(cmos, year % 100);
	cmos->cell[CENTURY] = encode(cmos, year / 100);
}

/* The sum of cells 0x10-0x2d, which operating systems and firmware check. */
static void set_checksum(struct cmos *cmos)
{
	unsigned sum = 0;

	for (unsigned i = 0x10; i <= 0x2d; i++)
		sum += cmos->cell[i];
	cmos->cell[0x2e] = (uint8_t)(sum >> 8);
	cmos->cell[0x2f] = (uint8_t)sum;
}

static void set_cell16(struct cmos *cmos, uint8_t index, uint64_t value, uint64_t most)
{
	value = value < most ? value : most;
	cmos->cell[index] = (uint8_t)value;
	cmos->cell[index + 1] = (uint8_t)(value >> 8);
}

void cmos_set_memory(struct cmos *cmos, uint64_t bytes)
{
	uint64_t above_1m = bytes > 1 << 20 ? (bytes - (1 << 20)) >> 10 : 0;               /* in KB */
	uint64_t above_16m = bytes > 16 << 20 ? (bytes - (16 << 20)) >> 16 : 0;             /* in 64 KB */

	set_cell16(cmos, 0x15, 640, 640);
	set_cell16(cmos, 0x17, above_1m, 0xffff);
	set_cell16(cmos, 0x30, above_1m, 0xffff);
	set_cell16(cmos, 0x34, above_16m, 0xffff);
	set_checksum(cmos);
}

static const struct reg_desc cmos_regs[] = {
	REG(struct cmos, index, "cell selected by port 0x70"), REG(struct cmos, nmi_masked, "NMIs are masked"),
	REG_ARRAY(struct cmos, cell, "the 128 bytes behind port 0x71"),
	REG(struct cmos, next_second, "clock tick of the next update"),
	REG(struct cmos, divider_start, "clock tick when the divider left reset"),
	REG(struct cmos, periods_seen, "periodic events accounted for"),
	{0} };

static const struct device_ops cmos_ops = { .name = "cmos", .state_version = 1, .regs = cmos_regs, .reset = cmos_reset,
	.io_read = cmos_io_read, .io_write = cmos_io_write, .restored = cmos_restored };

void cmos_init(struct cmos *cmos, struct clock *clock, uint64_t start_unix_seconds)
{
	uint64_t now = clock_now(clock), day = start_unix_seconds % 86400, most = 253402300799ull;       /* the year 9999 */

	if (start_unix_seconds > most)
		start_unix_seconds = most;
	*cmos = (struct cmos){ .dev = { .ops = &cmos_ops, .clock = clock }, .next_second = now + CLOCK_HZ, .divider_start = now };
	timer_init(&cmos->second, "cmos second", cmos_second, cmos);
	timer_init(&cmos->period, "cmos period", cmos_period, cmos);
	cmos->cell[REG_A] = A_RUN | 6;
	cmos->cell[REG_B] = B_24H;
	cmos->cell[REG_D] = D_VRT;
	cmos->cell[SECONDS] = encode(cmos, day % 60);
	cmos->cell[MINUTES] = encode(cmos, day / 60 % 60);
	cmos->cell[HOURS] = encode(cmos, (unsigned)(day / 3600));
	set_date(cmos, start_unix_seconds / 86400);
	cmos_reset(&cmos->dev);
}
