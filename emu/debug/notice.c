/* emu/debug/notice.c: noticing that a breakpoint's event happens; going.h draws it.
 *
 * A callback decides at once what can only be decided there (before an instruction, before a delivery). For the rest it leaves a note and asks
 * for a stop, and break_settle() looks at the condition when the instruction is complete (settle.c).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/insn.h"
#include "emu/debug/arm.h"
#include "emu/debug/expr.h"
#include "emu/report.h"

static struct go_state *state_of(void *owner) { return ((struct debugger *)owner)->going; }

/* A condition that cannot be evaluated stops: better once too often than in silence. */
bool break_holds(struct debugger *d, const struct breakpoint *b, const struct note *about)
{
	char err[ERROR_LINE];
	uint64_t value;

	if (!b->condition)
		return true;
	d->going->about = about;
	bool yes = expr_eval(d, b->condition, &value, err) || value;
	d->going->about = NULL;
	return yes;
}

/* At most one note of a breakpoint for each boundary: its first. */
struct note *break_leave_note(struct debugger *d, const struct breakpoint *b)
{
	struct go_state *g = d->going;

	for (unsigned i = 0; i < g->notes; i++)
		if (g->note[i].id == b->id)
			return NULL;
	if (g->notes == NOTES)
		return NULL;
	if (g->running)
		machine_stop_soon(d->m);
	g->note[g->notes] = (struct note){ .id = b->id };
	return &g->note[g->notes++];
}

/* --- before an instruction ---------------------------------------------------------------------------------------------- */

static bool on_guarded(void *owner, struct machine *m, uint32_t vpn, uint32_t frame)
{
	struct debugger *d = owner;

	(void)m;
	if (d->going->goal.on && vpn == d->going->goal.la >> PAGE_SHIFT)
		return true;
	for (const struct breakpoint *b = d->breaks; b; b = b->next)
		if (b->enabled && b->kind == BREAK_EXECUTE && b->address >> PAGE_SHIFT == (b->space == SPACE_PHYSICAL ? frame : vpn))
			return true;
	return false;
}

/* The physical address of the next instruction: by the TLB if it is there, as the fetch will find it. */
static bool fetch_address(const struct machine *m, uint32_t pc, paddr_t *pa)
{
	const struct tlb_entry *e = mmu_tlb_probe(&m->mmu, pc);

	if (!e)
		return mmu_peek(&m->mmu, pc, pa);
	*pa = (paddr_t)e->frame << PAGE_SHIFT | (pc & PG_OFFSET);
	return true;
}

static bool is_at(const struct debugger *d, const struct breakpoint *b, uint32_t pc)
{
	paddr_t pa;

	switch (b->space) {
	case SPACE_LINEAR:
		return b->address == pc;
	case SPACE_VIRTUAL:
		return b->address == pc && same_space(&d->m->cpu, b->cr3);
	case SPACE_PHYSICAL:
		return !((b->address ^ pc) & PG_OFFSET) && fetch_address(d->m, pc, &pa) && pa == b->address;
	}
	return false;
}

void break_note_execution(struct debugger *d)
{
	uint32_t pc = debugger_pc(d);

	if (d->m->cpu.repeating)
		return;
	for (const struct breakpoint *b = d->breaks; b; b = b->next)
		if (b->enabled && b->kind == BREAK_EXECUTE && is_at(d, b, pc) && break_holds(d, b, NULL))
			break_leave_note(d, b);
}

static bool goal_reached(const struct debugger *d)
{
	const struct goal *goal = &d->going->goal;
	const struct cpu *cpu = &d->m->cpu;

	if (!goal->on || debugger_pc(d) != goal->la || cpu->repeating)
		return false;
	if (goal->anywhere)
		return true;
	return cpu->cpl == goal->cpl && same_space(cpu, goal->cr3) &&
	       (cpu->r[R_ESP] == goal->esp || (goal->above && cpu->r[R_ESP] - goal->esp < 0x10000));
}

static void on_alone(void *owner, struct machine *m)
{
	struct debugger *d = owner;
	struct go_state *g = d->going;

	if (machine_now(m) == g->skip_tick)
		return;
	break_note_execution(d);
	if (goal_reached(d)) {
		g->goal.reached = true;
		machine_stop_soon(m);
	}
}

bool interrupt_due(const struct cpu *cpu)
{
	if (cpu->pending_dr6 && !cpu->shadow_debug)
		return true;
	if (cpu->shadow || cpu->shadow_debug)
		return false;
	return (cpu->nmi_pending && !cpu->nmi_blocked) || (cpu->intr && cpu->eflags & F_IF);
}

uint64_t break_next_limit(const struct debugger *d, uint64_t icount)
{
	uint64_t limit = d->going->limit;

	for (const struct breakpoint *b = d->breaks; b; b = b->next)
		if (b->enabled && b->kind == BREAK_COUNT && b->address > icount && b->address < limit)
			limit = b->address;
	return limit;
}

/* --- during an instruction ---------------------------------------------------------------------------------------------- */

static uint32_t current_insn(const struct cpu *cpu)
{
	return cpu->single && cpu->insn ? cpu->page_eip + cpu->insn->offset : cpu->eip;
}

static bool wants(const struct breakpoint *b, const struct phys_access *access)
{
	return b->kind == BREAK_ACCESS || b->kind == (access->write ? BREAK_WRITE : BREAK_READ);
}

static bool touches_entry(const struct arm *a, const struct phys_access *access)
{
	for (unsigned i = 0; i < a->map.levels; i++)
		if (access->pa < a->map.addr[i] + 8 && a->map.addr[i] < access->pa + access->len)
			return true;
	return false;
}

static void touch(struct debugger *d, struct arm *a)
{
	a->touched = true;
	machine_stop_soon(d->m);
}

static void on_accessed(void *owner, struct machine *m, const struct phys_access *access)
{
	struct debugger *d = owner;

	for (struct arm *a = d->going->arms; a; a = a->next) {
		struct note found = { 0 }, *n;
		if (!a->copy) {
			if (access->write && access->by != BY_WALK && touches_entry(a, access))
				touch(d, a);
		} else if (wants(a->b, access) && arm_touches(d, a, access, &found) && (n = break_leave_note(d, a->b))) {
			n->access = *access;
			n->la = found.la;
			n->insn_eip = current_insn(&m->cpu);
		}
	}
}

static void on_walked(void *owner, struct machine *m, const struct walk *w)
{
	(void)m;
	arm_walked(owner, w);
}

static void on_tlb_changed(void *owner, struct machine *m, const struct tlb_entry *old, const struct tlb_entry *new)
{
	struct debugger *d = owner;
	uint32_t vpn = old ? old->vpn : new->vpn;

	(void)m;
	for (struct arm *a = d->going->arms; a; a = a->next)
		if (!a->copy && a->b->address >> PAGE_SHIFT == vpn)
			touch(d, a);
}

static void on_port(void *owner, struct machine *m, uint16_t port, unsigned size, bool write, uint32_t value)
{
	struct debugger *d = owner;
	struct note *n;

	(void)write;
	for (const struct breakpoint *b = d->breaks; b; b = b->next) {
		if (!b->enabled || b->kind != BREAK_PORT || port >= b->address + b->length || b->address >= port + size || !(n = break_leave_note(d, b)))
			continue;
		n->la = port;
		n->access = (struct phys_access){ .len = size, .write = write };
		n->value = value;
		n->insn_eip = current_insn(&m->cpu);
	}
}

static bool wants_register(const struct breakpoint *b, const struct register_write *w)
{
	if (w->kind == WROTE_MSR)
		return b->kind == BREAK_MSR && b->address == w->number;
	if (w->kind != WROTE_CR)
		return false;
	if (b->kind == BREAK_SPACE && w->number == 3)
		return b->any ? w->old != w->value : !((b->address ^ w->value) & 0xffffffe0u & (b->address & 0xfe0 ? ~0u : PG_FRAME));
	return b->kind == BREAK_CONTROL && b->address == w->number;
}

static void on_control(void *owner, struct machine *m, const struct register_write *w)
{
	struct debugger *d = owner;
	struct note *n;

	(void)m;
	if (w->kind == WROTE_CR && w->number == 3) {
		d->going->cr3_written = true;
		for (struct arm *a = d->going->arms; a; a = a->next)
			if (!a->copy)
				touch(d, a);
	}
	for (const struct breakpoint *b = d->breaks; b; b = b->next) {
		if (!b->enabled || !wants_register(b, w) || !(n = break_leave_note(d, b)))
			continue;
		n->la = w->number;
		n->old_value = w->old;
		n->value = w->value;
		n->insn_eip = w->eip;
	}
}

/* --- events ------------------------------------------------------------------------------------------------------------- */

static bool wants_exception(const struct breakpoint *b, const struct fault_record *r)
{
	if (b->kind != BREAK_EXCEPTION || (b->vector >= 0 && b->vector != r->fault.vector))
		return false;
	if (b->error_mask && (!r->fault.has_error || (r->fault.error & b->error_mask) != b->error_value))
		return false;
	return !b->length || (r->fault.vector == VEC_PF && r->fault.cr2 - (uint32_t)b->address < b->length);
}

/* Never stops the delivery: half an instruction has been executed here. */
static bool on_exception(void *owner, struct machine *m, const struct fault_record *r)
{
	struct debugger *d = owner;
	struct note *n;

	if (machine_now(m) == d->going->skip_exception_tick)
		return false;
	for (const struct breakpoint *b = d->breaks; b; b = b->next) {
		struct note found = { .id = b->id, .exception = true, .fault = *r, .insn_eip = r->eip };
		if (b->enabled && wants_exception(b, r) && break_holds(d, b, &found) && (n = break_leave_note(d, b)))
			*n = found;
	}
	return false;
}

/* A double fault's handler is not meant to go back to what faulted, nor do traps. */
static bool can_be_resumed(const struct fault_record *r)
{
	unsigned v = r->fault.vector;

	return v != VEC_DF && v != VEC_MC && v != VEC_BP && v != VEC_OF && v != VEC_DB;
}

static void remember(struct go_state *g, const struct fault_record *r)
{
	g->interrupted[g->interrupteds++ % INTERRUPTED] = *r;
}

static void on_delivered(void *owner, struct machine *m, const struct fault_record *r)
{
	struct debugger *d = owner;
	struct go_state *g = state_of(owner);
	struct note *n;

	remember(g, r);
	g->delivered = true;
	if (g->stop_at_delivery) {
		g->goal.reached = true;
		machine_stop_soon(m);
	}
	if (!r->external)
		return;
	for (const struct breakpoint *b = d->breaks; b; b = b->next) {
		if (!b->enabled || b->kind != BREAK_INTERRUPT || (b->vector >= 0 && b->vector != r->fault.vector) || !(n = break_leave_note(d, b)))
			continue;
		n->fault = *r;
		n->insn_eip = r->eip;
	}
}

/* What an IRET has just come back to, if it was interrupted by an exception: the most recent event there decides. */
static const struct fault_record *resumed(const struct go_state *g, const struct cpu *cpu)
{
	unsigned kept = g->interrupteds < INTERRUPTED ? g->interrupteds : INTERRUPTED;

	for (unsigned i = 1; i <= kept; i++) {
		const struct fault_record *r = &g->interrupted[(g->interrupteds - i) % INTERRUPTED];
		if (r->cs == cpu->seg[SEG_CS].selector && r->eip == cpu->eip && r->esp == cpu->r[R_ESP] && same_space(cpu, r->cr3))
			return r->external || !can_be_resumed(r) ? NULL : r;
	}
	return NULL;
}

static void on_iret(void *owner, struct machine *m)
{
	struct debugger *d = owner;
	const struct fault_record *r = resumed(d->going, &m->cpu);
	uint32_t pc = debugger_pc(d);
	struct note *n;

	if (!r)
		return;
	for (const struct breakpoint *b = d->breaks; b; b = b->next) {
		if (!b->enabled || b->kind != BREAK_RESUME || (b->length && pc - (uint32_t)b->address >= b->length))
			continue;
		if (b->length && b->space == SPACE_VIRTUAL && !same_space(&m->cpu, b->cr3))
			continue;
		if ((n = break_leave_note(d, b))) {
			n->fault = *r;
			n->insn_eip = r->eip;
		}
	}
}

/* --- arming -------------------------------------------------------------------------------------------------------------- */

static bool any(const struct debugger *d, enum break_kind first, enum break_kind last)
{
	for (const struct breakpoint *b = d->breaks; b; b = b->next)
		if (b->enabled && b->kind >= first && b->kind <= last)
			return true;
	return false;
}

/* Only what somebody waits for is listened to: the rest costs nothing. */
static void choose_callbacks(struct debugger *d)
{
	bool memory = any(d, BREAK_READ, BREAK_ACCESS), mapping = any(d, BREAK_MAPPING, BREAK_MAPPING), resume = any(d, BREAK_RESUME, BREAK_RESUME);
	bool code = any(d, BREAK_EXECUTE, BREAK_EXECUTE) || d->going->goal.on;

	d->observer = (struct observer){
		.name = "debugger", .owner = d, .even_quiet = true,
		.guarded = code ? on_guarded : NULL,
		.alone = code ? on_alone : NULL,
		.accessed = memory || mapping ? on_accessed : NULL,
		.walked = memory ? on_walked : NULL,
		.tlb_changed = mapping ? on_tlb_changed : NULL,
		.port = any(d, BREAK_PORT, BREAK_PORT) ? on_port : NULL,
		.control = mapping || any(d, BREAK_MSR, BREAK_CONTROL) || any(d, BREAK_SPACE, BREAK_SPACE) ? on_control : NULL,
		.exception = any(d, BREAK_EXCEPTION, BREAK_EXCEPTION) ? on_exception : NULL,
		.delivered = on_delivered,
		.iret = resume ? on_iret : NULL,
	};
}

/* Faults from before this run may be resumed in it: the processor remembers the last few. */
static void recall_faults(struct debugger *d)
{
	const struct cpu *cpu = &d->m->cpu;
	unsigned kept = cpu->fault_count < FAULT_HISTORY ? cpu->fault_count : FAULT_HISTORY;

	d->going->interrupteds = 0;
	for (unsigned i = kept; i; i--)
		remember(d->going, &cpu->faults[(cpu->fault_count - i) % FAULT_HISTORY]);
}

void break_arm(struct debugger *d)
{
	struct go_state *g = d->going;

	if (g->armed)
		break_disarm(d);
	g->notes = 0;
	g->cr3_written = false;
	g->goal.reached = false;
	recall_faults(d);
	choose_callbacks(d);
	machine_observe(d->m, &d->observer);
	arm_all(d);
	g->armed = true;
}

void break_disarm(struct debugger *d)
{
	struct go_state *g = d->going;

	if (!g->armed)
		return;
	arm_none(d);
	machine_unobserve(d->m, &d->observer);
	g->armed = false;
}
