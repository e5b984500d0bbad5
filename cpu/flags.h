/* cpu/flags.h: arithmetic, and the flags it leaves. Internal to cpu/.
 *
 * Flags are kept as what they are computed from (struct lazy_flags), since most are overwritten unread:
 *
 *   result    sign-extended to 32 bits      ZF = result == 0
 *   carries   carry out of bit n at bit n, those of the two top bits moved to 31 and 30:
 *             CF = bit 31    OF = bit 31 ^ bit 30    AF = bit 3
 *             bits 29 and 28, 0 after arithmetic, invert SF and PF, so that any combination can be loaded;
 *             the others are 0
 *   SF is bit 31 of result, PF the even parity of its low byte, but for those two.
 *
 * Each function that computes is here once for each width, and is the only place where that operation's flags are made.
 * References: [SDM1 3.4.3.1 "Status Flags"].
 */
#ifndef CPU_FLAGS_H
#define CPU_FLAGS_H

#include "cpu/exec.h"

static inline bool flag_cf(const struct cpu *cpu) { return cpu->lf.carries >> 31; }
static inline bool flag_of(const struct cpu *cpu) { return (cpu->lf.carries ^ cpu->lf.carries << 1) >> 31; }
static inline bool flag_af(const struct cpu *cpu) { return cpu->lf.carries >> 3 & 1; }
static inline bool flag_zf(const struct cpu *cpu) { return cpu->lf.result == 0; }
static inline bool flag_sf(const struct cpu *cpu) { return (cpu->lf.result ^ cpu->lf.carries << 2) >> 31; }
static inline bool flag_pf(const struct cpu *cpu) { return !__builtin_parity((cpu->lf.result & 0xff) ^ (cpu->lf.carries >> 28 & 1)); }

static inline void flags_lazy(struct cpu *cpu, uint32_t result, uint32_t carries)
{
	cpu->lf = (struct lazy_flags) { .result = result, .carries = carries };
}

#define CARRIES_KEPT 0x30000000u   /* the two bits that correct SF and PF */

/* CF, OF, AF as a carries word. */
static inline uint32_t carries_of(bool cf, bool of, bool af) { return (uint32_t)cf << 31 | (uint32_t)(cf ^ of) << 30 | (uint32_t)af << 3; }

static inline void flags_set_cf(struct cpu *cpu, bool cf)
{
	cpu->lf.carries = carries_of(cf, flag_of(cpu), flag_af(cpu)) | (cpu->lf.carries & CARRIES_KEPT);
}

static inline void flags_set_cf_of(struct cpu *cpu, bool cf, bool of)
{
	cpu->lf.carries = carries_of(cf, of, flag_af(cpu)) | (cpu->lf.carries & CARRIES_KEPT);
}

/* Loads the arithmetic flags from an EFLAGS image. */
void flags_load(struct cpu *cpu, uint32_t eflags);
/* The arithmetic flags as an EFLAGS image. */
uint32_t flags_image(const struct cpu *cpu);
static inline void flags_set_zf(struct cpu *cpu, bool zf)
{
	flags_load(cpu, (flags_image(cpu) & ~F_ZF) | (zf ? F_ZF : 0));
}

/* The sixteen conditions [SDM1 B "EFLAGS Condition Codes"]. */
static inline bool cond_o(const struct cpu *cpu)  { return flag_of(cpu); }
static inline bool cond_b(const struct cpu *cpu)  { return flag_cf(cpu); }
static inline bool cond_e(const struct cpu *cpu)  { return flag_zf(cpu); }
static inline bool cond_be(const struct cpu *cpu) { return flag_cf(cpu) || flag_zf(cpu); }
static inline bool cond_s(const struct cpu *cpu)  { return flag_sf(cpu); }
static inline bool cond_p(const struct cpu *cpu)  { return flag_pf(cpu); }
static inline bool cond_l(const struct cpu *cpu)  { return (cpu->lf.result ^ cpu->lf.carries << 2 ^ cpu->lf.carries ^ cpu->lf.carries << 1) >> 31; }
static inline bool cond_le(const struct cpu *cpu) { return flag_zf(cpu) || cond_l(cpu); }
static inline bool cond_no(const struct cpu *cpu) { return !cond_o(cpu); }
static inline bool cond_ae(const struct cpu *cpu) { return !cond_b(cpu); }
static inline bool cond_ne(const struct cpu *cpu) { return !cond_e(cpu); }
static inline bool cond_a(const struct cpu *cpu)  { return !cond_be(cpu); }
static inline bool cond_ns(const struct cpu *cpu) { return !cond_s(cpu); }
static inline bool cond_np(const struct cpu *cpu) { return !cond_p(cpu); }
static inline bool cond_ge(const struct cpu *cpu) { return !cond_l(cpu); }
static inline bool cond_g(const struct cpu *cpu)  { return !cond_le(cpu); }

/* CONDITIONS(X): X(name) for each. */
#define CONDITIONS(X) X(o) X(no) X(b) X(ae) X(e) X(ne) X(be) X(a) X(s) X(ns) X(p) X(np) X(l) X(ge) X(le) X(g)

/* One set of functions for each width: u is the unsigned type, s the signed one. */
#define ARITHMETIC(bits, u, s) \
/* carries: carry (or borrow) out of each bit of a bits-wide operation. */ \
static inline void flags_arith##bits(struct cpu *cpu, u result, uint32_t carries) \
{ \
	flags_lazy(cpu, (uint32_t)(s)result, ((carries << (32 - bits)) & 0xc0000000u) | (carries & 8)); \
} \
static inline u alu_add_carry##bits(struct cpu *cpu, u a, u b, unsigned carry) \
{ \
	u r = (u)(a + b + carry); \
	flags_arith##bits(cpu, r, (u)((a & b) | ((a | b) & ~r))); \
	return r; \
} \
static inline u alu_sub_borrow##bits(struct cpu *cpu, u a, u b, unsigned borrow) \
{ \
	u r = (u)(a - b - borrow); \
	flags_arith##bits(cpu, r, (u)((~a & b) | ((~a | b) & r))); \
	return r; \
} \
static inline u alu_logic##bits(struct cpu *cpu, u r) \
{ \
	flags_lazy(cpu, (uint32_t)(s)r, 0); \
	return r; \
} \
static inline u alu_add##bits(struct cpu *cpu, u a, u b) { return alu_add_carry##bits(cpu, a, b, 0); } \
static inline u alu_adc##bits(struct cpu *cpu, u a, u b) { return alu_add_carry##bits(cpu, a, b, flag_cf(cpu)); } \
static inline u alu_sub##bits(struct cpu *cpu, u a, u b) { return alu_sub_borrow##bits(cpu, a, b, 0); } \
static inline u alu_sbb##bits(struct cpu *cpu, u a, u b) { return alu_sub_borrow##bits(cpu, a, b, flag_cf(cpu)); } \
static inline u alu_cmp##bits(struct cpu *cpu, u a, u b) { return alu_sub##bits(cpu, a, b); } \
static inline u alu_and##bits(struct cpu *cpu, u a, u b) { return alu_logic##bits(cpu, a & b); } \
static inline u alu_test##bits(struct cpu *cpu, u a, u b) { return alu_logic##bits(cpu, a & b); } \
static inline u alu_or##bits(struct cpu *cpu, u a, u b)  { return alu_logic##bits(cpu, a | b); } \
static inline u alu_xor##bits(struct cpu *cpu, u a, u b) { return alu_logic##bits(cpu, a ^ b); } \
static inline u alu_neg##bits(struct cpu *cpu, u a) { return alu_sub##bits(cpu, 0, a); } \
static inline u alu_not##bits(struct cpu *cpu, u a) { (void)cpu; return (u)~a; } \
/* INC and DEC keep CF. */ \
static inline u alu_inc##bits(struct cpu *cpu, u a) \
{ \
	bool cf = flag_cf(cpu); \
	u r = (u)(a + 1); \
	flags_lazy(cpu, (uint32_t)(s)r, carries_of(cf, r == (u)1 << (bits - 1), (r & 15) == 0)); \
	return r; \
} \
static inline u alu_dec##bits(struct cpu *cpu, u a) \
{ \
	bool cf = flag_cf(cpu); \
	u r = (u)(a - 1); \
	flags_lazy(cpu, (uint32_t)(s)r, carries_of(cf, a == (u)1 << (bits - 1), (a & 15) == 0)); \
	return r; \
}
ARITHMETIC(8, uint8_t, int8_t)
ARITHMETIC(16, uint16_t, int16_t)
ARITHMETIC(32, uint32_t, int32_t)

/* General registers by number and width. */
static inline uint8_t get_reg8(struct cpu *cpu, unsigned n) { return *reg8(cpu, n); }
static inline void set_reg8(struct cpu *cpu, unsigned n, uint8_t v) { *reg8(cpu, n) = v; }
static inline uint16_t get_reg16(const struct cpu *cpu, unsigned n) { return (uint16_t)cpu->r[n]; }
static inline void set_reg16(struct cpu *cpu, unsigned n, uint16_t v) { cpu->r[n] = (cpu->r[n] & 0xffff0000u) | v; }
static inline uint32_t get_reg32(const struct cpu *cpu, unsigned n) { return cpu->r[n]; }
static inline void set_reg32(struct cpu *cpu, unsigned n, uint32_t v) { cpu->r[n] = v; }

#endif
