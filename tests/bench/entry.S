/* tests/bench/entry.S: the guest's first instructions: as a Multiboot kernel, or jumped to by boot.S, at 1 MB.
 * Either way: 32-bit protected mode, flat segments, paging off. */
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

	.bss
	.align	16
	.skip	16384
stack_top:
	.section .note.GNU-stack, "", @progbits
