/* devices/port92.h: system control port A, port 0x92.
 *
 *   offset 0   bit 1 A20 open, bit 0 resets the processor when it goes from 0 to 1
 *
 * The board ORs this A20 with the keyboard controller's, so that either opens it.
 * References: [PIIX3] "Port 92 Register".
 */
#ifndef DEVICES_PORT92_H
#define DEVICES_PORT92_H

#include "devices/device.h"

struct port92 {
	struct device dev;
	struct irq_line a20, reset;
	uint8_t value;
};

void port92_init(struct port92 *p);

#endif
