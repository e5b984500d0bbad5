/* cpu/op_sse_move.c: SSE and SSE2 moves, shuffles, logic; MXCSR, fences and cache control.
 *
 * None of these looks at the values it moves, so a PS and a PD form of the same width share their handler,
 * and so do MOVDQA, MOVDQU and MOVNTDQ (mmx.def).
 * A scalar load clears the rest of its register; a scalar register move keeps it.
 * References: [SDM2A], [SDM2B] under each name; [SDM1 10.2.3 "MXCSR Control and Status Register"].
 * Simplified: there are no caches and no write buffers to see, so that non-temporal stores are ordinary ones, fences do nothing
 * and CLFLUSH only checks its operand.
 */
#include "cpu/sse.h"

/* --- whole registers ---------------------------------------------------------------------------------------------- */

#define MOVE_WHOLE(name, open) \
enum exec op_##name##_Vx_Wx(struct cpu *cpu, const struct insn *in) \
{ \
	struct ref src; \
	TRY(sse_check(cpu, in)); \
	TRY(open(OPEN_READ, &src)); \
	ref_load(cpu, &src, &cpu->fpu.xmm[in->reg], 16); \
	NEXT(cpu, in); \
} \
enum exec op_##name##_Wx_Vx(struct cpu *cpu, const struct insn *in) \
{ \
	struct ref dst; \
	TRY(sse_check(cpu, in)); \
	TRY(open(OPEN_WRITE, &dst)); \
	ref_store(cpu, &dst, &cpu->fpu.xmm[in->reg], 16); \
	NEXT(cpu, in); \
}
#define ALIGNED(mode, ref) open_xmm_aligned(cpu, in, mode, ref)
#define ANYWHERE(mode, ref) open_xmm(cpu, in, 16, mode, ref)
MOVE_WHOLE(movaps, ALIGNED)
MOVE_WHOLE(movups, ANYWHERE)

/* --- parts of registers ------------------------------------------------------------------------------------------- */

/* MOVSS, MOVSD. */
enum exec op_movss_Vx_Wd(struct cpu *cpu, const struct insn *in)
{
	union xmm *d = &cpu->fpu.xmm[in->reg];
	struct ref src;

	TRY(sse_check(cpu, in));
	TRY(open_xmm(cpu, in, 4, OPEN_READ, &src));
	d->u32[0] = ref_get32(cpu, &src);
	if (in->mod != 3) {
		d->u32[1] = 0;
		d->u64[1] = 0;
	}
	NEXT(cpu, in);
}

enum exec op_movss_Wd_Vx(struct cpu *cpu, const struct insn *in)
{
	struct ref dst;

	TRY(sse_check(cpu, in));
	TRY(open_xmm(cpu, in, 4, OPEN_WRITE, &dst));
	ref_set32(cpu, &dst, cpu->fpu.xmm[in->reg].u32[0]);
	NEXT(cpu, in);
}

enum exec op_movsd_Vx_Wq(struct cpu *cpu, const struct insn *in)
{
	union xmm *d = &cpu->fpu.xmm[in->reg];
	struct ref src;

	TRY(sse_check(cpu, in));
	TRY(open_xmm(cpu, in, 8, OPEN_READ, &src));
	ref_load(cpu, &src, &d->u64[0], 8);
	if (in->mod != 3)
		d->u64[1] = 0;
	NEXT(cpu, in);
}

/* MOVLPS, MOVHPS, and MOVSD to memory: 8 bytes between memory and one half of a register. */
#define MOVE_HALF(load, store, half, E) \
enum exec op_##load##_Vx_Mq(struct cpu *cpu, const struct insn *in) \
{ \
	struct ref src; \
	TRY(sse_check(cpu, in)); \
	TRY(open_xmm(cpu, in, 8, OPEN_READ, &src)); \
	ref_load(cpu, &src, &cpu->fpu.xmm[in->reg].u64[half], 8); \
	NEXT(cpu, in); \
} \
enum exec op_##store##_##E##_Vx(struct cpu *cpu, const struct insn *in) \
{ \
	struct ref dst; \
	TRY(sse_check(cpu, in)); \
	TRY(open_xmm(cpu, in, 8, OPEN_WRITE, &dst)); \
	ref_store(cpu, &dst, &cpu->fpu.xmm[in->reg].u64[half], 8); \
	NEXT(cpu, in); \
}
MOVE_HALF(movlps, movsd, 0, Wq)
MOVE_HALF(movhps, movhps, 1, Mq)

enum exec op_movhlps_Vx_Ux(struct cpu *cpu, const struct insn *in)
{
	TRY(sse_check(cpu, in));
	cpu->fpu.xmm[in->reg].u64[0] = cpu->fpu.xmm[in->rm].u64[1];
	NEXT(cpu, in);
}

enum exec op_movlhps_Vx_Ux(struct cpu *cpu, const struct insn *in)
{
	TRY(sse_check(cpu, in));
	cpu->fpu.xmm[in->reg].u64[1] = cpu->fpu.xmm[in->rm].u64[0];
	NEXT(cpu, in);
}

/* The sign bits, as a number. */
enum exec op_movmskps_Gd_Ux(struct cpu *cpu, const struct insn *in)
{
	const union xmm *s = &cpu->fpu.xmm[in->rm];

	TRY(sse_check(cpu, in));
	cpu->r[in->reg] = s->u32[0] >> 31 | s->u32[1] >> 31 << 1 | s->u32[2] >> 31 << 2 | s->u32[3] >> 31 << 3;
	NEXT(cpu, in);
}

enum exec op_movmskpd_Gd_Ux(struct cpu *cpu, const struct insn *in)
{
	const union xmm *s = &cpu->fpu.xmm[in->rm];

	TRY(sse_check(cpu, in));
	cpu->r[in->reg] = (uint32_t)(s->u64[0] >> 63 | s->u64[1] >> 63 << 1);
	NEXT(cpu, in);
}

/* MOVNTI, the one SSE2 store that is not of an XMM register: it needs no support of the operating system. */
enum exec op_movnti_Md_Gd(struct cpu *cpu, const struct insn *in)
{
	struct ref dst;

	TRY(open_rm(cpu, in, 4, OPEN_WRITE, &dst));
	ref_set32(cpu, &dst, cpu->r[in->reg]);
	NEXT(cpu, in);
}

/* --- logic, shuffles ---------------------------------------------------------------------------------------------- */

/* d = f(d, s) for all bits. */
#define WHOLE(name, ...) \
static never_inline enum exec do_##name(struct cpu *cpu, const struct insn *in) \
{ \
	union xmm d = cpu->fpu.xmm[in->reg], s; \
	TRY(sse_source(cpu, in, 16, &s)); \
	cpu->fpu.xmm[in->reg] = (union xmm) __VA_ARGS__; \
	return EXEC_OK; \
}
#define WHOLE_WX(name, ...) \
WHOLE(name, __VA_ARGS__) \
HANDLER(name##_Vx_Wx, do_##name(cpu, in))
#define WHOLE_WX_IB(name, ...) \
WHOLE(name, __VA_ARGS__) \
HANDLER(name##_Vx_Wx_Ib, do_##name(cpu, in))
WHOLE_WX(andps,  { .u64 = { d.u64[0] & s.u64[0], d.u64[1] & s.u64[1] } })
WHOLE_WX(andnps, { .u64 = { ~d.u64[0] & s.u64[0], ~d.u64[1] & s.u64[1] } })
WHOLE_WX(orps,   { .u64 = { d.u64[0] | s.u64[0], d.u64[1] | s.u64[1] } })
WHOLE_WX(xorps,  { .u64 = { d.u64[0] ^ s.u64[0], d.u64[1] ^ s.u64[1] } })
WHOLE_WX(unpcklps, { .u32 = { d.u32[0], s.u32[0], d.u32[1], s.u32[1] } })
WHOLE_WX(unpckhps, { .u32 = { d.u32[2], s.u32[2], d.u32[3], s.u32[3] } })
WHOLE_WX(unpcklpd, { .u64 = { d.u64[0], s.u64[0] } })
WHOLE_WX(unpckhpd, { .u64 = { d.u64[1], s.u64[1] } })
#define PICK(shift) (in->imm >> (shift) & 3)
WHOLE_WX_IB(shufps, { .u32 = { d.u32[PICK(0)], d.u32[PICK(2)], s.u32[PICK(4)], s.u32[PICK(6)] } })
WHOLE_WX_IB(shufpd, { .u64 = { d.u64[in->imm & 1], s.u64[in->imm >> 1 & 1] } })

/* --- MXCSR -------------------------------------------------------------------------------------------------------- */

enum exec op_ldmxcsr_Md(struct cpu *cpu, const struct insn *in)
{
	struct ref src;
	uint32_t value;

	TRY(sse_check(cpu, in));
	TRY(open_rm(cpu, in, 4, OPEN_READ, &src));
	value = ref_get32(cpu, &src);
	if (value & ~MXCSR_MASK)
		return raise_error(cpu, in, VEC_GP, 0);
	cpu->fpu.mxcsr = value;
	NEXT(cpu, in);
}

enum exec op_stmxcsr_Md(struct cpu *cpu, const struct insn *in)
{
	struct ref dst;

	TRY(sse_check(cpu, in));
	TRY(open_rm(cpu, in, 4, OPEN_WRITE, &dst));
	ref_set32(cpu, &dst, cpu->fpu.mxcsr);
	NEXT(cpu, in);
}

/* --- memory order and caches -------------------------------------------------------------------------------------- */

/* LFENCE, MFENCE, SFENCE. */
enum exec op_fence(struct cpu *cpu, const struct insn *in)
{
	NEXT(cpu, in);
}

/* Checked as a load of one byte. */
enum exec op_clflush_M(struct cpu *cpu, const struct insn *in)
{
	struct ref line;

	TRY(open_mem(cpu, in, in->seg, effective_address(cpu, in), 1, OPEN_READ, &line));
	NEXT(cpu, in);
}
