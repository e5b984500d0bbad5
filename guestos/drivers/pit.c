/* guestos/drivers/pit.c: 8254 counter 0 interrupts HZ times a second. The PIT counts at 1193182 Hz.
 *
 * References: [8254] "Programming the 8254", "Mode 2: Rate Generator". */
#include "dev.h"
#include "x86.h"

#define COUNTER0 0x40
#define CONTROL  0x43
#define RATE_GENERATOR 0x34    /* counter 0, low then high byte, mode 2, binary */

void pit_init(void)
{
	uint32_t divisor = (1193182 + HZ / 2) / HZ;
	outb(CONTROL, RATE_GENERATOR);
	outb(COUNTER0, divisor);
	outb(COUNTER0, divisor >> 8);
	pic_unmask(0);
}
