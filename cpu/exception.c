/* cpu/exception.c: from an event to the first instruction of its handler.
 *
 *   vector -> IDT[vector] -> gate -> code segment -> stack of that ring (TSS) -> frame -> CS:EIP
 *
 *   frame, from the top:   [GS FS DS ES]  [SS ESP]  EFLAGS CS EIP [error code]
 *                          from V86 mode  from an outer ring
 *   error code             | index (selector or vector) | TI | IDT | EXT |
 *
 * A fault while an event is being delivered is delivered instead, or becomes a double fault, or shuts the processor down:
 *
 *   first \ second     benign     contributory   page fault
 *   benign             second     second         second
 *   contributory       second     #DF            second
 *   page fault         second     #DF            #DF
 *   double fault       second     shutdown       shutdown
 *
 * References: [SDM3A 6.12 "Exception and Interrupt Handling"], [SDM3A 6.13 "Error Code"], [SDM3A 6.15 "Exception and
 * Interrupt Reference"] table 6-5, [SDM2A] "INT n/INTO/INT 3", [SDM3B 17.3.1.1 "Instruction-Breakpoint Exception
 * Condition"], [SDM3B 20.1.4 "Interrupt and Exception Handling"].
 */
#include "cpu/system.h"

#define ERROR_IDT 2u

static enum exec raise(struct cpu *cpu, const struct insn *in, struct fault f)
{
	cpu->fault = f;
	cpu->insn = in;
	return EXEC_FAULT;
}

enum exec raise_fault(struct cpu *cpu, const struct insn *in, enum vector v)
{
	return raise(cpu, in, (struct fault) { .vector = v });
}

enum exec raise_error(struct cpu *cpu, const struct insn *in, enum vector v, uint32_t error)
{
	return raise(cpu, in, (struct fault) { .vector = v, .has_error = true, .error = error });
}

enum exec raise_page_fault(struct cpu *cpu, const struct insn *in, laddr_t la)
{
	return raise(cpu, in, (struct fault) { .vector = VEC_PF, .has_error = true, .error = cpu->mmu->last_fault.pf_code, .cr2 = la });
}

/* --- entering a handler --------------------------------------------------------------------------------------- */

/* One delivery in progress. */
struct delivery {
	uint8_t vector;
	bool software;             /* INT n, INT3, INTO: the gate's DPL counts, EXT is 0 */
	unsigned ext;
	bool has_error;
	uint32_t error, eip, flags;        /* what to push */
	struct descriptor gate, code;
	bool *switched;
};

static uint32_t idt_error(const struct delivery *v) { return v->vector * 8u + ERROR_IDT + v->ext; }

static enum exec enter_real(struct cpu *cpu, const struct insn *in, const struct delivery *v)
{
	uint32_t entry;
	struct frame f;

	if (v->vector * 4u + 3 > cpu->idtr.limit)
		return raise_error(cpu, in, VEC_GP, idt_error(v));
	TRY(linear_read(cpu, in, cpu->idtr.base + v->vector * 4u, 4, &entry));
	TRY(frame_room(cpu, in, &cpu->seg[SEG_SS], cpu->r[R_ESP], 3, 2, 0, &f));
	if ((entry & 0xffff) > cpu->seg[SEG_CS].limit)
		return raise_error(cpu, in, VEC_GP, 0);
	TRY(frame_open(cpu, in, false, &f));
	frame_push(&f, v->flags);
	frame_push(&f, cpu->seg[SEG_CS].selector);
	frame_push(&f, v->eip);
	frame_commit(cpu, &f);
	cpu->r[R_ESP] = f.esp;
	cpu->eflags &= ~(F_IF | F_TF | F_RF | F_AC);
	segment_load_real(cpu, SEG_CS, entry >> 16);
	cpu->eip = entry & 0xffff;
	return EXEC_OK;
}

static enum exec read_gate(struct cpu *cpu, const struct insn *in, struct delivery *v)
{
	struct descriptor *d = &v->gate;
	unsigned type;

	if (v->vector * 8u + 7 > cpu->idtr.limit)
		return raise_error(cpu, in, VEC_GP, idt_error(v));
	d->la = cpu->idtr.base + v->vector * 8u;
	TRY(linear_read(cpu, in, d->la, 4, &d->lo));
	TRY(linear_read(cpu, in, d->la + 4, 4, &d->hi));
	type = desc_system(d);
	if (type != SYS_TASK_GATE && (type & 7) != SYS_INT16 && (type & 7) != SYS_TRAP16)
		return raise_error(cpu, in, VEC_GP, idt_error(v));
	if (v->software && desc_dpl(d) < cpu->cpl)
		return raise_error(cpu, in, VEC_GP, idt_error(v));
	if (!desc_present(d))
		return raise_error(cpu, in, VEC_NP, idt_error(v));
	return EXEC_OK;
}

/* The code segment of an interrupt or trap gate. */
static enum exec read_target(struct cpu *cpu, const struct insn *in, struct delivery *v)
{
	uint16_t cs = gate_selector(&v->gate);
	struct descriptor *d = &v->code;

	if (selector_null(cs))
		return raise_error(cpu, in, VEC_GP, v->ext);
	TRY(fetch_descriptor(cpu, in, cs, VEC_GP, v->ext, d));
	if (!desc_code(d) || desc_dpl(d) > cpu->cpl)
		return raise_error(cpu, in, VEC_GP, selector_error(cs, v->ext));
	if (!desc_present(d))
		return raise_error(cpu, in, VEC_NP, selector_error(cs, v->ext));
	/* Virtual-8086 mode can only be left for ring 0. */
	if (v86_mode(cpu) && (desc_conforming(d) || desc_dpl(d) != 0))
		return raise_error(cpu, in, VEC_GP, selector_error(cs, v->ext));
	return EXEC_OK;
}

static void push_return(struct cpu *cpu, const struct delivery *v, struct frame *f)
{
	frame_push(f, v->flags);
	frame_push(f, cpu->seg[SEG_CS].selector);
	frame_push(f, v->eip);
	if (v->has_error)
		frame_push(f, v->error);
	frame_commit(cpu, f);
}

/* The flags a handler starts with. */
static void enter_flags(struct cpu *cpu, const struct delivery *v)
{
	cpu->eflags &= ~(F_TF | F_VM | F_RF | F_NT | ((desc_system(&v->gate) & 7) == SYS_INT16 ? F_IF : 0));
}

static enum exec enter_same(struct cpu *cpu, const struct insn *in, const struct delivery *v, unsigned size)
{
	struct frame f;
	struct segment_load cs;

	TRY(frame_room(cpu, in, &cpu->seg[SEG_SS], cpu->r[R_ESP], 3 + v->has_error, size, v->ext, &f));
	if (gate_offset(&v->gate) > desc_limit(&v->code))
		return raise_error(cpu, in, VEC_GP, v->ext);
	TRY(frame_open(cpu, in, cpu->cpl == 3, &f));
	TRY(segment_open(cpu, in, &v->code, (gate_selector(&v->gate) & 0xfffc) | cpu->cpl, &cs));
	push_return(cpu, v, &f);
	cpu->r[R_ESP] = f.esp;
	enter_flags(cpu, v);
	commit_code(cpu, &cs, cpu->cpl);
	cpu->eip = gate_offset(&v->gate);
	return EXEC_OK;
}

static void push_v86_segments(struct cpu *cpu, struct frame *f)
{
	static const uint8_t order[] = { SEG_GS, SEG_FS, SEG_DS, SEG_ES };

	for (unsigned i = 0; i < sizeof(order); i++)
		frame_push(f, cpu->seg[order[i]].selector);
}

static enum exec enter_inner(struct cpu *cpu, const struct insn *in, const struct delivery *v, unsigned size)
{
	static const uint8_t cleared[] = { SEG_ES, SEG_DS, SEG_FS, SEG_GS };
	unsigned cpl = desc_dpl(&v->code);
	bool from_v86 = v86_mode(cpu);
	uint32_t esp;
	struct segment_load ss, cs;
	struct frame f;

	TRY(inner_stack(cpu, in, cpl, v->ext, &ss, &esp));
	TRY(frame_room(cpu, in, &ss.s, esp, 5 + v->has_error + (from_v86 ? 4 : 0), size, selector_error(ss.s.selector, v->ext), &f));
	if (gate_offset(&v->gate) > desc_limit(&v->code))
		return raise_error(cpu, in, VEC_GP, v->ext);
	TRY(frame_open(cpu, in, false, &f));
	TRY(segment_open(cpu, in, &v->code, (gate_selector(&v->gate) & 0xfffc) | cpl, &cs));

	if (from_v86)
		push_v86_segments(cpu, &f);
	frame_push(&f, cpu->seg[SEG_SS].selector);
	frame_push(&f, cpu->r[R_ESP]);
	push_return(cpu, v, &f);
	enter_flags(cpu, v);
	commit_code(cpu, &cs, cpl);
	cpu->r[R_ESP] = esp_in(&ss.s, cpu->r[R_ESP], f.esp);
	segment_commit(cpu, SEG_SS, &ss);
	if (from_v86)
		for (unsigned i = 0; i < sizeof(cleared); i++)
			segment_load_null(cpu, cleared[i], 0);
	cpu->eip = gate_offset(&v->gate);
	return EXEC_OK;
}

static enum exec enter_task(struct cpu *cpu, const struct insn *in, const struct delivery *v)
{
	struct task_event e = {
		.selector = gate_selector(&v->gate), .cause = TASK_GATE, .ext = v->ext,
		.push_error = v->has_error, .error = v->error, .eip = v->eip, .flags = v->flags,
	};

	return task_enter(cpu, in, &e, v->switched);
}

static enum exec enter_protected(struct cpu *cpu, const struct insn *in, struct delivery *v)
{
	unsigned size;

	TRY(read_gate(cpu, in, v));
	if (desc_system(&v->gate) == SYS_TASK_GATE)
		return enter_task(cpu, in, v);
	TRY(read_target(cpu, in, v));
	size = desc_system(&v->gate) & 8 ? 4 : 2;
	if (!desc_conforming(&v->code) && desc_dpl(&v->code) < cpu->cpl)
		return enter_inner(cpu, in, v, size);
	return enter_same(cpu, in, v, size);
}

/* Exceptions of the instruction they point at; of the debug exceptions only the access to a guarded debug register is one. */
static bool fault_class(const struct fault *f)
{
	switch (f->vector) {
	case VEC_DB:
		return f->dr6 & DR6_BD;
	case VEC_NMI: case VEC_BP: case VEC_OF: case VEC_DF: case VEC_MC:
		return false;
	default:
		return true;
	}
}

/* Faults set RF in the flags they push, so that an instruction breakpoint does not hit again: [SDM3B 17.3.1.1]. So do
 * interrupts and traps between two iterations of a string instruction. Breakpoints, other traps and aborts push it as it is. */
static bool pushes_resume(const struct cpu *cpu, const struct fault *f, enum event_source source)
{
	if (cpu->repeating && (source == EVENT_HARDWARE || f->vector == VEC_DB))
		return true;
	return source == EVENT_EXCEPTION && fault_class(f);
}

enum exec enter_handler(struct cpu *cpu, const struct insn *in, const struct fault *f, enum event_source source, uint32_t return_eip, bool *switched)
{
	struct delivery v = {
		.vector = f->vector, .software = source == EVENT_SOFTWARE, .ext = source != EVENT_SOFTWARE,
		.has_error = f->has_error, .error = f->error, .eip = return_eip, .flags = cpu_eflags(cpu), .switched = switched,
	};

	if (pushes_resume(cpu, f, source))
		v.flags |= F_RF;
	return protected_mode(cpu) ? enter_protected(cpu, in, &v) : enter_real(cpu, in, &v);
}

/* --- the history ---------------------------------------------------------------------------------------------- */

static void peek_gate(const struct cpu *cpu, uint8_t vector, struct fault_record *r)
{
	unsigned size = protected_mode(cpu) ? 8 : 4;

	r->idt_read = vector * size + size - 1 <= cpu->idtr.limit;
	for (unsigned i = 0; r->idt_read && i < size; i++) {
		paddr_t pa;
		if (!mmu_peek(cpu->mmu, cpu->idtr.base + vector * size + i, &pa))
			r->idt_read = false;
		else
			phys_copy_out(cpu->mmu->phys, pa, &r->idt_entry[i], 1);
	}
}

static void fill_record(const struct cpu *cpu, const struct fault *f, bool external, uint32_t eip, struct fault_record *r)
{
	memset(r, 0, sizeof(*r));
	r->icount = cpu_icount(cpu);
	r->fault = *f;
	r->cs = cpu->seg[SEG_CS].selector;
	r->eip = eip;
	r->ss = cpu->seg[SEG_SS].selector;
	r->esp = cpu->r[R_ESP];
	r->cr3 = cpu->cr3;
	r->external = external;
	if (f->vector == VEC_PF && !external)
		r->walk = cpu->mmu->last_fault;
	peek_gate(cpu, f->vector, r);
}

/* --- events --------------------------------------------------------------------------------------------------- */

enum fault_kind { BENIGN, CONTRIBUTORY, PAGE_FAULT, DOUBLE_FAULT };

static enum fault_kind kind_of(uint8_t vector)
{
	switch (vector) {
	case VEC_DE: case VEC_TS: case VEC_NP: case VEC_SS: case VEC_GP:
		return CONTRIBUTORY;
	case VEC_PF:
		return PAGE_FAULT;
	case VEC_DF:
		return DOUBLE_FAULT;
	default:
		return BENIGN;
	}
}

enum combined { SECOND, DOUBLE, SHUTDOWN };

static enum combined combine(enum fault_kind first, enum fault_kind second)
{
	if (first == BENIGN || second == BENIGN)
		return SECOND;
	if (first == DOUBLE_FAULT)
		return SHUTDOWN;
	return first == CONTRIBUTORY && second == PAGE_FAULT ? SECOND : DOUBLE;
}

/* What the processor itself notes of an exception before it looks for the handler. */
static void note_exception(struct cpu *cpu, const struct fault *f)
{
	if (f->unblocks_nmi) {
		cpu->nmi_blocked = false;
		cpu->attention |= cpu->nmi_pending;
	}
	if (f->vector == VEC_PF)
		cpu->cr2 = f->cr2;
	if (f->vector == VEC_DB) {
		cpu->dr[6] = (cpu->dr[6] & ~DR6_B) | f->dr6;
		cpu->dr[7] &= ~DR7_GD;
		cpu->debug_control &= ~(uint64_t)(DEBUGCTL_LBR | DEBUGCTL_BTF);
	}
}

/* Records an exception and asks the watcher; true: stop instead of delivering. */
static bool record_exception(struct cpu *cpu, const struct fault *f, uint32_t eip, struct fault_record *r)
{
	fill_record(cpu, f, false, eip, r);
	if (cpu->watch.exception && cpu->watch.exception(cpu->watch.owner, cpu, r))
		return true;
	cpu->faults[cpu->fault_count++ % FAULT_HISTORY] = *r;
	return false;
}

static enum exec stop_before(struct cpu *cpu, uint32_t eip)
{
	cpu->eip = eip;
	cpu_request_stop(cpu);
	return EXEC_STOP;
}

static enum exec shut_down(struct cpu *cpu, const struct fault *last, uint32_t eip)
{
	struct fault_record r;

	fill_record(cpu, last, false, eip, &r);
	cpu->faults[cpu->fault_count++ % FAULT_HISTORY] = r;
	note_exception(cpu, last);
	cpu->eip = eip;
	cpu->shutdown = true;
	cpu->attention = true;
	return EXEC_STOP;
}

/* Delivers f and whatever goes wrong on the way. */
static enum exec deliver_chain(struct cpu *cpu, struct fault f, enum event_source source, uint32_t eip)
{
	for (;;) {
		struct fault_record r;
		bool switched = false;
		enum exec result;

		if (source == EVENT_EXCEPTION) {
			if (record_exception(cpu, &f, eip, &r))
				return stop_before(cpu, eip);
			note_exception(cpu, &f);
		} else {
			fill_record(cpu, &f, true, eip, &r);
		}
		result = enter_handler(cpu, cpu->insn, &f, source, eip, &switched);
		if (result != EXEC_FAULT) {
			if (cpu->watch.delivered)
				cpu->watch.delivered(cpu->watch.owner, cpu, &r);
			return EXEC_OK;
		}
		if (switched)
			eip = cpu->eip;
		switch (combine(source == EVENT_EXCEPTION ? kind_of(f.vector) : BENIGN, kind_of(cpu->fault.vector))) {
		case SECOND:
			f = cpu->fault;
			break;
		case DOUBLE:
			/* The second one leaves its own mark (CR2) and a line in the history. */
			record_exception(cpu, &cpu->fault, eip, &r);
			note_exception(cpu, &cpu->fault);
			f = (struct fault) { .vector = VEC_DF, .has_error = true };
			break;
		case SHUTDOWN:
			return shut_down(cpu, &cpu->fault, eip);
		}
		source = EVENT_EXCEPTION;
	}
}

enum exec deliver_event(struct cpu *cpu, struct fault f, enum event_source source, uint32_t return_eip)
{
	bool single = cpu->single;
	enum exec result;

	/* Between instructions there is no block to leave: descriptors and stacks may be anywhere. */
	cpu->single = true;
	/* An instruction that faulted has touched nothing: what it would have hit counts when it runs again. */
	if (source == EVENT_EXCEPTION && fault_class(&f))
		cpu->pending_dr6 &= DR6_BT;
	cpu->halted = false;
	result = deliver_chain(cpu, f, source, return_eip);
	cpu->single = single;
	if (result == EXEC_OK)         /* what the instruction before held off is over too */
		cpu->repeating = cpu->shadow = cpu->shadow_debug = false;
	return result;
}

/* --- software interrupts -------------------------------------------------------------------------------------- */

enum exec software_interrupt(struct cpu *cpu, const struct insn *in, uint8_t vector)
{
	enum event_source source = in->opcode == 0xf1 ? EVENT_ICEBP : EVENT_SOFTWARE;
	struct fault f = { .vector = vector };
	struct fault_record r;
	bool switched = false, redirected = false;
	enum exec result;

	if (cpu->watch.delivered)
		fill_record(cpu, &f, true, insn_next_eip(cpu, in), &r);
	/* INT n is sensitive to IOPL and VME in virtual-8086 mode; INT3, INTO and INT1 are not. */
	if (in->opcode == 0xcd && v86_mode(cpu))
		TRY(redirect_interrupt(cpu, in, vector, &redirected));
	result = redirected ? EXEC_OK : enter_handler(cpu, in, &f, source, insn_next_eip(cpu, in), &switched);
	if (result == EXEC_FAULT && switched) {
		deliver_event(cpu, cpu->fault, EVENT_EXCEPTION, cpu->eip);
		return EXEC_STOP;
	}
	if (result == EXEC_FAULT || result == EXEC_SINGLE)
		return result;
	if (cpu->watch.delivered)
		cpu->watch.delivered(cpu->watch.owner, cpu, &r);
	return EXEC_STOP;
}
