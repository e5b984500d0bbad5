/* guestos/drivers/pic.c: the pair of 8259A interrupt controllers. IRQ 0-15 become vectors 32-47.
 *
 * References: [8259A] "Initialization Command Words", "Operation Command Words". */
#include "dev.h"
#include "x86.h"

#define MASTER 0x20
#define SLAVE  0xa0
#define ICW1_INIT 0x11
#define ICW4_8086 0x01
#define OCW2_EOI 0x20
#define OCW3_READ_ISR 0x0b

static uint16_t masked = 0xffff;

static void write_masks(void)
{
	outb(MASTER + 1, masked);
	outb(SLAVE + 1, masked >> 8);
}

void pic_init(void)
{
	outb(MASTER, ICW1_INIT);
	outb(SLAVE, ICW1_INIT);
	outb(MASTER + 1, T_IRQ0);
	outb(SLAVE + 1, T_IRQ0 + 8);
	outb(MASTER + 1, 1 << 2);      /* the slave hangs on input 2 */
	outb(SLAVE + 1, 2);
	outb(MASTER + 1, ICW4_8086);
	outb(SLAVE + 1, ICW4_8086);
	masked = 0xffff & ~(1 << 2);
	write_masks();
}

void pic_unmask(int irq)
{
	masked &= ~(1 << irq);
	write_masks();
}

/* A request that vanished before it was acknowledged arrives as IRQ 7 or 15 with no bit set in service. */
bool pic_spurious(int irq)
{
	if (irq != 7 && irq != 15)
		return false;
	uint16_t port = irq == 7 ? MASTER : SLAVE;
	outb(port, OCW3_READ_ISR);
	if (inb(port) & 0x80)
		return false;
	if (irq == 15)
		outb(MASTER, OCW2_EOI);
	return true;
}

void pic_eoi(int irq)
{
	if (irq >= 8)
		outb(SLAVE, OCW2_EOI);
	outb(MASTER, OCW2_EOI);
}
