/* vmtest/handlers.c: the handlers that the tests of signals share; see handlers.h. */
#include "vmtest.h"
#include "handlers.h"

#include <signal.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

volatile struct seen seen;
volatile uint32_t go_to;

void see(int signal, siginfo_t *info, void *context)
{
	mcontext_t *regs = context_of(context);

	seen.count++;
	seen.signal = signal;
	seen.code = info->si_code;
	seen.address = (uint32_t)info->si_addr;
	seen.handler_esp = (uint32_t)&signal - 4;      /* where the return address is */
	memcpy((void *)&seen.regs, regs, sizeof(seen.regs));
	if (info->si_signo != signal)
		seen.signal = -1;
	if (go_to)
		regs->eip = go_to;
}

uint32_t fault_eip, fault_esp;

void check_registers(uint32_t place)
{
	CHECK(seen.regs.eip == fault_eip, "EIP was 0x%08x, not 0x%08x", (unsigned)seen.regs.eip, (unsigned)fault_eip);
	CHECK(seen.regs.esp == fault_esp && seen.regs.esp_at_signal == fault_esp, "ESP was 0x%08x", (unsigned)seen.regs.esp);
	CHECK(seen.regs.eax == place && seen.regs.ebx == 0xb0b0b0b0 && seen.regs.ecx == 0xc0c0c0c0 && seen.regs.edx == 0xd0d0d0d0 &&
		seen.regs.esi == 0x51515151 && seen.regs.edi == 0xd1d1d1d1 && seen.regs.ebp == 0xb9b9b9b9, "a register is wrong");
	CHECK((seen.regs.cs & 3) == 3 && (seen.regs.ss & 3) == 3 && seen.regs.ds == seen.regs.ss && seen.regs.es == seen.regs.ss,
		"CS 0x%x, SS 0x%x", (unsigned)seen.regs.cs, (unsigned)seen.regs.ss);
	CHECK((seen.regs.eflags & 0x201) == 0x201, "EFLAGS 0x%x: CF and IF were set", (unsigned)seen.regs.eflags);
	CHECK(seen.handler_esp % 16 == 12, "the handler began with ESP 0x%08x", (unsigned)seen.handler_esp);
}

void check_fault(int count, int code, uint32_t address, uint32_t error)
{
	CHECK_EQ(seen.count, count);
	CHECK_EQ(seen.signal, SIGSEGV);
	CHECK_EQ(seen.code, code);
	CHECK(seen.address == address && seen.regs.cr2 == address, "address 0x%08x, CR2 0x%08x", (unsigned)seen.address,
		(unsigned)seen.regs.cr2);
	CHECK_EQ(seen.regs.trapno, TRAP_PAGE_FAULT);
	CHECK_EQ(seen.regs.err, error);
}

void skip_two(int signal, siginfo_t *info, void *context)
{
	see(signal, info, context);
	context_of(context)->eip += 2;
}

/* What a handler writes to the saved registers is there afterwards; what it leaves stays. */
void change_registers(int signal, siginfo_t *info, void *context)
{
	mcontext_t *regs = context_of(context);

	(void)signal, (void)info;
	regs->eip += 2;                /* UD2 */
	regs->eax = SPECIAL;
	regs->esi = 0x66666666;
	regs->eflags |= 0x0c1;         /* ZF, SF, CF */
	regs->eflags |= 0x27000;       /* IOPL, NT and VM are not for programs to set */
}

volatile struct heard heard;

void hear(int signal, siginfo_t *info, void *context)
{
	(void)context;
	if (heard.count < 16)
		heard.order[heard.count] = signal;
	heard.count++;
	memcpy((void *)&heard.last, info, sizeof(heard.last));
}

void kill_parent(void *signal) { kill(getppid(), (int)signal); }
