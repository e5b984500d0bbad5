/* cpu/op_far.c: instructions that leave the code segment: far JMP, CALL, RET, INT, IRET, SYSENTER, SYSEXIT.
 *
 * Handlers only fetch operands; transfer.c, return.c and exception.c do the work. Each sets EIP itself.
 * References: [SDM2A] "CALL", "INT n/INTO/INT 3", "IRET/IRETD", "JMP", [SDM2B] "RET", "SYSENTER", "SYSEXIT".
 */
#include "cpu/system.h"
#include "cpu/ops.h"

/* The far pointer in memory: offset, then selector. */
static enum exec read_far_pointer(struct cpu *cpu, const struct insn *in, uint16_t *selector, uint32_t *offset)
{
	uint32_t ea = effective_address(cpu, in);
	struct ref off, sel;

	TRY(open_mem(cpu, in, in->seg, ea, in->opsize, OPEN_READ, &off));
	TRY(open_mem(cpu, in, in->seg, ea + in->opsize, 2, OPEN_READ, &sel));
	*offset = in->opsize == 2 ? ref_get16(cpu, &off) : ref_get32(cpu, &off);
	*selector = ref_get16(cpu, &sel);
	return EXEC_OK;
}

enum exec op_jmpf_Ap(struct cpu *cpu, const struct insn *in) { return far_jump(cpu, in, in->imm2, in->imm, in->opsize); }
enum exec op_callf_Ap(struct cpu *cpu, const struct insn *in) { return far_call(cpu, in, in->imm2, in->imm, in->opsize); }

enum exec op_jmpf_Mp(struct cpu *cpu, const struct insn *in)
{
	uint16_t selector = 0;
	uint32_t offset = 0;

	TRY(read_far_pointer(cpu, in, &selector, &offset));
	return far_jump(cpu, in, selector, offset, in->opsize);
}

enum exec op_callf_Mp(struct cpu *cpu, const struct insn *in)
{
	uint16_t selector = 0;
	uint32_t offset = 0;

	TRY(read_far_pointer(cpu, in, &selector, &offset));
	return far_call(cpu, in, selector, offset, in->opsize);
}

enum exec op_retf(struct cpu *cpu, const struct insn *in) { return far_return(cpu, in, in->opsize, 0); }
enum exec op_retf_Iw(struct cpu *cpu, const struct insn *in) { return far_return(cpu, in, in->opsize, (uint16_t)in->imm); }
/* NMIs are blocked no longer, even if it faults: [SDM3A 6.7.1 "Handling Multiple NMIs"], [SDM3C 25.3 "Changes to Instruction Behavior
 * in VMX Non-Root Operation"] "IRET". */
enum exec op_iret(struct cpu *cpu, const struct insn *in)
{
	enum exec result = interrupt_return(cpu, in, in->opsize);

	if (result == EXEC_FAULT)
		cpu->fault.unblocks_nmi = true;        /* with the delivery: until then nothing changes */
	else if (result != EXEC_SINGLE)
		cpu->nmi_blocked = false;
	return result;
}

enum exec op_int_Ib(struct cpu *cpu, const struct insn *in) { return software_interrupt(cpu, in, (uint8_t)in->imm); }
enum exec op_int3(struct cpu *cpu, const struct insn *in) { return software_interrupt(cpu, in, VEC_BP); }
enum exec op_int1(struct cpu *cpu, const struct insn *in) { return software_interrupt(cpu, in, VEC_DB); }

enum exec op_into(struct cpu *cpu, const struct insn *in)
{
	if (cpu_eflags(cpu) & F_OF)
		return software_interrupt(cpu, in, VEC_OF);
	NEXT(cpu, in);
}

enum exec op_ud2(struct cpu *cpu, const struct insn *in) { return raise_fault(cpu, in, VEC_UD); }

/* LDS, LES, LFS, LGS, LSS: the register gets the offset once the selector has been accepted. */
static enum exec load_far_pointer(struct cpu *cpu, const struct insn *in, unsigned seg)
{
	uint16_t selector = 0;
	uint32_t offset = 0;

	TRY(read_far_pointer(cpu, in, &selector, &offset));
	TRY(load_segment(cpu, in, seg, selector));
	if (in->opsize == 2)
		memcpy(&cpu->r[in->reg], &(uint16_t) { (uint16_t)offset }, 2);
	else
		cpu->r[in->reg] = offset;
	NEXT(cpu, in);
}

enum exec op_les_Gv_Mp(struct cpu *cpu, const struct insn *in) { return load_far_pointer(cpu, in, SEG_ES); }
enum exec op_lds_Gv_Mp(struct cpu *cpu, const struct insn *in) { return load_far_pointer(cpu, in, SEG_DS); }
enum exec op_lss_Gv_Mp(struct cpu *cpu, const struct insn *in) { return load_far_pointer(cpu, in, SEG_SS); }
enum exec op_lfs_Gv_Mp(struct cpu *cpu, const struct insn *in) { return load_far_pointer(cpu, in, SEG_FS); }
enum exec op_lgs_Gv_Mp(struct cpu *cpu, const struct insn *in) { return load_far_pointer(cpu, in, SEG_GS); }

/* --- SYSENTER, SYSEXIT: flat segments by definition, no descriptor is read --------------------------------------- */

static void flat_code_and_stack(struct cpu *cpu, uint16_t cs, uint16_t ss, unsigned cpl)
{
	uint8_t dpl = (uint8_t)(cpl << 5);

	cpu->seg[SEG_CS] = (struct segment) {
		.selector = cs, .access = ACC_P | dpl | ACC_S | ACC_CODE | ACC_RW | ACC_ACCESSED, .flags = SEG_FLAG_G | SEG_FLAG_DB, .limit = 0xffffffff,
	};
	cpu->seg[SEG_SS] = (struct segment) {
		.selector = ss, .access = ACC_P | dpl | ACC_S | ACC_RW | ACC_ACCESSED, .flags = SEG_FLAG_G | SEG_FLAG_DB, .limit = 0xffffffff,
	};
	cpu_set_cpl(cpu, (uint8_t)cpl);
	segment_update(cpu, SEG_CS);
	segment_update(cpu, SEG_SS);
}

enum exec op_sysenter(struct cpu *cpu, const struct insn *in)
{
	uint16_t cs = cpu->sysenter_cs & 0xfffc;

	if (!protected_mode(cpu) || !cs)
		return raise_error(cpu, in, VEC_GP, 0);
	cpu->eflags &= ~(F_VM | F_IF | F_RF);
	flat_code_and_stack(cpu, cs, cs + 8, 0);
	cpu->r[R_ESP] = cpu->sysenter_esp;
	cpu->eip = cpu->sysenter_eip;
	return EXEC_STOP;
}

enum exec op_sysexit(struct cpu *cpu, const struct insn *in)
{
	uint16_t cs = cpu->sysenter_cs & 0xfffc;

	if (!protected_mode(cpu) || cpu->cpl != 0 || !cs)
		return raise_error(cpu, in, VEC_GP, 0);
	flat_code_and_stack(cpu, (cs + 16) | 3, (cs + 24) | 3, 3);
	cpu->r[R_ESP] = cpu->r[R_ECX];
	cpu->eip = cpu->r[R_EDX];
	return EXEC_STOP;
}
