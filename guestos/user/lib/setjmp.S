/* setjmp.S: save and restore the registers a function call preserves. */
	.text
	.globl	setjmp
setjmp:
	movl	4(%esp), %eax
	movl	%ebx, 0(%eax)
	movl	%esi, 4(%eax)
	movl	%edi, 8(%eax)
	movl	%ebp, 12(%eax)
	leal	4(%esp), %ecx           /* esp after the return */
	movl	%ecx, 16(%eax)
	movl	(%esp), %ecx            /* the return address */
	movl	%ecx, 20(%eax)
	xorl	%eax, %eax
	ret

	.globl	longjmp
longjmp:
	movl	4(%esp), %edx
	movl	8(%esp), %eax
	testl	%eax, %eax
	jnz	1f
	incl	%eax                    /* setjmp never returns 0 twice */
1:	movl	0(%edx), %ebx
	movl	4(%edx), %esi
	movl	8(%edx), %edi
	movl	12(%edx), %ebp
	movl	16(%edx), %esp
	jmp	*20(%edx)
	.section .note.GNU-stack, "", @progbits
