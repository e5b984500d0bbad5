/* mmu/fast.c: the fast tables, a second form of the TLB's flat store that the processor probes without a call.
 *
 *   fast[user][kind][vpn] = host address of the page - its linear address, or 0
 *
 *             RAM                                   ROM       device, hole
 *   read      rights                                rights    never
 *   fetch     rights                                rights    never
 *   write     rights, Dirty set, no code in it,     never     never
 *             PHYS_DIRTY
 *
 * Rights are asked of page_access_allowed(), once for each entry, when it is filled. Nothing is filled for a linear page that is
 * watched, and of a watched physical page only fetches: what is watched has to come by the slow way each time. Any entry may be
 * missing at any time; mmu_translate() makes it again.
 *
 * References: [SDM3A 4.6 "Access Rights"], [SDM3A 4.8 "Accessed and Dirty Flags"].
 */
#include <errno.h>
#include <sys/mman.h>

#include "mmu/phys_page.h"
#include "mmu/rights.h"
#include "mmu/tlb.h"

#define FAST_BYTES (TLB_VPNS * sizeof(uintptr_t))

void *sparse_alloc(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

void sparse_free(void *p, size_t bytes)
{
	if (p)
		munmap(p, bytes);
}

int fast_init(struct mmu *mmu)
{
	for (unsigned i = 0; i < 6; i++)
		if (!(mmu->fast[i / 3][i % 3] = sparse_alloc(FAST_BYTES)))
			return -ENOMEM;
	return 0;
}

void fast_free(struct mmu *mmu)
{
	for (unsigned i = 0; i < 6; i++)
		sparse_free(mmu->fast[i / 3][i % 3], FAST_BYTES);
}

/* May stores to the page go unseen? Only when it counts as written already. */
static bool plain_for_writes(const struct mmu *mmu, const struct tlb_entry *e, paddr_t pa)
{
	if (!(e->flags & TLB_D) || !phys_page_host(mmu->phys, pa, true))
		return false;
	return (mmu->phys->attr[e->frame] & (PHYS_CODE | PHYS_DIRTY)) == PHYS_DIRTY;
}

/* A zero is stored only over something else: the tables stay sparse. */
static void set(uintptr_t *slot, uintptr_t value)
{
	if (value || *slot)
		*slot = value;
}

void fast_fill(struct mmu *mmu, const struct tlb_entry *e)
{
	struct access a = {.la = e->vpn << PAGE_SHIFT};
	paddr_t pa = (paddr_t)e->frame << PAGE_SHIFT;
	const uint8_t *host = mmu_vpn_watched(mmu, e->vpn) ? NULL : phys_page_host(mmu->phys, pa, false);
	uintptr_t addend[3] = {0};

	if (host)
		addend[ACCESS_FETCH] = (uintptr_t)host - a.la;
	if (!phys_watched(mmu->phys, pa))
		addend[ACCESS_READ] = addend[ACCESS_FETCH];
	if (plain_for_writes(mmu, e, pa))
		addend[ACCESS_WRITE] = addend[ACCESS_READ];
	for (unsigned i = 0; i < 6; i++) {
		a.user = i / 3;
		a.kind = i % 3;
		bool open = addend[a.kind] && page_access_allowed(tlb_rights(e), mmu->pg.wp, &a);
		set(&mmu->fast[a.user][a.kind][e->vpn], open ? addend[a.kind] : 0);
	}
}

void fast_clear(struct mmu *mmu, uint32_t vpn)
{
	for (unsigned i = 0; i < 6; i++)
		set(&mmu->fast[i / 3][i % 3][vpn], 0);
}

void fast_clear_writes(struct mmu *mmu, uint32_t vpn)
{
	for (unsigned user = 0; user < 2; user++)
		set(&mmu->fast[user][ACCESS_WRITE][vpn], 0);
}
