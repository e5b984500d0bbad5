/* cpu/cpuid.c: what the processor says it is, and the features it says it has.
 *
 *   EAX         0            1                        2              80000000    80000001    80000002..80000004
 *   gives       last leaf,   signature, CLFLUSH       TLBs, caches   last leaf   features    the brand string
 *               vendor       line, features
 *
 * Family 6, model 13, stepping 8, as the Pentium M: the processor between the Pentium III and those with 64 bits that has
 * PAE, execute-disable and SSE2. A feature is set here when it is implemented and not before: each is one line below.
 * References: [SDM2A] "CPUID" tables 3-8, 3-11 and 3-12.
 */
#include "cpu/system.h"
#include "cpu/ops.h"

/* Leaf 1, EDX; [SDM2A] "CPUID" table 3-11. */
enum {
	CPUID_FPU   = 1 << 0,          /* x87 FPU on chip */
	CPUID_VME   = 1 << 1,          /* virtual-8086 mode enhancements */
	CPUID_DE    = 1 << 2,          /* debugging extensions */
	CPUID_PSE   = 1 << 3,          /* page size extension */
	CPUID_TSC   = 1 << 4,          /* time stamp counter */
	CPUID_MSR   = 1 << 5,          /* RDMSR and WRMSR */
	CPUID_PAE   = 1 << 6,          /* physical address extension */
	CPUID_MCE   = 1 << 7,          /* machine check exception */
	CPUID_CX8   = 1 << 8,          /* CMPXCHG8B */
	CPUID_APIC  = 1 << 9,          /* APIC on chip */
	CPUID_SEP   = 1 << 11,         /* SYSENTER and SYSEXIT */
	CPUID_MTRR  = 1 << 12,         /* memory type range registers */
	CPUID_PGE   = 1 << 13,         /* page global bit */
	CPUID_MCA   = 1 << 14,         /* machine check architecture */
	CPUID_CMOV  = 1 << 15,         /* conditional moves; with FPU, FCMOV and FCOMI too */
	CPUID_PAT   = 1 << 16,         /* page attribute table */
	CPUID_PSE36 = 1 << 17,         /* 36-bit page size extension */
	CPUID_CLFSH = 1 << 19,         /* CLFLUSH; leaf 1 EBX has its line size */
	CPUID_MMX   = 1 << 23,
	CPUID_FXSR  = 1 << 24,         /* FXSAVE and FXRSTOR */
	CPUID_SSE   = 1 << 25,
	CPUID_SSE2  = 1 << 26,
};

/* Leaf 80000001, EDX. */
enum {
	CPUID_NX    = 1 << 20,         /* execute disable */
};

#define FEATURES ( \
	CPUID_FPU | \
	CPUID_VME | \
	CPUID_DE | \
	CPUID_PSE | \
	CPUID_TSC | \
	CPUID_MSR | \
	CPUID_PAE | \
	CPUID_MCE | \
	CPUID_CX8 | \
	CPUID_SEP | \
	CPUID_MTRR | \
	CPUID_PGE | \
	CPUID_MCA | \
	CPUID_CMOV | \
	CPUID_PAT | \
	CPUID_PSE36 | \
	CPUID_CLFSH | \
	CPUID_MMX | \
	CPUID_FXSR | \
	CPUID_SSE | \
	CPUID_SSE2 | \
	0)

#define EXTENDED_FEATURES ( \
	CPUID_NX | \
	0)

#define CLFLUSH_LINE 64u               /* bytes; reported in units of 8, and only with CPUID_CLFSH */

#define STANDARD_LAST 2u
#define EXTENDED_FIRST 0x80000000u
#define EXTENDED_LAST 0x80000004u

struct leaf { uint32_t eax, ebx, ecx, edx; };

static const struct leaf standard[STANDARD_LAST + 1] = {
	{ STANDARD_LAST, 0x756e6547, 0x6c65746e, 0x49656e69 },     /* "Genu" "ntel" "ineI": the vendor is EBX EDX ECX */
	{ CPU_SIGNATURE, FEATURES & CPUID_CLFSH ? CLFLUSH_LINE / 8 << 8 : 0, 0, FEATURES },
	/* Table 3-12, a byte each; the lowest only says that one CPUID tells all. 02, 04: TLBs of 4 MB pages, 2 and 8 entries;
	 * b0, b3: of 4 KB pages, 128 each; 2c, 30: first level caches of 32 KB, 7d: second of 2 MB, with lines of 64 bytes. */
	{ 0x02b3b001, 0, 0, 0x2c04307d },
};

/* 47 characters and the final zero, in the order of the registers. */
static const char brand[48] = "emu P6-class 32-bit processor";

static struct leaf brand_leaf(unsigned n)
{
	struct leaf l;

	memcpy(&l, brand + n * sizeof(l), sizeof(l));
	return l;
}

static struct leaf find_leaf(uint32_t n)
{
	if (n == EXTENDED_FIRST)
		return (struct leaf) { EXTENDED_LAST, 0, 0, 0 };
	if (n == EXTENDED_FIRST + 1)
		return (struct leaf) { 0, 0, 0, EXTENDED_FEATURES };
	if (n > EXTENDED_FIRST + 1 && n <= EXTENDED_LAST)
		return brand_leaf(n - EXTENDED_FIRST - 2);
	/* Beyond the last leaf of either kind comes the last standard one. */
	return standard[n < STANDARD_LAST ? n : STANDARD_LAST];
}

enum exec op_cpuid(struct cpu *cpu, const struct insn *in)
{
	struct leaf l = find_leaf(cpu->r[R_EAX]);

	cpu->r[R_EAX] = l.eax;
	cpu->r[R_EBX] = l.ebx;
	cpu->r[R_ECX] = l.ecx;
	cpu->r[R_EDX] = l.edx;
	NEXT(cpu, in);
}
