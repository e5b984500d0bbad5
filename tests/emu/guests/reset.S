/* Resets the machine in three ways, counting in a word of memory the loader does not touch; the fourth start prints and powers off. */
#include "guest.inc"
	incl 0x300000
	cmpl $1, 0x300000
	jne 1f
	OUT_BYTE 0x64, 0xfe
	jmp .
1:	cmpl $2, 0x300000
	jne 2f
	OUT_BYTE 0x92, 0x03
	jmp .
2:	cmpl $3, 0x300000
	jne 3f
	OUT_BYTE 0xcf9, 0x06
	jmp .
3:	PUTS text
	POWER_OFF
	jmp .
text:	.asciz "fourth start\n"
