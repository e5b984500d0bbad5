/* cpu/control.c: the control registers and what follows from a change of mode.
 *
 *   CR0  PG CD NW | AM WP | NE ET TS EM MP PE      CR4  PCE PGE PSE DE TSD (others do not exist here)
 *
 * The privilege level and the paging bits are cached elsewhere: in cpu->tables, struct mmu and the segments' ok bits. These
 * setters keep all of them in step.
 * References: [SDM3A 2.5 "Control Registers"].
 */
#include "cpu/system.h"

void control_update_paging(struct cpu *cpu)
{
	struct paging pg = {
		.enabled = cpu->cr0 & CR0_PG, .wp = cpu->cr0 & CR0_WP, .pse = cpu->cr4 & CR4_PSE, .pge = cpu->cr4 & CR4_PGE, .cr3 = cpu->cr3,
	};

	mmu_set_paging(cpu->mmu, &pg);
}

void cpu_set_cr0(struct cpu *cpu, uint32_t value)
{
	uint32_t changed = cpu->cr0 ^ value;

	cpu->cr0 = value;
	if (changed & (CR0_PG | CR0_WP))
		control_update_paging(cpu);
	segment_update_all(cpu);
}

void cpu_set_cr3(struct cpu *cpu, uint32_t value)
{
	cpu->cr3 = value;
	mmu_write_cr3(cpu->mmu, value);
}

void cpu_set_cr4(struct cpu *cpu, uint32_t value)
{
	uint32_t changed = cpu->cr4 ^ value;

	cpu->cr4 = value;
	if (changed & (CR4_PSE | CR4_PGE))
		control_update_paging(cpu);
}

void cpu_set_cpl(struct cpu *cpu, uint8_t cpl)
{
	cpu->cpl = cpl;
	cpu->tables = cpu->mmu->fast[cpl == 3];
	if (cpu->cr0 & CR0_AM)
		segment_update_all(cpu);       /* #AC exists at CPL 3 only */
}
