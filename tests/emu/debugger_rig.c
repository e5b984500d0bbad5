/* tests/emu/debugger_rig.c: see debugger_rig.h. */
#include "debugger_rig.h"

#include <stdio.h>
#include <string.h>

char err[ERROR_LINE];
static struct kernel kernel;
struct symbols symbols;
struct machine *m;
struct history *h;
struct debugger d;
static struct tlb_geometry geometry;
static const char *guest = GUEST_DIR "/stepping.elf";

struct machine *new_machine(void)
{
	struct machine *made = machine_create(&(struct machine_config){ .memory = 4u << 20, .kernel = &kernel, .tlb = geometry }, err);

	ck_assert_msg(made, "%s", err);
	return made;
}

static void setup(void)
{
	ck_assert_msg(!kernel_open(&kernel, guest, err), "%s", err);
	symbols_load(&symbols, &kernel);
	m = new_machine();
	h = history_create(m, HISTORY_DEFAULT_LIMIT, err);
	ck_assert_msg(h, "%s", err);
	ck_assert_msg(!debugger_init(&d, m, h, err), "%s", err);
}

static void setup_modelled(void)
{
	geometry = (struct tlb_geometry){ 16, 4 };
	setup();
}

static void setup_timer(void)
{
	guest = GUEST_DIR "/timer.elf";
	setup();
}

static void setup_reset(void)
{
	guest = GUEST_DIR "/reset.elf";
	setup();
}

static void teardown(void)
{
	debugger_free(&d);
	history_free(h);
	machine_free(m);
	symbols_free(&symbols);
	kernel_close(&kernel);
}

uint32_t at(const char *name)
{
	uint32_t la = 0;

	ck_assert_msg(!symbols_find(&symbols, name, &la), "no symbol %s", name);
	return la;
}

unsigned add(struct breakpoint b)
{
	b.enabled = true;
	int id = debugger_break_add(&d, &b, err);
	ck_assert_msg(id > 0, "%s", err);
	return (unsigned)id;
}

unsigned break_at(const char *name)
{
	return add((struct breakpoint){ .kind = BREAK_EXECUTE, .address = at(name) });
}

const struct stop *go(enum go how)
{
	return debugger_go(&d, how, 1, 0);
}

uint32_t word(const char *name)
{
	uint32_t value = 0;

	ck_assert_uint_eq(debugger_read_linear(&d, at(name), &value, 4), 4);
	return value;
}

void expect_break(const struct stop *s, unsigned id)
{
	ck_assert_msg(s->kind == STOP_BREAK && s->breakpoint == id, "stop %d, breakpoint %u: %s", s->kind, s->breakpoint, s->text);
}

void expect_at(const char *name)
{
	ck_assert_msg(debugger_pc(&d) == at(name), "at 0x%x instead of %s", debugger_pc(&d), name);
}

void to_round(unsigned n)
{
	struct breakpoint b = { .kind = BREAK_EXECUTE, .address = at("after_outer"), .ignore = n - 1 };
	unsigned id = add(b);

	expect_break(go(GO_CONTINUE), id);
	debugger_break_delete(&d, id);
}

void expect_plain_state(void)
{
	struct machine *plain = new_machine();

	plain->instruction_limit = cpu_icount(&m->cpu);
	while (machine_run(plain, 1000000) == MACHINE_RAN)
		;
	ck_assert_uint_eq(machine_now(plain), machine_now(m));
	ck_assert_str_eq(cpu_compare(&plain->cpu, &m->cpu) ? cpu_compare(&plain->cpu, &m->cpu) : "", "");
	ck_assert_uint_eq(machine_hash(plain), machine_hash(m));
	machine_free(plain);
}

/* --- suites ------------------------------------------------------------------------------------------------------------------ */

static void add_case(Suite *s, const char *name, void (*prepare)(void), const TTest *const *tests)
{
	TCase *t = tcase_create(name);

	tcase_add_checked_fixture(t, prepare, teardown);
	tcase_set_timeout(t, 120);
	for (; *tests; tests++)
		tcase_add_test(t, *tests);
	suite_add_tcase(s, t);
}

Suite *debugger_suite(const char *name, const TTest *const *tests)
{
	Suite *s = suite_create(name);

	add_case(s, "flat TLB", setup, tests);
	add_case(s, "modelled TLB", setup_modelled, tests);
	return s;
}

void debugger_suite_add(Suite *s, const char *other_guest, const TTest *const *tests)
{
	add_case(s, other_guest, strcmp(other_guest, "timer") ? setup_reset : setup_timer, tests);
}

int debugger_suite_run(Suite *s)
{
	SRunner *sr = srunner_create(s);

	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
