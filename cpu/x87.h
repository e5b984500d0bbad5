/* cpu/x87.h: what the x87 instructions are written with: the register stack, and how exceptions are recorded. Internal to cpu/.
 *
 * Each handler does in this order:
 *   x87_check            #NM, and the report of an earlier error                                   \
 *   open_mem             the memory operand: faults before any x87 exception, and leaves no trace   | x87_begin,
 *   fpu_note             instruction and data pointers; from here on the instruction counts as      | x87_begin_mem
 *                        executed, error or not                                                    /
 *   stack faults         invalid operation with SF: an operand that is empty, a register to push to that is not
 *   the operation        fast_... (x87_fast.h) on ordinary numbers, else host_... (x87_host.h)
 *   x87_report           what it raised
 *   the result, the pop  unless an unmasked exception forbids
 *
 * An unmasked exception never faults here: the flags and ES say that it happened, the next waiting instruction reports it.
 * Invalid operation, zero divide and denormal operand, unmasked, keep result and stack as they were; overflow and underflow do
 * that only to a result in memory, one in a register is stored scaled; precision never does.
 * References: [SDM1 8.1 "x87 FPU Execution Environment"], [SDM1 8.4 "x87 FPU Floating-Point Exception Handling"],
 * [SDM1 8.5 "x87 FPU Floating-Point Exception Conditions"].
 */
#ifndef CPU_X87_H
#define CPU_X87_H

#include "cpu/fpu.h"
#include "cpu/x87_host.h"

/* Masked invalid operations give this: the "real indefinite" [SDM1 4.2.2 "Floating-Point Data Types"]. */
#define X87_INDEFINITE ((struct x87_reg) { 0xc000000000000000, 0xffff })
#define FPU_SW_BEFORE  (FPU_SW_IE | FPU_SW_DE | FPU_SW_ZE)         /* found before anything is computed */
#define FPU_SW_CC      (FPU_SW_C0 | FPU_SW_C1 | FPU_SW_C2 | FPU_SW_C3)

/* --- the stack ------------------------------------------------------------------------------------------------------ */

static inline unsigned st_index(const struct cpu *cpu, unsigned i) { return (fpu_top(cpu) + i) & 7; }
static inline struct x87_reg *st(struct cpu *cpu, unsigned i) { return &cpu->fpu.r[st_index(cpu, i)]; }
static inline bool st_valid(const struct cpu *cpu, unsigned i) { return cpu->fpu.valid >> st_index(cpu, i) & 1; }

static inline void st_set(struct cpu *cpu, unsigned i, struct x87_reg value)
{
	unsigned n = st_index(cpu, i);

	cpu->fpu.r[n].mantissa = value.mantissa;
	cpu->fpu.r[n].exponent = value.exponent;
	cpu->fpu.valid |= (uint8_t)(1u << n);
}

static inline void st_free(struct cpu *cpu, unsigned i) { cpu->fpu.valid &= (uint8_t)~(1u << st_index(cpu, i)); }

static inline void st_move_top(struct cpu *cpu, int by)
{
	unsigned top = (fpu_top(cpu) + (unsigned)by) & 7;

	cpu->fpu.status = (uint16_t)((cpu->fpu.status & ~FPU_SW_TOP) | top << FPU_TOP_SHIFT);
}

static inline void st_pop(struct cpu *cpu)
{
	st_free(cpu, 0);
	st_move_top(cpu, 1);
}

static inline void st_push(struct cpu *cpu, struct x87_reg value)
{
	st_move_top(cpu, -1);
	st_set(cpu, 0, value);
}

/* --- exceptions ----------------------------------------------------------------------------------------------------- */

/* Records what an instruction raised. status: its exception flags, SF, C1, and of codes those condition codes that it defines.
 * Returns the exceptions that are not masked. */
static inline unsigned x87_report(struct cpu *cpu, unsigned status, unsigned codes)
{
	struct fpu *f = &cpu->fpu;

	codes |= FPU_SW_C1;
	f->status = (uint16_t)((f->status & ~codes) | (status & (codes | FPU_SW_EXCEPTIONS | FPU_SW_SF)));
	f->status = fpu_summary(f->status, f->control);
	return status & ~f->control & FPU_SW_EXCEPTIONS;
}

/* Stack faults. True when masked: the instruction goes on with the indefinite. */
static inline bool x87_underflow(struct cpu *cpu) { return !x87_report(cpu, FPU_SW_STACK, 0); }
static inline bool x87_overflow(struct cpu *cpu) { return !x87_report(cpu, FPU_SW_STACK | FPU_SW_C1, 0); }

/* --- handlers ------------------------------------------------------------------------------------------------------- */

static inline enum exec x87_open(struct cpu *cpu, const struct insn *in, unsigned size, enum open_mode mode, struct ref *ref)
{
	return open_mem(cpu, in, in->seg, effective_address(cpu, in), size, mode, ref);
}

/* An instruction on registers only: checks, and begins to count. */
static inline enum exec x87_begin(struct cpu *cpu, const struct insn *in)
{
	TRY(x87_check(cpu, in));
	fpu_note(cpu, in);
	return EXEC_OK;
}

/* One with a memory operand. */
static inline enum exec x87_begin_mem(struct cpu *cpu, const struct insn *in, unsigned size, enum open_mode mode, struct ref *ref)
{
	TRY(x87_check(cpu, in));
	TRY(x87_open(cpu, in, size, mode, ref));
	fpu_note(cpu, in);
	fpu_note_data(cpu, in);
	return EXEC_OK;
}

/* A memory operand of 2, 4 or 8 bytes. */
static inline uint64_t x87_bits(struct cpu *cpu, const struct ref *src, unsigned size)
{
	uint64_t bits = 0;

	if (size == 2)
		return ref_get16(cpu, src);
	if (size == 4)
		return ref_get32(cpu, src);
	if (likely(src->host != NULL)) {
		memcpy(&bits, src->host, 8);
	} else {
		struct ref slow = *src;
		ref_load_slow(cpu, &slow, &bits);
	}
	return bits;
}

static inline void x87_set_bits(struct cpu *cpu, const struct ref *dst, unsigned size, uint64_t bits)
{
	if (likely(dst->host != NULL)) {
		memcpy(dst->host, &bits, size);
	} else {
		struct ref slow = *dst;
		ref_store_slow(cpu, &slow, &bits);
	}
}

/* For x87_host.h. An instruction that uses only one register, or none, passes any value for the others. */
static inline struct x87_host x87_operands(struct cpu *cpu, struct x87_reg a, struct x87_reg b)
{
	return (struct x87_host) { .a = a, .b = b, .control = cpu->fpu.control };
}

/* Whether it has pushed or popped. An unmasked exception, or an operand out of range, keeps it from that. */
static inline bool x87_host_moved(const struct x87_host *h) { return (h->status >> FPU_TOP_SHIFT & 7) != X87_HOST_TOP; }

#endif
