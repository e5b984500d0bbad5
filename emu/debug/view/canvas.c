/* emu/debug/view/canvas.c: see canvas.h. A cell holds a character, or the half lines that leave it in four directions. */
#include "emu/debug/view/canvas.h"

#include <stdarg.h>
#include <string.h>

enum { UP = 1, DOWN = 2, LEFT = 4, RIGHT = 8 };

void canvas_clear(struct canvas *c)
{
	memset(c, 0, sizeof(*c));
}

static struct canvas_cell *cell_at(struct canvas *c, unsigned x, unsigned y)
{
	return x < CANVAS_WIDTH && y < CANVAS_HEIGHT ? &c->cell[y][x] : NULL;
}

unsigned canvas_text(struct canvas *c, unsigned x, unsigned y, enum style style, const char *fmt, ...)
{
	char buf[CANVAS_WIDTH + 1];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	for (const char *p = buf; *p; p++, x++) {
		struct canvas_cell *cell = cell_at(c, x, y);
		if (cell)
			*cell = (struct canvas_cell){ .c = *p, .style = (uint8_t)style };
	}
	return x;
}

static void add_lines(struct canvas *c, unsigned x, unsigned y, unsigned lines, enum style style)
{
	struct canvas_cell *cell = cell_at(c, x, y);

	if (!cell)
		return;
	cell->c = 0;
	cell->lines |= (uint8_t)lines;
	cell->style = (uint8_t)style;
}

void canvas_line(struct canvas *c, unsigned x0, unsigned y0, unsigned x1, unsigned y1, enum style style)
{
	unsigned from = x0 != x1 ? RIGHT : DOWN, to = x0 != x1 ? LEFT : UP;

	if (x0 > x1 || y0 > y1) {
		canvas_line(c, x1, y1, x0, y0, style);
		return;
	}
	for (unsigned x = x0, y = y0; x <= x1 && y <= y1; x += x0 != x1, y += x0 == x1)
		add_lines(c, x, y, (x != x1 || y != y1 ? from : 0) | (x != x0 || y != y0 ? to : 0), style);
}

void canvas_bar(struct canvas *c, unsigned x, unsigned y, unsigned height, enum style style)
{
	for (unsigned i = 0; i < height; i++)
		add_lines(c, x, y + i, UP | DOWN, style);
}

void canvas_box(struct canvas *c, unsigned x, unsigned y, unsigned width, unsigned height, enum style style)
{
	canvas_line(c, x, y, x + width - 1, y, style);
	canvas_line(c, x, y + height - 1, x + width - 1, y + height - 1, style);
	canvas_line(c, x, y, x, y + height - 1, style);
	canvas_line(c, x + width - 1, y, x + width - 1, y + height - 1, style);
}

/* --- coming out ------------------------------------------------------------------------------------------------- */

static const char *line_character(unsigned lines, bool utf8)
{
	static const char *const box[16] = {
		" ", "╵", "╷", "│", "╴", "┘", "┐", "┤", "╶", "└", "┌", "├", "─", "┴", "┬", "┼",
	};

	if (utf8)
		return box[lines & 15];
	if (!lines)
		return " ";
	return lines & (LEFT | RIGHT) ? lines & (UP | DOWN) ? "+" : "-" : "|";
}

static const char *special_character(char c, bool utf8)
{
	static const char *const wide[] = { "", "▶", "▼", "✗", "⋮" }, *const plain[] = { "", ">", "v", "X", ":" };

	return utf8 ? wide[(unsigned)c] : plain[(unsigned)c];
}

static void write_cell(const struct canvas_cell *cell, bool utf8, struct text *t)
{
	if (cell->c >= ' ')
		text_put(t, cell->style, "%c", cell->c);
	else if (cell->c > 0 && cell->c <= CANVAS_DOTS[0])
		text_put(t, cell->style, "%s", special_character(cell->c, utf8));
	else
		text_put(t, cell->style, "%s", line_character(cell->lines, utf8));
}

static unsigned row_width(const struct canvas *c, unsigned y)
{
	unsigned width = CANVAS_WIDTH;

	while (width && !c->cell[y][width - 1].lines && (!c->cell[y][width - 1].c || c->cell[y][width - 1].c == ' '))
		width--;
	return width;
}

void canvas_write(const struct canvas *c, struct text *t)
{
	unsigned height = CANVAS_HEIGHT;
	bool utf8 = locale_is_utf8();

	while (height && !row_width(c, height - 1))
		height--;
	for (unsigned y = 0; y < height; y++) {
		unsigned width = row_width(c, y);
		for (unsigned x = 0; x < width; x++)
			write_cell(&c->cell[y][x], utf8, t);
		text_put(t, STYLE_PLAIN, "\n");
	}
}
