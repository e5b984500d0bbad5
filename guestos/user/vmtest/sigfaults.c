/* vmtest/sigfaults.c: handlers for faults: what they are told, and what their return does.
 * Where they run is in sigstack.c. */
#include "vmtest.h"
#include "handlers.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

static void read_fault(void)
{
	uint32_t place = NOWHERE + 0x123;

	catch_signal(SIGSEGV, see, 0);
	FAULT_WITH_REGISTERS("movl (%%eax), %%ebx");
	check_registers(place);
	check_fault(1, SEGV_MAPERR, place, FAULT_USER);
	place = KERNEL;
	FAULT_WITH_REGISTERS("movl (%%eax), %%ebx");
	check_registers(place);
	check_fault(2, SEGV_MAPERR, place, FAULT_USER | FAULT_PRESENT);
	place = 0xf0000000;                    /* nothing is there, but that is the kernel's affair */
	FAULT_WITH_REGISTERS("movl (%%eax), %%ebx");
	check_fault(3, SEGV_MAPERR, place, FAULT_USER | FAULT_PRESENT);
}

static void write_fault(void)
{
	uint32_t place = NOWHERE + 0xffd;      /* over a page's end: the second page is not even looked at */

	catch_signal(SIGSEGV, see, 0);
	FAULT_WITH_REGISTERS("movb $1, (%%eax)");
	check_registers(place);
	check_fault(1, SEGV_MAPERR, place, FAULT_USER | FAULT_WRITE);
	place = (uint32_t)write_fault;
	FAULT_WITH_REGISTERS("incl (%%eax)");
	check_registers(place);
	check_fault(2, SEGV_ACCERR, place, FAULT_USER | FAULT_WRITE | FAULT_PRESENT);
}

static void return_from_jump(int signal, siginfo_t *info, void *context)
{
	mcontext_t *regs = context_of(context);

	see(signal, info, context);
	regs->eip = *(uint32_t *)regs->esp;    /* as RET would */
	regs->esp += 4;
	regs->eax = 77;
}

static void exec_fault(void)
{
	catch_signal(SIGSEGV, return_from_jump, 0);
	CHECK_EQ(((int (*)(void))0)(), 77);
	check_fault(1, SEGV_MAPERR, 0, FAULT_USER);
	CHECK_EQ(seen.regs.eip, 0);
	CHECK_EQ(((int (*)(void))NOWHERE)(), 77);
	check_fault(2, SEGV_MAPERR, NOWHERE, FAULT_USER);
	CHECK_EQ(seen.regs.eip, NOWHERE);
}

/* The access is made again when the handler returns. */
static volatile int tries;
static void map_at_third_try(int signal, siginfo_t *info, void *context)
{
	see(signal, info, context);
	if (++tries == 3)
		brk((void *)(PAGE_OF(info->si_addr) + PAGE_SIZE));
}

static void return_retries(void)
{
	char *end = grow_heap(1) + PAGE_SIZE;

	catch_signal(SIGSEGV, map_at_third_try, 0);
	*(volatile uint32_t *)(end + 40) = 12345;
	CHECK_EQ(tries, 3);
	CHECK_EQ(*(volatile uint32_t *)(end + 40), 12345);
	check_fault(3, SEGV_MAPERR, (uint32_t)end + 40, FAULT_USER | FAULT_WRITE);
}

static void registers_change(void)
{
	uint32_t eax, esi, flags, ecx;

	catch_signal(SIGILL, change_registers, 0);
	__asm__ volatile("movl $0xcccccccc, %%ecx\n\txorl %%eax, %%eax\n\tincl %%eax\n\tud2\n\tpushfl\n\tpopl %%edx"
		: "=a"(eax), "=S"(esi), "=d"(flags), "=c"(ecx) : : "cc");
	CHECK(eax == SPECIAL && esi == 0x66666666 && ecx == 0xcccccccc, "EAX %x ESI %x ECX %x", (unsigned)eax, (unsigned)esi, (unsigned)ecx);
	CHECK((flags & 0xc1) == 0xc1 && !(flags & 0x27000), "EFLAGS %x", (unsigned)flags);
}

/* SIGFPE, SIGILL, SIGTRAP */

static void codes(void)
{
	uint32_t at;

	catch_signal(SIGFPE, skip_two, 0);
	catch_signal(SIGILL, skip_two, 0);
	catch_signal(SIGTRAP, see, 0);
	__asm__ volatile("movl $1f, %0\n\txorl %%ecx, %%ecx\n1:\tdivl %%ecx" : "=&r"(at) : : "eax", "ecx", "edx");
	CHECK(seen.signal == SIGFPE && seen.code == FPE_INTDIV && seen.address == at && seen.regs.trapno == 0 && seen.regs.eip == at,
		"DIV: signal %d, code %d, address 0x%x", seen.signal, seen.code, (unsigned)seen.address);
	__asm__ volatile("movl $1f, %0\n1:\tud2" : "=&r"(at));
	CHECK(seen.signal == SIGILL && seen.code == ILL_ILLOPN && seen.address == at && seen.regs.trapno == 6,
		"UD2: signal %d, code %d, address 0x%x", seen.signal, seen.code, (unsigned)seen.address);
	__asm__ volatile("movl $1f, %0\n\tint3\n1:" : "=&r"(at));
	CHECK(seen.signal == SIGTRAP && seen.code == SI_KERNEL && seen.regs.trapno == 3 && seen.regs.eip == at,
		"INT3: signal %d, code %d, EIP 0x%x", seen.signal, seen.code, (unsigned)seen.regs.eip);
	CHECK_EQ(seen.count, 3);
	catch_signal(SIGSEGV, skip_two, 0);
	__asm__ volatile("movl $0x10, %%eax\n\tmovl %%eax, %%fs" : : : "eax");         /* a selector of ring 0 */
	CHECK(seen.signal == SIGSEGV && seen.code == SI_KERNEL && seen.regs.trapno == 13 && seen.regs.err == 0x10 && seen.address == 0,
		"#GP: signal %d, code %d, error 0x%x", seen.signal, seen.code, (unsigned)seen.regs.err);
}

static volatile int steps;
static void count_step(int signal, siginfo_t *info, void *context)
{
	see(signal, info, context);
	if (++steps == 5)
		context_of(context)->eflags &= ~EFLAGS_TF;
}

static void single_step(void)
{
	uint32_t count;

	catch_signal(SIGTRAP, count_step, 0);
	__asm__ volatile("xorl %%eax, %%eax\n\tpushfl\n\torl $0x100, (%%esp)\n\tpopfl\n\tincl %%eax\n\tincl %%eax\n\tincl %%eax\n\tincl %%eax\n\t"
		"incl %%eax\n\tincl %%eax\n\tincl %%eax" : "=a"(count) : : "cc", "memory");
	CHECK_EQ(steps, 5);
	CHECK_EQ(count, 7);
	CHECK_EQ(seen.code, TRAP_TRACE);
	CHECK_EQ(seen.regs.eax, 5);
}

/* Being deadly after all */

static void fault_while_blocked(void *unused)
{
	sigset_t set = sigmask(SIGSEGV);

	(void)unused;
	catch_signal(SIGSEGV, see, 0);
	sigprocmask(SIG_BLOCK, &set, NULL);
	go_to = 0;
	*(volatile int *)NOWHERE = 1;
}

static void fault_while_ignored(void *unused)
{
	(void)unused;
	signal(SIGSEGV, SIG_IGN);
	*(volatile int *)NOWHERE = 1;
}

static void fault_in_handler(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info, (void)context;
	*(volatile int *)(NOWHERE + 4) = 1;
}

static void fault_twice(void *flags)
{
	catch_signal(SIGSEGV, fault_in_handler, (int)flags);
	*(volatile int *)NOWHERE = 1;
}

static void deadly(void)
{
	must_be_killed(fault_while_blocked, NULL, SIGSEGV);
	must_be_killed(fault_while_ignored, NULL, SIGSEGV);
	must_be_killed(fault_twice, NULL, SIGSEGV);
	must_be_killed(fault_twice, (void *)SA_RESETHAND, SIGSEGV);
	must_be_killed(fault_twice, (void *)SA_NODEFER, SIGSEGV);      /* until the stack is full */
}

/* SIGKILL and SIGSTOP cannot be caught, odd numbers are no signals, and EFAULT is an error, not a fault. */
static void refused(void)
{
	struct sigaction a = {.sa_handler = SIG_IGN}, old;
	sigset_t set = ~(sigset_t)0, got;

	CHECK_ERROR(sigaction(SIGKILL, &a, NULL), EINVAL);
	CHECK_ERROR(sigaction(SIGSTOP, &a, NULL), EINVAL);
	CHECK_EQ(sigaction(SIGKILL, NULL, &old), 0);
	CHECK_ERROR(sigaction(0, &a, NULL), EINVAL);
	CHECK_ERROR(sigaction(65, &a, NULL), EINVAL);
	CHECK_ERROR(syscall(SYS_rt_sigaction, SIGINT, &a, NULL, 4), EINVAL);
	CHECK_ERROR(syscall(SYS_rt_sigaction, SIGINT, NOWHERE, NULL, 8), EFAULT);
	CHECK_ERROR(syscall(SYS_rt_sigaction, SIGINT, NULL, KERNEL, 8), EFAULT);
	CHECK_ERROR(sigprocmask(7, &set, NULL), EINVAL);
	CHECK_EQ(sigprocmask(SIG_SETMASK, &set, NULL), 0);
	CHECK_EQ(sigprocmask(SIG_BLOCK, NULL, &got), 0);
	CHECK(got == ~(sigmask(SIGKILL) | sigmask(SIGSTOP)), "mask %08x%08x", (unsigned)(got >> 32), (unsigned)got);
	set = 0;
	sigprocmask(SIG_SETMASK, &set, NULL);
	catch_signal(SIGSEGV, see, 0);
	CHECK_ERROR(write(1, (void *)NOWHERE, 10), EFAULT);
	CHECK_ERROR(pipe((int *)NOWHERE), EFAULT);
	CHECK_EQ(seen.count, 0);
}

const struct test signal_fault_tests[] = {
	{"sig-read", "a read fault's handler gets address, error code and every register", read_fault, NULL},
	{"sig-write", "so does a write fault's: nothing mapped, or read-only", write_fault, NULL},
	{"sig-exec", "a jump to address 0 is caught, and returned from", exec_fault, NULL},
	{"sig-retry", "the access is made again until the handler has mapped the page", return_retries, NULL},
	{"sig-registers", "registers and flags the handler changes are changed, others not", registers_change, NULL},
	{"sig-codes", "SIGFPE, SIGILL, SIGTRAP and a bad selector have the right code, address and vector", codes, NULL},
	{"sig-step", "TF: SIGTRAP after every instruction until the handler clears it", single_step, NULL},
	{"sig-deadly", "a fault that is blocked, ignored, or made by its own handler ends the program", deadly, NULL},
	{"sig-refused", "wrong signals, sizes and addresses are errors; EFAULT is no signal", refused, NULL},
	{0}};
