/* emu/demo/guest.S: the smallest system in which a page fault can be repaired and resumed.
 *
 *   linear               what                              physical
 *   initial_esp's page   the user program's stack, U W     a frame of its own
 *   0x100000             this file: supervisor             the same
 *   user_text            the user program: U, read-only    the same
 *   everything else      not present
 *
 * A page fault takes the next free frame, zeroes it, puts it into the page table for the address in CR2, and returns:
 * the processor then executes the same instruction again. The emulator narrates what happens but takes no part in it.
 *
 * References: [SDM3A 4.3 "32-Bit Paging"], [SDM3A 6.12.1 "Exception- or Interrupt-Handler Procedures"], [SDM3A 7.2.1 "Task-State Segment (TSS)"].
 */
#define KERNEL_CODE 0x08
#define KERNEL_DATA 0x10
#define USER_CODE   (0x18 | 3)
#define USER_DATA   (0x20 | 3)
#define TSS_SELECTOR 0x28
#define PG_P 1
#define PG_W 2
#define PG_U 4

	.text
	.align 4
	.long 0x1badb002, 0, -0x1badb002       /* the Multiboot header */

	.globl _start
_start:
	mov $kernel_stack_top, %esp

	/* The page table: this file for the supervisor, the user program for all to read. */
	mov $page_table + 0x100 * 4, %edi      /* entry of linear 0x100000 */
	mov $0x100000 | PG_P | PG_W, %eax
1:	mov %eax, (%edi)
	add $4, %edi
	add $0x1000, %eax
	cmp $image_end, %eax
	jb 1b
	mov $user_text, %ebx
	mov %ebx, %eax
	shr $12, %eax
	or $PG_P | PG_U, %ebx
	mov %ebx, page_table(, %eax, 4)

	/* The stack's first page: a free frame at the page just below initial_esp. */
	mov initial_esp, %eax
	dec %eax
	shr $12, %eax
	mov next_free_frame, %ebx
	addl $0x1000, next_free_frame
	or $PG_P | PG_W | PG_U, %ebx
	mov %ebx, page_table(, %eax, 4)

	/* One directory entry covers the lowest 4 MB. */
	mov $page_table + (PG_P | PG_W | PG_U), %eax
	mov %eax, page_directory

	/* Descriptors: the TSS, a gate for page faults, and one for the user program's last word. */
	mov $tss, %eax
	mov %ax, gdt + TSS_SELECTOR + 2
	shr $16, %eax
	mov %al, gdt + TSS_SELECTOR + 4
	mov %ah, gdt + TSS_SELECTOR + 7
	mov $page_fault, %eax
	mov $idt + 14 * 8, %edi
	mov $0x8e00, %edx                      /* present, DPL 0, 32-bit interrupt gate */
	call set_gate
	mov $finished, %eax
	mov $idt + 0x30 * 8, %edi
	mov $0xee00, %edx                      /* ... DPL 3 */
	call set_gate

	lgdt gdt_pointer
	lidt idt_pointer
	mov $KERNEL_DATA, %eax
	mov %eax, %ss
	mov %eax, %ds
	mov %eax, %es
	mov $TSS_SELECTOR, %eax
	ltr %ax

	mov $page_directory, %eax
	mov %eax, %cr3
	mov %cr0, %eax
	or $0x80010000, %eax                   /* PG and WP */
	mov %eax, %cr0

	/* Into user mode, as if returning to it. */
	mov $USER_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	pushl $USER_DATA
	pushl initial_esp
	pushl $0x2                             /* EFLAGS: interrupts off */
	pushl $USER_CODE
	pushl $user_text
	mov $0x11111111, %eax
	mov $0x22222222, %ebx
	mov $0x33333333, %ebp
	iret

set_gate:                                      /* EAX handler, EDX type, EDI the gate */
	mov %ax, (%edi)
	movw $KERNEL_CODE, 2(%edi)
	mov %dx, 4(%edi)
	shr $16, %eax
	mov %ax, 6(%edi)
	ret

	.globl page_fault
page_fault:
	pusha
	push %ds
	push %es
	mov $KERNEL_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %cr2, %edx                         /* where it happened */
	mov next_free_frame, %ebx              /* allocate a frame */
	addl $0x1000, next_free_frame
	mov %edx, %esi
	shr $12, %esi
	mov %ebx, %eax
	or $PG_P | PG_W | PG_U, %eax
	mov %eax, page_table(, %esi, 4)        /* map it */
	mov %edx, %edi
	and $0xfffff000, %edi
	xor %eax, %eax
	mov $1024, %ecx
	cld
	rep stosl                              /* new memory is zero */
	pop %es
	pop %ds
	popa
	add $4, %esp                           /* the error code */
	iret

finished:
	cli
	hlt
	jmp finished

	/* The user program. */
	.balign 4096, 0
	.globl user_text
user_text:
	push %ebp
	sub $20, %esp
	push %eax
	push %ebx
	int $0x30
	.balign 4096, 0

	.data
	.align 8
gdt:	.quad 0
	.quad 0x00cf9b000000ffff               /* kernel code */
	.quad 0x00cf93000000ffff               /* kernel data */
	.quad 0x00cffb000000ffff               /* user code */
	.quad 0x00cff3000000ffff               /* user data */
	.quad 0x0000890000000067               /* TSS; its base is filled in */
gdt_pointer:
	.word . - gdt - 1
	.long gdt
idt_pointer:
	.word 0x31 * 8 - 1
	.long idt
	.align 4
tss:	.long 0, kernel_stack_top, KERNEL_DATA
	.fill 23, 4, 0
	.globl initial_esp, next_free_frame
initial_esp:
	.long 0x8004
next_free_frame:
	.long 0x200000

	.bss
	.balign 4096, 0
	.globl page_directory, page_table
page_directory:
	.skip 4096
page_table:
	.skip 4096
idt:	.skip 0x31 * 8
	.align 16
	.skip 4096
kernel_stack_top:
	.balign 4096, 0
	.globl image_end
image_end:
