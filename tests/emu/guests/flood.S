/* Prints for ever, as fast as it can. */
#include "guest.inc"
1:	mov $0x2e, %al
	mov $0xe9, %edx
	outb %al, %dx
	jmp 1b
