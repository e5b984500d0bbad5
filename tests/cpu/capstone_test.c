/* tests/cpu/capstone_test.c: the decoder against Capstone, all of it.
 *
 * Every opcode of the one-byte, 0F, 0F 38 and 0F 3A maps with every ModRM byte, six SIB bytes, 22 sets of prefixes, in 16- and
 * 32-bit code: both must agree whether there is an instruction, how long it is and what it is called. Each difference must belong to
 * a class of capstone.c, and each class must occur.
 */
#include <capstone/capstone.h>
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "capstone.h"

static csh handle[2];
static cs_insn *decoded;

static const struct { uint8_t bytes[3]; uint32_t bits; } prefixes[] = {
	{ { 0 }, 0 }, { { 0x66 }, PX_66 }, { { 0x67 }, PX_67 }, { { 0xf2 }, PX_F2 }, { { 0xf3 }, PX_F3 }, { { 0xf0 }, PX_F0 },
	{ { 0x26 }, PX_SEG }, { { 0x2e }, PX_SEG }, { { 0x36 }, PX_SEG }, { { 0x3e }, PX_SEG }, { { 0x64 }, PX_SEG }, { { 0x65 }, PX_SEG },
	{ { 0x66, 0xf2 }, PX_66 | PX_F2 | PX_66_FIRST }, { { 0x66, 0xf3 }, PX_66 | PX_F3 | PX_66_FIRST },
	{ { 0xf2, 0x66 }, PX_66 | PX_F2 | PX_66_LAST }, { { 0xf3, 0x66 }, PX_66 | PX_F3 | PX_66_LAST },
	{ { 0x66, 0x67 }, PX_66 | PX_67 }, { { 0xf0, 0x66 }, PX_66 | PX_F0 }, { { 0x67, 0xf0 }, PX_67 | PX_F0 },
	{ { 0x67, 0xf2 }, PX_67 | PX_F2 }, { { 0x67, 0xf3 }, PX_67 | PX_F3 }, { { 0x64, 0x66, 0x67 }, PX_SEG | PX_66 | PX_67 },
};

struct tally {
	unsigned long same, undefined, differ, class[100];
	unsigned printed;              /* opcode of the last difference that was: one line for each is enough */
};

static void print_difference(const uint8_t *bytes, bool code32, const struct insn *in, bool found)
{
	printf("%u-bit", code32 ? 32 : 16);
	for (unsigned i = 0; i < 8; i++)
		printf(" %02x", bytes[i]);
	printf(": ours %s length %u, Capstone %s %s length %u\n", in ? insn_table[in->row].name : "#UD", in ? in->len : 0,
	       found ? decoded->mnemonic : "none", found ? decoded->op_str : "", found ? decoded->size : 0);
}

static void compare(const uint8_t *bytes, const struct tried *t, bool code32, struct tally *tally)
{
	struct insn in;
	bool ours = decode(bytes, INSN_MAX, code32, &in) == DECODE_OK;
	const uint8_t *at = bytes;
	size_t left = INSN_MAX;
	uint64_t address = 0x1000;
	bool found = cs_disasm_iter(handle[code32], &at, &left, &address, decoded), same_length = found && decoded->size == in.len;
	int class;

	if (!ours && !found) {
		tally->undefined++;
	} else if (ours && same_length && same_name(&in, decoded->mnemonic)) {
		tally->same++;
	} else if ((class = difference_class(t, ours ? &in : NULL, found ? decoded->mnemonic : NULL, same_length)) >= 0) {
		tally->class[class]++;
	} else if (tally->differ++, t->opcode != tally->printed) {
		tally->printed = t->opcode;
		print_difference(bytes, code32, ours ? &in : NULL, found);
	}
}

static void each_modrm(uint8_t *bytes, unsigned at, struct tried *t, bool code32, struct tally *tally)
{
	static const uint8_t sib[] = { 0x00, 0x25, 0x65, 0xe4, 0x9d, 0xc5 };
	bool address32 = code32 != !!(t->prefixes & PX_67);

	for (unsigned modrm = 0; modrm < 256; modrm++) {
		unsigned forms = address32 && (modrm & 7) == 4 && modrm < 0xc0 ? sizeof(sib) : 1;
		bytes[at] = t->modrm = (uint8_t)modrm;
		for (unsigned s = 0; s < forms; s++) {
			bytes[at + 1] = sib[s];
			compare(bytes, t, code32, tally);
		}
	}
}

/* Prefixes and escapes are no opcodes. */
static bool is_opcode(unsigned map, unsigned n)
{
	if (map == 1)
		return n != 0x0f && (n & 0xe7) != 0x26 && (n < 0x64 || n > 0x67) && n != 0xf0 && n != 0xf2 && n != 0xf3;
	return map != 2 || (n != 0x38 && n != 0x3a);
}

static void each_opcode(unsigned p, unsigned map, bool code32, struct tally *tally)
{
	static const uint8_t escape[][2] = { { 0 }, { 0 }, { 0x0f }, { 0x0f, 0x38 }, { 0x0f, 0x3a } };

	for (unsigned n = 0; n < 256; n++) {
		uint8_t bytes[INSN_MAX] = { 0 };
		struct tried t = { .map = map, .opcode = (uint8_t)n, .prefixes = prefixes[p].bits | (code32 ? 0 : PX_CODE16) };
		unsigned at = 0;

		if (!is_opcode(map, n))
			continue;
		for (unsigned i = 0; i < 3 && prefixes[p].bytes[i]; i++)
			bytes[at++] = prefixes[p].bytes[i];
		for (unsigned i = 0; i < 2 && escape[map][i]; i++)
			bytes[at++] = escape[map][i];
		bytes[at++] = (uint8_t)n;
		each_modrm(bytes, at, &t, code32, tally);
	}
}

static void print_tally(const struct tally *t)
{
	printf("%lu the same, %lu undefined in both, %lu without a reason; by class:\n", t->same, t->undefined, t->differ);
	for (unsigned i = 0; i < difference_count; i++)
		printf("%8lu %-6s %s\n", t->class[i], differences[i].ours, differences[i].why);
	fflush(stdout);
}

START_TEST(every_instruction_is_what_Capstone_says_or_has_a_reason)
{
	static struct tally t;

	ck_assert_uint_le(difference_count, sizeof(t.class) / sizeof(t.class[0]));
	for (unsigned p = 0; p < sizeof(prefixes) / sizeof(prefixes[0]); p++)
		for (unsigned map = 1; map <= 4; map++)
			for (unsigned code32 = 0; code32 < 2; code32++)
				each_opcode(p, map, code32, &t);
	print_tally(&t);
	ck_assert_uint_eq(t.differ, 0);
	ck_assert_uint_gt(t.same, 4000000);
	for (unsigned i = 0; i < difference_count; i++)
		ck_assert_msg(t.class[i], "this class does not occur: %s", differences[i].why);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("capstone");
	TCase *t = tcase_create("capstone");
	SRunner *r = srunner_create(s);
	int failed;

	if (cs_open(CS_ARCH_X86, CS_MODE_16, &handle[0]) || cs_open(CS_ARCH_X86, CS_MODE_32, &handle[1]))
		return 1;
	decoded = cs_malloc(handle[0]);
	tcase_set_timeout(t, 100);
	tcase_add_test(t, every_instruction_is_what_Capstone_says_or_has_a_reason);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	cs_free(decoded, 1);
	return failed != 0;
}
