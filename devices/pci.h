/* devices/pci.h: PCI bus 0 with the i440FX/PIIX3 functions, through configuration mechanism #1.
 *
 *   port       offset  size   what
 *   CF8        0       4      address: 31 enable | 23:16 bus | 15:11 device | 10:8 function | 7:2 register
 *   CF9        1       1      reset control: 2 reset the processor (rising) | 1 hard rather than soft
 *   CFC-CFF    4-7     1,2,4  the register's bytes
 *
 *   00:00.0  8086:1237  i440FX host bridge
 *   00:01.0  8086:7000  PIIX3 PCI-to-ISA bridge
 *   00:01.1  8086:7010  PIIX3 IDE; BAR4: 16 bus master ports
 *   00:01.3  8086:7113  PIIX4 power management; 64 ports at register 40, enabled by register 80
 *
 * A function's ports belong to devices the machine attaches to its window; the window follows the base register
 * and the enable bit, and gives the ports up when either goes away.
 *
 * References: [PCI21 3.2.2.3.2 "Software Generation of Configuration Transactions"], [PCI21 6.2 "Configuration Space
 * Functions"], [I440FX 3.2 "PCI Configuration Space Mapped Registers"], [PIIX3 "PCI Configuration Registers"],
 * [PIIX4 7 "Power Management"].
 * Not implemented: mechanism #2, other buses, interrupt routing (the registers only store), expansion ROMs, status bits.
 * Simplified: address bits 31:16 of an I/O base can be written, as if ports had 32 bits; a base above FFFF maps nothing.
 */
#ifndef DEVICES_PCI_H
#define DEVICES_PCI_H

#include "devices/device.h"

#define PCI_ADDRESS       0        /* offsets of the device's ports */
#define PCI_RESET_CONTROL 1
#define PCI_DATA          4
#define PCI_PORT_BASE  0xcf8
#define PCI_PORT_COUNT 8

#define PCI_FUNCTIONS 4
#define PCI_WINDOW_PARTS 2

enum pci_window_id { PCI_WINDOW_IDE, PCI_WINDOW_PM, PCI_WINDOWS };

/* Part of a window's ports and whose they are. */
struct pci_part {
	struct device *dev;
	uint16_t offset, count;        /* in the window */
	uint16_t first_offset;         /* what dev sees for the first of them */
};

struct pci_window {
	struct pci_part part[PCI_WINDOW_PARTS];
	unsigned parts;
	uint16_t base;                 /* where the ports are now; 0: nowhere */
};

struct pci {
	struct device dev;
	struct ports *ports;
	struct irq_line reset_line;    /* pulsed by port CF9 */
	uint32_t address;
	uint8_t reset_control;
	uint8_t config[PCI_FUNCTIONS][256];
	struct pci_window window[PCI_WINDOWS];
};

extern const struct device_ops pci_ops;

void pci_init(struct pci *pci, struct ports *ports, struct device_log *log);
/* Gives dev the ports [offset, offset + count) of a window, wherever the window is. -ENOSPC when it has its parts. */
int pci_attach(struct pci *pci, enum pci_window_id id, struct device *dev, uint16_t offset, uint16_t count, uint16_t first_offset);
/* What firmware does, for a kernel started without any: BAR4 of IDE at C000 with I/O and bus master on, PM at 600. */
void pci_firmware_setup(struct pci *pci);

#endif
