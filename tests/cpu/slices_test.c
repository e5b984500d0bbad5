/* tests/cpu/slices_test.c: how a program is cut into blocks and runs is nothing it can notice.
 *
 * The same program runs in one piece and in pieces of every small size, so that each boundary falls once into the middle of
 * each block, and one by one, which never enters a block. After each piece the state must be that of the run by single
 * instructions at the same count.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/cpu.h"

#define CODE  0x1ff0u                  /* crosses into the next page */
#define DATA  0x8000u
#define STACK 0x7000u
#define STEPS 4000

struct pc {
	struct phys phys;
	struct mmu mmu;
	struct cpu cpu;
	uint64_t ports;            /* hash of port accesses with their times */
};

static uint32_t port_in(void *owner, uint16_t port, unsigned size)
{
	struct pc *pc = owner;

	pc->ports = pc->ports * 31 + cpu_icount(&pc->cpu) * 7 + port + size;
	return (uint32_t)cpu_icount(&pc->cpu);
}

static void port_out(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	struct pc *pc = owner;

	pc->ports = pc->ports * 31 + cpu_icount(&pc->cpu) * 7 + port + size + value;
}

static int acknowledge(void *owner)
{
	cpu_set_intr(&((struct pc *)owner)->cpu, false);
	return 0x20;
}

static uint64_t now(void *owner) { return cpu_icount(&((struct pc *)owner)->cpu); }

static void flat(struct cpu *cpu)
{
	for (unsigned seg = SEG_ES; seg <= SEG_GS; seg++)
		cpu_set_segment(cpu, seg, seg == SEG_CS ? 8 : 16, 0, 0xffffffff, seg == SEG_CS ? 0x9b : 0x93, SEG_FLAG_DB | SEG_FLAG_G);
}

static void start(struct pc *pc, const uint8_t *code, unsigned length, struct tlb_geometry geometry)
{
	struct cpu_bus bus = { port_in, port_out, acknowledge, now, pc, NULL };

	memset(pc, 0, sizeof(*pc));
	ck_assert_int_eq(phys_init(&pc->phys, 1 << 20), 0);
	ck_assert_int_eq(mmu_init(&pc->mmu, &pc->phys, geometry), 0);
	ck_assert_int_eq(cpu_init(&pc->cpu, &pc->mmu, &bus), 0);
	cpu_set_cr0(&pc->cpu, CR0_PE | CR0_ET);
	cpu_set_cr4(&pc->cpu, CR4_OSFXSR);
	flat(&pc->cpu);
	phys_copy_in(&pc->phys, CODE, code, length);
	pc->cpu.eip = CODE;
	pc->cpu.r[R_ESP] = STACK;
	pc->cpu.r[R_ESI] = CODE;
	pc->cpu.r[R_EDI] = DATA;
}

static void stop(struct pc *pc)
{
	cpu_free(&pc->cpu);
	mmu_free(&pc->mmu);
	phys_free(&pc->phys);
}

static void check_same(struct pc *a, struct pc *b, const char *what, unsigned size)
{
	const char *field = cpu_compare(&a->cpu, &b->cpu);

	ck_assert_msg(!field, "%s, pieces of %u, after %lu instructions: %s differs (eip %x and %x)", what, size,
	              (unsigned long)cpu_icount(&a->cpu), field, a->cpu.eip, b->cpu.eip);
	ck_assert_msg(a->ports == b->ports, "%s, pieces of %u: port accesses differ", what, size);
	ck_assert_msg(!memcmp(a->phys.ram, b->phys.ram, 0x10000), "%s, pieces of %u: memory differs", what, size);
}

/* --- programs -------------------------------------------------------------------------------------------------------------- */

struct program { const char *name; uint8_t code[64]; };

static const struct program programs[] = {
	{ "a loop with a call", {
		0xb9, 0x05, 0, 0, 0,                    /* mov ecx, 5 */
		0xe8, 0x08, 0, 0, 0,                    /* call +8 */
		0x49, 0x75, 0xf8,                       /* dec ecx; jne call */
		0x74, 0x00, 0xeb, 0xef,                 /* je +0; jmp to the start */
		0x90,
		0x01, 0xc8, 0x11, 0xc2, 0x40, 0xc3, } },/* add eax, ecx; adc edx, eax; inc eax; ret */
	{ "repeated strings and ports", {
		0xb9, 0x11, 0, 0, 0, 0xbe, 0xf0, 0x1f, 0, 0, 0xbf, 0, 0x80, 0, 0,   /* mov ecx, 17; mov esi, CODE; mov edi, DATA */
		0xf3, 0xa4,                             /* rep movsb */
		0xb1, 0x07, 0xf3, 0xab,                 /* mov cl, 7; rep stosd */
		0xb1, 0x05, 0xf3, 0x6c,                 /* mov cl, 5; rep insb */
		0x83, 0xee, 0x05, 0xb1, 0x04, 0xf3, 0x6e,      /* sub esi, 5; mov cl, 4; rep outsb */
		0xb1, 0x20, 0xbf, 0, 0x80, 0, 0, 0xf2, 0xae,   /* mov cl, 32; mov edi, DATA; repne scasb */
		0xe4, 0x40, 0x0f, 0x31, 0xeb, 0xd0, } },/* in al, 40h; rdtsc; jmp to the start */
	{ "code that changes itself", {
		0xbb, 0xfd, 0x1f, 0, 0,                 /* mov ebx, the address of an immediate below */
		0xfe, 0x43, 0x02,                       /* inc byte [ebx+2] */
		0xfe, 0x03,                             /* inc byte [ebx]: the opcode byte before it stays */
		0x90, 0x90, 0xb0, 0x00,                 /* nop; nop; mov al, 0 (at CODE+12, CODE+13) */
		0x04, 0x00,                             /* add al, 0 (CODE+15 is changed) */
		0x66, 0x01, 0xc2,                       /* add dx, ax */
		0xeb, 0xf0, } },                        /* jmp to inc byte [ebx+2] */
	{ "x87, MMX and SSE", {
		0xdb, 0xe3, 0xd9, 0xe8, 0xd9, 0xeb, 0xde, 0xf9,        /* fninit; fld1; fldpi; fdivp */
		0xdd, 0x1d, 0, 0x80, 0, 0,              /* fstp qword [DATA] */
		0x0f, 0x10, 0x05, 0, 0x80, 0, 0,        /* movups xmm0, [DATA] */
		0x0f, 0x58, 0xc8, 0x66, 0x0f, 0x59, 0xd1,      /* addps xmm1, xmm0; mulpd xmm2, xmm1 */
		0x0f, 0x6f, 0x1d, 0, 0x80, 0, 0,        /* movq mm3, [DATA] */
		0x0f, 0xfe, 0xe3, 0x0f, 0x77,           /* paddd mm4, mm3; emms */
		0xd9, 0x35, 0x20, 0x80, 0, 0,           /* fnstenv [DATA+20h] */
		0x0f, 0xae, 0x05, 0, 0x81, 0, 0,        /* fxsave [DATA+100h] */
		0xf3, 0x0f, 0x2c, 0xc1, 0xeb, 0xc5, } },/* cvttss2si eax, xmm1; jmp to the start */
	{ "faults at every turn", {
		0x31, 0xd2, 0x40, 0xf7, 0xf2, } },      /* xor edx, edx; inc eax; div edx: with no IDT, shutdown */
};

static uint64_t run_pieces(struct pc *pc, const struct program *p, unsigned size, struct tlb_geometry geometry, bool compare)
{
	static struct pc single;
	uint64_t end = STEPS;

	start(pc, p->code, sizeof(p->code), geometry);
	if (compare)
		start(&single, p->code, sizeof(p->code), geometry);
	while (cpu_icount(&pc->cpu) < end) {
		enum cpu_stop why = cpu_run(&pc->cpu, size);
		while (compare && cpu_icount(&single.cpu) < cpu_icount(&pc->cpu))
			if (cpu_run(&single.cpu, 1) != CPU_STOP_BUDGET)
				break;
		if (compare && (size < 40 || cpu_icount(&pc->cpu) >= end))
			check_same(pc, &single, p->name, size);
		if (why != CPU_STOP_BUDGET)
			break;
	}
	if (compare)
		stop(&single);
	return cpu_icount(&pc->cpu);
}

START_TEST(any_slicing_gives_the_same_state)
{
	static struct pc pc;
	const struct program *p = &programs[_i];

	for (unsigned size = 1; size < 80; size++) {
		run_pieces(&pc, p, size, (struct tlb_geometry) { 0, 0 }, true);
		stop(&pc);
	}
}
END_TEST

START_TEST(a_modelled_TLB_gives_the_same_state_as_a_flat_one)
{
	static struct pc flat_pc, modelled;
	const struct program *p = &programs[_i];

	run_pieces(&flat_pc, p, STEPS, (struct tlb_geometry) { 0, 0 }, false);
	run_pieces(&modelled, p, STEPS, (struct tlb_geometry) { 8, 2 }, false);
	check_same(&flat_pc, &modelled, p->name, STEPS);
	stop(&flat_pc);
	stop(&modelled);
}
END_TEST

START_TEST(a_store_into_the_next_instruction_is_seen)
{
	/* mov byte [CODE+8], 42; mov al, 0 (its immediate is at CODE+8); jmp $ */
	static const uint8_t code[] = { 0xc6, 0x05, 0xf8, 0x1f, 0, 0, 42, 0xb0, 0x00, 0xeb, 0xfe };
	static struct pc pc;

	start(&pc, code, sizeof(code), (struct tlb_geometry) { 0, 0 });
	cpu_run(&pc.cpu, 10);
	ck_assert_uint_eq(pc.cpu.r[R_EAX], 42);
	stop(&pc);
}
END_TEST

/* A page table entry changes under the running code, unnoticed by the TLB until a first store to the page walks again. */
START_TEST(a_store_that_moves_its_own_page_goes_on_in_the_new_one)
{
	enum { DIRECTORY = 0x10000, TABLE = 0x11000, OLD = 0x20000, NEW = 0x30000 };
	/* mov dword [PTE of OLD], NEW; mov [OLD+800h], eax; mov al, 1; jmp $ */
	uint8_t code[] = { 0xc7, 0x05, 0x80, 0x10, 0x01, 0, 0x67, 0, 3, 0, 0xa3, 0, 8, 2, 0, 0xb0, 1, 0xeb, 0xfe };
	static struct pc pc;

	for (unsigned budget = 1; budget <= 4; budget += 3) {
		start(&pc, code, 0, (struct tlb_geometry) { 0, 0 });
		phys_write(&pc.phys, DIRECTORY, 4, TABLE | PG_P | PG_W);
		for (unsigned i = 0; i < 256; i++)
			phys_write(&pc.phys, TABLE + 4 * i, 4, i << 12 | PG_P | PG_W);
		code[16] = 1;
		phys_copy_in(&pc.phys, OLD, code, sizeof(code));
		code[16] = 2;
		phys_copy_in(&pc.phys, NEW, code, sizeof(code));
		cpu_set_cr3(&pc.cpu, DIRECTORY);
		cpu_set_cr0(&pc.cpu, CR0_PE | CR0_ET | CR0_PG);
		pc.cpu.eip = OLD;
		for (unsigned n = 0; n < 4; n += budget)
			cpu_run(&pc.cpu, budget);
		ck_assert_uint_eq(pc.cpu.r[R_EAX] & 0xff, 2);
		ck_assert_uint_eq(cpu_icount(&pc.cpu), 4);
		stop(&pc);
	}
}
END_TEST

static void ferr(void *owner, bool level)
{
	struct pc *pc = owner;

	pc->ports = cpu_icount(&pc->cpu) * 2 + level;
}

/* The board sees FERR# fall at the instruction that ends the error, in the middle of a block too. */
START_TEST(FERR_falls_when_FNCLEX_runs)
{
	static const uint8_t code[] = { 0x40, 0x40, 0xdb, 0xe2, 0x40, 0x40, 0xeb, 0xf8 };      /* inc, twice; fnclex; inc, twice; jmp to the start */
	static struct pc pc;

	start(&pc, code, sizeof(code), (struct tlb_geometry) { 0, 0 });
	pc.cpu.bus.ferr = ferr;
	pc.cpu.ferr = true;
	cpu_run(&pc.cpu, 100);
	ck_assert_uint_eq(pc.ports, 3 * 2);
	stop(&pc);
}
END_TEST

START_TEST(a_store_by_DMA_is_seen)
{
	static const uint8_t code[] = { 0xb0, 0x01, 0xeb, 0xfc };      /* mov al, 1; jmp to the start */
	static struct pc pc;

	start(&pc, code, sizeof(code), (struct tlb_geometry) { 0, 0 });
	cpu_run(&pc.cpu, 100);
	phys_copy_in(&pc.phys, CODE + 1, "\x07", 1);
	cpu_run(&pc.cpu, 2);
	ck_assert_uint_eq(pc.cpu.r[R_EAX] & 0xff, 7);
	stop(&pc);
}
END_TEST

START_TEST(the_budget_is_kept_to_the_instruction)
{
	static const uint8_t code[] = { 0x40, 0x40, 0x40, 0x40, 0x40, 0xeb, 0xf9 };    /* inc eax, five times; jmp to the start */
	static struct pc pc;

	for (unsigned budget = 0; budget < 100; budget++) {
		start(&pc, code, sizeof(code), (struct tlb_geometry) { 0, 0 });
		ck_assert_int_eq(cpu_run(&pc.cpu, budget), CPU_STOP_BUDGET);
		ck_assert_uint_eq(cpu_icount(&pc.cpu), budget);
		ck_assert_uint_eq(pc.cpu.r[R_EAX], budget - budget / 6);
		stop(&pc);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("slices");
	TCase *t = tcase_create("slices");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 100);
	tcase_add_loop_test(t, any_slicing_gives_the_same_state, 0, sizeof(programs) / sizeof(programs[0]));
	tcase_add_loop_test(t, a_modelled_TLB_gives_the_same_state_as_a_flat_one, 0, sizeof(programs) / sizeof(programs[0]));
	tcase_add_test(t, a_store_into_the_next_instruction_is_seen);
	tcase_add_test(t, a_store_that_moves_its_own_page_goes_on_in_the_new_one);
	tcase_add_test(t, FERR_falls_when_FNCLEX_runs);
	tcase_add_test(t, a_store_by_DMA_is_seen);
	tcase_add_test(t, the_budget_is_kept_to_the_instruction);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
