/* cpu/op_sse_approx.c: RCP and RSQRT, approximations.
 *
 * The manual promises a relative error below 1.5 * 2^-12 and leaves the digits to the processor; makers differ. Here they are
 * the first 14 digits of the exact result, an error below 2^-13, computed with integers and so the same on every host. They
 * look at no bit of MXCSR and raise nothing:
 *
 *            +-0, denormal   +-infinity     negative   SNaN, QNaN   result below the normal numbers
 *   RCP      +-infinity      +-0            -          QNaN         +-0
 *   RSQRT    +-infinity      +0 / default   default    QNaN         -
 *
 * References: [SDM2B] "RCPPS", "RCPSS", "RSQRTPS", "RSQRTSS"; [SDM1 4.8.3.7 "QNaN Floating-Point Indefinite"].
 */
#include "cpu/sse.h"

#define SIGN       0x80000000u
#define INFINITE   0x7f800000u
#define QUIET      0x00400000u
#define INDEFINITE 0xffc00000u
#define DIGITS     13              /* after the first, which a number does not store */

static uint32_t make(uint32_t sign, uint32_t exponent, uint32_t digits)
{
	return sign | exponent << 23 | (digits & ((1u << DIGITS) - 1)) << (23 - DIGITS);
}

/* x = w * 2^n with w from 1 to 2: 1 / x = 2 / w * 2^(-n - 1), and 2 / w lies between 1 and 2. The one w for which it is 2 comes out
 * as the next smaller number. */
static uint32_t reciprocal(uint32_t x)
{
	uint32_t sign = x & SIGN, exponent = x >> 23 & 0xff, w = (x & 0x7fffff) | 0x800000;

	if ((x & ~SIGN) > INFINITE)
		return x | QUIET;
	if (exponent == 0)
		return sign | INFINITE;
	if (exponent >= 253)                   /* infinite, or the result is tiny */
		return sign;
	return make(sign, 253 - exponent, (uint32_t)(((1ull << (24 + DIGITS)) - 1) / w));
}

/* 2 / sqrt(w), w being 1 to 4 and having 23 binary places: the largest r with r * r * w <= 4, found a bit at a time. */
static uint32_t two_by_root(uint32_t w)
{
	uint32_t r = 0;

	for (uint32_t bit = 1u << DIGITS; bit; bit >>= 1)
		if ((uint64_t)(r | bit) * (r | bit) * w <= 4ull << (23 + 2 * DIGITS))
			r |= bit;
	return r;
}

/* x = w * 2^2n with w from 1 to 4: 1 / sqrt(x) = 2 / sqrt(w) * 2^(-n - 1). */
static uint32_t reciprocal_root(uint32_t x)
{
	uint32_t exponent = x >> 23 & 0xff, odd = !(exponent & 1), w = ((x & 0x7fffff) | 0x800000) << odd;

	if ((x & ~SIGN) > INFINITE)
		return x | QUIET;
	if (exponent == 0)
		return (x & SIGN) | INFINITE;
	if (x & SIGN)
		return INDEFINITE;
	if (exponent == 0xff)
		return 0;
	return make(0, (379 + odd - exponent) / 2, two_by_root(w));
}

#define APPROXIMATE(op, W, size, lanes, f) \
static never_inline enum exec do_##op(struct cpu *cpu, const struct insn *in) \
{ \
	union xmm s; \
	TRY(sse_source(cpu, in, size, &s)); \
	for (unsigned i = 0; i < lanes; i++) \
		cpu->fpu.xmm[in->reg].u32[i] = f(s.u32[i]); \
	return EXEC_OK; \
} \
HANDLER(op##_Vx_##W, do_##op(cpu, in))
APPROXIMATE(rcpps,   Wx, 16, 4, reciprocal)
APPROXIMATE(rcpss,   Wd, 4,  1, reciprocal)
APPROXIMATE(rsqrtps, Wx, 16, 4, reciprocal_root)
APPROXIMATE(rsqrtss, Wd, 4,  1, reciprocal_root)
