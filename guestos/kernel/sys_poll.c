/* guestos/kernel/sys_poll.c: waiting for several files at once: poll and select.
 *
 * A file that can make its reader or writer wait has a `ready` operation; all others are always ready. There is one channel,
 * poll_channel, for everybody who waits here, and whatever becomes ready wakes it: the waiters look again and mostly go back to sleep.
 * Simplified: no queue of waiters for each file; with as few processes as run here it would find nobody else. */
#include "signal.h"
#include "syscalls.h"
#include "fs.h"
#include "mm.h"

const char poll_channel;

struct linux_pollfd { int32_t fd; int16_t events, revents; };
#define POLL_MAX 64u

static uint32_t ready(struct file *f) { return f->ops->ready ? f->ops->ready(f) : POLLIN | POLLOUT; }

/* How many of them have something to say now. */
static int look(struct linux_pollfd *p, uint32_t n)
{
	int found = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct file *f = p[i].fd >= 0 ? file_from_fd(p[i].fd) : NULL;
		p[i].revents = p[i].fd < 0 ? 0 : f ? ready(f) & (p[i].events | POLLERR | POLLHUP) : POLLNVAL;
		found += p[i].revents != 0;
	}
	return found;
}

/* Until one is ready, or so many ticks are over; FOREVER waits for ever. */
#define FOREVER 0xffffffffu
static int wait_for(struct linux_pollfd *p, uint32_t n, uint32_t wait)
{
	uint32_t until = ticks + min(wait, 0x7fffffffu);
	for (;;) {
		uint32_t flags = irq_save();   /* what becomes ready after the look must find us asleep */
		int found = look(p, n);
		uint32_t left = until - ticks;
		int err = 0;
		if (!found && wait == FOREVER)
			err = sleep_on(&poll_channel) ? -ERESTARTNOHAND : 0;
		else if (!found && (int32_t)left > 0)
			err = sleep_ticks(&poll_channel, left, true);
		irq_restore(flags);
		if (found || err)
			return found ? found : -ERESTARTNOHAND;        /* Simplified: begun again, all of the time is waited again */
		if (wait != FOREVER && (int32_t)left <= 0)
			return 0;
	}
}

/* One tick more than asked, since the present one has begun already. */
static uint32_t ticks_of(uint32_t seconds, uint32_t nanoseconds)
{
	uint32_t n = min(seconds, 0x7fffffffu / HZ - 2) * HZ + (nanoseconds + 1000000000 / HZ - 1) / (1000000000 / HZ);
	return n + (n > 0);
}

static int poll(uaddr_t list, uint32_t n, uint32_t wait)
{
	if (n > POLL_MAX)
		return -EINVAL;
	struct linux_pollfd *p = kmalloc(max(n, 1u) * sizeof *p);
	int found = !p ? -ENOMEM : copy_from_user(p, list, n * sizeof *p) ? -EFAULT : wait_for(p, n, wait);
	if (found >= 0 && copy_to_user(list, p, n * sizeof *p))
		found = -EFAULT;
	kfree(p);
	return found;
}

int sys_poll(struct trapframe *tf)
{
	int32_t ms = ARG2(tf);
	return poll(ARG0(tf), ARG1(tf), ms < 0 ? FOREVER : ticks_of(ms / 1000, ms % 1000 * 1000000));
}

/* A time as (seconds, fraction) in 32-bit words, or, wide, in 64-bit ones; FOREVER for no time at all. unit: nanoseconds in a fraction. */
static int user_time(uaddr_t from, bool wide, uint32_t unit, uint32_t *wait)
{
	int32_t w[4] = { 0 };
	*wait = FOREVER;
	if (!from)
		return 0;
	if (copy_from_user(w, from, wide ? 16 : 8))
		return -EFAULT;
	int32_t fraction = wide ? w[2] : w[1];
	if (w[0] < 0 || fraction < 0 || (uint32_t)fraction >= 1000000000 / unit)
		return -EINVAL;
	*wait = ticks_of(w[0], fraction * unit);
	return 0;
}

/* Simplified: the signal mask that ppoll and pselect6 would put in place while they wait is ignored. */
static int ppoll(struct trapframe *tf, bool wide)
{
	uint32_t wait;
	int err = user_time(ARG2(tf), wide, 1, &wait);
	return err ? err : poll(ARG0(tf), ARG1(tf), wait);
}

int sys_ppoll(struct trapframe *tf) { return ppoll(tf, false); }
int sys_ppoll_time64(struct trapframe *tf) { return ppoll(tf, true); }

/* The three bit sets of select, for the MAX_FILES descriptors there can be: one word each. */
struct sets { uint32_t word[3]; };
static const uint16_t events_of[3] = { POLLIN | POLLHUP | POLLERR, POLLOUT | POLLERR, 0 };

static int do_select(uint32_t n, const struct sets *wanted, struct sets *got, uint32_t wait)
{
	struct linux_pollfd p[MAX_FILES];
	uint32_t mask = n >= 32 ? ~0u : (1u << n) - 1, count = 0;
	for (uint32_t fd = 0; fd < MAX_FILES; fd++) {
		p[count] = (struct linux_pollfd){ .fd = fd };
		for (int i = 0; i < 3; i++)
			p[count].events |= mask & wanted->word[i] & 1u << fd ? events_of[i] : 0;
		if (mask & (wanted->word[0] | wanted->word[1] | wanted->word[2]) & 1u << fd) {
			if (!file_from_fd(fd))
				return -EBADF;
			count++;
		}
	}
	int found = wait_for(p, count, wait), bits = 0;
	*got = (struct sets){ { 0 } };
	for (uint32_t k = 0; found > 0 && k < count; k++)
		for (int i = 0; i < 3; i++)
			if (p[k].revents & events_of[i] && wanted->word[i] & 1u << p[k].fd) {
				got->word[i] |= 1u << p[k].fd;
				bits++;
			}
	return found < 0 ? found : bits;
}

/* n, read set, write set, exception set (0: none). */
static int select(struct trapframe *tf, uint32_t wait)
{
	struct sets wanted = { { 0 } }, got;
	uaddr_t at[3] = { ARG1(tf), ARG2(tf), ARG3(tf) };
	uint32_t zeroes[32] = { 0 }, n = ARG0(tf), words = (min(n, 1024u) + 31) / 32;
	if ((int32_t)n < 0)
		return -EINVAL;
	for (int i = 0; i < 3; i++)
		if (at[i] && words && copy_from_user(&wanted.word[i], at[i], 4))
			return -EFAULT;
	int r = do_select(n, &wanted, &got, wait);
	for (int i = 0; i < 3 && r >= 0; i++) {
		zeroes[0] = got.word[i];
		if (at[i] && copy_to_user(at[i], zeroes, words * 4))
			return -EFAULT;
	}
	return r;
}

int sys__newselect(struct trapframe *tf)
{
	uint32_t wait;
	int err = user_time(ARG4(tf), false, 1000, &wait);
	return err ? err : select(tf, wait);
}

static int pselect6(struct trapframe *tf, bool wide)
{
	uint32_t wait;
	int err = user_time(ARG4(tf), wide, 1, &wait);
	return err ? err : select(tf, wait);
}

int sys_pselect6(struct trapframe *tf) { return pselect6(tf, false); }
int sys_pselect6_time64(struct trapframe *tf) { return pselect6(tf, true); }
