/* vmtest/sigframes.c: frames on the stack: forged ones, the first Linux', and the floating-point registers in them. */
#include "vmtest.h"
#include "handlers.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Frames that no kernel made */

static void (*forge)(mcontext_t *regs);

static void forging_handler(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info;
	context_of(context)->eip += 2;
	forge(context_of(context));
}

static void bad_cs(mcontext_t *r) { r->cs = 0x08; }
static void null_cs(mcontext_t *r) { r->cs = 3; }
static void data_cs(mcontext_t *r) { r->cs = 0x23; }
static void tss_cs(mcontext_t *r) { r->cs = 0x2b; }
static void bad_ss(mcontext_t *r) { r->ss = 0x10; }
static void null_ss(mcontext_t *r) { r->ss = 0; }
static void code_ss(mcontext_t *r) { r->ss = 0x1b; }
static void kernel_eip(mcontext_t *r) { r->eip = KERNEL; }
static void (*const deadly_forgeries[])(mcontext_t *) = {null_cs, data_cs, tss_cs, null_ss, code_ss, kernel_eip};

static void run_forgery(void *change)
{
	forge = change;
	catch_signal(SIGILL, forging_handler, 0);
	__asm__ volatile("ud2" : : : "memory");
	_exit(42);
}

/* The kernel's own selectors, made to be of ring 3, are valid for nobody. */
static void kernel_selectors(void)
{
	must_be_killed(run_forgery, bad_cs, SIGSEGV);
	must_be_killed(run_forgery, bad_ss, SIGSEGV);
}

static void sigreturn_from(void *esp)
{
	__asm__ volatile("movl %0, %%esp\n\tint $0x80" : : "r"(esp), "a"(SYS_rt_sigreturn) : "memory");
}

static void old_sigreturn_from(void *esp)
{
	__asm__ volatile("movl %0, %%esp\n\tint $0x80" : : "r"(esp), "a"(SYS_sigreturn) : "memory");
}

/* Any value in any word of the saved registers: the program goes on, or ends; it may also run wild, until its alarm. */
static uint32_t forged_word, forged_value;
static void forge_word(mcontext_t *r) { ((uint32_t *)r)[forged_word] = forged_value; }

static void run_forged_word(void *unused)
{
	(void)unused;
	alarm(1);
	run_forgery(forge_word);
}

static void every_word(void)
{
	static const uint32_t values[] = {0, 1, 3, 0x08, 0x10, 0x2b, 0x4f, 0xffff, 0x40000100, KERNEL, 0xfffff000, 0xffffffff};
	uint32_t state = 12, lived = 0;

	for (forged_word = 0; forged_word < sizeof(mcontext_t) / 4; forged_word++)
		for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]) + 2; i++) {
			forged_value = i < sizeof(values) / sizeof(values[0]) ? values[i] : next_random(&state);
			int status = child_status(run_forged_word, NULL);
			CHECK(WIFSIGNALED(status) || status == 42 << 8, "word %u = 0x%08x: wait status 0x%x", (unsigned)forged_word,
				(unsigned)forged_value, status);
			lived += status == 42 << 8;
		}
	note("308 forged frames: %u programs went on, the others ended, and nobody else did", (unsigned)lived);
}

static void bad_frames(void)
{
	static uint32_t noise[300];
	uint32_t state = 4711;

	for (unsigned i = 0; i < sizeof(deadly_forgeries) / sizeof(deadly_forgeries[0]); i++) {
		int status = child_status(run_forgery, deadly_forgeries[i]);
		CHECK(WIFSIGNALED(status) && (WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGBUS), "forgery %u: wait status 0x%x", i, status);
	}
	kernel_selectors();
	must_be_killed(sigreturn_from, (void *)NOWHERE, SIGSEGV);
	must_be_killed(sigreturn_from, (void *)0, SIGSEGV);
	must_be_killed(sigreturn_from, (void *)(KERNEL - 100), SIGSEGV);
	must_be_killed(sigreturn_from, (void *)0xfffffff8, SIGSEGV);
	must_be_killed(old_sigreturn_from, (void *)NOWHERE, SIGSEGV);
	must_be_killed(old_sigreturn_from, (void *)(KERNEL - 300), SIGSEGV);
	for (int i = 0; i < 20; i++) {
		for (unsigned k = 0; k < 300; k++)
			noise[k] = next_random(&state);
		int status = child_status(i % 2 ? sigreturn_from : old_sigreturn_from, noise + 10);
		CHECK(WIFSIGNALED(status), "noise %d: wait status 0x%x", i, status);
	}
}

/* The calls of the first Linux: no siginfo, masks of 32 bits, and code on the stack for the way back. */
static volatile int old_sum;
static void old_handler(int signal) { old_sum += signal; }
static void old_ud(int signal, uint32_t first)
{
	uint32_t *regs = &first;               /* struct sigcontext lies right behind the signal's number */
	__asm__ volatile("" : "+r"(regs) : : "memory");        /* which the compiler need not know */
	old_sum += signal;
	regs[14] += 2;                         /* EIP */
	regs[11] = 99;                         /* EAX */
}

static void old_interface(void)
{
	uint32_t a[4] = {(uint32_t)old_handler, 1u << (SIGUSR2 - 1), 0, 0}, old[4], mask = 1u << (SIGUSR1 - 1), got = 0, eax;

	CHECK_EQ(syscall(SYS_sigaction, SIGUSR1, a, NULL), 0);
	CHECK_EQ(syscall(SYS_sigaction, SIGUSR1, NULL, old), 0);
	CHECK(old[0] == a[0] && old[1] == a[1] && old[2] == 0, "mask 0x%x, flags 0x%x", (unsigned)old[1], (unsigned)old[2]);
	raise(SIGUSR1);
	CHECK_EQ(old_sum, SIGUSR1);
	CHECK_EQ(syscall(SYS_sigprocmask, SIG_BLOCK, &mask, NULL), 0);
	raise(SIGUSR1);
	CHECK_EQ(syscall(SYS_sigpending, &got), 0);
	CHECK_EQ(got, mask);
	CHECK_EQ(old_sum, SIGUSR1);
	CHECK_EQ(syscall(SYS_sigprocmask, SIG_UNBLOCK, &mask, &got), 0);
	CHECK_EQ(got, mask);
	CHECK_EQ(old_sum, 2 * SIGUSR1);
	a[0] = (uint32_t)old_ud;
	CHECK_EQ(syscall(SYS_sigaction, SIGILL, a, NULL), 0);
	__asm__ volatile("ud2" : "=a"(eax) : : "memory");
	CHECK_EQ(eax, 99);
	CHECK_EQ(old_sum, 2 * SIGUSR1 + SIGILL);
	uint32_t rt[5] = {(uint32_t)change_registers, SA_SIGINFO, 0, 0, 0};    /* no restorer here either */
	CHECK_EQ(syscall(SYS_rt_sigaction, SIGILL, rt, NULL, 8), 0);
	__asm__ volatile("ud2" : "=a"(eax) : : "esi", "memory", "cc");
	CHECK_EQ(eax, SPECIAL);
}

/* Floating-point registers: a handler has its own, and those of the program come back, as the handler may have changed them. */

#define LOAD_REGISTERS "fninit\n\tfldcw %2\n\tfldpi\n\tfld1\n\tmovl $0x12345678, %%eax\n\tmovd %%eax, %%xmm3\n\t"
static volatile struct { uint16_t control; uint32_t status_words, top; bool ok; } handler_saw;
static volatile uint32_t new_xmm3, new_mxcsr;

static void compute(int signal, siginfo_t *info, void *context)
{
	uint32_t *fpstate = (uint32_t *)context_of(context)->fpstate;
	uint16_t control;

	see(signal, info, context);
	__asm__ volatile("fnstcw %0" : "=m"(control));
	handler_saw.control = control;
	if (fpstate) {
		/* The old image: control word, tags, and the first register of ten bytes, 1.0. Then FXSAVE's: XMM3 is at 160 + 48. */
		handler_saw.ok = (fpstate[0] & 0xffff) == 0x7f && (fpstate[2] & 0xffff) == 0x0fff && fpstate[7] == 0 && fpstate[8] == 0x80000000 &&
			(fpstate[9] & 0xffff) == 0x3fff && fpstate[27] >> 16 == 0 && fpstate[28 + (160 + 48) / 4] == 0x12345678;
		if (new_xmm3)
			fpstate[28 + (160 + 48) / 4] = new_xmm3;
		if (new_mxcsr)
			fpstate[28 + 24 / 4] = new_mxcsr;
	}
	__asm__ volatile("fninit\n\tfldz\n\tfldz\n\tfldz\n\tmovl $7, %%eax\n\tmovd %%eax, %%xmm3\n\tmovd %%eax, %%xmm0" : : : "eax");
	context_of(context)->eip += 2;
}

static bool has_sse(void)
{
	uint32_t features;

	__asm__ volatile("cpuid" : "=d"(features) : "a"(1) : "ebx", "ecx");
	if ((features & 0x03000001) == 0x03000001)
		return true;
	note("not run: this processor has no SSE");
	return false;
}

static void floating_point(void)
{
	uint32_t bits[2], xmm3;
	uint16_t single = 0x7f, control;       /* a control word that is not the usual one: results of 24 bits */

	if (!has_sse())
		return;
	catch_signal(SIGILL, compute, 0);
	for (int i = 0; i < 3; i++) {
		new_xmm3 = i == 1 ? 0xabcdef01 : 0;
		new_mxcsr = i == 2 ? 0xffff9f80 : 0;   /* with bits that must not be loaded */
		__asm__ volatile(LOAD_REGISTERS "ud2\n\tfaddp\n\tfstps %0\n\tmovd %%xmm3, %1" : "=m"(bits[0]), "=r"(xmm3) : "m"(single) : "eax", "memory");
		__asm__ volatile("fnstcw %0" : "=m"(control));
		CHECK_EQ(control, single);
		CHECK(handler_saw.ok, "the frame does not hold the registers");
		CHECK_EQ(handler_saw.control, 0x37f);
		CHECK(bits[0] == 0x408487ed, "pi + 1 is 0x%08x", (unsigned)bits[0]);
		CHECK(xmm3 == (i == 1 ? 0xabcdef01 : 0x12345678), "XMM3 is 0x%08x", (unsigned)xmm3);
	}
	__asm__ volatile("stmxcsr %0" : "=m"(bits[1]));
	CHECK((bits[1] & 0xffff0000) == 0 && (bits[1] & 0x9f80) == 0x9f80, "MXCSR is 0x%x", (unsigned)bits[1]);
}

/* An fpstate that leads nowhere is a bad frame. */
static void wild_fpstate(mcontext_t *r) { r->fpstate = NOWHERE; }
static void kernel_fpstate(mcontext_t *r) { r->fpstate = KERNEL; }
static void bad_fpstate(void)
{
	must_be_killed(run_forgery, wild_fpstate, SIGSEGV);
	must_be_killed(run_forgery, kernel_fpstate, SIGSEGV);
}

/* Half an image, all ones, before a page that is not there. What has been read of it counts for nothing: the handler that is told of the
 * bad frame finds fresh registers, in its own frame too, and they are loaded when it returns. */
#define HALF 64                        /* bytes of FXSAVE's image; MXCSR is among them */
static uint32_t half_an_image;
static void half_fpstate(mcontext_t *r) { r->fpstate = half_an_image; }

static void end_well(void)
{
	uint32_t mxcsr;
	uint16_t control;

	__asm__ volatile("fnstcw %0\n\tstmxcsr %1" : "=m"(control), "=m"(mxcsr));
	CHECK_EQ(control, 0x37f);
	CHECK(mxcsr == 0x1f80, "MXCSR is 0x%x", (unsigned)mxcsr);
	_exit(42);
}

static void told_of_bad_frame(int signal, siginfo_t *info, void *context)
{
	const uint32_t *fpstate = (const uint32_t *)context_of(context)->fpstate;

	(void)signal, (void)info;
	CHECK(fpstate != NULL, "a frame without floating-point registers");
	CHECK(fpstate[28 + 24 / 4] == 0x1f80, "the frame's MXCSR is 0x%x", (unsigned)fpstate[28 + 24 / 4]);
	CHECK_EQ(fpstate[28] & 0xffff, 0x37f);
	context_of(context)->eip = (uint32_t)end_well;
}

static void half_read(void *unused)
{
	(void)unused;
	__asm__ volatile("fninit\n\tfldpi");
	catch_signal(SIGSEGV, told_of_bad_frame, 0);
	run_forgery(half_fpstate);
}

static void half_read_fpstate(void)
{
	char *p = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (!has_sse())
		return;
	memset(p, 0xff, PAGE_SIZE);
	CHECK_EQ(munmap(p + PAGE_SIZE, PAGE_SIZE), 0);
	half_an_image = (uint32_t)p + PAGE_SIZE - 112 - HALF;
	CHECK_EQ(child_status(half_read, NULL), 42 << 8);
}

const struct test signal_frame_tests[] = {
	{"sig-bad-frames", "sigreturn from forged, missing and random frames ends the program", bad_frames, NULL},
	{"sig-every-word", "any value in any saved register harms only the program itself", every_word, NULL},
	{"sig-old", "sigaction, sigprocmask and sigreturn of the first Linux, without a restorer", old_interface, NULL},
	{"sig-fpu", "a handler computes, and the program's floating-point registers come back", floating_point, NULL},
	{"sig-bad-fpu", "floating-point registers from nowhere end the program", bad_fpstate, NULL},
	{"sig-half-fpu", "of floating-point registers of which a part cannot be read, none are taken", half_read_fpstate, NULL},
	{0}};
