/* emu/state/machine_fields.c: see machine_fields.h. */
#include "emu/state/machine_fields.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANY UINT64_MAX
/* 2^62 ticks are a century and a half of a guest's time: more than that would make deadlines overflow. */
#define MOST_TICKS (1ull << 62)

/* --- the list ------------------------------------------------------------------------------------------------------ */

static struct machine_field *add(struct machine_fields *f, const char *prefix, const char *name, void *data, size_t size, uint32_t count)
{
	if (f->count == f->capacity) {
		unsigned capacity = f->capacity ? 2 * f->capacity : 512;
		struct machine_field *grown = realloc(f->field, capacity * sizeof(*grown));
		if (!grown) {
			f->failed = true;
			return NULL;
		}
		f->field = grown;
		f->capacity = capacity;
	}
	struct machine_field *d = &f->field[f->count++];
	*d = (struct machine_field){ .data = data, .size = (uint32_t)size, .count = count, .stride = (uint32_t)size, .most = ANY };
	snprintf(d->name, sizeof(d->name), "%.23s.%.39s", prefix, name);
	return d;
}

static void add_bounded(struct machine_fields *f, const char *prefix, const char *name, void *data, size_t size, uint64_t most)
{
	struct machine_field *d = add(f, prefix, name, data, size, 1);

	if (d)
		d->most = most;
}

/* A member of an array of structs. */
static void add_column(struct machine_fields *f, const char *prefix, const char *name, void *data, size_t size, uint32_t count,
	size_t stride, uint64_t most)
{
	struct machine_field *d = add(f, prefix, name, data, size, count);

	if (!d)
		return;
	d->stride = (uint32_t)stride;
	d->most = most;
}

static void mark_late(struct machine_fields *f, unsigned from)
{
	for (unsigned i = from; i < f->count; i++)
		f->field[i].late = true;
}

/* --- the processor --------------------------------------------------------------------------------------------------- */

/* What a register of the processor cannot hold. Fields whose C type is bool hold 0 or 1. */
static uint64_t most_of(const char *name)
{
	static const struct { const char *name; uint64_t most; } limits[] = {
		{ "cpl", 3 }, { "mxcsr", 0xffff }, { "icount", MOST_TICKS }, { "halted", 1 }, { "shutdown", 1 }, { "intr", 1 }, { "nmi_pending", 1 },
		{ "nmi_blocked", 1 }, { "shadow", 1 }, { "shadow_debug", 1 }, { "ferr", 1 }, { "ignne", 1 }, { "repeating", 1 },
		{ "fpu.mxcsr", 0xffff },
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (!strcmp(limits[i].name, name))
			return limits[i].most;
	return ANY;
}

static void add_register(void *ctx, const char *name, void *data, size_t size)
{
	struct machine_fields *f = ctx;

	/* The flags are put together for the visit only. */
	if (!strcmp(name, "eflags")) {
		memcpy(&f->eflags, data, sizeof(f->eflags));
		data = &f->eflags;
	}
	add_bounded(f, "cpu", name, data, size, most_of(name));
}

/* A struct walk, or a column of them: all but the entries' names. */
static void add_walks(struct machine_fields *f, const char *prefix, struct walk *w, uint32_t count, size_t stride)
{
#define MEMBER(member, most) add_column(f, prefix, #member, &w->member, sizeof(w->member), count, stride, most);
	MEMBER(access.la, ANY) MEMBER(access.kind, ACCESS_FETCH) MEMBER(access.user, 1)
	MEMBER(paging.enabled, 1) MEMBER(paging.wp, 1) MEMBER(paging.pse, 1) MEMBER(paging.pge, 1) MEMBER(paging.pae, 1) MEMBER(paging.nxe, 1)
	MEMBER(paging.cr3, ANY) MEMBER(paging.pdpte, ANY)
	MEMBER(levels, 3)
	MEMBER(step[0].addr, ANY) MEMBER(step[0].value, ANY) MEMBER(step[0].set, ANY)
	MEMBER(step[1].addr, ANY) MEMBER(step[1].value, ANY) MEMBER(step[1].set, ANY)
	MEMBER(step[2].addr, ANY) MEMBER(step[2].value, ANY) MEMBER(step[2].set, ANY)
	MEMBER(page_shift, 22) MEMBER(rights, ANY) MEMBER(global, 1) MEMBER(result, WALK_PROTECTION) MEMBER(pf_code, ANY) MEMBER(pa, ANY)
#undef MEMBER
}

/* The name of a level follows from the mode. */
static void name_steps(struct walk *w)
{
	static const char *const names[] = { "PDPTE", "PDE", "PTE" };

	for (unsigned i = 0; i < 3; i++)
		w->step[i].name = i < w->levels ? names[i + !w->paging.pae < 3 ? i + !w->paging.pae : 2] : NULL;
}

static void add_histories(struct machine_fields *f, struct cpu *cpu)
{
	struct fault_record *r = cpu->faults;
	struct control_write *w = cpu->controls;

	add(f, "cpu", "fault_count", &cpu->fault_count, sizeof(cpu->fault_count), 1);
#define MEMBER(member, most) add_column(f, "cpu.faults", #member, &r->member, sizeof(r->member), FAULT_HISTORY, sizeof(*r), most);
	MEMBER(icount, ANY) MEMBER(fault.vector, ANY) MEMBER(fault.has_error, 1) MEMBER(fault.error, ANY) MEMBER(fault.cr2, ANY)
	MEMBER(fault.dr6, ANY) MEMBER(fault.unblocks_nmi, 1) MEMBER(cs, ANY) MEMBER(eip, ANY) MEMBER(ss, ANY) MEMBER(esp, ANY)
	MEMBER(cr3, ANY) MEMBER(idt_entry, ANY) MEMBER(idt_read, 1) MEMBER(external, 1)
#undef MEMBER
	add_walks(f, "cpu.faults.walk", &r->walk, FAULT_HISTORY, sizeof(*r));
	add(f, "cpu", "control_count", &cpu->control_count, sizeof(cpu->control_count), 1);
#define MEMBER(member) add_column(f, "cpu.controls", #member, &w->member, sizeof(w->member), CONTROL_HISTORY, sizeof(*w), ANY);
	MEMBER(icount) MEMBER(eip) MEMBER(reg) MEMBER(old) MEMBER(value)
#undef MEMBER
}

/* --- devices and the rest -------------------------------------------------------------------------------------------- */

void machine_device_label(const struct machine *m, unsigned device, char *buf, size_t size)
{
	const char *name = m->device[device]->ops->name;
	unsigned before = 0;

	for (unsigned i = 0; i < device; i++)
		before += !strcmp(m->device[i]->ops->name, name);
	if (before)
		snprintf(buf, size, "%s[%u]", name, before);
	else
		snprintf(buf, size, "%s", name);
}

static void add_device(struct machine_fields *f, unsigned n)
{
	struct device *dev = f->machine->device[n];
	char label[FIELD_NAME];

	machine_device_label(f->machine, n, label, sizeof(label));
	f->version[n] = dev->ops->state_version;
	add_bounded(f, label, "version", &f->version[n], sizeof(f->version[n]), dev->ops->state_version);
	for (const struct reg_desc *r = dev->ops->regs; r->name; r++)
		add(f, label, r->name, (uint8_t *)dev + r->offset, r->bytes, r->count);
}

static void add_fixed(struct machine_fields *f, const char *name, void *data, size_t size)
{
	struct machine_field *d = add(f, "machine", name, data, size, 1);

	if (d)
		d->fixed = true;
}

static void add_machine(struct machine_fields *f, struct machine *m)
{
	f->tlb_entries = m->mmu.geometry.entries;
	f->tlb_ways = m->mmu.geometry.ways;
	add_fixed(f, "memory", &m->phys.ram_size, sizeof(m->phys.ram_size));
	add_fixed(f, "tlb_entries", &f->tlb_entries, sizeof(f->tlb_entries));
	add_fixed(f, "tlb_ways", &f->tlb_ways, sizeof(f->tlb_ways));
#define MEMBER(member, most) add_bounded(f, "machine", #member, &m->member, sizeof(m->member), most);
	MEMBER(skipped, MOST_TICKS) MEMBER(seed, ANY) MEMBER(a20_open, 3) MEMBER(nmi_waiting, 1)
	MEMBER(want_stop, 1) MEMBER(want_power_off, 1) MEMBER(want_debug_exit, 1) MEMBER(want_reset, 1) MEMBER(reset_is_init, 1)
	MEMBER(exit_value, ANY) MEMBER(resets, ANY)
#undef MEMBER
}

static void add_mmu(struct machine_fields *f, struct mmu *mmu)
{
	add_walks(f, "mmu.last_fault", &mmu->last_fault, 1, sizeof(mmu->last_fault));
	unsigned first = f->count;
#define MEMBER(member) add(f, "mmu.stats", #member, &mmu->stats.member, sizeof(mmu->stats.member), 1);
	/* The flat TLB's hits go through the fast tables, which come and go: their number means nothing. */
	if (mmu->geometry.entries)
		MEMBER(hits)
	MEMBER(misses) MEMBER(walks) MEMBER(flushes) MEMBER(evictions)
#undef MEMBER
	mark_late(f, first);
}

int machine_fields_collect(struct machine_fields *f, struct machine *m)
{
	*f = (struct machine_fields){ .machine = m };
	add_machine(f, m);
	cpu_visit_state(&m->cpu, add_register, f);
	add_histories(f, &m->cpu);
	for (unsigned i = 0; i < m->devices; i++)
		add_device(f, i);
	add_mmu(f, &m->mmu);
	if (!f->failed)
		return 0;
	machine_fields_free(f);
	return -ENOMEM;
}

void machine_fields_free(struct machine_fields *f)
{
	free(f->field);
	*f = (struct machine_fields){ 0 };
}

/* --- loading --------------------------------------------------------------------------------------------------------- */

void machine_fields_reset(struct machine *m)
{
	for (unsigned i = 0; i < m->devices; i++)
		m->device[i]->ops->reset(m->device[i]);
	mmu_reset(&m->mmu);
	cpu_reset(&m->cpu);
	m->cpu.fault_count = m->cpu.control_count = 0;
}

static void visit_nothing(void *ctx, const char *name, void *data, size_t size)
{
	(void)ctx, (void)name, (void)data, (void)size;
}

/* A mode that the flags and CPL contradict is not left to the processor to make sense of. */
static void settle_mode(struct machine_fields *f, struct cpu *cpu)
{
	if (!(cpu->cr0 & CR0_PE)) {
		f->eflags &= ~F_VM;
		cpu->cr0 &= ~CR0_PG;
		cpu->cpl = 0;
	} else if (f->eflags & F_VM) {
		cpu->cpl = 3;
	}
}

void machine_fields_stored(struct machine_fields *f)
{
	struct machine *m = f->machine;
	uint8_t a20_open = m->a20_open;

	settle_mode(f, &m->cpu);
	cpu_set_eflags(&m->cpu, f->eflags);
	cpu_visit_state(&m->cpu, visit_nothing, NULL);
	m->phys.a20_mask = m->a20_open ? 0xffffffff : 0xffefffff;
	mmu_flush_all(&m->mmu);
	for (unsigned i = 0; i < FAULT_HISTORY; i++)
		name_steps(&m->cpu.faults[i].walk);
	name_steps(&m->mmu.last_fault);
	for (unsigned i = 0; i < m->devices; i++)
		if (m->device[i]->ops->restored)
			m->device[i]->ops->restored(m->device[i]);
	/* At power-on both gates are open whatever port 92 reads: the gates are not what the devices have just made of them. */
	m->a20_open = a20_open;
	m->phys.a20_mask = m->a20_open ? 0xffffffff : 0xffefffff;
}
