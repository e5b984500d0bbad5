/* cpu/cpu.c: the processor's life: creation, RESET, and its state as a list of fields.
 *
 * References: [SDM3A 9.1.1 "Processor State After Reset"] table 9-1.
 */
#include "cpu/code.h"
#include "cpu/flags.h"
#include "cpu/fpu.h"
#include "cpu/system.h"

int cpu_init(struct cpu *cpu, struct mmu *mmu, const struct cpu_bus *bus)
{
	int err;

	memset(cpu, 0, sizeof(*cpu));
	cpu->mmu = mmu;
	cpu->bus = *bus;
	err = code_init(cpu);
	if (err) {
		cpu_free(cpu);
		return err;
	}
	cpu_reset(cpu);
	return 0;
}

void cpu_free(struct cpu *cpu)
{
	code_free(cpu);
}

void cpu_set_segment(struct cpu *cpu, unsigned seg, uint16_t selector, uint32_t base, uint32_t limit, uint8_t access, uint8_t flags)
{
	cpu->seg[seg] = (struct segment) { .selector = selector, .base = base, .limit = limit, .access = access, .flags = flags };
	if (seg <= SEG_GS)
		segment_update(cpu, seg);
}

static void reset_segments(struct cpu *cpu)
{
	for (unsigned seg = SEG_ES; seg <= SEG_GS; seg++)
		cpu_set_segment(cpu, seg, 0, 0, 0xffff, 0x93, 0);
	cpu_set_segment(cpu, SEG_CS, 0xf000, 0xffff0000, 0xffff, 0x93, 0);
	cpu_set_segment(cpu, SEG_LDTR, 0, 0, 0xffff, 0x82, 0);
	cpu_set_segment(cpu, SEG_TR, 0, 0, 0xffff, 0x8b, 0);
}

/* What RESET and INIT have in common. */
static void start_over(struct cpu *cpu)
{
	memset(cpu->r, 0, sizeof(cpu->r));
	memset(cpu->dr, 0, sizeof(cpu->dr));
	cpu->r[R_EDX] = CPU_SIGNATURE;
	cpu->eip = 0xfff0;
	cpu->eflags = F_ONE;
	flags_load(cpu, 0);
	cpu->cr2 = cpu->cr3 = cpu->cr4 = cpu->efer = 0;
	memset(cpu->pdpte, 0, sizeof(cpu->pdpte));
	cpu->dr[6] = 0xffff0ff0;
	cpu->dr[7] = 0x400;
	cpu->gdtr = cpu->idtr = (struct table_register) { .base = 0, .limit = 0xffff };
	cpu->halted = cpu->shutdown = cpu->nmi_pending = cpu->nmi_blocked = cpu->shadow = cpu->shadow_debug = cpu->repeating = false;
	cpu->pending_dr6 = 0;
	cpu->fault = (struct fault) { 0 };
	mmu_reset(cpu->mmu);
	code_flush(cpu);
	cpu_set_cpl(cpu, 0);
	reset_segments(cpu);
	cpu->insn = cpu->cache->scratch;
	cpu->attention = true;
}

void cpu_reset(struct cpu *cpu)
{
	cpu->cr0 = CR0_CD | CR0_NW | CR0_ET;
	msr_reset(cpu);
	cpu_ferr(cpu, false);
	fpu_reset(cpu);
	start_over(cpu);
}

void cpu_signal_init(struct cpu *cpu)
{
	cpu->cr0 = (cpu->cr0 & (CR0_CD | CR0_NW)) | CR0_ET;
	start_over(cpu);
}

/* --- state as fields ----------------------------------------------------------------------------------------------- */

/* The names of fields are the keys of state files: each is there once, and stays. */
struct segment_names { const char *selector, *access, *flags, *base, *limit; };
#define SEGMENT(s) { s ".selector", s ".access", s ".flags", s ".base", s ".limit" }
static const struct segment_names segment_names[SEG_COUNT] = { SEGMENT("es"), SEGMENT("cs"), SEGMENT("ss"), SEGMENT("ds"),
	SEGMENT("fs"), SEGMENT("gs"), SEGMENT("ldtr"), SEGMENT("tr") };

struct x87_names { const char *mantissa, *exponent; };
#define X87(n) { "fpu.r[" #n "].mantissa", "fpu.r[" #n "].exponent" }
static const struct x87_names x87_names[8] = { X87(0), X87(1), X87(2), X87(3), X87(4), X87(5), X87(6), X87(7) };

static void visit_segment(struct segment *s, const struct segment_names *n, void (*fn)(void *ctx, const char *name, void *data, size_t size), void *ctx)
{
	fn(ctx, n->selector, &s->selector, sizeof(s->selector));
	fn(ctx, n->access, &s->access, sizeof(s->access));
	fn(ctx, n->flags, &s->flags, sizeof(s->flags));
	fn(ctx, n->base, &s->base, sizeof(s->base));
	fn(ctx, n->limit, &s->limit, sizeof(s->limit));
}

/* What follows from the fields, after they may have been loaded. */
static void rebuild(struct cpu *cpu)
{
	cpu->r[R_ZERO] = 0;
	cpu->tables = cpu->mmu->fast[cpu->cpl == 3];
	control_update_paging(cpu);
	segment_update_all(cpu);
	cpu->attention = true;
}

const char *const cpu_general_names[8] = { "eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi" };
const char *const cpu_segment_names[SEG_COUNT] = { "ES", "CS", "SS", "DS", "FS", "GS", "LDTR", "TR" };

void cpu_visit_state(struct cpu *cpu, void (*fn)(void *ctx, const char *name, void *data, size_t size), void *ctx)
{
	uint32_t eflags = cpu_eflags(cpu), before = eflags;

	for (unsigned i = 0; i < 8; i++)
		fn(ctx, cpu_general_names[i], &cpu->r[i], 4);
	fn(ctx, "eip", &cpu->eip, 4);
	fn(ctx, "eflags", &eflags, 4);
	for (unsigned i = 0; i < SEG_COUNT; i++)
		visit_segment(&cpu->seg[i], &segment_names[i], fn, ctx);
#define FIELD(f) fn(ctx, #f, &cpu->f, sizeof(cpu->f));
	FIELD(cpl) FIELD(cr0) FIELD(cr2) FIELD(cr3) FIELD(cr4) FIELD(efer) FIELD(pdpte) FIELD(dr)
	FIELD(gdtr.base) FIELD(gdtr.limit) FIELD(idtr.base) FIELD(idtr.limit)
	FIELD(tsc_offset) FIELD(sysenter_cs) FIELD(sysenter_esp) FIELD(sysenter_eip)
	FIELD(apic_base) FIELD(misc_enable) FIELD(mtrr) FIELD(pat)
	FIELD(debug_control) FIELD(mc_control) FIELD(perf_select) FIELD(perf_counter)
	FIELD(halted) FIELD(shutdown) FIELD(intr) FIELD(nmi_pending) FIELD(nmi_blocked) FIELD(shadow) FIELD(shadow_debug)
	FIELD(ferr) FIELD(ignne)
	FIELD(repeating) FIELD(pending_dr6) FIELD(icount)
	for (unsigned i = 0; i < 8; i++) {
		fn(ctx, x87_names[i].mantissa, &cpu->fpu.r[i].mantissa, sizeof(cpu->fpu.r[i].mantissa));
		fn(ctx, x87_names[i].exponent, &cpu->fpu.r[i].exponent, sizeof(cpu->fpu.r[i].exponent));
	}
	FIELD(fpu.control) FIELD(fpu.status) FIELD(fpu.valid) FIELD(fpu.opcode) FIELD(fpu.ip) FIELD(fpu.dp) FIELD(fpu.cs) FIELD(fpu.ds)
	FIELD(fpu.mxcsr) FIELD(fpu.xmm)
#undef FIELD
	if (eflags != before)
		cpu_set_eflags(cpu, eflags);
	rebuild(cpu);
}

/* --- comparison ---------------------------------------------------------------------------------------------------- */

struct field { const char *name; const void *data; size_t size; };
#define FIELDS_MAX 160
struct field_list { struct field field[FIELDS_MAX]; unsigned count; uint8_t bytes[2048]; size_t used; };

/* Notes each field; its value is copied, since some exist only during the visit. */
static void note(void *ctx, const char *name, void *data, size_t size)
{
	struct field_list *l = ctx;

	if (l->count == FIELDS_MAX || l->used + size > sizeof(l->bytes))
		return;
	memcpy(l->bytes + l->used, data, size);
	l->field[l->count++] = (struct field) { name, l->bytes + l->used, size };
	l->used += size;
}

const char *cpu_compare(const struct cpu *a, const struct cpu *b)
{
	/* Visiting only reads when the visitor writes nothing; it works on copies so that nothing else is touched. */
	struct field_list la, lb;
	struct cpu copy = *a;

	la.count = lb.count = 0;
	la.used = lb.used = 0;
	cpu_visit_state(&copy, note, &la);
	copy = *b;
	cpu_visit_state(&copy, note, &lb);
	if (!memcmp(la.bytes, lb.bytes, la.used))
		return NULL;
	for (unsigned i = 0; i < la.count; i++)
		if (memcmp(la.field[i].data, lb.field[i].data, la.field[i].size))
			return la.field[i].name;
	return NULL;
}
