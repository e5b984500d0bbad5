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

int main(void)
{
	Suite *s = suite_create("system_nmi");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, NMI_comes_through_vector_2_whatever_IF_says_and_before_INTR, 0, 2);
	tcase_add_test(t, another_NMI_waits_for_the_IRET_of_the_handler);
	tcase_add_test(t, NMI_ends_HLT_with_interrupts_off);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
