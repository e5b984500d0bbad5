/* cpu/op_flow.c: near jumps, calls and returns, loops, BOUND.
 *
 * A target is checked against CS.limit before anything is stored; with a 16-bit operand size it is cut to 16 bits.
 * References: [SDM2A] "CALL", "Jcc", "JMP", "LOOP/LOOPcc", "BOUND", [SDM2B] "RET".
 */
#include "cpu/exec.h"
#include "cpu/flags.h"

static inline uint32_t relative_target(const struct cpu *cpu, const struct insn *in)
{
	uint32_t target = insn_next_eip(cpu, in) + in->imm;

	return in->opsize == 2 ? target & 0xffff : target;
}

/* Jcc rel8/16/32: the condition is the low four bits of the opcode. */
enum exec op_jcc(struct cpu *cpu, const struct insn *in)
{
	if (condition(cpu, in->opcode))
		return branch_to(cpu, in, relative_target(cpu, in));
	NEXT(cpu, in);
}

/* The commonest conditions have handlers of their own: a switch on the condition would cost as much as the jump. */
#define JUMP_IF(name, test) \
enum exec op_##name(struct cpu *cpu, const struct insn *in) \
{ \
	if (test) \
		return branch_to(cpu, in, relative_target(cpu, in)); \
	NEXT(cpu, in); \
}
JUMP_IF(jo, flag_of(cpu))
JUMP_IF(jno, !flag_of(cpu))
JUMP_IF(jb, flag_cf(cpu))
JUMP_IF(jae, !flag_cf(cpu))
JUMP_IF(je, flag_zf(cpu))
JUMP_IF(jne, !flag_zf(cpu))
JUMP_IF(jbe, flag_cf(cpu) || flag_zf(cpu))
JUMP_IF(ja, !flag_cf(cpu) && !flag_zf(cpu))
JUMP_IF(js, flag_sf(cpu))
JUMP_IF(jns, !flag_sf(cpu))
JUMP_IF(jp, flag_pf(cpu))
JUMP_IF(jnp, !flag_pf(cpu))
JUMP_IF(jl, flag_sf(cpu) != flag_of(cpu))
JUMP_IF(jge, flag_sf(cpu) == flag_of(cpu))
JUMP_IF(jle, flag_zf(cpu) || flag_sf(cpu) != flag_of(cpu))
JUMP_IF(jg, !flag_zf(cpu) && flag_sf(cpu) == flag_of(cpu))

enum exec op_jmp_J(struct cpu *cpu, const struct insn *in) { return branch_to(cpu, in, relative_target(cpu, in)); }

static inline enum exec call(struct cpu *cpu, const struct insn *in, uint32_t target, unsigned size)
{
	struct ref slot;
	uint32_t from = insn_next_eip(cpu, in);

	if (unlikely(target > cpu->seg[SEG_CS].limit))
		return raise_error(cpu, in, VEC_GP, 0);
	TRY(open_stack(cpu, in, cpu->r[R_ESP], -(int32_t)size, size, OPEN_WRITE, &slot));
	if (size == 2)
		ref_set16(cpu, &slot, (uint16_t)from);
	else
		ref_set32(cpu, &slot, from);
	cpu->r[R_ESP] = stack_moved(cpu, cpu->r[R_ESP], -(int32_t)size);
	return branch_to(cpu, in, target);
}

enum exec op_call_J_16(struct cpu *cpu, const struct insn *in) { return call(cpu, in, relative_target(cpu, in), 2); }
enum exec op_call_J_32(struct cpu *cpu, const struct insn *in) { return call(cpu, in, relative_target(cpu, in), 4); }

static inline enum exec read_target(struct cpu *cpu, const struct insn *in, unsigned size, uint32_t *target)
{
	struct ref src;

	TRY(open_rm(cpu, in, size, OPEN_READ, &src));
	*target = size == 2 ? ref_get16(cpu, &src) : ref_get32(cpu, &src);
	return EXEC_OK;
}

enum exec op_jmp_Ev_16(struct cpu *cpu, const struct insn *in)
{
	uint32_t target;

	TRY(read_target(cpu, in, 2, &target));
	return branch_to(cpu, in, target);
}

enum exec op_jmp_Ev_32(struct cpu *cpu, const struct insn *in)
{
	uint32_t target;

	TRY(read_target(cpu, in, 4, &target));
	return branch_to(cpu, in, target);
}

enum exec op_call_Ev_16(struct cpu *cpu, const struct insn *in)
{
	uint32_t target;

	TRY(read_target(cpu, in, 2, &target));
	return call(cpu, in, target, 2);
}

enum exec op_call_Ev_32(struct cpu *cpu, const struct insn *in)
{
	uint32_t target;

	TRY(read_target(cpu, in, 4, &target));
	return call(cpu, in, target, 4);
}

/* RET and RET imm16, which also releases that many bytes of parameters. */
static inline enum exec ret(struct cpu *cpu, const struct insn *in, unsigned size, uint16_t release)
{
	struct ref slot;
	uint32_t target;

	TRY(open_stack(cpu, in, cpu->r[R_ESP], 0, size, OPEN_READ, &slot));
	target = size == 2 ? ref_get16(cpu, &slot) : ref_get32(cpu, &slot);
	if (unlikely(target > cpu->seg[SEG_CS].limit))
		return raise_error(cpu, in, VEC_GP, 0);
	cpu->r[R_ESP] = stack_moved(cpu, cpu->r[R_ESP], (int32_t)(size + release));
	return branch_to(cpu, in, target);
}

enum exec op_ret_16(struct cpu *cpu, const struct insn *in) { return ret(cpu, in, 2, 0); }
enum exec op_ret_32(struct cpu *cpu, const struct insn *in) { return ret(cpu, in, 4, 0); }
enum exec op_ret_Iw_16(struct cpu *cpu, const struct insn *in) { return ret(cpu, in, 2, (uint16_t)in->imm); }
enum exec op_ret_Iw_32(struct cpu *cpu, const struct insn *in) { return ret(cpu, in, 4, (uint16_t)in->imm); }

/* --- loops: the count is CX or ECX by address size, and is stored only when the jump is possible --- */

static uint32_t count_after(const struct cpu *cpu, const struct insn *in)
{
	uint32_t ecx = cpu->r[R_ECX];

	return in->addrsize == 2 ? (ecx & 0xffff0000u) | ((ecx - 1) & 0xffff) : ecx - 1;
}

static bool count_is_zero(uint32_t ecx, const struct insn *in)
{
	return in->addrsize == 2 ? !(ecx & 0xffff) : !ecx;
}

static enum exec loop_if(struct cpu *cpu, const struct insn *in, bool wanted)
{
	uint32_t ecx = count_after(cpu, in), target = relative_target(cpu, in);
	bool taken = wanted && !count_is_zero(ecx, in);

	if (taken && target > cpu->seg[SEG_CS].limit)
		return raise_error(cpu, in, VEC_GP, 0);
	cpu->r[R_ECX] = ecx;
	if (taken)
		return branch_to(cpu, in, target);
	NEXT(cpu, in);
}

enum exec op_loop(struct cpu *cpu, const struct insn *in) { return loop_if(cpu, in, true); }
enum exec op_loope(struct cpu *cpu, const struct insn *in) { return loop_if(cpu, in, flag_zf(cpu)); }
enum exec op_loopne(struct cpu *cpu, const struct insn *in) { return loop_if(cpu, in, !flag_zf(cpu)); }

enum exec op_jcxz(struct cpu *cpu, const struct insn *in)
{
	if (count_is_zero(cpu->r[R_ECX], in))
		return branch_to(cpu, in, relative_target(cpu, in));
	NEXT(cpu, in);
}

/* BOUND r, m: #BR when the signed index lies outside [lower, upper]. */
enum exec op_bound(struct cpu *cpu, const struct insn *in)
{
	struct ref lower, upper;
	uint32_t ea = effective_address(cpu, in), next = in->addrsize == 2 ? (ea + in->opsize) & 0xffff : ea + in->opsize;
	int32_t index, lo, hi;

	TRY(open_mem(cpu, in, in->seg, ea, in->opsize, OPEN_READ, &lower));
	TRY(open_mem(cpu, in, in->seg, next, in->opsize, OPEN_READ, &upper));
	if (in->opsize == 2) {
		index = (int16_t)cpu->r[in->reg];
		lo = (int16_t)ref_get16(cpu, &lower);
		hi = (int16_t)ref_get16(cpu, &upper);
	} else {
		index = (int32_t)cpu->r[in->reg];
		lo = (int32_t)ref_get32(cpu, &lower);
		hi = (int32_t)ref_get32(cpu, &upper);
	}
	if (index < lo || index > hi)
		return raise_fault(cpu, in, VEC_BR);
	NEXT(cpu, in);
}
