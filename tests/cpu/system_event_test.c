/* tests/cpu/system_event_test.c: interrupts, exceptions and IRET: [SDM3A 6 "Interrupt and Exception Handling"]. */
#include "system_pc.h"

static struct pc *pc;
static void setup(void) { pc = pc_new(); }
static void teardown(void) { pc_free(pc); }

static void raise_interrupt(uint8_t vector)
{
	cpu_set_eflags(&pc->cpu, cpu_eflags(&pc->cpu) | F_IF);
	pc->irq_vector = vector;
	cpu_set_intr(&pc->cpu, true);
}

/* --- gates ---------------------------------------------------------------------------------------------------- */

START_TEST(INT_n_checks_the_gate_then_the_code_behind_it)
{
	unsigned cpl = (unsigned)_i & 3, gate_dpl = (unsigned)_i >> 2 & 3, dpl = (unsigned)_i >> 4 & 3;

	for (unsigned kind = 0; kind < 16; kind++) {
		bool conforming = kind & 1, gate_present = kind & 2, code_present = kind & 4, trap = kind & 8;
		unsigned to = conforming ? cpl : dpl;

		ring(pc, cpl);
		cpu_set_eflags(&pc->cpu, F_ONE | F_IF | F_NT | F_TF | F_CF | F_AC);
		gdt(pc, FREE, 0, 0xfffff, (uint8_t)((code_present ? 0x80 : 0) | DPL(dpl) | 0x1a | (conforming ? 4 : 0)), FLAT_FLAGS);
		idt(pc, 0x50, FREE, handler(0x50), (uint8_t)((gate_present ? 0x80 : 0) | DPL(gate_dpl) | (trap ? SYS_TRAP32 : SYS_INT32)));
		RUN(pc, 0xcd, 0x50);
		if (gate_dpl < cpl) {
			expect_error(pc, VEC_GP, 0x50 * 8 + 2);
		} else if (!gate_present) {
			expect_error(pc, VEC_NP, 0x50 * 8 + 2);
		} else if (dpl > cpl) {
			expect_error(pc, VEC_GP, FREE);
		} else if (!code_present) {
			expect_error(pc, VEC_NP, FREE);
		} else {
			expect_no_fault(pc);
			ck_assert_uint_eq(pc->cpu.eip, handler(0x50));
			ck_assert_uint_eq(pc->cpu.cpl, to);
			ck_assert_uint_eq(cpu_eflags(&pc->cpu), F_ONE | F_CF | F_AC | (trap ? F_IF : 0));
			ck_assert_uint_eq(stack_dword(pc, 0), CODE + 2);
			ck_assert_uint_eq(stack_dword(pc, 1), CS0 + 17 * cpl);
			ck_assert_uint_eq(stack_dword(pc, 2), F_ONE | F_IF | F_NT | F_TF | F_CF | F_AC);
			if (to < cpl) {
				ck_assert_uint_eq(stack_dword(pc, 3), pc->before.r[R_ESP]);
				ck_assert_uint_eq(stack_dword(pc, 4), DS0 + 17 * cpl);
				ck_assert_uint_eq(pc->cpu.r[R_ESP], STACK0 + 0x1000 * to - 20);
			} else {
				ck_assert_uint_eq(pc->cpu.r[R_ESP], pc->before.r[R_ESP] - 12);
			}
		}
	}
}
END_TEST

START_TEST(hardware_interrupts_and_exceptions_ignore_the_DPL_of_the_gate)
{
	ring(pc, 3);
	raise_interrupt(0x40);
	RUN(pc, 0x90);
	expect_no_fault(pc);
	ck_assert_uint_eq(pc->cpu.eip, handler(0x40));
	ck_assert_uint_eq(stack_dword(pc, 0), CODE);
	cpu_set_intr(&pc->cpu, false);
	ring(pc, 3);
	RUN(pc, 0x0f, 0x0b);
	expect_fault(pc, VEC_UD);
}
END_TEST

START_TEST(a_bad_gate_is_an_error_with_IDT_and_EXT_bits)
{
	unsigned type = (unsigned)_i;
	bool ok = type == SYS_INT16 || type == SYS_TRAP16 || type == SYS_INT32 || type == SYS_TRAP32;

	if (type == SYS_TASK_GATE)
		return;
	ring(pc, 0);
	idt(pc, 0x50, CS0, 0x1234, (uint8_t)(0x80 | type));
	put16(pc, 0x1234, 0xfeeb);
	RUN(pc, 0xcd, 0x50);
	if (ok)
		expect_no_fault(pc);
	else
		expect_error(pc, VEC_GP, 0x50 * 8 + 2);
	ring(pc, 0);
	raise_interrupt(0x50);
	RUN(pc, 0x90);
	if (ok)
		expect_no_fault(pc);
	else
		expect_error(pc, VEC_GP, 0x50 * 8 + 3);
}
END_TEST

START_TEST(a_vector_past_the_IDT_limit_is_GP)
{
	ring(pc, 0);
	pc->cpu.idtr.limit = 0x50 * 8 + 6;
	RUN(pc, 0xcd, 0x50);
	expect_error(pc, VEC_GP, 0x50 * 8 + 2);
	ring(pc, 0);
	pc->cpu.idtr.limit = 0x50 * 8 + 7;
	RUN(pc, 0xcd, 0x50);
	expect_no_fault(pc);
}
END_TEST

START_TEST(a_16_bit_gate_pushes_words)
{
	ring(pc, 3);
	idt(pc, VEC_GP, CS0, 0x1234, 0x86);
	put16(pc, 0x1234, 0xfeeb);
	RUN(pc, 0xfa);
	ck_assert_uint_eq(pc->cpu.eip, 0x1234);
	ck_assert_uint_eq(pc->cpu.r[R_ESP], STACK0 - 12);
	ck_assert_uint_eq(stack_word(pc, 0), 0);
	ck_assert_uint_eq(stack_word(pc, 1), CODE & 0xffff);
	ck_assert_uint_eq(stack_word(pc, 2), CS3);
	ck_assert_uint_eq(stack_word(pc, 4), pc->before.r[R_ESP] & 0xffff);
	ck_assert_uint_eq(stack_word(pc, 5), DS3);
}
END_TEST

/* [SDM2A] "INT n": the entry point is checked before anything is pushed, so its #GP comes before the stack's #PF. */
START_TEST(an_entry_point_beyond_the_limit_comes_before_a_missing_stack_page)
{
	for (unsigned cpl = 0; cpl <= 3; cpl += 3) {
		paging(pc);
		ring(pc, cpl);
		gdt(pc, FREE, 0, 0xfff, ACCESS_CODE, SEG_FLAG_DB);
		idt(pc, 0x40, FREE, 0x1000, 0xee);
		page(pc, STACK0 - 0x1000, 0);
		cpu_set_cr3(&pc->cpu, pc->cpu.cr3);
		pc->stop_on_exception = true;
		RUN(pc, 0xcd, 0x40);
		ck_assert_uint_eq(pc->first.fault.vector, VEC_GP);
		ck_assert_uint_eq(pc->first.fault.error, 0);
		pc->stop_on_exception = false;
	}
}
END_TEST

START_TEST(faults_push_RF_and_traps_do_not)
{
	ring(pc, 0);
	RUN(pc, 0x0f, 0x0b);
	expect_fault(pc, VEC_UD);
	ck_assert_uint_eq(stack_dword(pc, 2), F_ONE | F_RF);
	ck_assert_uint_eq(cpu_eflags(&pc->cpu), F_ONE);
	ring(pc, 0);
	RUN(pc, 0xcc);
	ck_assert_uint_eq(stack_dword(pc, 2), F_ONE);
	/* RF as an IRET left it covers the software interrupt itself, and is gone when it pushes: [SDM3B 17.3.1.1]. */
	for (unsigned i = 0; i < 2; i++) {
		ring(pc, 0);
		cpu_set_eflags(&pc->cpu, F_ONE | F_RF);
		if (i)
			RUN(pc, 0xcd, 0x40);
		else
			RUN(pc, 0xf1);
		ck_assert_uint_eq(stack_dword(pc, 2), F_ONE);
	}
	ring(pc, 0);
	cpu_set_eflags(&pc->cpu, F_ONE | F_OF);
	RUN(pc, 0xce);
	ck_assert_uint_eq(pc->cpu.eip, handler(VEC_OF));
	ck_assert_uint_eq(stack_dword(pc, 0), CODE + 1);
	ck_assert_uint_eq(stack_dword(pc, 2), F_ONE | F_OF);
}
END_TEST

START_TEST(a_page_fault_sets_CR2_and_pushes_its_code)
{
	ring(pc, 3);
	paging(pc);
	page(pc, 0x50000, PG_P | PG_W);
	RUN(pc, 0x89, 0x05, W32(0x50123));
	expect_error(pc, VEC_PF, PF_P | PF_W | PF_U);
	ck_assert_uint_eq(pc->cpu.cr2, 0x50123);
	ck_assert_uint_eq(pc->last.walk.result, WALK_PROTECTION);
	ck_assert_uint_eq(pc->last.idt_read, true);
	ck_assert_uint_eq(pc->last.idt_entry[5], 0x8e);
}
END_TEST

/* --- exceptions while delivering exceptions ------------------------------------------------------------------- */

/* first x second by making the gate of the first bad: GP through a gate that is not present, and so on. */
START_TEST(contributory_faults_combine_to_a_double_fault)
{
	ring(pc, 0);
	idt(pc, VEC_GP, CS0, handler(VEC_GP), 0x0e);
	RUN(pc, 0x8e, 0xd9);                           /* mov %cx, %ds with a selector past the GDT */
	ck_assert_uint_eq(pc->exceptions, 3);
	ck_assert_uint_eq(pc->first.fault.vector, VEC_GP);
	ck_assert_uint_eq(pc->cpu.eip, handler(VEC_DF));
	ck_assert_uint_eq(stack_dword(pc, 0), 0);
	ck_assert_uint_eq(stack_dword(pc, 1), CODE);
	ck_assert_uint_eq(pc->cpu.faults[1].fault.vector, VEC_NP);
	ck_assert_uint_eq(pc->cpu.faults[1].fault.error, VEC_GP * 8 + 3);
}
END_TEST

START_TEST(a_benign_exception_gives_way_to_the_fault_of_its_delivery)
{
	ring(pc, 0);
	idt(pc, VEC_UD, CS0, handler(VEC_UD), 0x0e);
	RUN(pc, 0x0f, 0x0b);
	ck_assert_uint_eq(pc->exceptions, 2);
	ck_assert_uint_eq(pc->cpu.eip, handler(VEC_NP));
	ck_assert_uint_eq(stack_dword(pc, 0), VEC_UD * 8 + 3);
	ck_assert_uint_eq(stack_dword(pc, 1), CODE);
}
END_TEST

static void missing_idt_page(unsigned vector)
{
	ring(pc, 0);
	paging(pc);
	/* The IDT moves so that `vector` is the first entry in a page that is not there. */
	pc->cpu.idtr.base = 0x8000 - 8 * vector;
	memcpy(pc->ram + 0x8000 - 8 * vector, pc->ram + IDT, 8 * vector);
	page(pc, 0x8000, 0);
}

START_TEST(a_page_fault_while_delivering_a_contributory_fault_is_delivered_if_it_can_be)
{
	/* #DE's class, with the IDT below the missing page holding #PF: vector 13 first, #PF is 14, both in the page. */
	missing_idt_page(VEC_GP);
	RUN(pc, 0x8e, 0xd9);
	/* #GP, then #PF reading its gate, then #PF reading #PF's gate: #DF is vector 8, below. */
	ck_assert_uint_eq(pc->cpu.faults[0].fault.vector, VEC_GP);
	ck_assert_uint_eq(pc->cpu.faults[1].fault.vector, VEC_PF);
	ck_assert_uint_eq(pc->cpu.faults[1].fault.cr2, 0x8000);
	ck_assert_uint_eq(pc->cpu.faults[2].fault.vector, VEC_PF);
	ck_assert_uint_eq(pc->cpu.faults[2].fault.cr2, 0x8008);
	ck_assert_uint_eq(pc->cpu.eip, handler(VEC_DF));
	ck_assert_uint_eq(pc->cpu.cr2, 0x8008);
}
END_TEST

START_TEST(a_triple_fault_shuts_the_processor_down)
{
	ring(pc, 0);
	pc->cpu.idtr.limit = 0;
	ck_assert_int_eq(RUN(pc, 0x0f, 0x0b), CPU_STOP_SHUTDOWN);
	/* #UD, then #GP for its gate, #GP for that makes #DF, and #GP for that ends it. */
	static const uint8_t chain[] = { VEC_UD, VEC_GP, VEC_GP, VEC_DF, VEC_GP };
	ck_assert_uint_eq(pc->cpu.fault_count, sizeof(chain));
	for (unsigned i = 0; i < sizeof(chain); i++)
		ck_assert_uint_eq(pc->cpu.faults[i].fault.vector, chain[i]);
	ck_assert_uint_eq(pc->cpu.eip, CODE);
	ck_assert_int_eq(cpu_run(&pc->cpu, 1), CPU_STOP_SHUTDOWN);
}
END_TEST

START_TEST(a_double_fault_through_a_page_fault_on_its_own_stack_shuts_down)
{
	ring(pc, 3);
	paging(pc);
	page(pc, STACK0 - PAGE_SIZE, 0);
	ck_assert_int_eq(RUN(pc, 0x0f, 0x0b), CPU_STOP_SHUTDOWN);
	ck_assert_uint_eq(pc->cpu.cr2, STACK0 - 4);
}
END_TEST

START_TEST(a_watcher_may_stop_the_processor_before_delivery)
{
	ring(pc, 0);
	pc->stop_on_exception = true;
	ck_assert_int_eq(RUN(pc, 0x0f, 0x0b), CPU_STOP_REQUEST);
	ck_assert_uint_eq(pc->cpu.eip, CODE);
	ck_assert_uint_eq(pc->cpu.r[R_ESP], pc->before.r[R_ESP]);
	ck_assert_uint_eq(pc->cpu.fault_count, 0);
	ck_assert_uint_eq(pc->cpu.icount, pc->before.icount);
	pc->stop_on_exception = false;
	step(pc, 1);
	expect_fault(pc, VEC_UD);
}
END_TEST

/* --- IRET ----------------------------------------------------------------------------------------------------- */

static void push_iret(uint32_t eip, uint32_t cs, uint32_t flags, uint32_t esp, uint32_t ss)
{
	const uint32_t v[] = { eip, cs, flags, esp, ss };

	for (unsigned i = 0; i < 5; i++)
		put32(pc, pc->cpu.r[R_ESP] + 4 * i, v[i]);
}

START_TEST(IRET_changes_only_the_flags_that_CPL_and_IOPL_allow)
{
	unsigned cpl = (unsigned)_i & 3, io = (unsigned)_i >> 2 & 3;
	uint32_t all = F_ARITH | F_TF | F_DF | F_NT | F_RF | F_AC | F_ID, want = all;

	ring(pc, cpl);
	cpu_set_eflags(&pc->cpu, F_ONE | io << 12);
	push_iret(TARGET, CS0 + 17 * cpl, 0xffffffff & ~(cpl == 0 ? F_VM : 0), 0, 0);
	RUN(pc, 0xcf);
	expect_no_fault(pc);
	want |= F_ONE | (cpl <= io ? F_IF : 0) | (cpl == 0 ? F_IOPL | F_VIF | F_VIP : io << 12);
	ck_assert_uint_eq(cpu_eflags(&pc->cpu), want);
	ck_assert_uint_eq(pc->cpu.r[R_ESP], pc->before.r[R_ESP] + 12);
	ck_assert_uint_eq(pc->irets, 1);
}
END_TEST

START_TEST(IRET_outward_loads_the_stack_and_drops_inner_segments)
{
	ring(pc, 0);
	push_iret(TARGET, CS3, F_ONE | F_IF, 0x37000, DS3);
	pc->cpu.r[R_EDX] = DS3;
	PLACE(pc, CODE, 0x8e, 0xda, 0xcf);             /* mov %dx, %ds; iret */
	step(pc, 2);
	expect_no_fault(pc);
	expect_segment(pc, SEG_CS, CS3);
	expect_segment(pc, SEG_SS, DS3);
	expect_segment(pc, SEG_DS, DS3);
	expect_segment(pc, SEG_ES, 0);
	ck_assert_uint_eq(pc->cpu.r[R_ESP], 0x37000);
	ck_assert_uint_eq(pc->cpu.cpl, 3);
	ck_assert_ptr_eq(pc->cpu.tables, pc->mmu.fast[1]);
}
END_TEST

START_TEST(IRET_with_words_keeps_the_upper_flags)
{
	ring(pc, 0);
	cpu_set_eflags(&pc->cpu, F_ONE | F_AC | F_ID);
	put16(pc, pc->cpu.r[R_ESP], 0x1234);
	put16(pc, pc->cpu.r[R_ESP] + 2, CS0);
	put16(pc, pc->cpu.r[R_ESP] + 4, F_ONE | F_CF | F_IOPL);
	RUN(pc, 0x66, 0xcf);
	expect_no_fault(pc);
	ck_assert_uint_eq(pc->cpu.eip, 0x1234);
	ck_assert_uint_eq(cpu_eflags(&pc->cpu), F_ONE | F_AC | F_ID | F_CF | F_IOPL);
	ck_assert_uint_eq(pc->cpu.r[R_ESP], pc->before.r[R_ESP] + 6);
}
END_TEST

START_TEST(an_IRET_frame_across_a_missing_page_changes_nothing)
{
	ring(pc, 0);
	paging(pc);
	pc->cpu.r[R_ESP] = 0x37ff8;
	push_iret(TARGET, CS3, F_ONE, 0x36000, DS3);
	page(pc, 0x38000, 0);
	idt(pc, VEC_PF, CS0, handler(VEC_PF), 0x8e);
	RUN(pc, 0xcf);
	expect_error(pc, VEC_PF, 0);
	ck_assert_uint_eq(pc->cpu.cr2, 0x38000);
}
END_TEST

/* --- virtual-8086 and real mode ------------------------------------------------------------------------------- */

START_TEST(IRETD_enters_virtual_8086_mode)
{
	static const uint32_t rest[] = { 0x3f00, 0x3000, 0x111, 0x222, 0x333, 0x444 };         /* ESP SS ES DS FS GS */

	ring(pc, 0);
	push_iret(0x10, CODE >> 4, F_ONE | F_VM | F_IF | F_IOPL, 0, 0);
	for (unsigned i = 0; i < 6; i++)
		put32(pc, pc->cpu.r[R_ESP] + 12 + 4 * i, rest[i]);
	RUN(pc, 0xcf);
	expect_no_fault(pc);
	ck_assert_uint_eq(pc->cpu.cpl, 3);
	ck_assert_uint_eq(cpu_eflags(&pc->cpu), F_ONE | F_VM | F_IF | F_IOPL);
	ck_assert_uint_eq(pc->cpu.eip, 0x10);
	expect_segment(pc, SEG_CS, CODE >> 4);
	expect_segment(pc, SEG_SS, 0x3000);
	expect_segment(pc, SEG_GS, 0x444);
	for (unsigned s = 0; s <= SEG_GS; s++) {
		ck_assert_uint_eq(pc->cpu.seg[s].base, (uint32_t)pc->cpu.seg[s].selector << 4);
		ck_assert_uint_eq(pc->cpu.seg[s].limit, 0xffff);
	}
	ring(pc, 0);
	push_iret(0x10000, CODE >> 4, F_ONE | F_VM, 0, 0);
	RUN(pc, 0xcf);
	expect_error(pc, VEC_GP, 0);
}
END_TEST

START_TEST(an_interrupt_leaves_virtual_8086_mode_with_its_segments_on_the_stack)
{
	v86(pc, 3);
	idt(pc, 0x50, CS0, handler(0x50), 0xee);
	RUN(pc, 0xcd, 0x50);
	expect_no_fault(pc);
	ck_assert_uint_eq(pc->cpu.cpl, 0);
	ck_assert(!(cpu_eflags(&pc->cpu) & F_VM));
	ck_assert_uint_eq(pc->cpu.r[R_ESP], STACK0 - 36);
	const uint32_t want[] = { 2, CODE >> 4, F_ONE | F_VM | F_IOPL, 0x3f00, 0x3000, 0x100, 0x400, 0x500, 0x600 };
	for (unsigned i = 0; i < 9; i++)
		ck_assert_uint_eq(stack_dword(pc, i), want[i]);
	expect_segment(pc, SEG_DS, 0);
	expect_segment(pc, SEG_GS, 0);
	/* ... and IRETD brings everything back. */
	PLACE(pc, handler(0x50), 0xcf);
	step(pc, 1);
	expect_no_fault(pc);
	expect_segment(pc, SEG_ES, 0x100);
	expect_segment(pc, SEG_FS, 0x500);
	ck_assert_uint_eq(pc->cpu.seg[SEG_CS].base, CODE);
	ck_assert_uint_eq(pc->cpu.eip, 2);
	ck_assert_uint_eq(pc->cpu.cpl, 3);
}
END_TEST

START_TEST(virtual_8086_mode_can_only_be_left_for_ring_0)
{
	v86(pc, 3);
	idt(pc, 0x50, CS1, handler(0x50), 0xee);
	RUN(pc, 0xcd, 0x50);
	expect_error(pc, VEC_GP, CS1 & 0xfffc);
	v86(pc, 3);
	idt(pc, 0x50, CONFORM, handler(0x50), 0xee);
	RUN(pc, 0xcd, 0x50);
	expect_error(pc, VEC_GP, CONFORM);
}
END_TEST

START_TEST(IOPL_below_3_traps_INT_IRET_PUSHF_POPF_CLI_STI_in_virtual_8086_mode)
{
	static const uint8_t bytes[][2] = { { 0xcd, 0x50 }, { 0xcf }, { 0x9c }, { 0x9d }, { 0xfa }, { 0xfb }, { 0xcc } };

	idt(pc, 0x50, CS0, handler(0x50), 0xee);
	idt(pc, 3, CS0, handler(3), 0xee);
	for (unsigned io = 0; io < 4; io++) {
		v86(pc, io);
		RUN(pc, bytes[_i][0], bytes[_i][1]);
		if (io < 3 && bytes[_i][0] != 0xcc)            /* INT3 does not look at IOPL */
			expect_error(pc, VEC_GP, 0);
		else
			expect_no_fault(pc);
	}
}
END_TEST

START_TEST(far_transfers_in_virtual_8086_mode_load_paragraphs)
{
	v86(pc, 0);
	RUN(pc, 0xea, W16(0x20), W16(0x2000));
	expect_no_fault(pc);
	ck_assert_uint_eq(pc->cpu.seg[SEG_CS].base, 0x20000);
	ck_assert_uint_eq(pc->cpu.eip, 0x20);
	ck_assert_uint_eq(pc->cpu.cpl, 3);
}
END_TEST

START_TEST(real_mode_interrupts_go_through_the_vector_table)
{
	real_mode(pc);
	cpu_set_eflags(&pc->cpu, F_ONE | F_IF | F_TF | F_CF);
	RUN(pc, 0xcd, 0x21);
	expect_no_fault(pc);
	ck_assert_uint_eq(pc->cpu.seg[SEG_CS].base, HANDLERS);
	ck_assert_uint_eq(pc->cpu.eip, 0x210);
	ck_assert_uint_eq(cpu_eflags(&pc->cpu), F_ONE | F_CF);
	ck_assert_uint_eq(pc->cpu.r[R_ESP], 0x3f00 - 6);
	ck_assert_uint_eq(stack_word(pc, 0), 2);
	ck_assert_uint_eq(stack_word(pc, 1), CODE >> 4);
	ck_assert_uint_eq(stack_word(pc, 2), F_ONE | F_IF | F_TF | F_CF);
	PLACE(pc, HANDLERS + 0x210, 0xcf);
	step(pc, 1);
	ck_assert_uint_eq(pc->cpu.eip, 2);
	ck_assert_uint_eq(cpu_eflags(&pc->cpu), F_ONE | F_IF | F_TF | F_CF);
}
END_TEST

START_TEST(a_real_mode_exception_pushes_no_error_code)
{
	real_mode(pc);
	cpu_set_segment(&pc->cpu, SEG_DS, 0x3000, 0x30000, 0xfff, 0x93, 0);
	RUN(pc, 0x66, 0x8b, 0x06, W16(0x1000));
	ck_assert_uint_eq(pc->cpu.eip, 16 * VEC_GP);
	ck_assert_uint_eq(pc->cpu.r[R_ESP], 0x3f00 - 6);
	ck_assert_uint_eq(stack_word(pc, 0), 0);
}
END_TEST

START_TEST(a_short_real_mode_table_ends_in_shutdown)
{
	real_mode(pc);
	pc->cpu.idtr.limit = 0;
	ck_assert_int_eq(RUN(pc, 0xcd, 0x21), CPU_STOP_SHUTDOWN);
}
END_TEST

static Suite *system_event_suite(void)
{
	Suite *s = suite_create("system_event");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, INT_n_checks_the_gate_then_the_code_behind_it, 0, 64);
	tcase_add_test(t, hardware_interrupts_and_exceptions_ignore_the_DPL_of_the_gate);
	tcase_add_loop_test(t, a_bad_gate_is_an_error_with_IDT_and_EXT_bits, 0, 32);
	tcase_add_test(t, a_vector_past_the_IDT_limit_is_GP);
	tcase_add_test(t, a_16_bit_gate_pushes_words);
	tcase_add_test(t, an_entry_point_beyond_the_limit_comes_before_a_missing_stack_page);
	tcase_add_test(t, faults_push_RF_and_traps_do_not);
	tcase_add_test(t, a_page_fault_sets_CR2_and_pushes_its_code);
	tcase_add_test(t, contributory_faults_combine_to_a_double_fault);
	tcase_add_test(t, a_benign_exception_gives_way_to_the_fault_of_its_delivery);
	tcase_add_test(t, a_page_fault_while_delivering_a_contributory_fault_is_delivered_if_it_can_be);
	tcase_add_test(t, a_triple_fault_shuts_the_processor_down);
	tcase_add_test(t, a_double_fault_through_a_page_fault_on_its_own_stack_shuts_down);
	tcase_add_test(t, a_watcher_may_stop_the_processor_before_delivery);
	tcase_add_loop_test(t, IRET_changes_only_the_flags_that_CPL_and_IOPL_allow, 0, 16);
	tcase_add_test(t, IRET_outward_loads_the_stack_and_drops_inner_segments);
	tcase_add_test(t, IRET_with_words_keeps_the_upper_flags);
	tcase_add_test(t, an_IRET_frame_across_a_missing_page_changes_nothing);
	tcase_add_test(t, IRETD_enters_virtual_8086_mode);
	tcase_add_test(t, an_interrupt_leaves_virtual_8086_mode_with_its_segments_on_the_stack);
	tcase_add_test(t, virtual_8086_mode_can_only_be_left_for_ring_0);
	tcase_add_loop_test(t, IOPL_below_3_traps_INT_IRET_PUSHF_POPF_CLI_STI_in_virtual_8086_mode, 0, 7);
	tcase_add_test(t, far_transfers_in_virtual_8086_mode_load_paragraphs);
	tcase_add_test(t, real_mode_interrupts_go_through_the_vector_table);
	tcase_add_test(t, a_real_mode_exception_pushes_no_error_code);
	tcase_add_test(t, a_short_real_mode_table_ends_in_shutdown);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(system_event_suite());

	/* Thousands of short cases: a process for each would take longer than all of them. */
	srunner_set_fork_status(r, CK_NOFORK);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
