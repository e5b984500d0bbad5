/* tests/emu/debugger_step_test.c: steps and their ways back. */
#include "debugger_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/debug/expr.h"

/* --- steps ------------------------------------------------------------------------------------------------------------------- */

START_TEST(a_step_is_one_instruction_and_back_is_its_inverse)
{
	to_round(2);
	uint64_t start = machine_hash(m);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(go(GO_STEP)->kind, STOP_STEP);
	expect_at("copy");
	expect_plain_state();
	ck_assert_int_eq(debugger_go(&d, GO_BACK_STEP, 3, 0)->kind, STOP_STEP);
	expect_at("after_outer");
	ck_assert_uint_eq(machine_hash(m), start);
}
END_TEST

/* Wherever an interrupt comes in between: it is not what was stepped into. */
START_TEST(steps_go_past_interrupts_and_back_past_them)
{
	uint32_t pc[800];
	uint64_t tick[800];
	unsigned past = 0;

	to_round(2);
	for (unsigned i = 0; i < 800; i++) {
		uint32_t ticks = word("ticks");
		pc[i] = debugger_pc(&d);
		tick[i] = machine_now(m);
		ck_assert_uint_ne(pc[i], at("tick"));
		ck_assert_int_eq(go(GO_STEP)->kind, STOP_STEP);
		past += word("ticks") != ticks;
	}
	ck_assert_uint_gt(past, 3);
	expect_plain_state();
	for (unsigned i = 800; i--;) {
		ck_assert_int_eq(go(GO_BACK_STEP)->kind, STOP_STEP);
		ck_assert_uint_eq(debugger_pc(&d), pc[i]);
		ck_assert_uint_eq(machine_now(m), tick[i]);
	}
	expect_plain_state();
}
END_TEST

START_TEST(a_step_enters_interrupts_when_asked_to)
{
	d.step_into_interrupts = true;
	to_round(2);
	for (unsigned i = 0; debugger_pc(&d) != at("tick"); i++) {
		ck_assert_uint_lt(i, 2000);
		ck_assert_int_eq(go(GO_STEP)->kind, STOP_STEP);
	}
}
END_TEST

START_TEST(a_step_enters_the_handler_of_its_fault)
{
	unsigned id = break_at("touch");
	expect_break(go(GO_CONTINUE), id);
	ck_assert_int_eq(go(GO_STEP)->kind, STOP_STEP);
	expect_at("page_fault");
	ck_assert_int_eq(go(GO_BACK_STEP)->kind, STOP_BREAK);          /* it arrives at a breakpoint */
	expect_at("touch");
}
END_TEST

START_TEST(over_runs_the_fault_and_the_instruction_and_back_both)
{
	unsigned id = break_at("touch");
	expect_break(go(GO_CONTINUE), id);
	debugger_break_delete(&d, id);
	uint64_t tick = machine_now(m);
	ck_assert_int_eq(go(GO_OVER)->kind, STOP_STEP);
	expect_at("touched");
	ck_assert_uint_eq(word("faults"), 1);
	expect_plain_state();
	ck_assert_int_eq(go(GO_BACK_OVER)->kind, STOP_STEP);
	expect_at("touch");
	ck_assert_uint_eq(machine_now(m), tick);
}
END_TEST

/* A whole round over everything, and back over everything. */
START_TEST(over_and_back_over_visit_the_same_places)
{
	uint32_t pc[64];
	unsigned n = 0;

	to_round(2);
	do {
		ck_assert_uint_lt(n, 64);
		pc[n++] = debugger_pc(&d);
		ck_assert_int_eq(go(GO_OVER)->kind, STOP_STEP);
	} while (debugger_pc(&d) != at("after_outer"));
	ck_assert_uint_eq(word("rounds"), 3);
	expect_plain_state();
	while (n--) {
		ck_assert_int_eq(go(GO_BACK_OVER)->kind, STOP_STEP);
		ck_assert_uint_eq(debugger_pc(&d), pc[n]);
	}
	ck_assert_uint_eq(word("rounds"), 2);
	expect_plain_state();
}
END_TEST

START_TEST(a_breakpoint_inside_stops_a_step_over)
{
	to_round(1);
	unsigned id = break_at("inner");
	for (unsigned i = 0; i < 100; i++)
		if (go(GO_OVER)->kind == STOP_BREAK)
			break;
	expect_break(&d.stop, id);
	expect_at("inner");
}
END_TEST

START_TEST(out_ends_after_the_return_and_back_out_at_the_call)
{
	unsigned id = break_at("inner");
	expect_break(go(GO_CONTINUE), id);
	debugger_break_delete(&d, id);
	debugger_go(&d, GO_STEP, 5, 0);
	ck_assert_int_eq(go(GO_OUT)->kind, STOP_STEP);
	expect_at("after_inner");
	expect_plain_state();
	ck_assert_int_eq(go(GO_OUT)->kind, STOP_STEP);
	expect_at("after_outer");
	debugger_go(&d, GO_BACK_STEP, 6, 0);
	debugger_go(&d, GO_BACK_STEP, 20, 0);                          /* in inner's loop */
	ck_assert_int_eq(go(GO_BACK_OUT)->kind, STOP_STEP);
	expect_at("call_inner");
	ck_assert_int_eq(go(GO_BACK_OUT)->kind, STOP_STEP);
	expect_at("round_call");
}
END_TEST

START_TEST(until_and_back_until)
{
	to_round(2);
	ck_assert_int_eq(debugger_go(&d, GO_UNTIL, 1, at("touched"))->kind, STOP_STEP);
	expect_at("touched");
	ck_assert_uint_eq(word("rounds"), 2);
	ck_assert_int_eq(debugger_go(&d, GO_BACK_UNTIL, 1, at("look"))->kind, STOP_STEP);
	expect_at("look");
	expect_plain_state();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_step_is_one_instruction_and_back_is_its_inverse, steps_go_past_interrupts_and_back_past_them,
		a_step_enters_interrupts_when_asked_to, a_step_enters_the_handler_of_its_fault,
		over_runs_the_fault_and_the_instruction_and_back_both, over_and_back_over_visit_the_same_places,
		a_breakpoint_inside_stops_a_step_over, out_ends_after_the_return_and_back_out_at_the_call, until_and_back_until, NULL
	};
	Suite *s = debugger_suite("debugger: steps", tests);

	return debugger_suite_run(s);
}
