/* cpu/op_move.c: MOV MOVZX MOVSX CMOVcc XCHG LEA XLAT, conversions of the accumulator, flag instructions, NOP.
 *
 * CMOVcc reads its source, and can fault, whether the condition holds or not.
 * References: [SDM2A], [SDM2B] under each name.
 */
#include "cpu/flags.h"

#define MOVES(bits, bytes, u, E, G, I) \
enum exec op_mov_##E##_##G(struct cpu *cpu, const struct insn *in) \
{ \
	struct ref dst; \
	TRY(open_rm(cpu, in, bytes, OPEN_WRITE, &dst)); \
	ref_set##bits(cpu, &dst, get_reg##bits(cpu, in->reg)); \
	NEXT(cpu, in); \
} \
enum exec op_mov_##G##_##E(struct cpu *cpu, const struct insn *in) \
{ \
	struct ref src; \
	TRY(open_rm(cpu, in, bytes, OPEN_READ, &src)); \
	set_reg##bits(cpu, in->reg, ref_get##bits(cpu, &src)); \
	NEXT(cpu, in); \
} \
enum exec op_mov_##E##_##I(struct cpu *cpu, const struct insn *in) \
{ \
	struct ref dst; \
	TRY(open_rm(cpu, in, bytes, OPEN_WRITE, &dst)); \
	ref_set##bits(cpu, &dst, (u)in->imm); \
	NEXT(cpu, in); \
} \
enum exec op_xchg_##E##_##G(struct cpu *cpu, const struct insn *in) \
{ \
	struct ref dst; \
	TRY(open_rm(cpu, in, bytes, OPEN_RW, &dst)); \
	u old = ref_get##bits(cpu, &dst); \
	ref_set##bits(cpu, &dst, get_reg##bits(cpu, in->reg)); \
	set_reg##bits(cpu, in->reg, old); \
	NEXT(cpu, in); \
}
MOVES(8, 1, uint8_t, Eb, Gb, Ib)
MOVES(16, 2, uint16_t, Ew, Gw, Iw)
MOVES(32, 4, uint32_t, Ed, Gd, Id)

#define EXTEND(name, G, gbits, E, ebits, ebytes, type) \
enum exec op_##name##_##G##_##E(struct cpu *cpu, const struct insn *in) \
{ \
	struct ref src; \
	TRY(open_rm(cpu, in, ebytes, OPEN_READ, &src)); \
	set_reg##gbits(cpu, in->reg, (uint##gbits##_t)(type)ref_get##ebits(cpu, &src)); \
	NEXT(cpu, in); \
}
EXTEND(movzx, Gw, 16, Eb, 8, 1, uint8_t)
EXTEND(movzx, Gd, 32, Eb, 8, 1, uint8_t)
EXTEND(movzx, Gd, 32, Ew, 16, 2, uint16_t)
EXTEND(movsx, Gw, 16, Eb, 8, 1, int8_t)
EXTEND(movsx, Gd, 32, Eb, 8, 1, int8_t)
EXTEND(movsx, Gd, 32, Ew, 16, 2, int16_t)

#define CMOV(cc) \
enum exec op_cmov##cc##_Gw_Ew(struct cpu *cpu, const struct insn *in) \
{ \
	struct ref src; \
	TRY(open_rm(cpu, in, 2, OPEN_READ, &src)); \
	uint16_t v = ref_get16(cpu, &src); \
	if (cond_##cc(cpu)) \
		set_reg16(cpu, in->reg, v); \
	NEXT(cpu, in); \
} \
enum exec op_cmov##cc##_Gd_Ed(struct cpu *cpu, const struct insn *in) \
{ \
	struct ref src; \
	TRY(open_rm(cpu, in, 4, OPEN_READ, &src)); \
	uint32_t v = ref_get32(cpu, &src); \
	if (cond_##cc(cpu)) \
		cpu->r[in->reg] = v; \
	NEXT(cpu, in); \
}
CONDITIONS(CMOV)

enum exec op_lea_Gw_M(struct cpu *cpu, const struct insn *in)
{
	set_reg16(cpu, in->reg, (uint16_t)effective_address(cpu, in));
	NEXT(cpu, in);
}

enum exec op_lea_Gd_M(struct cpu *cpu, const struct insn *in)
{
	cpu->r[in->reg] = effective_address(cpu, in);
	NEXT(cpu, in);
}

enum exec op_xlat(struct cpu *cpu, const struct insn *in)
{
	uint32_t ea = cpu->r[R_EBX] + get_reg8(cpu, R_EAX);
	struct ref src;

	TRY(open_mem(cpu, in, in->seg, in->addrsize == 2 ? ea & 0xffff : ea, 1, OPEN_READ, &src));
	set_reg8(cpu, R_EAX, ref_get8(cpu, &src));
	NEXT(cpu, in);
}

/* --- the accumulator -------------------------------------------------------------------------------------------------- */

enum exec op_cbw(struct cpu *cpu, const struct insn *in)
{
	set_reg16(cpu, R_EAX, (uint16_t)(int8_t)get_reg8(cpu, R_EAX));
	NEXT(cpu, in);
}

enum exec op_cwde(struct cpu *cpu, const struct insn *in)
{
	cpu->r[R_EAX] = (uint32_t)(int16_t)get_reg16(cpu, R_EAX);
	NEXT(cpu, in);
}

enum exec op_cwd(struct cpu *cpu, const struct insn *in)
{
	set_reg16(cpu, R_EDX, cpu->r[R_EAX] & 0x8000 ? 0xffff : 0);
	NEXT(cpu, in);
}

enum exec op_cdq(struct cpu *cpu, const struct insn *in)
{
	cpu->r[R_EDX] = cpu->r[R_EAX] >> 31 ? 0xffffffff : 0;
	NEXT(cpu, in);
}

enum exec op_salc(struct cpu *cpu, const struct insn *in)
{
	set_reg8(cpu, R_EAX, flag_cf(cpu) ? 0xff : 0);
	NEXT(cpu, in);
}

/* --- flags ------------------------------------------------------------------------------------------------------------ */

enum exec op_lahf(struct cpu *cpu, const struct insn *in)
{
	set_reg8(cpu, 4, (uint8_t)(flags_image(cpu) | F_ONE));
	NEXT(cpu, in);
}

enum exec op_sahf(struct cpu *cpu, const struct insn *in)
{
	flags_load(cpu, (flag_of(cpu) ? F_OF : 0) | get_reg8(cpu, 4));
	NEXT(cpu, in);
}

enum exec op_clc(struct cpu *cpu, const struct insn *in)
{
	flags_set_cf(cpu, false);
	NEXT(cpu, in);
}

enum exec op_stc(struct cpu *cpu, const struct insn *in)
{
	flags_set_cf(cpu, true);
	NEXT(cpu, in);
}

enum exec op_cmc(struct cpu *cpu, const struct insn *in)
{
	flags_set_cf(cpu, !flag_cf(cpu));
	NEXT(cpu, in);
}

enum exec op_cld(struct cpu *cpu, const struct insn *in)
{
	cpu->eflags &= ~F_DF;
	NEXT(cpu, in);
}

enum exec op_std(struct cpu *cpu, const struct insn *in)
{
	cpu->eflags |= F_DF;
	NEXT(cpu, in);
}

/* --- nothing ---------------------------------------------------------------------------------------------------------- */

enum exec op_nop(struct cpu *cpu, const struct insn *in)
{
	NEXT(cpu, in);
}
