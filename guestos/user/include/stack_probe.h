/* stack_probe.h: system calls and accesses made below ESP on purpose, to see who grows the stack. */
#ifndef STACK_PROBE_H
#define STACK_PROBE_H

#include <stddef.h>
#include <sys/syscall.h>

static inline char *stack_pointer(void)
{
	char *esp;
	__asm__ volatile("movl %%esp, %0" : "=r"(esp));
	return esp;
}

/* read(fd, ESP - below, n) with ESP moved there for the call, but nothing pushed: the kernel is the first to touch the
 * buffer. The bytes stay readable through *where until the caller's stack is next used that deep. */
static inline long read_below_stack(int fd, size_t below, size_t n, char **where)
{
	long result;
	__asm__ volatile(
		"movl %%esp, %%esi\n\t"
		"subl %%edi, %%esp\n\t"
		"movl %%esp, %%ecx\n\t"
		"int $0x80\n\t"
		"movl %%esi, %%esp"
		: "=a"(result), "=&c"(*where)
		: "a"(SYS_read), "b"(fd), "d"(n), "D"(below)
		: "esi", "memory", "cc");
	return result;
}

#endif
