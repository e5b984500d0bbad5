/* devices/acpi_pm.h: the power management block of the PIIX4, and two older ways to switch a virtual PC off.
 *
 *   offset 0x00  port 0x600  PM1a status   0 timer overflowed, 8 power button; writing 1 clears
 *   offset 0x02  port 0x602  PM1a enable   the same bits -> dev.irq, the SCI (IRQ9), while SCI_EN
 *   offset 0x04  port 0x604  PM1a control  13 SLP_EN  12-10 SLP_TYP (0: soft off)  0 SCI_EN
 *   offset 0x08  port 0x608  PM timer      24 bits at 3.579545 MHz, read only
 *   offset 0x40  port 0xb004               the PM1a control of older virtual boards: SLP_EN switches off
 *   offset 0x50  port 0x8900               the letters "Shutdown", one by one
 *
 * References: [ACPI] "PM1 Event Grouping", "PM1 Control Registers", "Power Management Timer"; [PIIX4] "PMCNTRL".
 * Not implemented: sleeping states other than soft off, general-purpose events, SMI.
 */
#ifndef DEVICES_ACPI_PM_H
#define DEVICES_ACPI_PM_H

#include "devices/device.h"

#define ACPI_PM_SIZE      0x40             /* ports of the PCI window; pci_firmware_setup() puts it at 0x600 */
#define ACPI_PM_OLD_PORT  0xb004           /* 2 ports at offset 0x40 */
#define ACPI_PM_OLD_OFFSET 0x40
#define SHUTDOWN_PORT     0x8900           /* 1 port at offset 0x50 */
#define SHUTDOWN_OFFSET   0x50

struct acpi_pm {
	struct device dev;                 /* dev.irq is the SCI */
	void (*power_off)(void *owner);    /* the guest has switched the machine off; acts after the instruction */
	void *owner;
	uint16_t status, enable, control, old_control;
	uint8_t letters;                   /* of "Shutdown" seen so far */
	uint64_t halves_seen;              /* half periods of the timer already in status */
	struct timer overflow;
};

void acpi_pm_init(struct acpi_pm *pm, struct clock *clock, void (*power_off)(void *owner), void *owner);
void acpi_pm_power_button(struct acpi_pm *pm);

#endif
