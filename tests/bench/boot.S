/* tests/bench/boot.S: a boot sector that loads the guest from a floppy with BIOS calls, for emulators that boot by BIOS.
 *
 * Sectors 1.. of the disk hold the guest's flat image; SECTORS of them go to 0x10000, then to 1 MB in protected mode.
 * Entry: real mode, DL = drive, at 0x7c00.  1.44 MB geometry: 18 sectors a track, 2 heads. */
	.code16
	.globl	_start
_start:
	cli
	xor	%ax, %ax
	mov	%ax, %ds
	mov	%ax, %ss
	mov	$0x7c00, %sp
	mov	%dl, drive
	mov	$0x1000, %ax
	mov	%ax, %es
	mov	$1, %si                 /* next sector, from 0 */
	sti
next:	mov	%si, %ax                /* LBA to cylinder, head, sector */
	xor	%dx, %dx
	mov	$18, %cx
	div	%cx
	mov	%dl, %cl
	inc	%cl
	mov	%al, %dh
	and	$1, %dh
	shr	$1, %ax
	mov	%al, %ch
	mov	drive, %dl
	xor	%bx, %bx
	mov	$0x0201, %ax
	int	$0x13
	jc	next                    /* a drive spinning up: again */
	mov	%es, %ax
	add	$0x20, %ax
	mov	%ax, %es
	inc	%si
	cmp	$SECTORS, %si
	jbe	next

	cli
	in	$0x92, %al              /* A20 */
	or	$2, %al
	out	%al, $0x92
	lgdt	gdtr
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	ljmp	$8, $flat

	.code32
flat:	mov	$16, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	cld
	mov	$0x10000, %esi
	mov	$0x100000, %edi
	mov	$SECTORS * 128, %ecx
	rep movsl
	mov	$ENTRY, %eax
	jmp	*%eax

	.align	8
gdt:	.quad	0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdtr:	.word	23
	.long	gdt
drive:	.byte	0
	.org	510
	.word	0xaa55
