/* vmtest/ring3.c: what only the kernel may do: instructions, interrupts, selectors, and registers in a strange state. */
#include "vmtest.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Machine code, run where it lies: there is no way to forbid execution of data on this processor. */
struct code { uint8_t bytes[16]; };

static void run_code(void *code)
{
	((void (*)(void))code)();
}

/* Instructions that only ring 0 may use [SDM3A 5.9 "Privileged Instructions"], ports, and flags that lead nowhere. */
static const struct { const char *name; uint8_t bytes[16]; int signal; } forbidden[] = {
	{"CLI", {0xfa}, SIGSEGV}, {"STI", {0xfb}, SIGSEGV}, {"HLT", {0xf4}, SIGSEGV}, {"IN", {0xe4, 0x64}, SIGSEGV},
	{"OUT", {0xe6, 0xfe}, SIGSEGV}, {"INSB", {0x6c}, SIGSEGV}, {"OUTSB", {0x6e}, SIGSEGV},
	{"MOV CR0", {0x0f, 0x22, 0xc0}, SIGSEGV}, {"MOV from CR3", {0x0f, 0x20, 0xd8}, SIGSEGV}, {"MOV DR7", {0x0f, 0x23, 0xf8}, SIGSEGV},
	{"LGDT", {0x0f, 0x01, 0x15, 0, 0x80, 4, 8}, SIGSEGV}, {"LIDT", {0x0f, 0x01, 0x1d, 0, 0x80, 4, 8}, SIGSEGV},
	{"LTR", {0x66, 0xb8, 0x28, 0, 0x0f, 0, 0xd8}, SIGSEGV}, {"LLDT", {0x31, 0xc0, 0x0f, 0, 0xd0}, SIGSEGV},
	{"LMSW", {0x0f, 0x01, 0xf0}, SIGSEGV}, {"CLTS", {0x0f, 0x06}, SIGSEGV}, {"INVLPG", {0x0f, 0x01, 0x3d, 0, 0x80, 4, 8}, SIGSEGV},
	{"WBINVD", {0x0f, 0x09}, SIGSEGV}, {"RDMSR", {0x0f, 0x32}, SIGSEGV}, {"WRMSR", {0x0f, 0x30}, SIGSEGV}, {"UD2", {0x0f, 0x0b}, SIGILL},
	{"SYSEXIT", {0x0f, 0x35}, SIGSEGV}, {"SYSENTER", {0x0f, 0x34}, SIGSEGV}, {"FDIV by 0, unmasked", {0x6a, 0, 0xd9, 0x2c, 0x24, 0xd9, 0xee, 0xd9, 0xe8, 0xd8, 0xf1, 0x9b}, SIGFPE},
	{"DIV by 0", {0x31, 0xc9, 0xf7, 0xf1}, SIGFPE}, {"INT3", {0xcc}, SIGTRAP},
	{"CALL FAR to the kernel", {0x9a, 0, 0, 0x10, 0xc0, 8, 0}, SIGSEGV}, {"JMP FAR to the TSS", {0xea, 0, 0, 0, 0, 0x28, 0}, SIGSEGV},
	{"JMP to the kernel", {0xb8, 0, 0, 0x10, 0xc0, 0xff, 0xe0}, SIGSEGV}, {"JMP to 0", {0x31, 0xc0, 0xff, 0xe0}, SIGSEGV},
	{"JMP to the last byte", {0xb8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xe0}, SIGSEGV},
	{"IRET with NT", {0x9c, 0x81, 0x0c, 0x24, 0, 0x40, 0, 0, 0x9d, 0xcf}, SIGSEGV},
	{"POPF with TF", {0x9c, 0x81, 0x0c, 0x24, 0, 1, 0, 0, 0x9d, 0x90}, SIGTRAP},
	{"MOV to SS, null", {0x31, 0xc0, 0x8e, 0xd0}, SIGSEGV}, {"MOV to SS, kernel data", {0xb8, 0x10, 0, 0, 0, 0x8e, 0xd0}, SIGSEGV},
	{"PUSH at ESP 0", {0x31, 0xe4, 0x50}, SIGSEGV}, {"PUSH into the kernel", {0xbc, 0, 0, 0x20, 0xc0, 0x50}, SIGSEGV},
	{"PUSH under the kernel's end", {0xbc, 0, 0xf0, 0xff, 0xff, 0x60}, SIGSEGV},
};

static void ring3_forbidden(void)
{
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
		int status = child_status(run_code, (void *)forbidden[i].bytes);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == forbidden[i].signal, "%s: wait status 0x%x, not signal %d", forbidden[i].name,
			status, forbidden[i].signal);
	}
}

/* INT n: only 3 and 0x80 are for user programs. */
static void ring3_interrupts(void)
{
	static struct code c = {{0xcd, 0, 0x90}};

	for (int n = 0; n < 256; n++) {
		if (n == 0x80 || (n & 7) == 6)         /* the rest is like its neighbours */
			continue;
		c.bytes[1] = n;
		must_be_killed(run_code, &c, n == 3 ? SIGTRAP : SIGSEGV);
	}
}

/* Every selector there could be in each data segment register: the kernel comes back to its own, or the process ends. */
static void load_selector(void *selector)
{
	__asm__ volatile("movl %0, %%gs\n\tmovl %0, %%fs\n\tint $0x80" : : "r"(selector), "a"(SYS_getpid));
	__asm__ volatile("pushl %%ds\n\tmovl %0, %%es\n\tmovl %0, %%ds\n\tint $0x80\n\tpopl %%ds\n\tpushl %%ds\n\tpopl %%es"
		: : "r"(selector), "a"(SYS_getpid) : "memory");
}

static void ring3_selectors(void)
{
	for (uint32_t s = 0; s < 0x48; s++) {
		int status = child_status(load_selector, (void *)s);
		bool good = s < 4 || (s & ~3u) == 0x18 || (s & ~3u) == 0x20;
		CHECK(good ? status == 0 : WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "selector 0x%x: wait status 0x%x", (unsigned)s,
			status);
	}
}

/* A system call works whatever the flags and the stack pointer are. */
static void strange_state(void *unused)
{
	long pid = getpid(), a, b;

	(void)unused;
	__asm__ volatile("movl %%esp, %%esi\n\txorl %%esp, %%esp\n\tint $0x80\n\tmovl $0xc0100000, %%esp\n\tmovl %%eax, %%edi\n\tmovl %2, %%eax\n\t"
		"int $0x80\n\tmovl %%esi, %%esp" : "=&a"(a), "=&D"(b) : "i"(SYS_getpid), "0"(SYS_getpid) : "esi", "memory");
	CHECK(a == pid && b == pid, "getpid gave %ld and %ld, not %ld", a, b, pid);
	__asm__ volatile("pushfl\n\torl $0x46400, (%%esp)\n\tpopfl\n\tint $0x80\n\tpushfl\n\tandl $~0x44400, (%%esp)\n\tpopfl"
		: "=a"(a) : "0"(SYS_getpid) : "memory", "cc");         /* DF, NT, AC; IOPL stays as it is */
	CHECK_EQ(a, pid);
	CHECK(read(-1, (void *)0, 1) == -1, "read of descriptor -1 worked");
}

static void ring3_state(void) { must_end_well(start_child(strange_state, NULL)); }

const struct test ring3_tests[] = {
	{"ring3-forbidden", "what only the kernel may do, and wild jumps, end the program", ring3_forbidden, NULL},
	{"ring3-interrupts", "INT n, for every kind of n", ring3_interrupts, NULL},
	{"ring3-selectors", "every selector in every data segment register", ring3_selectors, NULL},
	{"ring3-state", "system calls with a wild ESP, DF, NT and AC", ring3_state, NULL},
	{0}};
