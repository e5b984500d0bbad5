/* Leaves through isa-debug-exit with 0x10: exit status 33. */
#include "guest.inc"
	OUT_BYTE 0x501, 0x10
1:	hlt
	jmp 1b
