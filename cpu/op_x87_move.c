/* cpu/op_x87_move.c: loads, stores, constants, exchanges and conditional moves of the x87.
 *
 * References: [SDM2A] "FLD", "FILD", "FBLD", "FST/FSTP", "FIST/FISTP", "FBSTP", "FXCH", "FCMOVcc", "FABS", "FCHS",
 * [SDM1 8.3.3 "Data Transfer Instructions"], [SDM1 8.5.1.1 "Stack Overflow or Underflow Exception (#IS)"].
 */
#include "cpu/flags.h"
#include "cpu/x87_fast.h"

/* --- loads ---------------------------------------------------------------------------------------------------------- */

/* Pushes value, or what a full stack makes of it. */
static void push(struct cpu *cpu, struct x87_reg value)
{
	if (likely(!st_valid(cpu, 7))) {
		x87_report(cpu, 0, 0);
		st_push(cpu, value);
	} else if (x87_overflow(cpu)) {
		st_push(cpu, X87_INDEFINITE);
	}
}

/* A conversion by the host. Whether an unmasked exception lets it push is the host's to say: TOP has moved. */
static void push_converted(struct cpu *cpu, struct x87_host *h, x87_host_fn *operation)
{
	if (unlikely(st_valid(cpu, 7))) {
		push(cpu, X87_INDEFINITE);
		return;
	}
	operation(h);
	x87_report(cpu, h->status, 0);
	if (x87_host_moved(h))
		st_push(cpu, h->a);
}

static never_inline void push_on_host(struct cpu *cpu, uint64_t bits, x87_host_fn *operation)
{
	struct x87_host h = x87_operands(cpu, X87_INDEFINITE, X87_INDEFINITE);

	memcpy(h.mem, &bits, sizeof(bits));
	push_converted(cpu, &h, operation);
}

static always_inline enum exec load_real(struct cpu *cpu, const struct insn *in, unsigned size, x87_host_fn *operation)
{
	struct fast f;
	struct ref src;
	uint64_t bits;

	TRY(x87_begin_mem(cpu, in, size, OPEN_READ, &src));
	bits = x87_bits(cpu, &src, size);
	f = size == 4 ? fast_fld_m32(bits) : fast_fld_m64(bits);
	if (likely(f.ok))
		push(cpu, f.value);
	else
		push_on_host(cpu, bits, operation);
	return EXEC_OK;
}

static enum exec load_decimal(struct cpu *cpu, const struct insn *in)
{
	struct x87_host h = x87_operands(cpu, X87_INDEFINITE, X87_INDEFINITE);
	struct ref src;

	TRY(x87_begin_mem(cpu, in, 10, OPEN_READ, &src));
	ref_load(cpu, &src, h.mem, 10);
	push_converted(cpu, &h, host_fbld);
	return EXEC_OK;
}

static enum exec load_m80(struct cpu *cpu, const struct insn *in)
{
	struct x87_reg value = { 0 };
	uint8_t bytes[10];
	struct ref src;

	TRY(x87_begin_mem(cpu, in, 10, OPEN_READ, &src));
	ref_load(cpu, &src, bytes, 10);
	memcpy(&value.mantissa, bytes, 8);
	memcpy(&value.exponent, bytes + 8, 2);
	push(cpu, value);
	return EXEC_OK;
}

static always_inline enum exec load_integer(struct cpu *cpu, const struct insn *in, unsigned size)
{
	struct ref src;
	uint64_t bits;

	TRY(x87_begin_mem(cpu, in, size, OPEN_READ, &src));
	bits = x87_bits(cpu, &src, size);
	push(cpu, from_integer(size == 2 ? (int16_t)bits : size == 4 ? (int32_t)bits : (int64_t)bits));
	return EXEC_OK;
}

static enum exec load_register(struct cpu *cpu, const struct insn *in)
{
	struct x87_reg value = *st(cpu, in->rm);
	bool valid = st_valid(cpu, in->rm);

	TRY(x87_begin(cpu, in));
	if (unlikely(!valid)) {
		if (x87_underflow(cpu))
			st_push(cpu, X87_INDEFINITE);
	} else {
		push(cpu, value);
	}
	return EXEC_OK;
}

static enum exec load_exact(struct cpu *cpu, const struct insn *in, struct x87_reg value)
{
	TRY(x87_begin(cpu, in));
	push(cpu, value);
	return EXEC_OK;
}

/* Constants round as the control word says, in 64 bits. */
static enum exec load_constant(struct cpu *cpu, const struct insn *in, x87_host_fn *operation)
{
	struct x87_host h = x87_operands(cpu, X87_INDEFINITE, X87_INDEFINITE);

	TRY(x87_begin(cpu, in));
	push_converted(cpu, &h, operation);
	return EXEC_OK;
}

HANDLER(fld_m32, load_real(cpu, in, 4, host_fld_m32))
HANDLER(fld_m64, load_real(cpu, in, 8, host_fld_m64))
HANDLER(fld_m80, load_m80(cpu, in))
HANDLER(fbld, load_decimal(cpu, in))
HANDLER(fild_i16, load_integer(cpu, in, 2))
HANDLER(fild_i32, load_integer(cpu, in, 4))
HANDLER(fild_i64, load_integer(cpu, in, 8))
HANDLER(fld_STi, load_register(cpu, in))
HANDLER(fld1, load_exact(cpu, in, from_integer(1)))
HANDLER(fldl2t, load_constant(cpu, in, host_fldl2t))
HANDLER(fldl2e, load_constant(cpu, in, host_fldl2e))
HANDLER(fldpi, load_constant(cpu, in, host_fldpi))
HANDLER(fldlg2, load_constant(cpu, in, host_fldlg2))
HANDLER(fldln2, load_constant(cpu, in, host_fldln2))
HANDLER(fldz, load_exact(cpu, in, from_integer(0)))

/* --- stores --------------------------------------------------------------------------------------------------------- */

typedef struct fast fast_store_fn(struct x87_reg a, unsigned control);

/* A masked stack underflow stores the indefinite of the format: that of an operation on the real indefinite, and with one
 * more flag. */
static never_inline void store_on_host(struct cpu *cpu, const struct ref *dst, unsigned size, x87_host_fn *operation, bool pop)
{
	struct x87_host h = x87_operands(cpu, *st(cpu, 0), X87_INDEFINITE);

	if (unlikely(!st_valid(cpu, 0))) {
		h.a = X87_INDEFINITE;
		operation(&h);
		h.status = (uint16_t)(h.status & ~FPU_SW_C1) | FPU_SW_STACK;
		if (x87_report(cpu, h.status, 0))
			return;
	} else {
		operation(&h);
		x87_report(cpu, h.status, 0);
		if (!x87_host_moved(&h))
			return;
	}
	ref_store(cpu, dst, h.mem, size);
	if (pop)
		st_pop(cpu);
}

static always_inline enum exec store(struct cpu *cpu, const struct insn *in, unsigned size, fast_store_fn *fast, x87_host_fn *host, bool pop)
{
	struct fast f = fast(*st(cpu, 0), cpu->fpu.control);
	struct ref dst;

	TRY(x87_begin_mem(cpu, in, size, OPEN_WRITE, &dst));
	if (likely(f.ok && st_valid(cpu, 0))) {
		x87_report(cpu, f.status, 0);
		x87_set_bits(cpu, &dst, size, f.value.mantissa);
		if (pop)
			st_pop(cpu);
	} else {
		struct ref slow = dst;
		store_on_host(cpu, &slow, size, host, pop);
	}
	return EXEC_OK;
}

static enum exec store_decimal(struct cpu *cpu, const struct insn *in)
{
	struct ref dst;

	TRY(x87_begin_mem(cpu, in, 10, OPEN_WRITE, &dst));
	store_on_host(cpu, &dst, 10, host_fbstp, true);
	return EXEC_OK;
}

/* No conversion: nothing but an empty register is an error. */
static enum exec store_m80(struct cpu *cpu, const struct insn *in)
{
	struct x87_reg value = *st(cpu, 0);
	uint8_t bytes[10];
	struct ref dst;

	TRY(x87_begin_mem(cpu, in, 10, OPEN_WRITE, &dst));
	if (likely(st_valid(cpu, 0))) {
		x87_report(cpu, 0, 0);
	} else {
		if (!x87_underflow(cpu))
			return EXEC_OK;
		value = X87_INDEFINITE;
	}
	memcpy(bytes, &value.mantissa, 8);
	memcpy(bytes + 8, &value.exponent, 2);
	ref_store(cpu, &dst, bytes, 10);
	st_pop(cpu);
	return EXEC_OK;
}

/* FST to a register, empty or not. */
static enum exec store_register(struct cpu *cpu, const struct insn *in, bool pop)
{
	TRY(x87_begin(cpu, in));
	if (likely(st_valid(cpu, 0))) {
		x87_report(cpu, 0, 0);
		st_set(cpu, in->rm, *st(cpu, 0));
	} else {
		if (!x87_underflow(cpu))
			return EXEC_OK;
		st_set(cpu, in->rm, X87_INDEFINITE);
	}
	if (pop)
		st_pop(cpu);
	return EXEC_OK;
}

/* FSTPNCE, D9 D8+i: FSTP to a register without the check for an empty one, which then moves nothing. */
static enum exec store_register_unchecked(struct cpu *cpu, const struct insn *in)
{
	if (likely(st_valid(cpu, 0)))
		return store_register(cpu, in, true);
	TRY(x87_begin(cpu, in));
	x87_report(cpu, 0, 0);
	st_pop(cpu);
	return EXEC_OK;
}

HANDLER(fst_m32, store(cpu, in, 4, fast_fstp_m32, host_fstp_m32, false))
HANDLER(fstp_m32, store(cpu, in, 4, fast_fstp_m32, host_fstp_m32, true))
HANDLER(fst_m64, store(cpu, in, 8, fast_fstp_m64, host_fstp_m64, false))
HANDLER(fstp_m64, store(cpu, in, 8, fast_fstp_m64, host_fstp_m64, true))
HANDLER(fstp_m80, store_m80(cpu, in))
HANDLER(fist_i16, store(cpu, in, 2, fast_fistp_i16, host_fistp_i16, false))
HANDLER(fistp_i16, store(cpu, in, 2, fast_fistp_i16, host_fistp_i16, true))
HANDLER(fist_i32, store(cpu, in, 4, fast_fistp_i32, host_fistp_i32, false))
HANDLER(fistp_i32, store(cpu, in, 4, fast_fistp_i32, host_fistp_i32, true))
HANDLER(fistp_i64, store(cpu, in, 8, fast_fistp_i64, host_fistp_i64, true))
HANDLER(fbstp, store_decimal(cpu, in))
HANDLER(fst_STi, store_register(cpu, in, false))
HANDLER(fstpnce_STi, store_register_unchecked(cpu, in))
HANDLER(fstp_STi, store_register(cpu, in, true))

/* --- registers only ------------------------------------------------------------------------------------------------- */

/* FXCH: an empty register gives the indefinite to the other, and so does the other to it. */
static enum exec exchange(struct cpu *cpu, const struct insn *in)
{
	struct x87_reg a = *st(cpu, 0), b = *st(cpu, in->rm);

	TRY(x87_begin(cpu, in));
	if (unlikely(!st_valid(cpu, 0) || !st_valid(cpu, in->rm))) {
		if (!x87_underflow(cpu))
			return EXEC_OK;
		a = st_valid(cpu, 0) ? a : X87_INDEFINITE;
		b = st_valid(cpu, in->rm) ? b : X87_INDEFINITE;
	} else {
		x87_report(cpu, 0, 0);
	}
	st_set(cpu, 0, b);
	st_set(cpu, in->rm, a);
	return EXEC_OK;
}
HANDLER(fxch_STi, exchange(cpu, in))

/* FABS and FCHS touch the sign of anything. */
static enum exec set_sign(struct cpu *cpu, const struct insn *in, unsigned keep, unsigned flip)
{
	TRY(x87_begin(cpu, in));
	if (likely(st_valid(cpu, 0))) {
		x87_report(cpu, 0, 0);
		st(cpu, 0)->exponent = (uint16_t)((st(cpu, 0)->exponent & keep) ^ flip);
	} else if (x87_underflow(cpu)) {
		st_set(cpu, 0, X87_INDEFINITE);
	}
	return EXEC_OK;
}
HANDLER(fabs, set_sign(cpu, in, EXPONENT, 0))
HANDLER(fchs, set_sign(cpu, in, SIGN | EXPONENT, SIGN))

/* An empty register is an error whether the condition holds or not. C1 changes only then. */
static enum exec move_if(struct cpu *cpu, const struct insn *in, bool condition)
{
	TRY(x87_begin(cpu, in));
	if (unlikely(!st_valid(cpu, 0) || !st_valid(cpu, in->rm))) {
		if (x87_underflow(cpu))
			st_set(cpu, 0, X87_INDEFINITE);
	} else if (condition) {
		st_set(cpu, 0, *st(cpu, in->rm));
	}
	return EXEC_OK;
}
HANDLER(fcmovb, move_if(cpu, in, cpu_eflags(cpu) & F_CF))
HANDLER(fcmove, move_if(cpu, in, cpu_eflags(cpu) & F_ZF))
HANDLER(fcmovbe, move_if(cpu, in, cpu_eflags(cpu) & (F_CF | F_ZF)))
HANDLER(fcmovu, move_if(cpu, in, cpu_eflags(cpu) & F_PF))
HANDLER(fcmovnb, move_if(cpu, in, !(cpu_eflags(cpu) & F_CF)))
HANDLER(fcmovne, move_if(cpu, in, !(cpu_eflags(cpu) & F_ZF)))
HANDLER(fcmovnbe, move_if(cpu, in, !(cpu_eflags(cpu) & (F_CF | F_ZF))))
HANDLER(fcmovnu, move_if(cpu, in, !(cpu_eflags(cpu) & F_PF)))
