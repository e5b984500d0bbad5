/* tests/emu/debugger_time_test.c: the ends of time, faces that interrupt, guests that wait and that reset, changes by hand, and who wrote it. */
#include "debugger_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/debug/expr.h"

#define PAGE 0x00300000u

/* --- the ends ------------------------------------------------------------------------------------------------------------------ */

START_TEST(the_present_stops_once_and_then_life_goes_on)
{
	to_round(5);
	uint64_t present = machine_now(m);
	ck_assert_int_eq(debugger_goto(&d, cpu_icount(&m->cpu) - 500)->kind, STOP_STEP);
	ck_assert_int_eq(go(GO_CONTINUE)->kind, STOP_PRESENT);
	ck_assert_uint_eq(machine_now(m), present);
	ck_assert_int_eq(go(GO_BACK_STEP)->kind, STOP_STEP);
	ck_assert_int_eq(go(GO_STEP)->kind, STOP_STEP);                /* a step that leads there is a step */
	ck_assert_uint_eq(machine_now(m), present);
	ck_assert(!history_in_past(h));
	unsigned id = break_at("touch");
	expect_break(go(GO_CONTINUE), id);
	expect_plain_state();
}
END_TEST

START_TEST(an_exception_in_the_present_does_not_stop_again_at_the_present)
{
	unsigned id = add((struct breakpoint){ .kind = BREAK_EXCEPTION, .vector = 14 });
	for (unsigned i = 1; i < 5; i++) {
		expect_break(go(GO_CONTINUE), id);
		ck_assert_uint_eq(word("rounds"), i);
		expect_plain_state();
	}
	ck_assert_int_eq(go(GO_STEP)->kind, STOP_STEP);
	expect_at("page_fault");
}
END_TEST

START_TEST(the_beginning_and_nothing_before)
{
	to_round(2);
	ck_assert_int_eq(go(GO_BACK_CONTINUE)->kind, STOP_BEGINNING);
	ck_assert_uint_eq(cpu_icount(&m->cpu), 0);
	ck_assert_int_eq(go(GO_BACK_STEP)->kind, STOP_BEGINNING);
	ck_assert_int_eq(go(GO_BACK_OVER)->kind, STOP_BEGINNING);
	ck_assert_int_eq(go(GO_STEP)->kind, STOP_STEP);
	ck_assert_uint_eq(cpu_icount(&m->cpu), 1);
}
END_TEST

struct watcher { struct face face; unsigned polls, stops; };
static bool stop_at_third(void *owner) { return ++((struct watcher *)owner)->polls >= 3; }
static void count_stop(void *owner, const struct stop *s)
{
	struct watcher *w = owner;

	w->stops++;
	ck_assert_int_eq(s->kind, STOP_INTERRUPTED);
}

START_TEST(a_face_interrupts_and_all_faces_hear_of_it)
{
	struct watcher w = { .face = { .name = "test", .owner = &w, .poll = stop_at_third, .stopped = count_stop } }, other = w;
	other.face = (struct face){ .name = "other", .owner = &other, .stopped = count_stop };
	debugger_attach(&d, &w.face);
	debugger_attach(&d, &other.face);
	ck_assert_int_eq(go(GO_CONTINUE)->kind, STOP_INTERRUPTED);
	ck_assert_uint_eq(w.stops + other.stops, 2);
	debugger_detach(&d, &w.face);
	debugger_detach(&d, &other.face);
	expect_plain_state();
}
END_TEST

static bool at_once(void *owner) { return ++*(unsigned *)owner >= 2; }

START_TEST(an_interrupted_search_leaves_the_machine_where_it_was)
{
	unsigned polls = 0, id;
	struct face face = { .name = "test", .owner = &polls, .poll = at_once };

	id = add((struct breakpoint){ .kind = BREAK_COUNT, .address = 20000000 });
	expect_break(go(GO_CONTINUE), id);
	debugger_break_delete(&d, id);
	id = add((struct breakpoint){ .kind = BREAK_WRITE, .space = SPACE_PHYSICAL, .address = 0x3f0000, .length = 4 });
	uint64_t hash = machine_hash(m);
	debugger_attach(&d, &face);
	ck_assert_int_eq(go(GO_BACK_CONTINUE)->kind, STOP_INTERRUPTED);
	debugger_detach(&d, &face);
	ck_assert_uint_eq(cpu_icount(&m->cpu), 20000000);
	ck_assert_uint_eq(machine_hash(m), hash);
	ck_assert(!history_in_past(h));
	ck_assert_int_eq(go(GO_BACK_CONTINUE)->kind, STOP_BEGINNING);
}
END_TEST

/* --- other guests ------------------------------------------------------------------------------------------------------------ */

/* Ticks pass while the machine waits: a step from there leads to where it goes on, and back. */
START_TEST(a_machine_that_waits_is_stepped_to_where_it_goes_on)
{
	uint64_t hash[64], tick[64];
	unsigned waited = 0;

	expect_break(go(GO_CONTINUE), add((struct breakpoint){ .kind = BREAK_INTERRUPT, .vector = 0x20, .ignore = 7, .temporary = true }));
	for (unsigned round = 0; round < 4; round++) {
		while (!m->cpu.halted)
			ck_assert_int_eq(go(GO_STEP)->kind, STOP_STEP);
		for (unsigned i = 0; i < 64; i++) {
			hash[i] = machine_hash(m);
			tick[i] = machine_now(m);
			waited += m->cpu.halted;
			ck_assert_int_eq(go(GO_STEP)->kind, STOP_STEP);
		}
		expect_plain_state();
		for (unsigned i = 64; i--;) {
			ck_assert_int_eq(go(GO_BACK_STEP)->kind, STOP_STEP);
			ck_assert_uint_eq(machine_now(m), tick[i]);
			ck_assert_uint_eq(machine_hash(m), hash[i]);
		}
		ck_assert_int_eq(debugger_go(&d, GO_STEP, 70, 0)->kind, STOP_PRESENT);
		ck_assert_int_eq(debugger_go(&d, GO_STEP, 6, 0)->kind, STOP_STEP);
	}
	ck_assert_uint_ge(waited, 4);
}
END_TEST

START_TEST(interrupts_of_a_machine_that_waits)
{
	unsigned id = add((struct breakpoint){ .kind = BREAK_INTERRUPT, .vector = 0x20 });
	uint64_t tick[20];

	for (unsigned i = 0; i < 20; i++) {
		expect_break(go(GO_CONTINUE), id);
		expect_at("tick");
		tick[i] = machine_now(m);
	}
	expect_plain_state();
	for (unsigned i = 19; i--;) {
		expect_break(go(GO_BACK_CONTINUE), id);
		ck_assert_uint_eq(machine_now(m), tick[i]);
	}
	expect_plain_state();
}
END_TEST

static bool count_poll(void *owner) { ++*(unsigned *)owner; return false; }

/* Who paces an idle machine by the wall clock hears of every 10 ms of its time. */
START_TEST(faces_are_asked_by_the_guests_time_too)
{
	unsigned polls = 0;
	struct face face = { .name = "test", .owner = &polls, .poll = count_poll };

	debugger_attach(&d, &face);
	expect_break(go(GO_CONTINUE), add((struct breakpoint){ .kind = BREAK_INTERRUPT, .vector = 0x20, .ignore = 1000 }));
	debugger_detach(&d, &face);
	ck_assert_uint_gt(machine_now(m), 50000000);
	ck_assert_uint_ge(polls, machine_now(m) / 2000000);
}
END_TEST

START_TEST(a_guest_that_resets_the_machine_has_a_past_before_it)
{
	unsigned id = break_at("_start");

	expect_break(go(GO_CONTINUE), id);                             /* the first is where it stands at power-on */
	ck_assert_uint_eq(m->resets, 1);
	expect_plain_state();
	uint64_t second = machine_now(m);
	ck_assert_int_eq(debugger_go(&d, GO_STEP, 5, 0)->kind, STOP_STEP);
	expect_break(go(GO_BACK_CONTINUE), id);
	ck_assert_uint_eq(machine_now(m), second);
	expect_break(go(GO_BACK_CONTINUE), id);
	ck_assert_uint_eq(m->resets, 0);
	ck_assert_uint_eq(cpu_icount(&m->cpu), 0);
}
END_TEST

START_TEST(the_end_is_met_again_from_the_past)
{
	ck_assert_int_eq(go(GO_CONTINUE)->kind, STOP_MACHINE);
	ck_assert_int_eq(d.stop.ended, MACHINE_POWER_OFF);
	uint64_t end = machine_now(m);
	ck_assert_int_eq(go(GO_STEP)->kind, STOP_MACHINE);             /* there is no more */
	ck_assert_int_eq(debugger_go(&d, GO_BACK_STEP, 10, 0)->kind, STOP_STEP);
	ck_assert_int_eq(go(GO_CONTINUE)->kind, STOP_MACHINE);
	ck_assert_int_eq(d.stop.ended, MACHINE_POWER_OFF);
	ck_assert_uint_eq(machine_now(m), end);
}
END_TEST

START_TEST(a_change_by_hand_makes_another_future)
{
	to_round(4);
	ck_assert_int_eq(debugger_goto(&d, cpu_icount(&m->cpu) - 900)->kind, STOP_STEP);
	ck_assert_int_eq(debugger_go(&d, GO_BACK_UNTIL, 1, at("look"))->kind, STOP_STEP);
	uint32_t value = 500;
	ck_assert_msg(!debugger_write_memory(&d, false, at("rounds"), &value, 4, err), "%s", err);
	ck_assert_msg(!debugger_write_register(&d, "ebp", 77, err), "%s", err);
	unsigned id = break_at("touch");
	expect_break(go(GO_CONTINUE), id);
	ck_assert_uint_ge(word("rounds"), 500);
	ck_assert_uint_eq(m->cpu.r[R_EBP], 77);
	ck_assert_int_eq(debugger_write_memory(&d, true, 0x80000000, &value, 4, err), -1);
	ck_assert_int_eq(debugger_write_register(&d, "cs", 8, err), -1);
	ck_assert_int_eq(debugger_write_register(&d, "al", 256, err), -1);
}
END_TEST

/* --- who wrote it ---------------------------------------------------------------------------------------------------------------- */

START_TEST(the_last_writer_of_a_page_table_entry)
{
	struct last_write w;
	paddr_t pte = at("page_table") + (PAGE >> 12) * 4;

	to_round(3);
	uint64_t hash = machine_hash(m);
	ck_assert(debugger_last_write(&d, pte, 1, &w));
	ck_assert_uint_eq(w.access.by, BY_WALK);                       /* Accessed and Dirty, when the touch was done again */
	ck_assert_uint_eq(w.eip, at("touch"));
	ck_assert_uint_eq(w.value & ~w.old_value, PG_A | PG_D);
	ck_assert(debugger_last_write(&d, pte + 1, 3, &w));
	ck_assert_uint_eq(w.eip, at("touch"));                         /* the walk writes all four bytes */
	ck_assert(debugger_last_write(&d, at("rounds"), 4, &w));
	ck_assert_uint_eq(w.eip, at("round"));
	ck_assert_uint_eq(w.old_value, 2);
	ck_assert_uint_eq(w.value, 3);
	ck_assert(!debugger_last_write(&d, 0x3f0000, 4, &w));
	ck_assert_uint_eq(machine_hash(m), hash);
	ck_assert(!history_in_past(h));
	ck_assert_int_eq(d.stop.kind, STOP_BREAK);                     /* the last stop is what it was */
	expect_plain_state();
}
END_TEST

START_TEST(the_last_writer_of_a_register)
{
	struct last_write w;

	to_round(3);
	ck_assert_int_eq(debugger_go(&d, GO_UNTIL, 1, at("put_byte"))->kind, STOP_STEP);
	uint64_t hash = machine_hash(m), count = cpu_icount(&m->cpu);
	ck_assert(debugger_last_register_write(&d, "cr3", &w));
	ck_assert_uint_eq(w.eip, at("switch_over") + 8);
	ck_assert_uint_eq(w.old_value, at("other_directory"));
	ck_assert_uint_eq(w.value, at("directory"));
	ck_assert(debugger_last_register_write(&d, "edi", &w));
	ck_assert_uint_eq(w.eip, at("copy"));
	ck_assert_uint_eq(w.value, w.old_value + 1);
	ck_assert(debugger_last_register_write(&d, "sysenter_cs", &w));
	ck_assert_uint_eq(w.eip, at("set_msr"));
	ck_assert(debugger_last_register_write(&d, "cr2", &w));
	ck_assert_uint_eq(w.eip, at("touch"));
	ck_assert(debugger_last_register_write(&d, "esp", &w));
	ck_assert(debugger_last_register_write(&d, "gdtr.base", &w));
	ck_assert_uint_lt(w.at.icount, 10);
	ck_assert(!debugger_last_register_write(&d, "pat", &w));
	ck_assert(!debugger_last_register_write(&d, "nonsense", &w));
	ck_assert_uint_eq(machine_hash(m), hash);
	ck_assert_uint_eq(cpu_icount(&m->cpu), count);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		the_present_stops_once_and_then_life_goes_on, an_exception_in_the_present_does_not_stop_again_at_the_present,
		the_beginning_and_nothing_before, a_face_interrupts_and_all_faces_hear_of_it,
		an_interrupted_search_leaves_the_machine_where_it_was, a_change_by_hand_makes_another_future,
		the_last_writer_of_a_page_table_entry, the_last_writer_of_a_register, NULL
	};
	const TTest *const timer[] = {
		a_machine_that_waits_is_stepped_to_where_it_goes_on, faces_are_asked_by_the_guests_time_too,
		interrupts_of_a_machine_that_waits, NULL
	};
	const TTest *const reset[] = {
		the_end_is_met_again_from_the_past, a_guest_that_resets_the_machine_has_a_past_before_it, NULL
	};
	Suite *s = debugger_suite("debugger: time", tests);

	debugger_suite_add(s, "timer", timer);
	debugger_suite_add(s, "reset", reset);
	return debugger_suite_run(s);
}
