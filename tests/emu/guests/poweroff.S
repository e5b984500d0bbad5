/* Prints a line on COM1 and powers off. */
#include "guest.inc"
	PUTS text
	POWER_OFF
1:	hlt
	jmp 1b
text:	.asciz "hello\n"
