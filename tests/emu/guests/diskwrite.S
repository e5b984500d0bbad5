/* Writes 64 sectors of 'x' to the first disk by PIO, from sector 30000 on; prints "ok" or "error SS EE" (status, error), powers off. */
#include "guest.inc"
	mov $stack, %esp
	mov $30000, %ebx
1:	call wait
	OUT_BYTE 0x1f6, 0xe0
	OUT_BYTE 0x1f2, 1
	mov %bl, %al
	mov $0x1f3, %edx
	outb %al, %dx
	mov %bh, %al
	mov $0x1f4, %edx
	outb %al, %dx
	OUT_BYTE 0x1f5, 0
	OUT_BYTE 0x1f7, 0x30
	call wait
	test $0x21, %al
	jnz bad
	mov $0x7878, %eax
	mov $0x1f0, %edx
	mov $256, %ecx
2:	outw %ax, %dx
	loop 2b
	call wait
	test $0x21, %al
	jnz bad
	inc %ebx
	cmp $30064, %ebx
	jb 1b
	PUTS good
	jmp off
bad:	mov %al, %bl
	PUTS failed
	mov %bl, %al
	call hex
	mov $' ', %al
	PUTC
	mov $0x1f1, %edx
	inb %dx, %al
	call hex
	mov $'\n', %al
	PUTC
off:	POWER_OFF
3:	hlt
	jmp 3b

wait:	mov $0x1f7, %edx
4:	inb %dx, %al
	test $0x80, %al
	jnz 4b
	ret
hex:	mov %al, %bh
	shr $4, %al
	call digit
	mov %bh, %al
	and $15, %al
digit:	add $'0', %al
	cmp $'9', %al
	jbe 5f
	add $'a' - '9' - 1, %al
5:	PUTC
	ret
good:	.asciz "ok\n"
failed:	.asciz "error "
	.bss
	.skip 4096
stack:
