/* devices/debugport.c: isa-debug-exit and the 0xe9 console. Neither has any state. */
#include "devices/debugport.h"

static const struct reg_desc no_regs[] = { {0} };

static void no_reset(struct device *dev)
{
	(void)dev;
}

static uint32_t exit_read(struct device *dev, uint16_t offset, unsigned size)
{
	(void)dev, (void)offset, (void)size;
	return 0;
}

static void exit_write(struct device *dev, uint16_t offset, unsigned size, uint32_t value)
{
	struct debug_exit *d = (struct debug_exit *)dev;

	(void)offset, (void)size;
	if (d->exit)
		d->exit(d->owner, value);
}

static uint32_t console_read(struct device *dev, uint16_t offset, unsigned size)
{
	(void)dev, (void)size;
	return offset == 0 ? 0xffffff00u | DEBUG_CONSOLE_PORT : 0xffffffffu;
}

static void console_write(struct device *dev, uint16_t offset, unsigned size, uint32_t value)
{
	struct debug_console *d = (struct debug_console *)dev;

	(void)size;
	if (offset == 0 && d->out.put)
		d->out.put(d->out.owner, (uint8_t)value);
}

static const struct device_ops exit_ops = { .name = "isa-debug-exit", .state_version = 1, .regs = no_regs, .reset = no_reset,
	.io_read = exit_read, .io_write = exit_write };
static const struct device_ops console_ops = { .name = "debug-console", .state_version = 1, .regs = no_regs, .reset = no_reset,
	.io_read = console_read, .io_write = console_write };

void debug_exit_init(struct debug_exit *d, void (*exit)(void *owner, uint32_t value), void *owner)
{
	*d = (struct debug_exit){ .dev.ops = &exit_ops, .exit = exit, .owner = owner };
}

void debug_console_init(struct debug_console *d)
{
	*d = (struct debug_console){ .dev.ops = &console_ops };
}
