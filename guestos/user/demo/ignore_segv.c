/* ignore-segv: a program that makes bad accesses and carries on.
 *
 * Its SIGSEGV handler gets every register of the moment of the fault. It decodes the instruction, moves EIP behind it, and returns:
 * the access simply does not happen. */
#include "instruction.h"

#include <demo.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int skipped, odd;
static volatile bool quiet;

static void skip(int signal, siginfo_t *info, void *context)
{
	mcontext_t *regs = context_of(context);
	struct instruction in = instruction_at(regs);
	const uint8_t *code = (const uint8_t *)regs->eip;
	char bytes[40];

	(void)signal;
	if (!in.length) {
		printf("   the instruction at 0x%08x is not one this program knows\n", (unsigned)regs->eip);
		exit(1);
	}
	if (in.address != (uint32_t)info->si_addr)
		odd++;                         /* what was decoded and what the kernel says must agree */
	if (!quiet) {
		for (uint32_t i = 0; i < in.length; i++)
			snprintf(bytes + 3 * i, sizeof(bytes) - 3 * i, "%02x ", code[i]);
		printf("   SIGSEGV: %s of %u bytes at 0x%08x, %s; EIP 0x%08x: %-28s %-5s skipped, %u bytes\n",
			regs->err & FAULT_WRITE ? "write" : "read", (unsigned)in.size, (unsigned)info->si_addr,
			info->si_code == SEGV_MAPERR ? "nothing mapped" : "not allowed", (unsigned)regs->eip, bytes, in.name,
			(unsigned)in.length);
	}
	skipped++;
	regs->eip += in.length;
}

/* Eight ways to write to memory, at the same wrong place. */
static void write_in_many_ways(void *p)
{
	__asm__ volatile("movl $1, (%0)" : : "r"(p) : "memory");
	__asm__ volatile("movb $1, 5(%0)" : : "r"(p) : "memory");
	__asm__ volatile("movw $1, 0x1234(%0)" : : "r"(p) : "memory");
	__asm__ volatile("movl %%esi, (%0,%1,4)" : : "r"(p), "r"(3) : "memory");
	__asm__ volatile("incl (%0)" : : "r"(p) : "memory", "cc");
	__asm__ volatile("addl $0x12345678, 8(%0)" : : "r"(p) : "memory", "cc");
	__asm__ volatile("movl %%eax, 0x10" : : : "memory");
	__asm__ volatile("xorb $3, 0x40(,%0,8)" : : "r"(2) : "memory", "cc");
}

static int read_bad(volatile int *p)
{
	int value = 4711;
	__asm__ volatile("movl (%1), %0" : "+r"(value) : "r"(p));
	return value;
}

static void die_of_it(void)
{
	int status = 0;

	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		volatile int *volatile wild = NULL;
		*wild = 1;
		_exit(0);
	}
	waitpid(pid, &status, 0);
	printf("   the child's wait status is 0x%x: %s\n", status, WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "it lived");
	demo_check(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "without the handler the same access is the end");
}

/* Every third pointer leads nowhere. */
static void sum_good_ones(void)
{
	static volatile int numbers[300], *pointers[300];
	int sum = 0, expected = 0, before = skipped;

	for (int i = 0; i < 300; i++) {
		numbers[i] = i * i;
		pointers[i] = i % 3 ? &numbers[i] : (int *)(0x60000000 + i * 4096);
		expected += i % 3 ? i * i : 0;
	}
	quiet = true;
	for (int i = 0; i < 300; i++)
		__asm__ volatile("addl (%1), %0" : "+r"(sum) : "r"(pointers[i]) : "cc");
	quiet = false;
	printf("   sum %d, expected %d; %d accesses were skipped\n", sum, expected, skipped - before);
	demo_check(sum == expected && skipped - before == 100, "100 bad accesses changed nothing, 200 good ones are all in the sum");
}

int main(void)
{
	static char text[] = "this line was written by a program that had just been wrong eight times";

	catch_signal(SIGSEGV, skip, 0);
	demo_step("Write through a null pointer, eight kinds of instruction");
	write_in_many_ways(NULL);
	demo_check(skipped == 8, "eight faults, eight instructions skipped");
	printf("   %s\n", text);
	demo_step("Write to the program's own text, and into the kernel");
	*(volatile char *volatile)main = 0;
	*(volatile char *)0xc0100000 = 0;
	demo_check(skipped == 10, "both were refused, the program goes on");
	demo_step("Read through a wild pointer: the register keeps its value");
	int value = read_bad((int *)0x12345678);
	printf("   the register held 4711, and holds %d\n", value);
	demo_check(value == 4711 && skipped == 11, "a read that is skipped loads nothing");
	demo_step("Add up 300 numbers through pointers of which 100 are wild");
	sum_good_ones();
	demo_check(odd == 0, "each address decoded from registers is the one the kernel reported");
	demo_step("The same in a child without the handler");
	die_of_it();
	return 0;
}
