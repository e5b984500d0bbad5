/* tests/cpu/system_vme_test.c: virtual interrupts: [SDM3B 20.3 "Interrupt and Exception Handling in Virtual-8086 Mode"] table 20-2,
 * [SDM3B 20.4 "Protected-Mode Virtual Interrupts"], and the operations of CLI, INT n, IRET, POPF, PUSHF and STI in [SDM2A], [SDM2B]. */
#include "system_pc.h"

static struct pc *pc;
static void setup(void) { pc = pc_new(); }
static void teardown(void) { pc_free(pc); }

static uint32_t flags(void) { return cpu_eflags(&pc->cpu); }

#define V86_STACK 0x30000u             /* what v86() gives: SS 3000, SP 3F00 */

/* --- every instruction that looks at IF, in every combination ----------------------------------------------------- */

enum what { CLI, STI, PUSHF, PUSHFD, POPF, POPFD, IRET, IRETD, WHATS };

/* One combination, from a number. */
struct combination { enum what what; unsigned iopl; bool vme, pvi, interrupt, vif, vip, pops_if, pops_tf; };

static struct combination combination(unsigned n)
{
	return (struct combination) {
		.what = n & 7, .iopl = n >> 3 & 3, .vme = n >> 5 & 1, .pvi = n >> 6 & 1, .interrupt = n >> 7 & 1,
		.vif = n >> 8 & 1, .vip = n >> 9 & 1, .pops_if = n >> 10 & 1, .pops_tf = n >> 11 & 1,
	};
}
#define COMBINATIONS (1 << 12)

static const uint8_t code_of[WHATS][2] = {
	[CLI] = { 0xfa }, [STI] = { 0xfb }, [PUSHF] = { 0x9c }, [PUSHFD] = { 0x66, 0x9c }, [POPF] = { 0x9d }, [POPFD] = { 0x66, 0x9d },
	[IRET] = { 0xcf }, [IRETD] = { 0x66, 0xcf },
};

static void set_up(const struct combination *c, bool in_v86)
{
	uint32_t f = F_ONE | c->iopl << 12 | (c->interrupt ? F_IF : 0) | (c->vif ? F_VIF : 0) | (c->vip ? F_VIP : 0);

	if (in_v86)
		v86(pc, 0);
	else
		ring(pc, 3);
	cpu_set_cr4(&pc->cpu, (c->vme ? CR4_VME : 0) | (c->pvi ? CR4_PVI : 0));
	cpu_set_eflags(&pc->cpu, f | (in_v86 ? F_VM : 0));
}

/* What IRET and POPF find. NT and CF come from there too. */
static uint32_t popped(const struct combination *c)
{
	return F_ONE | F_CF | F_NT | (c->pops_if ? F_IF : 0) | (c->pops_tf ? F_TF : 0) | (3 - c->iopl) << 12;
}

static void put_popped(const struct combination *c)
{
	uint32_t f = popped(c), top = V86_STACK + 0x3f00;

	switch (c->what) {
	case POPF:  put16(pc, top, (uint16_t)f); break;
	case POPFD: put32(pc, top, f | F_VIF | F_VIP); break;
	case IRET:  put16(pc, top, 0x100); put16(pc, top + 2, CODE >> 4); put16(pc, top + 4, (uint16_t)f); break;
	case IRETD: put32(pc, top, 0x100); put32(pc, top + 4, CODE >> 4); put32(pc, top + 8, f | F_VIF | F_VIP); break;
	default: break;
	}
}

static bool wide(enum what w) { return w == PUSHFD || w == POPFD || w == IRETD; }
static bool pops(enum what w) { return w >= POPF; }

/* The oracle: whether it is #GP(0). */
static bool refused(const struct combination *c)
{
	if (c->iopl == 3)
		return false;
	if (!c->vme || wide(c->what))
		return true;
	if (pops(c->what))
		return c->pops_tf || (c->pops_if && c->vip);
	return c->what == STI && c->vip;
}

/* ... and the flags afterwards. */
static uint32_t outcome(const struct combination *c, uint32_t before)
{
	uint32_t mine = F_CF | F_NT | F_TF, f = popped(c), virtual = c->iopl == 3 ? F_IF : F_VIF;

	switch (c->what) {
	case CLI: return before & ~virtual;
	case STI: return before | virtual;
	case PUSHF: case PUSHFD: return before;
	default: return (before & ~(mine | virtual)) | (f & mine) | (f & F_IF ? virtual : 0);
	}
}

static uint32_t pushed(const struct combination *c, uint32_t before)
{
	if (c->iopl == 3)
		return before & (c->what == PUSHF ? 0xffff : 0x00fcffff);
	return (before & 0xffff & ~F_IF) | F_IOPL | (c->vif ? F_IF : 0);
}

START_TEST(in_virtual_8086_mode_VIF_stands_for_IF)
{
	unsigned refusals = 0, accepted = 0;

	for (unsigned n = 0; n < COMBINATIONS; n++) {
		struct combination c = combination(n);
		uint32_t before;

		/* VIF and VIP together fault before anything runs; that is another test. */
		if (c.vif && c.vip && c.vme && c.iopl < 3)
			continue;
		set_up(&c, true);
		put_popped(&c);
		before = flags();
		run_bytes(pc, code_of[c.what], 2);
		if (refused(&c)) {
			expect_error(pc, VEC_GP, 0);
			refusals++;
			continue;
		}
		expect_no_fault(pc);
		accepted++;
		ck_assert_msg(flags() == outcome(&c, before), "combination %x: flags %08x, expected %08x", n, flags(), outcome(&c, before));
		if (c.what == PUSHF)
			ck_assert_uint_eq(stack_word(pc, 0), pushed(&c, before));
		if (c.what == PUSHFD)
			ck_assert_uint_eq(stack_dword(pc, 0), pushed(&c, before));
	}
	ck_assert_uint_gt(refusals, 1000);
	ck_assert_uint_gt(accepted, 1000);
}
END_TEST

START_TEST(PVI_virtualises_CLI_and_STI_at_CPL_3_only)
{
	for (unsigned n = 0; n < COMBINATIONS; n++) {
		struct combination c = combination(n);
		uint32_t before, expected;

		if (c.what > STI || (c.vif && c.vip && c.pvi && c.iopl < 3))
			continue;
		set_up(&c, false);
		before = flags();
		run_bytes(pc, code_of[c.what], 2);
		if (c.iopl < 3 && (!c.pvi || (c.what == STI && c.vip))) {
			expect_error(pc, VEC_GP, 0);
			continue;
		}
		expect_no_fault(pc);
		expected = c.iopl == 3 ? F_IF : F_VIF;
		ck_assert_uint_eq(flags(), c.what == CLI ? before & ~expected : before | expected);
	}
	/* Rings 1 and 2 have no virtual interrupts. */
	ring(pc, 2);
	cpu_set_cr4(&pc->cpu, CR4_PVI);
	RUN(pc, 0xfa);
	expect_error(pc, VEC_GP, 0);
}
END_TEST

START_TEST(PVI_does_not_touch_PUSHF_and_POPF)
{
	ring(pc, 3);
	cpu_set_cr4(&pc->cpu, CR4_PVI);
	cpu_set_eflags(&pc->cpu, F_ONE | F_VIF);
	RUN(pc, 0x66, 0x9c);
	ck_assert_uint_eq(stack_word(pc, 0), F_ONE);
	put16(pc, pc->cpu.r[R_ESP], F_ONE | F_IF);
	pc->cpu.eip = CODE;
	RUN(pc, 0x66, 0x9d);
	expect_no_fault(pc);
	ck_assert_uint_eq(flags(), F_ONE | F_VIF);
}
END_TEST

/* --- VIF and VIP together -------------------------------------------------------------------------------------------- */

START_TEST(a_virtual_interrupt_that_may_come_is_GP_before_the_next_instruction)
{
	for (unsigned n = 0; n < 16; n++) {
		bool in_v86 = n & 1, extension = n & 2, full = n & 4, io3 = n & 8;
		struct combination c = {
			.iopl = io3 ? 3 : 0, .vme = in_v86 && extension, .pvi = !in_v86 && extension, .vif = true, .vip = full,
		};

		set_up(&c, in_v86);
		RUN(pc, 0x90);
		if (extension && full && !io3)
			expect_error(pc, VEC_GP, 0);
		else
			expect_no_fault(pc);
	}
}
END_TEST

/* The monitor's IRETD lets the program go on with an interrupt waiting: it comes at once, even behind a block's own IRETD. */
START_TEST(IRETD_to_virtual_8086_mode_with_VIF_and_VIP_faults_there)
{
	static const uint32_t frame[] = { 0x20, CODE >> 4, F_ONE | F_VM | F_VIF | F_VIP, 0x3f00, 0x3000, 0, 0, 0, 0 };

	ring(pc, 0);
	pc->trace_checked = false;
	cpu_set_cr4(&pc->cpu, CR4_VME);
	for (unsigned i = 0; i < 9; i++)
		put32(pc, pc->cpu.r[R_ESP] + 4 * i, frame[i]);
	PLACE(pc, CODE + 0x20, 0x40, 0xeb, 0xfe);
	PLACE(pc, CODE, 0xcf);
	step(pc, 50);                                  /* enough for whole blocks */
	ck_assert_uint_eq(pc->exceptions, 1);
	ck_assert_uint_eq(pc->last.fault.vector, VEC_GP);
	ck_assert_uint_eq(pc->last.eip, 0x20);
	ck_assert_uint_eq(stack_dword(pc, 1), 0x20);
	ck_assert_uint_eq(stack_dword(pc, 3), F_ONE | F_VM | F_VIF | F_VIP | F_RF);
}
END_TEST

START_TEST(an_interrupt_comes_before_a_virtual_one)
{
	struct combination c = { .vme = true, .interrupt = true, .vif = true, .vip = true };

	set_up(&c, true);
	pc->irq_vector = 0x40;
	cpu_set_intr(&pc->cpu, true);
	RUN(pc, 0x90);
	expect_no_fault(pc);
	ck_assert_uint_eq(pc->cpu.eip, handler(0x40));
}
END_TEST

/* --- INT n ------------------------------------------------------------------------------------------------------------- */

#define IO_MAP 0x200u

static void redirection(uint8_t vector, bool to_idt)
{
	uint32_t at = TSS + IO_MAP - 32 + vector / 8;

	put16(pc, TSS + 102, IO_MAP);
	for (unsigned i = 0; i < 32; i++)
		phys_write(&pc->phys, TSS + IO_MAP - 32 + i, 1, to_idt ? 0x00 : 0xff);
	phys_write(&pc->phys, at, 1, to_idt ? 1u << (vector & 7) : 0xff & ~(1u << (vector & 7)));
	put32(pc, 4 * vector, 0x2000u << 16 | 0x0123);
}

START_TEST(INT_n_goes_where_IOPL_VME_and_the_bitmap_send_it)
{
	static const uint8_t vectors[] = { 0, 3, 7, 8, 0x21, 0x80, 0xff };

	for (unsigned n = 0; n < sizeof(vectors) * 64; n++) {
		uint8_t vector = vectors[n / 64];
		struct combination c = { .iopl = n & 3, .vme = n >> 2 & 1, .interrupt = n >> 3 & 1, .vif = n >> 4 & 1 };
		bool to_idt = n >> 5 & 1;
		uint32_t before;

		idt(pc, vector, CS0, handler(vector), 0xee);
		redirection(vector, to_idt);
		set_up(&c, true);
		cpu_set_eflags(&pc->cpu, flags() | F_CF);
		before = flags();
		RUN(pc, 0xcd, vector);
		if (!c.vme || to_idt) {
			if (c.iopl < 3) {
				expect_error(pc, VEC_GP, 0);
				continue;
			}
			expect_no_fault(pc);                   /* method 1, 4 */
			ck_assert_uint_eq(pc->cpu.eip, handler(vector));
			ck_assert_uint_eq(pc->cpu.cpl, 0);
			continue;
		}
		expect_no_fault(pc);                           /* method 5, 6 */
		ck_assert_uint_eq(pc->cpu.eip, 0x0123);
		ck_assert_uint_eq(pc->cpu.seg[SEG_CS].selector, 0x2000);
		ck_assert_uint_eq(pc->cpu.seg[SEG_CS].base, 0x20000);
		ck_assert_uint_eq(pc->cpu.cpl, 3);
		ck_assert_uint_eq(pc->cpu.r[R_ESP], 0x3f00 - 6);
		ck_assert_uint_eq(stack_word(pc, 0), 2);
		ck_assert_uint_eq(stack_word(pc, 1), CODE >> 4);
		ck_assert_uint_eq(stack_word(pc, 2), c.iopl == 3 ? before & 0xffff : (before & 0xffff & ~F_IF) | F_IOPL | (c.vif ? F_IF : 0));
		ck_assert_uint_eq(flags(), before & ~(c.iopl == 3 ? F_IF : F_VIF));
	}
}
END_TEST

START_TEST(INT3_and_INTO_always_go_to_the_IDT)
{
	struct combination c = { .vme = true };

	for (unsigned n = 0; n < 2; n++) {
		idt(pc, n ? 4 : 3, CS0, handler(n ? 4 : 3), 0xee);
		redirection(n ? 4 : 3, false);
		set_up(&c, true);
		cpu_set_eflags(&pc->cpu, flags() | F_OF);
		RUN(pc, n ? 0xce : 0xcc);
		expect_no_fault(pc);
		ck_assert_uint_eq(pc->cpu.eip, handler(n ? 4 : 3));
	}
}
END_TEST

START_TEST(a_redirected_INT_n_clears_TF_without_a_trap)
{
	struct combination c = { .vme = true };

	redirection(0x21, false);
	set_up(&c, true);
	pc->trace_checked = false;
	cpu_set_eflags(&pc->cpu, flags() | F_TF);
	PLACE(pc, 0x20123, 0x90, 0x90);
	PLACE(pc, CODE, 0xcd, 0x21);
	step(pc, 3);
	expect_no_fault(pc);
	ck_assert_uint_eq(pc->cpu.eip, 0x125);
	ck_assert_uint_eq(stack_word(pc, 2) & F_TF, F_TF);
}
END_TEST

/* Each of these faults before anything is stored: expect_error compares the whole machine. */
START_TEST(a_fault_on_the_way_to_the_8086_handler_leaves_no_trace)
{
	struct combination c = { .iopl = 3, .vme = true, .vif = true };
	static const struct { uint32_t missing, error; } pages[] = {
		{ TSS, 0 }, { 0, 0 }, { V86_STACK + 0x3000, PF_W | PF_U },
	};

	for (unsigned i = 0; i < 3; i++) {
		redirection(0x21, false);
		set_up(&c, true);
		paging(pc);
		/* The monitor's stack must be found after the fault. */
		if (pages[i].missing == TSS)
			pc->cpu.seg[SEG_TR].base = TSS - 0x40, put16(pc, TSS - 0x40 + 8, DS0), put32(pc, TSS - 0x40 + 4, STACK0),
			put16(pc, TSS - 0x40 + 102, IO_MAP);
		page(pc, pages[i].missing, 0);
		place(pc, CODE, (const uint8_t[]) { 0xcd, 0x21 }, 2);
		step(pc, 1);
		expect_error(pc, VEC_PF, pages[i].error);
		cpu_set_cr0(&pc->cpu, CR0_PE);
	}
}
END_TEST

START_TEST(the_redirection_bitmap_must_lie_within_a_32_bit_TSS)
{
	struct combination c = { .iopl = 3, .vme = true };
	static const struct { uint16_t map; uint32_t limit; uint8_t access; bool ok; } cases[] = {
		{ IO_MAP, 0xfff, 0x8b, true }, { IO_MAP, 0xfff, 0x83, false }, { IO_MAP, 102, 0x8b, false }, { 31, 0xfff, 0x8b, false },
		{ IO_MAP, IO_MAP - 32 + 4, 0x8b, true }, { IO_MAP, IO_MAP - 32 + 3, 0x8b, false }, { 0xffff, 0xfff, 0x8b, false },
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		redirection(0x21, false);
		put16(pc, TSS + 102, cases[i].map);
		put16(pc, TSS + 2, STACK0 & 0xfff0), put16(pc, TSS + 4, STACK0 & 0xffff);
		put16(pc, TSS + 8, DS0);
		set_up(&c, true);
		pc->cpu.seg[SEG_TR].limit = cases[i].limit;
		if (cases[i].ok) {
			put32(pc, TSS + 4, STACK0);
			RUN(pc, 0xcd, 0x21);
			expect_no_fault(pc);
			ck_assert_uint_eq(pc->cpu.eip, 0x0123);
			continue;
		}
		put32(pc, TSS + 4, STACK0);
		if (!(cases[i].access & 8)) {
			/* Its stack fields are elsewhere: SP0 at 2, SS0 at 4. */
			put16(pc, TSS + 2, 0x8000), put16(pc, TSS + 4, DS0);
			pc->cpu.seg[SEG_TR].access = cases[i].access;
		}
		RUN(pc, 0xcd, 0x21);
		expect_error(pc, VEC_GP, 0);
	}
}
END_TEST

/* --- the monitor's side ------------------------------------------------------------------------------------------------- */

START_TEST(a_virtual_8086_program_calls_its_own_handler_and_returns)
{
	struct combination c = { .vme = true, .interrupt = true, .vif = true };

	redirection(0x21, false);
	set_up(&c, true);
	PLACE(pc, CODE, 0xcd, 0x21, 0xf4);
	PLACE(pc, 0x20123, 0xfb, 0xfa, 0xcf);                  /* sti; cli; iret */
	step(pc, 1);
	ck_assert_uint_eq(flags() & (F_IF | F_VIF), F_IF);
	step(pc, 1);
	ck_assert_uint_eq(flags() & (F_IF | F_VIF), F_IF | F_VIF);
	step(pc, 1);
	ck_assert_uint_eq(flags() & (F_IF | F_VIF), F_IF);
	step(pc, 1);
	expect_no_fault(pc);
	ck_assert_uint_eq(pc->cpu.eip, 2);
	ck_assert_uint_eq(flags(), F_ONE | F_VM | F_IF | F_VIF);
	ck_assert_uint_eq(pc->cpu.r[R_ESP], 0x3f00);
}
END_TEST

static Suite *system_vme_suite(void)
{
	Suite *s = suite_create("system_vme");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, in_virtual_8086_mode_VIF_stands_for_IF);
	tcase_add_test(t, PVI_virtualises_CLI_and_STI_at_CPL_3_only);
	tcase_add_test(t, PVI_does_not_touch_PUSHF_and_POPF);
	tcase_add_test(t, a_virtual_interrupt_that_may_come_is_GP_before_the_next_instruction);
	tcase_add_test(t, IRETD_to_virtual_8086_mode_with_VIF_and_VIP_faults_there);
	tcase_add_test(t, an_interrupt_comes_before_a_virtual_one);
	tcase_add_test(t, INT_n_goes_where_IOPL_VME_and_the_bitmap_send_it);
	tcase_add_test(t, INT3_and_INTO_always_go_to_the_IDT);
	tcase_add_test(t, a_redirected_INT_n_clears_TF_without_a_trap);
	tcase_add_test(t, a_fault_on_the_way_to_the_8086_handler_leaves_no_trace);
	tcase_add_test(t, the_redirection_bitmap_must_lie_within_a_32_bit_TSS);
	tcase_add_test(t, a_virtual_8086_program_calls_its_own_handler_and_returns);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(system_vme_suite());

	srunner_set_fork_status(r, CK_NOFORK);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
