/* tests/emu/micro_test.c: what a walk step tells of one instruction, event by event, in the words people read; and that looking inside
 * changes nothing. */
#include "debug_rig.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "emu/debug/view/views.h"
#include "emu/debug/explain/why.h"

static struct rig rig;
static struct micro u;
static char err[ERROR_LINE];

/* Looks inside the next instruction, twice; nothing may have changed, and the second look tells the same. */
static void look_here(void)
{
	struct micro again;
	uint64_t state = rig_state(&rig);

	ck_assert_msg(!micro_begin(&rig.d, &u, err), "%s", err);
	ck_assert_uint_eq(rig_state(&rig), state);
	ck_assert_msg(!micro_begin(&rig.d, &again, err), "%s", err);
	ck_assert_uint_eq(rig_state(&rig), state);
	ck_assert_uint_eq(again.count, u.count);
	micro_free(&again);
	text_clear(&rig.text);
	for (size_t i = 0; i < u.count; i++) {
		micro_describe(&rig.d, &u.event[i], &rig.text);
		text_add(&rig.text, "\n");
	}
	micro_free(&u);
}

static void look(void)
{
	rig_go(&rig);
	look_here();
}

static void expect(const char *story)
{
	rig_expect(&rig, story);
	rig_close(&rig);
}

/* The TLB knows the page already. */
static void warm(laddr_t la, enum access_kind kind, bool user)
{
	struct access a = { .la = la, .kind = kind, .user = user };
	struct translation t;

	ck_assert(mmu_translate(&rig.m->mmu, &a, &t));
}

/* --- translations -------------------------------------------------------------------------------------------------- */

START_TEST(a_first_access_walks_two_levels)
{
	rig_open(&rig, 0);
	CODE(&rig, RIG_CODE, 0xa1, 0x44, 0x00, 0x02, 0x00);            /* mov eax, [0x20044] */
	rig_put32(&rig, 0x20044, 0xcafe);
	look();
	expect("miss");
}
END_TEST

START_TEST(a_translation_in_the_tlb_needs_no_walk)
{
	rig_open(&rig, 3);
	CODE(&rig, RIG_CODE, 0xa1, 0x44, 0x00, 0x02, 0x00);
	warm(RIG_CODE, ACCESS_FETCH, true);
	warm(0x20000, ACCESS_READ, true);
	look();
	expect("hit");
}
END_TEST

START_TEST(a_first_write_walks_again_to_set_dirty)
{
	rig_open(&rig, 0);
	CODE(&rig, RIG_CODE, 0xa3, 0x44, 0x00, 0x02, 0x00);            /* mov [0x20044], eax */
	warm(RIG_CODE, ACCESS_FETCH, false);
	warm(0x20000, ACCESS_READ, false);
	look();
	expect("first_write");
}
END_TEST

START_TEST(a_large_page_has_one_level)
{
	rig_open(&rig, 0);
	cpu_set_cr4(&rig.m->cpu, CR4_PSE);
	rig_put32(&rig, RIG_DIRECTORY + 4, PG_P | PG_W | PG_PS);
	CODE(&rig, RIG_CODE, 0x88, 0x25, 0x21, 0x00, 0x42, 0x00);      /* mov [0x420021], ah */
	warm(RIG_CODE, ACCESS_FETCH, false);
	look();
	expect("large");
}
END_TEST

START_TEST(pae_has_three_levels)
{
	rig_open(&rig, 0);
	rig_pae(&rig, true);
	CODE(&rig, RIG_CODE, 0xff, 0x05, 0x44, 0x00, 0x02, 0x00);      /* incl [0x20044] */
	warm(RIG_CODE, ACCESS_FETCH, false);
	look();
	expect("pae");
}
END_TEST

START_TEST(a_split_access_is_two_accesses)
{
	rig_open(&rig, 0);
	CODE(&rig, RIG_CODE + 0xffe, 0xa3, 0xfe, 0x1f, 0x02, 0x00);    /* mov [0x21ffe], eax */
	rig.m->cpu.eip = RIG_CODE + 0xffe;
	look();
	expect("split");
}
END_TEST

START_TEST(invlpg_drops_one_translation)
{
	rig_open(&rig, 0);
	CODE(&rig, RIG_CODE, 0x0f, 0x01, 0x3d, 0x44, 0x00, 0x02, 0x00);
	warm(RIG_CODE, ACCESS_FETCH, false);
	warm(0x20000, ACCESS_READ, false);
	look();
	expect("invlpg");
}
END_TEST

START_TEST(loading_cr3_drops_all)
{
	rig_open(&rig, 0);
	CODE(&rig, RIG_CODE, 0x0f, 0x22, 0xd8);                        /* mov cr3, eax */
	rig.m->cpu.r[R_EAX] = RIG_DIRECTORY;
	warm(RIG_CODE, ACCESS_FETCH, false);
	warm(0x20000, ACCESS_READ, false);
	warm(0x21000, ACCESS_READ, false);
	look();
	expect("cr3");
}
END_TEST

/* --- faults ----------------------------------------------------------------------------------------------------------- */

START_TEST(a_user_fault_switches_stacks)
{
	rig_open(&rig, 3);
	CODE(&rig, RIG_CODE, 0xa3, 0x00, 0x00, 0x10, 0x00);            /* mov [0x100000], eax */
	warm(RIG_CODE, ACCESS_FETCH, true);
	look();
	expect("user_fault");
}
END_TEST

START_TEST(a_copy_on_write_fault_drops_the_read_translation)
{
	rig_open(&rig, 3);
	rig_page(&rig, RIG_FREE, 0x123000 | PG_P | PG_U);
	CODE(&rig, RIG_CODE, 0xa3, 0x00, 0x00, 0x10, 0x00);
	warm(RIG_CODE, ACCESS_FETCH, true);
	warm(RIG_FREE, ACCESS_READ, true);
	warm(RIG_IDT, ACCESS_READ, false);
	warm(RIG_GDT, ACCESS_READ, false);
	warm(RIG_TSS, ACCESS_READ, false);
	warm(RIG_STACK0 - 4, ACCESS_WRITE, false);
	warm(RIG_HANDLERS, ACCESS_FETCH, false);
	look();
	expect("cow");
}
END_TEST

START_TEST(a_fetch_from_a_no_execute_page)
{
	rig_open(&rig, 3);
	rig_pae(&rig, true);
	rig_pae_page(&rig, RIG_CODE, RIG_CODE | OPEN | PG_NX);
	look();
	expect("no_execute");
}
END_TEST

START_TEST(a_kernel_stack_that_is_not_mapped_shuts_down)
{
	rig_open(&rig, 0);
	rig.m->cpu.r[R_ESP] = RIG_FREE + 0x1000;
	CODE(&rig, RIG_CODE, 0x50);                                    /* push eax */
	warm(RIG_CODE, ACCESS_FETCH, false);
	look();
	expect("triple");
}
END_TEST

START_TEST(a_double_fault_through_a_task_gate)
{
	rig_open(&rig, 0);
	rig.m->cpu.r[R_ESP] = RIG_FREE + 0x1000;
	CODE(&rig, RIG_CODE, 0x50);
	rig_gate(&rig, VEC_DF, RIG_TR2, 0, 0x85);
	rig_put32(&rig, RIG_TSS2 + 28, RIG_DIRECTORY);
	rig_put32(&rig, RIG_TSS2 + 32, RIG_HANDLERS + 16 * VEC_DF);
	rig_put32(&rig, RIG_TSS2 + 36, F_ONE);
	rig_put32(&rig, RIG_TSS2 + 56, 0x31000);
	for (unsigned s = 0; s < 6; s++)
		rig_put32(&rig, RIG_TSS2 + 72 + 4 * s, s == SEG_CS ? RIG_CS0 : RIG_DS0);
	warm(RIG_CODE, ACCESS_FETCH, false);
	look();
	expect("double_task");
}
END_TEST

START_TEST(a_general_protection_fault_names_no_address)
{
	rig_open(&rig, 3);
	CODE(&rig, RIG_CODE, 0xfa);                                    /* cli */
	look();
	expect("protection");
}
END_TEST

/* --- events ------------------------------------------------------------------------------------------------------------- */

START_TEST(an_interrupt_out_of_virtual_8086_mode)
{
	rig_open(&rig, 0);
	rig_v86(&rig);
	rig.m->cpu.nmi_pending = true;
	look();
	expect("v86_interrupt");
}
END_TEST

START_TEST(an_interrupt_of_the_timer)
{
	rig_open(&rig, 3);
	struct pic_chip *chip = &rig.m->pic.chip[0];
	chip->vector = 0x20;
	chip->imr = 0xfe;
	cpu_set_eflags(&rig.m->cpu, F_ONE | F_IF);
	pic_set_irq(&rig.m->pic, 0, 1);
	look();
	expect("timer");
}
END_TEST

START_TEST(a_system_call)
{
	rig_open(&rig, 3);
	rig_gate(&rig, 0x80, RIG_CS0, RIG_HANDLERS + 0x800, 0xef);
	CODE(&rig, RIG_CODE, 0xcd, 0x80);
	look();
	expect("system_call");
}
END_TEST

START_TEST(a_16_bit_gate_pushes_words)
{
	rig_open(&rig, 0);
	rig_gate(&rig, 0x30, RIG_CS0, 0x8000, 0x86);
	CODE(&rig, RIG_CODE, 0xcd, 0x30);
	rig.m->cpu.r[R_ESP] = 0x31001;                                 /* slots across a page boundary */
	look();
	expect("gate16");
}
END_TEST

START_TEST(a_call_across_pages)
{
	rig_open(&rig, 0);
	CODE(&rig, RIG_CODE, 0xe8, 0xfb, 0x1f, 0x00, 0x00);            /* call 0x12000 */
	look();
	expect("call");
}
END_TEST

START_TEST(a_return_reads_the_stack)
{
	rig_open(&rig, 0);
	CODE(&rig, RIG_CODE, 0xc3);
	rig.m->cpu.r[R_ESP] = RIG_STACK0 - 4;
	rig_put32(&rig, RIG_STACK0 - 4, 0x12000);
	warm(RIG_CODE, ACCESS_FETCH, false);
	look();
	expect("return");
}
END_TEST

START_TEST(each_iteration_of_a_string_instruction_is_a_step)
{
	rig_open(&rig, 0);
	CODE(&rig, RIG_CODE, 0xf3, 0xa5);                              /* rep movsd */
	rig.m->cpu.r[R_ESI] = 0x20ffc;
	rig.m->cpu.r[R_EDI] = 0x22000;
	rig.m->cpu.r[R_ECX] = 3;
	rig_put32(&rig, 0x21000, 0x12345678);
	rig_go(&rig);
	ck_assert_int_eq(history_run(rig.h, 1), MACHINE_RAN);
	look_here();
	expect("rep_movs");
}
END_TEST

START_TEST(a_port_access)
{
	rig_open(&rig, 0);
	CODE(&rig, RIG_CODE, 0xe4, 0x64);                              /* in al, 0x64 */
	warm(RIG_CODE, ACCESS_FETCH, false);
	look();
	expect("port");
}
END_TEST

START_TEST(real_mode_has_a_table_of_far_pointers)
{
	rig_open(&rig, 0);
	struct cpu *cpu = &rig.m->cpu;
	cpu_set_cr0(cpu, CR0_ET);
	for (unsigned s = 0; s <= SEG_GS; s++)
		cpu_set_segment(cpu, s, s == SEG_CS ? RIG_CODE >> 4 : 0x3000, s == SEG_CS ? RIG_CODE : 0x30000, 0xffff, 0x93, 0);
	cpu->idtr = (struct table_register){ 0, 0x3ff };
	cpu->eip = 0;
	cpu->r[R_ESP] = 0x3f00;
	rig_put32(&rig, 4 * 0x21, 0x20000010);
	CODE(&rig, RIG_CODE, 0xcd, 0x21);
	look();
	expect("real_mode");
}
END_TEST

START_TEST(a_small_tlb_makes_room)
{
	rig_open_with(&rig, 0, (struct tlb_geometry){ 1, 1 });
	CODE(&rig, RIG_CODE, 0xa1, 0x44, 0x00, 0x02, 0x00);
	look();
	expect("small_tlb");
}
END_TEST

/* --- anything ------------------------------------------------------------------------------------------------------------ */

static uint64_t seed;
static uint32_t any(uint32_t below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33) % below;
}

/* Tables, descriptors, task state and code of chance, most of it near what works. */
static void any_machine(void)
{
	struct cpu *cpu = &rig.m->cpu;

	for (unsigned i = 0; i < 12; i++)
		rig_page(&rig, any(0x400) << 12, (any(0x400) << 12) | any(0x200));
	for (unsigned i = 0; i < 4; i++)
		phys_write(&rig.m->phys, (i & 1 ? RIG_GDT : RIG_IDT) + any(i & 1 ? 0x38 : 0x100), 1, any(0x100));
	if (!any(4))
		rig_put32(&rig, RIG_TSS + 4, any(0x400000));
	if (!any(8))
		rig_put32(&rig, RIG_DIRECTORY, any(0x800000));
	if (!any(8))
		cpu->idtr.limit = (uint16_t)any(0x200);
	if (!any(8))
		cpu->seg[SEG_TR].limit = any(0x80);
	for (unsigned i = 0; i < 8; i++)
		cpu->r[i] = any(0x400000);
	for (unsigned i = 0; i < 64; i++)
		phys_write(&rig.m->phys, RIG_CODE + i, 1, any(0x100));
	if (any(2))
		phys_write(&rig.m->phys, RIG_CODE, 2, (any(0x40) << 8 | 0xcd));
}

START_TEST(looking_into_anything_changes_nothing)
{
	for (unsigned round = 0; round < 40; round++) {
		seed = (uint64_t)_i * 1000 + round;
		rig_open(&rig, any(2) ? 3 : 0);
		if (!any(3))
			rig_pae(&rig, any(2));
		if (!any(4))
			rig_v86(&rig);
		any_machine();
		rig_go(&rig);
		history_run(rig.h, any(4));
		uint64_t state = rig_state(&rig);
		if (!micro_begin(&rig.d, &u, err)) {
			ck_assert_uint_gt(u.count, 0);
			for (size_t i = 0; i < u.count; i++)
				micro_describe(&rig.d, &u.event[i], &rig.text);
			micro_free(&u);
		}
		ck_assert_msg(rig_state(&rig) == state, "round %u of %d", round, _i);
		why_tell(&rig.d, true, &rig.text);
		ck_assert_msg(rig_state(&rig) == state, "story of round %u of %d", round, _i);
		view_walk(&rig.d, &(struct view_request){ .width = 80 }, &rig.text);
		view_tables(&rig.d, &(struct view_request){ .width = 80, .height = 24 }, &rig.text);
		view_tlb(&rig.d, &(struct view_request){ .width = 80 }, &rig.text);
		ck_assert_msg(rig_state(&rig) == state, "views of round %u of %d", round, _i);
		rig_close(&rig);
	}
}
END_TEST

START_TEST(a_halted_processor_has_nothing_to_show)
{
	rig_open(&rig, 0);
	CODE(&rig, RIG_CODE, 0xf4);                                    /* hlt, interrupts on */
	cpu_set_eflags(&rig.m->cpu, F_ONE | F_IF);
	rig_go(&rig);
	ck_assert_int_eq(history_run(rig.h, 1), MACHINE_RAN);
	uint64_t state = rig_state(&rig);
	ck_assert_int_eq(micro_begin(&rig.d, &u, err), -1);
	ck_assert_str_eq(err, "the processor is halted: nothing happens until an interrupt comes");
	ck_assert_uint_eq(rig_state(&rig), state);
	rig_close(&rig);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("micro");
	Suite *s = suite_create("micro");
	SRunner *r = srunner_create(s);

	setlocale(LC_CTYPE, "C.UTF-8");
	tcase_set_timeout(t, 100);
	tcase_add_test(t, a_first_access_walks_two_levels);
	tcase_add_test(t, a_translation_in_the_tlb_needs_no_walk);
	tcase_add_test(t, a_first_write_walks_again_to_set_dirty);
	tcase_add_test(t, a_large_page_has_one_level);
	tcase_add_test(t, pae_has_three_levels);
	tcase_add_test(t, a_split_access_is_two_accesses);
	tcase_add_test(t, invlpg_drops_one_translation);
	tcase_add_test(t, loading_cr3_drops_all);
	tcase_add_test(t, a_user_fault_switches_stacks);
	tcase_add_test(t, a_copy_on_write_fault_drops_the_read_translation);
	tcase_add_test(t, a_fetch_from_a_no_execute_page);
	tcase_add_test(t, a_kernel_stack_that_is_not_mapped_shuts_down);
	tcase_add_test(t, a_double_fault_through_a_task_gate);
	tcase_add_test(t, a_general_protection_fault_names_no_address);
	tcase_add_test(t, an_interrupt_out_of_virtual_8086_mode);
	tcase_add_test(t, an_interrupt_of_the_timer);
	tcase_add_test(t, a_system_call);
	tcase_add_test(t, a_16_bit_gate_pushes_words);
	tcase_add_test(t, a_call_across_pages);
	tcase_add_test(t, a_return_reads_the_stack);
	tcase_add_test(t, each_iteration_of_a_string_instruction_is_a_step);
	tcase_add_test(t, a_port_access);
	tcase_add_test(t, real_mode_has_a_table_of_far_pointers);
	tcase_add_test(t, a_small_tlb_makes_room);
	tcase_add_loop_test(t, looking_into_anything_changes_nothing, 0, 10);
	tcase_add_test(t, a_halted_processor_has_nothing_to_show);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
