/* guestos/kernel/sched.c: who runs: round robin over all processes, sleeping and waking, mutexes.
 *
 * The timer sets need_resched; trap() honours it only on the way back to user mode, so the kernel is never preempted.
 * If nobody can run, the process that gave up the processor last waits with HLT on its own stack.
 * A sleeper registers itself before it looks away with interrupts off, so a wakeup from an interrupt is never lost. */
#include "mm.h"
#include "proc.h"
#include "signal.h"

struct proc *current, *all_procs;
volatile uint32_t ticks, idle_ticks;
uint32_t boot_time;
volatile bool need_resched;

/* Round robin, but who has waited for the disk or a lock goes first: he mostly needs a moment until his next wait, and if he
 * had to queue behind those that compute, the disk would stand idle for their time slices. With a seed, chance decides. */
static struct proc *pick(void)
{
	struct proc *p = current, *next = NULL;
	for (uint32_t skip = boot_options.seed ? seeded_random(8) : 0; skip; skip--)
		p = p->next ? p->next : all_procs;
	struct proc *start = p;
	do {
		p = p->next ? p->next : all_procs;
		if (p->state == PROC_RUNNABLE && (!next || (p->waited && !next->waited && !boot_options.seed)))
			next = p;
	} while (p != start);
	if (next)
		next->waited = false;
	return next;
}

static void make_runnable(struct proc *p)
{
	p->state = PROC_RUNNABLE;
	p->waited = p->uninterruptible;
	need_resched |= p->waited;
}

/* Give up the processor. Returns when this process is chosen again. */
void schedule(void)
{
	uint32_t flags = irq_save();
	struct proc *next;
	while (!(next = pick())) {
		wait_for_interrupt();
	}
	need_resched = false;
	if (next != current) {
		struct proc *old = current;
		if (*old->kstack != STACK_MAGIC)
			panic("kernel stack overflow in %s[%d]", old->name, old->pid);
		vm.ctxt++;
		current = next;
		tss_set_kernel_stack((uint32_t)next->kstack + PAGE_SIZE);
		if (next->space)               /* a thread of the kernel's own touches no user address: any space will do, and stays cached */
			space_activate(next->space);
		fpu_switch(next);
		tls_load(next);
		switch_stacks(&old->esp, next->esp);
	}
	irq_restore(flags);
}

void yield(void) { schedule(); }

void set_aside(void)
{
	current->at_rest = true;
	yield();
	current->at_rest = false;
}

static void sleep(const void *channel)
{
	current->channel = channel;
	current->state = PROC_SLEEPING;
	schedule();
	current->channel = NULL;
	current->timed = false;
}

int sleep_on(const void *channel)
{
	uint32_t flags = irq_save();
	bool interrupted = signals_pending(current);
	current->uninterruptible = false;
	if (!interrupted)
		sleep(channel);
	irq_restore(flags);
	return interrupted ? -ERESTARTSYS : 0; /* a signal that came meanwhile is seen by the next call, if what was waited for did not come, too */
}

void sleep_uninterruptible(const void *channel)
{
	uint32_t flags = irq_save();
	current->uninterruptible = true;
	sleep(channel);
	irq_restore(flags);
}

int sleep_ticks(const void *channel, uint32_t n, bool interruptible)
{
	uint32_t flags = irq_save();
	current->uninterruptible = !interruptible;
	if (n && !(interruptible && signals_pending(current))) {
		current->wake_at = ticks + n;
		current->timed = true;
		sleep(channel);
	}
	irq_restore(flags);
	return interruptible && signals_pending(current) ? -EINTR : 0;
}

void wake_proc(struct proc *p)
{
	if (p->state == PROC_SLEEPING)
		p->state = PROC_RUNNABLE;
}

void wakeup(const void *channel)
{
	uint32_t flags = irq_save();
	for (struct proc *p = all_procs; p; p = p->next)
		if (p->state == PROC_SLEEPING && p->channel == channel)
			make_runnable(p);
	irq_restore(flags);
}

void timer_tick(bool user)
{
	ticks++;
	for (struct proc *p = all_procs; p; p = p->next) {
		alarm_tick(p);
		if (p->state == PROC_SLEEPING && p->timed && (int32_t)(ticks - p->wake_at) >= 0)
			p->state = PROC_RUNNABLE;
	}
	if (current && current->state == PROC_RUNNABLE)
		user ? current->utime++ : current->stime++;
	else
		idle_ticks++;
	if (current && current->space && current->state == PROC_RUNNABLE)
		current->space->vtime += VTIME_TICK;
	loadavg_tick();
	if (slice_over())
		need_resched = true;
}

/* A mutex passes directly from its owner to a sleeper: nobody starves, and only one process is woken. A sleeper whom
 * something else woke may find it free, since mutex_unlock() did not see it asleep. */
void mutex_lock(struct mutex *m)
{
	KASSERT(m->owner != current);
	may_sleep();
	while (m->owner != current) {
		if (!m->owner)
			m->owner = current;
		else
			sleep_uninterruptible(m);
	}
}

void mutex_unlock(struct mutex *m)
{
	KASSERT(m->owner == current);
	m->owner = NULL;
	struct proc *p = current;
	do {
		p = p->next ? p->next : all_procs;
		if (p->state == PROC_SLEEPING && p->channel == m) {
			m->owner = p;
			make_runnable(p);
			return;
		}
	} while (p != current);
}
