/* cpu/sse_host.h: the numbers of SSE, computed by the same instructions of the host. Internal to cpu/.
 *
 *   load MXCSR (every exception masked) | the instruction | read the flags | restore MXCSR
 *
 * All is in one asm statement: no other arithmetic of the emulator gets between, and operand order, which decides what NaN
 * comes out, is that of the guest. RCP and RSQRT are not here, since hosts differ in them: op_sse_approx.c.
 * The host must be an x86-64.
 */
#ifndef CPU_SSE_HOST_H
#define CPU_SSE_HOST_H

#include "cpu/sse.h"

typedef int sse_vector __attribute__((vector_size(16)));

static inline sse_vector sse_vector_of(const union xmm *x)
{
	sse_vector v;

	memcpy(&v, x, 16);
	return v;
}

/* Flags left over are nobody's; a rounding mode would be everybody's. */
static inline void sse_host_restore(uint32_t mxcsr)
{
	static const uint32_t usual = MXCSR_DEFAULT;

	if (unlikely(mxcsr != usual))
		__asm__ volatile("ldmxcsr %0" : : "m"(usual));
}

#define SSE_HOST_AS(name, instruction) \
static inline unsigned host_##name(union xmm *d, const union xmm *s, uint32_t mxcsr) \
{ \
	sse_vector a = sse_vector_of(d); \
	uint32_t after; \
	__asm__ volatile("ldmxcsr %[mxcsr]\n\t" instruction " %[s], %[d]\n\tstmxcsr %[after]" \
			 : [d] "+&x"(a), [after] "=m"(after) : [s] "x"(sse_vector_of(s)), [mxcsr] "m"(mxcsr)); \
	sse_host_restore(mxcsr); \
	memcpy(d, &a, 16); \
	return after & SSE_FLAGS; \
}
#define SSE_HOST(op) SSE_HOST_AS(op, #op)
#define SSE_HOST_ALL(op) SSE_HOST(op##ps) SSE_HOST(op##pd) SSE_HOST(op##ss) SSE_HOST(op##sd)
SSE_HOST_ALL(add)
SSE_HOST_ALL(sub)
SSE_HOST_ALL(mul)
SSE_HOST_ALL(div)
SSE_HOST_ALL(min)
SSE_HOST_ALL(max)
SSE_HOST_ALL(sqrt)

#define SSE_HOST_CMP(shape, n) SSE_HOST_AS(cmp##shape##_##n, "cmp" #shape " $" #n ",")
#define SSE_HOST_CMPS(shape) \
	SSE_HOST_CMP(shape, 0) SSE_HOST_CMP(shape, 1) SSE_HOST_CMP(shape, 2) SSE_HOST_CMP(shape, 3) \
	SSE_HOST_CMP(shape, 4) SSE_HOST_CMP(shape, 5) SSE_HOST_CMP(shape, 6) SSE_HOST_CMP(shape, 7)
SSE_HOST_CMPS(ps)
SSE_HOST_CMPS(pd)
SSE_HOST_CMPS(ss)
SSE_HOST_CMPS(sd)

SSE_HOST(cvtps2pd)
SSE_HOST(cvtpd2ps)
SSE_HOST(cvtss2sd)
SSE_HOST(cvtsd2ss)
SSE_HOST(cvtdq2ps)
SSE_HOST(cvtdq2pd)
SSE_HOST(cvtps2dq)
SSE_HOST(cvtpd2dq)
SSE_HOST(cvttps2dq)
SSE_HOST(cvttpd2dq)

/* To and from a general register, which the low dword of an operand stands for. */
#define SSE_HOST_TO_INT(op) \
static inline unsigned host_##op(union xmm *d, const union xmm *s, uint32_t mxcsr) \
{ \
	uint32_t after, value; \
	__asm__ volatile("ldmxcsr %[mxcsr]\n\t" #op " %[s], %[d]\n\tstmxcsr %[after]" \
			 : [d] "=&r"(value), [after] "=m"(after) : [s] "x"(sse_vector_of(s)), [mxcsr] "m"(mxcsr)); \
	sse_host_restore(mxcsr); \
	d->u32[0] = value; \
	return after & SSE_FLAGS; \
}
SSE_HOST_TO_INT(cvtss2si)
SSE_HOST_TO_INT(cvtsd2si)
SSE_HOST_TO_INT(cvttss2si)
SSE_HOST_TO_INT(cvttsd2si)

#define SSE_HOST_FROM_INT(op) \
static inline unsigned host_##op(union xmm *d, const union xmm *s, uint32_t mxcsr) \
{ \
	sse_vector a = sse_vector_of(d); \
	uint32_t after; \
	__asm__ volatile("ldmxcsr %[mxcsr]\n\t" #op "l %[s], %[d]\n\tstmxcsr %[after]" \
			 : [d] "+&x"(a), [after] "=m"(after) : [s] "r"(s->u32[0]), [mxcsr] "m"(mxcsr)); \
	sse_host_restore(mxcsr); \
	memcpy(d, &a, 16); \
	return after & SSE_FLAGS; \
}
SSE_HOST_FROM_INT(cvtsi2ss)
SSE_HOST_FROM_INT(cvtsi2sd)

/* COMIS and UCOMIS of d with s: the result is ZF, PF and CF. */
#define SSE_HOST_COMPARE(op) \
static inline unsigned host_##op(const union xmm *d, const union xmm *s, uint32_t mxcsr, uint32_t *eflags) \
{ \
	uint32_t after; \
	bool zf, pf, cf; \
	__asm__ volatile("ldmxcsr %[mxcsr]\n\t" #op " %[s], %[d]\n\tstmxcsr %[after]" \
			 : "=@ccz"(zf), "=@ccp"(pf), "=@ccc"(cf), [after] "=m"(after) \
			 : [d] "x"(sse_vector_of(d)), [s] "x"(sse_vector_of(s)), [mxcsr] "m"(mxcsr)); \
	sse_host_restore(mxcsr); \
	*eflags = (zf ? F_ZF : 0) | (pf ? F_PF : 0) | (cf ? F_CF : 0); \
	return after & SSE_FLAGS; \
}
SSE_HOST_COMPARE(comiss)
SSE_HOST_COMPARE(comisd)
SSE_HOST_COMPARE(ucomiss)
SSE_HOST_COMPARE(ucomisd)

#endif
