/* tests/silicon/emulator.c: see emulator.h.
 *
 * PAE paging with no-execute pages, as 64-bit Linux has, so that page-fault error codes are those of the host. The GDT has
 * Linux's two segments for 32-bit programs and nothing else: whatever leads elsewhere is a fault. The LDT is that of layout.h.
 */
#include "emulator.h"

#include <stdlib.h>
#include <string.h>

#include "cpu/insn.h"

enum { PDPT = 0x1000, GDT = 0x2000 /* physical */, TABLES = 0x3000, PAGES = 0x40000, BUDGET = 14000 };
#define GDT_LIMIT 0x7fu
#define LDT_OFFSET 0x100u          /* in the page of the GDT */

static uint32_t port_in(void *owner, uint16_t port, unsigned size) { (void)owner, (void)port, (void)size; return 0xffffffff; }
static void port_out(void *owner, uint16_t port, unsigned size, uint32_t v) { (void)owner, (void)port, (void)size, (void)v; }
static int acknowledge(void *owner) { (void)owner; return 0; }
static uint64_t now(void *owner) { (void)owner; return 0; }

static bool stop_at_exception(void *owner, const struct cpu *cpu, const struct fault_record *r)
{
	struct sil_emulator *e = owner;

	(void)cpu;
	e->fault = r->fault;
	e->stopped = true;
	return true;
}

static void put64(struct sil_emulator *e, uint32_t pa, uint64_t v)
{
	phys_write(&e->phys, pa, 4, (uint32_t)v);
	phys_write(&e->phys, pa + 4, 4, (uint32_t)(v >> 32));
}

static uint64_t get64(struct sil_emulator *e, uint32_t pa)
{
	return phys_read(&e->phys, pa, 4) | (uint64_t)phys_read(&e->phys, pa + 4, 4) << 32;
}

/* The table an entry names, made when there is none; *next is the first free page. */
static uint32_t table_of(struct sil_emulator *e, uint32_t entry, uint32_t rights, uint32_t *next)
{
	if (!get64(e, entry)) {
		put64(e, entry, *next | rights);
		*next += SIL_PAGE;
	}
	return (uint32_t)get64(e, entry) & PG_FRAME;
}

static void map_page(struct sil_emulator *e, uint32_t la, uint64_t entry, uint32_t *next)
{
	uint32_t directory = table_of(e, PDPT + 8 * (la >> 30), PG_P, next);
	uint32_t table = table_of(e, directory + 8 * (la >> 21 & 0x1ff), PG_P | PG_W | PG_U, next);

	put64(e, table + 8 * (la >> 12 & 0x1ff), entry | PG_P);
}

static void map_pages(struct sil_emulator *e)
{
	static const uint64_t rights[SIL_PAGES] = { 0, PG_W | PG_NX, PG_W | PG_NX, PG_NX, PG_W | PG_NX };
	uint32_t next = TABLES;

	for (unsigned page = 0; page < SIL_PAGES; page++) {
		uint8_t bytes[SIL_PAGE];

		e->pa[page] = PAGES + page * SIL_PAGE;
		e->page[page] = e->phys.ram + e->pa[page];
		map_page(e, sil_page_address(page), e->pa[page] | PG_U | rights[page], &next);
		sil_background(bytes, page);
		phys_copy_in(&e->phys, e->pa[page], bytes, SIL_PAGE);
	}
	map_page(e, SIL_PAD, GDT | PG_W, &next);       /* ring 3 has no business there */
}

static uint64_t descriptor(const struct sil_segment *s)
{
	uint32_t lo = (s->limit & 0xffff) | s->base << 16;
	uint32_t hi = (s->base >> 16 & 0xff) | (uint32_t)s->access << 8 | (s->limit & 0xf0000) | (uint32_t)s->flags << 20 | (s->base & 0xff000000);

	return lo | (uint64_t)hi << 32;
}

void sil_emulator_open(struct sil_emulator *e)
{
	struct cpu_bus bus = { port_in, port_out, acknowledge, now, NULL, NULL };

	memset(e, 0, sizeof(*e));
	if (phys_init(&e->phys, 1 << 20) || mmu_init(&e->mmu, &e->phys, (struct tlb_geometry) { 0, 0 }) || cpu_init(&e->cpu, &e->mmu, &bus))
		abort();
	map_pages(e);
	put64(e, GDT + (SIL_CS & ~7u), descriptor(sil_segment(SIL_CS)));
	put64(e, GDT + (SIL_DS & ~7u), descriptor(sil_segment(SIL_DS)));
	for (unsigned i = 0; i < SIL_SEGMENTS; i++)
		put64(e, GDT + LDT_OFFSET + 8 * i, descriptor(&sil_ldt[i]));
	e->cpu.gdtr = (struct table_register) { SIL_PAD, GDT_LIMIT };
	e->cpu.idtr = (struct table_register) { 0, 0 };
	e->cpu.efer = EFER_NXE;
	cpu_set_cr4(&e->cpu, CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT);
	cpu_set_cr3(&e->cpu, PDPT);
	cpu_set_cr0(&e->cpu, CR0_PE | CR0_PG | CR0_ET | CR0_MP | CR0_NE | CR0_WP | CR0_AM);
	cpu_set_cr3(&e->cpu, PDPT);
	cpu_set_segment(&e->cpu, SEG_TR, 0x40, 0, 0x20, 0x8b, 0);              /* no I/O permission bitmap */
	cpu_set_segment(&e->cpu, SEG_LDTR, 0x50, SIL_PAD + LDT_OFFSET, 8 * SIL_SEGMENTS - 1, 0x82, 0);
	for (unsigned seg = 0; seg < 6; seg++)
		cpu_set_segment(&e->cpu, seg, 0xffff, 0, 0, 0, 0);
	e->cpu.watch.exception = stop_at_exception;
	e->cpu.watch.owner = e;
}

void sil_emulator_close(struct sil_emulator *e)
{
	cpu_free(&e->cpu);
	mmu_free(&e->mmu);
	phys_free(&e->phys);
}

void sil_emulator_write(struct sil_emulator *e, unsigned page, unsigned offset, const void *bytes, unsigned n)
{
	phys_copy_in(&e->phys, e->pa[page] + offset, bytes, n);
}

static void set_segment(struct cpu *cpu, unsigned seg, uint16_t selector)
{
	const struct sil_segment *d = sil_segment(selector);

	cpu_set_segment(cpu, seg, selector, d->base, d->flags & SEG_FLAG_G ? d->limit << 12 | 0xfff : d->limit, d->access, d->flags);
}

static void load_fpu(struct fpu *f, const struct sil_fpu *in)
{
	unsigned top = in->status >> 11 & 7;

	f->control = in->control;
	f->status = in->status;
	f->valid = in->valid;
	f->opcode = in->opcode;
	f->ip = in->ip, f->cs = in->cs, f->dp = in->dp, f->ds = in->ds;
	f->mxcsr = in->mxcsr;
	for (unsigned i = 0; i < 8; i++)
		f->r[(top + i) & 7] = (struct x87_reg) { in->st[i].mantissa, in->st[i].exponent };
	memcpy(f->xmm, in->xmm, sizeof(f->xmm));
}

static void store_fpu(const struct fpu *f, struct sil_fpu *out)
{
	unsigned top = f->status >> 11 & 7;

	memset(out, 0, sizeof(*out));
	out->control = f->control;
	out->status = f->status;
	out->valid = f->valid;
	out->opcode = f->opcode;
	out->ip = f->ip, out->cs = f->cs, out->dp = f->dp, out->ds = f->ds;
	out->mxcsr = f->mxcsr;
	for (unsigned i = 0; i < 8; i++) {
		out->st[i].mantissa = f->r[(top + i) & 7].mantissa;
		out->st[i].exponent = f->r[(top + i) & 7].exponent;
	}
	memcpy(out->xmm, f->xmm, sizeof(out->xmm));
}

static void load(struct cpu *cpu, const struct sil_state *in)
{
	bool alignment = (cpu->eflags ^ in->eflags) & F_AC;    /* whether a segment needs no checks depends on AC */

	memcpy(cpu->r, in->r, sizeof(in->r));
	cpu->eip = in->eip;
	cpu_set_eflags(cpu, in->eflags);
	for (unsigned seg = 0; seg < 6; seg++)
		if (alignment || cpu->seg[seg].selector != in->seg[seg])
			set_segment(cpu, seg, in->seg[seg]);
	if (cpu->cpl != 3)
		cpu_set_cpl(cpu, 3);
	load_fpu(&cpu->fpu, &in->fpu);
	cpu->pending_dr6 = 0;
	cpu->shadow = cpu->shadow_debug = cpu->halted = cpu->shutdown = false;
	cpu->fault_count = 0;
}

static unsigned insn_length(struct sil_emulator *e, uint32_t eip)
{
	struct insn in;

	decode(e->page[PAGE_CODE] + (eip & 0xfff), SIL_PAGE - (eip & 0xfff), e->cpu.seg[SEG_CS].flags & SEG_FLAG_DB, &in);
	return in.len;
}

static void watch_nothing(void *owner, const struct cpu *cpu) { (void)owner, (void)cpu; }

void sil_emulator_run(struct sil_emulator *e, const struct sil_state *in, bool single, uint32_t end, struct sil_result *out)
{
	struct cpu *cpu = &e->cpu;

	load(cpu, in);
	cpu->watch.instruction = single ? watch_nothing : NULL;
	e->stopped = false;
	cpu_run(cpu, BUDGET);
	memcpy(out->state.r, cpu->r, sizeof(out->state.r));
	out->state.eip = cpu->eip;
	out->state.eflags = cpu_eflags(cpu);
	for (unsigned seg = 0; seg < 6; seg++)
		out->state.seg[seg] = cpu->seg[seg].selector < 4 ? 0 : cpu->seg[seg].selector;         /* as native_run has it */
	store_fpu(&cpu->fpu, &out->state.fpu);
	out->vector = !e->stopped ? SIL_HUNG : e->fault.vector;
	out->error = e->stopped && e->fault.has_error ? e->fault.error : 0;
	out->cr2 = out->vector == VEC_PF ? e->fault.cr2 : 0;
	if (out->vector == VEC_GP && (out->error == 8 * VEC_BP + 2 || out->error == 8 * VEC_OF + 2)) {
		/* INT3 or INTO: the IDT has no gates, but the vector shows in the error code. */
		out->vector = (int)(out->error >> 3);
		out->error = 0;
		out->state.eip += insn_length(e, cpu->eip);
	} else if (out->vector == VEC_GP && out->error == 0x30 && cpu->eip == end) {
		out->vector = SIL_ENDED;
		out->error = 0;
		out->state.eip = 0;
	}
}
