/* cpu/flags.h: the six arithmetic flags, computed when somebody asks.
 *
 * An arithmetic instruction stores its result and the carry out of every bit position; each flag is a function of those:
 *
 *   result   sign-extended to 32 bits     ZF: all zero   SF: bit 31   PF: even number of ones in bits 7..0
 *   carries  bit 31 the carry out of the top bit, bit 30 the carry into it, bit 3 out of bit 3
 *            CF: bit 31   OF: bit 31 xor bit 30   AF: bit 3   bit 29: invert SF   bit 28: invert PF
 *
 * The two inverting bits exist for flags set by POPF, SAHF and IRET in combinations no result has.
 * References: [SDM1 3.4.3.1 "Status Flags"].
 */
#ifndef CPU_FLAGS_H
#define CPU_FLAGS_H

#include "cpu/cpu.h"

#define CARRY_CF  0x80000000u
#define CARRY_OF  0x40000000u      /* differs from CARRY_CF on overflow */
#define CARRY_SFI 0x20000000u
#define CARRY_PFI 0x10000000u
#define CARRY_AF  0x00000008u

static inline bool flag_cf(const struct cpu *cpu) { return cpu->lf.carries >> 31; }
static inline bool flag_zf(const struct cpu *cpu) { return cpu->lf.result == 0; }
static inline bool flag_sf(const struct cpu *cpu) { return (cpu->lf.result ^ cpu->lf.carries << 2) >> 31; }
static inline bool flag_of(const struct cpu *cpu) { return (cpu->lf.carries ^ cpu->lf.carries << 1) >> 31; }
static inline bool flag_af(const struct cpu *cpu) { return cpu->lf.carries >> 3 & 1; }
static inline bool flag_pf(const struct cpu *cpu)
{
	return !(__builtin_parity(cpu->lf.result & 0xff) ^ (cpu->lf.carries >> 28 & 1));
}

/* The result of a logic instruction: CF, OF and AF clear. value is sign-extended by the caller. */
static inline void flags_logic(struct cpu *cpu, int32_t value)
{
	cpu->lf.result = (uint32_t)value;
	cpu->lf.carries = 0;
}

/* A vector of carries from an operation of 8, 16 or 32 bits, moved to where the flags want it. */
static inline uint32_t carries_from(uint32_t vector, unsigned bits)
{
	return (vector << (32 - bits) & 0xc0000000u) | (vector & CARRY_AF);
}

/* sum = a + b (+ carry), all masked to bits; value is the sum sign-extended. */
static inline void flags_add(struct cpu *cpu, uint32_t a, uint32_t b, int32_t value, unsigned bits)
{
	uint32_t sum = (uint32_t)value;

	cpu->lf.result = sum;
	cpu->lf.carries = carries_from((a & b) | ((a | b) & ~sum), bits);
}

/* difference = a - b (- borrow). */
static inline void flags_sub(struct cpu *cpu, uint32_t a, uint32_t b, int32_t value, unsigned bits)
{
	uint32_t difference = (uint32_t)value;

	cpu->lf.result = difference;
	cpu->lf.carries = carries_from((~a & b) | ((~a | b) & difference), bits);
}

/* INC and DEC: as above, but CF stays. */
static inline void flags_keep_cf(struct cpu *cpu, uint32_t old_carries)
{
	uint32_t flip = (cpu->lf.carries ^ old_carries) & CARRY_CF;

	cpu->lf.carries ^= flip | flip >> 1;
}

/* CF and OF as given; AF clear; SF, ZF and PF from value. */
static inline void flags_result_cf_of(struct cpu *cpu, int32_t value, bool cf, bool of)
{
	cpu->lf.result = (uint32_t)value;
	cpu->lf.carries = (uint32_t)cf << 31 | (uint32_t)(cf ^ of) << 30;
}

/* CF and OF as given, everything else as it is: rotates. */
static inline void flags_set_cf_of(struct cpu *cpu, bool cf, bool of)
{
	cpu->lf.carries = (cpu->lf.carries & 0x3fffffffu) | (uint32_t)cf << 31 | (uint32_t)(cf ^ of) << 30;
}

static inline void flags_set_cf(struct cpu *cpu, bool cf) { flags_set_cf_of(cpu, cf, flag_of(cpu)); }

/* The six flags as EFLAGS bits, and back. */
static inline uint32_t flags_get(const struct cpu *cpu)
{
	return (flag_cf(cpu) ? F_CF : 0) | (flag_pf(cpu) ? F_PF : 0) | (flag_af(cpu) ? F_AF : 0) | (flag_zf(cpu) ? F_ZF : 0)
	     | (flag_sf(cpu) ? F_SF : 0) | (flag_of(cpu) ? F_OF : 0);
}

static inline void flags_put(struct cpu *cpu, uint32_t f)
{
	bool cf = f & F_CF, of = f & F_OF, zf = f & F_ZF, pf = f & F_PF;

	cpu->lf.result = !zf;                      /* 0: even parity; 1: odd */
	cpu->lf.carries = (cf ? CARRY_CF : 0) | (cf ^ of ? CARRY_OF : 0) | (f & F_AF ? CARRY_AF : 0)
	                | (f & F_SF ? CARRY_SFI : 0) | (pf != zf ? CARRY_PFI : 0);
}

/* The condition of Jcc, SETcc and CMOVcc: the low four bits of the opcode. */
static inline bool condition(const struct cpu *cpu, unsigned cc)
{
	bool r;

	switch (cc >> 1 & 7) {
	case 0: r = flag_of(cpu); break;
	case 1: r = flag_cf(cpu); break;
	case 2: r = flag_zf(cpu); break;
	case 3: r = flag_cf(cpu) || flag_zf(cpu); break;
	case 4: r = flag_sf(cpu); break;
	case 5: r = flag_pf(cpu); break;
	case 6: r = flag_sf(cpu) != flag_of(cpu); break;
	default: r = flag_zf(cpu) || flag_sf(cpu) != flag_of(cpu); break;
	}
	return r != (cc & 1);
}

#endif
