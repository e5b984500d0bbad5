/* tests/mmu/walk_test.c: the page walk against an oracle written from [SDM3A 4.3 "32-Bit Paging"],
 * [SDM3A 4.6 "Access Rights"], [SDM3A 4.7 "Page-Fault Exceptions"], [SDM3A 4.8 "Accessed and Dirty Flags"].
 *
 * The enumeration runs every combination of the bits that decide: 2^19 settings times three kinds of access. For each it
 * checks the pure walk, what a commit writes, and the same access made through an empty TLB.
 */
#include "space.h"

#include <stdio.h>

static struct space s;

static void setup(void)
{
	space_init(&s, (struct tlb_geometry){0, 0});
}

static void teardown(void)
{
	space_free(&s);
}

/* --- the enumeration -------------------------------------------------------------------------------------------- */

#define LA        0x5576a123u          /* directory slot 0x155, table slot 0x36a: both indexes use their high bits */
#define BASE      0x00400000u          /* the table, or the 4 MB page: bits 21:13 are clear */
#define FRAME     0x00345000u
#define RESERVED  (1u << 17)
#define PSE36     (1u << 13 | 1u << 16)        /* of a 4 MB page: address bits 32 and 35 */
#define CASES     (1u << 19)

struct setting {
	uint32_t pde, pte;
	struct paging pg;
	struct access a;
};

static struct setting decode(unsigned i, enum access_kind kind)
{
	struct setting c = {.pde = BASE, .pte = FRAME};

	c.pde |= (i & 1 << 0 ? PG_P : 0) | (i & 1 << 1 ? PG_W : 0) | (i & 1 << 2 ? PG_U : 0) | (i & 1 << 3 ? PG_PS : 0) |
	         (i & 1 << 4 ? PG_G : 0) | (i & 1 << 5 ? RESERVED : 0) | (i & 1 << 6 ? PG_A : 0) | (i & 1 << 7 ? PG_D : 0);
	c.pte |= (i & 1 << 8 ? PG_P : 0) | (i & 1 << 9 ? PG_W : 0) | (i & 1 << 10 ? PG_U : 0) | (i & 1 << 11 ? PG_G : 0) |
	         (i & 1 << 12 ? PG_A : 0) | (i & 1 << 13 ? PG_D : 0);
	c.pde |= i & 1 << 18 ? PSE36 : 0;
	c.pg = (struct paging){.enabled = true, .cr3 = DIR, .wp = i & 1 << 14, .pse = i & 1 << 15, .pge = i & 1 << 16};
	c.a = (struct access){.la = LA, .kind = kind, .user = i & 1 << 17};
	return c;
}

static const char *bits(uint32_t v, char *buf)
{
	sprintf(buf, "%s%s%s%s%s%s%s%s%s", v & PG_P ? "P" : "-", v & PG_W ? "W" : "-", v & PG_U ? "U" : "-", v & PG_A ? "A" : "-",
	        v & PG_D ? "D" : "-", v & PG_PS ? "+PS" : "", v & PG_G ? "+G" : "", v & RESERVED ? "+bit17" : "", v & PSE36 ? "+bits13,16" : "");
	return buf;
}

static const char *words(const struct setting *c)
{
	static const char *const kind[] = {"read", "write", "fetch"};
	static char out[200];
	char pde[48], pte[48];

	snprintf(out, sizeof(out), "%s %s with CR0.WP=%d CR4.PSE=%d CR4.PGE=%d, PDE %s, PTE %s", c->a.user ? "user" : "supervisor",
	         kind[c->a.kind], c->pg.wp, c->pg.pse, c->pg.pge, bits(c->pde, pde), bits(c->pte, pte));
	return out;
}

/* What the manual says, in its order of words; nothing here comes from the code under test. */
struct verdict {
	bool ok, large, global, reserved, absent;
	uint32_t error, pde, pte;
	uint64_t pa;
};

static struct verdict manual(const struct setting *c)
{
	struct verdict v = {.pde = c->pde, .pte = c->pte};
	bool write = c->a.kind == ACCESS_WRITE;
	bool pde_present = c->pde & PG_P, pte_present = c->pte & PG_P;

	v.large = pde_present && c->pg.pse && (c->pde & PG_PS);
	v.absent = !pde_present || (!v.large && !pte_present);
	v.reserved = v.large && (c->pde & RESERVED);

	/* "user-mode address": the U/S flag is 1 in every entry controlling the translation; likewise R/W. */
	bool user_page = (c->pde & PG_U) && (v.large || (c->pte & PG_U));
	bool writable = (c->pde & PG_W) && (v.large || (c->pte & PG_W));
	bool allowed;
	if (c->a.user)
		allowed = user_page && (!write || writable);
	else
		allowed = !write || writable || !c->pg.wp;

	v.ok = !v.absent && !v.reserved && allowed;
	if (!v.ok) {
		v.error = (v.absent ? 0u : 1u) | (write ? 2u : 0u) | (c->a.user ? 4u : 0u) | (v.reserved ? 8u : 0u);
		return v;
	}
	v.global = c->pg.pge && ((v.large ? c->pde : c->pte) & PG_G);
	v.pa = v.large ? BASE + (LA & 0x3fffff) + (c->pde & PSE36 ? 0x900000000ull : 0) : FRAME + (LA & 0xfff);
	v.pde |= 1u << 5 | (v.large && write ? 1u << 6 : 0);
	v.pte |= v.large ? 0 : 1u << 5 | (write ? 1u << 6 : 0);
	return v;
}

/* Bits 13, 16 and 17 are address bits of a table; with a 4 MB page they are other things. */
static uint32_t pte_addr(const struct setting *c)
{
	return (c->pde & PG_FRAME) + 4 * (LA >> 12 & 0x3ff);
}

static void write_tables(const struct setting *c)
{
	phys_write(&s.phys, DIR + 4 * (LA >> 22), 4, c->pde);
	phys_write(&s.phys, pte_addr(c), 4, c->pte);
}

static void check_tables(const struct setting *c, uint32_t pde, uint32_t pte, const char *when)
{
	uint32_t got_pde = phys_peek32(&s.phys, DIR + 4 * (LA >> 22)), got_pte = phys_peek32(&s.phys, pte_addr(c));

	if (got_pde != pde || got_pte != pte)
		ck_abort_msg("%s: %s the PDE is %#x and should be %#x, the PTE %#x and %#x", words(c), when, got_pde, pde, got_pte, pte);
}

static void check_walk(const struct setting *c, const struct verdict *v)
{
	struct walk w;

	page_walk(&s.phys, &c->pg, &c->a, &w);
	if ((w.result == WALK_OK) != v->ok)
		ck_abort_msg("%s: %s", words(c), v->ok ? "faults, and should not" : "does not fault, and should");
	check_tables(c, c->pde, c->pte, "after a walk");
	if (v->ok && (w.pa != v->pa || w.global != v->global || w.page_shift != (v->large ? 22u : 12u)))
		ck_abort_msg("%s: pa %#llx global %d shift %u", words(c), (unsigned long long)w.pa, w.global, w.page_shift);
	if (!v->ok && w.pf_code != v->error)
		ck_abort_msg("%s: error code %#x, should be %#x", words(c), w.pf_code, v->error);
	if (!v->ok && (w.result == WALK_NOT_PRESENT) != v->absent)
		ck_abort_msg("%s: result %d", words(c), w.result);
	if (!v->ok && (w.result == WALK_RESERVED) != v->reserved)
		ck_abort_msg("%s: result %d", words(c), w.result);
	page_walk_commit(&s.phys, &w);
	check_tables(c, v->pde, v->pte, "after a commit");
}

static void check_translate(const struct setting *c, const struct verdict *v)
{
	struct translation t;

	mmu_set_paging(&s.mmu, &c->pg);
	mmu_flush_all(&s.mmu);
	bool ok = mmu_translate(&s.mmu, &c->a, &t);
	if (ok != v->ok || (ok && t.pa != v->pa) || (!ok && s.mmu.last_fault.pf_code != v->error))
		ck_abort_msg("%s: the walk is right, mmu_translate is not", words(c));
	check_tables(c, v->pde, v->pte, "after mmu_translate");
	const struct tlb_entry *e = mmu_tlb_probe(&s.mmu, LA);
	if ((e != NULL) != v->ok)
		ck_abort_msg("%s: %s in the TLB", words(c), e ? "is" : "is not");
	if (e && !!(e->flags & TLB_G) != v->global)
		ck_abort_msg("%s: TLB_G is %d", words(c), !v->global);
	if (e && !!(e->flags & TLB_D) != !!((v->large ? v->pde : v->pte) & 1 << 6))
		ck_abort_msg("%s: TLB_D does not agree with Dirty", words(c));
}

START_TEST(every_combination_does_what_the_manual_says)
{
	for (unsigned i = 0; i < CASES; i++) {
		struct setting c = decode(i, (enum access_kind)_i);
		struct verdict v = manual(&c);
		write_tables(&c);
		check_walk(&c, &v);
		write_tables(&c);
		check_translate(&c, &v);
	}
}
END_TEST

/* --- single facts ----------------------------------------------------------------------------------------------- */

static struct walk walk(laddr_t la, enum access_kind kind, bool user)
{
	struct walk w;

	page_walk(&s.phys, &s.mmu.pg, &(struct access){.la = la, .kind = kind, .user = user}, &w);
	return w;
}

START_TEST(each_bit_from_17_to_21_of_a_4_mb_pde_is_reserved)
{
	put_pde(&s, LA, 0x00800000 | PG_P | PG_PS | 1u << _i);
	struct walk w = walk(LA, ACCESS_READ, false);
	ck_assert_int_eq(w.result, WALK_RESERVED);
	ck_assert_uint_eq(w.pf_code, PF_RSVD | PF_P);
	ck_assert_uint_eq(w.levels, 1);
}
END_TEST

START_TEST(bits_9_to_12_of_a_4_mb_pde_are_not_reserved)
{
	put_pde(&s, LA, 0x00400000 | PG_P | PG_PS | 1u << _i);
	ck_assert_int_eq(walk(LA, ACCESS_READ, false).result, WALK_OK);
}
END_TEST

START_TEST(bits_13_to_16_of_a_4_mb_pde_are_address_bits_32_to_35)
{
	struct translation t;

	put_pde(&s, LA, 0x00400000 | PG_P | PG_W | PG_PS | 1u << _i);
	ck_assert_uint_eq(walk(LA, ACCESS_READ, false).pa, 0x00400000 + (LA & 0x3fffff) + (1ull << (_i + 19)));
	ck_assert(touch(&s, LA, ACCESS_WRITE, false, &t));
	ck_assert_uint_eq(t.pa, 0x00400000 + (LA & 0x3fffff) + (1ull << (_i + 19)));
	ck_assert_ptr_null(t.host);                        /* a hole, not the RAM of the same low bits */
}
END_TEST

START_TEST(a_reserved_bit_counts_before_the_rights)
{
	put_pde(&s, LA, 0x00400000 | PG_P | PG_PS | RESERVED);
	ck_assert_uint_eq(walk(LA, ACCESS_WRITE, true).pf_code, PF_P | PF_W | PF_U | PF_RSVD);
}
END_TEST

START_TEST(the_first_and_last_slots_are_used)
{
	map(&s, 0, 0x00345000, PG_P);
	map(&s, 0xffffffff, 0x00346000, PG_P);
	ck_assert_uint_eq(walk(0, ACCESS_READ, false).pa, 0x00345000);
	ck_assert_uint_eq(walk(0xffffffff, ACCESS_READ, false).pa, 0x00346fff);
	ck_assert_uint_eq(walk(0xffffffff, ACCESS_READ, false).step[0].addr, DIR + 4 * 1023);
	ck_assert_uint_eq(walk(0xffffffff, ACCESS_READ, false).step[1].addr, table_of(0xffffffff) + 4 * 1023);
}
END_TEST

START_TEST(the_low_bits_of_cr3_do_not_move_the_directory)
{
	map(&s, LA, FRAME, PG_P);
	s.mmu.pg.cr3 = DIR | 0xfff;
	ck_assert_int_eq(walk(LA, ACCESS_READ, false).result, WALK_OK);
}
END_TEST

START_TEST(tables_outside_ram_read_as_ones_and_reach_no_device)
{
	s.mmu.pg.cr3 = 0xf0000000;
	s.mmu.pg.pse = true;
	ck_assert_int_eq(walk(LA, ACCESS_READ, true).result, WALK_RESERVED);
	s.mmu.pg.pse = false;
	struct walk w = walk(LA, ACCESS_WRITE, true);
	ck_assert_int_eq(w.result, WALK_OK);
	ck_assert_uint_eq(w.pa, 0xfffff000 | (LA & 0xfff));
	ck_assert_uint_eq(w.step[0].set | w.step[1].set, 0);
}
END_TEST

START_TEST(a_walk_through_a_directory_that_is_its_own_table_works)
{
	put_pde(&s, 0xfffff000, DIR | PG_P | PG_W);
	struct walk w = walk(0xfffff000 + 4 * 7, ACCESS_WRITE, false);
	ck_assert_int_eq(w.result, WALK_OK);
	ck_assert_uint_eq(w.pa, DIR + 4 * 7);
	page_walk_commit(&s.phys, &w);
	ck_assert_uint_eq(get_pde(&s, 0xfffff000), DIR | PG_P | PG_W | PG_A | PG_D);
}
END_TEST

START_TEST(a_closed_a20_gate_masks_tables_and_pages)
{
	uint32_t low_pte = (table_of(LA) & ~(1u << 20)) + 4 * (LA >> 12 & 0x3ff);

	map(&s, LA, 0x00345000, PG_P);                     /* bit 20 is set in this frame, and in the table's address */
	phys_write(&s.phys, low_pte, 4, 0x00556000 | PG_P);
	ck_assert_uint_eq(walk(LA, ACCESS_READ, false).pa, 0x00345123);
	s.phys.a20_mask = 0xffefffff;
	ck_assert_uint_eq(walk(LA, ACCESS_READ, false).step[1].addr, low_pte);
	ck_assert_uint_eq(walk(LA, ACCESS_READ, false).pa, 0x00456123);
	s.mmu.pg.enabled = false;
	ck_assert_uint_eq(walk(0x00100005, ACCESS_READ, false).pa, 5);
}
END_TEST

START_TEST(without_paging_every_access_is_allowed_and_no_table_is_read)
{
	s.mmu.pg.enabled = false;
	struct walk w = walk(0xdeadbeef, ACCESS_WRITE, true);
	ck_assert_int_eq(w.result, WALK_OK);
	ck_assert_uint_eq(w.pa, 0xdeadbeef);
	ck_assert_uint_eq(w.levels, 0);
}
END_TEST

START_TEST(a_walk_is_described_in_words)
{
	char buf[400], small[10];

	map(&s, LA, FRAME, PG_P | PG_U);
	struct walk w = walk(LA, ACCESS_WRITE, true);
	int n = walk_describe(&w, buf, sizeof(buf));
	ck_assert_int_eq(n, strlen(buf));
	ck_assert_str_eq(buf, "user write of 0x5576a123, CR3 = 0x00010000\n"
	                 "PDE at 0x00010554 = 0x00155007: P=1 W=1 U=1 A=0 table at 0x00155000\n"
	                 "PTE at 0x00155da8 = 0x00345005: P=1 W=0 U=1 A=0 D=0 G=0 frame at 0x00345000\n"
	                 "#PF error code 0x7: page is read-only\n");
	ck_assert_int_eq(walk_describe(&w, small, sizeof(small)), n);
	ck_assert_str_eq(small, "user writ");
	put_pde(&s, LA, 0);
	w = walk(LA, ACCESS_READ, false);
	walk_describe(&w, buf, sizeof(buf));
	ck_assert_ptr_nonnull(strstr(buf, "PDE at 0x00010554 = 0x00000000: P=0 not present\n"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("page walk");
	TCase *all = tcase_create("enumeration"), *facts = tcase_create("facts");

	tcase_set_timeout(all, 100);
	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_loop_test(all, every_combination_does_what_the_manual_says, ACCESS_READ, ACCESS_FETCH + 1);
	suite_add_tcase(suite, all);

	tcase_add_checked_fixture(facts, setup, teardown);
	tcase_add_loop_test(facts, each_bit_from_17_to_21_of_a_4_mb_pde_is_reserved, 17, 22);
	tcase_add_loop_test(facts, bits_13_to_16_of_a_4_mb_pde_are_address_bits_32_to_35, 13, 17);
	tcase_add_loop_test(facts, bits_9_to_12_of_a_4_mb_pde_are_not_reserved, 9, 13);
	tcase_add_test(facts, a_reserved_bit_counts_before_the_rights);
	tcase_add_test(facts, the_first_and_last_slots_are_used);
	tcase_add_test(facts, the_low_bits_of_cr3_do_not_move_the_directory);
	tcase_add_test(facts, tables_outside_ram_read_as_ones_and_reach_no_device);
	tcase_add_test(facts, a_walk_through_a_directory_that_is_its_own_table_works);
	tcase_add_test(facts, a_closed_a20_gate_masks_tables_and_pages);
	tcase_add_test(facts, without_paging_every_access_is_allowed_and_no_table_is_read);
	tcase_add_test(facts, a_walk_is_described_in_words);
	suite_add_tcase(suite, facts);
	return run_suite(suite);
}
