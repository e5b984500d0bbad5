/* Prints what the loader handed over: the magic number's low byte, the command line, the first module's string and contents. */
#include "guest.inc"
	mov $stack, %esp
	cmp $0x2badb002, %eax
	jne bad
	mov %ebx, %ebp
	mov 16(%ebp), %esi
	call puts
	cmpl $0, 20(%ebp)
	je 1f
	mov 24(%ebp), %edi
	mov 8(%edi), %esi
	call puts
	mov (%edi), %esi
	mov 4(%edi), %ecx
	sub %esi, %ecx
3:	lodsb
	PUTC
	loop 3b
1:	mov 8(%ebp), %ebx                      /* mem_upper, as a power-off check: 4M gives 3072 */
	cmp $3072, %ebx
	jne bad
	POWER_OFF
	jmp .
bad:	OUT_BYTE 0x501, 0x7f
	jmp .
puts:	lodsb
	test %al, %al
	jz 5f
	PUTC
	jmp puts
5:	mov $'\n', %al
	PUTC
	ret
	.bss
	.skip 4096
stack:
