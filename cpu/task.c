/* cpu/task.c: the hardware task switch.
 *
 *   fields from `first`, `step` bytes apart         32-bit TSS (first 32, step 4)   16-bit TSS (first 14, step 2)
 *   0 EIP, 1 EFLAGS, 2..9 EAX..EDI, 10.. ES CS SS DS [FS GS], LDTR.     CR3 at 28, T flag at 100 in the 32-bit TSS only.
 *
 *   old task |  1 selector and descriptor of the new TSS, 2 both TSSs opened            faults here: nothing has happened
 *            |  3 save registers, busy bits, back link
 *   new task |  4 TR, CR3, registers; 5 LDTR, CS, SS, data segments; 6 error code       faults here belong to the new task
 *
 * Simplified: PDPTEs of the new task with reserved bits raise #GP(0) in the new task, which keeps those of the old one;
 * the manual says what happens for MOV only.
 * Within step 5 every check of a register comes before the next register, in the order LDTR, CS, SS, DS, ES, FS, GS.
 * References: [SDM3A 7.2.1 "Task-State Segment (TSS)"], [SDM3A 7.3 "Task Switching"] table 7-1, [SDM3A 7.4 "Task Linking"],
 * [SDM3A 4.4.1 "PDPTE Registers"].
 */
#include "cpu/system.h"

#define TASK_FIELDS 16             /* what a switch saves: EIP .. GS */
#define DR7_LOCAL 0x155u           /* L0..L3, LE */

struct task_layout { unsigned first, step, segments, min_limit; };

static const struct task_layout layout16 = { 14, 2, 4, 0x2b }, layout32 = { 32, 4, 6, 0x67 };

struct task_switch {
	enum task_cause cause;
	unsigned ext;
	bool push_error;
	uint32_t error, eip, flags;        /* flags and EIP to save */
	uint16_t selector;
	struct descriptor d;
	const struct task_layout *old, *new;
	struct ref save[TASK_FIELDS], old_busy, new_busy, link;
	struct ref source[TASK_FIELDS + 1], source_cr3, source_trap;
	uint32_t field[TASK_FIELDS + 1];   /* the new task's, LDTR after the segments */
	uint32_t cr3, trap;
	bool bad_pdptes;                   /* of the new CR3 */
	uint32_t cr0_before, cr3_before, dr7_before, instruction;      /* for watchers */
};

static bool nests(const struct task_switch *t) { return t->cause == TASK_CALL || t->cause == TASK_GATE; }
static bool wide(const struct task_layout *l) { return l == &layout32; }

/* --- 1, 2: in the old task ------------------------------------------------------------------------------------ */

static enum exec check_tss(struct cpu *cpu, const struct insn *in, struct task_switch *t)
{
	enum vector v = t->cause == TASK_IRET ? VEC_TS : VEC_GP;
	unsigned type;
	bool busy;

	if (t->selector & 4 || selector_null(t->selector))
		return raise_error(cpu, in, v, selector_error(t->selector, t->ext));
	TRY(fetch_descriptor(cpu, in, t->selector, v, t->ext, &t->d));
	type = desc_system(&t->d);
	busy = type & TSS_BUSY;
	if ((type & ~(8u | TSS_BUSY)) != SYS_TSS16 || busy != (t->cause == TASK_IRET))
		return raise_error(cpu, in, v, selector_error(t->selector, t->ext));
	if (!desc_present(&t->d))
		return raise_error(cpu, in, VEC_NP, selector_error(t->selector, t->ext));
	t->new = type & 8 ? &layout32 : &layout16;
	if (desc_limit(&t->d) < t->new->min_limit)
		return raise_error(cpu, in, VEC_TS, selector_error(t->selector, t->ext));
	return EXEC_OK;
}

static enum exec open_old(struct cpu *cpu, const struct insn *in, struct task_switch *t)
{
	const struct segment *tr = &cpu->seg[SEG_TR];

	t->old = tr->access & 8 ? &layout32 : &layout16;
	if (!tr->access || tr->limit < t->old->min_limit)
		return raise_error(cpu, in, VEC_TS, selector_error(tr->selector, t->ext));
	for (unsigned i = 0; i < 10 + t->old->segments; i++)
		TRY(open_linear(cpu, in, tr->base + t->old->first + i * t->old->step, i < 10 ? t->old->step : 2, OPEN_WRITE, false, &t->save[i]));
	if (!nests(t))
		TRY(open_linear(cpu, in, cpu->gdtr.base + (tr->selector & 0xfff8u) + 5, 1, OPEN_RW, false, &t->old_busy));
	return EXEC_OK;
}

static enum exec open_new(struct cpu *cpu, const struct insn *in, struct task_switch *t)
{
	laddr_t base = desc_base(&t->d);

	for (unsigned i = 0; i < 10 + t->new->segments + 1; i++)
		TRY(open_linear(cpu, in, base + t->new->first + i * t->new->step, i < 10 ? t->new->step : 2, OPEN_READ, false, &t->source[i]));
	if (wide(t->new)) {
		TRY(open_linear(cpu, in, base + 28, 4, OPEN_READ, false, &t->source_cr3));
		TRY(open_linear(cpu, in, base + 100, 2, OPEN_READ, false, &t->source_trap));
	}
	if (nests(t))
		TRY(open_linear(cpu, in, base, 2, OPEN_WRITE, false, &t->link));
	if (t->cause != TASK_IRET)
		TRY(open_linear(cpu, in, t->d.la + 5, 1, OPEN_RW, false, &t->new_busy));
	return EXEC_OK;
}

/* --- 3: the point of no return -------------------------------------------------------------------------------- */

static void save_field(struct cpu *cpu, struct task_switch *t, unsigned i, uint32_t value)
{
	if (i < 10 && wide(t->old))
		ref_set32(cpu, &t->save[i], value);
	else
		ref_set16(cpu, &t->save[i], (uint16_t)value);
}

/* After the old state has been saved: a task may return to itself, or the two TSSs may overlap. */
static void read_new(struct cpu *cpu, struct task_switch *t)
{
	for (unsigned i = 0; i < 10 + t->new->segments + 1; i++)
		t->field[i] = i < 10 && wide(t->new) ? ref_get32(cpu, &t->source[i]) : ref_get16(cpu, &t->source[i]);
	if (wide(t->new)) {
		t->cr3 = ref_get32(cpu, &t->source_cr3);
		t->trap = ref_get16(cpu, &t->source_trap);
	}
}

static void save_old(struct cpu *cpu, struct task_switch *t)
{
	save_field(cpu, t, 0, t->eip);
	save_field(cpu, t, 1, t->cause == TASK_IRET ? t->flags & ~F_NT : t->flags);
	for (unsigned i = 0; i < 8; i++)
		save_field(cpu, t, 2 + i, cpu->r[i]);
	for (unsigned i = 0; i < t->old->segments; i++)
		save_field(cpu, t, 10 + i, cpu->seg[i].selector);
	if (nests(t))
		ref_set16(cpu, &t->link, cpu->seg[SEG_TR].selector);
	else
		ref_set8(cpu, &t->old_busy, ref_get8(cpu, &t->old_busy) & ~TSS_BUSY);
	if (t->cause != TASK_IRET)
		ref_set8(cpu, &t->new_busy, ref_get8(cpu, &t->new_busy) | TSS_BUSY);
}

/* --- 4: registers --------------------------------------------------------------------------------------------- */

static void load_registers(struct cpu *cpu, struct task_switch *t)
{
	uint32_t high = wide(t->new) ? 0 : 0xffff0000u;
	uint32_t defined = wide(t->new) ? 0x003f7fd5u : 0x7fd5u;

	cpu->seg[SEG_TR] = (struct segment) {
		.selector = t->selector, .access = desc_access(&t->d) | TSS_BUSY, .flags = t->d.hi >> 20 & 15,
		.base = desc_base(&t->d), .limit = desc_limit(&t->d),
	};
	t->cr0_before = cpu->cr0;
	t->cr3_before = cpu->cr3;
	t->dr7_before = cpu->dr[7];
	cpu->cr0 |= CR0_TS;
	cpu->dr[7] &= ~DR7_LOCAL;
	if (wide(t->new) && cpu->cr0 & CR0_PG && t->cr3 != cpu->cr3) {
		t->bad_pdptes = !control_cr3_allowed(cpu, t->cr3);
		cpu_set_cr3(cpu, t->cr3);
	}
	cpu->eip = t->field[0];
	cpu_set_eflags(cpu, (t->field[1] & defined) | (nests(t) ? F_NT : 0) | F_ONE);
	for (unsigned i = 0; i < 8; i++)
		cpu->r[i] = t->field[2 + i] | high;
	/* Every segment has its new selector now, and holds nothing until its descriptor has passed. */
	for (unsigned i = 0; i < 6; i++)
		segment_load_null(cpu, i, i < t->new->segments ? (uint16_t)t->field[10 + i] : 0);
	segment_load_null(cpu, SEG_LDTR, (uint16_t)t->field[10 + t->new->segments]);
	cpu_set_cpl(cpu, v86_mode(cpu) ? 3 : cpu->seg[SEG_CS].selector & 3);
	cpu->attention = true;
}

static void tell_written(struct cpu *cpu, const struct task_switch *t, unsigned kind, uint32_t number, uint32_t old, uint32_t value)
{
	if (old != value)
		control_written(cpu, &(struct register_write) {
			.kind = kind, .number = number, .old = old, .value = value, .eip = t->instruction,
		});
}

/* What the switch has changed of the registers that are watched. */
static void tell_registers(struct cpu *cpu, const struct task_switch *t)
{
	tell_written(cpu, t, WROTE_CR, 0, t->cr0_before, cpu->cr0);
	tell_written(cpu, t, WROTE_CR, 3, t->cr3_before, cpu->cr3);
	tell_written(cpu, t, WROTE_DR, 7, t->dr7_before, cpu->dr[7]);
}

/* --- 5: segments, in the new task ----------------------------------------------------------------------------- */

static enum exec ts(struct cpu *cpu, const struct insn *in, uint16_t selector, unsigned ext)
{
	return raise_error(cpu, in, VEC_TS, selector_error(selector, ext));
}

static enum exec load_ldtr(struct cpu *cpu, const struct insn *in, unsigned ext)
{
	uint16_t selector = cpu->seg[SEG_LDTR].selector;
	struct descriptor d;

	if (selector_null(selector))
		return EXEC_OK;
	if (selector & 4)
		return ts(cpu, in, selector, ext);
	TRY(fetch_descriptor(cpu, in, selector, VEC_TS, ext, &d));
	if (desc_system(&d) != SYS_LDT || !desc_present(&d))
		return ts(cpu, in, selector, ext);
	cpu->seg[SEG_LDTR] = (struct segment) {
		.selector = selector, .access = desc_access(&d), .flags = d.hi >> 20 & 15, .base = desc_base(&d), .limit = desc_limit(&d),
	};
	return EXEC_OK;
}

static enum exec install(struct cpu *cpu, const struct insn *in, unsigned seg, const struct descriptor *d)
{
	struct segment_load load;

	TRY(segment_open(cpu, in, d, cpu->seg[seg].selector, &load));
	segment_commit(cpu, seg, &load);
	return EXEC_OK;
}

static enum exec load_cs(struct cpu *cpu, const struct insn *in, unsigned ext)
{
	uint16_t selector = cpu->seg[SEG_CS].selector;
	struct descriptor d;

	if (selector_null(selector))
		return ts(cpu, in, selector, ext);
	TRY(fetch_descriptor(cpu, in, selector, VEC_TS, ext, &d));
	if (!desc_code(&d) || (desc_conforming(&d) ? desc_dpl(&d) > cpu->cpl : desc_dpl(&d) != cpu->cpl))
		return ts(cpu, in, selector, ext);
	if (!desc_present(&d))
		return raise_error(cpu, in, VEC_NP, selector_error(selector, ext));
	return install(cpu, in, SEG_CS, &d);
}

static enum exec load_ss(struct cpu *cpu, const struct insn *in, unsigned ext)
{
	uint16_t selector = cpu->seg[SEG_SS].selector;
	struct descriptor d;

	if (selector_null(selector))
		return ts(cpu, in, selector, ext);
	TRY(fetch_descriptor(cpu, in, selector, VEC_TS, ext, &d));
	if (!desc_stack(&d) || desc_dpl(&d) != cpu->cpl || (selector & 3) != cpu->cpl)
		return ts(cpu, in, selector, ext);
	if (!desc_present(&d))
		return raise_error(cpu, in, VEC_SS, selector_error(selector, ext));
	return install(cpu, in, SEG_SS, &d);
}

static enum exec load_data(struct cpu *cpu, const struct insn *in, unsigned seg, unsigned ext)
{
	uint16_t selector = cpu->seg[seg].selector;
	struct descriptor d;

	if (selector_null(selector))
		return EXEC_OK;
	TRY(fetch_descriptor(cpu, in, selector, VEC_TS, ext, &d));
	if (!data_loadable(cpu, &d, selector))
		return ts(cpu, in, selector, ext);
	if (!desc_present(&d))
		return raise_error(cpu, in, VEC_NP, selector_error(selector, ext));
	return install(cpu, in, seg, &d);
}

static enum exec load_segments(struct cpu *cpu, const struct insn *in, unsigned ext)
{
	static const uint8_t data[] = { SEG_DS, SEG_ES, SEG_FS, SEG_GS };

	if (v86_mode(cpu)) {
		for (unsigned i = 0; i < 6; i++)
			segment_load_v86(cpu, i, cpu->seg[i].selector);
		return load_ldtr(cpu, in, ext);
	}
	TRY(load_ldtr(cpu, in, ext));
	TRY(load_cs(cpu, in, ext));
	TRY(load_ss(cpu, in, ext));
	for (unsigned i = 0; i < sizeof(data); i++)
		TRY(load_data(cpu, in, data[i], ext));
	return EXEC_OK;
}

/* --- the whole ------------------------------------------------------------------------------------------------ */

static enum exec finish_switch(struct cpu *cpu, const struct insn *in, struct task_switch *t)
{
	struct frame f;

	if (t->bad_pdptes)
		return raise_error(cpu, in, VEC_GP, 0);
	TRY(load_segments(cpu, in, t->ext));
	if (t->push_error) {
		TRY(frame_room(cpu, in, &cpu->seg[SEG_SS], cpu->r[R_ESP], 1, t->new->step, t->ext, &f));
		TRY(frame_open(cpu, in, cpu->cpl == 3, &f));
		frame_push(&f, t->error);
		frame_commit(cpu, &f);
		cpu->r[R_ESP] = f.esp;
	}
	if (t->trap & 1)
		cpu->pending_dr6 |= DR6_BT;
	return EXEC_OK;
}

enum exec task_enter(struct cpu *cpu, const struct insn *in, const struct task_event *e, bool *switched)
{
	struct task_switch t = {
		.cause = e->cause, .ext = e->ext, .push_error = e->push_error, .error = e->error,
		.eip = e->eip, .flags = e->flags, .selector = e->selector,
		.instruction = e->cause == TASK_GATE ? e->eip : insn_eip(cpu, in),
	};
	bool single = cpu->single;
	enum exec result;

	TRY(alone_when_heard(cpu, in));
	TRY(check_tss(cpu, in, &t));
	TRY(open_old(cpu, in, &t));
	TRY(open_new(cpu, in, &t));

	save_old(cpu, &t);
	read_new(cpu, &t);
	load_registers(cpu, &t);
	*switched = true;
	/* Too late to be run again: whatever is touched now is touched here. */
	cpu->single = true;
	tell_registers(cpu, &t);
	result = finish_switch(cpu, in, &t);
	cpu->single = single;
	return result;
}

enum exec switch_task(struct cpu *cpu, const struct insn *in, uint16_t tss_selector, enum task_cause cause)
{
	struct task_event e = {
		.selector = tss_selector, .cause = cause, .eip = insn_next_eip(cpu, in), .flags = cpu_eflags(cpu),
	};
	bool switched = false;
	enum exec result = task_enter(cpu, in, &e, &switched);

	if (!switched)
		return result;
	/* The switch has happened; a fault after it is the new task's, at its first instruction. */
	if (result == EXEC_FAULT)
		deliver_event(cpu, cpu->fault, EVENT_EXCEPTION, cpu->eip);
	return EXEC_STOP;
}
