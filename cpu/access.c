/* cpu/access.c: the long way to memory: segment checks, page faults, operands across two pages, devices, code pages.
 *
 * An operand is opened whole before any byte of it is read or written: both pages of a split operand are translated
 * first, so that a fault on the second leaves the first untouched. An access to a device, or to bytes that were decoded,
 * is only made while the instruction runs alone (EXEC_SINGLE): then the instruction count a device sees is exact, and no
 * block that is executing disappears under itself.
 * References: [SDM3A 4.7 "Page-Fault Exceptions"], [SDM3A 6.15] "Interrupt 17 - Alignment Check Exception".
 */
#include "cpu/code.h"
#include "cpu/system.h"

enum exec raise_fault(struct cpu *cpu, const struct insn *in, enum vector v)
{
	cpu->insn = in;
	cpu->fault = (struct fault){ .vector = (uint8_t)v };
	return EXEC_FAULT;
}

enum exec raise_error(struct cpu *cpu, const struct insn *in, enum vector v, uint32_t error)
{
	cpu->insn = in;
	cpu->fault = (struct fault){ .vector = (uint8_t)v, .has_error = true, .error = error };
	return EXEC_FAULT;
}

static enum exec raise_page_fault(struct cpu *cpu, const struct insn *in, laddr_t la)
{
	cpu->insn = in;
	cpu->fault = (struct fault){ .vector = VEC_PF, .has_error = true, .error = cpu->mmu->last_fault.pf_code, .cr2 = la };
	return EXEC_FAULT;
}

/* Translates the piece of an operand that lies in one page. */
static enum exec open_piece(struct cpu *cpu, const struct insn *in, laddr_t la, unsigned size, enum open_mode mode, bool user, struct translation *t)
{
	struct access a = { .la = la, .kind = mode & OPEN_WRITE ? ACCESS_WRITE : ACCESS_READ, .user = user };
	bool code;

	if (!mmu_translate(cpu->mmu, &a, t))
		return raise_page_fault(cpu, in, la);
	if (t->host || cpu->single)
		return EXEC_OK;
	code = mode & OPEN_WRITE && phys_kind_of(cpu->mmu->phys, t->pa, NULL) == PHYS_RAM;
	if (code && !code_holds(cpu, t->pa, size))
		return EXEC_OK;
	cpu->insn = in;
	return EXEC_SINGLE;
}

enum exec open_linear(struct cpu *cpu, const struct insn *in, laddr_t la, unsigned size, enum open_mode mode, bool user, struct ref *ref)
{
	unsigned first = 4096 - (la & 0xfff);
	struct translation t[2] = { 0 };

	if (first > size)
		first = size;
	TRY(open_piece(cpu, in, la, first, mode, user, &t[0]));
	if (first < size)
		TRY(open_piece(cpu, in, la + first, size - first, mode, user, &t[1]));
	*ref = (struct ref){ .first = (uint8_t)first, .size = (uint8_t)size, .write = mode & OPEN_WRITE };
	for (unsigned i = 0; i < 2; i++) {
		ref->piece[i].host = t[i].host;
		ref->piece[i].pa = t[i].pa;
	}
	if (first == size)
		ref->host = t[0].host;
	return EXEC_OK;
}

/* Bytes an operand must be aligned to when alignment is checked; [SDM3A 6.15] table 6-7. */
static unsigned alignment(unsigned size)
{
	return size == 6 ? 2 : size;
}

enum exec open_slow(struct cpu *cpu, const struct insn *in, unsigned seg, uint32_t offset, unsigned size, enum open_mode mode, struct ref *ref)
{
	const struct segment *s = &cpu->seg[seg];
	laddr_t la = s->base + offset;

	if ((s->ok & mode) != mode)
		TRY(segment_check(cpu, in, seg, offset, size, mode));
	TRY(open_linear(cpu, in, la, size, mode, cpu->cpl == 3, ref));
	if (cpu->cpl == 3 && cpu->eflags & F_AC && cpu->cr0 & CR0_AM && la & (alignment(size) - 1))
		return raise_error(cpu, in, VEC_AC, 0);
	if (unlikely(debug_armed(cpu)) && debug_watches_data(cpu))
		debug_access(cpu, la, size, mode & OPEN_WRITE);
	return EXEC_OK;
}

enum exec open_stack(struct cpu *cpu, const struct insn *in, uint32_t esp, int32_t delta, unsigned size, enum open_mode mode, struct ref *ref)
{
	uint32_t offset = stack32(cpu) ? esp + (uint32_t)delta : (esp + (uint32_t)delta) & 0xffff;

	return open_mem(cpu, in, SEG_SS, offset, size, mode, ref);
}

/* --- operands that are not simply in RAM --- */

static uint32_t piece_get(struct cpu *cpu, const struct ref *ref, unsigned i, unsigned size)
{
	uint32_t value = 0;

	if (!ref->piece[i].host)
		return phys_read(cpu->mmu->phys, ref->piece[i].pa, size);
	memcpy(&value, ref->piece[i].host, size);
	return value;
}

static void piece_set(struct cpu *cpu, const struct ref *ref, unsigned i, unsigned size, uint32_t value)
{
	if (ref->piece[i].host)
		memcpy(ref->piece[i].host, &value, size);
	else
		phys_write(cpu->mmu->phys, ref->piece[i].pa, size, value);
}

/* phys_read and phys_write take 1, 2 or 4 bytes: a piece of 3 goes as 1 and 2. */
static bool whole(unsigned size) { return size == 1 || size == 2 || size == 4; }

uint32_t ref_get_slow(struct cpu *cpu, const struct ref *ref)
{
	uint32_t value = 0;
	unsigned done = 0;

	if (ref->first == ref->size && whole(ref->size))
		return piece_get(cpu, ref, 0, ref->size);
	for (; done < ref->size; done++) {
		struct ref byte = *ref;
		unsigned i = done >= ref->first, skip = done - (i ? ref->first : 0);

		byte.piece[i].pa += skip;
		byte.piece[i].host += byte.piece[i].host ? skip : 0;
		value |= piece_get(cpu, &byte, i, 1) << 8 * done;
	}
	return value;
}

void ref_set_slow(struct cpu *cpu, const struct ref *ref, uint32_t value)
{
	if (ref->first == ref->size && whole(ref->size)) {
		piece_set(cpu, ref, 0, ref->size, value);
		return;
	}
	for (unsigned done = 0; done < ref->size; done++) {
		struct ref byte = *ref;
		unsigned i = done >= ref->first, skip = done - (i ? ref->first : 0);

		byte.piece[i].pa += skip;
		byte.piece[i].host += byte.piece[i].host ? skip : 0;
		piece_set(cpu, &byte, i, 1, value >> 8 * done);
	}
}
