/* guestos/drivers/tty.c: the console: output to the serial line and the screen, input from the serial line and the keyboard.
 *
 * Interrupts put bytes into a ring. A reader in canonical mode takes them out, echoes and edits a line; in raw mode it takes them as
 * they are. Editing happens when somebody reads, not when a key arrives, so text typed (or piped) ahead is echoed
 * where it is used, and a program that switches modes loses nothing. Only the characters that send signals act at once.
 * Several processes may read at once; each byte goes to one of them. They share the line being edited, and none of them sleeps in the
 * middle of changing it.
 * Invariant: head - tail <= TTY_RING; only interrupts move head, only readers move tail (with interrupts off). */
#include "dev.h"
#include "fs.h"
#include "mm.h"
#include "proc.h"
#include "signal.h"

static struct linux_termios termios = {
	.c_iflag = ICRNL, .c_oflag = OPOST | ONLCR, .c_cflag = 0xbf, .c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK,
	.c_cc = { [VINTR] = 3, [VQUIT] = 28, [VERASE] = 127, [VKILL] = 21, [VEOF] = 4, [VMIN] = 1, [VSUSP] = 26 },
};
static uint16_t winsize[4] = { 24, 80 };      /* rows and columns: nobody can ask the terminal at the other end of a serial line */
static uint8_t ring[TTY_RING];
static uint32_t head, tail;
static bool stopped;                   /* the serial line waits for room */
static uint8_t line[256];              /* canonical mode: the line being typed, or what is left of a finished one */
static uint32_t line_len, line_taken;
static bool line_done;
static int owner;                      /* process that last set the terminal's modes: the shell; ^C spares it */
static int foreground;                 /* process group set by TIOCSPGRP, or 0 */

void tty_putc(char c)
{
	if (c == '\n' && (termios.c_oflag & OPOST) && (termios.c_oflag & ONLCR)) {
		serial_putc('\r');
		vga_putc('\r');
	}
	serial_putc(c);
	vga_putc(c);
}

static void echo(const char *s)
{
	while ((termios.c_lflag & ECHO) && *s)
		tty_putc(*s++);
}

static bool started_by(const struct proc *p, int ancestor)
{
	for (p = p->parent; p; p = p->parent)
		if (p->pid == ancestor)
			return true;
	return false;
}

/* ^C and its like: the foreground process group if the shell names one, else everything the shell has started. */
static void signal_foreground(int sig)
{
	bool known = proc_find(owner);
	for (struct proc *p = all_procs; p; p = p->next) {
		if (!p->space || p->pid == 1)
			continue;
		if (foreground ? p->pgid == foreground && p->pid != owner : !known || started_by(p, owner))
			proc_signal(p, sig);
	}
}

/* A process is stopped only if the shell has said who is in the foreground: then it knows how to continue it, too. */
static int signal_of(uint8_t c)
{
	if (!(termios.c_lflag & ISIG) || !c)
		return 0;
	return c == termios.c_cc[VINTR] ? SIGINT : c == termios.c_cc[VQUIT] ? SIGQUIT : c == termios.c_cc[VSUSP] && foreground ? SIGTSTP : 0;
}

bool tty_input(char c)
{
	int sig = signal_of(c);
	if (sig) {
		tail = head;
		line_len = line_taken = 0;
		line_done = false;
		echo((char[]){ '^', c + '@', '\n', 0 });
		signal_foreground(sig);
		wakeup(ring);
		return true;
	}
	if (head - tail == TTY_RING) {
		stopped = true;
		return false;
	}
	ring[head++ % TTY_RING] = c;
	wakeup(ring);
	wakeup(&poll_channel);
	return true;
}

/* Next input byte, or -ERESTARTSYS, or -EAGAIN if there is none and the caller will not wait. */
static int next_byte(bool wait)
{
	uint32_t flags = irq_save();
	int c = -EAGAIN;
	while (head == tail && wait && !sleep_on(ring))
		;
	if (head != tail)
		c = ring[tail++ % TTY_RING];
	else if (wait)
		c = -ERESTARTSYS;
	bool resume = stopped && head - tail < TTY_RING / 2;
	if (resume)
		stopped = false;
	irq_restore(flags);
	if (resume)
		serial_input_resume();
	if (c == '\r' && (termios.c_iflag & ICRNL))
		c = '\n';
	return c;
}

static void erase(void)
{
	if (line_len) {
		line_len--;
		echo("\b \b");
	}
}

/* Edit until a line is complete. */
static int fill_line(bool wait)
{
	while (!line_done) {
		int c = next_byte(wait);
		if (c < 0)
			return c;
		if (c == termios.c_cc[VERASE] || c == '\b') {
			erase();
		} else if (c == termios.c_cc[VKILL]) {
			while (line_len)
				erase();
		} else if (c == termios.c_cc[VEOF]) {
			line_done = true;
		} else if (line_len < sizeof line - 1 || c == '\n') {
			line[line_len++] = c;
			line_done = c == '\n';
			echo((char[]){ c, 0 });
		}
	}
	return 0;
}

/* n bytes of the finished line have found a reader. */
static void take(uint32_t n)
{
	line_taken += n;
	if (line_taken >= line_len) {
		line_len = line_taken = 0;
		line_done = false;
	}
}

static int read_canonical(uaddr_t to, uint32_t n, bool nonblock)
{
	uint8_t part[sizeof line];
	uint32_t flags;
	do {
		int err = fill_line(!nonblock);
		if (err)
			return err;
		flags = irq_save();            /* ^C throws the line away, at any moment */
		if (!line_done)
			irq_restore(flags);
	} while (!line_done);
	n = min(n, line_len - line_taken);
	memcpy(part, line + line_taken, n);
	take(n);
	irq_restore(flags);
	return copy_to_user(to, part, n) ? -EFAULT : (int)n;
}

static int read_raw(uaddr_t to, uint32_t n, bool nonblock)
{
	uint32_t got = 0;
	while (got < n) {
		uint8_t byte;
		int c;
		if (line_taken < line_len) {           /* left over from canonical mode */
			c = line[line_taken];
			take(1);
		} else {
			c = next_byte(!nonblock && !got && termios.c_cc[VMIN]);
		}
		if (c < 0)
			return got ? (int)got : c == -EAGAIN && !nonblock ? 0 : c;
		byte = c;
		if (copy_to_user(to + got, &byte, 1))
			return got ? (int)got : -EFAULT;
		got++;
	}
	return got;
}

int tty_read(uaddr_t to, uint32_t n, bool nonblock)
{
	if (!n)
		return 0;
	return (termios.c_lflag & ICANON ? read_canonical : read_raw)(to, n, nonblock);
}

int tty_write(uaddr_t from, uint32_t n)
{
	char part[64];
	for (uint32_t done = 0; done < n;) {
		/* A serial line is slow and n may be megabytes: others run meanwhile, and the writer can be killed. */
		if (need_resched)
			yield();
		if (current->killed)
			return done ? (int)done : -EINTR;
		uint32_t chunk = min(n - done, (uint32_t)sizeof part);
		if (copy_from_user(part, from + done, chunk))
			return done ? (int)done : -EFAULT;
		for (uint32_t i = 0; i < chunk; i++)
			tty_putc(part[i]);
		done += chunk;
	}
	return n;
}

/* Simplified: in canonical mode the Enter key must be in the ring or the line finished, so a line that ^D ends is not seen coming. */
uint32_t tty_ready(void)
{
	uint32_t flags = irq_save();
	bool input = line_done || (!(termios.c_lflag & ICANON) && (head != tail || line_taken < line_len));
	for (uint32_t at = tail; !input && at != head; at++)
		input = ring[at % TTY_RING] == '\r' || ring[at % TTY_RING] == '\n';
	irq_restore(flags);
	return POLLOUT | (input ? POLLIN : 0);
}

int tty_ioctl(uint32_t request, uaddr_t arg)
{
	int32_t pgid;
	switch (request) {
	case TCGETS:
		return copy_to_user(arg, &termios, sizeof termios);
	case TCSETS: case TCSETSW: case TCSETSF: {
		struct linux_termios new;
		if (copy_from_user(&new, arg, sizeof new))
			return -EFAULT;
		termios = new;
		owner = current->pid;
		if (request == TCSETSF) {
			uint32_t flags = irq_save();
			tail = head;
			irq_restore(flags);
			serial_input_resume();
		}
		return 0;
	}
	case TIOCGWINSZ:
		return copy_to_user(arg, winsize, sizeof winsize);
	case TIOCSWINSZ:
		return copy_from_user(winsize, arg, sizeof winsize);
	case TCSBRK:                           /* output is never held back */
	case TIOCSCTTY:                        /* it is everybody's controlling terminal */
		return 0;
	case TIOCGPGRP:
		pgid = foreground ? foreground : current->pgid;
		return copy_to_user(arg, &pgid, sizeof pgid);
	case TIOCSPGRP:
		if (copy_from_user(&pgid, arg, sizeof pgid))
			return -EFAULT;
		foreground = pgid;
		owner = current->pid;
		return 0;
	case FIONREAD:
		pgid = head - tail;
		return copy_to_user(arg, &pgid, sizeof pgid);
	}
	return -ENOTTY;
}
