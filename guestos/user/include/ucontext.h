/* ucontext.h: what a handler with SA_SIGINFO finds behind its third argument: the registers of what it interrupted.
 *
 * Layouts are those of Linux i386. */
#ifndef UCONTEXT_H
#define UCONTEXT_H

#include <signal.h>

typedef struct mcontext {
	uint32_t gs, fs, es, ds, edi, esi, ebp, esp, ebx, edx, ecx, eax;
	uint32_t trapno, err;          /* of the last fault: vector and error code */
	uint32_t eip, cs, eflags, esp_at_signal, ss;
	uint32_t fpstate, oldmask;
	uint32_t cr2;                  /* address of the last page fault */
} mcontext_t;
_Static_assert(sizeof(mcontext_t) == 88, "part of the system call interface");

typedef struct ucontext {
	uint32_t uc_flags;
	struct ucontext *uc_link;
	stack_t uc_stack;
	mcontext_t uc_mcontext;
	sigset_t uc_sigmask;
} ucontext_t;

#define FAULT_PRESENT 1u               /* err of a page fault: the page was there, the access was not allowed */
#define FAULT_WRITE 2u
#define FAULT_USER 4u
#define TRAP_PAGE_FAULT 14u
#define EFLAGS_TF 0x100u               /* one more instruction, then SIGTRAP */

static inline mcontext_t *context_of(void *context) { return &((ucontext_t *)context)->uc_mcontext; }

#endif
