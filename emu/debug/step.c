/* emu/debug/step.c: steps forwards.
 *
 *   step   one instruction. A fault enters its handler: that is what people want to see. An interrupt that is accepted instead of the instruction runs to its
 *          end, and the instruction then is executed (step_into_interrupts: its handler is entered)
 *   over   the same; a call, INT n or repeated string instruction runs until it has come back, a fault's handler until the instruction
 *          was resumed and has completed
 *   out    until the current function has returned: to after the first RET or IRET above the stack pointer of now. Calls on the way, and
 *          handlers of whatever happens, run at full speed
 *
 * All of them meet breakpoints on the way. "It came back" means the same place with the same CR3, stack pointer and privilege.
 */
#include "emu/debug/going.h"
#include "emu/debug/insn_kind.h"

static struct goal goal_here(const struct debugger *d)
{
	const struct cpu *cpu = &d->m->cpu;

	return (struct goal){ .la = debugger_pc(d), .cr3 = cpu->cr3, .esp = cpu->r[R_ESP], .cpl = cpu->cpl };
}

bool step_to_goal(struct debugger *d, const struct goal *goal)
{
	struct go_state *g = d->going;
	enum run_end end;

	g->goal = *goal;
	g->goal.on = true;
	break_arm(d);
	do {
		end = go_run(d, UINT64_MAX);
		if (end == RUN_HIT && !go_report(d))
			end = g->goal.reached ? RUN_GOAL : RUN_TICKS;
	} while (end == RUN_TICKS);
	g->goal = (struct goal){ 0 };
	return end != RUN_GOAL;
}

/* Until one more instruction, or delivery, has been counted. */
static bool count_one(struct debugger *d)
{
	uint64_t icount = cpu_icount(&d->m->cpu);

	d->going->delivered = false;
	while (cpu_icount(&d->m->cpu) == icount) {
		enum run_end end = go_run_until(d, icount + 1);
		if (end == RUN_HIT && !go_report(d))
			continue;
		d->going->reached_present = end == RUN_PRESENT;
		if (end != RUN_TICKS && (end != RUN_PRESENT || cpu_icount(&d->m->cpu) == icount))
			return true;
	}
	break_settle(d, true);
	return d->going->notes && go_report(d);
}

static const struct fault_record *last_event(const struct go_state *g)
{
	return &g->interrupted[(g->interrupteds - 1) % INTERRUPTED];
}

bool step_one(struct debugger *d, bool through)
{
	for (;;) {
		struct goal here = goal_here(d);
		bool due = interrupt_due(&d->m->cpu) || d->m->cpu.halted;
		if (count_one(d))
			return true;
		if (!d->going->delivered)
			return false;
		/* INT n is what was stepped, and leads into its handler. */
		bool interrupt = last_event(d->going)->external && due && !d->step_into_interrupts;
		bool fault = !last_event(d->going)->external && through;
		if (!interrupt && !fault)
			return false;
		if (step_to_goal(d, &here))
			return true;
	}
}

bool step_over(struct debugger *d)
{
	enum insn_kind kind = insn_kind_next(d);
	struct goal goal = goal_here(d);

	if (kind != INSN_CALL && kind != INSN_TRAP && kind != INSN_REPEATED)
		return step_one(d, true);
	goal.la += insn_length(d, goal.la);
	goal.above = kind == INSN_CALL;
	return step_to_goal(d, &goal);
}

/* --- out ----------------------------------------------------------------------------------------------------------------- */

static bool leaves(const struct debugger *d, enum insn_kind kind)
{
	return (kind == INSN_RETURN || kind == INSN_IRET) && d->m->cpu.r[R_ESP] >= d->going->out_esp;
}

/* Stops before each instruction that step_out() treats in its own way. */
static void on_instruction(void *owner, struct machine *m)
{
	struct debugger *d = owner;
	struct go_state *g = d->going;
	enum insn_kind kind = insn_kind_next(d);

	g->out_base = m->cpu.seg[SEG_CS].base;
	g->out_cpl = m->cpu.cpl;
	if (machine_now(m) == g->skip_tick || (kind != INSN_CALL && kind != INSN_TRAP && !leaves(d, kind)))
		return;
	g->goal.reached = true;
	machine_stop_soon(m);
}

/* Runs instruction by instruction up to one that matters, or into a handler; from there, back to what was interrupted. */
static bool watch_instructions(struct debugger *d)
{
	struct go_state *g = d->going;
	enum run_end end;

	g->instructions = (struct observer){ .name = "step out", .owner = d, .instruction = on_instruction };
	break_arm(d);
	machine_observe(d->m, &g->instructions);
	g->delivered = false;
	g->stop_at_delivery = true;
	do {
		end = go_run(d, UINT64_MAX);
		if (end == RUN_HIT && !go_report(d))
			end = g->goal.reached ? RUN_GOAL : RUN_TICKS;
	} while (end == RUN_TICKS);
	g->stop_at_delivery = g->goal.reached = false;
	machine_unobserve(d->m, &g->instructions);
	if (end != RUN_GOAL || !g->delivered)
		return end != RUN_GOAL;
	const struct fault_record *r = last_event(g);
	return step_to_goal(d, &(struct goal){ .la = g->out_base + r->eip, .cr3 = r->cr3, .esp = r->esp, .cpl = g->out_cpl });
}

void step_out(struct debugger *d)
{
	d->going->out_esp = d->m->cpu.r[R_ESP];
	for (;;) {
		enum insn_kind kind = insn_kind_next(d);
		if (leaves(d, kind)) {
			if (!step_one(d, true))
				go_stop(d, STOP_STEP, NULL);
			return;
		}
		if (kind == INSN_CALL || kind == INSN_TRAP) {
			if (step_over(d))
				return;
		} else if (watch_instructions(d)) {
			return;
		}
	}
}
