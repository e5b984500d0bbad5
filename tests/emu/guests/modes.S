/* All three modes, for debuggers: protected mode, real mode (the code lies at 0x7000, CS is 0x700), protected mode again, and a
 * virtual-8086 task in which a counter is written; its HLT ends the machine. The same bytes in memory mean other instructions in each. */
#include "guest.inc"
	mov $stack, %esp
	mov $blob, %esi
	mov $0x7000, %edi
	mov $blob_end - blob, %ecx
	rep movsb
	lgdt gdt_pointer
	movl $0x1234, counter
	.globl write_counter
write_counter:
	movl $0x5678, counter
	ljmp $0x18, $to_real - blob
	.globl from_real
from_real:
	mov $0x10, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov $stack, %esp
	mov $tss, %eax
	mov %ax, gdt + 0x28 + 2
	shr $16, %eax
	mov %al, gdt + 0x28 + 4
	mov $0x28, %eax
	ltr %ax
	mov $protection, %eax
	mov %ax, idt + 13 * 8
	shr $16, %eax
	mov %ax, idt + 13 * 8 + 6
	lidt idt_pointer
	push $0                                /* GS FS DS ES */
	push $0
	push $0x700
	push $0x700
	push $0x700                            /* SS:SP */
	push $0xffe
	push $0x20002                          /* VM */
	push $0x700
	push $v86_code - blob
	iret
	.globl protection
protection:
	POWER_OFF
	hlt

blob:	.code16
to_real:
	mov $0x20, %ax                         /* limits and attributes of real mode */
	mov %ax, %ds
	mov %ax, %ss
	mov %cr0, %eax
	and $0xfe, %al
	mov %eax, %cr0
	ljmp $0x700, $real_code - blob
real_code:
	mov $0x700, %ax
	mov %ax, %ds
	mov %ax, %ss
	mov $0xff0, %sp
	mov $real_word - blob, %bx
	movw $0xbeef, (%bx)
	call real_call
	mov %cr0, %eax
	or $1, %al
	mov %eax, %cr0
	ljmpl $8, $from_real
real_call:
	incw (%bx)
	ret
v86_code:
	mov $real_word - blob, %bx
	movw $0xcafe, (%bx)
	incw (%bx)
	hlt
real_word: .word 0
blob_end:
	.code32

	.align 8
gdt:	.quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff        /* 8, 0x10: flat */
	.quad 0x00009b007000ffff                               /* 0x18: 16-bit code at 0x7000 */
	.quad 0x000093007000ffff                               /* 0x20: 16-bit data there */
	.quad 0x0000890000000067                               /* 0x28: the TSS */
gdt_pointer:
	.word 47
	.long gdt
	.align 8
idt:	.fill 13 * 8, 1, 0
	.long 0x00080000, 0x00008e00
idt_pointer:
	.word 14 * 8 - 1
	.long idt
	.align 4
tss:	.long 0, stack, 0x10
	.fill 0x68 - 12, 1, 0
	.globl counter
counter: .long 0
	.bss
	.align 16
	.skip 4096
stack:
