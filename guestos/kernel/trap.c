/* guestos/kernel/trap.c: every exception, interrupt and system call arrives here from boot/traps.S.
 *
 * References: [SDM3A 6.15 "Exception and Interrupt Reference"]. */
#include "dev.h"
#include "mm.h"
#include "proc.h"

static void (*irq_handlers[16])(void);

static const struct { const char *name; int sig; } exceptions[32] = {
	{ "divide error", SIGFPE }, { "debug exception", SIGTRAP }, { "NMI", 0 }, { "breakpoint", SIGTRAP },
	{ "overflow", SIGSEGV }, { "BOUND range exceeded", SIGSEGV }, { "invalid opcode", SIGILL },
	{ "floating-point unit not available", SIGFPE }, { "double fault", 0 }, { "coprocessor segment overrun", SIGFPE },
	{ "invalid TSS", SIGSEGV }, { "segment not present", SIGBUS }, { "stack fault", SIGBUS },
	{ "general protection fault", SIGSEGV }, { "page fault", SIGSEGV }, { "reserved", 0 }, { "floating-point error", SIGFPE },
	{ "alignment check", SIGBUS }, { "machine check", 0 }, { "SIMD floating-point error", SIGFPE },
};

void irq_register(int irq, void (*handler)(void)) { irq_handlers[irq] = handler; }

static void interrupt(struct trapframe *tf)
{
	int irq = tf->vector - T_IRQ0;
	if (pic_spurious(irq))
		return;
	if (irq == 0)
		timer_tick(from_user(tf));
	else if (irq_handlers[irq])
		irq_handlers[irq]();
	pic_eoi(irq);
}

static void exception(struct trapframe *tf)
{
	const char *name = exceptions[tf->vector].name;
	int sig = exceptions[tf->vector].sig;
	if (!from_user(tf) || !sig)
		panic_trap(tf, name ? name : "unknown exception");
	sti();
	printk("%s[%d]: %s (error code 0x%x), eip 0x%08x\n", current->name, current->pid, name, tf->error, tf->eip);
	proc_signal(current, sig);
}

/* The last thing before user mode: a process that was killed, or whose time is over, does not get there. */
void return_to_user(struct trapframe *tf)
{
	(void)tf;
	memory_check_now_and_then();
	if (need_resched || seeded(8))
		set_aside();
	if (current->killed) {
		sti();
		proc_exit(current->killed);
	}
}

void trap(struct trapframe *tf)
{
	if (from_user(tf)) {
		current->tf = tf;
		current->entries++;
	}
	if (tf->vector == T_SYSCALL)
		syscall(tf);
	else if (tf->vector == T_PAGE_FAULT)
		page_fault(tf);
	else if (tf->vector >= T_IRQ0)
		interrupt(tf);
	else
		exception(tf);
	if (from_user(tf))
		return_to_user(tf);
}
