/* cpu/op_bit.c: BT, BTS, BTR, BTC, BSF, BSR, SETcc, CMOVcc, BSWAP.
 *
 * A bit offset in a register is signed and reaches beyond a memory operand: its upper bits move the address by whole
 * operands. An immediate offset, and any offset into a register, is taken modulo the width.
 * References: [SDM2A] "BT", "BSF", "BSWAP", "CMOVcc", [SDM2B] "SETcc".
 * Undefined: BT and its family change CF only, BSF and BSR ZF only; BSF and BSR of 0 leave the destination; BSWAP of a
 * 16-bit register stores 0.
 */
#include "cpu/operands.h"
#include "cpu/ops_integer.h"

typedef uint32_t bit_fn(uint32_t value, uint32_t mask);

INLINE uint32_t bt(uint32_t value, uint32_t mask) { (void)mask; return value; }
INLINE uint32_t bts(uint32_t value, uint32_t mask) { return value | mask; }
INLINE uint32_t btr(uint32_t value, uint32_t mask) { return value & ~mask; }
INLINE uint32_t btc(uint32_t value, uint32_t mask) { return value ^ mask; }

INLINE void bit_commit(struct cpu *cpu, const struct ref *dst, unsigned size, enum open_mode mode, bit_fn *op, uint32_t offset)
{
	uint32_t value = ref_get(cpu, dst, size), mask = 1u << (offset & (bits_of(size) - 1));

	flags_set_cf(cpu, value & mask);
	if (mode & OPEN_WRITE)
		ref_set(cpu, dst, op(value, mask), size);
}

INLINE enum exec bit_E_I(struct cpu *cpu, const struct insn *in, unsigned size, enum open_mode mode, bit_fn *op)
{
	struct ref dst;

	TRY(open_rm(cpu, in, size, mode, &dst));
	bit_commit(cpu, &dst, size, mode, op, in->imm);
	return EXEC_OK;
}

INLINE enum exec bit_E_G(struct cpu *cpu, const struct insn *in, unsigned size, enum open_mode mode, bit_fn *op)
{
	int32_t offset = sign_extend(cpu->r[in->reg], size);
	uint32_t ea;
	struct ref dst;

	if (in->mod == 3) {
		dst.host = &cpu->r[in->rm];
	} else {
		ea = effective_address(cpu, in) + (uint32_t)(offset >> (size == 2 ? 4 : 5)) * size;
		if (in->addrsize == 2)
			ea &= 0xffff;
		TRY(open_mem(cpu, in, in->seg, ea, size, mode, &dst));
	}
	bit_commit(cpu, &dst, size, mode, op, (uint32_t)offset);
	return EXEC_OK;
}

#define BIT_TEST(op, mode) \
HANDLER(op##_Ev_Gv_16, bit_E_G(cpu, in, 2, mode, op)) \
HANDLER(op##_Ev_Gv_32, bit_E_G(cpu, in, 4, mode, op)) \
HANDLER(op##_Ev_Ib_16, bit_E_I(cpu, in, 2, mode, op)) \
HANDLER(op##_Ev_Ib_32, bit_E_I(cpu, in, 4, mode, op))

BIT_TEST(bt, OPEN_READ)
BIT_TEST(bts, OPEN_RW)
BIT_TEST(btr, OPEN_RW)
BIT_TEST(btc, OPEN_RW)

/* --- scans -------------------------------------------------------------------------------------------------------------- */

INLINE enum exec scan(struct cpu *cpu, const struct insn *in, unsigned size, bool reverse)
{
	uint32_t value;

	TRY(read_rm(cpu, in, size, &value));
	if (value)
		reg_set(cpu, in->reg, (uint32_t)(reverse ? 31 - __builtin_clz(value) : __builtin_ctz(value)), size);
	flags_set_zf(cpu, value == 0);
	return EXEC_OK;
}

HANDLER(bsf_Gv_Ev_16, scan(cpu, in, 2, false))
HANDLER(bsf_Gv_Ev_32, scan(cpu, in, 4, false))
HANDLER(bsr_Gv_Ev_16, scan(cpu, in, 2, true))
HANDLER(bsr_Gv_Ev_32, scan(cpu, in, 4, true))

/* --- conditions: the low four bits of the opcode ------------------------------------------------------------------------- */

INLINE enum exec setcc(struct cpu *cpu, const struct insn *in)
{
	struct ref dst;

	TRY(open_rm(cpu, in, 1, OPEN_WRITE, &dst));
	ref_set8(cpu, &dst, condition(cpu, in->opcode));
	return EXEC_OK;
}

HANDLER(setcc_Eb, setcc(cpu, in))

/* The source is read whatever the condition says, and can fault. */
INLINE enum exec cmovcc(struct cpu *cpu, const struct insn *in, unsigned size)
{
	uint32_t value;

	TRY(read_rm(cpu, in, size, &value));
	if (condition(cpu, in->opcode))
		reg_set(cpu, in->reg, value, size);
	return EXEC_OK;
}

HANDLER(cmovcc_Gv_Ev_16, cmovcc(cpu, in, 2))
HANDLER(cmovcc_Gv_Ev_32, cmovcc(cpu, in, 4))

INLINE enum exec bswap(struct cpu *cpu, const struct insn *in, unsigned size)
{
	reg_set(cpu, in->rm, size == 2 ? 0 : __builtin_bswap32(cpu->r[in->rm]), size);
	return EXEC_OK;
}

HANDLER(bswap_16, bswap(cpu, in, 2))
HANDLER(bswap_32, bswap(cpu, in, 4))
