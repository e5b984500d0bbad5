/* cpu/fpu.c: the state that x87, MMX and SSE share: reset, and the report of x87 exceptions.
 *
 * References: [SDM3A 9.1.1 "Processor State After Reset"] table 9-1, [SDM1 8.7 "Handling x87 FPU Exceptions in Software"].
 */
#include "cpu/fpu.h"

void fpu_reset(struct cpu *cpu)
{
	cpu->fpu = (struct fpu) { .control = 0x40, .valid = 0xff, .mxcsr = MXCSR_DEFAULT };
}

enum exec fpu_pending(struct cpu *cpu, const struct insn *in)
{
	return raise_fault(cpu, in, VEC_MF);
}
