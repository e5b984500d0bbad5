/* emu/debug/explain/micro.c: see micro.h. One instruction is run with an observer that writes down what it hears.
 *
 *   instruction() ... walked() tlb_changed() translated() ...       accesses in their order
 *   exception()  -> gate, TSS, stack, frame: accesses again         (again for each fault on the way: double faults)
 *   delivered()  -> what the frame holds now, registers that changed, the handler
 *   nothing more -> registers and memory that changed, done
 *
 * The moment the machine runs to is one that history then knows; going back is history's. Breakpoints and other observers are kept quiet.
 */
#include <stdlib.h>
#include <string.h>

#include "cpu/insn.h"
#include "emu/debug/going.h"
#include "emu/debug/explain/micro_private.h"
#include "emu/disasm.h"

/* --- one access ---------------------------------------------------------------------------------------------------------- */

static void interrupt_accepted(struct micro_recorder *r, const struct access *a)
{
	const struct cpu *cpu = &r->m->cpu;
	struct micro_event *e = micro_add(r, MICRO_INTERRUPT);

	if (e)
		e->value = (a->la - cpu->idtr.base) / (cpu->cr0 & CR0_PE ? 8 : 4);
}

static void tell_stack(struct micro_recorder *r)
{
	const struct cpu *cpu = &r->m->cpu;
	struct delivery_plan *p = &r->plan;
	struct micro_event *e = p->told_stack ? NULL : micro_add(r, MICRO_STACK);
	bool wide = cpu->seg[SEG_TR].access & 8;
	uint8_t field[6] = { 0 };
	laddr_t la = cpu->seg[SEG_TR].base + (wide ? 4 + 8 * p->ring : 2 + 4 * p->ring);

	p->told_stack = true;
	if (!e)
		return;
	peek_bytes(cpu, la, field, wide ? 6 : 4);
	e->level = p->ring;
	e->old = (uint64_t)cpu->seg[SEG_SS].selector << 32 | cpu->r[R_ESP];
	if (wide)
		e->value = (uint64_t)(field[4] | field[5] << 8) << 32 | (field[0] | field[1] << 8 | field[2] << 16 | (uint32_t)field[3] << 24);
	else
		e->value = (uint64_t)(field[2] | field[3] << 8) << 32 | (field[0] | field[1] << 8);
}

static void begin_access(struct micro_recorder *r, const struct access *a)
{
	static const enum micro_kind kinds[] = { [ACCESS_READ] = MICRO_READ, [ACCESS_WRITE] = MICRO_WRITE, [ACCESS_FETCH] = MICRO_FETCH };
	struct micro_event *e;

	if (!r->began && !r->delivering && !r->u->count)
		interrupt_accepted(r, a);
	r->role = access_role(r, a, r->name);
	if (r->role == ROLE_PUSH && r->plan.inner)
		tell_stack(r);
	r->walk.access = *a;
	e = micro_add(r, kinds[a->kind]);
	if (e)
		micro_name(e, r->name);
}

static void keep_page(struct micro_recorder *r, paddr_t pa, laddr_t la)
{
	struct page_before *p;

	pa &= ~(paddr_t)PG_OFFSET;
	if (phys_kind_of(&r->m->phys, pa, NULL) != PHYS_RAM)
		return;
	for (p = r->pages; p; p = p->next)
		if (p->pa == pa)
			return;
	p = malloc(sizeof(*p));
	if (!p) {
		r->failed = true;
		return;
	}
	*p = (struct page_before){ .pa = pa, .la = la & PG_FRAME };
	phys_copy_out(&r->m->phys, pa, p->byte, PAGE_SIZE);
	*r->last_page = p;
	r->last_page = &p->next;
}

/* An 8-byte entry is read in two halves: told once, whole. */
static void tell_entry(struct micro_recorder *r, const struct access *a)
{
	bool real = !(r->m->cpu.cr0 & CR0_PE);
	laddr_t la = a->la - (real ? 0 : (a->la - (r->role == ROLE_GATE ? r->m->cpu.idtr.base : 0)) & 7);
	struct micro_event *e;
	uint64_t value = 0;

	if (a->kind != ACCESS_READ || (r->role != ROLE_GATE && r->role != ROLE_DESCRIPTOR))
		return;
	if (r->role == ROLE_DESCRIPTOR)
		la = a->la & ~7u;
	peek_bytes(&r->m->cpu, la, &value, real ? 4 : 8);
	e = micro_add(r, r->role == ROLE_GATE ? MICRO_GATE : MICRO_DESCRIPTOR);
	if (e) {
		micro_name(e, r->name);
		e->address = la;
		e->value = value;
		e->size = real ? 4 : 8;
	}
	r->entry_done = la;
	if (r->role != ROLE_GATE)
		return;
	if (real)
		plan_real_mode(r);
	else
		plan_delivery(r, la);
}

/* Hits that say nothing new: the second half of an entry, further fields of a TSS. */
static bool nothing_new(struct micro_recorder *r, const struct access *a)
{
	char name[16];

	if (a->kind == ACCESS_READ && a->la - r->entry_done < 8 && a->la != r->entry_done)
		return true;
	if (a->la >> PAGE_SHIFT != r->tss_page >> PAGE_SHIFT || !r->tss_page || r->plan.inner)
		return false;
	struct delivery_plan plan = r->plan;
	bool tss = access_role(r, a, name) == ROLE_TSS;
	r->plan = plan;
	return tss;
}

/* --- what is heard ----------------------------------------------------------------------------------------------------------- */

static void on_instruction(void *owner, struct machine *m)
{
	struct micro_recorder *r = owner;
	struct insn in;
	uint8_t bytes[INSN_MAX];
	size_t n = peek_linear(&m->cpu, m->cpu.seg[SEG_CS].base + m->cpu.eip, bytes, sizeof(bytes));

	r->began = true;
	if (decode(bytes, (unsigned)n, m->cpu.seg[SEG_CS].flags & SEG_FLAG_DB, &in) == DECODE_OK && insn_table[in.row].map == 1)
		r->software = (in.opcode >= 0xcc && in.opcode <= 0xce) || in.opcode == 0xf1;
}

static void on_walked(void *owner, struct machine *m, const struct walk *w)
{
	struct micro_recorder *r = owner;
	const struct tlb_entry *held = mmu_tlb_probe(&m->mmu, w->access.la);
	struct micro_event *e;

	r->walk = *w;
	begin_access(r, &w->access);
	r->walking = true;
	e = micro_add(r, MICRO_TLB_MISS);
	if (e && held)                 /* found, but it does not suffice */
		micro_name(e, w->access.kind == ACCESS_WRITE && held->flags & TLB_W && !(held->flags & TLB_D) ? "not dirty" : "rights");
	for (unsigned i = 0; i < w->levels; i++) {
		e = micro_add(r, MICRO_ENTRY);
		if (e) {
			e->level = i;
			e->address = w->step[i].addr;
			e->value = w->step[i].value;
		}
	}
	for (unsigned i = 0; i < w->levels && w->result == WALK_OK; i++) {
		e = w->step[i].set ? micro_add(r, MICRO_SET_BITS) : NULL;
		if (!e)
			continue;
		e->level = i;
		e->address = w->step[i].addr;
		e->old = w->step[i].value;
		e->value = w->step[i].value | w->step[i].set;
		micro_name(e, w->step[i].name);
	}
}

static void tell_drop(struct micro_recorder *r, const struct tlb_entry *old)
{
	struct micro_event *last = r->u->count ? &r->u->event[r->u->count - 1] : NULL;
	struct micro_event *e;

	if (last && last->kind == MICRO_TLB_DROP) {
		last->value++;
		return;
	}
	e = micro_add(r, MICRO_TLB_DROP);
	if (e) {
		e->value = 1;
		e->access.la = old->vpn << PAGE_SHIFT;
	}
}

static void on_tlb_changed(void *owner, struct machine *m, const struct tlb_entry *old, const struct tlb_entry *new)
{
	struct micro_recorder *r = owner;

	(void)m;
	/* What replaces the entry of its own page is told by translated(). */
	if (old && (!new || new->vpn != old->vpn))
		tell_drop(r, old);
}

static void on_translated(void *owner, struct machine *m, const struct access *a, const struct tlb_entry *te, bool hit)
{
	struct micro_recorder *r = owner;
	paddr_t pa = (paddr_t)te->frame << PAGE_SHIFT | (a->la & PG_OFFSET);
	struct micro_event *e;

	if (a->kind == ACCESS_WRITE)
		keep_page(r, pa, a->la);
	if (!r->walking && hit && nothing_new(r, a))
		return;
	if (!r->walking) {
		page_walk(&m->phys, &m->mmu.pg, a, &r->walk);
		begin_access(r, a);
	}
	if (m->mmu.pg.enabled) {
		e = micro_add(r, hit ? MICRO_TLB_HIT : MICRO_TLB_FILL);
		if (e) {
			e->value = te->frame;
			e->old = te->flags;
		}
	}
	r->walking = false;
	e = micro_add(r, MICRO_PHYSICAL);
	if (e)
		e->address = pa;
	if (r->role == ROLE_TSS)
		r->tss_page = a->la;
	tell_entry(r, a);
}

static void tell_fault(struct micro_recorder *r, const struct fault_record *f, const char *name)
{
	struct micro_event *e;

	if (f->fault.vector == VEC_PF)
		r->walk = f->walk;
	e = micro_add(r, MICRO_FAULT);
	if (!e)
		return;
	e->fault = *f;
	micro_name(e, name);
}

static bool on_exception(void *owner, struct machine *m, const struct fault_record *f)
{
	struct micro_recorder *r = owner;

	(void)m;
	tell_fault(r, f, r->delivering || r->plan.active ? "in delivery" : "");
	r->delivering = true;
	r->walking = false;
	r->fault = *f;
	r->plan = (struct delivery_plan){ 0 };
	r->entry_done = 1;             /* no entry: none is at an odd address */
	return false;
}

static void on_port(void *owner, struct machine *m, uint16_t port, unsigned size, bool write, uint32_t value)
{
	struct micro_recorder *r = owner;
	struct micro_event *e = micro_add(r, MICRO_PORT);

	(void)m;
	if (!e)
		return;
	e->address = port;
	e->size = size;
	e->value = value;
	micro_name(e, write ? "out" : "in");
}

/* --- the end --------------------------------------------------------------------------------------------------------------------- */

static void on_delivered(void *owner, struct machine *m, const struct fault_record *f)
{
	struct micro_recorder *r = owner;
	struct micro_event *e;

	(void)f;
	r->delivered = true;
	micro_tell_pushes(r);
	micro_tell_memory(r);
	micro_tell_registers(r);
	e = micro_add(r, MICRO_HANDLER);
	if (e)
		e->value = m->cpu.seg[SEG_CS].base + m->cpu.eip;
}

static void finish(struct micro_recorder *r)
{
	const struct cpu *cpu = &r->m->cpu;

	if (r->delivered)
		return;
	if (cpu->shutdown && !r->before.shutdown && cpu->fault_count) {
		tell_fault(r, &cpu->faults[(cpu->fault_count - 1) % FAULT_HISTORY], "in delivery");
		tell_fault(r, &cpu->faults[(cpu->fault_count - 1) % FAULT_HISTORY], "shutdown");
		return;
	}
	if (!r->began)
		return;
	micro_tell_memory(r);
	micro_tell_registers(r);
	struct micro_event *e = micro_add(r, MICRO_DONE);
	if (e && cpu->repeating)
		micro_name(e, "iteration");
}

/* --- the whole ---------------------------------------------------------------------------------------------------------------------- */

static int run_once(struct micro_recorder *r, char *err)
{
	struct observer o = {
		.name = "walk step", .owner = r, .even_quiet = true, .instruction = on_instruction, .exception = on_exception,
		.delivered = on_delivered, .port = on_port, .walked = on_walked, .translated = on_translated, .tlb_changed = on_tlb_changed,
	};
	struct machine *m = r->m;

	machine_observe(m, &o);
	machine_watch_all(m, true);
	machine_quiet(m, true);
	r->d->going->live = !debugger_in_past(r->d);
	history_run(r->d->h, 1);
	machine_quiet(m, false);
	machine_watch_all(m, false);
	machine_unobserve(m, &o);
	finish(r);
	return history_goto_tick(r->d->h, r->u->at.tick, NULL, err) == HISTORY_OK ? 0 : -1;
}

static void free_pages(struct micro_recorder *r)
{
	for (struct page_before *p = r->pages, *next; p; p = next) {
		next = p->next;
		free(p);
	}
}

int micro_begin(struct debugger *d, struct micro *u, char *err)
{
	struct micro_recorder r = { .d = d, .m = d->m, .u = u, .entry_done = 1 };
	int result;

	r.last_page = &r.pages;
	memset(u, 0, sizeof(*u));
	u->at = history_now(d->h);
	if (!history_in_past(d->h) && history_ended(d->h) != MACHINE_RAN) {
		snprintf(err, ERROR_LINE, "the machine has ended: there is no next instruction");
		return -1;
	}
	r.before = d->m->cpu;
	result = run_once(&r, err);
	free_pages(&r);
	if (!result && r.failed) {
		snprintf(err, ERROR_LINE, "walk step: out of memory");
		result = -1;
	} else if (!result && !u->count) {
		snprintf(err, ERROR_LINE, "the processor is halted: nothing happens until an interrupt comes");
		result = -1;
	}
	if (result)
		micro_free(u);
	return result;
}

void micro_free(struct micro *u)
{
	free(u->event);
	memset(u, 0, sizeof(*u));
}
