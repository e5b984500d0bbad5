/* tests/emu/source_test.c: names, lines, source text and call chains of Pagoda's kernel and of several programs at once; and files that lie. */
#include "tests/emu/pagoda_rig.h"

#include <sys/stat.h>
#include <unistd.h>

#define KERNEL PAGODA_DIR "/pagoda.elf"
#define IMAGE PAGODA_DIR "/pagoda.img"

#ifdef __SANITIZE_ADDRESS__
#define CASES 20
#else
#define CASES 150
#endif

static struct rig rig;

static void start_demo(void)
{
	rig_start(&rig, KERNEL, IMAGE, 8u << 20, "demo-cow\n");
	rig_run_until(&rig, "before anybody has written", 1000);
}

static uint32_t find(const char *what)
{
	uint32_t la;

	ck_assert_msg(source_find(&rig.d, what, &la), "'%s' is not found", what);
	return la;
}

/* In user mode, in this process. */
static void run_to_user(const char *name)
{
	struct guest_process p;

	for (unsigned i = 0; i < 1000000; i++) {
		if (rig.d.m->cpu.cpl == 3 && guest_process_of(&rig.d, rig.d.m->cpu.cr3, &p) && !strcmp(p.name, name))
			return;
		machine_run(rig.d.m, 1);
	}
	ck_abort_msg("'%s' never runs", name);
}

START_TEST(a_function_has_its_name_its_file_and_its_text)
{
	char name[64], text[256];
	struct source_line line;

	start_demo();
	uint32_t la = find("cow_write");
	ck_assert_str_eq(source_symbol(&rig.d, la + 3, name, sizeof(name)), "cow_write+0x3");
	ck_assert(source_line_of(&rig.d, la, &line));
	ck_assert_str_eq(line.file, "guestos/mm/cow.c");
	ck_assert_str_eq(line.function, "cow_write");
	ck_assert(source_text(&rig.d, &line, text, sizeof(text)));
	ck_assert_msg(*text == '{' || strstr(text, "cow_write"), "%s", text);
	line.line = 100000;
	ck_assert(!source_text(&rig.d, &line, text, sizeof(text)));
	rig_end(&rig);
}
END_TEST

START_TEST(source_text_is_looked_for_where_the_user_says_first)
{
	const char *folder = WORK_DIR "/source-root", *file = WORK_DIR "/source-root/cow.c";
	char text[256];
	struct source_line line;

	start_demo();
	mkdir(folder, 0777);
	FILE *f = fopen(file, "w");
	ck_assert_ptr_nonnull(f);
	for (unsigned i = 1; i < 500; i++)
		fprintf(f, "line %u\n", i);
	fclose(f);
	ck_assert_int_eq(source_root(rig.d.source, folder), 0);
	ck_assert(source_line_of(&rig.d, find("cow_write"), &line));
	line.line = 17;
	ck_assert(source_text(&rig.d, &line, text, sizeof(text)));
	ck_assert_str_eq(text, "line 17");
	struct source_line outside = { "../../../../../../../../etc/passwd", "f", 1 };
	ck_assert(!source_text(&rig.d, &outside, text, sizeof(text)));
	unlink(file);
	rig_end(&rig);
}
END_TEST

START_TEST(a_line_has_an_address_that_is_of_that_line)
{
	struct source_line line;

	start_demo();
	ck_assert(source_line_of(&rig.d, find("cow_write"), &line));
	char what[64];
	snprintf(what, sizeof(what), "mm/cow.c:%u", line.line + 2);
	uint32_t la = find(what);
	struct source_line back;
	ck_assert(source_line_of(&rig.d, la, &back));
	ck_assert_uint_ge(back.line, line.line + 2);
	ck_assert_uint_le(back.line, line.line + 6);
	uint32_t none;
	ck_assert(!source_find(&rig.d, "ow.c:30", &none));
	ck_assert(!source_find(&rig.d, "no_such_function", &none));
	rig_end(&rig);
}
END_TEST

START_TEST(programs_at_the_same_addresses_are_told_apart_by_their_space)
{
	struct guest_process p[16];
	char name[64], shell[64];
	uint32_t cr3[2] = { 0, 0 };

	start_demo();
	run_to_user("demo-cow");
	size_t n = guest_processes(&rig.d, p, 16);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(p[i].name, "demo-cow") || !strcmp(p[i].name, "sh"))
			cr3[*p[i].name == 's'] = p[i].cr3;
	uint32_t demo_main = find("main"), shell_main = find("sh:main");
	ck_assert_uint_eq(demo_main, find("demo-cow:main"));
	ck_assert_uint_ne(demo_main, shell_main);
	ck_assert_str_eq(source_symbol_in(&rig.d, cr3[0], demo_main, name, sizeof(name)), "main");
	ck_assert_str_eq(source_symbol_in(&rig.d, cr3[1], shell_main, shell, sizeof(shell)), "main");
	ck_assert_str_ne(source_symbol_in(&rig.d, cr3[1], demo_main, shell, sizeof(shell)), "main");
	/* The kernel is the same in all of them. */
	ck_assert_str_eq(source_symbol_in(&rig.d, cr3[1], find("schedule"), name, sizeof(name)), "schedule");
	rig_end(&rig);
}
END_TEST

static bool chain_has(const char *function)
{
	struct source_frame f[32];
	char name[64];
	size_t n = source_backtrace(&rig.d, f, 32), length = strlen(function);

	for (size_t i = 0; i < n; i++)
		if (!strncmp(source_symbol(&rig.d, f[i].exact ? f[i].pc : f[i].pc - 1, name, sizeof(name)), function, length) && (!name[length] || name[length] == '+'))
			return true;
	return false;
}

START_TEST(call_chains_reach_main_from_anywhere_in_a_program_and_through_the_trap_from_anywhere_in_the_kernel)
{
	unsigned in_kernel = 0, chains = 0, seed = 7;

	start_demo();
	run_to_user("demo-cow");
	ck_assert(chain_has("main"));
	/* At whatever instruction of whatever function, prologues and epilogues too. */
	for (unsigned i = 0; i < 3000; i++) {
		struct guest_process p;
		machine_run(rig.d.m, 1 + (unsigned)rand_r(&seed) % 50);
		if (!guest_process_of(&rig.d, rig.d.m->cpu.cr3, &p) || strcmp(p.name, "demo-cow"))
			continue;
		struct source_line line;
		char name[64];
		source_symbol(&rig.d, debugger_pc(&rig.d), name, sizeof(name));
		if (source_line_of(&rig.d, debugger_pc(&rig.d), &line) && strstr(line.file, ".S"))
			continue;              /* assembly says nothing of its frames */
		bool user = rig.d.m->cpu.cpl == 3;
		ck_assert_msg(chain_has("main") && (user || chain_has("trap_common")), "no chain from %s", name);
		in_kernel += !user;
		chains++;
	}
	ck_assert_uint_gt(chains, 500);
	ck_assert_uint_gt(in_kernel, 100);
	rig_end(&rig);
}
END_TEST

START_TEST(a_kernel_linked_high_has_names_and_lines_where_it_runs_before_paging)
{
	char name[64];
	struct source_line line;

	rig_start(&rig, KERNEL, IMAGE, 8u << 20, "");
	ck_assert_uint_lt(debugger_pc(&rig.d), 0x200000);
	ck_assert_str_ne(source_symbol(&rig.d, debugger_pc(&rig.d), name, sizeof(name)), "");
	ck_assert(source_line_of(&rig.d, debugger_pc(&rig.d), &line));
	ck_assert_str_eq(line.file, "guestos/boot/entry.S");
	rig_run_until(&rig, "$ ", 1000);
	ck_assert_str_eq(source_symbol(&rig.d, 0x100010, name, sizeof(name)), "");
	rig_end(&rig);
}
END_TEST

START_TEST(beginnings_of_names_are_completed)
{
	const char *names[8];

	start_demo();
	ck_assert_uint_eq(source_complete(&rig.d, "cow_wr", names, 8), 1);
	ck_assert_str_eq(names[0], "cow_write");
	ck_assert_uint_eq(source_complete(&rig.d, "proc_", names, 3), 3);
	ck_assert_uint_eq(source_complete(&rig.d, "zzz", names, 8), 0);
	rig_end(&rig);
}
END_TEST

START_TEST(a_file_that_is_no_elf_is_refused_in_one_line)
{
	char err[ERROR_LINE] = "";
	struct source *s = source_open(NULL);

	ck_assert_int_eq(source_add(s, IMAGE "-is-not-there", 0, NULL, err), -1);
	ck_assert_ptr_nonnull(strstr(err, "is-not-there"));
	ck_assert_int_eq(source_add(s, SOURCE_DIR "/CMakeLists.txt", 0, NULL, err), -1);
	ck_assert_ptr_nonnull(strstr(err, "not an ELF file"));
	ck_assert_ptr_null(strchr(err, '\n'));
	source_close(s);
}
END_TEST

/* What the debugger prints for a script. */
static const char *printed(const char *script)
{
	static char out[16384];
	const char *path = WORK_DIR "/source.cmd";
	FILE *f = fopen(path, "w");

	ck_assert(f && fputs(script, f) >= 0 && !fclose(f));
	f = popen(EMU " debug --snapshot --batch --memory 8M -x " WORK_DIR "/source.cmd 2>&1", "r");
	ck_assert_ptr_nonnull(f);
	out[fread(out, 1, sizeof(out) - 1, f)] = 0;
	ck_assert_msg(pclose(f) == 0, "%s", out);
	return out;
}

/* Other programs have other code at the address; and the process is not there yet when the breakpoint is made. */
START_TEST(a_breakpoint_in_a_program_stops_only_there)
{
	const char *out = printed("break demo-cow:main if eip != 0\ntype echo demo-cow; demo-cow\\n\ncontinue\nbacktrace\nassert process(demo-cow)\nassert !process(sh)\n");

	ck_assert_msg(strstr(out, "if process(demo-cow) && (eip != 0)"), "%s", out);
	const char *stop = strstr(out, "(main)");
	ck_assert_msg(stop && strstr(stop, "guestos/user/demo/cow.c:") && strstr(stop, "libc_start"), "%s", out);
	ck_assert_msg(!strstr(out, "shell_run_input") && !strstr(out, "init.c"), "%s", out);
}
END_TEST

/* --- damage --------------------------------------------------------------------------------------------------------- */

static void ask_everything(struct debugger *d)
{
	char name[64], text[256], err[ERROR_LINE];
	struct source_line line;
	struct source_frame frames[16];
	struct guest_process p[8];
	struct guest_frame f;
	uint32_t la;

	for (uint32_t at = 0xc0100000; at < 0xc0113000; at += 0x333) {
		source_symbol(d, at, name, sizeof(name));
		if (source_line_of(d, at, &line))
			source_text(d, &line, text, sizeof(text));
	}
	source_find(d, "cow.c:30", &la);
	d->m->cpu.eip = 0xc0107100;
	source_backtrace(d, frames, 16);
	if (guest_open(d, NULL, &d->guest, err))
		return;
	guest_processes(d, p, 8);
	guest_frame(d, 1000, &f);
	guest_close(d->guest);
	d->guest = NULL;
}

START_TEST(damaged_debug_information_harms_nobody)
{
	struct kernel whole;
	struct debugger d;
	unsigned seed = 11;
	const char *asked = getenv("SOURCE_FUZZ_CASES");
	unsigned cases = asked ? (unsigned)strtoul(asked, NULL, 10) : CASES;

	rig_start(&rig, KERNEL, IMAGE, 8u << 20, "");
	rig_run_until(&rig, "$ ", 1000);
	ck_assert_msg(!kernel_open(&whole, KERNEL, rig_err), "%s", rig_err);
	for (unsigned i = 0; i < cases; i++) {
		struct kernel k = whole;
		k.file.data = malloc(whole.file.size);
		memcpy(k.file.data, whole.file.data, whole.file.size);
		for (unsigned n = 1 + (unsigned)rand_r(&seed) % 200; n; n--)
			k.file.data[(unsigned)rand_r(&seed) % k.file.size] = (uint8_t)rand_r(&seed);
		if (i % 10 == 9)
			k.file.size = (unsigned)rand_r(&seed) % k.file.size;
		d = (struct debugger){ .m = rig.d.m, .source = source_open(&k) };
		ask_everything(&d);
		source_close(d.source);
		free(k.file.data);
	}
	kernel_close(&whole);
	rig_end(&rig);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("source");
	TCase *t = tcase_create("source");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 0);
	tcase_add_test(t, a_function_has_its_name_its_file_and_its_text);
	tcase_add_test(t, source_text_is_looked_for_where_the_user_says_first);
	tcase_add_test(t, a_line_has_an_address_that_is_of_that_line);
	tcase_add_test(t, programs_at_the_same_addresses_are_told_apart_by_their_space);
	tcase_add_test(t, call_chains_reach_main_from_anywhere_in_a_program_and_through_the_trap_from_anywhere_in_the_kernel);
	tcase_add_test(t, a_breakpoint_in_a_program_stops_only_there);
	tcase_add_test(t, a_kernel_linked_high_has_names_and_lines_where_it_runs_before_paging);
	tcase_add_test(t, beginnings_of_names_are_completed);
	tcase_add_test(t, a_file_that_is_no_elf_is_refused_in_one_line);
	tcase_add_test(t, damaged_debug_information_harms_nobody);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
