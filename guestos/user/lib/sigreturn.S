/* sigreturn.S: where handlers return to: the kernel puts the registers back. ESP is what RET left it at. */
#include <sys/syscall.h>
	.text
	.globl	restore_rt, restore_old
restore_rt:                            /* of a handler with SA_SIGINFO */
	movl	$SYS_rt_sigreturn, %eax
	int	$0x80
restore_old:                           /* of one without: its argument is still there */
	popl	%eax
	movl	$SYS_sigreturn, %eax
	int	$0x80
	.section .note.GNU-stack, "", @progbits
