/* tests/emu/script_test.c: Lua scripts over guests/stepping.S: what they can ask, what they cannot do, when they are called. */
#include "emu/script/script.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "command_rig.h"

static struct command_rig rig;
static char said[8192];

static void on_say(void *owner, const char *line)
{
	size_t n = strlen(said);

	(void)owner;
	snprintf(said + n, sizeof(said) - n, "%s\n", line);
}

static struct face listener = { .name = "test", .say = on_say };

static void setup(void)
{
	command_rig_open(&rig, "stepping");
	*said = 0;
	debugger_attach(&rig.d, &listener);
}

static void teardown(void)
{
	debugger_detach(&rig.d, &listener);
	command_rig_close(&rig);
}

static void must_say(const char *line, const char *want)
{
	const char *text = must_run(&rig, line);

	ck_assert_msg(!strcmp(text, want), "%s: %s instead of %s", line, text, want);
}

START_TEST(a_script_asks_about_the_machine)
{
	must_run(&rig, "break round");
	must_run(&rig, "continue");
	must_say("lua emu.symbol(emu.reg('eip'))", "round\n");
	must_say("lua emu.eval('*rounds')", "0\n");
	must_say("lua emu.read(emu.eval('round'), 1)", "255\n");           /* incl mem is ff 05 */
	must_say("lua emu.phys(emu.eval('round'), 2)", "1535\n");
	must_say("lua #emu.bytes(emu.eval('round'), 100)", "100\n");
	must_say("lua emu.read(0xf0000000)", "nil\n");
	must_say("lua emu.query('info break').breakpoints[1].hits", "1\n");
	ck_assert(has(must_run(&rig, "lua emu.command('info registers')"), "EAX"));
	ck_assert(has(must_fail(&rig, "lua emu.command('brek')"), "did you mean 'break'"));
	ck_assert(has(must_fail(&rig, "lua emu.reg('nothing')"), "lua:1: no register 'nothing'"));
}
END_TEST

START_TEST(errors_name_file_and_line)
{
	char path[600], line[700];

	ck_assert(has(must_fail(&rig, "lua error('boo')"), "lua:1: boo"));
	ck_assert(has(must_fail(&rig, "lua x ="), "lua:1:"));
	snprintf(path, sizeof(path), "%s/wrong.lua", WORK_DIR);
	FILE *out = fopen(path, "w");
	fputs("-- a comment\n\nlocal function f()\n\terror('here')\nend\nf()\n", out);
	fclose(out);
	snprintf(line, sizeof(line), "lua %s", path);
	const char *text = must_fail(&rig, line);
	ck_assert_msg(has(text, "wrong.lua:4: here"), "%s", text);
	out = fopen(path, "w");
	fputs("\033Lua", out);                   /* bytecode could do anything */
	fclose(out);
	ck_assert(has(must_fail(&rig, line), "binary chunk"));
	remove(path);
	ck_assert(has(must_fail(&rig, "lua /nowhere/x.lua"), "/nowhere/x.lua"));
}
END_TEST

START_TEST(the_host_is_out_of_reach)
{
	static const char *const gone[] = { "io", "os", "package", "debug", "coroutine", "require", "load", "loadfile", "dofile", "next", "collectgarbage", "warn", "xpcall",
		"string.dump" };

	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
		char line[64];
		snprintf(line, sizeof(line), "lua %s == nil", gone[i]);
		must_say(line, "true\n");
	}
	ck_assert(has(must_fail(&rig, "lua emu.command('export x.txt registers')"), "may not use files"));
	ck_assert(has(must_fail(&rig, "lua emu.command('source x')"), "may not use files"));
	ck_assert(has(must_fail(&rig, "lua emu.command('trace on exc:x')"), "may not use files"));
	ck_assert(has(must_fail(&rig, "lua emu.command('lua /etc/x.lua')"), "may not use files"));
	must_fail(&rig, "lua setmetatable({}, { __gc = function() end })");
	must_fail(&rig, "lua string.format('%p', {})");
	must_say("lua tostring({}) .. tostring(print)", "tablefunction\n");
	must_fail(&rig, "lua math.randomseed()");
}
END_TEST

START_TEST(a_script_says_the_same_each_time)
{
	must_say("lua math.random(1000) == 0", "false\n");
	const char *line = "lua local t = {} for i = 1, 50 do t['k' .. math.random(10000)] = i end local s = '' for k, v in pairs(t) do s = s .. k .. v end return s";
	char first[2000];
	must_run(&rig, "lua math.randomseed(5)");
	snprintf(first, sizeof(first), "%s", must_run(&rig, line));
	teardown();
	setup();
	must_run(&rig, "lua math.randomseed(5)");
	ck_assert_str_eq(must_run(&rig, line), first);
}
END_TEST

START_TEST(there_are_limits)
{
	ck_assert(has(must_fail(&rig, "lua while true do end"), "million instructions"));
	ck_assert(has(must_fail(&rig, "lua while true do pcall(function() while true do end end) end"), "million instructions"));
	ck_assert(has(must_fail(&rig, "lua local t = {} while true do t[#t + 1] = ('x'):rep(100000) end"), "memory"));
	must_fail(&rig, "lua local function f() return f() + 1 end f()");
	must_say("lua 1 + 1", "2\n");              /* and it still works */
}
END_TEST

static bool enough(void *owner)
{
	(void)owner;
	return true;
}

START_TEST(a_loop_can_be_interrupted)
{
	struct face impatient = { .name = "impatient", .poll = enough };

	debugger_attach(&rig.d, &impatient);
	ck_assert(has(must_fail(&rig, "lua while true do end"), "interrupted"));
	debugger_detach(&rig.d, &impatient);
}
END_TEST

START_TEST(hooks_are_called_for_what_happens)
{
	must_run(&rig, "lua faults, walks, ints, stops = 0, 0, 0, 0");
	must_run(&rig, "lua emu.on('fault', function(f) faults = faults + 1 last = f end)");
	must_run(&rig, "lua emu.on('interrupt', function(f) ints = ints + 1 end)");
	must_run(&rig, "lua emu.on('walk', function(w) walks = walks + 1 if not w.ok then failed = w end end)");
	must_run(&rig, "lua emu.on('break', function(s) print('break', s.breakpoint, s.kind) end)");
	must_run(&rig, "lua emu.on('stop', function(s) stops = stops + 1 end)");
	must_run(&rig, "break round if *rounds == 3");
	must_run(&rig, "continue");
	ck_assert_str_eq(said, "break\t1\tbreakpoint\n");
	must_say("lua stops", "1\n");
	must_say("lua faults > 0 and ints > 0 and walks > faults", "true\n");
	must_say("lua last.name, last.cr2 == failed.la, last.error == failed.error, #last.walk.levels", "#PF\ttrue\ttrue\t2\n");
	must_fail(&rig, "lua emu.on('nothing', print)");
	must_fail(&rig, "lua emu.on('fault')");
}
END_TEST

START_TEST(a_hook_stops_the_machine)
{
	must_run(&rig, "lua emu.on('fault', function(f) emu.stop('that was ' .. f.name) end)");
	const char *text = must_run(&rig, "continue");
	ck_assert_msg(has(text, "that was #PF"), "%s", text);
	ck_assert_int_eq(rig.d.stop.kind, STOP_SCRIPT);
	must_fail(&rig, "lua emu.stop('now')");
}
END_TEST

START_TEST(a_hook_may_only_look)
{
	must_run(&rig, "lua seen = {}");
	must_run(&rig, "lua emu.on('fault', function(f) for _, c in ipairs { 'step', 'break round', 'set eax = 1', 'goto first', 'info registers' } do "
		"seen[c] = pcall(emu.command, c) end seen.on = pcall(emu.on, 'fault', print) emu.stop() end)");
	must_run(&rig, "continue");
	must_say("lua seen.on", "false\n");
	must_say("lua seen['info registers'], seen.step, seen['break round'], seen['set eax = 1'], seen['goto first']", "true\tfalse\tfalse\tfalse\tfalse\n");
	ck_assert(!script_failure(&rig.d));
}
END_TEST

START_TEST(a_hook_that_fails_fails_the_run)
{
	must_run(&rig, "lua emu.on('fault', function(f) error('no') end)");
	must_run(&rig, "continue");
	ck_assert_int_eq(rig.d.stop.kind, STOP_SCRIPT);
	ck_assert(script_failure(&rig.d) && has(script_failure(&rig.d), "lua:1: no"));
}
END_TEST

START_TEST(hooks_change_nothing)
{
	must_run(&rig, "break round if *rounds == 3");
	must_run(&rig, "continue");
	char hash[64];
	snprintf(hash, sizeof(hash), "%s", must_run(&rig, "hash"));
	teardown();
	setup();
	must_run(&rig, "lua for _, e in ipairs { 'fault', 'walk', 'interrupt', 'break', 'stop' } do emu.on(e, function() emu.read(0) emu.command('info tlb') end) end");
	must_run(&rig, "break round if *rounds == 3");
	must_run(&rig, "continue");
	ck_assert_str_eq(must_run(&rig, "hash"), hash);
	ck_assert(!script_failure(&rig.d));
}
END_TEST

START_TEST(the_example_counts_faults)
{
	must_run(&rig, "lua " SOURCE_DIR "/tools/lua/faults.lua");
	must_run(&rig, "break round if *rounds == 3");
	must_run(&rig, "continue");
	const char *text = must_run(&rig, "lua report()");
	ck_assert_msg(has(text, "not present") && has(text, "page faults") && has(text, "in touch"), "%s", text);
	ck_assert(!script_failure(&rig.d));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("script");
	TCase *t = tcase_create("script");

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_script_asks_about_the_machine);
	tcase_add_test(t, errors_name_file_and_line);
	tcase_add_test(t, the_host_is_out_of_reach);
	tcase_add_test(t, a_script_says_the_same_each_time);
	tcase_add_test(t, there_are_limits);
	tcase_add_test(t, a_loop_can_be_interrupted);
	tcase_add_test(t, hooks_are_called_for_what_happens);
	tcase_add_test(t, a_hook_stops_the_machine);
	tcase_add_test(t, a_hook_may_only_look);
	tcase_add_test(t, a_hook_that_fails_fails_the_run);
	tcase_add_test(t, hooks_change_nothing);
	tcase_add_test(t, the_example_counts_faults);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
