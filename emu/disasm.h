/* emu/disasm.h: guest instructions in words, by Capstone, without disturbing the guest. */
#ifndef EMU_DISASM_H
#define EMU_DISASM_H

#include <stddef.h>
#include <stdint.h>

#include "cpu/cpu.h"
#include "cpu/insn.h"

struct disassembly { uint8_t byte[INSN_MAX]; unsigned len; char text[200]; };

/* The instruction at a linear address, as it would be fetched now in this code size. len is 0 when no byte of it is mapped. */
void disassemble(const struct cpu *cpu, laddr_t la, bool bits32, struct disassembly *d);
/* ... in Intel syntax. */
void disassemble_intel(const struct cpu *cpu, laddr_t la, bool bits32, struct disassembly *d);
/* ... at CS:EIP, in the code size of CS. */
void disassemble_next(const struct cpu *cpu, struct disassembly *d);
/* Bytes at a linear address as a debugger sees them; returns how many are mapped. */
size_t peek_linear(const struct cpu *cpu, laddr_t la, void *buf, size_t size);

#endif
