/* cpu/op_shift.c: ROL, ROR, RCL, RCR, SHL, SHR, SAR, SHLD, SHRD.
 *
 * Every count is masked to five bits; with 0 left no flag changes, though a memory operand is still checked for writing.
 * References: [SDM2B] "SAL/SAR/SHL/SHR", "RCL/RCR/ROL/ROR", "SHLD", "SHRD".
 * Undefined flags: AF is 0 after a shift (rotates do not touch it). OF after a count above 1 follows the rule for 1, applied
 * to the result: to the left CF xor the top bit, to the right the top two bits' xor, SAR 0. CF after a shift by more
 * than the width is what a register wide enough would have shifted out last.
 */
#include "cpu/operands.h"
#include "cpu/ops_integer.h"

/* value has no bits above size; count is 1..31. */
typedef uint32_t shift_fn(struct cpu *cpu, uint32_t value, unsigned count, unsigned size);

INLINE bool top_bits_differ(uint32_t v, unsigned size) { return top_bit(v ^ v << 1, size); }

INLINE uint32_t shl(struct cpu *cpu, uint32_t value, unsigned count, unsigned size)
{
	uint64_t wide = (uint64_t)value << count;
	bool cf = wide >> bits_of(size) & 1;

	flags_result_cf_of(cpu, sign_extend((uint32_t)wide, size), cf, cf ^ top_bit((uint32_t)wide, size));
	return (uint32_t)wide;
}

INLINE uint32_t shr(struct cpu *cpu, uint32_t value, unsigned count, unsigned size)
{
	uint32_t result = value >> count;

	flags_result_cf_of(cpu, sign_extend(result, size), value >> (count - 1) & 1, top_bits_differ(result, size));
	return result;
}

INLINE uint32_t sar(struct cpu *cpu, uint32_t value, unsigned count, unsigned size)
{
	int32_t v = sign_extend(value, size);

	flags_result_cf_of(cpu, v >> count, v >> (count - 1) & 1, false);
	return (uint32_t)(v >> count);
}

INLINE uint32_t rol(struct cpu *cpu, uint32_t value, unsigned count, unsigned size)
{
	unsigned n = count & (bits_of(size) - 1), back = (0 - n) & (bits_of(size) - 1);
	uint32_t result = zero_extend(value << n | value >> back, size);

	flags_set_cf_of(cpu, result & 1, (result & 1) ^ top_bit(result, size));
	return result;
}

INLINE uint32_t ror(struct cpu *cpu, uint32_t value, unsigned count, unsigned size)
{
	unsigned n = count & (bits_of(size) - 1), back = (0 - n) & (bits_of(size) - 1);
	uint32_t result = zero_extend(value >> n | value << back, size);

	flags_set_cf_of(cpu, top_bit(result, size), top_bits_differ(result, size));
	return result;
}

/* CF and the operand together, as one number of width + 1 bits that goes round to the left by n, 0..width. */
INLINE uint64_t rotate_with_carry(struct cpu *cpu, uint32_t value, unsigned n, unsigned size)
{
	unsigned width = bits_of(size) + 1;
	uint64_t wide = (uint64_t)flag_cf(cpu) << bits_of(size) | value;

	return (wide << n | wide >> (width - n)) & ((1ull << width) - 1);
}

INLINE uint32_t rcl(struct cpu *cpu, uint32_t value, unsigned count, unsigned size)
{
	uint64_t wide = rotate_with_carry(cpu, value, count % (bits_of(size) + 1), size);
	bool cf = wide >> bits_of(size);

	flags_set_cf_of(cpu, cf, cf ^ top_bit((uint32_t)wide, size));
	return (uint32_t)wide;
}

INLINE uint32_t rcr(struct cpu *cpu, uint32_t value, unsigned count, unsigned size)
{
	unsigned width = bits_of(size) + 1;
	uint64_t wide = rotate_with_carry(cpu, value, width - count % width, size);

	flags_set_cf_of(cpu, wide >> bits_of(size), top_bits_differ((uint32_t)wide, size));
	return (uint32_t)wide;
}

INLINE enum exec shift(struct cpu *cpu, const struct insn *in, unsigned size, shift_fn *op, uint32_t count)
{
	struct ref dst;

	TRY(open_rm(cpu, in, size, OPEN_RW, &dst));
	if (count & 31)
		ref_set(cpu, &dst, op(cpu, ref_get(cpu, &dst, size), count & 31, size), size);
	return EXEC_OK;
}

#define SHIFT(op) \
HANDLER(op##_Eb_Ib, shift(cpu, in, 1, op, in->imm)) \
HANDLER(op##_Ev_Ib_16, shift(cpu, in, 2, op, in->imm)) \
HANDLER(op##_Ev_Ib_32, shift(cpu, in, 4, op, in->imm)) \
HANDLER(op##_Eb_1, shift(cpu, in, 1, op, 1)) \
HANDLER(op##_Ev_1_16, shift(cpu, in, 2, op, 1)) \
HANDLER(op##_Ev_1_32, shift(cpu, in, 4, op, 1)) \
HANDLER(op##_Eb_CL, shift(cpu, in, 1, op, cpu->r[R_ECX])) \
HANDLER(op##_Ev_CL_16, shift(cpu, in, 2, op, cpu->r[R_ECX])) \
HANDLER(op##_Ev_CL_32, shift(cpu, in, 4, op, cpu->r[R_ECX]))

SHIFT(rol)
SHIFT(ror)
SHIFT(rcl)
SHIFT(rcr)
SHIFT(shl)
SHIFT(shr)
SHIFT(sar)

/* --- double shifts ------------------------------------------------------------------------------------------------------
 * A 16-bit operand shifted by more than 16 is undefined; here the destination follows the source again, so that the three
 * words destination:source:destination move as one. */

typedef uint32_t double_fn(struct cpu *cpu, uint32_t value, uint32_t fill, unsigned count, unsigned size);

INLINE uint32_t shld(struct cpu *cpu, uint32_t value, uint32_t fill, unsigned count, unsigned size)
{
	uint64_t all = size == 4 ? (uint64_t)value << 32 | fill : (uint64_t)value << 32 | fill << 16 | value;
	unsigned top = size == 4 ? 64 : 48;
	uint32_t result = (uint32_t)(all << count >> 32);
	bool cf = all >> (top - count) & 1;

	flags_result_cf_of(cpu, sign_extend(result, size), cf, cf ^ top_bit(result, size));
	return result;
}

INLINE uint32_t shrd(struct cpu *cpu, uint32_t value, uint32_t fill, unsigned count, unsigned size)
{
	uint64_t all = size == 4 ? (uint64_t)fill << 32 | value : (uint64_t)value << 32 | fill << 16 | value;
	uint32_t result = (uint32_t)(all >> count);

	flags_result_cf_of(cpu, sign_extend(result, size), all >> (count - 1) & 1, top_bits_differ(result, size));
	return result;
}

INLINE enum exec double_shift(struct cpu *cpu, const struct insn *in, unsigned size, double_fn *op, uint32_t count)
{
	struct ref dst;

	TRY(open_rm(cpu, in, size, OPEN_RW, &dst));
	if (count & 31)
		ref_set(cpu, &dst, op(cpu, ref_get(cpu, &dst, size), reg_get(cpu, in->reg, size), count & 31, size), size);
	return EXEC_OK;
}

#define DOUBLE_SHIFT(op) \
HANDLER(op##_Ev_Gv_Ib_16, double_shift(cpu, in, 2, op, in->imm)) \
HANDLER(op##_Ev_Gv_Ib_32, double_shift(cpu, in, 4, op, in->imm)) \
HANDLER(op##_Ev_Gv_CL_16, double_shift(cpu, in, 2, op, cpu->r[R_ECX])) \
HANDLER(op##_Ev_Gv_CL_32, double_shift(cpu, in, 4, op, cpu->r[R_ECX]))

DOUBLE_SHIFT(shld)
DOUBLE_SHIFT(shrd)
