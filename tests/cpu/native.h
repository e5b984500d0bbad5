/* tests/cpu/native.h: runs 32-bit code on the processor the test itself runs on.
 *
 * A far jump to the kernel's 32-bit code segment, from code below 4 GB; another back. Signals say which exception the code
 * raised. x86-64 Linux only.
 */
#ifndef TESTS_CPU_NATIVE_H
#define TESTS_CPU_NATIVE_H

#include <stdbool.h>
#include <stdint.h>

#define NATIVE_CODE  0x0b3d1000u       /* a page for the code under test */
#define NATIVE_DATA  0x10010000u       /* NATIVE_SIZE bytes to work on */
#define NATIVE_STACK 0x10030000u       /* NATIVE_SIZE bytes */
#define NATIVE_SIZE  0x10000u
/* Round numbers turn up by chance in the registers of random code, so the code is elsewhere. */
#define NATIVE_END   0x10050000u

struct native_state {
	uint32_t r[8];             /* eax ecx edx ebx esp ebp esi edi */
	uint32_t eflags, eip;
	int vector;                /* -1, or the exception that ended it */
};

/* Maps the areas. False when this host cannot do it. */
bool native_open(void);
void native_close(void);
/* Runs the code at NATIVE_CODE, which is `length` bytes and falls off its end. */
void native_run(struct native_state *s, unsigned length);

#endif
