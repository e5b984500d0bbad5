/* tests/cpu/mmx_test.c: packed integers: results worked out by hand, and what the instructions do to the rest of the machine.
 *
 * Each case of the table runs with the source in a register and in memory; where both halves of an XMM register are treated
 * alike, the low half runs on MMX registers too. The rules about state and exceptions hold for whole classes of rows of
 * insn_table[], so those tests take every row of the class.
 */
#include "one_insn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/fpu.h"

static void start(void) { start_in(RING3_32); }

static void set_mm(unsigned n, uint64_t v) { w.cpu.fpu.r[n] = (struct x87_reg) { v, 0x1234 }; }
static uint64_t mm(unsigned n) { return w.cpu.fpu.r[n].mantissa; }
static void set_xmm(unsigned n, uint64_t high, uint64_t low) { w.cpu.fpu.xmm[n] = (union xmm) { .u64 = { low, high } }; }

static void assert_xmm(unsigned n, uint64_t high, uint64_t low)
{
	ck_assert_uint_eq(w.cpu.fpu.xmm[n].u64[1], high);
	ck_assert_uint_eq(w.cpu.fpu.xmm[n].u64[0], low);
}

/* --- results ---------------------------------------------------------------------------------------------------------------- */

/* MM, XM: on these registers only. BOTH: on XMM registers, and the low halves on MMX registers. */
enum files { BOTH, XM, MM };
struct value { uint64_t high, low; };
static const struct result_case {
	const char *name;
	uint8_t opcode;
	enum files files;
	struct value destination, source, result;
} results[] = {
	{ "PADDB wraps", 0xfc, BOTH, { 0xff00010203040506, 0x807fff0010203040 }, { 0x01ff010101010101, 0x8001018010203040 }, { 0x00ff020304050607, 0x0080008020406080 } },
	{ "PADDW wraps", 0xfd, BOTH, { 0xffff000100020003, 0x7fff80000000ffff }, { 0x0001000100010001, 0x0001800000000001 }, { 0x0000000200030004, 0x8000000000000000 } },
	{ "PADDD wraps", 0xfe, BOTH, { 0xffffffff00000001, 0x7fffffff80000000 }, { 0x0000000100000001, 0x0000000180000000 }, { 0x0000000000000002, 0x8000000000000000 } },
	{ "PADDQ carries across the dwords", 0xd4, BOTH, { 0xffffffffffffffff, 0x00000000ffffffff }, { 1, 1 }, { 0, 0x0000000100000000 } },
	{ "PSUBB wraps", 0xf8, BOTH, { 0x0001020304050607, 0x8000000000000000 }, { 0x0101010101010101, 0x0100000000000001 }, { 0xff00010203040506, 0x7f000000000000ff } },
	{ "PSUBW wraps", 0xf9, BOTH, { 0x0000000100020003, 0x8000000000000000 }, { 0x0001000100010001, 0x0001000000000001 }, { 0xffff000000010002, 0x7fff00000000ffff } },
	{ "PSUBD wraps", 0xfa, BOTH, { 0x0000000000000001, 0x8000000000000000 }, { 0x0000000100000001, 0x0000000100000001 }, { 0xffffffff00000000, 0x7fffffffffffffff } },
	{ "PSUBQ borrows across the dwords", 0xfb, BOTH, { 0, 0x0000000100000000 }, { 1, 1 }, { 0xffffffffffffffff, 0x00000000ffffffff } },
	{ "PADDSB stops at 7F and 80", 0xec, BOTH, { 0x7f80017f80000000, 0x7f807f8010203040 }, { 0x01ff0180ff000000, 0x7f80ff0110203040 }, { 0x7f8002ff80000000, 0x7f807e812040607f } },
	{ "PADDSW stops at 7FFF and 8000", 0xed, BOTH, { 0x7fff800000010000, 0x7fff80007fff8000 }, { 0x0001ffff00010000, 0x7fff8000ffff0001 }, { 0x7fff800000020000, 0x7fff80007ffe8001 } },
	{ "PADDUSB stops at FF", 0xdc, BOTH, { 0xff80017f80000000, 0xfe01000000000000 }, { 0x018001800f000000, 0x01ff000000000000 }, { 0xffff02ff8f000000, 0xffff000000000000 } },
	{ "PADDUSW stops at FFFF", 0xdd, BOTH, { 0xffff800000010000, 0xfffe000100000000 }, { 0x0001800000010000, 0x0001ffff00000000 }, { 0xffffffff00020000, 0xffffffff00000000 } },
	{ "PSUBSB stops at 7F and 80", 0xe8, BOTH, { 0x7f80000100000000, 0x8000000000000000 }, { 0xff01800200000000, 0x7f00000000000001 }, { 0x7f807fff00000000, 0x80000000000000ff } },
	{ "PSUBSW stops at 7FFF and 8000", 0xe9, BOTH, { 0x7fff800000000001, 0x8000000000000000 }, { 0xffff000180000002, 0x7fff000000000001 }, { 0x7fff80007fffffff, 0x800000000000ffff } },
	{ "PSUBUSB stops at 0", 0xd8, BOTH, { 0x0001ff8000000000, 0x8000000000000000 }, { 0x0102017f00000000, 0x8100000000000001 }, { 0x0000fe0100000000, 0 } },
	{ "PSUBUSW stops at 0", 0xd9, BOTH, { 0x0000ffff80000001, 0x8000000000000000 }, { 0x000100017fff0002, 0x8001000000000001 }, { 0x0000fffe00010000, 0 } },
	{ "PCMPEQB", 0x74, BOTH, { 0x0102030405060708, 0xff00ff00ff00ff00 }, { 0x0100030005000700, 0xffffff00ff000000 }, { 0xff00ff00ff00ff00, 0xff00ffffffff00ff } },
	{ "PCMPEQW", 0x75, BOTH, { 0x0102030405060708, 0xff00ff0000000000 }, { 0x0102030005060008, 0xff00ffff00000001 }, { 0xffff0000ffff0000, 0xffff0000ffff0000 } },
	{ "PCMPEQD", 0x76, BOTH, { 0x0102030405060708, 0xffffffff00000000 }, { 0x0102030405060709, 0xfffffffe00000000 }, { 0xffffffff00000000, 0x00000000ffffffff } },
	{ "PCMPGTB is signed", 0x64, BOTH, { 0x0102807fff000000, 0x7f80000000000000 }, { 0x00027f8000000000, 0x807f000000000001 }, { 0xff0000ff00000000, 0xff00000000000000 } },
	{ "PCMPGTW is signed", 0x65, BOTH, { 0x000180007fff0000, 0x0000ffff00000001 }, { 0x00007fff80000000, 0xffff000000000000 }, { 0xffff0000ffff0000, 0xffff00000000ffff } },
	{ "PCMPGTD is signed", 0x66, BOTH, { 0x8000000000000001, 0x0000000100000000 }, { 0x7fffffff00000000, 0x00000001ffffffff }, { 0x00000000ffffffff, 0x00000000ffffffff } },
	{ "PAND", 0xdb, BOTH, { 0xff00ff00ff00ff00, 0x0123456789abcdef }, { 0xf0f0f0f0f0f0f0f0, 0xffff0000ffff0000 }, { 0xf000f000f000f000, 0x0123000089ab0000 } },
	{ "PANDN inverts the destination", 0xdf, BOTH, { 0xff00ff00ff00ff00, 0x0123456789abcdef }, { 0xf0f0f0f0f0f0f0f0, 0xffff0000ffff0000 }, { 0x00f000f000f000f0, 0xfedc000076540000 } },
	{ "POR", 0xeb, BOTH, { 0xff00ff00ff00ff00, 0x0123456789abcdef }, { 0xf0f0f0f0f0f0f0f0, 0xffff0000ffff0000 }, { 0xfff0fff0fff0fff0, 0xffff4567ffffcdef } },
	{ "PXOR", 0xef, BOTH, { 0xff00ff00ff00ff00, 0x0123456789abcdef }, { 0xf0f0f0f0f0f0f0f0, 0xffff0000ffff0000 }, { 0x0ff00ff00ff00ff0, 0xfedc45677654cdef } },
	{ "PMINUB", 0xda, BOTH, { 0x00ff807f01020304, 0 }, { 0xff007f8002010403, 0 }, { 0x00007f7f01010303, 0 } },
	{ "PMAXUB", 0xde, BOTH, { 0x00ff807f01020304, 0 }, { 0xff007f8002010403, 1 }, { 0xffff808002020404, 1 } },
	{ "PMINSW", 0xea, BOTH, { 0x80007fff00000001, 0xffff000000000000 }, { 0x7fff8000ffff0000, 0x0000ffff00000000 }, { 0x80008000ffff0000, 0xffffffff00000000 } },
	{ "PMAXSW", 0xee, BOTH, { 0x80007fff00000001, 0xffff000000000000 }, { 0x7fff8000ffff0000, 0x0000ffff00000000 }, { 0x7fff7fff00000001, 0 } },
	{ "PAVGB rounds up, with nine bits", 0xe0, BOTH, { 0xff00010203040506, 0xff80000000000000 }, { 0xff01010101010101, 0xfe80000000000000 }, { 0xff01010202030304, 0xff80000000000000 } },
	{ "PAVGW rounds up, with 17 bits", 0xe3, BOTH, { 0xffff000000010002, 0xfffe000000000000 }, { 0xffff000100010001, 0xffff000000000001 }, { 0xffff000100010002, 0xffff000000000001 } },
	{ "PMULLW", 0xd5, BOTH, { 0xffff800000020003, 0x1234000000000000 }, { 0xffff800000030004, 0x0010000000000000 }, { 0x000100000006000c, 0x2340000000000000 } },
	{ "PMULHW is signed", 0xe5, BOTH, { 0xffff8000ffff7fff, 0x1234000000000000 }, { 0xffff800000017fff, 0x0010000000000000 }, { 0x00004000ffff3fff, 0x0001000000000000 } },
	{ "PMULHUW is not", 0xe4, BOTH, { 0xffff8000ffff7fff, 0x1234000000000000 }, { 0xffff800000017fff, 0x0010000000000000 }, { 0xfffe400000003fff, 0x0001000000000000 } },
	{ "PMULUDQ takes the low dwords", 0xf4, BOTH, { 0x12345678ffffffff, 0xffffffff00000002 }, { 0x9abcdef0ffffffff, 0xffffffff80000000 }, { 0xfffffffe00000001, 0x0000000100000000 } },
	{ "PMADDWD: four words 8000 make 80000000", 0xf5, BOTH, { 0x8000800000020003, 0xffff000100000000 }, { 0x8000800000040005, 0x0001ffff00000000 }, { 0x8000000000000017, 0xfffffffe00000000 } },
	{ "PSADBW", 0xf6, BOTH, { 0xff00ff00ff00ff00, 0x0102030405060708 }, { 0x00ff00ff00ff00ff, 0x0807060504030201 }, { 0x7f8, 0x20 } },

	{ "PACKSSWB", 0x63, XM, { 0x7fff8000007fff80, 0x0001ffff0080ff7f }, { 0x0010002000300040, 0x0001000200030004 }, { 0x1020304001020304, 0x7f807f8001ff7f80 } },
	{ "PACKSSWB", 0x63, MM, { 0, 0x7fff8000007fff80 }, { 0, 0x0001ffff0080ff7f }, { 0, 0x01ff7f807f807f80 } },
	{ "PACKUSWB: negative words become 0", 0x67, XM, { 0x7fff8000007fff80, 0x0001ffff00ff0100 }, { 0x0010002000300040, 0x0001000200030004 }, { 0x1020304001020304, 0xff007f000100ffff } },
	{ "PACKUSWB", 0x67, MM, { 0, 0x7fff8000007fff80 }, { 0, 0x0001ffff00ff0100 }, { 0, 0x0100ffffff007f00 } },
	{ "PACKSSDW", 0x6b, XM, { 0x7fffffff80000000, 0x00007fffffff8000 }, { 0x00008000ffff7fff, 0x0000000100000002 }, { 0x7fff800000010002, 0x7fff80007fff8000 } },
	{ "PACKSSDW", 0x6b, MM, { 0, 0x7fffffff80000000 }, { 0, 0x00008000ffff7fff }, { 0, 0x7fff80007fff8000 } },
	{ "PUNPCKLBW", 0x60, XM, { ~0ull, 0x0706050403020100 }, { ~0ull, 0x1716151413121110 }, { 0x1707160615051404, 0x1303120211011000 } },
	{ "PUNPCKLBW", 0x60, MM, { 0, 0xffffffff03020100 }, { 0, 0xffffffff13121110 }, { 0, 0x1303120211011000 } },
	{ "PUNPCKLWD", 0x61, XM, { ~0ull, 0x0003000200010000 }, { ~0ull, 0x0013001200110010 }, { 0x0013000300120002, 0x0011000100100000 } },
	{ "PUNPCKLWD", 0x61, MM, { 0, 0xffffffff00010000 }, { 0, 0xffffffff00110010 }, { 0, 0x0011000100100000 } },
	{ "PUNPCKLDQ", 0x62, XM, { ~0ull, 0x0000000100000000 }, { ~0ull, 0x0000001100000010 }, { 0x0000001100000001, 0x0000001000000000 } },
	{ "PUNPCKLDQ", 0x62, MM, { 0, 0xffffffff00000001 }, { 0, 0xffffffff00000002 }, { 0, 0x0000000200000001 } },
	{ "PUNPCKLQDQ", 0x6c, XM, { ~0ull, 1 }, { ~0ull, 2 }, { 2, 1 } },
	{ "PUNPCKHBW", 0x68, XM, { 0x0706050403020100, ~0ull }, { 0x1716151413121110, ~0ull }, { 0x1707160615051404, 0x1303120211011000 } },
	{ "PUNPCKHBW", 0x68, MM, { 0, 0x03020100ffffffff }, { 0, 0x13121110ffffffff }, { 0, 0x1303120211011000 } },
	{ "PUNPCKHWD", 0x69, XM, { 0x0003000200010000, ~0ull }, { 0x0013001200110010, ~0ull }, { 0x0013000300120002, 0x0011000100100000 } },
	{ "PUNPCKHWD", 0x69, MM, { 0, 0x00010000ffffffff }, { 0, 0x00110010ffffffff }, { 0, 0x0011000100100000 } },
	{ "PUNPCKHDQ", 0x6a, XM, { 0x0000000100000000, ~0ull }, { 0x0000001100000010, ~0ull }, { 0x0000001100000001, 0x0000001000000000 } },
	{ "PUNPCKHDQ", 0x6a, MM, { 0, 0x00000001ffffffff }, { 0, 0x00000002ffffffff }, { 0, 0x0000000200000001 } },
	{ "PUNPCKHQDQ", 0x6d, XM, { 1, ~0ull }, { 2, ~0ull }, { 2, 1 } },

	{ "PSLLW by 4", 0xf1, XM, { 0x0001000200030004, 0xffff800012340001 }, { ~0ull, 4 }, { 0x0010002000300040, 0xfff0000023400010 } },
	{ "PSLLW by 15", 0xf1, MM, { 0, 0xffff800012340001 }, { 0, 15 }, { 0, 0x8000000000008000 } },
	{ "PSLLW by 16", 0xf1, XM, { ~0ull, ~0ull }, { 0, 16 }, { 0, 0 } },
	{ "the count has 64 bits", 0xf1, MM, { 0, ~0ull }, { 0, 0x0000000100000000 }, { 0, 0 } },
	{ "PSLLD by 31", 0xf2, XM, { 0x0000000100000002, 0xffffffff80000000 }, { 0, 31 }, { 0x8000000000000000, 0x8000000000000000 } },
	{ "PSLLD by 32", 0xf2, MM, { 0, ~0ull }, { 0, 32 }, { 0, 0 } },
	{ "PSLLQ by 63", 0xf3, XM, { 1, 3 }, { 5, 63 }, { 0x8000000000000000, 0x8000000000000000 } },
	{ "PSLLQ by 64", 0xf3, MM, { 0, ~0ull }, { 0, 64 }, { 0, 0 } },
	{ "PSRLW by 4", 0xd1, XM, { 0x0010002000300040, 0xffff800012340001 }, { ~0ull, 4 }, { 0x0001000200030004, 0x0fff080001230000 } },
	{ "PSRLW by 16", 0xd1, MM, { 0, ~0ull }, { 0, 16 }, { 0, 0 } },
	{ "PSRLD by 31", 0xd2, XM, { 0x8000000040000000, 0xffffffff7fffffff }, { 0, 31 }, { 0x0000000100000000, 0x0000000100000000 } },
	{ "PSRLD by 32", 0xd2, MM, { 0, ~0ull }, { 0, 32 }, { 0, 0 } },
	{ "PSRLQ by 63", 0xd3, XM, { 0x8000000000000000, 0x7fffffffffffffff }, { 0, 63 }, { 1, 0 } },
	{ "PSRLQ by 64", 0xd3, MM, { 0, ~0ull }, { 0, 64 }, { 0, 0 } },
	{ "PSRAW by 4", 0xe1, XM, { 0x8000002000300040, 0xffff7fff12340001 }, { 0, 4 }, { 0xf800000200030004, 0xffff07ff01230000 } },
	{ "PSRAW by more than 15 leaves the signs", 0xe1, MM, { 0, 0x80007fffffff0001 }, { 0, ~0ull }, { 0, 0xffff0000ffff0000 } },
	{ "PSRAD by 31", 0xe2, XM, { 0x8000000040000000, 0xffffffff7fffffff }, { 0, 31 }, { 0xffffffff00000000, 0xffffffff00000000 } },
	{ "PSRAD by more than 31 leaves the signs", 0xe2, MM, { 0, 0x800000007fffffff }, { 0, 32 }, { 0, 0xffffffff00000000 } },
};

/* Register 3 and register 5, or memory. */
static void check_xmm(const struct result_case *c, bool memory)
{
	start();
	set_xmm(3, c->destination.high, c->destination.low);
	set_xmm(5, c->source.high, c->source.low);
	if (memory) {
		world_put(&w, OPERAND_AT, &c->source.low, 8);
		world_put(&w, OPERAND_AT + 8, &c->source.high, 8);
		RUN(0x66, 0x0f, c->opcode, 0x1d, OPERAND_AT & 0xff, OPERAND_AT >> 8, 0, 0);
	} else {
		RUN(0x66, 0x0f, c->opcode, 0xdd);
	}
	expect_no_fault();
	ck_assert_msg(w.cpu.fpu.xmm[3].u64[0] == c->result.low && w.cpu.fpu.xmm[3].u64[1] == c->result.high, "%s: %016llx %016llx", c->name,
	              (unsigned long long)w.cpu.fpu.xmm[3].u64[1], (unsigned long long)w.cpu.fpu.xmm[3].u64[0]);
	assert_xmm(5, c->source.high, c->source.low);
}

static void check_mmx(const struct result_case *c, bool memory)
{
	start();
	set_mm(3, c->destination.low);
	set_mm(5, c->source.low);
	if (memory) {
		world_put(&w, OPERAND_AT, &c->source.low, 8);
		RUN(0x0f, c->opcode, 0x1d, OPERAND_AT & 0xff, OPERAND_AT >> 8, 0, 0);
	} else {
		RUN(0x0f, c->opcode, 0xdd);
	}
	expect_no_fault();
	ck_assert_msg(mm(3) == c->result.low, "%s: %016llx", c->name, (unsigned long long)mm(3));
	ck_assert_uint_eq(w.cpu.fpu.r[3].exponent, 0xffff);
	ck_assert_uint_eq(mm(5), c->source.low);
	ck_assert_uint_eq(w.cpu.fpu.r[5].exponent, 0x1234);
}

START_TEST(results_are_those_worked_out_by_hand)
{
	const struct result_case *c = &results[_i];

	for (unsigned memory = 0; memory < 2; memory++) {
		if (c->files != MM)
			check_xmm(c, memory);
		if (c->files != XM)
			check_mmx(c, memory);
	}
}
END_TEST

/* Source and destination the same register. */
START_TEST(a_register_may_be_both_operands)
{
	start();
	set_xmm(2, 0x0123456789abcdef, 0xfedcba9876543210);
	RUN(0x66, 0x0f, 0x60, 0xd2);                   /* punpcklbw xmm2, xmm2 */
	assert_xmm(2, 0xfefedcdcbaba9898, 0x7676545432321010);
	start();
	set_mm(2, 0x0123456789abcdef);
	RUN(0x0f, 0x63, 0xd2);                         /* packsswb mm2, mm2 */
	ck_assert_uint_eq(mm(2), 0x7f7f80807f7f8080);
	start();
	set_xmm(2, 1, 0xffffffffffffffff);
	RUN(0x66, 0x0f, 0x6f, 0xd2);                   /* movdqa xmm2, xmm2 */
	assert_xmm(2, 1, 0xffffffffffffffff);
}
END_TEST

START_TEST(shifts_by_an_immediate)
{
	static const struct { uint8_t opcode, modrm, count; struct value from, to; } cases[] = {
		{ 0x71, 0xd1, 4,    { 0x8000, 0x0123456789abcdef }, { 0x0800, 0x00120456089a0cde } },
		{ 0x71, 0xe1, 4,    { 0x8000, 0x0123456789abcdef }, { 0xf800, 0x00120456f89afcde } },
		{ 0x71, 0xf1, 4,    { 0x8000, 0x0123456789abcdef }, { 0x0000, 0x123056709ab0def0 } },
		{ 0x71, 0xf1, 16,   { ~0ull, ~0ull }, { 0, 0 } },
		{ 0x71, 0xe1, 0xff, { 0x8000, 0x7fff8000ffff0001 }, { 0xffff, 0x0000ffffffff0000 } },
		{ 0x72, 0xd1, 8,    { 0x80000000, 0x0123456789abcdef }, { 0x00800000, 0x000123450089abcd } },
		{ 0x72, 0xe1, 8,    { 0x80000000, 0x0123456789abcdef }, { 0xff800000, 0x00012345ff89abcd } },
		{ 0x72, 0xf1, 8,    { 0x80000000, 0x0123456789abcdef }, { 0, 0x23456700abcdef00 } },
		{ 0x73, 0xd1, 8,    { 0x8000000000000000, 0x0123456789abcdef }, { 0x0080000000000000, 0x000123456789abcd } },
		{ 0x73, 0xf1, 8,    { 0x8000000000000000, 0x0123456789abcdef }, { 0, 0x23456789abcdef00 } },
		{ 0x73, 0xf1, 64,   { ~0ull, ~0ull }, { 0, 0 } },
	};

	for (unsigned i = 0; i < COUNT(cases); i++) {
		start();
		set_xmm(1, cases[i].from.high, cases[i].from.low);
		RUN(0x66, 0x0f, cases[i].opcode, cases[i].modrm, cases[i].count);
		assert_xmm(1, cases[i].to.high, cases[i].to.low);
		start();
		set_mm(1, cases[i].from.low);
		RUN(0x0f, cases[i].opcode, cases[i].modrm, cases[i].count);
		ck_assert_uint_eq(mm(1), cases[i].to.low);
	}
}
END_TEST

START_TEST(PSLLDQ_and_PSRLDQ_shift_by_bytes)
{
	static const struct { uint8_t modrm, count; struct value to; } cases[] = {
		{ 0xd9, 3,  { 0x0000000123456789, 0xabcdeffedcba9876 } }, { 0xd9, 8, { 0, 0x0123456789abcdef } }, { 0xd9, 16, { 0, 0 } },
		{ 0xd9, 15, { 0, 0x01 } }, { 0xf9, 3, { 0x6789abcdeffedcba, 0x9876543210000000 } }, { 0xf9, 8, { 0xfedcba9876543210, 0 } },
		{ 0xf9, 0,  { 0x0123456789abcdef, 0xfedcba9876543210 } }, { 0xf9, 0xff, { 0, 0 } },
	};

	for (unsigned i = 0; i < COUNT(cases); i++) {
		start();
		set_xmm(1, 0x0123456789abcdef, 0xfedcba9876543210);
		RUN(0x66, 0x0f, 0x73, cases[i].modrm, cases[i].count);
		assert_xmm(1, cases[i].to.high, cases[i].to.low);
	}
}
END_TEST

START_TEST(shuffles_take_two_bits_for_each_lane)
{
	start();
	set_mm(1, 0x0003000200010000);
	RUN(0x0f, 0x70, 0xc1, 0x1e);                   /* pshufw mm0, mm1, 00 01 11 10b */
	ck_assert_uint_eq(mm(0), 0x0000000100030002);
	start();
	set_xmm(1, 0x0000000300000002, 0x0000000100000000);
	RUN(0x66, 0x0f, 0x70, 0xc1, 0x1e);
	assert_xmm(0, 0x0000000000000001, 0x0000000300000002);
	start();
	set_xmm(1, 0x0007000600050004, 0x0003000200010000);
	RUN(0xf2, 0x0f, 0x70, 0xc1, 0x1e);             /* pshuflw */
	assert_xmm(0, 0x0007000600050004, 0x0000000100030002);
	start();
	set_xmm(1, 0x0007000600050004, 0x0003000200010000);
	RUN(0xf3, 0x0f, 0x70, 0xc1, 0x1e);             /* pshufhw */
	assert_xmm(0, 0x0004000500070006, 0x0003000200010000);
}
END_TEST

START_TEST(words_and_sign_bits)
{
	start();
	set_mm(2, 0x0123456789abcdef);
	w.cpu.r[R_EAX] = 0xffff5a5a;
	RUN(0x0f, 0xc4, 0xd0, 0xfe);                   /* pinsrw mm2, eax, 2: two bits of the immediate count */
	ck_assert_uint_eq(mm(2), 0x01235a5a89abcdef);
	start();
	set_xmm(2, 0x0123456789abcdef, 0);
	w.cpu.r[R_EAX] = 0xffff5a5a;
	RUN(0x66, 0x0f, 0xc4, 0xd0, 0xfe);             /* three here */
	assert_xmm(2, 0x01235a5a89abcdef, 0);
	start();
	set_mm(2, 0x0123456789abcdef);
	RUN(0x0f, 0xc5, 0xc2, 0x03);                   /* pextrw eax, mm2, 3 */
	ck_assert_uint_eq(w.cpu.r[R_EAX], 0x0123);
	start();
	set_xmm(2, 0x8123456789abcdef, 0);
	RUN(0x66, 0x0f, 0xc5, 0xc2, 0x07);
	ck_assert_uint_eq(w.cpu.r[R_EAX], 0x8123);
	start();
	set_mm(2, 0x80007f00ff0000c0);
	RUN(0x0f, 0xd7, 0xc2);                         /* pmovmskb eax, mm2 */
	ck_assert_uint_eq(w.cpu.r[R_EAX], 0x89);
	start();
	set_xmm(2, 0x80007f00ff0000c0, 0xff00000000000080);
	RUN(0x66, 0x0f, 0xd7, 0xc2);
	ck_assert_uint_eq(w.cpu.r[R_EAX], 0x8981);
}
END_TEST

START_TEST(moves_clear_what_they_do_not_fill)
{
	start();
	set_mm(1, ~0ull);
	w.cpu.r[R_ECX] = 0x89abcdef;
	RUN(0x0f, 0x6e, 0xc9);                         /* movd mm1, ecx */
	ck_assert_uint_eq(mm(1), 0x89abcdef);
	start();
	set_xmm(1, ~0ull, ~0ull);
	w.cpu.r[R_ECX] = 0x89abcdef;
	RUN(0x66, 0x0f, 0x6e, 0xc9);
	assert_xmm(1, 0, 0x89abcdef);
	start();
	set_mm(1, 0x0123456789abcdef);
	RUN(0x0f, 0x7e, 0xc9);                         /* movd ecx, mm1 */
	ck_assert_uint_eq(w.cpu.r[R_ECX], 0x89abcdef);
	start();
	set_xmm(1, 0, 0x0123456789abcdef);
	RUN(0x66, 0x0f, 0x7e, 0xc9);
	ck_assert_uint_eq(w.cpu.r[R_ECX], 0x89abcdef);
	start();
	set_xmm(1, ~0ull, ~0ull);
	set_xmm(2, ~0ull, 5);
	RUN(0xf3, 0x0f, 0x7e, 0xca);                   /* movq xmm1, xmm2 */
	assert_xmm(1, 0, 5);
	start();
	set_xmm(1, ~0ull, 7);
	RUN(0x66, 0x0f, 0xd6, 0xc9);                   /* movq xmm1, xmm1, as a store */
	assert_xmm(1, 0, 7);
	start();
	set_xmm(1, ~0ull, ~0ull);
	set_mm(2, 9);
	RUN(0xf3, 0x0f, 0xd6, 0xca);                   /* movq2dq xmm1, mm2 */
	assert_xmm(1, 0, 9);
	start();
	set_xmm(2, ~0ull, 11);
	RUN(0xf2, 0x0f, 0xd6, 0xca);                   /* movdq2q mm1, xmm2 */
	ck_assert_uint_eq(mm(1), 11);
	ck_assert_uint_eq(w.cpu.fpu.r[1].exponent, 0xffff);
}
END_TEST

/* A move in either direction, by register and by memory that need not be aligned. */
START_TEST(loads_and_stores_move_what_their_names_say)
{
	static const struct { uint8_t prefix, opcode; unsigned bytes; } stores[] = {
		{ 0, 0x7f, 8 }, { 0, 0xe7, 8 }, { 0, 0x7e, 4 }, { 0x66, 0x7e, 4 }, { 0x66, 0xd6, 8 }, { 0xf3, 0x7f, 16 }, { 0x66, 0x7f, 16 }, { 0x66, 0xe7, 16 },
	};

	for (unsigned i = 0; i < COUNT(stores); i++) {
		uint32_t at = OPERAND_AT + (stores[i].bytes == 16 && stores[i].prefix == 0x66 ? 0 : 3);
		uint8_t want[20];

		start();
		set_mm(1, 0x1122334455667788);
		set_xmm(1, 0x99aabbccddeeff00, 0x1122334455667788);
		memset(want, 0xee, sizeof(want));
		world_put(&w, at, want, sizeof(want));
		memcpy(want, &w.cpu.fpu.xmm[1], stores[i].bytes);
		RUN(stores[i].prefix ? stores[i].prefix : 0x3e, 0x0f, stores[i].opcode, 0x0d, at & 0xff, at >> 8, 0, 0);
		expect_no_fault();
		ck_assert_mem_eq(world_ram(&w, at), want, sizeof(want));
	}
	start();
	set_mm(1, 0x1122334455667788);
	RUN(0x0f, 0x7f, 0xca);                         /* movq mm2, mm1, as a store */
	ck_assert_uint_eq(mm(2), 0x1122334455667788);
	ck_assert_uint_eq(w.cpu.fpu.r[2].exponent, 0xffff);
	ck_assert_uint_eq(w.cpu.fpu.r[1].exponent, 0x1234);
}
END_TEST

/* --- masked stores ---------------------------------------------------------------------------------------------------------- */

static void put_pattern(uint32_t at)
{
	uint8_t pattern[32];

	memset(pattern, 0x55, sizeof(pattern));
	world_put(&w, at, pattern, sizeof(pattern));
}

START_TEST(a_masked_store_writes_the_selected_bytes)
{
	static const uint8_t quad[8] = { 0x55, 2, 0x55, 4, 0x55, 0x55, 0x55, 8 };
	static const uint8_t both[16] = { 1, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 8, 0x55, 0x55, 11, 0x55, 0x55, 0x55, 0x55, 0x55 };

	start();
	put_pattern(OPERAND_AT);
	w.cpu.r[R_EDI] = OPERAND_AT + 3;
	set_mm(1, 0x0807060504030201);
	set_mm(2, 0x807f000080008000);
	RUN(0x0f, 0xf7, 0xca);
	expect_no_fault();
	ck_assert_mem_eq(world_ram(&w, OPERAND_AT + 3), quad, 8);
	start();
	put_pattern(DATA1 - 10);
	w.cpu.r[R_EDI] = DATA1 - 10;                   /* across two pages */
	set_xmm(1, 0x100f0e0d0c0b0a09, 0x0807060504030201);
	set_xmm(2, 0x0000000000ff0000, 0x8000000000000080);
	RUN(0x66, 0x0f, 0xf7, 0xca);
	expect_no_fault();
	ck_assert_mem_eq(world_ram(&w, DATA1 - 10), both, 16);
}
END_TEST

/* The segment can be overridden; with 16-bit addresses it is DI, and the second quadword wraps. */
START_TEST(a_masked_store_goes_to_segment_and_EDI_or_DI)
{
	start();
	cpu_set_segment(&w.cpu, SEG_ES, UDATA, 0x4000, 0xffffffff, 0xf3, 0xc);
	world_map(&w, 0x13, PG_P | PG_W | PG_U);
	w.cpu.r[R_EDI] = 0x1234fff8;
	set_xmm(1, 0x88, 0x77);
	set_xmm(2, 0x80, 0x80);
	RUN(0x26, 0x67, 0x66, 0x0f, 0xf7, 0xca);
	expect_no_fault();
	ck_assert_uint_eq(*world_ram(&w, 0x4000 + 0xfff8), 0x77);
	ck_assert_uint_eq(*world_ram(&w, 0x4000), 0x88);
}
END_TEST

START_TEST(a_masked_store_that_faults_stores_nothing)
{
	static struct cpu before;
	uint8_t pattern[32];

	memset(pattern, 0x55, sizeof(pattern));
	for (unsigned selected = 0; selected < 2; selected++) {
		start();
		put_pattern(DATA1 - 12);
		w.cpu.r[R_EDI] = DATA1 - 12;
		world_map(&w, DATA1 >> 12, 0);
		set_xmm(1, 1, 2);
		set_xmm(2, 0, selected ? ~0ull : 0);           /* the missing page would get none of the bytes */
		before = w.cpu;
		RUN(0x66, 0x0f, 0xf7, 0xca);
		ck_assert(faulted);
		ck_assert_uint_eq(fault.vector, VEC_PF);
		ck_assert_uint_eq(fault.cr2, DATA1);
		before.cr2 = w.cpu.cr2;
		ck_assert_ptr_null(cpu_compare(&before, &w.cpu));
		ck_assert_mem_eq(world_ram(&w, DATA1 - 12), pattern, sizeof(pattern));
	}
}
END_TEST

/* --- rules for whole classes of rows ---------------------------------------------------------------------------------------- */

/* A row of mmx.def: the opcodes between them are those of sse.def. */
static bool is_packed(const struct insn_row *row)
{
	uint8_t o = row->opcode;

	if (row->map != 2 || !(row->props & (IP_X87 | IP_SSE)))
		return false;
	return (o >= 0x60 && o <= 0x7f) || o == 0xc4 || o == 0xc5 || (o >= 0xd1 && o != 0xe6);
}

static bool touches_mmx(const struct insn_row *row) { return is_packed(row) && row->props & IP_X87; }
static bool has_operand(const struct insn_row *row, enum operand o)
{
	return row->operand[0] == o || row->operand[1] == o;
}

/* The row's register form, or with memory its memory form, whose operand is at `at`. */
static void run_row(const struct insn_row *row, bool memory, uint32_t at)
{
	uint8_t bytes[12] = { 0x3e }, reg = (uint8_t)(row->ext >= 0 ? row->ext << 3 : 1 << 3);

	if (row->props & (IP_P66 | IP_PF3 | IP_PF2))
		bytes[0] = row->props & IP_P66 ? 0x66 : row->props & IP_PF3 ? 0xf3 : 0xf2;
	bytes[1] = 0x0f;
	bytes[2] = row->opcode;
	bytes[3] = memory ? reg | 5 : 0xc0 | reg | 2;
	if (memory)
		memcpy(&bytes[4], &at, 4);
	w.cpu.r[R_EDI] = at;
	run(bytes, sizeof(bytes));
}

START_TEST(an_MMX_instruction_makes_TOP_0_and_all_registers_valid)
{
	unsigned rows = 0;

	for (const struct insn_row *row = insn_table; row < insn_table + insn_rows; row++) {
		bool emms = !strcmp(row->name, "emms");

		if (!touches_mmx(row))
			continue;
		rows++;
		start();
		w.cpu.fpu.status = 0x7f00 & ~FPU_SW_ES;
		w.cpu.fpu.valid = 0;
		w.cpu.fpu.ip = 1, w.cpu.fpu.dp = 2, w.cpu.fpu.cs = 3, w.cpu.fpu.ds = 4, w.cpu.fpu.opcode = 5;
		run_row(row, row->props & IP_MEMONLY, OPERAND_AT);
		expect_no_fault();
		ck_assert_msg(w.cpu.fpu.status == 0x4700, "%s: status word %04x", row->name, w.cpu.fpu.status);
		ck_assert_msg(w.cpu.fpu.valid == (emms ? 0 : 0xff), "%s: tags %02x", row->name, w.cpu.fpu.valid);
		ck_assert(w.cpu.fpu.control == 0x37f && w.cpu.fpu.opcode == 5);
		ck_assert(w.cpu.fpu.ip == 1 && w.cpu.fpu.dp == 2 && w.cpu.fpu.cs == 3 && w.cpu.fpu.ds == 4);
	}
	ck_assert_uint_gt(rows, 70);
}
END_TEST

/* Changes nothing but raises v. */
static void check_exception(const struct insn_row *row, bool memory, uint32_t at, enum vector v)
{
	static struct cpu before;

	before = w.cpu;
	before.r[R_EDI] = at;
	run_row(row, memory, at);
	ck_assert_msg(faulted && fault.vector == v, "%s: exception %d instead of %d", row->name, faulted ? fault.vector : -1, v);
	before.cr2 = w.cpu.cr2;
	ck_assert_msg(!cpu_compare(&before, &w.cpu), "%s changes %s", row->name, cpu_compare(&before, &w.cpu));
}

/* Each is looked at in this order, and before memory is: the operand is not there. */
START_TEST(EM_TS_and_a_pending_exception_come_before_memory)
{
	for (const struct insn_row *row = insn_table; row < insn_table + insn_rows; row++) {
		bool memory = !(row->props & IP_REGONLY) && strcmp(row->name, "emms");

		for (unsigned step = 0; is_packed(row) && step < 4; step++) {
			if (step == 2 && !touches_mmx(row))
				continue;
			if (step == 3 && !(row->props & IP_SSE))
				continue;
			start();
			cpu_set_cr0(&w.cpu, w.cpu.cr0 | CR0_NE | (step == 0 ? CR0_EM | CR0_TS : step == 1 ? CR0_TS : 0));
			w.cpu.fpu.status |= FPU_SW_IE | FPU_SW_ES | FPU_SW_B;
			w.cpu.fpu.control &= (uint16_t)~1u;
			if (step == 3)
				cpu_set_cr4(&w.cpu, w.cpu.cr4 & ~CR4_OSFXSR);
			check_exception(row, memory, 0x80000, step == 0 || step == 3 ? VEC_UD : step == 1 ? VEC_NM : VEC_MF);
		}
	}
}
END_TEST

START_TEST(XMM_instructions_ignore_x87_exceptions_and_MMX_ones_OSFXSR)
{
	for (const struct insn_row *row = insn_table; row < insn_table + insn_rows; row++) {
		if (!is_packed(row) || (row->props & IP_X87 && row->props & IP_SSE))
			continue;
		start();
		cpu_set_cr0(&w.cpu, w.cpu.cr0 | CR0_NE);
		if (row->props & IP_SSE)
			w.cpu.fpu.status |= FPU_SW_ES;
		else
			cpu_set_cr4(&w.cpu, w.cpu.cr4 & ~CR4_OSFXSR);
		run_row(row, row->props & IP_MEMONLY, OPERAND_AT);
		expect_no_fault();
	}
}
END_TEST

START_TEST(sixteen_bytes_are_aligned_but_for_MOVDQU)
{
	unsigned rows = 0;

	for (const struct insn_row *row = insn_table; row < insn_table + insn_rows; row++) {
		bool wide = has_operand(row, OPD_Wx) || has_operand(row, OPD_Mx);

		if (!is_packed(row) || !wide)
			continue;
		rows++;
		start();
		if (!strcmp(row->name, "movdqu")) {
			run_row(row, true, OPERAND_AT + 8);
			expect_no_fault();
			continue;
		}
		check_exception(row, true, OPERAND_AT + 8, VEC_GP);
		ck_assert_uint_eq(fault.error, 0);
	}
	ck_assert_uint_gt(rows, 60);
}
END_TEST

/* So many bytes, and no more, at the end of a page with nothing behind it. */
START_TEST(an_operand_has_the_size_that_the_manual_says)
{
	static const struct { enum operand operand; unsigned bytes; } sizes[] = {
		{ OPD_Qd, 4 }, { OPD_Qq, 8 }, { OPD_Wq, 8 }, { OPD_Wx, 16 }, { OPD_Ed, 4 }, { OPD_Ew, 2 }, { OPD_Mq, 8 }, { OPD_Mx, 16 },
	};

	for (const struct insn_row *row = insn_table; row < insn_table + insn_rows; row++) {
		if (!is_packed(row))
			continue;
		for (unsigned i = 0; i < COUNT(sizes); i++) {
			if (!has_operand(row, sizes[i].operand))
				continue;
			start();
			world_map(&w, DATA1 >> 12, 0);
			run_row(row, true, DATA1 - sizes[i].bytes);
			ck_assert_msg(!faulted, "%s reads or writes more than %u bytes", row->name, sizes[i].bytes);
			if (sizes[i].bytes == 16 && strcmp(row->name, "movdqu"))
				continue;                              /* one byte on, it is misaligned */
			start();
			world_map(&w, DATA1 >> 12, 0);
			check_exception(row, true, DATA1 - sizes[i].bytes + 1, VEC_PF);
		}
	}
}
END_TEST

/* MMn is the physical register Rn, wherever TOP is. */
START_TEST(MMX_registers_are_not_a_stack)
{
	start();
	w.cpu.fpu.status = 3 << 11;
	w.cpu.r[R_EAX] = 0x1234;
	RUN(0x0f, 0x6e, 0xe8);                         /* movd mm5, eax */
	ck_assert_uint_eq(w.cpu.fpu.r[5].mantissa, 0x1234);
}
END_TEST

START_TEST(prefixes_that_choose_nothing_are_undefined)
{
	static const uint8_t cases[][4] = {
		{ 0xf3, 0x0f, 0x60, 0xc1 }, { 0xf2, 0x0f, 0x60, 0xc1 }, { 0xf2, 0x0f, 0x6f, 0xc1 }, { 0xf3, 0x0f, 0xfe, 0xc1 }, { 0x66, 0x0f, 0x77, 0xc1 },
		{ 0x3e, 0x0f, 0x6c, 0xc1 }, { 0x3e, 0x0f, 0x6d, 0xc1 }, { 0x3e, 0x0f, 0xd6, 0xc1 }, { 0xf2, 0x0f, 0x7e, 0xc1 }, { 0x3e, 0x0f, 0xd0, 0xc1 },
		{ 0x3e, 0x0f, 0x73, 0xd9 }, { 0x3e, 0x0f, 0x73, 0xf9 }, { 0x66, 0x0f, 0x71, 0xc1 }, { 0x66, 0x0f, 0x73, 0xe1 }, { 0x3e, 0x0f, 0x71, 0x11 },
		{ 0x3e, 0x0f, 0xc5, 0x01 }, { 0x3e, 0x0f, 0xd7, 0x01 }, { 0x66, 0x0f, 0xe7, 0xc1 }, { 0x3e, 0x0f, 0xf7, 0x01 }, { 0xf3, 0x0f, 0xd6, 0x01 },
		{ 0xf0, 0x0f, 0xfc, 0x01 },
	};

	for (unsigned i = 0; i < COUNT(cases); i++) {
		uint8_t bytes[15] = { 0 };
		struct insn in;

		memcpy(bytes, cases[i], 4);
		ck_assert_msg(decode(bytes, 15, true, &in) == DECODE_UD, "%02x 0f %02x %02x", bytes[0], bytes[2], bytes[3]);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mmx");
	TCase *t = tcase_create("mmx");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_unchecked_fixture(t, open_world, close_world);
	tcase_add_loop_test(t, results_are_those_worked_out_by_hand, 0, COUNT(results));
	tcase_add_test(t, a_register_may_be_both_operands);
	tcase_add_test(t, shifts_by_an_immediate);
	tcase_add_test(t, PSLLDQ_and_PSRLDQ_shift_by_bytes);
	tcase_add_test(t, shuffles_take_two_bits_for_each_lane);
	tcase_add_test(t, words_and_sign_bits);
	tcase_add_test(t, moves_clear_what_they_do_not_fill);
	tcase_add_test(t, loads_and_stores_move_what_their_names_say);
	tcase_add_test(t, a_masked_store_writes_the_selected_bytes);
	tcase_add_test(t, a_masked_store_goes_to_segment_and_EDI_or_DI);
	tcase_add_test(t, a_masked_store_that_faults_stores_nothing);
	tcase_add_test(t, an_MMX_instruction_makes_TOP_0_and_all_registers_valid);
	tcase_add_test(t, EM_TS_and_a_pending_exception_come_before_memory);
	tcase_add_test(t, XMM_instructions_ignore_x87_exceptions_and_MMX_ones_OSFXSR);
	tcase_add_test(t, sixteen_bytes_are_aligned_but_for_MOVDQU);
	tcase_add_test(t, an_operand_has_the_size_that_the_manual_says);
	tcase_add_test(t, MMX_registers_are_not_a_stack);
	tcase_add_test(t, prefixes_that_choose_nothing_are_undefined);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
