/* tests/fuzz/fuzz_cpu.c: any bytes are a machine and a program: blocks and single steps must take it to the same state.
 *
 *   byte 0     generator: how the code is made of the bytes that are left over
 *   byte 1     mode: 32- or 16-bit, ring 0 or 3, virtual-8086, real; PAE paging or not; which floating-point exceptions are masked
 *   byte 2     where the code stands in its page, and how far the limit of CS reaches into it
 *   then       control registers, flags, eight registers, changes to descriptor tables, TSS and page tables, events, code
 *
 * The program runs twice: in slices of the sizes that the input names, in blocks; and one instruction at a time with a watcher, which
 * keeps the code cache out of it. After each slice the processors are compared, at the end all memory that either has written, and
 * everything the ports and the device have seen. Input that has run out reads as zeros.
 *
 * LLVMFuzzerTestOneInput() is libFuzzer's entry; fuzz_driver.c calls it without libFuzzer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/cpu/forms.h"
#include "tests/cpu/world.h"

enum { RAM_PAGES = 256, SLICES = 12, MODE_REAL = WORLD_MODES, MODES, CODE_ROOM = 0x300 };
enum { DEVICE = 0xa0000, DEVICE_SIZE = 0x2000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t left;
};

/* One of the two machines, and a hash of what its devices have seen with the times. */
struct side {
	struct world w;
	uint64_t seen;
	uint8_t vector;            /* what the interrupt controller answers */
};
static struct side *blocks, *steps;
static struct side *pairs[2][2];   /* without and with PAE paging; blocks and steps */

/* --- the input as values ------------------------------------------------------------------------------------------------- */

static uint8_t take(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->data++;
}

static uint32_t take_bytes(struct input *in, unsigned n)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < n; i++)
		v |= (uint32_t)take(in) << 8 * i;
	return v;
}

/* A number that may matter: an address, a selector, an edge; or any. */
static uint32_t take_value(struct input *in)
{
	static const uint32_t values[] = {
		0, 1, 2, 3, 4, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
		DATA1, DATA1 + 0xffe, DATA2, DATA2 + 0xfff, STACK - 0x40, STACK, FRAME, CODE, CODE + 8, TARGET, HANDLERS, EXCEPTION_EIP,
		GDT, LDT, IDT, TSS_CURRENT, TSS_OTHER, TSS_16, IO_BITMAP, KERNEL_STACK, OTHER_STACK, DIRECTORY, TABLE, DEVICE,
		DEVICE + 0xfff, 0xffffc, 0x100000, KCODE32, KDATA, UCODE32, UDATA, KCODE16, KSTACK16, UCODE16, USTACK16, SEL_TSS,
		SEL_TSS_OTHER, SEL_TSS_16, SEL_LDT, SEL_GATE32, SEL_GATE16, SEL_TASK_GATE, SEL_CONFORMING, UCODE_FRESH, UDATA_FRESH,
		SEL_ABSENT, KDATA_FRESH, KCODE_FRESH, LDT_DATA, 0x80000011, 0x80010031, 0x11, 0x10, 0x90, 0x600, 0x3fafd5, 0x23200, 0x20000,
	};
	uint8_t b = take(in);

	return b < sizeof(values) / sizeof(values[0]) ? values[b] : b < 0xc0 ? b : take_bytes(in, 4);
}

/* --- devices ------------------------------------------------------------------------------------------------------------- */

static void see(struct side *s, uint32_t what, uint32_t value)
{
	s->seen = (s->seen ^ what) * 0x100000001b3u + value + cpu_icount(&s->w.cpu) * 31;
}

static uint32_t port_in(void *owner, uint16_t port, unsigned size)
{
	struct side *s = owner;

	see(s, 0x10000u * size + port, 1);
	return (uint32_t)(s->seen >> 16);
}

/* A write to ports 0-5 moves the interrupt lines and IGNNE# in the middle of a slice. */
static void port_out(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	struct side *s = owner;

	see(s, 0x100000u * size + port, value);
	if (port < 2)
		cpu_set_intr(&s->w.cpu, port);
	else if (port == 2)
		cpu_raise_nmi(&s->w.cpu);
	else if (port == 3)
		s->vector = (uint8_t)value;
	else if (port < 6)
		cpu_set_ignne(&s->w.cpu, port & 1);
}

static int acknowledge(void *owner)
{
	struct side *s = owner;

	see(s, 0x200000, s->vector);
	cpu_set_intr(&s->w.cpu, false);
	return s->vector;
}

static void ferr(void *owner, bool level)
{
	see(owner, 0x800000, level);
}

static uint64_t now(void *owner)
{
	return cpu_icount(&((struct side *)owner)->w.cpu) * 3;
}

static uint32_t device_read(void *owner, uint32_t offset, unsigned size)
{
	struct side *s = owner;

	see(s, 0x400000u * size + offset, 2);
	return (uint32_t)(s->seen >> 8);
}

static void device_write(void *owner, uint32_t offset, unsigned size, uint32_t value)
{
	see(owner, 0x1000000u * size + offset, value);
}

/* --- the machine --------------------------------------------------------------------------------------------------------- */

static void watch_nothing(void *owner, const struct cpu *cpu)
{
	(void)owner, (void)cpu;
}

static struct side *side_new(bool stepping, bool pae)
{
	static const struct mmio_ops device = { device_read, device_write };
	struct side *s = calloc(1, sizeof(*s));
	const char *clash;

	if (!s)
		abort();
	world_init(&s->w);
	if (pae)
		world_use_pae(&s->w);
	if (phys_add_mmio(&s->w.phys, "device", DEVICE, DEVICE_SIZE, &device, s, &clash))
		abort();
	s->w.fresh.bus = (struct cpu_bus) { .in = port_in, .out = port_out, .acknowledge = acknowledge, .now = now, .ferr = ferr, .owner = s };
	if (stepping)
		s->w.fresh.watch.instruction = watch_nothing;
	return s;
}

static bool is_ram(unsigned page)
{
	return page < DEVICE >> 12 || page >= 0xc0;
}

static void side_reset(struct side *s, unsigned mode)
{
	static const uint8_t zeros[PAGE_SIZE];

	for (unsigned page = WORLD_PAGES; page < RAM_PAGES; page++) {
		if (!is_ram(page) || !world_page_dirty(&s->w, page))
			continue;
		phys_copy_in(&s->w.phys, page << 12, zeros, PAGE_SIZE);
		s->w.phys.attr[page] &= (uint8_t)~PHYS_DIRTY;
	}
	cpu_reset(&s->w.cpu);
	world_reset(&s->w, mode == MODE_REAL ? RING0_16 : (enum world_mode)mode);
	s->seen = 0;
	s->vector = 0x20;
}

/* Some or all exceptions of x87 and SSE raised, and other roundings. */
static void set_fpu(struct fpu *fpu, unsigned variant)
{
	static const uint16_t control[] = { 0x37f, 0x340, 0xe5f, 0x07b }, mxcsr[] = { 0x1f80, 0x0000, 0x6e00, 0x9fc0 };

	fpu->control = control[variant & 3];
	fpu->mxcsr = mxcsr[variant >> 2 & 3];
}

static void real_mode(struct cpu *cpu)
{
	cpu_set_cr0(cpu, CR0_ET);
	cpu_set_cr4(cpu, 0);
	for (unsigned seg = SEG_ES; seg <= SEG_GS; seg++)
		cpu_set_segment(cpu, seg, 0, 0, 0xffff, 0x93, 0);
	cpu->idtr = (struct table_register) { 0, 0x3ff };
}

/* Bits of CR0 and CR4 beside those the mode needs. */
static void set_control(struct cpu *cpu, unsigned mode, uint8_t cr0, uint8_t cr4)
{
	static const uint32_t cr4_bits[] = { CR4_VME, CR4_PVI, CR4_TSD, CR4_DE, CR4_PSE, CR4_PGE, CR4_PCE, CR4_OSFXSR };
	uint32_t value = cpu->cr4 & CR4_PAE;

	if (mode == MODE_REAL) {
		real_mode(cpu);
		return;
	}
	for (unsigned i = 0; i < 8; i++)
		if (cr4 >> i & 1)
			value |= cr4_bits[i];
	if (cr4 & 0x40)
		value |= CR4_OSXMMEXCPT;
	cpu_set_cr4(cpu, value);
	cpu_set_cr0(cpu, CR0_PE | CR0_ET | (cr0 & 0x2e) | (cr0 & 0x10 ? CR0_WP : 0) | (cr0 & 0x40 ? CR0_AM : 0) | (cr0 & 0x80 ? 0 : CR0_PG));
}

/* A change to one of the tables: a page's flags, an access byte, or any four bytes. */
static void poke_tables(struct side *s, uint8_t what, uint8_t index, uint32_t value)
{
	static const uint32_t table[] = { GDT, LDT, IDT, TSS_CURRENT, TSS_OTHER, TSS_16, DIRECTORY, TABLE };
	struct world *w = &s->w;

	switch (what & 7) {
	case 0: case 1:
		if (w->pae)
			world_put32(w, TABLE + 8 * (index % RAM_PAGES) + 4, value & 0x800 ? 0x80000000 : 0);
		world_put32(w, TABLE + (w->pae ? 8 : 4) * (index % RAM_PAGES), (uint32_t)(index << 12) | (value & 0x1ff));
		break;
	case 2: case 3:
		world_put(w, GDT + 8 * (index & 31) + 5, &value, 1);
		break;
	case 4:
		world_put(w, IDT + 8 * (index & 63) + 5, &value, 1);
		break;
	case 5:
		world_put(w, TSS_CURRENT + (index & 0x7f), &value, 2);
		break;
	default:
		world_put32(w, table[what >> 3 & 7] + index * 4u, value);
		break;
	}
	mmu_flush_all(&w->mmu);
}

/* --- the program --------------------------------------------------------------------------------------------------------- */

/* One instruction of insn_table[], with numbers of the input. */
static unsigned make_instruction(struct input *in, bool code32, uint8_t *out)
{
	unsigned row = take_bytes(in, 2) % insn_rows;
	uint8_t shape = take(in), reg = take(in);
	struct form f = { .row = &insn_table[row], .row_index = row, .code32 = code32, .opsize = shape & 1 ? 2 : 4, .addrsize = shape & 2 ? 2 : 4,
	                  .reg = reg & 7, .rm = reg >> 3 & 7, .lock = (shape & 0xf0) == 0xf0, .rep = shape & 8 ? (shape & 4 ? 0xf2 : 0xf3) : 0 };
	struct form_values v = { .address = take_value(in), .immediate = take_value(in) };

	v.selector = (uint16_t)take_value(in);
	v.far_offset = v.address;
	f.operand = f.row->props & IP_REGONLY || (shape & 0x30) == 0x10 ? FORM_REGISTER : shape & 0x20 ? FORM_INDEXED : FORM_ABSOLUTE;
	if (f.row->ext >= 0)
		f.reg = f.row->ext < 8 ? (uint8_t)f.row->ext : f.row->ext >> 3 & 7;
	if (f.row->props & IP_PREFIX)
		f.rep = 0;
	form_encode(&f, &v);
	memcpy(out, f.bytes, f.len);
	return f.len;
}

/* Whether a row belongs to the protected-mode machinery rather than to arithmetic. */
static bool is_system(const struct insn_row *row)
{
	return row->props & (IP_ENDS | IP_CPL0) && !(row->props & IP_BRANCH);
}

/* Short code that gives the next instruction a chance: a register gets a number that matters. */
static unsigned make_load(struct input *in, bool code32, uint8_t *out)
{
	unsigned n = 0;
	uint32_t value;

	if (!code32)
		out[n++] = 0x66;
	out[n++] = 0xb8 | (take(in) & 7);
	value = take_value(in);
	memcpy(out + n, &value, 4);
	return n + 4;
}

static unsigned make_code(struct input *in, unsigned generator, bool code32, uint8_t *code)
{
	unsigned n = 0;

	while (in->left && n < CODE_ROOM - 16) {
		if (generator == 0) {
			code[n++] = take(in);
			continue;
		}
		if (generator == 2) {
			const uint8_t *at = in->data;
			unsigned row = (at[0] | (in->left > 1 ? at[1] << 8 : 0)) % insn_rows;
			if (!is_system(&insn_table[row]))
				n += make_load(in, code32, code + n);
		}
		n += make_instruction(in, code32, code + n);
	}
	code[n++] = 0xeb, code[n++] = 0xfe;
	return n;
}

/* --- the run ------------------------------------------------------------------------------------------------------------- */

struct slice { uint8_t length, event, argument; };

/* Another page under a linear address, and no flush: what the TLB held stays. */
static void remap(struct world *w, unsigned page, uint32_t frame)
{
	world_put32(w, TABLE + (w->pae ? 8 : 4) * page, frame << 12 | PG_P | PG_W | PG_U);
}

static void event(struct side *s, const struct slice *e)
{
	switch (e->event & 15) {
	case 1: cpu_set_intr(&s->w.cpu, true); break;
	case 2: cpu_set_intr(&s->w.cpu, false); break;
	case 3: cpu_raise_nmi(&s->w.cpu); break;
	case 4: s->vector = e->argument; cpu_set_intr(&s->w.cpu, true); break;
	case 5: world_put(&s->w, CODE + e->argument, &e->length, 1); break;    /* DMA into the code */
	case 6: world_put(&s->w, DATA1 + e->argument, "\x55\xaa", 2); break;
	case 7: remap(&s->w, e->argument & 0x20 ? CODE >> 12 : e->argument & 0x1f, e->length & 0x1f); break;
	case 8: cpu_set_ignne(&s->w.cpu, e->argument & 1); break;
	default: break;
	}
}

static void failed(const char *what)
{
	fprintf(stderr, "blocks and single steps differ in %s at instruction %lu: eip %x and %x, fault %u and %u\n", what,
	        (unsigned long)cpu_icount(&blocks->w.cpu), blocks->w.cpu.eip, steps->w.cpu.eip, blocks->w.cpu.fault.vector, steps->w.cpu.fault.vector);
	abort();
}

/* What holds between any two instructions, whatever the guest does. */
static void check_sane(const struct cpu *cpu)
{
	uint32_t eflags = cpu_eflags(cpu);

	if (cpu->r[R_ZERO])
		failed("the zero register");
	if (!(eflags & F_ONE) || eflags & ~0x3f7fd7u)
		failed("reserved flags");
	if (eflags & F_VM && (cpu->cpl != 3 || !(cpu->cr0 & CR0_PE)))
		failed("the privilege of virtual-8086 mode");
	if (cpu->cr0 & CR0_PG && !(cpu->cr0 & CR0_PE))
		failed("PG without PE");
	if (cpu->cr0 & CR0_PE && !(eflags & F_VM) && !cpu->shutdown && (cpu->seg[SEG_SS].access >> 5 & 3) != cpu->cpl)
		failed("the DPL of SS, which is not CPL");
}

/* Leaves flags in the host's x87 status word, as any library may: the guest must not see them. */
static void disturb_host(void)
{
	volatile long double third = 1;

	third = third / 3;
	(void)third;
}

static enum cpu_stop step_to(struct cpu *cpu, uint64_t icount)
{
	enum cpu_stop why = CPU_STOP_BUDGET;

	while (cpu_icount(cpu) < icount && why == CPU_STOP_BUDGET)
		why = cpu_run(cpu, 1);
	return why;
}

/* A halted processor is found halted only when it is asked for more. */
static void run_slice(const struct slice *e)
{
	enum cpu_stop why;
	const char *field;

	event(blocks, e);
	event(steps, e);
	disturb_host();
	why = cpu_run(&blocks->w.cpu, e->length);
	step_to(&steps->w.cpu, cpu_icount(&blocks->w.cpu));
	if (why != CPU_STOP_BUDGET && cpu_run(&steps->w.cpu, 1) != why)
		failed("why they stopped");
	if ((field = cpu_compare(&blocks->w.cpu, &steps->w.cpu)))
		failed(field);
	if (blocks->seen != steps->seen)
		failed("what the devices saw");
	check_sane(&blocks->w.cpu);
}

static void compare_memory(void)
{
	for (unsigned page = 0; page < RAM_PAGES; page++) {
		if (!is_ram(page) || (!world_page_dirty(&blocks->w, page) && !world_page_dirty(&steps->w, page)))
			continue;
		if (memcmp(world_ram(&blocks->w, page << 12), world_ram(&steps->w, page << 12), PAGE_SIZE))
			failed("memory");
	}
}

static void limit_code(struct cpu *cpu, uint32_t limit)
{
	struct segment cs = cpu->seg[SEG_CS];

	cpu_set_segment(cpu, SEG_CS, cs.selector, cs.base, limit, cs.access, cs.flags);
}

/* --- both sides from the same input -------------------------------------------------------------------------------------- */

static void set_up(struct side *s, struct input in, struct slice *slices, unsigned *count)
{
	struct cpu *cpu = &s->w.cpu;
	unsigned generator = take(&in) % 3, kind = take(&in), mode = kind % MODES, n;
	uint8_t where = take(&in), cr0 = take(&in), cr4 = take(&in), code[CODE_ROOM];
	bool code32;

	side_reset(s, mode);
	cpu_set_ignne(cpu, false);
	set_control(cpu, mode, cr0, cr4);
	set_fpu(&cpu->fpu, kind / MODES / 2);
	code32 = mode == RING0_32 || mode == RING3_32;
	cpu_set_eflags(cpu, (cpu_eflags(cpu) & F_VM) | F_ONE | (take_value(&in) & 0x7fd5));
	for (unsigned i = 0; i < 8; i++)
		cpu->r[i] = take_value(&in);
	if (!(cr0 & 1))
		cpu->r[R_ESP] = STACK - 0x800;
	for (n = take(&in) % 16; n; n--) {
		uint8_t what = take(&in), index = take(&in);
		poke_tables(s, what, index, take_value(&in));
	}
	*count = 1 + take(&in) % SLICES;
	for (unsigned i = 0; i < *count; i++) {
		slices[i].length = take(&in);
		slices[i].event = take(&in);
		slices[i].argument = slices[i].event & 15 ? take(&in) : 0;
		if (!slices[i].length)
			slices[i].length = 60;
	}
	cpu->eip = CODE + (where & 15) * 0x110;
	n = make_code(&in, generator, code32, code);
	world_put(&s->w, cpu->eip, code, n);
	if (where >> 4)
		limit_code(cpu, cpu->eip + (where >> 4) * 11);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct slice slices[SLICES];
	unsigned count;

	bool pae = size > 1 && data[1] / MODES % 2;

	for (unsigned i = 0; i < 2 && !pairs[pae][i]; i++)
		pairs[pae][i] = side_new(i, pae);
	blocks = pairs[pae][0];
	steps = pairs[pae][1];
	set_up(steps, in, slices, &count);
	set_up(blocks, in, slices, &count);
	for (unsigned i = 0; i < count; i++)
		run_slice(&slices[i]);
	compare_memory();
	return 0;
}
