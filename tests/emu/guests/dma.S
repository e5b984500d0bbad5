/* Reads the first two sectors of the first disk into `buffer` by bus-master DMA, with interrupts off, and powers off. BAR4 of the IDE function is
 * where the machine's firmware has put it, C000h. [BMIDE] "Programming Interface for Bus Master IDE Controller". */
#include "guest.inc"
	.globl buffer, started
	mov $0xc004, %edx
	mov $regions, %eax
	outl %eax, %dx
	OUT_BYTE 0xc002, 0x06                  /* clear interrupt and error */
	OUT_BYTE 0xc000, 0x08                  /* from disk to memory */
	OUT_BYTE 0x1f6, 0xe0
	OUT_BYTE 0x1f2, 2
	OUT_BYTE 0x1f3, 0
	OUT_BYTE 0x1f4, 0
	OUT_BYTE 0x1f5, 0
	OUT_BYTE 0x1f7, 0xc8                   /* READ DMA */
	OUT_BYTE 0xc000, 0x09
started:
	mov $0xc002, %edx
1:	inb %dx, %al
	test $4, %al
	jz 1b
	OUT_BYTE 0xc000, 0x08
	POWER_OFF
2:	hlt
	jmp 2b
	.data
	.align 8
regions:
	.long buffer, 1024 | 0x80000000        /* the last one */
	.bss
	.align 4096
buffer:	.skip 1024
