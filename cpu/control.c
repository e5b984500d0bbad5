/* cpu/control.c: the control registers and what follows from a change of mode.
 *
 *   CR0  PG CD NW | AM WP | NE ET TS EM MP PE      CR4  PCE PGE PAE PSE DE TSD PVI VME ...      EFER  NXE
 *
 * The privilege level and the paging bits are cached elsewhere: in cpu->tables, struct mmu and the segments' ok bits. These
 * setters keep all of them in step.
 *
 * In PAE paging four page-directory-pointer-table entries are registers of the processor, loaded with CR3 and by the changes
 * of CR0 and CR4 below; stores to the table they came from, and INVLPG, do not reach them.
 * References: [SDM3A 2.5 "Control Registers"], [SDM3A 4.4.1 "PDPTE Registers"].
 */
#include "cpu/system.h"

#define CR0_LOADS_PDPTES (CR0_CD | CR0_NW | CR0_PG)
#define CR4_LOADS_PDPTES (CR4_PAE | CR4_PGE | CR4_PSE)

static bool pae_paging(uint32_t cr0, uint32_t cr4)
{
	return cr0 & CR0_PG && cr4 & CR4_PAE;
}

void control_update_paging(struct cpu *cpu)
{
	struct paging pg = {
		.enabled = cpu->cr0 & CR0_PG, .wp = cpu->cr0 & CR0_WP, .pse = cpu->cr4 & CR4_PSE, .pge = cpu->cr4 & CR4_PGE,
		.pae = cpu->cr4 & CR4_PAE, .nxe = cpu->efer & EFER_NXE, .cr3 = cpu->cr3,
	};

	memcpy(pg.pdpte, cpu->pdpte, sizeof(pg.pdpte));
	mmu_set_paging(cpu->mmu, &pg);
}

/* Whether a change to these values loads the PDPTEs. */
static bool loads_pdptes(const struct cpu *cpu, uint32_t cr0, uint32_t cr4)
{
	return pae_paging(cr0, cr4) && ((cpu->cr0 ^ cr0) & CR0_LOADS_PDPTES || (cpu->cr4 ^ cr4) & CR4_LOADS_PDPTES);
}

static void load_pdptes(struct cpu *cpu)
{
	uint64_t pdpte[PDPTES];

	if (page_read_pdptes(cpu->mmu->phys, cpu->cr3, pdpte))
		memcpy(cpu->pdpte, pdpte, sizeof(pdpte));
}

bool control_mode_allowed(const struct cpu *cpu, uint32_t cr0, uint32_t cr4)
{
	uint64_t pdpte[PDPTES];

	return !loads_pdptes(cpu, cr0, cr4) || page_read_pdptes(cpu->mmu->phys, cpu->cr3, pdpte);
}

bool control_cr3_allowed(const struct cpu *cpu, uint32_t cr3)
{
	uint64_t pdpte[PDPTES];

	return !pae_paging(cpu->cr0, cpu->cr4) || page_read_pdptes(cpu->mmu->phys, cr3, pdpte);
}

void cpu_set_cr0(struct cpu *cpu, uint32_t value)
{
	uint32_t changed = cpu->cr0 ^ value;
	bool load = loads_pdptes(cpu, value, cpu->cr4);

	cpu->cr0 = value;
	if (load)
		load_pdptes(cpu);
	if (load || changed & (CR0_PG | CR0_WP))
		control_update_paging(cpu);
	segment_update_all(cpu);
}

void cpu_set_cr3(struct cpu *cpu, uint32_t value)
{
	cpu->cr3 = value;
	if (pae_paging(cpu->cr0, cpu->cr4))
		load_pdptes(cpu);
	mmu_write_cr3(cpu->mmu, value, cpu->pdpte);
}

void cpu_set_cr4(struct cpu *cpu, uint32_t value)
{
	uint32_t changed = cpu->cr4 ^ value;
	bool load = loads_pdptes(cpu, cpu->cr0, value);

	cpu->cr4 = value;
	if (load)
		load_pdptes(cpu);
	if (load || changed & (CR4_PSE | CR4_PGE | CR4_PAE))
		control_update_paging(cpu);
}

void control_set_efer(struct cpu *cpu, uint32_t value)
{
	cpu->efer = value;
	control_update_paging(cpu);
}

void cpu_set_cpl(struct cpu *cpu, uint8_t cpl)
{
	cpu->cpl = cpl;
	cpu->tables = cpu->mmu->fast[cpl == 3];
	if (cpu->cr0 & CR0_AM)
		segment_update_all(cpu);       /* #AC exists at CPL 3 only */
}
