/* guestos/mm/workingset.c: how many pages does each process need just now?
 *
 * A process' working set is the set of pages it used in its last WINDOW of time, counted in the time it had the processor: waiting for
 * the disk makes nobody's working set smaller. Ticks do not see a process that only runs for moments between two faults, so each fault
 * that waits for the disk counts as a fraction of a tick. Every SAMPLE ticks the pager (process 3) looks at each process whose window has
 * passed: it counts the entries with Accessed set [SDM3A 4.8 "Accessed and Dirty Flags"] and clears them, for the next window.
 * The replacement policy reads and clears the same bits. Neither may hide a use from the other: who clears Accessed for the policy sets
 * PG_SEEN for the sample (rmap.c), and the sample leaves FRAME_REFERENCED for the policy.
 * A page that was used and then taken away counts too, once for each time it was taken: that may be too often, so the estimate never
 * exceeds what the process has. It rises at once and falls slowly, because one that is too large only makes somebody wait, and one that is
 * too small lets him in to thrash. Invariant: space->used_and_lost counts the entries with either bit that eviction took in this window. */
#include "mm.h"
#include "proc.h"

#define SAMPLE (HZ / 20)
#define WINDOW (HZ / 10 * VTIME_TICK)

static uint32_t used_in_table(struct space *s, uint32_t la, pte_t *table)
{
	uint32_t used = 0;
	for (uint32_t i = 0; i < 1024; i++, la += PAGE_SIZE) {
		pte_t v = table[i];
		if (!(v & PG_P) || !(v & (PG_A | PG_SEEN)) || PTE_FRAME(v) == frame_pa(zero_frame))
			continue;
		if (v & PG_A)
			frame_of(PTE_FRAME(v))->flags |= FRAME_REFERENCED;
		prefetch_used(frame_of(PTE_FRAME(v)));
		pte_set(s, la, &table[i], v & ~(PG_A | PG_SEEN));
		used++;
	}
	return used;
}

static void sample(struct space *s)
{
	uint32_t used = 0;
	for (uint32_t i = 0; i < KERNEL_BASE >> 22; i++)
		if (s->dir[i] & PG_P)
			used += used_in_table(s, i << 22, phys_to_virt(PTE_FRAME(s->dir[i])));
	used = min(used + s->used_and_lost, s->rss + s->swapped);
	s->working_set = max(used, (s->working_set * 7 + used) / 8);
	s->window_start = s->vtime;
	s->used_and_lost = 0;
}

/* Process 3. What the policy and load control want done regularly is done here, where it may take its time, and not in the timer's
 * interrupt. */
void pager_main(void)
{
	sti();
	for (;;) {
		sleep_ticks(&frames, SAMPLE, true);
		if (evict_policy->tick)
			evict_policy->tick();
		for (struct proc *p = all_procs; p; p = p->next)
			if (p->space && !p->suspended && p->space->vtime - p->space->window_start >= WINDOW)
				sample(p->space);
		loadcontrol_tick();
	}
}
