/* guestos/boot/entry.S: from the boot loader to C.
 *
 * A Multiboot 1 loader enters in 32-bit protected mode with paging off, EAX = 0x2BADB002, EBX = the address of
 * its information structure. The kernel is linked at 0xC0100000 and loaded at 0x00100000, so this code
 * builds one page table for the first 4 MB, enters it in the directory twice (at 0, where we run, and at
 * 0xC0000000, where we want to run), turns paging on and jumps up. paging_init() later removes the low one.
 *
 * References: [MULTIBOOT 3.1 "OS image format"], [MULTIBOOT 3.2 "Machine state"]; [SDM3A 4.3 "32-Bit Paging"]. */
#include "x86.h"

#define PHYS(symbol) (symbol - 0xC0000000)
#define MB_MAGIC 0x1BADB002
#define MB_FLAGS 0x3           /* page-align modules, memory information wanted */
#define BOOT_STACK 4096

	.section .multiboot, "a"
	.align 4
	.long MB_MAGIC, MB_FLAGS, -(MB_MAGIC + MB_FLAGS)

	.section .text
	.globl start, boot_pgdir, boot_pgtable
start:
	cli
	cld
	movl %eax, %esi                        /* magic */

	/* boot_pgtable[i] = i * 4096 | P | W */
	movl $PHYS(boot_pgtable), %edi
	movl $0x003, %eax
	movl $1024, %ecx
1:	movl %eax, (%edi)
	addl $4, %edi
	addl $4096, %eax
	loop 1b

	movl $(PHYS(boot_pgtable) + 3), %eax
	movl %eax, PHYS(boot_pgdir)
	movl %eax, PHYS(boot_pgdir) + 768 * 4

	movl $PHYS(boot_pgdir), %eax
	movl %eax, %cr3
	movl %cr0, %eax
	orl $(CR0_PG | CR0_WP), %eax
	movl %eax, %cr0
	movl $high, %eax
	jmp *%eax
high:
	movl $(boot_stack + BOOT_STACK), %esp
	xorl %ebp, %ebp
	pushl %ebx
	pushl %esi
	call kmain
2:	cli
	hlt
	jmp 2b

	.section .bss
	.align 4096
boot_pgdir:   .skip 4096
boot_pgtable: .skip 4096
boot_stack:   .skip BOOT_STACK

	.section .note.GNU-stack, "", @progbits
