/* Never ends. */
#include "guest.inc"
1:	inc %eax
	jmp 1b
