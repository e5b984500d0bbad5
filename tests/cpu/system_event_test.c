/* tests/cpu/system_event_test.c: interrupts, exceptions and IRET: [SDM3A 6 "Interrupt and Exception Handling"], and the
 * tasks of [SDM3A 7 "Task Management"]. */
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

/* --- tasks ---------------------------------------------------------------------------------------------------- */

/* A second task in ring 3 at TARGET. */
static void second_task(void)
{
	memset(pc->ram + TSS2, 0, 0x68);
	gdt(pc, TR, TSS, 0xfff, 0x8b, 0);
	gdt(pc, TR2, TSS2, 0x67, 0x89, 0);
	put32(pc, TSS2 + 4, STACK2);
	put16(pc, TSS2 + 8, DS0);
	put32(pc, TSS2 + 32, TARGET);
	put32(pc, TSS2 + 36, F_ONE | F_IF);
	for (unsigned i = 0; i < 8; i++)
		put32(pc, TSS2 + 40 + 4 * i, 0x100 * i);
	put32(pc, TSS2 + 56, 0x37000);
	put32(pc, TSS2 + 28, DIRECTORY);
	for (unsigned s = 0; s < 6; s++)
		put16(pc, TSS2 + 72 + 4 * s, s == SEG_CS ? CS3 : DS3);
	put16(pc, TSS2 + 96, LDTSEL);
}

#define SWITCH(op, selector) RUN(pc, op, W32(0), W16(selector))
enum { JMP_FAR = 0xea, CALL_FAR = 0x9a };

static void expect_second_task(bool nested)
{
	expect_no_fault(pc);
	expect_segment(pc, SEG_TR, TR2);
	expect_segment(pc, SEG_CS, CS3);
	expect_segment(pc, SEG_GS, DS3);
	expect_segment(pc, SEG_LDTR, LDTSEL);
	ck_assert_uint_eq(pc->cpu.eip, TARGET);
	ck_assert_uint_eq(pc->cpu.r[R_ESP], 0x37000);
	ck_assert_uint_eq(pc->cpu.r[R_EDI], 0x700);
	ck_assert_uint_eq(pc->cpu.cpl, 3);
	ck_assert_uint_eq(cpu_eflags(&pc->cpu), F_ONE | F_IF | (nested ? F_NT : 0));
	ck_assert(pc->cpu.cr0 & CR0_TS);
	ck_assert_uint_eq(gdt_access(pc, TR2), 0x8b);
	ck_assert_uint_eq(gdt_access(pc, TR), nested ? 0x8b : 0x89);
	if (nested)
		ck_assert_uint_eq(get16(pc, TSS2), TR);
	/* The old task as it was. */
	ck_assert_uint_eq(get32(pc, TSS + 32), CODE + (pc->exceptions ? 0 : 7));
	ck_assert_uint_eq(get32(pc, TSS + 40), 0x11111111);
	ck_assert_uint_eq(get32(pc, TSS + 56), pc->before.r[R_ESP]);
	ck_assert_uint_eq(get16(pc, TSS + 76), CS0);
	ck_assert_uint_eq(get16(pc, TSS + 80), DS0);
}

START_TEST(JMP_and_CALL_to_a_TSS_switch_tasks)
{
	for (unsigned call = 0; call < 2; call++) {
		ring(pc, 0);
		second_task();
		SWITCH(call ? CALL_FAR : JMP_FAR, TR2);
		expect_second_task(call);
		ring(pc, 0);
		second_task();
		put_gate(pc, GDT + FREE, TR2, 0, 0x85, 0);
		SWITCH(call ? CALL_FAR : JMP_FAR, FREE);
		expect_second_task(call);
	}
}
END_TEST

START_TEST(IRET_with_NT_returns_to_the_task_that_called)
{
	ring(pc, 0);
	second_task();
	SWITCH(CALL_FAR, TR2);
	expect_second_task(true);
	PLACE(pc, TARGET, 0xcf);
	step(pc, 1);
	expect_no_fault(pc);
	expect_segment(pc, SEG_TR, TR);
	expect_segment(pc, SEG_CS, CS0);
	ck_assert_uint_eq(pc->cpu.eip, CODE + 7);
	ck_assert_uint_eq(pc->cpu.cpl, 0);
	ck_assert_uint_eq(gdt_access(pc, TR2), 0x89);
	ck_assert_uint_eq(gdt_access(pc, TR), 0x8b);
	ck_assert_uint_eq(get32(pc, TSS2 + 36), F_ONE | F_IF);         /* NT cleared in what is saved */
	ck_assert(!(cpu_eflags(&pc->cpu) & F_NT));
	put16(pc, TARGET, 0xfeeb);
}
END_TEST

/* [SDM3A 7.3]: the old state is saved before the new is loaded, so a task that returns to itself just goes on. */
START_TEST(IRET_with_NT_to_the_current_task_goes_on_behind_it)
{
	ring(pc, 0);
	for (unsigned s = 0; s < 6; s++)
		put16(pc, TSS + 72 + 4 * s, 0);
	put16(pc, TSS, TR);
	pc->cpu.r[R_EBX] = 0x12345678;
	cpu_set_eflags(&pc->cpu, F_ONE | F_NT);
	RUN(pc, 0xcf);
	ck_assert_uint_eq(pc->exceptions, 0);
	expect_segment(pc, SEG_TR, TR);
	ck_assert_uint_eq(pc->cpu.eip, CODE + 1);
	ck_assert_uint_eq(pc->cpu.r[R_EBX], 0x12345678);
	ck_assert_uint_eq(pc->cpu.seg[SEG_CS].selector, CS0);
	ck_assert_uint_eq(cpu_eflags(&pc->cpu), F_ONE);
}
END_TEST

START_TEST(an_exception_through_a_task_gate_pushes_its_error_code_on_the_new_stack)
{
	ring(pc, 0);
	second_task();
	for (unsigned s = 0; s < 6; s++)
		put16(pc, TSS2 + 72 + 4 * s, s == SEG_CS ? CS0 : DS0);
	put_gate(pc, IDT + 8 * VEC_GP, TR2, 0, 0x85, 0);
	pc->cpu.r[R_ECX] = GDT_BYTES;
	RUN(pc, 0x8e, 0xd9);
	ck_assert_uint_eq(pc->exceptions, 1);
	expect_segment(pc, SEG_TR, TR2);
	ck_assert_uint_eq(pc->cpu.eip, TARGET);
	ck_assert_uint_eq(pc->cpu.r[R_ESP], 0x37000 - 4);
	ck_assert_uint_eq(stack_dword(pc, 0), GDT_BYTES);
	ck_assert_uint_eq(get32(pc, TSS + 32), CODE);
	ck_assert_uint_eq(get32(pc, TSS + 36), F_ONE | F_RF);
	ck_assert_uint_eq(get16(pc, TSS2), TR);
}
END_TEST

/* What is wrong with the new TSS is the old task's fault. */
struct tss_case { uint8_t access; uint32_t limit; uint16_t selector; unsigned vector; uint32_t error; };
static const struct tss_case tss_cases[] = {
	{ 0x8b, 0x67, TR2, VEC_GP, TR2 },              /* busy */
	{ 0x82, 0x67, TR2, VEC_GP, TR2 },              /* an LDT */
	{ 0x09, 0x67, TR2, VEC_NP, TR2 },
	{ 0x89, 0x66, TR2, VEC_TS, TR2 },
	{ 0x81, 0x2a, TR2, VEC_TS, TR2 },
};

START_TEST(a_bad_TSS_faults_in_the_old_task)
{
	const struct tss_case *c = &tss_cases[_i];

	for (unsigned call = 0; call < 2; call++) {
		ring(pc, 0);
		second_task();
		gdt(pc, TR2, TSS2, c->limit, c->access, 0);
		SWITCH(call ? CALL_FAR : JMP_FAR, c->selector);
		expect_error(pc, c->vector, c->error);
		ring(pc, 0);
		put_gate(pc, GDT + FREE, c->selector, 0, 0x85, 0);
		SWITCH(call ? CALL_FAR : JMP_FAR, FREE);
		expect_error(pc, c->vector, c->error);
	}
}
END_TEST

START_TEST(a_task_in_a_more_privileged_TSS_descriptor_or_gate_cannot_be_reached)
{
	ring(pc, 3);
	second_task();
	SWITCH(JMP_FAR, TR2);
	expect_error(pc, VEC_GP, TR2);
	ring(pc, 3);
	put_gate(pc, GDT + FREE, TR2, 0, 0x85, 0);
	SWITCH(CALL_FAR, FREE | 3);
	expect_error(pc, VEC_GP, FREE);
	ring(pc, 3);
	put_gate(pc, GDT + FREE, TR2, 0, 0x65, 0);
	SWITCH(CALL_FAR, FREE | 3);
	expect_error(pc, VEC_NP, FREE);
}
END_TEST

START_TEST(IRET_to_a_task_that_is_not_busy_is_TS)
{
	ring(pc, 0);
	second_task();
	cpu_set_eflags(&pc->cpu, F_ONE | F_NT);
	put16(pc, TSS, TR2);
	RUN(pc, 0xcf);
	expect_error(pc, VEC_TS, TR2);
	put16(pc, TSS, 0);
}
END_TEST

/* What is wrong with the new task's segments is the new task's fault: at its first instruction, on its own stack. */
struct new_case { unsigned offset; uint16_t selector; unsigned vector; uint32_t error; };
static const struct new_case new_cases[] = {
	{ 96, DS0, VEC_TS, DS0 }, { 96, GDT_BYTES, VEC_TS, GDT_BYTES }, { 96, LDTSEL | 4, VEC_TS, LDTSEL | 4 },
	{ 76, 0, VEC_TS, 0 }, { 76, DS3, VEC_TS, DS3 & 0xfffc }, { 76, (CS0 | 3), VEC_TS, CS0 },
	{ 80, 0, VEC_TS, 0 }, { 80, DS0, VEC_TS, DS0 }, { 80, CS3, VEC_TS, CS3 & 0xfffc }, { 80, DS3 & 0xfffc, VEC_TS, DS3 & 0xfffc },
	{ 84, DS0, VEC_TS, DS0 }, { 72, GDT_BYTES, VEC_TS, GDT_BYTES }, { 88, LDTSEL, VEC_TS, LDTSEL }, { 92, FREE | 3, VEC_NP, FREE },
	{ 76, FREE2 | 3, VEC_NP, FREE2 }, { 80, FREE | 3, VEC_SS, FREE },
};

START_TEST(a_bad_segment_faults_in_the_new_task)
{
	const struct new_case *c = &new_cases[_i];

	ring(pc, 0);
	second_task();
	gdt(pc, FREE, 0, 0xfffff, 0x73, FLAT_FLAGS);
	gdt(pc, FREE2, 0, 0xfffff, 0x7b, FLAT_FLAGS);
	put16(pc, TSS2 + c->offset, c->selector);
	pc->trace_checked = false;
	/* With a CS whose RPL is 0 the new task has no stack to push on: SS has not been loaded, ring 0 takes none from the TSS. */
	if (c->offset == 76 && !(c->selector & 3)) {
		SWITCH(JMP_FAR, TR2);
		ck_assert(pc->cpu.shutdown);
		ck_assert_uint_eq(pc->first.fault.vector, c->vector);
		ck_assert_uint_eq(pc->first.fault.error, c->error);
		return;
	}
	SWITCH(JMP_FAR, TR2);
	ck_assert_uint_eq(pc->last.fault.vector, c->vector);
	ck_assert_uint_eq(pc->last.fault.error, c->error);
	ck_assert_uint_eq(pc->exceptions, 1);
	expect_segment(pc, SEG_TR, TR2);
	ck_assert_uint_eq(pc->cpu.eip, handler(c->vector));
	ck_assert_uint_eq(pc->cpu.r[R_ESP], STACK2 - 24);
	ck_assert_uint_eq(stack_dword(pc, 1), TARGET);
	ck_assert_uint_eq(get32(pc, TSS + 32), CODE + 7);
}
END_TEST

START_TEST(a_task_switch_loads_CR3_and_the_T_flag_traps_in_the_new_task)
{
	ring(pc, 0);
	second_task();
	paging(pc);
	put32(pc, DIRECTORY + 0x2000, TABLE | PG_P | PG_W | PG_U);
	put32(pc, TSS2 + 28, DIRECTORY + 0x2000);
	put16(pc, TSS2 + 100, 1);
	PLACE(pc, CODE, JMP_FAR, W32(0), W16(TR2));
	pc->trace_checked = false;
	step(pc, 2);
	ck_assert_uint_eq(pc->cpu.cr3, DIRECTORY + 0x2000);
	ck_assert_uint_eq(pc->cpu.eip, handler(VEC_DB));
	ck_assert_uint_eq(pc->cpu.dr[6] & 0xf00f, 0x8000);
	ck_assert_uint_eq(stack_dword(pc, 0), TARGET);
}
END_TEST

START_TEST(a_16_bit_task_has_16_bit_fields)
{
	ring(pc, 0);
	gdt(pc, TR2, TSS2, 0x2b, 0x81, 0);
	memset(pc->ram + TSS2, 0, 0x2c);
	put16(pc, TSS2 + 14, 0x1234);
	put16(pc, 0x1234, 0xfeeb);
	put16(pc, TSS2 + 16, F_ONE | F_CF);
	put16(pc, TSS2 + 18, 0xaaaa);
	put16(pc, TSS2 + 26, 0x7000);
	put16(pc, TSS2 + 34, DS0);
	put16(pc, TSS2 + 36, CS0);
	put16(pc, TSS2 + 38, DS0);
	put16(pc, TSS2 + 40, DS0);
	SWITCH(JMP_FAR, TR2);
	expect_no_fault(pc);
	ck_assert_uint_eq(pc->cpu.eip, 0x1234);
	ck_assert_uint_eq(pc->cpu.r[R_EAX] & 0xffff, 0xaaaa);
	ck_assert_uint_eq(cpu_eflags(&pc->cpu), F_ONE | F_CF);
	expect_segment(pc, SEG_FS, 0);
	/* ... and back out of it, saving words. */
	pc->cpu.eip = CODE;
	gdt(pc, TR, TSS, 0xfff, 0x89, 0);
	SWITCH(JMP_FAR, TR);
	expect_segment(pc, SEG_TR, TR);
	ck_assert_uint_eq(get16(pc, TSS2 + 14), (CODE + 7) & 0xffff);
	ck_assert_uint_eq(gdt_access(pc, TR2), 0x81);
}
END_TEST

START_TEST(a_task_switch_with_a_missing_TSS_page_changes_nothing)
{
	ring(pc, 0);
	second_task();
	paging(pc);
	page(pc, TSS2, 0);
	SWITCH(CALL_FAR, TR2);
	expect_error(pc, VEC_PF, 0);
	ring(pc, 0);
	page(pc, TSS2, PG_P);                  /* the back link must be written */
	SWITCH(CALL_FAR, TR2);
	expect_error(pc, VEC_PF, PF_P | PF_W);
	ck_assert_uint_eq(pc->cpu.cr2, TSS2);
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
	tcase_add_test(t, JMP_and_CALL_to_a_TSS_switch_tasks);
	tcase_add_test(t, IRET_with_NT_returns_to_the_task_that_called);
	tcase_add_test(t, IRET_with_NT_to_the_current_task_goes_on_behind_it);
	tcase_add_test(t, an_exception_through_a_task_gate_pushes_its_error_code_on_the_new_stack);
	tcase_add_loop_test(t, a_bad_TSS_faults_in_the_old_task, 0, sizeof(tss_cases) / sizeof(tss_cases[0]));
	tcase_add_test(t, a_task_in_a_more_privileged_TSS_descriptor_or_gate_cannot_be_reached);
	tcase_add_test(t, IRET_to_a_task_that_is_not_busy_is_TS);
	tcase_add_loop_test(t, a_bad_segment_faults_in_the_new_task, 0, sizeof(new_cases) / sizeof(new_cases[0]));
	tcase_add_test(t, a_task_switch_loads_CR3_and_the_T_flag_traps_in_the_new_task);
	tcase_add_test(t, a_16_bit_task_has_16_bit_fields);
	tcase_add_test(t, a_task_switch_with_a_missing_TSS_page_changes_nothing);
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
