/* vmtest/segments.h: what the tests of segments share (segments.c). */
#ifndef VMTEST_SEGMENTS_H
#define VMTEST_SEGMENTS_H

#include <segment.h>
#include <stdint.h>

#define AREA (4 * PAGE_SIZE)
extern uint8_t area[AREA];
#define MIDDLE (area + PAGE_SIZE)

void make(struct user_desc u);         /* or the test fails */
void data_segment(uint32_t entry, const void *base, uint32_t limit);
void keep_switching(void *argument);   /* for a child: yields a few hundred times, and has a segment of its own in entry 5 each time */

#endif
