/* tests/emu/machine_state_test.c: a saved machine, loaded where it is or into another one, goes on exactly as the saved one did: at random
 * moments, and at those where something is under way. And whatever is loaded instead is refused without a trace, or does no harm.
 *
 *   run to a moment -> save -> run on: hash and state A
 *                        +---> load into the same machine, run on: B
 *                        +---> load into a new machine, run on: C          A = B = C
 */
#define _GNU_SOURCE                        /* memmem */
#include "emu/state/machine_state.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/state/machine_fields.h"

#define ON 200000u                         /* ticks to go on for */
#ifdef __SANITIZE_ADDRESS__
#define POINTS 12
#define DAMAGED 150
#else
#define POINTS 75                          /* for each of four guests */
#define DAMAGED 1000
#endif

static char err[ERROR_LINE];

static uint64_t seed;

static uint32_t rnd(uint32_t below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)((seed >> 33) % below);
}

/* --- a disk whose contents can be put back ------------------------------------------------------------------------- */

#define WRITES_MAX 65536u
struct written { uint64_t lba; uint8_t bytes[SECTOR_SIZE]; };

/* What was written, over an image that stays. */
struct layer { struct disk disk; struct disk *under; struct written *written; uint32_t count; uint32_t *index; };

static int layer_read(struct disk *d, uint64_t lba, void *buf, uint32_t count)
{
	struct layer *l = (struct layer *)d;
	int r = l->under->read(l->under, lba, buf, count);

	for (uint32_t i = 0; i < count; i++)
		if (l->index[lba + i])
			memcpy((uint8_t *)buf + i * SECTOR_SIZE, l->written[l->index[lba + i] - 1].bytes, SECTOR_SIZE);
	return r;
}

static int layer_write(struct disk *d, uint64_t lba, const void *buf, uint32_t count)
{
	struct layer *l = (struct layer *)d;

	for (uint32_t i = 0; i < count; i++) {
		if (!l->index[lba + i]) {
			ck_assert_uint_lt(l->count, WRITES_MAX);
			l->written[l->count].lba = lba + i;
			l->index[lba + i] = ++l->count;
		}
		memcpy(l->written[l->index[lba + i] - 1].bytes, (const uint8_t *)buf + i * SECTOR_SIZE, SECTOR_SIZE);
	}
	return 0;
}

static int layer_flush(struct disk *d)
{
	(void)d;
	return 0;
}

static void layer_put(struct layer *l, const struct written *written, uint32_t count)
{
	for (uint32_t i = 0; i < l->count; i++)
		l->index[l->written[i].lba] = 0;
	memcpy(l->written, written, count * sizeof(*written));
	l->count = count;
	for (uint32_t i = 0; i < count; i++)
		l->index[written[i].lba] = i + 1;
}

static void layer_open(struct layer *l, const char *path)
{
	l->under = disk_open(path, true, err, sizeof(err));
	ck_assert_msg(l->under, "%s", err);
	l->disk = (struct disk){ .sectors = l->under->sectors, .read = layer_read, .write = layer_write, .flush = layer_flush };
	l->written = calloc(WRITES_MAX, sizeof(*l->written));
	l->index = calloc(l->under->sectors, sizeof(*l->index));
	l->count = 0;
}

static void layer_close(struct layer *l)
{
	if (!l->under)
		return;
	l->under->close(l->under);
	free(l->written);
	free(l->index);
}

/* --- rigs ---------------------------------------------------------------------------------------------------------- */

static const struct guest {
	const char *kernel, *disk, *input;
	uint64_t memory;
	struct tlb_geometry tlb;
	uint32_t stride;                   /* ticks between two moments, at most */
} guests[] = {
	{ PAGODA_DIR "/pagoda.elf", PAGODA_DIR "/pagoda.img", "demo-cow | wc ; demo-swap\nls /bin | sort > /x ; cat /x /x | wc\nvmtest\n", 4u << 20, { 0, 0 }, 2000000 },
	{ PAGODA_DIR "/pagoda.elf", PAGODA_DIR "/pagoda.img", "demo-swap ; vmtest\n", 4u << 20, { 64, 4 }, 300000 },
	{ GUEST_DIR "/v86.elf", NULL, "", 8u << 20, { 0, 0 }, 100000 },
	{ GUEST_DIR "/timer.elf", NULL, "abcdefghijklmnopqrstuvwxyz0123456789", 2u << 20, { 16, 4 }, 100000 },
};
#define GUESTS (int)(sizeof(guests) / sizeof(guests[0]))

struct rig {
	const struct guest *guest;
	struct kernel *kernel;
	struct layer layer;
	struct machine *m;
	size_t typed;
};

static int next(void *owner)
{
	struct rig *r = owner;

	return r->guest->input[r->typed] ? (unsigned char)r->guest->input[r->typed++] : -1;
}

static void start(struct rig *r, const struct guest *g, struct kernel *kernel)
{
	struct machine_config config = { .memory = g->memory, .tlb = g->tlb, .disk_name = { g->disk }, .kernel = kernel };

	*r = (struct rig){ .guest = g, .kernel = kernel };
	if (g->disk) {
		layer_open(&r->layer, g->disk);
		config.disk[0] = &r->layer.disk;
	}
	config.input = (struct input_source){ next, r };
	r->m = machine_create(&config, err);
	ck_assert_msg(r->m, "%s", err);
}

static void end(struct rig *r)
{
	machine_free(r->m);
	layer_close(&r->layer);
}

/* Everything needed to go on: the state, and what is not part of it. */
struct moment_saved {
	struct bytes state;
	uint8_t *ram;
	struct written *written;
	uint32_t count;
	size_t typed;
};

static void save_all(struct moment_saved *s, struct rig *r)
{
	size_t ram = r->guest->memory;

	s->state.size = 0;
	ck_assert_int_eq(machine_state_save(r->m, &s->state), 0);
	s->ram = realloc(s->ram, ram);
	memcpy(s->ram, r->m->phys.ram, ram);
	s->count = r->layer.count;
	s->written = realloc(s->written, (s->count + 1) * sizeof(*s->written));
	if (s->count)
		memcpy(s->written, r->layer.written, s->count * sizeof(*s->written));
	s->typed = r->typed;
}

static void load_all(struct rig *r, const struct moment_saved *s)
{
	memcpy(r->m->phys.ram, s->ram, r->guest->memory);
	if (r->layer.under)
		layer_put(&r->layer, s->written, s->count);
	r->typed = s->typed;
	ck_assert_msg(!machine_state_load(r->m, s->state.data, s->state.size, err), "%s", err);
}

/* --- going on ------------------------------------------------------------------------------------------------------ */

struct end_state { uint64_t hash; struct bytes state; };

static void go_on(struct rig *r, struct end_state *e)
{
	machine_run(r->m, ON);
	e->hash = machine_hash(r->m);
	e->state.size = 0;
	ck_assert_int_eq(machine_state_save(r->m, &e->state), 0);
}

static void check_same(const struct end_state *a, const struct end_state *b, const char *where, const char *what, uint64_t tick)
{
	char field[256];
	const char *name = machine_state_compare(&a->state, &b->state, field, sizeof(field));

	ck_assert_msg(!name, "%s, %s, saved at tick %llu: %s differs", where, what, (unsigned long long)tick, name);
	ck_assert_msg(a->hash == b->hash, "%s, %s, saved at tick %llu: memory differs", where, what, (unsigned long long)tick);
}

static void check_loads_alike(struct rig *r, const char *where)
{
	static struct moment_saved saved;
	static struct end_state a, b;
	static struct bytes again;
	struct rig other;
	char field[256];
	uint64_t tick = machine_now(r->m);

	save_all(&saved, r);
	go_on(r, &a);
	load_all(r, &saved);
	again.size = 0;
	ck_assert_int_eq(machine_state_save(r->m, &again), 0);
	const char *name = machine_state_compare(&saved.state, &again, field, sizeof(field));
	ck_assert_msg(!name, "%s, tick %llu: %s is not as it was saved", where, (unsigned long long)tick, name);
	go_on(r, &b);
	check_same(&a, &b, where, "the same machine", tick);
	start(&other, r->guest, r->kernel);
	load_all(&other, &saved);
	go_on(&other, &b);
	check_same(&a, &b, where, "a new machine", tick);
	end(&other);
	load_all(r, &saved);
}

/* --- moments ------------------------------------------------------------------------------------------------------- */

static bool anywhere(const struct machine *m) { (void)m; return true; }
static bool in_transfer(const struct machine *m) { return m->ide[0].phase > IDE_FLUSHING; }
static bool idle(const struct machine *m) { return m->cpu.halted; }
static bool in_v86(const struct machine *m) { return m->cpu.eflags & F_VM; }
static bool sending(const struct machine *m) { return m->uart.sending; }

static bool after_page_fault(const struct machine *m)
{
	const struct fault_record *r = &m->cpu.faults[(m->cpu.fault_count - 1) % FAULT_HISTORY];

	return m->cpu.fault_count && !r->external && r->fault.vector == VEC_PF && m->cpu.icount - r->icount < 300;
}

static const struct situation { const char *name; bool (*holds)(const struct machine *m); int guest; } situations[] = {
	{ "anywhere", anywhere, -1 },
	{ "sending a character", sending, 0 },
	{ "in a disk transfer", in_transfer, 0 },
	{ "in a disk transfer", in_transfer, 1 },
	{ "while idle", idle, 0 },
	{ "while idle", idle, 3 },
	{ "handling a page fault", after_page_fault, 0 },
	{ "handling a page fault", after_page_fault, 1 },
	{ "handling a page fault", after_page_fault, 2 },
	{ "in virtual-8086 mode", in_v86, 2 },
};
#define SITUATIONS (int)(sizeof(situations) / sizeof(situations[0]))

/* Runs on to where the situation holds, if that comes soon. */
static bool reach(struct rig *r, const struct situation *s)
{
	for (unsigned i = 0; i < 20000 && !s->holds(r->m); i++)
		machine_run(r->m, 1 + rnd(150));
	return s->holds(r->m);
}

START_TEST(a_loaded_machine_goes_on_as_the_saved_one)
{
	const struct guest *g = &guests[_i];
	unsigned seen[SITUATIONS] = { 0 };
	struct kernel kernel;
	struct rig r;

	seed = 99 + (unsigned)_i;
	ck_assert_msg(!kernel_open(&kernel, g->kernel, err), "%s", err);
	start(&r, g, &kernel);
	for (unsigned i = 0; i < POINTS; i++) {
		const struct situation *s = &situations[i % SITUATIONS];

		machine_run(r.m, rnd(g->stride));
		if ((s->guest >= 0 && s->guest != _i) || !reach(&r, s))
			s = &situations[0];
		seen[s - situations]++;
		check_loads_alike(&r, s->name);
	}
	for (int i = 0; i < SITUATIONS && POINTS > 50; i++)
		ck_assert_msg(seen[i] || (situations[i].guest >= 0 && situations[i].guest != _i), "never: %s", situations[i].name);
	end(&r);
	kernel_close(&kernel);
}
END_TEST

/* --- one thing at a time --------------------------------------------------------------------------------------------- */

static void start_and_run(struct rig *r, int guest, struct kernel *kernel, uint64_t ticks);

/* Timers that are due at one tick fire in the order they were armed in, which is not the order devices are loaded in. */
START_TEST(timers_keep_their_order)
{
	struct kernel kernel;
	struct rig r;

	start_and_run(&r, 3, &kernel, 100000);
	for (unsigned swapped = 0; swapped < 2; swapped++) {
		struct uart *u = &r.m->uart;
		struct timer *first = swapped ? &u->time_out : &u->sent, *second = swapped ? &u->sent : &u->time_out;
		static struct moment_saved saved;
		struct rig other;

		u->sending = 1;
		u->sent_at = u->time_out_at = machine_now(r.m) + 5000;
		timer_arm(&r.m->clock, first, u->sent_at);
		timer_arm(&r.m->clock, second, u->sent_at);
		save_all(&saved, &r);
		start(&other, r.guest, r.kernel);
		load_all(&other, &saved);
		const struct timer *t = other.m->clock.first;
		while (t && t->owner != &other.m->uart)
			t = t->next;
		ck_assert_ptr_eq(t, swapped ? &other.m->uart.time_out : &other.m->uart.sent);
		ck_assert_ptr_eq(t->next, swapped ? &other.m->uart.sent : &other.m->uart.time_out);
		end(&other);
	}
	end(&r);
	kernel_close(&kernel);
}
END_TEST

/* RAM has changed behind the processor's back: nothing decoded from it before may run. */
START_TEST(code_is_decoded_anew)
{
	static const uint8_t shift[] = { 0xc1, 0xe3, 0x04 };              /* SHL EBX by 4: how the monitor finds the task's instruction */
	static struct moment_saved saved;
	static struct end_state a, b;
	struct kernel kernel;
	struct rig r, other;

	start_and_run(&r, 2, &kernel, 100000);
	save_all(&saved, &r);
	uint8_t *code = memmem(saved.ram, guests[2].memory, shift, sizeof(shift));
	ck_assert_ptr_nonnull(code);
	code[2] = 5;
	load_all(&r, &saved);
	go_on(&r, &a);
	start(&other, r.guest, r.kernel);
	load_all(&other, &saved);
	go_on(&other, &b);
	check_same(&a, &b, "code that has changed", "a new machine", 100000);
	end(&other);
	end(&r);
	kernel_close(&kernel);
}
END_TEST

START_TEST(requests_gates_and_counts_are_kept)
{
	static struct moment_saved saved;
	struct kernel kernel;
	struct rig r, other;

	start_and_run(&r, 2, &kernel, 100000);
	r.m->cmos.nmi_masked = 1;
	r.m->nmi_waiting = 1;
	r.m->want_debug_exit = r.m->want_reset = r.m->reset_is_init = true;
	r.m->exit_value = 77;
	r.m->resets = 5;
	save_all(&saved, &r);
	start(&other, r.guest, r.kernel);
	load_all(&other, &saved);
	const struct machine *m = other.m;
	ck_assert(m->nmi_waiting && !m->cpu.nmi_pending && m->want_debug_exit && m->want_reset && m->reset_is_init && !m->want_power_off);
	ck_assert_uint_eq(m->exit_value, 77);
	ck_assert_uint_eq(m->resets, 5);
	ck_assert_uint_gt(m->cpu.fault_count, FAULT_HISTORY);
	for (unsigned i = 0; i < FAULT_HISTORY; i++) {
		const struct fault_record *x = &r.m->cpu.faults[i], *y = &m->cpu.faults[i];
		ck_assert_uint_eq(x->icount, y->icount);
		ck_assert_uint_eq(x->walk.levels, y->walk.levels);
		for (unsigned k = 0; k < x->walk.levels; k++)
			ck_assert_str_eq(x->walk.step[k].name, y->walk.step[k].name);
	}
	ck_assert_uint_eq(m->cpu.control_count, r.m->cpu.control_count);
	ck_assert_uint_eq(m->cpu.controls[0].value, r.m->cpu.controls[0].value);
	end(&other);
	end(&r);
	kernel_close(&kernel);
}
END_TEST

/* --- what is no saved machine -------------------------------------------------------------------------------------- */

static void copy_state(struct bytes *to, const struct bytes *from)
{
	to->data = realloc(to->data, from->size);
	memcpy(to->data, from->data, from->size);
	to->size = to->capacity = from->size;
}

/* The guest has been somewhere, and has a TLB, timers and histories. */
static void start_and_run(struct rig *r, int guest, struct kernel *kernel, uint64_t ticks)
{
	ck_assert_msg(!kernel_open(kernel, guests[guest].kernel, err), "%s", err);
	start(r, &guests[guest], kernel);
	machine_run(r->m, ticks);
}

static void check_refused(struct rig *r, const struct bytes *state, const struct bytes *before, const char *what)
{
	static struct bytes after;
	char field[256];

	err[0] = 0;
	ck_assert_msg(machine_state_load(r->m, state->data, state->size, err) == -1, "loaded although %s", what);
	ck_assert_msg(*err && !strchr(err, '\n'), "%s: '%s'", what, err);
	after.size = 0;
	ck_assert_int_eq(machine_state_save(r->m, &after), 0);
	const char *name = machine_state_compare(before, &after, field, sizeof(field));
	ck_assert_msg(!name, "%s was refused but %s has changed", what, name);
}

START_TEST(a_truncated_state_is_refused)
{
	struct bytes state = { 0 }, cut = { 0 };
	struct kernel kernel;
	struct rig r;

	seed = 5;
	start_and_run(&r, 2, &kernel, 100000);
	ck_assert_int_eq(machine_state_save(r.m, &state), 0);
	for (unsigned i = 0; i < DAMAGED / 10; i++) {
		copy_state(&cut, &state);
		cut.size = i < 40 ? i : rnd((uint32_t)state.size);
		check_refused(&r, &cut, &state, "it was cut");
	}
	free(state.data);
	free(cut.data);
	end(&r);
	kernel_close(&kernel);
}
END_TEST

/* Where a name is in a state: just behind its length. */
static uint8_t *find_name(const struct bytes *state, const char *name)
{
	uint8_t length = (uint8_t)strlen(name);

	for (size_t i = 0; i + 1 + length < state->size; i++)
		if (state->data[i] == length && !memcmp(state->data + i + 1, name, length))
			return state->data + i + 1;
	ck_abort_msg("no %s", name);
	return NULL;
}

START_TEST(what_no_machine_can_hold_is_refused_by_name)
{
	static const struct { const char *field; unsigned offset; uint8_t value; } cases[] = {
		{ "cpu.cpl", 0, 4 }, { "cpu.halted", 0, 2 }, { "cpu.fpu.mxcsr", 2, 1 }, { "cpu.icount", 7, 0x80 }, { "machine.skipped", 7, 0x41 },
		{ "machine.memory", 3, 1 }, { "machine.tlb_entries", 0, 64 }, { "machine.a20_open", 0, 4 }, { "pit.version", 0, 2 },
		{ "cpu.faults.walk.levels", 0, 4 }, { "mmu.last_fault.result", 0, 9 }, { "cpu.faults.idt_read", 0, 3 },
	};
	struct bytes state = { 0 }, bad = { 0 };
	struct kernel kernel;
	struct rig r;

	start_and_run(&r, 2, &kernel, 100000);
	ck_assert_int_eq(machine_state_save(r.m, &state), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		copy_state(&bad, &state);
		find_name(&bad, cases[i].field)[strlen(cases[i].field) + 8 + cases[i].offset] = cases[i].value;
		check_refused(&r, &bad, &state, cases[i].field);
		ck_assert_msg(strstr(err, cases[i].field), "%s: %s", cases[i].field, err);
	}
	copy_state(&bad, &state);
	find_name(&bad, "uart.divisor")[5] = 'X';
	check_refused(&r, &bad, &state, "a field is unknown");
	ck_assert_msg(strstr(err, "uart.Xivisor"), "%s", err);
	copy_state(&bad, &state);
	memcpy(find_name(&bad, "cpu.cr2"), "cpu.cr3", 7);
	check_refused(&r, &bad, &state, "a field is there twice");
	copy_state(&bad, &state);
	memcpy(find_name(&bad, "tlb.vpn") + 7 + 8, find_name(&bad, "tlb.vpn") + 7 + 8 + 4, 4);
	check_refused(&r, &bad, &state, "a page is twice in the TLB");
	copy_state(&bad, &state);
	memset(find_name(&bad, "tlb.leaf") + 8 + 8, 0xff, 8);
	check_refused(&r, &bad, &state, "an entry of the TLB comes from nowhere");
	free(state.data);
	free(bad.data);
	end(&r);
	kernel_close(&kernel);
}
END_TEST

/* A state from before a field was there loads: the field is as after reset. */
START_TEST(a_field_that_is_missing_is_as_after_reset)
{
	struct bytes state = { 0 };
	struct kernel kernel;
	struct rig r;
	uint64_t size;

	start_and_run(&r, 3, &kernel, 100000);
	ck_assert_int_eq(machine_state_save(r.m, &state), 0);
	uint32_t eip = r.m->cpu.eip;
	uint8_t *at = find_name(&state, "uart.mcr") - 1;
	size_t bytes = 1 + 8 + 8 + 1;

	ck_assert_uint_eq(r.m->uart.mcr, 3);
	memmove(at, at + bytes, (size_t)(state.data + state.size - at) - bytes);
	state.size -= bytes;
	memcpy(&size, state.data + 12, 8);
	size -= bytes;
	memcpy(state.data + 12, &size, 8);
	machine_run(r.m, 12345);
	ck_assert_msg(!machine_state_load(r.m, state.data, state.size, err), "%s", err);
	ck_assert_uint_eq(r.m->uart.mcr, 0);
	ck_assert_uint_eq(r.m->cpu.eip, eip);
	free(state.data);
	end(&r);
	kernel_close(&kernel);
}
END_TEST

/* Whatever the bytes say, loading refuses them and leaves the machine as it is, or loads something that can be run. */
START_TEST(damaged_states_do_no_harm)
{
	static const int chosen[] = { 0, 2, 3 };
	struct bytes state = { 0 }, bad = { 0 };
	struct kernel kernel;
	struct rig r;
	unsigned loaded = 0;

	seed = 77 + (unsigned)_i;
	start_and_run(&r, chosen[_i], &kernel, 700000);
	ck_assert_int_eq(machine_state_save(r.m, &state), 0);
	for (unsigned i = 0; i < DAMAGED; i++) {
		copy_state(&bad, &state);
		for (unsigned n = 1 + rnd(8); n; n--)
			bad.data[rnd(4) ? rnd(24000) : rnd((uint32_t)bad.size)] ^= rnd(2) ? 1u << rnd(8) : rnd(256);
		static struct bytes before, after;
		char field[256];
		before.size = after.size = 0;
		ck_assert_int_eq(machine_state_save(r.m, &before), 0);
		if (!machine_state_load(r.m, bad.data, bad.size, err)) {
			loaded++;
			machine_run(r.m, 3000);
			machine_hash(r.m);
			continue;
		}
		ck_assert_int_eq(machine_state_save(r.m, &after), 0);
		const char *name = machine_state_compare(&before, &after, field, sizeof(field));
		ck_assert_msg(!name, "round %u was refused (%s) but %s has changed", i, err, name);
	}
	ck_assert_uint_gt(loaded, DAMAGED / 20);
	free(state.data);
	free(bad.data);
	end(&r);
	kernel_close(&kernel);
}
END_TEST

START_TEST(every_field_has_a_name_of_its_own)
{
	struct machine_fields f;
	struct kernel kernel;
	struct rig r;

	start_and_run(&r, 0, &kernel, 0);
	ck_assert_int_eq(machine_fields_collect(&f, r.m), 0);
	ck_assert_uint_gt(f.count, 300);
	for (unsigned i = 0; i < f.count; i++)
		for (unsigned k = 0; k < i; k++)
			ck_assert_msg(strcmp(f.field[i].name, f.field[k].name), "%s", f.field[i].name);
	machine_fields_free(&f);
	end(&r);
	kernel_close(&kernel);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("machine state");
	TCase *t = tcase_create("loading");
	SRunner *r = srunner_create(s);

	tcase_set_timeout(t, 0);
	tcase_add_loop_test(t, a_loaded_machine_goes_on_as_the_saved_one, 0, GUESTS);
	tcase_add_test(t, timers_keep_their_order);
	tcase_add_test(t, code_is_decoded_anew);
	tcase_add_test(t, requests_gates_and_counts_are_kept);
	tcase_add_test(t, a_truncated_state_is_refused);
	tcase_add_test(t, what_no_machine_can_hold_is_refused_by_name);
	tcase_add_test(t, a_field_that_is_missing_is_as_after_reset);
	tcase_add_loop_test(t, damaged_states_do_no_harm, 0, 3);
	tcase_add_test(t, every_field_has_a_name_of_its_own);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
