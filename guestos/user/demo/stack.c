/* demo-stack: the stack grows under a running program, down to a guard page.
 *
 * The kernel maps one page of stack at first. A fault below it, but no further below ESP than an instruction can reach (PUSHA: 32 bytes),
 * adds pages; anything further away is a wild pointer. */
#include <demo.h>

#include <fcntl.h>
#include <signal.h>
#include <stack_probe.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEVELS 16

static void print_stack_region(void)
{
	char line[160];
	FILE *f = fopen("/proc/self/maps", "r");

	while (f && fgets(line, sizeof(line), f)) {
		char *p = line;
		while (*p && *p != '[')
			p++;
		if (p[0] == '[' && p[1] == 's')
			printf("   %s", line);
	}
	if (f)
		fclose(f);
}

/* One page of stack for each level. */
static __attribute__((noinline)) int descend(int levels)
{
	volatile char frame[PAGE_SIZE];

	frame[0] = levels;
	int below = levels > 1 ? descend(levels - 1) : 0;
	return below + (frame[0] == (char)levels);
}

static void grow_by_calls(void)
{
	demo_step("Call a function that needs one page of stack, 16 levels deep");
	print_stack_region();
	long faults = vm_faults(), growths = vm_counter("stack_growths");
	int intact = descend(LEVELS);
	faults = vm_faults() - faults;
	growths = vm_counter("stack_growths") - growths;
	print_stack_region();
	printf("   %ld faults, the region grew %ld times, %d of %d frames kept their contents\n", faults, growths, intact, LEVELS);
	demo_check(intact == LEVELS && faults >= LEVELS - 1 && growths >= LEVELS - 1, "each new page of stack came by one fault");
}

static __attribute__((noinline)) void read_into_new_stack(void)
{
	char *buf;
	int fd = open("/bin/sh", O_RDONLY);
	long growths = vm_counter("stack_growths");
	long n = read_below_stack(fd, 40 * PAGE_SIZE, PAGE_SIZE, &buf);
	int magic = buf[0] == 0x7f && buf[1] == 'E' && buf[2] == 'L' && buf[3] == 'F';

	close(fd);
	growths = vm_counter("stack_growths") - growths;
	printf("   read(/bin/sh) to %p returned %ld, the stack grew %ld time%s\n", buf, n, growths, growths == 1 ? "" : "s");
	demo_check(n == PAGE_SIZE && magic && growths >= 1, "the kernel grew the user's stack as it copied; the file is there");
}

static __attribute__((noinline)) int overflow(int depth)
{
	volatile int frame[250];

	frame[0] = depth;
	return frame[0] == depth ? overflow(depth + 1) + frame[0] : 0;
}

static void wild_write(void)
{
	volatile char *p = (char *)stack_pointer() - 512 * 1024;
	*p = 1;
}

/* Run it in a child, which must end with SIGSEGV. */
static void expect_fault(const char *claim, int deep)
{
	int status;

	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		if (deep)
			overflow(0);
		else
			wild_write();
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		status = 0;
	demo_check(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, claim);
}

int main(void)
{
	demo_needs_pagoda();
	puts("demo-stack: the stack grows on demand.");
	printf("   ESP is %p\n", (void *)stack_pointer());
	grow_by_calls();
	demo_step("Let a system call be the first to touch a new part of the stack");
	read_into_new_stack();
	demo_step("In a child, write half a megabyte below ESP: no correct program would");
	expect_fault("the child was ended by a segmentation fault", 0);
	demo_step("In a child, recurse without end (the line before the check is the kernel's)");
	expect_fault("the guard page under the stack stopped it", 1);
	puts("\ndemo-stack: done.");
	return 0;
}
