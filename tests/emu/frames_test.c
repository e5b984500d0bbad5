/* tests/emu/frames_test.c: a planted bug, kept: a fork that loses a reference. The view `frames` names the frame and who maps it; Pagoda as it is
 * gives no such line. */
#include "tests/emu/pagoda_rig.h"

#include "emu/debug/guest/guest_maps.h"
#include "emu/debug/view/views.h"

static struct rig rig;
static uint32_t shared;                /* address of the page, as the program says */

static void run(const char *kernel)
{
	rig_start(&rig, kernel, REFORK_DISK, 8u << 20, "refork\n");
	rig_run_until(&rig, "is shared", 1000);
	ck_assert_int_eq(sscanf(strstr(rig.out, "page at "), "page at 0x%x", &shared), 1);
	for (unsigned i = 0; i < 20; i++)      /* until all three sleep */
		ck_assert_int_eq(machine_run(rig.d.m, 100000), MACHINE_RAN);
}

static uint32_t frame_of_shared(void)
{
	struct guest_process p[16];
	size_t n = guest_processes(&rig.d, p, 16);

	for (size_t i = 0; i < n; i++) {
		struct paging pg = rig.d.m->mmu.pg;
		struct access a = { .la = shared, .kind = ACCESS_READ };
		struct walk w;
		pg.cr3 = p[i].cr3;
		page_walk(&rig.d.m->phys, &pg, &a, &w);
		if (!strcmp(p[i].name, "refork") && w.result == WALK_OK)
			return (uint32_t)(w.pa >> 12);
	}
	ck_abort_msg("no process maps 0x%x", shared);
}

/* The view's line about a frame, from its first character. */
static char *line_of(struct text *t, uint32_t frame)
{
	static char line[256];
	char number[8];

	snprintf(number, sizeof(number), "%05x", frame);
	for (size_t i = 0; i < text_lines(t); i++) {
		size_t n;
		const char *at = text_line(t, i, &n, NULL);
		if (n > 6 && !strncmp(at + 1, number, 5) && at[6] == ' ') {
			snprintf(line, sizeof(line), "%.*s", (int)n, at);
			if (strstr(line, "anonymous"))
				return line;
		}
	}
	ck_abort_msg("no line about frame %s in:\n%s", number, text_plain(t));
}

START_TEST(the_frame_that_lost_a_reference_is_marked_and_its_mappers_are_named)
{
	struct text t = { 0 };
	struct view_request rq = { .width = 120 };
	struct guest_frame f;

	run(REFORK_KERNEL);
	uint32_t frame = frame_of_shared();
	ck_assert(guest_frame(&rig.d, frame, &f));
	ck_assert_uint_eq(f.references, 2);
	ck_assert_uint_eq(guest_mappings(&rig.d, frame, NULL, 0), 3 + 5);      /* and the kernel's, in each of five spaces */
	view_frames(&rig.d, &rq, &t);
	const char *line = line_of(&t, frame);
	ck_assert_msg(*line == '!' && strstr(line, "   2    3 "), "%s", line);
	unsigned named = 0;
	for (const char *at = line; (at = strstr(at, "refork[")); at++)
		named++;
	ck_assert_msg(named == 3, "%s", line);
	text_free(&t);
	rig_end(&rig);
}
END_TEST

START_TEST(pagoda_as_it_is_has_no_such_frame)
{
	struct text t = { 0 };
	struct view_request rq = { .width = 120 };

	run(PAGODA_DIR "/pagoda.elf");
	view_frames(&rig.d, &rq, &t);
	ck_assert_ptr_nonnull(strstr(text_plain(&t), "all counts agree"));
	ck_assert_ptr_null(strstr(text_plain(&t), "\n!"));
	const char *line = line_of(&t, frame_of_shared());
	ck_assert_msg(*line == ' ' && strstr(line, "   3    3 "), "%s", line);
	text_free(&t);
	rig_end(&rig);
}
END_TEST

START_TEST(one_frame_is_told_with_everybody_who_maps_it)
{
	struct text t = { 0 };
	struct view_request rq = { .width = 80 };
	char argument[16];

	run(REFORK_KERNEL);
	snprintf(argument, sizeof(argument), "0x%x", frame_of_shared());
	rq.argument = argument;
	view_frames(&rig.d, &rq, &t);
	ck_assert_ptr_nonnull(strstr(text_plain(&t), "! 2 references, but 3 mappings"));
	json_t *json = view_frames_json(&rig.d, &rq);
	ck_assert(json_is_true(json_object_get(json, "wrong")));
	ck_assert_uint_eq(json_array_size(json_object_get(json, "mapped_by")), 3);
	json_decref(json);
	text_free(&t);
	rig_end(&rig);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("frames");
	TCase *t = tcase_create("frames");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 0);
	tcase_add_test(t, the_frame_that_lost_a_reference_is_marked_and_its_mappers_are_named);
	tcase_add_test(t, pagoda_as_it_is_has_no_such_frame);
	tcase_add_test(t, one_frame_is_told_with_everybody_who_maps_it);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
