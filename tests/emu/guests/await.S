/* Halts with interrupts on and none that could come: every line of both interrupt controllers is masked, no timer is armed. */
#include "guest.inc"
	OUT_BYTE 0x21, 0xff
	OUT_BYTE 0xa1, 0xff
	PUTS ready
	sti
1:	hlt
	jmp 1b
ready:	.asciz "ready\n"
