/* Turns paging on with the first 4 MB mapped but for one page, and writes there; the IDT has no gate for it. */
#include "guest.inc"
	mov $stack, %esp
	mov $directory, %edi
	movl $table + 3, (%edi)
	mov $table, %edi
	mov $3, %eax
1:	mov %eax, (%edi)
	add $4, %edi
	add $0x1000, %eax
	cmp $0x400003, %eax
	jb 1b
	movl $0, table + 0x3ff * 4             /* linear 0x3ff000 */
	lidt idt_pointer
	mov $directory, %eax
	mov %eax, %cr3
	mov %cr0, %eax
	or $0x80000000, %eax
	mov %eax, %cr0
	call touch_unmapped
	ud2
	.globl touch_unmapped
	.type touch_unmapped, @function
touch_unmapped:
	movl $1, 0x3ff123
	ret
	.size touch_unmapped, . - touch_unmapped
idt_pointer:
	.word 0x1f
	.long 0
	.bss
	.align 4096
directory: .skip 4096
table:	.skip 4096
	.skip 4096
stack:
