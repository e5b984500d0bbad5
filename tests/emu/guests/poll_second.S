/* Waits until the real-time clock has moved on by two seconds, then powers off. */
#include "guest.inc"
	mov $stack, %esp
	mov $2, %ebx
1:	call second
	mov %al, %cl
2:	call second
	cmp %al, %cl
	je 2b
	dec %ebx
	jnz 1b
	POWER_OFF
	jmp .
second:	mov $0x70, %edx
	mov $0, %al
	outb %al, %dx
	mov $0x71, %edx
	inb %dx, %al
	ret
	.bss
	.skip 4096
stack:
