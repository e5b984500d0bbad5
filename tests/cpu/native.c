/* tests/cpu/native.c: see native.h. */
#define _GNU_SOURCE
#include "native.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define GATE 0x36a59000u               /* the code that switches, and its variables */

/* Lives at GATE, so that both modes reach it with 32-bit addresses. */
struct gate {
	uint64_t host_rsp;
	uint32_t r[8];
	uint64_t eflags;
	uint32_t far_offset;
	uint16_t far_selector;
	uint8_t code[256];
};
#define AT(field) ((uint32_t)(GATE + offsetof(struct gate, field)))

static volatile sig_atomic_t fault_vector;
static struct native_state fault_state;
static uint32_t leave_address;
static uint8_t signal_stack[65536];

static uint8_t *bytes(uint8_t *p, const char *s, unsigned n) { memcpy(p, s, n); return p + n; }
static uint8_t *word32(uint8_t *p, uint32_t v) { memcpy(p, &v, 4); return p + 4; }

/* 64-bit code: saves what the ABI wants kept, loads flags and registers, jumps to 23h:NATIVE_CODE. */
static uint8_t *write_entry(uint8_t *p)
{
	p = bytes(p, "\x53\x55\x41\x54\x41\x55\x41\x56\x41\x57", 10);         /* push rbx rbp r12-r15 */
	p = bytes(p, "\x48\x89\x24\x25", 4), p = word32(p, AT(host_rsp));      /* mov [host_rsp], rsp */
	p = bytes(p, "\xb8\x2b\0\0\0\x8e\xd8\x8e\xc0", 9);                     /* mov eax, 2bh; mov ds, eax; mov es, eax */
	p = bytes(p, "\xff\x34\x25", 3), p = word32(p, AT(eflags));            /* push [eflags] */
	p = bytes(p, "\x9d", 1);                                               /* popfq */
	for (unsigned i = 0; i < 8; i++) {                                     /* mov r32, [r[i]] */
		*p++ = 0x8b, *p++ = (uint8_t)(0x04 | i << 3), *p++ = 0x25;
		p = word32(p, AT(r[i]));
	}
	p = bytes(p, "\xff\x2c\x25", 3), p = word32(p, AT(far_offset));        /* jmp far [far_offset] */
	return p;
}

/* 64-bit code the 32-bit code jumps back to: stores registers and flags. */
static uint8_t *write_return(uint8_t *p)
{
	for (unsigned i = 0; i < 8; i++) {
		*p++ = 0x89, *p++ = (uint8_t)(0x04 | i << 3), *p++ = 0x25;
		p = word32(p, AT(r[i]));
	}
	p = bytes(p, "\x48\x8b\x24\x25", 4), p = word32(p, AT(host_rsp));
	p = bytes(p, "\x9c\x8f\x04\x25", 4), p = word32(p, AT(eflags));        /* pushfq; pop [eflags] */
	return p;
}

static uint8_t *write_leave(uint8_t *p)
{
	p = bytes(p, "\x48\x8b\x24\x25", 4), p = word32(p, AT(host_rsp));
	return bytes(p, "\xfc\x41\x5f\x41\x5e\x41\x5d\x41\x5c\x5d\x5b\xc3", 12); /* cld; pop r15-r12 rbp rbx; ret */
}

static uint32_t return_address;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	static const int order[8] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI };
	greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)info;
	if ((g[REG_CSGSFS] & 0xffff) != 0x23) {
		signal(sig, SIG_DFL);
		return;
	}
	for (unsigned i = 0; i < 8; i++)
		fault_state.r[i] = (uint32_t)g[order[i]];
	fault_state.eip = (uint32_t)g[REG_RIP];
	fault_state.eflags = (uint32_t)g[REG_EFL];
	fault_vector = (int)g[REG_TRAPNO];
	g[REG_RIP] = leave_address;
	g[REG_EFL] = 0x202;
	g[REG_CSGSFS] = (g[REG_CSGSFS] & ~0xffffll) | 0x33;
}

static bool map(uint32_t at, uint32_t size)
{
	void *want = (void *)(uintptr_t)at;

	return mmap(want, size, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == want;
}

bool native_open(void)
{
	static const int signals[] = { SIGSEGV, SIGFPE, SIGILL, SIGBUS, SIGTRAP };
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t stack = { .ss_sp = signal_stack, .ss_size = sizeof(signal_stack) };
	struct gate *gate;
	uint8_t *p;

	if (!map(NATIVE_CODE, 0x1000) || !map(NATIVE_DATA, NATIVE_SIZE) || !map(NATIVE_STACK, NATIVE_SIZE) || !map(GATE, 0x1000))
		return false;
	gate = (struct gate *)(uintptr_t)GATE;
	gate->far_offset = NATIVE_CODE;
	gate->far_selector = 0x23;
	p = write_entry(gate->code);
	return_address = (uint32_t)(uintptr_t)p;
	p = write_return(p);
	leave_address = (uint32_t)(uintptr_t)p;
	write_leave(p);
	sigaltstack(&stack, NULL);
	for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
	return true;
}

void native_close(void)
{
	munmap((void *)(uintptr_t)NATIVE_CODE, 0x1000);
	munmap((void *)(uintptr_t)NATIVE_DATA, NATIVE_SIZE);
	munmap((void *)(uintptr_t)NATIVE_STACK, NATIVE_SIZE);
	munmap((void *)(uintptr_t)GATE, 0x1000);
}

/* Appends "jmp far 33h:return_address" to the code. */
static void append_return(unsigned length)
{
	uint8_t *p = (uint8_t *)(uintptr_t)NATIVE_CODE + length;

	*p++ = 0xea;
	p = word32(p, return_address);
	*p++ = 0x33;
	*p = 0;
}

void native_run(struct native_state *s, unsigned length)
{
	struct gate *gate = (struct gate *)(uintptr_t)GATE;

	append_return(length);
	memcpy(gate->r, s->r, sizeof(s->r));
	gate->eflags = s->eflags;
	fault_vector = -1;
	__asm__ volatile("call *%0" : : "r"((uintptr_t)gate->code)
	                 : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "cc", "memory");
	if (fault_vector >= 0) {
		*s = fault_state;
		s->vector = fault_vector;
		return;
	}
	memcpy(s->r, gate->r, sizeof(s->r));
	s->eflags = (uint32_t)gate->eflags;
	s->eip = NATIVE_CODE + length;
	s->vector = -1;
}
