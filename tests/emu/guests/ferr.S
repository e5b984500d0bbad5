/* Divides by zero with the exception raised and CR0.NE clear: the next x87 instruction waits for an interrupt, which is disabled. */
#include "guest.inc"
	fninit
	mov $stack, %esp
	movw $0x37b, -2(%esp)
	fldcw -2(%esp)
	fld1
	fldz
	fdivrp
	fwait
	ud2
	.bss
	.skip 16
stack:
