/* cpu/run.c: the loop.
 *
 *   boundary:  attention?  -> traps, NMI, interrupt, halt, stop
 *   block:     charge its instructions to icount, run it; give back what an early exit did not execute
 *   alone:     when the budget is shorter than the block, something wants to see each instruction (here, or anywhere), or the block said
 *              EXEC_SINGLE: fetch, decode and run one instruction with cpu->single set
 *
 * How a program is cut into blocks is nothing the guest can notice: an instruction has the same effect in a block and alone.
 * A modelled TLB counts each fetch, so there everything runs alone.
 *
 * References: [SDM3B 17.4.3 "Single-Stepping on Branches"], [SDM3A 6.9 "Priority Among Simultaneous Exceptions and Interrupts"], [SDM3B 17.3.1.1
 * "Instruction-Breakpoint Exception Condition"], [SDM3A 6.8.3 "Masking Exceptions and Interrupts When Switching Stacks"].
 */
#include "cpu/code.h"
#include "cpu/system.h"

/* --- inside blocks ------------------------------------------------------------------------------------------------ */

enum exec code_block_end(struct cpu *cpu, const struct insn *in)
{
	cpu->eip = cpu->page_eip + in->offset;
	return EXEC_STOP;
}

#ifdef CPU_TAIL_CALLS
/* Charges a block and runs it. The caller has checked attention. */
static inline enum exec block_enter(struct cpu *cpu, const struct block *b)
{
	cpu->icount += b->count;
	return b->insn->handler(cpu, b->insn);
}

/* Whether the next instruction will be fetched now. Until then its page must not be looked up: that sets Accessed bits. */
static inline bool goes_on(const struct cpu *cpu)
{
	return !(cpu->attention | cpu->single) && cpu->icount < cpu->run_end;
}

enum exec code_branch(struct cpu *cpu, const struct insn *in, uint32_t eip)
{
	uint32_t page_eip = cpu->page_eip;
	struct block *b;

	cpu->eip = eip;
	if (!goes_on(cpu))
		return EXEC_STOP;
	b = code_find(cpu, eip);
	if (!b || cpu->run_end - cpu->icount < b->count)
		return EXEC_STOP;
	/* 16-bit branches wrap at 64 KB, which depends on where the page is mapped: those are not linked. */
	if (insn_table[in->row].props & IP_BRANCH && in->opsize == 4 && cpu->page_eip == page_eip && cpu->seg[SEG_CS].ok & SEG_OK_FETCH)
		((struct insn *)in)->link = b;
	return block_enter(cpu, b);
}

enum exec code_block_continue(struct cpu *cpu, const struct insn *in)
{
	struct block *b;

	cpu->eip = cpu->page_eip + in->offset;
	if (!goes_on(cpu))
		return EXEC_STOP;
	b = code_find(cpu, cpu->eip);
	if (!b || cpu->run_end - cpu->icount < b->count)
		return EXEC_STOP;
	return block_enter(cpu, b);
}

static enum exec run_from(struct cpu *cpu, const struct insn *in)
{
	return in->handler(cpu, in);
}
#else
enum exec code_branch(struct cpu *cpu, const struct insn *in, uint32_t eip)
{
	(void)in;
	cpu->eip = eip;
	return EXEC_STOP;
}

enum exec code_block_continue(struct cpu *cpu, const struct insn *in)
{
	return code_block_end(cpu, in);
}

static enum exec run_from(struct cpu *cpu, const struct insn *in)
{
	enum exec result;

	while ((result = in->handler(cpu, in)) == EXEC_NEXT)
		in++;
	return result;
}
#endif

/* --- one instruction ---------------------------------------------------------------------------------------------- */

/* The fault in cpu->fault happened at eip: it counts as the instruction that did not complete. False: a watcher has stopped
 * before it. That has changed nothing: the instruction will run, and count, again. */
static bool deliver_fault(struct cpu *cpu, uint32_t eip)
{
	cpu->eip = eip;
	if (deliver_event(cpu, cpu->fault, EVENT_EXCEPTION, eip) != EXEC_OK && !cpu->shutdown)
		return false;
	cpu->icount++;
	return true;
}

/* Whether the instruction that was at eip has branched, for BTF. Simplified: a branch to the next instruction counts as none. */
static bool branched(const struct cpu *cpu, const struct insn *in, uint32_t eip)
{
	return !cpu->repeating && cpu->eip != eip + in->len;
}

/* INT n, INT3, INT1 and a taken INTO push TF and clear it: no trap after them. */
static bool software_interrupt_done(const struct insn *in, bool moved_on)
{
	if (insn_table[in->row].map != 1)
		return false;
	return in->opcode == 0xcc || in->opcode == 0xcd || in->opcode == 0xf1 || (in->opcode == 0xce && !moved_on);
}

/* Before the instruction at eip is executed: everything that can be wrong with coming here. */
static enum exec fetch_single(struct cpu *cpu, uint32_t eip)
{
	if (unlikely(debug_armed(cpu)))
		TRY(debug_fetch(cpu, eip));
	if (unlikely(virtual_interrupt_due(cpu)))
		return raise_error(cpu, cpu->insn, VEC_GP, 0);
	return code_fetch(cpu, eip);
}

/* Runs the instruction in scratch. What it found at its start stands again when it has not been executed. */
static enum exec execute_single(struct cpu *cpu, uint32_t eip)
{
	uint32_t resume = cpu->eflags & F_RF;
	bool repeating = cpu->repeating;
	enum exec result;

	/* RF has done its work once the breakpoint has been passed; IRET and a task switch may load it anew. */
	cpu->eflags &= ~F_RF;
	cpu->repeating = false;
	cpu->icount++;
	cpu->single = true;
	result = run_from(cpu, cpu->cache->scratch);
	cpu->single = false;
	if (result == EXEC_FAULT)
		cpu->icount--;
	if (result == EXEC_FAULT || (cpu->halted && cpu->eip == eip)) {
		cpu->eflags |= resume;
		cpu->repeating = repeating;
	}
	return result;
}

/* Tells the watchers of the instruction to come. True: they stop before it. What an attempt to run it in a block has asked for is the
 * stop after it. */
static bool stopped_before(struct cpu *cpu)
{
	bool asked = cpu->stop_requested;

	if (likely(!cpu->watch.instruction && !cpu->watch.alone))
		return false;
	cpu->stop_requested = false;
	if (cpu->watch.instruction)
		cpu->watch.instruction(cpu->watch.owner, cpu);
	if (cpu->watch.alone && !cpu->stop_requested)
		cpu->watch.alone(cpu->watch.owner, cpu);
	if (cpu->stop_requested)
		return true;
	cpu->stop_requested = asked;
	return false;
}

static void run_single(struct cpu *cpu)
{
	const struct insn *in = cpu->cache->scratch;
	uint32_t eip = cpu->eip;
	bool stepping = cpu->eflags & F_TF, shadow = cpu->shadow, shadow_debug = cpu->shadow_debug;

	if (unlikely(stopped_before(cpu)))
		return;
	cpu->shadow = cpu->shadow_debug = false;
	cpu->insn = in;
	if (fetch_single(cpu, eip) != EXEC_OK || execute_single(cpu, eip) == EXEC_FAULT) {
		if (!deliver_fault(cpu, eip)) {
			cpu->shadow = shadow;
			cpu->shadow_debug = shadow_debug;
		}
		return;
	}
	/* Frozen before an x87 instruction: it has not been executed. */
	if (cpu->halted && cpu->eip == eip)
		return;
	if (stepping && cpu->debug_control & DEBUGCTL_BTF)
		stepping = branched(cpu, in, eip);
	if (stepping && !software_interrupt_done(in, cpu->eip == eip + in->len))
		cpu->pending_dr6 |= DR6_BS;
	cpu->attention |= stepping;
}

/* --- boundaries --------------------------------------------------------------------------------------------------- */

/* Reasons to look at every boundary from here on. */
static bool wants_attention(const struct cpu *cpu)
{
	return cpu->watch.instruction || cpu->eflags & (F_TF | F_RF) || debug_armed(cpu) || cpu->shadow || cpu->shadow_debug ||
	       cpu->pending_dr6 || virtual_interrupt_due(cpu) || cpu->halted || cpu->shutdown || cpu->stop_requested ||
	       (cpu->nmi_pending && !cpu->nmi_blocked) || (cpu->intr && cpu->eflags & F_IF);
}

static void deliver_interrupt(struct cpu *cpu, uint8_t vector)
{
	cpu->insn = cpu->cache->scratch;
	deliver_event(cpu, (struct fault) { .vector = vector }, EVENT_HARDWARE, cpu->eip);
	cpu->icount++;
}

/* Delivers the most important event that is due; false when there is none. */
static bool deliver_pending(struct cpu *cpu)
{
	if (cpu->pending_dr6 && !cpu->shadow_debug) {
		cpu->insn = cpu->cache->scratch;
		debug_boundary(cpu);
		cpu->icount += !cpu->pending_dr6;      /* still pending: a watcher has stopped before it */
		return true;
	}
	if (cpu->shadow || cpu->shadow_debug)
		return false;
	if (cpu->nmi_pending && !cpu->nmi_blocked) {
		cpu->nmi_pending = false;
		cpu->nmi_blocked = true;
		deliver_interrupt(cpu, VEC_NMI);
		return true;
	}
	if (cpu->intr && cpu->eflags & F_IF) {
		deliver_interrupt(cpu, (uint8_t)cpu->bus.acknowledge(cpu->bus.owner));
		return true;
	}
	return false;
}

/* --- running blocks ------------------------------------------------------------------------------------------------ */

/* A block was left at cpu->insn, which has not completed. */
static void unwind(struct cpu *cpu)
{
	cpu->icount -= cpu->insn->left;
	cpu->eip = insn_eip(cpu, cpu->insn);
}

static void run_block(struct cpu *cpu)
{
	struct block *b = cpu->mmu->geometry.entries ? NULL : code_find(cpu, cpu->eip);

	if (!b || cpu->run_end - cpu->icount < b->count) {
		run_single(cpu);
		return;
	}
	cpu->icount += b->count;
	switch (run_from(cpu, b->insn)) {
	case EXEC_FAULT:
		unwind(cpu);
		deliver_fault(cpu, cpu->eip);
		break;
	case EXEC_SINGLE:
		unwind(cpu);
		run_single(cpu);
		break;
	default:
		break;
	}
}

enum cpu_stop cpu_run(struct cpu *cpu, uint64_t budget)
{
	cpu->run_end = budget > UINT64_MAX - cpu->icount ? UINT64_MAX : cpu->icount + budget;
	cpu->stop_requested = false;
	cpu->attention = true;
	for (;;) {
		if (unlikely(cpu->cache->dropped != NULL))
			code_collect(cpu);
		if (unlikely(cpu->attention)) {
			if (cpu->shutdown)
				return CPU_STOP_SHUTDOWN;
			if (cpu->stop_requested)
				return CPU_STOP_REQUEST;
		}
		if (cpu->icount >= cpu->run_end)
			return CPU_STOP_BUDGET;
		if (likely(!cpu->attention)) {
			run_block(cpu);
			continue;
		}
		if (deliver_pending(cpu))
			continue;
		if (cpu->halted)
			return CPU_STOP_HALT;
		cpu->attention = wants_attention(cpu);
		if (cpu->attention)
			run_single(cpu);
	}
}

/* --- x87 errors -------------------------------------------------------------------------------------------------------- */

void cpu_ferr(struct cpu *cpu, bool level)
{
	if (level == cpu->ferr)
		return;
	cpu->ferr = level;
	if (cpu->bus.ferr)
		cpu->bus.ferr(cpu->bus.owner, level);
}

/* The freeze counts as an instruction: so does a HLT. */
enum exec ferr_freeze(struct cpu *cpu, const struct insn *in)
{
	cpu->insn = in;
	if (!cpu->single)
		return EXEC_SINGLE;
	cpu->eip = insn_eip(cpu, in);
	cpu->halted = true;
	cpu->attention = true;
	return EXEC_STOP;
}

/* --- from outside -------------------------------------------------------------------------------------------------- */

void cpu_request_stop(struct cpu *cpu)
{
	cpu->stop_requested = true;
	cpu->attention = true;
}

void cpu_run_until(struct cpu *cpu, uint64_t icount)
{
	if (icount < cpu->icount)
		icount = cpu->icount;
	if (icount < cpu->run_end)
		cpu->run_end = icount;
}

uint64_t cpu_icount(const struct cpu *cpu)
{
	return cpu->icount;
}

void cpu_set_intr(struct cpu *cpu, bool level)
{
	cpu->intr = level;
	cpu->attention |= level;
}

void cpu_raise_nmi(struct cpu *cpu)
{
	cpu->nmi_pending = true;
	cpu->attention = true;
}

void cpu_set_ignne(struct cpu *cpu, bool level)
{
	cpu->ignne = level;
}
