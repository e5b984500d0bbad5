/* emu/debug/explain/micro_roles.c: what an access inside an instruction is for, told by where it goes.
 *
 * The processor's own accesses (IDT, GDT, LDT, TSS, the frame it pushes) are supervisor accesses to known places. While an event is being
 * delivered, writes anywhere else open the slots of the frame, from the top down; the gate says which they are:
 *
 *   [GS FS DS ES]  [SS ESP]  EFLAGS CS EIP [error code]
 *    from V86       inner                   if the exception has one
 *
 * References: [SDM3A 6.12.1 "Exception- or Interrupt-Handler Procedures"], [SDM3A 7.3 "Task Switching"], [SDM3B 20.3.1 "Class 1--Hardware
 * Interrupt and Exception Handling in Virtual-8086 Mode"].
 */
#include <stdio.h>
#include <string.h>

#include "emu/debug/explain/micro_private.h"

static bool within(laddr_t la, laddr_t base, uint32_t limit) { return la - base <= limit; }

static void add_slots(struct delivery_plan *p, const char *const *names, unsigned n)
{
	for (unsigned i = 0; i < n && p->names < FRAME_SLOTS; i++)
		p->name[p->names++] = names[i];
}

/* --- the frame ------------------------------------------------------------------------------------------------------ */

static void plan_frame(struct micro_recorder *r, const struct gate *g)
{
	static const char *const segments[] = { "GS", "FS", "DS", "ES" }, *const stack[] = { "SS", "ESP" },
		*const back[] = { "EFLAGS", "CS", "EIP" }, *const error[] = { "error code" };
	struct delivery_plan *p = &r->plan;
	struct descriptor_view code = descriptor_peek(&r->m->cpu, g->selector);
	bool conforming = (code.access & 0x1c) == 0x1c;

	p->size = g->wide ? 4 : 2;
	p->ring = code.access >> 5 & 3;
	p->inner = code.known && !conforming && p->ring < r->m->cpu.cpl;
	if (p->inner && cpu_eflags(&r->m->cpu) & F_VM)
		add_slots(p, segments, 4);
	if (p->inner)
		add_slots(p, stack, 2);
	add_slots(p, back, 3);
	if (r->delivering && r->fault.fault.has_error)
		add_slots(p, error, 1);
}

static void plan_task(struct micro_recorder *r, const struct gate *g)
{
	struct descriptor_view tss = descriptor_peek(&r->m->cpu, g->selector);
	struct delivery_plan *p = &r->plan;

	p->task = true;
	p->new_tss = tss.base;
	p->new_tss_limit = tss.known ? tss.limit : 0;
	p->new_wide = tss.access & 8;
	p->size = p->new_wide ? 4 : 2;
	if (r->delivering && r->fault.fault.has_error)
		p->name[p->names++] = "error code";
}

void plan_delivery(struct micro_recorder *r, laddr_t gate)
{
	uint8_t bytes[8];

	r->plan = (struct delivery_plan){ .active = true };
	if (!peek_bytes(&r->m->cpu, gate, bytes, 8))
		return;
	struct gate g = gate_decode(bytes);
	if (g.type == GATE_TASK)
		plan_task(r, &g);
	else if (g.type != GATE_NONE)
		plan_frame(r, &g);
}

void plan_real_mode(struct micro_recorder *r)
{
	static const char *const back[] = { "FLAGS", "CS", "IP" };

	r->plan = (struct delivery_plan){ .active = true, .size = 2 };
	add_slots(&r->plan, back, 3);
}

/* --- places ----------------------------------------------------------------------------------------------------------- */

static bool is_gate(const struct micro_recorder *r, const struct access *a)
{
	const struct cpu *cpu = &r->m->cpu;

	return (!r->began || r->delivering || r->software) && a->kind == ACCESS_READ && !a->user && within(a->la, cpu->idtr.base, cpu->idtr.limit);
}

static bool is_descriptor(const struct micro_recorder *r, const struct access *a, bool *local)
{
	const struct cpu *cpu = &r->m->cpu;
	const struct segment *ldt = &cpu->seg[SEG_LDTR];

	*local = ldt->access && ldt->selector & 0xfffc && within(a->la, ldt->base, ldt->limit);
	return cpu->cr0 & CR0_PE && a->kind != ACCESS_FETCH && !a->user && (*local || within(a->la, cpu->gdtr.base, cpu->gdtr.limit));
}

static bool tss_role(const struct micro_recorder *r, const struct access *a, char name[16])
{
	const struct cpu *cpu = &r->m->cpu;
	const struct segment *tr = &cpu->seg[SEG_TR];
	const struct delivery_plan *p = &r->plan;
	bool new = p->task && within(a->la, p->new_tss, p->new_tss_limit), wide = new ? p->new_wide : tr->access & 8;
	const char *field;

	if (!(cpu->cr0 & CR0_PE) || a->kind == ACCESS_FETCH || a->user || (!new && (!(tr->selector & 0xfffc) || !within(a->la, tr->base, tr->limit))))
		return false;
	field = tss_field(wide, a->la - (new ? p->new_tss : tr->base));
	if (!field)
		return false;
	snprintf(name, 16, "%sTSS %s", new ? "new " : "", field);
	return true;
}

/* The part of a slot that lies in the next page is opened on its own. */
static bool slot_continues(const struct delivery_plan *p, laddr_t la)
{
	return p->opened && !(la & PG_OFFSET) && la - p->slot[p->opened - 1] < p->size && la != p->slot[p->opened - 1];
}

static bool push_role(struct micro_recorder *r, const struct access *a, char name[16])
{
	struct delivery_plan *p = &r->plan;
	unsigned n = p->opened;

	if (!p->active || a->kind != ACCESS_WRITE)
		return false;
	if (slot_continues(p, a->la))
		n--;
	else if (n < p->names)
		p->slot[p->opened++] = a->la;
	if (n >= p->names)
		return false;
	snprintf(name, 16, "push %s", p->name[n]);
	return true;
}

enum role access_role(struct micro_recorder *r, const struct access *a, char name[16])
{
	const struct cpu *cpu = &r->m->cpu;
	bool local;

	name[0] = '\0';
	if (a->kind == ACCESS_FETCH)
		return ROLE_PLAIN;
	if (is_gate(r, a)) {
		bool real = !(cpu->cr0 & CR0_PE);
		snprintf(name, 16, "%s %u", real ? "vector" : "IDT gate", (a->la - cpu->idtr.base) / (real ? 4 : 8) & 0xff);
		return ROLE_GATE;
	}
	if (tss_role(r, a, name))
		return ROLE_TSS;
	if (is_descriptor(r, a, &local)) {
		snprintf(name, 16, "%s entry %04x", local ? "LDT" : "GDT", (a->la - (local ? cpu->seg[SEG_LDTR].base : cpu->gdtr.base)) & 0xfff8u);
		return ROLE_DESCRIPTOR;
	}
	if (push_role(r, a, name))
		return ROLE_PUSH;
	if (a->la - (cpu->seg[SEG_SS].base + cpu->r[R_ESP]) + 32 < 64)
		snprintf(name, 16, "stack");
	return ROLE_PLAIN;
}
