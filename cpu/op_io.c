/* cpu/op_io.c: ports, the interrupt flag, PUSHF and POPF, HLT.
 *
 *   TSS +102 -> I/O map base; bit (port & 7) of byte (base + port / 8) clear: allowed. Two bytes are always read.
 *
 * References: [SDM1 19.5 "Protected-Mode I/O"], [SDM2A] "CLI", "HLT", "IN", [SDM2B] "OUT", "POPF/POPFD", "PUSHF/PUSHFD",
 * "STI". What becomes of them under VME and PVI is in vme.c.
 */
#include "cpu/system.h"
#include "cpu/ops.h"

/* --- ports ---------------------------------------------------------------------------------------------------- */

static enum exec bitmap_check(struct cpu *cpu, const struct insn *in, uint16_t port, unsigned size)
{
	const struct segment *tr = &cpu->seg[SEG_TR];
	uint32_t base, bits, at;

	if (!(tr->access & 8) || tr->limit < 103)
		return raise_error(cpu, in, VEC_GP, 0);
	TRY(linear_read(cpu, in, tr->base + 102, 2, &base));
	at = base + port / 8;
	if (at + 1 > tr->limit)
		return raise_error(cpu, in, VEC_GP, 0);
	TRY(linear_read(cpu, in, tr->base + at, 2, &bits));
	if (bits >> (port & 7) & ((1u << size) - 1))
		return raise_error(cpu, in, VEC_GP, 0);
	return EXEC_OK;
}

enum exec io_check(struct cpu *cpu, const struct insn *in, uint16_t port, unsigned size)
{
	if (protected_mode(cpu) && (v86_mode(cpu) || cpu->cpl > iopl(cpu)))
		TRY(bitmap_check(cpu, in, port, size));
	if (unlikely(cpu->watch.ports && !cpu->single)) {
		cpu->insn = in;
		return EXEC_SINGLE;
	}
	debug_io(cpu, port, size);
	return EXEC_OK;
}

static enum exec port_in(struct cpu *cpu, const struct insn *in, uint16_t port, unsigned size)
{
	uint32_t value;

	TRY(io_check(cpu, in, port, size));
	value = cpu->bus.in(cpu->bus.owner, port, size);
	memcpy(&cpu->r[R_EAX], &value, size);
	NEXT(cpu, in);
}

static enum exec port_out(struct cpu *cpu, const struct insn *in, uint16_t port, unsigned size)
{
	uint32_t value = size == 4 ? cpu->r[R_EAX] : cpu->r[R_EAX] & ((1u << 8 * size) - 1);

	TRY(io_check(cpu, in, port, size));
	cpu->bus.out(cpu->bus.owner, port, size, value);
	NEXT(cpu, in);
}

static uint16_t dx(const struct cpu *cpu) { return (uint16_t)cpu->r[R_EDX]; }

enum exec op_in_AL_Ib(struct cpu *cpu, const struct insn *in) { return port_in(cpu, in, in->imm & 0xff, 1); }
enum exec op_in_eAX_Ib(struct cpu *cpu, const struct insn *in) { return port_in(cpu, in, in->imm & 0xff, in->opsize); }
enum exec op_in_AL_DX(struct cpu *cpu, const struct insn *in) { return port_in(cpu, in, dx(cpu), 1); }
enum exec op_in_eAX_DX(struct cpu *cpu, const struct insn *in) { return port_in(cpu, in, dx(cpu), in->opsize); }
enum exec op_out_Ib_AL(struct cpu *cpu, const struct insn *in) { return port_out(cpu, in, in->imm & 0xff, 1); }
enum exec op_out_Ib_eAX(struct cpu *cpu, const struct insn *in) { return port_out(cpu, in, in->imm & 0xff, in->opsize); }
enum exec op_out_DX_AL(struct cpu *cpu, const struct insn *in) { return port_out(cpu, in, dx(cpu), 1); }
enum exec op_out_DX_eAX(struct cpu *cpu, const struct insn *in) { return port_out(cpu, in, dx(cpu), in->opsize); }

/* --- flags ---------------------------------------------------------------------------------------------------- */

/* In virtual-8086 mode CPL is 3, so this one comparison covers it too. */
static enum exec iopl_check(struct cpu *cpu, const struct insn *in)
{
	return cpu->cpl <= iopl(cpu) ? EXEC_OK : raise_error(cpu, in, VEC_GP, 0);
}

enum exec op_cli(struct cpu *cpu, const struct insn *in)
{
	if (virtual_if(cpu)) {
		cpu->eflags &= ~F_VIF;
		NEXT(cpu, in);
	}
	TRY(iopl_check(cpu, in));
	cpu->eflags &= ~F_IF;
	NEXT(cpu, in);
}

/* Interrupts are accepted only after the instruction that follows, so that STI; RET and STI; HLT are safe. */
enum exec op_sti(struct cpu *cpu, const struct insn *in)
{
	if (virtual_if(cpu)) {
		if (cpu->eflags & F_VIP)
			return raise_error(cpu, in, VEC_GP, 0);
		cpu->eflags |= F_VIF;
		return finish(cpu, in);
	}
	TRY(iopl_check(cpu, in));
	if (!(cpu->eflags & F_IF)) {
		cpu->eflags |= F_IF;
		cpu->shadow = true;
		cpu->attention = true;
	}
	return finish(cpu, in);
}

/* PUSHF and POPF in virtual-8086 mode, IOPL < 3: with VME there are the 16-bit forms. */
static enum exec v86_check(struct cpu *cpu, const struct insn *in)
{
	if (v86_mode(cpu) && iopl(cpu) < 3 && !(virtual_if(cpu) && in->opsize == 2))
		return raise_error(cpu, in, VEC_GP, 0);
	return EXEC_OK;
}

enum exec op_pushf(struct cpu *cpu, const struct insn *in)
{
	uint32_t flags = cpu_eflags(cpu) & ~(F_VM | F_RF);
	struct ref slot;

	TRY(v86_check(cpu, in));
	if (v86_mode(cpu) && virtual_if(cpu))
		flags = virtual_flags(cpu);
	TRY(open_stack(cpu, in, cpu->r[R_ESP], -(int32_t)in->opsize, in->opsize, OPEN_WRITE, &slot));
	if (in->opsize == 2)
		ref_set16(cpu, &slot, (uint16_t)flags);
	else
		ref_set32(cpu, &slot, flags);
	cpu->r[R_ESP] = stack_moved(cpu, cpu->r[R_ESP], -(int32_t)in->opsize);
	NEXT(cpu, in);
}

/* What POPF takes from the stack, by mode and operand size; of the rest RF is cleared and, outside virtual-8086 mode, so
 * are VIP and VIF by the 32-bit form. */
static void popped_flags(struct cpu *cpu, uint32_t popped, unsigned opsize)
{
	uint32_t take = F_ARITH | F_TF | F_DF | F_NT, clear = 0;

	if (cpu->cpl <= iopl(cpu))
		take |= F_IF;
	if (cpu->cpl == 0)
		take |= F_IOPL;
	if (opsize == 4) {
		take |= F_AC | F_ID;
		clear = v86_mode(cpu) ? F_RF : F_RF | F_VIP | F_VIF;
	}
	cpu_set_eflags(cpu, (cpu_eflags(cpu) & ~(take | clear)) | (popped & take));
	flags_changed(cpu);
}

enum exec op_popf(struct cpu *cpu, const struct insn *in)
{
	uint32_t popped = 0;

	TRY(v86_check(cpu, in));
	TRY(pop_read(cpu, in, 0, in->opsize, &popped));
	if (v86_mode(cpu) && virtual_if(cpu)) {
		TRY(virtual_flags_check(cpu, in, popped));
		virtual_flags_load(cpu, popped);
	} else {
		popped_flags(cpu, popped, in->opsize);
	}
	cpu->r[R_ESP] = stack_moved(cpu, cpu->r[R_ESP], in->opsize);
	return finish(cpu, in);
}

enum exec op_hlt(struct cpu *cpu, const struct insn *in)
{
	if (cpu->cpl != 0)
		return raise_error(cpu, in, VEC_GP, 0);
	cpu->halted = true;
	cpu->attention = true;
	return finish(cpu, in);
}
