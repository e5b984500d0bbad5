/* guestos/boot/traps.S: the way into the kernel and back, and from one kernel stack to another.
 *
 * Each vector has a stub that makes all traps look alike: the processor pushes an error code for some
 * exceptions only, so the others push 0. [SDM3A 6.13 "Error Code"] */
#include "x86.h"

	.text
	.altmacro
	.macro VECTOR n
	.align 8
vector_\n:
	.if !(\n == 8 || (\n >= 10 && \n <= 14) || \n == 17)
	pushl $0
	.endif
	pushl $\n
	jmp trap_common
	.endm

	.macro VECTOR_ADDRESS n
	.long vector_\n
	.endm

	.set i, 0
	.rept 48
	VECTOR %i
	.set i, i + 1
	.endr
	VECTOR 128

trap_common:
	pusha
	pushl %ds
	pushl %es
	pushl %fs
	pushl %gs
	movl $SEL_KDATA, %eax
	movl %eax, %ds
	movl %eax, %es
	cld
	pushl %esp
	call trap
	addl $4, %esp

	.globl trap_return
trap_return:
	popl %gs
	popl %fs
	popl %es
	popl %ds
	popa
	addl $8, %esp                  /* vector, error code */
	iret

	/* void enter_user(struct trapframe *tf): leave the kernel through a frame made by hand. */
	.globl enter_user
enter_user:
	movl 4(%esp), %esp
	jmp trap_return

	/* void switch_stacks(uint32_t *save_esp, uint32_t load_esp): the callee-saved registers are the whole context. */
	.globl switch_stacks
switch_stacks:
	movl 4(%esp), %eax
	movl 8(%esp), %edx
	pushl %ebp
	pushl %ebx
	pushl %esi
	pushl %edi
	movl %esp, (%eax)
	movl %edx, %esp
	popl %edi
	popl %esi
	popl %ebx
	popl %ebp
	ret

	/* uint32_t user_copy(void *to, const void *from, uint32_t n): bytes NOT copied. If the copy faults on a bad
	 * address, page_fault() continues at user_copy_fixup with ECX still holding what was left. */
	.globl user_copy, user_copy_access, user_copy_fixup
user_copy:
	pushl %esi
	pushl %edi
	movl 12(%esp), %edi
	movl 16(%esp), %esi
	movl 20(%esp), %ecx
user_copy_access:
	rep movsb
user_copy_fixup:
	movl %ecx, %eax
	popl %edi
	popl %esi
	ret

	.section .rodata
	.globl vector_table
	.align 4
vector_table:
	.set i, 0
	.rept 48
	VECTOR_ADDRESS %i
	.set i, i + 1
	.endr
	.long vector_128

	.section .note.GNU-stack, "", @progbits
