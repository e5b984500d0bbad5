/* tests/emu/debugger_random_test.c: somebody debugs Pagoda at random: breakpoints of every kind, steps, ways back. Wherever the machine is then, it is as a
 * machine without a debugger is at that tick: memory, all state with the TLB; promise 3. */
#include "emu/debug/debugger.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/state/machine_state.h"
#include "emu/symbols.h"

#ifdef __SANITIZE_ADDRESS__
#define RUN 12000000u
#define ACTIONS 40
#else
#define RUN 60000000u
#define ACTIONS 150
#endif

static char err[ERROR_LINE];
static struct kernel kernel;
static struct symbols symbols;

struct rig { struct machine *m; struct history *h; struct disk *disk; const char *input; };

static void put(void *owner, uint8_t byte) { (void)owner, (void)byte; }

static int next(void *owner)
{
	struct rig *r = owner;

	return *r->input ? (unsigned char)*r->input++ : -1;
}

static void start(struct rig *r, struct tlb_geometry tlb)
{
	*r = (struct rig){ .input = "ls /bin | sort > /x\ndemo-cow\ndemo-swap\ndemo-stack\nvmtest\n" };
	r->disk = disk_open(PAGODA_DIR "/pagoda.img", true, err, sizeof(err));
	ck_assert_msg(r->disk, "%s", err);
	r->m = machine_create(&(struct machine_config){ .memory = 4u << 20, .tlb = tlb, .kernel = &kernel, .disk = { r->disk }, .disk_name = { "pagoda.img" },
		.serial = { put, r }, .debug = { put, r }, .input = { next, r } }, err);
	ck_assert_msg(r->m, "%s", err);
	r->h = history_create(r->m, HISTORY_DEFAULT_LIMIT, err);
	ck_assert_msg(r->h, "%s", err);
}

static void finish(struct rig *r)
{
	history_free(r->h);
	machine_free(r->m);
	r->disk->close(r->disk);
}

/* --- the same machine? ----------------------------------------------------------------------------------------------------- */

/* How often fast tables answered is counted otherwise while somebody watches, in the flat geometry. */
static void compare(struct rig *plain, struct machine *m, const char *after)
{
	struct bytes a = { 0 }, b = { 0 };
	char name[128];

	ck_assert_msg(history_goto_tick(plain->h, machine_now(m), NULL, err) == HISTORY_OK, "%s: %s", after, err);
	ck_assert_msg(cpu_icount(&plain->m->cpu) == cpu_icount(&m->cpu), "%s: another instruction", after);
	ck_assert_msg(!cpu_compare(&plain->m->cpu, &m->cpu), "%s: %s differs at tick %llu", after, cpu_compare(&plain->m->cpu, &m->cpu),
		(unsigned long long)machine_now(m));
	ck_assert_msg(machine_hash(plain->m) == machine_hash(m), "%s: memory or a device differs at tick %llu", after, (unsigned long long)machine_now(m));
	struct tlb_stats stats = m->mmu.stats;
	m->mmu.stats = plain->m->mmu.stats;
	ck_assert(!machine_state_save(plain->m, &a) && !machine_state_save(m, &b));
	m->mmu.stats = stats;
	const char *field = machine_state_compare(&a, &b, name, sizeof(name));
	ck_assert_msg(!field, "%s: %s differs at tick %llu", after, field, (unsigned long long)machine_now(m));
	free(a.data);
	free(b.data);
}

/* --- somebody --------------------------------------------------------------------------------------------------------------- */

static unsigned seed;
static unsigned random_below(unsigned n) { return (unsigned)rand_r(&seed) % n; }

static struct breakpoint random_breakpoint(void)
{
	struct breakpoint b = { .kind = random_below(BREAK_KINDS), .enabled = true, .length = 1 + random_below(8), .vector = -1,
		.ignore = random_below(4) * random_below(50) };

	b.address = symbols.symbol[random_below((unsigned)symbols.count)].address;
	b.temporary = !random_below(4);
	b.space = b.kind == BREAK_MAPPING ? SPACE_LINEAR : random_below(2) * SPACE_PHYSICAL;
	if (b.space == SPACE_PHYSICAL)
		b.address = b.kind == BREAK_EXECUTE ? b.address & 0xfffffff : random_below(4u << 20) & ~7u;
	switch (b.kind) {
	case BREAK_PORT: b.address = random_below(2) ? 0x3f8 : 0x1f0; break;
	case BREAK_CONTROL: b.address = random_below(2) ? 0 : 3; break;
	case BREAK_EXCEPTION: b.vector = random_below(2) ? 14 : -1; b.length = 0; break;
	case BREAK_INTERRUPT: b.vector = random_below(2) ? 0x20 : -1; break;
	case BREAK_SPACE: b.any = true; break;
	case BREAK_MAPPING: b.address = random_below(2) ? 0xbffff000 : 0x08048000 + random_below(8) * 4096; break;
	case BREAK_RESUME: b.length = 0; break;
	default: break;
	}
	return b;
}

/* Forwards it must not run past what the other machine knows. */
static const struct stop *bounded(struct debugger *d, enum go how)
{
	uint64_t icount = cpu_icount(&d->m->cpu), end = icount + 1 + random_below(2000000);
	struct breakpoint b = { .kind = BREAK_COUNT, .enabled = true, .address = end < RUN ? end : RUN };
	int id = debugger_break_add(d, &b, err);

	debugger_go(d, how, 1, 0);
	debugger_break_delete(d, (unsigned)id);
	return &d->stop;
}

static const char *act(struct debugger *d)
{
	static const enum go steps[] = { GO_STEP, GO_OVER, GO_BACK_STEP, GO_BACK_OVER };
	static const char *const names[] = { "step", "next", "rstep", "rnext" };
	unsigned which = random_below(12);
	struct breakpoint b;

	switch (which) {
	case 0: case 1: case 2: case 3:
		if (cpu_icount(&d->m->cpu) + 100000 < RUN || which > 1)
			debugger_go(d, steps[which], 1 + random_below(10), 0);
		return names[which];
	case 4: case 5:
		b = random_breakpoint();
		ck_assert_msg(debugger_break_add(d, &b, err) > 0, "%s", err);
		return "break";
	case 6:
		if (d->breaks)
			debugger_break_delete(d, d->breaks->id);
		return "delete";
	case 7:
		debugger_go(d, GO_BACK_CONTINUE, 1, 0);
		return "rcontinue";
	case 8:
		debugger_goto(d, random_below((unsigned)history_present(d->h).icount + 1));
		return "goto";
	case 9:
		bounded(d, GO_OUT);
		return "finish";
	default:
		bounded(d, GO_CONTINUE);
		return "continue";
	}
}

static void debug_at_random(unsigned with, struct tlb_geometry tlb)
{
	struct rig plain, debugged;
	struct debugger d;

	seed = with;
	start(&plain, tlb);
	start(&debugged, tlb);
	plain.m->instruction_limit = RUN + 1000000;
	while (history_run(plain.h, 10000000) == MACHINE_RAN)
		;
	ck_assert_msg(!debugger_init(&d, debugged.m, debugged.h, err), "%s", err);
	debugged.m->instruction_limit = RUN / 2;
	ck_assert_int_eq(debugger_go(&d, GO_CONTINUE, 1, 0)->kind, STOP_MACHINE);
	debugged.m->instruction_limit = UINT64_MAX;
	for (unsigned i = 0; i < ACTIONS; i++) {
		const char *what = act(&d);
		ck_assert_msg(d.stop.kind != STOP_ERROR && d.stop.kind != STOP_NONE, "%s: %d %s", what, d.stop.kind, d.stop.text);
		ck_assert_msg(!history_trouble(debugged.h), "%s: %s", what, history_trouble(debugged.h));
		compare(&plain, debugged.m, what);
	}
	debugger_free(&d);
	finish(&debugged);
	finish(&plain);
}

START_TEST(random_debugging_is_not_noticed)
{
	debug_at_random((unsigned)_i, (struct tlb_geometry){ 0, 0 });
}
END_TEST

START_TEST(random_debugging_is_not_noticed_with_a_modelled_tlb)
{
	debug_at_random(100 + (unsigned)_i, (struct tlb_geometry){ 64, 4 });
}
END_TEST

static void setup(void)
{
	ck_assert_msg(!kernel_open(&kernel, PAGODA_DIR "/pagoda.elf", err), "%s", err);
	symbols_load(&symbols, &kernel);
}

static void teardown(void)
{
	symbols_free(&symbols);
	kernel_close(&kernel);
}

int main(void)
{
	TCase *tc = tcase_create("random");
	Suite *s = suite_create("debugger_random");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, random_debugging_is_not_noticed, 0, 2);
	tcase_add_loop_test(tc, random_debugging_is_not_noticed_with_a_modelled_tlb, 0, 1);
	suite_add_tcase(s, tc);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
