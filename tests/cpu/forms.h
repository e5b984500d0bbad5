/* tests/cpu/forms.h: every instruction form the decoder knows, as bytes.
 *
 * Walks insn_table[] and encodes each row in each shape that reaches memory differently: register or memory operand,
 * 16- and 32-bit operand and address size, each REP prefix, LOCK. The proofs that quantify over "every instruction"
 * quantify over this list, so a row added to insn.def is in them the moment it exists.
 */
#ifndef TESTS_CPU_FORMS_H
#define TESTS_CPU_FORMS_H

#include "cpu/cpu.h"
#include "cpu/insn.h"

enum form_operand { FORM_NONE, FORM_REGISTER, FORM_ABSOLUTE, FORM_INDEXED };

struct form {
	const struct insn_row *row;
	unsigned row_index;
	bool code32;               /* CS.D it is meant for */
	uint8_t opsize, addrsize;  /* 2 or 4 */
	enum form_operand operand; /* where the ModRM r/m operand is */
	uint8_t rep;               /* 0, 0xf3, 0xf2 */
	bool lock;
	uint8_t reg, rm;           /* ModRM.reg; ModRM.rm of a register operand */
	uint8_t bytes[15], len;
};

/* What the caller wants in the form's numbers. Absolute operands and moffs use address; indexed ones address - disp8 - ... by
 * the caller's registers: [ebx + esi*2 + 4], in 16-bit addressing [bx + si + 4]. */
struct form_values {
	uint32_t address;          /* of the memory operand */
	uint32_t immediate;        /* Ib, Iw, Iz, Jb, Jz as far as it fits */
	uint16_t selector;         /* of Ap */
	uint32_t far_offset;       /* of Ap */
};

#define FORM_DISP8 4

/* Calls fn for every form in code of the given default size. */
void forms_each(bool code32, const struct form_values *v, void (*fn)(void *ctx, const struct form *f), void *ctx);
/* The same form with other numbers in it; the length does not change. */
void form_encode(struct form *f, const struct form_values *v);
/* "lock add dword [abs], ecx  66 f0 01 0d ..." in words, for messages. */
void form_describe(const struct form *f, char *buf, size_t size);

bool row_has_operand(const struct insn_row *row, enum operand o);
bool row_has_modrm(const struct insn_row *row);

#endif
