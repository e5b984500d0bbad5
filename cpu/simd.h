/* cpu/simd.h: what the packed-integer instructions are written with. Internal to cpu/.
 *
 *                127                63      47      31      15     0
 *   XMMn         | .. | .. | .. | .. | word  | word  | word  | word |     bytes = 16
 *   MMn                              | word  | word  | word  | word |     bytes = 8, the mantissa of physical register Rn
 *
 * An operation is one function over the lanes of a union xmm; the same function, with 8 or 16 bytes, is the MMX instruction
 * and its SSE2 form. The functions here fetch the operands and put the result away; once the r/m operand is open nothing faults.
 *
 * Every MMX instruction but EMMS makes TOP 0 and all registers valid, and a write makes sign and exponent all ones; control
 * word, condition codes and the instruction and data pointers stay.
 * References: [SDM1 9.2 "The MMX Technology Programming Environment"], [SDM3A 12.2 "The MMX State and MMX Register Aliasing"].
 */
#ifndef CPU_SIMD_H
#define CPU_SIMD_H

#include "cpu/fpu.h"

/* d = d OP s on the low bytes of both. */
typedef void lane_fn(union xmm *d, const union xmm *s, unsigned bytes);

/* --- MMX registers ------------------------------------------------------------------------------------------------ */

/* Any use of the MMX registers. The caller's last open has succeeded. */
static inline void mmx_enter(struct cpu *cpu)
{
	cpu->fpu.status &= (uint16_t)~FPU_SW_TOP;
	cpu->fpu.valid = 0xff;
}

static inline void mmx_set(struct cpu *cpu, unsigned n, uint64_t value)
{
	cpu->fpu.r[n].mantissa = value;
	cpu->fpu.r[n].exponent = 0xffff;
}

/* The r/m operand as MMX register, or as so many bytes of memory. */
static inline enum exec open_mmx_rm(struct cpu *cpu, const struct insn *in, unsigned size, enum open_mode mode, struct ref *ref)
{
	if (in->mod == 3) {
		ref->host = &cpu->fpu.r[in->rm].mantissa;
		return EXEC_OK;
	}
	return open_mem(cpu, in, in->seg, effective_address(cpu, in), size, mode, ref);
}

/* The r/m operand as XMM register, or as so many bytes of memory anywhere. */
static inline enum exec open_xmm(struct cpu *cpu, const struct insn *in, unsigned size, enum open_mode mode, struct ref *ref)
{
	if (in->mod == 3) {
		ref->host = &cpu->fpu.xmm[in->rm];
		return EXEC_OK;
	}
	return open_mem(cpu, in, in->seg, effective_address(cpu, in), size, mode, ref);
}

/* ... or as 16 bytes that must be aligned. */
static inline enum exec open_xmm_aligned(struct cpu *cpu, const struct insn *in, enum open_mode mode, struct ref *ref)
{
	if (in->mod == 3) {
		ref->host = &cpu->fpu.xmm[in->rm];
		return EXEC_OK;
	}
	return open_aligned(cpu, in, 16, mode, ref);
}

/* --- whole instructions, for op_mmx*.c: all but the NEXT ---------------------------------------------------------- */

/* OP mm, mm/m64; size 4 for the few that read only half of it. */
static always_inline enum exec mmx_operation(struct cpu *cpu, const struct insn *in, unsigned size, lane_fn *operation)
{
	union xmm d = { .u64 = { cpu->fpu.r[in->reg].mantissa } }, s = { .u64 = { 0 } };
	struct ref src;

	TRY(mmx_check(cpu, in));
	TRY(open_mmx_rm(cpu, in, size, OPEN_READ, &src));
	ref_load(cpu, &src, &s, size);
	operation(&d, &s, 8);
	mmx_enter(cpu);
	mmx_set(cpu, in->reg, d.u64[0]);
	return EXEC_OK;
}

/* OP xmm, xmm/m128. */
static always_inline enum exec xmm_operation(struct cpu *cpu, const struct insn *in, lane_fn *operation)
{
	union xmm s;
	struct ref src;

	TRY(sse_check(cpu, in));
	TRY(open_xmm_aligned(cpu, in, OPEN_READ, &src));
	ref_load(cpu, &src, &s, 16);
	operation(&cpu->fpu.xmm[in->reg], &s, 16);
	return EXEC_OK;
}

/* OP mm, imm8: the register is r/m. */
static always_inline enum exec mmx_immediate(struct cpu *cpu, const struct insn *in, lane_fn *operation)
{
	union xmm d = { .u64 = { cpu->fpu.r[in->rm].mantissa } }, s = { .u64 = { in->imm } };

	TRY(mmx_check(cpu, in));
	operation(&d, &s, 8);
	mmx_enter(cpu);
	mmx_set(cpu, in->rm, d.u64[0]);
	return EXEC_OK;
}

static always_inline enum exec xmm_immediate(struct cpu *cpu, const struct insn *in, lane_fn *operation)
{
	union xmm s = { .u64 = { in->imm } };

	TRY(sse_check(cpu, in));
	operation(&cpu->fpu.xmm[in->rm], &s, 16);
	return EXEC_OK;
}

#endif
