/* A virtual-8086 task that the timer interrupts and that faults into its monitor all the time, with paging on, a page that comes and goes,
 * string instructions, single steps, and x87 and SSE arithmetic in the monitor; forever. */
#include "guest.inc"
	mov $stack_top, %esp
	lgdt gdt_pointer
	ljmp $8, $1f
1:	mov $0x10, %eax
	mov %eax, %ss
	mov %eax, %ds
	mov %eax, %es

	/* The gates: all faults to `fault`, #GP to the monitor, #PF and #DB to theirs, IRQ 0 to `tick`. */
	mov $33, %ecx
	mov $idt, %edi
	mov $fault, %ebx
2:	call gate
	loop 2b
	mov $idt + 1 * 8, %edi
	mov $debug, %ebx
	call gate
	mov $idt + 13 * 8, %edi
	mov $monitor, %ebx
	call gate
	mov $idt + 14 * 8, %edi
	mov $page_fault, %ebx
	call gate
	mov $idt + 32 * 8, %edi
	mov $tick, %ebx
	call gate
	lidt idt_pointer

	/* The task state: its stack for ring 0; no port is the task's. */
	movl $stack_top, tss + 4
	movl $0x10, tss + 8
	movw $104, tss + 102
	mov $tss, %eax
	mov %ax, gdt + 0x18 + 2
	shr $16, %eax
	mov %al, gdt + 0x18 + 4
	mov $0x18, %eax
	ltr %ax

	/* 4 MB pages one to one for everybody, and a table for 4 to 8 MB. */
	movl $0x87, directory
	mov $table + 7, %eax
	mov %eax, directory + 4
	mov $directory, %eax
	mov %eax, %cr3
	mov $0x610, %eax                           /* PSE, OSFXSR, OSXMMEXCPT */
	mov %eax, %cr4
	mov %cr0, %eax
	or $0x80010022, %eax
	mov %eax, %cr0

	OUT_BYTE 0x20, 0x11
	OUT_BYTE 0x21, 0x20
	OUT_BYTE 0x21, 0x04
	OUT_BYTE 0x21, 0x01
	OUT_BYTE 0x21, 0xfe
	OUT_BYTE 0x43, 0x34
	OUT_BYTE 0x40, 0x51
	OUT_BYTE 0x40, 0x01
	fninit
	fld1

	mov $task, %esi
	mov $0x8000, %edi
	mov $task_end - task, %ecx
	rep movsb
	pushl $0                                   /* GS FS DS ES */
	pushl $0
	pushl $0x800
	pushl $0x900
	pushl $0x700                               /* SS ESP */
	pushl $0xffe
	pushl $0x20202                             /* VM, IF, IOPL 0 */
	pushl $0x800
	pushl $0
	iret

gate:	mov %ebx, %eax
	mov %ax, (%edi)
	movw $8, 2(%edi)
	movw $0x8e00, 4(%edi)
	shr $16, %eax
	mov %ax, 6(%edi)
	add $8, %edi
	ret

fault:	jmp fault

/* Steps over what the task may not do: HLT, CLI, STI and INT n. Now and then the step after is a single one. */
monitor:
	add $4, %esp
	push %eax
	push %ebx
	push %ds
	mov $0x10, %eax
	mov %ax, %ds
	movzwl 16(%esp), %ebx                      /* CS */
	shl $4, %ebx
	add 12(%esp), %ebx
	movzbl (%ebx), %eax
	incl 12(%esp)
	cmp $0xcd, %al
	jne 3f
	incl 12(%esp)
3:	addl $0x301, count
	testl $7, count
	jnz 4f
	orl $0x100, 20(%esp)
4:	fld1
	faddp
	fld %st(0)
	fsqrt
	fstpl root
	cvtsi2ss count, %xmm1
	divss %xmm1, %xmm1
	addps %xmm1, %xmm0
	movl count, %eax
	and $0x3ff000, %eax
	mov %eax, 0x400000(%eax)                   /* through the table */
	pop %ds
	pop %ebx
	pop %eax
	iret

debug:	andl $~0x100, 8(%esp)
	iret

/* Maps the page, and takes away the one mapped before. */
page_fault:
	push %eax
	push %ebx
	mov mapped, %ebx
	movl $0, table(,%ebx,4)
	shl $12, %ebx
	invlpg 0x400000(%ebx)
	mov %cr2, %eax
	shr $12, %eax
	and $0x3ff, %eax
	mov %eax, mapped
	mov $frame + 7, %ebx
	mov %ebx, table(,%eax,4)
	pop %ebx
	pop %eax
	add $4, %esp
	iret

tick:	push %eax                                  /* the segment registers are empty, coming from the task */
	push %edx
	rdtsc
	add %eax, %ss:root + 8
	addl $0x1fff, %ss:count
	mov $0x20, %al
	outb %al, $0x20
	pop %edx
	pop %eax
	iret

	.code16
task:	incw %ax
	mov $40, %cx
	xor %si, %si
	mov %ax, %di
	and $0x3ff, %di
	rep movsw
	int $0x21
	sti
	cli
	jmp task
task_end:
	.code32

	.data
	.align 8
gdt:	.quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x0000890000000067
gdt_pointer:
	.word 31
	.long gdt
idt_pointer:
	.word 33 * 8 - 1
	.long idt
count:	.long 0
mapped:	.long 0
root:	.quad 0, 0
	.bss
	.balign 4096
directory:
	.skip 4096
table:	.skip 4096
frame:	.skip 4096
idt:	.skip 33 * 8
tss:	.skip 104 + 1
	.skip 4096
stack_top:
