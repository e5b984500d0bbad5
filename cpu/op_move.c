/* cpu/op_move.c: MOV, MOVZX, MOVSX, LEA, XCHG, NOP, CBW, CWD, XLAT.
 *
 * None of them touches a flag. References: [SDM2A], [SDM2B] under each name.
 */
#include "cpu/operands.h"
#include "cpu/ops_integer.h"

INLINE enum exec store_rm(struct cpu *cpu, const struct insn *in, unsigned size, uint32_t value)
{
	struct ref dst;

	TRY(open_rm(cpu, in, size, OPEN_WRITE, &dst));
	ref_set(cpu, &dst, value, size);
	return EXEC_OK;
}

INLINE enum exec load_rm(struct cpu *cpu, const struct insn *in, unsigned size)
{
	uint32_t value;

	TRY(read_rm(cpu, in, size, &value));
	reg_set(cpu, in->reg, value, size);
	return EXEC_OK;
}

INLINE enum exec store_register(struct cpu *cpu, unsigned reg, uint32_t value, unsigned size)
{
	reg_set(cpu, reg, value, size);
	return EXEC_OK;
}

HANDLER(mov_Eb_Gb, store_rm(cpu, in, 1, reg_get(cpu, in->reg, 1)))
HANDLER(mov_Ev_Gv_16, store_rm(cpu, in, 2, cpu->r[in->reg]))
HANDLER(mov_Ev_Gv_32, store_rm(cpu, in, 4, cpu->r[in->reg]))
HANDLER(mov_Gb_Eb, load_rm(cpu, in, 1))
HANDLER(mov_Gv_Ev_16, load_rm(cpu, in, 2))
HANDLER(mov_Gv_Ev_32, load_rm(cpu, in, 4))
HANDLER(mov_Zb_Ib, store_register(cpu, in->rm, in->imm, 1))
HANDLER(mov_Zv_Iz_16, store_register(cpu, in->rm, in->imm, 2))
HANDLER(mov_Zv_Iz_32, store_register(cpu, in->rm, in->imm, 4))
HANDLER(mov_Eb_Ib, store_rm(cpu, in, 1, in->imm))
HANDLER(mov_Ev_Iz_16, store_rm(cpu, in, 2, in->imm))
HANDLER(mov_Ev_Iz_32, store_rm(cpu, in, 4, in->imm))

/* --- the accumulator and an address in the instruction ------------------------------------------------------------------ */

INLINE enum exec load_offset(struct cpu *cpu, const struct insn *in, unsigned size)
{
	struct ref src;

	TRY(open_mem(cpu, in, in->seg, effective_address(cpu, in), size, OPEN_READ, &src));
	reg_set(cpu, R_EAX, ref_get(cpu, &src, size), size);
	return EXEC_OK;
}

INLINE enum exec store_offset(struct cpu *cpu, const struct insn *in, unsigned size)
{
	struct ref dst;

	TRY(open_mem(cpu, in, in->seg, effective_address(cpu, in), size, OPEN_WRITE, &dst));
	ref_set(cpu, &dst, cpu->r[R_EAX], size);
	return EXEC_OK;
}

HANDLER(mov_AL_Ob, load_offset(cpu, in, 1))
HANDLER(mov_eAX_Ov_16, load_offset(cpu, in, 2))
HANDLER(mov_eAX_Ov_32, load_offset(cpu, in, 4))
HANDLER(mov_Ob_AL, store_offset(cpu, in, 1))
HANDLER(mov_Ov_eAX_16, store_offset(cpu, in, 2))
HANDLER(mov_Ov_eAX_32, store_offset(cpu, in, 4))

/* --- extension ------------------------------------------------------------------------------------------------------------ */

INLINE enum exec extend(struct cpu *cpu, const struct insn *in, unsigned from, unsigned to, bool is_signed)
{
	uint32_t value;

	TRY(read_rm(cpu, in, from, &value));
	reg_set(cpu, in->reg, is_signed ? (uint32_t)sign_extend(value, from) : value, to);
	return EXEC_OK;
}

HANDLER(movzx_Gv_Eb_16, extend(cpu, in, 1, 2, false))
HANDLER(movzx_Gv_Eb_32, extend(cpu, in, 1, 4, false))
HANDLER(movzx_Gv_Ew_16, extend(cpu, in, 2, 2, false))
HANDLER(movzx_Gv_Ew_32, extend(cpu, in, 2, 4, false))
HANDLER(movsx_Gv_Eb_16, extend(cpu, in, 1, 2, true))
HANDLER(movsx_Gv_Eb_32, extend(cpu, in, 1, 4, true))
HANDLER(movsx_Gv_Ew_16, extend(cpu, in, 2, 2, true))
HANDLER(movsx_Gv_Ew_32, extend(cpu, in, 2, 4, true))

HANDLER(cbw_16, store_register(cpu, R_EAX, (uint32_t)sign_extend(cpu->r[R_EAX], 1), 2))
HANDLER(cbw_32, store_register(cpu, R_EAX, (uint32_t)sign_extend(cpu->r[R_EAX], 2), 4))
HANDLER(cwd_16, store_register(cpu, R_EDX, top_bit(cpu->r[R_EAX], 2) ? 0xffff : 0, 2))
HANDLER(cwd_32, store_register(cpu, R_EDX, top_bit(cpu->r[R_EAX], 4) ? 0xffffffffu : 0, 4))

/* --- the rest --------------------------------------------------------------------------------------------------------------- */

HANDLER(lea_16, store_register(cpu, in->reg, effective_address(cpu, in), 2))
HANDLER(lea_32, store_register(cpu, in->reg, effective_address(cpu, in), 4))

INLINE enum exec xchg(struct cpu *cpu, const struct insn *in, unsigned size)
{
	struct ref dst;
	uint32_t value;

	TRY(open_rm(cpu, in, size, OPEN_RW, &dst));
	value = ref_get(cpu, &dst, size);
	ref_set(cpu, &dst, reg_get(cpu, in->reg, size), size);
	reg_set(cpu, in->reg, value, size);
	return EXEC_OK;
}

HANDLER(xchg_Eb_Gb, xchg(cpu, in, 1))
HANDLER(xchg_Ev_Gv_16, xchg(cpu, in, 2))
HANDLER(xchg_Ev_Gv_32, xchg(cpu, in, 4))

INLINE enum exec xchg_accumulator(struct cpu *cpu, const struct insn *in, unsigned size)
{
	uint32_t value = reg_get(cpu, in->rm, size);

	reg_set(cpu, in->rm, cpu->r[R_EAX], size);
	reg_set(cpu, R_EAX, value, size);
	return EXEC_OK;
}

HANDLER(xchg_Zv_eAX_16, xchg_accumulator(cpu, in, 2))
HANDLER(xchg_Zv_eAX_32, xchg_accumulator(cpu, in, 4))

enum exec op_nop(struct cpu *cpu, const struct insn *in)
{
	(void)cpu;
	NEXT(cpu, in);
}

/* AL = [seg:EBX + AL]; the sum wraps at the address size. */
INLINE enum exec xlat(struct cpu *cpu, const struct insn *in)
{
	uint32_t ea = cpu->r[R_EBX] + (cpu->r[R_EAX] & 0xff);
	struct ref src;

	TRY(open_mem(cpu, in, in->seg, in->addrsize == 2 ? ea & 0xffff : ea, 1, OPEN_READ, &src));
	reg_set(cpu, R_EAX, ref_get8(cpu, &src), 1);
	return EXEC_OK;
}

HANDLER(xlat, xlat(cpu, in))
