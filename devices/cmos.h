/* devices/cmos.h: MC146818 clock and the PC's CMOS memory, ports 0x70-0x71.
 *
 *   offset 0   write: index[6:0], bit 7 masks NMI     read: 0xff
 *   offset 1   write: cell[index]                     read: cell[index]
 *
 *   cell 0 seconds  2 minutes  4 hours    1, 3, 5 their alarms (0xc0 and above: any)
 *        6 day of the week (1 Sunday)  7 day  8 month  9 year  0x32 century
 *       0x0a  UIP | divider[6:4] | periodic rate[3:0]       0x0b  SET PIE AIE UIE SQWE binary 24h DSE
 *       0x0c  IRQF PF AF UF, cleared by the read            0x0d  VRT: the battery is good
 *       0x0e-0x7f  memory: what the firmware of a PC leaves for the operating system
 *
 *   IRQF -> dev.irq, !(bit 7 of port 0x70) -> nmi_enable. The clock starts at a date given at creation and runs on virtual time, so that a run repeats.
 *
 * References: [MC146818] "Address Map", "Registers", "Interrupts", "Update Cycle"; [PIIX3] "RTC Registers".
 * Simplified: UIP is up for 2228 us, and the cells change at its end. Not implemented: the square wave, daylight saving, the
 * second bank of 128 cells (ports 0x72-0x73).
 */
#ifndef DEVICES_CMOS_H
#define DEVICES_CMOS_H

#include "devices/device.h"

#define CMOS_START_2026 1767225600ull      /* 2026-01-01 00:00:00 in seconds since 1970 */

struct cmos {
	struct device dev;
	uint8_t index;
	uint8_t nmi_masked;        /* bit 7 of port 0x70 */
	uint8_t cell[128];
	uint64_t next_second;      /* clock tick of the next update */
	uint64_t divider_start;    /* clock tick when the divider chain last left reset */
	uint64_t periods_seen;     /* periodic events up to here are in PF or were read */
	struct timer second, period;
	struct irq_line nmi_enable;        /* 1: NMIs may pass */
};

void cmos_init(struct cmos *cmos, struct clock *clock, uint64_t start_unix_seconds);
/* Fills in the cells where firmware says how much memory there is. */
void cmos_set_memory(struct cmos *cmos, uint64_t bytes);

#endif
