/* guestos/kernel/sys_proc.c: system calls on processes. */
#include "syscalls.h"
#include "fs.h"
#include "mm.h"
#include "dev.h"
#include "signal.h"

int sys_exit(struct trapframe *tf) { proc_exit((ARG0(tf) & 0xff) << 8); }
int sys_fork(struct trapframe *tf) { return proc_fork(tf, &(struct fork_options){ 0 }); }
int sys_vfork(struct trapframe *tf) { return proc_fork(tf, &(struct fork_options){ .borrow = true }); }

#define CLONE_VM             0x00000100u
#define CLONE_VFORK          0x00004000u
#define CLONE_CHILD_CLEARTID 0x00200000u
#define CLONE_CHILD_SETTID   0x01000000u
#define CLONE_SIGNAL         0x000000ffu

/* flags, stack, parent's tid, TLS, child's tid. Only what fork and vfork can do: there are no threads. CLONE_CHILD_CLEARTID is about
 * memory that nobody else sees. */
int sys_clone(struct trapframe *tf)
{
	uint32_t flags = ARG0(tf), known = CLONE_VM | CLONE_VFORK | CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | CLONE_SIGNAL;
	if (flags & ~known || !(flags & CLONE_VM) != !(flags & CLONE_VFORK))
		return -EINVAL;
	return proc_fork(tf, &(struct fork_options){ .borrow = flags & CLONE_VM, .stack = ARG1(tf),
		.tid_to = flags & CLONE_CHILD_SETTID ? ARG4(tf) : 0 });
}
int sys_getpid(struct trapframe *tf) { (void)tf; return current->pid; }
int sys_getppid(struct trapframe *tf) { (void)tf; return current->parent ? current->parent->pid : 0; }
int sys_getpgrp(struct trapframe *tf) { (void)tf; return current->pgid; }

int sys_execve(struct trapframe *tf)
{
	char *path, *name = kmalloc(PATH_MAX);
	int err = name ? copy_string_from_user(name, ARG0(tf), PATH_MAX) : -ENOMEM;
	if (err >= 0)
		err = user_path_at(AT_FDCWD, ARG0(tf), true, &path);
	if (!err) {
		err = proc_exec(path, name, ARG1(tf), ARG2(tf));
		kfree(path);
	}
	kfree(name);
	return err;
}

static struct linux_rusage usage_of(uint32_t utime, uint32_t stime, uint32_t minflt, uint32_t majflt, uint32_t maxrss)
{
	return (struct linux_rusage){
		.utime = { utime / HZ, utime % HZ * (1000000 / HZ) }, .stime = { stime / HZ, stime % HZ * (1000000 / HZ) },
		.minflt = minflt, .majflt = majflt, .maxrss = maxrss * 4,
	};
}

static int wait(int pid, uaddr_t status_to, uint32_t options, uaddr_t usage_to)
{
	struct proc *child = kmalloc(sizeof *child);
	if (!child)
		return -ENOMEM;
	int status, r = proc_wait(pid, options, &status, child);
	if (r > 0 && status_to && copy_to_user(status_to, &status, sizeof status))
		r = -EFAULT;
	if (r > 0 && usage_to) {
		struct linux_rusage u = usage_of(child->utime, child->stime, child->minflt, child->majflt, child->maxrss);
		if (copy_to_user(usage_to, &u, sizeof u))
			r = -EFAULT;
	}
	kfree(child);
	return r;
}

int sys_waitpid(struct trapframe *tf) { return wait(ARG0(tf), ARG1(tf), ARG2(tf), 0); }
int sys_wait4(struct trapframe *tf) { return wait(ARG0(tf), ARG1(tf), ARG2(tf), ARG3(tf)); }

static struct proc *own_or_child(int pid)
{
	struct proc *p = pid ? proc_find(pid) : current;
	return p == current || (p && p->parent == current) ? p : NULL;
}

int sys_setpgid(struct trapframe *tf)
{
	struct proc *p = own_or_child(ARG0(tf));
	if (!p || (int)ARG1(tf) < 0)
		return p ? -EINVAL : -ESRCH;
	p->pgid = ARG1(tf) ? (int)ARG1(tf) : p->pid;
	return 0;
}

int sys_getpgid(struct trapframe *tf)
{
	struct proc *p = ARG0(tf) ? proc_find(ARG0(tf)) : current;
	return p ? p->pgid : -ESRCH;
}

/* Simplified: a session is no more than a group that begins. */
int sys_setsid(struct trapframe *tf)
{
	(void)tf;
	return current->pgid = current->pid;
}

int sys_sched_yield(struct trapframe *tf)
{
	(void)tf;
	yield();
	return 0;
}

int sys_getrusage(struct trapframe *tf)
{
	struct proc *p = current;
	struct linux_rusage u = ARG0(tf) == 0 ? usage_of(p->utime, p->stime, p->minflt, p->majflt, max(p->maxrss, p->space->rss))
		: usage_of(p->child_utime, p->child_stime, p->child_minflt, p->child_majflt, 0);
	if (ARG0(tf) && (int)ARG0(tf) != -1)
		return -EINVAL;
	return copy_to_user(ARG1(tf), &u, sizeof u);
}

#define REBOOT_MAGIC1 0xfee1deadu
#define REBOOT_MAGIC2 672274793u
#define REBOOT_POWER_OFF 0x4321fedcu
#define REBOOT_HALT 0xcdef0123u

int sys_reboot(struct trapframe *tf)
{
	if (ARG0(tf) != REBOOT_MAGIC1 || ARG1(tf) != REBOOT_MAGIC2)
		return -EINVAL;
	if (ARG2(tf) == REBOOT_POWER_OFF || ARG2(tf) == REBOOT_HALT)
		shutdown();
	return -EINVAL;
}
