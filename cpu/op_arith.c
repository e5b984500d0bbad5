/* cpu/op_arith.c: ADD, ADC, SUB, SBB, CMP, AND, OR, XOR, TEST, INC, DEC, NEG, NOT, XADD, CMPXCHG, CMPXCHG8B.
 *
 * Each operation is one function of two values that leaves the flags; each addressing form is one function that fetches the
 * two and stores the result. The handlers are all their combinations.
 * References: [SDM2A], [SDM2B] under each name; [SDM1 7.3.2 "Binary Arithmetic Instructions"].
 * Undefined flags: AF after AND, OR, XOR and TEST is 0.
 */
#include "cpu/operands.h"
#include "cpu/ops_integer.h"

typedef uint32_t binary_fn(struct cpu *cpu, uint32_t a, uint32_t b, unsigned size);

/* --- operations: the result may have junk above size, which storing drops ------------------------------------------- */

INLINE uint32_t add(struct cpu *cpu, uint32_t a, uint32_t b, unsigned size)
{
	flags_add(cpu, a, b, sign_extend(a + b, size), bits_of(size));
	return a + b;
}

INLINE uint32_t adc(struct cpu *cpu, uint32_t a, uint32_t b, unsigned size)
{
	uint32_t sum = a + b + flag_cf(cpu);

	flags_add(cpu, a, b, sign_extend(sum, size), bits_of(size));
	return sum;
}

INLINE uint32_t sub(struct cpu *cpu, uint32_t a, uint32_t b, unsigned size)
{
	flags_sub(cpu, a, b, sign_extend(a - b, size), bits_of(size));
	return a - b;
}

/* CMP is SUB without the store. */
INLINE uint32_t cmp(struct cpu *cpu, uint32_t a, uint32_t b, unsigned size) { return sub(cpu, a, b, size); }

INLINE uint32_t sbb(struct cpu *cpu, uint32_t a, uint32_t b, unsigned size)
{
	uint32_t difference = a - b - flag_cf(cpu);

	flags_sub(cpu, a, b, sign_extend(difference, size), bits_of(size));
	return difference;
}

INLINE uint32_t logic(struct cpu *cpu, uint32_t value, unsigned size)
{
	flags_logic(cpu, sign_extend(value, size));
	return value;
}

INLINE uint32_t and(struct cpu *cpu, uint32_t a, uint32_t b, unsigned size) { return logic(cpu, a & b, size); }
INLINE uint32_t or(struct cpu *cpu, uint32_t a, uint32_t b, unsigned size) { return logic(cpu, a | b, size); }
INLINE uint32_t xor(struct cpu *cpu, uint32_t a, uint32_t b, unsigned size) { return logic(cpu, a ^ b, size); }

/* --- forms: mode OPEN_READ is for CMP and TEST, which only compare --------------------------------------------------- */

INLINE enum exec rm_value(struct cpu *cpu, const struct insn *in, unsigned size, enum open_mode mode, binary_fn *op, uint32_t b)
{
	struct ref dst;
	uint32_t result;

	TRY(open_rm(cpu, in, size, mode, &dst));
	result = op(cpu, ref_get(cpu, &dst, size), b, size);
	if (mode & OPEN_WRITE)
		ref_set(cpu, &dst, result, size);
	return EXEC_OK;
}

INLINE enum exec E_G(struct cpu *cpu, const struct insn *in, unsigned size, enum open_mode mode, binary_fn *op)
{
	return rm_value(cpu, in, size, mode, op, reg_get(cpu, in->reg, size));
}

INLINE enum exec E_I(struct cpu *cpu, const struct insn *in, unsigned size, enum open_mode mode, binary_fn *op)
{
	return rm_value(cpu, in, size, mode, op, zero_extend(in->imm, size));
}

INLINE enum exec G_E(struct cpu *cpu, const struct insn *in, unsigned size, enum open_mode mode, binary_fn *op)
{
	uint32_t b, result;

	TRY(read_rm(cpu, in, size, &b));
	result = op(cpu, reg_get(cpu, in->reg, size), b, size);
	if (mode & OPEN_WRITE)
		reg_set(cpu, in->reg, result, size);
	return EXEC_OK;
}

INLINE enum exec A_I(struct cpu *cpu, const struct insn *in, unsigned size, enum open_mode mode, binary_fn *op)
{
	uint32_t result = op(cpu, reg_get(cpu, R_EAX, size), zero_extend(in->imm, size), size);

	if (mode & OPEN_WRITE)
		reg_set(cpu, R_EAX, result, size);
	return EXEC_OK;
}

#define TWO_OPERANDS(op, mode) \
HANDLER(op##_Eb_Gb, E_G(cpu, in, 1, mode, op)) \
HANDLER(op##_Ev_Gv_16, E_G(cpu, in, 2, mode, op)) \
HANDLER(op##_Ev_Gv_32, E_G(cpu, in, 4, mode, op)) \
HANDLER(op##_Gb_Eb, G_E(cpu, in, 1, mode, op)) \
HANDLER(op##_Gv_Ev_16, G_E(cpu, in, 2, mode, op)) \
HANDLER(op##_Gv_Ev_32, G_E(cpu, in, 4, mode, op)) \
HANDLER(op##_AL_Ib, A_I(cpu, in, 1, mode, op)) \
HANDLER(op##_eAX_Iz_16, A_I(cpu, in, 2, mode, op)) \
HANDLER(op##_eAX_Iz_32, A_I(cpu, in, 4, mode, op)) \
HANDLER(op##_Eb_Ib, E_I(cpu, in, 1, mode, op)) \
HANDLER(op##_Ev_Iz_16, E_I(cpu, in, 2, mode, op)) \
HANDLER(op##_Ev_Iz_32, E_I(cpu, in, 4, mode, op))

TWO_OPERANDS(add, OPEN_RW)
TWO_OPERANDS(or, OPEN_RW)
TWO_OPERANDS(adc, OPEN_RW)
TWO_OPERANDS(sbb, OPEN_RW)
TWO_OPERANDS(and, OPEN_RW)
TWO_OPERANDS(sub, OPEN_RW)
TWO_OPERANDS(xor, OPEN_RW)
TWO_OPERANDS(cmp, OPEN_READ)

HANDLER(test_Eb_Gb, E_G(cpu, in, 1, OPEN_READ, and))
HANDLER(test_Ev_Gv_16, E_G(cpu, in, 2, OPEN_READ, and))
HANDLER(test_Ev_Gv_32, E_G(cpu, in, 4, OPEN_READ, and))
HANDLER(test_AL_Ib, A_I(cpu, in, 1, OPEN_READ, and))
HANDLER(test_eAX_Iz_16, A_I(cpu, in, 2, OPEN_READ, and))
HANDLER(test_eAX_Iz_32, A_I(cpu, in, 4, OPEN_READ, and))
HANDLER(test_Eb_Ib, E_I(cpu, in, 1, OPEN_READ, and))
HANDLER(test_Ev_Iz_16, E_I(cpu, in, 2, OPEN_READ, and))
HANDLER(test_Ev_Iz_32, E_I(cpu, in, 4, OPEN_READ, and))

/* --- one operand ------------------------------------------------------------------------------------------------------ */

INLINE uint32_t inc(struct cpu *cpu, uint32_t a, uint32_t one, unsigned size)
{
	uint32_t carries = cpu->lf.carries;

	add(cpu, a, one, size);
	flags_keep_cf(cpu, carries);
	return a + one;
}

INLINE uint32_t dec(struct cpu *cpu, uint32_t a, uint32_t one, unsigned size)
{
	uint32_t carries = cpu->lf.carries;

	sub(cpu, a, one, size);
	flags_keep_cf(cpu, carries);
	return a - one;
}

/* NEG is 0 - a: CF is set unless a is 0. */
INLINE uint32_t neg(struct cpu *cpu, uint32_t a, uint32_t zero, unsigned size) { return sub(cpu, zero, a, size); }

INLINE uint32_t not(struct cpu *cpu, uint32_t a, uint32_t unused, unsigned size)
{
	(void)cpu, (void)unused, (void)size;
	return ~a;
}

INLINE enum exec register_value(struct cpu *cpu, const struct insn *in, unsigned size, binary_fn *op, uint32_t b)
{
	reg_set(cpu, in->rm, op(cpu, reg_get(cpu, in->rm, size), b, size), size);
	return EXEC_OK;
}

HANDLER(inc_Zv_16, register_value(cpu, in, 2, inc, 1))
HANDLER(inc_Zv_32, register_value(cpu, in, 4, inc, 1))
HANDLER(dec_Zv_16, register_value(cpu, in, 2, dec, 1))
HANDLER(dec_Zv_32, register_value(cpu, in, 4, dec, 1))

#define ONE_OPERAND(op, b) \
HANDLER(op##_Eb, rm_value(cpu, in, 1, OPEN_RW, op, b)) \
HANDLER(op##_Ev_16, rm_value(cpu, in, 2, OPEN_RW, op, b)) \
HANDLER(op##_Ev_32, rm_value(cpu, in, 4, OPEN_RW, op, b))

ONE_OPERAND(inc, 1)
ONE_OPERAND(dec, 1)
ONE_OPERAND(neg, 0)
ONE_OPERAND(not, 0)

/* --- exchange and add, compare and exchange --------------------------------------------------------------------------- */

/* The register takes the old value first: XADD r, r with both the same ends with the sum. */
INLINE enum exec xadd(struct cpu *cpu, const struct insn *in, unsigned size)
{
	struct ref dst;
	uint32_t old, sum;

	TRY(open_rm(cpu, in, size, OPEN_RW, &dst));
	old = ref_get(cpu, &dst, size);
	sum = add(cpu, old, reg_get(cpu, in->reg, size), size);
	reg_set(cpu, in->reg, old, size);
	ref_set(cpu, &dst, sum, size);
	return EXEC_OK;
}

HANDLER(xadd_Eb_Gb, xadd(cpu, in, 1))
HANDLER(xadd_Ev_Gv_16, xadd(cpu, in, 2))
HANDLER(xadd_Ev_Gv_32, xadd(cpu, in, 4))

/* The destination is written in either case: a comparison that fails stores what it read. */
INLINE enum exec cmpxchg(struct cpu *cpu, const struct insn *in, unsigned size)
{
	struct ref dst;
	uint32_t old;

	TRY(open_rm(cpu, in, size, OPEN_RW, &dst));
	old = ref_get(cpu, &dst, size);
	sub(cpu, reg_get(cpu, R_EAX, size), old, size);
	if (flag_zf(cpu)) {
		ref_set(cpu, &dst, reg_get(cpu, in->reg, size), size);
	} else {
		ref_set(cpu, &dst, old, size);
		reg_set(cpu, R_EAX, old, size);
	}
	return EXEC_OK;
}

HANDLER(cmpxchg_Eb_Gb, cmpxchg(cpu, in, 1))
HANDLER(cmpxchg_Ev_Gv_16, cmpxchg(cpu, in, 2))
HANDLER(cmpxchg_Ev_Gv_32, cmpxchg(cpu, in, 4))

/* CMPXCHG8B m64: EDX:EAX is compared, ECX:EBX stored. Only ZF changes. */
INLINE enum exec cmpxchg8b(struct cpu *cpu, const struct insn *in)
{
	uint32_t ea = effective_address(cpu, in), next = in->addrsize == 2 ? (ea + 4) & 0xffff : ea + 4, a, d;
	struct ref low, high;
	bool equal;

	TRY(open_mem(cpu, in, in->seg, ea, 4, OPEN_RW, &low));
	TRY(open_mem(cpu, in, in->seg, next, 4, OPEN_RW, &high));
	a = ref_get32(cpu, &low);
	d = ref_get32(cpu, &high);
	equal = a == cpu->r[R_EAX] && d == cpu->r[R_EDX];
	ref_set32(cpu, &low, equal ? cpu->r[R_EBX] : a);
	ref_set32(cpu, &high, equal ? cpu->r[R_ECX] : d);
	cpu->r[R_EAX] = a;
	cpu->r[R_EDX] = d;
	flags_set_zf(cpu, equal);
	return EXEC_OK;
}

HANDLER(cmpxchg8b, cmpxchg8b(cpu, in))
