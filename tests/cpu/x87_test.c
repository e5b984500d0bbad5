/* tests/cpu/x87_test.c: the x87 by the manual's tables, and its integer arithmetic against the host's x87.
 *
 * What every operation gives for random operands is tests/silicon's; here stand the rules that its processor cannot judge (which
 * exception comes when, the instruction and data pointers, the four layouts of the environment), and a case of each of those that
 * matter most.
 */
#include "one_insn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/x87_fast.h"

#define M OPERAND_AT
#define MEM(ext) (ext) << 3 | 5, M & 0xff, M >> 8 & 0xff, 0, 0          /* ModRM and address of M */

static void enter(enum world_mode mode)
{
	start_in(mode);
	w.cpu.cr0 |= CR0_NE;
	w.cpu.fpu = (struct fpu) { .control = FPU_CW_INIT, .mxcsr = MXCSR_DEFAULT };
}
static void start(void) { enter(RING3_32); }

static void expect_fault(enum vector v)
{
	ck_assert_msg(faulted, "no exception");
	ck_assert_uint_eq(fault.vector, v);
	ck_assert_uint_eq(w.cpu.eip, AT);
	faulted = false;
}

static const struct x87_reg one = { 0x8000000000000000, 0x3fff }, two = { 0x8000000000000000, 0x4000 }, zero = { 0, 0 };
static const struct x87_reg largest = { 0xffffffffffffffff, 0x7ffe }, smallest = { 0x8000000000000000, 0x0001 };

static void push_value(struct x87_reg value) { st_push(&w.cpu, value); }
static void expect_st(unsigned i, struct x87_reg value)
{
	ck_assert_msg(st_valid(&w.cpu, i), "ST(%u) is empty", i);
	ck_assert_uint_eq(st(&w.cpu, i)->exponent, value.exponent);
	ck_assert_uint_eq(st(&w.cpu, i)->mantissa, value.mantissa);
}
static void expect_status(unsigned mask, unsigned value) { ck_assert_uint_eq(w.cpu.fpu.status & mask, value); }
#define EXCEPTIONS (FPU_SW_EXCEPTIONS | FPU_SW_SF | FPU_SW_ES | FPU_SW_B)

/* --- when they may run ------------------------------------------------------------------------------------------------------ */

/* [SDM3A 2.5 "Control Registers"] table 2-2: CR0.EM, MP, TS against an x87 instruction and WAIT. */
START_TEST(NM_by_EM_MP_and_TS)
{
	uint32_t bits = (_i & 1 ? CR0_EM : 0) | (_i & 2 ? CR0_MP : 0) | (_i & 4 ? CR0_TS : 0);

	w.cpu.cr0 |= bits;
	RUN(0xdb, 0xe3);
	if (bits & (CR0_EM | CR0_TS))
		expect_fault(VEC_NM);
	expect_no_fault();
	RUN(0x9b);
	if (bits & CR0_MP && bits & CR0_TS)
		expect_fault(VEC_NM);
	expect_no_fault();
}
END_TEST

static void leave_zero_divide_pending(void)
{
	w.cpu.fpu.control = FPU_CW_INIT & ~FPU_SW_ZE;
	push_value(zero);
	push_value(one);
	RUN(0xdc, 0xf9);                       /* FDIV ST(1), ST(0): 0 / 1 */
	expect_status(EXCEPTIONS, 0);
	RUN(0xd8, 0xf1);                       /* FDIV ST(0), ST(1): 1 / 0 */
	expect_no_fault();
	expect_status(EXCEPTIONS, FPU_SW_ZE | FPU_SW_ES | FPU_SW_B);
	expect_st(0, one);
}

START_TEST(an_unmasked_exception_is_reported_by_the_next_waiting_instruction)
{
	static const struct { uint8_t bytes[6]; uint8_t len; bool waits; } cases[] = {
		{ { 0x9b }, 1, true }, { { 0xd9, 0xe8 }, 2, true }, { { 0xd9, 0xd0 }, 2, true }, { { 0xd9, MEM(5) }, 6, true },
		{ { 0xd9, MEM(4) }, 6, true }, { { 0xdd, MEM(4) }, 6, true },
		{ { 0xdb, 0xe2 }, 2, false }, { { 0xdb, 0xe3 }, 2, false }, { { 0xd9, MEM(7) }, 6, false }, { { 0xdd, MEM(7) }, 6, false },
		{ { 0xdf, 0xe0 }, 2, false }, { { 0xd9, MEM(6) }, 6, false }, { { 0xdd, MEM(6) }, 6, false }, { { 0xdb, 0xe4 }, 2, false },
	};

	for (unsigned i = 0; i < COUNT(cases); i++) {
		start();
		leave_zero_divide_pending();
		run(cases[i].bytes, cases[i].len);
		if (cases[i].waits)
			expect_fault(VEC_MF);
		expect_no_fault();
	}
}
END_TEST

/* With NE clear, and nobody at IGNNE#, the instruction waits for an interrupt, and the board hears of it by FERR#. */
START_TEST(with_NE_clear_FERR_is_driven_and_the_instruction_waits)
{
	leave_zero_divide_pending();
	w.cpu.cr0 &= ~CR0_NE;
	RUN(0x9b);
	expect_no_fault();
	ck_assert(w.cpu.ferr && w.cpu.halted);
	ck_assert_uint_eq(w.cpu.eip, AT);
	w.cpu.halted = false;
	cpu_set_ignne(&w.cpu, true);
	RUN(0x9b);
	ck_assert_uint_eq(w.cpu.eip, AT + 1);
	RUN(0xdb, 0xe2);
	ck_assert(!w.cpu.ferr);
	cpu_set_ignne(&w.cpu, false);
}
END_TEST

START_TEST(a_page_fault_comes_before_a_stack_fault_and_leaves_everything)
{
	struct cpu before;

	world_map(&w, M >> 12, 0);
	before = w.cpu;
	RUN(0xdd, MEM(3));                     /* FSTP m64 with an empty stack */
	expect_fault(VEC_PF);
	w.cpu.cr2 = before.cr2;
	ck_assert_ptr_null(cpu_compare(&before, &w.cpu));
	world_map(&w, M >> 12, world_flags(M >> 12));
}
END_TEST

/* --- the stack -------------------------------------------------------------------------------------------------------------- */

START_TEST(a_push_to_a_full_stack_is_an_overflow_with_C1)
{
	for (unsigned i = 0; i < 8; i++)
		RUN(0xd9, 0xe8);
	expect_status(EXCEPTIONS, 0);
	w.cpu.fpu.control &= (uint16_t)(_i ? 0xffff : ~FPU_SW_IE);
	RUN(0xd9, 0xee);
	expect_no_fault();
	expect_status(FPU_SW_IE | FPU_SW_SF | FPU_SW_C1, FPU_SW_IE | FPU_SW_SF | FPU_SW_C1);
	ck_assert_uint_eq(fpu_top(&w.cpu), _i ? 7 : 0);
	expect_st(0, _i ? X87_INDEFINITE : one);
}
END_TEST

START_TEST(an_empty_operand_is_an_underflow_without_C1)
{
	push_value(one);
	w.cpu.fpu.status |= FPU_SW_C1;
	w.cpu.fpu.control &= (uint16_t)(_i ? 0xffff : ~FPU_SW_IE);
	RUN(0xde, 0xc1);                       /* FADDP ST(1), ST(0) */
	expect_no_fault();
	expect_status(FPU_SW_IE | FPU_SW_SF | FPU_SW_C1, FPU_SW_IE | FPU_SW_SF);
	expect_st(0, _i ? X87_INDEFINITE : one);
	ck_assert_uint_eq(fpu_top(&w.cpu), _i ? 0 : 7);
}
END_TEST

/* [SDM1 8.5.1.1 "Stack Overflow or Underflow Exception (#IS)"]; [SDM2A] "FCOM": an empty operand is unordered. */
START_TEST(FUCOMPP_of_nothing_is_unordered_and_pops_if_masked)
{
	RUN(0xda, 0xe9);
	expect_status(FPU_SW_C0 | FPU_SW_C2 | FPU_SW_C3, FPU_SW_C0 | FPU_SW_C2 | FPU_SW_C3);
	ck_assert_uint_eq(fpu_top(&w.cpu), 2);
}
END_TEST

/* --- exceptions ------------------------------------------------------------------------------------------------------------- */

/* [SDM1 8.5.4 "Numeric Overflow Exception (#O)"], [SDM1 8.5.5 "Numeric Underflow Exception (#U)"]: in a register the unmasked
 * result is scaled by 2^24576; in memory there is none, and no pop. */
START_TEST(unmasked_overflow_and_underflow_scale_a_register_and_spare_memory)
{
	w.cpu.fpu.control = FPU_CW_INIT & ~(FPU_SW_OE | FPU_SW_UE);
	push_value(largest);
	RUN(0xd8, 0xc0);                       /* FADD ST(0), ST(0) */
	expect_status(EXCEPTIONS, FPU_SW_OE | FPU_SW_ES | FPU_SW_B);
	expect_st(0, (struct x87_reg) { 0xffffffffffffffff, 0x7fff - 24576 });
	RUN(0xdb, 0xe2);
	push_value(smallest);
	RUN(0xd8, 0xc8);                       /* FMUL ST(0), ST(0) */
	expect_status(EXCEPTIONS, FPU_SW_UE | FPU_SW_ES | FPU_SW_B);
	expect_st(0, (struct x87_reg) { 0x8000000000000000, 2 - 0x3fff + 24576 });
	RUN(0xdb, 0xe2);
	push_value(largest);
	world_put32(&w, M, 0x12345678);
	RUN(0xd9, MEM(3));                     /* FSTP m32 */
	expect_status(EXCEPTIONS, FPU_SW_OE | FPU_SW_ES | FPU_SW_B);
	expect_st(0, largest);
	ck_assert_uint_eq(world_ram(&w, M)[0], 0x78);
}
END_TEST

START_TEST(precision_tells_by_C1_that_it_rounded_up)
{
	push_value((struct x87_reg) { 0x8000000000000001, 0x3fff });
	w.cpu.fpu.control = FPU_CW_INIT & ~FPU_SW_PE;
	RUN(0xd9, MEM(2));
	expect_status(EXCEPTIONS | FPU_SW_C1, FPU_SW_PE | FPU_SW_ES | FPU_SW_B);
	ck_assert_uint_eq(world_ram(&w, M)[3], 0x3f);                  /* stored all the same */
	RUN(0xdb, 0xe2);
	w.cpu.fpu.control = FPU_CW_INIT | ROUND_UP << 10;
	RUN(0xd9, MEM(2));
	expect_status(EXCEPTIONS | FPU_SW_C1, FPU_SW_PE | FPU_SW_C1);
	ck_assert_uint_eq(world_ram(&w, M)[0], 1);
}
END_TEST

/* --- what the last instruction was ------------------------------------------------------------------------------------------ */

START_TEST(pointers_and_opcode_follow_instructions_but_not_control_instructions)
{
	RUN(0x66, 0xd9, MEM(0));               /* prefixes count */
	ck_assert_uint_eq(w.cpu.fpu.ip, AT);
	ck_assert_uint_eq(w.cpu.fpu.cs, w.cpu.seg[SEG_CS].selector);
	ck_assert_uint_eq(w.cpu.fpu.dp, M);
	ck_assert_uint_eq(w.cpu.fpu.ds, w.cpu.seg[SEG_DS].selector);
	ck_assert_uint_eq(w.cpu.fpu.opcode, 0x105);
	RUN(0xd9, 0xe0);                       /* FCHS: no operand in memory */
	ck_assert_uint_eq(w.cpu.fpu.dp, M);
	ck_assert_uint_eq(w.cpu.fpu.opcode, 0x1e0);
	RUN(0xd9, MEM(7));                     /* FNSTCW */
	ck_assert_uint_eq(w.cpu.fpu.opcode, 0x1e0);
	RUN(0xdb, 0xe3);
	ck_assert_uint_eq(w.cpu.fpu.ip | w.cpu.fpu.dp | w.cpu.fpu.opcode | w.cpu.fpu.cs | w.cpu.fpu.ds, 0);
}
END_TEST

/* [SDM1 8.1.10 "Saving the x87 FPU's State with FSTENV/FNSTENV and FSAVE/FNSAVE"] figures 8-9 to 8-12. */
static const struct layout { enum world_mode mode; unsigned opsize; uint8_t bytes[28]; } layouts[] = {
	{ RING3_32, 4, { 0x7f, 0x03, 0xff, 0xff, 0x00, 0x38, 0xff, 0xff, 0xff, 0x3f, 0xff, 0xff, 0x78, 0x56, 0x34, 0x12,
		0xbc, 0x9a, 0xe5, 0x07, 0x44, 0x33, 0x22, 0x11, 0x66, 0x55, 0xff, 0xff } },
	{ RING3_32, 2, { 0x7f, 0x03, 0x00, 0x38, 0xff, 0x3f, 0x78, 0x56, 0xbc, 0x9a, 0x44, 0x33, 0x66, 0x55 } },
	/* 9abc0 + 12345678 = 123e0238, 55660 + 11223344 = 112789a4 */
	{ V86, 4, { 0x7f, 0x03, 0xff, 0xff, 0x00, 0x38, 0xff, 0xff, 0xff, 0x3f, 0xff, 0xff, 0x38, 0x02, 0xff, 0xff,
		0xe5, 0xe7, 0x23, 0x01, 0xa4, 0x89, 0xff, 0xff, 0x00, 0x70, 0x12, 0x01 } },
	{ V86, 2, { 0x7f, 0x03, 0x00, 0x38, 0xff, 0x3f, 0x38, 0x02, 0xe5, 0xe7, 0xa4, 0x89, 0x00, 0x70 } },
};

/* D9 /ext with M as operand, in this layout. */
static void run_layout(const struct layout *l, uint8_t ext)
{
	bool code16 = l->mode == V86;
	uint8_t code[8] = { 0x66 };
	unsigned n = l->opsize != (code16 ? 2 : 4);

	code[n++] = 0xd9;
	code[n++] = (uint8_t)(ext << 3 | (code16 ? 6 : 5));
	code[n++] = M & 0xff;
	code[n++] = M >> 8 & 0xff;
	run(code, code16 ? n : n + 2);
	expect_no_fault();
}

START_TEST(the_environment_has_four_layouts)
{
	const struct layout *l = &layouts[_i];
	bool real = l->mode == V86;

	enter(l->mode);
	push_value(one);                       /* R7 */
	w.cpu.fpu.ip = 0x12345678, w.cpu.fpu.cs = 0x9abc, w.cpu.fpu.dp = 0x11223344, w.cpu.fpu.ds = 0x5566, w.cpu.fpu.opcode = 0x7e5;
	run_layout(l, 6);
	ck_assert_mem_eq(world_ram(&w, M), l->bytes, 7 * l->opsize);
	RUN(0xdb, 0xe3);
	run_layout(l, 4);
	expect_st(0, one);
	ck_assert_uint_eq(w.cpu.fpu.control, FPU_CW_INIT);
	ck_assert_uint_eq(w.cpu.fpu.ip, l->opsize == 4 ? real ? 0x123e0238 : 0x12345678 : real ? 0xe0238 : 0x5678);
	ck_assert_uint_eq(w.cpu.fpu.dp, l->opsize == 4 ? real ? 0x112789a4 : 0x11223344 : real ? 0x789a4 : 0x3344);
	ck_assert_uint_eq(w.cpu.fpu.cs, real ? 0 : 0x9abc);
	ck_assert_uint_eq(w.cpu.fpu.ds, real ? 0 : 0x5566);
	ck_assert_uint_eq(w.cpu.fpu.opcode, l->opsize == 4 || real ? 0x7e5 : 0);
}
END_TEST

START_TEST(tags_follow_from_the_contents)
{
	static const struct { struct x87_reg value; unsigned tag; } cases[] = {
		{ { 0x8000000000000000, 0x3fff }, 0 }, { { 0, 0x8000 }, 1 }, { { 1, 0 }, 2 }, { { 0x8000000000000000, 0x7fff }, 2 },
		{ { 0x4000000000000000, 0x3fff }, 2 },
	};

	for (unsigned i = 0; i < COUNT(cases); i++) {
		start();
		push_value(cases[i].value);
		RUN(0xd9, MEM(6));
		ck_assert_uint_eq(world_ram(&w, M)[9] >> 6, cases[i].tag);
		ck_assert_uint_eq(world_ram(&w, M)[8], 0xff);
	}
}
END_TEST

/* --- FXSAVE ----------------------------------------------------------------------------------------------------------------- */

START_TEST(FXSAVE_and_FXRSTOR_carry_the_XMM_registers_when_OSFXSR_says_so)
{
	bool osfxsr = _i;

	w.cpu.cr4 = (w.cpu.cr4 & ~CR4_OSFXSR) | (osfxsr ? CR4_OSFXSR : 0);
	push_value(one);
	w.cpu.fpu.xmm[7].u64[1] = 0x123456789abcdef0;
	memset(world_ram(&w, M), 0xcc, 512);
	RUN(0x0f, 0xae, MEM(0));
	expect_no_fault();
	ck_assert_uint_eq(world_ram(&w, M)[4], 0x80);                  /* the abridged tag: R7 */
	ck_assert_uint_eq(world_ram(&w, M)[32 + 9], 0x3f);
	ck_assert_uint_eq(world_ram(&w, M)[160 + 16 * 7 + 8], osfxsr ? 0xf0 : 0xcc);
	ck_assert_uint_eq(world_ram(&w, M)[464], 0xcc);
	RUN(0xdb, 0xe3);
	w.cpu.fpu.xmm[7].u64[1] = 0;
	RUN(0x0f, 0xae, MEM(1));
	expect_no_fault();
	expect_st(0, one);
	ck_assert_uint_eq(w.cpu.fpu.xmm[7].u64[1], osfxsr ? 0x123456789abcdef0 : 0);
}
END_TEST

START_TEST(FXSAVE_wants_16_bytes_alignment_and_FXRSTOR_a_good_MXCSR)
{
	struct fpu before;

	w.cpu.cr4 |= CR4_OSFXSR;
	RUN(0x0f, 0xae, 0x05, (M + 8) & 0xff, M >> 8 & 0xff, 0, 0);
	expect_fault(VEC_GP);
	RUN(0x0f, 0xae, MEM(0));
	expect_no_fault();
	world_put32(&w, M + 24, 0x10000);
	push_value(two);
	before = w.cpu.fpu;
	RUN(0x0f, 0xae, MEM(1));
	expect_fault(VEC_GP);
	ck_assert_mem_eq(&before, &w.cpu.fpu, sizeof(before));
}
END_TEST

/* --- integers against the host ---------------------------------------------------------------------------------------------- */

static uint64_t random_state;
static uint64_t random_bits(void)
{
	random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
	return random_state ^ random_state >> 29;
}

/* Mantissas with long runs, exponents near each other: where rounding, cancelling and carrying happen. */
static struct x87_reg random_value(unsigned exponents)
{
	uint64_t kind = random_bits() >> 60, mantissa = random_bits() << 20 ^ random_bits();

	if (kind == 0)
		return (struct x87_reg) { 0, random_bits() & SIGN };
	if (kind < 6)
		mantissa &= ~0ull << (random_bits() >> 58);
	else if (kind < 9)
		mantissa |= ~0ull >> (random_bits() >> 58);
	return (struct x87_reg) { mantissa | INTEGER_BIT, (uint16_t)((random_bits() & SIGN) | (BIAS - exponents / 2 + (random_bits() >> 20) % exponents)) };
}

static void compare_with_host(const char *name, struct fast f, const struct x87_host *h, unsigned codes)
{
	unsigned mask = FPU_SW_EXCEPTIONS | FPU_SW_C1 | codes;

	if (!f.ok)
		return;
	ck_assert_msg(f.status == (h->status & mask), "%s: status %04x, host %04x", name, f.status, h->status & mask);
	if (!codes)
		ck_assert_msg(f.value.mantissa == h->a.mantissa && f.value.exponent == h->a.exponent, "%s: %04x:%016llx, host %04x:%016llx, control %04x",
			      name, f.value.exponent, (unsigned long long)f.value.mantissa, h->a.exponent, (unsigned long long)h->a.mantissa, h->control);
}

static void compare_stored(const char *name, struct fast f, const struct x87_host *h, unsigned size)
{
	if (!f.ok)
		return;
	ck_assert_msg(f.status == (h->status & (FPU_SW_EXCEPTIONS | FPU_SW_C1)), "%s: status %04x, host %04x", name, f.status, h->status);
	ck_assert_msg(!memcmp(&f.value.mantissa, h->mem, size), "%s of %016llx", name, (unsigned long long)f.value.mantissa);
}

#define BINARY(name) do { \
	struct x87_host h = { .a = a, .b = b, .control = control }; \
	host_f##name(&h); \
	compare_with_host("f" #name, fast_f##name(a, b, control), &h, 0); \
	done += fast_f##name(a, b, control).ok; \
} while (0);
#define STORED(name, size) do { \
	struct x87_host h = { .a = a, .b = b, .control = control }; \
	host_f##name(&h); \
	compare_stored("f" #name, fast_f##name(a, control), &h, size); \
} while (0)

START_TEST(arithmetic_in_integers_is_that_of_the_host)
{
	static const unsigned ranges[] = { 3, 70, 300, 0x3000, 0x7ff0 };
	unsigned long done = 0, total = 30000;

	random_state = 1 + (unsigned)_i;
	for (unsigned long i = 0; i < total; i++) {
		struct x87_reg a = random_value(ranges[i % COUNT(ranges)]), b = random_value(ranges[i % COUNT(ranges)]);
		unsigned control = 0x7f | (unsigned)_i << 8;
		X87_HOST_ARITHMETIC(BINARY)
		struct x87_host h = { .a = a, .b = b, .control = (uint16_t)control };
		host_fcom(&h);
		compare_with_host("fcom", fast_fcom(a, b), &h, FPU_SW_C0 | FPU_SW_C2 | FPU_SW_C3);
		h = (struct x87_host) { .a = a, .b = b, .control = (uint16_t)control };
		host_frndint(&h);
		compare_with_host("frndint", fast_frndint(a, control), &h, 0);
		STORED(stp_m32, 4);
		STORED(stp_m64, 8);
		STORED(istp_i16, 2);
		STORED(istp_i32, 4);
		STORED(istp_i64, 8);
	}
	/* A precision of 1 is reserved, and all is the host's. */
	ck_assert(_i % 4 == 1 ? done < total : done > 4 * total);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("x87");
	TCase *t = tcase_create("x87");
	SRunner *r;
	int failed;

	tcase_add_unchecked_fixture(t, open_world, close_world);
	tcase_add_checked_fixture(t, start, NULL);
	tcase_set_timeout(t, 100);
	tcase_add_loop_test(t, NM_by_EM_MP_and_TS, 0, 8);
	tcase_add_test(t, an_unmasked_exception_is_reported_by_the_next_waiting_instruction);
	tcase_add_test(t, with_NE_clear_FERR_is_driven_and_the_instruction_waits);
	tcase_add_test(t, a_page_fault_comes_before_a_stack_fault_and_leaves_everything);
	tcase_add_loop_test(t, a_push_to_a_full_stack_is_an_overflow_with_C1, 0, 2);
	tcase_add_loop_test(t, an_empty_operand_is_an_underflow_without_C1, 0, 2);
	tcase_add_test(t, FUCOMPP_of_nothing_is_unordered_and_pops_if_masked);
	tcase_add_test(t, unmasked_overflow_and_underflow_scale_a_register_and_spare_memory);
	tcase_add_test(t, precision_tells_by_C1_that_it_rounded_up);
	tcase_add_test(t, pointers_and_opcode_follow_instructions_but_not_control_instructions);
	tcase_add_loop_test(t, the_environment_has_four_layouts, 0, COUNT(layouts));
	tcase_add_test(t, tags_follow_from_the_contents);
	tcase_add_loop_test(t, FXSAVE_and_FXRSTOR_carry_the_XMM_registers_when_OSFXSR_says_so, 0, 2);
	tcase_add_test(t, FXSAVE_wants_16_bytes_alignment_and_FXRSTOR_a_good_MXCSR);
	tcase_add_loop_test(t, arithmetic_in_integers_is_that_of_the_host, 0, 16);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
