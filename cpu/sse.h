/* cpu/sse.h: what the SSE handlers share: operands in XMM registers or memory, and the report of exceptions. Internal to cpu/.
 *
 * An operand of 16 bytes in memory must be aligned, except in the "unaligned" moves: #GP(0). Smaller ones need not be
 * [SDM1 10.4.1.1 "SSE Data Movement Instructions"].
 */
#ifndef CPU_SSE_H
#define CPU_SSE_H

#include "cpu/fpu.h"

/* The r/m operand: an XMM register, or size bytes of memory at any address. */
static inline enum exec open_xmm(struct cpu *cpu, const struct insn *in, unsigned size, enum open_mode mode, struct ref *ref)
{
	if (in->mod == 3) {
		ref->host = &cpu->fpu.xmm[in->rm];
		return EXEC_OK;
	}
	return open_mem(cpu, in, in->seg, effective_address(cpu, in), size, mode, ref);
}

/* ... or 16 aligned bytes. */
static inline enum exec open_xmm_aligned(struct cpu *cpu, const struct insn *in, enum open_mode mode, struct ref *ref)
{
	if (in->mod == 3) {
		ref->host = &cpu->fpu.xmm[in->rm];
		return EXEC_OK;
	}
	return open_aligned(cpu, in, mode, ref);
}

/* The low size bytes of the r/m operand, the rest of s 0; 16 bytes are aligned ones. All checks of an SSE instruction come first. */
static inline enum exec sse_source(struct cpu *cpu, const struct insn *in, unsigned size, union xmm *s)
{
	struct ref ref;

	TRY(sse_check(cpu, in));
	if (in->mod == 3) {
		*s = cpu->fpu.xmm[in->rm];
		return EXEC_OK;
	}
	TRY(size == 16 ? open_xmm_aligned(cpu, in, OPEN_READ, &ref) : open_xmm(cpu, in, size, OPEN_READ, &ref));
	*s = (union xmm) { .u64 = { 0, 0 } };
	ref_load(cpu, &ref, s, size);
	return EXEC_OK;
}

#endif
