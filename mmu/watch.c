/* mmu/watch.c: what a debugger or a snapshot takes away from the fast tables, so that accesses come to mmu_translate() again.
 *
 *   watched_vpn[vpn], all_watched --- fast_fill() asks ---> no fast entries: translated() is told of each access
 *   phys->watched[frame] ---------- fast_fill() asks ---> no fast entry for reads and writes: phys->accessed() is told
 *
 * The TLB itself, its order of use and the walks stay as they are: nothing here is noticed by the guest. Who remembers fetch
 * translations beside the TLB hears of it as if they had been dropped, and asks again.
 */
#include <errno.h>

#include "mmu/tlb.h"

#define WATCH_LIMIT UINT8_MAX

/* --- forgetting -------------------------------------------------------------------------------------------------- */

void mmu_forget_vpn(struct mmu *mmu, uint32_t vpn)
{
	if (vpn >= TLB_VPNS)
		return;
	if (tlb_is_flat(mmu))
		fast_clear(mmu, vpn);
	tlb_tell_dropped(mmu, vpn, 1);
}

struct frame_search {
	struct mmu *mmu;
	uint32_t frame;
};

static void forget_of_frame(void *ctx, const struct tlb_entry *e)
{
	const struct frame_search *s = ctx;

	if (e->frame == s->frame)
		mmu_forget_vpn(s->mmu, e->vpn);
}

void mmu_forget_frame(struct mmu *mmu, uint32_t frame)
{
	struct frame_search s = {.mmu = mmu, .frame = frame};

	mmu_tlb_each(mmu, forget_of_frame, &s);
}

static void forget_write(void *ctx, const struct tlb_entry *e)
{
	fast_clear_writes(ctx, e->vpn);
}

void mmu_forget_writes(struct mmu *mmu)
{
	if (tlb_is_flat(mmu))
		mmu_tlb_each(mmu, forget_write, mmu);
}

/* --- watching ---------------------------------------------------------------------------------------------------- */

int mmu_watch_vpn(struct mmu *mmu, uint32_t vpn, bool on)
{
	if (vpn >= TLB_VPNS)
		return -EINVAL;
	if (!mmu->watched_vpn && !(mmu->watched_vpn = sparse_alloc(TLB_VPNS)))
		return -ENOMEM;
	uint8_t *count = &mmu->watched_vpn[vpn];
	if (on && *count == WATCH_LIMIT)
		return -EOVERFLOW;
	if (!on && !*count)
		return -EINVAL;
	*count = (uint8_t)(on ? *count + 1 : *count - 1);
	if (on && *count == 1)
		mmu_forget_vpn(mmu, vpn);
	return 0;
}

static void forget_fast(void *ctx, const struct tlb_entry *e)
{
	fast_clear(ctx, e->vpn);
}

void mmu_watch_all(struct mmu *mmu, bool on)
{
	if (!on) {
		mmu->all_watched -= mmu->all_watched != 0;
		return;
	}
	if (mmu->all_watched++)
		return;
	if (tlb_is_flat(mmu))
		mmu_tlb_each(mmu, forget_fast, mmu);
	tlb_tell_dropped(mmu, 0, TLB_VPNS);
}
