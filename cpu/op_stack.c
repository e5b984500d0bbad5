/* cpu/op_stack.c: PUSH, POP, PUSHA, POPA, ENTER, LEAVE.
 *
 * The stack slot is opened before ESP moves, so a push that faults leaves ESP where it was and can be started again.
 * References: [SDM2B] "PUSH", "POP", "PUSHA/PUSHAD", "POPA/POPAD", [SDM2A] "ENTER", "LEAVE".
 */
#include "cpu/exec.h"

static inline enum exec push(struct cpu *cpu, const struct insn *in, uint32_t value, unsigned size)
{
	struct ref slot;

	TRY(open_stack(cpu, in, cpu->r[R_ESP], -(int32_t)size, size, OPEN_WRITE, &slot));
	if (size == 2)
		ref_set16(cpu, &slot, (uint16_t)value);
	else
		ref_set32(cpu, &slot, value);
	cpu->r[R_ESP] = stack_moved(cpu, cpu->r[R_ESP], -(int32_t)size);
	NEXT(cpu, in);
}

enum exec op_push_Zv_16(struct cpu *cpu, const struct insn *in) { return push(cpu, in, cpu->r[in->rm], 2); }
enum exec op_push_Zv_32(struct cpu *cpu, const struct insn *in) { return push(cpu, in, cpu->r[in->rm], 4); }
enum exec op_push_Iz_16(struct cpu *cpu, const struct insn *in) { return push(cpu, in, in->imm, 2); }
enum exec op_push_Iz_32(struct cpu *cpu, const struct insn *in) { return push(cpu, in, in->imm, 4); }

/* PUSH ES, CS, SS, DS, FS, GS: in->reg is the segment. A 32-bit push writes 16 bits and leaves the upper half of the slot. */
enum exec op_push_Sreg(struct cpu *cpu, const struct insn *in)
{
	struct ref slot;

	TRY(open_stack(cpu, in, cpu->r[R_ESP], -(int32_t)in->opsize, 2, OPEN_WRITE, &slot));
	ref_set16(cpu, &slot, cpu->seg[in->reg].selector);
	cpu->r[R_ESP] = stack_moved(cpu, cpu->r[R_ESP], -(int32_t)in->opsize);
	NEXT(cpu, in);
}

enum exec op_push_Ev_16(struct cpu *cpu, const struct insn *in)
{
	struct ref src;

	TRY(open_rm(cpu, in, 2, OPEN_READ, &src));
	return push(cpu, in, ref_get16(cpu, &src), 2);
}

enum exec op_push_Ev_32(struct cpu *cpu, const struct insn *in)
{
	struct ref src;

	TRY(open_rm(cpu, in, 4, OPEN_READ, &src));
	return push(cpu, in, ref_get32(cpu, &src), 4);
}

static inline enum exec pop(struct cpu *cpu, const struct insn *in, unsigned size)
{
	struct ref slot;
	uint32_t esp = cpu->r[R_ESP];

	TRY(open_stack(cpu, in, esp, 0, size, OPEN_READ, &slot));
	/* ESP moves first, so that POP ESP ends with the value popped. */
	cpu->r[R_ESP] = stack_moved(cpu, esp, (int32_t)size);
	if (size == 2)
		memcpy(&cpu->r[in->rm], &(uint16_t){ ref_get16(cpu, &slot) }, 2);
	else
		cpu->r[in->rm] = ref_get32(cpu, &slot);
	NEXT(cpu, in);
}

enum exec op_pop_Zv_16(struct cpu *cpu, const struct insn *in) { return pop(cpu, in, 2); }
enum exec op_pop_Zv_32(struct cpu *cpu, const struct insn *in) { return pop(cpu, in, 4); }

/* POP m: an address that uses ESP is computed with ESP after the pop. */
static enum exec pop_Ev(struct cpu *cpu, const struct insn *in, unsigned size)
{
	uint32_t esp = cpu->r[R_ESP], value;
	struct ref slot, dst;
	enum exec opened;

	TRY(open_stack(cpu, in, esp, 0, size, OPEN_READ, &slot));
	value = size == 2 ? ref_get16(cpu, &slot) : ref_get32(cpu, &slot);
	cpu->r[R_ESP] = stack_moved(cpu, esp, (int32_t)size);
	opened = open_rm(cpu, in, size, OPEN_WRITE, &dst);
	if (opened != EXEC_OK) {
		cpu->r[R_ESP] = esp;
		return opened;
	}
	if (size == 2)
		ref_set16(cpu, &dst, (uint16_t)value);
	else
		ref_set32(cpu, &dst, value);
	NEXT(cpu, in);
}

enum exec op_pop_Ev_16(struct cpu *cpu, const struct insn *in) { return pop_Ev(cpu, in, 2); }
enum exec op_pop_Ev_32(struct cpu *cpu, const struct insn *in) { return pop_Ev(cpu, in, 4); }

/* --- all registers at once: every slot is opened before the first is used --- */

static void slot_set(struct cpu *cpu, const struct ref *slot, uint32_t value, unsigned size)
{
	if (size == 2)
		ref_set16(cpu, slot, (uint16_t)value);
	else
		ref_set32(cpu, slot, value);
}

enum exec op_pusha(struct cpu *cpu, const struct insn *in)
{
	struct ref slot[8];
	uint32_t esp = cpu->r[R_ESP];
	int32_t size = in->opsize;

	for (int i = 0; i < 8; i++)
		TRY(open_stack(cpu, in, esp, -size * (i + 1), (unsigned)size, OPEN_WRITE, &slot[i]));
	for (unsigned i = 0; i < 8; i++)
		slot_set(cpu, &slot[i], cpu->r[i], (unsigned)size);
	cpu->r[R_ESP] = stack_moved(cpu, esp, -8 * size);
	NEXT(cpu, in);
}

enum exec op_popa(struct cpu *cpu, const struct insn *in)
{
	struct ref slot[8];
	uint32_t esp = cpu->r[R_ESP];
	int32_t size = in->opsize;

	for (int i = 0; i < 8; i++)
		TRY(open_stack(cpu, in, esp, size * i, (unsigned)size, OPEN_READ, &slot[i]));
	for (int i = 0; i < 8; i++) {
		unsigned reg = 7 - (unsigned)i;

		if (reg == R_ESP)
			continue;                      /* the saved ESP is skipped */
		if (size == 2)
			memcpy(&cpu->r[reg], &(uint16_t){ ref_get16(cpu, &slot[i]) }, 2);
		else
			cpu->r[reg] = ref_get32(cpu, &slot[i]);
	}
	cpu->r[R_ESP] = stack_moved(cpu, esp, 8 * size);
	NEXT(cpu, in);
}

/* --- stack frames --- */

/* ENTER size, level. The nesting level copies level - 1 frame pointers of the enclosing procedures. At the end the page at
 * the new stack top is checked for writing, so that a frame that does not fit faults here. */
enum exec op_enter(struct cpu *cpu, const struct insn *in)
{
	struct ref slot[33], src, top;
	uint32_t value[33], esp = cpu->r[R_ESP], ebp = cpu->r[R_EBP], frame;
	unsigned level = in->imm2 & 31, n = 0;
	int32_t size = in->opsize;

	value[n++] = ebp;
	frame = stack_moved(cpu, esp, -size);
	for (unsigned i = 1; i < level; i++) {
		TRY(open_stack(cpu, in, ebp, -size * (int32_t)i, (unsigned)size, OPEN_READ, &src));
		value[n++] = size == 2 ? ref_get16(cpu, &src) : ref_get32(cpu, &src);
	}
	if (level > 0)
		value[n++] = frame;
	for (unsigned i = 0; i < n; i++)
		TRY(open_stack(cpu, in, esp, -size * (int32_t)(i + 1), (unsigned)size, OPEN_WRITE, &slot[i]));
	TRY(open_stack(cpu, in, esp, -size * (int32_t)n - (int32_t)(in->imm & 0xffff), (unsigned)size, OPEN_WRITE, &top));
	for (unsigned i = 0; i < n; i++)
		slot_set(cpu, &slot[i], value[i], (unsigned)size);
	if (size == 2)
		memcpy(&cpu->r[R_EBP], &(uint16_t){ (uint16_t)frame }, 2);
	else
		cpu->r[R_EBP] = frame;
	cpu->r[R_ESP] = stack_moved(cpu, esp, -size * (int32_t)n - (int32_t)(in->imm & 0xffff));
	NEXT(cpu, in);
}

enum exec op_leave(struct cpu *cpu, const struct insn *in)
{
	struct ref slot;
	uint32_t ebp = cpu->r[R_EBP];

	TRY(open_stack(cpu, in, ebp, 0, in->opsize, OPEN_READ, &slot));
	if (in->opsize == 2)
		memcpy(&cpu->r[R_EBP], &(uint16_t){ ref_get16(cpu, &slot) }, 2);
	else
		cpu->r[R_EBP] = ref_get32(cpu, &slot);
	cpu->r[R_ESP] = stack_moved(cpu, stack32(cpu) ? ebp : (cpu->r[R_ESP] & 0xffff0000u) | (ebp & 0xffff), in->opsize);
	NEXT(cpu, in);
}
