/* lib/brk.c: the end of the heap. The kernel's brk returns the break it settled on, never an error. */
#include <unistd.h>

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>

static uintptr_t kernel_brk(uintptr_t wanted) { return (uintptr_t)syscall(SYS_brk, wanted); }

int brk(void *end)
{
	if (kernel_brk((uintptr_t)end) == (uintptr_t)end)
		return 0;
	errno = ENOMEM;
	return -1;
}

void *sbrk(intptr_t increment)
{
	uintptr_t old = kernel_brk(0), wanted = old + increment;

	if ((increment > 0 && wanted < old) || (increment < 0 && wanted > old) ||
	    (increment != 0 && kernel_brk(wanted) != wanted)) {
		errno = ENOMEM;
		return (void *)-1;
	}
	return (void *)old;
}
