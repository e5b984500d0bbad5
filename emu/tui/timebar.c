/* emu/tui/timebar.c: see timebar.h. */
#include "emu/tui/timebar.h"

#include <stdio.h>
#include <string.h>

#define COLUMNS_MAX 1024u
#define FAULT_LEVELS 6u

void timebar_note(struct timebar_marks *m, uint64_t icount)
{
	if (m->count && icount <= m->at[m->count - 1])
		return;                        /* the past, seen again */
	if (!m->keep)
		m->keep = 1;
	if (++m->skipped < m->keep)
		return;
	m->skipped = 0;
	if (m->count == TIMEBAR_MARKS) {
		for (size_t i = 0; i < TIMEBAR_MARKS / 2; i++)
			m->at[i] = m->at[2 * i];
		m->count = TIMEBAR_MARKS / 2;
		m->keep *= 2;
	}
	m->at[m->count++] = icount;
}

void timebar_forget(struct timebar_marks *m, uint64_t icount)
{
	while (m->count && m->at[m->count - 1] > icount)
		m->count--;
}

const char *timebar_number(uint64_t n, char buf[32])
{
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);
	char *out = buf;

	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			*out++ = ',';
		*out++ = digits[i];
	}
	*out = 0;
	return buf;
}

/* " 0 |" before the bar, "| 12,345,678 " after it. */
struct span { unsigned from, columns; };

static struct span bar_span(const struct timebar *b, unsigned width)
{
	char buf[32];
	unsigned left = (unsigned)strlen(timebar_number(b->first, buf)) + 3, right = (unsigned)strlen(timebar_number(b->present, buf)) + 3;
	struct span s = { left, width > left + right + 4 ? width - left - right : 0 };

	if (s.columns > COLUMNS_MAX)
		s.columns = COLUMNS_MAX;
	return s;
}

static unsigned column_of(const struct timebar *b, unsigned columns, uint64_t icount)
{
	uint64_t span = b->present - b->first;

	if (icount <= b->first || !span)
		return 0;
	if (icount >= b->present)
		return columns - 1;
	return (unsigned)((double)(icount - b->first) / (double)span * (columns - 1) + 0.5);
}

struct glyphs { const char *past, *future, *tick, *here, *left, *right, *faults[FAULT_LEVELS]; };
static const struct glyphs fine = { "─", "┄", "┴", "●", "├", "┤", { "▁", "▂", "▃", "▄", "▅", "▆" } };
static const struct glyphs plain = { "-", ".", "'", "O", "|", "|", { ",", ":", ";", "i", "!", "!" } };

struct cell { bool tick; unsigned faults; };

static unsigned fill_cells(const struct timebar *b, unsigned columns, struct cell *cell)
{
	unsigned most = 2 * FAULT_LEVELS / 3;          /* single faults stay low */

	memset(cell, 0, columns * sizeof(*cell));
	for (size_t i = 0; i < b->checkpoints; i++)
		cell[column_of(b, columns, b->checkpoint[i])].tick = true;
	for (size_t i = 0; b->faults && i < b->faults->count && b->faults->at[i] <= b->present; i++) {
		struct cell *c = &cell[column_of(b, columns, b->faults->at[i])];
		if (++c->faults > most)
			most = c->faults;
	}
	return most;
}

static void draw_cell(const struct glyphs *g, const struct cell *c, unsigned most, bool past, struct text *t)
{
	if (c->faults)
		text_put(t, past ? STYLE_WARN : STYLE_DIM, "%s", g->faults[(c->faults * FAULT_LEVELS - 1) / most]);
	else
		text_put(t, STYLE_DIM, "%s", c->tick ? g->tick : past ? g->past : g->future);
}

void timebar_draw(const struct timebar *b, unsigned width, struct text *t)
{
	const struct glyphs *g = b->ascii ? &plain : &fine;
	struct span s = bar_span(b, width);
	struct cell cell[COLUMNS_MAX];
	char buf[32];

	if (!s.columns)
		return;
	unsigned most = fill_cells(b, s.columns, cell), here = column_of(b, s.columns, b->now);
	text_put(t, STYLE_DIM, " %s %s", timebar_number(b->first, buf), g->left);
	for (unsigned i = 0; i < s.columns; i++)
		if (i == here)
			text_put(t, b->focused ? STYLE_HERE : STYLE_BOLD, "%s", g->here);
		else
			draw_cell(g, &cell[i], most, i < here, t);
	text_put(t, STYLE_DIM, "%s %s", g->right, timebar_number(b->present, buf));
}

bool timebar_moment(const struct timebar *b, unsigned width, unsigned column, uint64_t *icount)
{
	struct span s = bar_span(b, width);

	if (s.columns < 2 || column < s.from || column >= s.from + s.columns)
		return false;
	*icount = b->first + (uint64_t)((double)(b->present - b->first) * (column - s.from) / (s.columns - 1));
	return true;
}

uint64_t timebar_column(const struct timebar *b, unsigned width)
{
	struct span s = bar_span(b, width);
	uint64_t n = s.columns > 1 ? (b->present - b->first) / (s.columns - 1) : 0;

	return n ? n : 1;
}
