/* Mistakes with page tables that hardware forgives, for a while. The first letter of the command line chooses one; a second letter, i, does it
 * properly. All end by power-off.
 *
 *   s  unmaps a page without INVLPG, and reads it      g  marks a page global that the next address space maps elsewhere
 *   m  maps it to another frame                        4  as s, with a page of 4 MB
 *   w  makes it read-only, and writes it               p  as s, with PAE paging
 *   d  clears Dirty, and writes it                     r  sets a reserved bit
 *   l  only what needs no INVLPG                       t  lets user mode write a page table
 *   b  as s, twice from two places                     k  lets user mode see the page-fault handler
 *                                                      o  ... code of the kernel that has run before
 */
#include "guest.inc"
#define PAGE 0x400000                  /* the page that all is about */
#define LARGE 0x800000                 /* ... of 4 MB */
.macro FUNCTION name
	.globl \name
	.type \name, @function
\name:
.endm
.macro END name
	ret
	.size \name, . - \name
.endm
/* What the page-fault handler puts right. */
.macro FIX address, value
	movl $\address, fix_address
	movl $\value, fix_value
.endm
.macro CHOOSE letter, label
	cmpb $\letter, (%esi)
	je \label
.endm
	mov $stack, %esp
	mov 16(%ebx), %esi                     /* the command line */
	mov $fault, %eax
	mov %ax, idt + 8 * 14
	shr $16, %eax
	mov %ax, idt + 8 * 14 + 6
	movw $8, idt + 8 * 14 + 2
	movw $0x8e00, idt + 8 * 14 + 4
	mov $tss, %eax
	mov %ax, gdt + 0x2a
	shr $16, %eax
	mov %al, gdt + 0x2c
	mov %ah, gdt + 0x2f
	movl $stack, tss + 4
	movl $0x10, tss + 8
	lgdt gdt_pointer
	lidt idt_pointer
	ljmp $8, $1f
1:	mov $0x10, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov $0x28, %eax
	ltr %ax
	CHOOSE 'p', pae
	/* The first 4 MB are the supervisor's, but for what user mode needs. */
	mov $low + 7, %eax
	mov %eax, directory
	mov %eax, other_directory
	movl $high + 7, directory + 4
	movl $other_high + 7, other_directory + 4
	mov $low, %edi
	mov $3, %eax
1:	mov %eax, (%edi)
	add $4, %edi
	add $0x1000, %eax
	cmp $0x400003, %eax
	jb 1b
	mov $user, %eax
	call open_to_users
	mov $user_stack - 4, %eax
	call open_to_users
	movl $frame + 7, high
	movl $other_frame + 7, other_high
	cmpb $'k', (%esi)
	jne 1f
	cmpb $'i', 1(%esi)
	je 1f
	mov $fault, %eax
	call open_to_users
1:	cmpb $'o', (%esi)
	jne 1f
	cmpb $'i', 1(%esi)
	je 1f
	mov $to_user, %eax
	call open_to_users
1:	mov $0x90, %eax                        /* PSE, PGE */
	mov %eax, %cr4
	mov $directory, %eax
	mov %eax, %cr3
	mov %cr0, %eax
	or $0x80010000, %eax
	mov %eax, %cr0
	CHOOSE 's', missing
	CHOOSE 'b', both
	CHOOSE 'm', elsewhere
	CHOOSE 'w', read_only
	CHOOSE 'd', clean
	CHOOSE 'l', lazy
	CHOOSE 'g', global
	CHOOSE '4', large
	CHOOSE 'r', reserved
	CHOOSE 't', table
	CHOOSE 'k', kernel
	CHOOSE 'o', to_user
end:	POWER_OFF

/* --- the mistakes --- */

missing:
	FIX high, frame + 7
	mov PAGE, %eax
	call unmap
	call invalidate
	mov PAGE, %eax
	jmp end
both:	call missing_once
	call missing_once
	jmp end
missing_once:
	mov PAGE, %eax
	movl $0, high
	mov PAGE, %eax
	movl $frame + 7, high
	ret
elsewhere:
	mov PAGE, %eax
	call remap
	call invalidate
	mov PAGE, %eax
	jmp end
read_only:
	FIX high, frame + 7
	mov %eax, PAGE
	call protect
	call invalidate
	mov PAGE, %eax
	mov %eax, PAGE
	jmp end
clean:	mov %eax, PAGE
	call clean_page
	call invalidate
	mov %eax, PAGE
	jmp end
lazy:	movl $0, high                          /* nothing was cached */
	movl $frame + 1, high                  /* present now, and never was */
	mov PAGE, %eax
	movl $frame + 7, high                  /* more rights */
	mov %eax, PAGE
	andl $~0x20, high                      /* not accessed */
	mov PAGE, %eax
	movl $frame + 0x61, high               /* read-only, and only read */
	mov PAGE, %eax
	movl $0, high                          /* gone, and nobody looks */
	movl $frame + 0xe67, high              /* back, with bits that are the system's */
	mov %eax, PAGE
	movl $other_frame + 7, high
	mov %cr3, %eax                         /* elsewhere, and told */
	mov %eax, %cr3
	mov PAGE, %eax
	movl $0, directory + 4                 /* the table goes away, and becomes something else */
	invlpg PAGE
	movl $0x12345678, high
	jmp end
global:	cmpb $'i', 1(%esi)
	je 1f
	orl $0x100, high
1:	mov PAGE, %eax
	call switch_space
	mov PAGE, %eax
	jmp end
large:	FIX directory + 8, 0x400083
	movl $0x400083, directory + 8
	mov LARGE + 0x5000, %eax
	call unmap_large
	cmpb $'i', 1(%esi)
	jne 1f
	invlpg LARGE
1:	mov LARGE + 0x5000, %eax
	jmp end
reserved:
	FIX directory + 8, 0x400083
	movl $0x420083, directory + 8          /* bit 17 */
	cmpb $'i', 1(%esi)
	jne 1f
	movl $0x400083, directory + 8
1:	mov LARGE, %eax
	jmp end
table:	movl $high + 7, high + 4
	cmpb $'i', 1(%esi)
	jne 1f
	movl $high + 3, high + 4
1:	mov PAGE + 0x1000, %eax                /* the supervisor may */
	jmp to_user
kernel:	FIX high, frame + 7
	movl $0, high
	jmp to_user

FUNCTION unmap
	movl $0, high
	END unmap
FUNCTION remap
	movl $other_frame + 7, high
	END remap
FUNCTION protect
	movl $frame + 0x65, high
	END protect
FUNCTION clean_page
	andl $~0x40, high
	END clean_page
FUNCTION unmap_large
	movl $0, directory + 8
	END unmap_large
FUNCTION switch_space
	mov $other_directory, %eax
	mov %eax, %cr3
	END switch_space
FUNCTION unmap_pae
	movl $0, pae_high
	END unmap_pae
/* Those who do it properly. */
FUNCTION invalidate
	cmpb $'i', 1(%esi)
	jne 1f
	invlpg PAGE
1:	END invalidate
FUNCTION open_to_users
	shr $12, %eax
	orl $4, low(, %eax, 4)
	END open_to_users

pae:	FIX pae_high, frame + 7
	movl $pae_low_directory + 1, pointers
	movl $0x87, pae_low_directory
	movl $0x200087, pae_low_directory + 8
	movl $pae_high + 7, pae_low_directory + 16
	movl $frame + 7, pae_high
	mov $0x20, %eax
	mov %eax, %cr4
	mov $pointers, %eax
	mov %eax, %cr3
	mov %cr0, %eax
	or $0x80010000, %eax
	mov %eax, %cr0
	mov PAGE, %eax
	call unmap_pae
	call invalidate
	mov PAGE, %eax
	jmp end

to_user:
	push $0x23
	push $user_stack
	push $0x3002                           /* ports for everybody */
	push $0x1b
	push $user
	iret
	.align 4096
FUNCTION fault
	push %eax
	push %edi
	mov fix_address, %edi
	mov fix_value, %eax
	mov %eax, (%edi)
	pop %edi
	pop %eax
	add $4, %esp
	iret
	.size fault, . - fault
	.align 4096
FUNCTION user
	mov $0x23, %eax
	mov %eax, %ds
	cmpb $0, PAGE
	POWER_OFF
	.size user, . - user

	.align 4096
	.data
	.align 4096
gdt:	.quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00cffb000000ffff, 0x00cff3000000ffff, 0x0000890000000067
gdt_pointer:
	.word 47
	.long gdt
idt_pointer:
	.word 0x7ff
	.long idt
fix_address: .long 0
fix_value: .long 0
	.bss
	.align 4096
	.globl high, directory, pae_high
directory: .skip 4096
other_directory: .skip 4096
low:	.skip 4096
high:	.skip 4096
other_high: .skip 4096
frame:	.skip 4096
other_frame: .skip 4096
pae_low_directory: .skip 4096
pae_high: .skip 4096
pointers: .skip 4096
idt:	.skip 4096
tss:	.skip 4096
	.skip 4096
stack:	.skip 4096
user_stack:
