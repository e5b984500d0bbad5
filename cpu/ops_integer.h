/* cpu/ops_integer.h: handlers of the integer instructions, for the table. Internal to cpu/.
 *
 * Names end in the manual's operand codes; where a handler depends on the operand size there is one for 16 and one for 32.
 */
#ifndef CPU_OPS_INTEGER_H
#define CPU_OPS_INTEGER_H

#include "cpu/insn.h"

#define BY_SIZE(name) exec_fn op_##name##_16, op_##name##_32;
#define BY_WIDTH(name, byte, v) exec_fn op_##name##_##byte; BY_SIZE(name##_##v)
#define TWO_OPERANDS_(op) \
	BY_WIDTH(op, Eb_Gb, Ev_Gv) BY_WIDTH(op, Gb_Eb, Gv_Ev) BY_WIDTH(op, AL_Ib, eAX_Iz) BY_WIDTH(op, Eb_Ib, Ev_Iz)
#define ONE_OPERAND_(op) BY_WIDTH(op, Eb, Ev)
#define SHIFT_(op) BY_WIDTH(op, Eb_Ib, Ev_Ib) BY_WIDTH(op, Eb_1, Ev_1) BY_WIDTH(op, Eb_CL, Ev_CL)
#define BIT_TEST_(op) BY_SIZE(op##_Ev_Gv) BY_SIZE(op##_Ev_Ib)
#define STRING_(op) exec_fn op_##op##_b; BY_SIZE(op)

/* op_arith.c */
TWO_OPERANDS_(add) TWO_OPERANDS_(or) TWO_OPERANDS_(adc) TWO_OPERANDS_(sbb)
TWO_OPERANDS_(and) TWO_OPERANDS_(sub) TWO_OPERANDS_(xor) TWO_OPERANDS_(cmp)
BY_WIDTH(test, Eb_Gb, Ev_Gv) BY_WIDTH(test, AL_Ib, eAX_Iz) BY_WIDTH(test, Eb_Ib, Ev_Iz)
BY_SIZE(inc_Zv) BY_SIZE(dec_Zv)
ONE_OPERAND_(inc) ONE_OPERAND_(dec) ONE_OPERAND_(neg) ONE_OPERAND_(not)
BY_WIDTH(xadd, Eb_Gb, Ev_Gv) BY_WIDTH(cmpxchg, Eb_Gb, Ev_Gv)
exec_fn op_cmpxchg8b;

/* op_mul.c */
ONE_OPERAND_(mul) ONE_OPERAND_(imul) ONE_OPERAND_(div) ONE_OPERAND_(idiv)
BY_SIZE(imul_Gv_Ev) BY_SIZE(imul_Gv_Ev_Iz)

/* op_shift.c */
SHIFT_(rol) SHIFT_(ror) SHIFT_(rcl) SHIFT_(rcr) SHIFT_(shl) SHIFT_(shr) SHIFT_(sar)
BY_SIZE(shld_Ev_Gv_Ib) BY_SIZE(shld_Ev_Gv_CL) BY_SIZE(shrd_Ev_Gv_Ib) BY_SIZE(shrd_Ev_Gv_CL)

/* op_bit.c */
BIT_TEST_(bt) BIT_TEST_(bts) BIT_TEST_(btr) BIT_TEST_(btc)
BY_SIZE(bsf_Gv_Ev) BY_SIZE(bsr_Gv_Ev) BY_SIZE(cmovcc_Gv_Ev) BY_SIZE(bswap)
exec_fn op_setcc_Eb;

/* op_move.c */
BY_WIDTH(mov, Eb_Gb, Ev_Gv) BY_WIDTH(mov, Gb_Eb, Gv_Ev) BY_WIDTH(mov, Zb_Ib, Zv_Iz) BY_WIDTH(mov, Eb_Ib, Ev_Iz)
BY_WIDTH(mov, AL_Ob, eAX_Ov) BY_WIDTH(mov, Ob_AL, Ov_eAX)
BY_SIZE(movzx_Gv_Eb) BY_SIZE(movzx_Gv_Ew) BY_SIZE(movsx_Gv_Eb) BY_SIZE(movsx_Gv_Ew)
BY_SIZE(lea) BY_SIZE(cbw) BY_SIZE(cwd)
BY_WIDTH(xchg, Eb_Gb, Ev_Gv) BY_SIZE(xchg_Zv_eAX)
exec_fn op_nop, op_xlat;

/* op_bcd.c */
exec_fn op_daa, op_das, op_aaa, op_aas, op_aam_Ib, op_aad_Ib;
exec_fn op_lahf, op_sahf, op_salc, op_clc, op_stc, op_cmc, op_cld, op_std;

/* op_stack.c */
BY_SIZE(push_Zv) BY_SIZE(push_Iz) BY_SIZE(push_Ev) BY_SIZE(pop_Zv) BY_SIZE(pop_Ev)
exec_fn op_push_Sreg, op_pusha, op_popa, op_enter, op_leave;

/* op_flow.c */
exec_fn op_jo, op_jno, op_jb, op_jae, op_je, op_jne, op_jbe, op_ja, op_js, op_jns, op_jp, op_jnp, op_jl, op_jge, op_jle, op_jg;
exec_fn op_jcc, op_jmp_J, op_loop, op_loope, op_loopne, op_jcxz, op_bound;
BY_SIZE(call_J) BY_SIZE(jmp_Ev) BY_SIZE(call_Ev) BY_SIZE(ret) BY_SIZE(ret_Iw)

/* op_string.c */
STRING_(movs) STRING_(stos) STRING_(lods) STRING_(cmps) STRING_(scas) STRING_(ins) STRING_(outs)

#undef BY_SIZE
#undef BY_WIDTH
#undef TWO_OPERANDS_
#undef ONE_OPERAND_
#undef SHIFT_
#undef BIT_TEST_
#undef STRING_

#endif
