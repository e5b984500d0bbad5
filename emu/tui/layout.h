/* emu/tui/layout.h: where each pane goes. Pure arithmetic: no terminal.
 *
 *      80 x 24                       120 and wider, 36 and taller
 *   title                            title
 *   code        | registers          code            | registers
 *   main                             main            | stack
 *   time, command, keys              console         | tables
 *                                    time, command, keys
 *
 * Narrow windows lose the registers, low ones all but the pane that has the focus; below LAYOUT_MIN_COLS x LAYOUT_MIN_ROWS nothing fits.
 */
#ifndef EMU_TUI_LAYOUT_H
#define EMU_TUI_LAYOUT_H

#include <stdbool.h>

#define LAYOUT_MIN_ROWS 10
#define LAYOUT_MIN_COLS 40

enum slot { SLOT_CODE, SLOT_REGISTERS, SLOT_MAIN, SLOT_STACK, SLOT_CONSOLE, SLOT_TABLES, SLOTS };

/* The first row is the rule with the title, the rest is content. rows 0: not shown. */
struct rect { int y, x, rows, cols; };

struct layout {
	bool too_small;
	int rows, cols;
	struct rect slot[SLOTS];
	int time_row, command_row, key_row;    /* the title is row 0 */
};

struct layout_wish {
	enum slot focus;               /* shown whatever the size */
	bool zoom;                     /* only the focus */
	bool projector;                /* fewer panes */
};

void layout_make(struct layout *l, int rows, int cols, const struct layout_wish *wish);
/* The slot at a place, or -1. */
int layout_at(const struct layout *l, int y, int x);
/* The next shown slot after this, cyclically; step -1: the one before. */
enum slot layout_next(const struct layout *l, enum slot slot, int step);

#endif
