/* replay.h: running a string of page references in a given number of frames (lib/replay.c).
 *
 * A child maps the pages, locks everything else it has, and limits its resident pages (RLIMIT_RSS) to that plus the frames. From then on the
 * kernel replaces only among the pages of the string, by the policy in force, and each absence is one page fault: a page is either written
 * at every reference, or only at its first, so that none is wasted on the right to write. */
#ifndef REPLAY_H
#define REPLAY_H

#include <stdint.h>

#define REPLAY_WRITES 0x8000u          /* in a reference: this page is written each time */
#define REPLAY_PAGE(r) ((r) & 0x7fffu)

struct replay {
	const uint16_t *string;
	unsigned length, pages, frames;
	unsigned pause_us, pause_every;        /* sleep that long after so many references; 0: never */
	unsigned spin;                         /* rounds of computing after each reference */
};
struct replay_result {
	long faults;                   /* of the child, while it ran the string: as the kernel counted them */
	long written, dropped;         /* evicted pages that were written to swap, and that were not */
	long errors;                   /* words that were not as last written */
	uint32_t missed;               /* which references faulted, as a hash */
};

int replay(const struct replay *r, struct replay_result *result);      /* 0, or -1 if it could not be run */

/* What the string would cost, by simulation. */
long replay_fifo(const struct replay *r);
long replay_lru(const struct replay *r);
long replay_best(const struct replay *r);      /* Belady's rule: the page goes that is needed again last */

#endif
