/* tests/cpu/system_ferr_test.c: the FERR# and IGNNE# pins, [SDM1 8.7.2 "MS-DOS* Compatibility Sub-mode"]. */
#include "system_pc.h"

static struct pc *pc;
static void setup(void) { pc = pc_new(); }
static void teardown(void) { pc_free(pc); }

START_TEST(FERR_tells_the_board_of_changes_only)
{
	ck_assert_uint_eq(pc->ferr_changes, 0);
	cpu_ferr(&pc->cpu, true);
	cpu_ferr(&pc->cpu, true);
	ck_assert(pc->ferr);
	ck_assert_uint_eq(pc->ferr_changes, 1);
	cpu_reset(&pc->cpu);
	ck_assert(!pc->ferr);
	ck_assert_uint_eq(pc->ferr_changes, 2);
	cpu_ferr(&pc->cpu, true);
	cpu_ferr(&pc->cpu, false);
	ck_assert(!pc->ferr);
}
END_TEST

START_TEST(a_processor_without_FERR_wire_runs_too)
{
	pc->cpu.bus.ferr = NULL;
	cpu_ferr(&pc->cpu, true);
	ck_assert(pc->cpu.ferr);
}
END_TEST

START_TEST(IGNNE_is_what_the_board_says)
{
	cpu_set_ignne(&pc->cpu, true);
	cpu_reset(&pc->cpu);
	ck_assert(pc->cpu.ignne);
	cpu_set_ignne(&pc->cpu, false);
	ck_assert(!pc->cpu.ignne);
}
END_TEST

/* What a waiting x87 instruction does when it finds an error. */
static enum exec freezes(struct cpu *cpu, const struct insn *in) { return ferr_freeze(cpu, in); }

START_TEST(a_frozen_x87_instruction_waits_for_an_interrupt_and_runs_anew)
{
	struct insn in = { .handler = freezes, .len = 2, .left = 1 };

	ring(pc, 0);
	cpu_set_eflags(&pc->cpu, F_ONE | F_IF);
	pc->cpu.page_eip = CODE;
	/* In a block it asks to be run alone. */
	ck_assert_int_eq(in.handler(&pc->cpu, &in), EXEC_SINGLE);
	ck_assert(!pc->cpu.halted);
	pc->cpu.single = true;
	ck_assert_int_eq(in.handler(&pc->cpu, &in), EXEC_STOP);
	pc->cpu.single = false;
	ck_assert_uint_eq(pc->cpu.eip, CODE);
	ck_assert_int_eq(step(pc, 10), CPU_STOP_HALT);
	pc->irq_vector = 0x75;
	cpu_set_intr(&pc->cpu, true);
	step(pc, 1);
	ck_assert_uint_eq(pc->cpu.eip, handler(0x75));
	ck_assert_uint_eq(stack_dword(pc, 0), CODE);
	ck_assert(!pc->cpu.halted);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("system_ferr");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, FERR_tells_the_board_of_changes_only);
	tcase_add_test(t, a_processor_without_FERR_wire_runs_too);
	tcase_add_test(t, IGNNE_is_what_the_board_says);
	tcase_add_test(t, a_frozen_x87_instruction_waits_for_an_interrupt_and_runs_anew);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
