/* cpu/op_shift.c: shifts, rotates, double shifts.
 *
 * The count is taken modulo 32; 0 changes nothing, not even flags. OF is defined for a count of 1 only: for others it is
 * what the same formula gives. AF, undefined, is 0 after shifts.
 *
 *   OF of   SHL RCL ROL SHLD   CF ^ top bit of the result        SAR   0
 *           SHR RCR ROR SHRD   the two top bits of the result, exclusive or
 *
 * References: [SDM2B] "RCL/RCR/ROL/ROR", "SAL/SAR/SHL/SHR", "SHLD", "SHRD".
 */
#include "cpu/flags.h"

#define SHIFTS(bits, u, s) \
static inline bool top##bits(u v) { return v >> (bits - 1) & 1; } \
static inline bool top_two_differ##bits(u v) { return (v >> (bits - 1) ^ v >> (bits - 2)) & 1; } \
static inline u shifted##bits(struct cpu *cpu, u r, bool cf, bool of) \
{ \
	flags_lazy(cpu, (uint32_t)(s)r, carries_of(cf, of, false)); \
	return r; \
} \
static inline u shift_shl##bits(struct cpu *cpu, u a, unsigned n) \
{ \
	uint64_t wide = (uint64_t)a << n; \
	bool cf = wide >> bits & 1; \
	return shifted##bits(cpu, (u)wide, cf, cf ^ top##bits((u)wide)); \
} \
static inline u shift_shr##bits(struct cpu *cpu, u a, unsigned n) \
{ \
	u r = (u)((uint64_t)a >> n); \
	return shifted##bits(cpu, r, (uint64_t)a >> (n - 1) & 1, top_two_differ##bits(r)); \
} \
static inline u shift_sar##bits(struct cpu *cpu, u a, unsigned n) \
{ \
	int64_t v = (s)a; \
	return shifted##bits(cpu, (u)(v >> n), v >> (n - 1) & 1, false); \
} \
static inline u shift_rol##bits(struct cpu *cpu, u a, unsigned n) \
{ \
	n &= bits - 1; \
	u r = n ? (u)(a << n | a >> (bits - n)) : a; \
	flags_set_cf_of(cpu, r & 1, (r & 1) ^ top##bits(r)); \
	return r; \
} \
static inline u shift_ror##bits(struct cpu *cpu, u a, unsigned n) \
{ \
	n &= bits - 1; \
	u r = n ? (u)(a >> n | a << (bits - n)) : a; \
	flags_set_cf_of(cpu, top##bits(r), top_two_differ##bits(r)); \
	return r; \
} \
/* Through carry: CF is bit number `bits` of a value one bit wider. */ \
static inline u shift_rcl##bits(struct cpu *cpu, u a, unsigned n) \
{ \
	uint64_t wide = (uint64_t)flag_cf(cpu) << bits | a; \
	n %= bits + 1; \
	if (n) \
		wide = wide << n | wide >> (bits + 1 - n); \
	bool cf = wide >> bits & 1; \
	flags_set_cf_of(cpu, cf, cf ^ top##bits((u)wide)); \
	return (u)wide; \
} \
static inline u shift_rcr##bits(struct cpu *cpu, u a, unsigned n) \
{ \
	uint64_t wide = (uint64_t)flag_cf(cpu) << bits | a; \
	n %= bits + 1; \
	if (n) \
		wide = wide >> n | wide << (bits + 1 - n); \
	flags_set_cf_of(cpu, wide >> bits & 1, top_two_differ##bits((u)wide)); \
	return (u)wide; \
}
SHIFTS(8, uint8_t, int8_t)
SHIFTS(16, uint16_t, int16_t)
SHIFTS(32, uint32_t, int32_t)

/* A memory operand is read and written even when the count is 0. */
#define SHIFT(name, bits, bytes, E, C, count) \
enum exec op_##name##_##E##_##C(struct cpu *cpu, const struct insn *in) \
{ \
	struct ref dst; \
	unsigned n = (count) & 31; \
	TRY(open_rm(cpu, in, bytes, OPEN_RW, &dst)); \
	if (likely(n)) \
		ref_set##bits(cpu, &dst, shift_##name##bits(cpu, ref_get##bits(cpu, &dst), n)); \
	NEXT(cpu, in); \
}
#define SHIFT_COUNTS(name, bits, bytes, E) \
	SHIFT(name, bits, bytes, E, I1, 1) \
	SHIFT(name, bits, bytes, E, Ib, in->imm) \
	SHIFT(name, bits, bytes, E, CL, cpu->r[R_ECX])
#define SHIFT_ALL(name) SHIFT_COUNTS(name, 8, 1, Eb) SHIFT_COUNTS(name, 16, 2, Ew) SHIFT_COUNTS(name, 32, 4, Ed)
SHIFT_ALL(rol)
SHIFT_ALL(ror)
SHIFT_ALL(rcl)
SHIFT_ALL(rcr)
SHIFT_ALL(shl)
SHIFT_ALL(shr)
SHIFT_ALL(sar)

/* Double shifts. A 16-bit one by more than 16 is undefined: bits come from the source, then again from the destination. */
static inline uint32_t shift_shld16(struct cpu *cpu, uint16_t a, uint16_t b, unsigned n)
{
	uint64_t wide = (uint64_t)a << 32 | (uint64_t)b << 16 | a;
	uint16_t r = (uint16_t)(wide << n >> 32);
	bool cf = wide >> (48 - n) & 1;

	return shifted16(cpu, r, cf, cf ^ top16(r));
}

static inline uint32_t shift_shrd16(struct cpu *cpu, uint16_t a, uint16_t b, unsigned n)
{
	uint64_t wide = (uint64_t)a << 32 | (uint64_t)b << 16 | a;
	uint16_t r = (uint16_t)(wide >> n);

	return shifted16(cpu, r, wide >> (n - 1) & 1, top_two_differ16(r));
}

static inline uint32_t shift_shld32(struct cpu *cpu, uint32_t a, uint32_t b, unsigned n)
{
	uint32_t r = a << n | b >> (32 - n);
	bool cf = a >> (32 - n) & 1;

	return shifted32(cpu, r, cf, cf ^ top32(r));
}

static inline uint32_t shift_shrd32(struct cpu *cpu, uint32_t a, uint32_t b, unsigned n)
{
	uint32_t r = a >> n | b << (32 - n);

	return shifted32(cpu, r, a >> (n - 1) & 1, top_two_differ32(r));
}

#define DOUBLE_SHIFT(name, bits, bytes, u, E, G, C, count) \
enum exec op_##name##_##E##_##G##_##C(struct cpu *cpu, const struct insn *in) \
{ \
	struct ref dst; \
	unsigned n = (count) & 31; \
	TRY(open_rm(cpu, in, bytes, OPEN_RW, &dst)); \
	if (likely(n)) \
		ref_set##bits(cpu, &dst, (u)shift_##name##bits(cpu, ref_get##bits(cpu, &dst), get_reg##bits(cpu, in->reg), n)); \
	NEXT(cpu, in); \
}
#define DOUBLE_SHIFT_ALL(name) \
	DOUBLE_SHIFT(name, 16, 2, uint16_t, Ew, Gw, Ib, in->imm) \
	DOUBLE_SHIFT(name, 16, 2, uint16_t, Ew, Gw, CL, cpu->r[R_ECX]) \
	DOUBLE_SHIFT(name, 32, 4, uint32_t, Ed, Gd, Ib, in->imm) \
	DOUBLE_SHIFT(name, 32, 4, uint32_t, Ed, Gd, CL, cpu->r[R_ECX])
DOUBLE_SHIFT_ALL(shld)
DOUBLE_SHIFT_ALL(shrd)
