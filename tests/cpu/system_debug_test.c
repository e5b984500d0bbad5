/* tests/cpu/system_debug_test.c: breakpoints, single steps, RF: [SDM3B 17.2 "Debug Registers"], [SDM3B 17.3 "Debug Exceptions"]. */
#include "system_pc.h"

static struct pc *pc;
static void setup(void) { pc = pc_new(); }
static void teardown(void) { pc_free(pc); }

static uint32_t flags(void) { return cpu_eflags(&pc->cpu); }

static void expect_debug(uint32_t dr6, uint32_t eip)
{
	ck_assert_uint_eq(pc->exceptions, 1);
	ck_assert_uint_eq(pc->last.fault.vector, VEC_DB);
	ck_assert_uint_eq(pc->cpu.eip, handler(VEC_DB));
	ck_assert_uint_eq(pc->cpu.dr[6] & 0xe00f, dr6);
	ck_assert_uint_eq(stack_dword(pc, 0), eip);
}

START_TEST(TF_traps_after_the_next_instruction)
{
	ring(pc, 0);
	cpu_set_eflags(&pc->cpu, F_ONE | F_TF);
	PLACE(pc, CODE, 0x90, 0x90);
	step(pc, 2);
	expect_debug(0x4000, CODE + 1);
	ck_assert_uint_eq(stack_dword(pc, 2), F_ONE | F_TF);
	ck_assert_uint_eq(flags(), F_ONE);
}
END_TEST

START_TEST(POPF_that_sets_TF_traps_one_instruction_later)
{
	ring(pc, 0);
	pc->trace_checked = false;
	put32(pc, pc->cpu.r[R_ESP], F_ONE | F_TF);
	PLACE(pc, CODE, 0x9d, 0x90, 0x90);
	step(pc, 3);
	expect_debug(0x4000, CODE + 2);
}
END_TEST

START_TEST(INT_n_takes_no_single_step_trap)
{
	ring(pc, 0);
	cpu_set_eflags(&pc->cpu, F_ONE | F_TF);
	PLACE(pc, CODE, 0xcd, 0x50);
	step(pc, 3);
	expect_no_fault(pc);
	ck_assert_uint_eq(pc->cpu.eip, handler(0x50));
}
END_TEST

START_TEST(a_fetch_breakpoint_is_a_fault_that_RF_passes_over)
{
	ring(pc, 0);
	pc->cpu.dr[1] = CODE + 1;
	pc->cpu.dr[7] = 0x400 | 4;
	PLACE(pc, CODE, 0x90, 0x90, 0x90);
	step(pc, 1);
	expect_no_fault(pc);
	step(pc, 1);
	expect_debug(2, CODE + 1);
	/* The handler's IRET with RF set in its frame lets the instruction run. */
	put32(pc, pc->cpu.r[R_ESP] + 8, F_ONE | F_RF);
	RUN(pc, 0xcf);
	ck_assert_uint_eq(pc->cpu.eip, CODE + 1);
	ck_assert_uint_eq(flags(), F_ONE | F_RF);
	step(pc, 1);
	expect_no_fault(pc);
	ck_assert_uint_eq(pc->cpu.eip, CODE + 2);
	ck_assert_uint_eq(flags(), F_ONE);
	put16(pc, handler(VEC_DB), 0xfeeb);
}
END_TEST

struct watch_case { uint32_t dr, rw, len; bool write; uint32_t at; bool hit; };
static const struct watch_case watch_cases[] = {
	{ 0x48000, 1, 3, true, 0x48000, true }, { 0x48000, 1, 3, false, 0x48000, false }, { 0x48000, 3, 3, false, 0x48000, true },
	{ 0x48000, 1, 0, true, 0x47ffd, true }, { 0x48000, 1, 0, true, 0x47ffc, false }, { 0x48000, 1, 0, true, 0x48001, false },
	{ 0x48003, 1, 3, true, 0x48003, true }, { 0x48003, 1, 3, true, 0x47ffd, true }, { 0x48002, 3, 1, true, 0x48004, false },
	{ 0x48000, 0, 0, true, 0x48000, false },
};

START_TEST(a_data_breakpoint_traps_after_the_access)
{
	const struct watch_case *c = &watch_cases[_i];

	ring(pc, 0);
	pc->trace_checked = false;
	pc->cpu.r[R_EAX] = c->dr;
	pc->cpu.r[R_EBX] = 0x400 | 1 << 4 | c->rw << 24 | c->len << 26;
	PLACE(pc, CODE, 0x0f, 0x23, 0xd0, 0x0f, 0x23, 0xfb, c->write ? 0x89 : 0x8b, 0x05, W32(c->at), 0x90);
	step(pc, 4);
	if (c->hit)
		expect_debug(4, CODE + 12);
	else
		expect_no_fault(pc);
}
END_TEST

START_TEST(an_access_that_faults_hits_no_data_breakpoint)
{
	ring(pc, 0);
	paging(pc);
	pc->trace_checked = false;
	page(pc, 0x49000, 0);
	pc->cpu.r[R_EAX] = 0x48ffc;
	pc->cpu.r[R_EBX] = 0x400 | 1 << 4 | 3u << 24 | 3u << 26;
	/* les 0x48ffc, %edx: the offset is watched, the selector's page is missing. */
	PLACE(pc, CODE, 0x0f, 0x23, 0xd0, 0x0f, 0x23, 0xfb, 0xc4, 0x15, W32(0x48ffc), 0x90);
	step(pc, 4);
	ck_assert_uint_eq(pc->exceptions, 1);
	ck_assert_uint_eq(pc->last.fault.vector, VEC_PF);
	ck_assert_uint_eq(pc->cpu.pending_dr6, 0);
}
END_TEST

START_TEST(a_port_breakpoint_needs_CR4_DE)
{
	for (unsigned de = 0; de < 2; de++) {
		ring(pc, 0);
		pc->trace_checked = false;
		cpu_set_cr4(&pc->cpu, de ? CR4_DE : 0);
		pc->cpu.r[R_EAX] = 0x80;
		pc->cpu.r[R_EBX] = 0x400 | 1 << 6 | 2u << 28;
		PLACE(pc, CODE, 0x0f, 0x23, 0xd8, 0x0f, 0x23, 0xfb, 0xe6, 0x80, 0x90);
		step(pc, 4);
		if (de)
			expect_debug(8, CODE + 8);
		else
			expect_no_fault(pc);
	}
}
END_TEST

START_TEST(DR7_GD_faults_before_a_debug_register_moves_and_is_cleared)
{
	ring(pc, 0);
	pc->cpu.dr[7] = 0x2400;
	RUN(pc, 0x0f, 0x21, 0xf0);
	expect_fault(pc, VEC_DB);
	ck_assert_uint_eq(pc->cpu.dr[6] & 0x2000, 0x2000);
	ck_assert_uint_eq(pc->cpu.dr[7], 0x400);
}
END_TEST

START_TEST(DR4_and_DR5_are_aliases_until_CR4_DE)
{
	ring(pc, 0);
	pc->cpu.r[R_EAX] = 0;
	RUN(pc, 0x0f, 0x23, 0xe0);
	expect_no_fault(pc);
	ck_assert_uint_eq(pc->cpu.dr[6], 0xffff0ff0);
	pc->cpu.eip = CODE;
	RUN(pc, 0x0f, 0x21, 0xe9);
	ck_assert_uint_eq(pc->cpu.r[R_ECX], pc->cpu.dr[7]);
	ring(pc, 0);
	cpu_set_cr4(&pc->cpu, CR4_DE);
	RUN(pc, 0x0f, 0x21, 0xe8);
	expect_fault(pc, VEC_UD);
}
END_TEST

START_TEST(a_watcher_that_stops_on_a_trap_gets_it_again)
{
	ring(pc, 0);
	cpu_set_eflags(&pc->cpu, F_ONE | F_TF);
	pc->stop_on_exception = true;
	pc->trace_checked = false;
	PLACE(pc, CODE, 0x90, 0x90);
	ck_assert_int_eq(step(pc, 2), CPU_STOP_REQUEST);
	ck_assert_uint_eq(pc->cpu.eip, CODE + 1);
	pc->stop_on_exception = false;
	step(pc, 1);
	expect_debug(0x4000, CODE + 1);
}
END_TEST

/* --- RF: [SDM3B 17.3.1.1 "Instruction-Breakpoint Exception Condition"] ---------------------------------------------- */

#define REP_MOVSB 0xf3, 0xa4
#define ITERATIONS 4

static void start_string(void)
{
	ring(pc, 0);
	cpu_set_eflags(&pc->cpu, F_ONE | F_IF);
	pc->cpu.r[R_ESI] = 0x48000;
	pc->cpu.r[R_EDI] = 0x49000;
	pc->cpu.r[R_ECX] = ITERATIONS;
	PLACE(pc, CODE, REP_MOVSB, 0x90, 0x90);
}

/* The interrupt comes after done iterations, which ran in one piece or one by one. */
START_TEST(an_interrupt_between_iterations_of_a_string_instruction_pushes_RF)
{
	for (unsigned n = 0; n < 4 * (ITERATIONS + 2); n++) {
		unsigned done = n / 4;
		bool nmi = n & 1, in_pieces = n & 2;

		start_string();
		pc->trace_checked = false;
		for (unsigned i = 0; in_pieces && i < done; i++)
			step(pc, 1);
		if (!in_pieces)
			step(pc, done);
		ck_assert_uint_eq(pc->cpu.r[R_ECX], done < ITERATIONS ? ITERATIONS - done : 0);
		pc->irq_vector = 0x40;
		if (nmi)
			cpu_raise_nmi(&pc->cpu);
		else
			cpu_set_intr(&pc->cpu, true);
		step(pc, 1);
		ck_assert_uint_eq(pc->cpu.eip, handler(nmi ? VEC_NMI : 0x40));
		ck_assert_uint_eq(stack_dword(pc, 0), CODE + (done < ITERATIONS ? 0 : done - ITERATIONS + 2));
		ck_assert_msg(stack_dword(pc, 2) == (F_ONE | F_IF | (done > 0 && done < ITERATIONS ? F_RF : 0)),
			"flags %x pushed after %u iterations", stack_dword(pc, 2), done);
		/* The handler is another story. */
		pc->cpu.nmi_blocked = false;
		cpu_raise_nmi(&pc->cpu);
		step(pc, 1);
		ck_assert_uint_eq(stack_dword(pc, 0), handler(nmi ? VEC_NMI : 0x40));
		ck_assert_uint_eq(stack_dword(pc, 2) & F_RF, 0);
		pc->cpu.nmi_blocked = false;
	}
}
END_TEST

START_TEST(a_trap_between_iterations_pushes_RF_and_the_last_one_does_not)
{
	for (unsigned n = 0; n < 2; n++) {
		bool data = n == 1;

		start_string();
		pc->trace_checked = false;
		if (data)
			pc->cpu.dr[0] = 0x49000, pc->cpu.dr[7] = 0x400 | 2 | 0xd << 16;
		else
			cpu_set_eflags(&pc->cpu, F_ONE | F_TF);
		segment_update_all(&pc->cpu);
		for (unsigned i = 1; i <= ITERATIONS; i++) {
			uint32_t rf = i < ITERATIONS ? F_RF : 0;

			step(pc, 2);
			expect_debug(data ? 1 : 0x4000, CODE + (rf ? 0 : 2));
			ck_assert_uint_eq(stack_dword(pc, 2) & F_RF, rf);
			ck_assert_uint_eq(pc->cpu.r[R_ECX], ITERATIONS - i);
			pc->cpu.dr[6] = 0;
			RUN(pc, 0xcf);
			put16(pc, handler(VEC_DB), 0xfeeb);
		}
	}
}
END_TEST

START_TEST(a_fetch_breakpoint_on_a_string_instruction_hits_once)
{
	start_string();
	pc->trace_checked = false;
	pc->cpu.dr[0] = CODE;
	pc->cpu.dr[7] = 0x402;
	step(pc, 1);
	expect_debug(1, CODE);
	put32(pc, pc->cpu.r[R_ESP] + 8, F_ONE | F_IF | F_RF);
	RUN(pc, 0xcf);
	put16(pc, handler(VEC_DB), 0xfeeb);
	/* An interrupt after the second iteration; its handler returns, and the string goes on to its end. */
	step(pc, 2);
	expect_no_fault(pc);
	pc->irq_vector = 0x40;
	cpu_set_intr(&pc->cpu, true);
	step(pc, 1);
	RUN(pc, 0xcf);
	put16(pc, handler(0x40), 0xfeeb);
	step(pc, 3);
	expect_no_fault(pc);
	ck_assert_uint_eq(pc->cpu.eip, CODE + 3);
	ck_assert_uint_eq(flags() & F_RF, 0);
}
END_TEST

START_TEST(a_watcher_that_stops_on_a_fault_finds_RF_and_the_shadow_as_they_were)
{
	ring(pc, 0);
	PLACE(pc, CODE, 0xfb, 0xf7, 0xf1);                     /* sti; div %ecx */
	pc->cpu.r[R_ECX] = 0;
	cpu_set_eflags(&pc->cpu, F_ONE | F_RF);
	step(pc, 1);
	ck_assert_uint_eq(flags(), F_ONE | F_IF);
	cpu_set_eflags(&pc->cpu, F_ONE | F_IF | F_RF);
	pc->irq_vector = 0x40;
	cpu_set_intr(&pc->cpu, true);
	pc->stop_on_exception = true;
	ck_assert_int_eq(step(pc, 1), CPU_STOP_REQUEST);
	ck_assert_uint_eq(flags(), F_ONE | F_IF | F_RF);
	pc->stop_on_exception = false;
	step(pc, 1);
	expect_fault(pc, VEC_DE);
}
END_TEST

static Suite *system_debug_suite(void)
{
	Suite *s = suite_create("system_debug");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, TF_traps_after_the_next_instruction);
	tcase_add_test(t, POPF_that_sets_TF_traps_one_instruction_later);
	tcase_add_test(t, INT_n_takes_no_single_step_trap);
	tcase_add_test(t, a_fetch_breakpoint_is_a_fault_that_RF_passes_over);
	tcase_add_loop_test(t, a_data_breakpoint_traps_after_the_access, 0, sizeof(watch_cases) / sizeof(watch_cases[0]));
	tcase_add_test(t, an_access_that_faults_hits_no_data_breakpoint);
	tcase_add_test(t, a_port_breakpoint_needs_CR4_DE);
	tcase_add_test(t, DR7_GD_faults_before_a_debug_register_moves_and_is_cleared);
	tcase_add_test(t, DR4_and_DR5_are_aliases_until_CR4_DE);
	tcase_add_test(t, a_watcher_that_stops_on_a_trap_gets_it_again);
	tcase_add_test(t, an_interrupt_between_iterations_of_a_string_instruction_pushes_RF);
	tcase_add_test(t, a_trap_between_iterations_pushes_RF_and_the_last_one_does_not);
	tcase_add_test(t, a_fetch_breakpoint_on_a_string_instruction_hits_once);
	tcase_add_test(t, a_watcher_that_stops_on_a_fault_finds_RF_and_the_shadow_as_they_were);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(system_debug_suite());

	srunner_set_fork_status(r, CK_NOFORK);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
