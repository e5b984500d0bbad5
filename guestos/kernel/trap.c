/* guestos/kernel/trap.c: every exception, interrupt and system call arrives here from boot/traps.S.
 *
 * References: [SDM3A 6.15 "Exception and Interrupt Reference"]. */
#include "dev.h"
#include "mm.h"
#include "proc.h"
#include "signal.h"

static void (*irq_handlers[16])(void);

/* at_eip: the address a handler is told is that of the instruction. */
static const struct { const char *name; int sig, code; bool at_eip; } exceptions[32] = {
	{ "divide error", SIGFPE, FPE_INTDIV, true },
	{ "debug exception", SIGTRAP, TRAP_TRACE, true },
	{ "NMI", 0, 0, false },
	{ "breakpoint", SIGTRAP, SI_KERNEL, false },
	{ "overflow", SIGSEGV, SI_KERNEL, false },
	{ "BOUND range exceeded", SIGSEGV, SI_KERNEL, false },
	{ "invalid opcode", SIGILL, ILL_ILLOPN, true },
	{ "floating-point unit not available", SIGFPE, FPE_FLTINV, true },
	{ "double fault", 0, 0, false },
	{ "coprocessor segment overrun", SIGFPE, SI_KERNEL, false },
	{ "invalid TSS", SIGSEGV, SI_KERNEL, false },
	{ "segment not present", SIGBUS, SI_KERNEL, false },
	{ "stack fault", SIGBUS, SI_KERNEL, false },
	{ "general protection fault", SIGSEGV, SI_KERNEL, false },
	{ "page fault", SIGSEGV, SEGV_MAPERR, false },
	{ "reserved", 0, 0, false },
	{ "floating-point error", SIGFPE, FPE_FLTINV, true },
	{ "alignment check", SIGBUS, BUS_ADRALN, false },
	{ "machine check", 0, 0, false },
	{ "SIMD floating-point error", SIGFPE, FPE_FLTINV, true },
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
	int code = exceptions[tf->vector].code;
	if (tf->vector == T_DEBUG)
		code = take_debug_status() & DR6_BS ? TRAP_TRACE : TRAP_BRKPT;
	sti();
	if (!signal_caught(sig))
		printk("%s[%d]: %s (error code 0x%x), eip 0x%08x\n", current->name, current->pid, name, tf->error, tf->eip);
	signal_force(sig, code, exceptions[tf->vector].at_eip ? tf->eip : 0, tf);
}

/* The last thing before user mode: who has had its time waits, and signals are received. Leaves with interrupts off. */
void return_to_user(struct trapframe *tf)
{
	if (need_resched)
		yield();
	cli();
	while (signals_wanted(tf)) {
		sti();
		signals_deliver(tf);
		cli();
	}
	current->restartable = false;
}

void trap(struct trapframe *tf)
{
	if (from_user(tf))
		current->tf = tf;
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
