/* cpu/op_sse_arith.c: ADD SUB MUL DIV SQRT MIN MAX CMP of packed and scalar numbers, COMIS and UCOMIS.
 *
 *   ps  4 singles    ss  the lowest single, the rest of the destination stays
 *   pd  2 doubles    sd  the lowest double, likewise
 *
 * References: [SDM2A], [SDM2B] under each name; [SDM1 11.5.2 "SIMD Floating-Point Exception Conditions"].
 */
#include "cpu/flags.h"
#include "cpu/sse_host.h"

#define OPERATION(op, W, size, ...) \
static never_inline enum exec do_##op(struct cpu *cpu, const struct insn *in) \
{ \
	return sse_operation(cpu, in, size, host_##op, (struct sse_result) { __VA_ARGS__ }); \
} \
HANDLER(op##_Vx_##W, do_##op(cpu, in))
#define OPERATION_ALL(op, range) \
	OPERATION(op##ps, Wx, 16, SSE_4_SINGLE, range) \
	OPERATION(op##pd, Wx, 16, SSE_2_DOUBLE, range) \
	OPERATION(op##ss, Wd, 4,  SSE_1_SINGLE, range) \
	OPERATION(op##sd, Wq, 8,  SSE_1_DOUBLE, range)
OPERATION_ALL(add,  RANGE_SUM)
OPERATION_ALL(sub,  RANGE_SUM)
OPERATION_ALL(mul,  RANGE_PRODUCT)
OPERATION_ALL(div,  RANGE_PRODUCT)
OPERATION_ALL(sqrt, RANGE_SAFE)
OPERATION_ALL(min,  RANGE_SAFE)
OPERATION_ALL(max,  RANGE_SAFE)

/* The immediate's low 3 bits choose the predicate, [SDM2A] "CMPPS" table 3-1; the others are reserved and ignored. */
#define COMPARE(shape, W, size) \
static never_inline enum exec do_cmp##shape(struct cpu *cpu, const struct insn *in) \
{ \
	static sse_host_fn *const predicate[8] = { \
		host_cmp##shape##_0, host_cmp##shape##_1, host_cmp##shape##_2, host_cmp##shape##_3, \
		host_cmp##shape##_4, host_cmp##shape##_5, host_cmp##shape##_6, host_cmp##shape##_7, \
	}; \
	return sse_operation(cpu, in, size, predicate[in->imm & 7], (struct sse_result) { .range = RANGE_SAFE }); \
} \
HANDLER(cmp##shape##_Vx_##W##_Ib, do_cmp##shape(cpu, in))
COMPARE(ps, Wx, 16)
COMPARE(pd, Wx, 16)
COMPARE(ss, Wd, 4)
COMPARE(sd, Wq, 8)

/* Unordered: all three flags. OF, SF and AF become 0. Nothing changes when an exception is raised. */
#define COMPARE_FLAGS(op, W, size) \
static never_inline enum exec do_##op(struct cpu *cpu, const struct insn *in) \
{ \
	union xmm s; \
	uint32_t eflags; \
	TRY(sse_source(cpu, in, size, &s)); \
	TRY(sse_report(cpu, in, host_##op(&cpu->fpu.xmm[in->reg], &s, sse_host_mxcsr(cpu), &eflags))); \
	flags_load(cpu, eflags); \
	return EXEC_OK; \
} \
HANDLER(op##_Vx_##W, do_##op(cpu, in))
COMPARE_FLAGS(comiss,  Wd, 4)
COMPARE_FLAGS(comisd,  Wq, 8)
COMPARE_FLAGS(ucomiss, Wd, 4)
COMPARE_FLAGS(ucomisd, Wq, 8)
