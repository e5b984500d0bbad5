/* tests/emu/command_test.c: the debugger's commands, over guests/stepping.S: that each does what its help says, in people's words and as JSON. */
#include "command_rig.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "emu/debug/view/view.h"

static struct command_rig rig;

static void setup(void) { command_rig_open(&rig, "stepping"); }
static void teardown(void) { command_rig_close(&rig); }

/* --- finding a command ------------------------------------------------------------------------------------------------------ */

START_TEST(beginnings_of_names_are_enough)
{
	ck_assert(has(must_run(&rig, "info reg"), "EAX"));
	ck_assert(has(must_run(&rig, "i r"), "EAX"));
	ck_assert(has(must_run(&rig, "disp"), ""));
}
END_TEST

START_TEST(a_beginning_of_several_commands_is_refused_with_their_names)
{
	const char *text = must_fail(&rig, "rn 1 2") ? must_fail(&rig, "re") : "";

	ck_assert(has(text, "reg") || has(text, "reverse"));
}
END_TEST

START_TEST(a_wrong_name_brings_a_suggestion)
{
	ck_assert(has(must_fail(&rig, "brek 1"), "did you mean 'break'"));
	ck_assert(has(must_fail(&rig, "info registres"), "did you mean 'info registers'"));
	must_fail(&rig, "\1\2\377");
}
END_TEST

START_TEST(empty_lines_and_comments_do_nothing)
{
	ck_assert_str_eq(must_run(&rig, ""), "");
	ck_assert_str_eq(must_run(&rig, "   \t"), "");
	ck_assert_str_eq(must_run(&rig, "# break here"), "");
}
END_TEST

START_TEST(help_has_every_command_and_examples)
{
	for (size_t i = 0; command_tables[i]; i++)
		for (const struct command *row = command_tables[i]; row->name; row++) {
			char line[100];
			snprintf(line, sizeof(line), "help %s", row->name);
			const char *text = must_run(&rig, line);
			ck_assert_msg(has(text, row->name), "%s: %s", line, text);
			if (!row->alias_of)
				ck_assert_msg(has(must_run(&rig, "help"), row->name), "%s is not listed", row->name);
		}
	ck_assert(has(must_run(&rig, "help catch"), "catch mapping 0xbfffe000"));
}
END_TEST

/* Each alias leads to a row that exists, and no two rows have one name. */
START_TEST(the_tables_are_consistent)
{
	for (size_t i = 0; command_tables[i]; i++)
		for (const struct command *row = command_tables[i]; row->name; row++) {
			ck_assert_msg(!row->run == !!row->alias_of, "%s", row->name);
			ck_assert_msg(row->alias_of || row->help, "%s has no help", row->name);
			for (size_t k = 0; command_tables[k]; k++)
				for (const struct command *other = command_tables[k]; other->name; other++) {
					ck_assert_msg(other == row || strcmp(other->name, row->name), "%s is there twice", row->name);
				}
		}
}
END_TEST

static void count_word(void *ctx, const char *word)
{
	const char **want = ctx;

	if (*want && !strcmp(word, *want))
		*want = NULL;
}

static void must_complete(const char *line, const char *word)
{
	const char *want = word;

	command_complete(&rig.d, line, count_word, &want);
	ck_assert_msg(!want, "'%s' is not completed to %s", line, word);
}

START_TEST(words_are_completed)
{
	must_complete("bre", "break");
	must_complete("info reg", "registers");
	must_complete("info ", "tlb");
	must_complete("break after_", "after_outer");
	must_complete("x/10i roun", "round");
	must_complete("p *roun", "*rounds");
	must_complete("view regi", "registers");
	must_complete("catch map", "mapping");
	must_complete("help info t", "tlb");
}
END_TEST

/* --- running -------------------------------------------------------------------------------------------------------------------- */

START_TEST(a_breakpoint_stops_the_machine_and_tells)
{
	ck_assert(has(must_run(&rig, "break round"), "breakpoint 1"));
	const char *text = must_run(&rig, "continue");
	ck_assert_msg(has(text, "breakpoint 1") && has(text, "<round"), "%s", text);
	ck_assert(rig.r.moved);
	json_t *j = must_give(&rig, "info break");
	json_t *b = json_array_get(json_object_get(j, "breakpoints"), 0);
	ck_assert_int_eq(json_integer_value(json_object_get(b, "hits")), 1);
	ck_assert(json_is_true(json_object_get(b, "enabled")));
}
END_TEST

START_TEST(a_stop_is_json_with_numbers)
{
	must_run(&rig, "b round");
	json_t *j = must_give(&rig, "c");
	json_t *stop = json_object_get(j, "stop");
	ck_assert_str_eq(json_string_value(json_object_get(stop, "kind")), "breakpoint");
	ck_assert_int_eq(json_integer_value(json_object_get(stop, "breakpoint")), 1);
	ck_assert(json_integer_value(json_object_get(stop, "icount")) > 1000);
	ck_assert_str_eq(json_string_value(json_object_get(j, "symbol")), "round");
}
END_TEST

START_TEST(steps_and_steps_back_come_to_the_same_place)
{
	must_run(&rig, "b round");
	must_run(&rig, "c");
	json_int_t at = json_integer_value(json_object_get(must_give(&rig, "info status"), "icount"));
	must_run(&rig, "step 5");
	must_run(&rig, "rstep 5");
	ck_assert_int_eq(json_integer_value(json_object_get(must_give(&rig, "info status"), "icount")), at);
	must_run(&rig, "goto +3");
	ck_assert_int_eq(json_integer_value(json_object_get(must_give(&rig, "info status"), "icount")), at + 3);
	must_run(&rig, "goto -3");
	ck_assert_int_eq(json_integer_value(json_object_get(must_give(&rig, "info status"), "icount")), at);
	must_run(&rig, "savevm here");
	must_run(&rig, "goto first");
	must_run(&rig, "loadvm here");
	ck_assert_int_eq(json_integer_value(json_object_get(must_give(&rig, "info status"), "icount")), at);
}
END_TEST

START_TEST(goto_knows_shares_ticks_and_marks)
{
	must_run(&rig, "b round");
	must_run(&rig, "c");
	must_run(&rig, "mark");
	must_run(&rig, "delete");
	must_run(&rig, "step 1000");
	must_run(&rig, "goto 50%");
	must_run(&rig, "goto mark");
	ck_assert(has(must_run(&rig, "info symbol"), "round"));
	must_run(&rig, "goto tick 100");
	ck_assert_int_eq(json_integer_value(json_object_get(must_give(&rig, "info status"), "tick")), 100);
	ck_assert(has(must_fail(&rig, "goto 99999999999"), "outside"));
	must_fail(&rig, "goto 101%");
	must_fail(&rig, "goto tick -1");
	must_fail(&rig, "goto");
}
END_TEST

START_TEST(commands_of_a_breakpoint_run_and_continue)
{
	must_run(&rig, "break round");
	must_run(&rig, "break after_outer if *rounds == 3");
	must_run(&rig, "commands 1 print *rounds ; continue");
	const char *text = must_run(&rig, "continue");
	ck_assert_msg(has(text, "2  0x2") && has(text, "breakpoint 2"), "%s", text);
	must_run(&rig, "commands 1");
	ck_assert(!has(must_run(&rig, "info break"), "print *rounds"));
}
END_TEST

START_TEST(walkstep_shows_one_event_at_a_time_and_executes_at_the_end)
{
	must_run(&rig, "break round");
	must_run(&rig, "c");
	json_int_t at = json_integer_value(json_object_get(must_give(&rig, "info status"), "icount"));
	const char *all = must_run(&rig, "walkstep all");
	int events = 0;
	for (const char *p = all; (p = strchr(p, '\n')); p++)
		events++;
	ck_assert_int_gt(events, 2);
	ck_assert_int_eq(json_integer_value(json_object_get(must_give(&rig, "info status"), "icount")), at);
	for (int i = 0; i < events; i++)
		must_run(&rig, "walkstep");
	ck_assert_int_eq(json_integer_value(json_object_get(must_give(&rig, "info status"), "icount")), at);
	must_run(&rig, "walkstep");
	ck_assert_int_eq(json_integer_value(json_object_get(must_give(&rig, "info status"), "icount")), at + 1);
}
END_TEST

/* --- breakpoints --------------------------------------------------------------------------------------------------------------- */

START_TEST(every_kind_of_breakpoint_can_be_said)
{
	static const char *const lines[] = { "break round", "break *0x100010 once", "tbreak after_outer", "break phys 0x100000", "break here round if eax > 1",
		"break round in 0x1000", "break round ignore 3 if eax == 1 && ebx == (2 - 1)", "watch rounds", "watch phys 0x100000,16", "rwatch rounds,1",
		"awatch 0x100000,4096", "watch r rounds", "watch w rounds", "catch exception", "catch exception pf", "catch pf write user",
		"catch exception #GP error 0x10/0xfff8", "catch exception pf at 0x300000,4096", "catch interrupt", "catch interrupt 0x20 if icount > 5",
		"catch port 0x3f8,8", "catch port 0x20", "catch msr 0x1b", "catch cr 3", "catch cr cr3", "catch space", "catch space 0x101000", "catch mapping 0x300000",
		"catch resume", "catch resume round", "catch count 5000", "tcatch cr 3", "pb 0x100000", "vb 0:0x100", "lb 0x100000", "modebp" };
	size_t n = sizeof(lines) / sizeof(lines[0]);

	must_run(&rig, "break round");
	must_run(&rig, "c");
	must_run(&rig, "delete");
	for (size_t i = 0; i < n; i++)
		if (strcmp(lines[i], "vb 0:0x100"))
			ck_assert_msg(has(must_run(&rig, lines[i]), "breakpoint"), "%s", lines[i]);
	ck_assert_uint_eq(json_array_size(json_object_get(must_give(&rig, "info break"), "breakpoints")), n - 1);
	const char *all = must_run(&rig, "info break");
	ck_assert(has(all, "error code & 0x6 = 0x6"));             /* write user */
	ck_assert(has(all, "error code & 0xfff8 = 0x10"));
	ck_assert(has(all, "interrupt 0x20 if icount > 5\n"));     /* once, like the line that answers */
	ck_assert(has(must_run(&rig, "break round if eax > 1"), "if eax > 1\n"));
	ck_assert(!has(must_run(&rig, "info break"), "if eax > 1 if"));
	must_run(&rig, "disable 2 3");
	must_run(&rig, "enable 2");
	ck_assert(has(must_run(&rig, "info break"), "off"));
	must_run(&rig, "delete");
	ck_assert(has(must_run(&rig, "info break"), "no breakpoints"));
}
END_TEST

START_TEST(what_makes_no_sense_is_refused_and_leaves_nothing)
{
	static const char *const lines[] = { "break nowhere_at_all", "break round if", "break round if )", "break 1,", "watch rounds,0", "watch", "catch", "catch nothing",
		"catch exception blue", "catch port", "catch interrupt 300", "catch space nobody", "catch count", "break 0x100000000", "condition 99 1",
		"ignore 1 1", "delete 7", "disable x", "commands 3 x", "vb 5", "break round once extra" };

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		must_fail(&rig, lines[i]);
	ck_assert(has(must_run(&rig, "info break"), "no breakpoints"));
}
END_TEST

/* --- looking -------------------------------------------------------------------------------------------------------------------- */

START_TEST(x_shows_memory_in_every_format)
{
	must_run(&rig, "set *(u32*)source = 0x61626364");
	ck_assert(has(must_run(&rig, "x/2wx source"), "0x61626364"));
	ck_assert(has(must_run(&rig, "x/4bx source"), "0x64  0x63  0x62  0x61"));
	ck_assert(has(must_run(&rig, "x/1s source"), "\"dcba"));
	ck_assert(has(must_run(&rig, "x/4bc source"), "100 'd'"));
	ck_assert(has(must_run(&rig, "x/1wd source"), "1633837924"));
	ck_assert(has(must_run(&rig, "x/3i round"), "inc"));
	ck_assert(has(must_run(&rig, "x 2 source"), "0x61626364"));
	ck_assert(has(must_run(&rig, "xp/1wx source"), "0x61626364"));
	ck_assert_str_eq(json_string_value(json_array_get(json_object_get(must_give(&rig, "x/1wx source"), "values"), 0)), "0x61626364");
	must_fail(&rig, "x/4q source");
	must_fail(&rig, "x/2wx nothing_of_this_name");
	ck_assert(has(must_run(&rig, "x/1wx 0xf0000000"), "not mapped"));
}
END_TEST

START_TEST(print_and_set_speak_of_registers_and_memory)
{
	must_run(&rig, "set $eax = 0x1234");
	ck_assert(has(must_run(&rig, "print $eax + 1"), "4661  0x1235"));
	ck_assert(!strcmp(must_run(&rig, "p/x eax"), "0x1234\n"));
	ck_assert(!strcmp(must_run(&rig, "p/d 0xffffffff"), "-1\n"));
	ck_assert_int_eq(json_integer_value(json_object_get(must_give(&rig, "p eax"), "value")), 0x1234);
	must_run(&rig, "set ebx 7");
	ck_assert(has(must_run(&rig, "info registers ebx"), "0x00000007"));
	must_fail(&rig, "set nothing = 1");
	must_fail(&rig, "set eax =");
	must_fail(&rig, "print");
	must_run(&rig, "assert ebx == 7");
	must_fail(&rig, "assert ebx == 8");
	ck_assert(rig.r.assertion);
}
END_TEST

START_TEST(syntax_can_be_chosen)
{
	ck_assert(has(must_run(&rig, "x/1i round"), "incl"));
	must_run(&rig, "set disassembly-flavor intel");
	ck_assert(has(must_run(&rig, "x/1i round"), "inc dword ptr"));
	must_fail(&rig, "set syntax french");
}
END_TEST

START_TEST(every_view_answers_in_words_and_as_json)
{
	for (const struct view *v = views; v->name; v++) {
		char line[64];
		snprintf(line, sizeof(line), "view %s", v->name);
		must_run(&rig, line);
		must_give(&rig, line);
	}
	must_run(&rig, "break round");
	must_run(&rig, "c");
	for (const struct view *v = views; v->name; v++) {
		char line[64];
		snprintf(line, sizeof(line), "view %s", v->name);
		ck_assert_msg(*must_run(&rig, line), "%s is empty", line);
		must_give(&rig, line);
	}
	ck_assert(has(must_fail(&rig, "view wlk"), "did you mean 'walk'"));
	ck_assert(has(must_fail(&rig, "view memory )"), ""));
	run_line(&rig, "view memory ) --json");
	ck_assert(rig.r.failed && json_is_string(json_object_get(rig.r.json, "error")));
}
END_TEST

START_TEST(registers_that_changed_carry_a_star)
{
	must_run(&rig, "break round");
	must_run(&rig, "c");
	must_run(&rig, "step");
	const char *text = must_run(&rig, "info registers general");
	const char *eax = strstr(text, "EAX "), *eip = strstr(text, "EIP ");
	ck_assert_msg(eip && eip[12] == '*', "%s", text);
	ck_assert_msg(eax && eax[12] != '*', "%s", text);          /* it had changed up to the stop before */
	ck_assert_str_eq(json_string_value(json_object_get(must_give(&rig, "info registers"), "mode")), "protected 32+paging");
}
END_TEST

START_TEST(a_mark_and_a_diff_name_what_changed)
{
	must_fail(&rig, "diff");
	must_run(&rig, "break round");
	must_run(&rig, "c");
	must_run(&rig, "mark");
	must_run(&rig, "step");
	json_t *j = must_give(&rig, "diff");
	ck_assert_uint_ge(json_array_size(json_object_get(j, "registers")), 1);
	ck_assert_uint_ge(json_array_size(json_object_get(j, "memory")), 1);
	ck_assert(has(must_run(&rig, "diff"), "eip"));
}
END_TEST

START_TEST(the_words_of_other_debuggers_work)
{
	static const char *const lines[] = { "info mem", "info tlb", "info pg", "info pic", "info mtree", "xp/2wx 0x100000", "x/2i $eip", "stop", "info registers", "creg",
		"sreg", "info gdt", "info idt", "info tab", "page 0x100000", "u", "bt", "info b", "info r", "i eflags", "si", "ni", "info float", "ps", "info cpu",
		"print-stack", "blist", "gva2gpa 0x100000", "screendump" };

	must_run(&rig, "break round");
	must_run(&rig, "cont");
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		run_line(&rig, lines[i]);
		ck_assert_msg(!rig.r.failed || !has(text_plain(&rig.r.text), "unknown command"), "%s", lines[i]);
	}
	must_run(&rig, "system_reset");
	must_run(&rig, "q");
	ck_assert(rig.r.quit);
}
END_TEST

START_TEST(export_writes_text_and_svg)
{
	char line[600], byte[16] = "";

	snprintf(line, sizeof(line), "export %s/view.svg registers", WORK_DIR);
	must_run(&rig, line);
	snprintf(line, sizeof(line), "%s/view.svg", WORK_DIR);
	FILE *in = fopen(line, "r");
	ck_assert(in && fread(byte, 1, 4, in) == 4 && (!strncmp(byte, "<svg", 4) || !strncmp(byte, "<?xm", 4)));
	fclose(in);
	remove(line);
	must_fail(&rig, "export /nowhere/at/all.txt registers");
	must_fail(&rig, "export view.png registers");
	must_fail(&rig, "export view.txt nothing");
	reply_free(&rig.r);
	rig.r.no_files = true;
	command_execute(&rig.d, "export view.txt registers", &rig.r);
	ck_assert(rig.r.failed && has(text_plain(&rig.r.text), "may not use files"));
}
END_TEST

START_TEST(looking_changes_nothing)
{
	static const char *const lines[] = { "info registers", "x/64wx 0", "x/20i $eip", "view walk 0x300000", "view tlb", "view tables", "walkstep all", "backtrace", "list",
		"disassemble", "info gdt", "info devices", "screendump", "print *rounds", "mark", "diff", "info history", "trace", "hash" };

	must_run(&rig, "break round");
	must_run(&rig, "c");
	char before[64];
	snprintf(before, sizeof(before), "%s", must_run(&rig, "hash"));
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		run_line(&rig, lines[i]);
	ck_assert_str_eq(must_run(&rig, "hash"), before);
}
END_TEST

START_TEST(who_wrote_finds_the_writer)
{
	must_run(&rig, "break after_outer");
	must_run(&rig, "c");
	json_t *j = must_give(&rig, "who wrote rounds");
	ck_assert(json_is_true(json_object_get(j, "found")));
	ck_assert_str_eq(json_string_value(json_object_get(j, "symbol")), "round");
	ck_assert_str_eq(json_string_value(json_object_get(j, "value")), "0x1");
	must_fail(&rig, "who wrote");
	must_fail(&rig, "who wrote 0xf0000000");
	must_run(&rig, "who wrote pte 0x300000");
}
END_TEST

START_TEST(commands_run_commands_only_so_deep)
{
	char path[600], line[700];

	snprintf(path, sizeof(path), "%s/deep.cmd", WORK_DIR);
	FILE *out = fopen(path, "w");
	fprintf(out, "source %s\n", path);
	fclose(out);
	snprintf(line, sizeof(line), "source %s", path);
	ck_assert(has(must_fail(&rig, line), "nested"));
	remove(path);
	must_fail(&rig, "source /nowhere");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("command");
	TCase *t = tcase_create("command");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, beginnings_of_names_are_enough);
	tcase_add_test(t, a_beginning_of_several_commands_is_refused_with_their_names);
	tcase_add_test(t, a_wrong_name_brings_a_suggestion);
	tcase_add_test(t, empty_lines_and_comments_do_nothing);
	tcase_add_test(t, help_has_every_command_and_examples);
	tcase_add_test(t, the_tables_are_consistent);
	tcase_add_test(t, words_are_completed);
	tcase_add_test(t, a_breakpoint_stops_the_machine_and_tells);
	tcase_add_test(t, a_stop_is_json_with_numbers);
	tcase_add_test(t, steps_and_steps_back_come_to_the_same_place);
	tcase_add_test(t, goto_knows_shares_ticks_and_marks);
	tcase_add_test(t, commands_of_a_breakpoint_run_and_continue);
	tcase_add_test(t, walkstep_shows_one_event_at_a_time_and_executes_at_the_end);
	tcase_add_test(t, every_kind_of_breakpoint_can_be_said);
	tcase_add_test(t, what_makes_no_sense_is_refused_and_leaves_nothing);
	tcase_add_test(t, x_shows_memory_in_every_format);
	tcase_add_test(t, print_and_set_speak_of_registers_and_memory);
	tcase_add_test(t, syntax_can_be_chosen);
	tcase_add_test(t, every_view_answers_in_words_and_as_json);
	tcase_add_test(t, registers_that_changed_carry_a_star);
	tcase_add_test(t, a_mark_and_a_diff_name_what_changed);
	tcase_add_test(t, the_words_of_other_debuggers_work);
	tcase_add_test(t, export_writes_text_and_svg);
	tcase_add_test(t, looking_changes_nothing);
	tcase_add_test(t, who_wrote_finds_the_writer);
	tcase_add_test(t, commands_run_commands_only_so_deep);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
