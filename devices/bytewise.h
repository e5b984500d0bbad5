/* devices/bytewise.h: for a device whose registers are bytes: wide accesses become byte accesses, lowest port first. */
#ifndef DEVICES_BYTEWISE_H
#define DEVICES_BYTEWISE_H

#include "devices/device.h"

static inline uint32_t bytewise_read(struct device *dev, uint16_t offset, unsigned size,
                                     uint8_t (*read)(struct device *dev, uint16_t offset))
{
	uint32_t value = 0;

	for (unsigned i = 0; i < size && i < 4; i++)
		value |= (uint32_t)read(dev, (uint16_t)(offset + i)) << 8 * i;
	return value;
}

static inline void bytewise_write(struct device *dev, uint16_t offset, unsigned size, uint32_t value,
                                  void (*write)(struct device *dev, uint16_t offset, uint8_t value))
{
	for (unsigned i = 0; i < size && i < 4; i++)
		write(dev, (uint16_t)(offset + i), (uint8_t)(value >> 8 * i));
}

#endif
