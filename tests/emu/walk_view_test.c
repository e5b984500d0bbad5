/* tests/emu/walk_view_test.c: the walk's diagram, the page tables folded, the TLB with its stale entries: as people see them, and that
 * looking changes nothing. */
#include "debug_rig.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "emu/debug/view/canvas.h"
#include "emu/debug/check/checker.h"
#include "emu/debug/view/views.h"
#include "emu/debug/view/walk_diagram.h"

#define NOT_MAPPED 0x00345678u

static struct rig rig;

static void diagram(laddr_t la, enum access_kind kind, bool user, unsigned levels, unsigned width)
{
	struct access a = { .la = la, .kind = kind, .user = user };
	struct walk w;

	page_walk(&rig.m->phys, &rig.m->mmu.pg, &a, &w);
	walk_diagram(&rig.d, &w, levels, width, &rig.text);
}

static void finish(const char *story)
{
	rig_expect(&rig, story);
	rig_close(&rig);
}

/* What a view shows, drawn twice: equal, and the machine as before. */
static void show(void (*view)(struct debugger *, const struct view_request *, struct text *), const struct view_request *rq)
{
	struct text again = { 0 };
	uint64_t state = rig_state(&rig);

	view(&rig.d, rq, &rig.text);
	size_t n = rig.text.size;
	view(&rig.d, rq, &again);
	ck_assert_uint_eq(again.size <= n && !memcmp(again.byte, rig.text.byte + n - again.size, again.size), 1);
	ck_assert_uint_eq(rig_state(&rig), state);
	text_free(&again);
}

static unsigned widest(struct text *t)
{
	unsigned most = 0;

	for (size_t i = 0; i < text_lines(t); i++) {
		unsigned columns = 0;
		size_t n;
		const char *line = text_line(t, i, &n, NULL);
		for (size_t b = 0; b < n; b++)
			columns += (line[b] & 0xc0) != 0x80;
		most = columns > most ? columns : most;
	}
	return most;
}

/* --- the diagram ----------------------------------------------------------------------------------------------------- */

START_TEST(a_walk_that_succeeds)
{
	rig_open(&rig, 3);
	rig_go(&rig);
	rig_put32(&rig, 0x20044, 0xcafe);
	diagram(0x20044, ACCESS_WRITE, true, 2, 80);
	finish("diagram");
}
END_TEST

START_TEST(a_walk_that_ends_at_an_absent_entry)
{
	rig_open(&rig, 3);
	rig_go(&rig);
	diagram(NOT_MAPPED, ACCESS_WRITE, true, 2, 80);
	finish("diagram_absent");
}
END_TEST

START_TEST(a_walk_shown_level_by_level)
{
	rig_open(&rig, 3);
	rig_go(&rig);
	for (unsigned levels = 0; levels < 2; levels++)
		diagram(NOT_MAPPED, ACCESS_WRITE, true, levels, 80);
	finish("diagram_levels");
}
END_TEST

START_TEST(pae_walks_in_80_columns)
{
	rig_open(&rig, 3);
	rig_pae(&rig, true);
	rig_pae_page(&rig, 0x20000, 0x20000 | OPEN | PG_NX);
	rig_go(&rig);
	diagram(0x20044, ACCESS_READ, true, 3, 80);
	diagram(0x20044, ACCESS_FETCH, true, 3, 80);
	finish("diagram_pae");
}
END_TEST

START_TEST(large_pages_and_reserved_bits)
{
	rig_open(&rig, 0);
	cpu_set_cr4(&rig.m->cpu, CR4_PSE);
	rig_put32(&rig, RIG_DIRECTORY + 4, 0x00800000 | PG_P | PG_W | PG_PS);
	rig_put32(&rig, RIG_DIRECTORY + 8, 0x00200000 | PG_P | PG_W | PG_PS);
	rig_go(&rig);
	diagram(0x00412345, ACCESS_READ, false, 1, 80);        /* beyond RAM */
	diagram(0x00812345, ACCESS_READ, false, 1, 80);
	finish("diagram_large");
}
END_TEST

START_TEST(without_utf8_it_is_ascii)
{
	setlocale(LC_CTYPE, "C");
	rig_open(&rig, 3);
	rig_go(&rig);
	diagram(0x20044, ACCESS_WRITE, true, 2, 80);
	for (size_t i = 0; i < rig.text.size; i++)
		ck_assert((unsigned char)rig.text.byte[i] < 0x80);
	finish("diagram_ascii");
}
END_TEST

START_TEST(it_never_leaves_its_width)
{
	static const laddr_t la[] = { 0x20044, NOT_MAPPED, 0xfffffffc, 0 };

	for (unsigned pae = 0; pae < 2; pae++) {
		rig_open(&rig, 3);
		if (pae)
			rig_pae(&rig, true);
		rig_go(&rig);
		for (unsigned width = 60; width <= 160; width++)
			for (unsigned i = 0; i < sizeof(la) / sizeof(*la); i++) {
				text_clear(&rig.text);
				diagram(la[i], i & 1 ? ACCESS_WRITE : ACCESS_READ, true, 3, width);
				ck_assert_msg(widest(&rig.text) <= width, "%u columns at width %u:\n%.2000s", widest(&rig.text), width, text_plain(&rig.text));
				ck_assert_uint_le(text_lines(&rig.text), 24);
			}
		rig_close(&rig);
	}
}
END_TEST

START_TEST(with_little_height_it_is_squat)
{
	struct access a = { .la = 0x20044, .kind = ACCESS_READ };
	struct walk w;

	rig_open(&rig, 0);
	rig_go(&rig);
	page_walk(&rig.m->phys, &rig.m->mmu.pg, &a, &w);
	for (unsigned height = 12; height >= 8; height -= 2)
		walk_diagram_fitted(&rig.d, &w, 2, 80, height, false, &rig.text);
	finish("diagram_low");
}
END_TEST

/* What fits is never more than there is room for. */
START_TEST(it_never_outgrows_its_height)
{
	for (unsigned pae = 0; pae < 2; pae++) {
		rig_open(&rig, 0);
		if (pae)
			rig_pae(&rig, true);
		rig_go(&rig);
		for (unsigned width = 80; width <= 160; width++)
			for (unsigned height = 8; height <= 30; height++) {
				struct access a = { .la = width & 1 ? NOT_MAPPED : 0x20044, .kind = ACCESS_READ };
				struct walk w;
				page_walk(&rig.m->phys, &rig.m->mmu.pg, &a, &w);
				text_clear(&rig.text);
				walk_diagram_fitted(&rig.d, &w, 3, width, height, height & 1, &rig.text);
				ck_assert_msg(text_lines(&rig.text) <= height, "%zu lines, height %u, width %u:\n%.2500s", text_lines(&rig.text), height,
					width, text_plain(&rig.text));
			}
		rig_close(&rig);
	}
}
END_TEST

START_TEST(on_a_projector_there_is_less)
{
	rig_open(&rig, 3);
	rig_go(&rig);
	show(view_walk, &(struct view_request){ .width = 80, .height = 24, .large = true, .argument = "user write 0x345678" });
	finish("diagram_projector");
}
END_TEST

START_TEST(the_bit_that_stops_the_walk_is_marked)
{
	rig_open(&rig, 3);
	rig_go(&rig);
	diagram(NOT_MAPPED, ACCESS_READ, true, 2, 80);
	bool marked = false;
	for (size_t i = 0; i < text_lines(&rig.text); i++) {
		const uint8_t *style;
		size_t n;
		const char *line = text_line(&rig.text, i, &n, &style);
		if (n > 4 && !strncmp(line, " PTE", 4))
			marked = style[n - 1] == STYLE_BAD;
	}
	ck_assert(marked);
	ck_assert_ptr_nonnull(strstr(text_plain(&rig.text), "<- stops here: P=0 not present"));
	rig_close(&rig);
}
END_TEST

/* --- the view ------------------------------------------------------------------------------------------------------------ */

START_TEST(the_view_follows_words)
{
	rig_open(&rig, 0);
	rig_go(&rig);
	show(view_walk, &(struct view_request){ .width = 80, .height = 14, .argument = "user write 0x345678" });
	ck_assert(!strncmp(text_plain(&rig.text), " user write of 0x00345678", 25));
	text_clear(&rig.text);
	show(view_walk, &(struct view_request){ .width = 80 });
	finish("view_walk");
}
END_TEST

START_TEST(the_view_follows_the_walk_step)
{
	char err[ERROR_LINE];
	struct micro u;

	rig_open(&rig, 0);
	CODE(&rig, RIG_CODE, 0xa1, 0x44, 0x00, 0x02, 0x00);
	rig_go(&rig);
	ck_assert(!micro_begin(&rig.d, &u, err));
	for (u.position = 0; u.position <= u.count; u.position++)
		show(view_walk, &(struct view_request){ .width = 80, .height = 14, .micro = &u });
	micro_free(&u);
	finish("view_walk_step");
}
END_TEST

/* --- the tables ------------------------------------------------------------------------------------------------------------- */

static void fill_space(void)
{
	rig_open(&rig, 0);
	cpu_set_cr4(&rig.m->cpu, CR4_PSE);
	for (uint32_t la = 0x100000; la < 0x110000; la += PAGE_SIZE)
		rig_page(&rig, la, la | PG_P | PG_A);
	rig_page(&rig, 0x104000, 0x104000 | PG_P);             /* not Accessed: folded in */
	rig_page(&rig, 0x108000, 0x200000 | PG_P | PG_A);      /* another frame */
	for (uint32_t la = 0x200000; la < 0x220000; la += 2 * PAGE_SIZE)
		rig_page(&rig, la, la | PG_P | PG_U);
	rig_page(&rig, 0x300000, 0xbeef0);                     /* not present, but kept */
	for (uint32_t i = 0; i < 4; i++)
		rig_put32(&rig, RIG_DIRECTORY + 4 * (0x300 + i), i << 22 | PG_P | PG_W | PG_PS | PG_G);
	rig_go(&rig);
}

START_TEST(tables_fold_to_ranges)
{
	fill_space();
	show(view_tables, &(struct view_request){ .width = 80 });
	finish("tables");
}
END_TEST

START_TEST(tables_fold_further_to_fit)
{
	fill_space();
	show(view_tables, &(struct view_request){ .width = 80, .height = 12 });
	ck_assert_uint_le(text_lines(&rig.text), 12);
	text_add(&rig.text, "\n");
	show(view_tables, &(struct view_request){ .width = 80, .height = 4 });
	finish("tables_folded");
}
END_TEST

START_TEST(one_table_shows_each_entry)
{
	fill_space();
	show(view_tables, &(struct view_request){ .width = 80, .argument = "0x108000" });
	text_add(&rig.text, "\n");
	show(view_tables, &(struct view_request){ .width = 80, .argument = "pde 0x301" });
	text_add(&rig.text, "\n");
	show(view_tables, &(struct view_request){ .width = 80, .argument = "at 0x40c08" });
	text_add(&rig.text, "\n");
	show(view_tables, &(struct view_request){ .width = 80, .argument = "at 0x50000" });
	finish("tables_one");
}
END_TEST

START_TEST(tables_tell_what_is_new_since_a_mark)
{
	fill_space();
	struct debugger_mark *mark = mark_take(&rig.d);
	ck_assert_ptr_nonnull(mark);
	rig_page(&rig, 0x10f000, 0);
	rig_page(&rig, 0x120000, 0x120000 | OPEN);
	rig_page(&rig, 0x101000, 0x101000 | PG_P | PG_W | PG_A);
	show(view_tables, &(struct view_request){ .width = 80, .mark = mark });
	mark_free(mark);
	finish("tables_mark");
}
END_TEST

START_TEST(pae_tables_with_no_execute)
{
	rig_open(&rig, 0);
	rig_pae(&rig, true);
	rig_put32(&rig, RIG_PAE_DIRECTORY + 8 * 8, 0x00200000 | PG_P | PG_W | PG_PS);
	rig_pae_page(&rig, 0x20000, 0x20000 | OPEN | PG_NX);
	rig_go(&rig);
	show(view_tables, &(struct view_request){ .width = 80 });
	finish("tables_pae");
}
END_TEST

static void swallow(void *owner, uint8_t byte)
{
	(void)owner;
	(void)byte;
}

START_TEST(an_idle_pagoda_fits_on_one_screen)
{
	static char err[ERROR_LINE];
	struct machine_config config = { .memory = 32u << 20, .disk_name = { "pagoda.img" }, .serial = { swallow, NULL } };
	struct kernel kernel;

	ck_assert_msg(!kernel_open(&kernel, PAGODA_DIR "/pagoda.elf", err), "%s", err);
	config.disk[0] = disk_open(PAGODA_DIR "/pagoda.img", true, err, sizeof(err));
	ck_assert_msg(config.disk[0], "%s", err);
	config.kernel = &kernel;
	rig.m = machine_create(&config, err);
	ck_assert_msg(rig.m, "%s", err);
	machine_run(rig.m, 200000000);
	rig.d = (struct debugger){ .m = rig.m };
	show(view_tables, &(struct view_request){ .width = 80 });
	ck_assert_uint_le(text_lines(&rig.text), 24);
	ck_assert_uint_le(widest(&rig.text), 80);
	ck_assert_ptr_nonnull(strstr(text_plain(&rig.text), " c0000000-c1ffffff    32M  PDE 300-307         00000000-01ffffff"));
	text_clear(&rig.text);
	show(view_tlb, &(struct view_request){ .width = 80 });
	ck_assert_ptr_nonnull(strstr(text_plain(&rig.text), "none stale"));
	text_free(&rig.text);
	machine_free(rig.m);
	kernel_close(&kernel);
	config.disk[0]->close(config.disk[0]);
}
END_TEST

/* --- the TLB ----------------------------------------------------------------------------------------------------------------- */

static void warm(laddr_t la, enum access_kind kind)
{
	struct access a = { .la = la, .kind = kind };
	struct translation t;

	ck_assert(mmu_translate(&rig.m->mmu, &a, &t));
}

START_TEST(stale_translations_are_marked)
{
	rig_open(&rig, 0);
	for (uint32_t la = 0x20000; la < 0x28000; la += PAGE_SIZE)
		warm(la, la & 0x4000 ? ACCESS_WRITE : ACCESS_READ);
	rig_page(&rig, 0x21000, 0);
	rig_page(&rig, 0x22000, 0x99000 | OPEN | PG_A);
	rig_page(&rig, 0x23000, 0x23000 | PG_P | PG_A);
	rig_page(&rig, 0x24000, 0x24000 | OPEN | PG_A);        /* Dirty lost */
	rig_page(&rig, 0x25000, 0x25000 | OPEN | PG_D);        /* Accessed lost: no business of the TLB's */
	rig_go(&rig);
	show(view_tlb, &(struct view_request){ .width = 80 });
	text_add(&rig.text, "\n");
	show(view_tlb, &(struct view_request){ .width = 80, .argument = "0x22010" });
	text_add(&rig.text, "\n");
	show(view_tlb, &(struct view_request){ .width = 80, .argument = "0x30010" });
	finish("tlb");
}
END_TEST

START_TEST(json_says_the_same)
{
	rig_open(&rig, 0);
	warm(0x20000, ACCESS_READ);
	rig_page(&rig, 0x20000, 0);
	rig_go(&rig);
	json_t *tlb = view_tlb_json(&rig.d, &(struct view_request){ .width = 80 });
	json_t *tables = view_tables_json(&rig.d, &(struct view_request){ .width = 80 });
	json_t *walk = view_walk_json(&rig.d, &(struct view_request){ .width = 80, .argument = "0x20000" });
	ck_assert_int_eq(json_integer_value(json_object_get(tlb, "stale")), 1);
	ck_assert_int_eq(json_integer_value(json_object_get(tables, "pages")), 255);
	ck_assert_str_eq(json_string_value(json_object_get(walk, "result")), "not present");
	json_decref(tlb);
	json_decref(tables);
	json_decref(walk);
	rig_close(&rig);
}
END_TEST

static void setup(void) { setlocale(LC_CTYPE, "C.UTF-8"); }

int main(void)
{
	TCase *t = tcase_create("walk_view");
	Suite *s = suite_create("walk_view");
	SRunner *r = srunner_create(s);

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_walk_that_succeeds);
	tcase_add_test(t, a_walk_that_ends_at_an_absent_entry);
	tcase_add_test(t, a_walk_shown_level_by_level);
	tcase_add_test(t, pae_walks_in_80_columns);
	tcase_add_test(t, large_pages_and_reserved_bits);
	tcase_add_test(t, without_utf8_it_is_ascii);
	tcase_add_test(t, it_never_leaves_its_width);
	tcase_add_test(t, with_little_height_it_is_squat);
	tcase_add_test(t, it_never_outgrows_its_height);
	tcase_add_test(t, on_a_projector_there_is_less);
	tcase_add_test(t, the_bit_that_stops_the_walk_is_marked);
	tcase_add_test(t, the_view_follows_words);
	tcase_add_test(t, the_view_follows_the_walk_step);
	tcase_add_test(t, tables_fold_to_ranges);
	tcase_add_test(t, tables_fold_further_to_fit);
	tcase_add_test(t, one_table_shows_each_entry);
	tcase_add_test(t, tables_tell_what_is_new_since_a_mark);
	tcase_add_test(t, pae_tables_with_no_execute);
	tcase_add_test(t, an_idle_pagoda_fits_on_one_screen);
	tcase_add_test(t, stale_translations_are_marked);
	tcase_add_test(t, json_says_the_same);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
