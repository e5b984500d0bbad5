/* mmu/tlb.h: what mmu.c, tlb.c and fast.c share. Private to mmu/.
 *
 * Every way an entry goes, or changes, passes through tlb.c, and tlb.c clears the fast tables and tells the owner there:
 * so a fast entry never outlives the TLB entry it was made from. Only mmu_translate() makes fast entries.
 */
#ifndef MMU_TLB_H
#define MMU_TLB_H

#include "mmu/mmu.h"

#define TLB_VPNS    (1u << 20)         /* linear pages */

int tlb_init(struct mmu *mmu);
void tlb_free(struct mmu *mmu);
/* The valid entry for the page or NULL; in a modelled geometry this is a use of it, for LRU. */
struct tlb_entry *tlb_find(struct mmu *mmu, uint32_t vpn);
/* Puts e in, replacing what was there for the page, or the least recently used entry of the set. */
struct tlb_entry *tlb_insert(struct mmu *mmu, const struct tlb_entry *e);
/* Drops the entry of the page, and if a large page is cached there, every entry made from it. */
void tlb_drop(struct mmu *mmu, uint32_t vpn);
void tlb_flush(struct mmu *mmu, bool keep_global);
/* Fetches of these linear pages may not go on by what somebody remembers of them. */
void tlb_tell_dropped(struct mmu *mmu, uint32_t first, uint32_t count);

int fast_init(struct mmu *mmu);
void fast_free(struct mmu *mmu);
/* Sets all six entries of the page from e. Only with the flat geometry. */
void fast_fill(struct mmu *mmu, const struct tlb_entry *e);
void fast_clear(struct mmu *mmu, uint32_t vpn);
void fast_clear_writes(struct mmu *mmu, uint32_t vpn);
/* An anonymous mapping of zeros that costs memory only where it is written. NULL when there is no address space. */
void *sparse_alloc(size_t bytes);
void sparse_free(void *p, size_t bytes);

static inline bool tlb_is_flat(const struct mmu *mmu)
{
	return mmu->geometry.entries == 0;
}

static inline uint32_t tlb_rights(const struct tlb_entry *e)
{
	return (e->flags & TLB_W ? PG_W : 0) | (e->flags & TLB_U ? PG_U : 0) | (e->flags & TLB_NX ? 0 : PG_X);
}

#endif
