/* devices/ports.c: the 64 K port space: who owns a port, and accesses that straddle owners.
 *
 * An access that lies inside one range goes to its device whole; any other is split into bytes, the way a bridge splits
 * it for an 8-bit device. Nobody's ports float high. [SDM1 19.3 "I/O Address Space"]
 */
#include "devices/device.h"

#include <errno.h>
#include <string.h>

#define PORT_COUNT 0x10000u

void ports_init(struct ports *p)
{
	memset(p, 0, sizeof *p);
}

static unsigned free_range(struct ports *p)
{
	unsigned i;

	for (i = 0; i < p->ranges && p->range[i].dev; i++)
		;
	return i;
}

int ports_add(struct ports *p, struct device *dev, uint16_t base, uint16_t count, uint16_t first_offset, const char **clash)
{
	unsigned i = free_range(p);

	if (count == 0 || base + (unsigned)count > PORT_COUNT)
		return -EINVAL;
	for (unsigned port = base; port < base + (unsigned)count; port++) {
		if (p->owner[port]) {
			if (clash)
				*clash = p->range[p->owner[port] - 1].dev->ops->name;
			return -EEXIST;
		}
	}
	if (i == PORT_RANGES)
		return -ENOSPC;
	p->range[i] = (struct port_range){ .base = base, .count = count, .dev = dev, .first_offset = first_offset };
	if (i == p->ranges)
		p->ranges++;
	memset(p->owner + base, (int)i + 1, count);
	return 0;
}

void ports_remove(struct ports *p, struct device *dev, uint16_t base)
{
	for (unsigned i = 0; i < p->ranges; i++) {
		struct port_range *r = &p->range[i];

		if (r->dev == dev && r->base == base) {
			memset(p->owner + base, 0, r->count);
			*r = (struct port_range){0};
			return;
		}
	}
}

/* The range that holds all of [port, port+size), or NULL. */
static struct port_range *whole_owner(struct ports *p, uint16_t port, unsigned size)
{
	uint8_t owner = p->owner[port];

	if (!owner || port + size > PORT_COUNT)
		return NULL;
	for (unsigned i = 1; i < size; i++)
		if (p->owner[port + i] != owner)
			return NULL;
	return &p->range[owner - 1];
}

static uint32_t size_mask(unsigned size)
{
	return size == 4 ? 0xffffffffu : (1u << 8 * size) - 1;
}

uint32_t ports_read(struct ports *p, uint16_t port, unsigned size)
{
	struct port_range *r = whole_owner(p, port, size);
	uint32_t value = 0;

	if (r && r->dev->ops->io_read) {
		uint16_t offset = (uint16_t)(port - r->base + r->first_offset);

		return r->dev->ops->io_read(r->dev, offset, size) & size_mask(size);
	}
	if (size == 1 || r)
		return size_mask(size);
	for (unsigned i = 0; i < size; i++) {
		uint32_t byte = port + i < PORT_COUNT ? ports_read(p, (uint16_t)(port + i), 1) : 0xff;

		value |= byte << 8 * i;
	}
	return value;
}

void ports_write(struct ports *p, uint16_t port, unsigned size, uint32_t value)
{
	struct port_range *r = whole_owner(p, port, size);

	if (r) {
		uint16_t offset = (uint16_t)(port - r->base + r->first_offset);

		if (r->dev->ops->io_write)
			r->dev->ops->io_write(r->dev, offset, size, value & size_mask(size));
		return;
	}
	if (size == 1)
		return;
	for (unsigned i = 0; i < size && port + i < PORT_COUNT; i++)
		ports_write(p, (uint16_t)(port + i), 1, value >> 8 * i & 0xff);
}
