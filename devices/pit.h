/* devices/pit.h: the 8254 interval timer, and the PC's port 0x61 that gates and reads its channel 2.
 *
 *   offset 0-2  ports 0x40-0x42  count of channel 0-2    write: new count     read: count, latched count or status
 *   offset 3    port 0x43        control word            read: 0xff
 *        7 6      5 4       3 2 1    0
 *      +--------+---------+--------+-----+     channel 3 is the read-back command,
 *      | channel| access  |  mode  | BCD |     access 0 latches the count, 1 low byte, 2 high byte, 3 low then high
 *      +--------+---------+--------+-----+
 *   offset 4    port 0x61        bit 0 gate of channel 2, bit 1 speaker, bit 4 refresh toggle, bit 5 OUT of channel 2
 *
 *   OUT of channel 0 -> dev.irq. The gates of channels 0 and 1 are tied high. The clock is 1193182 Hz.
 *
 * Nothing counts: a channel remembers when its count was loaded, and the count and OUT follow from the virtual clock.
 *
 * References: [8254] "Mode Definitions", "Read-Back Command"; [PIIX3] "NMI Status and Control Register".
 * Not implemented: sound; the NMI sources of port 0x61 (bits 6 and 7 read 0).
 */
#ifndef DEVICES_PIT_H
#define DEVICES_PIT_H

#include "devices/device.h"

#define PIT_HZ 1193182ull

struct pit_channel {
	uint8_t control;           /* bits 5-0 of the control word: access, mode, BCD */
	uint8_t gate;
	uint8_t write_high;        /* the next byte written is the second of a pair */
	uint8_t read_high;
	uint8_t low;               /* the first byte of that pair */
	uint8_t latched;           /* bytes of the latched count still to be read */
	uint8_t status_latched;
	uint8_t status;
	uint16_t latch;

	uint8_t loaded;            /* a count was, or at `since` will be, loaded into the counting element */
	uint8_t counting;
	uint8_t pending;           /* next waits in the count register */
	uint8_t low_half;          /* mode 3: the cycle that began at position 0 began with OUT low */
	uint8_t out_before;        /* OUT and count until loaded, and until `since` */
	uint16_t count_before;
	uint32_t count;            /* 1 .. 65536 (10000 in BCD) */
	uint32_t next;
	uint64_t since;            /* PIT tick from which `position` runs on, when counting */
	uint64_t position;         /* clocks counted since the load, at `since` */
	uint64_t switch_at;        /* modes 2 and 3: the position where a pending count is taken over */
};

struct pit {
	struct device dev;
	struct pit_channel channel[3];
	uint8_t port61;            /* bits 3-0 as written */
	uint8_t out0;              /* level of dev.irq */
	struct timer edge;         /* the next change of channel 0's OUT */
};

void pit_init(struct pit *pit, struct clock *clock);
/* OUT of channel 2 through the speaker gate, for whoever makes sound. */
bool pit_speaker(const struct pit *pit);

#endif
