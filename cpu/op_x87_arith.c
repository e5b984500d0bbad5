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
#include "cpu/flags.h"
#include "cpu/x87_fast.h"

/* --- arithmetic ----------------------------------------------------------------------------------------------------- */

typedef struct fast fast_fn(struct x87_reg a, struct x87_reg b, unsigned control);

static always_inline void store_result(struct cpu *cpu, unsigned to, unsigned status, struct x87_reg value, bool pop)
{
	if (x87_report(cpu, status, 0) & FPU_SW_BEFORE)
		return;
	st_set(cpu, to, value);
	if (pop)
		st_pop(cpu);
}

/* Kept out of the handlers, for their tail calls: the host is given addresses of locals. */
static never_inline void arithmetic_on_host(struct cpu *cpu, unsigned to, unsigned from, x87_host_fn *operation, bool pop)
{
	struct x87_host h = x87_operands(cpu, *st(cpu, to), *st(cpu, from));

	operation(&h);
	store_result(cpu, to, h.status, h.a, pop);
}

static never_inline void memory_on_host(struct cpu *cpu, uint64_t bits, x87_host_fn *operation)
{
	struct x87_host h = x87_operands(cpu, *st(cpu, 0), *st(cpu, 0));

	memcpy(h.mem, &bits, sizeof(bits));
	operation(&h);
	store_result(cpu, 0, h.status, h.a, false);
}

static never_inline void arithmetic_empty(struct cpu *cpu, unsigned to, bool pop)
{
	if (!x87_underflow(cpu))
		return;
	st_set(cpu, to, X87_INDEFINITE);
	if (pop)
		st_pop(cpu);
}

/* ST(to) = ST(to) OP ST(from). */
static always_inline enum exec on_registers(struct cpu *cpu, const struct insn *in, unsigned to, unsigned from, fast_fn *fast, x87_host_fn *host, bool pop)
{
	struct fast f;

	TRY(x87_begin(cpu, in));
	if (unlikely(!st_valid(cpu, to) || !st_valid(cpu, from))) {
		arithmetic_empty(cpu, to, pop);
		return EXEC_OK;
	}
	f = fast(*st(cpu, to), *st(cpu, from), cpu->fpu.control);
	if (likely(f.ok))
		store_result(cpu, to, f.status, f.value, pop);
	else
		arithmetic_on_host(cpu, to, from, host, pop);
	return EXEC_OK;
}

/* Memory operands as registers, where the conversion raises nothing. */
static always_inline struct fast as_m32(uint64_t bits) { return fast_fld_m32(bits); }
static always_inline struct fast as_m64(uint64_t bits) { return fast_fld_m64(bits); }
static always_inline struct fast as_i16(uint64_t bits) { return (struct fast) { from_integer((int16_t)bits), 0, true }; }
static always_inline struct fast as_i32(uint64_t bits) { return (struct fast) { from_integer((int32_t)bits), 0, true }; }
typedef struct fast convert_fn(uint64_t bits);

/* ST(0) = ST(0) OP memory. */
static always_inline enum exec with_memory(struct cpu *cpu, const struct insn *in, unsigned size, convert_fn *convert, fast_fn *fast, x87_host_fn *host)
{
	struct fast f;
	struct ref src;
	uint64_t bits;

	TRY(x87_begin_mem(cpu, in, size, OPEN_READ, &src));
	bits = x87_bits(cpu, &src, size);
	if (unlikely(!st_valid(cpu, 0))) {
		arithmetic_empty(cpu, 0, false);
		return EXEC_OK;
	}
	f = convert(bits);
	if (likely(f.ok))
		f = fast(*st(cpu, 0), f.value, cpu->fpu.control);
	if (likely(f.ok))
		store_result(cpu, 0, f.status, f.value, false);
	else
		memory_on_host(cpu, bits, host);
	return EXEC_OK;
}

#define REGISTER_FORM(form, to, from, operation, pop) \
	HANDLER(form, on_registers(cpu, in, to, from, fast_##operation, host_##operation, pop))
#define MEMORY_FORM(operation, type, size) \
	HANDLER(operation##_##type, with_memory(cpu, in, size, as_##type, fast_##operation, host_##operation##_##type))
/* The manual's FSUB with ST(i) as destination is ST(i) - ST(0). */
#define FORMS(name) \
	REGISTER_FORM(f##name##_STi, 0, in->rm, f##name, false) \
	REGISTER_FORM(f##name##_STi_ST0, in->rm, 0, f##name, false) \
	REGISTER_FORM(f##name##p, in->rm, 0, f##name, true) \
	MEMORY_FORM(f##name, m32, 4) \
	MEMORY_FORM(f##name, m64, 8) \
	MEMORY_FORM(f##name, i16, 2) \
	MEMORY_FORM(f##name, i32, 4)
X87_HOST_ARITHMETIC(FORMS)

/* --- comparison ----------------------------------------------------------------------------------------------------- */

#define UNORDERED (FPU_SW_C0 | FPU_SW_C2 | FPU_SW_C3)

static void pop_many(struct cpu *cpu, unsigned pops)
{
	while (pops--)
		st_pop(cpu);
}

static always_inline void store_comparison(struct cpu *cpu, unsigned status, unsigned pops)
{
	if (!(x87_report(cpu, status, UNORDERED) & FPU_SW_BEFORE))
		pop_many(cpu, pops);
}

static never_inline unsigned compare_on_host(struct cpu *cpu, struct x87_reg b, uint64_t bits, x87_host_fn *operation)
{
	struct x87_host h = x87_operands(cpu, *st(cpu, 0), b);

	memcpy(h.mem, &bits, sizeof(bits));
	operation(&h);
	return h.status;
}

/* What comparing ST(0) with ST(i) raises and answers. An empty register is unordered, whether the exception is masked or not. */
static always_inline unsigned compared(struct cpu *cpu, unsigned with, x87_host_fn *host)
{
	struct fast f;

	if (unlikely(!st_valid(cpu, 0) || !st_valid(cpu, with)))
		return FPU_SW_STACK | UNORDERED;
	f = fast_fcom(*st(cpu, 0), *st(cpu, with));
	return likely(f.ok) ? f.status : compare_on_host(cpu, *st(cpu, with), 0, host);
}

static always_inline enum exec compare_registers(struct cpu *cpu, const struct insn *in, unsigned with, x87_host_fn *host, unsigned pops)
{
	TRY(x87_begin(cpu, in));
	store_comparison(cpu, compared(cpu, with, host), pops);
	return EXEC_OK;
}

/* FTST: with +0. */
static enum exec compare_zero(struct cpu *cpu, const struct insn *in)
{
	unsigned status = FPU_SW_STACK | UNORDERED;
	struct x87_reg zero = { 0, 0 };
	struct fast f;

	TRY(x87_begin(cpu, in));
	if (likely(st_valid(cpu, 0))) {
		f = fast_fcom(*st(cpu, 0), zero);
		status = likely(f.ok) ? f.status : compare_on_host(cpu, zero, 0, host_ftst);
	}
	store_comparison(cpu, status, 0);
	return EXEC_OK;
}

static always_inline enum exec compare_memory(struct cpu *cpu, const struct insn *in, unsigned size, convert_fn *convert, x87_host_fn *host, unsigned pops)
{
	unsigned status = FPU_SW_STACK | UNORDERED;
	struct fast f;
	struct ref src;
	uint64_t bits;

	TRY(x87_begin_mem(cpu, in, size, OPEN_READ, &src));
	bits = x87_bits(cpu, &src, size);
	if (likely(st_valid(cpu, 0))) {
		f = convert(bits);
		if (likely(f.ok))
			f = fast_fcom(*st(cpu, 0), f.value);
		status = likely(f.ok) ? f.status : compare_on_host(cpu, *st(cpu, 0), bits, host);
	}
	store_comparison(cpu, status, pops);
	return EXEC_OK;
}

#define COMPARE_FORM(form, with, operation, pops) HANDLER(form, compare_registers(cpu, in, with, host_##operation, pops))
#define COMPARE_MEMORY(form, type, size, pops) HANDLER(form##_##type, compare_memory(cpu, in, size, as_##type, host_fcom_##type, pops))
COMPARE_FORM(fcom_STi, in->rm, fcom, 0)
COMPARE_FORM(fcomp_STi, in->rm, fcom, 1)
COMPARE_FORM(fcompp, 1, fcom, 2)
COMPARE_FORM(fucom_STi, in->rm, fucom, 0)
COMPARE_FORM(fucomp_STi, in->rm, fucom, 1)
COMPARE_FORM(fucompp, 1, fucom, 2)
HANDLER(ftst, compare_zero(cpu, in))
COMPARE_MEMORY(fcom, m32, 4, 0)
COMPARE_MEMORY(fcomp, m32, 4, 1)
COMPARE_MEMORY(fcom, m64, 8, 0)
COMPARE_MEMORY(fcomp, m64, 8, 1)
COMPARE_MEMORY(ficom, i16, 2, 0)
COMPARE_MEMORY(ficomp, i16, 2, 1)
COMPARE_MEMORY(ficom, i32, 4, 0)
COMPARE_MEMORY(ficomp, i32, 4, 1)

/* FCOMI: the answer in ZF PF CF, where FCOM and FNSTSW AX with SAHF would put C3 C2 C0; OF SF AF are 0. The condition codes stay.
 * As with FCOM an unmasked exception keeps the pop back but not the answer. */
static always_inline enum exec compare_eflags(struct cpu *cpu, const struct insn *in, x87_host_fn *host, bool pop)
{
	unsigned status;

	TRY(x87_begin(cpu, in));
	status = compared(cpu, in->rm, host);
	cpu_set_eflags(cpu, (cpu_eflags(cpu) & ~F_ARITH) | (status & FPU_SW_C0 ? F_CF : 0) | (status & FPU_SW_C2 ? F_PF : 0) |
		(status & FPU_SW_C3 ? F_ZF : 0));
	if (!(x87_report(cpu, status & ~UNORDERED, 0) & FPU_SW_BEFORE) && pop)
		st_pop(cpu);
	return EXEC_OK;
}

#define EFLAGS_FORM(form, operation, pop) HANDLER(form, compare_eflags(cpu, in, host_##operation, pop))
EFLAGS_FORM(fcomi, fcom, false)
EFLAGS_FORM(fcomip, fcom, true)
EFLAGS_FORM(fucomi, fucom, false)
EFLAGS_FORM(fucomip, fucom, true)

/* FXAM: D9 E5. C1 is the sign, also of what an empty register holds; C3 and C0 say empty. */
static enum exec examine(struct cpu *cpu, const struct insn *in)
{
	struct x87_host h = x87_operands(cpu, *st(cpu, 0), *st(cpu, 0));

	TRY(x87_begin(cpu, in));
	host_fxam(&h);
	if (!st_valid(cpu, 0))
		h.status = (uint16_t)((h.status & FPU_SW_C1) | FPU_SW_C3 | FPU_SW_C0);
	x87_report(cpu, h.status & FPU_SW_CC, FPU_SW_CC);
	return EXEC_OK;
}
HANDLER(fxam, examine(cpu, in))
