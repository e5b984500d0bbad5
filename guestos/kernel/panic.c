/* guestos/kernel/panic.c: a kernel bug ends here: what happened, where, the registers, the calls that led to it; then the
 * machine halts with interrupts off, so that a debugger finds everything as it was. */
#include "kernel.h"
#include "mm.h"
#include "proc.h"

extern char kernel_start[], kernel_end[];

static void print_calls(uint32_t ebp)
{
	printk("called from:");
	for (int i = 0; i < 12 && ebp >= (uint32_t)kernel_start && !(ebp & 3); i++) {
		if (page_down(ebp) != page_down(ebp + 7))
			break;
		const uint32_t *frame = (const uint32_t *)ebp;
		if (frame[1] < (uint32_t)kernel_start || frame[1] >= (uint32_t)kernel_end || frame[0] <= ebp)
			break;
		printk(" %08x", frame[1]);
		ebp = frame[0];
	}
	printk("\n");
}

static void __attribute__((noreturn)) stop(void)
{
	printk("System halted.\n");
	for (;;) {
		cli();
		halt();
	}
}

void panic(const char *format, ...)
{
	char why[120];
	va_list args;
	cli();
	va_start(args, format);
	vsnprintf(why, sizeof why, format, args);
	va_end(args);
	printk("\nkernel panic: %s\n", why);
	if (current)
		printk("process %s[%d]\n", current->name, current->pid);
	print_calls((uint32_t)__builtin_frame_address(0));
	stop();
}

void panic_trap(const struct trapframe *tf, const char *why)
{
	cli();
	printk("\nkernel panic: %s (vector %u, error code 0x%x)\n", why, tf->vector, tf->error);
	if (current)
		printk("process %s[%d]\n", current->name, current->pid);
	printk("eip %08x cs %04x eflags %08x cr2 %08x cr3 %08x\n", tf->eip, tf->cs, tf->eflags, read_cr2(), read_cr3());
	printk("eax %08x ebx %08x ecx %08x edx %08x\n", tf->eax, tf->ebx, tf->ecx, tf->edx);
	printk("esi %08x edi %08x ebp %08x esp %08x\n", tf->esi, tf->edi, tf->ebp, (uint32_t)&tf->user_esp);
	print_calls(tf->ebp);
	stop();
}
