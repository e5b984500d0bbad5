/* devices/uart.h: 16550A serial port, eight ports (COM1: 0x3f8, IRQ4).
 *
 *   offset  read                 write                   with LCR.DLAB
 *   0       RBR received byte    THR byte to send        divisor, low
 *   1       IER enables          IER                     divisor, high
 *   2       IIR cause            FCR FIFO control
 *   3       LCR format           LCR
 *   4       MCR modem control    MCR
 *   5       LSR line status      (ignored)
 *   6       MSR modem status     (ignored)
 *   7       SCR scratch          SCR
 *
 *   IER  3 modem  2 line  1 THR empty  0 received       LSR  6 TEMT  5 THRE  4 BI  3 FE  2 PE  1 OE  0 DR
 *   IIR  1100 FIFO time-out  0110 line  0100 received  0010 THR empty  0000 modem  0001 nothing; 7-6 FIFOs on
 *   MCR  4 loopback  3 OUT2  2 OUT1  1 RTS  0 DTR       MSR  7 DCD  6 RI  5 DSR  4 CTS, 3-0 their changes
 *
 * A byte written to THR reaches the host at once, while THRE and TEMT follow the baud rate on the virtual clock. A byte from the
 * host is to be offered only when uart_can_receive(): the baud rate has given it time, there is room, and the guest listens
 * (it enabled the interrupt, raised RTS, or polls LSR without sending), so that what is typed before the guest is ready is not lost.
 *
 * References: [PC16550D] "Registers", "FIFO Interrupt Mode Operation"; 1.8432 MHz crystal, divided by 16.
 * Simplified: a byte written to a full transmitter is sent all the same; OUT2 does not gate the interrupt.
 * Not implemented: parity and framing errors (no host makes them), DMA mode pins.
 */
#ifndef DEVICES_UART_H
#define DEVICES_UART_H

#include "devices/device.h"

#define UART_FIFO 16

struct uart_fifo {
	uint8_t data[UART_FIFO];
	uint8_t first, count;
};

struct uart {
	struct device dev;
	struct char_out out;
	uint8_t ier, fcr, lcr, mcr, scr;
	uint8_t lsr_errors;                /* OE and BI, cleared by reading LSR */
	uint8_t msr_delta;
	uint8_t thre_pending;              /* the THR-empty interrupt is due */
	uint8_t timed_out;                 /* the FIFO time-out interrupt is due */
	uint8_t polls;                     /* reads of LSR in a row without a byte sent */
	uint8_t listening;
	uint8_t sending;                   /* the shift register is busy */
	uint8_t shift;
	uint16_t divisor;
	struct uart_fifo rx, tx;
	uint64_t sent_at;                  /* clock tick when the shift register is done */
	uint64_t time_out_at;              /* clock tick of the FIFO time-out, 0 when none is coming */
	uint64_t receive_from;             /* clock tick from which the next byte may arrive */
	struct timer sent, time_out;
};

void uart_init(struct uart *uart, struct clock *clock);
bool uart_can_receive(const struct uart *uart);
/* A byte arrives. One that finds no room is an overrun, as on the wire. */
void uart_receive(struct uart *uart, uint8_t byte);
void uart_receive_break(struct uart *uart);

#endif
