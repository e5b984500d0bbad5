/* cpu/msr.c: model-specific registers, time stamp, counters.
 *
 * The MSRs of units that are missing here are plain storage, since firmware and kernels save and restore them.
 * References: [SDM2A] "RDMSR", "RDPMC", "RDTSC", "WRMSR", [SDM4 2.21 "MSRs in the P6 Family Processors"],
 * [SDM3B 17.17 "Time-Stamp Counter"].   Not implemented: performance counters (they read 0).
 */
#include "cpu/system.h"
#include "cpu/ops.h"

/* --- the registers -------------------------------------------------------------------------------------------- */

#define MTRR_DEFTYPE 16            /* in cpu->mtrr[]: 0..15 base/mask pairs, then these */
#define MTRR_FIXED   18

struct msr_desc {
	uint32_t first, last;
	uint64_t writable;             /* other bits must be 0: #GP */
	uint64_t (*get)(const struct cpu *cpu, uint32_t n);            /* n: index - first */
	void (*set)(struct cpu *cpu, uint32_t n, uint64_t value);      /* NULL: writes that pass the mask are dropped */
	bool (*valid)(uint64_t value);                                 /* NULL: anything */
};

static uint64_t time_stamp(const struct cpu *cpu)
{
	return cpu->bus.now(cpu->bus.owner) + cpu->tsc_offset;
}

static uint64_t get_tsc(const struct cpu *cpu, uint32_t n) { (void)n; return time_stamp(cpu); }
/* The P6 can only write the low half; the high half becomes 0. */
static void set_tsc(struct cpu *cpu, uint32_t n, uint64_t value)
{
	(void)n;
	cpu->tsc_offset = (uint32_t)value - cpu->bus.now(cpu->bus.owner);
}

static uint64_t get_zero(const struct cpu *cpu, uint32_t n) { (void)cpu; (void)n; return 0; }

static uint64_t get_apic_base(const struct cpu *cpu, uint32_t n) { (void)n; return cpu->apic_base; }
static void set_apic_base(struct cpu *cpu, uint32_t n, uint64_t value) { (void)n; cpu->apic_base = value; }
static uint64_t get_misc_enable(const struct cpu *cpu, uint32_t n) { (void)n; return cpu->misc_enable; }
static void set_misc_enable(struct cpu *cpu, uint32_t n, uint64_t value) { (void)n; cpu->misc_enable = value; }

/* Only NXE exists: the other bits are of 64-bit processors. */
static uint64_t get_efer(const struct cpu *cpu, uint32_t n) { (void)n; return cpu->efer; }
static void set_efer(struct cpu *cpu, uint32_t n, uint64_t value) { (void)n; control_set_efer(cpu, (uint32_t)value); }

static uint64_t get_sysenter(const struct cpu *cpu, uint32_t n)
{
	return n == 0 ? cpu->sysenter_cs : n == 1 ? cpu->sysenter_esp : cpu->sysenter_eip;
}
static void set_sysenter(struct cpu *cpu, uint32_t n, uint64_t value)
{
	*(n == 0 ? &cpu->sysenter_cs : n == 1 ? &cpu->sysenter_esp : &cpu->sysenter_eip) = (uint32_t)value;
}

static uint64_t get_mtrr_cap(const struct cpu *cpu, uint32_t n) { (void)cpu; (void)n; return 0x508; }   /* 8 pairs, fixed, WC */
static uint64_t get_mtrr(const struct cpu *cpu, uint32_t n) { return cpu->mtrr[n]; }
static void set_mtrr(struct cpu *cpu, uint32_t n, uint64_t value) { cpu->mtrr[n] = value; }
static uint64_t get_deftype(const struct cpu *cpu, uint32_t n) { (void)n; return cpu->mtrr[MTRR_DEFTYPE]; }
static void set_deftype(struct cpu *cpu, uint32_t n, uint64_t value) { (void)n; cpu->mtrr[MTRR_DEFTYPE] = value; }
static uint64_t get_fix64(const struct cpu *cpu, uint32_t n) { (void)n; return cpu->mtrr[MTRR_FIXED]; }
static void set_fix64(struct cpu *cpu, uint32_t n, uint64_t value) { (void)n; cpu->mtrr[MTRR_FIXED] = value; }
static uint64_t get_fix16(const struct cpu *cpu, uint32_t n) { return cpu->mtrr[MTRR_FIXED + 1 + n]; }
static void set_fix16(struct cpu *cpu, uint32_t n, uint64_t value) { cpu->mtrr[MTRR_FIXED + 1 + n] = value; }
static uint64_t get_fix4(const struct cpu *cpu, uint32_t n) { return cpu->mtrr[MTRR_FIXED + 3 + n]; }
static void set_fix4(struct cpu *cpu, uint32_t n, uint64_t value) { cpu->mtrr[MTRR_FIXED + 3 + n] = value; }
static uint64_t get_pat(const struct cpu *cpu, uint32_t n) { (void)n; return cpu->pat; }
static void set_pat(struct cpu *cpu, uint32_t n, uint64_t value) { (void)n; cpu->pat = value; }

/* Memory types: UC 0, WC 1, WT 4, WP 5, WB 6, and for the PAT UC- 7. */
static bool types_valid(uint64_t value, unsigned allowed)
{
	for (unsigned i = 0; i < 64; i += 8)
		if ((value >> i & 0xff) > 7 || !(allowed >> (value >> i & 7) & 1))
			return false;
	return true;
}
static bool valid_pat(uint64_t value) { return types_valid(value, 0xf3); }
static bool valid_fixed(uint64_t value) { return types_valid(value, 0x73); }
static bool valid_deftype(uint64_t value) { return types_valid(value & 0xff, 0x73); }

static const struct msr_desc msrs[] = {
	{ 0x010, 0x010, ~0ull, get_tsc, set_tsc, NULL },
	{ 0x017, 0x017, 0, get_zero, NULL, NULL },                             /* PLATFORM_ID */
	{ 0x01b, 0x01b, 0xfffff900, get_apic_base, set_apic_base, NULL },
	{ 0x08b, 0x08b, ~0ull, get_zero, NULL, NULL },                         /* BIOS_SIGN_ID: no microcode */
	{ 0x0fe, 0x0fe, 0, get_mtrr_cap, NULL, NULL },
	{ 0x174, 0x176, 0xffffffff, get_sysenter, set_sysenter, NULL },
	{ 0x1a0, 0x1a0, 0x1, get_misc_enable, set_misc_enable, NULL },         /* fast strings */
	{ 0x200, 0x20f, 0xfffffffff, get_mtrr, set_mtrr, NULL },
	{ 0x250, 0x250, ~0ull, get_fix64, set_fix64, valid_fixed },
	{ 0x258, 0x259, ~0ull, get_fix16, set_fix16, valid_fixed },
	{ 0x268, 0x26f, ~0ull, get_fix4, set_fix4, valid_fixed },
	{ 0x277, 0x277, ~0ull, get_pat, set_pat, valid_pat },
	{ 0x2ff, 0x2ff, 0xcff, get_deftype, set_deftype, valid_deftype },
	{ 0xc0000080, 0xc0000080, EFER_NXE, get_efer, set_efer, NULL },
};

void msr_reset(struct cpu *cpu)
{
	cpu->apic_base = 0xfee00900;
	cpu->misc_enable = 1;
	cpu->pat = 0x0007040600070406;
	cpu->tsc_offset = 0;
	cpu->sysenter_cs = cpu->sysenter_esp = cpu->sysenter_eip = 0;
	memset(cpu->mtrr, 0, sizeof(cpu->mtrr));
}

static const struct msr_desc *find_msr(uint32_t index)
{
	for (unsigned i = 0; i < sizeof(msrs) / sizeof(msrs[0]); i++)
		if (index >= msrs[i].first && index <= msrs[i].last)
			return &msrs[i];
	return NULL;
}

static void set_edx_eax(struct cpu *cpu, uint64_t value)
{
	cpu->r[R_EAX] = (uint32_t)value;
	cpu->r[R_EDX] = (uint32_t)(value >> 32);
}

enum exec op_rdmsr(struct cpu *cpu, const struct insn *in)
{
	const struct msr_desc *m = find_msr(cpu->r[R_ECX]);

	if (cpu->cpl != 0 || !m)
		return raise_error(cpu, in, VEC_GP, 0);
	set_edx_eax(cpu, m->get(cpu, cpu->r[R_ECX] - m->first));
	NEXT(cpu, in);
}

enum exec op_wrmsr(struct cpu *cpu, const struct insn *in)
{
	const struct msr_desc *m = find_msr(cpu->r[R_ECX]);
	uint64_t value = cpu->r[R_EAX] | (uint64_t)cpu->r[R_EDX] << 32;

	if (cpu->cpl != 0 || !m || !m->writable || value & ~m->writable || (m->valid && !m->valid(value)))
		return raise_error(cpu, in, VEC_GP, 0);
	if (m->set)
		m->set(cpu, cpu->r[R_ECX] - m->first, value);
	NEXT(cpu, in);
}

/* --- time stamp and counters ---------------------------------------------------------------------------------- */

enum exec op_rdtsc(struct cpu *cpu, const struct insn *in)
{
	if (cpu->cr4 & CR4_TSD && cpu->cpl != 0)
		return raise_error(cpu, in, VEC_GP, 0);
	set_edx_eax(cpu, time_stamp(cpu));
	NEXT(cpu, in);
}

enum exec op_rdpmc(struct cpu *cpu, const struct insn *in)
{
	if ((!(cpu->cr4 & CR4_PCE) && cpu->cpl != 0) || cpu->r[R_ECX] > 1)
		return raise_error(cpu, in, VEC_GP, 0);
	set_edx_eax(cpu, 0);
	NEXT(cpu, in);
}
