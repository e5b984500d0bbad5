/* tests/cpu/system_nmi_test.c: the NMI pin: [SDM3A 6.7 "Nonmaskable Interrupt (NMI)"], [SDM3A 6.7.1 "Handling Multiple NMIs"]. */
#include "system_pc.h"

static struct pc *pc;
static void setup(void) { pc = pc_new(); }
static void teardown(void) { pc_free(pc); }

START_TEST(NMI_comes_through_vector_2_whatever_IF_says_and_before_INTR)
{
	ring(pc, _i ? 3 : 0);
	cpu_set_eflags(&pc->cpu, F_ONE | (_i ? F_IF : 0));
	pc->irq_vector = 0x40;
	cpu_set_intr(&pc->cpu, true);
	cpu_raise_nmi(&pc->cpu);
	RUN(pc, 0x90);
	expect_no_fault(pc);
	ck_assert_uint_eq(pc->cpu.eip, handler(VEC_NMI));
	ck_assert_uint_eq(pc->cpu.cpl, 0);
	ck_assert_uint_eq(stack_dword(pc, 0), CODE);
}
END_TEST

START_TEST(another_NMI_waits_for_the_IRET_of_the_handler)
{
	uint32_t esp;

	ring(pc, 0);
	cpu_raise_nmi(&pc->cpu);
	RUN(pc, 0x90);
	ck_assert_uint_eq(pc->cpu.eip, handler(VEC_NMI));
	esp = pc->cpu.r[R_ESP];
	cpu_raise_nmi(&pc->cpu);
	step(pc, 5);
	ck_assert_uint_eq(pc->cpu.eip, handler(VEC_NMI));
	ck_assert_uint_eq(pc->cpu.r[R_ESP], esp);
	RUN(pc, 0xcf);
	ck_assert_uint_eq(pc->cpu.eip, CODE);
	step(pc, 1);
	ck_assert_uint_eq(pc->cpu.eip, handler(VEC_NMI));
	ck_assert_uint_eq(pc->cpu.r[R_ESP], esp);
}
END_TEST

START_TEST(NMI_ends_HLT_with_interrupts_off)
{
	ring(pc, 0);
	RUN(pc, 0xf4);
	ck_assert_int_eq(step(pc, 10), CPU_STOP_HALT);
	cpu_raise_nmi(&pc->cpu);
	ck_assert_int_eq(step(pc, 1), CPU_STOP_BUDGET);
	ck_assert_uint_eq(pc->cpu.eip, handler(VEC_NMI));
	ck_assert_uint_eq(stack_dword(pc, 0), CODE + 1);
}
END_TEST

/* In the handler of an NMI, with another one waiting. */
static void in_handler(void)
{
	pc->trace_checked = false;
	pc->cpu.nmi_blocked = true;
	cpu_raise_nmi(&pc->cpu);
}

START_TEST(an_IRET_that_faults_ends_the_blocking_too)
{
	for (unsigned n = 0; n < 3; n++) {
		if (n == 2)
			v86(pc, 0);                            /* IRET is for the monitor */
		else
			ring(pc, 0);
		in_handler();
		put32(pc, pc->cpu.r[R_ESP], CODE);
		put32(pc, pc->cpu.r[R_ESP] + 4, n ? 0 : CS0);  /* a null code segment */
		put32(pc, pc->cpu.r[R_ESP] + 8, F_ONE);
		RUN(pc, 0xcf);
		if (n == 0) {
			ck_assert_uint_eq(pc->exceptions, 0);
			ck_assert_uint_eq(pc->cpu.eip, CODE);
		} else {
			expect_error(pc, VEC_GP, 0);
		}
		ck_assert(!pc->cpu.nmi_blocked);
		step(pc, 1);
		ck_assert_uint_eq(pc->cpu.eip, handler(VEC_NMI));
		ck_assert_uint_eq(stack_dword(pc, 0), n ? handler(VEC_GP) : CODE);
		pc->cpu.nmi_blocked = false;
	}
}
END_TEST

START_TEST(an_IRET_that_was_not_executed_leaves_the_blocking)
{
	ring(pc, 0);
	in_handler();
	RUN(pc, 0xf0, 0xcf);                                   /* LOCK IRET */
	expect_fault(pc, VEC_UD);
	ck_assert(pc->cpu.nmi_blocked);
	/* Nor does one before whose fault a watcher has stopped. */
	ring(pc, 0);
	put32(pc, pc->cpu.r[R_ESP] + 4, 0);
	pc->stop_on_exception = true;
	ck_assert_int_eq(RUN(pc, 0xcf), CPU_STOP_REQUEST);
	ck_assert(pc->cpu.nmi_blocked);
}
END_TEST

START_TEST(an_IRET_to_another_task_ends_the_blocking)
{
	ring(pc, 0);
	in_handler();
	gdt(pc, TR2, TSS2, 0x67, 0x8b, 0);
	put16(pc, TSS, TR2);
	put32(pc, TSS2 + 32, TARGET);
	put32(pc, TSS2 + 36, F_ONE);
	put32(pc, TSS2 + 56, 0x38000);
	put16(pc, TSS2 + 76, CS0);
	put16(pc, TSS2 + 80, DS0);
	cpu_set_eflags(&pc->cpu, F_ONE | F_NT);
	RUN(pc, 0xcf);
	expect_no_fault(pc);
	ck_assert_uint_eq(pc->cpu.eip, TARGET);
	ck_assert(!pc->cpu.nmi_blocked);
	step(pc, 1);
	ck_assert_uint_eq(pc->cpu.eip, handler(VEC_NMI));
}
END_TEST

START_TEST(MOV_SS_holds_NMI_off_and_so_does_STI)
{
	for (unsigned n = 0; n < 2; n++) {
		ring(pc, 0);
		pc->trace_checked = false;
		pc->cpu.r[R_EAX] = DS0;
		PLACE(pc, CODE, n ? 0x8e : 0x90, n ? 0xd0 : 0xfb, 0x90, 0x90);
		step(pc, 2 - n);
		cpu_raise_nmi(&pc->cpu);
		step(pc, 1);
		ck_assert_uint_eq(pc->cpu.eip, CODE + 3);
		step(pc, 1);
		ck_assert_uint_eq(pc->cpu.eip, handler(VEC_NMI));
		ck_assert_uint_eq(stack_dword(pc, 0), CODE + 3);
		pc->cpu.nmi_blocked = false;
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("system_nmi");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, NMI_comes_through_vector_2_whatever_IF_says_and_before_INTR, 0, 2);
	tcase_add_test(t, another_NMI_waits_for_the_IRET_of_the_handler);
	tcase_add_test(t, NMI_ends_HLT_with_interrupts_off);
	tcase_add_test(t, an_IRET_that_faults_ends_the_blocking_too);
	tcase_add_test(t, an_IRET_that_was_not_executed_leaves_the_blocking);
	tcase_add_test(t, an_IRET_to_another_task_ends_the_blocking);
	tcase_add_test(t, MOV_SS_holds_NMI_off_and_so_does_STI);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
