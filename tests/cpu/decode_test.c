/* tests/cpu/decode_test.c: the decoder against Capstone.
 *
 * Every one- and two-byte opcode with every ModRM byte, SIB bytes, and the size prefixes: both must agree whether there is an
 * instruction, how long it is and, for the mnemonics that can be compared, what it is called. Capstone knows all later
 * processors too; what it decodes and a P6 without FPU and SIMD does not is counted apart, and must then be no row of
 * insn_table[].
 */
#include <capstone/capstone.h>
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "cpu/cpu.h"
#include "cpu/insn.h"

static csh handle[2];

/* What Capstone calls otherwise. The first letters decide where the operand size is part of its names. */
static const struct { const char *ours, *theirs; } aliases[] = {
	{ "cbw", "cwde" }, { "cwd", "cdq" }, { "pusha", "pushal" }, { "pusha", "pushaw" }, { "popa", "popal" }, { "popa", "popaw" },
	{ "pushf", "pushfd" }, { "popf", "popfd" }, { "iret", "iretd" }, { "jcxz", "jecxz" },
	{ "insb", "insb" }, { "ins", "insd" }, { "ins", "insw" }, { "outs", "outsd" }, { "outs", "outsw" }, { "movs", "movsd" }, { "movs", "movsw" },
	{ "cmps", "cmpsd" }, { "cmps", "cmpsw" }, { "stos", "stosd" }, { "stos", "stosw" }, { "lods", "lodsd" }, { "lods", "lodsw" },
	{ "scas", "scasd" }, { "scas", "scasw" }, { "callf", "lcall" }, { "callf", "call" }, { "jmpf", "ljmp" }, { "jmpf", "jmp" },
	{ "retf", "retf" }, { "shl", "sal" }, { "nop", "pause" }, { "nop", "xchg" }, { "xchg", "nop" }, { "popa", "popal" }, { "pushf", "pushfw" },
	{ "bswap", "bswap" }, { "int1", "int1" }, { "retf", "retfq" }, { "cwd", "cdq" }, { "iret", "iretw" },
};

static bool same_name(const char *ours, const char *theirs)
{
	if (!strncmp(theirs, "lock ", 5))
		theirs += 5;
	if (!strncmp(theirs, "rep", 3) && strchr(theirs, ' '))
		theirs = strchr(theirs, ' ') + 1;
	if (!strcmp(ours, theirs))
		return true;
	for (unsigned i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (!strcmp(ours, aliases[i].ours) && !strcmp(theirs, aliases[i].theirs))
			return true;
	return false;
}

/* Where the two differ by right, with the reason. */
static bool known_difference(const uint8_t *op, unsigned map, bool ours_ok)
{
	uint8_t o = op[0], reg = op[1] >> 3 & 7;

	if (ours_ok && map == 1)
		/* 8C, 8E: the handler raises #UD for CS and for registers that do not exist [SDM2B "MOV"]. ESC opcodes: every ModRM
		 * byte is an instruction for the coprocessor [SDM2D A.5 "Escape Opcode Instructions"]. 82: alias of 80. D6 SALC, F1
		 * INT1 and the TEST and SAL aliases are undocumented here and there [SDM3B 22.15 "Undefined Opcodes"]. */
		return (o >= 0xd8 && o <= 0xdf) || ((o == 0x8c || o == 0x8e) && reg > 5) || (o == 0x8e && reg == 1) || o == 0x82 || o == 0xd6 || o == 0xf1 || o == 0x9b || ((o & 0xfe) == 0xf6 && reg == 1);
	if (ours_ok)
		/* 0F 18-1F: NOPs on a P6; later given to prefetches, MPX and CET. */
		return (o >= 0x18 && o <= 0x1f) || (o >= 0x20 && o <= 0x23);
	return false;
}

/* Capstone sees a mandatory 66 only in 32-bit code, and only without 67 beside it; elsewhere it names the row without prefix, of
 * the same length, if there is one. */
static bool prefix_overlooked(const struct insn *in, bool code32, const cs_insn *theirs)
{
	if (!(insn_table[in->row].props & IP_P66) || (code32 && in->addrsize == 4))
		return false;
	return !theirs || theirs->size == in->len;
}

struct tally { unsigned same, later, overlooked, differ; };

static void compare(const uint8_t *bytes, unsigned map, unsigned at, bool code32, struct tally *t)
{
	struct insn in;
	enum decode_result result = decode(bytes, 15, code32, &in);
	cs_insn *theirs = NULL;
	bool found = cs_disasm(handle[code32], bytes, 15, 0, 1, &theirs) == 1;

	if (result == DECODE_OK && found && theirs->size == in.len && same_name(insn_table[in.row].name, theirs->mnemonic)) {
		t->same++;
	} else if (result != DECODE_OK && !found) {
		t->same++;
	} else if (result != DECODE_OK) {
		t->later++;                    /* what a P6 does not know is checked by has_no_row */
	} else if (prefix_overlooked(&in, code32, found ? theirs : NULL)) {
		t->overlooked++;
	} else if (!known_difference(bytes + at, map, true)) {
		if (t->differ++ < 20)
			printf("%u-bit %02x %02x %02x %02x %02x: ours %s length %u, Capstone %s %s length %u\n", code32 ? 32 : 16, bytes[0], bytes[1],
			       bytes[2], bytes[3], bytes[4], insn_table[in.row].name, in.len, found ? theirs->mnemonic : "(none)",
			       found ? theirs->op_str : "", found ? theirs->size : 0);
	}
	if (theirs)
		cs_free(theirs, 1);
}

static void each_modrm(uint8_t *bytes, unsigned map, unsigned at, bool code32, struct tally *t)
{
	static const uint8_t sib[] = { 0x00, 0x25, 0x65, 0xe4, 0x9d, 0xc5 };

	for (unsigned modrm = 0; modrm < 256; modrm++) {
		bytes[at + 1] = (uint8_t)modrm;
		for (unsigned s = 0; s < ((modrm & 7) == 4 && modrm < 0xc0 ? sizeof(sib) : 1); s++) {
			bytes[at + 2] = sib[s];
			compare(bytes, map, at, code32, t);
		}
	}
}

/* Whether F3 and F2 choose between instructions. Elsewhere they repeat strings, or mean nothing. */
static bool prefix_chooses(unsigned map, unsigned opcode)
{
	for (unsigned i = 0; i < insn_rows; i++)
		if (insn_table[i].map == map && insn_table[i].opcode == opcode && insn_table[i].props & IP_PREFIX)
			return true;
	return false;
}

static struct tally every_opcode(bool code32)
{
	static const uint8_t prefixes[][2] = { { 0, 0 }, { 0x66, 0 }, { 0x67, 0 }, { 0x66, 0x67 }, { 0xf3, 0 }, { 0xf2, 0 } };
	struct tally t = { 0 };

	for (unsigned p = 0; p < sizeof(prefixes) / sizeof(prefixes[0]); p++) {
		for (unsigned n = 0; n < 512; n++) {
			uint8_t bytes[15] = { 0 };
			unsigned at = 0, map = n < 256 ? 1 : 2;
			for (unsigned i = 0; i < 2; i++)
				if (prefixes[p][i])
					bytes[at++] = prefixes[p][i];
			if (map == 2)
				bytes[at++] = 0x0f;
			bytes[at] = (uint8_t)n;
			/* Prefixes and the escape byte are no opcodes. */
			if (map == 1 && (n == 0x0f || n == 0x26 || n == 0x2e || n == 0x36 || n == 0x3e || (n >= 0x64 && n <= 0x67) || n == 0xf0 || n == 0xf2 || n == 0xf3))
				continue;
			if (prefixes[p][0] >= 0xf2 && !prefix_chooses(map, n))
				continue;
			each_modrm(bytes, map, at, code32, &t);
		}
	}
	return t;
}

START_TEST(every_opcode_decodes_as_Capstone_does)
{
	struct tally t = every_opcode(_i);

	ck_assert_uint_eq(t.differ, 0);
	ck_assert_uint_gt(t.same, 200000);
}
END_TEST

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

/* The opcodes a P6 without FPU and SIMD does not have, in the second map. */
START_TEST(opcodes_of_later_processors_are_undefined)
{
	static const uint8_t later[] = { 0x05, 0x07, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x28, 0x29, 0x2a, 0x2b, 0x2c,
		0x2d, 0x2e, 0x2f, 0x37, 0x38, 0x3a, 0x50, 0x5f, 0x78, 0xaa, 0xae, 0xb8, 0xb9, 0xc2, 0xc3, 0xc6, 0xd0, 0xff };

	for (unsigned i = 0; i < sizeof(later); i++) {
		uint8_t bytes[15] = { 0x0f, later[i], 0xc1 };
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
	tcase_add_loop_test(t, every_opcode_decodes_as_Capstone_does, 0, 2);
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
