/* Halts through a hundred timer interrupts at 100 Hz, so for one second of its time, then powers off. */
#include "guest.inc"
	mov $stack_top, %esp
	lgdt gdt_pointer
	ljmp $8, $1f
1:	mov $tick, %eax
	mov %ax, idt + 0x20 * 8
	movw $8, idt + 0x20 * 8 + 2
	movw $0x8e00, idt + 0x20 * 8 + 4
	shr $16, %eax
	mov %ax, idt + 0x20 * 8 + 6
	lidt idt_pointer
	OUT_BYTE 0x20, 0x11
	OUT_BYTE 0x21, 0x20
	OUT_BYTE 0x21, 0x04
	OUT_BYTE 0x21, 0x01
	OUT_BYTE 0x21, 0xfe
	OUT_BYTE 0x43, 0x34
	OUT_BYTE 0x40, 0x9c                    /* 11932: 100 Hz */
	OUT_BYTE 0x40, 0x2e
	sti
2:	hlt
	cmpl $100, count
	jb 2b
	POWER_OFF
	jmp .
tick:	incl count
	push %eax
	mov $0x20, %al
	outb %al, $0x20
	pop %eax
	iret
	.align 8
gdt:	.quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
	.word 23
	.long gdt
idt_pointer:
	.word 0x21 * 8 - 1
	.long idt
	.data
count:	.long 0
	.bss
	.align 16
idt:	.skip 0x21 * 8
	.skip 4096
stack_top:
