/* tests/emu/trace_test.c: one run of guests/stepping.S traced in each format: the text, the JSON lines and the viewer's slices tell the
 * same events, and what is JSON parses. */
#include "emu/trace/trace.h"

#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "emu/options.h"

#define ALL (TRACE_INT | TRACE_EXC | TRACE_IO | TRACE_WALK | TRACE_DEV)
#define TICKS 60000
#define LONG  350000                   /* several of the windows in which faults are counted */

static char err[ERROR_LINE];

/* A name for the first space only, and frames that dwindle. */
static bool space(void *owner, uint32_t cr3, char *buf, size_t size)
{
	unsigned *calls = owner;

	(void)cr3;
	snprintf(buf, size, "one \"quoted\" \\ name");
	return (*calls)++ == 0;
}

static bool free_frames(void *owner, uint64_t *n)
{
	(void)owner;
	*n = 7;
	return true;
}

static const char *path_of(const char *file)
{
	static char path[600];

	snprintf(path, sizeof(path), "%s/%s", WORK_DIR, file);
	return path;
}

/* Runs the guest so far with a trace of this name; the hash of the machine then. */
static uint64_t run_for(const char *file, unsigned mask, uint64_t ticks)
{
	struct kernel kernel;
	struct trace t;
	unsigned calls = 0;

	ck_assert_msg(!kernel_open(&kernel, GUEST_DIR "/stepping.elf", err), "%s", err);
	struct machine *m = machine_create(&(struct machine_config){ .memory = 4u << 20, .kernel = &kernel }, err);
	ck_assert_msg(m, "%s", err);
	if (file) {
		ck_assert_msg(!trace_open(&t, mask, path_of(file), err), "%s", err);
		t.names = (struct trace_names){ &calls, space, free_frames };
		trace_attach(&t, m);
	}
	machine_run(m, ticks);
	uint64_t hash = machine_hash(m);
	if (file) {
		trace_device(&t, "uart", "a \"text\" with \\ and \1");
		ck_assert_int_eq(trace_close(&t), 0);
	}
	machine_free(m);
	kernel_close(&kernel);
	return hash;
}

static uint64_t run_traced(const char *file, unsigned mask)
{
	return run_for(file, mask, TICKS);
}

START_TEST(a_trace_changes_nothing)
{
	uint64_t hash = run_traced(NULL, 0);

	ck_assert_uint_eq(run_traced("t.txt", ALL), hash);
	ck_assert_uint_eq(run_traced("t.jsonl", ALL), hash);
	ck_assert_uint_eq(run_traced("t.json", ALL), hash);
}
END_TEST

/* --- text and JSON lines ---------------------------------------------------------------------------------------------------- */

static json_int_t number(const json_t *j, const char *key)
{
	const json_t *v = json_object_get(j, key);

	ck_assert_msg(json_is_integer(v), "%s is no number", key);
	return json_integer_value(v);
}

static const char *text(const json_t *j, const char *key)
{
	const char *v = json_string_value(json_object_get(j, key));

	ck_assert_msg(v, "%s is no text", key);
	return v;
}

static unsigned long hex(const json_t *j, const char *key)
{
	const char *v = text(j, key);

	ck_assert_msg(!strncmp(v, "0x", 2), "%s is %s", key, v);
	return strtoul(v, NULL, 16);
}

/* The members that an event of this kind has, beyond those that all have. */
static void check_event(const json_t *j, const char *kind, const char *line)
{
	char want[200];

	if (!strcmp(kind, "exc")) {
		ck_assert(strstr(line, text(j, "name")));
		snprintf(want, sizeof(want), "at %04x:%08lx", (unsigned)number(j, "cs"), hex(j, "eip"));
		ck_assert_msg(strstr(line, want), "%s is not in %s", want, line);
		if (number(j, "vector") == VEC_PF) {
			snprintf(want, sizeof(want), "error %04x cr2 %08lx", (unsigned)number(j, "err"), hex(j, "cr2"));
			ck_assert_msg(strstr(line, want), "%s is not in %s", want, line);
		}
	} else if (!strcmp(kind, "int")) {
		snprintf(want, sizeof(want), "vector 0x%02x at", (unsigned)number(j, "vector"));
		ck_assert_msg(strstr(line, want), "%s is not in %s", want, line);
		hex(j, "esp");
		hex(j, "cr3");
	} else if (!strcmp(kind, "io")) {
		snprintf(want, sizeof(want), "%-3s %04lx %u", text(j, "dir"), hex(j, "port"), (unsigned)number(j, "size"));
		ck_assert_msg(strstr(line, want), "%s is not in %s", want, line);
	} else if (!strcmp(kind, "walk")) {
		snprintf(want, sizeof(want), "%s of 0x%08lx", text(j, "access"), hex(j, "la"));
		ck_assert_msg(strstr(line, want), "%s is not in %s", want, line);
		ck_assert(json_is_array(json_object_get(j, "levels")));
		ck_assert(!strcmp(text(j, "result"), "ok") ? hex(j, "pa") != 1 : number(j, "err") >= 0);
	} else
		ck_assert_str_eq(text(j, "device"), "uart");
}

START_TEST(each_line_of_text_has_its_json)
{
	char line[4096], object[4096];
	unsigned kinds = 0, n = 0;

	run_traced("t.txt", ALL);
	run_traced("t.jsonl", ALL);
	FILE *lines = fopen(path_of("t.txt"), "r");
	FILE *objects = fopen(path_of("t.jsonl"), "r");
	ck_assert(lines && objects);
	while (fgets(line, sizeof(line), lines)) {
		char kind[8];
		unsigned long long icount;
		json_error_t e;
		ck_assert_msg(fgets(object, sizeof(object), objects), "no JSON for %s", line);
		json_t *j = json_loads(object, JSON_REJECT_DUPLICATES, &e);
		ck_assert_msg(json_is_object(j), "%s: %s", e.text, object);
		ck_assert_int_eq(sscanf(line, "%llu %7s", &icount, kind), 2);
		ck_assert_uint_eq((unsigned long long)number(j, "icount"), icount);
		ck_assert_int_eq(number(j, "cpu"), 0);
		ck_assert_str_eq(text(j, "ev"), kind);
		check_event(j, kind, line);
		kinds |= 1u << (*kind == 'e' ? 0 : *kind == 'i' ? kind[1] == 'n' ? 1 : 2 : *kind == 'w' ? 3 : 4);
		n++;
		json_decref(j);
	}
	ck_assert(!fgets(object, sizeof(object), objects));
	ck_assert_uint_eq(kinds, 31);
	ck_assert_uint_gt(n, 100);
	fclose(lines);
	fclose(objects);
}
END_TEST

START_TEST(instructions_are_json_too)
{
	char object[4096];
	json_error_t e;

	run_traced("t.jsonl", TRACE_CPU);
	FILE *in = fopen(path_of("t.jsonl"), "r");
	ck_assert(in && fgets(object, sizeof(object), in));
	json_t *j = json_loads(object, 0, &e);
	ck_assert_str_eq(text(j, "ev"), "cpu");
	ck_assert_uint_gt(strlen(text(j, "insn")), 2);
	ck_assert_uint_ge(hex(j, "eip"), 0x100000);
	hex(j, "eflags");
	json_decref(j);
	fclose(in);
}
END_TEST

/* --- the viewer's ------------------------------------------------------------------------------------------------------------- */

struct count { unsigned begun, ended, moments, counters, named, instructions; int deepest; };

static void check_viewer(const json_t *all, struct count *n)
{
	int open[4096] = { 0 };
	double last = 0;
	size_t i;
	json_t *j;

	memset(n, 0, sizeof(*n));
	json_array_foreach((json_t *)all, i, j) {
		const char *phase = text(j, "ph");
		json_int_t pid = number(j, "pid");
		double ts = json_number_value(json_object_get(j, "ts"));
		ck_assert(pid >= 0 && pid < 4096);
		ck_assert_int_eq(number(j, "tid"), 0);
		ck_assert_msg(ts >= last, "time goes back");
		last = ts;
		if (*phase == 'B') {
			n->begun++;
			if (++open[pid] > n->deepest)
				n->deepest = open[pid];
			text(j, "name");
			hex(json_object_get(j, "args"), "eip");
		} else if (*phase == 'E') {
			n->ended++;
			ck_assert_msg(open[pid]-- > 0, "an end without beginning");
		} else if (*phase == 'i') {
			n->moments++;
			ck_assert_str_eq(text(j, "s"), "t");
		} else if (*phase == 'C') {
			n->counters++;
			ck_assert_uint_eq(json_object_size(json_object_get(j, "args")), 1);
		} else if (*phase == 'M') {
			n->named++;
			ck_assert_str_eq(text(j, "name"), "process_name");
			text(json_object_get(j, "args"), "name");
		} else if (*phase == 'X')
			n->instructions++;
		else
			ck_abort_msg("phase %s", phase);
	}
	for (size_t k = 0; k < 4096; k++)
		ck_assert_msg(!open[k], "%d slices of %zu are open", open[k], k);
}

static json_t *viewer(unsigned mask, uint64_t ticks)
{
	json_error_t e;

	run_for("t.json", mask, ticks);
	json_t *all = json_load_file(path_of("t.json"), JSON_REJECT_DUPLICATES, &e);
	ck_assert_msg(json_is_array(all), "%s in line %d", e.text, e.line);
	return all;
}

static size_t lines_of(const char *kind)
{
	char line[4096], found[8];
	size_t n = 0;
	FILE *in = fopen(path_of("t.txt"), "r");

	while (in && fgets(line, sizeof(line), in))
		n += sscanf(line, "%*s %7s", found) == 1 && !strcmp(found, kind);
	fclose(in);
	return n;
}

START_TEST(the_viewers_file_is_whole_and_nested)
{
	struct count n;
	json_t *all = viewer(ALL, TICKS);

	check_viewer(all, &n);
	json_t *j;
	size_t i;
	bool quoted = false;
	json_array_foreach(all, i, j)
		quoted |= *text(j, "ph") == 'M' && !strcmp(text(json_object_get(j, "args"), "name"), "one \"quoted\" \\ name");
	ck_assert(quoted);
	run_traced("t.txt", ALL);
	ck_assert_uint_eq(n.begun, lines_of("exc") + lines_of("int"));
	ck_assert_uint_eq(n.begun, n.ended);
	ck_assert_uint_ge(n.moments, lines_of("io") + lines_of("walk") + lines_of("dev"));
	ck_assert_uint_ge(n.named, 3);             /* the machine, and two spaces */
	ck_assert_int_le(n.deepest, 2);
	json_decref(all);
}
END_TEST

/* A page fault's slice ends before the next begins: where the IRET has led back, not at the end of the file. */
START_TEST(a_handlers_slice_ends_at_its_iret)
{
	json_t *all = viewer(TRACE_EXC, TICKS), *j;
	size_t i, faults = 0;
	bool in = false;

	json_array_foreach(all, i, j) {
		const char *phase = text(j, "ph");
		if (*phase == 'B') {
			ck_assert_msg(!in, "a fault within a fault");
			in = true;
			faults++;
		} else if (*phase == 'E')
			in = false;
	}
	ck_assert_uint_gt(faults, 2);
	json_decref(all);
}
END_TEST

START_TEST(counters_add_up_to_the_faults)
{
	json_t *all = viewer(TRACE_EXC, LONG), *j;
	size_t i;
	json_int_t counted = 0;
	unsigned faults = 0, windows = 0;

	json_array_foreach(all, i, j) {
		if (*text(j, "ph") == 'C' && !strncmp(text(j, "name"), "page faults", 11)) {
			counted += number(json_object_get(j, "args"), "faults");
			windows++;
		}
		faults += *text(j, "ph") == 'B' && !strcmp(text(j, "name"), "#PF");
	}
	ck_assert_int_eq(counted, faults);
	ck_assert_uint_gt(windows, 2);
	json_decref(all);
}
END_TEST

START_TEST(instructions_are_drawn)
{
	struct count n;
	json_t *all = viewer(TRACE_CPU, TICKS);

	check_viewer(all, &n);
	ck_assert_uint_gt(n.instructions, 10000);
	json_decref(all);
}
END_TEST

START_TEST(a_full_disk_is_told)
{
	struct trace t;

	ck_assert(trace_open(&t, TRACE_EXC, "/nowhere/at.json", err));
	ck_assert(strstr(err, "/nowhere/at.json"));
	FILE *full = fopen("/dev/full", "w");
	if (!full)
		return;
	fclose(full);
	ck_assert(!trace_open(&t, TRACE_DEV, "/dev/full", err));
	trace_device(&t, "uart", "text");
	ck_assert_int_lt(trace_close(&t), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("trace");
	TCase *t = tcase_create("trace");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, a_trace_changes_nothing);
	tcase_add_test(t, each_line_of_text_has_its_json);
	tcase_add_test(t, instructions_are_json_too);
	tcase_add_test(t, the_viewers_file_is_whole_and_nested);
	tcase_add_test(t, a_handlers_slice_ends_at_its_iret);
	tcase_add_test(t, counters_add_up_to_the_faults);
	tcase_add_test(t, instructions_are_drawn);
	tcase_add_test(t, a_full_disk_is_told);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_set_fork_status(r, CK_FORK);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
