/* emu/tui/pane.c: see pane.h. */
#include "emu/tui/pane.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* How many lines a view is asked for. Most give all they have; these have no end, or fit themselves to the room. */
#define ROOM 0u
static const struct { const char *view; unsigned lines; } asked[] = {
	{ "disassembly", 160 }, { "memory", 512 }, { "stack", 128 }, { "console", 2000 }, { "trace", 500 }, { "walk", ROOM }, { "registers", ROOM },
};

void pane_free(struct pane *p)
{
	text_free(&p->text);
}

void pane_choose(struct pane *p, const struct view *v, const char *argument, bool keep)
{
	if (keep && p->place.view) {
		if (p->depth == PANE_BACK)
			memmove(p->back, p->back + 1, --p->depth * sizeof(p->back[0]));
		p->back[p->depth++] = p->place;
	} else {
		p->depth = 0;
	}
	p->place = (struct pane_place){ .view = v };
	snprintf(p->place.argument, sizeof(p->place.argument), "%s", argument ? argument : "");
	p->left = 0;
	p->follow = true;
	p->wandered = false;
}

bool pane_return(struct pane *p)
{
	if (!p->depth)
		return false;
	p->place = p->back[--p->depth];
	p->left = 0;
	p->wandered = true;
	return true;
}

static void copy_line(const struct text *from, size_t n, struct text *out)
{
	size_t length, run;
	const uint8_t *style;
	const char *line = text_line(from, n, &length, &style);

	for (size_t i = 0; i < length; i += run) {
		for (run = 1; i + run < length && style[i + run] == style[i]; run++)
			;
		text_put(out, (enum style)style[i], "%.*s", (int)run, line + i);
	}
	text_add(out, "\n");
}

/* --- rendering ------------------------------------------------------------------------------------------------------- */

static unsigned lines_asked(const struct pane *p, unsigned rows)
{
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		if (!strcmp(asked[i].view, p->place.view->name))
			return asked[i].lines == ROOM ? rows : asked[i].lines;
	return 0;
}

bool pane_line_is_here(const struct text *t, size_t line)
{
	size_t length;
	const uint8_t *style;

	text_line(t, line, &length, &style);
	for (size_t i = 0; i < length; i++)
		if (style[i] == STYLE_HERE)
			return true;
	return false;
}

static void keep_in_sight(struct pane *p)
{
	size_t lines = text_lines(&p->text);
	struct pane_place *at = &p->place;

	if (at->cursor >= lines)
		at->cursor = lines ? lines - 1 : 0;
	if (at->top > at->cursor)
		at->top = at->cursor;
	if (p->rows && at->cursor >= at->top + p->rows)
		at->top = at->cursor - p->rows + 1;
	if (at->top + p->rows > lines)
		at->top = lines > p->rows ? lines - p->rows : 0;
}

/* A stop: to the line that is marked, leaving a quarter of the room before it; a console shows its end. */
static void go_to_current(struct pane *p)
{
	size_t lines = text_lines(&p->text);
	size_t before = p->rows / 4;

	if (!strcmp(p->place.view->name, "console")) {
		p->place.cursor = lines ? lines - 1 : 0;
		return;
	}
	for (size_t i = 0; i < lines; i++)
		if (pane_line_is_here(&p->text, i)) {
			p->place.cursor = i;
			if (i < p->place.top + 1 || i + 1 >= p->place.top + p->rows || !strcmp(p->place.view->name, "disassembly"))
				p->place.top = i > before ? i - before : 0;
			return;
		}
}

/* A view that fits itself to its room, and does not quite: it does without its empty lines, the last ones first. */
static void close_up(struct pane *p)
{
	struct text tight = { 0 };
	size_t lines = text_lines(&p->text), over = lines > p->rows ? lines - p->rows : 0, empty = 0, length;

	for (size_t i = 0; i < lines; i++) {
		text_line(&p->text, i, &length, NULL);
		empty += !length;
	}
	if (!over || !empty)
		return;
	size_t keep = empty > over ? empty - over : 0;
	for (size_t i = 0; i < lines; i++) {
		text_line(&p->text, i, &length, NULL);
		if (length || keep)
			copy_line(&p->text, i, &tight);
		keep -= !length && keep;
	}
	text_free(&p->text);
	p->text = tight;
}

void pane_render(struct pane *p, struct debugger *d, const struct rect *r, const struct view_request *like)
{
	struct view_request rq = *like;

	p->rows = (unsigned)r->rows - 1;
	rq.width = (unsigned)r->cols;
	rq.height = lines_asked(p, p->rows);
	rq.argument = *p->place.argument ? p->place.argument : NULL;
	text_clear(&p->text);
	p->place.view->render(d, &rq, &p->text);
	if (rq.height == p->rows)
		close_up(p);
	if (p->follow)
		go_to_current(p);
	p->follow = false;
	keep_in_sight(p);
}

static void draw_title(const struct pane *p, const struct screen *s, const struct rect *r, bool focus)
{
	char title[PANE_ARGUMENT + 64];
	size_t lines = text_lines(&p->text);

	snprintf(title, sizeof(title), "%s%s%s%s", focus && !s->utf8 ? "*" : "", p->place.view->title, *p->place.argument ? " " : "", p->place.argument);
	screen_rule(s, r->y, r->x, r->cols, title, focus);
	if (lines > p->rows && r->cols > 40 && !lines_asked(p, 1)) {
		char more[48];
		int n = snprintf(more, sizeof(more), " %zu-%zu of %zu ", p->place.top + 1, p->place.top + p->rows < lines ? p->place.top + p->rows : lines, lines);
		screen_string(s, r->y, r->x + r->cols - n - 1, n, CHROME_RULE, more);
	}
}

void pane_draw(struct pane *p, const struct screen *s, const struct rect *r, bool focus)
{
	size_t lines = text_lines(&p->text);

	draw_title(p, s, r, focus);
	for (unsigned i = 0; i < p->rows; i++) {
		size_t n = p->place.top + i, length = 0;
		const uint8_t *style = NULL;
		const char *line = n < lines ? text_line(&p->text, n, &length, &style) : "";
		bool cursor = focus && p->wandered && n == p->place.cursor;
		screen_line(s, r->y + 1 + (int)i, r->x, r->cols, line, length, cursor ? NULL : style, p->left, cursor ? CHROME_CURSOR : STYLE_PLAIN);
	}
}

/* --- moving ---------------------------------------------------------------------------------------------------------- */

static size_t moved(size_t n, long by, size_t end)
{
	if (by < 0)
		return n > (size_t)-by ? n - (size_t)-by : 0;
	return n + (size_t)by < end ? n + (size_t)by : end ? end - 1 : 0;
}

void pane_move(struct pane *p, long lines)
{
	p->place.cursor = moved(p->place.cursor, lines, text_lines(&p->text));
	p->wandered = true;
	keep_in_sight(p);
}

void pane_scroll(struct pane *p, long lines)
{
	size_t all = text_lines(&p->text);

	p->place.top = moved(p->place.top, lines, all > p->rows ? all - p->rows + 1 : 0);
	if (p->place.cursor < p->place.top)
		p->place.cursor = p->place.top;
	if (p->rows && p->place.cursor >= p->place.top + p->rows)
		p->place.cursor = p->place.top + p->rows - 1;
	p->wandered = true;
	keep_in_sight(p);
}

void pane_shift(struct pane *p, int columns)
{
	if (columns < 0 && p->left < (unsigned)-columns)
		p->left = 0;
	else if (columns < 0 || p->left < 200)
		p->left += (unsigned)columns;
}

/* --- asking ---------------------------------------------------------------------------------------------------------- */

bool pane_address(const struct pane *p, uint64_t *address)
{
	char digits[24];
	size_t length, n = 0;
	const uint8_t *style;
	const char *line;

	if (p->place.cursor >= text_lines(&p->text))
		return false;
	line = text_line(&p->text, p->place.cursor, &length, &style);
	for (size_t i = 0; i < length && n < sizeof(digits) - 1; i++) {
		if (style[i] == STYLE_ADDRESS && (isxdigit((unsigned char)line[i]) || (n == 1 && line[i] == 'x')))
			digits[n++] = line[i];
		else if (n)
			break;
	}
	digits[n] = 0;
	if (n)
		*address = strtoull(digits, NULL, 16);
	return n > 0;
}

bool pane_search(struct pane *p, const char *what)
{
	size_t lines = text_lines(&p->text), wanted = strlen(what);

	for (size_t i = 1; i <= lines && wanted; i++) {
		size_t n = (p->place.cursor + i) % lines, length;
		const char *line = text_line(&p->text, n, &length, NULL);
		for (size_t at = 0; at + wanted <= length; at++)
			if (!strncasecmp(line + at, what, wanted)) {
				p->place.cursor = n;
				p->wandered = true;
				keep_in_sight(p);
				return true;
			}
	}
	return false;
}

void pane_copy(const struct pane *p, struct text *out)
{
	size_t lines = text_lines(&p->text), from = 0, to = lines;

	if (lines_asked(p, 0)) {
		from = p->place.top;
		to = from + p->rows < lines ? from + p->rows : lines;
	}
	for (; from < to; from++)
		copy_line(&p->text, from, out);
}
