/* devices/port92.c: system control port A; the data sheet is in the header. */
#include "devices/port92.h"
#include "devices/bytewise.h"

#define FAST_RESET 0x01
#define A20_OPEN   0x02

static uint8_t port92_read(struct device *dev, uint16_t offset)
{
	return offset == 0 ? ((struct port92 *)dev)->value : 0xff;
}

static void port92_write(struct device *dev, uint16_t offset, uint8_t value)
{
	struct port92 *p = (struct port92 *)dev;
	bool reset = value & ~p->value & FAST_RESET;

	if (offset != 0)
		return;
	p->value = value & (FAST_RESET | A20_OPEN);
	irq_set(&p->a20, !!(value & A20_OPEN));
	if (reset) {
		irq_set(&p->reset, 1);
		irq_set(&p->reset, 0);
	}
}

static uint32_t port92_io_read(struct device *dev, uint16_t offset, unsigned size)
{
	return bytewise_read(dev, offset, size, port92_read);
}

static void port92_io_write(struct device *dev, uint16_t offset, unsigned size, uint32_t value)
{
	bytewise_write(dev, offset, size, value, port92_write);
}

static void port92_reset(struct device *dev)
{
	struct port92 *p = (struct port92 *)dev;

	*p = (struct port92){ .dev = p->dev, .a20 = p->a20, .reset = p->reset };
	irq_set(&p->a20, 0);
}

static void port92_restored(struct device *dev)
{
	struct port92 *p = (struct port92 *)dev;

	p->value &= FAST_RESET | A20_OPEN;
	irq_set(&p->a20, !!(p->value & A20_OPEN));
}

static const struct reg_desc port92_regs[] = { REG(struct port92, value, "A20 and fast reset"), {0} };

static const struct device_ops port92_ops = { .name = "port92", .state_version = 1, .regs = port92_regs, .reset = port92_reset,
	.io_read = port92_io_read, .io_write = port92_io_write, .restored = port92_restored };

void port92_init(struct port92 *p)
{
	*p = (struct port92){ .dev.ops = &port92_ops };
}
