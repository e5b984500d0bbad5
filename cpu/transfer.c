/* cpu/transfer.c: far JMP and CALL: direct, through call gates, to tasks.
 *
 *   call gate  hi | offset 31:16 | P DPL 0 type | 000 count |      frame of a call inward, from the top:
 *              lo | selector     | offset 15:0             |      SS, ESP, parameters, CS, EIP
 *
 * Each function checks in the order of the manual's pseudocode, opens what it will write, then commits.
 * References: [SDM2A] "CALL", "JMP", [SDM3A 5.8 "Privilege Level Checking When Transferring Program Control Between Code
 * Segments"].
 */
#include "cpu/system.h"

enum exec branch_check(struct cpu *cpu, const struct insn *in, uint32_t eip)
{
	if (eip > cpu->seg[SEG_CS].limit)
		return raise_error(cpu, in, VEC_GP, 0);
	cpu->eip = eip;
	return EXEC_OK;
}

/* --- real and virtual-8086 mode ------------------------------------------------------------------------------- */

static bool real_style(const struct cpu *cpu) { return !protected_mode(cpu) || v86_mode(cpu); }

static void commit_real_code(struct cpu *cpu, uint16_t selector, uint32_t eip)
{
	if (v86_mode(cpu))
		segment_load_v86(cpu, SEG_CS, selector);
	else
		segment_load_real(cpu, SEG_CS, selector);
	cpu->eip = eip;
}

static enum exec real_jump(struct cpu *cpu, const struct insn *in, uint16_t selector, uint32_t offset)
{
	if (offset > cpu->seg[SEG_CS].limit)
		return raise_error(cpu, in, VEC_GP, 0);
	commit_real_code(cpu, selector, offset);
	return EXEC_OK;
}

static enum exec real_call(struct cpu *cpu, const struct insn *in, uint16_t selector, uint32_t offset, unsigned opsize)
{
	struct frame f;

	TRY(frame_room(cpu, in, &cpu->seg[SEG_SS], cpu->r[R_ESP], 2, opsize, 0, &f));
	if (offset > cpu->seg[SEG_CS].limit)
		return raise_error(cpu, in, VEC_GP, 0);
	TRY(frame_open(cpu, in, cpu->cpl == 3, &f));
	frame_push(&f, cpu->seg[SEG_CS].selector);
	frame_push(&f, insn_next_eip(cpu, in));
	frame_commit(cpu, &f);
	cpu->r[R_ESP] = f.esp;
	commit_real_code(cpu, selector, offset);
	return EXEC_OK;
}

/* --- protected mode ------------------------------------------------------------------------------------------- */

/* A code segment named directly: the same privilege, or conforming and at least as privileged. */
static enum exec check_direct(struct cpu *cpu, const struct insn *in, const struct descriptor *d, uint16_t selector)
{
	bool ok = desc_conforming(d) ? desc_dpl(d) <= cpu->cpl : (selector & 3u) <= cpu->cpl && desc_dpl(d) == cpu->cpl;

	if (!ok)
		return raise_error(cpu, in, VEC_GP, selector_error(selector, 0));
	if (!desc_present(d))
		return raise_error(cpu, in, VEC_NP, selector_error(selector, 0));
	return EXEC_OK;
}

/* Reads and checks the code segment a call gate names. */
static enum exec gate_target(struct cpu *cpu, const struct insn *in, const struct descriptor *gate, bool call, struct descriptor *d)
{
	uint16_t cs = gate_selector(gate);

	if (selector_null(cs))
		return raise_error(cpu, in, VEC_GP, 0);
	TRY(read_descriptor(cpu, in, cs, VEC_GP, d));
	if (!desc_code(d) || desc_dpl(d) > cpu->cpl || (!call && !desc_conforming(d) && desc_dpl(d) != cpu->cpl))
		return raise_error(cpu, in, VEC_GP, selector_error(cs, 0));
	if (!desc_present(d))
		return raise_error(cpu, in, VEC_NP, selector_error(cs, 0));
	return EXEC_OK;
}

/* Whether the caller may use a gate at all. */
static enum exec check_gate(struct cpu *cpu, const struct insn *in, const struct descriptor *d, uint16_t selector)
{
	if (desc_dpl(d) < cpu->cpl || desc_dpl(d) < (selector & 3u))
		return raise_error(cpu, in, VEC_GP, selector_error(selector, 0));
	if (!desc_present(d))
		return raise_error(cpu, in, VEC_NP, selector_error(selector, 0));
	return EXEC_OK;
}

static enum exec enter_code(struct cpu *cpu, const struct insn *in, const struct descriptor *d, uint16_t cs, uint32_t eip)
{
	struct segment_load load;

	if (eip > desc_limit(d))
		return raise_error(cpu, in, VEC_GP, 0);
	TRY(segment_open(cpu, in, d, (cs & 0xfffc) | cpu->cpl, &load));
	commit_code(cpu, &load, cpu->cpl);
	cpu->eip = eip;
	return EXEC_OK;
}

/* A TSS or a task gate; what the TSS descriptor itself must be is checked with the switch. */
static enum exec far_task(struct cpu *cpu, const struct insn *in, const struct descriptor *d, uint16_t selector, enum task_cause cause)
{
	uint16_t tss = selector;

	if (desc_system(d) == SYS_TASK_GATE) {
		TRY(check_gate(cpu, in, d, selector));
		tss = gate_selector(d);
	} else if (desc_dpl(d) < cpu->cpl || desc_dpl(d) < (selector & 3u)) {
		return raise_error(cpu, in, VEC_GP, selector_error(selector, 0));
	}
	return switch_task(cpu, in, tss, cause);
}

static bool is_task(const struct descriptor *d)
{
	unsigned type = desc_system(d);

	return type == SYS_TASK_GATE || type == SYS_TSS16 || type == SYS_TSS32 || type == SYS_TSS16_BUSY || type == SYS_TSS32_BUSY;
}

static bool is_call_gate(const struct descriptor *d) { return desc_system(d) == SYS_CALL16 || desc_system(d) == SYS_CALL32; }

enum exec far_jump(struct cpu *cpu, const struct insn *in, uint16_t selector, uint32_t offset, unsigned opsize)
{
	struct descriptor d, code;

	if (opsize == 2)
		offset &= 0xffff;
	if (real_style(cpu))
		return real_jump(cpu, in, selector, offset);
	if (selector_null(selector))
		return raise_error(cpu, in, VEC_GP, 0);
	TRY(read_descriptor(cpu, in, selector, VEC_GP, &d));
	if (desc_code(&d)) {
		TRY(check_direct(cpu, in, &d, selector));
		return enter_code(cpu, in, &d, selector, offset);
	}
	if (is_call_gate(&d)) {
		TRY(check_gate(cpu, in, &d, selector));
		TRY(gate_target(cpu, in, &d, false, &code));
		return enter_code(cpu, in, &code, gate_selector(&d), gate_offset(&d));
	}
	if (is_task(&d))
		return far_task(cpu, in, &d, selector, TASK_JUMP);
	return raise_error(cpu, in, VEC_GP, selector_error(selector, 0));
}

/* A call that stays at this privilege level. */
static enum exec call_same(struct cpu *cpu, const struct insn *in, const struct descriptor *d, uint16_t cs, uint32_t eip, unsigned opsize)
{
	struct frame f;
	struct segment_load load;

	TRY(frame_room(cpu, in, &cpu->seg[SEG_SS], cpu->r[R_ESP], 2, opsize, 0, &f));
	if (eip > desc_limit(d))
		return raise_error(cpu, in, VEC_GP, 0);
	TRY(frame_open(cpu, in, cpu->cpl == 3, &f));
	TRY(segment_open(cpu, in, d, (cs & 0xfffc) | cpu->cpl, &load));
	frame_push(&f, cpu->seg[SEG_CS].selector);
	frame_push(&f, insn_next_eip(cpu, in));
	frame_commit(cpu, &f);
	cpu->r[R_ESP] = f.esp;
	commit_code(cpu, &load, cpu->cpl);
	cpu->eip = eip;
	return EXEC_OK;
}

/* A call through a gate to a more privileged ring: its own stack, onto which the parameters are copied. */
static enum exec call_inner(struct cpu *cpu, const struct insn *in, const struct descriptor *gate, const struct descriptor *d)
{
	unsigned cpl = desc_dpl(d), size = desc_system(gate) == SYS_CALL32 ? 4 : 2, count = gate->hi & 31;
	uint32_t esp, parameter[31];
	struct segment_load ss, cs;
	struct frame f;

	TRY(inner_stack(cpu, in, cpl, 0, &ss, &esp));
	TRY(frame_room(cpu, in, &ss.s, esp, count + 4, size, selector_error(ss.s.selector, 0), &f));
	if (gate_offset(gate) > desc_limit(d))
		return raise_error(cpu, in, VEC_GP, 0);
	TRY(frame_open(cpu, in, false, &f));
	for (unsigned i = 0; i < count; i++)
		TRY(pop_read(cpu, in, (int32_t)(i * size), size, &parameter[i]));
	TRY(segment_open(cpu, in, d, (gate_selector(gate) & 0xfffc) | cpl, &cs));

	frame_push(&f, cpu->seg[SEG_SS].selector);
	frame_push(&f, cpu->r[R_ESP]);
	for (unsigned i = count; i-- > 0; )
		frame_push(&f, parameter[i]);
	frame_push(&f, cpu->seg[SEG_CS].selector);
	frame_push(&f, insn_next_eip(cpu, in));
	frame_commit(cpu, &f);
	commit_code(cpu, &cs, cpl);
	cpu->r[R_ESP] = esp_in(&ss.s, cpu->r[R_ESP], f.esp);
	segment_commit(cpu, SEG_SS, &ss);
	cpu->eip = gate_offset(gate);
	return EXEC_OK;
}

static enum exec call_gate(struct cpu *cpu, const struct insn *in, const struct descriptor *gate, uint16_t selector)
{
	struct descriptor d;

	TRY(check_gate(cpu, in, gate, selector));
	TRY(gate_target(cpu, in, gate, true, &d));
	if (!desc_conforming(&d) && desc_dpl(&d) < cpu->cpl)
		return call_inner(cpu, in, gate, &d);
	return call_same(cpu, in, &d, gate_selector(gate), gate_offset(gate), desc_system(gate) == SYS_CALL32 ? 4 : 2);
}

enum exec far_call(struct cpu *cpu, const struct insn *in, uint16_t selector, uint32_t offset, unsigned opsize)
{
	struct descriptor d;

	if (opsize == 2)
		offset &= 0xffff;
	if (real_style(cpu))
		return real_call(cpu, in, selector, offset, opsize);
	if (selector_null(selector))
		return raise_error(cpu, in, VEC_GP, 0);
	TRY(read_descriptor(cpu, in, selector, VEC_GP, &d));
	if (desc_code(&d)) {
		TRY(check_direct(cpu, in, &d, selector));
		return call_same(cpu, in, &d, selector, offset, opsize);
	}
	if (is_call_gate(&d))
		return call_gate(cpu, in, &d, selector);
	if (is_task(&d))
		return far_task(cpu, in, &d, selector, TASK_CALL);
	return raise_error(cpu, in, VEC_GP, selector_error(selector, 0));
}
