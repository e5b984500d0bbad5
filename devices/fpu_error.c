/* devices/fpu_error.c: x87 errors as an interrupt; the ports are in the header. */
#include "devices/fpu_error.h"
#include "devices/bytewise.h"

static void drive(struct fpu_error *f)
{
	irq_set(&f->dev.irq, f->latched);
	irq_set(&f->ignne, f->ignoring);
}

void fpu_error_set(struct fpu_error *f, bool ferr)
{
	f->latched |= ferr && !f->ferr;
	f->ignoring &= ferr;
	f->ferr = ferr;
	drive(f);
}

static uint8_t fpu_error_read(struct device *dev, uint16_t offset)
{
	(void)dev, (void)offset;
	return 0xff;
}

static void fpu_error_write(struct device *dev, uint16_t offset, uint8_t value)
{
	struct fpu_error *f = (struct fpu_error *)dev;

	(void)value;
	if (offset != 0)
		return;
	f->latched = 0;
	f->ignoring = f->ferr;
	drive(f);
}

static uint32_t fpu_error_io_read(struct device *dev, uint16_t offset, unsigned size)
{
	return bytewise_read(dev, offset, size, fpu_error_read);
}

static void fpu_error_io_write(struct device *dev, uint16_t offset, unsigned size, uint32_t value)
{
	bytewise_write(dev, offset, size, value, fpu_error_write);
}

static void fpu_error_reset(struct device *dev)
{
	struct fpu_error *f = (struct fpu_error *)dev;

	f->ferr = f->latched = f->ignoring = 0;
	drive(f);
}

static void fpu_error_restored(struct device *dev)
{
	struct fpu_error *f = (struct fpu_error *)dev;

	f->ferr = !!f->ferr;
	f->latched = !!f->latched;
	f->ignoring = f->ignoring && f->ferr;
	drive(f);
}

static const struct reg_desc fpu_error_regs[] = { REG(struct fpu_error, ferr, "the processor's FERR#"),
	REG(struct fpu_error, latched, "IRQ 13"), REG(struct fpu_error, ignoring, "IGNNE#"), {0} };

static const struct device_ops fpu_error_ops = { .name = "fpu-error", .state_version = 1, .regs = fpu_error_regs, .reset = fpu_error_reset,
	.io_read = fpu_error_io_read, .io_write = fpu_error_io_write, .restored = fpu_error_restored };

void fpu_error_init(struct fpu_error *f)
{
	*f = (struct fpu_error){ .dev.ops = &fpu_error_ops };
}
