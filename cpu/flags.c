/* cpu/flags.c: EFLAGS as a whole, from its lazy half and back. */
#include "cpu/flags.h"

uint32_t flags_image(const struct cpu *cpu)
{
	return (flag_cf(cpu) ? F_CF : 0) | (flag_pf(cpu) ? F_PF : 0) | (flag_af(cpu) ? F_AF : 0) |
	       (flag_zf(cpu) ? F_ZF : 0) | (flag_sf(cpu) ? F_SF : 0) | (flag_of(cpu) ? F_OF : 0);
}

void flags_load(struct cpu *cpu, uint32_t eflags)
{
	/* The result is 0, of even parity, or 1, of odd; the two correcting bits do the rest. */
	bool zero = eflags & F_ZF, invert_pf = zero != !!(eflags & F_PF);

	cpu->lf.result = !zero;
	cpu->lf.carries = carries_of(eflags & F_CF, eflags & F_OF, eflags & F_AF) |
	                  (eflags & F_SF ? 1u << 29 : 0) | (uint32_t)invert_pf << 28;
}

uint32_t cpu_eflags(const struct cpu *cpu)
{
	return cpu->eflags | flags_image(cpu);
}

void cpu_set_eflags(struct cpu *cpu, uint32_t value)
{
	cpu->eflags = (value & ~F_ARITH) | F_ONE;
	flags_load(cpu, value);
	cpu->attention = true;
}
