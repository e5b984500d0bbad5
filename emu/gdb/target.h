/* emu/gdb/target.h: documents gdb asks for. Private to emu/gdb/. */
#ifndef EMU_GDB_TARGET_H
#define EMU_GDB_TARGET_H

#include <stdio.h>

#include "emu/gdb/packets.h"

void target_description(FILE *out);
/* RAM, ROM and what lies between, as physical addresses. */
void target_memory_map(const struct gdb *g, FILE *out);
void target_threads(const struct gdb *g, FILE *out);

#endif
