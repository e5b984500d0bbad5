/* cpu/op_mul.c: MUL, IMUL, DIV, IDIV.
 *
 * Products and dividends of the one-operand forms are AX, DX:AX or EDX:EAX. A quotient that does not fit is #DE, like
 * division by zero, and leaves everything as it was.
 * References: [SDM2A] "DIV", "IDIV", "IMUL", [SDM2B] "MUL".
 * Undefined flags: after MUL and IMUL SF, ZF and PF are those of the low half and AF is 0; DIV and IDIV change none.
 */
#include "cpu/operands.h"
#include "cpu/ops_integer.h"

/* The double-width accumulator. */
INLINE uint64_t wide_get(struct cpu *cpu, unsigned size)
{
	if (size == 1)
		return cpu->r[R_EAX] & 0xffff;
	return (uint64_t)reg_get(cpu, R_EDX, size) << bits_of(size) | reg_get(cpu, R_EAX, size);
}

INLINE void wide_set(struct cpu *cpu, uint32_t low, uint32_t high, unsigned size)
{
	if (size == 1) {
		reg_set(cpu, R_EAX, (low & 0xff) | high << 8, 2);
		return;
	}
	reg_set(cpu, R_EAX, low, size);
	reg_set(cpu, R_EDX, high, size);
}

INLINE enum exec mul(struct cpu *cpu, const struct insn *in, unsigned size)
{
	uint32_t b, high;
	uint64_t product;

	TRY(read_rm(cpu, in, size, &b));
	product = (uint64_t)reg_get(cpu, R_EAX, size) * b;
	high = (uint32_t)(product >> bits_of(size));
	wide_set(cpu, (uint32_t)product, high, size);
	flags_result_cf_of(cpu, sign_extend((uint32_t)product, size), high != 0, high != 0);
	return EXEC_OK;
}

/* The product of two signed values; CF and OF when the low half does not hold it. */
INLINE int64_t signed_product(struct cpu *cpu, uint32_t a, uint32_t b, unsigned size)
{
	int64_t product = (int64_t)sign_extend(a, size) * sign_extend(b, size);
	int32_t low = sign_extend((uint32_t)product, size);

	flags_result_cf_of(cpu, low, product != low, product != low);
	return product;
}

INLINE enum exec imul(struct cpu *cpu, const struct insn *in, unsigned size)
{
	uint32_t b;
	int64_t product;

	TRY(read_rm(cpu, in, size, &b));
	product = signed_product(cpu, reg_get(cpu, R_EAX, size), b, size);
	wide_set(cpu, (uint32_t)product, (uint32_t)(product >> bits_of(size)), size);
	return EXEC_OK;
}

INLINE enum exec imul_G_E(struct cpu *cpu, const struct insn *in, unsigned size)
{
	uint32_t b;

	TRY(read_rm(cpu, in, size, &b));
	reg_set(cpu, in->reg, (uint32_t)signed_product(cpu, reg_get(cpu, in->reg, size), b, size), size);
	return EXEC_OK;
}

INLINE enum exec imul_G_E_I(struct cpu *cpu, const struct insn *in, unsigned size)
{
	uint32_t a;

	TRY(read_rm(cpu, in, size, &a));
	reg_set(cpu, in->reg, (uint32_t)signed_product(cpu, a, in->imm, size), size);
	return EXEC_OK;
}

INLINE enum exec div(struct cpu *cpu, const struct insn *in, unsigned size)
{
	uint64_t n = wide_get(cpu, size);
	uint32_t d;

	TRY(read_rm(cpu, in, size, &d));
	/* The quotient fits exactly when the dividend's high half is below the divisor, which also excludes 0. */
	if (unlikely(n >> bits_of(size) >= d))
		return raise_fault(cpu, in, VEC_DE);
	wide_set(cpu, (uint32_t)(n / d), (uint32_t)(n % d), size);
	return EXEC_OK;
}

INLINE enum exec idiv(struct cpu *cpu, const struct insn *in, unsigned size)
{
	int64_t n = (int64_t)(wide_get(cpu, size) << (64 - 2 * bits_of(size))) >> (64 - 2 * bits_of(size)), quotient;
	uint32_t value;
	int32_t d;

	TRY(read_rm(cpu, in, size, &value));
	d = sign_extend(value, size);
	/* The host must not divide the smallest number by -1 either. */
	if (unlikely(d == 0 || (d == -1 && n == INT64_MIN)))
		return raise_fault(cpu, in, VEC_DE);
	quotient = n / d;
	if (unlikely(quotient != sign_extend((uint32_t)quotient, size)))
		return raise_fault(cpu, in, VEC_DE);
	wide_set(cpu, (uint32_t)quotient, (uint32_t)(n % d), size);
	return EXEC_OK;
}

#define ACCUMULATOR(op) \
HANDLER(op##_Eb, op(cpu, in, 1)) \
HANDLER(op##_Ev_16, op(cpu, in, 2)) \
HANDLER(op##_Ev_32, op(cpu, in, 4))

ACCUMULATOR(mul)
ACCUMULATOR(imul)
ACCUMULATOR(div)
ACCUMULATOR(idiv)

HANDLER(imul_Gv_Ev_16, imul_G_E(cpu, in, 2))
HANDLER(imul_Gv_Ev_32, imul_G_E(cpu, in, 4))
HANDLER(imul_Gv_Ev_Iz_16, imul_G_E_I(cpu, in, 2))
HANDLER(imul_Gv_Ev_Iz_32, imul_G_E_I(cpu, in, 4))
