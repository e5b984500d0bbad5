/* Counts timer interrupts at about 1 kHz, halting between them, mixing the time-stamp counter, the count and serial input into a
 * checksum; forever. State depends on exactly when each interrupt and byte came. */
#include "guest.inc"
	mov $stack_top, %esp
	lgdt gdt_pointer
	ljmp $8, $1f
1:	mov $0x10, %eax
	mov %eax, %ss
	mov %eax, %ds
	mov $tick, %eax
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
	OUT_BYTE 0xa0, 0x11
	OUT_BYTE 0xa1, 0x28
	OUT_BYTE 0xa1, 0x02
	OUT_BYTE 0xa1, 0x01
	OUT_BYTE 0x21, 0xfe
	OUT_BYTE 0xa1, 0xff
	OUT_BYTE 0x43, 0x34
	OUT_BYTE 0x40, 0xa9
	OUT_BYTE 0x40, 0x04
	OUT_BYTE 0x3fc, 0x03                       /* RTS: ready for input */
	sti
2:	mov count, %ecx
	and $0x3ff, %ecx
	inc %ecx
3:	imul $1103515245, %ebx, %ebx
	add $12345, %ebx
	mov %ebx, %eax
	shr $12, %eax
	and $0xffc, %eax
	add %ebx, scratch(%eax)
	loop 3b
	testl $1, count
	jnz 2b
	hlt
	jmp 2b
tick:	push %eax
	push %edx
	incl count
	rdtsc
	add %eax, %ebx
	mov $0x3fd, %edx
	inb %dx, %al
	test $1, %al
	jz 4f
	mov $0x3f8, %edx
	inb %dx, %al
	add %al, %bl
	rol $7, %ebx
4:	mov $0x20, %al
	outb %al, $0x20
	pop %edx
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
scratch: .skip 4096
	.skip 4096
stack_top:
