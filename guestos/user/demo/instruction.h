/* demo/instruction.h: enough of a decoder to know what an instruction that faulted wanted from memory. */
#ifndef INSTRUCTION_H
#define INSTRUCTION_H

#include <stdbool.h>
#include <ucontext.h>

struct instruction {
	uint32_t length;               /* bytes, prefixes and all; 0: not one of those known here */
	uint32_t address, size;        /* the memory operand; size 0: none */
	const char *name;
};

/* At EIP of regs. Known: MOV, MOVZX, MOVSX, and the arithmetic and logic instructions with a ModRM byte. */
struct instruction instruction_at(const mcontext_t *regs);

#endif
