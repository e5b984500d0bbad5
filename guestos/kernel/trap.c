/* guestos/kernel/trap.c: every exception, interrupt and system call arrives here from boot/traps.S.
 *
 * References: [SDM3A 6.15 "Exception and Interrupt Reference"]. */
#include "dev.h"
#include "mm.h"
#include "proc.h"
#include "signal.h"

extern char return_load_gs[], return_load_fs[], return_load_es[], return_load_ds[], return_iret[];

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

/* What an error code that names a descriptor says, in words. [SDM3A 6.13 "Error Code"] */
static const char *selector_words(const struct trapframe *tf, char *to, uint32_t room)
{
	const char *table = tf->error & ERROR_IDT ? "interrupt" : tf->error & ERROR_TI ? "local descriptor" : "global descriptor";
	*to = 0;
	if (tf->vector >= T_INVALID_TSS && tf->vector <= T_GENERAL_PROTECTION && tf->error)
		snprintf(to, room, ": %s %u", table, (tf->error & 0xffff) >> 3);
	return to;
}

static void exception(struct trapframe *tf)
{
	char words[40], where[32];
	const char *name = exceptions[tf->vector].name;
	int sig = exceptions[tf->vector].sig;
	if (!from_user(tf) || !sig)
		panic_trap(tf, name ? name : "unknown exception");
	int code = exceptions[tf->vector].code;
	if (tf->vector == T_DEBUG)
		code = take_debug_status() & DR6_BS ? TRAP_TRACE : TRAP_BRKPT;
	sti();
	if (tf->vector == T_NO_FPU && fpu_unavailable())
		return;
	snprintf(where, sizeof where, tf->cs == SEL_UCODE ? "" : " in code segment 0x%x", tf->cs);
	if (!signal_caught(sig))
		printk("%s[%d]: %s (error code 0x%x%s), eip 0x%08x%s\n", current->name, current->pid, name, tf->error,
			selector_words(tf, words, sizeof words), tf->eip, where);
	signal_force(sig, code, exceptions[tf->vector].at_eip ? tf->eip : 0, tf);
}

/* The last thing before user mode: who has had its time waits, and signals are received. Leaves with interrupts off. */
void return_to_user(struct trapframe *tf)
{
	memory_check_now_and_then();
	if (need_resched || seeded(8))
		set_aside();
	if (current->suspended) {
		sti();
		loadcontrol_wait();
	}
	cli();
	while (signals_wanted(tf)) {
		sti();
		signals_deliver(tf);
		cli();
	}
	current->restartable = false;
}

/* A trap in ring 0 switches no stack, so the frame on whose way out it happened begins where its own ends. */
static uint32_t *interrupted_stack(struct trapframe *tf) { return &tf->user_esp; }

/* The kernel was loading a segment register for a program, and the segment is no more. The register gets 0 instead, as in Linux: a
 * program that uses it has a general protection fault of its own then. The frame is still on the stack, so the load
 * is simply done again. */
static bool repaired_load(struct trapframe *tf)
{
	const uint32_t loads[] = { (uint32_t)return_load_gs, (uint32_t)return_load_fs, (uint32_t)return_load_es, (uint32_t)return_load_ds };
	for (unsigned i = 0; i < ARRAY_SIZE(loads); i++)
		if (tf->eip == loads[i]) {
			interrupted_stack(tf)[i] = 0;  /* struct trapframe begins with them, in this order */
			return true;
		}
	return false;
}

/* IRET could not load the program's CS or SS, or EIP is beyond the limit of CS. IRET changes nothing before it faults, so the program
 * gets the exception as if its next instruction had raised it. Its general registers were back already, and lie in
 * the frame of this fault, which overlaps its old one: hence memmove, and the way out through the old one. */
static void __attribute__((noreturn)) failed_iret(struct trapframe *tf)
{
	struct trapframe *user = current->tf;
	uint32_t vector = tf->vector, error = tf->error;
	if (interrupted_stack(tf) != &user->eip || !from_user(user))
		panic_trap(tf, "the kernel cannot return to itself");
	memmove(user, tf, offsetof(struct trapframe, vector));
	user->vector = vector;
	user->error = error;
	exception(user);
	return_to_user(user);
	enter_user(user);
}

void trap(struct trapframe *tf)
{
	if (!from_user(tf) && tf->vector >= T_INVALID_TSS && tf->vector <= T_GENERAL_PROTECTION) {
		if (repaired_load(tf))
			return;
		if (tf->eip == (uint32_t)return_iret)
			failed_iret(tf);
	}
	if (from_user(tf)) {
		current->tf = tf;
		current->entries++;
		if (tf->vector != T_PAGE_FAULT)
			fault_got_on(tf);
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
