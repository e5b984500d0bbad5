/* tests/mmu/pae_test.c: PAE paging and no-execute against an oracle written from [SDM3A 4.4 "PAE Paging"],
 * [SDM3A 4.6 "Access Rights"], [SDM3A 4.7 "Page-Fault Exceptions"], [SDM3A 4.8 "Accessed and Dirty Flags"].
 *
 * The enumeration runs every combination of the bits that decide: 2^20 settings times three kinds of access. For each it
 * checks the pure walk, what a commit writes, and the same access made through an empty TLB.
 */
#include "space.h"

#include <stdio.h>

static struct space s;

#define LA        0x5576a123u          /* PDPTE 1, directory slot 0x0ab, table slot 0x16a */
#define POINTERS  (DIR + 0x20u)        /* bits 31:5 of CR3 count */
#define DIRECTORY 0x00200000u
#define BASE      0x00400000u          /* the table, or the 2 MB page */
#define FRAME     0x00345000u
#define HIGH      (1ull << 36)         /* reserved in every entry */
#define PDE_AT    (DIRECTORY + 8 * (LA >> 21 & 0x1ff))
#define PTE_AT    (BASE + 8 * (LA >> 12 & 0x1ff))
#define CASES     (1u << 20)

static const struct tlb_geometry flat = {0, 0}, modelled = {64, 4};

static void put64(paddr_t at, uint64_t value)
{
	phys_write(&s.phys, at, 4, (uint32_t)value);
	phys_write(&s.phys, at + 4, 4, (uint32_t)(value >> 32));
}

static struct paging pae_on(void)
{
	return (struct paging){
		.enabled = true, .wp = true, .pge = true, .pae = true, .nxe = true, .cr3 = POINTERS, .pdpte[1] = DIRECTORY | PG_P,
	};
}

static void setup_with(struct tlb_geometry g)
{
	struct paging pg = pae_on();

	space_init(&s, g);
	mmu_set_paging(&s.mmu, &pg);
	put64(POINTERS + 8, DIRECTORY | PG_P);
}

static void setup_flat(void) { setup_with(flat); }
static void setup_modelled(void) { setup_with(modelled); }
static void teardown(void) { space_free(&s); }

/* --- the enumeration -------------------------------------------------------------------------------------------- */

struct setting {
	uint64_t pde, pte;
	struct paging pg;
	struct access a;
};

static struct setting decode(unsigned i, enum access_kind kind)
{
	struct setting c = {.pde = BASE, .pte = FRAME, .pg = pae_on()};

	c.pde |= (i & 1 << 0 ? PG_P : 0) | (i & 1 << 1 ? PG_W : 0) | (i & 1 << 2 ? PG_U : 0) | (i & 1 << 3 ? PG_PS : 0) |
	         (i & 1 << 4 ? PG_G : 0) | (i & 1 << 5 ? HIGH : 0) | (i & 1 << 6 ? PG_A | PG_D : 0) | (i & 1 << 7 ? PG_NX : 0);
	c.pte |= (i & 1 << 8 ? PG_P : 0) | (i & 1 << 9 ? PG_W : 0) | (i & 1 << 10 ? PG_U : 0) | (i & 1 << 11 ? PG_NX : 0) |
	         (i & 1 << 12 ? PG_G : 0) | (i & 1 << 13 ? HIGH : 0) | (i & 1 << 14 ? PG_A | PG_D : 0);
	c.pg.pdpte[1] = DIRECTORY | (i & 1 << 15 ? PG_P : 0);
	c.pg.wp = i & 1 << 16;
	c.pg.pge = i & 1 << 17;
	c.pg.nxe = i & 1 << 18;
	c.pg.pse = i & 1;                                  /* makes no difference */
	c.a = (struct access){.la = LA, .kind = kind, .user = i & 1 << 19};
	return c;
}

static const char *bits(uint64_t v, char *buf)
{
	sprintf(buf, "%s%s%s%s%s%s%s%s%s", v & PG_P ? "P" : "-", v & PG_W ? "W" : "-", v & PG_U ? "U" : "-", v & PG_A ? "A" : "-",
	        v & PG_D ? "D" : "-", v & PG_PS ? "+PS" : "", v & PG_G ? "+G" : "", v & HIGH ? "+bit36" : "", v & PG_NX ? "+NX" : "");
	return buf;
}

static const char *words(const struct setting *c)
{
	static const char *const kind[] = {"read", "write", "fetch"};
	static char out[240];
	char pde[48], pte[48];

	snprintf(out, sizeof(out), "%s %s with CR0.WP=%d CR4.PGE=%d EFER.NXE=%d, PDPTE %s, PDE %s, PTE %s", c->a.user ? "user" : "supervisor",
	         kind[c->a.kind], c->pg.wp, c->pg.pge, c->pg.nxe, c->pg.pdpte[1] & PG_P ? "P" : "-", bits(c->pde, pde), bits(c->pte, pte));
	return out;
}

/* What the manual says, in its order of words; nothing here comes from the code under test. */
struct verdict {
	bool ok, large, global, reserved, absent;
	uint32_t error;
	uint64_t pde, pte, pa;
};

/* "If IA32_EFER.NXE = 0 and the P flag of a paging-structure entry is 1, the XD flag (bit 63) is reserved." */
static bool sets_reserved(const struct setting *c, uint64_t entry)
{
	return entry & 0x7ffffff000000000u || (!c->pg.nxe && entry >> 63);
}

static struct verdict manual(const struct setting *c)
{
	struct verdict v = {.pde = c->pde, .pte = c->pte};
	bool write = c->a.kind == ACCESS_WRITE, fetch = c->a.kind == ACCESS_FETCH;
	bool pde_used = c->pg.pdpte[1] & 1, pde_present = pde_used && (c->pde & 1);
	bool pde_bad = pde_present && sets_reserved(c, c->pde);

	v.large = pde_present && (c->pde & 1 << 7);
	bool pte_used = pde_present && !pde_bad && !v.large, pte_present = pte_used && (c->pte & 1);
	bool pte_bad = pte_present && sets_reserved(c, c->pte);
	v.absent = !pde_present || (pte_used && !pte_present);
	v.reserved = pde_bad || pte_bad;

	/* Every paging-structure entry controlling the translation grants it; the PDPTEs have no such bits. */
	bool user_page = (c->pde & 4) && (v.large || (c->pte & 4));
	bool writable = (c->pde & 2) && (v.large || (c->pte & 2));
	bool executable = !(c->pg.nxe && (c->pde >> 63 || (!v.large && c->pte >> 63)));
	bool allowed = !c->a.user || user_page;
	if (write)
		allowed = allowed && (writable || (!c->a.user && !c->pg.wp));
	if (fetch)
		allowed = allowed && executable;

	v.ok = !v.absent && !v.reserved && allowed;
	if (!v.ok) {
		v.error = (v.absent ? 0u : 1u) | (write ? 2u : 0u) | (c->a.user ? 4u : 0u) | (v.reserved ? 8u : 0u) |
		          (fetch && c->pg.nxe ? 16u : 0u);
		return v;
	}
	v.global = c->pg.pge && ((v.large ? c->pde : c->pte) & 1 << 8);
	v.pa = v.large ? BASE + (LA & 0x1fffff) : FRAME + (LA & 0xfff);
	v.pde |= 1u << 5 | (v.large && write ? 1u << 6 : 0);
	v.pte |= v.large ? 0 : 1u << 5 | (write ? 1u << 6 : 0);
	return v;
}

static void write_tables(const struct setting *c)
{
	put64(PDE_AT, c->pde);
	put64(PTE_AT, c->pte);
}

static void check_tables(const struct setting *c, uint64_t pde, uint64_t pte, const char *when)
{
	uint64_t got_pde = phys_peek64(&s.phys, PDE_AT), got_pte = phys_peek64(&s.phys, PTE_AT);

	if (got_pde != pde || got_pte != pte)
		ck_abort_msg("%s: %s the PDE is %#llx and should be %#llx, the PTE %#llx and %#llx", words(c), when, (unsigned long long)got_pde,
		             (unsigned long long)pde, (unsigned long long)got_pte, (unsigned long long)pte);
}

static void check_walk(const struct setting *c, const struct verdict *v)
{
	struct walk w;

	page_walk(&s.phys, &c->pg, &c->a, &w);
	if ((w.result == WALK_OK) != v->ok)
		ck_abort_msg("%s: %s", words(c), v->ok ? "faults, and should not" : "does not fault, and should");
	check_tables(c, c->pde, c->pte, "after a walk");
	if (v->ok && (w.pa != v->pa || w.global != v->global || w.page_shift != (v->large ? 21u : 12u)))
		ck_abort_msg("%s: pa %#llx global %d shift %u", words(c), (unsigned long long)w.pa, w.global, w.page_shift);
	if (!v->ok && w.pf_code != v->error)
		ck_abort_msg("%s: error code %#x, should be %#x", words(c), w.pf_code, v->error);
	if (!v->ok && ((w.result == WALK_NOT_PRESENT) != v->absent || (w.result == WALK_RESERVED) != v->reserved))
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
	if (e && (!!(e->flags & TLB_G) != v->global || !!(e->flags & TLB_LARGE) != v->large))
		ck_abort_msg("%s: the TLB's flags are %#x", words(c), e->flags);
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

/* Entries are written without a flush, as a guest's store would. */
static void map_page(uint64_t pde, uint64_t pte)
{
	put64(PDE_AT, pde);
	put64(PTE_AT, pte);
}

#define OPEN (PG_P | PG_W | PG_U)

START_TEST(each_bit_from_36_to_62_is_reserved_at_both_levels)
{
	map_page(BASE | OPEN | 1ull << _i, FRAME | OPEN);
	ck_assert_int_eq(walk(LA, ACCESS_READ, false).result, WALK_RESERVED);
	ck_assert_uint_eq(walk(LA, ACCESS_READ, false).levels, 2);
	map_page(BASE | OPEN | PG_PS | 1ull << _i, 0);
	ck_assert_int_eq(walk(LA, ACCESS_READ, false).result, WALK_RESERVED);
	map_page(BASE | OPEN, FRAME | OPEN | 1ull << _i);
	ck_assert_int_eq(walk(LA, ACCESS_READ, false).result, WALK_RESERVED);
	ck_assert_uint_eq(walk(LA, ACCESS_READ, false).levels, 3);
}
END_TEST

START_TEST(each_bit_from_13_to_20_of_a_2_mb_pde_is_reserved)
{
	map_page(BASE | OPEN | PG_PS | 1u << _i, 0);
	struct walk w = walk(LA, ACCESS_WRITE, true);
	ck_assert_int_eq(w.result, WALK_RESERVED);
	ck_assert_uint_eq(w.pf_code, PF_P | PF_W | PF_U | PF_RSVD);
}
END_TEST

START_TEST(bits_9_to_12_of_a_2_mb_pde_are_not_reserved)
{
	map_page(BASE | OPEN | PG_PS | 1u << _i, 0);
	ck_assert_uint_eq(walk(LA, ACCESS_READ, true).pa, BASE + (LA & 0x1fffff));
}
END_TEST

START_TEST(the_low_bits_of_a_pte_are_attributes_or_ignored)
{
	map_page(BASE | OPEN | 0xf18, FRAME | OPEN | 0xf98);       /* PWT, PCD, PAT or ignored, G, AVL */
	ck_assert_uint_eq(walk(LA, ACCESS_READ, true).pa, FRAME + (LA & 0xfff));
}
END_TEST

START_TEST(every_slot_of_every_level_is_used)
{
	static const laddr_t la[] = {0, 0x3fffffff, 0x40000000, 0x80200000, 0xc01ff000, 0xffffffff};
	struct paging pg = pae_on();

	for (unsigned i = 0; i < PDPTES; i++)
		pg.pdpte[i] = (0x00200000 + 0x1000 * i) | PG_P;
	mmu_set_paging(&s.mmu, &pg);
	for (unsigned i = 0; i < sizeof(la) / sizeof(*la); i++) {
		paddr_t directory = 0x00200000 + 0x1000 * (la[i] >> 30);
		put64(directory + 8 * (la[i] >> 21 & 511), (0x00300000 + 0x1000 * i) | OPEN);
		put64(0x00300000 + 0x1000 * i + 8 * (la[i] >> 12 & 511), (0x00345000 + 0x1000 * i) | OPEN);
		struct walk w = walk(la[i], ACCESS_READ, true);
		ck_assert_uint_eq(w.pa, 0x00345000 + 0x1000 * i + (la[i] & 0xfff));
		ck_assert_uint_eq(w.step[0].addr, POINTERS + 8 * (la[i] >> 30));
		ck_assert_uint_eq(w.step[1].addr, directory + 8 * (la[i] >> 21 & 511));
		ck_assert_str_eq(w.step[0].name, "PDPTE");
		ck_assert_str_eq(w.step[1].name, "PDE");
		ck_assert_str_eq(w.step[2].name, "PTE");
	}
}
END_TEST

START_TEST(an_absent_pdpte_stops_the_walk)
{
	struct walk w = walk(0x80000000, ACCESS_FETCH, true);

	ck_assert_int_eq(w.result, WALK_NOT_PRESENT);
	ck_assert_uint_eq(w.pf_code, PF_U | PF_I);
	ck_assert_uint_eq(w.levels, 1);
}
END_TEST

START_TEST(addresses_above_4_gb_are_a_hole_and_not_the_ram_below)
{
	struct translation t;

	phys_write(&s.phys, FRAME, 4, 0x12345678);
	map_page(BASE | OPEN, FRAME | OPEN | 1ull << _i);
	ck_assert(touch(&s, LA, ACCESS_WRITE, true, &t));
	ck_assert_uint_eq(t.pa, FRAME + (LA & 0xfff) + (1ull << _i));
	ck_assert_ptr_null(t.host);
	ck_assert(touch(&s, LA, ACCESS_READ, true, &t));
	ck_assert_ptr_null(t.host);
	phys_write(&s.phys, t.pa & ~0xfffull, 4, 0);
	ck_assert_uint_eq(phys_read(&s.phys, t.pa, 4), 0xffffffff);
	ck_assert_uint_eq(phys_read(&s.phys, FRAME, 4), 0x12345678);
	for (unsigned i = 0; i < 6; i++)
		ck_assert_uint_eq(s.mmu.fast[i / 3][i % 3][LA >> 12], 0);
	ck_assert_uint_eq(s.phys.attr[FRAME >> 12] & PHYS_CODE, 0);
	mmu_mark_code(&s.mmu, t.pa);                               /* no attribute byte, so nothing to mark */
	ck_assert_uint_eq(s.phys.attr[FRAME >> 12] & PHYS_CODE, 0);
}
END_TEST

START_TEST(tables_above_4_gb_read_as_ones)
{
	struct paging pg = pae_on();

	map_page((BASE | OPEN) + (1ull << _i), FRAME | OPEN);
	ck_assert_int_eq(walk(LA, ACCESS_READ, true).result, WALK_RESERVED);
	ck_assert_uint_eq(walk(LA, ACCESS_READ, true).step[2].value, ~0ull);
	pg.pdpte[1] += 1ull << _i;
	mmu_set_paging(&s.mmu, &pg);
	ck_assert_int_eq(walk(LA, ACCESS_READ, true).result, WALK_RESERVED);
	ck_assert_uint_eq(walk(LA, ACCESS_READ, true).step[1].value, ~0ull);
}
END_TEST

START_TEST(a_2_mb_page_may_lie_above_4_gb)
{
	map_page(0x800200000 | OPEN | PG_PS, 0);
	ck_assert_uint_eq(reach(&s, LA, ACCESS_WRITE, true), 0x800200000 + (LA & 0x1fffff));
	ck_assert_uint_eq(mmu_tlb_probe(&s.mmu, LA)->frame, 0x800200 + (LA >> 12 & 0x1ff));
}
END_TEST

START_TEST(a_closed_a20_gate_masks_every_address_and_only_bit_20)
{
	map_page((BASE | 0x100000) | OPEN, 0);                     /* the gate moves the table to BASE */
	put64(PTE_AT, 0x300345000 | OPEN);
	s.phys.a20_mask = 0xffefffff;
	ck_assert_uint_eq(walk(LA, ACCESS_READ, true).step[2].addr, PTE_AT);
	ck_assert_uint_eq(walk(LA, ACCESS_READ, true).pa, 0x300245123);
}
END_TEST

START_TEST(no_execute_stops_fetches_of_the_supervisor_too_and_nothing_else)
{
	map_page(BASE | OPEN | (_i ? PG_NX : 0), FRAME | OPEN | (_i ? 0 : PG_NX));
	for (unsigned user = 0; user < 2; user++) {
		ck_assert_uint_eq(reach(&s, LA, ACCESS_READ, user), FRAME + (LA & 0xfff));
		ck_assert_uint_eq(reach(&s, LA, ACCESS_WRITE, user), FRAME + (LA & 0xfff));
		ck_assert_uint_eq(reach(&s, LA, ACCESS_FETCH, user), FAULTED | PF_P | PF_I | (user ? PF_U : 0));
		ck_assert_ptr_null(mmu_tlb_probe(&s.mmu, LA));
	}
}
END_TEST

START_TEST(a_cached_no_execute_page_refuses_fetches_and_keeps_what_it_was_until_flushed)
{
	map_page(BASE | OPEN, FRAME | OPEN | PG_NX);
	ck_assert(touch(&s, LA, ACCESS_READ, true, NULL));
	ck_assert(mmu_tlb_probe(&s.mmu, LA)->flags & TLB_NX);
	if (!s.mmu.geometry.entries) {
		ck_assert_uint_ne(s.mmu.fast[1][ACCESS_READ][LA >> 12], 0);
		ck_assert_uint_eq(s.mmu.fast[1][ACCESS_FETCH][LA >> 12] | s.mmu.fast[0][ACCESS_FETCH][LA >> 12], 0);
	}
	map_page(BASE | OPEN, FRAME | OPEN);
	ck_assert(touch(&s, LA, ACCESS_FETCH, true, NULL));        /* rights given later are seen: the entry did not suffice */
	map_page(BASE | OPEN, FRAME | OPEN | PG_NX);
	ck_assert(touch(&s, LA, ACCESS_FETCH, true, NULL));        /* and rights taken away are not */
	mmu_invlpg(&s.mmu, LA);
	ck_assert(!touch(&s, LA, ACCESS_FETCH, true, NULL));
}
END_TEST

static void count_calls(void *owner, uint32_t first, uint32_t count)
{
	(void)first, (void)count;
	++*(unsigned *)owner;
}

START_TEST(who_caches_fetches_hears_that_a_page_became_no_execute)
{
	unsigned calls = 0;

	map_page(BASE | OPEN, FRAME | OPEN);
	ck_assert(touch(&s, LA, ACCESS_FETCH, true, NULL));
	s.mmu.fetch_dropped = count_calls;
	s.mmu.owner = &calls;
	map_page(BASE | OPEN, FRAME | OPEN | PG_NX);
	ck_assert(touch(&s, LA, ACCESS_WRITE, true, NULL));        /* Dirty needs a walk, which finds the page changed */
	ck_assert_uint_eq(calls, 1);
}
END_TEST

START_TEST(the_error_code_says_fetch_only_with_pae_and_nxe)
{
	struct paging pg = {.enabled = true, .pae = _i & 1, .nxe = _i & 2, .cr3 = DIR + 0x1000};

	mmu_set_paging(&s.mmu, &pg);
	ck_assert_uint_eq(reach(&s, LA, ACCESS_FETCH, false), FAULTED | (_i == 3 ? PF_I : 0));
	ck_assert_uint_eq(reach(&s, LA, ACCESS_READ, false), FAULTED);
}
END_TEST

/* --- PDPTEs ------------------------------------------------------------------------------------------------------- */

START_TEST(each_reserved_bit_of_a_present_pdpte_is_refused)
{
	bool reserved = (_i >= 1 && _i <= 2) || (_i >= 5 && _i <= 8) || _i >= 36;
	uint64_t pdpte[PDPTES];

	for (unsigned i = 0; i < PDPTES; i++) {
		put64(POINTERS + 8 * i, DIRECTORY | PG_P | 1ull << _i);
		ck_assert_int_eq(page_read_pdptes(&s.phys, POINTERS, pdpte), !reserved);
		ck_assert_uint_eq(pdpte[i], DIRECTORY | PG_P | 1ull << _i);
		put64(POINTERS + 8 * i, DIRECTORY | (_i ? 1ull << _i : 0));
		ck_assert(page_read_pdptes(&s.phys, POINTERS | 0x1f, pdpte));
	}
}
END_TEST

START_TEST(pdptes_outside_ram_read_as_ones_and_are_refused)
{
	uint64_t pdpte[PDPTES];

	ck_assert(!page_read_pdptes(&s.phys, 0xf0000000, pdpte));
	ck_assert(!page_read_pdptes(&s.phys, 0xffffffff, pdpte));
}
END_TEST

START_TEST(a_changed_pdpte_in_memory_is_not_seen)
{
	map_page(BASE | OPEN, FRAME | OPEN);
	put64(POINTERS + 8, 0);
	mmu_flush_all(&s.mmu);
	mmu_invlpg(&s.mmu, LA);
	ck_assert_uint_eq(reach(&s, LA, ACCESS_READ, true), FRAME + (LA & 0xfff));
	mmu_write_cr3(&s.mmu, POINTERS, (const uint64_t[PDPTES]){0});
	ck_assert_uint_eq(reach(&s, LA, ACCESS_READ, true), FAULTED | PF_U);
}
END_TEST

/* --- large pages, Accessed and Dirty ------------------------------------------------------------------------------ */

START_TEST(invlpg_drops_every_fragment_of_a_2_mb_page_and_not_its_neighbours)
{
	laddr_t first = LA & 0xffe00000;

	put64(PDE_AT, BASE | OPEN | PG_PS | PG_G);
	put64(PDE_AT + 8, BASE | OPEN | PG_PS);
	put64(PDE_AT - 8, BASE | OPEN | PG_PS);
	for (laddr_t la = first - 0x1000; la != first + 0x401000; la += 0x1000)
		if (la == first - 0x1000 || la == first || la == first + 0x123000 || la == first + 0x1ff000 || la == first + 0x200000)
			ck_assert_uint_eq(reach(&s, la, ACCESS_READ, true), BASE + (la & 0x1fffff));
	mmu_invlpg(&s.mmu, first + 0x100000);                      /* a part that is not cached itself */
	ck_assert_ptr_null(mmu_tlb_probe(&s.mmu, first));
	ck_assert_ptr_null(mmu_tlb_probe(&s.mmu, first + 0x123000));
	ck_assert_ptr_null(mmu_tlb_probe(&s.mmu, first + 0x1ff000));
	ck_assert_ptr_nonnull(mmu_tlb_probe(&s.mmu, first - 0x1000));
	ck_assert_ptr_nonnull(mmu_tlb_probe(&s.mmu, first + 0x200000));
}
END_TEST

START_TEST(a_write_sets_dirty_in_the_leaf_and_keeps_the_upper_half)
{
	map_page(BASE | OPEN | PG_NX, FRAME | OPEN | PG_NX | 0xe00);
	ck_assert(touch(&s, LA, ACCESS_WRITE, true, NULL));
	ck_assert_uint_eq(phys_peek64(&s.phys, PDE_AT), BASE | OPEN | PG_NX | PG_A);
	ck_assert_uint_eq(phys_peek64(&s.phys, PTE_AT), FRAME | OPEN | PG_NX | 0xe00 | PG_A | PG_D);
	ck_assert_uint_eq(phys_peek64(&s.phys, POINTERS + 8), DIRECTORY | PG_P);
	mmu_flush_all(&s.mmu);
	map_page(0xf00400000 | OPEN | PG_PS | PG_NX, 0);
	ck_assert(touch(&s, LA, ACCESS_WRITE, true, NULL));
	ck_assert_uint_eq(phys_peek64(&s.phys, PDE_AT), 0xf00400000 | OPEN | PG_PS | PG_NX | PG_A | PG_D);
}
END_TEST

START_TEST(global_entries_survive_cr3_and_no_change_of_mode)
{
	struct paging pg = s.mmu.pg;

	map_page(BASE | OPEN, FRAME | OPEN | PG_G);
	ck_assert(touch(&s, LA, ACCESS_READ, true, NULL));
	mmu_write_cr3(&s.mmu, POINTERS, pg.pdpte);
	ck_assert_ptr_nonnull(mmu_tlb_probe(&s.mmu, LA));
	pg.pdpte[3] = DIRECTORY | PG_P;
	mmu_set_paging(&s.mmu, &pg);
	ck_assert_ptr_nonnull(mmu_tlb_probe(&s.mmu, LA));
	*(_i ? &pg.nxe : &pg.pae) = false;
	mmu_set_paging(&s.mmu, &pg);
	ck_assert_ptr_null(mmu_tlb_probe(&s.mmu, LA));
}
END_TEST

/* --- in words ------------------------------------------------------------------------------------------------------ */

static void assert_described(enum access_kind kind, const char *text)
{
	struct walk w = walk(LA, kind, true);
	char buf[500];

	ck_assert_int_eq(walk_describe(&w, buf, sizeof(buf)), strlen(buf));
	ck_assert_str_eq(buf, text);
}

START_TEST(a_walk_is_described_in_words)
{
	map_page(BASE | OPEN, FRAME | OPEN | PG_NX);
	assert_described(ACCESS_FETCH, "user fetch of 0x5576a123, CR3 = 0x00010020\n"
	                 "PDPTE at 0x00010028 = 0x0000000000200001: P=1 directory at 0x00200000\n"
	                 "PDE at 0x00200558 = 0x0000000000400007: P=1 W=1 U=1 NX=0 A=0 table at 0x00400000\n"
	                 "PTE at 0x00400b50 = 0x8000000000345007: P=1 W=1 U=1 NX=1 A=0 D=0 G=0 frame at 0x00345000\n"
	                 "#PF error code 0x15: page is no-execute\n");
	map_page(0xf00400000 | PG_P | PG_U | PG_PS, 0);
	assert_described(ACCESS_READ, "user read of 0x5576a123, CR3 = 0x00010020\n"
	                 "PDPTE at 0x00010028 = 0x0000000000200001: P=1 directory at 0x00200000\n"
	                 "PDE at 0x00200558 = 0x0000000f00400085: P=1 W=0 U=1 NX=0 A=0 D=0 G=0 PS=1 2 MB page at 0xf00400000, sets A\n"
	                 "physical address 0xf0056a123\n");
	map_page(BASE | OPEN, FRAME | OPEN | PG_NX | HIGH);
	s.mmu.pg.nxe = false;
	assert_described(ACCESS_READ, "user read of 0x5576a123, CR3 = 0x00010020\n"
	                 "PDPTE at 0x00010028 = 0x0000000000200001: P=1 directory at 0x00200000\n"
	                 "PDE at 0x00200558 = 0x0000000000400007: P=1 W=1 U=1 A=0 table at 0x00400000\n"
	                 "PTE at 0x00400b50 = 0x8000001000345007: P=1 W=1 U=1 A=0 D=0 G=0 reserved bits 0x8000001000000000 are set\n"
	                 "#PF error code 0xd: reserved bit set\n");
}
END_TEST

/* --- one result, whatever the geometry ---------------------------------------------------------------------------- */

/* 24 pages in two directories, in 2 MB ranges that are sometimes large pages. */
static laddr_t random_la(uint32_t r)
{
	return (r & 1 ? 0x40000000u : 0) + (r >> 1) % 3 * 0x15600000u + (r >> 4) % 4 * 0x77000u + (r >> 8) % PAGE_SIZE;
}

static uint32_t random_table(laddr_t la)
{
	return BASE + PAGE_SIZE * ((la >> 21) % 256 + 256 * (la >> 30));
}

/* One step of a guest that flushes what it changes. */
static uint64_t random_step(struct space *g, uint32_t r, uint32_t r2)
{
	laddr_t la = random_la(r);
	paddr_t pde = 0x00200000 + PAGE_SIZE * (la >> 30) + 8 * (la >> 21 & 511), pte = random_table(la) + 8 * (la >> 12 & 511);
	uint32_t nx = r2 >> 31 << 31;

	switch (r2 % 64) {
	case 0 ... 3:
		phys_write(&g->phys, pte, 4, ((r2 >> 8) % 0x300 << 12) | (r2 >> 20 & 0x1ff));
		phys_write(&g->phys, pte + 4, 4, nx | (r2 >> 9 & 15 ? 0 : r2 >> 13 & 0x1f));
		mmu_invlpg(&g->mmu, la);
		return 0;
	case 4:
		phys_write(&g->phys, pde, 4, r2 >> 6 & 7 ? random_table(la) | PG_P | (r2 >> 8 & 0x107) : 0x00200000 | PG_PS | (r2 >> 8 & 0x10f));
		phys_write(&g->phys, pde + 4, 4, r2 >> 17 & 3 ? 0 : nx);
		mmu_flush_all(&g->mmu);
		return 0;
	default:
		return reach(g, la, r2 >> 8 & 3 ? r2 >> 10 & 1 : ACCESS_FETCH, r2 >> 12 & 1);
	}
}

START_TEST(flat_and_modelled_give_the_same_results_and_the_same_memory)
{
	struct space other;
	struct paging pg = pae_on();
	uint32_t seed = 0x9e3779b9u + (uint32_t)_i;
	unsigned reached = 0, faulted = 0, fetches = 0;

	for (unsigned i = 0; i < PDPTES; i++)
		pg.pdpte[i] = (0x00200000 + PAGE_SIZE * i) | PG_P;
	space_init(&other, (struct tlb_geometry){8, 2});
	mmu_set_paging(&other.mmu, &pg);
	mmu_set_paging(&s.mmu, &pg);
	put64(POINTERS + 8, 0);
	for (unsigned i = 0; i < 50000; i++) {
		uint32_t r = next_random(&seed), r2 = next_random(&seed);
		uint64_t a = random_step(&s, r, r2), b = random_step(&other, r, r2);
		ck_assert_msg(a == b, "seed %d step %u: flat %#llx, modelled %#llx", _i, i, (unsigned long long)a, (unsigned long long)b);
		reached += a && !(a & FAULTED);
		faulted += !!(a & FAULTED);
		fetches += a == (FAULTED | PF_P | PF_I);
	}
	ck_assert(!memcmp(s.phys.ram, other.phys.ram, RAM));
	ck_assert_uint_gt(reached, 5000);
	ck_assert_uint_gt(faulted, 5000);
	ck_assert_uint_gt(fetches, 500);
	space_free(&other);
}
END_TEST

static void add_facts(TCase *t)
{
	tcase_add_loop_test(t, each_bit_from_36_to_62_is_reserved_at_both_levels, 36, 63);
	tcase_add_loop_test(t, each_bit_from_13_to_20_of_a_2_mb_pde_is_reserved, 13, 21);
	tcase_add_loop_test(t, bits_9_to_12_of_a_2_mb_pde_are_not_reserved, 9, 13);
	tcase_add_test(t, the_low_bits_of_a_pte_are_attributes_or_ignored);
	tcase_add_test(t, every_slot_of_every_level_is_used);
	tcase_add_test(t, an_absent_pdpte_stops_the_walk);
	tcase_add_loop_test(t, addresses_above_4_gb_are_a_hole_and_not_the_ram_below, 32, 36);
	tcase_add_loop_test(t, tables_above_4_gb_read_as_ones, 32, 36);
	tcase_add_test(t, a_2_mb_page_may_lie_above_4_gb);
	tcase_add_test(t, a_closed_a20_gate_masks_every_address_and_only_bit_20);
	tcase_add_loop_test(t, no_execute_stops_fetches_of_the_supervisor_too_and_nothing_else, 0, 2);
	tcase_add_test(t, a_cached_no_execute_page_refuses_fetches_and_keeps_what_it_was_until_flushed);
	tcase_add_test(t, who_caches_fetches_hears_that_a_page_became_no_execute);
	tcase_add_loop_test(t, the_error_code_says_fetch_only_with_pae_and_nxe, 0, 4);
	tcase_add_loop_test(t, each_reserved_bit_of_a_present_pdpte_is_refused, 0, 64);
	tcase_add_test(t, pdptes_outside_ram_read_as_ones_and_are_refused);
	tcase_add_test(t, a_changed_pdpte_in_memory_is_not_seen);
	tcase_add_test(t, invlpg_drops_every_fragment_of_a_2_mb_page_and_not_its_neighbours);
	tcase_add_test(t, a_write_sets_dirty_in_the_leaf_and_keeps_the_upper_half);
	tcase_add_loop_test(t, global_entries_survive_cr3_and_no_change_of_mode, 0, 2);
	tcase_add_test(t, a_walk_is_described_in_words);
}

int main(void)
{
	Suite *suite = suite_create("PAE paging");
	TCase *all = tcase_create("enumeration"), *one = tcase_create("facts, flat"), *two = tcase_create("facts, modelled");
	TCase *same = tcase_create("same");

	tcase_set_timeout(all, 100);
	tcase_add_checked_fixture(all, setup_flat, teardown);
	tcase_add_loop_test(all, every_combination_does_what_the_manual_says, ACCESS_READ, ACCESS_FETCH + 1);
	suite_add_tcase(suite, all);

	tcase_add_checked_fixture(one, setup_flat, teardown);
	add_facts(one);
	suite_add_tcase(suite, one);
	tcase_add_checked_fixture(two, setup_modelled, teardown);
	add_facts(two);
	suite_add_tcase(suite, two);

	tcase_set_timeout(same, 60);
	tcase_add_checked_fixture(same, setup_flat, teardown);
	tcase_add_loop_test(same, flat_and_modelled_give_the_same_results_and_the_same_memory, 0, 8);
	suite_add_tcase(suite, same);
	return run_suite(suite);
}
