/* tests/mmu/space.h: a small guest address space for the tests: 8 MB of RAM, a directory at DIR, tables from TABLES on.
 *
 * put_pde() and put_pte() write entries in the manual's words and flush nothing, as a guest's store would.
 */
#ifndef TESTS_MMU_SPACE_H
#define TESTS_MMU_SPACE_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "mmu/mmu.h"

#define DIR    0x00010000u
#define TABLES 0x00100000u             /* the table of directory slot i is at TABLES + 4096 * i % 256 */
#define RAM    (8u << 20)

struct space {
	struct phys phys;
	struct mmu mmu;
};

static inline uint32_t table_of(laddr_t la)
{
	return TABLES + PAGE_SIZE * ((la >> 22) % 256);
}

static inline void put_pde(struct space *s, laddr_t la, uint32_t value)
{
	phys_write(&s->phys, DIR + 4 * (la >> 22), 4, value);
}

static inline void put_pte(struct space *s, laddr_t la, uint32_t value)
{
	phys_write(&s->phys, table_of(la) + 4 * (la >> 12 & 0x3ff), 4, value);
}

static inline uint32_t get_pde(struct space *s, laddr_t la)
{
	return phys_peek32(&s->phys, DIR + 4 * (la >> 22));
}

static inline uint32_t get_pte(struct space *s, laddr_t la)
{
	return phys_peek32(&s->phys, table_of(la) + 4 * (la >> 12 & 0x3ff));
}

/* Maps the 4 KB page of la to pa with an open PDE, so that the PTE's bits decide. */
static inline void map(struct space *s, laddr_t la, uint32_t pa, uint32_t bits)
{
	put_pde(s, la, table_of(la) | PG_P | PG_W | PG_U);
	put_pte(s, la, (pa & PG_FRAME) | bits);
}

static inline void space_init(struct space *s, struct tlb_geometry g)
{
	ck_assert_int_eq(phys_init(&s->phys, RAM), 0);
	ck_assert_int_eq(mmu_init(&s->mmu, &s->phys, g), 0);
	mmu_set_paging(&s->mmu, &(struct paging){.enabled = true, .wp = true, .pse = true, .pge = true, .cr3 = DIR});
}

static inline void space_free(struct space *s)
{
	mmu_free(&s->mmu);
	phys_free(&s->phys);
}

static inline bool touch(struct space *s, laddr_t la, enum access_kind kind, bool user, struct translation *t)
{
	struct translation ignored;

	return mmu_translate(&s->mmu, &(struct access){.la = la, .kind = kind, .user = user}, t ? t : &ignored);
}

/* The physical address an access reaches, or the error code with bit 63 set. */
#define FAULTED (1ull << 63)
static inline uint64_t reach(struct space *s, laddr_t la, enum access_kind kind, bool user)
{
	struct translation t;

	return touch(s, la, kind, user, &t) ? t.pa : FAULTED | s->mmu.last_fault.pf_code;
}

/* xorshift: the same numbers on every host. */
static inline uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static inline int run_suite(Suite *suite)
{
	SRunner *r = srunner_create(suite);
	int failed;

	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
