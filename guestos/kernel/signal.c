/* guestos/kernel/signal.c: signals: sent by anybody at any time, received on the way back to user mode.
 *
 * Sending only leaves a mark: a bit in p->pending, with details in a short queue, or p->killed when the signal will end the process
 * whatever else happens. Interruptible sleep ends then, and nothing else does: code in the kernel always runs to its own end.
 * return_to_user() finds the mark. There the user's registers are all in the trap frame, so a handler can be called by moving
 * them onto the user's stack (sigframe.c) and the process continued later by sigreturn.
 *
 * A signal that the process brought upon itself (a fault) cannot wait: if it is blocked or ignored, it is deadly.
 *
 * Invariants: a signal that is ignored and not blocked is never pending. One whose default is to end the process and that is not blocked
 * becomes p->killed when it is sent. p->signals is NULL for a process that never asked for anything else than the defaults.
 * Interrupts send signals: pending and the queue are changed with interrupts off. */
#include "mm.h"
#include "signal.h"

enum default_action { ACTION_END, ACTION_IGNORE, ACTION_STOP };

#define STOPS (SIG_BIT(SIGSTOP) | SIG_BIT(SIGTSTP) | SIG_BIT(SIGTTIN) | SIG_BIT(SIGTTOU))
#define IGNORES (SIG_BIT(SIGCHLD) | SIG_BIT(SIGCONT) | SIG_BIT(SIGURG) | SIG_BIT(SIGWINCH))
/* These speak of the instruction at EIP, so they come before a handler moves EIP. */
#define FAULTS (SIG_BIT(SIGSEGV) | SIG_BIT(SIGBUS) | SIG_BIT(SIGILL) | SIG_BIT(SIGTRAP) | SIG_BIT(SIGFPE) | SIG_BIT(SIGSYS))

/* Simplified: signals whose default is a core dump just end the process. */
static enum default_action default_action(int sig)
{
	return SIG_BIT(sig) & STOPS ? ACTION_STOP : SIG_BIT(sig) & IGNORES ? ACTION_IGNORE : ACTION_END;
}

static uaddr_t handler_of(const struct proc *p, int sig)
{
	return p->signals ? p->signals->action[sig - 1].handler : SIG_DFL;
}

bool signal_ignored(const struct proc *p, int sig)
{
	uaddr_t handler = handler_of(p, sig);
	return handler == SIG_IGN || (handler == SIG_DFL && default_action(sig) == ACTION_IGNORE);
}

bool signals_pending(const struct proc *p) { return p->killed || (p->pending & ~p->blocked); }

/* The queue. Entered with interrupts off. */

static void enqueue(struct proc *p, const struct signal_info *info)
{
	struct signals *s = p->signals;
	bool again = p->pending & SIG_BIT(info->sig);
	p->pending |= SIG_BIT(info->sig);
	if (s && !(again && info->sig < SIGRTMIN) && s->queued < SIGNAL_QUEUE)
		s->queue[s->queued++] = *info; /* no room: it comes without details, as from nobody */
}

static void queue_remove(struct signals *s, uint32_t i)
{
	s->queued--;
	memmove(&s->queue[i], &s->queue[i + 1], (s->queued - i) * sizeof s->queue[0]);
}

static bool dequeue(struct proc *p, int sig, struct signal_info *info)
{
	struct signals *s = p->signals;
	*info = (struct signal_info){ .sig = sig, .code = SI_USER };
	for (uint32_t i = 0; s && i < s->queued; i++)
		if (s->queue[i].sig == sig) {
			*info = s->queue[i];
			queue_remove(s, i);
			return true;
		}
	return false;
}

static bool queue_has(const struct signals *s, int sig)
{
	for (uint32_t i = 0; s && i < s->queued; i++)
		if (s->queue[i].sig == sig)
			return true;
	return false;
}

void signals_discard(struct proc *p, sigset_t set)
{
	struct signals *s = p->signals;
	uint32_t flags = irq_save();
	p->pending &= ~set;
	for (uint32_t i = 0; s && i < s->queued;)
		if (SIG_BIT(s->queue[i].sig) & set)
			queue_remove(s, i);
		else
			i++;
	irq_restore(flags);
}

/* Sending */

static void go_on(struct proc *p)
{
	signals_discard(p, STOPS);
	if (p->state == PROC_STOPPED) {
		p->state = PROC_RUNNABLE;
		signal_child(p, CLD_CONTINUED, 0xffff);
	}
}

static void send(struct proc *p, const struct signal_info *info)
{
	int sig = info->sig;
	if (sig == SIGCONT || sig == SIGKILL)
		go_on(p);
	if (SIG_BIT(sig) & STOPS)
		signals_discard(p, SIG_BIT(SIGCONT));
	if (!(p->blocked & SIG_BIT(sig))) {
		bool by_default = handler_of(p, sig) == SIG_DFL;
		if (signal_ignored(p, sig) || (by_default && p->pid == 1))
			return;                /* nothing but its own faults ends process 1 */
		if (by_default && default_action(sig) == ACTION_END) {
			if (!p->killed)
				p->killed = sig;
			info = NULL;
		}
	}
	if (info)
		enqueue(p, info);
	if (signals_pending(p) && !p->uninterruptible)
		wake_proc(p);
}

void signal_send(struct proc *p, const struct signal_info *info)
{
	uint32_t flags = irq_save();
	if (p->state != PROC_ZOMBIE && p->space)
		send(p, info);
	irq_restore(flags);
}

void proc_signal(struct proc *p, int sig)
{
	signal_send(p, &(struct signal_info){ .sig = sig, .code = SI_KERNEL });
}

/* A signal of this kind has a handler, and it can be called. */
bool signal_caught(int sig)
{
	return handler_of(current, sig) > SIG_IGN && !(current->blocked & SIG_BIT(sig));
}

/* The current process cannot go on as it is. tf is the trap that says so, or NULL if none did. */
void signal_force(int sig, int code, uint32_t address, const struct trapframe *tf)
{
	struct signals *s = current->signals;
	uint32_t flags = irq_save();
	if (!signal_caught(sig)) {
		if (s)
			s->action[sig - 1].handler = SIG_DFL;
		current->blocked &= ~SIG_BIT(sig);
		if (!current->killed)
			current->killed = sig;
	} else {
		signals_discard(current, SIG_BIT(sig));
		if (s->queued == SIGNAL_QUEUE)
			s->queued--;           /* what happened here is known better than who else sent something */
		enqueue(current, &(struct signal_info){ .sig = sig, .code = code, .value = { address } });
	}
	if (s && tf) {
		s->trapno = tf->vector;
		s->error = tf->error;
		s->cr2 = tf->vector == T_PAGE_FAULT ? address : s->cr2;
	}
	irq_restore(flags);
}

bool children_unwanted(const struct proc *parent)
{
	const struct sigaction *a = parent->signals ? &parent->signals->action[SIGCHLD - 1] : NULL;
	return a && (a->handler == SIG_IGN || (a->flags & SA_NOCLDWAIT));
}

/* A child has ended, stopped or continued: wait sees it, and a signal says so. */
void signal_child(struct proc *child, int code, int status)
{
	struct proc *parent = child->parent;
	if (!parent)
		return;
	if (code >= CLD_STOPPED)
		child->report = status;
	if (code < CLD_STOPPED || !parent->signals || !(parent->signals->action[SIGCHLD - 1].flags & SA_NOCLDSTOP)) {
		int value = code == CLD_EXITED ? status >> 8 : code == CLD_STOPPED ? status >> 8 : code == CLD_CONTINUED ? SIGCONT : status;
		signal_send(parent, &(struct signal_info){ .sig = SIGCHLD, .code = code, .value = { child->pid, value } });
	}
	wakeup(parent);
}

void alarm_tick(struct proc *p)
{
	if (!p->alarm_set || (int32_t)(ticks - p->alarm_at) < 0)
		return;
	p->alarm_set = p->alarm_every;
	p->alarm_at = ticks + p->alarm_every;
	proc_signal(p, SIGALRM);
}

/* Receiving */

static int next_signal(void)
{
	sigset_t ready = current->pending & ~current->blocked;
	if (ready & FAULTS)
		ready &= FAULTS;
	for (int sig = 1; sig <= NSIG; sig++)
		if (ready & SIG_BIT(sig))
			return sig;
	return 0;
}

static int take_signal(struct signal_info *info)
{
	uint32_t flags = irq_save();
	int sig = next_signal();
	if (sig) {
		dequeue(current, sig, info);
		if (!queue_has(current->signals, sig))
			current->pending &= ~SIG_BIT(sig);
	}
	irq_restore(flags);
	return sig;
}

static void stop(int sig)
{
	uint32_t flags = irq_save();
	if (!current->killed) {
		current->state = PROC_STOPPED;
		signal_child(current, CLD_STOPPED, sig << 8 | 0x7f);
		schedule();
	}
	irq_restore(flags);
}

static bool restart_wanted(const struct trapframe *tf)
{
	int result = tf->eax;
	return current->restartable && (result == -ERESTARTSYS || result == -ERESTARTNOHAND || result == -ERESTART_RESTARTBLOCK);
}

#define INT_0X80_BYTES 2
#define NR_RESTART_SYSCALL 0

/* The system call that was interrupted ends with EINTR, or is made once more when the program goes on. a is the handler that runs
 * before, or NULL. */
static void end_system_call(struct trapframe *tf, const struct sigaction *a)
{
	int result = tf->eax;
	if (restart_wanted(tf)) {
		if (a && !(result == -ERESTARTSYS && (a->flags & SA_RESTART))) {
			tf->eax = -EINTR;
		} else {
			tf->eax = result == -ERESTART_RESTARTBLOCK ? NR_RESTART_SYSCALL : current->syscall_nr;
			tf->eip -= INT_0X80_BYTES;
		}
	}
	current->restartable = false;
}

static void call_handler(struct trapframe *tf, const struct signal_info *info)
{
	struct sigaction *slot = &current->signals->action[info->sig - 1], a = *slot;
	end_system_call(tf, &a);
	sigset_t old = current->restore_mask ? current->saved_mask : current->blocked;
	if (a.flags & SA_RESETHAND)
		slot->handler = SIG_DFL;
	if (signal_frame(tf, info, &a, old)) {
		if (info->sig == SIGSEGV)
			slot->handler = SIG_DFL;       /* it could not be told, so there is nobody to tell */
		if (!signal_caught(SIGSEGV))
			printk("%s[%d]: no room on its stack for signal %d's frame, below 0x%08x, eip 0x%08x\n", current->name,
				current->pid, info->sig, tf->user_esp, tf->eip);
		signal_force(SIGSEGV, SI_KERNEL, 0, NULL);
		return;
	}
	current->restore_mask = false;
	current->blocked |= (a.mask | (a.flags & SA_NODEFER ? 0 : SIG_BIT(info->sig))) & ~UNBLOCKABLE;
}

static void act(struct trapframe *tf, const struct signal_info *info)
{
	int sig = info->sig;
	if (handler_of(current, sig) > SIG_IGN)
		call_handler(tf, info);
	else if (signal_ignored(current, sig) || current->pid == 1)
		return;
	else if (default_action(sig) == ACTION_STOP)
		stop(sig);
	else
		current->killed = sig;
}

/* Something must be done before user mode. Entered with interrupts off, so that nothing is missed. */
bool signals_wanted(const struct trapframe *tf)
{
	return signals_pending(current) || current->restore_mask || restart_wanted(tf);
}

/* Every signal that may come now comes: handlers pile up frames, the last one runs first. */
void signals_deliver(struct trapframe *tf)
{
	struct signal_info info;
	while (!current->killed && take_signal(&info))
		act(tf, &info);
	if (current->killed)
		proc_exit(current->killed);
	end_system_call(tf, NULL);
	if (current->restore_mask) {
		current->blocked = current->saved_mask;
		current->restore_mask = false;
	}
}

/* The life of struct signals */

struct signals *signals_of_current(void)
{
	if (!current->signals)
		current->signals = kzalloc(sizeof *current->signals);
	return current->signals;
}

/* A child has its parent's handlers and mask; what is pending, and the alarm, are the parent's alone. */
int signals_fork(struct proc *child)
{
	child->blocked = current->blocked;
	if (!current->signals)
		return 0;
	child->signals = kmalloc(sizeof *child->signals);
	if (!child->signals)
		return -ENOMEM;
	*child->signals = *current->signals;
	child->signals->queued = 0;
	return 0;
}

/* Handlers were code of the old program. What it ignored stays ignored. */
void signals_exec(void)
{
	struct signals *s = current->signals;
	for (int i = 0; s && i < NSIG; i++)
		s->action[i] = (struct sigaction){ .handler = s->action[i].handler == SIG_IGN ? SIG_IGN : SIG_DFL };
	if (s)
		s->alt_size = 0;
}

void signals_exit(void)
{
	struct signals *s = current->signals;
	current->alarm_set = false;
	current->signals = NULL;
	kfree(s);
}
