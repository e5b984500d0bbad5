/* cpu/op_stack.c: PUSH POP PUSHA POPA ENTER LEAVE.
 *
 * ESP or SP, by the stack segment's B bit, moves by the operand size. POP to memory computes its address with the new ESP.
 * PUSH of a segment register in 32-bit code stores a zero-extended doubleword.
 * References: [SDM2A] "ENTER", "LEAVE", [SDM2B] "POP", "POPA/POPAD", "PUSH", "PUSHA/PUSHAD".
 */
#include "cpu/flags.h"

static inline void stack_set(struct cpu *cpu, struct ref *slot, unsigned size, uint32_t v)
{
	if (size == 2)
		ref_set16(cpu, slot, (uint16_t)v);
	else
		ref_set32(cpu, slot, v);
}

static inline uint32_t stack_get(struct cpu *cpu, struct ref *slot, unsigned size)
{
	return size == 2 ? ref_get16(cpu, slot) : ref_get32(cpu, slot);
}

static inline void reg_set(struct cpu *cpu, unsigned n, unsigned size, uint32_t v)
{
	if (size == 2)
		set_reg16(cpu, n, (uint16_t)v);
	else
		cpu->r[n] = v;
}

/* The usual stack is flat and 32 bits wide; open_stack knows the others. */
static inline enum exec open_push(struct cpu *cpu, const struct insn *in, uint32_t esp, int32_t delta, unsigned size, enum open_mode mode, struct ref *ref)
{
	if (likely(stack32(cpu)))
		return open_mem(cpu, in, SEG_SS, esp + (uint32_t)delta, size, mode, ref);
	struct ref slow;
	enum exec result = open_stack(cpu, in, esp, delta, size, mode, &slow);
	*ref = slow;
	return result;
}

static inline enum exec push(struct cpu *cpu, const struct insn *in, unsigned size, uint32_t v)
{
	uint32_t esp = cpu->r[R_ESP];
	struct ref slot;

	TRY(open_push(cpu, in, esp, -(int32_t)size, size, OPEN_WRITE, &slot));
	stack_set(cpu, &slot, size, v);
	cpu->r[R_ESP] = stack_moved(cpu, esp, -(int32_t)size);
	return EXEC_OK;
}

enum exec op_push_Zw(struct cpu *cpu, const struct insn *in)
{
	TRY(push(cpu, in, 2, cpu->r[in->rm]));
	NEXT(cpu, in);
}

enum exec op_push_Zd(struct cpu *cpu, const struct insn *in)
{
	TRY(push(cpu, in, 4, cpu->r[in->rm]));
	NEXT(cpu, in);
}

enum exec op_push_Iw(struct cpu *cpu, const struct insn *in)
{
	TRY(push(cpu, in, 2, in->imm));
	NEXT(cpu, in);
}

enum exec op_push_Id(struct cpu *cpu, const struct insn *in)
{
	TRY(push(cpu, in, 4, in->imm));
	NEXT(cpu, in);
}

enum exec op_push_Sw(struct cpu *cpu, const struct insn *in)
{
	TRY(push(cpu, in, in->opsize, cpu->seg[in->reg].selector));
	NEXT(cpu, in);
}

enum exec op_push_Ew(struct cpu *cpu, const struct insn *in)
{
	struct ref src, slot;

	TRY(open_rm(cpu, in, 2, OPEN_READ, &src));
	TRY(open_push(cpu, in, cpu->r[R_ESP], -2, 2, OPEN_WRITE, &slot));
	ref_set16(cpu, &slot, ref_get16(cpu, &src));
	cpu->r[R_ESP] = stack_moved(cpu, cpu->r[R_ESP], -2);
	NEXT(cpu, in);
}

enum exec op_push_Ed(struct cpu *cpu, const struct insn *in)
{
	struct ref src, slot;

	TRY(open_rm(cpu, in, 4, OPEN_READ, &src));
	TRY(open_push(cpu, in, cpu->r[R_ESP], -4, 4, OPEN_WRITE, &slot));
	ref_set32(cpu, &slot, ref_get32(cpu, &src));
	cpu->r[R_ESP] = stack_moved(cpu, cpu->r[R_ESP], -4);
	NEXT(cpu, in);
}

/* The increment comes first: POP ESP ends with the value popped. */
enum exec op_pop_Zw(struct cpu *cpu, const struct insn *in)
{
	uint32_t esp = cpu->r[R_ESP];
	struct ref slot;

	TRY(open_push(cpu, in, esp, 0, 2, OPEN_READ, &slot));
	cpu->r[R_ESP] = stack_moved(cpu, esp, 2);
	set_reg16(cpu, in->rm, ref_get16(cpu, &slot));
	NEXT(cpu, in);
}

enum exec op_pop_Zd(struct cpu *cpu, const struct insn *in)
{
	uint32_t esp = cpu->r[R_ESP];
	struct ref slot;

	TRY(open_push(cpu, in, esp, 0, 4, OPEN_READ, &slot));
	cpu->r[R_ESP] = stack_moved(cpu, esp, 4);
	cpu->r[in->rm] = ref_get32(cpu, &slot);
	NEXT(cpu, in);
}

/* POP to an operand that may be memory: its address uses the ESP after the pop. */
static enum exec pop_rm(struct cpu *cpu, const struct insn *in, unsigned size)
{
	uint32_t esp = cpu->r[R_ESP];
	struct ref slot, dst;
	enum exec result;

	TRY(open_stack(cpu, in, esp, 0, size, OPEN_READ, &slot));
	cpu->r[R_ESP] = stack_moved(cpu, esp, (int32_t)size);
	result = open_rm(cpu, in, size, OPEN_WRITE, &dst);
	if (result != EXEC_OK) {
		cpu->r[R_ESP] = esp;
		return result;
	}
	stack_set(cpu, &dst, size, stack_get(cpu, &slot, size));
	return EXEC_OK;
}

enum exec op_pop_Ew(struct cpu *cpu, const struct insn *in)
{
	TRY(pop_rm(cpu, in, 2));
	NEXT(cpu, in);
}

enum exec op_pop_Ed(struct cpu *cpu, const struct insn *in)
{
	TRY(pop_rm(cpu, in, 4));
	NEXT(cpu, in);
}

static enum exec push_all(struct cpu *cpu, const struct insn *in)
{
	unsigned size = in->opsize;
	struct ref slot[8];

	for (unsigned i = 0; i < 8; i++)
		TRY(open_stack(cpu, in, cpu->r[R_ESP], -(int32_t)(size * (i + 1)), size, OPEN_WRITE, &slot[i]));
	for (unsigned i = 0; i < 8; i++)
		stack_set(cpu, &slot[i], size, cpu->r[i]);     /* ESP as it was */
	cpu->r[R_ESP] = stack_moved(cpu, cpu->r[R_ESP], -(int32_t)(size * 8));
	return EXEC_OK;
}

enum exec op_pusha(struct cpu *cpu, const struct insn *in)
{
	TRY(push_all(cpu, in));
	NEXT(cpu, in);
}

static enum exec pop_all(struct cpu *cpu, const struct insn *in)
{
	unsigned size = in->opsize;
	struct ref slot[8];

	for (unsigned i = 0; i < 8; i++)
		TRY(open_stack(cpu, in, cpu->r[R_ESP], (int32_t)(size * i), size, OPEN_READ, &slot[i]));
	for (unsigned i = 0; i < 8; i++)
		if (7 - i != R_ESP)
			reg_set(cpu, 7 - i, size, stack_get(cpu, &slot[i], size));
	cpu->r[R_ESP] = stack_moved(cpu, cpu->r[R_ESP], (int32_t)(size * 8));
	return EXEC_OK;
}

enum exec op_popa(struct cpu *cpu, const struct insn *in)
{
	TRY(pop_all(cpu, in));
	NEXT(cpu, in);
}

/* ENTER: pushes EBP, copies level - 1 frame pointers of enclosing frames and adds its own, then makes room. The last stack
 * pointer must be writable, though nothing is written there. */
static enum exec enter(struct cpu *cpu, const struct insn *in)
{
	unsigned size = in->opsize, level = in->imm2 & 31, pushes = 1;
	uint32_t esp = cpu->r[R_ESP], ebp = cpu->r[R_EBP], frame = stack_moved(cpu, esp, -(int32_t)size), last;
	struct ref slot[33], outer[32], probe;

	/* In the order in which they are read and pushed, so that of two faults the first one shows. */
	TRY(open_stack(cpu, in, esp, -(int32_t)size, size, OPEN_WRITE, &slot[0]));
	for (unsigned i = 1; i < level; i++, pushes++) {
		TRY(open_stack(cpu, in, ebp, -(int32_t)(size * i), size, OPEN_READ, &outer[i]));
		TRY(open_stack(cpu, in, esp, -(int32_t)(size * (i + 1)), size, OPEN_WRITE, &slot[i]));
	}
	if (level)
		TRY(open_stack(cpu, in, esp, -(int32_t)(size * ++pushes), size, OPEN_WRITE, &slot[level]));
	last = stack_moved(cpu, esp, -(int32_t)(size * pushes + in->imm));
	TRY(open_stack(cpu, in, last, 0, size, OPEN_WRITE, &probe));

	stack_set(cpu, &slot[0], size, ebp);
	for (unsigned i = 1; i < level; i++)
		stack_set(cpu, &slot[i], size, stack_get(cpu, &outer[i], size));
	if (level)
		stack_set(cpu, &slot[level], size, frame);
	reg_set(cpu, R_EBP, size, frame);
	cpu->r[R_ESP] = last;
	return EXEC_OK;
}

enum exec op_enter(struct cpu *cpu, const struct insn *in)
{
	TRY(enter(cpu, in));
	NEXT(cpu, in);
}

static inline enum exec leave(struct cpu *cpu, const struct insn *in)
{
	uint32_t ebp = cpu->r[R_EBP], esp = stack32(cpu) ? ebp : (cpu->r[R_ESP] & 0xffff0000u) | (ebp & 0xffff);
	struct ref slot;

	TRY(open_push(cpu, in, esp, 0, in->opsize, OPEN_READ, &slot));
	reg_set(cpu, R_EBP, in->opsize, stack_get(cpu, &slot, in->opsize));
	cpu->r[R_ESP] = stack_moved(cpu, esp, in->opsize);
	return EXEC_OK;
}

enum exec op_leave(struct cpu *cpu, const struct insn *in)
{
	TRY(leave(cpu, in));
	NEXT(cpu, in);
}
