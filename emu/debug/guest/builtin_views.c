/* emu/debug/guest/builtin_views.c: the descriptions in views/ as texts of the program, so that it needs no other file. */
#include <stddef.h>

#define TEXT(name, file) \
	extern const char name[]; \
	__asm__(".section .rodata\n" \
		".globl " #name "\n" \
		#name ":\n" \
		".incbin \"" VIEWS_DIR "/" file "\"\n" \
		".byte 0\n" \
		".previous\n");

TEXT(view_text_linux, "linux.view")
TEXT(view_text_pagoda, "pagoda.view")

extern const char *const builtin_views[];
const char *const builtin_views[] = { view_text_pagoda, view_text_linux, NULL };
