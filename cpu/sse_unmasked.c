/* cpu/sse_unmasked.c: SIMD floating-point exceptions that are raised.
 *
 * The host has computed with all of them masked, and its flags are then the guest's, but for three things:
 *
 *   An unmasked invalid operand, denormal or division by zero anywhere stops the instruction before any result is rounded: no
 *   overflow, underflow or precision flag is set.
 *   Underflow is flagged for every tiny result when it is not masked; when it is, only for tiny and inexact ones.
 *   Together with unmasked overflow or underflow, the precision flag tells of a rounding without bounds on the exponent.
 *
 * References: [SDM1 4.9.1 "Floating-Point Exception Conditions"], [SDM1 11.5.2 "SIMD Floating-Point Exception Conditions"],
 * [SDM1 11.5.3 "Generating SIMD Floating-Point Exceptions"]. Overflow and underflow set no other flag than these in the manual's
 * words; that of precision is as processors do it.
 */
#include "cpu/sse.h"

/* A format, as its fields lie in 64 bits. */
struct format { unsigned bits, fraction; };
static const struct format single = { 32, 23 }, wide = { 64, 52 };

static const struct format *format_of(struct sse_result r)
{
	return r.lanes == SSE_4_SINGLE || r.lanes == SSE_1_SINGLE ? &single : &wide;
}

static uint64_t fraction_mask(const struct format *f) { return (1ull << f->fraction) - 1; }
static uint64_t exponent_mask(const struct format *f) { return (1ull << (f->bits - 1)) - 1 - fraction_mask(f); }
static uint64_t one(const struct format *f) { return exponent_mask(f) >> 1 & exponent_mask(f); }

static uint64_t get_lane(const union xmm *x, const struct format *f, unsigned n) { return f->bits == 32 ? x->u32[n] : x->u64[n]; }

static void set_lane(union xmm *x, const struct format *f, unsigned n, uint64_t v)
{
	if (f->bits == 32)
		x->u32[n] = (uint32_t)v;
	else
		x->u64[n] = v;
}

static bool denormal(uint64_t v, const struct format *f) { return !(v & exponent_mask(f)) && v & fraction_mask(f); }

/* Between 1 and 2, with the same digits. */
static uint64_t digits_only(uint64_t v, const struct format *f)
{
	uint64_t fraction = v & fraction_mask(f);

	if (denormal(v, f))
		while (!((fraction <<= 1) >> f->fraction))
			;
	return one(f) | (fraction & fraction_mask(f));
}

/* Eight powers of 2 smaller, unless too small for that: beside a sum that overflows, such a number only shows that it is there. */
static uint64_t smaller(uint64_t v, const struct format *f)
{
	uint64_t eight = 8ull << f->fraction;

	return (v & exponent_mask(f)) > eight ? v - eight : v;
}

/* One lane of the instruction: in all others 1 meets 1, which raises nothing. */
struct lane {
	sse_host_fn *op;
	enum sse_range range;
	const struct format *from, *to;        /* of s, and d too unless narrowed; of the result */
	uint64_t d, s;
	uint32_t mxcsr;
};

static unsigned compute(const struct lane *l, uint64_t *result)
{
	union xmm d, s;
	unsigned flags;

	for (unsigned i = 0; i < 128 / l->from->bits; i++) {
		set_lane(&d, l->from, i, one(l->from));
		set_lane(&s, l->from, i, one(l->from));
	}
	set_lane(&d, l->from, 0, l->d);
	set_lane(&s, l->from, 0, l->s);
	flags = l->op(&d, &s, l->mxcsr);
	*result = get_lane(&d, l->to, 0);
	return flags;
}

/* The precision flag, had exponents no bounds. */
static unsigned unbounded_precision(struct lane l, bool tiny)
{
	uint64_t result;

	if (l.range == RANGE_SUM && tiny)
		return 0;                      /* exact: both operands are multiples of the smallest denormal */
	l.d = l.range == RANGE_SUM ? smaller(l.d, l.from) : digits_only(l.d, l.from);
	l.s = l.range == RANGE_SUM ? smaller(l.s, l.from) : digits_only(l.s, l.from);
	return compute(&l, &result) & SSE_PE;
}

static unsigned lane_flags(const struct cpu *cpu, const struct lane *l)
{
	uint64_t result;
	unsigned flags = compute(l, &result), unmasked = ~(cpu->fpu.mxcsr >> 7);
	bool tiny = flags & SSE_UE || denormal(result, l->to);

	if (unmasked & SSE_UE && tiny)
		return (flags & SSE_BEFORE) | SSE_UE | unbounded_precision(*l, true);
	if (unmasked & flags & SSE_OE)
		return (flags & SSE_BEFORE) | SSE_OE | unbounded_precision(*l, false);
	return flags;
}

unsigned sse_unmasked_flags(const struct cpu *cpu, sse_host_fn *op, struct sse_result r, const union xmm *d, const union xmm *s,
			    unsigned masked, const union xmm *result)
{
	static const uint8_t lanes[] = { [SSE_4_SINGLE] = 4, [SSE_1_SINGLE] = 1, [SSE_2_DOUBLE] = 2, [SSE_1_DOUBLE] = 1 };
	bool narrowed = r.range == RANGE_NARROWED;
	struct lane l = { .op = op, .range = r.range, .from = format_of(r), .to = narrowed ? &single : format_of(r), .mxcsr = sse_host_mxcsr(cpu) };
	unsigned flags = masked & SSE_BEFORE;
	bool suspect = masked & (SSE_OE | SSE_UE);

	for (unsigned i = 0; i < lanes[r.lanes]; i++)
		suspect |= denormal(get_lane(result, l.to, i), l.to);
	if (!suspect)
		return masked;
	for (unsigned i = 0; i < lanes[r.lanes]; i++) {
		l.d = narrowed ? one(l.from) : get_lane(d, l.from, i);
		l.s = get_lane(s, l.from, i);
		flags |= lane_flags(cpu, &l);
	}
	return flags;
}

enum exec sse_raise(struct cpu *cpu, const struct insn *in, unsigned flags)
{
	unsigned unmasked = ~(cpu->fpu.mxcsr >> 7);

	cpu->fpu.mxcsr |= flags & unmasked & SSE_BEFORE ? flags & SSE_BEFORE : flags;
	return raise_fault(cpu, in, cpu->cr4 & CR4_OSXMMEXCPT ? VEC_XM : VEC_UD);
}
