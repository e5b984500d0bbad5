/* cpu/op_control.c: control and debug registers, descriptor-table registers, TLB and cache instructions.
 *
 * References: [SDM2A] "CLTS", "INVLPG", "LGDT/LIDT", "LMSW", "MOV", [SDM2B] "SGDT", "SIDT", "SMSW",
 * [SDM3A 2.5 "Control Registers"], [SDM3A 4.4.1 "PDPTE Registers"], [SDM3B 17.2 "Debug Registers"].
 * Not implemented: the bits of CR4 whose feature CPUID does not report (#GP).
 */
#include "cpu/system.h"
#include "cpu/ops.h"

#define CR0_WRITABLE (CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | CR0_PG)
#define CR4_WRITABLE (CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_MCE | CR4_PGE | CR4_PCE | \
	CR4_OSFXSR | CR4_OSXMMEXCPT)
#define DR6_WRITABLE 0x0000e00fu
#define DR6_ONES     0xffff0ff0u
#define DR7_WRITABLE 0xffff23ffu
#define DR7_ONES     0x00000400u

static enum exec ring0_only(struct cpu *cpu, const struct insn *in)
{
	return cpu->cpl == 0 ? EXEC_OK : raise_error(cpu, in, VEC_GP, 0);
}

static void note_write(struct cpu *cpu, const struct insn *in, uint8_t reg, uint32_t old, uint32_t value)
{
	cpu->controls[cpu->control_count++ % CONTROL_HISTORY] = (struct control_write) {
		.icount = cpu_icount(cpu), .eip = insn_eip(cpu, in), .reg = reg, .old = old, .value = value,
	};
}

static void written(struct cpu *cpu, const struct insn *in, unsigned kind, uint32_t number, uint32_t old, uint32_t value)
{
	control_written(cpu, &(struct register_write) {
		.kind = kind, .number = number, .old = old, .value = value, .eip = insn_eip(cpu, in),
	});
}

/* --- control registers ---------------------------------------------------------------------------------------- */

enum exec op_mov_Rd_Cd(struct cpu *cpu, const struct insn *in)
{
	const uint32_t cr[5] = { cpu->cr0, 0, cpu->cr2, cpu->cr3, cpu->cr4 };

	if (in->reg > 4 || in->reg == 1)
		return raise_fault(cpu, in, VEC_UD);
	TRY(ring0_only(cpu, in));
	cpu->r[in->rm] = cr[in->reg];
	NEXT(cpu, in);
}

static enum exec write_cr0(struct cpu *cpu, const struct insn *in, uint32_t value)
{
	uint32_t old = cpu->cr0;

	value = (value & CR0_WRITABLE) | CR0_ET;
	if ((value & CR0_PG && !(value & CR0_PE)) || (value & CR0_NW && !(value & CR0_CD)))
		return raise_error(cpu, in, VEC_GP, 0);
	if (!control_mode_allowed(cpu, value, cpu->cr4))
		return raise_error(cpu, in, VEC_GP, 0);
	note_write(cpu, in, 0, old, value);
	cpu_set_cr0(cpu, value);
	written(cpu, in, WROTE_CR, 0, old, value);
	return finish(cpu, in);
}

enum exec op_mov_Cd_Rd(struct cpu *cpu, const struct insn *in)
{
	uint32_t value = cpu->r[in->rm], old = 0;

	if (in->reg > 4 || in->reg == 1)
		return raise_fault(cpu, in, VEC_UD);
	TRY(ring0_only(cpu, in));
	TRY(alone_when_heard(cpu, in));
	switch (in->reg) {
	case 0:
		return write_cr0(cpu, in, value);
	case 2:
		old = cpu->cr2;
		cpu->cr2 = value;
		break;
	case 3:
		/* The bits below the address are ignored, not reserved: they read back as written. */
		if (!control_cr3_allowed(cpu, value))
			return raise_error(cpu, in, VEC_GP, 0);
		old = cpu->cr3;
		note_write(cpu, in, 3, old, value);
		cpu_set_cr3(cpu, value);
		break;
	case 4:
		if (value & ~CR4_WRITABLE || !control_mode_allowed(cpu, cpu->cr0, value))
			return raise_error(cpu, in, VEC_GP, 0);
		old = cpu->cr4;
		note_write(cpu, in, 4, old, value);
		cpu_set_cr4(cpu, value);
		break;
	}
	written(cpu, in, WROTE_CR, in->reg, old, value);
	return finish(cpu, in);
}

enum exec op_lmsw_Ew(struct cpu *cpu, const struct insn *in)
{
	struct ref src;
	uint32_t low;

	TRY(ring0_only(cpu, in));
	TRY(open_rm(cpu, in, 2, OPEN_READ, &src));
	TRY(alone_when_heard(cpu, in));
	/* PE can be set here but not cleared. */
	low = (ref_get16(cpu, &src) & (CR0_PE | CR0_MP | CR0_EM | CR0_TS)) | (cpu->cr0 & CR0_PE);
	return write_cr0(cpu, in, (cpu->cr0 & ~(CR0_PE | CR0_MP | CR0_EM | CR0_TS)) | low);
}

enum exec op_smsw_Ew(struct cpu *cpu, const struct insn *in)
{
	struct ref dst;

	if (in->mod == 3 && in->opsize == 4) {
		cpu->r[in->rm] = cpu->cr0;
		NEXT(cpu, in);
	}
	TRY(open_rm(cpu, in, 2, OPEN_WRITE, &dst));
	ref_set16(cpu, &dst, (uint16_t)cpu->cr0);
	NEXT(cpu, in);
}

enum exec op_clts(struct cpu *cpu, const struct insn *in)
{
	uint32_t old = cpu->cr0;

	TRY(ring0_only(cpu, in));
	TRY(alone_when_heard(cpu, in));
	cpu->cr0 &= ~CR0_TS;
	written(cpu, in, WROTE_CR, 0, old, cpu->cr0);
	NEXT(cpu, in);
}

enum exec op_invlpg_M(struct cpu *cpu, const struct insn *in)
{
	TRY(ring0_only(cpu, in));
	TRY(alone_when_heard(cpu, in));
	mmu_invlpg(cpu->mmu, cpu->seg[in->seg].base + effective_address(cpu, in));
	return finish(cpu, in);
}

enum exec op_invd(struct cpu *cpu, const struct insn *in)
{
	TRY(ring0_only(cpu, in));
	NEXT(cpu, in);
}

enum exec op_wbinvd(struct cpu *cpu, const struct insn *in) { return op_invd(cpu, in); }

/* --- debug registers ------------------------------------------------------------------------------------------ */

/* DR4 and DR5 are other names of DR6 and DR7, unless CR4.DE makes them undefined. DR7.GD guards them all. */
static enum exec debug_register(struct cpu *cpu, const struct insn *in, unsigned *n)
{
	*n = in->reg;
	if (*n == 4 || *n == 5) {
		if (cpu->cr4 & CR4_DE)
			return raise_fault(cpu, in, VEC_UD);
		*n += 2;
	}
	TRY(ring0_only(cpu, in));
	if (cpu->dr[7] & DR7_GD) {
		cpu->fault = (struct fault) { .vector = VEC_DB, .dr6 = DR6_BD };
		cpu->insn = in;
		return EXEC_FAULT;
	}
	return EXEC_OK;
}

enum exec op_mov_Rd_Dd(struct cpu *cpu, const struct insn *in)
{
	unsigned n = 0;

	TRY(debug_register(cpu, in, &n));
	cpu->r[in->rm] = cpu->dr[n];
	NEXT(cpu, in);
}

enum exec op_mov_Dd_Rd(struct cpu *cpu, const struct insn *in)
{
	unsigned n = 0;
	uint32_t value = cpu->r[in->rm];

	TRY(debug_register(cpu, in, &n));
	TRY(alone_when_heard(cpu, in));
	if (n == 6)
		value = (value & DR6_WRITABLE) | DR6_ONES;
	if (n == 7)
		value = (value & DR7_WRITABLE) | DR7_ONES;
	uint32_t old = cpu->dr[n];
	cpu->dr[n] = value;
	segment_update_all(cpu);       /* watched data goes the slow way */
	cpu->attention = true;
	written(cpu, in, WROTE_DR, n, old, value);
	return finish(cpu, in);
}

/* --- GDTR and IDTR -------------------------------------------------------------------------------------------- */

static enum exec load_table(struct cpu *cpu, const struct insn *in, struct table_register *t)
{
	uint32_t ea = effective_address(cpu, in);
	struct ref limit, base;

	TRY(ring0_only(cpu, in));
	TRY(open_mem(cpu, in, in->seg, ea, 2, OPEN_READ, &limit));
	TRY(open_mem(cpu, in, in->seg, ea + 2, 4, OPEN_READ, &base));
	t->limit = ref_get16(cpu, &limit);
	t->base = ref_get32(cpu, &base) & (in->opsize == 2 ? 0x00ffffff : 0xffffffff);
	NEXT(cpu, in);
}

/* With 16-bit operands the top byte of the base is stored as 0, as on all processors since the 386. */
static enum exec store_table(struct cpu *cpu, const struct insn *in, const struct table_register *t)
{
	uint32_t ea = effective_address(cpu, in);
	struct ref limit, base;

	TRY(open_mem(cpu, in, in->seg, ea, 2, OPEN_WRITE, &limit));
	TRY(open_mem(cpu, in, in->seg, ea + 2, 4, OPEN_WRITE, &base));
	ref_set16(cpu, &limit, t->limit);
	ref_set32(cpu, &base, t->base & (in->opsize == 2 ? 0x00ffffff : 0xffffffff));
	NEXT(cpu, in);
}

enum exec op_lgdt_Ms(struct cpu *cpu, const struct insn *in) { return load_table(cpu, in, &cpu->gdtr); }
enum exec op_lidt_Ms(struct cpu *cpu, const struct insn *in) { return load_table(cpu, in, &cpu->idtr); }
enum exec op_sgdt_Ms(struct cpu *cpu, const struct insn *in) { return store_table(cpu, in, &cpu->gdtr); }
enum exec op_sidt_Ms(struct cpu *cpu, const struct insn *in) { return store_table(cpu, in, &cpu->idtr); }
