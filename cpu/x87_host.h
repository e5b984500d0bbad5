/* cpu/x87_host.h: one x87 instruction on the host's own x87. Internal to cpu/.
 *
 *   control, ST(0), ST(1), memory operand  ->  FLDCW, FLD, FLD, the instruction, FNSAVE  ->  status, ST(0), ST(1), memory
 *
 * It runs with the guest's control word, unmasked exceptions too: the host reports one only at its next waiting instruction,
 * and FNSAVE, which does not wait, has emptied its x87 by then. So what a masked or an unmasked exception leaves in the
 * registers is what hardware leaves there, and the host's x87 is between two calls as the C compiler wants it.
 * Both registers must be loaded with something; that of the guest is never empty here: stack faults are the caller's.
 *
 * References: [SDM1 8.6 "x87 FPU Exception Synchronization"], [SDM2A] "FSAVE/FNSAVE".
 */
#ifndef CPU_X87_HOST_H
#define CPU_X87_HOST_H

#include "cpu/cpu.h"

struct x87_host {
	struct x87_reg a, b;       /* ST(0) and ST(1), before and after */
	uint8_t mem[16];           /* the memory operand, before or after */
	uint16_t control;
	uint16_t status;           /* after; before it was 0 with TOP 6, both registers loaded */
};
#define X87_HOST_TOP 6u            /* where the instruction finds TOP, in the status word's terms */

typedef void x87_host_fn(struct x87_host *h);

/* ST(0) = ST(0) OP ST(1), or OP memory; r: the operands the other way round. _i16 and _i32 are integers. */
#define X87_HOST_ARITHMETIC(X) X(add) X(mul) X(sub) X(subr) X(div) X(divr)
/* The condition codes only. */
#define X87_HOST_COMPARE(X) X(com)
#define X(name) extern x87_host_fn host_f##name, host_f##name##_m32, host_f##name##_m64, host_f##name##_i16, host_f##name##_i32;
X87_HOST_ARITHMETIC(X)
X87_HOST_COMPARE(X)
#undef X
/* No memory operand. Some pop or push: TOP in status tells. */
#define X87_HOST_PLAIN(X) X(ucom) X(tst) X(xam) X(2xm1) X(yl2x) X(ptan) X(patan) X(xtract) X(prem1) X(prem) X(yl2xp1) X(sqrt) X(sincos) \
	X(rndint) X(scale) X(sin) X(cos) X(ldl2t) X(ldl2e) X(ldpi) X(ldlg2) X(ldln2)
#define X(name) extern x87_host_fn host_f##name;
X87_HOST_PLAIN(X)
#undef X
extern x87_host_fn host_fld_m32, host_fld_m64, host_fbld;
/* FSTP, FISTP, FBSTP: an unmasked exception that keeps memory as it is keeps TOP too. */
extern x87_host_fn host_fstp_m32, host_fstp_m64, host_fistp_i16, host_fistp_i32, host_fistp_i64, host_fbstp;

#endif
