/* cpu/op_mmx_move.c: integer moves, shuffles and single words of MMX and XMM registers, masked stores, EMMS.
 *
 * Any use of an MMX register enters MMX state, a store of it included. The non-temporal hint of MOVNTQ and MASKMOV means nothing
 * without a data cache. MOVDQA, MOVDQU and MOVNTDQ are in op_sse_move.c: they are MOVAPS and MOVUPS.
 * References: [SDM2B] "MOVD/MOVQ", "MOVQ", "MOVQ2DQ", "MOVDQ2Q", "MASKMOVQ", "PSHUFD", "PINSRW", "PEXTRW", "PMOVMSKB",
 * [SDM2A] "EMMS".
 */
#include "cpu/simd.h"

/* --- MOVD: 32 bits, the rest of the register becomes 0 -------------------------------------------------------------- */

enum exec op_movd_Pq_Ed(struct cpu *cpu, const struct insn *in)
{
	struct ref src;

	TRY(mmx_check(cpu, in));
	TRY(open_rm(cpu, in, 4, OPEN_READ, &src));
	mmx_enter(cpu);
	mmx_set(cpu, in->reg, ref_get32(cpu, &src));
	NEXT(cpu, in);
}

enum exec op_movd_Vx_Ed(struct cpu *cpu, const struct insn *in)
{
	struct ref src;

	TRY(sse_check(cpu, in));
	TRY(open_rm(cpu, in, 4, OPEN_READ, &src));
	cpu->fpu.xmm[in->reg] = (union xmm) { .u32 = { ref_get32(cpu, &src) } };
	NEXT(cpu, in);
}

enum exec op_movd_Ed_Pq(struct cpu *cpu, const struct insn *in)
{
	struct ref dst;

	TRY(mmx_check(cpu, in));
	TRY(open_rm(cpu, in, 4, OPEN_WRITE, &dst));
	mmx_enter(cpu);
	ref_set32(cpu, &dst, (uint32_t)cpu->fpu.r[in->reg].mantissa);
	NEXT(cpu, in);
}

enum exec op_movd_Ed_Vx(struct cpu *cpu, const struct insn *in)
{
	struct ref dst;

	TRY(sse_check(cpu, in));
	TRY(open_rm(cpu, in, 4, OPEN_WRITE, &dst));
	ref_set32(cpu, &dst, cpu->fpu.xmm[in->reg].u32[0]);
	NEXT(cpu, in);
}

/* --- MOVQ on MMX registers ------------------------------------------------------------------------------------------ */

static void copy(union xmm *d, const union xmm *s, unsigned bytes) { memcpy(d, s, bytes); }
HANDLER(movq_Pq_Qq, mmx_operation(cpu, in, 8, copy))

static inline enum exec mmx_store(struct cpu *cpu, const struct insn *in)
{
	uint64_t v = cpu->fpu.r[in->reg].mantissa;
	struct ref dst;

	TRY(mmx_check(cpu, in));
	TRY(open_mmx_rm(cpu, in, 8, OPEN_WRITE, &dst));
	mmx_enter(cpu);
	ref_store(cpu, &dst, &v, 8);
	if (in->mod == 3)
		cpu->fpu.r[in->rm].exponent = 0xffff;
	return EXEC_OK;
}

/* Also MOVNTQ. */
HANDLER(movq_Qq_Pq, mmx_store(cpu, in))

/* --- MOVQ on XMM registers: writes of a register clear its upper half, stores do not look at alignment -------------- */

static inline enum exec xmm_load_low(struct cpu *cpu, const struct insn *in)
{
	union xmm v = { .u64 = { 0 } };
	struct ref src;

	TRY(sse_check(cpu, in));
	TRY(open_xmm(cpu, in, 8, OPEN_READ, &src));
	ref_load(cpu, &src, &v, 8);
	cpu->fpu.xmm[in->reg] = v;
	return EXEC_OK;
}
HANDLER(movq_Vx_Wq, xmm_load_low(cpu, in))

static inline enum exec xmm_store_low(struct cpu *cpu, const struct insn *in)
{
	uint64_t v = cpu->fpu.xmm[in->reg].u64[0];
	struct ref dst;

	TRY(sse_check(cpu, in));
	TRY(open_xmm(cpu, in, 8, OPEN_WRITE, &dst));
	ref_store(cpu, &dst, &v, 8);
	if (in->mod == 3)
		cpu->fpu.xmm[in->rm].u64[1] = 0;
	return EXEC_OK;
}
HANDLER(movq_Wq_Vx, xmm_store_low(cpu, in))

/* --- between MMX and XMM registers --------------------------------------------------------------------------------- */

enum exec op_movq2dq_Vx_Nq(struct cpu *cpu, const struct insn *in)
{
	TRY(sse_mmx_check(cpu, in));
	mmx_enter(cpu);
	cpu->fpu.xmm[in->reg] = (union xmm) { .u64 = { cpu->fpu.r[in->rm].mantissa } };
	NEXT(cpu, in);
}

enum exec op_movdq2q_Pq_Ux(struct cpu *cpu, const struct insn *in)
{
	TRY(sse_mmx_check(cpu, in));
	mmx_enter(cpu);
	mmx_set(cpu, in->reg, cpu->fpu.xmm[in->rm].u64[0]);
	NEXT(cpu, in);
}

/* --- shuffles: two bits of the immediate choose the source of each lane --------------------------------------------- */

static inline void shuffle_words(uint16_t *d, const uint16_t *s, unsigned order)
{
	for (unsigned i = 0; i < 4; i++)
		d[i] = s[order >> 2 * i & 3];
}

/* The whole source with its low (part 0) or high (part 4) four words shuffled. */
static inline union xmm shuffled_part(const union xmm *s, unsigned part, unsigned order)
{
	union xmm d = *s;

	shuffle_words(&d.u16[part], &s->u16[part], order);
	return d;
}

static inline union xmm shuffled_dwords(const union xmm *s, unsigned order)
{
	union xmm d;

	for (unsigned i = 0; i < 4; i++)
		d.u32[i] = s->u32[order >> 2 * i & 3];
	return d;
}

static inline enum exec mmx_shuffle(struct cpu *cpu, const struct insn *in)
{
	uint16_t d[4], s[4];
	uint64_t v;
	struct ref src;

	TRY(mmx_check(cpu, in));
	TRY(open_mmx_rm(cpu, in, 8, OPEN_READ, &src));
	ref_load(cpu, &src, s, 8);
	shuffle_words(d, s, in->imm);
	memcpy(&v, d, 8);
	mmx_enter(cpu);
	mmx_set(cpu, in->reg, v);
	return EXEC_OK;
}
HANDLER(pshufw_Pq_Qq_Ib, mmx_shuffle(cpu, in))

static inline enum exec xmm_source(struct cpu *cpu, const struct insn *in, union xmm *s)
{
	struct ref src;

	TRY(sse_check(cpu, in));
	TRY(open_xmm_aligned(cpu, in, OPEN_READ, &src));
	ref_load(cpu, &src, s, 16);
	return EXEC_OK;
}

#define SHUFFLE(name, result) \
static inline enum exec name(struct cpu *cpu, const struct insn *in) \
{ \
	union xmm s; \
	TRY(xmm_source(cpu, in, &s)); \
	cpu->fpu.xmm[in->reg] = result; \
	return EXEC_OK; \
} \
HANDLER(name##_Vx_Wx_Ib, name(cpu, in))
SHUFFLE(pshufd,  shuffled_dwords(&s, in->imm))
SHUFFLE(pshuflw, shuffled_part(&s, 0, in->imm))
SHUFFLE(pshufhw, shuffled_part(&s, 4, in->imm))

/* --- one word; the sign bits ---------------------------------------------------------------------------------------- */

/* PINSRW's memory operand is the word alone. */
enum exec op_pinsrw_Pq_Ew_Ib(struct cpu *cpu, const struct insn *in)
{
	unsigned shift = 16 * (in->imm & 3);
	struct ref src;

	TRY(mmx_check(cpu, in));
	TRY(open_rm(cpu, in, 2, OPEN_READ, &src));
	mmx_enter(cpu);
	mmx_set(cpu, in->reg, (cpu->fpu.r[in->reg].mantissa & ~(0xffffull << shift)) | (uint64_t)ref_get16(cpu, &src) << shift);
	NEXT(cpu, in);
}

enum exec op_pinsrw_Vx_Ew_Ib(struct cpu *cpu, const struct insn *in)
{
	struct ref src;

	TRY(sse_check(cpu, in));
	TRY(open_rm(cpu, in, 2, OPEN_READ, &src));
	cpu->fpu.xmm[in->reg].u16[in->imm & 7] = ref_get16(cpu, &src);
	NEXT(cpu, in);
}

enum exec op_pextrw_Gd_Nq_Ib(struct cpu *cpu, const struct insn *in)
{
	TRY(mmx_check(cpu, in));
	mmx_enter(cpu);
	cpu->r[in->reg] = cpu->fpu.r[in->rm].mantissa >> 16 * (in->imm & 3) & 0xffff;
	NEXT(cpu, in);
}

enum exec op_pextrw_Gd_Ux_Ib(struct cpu *cpu, const struct insn *in)
{
	TRY(sse_check(cpu, in));
	cpu->r[in->reg] = cpu->fpu.xmm[in->rm].u16[in->imm & 7];
	NEXT(cpu, in);
}

/* Bit n is the top bit of byte n. */
static inline uint32_t top_bits(uint64_t v)
{
	uint32_t bits = 0;

	for (unsigned i = 0; i < 8; i++)
		bits |= (uint32_t)(v >> (8 * i + 7) & 1) << i;
	return bits;
}

enum exec op_pmovmskb_Gd_Nq(struct cpu *cpu, const struct insn *in)
{
	TRY(mmx_check(cpu, in));
	mmx_enter(cpu);
	cpu->r[in->reg] = top_bits(cpu->fpu.r[in->rm].mantissa);
	NEXT(cpu, in);
}

enum exec op_pmovmskb_Gd_Ux(struct cpu *cpu, const struct insn *in)
{
	const union xmm *s = &cpu->fpu.xmm[in->rm];

	TRY(sse_check(cpu, in));
	cpu->r[in->reg] = top_bits(s->u64[0]) | top_bits(s->u64[1]) << 8;
	NEXT(cpu, in);
}

/* --- MASKMOVQ, MASKMOVDQU: the bytes whose mask byte has its top bit set, to DS:EDI --------------------------------- */

/* Rights and alignment are checked for whole quadwords, selected or not, even if no byte is; the manual leaves this to the
 * implementation [SDM2B "MASKMOVQ"]. Only the selected bytes are stored. Both quadwords are open before the first store. */
static enum exec open_masked(struct cpu *cpu, const struct insn *in, unsigned quadword, struct ref *to)
{
	uint32_t edi = cpu->r[R_EDI] + 8 * quadword;

	return open_mem(cpu, in, in->seg, in->addrsize == 2 ? edi & 0xffff : edi, 8, OPEN_WRITE, to);
}

/* One byte of an open operand. */
static struct ref byte_of(const struct ref *ref, unsigned n)
{
	struct ref byte = { .host = ref->host ? (uint8_t *)ref->host + n : NULL, .first = 1, .size = 1, .write = true };
	bool second = !ref->host && n >= ref->first;

	if (ref->host)
		return byte;
	byte.piece[0] = ref->piece[second];
	n -= second ? ref->first : 0;
	byte.piece[0].pa += n;
	if (byte.piece[0].host)
		byte.piece[0].host += n;
	return byte;
}

static void store_masked(struct cpu *cpu, const struct ref *to, uint64_t mask, uint64_t value)
{
	for (unsigned i = 0; i < 8; i++) {
		if (mask >> (8 * i + 7) & 1) {
			struct ref byte = byte_of(to, i);
			ref_set8(cpu, &byte, (uint8_t)(value >> 8 * i));
		}
	}
}

static inline enum exec mmx_masked_store(struct cpu *cpu, const struct insn *in)
{
	struct ref to;

	TRY(mmx_check(cpu, in));
	TRY(open_masked(cpu, in, 0, &to));
	mmx_enter(cpu);
	store_masked(cpu, &to, cpu->fpu.r[in->rm].mantissa, cpu->fpu.r[in->reg].mantissa);
	return EXEC_OK;
}

static inline enum exec xmm_masked_store(struct cpu *cpu, const struct insn *in)
{
	const union xmm *mask = &cpu->fpu.xmm[in->rm], *value = &cpu->fpu.xmm[in->reg];
	struct ref to[2];

	TRY(sse_check(cpu, in));
	TRY(open_masked(cpu, in, 0, &to[0]));
	TRY(open_masked(cpu, in, 1, &to[1]));
	store_masked(cpu, &to[0], mask->u64[0], value->u64[0]);
	store_masked(cpu, &to[1], mask->u64[1], value->u64[1]);
	return EXEC_OK;
}
HANDLER(maskmovq_Pq_Nq, mmx_masked_store(cpu, in))

HANDLER(maskmovdqu_Vx_Ux, xmm_masked_store(cpu, in))

/* --- EMMS ----------------------------------------------------------------------------------------------------------- */

/* All registers empty, for x87 code to follow. TOP becomes 0 too [SDM3A 12.2 "The MMX State and MMX Register Aliasing"]. */
enum exec op_emms(struct cpu *cpu, const struct insn *in)
{
	TRY(mmx_check(cpu, in));
	mmx_enter(cpu);
	cpu->fpu.valid = 0;
	NEXT(cpu, in);
}
