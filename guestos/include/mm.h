/* guestos/include/mm.h: memory management, in the order in which guestos/mm is best read.
 *
 *   frame.c      every 4 KB of RAM has a struct frame that says who uses it
 *   pagetable.c  two-level tables, page-table entries, the kernel's direct map
 *   heap.c       kmalloc: small kernel objects carved from frames
 *   region.c     what a process's addresses *mean*: file, zeroes, heap, stack
 *   mmap.c       regions change: map, unmap, protect
 *   mremap.c     regions move
 *   advice.c     madvise, msync, mincore
 *   mlock.c      pages that stay
 *   fault.c      a page fault turns meaning into mapping
 *   cow.c        fork shares frames; the first write separates them
 *   rmap.c       from a frame back to all page-table entries that map it
 *   pagecache.c  frames found by name: (file, page) or (swap, slot)
 *   object.c     shared memory without a file
 *   prefetch.c   pages that come before they are asked for
 *   evict.c      no free frame: choose a victim, unmap it everywhere, write it if needed
 *   policy.c     which victim: fifo, clock, second chance, aging, random, working-set clock
 *   workingset.c how many pages each process needs just now
 *   loadcontrol.c  suspends processes when that is more than there is
 *   swap.c       slots of the swap partition, reference-counted
 *   usercopy.c   the only code that touches user addresses
 *   check.c      is all that is held counted, and all that is counted held? (/proc/check, option check=N)
 *   check_rules.c  the other rules of all these books
 *
 * Here is what belongs to all of them: the check and the counters. The rest is declared in three parts, by idea. */
#ifndef MM_H
#define MM_H

#include "mm_frame.h"          /* frame.c, pagetable.c, heap.c */
#include "mm_space.h"          /* region.c to cow.c, usercopy.c */
#include "mm_pages.h"          /* rmap.c to swap.c */

/* check.c: neither sleeps */
uint32_t memory_check(char *to, uint32_t room, uint32_t *length);      /* violations; a line for each into to, or on the console if NULL */
void memory_check_now_and_then(void);                  /* option check=N: panics if something is wrong */

/* Counters shown by /proc/vmstat, in this order. */
#define VM_COUNTERS(X) \
	X(pgfault) \
	X(pgmajfault) \
	X(zero_fills) \
	X(zero_shares) \
	X(file_fills) \
	X(file_maps) \
	X(object_maps) \
	X(cow_copies) \
	X(cow_reuses) \
	X(shared_writes) \
	X(stack_growths) \
	X(violations) \
	X(bus_errors) \
	X(swap_ins) \
	X(swap_outs) \
	X(evictions) \
	X(clean_drops) \
	X(writebacks) \
	X(oom_kills) \
	X(around_maps) \
	X(ahead_reads) \
	X(ahead_hits) \
	X(ahead_waste) \
	X(behind_drops) \
	X(suspensions) \
	X(resumptions) \
	X(forks) \
	X(execs) \
	X(ctxt)
#define X(name) uint32_t name;
extern struct vm_counters { VM_COUNTERS(X) } vm;
#undef X

#endif
