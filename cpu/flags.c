/* cpu/flags.c: EFLAGS as a whole, from its lazy half and back. */
#include "cpu/flags.h"

uint32_t flags_image(const struct cpu *cpu)
{
	return (flag_cf(cpu) ? F_CF : 0) | (flag_pf(cpu) ? F_PF : 0) | (flag_af(cpu) ? F_AF : 0) |
	       (flag_zf(cpu) ? F_ZF : 0) | (flag_sf(cpu) ? F_SF : 0) | (flag_of(cpu) ? F_OF : 0);
}

void flags_load(struct cpu *cpu, uint32_t eflags)
{
	/* The result is 0 or 1, of odd parity when 1; parity and sign then correct PF and SF. */
	uint32_t result = eflags & F_ZF ? 0 : 1;
	bool even = result == 0;

	cpu->lf = (struct lazy_flags) {
		.result = result,
		.carries = carries_of(eflags & F_CF, eflags & F_OF, eflags & F_AF),
		.parity = even != !!(eflags & F_PF),
		.sign = eflags & F_SF ? 0x80000000u : 0,
	};
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
