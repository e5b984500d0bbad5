/* devices/pic.c: 8259A pair; the data sheet is in the header. */
#include "devices/pic.h"
#include "devices/bytewise.h"

#define CASCADE 2u
#define NO_LINE 8u

#define ICW1_IC4   0x01
#define ICW1_SNGL  0x02
#define ICW1_INIT  0x10
#define ICW4_8086  0x01
#define ICW4_AEOI  0x02
#define ICW4_SFNM  0x10
#define OCW3_FLAG  0x08
#define OCW3_POLL  0x04

/* The set line of highest priority, or NO_LINE. */
static unsigned highest(const struct pic_chip *c, uint8_t lines)
{
	for (unsigned i = 1; i <= 8; i++) {
		unsigned line = (c->lowest + i) & 7;

		if (lines >> line & 1)
			return line;
	}
	return NO_LINE;
}

/* 0 is the highest priority, 7 the lowest, 8 none. */
static unsigned rank(const struct pic_chip *c, unsigned line)
{
	return line == NO_LINE ? 8 : (line - c->lowest - 1) & 7;
}

/* The line that makes the INT output high, or NO_LINE: it must outrank everything in service. */
static unsigned pending(const struct pic_chip *c, bool first)
{
	uint8_t in_service = c->isr;
	unsigned line = highest(c, c->irr & ~c->imr);

	if (c->special_mask)
		in_service &= ~c->imr;
	/* Special fully nested: the second chip may interrupt its own handler. [8259A] "Special Fully Nested Mode" */
	if (c->special_nested && first)
		in_service &= ~(1u << CASCADE);
	return rank(c, line) < rank(c, highest(c, in_service)) ? line : NO_LINE;
}

/* An edge latches a request, which lasts only as long as the line stays high: let go before the acknowledge, it becomes
 * a spurious interrupt. A level line simply is its request. */
static void chip_set_line(struct pic_chip *c, unsigned line, int level)
{
	uint8_t bit = (uint8_t)(1u << line);

	if (!level)
		c->irr &= ~bit;
	else if ((c->elcr & bit) || !(c->lines & bit))
		c->irr |= bit;
	c->lines = level ? c->lines | bit : c->lines & ~bit;
}

static void pic_update(struct pic *pic)
{
	uint8_t intr;

	chip_set_line(&pic->chip[0], CASCADE, pending(&pic->chip[1], false) != NO_LINE);
	intr = pending(&pic->chip[0], true) != NO_LINE;
	if (intr != pic->intr) {
		pic->intr = intr;
		irq_set(&pic->dev.irq, intr);
	}
}

void pic_set_irq(void *owner, unsigned line, int level)
{
	struct pic *pic = owner;

	if (line >= 16 || line == CASCADE)
		return;
	chip_set_line(&pic->chip[line >> 3], line & 7, level);
	pic_update(pic);
}

static void take(struct pic_chip *c, unsigned line)
{
	uint8_t bit = (uint8_t)(1u << line);

	if (!(c->elcr & bit))
		c->irr &= ~bit;
	if (!c->auto_eoi)
		c->isr |= bit;
	else if (c->rotate_on_auto_eoi)
		c->lowest = (uint8_t)line;
}

int pic_acknowledge(struct pic *pic)
{
	struct pic_chip *first = &pic->chip[0], *second = &pic->chip[1];
	unsigned line = pending(first, true);
	int vector;

	if (line == NO_LINE) {
		vector = first->vector + 7;
	} else if (line == CASCADE && !(first->icw1 & ICW1_SNGL)) {
		take(first, CASCADE);
		line = pending(second, false);
		vector = second->vector + 7;
		if (line != NO_LINE) {
			take(second, line);
			vector = second->vector + (int)line;
		}
		/* INT falls with the acknowledge, so that a further request makes a new edge. */
		chip_set_line(first, CASCADE, 0);
	} else {
		take(first, line);
		vector = first->vector + (int)line;
	}
	pic_update(pic);
	return vector;
}

static void write_icw1(struct pic_chip *c, uint8_t value)
{
	*c = (struct pic_chip){ .lines = c->lines, .elcr = c->elcr, .vector = c->vector,
		.icw1 = value, .icw = 2, .lowest = 7, .irr = c->lines & c->elcr };
}

static void write_icw(struct pic *pic, struct pic_chip *c, uint8_t value)
{
	switch (c->icw) {
	case 2:
		c->vector = value & 0xf8;
		c->icw = !(c->icw1 & ICW1_SNGL) ? 3 : c->icw1 & ICW1_IC4 ? 4 : 0;
		return;
	case 3:
		if (value != (c == &pic->chip[0] ? 1u << CASCADE : CASCADE))
			device_log(&pic->dev, LOG_UNIMPL, "ICW3 %#04x: the second chip is on line 2", value);
		c->icw = c->icw1 & ICW1_IC4 ? 4 : 0;
		return;
	default:
		if (!(value & ICW4_8086))
			device_log(&pic->dev, LOG_UNIMPL, "ICW4 %#04x: MCS-80/85 mode", value);
		c->auto_eoi = !!(value & ICW4_AEOI);
		c->special_nested = !!(value & ICW4_SFNM);
		c->icw = 0;
	}
}

/* Non-specific EOI leaves alone what special mask mode hides. [8259A] "End of Interrupt" */
static unsigned in_service(const struct pic_chip *c)
{
	return highest(c, c->special_mask ? c->isr & ~c->imr : c->isr);
}

static void write_ocw2(struct pic_chip *c, uint8_t value)
{
	bool rotate = value & 0x80, specific = value & 0x40, eoi = value & 0x20;
	unsigned line = specific ? value & 7u : in_service(c);

	if (!eoi && !specific) {
		c->rotate_on_auto_eoi = rotate;
		return;
	}
	if (line == NO_LINE)
		return;
	if (eoi)
		c->isr &= ~(1u << line);
	if (rotate)
		c->lowest = (uint8_t)line;
}

static void write_ocw3(struct pic_chip *c, uint8_t value)
{
	if (value & 0x40)
		c->special_mask = value >> 5 & 1;
	c->poll = !!(value & OCW3_POLL);
	if (value & 0x02)
		c->read_isr = value & 1;
}

static void pic_write(struct device *dev, uint16_t offset, uint8_t value)
{
	struct pic *pic = (struct pic *)dev;
	struct pic_chip *c = &pic->chip[offset >> 1 & 1];

	if (offset == 4 || offset == 5) {
		c = &pic->chip[offset - 4];
		c->elcr = value & (offset == 4 ? 0xf8 : 0xde);
		c->irr |= c->lines & c->elcr;
	} else if (offset > 5) {
		return;
	} else if (offset & 1) {
		if (c->icw)
			write_icw(pic, c, value);
		else
			c->imr = value;
	} else if (value & ICW1_INIT) {
		write_icw1(c, value);
	} else if (value & OCW3_FLAG) {
		write_ocw3(c, value);
	} else {
		write_ocw2(c, value);
	}
	pic_update(pic);
}

/* The read after a poll command is an acknowledge without the processor. [8259A] "Poll Command" */
static uint8_t read_poll(struct pic *pic, struct pic_chip *c)
{
	bool first = c == &pic->chip[0];
	unsigned line = pending(c, first);

	c->poll = 0;
	if (line == NO_LINE)
		return 0;
	take(c, line);
	if (!first)
		chip_set_line(&pic->chip[0], CASCADE, 0);
	pic_update(pic);
	return (uint8_t)(0x80 | line);
}

static uint8_t pic_read(struct device *dev, uint16_t offset)
{
	struct pic *pic = (struct pic *)dev;
	struct pic_chip *c = &pic->chip[offset >> 1 & 1];

	if (offset == 4 || offset == 5)
		return pic->chip[offset - 4].elcr;
	if (offset > 5)
		return 0xff;
	if (c->poll)
		return read_poll(pic, c);
	if (offset & 1)
		return c->imr;
	return c->read_isr ? c->isr : c->irr;
}

static uint32_t pic_io_read(struct device *dev, uint16_t offset, unsigned size)
{
	return bytewise_read(dev, offset, size, pic_read);
}

static void pic_io_write(struct device *dev, uint16_t offset, unsigned size, uint32_t value)
{
	bytewise_write(dev, offset, size, value, pic_write);
}

/* The chips have no reset pin; this is power-on. Firmware or a kernel has to program them. */
static void pic_reset(struct device *dev)
{
	struct pic *pic = (struct pic *)dev;

	*pic = (struct pic){ .dev = pic->dev, .chip = {
		{ .lowest = 7, .imr = 0xff, .lines = pic->chip[0].lines & ~(1u << CASCADE) },
		{ .lowest = 7, .imr = 0xff, .lines = pic->chip[1].lines } } };
	irq_set(&pic->dev.irq, 0);
}

static void pic_restored(struct device *dev)
{
	struct pic *pic = (struct pic *)dev;

	for (unsigned i = 0; i < 2; i++) {
		pic->chip[i].lowest &= 7;
		pic->chip[i].vector &= 0xf8;
		if (pic->chip[i].icw > 4)
			pic->chip[i].icw = 0;
	}
	pic->intr = !!pic->intr;
	irq_set(&pic->dev.irq, pic->intr);
}

#define CHIP(n) \
	REG(struct pic, chip[n].irr, "requests"), \
	REG(struct pic, chip[n].isr, "in service"), \
	REG(struct pic, chip[n].imr, "masked lines"), \
	REG(struct pic, chip[n].lines, "levels at the pins"), \
	REG(struct pic, chip[n].elcr, "level-triggered lines"), \
	REG(struct pic, chip[n].vector, "vector of line 0"), \
	REG(struct pic, chip[n].icw, "initialisation word awaited"), \
	REG(struct pic, chip[n].icw1, "ICW1 as written"), \
	REG(struct pic, chip[n].auto_eoi, "automatic end of interrupt"), \
	REG(struct pic, chip[n].rotate_on_auto_eoi, "rotate on automatic end of interrupt"), \
	REG(struct pic, chip[n].special_mask, "special mask mode"), \
	REG(struct pic, chip[n].special_nested, "special fully nested mode"), \
	REG(struct pic, chip[n].read_isr, "offset 0 reads ISR"), \
	REG(struct pic, chip[n].poll, "the next read polls"), \
	REG(struct pic, chip[n].lowest, "line of lowest priority")

static const struct reg_desc pic_regs[] = { CHIP(0), CHIP(1), REG(struct pic, intr, "level of INTR"), {0} };

static const struct device_ops pic_ops = { .name = "pic", .state_version = 1, .regs = pic_regs, .reset = pic_reset,
	.io_read = pic_io_read, .io_write = pic_io_write, .restored = pic_restored };

void pic_init(struct pic *pic)
{
	*pic = (struct pic){ .dev.ops = &pic_ops };
	pic_reset(&pic->dev);
}
