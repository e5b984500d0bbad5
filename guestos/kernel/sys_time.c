/* guestos/kernel/sys_time.c: clocks and sleeping. The clock is the timer's ticks since boot, added to what the real-time clock said then.
 *
 * Since 2038 is near, each call that carries a time exists twice: with 32-bit words and, in the _time64 calls, with 64-bit ones. */
#include "signal.h"
#include "syscalls.h"
#include "mm.h"

#define NS_PER_TICK (1000000000 / HZ)
enum { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS, CLOCK_THREAD, CLOCK_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME };

struct moment { uint32_t seconds, nanoseconds; };

static int moment_to_user(struct moment t, uaddr_t to, bool wide)
{
	uint32_t words[4] = { t.seconds, wide ? 0 : t.nanoseconds, t.nanoseconds, 0 };
	return copy_to_user(to, words, wide ? 16 : 8);
}

static int moment_from_user(uaddr_t from, bool wide, struct moment *t)
{
	int32_t words[4];
	if (copy_from_user(words, from, wide ? 16 : 8))
		return -EFAULT;
	*t = (struct moment){ words[0], wide ? words[2] : words[1] };
	if (words[0] < 0 || (wide && words[1]))
		t->seconds = 0x7fffffff;
	return words[wide ? 1 : 0] < 0 || t->nanoseconds >= 1000000000 ? -EINVAL : 0;
}

int sys_time(struct trapframe *tf)
{
	int32_t now = boot_time + ticks / HZ;
	return ARG0(tf) && copy_to_user(ARG0(tf), &now, sizeof now) ? -EFAULT : now;
}

int sys_gettimeofday(struct trapframe *tf)
{
	int32_t tv[2] = { boot_time + ticks / HZ, ticks % HZ * (1000000 / HZ) };
	return ARG0(tf) ? copy_to_user(ARG0(tf), tv, sizeof tv) : 0;
}

static int read_clock(uint32_t clock, struct moment *t)
{
	uint32_t n = clock == CLOCK_PROCESS || clock == CLOCK_THREAD ? current->utime + current->stime : ticks;
	*t = (struct moment){ n / HZ, n % HZ * NS_PER_TICK };
	if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
		t->seconds += boot_time;
	return clock > CLOCK_BOOTTIME ? -EINVAL : 0;
}

static int clock_gettime(struct trapframe *tf, bool wide)
{
	struct moment t;
	int err = read_clock(ARG0(tf), &t);
	return err ? err : moment_to_user(t, ARG1(tf), wide);
}

int sys_clock_gettime(struct trapframe *tf) { return clock_gettime(tf, false); }
int sys_clock_gettime64(struct trapframe *tf) { return clock_gettime(tf, true); }

static int clock_getres(struct trapframe *tf, bool wide)
{
	if (ARG0(tf) > CLOCK_BOOTTIME)
		return -EINVAL;
	return ARG1(tf) ? moment_to_user((struct moment){ 0, NS_PER_TICK }, ARG1(tf), wide) : 0;
}

int sys_clock_getres(struct trapframe *tf) { return clock_getres(tf, false); }
int sys_clock_getres_time64(struct trapframe *tf) { return clock_getres(tf, true); }

static uint32_t ticks_of(struct moment t)
{
	return min(t.seconds, 0x7fffffffu / HZ - 1) * HZ + (t.nanoseconds + NS_PER_TICK - 1) / NS_PER_TICK;
}

/* Until that tick. If a signal comes, what is left is reported; if it turns out that no handler runs, restart_syscall goes on sleeping. */
static int sleep_until(uint32_t until, uaddr_t left_to, bool wide)
{
	bool interrupted = false;
	while (!interrupted && (int32_t)(until - ticks) > 0)
		interrupted = sleep_ticks(current, until - ticks, true);
	uint32_t left = interrupted ? max((int32_t)(until - ticks), 0) : 0;
	current->sleep_until = until;
	current->sleep_left = left_to;
	current->sleep_wide = wide;
	if (left_to && moment_to_user((struct moment){ left / HZ, left % HZ * NS_PER_TICK }, left_to, wide))
		return -EFAULT;
	return interrupted ? -ERESTART_RESTARTBLOCK : 0;
}

/* Only return_to_user() asks for this. A program that does finds its last sleep long over. */
int sys_restart_syscall(struct trapframe *tf)
{
	(void)tf;
	return sleep_until(current->sleep_until, current->sleep_left, current->sleep_wide);
}

/* A sleep of n ticks ends n + 1 ticks from now, since the present one has begun already. */
static int sleep_for(uaddr_t from, uaddr_t left_to, bool wide)
{
	struct moment t;
	int err = moment_from_user(from, wide, &t);
	uint32_t n = err ? 0 : ticks_of(t);
	if (!err)
		err = sleep_until(ticks + n + (n > 0), left_to, wide);
	return err;
}

int sys_nanosleep(struct trapframe *tf) { return sleep_for(ARG0(tf), ARG1(tf), false); }

#define TIMER_ABSTIME 1u

/* clock, flags, time, rest. */
static int clock_nanosleep(struct trapframe *tf, bool wide)
{
	struct moment t, now;
	if (ARG0(tf) != CLOCK_REALTIME && ARG0(tf) != CLOCK_MONOTONIC && ARG0(tf) != CLOCK_BOOTTIME)
		return -EINVAL;
	if (!(ARG1(tf) & TIMER_ABSTIME))
		return sleep_for(ARG2(tf), ARG3(tf), wide);
	int err = moment_from_user(ARG2(tf), wide, &t);
	if (err || (err = read_clock(ARG0(tf), &now)))
		return err;
	if (t.seconds < now.seconds || (t.seconds == now.seconds && t.nanoseconds <= now.nanoseconds))
		return 0;
	t.seconds -= now.seconds + (t.nanoseconds < now.nanoseconds);
	t.nanoseconds += (t.nanoseconds < now.nanoseconds ? 1000000000 : 0) - now.nanoseconds;
	return sleep_until(ticks + ticks_of(t), 0, wide);
}

int sys_clock_nanosleep(struct trapframe *tf) { return clock_nanosleep(tf, false); }
int sys_clock_nanosleep_time64(struct trapframe *tf) { return clock_nanosleep(tf, true); }

/* Processor time in ticks: own user and system, then that of the children waited for. */
int sys_times(struct trapframe *tf)
{
	uint32_t t[4] = { current->utime, current->stime, current->child_utime, current->child_stime };
	return ARG0(tf) && copy_to_user(ARG0(tf), t, sizeof t) ? -EFAULT : (int)(ticks & 0x7fffffff);
}
