/* devices/fpu_error.h: how a PC reports an x87 error as an interrupt, port 0xf0.
 *
 *   FERR# -> latch -> IRQ 13         offset 0   write: clears the latch, and tells the processor to go on (IGNNE#)
 *     |                              offset 1   write: nothing here; on an AT it reset the coprocessor
 *     `--> IGNNE# is held only while FERR# is
 *
 * An operating system that leaves CR0.NE clear gets x87 errors this way. Its handler writes to the port, so that it can run
 * x87 instructions itself before it has cleared the error; clearing the error ends both signals.
 * References: [SDM1 8.7.2 "MS-DOS* Compatibility Sub-mode"], [PIIX3] "Coprocessor Error Register".
 */
#ifndef DEVICES_FPU_ERROR_H
#define DEVICES_FPU_ERROR_H

#include "devices/device.h"

#define FPU_ERROR_PORT  0xf0
#define FPU_ERROR_PORTS 2

struct fpu_error {
	struct device dev;         /* irq: the latch */
	struct irq_line ignne;
	uint8_t ferr, latched, ignoring;
};

void fpu_error_init(struct fpu_error *f);
/* The processor's FERR# pin: 1 while an error waits. */
void fpu_error_set(struct fpu_error *f, bool ferr);

#endif
