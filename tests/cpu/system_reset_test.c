/* tests/cpu/system_reset_test.c: [SDM3A 9.1.1 "Processor State After Reset"] table 9-1, columns RESET and INIT. */
#include "system_pc.h"

static struct pc *pc;
static void setup(void) { pc = pc_new(); }
static void teardown(void) { pc_free(pc); }

/* A processor in the middle of its work. */
static void at_work(void)
{
	struct cpu *cpu = &pc->cpu;

	ring(pc, 3);
	paging(pc);
	cpu_set_cr0(cpu, CR0_PE | CR0_PG | CR0_WP | CR0_TS | CR0_CD | CR0_ET);
	cpu_set_cr4(cpu, CR4_PSE | CR4_VME | CR4_DE);
	cpu_set_eflags(cpu, F_ONE | F_IF | F_CF | F_RF);
	cpu->cr2 = 0x12345678;
	for (unsigned i = 0; i < 4; i++)
		cpu->dr[i] = 0x1000 * i + 1;
	cpu->dr[6] = 0xffff4ff1;
	cpu->dr[7] = 0x00000402;
	cpu->nmi_blocked = cpu->nmi_pending = cpu->shadow = cpu->repeating = true;
	cpu->pending_dr6 = 1;
	cpu->halted = true;
	cpu->fpu.control = 0x37f;
	cpu->fpu.mxcsr = 0x1fa0;
	cpu->mtrr[0] = 6;
	cpu->pat = 0;
	cpu->sysenter_cs = 8;
	cpu->perf_counter[1] = 77;
	cpu->mc_control[2] = ~0ull;
	cpu->efer = EFER_NXE;
	cpu_ferr(cpu, true);
	pc->now = 1000;
}

static uint32_t time_stamp(void)
{
	PLACE(pc, CODE, 0x0f, 0x31);
	ring(pc, 0);
	cpu_set_cr4(&pc->cpu, 0);
	step(pc, 1);
	return pc->cpu.r[R_EAX];
}

/* What the two columns share. */
static void expect_start(void)
{
	const struct cpu *cpu = &pc->cpu;

	ck_assert_uint_eq(cpu_eflags(cpu), F_ONE);
	ck_assert_uint_eq(cpu->eip, 0xfff0);
	ck_assert_uint_eq(cpu->seg[SEG_CS].selector, 0xf000);
	ck_assert_uint_eq(cpu->seg[SEG_CS].base, 0xffff0000);
	ck_assert_uint_eq(cpu->cr2 | cpu->cr3 | cpu->cr4 | cpu->efer, 0);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_uint_eq(cpu->dr[i], 0);
	ck_assert_uint_eq(cpu->dr[6], 0xffff0ff0);
	ck_assert_uint_eq(cpu->dr[7], 0x400);
	for (unsigned i = 0; i < 8; i++)
		ck_assert_uint_eq(cpu->r[i], i == R_EDX ? 0x6d8 : 0);
	for (unsigned s = SEG_ES; s <= SEG_GS; s++)
		ck_assert(cpu->seg[s].limit == 0xffff && cpu->seg[s].access == 0x93 && (s == SEG_CS || (!cpu->seg[s].base && !cpu->seg[s].selector)));
	ck_assert_uint_eq(cpu->gdtr.limit, 0xffff);
	ck_assert_uint_eq(cpu->idtr.base, 0);
	ck_assert_uint_eq(cpu->cpl, 0);
	ck_assert(!cpu->mmu->pg.enabled);
	ck_assert(!cpu->halted && !cpu->shutdown && !cpu->nmi_blocked && !cpu->nmi_pending && !cpu->shadow && !cpu->repeating && !cpu->pending_dr6);
}

START_TEST(RESET_starts_everything_anew)
{
	at_work();
	cpu_reset(&pc->cpu);
	expect_start();
	ck_assert_uint_eq(pc->cpu.cr0, 0x60000010);
	ck_assert_uint_eq(pc->cpu.fpu.control, 0x40);
	ck_assert_uint_eq(pc->cpu.fpu.mxcsr, 0x1f80);
	ck_assert_uint_eq(pc->cpu.mtrr[0] | pc->cpu.sysenter_cs | pc->cpu.perf_counter[1] | pc->cpu.mc_control[2], 0);
	ck_assert_uint_eq(pc->cpu.pat, 0x0007040600070406);
	ck_assert(!pc->ferr);
	pc->now += 5;
	ck_assert_uint_eq(time_stamp(), 5);
}
END_TEST

START_TEST(INIT_keeps_the_FPU_the_MSRs_and_the_time)
{
	at_work();
	pc->cpu.shutdown = true;
	cpu_signal_init(&pc->cpu);
	expect_start();
	ck_assert_uint_eq(pc->cpu.cr0, CR0_CD | CR0_ET);
	ck_assert_uint_eq(pc->cpu.fpu.control, 0x37f);
	ck_assert_uint_eq(pc->cpu.fpu.mxcsr, 0x1fa0);
	ck_assert_uint_eq(pc->cpu.mtrr[0], 6);
	ck_assert_uint_eq(pc->cpu.pat, 0);
	ck_assert_uint_eq(pc->cpu.sysenter_cs, 8);
	ck_assert_uint_eq(pc->cpu.perf_counter[1], 77);
	ck_assert_uint_eq(pc->cpu.mc_control[2], ~0ull);
	ck_assert(pc->ferr);
	pc->now += 5;
	ck_assert_uint_eq(time_stamp(), 1005);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("system_reset");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, RESET_starts_everything_anew);
	tcase_add_test(t, INIT_keeps_the_FPU_the_MSRs_and_the_time);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
