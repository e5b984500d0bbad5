/* cpu/op_flow.c: near jumps, calls and returns, conditional branches, loops, BOUND.
 *
 *   taken, linked:   charge the target's block, go on in its first handler
 *   taken, else:     code_branch() finds the block, and links it when the target lies in the same page
 *   not taken:       the next instruction of this block
 *
 * With a 16-bit operand size EIP is cut to 16 bits. A target outside the limit of CS is #GP(0) of the branch itself.
 * References: [SDM2A] "BOUND", "CALL", "Jcc", "JMP", "LOOP/LOOPcc", [SDM2B] "RET".
 */
#include "cpu/code.h"
#include "cpu/flags.h"

static inline uint32_t cut(const struct insn *in, uint32_t eip) { return in->opsize == 2 ? eip & 0xffff : eip; }
static inline uint32_t target(const struct cpu *cpu, const struct insn *in) { return cut(in, insn_next_eip(cpu, in) + in->imm); }

static inline enum exec target_check(struct cpu *cpu, const struct insn *in, uint32_t eip)
{
	return likely(cpu->seg[SEG_CS].ok & SEG_OK_FETCH) ? EXEC_OK : branch_check(cpu, in, eip);
}

/* The last act of a direct branch, its checks made. There are links only in code whose CS needs no limit check, but CS may
 * have changed since: a linked block is entered only while that holds. */
#ifdef CPU_TAIL_CALLS
#define BRANCH(cpu, in, eip) do { \
	const struct block *block_ = (in)->link; \
	if (likely(block_ && !(cpu)->attention && (cpu)->seg[SEG_CS].ok & SEG_OK_FETCH && (cpu)->run_end - (cpu)->icount >= block_->count)) { \
		(cpu)->icount += block_->count; \
		return block_->insn->handler((cpu), block_->insn); \
	} \
	return code_branch((cpu), (in), (eip)); \
} while (0)
#else
#define BRANCH(cpu, in, eip) return code_branch((cpu), (in), (eip))
#endif

/* A conditional branch in the middle of a block was taken: what follows it there was charged and does not run. */
#define TAKE(cpu, in) do { \
	TRY(target_check((cpu), (in), target((cpu), (in)))); \
	(cpu)->icount -= (in)->left - 1u; \
	BRANCH((cpu), (in), target((cpu), (in))); \
} while (0)

#define JCC(cc) \
enum exec op_j##cc(struct cpu *cpu, const struct insn *in) \
{ \
	if (cond_##cc(cpu)) \
		TAKE(cpu, in); \
	NEXT(cpu, in); \
}
CONDITIONS(JCC)

/* --- loops: the counter is CX or ECX by address size ---------------------------------------------------------------- */

static inline uint32_t counter(const struct cpu *cpu, const struct insn *in)
{
	return in->addrsize == 2 ? cpu->r[R_ECX] & 0xffff : cpu->r[R_ECX];
}

static inline void set_counter(struct cpu *cpu, const struct insn *in, uint32_t v)
{
	if (in->addrsize == 2)
		set_reg16(cpu, R_ECX, (uint16_t)v);
	else
		cpu->r[R_ECX] = v;
}

#define LOOP(name, condition) \
enum exec op_##name(struct cpu *cpu, const struct insn *in) \
{ \
	uint32_t left = counter(cpu, in) - 1; \
	bool taken = (in->addrsize == 2 ? left & 0xffff : left) != 0 && (condition); \
	if (taken) \
		TRY(target_check(cpu, in, target(cpu, in))); \
	set_counter(cpu, in, left); \
	if (taken) \
		TAKE(cpu, in); \
	NEXT(cpu, in); \
}
LOOP(loop, true)
LOOP(loope, flag_zf(cpu))
LOOP(loopne, !flag_zf(cpu))

enum exec op_jcxz(struct cpu *cpu, const struct insn *in)
{
	if (counter(cpu, in) == 0)
		TAKE(cpu, in);
	NEXT(cpu, in);
}

/* --- jumps, calls, returns -------------------------------------------------------------------------------------------- */

enum exec op_jmp_J(struct cpu *cpu, const struct insn *in)
{
	TRY(target_check(cpu, in, target(cpu, in)));
	BRANCH(cpu, in, target(cpu, in));
}

static inline enum exec read_target(struct cpu *cpu, const struct insn *in, uint32_t *eip)
{
	struct ref src;

	TRY(open_rm(cpu, in, in->opsize, OPEN_READ, &src));
	*eip = in->opsize == 2 ? ref_get16(cpu, &src) : ref_get32(cpu, &src);
	return EXEC_OK;
}

enum exec op_jmp_Ev(struct cpu *cpu, const struct insn *in)
{
	uint32_t eip;

	TRY(read_target(cpu, in, &eip));
	TRY(target_check(cpu, in, eip));
	return code_branch(cpu, in, eip);
}

static inline enum exec push_return(struct cpu *cpu, const struct insn *in, uint32_t eip)
{
	int32_t size = in->opsize;
	uint32_t esp = cpu->r[R_ESP];
	struct ref slot;

	TRY(open_mem(cpu, in, SEG_SS, stack32(cpu) ? esp - (uint32_t)size : (esp - (uint32_t)size) & 0xffff, in->opsize, OPEN_WRITE, &slot));
	TRY(target_check(cpu, in, eip));
	if (size == 2)
		ref_set16(cpu, &slot, (uint16_t)insn_next_eip(cpu, in));
	else
		ref_set32(cpu, &slot, insn_next_eip(cpu, in));
	cpu->r[R_ESP] = stack_moved(cpu, esp, -size);
	return EXEC_OK;
}

enum exec op_call_Jz(struct cpu *cpu, const struct insn *in)
{
	TRY(push_return(cpu, in, target(cpu, in)));
	BRANCH(cpu, in, target(cpu, in));
}

enum exec op_call_Ev(struct cpu *cpu, const struct insn *in)
{
	uint32_t eip;

	TRY(read_target(cpu, in, &eip));
	TRY(push_return(cpu, in, eip));
	return code_branch(cpu, in, eip);
}

/* imm: bytes of arguments to release; 0 in the form without. */
static inline enum exec pop_return(struct cpu *cpu, const struct insn *in, unsigned size, uint32_t *eip)
{
	uint32_t esp = cpu->r[R_ESP];
	struct ref slot;

	TRY(open_mem(cpu, in, SEG_SS, stack32(cpu) ? esp : esp & 0xffff, size, OPEN_READ, &slot));
	*eip = size == 2 ? ref_get16(cpu, &slot) : ref_get32(cpu, &slot);
	TRY(target_check(cpu, in, *eip));
	cpu->r[R_ESP] = stack_moved(cpu, esp, (int32_t)(size + in->imm));
	return EXEC_OK;
}

enum exec op_ret16(struct cpu *cpu, const struct insn *in)
{
	uint32_t eip;

	TRY(pop_return(cpu, in, 2, &eip));
	return code_branch(cpu, in, eip);
}

enum exec op_ret32(struct cpu *cpu, const struct insn *in)
{
	uint32_t eip;

	TRY(pop_return(cpu, in, 4, &eip));
	return code_branch(cpu, in, eip);
}

/* --- BOUND: the index against a signed pair in memory ------------------------------------------------------------------ */

#define BOUND(bits, bytes, s, G) \
enum exec op_bound_##G##_Ma(struct cpu *cpu, const struct insn *in) \
{ \
	uint32_t ea = effective_address(cpu, in), mask = in->addrsize == 2 ? 0xffff : 0xffffffff; \
	s index = (s)cpu->r[in->reg]; \
	struct ref lower, upper; \
	TRY(open_mem(cpu, in, in->seg, ea, bytes, OPEN_READ, &lower)); \
	TRY(open_mem(cpu, in, in->seg, (ea + bytes) & mask, bytes, OPEN_READ, &upper)); \
	s from = (s)ref_get##bits(cpu, &lower), to = (s)ref_get##bits(cpu, &upper);        /* both are read, whatever the first says */ \
	if (index < from || index > to) \
		return raise_fault(cpu, in, VEC_BR); \
	NEXT(cpu, in); \
}
BOUND(16, 2, int16_t, Gw)
BOUND(32, 4, int32_t, Gd)
