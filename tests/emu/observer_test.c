/* tests/emu/observer_test.c: who is told, in which order, while the machine is quiet, and what a stop stops before or behind.
 *
 * The guest counts timer interrupts and mixes a checksum into a page (guests/timer.S), with paging off.
 */
#include "emu/machine.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICKS 200000u

static struct kernel kernel;
static struct machine *m;
static char err[ERROR_LINE];

static void start(const char *guest)
{
	struct machine_config config = { .memory = 4u << 20, .kernel = &kernel };
	char path[512];

	snprintf(path, sizeof(path), GUEST_DIR "/%s.elf", guest);
	ck_assert_msg(!kernel_open(&kernel, path, err), "%s", err);
	m = machine_create(&config, err);
	ck_assert_msg(m, "%s", err);
}

static void setup(void) { start("timer"); }

static void teardown(void)
{
	machine_free(m);
	kernel_close(&kernel);
}

/* --- an observer that counts ------------------------------------------------------------------------------------------- */

struct ears {
	struct observer o;
	unsigned instructions, exceptions, delivered, irets, ports, accessed, translated, alone, jumped, asked;
	bool stop;                     /* at the next of these */
	uint64_t icount;               /* in the callback that stopped */
	uint32_t eip;
	bool answer;                   /* of exception() and guarded() */
	char name, *order;             /* each IRET writes its observer's name there */
};

static void stop_here(struct ears *e)
{
	if (!e->stop)
		return;
	e->stop = false;
	e->icount = cpu_icount(&m->cpu);
	e->eip = m->cpu.eip;
	machine_stop_soon(m);
}

static void on_instruction(void *owner, struct machine *of)
{
	ck_assert_ptr_eq(of, m);
	((struct ears *)owner)->instructions++;
	stop_here(owner);
}

static bool on_exception(void *owner, struct machine *of, const struct fault_record *r)
{
	(void)of, (void)r;
	((struct ears *)owner)->exceptions++;
	return ((struct ears *)owner)->answer;
}

static void on_delivered(void *owner, struct machine *of, const struct fault_record *r)
{
	(void)of, (void)r;
	((struct ears *)owner)->delivered++;
}

static void on_iret(void *owner, struct machine *of)
{
	struct ears *e = owner;

	(void)of;
	e->irets++;
	if (e->order)
		e->order[strlen(e->order)] = e->name;
	stop_here(e);
}

static void on_port(void *owner, struct machine *of, uint16_t port, unsigned size, bool write, uint32_t value)
{
	(void)of, (void)port, (void)size, (void)write, (void)value;
	((struct ears *)owner)->ports++;
	stop_here(owner);
}

static void on_accessed(void *owner, struct machine *of, const struct phys_access *a)
{
	(void)of, (void)a;
	((struct ears *)owner)->accessed++;
	stop_here(owner);
}

static void on_translated(void *owner, struct machine *of, const struct access *a, const struct tlb_entry *e, bool hit)
{
	(void)of, (void)a, (void)e, (void)hit;
	((struct ears *)owner)->translated++;
}

static bool on_guarded(void *owner, struct machine *of, uint32_t vpn, uint32_t frame)
{
	(void)of, (void)vpn, (void)frame;
	((struct ears *)owner)->asked++;
	return ((struct ears *)owner)->answer;
}

static void on_alone(void *owner, struct machine *of)
{
	(void)of;
	((struct ears *)owner)->alone++;
	stop_here(owner);
}

static void on_jumped(void *owner, struct machine *of)
{
	(void)of;
	((struct ears *)owner)->jumped++;
}

static struct ears ears(void)
{
	return (struct ears){ .o = { .name = "ears" } };
}

static void join(struct ears *e)
{
	e->o.owner = e;
	machine_observe(m, &e->o);
}

static void run(void) { ck_assert_int_eq(machine_run(m, TICKS), MACHINE_RAN); }

/* --- who is told --------------------------------------------------------------------------------------------------------- */

START_TEST(all_are_told_in_the_order_of_joining)
{
	char order[256] = "";
	struct ears a = ears(), b = ears(), c = ears();

	a.o.iret = b.o.iret = c.o.iret = on_iret;
	a.order = b.order = c.order = order;
	a.name = 'a', b.name = 'b', c.name = 'c';
	join(&a);
	join(&b);
	join(&c);
	run();
	ck_assert(!strncmp(order, "abcabc", 6));
	machine_unobserve(m, &b.o);
	memset(order, 0, sizeof(order));
	run();
	ck_assert(!strncmp(order, "acac", 4));
	machine_unobserve(m, &b.o);                            /* it is not there: nothing happens */
	join(&b);
	memset(order, 0, sizeof(order));
	run();
	ck_assert(!strncmp(order, "acbacb", 6));
}
END_TEST

START_TEST(what_nobody_asks_for_has_no_hook)
{
	static const struct cpu_watch nothing;
	struct ears e = ears();

	e.o.instruction = on_instruction, e.o.exception = on_exception, e.o.port = on_port, e.o.accessed = on_accessed;
	e.o.translated = on_translated, e.o.guarded = on_guarded, e.o.alone = on_alone;
	join(&e);
	ck_assert(m->cpu.watch.instruction && m->cpu.watch.exception && m->cpu.watch.guarded && m->cpu.watch.alone);
	ck_assert(m->mmu.translated && m->phys.accessed && m->ports_observed);
	ck_assert(!m->cpu.watch.iret && !m->cpu.watch.delivered && !m->cpu.watch.control && !m->mmu.walked && !m->mmu.tlb_changed);
	run();
	ck_assert_uint_gt(e.instructions, TICKS / 4);
	ck_assert_uint_gt(e.ports, 10);
	machine_unobserve(m, &e.o);
	m->cpu.watch.owner = NULL;
	ck_assert(!memcmp(&m->cpu.watch, &nothing, sizeof(nothing)));
	ck_assert(!m->mmu.translated && !m->phys.accessed && !m->ports_observed);
	unsigned n = e.instructions;
	run();
	ck_assert_uint_eq(e.instructions, n);
}
END_TEST

/* All hear of the exception, though the first has said to stop; and it is there again. */
START_TEST(one_who_says_so_stops_before_an_exception)
{
	struct ears a = ears(), b = ears();

	teardown();
	start("triple");
	a.o.exception = b.o.exception = on_exception;
	b.o.delivered = on_delivered;
	a.answer = true;
	join(&a);
	join(&b);
	for (unsigned i = 1; i <= 3; i++) {
		ck_assert_int_eq(machine_run(m, TICKS), MACHINE_REQUESTED);
		ck_assert_uint_eq(a.exceptions, i);
		ck_assert_uint_eq(b.exceptions, i);
		ck_assert_uint_eq(b.delivered, 0);
	}
	a.answer = false;
	ck_assert_int_eq(machine_run(m, TICKS), MACHINE_TRIPLE_FAULT);
}
END_TEST

/* --- quiet --------------------------------------------------------------------------------------------------------------- */

START_TEST(in_a_quiet_machine_only_who_says_even_quiet_is_told)
{
	struct ears a = ears(), b = ears();

	a.o.iret = b.o.iret = on_iret;
	a.o.jumped = b.o.jumped = on_jumped;
	b.o.even_quiet = true;
	join(&a);
	join(&b);
	machine_quiet(m, true);
	machine_quiet(m, true);
	run();
	ck_assert_uint_eq(a.irets, 0);
	ck_assert_uint_gt(b.irets, 0);
	machine_quiet(m, false);
	run();
	ck_assert_uint_eq(a.irets, 0);
	machine_jumped(m);
	ck_assert_uint_eq(a.jumped + b.jumped, 2);
	machine_quiet(m, false);
	run();
	ck_assert_uint_gt(a.irets, 0);
	machine_unobserve(m, &b.o);
	machine_quiet(m, true);
	ck_assert_ptr_null(m->cpu.watch.iret);
}
END_TEST

static void watch_everything(bool on)
{
	for (uint32_t frame = 0x100; frame < 0x110; frame++) {
		ck_assert_int_eq(machine_watch_frame(m, frame, on), 0);
		ck_assert_int_eq(machine_watch_vpn(m, frame, on), 0);
	}
}

START_TEST(what_is_watched_while_quiet_is_watched_afterwards)
{
	struct ears e = ears();

	e.o.accessed = on_accessed;
	e.o.translated = on_translated;
	join(&e);
	run();
	ck_assert_uint_eq(e.accessed, 0);
	watch_everything(true);
	run();
	ck_assert_uint_gt(e.accessed, 1000);
	ck_assert_uint_gt(e.translated, 1000);

	machine_quiet(m, true);
	ck_assert_ptr_null(m->phys.watched);                   /* nothing is slow now */
	e.accessed = e.translated = 0;
	run();
	machine_quiet(m, false);
	ck_assert_uint_eq(e.accessed + e.translated, 0);
	run();
	ck_assert_uint_gt(e.accessed, 1000);
	ck_assert_uint_gt(e.translated, 1000);

	machine_quiet(m, true);
	watch_everything(false);
	machine_quiet(m, false);
	e.accessed = 0;
	run();
	ck_assert_uint_eq(e.accessed, 0);

	machine_quiet(m, true);
	watch_everything(true);
	machine_watch_all(m, true);
	ck_assert_uint_eq(m->mmu.all_watched, 0);
	run();
	machine_quiet(m, false);
	ck_assert_uint_eq(m->mmu.all_watched, 1);
	e.accessed = e.translated = 0;
	run();
	ck_assert_uint_gt(e.accessed, 1000);
	ck_assert_uint_gt(e.translated, TICKS / 2);
	/* One who may hear it keeps the watches on. */
	e.o.even_quiet = true;
	machine_quiet(m, true);
	ck_assert_uint_eq(m->mmu.all_watched, 1);
}
END_TEST

START_TEST(a_machine_may_end_while_it_is_quiet)
{
	struct ears *e = calloc(1, sizeof(*e));

	*e = ears();
	e->o.accessed = on_accessed;
	join(e);
	watch_everything(true);
	machine_quiet(m, true);
	run();
	free(e);                                               /* and an observer before it */
}
END_TEST

/* --- stopping ------------------------------------------------------------------------------------------------------------ */

START_TEST(a_stop_comes_before_the_instruction_that_is_only_announced)
{
	struct ears e = ears();

	e.answer = true;
	e.o.guarded = on_guarded;
	if (_i)
		e.o.alone = on_alone;
	else
		e.o.instruction = on_instruction;
	run();                                                 /* the code is known when the observer comes */
	join(&e);
	run();
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t before = cpu_icount(&m->cpu);
		e.stop = true;
		ck_assert_int_eq(machine_run(m, TICKS), MACHINE_REQUESTED);
		ck_assert_uint_eq(cpu_icount(&m->cpu), e.icount);
		ck_assert_uint_eq(m->cpu.eip, e.eip);
		ck_assert_uint_le(e.icount - before, 1);
		ck_assert_int_eq(machine_run(m, 1), MACHINE_RAN);
	}
}
END_TEST

START_TEST(a_stop_comes_behind_the_instruction_in_progress)
{
	struct ears e = ears();

	if (_i == 0)
		e.o.iret = on_iret;
	else if (_i == 1)
		e.o.port = on_port;
	else
		e.o.accessed = on_accessed;
	join(&e);
	if (_i == 2)
		watch_everything(true);
	for (unsigned i = 0; i < 200; i++) {
		e.stop = true;
		ck_assert_int_eq(machine_run(m, TICKS), MACHINE_REQUESTED);
		/* The last of the accesses of an interrupt's delivery come before it counts. */
		ck_assert_uint_le(cpu_icount(&m->cpu) - e.icount, _i == 2);
		ck_assert(_i == 0 || m->cpu.eip != e.eip);
	}
}
END_TEST

START_TEST(a_stop_between_runs_ends_the_next_one_at_once)
{
	run();
	uint64_t now = machine_now(m);
	machine_stop_soon(m);
	ck_assert_int_eq(machine_run(m, TICKS), MACHINE_REQUESTED);
	ck_assert_uint_eq(machine_now(m), now);
	run();
	ck_assert_uint_eq(machine_now(m), now + TICKS);
}
END_TEST

START_TEST(guards_are_asked_once_until_they_have_changed)
{
	struct ears e = ears();

	e.o.guarded = on_guarded;
	e.o.alone = on_alone;
	join(&e);
	run();
	run();
	unsigned asked = e.asked, alone = e.alone;
	ck_assert_uint_ge(asked, 1);
	ck_assert_uint_le(asked, 4);
	ck_assert_uint_lt(alone, TICKS / 10);
	e.answer = true;
	run();
	ck_assert_uint_eq(e.asked, asked);
	machine_watch_code(m);
	run();
	ck_assert_uint_gt(e.asked, asked);
	ck_assert_uint_gt(e.alone - alone, TICKS / 2);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("observers");
	TCase *t = tcase_create("observers");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, all_are_told_in_the_order_of_joining);
	tcase_add_test(t, what_nobody_asks_for_has_no_hook);
	tcase_add_test(t, one_who_says_so_stops_before_an_exception);
	tcase_add_test(t, in_a_quiet_machine_only_who_says_even_quiet_is_told);
	tcase_add_test(t, what_is_watched_while_quiet_is_watched_afterwards);
	tcase_add_test(t, a_machine_may_end_while_it_is_quiet);
	tcase_add_loop_test(t, a_stop_comes_before_the_instruction_that_is_only_announced, 0, 2);
	tcase_add_loop_test(t, a_stop_comes_behind_the_instruction_in_progress, 0, 3);
	tcase_add_test(t, a_stop_between_runs_ends_the_next_one_at_once);
	tcase_add_test(t, guards_are_asked_once_until_they_have_changed);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
