/* guestos/kernel/sys_limit.c: limits of what a process may use.
 *
 * Each limit is a pair: what holds now, and how far the process may raise that itself. Children inherit them. Those that mean something here:
 *   RLIMIT_RSS    resident pages: beyond it the process replaces its own (mm/evict.c)
 *   RLIMIT_STACK  how far the stack grows, if less than STACK_LIMIT (mm/fault.c)
 *   RLIMIT_DATA, RLIMIT_AS  the heap, and all regions together (mm/mmap.c)
 * The others are kept and told, nothing more. There is one user, root, who may raise everything. */
#include "syscalls.h"
#include "mm.h"

void rlimits_init(struct proc *p)
{
	for (uint32_t i = 0; i < RLIMITS; i++)
		p->rlimits[i] = (struct linux_rlimit){ RLIM_INFINITY, RLIM_INFINITY };
	p->rlimits[RLIMIT_STACK].soft = STACK_LIMIT;
	p->rlimits[RLIMIT_NPROC] = (struct linux_rlimit){ MAX_PROCS, MAX_PROCS };
	p->rlimits[RLIMIT_NOFILE] = (struct linux_rlimit){ MAX_FILES, MAX_FILES };
}

static int set(struct proc *p, uint32_t which, struct linux_rlimit limit)
{
	if (limit.soft > limit.hard)
		return -EINVAL;
	if (which == RLIMIT_NOFILE && limit.hard > MAX_FILES)
		return -EPERM;
	p->rlimits[which] = limit;
	return 0;
}

int sys_setrlimit(struct trapframe *tf)
{
	struct linux_rlimit limit;
	if (ARG0(tf) >= RLIMITS)
		return -EINVAL;
	if (copy_from_user(&limit, ARG1(tf), sizeof limit))
		return -EFAULT;
	return set(current, ARG0(tf), limit);
}

int sys_getrlimit(struct trapframe *tf)
{
	return ARG0(tf) < RLIMITS ? copy_to_user(ARG1(tf), &current->rlimits[ARG0(tf)], sizeof current->rlimits[0]) : -EINVAL;
}

/* Number 76, from when the numbers were signed: infinity is the largest of those. */
int sys_old_getrlimit(struct trapframe *tf)
{
	if (ARG0(tf) >= RLIMITS)
		return -EINVAL;
	struct linux_rlimit limit = current->rlimits[ARG0(tf)];
	limit.soft = min(limit.soft, 0x7fffffffu);
	limit.hard = min(limit.hard, 0x7fffffffu);
	return copy_to_user(ARG1(tf), &limit, sizeof limit);
}

static uint64_t widen(uint32_t v) { return v == RLIM_INFINITY ? ~0ull : v; }
static uint32_t narrow(uint64_t v) { return v >= RLIM_INFINITY ? RLIM_INFINITY : v; }

/* prlimit64(pid, which, new, old): either pointer may be null. */
int sys_prlimit64(struct trapframe *tf)
{
	struct linux_rlimit64 wanted, old;
	uint32_t which = ARG1(tf);
	if (which >= RLIMITS)
		return -EINVAL;
	if (ARG2(tf) && copy_from_user(&wanted, ARG2(tf), sizeof wanted))
		return -EFAULT;
	struct proc *p = ARG0(tf) ? proc_find(ARG0(tf)) : current;
	if (!p)
		return -ESRCH;
	old = (struct linux_rlimit64){ widen(p->rlimits[which].soft), widen(p->rlimits[which].hard) };
	int err = ARG2(tf) ? set(p, which, (struct linux_rlimit){ narrow(wanted.soft), narrow(wanted.hard) }) : 0;
	if (!err && ARG3(tf))
		err = copy_to_user(ARG3(tf), &old, sizeof old);
	return err;
}
