/* cpu/sse.h: what the floating-point SSE handlers share. Internal to cpu/.
 *
 *   MXCSR   15 14 13  12 11 10  9  8  7   6   5  4  3  2  1  0
 *           FZ   RC   PM UM OM ZM DM IM  DAZ  PE UE OE ZE DE IE
 *
 * A memory operand of 16 bytes must be aligned: #GP(0), but in the "unaligned" moves. Smaller ones need not be
 * [SDM1 10.4.1.1 "SSE Data Movement Instructions"].
 * References: [SDM1 10.2.3 "MXCSR Control and Status Register"], [SDM1 11.5 "SSE, SSE2, and SSE3 Exceptions"].
 */
#ifndef CPU_SSE_H
#define CPU_SSE_H

#include "cpu/simd.h"

#define SSE_IE 0x01u               /* exception flags; the mask of each is seven bits up */
#define SSE_DE 0x02u
#define SSE_ZE 0x04u
#define SSE_OE 0x08u
#define SSE_UE 0x10u
#define SSE_PE 0x20u
#define SSE_FLAGS 0x3fu
#define SSE_BEFORE (SSE_IE | SSE_DE | SSE_ZE)  /* known from the operands alone */
#define MXCSR_MASKS 0x1f80u
#define MXCSR_RC    0x6000u
#define MXCSR_FZ    0x8000u

/* What an instruction's operands are: that many numbers, and how their results become too large or too small. */
enum sse_lanes { SSE_4_SINGLE, SSE_1_SINGLE, SSE_2_DOUBLE, SSE_1_DOUBLE };
enum sse_range {
	RANGE_SAFE,                /* never overflows nor underflows */
	RANGE_SUM,                 /* d + s or d - s */
	RANGE_PRODUCT,             /* d * s or d / s */
	RANGE_NARROWED,            /* s, from double to single */
};
struct sse_result { enum sse_lanes lanes; enum sse_range range; };

/* One instruction on the host: d = d OP s under the host MXCSR given. Returns the exception flags. */
typedef unsigned sse_host_fn(union xmm *d, const union xmm *s, uint32_t mxcsr);

/* The host computes with every exception masked. Flush to zero has no effect while underflow is not masked [SDM1 10.2.3.3
 * "Flush-To-Zero"]; it may stay on here, since a tiny result is then never stored. */
static inline uint32_t sse_host_mxcsr(const struct cpu *cpu)
{
	return MXCSR_MASKS | (cpu->fpu.mxcsr & (MXCSR_RC | MXCSR_DAZ | MXCSR_FZ));
}

/* The flags for operands d and s when overflow or underflow is not masked; masked: the flags and result the host gave. */
unsigned sse_unmasked_flags(const struct cpu *cpu, sse_host_fn *op, struct sse_result r, const union xmm *d, const union xmm *s,
			    unsigned masked, const union xmm *result);
/* Some flag is not masked: #XM, or #UD without support of the operating system. */
enum exec sse_raise(struct cpu *cpu, const struct insn *in, unsigned flags);

/* Puts the flags into MXCSR. Whatever this returns, the flags stay. */
static inline enum exec sse_report(struct cpu *cpu, const struct insn *in, unsigned flags)
{
	if (unlikely(flags & ~(cpu->fpu.mxcsr >> 7)))
		return sse_raise(cpu, in, flags);
	cpu->fpu.mxcsr |= flags;
	return EXEC_OK;
}

/* The r/m operand's value. From memory the low size bytes, the rest 0; 16 must be aligned. The SSE checks come first. */
static always_inline enum exec sse_source(struct cpu *cpu, const struct insn *in, unsigned size, union xmm *s)
{
	struct ref ref;

	TRY(sse_check(cpu, in));
	if (in->mod == 3) {
		*s = cpu->fpu.xmm[in->rm];
		return EXEC_OK;
	}
	TRY(size == 16 ? open_aligned(cpu, in, 16, OPEN_READ, &ref) : open_xmm(cpu, in, size, OPEN_READ, &ref));
	*s = (union xmm) { .u64 = { 0, 0 } };
	ref_load(cpu, &ref, s, size);
	return EXEC_OK;
}

/* A whole instruction but the NEXT: d = d OP s, nothing changed but MXCSR when an exception is raised. */
static always_inline enum exec sse_operation(struct cpu *cpu, const struct insn *in, unsigned size, sse_host_fn *op, struct sse_result r)
{
	union xmm d = cpu->fpu.xmm[in->reg], s;
	unsigned flags;

	TRY(sse_source(cpu, in, size, &s));
	flags = op(&d, &s, sse_host_mxcsr(cpu));
	if (r.range != RANGE_SAFE && unlikely(~cpu->fpu.mxcsr & (SSE_OE | SSE_UE) << 7))
		flags = sse_unmasked_flags(cpu, op, r, &cpu->fpu.xmm[in->reg], &s, flags, &d);
	TRY(sse_report(cpu, in, flags));
	cpu->fpu.xmm[in->reg] = d;
	return EXEC_OK;
}

#endif
