/* devices/uart.c: 16550A; the data sheet is in the header. */
#include "devices/uart.h"
#include "devices/bytewise.h"

enum { DATA, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCR };

#define IER_RX     0x01
#define IER_THRE   0x02
#define IER_LINE   0x04
#define IER_MODEM  0x08
#define FCR_ENABLE 0x01
#define FCR_CLEAR_RX 0x02
#define FCR_CLEAR_TX 0x04
#define LCR_DLAB   0x80
#define MCR_DTR    0x01
#define MCR_RTS    0x02
#define MCR_OUT1   0x04
#define MCR_OUT2   0x08
#define MCR_LOOP   0x10
#define LSR_DR     0x01
#define LSR_OE     0x02
#define LSR_BI     0x10
#define LSR_THRE   0x20
#define LSR_TEMT   0x40

#define BAUD_CLOCK 1843200ull
#define POLLS_TO_LISTEN 32         /* a guest that waits to send reads LSR once or a few times for each byte */

static bool fifo_mode(const struct uart *u) { return u->fcr & FCR_ENABLE; }
static bool loopback(const struct uart *u) { return u->mcr & MCR_LOOP; }
static unsigned rx_room(const struct uart *u) { return fifo_mode(u) ? UART_FIFO : 1; }

/* Clock ticks for one character: start bit, 5-8 data bits, parity, one or two stop bits. A divisor of 0 stands for 65536. */
static uint64_t char_ticks(const struct uart *u)
{
	unsigned bits = 1 + 5 + (u->lcr & 3) + (u->lcr >> 3 & 1) + 1 + (u->lcr >> 2 & 1);
	uint64_t divisor = u->divisor ? u->divisor : 65536;

	return clock_scale(bits * divisor * 16, CLOCK_HZ, BAUD_CLOCK);
}

static void fifo_put(struct uart_fifo *f, uint8_t byte)
{
	if (f->count >= UART_FIFO)
		return;
	f->data[(f->first + f->count) % UART_FIFO] = byte;
	f->count++;
}

static uint8_t fifo_take(struct uart_fifo *f)
{
	uint8_t byte = f->data[f->first % UART_FIFO];

	f->first = (f->first + 1) % UART_FIFO;
	f->count--;
	return byte;
}

static unsigned trigger(const struct uart *u)
{
	static const uint8_t level[4] = { 1, 4, 8, 14 };

	return fifo_mode(u) ? level[u->fcr >> 6] : 1;
}

/* The cause of highest priority. [PC16550D] "Interrupt Identification Register" */
static uint8_t cause(const struct uart *u)
{
	if ((u->ier & IER_LINE) && u->lsr_errors)
		return 0x06;
	if ((u->ier & IER_RX) && u->rx.count >= trigger(u))
		return 0x04;
	if ((u->ier & IER_RX) && u->timed_out)
		return 0x0c;
	if ((u->ier & IER_THRE) && u->thre_pending)
		return 0x02;
	if ((u->ier & IER_MODEM) && u->msr_delta)
		return 0x00;
	return 0x01;
}

static void update_irq(struct uart *u)
{
	irq_set(&u->dev.irq, cause(u) != 0x01);
}

/* The time-out comes when the FIFO holds something and nothing was moved for four characters' time. */
static void restart_time_out(struct uart *u)
{
	u->timed_out = 0;
	u->time_out_at = fifo_mode(u) && u->rx.count ? clock_now(u->dev.clock) + 4 * char_ticks(u) : 0;
	if (u->time_out_at)
		timer_arm(u->dev.clock, &u->time_out, u->time_out_at);
	else
		timer_cancel(u->dev.clock, &u->time_out);
}

static void uart_time_out(void *owner)
{
	struct uart *u = owner;

	u->time_out_at = 0;
	u->timed_out = 1;
	update_irq(u);
}

static void arrive(struct uart *u, uint8_t byte)
{
	u->receive_from = clock_now(u->dev.clock) + char_ticks(u);
	if (u->rx.count >= rx_room(u)) {
		u->lsr_errors |= LSR_OE;
		if (!fifo_mode(u))
			u->rx.data[u->rx.first % UART_FIFO] = byte;        /* without FIFO the older byte is the one lost */
	} else {
		fifo_put(&u->rx, byte);
	}
	restart_time_out(u);
	update_irq(u);
}

bool uart_can_receive(const struct uart *u)
{
	bool listens = u->listening || (u->ier & IER_RX) || (u->mcr & MCR_RTS);

	return listens && !loopback(u) && u->rx.count < rx_room(u) && clock_now(u->dev.clock) >= u->receive_from;
}

void uart_receive(struct uart *u, uint8_t byte)
{
	if (!loopback(u))
		arrive(u, byte);
}

/* A break reads as a zero byte with BI set. */
void uart_receive_break(struct uart *u)
{
	if (loopback(u))
		return;
	u->lsr_errors |= LSR_BI;
	arrive(u, 0);
}

/* --- transmitter ---------------------------------------------------------------------------------------------------- */

static void start_shift(struct uart *u, uint64_t from)
{
	u->shift = fifo_take(&u->tx);
	u->sending = 1;
	u->sent_at = from + char_ticks(u);
	timer_arm(u->dev.clock, &u->sent, u->sent_at);
	if (!u->tx.count)
		u->thre_pending = 1;
}

static void uart_sent(void *owner)
{
	struct uart *u = owner;

	u->sending = 0;
	if (u->tx.count)
		start_shift(u, u->sent_at);
	if (loopback(u))
		arrive(u, u->shift);
	update_irq(u);
}

static void send(struct uart *u, uint8_t byte)
{
	u->polls = 0;
	u->thre_pending = 0;
	if (!loopback(u) && u->out.put)
		u->out.put(u->out.owner, byte);
	if (u->tx.count >= rx_room(u))
		device_log(&u->dev, LOG_GUEST, "byte %#04x written while the transmitter is full", byte);
	else
		fifo_put(&u->tx, byte);
	if (!u->sending)
		start_shift(u, clock_now(u->dev.clock));
}

/* --- registers ------------------------------------------------------------------------------------------------------ */

static uint8_t modem_lines(const struct uart *u)
{
	if (!loopback(u))
		return 0xb0;                       /* DCD, DSR and CTS: the host is always there */
	return (uint8_t)((u->mcr & MCR_RTS ? 0x10 : 0) | (u->mcr & MCR_DTR ? 0x20 : 0) |
		(u->mcr & MCR_OUT1 ? 0x40 : 0) | (u->mcr & MCR_OUT2 ? 0x80 : 0));
}

static void write_mcr(struct uart *u, uint8_t value)
{
	uint8_t before = modem_lines(u), changed;

	u->mcr = value & 0x1f;
	changed = (before ^ modem_lines(u)) >> 4;
	/* TERI tells of the end of ring only. */
	if ((changed & 4) && (modem_lines(u) & 0x40))
		changed &= ~4;
	u->msr_delta |= changed;
}

static void write_fcr(struct uart *u, uint8_t value)
{
	bool toggled = (value ^ u->fcr) & FCR_ENABLE;

	if (toggled || (value & FCR_CLEAR_RX))
		u->rx = (struct uart_fifo){0};
	if (toggled || (value & FCR_CLEAR_TX)) {
		u->thre_pending |= u->tx.count != 0;
		u->tx = (struct uart_fifo){0};
	}
	u->fcr = value & FCR_ENABLE ? value & 0xc9 : 0;    /* the other bits need bit 0 */
	restart_time_out(u);
}

static void write_ier(struct uart *u, uint8_t value)
{
	/* Enabling the THR-empty interrupt while THR is empty raises it. */
	if ((value & ~u->ier & IER_THRE) && !u->tx.count)
		u->thre_pending = 1;
	u->ier = value & 0x0f;
}

static uint8_t read_lsr(struct uart *u)
{
	uint8_t lsr = u->lsr_errors;

	if (u->rx.count)
		lsr |= LSR_DR;
	if (!u->tx.count)
		lsr |= LSR_THRE;
	if (!u->tx.count && !u->sending)
		lsr |= LSR_TEMT;
	u->lsr_errors = 0;
	if (u->polls < POLLS_TO_LISTEN && (lsr & LSR_TEMT))
		u->polls++;
	if (u->polls >= POLLS_TO_LISTEN)
		u->listening = 1;
	update_irq(u);
	return lsr;
}

static uint8_t read_rbr(struct uart *u)
{
	uint8_t byte = u->rx.data[u->rx.first % UART_FIFO];

	if (u->rx.count)
		fifo_take(&u->rx);
	restart_time_out(u);
	update_irq(u);
	return byte;
}

static uint8_t read_iir(struct uart *u)
{
	uint8_t iir = cause(u);

	if (iir == 0x02) {
		u->thre_pending = 0;
		update_irq(u);
	}
	return iir | (fifo_mode(u) ? 0xc0 : 0);
}

static uint8_t uart_read(struct device *dev, uint16_t offset)
{
	struct uart *u = (struct uart *)dev;
	uint8_t value;

	switch (offset) {
	case DATA: return u->lcr & LCR_DLAB ? (uint8_t)u->divisor : read_rbr(u);
	case IER: return u->lcr & LCR_DLAB ? (uint8_t)(u->divisor >> 8) : u->ier;
	case IIR_FCR: return read_iir(u);
	case LCR: return u->lcr;
	case MCR: return u->mcr;
	case LSR: return read_lsr(u);
	case SCR: return u->scr;
	case MSR:
		value = modem_lines(u) | u->msr_delta;
		u->msr_delta = 0;
		update_irq(u);
		return value;
	default: return 0xff;
	}
}

static void uart_write(struct device *dev, uint16_t offset, uint8_t value)
{
	struct uart *u = (struct uart *)dev;
	bool dlab = u->lcr & LCR_DLAB;

	switch (offset) {
	case DATA:
		if (dlab)
			u->divisor = (uint16_t)((u->divisor & 0xff00) | value);
		else
			send(u, value);
		break;
	case IER:
		if (dlab)
			u->divisor = (uint16_t)((u->divisor & 0x00ff) | value << 8);
		else
			write_ier(u, value);
		break;
	case IIR_FCR: write_fcr(u, value); break;
	case LCR: u->lcr = value; break;
	case MCR: write_mcr(u, value); break;
	case SCR: u->scr = value; break;
	default: return;
	}
	update_irq(u);
}

static uint32_t uart_io_read(struct device *dev, uint16_t offset, unsigned size)
{
	return bytewise_read(dev, offset, size, uart_read);
}

static void uart_io_write(struct device *dev, uint16_t offset, unsigned size, uint32_t value)
{
	bytewise_write(dev, offset, size, value, uart_write);
}

/* [PC16550D] "Master Reset" leaves the divisor as it was; we set what firmware does: 115200 baud, 8 data bits. */
static void uart_reset(struct device *dev)
{
	struct uart *u = (struct uart *)dev;

	timer_cancel(u->dev.clock, &u->sent);
	timer_cancel(u->dev.clock, &u->time_out);
	*u = (struct uart){ .dev = u->dev, .out = u->out, .sent = u->sent, .time_out = u->time_out, .divisor = 1, .lcr = 3 };
	irq_set(&u->dev.irq, 0);
}

static void fifo_restored(struct uart_fifo *f)
{
	f->first %= UART_FIFO;
	if (f->count > UART_FIFO)
		f->count = UART_FIFO;
}

static void uart_restored(struct device *dev)
{
	struct uart *u = (struct uart *)dev;
	uint64_t now = clock_now(u->dev.clock), longest = clock_scale(12 * 65536 * 16, CLOCK_HZ, BAUD_CLOCK);

	fifo_restored(&u->rx);
	fifo_restored(&u->tx);
	u->lsr_errors &= LSR_OE | LSR_BI;
	if (u->receive_from > now + longest)
		u->receive_from = now;
	if (u->sending && (u->sent_at < now || u->sent_at > now + longest))
		u->sent_at = now;
	if (u->time_out_at && (u->time_out_at < now || u->time_out_at > now + 4 * longest))
		u->time_out_at = now;
	timer_cancel(u->dev.clock, &u->sent);
	timer_cancel(u->dev.clock, &u->time_out);
	if (u->tx.count && !u->sending)
		start_shift(u, now);
	else if (u->sending)
		timer_arm(u->dev.clock, &u->sent, u->sent_at);
	if (u->time_out_at)
		timer_arm(u->dev.clock, &u->time_out, u->time_out_at);
	update_irq(u);
}

#define R(field, help) REG(struct uart, field, help)
static const struct reg_desc uart_regs[] = {
	R(ier, "interrupt enables"), R(fcr, "FIFO control"), R(lcr, "line control"), R(mcr, "modem control"), R(scr, "scratch"),
	R(lsr_errors, "overrun and break"), R(msr_delta, "modem lines that changed"),
	R(thre_pending, "THR-empty interrupt due"), R(timed_out, "FIFO time-out interrupt due"),
	R(polls, "reads of LSR in a row"), R(listening, "the guest polls for input"),
	R(sending, "shift register busy"), R(shift, "shift register"), R(divisor, "baud rate divisor"),
	REG_ARRAY(struct uart, rx.data, "receive FIFO"), R(rx.first, "its first byte"), R(rx.count, "its bytes"),
	REG_ARRAY(struct uart, tx.data, "transmit FIFO"), R(tx.first, "its first byte"), R(tx.count, "its bytes"),
	R(sent_at, "clock tick when the shift register is done"), R(time_out_at, "clock tick of the FIFO time-out"),
	R(receive_from, "clock tick from which a byte may arrive"),
	{0} };

static const struct device_ops uart_ops = { .name = "uart", .state_version = 1, .regs = uart_regs, .reset = uart_reset,
	.io_read = uart_io_read, .io_write = uart_io_write, .restored = uart_restored };

void uart_init(struct uart *u, struct clock *clock)
{
	*u = (struct uart){ .dev = { .ops = &uart_ops, .clock = clock } };
	timer_init(&u->sent, "uart sent", uart_sent, u);
	timer_init(&u->time_out, "uart time-out", uart_time_out, u);
	uart_reset(&u->dev);
}
