/* tests/cpu/system_pc.c: see system_pc.h. */
#include "system_pc.h"

#include <stdio.h>

static uint32_t bus_in(void *owner, uint16_t port, unsigned size)
{
	struct pc *pc = owner;

	pc->port = port;
	pc->port_size = size;
	return 0xa5b6c7d8;
}

static void bus_out(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	struct pc *pc = owner;

	pc->port = port;
	pc->port_size = size;
	pc->port_value = value;
}

static int bus_acknowledge(void *owner)
{
	struct pc *pc = owner;

	cpu_set_intr(&pc->cpu, false);
	return pc->irq_vector;
}

static uint64_t bus_now(void *owner) { return ((struct pc *)owner)->now; }

static void bus_ferr(void *owner, bool level)
{
	struct pc *pc = owner;

	pc->ferr = level;
	pc->ferr_changes++;
}

/* --- no trace ------------------------------------------------------------------------------------------------- */

static const char *difference(const struct pc *pc, const struct cpu *cpu)
{
	const struct cpu *b = &pc->before;

	if (memcmp(b->r, cpu->r, sizeof(b->r)))
		return "a general register";
	if (cpu_eflags(b) != cpu_eflags(cpu))
		return "EFLAGS";
	for (unsigned i = 0; i < SEG_COUNT; i++)
		if (memcmp(&b->seg[i], &cpu->seg[i], sizeof(b->seg[i])))
			return "a segment register";
	if (b->cr0 != cpu->cr0 || b->cr2 != cpu->cr2 || b->cr3 != cpu->cr3 || b->cr4 != cpu->cr4)
		return "a control register";
	if (b->efer != cpu->efer || memcmp(b->pdpte, cpu->pdpte, sizeof(b->pdpte)))
		return "EFER or a PDPTE";
	if (memcmp(b->dr, cpu->dr, sizeof(b->dr)))
		return "a debug register";
	if (b->cpl != cpu->cpl || b->gdtr.base != cpu->gdtr.base || b->idtr.base != cpu->idtr.base || b->halted != cpu->halted)
		return "CPL, GDTR, IDTR or HALT";
	if (memcmp(pc->copy, pc->ram, DIRECTORY))
		return "memory";
	return NULL;
}

static bool on_exception(void *owner, const struct cpu *cpu, const struct fault_record *r)
{
	struct pc *pc = owner;
	const char *what = pc->exceptions == 0 && pc->trace_checked ? difference(pc, cpu) : NULL;

	if (what)
		ck_abort_msg("vector %u at %08x left a trace: %s changed", r->fault.vector, r->eip, what);
	if (pc->exceptions++ == 0)
		pc->first = *r;
	pc->last = *r;
	return pc->stop_on_exception;
}

static void on_delivered(void *owner, const struct cpu *cpu, const struct fault_record *r)
{
	(void)cpu;
	(void)r;
	((struct pc *)owner)->delivered++;
}

static void on_iret(void *owner, const struct cpu *cpu)
{
	(void)cpu;
	((struct pc *)owner)->irets++;
}

/* --- building ------------------------------------------------------------------------------------------------- */

void put32(struct pc *pc, uint32_t at, uint32_t value) { phys_write(&pc->phys, at, 4, value); }
void put16(struct pc *pc, uint32_t at, uint16_t value) { phys_write(&pc->phys, at, 2, value); }
uint32_t get32(struct pc *pc, uint32_t at) { return phys_read(&pc->phys, at, 4); }
uint16_t get16(struct pc *pc, uint32_t at) { return (uint16_t)phys_read(&pc->phys, at, 2); }

void put_descriptor(struct pc *pc, uint32_t at, uint32_t base, uint32_t limit, uint8_t access, uint8_t flags)
{
	put32(pc, at, (limit & 0xffff) | base << 16);
	put32(pc, at + 4, (base >> 16 & 0xff) | access << 8 | (limit & 0xf0000) | (uint32_t)flags << 20 | (base & 0xff000000));
}

void gdt(struct pc *pc, uint16_t selector, uint32_t base, uint32_t limit, uint8_t access, uint8_t flags)
{
	put_descriptor(pc, GDT + (selector & 0xfff8), base, limit, access, flags);
}

uint8_t gdt_access(struct pc *pc, uint16_t selector) { return (uint8_t)phys_read(&pc->phys, GDT + (selector & 0xfff8) + 5, 1); }

void put_gate(struct pc *pc, uint32_t at, uint16_t selector, uint32_t offset, uint8_t access, uint8_t count)
{
	put32(pc, at, (offset & 0xffff) | (uint32_t)selector << 16);
	put32(pc, at + 4, (offset & 0xffff0000) | access << 8 | count);
}

void idt(struct pc *pc, uint8_t vector, uint16_t selector, uint32_t offset, uint8_t access)
{
	put_gate(pc, IDT + 8 * vector, selector, offset, access, 0);
}

static void fill_tables(struct pc *pc)
{
	gdt(pc, CONFORM, 0, 0xfffff, 0x9f, FLAT_FLAGS);
	gdt(pc, CS16, 0, 0xffff, ACCESS_CODE, 0);
	for (unsigned r = 0; r < 4; r++) {
		gdt(pc, CS0 + 16 * r, 0, 0xfffff, ACCESS_CODE | DPL(r), FLAT_FLAGS);
		gdt(pc, DS0 + 16 * r, 0, 0xfffff, ACCESS_DATA | DPL(r), FLAT_FLAGS);
		if (r < 3) {
			put32(pc, TSS + 4 + 8 * r, STACK0 + 0x1000 * r);
			put16(pc, TSS + 8 + 8 * r, (uint16_t)((DS0 + 16 * r) | r));
		}
	}
	gdt(pc, TR, TSS, 0xfff, 0x8b, 0);
	gdt(pc, TR2, TSS2, 0x67, 0x89, 0);
	gdt(pc, LDTSEL, LDT, 0xff, 0x82, 0);
	for (unsigned v = 0; v < 256; v++) {
		idt(pc, (uint8_t)v, CS0, handler(v), 0x8e);
		put16(pc, handler(v), 0xfeeb);
	}
	put16(pc, TARGET, 0xfeeb);
}

struct pc *pc_new(void)
{
	struct pc *pc = calloc(1, sizeof(*pc));
	struct cpu_bus bus = { bus_in, bus_out, bus_acknowledge, bus_now, pc, bus_ferr };

	ck_assert_int_eq(phys_init(&pc->phys, PC_RAM), 0);
	ck_assert_int_eq(mmu_init(&pc->mmu, &pc->phys, (struct tlb_geometry) { 0, 0 }), 0);
	ck_assert_int_eq(cpu_init(&pc->cpu, &pc->mmu, &bus), 0);
	pc->ram = phys_host(&pc->phys, 0, PC_COMPARED, true);
	pc->copy = malloc(PC_COMPARED);
	pc->cpu.watch = (struct cpu_watch) { .exception = on_exception, .delivered = on_delivered, .iret = on_iret, .owner = pc };
	pc->trace_checked = true;
	fill_tables(pc);
	return pc;
}

void pc_free(struct pc *pc)
{
	cpu_free(&pc->cpu);
	mmu_free(&pc->mmu);
	phys_free(&pc->phys);
	free(pc->copy);
	free(pc);
}

/* --- state ---------------------------------------------------------------------------------------------------- */

void ring(struct pc *pc, unsigned cpl)
{
	static const uint32_t stack[] = { STACK0, STACK1, STACK2, STACK3 };
	struct cpu *cpu = &pc->cpu;

	cpu->gdtr = (struct table_register) { GDT, GDT_BYTES - 1 };
	cpu->idtr = (struct table_register) { IDT, 0x7ff };
	cpu_set_eflags(cpu, F_ONE);
	cpu_set_cr0(cpu, cpu->cr0 | CR0_PE);
	cpu_set_cpl(cpu, (uint8_t)cpl);
	for (unsigned s = 0; s <= SEG_GS; s++)
		cpu_set_segment(cpu, s, (uint16_t)((s == SEG_CS ? CS0 : DS0) + 17 * cpl), 0, 0xffffffff,
				(uint8_t)((s == SEG_CS ? ACCESS_CODE : ACCESS_DATA) | DPL(cpl)), FLAT_FLAGS);
	/* CS0 + 17 * cpl: the entry of the ring, with its RPL. */
	cpu->seg[SEG_LDTR] = (struct segment) { .selector = LDTSEL, .access = 0x82, .base = LDT, .limit = 0xff };
	cpu->seg[SEG_TR] = (struct segment) { .selector = TR, .access = 0x8b, .base = TSS, .limit = 0xfff };
	cpu->eip = CODE;
	for (unsigned i = 0; i < 8; i++)
		cpu->r[i] = 0x11111111 * (i + 1);
	cpu->r[R_ESP] = stack[cpl] - 0x100;
}

void v86(struct pc *pc, unsigned iopl_bits)
{
	struct cpu *cpu = &pc->cpu;

	ring(pc, 3);
	cpu_set_eflags(cpu, F_ONE | F_VM | iopl_bits << 12);
	for (unsigned s = 0; s <= SEG_GS; s++) {
		uint16_t selector = s == SEG_CS ? CODE >> 4 : s == SEG_SS ? 0x3000 : (uint16_t)(0x100 * (s + 1));
		cpu_set_segment(cpu, s, selector, (uint32_t)selector << 4, 0xffff, 0xf3, 0);
	}
	cpu->eip = 0;
	cpu->r[R_ESP] = 0x3f00;
}

void real_mode(struct pc *pc)
{
	struct cpu *cpu = &pc->cpu;

	cpu_set_eflags(cpu, F_ONE);
	cpu_set_cr0(cpu, cpu->cr0 & ~CR0_PE);
	cpu_set_cpl(cpu, 0);
	for (unsigned s = 0; s <= SEG_GS; s++) {
		uint16_t selector = s == SEG_CS ? CODE >> 4 : 0x3000;
		cpu_set_segment(cpu, s, selector, (uint32_t)selector << 4, 0xffff, 0x93, 0);
	}
	cpu->idtr = (struct table_register) { IDT, 0x3ff };
	for (unsigned v = 0; v < 256; v++)
		put32(pc, IDT + 4 * v, (HANDLERS >> 4) << 16 | 16 * v);
	cpu->eip = 0;
	cpu->r[R_ESP] = 0x3f00;
}

void page(struct pc *pc, uint32_t la, uint32_t bits)
{
	put32(pc, TABLE + 4 * (la >> 12), (la & PG_FRAME) | bits);
	mmu_invlpg(&pc->mmu, la);
}

void paging(struct pc *pc)
{
	put32(pc, DIRECTORY, TABLE | PG_P | PG_W | PG_U);
	for (uint32_t la = 0; la < PC_RAM; la += PAGE_SIZE)
		page(pc, la, PG_P | PG_W | PG_U);
	cpu_set_cr3(&pc->cpu, DIRECTORY);
	cpu_set_cr0(&pc->cpu, pc->cpu.cr0 | CR0_PG | CR0_WP);
}

/* --- running -------------------------------------------------------------------------------------------------- */

void place(struct pc *pc, uint32_t at, const uint8_t *bytes, size_t n) { phys_copy_in(&pc->phys, at, bytes, n); }

enum cpu_stop step(struct pc *pc, unsigned n)
{
	pc->exceptions = pc->delivered = pc->irets = 0;
	pc->before = pc->cpu;
	memcpy(pc->copy, pc->ram, PC_COMPARED);
	return cpu_run(&pc->cpu, n);
}

enum cpu_stop run_bytes(struct pc *pc, const uint8_t *bytes, size_t n)
{
	place(pc, pc->cpu.seg[SEG_CS].base + pc->cpu.eip, bytes, n);
	return step(pc, 1);
}

/* --- expecting ------------------------------------------------------------------------------------------------ */

static uint32_t stack_at(struct pc *pc, unsigned bytes)
{
	return pc->cpu.seg[SEG_SS].base + (stack32(&pc->cpu) ? pc->cpu.r[R_ESP] + bytes : (pc->cpu.r[R_ESP] + bytes) & 0xffff);
}

uint32_t stack_dword(struct pc *pc, unsigned i) { return get32(pc, stack_at(pc, 4 * i)); }
uint16_t stack_word(struct pc *pc, unsigned i) { return get16(pc, stack_at(pc, 2 * i)); }

static void expect_delivery(struct pc *pc, unsigned vector, bool has_error, uint32_t error)
{
	ck_assert_msg(pc->exceptions == 1, "%u exceptions where one was expected (first %u error %x, last %u error %x)", pc->exceptions,
		pc->first.fault.vector, pc->first.fault.error, pc->last.fault.vector, pc->last.fault.error);
	ck_assert_uint_eq(pc->last.fault.vector, vector);
	ck_assert_uint_eq(pc->last.fault.has_error, has_error);
	if (has_error)
		ck_assert_msg(pc->last.fault.error == error, "vector %u has error code %04x, expected %04x", vector, pc->last.fault.error, error);
	ck_assert_uint_eq(pc->last.eip, pc->before.eip);
	ck_assert_uint_eq(pc->cpu.eip, handler(vector));
	if (has_error)
		ck_assert_uint_eq(stack_dword(pc, 0), error);
	ck_assert_uint_eq(stack_dword(pc, has_error), pc->before.eip);
	ck_assert_uint_eq(stack_dword(pc, has_error + 1), pc->before.seg[SEG_CS].selector);
}

void expect_error(struct pc *pc, unsigned vector, uint32_t error) { expect_delivery(pc, vector, true, error); }
void expect_fault(struct pc *pc, unsigned vector) { expect_delivery(pc, vector, false, 0); }

void expect_no_fault(struct pc *pc)
{
	ck_assert_msg(pc->exceptions == 0, "an exception: vector %u error %x", pc->last.fault.vector, pc->last.fault.error);
}

void expect_segment(struct pc *pc, unsigned seg, uint16_t selector)
{
	ck_assert_msg(pc->cpu.seg[seg].selector == selector, "%s is %04x, expected %04x", cpu_segment_names[seg], pc->cpu.seg[seg].selector, selector);
}
