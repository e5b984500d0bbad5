/* emu/tui/screen.h: the terminal through ncurses: styled text at places, keys, and a terminal that is whole again afterwards.
 *
 * What can go wrong with a terminal is dealt with here: one that cannot do it (refused with a line), few or no colours, NO_COLOR, a locale
 * without UTF-8 (borders and arrows become ASCII), sizes that change, Ctrl-Z, and signals (terminal.h writes the sequences that leave
 * the screen). Colours are the eight of Okabe and Ito's colour-blind-safe palette, as near as 256 colours come; meaning never hangs on them.
 */
#ifndef EMU_TUI_SCREEN_H
#define EMU_TUI_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

#include "emu/debug/text.h"

/* Styles of what is not a view's text follow those of text.h. */
#define CHROME_TITLE    ((enum style)(STYLE_COUNT + 0))        /* first line */
#define CHROME_RULE     ((enum style)(STYLE_COUNT + 1))        /* between panes */
#define CHROME_FOCUS    ((enum style)(STYLE_COUNT + 2))        /* the rule of the pane with the focus */
#define CHROME_KEY      ((enum style)(STYLE_COUNT + 3))        /* last line */
#define CHROME_KEY_HELP ((enum style)(STYLE_COUNT + 4))
#define CHROME_CURSOR   ((enum style)(STYLE_COUNT + 5))        /* the line that keys act on */
#define CHROME_GUEST    ((enum style)(STYLE_COUNT + 6))        /* keys go to the guest */
#define CHROME_COUNT    (STYLE_COUNT + 7)

/* Keys: ASCII, control characters, and these. Alt adds KEY_META. */
enum {
	KEYS_NONE = -1,
	KEYS_FIRST = 0x1000,
	K_UP = KEYS_FIRST, K_DOWN, K_LEFT, K_RIGHT, K_PAGE_UP, K_PAGE_DOWN, K_HOME, K_END, K_BACKSPACE, K_DELETE, K_ENTER, K_TAB, K_BACK_TAB,
	K_SHIFT_LEFT, K_SHIFT_RIGHT, K_ESCAPE, K_RESIZE, K_MOUSE, K_F1,
};
#define KEY_CTRL(c) ((c) & 0x1f)

struct screen {
	bool utf8, large;
	bool gone;                     /* there is nobody at the terminal any more */
	int rows, cols;
	unsigned attribute[CHROME_COUNT];      /* ncurses' */
	void *curses;                  /* ... SCREEN */
	int mouse_y, mouse_x;          /* of the last K_MOUSE */
	int mouse_wheel;               /* -1 up, 1 down, 0 a click */
};

/* 0, or -1 with one line in err. */
int screen_open(struct screen *s, char *err);
void screen_close(struct screen *s);
/* Stops the process as the terminal's own Ctrl-Z does; returns when it goes on. */
void screen_suspend(struct screen *s);
/* Waits at most milliseconds; KEYS_NONE: no key. Sizes are as they are after it. */
int screen_key(struct screen *s, int milliseconds);
void screen_clear(struct screen *s);
/* Shows what has been drawn. cursor: where the terminal's cursor is to be, or y < 0: hidden. */
void screen_show(struct screen *s, int y, int x);
/* The next screen_show paints everything anew. */
void screen_repaint(struct screen *s);
void screen_projector(struct screen *s, bool on);

/* One line from column skip of the text on, cut at cols and filled up with blanks in the style fill. styles may be NULL: all of fill. */
void screen_line(const struct screen *s, int y, int x, int cols, const char *bytes, size_t length, const uint8_t *styles, unsigned skip, int fill);
void screen_string(const struct screen *s, int y, int x, int cols, int style, const char *string);
/* A line across with a title in it. */
void screen_rule(const struct screen *s, int y, int x, int cols, const char *title, bool focus);
void screen_bar(const struct screen *s, int y, int x, int rows);       /* upright */
/* How many columns the text takes. */
unsigned screen_columns(const char *bytes, size_t length);

#endif
