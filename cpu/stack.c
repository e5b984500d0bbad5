/* cpu/stack.c: frames that control transfers push, and the stacks of inner rings.
 *
 *   32-bit TSS   +4 ESP0  +8 SS0  +12 ESP1 ...        16-bit TSS   +2 SP0  +4 SS0  +6 SP1 ...
 *
 * References: [SDM3A 5.8.5 "Stack Switching"], [SDM3A 7.2.1 "Task-State Segment (TSS)"].
 */
#include "cpu/system.h"

enum exec frame_room(struct cpu *cpu, const struct insn *in, const struct segment *ss, uint32_t esp, unsigned count, unsigned size, uint32_t error, struct frame *f)
{
	f->base = ss->base;
	f->room = count;
	f->count = 0;
	f->size = size;
	for (unsigned i = 0; i < count; i++) {
		esp = esp_plus(ss, esp, -(int32_t)size);
		f->at[i] = ss->flags & SEG_FLAG_DB ? esp : esp & 0xffff;
		if (!segment_covers(ss, f->at[i], size))
			return raise_error(cpu, in, VEC_SS, error);
	}
	f->esp = esp;
	return EXEC_OK;
}

enum exec frame_open(struct cpu *cpu, const struct insn *in, bool user, struct frame *f)
{
	for (unsigned i = 0; i < f->room; i++)
		TRY(open_linear(cpu, in, f->base + f->at[i], f->size, OPEN_WRITE, user, &f->slot[i]));
	return EXEC_OK;
}

void frame_commit(struct cpu *cpu, struct frame *f)
{
	for (unsigned i = 0; i < f->count; i++) {
		if (f->size == 2)
			ref_set16(cpu, &f->slot[i], (uint16_t)f->value[i]);
		else
			ref_set32(cpu, &f->slot[i], f->value[i]);
	}
}

enum exec pop_read(struct cpu *cpu, const struct insn *in, int32_t delta, unsigned size, uint32_t *value)
{
	struct ref r;

	TRY(open_stack(cpu, in, cpu->r[R_ESP], delta, size, OPEN_READ, &r));
	*value = size == 2 ? ref_get16(cpu, &r) : ref_get32(cpu, &r);
	return EXEC_OK;
}

/* The two TSS fields for a ring; both must lie within the TSS limit. */
static enum exec tss_stack(struct cpu *cpu, const struct insn *in, unsigned cpl, unsigned ext, uint16_t *ss, uint32_t *esp)
{
	const struct segment *tr = &cpu->seg[SEG_TR];
	bool wide = tr->access & 8;
	unsigned size = wide ? 4 : 2, offset = wide ? 4 + 8 * cpl : 2 + 4 * cpl;
	uint32_t selector;

	if (!tr->access || offset + size + 1 > tr->limit)
		return raise_error(cpu, in, VEC_TS, selector_error(tr->selector, ext));
	TRY(linear_read(cpu, in, tr->base + offset, size, esp));
	TRY(linear_read(cpu, in, tr->base + offset + size, 2, &selector));
	*ss = (uint16_t)selector;
	return EXEC_OK;
}

enum exec inner_stack(struct cpu *cpu, const struct insn *in, unsigned cpl, unsigned ext, struct segment_load *load, uint32_t *esp)
{
	uint16_t ss = 0;
	struct descriptor d;

	TRY(tss_stack(cpu, in, cpl, ext, &ss, esp));
	if (selector_null(ss))
		return raise_error(cpu, in, VEC_TS, ext);
	TRY(fetch_descriptor(cpu, in, ss, VEC_TS, ext, &d));
	if ((ss & 3) != cpl || desc_dpl(&d) != cpl || !desc_stack(&d))
		return raise_error(cpu, in, VEC_TS, selector_error(ss, ext));
	if (!desc_present(&d))
		return raise_error(cpu, in, VEC_SS, selector_error(ss, ext));
	return segment_open(cpu, in, &d, ss, load);
}
