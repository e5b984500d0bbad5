/* emu/tui/pane.c: see pane.h. */
#include "emu/tui/pane.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "emu/tui/glyphs.h"

/* How many lines a view is asked for. Most give all they have; these have no end, or fit themselves to the room. Code costs time: more
 * than there is room for is only decoded when somebody looks around in it. */
#define ROOM 0u
#define LABEL_MOST 20          /* columns of a label at the beginning of a line of prose */
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

static void copy_bytes(const char *bytes, const uint8_t *style, size_t length, struct text *out)
{
	for (size_t i = 0, run; i < length; i += run) {
		for (run = 1; i + run < length && style[i + run] == style[i]; run++)
			;
		text_put(out, (enum style)style[i], "%.*s", (int)run, bytes + i);
	}
}

static void copy_line(const struct text *from, size_t n, struct text *out)
{
	size_t length;
	const uint8_t *style;
	const char *line = text_line(from, n, &length, &style);

	copy_bytes(line, style, length, out);
	text_add(out, "\n");
}

static size_t moved(size_t n, long by, size_t end)
{
	if (by < 0)
		return n > (size_t)-by ? n - (size_t)-by : 0;
	return n + (size_t)by < end ? n + (size_t)by : end ? end - 1 : 0;
}

/* --- rendering ------------------------------------------------------------------------------------------------------- */

static bool shows(const struct pane *p, const char *view) { return p->place.view && !strcmp(p->place.view->name, view); }

static unsigned lines_asked(const struct pane *p, unsigned rows)
{
	if (shows(p, "disassembly") && !p->wandered)
		return 2 * rows;
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		if (shows(p, asked[i].view))
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

	if (shows(p, "console")) {
		p->place.cursor = lines ? lines - 1 : 0;
		return;
	}
	for (size_t i = 0; i < lines; i++)
		if (pane_line_is_here(&p->text, i)) {
			p->place.cursor = i;
			if (i < p->place.top + 1 || i + 1 >= p->place.top + p->rows || shows(p, "disassembly"))
				p->place.top = i > before ? i - before : 0;
			return;
		}
}

/* Where the words of a line that is too long are to go on: under those after its label, or under its first. */
static size_t hanging(const char *line, size_t length)
{
	size_t blanks = 0;

	while (blanks < length && line[blanks] == ' ')
		blanks++;
	for (size_t i = blanks; i + 1 < length && i < LABEL_MOST; i++)
		if (line[i] == ' ' && line[i + 1] == ' ') {
			while (i < length && line[i] == ' ')
				i++;
			return i <= LABEL_MOST ? i : blanks;
		}
	return blanks;
}

/* How many of the bytes fit into so many columns, up to a blank if there is one in the latter half. */
static size_t fitting(const char *bytes, size_t length, unsigned columns)
{
	const char *p = bytes, *end = bytes + length, *blank = NULL;

	for (unsigned n = 0; n < columns && p < end; n++) {
		if (*p == ' ' && n > columns / 2)
			blank = p;
		glyph_next(&p, end);
	}
	return p == end || *p == ' ' || !blank ? (size_t)(p - bytes) : (size_t)(blank - bytes);
}

static void wrap_line(const struct text *from, size_t n, unsigned width, struct text *out)
{
	size_t length, done = 0;
	const uint8_t *style;
	const char *line = text_line(from, n, &length, &style);
	size_t indent = hanging(line, length);

	while (done < length || !done) {
		unsigned room = width - (done ? (unsigned)indent : 0);
		size_t fit = fitting(line + done, length - done, room);
		if (done)
			text_add(out, "%*s", (int)indent, "");
		copy_bytes(line + done, style + done, fit, out);
		text_add(out, "\n");
		done += fit;
		while (done < length && line[done] == ' ')
			done++;
		if (done >= length)
			break;
	}
}

void pane_wrap(struct text *t, unsigned width)
{
	struct text wrapped = { 0 };
	size_t lines = text_lines(t);

	if (width < 2 * LABEL_MOST)
		return;
	for (size_t i = 0; i < lines; i++)
		wrap_line(t, i, width, &wrapped);
	text_free(t);
	*t = wrapped;
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
	if (shows(p, "why"))
		pane_wrap(&p->text, rq.width);
	if (rq.height == p->rows && !shows(p, "disassembly")) {
		if (text_lines(&p->text) < p->rows)
			pane_wrap(&p->text, rq.width);
		close_up(p);
	}
	if (p->follow)
		go_to_current(p);
	p->follow = false;
	if (p->pending)
		p->place.cursor = moved(p->place.cursor, p->pending, text_lines(&p->text));
	p->pending = 0;
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

bool pane_end(const struct pane *p, const struct rect *r, int *y, int *x)
{
	size_t lines = text_lines(&p->text), length = 0;

	if (!lines || lines <= p->place.top || lines > p->place.top + p->rows)
		return false;
	const char *line = text_line(&p->text, lines - 1, &length, NULL);
	unsigned columns = screen_columns(line, length);
	*y = r->y + (int)(lines - p->place.top);
	*x = r->x + (int)(columns > p->left ? columns - p->left : 0);
	return *x < r->x + r->cols;
}

/* --- moving ---------------------------------------------------------------------------------------------------------- */

/* Looking around in code begins at the current line, of a text that is longer. */
static bool begin_wandering(struct pane *p, long lines)
{
	if (p->wandered || !shows(p, "disassembly") || *p->place.argument)
		return false;
	p->wandered = p->follow = true;
	p->pending = lines;
	return true;
}

void pane_move(struct pane *p, long lines)
{
	if (begin_wandering(p, lines))
		return;
	p->place.cursor = moved(p->place.cursor, lines, text_lines(&p->text));
	p->wandered = true;
	keep_in_sight(p);
}

void pane_scroll(struct pane *p, long lines)
{
	size_t all = text_lines(&p->text);

	if (begin_wandering(p, lines))
		return;
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

/* The digits from here on, in a row of one style or up to something else. */
static bool number_at(const char *line, size_t length, unsigned base, uint64_t *value)
{
	char digits[24];
	size_t n = 0;

	while (n < length && n < sizeof(digits) - 1 && (base == 16 ? isxdigit((unsigned char)line[n]) : isdigit((unsigned char)line[n]))) {
		digits[n] = line[n];
		n++;
	}
	digits[n] = 0;
	*value = strtoull(digits, NULL, (int)base);
	return n > 0;
}

static const char *cursor_line(const struct pane *p, size_t *length, const uint8_t **style)
{
	return p->place.cursor < text_lines(&p->text) ? text_line(&p->text, p->place.cursor, length, style) : NULL;
}

bool pane_address(const struct pane *p, uint64_t *address)
{
	size_t length;
	const uint8_t *style;
	const char *line = cursor_line(p, &length, &style);

	for (size_t i = 0; line && i < length; i++)
		if (style[i] == STYLE_ADDRESS && (isxdigit((unsigned char)line[i]) || line[i] == 'x')) {
			bool prefix = i + 2 < length && line[i] == '0' && line[i + 1] == 'x';
			return number_at(line + i + 2 * prefix, length - i - 2 * prefix, 16, address);
		}
	for (size_t i = 0; line && i + 2 < length; i++)
		if (line[i] == '0' && line[i + 1] == 'x')
			return number_at(line + i + 2, length - i - 2, 16, address);
	return false;
}

bool pane_number(const struct pane *p, uint64_t *number)
{
	size_t length;
	const char *line = cursor_line(p, &length, NULL);

	for (size_t i = 0; line && i < length; i++)
		if (isdigit((unsigned char)line[i]))
			return number_at(line + i, length - i, 10, number);
	return false;
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
