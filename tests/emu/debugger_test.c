/* tests/emu/debugger_test.c: the debugger's core over guests/stepping.S: each kind of breakpoint, forwards and backwards; steps and their ways
 * back; that a guest cannot tell. */
#include "emu/debug/debugger.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/debug/expr.h"
#include "emu/symbols.h"

#define PAGE 0x00300000u

static char err[ERROR_LINE];
static struct kernel kernel;
static struct symbols symbols;
static struct machine *m;
static struct history *h;
static struct debugger d;
static struct tlb_geometry geometry;
static const char *guest = GUEST_DIR "/stepping.elf";

static struct machine *new_machine(void)
{
	struct machine *made = machine_create(&(struct machine_config){ .memory = 4u << 20, .kernel = &kernel, .tlb = geometry }, err);

	ck_assert_msg(made, "%s", err);
	return made;
}

static void setup(void)
{
	ck_assert_msg(!kernel_open(&kernel, guest, err), "%s", err);
	symbols_load(&symbols, &kernel);
	m = new_machine();
	h = history_create(m, HISTORY_DEFAULT_LIMIT, err);
	ck_assert_msg(h, "%s", err);
	ck_assert_msg(!debugger_init(&d, m, h, err), "%s", err);
}

static void setup_modelled(void)
{
	geometry = (struct tlb_geometry){ 16, 4 };
	setup();
}

static void setup_timer(void)
{
	guest = GUEST_DIR "/timer.elf";
	setup();
}

static void setup_reset(void)
{
	guest = GUEST_DIR "/reset.elf";
	setup();
}

static void teardown(void)
{
	debugger_free(&d);
	history_free(h);
	machine_free(m);
	symbols_free(&symbols);
	kernel_close(&kernel);
}

static uint32_t at(const char *name)
{
	uint32_t la = 0;

	ck_assert_msg(!symbols_find(&symbols, name, &la), "no symbol %s", name);
	return la;
}

static unsigned add(struct breakpoint b)
{
	b.enabled = true;
	int id = debugger_break_add(&d, &b, err);
	ck_assert_msg(id > 0, "%s", err);
	return (unsigned)id;
}

static unsigned break_at(const char *name)
{
	return add((struct breakpoint){ .kind = BREAK_EXECUTE, .address = at(name) });
}

static const struct stop *go(enum go how)
{
	return debugger_go(&d, how, 1, 0);
}

static uint32_t word(const char *name)
{
	uint32_t value = 0;

	ck_assert_uint_eq(debugger_read_linear(&d, at(name), &value, 4), 4);
	return value;
}

static void expect_break(const struct stop *s, unsigned id)
{
	ck_assert_msg(s->kind == STOP_BREAK && s->breakpoint == id, "stop %d, breakpoint %u: %s", s->kind, s->breakpoint, s->text);
}

static void expect_at(const char *name)
{
	ck_assert_msg(debugger_pc(&d) == at(name), "at 0x%x instead of %s", debugger_pc(&d), name);
}

/* Some rounds into the run, at its beginning. */
static void to_round(unsigned n)
{
	struct breakpoint b = { .kind = BREAK_EXECUTE, .address = at("after_outer"), .ignore = n - 1 };
	unsigned id = add(b);

	expect_break(go(GO_CONTINUE), id);
	debugger_break_delete(&d, id);
}

/* The state that a machine without debugger has after the same instructions. */
static void expect_plain_state(void)
{
	struct machine *plain = new_machine();

	plain->instruction_limit = cpu_icount(&m->cpu);
	while (machine_run(plain, 1000000) == MACHINE_RAN)
		;
	ck_assert_uint_eq(machine_now(plain), machine_now(m));
	ck_assert_str_eq(cpu_compare(&plain->cpu, &m->cpu) ? cpu_compare(&plain->cpu, &m->cpu) : "", "");
	ck_assert_uint_eq(machine_hash(plain), machine_hash(m));
	machine_free(plain);
}

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
		execution_stops_before_the_instruction, execution_by_physical_address, execution_in_one_address_space,
		a_write_stops_after_it_and_backwards_before_it, a_write_by_physical_address, a_watched_page_may_come_later,
		a_repeated_instruction_is_come_to_once_and_after_interrupts, hits_are_counted_alike_by_steps_and_by_going_on,
		a_read_is_no_write, a_port, an_msr, a_control_register, a_switch_to_an_address_space,
		an_exception_stops_before_its_delivery, an_exception_of_another_kind_does_not_stop,
		an_interrupt_stops_in_its_handler, a_software_interrupt_stops_in_its_handler, the_mapping_of_an_address,
		the_resumption_of_a_faulted_instruction, the_resumption_of_one_instruction, an_instruction_count_is_exact,
		a_condition_is_looked_at_where_it_stops, a_condition_knows_the_event, a_bad_condition_is_refused_when_it_is_set,
		ignored_hits_count_both_ways, of_several_the_lowest_is_told_and_all_count, a_temporary_one_is_gone_after_its_stop,
		a_disabled_one_does_not_stop, a_step_is_one_instruction_and_back_is_its_inverse,
		steps_go_past_interrupts_and_back_past_them, a_step_enters_interrupts_when_asked_to,
		a_step_enters_the_handler_of_its_fault, over_runs_the_fault_and_the_instruction_and_back_both,
		over_and_back_over_visit_the_same_places, a_breakpoint_inside_stops_a_step_over,
		out_ends_after_the_return_and_back_out_at_the_call, until_and_back_until,
		the_present_stops_once_and_then_life_goes_on, an_exception_in_the_present_does_not_stop_again_at_the_present,
		the_beginning_and_nothing_before, a_face_interrupts_and_all_faces_hear_of_it,
		an_interrupted_search_leaves_the_machine_where_it_was, a_change_by_hand_makes_another_future,
		the_last_writer_of_a_page_table_entry, the_last_writer_of_a_register,
	};
	TCase *flat = tcase_create("flat TLB"), *modelled = tcase_create("modelled TLB");
	TCase *timer = tcase_create("timer"), *reset = tcase_create("reset");
	Suite *s = suite_create("debugger");

	tcase_add_checked_fixture(flat, setup, teardown);
	tcase_add_checked_fixture(modelled, setup_modelled, teardown);
	tcase_set_timeout(flat, 120);
	tcase_set_timeout(modelled, 120);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		tcase_add_test(flat, tests[i]);
		tcase_add_test(modelled, tests[i]);
	}
	suite_add_tcase(s, flat);
	suite_add_tcase(s, modelled);
	tcase_add_checked_fixture(timer, setup_timer, teardown);
	tcase_add_checked_fixture(reset, setup_reset, teardown);
	tcase_set_timeout(timer, 120);
	tcase_add_test(timer, a_machine_that_waits_is_stepped_to_where_it_goes_on);
	tcase_add_test(timer, faces_are_asked_by_the_guests_time_too);
	tcase_add_test(timer, interrupts_of_a_machine_that_waits);
	tcase_add_test(reset, the_end_is_met_again_from_the_past);
	tcase_add_test(reset, a_guest_that_resets_the_machine_has_a_past_before_it);
	suite_add_tcase(s, timer);
	suite_add_tcase(s, reset);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
