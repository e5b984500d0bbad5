/* tests/emu/looking_test.c: promise 3. Pagoda pages and swaps; at a thousand random moments of its run somebody attaches, looks at everything
 * there is to be looked at, and leaves. The machine's state and its TLB are the same before and after, and the run ends as the run that
 * nobody looked at. */
#include "emu/debug/debugger.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "emu/monitor/command.h"
#include "emu/debug/expr.h"
#include "emu/debug/guest/guest.h"
#include "emu/debug/explain/micro.h"
#include "emu/debug/view/view.h"
#include "emu/debug/explain/why.h"
#include "emu/gdb/gdb.h"
#include "emu/hash.h"

#define MILLION 1000000u
#ifdef __SANITIZE_ADDRESS__
#define POINTS 40
#define INSTRUCTIONS (30 * MILLION)
#else
#define POINTS 1000
#define INSTRUCTIONS (300 * MILLION)
#endif
#define SEARCHES 10                    /* points at which the story also asks who wrote the entry, which goes back in time */

static char err[ERROR_LINE];
static const char script[] = "demo-cow | wc ; demo-swap\nls /bin | sort > /x ; cat /x /x | wc\nvmtest\n";

struct rig {
	struct kernel kernel;
	struct disk *disk;
	struct machine *m;
	const char *input;
};

static void put(void *owner, uint8_t byte)
{
	(void)owner, (void)byte;
}

static int next(void *owner)
{
	struct rig *r = owner;

	return *r->input ? (unsigned char)*r->input++ : -1;
}

static void start(struct rig *r)
{
	struct machine_config config = { .memory = 4u << 20, .disk_name = { "pagoda.img" } };

	*r = (struct rig){ .input = script };
	ck_assert_msg(!kernel_open(&r->kernel, PAGODA_DIR "/pagoda.elf", err), "%s", err);
	r->disk = disk_open(PAGODA_DIR "/pagoda.img", true, err, sizeof(err));
	ck_assert_msg(r->disk, "%s", err);
	config.disk[0] = r->disk;
	config.kernel = &r->kernel;
	config.serial = config.debug = (struct char_out){ put, r };
	config.input = (struct input_source){ next, r };
	r->m = machine_create(&config, err);
	ck_assert_msg(r->m, "%s", err);
}

static void end(struct rig *r)
{
	machine_free(r->m);
	kernel_close(&r->kernel);
	r->disk->close(r->disk);
}

static void hash_entry(void *ctx, const struct tlb_entry *e)
{
	hash_u64(ctx, (uint64_t)e->vpn << 32 | e->frame);
	hash_u64(ctx, e->flags);
	hash_u64(ctx, e->leaf);
}

/* The state, and what the TLB holds: a guest can tell that too. */
static uint64_t state_of(struct machine *m)
{
	struct hash h;

	hash_init(&h);
	hash_u64(&h, machine_hash(m));
	mmu_tlb_each(&m->mmu, hash_entry, &h);
	return hash_result(&h);
}

/* --- looking ------------------------------------------------------------------------------------------------------------ */

static void look_at_views(struct debugger *d, struct text *t)
{
	struct view_request rq = { .width = 80, .height = 24 };

	for (const struct view *v = views; v->name; v++) {
		text_clear(t);
		v->render(d, &rq, t);
		ck_assert(!t->failed);
		if (v->json)
			json_decref(v->json(d, &rq));
	}
}

static void look_by_commands(struct debugger *d)
{
	static const char *const line[] = { "info registers", "info tlb --json", "info pg", "info processes", "x/8x $esp", "x/5i $eip", "walk $esp", "print *$esp", "who",
		"info break", "info devices --json", "export - walk", "backtrace", "info checks" };

	for (size_t i = 0; i < sizeof(line) / sizeof(line[0]); i++) {
		struct reply r = { 0 };
		command_execute(d, line[i], &r);
		reply_free(&r);
	}
}

static void look_with_gdb(struct debugger *d)
{
	static const char *const packet[] = { "?", "g", "m0,400", "mc0100000,400", "mbffff000,1000", "qXfer:features:read:target.xml:0,ffb", "Qqemu.PhyMemMode:1",
		"m0,1000", "Qqemu.PhyMemMode:0", "qRcmd,696e666f20746c62", "Z0,c0100000,1", "Z2,c0100000,4", "z2,c0100000,4", "z0,c0100000,1", "D;1" };
	struct gdb *g = gdb_listen(d, "0", err);

	ck_assert_msg(g, "%s", err);
	for (size_t i = 0; i < sizeof(packet) / sizeof(packet[0]); i++)
		gdb_packet(g, packet[i], strlen(packet[i]));
	gdb_close(g);
}

static void look_inside(struct debugger *d, struct text *t)
{
	struct micro u = { 0 };

	ck_assert_msg(!micro_begin(d, &u, err), "%s", err);
	for (size_t i = 0; i < u.count; i++)
		micro_describe(d, &u.event[i], t);
	micro_free(&u);
}

static void look(struct debugger *d, unsigned point)
{
	struct face face = { .name = "test" };
	struct text t = { 0 };

	debugger_attach(d, &face);
	look_at_views(d, &t);
	look_by_commands(d);
	look_with_gdb(d);
	text_clear(&t);
	why_tell(d, point % (POINTS / SEARCHES) == 0, &t);
	look_inside(d, &t);
	debugger_detach(d, &face);
	text_free(&t);
}

/* --- the run ------------------------------------------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void choose(uint64_t *point, unsigned seed)
{
	for (unsigned i = 0; i < POINTS; i++)
		point[i] = ((uint64_t)(unsigned)rand_r(&seed) << 16 | ((unsigned)rand_r(&seed) & 0xffff)) % INSTRUCTIONS;
	qsort(point, POINTS, sizeof(point[0]), by_number);
}

static void run_to(struct history *h, struct machine *m, uint64_t icount)
{
	m->instruction_limit = icount;
	while (m->cpu.icount < icount)
		history_run(h, 10 * MILLION);
	m->instruction_limit = UINT64_MAX;
}

static uint64_t unwatched(void)
{
	struct rig r;

	start(&r);
	r.m->instruction_limit = INSTRUCTIONS;
	while (r.m->cpu.icount < INSTRUCTIONS)
		machine_run(r.m, 10 * MILLION);
	uint64_t state = state_of(r.m);
	end(&r);
	return state;
}

START_TEST(looking_at_everything_changes_nothing)
{
	static uint64_t point[POINTS];
	struct debugger d;
	struct rig r;

	choose(point, 2026);
	start(&r);
	struct history *h = history_create(r.m, HISTORY_DEFAULT_LIMIT, err);
	ck_assert_msg(h, "%s", err);
	ck_assert_msg(!debugger_init(&d, r.m, h, err), "%s", err);
	for (unsigned i = 0; i < POINTS; i++) {
		run_to(h, r.m, point[i]);
		uint64_t before = state_of(r.m);
		look(&d, i);
		ck_assert_msg(state_of(r.m) == before, "looking at instruction %llu changed the state", (unsigned long long)point[i]);
	}
	run_to(h, r.m, INSTRUCTIONS);
	uint64_t watched = state_of(r.m);
	debugger_free(&d);
	history_free(h);
	end(&r);
	ck_assert_msg(watched == unwatched(), "the run that was looked at ends otherwise");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("looking");
	TCase *t = tcase_create("looking");

	tcase_set_timeout(t, 280);
	tcase_add_test(t, looking_at_everything_changes_nothing);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? 1 : 0;
}
