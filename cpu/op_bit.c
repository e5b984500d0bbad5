/* cpu/op_bit.c: BT BTS BTR BTC, BSF BSR, BSWAP, SETcc.
 *
 * A bit number in a register reaches beyond a memory operand, 2 GB up or down in steps of the operand size. BT and its kin
 * change CF only; BSF and BSR ZF only, and leave the destination alone when the source is 0.
 * References: [SDM2A] "BSF", "BSR", "BSWAP", "BT", "BTC", "BTR", "BTS", [SDM2B] "SETcc".
 */
#include "cpu/flags.h"

/* The word that holds bit n of the r/m operand, n a signed register value. */
static inline enum exec open_bit_word(struct cpu *cpu, const struct insn *in, int32_t n, unsigned size, enum open_mode mode, struct ref *ref)
{
	uint32_t ea;

	if (in->mod == 3)
		return open_rm(cpu, in, size, mode, ref);
	ea = effective_address(cpu, in) + (uint32_t)(n >> (size == 2 ? 4 : 5)) * size;
	return open_mem(cpu, in, in->seg, in->addrsize == 2 ? ea & 0xffff : ea, size, mode, ref);
}

#define BIT(name, bits, bytes, u, s, E, G, mode, change) \
enum exec op_##name##_##E##_##G(struct cpu *cpu, const struct insn *in) \
{ \
	int32_t n = (s)cpu->r[in->reg]; \
	u mask = (u)((u)1 << (n & (bits - 1))); \
	struct ref ref; \
	TRY(open_bit_word(cpu, in, n, bytes, mode, &ref)); \
	u v = ref_get##bits(cpu, &ref); \
	flags_set_cf(cpu, v & mask); \
	if (mode == OPEN_RW) \
		ref_set##bits(cpu, &ref, change); \
	NEXT(cpu, in); \
} \
enum exec op_##name##_##E##_Ib(struct cpu *cpu, const struct insn *in) \
{ \
	u mask = (u)((u)1 << (in->imm & (bits - 1))); \
	struct ref ref; \
	TRY(open_rm(cpu, in, bytes, mode, &ref)); \
	u v = ref_get##bits(cpu, &ref); \
	flags_set_cf(cpu, v & mask); \
	if (mode == OPEN_RW) \
		ref_set##bits(cpu, &ref, change); \
	NEXT(cpu, in); \
}
#define BIT_BOTH(name, mode, change) \
	BIT(name, 16, 2, uint16_t, int16_t, Ew, Gw, mode, (uint16_t)(change)) \
	BIT(name, 32, 4, uint32_t, int32_t, Ed, Gd, mode, change)
BIT_BOTH(bt,  OPEN_READ, v)
BIT_BOTH(bts, OPEN_RW, v | mask)
BIT_BOTH(btr, OPEN_RW, v & ~mask)
BIT_BOTH(btc, OPEN_RW, v ^ mask)

#define SCAN(name, bits, bytes, u, E, G, found) \
enum exec op_##name##_##G##_##E(struct cpu *cpu, const struct insn *in) \
{ \
	struct ref src; \
	TRY(open_rm(cpu, in, bytes, OPEN_READ, &src)); \
	uint32_t v = ref_get##bits(cpu, &src); \
	flags_set_zf(cpu, v == 0); \
	if (v) \
		set_reg##bits(cpu, in->reg, (u)(found)); \
	NEXT(cpu, in); \
}
SCAN(bsf, 16, 2, uint16_t, Ew, Gw, __builtin_ctz(v))
SCAN(bsf, 32, 4, uint32_t, Ed, Gd, __builtin_ctz(v))
SCAN(bsr, 16, 2, uint16_t, Ew, Gw, 31 - __builtin_clz(v))
SCAN(bsr, 32, 4, uint32_t, Ed, Gd, 31 - __builtin_clz(v))

/* Undefined with a 16-bit operand: the low half becomes 0. */
enum exec op_bswap_Zw(struct cpu *cpu, const struct insn *in)
{
	set_reg16(cpu, in->rm, 0);
	NEXT(cpu, in);
}

enum exec op_bswap_Zd(struct cpu *cpu, const struct insn *in)
{
	cpu->r[in->rm] = __builtin_bswap32(cpu->r[in->rm]);
	NEXT(cpu, in);
}

#define SETCC(cc) \
enum exec op_set##cc##_Eb(struct cpu *cpu, const struct insn *in) \
{ \
	struct ref dst; \
	TRY(open_rm(cpu, in, 1, OPEN_WRITE, &dst)); \
	ref_set8(cpu, &dst, cond_##cc(cpu)); \
	NEXT(cpu, in); \
}
CONDITIONS(SETCC)
