/* emu/debug/explain/micro_words.c: the events of a walk step in words, one line each. */
#include <string.h>

#include "emu/debug/view/entry.h"
#include "emu/debug/explain/micro.h"
#include "emu/debug/guest/source.h"
#include "emu/debug/explain/system_tables.h"
#include "emu/report.h"

static void put_symbol(const struct debugger *d, uint32_t la, struct text *t)
{
	char name[128] = "";

	if (*source_symbol(d, la, name, sizeof(name)))
		text_put(t, STYLE_NAME, " <%s>", name);
}

/* --- accesses and walks ------------------------------------------------------------------------------------------------ */

static void describe_access(const struct micro_event *e, struct text *t)
{
	const char *verb = e->kind == MICRO_FETCH ? "fetch" : e->kind == MICRO_READ ? "read" : "write";

	text_put(t, STYLE_BOLD, "%s of ", verb);
	text_put(t, STYLE_ADDRESS, "0x%08x", e->access.la);
	if (*e->name)
		text_add(t, " (%s)", e->name);
	text_add(t, " by %s", e->access.user ? "user mode" : "the supervisor");
}

static void describe_miss(const struct micro_event *e, struct text *t)
{
	text_put(t, STYLE_WARN, "TLB miss");
	if (!strcmp(e->name, "not dirty"))
		text_add(t, ": page 0x%05x is there, but a first write must set Dirty: ", e->access.la >> PAGE_SHIFT);
	else if (*e->name)
		text_add(t, ": page 0x%05x is there, but not with these rights: ", e->access.la >> PAGE_SHIFT);
	else
		text_add(t, ": page 0x%05x is not there: ", e->access.la >> PAGE_SHIFT);
	text_add(t, "the walk begins at CR3 = 0x%08x", e->walk.paging.cr3);
}

static void put_entry_words(const struct walk *w, unsigned i, struct text *t)
{
	uint64_t v = w->step[i].value;
	bool pdpte = w->paging.pae && i == 0;

	text_add(t, "present");
	if (!pdpte)
		text_add(t, ", %s, %s%s", v & PG_U ? "user" : "supervisor only", v & PG_W ? "writable" : "read-only",
			 w->paging.nxe && w->paging.pae && v & PG_NX ? ", no-execute" : "");
	if (step_is_large(w, i))
		text_add(t, ", a %u MB page at 0x%08llx", w->paging.pae ? 2 : 4, (unsigned long long)step_base(w, i + 1));
	else
		text_add(t, ", leads to the %s at 0x%08llx", pdpte ? "directory" : step_is_leaf(w, i) ? "frame" : "table", (unsigned long long)step_base(w, i + 1));
}

static void describe_entry(const struct micro_event *e, struct text *t)
{
	const struct walk *w = &e->walk;
	const struct walk_step *s = &w->step[e->level];
	unsigned long long value = s->value;
	char words[40];

	text_put(t, STYLE_BOLD, "walk %u/%u: ", e->level + 1, w->levels);
	text_add(t, "%s %u at ", s->name, step_index(w, e->level));
	text_put(t, STYLE_ADDRESS, "0x%08llx", (unsigned long long)s->addr);
	text_add(t, w->paging.pae ? " = 0x%016llx: " : " = 0x%08llx: ", value);
	if (step_blame(w, e->level) && w->result != WALK_PROTECTION)
		text_put(t, STYLE_BAD, "%s: the walk ends here", step_blame_words(w, e->level, words, sizeof(words)));
	else if (step_blame(w, e->level))
		text_put(t, STYLE_BAD, "%s: forbids the %s", step_blame_words(w, e->level, words, sizeof(words)), access_words(&w->access));
	else
		put_entry_words(w, e->level, t);
}

static void describe_set_bits(const struct micro_event *e, struct text *t)
{
	uint64_t set = e->value & ~e->old;

	text_put(t, STYLE_CHANGED, "%s%s%s set", set & PG_A ? "Accessed" : "", set == (PG_A | PG_D) ? " and " : "", set & PG_D ? "Dirty" : "");
	text_add(t, " in the %s at 0x%08llx: 0x%08llx -> 0x%08llx", e->name, (unsigned long long)e->address, (unsigned long long)e->old,
		 (unsigned long long)e->value);
}

static void describe_tlb(const struct micro_event *e, struct text *t)
{
	uint64_t f = e->old;

	if (e->kind == MICRO_TLB_HIT)
		text_put(t, STYLE_GOOD, "TLB hit: ");
	else
		text_put(t, STYLE_BOLD, "the TLB keeps: ");
	text_add(t, "page 0x%05x is frame 0x%05llx, %s, %s%s%s", e->access.la >> PAGE_SHIFT, (unsigned long long)e->value,
		 f & TLB_U ? "user" : "supervisor only", f & TLB_W ? "writable" : "read-only", f & TLB_D ? ", dirty" : "", f & TLB_G ? ", global" : "");
}

static void describe_drop(const struct micro_event *e, struct text *t)
{
	text_put(t, STYLE_WARN, "the TLB drops ");
	if (e->value > 1)
		text_add(t, "%llu translations, the first of page 0x%05x", (unsigned long long)e->value, e->access.la >> PAGE_SHIFT);
	else
		text_add(t, "the translation of page 0x%05x", e->access.la >> PAGE_SHIFT);
}

/* --- events ---------------------------------------------------------------------------------------------------------------- */

static void describe_fault(const struct micro_event *e, struct text *t)
{
	const struct fault_record *f = &e->fault;
	unsigned v = f->fault.vector;
	char words[80];

	if (!strcmp(e->name, "shutdown")) {
		text_put(t, STYLE_BAD, "! the processor shuts down: the double fault could not be delivered either");
		return;
	}
	text_put(t, STYLE_BAD, "! %s%s%s", vector_mnemonic(v), *vector_mnemonic(v) ? ", " : "", vector_name(v));
	if (!strcmp(e->name, "in delivery"))
		text_put(t, STYLE_BAD, v == VEC_DF ? " instead of the two" : " while an event was being delivered");
	if (v == VEC_PF)
		text_add(t, " at 0x%08x: error code 0x%x, %s", f->fault.cr2, f->fault.error, page_fault_words(f->fault.error, words, sizeof(words)));
	else if (f->fault.has_error)
		text_add(t, ", error code 0x%x", f->fault.error);
}

/* The line of the interrupt controllers that has this vector; -1: none. */
static int irq_of(const struct machine *m, uint64_t vector)
{
	for (int i = 0; i < 2; i++)
		if (m->pic.chip[i].vector && vector >> 3 == m->pic.chip[i].vector >> 3)
			return 8 * i + (int)(vector & 7);
	return -1;
}

static void describe_interrupt(const struct debugger *d, const struct micro_event *e, struct text *t)
{
	int irq = irq_of(d->m, e->value);

	text_put(t, STYLE_WARN, "interrupt 0x%02llx", (unsigned long long)e->value);
	if (e->value == VEC_NMI)
		text_add(t, " (NMI)");
	else if (irq >= 0)
		text_add(t, " (IRQ %d%s)", irq, irq == 0 ? ", the timer" : "");
	text_add(t, " is accepted before the next instruction");
}

static void describe_gate(const struct debugger *d, const struct micro_event *e, struct text *t)
{
	uint8_t bytes[8];

	text_put(t, STYLE_BOLD, "%s: ", e->name);
	if (e->size == 4) {
		text_add(t, "handler %04x:%04x", (unsigned)(e->value >> 16 & 0xffff), (unsigned)(e->value & 0xffff));
		return;
	}
	memcpy(bytes, &e->value, sizeof(bytes));
	struct gate g = gate_decode(bytes);
	gate_words(&g, t);
	if (g.type == GATE_INTERRUPT || g.type == GATE_TRAP)
		put_symbol(d, g.offset, t);
}

static void describe_descriptor(const struct micro_event *e, struct text *t)
{
	struct descriptor_view v = descriptor_decode(e->value);

	text_put(t, STYLE_BOLD, "%s: ", e->name);
	descriptor_words(&v, t);
}

static void describe_stack(const struct micro_event *e, struct text *t)
{
	text_put(t, STYLE_BOLD, "stack switch: ");
	text_add(t, "from %04x:%08x to %04x:%08x, which the TSS gives for ring %u", (unsigned)(e->old >> 32), (unsigned)e->old, (unsigned)(e->value >> 32),
		 (unsigned)e->value, e->level);
}

static void describe_change(const struct debugger *d, const struct micro_event *e, struct text *t)
{
	int digits = e->size ? (int)(2 * e->size) : 8;

	if (e->kind == MICRO_MEMORY)
		text_add(t, "memory at 0x%08llx", (unsigned long long)e->address);
	else
		text_put(t, STYLE_BOLD, "%s", e->name);
	text_add(t, ": 0x%0*llx -> ", digits, (unsigned long long)e->old);
	text_put(t, STYLE_CHANGED, "0x%0*llx", digits, (unsigned long long)e->value);
	if (!strcmp(e->name, "EIP"))
		put_symbol(d, (uint32_t)e->value, t);
}

static void describe_push(const struct debugger *d, const struct micro_event *e, struct text *t)
{
	text_put(t, STYLE_BOLD, "push %s", e->name);
	text_add(t, " 0x%0*llx at ", (int)(2 * e->size), (unsigned long long)e->value);
	text_put(t, STYLE_ADDRESS, "0x%08llx", (unsigned long long)e->address);
	if (!strcmp(e->name, "EIP"))
		put_symbol(d, (uint32_t)e->value, t);
}

void micro_describe(const struct debugger *d, const struct micro_event *e, struct text *t)
{
	switch (e->kind) {
	case MICRO_INTERRUPT:
		describe_interrupt(d, e, t);
		break;
	case MICRO_FETCH: case MICRO_READ: case MICRO_WRITE:
		describe_access(e, t);
		break;
	case MICRO_TLB_HIT: case MICRO_TLB_FILL:
		describe_tlb(e, t);
		break;
	case MICRO_TLB_MISS:
		describe_miss(e, t);
		break;
	case MICRO_ENTRY:
		describe_entry(e, t);
		break;
	case MICRO_SET_BITS:
		describe_set_bits(e, t);
		break;
	case MICRO_TLB_DROP:
		describe_drop(e, t);
		break;
	case MICRO_PHYSICAL:
		text_add(t, "physical address ");
		text_put(t, STYLE_GOOD, "0x%08llx", (unsigned long long)e->address);
		text_add(t, " in %s", physical_words(&d->m->phys, e->address));
		break;
	case MICRO_FAULT:
		describe_fault(e, t);
		break;
	case MICRO_GATE:
		describe_gate(d, e, t);
		break;
	case MICRO_DESCRIPTOR:
		describe_descriptor(e, t);
		break;
	case MICRO_STACK:
		describe_stack(e, t);
		break;
	case MICRO_PUSH:
		describe_push(d, e, t);
		break;
	case MICRO_REGISTER: case MICRO_MEMORY:
		describe_change(d, e, t);
		break;
	case MICRO_HANDLER:
		text_put(t, STYLE_HERE, "> the handler's first instruction is at 0x%08llx", (unsigned long long)e->value);
		put_symbol(d, (uint32_t)e->value, t);
		break;
	case MICRO_DONE:
		text_put(t, STYLE_GOOD, *e->name ? "one iteration is complete, the instruction goes on" : "the instruction is complete");
		break;
	case MICRO_PORT:
		text_add(t, "port 0x%04llx: %s 0x%0*llx", (unsigned long long)e->address, e->name, (int)(2 * e->size), (unsigned long long)e->value);
		break;
	}
}
