/* crt0.S: where a program starts.
 *
 *   esp+0   argc
 *   esp+4   argv[0] ... argv[argc-1], NULL, envp[0] ..., NULL
 *
 * References: [SYSVI386 3 "Process Initialization"].
 */
	.section .text
	.globl	_start
_start:
	xorl	%ebp, %ebp              /* ends a debugger's chain of frames */
	movl	(%esp), %eax            /* argc */
	leal	4(%esp), %ecx           /* argv */
	leal	8(%esp,%eax,4), %edx    /* envp */
	andl	$-16, %esp
	subl	$4, %esp
	pushl	%edx
	pushl	%ecx
	pushl	%eax
	call	libc_start              /* does not return */
	.section .note.GNU-stack, "", @progbits
