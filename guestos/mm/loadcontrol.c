/* guestos/mm/loadcontrol.c: fewer processes at a time, when memory cannot hold what all of them need.
 *
 * If the working sets together exceed memory, every process takes pages that another is about to use; all wait for the disk, and adding
 * processes makes less progress, not more: thrashing. No policy helps, since every victim is wrong. What helps is to run some of them
 * and not the others. A few times a second the pager asks two questions:
 *   do the working sets of the active processes exceed memory?   or: is the disk paging busily while the processor has nothing to do?
 * If so one process is suspended: the largest, of equals the youngest; or one whose turn has lasted longest, if they take turns. On its way
 * to user mode it gives all its pages away and sleeps, until there is room again, or until it has waited for QUANTUM and takes the place
 * of one that has run for as long.
 * Invariants: only processes are suspended that hold no kernel lock, since they stop only where they would return to user mode; never
 * process 1, and never the last active one. Off unless switched on (`loadcontrol on`, or as a kernel option). */
#include "mm.h"
#include "fs.h"
#include "proc.h"

#define INTERVAL (HZ / 5)
#define QUANTUM (2 * HZ)
#define SETTLE HZ              /* after a change, the disk is busy for a while without that meaning anything */
#define BUSY_PAGING 10u        /* page-ins in an interval */

static bool on;
static uint32_t last_step, last_change, last_major, last_idle;
static uint32_t demand, room, active, waiting;

/* Pages that processes can have. */
static uint32_t memory_for_pages(void)
{
	return nr_free + nr_in_state[FRAME_ANON] + nr_in_state[FRAME_CACHE] - nr_pinned;
}

/* One that sleeps until somebody types, or for a child, needs no memory meanwhile. */
static bool is_active(const struct proc *p)
{
	return p->space && !p->suspended && !p->killed && p->pid != 1 && (p->state == PROC_RUNNABLE || p->uninterruptible);
}

static void measure(void)
{
	demand = active = waiting = 0;
	room = memory_for_pages();
	for (struct proc *p = all_procs; p; p = p->next) {
		waiting += p->suspended && p->space;   /* one that was ending anyway does not come back */
		if (is_active(p)) {
			active++;
			demand += p->space->working_set;
		}
	}
}

/* Since the last step. */
static bool paging_while_idle(void)
{
	uint32_t major = vm.pgmajfault - last_major, idle = idle_ticks - last_idle;
	last_major = vm.pgmajfault;
	last_idle = idle_ticks;
	return major >= BUSY_PAGING && idle * 2 > INTERVAL;
}

/* Who has had his turn longest; of those that never had to wait the one that needs most; of equals the youngest. */
static bool before(const struct proc *p, const struct proc *q)
{
	if (p->resumed_at != q->resumed_at)
		return p->resumed_at < q->resumed_at;
	return p->space->working_set >= q->space->working_set;
}

static struct proc *to_suspend(uint32_t ran)
{
	struct proc *best = NULL;
	for (struct proc *p = all_procs; p; p = p->next)
		if (is_active(p) && ticks - p->resumed_at >= ran && (!best || before(p, best)))
			best = p;
	return best;
}

static void suspend(struct proc *p)
{
	p->suspended = true;
	p->suspended_at = last_change = ticks;
	vm.suspensions++;
}

static void resume(struct proc *p)
{
	p->suspended = false;
	p->resumed_at = last_change = ticks;
	vm.resumptions++;
	wakeup(&on);
}

static struct proc *longest_suspended(void)
{
	struct proc *best = NULL;
	for (struct proc *p = all_procs; p; p = p->next)
		if (p->suspended && p->space && (!best || (int32_t)(p->suspended_at - best->suspended_at) < 0))
			best = p;
	return best;
}

static void step(void)
{
	struct proc *next = longest_suspended(), *leaves;
	bool paging = paging_while_idle(), settled = ticks - last_change >= SETTLE;
	measure();
	if (next && (!active || (settled && !paging && demand + next->space->working_set <= room))) {
		resume(next);
	} else if (next && ticks - next->suspended_at >= QUANTUM && (leaves = to_suspend(QUANTUM))) {
		suspend(leaves);
		resume(next);
	} else if (active > 1 && ((paging && settled) || demand > room) && (leaves = to_suspend(0))) {
		suspend(leaves);
	}
}

void loadcontrol_tick(void)
{
	if (!on || ticks - last_step < INTERVAL)
		return;
	last_step = ticks;
	step();
}

/* Called by a suspended process that is about to return to user mode. A signal lets it through, to come back here afterwards. */
void loadcontrol_wait(void)
{
	evict_all(current->space);
	current->at_rest = true;
	while (current->suspended && !sleep_on(&on))
		;
	current->at_rest = false;
}

int loadcontrol_switch(const char *word)
{
	bool wanted = !strcmp(word, "on");
	if (!wanted && strcmp(word, "off"))
		return -EINVAL;
	on = wanted;
	last_step = last_change = ticks;
	last_major = vm.pgmajfault;
	last_idle = idle_ticks;
	for (struct proc *p = all_procs; p && !on; p = p->next)
		if (p->suspended)
			resume(p);
	return 0;
}

void loadcontrol_show(struct text *t, struct proc *p)
{
	(void)p;
	measure();
	print(t, "%s\n\nworking sets of %u active processes: %u pages; room for %u\n%u suspended now; %u suspensions, %u resumptions\n",
		on ? "on" : "off", active, demand, room, waiting, vm.suspensions, vm.resumptions);
}
