/* tests/cpu/system_paging_test.c: PAE paging and no-execute as instructions see them: what loads the PDPTE registers and what
 * does not, [SDM3A 4.4.1 "PDPTE Registers"]; EFER.NXE, [SDM3A 4.6 "Access Rights"]; memory above 4 GB.
 */
#include "system_pc.h"

static struct pc *pc;

static void setup(void) { pc = pc_new(); }
static void teardown(void) { pc_free(pc); }

/* The first GB: one directory, one table, low memory one to one. */
enum { POINTERS = 0x42020, POINTERS2 = 0x42040, PAE_DIRECTORY = 0x43000, PAE_TABLE = 0x44000, BAD = 0x42060 };
#define OPEN (PG_P | PG_W | PG_U)
#define NX_HIGH 0x80000000u                /* in the upper half of an entry */

static void put64(uint32_t at, uint32_t low, uint32_t high)
{
	put32(pc, at, low);
	put32(pc, at + 4, high);
}

static void pae_page(uint32_t la, uint32_t low, uint32_t high)
{
	put64(PAE_TABLE + 8 * (la >> 12), low, high);
	mmu_invlpg(&pc->mmu, la);
}

static void pae_tables(void)
{
	put64(POINTERS, PAE_DIRECTORY | PG_P, 0);
	put64(POINTERS2, PAE_DIRECTORY | PG_P, 0);
	put64(POINTERS2 + 24, PAE_DIRECTORY | PG_P, 0);
	put64(BAD, PAE_DIRECTORY | PG_P, 0);
	put64(BAD + 24, PAE_DIRECTORY | PG_P | PG_W, 0);       /* bit 1 is reserved */
	put64(PAE_DIRECTORY, PAE_TABLE | OPEN, 0);
	for (uint32_t la = 0; la < PC_RAM; la += PAGE_SIZE)
		put64(PAE_TABLE + 8 * (la >> 12), la | OPEN, 0);
}

static void pae_on(unsigned cpl)
{
	ring(pc, cpl);
	pae_tables();
	cpu_set_cr4(&pc->cpu, CR4_PAE);
	cpu_set_cr3(&pc->cpu, POINTERS);
	cpu_set_cr0(&pc->cpu, CR0_PE | CR0_PG | CR0_WP | CR0_ET);
}

static void mov_cr(unsigned cr, uint32_t value)
{
	pc->cpu.eip = CODE;
	pc->cpu.r[R_EAX] = value;
	RUN(pc, 0x0f, 0x22, (uint8_t)(0xc0 | cr << 3));
}

static void wrmsr(uint32_t index, uint32_t low, uint32_t high)
{
	pc->cpu.eip = CODE;
	pc->cpu.r[R_ECX] = index;
	pc->cpu.r[R_EAX] = low;
	pc->cpu.r[R_EDX] = high;
	RUN(pc, 0x0f, 0x30);
}

static void expect_pdptes(uint32_t table)
{
	for (unsigned i = 0; i < PDPTES; i++)
		ck_assert_uint_eq(pc->cpu.pdpte[i], phys_peek64(&pc->phys, table + 8 * i));
	ck_assert(!memcmp(pc->cpu.pdpte, pc->mmu.pg.pdpte, sizeof(pc->cpu.pdpte)));
}

/* --- what loads the PDPTEs ---------------------------------------------------------------------------------------- */

START_TEST(turning_pae_paging_on_loads_the_pdptes)
{
	ring(pc, 0);
	pae_tables();
	mov_cr(3, POINTERS2 | 0x18);                           /* no PAE paging yet: no table is read */
	expect_no_fault(pc);
	ck_assert_uint_eq(pc->cpu.pdpte[0], 0);
	if (_i) {
		mov_cr(4, CR4_PAE);
		ck_assert_uint_eq(pc->cpu.pdpte[0], 0);
		mov_cr(0, CR0_PE | CR0_PG);
	} else {                                               /* CR4 last, from 32-bit paging */
		paging(pc);
		cpu_set_cr3(&pc->cpu, POINTERS2 | 0x18);
		put32(pc, POINTERS2 & PG_FRAME, TABLE | OPEN);
		mov_cr(4, CR4_PAE);
	}
	expect_no_fault(pc);
	expect_pdptes(POINTERS2);
	ck_assert_uint_eq(pc->cpu.cr3, POINTERS2 | 0x18);
	pc->cpu.eip = CODE;
	RUN(pc, 0xa1, W32(POINTERS2));                         /* mov eax, [..] */
	ck_assert_uint_eq(pc->cpu.r[R_EAX], PAE_DIRECTORY | PG_P);
}
END_TEST

START_TEST(mov_to_cr3_loads_the_pdptes)
{
	pae_on(0);
	expect_pdptes(POINTERS);
	put64(POINTERS + 16, PAE_DIRECTORY | PG_P, 0);
	ck_assert_uint_eq(pc->cpu.pdpte[2], 0);
	mov_cr(3, POINTERS);
	expect_no_fault(pc);
	expect_pdptes(POINTERS);
	mov_cr(3, POINTERS2 | 0x1f);
	expect_no_fault(pc);
	expect_pdptes(POINTERS2);
}
END_TEST

START_TEST(a_pdpte_changed_in_memory_counts_when_it_is_loaded_and_not_before)
{
	static const uint8_t invlpg[] = { 0x0f, 0x01, 0x3d, W32(0xc0000000u + TARGET) };

	pae_on(0);
	put64(POINTERS + 24, PAE_DIRECTORY | PG_P, 0);
	for (unsigned i = 0; i < 3; i++) {
		pc->cpu.eip = CODE;
		if (i)
			run_bytes(pc, invlpg, sizeof(invlpg));
		pc->cpu.eip = CODE;
		RUN(pc, 0xa1, W32(0xc0000000u + TARGET));
		expect_error(pc, VEC_PF, 0);
		ck_assert_int_eq(pc->mmu.last_fault.result, WALK_NOT_PRESENT);
		ck_assert_uint_eq(pc->mmu.last_fault.levels, 1);
		pc->cpu.r[R_ESP] = STACK0 - 0x100;
	}
	mov_cr(3, POINTERS);
	pc->cpu.eip = CODE;
	RUN(pc, 0xa1, W32(0xc0000000u + TARGET));
	expect_no_fault(pc);
	put64(POINTERS + 24, 0, 0);
	cpu_set_cr0(&pc->cpu, pc->cpu.cr0);
	mmu_flush_all(&pc->mmu);
	pc->cpu.eip = CODE;
	RUN(pc, 0xa1, W32(0xc0000000u + TARGET));
	expect_no_fault(pc);
}
END_TEST

/* Which changed bits of CR0 and CR4 load the PDPTEs. */
struct load_case { uint8_t cr; uint32_t change; bool loads; };
static const struct load_case load_cases[] = {
	{ 0, CR0_CD, true }, { 0, CR0_CD | CR0_NW, true }, { 0, CR0_WP, false }, { 0, CR0_TS, false }, { 0, CR0_AM, false }, { 0, 0, false },
	{ 4, CR4_PGE, true }, { 4, CR4_PSE, true }, { 4, CR4_TSD, false }, { 4, CR4_DE, false }, { 4, 0, false },
};

START_TEST(some_bits_of_cr0_and_cr4_load_the_pdptes)
{
	const struct load_case *c = &load_cases[_i];

	pae_on(0);
	put64(POINTERS + 8, PAE_DIRECTORY | PG_P, 0);
	mov_cr(c->cr, (c->cr ? pc->cpu.cr4 : pc->cpu.cr0) ^ c->change);
	expect_no_fault(pc);
	ck_assert_uint_eq(pc->cpu.pdpte[1] != 0, c->loads);
}
END_TEST

START_TEST(a_reserved_bit_in_a_present_pdpte_is_refused_and_nothing_changes)
{
	const struct load_case *c = &load_cases[_i];
	struct cpu before;

	pae_on(0);
	mov_cr(3, BAD);
	expect_error(pc, VEC_GP, 0);
	ck_assert_uint_eq(pc->cpu.cr3, POINTERS);
	expect_pdptes(POINTERS);

	pc->cpu.r[R_ESP] = STACK0 - 0x100;
	put64(POINTERS + 8, PG_P | 1u << 5, 0);
	before = pc->cpu;
	mov_cr(c->cr, (c->cr ? pc->cpu.cr4 : pc->cpu.cr0) ^ c->change);
	if (c->loads)
		expect_error(pc, VEC_GP, 0);
	else
		expect_no_fault(pc);
	ck_assert(!memcmp(before.pdpte, pc->cpu.pdpte, sizeof(before.pdpte)));
	ck_assert_uint_eq(pc->cpu.control_count, before.control_count + !c->loads);

	put64(POINTERS + 8, 1u << 5, 0);                       /* not present: not looked at */
	mov_cr(c->cr, (c->cr ? before.cr4 : before.cr0) ^ c->change);
	expect_no_fault(pc);
}
END_TEST

START_TEST(turning_paging_on_with_bad_pdptes_is_refused)
{
	ring(pc, 0);
	pae_tables();
	cpu_set_cr4(&pc->cpu, CR4_PAE);
	cpu_set_cr3(&pc->cpu, BAD);
	mov_cr(0, CR0_PE | CR0_PG);
	expect_error(pc, VEC_GP, 0);
	ck_assert_uint_eq(pc->cpu.cr0 & CR0_PG, 0);
	ck_assert(!pc->mmu.pg.enabled);

	ring(pc, 0);
	paging(pc);
	cpu_set_cr4(&pc->cpu, 0);
	cpu_set_cr3(&pc->cpu, DIRECTORY);
	put64(DIRECTORY, TABLE | OPEN, 0);                     /* W and U are reserved in a PDPTE */
	mov_cr(4, CR4_PAE);
	expect_error(pc, VEC_GP, 0);
	ck_assert_uint_eq(pc->cpu.cr4, 0);
	ck_assert(!pc->mmu.pg.pae);
}
END_TEST

START_TEST(without_paging_or_without_pae_no_pdpte_is_looked_at)
{
	ring(pc, 0);
	pae_tables();
	mov_cr(3, BAD);
	expect_no_fault(pc);
	mov_cr(4, CR4_PAE | CR4_PGE);
	expect_no_fault(pc);
	mov_cr(4, CR4_PGE);
	paging(pc);
	put64(DIRECTORY + 24, OPEN, 0);
	mov_cr(3, DIRECTORY);
	expect_no_fault(pc);
	mov_cr(4, 0);
	expect_no_fault(pc);
}
END_TEST

/* --- task switches ------------------------------------------------------------------------------------------------ */

static void second_task(uint32_t cr3)
{
	memset(pc->ram + TSS2, 0, 0x68);
	put32(pc, TSS2 + 28, cr3);
	put32(pc, TSS2 + 32, TARGET);
	put32(pc, TSS2 + 36, F_ONE);
	put32(pc, TSS2 + 56, STACK2);
	for (unsigned s = 0; s < 6; s++)
		put16(pc, TSS2 + 72 + 4 * s, s == SEG_CS ? CS0 : DS0);
	PLACE(pc, CODE, 0xea, W32(0), W16(TR2));
}

START_TEST(a_task_switch_to_another_cr3_loads_the_pdptes)
{
	pae_on(0);
	put64(POINTERS + 8, PAE_DIRECTORY | PG_P, 0);
	second_task(_i ? POINTERS2 : POINTERS);
	step(pc, 1);
	expect_no_fault(pc);
	expect_segment(pc, SEG_TR, TR2);
	if (_i)
		expect_pdptes(POINTERS2);
	else
		ck_assert_uint_eq(pc->cpu.pdpte[1], 0);        /* the same CR3: nothing is loaded */
}
END_TEST

START_TEST(a_task_switch_to_bad_pdptes_is_GP_in_the_new_task)
{
	pae_on(0);
	second_task(BAD);
	pc->trace_checked = false;
	step(pc, 1);
	ck_assert_uint_eq(pc->first.fault.vector, VEC_GP);
	ck_assert_uint_eq(pc->first.fault.error, 0);
	ck_assert_uint_eq(pc->first.eip, TARGET);
	expect_segment(pc, SEG_TR, TR2);
	ck_assert_uint_eq(pc->cpu.cr3, BAD);
	ck_assert_uint_eq(pc->cpu.pdpte[3], 0);
}
END_TEST

/* --- EFER and no-execute ------------------------------------------------------------------------------------------ */

START_TEST(EFER_has_NXE_only)
{
	ring(pc, 0);
	for (unsigned bit = 0; bit < 64; bit++) {
		pc->cpu.r[R_ESP] = STACK0 - 0x100;
		wrmsr(0xc0000080, bit < 32 ? 1u << bit : 0, bit < 32 ? 0 : 1u << (bit - 32));
		if (bit == 11)
			expect_no_fault(pc);
		else
			expect_error(pc, VEC_GP, 0);
		ck_assert_uint_eq(pc->cpu.efer, bit < 11 ? 0 : EFER_NXE);
	}
	pc->cpu.eip = CODE;
	RUN(pc, 0x0f, 0x32);                                   /* rdmsr */
	ck_assert_uint_eq(pc->cpu.r[R_EAX], EFER_NXE);
	ck_assert_uint_eq(pc->cpu.r[R_EDX], 0);
	cpu_reset(&pc->cpu);
	ck_assert_uint_eq(pc->cpu.efer, 0);
}
END_TEST

START_TEST(a_fetch_from_a_no_execute_page_faults_and_a_read_does_not)
{
	pae_on(_i ? 3 : 0);
	control_set_efer(&pc->cpu, EFER_NXE);
	pae_page(TARGET, (TARGET & PG_FRAME) | OPEN, NX_HIGH);
	RUN(pc, 0xa1, W32(TARGET));
	expect_no_fault(pc);
	ck_assert_uint_eq(pc->cpu.r[R_EAX] & 0xffff, 0xfeeb);
	PLACE(pc, CODE, 0xe9, W32(TARGET - CODE - 5));         /* jmp TARGET */
	pc->cpu.eip = CODE;
	step(pc, 1);
	ck_assert_uint_eq(pc->cpu.eip, TARGET);
	step(pc, 1);
	expect_error(pc, VEC_PF, PF_P | PF_I | (_i ? PF_U : 0));
	ck_assert_uint_eq(pc->cpu.cr2, TARGET);
}
END_TEST

/* The code's own page: the first instruction after the WRMSR cannot be fetched. */
START_TEST(NXE_counts_from_the_next_instruction_on)
{
	pae_on(0);
	pae_page(CODE, CODE | OPEN, 0);
	pc->cpu.r[R_ECX] = 0xc0000080;
	pc->cpu.r[R_EAX] = EFER_NXE;
	pc->cpu.r[R_EDX] = 0;
	pc->cpu.r[R_EBX] = PAE_TABLE + 8 * (CODE >> 12) + 4;
	/* wrmsr; mov dword [ebx], NX; invlpg [CODE]; nop */
	PLACE(pc, CODE, 0x0f, 0x30, 0xc7, 0x03, W32(NX_HIGH), 0x0f, 0x01, 0x3d, W32(CODE), 0x90);
	pc->trace_checked = false;
	step(pc, 4);
	ck_assert_uint_eq(pc->exceptions, 1);
	ck_assert_uint_eq(pc->last.fault.vector, VEC_PF);
	ck_assert_uint_eq(pc->last.fault.error, PF_P | PF_I);
	ck_assert_uint_eq(pc->last.eip, CODE + 15);
	/* and off again: the bit is reserved now, for a fetch and a read alike, and the error code has no I */
	ring(pc, 0);
	pae_page(CODE, CODE | OPEN, 0);
	pae_page(TARGET, (TARGET & PG_FRAME) | OPEN, NX_HIGH);
	wrmsr(0xc0000080, 0, 0);
	expect_no_fault(pc);
	pc->cpu.eip = TARGET;
	step(pc, 1);
	expect_error(pc, VEC_PF, PF_P | PF_RSVD);
}
END_TEST

START_TEST(an_instruction_whose_second_page_is_no_execute_faults_there)
{
	const uint32_t at = CODE + 0xffe;                      /* two bytes here, three there */

	pae_on(0);
	wrmsr(0xc0000080, EFER_NXE, 0);
	pae_page(CODE + 0x1000, (CODE + 0x1000) | OPEN, NX_HIGH);
	PLACE(pc, at, 0xb8, W32(0x12345678));
	pc->cpu.eip = at;
	step(pc, 1);
	expect_error(pc, VEC_PF, PF_P | PF_I);
	ck_assert_uint_eq(pc->cpu.cr2, CODE + 0x1000);
}
END_TEST

/* --- above 4 GB ---------------------------------------------------------------------------------------------------- */

START_TEST(instructions_find_a_hole_above_4_gb)
{
	pae_on(0);
	put32(pc, TARGET & PG_FRAME, 0x11223344);
	pae_page(0xf0000, (TARGET & PG_FRAME) | OPEN, 1);      /* the RAM page's address plus 4 GB */
	RUN(pc, 0xc7, 0x05, W32(0xf0000), W32(0));             /* mov dword [f0000], 0 */
	expect_no_fault(pc);
	RUN(pc, 0xa1, W32(0xf0000));
	expect_no_fault(pc);
	ck_assert_uint_eq(pc->cpu.r[R_EAX], 0xffffffff);
	RUN(pc, 0xa1, W32(0xefffe));                           /* half RAM, half hole */
	ck_assert_uint_eq(pc->cpu.r[R_EAX], 0xffff0000 | get16(pc, 0xefffe));
	RUN(pc, 0xf0, 0x83, 0x05, W32(0xf0000), 1);            /* lock add dword [f0000], 1 */
	expect_no_fault(pc);
	ck_assert_uint_eq(get32(pc, TARGET & PG_FRAME), 0x11223344);
	pc->cpu.eip = 0xf0000;
	step(pc, 1);                                           /* ff ff */
	expect_fault(pc, VEC_UD);
}
END_TEST

START_TEST(PSE36_reaches_above_4_gb_without_PAE)
{
	ring(pc, 0);
	paging(pc);
	cpu_set_cr4(&pc->cpu, CR4_PSE);
	put32(pc, DIRECTORY + 4 * 0x300, OPEN | PG_PS | 1u << 13);
	RUN(pc, 0xa1, W32(0xc0000000u + TARGET));
	expect_no_fault(pc);
	ck_assert_uint_eq(pc->cpu.r[R_EAX], 0xffffffff);
	put32(pc, DIRECTORY + 4 * 0x300, OPEN | PG_PS);
	mmu_invlpg(&pc->mmu, 0xc0000000u);
	RUN(pc, 0xa1, W32(0xc0000000u + TARGET));
	ck_assert_uint_eq(pc->cpu.r[R_EAX] & 0xffff, 0xfeeb);
	put32(pc, DIRECTORY + 4 * 0x300, OPEN | PG_PS | 1u << 21);
	mmu_invlpg(&pc->mmu, 0xc0000000u);
	RUN(pc, 0xa1, W32(0xc0000000u + TARGET));
	expect_error(pc, VEC_PF, PF_P | PF_RSVD);
}
END_TEST

/* --- state --------------------------------------------------------------------------------------------------------- */

struct seen { bool efer, pdpte; };

static void note_field(void *ctx, const char *name, void *data, size_t size)
{
	struct seen *seen = ctx;

	(void)data;
	seen->efer |= !strcmp(name, "efer") && size == 4;
	seen->pdpte |= !strcmp(name, "pdpte") && size == 32;
}

START_TEST(the_registers_are_part_of_the_state)
{
	struct seen seen = { false, false };
	struct cpu other;

	pae_on(0);
	cpu_visit_state(&pc->cpu, note_field, &seen);
	ck_assert(seen.efer && seen.pdpte);
	other = pc->cpu;
	ck_assert_ptr_null(cpu_compare(&pc->cpu, &other));
	other.pdpte[3] ^= 1;
	ck_assert_str_eq(cpu_compare(&pc->cpu, &other), "pdpte");
	other = pc->cpu;
	other.efer ^= EFER_NXE;
	ck_assert_str_eq(cpu_compare(&pc->cpu, &other), "efer");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("system_paging");
	TCase *t = tcase_create("all");
	SRunner *r;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, turning_pae_paging_on_loads_the_pdptes, 0, 2);
	tcase_add_test(t, mov_to_cr3_loads_the_pdptes);
	tcase_add_test(t, a_pdpte_changed_in_memory_counts_when_it_is_loaded_and_not_before);
	tcase_add_loop_test(t, some_bits_of_cr0_and_cr4_load_the_pdptes, 0, sizeof(load_cases) / sizeof(load_cases[0]));
	tcase_add_loop_test(t, a_reserved_bit_in_a_present_pdpte_is_refused_and_nothing_changes, 0, sizeof(load_cases) / sizeof(load_cases[0]));
	tcase_add_test(t, turning_paging_on_with_bad_pdptes_is_refused);
	tcase_add_test(t, without_paging_or_without_pae_no_pdpte_is_looked_at);
	tcase_add_loop_test(t, a_task_switch_to_another_cr3_loads_the_pdptes, 0, 2);
	tcase_add_test(t, a_task_switch_to_bad_pdptes_is_GP_in_the_new_task);
	tcase_add_test(t, EFER_has_NXE_only);
	tcase_add_loop_test(t, a_fetch_from_a_no_execute_page_faults_and_a_read_does_not, 0, 2);
	tcase_add_test(t, NXE_counts_from_the_next_instruction_on);
	tcase_add_test(t, an_instruction_whose_second_page_is_no_execute_faults_there);
	tcase_add_test(t, instructions_find_a_hole_above_4_gb);
	tcase_add_test(t, PSE36_reaches_above_4_gb_without_PAE);
	tcase_add_test(t, the_registers_are_part_of_the_state);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_set_fork_status(r, CK_NOFORK);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
