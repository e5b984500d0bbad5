/* emu/tui/timebar.h: the run as one line: where we stand between the first moment and the present, the checkpoints, and as the height of
 * blocks how many page faults there were. Pure.
 *
 *   0 ├──┴───▁▂▆▂─┴──●┄┄┄┄┴┄▁▁┤ 12,345,678
 */
#ifndef EMU_TUI_TIMEBAR_H
#define EMU_TUI_TIMEBAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "emu/debug/text.h"

#define TIMEBAR_MARKS 2048

/* Where the faults were, thinned evenly when there are too many to keep. */
struct timebar_marks {
	uint64_t at[TIMEBAR_MARKS];    /* instruction counts, rising */
	size_t count;
	unsigned keep;                 /* every keep-th is kept; 0 as 1 */
	unsigned skipped;
};
void timebar_note(struct timebar_marks *m, uint64_t icount);
/* What lay after this has been given up. */
void timebar_forget(struct timebar_marks *m, uint64_t icount);

struct timebar {
	uint64_t first, now, present;
	const uint64_t *checkpoint;
	size_t checkpoints;
	const struct timebar_marks *faults;
	bool ascii, focused;
};

/* One line of width columns without an end of line. */
void timebar_draw(const struct timebar *b, unsigned width, struct text *t);
/* The moment under a column, for the mouse; false: the column is no part of the bar. */
bool timebar_moment(const struct timebar *b, unsigned width, unsigned column, uint64_t *icount);
/* How much one column stands for; at least 1. */
uint64_t timebar_column(const struct timebar *b, unsigned width);
/* "12,345,678" */
const char *timebar_number(uint64_t n, char buf[32]);

#endif
