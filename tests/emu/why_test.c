/* tests/emu/why_test.c: faults told as stories: what happened, who made the entry what it was, what the handler did; and that telling
 * changes nothing, though it goes back in time. */
#include "debug_rig.h"

#include <jansson.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "emu/debug/guest/guest.h"
#include "emu/debug/guest/source.h"
#include "emu/debug/explain/why.h"

static struct rig rig;

#define PTE(la) (RIG_TABLE + 4 * ((la) >> 12))
#define LE32(x) (uint8_t)(x), (uint8_t)((x) >> 8), (uint8_t)((x) >> 16), (uint8_t)((x) >> 24)
#define STORE(at, value) 0xc7, 0x05, LE32(at), LE32(value)         /* mov dword [at], value */
#define INVLPG(la) 0x0f, 0x01, 0x3d, LE32(la)
#define SPIN 0xeb, 0xfe

/* A page-fault handler that maps RIG_FREE to 0x123000. */
static void handler_that_maps(void)
{
	CODE(&rig, RIG_HANDLERS + 16 * VEC_PF, 0xe9, LE32(0x1000));
	CODE(&rig, RIG_HANDLERS + 16 * VEC_PF + 0x1005, STORE(PTE(RIG_FREE), 0x123000 | OPEN), INVLPG(RIG_FREE), 0x83, 0xc4, 0x04, 0xcf);
}

static void run(uint64_t ticks)
{
	if (!rig.h)
		rig_go(&rig);
	history_run(rig.h, ticks);
}

/* Told twice: the same, and the machine as before. */
static void tell(bool search)
{
	struct text again = { 0 };
	uint64_t state = rig_state(&rig);

	why_tell(&rig.d, search, &rig.text);
	ck_assert_uint_eq(rig_state(&rig), state);
	why_tell(&rig.d, search, &again);
	ck_assert_uint_eq(rig_state(&rig), state);
	if (again.size != rig.text.size || memcmp(again.byte, rig.text.byte, again.size)) {
		fputs(text_plain(&rig.text), stderr);
		fputs(text_plain(&again), stderr);
		ck_abort_msg("told twice, two stories");
	}
	text_free(&again);
}

static void finish(const char *story)
{
	rig_expect(&rig, story);
	rig_close(&rig);
}

static void user_write(uint32_t la)
{
	CODE(&rig, RIG_CODE, 0xa3, LE32(la), SPIN);
}

START_TEST(a_fault_whose_instruction_was_resumed)
{
	rig_open(&rig, 3);
	user_write(RIG_FREE);
	handler_that_maps();
	run(30);
	tell(true);
	finish("why_resumed");
}
END_TEST

START_TEST(a_fault_whose_handler_is_still_at_work)
{
	rig_open(&rig, 3);
	user_write(RIG_FREE);
	handler_that_maps();
	run(2);
	tell(true);
	finish("why_handled");
}
END_TEST

START_TEST(without_search_the_past_is_left_alone)
{
	rig_open(&rig, 3);
	user_write(RIG_FREE);
	handler_that_maps();
	run(30);
	tell(false);
	finish("why_quick");
}
END_TEST

START_TEST(the_writer_that_took_the_page_away)
{
	rig_open(&rig, 0);
	rig_page(&rig, RIG_FREE, 0x123000 | OPEN);
	CODE(&rig, RIG_CODE, STORE(PTE(RIG_FREE), 0), INVLPG(RIG_FREE), 0xa1, LE32(RIG_FREE), SPIN);
	run(10);
	tell(true);
	finish("why_unmapped");
}
END_TEST

START_TEST(the_writer_that_made_it_read_only)
{
	rig_open(&rig, 0);
	rig_page(&rig, RIG_FREE, 0x123000 | OPEN);
	/* The read in between makes a walk set Accessed, which is no news. */
	CODE(&rig, RIG_CODE, STORE(PTE(RIG_FREE), 0x123000 | PG_P), 0xa1, LE32(RIG_FREE), 0xa3, LE32(RIG_FREE), SPIN);
	run(10);
	tell(true);
	finish("why_read_only");
}
END_TEST

START_TEST(a_fault_about_to_be_delivered)
{
	struct breakpoint b = { .kind = BREAK_EXCEPTION, .vector = -1 };
	struct access a = { .la = RIG_FREE, .kind = ACCESS_WRITE, .user = true };

	rig_open(&rig, 3);
	user_write(RIG_FREE);
	rig_go(&rig);
	rig.d.stop = (struct stop){ .kind = STOP_BREAK, .hit = &b, .at = history_now(rig.h),
		.fault = { .fault = { .vector = VEC_PF, .has_error = true, .error = 6, .cr2 = RIG_FREE }, .cs = RIG_CS3, .eip = RIG_CODE,
			.ss = RIG_DS3, .esp = RIG_STACK3, .cr3 = RIG_DIRECTORY } };
	page_walk(&rig.m->phys, &rig.m->mmu.pg, &a, &rig.d.stop.fault.walk);
	tell(true);
	finish("why_pending");
}
END_TEST

START_TEST(a_double_fault_is_told_link_by_link)
{
	rig_open(&rig, 0);
	rig.m->cpu.r[R_ESP] = RIG_FREE + 0x1000;
	CODE(&rig, RIG_CODE, 0x50);                                    /* push eax */
	run(1);
	ck_assert(rig.m->cpu.shutdown);
	tell(true);
	finish("why_triple");
}
END_TEST

START_TEST(turning_paging_on_over_an_empty_directory)
{
	rig_open(&rig, 0);
	cpu_set_cr0(&rig.m->cpu, CR0_PE | CR0_ET);
	cpu_set_cr3(&rig.m->cpu, 0);
	rig.m->cpu.r[R_EAX] = 0x200000;
	rig.m->cpu.r[R_EBX] = CR0_PE | CR0_ET | CR0_PG;
	CODE(&rig, RIG_CODE, 0x0f, 0x22, 0xd8, 0x0f, 0x22, 0xc3, SPIN);        /* mov cr3, eax; mov cr0, ebx */
	run(5);
	ck_assert(rig.m->cpu.shutdown);
	tell(true);
	finish("why_paging_on");
}
END_TEST

START_TEST(a_jump_to_nowhere)
{
	rig_open(&rig, 3);
	rig_page(&rig, 0, 0);
	CODE(&rig, RIG_CODE, 0x31, 0xc0, 0xff, 0xd0);                  /* xor eax, eax; call eax */
	run(3);
	tell(true);
	finish("why_jump");
}
END_TEST

START_TEST(a_protection_fault_names_the_selector)
{
	rig_open(&rig, 0);
	CODE(&rig, RIG_CODE, 0x66, 0xb8, 0x40, 0x00, 0x8e, 0xd8);      /* mov ax, 0x40; mov ds, ax */
	run(2);
	tell(true);
	finish("why_selector");
}
END_TEST

START_TEST(a_page_of_the_supervisor)
{
	rig_open(&rig, 3);
	rig_page(&rig, RIG_FREE, 0x123000 | PG_P | PG_W);
	user_write(RIG_FREE + 8);
	run(1);
	tell(true);
	finish("why_supervisor");
}
END_TEST

START_TEST(no_fault_at_all)
{
	rig_open(&rig, 0);
	CODE(&rig, RIG_CODE, SPIN);
	run(5);
	tell(true);
	finish("why_none");
}
END_TEST

/* Addresses that tell which mistake it was. */
static const struct { uint32_t la; const char *words; } mistakes[] = {
	{ 0, "is a null pointer\n" },
	{ 0x18, "is near zero: a null pointer, with a field or an element 24 bytes behind it\n" },
	{ 0xcccccccc, "is looks" },
	{ 0xccccccd4, "0xcc is what debugging compilers" },
	{ 0xdeadbeef, "0xdeadbeef marks" },
	{ 0x6c6c6568, "reads as the text \"hell\"" },
	{ 0xfffffff4, "is -12 as a number" },
	{ RIG_STACK3 + 0x300000, "page 0x00334" },
};

START_TEST(addresses_that_tell_a_mistake)
{
	rig_open(&rig, 3);
	rig_page(&rig, 0, 0);
	user_write(mistakes[_i].la);
	run(1);
	tell(false);
	const char *want = _i == 2 ? "looks like a pointer that was never set" : mistakes[_i].words;
	ck_assert_msg(strstr(text_plain(&rig.text), want), "%.300s", text_plain(&rig.text));
	rig_close(&rig);
}
END_TEST

START_TEST(json_tells_the_same)
{
	rig_open(&rig, 3);
	user_write(RIG_FREE);
	handler_that_maps();
	run(30);
	uint64_t state = rig_state(&rig);
	json_t *j = why_json(&rig.d, true), *f = json_object_get(j, "fault"), *after = json_object_get(j, "afterwards");
	ck_assert_uint_eq(rig_state(&rig), state);
	ck_assert_int_eq(json_integer_value(json_object_get(f, "vector")), VEC_PF);
	ck_assert_str_eq(json_string_value(json_object_get(f, "cr2")), "0x100000");
	ck_assert(json_is_true(json_object_get(after, "resumed")));
	ck_assert_uint_eq(json_array_size(json_object_get(after, "changes")), 1);
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(json_object_get(after, "changes"), 0), "value")), "0x123007");
	ck_assert_str_eq(json_string_value(json_object_get(json_object_get(j, "walk"), "result")), "not present");
	json_decref(j);
	rig_close(&rig);
}
END_TEST

/* --- Pagoda ------------------------------------------------------------------------------------------------------------ */

static void swallow(void *owner, uint8_t byte)
{
	(void)owner;
	(void)byte;
}

static const char *typed;
static int type(void *owner)
{
	(void)owner;
	return *typed ? (unsigned char)*typed++ : -1;
}

/* Stops when demo-cow's first write to a page that it shares with its parent is resumed. */
struct first_copy { const struct debugger *d; uint32_t eip; };

static bool on_exception(void *owner, struct machine *m, const struct fault_record *f)
{
	struct first_copy *c = owner;
	struct source_line line;

	(void)m;
	if (!c->eip && f->fault.vector == VEC_PF && f->fault.error == (PF_P | PF_W | PF_U) && source_line_of(c->d, f->eip, &line) &&
	    strstr(line.file, "demo/cow.c"))
		c->eip = f->eip;
	return false;
}

static void on_iret(void *owner, struct machine *m)
{
	const struct first_copy *c = owner;

	if (c->eip && m->cpu.eip == c->eip)
		machine_stop_soon(m);
}

START_TEST(copy_on_write_in_pagoda)
{
	static const char *const told[] = {
		"user write of 0x", "guestos/user/demo/cow.c:", "is in the region ", " rw- ", "demo-cow", "copy-on-write",
		"<- stops here: W=0 read-only", "P=1  the page is present", "<pte_set+", "called from space_copy, from proc_fork", "<vector_14>",
		"called from cow_write, from fault_in, from page_fault", "the instruction was resumed at instruction", "the same access then finds frame",
	};
	static char err[ERROR_LINE];
	struct machine_config config = { .memory = 32u << 20, .disk_name = { "pagoda.img" }, .serial = { swallow, NULL }, .input = { type, NULL } };
	struct kernel kernel;
	struct first_copy c = { .d = &rig.d };
	struct observer o = { .name = "test", .owner = &c, .exception = on_exception, .iret = on_iret };

	typed = "demo-cow\n";
	memset(&rig, 0, sizeof(rig));
	ck_assert_msg(!kernel_open(&kernel, PAGODA_DIR "/pagoda.elf", err), "%s", err);
	config.kernel = &kernel;
	config.disk[0] = disk_open(PAGODA_DIR "/pagoda.img", true, err, sizeof(err));
	ck_assert_msg(config.disk[0], "%s", err);
	rig.m = machine_create(&config, err);
	ck_assert_msg(rig.m, "%s", err);
	rig_go(&rig);
	rig.d.source = source_open(&kernel);
	ck_assert_msg(!guest_open(&rig.d, NULL, &rig.d.guest, err) && rig.d.guest, "%s", err);
	machine_observe(rig.m, &o);
	ck_assert_int_eq(history_run(rig.h, 400000000), MACHINE_REQUESTED);
	machine_unobserve(rig.m, &o);
	tell(true);
	for (size_t i = 0; i < sizeof(told) / sizeof(*told); i++)
		ck_assert_msg(strstr(text_plain(&rig.text), told[i]), "not told: %s\n%.3000s", told[i], text_plain(&rig.text));
	guest_close(rig.d.guest);
	source_close(rig.d.source);
	rig.d.guest = NULL;
	rig.d.source = NULL;
	rig_close(&rig);
	kernel_close(&kernel);
	config.disk[0]->close(config.disk[0]);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("why");
	Suite *s = suite_create("why");
	SRunner *r = srunner_create(s);

	setlocale(LC_CTYPE, "C.UTF-8");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_fault_whose_instruction_was_resumed);
	tcase_add_test(t, a_fault_whose_handler_is_still_at_work);
	tcase_add_test(t, without_search_the_past_is_left_alone);
	tcase_add_test(t, the_writer_that_took_the_page_away);
	tcase_add_test(t, the_writer_that_made_it_read_only);
	tcase_add_test(t, a_fault_about_to_be_delivered);
	tcase_add_test(t, a_double_fault_is_told_link_by_link);
	tcase_add_test(t, turning_paging_on_over_an_empty_directory);
	tcase_add_test(t, a_jump_to_nowhere);
	tcase_add_test(t, a_protection_fault_names_the_selector);
	tcase_add_test(t, a_page_of_the_supervisor);
	tcase_add_test(t, no_fault_at_all);
	tcase_add_loop_test(t, addresses_that_tell_a_mistake, 0, sizeof(mistakes) / sizeof(*mistakes));
	tcase_add_test(t, json_tells_the_same);
	tcase_add_test(t, copy_on_write_in_pagoda);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
