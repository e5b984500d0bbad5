/* tests/cpu/undefined_flags_test.c: flags the manual leaves undefined have one value, the same on every host: the list at
 * the head of insn.def. Every interrupt pushes EFLAGS, so a value that differed between hosts would differ in memory. */
#include "world.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* kept: the flags that stay as they were; the others are as in value. */
static const struct flags_case {
	const char *name;
	uint8_t bytes[4];
	uint32_t eax, ecx, edx, ebx;
	uint32_t value, kept;
} cases[] = {
	{ "AND: AF clear", { 0x24, 0x0f }, 0x1f, 0, 0, 0, F_PF, 0 },
	{ "OR: AF clear", { 0x0c, 0x80 }, 0x01, 0, 0, 0, F_SF | F_PF, 0 },
	{ "TEST: AF clear", { 0xa8, 0x10 }, 0x0f, 0, 0, 0, F_ZF | F_PF, 0 },
	{ "SHL by 4: OF is CF xor the top bit", { 0xc1, 0xe0, 4 }, 0x18000000, 0, 0, 0, F_CF | F_SF | F_PF, 0 },
	{ "SHL by 4, the other OF", { 0xc1, 0xe0, 4 }, 0x08000000, 0, 0, 0, F_OF | F_SF | F_PF, 0 },
	{ "SHR by 4: OF is the two top bits of the result", { 0xc1, 0xe8, 4 }, 0x80000008, 0, 0, 0, F_CF | F_PF, 0 },
	{ "SAR by 4: OF clear", { 0xc1, 0xf8, 4 }, 0x80000000, 0, 0, 0, F_SF | F_PF, 0 },
	{ "a shift by 0 changes nothing", { 0xc1, 0xe0, 0x20 }, 0x80000000, 0, 0, 0, 0, F_ARITH },
	{ "ROL by 4: OF is CF xor the top bit", { 0xc1, 0xc0, 4 }, 0x18000000, 0, 0, 0, F_CF, F_ARITH & ~(F_CF | F_OF) },
	{ "ROR by 4: OF is the two top bits", { 0xc1, 0xc8, 4 }, 0x00000004, 0, 0, 0, F_OF, F_ARITH & ~(F_CF | F_OF) },
	{ "SHLD by 4: AF clear", { 0x0f, 0xa4, 0xd8, 4 }, 0x18000000, 0, 0, 0xf0000000, F_CF | F_SF | F_PF, 0 },
	{ "MUL: SF ZF PF of the low half, AF clear", { 0xf7, 0xe3 }, 0x10000, 0, 0, 0x10000, F_CF | F_OF | F_ZF | F_PF, 0 },
	{ "IMUL likewise", { 0x0f, 0xaf, 0xc3 }, 3, 0, 0, (uint32_t)-5, F_SF, 0 },
	{ "DIV changes no flag", { 0xf7, 0xf3 }, 100, 0, 0, 7, 0, F_ARITH },
	{ "IDIV changes no flag", { 0xf7, 0xfb }, 100, 0, 0, 7, 0, F_ARITH },
	{ "BT changes CF only", { 0x0f, 0xa3, 0xc8 }, 2, 1, 0, 0, F_CF, F_ARITH & ~F_CF },
	{ "BSF changes ZF only", { 0x0f, 0xbc, 0xc3 }, 0, 0, 0, 8, 0, F_ARITH & ~F_ZF },
	{ "BSR of 0 sets ZF only", { 0x0f, 0xbd, 0xc3 }, 5, 0, 0, 0, F_ZF, F_ARITH & ~F_ZF },
	{ "AAA: SF ZF PF of AL, OF clear", { 0x37 }, 0x0b, 0, 0, 0, F_CF | F_AF, 0 },
	{ "AAM: CF AF OF clear", { 0xd4, 0x0a }, 55, 0, 0, 0, F_PF, 0 },
	{ "AAD: CF AF OF clear", { 0xd5, 0x0a }, 0x0505, 0, 0, 0, 0, 0 },
};

static void check_case(struct world *w, const struct flags_case *c, uint32_t before)
{
	struct cpu *cpu = &w->cpu;
	uint32_t want = (c->value & ~c->kept) | (before & c->kept);

	world_reset(w, RING3_32);
	world_put(w, CODE - 0x800, c->bytes, sizeof(c->bytes));
	cpu->eip = CODE - 0x800;
	cpu->r[R_EAX] = c->eax;
	cpu->r[R_ECX] = c->ecx;
	cpu->r[R_EDX] = c->edx;
	cpu->r[R_EBX] = c->ebx;
	cpu_set_eflags(cpu, F_ONE | before);
	cpu_run(cpu, 1);
	ck_assert_uint_eq(cpu->fault_count, 0);
	ck_assert_msg((cpu_eflags(cpu) & F_ARITH) == want, "%s: flags %03x become %03x, not %03x", c->name, before,
		      cpu_eflags(cpu) & F_ARITH, want);
}

START_TEST(undefined_flags_have_the_values_of_the_list)
{
	static struct world w;

	world_init(&w);
	check_case(&w, &cases[_i], 0);
	check_case(&w, &cases[_i], F_ARITH);
	world_free(&w);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("undefined_flags");
	TCase *t = tcase_create("undefined_flags");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_loop_test(t, undefined_flags_have_the_values_of_the_list, 0, sizeof(cases) / sizeof(cases[0]));
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
