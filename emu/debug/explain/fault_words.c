/* emu/debug/explain/fault_words.c: see fault_words.h.
 * References: [SDM3A 4.7 "Page-Fault Exceptions"], [SDM3A 6.11 "IDT Descriptors"], [SDM3A 6.13 "Error Code"], [SDM3B 20.1.4 "Interrupt and
 * Exception Handling"]. */
#include "emu/debug/explain/fault_words.h"

#include "emu/debug/explain/system_tables.h"
#include "emu/report.h"

#define ERROR_EXT 1u
#define ERROR_IDT 2u
#define ERROR_TI  4u

void fault_name_words(const struct fault_record *r, struct text *t)
{
	unsigned v = r->fault.vector;

	if (r->external)
		text_put(t, STYLE_BAD, "interrupt 0x%02x", v);
	else
		text_put(t, STYLE_BAD, "%s%s%s", vector_mnemonic(v), *vector_mnemonic(v) ? " " : "", vector_name(v));
}

/* --- error codes ----------------------------------------------------------------------------------------------------- */

static void put_bit(const char *indent, const char *name, bool value, const char *set, const char *clear, struct text *t)
{
	text_add(t, "%s", indent);
	text_put(t, value ? STYLE_BOLD : STYLE_PLAIN, "%s=%d", name, value);
	text_add(t, "  %s\n", value ? set : clear);
}

static void page_fault_bits(uint32_t e, const char *indent, struct text *t)
{
	put_bit(indent, "P", e & PF_P, "the page is present, but its rights forbid the access", "the page is not present", t);
	put_bit(indent, "W", e & PF_W, "the access was a write", e & PF_I ? "the access was no write" : "the access was a read or a fetch", t);
	put_bit(indent, "U", e & PF_U, "it was made in user mode", "it was made by the supervisor", t);
	if (e & PF_RSVD)
		put_bit(indent, "R", true, "a reserved bit is set in an entry", "", t);
	if (e & PF_I)
		put_bit(indent, "I", true, "it was an instruction fetch", "", t);
}

void selector_error_words(const struct cpu *cpu, uint32_t e, struct text *t)
{
	const char *during = e & ERROR_EXT ? ", while another event was being delivered" : "";

	if (e & ERROR_IDT)
		text_add(t, "about IDT gate %u%s", (e & 0xffff) >> 3, during);
	else if (!(e & 0xfffc))
		text_add(t, "about a null selector%s", during);
	else
		text_add(t, "about selector %04x in the %s%s%s", e & 0xfffc, e & ERROR_TI ? "LDT" : "GDT",
			 !(e & ERROR_TI) && (e & 0xfff8) + 7 > cpu->gdtr.limit ? ", beyond its limit" : "", during);
}

static void selector_bits(const struct cpu *cpu, uint32_t e, const char *indent, struct text *t)
{
	text_add(t, "%s", indent);
	selector_error_words(cpu, e, t);
	text_add(t, "\n");
	put_bit(indent, "EXT", e & ERROR_EXT, "an event from outside, or an earlier exception, was being delivered", "the instruction itself caused it", t);
	put_bit(indent, "IDT", e & ERROR_IDT, "the index is a gate of the IDT", "the index is a segment's", t);
	if (!(e & ERROR_IDT))
		put_bit(indent, "TI", e & ERROR_TI, "in the LDT", "in the GDT", t);
	text_add(t, "%sindex %u\n", indent, (e & 0xffff) >> 3);
}

void fault_error_words(const struct cpu *cpu, const struct fault_record *r, const char *indent, struct text *t)
{
	uint32_t e = r->fault.error;

	if (!r->fault.has_error)
		return;
	if (r->fault.vector == VEC_PF)
		page_fault_bits(e, indent, t);
	else if (r->fault.vector == VEC_DF || r->fault.vector == VEC_AC)
		text_add(t, "%salways 0\n", indent);
	else if (!e)
		text_add(t, "%s0: no selector or gate is to blame\n", indent);
	else
		selector_bits(cpu, e, indent, t);
}

/* --- the gate ------------------------------------------------------------------------------------------------------------ */

void fault_gate_words(const struct cpu *cpu, const struct fault_record *r, struct text *t)
{
	unsigned v = r->fault.vector;

	if (!(cpu->cr0 & CR0_PE)) {
		text_add(t, "vector table entry %u at %08x", v, cpu->idtr.base + 4 * v);
		return;
	}
	text_add(t, "IDT gate %u at %08x: ", v, cpu->idtr.base + 8 * v);
	if (8 * v + 7 > cpu->idtr.limit) {
		text_put(t, STYLE_BAD, "beyond the limit of the IDT (%04x): the guest has no gate for it", cpu->idtr.limit);
	} else if (!r->idt_read) {
		text_put(t, STYLE_BAD, "could not be read: the IDT itself is not mapped");
	} else {
		const uint8_t *b = r->idt_entry;
		struct gate g = gate_decode(b);
		text_add(t, "%02x%02x%02x%02x %02x%02x%02x%02x: ", b[7], b[6], b[5], b[4], b[3], b[2], b[1], b[0]);
		gate_words(&g, t);
	}
}

/* --- chains ---------------------------------------------------------------------------------------------------------------- */

unsigned fault_chain(const struct cpu *cpu, unsigned *first)
{
	unsigned kept = cpu->fault_count < FAULT_HISTORY ? cpu->fault_count : FAULT_HISTORY, n = 0;

	while (n < kept) {
		const struct fault_record *r = &cpu->faults[(cpu->fault_count - n - 1) % FAULT_HISTORY];
		if (n && r->icount != cpu->faults[(cpu->fault_count - n) % FAULT_HISTORY].icount)
			break;
		n++;
	}
	*first = cpu->fault_count - n;
	return n;
}
