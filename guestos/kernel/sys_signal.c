/* guestos/kernel/sys_signal.c: system calls on signals.
 *
 * Masks come in two sizes: the old calls know signals 1 to 32, those named rt_ all 64 and say so with an argument of 8.
 * Simplified: of the interval timers only ITIMER_REAL is there. */
#include "mm.h"
#include "signal.h"
#include "syscalls.h"

#define SIGSET_BYTES 8u

static int action_set(int sig, const struct sigaction *new, struct sigaction *old)
{
	if (sig < 1 || sig > NSIG || (new && (SIG_BIT(sig) & UNBLOCKABLE)))
		return -EINVAL;
	*old = current->signals ? current->signals->action[sig - 1] : (struct sigaction){ 0 };
	if (!new)
		return 0;
	struct signals *s = signals_of_current();
	if (!s)
		return -ENOMEM;
	s->action[sig - 1] = *new;
	s->action[sig - 1].mask &= ~UNBLOCKABLE;
	if (signal_ignored(current, sig))
		signals_discard(current, SIG_BIT(sig));
	return 0;
}

/* handler, mask, flags, restorer */
int sys_sigaction(struct trapframe *tf)
{
	uint32_t w[4];
	struct sigaction new, old;
	if (ARG1(tf)) {
		if (copy_from_user(w, ARG1(tf), sizeof w))
			return -EFAULT;
		new = (struct sigaction){ .handler = w[0], .mask = w[1], .flags = w[2], .restorer = w[3] };
	}
	int err = action_set(ARG0(tf), ARG1(tf) ? &new : NULL, &old);
	if (err || !ARG2(tf))
		return err;
	uint32_t out[4] = { old.handler, old.mask, old.flags, old.restorer };
	return copy_to_user(ARG2(tf), out, sizeof out);
}

/* handler, flags, restorer, mask */
int sys_rt_sigaction(struct trapframe *tf)
{
	uint32_t w[5];
	struct sigaction new, old;
	if (ARG3(tf) != SIGSET_BYTES)
		return -EINVAL;
	if (ARG1(tf)) {
		if (copy_from_user(w, ARG1(tf), sizeof w))
			return -EFAULT;
		new = (struct sigaction){ .handler = w[0], .flags = w[1], .restorer = w[2], .mask = (sigset_t)w[4] << 32 | w[3] };
	}
	int err = action_set(ARG0(tf), ARG1(tf) ? &new : NULL, &old);
	if (err || !ARG2(tf))
		return err;
	uint32_t out[5] = { old.handler, old.flags, old.restorer, old.mask, old.mask >> 32 };
	return copy_to_user(ARG2(tf), out, sizeof out);
}

enum { SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK };

static int mask_change(uint32_t how, sigset_t set, sigset_t keep)
{
	sigset_t old = current->blocked, new;
	switch (how) {
	case SIG_BLOCK: new = old | set; break;
	case SIG_UNBLOCK: new = old & ~set; break;
	case SIG_SETMASK: new = (old & keep) | set; break;
	default: return -EINVAL;
	}
	if (!signals_of_current())
		return -ENOMEM;                /* details of what will be pending need room */
	current->blocked = new & ~UNBLOCKABLE;
	return 0;
}

/* n bytes of mask at ARG1 change it, at ARG2 is where it was. */
static int change_mask(struct trapframe *tf, uint32_t n)
{
	sigset_t set = 0, old = current->blocked;
	if (ARG1(tf)) {
		if (copy_from_user(&set, ARG1(tf), n))
			return -EFAULT;
		int err = mask_change(ARG0(tf), set, n < SIGSET_BYTES ? ~0ull << 32 : 0);
		if (err)
			return err;
	}
	return ARG2(tf) ? copy_to_user(ARG2(tf), &old, n) : 0;
}

int sys_sigprocmask(struct trapframe *tf) { return change_mask(tf, 4); }
int sys_rt_sigprocmask(struct trapframe *tf) { return ARG3(tf) == SIGSET_BYTES ? change_mask(tf, SIGSET_BYTES) : -EINVAL; }

int sys_sigpending(struct trapframe *tf)
{
	sigset_t set = current->pending & current->blocked;
	return copy_to_user(ARG0(tf), &set, 4);
}

int sys_rt_sigpending(struct trapframe *tf)
{
	sigset_t set = current->pending & current->blocked;
	return ARG1(tf) > SIGSET_BYTES ? -EINVAL : copy_to_user(ARG0(tf), &set, ARG1(tf));
}

int sys_pause(struct trapframe *tf)
{
	(void)tf;
	while (!signals_pending(current))
		sleep_on(current);
	return -ERESTARTNOHAND;
}

/* The mask comes back after the handler has run: its frame says so. */
static int suspend(sigset_t mask)
{
	current->saved_mask = current->blocked;
	current->blocked = mask & ~UNBLOCKABLE;
	while (!signals_pending(current))
		sleep_on(current);
	current->restore_mask = true;
	return -ERESTARTNOHAND;
}

int sys_sigsuspend(struct trapframe *tf) { return suspend(ARG2(tf)); }

int sys_rt_sigsuspend(struct trapframe *tf)
{
	sigset_t mask;
	if (ARG1(tf) != SIGSET_BYTES)
		return -EINVAL;
	return copy_from_user(&mask, ARG0(tf), sizeof mask) ? -EFAULT : suspend(mask);
}

/* stack: address, flags, size. Not while running on it. */
int signal_stack_set(struct signals *s, const uint32_t stack[3], uaddr_t esp)
{
	if (on_signal_stack(s, esp))
		return -EPERM;
	if (stack[1] & ~(SS_DISABLE | SS_ONSTACK) || stack[1] == (SS_DISABLE | SS_ONSTACK))
		return -EINVAL;
	if (!(stack[1] & SS_DISABLE) && stack[2] < MINSIGSTKSZ)
		return -ENOMEM;
	s->alt_stack = stack[1] & SS_DISABLE ? 0 : stack[0];
	s->alt_size = stack[1] & SS_DISABLE ? 0 : stack[2];
	return 0;
}

int sys_sigaltstack(struct trapframe *tf)
{
	uint32_t new[3];
	struct signals *s = signals_of_current();
	if (!s)
		return -ENOMEM;
	uint32_t old[3] = { s->alt_stack, !s->alt_size ? SS_DISABLE : on_signal_stack(s, tf->user_esp) ? SS_ONSTACK : 0, s->alt_size };
	if (ARG0(tf)) {
		if (copy_from_user(new, ARG0(tf), sizeof new))
			return -EFAULT;
		int err = signal_stack_set(s, new, tf->user_esp);
		if (err)
			return err;
	}
	return ARG1(tf) ? copy_to_user(ARG1(tf), old, sizeof old) : 0;
}

int sys_kill(struct trapframe *tf) { return proc_kill(ARG0(tf), ARG1(tf)); }

/* Every process has one thread, of the same number. */
static int thread_kill(int pid, int sig)
{
	if (pid <= 0 || sig < 0 || sig > NSIG)
		return -EINVAL;
	struct proc *p = proc_find(pid);
	if (!p)
		return -ESRCH;
	if (sig)
		signal_send(p, &(struct signal_info){ .sig = sig, .code = SI_TKILL, .value = { current->pid } });
	return 0;
}

int sys_tkill(struct trapframe *tf) { return thread_kill(ARG0(tf), ARG1(tf)); }

int sys_tgkill(struct trapframe *tf)
{
	if ((int)ARG0(tf) <= 0)
		return -EINVAL;
	return ARG0(tf) == ARG1(tf) ? thread_kill(ARG1(tf), ARG2(tf)) : (int)ARG1(tf) <= 0 ? -EINVAL : -ESRCH;
}

/* Time */

#define MICROSECONDS 1000000
#define LONGEST (0x7fffffffu / HZ - 1)                 /* seconds whose ticks still compare as signed */

static uint32_t alarm_left(void) { return current->alarm_set ? max((int32_t)(current->alarm_at - ticks), 1) : 0; }

static void alarm_set(uint32_t first, uint32_t every)
{
	uint32_t flags = irq_save();
	current->alarm_set = first != 0;
	current->alarm_at = ticks + first + 1;         /* the tick under way is partly over */
	current->alarm_every = every;
	irq_restore(flags);
}

int sys_alarm(struct trapframe *tf)
{
	uint32_t left = alarm_left();
	alarm_set(min(ARG0(tf), LONGEST) * HZ, 0);
	return (left + HZ / 2) / HZ + (left && left < HZ / 2);
}

static bool bad_time(const int32_t t[2]) { return t[0] < 0 || t[1] < 0 || t[1] >= MICROSECONDS; }
static uint32_t to_ticks(const int32_t t[2])
{
	return min((uint32_t)t[0], LONGEST) * HZ + (t[1] + MICROSECONDS / HZ - 1) / (MICROSECONDS / HZ);
}

/* interval, then time to the first: seconds and microseconds each */
static int timer_report(uaddr_t to)
{
	uint32_t left = alarm_left(), every = current->alarm_set ? current->alarm_every : 0;
	int32_t out[4] = { every / HZ, every % HZ * (MICROSECONDS / HZ), left / HZ, left % HZ * (MICROSECONDS / HZ) };
	return copy_to_user(to, out, sizeof out);
}

int sys_getitimer(struct trapframe *tf) { return ARG0(tf) ? -EINVAL : timer_report(ARG1(tf)); }

int sys_setitimer(struct trapframe *tf)
{
	int32_t t[4] = { 0 };
	if (ARG0(tf))
		return -EINVAL;
	if (ARG1(tf) && copy_from_user(t, ARG1(tf), sizeof t))
		return -EFAULT;
	if (bad_time(t) || bad_time(t + 2))
		return -EINVAL;
	if (ARG2(tf) && timer_report(ARG2(tf)))
		return -EFAULT;
	alarm_set(to_ticks(t + 2), to_ticks(t));
	return 0;
}
