/* One of the mistakes everybody makes once, chosen by the first letter of the command line. All end in a triple fault. */
#include "guest.inc"
.macro GATE vector, handler
	mov $\handler, %eax
	mov %ax, idt + 8 * \vector
	movw $8, idt + 8 * \vector + 2
	movw $0x8e00, idt + 8 * \vector + 4
	shr $16, %eax
	mov %ax, idt + 8 * \vector + 6
.endm
	mov $stack, %esp
	mov 16(%ebx), %esi                     /* the command line */
	movzbl (%esi), %esi
	cmp $'i', %esi
	je divide                              /* no IDT was ever loaded */
	mov $0x40000000, %eax
	cmp $'j', %esi
	jne 9f
	jmp *%eax                              /* outside memory */
9:	cmp $'x', %esi
	jne 9f
	addps %xmm1, %xmm2                     /* CR4.OSFXSR is 0 */
9:	cmp $'n', %esi
	je pae
	cmp $'o', %esi
	je pae
	/* The first 4 MB are mapped to themselves, for user mode too. */
	movl $table + 7, directory
	mov $table, %edi
	mov $7, %eax
1:	mov %eax, (%edi)
	add $4, %edi
	add $0x1000, %eax
	cmp $0x400007, %eax
	jb 1b
	mov $guard, %edi
	shr $10, %edi
	movl $0, table(%edi)                   /* below the stack nothing is mapped */
	GATE 8, stay
	GATE 13, stay
	GATE 14, stay
	cmp $'h', %esi
	jne 2f
	GATE 14, 0xc0001000                    /* a handler that is not mapped */
2:	cmp $'p', %esi
	jne 3f
	GATE 14, faulting
3:	lidt idt_pointer
	lgdt gdt_pointer
	mov $directory, %eax
	cmp $'c', %esi
	jne 4f
	mov $0x12345000, %eax                  /* CR3 outside memory */
4:	mov %eax, %cr3
	mov %cr0, %eax
	or $0x80000000, %eax
	mov %eax, %cr0
	cmp $'s', %esi
	jne 6f
	mov $0x900000, %esp                    /* the stack is not mapped */
	push %eax
6:	cmp $'g', %esi
	jne 7f
	lgdt short_gdt                         /* no room for the code segment that the gates name */
	mov 0x900000, %eax
7:	cmp $'t', %esi
	je user
	mov 0x800000, %eax
stay:	jmp stay
faulting: incl 0x900000
divide:	xor %ecx, %ecx
	div %ecx
	/* PAE: the handler lies in a page that is for data only, as is the stack; or the pointer table leads outside memory. */
pae:	movl $pae_directory + 1, pointers
	movl $0x87, pae_directory
	movl $0x400087, pae_directory + 16
	movl $0x80000000, pae_directory + 20
	cmp $'o', %esi
	jne 1f
	movl $0x12345001, pointers
1:	GATE 14, 0x500000
	lidt idt_pointer
	lgdt gdt_pointer
	mov $0x401000, %esp
	mov $pointers, %eax
	mov %eax, %cr3
	mov $0x20, %eax
	mov %eax, %cr4
	mov $0xc0000080, %ecx
	mov $0x800, %eax
	xor %edx, %edx
	wrmsr
	mov %cr0, %eax
	or $0x80000000, %eax
	mov %eax, %cr0
	mov 0x800000, %eax
	/* To user mode without a TSS. */
user:	push $0x23
	push $stack
	push $2
	push $0x1b
	push $8f
	iret
8:	mov 0x900000, %eax
	.align 8
gdt:	.quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00cffb000000ffff, 0x00cff3000000ffff
gdt_pointer:
	.word 39
	.long gdt
short_gdt:
	.word 7
	.long gdt
idt_pointer:
	.word 0x7ff
	.long idt
	.bss
	.align 4096
directory: .skip 4096
table:	.skip 4096
pae_directory: .skip 4096
pointers: .skip 4096
idt:	.skip 4096
guard:	.skip 4096
	.skip 4096
stack:
