/* tests/emu/debugger_break_test.c: each kind of breakpoint, forwards and backwards, conditions and counts; that a guest cannot tell. */
#include "debugger_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/debug/expr.h"

#define PAGE 0x00300000u

/* --- each kind, both ways -------------------------------------------------------------------------------------------------- */

/* Forwards, on, back, back, forwards: the same places, and nothing the guest can see. undone: backwards it stops before what it stops after
 * forwards, so that the way back from a stop first leads there. */
static void both_ways(struct breakpoint b, bool undone, const char *forwards, const char *backwards)
{
	to_round(3);
	unsigned id = add(b);
	expect_break(go(GO_CONTINUE), id);
	if (forwards)
		expect_at(forwards);
	expect_plain_state();
	struct moment first = d.stop.at;
	expect_break(go(GO_CONTINUE), id);
	struct stop second = d.stop;
	ck_assert_uint_gt(second.at.tick, first.tick);
	expect_plain_state();
	expect_break(go(GO_CONTINUE), id);
	expect_plain_state();
	expect_break(go(GO_BACK_CONTINUE), id);
	if (backwards)
		expect_at(backwards);
	expect_plain_state();
	if (undone)
		expect_break(go(GO_BACK_CONTINUE), id);
	ck_assert_uint_le(d.stop.at.tick, second.at.tick);
	expect_plain_state();
	if (undone)
		expect_break(go(GO_CONTINUE), id);
	ck_assert_uint_eq(d.stop.at.tick, second.at.tick);
	ck_assert_str_eq(d.stop.text, second.text);
	expect_plain_state();
}

START_TEST(execution_stops_before_the_instruction)
{
	both_ways((struct breakpoint){ .kind = BREAK_EXECUTE, .address = at("touch") }, false, "touch", "touch");
}
END_TEST

START_TEST(execution_by_physical_address)
{
	both_ways((struct breakpoint){ .kind = BREAK_EXECUTE, .space = SPACE_PHYSICAL, .address = at("touch") }, false, "touch", "touch");
}
END_TEST

START_TEST(execution_in_one_address_space)
{
	to_round(3);
	unsigned other = add((struct breakpoint){ .kind = BREAK_EXECUTE, .space = SPACE_VIRTUAL, .cr3 = at("other_directory"), .address = at("touch") });
	unsigned own = add((struct breakpoint){ .kind = BREAK_EXECUTE, .space = SPACE_VIRTUAL, .cr3 = at("directory"), .address = at("touch") });
	expect_break(go(GO_CONTINUE), own);
	expect_break(go(GO_CONTINUE), own);
	ck_assert_uint_eq(debugger_break_find(&d, other)->hits, 0);
}
END_TEST

START_TEST(a_write_stops_after_it_and_backwards_before_it)
{
	both_ways((struct breakpoint){ .kind = BREAK_WRITE, .address = PAGE + 10, .length = 1 }, true, "touched", "touch");
}
END_TEST

START_TEST(a_write_by_physical_address)
{
	both_ways((struct breakpoint){ .kind = BREAK_WRITE, .space = SPACE_PHYSICAL, .address = PAGE + 8, .length = 4 }, true, "touched", "touch");
}
END_TEST

START_TEST(a_watched_page_may_come_later)
{
	to_round(2);
	ck_assert_int_eq(debugger_go(&d, GO_UNTIL, 1, at("touch"))->kind, STOP_STEP);
	unsigned id = add((struct breakpoint){ .kind = BREAK_WRITE, .address = PAGE + 8, .length = 4 });      /* nowhere, for the moment */
	expect_break(go(GO_CONTINUE), id);
	expect_at("touched");
	ck_assert_uint_eq(d.stop.value, 0x1234);
	expect_break(go(GO_BACK_CONTINUE), id);
	expect_at("touch");
	expect_break(go(GO_BACK_CONTINUE), id);
	ck_assert_uint_eq(word("rounds"), 1);
}
END_TEST

START_TEST(a_repeated_instruction_is_come_to_once_and_after_interrupts)
{
	unsigned id = break_at("copy");
	unsigned rounds = 0, hits = 0;

	while (rounds < 20) {
		expect_break(go(GO_CONTINUE), id);
		expect_at("copy");
		ck_assert(!m->cpu.repeating);
		rounds += m->cpu.r[R_ECX] == 64;
		hits++;
	}
	ck_assert_uint_lt(hits, 30);
}
END_TEST

/* Stepping or going on: each arrival counts once, also where an interrupt comes first. */
START_TEST(hits_are_counted_alike_by_steps_and_by_going_on)
{
	struct breakpoint b = { .kind = BREAK_EXECUTE, .address = at("again"), .ignore = UINT64_MAX };

	to_round(2);
	d.step_into_interrupts = true;
	uint64_t start = cpu_icount(&m->cpu);
	unsigned stepped = add(b);
	for (unsigned i = 0; i < 3000; i++)
		ck_assert_int_eq(go(GO_STEP)->kind, STOP_STEP);
	uint64_t hits = debugger_break_find(&d, stepped)->hits;
	ck_assert_uint_gt(word("ticks"), 5);
	debugger_goto(&d, start);
	debugger_break_delete(&d, stepped);
	unsigned run = add(b);
	ck_assert_int_eq(go(GO_CONTINUE)->kind, STOP_PRESENT);
	ck_assert_uint_eq(cpu_icount(&m->cpu), start + 3000);
	ck_assert_uint_eq(debugger_break_find(&d, run)->hits, hits);
	ck_assert_int_eq(go(GO_BACK_CONTINUE)->kind, STOP_BEGINNING);
	ck_assert_uint_ge(debugger_break_find(&d, run)->hits, 2 * hits);
}
END_TEST

START_TEST(a_read_is_no_write)
{
	to_round(3);
	unsigned write = add((struct breakpoint){ .kind = BREAK_WRITE, .address = at("rounds") + 4 - 4, .length = 4 });
	unsigned read = add((struct breakpoint){ .kind = BREAK_READ, .address = at("rounds"), .length = 4 });
	unsigned access = add((struct breakpoint){ .kind = BREAK_ACCESS, .address = at("rounds"), .length = 4 });
	expect_break(go(GO_CONTINUE), read);                           /* mov rounds, %eax */
	expect_break(go(GO_CONTINUE), read);
	expect_break(go(GO_CONTINUE), write);                          /* incl rounds reads and writes */
	ck_assert_uint_eq(debugger_break_find(&d, access)->hits, 3);
	ck_assert_uint_eq(d.stop.old_value + 1, d.stop.value);
	ck_assert_uint_eq(d.stop.value, word("rounds"));
	ck_assert_uint_eq(d.stop.la, at("rounds"));
	ck_assert_uint_eq(d.stop.insn_eip, at("round"));
}
END_TEST

START_TEST(a_port)
{
	both_ways((struct breakpoint){ .kind = BREAK_PORT, .address = 0x80, .length = 1 }, true, NULL, "put_byte");
	ck_assert_uint_eq(d.stop.value, 0x5a);
}
END_TEST

START_TEST(an_msr)
{
	both_ways((struct breakpoint){ .kind = BREAK_MSR, .address = 0x174 }, true, NULL, "set_msr");
}
END_TEST

START_TEST(a_control_register)
{
	both_ways((struct breakpoint){ .kind = BREAK_CONTROL, .address = 3 }, true, NULL, NULL);
}
END_TEST

START_TEST(a_switch_to_an_address_space)
{
	both_ways((struct breakpoint){ .kind = BREAK_SPACE, .address = at("other_directory") }, true, NULL, "switch_over");
	ck_assert_uint_eq(m->cpu.cr3, at("other_directory"));
}
END_TEST

START_TEST(an_exception_stops_before_its_delivery)
{
	both_ways((struct breakpoint){ .kind = BREAK_EXCEPTION, .vector = 14, .error_mask = PF_W, .error_value = PF_W, .address = PAGE, .length = 4096 }, false,
		"touch", "touch");
	ck_assert_uint_eq(d.stop.fault.fault.cr2, PAGE + 8);
	ck_assert_uint_eq(m->cpu.eip, at("touch"));
}
END_TEST

START_TEST(an_exception_of_another_kind_does_not_stop)
{
	to_round(3);
	unsigned wrong[] = {
		add((struct breakpoint){ .kind = BREAK_EXCEPTION, .vector = 13 }),
		add((struct breakpoint){ .kind = BREAK_EXCEPTION, .vector = 14, .error_mask = PF_P, .error_value = PF_P }),
		add((struct breakpoint){ .kind = BREAK_EXCEPTION, .vector = 14, .address = PAGE + 9, .length = 1 }),
	};
	unsigned right = add((struct breakpoint){ .kind = BREAK_EXCEPTION, .vector = -1 });
	expect_break(go(GO_CONTINUE), right);
	expect_break(go(GO_CONTINUE), right);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_uint_eq(debugger_break_find(&d, wrong[i])->hits, 0);
}
END_TEST

START_TEST(an_interrupt_stops_in_its_handler)
{
	both_ways((struct breakpoint){ .kind = BREAK_INTERRUPT, .vector = 0x20 }, false, "tick", "tick");
}
END_TEST

START_TEST(a_software_interrupt_stops_in_its_handler)
{
	both_ways((struct breakpoint){ .kind = BREAK_INTERRUPT, .vector = 0x30 }, false, "software", "software");
}
END_TEST

START_TEST(the_mapping_of_an_address)
{
	to_round(3);
	unsigned id = add((struct breakpoint){ .kind = BREAK_MAPPING, .address = PAGE + 5 });
	static const char *const places[] = { "take_away", "drop", "touch", "mapped", "touched" };
	for (unsigned i = 0; i < 10; i++) {                            /* TLB entry comes; PTE 0; TLB entry goes; PTE again; comes */
		expect_break(go(GO_CONTINUE), id);
		expect_at(places[i % 5]);
		expect_plain_state();
	}
	static const char *const back[] = { "touch", "map", "drop", "take_away", "look", "touch" };
	for (unsigned i = 0; i < 6; i++) {
		expect_break(go(GO_BACK_CONTINUE), id);
		expect_at(back[i]);
		expect_plain_state();
	}
	expect_break(go(GO_CONTINUE), id);
	expect_at("touched");
}
END_TEST

START_TEST(the_resumption_of_a_faulted_instruction)
{
	both_ways((struct breakpoint){ .kind = BREAK_RESUME }, false, "touch", "touch");
	ck_assert_uint_eq(d.stop.fault.fault.vector, 14);
}
END_TEST

START_TEST(the_resumption_of_one_instruction)
{
	both_ways((struct breakpoint){ .kind = BREAK_RESUME, .address = at("touch"), .length = 1 }, false, "touch", "touch");
}
END_TEST

START_TEST(an_instruction_count_is_exact)
{
	to_round(3);
	uint64_t count = cpu_icount(&m->cpu) + 777;
	unsigned id = add((struct breakpoint){ .kind = BREAK_COUNT, .address = count });
	expect_break(go(GO_CONTINUE), id);
	ck_assert_uint_eq(cpu_icount(&m->cpu), count);
	expect_plain_state();
	to_round(2);
	expect_break(go(GO_BACK_CONTINUE), id);
	ck_assert_uint_eq(cpu_icount(&m->cpu), count);
	ck_assert_int_eq(go(GO_BACK_CONTINUE)->kind, STOP_BEGINNING);
	expect_plain_state();
}
END_TEST

/* --- conditions and counts --------------------------------------------------------------------------------------------------- */

START_TEST(a_condition_is_looked_at_where_it_stops)
{
	unsigned id = add((struct breakpoint){ .kind = BREAK_EXECUTE, .address = at("touch"), .condition = strdup("ecx == 0 && cr3 != 0") });
	expect_break(go(GO_CONTINUE), id);
	char text[80];
	snprintf(text, sizeof(text), "*0x%x == 5", at("rounds"));
	unsigned write = add((struct breakpoint){ .kind = BREAK_WRITE, .address = at("rounds"), .length = 4, .condition = strdup(text) });
	debugger_break_delete(&d, id);
	expect_break(go(GO_CONTINUE), write);
	ck_assert_uint_eq(word("rounds"), 5);
	ck_assert_uint_eq(d.stop.old_value, 4);
	ck_assert_uint_eq(debugger_break_find(&d, write)->hits, 1);
}
END_TEST

START_TEST(a_condition_knows_the_event)
{
	to_round(2);
	unsigned fault = add((struct breakpoint){ .kind = BREAK_EXCEPTION, .vector = -1, 
		.condition = strdup("vector == 14 && cr2 == 0x300008 && error == 2") });
	expect_break(go(GO_CONTINUE), fault);
	debugger_break_delete(&d, fault);
	unsigned wrong = add((struct breakpoint){ .kind = BREAK_EXCEPTION, .vector = -1, .condition = strdup("cr2 != 0x300008 || error != 2") });
	unsigned write = add((struct breakpoint){ .kind = BREAK_WRITE, .address = at("rounds"), .length = 4,
		.condition = strdup("old == 5 && value == 6") });
	unsigned port = add((struct breakpoint){ .kind = BREAK_PORT, .address = 0x80, .length = 1,
		.condition = strdup("value != 0x5a") });
	expect_break(go(GO_CONTINUE), write);
	ck_assert_uint_eq(word("rounds"), 6);
	ck_assert_uint_eq(debugger_break_find(&d, wrong)->hits + debugger_break_find(&d, port)->hits, 0);
}
END_TEST

START_TEST(a_bad_condition_is_refused_when_it_is_set)
{
	struct breakpoint b = { .kind = BREAK_EXECUTE, .address = 1, .enabled = true, .condition = (char *)"eax ==" };

	ck_assert_int_eq(debugger_break_add(&d, &b, err), -1);
	ck_assert_ptr_nonnull(strstr(err, "a value expected"));
}
END_TEST

START_TEST(ignored_hits_count_both_ways)
{
	unsigned id = add((struct breakpoint){ .kind = BREAK_EXECUTE, .address = at("touched"), .ignore = 4 });
	expect_break(go(GO_CONTINUE), id);
	ck_assert_uint_eq(word("rounds"), 5);
	ck_assert_uint_eq(debugger_break_find(&d, id)->hits, 5);
	debugger_break_find(&d, id)->ignore = 2;
	expect_break(go(GO_BACK_CONTINUE), id);
	ck_assert_uint_eq(word("rounds"), 2);
	ck_assert_uint_eq(debugger_break_find(&d, id)->hits, 8);
}
END_TEST

START_TEST(of_several_the_lowest_is_told_and_all_count)
{
	unsigned first = break_at("touched"), second = break_at("touched");
	unsigned write = add((struct breakpoint){ .kind = BREAK_WRITE, .address = PAGE + 8, .length = 4 });
	expect_break(go(GO_CONTINUE), first);
	ck_assert_uint_eq(debugger_break_find(&d, first)->hits, 1);
	ck_assert_uint_eq(debugger_break_find(&d, second)->hits, 1);
	ck_assert_uint_eq(debugger_break_find(&d, write)->hits, 1);
	go(GO_CONTINUE);
	ck_assert_uint_eq(word("rounds"), 2);
}
END_TEST

START_TEST(a_temporary_one_is_gone_after_its_stop)
{
	unsigned id = add((struct breakpoint){ .kind = BREAK_EXECUTE, .address = at("touch"), .temporary = true });
	expect_break(go(GO_CONTINUE), id);
	ck_assert_ptr_null(d.stop.hit);
	ck_assert_ptr_null(debugger_break_find(&d, id));
}
END_TEST

START_TEST(a_disabled_one_does_not_stop)
{
	unsigned off = break_at("touch"), on = break_at("touched");
	debugger_break_find(&d, off)->enabled = false;
	expect_break(go(GO_CONTINUE), on);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		execution_stops_before_the_instruction, execution_by_physical_address, execution_in_one_address_space,
		a_write_stops_after_it_and_backwards_before_it, a_write_by_physical_address, a_watched_page_may_come_later,
		a_repeated_instruction_is_come_to_once_and_after_interrupts, hits_are_counted_alike_by_steps_and_by_going_on,
		a_read_is_no_write, a_port, an_msr, a_control_register, a_switch_to_an_address_space, an_exception_stops_before_its_delivery,
		an_exception_of_another_kind_does_not_stop, an_interrupt_stops_in_its_handler, a_software_interrupt_stops_in_its_handler,
		the_mapping_of_an_address, the_resumption_of_a_faulted_instruction, the_resumption_of_one_instruction,
		an_instruction_count_is_exact, a_condition_is_looked_at_where_it_stops, a_condition_knows_the_event,
		a_bad_condition_is_refused_when_it_is_set, ignored_hits_count_both_ways, of_several_the_lowest_is_told_and_all_count,
		a_temporary_one_is_gone_after_its_stop, a_disabled_one_does_not_stop, NULL
	};
	Suite *s = debugger_suite("debugger: breakpoints", tests);

	return debugger_suite_run(s);
}
