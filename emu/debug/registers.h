/* emu/debug/registers.h: the processor's registers as a value, to compare two moments. */
#ifndef EMU_DEBUG_REGISTERS_H
#define EMU_DEBUG_REGISTERS_H

#include "cpu/cpu.h"

struct registers {
	uint32_t r[8], eip, eflags, cr0, cr2, cr3, cr4, efer, dr[8];
	struct segment seg[SEG_COUNT];
	struct table_register gdtr, idtr;
	struct fpu fpu;
	uint8_t cpl;
};

void registers_read(const struct cpu *cpu, struct registers *r);
/* "real", "V86", "protected 16", "protected 32" and with paging "+paging", "+PAE". Returns buf. */
const char *mode_name(const struct cpu *cpu, char *buf, size_t size);
/* "PG WP PE": the bits of CR0 (0), CR4 (4) or EFER (8) that are set. */
const char *control_bits(unsigned which, uint32_t value, char *buf, size_t size);
/* "o d I t s z a p c": each flag's letter, a capital when it is set. */
const char *flag_letters(uint32_t eflags, char *buf, size_t size);

#endif
