/* tests/emu/history_test.c: going back. Every moment of a run that can be gone to is compared with the same moment of a straight run of the
 * same machine that has no history: memory, all state with the TLB, and the disk. */
#include "tests/emu/history_rig.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/emu/spill_file.h"

#ifdef __SANITIZE_ADDRESS__
#define RUN (40 * MILLION)
#define MOMENTS 20
#else
#define RUN (120 * MILLION)
#define MOMENTS 200
#endif

/* --- moments --------------------------------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void random_moments(uint64_t *at, unsigned n, uint64_t from, uint64_t to, unsigned *seed)
{
	for (unsigned i = 0; i < n; i++)
		at[i] = from + ((uint64_t)rand_r(seed) << 20 ^ (uint64_t)rand_r(seed)) % (to - from);
	qsort(at, n, sizeof(*at), by_value);
}

static void shuffle(unsigned *order, unsigned n, unsigned *seed)
{
	for (unsigned i = 0; i < n; i++)
		order[i] = i;
	for (unsigned i = n - 1; i; i--) {
		unsigned j = (unsigned)rand_r(seed) % (i + 1), t = order[i];
		order[i] = order[j];
		order[j] = t;
	}
}

static bool with_disk(unsigned i) { return i % 16 == 0; }

/* The straight run: what it is like at each of the ticks. */
static void straight(struct rig *r, const uint64_t *at, struct print *p, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		ck_assert_int_eq(machine_run(r->m, at[i] - machine_now(r->m)), MACHINE_RAN);
		p[i] = print_of(r->m, with_disk(i));
	}
}

static void visit(struct rig *r, const uint64_t *at, const struct print *p, unsigned n, unsigned *seed)
{
	unsigned order[200];

	shuffle(order, n, seed);
	for (unsigned k = 0; k < n; k++) {
		unsigned i = order[k];
		ck_assert_msg(history_goto_tick(r->h, at[i], NULL, err) == HISTORY_OK, "tick %llu: %s", (unsigned long long)at[i], err);
		ck_assert_uint_eq(machine_now(r->m), at[i]);
		check_same(r->m, &p[i], with_disk(i), "tick", at[i]);
	}
}

static void random_order(struct tlb_geometry tlb, uint64_t ticks, unsigned moments, uint64_t limit, unsigned seed)
{
	static uint64_t at[MOMENTS];
	static struct print p[MOMENTS], present;
	struct rig plain, r;

	random_moments(at, moments, 0, ticks, &seed);
	start_pagoda(&plain, tlb, script);
	straight(&plain, at, p, moments);
	ck_assert_int_eq(machine_run(plain.m, ticks - machine_now(plain.m)), MACHINE_RAN);
	present = print_of(plain.m, true);

	start_pagoda(&r, tlb, script);
	remember(&r, limit);
	ck_assert_int_eq(history_run(r.h, ticks), MACHINE_RAN);
	check_same(r.m, &present, true, "present", ticks);
	visit(&r, at, p, moments, &seed);
	ck_assert(history_in_past(r.h));
	ck_assert_msg(history_goto_tick(r.h, ticks, NULL, err) == HISTORY_OK, "%s", err);
	ck_assert(!history_in_past(r.h));
	check_same(r.m, &present, true, "present again", ticks);

	/* And on from there, as the straight run goes on. */
	ck_assert_int_eq(machine_run(plain.m, MILLION), MACHINE_RAN);
	ck_assert_int_eq(history_run(r.h, MILLION), MACHINE_RAN);
	present = print_of(plain.m, true);
	check_same(r.m, &present, true, "after the present", ticks + MILLION);
	ck_assert_uint_eq(r.printed, plain.printed);
	ck_assert_ptr_null(history_trouble(r.h));
	end(&plain);
	end(&r);
}

START_TEST(any_moment_is_as_it_was)
{
	random_order((struct tlb_geometry){ 0, 0 }, RUN, MOMENTS, PAGODA_LIMIT, 1);
}
END_TEST

START_TEST(any_moment_is_as_it_was_with_a_modelled_tlb)
{
	random_order((struct tlb_geometry){ 64, 4 }, RUN / 10, MOMENTS / 4, PAGODA_LIMIT, 2);
}
END_TEST

START_TEST(any_moment_is_as_it_was_though_few_checkpoints_fit)
{
	random_order((struct tlb_geometry){ 0, 0 }, RUN / 4, MOMENTS / 8, 1 << 20, 3);
}
END_TEST

START_TEST(without_room_for_any_checkpoint_too)
{
	random_order((struct tlb_geometry){ 0, 0 }, RUN / 8, MOMENTS / 16, 0, 4);
}
END_TEST

/* --- what a run with history is ------------------------------------------------------------------------------------------ */

/* The same end, however much is remembered, and however the run was cut. */
START_TEST(remembering_changes_nothing)
{
	static const uint64_t limits[] = { 0, 1 << 20, PAGODA_LIMIT };
	struct print want;
	struct rig r;

	start_pagoda(&r, (struct tlb_geometry){ 0, 0 }, script);
	ck_assert_int_eq(machine_run(r.m, RUN / 2), MACHINE_RAN);
	want = print_of(r.m, true);
	end(&r);
	for (unsigned i = 0; i < 3; i++) {
		unsigned seed = i;
		start_pagoda(&r, (struct tlb_geometry){ 0, 0 }, script);
		remember(&r, limits[i]);
		for (uint64_t left = RUN / 2, n; left; left -= n) {
			n = 1 + (uint64_t)rand_r(&seed) % (3 * MILLION);
			n = n < left ? n : left;
			ck_assert_int_eq(history_run(r.h, n), MACHINE_RAN);
		}
		check_same(r.m, &want, true, "limit", limits[i]);
		end(&r);
	}
}
END_TEST

static size_t checkpoints_of(struct rig *r, uint64_t piece, struct moment *at, size_t room)
{
	start_pagoda(r, (struct tlb_geometry){ 0, 0 }, script);
	remember(r, PAGODA_LIMIT);
	for (uint64_t done = 0; done < RUN; done += piece)
		ck_assert_int_eq(history_run(r->h, piece), MACHINE_RAN);
	size_t n = history_checkpoints(r->h, at, room);
	end(r);
	return n;
}

START_TEST(checkpoints_lie_at_the_same_instructions_however_the_run_is_cut)
{
	struct moment a[100], b[100];
	struct rig r;
	size_t n = checkpoints_of(&r, RUN, a, 100);

	ck_assert_uint_eq(checkpoints_of(&r, 20011, b, 100), n);
	ck_assert_uint_ge(n, 2);
	for (size_t i = 0; i < n; i++) {
		ck_assert_uint_eq(a[i].icount, b[i].icount);
		ck_assert_uint_eq(a[i].tick, b[i].tick);
	}
}
END_TEST

START_TEST(the_limit_is_kept_and_gaps_stay_even)
{
	static const uint64_t limit = 28u << 20;
	struct history_stats s;
	struct moment at[1000];
	struct rig r;
	uint64_t widest = 0;

	start_pagoda(&r, (struct tlb_geometry){ 0, 0 }, script);
	remember(&r, limit);
	history_stats(r.h, &s);
	uint64_t first = s.bytes;
	for (unsigned i = 0; i < RUN / MILLION; i++) {
		ck_assert_int_eq(history_run(r.h, MILLION), MACHINE_RAN);
		history_stats(r.h, &s);
		ck_assert_msg(s.bytes <= limit + first, "%llu bytes", (unsigned long long)s.bytes);
	}
	size_t n = history_checkpoints(r.h, at, 1000);
	ck_assert_uint_ge(n, 2);
	for (size_t i = 1; i < n; i++)
		widest = at[i].icount - at[i - 1].icount > widest ? at[i].icount - at[i - 1].icount : widest;
	ck_assert_msg(widest <= 4 * (at[n - 1].icount - at[0].icount) / (n - 1), "%zu checkpoints, widest gap %llu", n, (unsigned long long)widest);
	end(&r);
}
END_TEST

/* --- more than memory has room for ---------------------------------------------------------------------------------------- */

static const char swapping[] = "demo-swap\ndemo-swap\ndemo-swap\n";
#define SMALL_LIMIT (4u << 20)
#define SWAPPING (RUN / 2 > 40 * MILLION ? RUN / 2 : 40 * MILLION)     /* long enough for more than that to be written */

static void start_swapping(struct rig *r)
{
	start_pagoda(r, (struct tlb_geometry){ 0, 0 }, swapping);
	remember(r, SMALL_LIMIT);
}

/* A guest that swaps far more than the limit keeps its past all the same, in a file. */
START_TEST(checkpoints_survive_much_writing_to_the_disk)
{
	static uint64_t at[MOMENTS / 10];
	static struct print p[MOMENTS / 10];
	struct history_stats s;
	struct rig r;
	unsigned seed = 7;

	random_moments(at, MOMENTS / 10, 0, RUN, &seed);
	start_pagoda(&r, (struct tlb_geometry){ 0, 0 }, swapping);
	straight(&r, at, p, MOMENTS / 10);
	end(&r);
	start_swapping(&r);
	ck_assert_int_eq(history_run(r.h, RUN), MACHINE_RAN);
	history_stats(r.h, &s);
	ck_assert_uint_le(s.bytes, SMALL_LIMIT + (1 << 20));
	ck_assert_uint_gt(s.spilled, SMALL_LIMIT);
	ck_assert_msg(s.widest < 100 * MILLION, "%u checkpoints, widest gap %llu", s.checkpoints, (unsigned long long)s.widest);
	visit(&r, at, p, MOMENTS / 10, &seed);
	ck_assert_ptr_null(history_notice(r.h));
	ck_assert_ptr_null(history_trouble(r.h));
	end(&r);
}
END_TEST

START_TEST(a_file_that_cannot_grow_costs_checkpoints_and_nothing_else)
{
	static uint64_t at[MOMENTS / 10];
	static struct print p[MOMENTS / 10];
	struct history_stats s;
	struct rig r;
	unsigned seed = 8;

	random_moments(at, MOMENTS / 10, 0, SWAPPING, &seed);
	start_pagoda(&r, (struct tlb_geometry){ 0, 0 }, swapping);
	straight(&r, at, p, MOMENTS / 10);
	end(&r);
	start_swapping(&r);
	files_most(1 << 20);
	history_run(r.h, SWAPPING);
	files_most(RLIM_INFINITY);                     /* Check keeps what it hears in a file, too */
	visit(&r, at, p, MOMENTS / 10, &seed);
	history_stats(r.h, &s);
	ck_assert_uint_le(s.spilled, 1 << 20);
	ck_assert_int_eq(s.spill_error, -EFBIG);
	ck_assert_ptr_nonnull(strstr(history_notice(r.h), "cannot grow"));
	ck_assert_ptr_null(history_notice(r.h));
	ck_assert_ptr_null(history_trouble(r.h));
	end(&r);
}
END_TEST

/* What is gone is gone, but no moment is passed off as another: the machine is where it was, or does not run. */
START_TEST(a_file_that_loses_bytes_ends_in_an_error)
{
	struct rig r;
	struct print present;

	start_swapping(&r);
	ck_assert_int_eq(history_run(r.h, SWAPPING), MACHINE_RAN);
	present = print_of(r.m, true);
	ck_assert_int_ge(spill_file(), 0);
	ck_assert_int_eq(ftruncate(spill_file(), 0), 0);
	ck_assert_int_eq(history_goto_tick(r.h, 0, NULL, err), HISTORY_ERROR);
	ck_assert_msg(strstr(err, "lost"), "%s", err);
	if (history_in_past(r.h)) {
		ck_assert_int_eq(history_run(r.h, MILLION), MACHINE_REQUESTED);
		ck_assert_msg(strstr(history_trouble(r.h), "at no moment"), "%s", history_trouble(r.h));
	} else {
		check_same(r.m, &present, true, "present", SWAPPING);
	}
	end(&r);
}
END_TEST

/* --- where to go ----------------------------------------------------------------------------------------------------------- */

START_TEST(an_icount_is_its_first_tick)
{
	unsigned seed = 5;
	struct rig plain, r;

	start_pagoda(&r, (struct tlb_geometry){ 0, 0 }, script);
	remember(&r, PAGODA_LIMIT);
	ck_assert_int_eq(history_run(r.h, RUN / 4), MACHINE_RAN);
	for (unsigned i = 0; i < 8; i++) {
		uint64_t n = (uint64_t)rand_r(&seed) % history_present(r.h).icount;
		start_pagoda(&plain, (struct tlb_geometry){ 0, 0 }, script);
		plain.m->instruction_limit = n;
		ck_assert_int_eq(machine_run(plain.m, RUN), MACHINE_INSTRUCTION_LIMIT);
		struct print p = print_of(plain.m, true);
		ck_assert_msg(history_goto(r.h, n, NULL, err) == HISTORY_OK, "%s", err);
		ck_assert_uint_eq(history_now(r.h).icount, n);
		ck_assert_uint_eq(history_now(r.h).tick, machine_now(plain.m));
		check_same(r.m, &p, true, "instruction", n);
		end(&plain);
	}
	ck_assert_int_eq(history_goto(r.h, history_present(r.h).icount + 1, NULL, err), HISTORY_ERROR);
	ck_assert_ptr_nonnull(strstr(err, "outside"));
	end(&r);
}
END_TEST

/* Steps back one by one, then runs to the present in pieces, which is checked by history itself. */
START_TEST(small_steps_back_and_the_way_forward)
{
	struct rig r;
	struct print p[40], present;
	uint64_t n;

	start_pagoda(&r, (struct tlb_geometry){ 0, 0 }, script);
	remember(&r, PAGODA_LIMIT);
	ck_assert_int_eq(history_run(r.h, RUN / 4), MACHINE_RAN);
	present = print_of(r.m, true);
	n = history_now(r.h).icount - 100;
	for (unsigned i = 0; i < 40; i++) {
		ck_assert_int_eq(history_goto(r.h, n - i, NULL, err), HISTORY_OK);
		p[i] = print_of(r.m, false);
	}
	for (unsigned i = 40; i-- > 0; ) {
		ck_assert_uint_eq(history_now(r.h).icount, n - i);
		check_same(r.m, &p[i], false, "step", n - i);
		r.m->instruction_limit = n - i + 1;
		ck_assert_int_eq(history_run(r.h, MILLION), MACHINE_INSTRUCTION_LIMIT);
	}
	r.m->instruction_limit = UINT64_MAX;
	ck_assert_int_eq(history_goto(r.h, n / 2, NULL, err), HISTORY_OK);
	size_t printed = r.printed;
	while (history_in_past(r.h))
		ck_assert_int_eq(history_run(r.h, 777777), MACHINE_RAN);
	ck_assert_uint_eq(printed, r.printed);
	ck_assert_ptr_null(history_trouble(r.h));
	check_same(r.m, &present, true, "present", n);
	end(&r);
}
END_TEST

START_TEST(a_guest_that_idles)
{
	struct rig r;
	struct print p[20], q;
	uint64_t from = 20 * MILLION;

	start_pagoda(&r, (struct tlb_geometry){ 0, 0 }, "");
	for (unsigned i = 0; i < 20; i++) {
		ck_assert_int_eq(machine_run(r.m, from), MACHINE_RAN);
		p[i] = print_of(r.m, false);
	}
	end(&r);
	start_pagoda(&r, (struct tlb_geometry){ 0, 0 }, "");
	remember(&r, PAGODA_LIMIT);
	ck_assert_int_eq(history_run(r.h, 20 * from), MACHINE_RAN);
	for (unsigned i = 20; i-- > 0; ) {
		ck_assert_int_eq(history_goto_tick(r.h, (i + 1) * from, NULL, err), HISTORY_OK);
		check_same(r.m, &p[i], false, "tick", (i + 1) * from);
	}
	/* An instruction in the midst of the halts. */
	uint64_t n = history_present(r.h).icount - 3;
	ck_assert_int_eq(history_goto(r.h, n, NULL, err), HISTORY_OK);
	ck_assert_uint_eq(history_now(r.h).icount, n);
	q = print_of(r.m, false);
	uint64_t tick = history_now(r.h).tick;
	ck_assert_int_eq(history_goto(r.h, 1000, NULL, err), HISTORY_OK);
	ck_assert_int_eq(history_goto_tick(r.h, tick, NULL, err), HISTORY_OK);
	check_same(r.m, &q, false, "tick", tick);
	end(&r);
}
END_TEST

/* Resets on the way, and a power-off at the end: it stays ended in the present only. */
START_TEST(a_guest_that_resets_itself)
{
	static uint64_t at[50];
	static struct print p[50];
	struct rig r;
	struct machine_config config = { .memory = 4u << 20 };
	unsigned seed = 9;

	start_with(&r, GUEST_DIR "/reset.elf", NULL, false, "", config);
	ck_assert_int_eq(machine_run(r.m, 50 * MILLION), MACHINE_POWER_OFF);
	uint64_t last = machine_now(r.m);
	end(&r);
	random_moments(at, 50, 0, last, &seed);
	start_with(&r, GUEST_DIR "/reset.elf", NULL, false, "", config);
	straight(&r, at, p, 50);
	end(&r);
	start_with(&r, GUEST_DIR "/reset.elf", NULL, false, "", config);
	remember(&r, PAGODA_LIMIT);
	ck_assert_int_eq(history_run(r.h, 50 * MILLION), MACHINE_POWER_OFF);
	visit(&r, at, p, 50, &seed);
	ck_assert_int_eq(history_ended(r.h), MACHINE_POWER_OFF);
	ck_assert_int_eq(history_run(r.h, 50 * MILLION), MACHINE_RAN);
	ck_assert(!history_in_past(r.h));
	ck_assert_int_eq(history_run(r.h, 1), MACHINE_POWER_OFF);
	ck_assert_uint_eq(r.m->resets, 3);
	ck_assert_ptr_null(history_trouble(r.h));
	end(&r);
}
END_TEST

/* --- console ------------------------------------------------------------------------------------------------------------------ */

START_TEST(output_is_seen_once_and_can_be_asked_for)
{
	const struct output_event *e;
	struct rig r;

	start_pagoda(&r, (struct tlb_geometry){ 0, 0 }, script);
	remember(&r, PAGODA_LIMIT);
	ck_assert_int_eq(history_run(r.h, RUN / 8), MACHINE_RAN);
	size_t half = r.printed;
	uint64_t then = machine_now(r.m);
	ck_assert_int_eq(history_run(r.h, RUN / 8), MACHINE_RAN);
	size_t all = r.printed;
	ck_assert_uint_gt(half, 0);
	ck_assert_uint_eq(history_output(r.h, &e), all);
	ck_assert_int_eq(history_goto_tick(r.h, then, NULL, err), HISTORY_OK);
	ck_assert_uint_eq(history_output(r.h, &e), half);
	ck_assert_int_eq(history_run(r.h, UINT32_MAX), MACHINE_RAN);
	ck_assert(!history_in_past(r.h));
	ck_assert_uint_eq(history_output(r.h, &e), all);
	ck_assert_uint_eq(r.printed, all);
	end(&r);
}
END_TEST

/* --- files ---------------------------------------------------------------------------------------------------------------------- */

#define COPY WORK_DIR "/history_test.img"

static void copy_image(const char *to)
{
	char command[1024];

	snprintf(command, sizeof(command), "cp '%s/pagoda.img' '%s' && chmod u+w '%s'", PAGODA_DIR, to, to);
	ck_assert_int_eq(system(command), 0);
}

static bool same_files(const char *a, const char *b)
{
	char command[1024];

	snprintf(command, sizeof(command), "cmp -s '%s' '%s'", a, b);
	return system(command) == 0;
}

static void start_writer(struct rig *r, const char *image)
{
	copy_image(image);
	start_with(r, PAGODA_DIR "/pagoda.elf", image, false, script, (struct machine_config){ .memory = 4u << 20 });
}

START_TEST(the_image_is_the_presents_whatever_was_done_in_the_past)
{
	struct rig r;

	start_writer(&r, COPY ".plain");
	ck_assert_int_eq(machine_run(r.m, RUN / 2), MACHINE_RAN);
	end(&r);
	start_writer(&r, COPY);
	remember(&r, PAGODA_LIMIT);
	ck_assert_int_eq(history_run(r.h, RUN / 2), MACHINE_RAN);
	ck_assert_int_eq(history_goto_tick(r.h, RUN / 20, NULL, err), HISTORY_OK);
	ck_assert_int_eq(history_run(r.h, RUN / 5), MACHINE_RAN);
	ck_assert(history_in_past(r.h));
	end(&r);
	ck_assert(same_files(COPY, COPY ".plain"));

	/* Killed there. */
	pid_t child = fork();
	if (!child) {
		start_writer(&r, COPY);
		remember(&r, PAGODA_LIMIT);
		history_run(r.h, RUN / 2);
		history_goto_tick(r.h, RUN / 20, NULL, err);
		history_run(r.h, RUN / 5);
		kill(getpid(), SIGKILL);
	}
	int status;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status));
	ck_assert(same_files(COPY, COPY ".plain"));
	unlink(COPY);
	unlink(COPY ".plain");
}
END_TEST

/* In the past other input comes: as if the machine had been started so, up to there. */
START_TEST(a_fork_makes_the_past_the_present)
{
	struct rig plain, r;
	struct print p, fork_point;
	uint64_t at = RUN / 5, then;

	start_writer(&r, COPY);
	remember(&r, PAGODA_LIMIT);
	ck_assert_int_eq(history_run(r.h, RUN / 2), MACHINE_RAN);
	uint64_t written = disk_hash(r.m);
	size_t typed = history_input(r.h)->count;
	ck_assert_int_eq(history_goto_tick(r.h, at, NULL, err), HISTORY_OK);
	ck_assert_int_eq(history_fork(r.h, err), 0);
	ck_assert(!history_in_past(r.h));
	ck_assert_uint_le(history_input(r.h)->count, typed);
	then = history_now(r.h).tick;
	ck_assert_uint_eq(then, at);
	phys_write(&r.m->phys, 0xc8000, 4, 0x12345678);
	fork_point = print_of(r.m, true);
	r.input = "ls > /z\n";
	ck_assert_int_eq(history_run(r.h, RUN / 8), MACHINE_RAN);
	struct print after = print_of(r.m, true);
	uint64_t last = history_now(r.h).tick;

	/* Across the change and back. */
	ck_assert_int_eq(history_goto_tick(r.h, at / 2, NULL, err), HISTORY_OK);
	ck_assert_uint_eq(phys_read(&r.m->phys, 0xc8000, 4), 0);
	start_pagoda(&plain, (struct tlb_geometry){ 0, 0 }, script);
	ck_assert_int_eq(machine_run(plain.m, at / 2), MACHINE_RAN);
	p = print_of(plain.m, false);
	check_same(r.m, &p, false, "before the change", at / 2);
	ck_assert_int_eq(machine_run(plain.m, at - at / 2), MACHINE_RAN);
	ck_assert_uint_eq(fork_point.disk, disk_hash(plain.m));
	if (RUN > 100 * MILLION)                       /* a shorter run has not written again by then */
		ck_assert_uint_ne(fork_point.disk, written);
	end(&plain);
	ck_assert_int_eq(history_run(r.h, at - at / 2), MACHINE_RAN);
	check_same(r.m, &fork_point, true, "at the change", at);
	ck_assert_int_eq(history_goto_tick(r.h, at + 1000, NULL, err), HISTORY_OK);
	ck_assert_uint_eq(phys_read(&r.m->phys, 0xc8000, 4), 0x12345678);
	ck_assert_int_eq(history_goto_tick(r.h, at - 1000, NULL, err), HISTORY_OK);
	ck_assert_int_eq(history_run(r.h, UINT32_MAX), MACHINE_RAN);
	ck_assert(!history_in_past(r.h));
	ck_assert_ptr_null(history_trouble(r.h));
	ck_assert_uint_eq(history_now(r.h).tick, last);
	check_same(r.m, &after, true, "the new present", last);
	end(&r);
	unlink(COPY);
}
END_TEST

/* --- trouble -------------------------------------------------------------------------------------------------------------------------- */

/* A byte in the past that was another: found at the next checkpoint, named, and put right. */
START_TEST(a_run_that_is_not_the_same_again_is_named)
{
	struct rig r;
	struct print present;

	start_pagoda(&r, (struct tlb_geometry){ 0, 0 }, script);
	remember(&r, PAGODA_LIMIT);
	ck_assert_int_eq(history_run(r.h, RUN / 4), MACHINE_RAN);
	present = print_of(r.m, true);
	ck_assert_int_eq(history_goto_tick(r.h, RUN / 8, NULL, err), HISTORY_OK);
	phys_write(&r.m->phys, 0xc8123, 1, 0x5a);
	ck_assert_int_eq(history_run(r.h, UINT32_MAX), MACHINE_REQUESTED);
	ck_assert_ptr_nonnull(history_trouble(r.h));
	ck_assert_msg(strstr(history_trouble(r.h), "memory at physical 0x000c8123 is 0x5a and was 0x00"), "%s", history_trouble(r.h));
	ck_assert_int_eq(history_goto_tick(r.h, RUN / 4, NULL, err), HISTORY_OK);
	check_same(r.m, &present, true, "present", RUN / 4);

	/* A register, noticed when a goal beyond all checkpoints is the present. */
	ck_assert_int_eq(history_goto_tick(r.h, RUN / 4 - 100, NULL, err), HISTORY_OK);
	r.m->cpu.dr[3] = 77;
	ck_assert_int_eq(history_run(r.h, UINT32_MAX), MACHINE_REQUESTED);
	ck_assert_msg(strstr(history_trouble(r.h), "cpu.dr"), "%s", history_trouble(r.h));
	check_same(r.m, &present, true, "present", RUN / 4);
	ck_assert(!history_in_past(r.h));
	end(&r);
}
END_TEST

static unsigned reports;

static bool third_time(void *owner, uint64_t done, uint64_t total)
{
	(void)owner;
	ck_assert_uint_le(done, total);
	return ++reports < 3;
}

START_TEST(a_long_way_can_be_interrupted)
{
	struct progress progress = { third_time, NULL, 0 };
	struct rig r;
	struct print p;

	start_pagoda(&r, (struct tlb_geometry){ 0, 0 }, script);
	remember(&r, 0);
	ck_assert_int_eq(history_run(r.h, RUN), MACHINE_RAN);
	p = print_of(r.m, true);
	for (unsigned i = 0; i < 2; i++) {
		reports = 0;
		ck_assert_int_eq(history_goto_tick(r.h, RUN - MILLION, &progress, err), HISTORY_INTERRUPTED);
		ck_assert_uint_eq(reports, 3);
		ck_assert_int_eq(history_in_past(r.h), i);
		check_same(r.m, &p, true, "interrupted", i);
		ck_assert_int_eq(history_goto_tick(r.h, RUN / 2, NULL, err), HISTORY_OK);
		p = print_of(r.m, true);
	}
	end(&r);
}
END_TEST

/* --- main ---------------------------------------------------------------------------------------------------------------- */

int main(void)
{
	Suite *s = suite_create("history");
	TCase *t = tcase_create("history"), *file = tcase_create("file");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 0);
	tcase_set_timeout(file, 0);
	tcase_add_test(t, any_moment_is_as_it_was);
	tcase_add_test(t, any_moment_is_as_it_was_with_a_modelled_tlb);
	tcase_add_test(t, any_moment_is_as_it_was_though_few_checkpoints_fit);
	tcase_add_test(t, without_room_for_any_checkpoint_too);
	tcase_add_test(t, remembering_changes_nothing);
	tcase_add_test(t, checkpoints_lie_at_the_same_instructions_however_the_run_is_cut);
	tcase_add_test(t, the_limit_is_kept_and_gaps_stay_even);
	tcase_add_test(file, checkpoints_survive_much_writing_to_the_disk);
	tcase_add_test(file, a_file_that_cannot_grow_costs_checkpoints_and_nothing_else);
	tcase_add_test(file, a_file_that_loses_bytes_ends_in_an_error);
	tcase_add_test(t, an_icount_is_its_first_tick);
	tcase_add_test(t, small_steps_back_and_the_way_forward);
	tcase_add_test(t, a_guest_that_idles);
	tcase_add_test(t, a_guest_that_resets_itself);
	tcase_add_test(t, output_is_seen_once_and_can_be_asked_for);
	tcase_add_test(t, the_image_is_the_presents_whatever_was_done_in_the_past);
	tcase_add_test(t, a_fork_makes_the_past_the_present);
	tcase_add_test(t, a_run_that_is_not_the_same_again_is_named);
	tcase_add_test(t, a_long_way_can_be_interrupted);
	suite_add_tcase(s, t);
	suite_add_tcase(s, file);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
