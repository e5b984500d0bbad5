/* tests/cpu/system_transfer_test.c: segment loads, limits, and far transfers: [SDM3A 5 "Protection"]. */
#include "system_pc.h"

static struct pc *pc;
static void setup(void) { pc = pc_new(); }
static void teardown(void) { pc_free(pc); }

#define EDX_TO(seg) 0x8e, 0xc2 | (seg) << 3            /* mov %dx, %seg */
#define LOAD(seg, selector) (pc->cpu.r[R_EDX] = (selector), RUN(pc, EDX_TO(seg)))
#define JMP(selector, offset) RUN(pc, 0xea, W32(offset), W16(selector))
#define CALL(selector, offset) RUN(pc, 0x9a, W32(offset), W16(selector))

/* --- loading segment registers -------------------------------------------------------------------------------- */

/* Every type x DPL x RPL x CPL x presence for DS, against the manual's sentence. */
START_TEST(loading_DS_needs_readable_memory_that_CPL_and_RPL_may_see)
{
	unsigned cpl = (unsigned)_i >> 7 & 3, dpl = (unsigned)_i >> 5 & 3, type = (unsigned)_i & 31, rpl = (unsigned)_i >> 9 & 3;

	for (unsigned present = 0; present < 2; present++) {
		bool memory = type & 16, code = memory && type & 8, readable = memory && (!code || type & 2), conforming = code && type & 4;
		bool ok = readable && (conforming || (cpl <= dpl && rpl <= dpl));

		ring(pc, cpl);
		gdt(pc, FREE, 0x1000, 0xfff, (uint8_t)(present << 7 | dpl << 5 | type), 0);
		LOAD(SEG_DS, (uint16_t)(FREE | rpl));
		if (!ok || !present) {
			expect_error(pc, ok ? VEC_NP : VEC_GP, FREE);
			continue;
		}
		expect_no_fault(pc);
		expect_segment(pc, SEG_DS, (uint16_t)(FREE | rpl));
		ck_assert_uint_eq(pc->cpu.seg[SEG_DS].base, 0x1000);
		ck_assert_uint_eq(pc->cpu.seg[SEG_DS].limit, 0xfff);
		ck_assert_uint_eq(gdt_access(pc, FREE), 0x80 | dpl << 5 | type | 1);
	}
}
END_TEST

START_TEST(loading_SS_needs_writable_data_of_exactly_CPL)
{
	unsigned cpl = (unsigned)_i >> 7 & 3, dpl = (unsigned)_i >> 5 & 3, type = (unsigned)_i & 31, rpl = (unsigned)_i >> 9 & 3;

	for (unsigned present = 0; present < 2; present++) {
		bool ok = (type & 0x1a) == 0x12 && dpl == cpl && rpl == cpl;

		ring(pc, cpl);
		gdt(pc, FREE, 0, 0xfffff, (uint8_t)(present << 7 | dpl << 5 | type), FLAT_FLAGS);
		LOAD(SEG_SS, (uint16_t)(FREE | rpl));
		if (ok && present)
			expect_no_fault(pc);
		else
			expect_error(pc, ok ? VEC_SS : VEC_GP, FREE);
	}
}
END_TEST

START_TEST(a_null_selector_loads_DS_and_faults_on_use_but_not_SS)
{
	ring(pc, 0);
	LOAD(SEG_DS, 3);
	expect_no_fault(pc);
	expect_segment(pc, SEG_DS, 3);
	RUN(pc, 0x8b, 0x05, W32(0x1000));
	expect_error(pc, VEC_GP, 0);
	ring(pc, 0);
	LOAD(SEG_SS, 0);
	expect_error(pc, VEC_GP, 0);
}
END_TEST

START_TEST(a_selector_past_the_table_is_GP_of_that_selector)
{
	ring(pc, 0);
	LOAD(SEG_DS, GDT_BYTES);
	expect_error(pc, VEC_GP, GDT_BYTES);
	ring(pc, 0);
	pc->cpu.gdtr.limit = FREE + 6;
	gdt(pc, FREE, 0, 0xfffff, ACCESS_DATA, FLAT_FLAGS);
	LOAD(SEG_ES, FREE);
	expect_error(pc, VEC_GP, FREE);
	ring(pc, 0);
	LOAD(SEG_ES, 0x104);
	expect_error(pc, VEC_GP, 0x104);
}
END_TEST

START_TEST(an_LDT_selector_reads_the_LDT_and_faults_without_one)
{
	ring(pc, 3);
	put_descriptor(pc, LDT + 8, 0x12345678, 0x1ff, 0xf2, 0);
	LOAD(SEG_FS, 0xf);
	expect_no_fault(pc);
	ck_assert_uint_eq(pc->cpu.seg[SEG_FS].base, 0x12345678);
	ring(pc, 3);
	pc->cpu.seg[SEG_LDTR].access = 0;
	LOAD(SEG_FS, 0xf);
	expect_error(pc, VEC_GP, 0xc);
}
END_TEST

START_TEST(the_accessed_bit_is_written_only_when_it_was_clear)
{
	ring(pc, 0);
	paging(pc);
	gdt(pc, FREE, 0, 0xff, 0x93, 0);
	gdt(pc, FREE2, 0, 0xff, 0x92, 0);
	page(pc, GDT, PG_P);
	LOAD(SEG_DS, FREE);
	expect_no_fault(pc);
	LOAD(SEG_ES, FREE2);
	expect_error(pc, VEC_PF, PF_P | PF_W);
	ck_assert_uint_eq(pc->cpu.cr2, GDT + FREE2 + 5);
}
END_TEST

START_TEST(a_missing_descriptor_page_faults_as_supervisor_even_in_ring_3)
{
	ring(pc, 3);
	paging(pc);
	pc->cpu.gdtr.base = 0x6000 - 0x3c;     /* FREE straddles nothing, FREE - 0x20 .. is below the page */
	memcpy(pc->ram + 0x6000 - 0x3c, pc->ram + GDT, GDT_BYTES);
	page(pc, 0x6000, 0);
	/* The handler needs its own descriptors, which are in the page below. */
	LOAD(SEG_DS, FREE);
	ck_assert_uint_eq(pc->last.fault.vector == VEC_PF || pc->exceptions > 1, 1);
	ck_assert_uint_eq(pc->first.fault.vector, VEC_PF);
	ck_assert_uint_eq(pc->first.fault.error, 0);
	ck_assert_uint_eq(pc->first.fault.cr2, 0x6000 - 0x3c + FREE);
}
END_TEST

START_TEST(MOV_SS_holds_interrupts_off_for_one_instruction)
{
	ring(pc, 0);
	cpu_set_eflags(&pc->cpu, F_ONE | F_IF);
	pc->irq_vector = 0x40;
	PLACE(pc, CODE, EDX_TO(SEG_SS), 0x90, 0x90);
	pc->cpu.r[R_EDX] = DS0;
	step(pc, 1);
	cpu_set_intr(&pc->cpu, true);
	step(pc, 1);
	ck_assert_uint_eq(pc->cpu.eip, CODE + 3);
	step(pc, 1);
	ck_assert_uint_eq(pc->cpu.eip, handler(0x40));
}
END_TEST

/* --- limits and types ----------------------------------------------------------------------------------------- */

struct limit_case { uint32_t limit; uint8_t access, flags; uint32_t offset; bool ok; };
static const struct limit_case limit_cases[] = {
	{ 0xfff, 0x93, 0, 0xffc, true }, { 0xfff, 0x93, 0, 0xffd, false }, { 0xfff, 0x93, 0, 0xffffffff, false },
	{ 0, 0x93, FLAT_FLAGS, 0xffc, true }, { 0, 0x93, FLAT_FLAGS, 0xffd, false },
	{ 0xfff, 0x97, 0, 0x1000, true }, { 0xfff, 0x97, 0, 0xfff, false }, { 0xfff, 0x97, 0, 0xfffc, true },
	{ 0xfff, 0x97, 0, 0xfffd, false }, { 0xfff, 0x97, 0, 0x10000, false }, { 0xfff, 0x97, SEG_FLAG_DB, 0x10000, true },
	{ 0xfff, 0x97, SEG_FLAG_DB, 0xfffffffd, false },
	{ 0xfff, 0x9b, SEG_FLAG_DB, 0x10, true },              /* readable code */
	{ 0xfffff, 0x93, FLAT_FLAGS, 0x80000, true },
};

START_TEST(an_access_must_lie_within_the_limit)
{
	const struct limit_case *c = &limit_cases[_i];

	ring(pc, 0);
	gdt(pc, FREE, 0, c->limit, c->access, c->flags);
	LOAD(SEG_DS, FREE);
	expect_no_fault(pc);
	RUN(pc, 0x8b, 0x05, W32(c->offset));
	if (c->ok)
		expect_no_fault(pc);
	else
		expect_error(pc, VEC_GP, 0);
}
END_TEST

START_TEST(writing_needs_writable_data)
{
	static const uint8_t access[] = { 0x93, 0x91, 0x9b, 0x9f, 0x95, 0x97 };
	static const bool ok[] = { true, false, false, false, false, true };

	for (unsigned flat = 0; flat < 2; flat++) {
		ring(pc, 0);
		/* Expand-down segments end where others begin: limit 0 makes nearly all of one usable. */
		gdt(pc, FREE, 0, access[_i] & 12 && !(access[_i] & 8) ? 0 : flat ? 0xfffff : 0xffff, access[_i], flat ? FLAT_FLAGS : 0);
		LOAD(SEG_DS, FREE);
		expect_no_fault(pc);
		RUN(pc, 0x89, 0x05, W32(0x8000));
		if (ok[_i])
			expect_no_fault(pc);
		else
			expect_error(pc, VEC_GP, 0);
	}
}
END_TEST

START_TEST(a_push_past_the_stack_limit_is_SS_0)
{
	ring(pc, 0);
	gdt(pc, FREE, 0, 0x8fff, 0x97, SEG_FLAG_DB);
	LOAD(SEG_SS, FREE);
	expect_no_fault(pc);
	pc->cpu.r[R_ESP] = 0x9002;
	/* The handlers cannot push on that stack either: #SS, #SS again makes #DF, and a third one the shutdown. */
	ck_assert_int_eq(RUN(pc, 0x50), CPU_STOP_SHUTDOWN);
	ck_assert_uint_eq(pc->first.fault.vector, VEC_SS);
	ck_assert_uint_eq(pc->first.fault.error, 0);
	ck_assert_uint_eq(pc->last.fault.vector, VEC_DF);
	ck_assert_uint_eq(pc->cpu.fault_count, 4);
}
END_TEST

/* --- far jumps ------------------------------------------------------------------------------------------------ */

START_TEST(a_direct_jump_or_call_obeys_DPL_and_RPL)
{
	unsigned cpl = (unsigned)_i & 3, dpl = (unsigned)_i >> 2 & 3, rpl = (unsigned)_i >> 4 & 3;

	for (unsigned kind = 0; kind < 8; kind++) {
		bool conforming = kind & 1, present = kind & 2, call = kind & 4;
		bool ok = conforming ? dpl <= cpl : rpl <= cpl && dpl == cpl;

		ring(pc, cpl);
		gdt(pc, FREE, 0, 0xfffff, (uint8_t)((present ? 0x80 : 0) | DPL(dpl) | 0x1a | (conforming ? 4 : 0)), FLAT_FLAGS);
		if (call)
			CALL((uint16_t)(FREE | rpl), TARGET);
		else
			JMP((uint16_t)(FREE | rpl), TARGET);
		if (!ok || !present) {
			expect_error(pc, ok ? VEC_NP : VEC_GP, FREE);
			continue;
		}
		expect_no_fault(pc);
		expect_segment(pc, SEG_CS, (uint16_t)(FREE | cpl));
		ck_assert_uint_eq(pc->cpu.eip, TARGET);
		ck_assert_uint_eq(pc->cpu.cpl, cpl);
		ck_assert_uint_eq(gdt_access(pc, FREE) & 1, 1);
		if (call) {
			ck_assert_uint_eq(stack_dword(pc, 0), CODE + 7);
			ck_assert_uint_eq(stack_dword(pc, 1) & 0xffff, (CS0 + 17 * cpl));
		}
	}
}
END_TEST

START_TEST(a_jump_past_the_limit_of_its_target_is_GP_0)
{
	ring(pc, 0);
	gdt(pc, FREE, 0, TARGET - 1, 0x9b, SEG_FLAG_DB);
	JMP(FREE, TARGET);
	expect_error(pc, VEC_GP, 0);
	ring(pc, 0);
	CALL(FREE, TARGET);
	expect_error(pc, VEC_GP, 0);
	ring(pc, 0);
	JMP(0, TARGET);
	expect_error(pc, VEC_GP, 0);
	ring(pc, 0);
	JMP(DS0, TARGET);
	expect_error(pc, VEC_GP, DS0);
	ring(pc, 0);
	JMP(LDTSEL, TARGET);
	expect_error(pc, VEC_GP, LDTSEL);
}
END_TEST

/* --- call gates ----------------------------------------------------------------------------------------------- */

START_TEST(a_call_gate_checks_its_own_DPL_then_the_code_behind_it)
{
	unsigned cpl = (unsigned)_i & 3, gate_dpl = (unsigned)_i >> 2 & 3, rpl = (unsigned)_i >> 4 & 3, dpl = (unsigned)_i >> 6 & 3;

	for (unsigned kind = 0; kind < 16; kind++) {
		bool conforming = kind & 1, gate_present = kind & 2, code_present = kind & 4, call = kind & 8;
		bool gate_ok = cpl <= gate_dpl && rpl <= gate_dpl;
		bool code_ok = dpl <= cpl && (call || conforming || dpl == cpl);
		unsigned to = conforming ? cpl : dpl;

		ring(pc, cpl);
		gdt(pc, FREE, 0, 0xfffff, (uint8_t)((code_present ? 0x80 : 0) | DPL(dpl) | 0x1a | (conforming ? 4 : 0)), FLAT_FLAGS);
		put_gate(pc, GDT + FREE2, FREE, TARGET, (uint8_t)((gate_present ? 0x80 : 0) | DPL(gate_dpl) | SYS_CALL32), 0);
		if (call)
			CALL((uint16_t)(FREE2 | rpl), 0xdeadbeef);
		else
			JMP((uint16_t)(FREE2 | rpl), 0xdeadbeef);
		if (!gate_ok) {
			expect_error(pc, VEC_GP, FREE2);
		} else if (!gate_present) {
			expect_error(pc, VEC_NP, FREE2);
		} else if (!code_ok) {
			expect_error(pc, VEC_GP, FREE);
		} else if (!code_present) {
			expect_error(pc, VEC_NP, FREE);
		} else {
			expect_no_fault(pc);
			expect_segment(pc, SEG_CS, (uint16_t)(FREE | to));
			ck_assert_uint_eq(pc->cpu.cpl, to);
			ck_assert_uint_eq(pc->cpu.eip, TARGET);
			ck_assert_uint_eq(pc->cpu.seg[SEG_SS].selector & 3, to);
		}
	}
}
END_TEST

START_TEST(an_inward_call_copies_its_parameters_to_the_stack_of_the_TSS)
{
	for (unsigned wide = 0; wide < 2; wide++) {
		unsigned size = wide ? 4 : 2;

		ring(pc, 3);
		for (unsigned i = 0; i < 31; i++)
			if (wide)
				put32(pc, pc->cpu.r[R_ESP] + 4 * i, 0xabcd0000 + i);
			else
				put16(pc, pc->cpu.r[R_ESP] + 2 * i, (uint16_t)(0xab00 + i));
		put_gate(pc, GDT + FREE2, CS1, wide ? TARGET : 0x1234, wide ? 0xec : 0xe4, 31);
		put16(pc, 0x1234, 0xfeeb);
		CALL(FREE2 | 3, 0);
		expect_no_fault(pc);
		expect_segment(pc, SEG_CS, CS1);
		expect_segment(pc, SEG_SS, DS1);
		ck_assert_uint_eq(pc->cpu.eip, wide ? TARGET : 0x1234);
		ck_assert_uint_eq(pc->cpu.r[R_ESP], STACK1 - 35 * size);
		for (unsigned i = 0; i < 35; i++) {
			uint32_t want = i == 0 ? CODE + 7 : i == 1 ? CS3 : i < 33 ? (wide ? 0xabcd0000u : 0xab00u) + i - 2
				      : i == 33 ? pc->before.r[R_ESP] : DS3;
			uint32_t got = wide ? stack_dword(pc, i) : stack_word(pc, i);
			ck_assert_uint_eq(got, wide ? want : want & 0xffff);
		}
	}
}
END_TEST

/* Each thing that can be wrong with the inner stack. */
struct inner_case { uint16_t ss; uint8_t access; uint32_t limit, esp; unsigned vector; uint32_t error; };
static const struct inner_case inner_cases[] = {
	{ 0, 0xb3, 0xfffff, STACK1, VEC_TS, 0 },
	{ GDT_BYTES | 1, 0xb3, 0xfffff, STACK1, VEC_TS, GDT_BYTES },
	{ FREE3 | 0, 0xb3, 0xfffff, STACK1, VEC_TS, FREE3 },            /* RPL */
	{ FREE3 | 1, 0x93, 0xfffff, STACK1, VEC_TS, FREE3 },            /* DPL */
	{ FREE3 | 1, 0xb1, 0xfffff, STACK1, VEC_TS, FREE3 },            /* read-only */
	{ FREE3 | 1, 0xbb, 0xfffff, STACK1, VEC_TS, FREE3 },            /* code */
	{ FREE3 | 1, 0x33, 0xfffff, STACK1, VEC_SS, FREE3 },            /* not present */
	{ FREE3 | 1, 0xb3, 0xf, 0x10010, VEC_SS, FREE3 },               /* no room: limit 0xffff */
};

START_TEST(a_bad_inner_stack_is_TS_or_SS_of_its_selector)
{
	const struct inner_case *c = &inner_cases[_i];

	ring(pc, 3);
	gdt(pc, FREE3, 0, c->limit, c->access, FLAT_FLAGS);
	put32(pc, TSS + 12, c->esp);
	put16(pc, TSS + 16, c->ss);
	put_gate(pc, GDT + FREE2, CS1, TARGET, 0xec, 2);
	CALL(FREE2 | 3, 0);
	expect_error(pc, c->vector, c->error);
	/* ... and the same for an interrupt, with EXT only when it is not INT n. */
	ring(pc, 3);
	idt(pc, 0x50, CS1, TARGET, 0xee);
	RUN(pc, 0xcd, 0x50);
	expect_error(pc, c->vector, c->error);
	ring(pc, 3);
	cpu_set_eflags(&pc->cpu, F_ONE | F_IF);
	pc->irq_vector = 0x50;
	cpu_set_intr(&pc->cpu, true);
	RUN(pc, 0x90);
	expect_error(pc, c->vector, c->error | 1);
}
END_TEST

START_TEST(a_TSS_too_short_for_the_ring_is_TS_of_the_TSS)
{
	ring(pc, 3);
	put_gate(pc, GDT + FREE2, CS1, TARGET, 0xec, 0);
	pc->cpu.seg[SEG_TR].limit = 16;        /* SS1 is at 16 and 17 */
	CALL(FREE2 | 3, 0);
	expect_error(pc, VEC_TS, TR);
	ring(pc, 3);
	pc->cpu.seg[SEG_TR].limit = 17;
	CALL(FREE2 | 3, 0);
	expect_no_fault(pc);
}
END_TEST

START_TEST(a_16_bit_TSS_gives_SP_and_SS)
{
	ring(pc, 3);
	pc->cpu.seg[SEG_TR] = (struct segment) { .selector = TR2, .access = 0x83, .base = TSS2, .limit = 0x2b };
	put16(pc, TSS2 + 6, 0x9000);
	put16(pc, TSS2 + 8, DS1);
	put_gate(pc, GDT + FREE2, CS1, TARGET, 0xec, 0);
	CALL(FREE2 | 3, 0);
	expect_no_fault(pc);
	ck_assert_uint_eq(pc->cpu.r[R_ESP], 0x9000 - 16);
}
END_TEST

/* --- far returns ---------------------------------------------------------------------------------------------- */

static void push_far(uint32_t ss, uint32_t esp, uint32_t cs, uint32_t eip)
{
	const uint32_t v[] = { eip, cs, esp, ss };

	for (unsigned i = 0; i < 4; i++)
		put32(pc, pc->cpu.r[R_ESP] + 4 * i, v[i]);
}

START_TEST(RETF_goes_to_the_same_or_an_outer_ring_only)
{
	unsigned cpl = (unsigned)_i & 3, rpl = (unsigned)_i >> 2 & 3, dpl = (unsigned)_i >> 4 & 3;

	for (unsigned kind = 0; kind < 4; kind++) {
		bool conforming = kind & 1, present = kind & 2;
		bool ok = rpl >= cpl && (conforming ? dpl <= rpl : dpl == rpl);

		ring(pc, cpl);
		gdt(pc, FREE, 0, 0xfffff, (uint8_t)((present ? 0x80 : 0) | DPL(dpl) | 0x1a | (conforming ? 4 : 0)), FLAT_FLAGS);
		push_far(DS0 + 17 * rpl, 0x37000, FREE | rpl, TARGET);
		RUN(pc, 0xcb);
		if (!ok || !present) {
			expect_error(pc, ok ? VEC_NP : VEC_GP, FREE);
			continue;
		}
		expect_no_fault(pc);
		expect_segment(pc, SEG_CS, (uint16_t)(FREE | rpl));
		ck_assert_uint_eq(pc->cpu.cpl, rpl);
		ck_assert_uint_eq(pc->cpu.r[R_ESP], rpl > cpl ? 0x37000 : pc->before.r[R_ESP] + 8);
		expect_segment(pc, SEG_SS, (uint16_t)(DS0 + 17 * rpl));
		/* DS held this ring's data: an outer ring must not keep it. */
		expect_segment(pc, SEG_DS, rpl > cpl ? 0 : (uint16_t)(DS0 + 17 * cpl));
		ck_assert((pc->cpu.seg[SEG_GS].access == 0) == (rpl > cpl));
	}
}
END_TEST

START_TEST(RETF_n_releases_parameters_on_both_stacks)
{
	ring(pc, 0);
	put32(pc, pc->cpu.r[R_ESP], TARGET);
	put32(pc, pc->cpu.r[R_ESP] + 4, CS3);
	put32(pc, pc->cpu.r[R_ESP] + 8 + 12, 0x37000);
	put32(pc, pc->cpu.r[R_ESP] + 8 + 16, DS3);
	RUN(pc, 0xca, W16(12));
	expect_no_fault(pc);
	ck_assert_uint_eq(pc->cpu.r[R_ESP], 0x37000 + 12);
}
END_TEST

static const struct inner_case outer_cases[] = {
	{ 0, 0xf3, 0xfffff, 0, VEC_GP, 0 }, { FREE3 | 2, 0xf3, 0xfffff, 0, VEC_GP, FREE3 }, { FREE3 | 3, 0xd3, 0xfffff, 0, VEC_GP, FREE3 },
	{ FREE3 | 3, 0xf1, 0xfffff, 0, VEC_GP, FREE3 }, { FREE3 | 3, 0xfb, 0xfffff, 0, VEC_GP, FREE3 },
	{ FREE3 | 3, 0x73, 0xfffff, 0, VEC_SS, FREE3 }, { GDT_BYTES | 3, 0xf3, 0xfffff, 0, VEC_GP, GDT_BYTES },
};

START_TEST(a_return_to_a_bad_outer_stack_changes_nothing)
{
	const struct inner_case *c = &outer_cases[_i];

	ring(pc, 0);
	gdt(pc, FREE3, 0, c->limit, c->access, FLAT_FLAGS);
	push_far(c->ss, 0x37000, CS3, TARGET);
	RUN(pc, 0xcb);
	expect_error(pc, c->vector, c->error);
	ring(pc, 0);
	push_far(F_ONE, 0x37000, CS3, TARGET);
	put32(pc, pc->cpu.r[R_ESP] + 8, F_ONE);
	put32(pc, pc->cpu.r[R_ESP] + 12, 0x37000);
	put32(pc, pc->cpu.r[R_ESP] + 16, c->ss);
	RUN(pc, 0xcf);
	expect_error(pc, c->vector, c->error);
}
END_TEST

START_TEST(an_outward_return_past_the_code_limit_is_GP_0)
{
	ring(pc, 0);
	gdt(pc, FREE, 0, 0xfff, 0xfb, SEG_FLAG_DB);
	push_far(DS3, 0x37000, FREE | 3, 0x1000);
	RUN(pc, 0xcb);
	expect_error(pc, VEC_GP, 0);
}
END_TEST

START_TEST(an_inner_stack_on_a_missing_page_faults_before_anything_is_pushed)
{
	ring(pc, 3);
	paging(pc);
	put_gate(pc, GDT + FREE2, CS1, TARGET, 0xec, 0);
	put32(pc, TSS + 12, STACK1 + 8);       /* two slots above the boundary, two below */
	page(pc, STACK1 - PAGE_SIZE, 0);
	put32(pc, TSS + 4, STACK0);
	CALL(FREE2 | 3, 0);
	/* Ring 0's stack is the page below STACK0: present. */
	expect_error(pc, VEC_PF, PF_W);
	ck_assert_uint_eq(pc->cpu.cr2, STACK1 - 4);
}
END_TEST

static Suite *system_transfer_suite(void)
{
	Suite *s = suite_create("system_transfer");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, loading_DS_needs_readable_memory_that_CPL_and_RPL_may_see, 0, 2048);
	tcase_add_loop_test(t, loading_SS_needs_writable_data_of_exactly_CPL, 0, 2048);
	tcase_add_test(t, a_null_selector_loads_DS_and_faults_on_use_but_not_SS);
	tcase_add_test(t, a_selector_past_the_table_is_GP_of_that_selector);
	tcase_add_test(t, an_LDT_selector_reads_the_LDT_and_faults_without_one);
	tcase_add_test(t, the_accessed_bit_is_written_only_when_it_was_clear);
	tcase_add_test(t, a_missing_descriptor_page_faults_as_supervisor_even_in_ring_3);
	tcase_add_test(t, MOV_SS_holds_interrupts_off_for_one_instruction);
	tcase_add_loop_test(t, an_access_must_lie_within_the_limit, 0, sizeof(limit_cases) / sizeof(limit_cases[0]));
	tcase_add_loop_test(t, writing_needs_writable_data, 0, 6);
	tcase_add_test(t, a_push_past_the_stack_limit_is_SS_0);
	tcase_add_loop_test(t, a_direct_jump_or_call_obeys_DPL_and_RPL, 0, 64);
	tcase_add_test(t, a_jump_past_the_limit_of_its_target_is_GP_0);
	tcase_add_loop_test(t, a_call_gate_checks_its_own_DPL_then_the_code_behind_it, 0, 256);
	tcase_add_test(t, an_inward_call_copies_its_parameters_to_the_stack_of_the_TSS);
	tcase_add_loop_test(t, a_bad_inner_stack_is_TS_or_SS_of_its_selector, 0, sizeof(inner_cases) / sizeof(inner_cases[0]));
	tcase_add_test(t, a_TSS_too_short_for_the_ring_is_TS_of_the_TSS);
	tcase_add_test(t, a_16_bit_TSS_gives_SP_and_SS);
	tcase_add_loop_test(t, RETF_goes_to_the_same_or_an_outer_ring_only, 0, 64);
	tcase_add_test(t, RETF_n_releases_parameters_on_both_stacks);
	tcase_add_loop_test(t, a_return_to_a_bad_outer_stack_changes_nothing, 0, sizeof(outer_cases) / sizeof(outer_cases[0]));
	tcase_add_test(t, an_outward_return_past_the_code_limit_is_GP_0);
	tcase_add_test(t, an_inner_stack_on_a_missing_page_faults_before_anything_is_pushed);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(system_transfer_suite());

	/* Thousands of short cases: a process for each would take longer than all of them. */
	srunner_set_fork_status(r, CK_NOFORK);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
