/* tests/emu/demo_test.c: the narration of fault resumption follows what the processor does. */
#include "emu/demo/demo.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static char *narrate(struct fault_demo_config config)
{
	char *text = NULL, err[ERROR_LINE] = "";
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	ck_assert_msg(!demo_fault_resumption(&config, f, err), "%s", err);
	fclose(f);
	return text;
}

/* The given lines' beginnings or parts appear in this order. */
static void in_order(const char *text, const char *const *parts, size_t count)
{
	const char *at = text;

	for (size_t i = 0; i < count; i++) {
		const char *found = strstr(at, parts[i]);
		ck_assert_msg(found, "'%s' is missing after the ones before it in:\n%s", parts[i], text);
		at = found + strlen(parts[i]);
	}
}
#define IN_ORDER(text, ...) in_order(text, (const char *const[]){ __VA_ARGS__ }, sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *))

START_TEST(the_picture_of_the_lecture_is_told_in_order)
{
	char *text = narrate((struct fault_demo_config){ .esp = 0x8004 });

	IN_ORDER(text, "push", "%ebp", "ESP 0x00008004 -> 0x00008000", "sub", "ESP 0x00008000 -> 0x00007fec", "push", "%eax", "ESP 0x00007fec",
		"#PF", "page fault (vector 14)", "ESP 0x00007fec", "write at linear address 0x00007fe8", "PDE", "PTE", "error    0x0006",
		"CR2      0x00007fe8", "enter    page_fault", "handler", "%cr2", "took frame 0x00201000", "0x00000000 -> 0x00201007: frame 0x00201000, P=1 W=1 U=1 A=0 D=0",
		"IRET     has returned to 0x00101004, CPL 3", "again", "PTE", "it succeeds: physical address 0x00201fe8", "push", "%eax", "ESP 0x00007fec -> 0x00007fe8",
		"push", "%ebx", "ESP 0x00007fe8 -> 0x00007fe4", "Page faults: 1");
	free(text);
}
END_TEST

START_TEST(another_esp_faults_at_another_instruction)
{
	char *text = narrate((struct fault_demo_config){ .esp = 0x901c });

	/* push to 0x9018, sub to 0x9004, push to 0x9000, and only the last push crosses. */
	IN_ORDER(text, "ESP 0x0000901c -> 0x00009018", "ESP 0x00009018 -> 0x00009004", "ESP 0x00009004 -> 0x00009000", "push", "%ebx", "#PF",
		"write at linear address 0x00008ffc", "CR2      0x00008ffc", "again", "ESP 0x00009000 -> 0x00008ffc", "Page faults: 1");
	free(text);
}
END_TEST

START_TEST(a_stack_with_room_has_no_fault_to_tell)
{
	char *text = narrate((struct fault_demo_config){ .esp = 0x8800 });

	ck_assert_ptr_null(strstr(text, "#PF"));
	ck_assert_ptr_null(strstr(text, "took frame"));
	IN_ORDER(text, "ESP 0x00008800 -> 0x000087fc", "ESP 0x000087e4 -> 0x000087e0", "Page faults: 0");
	free(text);
}
END_TEST

/* The user program's first instruction becomes one that reads far away: the story changes accordingly. */
START_TEST(another_program_gives_another_story)
{
	static const uint8_t program[] = { 0x55, 0x83, 0xec, 0x14, 0x50, 0x53 };       /* push %ebp; sub $20,%esp; push %eax; push %ebx */
	static const uint8_t other[] = { 0xa1, 0x00, 0xc0, 0x00, 0x00, 0x90 };         /* mov 0xc000,%eax; nop */
	uint8_t *image = malloc(demo_guest_size);
	unsigned found = 0;

	memcpy(image, demo_guest, demo_guest_size);
	for (size_t i = 0; i + sizeof(program) < demo_guest_size; i++)
		if (!memcmp(image + i, program, sizeof(program))) {
			memcpy(image + i, other, sizeof(other));
			found++;
		}
	ck_assert_uint_eq(found, 1);
	char *text = narrate((struct fault_demo_config){ .image = image, .image_size = demo_guest_size, .esp = 0x8004 });
	IN_ORDER(text, "0xc000", "#PF", "read at linear address 0x0000c000", "error    0x0004", "CR2      0x0000c000", "it succeeds", "nop",
		"Page faults: 1");
	ck_assert_ptr_null(strstr(text, "sub"));
	free(text);
	free(image);
}
END_TEST

/* A handler that maps the page for the supervisor only: the walk fails again, for another reason, and the story says so. */
START_TEST(a_handler_that_repairs_too_little_is_seen_to)
{
	static const uint8_t rights[] = { 0x83, 0xc8, 0x07 };                          /* or $PG_P | PG_W | PG_U, %eax */
	uint8_t *image = malloc(demo_guest_size);
	unsigned found = 0;

	memcpy(image, demo_guest, demo_guest_size);
	for (size_t i = 0; i + 3 < demo_guest_size; i++)
		if (!memcmp(image + i, rights, sizeof(rights))) {
			image[i + 2] = 0x03;
			found++;
		}
	ck_assert_uint_eq(found, 1);
	char *text = narrate((struct fault_demo_config){ .image = image, .image_size = demo_guest_size, .esp = 0x8004 });
	IN_ORDER(text, "#PF", "error    0x0006", "W=1 U=0", "again", "#PF", "error    0x0007: protection violation", "did not end");
	ck_assert_ptr_null(strstr(text, "it succeeds"));
	free(text);
	free(image);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("demo");
	TCase *t = tcase_create("fault resumption");
	SRunner *r = srunner_create(s);

	tcase_set_timeout(t, 60);
	tcase_add_test(t, the_picture_of_the_lecture_is_told_in_order);
	tcase_add_test(t, another_esp_faults_at_another_instruction);
	tcase_add_test(t, a_stack_with_room_has_no_fault_to_tell);
	tcase_add_test(t, another_program_gives_another_story);
	tcase_add_test(t, a_handler_that_repairs_too_little_is_seen_to);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
