/* cpu/cpu.h: a P6-class IA-32 processor: state, reset, run.
 *
 *   cpu_run(cpu, budget) -> why it stopped
 *
 * The processor knows memory only through struct mmu, ports through struct cpu_bus, and interrupts through two lines.
 * Reading order: cpu.h, insn.h + insn.def (what an instruction is), decode.c, exec.h (how a handler reaches memory),
 * the op_*.c files, segment.c, exception.c (how a fault becomes a handler's first instruction), task.c, run.c.
 * Floating point and SIMD: fpu.h (when they may run at all), then x87.h, simd.h and sse.h, each before its op_ files.
 *
 * References: [SDM1], [SDM2A], [SDM2B], [SDM3A].  Not implemented: local APIC, SSE3 and later (CPUID does not report them).
 */
#ifndef CPU_CPU_H
#define CPU_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mmu/mmu.h"

enum { R_EAX, R_ECX, R_EDX, R_EBX, R_ESP, R_EBP, R_ESI, R_EDI, R_ZERO };      /* R_ZERO is always 0: "no base", "no index" */
enum { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_LDTR, SEG_TR, SEG_COUNT };
extern const char *const cpu_general_names[8];         /* "eax" ... */
extern const char *const cpu_segment_names[SEG_COUNT]; /* "ES" ... "LDTR", "TR" */

#define F_CF   (1u << 0)
#define F_ONE  (1u << 1)           /* always set */
#define F_PF   (1u << 2)
#define F_AF   (1u << 4)
#define F_ZF   (1u << 6)
#define F_SF   (1u << 7)
#define F_TF   (1u << 8)
#define F_IF   (1u << 9)
#define F_DF   (1u << 10)
#define F_OF   (1u << 11)
#define F_IOPL (3u << 12)
#define F_NT   (1u << 14)
#define F_RF   (1u << 16)
#define F_VM   (1u << 17)
#define F_AC   (1u << 18)
#define F_VIF  (1u << 19)
#define F_VIP  (1u << 20)
#define F_ID   (1u << 21)
#define F_ARITH (F_CF | F_PF | F_AF | F_ZF | F_SF | F_OF)

#define CR0_PE (1u << 0)
#define CR0_MP (1u << 1)
#define CR0_EM (1u << 2)
#define CR0_TS (1u << 3)
#define CR0_ET (1u << 4)
#define CR0_NE (1u << 5)
#define CR0_WP (1u << 16)
#define CR0_AM (1u << 18)
#define CR0_NW (1u << 29)
#define CR0_CD (1u << 30)
#define CR0_PG (1u << 31)
#define CR4_VME (1u << 0)
#define CR4_PVI (1u << 1)
#define CR4_TSD (1u << 2)
#define CR4_DE  (1u << 3)
#define CR4_PSE (1u << 4)
#define CR4_PAE (1u << 5)
#define CR4_MCE (1u << 6)
#define CR4_PGE (1u << 7)
#define CR4_PCE (1u << 8)
#define CR4_OSFXSR     (1u << 9)
#define CR4_OSXMMEXCPT (1u << 10)
#define EFER_NXE (1u << 11)

/* [SDM3A 6.3.1 "External Interrupts"] table 6-1. */
enum vector {
	VEC_DE = 0, VEC_DB = 1, VEC_NMI = 2, VEC_BP = 3, VEC_OF = 4, VEC_BR = 5, VEC_UD = 6, VEC_NM = 7, VEC_DF = 8,
	VEC_TS = 10, VEC_NP = 11, VEC_SS = 12, VEC_GP = 13, VEC_PF = 14, VEC_MF = 16, VEC_AC = 17, VEC_MC = 18, VEC_XM = 19,
};

/* A segment register: what software sees and the hidden part. */
struct segment {
	uint16_t selector;
	uint8_t access;            /* descriptor byte 5: P DPL(2) S type(4); 0 when unusable */
	uint8_t flags;             /* descriptor byte 6 bits 7..4: G D/B 0 AVL, in bits 3..0 */
	uint8_t ok;                /* SEG_OK_*: accesses that need no check because the segment is flat */
	uint32_t base;
	uint32_t limit;            /* bytes: the last valid offset, or for expand-down the last invalid one */
};
#define SEG_OK_READ  1u
#define SEG_OK_WRITE 2u
#define SEG_OK_FETCH 4u
#define SEG_FLAG_DB  4u            /* in flags: default operand size 32 */
#define SEG_FLAG_G   8u

#define MC_BANKS 5                 /* of machine-check registers */

struct table_register { uint32_t base; uint16_t limit; };

/* One x87 register; MMn is the mantissa of Rn. */
struct x87_reg {
	uint64_t mantissa;         /* with the integer bit */
	uint16_t exponent;         /* sign in bit 15 */
};

union xmm {
	uint8_t u8[16];
	uint16_t u16[8];
	uint32_t u32[4];
	uint64_t u64[2];
} __attribute__((aligned(16)));

/* x87, MMX and SSE state [SDM1 8.1 "x87 FPU Execution Environment"], [SDM1 10.2.3 "MXCSR Control and Status Register"]. */
struct fpu {
	struct x87_reg r[8];       /* physical order: ST(i) is r[(top + i) & 7] */
	uint16_t control;
	uint16_t status;           /* TOP in bits 13..11 */
	uint8_t valid;             /* bit n: Rn is not empty; the tag word of FSAVE follows from this and the contents */
	uint16_t opcode;           /* of the last instruction with an operand: low 3 bits of its first byte, then its ModRM byte */
	uint32_t ip, dp;           /* ... where it was, and its memory operand */
	uint16_t cs, ds;
	uint32_t mxcsr;
	union xmm xmm[8];
};

/* Arithmetic flags, kept as the last result until somebody asks; see flags.h. */
struct lazy_flags { uint32_t result, carries; };

/* What a fault is before it is delivered. */
struct fault {
	uint8_t vector;
	bool has_error;
	uint32_t error;
	laddr_t cr2;               /* #PF */
	uint32_t dr6;              /* #DB: bits to set */
	bool unblocks_nmi;         /* it was an IRET's */
};

/* One line in the history that a triple-fault report tells. */
struct fault_record {
	uint64_t icount;
	struct fault fault;
	uint32_t cs, eip, ss, esp, cr3;
	struct walk walk;          /* #PF: the walk that failed */
	uint8_t idt_entry[8];
	bool idt_read;             /* the gate could be read */
	bool external;             /* hardware interrupt or INT n rather than an exception */
};
#define FAULT_HISTORY 16
struct control_write { uint64_t icount; uint32_t eip; uint8_t reg; uint32_t old, value; };
#define CONTROL_HISTORY 16

struct cpu_bus {
	uint32_t (*in)(void *owner, uint16_t port, unsigned size);
	void (*out)(void *owner, uint16_t port, unsigned size, uint32_t value);
	int (*acknowledge)(void *owner);           /* INTA: the vector */
	uint64_t (*now)(void *owner);              /* virtual time in ticks, for RDTSC */
	void *owner;
	/* The FERR# pin changed: an x87 error waits while CR0.NE is 0. May be NULL. */
	void (*ferr)(void *owner, bool level);
};

/* A write to a control, debug or model-specific register by an instruction or a task switch. */
struct register_write {
	enum { WROTE_CR, WROTE_DR, WROTE_MSR } kind;
	uint32_t number;           /* CR and DR: 0..7; MSR: its number */
	uint64_t old, value;
	uint32_t eip;              /* of the instruction */
};

/* Watchers of what happens, for traces, reports and demonstrations. All may be NULL; none may change the machine. */
struct cpu;
struct cpu_watch {
	void (*instruction)(void *owner, const struct cpu *cpu);                   /* before each; forces single steps */
	/* Before delivery, everything as the instruction found it. Returning true stops cpu_run (CPU_STOP_REQUEST) instead of
	 * delivering; running on executes the instruction again. */
	bool (*exception)(void *owner, const struct cpu *cpu, const struct fault_record *r);
	void (*delivered)(void *owner, const struct cpu *cpu, const struct fault_record *r); /* at the handler's first instruction */
	void (*iret)(void *owner, const struct cpu *cpu);
	void (*control)(void *owner, const struct cpu *cpu, const struct register_write *w);       /* after it */
	/* Whether instructions of this linear page, which lies in this frame, must be run one by one and told to alone(). The answer is kept
	 * while the translation lives, until cpu_forget_code(). An instruction belongs to the page of its first byte. */
	bool (*guarded)(void *owner, uint32_t vpn, uint32_t frame);
	/* Before an instruction that runs alone for whatever reason; cpu_request_stop() here stops before it. Unlike instruction() it does
	 * not make others run alone. */
	void (*alone)(void *owner, const struct cpu *cpu);
	bool ports;                /* IN and OUT run alone: who watches the bus wants to find their EIP */
	void *owner;
};

enum cpu_stop {
	CPU_STOP_BUDGET,           /* executed the whole budget */
	CPU_STOP_HALT,             /* HLT: waiting for an interrupt; budget left over */
	CPU_STOP_SHUTDOWN,         /* triple fault */
	CPU_STOP_REQUEST,          /* cpu_request_stop() */
};

struct code_cache;
struct insn;

struct cpu {
	/* --- what translated code will reach, first --- */
	uint32_t r[9];
	uint32_t eip;              /* valid outside a block; inside, insn_eip() knows */
	struct lazy_flags lf;
	uint32_t eflags;           /* everything but F_ARITH; use cpu_eflags() for the whole */
	struct segment seg[SEG_COUNT];
	uintptr_t *const *tables;  /* mmu.fast[cpl == 3]: index by access_kind, then la >> 12 */
	uint32_t page_eip;         /* eip of offset 0 of the page the current block is in */
	uint8_t cpl;               /* 3 in virtual-8086 mode, 0 in real mode */
	bool single;               /* executing one instruction outside the code cache: devices and code may be touched */
	bool attention;            /* leave the fast loop at the next boundary: something below wants to be looked at */

	/* --- the rest of the architectural state --- */
	uint32_t cr0, cr2, cr3, cr4;
	uint32_t efer;
	uint64_t pdpte[PDPTES];    /* used in PAE paging: what CR3 located when it was loaded */
	uint32_t dr[8];
	struct table_register gdtr, idtr;
	uint64_t tsc_offset;
	uint32_t sysenter_cs, sysenter_esp, sysenter_eip;
	uint64_t apic_base, misc_enable, mtrr[16 + 2 + 11], pat;
	uint64_t debug_control, mc_control[MC_BANKS], perf_select[2], perf_counter[2];
	bool halted;
	bool shutdown;
	bool intr;                 /* level of the INTR pin */
	bool nmi_pending, nmi_blocked;
	bool ferr, ignne;          /* FERR# (out) and IGNNE# (in): x87 errors while CR0.NE is 0 */
	bool shadow;               /* the next boundary accepts no interrupt (STI) */
	bool shadow_debug;         /* ... nor debug trap (MOV SS, POP SS) */
	struct fpu fpu;
	bool repeating;            /* EIP stands at a string instruction that has done some iterations, not all */
	uint32_t pending_dr6;      /* data breakpoint and TF traps to deliver at the boundary */

	/* --- execution --- */
	uint64_t icount;           /* instructions completed when not inside a block: use cpu_icount() */
	uint64_t run_end;          /* icount at which cpu_run returns */
	bool stop_requested;
	const struct insn *insn;   /* the instruction that raised, or is executing in a slow path */
	struct fault fault;        /* valid after EXEC_FAULT */
	struct mmu *mmu;
	struct cpu_bus bus;
	struct cpu_watch watch;
	struct code_cache *cache;

	/* --- history for reports --- */
	struct fault_record faults[FAULT_HISTORY];
	unsigned fault_count;              /* total; the last FAULT_HISTORY are kept */
	struct control_write controls[CONTROL_HISTORY];
	unsigned control_count;
};

/* 0 or negative errno. The processor is reset. */
int cpu_init(struct cpu *cpu, struct mmu *mmu, const struct cpu_bus *bus);
void cpu_free(struct cpu *cpu);
/* [SDM3A 9.1.1 "Processor State After Reset"]: state after RESET: real mode, CS:EIP = F000:FFF0 with base FFFF0000. */
void cpu_reset(struct cpu *cpu);
/* ... after INIT, table 9-1: as RESET, but the FPU, the MSRs (EFER aside), the time stamp and the cache bits of CR0 stay. */
void cpu_signal_init(struct cpu *cpu);
/* Executes at most budget instructions, delivering interrupts and exceptions on the way. Each REP iteration counts as one. */
enum cpu_stop cpu_run(struct cpu *cpu, uint64_t budget);
/* Makes cpu_run return after the current instruction. For device callbacks. */
void cpu_request_stop(struct cpu *cpu);
/* Brings the end of the current cpu_run forward to icount (a device wants to be called then). Only from bus callbacks. */
void cpu_run_until(struct cpu *cpu, uint64_t icount);
/* Instructions completed, the one in progress included; each delivery of an event counts as one more, so that a machine that
 * only faults still uses up its budget. Exact in every callback. */
uint64_t cpu_icount(const struct cpu *cpu);
void cpu_set_intr(struct cpu *cpu, bool level);
void cpu_raise_nmi(struct cpu *cpu);
/* The IGNNE# pin: x87 instructions go on although an error waits, while CR0.NE is 0. */
void cpu_set_ignne(struct cpu *cpu, bool level);

/* Forgets all decoded code; the guest does not notice. From a callback it counts from the next instruction on. */
void cpu_forget_code(struct cpu *cpu);

uint32_t cpu_eflags(const struct cpu *cpu);
void cpu_set_eflags(struct cpu *cpu, uint32_t value);      /* raw: no privilege rules */
/* Loads a flat or real-mode segment without a descriptor table, for direct boot and tests. Recomputes ok. */
void cpu_set_segment(struct cpu *cpu, unsigned seg, uint16_t selector, uint32_t base, uint32_t limit, uint8_t access, uint8_t flags);
/* Set control registers with all side effects but no checks, for boot and tests. PDPTEs of which one is bad stay unloaded. */
void cpu_set_cr0(struct cpu *cpu, uint32_t value);
void cpu_set_cr3(struct cpu *cpu, uint32_t value);
void cpu_set_cr4(struct cpu *cpu, uint32_t value);
void cpu_set_cpl(struct cpu *cpu, uint8_t cpl);
/* What RDMSR would give; false: no such register. For debuggers. */
bool cpu_msr_peek(const struct cpu *cpu, uint32_t number, uint64_t *value);
/* Compares every architectural field; returns NULL or the name of the first that differs. */
const char *cpu_compare(const struct cpu *a, const struct cpu *b);
/* Feeds every architectural field, in a fixed order, to fn: for hashes and state files. */
void cpu_visit_state(struct cpu *cpu, void (*fn)(void *ctx, const char *name, void *data, size_t size), void *ctx);

#endif
