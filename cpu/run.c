/* cpu/run.c: the loop: blocks of cached instructions, single steps, and what happens between instructions.
 *
 *   cpu_run: until the budget is spent
 *           something asks for attention?  yes: deliver it, or execute one instruction alone
 *                                          no:  find the block at CS:EIP, charge its length, run its handlers
 *
 * Time is the count of completed instructions. A block is charged whole when it is entered and gives back what it did not
 * execute when it is left early; a block longer than what is left of the budget is not entered, its instructions are
 * executed one at a time. So the processor stops at any count asked for, and where blocks begin is invisible to the guest.
 *
 * References: [SDM3A 6.9 "Priority Among Concurrent Events"], [SDM3A 6.8 "Enabling and Disabling Interrupts"].
 */
#include "cpu/code.h"
#include "cpu/system.h"

/* --- on from one block to the next ---------------------------------------------------------------------------------- */

static inline bool fits(const struct cpu *cpu, const struct block *b)
{
	const struct segment *cs = &cpu->seg[SEG_CS];

	return cpu->icount + b->n <= cpu->run_end && cpu->eip <= cs->limit && (uint32_t)(b->bytes - 1) <= cs->limit - cpu->eip;
}

#ifdef CPU_TAIL_CALLS
/* In release builds the handlers of a linked block are called from the last handler of the one before. */
static inline enum exec enter(struct cpu *cpu, const struct block *b)
{
	cpu->icount += b->n;
	return b->insn[0].handler(cpu, b->insn);
}
#endif

/* Goes on at cpu->eip, in the same page as in. The block found is remembered in in->link; both live and die with the page. */
static inline enum exec follow(struct cpu *cpu, const struct insn *in)
{
#ifdef CPU_TAIL_CALLS
	struct block *b = in->link;

	if (likely(b && fits(cpu, b)))
		return enter(cpu, b);
#endif
	cpu->insn = in;
	cpu->unlinked = true;
	return EXEC_OK;
}

enum exec branch_to(struct cpu *cpu, const struct insn *in, uint32_t eip)
{
	if (unlikely(eip > cpu->seg[SEG_CS].limit))
		return raise_error(cpu, in, VEC_GP, 0);
	cpu->eip = eip;
	if (likely(!cpu->single && eip - cpu->page_eip < 4096 && insn_table[in->row].props & IP_BRANCH))
		return follow(cpu, in);
	return EXEC_OK;
}

/* The end marker; opcode says that the main loop must have a look first. */
enum exec op_end_of_block(struct cpu *cpu, const struct insn *in)
{
	cpu->eip = cpu->page_eip + in->offset;
	if (in->opcode || in->offset == 4096)
		return EXEC_OK;
	return follow(cpu, in);
}

/* --- blocks ----------------------------------------------------------------------------------------------------------- */

static enum exec run_handlers(struct cpu *cpu, struct block *b)
{
	const struct insn *in = b->insn;
	enum exec result;

	cpu->page_eip = cpu->eip - b->offset;
	cpu->icount += b->n;
	cpu->in_block = true;
	do
		result = in->handler(cpu, in);
	while (in++, result == EXEC_NEXT);
	cpu->in_block = false;
	return result;
}

/* What the block charged and did not execute, from cpu->insn on, is given back; EIP is that instruction's. */
static void leave_at_insn(struct cpu *cpu)
{
	cpu->icount -= cpu->insn->left;
	cpu->eip = insn_eip(cpu, cpu->insn);
}

static void step(struct cpu *cpu);

static void run_block(struct cpu *cpu)
{
	struct block *b = code_find(cpu);
	struct insn *from = NULL;

	while (b && fits(cpu, b)) {
		if (from)
			from->link = b;
		cpu->unlinked = false;
		switch (run_handlers(cpu, b)) {
		case EXEC_FAULT:
			leave_at_insn(cpu);
			deliver_event(cpu, cpu->fault, EVENT_EXCEPTION, cpu->eip);
			return;
		case EXEC_SINGLE:
			leave_at_insn(cpu);
			step(cpu);
			return;
		default:
			break;
		}
		/* A branch whose target was not known: find it, and let the next time be direct. */
		if (!cpu->unlinked || cpu->cache->dropped || cpu->icount >= cpu->run_end)
			return;
		from = (struct insn *)cpu->insn;
		b = code_find(cpu);
	}
	if (cpu->icount < cpu->run_end)
		step(cpu);
}

/* --- one instruction alone -------------------------------------------------------------------------------------------- */

/* Bytes of code at a linear address, as far as the page, the limit and the 15-byte rule go. */
static enum exec fetch(struct cpu *cpu, const struct insn *in, uint32_t eip, unsigned have, unsigned *count, uint8_t *bytes)
{
	laddr_t la = cpu->seg[SEG_CS].base + eip;
	struct access a = { .la = la, .kind = ACCESS_FETCH, .user = cpu->cpl == 3 };
	struct translation t;
	unsigned n = 4096 - (la & 0xfff);

	if (eip > cpu->seg[SEG_CS].limit)
		return raise_error(cpu, in, VEC_GP, 0);
	if (n > 15 - have)
		n = 15 - have;
	if (n - 1 > cpu->seg[SEG_CS].limit - eip)
		n = cpu->seg[SEG_CS].limit - eip + 1;
	if (!mmu_translate(cpu->mmu, &a, &t)) {
		cpu->insn = in;
		cpu->fault = (struct fault){ .vector = VEC_PF, .has_error = true, .error = cpu->mmu->last_fault.pf_code, .cr2 = la };
		return EXEC_FAULT;
	}
	for (unsigned i = 0; i < n; i++)
		bytes[i] = t.host ? t.host[i] : (uint8_t)phys_read(cpu->mmu->phys, t.pa + i, 1);
	*count = n;
	return EXEC_OK;
}

/* Fetches and decodes the instruction at CS:EIP into the scratch place, page by page: an instruction that ends on the
 * first never touches the second. */
static enum exec fetch_and_decode(struct cpu *cpu, struct insn *in)
{
	uint8_t bytes[15];
	unsigned have = 0, more = 0;
	bool is32 = cpu->seg[SEG_CS].flags & SEG_FLAG_DB;
	enum decode_result result;

	*in = (struct insn){ 0 };
	do {
		TRY(fetch(cpu, in, cpu->eip + have, have, &more, bytes + have));
		have += more;
		result = decode(bytes, have, is32, in);
		in->offset = 0;
		in->left = 0;
	} while (result == DECODE_MORE && have < 15);
	if (result == DECODE_UD)
		return raise_fault(cpu, in, VEC_UD);
	if (result != DECODE_OK)
		return raise_error(cpu, in, VEC_GP, 0);
	return EXEC_OK;
}

/* INT n, INT3, INTO and INT1 clear TF on their way: no trap follows them. */
static bool is_software_interrupt(const struct insn *in)
{
	const struct insn_row *row = &insn_table[in->row];

	return row->map == 1 && (row->opcode == 0xcc || row->opcode == 0xcd || row->opcode == 0xce || row->opcode == 0xf1);
}

static enum exec step_instruction(struct cpu *cpu)
{
	struct insn *in = cpu->cache->scratch;
	uint32_t rf = cpu->eflags & F_RF;
	bool stepping = cpu->eflags & F_TF;
	enum exec result;

	cpu->page_eip = cpu->eip;
	cpu->insn = in;
	if (debug_armed(cpu))
		TRY(debug_fetch(cpu, cpu->eip));
	TRY(fetch_and_decode(cpu, in));
	in[1].offset = in[0].len;
	/* RF passes over this instruction only; IRET may set it anew. */
	cpu->eflags &= ~F_RF;
	result = in->handler(cpu, in);
	if (result == EXEC_NEXT)
		result = op_end_of_block(cpu, in + 1);
	if (result == EXEC_FAULT || result == EXEC_SINGLE) {
		cpu->eflags |= rf;
		return result;
	}
	cpu->icount++;
	debug_completed(cpu, stepping && !is_software_interrupt(in));
	return EXEC_OK;
}

static void step(struct cpu *cpu)
{
	if (cpu->watch.instruction)
		cpu->watch.instruction(cpu->watch.owner, cpu);
	cpu->single = true;
	enum exec result = step_instruction(cpu);
	cpu->single = false;
	if (result == EXEC_FAULT)
		deliver_event(cpu, cpu->fault, EVENT_EXCEPTION, cpu->eip);
}

/* --- between instructions ----------------------------------------------------------------------------------------------- */

static bool interrupt_waits(const struct cpu *cpu) { return cpu->intr && cpu->eflags & F_IF; }

static bool wants_attention(const struct cpu *cpu)
{
	return cpu->pending_dr6 || (cpu->nmi_pending && !cpu->nmi_blocked) || interrupt_waits(cpu) || cpu->shadow || cpu->shadow_debug
	    || cpu->eflags & (F_TF | F_RF) || debug_armed(cpu) || cpu->watch.instruction || cpu->mmu->geometry.entries || cpu->halted;
}

/* Delivers the most urgent thing that waits, if the last instruction lets it. True when something was delivered. */
static bool deliver_pending(struct cpu *cpu)
{
	bool shadow = cpu->shadow, shadow_debug = cpu->shadow_debug;

	cpu->shadow = cpu->shadow_debug = false;
	cpu->insn = cpu->cache->scratch;
	if (shadow_debug)
		cpu->pending_dr6 = 0;
	else if (debug_boundary(cpu))
		return true;
	if (shadow)
		return false;
	if (cpu->nmi_pending && !cpu->nmi_blocked) {
		cpu->nmi_pending = false;
		cpu->nmi_blocked = true;
		deliver_event(cpu, (struct fault){ .vector = VEC_NMI }, EVENT_HARDWARE, cpu->eip);
		return true;
	}
	if (interrupt_waits(cpu)) {
		int vector = cpu->bus.acknowledge(cpu->bus.owner);

		deliver_event(cpu, (struct fault){ .vector = (uint8_t)vector }, EVENT_HARDWARE, cpu->eip);
		return true;
	}
	return false;
}

enum cpu_stop cpu_run(struct cpu *cpu, uint64_t budget)
{
	cpu->run_end = cpu->icount + budget < budget ? UINT64_MAX : cpu->icount + budget;
	cpu->stop_requested = false;
	for (;;) {
		code_free_dropped(cpu);
		if (cpu->shutdown)
			return CPU_STOP_SHUTDOWN;
		if (cpu->stop_requested)
			return CPU_STOP_REQUEST;
		if (cpu->icount >= cpu->run_end)
			return CPU_STOP_BUDGET;
		cpu->attention = wants_attention(cpu);
		if (!cpu->attention)
			run_block(cpu);
		else if (!deliver_pending(cpu)) {
			if (cpu->halted)
				return CPU_STOP_HALT;
			step(cpu);
		}
	}
}

void code_lookup_reset(struct cpu *cpu)
{
	/* Blocks are found through the TLB each time; there is nothing to forget. */
	(void)cpu;
}

void cpu_request_stop(struct cpu *cpu)
{
	cpu->stop_requested = true;
	cpu->run_end = 0;
}

void cpu_run_until(struct cpu *cpu, uint64_t icount)
{
	if (icount < cpu->run_end)
		cpu->run_end = icount;
}

uint64_t cpu_icount(const struct cpu *cpu)
{
	/* Inside a block only its last instruction calls out, and it is charged already. */
	return cpu->icount - cpu->in_block;
}

void cpu_set_intr(struct cpu *cpu, bool level)
{
	cpu->intr = level;
}

void cpu_raise_nmi(struct cpu *cpu)
{
	cpu->nmi_pending = true;
}
