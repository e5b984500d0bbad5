/* guestos/boot/traps.S: the way into the kernel and back, and from one kernel stack to another.
 *
 * Each vector has a stub that makes all traps look alike: the processor pushes an error code for some
 * exceptions only, so the others push 0. [SDM3A 6.13 "Error Code"] */
#include "x86.h"

	/* What is said of frames below is for debuggers: where a trap's EIP, and the registers it found, lie on the stack. */
	.cfi_sections .debug_frame
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
	.cfi_startproc simple
	.cfi_signal_frame
	.cfi_def_cfa esp, 20           /* vector, error code, EIP, CS, EFLAGS */
	.cfi_offset eip, -12
	pusha
	.cfi_adjust_cfa_offset 32
	.cfi_offset ebx, -36
	.cfi_offset ebp, -44
	.cfi_offset esi, -48
	.cfi_offset edi, -52
	pushl %ds
	pushl %es
	pushl %fs
	pushl %gs
	.cfi_adjust_cfa_offset 16
	movl $SEL_KDATA, %eax
	movl %eax, %ds
	movl %eax, %es
	/* The kernel does not use FS and GS. They must not keep a program's segments: a trap inside the kernel would save them, and they
	 * may be gone, or another process may have run, when its frame is left. */
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	cld
	pushl %esp
	.cfi_adjust_cfa_offset 4
	call trap
	addl $4, %esp
	.cfi_adjust_cfa_offset -4

	/* The way back. A program may have asked for segments that no longer exist, so each of the four loads and the IRET may fault
	 * here, in ring 0: trap.c knows the five labels and puts things right. ESP stays on the frame until the loads are done, so that
	 * the frame of such a fault lies below it and nothing is lost. */
	.globl trap_return, return_load_gs, return_load_fs, return_load_es, return_load_ds, return_iret
trap_return:
return_load_gs:
	movw (%esp), %gs
return_load_fs:
	movw 4(%esp), %fs
return_load_es:
	movw 8(%esp), %es
return_load_ds:
	movw 12(%esp), %ds
	addl $16, %esp
	.cfi_adjust_cfa_offset -16
	popa
	.cfi_adjust_cfa_offset -32
	.cfi_same_value ebx
	.cfi_same_value ebp
	.cfi_same_value esi
	.cfi_same_value edi
	addl $8, %esp                  /* vector, error code */
	.cfi_adjust_cfa_offset -8
return_iret:
	iret
	.cfi_endproc

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

	/* uint32_t user_copy(void *to, const void *from, uint32_t n): 0, or not 0 if a bad address stopped it. Words, then
	 * the odd bytes. These two instructions are the only ones in the kernel that may fault: if the page cannot be had,
	 * page_fault() continues at user_copy_failed. */
	.globl user_copy, user_copy_words, user_copy_bytes, user_copy_failed
user_copy:
	pushl %esi
	pushl %edi
	movl 12(%esp), %edi
	movl 16(%esp), %esi
	movl 20(%esp), %ecx
	shrl $2, %ecx
user_copy_words:
	rep movsl
	movl 20(%esp), %ecx
	andl $3, %ecx
user_copy_bytes:
	rep movsb
	xorl %eax, %eax
	jmp 1f
user_copy_failed:
	movl $1, %eax
1:	popl %edi
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
