/* cpu/segment.c: segment registers: reading descriptors, loading, and the checks of each access.
 *
 *   selector  15           3 2  1 0        limit check, expand-up:    offset .. offset+size-1  <=  limit
 *            | index        |TI|RPL|                    expand-down:  limit < offset,  last <= 0xffff or 0xffffffff (B)
 *
 * References: [SDM3A 3.4 "Logical and Linear Addresses"], [SDM3A 5.3 "Limit Checking"], [SDM3A 5.4 "Type Checking"],
 * [SDM3A 5.6 "Privilege Level Checking When Accessing Data Segments"], [SDM2A] "MOV".
 */
#include "cpu/system.h"

/* The table a selector points into, as the base and last valid byte; false: the LDT register is empty. */
static bool selector_table(const struct cpu *cpu, uint16_t selector, uint32_t *base, uint32_t *limit)
{
	if (selector & 4) {
		*base = cpu->seg[SEG_LDTR].base;
		*limit = cpu->seg[SEG_LDTR].limit;
		return cpu->seg[SEG_LDTR].access != 0;
	}
	*base = cpu->gdtr.base;
	*limit = cpu->gdtr.limit;
	return true;
}

enum exec linear_read(struct cpu *cpu, const struct insn *in, laddr_t la, unsigned size, uint32_t *value)
{
	struct ref r;

	TRY(open_linear(cpu, in, la, size, OPEN_READ, false, &r));
	*value = size == 2 ? ref_get16(cpu, &r) : ref_get32(cpu, &r);
	return EXEC_OK;
}

enum exec fetch_descriptor(struct cpu *cpu, const struct insn *in, uint16_t selector, enum vector v, unsigned ext, struct descriptor *d)
{
	uint32_t base, limit;

	if (!selector_table(cpu, selector, &base, &limit) || (selector | 7u) > limit)
		return raise_error(cpu, in, v, selector_error(selector, ext));
	d->la = base + (selector & 0xfff8u);
	TRY(linear_read(cpu, in, d->la, 4, &d->lo));
	return linear_read(cpu, in, d->la + 4, 4, &d->hi);
}

enum exec read_descriptor(struct cpu *cpu, const struct insn *in, uint16_t selector, enum vector v, struct descriptor *d)
{
	return fetch_descriptor(cpu, in, selector, v, 0, d);
}

/* --- open and commit ------------------------------------------------------------------------------------------ */

enum exec segment_open(struct cpu *cpu, const struct insn *in, const struct descriptor *d, uint16_t selector, struct segment_load *load)
{
	load->s = (struct segment) {
		.selector = selector, .access = desc_access(d), .flags = d->hi >> 20 & 15,
		.base = desc_base(d), .limit = desc_limit(d),
	};
	/* Only code and data descriptors have an Accessed bit, written only when it is clear: the table may be read-only. */
	load->mark = (load->s.access & ACC_S) && !(load->s.access & ACC_ACCESSED);
	if (!load->mark)
		return EXEC_OK;
	load->s.access |= ACC_ACCESSED;
	return open_linear(cpu, in, d->la + 5, 1, OPEN_RW, false, &load->accessed);
}

void segment_commit(struct cpu *cpu, unsigned seg, struct segment_load *load)
{
	cpu->seg[seg] = load->s;
	if (load->mark)
		ref_set8(cpu, &load->accessed, load->s.access);
	segment_update(cpu, seg);
}

void segment_load_real(struct cpu *cpu, unsigned seg, uint16_t selector)
{
	struct segment *s = &cpu->seg[seg];

	/* The limit and size stay: protected mode may have left 4 GB there. A null selector left nothing to keep. */
	if (!s->access) {
		s->limit = 0xffff;
		s->flags = 0;
	}
	s->selector = selector;
	s->base = (uint32_t)selector << 4;
	s->access = ACC_P | ACC_S | ACC_RW | ACC_ACCESSED;
	segment_update(cpu, seg);
}

void segment_load_v86(struct cpu *cpu, unsigned seg, uint16_t selector)
{
	cpu->seg[seg] = (struct segment) {
		.selector = selector, .access = ACC_P | 0x60 | ACC_S | ACC_RW | ACC_ACCESSED, .base = (uint32_t)selector << 4, .limit = 0xffff,
	};
	segment_update(cpu, seg);
}

void segment_load_null(struct cpu *cpu, unsigned seg, uint16_t selector)
{
	cpu->seg[seg] = (struct segment) { .selector = selector };
}

void commit_code(struct cpu *cpu, struct segment_load *cs, unsigned cpl)
{
	segment_commit(cpu, SEG_CS, cs);
	if (cpl != cpu->cpl)
		cpu_set_cpl(cpu, cpl);
}

void segment_drop_inner(struct cpu *cpu, unsigned seg)
{
	const struct segment *s = &cpu->seg[seg];
	bool conforming = (s->access & (ACC_CODE | ACC_CONFORM)) == (ACC_CODE | ACC_CONFORM);

	if (s->access && !conforming && ACC_DPL(s->access) < cpu->cpl)
		segment_load_null(cpu, seg, 0);
}

/* --- loading -------------------------------------------------------------------------------------------------- */

static enum exec load_stack_segment(struct cpu *cpu, const struct insn *in, uint16_t selector)
{
	struct descriptor d;
	struct segment_load load;

	if (selector_null(selector))
		return raise_error(cpu, in, VEC_GP, 0);
	TRY(read_descriptor(cpu, in, selector, VEC_GP, &d));
	if ((selector & 3) != cpu->cpl || !desc_stack(&d) || desc_dpl(&d) != cpu->cpl)
		return raise_error(cpu, in, VEC_GP, selector_error(selector, 0));
	if (!desc_present(&d))
		return raise_error(cpu, in, VEC_SS, selector_error(selector, 0));
	TRY(segment_open(cpu, in, &d, selector, &load));
	segment_commit(cpu, SEG_SS, &load);
	return EXEC_OK;
}

/* Data, or code that can be read; privilege does not matter for conforming code. */
bool data_loadable(const struct cpu *cpu, const struct descriptor *d, uint16_t selector)
{
	if (!(desc_access(d) & ACC_S) || (desc_code(d) && !(desc_access(d) & ACC_RW)))
		return false;
	if (desc_code(d) && desc_conforming(d))
		return true;
	return (selector & 3u) <= desc_dpl(d) && cpu->cpl <= desc_dpl(d);
}

static enum exec load_data_segment(struct cpu *cpu, const struct insn *in, unsigned seg, uint16_t selector)
{
	struct descriptor d;
	struct segment_load load;

	if (selector_null(selector)) {
		segment_load_null(cpu, seg, selector);
		return EXEC_OK;
	}
	TRY(read_descriptor(cpu, in, selector, VEC_GP, &d));
	if (!data_loadable(cpu, &d, selector))
		return raise_error(cpu, in, VEC_GP, selector_error(selector, 0));
	if (!desc_present(&d))
		return raise_error(cpu, in, VEC_NP, selector_error(selector, 0));
	TRY(segment_open(cpu, in, &d, selector, &load));
	segment_commit(cpu, seg, &load);
	return EXEC_OK;
}

enum exec load_segment(struct cpu *cpu, const struct insn *in, unsigned seg, uint16_t selector)
{
	if (v86_mode(cpu))
		segment_load_v86(cpu, seg, selector);
	else if (!protected_mode(cpu))
		segment_load_real(cpu, seg, selector);
	else if (seg == SEG_SS)
		return load_stack_segment(cpu, in, selector);
	else
		return load_data_segment(cpu, in, seg, selector);
	return EXEC_OK;
}

/* --- checks --------------------------------------------------------------------------------------------------- */

bool segment_covers(const struct segment *s, uint32_t offset, unsigned size)
{
	uint32_t last = offset + size - 1;
	bool expand_down = (s->access & (ACC_S | ACC_CODE | ACC_EXPDOWN)) == (ACC_S | ACC_EXPDOWN);

	if (expand_down)
		return offset > s->limit && last >= offset && (s->flags & SEG_FLAG_DB || last <= 0xffff);
	/* Simplified: in a 4 GB segment an access past the end wraps to 0; hardware may fault or wrap. */
	return s->limit == 0xffffffff || (last >= offset && last <= s->limit);
}

/* What the type allows, as SEG_OK bits. Outside protected mode there are no types. */
static uint8_t segment_rights(const struct cpu *cpu, const struct segment *s)
{
	if (!s->access)
		return 0;
	if (!protected_mode(cpu) || v86_mode(cpu))
		return SEG_OK_READ | SEG_OK_WRITE | SEG_OK_FETCH;
	if (s->access & ACC_CODE)
		return SEG_OK_FETCH | (s->access & ACC_RW ? SEG_OK_READ : 0);
	return SEG_OK_READ | (s->access & ACC_RW ? SEG_OK_WRITE : 0);
}

/* Data breakpoints and alignment checks look at each access: then none may take the short way. */
static bool every_access_checked(const struct cpu *cpu)
{
	return (cpu->cr0 & CR0_AM && cpu->eflags & F_AC && cpu->cpl == 3) || (cpu->dr[7] & 0xff && debug_watches_data(cpu));
}

void segment_update(struct cpu *cpu, unsigned seg)
{
	struct segment *s = &cpu->seg[seg];
	bool expand_down = (s->access & (ACC_CODE | ACC_EXPDOWN)) == ACC_EXPDOWN;

	s->ok = s->limit == 0xffffffff && !expand_down && !every_access_checked(cpu) ? segment_rights(cpu, s) : 0;
}

void segment_update_all(struct cpu *cpu)
{
	for (unsigned seg = SEG_ES; seg <= SEG_GS; seg++)
		segment_update(cpu, seg);
}

enum exec segment_check(struct cpu *cpu, const struct insn *in, unsigned seg, uint32_t offset, unsigned size, enum open_mode mode)
{
	const struct segment *s = &cpu->seg[seg];
	uint8_t need = (mode & OPEN_WRITE ? SEG_OK_WRITE : 0) | (mode & OPEN_READ ? SEG_OK_READ : 0);

	if ((segment_rights(cpu, s) & need) == need && segment_covers(s, offset, size))
		return EXEC_OK;
	return raise_error(cpu, in, seg == SEG_SS ? VEC_SS : VEC_GP, 0);
}
