/* tests/cpu/system_msr_test.c: model-specific registers, time stamp, counters, CPUID: [SDM4 2.20 "MSRs In the Pentium M Processor"]. */
#include "system_pc.h"

static struct pc *pc;
static void setup(void) { pc = pc_new(); }
static void teardown(void) { pc_free(pc); }

static void msr_instruction(uint32_t index, uint32_t high, uint32_t low, bool write)
{
	ring(pc, 0);
	pc->cpu.r[R_ECX] = index;
	pc->cpu.r[R_EAX] = low;
	pc->cpu.r[R_EDX] = high;
	RUN(pc, 0x0f, write ? 0x30 : 0x32);
}

static void expect_msr(uint32_t index, uint64_t value)
{
	msr_instruction(index, 0, 0, false);
	expect_no_fault(pc);
	ck_assert_msg(pc->cpu.r[R_EAX] == (uint32_t)value && pc->cpu.r[R_EDX] == value >> 32, "MSR %x is %08x%08x, expected %016llx", index,
		pc->cpu.r[R_EDX], pc->cpu.r[R_EAX], (unsigned long long)value);
}

static void write_msr(uint32_t index, uint64_t value) { msr_instruction(index, (uint32_t)(value >> 32), (uint32_t)value, true); }

START_TEST(MSRs_keep_what_is_written_and_refuse_reserved_bits)
{
	static const struct { uint32_t index; uint64_t value; bool ok; } cases[] = {
		{ 0x174, 0x1234, true }, { 0x175, 0xdeadbeef, true }, { 0x176, 0xc0001000, true }, { 0x174, 1ull << 32, false },
		{ 0x1b, 0xfee00800, true }, { 0x1b, 1, false }, { 0x1b, 0x1000000000, false },
		/* MTRRs: a base with a type, a mask with its valid bit, 36 bits of address. */
		{ 0x200, 0x80000006, true }, { 0x20e, 0xffffff001, true }, { 0x200, 0x1000000000, false }, { 0x202, 0x80000106, false },
		{ 0x204, 2, false }, { 0x204, 7, false }, { 0x20f, 0xffffff800, true }, { 0x201, 0x1000000800, false }, { 0x203, 0x400, false },
		{ 0x250, 0x0606060606060606, true }, { 0x258, 0x0001040506000104, true }, { 0x259, 2, false }, { 0x26f, 7, false },
		{ 0x2ff, 0xc06, true }, { 0x2ff, 2, false }, { 0x2ff, 0x100, false },
		{ 0x277, 0x0001040600070406, true }, { 0x277, 2, false }, { 0x277, 0x0800000000000000, false },
		/* Performance counters: selectors as written. */
		{ 0x186, 0x005300c0, true }, { 0x187, 0xff9f0000, true }, { 0x186, 0x200000, false }, { 0x187, 1ull << 32, false },
		{ 0x1d9, 3, true }, { 0x1d9, 0x7c, true }, { 0x1d9, 0x80, false },
		/* Machine check: all errors or none; a status can only be cleared. */
		{ 0x400, ~0ull, true }, { 0x404, 0, true }, { 0x410, ~0ull, true }, { 0x408, 1, false }, { 0x414, 0, false },
		{ 0x401, 0, true }, { 0x401, 1, false }, { 0x411, 1ull << 63, false }, { 0x402, 0, true }, { 0x402, 8, false },
		{ 0x17a, 0, true }, { 0x17a, 4, false }, { 0x17b, 0, false },
		/* Read-only ones. */
		{ 0x17, 0, false }, { 0xfe, 0x508, false }, { 0x179, 5, false }, { 0x1db, 0, false },
		{ 0x12345, 0, false },
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_msr(cases[i].index, cases[i].value);
		if (!cases[i].ok) {
			ck_assert_msg(pc->exceptions, "MSR %x took %llx", cases[i].index, (unsigned long long)cases[i].value);
			expect_error(pc, VEC_GP, 0);
			continue;
		}
		expect_no_fault(pc);
		expect_msr(cases[i].index, cases[i].value);
	}
}
END_TEST

START_TEST(MSRs_start_with_what_firmware_and_kernels_expect)
{
	static const struct { uint32_t index; uint64_t value; } cases[] = {
		{ 0x00, 0 }, { 0x01, 0 }, { 0x17, 0 }, { 0x1b, 0xfee00900 }, { 0x2a, 0 }, { 0x8b, 0 }, { 0xc1, 0 }, { 0xc2, 0 },
		{ 0xfe, 0x508 }, { 0x174, 0 }, { 0x179, 5 }, { 0x17a, 0 }, { 0x186, 0 }, { 0x187, 0 }, { 0x1a0, 0x1881 }, { 0x1d9, 0 },
		{ 0x1db, 0 }, { 0x1de, 0 }, { 0x200, 0 }, { 0x20f, 0 }, { 0x250, 0 }, { 0x277, 0x0007040600070406 }, { 0x2ff, 0 },
		{ 0x400, 0 }, { 0x401, 0 }, { 0x412, 0 },
	};
	/* BIOS_UPDT_TRIG is for writing only; MCi_MISC, MCG_CTL and what the Pentium 4 brought are not there. */
	static const uint32_t absent[] = { 0x02, 0x16, 0x79, 0x3a, 0xc3, 0xce, 0x17b, 0x188, 0x198, 0x1d7, 0x210, 0x251, 0x403, 0x413, 0x414, 0x480, 0x600,
		0xc0000081, 0xc0000100 };

	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
			expect_msr(cases[i].index, cases[i].value);
		for (unsigned i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
			msr_instruction(absent[i], 0, 0, false);
			ck_assert_msg(pc->exceptions, "MSR %x can be read", absent[i]);
			expect_error(pc, VEC_GP, 0);
		}
		/* Everything else, then RESET. */
		write_msr(0x1d9, 3), write_msr(0x200, 6), write_msr(0x2ff, 0xc00), write_msr(0x277, 0), write_msr(0x400, ~0ull);
		write_msr(0xc1, 5), write_msr(0x186, 5), write_msr(0x1a0, 0), write_msr(0x174, 8), write_msr(0x1b, 0);
		cpu_reset(&pc->cpu);
	}
}
END_TEST

START_TEST(MSRs_with_fixed_bits_take_a_write_of_what_was_read)
{
	write_msr(0x1a0, 0x1881);
	expect_no_fault(pc);
	write_msr(0x1a0, 0);
	expect_msr(0x1a0, 0x1880);
	write_msr(0x1a0, 1ull << 22);
	expect_error(pc, VEC_GP, 0);
	write_msr(0x2a, 0x00040040);
	expect_msr(0x2a, 0);
	/* A microcode update is taken and changes nothing. */
	write_msr(0x79, 0x48000);
	expect_no_fault(pc);
	write_msr(0x8b, 0);
	expect_msr(0x8b, 0);
}
END_TEST

START_TEST(a_performance_counter_takes_32_bits_and_extends_their_sign_to_40)
{
	static const struct { uint64_t written, read; } cases[] = {
		{ 0, 0 }, { 0x7fffffff, 0x7fffffff }, { 0x80000000, 0xff80000000 }, { 0xffffffff, 0xffffffffff }, { 0x12345678abcd, 0x5678abcd },
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_msr(0xc1 + i % 2, cases[i].written);
		expect_msr(0xc1 + i % 2, cases[i].read);
		ring(pc, 0);
		pc->cpu.r[R_ECX] = i % 2;
		RUN(pc, 0x0f, 0x33);
		expect_no_fault(pc);
		ck_assert_uint_eq(pc->cpu.r[R_EAX], (uint32_t)cases[i].read);
		ck_assert_uint_eq(pc->cpu.r[R_EDX], cases[i].read >> 32);
	}
}
END_TEST

START_TEST(RDPMC_needs_ring_0_or_PCE_and_one_of_two_counters)
{
	for (unsigned n = 0; n < 32; n++) {
		unsigned cpl = n & 3;
		bool pce = n & 4;
		uint32_t index = (const uint32_t[]) { 0, 1, 2, 0x80000000 }[n >> 3];

		ring(pc, cpl);
		cpu_set_cr4(&pc->cpu, pce ? CR4_PCE : 0);
		pc->cpu.r[R_ECX] = index;
		RUN(pc, 0x0f, 0x33);
		if (index < 2 && (pce || cpl == 0))
			expect_no_fault(pc);
		else
			expect_error(pc, VEC_GP, 0);
	}
	real_mode(pc);
	cpu_set_cr4(&pc->cpu, 0);
	pc->cpu.r[R_ECX] = 0;
	RUN(pc, 0x0f, 0x33);
	expect_no_fault(pc);
}
END_TEST

START_TEST(RDTSC_follows_virtual_time_and_TSD)
{
	pc->now = 0x123456789a;
	ring(pc, 3);
	RUN(pc, 0x0f, 0x31);
	ck_assert_uint_eq(pc->cpu.r[R_EAX], 0x3456789a);
	ck_assert_uint_eq(pc->cpu.r[R_EDX], 0x12);
	msr_instruction(0x10, 7, 100, true);
	pc->now += 11;
	ring(pc, 3);
	RUN(pc, 0x0f, 0x31);
	ck_assert_uint_eq(pc->cpu.r[R_EAX], 111);
	ck_assert_uint_eq(pc->cpu.r[R_EDX], 0);
	ring(pc, 3);
	cpu_set_cr4(&pc->cpu, CR4_TSD);
	RUN(pc, 0x0f, 0x31);
	expect_error(pc, VEC_GP, 0);
	ring(pc, 0);
	RUN(pc, 0x0f, 0x31);
	expect_no_fault(pc);
	cpu_set_cr4(&pc->cpu, CR4_PCE);
	ring(pc, 3);
	pc->cpu.r[R_ECX] = 1;
	RUN(pc, 0x0f, 0x33);
	expect_no_fault(pc);
}
END_TEST

static void cpuid(uint32_t leaf)
{
	ring(pc, 3);
	pc->cpu.r[R_EAX] = leaf;
	RUN(pc, 0x0f, 0xa2);
	expect_no_fault(pc);
}

START_TEST(CPUID_reports_the_features_there_are)
{
	cpuid(0);
	ck_assert_uint_eq(pc->cpu.r[R_EAX], 2);
	ck_assert(!memcmp(&pc->cpu.r[R_EBX], "Genu", 4) && !memcmp(&pc->cpu.r[R_EDX], "ineI", 4) && !memcmp(&pc->cpu.r[R_ECX], "ntel", 4));
	cpuid(1);
	ck_assert_uint_eq(pc->cpu.r[R_EAX], 0x6d8);
	/* FPU VME DE PSE TSC MSR PAE CX8 SEP PGE CMOV PSE-36 CLFSH MMX FXSR SSE SSE2 */
	ck_assert_uint_eq(pc->cpu.r[R_EDX] & 0x078aa97f, 0x078aa97f);
	/* Never: bits 10 and 20 are reserved, and there is no serial number, no DS, no thermal monitor, no second thread. */
	ck_assert_uint_eq(pc->cpu.r[R_EDX] & (1 << 10 | 1 << 18 | 1 << 20 | 0xfu << 28 | 3 << 21), 0);
	ck_assert_uint_eq(pc->cpu.r[R_ECX], 0);
	/* The line size of CLFLUSH is told only with CLFLUSH. */
	ck_assert_uint_eq(pc->cpu.r[R_EBX], pc->cpu.r[R_EDX] & 1 << 19 ? 8 << 8 : 0);
	cpu_reset(&pc->cpu);
	ck_assert_uint_eq(pc->cpu.r[R_EDX], 0x6d8);
}
END_TEST

START_TEST(CPUID_has_a_brand_string_and_ends_where_it_says)
{
	char brand[48];
	uint32_t last[4];

	cpuid(0x80000000);
	ck_assert_uint_eq(pc->cpu.r[R_EAX], 0x80000004);
	for (unsigned i = 0; i < 3; i++) {
		cpuid(0x80000002 + i);
		for (unsigned r = 0; r < 4; r++)
			memcpy(brand + 16 * i + 4 * r, &pc->cpu.r[(const uint8_t[]) { R_EAX, R_EBX, R_ECX, R_EDX }[r]], 4);
	}
	ck_assert_str_eq(brand, "emu P6-class 32-bit processor");
	cpuid(2);
	memcpy(last, pc->cpu.r, sizeof(last));
	ck_assert_uint_eq(last[0] & 0xff, 1);
	for (unsigned i = 0; i < 4; i++) {
		cpuid((const uint32_t[]) { 3, 0x7fffffff, 0x80000005, 0xffffffff }[i]);
		ck_assert(!memcmp(last, pc->cpu.r, sizeof(last)));
	}
}
END_TEST

static Suite *system_msr_suite(void)
{
	Suite *s = suite_create("system_msr");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, MSRs_start_with_what_firmware_and_kernels_expect);
	tcase_add_test(t, MSRs_with_fixed_bits_take_a_write_of_what_was_read);
	tcase_add_test(t, a_performance_counter_takes_32_bits_and_extends_their_sign_to_40);
	tcase_add_test(t, RDPMC_needs_ring_0_or_PCE_and_one_of_two_counters);
	tcase_add_test(t, MSRs_keep_what_is_written_and_refuse_reserved_bits);
	tcase_add_test(t, RDTSC_follows_virtual_time_and_TSD);
	tcase_add_test(t, CPUID_reports_the_features_there_are);
	tcase_add_test(t, CPUID_has_a_brand_string_and_ends_where_it_says);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(system_msr_suite());

	srunner_set_fork_status(r, CK_NOFORK);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
