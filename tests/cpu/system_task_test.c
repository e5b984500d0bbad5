/* tests/cpu/system_task_test.c: hardware task switches: [SDM3A 7 "Task Management"]. */
#include "system_pc.h"

static struct pc *pc;
static void setup(void) { pc = pc_new(); }
static void teardown(void) { pc_free(pc); }

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

/* RF has done its work when the old task's instruction has begun; the new task's counts for its first. */
START_TEST(a_task_switch_saves_RF_clear_and_loads_what_the_TSS_has)
{
	ring(pc, 0);
	second_task();
	pc->trace_checked = false;
	put32(pc, TSS2 + 36, F_ONE | F_RF);
	cpu_set_eflags(&pc->cpu, F_ONE | F_RF);
	pc->cpu.dr[0] = TARGET;
	pc->cpu.dr[7] = 0x402;
	PLACE(pc, TARGET, 0x90, 0x90);
	SWITCH(JMP_FAR, TR2);
	expect_no_fault(pc);
	ck_assert_uint_eq(get32(pc, TSS + 36), F_ONE);
	ck_assert_uint_eq(cpu_eflags(&pc->cpu), F_ONE | F_RF);
	step(pc, 1);
	expect_no_fault(pc);
	ck_assert_uint_eq(pc->cpu.eip, TARGET + 1);
	ck_assert_uint_eq(cpu_eflags(&pc->cpu), F_ONE);
}
END_TEST

static Suite *system_task_suite(void)
{
	Suite *s = suite_create("system_task");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, JMP_and_CALL_to_a_TSS_switch_tasks);
	tcase_add_test(t, a_task_switch_saves_RF_clear_and_loads_what_the_TSS_has);
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
	SRunner *r = srunner_create(system_task_suite());

	/* Thousands of short cases: a process for each would take longer than all of them. */
	srunner_set_fork_status(r, CK_NOFORK);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
