/* tests/silicon/native.c: see native.h.
 *
 *   native_run -> enter (64-bit) -> IRETQ -> the case (32-bit) -> jmp far 33h:PAD -> leave (64-bit) -> native_run
 *                                               \-> exception -> signal -> on_signal -> leave_signal -> native_run
 *
 * The code of a case is written through another mapping than it is fetched through: IRET serializes, as that asks for
 * [SDM3A 8.1.3 "Handling Self- and Cross-Modifying Code"]. A case may load FS, whose base the C library lives by, and may set
 * AC: both are put right before any C code runs. Signals are left without sigreturn.
 */
#define _GNU_SOURCE
#include "native.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

uint8_t *native_page[SIL_PAGES];

#if defined(__x86_64__) && defined(__linux__) && !defined(__SANITIZE_ADDRESS__)

#include <asm/ldt.h>
#include <cpuid.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

/* What the assembly below reads and writes; offsets by name in its operands. */
struct gate {
	uint64_t r[8];             /* in: zero-extended */
	uint64_t frame[5];         /* in: rip cs rflags rsp ss, for IRETQ */
	uint64_t flags_out;
	uint64_t host_rsp, fs_base, gs_base;
	uint16_t seg[8];           /* es cs ss ds fs gs */
	uint64_t signal_rsp;
	uint32_t mxcsr, unused;
	uint8_t fx_in[512] __attribute__((aligned(64)));
	uint8_t fx_out[512] __attribute__((aligned(64)));
};
struct gate native_gate __attribute__((aligned(64), visibility("hidden")));
void native_enter(void) __attribute__((visibility("hidden")));
void native_leave(void) __attribute__((visibility("hidden")));
void native_leave_signal(void) __attribute__((visibility("hidden")));
void native_on_signal(int sig, siginfo_t *info, void *context) __attribute__((visibility("hidden")));

#define FIELD(name, member) ".set " #name ", %c[" #member "]\n"
#define OFFSET(member) [member] "i"(offsetof(struct gate, member))

/* In a function only so that it can have operands. */
__attribute__((used, naked, noinline)) static void assembly(void)
{
	__asm__ volatile(
	FIELD(g_r, r) FIELD(g_frame, frame) FIELD(g_flags_out, flags_out) FIELD(g_host_rsp, host_rsp) FIELD(g_fs_base, fs_base)
	FIELD(g_gs_base, gs_base) FIELD(g_seg, seg) FIELD(g_mxcsr, mxcsr) FIELD(g_fx_in, fx_in) FIELD(g_fx_out, fx_out)
	".globl native_enter\n.hidden native_enter\nnative_enter:\n"
	"push %%rbx\npush %%rbp\npush %%r12\npush %%r13\npush %%r14\npush %%r15\n"
	"lea native_gate(%%rip), %%r15\n"
	"mov %%rsp, g_host_rsp(%%r15)\n"
	"rdfsbase %%rax\nmov %%rax, g_fs_base(%%r15)\n"
	"fxrstor g_fx_in(%%r15)\n"
	"movzwl g_seg+6(%%r15), %%eax\nmov %%eax, %%ds\n"
	"movzwl g_seg(%%r15), %%eax\nmov %%eax, %%es\n"
	"movzwl g_seg+8(%%r15), %%eax\nmov %%eax, %%fs\n"
	"movzwl g_seg+10(%%r15), %%eax\nmov %%eax, %%gs\n"
	"mov g_r+0(%%r15), %%rax\nmov g_r+8(%%r15), %%rcx\nmov g_r+16(%%r15), %%rdx\nmov g_r+24(%%r15), %%rbx\n"
	"mov g_r+40(%%r15), %%rbp\nmov g_r+48(%%r15), %%rsi\nmov g_r+56(%%r15), %%rdi\n"
	"lea g_frame(%%r15), %%rsp\n"
	"iretq\n"

	".globl native_leave\n.hidden native_leave\nnative_leave:\n"
	"mov %%rsp, native_gate+g_r+32(%%rip)\n"
	"lea native_gate(%%rip), %%r15\n"
	"mov %%rdi, g_r+56(%%r15)\n"
	"mov g_host_rsp(%%r15), %%rsp\n"
	"pushfq\npop g_flags_out(%%r15)\n"
	"push $2\npopfq\n"
	"mov %%rax, g_r+0(%%r15)\nmov %%rcx, g_r+8(%%r15)\nmov %%rdx, g_r+16(%%r15)\nmov %%rbx, g_r+24(%%r15)\n"
	"mov %%rbp, g_r+40(%%r15)\nmov %%rsi, g_r+48(%%r15)\n"
	"fxsave g_fx_out(%%r15)\n"
	"fninit\nldmxcsr g_mxcsr(%%r15)\n"
	"native_restore:\n"
	"movw %%es, g_seg(%%r15)\nmovw %%ss, g_seg+4(%%r15)\nmovw %%ds, g_seg+6(%%r15)\nmovw %%fs, g_seg+8(%%r15)\nmovw %%gs, g_seg+10(%%r15)\n"
	"xor %%eax, %%eax\nmov %%eax, %%ds\nmov %%eax, %%es\nmov %%eax, %%fs\nmov %%eax, %%gs\n"
	"mov $0x2b, %%eax\nmov %%eax, %%ss\n"
	"mov g_fs_base(%%r15), %%rax\nwrfsbase %%rax\n"
	"mov g_host_rsp(%%r15), %%rsp\n"
	"pop %%r15\npop %%r14\npop %%r13\npop %%r12\npop %%rbp\npop %%rbx\n"
	"ret\n"

	/* The kernel's frame: rdi rsi rdx are the handler's arguments. */
	".globl native_on_signal_raw\n.hidden native_on_signal_raw\nnative_on_signal_raw:\n"
	"testb $4, 0xb8(%%rdx)\njne 1f\n"                   /* uc_mcontext.gregs[REG_CSGSFS]: code of the LDT, or flat */
	"cmpw $0x23, 0xb8(%%rdx)\nje 1f\n"
	"cmpq %[pad], 0xa8(%%rdx)\njne native_on_signal\n"   /* ... [REG_RIP]: a trap after the jump that ends the case */
	"1:\n"
	"lea native_gate(%%rip), %%r15\n"
	"push $2\npopfq\n"
	"mov g_fs_base(%%r15), %%rax\n"
	"movw %%fs, g_seg+8(%%r15)\n"
	"wrfsbase %%rax\n"
	"sub $8, %%rsp\ncall native_on_signal\n"
	"lea native_gate(%%rip), %%r15\n"
	"movw %%es, g_seg(%%r15)\nmovw %%ds, g_seg+6(%%r15)\nmovw %%fs, g_seg+8(%%r15)\nmovw %%gs, g_seg+10(%%r15)\n"
	"xor %%eax, %%eax\nmov %%eax, %%ds\nmov %%eax, %%es\nmov %%eax, %%fs\nmov %%eax, %%gs\n"
	"mov g_fs_base(%%r15), %%rax\nwrfsbase %%rax\n"
	"mov g_host_rsp(%%r15), %%rsp\n"
	"pop %%r15\npop %%r14\npop %%r13\npop %%r12\npop %%rbp\npop %%rbx\n"
	"ret\n"
	: : OFFSET(r), OFFSET(frame), OFFSET(flags_out), OFFSET(host_rsp), OFFSET(fs_base), OFFSET(gs_base), OFFSET(seg), OFFSET(mxcsr),
	    OFFSET(fx_in), OFFSET(fx_out), [pad] "i"(SIL_PAD));
}
void native_on_signal_raw(int sig, siginfo_t *info, void *context) __attribute__((visibility("hidden")));
_Static_assert(offsetof(ucontext_t, uc_mcontext.gregs[REG_CSGSFS]) == 0xb8 && offsetof(ucontext_t, uc_mcontext.gregs[REG_RIP]) == 0xa8,
               "the offsets in native_on_signal_raw");

static struct sil_result *result;      /* where the case in progress reports */
static bool from_signal;               /* ... and has */
static uint8_t *mapping;
static uint8_t signal_stack[65536] __attribute__((aligned(64)));

static void copy_fpu(struct sil_fpu *to, const void *fx) { memcpy(to, fx, sizeof(*to)); }

static bool has_error(int vector)
{
	return vector == VEC_TS || vector == VEC_NP || vector == VEC_SS || vector == VEC_GP || vector == VEC_PF || vector == VEC_AC;
}

void native_on_signal(int sig, siginfo_t *info, void *context)
{
	static const int order[8] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI };
	mcontext_t *m = &((ucontext_t *)context)->uc_mcontext;
	struct sil_state *s = &result->state;

	(void)info;
	if (!(m->gregs[REG_CSGSFS] & 4) && (m->gregs[REG_CSGSFS] & 0xffff) != SIL_CS && m->gregs[REG_RIP] != SIL_PAD) {
		if (sig != SIGALRM)
			signal(sig, SIG_DFL);      /* a fault of the test itself */
		return;
	}
	for (unsigned i = 0; i < 8; i++)
		s->r[i] = (uint32_t)m->gregs[order[i]];
	s->eip = (uint32_t)m->gregs[REG_RIP];
	s->eflags = (uint32_t)m->gregs[REG_EFL];
	s->seg[SEG_SS] = (uint16_t)(m->gregs[REG_CSGSFS] >> 48);
	copy_fpu(&s->fpu, m->fpregs);
	if (s->eip == SIL_PAD) {
		s->eip = 0;                        /* ended; the registers are those of the frame */
		result->vector = SIL_ENDED;
		from_signal = true;
		return;
	}
	result->vector = sig == SIGALRM ? SIL_HUNG : sig == SIGSYS ? SIL_HUNG : (int)m->gregs[REG_TRAPNO];
	result->error = has_error(result->vector) ? (uint32_t)m->gregs[REG_ERR] : 0;
	result->cr2 = result->vector == VEC_PF ? (uint32_t)m->gregs[REG_CR2] : 0;
}

/* 32-bit system calls of random code must not reach the kernel. */
static bool refuse_system_calls(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) && !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static bool map_page(int fd, unsigned page)
{
	static const int rights[SIL_PAGES] = { PROT_READ | PROT_EXEC, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ, PROT_READ | PROT_WRITE };
	void *want = (void *)(uintptr_t)sil_page_address(page);

	native_page[page] = mapping + page * SIL_PAGE;
	sil_background(native_page[page], page);
	if (mmap(want, SIL_PAGE, rights[page], MAP_SHARED | MAP_FIXED_NOREPLACE, fd, page * SIL_PAGE) != want)
		return false;
	/* Present from the start, or the first write to a read-only page would find no page. */
	return *(volatile uint8_t *)want == native_page[page][0];
}

static bool map_pad(void)
{
	static const uint8_t jump[6] = { 0xff, 0x25, 2, 0, 0, 0 };             /* jmp [rip + 2], aligned in case AC is set */
	uint8_t *pad = (uint8_t *)(uintptr_t)SIL_PAD;
	uint64_t target = (uintptr_t)native_leave;

	if (mmap(pad, SIL_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != pad)
		return false;
	memcpy(pad, jump, 6);
	memcpy(pad + 8, &target, 8);
	return !mprotect(pad, SIL_PAGE, PROT_READ | PROT_EXEC);
}

static bool map_all(void)
{
	int fd = memfd_create("silicon", 0);
	bool ok = fd >= 0 && !ftruncate(fd, SIL_PAGES * SIL_PAGE);

	if (ok) {
		mapping = mmap(NULL, SIL_PAGES * SIL_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		ok = mapping != MAP_FAILED;
	}
	for (unsigned page = 0; ok && page < SIL_PAGES; page++)
		ok = map_page(fd, page);
	if (fd >= 0)
		close(fd);
	return ok && map_pad();
}

static bool load_ldt(void)
{
	for (unsigned i = 0; i < SIL_SEGMENTS; i++) {
		const struct sil_segment *s = &sil_ldt[i];
		struct user_desc d = { .entry_number = i, .base_addr = s->base, .limit = s->limit, .seg_32bit = s->flags & SEG_FLAG_DB ? 1 : 0,
		                       .limit_in_pages = s->flags & SEG_FLAG_G ? 1 : 0, .contents = s->access >> 2 & 3,
		                       .read_exec_only = !(s->access >> 1 & 1), .seg_not_present = !(s->access & 0x80) };
		if (syscall(SYS_modify_ldt, 1, &d, sizeof(d)))
			return false;
	}
	return true;
}

static void take_signals(void)
{
	static const int signals[] = { SIGSEGV, SIGFPE, SIGILL, SIGBUS, SIGTRAP, SIGSYS, SIGALRM };
	struct sigaction action = { .sa_sigaction = native_on_signal_raw, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTART };
	stack_t stack = { .ss_sp = signal_stack, .ss_size = sizeof(signal_stack) };

	sigaltstack(&stack, NULL);
	for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
}

bool native_open(const char **why)
{
	if (!(getauxval(AT_HWCAP2) & 2)) {
		*why = "the kernel does not let programs set the FS base";
		return false;
	}
	if (!map_all()) {
		*why = "the addresses the cases use are taken in this process";
		return false;
	}
	if (!load_ldt()) {
		*why = "the kernel has no modify_ldt";
		return false;
	}
	if (!refuse_system_calls()) {
		*why = "seccomp is not available, and 32-bit system calls of random code must not reach the kernel";
		return false;
	}
	take_signals();
	native_gate.mxcsr = 0x1f80;
	return true;
}

void native_close(void)
{
	for (unsigned page = 0; page < SIL_PAGES; page++)
		munmap((void *)(uintptr_t)sil_page_address(page), SIL_PAGE);
	munmap((void *)(uintptr_t)SIL_PAD, SIL_PAGE);
	munmap(mapping, SIL_PAGES * SIL_PAGE);
}

static void load_gate(const struct sil_state *in)
{
	struct gate *g = &native_gate;

	for (unsigned i = 0; i < 8; i++)
		g->r[i] = in->r[i];
	g->frame[0] = in->eip;
	g->frame[1] = in->seg[SEG_CS];
	g->frame[2] = in->eflags;
	g->frame[3] = in->r[R_ESP];
	g->frame[4] = in->seg[SEG_SS];
	memcpy(g->seg, in->seg, sizeof(in->seg));
	memcpy(g->fx_in, &in->fpu, sizeof(in->fpu));
}

static void ended(struct sil_state *s)
{
	const struct gate *g = &native_gate;

	for (unsigned i = 0; i < 8; i++)
		s->r[i] = (uint32_t)g->r[i];
	s->eflags = (uint32_t)g->flags_out;
	s->eip = 0;
	s->seg[SEG_SS] = g->seg[SEG_SS];
	copy_fpu(&s->fpu, g->fx_out);
}

void native_run(const struct sil_state *in, struct sil_result *out)
{
	result = out;
	load_gate(in);
	out->vector = SIL_ENDED;
	from_signal = false;
	out->error = out->cr2 = 0;
	__asm__ volatile("sub $128, %%rsp\ncall native_enter\nadd $128, %%rsp"
	                 : : : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "cc", "memory");
	if (out->vector == SIL_ENDED && !from_signal)
		ended(&out->state);
	for (unsigned i = 0; i < 6; i++)
		if (i != SEG_SS)
			out->state.seg[i] = native_gate.seg[i];
	out->state.seg[SEG_CS] = in->seg[SEG_CS];
	/* A null selector loses its RPL whenever the kernel returns, after a timer interrupt say [SDM2A "IRET"]. */
	for (unsigned i = 0; i < 6; i++)
		if (out->state.seg[i] < 4)
			out->state.seg[i] = 0;
}

void native_name(char *buf, size_t size)
{
	uint32_t id[12] = { 0 }, version = 0, unused;

	__get_cpuid(1, &version, &unused, &unused, &unused);
	for (unsigned i = 0; i < 3; i++)
		__get_cpuid(0x80000002 + i, &id[4 * i], &id[4 * i + 1], &id[4 * i + 2], &id[4 * i + 3]);
	snprintf(buf, size, "%.48s, family %u, model %u, stepping %u", (const char *)id, (version >> 8 & 15) + (version >> 20 & 255),
	         (version >> 4 & 15) | (version >> 12 & 0xf0), version & 15);
}

bool native_studied(void)
{
	unsigned last, vendor[3];

	return __get_cpuid(0, &last, &vendor[0], &vendor[2], &vendor[1]) && !memcmp(vendor, "AuthenticAMD", 12);
}

#else

bool native_open(const char **why)
{
	*why = "only an x86-64 Linux computer, and a build without sanitizers, can run IA-32 code beside the emulator";
	return false;
}
void native_close(void) { }
void native_run(const struct sil_state *in, struct sil_result *out) { (void)in, (void)out; }
void native_name(char *buf, size_t size) { snprintf(buf, size, "none"); }
bool native_studied(void) { return false; }

#endif
