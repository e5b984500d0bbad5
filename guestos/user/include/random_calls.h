/* random_calls.h: what bad and vmtest do to the kernel alike (lib/random_calls.c). */
#ifndef RANDOM_CALLS_H
#define RANDOM_CALLS_H

#include <stdint.h>
#include <sys/types.h>

int wait_for(pid_t pid, int milliseconds);     /* its status; after that time it is killed */

struct random_calls {
	const char *place;             /* begins the name of every file that is made */
	uint32_t seed;                 /* not 0 */
	uint32_t calls;                /* how many to make */
	/* What came of it. */
	uint32_t made;
	int processes, killed, stuck;  /* that made them; were ended by a signal; of these, because they waited */
};
int random_calls(struct random_calls *r);      /* 0, or -1: errno says why there is no memory to count in */

#endif
