/* tests/cpu/ring0/entry.S: the guest's start, the way into a case and the way out of it.
 *
 * Entered at 1 MB in flat 32-bit protected mode, as a Multiboot kernel or from a boot sector. A case is entered by a jump to
 * a task, whose TSS holds its whole state, and left by a task gate, so that no stack of the case need be usable.
 */
	.section .multiboot, "a"
	.long	0x1badb002, 0, -0x1badb002
	.text
	.globl	_start
_start:
	mov	$stack_top, %esp
	cld
	push	%ebx
	push	%eax
	call	guest_main
1:	hlt
	jmp	1b

	.globl	enter_case              /* void enter_case(void): returns when the case has landed */
enter_case:
	pushal
	mov	%esp, saved_esp
	ljmp	$0x20, $0

	.globl	land                    /* EBX = vector, ESP = landing stack, perhaps with an error code */
land:
	mov	%esp, %eax
	mov	$stack_top - 8192, %esp
	pushl	$2
	popfl
	pushl	$2                      /* the watchdog's NMI is over, and the next one may come */
	push	%cs
	pushl	$1f
	iret
1:	push	%eax
	push	%ebx
	call	landed
	mov	saved_esp, %esp
	popal
	ret

	.bss
	.align	16
	.skip	32768
stack_top:
saved_esp:
	.skip	4
	.section .note.GNU-stack, "", @progbits
