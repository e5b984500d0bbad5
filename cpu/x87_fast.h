/* cpu/x87_fast.h: x87 arithmetic on ordinary numbers, in integers. Internal to cpu/.
 *
 * Between guest and host the host's x87 costs a few hundred cycles, most of them to read and clear its flags. Two normal numbers
 * with a normal result can raise nothing but precision, and that needs only the bits cut off by rounding:
 *
 *    127         64 63          0
 *   | mantissa     | cut off     |   normal: bit 127 is 1          result = mantissa, + 1 in its last place if rounded up
 *
 * Each function returns the result, with PE and C1 as the status word has them, or ok = false where anything else is involved (NaN,
 * infinity, denormal, overflow, underflow, a reserved precision): x87_host.h then does it. The same results, to the last bit.
 *
 * References: [SDM1 4.8.4 "Rounding"], [SDM1 8.1.5 "x87 FPU Control Word"], [SDM1 8.5.6 "Inexact-Result (Precision) Exception (#P)"].
 */
#ifndef CPU_X87_FAST_H
#define CPU_X87_FAST_H

#include "cpu/x87.h"

#define fast_inline static always_inline

typedef unsigned __int128 u128;

struct fast {
	struct x87_reg value;
	uint16_t status;
	bool ok;
};
#define FAST_NO ((struct fast) { .ok = false })

#define EXPONENT     0x7fffu
#define SIGN         0x8000u
#define BIAS         0x3fff
#define INTEGER_BIT  (1ull << 63)

enum { ROUND_NEAREST, ROUND_DOWN, ROUND_UP, ROUND_ZERO };
fast_inline unsigned rounding(unsigned control) { return control >> 10 & 3; }

fast_inline bool is_normal(struct x87_reg a)
{
	return (a.exponent & EXPONENT) - 1u < EXPONENT - 1 && a.mantissa & INTEGER_BIT;
}
fast_inline bool is_zero(struct x87_reg a) { return !a.mantissa && !(a.exponent & EXPONENT); }

/* Whether to add 1 in the last place. odd: the last bit kept; cut: the bits below it, with the first of them in bit 63 of 64 and
 * all others known to be there or not. */
fast_inline bool rounds_up(unsigned mode, bool negative, bool odd, uint64_t cut)
{
	switch (mode) {
	case ROUND_NEAREST: return cut > INTEGER_BIT || (cut == INTEGER_BIT && odd);
	case ROUND_DOWN: return cut && negative;
	case ROUND_UP: return cut && !negative;
	default: return false;
	}
}

/* Rounds wide, whose bit 127 is set, to so many bits. */
struct rounded { uint64_t mantissa; int exponent; uint16_t status; };
fast_inline struct rounded round_to(unsigned bits, unsigned mode, bool negative, int exponent, u128 wide)
{
	uint64_t high = (uint64_t)(wide >> 64), low = (uint64_t)wide, cut = low, unit = 1;
	struct rounded r = { high, exponent, 0 };

	if (bits < 64) {
		unit = 1ull << (64 - bits);
		cut = high << bits | (low != 0);
		r.mantissa = high & ~(unit - 1);
	}
	if (!cut)
		return r;
	r.status = FPU_SW_PE;
	if (rounds_up(mode, negative, r.mantissa & unit, cut)) {
		r.status |= FPU_SW_C1;
		r.mantissa += unit;
		if (!r.mantissa) {
			r.mantissa = INTEGER_BIT;
			r.exponent++;
		}
	}
	return r;
}

fast_inline struct fast finish(unsigned control, bool negative, int exponent, u128 wide)
{
	static const uint8_t precision[4] = { 24, 0, 53, 64 };
	unsigned bits = precision[control >> 8 & 3];
	struct rounded r;

	if (unlikely(!bits || exponent < 1))
		return FAST_NO;
	r = round_to(bits, rounding(control), negative, exponent, wide);
	if (unlikely(r.exponent >= (int)EXPONENT))
		return FAST_NO;
	return (struct fast) { { r.mantissa, (uint16_t)((negative ? SIGN : 0) | (unsigned)r.exponent) }, r.status, true };
}

/* wide >> n, with a 1 in the last place when something was lost. */
fast_inline u128 shift_sticky(u128 wide, unsigned n)
{
	if (n == 0)
		return wide;
	if (n > 127)
		return 1;
	return wide >> n | ((wide << (128 - n)) != 0);
}

/* --- the operations ------------------------------------------------------------------------------------------------- */

fast_inline struct fast fast_fadd(struct x87_reg a, struct x87_reg b, unsigned control)
{
	int ea = a.exponent & EXPONENT, eb = b.exponent & EXPONENT;
	bool subtract = (a.exponent ^ b.exponent) & SIGN, negative;
	u128 big, small;
	unsigned zeros;

	if (unlikely(!is_normal(a) || !is_normal(b))) {
		/* A zero adds nothing; only whose sign two of them have is not that simple. */
		if (is_normal(a) && is_zero(b))
			return finish(control, a.exponent & SIGN, ea, (u128)a.mantissa << 64);
		if (is_normal(b) && is_zero(a))
			return finish(control, b.exponent & SIGN, eb, (u128)b.mantissa << 64);
		return is_zero(a) && is_zero(b) && !subtract ? (struct fast) { a, 0, true } : FAST_NO;
	}
	if (ea < eb || (ea == eb && a.mantissa < b.mantissa)) {
		struct x87_reg t = a;
		int e = ea;
		a = b, ea = eb;
		b = t, eb = e;
	}
	negative = a.exponent & SIGN;
	/* One bit is left free above for the carry. */
	big = (u128)a.mantissa << 63;
	small = shift_sticky((u128)b.mantissa << 63, (unsigned)(ea - eb));
	big = subtract ? big - small : big + small;
	if (unlikely(!big))
		return (struct fast) { { 0, rounding(control) == ROUND_DOWN ? SIGN : 0 }, 0, true };
	zeros = (unsigned)(big >> 64 ? __builtin_clzll((uint64_t)(big >> 64)) : 64 + __builtin_clzll((uint64_t)big));
	return finish(control, negative, ea + 1 - (int)zeros, big << zeros);
}

fast_inline struct x87_reg negated(struct x87_reg a)
{
	a.exponent ^= SIGN;
	return a;
}
fast_inline struct fast fast_fsub(struct x87_reg a, struct x87_reg b, unsigned control) { return fast_fadd(a, negated(b), control); }
fast_inline struct fast fast_fsubr(struct x87_reg a, struct x87_reg b, unsigned control) { return fast_fadd(b, negated(a), control); }

fast_inline struct fast fast_fmul(struct x87_reg a, struct x87_reg b, unsigned control)
{
	int exponent = (a.exponent & EXPONENT) + (b.exponent & EXPONENT) - BIAS + 1;
	bool negative = (a.exponent ^ b.exponent) & SIGN;
	u128 wide = (u128)a.mantissa * b.mantissa;

	if (unlikely(!is_normal(a) || !is_normal(b))) {
		if ((is_zero(a) && (is_zero(b) || is_normal(b))) || (is_zero(b) && is_normal(a)))
			return (struct fast) { { 0, negative ? SIGN : 0 }, 0, true };
		return FAST_NO;
	}
	if (!(wide >> 127)) {
		wide <<= 1;
		exponent--;
	}
	return finish(control, negative, exponent, wide);
}

fast_inline struct fast fast_fdiv(struct x87_reg a, struct x87_reg b, unsigned control)
{
	int exponent = (a.exponent & EXPONENT) - (b.exponent & EXPONENT) + BIAS;
	bool negative = (a.exponent ^ b.exponent) & SIGN;
	u128 dividend = (u128)a.mantissa << 63;
	uint64_t quotient, rest, cut;

	if (unlikely(!is_normal(b) || (!is_normal(a) && !is_zero(a))))
		return FAST_NO;
	if (unlikely(is_zero(a)))
		return (struct fast) { { 0, negative ? SIGN : 0 }, 0, true };
	/* So that the quotient has 64 bits, the first of them 1. */
	if (a.mantissa < b.mantissa) {
		dividend <<= 1;
		exponent--;
	}
	quotient = (uint64_t)(dividend / b.mantissa);
	rest = (uint64_t)(dividend - (u128)quotient * b.mantissa);
	/* Less than half, half, or more of the last place is cut off. */
	cut = !rest ? 0 : rest > b.mantissa - rest ? INTEGER_BIT + 1 : rest == b.mantissa - rest ? INTEGER_BIT : 1;
	return finish(control, negative, exponent, (u128)quotient << 64 | cut);
}
fast_inline struct fast fast_fdivr(struct x87_reg a, struct x87_reg b, unsigned control) { return fast_fdiv(b, a, control); }

/* Condition codes of a compared with b in status; the value means nothing. */
fast_inline struct fast fast_fcom(struct x87_reg a, struct x87_reg b)
{
	bool za = is_zero(a), zb = is_zero(b), less;
	unsigned ea = a.exponent & EXPONENT, eb = b.exponent & EXPONENT;

	if (unlikely((!za && !is_normal(a)) || (!zb && !is_normal(b))))
		return FAST_NO;
	if ((za && zb) || (a.exponent == b.exponent && a.mantissa == b.mantissa))
		return (struct fast) { .status = FPU_SW_C3, .ok = true };
	less = ea < eb || (ea == eb && a.mantissa < b.mantissa);       /* in magnitude */
	if ((a.exponent ^ b.exponent) & SIGN && !za && !zb)
		less = a.exponent & SIGN;
	else if (za || zb)
		less = za ? !(b.exponent & SIGN) : a.exponent & SIGN;
	else if (a.exponent & SIGN)
		less = !less;
	return (struct fast) { .status = less ? FPU_SW_C0 : 0, .ok = true };
}

/* --- formats -------------------------------------------------------------------------------------------------------- */

/* Every integer is a real number here, exactly. */
fast_inline struct x87_reg from_integer(int64_t value)
{
	uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	unsigned zeros;

	if (!magnitude)
		return (struct x87_reg) { 0, 0 };
	zeros = (unsigned)__builtin_clzll(magnitude);
	return (struct x87_reg) { magnitude << zeros, (uint16_t)((value < 0 ? SIGN : 0) | (BIAS + 63 - zeros)) };
}

/* A format of exponent_bits and fraction_bits, the sign above. Denormals and NaNs raise something. */
fast_inline struct fast from_real(uint64_t bits, unsigned exponent_bits, unsigned fraction_bits)
{
	unsigned top = (1u << exponent_bits) - 1, exponent = bits >> fraction_bits & top;
	uint64_t fraction = bits & ((1ull << fraction_bits) - 1);
	uint16_t sign = bits >> (exponent_bits + fraction_bits) & 1 ? SIGN : 0;

	if (unlikely(exponent == 0 || exponent == top)) {
		if (fraction)
			return FAST_NO;
		return (struct fast) { exponent ? (struct x87_reg) { INTEGER_BIT, sign | EXPONENT } : (struct x87_reg) { 0, sign }, 0, true };
	}
	return (struct fast) { { INTEGER_BIT | fraction << (63 - fraction_bits), (uint16_t)(sign | (exponent - top / 2 + BIAS)) }, 0, true };
}
fast_inline struct fast fast_fld_m32(uint64_t bits) { return from_real(bits, 8, 23); }
fast_inline struct fast fast_fld_m64(uint64_t bits) { return from_real(bits, 11, 52); }

/* What is stored is in value.mantissa. */
fast_inline struct fast to_real(struct x87_reg a, unsigned control, unsigned exponent_bits, unsigned fraction_bits)
{
	int top = (1 << exponent_bits) - 1, rebias = top / 2 - BIAS, exponent = a.exponent & EXPONENT;
	bool negative = a.exponent & SIGN;
	uint64_t sign = (uint64_t)negative << (exponent_bits + fraction_bits);
	struct rounded r;

	if (unlikely(!is_normal(a)))
		return is_zero(a) ? (struct fast) { { sign, 0 }, 0, true } : FAST_NO;
	r = round_to(fraction_bits + 1, rounding(control), negative, exponent, (u128)a.mantissa << 64);
	/* An exponent that only rounding makes large enough was an underflow before. */
	if (unlikely(exponent + rebias < 1 || r.exponent + rebias >= top))
		return FAST_NO;
	r.mantissa = sign | (uint64_t)(r.exponent + rebias) << fraction_bits | (r.mantissa & ~INTEGER_BIT) >> (63 - fraction_bits);
	return (struct fast) { { r.mantissa, 0 }, r.status, true };
}
fast_inline struct fast fast_fstp_m32(struct x87_reg a, unsigned control) { return to_real(a, control, 8, 23); }
fast_inline struct fast fast_fstp_m64(struct x87_reg a, unsigned control) { return to_real(a, control, 11, 52); }

/* The integer nearest to a as the control word rounds, in value.mantissa; below 2^63. */
fast_inline struct fast to_integer(struct x87_reg a, unsigned control)
{
	int exponent = (a.exponent & EXPONENT) - BIAS;
	bool negative = a.exponent & SIGN, up;
	uint64_t whole, cut;
	u128 wide;

	if (unlikely(!is_normal(a) || exponent > 61))
		return is_zero(a) ? (struct fast) { .ok = true } : FAST_NO;
	wide = shift_sticky((u128)a.mantissa << 64, (unsigned)(63 - exponent));
	whole = (uint64_t)(wide >> 64);
	cut = (uint64_t)wide;
	up = rounds_up(rounding(control), negative, whole & 1, cut);
	whole += up;
	return (struct fast) { { negative ? 0 - whole : whole, 0 }, (uint16_t)((cut ? FPU_SW_PE : 0) | (up ? FPU_SW_C1 : 0)), true };
}
fast_inline struct fast fast_fistp_i64(struct x87_reg a, unsigned control) { return to_integer(a, control); }
fast_inline struct fast fast_fistp_i32(struct x87_reg a, unsigned control)
{
	struct fast f = to_integer(a, control);

	f.ok &= (int64_t)f.value.mantissa == (int32_t)f.value.mantissa;
	return f;
}
fast_inline struct fast fast_fistp_i16(struct x87_reg a, unsigned control)
{
	struct fast f = to_integer(a, control);

	f.ok &= (int64_t)f.value.mantissa == (int16_t)f.value.mantissa;
	return f;
}
/* FRNDINT. Zero keeps the sign of what was rounded to it. */
fast_inline struct fast fast_frndint(struct x87_reg a, unsigned control)
{
	struct fast f = to_integer(a, control);

	f.value = from_integer((int64_t)f.value.mantissa);
	f.value.exponent |= a.exponent & SIGN;
	return f;
}

#endif
