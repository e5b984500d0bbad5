/* tests/emu/recorder_test.c: a recording runs again to the same hashes, from however it was cut into pieces; one that was changed is found out at
 * the first mark after the change, and the program says so. What must not be in a recording is refused. */
#define _GNU_SOURCE                        /* memmem */
#include "emu/state/state_file.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/emu/state_parts.h"

#ifdef __SANITIZE_ADDRESS__
#define MILLIONS 30
#else
#define MILLIONS 500
#endif

static char err[ERROR_LINE];
static char folder[] = "/tmp/recorder_XXXXXX", path[64], said[64];
static uint64_t seed = 5;

static uint32_t rnd(uint32_t below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)((seed >> 33) % below);
}

static void setup(void)
{
	strcpy(folder + sizeof(folder) - 7, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/run.emu", folder);
	snprintf(said, sizeof(said), "%s/said", folder);
}

static void teardown(void)
{
	unlink(path);
	unlink(said);
	ck_assert_int_eq(rmdir(folder), 0);
}

/* --- a run that is recorded ---------------------------------------------------------------------------------------- */

struct rig {
	struct kernel kernel;
	struct disk *disk;
	struct machine *m;
	struct history *h;
	const char *input;
};

/* A person, who types when they like. */
static int next(void *owner)
{
	struct rig *r = owner;

	return *r->input && rnd(4) == 0 ? (unsigned char)*r->input++ : -1;
}

static void start(struct rig *r)
{
	struct machine_config config = { .memory = 4u << 20, .disk_name = { "pagoda.img" }, .kernel = &r->kernel };

	*r = (struct rig){ .input = "ls /bin | sort > /x ; demo-cow\nvmtest\n" };
	ck_assert_msg(!kernel_open(&r->kernel, PAGODA_DIR "/pagoda.elf", err), "%s", err);
	config.disk[0] = r->disk = disk_open(PAGODA_DIR "/pagoda.img", true, err, sizeof(err));
	ck_assert_msg(r->disk, "%s", err);
	config.input = (struct input_source){ next, r };
	r->m = machine_create(&config, err);
	ck_assert_msg(r->m, "%s", err);
	r->h = history_create(r->m, HISTORY_DEFAULT_LIMIT, err);
	ck_assert_msg(r->h, "%s", err);
}

static void end(struct rig *r)
{
	history_free(r->h);
	machine_free(r->m);
	r->disk->close(r->disk);
	kernel_close(&r->kernel);
}

static void run(struct rig *r, uint64_t ticks)
{
	for (uint64_t n; ticks; ticks -= n) {
		n = 1 + rnd(rnd(8) ? 700000 : 30);
		n = n < ticks ? n : ticks;
		ck_assert_int_eq(history_run(r->h, n), MACHINE_RAN);
	}
}

static void record(uint64_t before, uint64_t ticks)
{
	struct rig r;

	start(&r);
	run(&r, before);
	struct recorder *rec = record_begin(r.h, err);
	ck_assert_msg(rec, "%s", err);
	run(&r, ticks);
	ck_assert_msg(!record_end(rec, MACHINE_RAN, path, err), "%s", err);
	end(&r);
}

/* --- and run again --------------------------------------------------------------------------------------------------- */

/* By the program; what it says is kept. */
static int replay(void)
{
	char command[256];

	snprintf(command, sizeof(command), EMU " replay %s >%s.out 2>%s", path, path, said);
	int status = system(command);
	snprintf(command, sizeof(command), "%s.out", path);
	unlink(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool says(const char *text)
{
	char line[1024] = "";
	FILE *f = fopen(said, "r");

	ck_assert_ptr_nonnull(f);
	char *got = fgets(line, sizeof(line), f);
	bool more = got && fgetc(f) != EOF;
	fclose(f);
	ck_assert_msg(got && !more, "not one line: %s", line);
	return strstr(line, text);
}

START_TEST(a_recording_runs_again_to_the_same_hash)
{
	struct state_file f;

	record(0, MILLIONS * 1000000ull);
	ck_assert_msg(!state_open(&f, path, err), "%s", err);
	ck_assert(f.recording);
	ck_assert_uint_gt(f.inputs, 10);
	ck_assert_uint_ge(f.marks, MILLIONS >= 300);                           /* where a checkpoint is made is history's business */
	ck_assert_uint_eq(f.end.tick, MILLIONS * 1000000ull);
	ck_assert_int_eq(f.ended, MACHINE_RAN);
	state_close(&f);
	ck_assert_int_eq(replay(), 0);
	ck_assert(says("same state"));
}
END_TEST

START_TEST(a_recording_may_begin_in_the_middle)
{
	struct state_file f;

	record(15000000, 10000000);
	ck_assert_msg(!state_open(&f, path, err), "%s", err);
	ck_assert_uint_eq(f.end.tick, 25000000);
	state_close(&f);
	ck_assert_int_eq(replay(), 0);
}
END_TEST

/* Recorded to the present, wherever somebody was looking. */
START_TEST(a_recording_that_ends_in_the_past_is_of_all)
{
	struct state_file f;
	struct rig r;

	start(&r);
	struct recorder *rec = record_begin(r.h, err);
	run(&r, 20000000);
	uint64_t hash = machine_hash(r.m);
	ck_assert_int_eq(history_goto_tick(r.h, 7000000, NULL, err), HISTORY_OK);
	ck_assert_msg(!record_end(rec, MACHINE_RAN, path, err), "%s", err);
	end(&r);
	ck_assert_msg(!state_open(&f, path, err), "%s", err);
	ck_assert_uint_eq(f.end.tick, 20000000);
	ck_assert_uint_eq(f.end_hash, hash);
	state_close(&f);
	ck_assert_int_eq(replay(), 0);
}
END_TEST

/* --- changed recordings ---------------------------------------------------------------------------------------------- */

static struct part part[PARTS_MOST];
static unsigned parts;

static struct bytes *find_part(const char *tag)
{
	for (unsigned i = 0; i < parts; i++)
		if (!strcmp(part[i].tag, tag))
			return &part[i].data;
	ck_abort_msg("no %s", tag);
	return NULL;
}

/* As if there had been a checkpoint at this tick, and none before the end but that. */
static void put_mark(struct bytes *marks, uint64_t tick)
{
	struct state_file f;

	ck_assert_msg(!state_open(&f, path, err), "%s", err);
	struct machine *m = machine_create(&f.config, err);
	ck_assert_msg(m && !state_apply(&f, m, err) && !input_replay(&m->input, f.input, f.inputs), "%s", err);
	ck_assert_int_eq(machine_run(m, tick), MACHINE_RAN);
	marks->size = 28;
	ck_assert(bytes_put_number(marks, cpu_icount(&m->cpu), 8) && bytes_put_number(marks, tick, 8) &&
		bytes_put_number(marks, machine_hash(m), 8));
	machine_free(m);
	state_close(&f);
}

static void check_found_out(uint8_t *byte, uint8_t flip, int status, const char *text)
{
	*byte ^= flip;
	write_parts(path, part, parts);
	*byte ^= flip;
	int got = replay();
	ck_assert_msg(got == status && says(text), "status %d, expected %d and '%s'", got, status, text);
}

/* The debugger opens it all the same, and does not keep quiet about it. */
static void check_debugger_warns(uint8_t *byte)
{
	char command[512];

	*byte ^= 1;
	write_parts(path, part, parts);
	*byte ^= 1;
	snprintf(command, sizeof(command), "echo quit | " EMU " debug --monitor %s >%s.out 2>%s", path, path, said);
	ck_assert_int_eq(system(command), 0);
	ck_assert(says("does not run as it was recorded"));
	snprintf(command, sizeof(command), "%s.out", path);
	unlink(command);
}

START_TEST(a_changed_recording_is_found_out)
{
	static const char another[] = "does not run as it was recorded";

	record(0, 40000000);
	parts = read_parts(path, part);
	struct bytes *input = find_part("input"), *marks = find_part("marks");
	ck_assert_uint_gt(input->size, 9);
	put_mark(marks, 15000000);
	check_found_out(input->data, 0, 0, "same state");
	check_found_out(input->data + 8, 1, 126, another);                     /* another key */
	uint8_t *last = input->data + input->size - 9;
	uint64_t tick, later;
	memcpy(&tick, last, 8);
	later = tick + 1000000;
	memcpy(last, &later, 8);
	check_found_out(last, 0, 126, another);                                /* at another time */
	memcpy(last, &tick, 8);
	check_found_out(marks->data + 20, 1, 126, another);                    /* the last hash */
	check_found_out(marks->data, 1, 126, "instructions had been executed");        /* the end's count */
	check_found_out(marks->data + 28 + 16, 1, 126, "its state is another");        /* the first mark's hash */
	check_found_out(marks->data + 28, 1, 126, "instructions had been executed");
	check_found_out(marks->data + 16, MACHINE_POWER_OFF, 126, "ended in another way");
	check_found_out(marks->data + 16, 0x40, 1, "makes no sense");
	check_found_out(marks->data + 28 + 8 + 7, 1, 1, "makes no sense");             /* a mark after the end */
	check_found_out(input->data + 7, 1, 1, "makes no sense");              /* keys that do not come in order */
	check_debugger_warns(input->data + 8);
	struct bytes *state = find_part("end");
	uint8_t *eax = memmem(state->data, state->size, "cpu.eax", 7);
	check_found_out(eax + 7 + 8, 1, 126, "cpu.eax is another");
	/* Memory that was another: nothing but hashes can tell. */
	for (unsigned i = 0; i < parts; i++)
		if (!strcmp(part[i].tag, "ram"))
			check_found_out(part[i].data.data + part[i].data.size - 1, 1, 126, another);
	for (unsigned i = 0; i < parts; i++)
		free(part[i].data.data);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("recordings");
	TCase *t = tcase_create("recordings");
	SRunner *r = srunner_create(s);

	tcase_set_timeout(t, 0);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_recording_runs_again_to_the_same_hash);
	tcase_add_test(t, a_recording_may_begin_in_the_middle);
	tcase_add_test(t, a_recording_that_ends_in_the_past_is_of_all);
	tcase_add_test(t, a_changed_recording_is_found_out);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
