/* demo/gc.h: a heap whose garbage is collected while the program runs; see gc.c and collector.c. */
#ifndef GC_H
#define GC_H

#include <stdbool.h>
#include <stdint.h>

#define GC_PAGES 48u                   /* in each half */

/* Every object begins so; its first fields are pointers. Smaller than a page. */
struct object {
	struct object *moved_to;       /* in the old half: its copy */
	uint16_t bytes, pointers;
};

extern void *gc_roots[64];             /* all that is alive can be reached from here */

struct gc_statistics {
	long collections, allocated, copied, by_fault, by_timer, by_need, longest_stop, longest_collection, longest_alive;
};
extern struct gc_statistics gc_statistics;

void gc_start(unsigned roots);
void gc_stop(void);                    /* the timer */
void *gc_alloc(uint32_t bytes, unsigned pointers);     /* zeroed; every pointer not in gc_roots may be wrong afterwards */
bool gc_collecting(void);

#endif
