/* mmu/phys_page.h: which range one physical page belongs to. Private to mmu/.
 *
 * Everything that turns a physical address into a host address goes through these functions; they are where
 * addresses are checked. Addresses of 2^32 and more are holes.
 */
#ifndef MMU_PHYS_PAGE_H
#define MMU_PHYS_PAGE_H

#include "mmu/phys.h"

#define PHYS_LIMIT      ((paddr_t)PHYS_PAGES << PAGE_SHIFT)

static inline const struct phys_range *phys_range_at(const struct phys *phys, paddr_t pa)
{
	if (pa >= PHYS_LIMIT)
		return &phys->range[0];
	return &phys->range[phys->attr[pa >> PAGE_SHIFT] & PHYS_RANGE_MASK];
}

/* The host address of the byte at pa, good to the end of its page; NULL when it has none for this use. */
static inline uint8_t *phys_page_host(const struct phys *phys, paddr_t pa, bool write)
{
	const struct phys_range *r = phys_range_at(phys, pa);

	if (r->kind == PHYS_RAM || (r->kind == PHYS_ROM && !write))
		return r->host + (pa - r->start);
	return NULL;
}

/* Only for a pa that phys_page_host() accepted. */
static inline bool phys_page_has_code(const struct phys *phys, paddr_t pa)
{
	return phys->attr[pa >> PAGE_SHIFT] & PHYS_CODE;
}

/* phys_write() in another's name. */
void phys_store(struct phys *phys, paddr_t pa, unsigned size, uint32_t value, enum phys_by by);

#endif
