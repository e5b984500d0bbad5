/* mmu/rights.h: the whole protection rule: the walk, the TLB and the fast tables all ask this one function. Private to mmu/.
 *
 *               page: U=1 W=1   U=1 W=0            U=0 W=1   U=0 W=0
 *   user              all       read, fetch        none      none
 *   supervisor        all       all if CR0.WP=0,   all       all if CR0.WP=0,
 *                               else read, fetch             else read, fetch
 *
 * and of these no fetch, by anybody, where a level says no-execute.
 * It is inline because a fill asks it seven times.
 *
 * References: [SDM3A 4.6 "Access Rights"].   Not implemented: SMEP, SMAP.
 */
#ifndef MMU_RIGHTS_H
#define MMU_RIGHTS_H

#include "mmu/mmu.h"

static inline bool page_access_allowed(uint32_t rights, bool wp, const struct access *a)
{
	if (a->user && !(rights & PG_U))
		return false;
	if (a->kind == ACCESS_FETCH)
		return rights & PG_X;
	if (a->kind == ACCESS_WRITE && !(rights & PG_W))
		return !a->user && !wp;
	return true;
}

#endif
