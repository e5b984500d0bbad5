/* guestos/kernel/loadavg.c: how many processes want the processor, on average over 1, 5 and 15 minutes: /proc/loadavg.
 *
 * Every five seconds each average moves a little towards the present number n of processes that run or wait for the disk:
 *
 *     average = average * e + n * (1 - e),   e = exp(-5 s / the average's time)
 *
 * in fixed point with 11 bits after the point, since the kernel has no floating point. Linux counts the same way. */
#include "proc.h"

#define ONE (1u << LOAD_SHIFT)
#define PERIOD (5 * HZ)

uint32_t load_average[3];

void loadavg_tick(void)
{
	static const uint32_t decay[3] = { 1884, 2014, 2037 };         /* e * ONE for 60, 300 and 900 s */
	uint32_t n = 0;
	if (ticks % PERIOD)
		return;
	for (struct proc *p = all_procs; p; p = p->next)
		n += p->state == PROC_RUNNABLE || (p->state == PROC_SLEEPING && p->uninterruptible);
	for (int i = 0; i < 3; i++)
		load_average[i] = (load_average[i] * decay[i] + n * ONE * (ONE - decay[i])) >> LOAD_SHIFT;
}
