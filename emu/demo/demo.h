/* emu/demo/demo.h: demonstrations: a small guest is run on a machine, and what the processor does is told line by line. */
#ifndef EMU_DEMO_H
#define EMU_DEMO_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "emu/loader.h"

/* The bytes of guest.S as an ELF file. */
extern const uint8_t demo_guest[];
extern const size_t demo_guest_size;

struct fault_demo_config {
	const uint8_t *image;          /* NULL: demo_guest */
	size_t image_size;
	uint32_t esp;                  /* where the user program's stack pointer starts */
};

/* 0, or -1 with one line in err. */
int demo_fault_resumption(const struct fault_demo_config *config, FILE *out, char *err);

#endif
