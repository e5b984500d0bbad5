/* cpu/op_arith.c: ADD OR ADC SBB AND SUB XOR CMP TEST in all forms, INC DEC NEG NOT, XADD CMPXCHG CMPXCHG8B.
 *
 * The operation itself and its flags are in flags.h, once for each width; here are the operand forms around them.
 * References: [SDM2A], [SDM2B] under each name.
 */
#include "cpu/flags.h"

/* E, G and I of each width: what opcode-map letters stand for here. */
#define FORMS(name, bits, bytes, u, E, G, I, mode, store) \
enum exec op_##name##_##E##_##G(struct cpu *cpu, const struct insn *in) \
{ \
	struct ref dst; \
	TRY(open_rm(cpu, in, bytes, mode, &dst)); \
	u r = alu_##name##bits(cpu, ref_get##bits(cpu, &dst), get_reg##bits(cpu, in->reg)); \
	if (store) \
		ref_set##bits(cpu, &dst, r); \
	NEXT(cpu, in); \
} \
enum exec op_##name##_##E##_##I(struct cpu *cpu, const struct insn *in) \
{ \
	struct ref dst; \
	TRY(open_rm(cpu, in, bytes, mode, &dst)); \
	u r = alu_##name##bits(cpu, ref_get##bits(cpu, &dst), (u)in->imm); \
	if (store) \
		ref_set##bits(cpu, &dst, r); \
	NEXT(cpu, in); \
}
#define REVERSED(name, bits, bytes, u, E, G, store) \
enum exec op_##name##_##G##_##E(struct cpu *cpu, const struct insn *in) \
{ \
	struct ref src; \
	TRY(open_rm(cpu, in, bytes, OPEN_READ, &src)); \
	u r = alu_##name##bits(cpu, get_reg##bits(cpu, in->reg), ref_get##bits(cpu, &src)); \
	if (store) \
		set_reg##bits(cpu, in->reg, r); \
	NEXT(cpu, in); \
}
#define BINARY(name, mode, store) \
	FORMS(name, 8, 1, uint8_t, Eb, Gb, Ib, mode, store) \
	FORMS(name, 16, 2, uint16_t, Ew, Gw, Iw, mode, store) \
	FORMS(name, 32, 4, uint32_t, Ed, Gd, Id, mode, store)
#define BINARY_BOTH(name, mode, store) \
	BINARY(name, mode, store) \
	REVERSED(name, 8, 1, uint8_t, Eb, Gb, store) \
	REVERSED(name, 16, 2, uint16_t, Ew, Gw, store) \
	REVERSED(name, 32, 4, uint32_t, Ed, Gd, store)

BINARY_BOTH(add, OPEN_RW, true)
BINARY_BOTH(or,  OPEN_RW, true)
BINARY_BOTH(adc, OPEN_RW, true)
BINARY_BOTH(sbb, OPEN_RW, true)
BINARY_BOTH(and, OPEN_RW, true)
BINARY_BOTH(sub, OPEN_RW, true)
BINARY_BOTH(xor, OPEN_RW, true)
BINARY_BOTH(cmp, OPEN_READ, false)
BINARY(test, OPEN_READ, false)

#define UNARY(name, bits, bytes, E) \
enum exec op_##name##_##E(struct cpu *cpu, const struct insn *in) \
{ \
	struct ref dst; \
	TRY(open_rm(cpu, in, bytes, OPEN_RW, &dst)); \
	ref_set##bits(cpu, &dst, alu_##name##bits(cpu, ref_get##bits(cpu, &dst))); \
	NEXT(cpu, in); \
}
#define UNARY_ALL(name) UNARY(name, 8, 1, Eb) UNARY(name, 16, 2, Ew) UNARY(name, 32, 4, Ed)
UNARY_ALL(inc)
UNARY_ALL(dec)
UNARY_ALL(neg)
UNARY_ALL(not)

/* XADD: the register gets the old value, then the destination the sum; that order matters when they are the same. */
#define XADD(bits, bytes, u, E, G) \
enum exec op_xadd_##E##_##G(struct cpu *cpu, const struct insn *in) \
{ \
	struct ref dst; \
	TRY(open_rm(cpu, in, bytes, OPEN_RW, &dst)); \
	u old = ref_get##bits(cpu, &dst), sum = alu_add##bits(cpu, old, get_reg##bits(cpu, in->reg)); \
	set_reg##bits(cpu, in->reg, old); \
	ref_set##bits(cpu, &dst, sum); \
	NEXT(cpu, in); \
}
XADD(8, 1, uint8_t, Eb, Gb)
XADD(16, 2, uint16_t, Ew, Gw)
XADD(32, 4, uint32_t, Ed, Gd)

/* CMPXCHG: the destination is written in either case, with its own value when the comparison fails. */
#define CMPXCHG(bits, bytes, u, E, G) \
enum exec op_cmpxchg_##E##_##G(struct cpu *cpu, const struct insn *in) \
{ \
	struct ref dst; \
	TRY(open_rm(cpu, in, bytes, OPEN_RW, &dst)); \
	u old = ref_get##bits(cpu, &dst); \
	alu_cmp##bits(cpu, get_reg##bits(cpu, R_EAX), old); \
	if (flag_zf(cpu)) { \
		ref_set##bits(cpu, &dst, get_reg##bits(cpu, in->reg)); \
	} else { \
		ref_set##bits(cpu, &dst, old); \
		set_reg##bits(cpu, R_EAX, old); \
	} \
	NEXT(cpu, in); \
}
CMPXCHG(8, 1, uint8_t, Eb, Gb)
CMPXCHG(16, 2, uint16_t, Ew, Gw)
CMPXCHG(32, 4, uint32_t, Ed, Gd)

static enum exec cmpxchg8b(struct cpu *cpu, const struct insn *in)
{
	struct { uint32_t lo, hi; } old, new;
	struct ref dst;
	bool equal;

	TRY(open_rm(cpu, in, 8, OPEN_RW, &dst));
	ref_load(cpu, &dst, &old, 8);
	new = old;
	equal = old.lo == cpu->r[R_EAX] && old.hi == cpu->r[R_EDX];
	if (equal) {
		new.lo = cpu->r[R_EBX];
		new.hi = cpu->r[R_ECX];
	}
	ref_store(cpu, &dst, &new, 8);         /* written in any case */
	cpu->r[R_EAX] = old.lo;                /* what they hold if equal */
	cpu->r[R_EDX] = old.hi;
	flags_set_zf(cpu, equal);
	return EXEC_OK;
}

enum exec op_cmpxchg8b_Mq(struct cpu *cpu, const struct insn *in)
{
	TRY(cmpxchg8b(cpu, in));
	NEXT(cpu, in);
}
