/* emu/debug/text.h: lines of text with a meaning on every character. Views and commands write it; the TUI draws it, the monitor
 * prints it, and it exports as text or SVG. A style says what a thing is, never a colour alone: letters and marks carry the same news. */
#ifndef EMU_DEBUG_TEXT_H
#define EMU_DEBUG_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum style {
	STYLE_PLAIN, STYLE_DIM, STYLE_BOLD, STYLE_TITLE,
	STYLE_ADDRESS,                 /* numbers that are addresses */
	STYLE_NAME,                    /* symbols, commands, file:line */
	STYLE_CHANGED,                 /* differs from the last stop; also marked with * */
	STYLE_GOOD,                    /* present, allowed, hit */
	STYLE_BAD,                     /* fault, stale, not present where it stopped the walk; also marked with ! or words */
	STYLE_WARN,
	STYLE_HERE,                    /* the current line or entry; also marked with > */
	STYLE_COUNT
};

struct text {
	char *byte;                    /* UTF-8, lines end with \n */
	uint8_t *style;                /* one for each byte */
	size_t size, capacity;
	int failed;                    /* out of memory: the rest is missing */
};

void text_free(struct text *t);
void text_clear(struct text *t);
void text_put(struct text *t, enum style style, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* STYLE_PLAIN. */
void text_add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Spaces up to this column of the current line (0 is the first); at least none. Columns count characters, not bytes. */
void text_column(struct text *t, unsigned column);
size_t text_lines(const struct text *t);
/* Line n without its \n: its bytes and their styles. */
const char *text_line(const struct text *t, size_t n, size_t *length, const uint8_t **style);
/* NUL-terminated, valid until t changes. */
const char *text_plain(struct text *t);

/* Whether the locale's characters are UTF-8: who writes asks before it uses any other than ASCII. */
bool locale_is_utf8(void);

/* 0 or a negative errno. Control characters other than \n and \t come out as '?'. */
int text_write_plain(const struct text *t, FILE *out);
int text_write_ansi(const struct text *t, FILE *out);          /* with colours */
int text_write_svg(const struct text *t, const char *title, FILE *out);

#endif
