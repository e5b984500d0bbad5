/* emu/diagnosis.c: see diagnosis.h.
 *
 * The first exception of the chain could not be delivered; what delivery needs is asked for in the order in which it needs it:
 *
 *   page tables in memory -> IDT loaded, long enough, mapped -> gate -> code segment -> TSS for the new stack -> room on the stack
 *
 * References: [SDM3A 6.12 "Exception and Interrupt Handling"], [SDM3A 6.15 "Exception and Interrupt Reference"].
 */
#include "emu/diagnosis.h"

#include "cpu/insn.h"
#include "emu/report.h"

#define FRAME_MOST 64u             /* bytes an exception pushes at most, rounded up */
#define IDTR_RESET_LIMIT 0xffffu

static const struct fault_record *record(const struct cpu *cpu, unsigned i)
{
	return &cpu->faults[i % FAULT_HISTORY];
}

static const char *name(const struct fault_record *r)
{
	return r->external ? "the interrupt" : vector_mnemonic(r->fault.vector);
}

/* How often the same exception came at the same instruction before. */
static unsigned repeated(const struct cpu *cpu, unsigned first)
{
	const struct fault_record *r = record(cpu, first);
	unsigned oldest = cpu->fault_count < FAULT_HISTORY ? 0 : cpu->fault_count - FAULT_HISTORY;
	unsigned n = 0;

	for (unsigned i = first; i-- > oldest && record(cpu, i)->fault.vector == r->fault.vector && record(cpu, i)->eip == r->eip;)
		n++;
	return n;
}

static bool pdpte_outside_memory(const struct machine *m, struct text *t)
{
	const struct cpu *cpu = &m->cpu;
	unsigned n = (cpu->seg[SEG_CS].base + cpu->eip) >> 30;
	unsigned long long pdpte = cpu->pdpte[n];

	if (!(cpu->cr0 & CR0_PG) || !(pdpte & PG_P) || (pdpte & ~(uint64_t)PG_OFFSET) < m->phys.ram_size)
		return false;
	text_add(t, "why: PDPTE %u, %016llx, leads outside memory (%lluM): every entry of its page directory reads as ones.\n", n, pdpte,
		(unsigned long long)m->phys.ram_size >> 20);
	return true;
}

/* What lies outside RAM reads as ones, which look like present entries that lead anywhere. */
static bool tables_outside_memory(const struct machine *m, struct text *t)
{
	uint32_t cr3 = m->cpu.cr3;

	/* In PAE paging CR3 cannot lead there: the PDPTEs would not have been loaded. */
	if (m->cpu.cr4 & CR4_PAE)
		return pdpte_outside_memory(m, t);
	if (!(m->cpu.cr0 & CR0_PG) || (cr3 & PG_FRAME) < m->phys.ram_size)
		return false;
	text_add(t, "why: CR3 %08x lies outside memory (%lluM): every entry of the page directory reads as ones.\n", cr3,
		(unsigned long long)m->phys.ram_size >> 20);
	return true;
}

/* A jump that went astray: usually no IDT matters then. */
static void say_where(const struct machine *m, const struct fault_record *r, struct text *t)
{
	paddr_t pa;

	if (mmu_peek(&m->mmu, m->cpu.seg[SEG_CS].base + r->eip, &pa) && phys_kind_of(&m->phys, pa, NULL) == PHYS_HOLE)
		text_add(t, "why: execution went astray: EIP %08x lies outside memory, where every byte reads as ones.\n", r->eip);
}

/* Compilers use XMM registers unasked; an operating system must have said that it saves them. */
static void say_undefined(const struct machine *m, const struct fault_record *r, struct text *t)
{
	const struct segment *cs = &m->cpu.seg[SEG_CS];
	uint8_t bytes[INSN_MAX];
	unsigned n = 0;
	struct insn in;
	paddr_t pa;

	if (r->fault.vector != VEC_UD || m->cpu.cr4 & CR4_OSFXSR)
		return;
	while (n < INSN_MAX && mmu_peek(&m->mmu, cs->base + r->eip + n, &pa))
		phys_copy_out(&m->phys, pa, &bytes[n++], 1);
	if (decode(bytes, n, cs->flags & SEG_FLAG_DB, &in) == DECODE_OK && insn_table[in.row].props & IP_SSE)
		text_add(t, "why: the instruction at %08x uses XMM registers, which needs CR4.OSFXSR (bit 9). A compiler leaves them alone with\n"
			"     -mgeneral-regs-only.\n", r->eip);
}

static bool no_gate(const struct cpu *cpu, const struct fault_record *r, struct text *t)
{
	unsigned v = r->fault.vector, type = r->idt_entry[5] & 0x1f;

	if (!cpu->idtr.base && cpu->idtr.limit == IDTR_RESET_LIMIT)
		text_add(t, "why: no IDT was loaded (LIDT): IDTR is as after reset, so %s finds no handler.\n", name(r));
	else if (8 * v + 7 > cpu->idtr.limit)
		text_add(t, "why: the IDT ends before gate %u (its limit is %04x), so %s finds no handler.\n", v, cpu->idtr.limit, name(r));
	else if (!r->idt_read)
		text_add(t, "why: the IDT at %08x is not mapped, so %s finds no handler.\n", cpu->idtr.base, name(r));
	else if (!(r->idt_entry[5] & 0x80))
		text_add(t, "why: IDT gate %u is not present, so %s finds no handler.\n", v, name(r));
	else if (type != 5 && type != 6 && type != 7 && type != 14 && type != 15)
		text_add(t, "why: IDT gate %u is no interrupt, trap or task gate, so %s finds no handler.\n", v, name(r));
	else
		return false;
	return true;
}

/* Every exception pushed its frame, until there was no room for one more. */
static bool handler_faults(const struct cpu *cpu, unsigned first, struct text *t)
{
	const struct fault_record *r = record(cpu, first), *last = record(cpu, first - 1);

	if (repeated(cpu, first) < 2)
		return false;
	const uint8_t *g = last->idt_entry;        /* the frames may have overwritten page tables since: not of r itself */
	uint32_t handler = g[0] | g[1] << 8 | g[6] << 16 | (uint32_t)g[7] << 24;
	if (r->fault.vector == VEC_PF && r->walk.access.kind == ACCESS_FETCH && last->idt_read && handler == r->eip)
		text_add(t, "why: the handler for %s at %08x is itself %s: each attempt to enter it faults,\n", name(r), handler,
			stopped_by_no_execute(&r->walk) ? "in a no-execute page" : "not mapped");
	else
		text_add(t, "why: the instruction at %08x, in a handler, raised %s again and again: each time the handler is entered anew,\n",
			r->eip, name(r));
	text_add(t, "     pushing one more frame until the stack ran into something (below: the last round).\n");
	return true;
}

/* Why the exception before was not delivered, from the one its delivery raised. */
static void delivery_failed(const struct cpu *cpu, const struct fault_record *r, const struct fault_record *next, struct text *t)
{
	uint32_t e = next->fault.error, top = cpu->seg[SEG_SS].base + next->esp;

	switch (next->fault.vector) {
	case VEC_PF:
		if (next->fault.error & PF_W && top - next->fault.cr2 <= FRAME_MOST)
			text_add(t, "why: the stack is not mapped for writing where %s must be pushed (ESP %08x): entering its handler faults.\n",
				name(r), next->esp);
		else
			text_add(t, "why: delivering %s touched %08x, which is not accessible: a stack, GDT, LDT or TSS there is not mapped.\n",
				name(r), next->fault.cr2);
		break;
	case VEC_TS:
		if (!(cpu->seg[SEG_TR].selector & 0xfffc))
			text_add(t, "why: %s in user mode needs a kernel stack from the TSS, and no TSS was loaded (LTR).\n", name(r));
		else
			text_add(t, "why: the TSS (TR %04x) gives no usable kernel stack for %s: its SS0 leads to error %04x.\n",
				cpu->seg[SEG_TR].selector, name(r), e);
		break;
	case VEC_SS:
		text_add(t, "why: the frame of %s does not fit in the stack segment, or its segment is not present (ESP %08x).\n", name(r), next->esp);
		break;
	case VEC_GP:
	case VEC_NP:
		text_add(t, "why: the gate for %s leads to selector %04x, which %s.\n", name(r), e & 0xfffc, (e & 0xfff8) + 7 > cpu->gdtr.limit ?
			"lies beyond the limit of the GDT" : "is not a usable code segment in the GDT");
		break;
	default:
		text_add(t, "why: delivering %s raised %s.\n", name(r), name(next));
	}
}

void diagnose_faults(const struct machine *m, unsigned first, struct text *t)
{
	const struct cpu *cpu = &m->cpu;

	if (first == cpu->fault_count || !(cpu->cr0 & CR0_PE))
		return;
	const struct fault_record *r = record(cpu, first);
	if (tables_outside_memory(m, t))
		return;
	say_where(m, r, t);
	say_undefined(m, r, t);
	if (handler_faults(cpu, first, t) || no_gate(cpu, r, t))
		return;
	if (first + 1 < cpu->fault_count)
		delivery_failed(cpu, r, record(cpu, first + 1), t);
}
