/* cpu/op_x87_arith.c: FADD, FMUL, FSUB, FSUBR, FDIV, FDIVR in all their forms, and the comparisons.
 *
 *   op_fadd_STi        ST(0) = ST(0) + ST(i)       D8
 *   op_fadd_STi_ST0    ST(i) = ST(i) + ST(0)       DC
 *   op_faddp           the same, then pop          DE
 *   op_fadd_m32 ..     ST(0) = ST(0) + memory      D8 and DC; integers: DA and DE
 *
 * References: [SDM2A] "FADD/FADDP/FIADD" to "FDIVR/FDIVRP/FIDIVR", [SDM2A] "FCOM/FCOMP/FCOMPP" to "FUCOM/FUCOMP/FUCOMPP",
 * [SDM1 8.3.5 "Basic Arithmetic Instructions"], [SDM1 8.3.6 "Comparison and Classification Instructions"].
 */
#include "cpu/x87.h"
#include "cpu/flags.h"

/* --- arithmetic ----------------------------------------------------------------------------------------------------- */

/* ST(to) = a OP b, with pops after it. Empty operands have been ruled out. */
static void arithmetic(struct cpu *cpu, unsigned to, struct x87_reg a, struct x87_reg b, x87_host_fn *operation, bool pop)
{
	struct x87_host h = x87_operands(cpu, a, b);

	operation(&h);
	if (x87_report(cpu, h.status, 0) & FPU_SW_BEFORE)
		return;
	st_set(cpu, to, h.a);
	if (pop)
		st_pop(cpu);
}

static enum exec on_registers(struct cpu *cpu, const struct insn *in, unsigned to, unsigned from, x87_host_fn *operation, bool pop)
{
	TRY(x87_begin(cpu, in));
	if (likely(st_valid(cpu, to) && st_valid(cpu, from))) {
		arithmetic(cpu, to, *st(cpu, to), *st(cpu, from), operation, pop);
	} else if (x87_underflow(cpu)) {
		st_set(cpu, to, X87_INDEFINITE);
		if (pop)
			st_pop(cpu);
	}
	return EXEC_OK;
}

static enum exec with_memory(struct cpu *cpu, const struct insn *in, unsigned size, x87_host_fn *operation)
{
	struct ref src;

	TRY(x87_begin_mem(cpu, in, size, OPEN_READ, &src));
	if (likely(st_valid(cpu, 0))) {
		struct x87_host h = x87_operands(cpu, *st(cpu, 0), *st(cpu, 0));
		ref_load(cpu, &src, h.mem, size);
		operation(&h);
		if (!(x87_report(cpu, h.status, 0) & FPU_SW_BEFORE))
			st_set(cpu, 0, h.a);
	} else if (x87_underflow(cpu)) {
		st_set(cpu, 0, X87_INDEFINITE);
	}
	return EXEC_OK;
}

#define REGISTER_FORM(form, to, from, operation, pop) \
enum exec op_##form(struct cpu *cpu, const struct insn *in) \
{ \
	TRY(on_registers(cpu, in, to, from, host_##operation, pop)); \
	NEXT(cpu, in); \
}
#define MEMORY_FORM(form, size) \
enum exec op_##form(struct cpu *cpu, const struct insn *in) \
{ \
	TRY(with_memory(cpu, in, size, host_##form)); \
	NEXT(cpu, in); \
}
/* The manual's FSUB with ST(i) as destination is ST(i) - ST(0). */
#define FORMS(name) \
	REGISTER_FORM(f##name##_STi, 0, in->rm, f##name, false) \
	REGISTER_FORM(f##name##_STi_ST0, in->rm, 0, f##name, false) \
	REGISTER_FORM(f##name##p, in->rm, 0, f##name, true) \
	MEMORY_FORM(f##name##_m32, 4) \
	MEMORY_FORM(f##name##_m64, 8) \
	MEMORY_FORM(f##name##_i16, 2) \
	MEMORY_FORM(f##name##_i32, 4)
X87_HOST_ARITHMETIC(FORMS)

/* --- comparison ----------------------------------------------------------------------------------------------------- */

#define UNORDERED (FPU_SW_C0 | FPU_SW_C2 | FPU_SW_C3)

static void pop_many(struct cpu *cpu, unsigned pops)
{
	while (pops--)
		st_pop(cpu);
}

/* Runs a comparison whose operands are in h. */
static void compare(struct cpu *cpu, struct x87_host *h, x87_host_fn *operation, unsigned pops)
{
	operation(h);
	if (!(x87_report(cpu, h->status, UNORDERED) & FPU_SW_BEFORE))
		pop_many(cpu, pops);
}

/* An empty operand compares as unordered, whether the exception is masked or not. */
static void compare_empty(struct cpu *cpu, unsigned pops)
{
	if (!x87_report(cpu, FPU_SW_IE | FPU_SW_SF | UNORDERED, UNORDERED))
		pop_many(cpu, pops);
}

static enum exec compare_registers(struct cpu *cpu, const struct insn *in, unsigned with, x87_host_fn *operation, unsigned pops)
{
	TRY(x87_begin(cpu, in));
	if (likely(st_valid(cpu, 0) && st_valid(cpu, with))) {
		struct x87_host h = x87_operands(cpu, *st(cpu, 0), *st(cpu, with));
		compare(cpu, &h, operation, pops);
	} else {
		compare_empty(cpu, pops);
	}
	return EXEC_OK;
}

static enum exec compare_memory(struct cpu *cpu, const struct insn *in, unsigned size, x87_host_fn *operation, unsigned pops)
{
	struct ref src;

	TRY(x87_begin_mem(cpu, in, size, OPEN_READ, &src));
	if (likely(st_valid(cpu, 0))) {
		struct x87_host h = x87_operands(cpu, *st(cpu, 0), *st(cpu, 0));
		ref_load(cpu, &src, h.mem, size);
		compare(cpu, &h, operation, pops);
	} else {
		compare_empty(cpu, pops);
	}
	return EXEC_OK;
}

#define COMPARE_FORM(form, with, operation, pops) \
enum exec op_##form(struct cpu *cpu, const struct insn *in) \
{ \
	TRY(compare_registers(cpu, in, with, host_##operation, pops)); \
	NEXT(cpu, in); \
}
#define COMPARE_MEMORY(form, size, operation, pops) \
enum exec op_##form(struct cpu *cpu, const struct insn *in) \
{ \
	TRY(compare_memory(cpu, in, size, host_##operation, pops)); \
	NEXT(cpu, in); \
}
COMPARE_FORM(fcom_STi, in->rm, fcom, 0)
COMPARE_FORM(fcomp_STi, in->rm, fcom, 1)
COMPARE_FORM(fcompp, 1, fcom, 2)
COMPARE_FORM(fucom_STi, in->rm, fucom, 0)
COMPARE_FORM(fucomp_STi, in->rm, fucom, 1)
COMPARE_FORM(fucompp, 1, fucom, 2)
COMPARE_FORM(ftst, 0, ftst, 0)
COMPARE_MEMORY(fcom_m32, 4, fcom_m32, 0)
COMPARE_MEMORY(fcomp_m32, 4, fcom_m32, 1)
COMPARE_MEMORY(fcom_m64, 8, fcom_m64, 0)
COMPARE_MEMORY(fcomp_m64, 8, fcom_m64, 1)
COMPARE_MEMORY(ficom_i16, 2, fcom_i16, 0)
COMPARE_MEMORY(ficomp_i16, 2, fcom_i16, 1)
COMPARE_MEMORY(ficom_i32, 4, fcom_i32, 0)
COMPARE_MEMORY(ficomp_i32, 4, fcom_i32, 1)

/* FCOMI: the answer in ZF PF CF, where FCOM and FNSTSW AX with SAHF would put C3 C2 C0; OF SF AF are 0. The condition codes stay.
 * As with FCOM an unmasked exception keeps the pop back but not the answer. */
static enum exec compare_eflags(struct cpu *cpu, const struct insn *in, x87_host_fn *operation, bool pop)
{
	unsigned status = FPU_SW_IE | FPU_SW_SF | UNORDERED;

	TRY(x87_begin(cpu, in));
	if (likely(st_valid(cpu, 0) && st_valid(cpu, in->rm))) {
		struct x87_host h = x87_operands(cpu, *st(cpu, 0), *st(cpu, in->rm));
		operation(&h);
		status = h.status;
	}
	cpu_set_eflags(cpu, (cpu_eflags(cpu) & ~F_ARITH) | (status & FPU_SW_C0 ? F_CF : 0) | (status & FPU_SW_C2 ? F_PF : 0) |
		(status & FPU_SW_C3 ? F_ZF : 0));
	if (!(x87_report(cpu, status, 0) & FPU_SW_BEFORE) && pop)
		st_pop(cpu);
	return EXEC_OK;
}

#define EFLAGS_FORM(form, operation, pop) \
enum exec op_##form(struct cpu *cpu, const struct insn *in) \
{ \
	TRY(compare_eflags(cpu, in, host_##operation, pop)); \
	NEXT(cpu, in); \
}
EFLAGS_FORM(fcomi, fcom, false)
EFLAGS_FORM(fcomip, fcom, true)
EFLAGS_FORM(fucomi, fucom, false)
EFLAGS_FORM(fucomip, fucom, true)

/* FXAM: D9 E5. C1 is the sign, also of what an empty register holds; C3 and C0 say empty. */
enum exec op_fxam(struct cpu *cpu, const struct insn *in)
{
	struct x87_host h = x87_operands(cpu, *st(cpu, 0), *st(cpu, 0));

	TRY(x87_begin(cpu, in));
	host_fxam(&h);
	if (!st_valid(cpu, 0))
		h.status = (uint16_t)((h.status & FPU_SW_C1) | FPU_SW_C3 | FPU_SW_C0);
	x87_report(cpu, h.status & FPU_SW_CC, FPU_SW_CC);
	NEXT(cpu, in);
}
