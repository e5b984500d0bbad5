/* guestos/drivers/serial.c: a 16550 on COM1, 115200 8N1: output by polling, input by interrupt.
 *
 *   offset 0 RBR/THR (DLL)   1 IER (DLM)   2 FCR   3 LCR   4 MCR   5 LSR
 *
 * Nothing is lost while the terminal's buffer is full: the receive interrupt is turned off and a byte waits in the UART, which
 * stops the sender.
 * References: [PC16550D] "Line Control Register", "Interrupt Enable Register". */
#include "dev.h"
#include "proc.h"

#define COM1 0x3f8
#define IER_RX 0x01
#define LCR_8N1 0x03
#define LCR_DLAB 0x80
#define MCR_DTR_RTS_OUT2 0x0b
#define LSR_DATA 0x01
#define LSR_THR_EMPTY 0x20

static bool input_enabled;

/* The FIFO stays as it is, off after reset: switching it empties it, and what was sent before we came up would lose a byte
 * whenever one arrived between the last look and the switch. Without it the sender waits after each byte, which is soon enough. */
void serial_init(void)
{
	outb(COM1 + 1, 0);
	outb(COM1 + 3, LCR_DLAB);
	outb(COM1, 1);
	outb(COM1 + 1, 0);
	outb(COM1 + 3, LCR_8N1);
	outb(COM1 + 4, MCR_DTR_RTS_OUT2);
}

void serial_putc(char c)
{
	/* Bounded, so that a machine without a serial port still boots. */
	for (int i = 0; i < 100000 && !(inb(COM1 + 5) & LSR_THR_EMPTY); i++)
		;
	outb(COM1, c);
}

static int pending = -1;       /* a byte read from the UART that the terminal had no room for */

static void serial_interrupt(void)
{
	for (;;) {
		if (pending < 0) {
			uint8_t lsr = inb(COM1 + 5);
			if (!(lsr & LSR_DATA) || lsr == 0xff)
				return;
			pending = inb(COM1);
		}
		if (!tty_input(pending)) {
			outb(COM1 + 1, 0);
			return;
		}
		pending = -1;
	}
}

void serial_enable_input(void)
{
	irq_register(4, serial_interrupt);
	input_enabled = true;
	outb(COM1 + 1, IER_RX);
	pic_unmask(4);
}

void serial_input_resume(void)
{
	if (!input_enabled)
		return;
	uint32_t flags = irq_save();
	outb(COM1 + 1, IER_RX);
	serial_interrupt();
	irq_restore(flags);
}
