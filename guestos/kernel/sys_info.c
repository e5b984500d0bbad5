/* guestos/kernel/sys_info.c: what the system says about itself, and calls about users, priorities and names that a C library makes.
 *
 * There is one user, 0, so asking who one is and becoming who one is already succeed; everything else about users is EPERM. */
#include "syscalls.h"
#include "mm.h"

int sys_getuid(struct trapframe *tf) { (void)tf; return 0; }
int sys_gettid(struct trapframe *tf) { (void)tf; return current->pid; }
int sys_setuid(struct trapframe *tf) { return ARG0(tf) ? -EPERM : 0; }
int sys_getgroups(struct trapframe *tf) { (void)tf; return 0; }
int sys_setgroups(struct trapframe *tf) { return ARG0(tf) ? -EPERM : 0; }

static bool zero_or_same(uint32_t id) { return !id || id == ~0u; }
int sys_setresuid(struct trapframe *tf) { return zero_or_same(ARG0(tf)) && zero_or_same(ARG1(tf)) && zero_or_same(ARG2(tf)) ? 0 : -EPERM; }

/* Linux returns 20 - nice, so that no result looks like an error. All processes have the same priority. */
int sys_getpriority(struct trapframe *tf) { (void)tf; return 20; }
int sys_setpriority(struct trapframe *tf) { return ARG2(tf) ? -EPERM : 0; }
int sys_nice(struct trapframe *tf) { return ARG0(tf) ? -EPERM : 0; }

int sys_sysinfo(struct trapframe *tf)
{
	struct linux_sysinfo s = { .uptime = ticks / HZ, .totalram = nr_usable, .freeram = nr_free,
		.totalswap = swap_total, .freeswap = swap_total - swap_used, .mem_unit = PAGE_SIZE };
	for (int i = 0; i < 3; i++)
		s.loads[i] = load_average[i] << (16 - LOAD_SHIFT);     /* 16 bits after the point there */
	for (struct proc *p = all_procs; p; p = p->next)
		s.procs++;
	return copy_to_user(ARG0(tf), &s, sizeof s);
}

/* The release is a Linux version, because C libraries refuse to run on one that is older than they know how to use. */
int sys_uname(struct trapframe *tf)
{
	static const char *const words[6] = { "Pagoda", "pagoda", "6.1.0-pagoda", "demand-paged", "i686", "(none)" };
	for (uint32_t i = 0; i < 6; i++) {
		char field[65] = { 0 };
		strlcpy(field, words[i], sizeof field);
		if (copy_to_user(ARG0(tf) + i * sizeof field, field, sizeof field))
			return -EFAULT;
	}
	return 0;
}

#define PR_SET_NAME 15u
#define PR_GET_NAME 16u

int sys_prctl(struct trapframe *tf)
{
	char name[sizeof current->name] = { 0 };
	if (ARG0(tf) == PR_GET_NAME) {
		strlcpy(name, current->name, sizeof name);
		return copy_to_user(ARG1(tf), name, sizeof name);
	}
	if (ARG0(tf) != PR_SET_NAME)
		return -EINVAL;
	int err = copy_string_from_user(name, ARG1(tf), sizeof name - 1);
	if (err == -EFAULT)
		return err;
	name[sizeof name - 1] = 0;
	memcpy(current->name, name, sizeof name);
	return 0;
}

/* A process has one thread, so nobody ever waits for its thread's end or inherits a lock from it; the addresses are not kept. */
int sys_set_tid_address(struct trapframe *tf) { (void)tf; return current->pid; }
int sys_set_robust_list(struct trapframe *tf) { return ARG1(tf) == 12 ? 0 : -EINVAL; }

#define FUTEX_WAIT 0u
#define FUTEX_WAKE 1u

/* With one thread there is nobody to wake. Simplified: waiting, which could only end by a process that shares the page, is not there. */
int sys_futex(struct trapframe *tf)
{
	uint32_t operation = ARG1(tf) & 0x7f, value;
	if (operation > FUTEX_WAKE)
		return -ENOSYS;
	if (ARG0(tf) & 3)
		return -EINVAL;
	if (copy_from_user(&value, ARG0(tf), sizeof value))
		return -EFAULT;
	return operation == FUTEX_WAKE ? 0 : value != ARG2(tf) ? -EAGAIN : -ENOSYS;
}
