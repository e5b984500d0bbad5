/* edit.c: line editing on a terminal that can be switched to raw mode.
 *
 *   left right home end, ^B ^F ^A ^E   move            up down, ^P ^N   history
 *   backspace, delete, ^D              erase one       ^K ^U ^W         erase to the end, all before, one word
 *   ^L   clear the screen              ^C              drop the line    ^D on an empty line   end of input
 *
 * One byte is read at a time, so that what was typed ahead, or pasted, stays for the programs it is meant for.
 * Simplified: moving back in a line longer than the screen is wide does not redraw it properly. */
#include "sh.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define LINE_MAX 1024
#define CTRL(c) ((c) & 0x1f)
enum { KEY_LEFT = 256, KEY_RIGHT, KEY_UP, KEY_DOWN, KEY_HOME, KEY_END, KEY_DELETE, KEY_NONE };

struct editor {
	const char *prompt;
	struct history *history;
	int shown;                     /* history entry being looked at; history->count is the new line */
	size_t len, at;                /* at: the cursor, 0 .. len */
	char text[LINE_MAX];
	char kept[LINE_MAX];           /* the new line while history is looked at */
};

static void put(const char *s, size_t n) { write_full(1, s, n); }

static void back(size_t n)
{
	while (n-- > 0)
		put("\b", 1);
}

static int read_byte(void)
{
	unsigned char c;
	return read(0, &c, 1) == 1 ? c : -1;
}

/* ESC [ letter, ESC O letter, ESC [ digit ~ */
static int read_escape(void)
{
	int c = read_byte(), digit = 0;

	if (c != '[' && c != 'O')
		return KEY_NONE;
	for (c = read_byte(); (c >= '0' && c <= '9') || c == ';'; c = read_byte())
		digit = c;
	switch (c) {
	case 'A': return KEY_UP;
	case 'B': return KEY_DOWN;
	case 'C': return KEY_RIGHT;
	case 'D': return KEY_LEFT;
	case 'H': return KEY_HOME;
	case 'F': return KEY_END;
	case '~': return digit == '3' ? KEY_DELETE : digit == '1' || digit == '7' ? KEY_HOME : digit == '4' || digit == '8' ? KEY_END : KEY_NONE;
	}
	return c < 0 ? -1 : KEY_NONE;
}

static void redraw_from(struct editor *e, size_t from, size_t blanks)
{
	put(e->text + from, e->len - from);
	for (size_t i = 0; i < blanks; i++)
		put(" ", 1);
	back(e->len - e->at + blanks);
}

static void insert(struct editor *e, char c)
{
	if (e->len + 1 >= LINE_MAX)
		return;
	memmove(e->text + e->at + 1, e->text + e->at, e->len - e->at);
	e->text[e->at] = c;
	e->len++;
	e->at++;
	redraw_from(e, e->at - 1, 0);
}

/* Erase from (not before 0) to the cursor. */
static void erase_back_to(struct editor *e, size_t from)
{
	size_t n = e->at - from;

	memmove(e->text + from, e->text + e->at, e->len - e->at);
	e->len -= n;
	e->at = from;
	back(n);
	redraw_from(e, from, n);
}

static void move_to(struct editor *e, size_t to)
{
	if (to < e->at)
		back(e->at - to);
	else
		put(e->text + e->at, to - e->at);
	e->at = to;
}

static void erase_forward(struct editor *e, size_t n)
{
	size_t start = e->at;

	if (start + n > e->len)
		n = e->len - start;
	move_to(e, start + n);
	erase_back_to(e, start);
}

static void replace_line(struct editor *e, const char *text)
{
	move_to(e, e->len);
	erase_back_to(e, 0);
	e->len = strlcpy(e->text, text, LINE_MAX);
	e->at = e->len = e->len < LINE_MAX ? e->len : LINE_MAX - 1;
	put(e->text, e->len);
}

static void show_history(struct editor *e, int entry)
{
	if (entry < 0 || entry > e->history->count || entry == e->shown)
		return;
	e->text[e->len] = 0;
	if (e->shown == e->history->count)
		strlcpy(e->kept, e->text, LINE_MAX);
	e->shown = entry;
	replace_line(e, entry == e->history->count ? e->kept : e->history->line[entry]);
}

static size_t word_start(const struct editor *e)
{
	size_t at = e->at;

	while (at > 0 && e->text[at - 1] == ' ')
		at--;
	while (at > 0 && e->text[at - 1] != ' ')
		at--;
	return at;
}

static void clear_screen(struct editor *e)
{
	put("\033[H\033[2J", 7);
	put(e->prompt, strlen(e->prompt));
	redraw_from(e, 0, 0);
}

/* One key that changes the line. */
static void edit_key(struct editor *e, int key)
{
	switch (key) {
	case CTRL('A'): case KEY_HOME: move_to(e, 0); break;
	case CTRL('E'): case KEY_END: move_to(e, e->len); break;
	case CTRL('B'): case KEY_LEFT: move_to(e, e->at ? e->at - 1 : 0); break;
	case CTRL('F'): case KEY_RIGHT: move_to(e, e->at < e->len ? e->at + 1 : e->len); break;
	case CTRL('P'): case KEY_UP: show_history(e, e->shown - 1); break;
	case CTRL('N'): case KEY_DOWN: show_history(e, e->shown + 1); break;
	case CTRL('H'): case 127: erase_back_to(e, e->at ? e->at - 1 : 0); break;
	case CTRL('D'): case KEY_DELETE: erase_forward(e, 1); break;
	case CTRL('K'): erase_forward(e, e->len - e->at); break;
	case CTRL('U'): erase_back_to(e, 0); break;
	case CTRL('W'): erase_back_to(e, word_start(e)); break;
	case CTRL('L'): clear_screen(e); break;
	case '\t': insert(e, ' '); break;
	default:
		if (key >= ' ' && key < 256)
			insert(e, key);
	}
}

static void remember(struct history *h, const char *line)
{
	if (!*line || (h->count && strcmp(h->line[h->count - 1], line) == 0))
		return;
	if (h->count == HISTORY) {
		free(h->line[0]);
		memmove(h->line, h->line + 1, sizeof(h->line) - sizeof(h->line[0]));
		h->count--;
	}
	if ((h->line[h->count] = strdup(line)))
		h->count++;
}

/* True when e->text is a finished line. */
static bool edit(struct editor *e)
{
	for (;;) {
		int key = read_byte();
		if (key == 27)
			key = read_escape();
		if (key < 0 || (key == CTRL('D') && e->len == 0))
			return false;
		if (key == '\n' || key == '\r')
			return true;
		if (key == CTRL('C')) {
			put("^C", 2);
			e->len = 0;
			return true;
		}
		edit_key(e, key);
	}
}

char *edit_line(struct history *h, const char *prompt)
{
	struct termios before, raw;
	struct editor *e = calloc(1, sizeof(*e));
	char *line = NULL;

	if (!e || tcgetattr(0, &before) < 0) {
		free(e);
		return NULL;
	}
	raw = before;
	raw.c_lflag &= ~(ICANON | ECHO | ISIG | IEXTEN);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	tcsetattr(0, 1, &raw);
	*e = (struct editor){.prompt = prompt, .history = h, .shown = h->count};
	put(prompt, strlen(prompt));
	if (edit(e)) {
		e->text[e->len] = 0;
		line = strdup(e->text);
		remember(h, e->text);
	}
	put("\n", 1);
	tcsetattr(0, 1, &before);
	free(e);
	return line;
}
