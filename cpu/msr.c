/* cpu/msr.c: model-specific registers, time stamp, counters.
 *
 * Those a Pentium M has and firmware and kernels use; every other number is #GP. A register whose unit is missing here is plain
 * storage: it reads as written, with the reserved bits refused, and does nothing.
 *
 *   does something   TSC, SYSENTER_*, EFER, DEBUGCTL.BTF        storage   MTRRs, PAT, APIC_BASE, PERFEVTSEL, PERFCTR, MCi_CTL
 *   constant         PLATFORM_ID, BIOS_SIGN_ID, MTRRCAP,        write     BIOS_UPDT_TRIG
 *                    MCG_CAP, EBL_CR_POWERON, MCi_STATUS        only
 *
 * References: [SDM2A] "RDMSR", [SDM2B] "RDPMC", "RDTSC", [SDM2D] "WRMSR", [SDM4 2.20 "MSRs In the Pentium M Processor"],
 * [SDM4 2.21 "MSRs in the P6 Family Processors"], [SDM3A 11.11 "Memory Type Range Registers (MTRRs)"],
 * [SDM3B 15.3 "Machine-Check MSRs"], [SDM3B 17.17 "Time-Stamp Counter"],
 * [SDM3B "Performance Monitoring (P6 Family Processor)"].
 * Simplified: the performance counters do not count, no machine check ever happens, and no branch is recorded.
 */
#include "cpu/system.h"
#include "cpu/ops.h"

/* --- the registers -------------------------------------------------------------------------------------------- */

#define MTRR_DEFTYPE 16            /* in cpu->mtrr[]: 0..15 base/mask pairs, then these */
#define MTRR_FIXED   18

typedef uint64_t msr_get(const struct cpu *cpu, uint32_t n);           /* n: which of its row, from 0 */
typedef void msr_set(struct cpu *cpu, uint32_t n, uint64_t value);

struct msr_desc {
	uint32_t first, last, step;    /* first, first + step, .. last */
	uint64_t writable;             /* other bits must be 0: #GP */
	msr_get *get;                  /* NULL: #GP to read */
	msr_set *set;                  /* NULL: #GP to write */
	bool (*valid)(uint64_t value); /* of what passes the mask; NULL: anything */
};

static uint64_t get_zero(const struct cpu *cpu, uint32_t n) { (void)cpu, (void)n; return 0; }
static void set_nothing(struct cpu *cpu, uint32_t n, uint64_t value) { (void)cpu, (void)n, (void)value; }

/* Registers that are storage. */
#define STORED(name, place) \
	static uint64_t get_##name(const struct cpu *cpu, uint32_t n) { (void)n; return cpu->place; } \
	static void set_##name(struct cpu *cpu, uint32_t n, uint64_t value) { (void)n; cpu->place = value; }
STORED(apic_base, apic_base)
STORED(debug_control, debug_control)
STORED(mc_control, mc_control[n])
STORED(mtrr_base, mtrr[2 * n])
STORED(mtrr_mask, mtrr[2 * n + 1])
STORED(deftype, mtrr[MTRR_DEFTYPE])
STORED(fix64, mtrr[MTRR_FIXED])
STORED(fix16, mtrr[MTRR_FIXED + 1 + n])
STORED(fix4, mtrr[MTRR_FIXED + 3 + n])
STORED(pat, pat)
STORED(perf_select, perf_select[n])

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

static uint64_t get_sysenter(const struct cpu *cpu, uint32_t n)
{
	return n == 0 ? cpu->sysenter_cs : n == 1 ? cpu->sysenter_esp : cpu->sysenter_eip;
}
static void set_sysenter(struct cpu *cpu, uint32_t n, uint64_t value)
{
	*(n == 0 ? &cpu->sysenter_cs : n == 1 ? &cpu->sysenter_esp : &cpu->sysenter_eip) = (uint32_t)value;
}

/* Only NXE exists: the other bits are of 64-bit processors. */
static uint64_t get_efer(const struct cpu *cpu, uint32_t n) { (void)n; return cpu->efer; }
static void set_efer(struct cpu *cpu, uint32_t n, uint64_t value) { (void)n; control_set_efer(cpu, (uint32_t)value); }

/* Fast strings can be switched; that there are counters, but neither BTS nor PEBS, can only be read. */
#define MISC_FAST_STRINGS 0x0001u
#define MISC_FIXED        0x1880u
static uint64_t get_misc_enable(const struct cpu *cpu, uint32_t n) { (void)n; return cpu->misc_enable; }
static void set_misc_enable(struct cpu *cpu, uint32_t n, uint64_t value)
{
	(void)n;
	cpu->misc_enable = (value & MISC_FAST_STRINGS) | MISC_FIXED;
}

/* A counter has 40 bits; a write gives the low 32, and bit 31 fills the rest. */
static uint64_t get_perf_counter(const struct cpu *cpu, uint32_t n) { return cpu->perf_counter[n]; }
static void set_perf_counter(struct cpu *cpu, uint32_t n, uint64_t value)
{
	cpu->perf_counter[n] = (uint64_t)(int32_t)(uint32_t)value & 0xffffffffffull;
}

static uint64_t get_mtrr_cap(const struct cpu *cpu, uint32_t n) { (void)cpu, (void)n; return 0x508; }   /* 8 pairs, fixed, WC */
static uint64_t get_mcg_cap(const struct cpu *cpu, uint32_t n) { (void)cpu, (void)n; return MC_BANKS; }  /* without MCG_CTL */

/* --- what may be written beyond the mask ------------------------------------------------------------------------ */

/* Memory types: UC 0, WC 1, WT 4, WP 5, WB 6, and for the PAT UC- 7. */
#define TYPES_MTRR 0x73u
#define TYPES_PAT  0xf3u

static bool types_valid(uint64_t value, unsigned allowed)
{
	for (unsigned i = 0; i < 64; i += 8)
		if ((value >> i & 0xff) > 7 || !(allowed >> (value >> i & 7) & 1))
			return false;
	return true;
}
static bool valid_pat(uint64_t value) { return types_valid(value, TYPES_PAT); }
static bool valid_fixed(uint64_t value) { return types_valid(value, TYPES_MTRR); }
static bool valid_type(uint64_t value) { return types_valid(value & 0xff, TYPES_MTRR); }     /* in the low byte */
static bool valid_all_or_none(uint64_t value) { return value == 0 || value == ~0ull; }
static bool valid_zero(uint64_t value) { return value == 0; }

/* --- the table -------------------------------------------------------------------------------------------------- */

#define PHYSICAL 0xfffffffffull            /* 36 address bits */
#define PERF_SELECT_BITS 0xffdfffffull

static const struct msr_desc msrs[] = {
	{ 0x000, 0x001, 1, ~0ull, get_zero, set_nothing, valid_zero },         /* P5_MC_ADDR, P5_MC_TYPE */
	{ 0x010, 0x010, 1, ~0ull, get_tsc, set_tsc, NULL },
	{ 0x017, 0x017, 1, 0, get_zero, NULL, NULL },                          /* PLATFORM_ID */
	{ 0x01b, 0x01b, 1, PHYSICAL & ~0x6ffull, get_apic_base, set_apic_base, NULL },
	{ 0x02a, 0x02a, 1, 0x07ffffff, get_zero, set_nothing, NULL },          /* EBL_CR_POWERON: all bits fixed */
	{ 0x079, 0x079, 1, ~0ull, NULL, set_nothing, NULL },                   /* BIOS_UPDT_TRIG: takes no update */
	{ 0x08b, 0x08b, 1, ~0ull, get_zero, set_nothing, NULL },               /* BIOS_SIGN_ID: no microcode */
	{ 0x0c1, 0x0c2, 1, ~0ull, get_perf_counter, set_perf_counter, NULL },
	{ 0x0fe, 0x0fe, 1, 0, get_mtrr_cap, NULL, NULL },
	{ 0x174, 0x176, 1, 0xffffffff, get_sysenter, set_sysenter, NULL },
	{ 0x179, 0x179, 1, 0, get_mcg_cap, NULL, NULL },
	{ 0x17a, 0x17a, 1, ~0ull, get_zero, set_nothing, valid_zero },         /* MCG_STATUS */
	{ 0x186, 0x187, 1, PERF_SELECT_BITS, get_perf_select, set_perf_select, NULL },
	{ 0x1a0, 0x1a0, 1, MISC_FAST_STRINGS | MISC_FIXED, get_misc_enable, set_misc_enable, NULL },
	{ 0x1d9, 0x1d9, 1, 0x7f, get_debug_control, set_debug_control, NULL },
	{ 0x1db, 0x1de, 1, 0, get_zero, NULL, NULL },                          /* the last branch, the last before an exception */
	{ 0x200, 0x20e, 2, PHYSICAL & ~0xf00ull, get_mtrr_base, set_mtrr_base, valid_type },
	{ 0x201, 0x20f, 2, PHYSICAL & ~0x7ffull, get_mtrr_mask, set_mtrr_mask, NULL },
	{ 0x250, 0x250, 1, ~0ull, get_fix64, set_fix64, valid_fixed },
	{ 0x258, 0x259, 1, ~0ull, get_fix16, set_fix16, valid_fixed },
	{ 0x268, 0x26f, 1, ~0ull, get_fix4, set_fix4, valid_fixed },
	{ 0x277, 0x277, 1, ~0ull, get_pat, set_pat, valid_pat },
	{ 0x2ff, 0x2ff, 1, 0xcff, get_deftype, set_deftype, valid_type },
	/* A bank is CTL, STATUS, ADDR; MISC does not exist. */
	{ 0x400, 0x410, 4, ~0ull, get_mc_control, set_mc_control, valid_all_or_none },
	{ 0x401, 0x411, 4, ~0ull, get_zero, set_nothing, valid_zero },
	{ 0x402, 0x412, 4, ~0ull, get_zero, set_nothing, valid_zero },
	{ 0xc0000080, 0xc0000080, 1, EFER_NXE, get_efer, set_efer, NULL },
};

void msr_reset(struct cpu *cpu)
{
	cpu->apic_base = 0xfee00900;
	cpu->misc_enable = MISC_FAST_STRINGS | MISC_FIXED;
	cpu->pat = 0x0007040600070406;
	cpu->tsc_offset = cpu->bus.now ? 0 - cpu->bus.now(cpu->bus.owner) : 0;
	cpu->sysenter_cs = cpu->sysenter_esp = cpu->sysenter_eip = 0;
	cpu->debug_control = 0;
	memset(cpu->mtrr, 0, sizeof(cpu->mtrr));
	memset(cpu->mc_control, 0, sizeof(cpu->mc_control));
	memset(cpu->perf_select, 0, sizeof(cpu->perf_select));
	memset(cpu->perf_counter, 0, sizeof(cpu->perf_counter));
}

/* The row of a number, and which of its registers it is. */
static const struct msr_desc *find_msr(uint32_t index, uint32_t *n)
{
	for (unsigned i = 0; i < sizeof(msrs) / sizeof(msrs[0]); i++) {
		const struct msr_desc *m = &msrs[i];
		if (index < m->first || index > m->last || (index - m->first) % m->step)
			continue;
		*n = (index - m->first) / m->step;
		return m;
	}
	return NULL;
}

bool cpu_msr_peek(const struct cpu *cpu, uint32_t number, uint64_t *value)
{
	uint32_t n = 0;
	const struct msr_desc *m = find_msr(number, &n);

	if (!m || !m->get)
		return false;
	*value = m->get(cpu, n);
	return true;
}

static void set_edx_eax(struct cpu *cpu, uint64_t value)
{
	cpu->r[R_EAX] = (uint32_t)value;
	cpu->r[R_EDX] = (uint32_t)(value >> 32);
}

enum exec op_rdmsr(struct cpu *cpu, const struct insn *in)
{
	uint32_t n = 0;
	const struct msr_desc *m = find_msr(cpu->r[R_ECX], &n);

	if (cpu->cpl != 0 || !m || !m->get)
		return raise_error(cpu, in, VEC_GP, 0);
	set_edx_eax(cpu, m->get(cpu, n));
	NEXT(cpu, in);
}

static void set_watched(struct cpu *cpu, const struct insn *in, const struct msr_desc *m, uint32_t n, uint64_t value)
{
	struct register_write w = {
		.kind = WROTE_MSR, .number = cpu->r[R_ECX], .old = m->get ? m->get(cpu, n) : 0, .value = value, .eip = insn_eip(cpu, in),
	};

	m->set(cpu, n, value);
	control_written(cpu, &w);
}

enum exec op_wrmsr(struct cpu *cpu, const struct insn *in)
{
	uint32_t n = 0;
	const struct msr_desc *m = find_msr(cpu->r[R_ECX], &n);
	uint64_t value = cpu->r[R_EAX] | (uint64_t)cpu->r[R_EDX] << 32;

	if (cpu->cpl != 0 || !m || !m->set || value & ~m->writable || (m->valid && !m->valid(value)))
		return raise_error(cpu, in, VEC_GP, 0);
	TRY(alone_when_heard(cpu, in));
	if (unlikely(cpu->watch.control != NULL))
		set_watched(cpu, in, m, n, value);
	else
		m->set(cpu, n, value);
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
	set_edx_eax(cpu, cpu->perf_counter[cpu->r[R_ECX]]);
	NEXT(cpu, in);
}
