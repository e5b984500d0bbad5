/* cpu/op_x87_function.c: roots, remainders, scaling, and the transcendental functions.
 *
 *   replaces ST(0)               FSQRT FRNDINT FSIN FCOS F2XM1, and with ST(1) as second operand FSCALE FPREM FPREM1
 *   replaces ST(1), then pops    FYL2X FYL2XP1 FPATAN
 *   replaces ST(0), then pushes  FPTAN FSINCOS FXTRACT
 *
 * The transcendental functions have the accuracy, and the last bit, of the host's processor, as they have on every other one:
 * [SDM1 8.3.10 "Transcendental Instruction Accuracy"].
 * References: [SDM1 8.3.7 "Trigonometric Instructions"], [SDM1 8.3.9 "Logarithmic, Exponential, and Scale"], [SDM2A] "F2XM1" to "FYL2XP1".
 */
#include "cpu/x87_fast.h"

/* One or two operands, the result in ST(0). codes: the condition codes it defines besides C1. */
static enum exec replace(struct cpu *cpu, const struct insn *in, unsigned operands, unsigned codes, x87_host_fn *operation)
{
	struct x87_host h = x87_operands(cpu, *st(cpu, 0), *st(cpu, operands - 1));

	TRY(x87_begin(cpu, in));
	if (unlikely(!st_valid(cpu, 0) || !st_valid(cpu, operands - 1))) {
		if (!x87_report(cpu, FPU_SW_STACK, codes))
			st_set(cpu, 0, X87_INDEFINITE);
		return EXEC_OK;
	}
	operation(&h);
	if (!(x87_report(cpu, h.status, codes) & FPU_SW_BEFORE))
		st_set(cpu, 0, h.a);
	return EXEC_OK;
}

static bool is_nan(const struct x87_reg *r) { return (r->exponent & EXPONENT) == EXPONENT && r->mantissa << 1; }

/* FPREM and FPREM1: C2 says that the reduction is incomplete, C0 C3 C1 are the low bits of the quotient. Where there is none,
 * C0 and C3 stay. */
static enum exec reduce(struct cpu *cpu, const struct insn *in, x87_host_fn *operation)
{
	struct x87_host h = x87_operands(cpu, *st(cpu, 0), *st(cpu, 1));
	unsigned codes = FPU_SW_C2;

	TRY(x87_begin(cpu, in));
	if (unlikely(!st_valid(cpu, 0) || !st_valid(cpu, 1))) {
		if (!x87_report(cpu, FPU_SW_STACK, codes))
			st_set(cpu, 0, X87_INDEFINITE);
		return EXEC_OK;
	}
	operation(&h);
	if (!is_nan(&h.a) && !(h.status & ~h.control & FPU_SW_BEFORE))
		codes |= FPU_SW_C0 | FPU_SW_C3;
	if (!(x87_report(cpu, h.status, codes) & FPU_SW_BEFORE))
		st_set(cpu, 0, h.a);
	return EXEC_OK;
}

static enum exec round_to_integer(struct cpu *cpu, const struct insn *in)
{
	struct fast f = fast_frndint(*st(cpu, 0), cpu->fpu.control);

	if (unlikely(!f.ok || !st_valid(cpu, 0)))
		return replace(cpu, in, 1, 0, host_frndint);
	TRY(x87_begin(cpu, in));
	x87_report(cpu, f.status, 0);
	st_set(cpu, 0, f.value);
	return EXEC_OK;
}

/* Two operands, the result in ST(1), which becomes ST(0). */
static enum exec combine(struct cpu *cpu, const struct insn *in, x87_host_fn *operation)
{
	struct x87_host h = x87_operands(cpu, *st(cpu, 0), *st(cpu, 1));

	TRY(x87_begin(cpu, in));
	if (unlikely(!st_valid(cpu, 0) || !st_valid(cpu, 1))) {
		if (x87_underflow(cpu)) {
			st_set(cpu, 1, X87_INDEFINITE);
			st_pop(cpu);
		}
		return EXEC_OK;
	}
	operation(&h);
	if (!(x87_report(cpu, h.status, 0) & FPU_SW_BEFORE)) {
		st_set(cpu, 1, h.a);
		st_pop(cpu);
	}
	return EXEC_OK;
}

/* One operand, two results. A trigonometric operand out of range sets C2 and pushes nothing: TOP tells. */
static enum exec split(struct cpu *cpu, const struct insn *in, unsigned codes, x87_host_fn *operation)
{
	struct x87_host h = x87_operands(cpu, *st(cpu, 0), X87_INDEFINITE);
	bool empty = !st_valid(cpu, 0);

	TRY(x87_begin(cpu, in));
	if (unlikely(empty || st_valid(cpu, 7))) {
		if (!x87_report(cpu, FPU_SW_STACK | (empty ? 0 : FPU_SW_C1), codes)) {
			st_set(cpu, 0, X87_INDEFINITE);
			st_push(cpu, X87_INDEFINITE);
		}
		return EXEC_OK;
	}
	operation(&h);
	if (x87_report(cpu, h.status, codes) & FPU_SW_BEFORE || !x87_host_moved(&h))
		return EXEC_OK;
	st_set(cpu, 0, h.b);
	st_push(cpu, h.a);
	return EXEC_OK;
}

HANDLER(fsqrt, replace(cpu, in, 1, 0, host_fsqrt))
HANDLER(frndint, round_to_integer(cpu, in))
HANDLER(f2xm1, replace(cpu, in, 1, 0, host_f2xm1))
HANDLER(fsin, replace(cpu, in, 1, FPU_SW_C2, host_fsin))
HANDLER(fcos, replace(cpu, in, 1, FPU_SW_C2, host_fcos))
HANDLER(fscale, replace(cpu, in, 2, 0, host_fscale))
HANDLER(fprem, reduce(cpu, in, host_fprem))
HANDLER(fprem1, reduce(cpu, in, host_fprem1))
HANDLER(fyl2x, combine(cpu, in, host_fyl2x))
HANDLER(fyl2xp1, combine(cpu, in, host_fyl2xp1))
HANDLER(fpatan, combine(cpu, in, host_fpatan))
HANDLER(fptan, split(cpu, in, FPU_SW_C2, host_fptan))
HANDLER(fsincos, split(cpu, in, FPU_SW_C2, host_fsincos))
HANDLER(fxtract, split(cpu, in, 0, host_fxtract))
