/* cpu/op_sse_convert.c: conversions between single, double and integers, in XMM, MMX and general registers.
 *
 * A number that does not fit an integer becomes 80000000 and sets the invalid flag. Those with T truncate; the others round as
 * MXCSR says. MMX registers are converted as the low half of an XMM register, whose upper half holds zeros.
 *
 * An instruction that uses an MMX register follows the rules of MMX too: it waits for a pending x87 exception and enters MMX
 * state, also when it then raises #XM.
 * References: [SDM2A] under each name; [SDM1 11.5.2.1 "Invalid Operation Exception (#I)"], [SDM3A 12.2 "The MMX State and MMX Register
 * Aliasing"].
 * Simplified: CVTPI2PS from memory leaves the x87 registers alone, as CVTPI2PD does, and as AMD's processors do; in [SDM2A] "CVTPI2PS"
 * it enters MMX state always.
 */
#include "cpu/sse_host.h"

#define SAFE     { .range = RANGE_SAFE }
#define NARROWED(lanes) { lanes, RANGE_NARROWED }

/* --- between XMM registers ---------------------------------------------------------------------------------------- */

#define CONVERT(op, W, size, ...) \
static never_inline enum exec do_##op(struct cpu *cpu, const struct insn *in) \
{ \
	return sse_operation(cpu, in, size, host_##op, (struct sse_result) __VA_ARGS__); \
} \
HANDLER(op##_Vx_##W, do_##op(cpu, in))
CONVERT(cvtps2pd,  Wq, 8,  SAFE)
CONVERT(cvtpd2ps,  Wx, 16, NARROWED(SSE_2_DOUBLE))
CONVERT(cvtss2sd,  Wd, 4,  SAFE)
CONVERT(cvtsd2ss,  Wq, 8,  NARROWED(SSE_1_DOUBLE))
CONVERT(cvtdq2ps,  Wx, 16, SAFE)
CONVERT(cvtdq2pd,  Wq, 8,  SAFE)
CONVERT(cvtps2dq,  Wx, 16, SAFE)
CONVERT(cvtpd2dq,  Wx, 16, SAFE)
CONVERT(cvttps2dq, Wx, 16, SAFE)
CONVERT(cvttpd2dq, Wx, 16, SAFE)

/* --- general registers -------------------------------------------------------------------------------------------- */

#define CONVERT_TO_GENERAL(op, W, size) \
static never_inline enum exec do_##op(struct cpu *cpu, const struct insn *in) \
{ \
	union xmm d, s; \
	TRY(sse_source(cpu, in, size, &s)); \
	TRY(sse_report(cpu, in, host_##op(&d, &s, sse_host_mxcsr(cpu)))); \
	cpu->r[in->reg] = d.u32[0]; \
	return EXEC_OK; \
} \
HANDLER(op##_Gd_##W, do_##op(cpu, in))
CONVERT_TO_GENERAL(cvtss2si,  Wd, 4)
CONVERT_TO_GENERAL(cvtsd2si,  Wq, 8)
CONVERT_TO_GENERAL(cvttss2si, Wd, 4)
CONVERT_TO_GENERAL(cvttsd2si, Wq, 8)

#define CONVERT_FROM_GENERAL(op) \
static never_inline enum exec do_##op(struct cpu *cpu, const struct insn *in) \
{ \
	union xmm d = cpu->fpu.xmm[in->reg], s; \
	struct ref src; \
	TRY(sse_check(cpu, in)); \
	TRY(open_rm(cpu, in, 4, OPEN_READ, &src)); \
	s.u32[0] = ref_get32(cpu, &src); \
	TRY(sse_report(cpu, in, host_##op(&d, &s, sse_host_mxcsr(cpu)))); \
	cpu->fpu.xmm[in->reg] = d; \
	return EXEC_OK; \
} \
HANDLER(op##_Vx_Ed, do_##op(cpu, in))
CONVERT_FROM_GENERAL(cvtsi2ss)
CONVERT_FROM_GENERAL(cvtsi2sd)

/* --- MMX registers ------------------------------------------------------------------------------------------------ */

/* To two singles, of which the upper half of the register stays; or to two doubles. */
#define CONVERT_FROM_MMX(op, like, upper) \
static never_inline enum exec do_##op(struct cpu *cpu, const struct insn *in) \
{ \
	union xmm d = { .u64 = { 0, 0 } }, s = { .u64 = { 0, 0 } }; \
	struct ref src; \
	TRY(in->mod == 3 ? sse_mmx_check(cpu, in) : sse_check(cpu, in)); \
	TRY(open_mmx_rm(cpu, in, 8, OPEN_READ, &src)); \
	ref_load(cpu, &src, &s, 8); \
	if (in->mod == 3) \
		mmx_enter(cpu); \
	TRY(sse_report(cpu, in, host_##like(&d, &s, sse_host_mxcsr(cpu)))); \
	cpu->fpu.xmm[in->reg].u64[0] = d.u64[0]; \
	if (upper) \
		cpu->fpu.xmm[in->reg].u64[1] = d.u64[1]; \
	return EXEC_OK; \
} \
HANDLER(op##_Vx_Qq, do_##op(cpu, in))
CONVERT_FROM_MMX(cvtpi2ps, cvtdq2ps, false)
CONVERT_FROM_MMX(cvtpi2pd, cvtdq2pd, true)

#define CONVERT_TO_MMX(op, like, W, size) \
static never_inline enum exec do_##op(struct cpu *cpu, const struct insn *in) \
{ \
	union xmm d = { .u64 = { 0, 0 } }, s; \
	TRY(sse_mmx_check(cpu, in)); \
	TRY(sse_source(cpu, in, size, &s)); \
	if (size == 8) \
		s.u64[1] = 0; \
	mmx_enter(cpu); \
	TRY(sse_report(cpu, in, host_##like(&d, &s, sse_host_mxcsr(cpu)))); \
	mmx_set(cpu, in->reg, d.u64[0]); \
	return EXEC_OK; \
} \
HANDLER(op##_Pq_##W, do_##op(cpu, in))
CONVERT_TO_MMX(cvtps2pi,  cvtps2dq,  Wq, 8)
CONVERT_TO_MMX(cvtpd2pi,  cvtpd2dq,  Wx, 16)
CONVERT_TO_MMX(cvttps2pi, cvttps2dq, Wq, 8)
CONVERT_TO_MMX(cvttpd2pi, cvttpd2dq, Wx, 16)
