/* Echoes COM1, polling; 'q' powers off. */
#include "guest.inc"
	PUTS ready
1:	mov $0x3fd, %edx
	inb %dx, %al
	test $1, %al
	jz 1b
	mov $0x3f8, %edx
	inb %dx, %al
	cmp $'q', %al
	je 2f
	PUTC
	jmp 1b
2:	mov $'\n', %al
	PUTC
	POWER_OFF
3:	hlt
	jmp 3b
ready:	.asciz "ready\n"
