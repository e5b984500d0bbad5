/* guestos/kernel/preempt.c: seeded preemption: another interleaving of the processes for each seed, the same one for the same seed.
 *
 * The kernel changes process only where it may sleep, and mostly it does not sleep there: memory is free, the page is in the cache, the
 * lock is open. A mistake of code that forgot what others may do meanwhile can so stay hidden for years. With the option seed=N a
 * generator decides, wherever something may sleep, whether the process is set aside, and sometimes for long; which of the processes that can
 * run does so; how long a time slice is; and now and then that a frame is evicted although some are free. Every one of these could
 * have happened by itself, so whatever goes wrong then is a bug. Without the option nothing is different.
 * The generator is xorshift with the shifts 13, 17, 5: its period is 2^32 - 1. */
#include "proc.h"
#include "mm.h"

#define YIELD_ONE_IN 8u
#define LONG_ONE_IN 12u        /* of these are long */
#define LONGEST_PAUSE 3u       /* ticks */
#define EVICT_ONE_IN 48u
#define LONGEST_SLICE 4u       /* ticks */

static uint32_t state;

uint32_t seeded_random(uint32_t below)
{
	if (!state)
		state = boot_options.seed * 2654435761u | 1;   /* neighbouring seeds shall not begin alike */
	return (xorshift(&state) >> 8) % below;
}

bool seeded(uint32_t one_in)
{
	return boot_options.seed && current && seeded_random(one_in) == 0;
}

/* Stands at the head of everything that may sleep but seldom does. */
void may_sleep(void)
{
	if (!seeded(YIELD_ONE_IN) || current->state != PROC_RUNNABLE || !interrupts_on())
		return;
	if (seeded(LONG_ONE_IN))
		sleep_ticks(&state, 1 + seeded_random(LONGEST_PAUSE), false);
	else
		yield();
}

/* The same where a frame is asked for: memory might have been short. */
void may_evict(void)
{
	may_sleep();
	if (seeded(EVICT_ONE_IN) && interrupts_on())
		evict_one();
}

bool slice_over(void)
{
	static uint32_t left;
	if (!boot_options.seed)
		return true;
	if (left)
		left--;
	else
		left = seeded_random(LONGEST_SLICE);
	return !left;
}
