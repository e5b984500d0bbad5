/* tests/cpu/system_watch_test.c: what the processor's watchers hear, and when: registers written, guarded pages, instructions that run alone,
 * Accessed and Dirty bits. Programs run in blocks, and the watchers must find the count and the EIP all the same. */
#include "system_pc.h"

static struct pc *pc;

static void setup(void)
{
	pc = pc_new();
	pc->trace_checked = false;
}

static void teardown(void) { pc_free(pc); }

/* --- registers ---------------------------------------------------------------------------------------------------- */

struct heard {
	unsigned count;
	struct register_write w[8];
	uint64_t icount;
	uint32_t eip;
	bool stop;
};

static void on_control(void *owner, const struct cpu *cpu, const struct register_write *w)
{
	struct heard *h = owner;

	h->w[h->count++ & 7] = *w;
	h->icount = cpu_icount(cpu);
	h->eip = cpu->eip;
	if (h->stop)
		cpu_request_stop(&pc->cpu);
}

static void hear_control(struct heard *h, bool stop)
{
	*h = (struct heard){ .stop = stop };
	pc->cpu.watch = (struct cpu_watch){ .control = on_control, .owner = h };
}

struct write_case {
	const char *name;
	uint8_t bytes[4];
	uint32_t eax, ecx, edx;
	struct register_write w;
};

static const struct write_case writes[] = {
	{ "mov cr0", { 0x0f, 0x22, 0xc0 }, .eax = CR0_PE | CR0_WP, .w = { WROTE_CR, 0, CR0_PE | CR0_ET, CR0_PE | CR0_WP | CR0_ET, 0 } },
	{ "mov cr2", { 0x0f, 0x22, 0xd0 }, .eax = 0x1234, .w = { WROTE_CR, 2, 0, 0x1234, 0 } },
	{ "mov cr3", { 0x0f, 0x22, 0xd8 }, .eax = DIRECTORY, .w = { WROTE_CR, 3, 0, DIRECTORY, 0 } },
	{ "mov cr4", { 0x0f, 0x22, 0xe0 }, .eax = CR4_PGE, .w = { WROTE_CR, 4, 0, CR4_PGE, 0 } },
	{ "lmsw", { 0x0f, 0x01, 0xf0 }, .eax = CR0_TS | CR0_PE, .w = { WROTE_CR, 0, CR0_PE | CR0_ET, CR0_PE | CR0_ET | CR0_TS, 0 } },
	{ "clts", { 0x0f, 0x06 }, .w = { WROTE_CR, 0, CR0_PE | CR0_ET, CR0_PE | CR0_ET, 0 } },
	{ "mov dr1", { 0x0f, 0x23, 0xc8 }, .eax = 0x77, .w = { WROTE_DR, 1, 0, 0x77, 0 } },
	{ "mov dr7", { 0x0f, 0x23, 0xf8 }, .eax = 0x300, .w = { WROTE_DR, 7, 0x400, 0x700, 0 } },
	{ "wrmsr", { 0x0f, 0x30 }, .eax = 0x55, .ecx = 0x174, .w = { WROTE_MSR, 0x174, 0, 0x55, 0 } },
	{ "wrmsr of 64 bits", { 0x0f, 0x30 }, .eax = 0x06060606, .edx = 0x04040404, .ecx = 0x277,
	  .w = { WROTE_MSR, 0x277, 0x0007040600070406, 0x0404040406060606, 0 } },
};

/* In the middle of a block: three times inc esi, the instruction, inc esi. */
static void place_write(const struct write_case *c)
{
	ring(pc, 0);
	cpu_set_cr0(&pc->cpu, CR0_PE | CR0_ET);
	PLACE(pc, CODE, 0x46, 0x46, 0x46, 0x90, 0x90, 0x90, 0x90, 0x46, 0x46, 0x46, 0xeb, 0xfe);
	place(pc, CODE + 3, c->bytes, c->bytes[2] || c->bytes[1] == 0x22 ? 3 : 2);
	pc->cpu.r[R_EAX] = c->eax;
	pc->cpu.r[R_ECX] = c->ecx;
	pc->cpu.r[R_EDX] = c->edx;
	pc->cpu.r[R_ESI] = 0;
}

START_TEST(a_write_of_a_register_is_told_with_what_was_there_before)
{
	const struct write_case *c = &writes[_i];
	struct heard h;

	for (unsigned stop = 0; stop < 2; stop++) {
		place_write(c);
		if (c->w.kind == WROTE_MSR)                    /* the run before has written it */
			pc->cpu.sysenter_cs = 0, pc->cpu.pat = 0x0007040600070406;
		pc->cpu.cr2 = pc->cpu.cr3 = pc->cpu.dr[1] = 0;
		pc->cpu.dr[7] = 0x400;
		cpu_set_cr4(&pc->cpu, 0);
		hear_control(&h, stop);
		uint64_t start = cpu_icount(&pc->cpu);
		ck_assert_int_eq(cpu_run(&pc->cpu, 100), stop ? CPU_STOP_REQUEST : CPU_STOP_BUDGET);
		ck_assert_msg(h.count == 1, "%s: told %u times", c->name, h.count);
		ck_assert_int_eq(h.w[0].kind, c->w.kind);
		ck_assert_uint_eq(h.w[0].number, c->w.number);
		ck_assert_msg(h.w[0].old == c->w.old && h.w[0].value == c->w.value, "%s: %lx -> %lx", c->name, h.w[0].old, h.w[0].value);
		ck_assert_uint_eq(h.w[0].eip, CODE + 3);
		ck_assert_uint_eq(h.eip, CODE + 3);
		ck_assert_msg(h.icount == start + 4, "%s: told at %lu", c->name, h.icount - start);
		if (stop)
			ck_assert_msg(cpu_icount(&pc->cpu) == start + 4 && pc->cpu.r[R_ESI] == 3, "%s: stopped elsewhere", c->name);
	}
}
END_TEST

START_TEST(a_write_that_faults_is_not_told)
{
	struct heard h;

	ring(pc, 0);
	hear_control(&h, false);
	pc->cpu.r[R_EAX] = 1u << 31;                           /* PG without PE; a reserved bit of CR4 */
	RUN(pc, 0x0f, 0x22, 0xc0);
	ring(pc, 0);
	RUN(pc, 0x0f, 0x22, 0xe0);
	ring(pc, 3);
	RUN(pc, 0x0f, 0x06);
	ck_assert_uint_eq(h.count, 0);
}
END_TEST

START_TEST(a_task_switch_tells_of_what_it_has_changed)
{
	struct heard h;

	ring(pc, 0);
	paging(pc);
	pc->cpu.dr[7] |= 0x3;                                  /* L0, G0 */
	put32(pc, TSS2 + 28, DIRECTORY | 8);
	put32(pc, TSS2 + 32, TARGET);
	put32(pc, TSS2 + 36, F_ONE);
	for (unsigned i = 0; i < 6; i++)
		put16(pc, TSS2 + 72 + 4 * i, i == 1 ? CS0 : DS0);
	hear_control(&h, false);
	RUN(pc, 0xea, W32(0), W16(TR2));
	ck_assert_uint_eq(pc->cpu.eip, TARGET);
	ck_assert_uint_eq(h.count, 3);
	ck_assert(h.w[0].kind == WROTE_CR && h.w[0].number == 0 && (h.w[0].old ^ h.w[0].value) == CR0_TS);
	ck_assert(h.w[1].kind == WROTE_CR && h.w[1].number == 3 && h.w[1].old == DIRECTORY && h.w[1].value == (DIRECTORY | 8));
	ck_assert(h.w[2].kind == WROTE_DR && h.w[2].number == 7 && h.w[2].old == 0x403 && h.w[2].value == 0x402);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_uint_eq(h.w[i].eip, CODE);
}
END_TEST

/* --- guarded pages ------------------------------------------------------------------------------------------------- */

#define LOOP     (CODE + 0x1000)           /* the guarded page */
#define OUTSIDE  (CODE + 0x2000)

struct guard {
	unsigned asked, alone, in_page;
	uint32_t page;                 /* 0: none */
	uint32_t stop_at;
	uint64_t count;
};

static bool on_guarded(void *owner, uint32_t vpn, uint32_t frame)
{
	struct guard *g = owner;

	ck_assert_uint_eq(vpn, frame);
	g->asked++;
	return g->page && vpn == g->page >> 12;
}

static void on_alone(void *owner, const struct cpu *cpu)
{
	struct guard *g = owner;

	g->alone++;
	g->in_page += g->page && cpu->eip >> 12 == g->page >> 12;
	g->count = cpu_icount(cpu);
	if (g->stop_at && cpu->eip == g->stop_at)
		cpu_request_stop(&pc->cpu);
}

/* Outside: add eax, 1, ten times; jmp to the loop page. There: inc ecx; inc ecx; jmp back. */
static void place_loops(void)
{
	ring(pc, 0);
	for (unsigned i = 0; i < 10; i++)
		PLACE(pc, OUTSIDE + 3 * i, 0x83, 0xc0, 0x01);
	PLACE(pc, OUTSIDE + 30, 0xe9, W32(LOOP - (OUTSIDE + 35)));
	PLACE(pc, LOOP, 0x41, 0x41, 0xe9, W32(OUTSIDE - (LOOP + 7)));
	pc->cpu.eip = OUTSIDE;
	pc->cpu.r[R_EAX] = pc->cpu.r[R_ECX] = 0;
}

static void guard(struct guard *g, uint32_t page)
{
	*g = (struct guard){ .page = page };
	pc->cpu.watch = (struct cpu_watch){ .guarded = on_guarded, .alone = on_alone, .owner = g };
	cpu_forget_code(&pc->cpu);
}

START_TEST(instructions_of_a_guarded_page_run_alone_and_no_others)
{
	struct guard g;

	place_loops();
	cpu_run(&pc->cpu, 14 * 10);                            /* every block is known */
	guard(&g, LOOP);
	ck_assert_int_eq(cpu_run(&pc->cpu, 14 * 1000), CPU_STOP_BUDGET);
	ck_assert_uint_eq(g.in_page, 3 * 1000);
	ck_assert_uint_lt(g.alone, 3 * 1000 + 20);
	ck_assert_uint_eq(pc->cpu.r[R_ECX], 2 * 1010);
	ck_assert_uint_eq(g.asked, 2);
	/* Another page, of which the code has been asked before. */
	guard(&g, OUTSIDE);
	cpu_run(&pc->cpu, 14 * 1000);
	ck_assert_uint_eq(g.in_page, 11 * 1000);
	ck_assert_uint_lt(g.alone, 11 * 1000 + 20);
	ck_assert_uint_eq(g.asked, 2);
	guard(&g, 0);
	cpu_run(&pc->cpu, 14 * 1000);
	ck_assert_uint_lt(g.alone, 20);
}
END_TEST

START_TEST(a_stop_in_alone_comes_before_the_instruction)
{
	struct guard g;

	place_loops();
	guard(&g, LOOP);
	g.stop_at = LOOP + 1;
	for (unsigned i = 0; i < 5; i++) {
		ck_assert_int_eq(cpu_run(&pc->cpu, 1000), CPU_STOP_REQUEST);
		ck_assert_uint_eq(pc->cpu.eip, LOOP + 1);
		ck_assert_uint_eq(cpu_icount(&pc->cpu), g.count);
		ck_assert_uint_eq(cpu_icount(&pc->cpu), 12);
		ck_assert_uint_eq(pc->cpu.r[R_ECX], 1);
	}
	g.stop_at = 0;
	cpu_run(&pc->cpu, 2);
	ck_assert_uint_eq(pc->cpu.r[R_ECX], 2);
	ck_assert_uint_eq(pc->cpu.eip, OUTSIDE);
}
END_TEST

/* STI and MOV SS hold off what may come at the next boundary; a watcher who stops there finds, and leaves, that so. */
START_TEST(a_stop_in_alone_keeps_the_shadow_of_STI)
{
	struct guard g;

	ring(pc, 0);
	PLACE(pc, CODE, 0xfb, 0x40, 0x40, 0xeb, 0xfe);         /* sti; inc eax; inc eax; jmp $ */
	pc->cpu.r[R_EAX] = 0;
	pc->irq_vector = 0x20;
	cpu_set_intr(&pc->cpu, true);
	guard(&g, CODE);
	g.stop_at = CODE + 1;
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(cpu_run(&pc->cpu, 10), CPU_STOP_REQUEST);
	ck_assert(pc->cpu.shadow);
	g.stop_at = 0;
	cpu_run(&pc->cpu, 2);
	ck_assert_uint_eq(pc->cpu.r[R_EAX], 1);
	ck_assert_uint_eq(pc->cpu.eip, handler(0x20));
}
END_TEST

/* --- memory --------------------------------------------------------------------------------------------------------- */

struct accesses {
	unsigned count;
	struct phys_access a[8];
	uint32_t eip[8];
	bool stop;
};

static void on_accessed(void *owner, const struct phys_access *a)
{
	struct accesses *h = owner;

	h->a[h->count & 7] = *a;
	h->eip[h->count++ & 7] = pc->cpu.eip;
	if (h->stop)
		cpu_request_stop(&pc->cpu);
}

static void hear_memory(struct accesses *h, uint32_t pa, bool stop)
{
	*h = (struct accesses){ .stop = stop };
	pc->phys.accessed = on_accessed;
	pc->phys.accessed_owner = h;
	ck_assert_int_eq(phys_watch(&pc->phys, pa >> 12, true), 0);
	mmu_forget_frame(&pc->mmu, pa >> 12);
}

/* inc esi; mov [48000h], eax; inc esi; mov ecx, [48000h]; inc esi; jmp $: */
START_TEST(accessed_and_dirty_bits_are_told_as_stores_of_the_walk)
{
	static const uint32_t pte = TABLE + 4 * 0x48;
	struct accesses h;

	ring(pc, 0);
	paging(pc);
	PLACE(pc, CODE, 0x46, 0x8b, 0x0d, W32(0x48000), 0x46, 0xa3, W32(0x48000), 0x46, 0xeb, 0xfe);
	pc->cpu.r[R_ESI] = 0;
	cpu_run(&pc->cpu, 1);                                  /* the code's own page */
	hear_memory(&h, TABLE, true);
	ck_assert_int_eq(cpu_run(&pc->cpu, 100), CPU_STOP_REQUEST);
	ck_assert_uint_eq(h.count, 1);
	ck_assert(h.a[0].by == BY_WALK && h.a[0].write && h.a[0].pa == pte);
	ck_assert_uint_eq(h.eip[0], CODE + 1);
	ck_assert_uint_eq(pc->cpu.eip, CODE + 7);
	ck_assert_uint_eq(cpu_icount(&pc->cpu), 2);
	ck_assert_int_eq(cpu_run(&pc->cpu, 100), CPU_STOP_REQUEST);
	ck_assert_uint_eq(h.count, 2);
	ck_assert_uint_eq(get32(pc, pte) & (PG_A | PG_D), PG_A | PG_D);
	ck_assert_uint_eq(cpu_icount(&pc->cpu), 4);
	ck_assert_uint_eq(pc->cpu.r[R_ESI], 2);
}
END_TEST

START_TEST(a_repeated_string_instruction_stops_after_the_iteration)
{
	struct accesses h;

	ring(pc, 0);
	PLACE(pc, CODE, 0x46, 0xf3, 0xab, 0x46, 0xeb, 0xfe);   /* inc esi; rep stosd; inc esi; jmp $ */
	pc->cpu.r[R_EDI] = 0x48ff8;                            /* two before the watched page */
	pc->cpu.r[R_ECX] = 5;
	hear_memory(&h, 0x49000, true);
	for (unsigned i = 1; i <= 3; i++) {
		ck_assert_int_eq(cpu_run(&pc->cpu, 100), CPU_STOP_REQUEST);
		ck_assert_uint_eq(h.count, i);
		ck_assert_uint_eq(h.a[i - 1].pa, 0x49000 + 4 * (i - 1));
		ck_assert_uint_eq(h.a[i - 1].len, 4);
		ck_assert_uint_eq(pc->cpu.r[R_ECX], 3 - i);
		ck_assert_uint_eq(cpu_icount(&pc->cpu), 3 + i);
	}
	ck_assert_uint_eq(pc->cpu.eip, CODE + 3);
}
END_TEST

START_TEST(an_access_across_two_pages_is_told_of_the_watched_bytes_only)
{
	struct accesses h;

	ring(pc, 0);
	hear_memory(&h, 0x48000, false);
	RUN(pc, 0xa3, W32(0x48ffd));                           /* mov [48ffd], eax */
	ck_assert_uint_eq(h.count, 1);
	ck_assert(h.a[0].pa == 0x48ffd && h.a[0].len == 3 && h.a[0].write && h.a[0].by == BY_PROCESSOR);
}
END_TEST

/* The page's code is fetched from all the time; only the data in it is told. */
START_TEST(fetches_from_a_watched_page_are_not_told)
{
	struct accesses h;

	ring(pc, 0);
	PLACE(pc, CODE, 0xa1, W32(CODE + 0x800), 0x46, 0xeb, 0xf8);    /* mov eax, [..]; inc esi; jmp to the start */
	hear_memory(&h, CODE, false);
	cpu_run(&pc->cpu, 300);
	ck_assert_uint_eq(h.count, 100);
	ck_assert(h.a[0].pa == CODE + 0x800 && !h.a[0].write);
}
END_TEST

/* --- translations ---------------------------------------------------------------------------------------------------- */

struct translations { unsigned kind[3], hits; };

static void on_translated(void *owner, const struct access *a, const struct tlb_entry *e, bool hit)
{
	struct translations *t = owner;

	if (e->vpn != LOOP >> 12)
		return;
	t->kind[a->kind]++;
	t->hits += hit;
}

START_TEST(each_access_to_a_watched_linear_page_is_told_fetches_too)
{
	struct translations t = { 0 };

	place_loops();
	PLACE(pc, OUTSIDE, 0x01, 0x05, W32(LOOP + 0x800));     /* add [..], eax */
	cpu_run(&pc->cpu, 13 * 10);
	pc->cpu.watch = (struct cpu_watch){ 0 };
	pc->mmu.translated = on_translated;
	pc->mmu.walked_owner = &t;
	ck_assert_int_eq(mmu_watch_vpn(&pc->mmu, LOOP >> 12, true), 0);
	cpu_run(&pc->cpu, 13 * 100);
	ck_assert_uint_eq(t.kind[ACCESS_FETCH], 3 * 100);
	ck_assert_uint_eq(t.kind[ACCESS_WRITE], 100);
	ck_assert_uint_eq(t.kind[ACCESS_READ], 0);
	ck_assert_uint_eq(t.hits, 4 * 100);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("watchers");
	TCase *t = tcase_create("watchers");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, a_write_of_a_register_is_told_with_what_was_there_before, 0, sizeof(writes) / sizeof(writes[0]));
	tcase_add_test(t, a_write_that_faults_is_not_told);
	tcase_add_test(t, a_task_switch_tells_of_what_it_has_changed);
	tcase_add_test(t, instructions_of_a_guarded_page_run_alone_and_no_others);
	tcase_add_test(t, a_stop_in_alone_comes_before_the_instruction);
	tcase_add_test(t, a_stop_in_alone_keeps_the_shadow_of_STI);
	tcase_add_test(t, accessed_and_dirty_bits_are_told_as_stores_of_the_walk);
	tcase_add_test(t, a_repeated_string_instruction_stops_after_the_iteration);
	tcase_add_test(t, an_access_across_two_pages_is_told_of_the_watched_bytes_only);
	tcase_add_test(t, fetches_from_a_watched_page_are_not_told);
	tcase_add_test(t, each_access_to_a_watched_linear_page_is_told_fetches_too);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
