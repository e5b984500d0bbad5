/* vmtest/signals.c: handlers for faults: what they are told, where they run, and what their return does.
 * Frames that programs made or changed are in sigframes.c; signals between processes, and the calls they interrupt, in signals2.c. */
#include "vmtest.h"
#include "handlers.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define STACK_END 0xbf800000u          /* 8 MB below the top: the stack ends here */

volatile struct seen seen;
static volatile uint32_t go_to;                /* where see() continues, unless 0 */

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

/* Every register but ESP has a value of its own when the instruction faults at label 1; the handler continues at label 2. */
#define FAULT_WITH_REGISTERS(instruction) __asm__ volatile( \
	"pushl %%ebp\n\tmovl $2f, go_to\n\tmovl $1f, fault_eip\n\tmovl %%esp, fault_esp\n\tmovl %0, %%eax\n\tmovl $0xb0b0b0b0, %%ebx\n\t" \
	"movl $0xc0c0c0c0, %%ecx\n\tmovl $0xd0d0d0d0, %%edx\n\tmovl $0x51515151, %%esi\n\tmovl $0xd1d1d1d1, %%edi\n\t" \
	"movl $0xb9b9b9b9, %%ebp\n\tstc\n1:\t" instruction "\n2:\tpopl %%ebp" \
	: : "r"(place) : "eax", "ebx", "ecx", "edx", "esi", "edi", "memory", "cc")
static uint32_t fault_eip __attribute__((used)), fault_esp __attribute__((used));

static void check_registers(uint32_t place)
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

static void check_fault(int count, int code, uint32_t address, uint32_t error)
{
	CHECK_EQ(seen.count, count);
	CHECK_EQ(seen.signal, SIGSEGV);
	CHECK_EQ(seen.code, code);
	CHECK(seen.address == address && seen.regs.cr2 == address, "address 0x%08x, CR2 0x%08x", (unsigned)seen.address,
		(unsigned)seen.regs.cr2);
	CHECK_EQ(seen.regs.trapno, TRAP_PAGE_FAULT);
	CHECK_EQ(seen.regs.err, error);
}

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

static void skip_two(int signal, siginfo_t *info, void *context)
{
	see(signal, info, context);
	context_of(context)->eip += 2;
}

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

/* The alternate stack */

static char stack[SIGSTKSZ] __attribute__((aligned(4096)));

static void use_alternate(void)
{
	stack_t s = {.ss_sp = stack, .ss_size = sizeof(stack)};
	CHECK_EQ(sigaltstack(&s, NULL), 0);
}

static volatile int errors;
static void restore_stack(int signal, siginfo_t *info, void *context)
{
	stack_t now, other = {.ss_sp = stack, .ss_size = sizeof(stack)};
	mcontext_t *regs = context_of(context);

	see(signal, info, context);
	errors += sigaltstack(NULL, &now) != 0 || now.ss_flags != SS_ONSTACK || now.ss_sp != (void *)stack;
	errors += sigaltstack(&other, NULL) != -1 || errno != EPERM;
	regs->esp = regs->esi;
	regs->eip = go_to;
}

#define PUSH_AT(esp) __asm__ volatile( \
	"movl %%esp, %%esi\n\tmovl $1f, go_to\n\tmovl %0, %%esp\n\tpushl $1\n\tmovl %%esi, %%esp\n1:" : : "r"(esp) : "esi", "memory")

static void overflow_caught(void)
{
	catch_signal(SIGSEGV, restore_stack, SA_ONSTACK);
	use_alternate();
	for (int i = 1; i <= 3; i++) {
		PUSH_AT(STACK_END);
		check_fault(i, SEGV_MAPERR, STACK_END - 4, FAULT_USER | FAULT_WRITE);
		CHECK(seen.handler_esp >= (uint32_t)stack && seen.handler_esp < (uint32_t)stack + sizeof(stack), "the handler ran at 0x%08x",
			(unsigned)seen.handler_esp);
		CHECK_EQ(errors, 0);
	}
}

static void overflow_with_handler(void *esp)
{
	catch_signal(SIGSEGV, restore_stack, 0);
	PUSH_AT(esp);
}

/* Without an alternate stack there is nowhere to put the frame. */
static void overflow_uncaught(void)
{
	must_be_killed(overflow_with_handler, (void *)STACK_END, SIGSEGV);
	must_be_killed(overflow_with_handler, (void *)NOWHERE, SIGSEGV);
	must_be_killed(overflow_with_handler, (void *)0, SIGSEGV);
	must_be_killed(overflow_with_handler, (void *)0x80, SIGSEGV);
	must_be_killed(overflow_with_handler, (void *)KERNEL, SIGSEGV);
	must_be_killed(overflow_with_handler, (void *)0xfffffff0, SIGSEGV);
}

/* A signal other than SIGSEGV whose frame has no room becomes a SIGSEGV, whose handler has a stack. */
static void no_room_is_caught(void)
{
	catch_signal(SIGILL, see, 0);
	catch_signal(SIGSEGV, restore_stack, SA_ONSTACK);
	use_alternate();
	__asm__ volatile("movl %%esp, %%esi\n\tmovl $1f, go_to\n\tmovl %0, %%esp\n\tud2\n1:" : : "r"(NOWHERE) : "esi", "memory");
	CHECK_EQ(seen.count, 1);
	CHECK_EQ(seen.signal, SIGSEGV);
	CHECK_EQ(seen.code, SI_KERNEL);
	CHECK_EQ(seen.regs.esp, NOWHERE);
}

/* A handler on the alternate stack whose own fault comes there, too, until the next frame does not fit. It needs no stack itself. */
static void dive(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info, (void)context;
	__asm__ volatile("ud2");
}

static void use_up_alternate(void *unused)
{
	(void)unused;
	catch_signal(SIGILL, dive, SA_ONSTACK | SA_NODEFER);
	use_alternate();
	__asm__ volatile("ud2");
}

/* What a handler writes to uc_stack is the alternate stack after its return. */
static void disable_stack(int signal, siginfo_t *info, void *context)
{
	see(signal, info, context);
	((ucontext_t *)context)->uc_stack.ss_flags = SS_DISABLE;
	context_of(context)->eip += 2;
}

static void alternate_rules(void)
{
	stack_t s = {.ss_sp = stack, .ss_size = MINSIGSTKSZ - 1}, old;

	CHECK_ERROR(sigaltstack(&s, NULL), ENOMEM);
	s.ss_flags = 8;
	CHECK_ERROR(sigaltstack(&s, NULL), EINVAL);
	CHECK_ERROR(sigaltstack((stack_t *)NOWHERE, NULL), EFAULT);
	use_alternate();
	CHECK_EQ(sigaltstack(NULL, &old), 0);
	CHECK(old.ss_sp == (void *)stack && old.ss_size == sizeof(stack) && old.ss_flags == 0, "flags %d", old.ss_flags);
	catch_signal(SIGILL, disable_stack, SA_ONSTACK);
	__asm__ volatile("ud2" : : : "memory");
	CHECK(seen.handler_esp >= (uint32_t)stack && seen.handler_esp < (uint32_t)stack + sizeof(stack), "the handler ran at 0x%08x",
		(unsigned)seen.handler_esp);
	CHECK_EQ(sigaltstack(NULL, &old), 0);
	CHECK_EQ(old.ss_flags, SS_DISABLE);
	use_alternate();
	s.ss_flags = SS_DISABLE;
	CHECK_EQ(sigaltstack(&s, &old), 0);
	CHECK_EQ(sigaltstack(NULL, &old), 0);
	CHECK_EQ(old.ss_flags, SS_DISABLE);
	must_be_killed(use_up_alternate, NULL, SIGSEGV);
}

/* The frame needs more stack than is there: it grows for the frame, as it would for a push. */
static void frame_grows_stack(void)
{
	uint32_t low, esp;

	catch_signal(SIGILL, skip_two, 0);
	__asm__ volatile("movl %%esp, %0" : "=r"(esp));
	low = PAGE_OF(esp) - 20 * PAGE_SIZE;
	CHECK(!page_of((void *)(low - 1)).present, "the stack is there already");
	__asm__ volatile("movl %%esp, %%esi\n\tmovl %0, %%esp\n\tud2\n\tmovl %%esi, %%esp" : : "r"(low + 16) : "esi", "memory");
	CHECK_EQ(seen.count, 1);
	CHECK_EQ(seen.regs.esp, low + 16);
	CHECK(page_of((void *)(low - 1)).present, "the frame was not below");
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

/* The handler's code, its stack and what it touches are all in swap or not read yet. */
static char far_stack[4 * PAGE_SIZE] __attribute__((aligned(4096)));
static char far_page[PAGE_SIZE] __attribute__((aligned(4096)));

static void __attribute__((aligned(4096))) far_handler(int signal, siginfo_t *info, void *context)
{
	see(signal, info, context);
	seen.handler_esp = (uint32_t)&signal - 4;
	far_page[5]++;
	context_of(context)->eip = go_to;
}

static void swapped_out(void)
{
	stack_t s = {.ss_sp = far_stack, .ss_size = sizeof(far_stack)};

	memset(far_stack, 1, sizeof(far_stack));
	far_page[5] = 8;
	catch_signal(SIGSEGV, far_handler, SA_ONSTACK);
	CHECK_EQ(sigaltstack(&s, NULL), 0);
	for (int i = 1; i <= 3; i++) {
		uint32_t place = NOWHERE + i;
		squeeze_out(far_stack, 4);
		long in = vm_counter("swap_ins");
		FAULT_WITH_REGISTERS("movl (%%eax), %%ebx");
		check_registers(place);
		check_fault(i, SEGV_MAPERR, place, FAULT_USER);
		CHECK(vm_counter("swap_ins") > in, "the alternate stack was not in swap");
		CHECK_EQ(far_page[5], 8 + i);
		CHECK_EQ(far_stack[0], 1);
	}
}

/* Leaving handlers by longjmp leaves nothing behind, in the kernel or on the stack. */
static jmp_buf back;
static void jump(int signal, siginfo_t *info, void *context)
{
	see(signal, info, context);
	longjmp(back, 1);
}

static void longjmp_out(void)
{
	volatile int n = 0;
	volatile uint32_t first = 0;

	catch_signal(SIGSEGV, jump, SA_NODEFER);
	while (n < 1000) {
		if (setjmp(back) == 0) {
			*(volatile char *)NOWHERE = 1;
			CHECK(false, "the write went on");
		}
		n++;
		if (n == 1)
			first = seen.handler_esp;
		CHECK(seen.handler_esp == first, "time %d: the handler's ESP is 0x%08x, not 0x%08x", n, (unsigned)seen.handler_esp, (unsigned)first);
	}
	CHECK_EQ(seen.count, 1000);
}

const struct test signal_tests[] = {
	{"sig-read", "a read fault's handler gets address, error code and every register", read_fault, NULL},
	{"sig-write", "so does a write fault's: nothing mapped, or read-only", write_fault, NULL},
	{"sig-exec", "a jump to address 0 is caught, and returned from", exec_fault, NULL},
	{"sig-retry", "the access is made again until the handler has mapped the page", return_retries, NULL},
	{"sig-registers", "registers and flags the handler changes are changed, others not", registers_change, NULL},
	{"sig-codes", "SIGFPE, SIGILL, SIGTRAP and a bad selector have the right code, address and vector", codes, NULL},
	{"sig-step", "TF: SIGTRAP after every instruction until the handler clears it", single_step, NULL},
	{"sig-overflow", "stack overflow is handled on an alternate stack", overflow_caught, NULL},
	{"sig-overflow-fatal", "no room for the frame ends the program, for every kind of wild ESP", overflow_uncaught, NULL},
	{"sig-no-room", "another signal without room for its frame becomes a SIGSEGV that is handled", no_room_is_caught, NULL},
	{"sig-altstack", "the alternate stack's rules; using it up is fatal", alternate_rules, NULL},
	{"sig-grow", "the stack grows for a frame", frame_grows_stack, NULL},
	{"sig-deadly", "a fault that is blocked, ignored, or made by its own handler ends the program", deadly, NULL},
	{"sig-refused", "wrong signals, sizes and addresses are errors; EFAULT is no signal", refused, NULL},
	{"sig-swapped", "a handler whose stack is in swap is called all the same", swapped_out, NULL},
	{"sig-longjmp", "a thousand handlers left by longjmp", longjmp_out, NULL},
	{0}};
