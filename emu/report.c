/* emu/report.c: see report.h. Everything comes from the processor's own history of faults and control-register writes, and is
 * read without changing the guest. */
#include "emu/report.h"

#include <string.h>

#include "emu/debug/explain/fault_words.h"
#include "emu/diagnosis.h"
#include "emu/disasm.h"
#include "emu/status.h"

/* [SDM3A 6.3.1 "External Interrupts"], table "Protected-Mode Exceptions and Interrupts". */
static const struct { const char *mnemonic, *name; } vectors[32] = {
	{ "#DE", "divide error" }, { "#DB", "debug exception" }, { "NMI", "non-maskable interrupt" }, { "#BP", "breakpoint" },
	{ "#OF", "overflow" }, { "#BR", "BOUND range exceeded" }, { "#UD", "invalid opcode" }, { "#NM", "device not available" },
	{ "#DF", "double fault" }, { "", "coprocessor segment overrun" }, { "#TS", "invalid TSS" }, { "#NP", "segment not present" },
	{ "#SS", "stack-segment fault" }, { "#GP", "general protection fault" }, { "#PF", "page fault" }, { "", "reserved exception" },
	{ "#MF", "x87 error" }, { "#AC", "alignment check" }, { "#MC", "machine check" }, { "#XM", "SIMD error" },
};

const char *vector_name(unsigned vector)
{
	return vector < 32 && vectors[vector].name ? vectors[vector].name : "interrupt";
}

const char *vector_mnemonic(unsigned vector)
{
	return vector < 32 && vectors[vector].mnemonic ? vectors[vector].mnemonic : "";
}

const char *vector_short_name(unsigned vector)
{
	return *vector_mnemonic(vector) ? vector_mnemonic(vector) : vector_name(vector);
}

static const char *in_symbol(const struct symbols *s, uint32_t address, char *buf, size_t size)
{
	char name[128];

	symbols_name(s, address, name, sizeof(name));
	snprintf(buf, size, "%s%s%s", *name ? " <" : "", name, *name ? ">" : "");
	return buf;
}

/* --- registers ----------------------------------------------------------------------------------------------------- */

static void print_flags(uint32_t fl, FILE *out)
{
	static const struct { uint32_t bit; const char *name; } names[] = {
		{ F_CF, "CF" }, { F_PF, "PF" }, { F_AF, "AF" }, { F_ZF, "ZF" }, { F_SF, "SF" }, { F_TF, "TF" }, { F_IF, "IF" },
		{ F_DF, "DF" }, { F_OF, "OF" }, { F_NT, "NT" }, { F_RF, "RF" }, { F_VM, "VM" }, { F_AC, "AC" },
	};

	fprintf(out, "  EFLAGS %08x", fl);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (fl & names[i].bit)
			fprintf(out, " %s", names[i].name);
	fprintf(out, " IOPL=%u\n", fl >> 12 & 3);
}

static void print_registers(const struct cpu *cpu, FILE *out)
{
	const uint32_t *r = cpu->r;

	fprintf(out, "registers\n");
	fprintf(out, "  EAX %08x  EBX %08x  ECX %08x  EDX %08x\n", r[R_EAX], r[R_EBX], r[R_ECX], r[R_EDX]);
	fprintf(out, "  ESI %08x  EDI %08x  EBP %08x  ESP %08x\n", r[R_ESI], r[R_EDI], r[R_EBP], r[R_ESP]);
	fprintf(out, "  EIP %08x  CPL %u\n", cpu->eip, cpu->cpl);
	print_flags(cpu_eflags(cpu), out);
	fprintf(out, "  CR0 %08x%s%s%s  CR2 %08x  CR3 %08x  CR4 %08x%s%s%s\n", cpu->cr0, cpu->cr0 & CR0_PE ? " PE" : "",
		cpu->cr0 & CR0_WP ? " WP" : "", cpu->cr0 & CR0_PG ? " PG" : "", cpu->cr2, cpu->cr3, cpu->cr4,
		cpu->cr4 & CR4_PSE ? " PSE" : "", cpu->cr4 & CR4_PAE ? " PAE" : "",
		cpu->cr4 & CR4_PGE ? " PGE" : "");
	if (cpu->cr4 & CR4_PAE)
		fprintf(out, "  EFER %08x%s  PDPTE %016llx %016llx %016llx %016llx\n", cpu->efer, cpu->efer & EFER_NXE ? " NXE" : "",
			(unsigned long long)cpu->pdpte[0], (unsigned long long)cpu->pdpte[1], (unsigned long long)cpu->pdpte[2],
			(unsigned long long)cpu->pdpte[3]);
	for (unsigned i = 0; i < SEG_COUNT; i++) {
		const struct segment *s = &cpu->seg[i];
		fprintf(out, "  %-4s %04x  base %08x limit %08x access %02x%s\n", cpu_segment_names[i], s->selector, s->base, s->limit, s->access,
			s->access & 0x80 ? "" : " (unusable)");
	}
	fprintf(out, "  GDTR base %08x limit %04x   IDTR base %08x limit %04x\n", cpu->gdtr.base, cpu->gdtr.limit,
		cpu->idtr.base, cpu->idtr.limit);
}

/* --- code ---------------------------------------------------------------------------------------------------------- */

static void print_instruction(const struct cpu *cpu, const struct symbols *symbols, uint32_t eip, const char *mark, unsigned *len, FILE *out)
{
	struct disassembly d;
	char name[160], bytes[3 * INSN_MAX + 1] = "";

	disassemble(cpu, cpu->seg[SEG_CS].base + eip, cpu->seg[SEG_CS].flags & SEG_FLAG_DB, &d);
	for (unsigned i = 0; i < d.len; i++)
		snprintf(bytes + 3 * i, 4, "%02x ", d.byte[i]);
	fprintf(out, "%s%08x%s  %-24s %s\n", mark, eip, in_symbol(symbols, eip, name, sizeof(name)), bytes, d.text);
	*len = d.len;
}

static void print_code(const struct cpu *cpu, const struct symbols *symbols, FILE *out)
{
	uint32_t eip = cpu->eip;
	unsigned len;

	fprintf(out, "code at CS:EIP\n");
	for (unsigned i = 0; i < 6; i++) {
		print_instruction(cpu, symbols, eip, i ? "     " : "  -> ", &len, out);
		if (!len)
			break;
		eip += len;
	}
}

/* --- the chain of exceptions ---------------------------------------------------------------------------------------- */

bool stopped_by_no_execute(const struct walk *w)
{
	return w->result == WALK_PROTECTION && w->access.kind == ACCESS_FETCH && !(w->rights & PG_X);
}

static void print_page_fault(const struct fault_record *r, FILE *out)
{
	char text[1024];
	uint32_t e = r->fault.error;

	fprintf(out, "     CR2 %08x: %s by %s, %s%s%s\n", r->fault.cr2, e & PF_W ? "a write" : r->walk.access.kind == ACCESS_FETCH ? "a fetch" : "a read",
		e & PF_U ? "user mode" : "the supervisor", e & PF_P ? "the page is present but forbids it" : "the page is not present",
		e & PF_RSVD ? ", a reserved bit is set" : "", stopped_by_no_execute(&r->walk) ? ": it is no-execute" : "");
	walk_describe(&r->walk, text, sizeof(text));
	for (char *line = text, *next; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		fprintf(out, "       %s\n", line);
	}
}

/* One line in the words that the debugger uses too. */
static void print_words(struct text *t, FILE *out)
{
	fprintf(out, "     ");
	text_add(t, "\n");
	text_write_plain(t, out);
	text_free(t);
}

static void print_fault(const struct cpu *cpu, const struct symbols *symbols, const struct fault_record *r, unsigned number, FILE *out)
{
	struct text t = { 0 };
	char name[160];
	unsigned v = r->fault.vector;

	fprintf(out, "  %u. %s%s%s (vector %u)", number, r->external ? "" : vector_mnemonic(v), r->external ? "" : " ",
		r->external ? "interrupt" : vector_name(v), v);
	if (r->fault.has_error)
		fprintf(out, ", error code %04x", r->fault.error);
	fprintf(out, "\n     at instruction %llu, CS:EIP %04x:%08x%s, SS:ESP %04x:%08x, CR3 %08x\n", (unsigned long long)r->icount,
		r->cs, r->eip, in_symbol(symbols, r->eip, name, sizeof(name)), r->ss, r->esp, r->cr3);
	if (v == VEC_PF && !r->external)
		print_page_fault(r, out);
	else if (r->fault.has_error && r->fault.error && v != VEC_DF) {
		selector_error_words(cpu, r->fault.error, &t);
		print_words(&t, out);
	}
	fault_gate_words(cpu, r, &t);
	print_words(&t, out);
}

static unsigned faults_kept(const struct cpu *cpu)
{
	return cpu->fault_count < FAULT_HISTORY ? cpu->fault_count : FAULT_HISTORY;
}

static void print_chain(const struct cpu *cpu, const struct symbols *symbols, unsigned first, FILE *out)
{
	fprintf(out, "the chain of exceptions\n");
	for (unsigned i = first; i < cpu->fault_count; i++)
		print_fault(cpu, symbols, &cpu->faults[i % FAULT_HISTORY], i - first + 1, out);
	if (first == cpu->fault_count)
		fprintf(out, "  none recorded\n");
	unsigned before = first - (cpu->fault_count - faults_kept(cpu));
	if (before)
		fprintf(out, "before that\n");
	for (unsigned i = before > 4 ? first - 4 : first - before; i < first; i++) {
		const struct fault_record *r = &cpu->faults[i % FAULT_HISTORY];
		fprintf(out, "  instruction %llu: %s (vector %u) at %04x:%08x\n", (unsigned long long)r->icount,
			r->external ? "interrupt" : vector_name(r->fault.vector), r->fault.vector, r->cs, r->eip);
	}
}

static void print_controls(const struct cpu *cpu, FILE *out)
{
	unsigned kept = cpu->control_count < CONTROL_HISTORY ? cpu->control_count : CONTROL_HISTORY;

	fprintf(out, "last writes to control registers\n");
	if (!kept)
		fprintf(out, "  none\n");
	if (kept > 8)
		kept = 8;
	for (unsigned i = cpu->control_count - kept; i < cpu->control_count; i++) {
		const struct control_write *w = &cpu->controls[i % CONTROL_HISTORY];
		fprintf(out, "  instruction %llu, EIP %08x: CR%u %08x -> %08x\n", (unsigned long long)w->icount, w->eip, w->reg, w->old, w->value);
	}
}

static void print_rest(const struct machine *m, const struct symbols *symbols, FILE *out)
{
	print_controls(&m->cpu, out);
	print_registers(&m->cpu, out);
	print_code(&m->cpu, symbols, out);
}

void report_triple_fault(const struct machine *m, const struct symbols *symbols, FILE *out)
{
	const struct cpu *cpu = &m->cpu;
	struct text t = { 0 };
	unsigned first;

	fault_chain(cpu, &first);
	fprintf(out, "\nemu: triple fault after %llu instructions: the processor shut down.\n", (unsigned long long)cpu_icount(cpu));
	fprintf(out, "An exception could not be delivered, nor could the double fault that reports it; a real PC would reset now.\n");
	diagnose_faults(m, first, &t);
	text_write_plain(&t, out);
	text_free(&t);
	print_chain(cpu, symbols, first, out);
	print_rest(m, symbols, out);
}

void report_halted(const struct machine *m, const struct symbols *symbols, FILE *out)
{
	fprintf(out, "\nemu: the guest halted with interrupts disabled after %llu instructions: nothing can wake it.\n",
		(unsigned long long)cpu_icount(&m->cpu));
	if (m->cpu.ferr)               /* no HLT: the kernel's author looks for one in vain */
		fprintf(out, "why: an x87 error is reported as interrupt 13 of the PICs while CR0.NE is 0; set NE to get it as #MF\n");
	print_rest(m, symbols, out);
}

/* --- the end of a run ------------------------------------------------------------------------------------------------ */

const char *ended_text(enum machine_stop ended)
{
	switch (ended) {
	case MACHINE_POWER_OFF: return "the guest powered off";
	case MACHINE_RESET: return "the guest reset the machine";
	case MACHINE_DEBUG_EXIT: return "the guest exited through isa-debug-exit";
	case MACHINE_TRIPLE_FAULT: return "triple fault: the processor has shut down";
	case MACHINE_HALTED_FOREVER: return "the guest halted with interrupts disabled";
	case MACHINE_INSTRUCTION_LIMIT: return "instruction limit";
	default: return "";
	}
}

int ended_status(const struct machine *m, enum machine_stop ended)
{
	switch (ended) {
	case MACHINE_DEBUG_EXIT: return (int)((m->exit_value << 1 | 1) & 0xff);
	case MACHINE_TRIPLE_FAULT: return STATUS_TRIPLE_FAULT;
	case MACHINE_HALTED_FOREVER: return STATUS_HALTED;
	case MACHINE_INSTRUCTION_LIMIT: return STATUS_LIMIT;
	default: return STATUS_OK;
	}
}
