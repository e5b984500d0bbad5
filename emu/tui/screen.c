/* emu/tui/screen.c: see screen.h. */
#define _XOPEN_SOURCE_EXTENDED 1           /* ncurses' wide characters */
#include "emu/tui/screen.h"

#include <errno.h>
#include <locale.h>
#include <ncurses.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <unistd.h>
#include <wchar.h>

#include "emu/loader.h"
#include "emu/terminal.h"
#include "emu/tui/glyphs.h"

#undef KEY_CTRL
#define LINE_MAX_CELLS 1024

/* --- colours ---------------------------------------------------------------------------------------------------------- */

/* Okabe and Ito's palette in the 6x6x6 cube of 256 colours, in the 8 of old, and what does without: bold, underlined, reversed. */
static const struct look { short of256, on256, of8, on8; attr_t with, without; } looks[CHROME_COUNT] = {
	[STYLE_PLAIN] =   { -1, -1, -1, -1, A_NORMAL, A_NORMAL },
	[STYLE_DIM] =     { 245, -1, -1, -1, A_NORMAL, A_NORMAL },
	[STYLE_BOLD] =    { -1, -1, -1, -1, A_BOLD, A_BOLD },
	[STYLE_TITLE] =   { 74, -1, COLOR_CYAN, -1, A_BOLD, A_BOLD },                  /* sky blue */
	[STYLE_ADDRESS] = { 74, -1, COLOR_CYAN, -1, A_NORMAL, A_NORMAL },
	[STYLE_NAME] =    { 175, -1, COLOR_MAGENTA, -1, A_NORMAL, A_NORMAL },          /* reddish purple */
	[STYLE_CHANGED] = { 220, -1, COLOR_YELLOW, -1, A_BOLD, A_BOLD },               /* yellow */
	[STYLE_GOOD] =    { 36, -1, COLOR_GREEN, -1, A_NORMAL, A_NORMAL },             /* bluish green */
	[STYLE_BAD] =     { 202, -1, COLOR_RED, -1, A_BOLD, A_BOLD | A_UNDERLINE },    /* vermillion */
	[STYLE_WARN] =    { 214, -1, COLOR_YELLOW, -1, A_NORMAL, A_UNDERLINE },        /* orange */
	[STYLE_HERE] =    { 231, 25, COLOR_WHITE, COLOR_BLUE, A_BOLD, A_BOLD },        /* on blue */
	[CHROME_TITLE] =  { 231, 25, COLOR_WHITE, COLOR_BLUE, A_NORMAL, A_REVERSE },
	[CHROME_RULE] =   { 245, -1, -1, -1, A_NORMAL, A_NORMAL },
	[CHROME_FOCUS] =  { 220, -1, COLOR_YELLOW, -1, A_BOLD, A_BOLD },
	[CHROME_KEY] =    { 220, -1, COLOR_YELLOW, -1, A_BOLD, A_BOLD },
	[CHROME_KEY_HELP] = { 245, -1, -1, -1, A_NORMAL, A_NORMAL },
	[CHROME_CURSOR] = { -1, -1, -1, -1, A_REVERSE, A_REVERSE },
	[CHROME_GUEST] =  { 16, 214, COLOR_BLACK, COLOR_YELLOW, A_NORMAL, A_REVERSE },
};

static bool wants_colour(void)
{
	const char *no = getenv("NO_COLOR");

	return has_colors() && COLORS >= 8 && !(no && *no);
}

/* A pair is made for each style; on a projector nothing is dim and all is bold. */
static void choose_looks(struct screen *s)
{
	bool colour = wants_colour();

	for (short i = 0; i < CHROME_COUNT; i++) {
		const struct look *l = &looks[i];
		bool many = COLORS >= 256;
		attr_t a = colour ? l->with : l->without;

		if (colour) {
			short on = many ? l->on256 : l->on8, of = many ? l->of256 : l->of8;
			if (s->large && (i == STYLE_DIM || i == CHROME_RULE))
				of = -1;
			init_pair((short)(i + 1), of, on);
			a |= (attr_t)COLOR_PAIR(i + 1);
		}
		s->attribute[i] = (unsigned)(s->large ? a | A_BOLD : a);
	}
}

/* --- opening and leaving ---------------------------------------------------------------------------------------------- */

static int refuse(char *err, const char *why)
{
	const char *term = getenv("TERM");

	snprintf(err, ERROR_LINE, "the full-screen debugger needs a terminal, and %s (TERM=%.40s); use --monitor", why, term ? term : "");
	return -1;
}

/* Appends a capability without its padding ("$<5>"), which no terminal of today needs. */
static void add_capability(char *buf, size_t size, const char *name)
{
	const char *c = tigetstr(name);
	size_t n = strlen(buf);

	if (!c || c == (const char *)-1)
		return;
	for (; *c && n + 1 < size; c++) {
		if (c[0] == '$' && c[1] == '<' && strchr(c, '>'))
			c = strchr(c, '>');
		else
			buf[n++] = *c;
	}
	buf[n] = 0;
}

static bool has_capability(const char *name)
{
	char buf[128] = "";

	add_capability(buf, sizeof(buf), name);
	return *buf;
}

/* What a signal handler writes: mouse reports off, normal letters, a cursor, the screen left. */
static void tell_terminal(void)
{
	char leave[160] = "", enter[64] = "";

	if (has_capability("kmous"))
		snprintf(leave, sizeof(leave), "\033[?1006;1000l");
	add_capability(leave, sizeof(leave), "sgr0");
	add_capability(leave, sizeof(leave), "cnorm");
	add_capability(leave, sizeof(leave), "rmkx");
	add_capability(leave, sizeof(leave), "rmcup");
	add_capability(enter, sizeof(enter), "smcup");
	add_capability(enter, sizeof(enter), "smkx");
	terminal_screen(leave, enter);
}

#define MOUSE (BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED)

int screen_open(struct screen *s, char *err)
{
	int known;

	*s = (struct screen){ 0 };
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return refuse(err, "standard input and output are not one");
	if (setupterm(NULL, STDOUT_FILENO, &known) != OK)
		return refuse(err, "this kind is not known here");
	TERMINAL *tried = cur_term;
	bool can = has_capability("cup") && has_capability("clear");
	del_curterm(tried);
	if (!can)
		return refuse(err, "this kind has no cursor to place");
	setlocale(LC_CTYPE, "");
	s->utf8 = locale_is_utf8();
	int r = terminal_enter(STDIN_FILENO);
	if (r) {
		snprintf(err, ERROR_LINE, "cannot set the terminal to raw mode: %s", strerror(-r));
		return -1;
	}
	s->curses = newterm(NULL, stdout, stdin);
	if (!s->curses) {
		terminal_leave();
		return refuse(err, "this kind cannot do it");
	}
	tell_terminal();
	raw();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	set_escdelay(25);
	mouseinterval(0);
	mousemask(MOUSE, NULL);
	if (has_colors()) {
		start_color();
		use_default_colors();
	}
	choose_looks(s);
	getmaxyx(stdscr, s->rows, s->cols);
	return 0;
}

void screen_close(struct screen *s)
{
	endwin();
	delscreen(s->curses);
	terminal_screen("", "");
	terminal_leave();
}

void screen_suspend(struct screen *s)
{
	(void)s;
	raise(SIGTSTP);                        /* terminal.c leaves the screen, stops, and enters it again */
}

void screen_projector(struct screen *s, bool on)
{
	s->large = on;
	choose_looks(s);
}

/* --- keys --------------------------------------------------------------------------------------------------------------- */

static int mouse_key(struct screen *s)
{
	MEVENT e;

	if (getmouse(&e) != OK)
		return KEYS_NONE;
	s->mouse_y = e.y;
	s->mouse_x = e.x;
	s->mouse_wheel = e.bstate & BUTTON4_PRESSED ? -1 : e.bstate & BUTTON5_PRESSED ? 1 : 0;
	return K_MOUSE;
}

static int translate(struct screen *s, int c)
{
	static const struct { int curses, key; } table[] = {
		{ KEY_UP, K_UP }, { KEY_DOWN, K_DOWN }, { KEY_LEFT, K_LEFT }, { KEY_RIGHT, K_RIGHT }, { KEY_PPAGE, K_PAGE_UP }, { KEY_NPAGE, K_PAGE_DOWN },
		{ KEY_HOME, K_HOME }, { KEY_END, K_END }, { KEY_BACKSPACE, K_BACKSPACE }, { 127, K_BACKSPACE }, { 8, K_BACKSPACE }, { KEY_DC, K_DELETE },
		{ KEY_ENTER, K_ENTER }, { '\r', K_ENTER }, { '\n', K_ENTER }, { '\t', K_TAB }, { KEY_BTAB, K_BACK_TAB }, { KEY_SLEFT, K_SHIFT_LEFT },
		{ KEY_SRIGHT, K_SHIFT_RIGHT }, { KEY_F(1), K_F1 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].curses == c)
			return table[i].key;
	if (c == KEY_MOUSE)
		return mouse_key(s);
	if (c == KEY_RESIZE) {
		getmaxyx(stdscr, s->rows, s->cols);
		return K_RESIZE;
	}
	return c < 128 ? c : KEYS_NONE;
}

/* A sequence that ncurses does not know must not be taken for the keys it is made of: it ends with a letter or ~. Escape and another key
 * soon after it are two keys. */
static int after_escape(void)
{
	timeout(0);
	int c = getch();

	if (c != '[' && c != 'O') {
		if (c != ERR)
			ungetch(c);
		return K_ESCAPE;
	}
	do
		c = getch();
	while (c != ERR && (c < 0x40 || c > 0x7e));
	return KEYS_NONE;
}

/* No key, and none will ever come: for who runs us with SIGHUP ignored. */
static bool terminal_is_gone(void)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&p, 1, 0) > 0 && p.revents & (POLLHUP | POLLERR | POLLNVAL);
}

int screen_key(struct screen *s, int milliseconds)
{
	timeout(milliseconds);
	int c = getch();
	if (terminal_returned()) {
		mousemask(0, NULL);
		mousemask(MOUSE, NULL);
		screen_repaint(s);
		return K_RESIZE;               /* the window may be another size now */
	}
	if (c == 27)
		return after_escape();
	if (c == ERR)
		s->gone = terminal_is_gone();
	return c == ERR ? KEYS_NONE : translate(s, c);
}

/* --- drawing ------------------------------------------------------------------------------------------------------------ */

void screen_clear(struct screen *s)
{
	(void)s;
	erase();
}

void screen_show(struct screen *s, int y, int x)
{
	curs_set(y >= 0);
	if (y >= 0)
		move(y, x);
	else
		move(s->rows - 1, s->cols - 1);
	refresh();
}

void screen_repaint(struct screen *s)
{
	(void)s;
	clearok(curscr, TRUE);
}

static wchar_t drawn(const struct screen *s, uint32_t c)
{
	if (!s->utf8)
		return (wchar_t)glyph_ascii(c);
	return c < 0x80 || wcwidth((wchar_t)c) == 1 ? (wchar_t)c : L'?';
}

static void put_run(const struct screen *s, int style, const wchar_t *cells, int count)
{
	attrset((attr_t)s->attribute[style]);
	addnwstr(cells, count);
}

void screen_line(const struct screen *s, int y, int x, int cols, const char *bytes, size_t length, const uint8_t *styles, unsigned skip, int fill)
{
	const char *p = bytes, *end = bytes + length;
	wchar_t run[LINE_MAX_CELLS];
	int count = 0, style = fill, done = 0;

	if (y < 0 || y >= s->rows || x < 0 || x >= s->cols)
		return;
	if (cols > s->cols - x)
		cols = s->cols - x;
	if (cols > LINE_MAX_CELLS)
		cols = LINE_MAX_CELLS;
	move(y, x);
	while (done < cols) {
		int next = styles && p < end ? styles[p - bytes] : fill;
		bool text = p < end;
		uint32_t c = text ? glyph_next(&p, end) : ' ';
		if (skip && text) {
			skip--;
			continue;
		}
		if (next != style) {
			put_run(s, style, run, count);
			count = 0;
			style = next;
		}
		run[count++] = drawn(s, c);
		done++;
	}
	put_run(s, style, run, count);
	attrset(A_NORMAL);
}

void screen_string(const struct screen *s, int y, int x, int cols, int style, const char *string)
{
	screen_line(s, y, x, cols, string, strlen(string), NULL, 0, style);
}

void screen_rule(const struct screen *s, int y, int x, int cols, const char *title, bool focus)
{
	int style = focus ? CHROME_FOCUS : CHROME_RULE;
	int width = (int)screen_columns(title, strlen(title));

	for (int i = 0; i < cols; i++)
		screen_string(s, y, x + i, 1, style, focus ? "━" : "─");
	if (width > cols - 6)
		width = cols - 6;
	if (width <= 0)
		return;
	screen_string(s, y, x + 1, 1, style, " ");
	screen_string(s, y, x + 2, width, focus ? CHROME_FOCUS : STYLE_TITLE, title);
	screen_string(s, y, x + 2 + width, 1, style, " ");
}

void screen_bar(const struct screen *s, int y, int x, int rows)
{
	for (int i = 0; i < rows; i++)
		screen_string(s, y + i, x, 1, CHROME_RULE, i ? "│" : y == 1 ? "┬" : "┼");
}

unsigned screen_columns(const char *bytes, size_t length)
{
	const char *end = bytes + length;
	unsigned n = 0;

	for (; bytes < end; n++)
		glyph_next(&bytes, end);
	return n;
}
