/* tests/cpu/world.c: see world.h. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

const char *const world_mode_name[] = { "ring 0, 32-bit", "ring 0, 16-bit", "ring 3, 32-bit", "ring 3, 16-bit", "virtual-8086" };

/* --- ports: reads give a value made of port and count, and everything is logged, so that a repeated access shows --- */

static uint32_t port_in(void *owner, uint16_t port, unsigned size)
{
	struct world *w = owner;

	w->port_log[w->port_count++ % PORT_LOG] = 0x10000u * size + port;
	return (port + w->port_count) * 0x01020304u;
}

static void port_out(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	struct world *w = owner;

	w->port_log[w->port_count++ % PORT_LOG] = 0x80000000u + 0x10000u * size + port + (value << 20);
}

static int acknowledge(void *owner)
{
	(void)owner;
	return 0x20;
}

/* Time stands still, so that a run with extra faults reads the same time-stamp. */
static uint64_t now(void *owner)
{
	(void)owner;
	return 1000;
}

/* --- pristine memory --- */

static void put64(struct world *w, uint32_t address, uint32_t lo, uint32_t hi)
{
	memcpy(&w->pristine[address], &lo, 4);
	memcpy(&w->pristine[address + 4], &hi, 4);
}

static void put32(struct world *w, uint32_t address, uint32_t value)
{
	memcpy(&w->pristine[address], &value, 4);
}

static void put16(struct world *w, uint32_t address, uint16_t value)
{
	memcpy(&w->pristine[address], &value, 2);
}

static void descriptor(struct world *w, uint16_t selector, uint32_t base, uint32_t limit, uint8_t access, uint8_t flags)
{
	put64(w, GDT + (selector & ~7u), (limit & 0xffff) | base << 16,
	      (base >> 16 & 0xff) | (uint32_t)access << 8 | (limit & 0xf0000) | (uint32_t)flags << 20 | (base & 0xff000000));
}

static void gate(struct world *w, uint32_t address, uint16_t selector, uint32_t offset, uint8_t access, uint8_t params)
{
	put64(w, address, (offset & 0xffff) | (uint32_t)selector << 16, (offset & 0xffff0000) | (uint32_t)access << 8 | params);
}

static void build_gdt(struct world *w)
{
	descriptor(w, KCODE32, 0, 0xfffff, 0x9b, 0xc);
	descriptor(w, KDATA, 0, 0xfffff, 0x93, 0xc);
	descriptor(w, UCODE32, 0, 0xfffff, 0xfb, 0xc);
	descriptor(w, UDATA, 0, 0xfffff, 0xf3, 0xc);
	descriptor(w, KCODE16, 0, 0xffff, 0x9b, 0);
	descriptor(w, KSTACK16, 0, 0xffff, 0x93, 0);
	descriptor(w, UCODE16, 0, 0xffff, 0xfb, 0);
	descriptor(w, USTACK16, 0, 0xffff, 0xf3, 0);
	descriptor(w, SEL_TSS, TSS_CURRENT, 0x1130, 0x8b, 0);
	descriptor(w, SEL_TSS_OTHER, TSS_OTHER, 0x67, 0xe9, 0);
	descriptor(w, SEL_TSS_16, TSS_16, 0x2b, 0xe1, 0);
	descriptor(w, SEL_LDT, LDT, 0xff, 0xe2, 0);
	gate(w, GDT + SEL_GATE32, KCODE32, GATE_EIP, 0xec, 2);
	gate(w, GDT + SEL_GATE16, KCODE32, GATE_EIP, 0xe4, 2);
	gate(w, GDT + SEL_TASK_GATE, SEL_TSS_OTHER, 0, 0xe5, 0);
	descriptor(w, SEL_CONFORMING, 0, 0xfffff, 0x9e, 0xc);
	descriptor(w, UCODE_FRESH, 0, 0xfffff, 0xfa, 0xc);
	descriptor(w, UDATA_FRESH, 0, 0xfffff, 0xf2, 0xc);
	descriptor(w, SEL_ABSENT, 0, 0xfffff, 0x73, 0xc);
	descriptor(w, KDATA_FRESH, 0, 0xfffff, 0x92, 0xc);
	descriptor(w, KCODE_FRESH, 0, 0xfffff, 0x9a, 0xc);
	put64(w, LDT + (LDT_DATA & ~7u), 0x0000ffff, 0x00cff200);
}

static void build_idt(struct world *w)
{
	for (unsigned v = 0; v < 32; v++)
		gate(w, IDT + 8 * v, KCODE32, v == VEC_PF ? PAGE_FAULT_EIP : EXCEPTION_EIP, v == 1 || v == 3 || v == 4 ? 0xee : 0x8e, 0);
	gate(w, IDT + 8 * VEC_GATE32, KCODE32, GATE_EIP, 0xee, 0);
	gate(w, IDT + 8 * VEC_TRAP16, KCODE32, GATE_EIP, 0xe7, 0);
	gate(w, IDT + 8 * VEC_TASK, SEL_TSS_OTHER, 0, 0xe5, 0);
	gate(w, IDT + 8 * VEC_CONFORMING, SEL_CONFORMING, GATE_EIP, 0xef, 0);
}

static void build_tss(struct world *w)
{
	put32(w, TSS_CURRENT + 4, KERNEL_STACK);
	put32(w, TSS_CURRENT + 8, KDATA);
	put16(w, TSS_CURRENT + 0x66, IO_BITMAP - TSS_CURRENT);

	put32(w, TSS_OTHER + 0x1c, DIRECTORY);
	put32(w, TSS_OTHER + 0x20, GATE_EIP);
	put32(w, TSS_OTHER + 0x24, 2);
	for (unsigned r = 0; r < 8; r++)
		put32(w, TSS_OTHER + 0x28 + 4 * r, 0x1000 + r);
	put32(w, TSS_OTHER + 0x38, OTHER_STACK);
	for (unsigned s = 0; s < 6; s++)
		put32(w, TSS_OTHER + 0x48 + 4 * s, s == SEG_CS ? KCODE_FRESH : KDATA_FRESH);
	put32(w, TSS_OTHER + 0x60, SEL_LDT);
	put32(w, TSS_OTHER + 0x64, 0x680000);

	put16(w, TSS_16 + 0x0e, GATE_EIP);
	put16(w, TSS_16 + 0x10, 2);
	put16(w, TSS_16 + 0x1a, (uint16_t)OTHER_STACK);
	put16(w, TSS_16 + 0x22, KDATA);
	put16(w, TSS_16 + 0x24, KCODE32);
	put16(w, TSS_16 + 0x26, KDATA);
	put16(w, TSS_16 + 0x28, KDATA);
	put16(w, TSS_16 + 0x2a, SEL_LDT);
}

static void build_code(struct world *w)
{
	static const uint8_t drop_error_and_return[] = { 0x83, 0xc4, 0x04, 0xcf };        /* add esp, 4; iretd */

	memset(&w->pristine[HANDLERS], 0x90, 0x1000);
	memset(&w->pristine[0x2000], 0x90, 0x4000);
	memcpy(&w->pristine[PAGE_FAULT_EIP], drop_error_and_return, sizeof drop_error_and_return);
}

/* --- pages --- */

enum { POINTERS = DIRECTORY + 0xfe0, POINTERS_OTHER = DIRECTORY + 0xfc0 };

uint32_t world_flags(unsigned page)
{
	bool user = page >= 2 && page < 0x10;

	return PG_P | PG_W | (user ? PG_U : 0);
}

static uint32_t entry_at(const struct world *w, unsigned page)
{
	return TABLE + (w->pae ? 8 : 4) * page;
}

uint32_t world_entry(struct world *w, unsigned page)
{
	return phys_read(&w->phys, entry_at(w, page), 4);
}

void world_map(struct world *w, unsigned page, uint64_t flags)
{
	phys_write(&w->phys, entry_at(w, page), 4, flags ? page << 12 | (uint32_t)flags : 0);
	if (w->pae)
		phys_write(&w->phys, entry_at(w, page) + 4, 4, (uint32_t)(flags >> 32));
	mmu_invlpg(&w->mmu, page << 12);
}

static void build_page_tables(struct world *w)
{
	put32(w, DIRECTORY, TABLE | PG_P | PG_W | PG_U);
	for (unsigned page = 1; page < WORLD_PAGES - 2; page++)
		put32(w, entry_at(w, page), page << 12 | world_flags(page));
}

void world_use_pae(struct world *w)
{
	w->pae = true;
	memset(&w->pristine[DIRECTORY], 0, 0x2000);
	put32(w, POINTERS, DIRECTORY | PG_P);
	put32(w, POINTERS_OTHER, DIRECTORY | PG_P);
	put32(w, TSS_OTHER + 0x1c, POINTERS_OTHER);
	build_page_tables(w);
	phys_copy_in(&w->phys, 0, w->pristine, sizeof w->pristine);
}

uint8_t *world_ram(struct world *w, uint32_t address)
{
	return w->phys.ram + address;
}

void world_put(struct world *w, uint32_t address, const void *bytes, unsigned n)
{
	phys_copy_in(&w->phys, address, bytes, n);
}

void world_put32(struct world *w, uint32_t address, uint32_t value)
{
	world_put(w, address, &value, 4);
}

bool world_page_dirty(const struct world *w, unsigned page)
{
	return w->phys.attr[page] & PHYS_DIRTY;
}

/* --- processor --- */

static void set_segments(struct cpu *cpu, enum world_mode mode)
{
	bool user = mode == RING3_32 || mode == RING3_16, v86 = mode == V86, code16 = mode == RING0_16 || mode == RING3_16;
	uint8_t dpl = user || v86 ? 0x60 : 0;
	uint16_t data = v86 ? 0 : user ? UDATA : KDATA;

	for (unsigned s = 0; s < 6; s++)
		cpu_set_segment(cpu, s, data, 0, v86 ? 0xffff : 0xffffffff, 0x93 | dpl, v86 ? 0 : 0xc);
	if (v86)
		return;
	if (code16) {
		cpu_set_segment(cpu, SEG_CS, user ? UCODE16 : KCODE16, 0, 0xffff, 0x9b | dpl, 0);
		cpu_set_segment(cpu, SEG_SS, user ? USTACK16 : KSTACK16, 0, 0xffff, 0x93 | dpl, 0);
	} else {
		cpu_set_segment(cpu, SEG_CS, user ? UCODE32 : KCODE32, 0, 0xffffffff, 0x9b | dpl, 0xc);
	}
}

/* Every exception masked, five registers in use, small numbers everywhere, so that loads and operations both work. */
static void set_fpu(struct fpu *fpu)
{
	fpu->control = 0x37f;
	fpu->status = 3 << 11;
	fpu->valid = 0xf8;                     /* ST(0) to ST(4) are R3 to R7 */
	for (unsigned i = 0; i < 8; i++) {
		fpu->r[i] = (struct x87_reg) { 0xa000000000000000ull + i, (uint16_t)(0x3ffe + i) };
		for (unsigned lane = 0; lane < 4; lane++)
			fpu->xmm[i].u32[lane] = 0x3f800000u + 0x100000u * i + lane;
	}
}

static void set_processor(struct world *w, enum world_mode mode)
{
	struct cpu *cpu = &w->cpu;

	*cpu = w->fresh;
	cpu->gdtr = (struct table_register){ GDT, 0xfff };
	cpu->idtr = (struct table_register){ IDT, 0x3ff };
	cpu->efer = w->pae ? EFER_NXE : 0;
	cpu_set_cr4(cpu, (w->pae ? CR4_PAE : 0) | CR4_PSE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT);
	set_fpu(&cpu->fpu);
	cpu_set_cr3(cpu, w->pae ? POINTERS : DIRECTORY);
	cpu_set_cr0(cpu, CR0_PG | CR0_WP | CR0_PE | CR0_ET);
	cpu_set_eflags(cpu, F_ONE | F_CF | F_ZF | (mode == V86 ? F_VM | F_IOPL : 0));
	cpu_set_cpl(cpu, mode == RING0_32 || mode == RING0_16 ? 0 : 3);
	set_segments(cpu, mode);
	cpu_set_segment(cpu, SEG_TR, SEL_TSS, TSS_CURRENT, 0x1130, 0x8b, 0);
	cpu_set_segment(cpu, SEG_LDTR, SEL_LDT, LDT, 0xff, 0x82, 0);
	cpu->sysenter_cs = KCODE32;
	cpu->sysenter_esp = KERNEL_STACK;
	cpu->sysenter_eip = GATE_EIP;
	cpu->r[R_ESP] = STACK - 0x800;
}

void world_reset(struct world *w, enum world_mode mode)
{
	for (unsigned page = 0; page < WORLD_PAGES; page++) {
		if (!world_page_dirty(w, page))
			continue;
		phys_copy_in(&w->phys, page << 12, &w->pristine[page << 12], 4096);
		w->phys.attr[page] &= (uint8_t)~PHYS_DIRTY;
	}
	set_processor(w, mode);
	mmu_flush_all(&w->mmu);
	w->port_count = 0;
	memset(w->port_log, 0, sizeof w->port_log);
}

void world_init(struct world *w)
{
	static const struct cpu_bus bus = { port_in, port_out, acknowledge, now, NULL, NULL };
	struct cpu_bus mine = bus;

	memset(w, 0, sizeof *w);
	mine.owner = w;
	if (phys_init(&w->phys, 1 << 20) || mmu_init(&w->mmu, &w->phys, (struct tlb_geometry){ 0, 0 }) || cpu_init(&w->cpu, &w->mmu, &mine))
		abort();
	w->fresh = w->cpu;
	for (unsigned i = 0x6000; i < 0xe000; i++)
		w->pristine[i] = (uint8_t)(i * 7 + (i >> 8));
	build_code(w);
	build_gdt(w);
	build_idt(w);
	build_tss(w);
	build_page_tables(w);
	phys_copy_in(&w->phys, 0, w->pristine, sizeof w->pristine);
	for (unsigned page = 0; page < WORLD_PAGES; page++)
		w->phys.attr[page] &= (uint8_t)~PHYS_DIRTY;
}

void world_free(struct world *w)
{
	cpu_free(&w->cpu);
	mmu_free(&w->mmu);
	phys_free(&w->phys);
}
