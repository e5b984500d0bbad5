/* emu/debug/view/canvas.h: a sheet to draw boxes, lines and arrows on, for diagrams. Lines that meet join by themselves. It comes out as text
 * in box-drawing characters, or in + - | > where the locale has no UTF-8. What lies outside the sheet is not drawn. */
#ifndef EMU_DEBUG_CANVAS_H
#define EMU_DEBUG_CANVAS_H

#include <stdbool.h>

#include "emu/debug/text.h"

#define CANVAS_WIDTH  160
#define CANVAS_HEIGHT 32

/* Beyond ASCII; good in canvas_text() too. */
#define CANVAS_RIGHT "\x01"        /* arrow heads */
#define CANVAS_DOWN  "\x02"
#define CANVAS_CROSS "\x03"        /* no way on */
#define CANVAS_DOTS  "\x04"        /* more of the same */

struct canvas {
	struct canvas_cell { char c; uint8_t lines, style; } cell[CANVAS_HEIGHT][CANVAS_WIDTH];
};

void canvas_clear(struct canvas *c);
/* Returns the column after the text. */
unsigned canvas_text(struct canvas *c, unsigned x, unsigned y, enum style style, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* Horizontal or vertical, both ends included: they are half lines, so that two lines ending in one cell make a corner. */
void canvas_line(struct canvas *c, unsigned x0, unsigned y0, unsigned x1, unsigned y1, enum style style);
/* Vertical, through all of each cell. */
void canvas_bar(struct canvas *c, unsigned x, unsigned y, unsigned height, enum style style);
void canvas_box(struct canvas *c, unsigned x, unsigned y, unsigned width, unsigned height, enum style style);
/* Down to the last line drawn on. */
void canvas_write(const struct canvas *c, struct text *t);

#endif
