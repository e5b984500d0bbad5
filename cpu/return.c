/* cpu/return.c: far RET and IRET.
 *
 *   from the top of the stack     RET: EIP CS [ESP SS]     IRET: EIP CS EFLAGS [ESP SS [ES DS FS GS]]
 *                                      outward only              outward, or to virtual-8086 mode
 *
 * References: [SDM2B] "RET", [SDM2A] "IRET/IRETD", [SDM3B 20.2 "Virtual-8086 Mode"].
 */
#include "cpu/system.h"

/* What a return will install, gathered before anything is stored. */
struct returning {
	struct segment_load cs, ss;
	uint32_t eip, esp;         /* esp: outward only */
	unsigned cpl;
	bool outward;
};

static enum exec gp(struct cpu *cpu, const struct insn *in, uint16_t selector)
{
	return raise_error(cpu, in, VEC_GP, selector_error(selector, 0));
}

/* The stack segment of an outward return: it must fit the privilege returned to. */
static enum exec return_stack(struct cpu *cpu, const struct insn *in, uint16_t ss, unsigned cpl, struct descriptor *d)
{
	if (selector_null(ss))
		return gp(cpu, in, 0);
	TRY(read_descriptor(cpu, in, ss, VEC_GP, d));
	if ((ss & 3u) != cpl || !desc_stack(d) || desc_dpl(d) != cpl)
		return gp(cpu, in, ss);
	if (!desc_present(d))
		return raise_error(cpu, in, VEC_SS, selector_error(ss, 0));
	return EXEC_OK;
}

static enum exec return_code(struct cpu *cpu, const struct insn *in, uint16_t cs, struct descriptor *d)
{
	if (selector_null(cs))
		return gp(cpu, in, 0);
	TRY(read_descriptor(cpu, in, cs, VEC_GP, d));
	if (!desc_code(d) || (cs & 3u) < cpu->cpl)
		return gp(cpu, in, cs);
	if (desc_conforming(d) ? desc_dpl(d) > (cs & 3u) : desc_dpl(d) != (cs & 3u))
		return gp(cpu, in, cs);
	if (!desc_present(d))
		return raise_error(cpu, in, VEC_NP, selector_error(cs, 0));
	return EXEC_OK;
}

/* Checks and opens a return to eip and cs; an outward one finds ESP and SS at stack_at above ESP. */
static enum exec return_open(struct cpu *cpu, const struct insn *in, uint32_t eip, uint16_t cs, int32_t stack_at, unsigned opsize, struct returning *to)
{
	struct descriptor code, stack;
	uint32_t ss = 0;

	TRY(return_code(cpu, in, cs, &code));
	to->eip = eip;
	to->cpl = cs & 3;
	to->outward = to->cpl > cpu->cpl;
	if (to->outward) {
		TRY(pop_read(cpu, in, stack_at, opsize, &to->esp));
		TRY(pop_read(cpu, in, stack_at + (int32_t)opsize, opsize, &ss));
		TRY(return_stack(cpu, in, (uint16_t)ss, to->cpl, &stack));
	}
	if (eip > desc_limit(&code))
		return gp(cpu, in, 0);
	TRY(segment_open(cpu, in, &code, cs, &to->cs));
	if (to->outward)
		TRY(segment_open(cpu, in, &stack, (uint16_t)ss, &to->ss));
	return EXEC_OK;
}

/* popped: bytes to take off this stack; release: what RET n takes off the stack returned to as well. */
static void return_commit(struct cpu *cpu, struct returning *to, int32_t popped, uint16_t release)
{
	commit_code(cpu, &to->cs, to->cpl);
	cpu->eip = to->eip;
	if (!to->outward) {
		cpu->r[R_ESP] = stack_moved(cpu, cpu->r[R_ESP], popped + release);
		return;
	}
	cpu->r[R_ESP] = esp_plus(&to->ss.s, esp_in(&to->ss.s, cpu->r[R_ESP], to->esp), release);
	segment_commit(cpu, SEG_SS, &to->ss);
	segment_drop_inner(cpu, SEG_ES);
	segment_drop_inner(cpu, SEG_DS);
	segment_drop_inner(cpu, SEG_FS);
	segment_drop_inner(cpu, SEG_GS);
}

static enum exec real_return(struct cpu *cpu, const struct insn *in, uint16_t cs, uint32_t eip)
{
	if (eip > cpu->seg[SEG_CS].limit)
		return gp(cpu, in, 0);
	if (v86_mode(cpu))
		segment_load_v86(cpu, SEG_CS, cs);
	else
		segment_load_real(cpu, SEG_CS, cs);
	cpu->eip = eip;
	return EXEC_OK;
}

enum exec far_return(struct cpu *cpu, const struct insn *in, unsigned opsize, uint16_t release)
{
	uint32_t eip, cs;
	int32_t popped = 2 * (int32_t)opsize;
	struct returning to;

	TRY(pop_read(cpu, in, 0, opsize, &eip));
	TRY(pop_read(cpu, in, (int32_t)opsize, opsize, &cs));
	if (!protected_mode(cpu) || v86_mode(cpu)) {
		TRY(real_return(cpu, in, (uint16_t)cs, eip));
		cpu->r[R_ESP] = stack_moved(cpu, cpu->r[R_ESP], popped + release);
		return EXEC_OK;
	}
	TRY(return_open(cpu, in, eip, (uint16_t)cs, popped + release, opsize, &to));
	return_commit(cpu, &to, popped, release);
	return EXEC_OK;
}

/* --- IRET ----------------------------------------------------------------------------------------------------- */

/* The flags IRET may change: [SDM2A] "IRET/IRETD", by operand size and the privilege before the return. */
static uint32_t iret_mask(const struct cpu *cpu, unsigned opsize)
{
	uint32_t mask = F_ARITH | F_TF | F_DF | F_NT;

	if (opsize == 4)
		mask |= F_RF | F_AC | F_ID;
	if (cpu->cpl <= iopl(cpu))
		mask |= F_IF;
	if (cpu->cpl == 0)
		mask |= F_IOPL | (opsize == 4 ? F_VIF | F_VIP : 0);
	return mask;
}

static void iret_done(struct cpu *cpu, uint32_t flags, uint32_t mask)
{
	cpu_set_eflags(cpu, (cpu_eflags(cpu) & ~mask) | (flags & mask));
	flags_changed(cpu);
	if (cpu->watch.iret)
		cpu->watch.iret(cpu->watch.owner, cpu);
}

static enum exec real_iret(struct cpu *cpu, const struct insn *in, const uint32_t *top, unsigned opsize)
{
	uint32_t mask = iret_mask(cpu, opsize);
	bool virtual = v86_mode(cpu) && virtual_if(cpu);

	if (virtual)
		TRY(virtual_flags_check(cpu, in, top[2]));
	TRY(real_return(cpu, in, (uint16_t)top[1], top[0]));
	cpu->r[R_ESP] = stack_moved(cpu, cpu->r[R_ESP], 3 * (int32_t)opsize);
	if (virtual) {
		virtual_flags_load(cpu, top[2]);
		mask = 0;
	}
	/* In virtual-8086 mode IOPL, VIP and VIF stay; CPL 3 has already kept them out of the mask. */
	iret_done(cpu, top[2], mask & ~(F_VIF | F_VIP));
	return EXEC_STOP;
}

/* IRETD at CPL 0 with VM set in the popped flags. */
static enum exec iret_to_v86(struct cpu *cpu, const struct insn *in, const uint32_t *top)
{
	static const uint8_t order[] = { SEG_SS, SEG_ES, SEG_DS, SEG_FS, SEG_GS };
	uint32_t esp, selector[sizeof(order)];

	TRY(pop_read(cpu, in, 12, 4, &esp));
	for (unsigned i = 0; i < sizeof(order); i++)
		TRY(pop_read(cpu, in, 16 + 4 * (int32_t)i, 4, &selector[i]));
	if (top[0] > 0xffff)
		return gp(cpu, in, 0);
	cpu_set_eflags(cpu, (top[2] & (F_ARITH | F_TF | F_IF | F_DF | F_IOPL | F_NT | F_RF | F_VM | F_AC | F_VIF | F_VIP | F_ID)) | F_ONE);
	cpu_set_cpl(cpu, 3);
	segment_load_v86(cpu, SEG_CS, (uint16_t)top[1]);
	for (unsigned i = 0; i < sizeof(order); i++)
		segment_load_v86(cpu, order[i], (uint16_t)selector[i]);
	cpu->r[R_ESP] = esp;
	cpu->eip = top[0];
	iret_done(cpu, 0, 0);
	return EXEC_STOP;
}

/* NT is set: back to the task whose selector this TSS's link field holds. */
static enum exec iret_to_task(struct cpu *cpu, const struct insn *in)
{
	uint32_t link;

	if (cpu->seg[SEG_TR].limit < 1)
		return raise_error(cpu, in, VEC_TS, selector_error(cpu->seg[SEG_TR].selector, 0));
	TRY(linear_read(cpu, in, cpu->seg[SEG_TR].base, 2, &link));
	return switch_task(cpu, in, (uint16_t)link, TASK_IRET);
}

enum exec interrupt_return(struct cpu *cpu, const struct insn *in, unsigned opsize)
{
	uint32_t top[3], mask = iret_mask(cpu, opsize);
	struct returning to;

	if (v86_mode(cpu) && iopl(cpu) < 3 && !(virtual_if(cpu) && opsize == 2))
		return gp(cpu, in, 0);
	if (protected_mode(cpu) && !v86_mode(cpu) && cpu->eflags & F_NT)
		return iret_to_task(cpu, in);
	for (unsigned i = 0; i < 3; i++)
		TRY(pop_read(cpu, in, (int32_t)(i * opsize), opsize, &top[i]));
	if (!protected_mode(cpu) || v86_mode(cpu))
		return real_iret(cpu, in, top, opsize);
	if (opsize == 4 && top[2] & F_VM && cpu->cpl == 0)
		return iret_to_v86(cpu, in, top);
	TRY(return_open(cpu, in, top[0], (uint16_t)top[1], 3 * (int32_t)opsize, opsize, &to));
	return_commit(cpu, &to, 3 * (int32_t)opsize, 0);
	iret_done(cpu, top[2], mask);
	return EXEC_STOP;
}
