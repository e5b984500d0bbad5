/* tests/mmu/judges/entry.S: the guest's start, the probes it makes, and the way back from each.
 *
 * Entered at 1 MB in flat 32-bit protected mode, as a Multiboot kernel or from a boot sector. A probe ends in INT 80h or in a
 * fault; either brings the vector, the error code and CR2 to guest.c.
 */
	.section .multiboot, "a"
	.long	0x1badb002, 0, -0x1badb002
	.text
	.globl	_start
_start:
	mov	$stack_top, %esp
	cld
	call	guest_main
1:	hlt
	jmp	1b

	.globl	probe                   /* void probe(uint32_t eip, uint32_t user): EAX is probe_eax */
probe:
	pushal
	mov	%esp, saved_esp
	mov	36(%esp), %ecx
	mov	40(%esp), %edx
	mov	probe_eax, %eax
	test	%edx, %edx
	jnz	1f
	jmp	*%ecx
1:	push	$0x23                   /* ring 3, whose stack is never used */
	push	$0
	push	$2
	push	$0x1b
	push	%ecx
	mov	$0x23, %edx
	mov	%edx, %ds
	iret

	.macro	HANDLER vector, has_error
	.globl	vector_\vector
vector_\vector:
	.if	\has_error
	popl	probe_error
	.endif
	movl	$\vector, probe_vector
	jmp	back
	.endm
	HANDLER	6, 0
	HANDLER	8, 1
	HANDLER	13, 1
	HANDLER	14, 1
	HANDLER	128, 0
back:
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%cr2, %eax
	mov	%eax, probe_cr2
	mov	saved_esp, %esp
	popal
	ret

	/* What is probed: copied to a page for the user, and run in place for the supervisor's registers. */
	.globl	user_code, user_write, user_fetch, user_end
user_code:
	mov	0x80201000, %eax
	int	$0x80
user_write:
	mov	%eax, 0x80201000
	int	$0x80
user_fetch:
	mov	$0x80201000, %eax
	jmp	*%eax
user_end:
	.globl	set_cr0, set_cr3, set_cr4
set_cr0:
	mov	%eax, %cr0
	int	$0x80
set_cr3:
	mov	%eax, %cr3
	int	$0x80
set_cr4:
	mov	%eax, %cr4
	int	$0x80

	.bss
	.globl	kernel_stack
	.align	16
	.skip	8192
kernel_stack:
	.skip	8192
stack_top:
saved_esp: .skip 4
	.section .note.GNU-stack, "", @progbits
