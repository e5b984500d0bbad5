/* demo/instruction.c: length and memory operand of the instructions compilers use to reach memory.
 *
 *   prefix 66 | opcode, or 0f and opcode | ModRM mod[7:6] reg[5:3] rm[2:0] | SIB scale index base | displacement | immediate
 *
 * References: [SDM2A 2.1 "Instruction Format for Protected Mode"], tables 2-2 and 2-3; [SDM2D] appendix A. */
#include "instruction.h"

/* By number: EAX ECX EDX EBX ESP EBP ESI EDI. */
static uint32_t value_of(const mcontext_t *r, int number)
{
	const uint32_t values[8] = {r->eax, r->ecx, r->edx, r->ebx, r->esp, r->ebp, r->esi, r->edi};
	return values[number];
}

static uint32_t word_at(const uint8_t *p) { return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24; }

/* ModRM and what belongs to it: its length; the address, or is_register. */
static uint32_t operand(const uint8_t *p, const mcontext_t *regs, uint32_t *address, bool *is_register)
{
	int mod = p[0] >> 6, rm = p[0] & 7;
	uint32_t n = 1;

	*address = 0;
	*is_register = mod == 3;
	if (mod == 3)
		return 1;
	if (rm == 4) {
		int scale = p[1] >> 6, index = p[1] >> 3 & 7;
		rm = p[1] & 7;                 /* the base takes the place of rm */
		n = 2;
		if (index != 4)
			*address += value_of(regs, index) << scale;
	}
	if (mod == 0 && rm == 5) {
		*address += word_at(p + n);
		return n + 4;
	}
	*address += value_of(regs, rm);
	if (mod == 1)
		*address += (int8_t)p[n];
	if (mod == 2)
		*address += word_at(p + n);
	return n + (mod == 1 ? 1 : mod == 2 ? 4 : 0);
}

static const char *const arithmetic[8] = {"ADD", "OR", "ADC", "SBB", "AND", "SUB", "XOR", "CMP"};

/* The opcode's name, and the bytes of its immediate when operands are size bytes. NULL: not known. */
static const char *look_up(uint8_t op, int reg, uint32_t size, uint32_t *immediate)
{
	*immediate = 0;
	if (op < 0x40 && (op & 7) < 4)
		return arithmetic[op >> 3];
	switch (op) {
	case 0x80: case 0x83:
		*immediate = 1;
		return arithmetic[reg];
	case 0x81:
		*immediate = size;
		return arithmetic[reg];
	case 0xc6: case 0xc7:
		*immediate = size;
		return "MOV";
	case 0xf6: case 0xf7:
		*immediate = reg < 2 ? size : 0;
		return reg < 2 ? "TEST" : reg == 2 ? "NOT" : reg == 3 ? "NEG" : reg < 6 ? "MUL" : "DIV";
	case 0x88: case 0x89: case 0x8a: case 0x8b: return "MOV";
	case 0x84: case 0x85: return "TEST";
	case 0x86: case 0x87: return "XCHG";
	case 0xfe: case 0xff: return reg == 0 ? "INC" : reg == 1 ? "DEC" : reg == 6 ? "PUSH" : NULL;
	}
	return NULL;
}

struct instruction instruction_at(const mcontext_t *regs)
{
	const uint8_t *start = (const uint8_t *)regs->eip, *p = start;
	struct instruction i = {0};
	uint32_t wide = 4, immediate = 0;
	bool is_register;

	if (*p == 0x66) {
		wide = 2;
		p++;
	}
	uint8_t op = *p++;
	if (op >= 0xa0 && op <= 0xa3) {        /* MOV with EAX and an address in the instruction */
		i = (struct instruction){p + 4 - start, word_at(p), op & 1 ? wide : 1, "MOV"};
		return i;
	}
	if (op == 0x0f) {
		op = *p++;
		if ((op & 0xf6) != 0xb6)
			return i;
		i.name = op < 0xb8 ? "MOVZX" : "MOVSX";
		i.size = op & 1 ? 2 : 1;
	} else {
		i.size = op & 1 ? wide : 1;
		i.name = look_up(op, *p >> 3 & 7, i.size, &immediate);
		if (!i.name)
			return (struct instruction){0};
	}
	p += operand(p, regs, &i.address, &is_register);
	if (is_register)
		i.size = 0;
	i.length = p + immediate - start;
	return i;
}
