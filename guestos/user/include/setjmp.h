/* setjmp.h: non-local jumps (lib/setjmp.S). The buffer holds ebx, esi, edi, ebp, esp, eip. */
#ifndef SETJMP_H
#define SETJMP_H

typedef unsigned long jmp_buf[6];

int setjmp(jmp_buf env) __attribute__((returns_twice));
_Noreturn void longjmp(jmp_buf env, int value);

#endif
