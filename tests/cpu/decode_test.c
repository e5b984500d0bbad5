/* tests/cpu/decode_test.c: the parts of an instruction, and what is none. Its name and length are capstone_test's. */
#include <capstone/capstone.h>
#include <check.h>
#include <string.h>

#include "cpu/cpu.h"
#include "cpu/insn.h"

static csh handle[2];

/* LEA with every ModRM and SIB byte: base, index, scale and displacement against Capstone, the default segment against
 * [SDM1 3.7.4 "Specifying a Segment Selector"]: SS when the base is ESP or EBP. */
static unsigned register_number(x86_reg reg)
{
	static const x86_reg wide[] = { X86_REG_EAX, X86_REG_ECX, X86_REG_EDX, X86_REG_EBX, X86_REG_ESP, X86_REG_EBP, X86_REG_ESI, X86_REG_EDI };
	static const x86_reg narrow[] = { X86_REG_AX, X86_REG_CX, X86_REG_DX, X86_REG_BX, X86_REG_SP, X86_REG_BP, X86_REG_SI, X86_REG_DI };

	for (unsigned i = 0; i < 8; i++)
		if (reg == wide[i] || reg == narrow[i])
			return i;
	return R_ZERO;                         /* none, or the "eiz" of an explicit empty index */
}

START_TEST(every_addressing_form_has_the_same_parts)
{
	bool code32 = _i;

	cs_option(handle[code32], CS_OPT_DETAIL, CS_OPT_ON);
	for (unsigned n = 0; n < 0x10000; n++) {
		uint8_t bytes[15] = { 0x8d, (uint8_t)(n & 0xff), (uint8_t)(n >> 8), 0xf1, 0x82, 0x13, 0x84 };
		cs_insn *theirs;
		struct insn in;

		if ((n & 0xff) >= 0xc0)
			continue;
		ck_assert_int_eq(decode(bytes, 15, code32, &in), DECODE_OK);
		ck_assert_uint_eq(cs_disasm(handle[code32], bytes, 15, 0, 1, &theirs), 1);
		const x86_op_mem *mem = &theirs->detail->x86.operands[1].mem;
		ck_assert_uint_eq(in.len, theirs->size);
		ck_assert_uint_eq(in.base, register_number(mem->base));
		ck_assert_uint_eq(in.index, register_number(mem->index));
		ck_assert_uint_eq((code32 ? in.disp : in.disp & 0xffff), (code32 ? (uint32_t)mem->disp : (uint32_t)mem->disp & 0xffff));
		if (in.index != R_ZERO)
			ck_assert_int_eq(1 << in.scale, mem->scale);
		ck_assert_uint_eq(in.seg, in.base == R_ESP || in.base == R_EBP ? SEG_SS : SEG_DS);
		cs_free(theirs, 1);
	}
	cs_option(handle[code32], CS_OPT_DETAIL, CS_OPT_OFF);
}
END_TEST

/* The opcodes of the second map that a P6 with SSE2 does not have. */
START_TEST(opcodes_of_later_processors_are_undefined)
{
	static const uint8_t later[] = { 0x04, 0x05, 0x07, 0x0a, 0x0c, 0x0d, 0x0e, 0x0f, 0x24, 0x25, 0x26, 0x27, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x3b, 0x3c,
		0x3d, 0x3e, 0x3f, 0x78, 0x79, 0x7a, 0x7b, 0x7c, 0x7d, 0xa6, 0xa7, 0xaa, 0xb8, 0xb9, 0xd0, 0xf0, 0xff };
	static const uint8_t prefix[] = { 0x2e, 0x66, 0xf2, 0xf3 };

	for (unsigned i = 0; i < 4 * sizeof(later); i++) {
		uint8_t bytes[15] = { prefix[i & 3], 0x0f, later[i >> 2], 0xc1 };
		struct insn in;
		ck_assert_int_eq(decode(bytes, 15, true, &in), DECODE_UD);
	}
}
END_TEST

START_TEST(LOCK_is_only_for_memory_that_is_read_and_written)
{
	static const struct { uint8_t bytes[4]; enum decode_result result; } cases[] = {
		{ { 0xf0, 0x01, 0x00 }, DECODE_OK }, { { 0xf0, 0x01, 0xc0 }, DECODE_UD }, { { 0xf0, 0x39, 0x00 }, DECODE_UD }, { { 0xf0, 0x89, 0x00 }, DECODE_UD },
		{ { 0xf0, 0x87, 0x00 }, DECODE_OK }, { { 0xf0, 0x0f, 0xb1, 0x00 }, DECODE_OK }, { { 0xf0, 0x90 }, DECODE_UD }, { { 0xf0, 0x0f, 0xa3, 0x00 }, DECODE_UD },
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t bytes[15] = { 0 };
		struct insn in;
		memcpy(bytes, cases[i].bytes, 4);
		ck_assert_int_eq(decode(bytes, 15, true, &in), cases[i].result);
	}
}
END_TEST

START_TEST(fifteen_bytes_are_the_limit)
{
	uint8_t bytes[16];
	struct insn in;

	memset(bytes, 0x66, sizeof(bytes));
	bytes[14] = 0x90;
	ck_assert_int_eq(decode(bytes, 15, true, &in), DECODE_OK);
	ck_assert_uint_eq(in.len, 15);
	bytes[14] = 0x66, bytes[15] = 0x90;
	ck_assert_int_eq(decode(bytes, 16, true, &in), DECODE_TOO_LONG);
	for (unsigned n = 0; n < 15; n++)
		ck_assert_int_eq(decode(bytes, n, true, &in), DECODE_MORE);
}
END_TEST

/* Cut short anywhere, an instruction asks for more, and never reads beyond what it was given. */
START_TEST(a_part_of_an_instruction_is_not_an_instruction)
{
	static const uint8_t whole[] = { 0x66, 0x81, 0x84, 0x8b, 0x78, 0x56, 0x34, 0x12, 0xcd, 0xab };   /* add word [ebx+ecx*4+12345678h], 0abcdh */
	struct insn in;

	for (unsigned n = 0; n < sizeof(whole); n++)
		ck_assert_int_eq(decode(whole, n, true, &in), DECODE_MORE);
	ck_assert_int_eq(decode(whole, sizeof(whole), true, &in), DECODE_OK);
	ck_assert_uint_eq(in.disp, 0x12345678);
	ck_assert_uint_eq(in.imm, 0xabcd);
	ck_assert_uint_eq(in.base, R_EBX);
	ck_assert_uint_eq(in.index, R_ECX);
	ck_assert_uint_eq(in.scale, 2);
	ck_assert_uint_eq(in.opsize, 2);
	ck_assert_uint_eq(in.seg, SEG_DS);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("decode");
	TCase *t = tcase_create("decode");
	SRunner *r = srunner_create(s);
	int failed;

	if (cs_open(CS_ARCH_X86, CS_MODE_16, &handle[0]) || cs_open(CS_ARCH_X86, CS_MODE_32, &handle[1]))
		return 1;
	tcase_set_timeout(t, 100);
	tcase_add_loop_test(t, every_addressing_form_has_the_same_parts, 0, 2);
	tcase_add_test(t, opcodes_of_later_processors_are_undefined);
	tcase_add_test(t, LOCK_is_only_for_memory_that_is_read_and_written);
	tcase_add_test(t, fifteen_bytes_are_the_limit);
	tcase_add_test(t, a_part_of_an_instruction_is_not_an_instruction);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
