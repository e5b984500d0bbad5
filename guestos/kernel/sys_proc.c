/* guestos/kernel/sys_proc.c: system calls on processes, memory and time. */
#include "syscalls.h"
#include "fs.h"
#include "mm.h"
#include "dev.h"
#include "signal.h"

int sys_exit(struct trapframe *tf) { proc_exit((ARG0(tf) & 0xff) << 8); }
int sys_fork(struct trapframe *tf) { return proc_fork(tf); }
int sys_getpid(struct trapframe *tf) { (void)tf; return current->pid; }
int sys_getppid(struct trapframe *tf) { (void)tf; return current->parent ? current->parent->pid : 0; }
int sys_getuid(struct trapframe *tf) { (void)tf; return 0; }
int sys_getpgrp(struct trapframe *tf) { (void)tf; return current->pgid; }

int sys_execve(struct trapframe *tf)
{
	char *path = kmalloc(2 * PATH_MAX);
	if (!path)
		return -ENOMEM;
	int err = copy_string_from_user(path + PATH_MAX, ARG0(tf), PATH_MAX);
	if (err >= 0)
		err = path_absolute(path + PATH_MAX, path);
	if (err >= 0)
		err = proc_exec(path, ARG1(tf), ARG2(tf));
	kfree(path);
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

/* Linux' convention: the break after the call; unchanged means refused. */
int sys_brk(struct trapframe *tf)
{
	if (ARG0(tf) >= current->space->brk_start)
		space_set_brk(current->space, ARG0(tf));
	return current->space->brk;
}

static int lock_range(struct trapframe *tf, bool lock)
{
	uint32_t start = ARG0(tf), n = ARG1(tf);
	if (start >= KERNEL_BASE || n > KERNEL_BASE - start)
		return -ENOMEM;
	return space_lock_range(current->space, start, start + n, lock);
}

int sys_mlock(struct trapframe *tf) { return lock_range(tf, true); }
int sys_munlock(struct trapframe *tf) { return lock_range(tf, false); }

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

int sys_sysinfo(struct trapframe *tf)
{
	struct linux_sysinfo s = { .uptime = ticks / HZ, .totalram = nr_usable, .freeram = nr_free, .bufferram = nr_in_state[FRAME_CACHE],
		.totalswap = swap_total, .freeswap = swap_total - swap_used, .mem_unit = PAGE_SIZE };
	for (struct proc *p = all_procs; p; p = p->next)
		s.procs++;
	return copy_to_user(ARG0(tf), &s, sizeof s);
}

int sys_uname(struct trapframe *tf)
{
	static const char *const words[6] = { "Pagoda", "pagoda", "0.1", "demand-paged", "i686", "(none)" };
	for (uint32_t i = 0; i < 6; i++) {
		char field[65] = { 0 };
		strlcpy(field, words[i], sizeof field);
		if (copy_to_user(ARG0(tf) + i * sizeof field, field, sizeof field))
			return -EFAULT;
	}
	return 0;
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

/* CLOCK_REALTIME 0, CLOCK_MONOTONIC 1. */
int sys_clock_gettime(struct trapframe *tf)
{
	int32_t ts[2] = { (ARG0(tf) ? 0 : boot_time) + ticks / HZ, ticks % HZ * (1000000000 / HZ) };
	return ARG0(tf) > 1 ? -EINVAL : copy_to_user(ARG1(tf), ts, sizeof ts);
}

/* If a signal comes, what is left is reported; if it turns out that no handler runs, restart_syscall goes on sleeping. */
static int sleep_until(uint32_t until, uaddr_t left_to)
{
	bool interrupted = false;
	while (!interrupted && (int32_t)(until - ticks) > 0)
		interrupted = sleep_ticks(current, until - ticks, true);
	uint32_t left = interrupted ? max((int32_t)(until - ticks), 0) : 0;
	int32_t ts[2] = { left / HZ, left % HZ * (1000000000 / HZ) };
	current->sleep_until = until;
	current->sleep_left = left_to;
	if (left_to && copy_to_user(left_to, ts, sizeof ts))
		return -EFAULT;
	return interrupted ? -ERESTART_RESTARTBLOCK : 0;
}

int sys_nanosleep(struct trapframe *tf)
{
	int32_t ts[2];
	if (copy_from_user(ts, ARG0(tf), sizeof ts))
		return -EFAULT;
	if (ts[0] < 0 || ts[1] < 0 || ts[1] >= 1000000000)
		return -EINVAL;
	uint32_t n = min((uint32_t)ts[0], 0x7fffffffu / HZ - 1) * HZ + (ts[1] + 1000000000 / HZ - 1) / (1000000000 / HZ);
	return sleep_until(ticks + n + (n > 0), ARG1(tf));
}

/* Only return_to_user() asks for this. A program that does finds its last sleep long over. */
int sys_restart_syscall(struct trapframe *tf)
{
	(void)tf;
	return sleep_until(current->sleep_until, current->sleep_left);
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
