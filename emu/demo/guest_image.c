/* emu/demo/guest_image.c: the built demo guest as bytes of the program, so that the demo needs no other file. */
#include "emu/demo/demo.h"

__asm__(".section .rodata\n"
	".globl demo_guest\n"
	".balign 16\n"
	"demo_guest:\n"
	".incbin \"" DEMO_GUEST_ELF "\"\n"
	"demo_guest_end:\n"
	".byte 0\n"
	".balign 16\n"
	".globl demo_guest_size\n"
	"demo_guest_size:\n"
#if __SIZEOF_SIZE_T__ == 8
	".quad demo_guest_end - demo_guest\n"
#else
	".long demo_guest_end - demo_guest\n"
#endif
	".previous\n");
