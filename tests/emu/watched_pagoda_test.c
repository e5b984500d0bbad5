/* tests/emu/watched_pagoda_test.c: nothing that watches a machine is noticed in it.
 *
 * Pagoda, paging and swapping, runs twice: plain, and with observers of everything while a test meddles between pieces of random
 * length: watches come and go, fast entries and decoded code are forgotten, the TLB is saved and loaded. Machine, TLB and statistics
 * must be the same.
 * What observers hear must not depend on how the run is cut into blocks either: a run in which each instruction is observed, and so
 * runs alone, tells of the same events at the same counts.
 */
#include "small_pagoda.h"

#define MILLION 1000000u
#ifdef __SANITIZE_ADDRESS__
#define MILLIONS 2
#define LONG_ENOUGH false              /* to hear of everything */
#else
#define MILLIONS 60
#define LONG_ENOUGH true
#endif

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* --- an observer of everything ----------------------------------------------------------------------------------------- */

struct ears {
	struct observer o;
	uint64_t hash;                 /* of all that was told */
	uint64_t heard, translated, hits, accessed, by_dma, by_walk, changes, controls, walks, alone;
	uint32_t stop_in;              /* events until one stops the run; 0: none does */
	uint64_t stopped_at;           /* icount in the callback that did */
	uint32_t guard_seed;           /* which pages are guarded */
};

static void mix(struct ears *e, uint64_t a) { e->hash = (e->hash ^ a) * 0x9e3779b97f4a7c15ull + (e->hash >> 29); }

static void heard(struct ears *e, struct machine *m, unsigned kind, uint64_t a, uint64_t b)
{
	mix(e, cpu_icount(&m->cpu));
	mix(e, kind);
	mix(e, a);
	mix(e, b);
	e->heard++;
	if (e->stop_in && !--e->stop_in) {
		e->stopped_at = cpu_icount(&m->cpu);
		machine_stop_soon(m);
	}
}

static bool on_exception(void *owner, struct machine *m, const struct fault_record *r)
{
	heard(owner, m, 1, r->fault.vector, r->eip);
	return false;
}

static void on_delivered(void *owner, struct machine *m, const struct fault_record *r)
{
	heard(owner, m, 2, r->fault.vector, r->eip);
}

static void on_iret(void *owner, struct machine *m)
{
	heard(owner, m, 3, m->cpu.eip, 0);
}

static void on_control(void *owner, struct machine *m, const struct register_write *w)
{
	((struct ears *)owner)->controls++;
	heard(owner, m, 4, w->number, w->old ^ w->value << 1 ^ w->eip);
}

/* A port's callback finds the EIP of the instruction, as do those of memory. */
static void on_port(void *owner, struct machine *m, uint16_t port, unsigned size, bool write, uint32_t value)
{
	heard(owner, m, 5, port + size + write, value ^ m->cpu.eip);
}

static void on_walked(void *owner, struct machine *m, const struct walk *w)
{
	((struct ears *)owner)->walks++;
	heard(owner, m, 6, w->access.la, w->pa ^ m->cpu.eip);
}

static void on_tlb_changed(void *owner, struct machine *m, const struct tlb_entry *old, const struct tlb_entry *new)
{
	((struct ears *)owner)->changes++;
	heard(owner, m, 7, old ? old->vpn : 0, (new ? new->flags : 0) ^ m->cpu.eip);
}

static void on_accessed(void *owner, struct machine *m, const struct phys_access *a)
{
	struct ears *e = owner;

	e->accessed++;
	e->by_dma += a->by == BY_DMA;
	e->by_walk += a->by == BY_WALK;
	heard(e, m, 8, a->pa * 16 + a->len, a->by * 2 + a->write + (uint64_t)m->cpu.eip * 8);
}

static void on_translated(void *owner, struct machine *m, const struct access *a, const struct tlb_entry *e, bool hit)
{
	struct ears *ears = owner;

	(void)m, (void)a, (void)e;
	ears->translated++;
	ears->hits += hit;
}

/* One page in four. */
static bool on_guarded(void *owner, struct machine *m, uint32_t vpn, uint32_t frame)
{
	uint32_t seed = ((struct ears *)owner)->guard_seed ^ (vpn * 0x9e3779b1u + frame);

	(void)m;
	return ((struct ears *)owner)->guard_seed && next_random(&seed) % 4 == 0;
}

static void on_alone(void *owner, struct machine *m)
{
	(void)m;
	((struct ears *)owner)->alone++;
}

static void listen(struct ears *e, struct machine *m)
{
	*e = (struct ears){ .o = { .name = "ears", .exception = on_exception, .delivered = on_delivered, .iret = on_iret, .control = on_control,
		.port = on_port, .walked = on_walked, .translated = on_translated, .tlb_changed = on_tlb_changed, .accessed = on_accessed,
		.guarded = on_guarded, .alone = on_alone } };
	e->o.owner = e;
	machine_observe(m, &e->o);
}

/* --- comparing ---------------------------------------------------------------------------------------------------------- */

static struct tlb_entry *tlb_list(const struct machine *m, size_t *n, uint64_t *lru)
{
	*n = mmu_tlb_count(&m->mmu);
	struct tlb_entry *list = calloc(*n + 1, sizeof(*list));

	ck_assert_ptr_nonnull(list);
	mmu_tlb_save(&m->mmu, list, lru);
	return list;
}

static void check_same(struct machine *a, struct machine *b, unsigned million)
{
	size_t n[2];
	uint64_t lru[2];
	struct tlb_entry *x = tlb_list(a, &n[0], &lru[0]), *y = tlb_list(b, &n[1], &lru[1]);
	struct tlb_stats s = a->mmu.stats, t = b->mmu.stats;

	ck_assert_msg(machine_hash(a) == machine_hash(b), "the state differs after %u million ticks", million);
	ck_assert_uint_eq(n[0], n[1]);
	ck_assert_uint_eq(lru[0], lru[1]);
	for (size_t i = 0; i < n[0]; i++)
		ck_assert_msg(x[i].vpn == y[i].vpn && x[i].frame == y[i].frame && x[i].flags == y[i].flags && x[i].leaf == y[i].leaf &&
		              x[i].used == y[i].used, "after %u million ticks the TLB differs at page %05x", million, x[i].vpn);
	if (!a->mmu.geometry.entries)
		s.hits = t.hits;               /* of a flat TLB only those count that no fast entry answers */
	ck_assert(!memcmp(&s, &t, sizeof(s)));
	free(x);
	free(y);
}

/* --- meddling ----------------------------------------------------------------------------------------------------------- */

enum meddling { WATCH_ALL, WATCH_SOME, FORGET, TLB_LIST, GUARD, QUIET, MEDDLINGS };
#define WATCHES 12

struct meddler {
	enum meddling how;
	struct machine *m;
	struct ears ears;
	uint32_t seed;
	uint32_t frame[WATCHES], vpn[WATCHES];         /* watched now; 0: none */
	uint8_t *copy;                 /* of RAM, when the pages' dirty marks were cleared */
};

static void watch_some(struct meddler *w)
{
	unsigned i = next_random(&w->seed) % WATCHES;
	uint32_t frames = (uint32_t)(w->m->phys.ram_size >> PAGE_SHIFT);

	if (w->frame[i])
		ck_assert_int_eq(machine_watch_frame(w->m, w->frame[i], false), 0);
	w->frame[i] = 1 + next_random(&w->seed) % (frames - 1);
	ck_assert_int_eq(machine_watch_frame(w->m, w->frame[i], true), 0);
	if (w->vpn[i])
		ck_assert_int_eq(machine_watch_vpn(w->m, w->vpn[i], false), 0);
	/* Where a stack or the next instruction is, or anywhere in the kernel. */
	uint32_t r = next_random(&w->seed);
	w->vpn[i] = r % 3 == 0 ? w->m->cpu.r[R_ESP] >> 12 : r % 3 == 1 ? w->m->cpu.eip >> 12 : 0xc0000 + (r >> 8) % frames;
	w->vpn[i] += !w->vpn[i];
	ck_assert_int_eq(machine_watch_vpn(w->m, w->vpn[i], true), 0);
}

/* What has changed since the marks were cleared is marked. */
static void check_marks(struct meddler *w)
{
	struct phys *phys = &w->m->phys;

	for (size_t page = 0; w->copy && page < phys->ram_size >> PAGE_SHIFT; page++)
		if (memcmp(phys->ram + page * PAGE_SIZE, w->copy + page * PAGE_SIZE, PAGE_SIZE))
			ck_assert_msg(phys->attr[page] & PHYS_DIRTY, "page %zx was written and is not marked", page);
}

static void forget(struct meddler *w)
{
	struct phys *phys = &w->m->phys;

	check_marks(w);
	if (!w->copy)
		ck_assert_ptr_nonnull(w->copy = malloc(phys->ram_size));
	for (size_t page = 0; page < phys->ram_size >> PAGE_SHIFT; page++)
		phys->attr[page] &= (uint8_t)~PHYS_DIRTY;
	memcpy(w->copy, phys->ram, phys->ram_size);
	mmu_forget_writes(&w->m->mmu);
	mmu_forget_frame(&w->m->mmu, next_random(&w->seed) % 1024);
	mmu_forget_vpn(&w->m->mmu, w->m->cpu.eip >> 12);
	if (next_random(&w->seed) % 4 == 0)
		cpu_forget_code(&w->m->cpu);
}

static void save_and_load(struct meddler *w)
{
	size_t n;
	uint64_t lru;
	struct tlb_entry *list = tlb_list(w->m, &n, &lru);

	for (size_t i = 1; i < n; i++) {                       /* any order will do */
		size_t k = next_random(&w->seed) % (i + 1);
		struct tlb_entry e = list[i];
		list[i] = list[k];
		list[k] = e;
	}
	ck_assert_int_eq(mmu_tlb_load(&w->m->mmu, list, n, lru), 0);
	free(list);
}

static void meddle(struct meddler *w)
{
	switch (w->how) {
	case WATCH_SOME:
		watch_some(w);
		break;
	case FORGET:
		forget(w);
		break;
	case TLB_LIST:
		save_and_load(w);
		break;
	case GUARD:
		w->ears.guard_seed = next_random(&w->seed);
		machine_watch_code(w->m);
		break;
	case QUIET:
		watch_some(w);
		machine_quiet(w->m, true);
		if (next_random(&w->seed) % 2)
			watch_some(w);
		ck_assert_int_eq(machine_run(w->m, 0), MACHINE_RAN);
		break;
	default:
		break;
	}
}

static void run_meddled(struct meddler *w, uint64_t ticks)
{
	for (uint64_t left = ticks, n; left; left -= n) {
		n = 1 + next_random(&w->seed) % (next_random(&w->seed) % 4 ? 60000 : 200);
		n = n < left ? n : left;
		meddle(w);
		ck_assert_int_eq(machine_run(w->m, n), MACHINE_RAN);
		if (w->how == QUIET)
			machine_quiet(w->m, false);
	}
}

/* Each kind of meddling has been heard of, or the test shows nothing. */
static void check_ears(const struct meddler *w)
{
	const struct ears *e = &w->ears;

	switch (w->how) {
	case WATCH_ALL:
		ck_assert_uint_gt(e->hits, MILLIONS * MILLION / 2);
		break;
	case WATCH_SOME:
		ck_assert_uint_gt(e->accessed, 10000);
		ck_assert_uint_gt(e->hits, 10000);
		break;
	case GUARD:
		ck_assert_uint_gt(e->alone, MILLIONS * 10000);
		break;
	case QUIET:
		ck_assert_uint_eq(e->heard + e->translated + e->alone, 0);
		break;
	default:
		ck_assert_uint_gt(e->walks, 1000);
		ck_assert_uint_gt(e->changes, 1000);
		ck_assert_uint_gt(e->controls, 10);
	}
}

static void meddled_is_plain(enum meddling how, struct tlb_geometry tlb, unsigned millions)
{
	struct rig plain, meddled;
	struct meddler w = { .how = how, .seed = 0x1357u + 2 * how };

	rig_start(&plain, tlb);
	rig_start(&meddled, tlb);
	w.m = meddled.m;
	listen(&w.ears, w.m);
	if (how == WATCH_ALL)
		machine_watch_all(w.m, true);
	for (unsigned i = 1; i <= millions; i++) {
		ck_assert_int_eq(machine_run(plain.m, MILLION), MACHINE_RAN);
		run_meddled(&w, MILLION);
		check_same(plain.m, w.m, i);
	}
	ck_assert_uint_eq(plain.printed, meddled.printed);
	check_marks(&w);
	if (LONG_ENOUGH && !tlb.entries)
		check_ears(&w);
	free(w.copy);
	rig_end(&plain);
	rig_end(&meddled);
}

START_TEST(a_watched_pagoda_is_the_plain_one)
{
	meddled_is_plain((enum meddling)_i, (struct tlb_geometry){ 0, 0 }, MILLIONS);
}
END_TEST

START_TEST(so_it_is_with_a_modelled_tlb)
{
	meddled_is_plain((enum meddling)_i, (struct tlb_geometry){ 64, 4 }, MILLIONS / 8 + 1);
}
END_TEST

/* --- what is heard ------------------------------------------------------------------------------------------------------ */

static void on_instruction(void *owner, struct machine *m)
{
	(void)owner, (void)m;
}

static void watch_the_tables(struct machine *m)
{
	/* A few in every eight, scattered, so that some are page tables wherever the kernel takes them from. */
	for (uint32_t frame = 0; frame < m->phys.ram_size >> PAGE_SHIFT; frame++)
		if (frame * 2654435761u >> 29 < 3)
			ck_assert_int_eq(machine_watch_frame(m, frame, true), 0);
}

START_TEST(what_is_told_does_not_depend_on_blocks)
{
	struct rig blocks, single;
	struct ears a, b;
	struct observer each = { .name = "each", .instruction = on_instruction };

	rig_start(&blocks, (struct tlb_geometry){ 0, 0 });
	rig_start(&single, (struct tlb_geometry){ 0, 0 });
	listen(&a, blocks.m);
	listen(&b, single.m);
	machine_observe(single.m, &each);
	watch_the_tables(blocks.m);
	watch_the_tables(single.m);
	for (unsigned i = 1; i <= MILLIONS / 2; i++) {
		ck_assert_int_eq(machine_run(blocks.m, MILLION), MACHINE_RAN);
		ck_assert_int_eq(machine_run(single.m, MILLION), MACHINE_RAN);
		ck_assert_uint_eq(a.heard, b.heard);
		ck_assert_msg(a.hash == b.hash, "what is told differs in million %u", i);
		check_same(blocks.m, single.m, i);
	}
	if (LONG_ENOUGH) {
		ck_assert_uint_gt(a.by_walk, 100);
		ck_assert_uint_gt(a.by_dma, 2);
		ck_assert_uint_gt(a.accessed, 100000);
	}
	ck_assert_uint_lt(a.alone, b.alone / 2);
	rig_end(&blocks);
	rig_end(&single);
}
END_TEST

/* Any callback can end the run right behind its instruction, which changes nothing. */
START_TEST(a_run_stops_at_the_instruction_of_the_event)
{
	struct rig plain, stopped;
	struct ears e;
	uint32_t seed = 77;
	unsigned stops = 0, late = 0;

	rig_start(&plain, (struct tlb_geometry){ 0, 0 });
	rig_start(&stopped, (struct tlb_geometry){ 0, 0 });
	listen(&e, stopped.m);
	watch_the_tables(stopped.m);
	uint64_t end = machine_now(plain.m) + MILLIONS / 2 * MILLION;
	while (machine_now(stopped.m) < end) {
		e.stop_in = 1 + next_random(&seed) % (next_random(&seed) % 3 ? 3000 : 3);
		enum machine_stop why = machine_run(stopped.m, end - machine_now(stopped.m));
		if (e.stop_in) {
			ck_assert_int_eq(why, MACHINE_RAN);
			break;
		}
		ck_assert_int_eq(why, MACHINE_REQUESTED);
		stops++;
		/* The delivery of an event counts as one when it is done. */
		uint64_t n = cpu_icount(&stopped.m->cpu) - e.stopped_at;
		ck_assert_msg(n <= 1, "stopped %lu instructions late", (unsigned long)n);
		late += n == 1;
	}
	ck_assert_int_eq(machine_run(plain.m, MILLIONS / 2 * MILLION), MACHINE_RAN);
	check_same(plain.m, stopped.m, MILLIONS / 2);
	ck_assert_uint_gt(stops, 50);
	ck_assert_uint_lt(late, stops);
	rig_end(&plain);
	rig_end(&stopped);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("watched");
	TCase *t = tcase_create("watched");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 0);
	tcase_add_loop_test(t, a_watched_pagoda_is_the_plain_one, 0, MEDDLINGS);
	tcase_add_loop_test(t, so_it_is_with_a_modelled_tlb, 0, MEDDLINGS);
	tcase_add_test(t, what_is_told_does_not_depend_on_blocks);
	tcase_add_test(t, a_run_stops_at_the_instruction_of_the_event);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
