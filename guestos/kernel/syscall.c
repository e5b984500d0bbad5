/* guestos/kernel/syscall.c: INT 0x80: EAX is the number, EBX ECX EDX ESI EDI the arguments; the result returns in EAX. */
#include "syscalls.h"

void syscall(struct trapframe *tf)
{
	static int (*const table[])(struct trapframe *) = {
#define X(number, name) [number] = sys_##name,
		SYSCALLS(X)
#undef X
	};
	uint32_t n = tf->eax;
	current->syscall_nr = n;
	current->restartable = true;
	tf->eax = n < ARRAY_SIZE(table) && table[n] ? table[n](tf) : -ENOSYS;
}
