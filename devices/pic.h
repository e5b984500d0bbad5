/* devices/pic.h: the pair of 8259A interrupt controllers of a PC, and the edge/level registers of the PIIX3.
 *
 *   offset 0  port 0x20  first chip    write: ICW1, OCW2, OCW3     read: IRR or ISR as OCW3 chose, or the poll word
 *   offset 1  port 0x21                write: ICW2-4, else OCW1    read: IMR
 *   offset 2  port 0xa0  second chip   as offset 0
 *   offset 3  port 0xa1                as offset 1
 *   offset 4  port 0x4d0 ELCR1         bit n: line n is level triggered (0, 1 and 2 stay edge)
 *   offset 5  port 0x4d1 ELCR2         bit n: line 8 + n is level triggered (8 and 13 stay edge)
 *
 *   lines 8-15 -> second chip --INT--> line 2 of the first chip --INT--> dev.irq, the processor's INTR
 *
 * References: [8259A] "Initialization Command Words", "Operation Command Words"; [PIIX3] "ELCR1", "ELCR2".
 * Not implemented: MCS-80/85 call mode, buffered mode, ICW1.LTIM (as in the PIIX3, ELCR takes its place),
 * cascades other than line 2.
 */
#ifndef DEVICES_PIC_H
#define DEVICES_PIC_H

#include "devices/device.h"

struct pic_chip {
	uint8_t irr, isr, imr;
	uint8_t lines;             /* levels at the pins */
	uint8_t elcr;
	uint8_t vector;            /* ICW2: bits 7-3 of the vector */
	uint8_t icw;               /* 0, or the number of the next initialisation word */
	uint8_t icw1;
	uint8_t auto_eoi, rotate_on_auto_eoi;
	uint8_t special_mask, special_nested;
	uint8_t read_isr, poll;
	uint8_t lowest;            /* the line with the lowest priority; the one after it has the highest */
};

struct pic {
	struct device dev;
	struct pic_chip chip[2];
	uint8_t intr;              /* level of the INTR wire */
};

void pic_init(struct pic *pic);
/* Has the signature of irq_line.set: owner is the struct pic, line 0-15. */
void pic_set_irq(void *owner, unsigned line, int level);
/* The processor's interrupt acknowledge cycle: the vector. With nothing pending it is the spurious line 7. */
int pic_acknowledge(struct pic *pic);
static inline bool pic_intr(const struct pic *pic) { return pic->intr; }

#endif
