/* Prints what CPUID promises, in hexadecimal, a line each: leaf 1 EDX, leaf 1 ECX, leaf 80000001h EDX, leaf 80000001h ECX. */
#include "guest.inc"
	mov $stack, %esp
	mov $1, %eax
	call leaf
	mov $0x80000001, %eax
	call leaf
	POWER_OFF
	jmp .

leaf:	cpuid
	push %ecx
	mov %edx, %ebx
	call hex
	pop %ebx
/* EBX and a newline. */
hex:	mov $8, %ecx
1:	rol $4, %ebx
	mov %bl, %al
	and $15, %al
	cmp $10, %al
	jb 2f
	add $'a' - '0' - 10, %al
2:	add $'0', %al
	PUTC
	loop 1b
	mov $'\n', %al
	PUTC
	ret
	.bss
	.skip 4096
stack:
