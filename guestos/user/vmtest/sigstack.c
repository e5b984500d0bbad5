/* vmtest/sigstack.c: where handlers run: the alternate stack, stacks that grow or end or are in swap, and what longjmp leaves. */
#include "vmtest.h"
#include "handlers.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define STACK_END 0xbf800000u          /* 8 MB below the top: the stack ends here */

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

const struct test signal_stack_tests[] = {
	{"sig-overflow", "stack overflow is handled on an alternate stack", overflow_caught, NULL},
	{"sig-overflow-fatal", "no room for the frame ends the program, for every kind of wild ESP", overflow_uncaught, NULL},
	{"sig-no-room", "another signal without room for its frame becomes a SIGSEGV that is handled", no_room_is_caught, NULL},
	{"sig-altstack", "the alternate stack's rules; using it up is fatal", alternate_rules, NULL},
	{"sig-grow", "the stack grows for a frame", frame_grows_stack, NULL},
	{"sig-swapped", "a handler whose stack is in swap is called all the same", swapped_out, NULL},
	{"sig-longjmp", "a thousand handlers left by longjmp", longjmp_out, NULL},
	{0}};
