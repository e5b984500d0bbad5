/* emu/tui/layout.c: see layout.h. */
#include "emu/tui/layout.h"

#include <string.h>

#define REGISTER_COLS 28               /* two registers beside each other */

/* One band of rows across the window, with one slot or two (right is -1: one). */
static void band(struct layout *l, int y, int rows, enum slot left, int right, int right_cols)
{
	int left_cols = right < 0 ? l->cols : l->cols - right_cols - 1;

	l->slot[left] = (struct rect){ y, 0, rows, left_cols };
	if (right >= 0)
		l->slot[right] = (struct rect){ y, left_cols + 1, rows, right_cols };
}

static void make_small(struct layout *l, int body)
{
	/* The walk's diagram wants twelve rows and its title; the code gets a third when there is more. */
	int top = body - 13 < 7 ? body * 2 / 5 : body / 3 < 7 ? 7 : body / 3;

	band(l, 1, top, SLOT_CODE, l->cols >= 70 ? SLOT_REGISTERS : -1, REGISTER_COLS);
	band(l, 1 + top, body - top, SLOT_MAIN, -1, 0);
}

static void make_tall(struct layout *l, int body)
{
	int top = body * 3 / 10, middle = body * 4 / 10;

	band(l, 1, top, SLOT_CODE, SLOT_REGISTERS, REGISTER_COLS);
	band(l, 1 + top, middle, SLOT_MAIN, -1, 0);
	band(l, 1 + top + middle, body - top - middle, SLOT_CONSOLE, SLOT_STACK, l->cols * 2 / 5);
}

static void make_wide(struct layout *l, int body)
{
	int right = l->cols * 2 / 5, top = body * 2 / 5;

	band(l, 1, top, SLOT_CODE, SLOT_REGISTERS, right);
	band(l, 1 + top, body - top, SLOT_MAIN, SLOT_STACK, right);
}

static void make_large(struct layout *l, int body)
{
	/* With 23 rows the walk is drawn as the lectures do. */
	int right = l->cols * 2 / 5, middle = body < 46 ? body / 2 : body < 60 ? 23 : body * 4 / 10, top = (body - middle) / 2;

	band(l, 1, top, SLOT_CODE, SLOT_REGISTERS, right);
	band(l, 1 + top, middle, SLOT_MAIN, SLOT_STACK, right);
	band(l, 1 + top + middle, body - top - middle, SLOT_CONSOLE, SLOT_TABLES, right);
}

static void make_projector(struct layout *l, int body)
{
	int top = body >= 28 && body - 23 < body / 3 ? body - 23 : body / 3;

	band(l, 1, top, SLOT_CODE, -1, 0);
	band(l, 1 + top, body - top, SLOT_MAIN, -1, 0);
}

void layout_make(struct layout *l, int rows, int cols, const struct layout_wish *wish)
{
	int body = rows - 4;

	*l = (struct layout){ .rows = rows, .cols = cols, .time_row = rows - 3, .command_row = rows - 2, .key_row = rows - 1 };
	l->too_small = rows < LAYOUT_MIN_ROWS || cols < LAYOUT_MIN_COLS;
	if (l->too_small)
		return;
	bool tall = rows >= 36, wide = cols >= 120;
	if (wish->zoom || body < 14)
		band(l, 1, body, wish->focus, -1, 0);
	else if (wish->projector)
		make_projector(l, body);
	else if (tall && wide)
		make_large(l, body);
	else if (wide)
		make_wide(l, body);
	else if (tall && cols >= 70)
		make_tall(l, body);
	else
		make_small(l, body);
	/* What has the focus but no place of its own takes the main one. */
	if (!l->slot[wish->focus].rows) {
		l->slot[wish->focus] = l->slot[SLOT_MAIN];
		l->slot[SLOT_MAIN].rows = 0;
	}
}

int layout_at(const struct layout *l, int y, int x)
{
	for (int i = 0; i < SLOTS; i++) {
		const struct rect *r = &l->slot[i];
		if (y >= r->y && y < r->y + r->rows && x >= r->x && x < r->x + r->cols)
			return i;
	}
	return -1;
}

enum slot layout_next(const struct layout *l, enum slot slot, int step)
{
	for (int i = 0; i < SLOTS; i++) {
		slot = (enum slot)(((int)slot + step + SLOTS) % SLOTS);
		if (l->slot[slot].rows)
			break;
	}
	return slot;
}
