/* guestos/drivers/poweroff.c: switch the machine off.
 *
 * ACPI describes where the power-management register is; reading that description needs an interpreter, so the well-known places
 * of the PC emulators are tried in turn: PIIX4 PM1a control on QEMU (0x604) and on older ones (0xB004), Bochs' shutdown port. On a
 * machine that has none of them the processor halts. References: [ACPI 4.8.3.2 "PM1 Control Registers"] SLP_EN is bit 13. */
#include "dev.h"
#include "x86.h"

void power_off(void)
{
	outw(0x604, 0x2000);
	outw(0xb004, 0x2000);
	for (const char *p = "Shutdown"; *p; p++)
		outb(0x8900, *p);
	for (int i = 0; i < 100000; i++)       /* the power does not go at once */
		inb(0x64);
	printk("It is now safe to turn off the machine.\n");
	for (;;) {
		cli();
		halt();
	}
}
