/* cpu/fpu.h: what the x87, MMX and SSE instructions share: when they may run at all. Internal to cpu/.
 *
 *              CR0.EM   CR0.TS   unmasked x87 exception pending   CR4.OSFXSR = 0
 *   x87        #NM      #NM      #MF, or FERR# when CR0.NE = 0    -
 *   WAIT       -        #NM with MP = 1    likewise               -
 *   MMX        #UD      #NM      likewise                         -
 *   SSE, SSE2  #UD      #NM      -                                #UD
 *
 * References: [SDM3A 2.5 "Control Registers"], [SDM3A 13.1 "Providing Operating System Support for SSE Extensions"].
 */
#ifndef CPU_FPU_H
#define CPU_FPU_H

#include "cpu/exec.h"

#define always_inline inline __attribute__((always_inline))
#define never_inline  __attribute__((noinline))

/* The handler of an instruction whose body is a function of its own: only without locals that others may hold on to can a
 * handler end in a jump to the next. */
#define HANDLER(name, call) \
enum exec op_##name(struct cpu *cpu, const struct insn *in) \
{ \
	TRY(call); \
	NEXT(cpu, in); \
}

#define FPU_SW_IE  0x0001u
#define FPU_SW_DE  0x0002u
#define FPU_SW_ZE  0x0004u
#define FPU_SW_OE  0x0008u
#define FPU_SW_UE  0x0010u
#define FPU_SW_PE  0x0020u
#define FPU_SW_SF  0x0040u         /* stack fault */
#define FPU_SW_ES  0x0080u         /* an unmasked exception is pending; B (bit 15) follows it */
#define FPU_SW_C0  0x0100u
#define FPU_SW_C1  0x0200u
#define FPU_SW_C2  0x0400u
#define FPU_SW_C3  0x4000u
#define FPU_SW_B   0x8000u
#define FPU_SW_TOP 0x3800u
#define FPU_TOP_SHIFT 11
#define FPU_SW_STACK (FPU_SW_IE | FPU_SW_SF)       /* an operand that is empty, or no room for a push (C1 = 1) */
#define FPU_SW_EXCEPTIONS 0x003fu  /* IE..PE, each beside its mask in the control word */
#define FPU_CW_INIT       0x037fu  /* all masked, 64-bit precision, round to nearest */

#define MXCSR_DAZ     0x0040u
#define MXCSR_DEFAULT 0x1f80u
#define MXCSR_MASK    0xffffu      /* bits that exist; others are #GP */

static inline unsigned fpu_top(const struct cpu *cpu) { return cpu->fpu.status >> FPU_TOP_SHIFT & 7; }

/* What every x87 instruction but the control instructions leaves behind: where it was and which. [SDM1 8.1.8 "x87 FPU
 * Instruction and Data (Operand) Pointers"] */
static inline void fpu_note(struct cpu *cpu, const struct insn *in)
{
	cpu->fpu.ip = insn_eip(cpu, in);
	cpu->fpu.cs = cpu->seg[SEG_CS].selector;
	cpu->fpu.opcode = (uint16_t)((in->opcode & 7) << 8 | in->mod << 6 | in->reg << 3 | in->rm);
}
/* ... and where its operand was, when that was memory. */
static inline void fpu_note_data(struct cpu *cpu, const struct insn *in)
{
	cpu->fpu.dp = effective_address(cpu, in);
	cpu->fpu.ds = cpu->seg[in->seg].selector;
}

/* The status word's ES and B say whether an exception flag is set whose mask is clear. */
static inline uint16_t fpu_summary(uint16_t status, uint16_t control)
{
	status &= (uint16_t)~(FPU_SW_ES | FPU_SW_B);
	return status & ~control & FPU_SW_EXCEPTIONS ? status | FPU_SW_ES | FPU_SW_B : status;
}

/* [SDM1 8.1.7 "x87 FPU Tag Word"]: two bits a register, as FSTENV stores them. */
uint16_t fpu_tag_word(const struct fpu *f);
/* [SDM3A 9.1.1 "Processor State After Reset"]: FCW 0040, FSW 0, all registers +0 and valid in the tag word's sense, MXCSR 1F80. */
void fpu_reset(struct cpu *cpu);
/* A pending unmasked x87 exception, before a waiting instruction: #MF, or FERR# by CR0.NE. EXEC_OK when there is none. */
enum exec fpu_pending(struct cpu *cpu, const struct insn *in);

/* Before any x87 instruction that does not wait. */
static inline enum exec x87_check_nowait(struct cpu *cpu, const struct insn *in)
{
	return unlikely(cpu->cr0 & (CR0_EM | CR0_TS)) ? raise_fault(cpu, in, VEC_NM) : EXEC_OK;
}

/* Before any other, which first reports the error of an earlier one. */
static inline enum exec x87_check(struct cpu *cpu, const struct insn *in)
{
	TRY(x87_check_nowait(cpu, in));
	return unlikely(cpu->fpu.status & FPU_SW_ES) ? fpu_pending(cpu, in) : EXEC_OK;
}

/* Before any MMX instruction; the caller has opened nothing yet. */
static inline enum exec mmx_check(struct cpu *cpu, const struct insn *in)
{
	if (unlikely(cpu->cr0 & CR0_EM))
		return raise_fault(cpu, in, VEC_UD);
	if (unlikely(cpu->cr0 & CR0_TS))
		return raise_fault(cpu, in, VEC_NM);
	return unlikely(cpu->fpu.status & FPU_SW_ES) ? fpu_pending(cpu, in) : EXEC_OK;
}

/* Before any SSE or SSE2 instruction on XMM registers or MXCSR. */
static inline enum exec sse_check(struct cpu *cpu, const struct insn *in)
{
	if (unlikely(cpu->cr0 & CR0_EM || !(cpu->cr4 & CR4_OSFXSR)))
		return raise_fault(cpu, in, VEC_UD);
	return unlikely(cpu->cr0 & CR0_TS) ? raise_fault(cpu, in, VEC_NM) : EXEC_OK;
}

/* One between MMX and XMM registers: both must be usable, and no x87 exception pending. */
static inline enum exec sse_mmx_check(struct cpu *cpu, const struct insn *in)
{
	TRY(sse_check(cpu, in));
	return mmx_check(cpu, in);
}

/* A memory operand that must lie at a multiple of 16: #GP(0) before any page is looked at. */
static inline enum exec open_aligned(struct cpu *cpu, const struct insn *in, unsigned size, enum open_mode mode, struct ref *ref)
{
	if (unlikely((cpu->seg[in->seg].base + effective_address(cpu, in)) & 15))
		return raise_error(cpu, in, VEC_GP, 0);
	return open_mem(cpu, in, in->seg, effective_address(cpu, in), size, mode, ref);
}

#endif
