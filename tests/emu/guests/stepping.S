/* Something of everything that a debugger stops for, round after round, with timer interrupts in between: a function called from a function, a
 * repeated string instruction, a page that is taken away and faulted in again, a second address space, ports, an MSR, INT n. */
#include "guest.inc"
#define PAGE 0x00300000                /* the page that comes and goes; its frame is at the same address */
	mov $stack_top, %esp
	lgdt gdt_pointer
	ljmp $8, $1f
1:	mov $0x10, %eax
	mov %eax, %ss
	mov %eax, %ds
	mov %eax, %es
	mov $tick, %eax
	mov $idt + 0x20 * 8, %edi
	call set_gate
	mov $software, %eax
	mov $idt + 0x30 * 8, %edi
	call set_gate
	mov $page_fault, %eax
	mov $idt + 14 * 8, %edi
	call set_gate
	lidt idt_pointer
	mov $1024, %ecx                            /* the first 4 MB as they are */
	mov $3, %eax
	mov $page_table, %edi
2:	stosl
	add $0x1000, %eax
	loop 2b
	mov $page_table + 3, %eax
	mov %eax, directory
	mov %eax, other_directory
	mov $directory, %eax
	mov %eax, %cr3
	mov %cr0, %eax
	or $0x80000000, %eax
	mov %eax, %cr0
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
	OUT_BYTE 0x40, 0x03
	OUT_BYTE 0x40, 0x00
	sti

	.globl round
round:	incl rounds
	.globl round_call
round_call:
	call outer
	.globl after_outer
after_outer:
	mov $source, %esi
	mov $target, %edi
	mov $64, %ecx
	.globl copy
copy:	rep movsb
	.globl after_copy
after_copy:
	.globl look
look:	mov PAGE, %ebx
	.globl take_away
take_away:
	movl $0, page_table + (PAGE >> 12) * 4     /* away with it ... */
	.globl drop
drop:	invlpg PAGE
	.globl touch
touch:	movl $0x1234, PAGE + 8                     /* ... so that this faults */
	.globl touched
touched:
	mov $other_directory, %eax
	.globl switch_over
switch_over:
	mov %eax, %cr3
	mov $directory, %eax
	mov %eax, %cr3
	.globl trap
trap:	int $0x30
	.globl trapped
trapped:
	mov $0x174, %ecx
	mov rounds, %eax
	xor %edx, %edx
	.globl set_msr
set_msr:
	wrmsr
	mov $0x5a, %al
	.globl put_byte
put_byte:
	outb %al, $0x80
	mov rounds, %eax
	cmp $1000000, %eax
	jb round
	POWER_OFF
	hlt

	.globl outer
outer:	push %ebp
	mov %esp, %ebp
	sub $8, %esp
	.globl call_inner
call_inner:
	call inner
	.globl after_inner
after_inner:
	add %eax, sum
	leave
	ret
	.globl inner
inner:	push %ebp
	mov %esp, %ebp
	mov rounds, %eax
	mov $100, %ecx
3:	imul $1103515245, %eax, %eax
	add $12345, %eax
	.globl again
again:	loop 3b
	pop %ebp
	ret

set_gate:
	mov %ax, (%edi)
	movw $8, 2(%edi)
	movw $0x8e00, 4(%edi)
	shr $16, %eax
	mov %ax, 6(%edi)
	ret

	.globl tick
tick:	push %eax
	incl ticks
	mov $0x20, %al
	outb %al, $0x20
	pop %eax
	iret
	.globl software
software:
	incl traps
	iret
	.globl page_fault
page_fault:
	push %eax
	incl faults
	mov $PAGE + 3, %eax
	.globl map
map:	mov %eax, page_table + (PAGE >> 12) * 4
	.globl mapped
mapped:	pop %eax
	add $4, %esp
	iret

	.align 8
gdt:	.quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
	.word 23
	.long gdt
idt_pointer:
	.word 0x31 * 8 - 1
	.long idt
	.data
	.globl rounds, ticks, traps, faults, sum
rounds:	.long 0
ticks:	.long 0
traps:	.long 0
faults:	.long 0
sum:	.long 0
source:	.fill 64, 1, 0x11
	.globl target
	.align 16
target:	.skip 64
	.bss
	.align 4096
	.globl page_table, directory, other_directory
page_table: .skip 4096
directory: .skip 4096
other_directory: .skip 4096
idt:	.skip 0x31 * 8
	.skip 4096
stack_top:
