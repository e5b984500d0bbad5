/* cpu/fpu.c: the state that x87, MMX and SSE share: reset, and the report of x87 exceptions.
 *
 * References: [SDM3A 9.1.1 "Processor State After Reset"] table 9-1, [SDM1 8.7 "Handling x87 FPU Exceptions in Software"].
 */
#include "cpu/fpu.h"
#include "cpu/system.h"

void fpu_reset(struct cpu *cpu)
{
	cpu->fpu = (struct fpu) { .control = 0x40, .valid = 0xff, .mxcsr = MXCSR_DEFAULT };
}

/* With NE clear the board may know: FERR# asks it for an interrupt, IGNNE# lets the handler use the x87 before it has cleared
 * the error [SDM1 8.7.2 "MS-DOS* Compatibility Sub-mode"]. */
enum exec fpu_pending(struct cpu *cpu, const struct insn *in)
{
	if (cpu->cr0 & CR0_NE)
		return raise_fault(cpu, in, VEC_MF);
	if (cpu->ignne)
		return EXEC_OK;
	if (cpu->single)
		cpu_ferr(cpu, true);
	return ferr_freeze(cpu, in);
}
