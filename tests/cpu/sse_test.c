/* tests/cpu/sse_test.c: floating point of SSE and SSE2: results and flags worked out by hand, moves, and the rules about exceptions.
 *
 * Each case of the tables runs with its source in a register and in memory. What holds for whole classes of instructions is
 * asked of every row of insn_table[] in the class. Numbers are bit patterns: 3f800000 is 1.0f, 3ff0000000000000 is 1.0.
 */
#include "forms.h"
#include "one_insn.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/sse.h"

#define ADDRESS(a) (uint8_t)(a), (uint8_t)((a) >> 8), (uint8_t)((a) >> 16), 0

static void start(void) { start_in(RING3_32); }

static void expect_fault(unsigned vector)
{
	ck_assert_msg(faulted, "no exception");
	ck_assert_uint_eq(fault.vector, vector);
	ck_assert_uint_eq(w.cpu.eip, AT);
}

struct value { uint64_t high, low; };
static void set_xmm(unsigned n, struct value v) { w.cpu.fpu.xmm[n] = (union xmm) { .u64 = { v.low, v.high } }; }

static bool xmm_is(unsigned n, struct value v)
{
	return w.cpu.fpu.xmm[n].u64[0] == v.low && w.cpu.fpu.xmm[n].u64[1] == v.high;
}

/* --- arithmetic --------------------------------------------------------------------------------------------------------------- */

#define OLD { 0x1111111122222222, 0x3333333344444444 }

#define DAZ 0x0040u
#define FZ  0x8000u
#define RD  0x2000u                /* rounding down, up, toward zero */
#define RU  0x4000u
#define RZ  0x6000u
#define UNMASK(f) ((f) << 7)
#define IE SSE_IE
#define DE SSE_DE
#define ZE SSE_ZE
#define OE SSE_OE
#define UE SSE_UE
#define PE SSE_PE

/* XMM1 = XMM1 OP source, all exceptions masked: result and flags. control: bits of MXCSR over or under (UNMASK) its initial value. */
static const struct result_case {
	const char *name;
	uint8_t prefix, opcode;
	int immediate;             /* -1: none */
	uint32_t control;
	struct value destination, source, result;
	unsigned flags;
} results[] = {
	{ "ADDPS is four additions", 0, 0x58, -1, 0, { 0x3f80000040000000, 0x4040000040800000 }, { 0x3f8000003f800000, 0x3f8000003f800000 }, { 0x4000000040400000, 0x4080000040a00000 }, 0 },
	{ "ADDPD is two", 0x66, 0x58, -1, 0, { 0x3ff0000000000000, 0x4000000000000000 }, { 0x3ff0000000000000, 0x4000000000000000 }, { 0x4000000000000000, 0x4010000000000000 }, 0 },
	{ "ADDSS keeps the rest", 0xf3, 0x58, -1, 0, { 0x1111111122222222, 0x333333333f800000 }, { 0x9999999988888888, 0x777777773f800000 }, { 0x1111111122222222, 0x3333333340000000 }, 0 },
	{ "ADDSD keeps the rest", 0xf2, 0x58, -1, 0, { 0x1111111122222222, 0x3ff0000000000000 }, { 0x9999999988888888, 0x3ff0000000000000 }, { 0x1111111122222222, 0x4000000000000000 }, 0 },
	/* [SDM1 4.8.4.1 "Rounding Control (RC) Fields"]: 1 + 2^-24 lies in the middle. */
	{ "1 + 2^-24 to nearest even", 0xf3, 0x58, -1, 0, { 0, 0x3f800000 }, { 0, 0x33800000 }, { 0, 0x3f800000 }, PE },
	{ "1 + 2^-24 up", 0xf3, 0x58, -1, RU, { 0, 0x3f800000 }, { 0, 0x33800000 }, { 0, 0x3f800001 }, PE },
	{ "-1 - 2^-24 down", 0xf3, 0x5c, -1, RD, { 0, 0xbf800000 }, { 0, 0x33800000 }, { 0, 0xbf800001 }, PE },
	{ "-1 - 2^-24 toward zero", 0xf3, 0x5c, -1, RZ, { 0, 0xbf800000 }, { 0, 0x33800000 }, { 0, 0xbf800000 }, PE },
	{ "1 - 1 is +0", 0xf3, 0x5c, -1, 0, { 0, 0x3f800000 }, { 0, 0x3f800000 }, { 0, 0 }, 0 },
	{ "1 - 1 is -0 down", 0xf3, 0x5c, -1, RD, { 0, 0x3f800000 }, { 0, 0x3f800000 }, { 0, 0x80000000 }, 0 },

	/* [SDM1 11.5.2.1 "Invalid Operation Exception (#I)"] to [SDM1 11.5.2.6 "Inexact-Result (Precision) Exception (#P)"]. */
	{ "infinity - infinity is the default NaN", 0xf3, 0x5c, -1, 0, { 0, 0x7f800000 }, { 0, 0x7f800000 }, { 0, 0xffc00000 }, IE },
	{ "0 * infinity", 0xf2, 0x59, -1, 0, { 0, 0 }, { 0, 0x7ff0000000000000 }, { 0, 0xfff8000000000000 }, IE },
	{ "0 / 0", 0xf3, 0x5e, -1, 0, { 0, 0 }, { 0, 0x80000000 }, { 0, 0xffc00000 }, IE },
	{ "1 / -0 is -infinity", 0xf3, 0x5e, -1, 0, { 0, 0x3f800000 }, { 0, 0x80000000 }, { 0, 0xff800000 }, ZE },
	{ "SQRT of -1", 0xf3, 0x51, -1, 0, { 0, 0 }, { 0, 0xbf800000 }, { 0, 0xffc00000 }, IE },
	{ "SQRT of -0 is -0", 0xf2, 0x51, -1, 0, { 0, 0 }, { 0, 0x8000000000000000 }, { 0, 0x8000000000000000 }, 0 },
	{ "SQRT of 2", 0xf3, 0x51, -1, 0, { 0, 0 }, { 0, 0x40000000 }, { 0, 0x3fb504f3 }, PE },
	{ "a denormal operand", 0xf3, 0x58, -1, 0, { 0, 1 }, { 0, 0 }, { 0, 1 }, DE },
	{ "a denormal operand under DAZ", 0xf3, 0x58, -1, DAZ, { 0, 1 }, { 0, 0 }, { 0, 0 }, 0 },
	{ "overflow to infinity", 0xf3, 0x59, -1, 0, { 0, 0x7f7fffff }, { 0, 0x40000000 }, { 0, 0x7f800000 }, OE | PE },
	{ "overflow to the largest, toward zero", 0xf3, 0x59, -1, RZ, { 0, 0x7f7fffff }, { 0, 0x40000000 }, { 0, 0x7f7fffff }, OE | PE },
	{ "a tiny exact result is no masked underflow", 0xf3, 0x59, -1, 0, { 0, 0x00800000 }, { 0, 0x3f000000 }, { 0, 0x00400000 }, 0 },
	{ "a tiny inexact result is", 0xf3, 0x59, -1, 0, { 0, 0x00800001 }, { 0, 0x3f000000 }, { 0, 0x00400000 }, UE | PE },
	{ "FTZ makes it 0 and inexact [SDM1 10.2.3.3 \"Flush-To-Zero\"]", 0xf3, 0x59, -1, FZ, { 0, 0x80800000 }, { 0, 0x3f000000 }, { 0, 0x80000000 }, UE | PE },

	/* [SDM1 4.8.3.5 "Operating on SNaNs and QNaNs"] table 4-7. */
	{ "two QNaNs: the first", 0xf3, 0x58, -1, 0, { 0, 0x7fc00001 }, { 0, 0xffc00002 }, { 0, 0x7fc00001 }, 0 },
	{ "two QNaNs: the first, of a product", 0xf3, 0x59, -1, 0, { 0, 0xffc00002 }, { 0, 0x7fc00001 }, { 0, 0xffc00002 }, 0 },
	{ "SNaN and QNaN: the first, made quiet", 0xf3, 0x58, -1, 0, { 0, 0x7f800001 }, { 0, 0xffc00002 }, { 0, 0x7fc00001 }, IE },
	{ "QNaN and SNaN: the first", 0xf3, 0x58, -1, 0, { 0, 0x7fc00001 }, { 0, 0xff800002 }, { 0, 0x7fc00001 }, IE },
	{ "number and SNaN: made quiet", 0xf2, 0x59, -1, 0, { 0, 0x3ff0000000000000 }, { 0, 0x7ff0000000000001 }, { 0, 0x7ff8000000000001 }, IE },

	/* [SDM2B] "MINPS", "MAXPS": the second operand when both are zeros or one is a NaN. */
	{ "MIN of +0 and -0", 0xf3, 0x5d, -1, 0, { 0, 0 }, { 0, 0x80000000 }, { 0, 0x80000000 }, 0 },
	{ "MIN of -0 and +0", 0xf3, 0x5d, -1, 0, { 0, 0x80000000 }, { 0, 0 }, { 0, 0 }, 0 },
	{ "MAX of 1 and QNaN", 0xf3, 0x5f, -1, 0, { 0, 0x3f800000 }, { 0, 0x7fc00000 }, { 0, 0x7fc00000 }, IE },
	{ "MAX of SNaN and 1", 0xf2, 0x5f, -1, 0, { 0, 0x7ff0000000000001 }, { 0, 0x3ff0000000000000 }, { 0, 0x3ff0000000000000 }, IE },
	{ "MINPS, MAXPS of numbers", 0, 0x5d, -1, 0, { 0x3f800000bf800000, 0x40000000c0000000 }, { 0x40000000c0000000, 0x3f800000bf800000 }, { 0x3f800000c0000000, 0x3f800000c0000000 }, 0 },

	/* [SDM2A] "CMPPS" table 3-1: of QNaNs, LT LE NLT NLE complain. 1 against: 1, 2, QNaN, -1. */
#define OTHERS { 0x3f8000003f800000, 0x3f8000003f800000 }, { 0x3f80000040000000, 0x7fc00000bf800000 }
	{ "CMPEQPS",    0, 0xc2, 0, 0, OTHERS, { 0xffffffff00000000, 0 }, 0 },
	{ "CMPLTPS",    0, 0xc2, 1, 0, OTHERS, { 0x00000000ffffffff, 0 }, IE },
	{ "CMPLEPS",    0, 0xc2, 2, 0, OTHERS, { 0xffffffffffffffff, 0 }, IE },
	{ "CMPUNORDPS", 0, 0xc2, 3, 0, OTHERS, { 0, 0xffffffff00000000 }, 0 },
	{ "CMPNEQPS",   0, 0xc2, 4, 0, OTHERS, { 0x00000000ffffffff, 0xffffffffffffffff }, 0 },
	{ "CMPNLTPS",   0, 0xc2, 5, 0, OTHERS, { 0xffffffff00000000, 0xffffffffffffffff }, IE },
	{ "CMPNLEPS",   0, 0xc2, 6, 0, OTHERS, { 0, 0xffffffffffffffff }, IE },
	{ "CMPORDPS",   0, 0xc2, 7, 0, OTHERS, { 0xffffffffffffffff, 0x00000000ffffffff }, 0 },
	{ "the other bits are ignored", 0, 0xc2, 0xf9, 0, OTHERS, { 0x00000000ffffffff, 0 }, IE },
	{ "CMPEQSD keeps the rest", 0xf2, 0xc2, 0, 0, { 5, 0x3ff0000000000000 }, { 6, 0x3ff0000000000000 }, { 5, 0xffffffffffffffff }, 0 },

	/* Conversions: [SDM2A] under each name; [SDM1 4.8.3.7 "QNaN Floating-Point Indefinite"] for what does not fit. */
	{ "CVTPS2PD", 0, 0x5a, -1, 0, OLD, { 0, 0x3f800000c0000000 }, { 0x3ff0000000000000, 0xc000000000000000 }, 0 },
	{ "CVTPS2PD of SNaN, denormal", 0, 0x5a, -1, 0, OLD, { 0, 0x7f80000100000001 }, { 0x7ff8000020000000, 0x36a0000000000000 }, IE | DE },
	{ "CVTPD2PS clears the upper half", 0x66, 0x5a, -1, 0, OLD, { 0x3ff0000000000000, 0x3ff0000000000001 }, { 0, 0x3f8000003f800000 }, PE },
	{ "CVTSD2SS overflows", 0xf2, 0x5a, -1, 0, OLD, { 0, 0x7fe0000000000000 }, { 0x1111111122222222, 0x333333337f800000 }, OE | PE },
	{ "CVTSS2SD", 0xf3, 0x5a, -1, 0, OLD, { 0, 0x3f800000 }, { 0x1111111122222222, 0x3ff0000000000000 }, 0 },
	{ "CVTDQ2PS rounds", 0, 0x5b, -1, 0, OLD, { 0x7fffffff01000001, 0xffffffff80000000 }, { 0x4f0000004b800000, 0xbf800000cf000000 }, PE },
	{ "CVTPS2DQ rounds to even", 0x66, 0x5b, -1, 0, OLD, { 0x3fc000003f000000, 0x40200000bfc00000 }, { 0x0000000200000000, 0x00000002fffffffe }, PE },
	{ "CVTPS2DQ up", 0x66, 0x5b, -1, RU, OLD, { 0x3fc000003f000000, 0x40200000bfc00000 }, { 0x0000000200000001, 0x00000003ffffffff }, PE },
	{ "CVTPS2DQ of what does not fit", 0x66, 0x5b, -1, 0, OLD, { 0x4f000000cf000000, 0x7fc00000ff800000 }, { 0x8000000080000000, 0x8000000080000000 }, IE },
	{ "CVTTPS2DQ truncates whatever RC says", 0xf3, 0x5b, -1, RU, OLD, { 0x3fc000003f000000, 0x40200000bfc00000 }, { 0x0000000100000000, 0x00000002ffffffff }, PE },
	{ "CVTDQ2PD", 0xf3, 0xe6, -1, 0, OLD, { 0, 0x7fffffff80000000 }, { 0x41dfffffffc00000, 0xc1e0000000000000 }, 0 },
	{ "CVTPD2DQ", 0xf2, 0xe6, -1, 0, OLD, { 0x41dfffffffc00000, 0x3ff8000000000000 }, { 0, 0x7fffffff00000002 }, PE },
	{ "CVTTPD2DQ of 2^31 and 1.5", 0x66, 0xe6, -1, 0, OLD, { 0x41e0000000000000, 0x3ff8000000000000 }, { 0, 0x8000000000000001 }, IE | PE },
};

static unsigned encode(uint8_t *bytes, uint8_t prefix, uint8_t opcode, int immediate, bool memory)
{
	unsigned n = 0;

	if (prefix)
		bytes[n++] = prefix;
	bytes[n++] = 0x0f;
	bytes[n++] = opcode;
	if (memory) {
		memcpy(bytes + n, (const uint8_t[]) { 0x0d, ADDRESS(OPERAND_AT) }, 5);
		n += 5;
	} else {
		bytes[n++] = 0xca;             /* xmm1, xmm2 */
	}
	if (immediate >= 0)
		bytes[n++] = (uint8_t)immediate;
	return n;
}

static void run_binary(uint8_t prefix, uint8_t opcode, int immediate, uint32_t mxcsr, struct value d, struct value s, bool memory)
{
	uint8_t bytes[INSN_MAX];

	start();
	w.cpu.fpu.mxcsr = mxcsr;
	set_xmm(1, d);
	set_xmm(2, s);
	world_put(&w, OPERAND_AT, &s.low, 8);
	world_put(&w, OPERAND_AT + 8, &s.high, 8);
	run(bytes, encode(bytes, prefix, opcode, immediate, memory));
}

START_TEST(results_and_flags_are_those_of_the_manual)
{
	const struct result_case *c = &results[_i];

	for (unsigned memory = 0; memory < 2; memory++) {
		run_binary(c->prefix, c->opcode, c->immediate, MXCSR_DEFAULT ^ c->control, c->destination, c->source, memory);
		expect_no_fault();
		ck_assert_msg(xmm_is(1, c->result), "%s: %016lx %016lx", c->name, w.cpu.fpu.xmm[1].u64[1], w.cpu.fpu.xmm[1].u64[0]);
		ck_assert_msg(w.cpu.fpu.mxcsr == ((MXCSR_DEFAULT ^ c->control) | c->flags), "%s: MXCSR %04x", c->name, w.cpu.fpu.mxcsr);
	}
}
END_TEST

START_TEST(flags_are_sticky)
{
	run_binary(0xf3, 0x58, -1, MXCSR_DEFAULT | ZE, (struct value) { 0, 0x3f800000 }, (struct value) { 0, 0x33800000 }, false);
	ck_assert_uint_eq(w.cpu.fpu.mxcsr, MXCSR_DEFAULT | ZE | PE);
}
END_TEST

/* The rounding mode of the guest stays in the guest. */
START_TEST(the_host_rounds_as_before)
{
	uint32_t mxcsr = 0;

	run_binary(0xf3, 0x58, -1, MXCSR_DEFAULT | RU | FZ | DAZ, (struct value) { 0, 0x3f800000 }, (struct value) { 0, 0x33800000 }, false);
	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	ck_assert_uint_eq(mxcsr & ~SSE_FLAGS, MXCSR_DEFAULT);
}
END_TEST

/* --- exceptions that are raised ------------------------------------------------------------------------------------------------- */

/* [SDM1 11.5.3 "Generating SIMD Floating-Point Exceptions"]. control: bits of MXCSR to invert; flags: what is then set; #XM, or not. */
static const struct raise_case {
	const char *name;
	uint8_t prefix, opcode;
	uint32_t control;
	struct value destination, source;
	unsigned flags;
	bool raised;
} raises[] = {
	{ "invalid", 0xf3, 0x5c, UNMASK(IE), { 0, 0x7f800000 }, { 0, 0x7f800000 }, IE, true },
	{ "denormal", 0xf3, 0x58, UNMASK(DE), { 0, 1 }, { 0, 0 }, DE, true },
	{ "division by zero", 0xf3, 0x5e, UNMASK(ZE), { 0, 0x3f800000 }, { 0, 0 }, ZE, true },
	{ "precision", 0xf3, 0x5e, UNMASK(PE), { 0, 0x3f800000 }, { 0, 0x40400000 }, PE, true },
	{ "a masked one beside an unmasked that does not occur", 0xf3, 0x5e, UNMASK(IE), { 0, 0x3f800000 }, { 0, 0x40400000 }, PE, false },
	{ "unmasked invalid hides later lanes' overflow, not their denormals", 0, 0x58, UNMASK(IE), { 0x7f8000007f7fffff, 0x000000013f800000 },
	  { 0xff8000007f7fffff, 0x0000000033800000 }, IE | DE, true },
	{ "masked invalid does not", 0, 0x58, UNMASK(OE), { 0x7f8000007f7fffff, 0x000000013f800000 }, { 0xff8000007f7fffff, 0x0000000033800000 },
	  IE | DE | OE | PE, true },
	{ "denormal, unmasked, hides precision", 0xf3, 0x58, UNMASK(DE), { 0, 0x3f800000 }, { 0, 1 }, DE, true },

	/* Rounding is then told of as if exponents had no bounds. */
	{ "unmasked overflow of 2 * largest is exact", 0xf3, 0x59, UNMASK(OE), { 0, 0x7f7fffff }, { 0, 0x40000000 }, OE, true },
	{ "... of largest + largest too", 0xf3, 0x58, UNMASK(OE), { 0, 0x7f7fffff }, { 0, 0x7f7fffff }, OE, true },
	{ "... of largest + 2^-119 is not", 0xf3, 0x58, UNMASK(OE) | RU, { 0, 0x7f7fffff }, { 0, 0x04000000 }, OE | PE, true },
	{ "... of 1.5 * largest is not", 0xf3, 0x59, UNMASK(OE), { 0, 0x7f7fffff }, { 0, 0x3fc00000 }, OE | PE, true },
	{ "... of doubles", 0x66, 0x59, UNMASK(OE), { 0x7fefffffffffffff, 0x3ff0000000000000 }, { 0x4000000000000000, 0x3ff0000000000000 }, OE, true },
	{ "unmasked underflow: tiny is enough", 0xf3, 0x59, UNMASK(UE), { 0, 0x00800000 }, { 0, 0x3f000000 }, UE, true },
	{ "... and hides FTZ", 0xf3, 0x59, UNMASK(UE) | FZ, { 0, 0x00800000 }, { 0, 0x3f000000 }, UE, true },
	{ "... digits lost only to the denormal do not count", 0xf3, 0x59, UNMASK(UE), { 0, 0x00c00000 }, { 0, 0x34000000 }, UE, true },
	{ "... others do", 0xf3, 0x59, UNMASK(UE), { 0, 0x00800001 }, { 0, 0x3f000001 }, UE | PE, true },
	{ "... a denormal sum is exact", 0xf3, 0x58, UNMASK(UE), { 0, 1 }, { 0, 1 }, UE | DE, true },
	{ "... a sum that is 0 is not tiny", 0xf3, 0x5c, UNMASK(UE), { 0, 1 }, { 0, 1 }, DE, false },
	{ "... of doubles made single", 0x66, 0x5a, UNMASK(UE), OLD, { 0x3ff0000000000000, 0x3710000000000000 }, UE, true },
	{ "... and of a scalar", 0xf2, 0x5a, UNMASK(UE), OLD, { 0, 0x3698000000000000 }, UE, true },
	{ "... of a quotient of a denormal", 0xf2, 0x5e, UNMASK(UE), { 0, 3 }, { 0, 0x4000000000000000 }, UE | DE, true },
	{ "masked underflow beside unmasked overflow", 0, 0x59, UNMASK(OE), { 0x7f7fffff00800000, 0 }, { 0x400000003f000000, 0 }, OE, true },
};

START_TEST(an_unmasked_exception_leaves_its_flags_and_the_old_destination)
{
	const struct raise_case *c = &raises[_i];

	for (unsigned memory = 0; memory < 2; memory++) {
		run_binary(c->prefix, c->opcode, -1, MXCSR_DEFAULT ^ c->control, c->destination, c->source, memory);
		ck_assert_msg(faulted == c->raised, "%s: %s", c->name, faulted ? "raised" : "not raised");
		ck_assert_msg(w.cpu.fpu.mxcsr == ((MXCSR_DEFAULT ^ c->control) | c->flags), "%s: MXCSR %04x", c->name, w.cpu.fpu.mxcsr);
		if (c->raised) {
			expect_fault(VEC_XM);
			ck_assert(!fault.has_error);
			ck_assert_msg(xmm_is(1, c->destination), "%s: the destination has changed", c->name);
		}
	}
}
END_TEST

/* [SDM3A 2.5 "Control Registers"], OSXMMEXCPT. */
START_TEST(without_support_it_is_an_undefined_opcode)
{
	start();
	cpu_set_cr4(&w.cpu, w.cpu.cr4 & ~CR4_OSXMMEXCPT);
	w.cpu.fpu.mxcsr = 0;
	set_xmm(1, (struct value) { 0, 0 });
	RUN(0xf3, 0x0f, 0x5e, 0xc9);                           /* divss xmm1, xmm1 */
	expect_fault(VEC_UD);
}
END_TEST

/* The operand is fetched before anything is computed. */
START_TEST(a_page_fault_comes_before_a_numeric_exception)
{
	start();
	w.cpu.fpu.mxcsr = 0;
	set_xmm(1, (struct value) { 0, 0x7f800001 });
	world_map(&w, OPERAND_AT >> 12, 0);
	RUN(0xf3, 0x0f, 0x58, 0x0d, ADDRESS(OPERAND_AT));      /* addss xmm1, [operand] */
	expect_fault(VEC_PF);
	ck_assert_uint_eq(w.cpu.fpu.mxcsr, 0);
}
END_TEST

/* --- COMIS, UCOMIS ---------------------------------------------------------------------------------------------------------------- */

/* [SDM2A] "COMISS", [SDM2B] "UCOMISS". */
static const struct { uint32_t a, b, eflags; unsigned comis, ucomis; } comparisons[] = {
	{ 0x40000000, 0x3f800000, 0, 0, 0 },
	{ 0x3f800000, 0x40000000, F_CF, 0, 0 },
	{ 0x80000000, 0x00000000, F_ZF, 0, 0 },
	{ 0x7fc00000, 0x3f800000, F_ZF | F_PF | F_CF, IE, 0 },
	{ 0x3f800000, 0x7f800001, F_ZF | F_PF | F_CF, IE, IE },
	{ 0x00000001, 0x00000000, 0, DE, DE },
};

START_TEST(comparisons_set_ZF_PF_CF_and_clear_the_others)
{
	for (unsigned i = 0; i < 2 * COUNT(comparisons); i++) {
		bool ucomis = i & 1;

		start();
		cpu_set_eflags(&w.cpu, F_ONE | F_ARITH | F_DF);
		set_xmm(1, (struct value) { 0, comparisons[i / 2].a });
		set_xmm(2, (struct value) { 0, comparisons[i / 2].b });
		RUN(0x0f, ucomis ? 0x2e : 0x2f, 0xca);
		expect_no_fault();
		ck_assert_uint_eq(cpu_eflags(&w.cpu), F_ONE | F_DF | comparisons[i / 2].eflags);
		ck_assert_uint_eq(w.cpu.fpu.mxcsr & SSE_FLAGS, ucomis ? comparisons[i / 2].ucomis : comparisons[i / 2].comis);
	}
}
END_TEST

START_TEST(a_comparison_that_raises_keeps_the_flags)
{
	start();
	cpu_set_eflags(&w.cpu, F_ONE | F_OF | F_SF | F_AF);
	w.cpu.fpu.mxcsr = MXCSR_DEFAULT & ~UNMASK(IE);
	set_xmm(1, (struct value) { 0, 0x7ff8000000000000 });
	RUN(0x66, 0x0f, 0x2f, 0xc9);                           /* comisd xmm1, xmm1 */
	expect_fault(VEC_XM);
	ck_assert_uint_eq(cpu_eflags(&w.cpu), F_ONE | F_OF | F_SF | F_AF);
	ck_assert_uint_eq(w.cpu.fpu.mxcsr, (MXCSR_DEFAULT & ~UNMASK(IE)) | IE);
}
END_TEST

/* --- conversions of general and MMX registers ------------------------------------------------------------------------------------- */

START_TEST(general_registers_are_converted)
{
	start();
	set_xmm(2, (struct value) { 0, 0xc004000000000000 });  /* -2.5 */
	RUN(0xf2, 0x0f, 0x2d, 0xca);                           /* cvtsd2si ecx, xmm2 */
	ck_assert_uint_eq(w.cpu.r[R_ECX], (uint32_t)-2);
	ck_assert_uint_eq(w.cpu.fpu.mxcsr, MXCSR_DEFAULT | PE);
	start();
	w.cpu.fpu.mxcsr |= RD;
	set_xmm(2, (struct value) { 0, 0xc0200000 });
	RUN(0xf3, 0x0f, 0x2c, 0xca);                           /* cvttss2si ecx, xmm2 */
	ck_assert_uint_eq(w.cpu.r[R_ECX], (uint32_t)-2);
	start();
	set_xmm(2, (struct value) { 0, 0x4f000000 });
	RUN(0xf3, 0x0f, 0x2d, 0xca);                           /* cvtss2si ecx, xmm2: 2^31 */
	ck_assert_uint_eq(w.cpu.r[R_ECX], 0x80000000);
	ck_assert_uint_eq(w.cpu.fpu.mxcsr, MXCSR_DEFAULT | IE);
	start();
	w.cpu.fpu.mxcsr &= ~UNMASK(IE);
	w.cpu.r[R_ECX] = 77;
	set_xmm(2, (struct value) { 0, 0x4f000000 });
	RUN(0xf3, 0x0f, 0x2d, 0xca);
	expect_fault(VEC_XM);
	ck_assert_uint_eq(w.cpu.r[R_ECX], 77);
	start();
	w.cpu.r[R_EDX] = 0x01000001;
	set_xmm(1, (struct value) OLD);
	RUN(0xf3, 0x0f, 0x2a, 0xca);                           /* cvtsi2ss xmm1, edx */
	ck_assert(xmm_is(1, (struct value) { 0x1111111122222222, 0x333333334b800000 }));
	ck_assert_uint_eq(w.cpu.fpu.mxcsr, MXCSR_DEFAULT | PE);
	start();
	w.cpu.r[R_EDX] = 0x80000000;
	RUN(0xf2, 0x0f, 0x2a, 0xca);                           /* cvtsi2sd xmm1, edx */
	ck_assert_uint_eq(w.cpu.fpu.xmm[1].u64[0], 0xc1e0000000000000);
}
END_TEST

/* With five x87 registers in use and TOP 3. */
static bool in_mmx_state(void) { return fpu_top(&w.cpu) == 0 && w.cpu.fpu.valid == 0xff; }

START_TEST(MMX_registers_are_converted_and_entered)
{
	start();
	w.cpu.fpu.r[2].mantissa = 0xffffffff00000002;
	set_xmm(1, (struct value) OLD);
	RUN(0x0f, 0x2a, 0xca);                                 /* cvtpi2ps xmm1, mm2 */
	expect_no_fault();
	ck_assert(xmm_is(1, (struct value) { 0x1111111122222222, 0xbf80000040000000 }));
	ck_assert(in_mmx_state());
	start();
	w.cpu.fpu.r[2].mantissa = 0xffffffff00000002;
	RUN(0x66, 0x0f, 0x2a, 0xca);                           /* cvtpi2pd xmm1, mm2 */
	ck_assert(xmm_is(1, (struct value) { 0xbff0000000000000, 0x4000000000000000 }));
	ck_assert(in_mmx_state());
	start();
	RUN(0x66, 0x0f, 0x2a, 0x0d, ADDRESS(OPERAND_AT));      /* cvtpi2pd xmm1, [operand] */
	expect_no_fault();
	ck_assert_uint_eq(fpu_top(&w.cpu), 3);
	start();
	set_xmm(2, (struct value) { 0x7fc000007fc00000, 0x3fc00000c0200000 });
	RUN(0x0f, 0x2d, 0xca);                                 /* cvtps2pi mm1, xmm2: the upper half is not looked at */
	ck_assert_uint_eq(w.cpu.fpu.r[1].mantissa, 0x00000002fffffffe);
	ck_assert_uint_eq(w.cpu.fpu.r[1].exponent, 0xffff);
	ck_assert_uint_eq(w.cpu.fpu.mxcsr, MXCSR_DEFAULT | PE);
	ck_assert(in_mmx_state());
	start();
	set_xmm(2, (struct value) { 0xc004000000000000, 0x41e0000000000000 });
	RUN(0x66, 0x0f, 0x2c, 0xca);                           /* cvttpd2pi mm1, xmm2 */
	ck_assert_uint_eq(w.cpu.fpu.r[1].mantissa, 0xfffffffe80000000);
	ck_assert_uint_eq(w.cpu.fpu.mxcsr, MXCSR_DEFAULT | IE | PE);
}
END_TEST

START_TEST(conversions_of_MMX_registers_wait_for_the_x87)
{
	static const uint8_t waiting[][4] = { { 0x0f, 0x2a, 0xca }, { 0x66, 0x0f, 0x2a, 0xca }, { 0x0f, 0x2c, 0xca }, { 0x66, 0x0f, 0x2d, 0xca } };

	for (unsigned i = 0; i < COUNT(waiting); i++) {
		start();
		cpu_set_cr0(&w.cpu, w.cpu.cr0 | CR0_NE);
		w.cpu.fpu.control = 0x37e;
		w.cpu.fpu.status |= FPU_SW_IE | FPU_SW_ES | FPU_SW_B;
		w.cpu.fpu.mxcsr = 0;
		run(waiting[i], 4);
		expect_fault(VEC_MF);
		ck_assert_uint_eq(fpu_top(&w.cpu), 3);
		ck_assert_uint_eq(w.cpu.fpu.mxcsr, 0);
	}
}
END_TEST

/* --- approximations ------------------------------------------------------------------------------------------------------------------- */

static uint32_t approximate(uint8_t opcode, uint32_t x)
{
	start();
	w.cpu.fpu.mxcsr = 0;                                   /* they look at no mask and no rounding mode */
	set_xmm(2, (struct value) { 0, x });
	RUN(0xf3, 0x0f, opcode, 0xca);
	expect_no_fault();
	ck_assert_uint_eq(w.cpu.fpu.mxcsr, 0);
	return w.cpu.fpu.xmm[1].u32[0];
}

static double number(uint32_t bits)
{
	float f;

	memcpy(&f, &bits, 4);
	return f;
}

/* [SDM2B] "RCPPS", "RSQRTPS": the relative error is at most 1.5 * 2^-12. */
START_TEST(RCP_and_RSQRT_are_close_enough)
{
	for (uint32_t x = 0x00800000; x < 0x7e800000; x += 0x6a3f5) {
		double r = number(approximate(0x53, x)) * number(x), q = number(approximate(0x52, x)) * sqrt(number(x));
		ck_assert_msg(fabs(r - 1) <= 1.5 / 4096, "RCP of %08x is off by %g", x, r - 1);
		ck_assert_msg(fabs(q - 1) <= 1.5 / 4096, "RSQRT of %08x is off by %g", x, q - 1);
	}
	for (uint32_t x = 0x3f800000; x < 0x40800000; x += x & 0xffff ? 0xff01 : 1) {
		ck_assert(fabs(number(approximate(0x53, x)) * number(x) - 1) <= 1.5 / 4096);
		ck_assert(fabs(number(approximate(0x52, x)) * sqrt(number(x)) - 1) <= 1.5 / 4096);
	}
}
END_TEST

START_TEST(RCP_and_RSQRT_of_special_values)
{
	static const struct { uint32_t x, rcp, rsqrt; } cases[] = {
		{ 0x00000000, 0x7f800000, 0x7f800000 }, { 0x80000000, 0xff800000, 0xff800000 }, { 0x007fffff, 0x7f800000, 0x7f800000 },
		{ 0x807fffff, 0xff800000, 0xff800000 }, { 0x7f800000, 0x00000000, 0x00000000 }, { 0xff800000, 0x80000000, 0xffc00000 },
		{ 0x7f800001, 0x7fc00001, 0x7fc00001 }, { 0xffc12345, 0xffc12345, 0xffc12345 },
	};

	for (unsigned i = 0; i < COUNT(cases); i++) {
		ck_assert_uint_eq(approximate(0x53, cases[i].x), cases[i].rcp);
		ck_assert_uint_eq(approximate(0x52, cases[i].x), cases[i].rsqrt);
	}
	ck_assert_uint_eq(approximate(0x53, 0x7e800001), 0);   /* tiny results become 0 */
	ck_assert_uint_eq(approximate(0x53, 0xff7fffff), 0x80000000);
	ck_assert_uint_eq(approximate(0x52, 0xbf800000), 0xffc00000);
}
END_TEST

/* --- moves ------------------------------------------------------------------------------------------------------------------------------ */

#define A  { 0x1011121314151617, 0x18191a1b1c1d1e1f }
#define B  { 0x2021222324252627, 0x28292a2b2c2d2e2f }

/* XMM1 is A, the source B, in a register or in memory. */
static const struct { const char *name; uint8_t prefix, opcode; int immediate; bool memory; struct value result; } moves[] = {
	{ "MOVAPS", 0, 0x28, -1, false, B },                              { "MOVAPS load", 0, 0x28, -1, true, B },
	{ "MOVUPD", 0x66, 0x10, -1, false, B },                           { "MOVUPD load", 0x66, 0x10, -1, true, B },
	{ "MOVSS", 0xf3, 0x10, -1, false, { 0x1011121314151617, 0x18191a1b2c2d2e2f } }, { "MOVSS load", 0xf3, 0x10, -1, true, { 0, 0x2c2d2e2f } },
	{ "MOVSD", 0xf2, 0x10, -1, false, { 0x1011121314151617, 0x28292a2b2c2d2e2f } }, { "MOVSD load", 0xf2, 0x10, -1, true, { 0, 0x28292a2b2c2d2e2f } },
	{ "MOVHLPS", 0, 0x12, -1, false, { 0x1011121314151617, 0x2021222324252627 } },
	{ "MOVLPS load", 0, 0x12, -1, true, { 0x1011121314151617, 0x28292a2b2c2d2e2f } },
	{ "MOVLPD load", 0x66, 0x12, -1, true, { 0x1011121314151617, 0x28292a2b2c2d2e2f } },
	{ "MOVLHPS", 0, 0x16, -1, false, { 0x28292a2b2c2d2e2f, 0x18191a1b1c1d1e1f } },
	{ "MOVHPS load", 0, 0x16, -1, true, { 0x28292a2b2c2d2e2f, 0x18191a1b1c1d1e1f } },
	{ "MOVHPD load", 0x66, 0x16, -1, true, { 0x28292a2b2c2d2e2f, 0x18191a1b1c1d1e1f } },
	{ "UNPCKLPS", 0, 0x14, -1, false, { 0x28292a2b18191a1b, 0x2c2d2e2f1c1d1e1f } },
	{ "UNPCKHPS", 0, 0x15, -1, true, { 0x2021222310111213, 0x2425262714151617 } },
	{ "UNPCKLPD", 0x66, 0x14, -1, true, { 0x28292a2b2c2d2e2f, 0x18191a1b1c1d1e1f } },
	{ "UNPCKHPD", 0x66, 0x15, -1, false, { 0x2021222324252627, 0x1011121314151617 } },
	{ "SHUFPS 0, 1, 2, 3", 0, 0xc6, 0xe4, false, { 0x2021222324252627, 0x18191a1b1c1d1e1f } },
	{ "SHUFPS 3, 2, 1, 0", 0, 0xc6, 0x1b, true, { 0x2c2d2e2f28292a2b, 0x1415161710111213 } },
	{ "SHUFPD 1, 0", 0x66, 0xc6, 1, false, { 0x28292a2b2c2d2e2f, 0x1011121314151617 } },
	{ "SHUFPD 0, 1, the rest of the immediate ignored", 0x66, 0xc6, 0xfe, true, { 0x2021222324252627, 0x18191a1b1c1d1e1f } },
	{ "ANDPS", 0, 0x54, -1, false, { 0x0001020304050607, 0x08090a0b0c0d0e0f } },
	{ "ANDNPD", 0x66, 0x55, -1, true, { 0x2020202020202020, 0x2020202020202020 } },
	{ "ORPS", 0, 0x56, -1, true, { 0x3031323334353637, 0x38393a3b3c3d3e3f } },
	{ "XORPD", 0x66, 0x57, -1, false, { 0x3030303030303030, 0x3030303030303030 } },
};

START_TEST(moves_and_logic_go_where_they_should)
{
	run_binary(moves[_i].prefix, moves[_i].opcode, moves[_i].immediate, 0, (struct value) A, (struct value) B, moves[_i].memory);
	expect_no_fault();
	ck_assert_msg(xmm_is(1, moves[_i].result), "%s: %016lx %016lx", moves[_i].name, w.cpu.fpu.xmm[1].u64[1], w.cpu.fpu.xmm[1].u64[0]);
	ck_assert_uint_eq(w.cpu.fpu.mxcsr, 0);
}
END_TEST

/* Stores of XMM1 = A: so many bytes, and none beyond. */
static const struct { const char *name; uint8_t prefix, opcode, bytes; uint64_t first; } stores[] = {
	{ "MOVUPS", 0, 0x11, 16, 0x18191a1b1c1d1e1f }, { "MOVAPD", 0x66, 0x29, 16, 0x18191a1b1c1d1e1f }, { "MOVNTPS", 0, 0x2b, 16, 0x18191a1b1c1d1e1f },
	{ "MOVSS", 0xf3, 0x11, 4, 0x1c1d1e1f }, { "MOVSD", 0xf2, 0x11, 8, 0x18191a1b1c1d1e1f }, { "MOVLPS", 0, 0x13, 8, 0x18191a1b1c1d1e1f },
	{ "MOVHPS", 0, 0x17, 8, 0x1011121314151617 }, { "MOVHPD", 0x66, 0x17, 8, 0x1011121314151617 },
};

START_TEST(stores_store_their_bytes_only)
{
	uint64_t second = 0x1011121314151617;
	uint8_t expected[16];

	memset(expected, 0xff, sizeof(expected));
	memcpy(expected, &stores[_i].first, stores[_i].bytes < 8 ? stores[_i].bytes : 8);
	if (stores[_i].bytes == 16)
		memcpy(expected + 8, &second, 8);
	run_binary(stores[_i].prefix, stores[_i].opcode, -1, 0, (struct value) A, (struct value) { ~0ull, ~0ull }, true);
	expect_no_fault();
	ck_assert_msg(!memcmp(world_ram(&w, OPERAND_AT), expected, 16), "%s", stores[_i].name);
}
END_TEST

START_TEST(the_other_moves)
{
	start();
	set_xmm(2, (struct value) { 0x8000000000000000, 0x7fffffff80000000 });
	RUN(0x0f, 0x50, 0xca);                                 /* movmskps ecx, xmm2 */
	ck_assert_uint_eq(w.cpu.r[R_ECX], 9);
	start();
	set_xmm(2, (struct value) { 0x8000000000000000, 0x7fffffff80000000 });
	RUN(0x66, 0x0f, 0x50, 0xca);                           /* movmskpd ecx, xmm2 */
	ck_assert_uint_eq(w.cpu.r[R_ECX], 2);
	start();
	w.cpu.r[R_ECX] = 0x12345678;
	RUN(0x0f, 0xc3, 0x0d, ADDRESS(OPERAND_AT + 1));        /* movnti [operand + 1], ecx */
	expect_no_fault();
	ck_assert(!memcmp(world_ram(&w, OPERAND_AT + 1), "\x78\x56\x34\x12", 4));
}
END_TEST

/* [SDM2A] "LDMXCSR", [SDM1 10.2.3 "MXCSR Control and Status Register"]: bits 31 to 16 are reserved. */
START_TEST(MXCSR_is_loaded_and_stored)
{
	for (unsigned bit = 0; bit < 32; bit++) {
		uint32_t value = 1u << bit;

		start();
		world_put32(&w, OPERAND_AT, value);
		RUN(0x0f, 0xae, 0x15, ADDRESS(OPERAND_AT));    /* ldmxcsr [operand] */
		if (bit < 16) {
			expect_no_fault();
			ck_assert_uint_eq(w.cpu.fpu.mxcsr, value);
		} else {
			expect_fault(VEC_GP);
			ck_assert_uint_eq(w.cpu.fpu.mxcsr, MXCSR_DEFAULT);
		}
	}
	start();
	RUN(0x0f, 0xae, 0x1d, ADDRESS(OPERAND_AT));            /* stmxcsr [operand] */
	ck_assert(!memcmp(world_ram(&w, OPERAND_AT), "\x80\x1f\0\0", 4));
}
END_TEST

/* Flags that are loaded raise nothing, not even unmasked [SDM1 11.5.3 "Generating SIMD Floating-Point Exceptions"]. */
START_TEST(an_old_flag_raises_nothing)
{
	run_binary(0xf3, 0x58, -1, SSE_FLAGS, (struct value) { 0, 0x3f800000 }, (struct value) { 0, 0x3f800000 }, false);
	expect_no_fault();
	ck_assert_uint_eq(w.cpu.fpu.mxcsr, SSE_FLAGS);
}
END_TEST

/* --- classes of rows ---------------------------------------------------------------------------------------------------------------------- */

/* Calls fn for each form of each row of sse.def and its neighbours that uses XMM registers or MXCSR. */
static void each_sse_form(void (*fn)(void *ctx, const struct form *f), void *ctx)
{
	static const struct form_values v = { .address = OPERAND_AT };

	forms_each(true, &v, fn, ctx);
}

static void run_form(const struct form *f, uint32_t displacement)
{
	struct form moved = *f;
	struct form_values v = { .address = OPERAND_AT + displacement };

	form_encode(&moved, &v);
	run(moved.bytes, moved.len);
}

/* [SDM3A 13.1 "Providing Operating System Support for SSE Extensions"]: EM before TS; an operating system that does not save XMM registers has no SSE. */
static void needs_support(void *ctx, const struct form *f)
{
	/* FXSAVE and FXRSTOR are of the x87 too, and have rules of their own. */
	if (!(f->row->props & IP_SSE) || row_has_operand(f->row, OPD_Mfx) || f->operand == FORM_INDEXED || f->addrsize == 2)
		return;
	++*(unsigned *)ctx;
	start();
	cpu_set_cr0(&w.cpu, w.cpu.cr0 | CR0_EM | CR0_TS);
	run_form(f, 0);
	expect_fault(VEC_UD);
	start();
	cpu_set_cr4(&w.cpu, w.cpu.cr4 & ~CR4_OSFXSR);
	run_form(f, 0);
	expect_fault(VEC_UD);
	start();
	cpu_set_cr0(&w.cpu, w.cpu.cr0 | CR0_TS);
	world_map(&w, OPERAND_AT >> 12, 0);
	run_form(f, 1);
	expect_fault(VEC_NM);
}

START_TEST(SSE_needs_EM_and_TS_clear_and_OSFXSR_set)
{
	unsigned forms = 0;

	each_sse_form(needs_support, &forms);
	ck_assert_uint_gt(forms, 250);
}
END_TEST

START_TEST(fences_CLFLUSH_and_MOVNTI_need_nothing)
{
	static const uint8_t free_of_state[][7] = {
		{ 0x0f, 0xae, 0xe8 }, { 0x0f, 0xae, 0xf0 }, { 0x0f, 0xae, 0xf8 }, { 0x0f, 0xae, 0x3d, ADDRESS(OPERAND_AT) },
		{ 0x0f, 0xc3, 0x0d, ADDRESS(OPERAND_AT) },
	};

	for (unsigned i = 0; i < COUNT(free_of_state); i++) {
		start();
		cpu_set_cr0(&w.cpu, w.cpu.cr0 | CR0_EM | CR0_TS);
		cpu_set_cr4(&w.cpu, w.cpu.cr4 & ~CR4_OSFXSR);
		run(free_of_state[i], 7);
		expect_no_fault();
	}
	start();
	world_map(&w, OPERAND_AT >> 12, 0);
	run(free_of_state[3], 7);                              /* CLFLUSH loads its byte [SDM2A] "CLFLUSH" */
	expect_fault(VEC_PF);
	ck_assert_uint_eq(fault.error & PF_W, 0);
}
END_TEST

static bool moves_unaligned(const struct insn_row *row)
{
	return !strcmp(row->name, "movups") || !strcmp(row->name, "movupd") || !strcmp(row->name, "movdqu");
}

/* [SDM1 10.4.1.1 "SSE Data Movement Instructions"], [SDM3A 6.15 "Exception and Interrupt Reference"] interrupt 13: before the page is looked at. */
static void wants_alignment(void *ctx, const struct form *f)
{
	bool whole = row_has_operand(f->row, OPD_Wx) || row_has_operand(f->row, OPD_Mx);
	bool part = row_has_operand(f->row, OPD_Wq) || row_has_operand(f->row, OPD_Wd);

	if (!(f->row->props & IP_SSE) || f->operand != FORM_ABSOLUTE || f->addrsize == 2 || !(whole || part))
		return;
	++*(unsigned *)ctx;
	start();
	world_map(&w, OPERAND_AT >> 12, 0);
	run_form(f, 8);
	expect_fault(whole && !moves_unaligned(f->row) ? VEC_GP : VEC_PF);
	if (fault.vector == VEC_GP)
		ck_assert_uint_eq(fault.error, 0);
}

START_TEST(sixteen_bytes_are_aligned_or_else)
{
	unsigned forms = 0;

	each_sse_form(wants_alignment, &forms);
	ck_assert_uint_gt(forms, 100);
}
END_TEST

/* [SDM3A 6.15 "Interrupt 17--Alignment Check Exception (#AC)"] table 6-7: what may lie anywhere is still checked when asked for. */
START_TEST(alignment_checks_apply_to_what_need_not_be_aligned)
{
	static const struct { uint8_t bytes[4]; unsigned size; } loads[] = {
		{ { 0x0f, 0x10, 0x0d }, 16 }, { { 0xf3, 0x0f, 0x58, 0x0d }, 4 }, { { 0xf2, 0x0f, 0x58, 0x0d }, 8 }, { { 0x0f, 0x12, 0x0d }, 8 },
	};

	for (unsigned i = 0; i < 2 * COUNT(loads); i++) {
		bool aligned = i & 1;
		uint8_t bytes[8];
		unsigned n = loads[i / 2].bytes[3] ? 4 : 3;

		start();
		cpu_set_cr0(&w.cpu, w.cpu.cr0 | CR0_AM);
		cpu_set_eflags(&w.cpu, F_ONE | F_AC);
		memcpy(bytes, loads[i / 2].bytes, n);
		memcpy(bytes + n, (const uint8_t[]) { ADDRESS(OPERAND_AT + (aligned ? loads[i / 2].size : loads[i / 2].size / 2)) }, 4);
		run(bytes, n + 4);
		if (aligned)
			expect_no_fault();
		else
			expect_fault(VEC_AC);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sse");
	TCase *t = tcase_create("sse");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, open_world, close_world);
	tcase_set_timeout(t, 100);
	tcase_add_loop_test(t, results_and_flags_are_those_of_the_manual, 0, COUNT(results));
	tcase_add_test(t, flags_are_sticky);
	tcase_add_test(t, the_host_rounds_as_before);
	tcase_add_loop_test(t, an_unmasked_exception_leaves_its_flags_and_the_old_destination, 0, COUNT(raises));
	tcase_add_test(t, without_support_it_is_an_undefined_opcode);
	tcase_add_test(t, a_page_fault_comes_before_a_numeric_exception);
	tcase_add_test(t, comparisons_set_ZF_PF_CF_and_clear_the_others);
	tcase_add_test(t, a_comparison_that_raises_keeps_the_flags);
	tcase_add_test(t, general_registers_are_converted);
	tcase_add_test(t, MMX_registers_are_converted_and_entered);
	tcase_add_test(t, conversions_of_MMX_registers_wait_for_the_x87);
	tcase_add_test(t, RCP_and_RSQRT_are_close_enough);
	tcase_add_test(t, RCP_and_RSQRT_of_special_values);
	tcase_add_loop_test(t, moves_and_logic_go_where_they_should, 0, COUNT(moves));
	tcase_add_loop_test(t, stores_store_their_bytes_only, 0, COUNT(stores));
	tcase_add_test(t, the_other_moves);
	tcase_add_test(t, MXCSR_is_loaded_and_stored);
	tcase_add_test(t, an_old_flag_raises_nothing);
	tcase_add_test(t, SSE_needs_EM_and_TS_clear_and_OSFXSR_set);
	tcase_add_test(t, fences_CLFLUSH_and_MOVNTI_need_nothing);
	tcase_add_test(t, sixteen_bytes_are_aligned_or_else);
	tcase_add_test(t, alignment_checks_apply_to_what_need_not_be_aligned);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
