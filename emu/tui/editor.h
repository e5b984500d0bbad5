/* emu/tui/editor.h: editing of one line of printable ASCII, with history. Pure: keys are told apart elsewhere (prompt.c), since
 * libedit and curses cannot share a screen. */
#ifndef EMU_TUI_EDITOR_H
#define EMU_TUI_EDITOR_H

#include <stdbool.h>
#include <stddef.h>

#define EDITOR_LINE 512
#define EDITOR_HISTORY 200

struct editor {
	char line[EDITOR_LINE];        /* always terminated */
	size_t length, cursor;
	char *history[EDITOR_HISTORY]; /* oldest first */
	size_t count, at;              /* at == count: the line being typed */
	size_t remembered, loaded;     /* lines ever; of these, how many came from a file */
	char draft[EDITOR_LINE];       /* what was being typed before looking through history */
};

void editor_free(struct editor *e);
void editor_set(struct editor *e, const char *line);
void editor_insert(struct editor *e, char c);
void editor_backspace(struct editor *e);
void editor_delete(struct editor *e);
void editor_move(struct editor *e, int by);            /* cut at the ends */
void editor_home(struct editor *e);
void editor_end(struct editor *e);
void editor_kill_to_end(struct editor *e);
void editor_kill_line(struct editor *e);
void editor_kill_word(struct editor *e);               /* the one before the cursor */
void editor_older(struct editor *e);
void editor_newer(struct editor *e);
/* Keeps the line, unless it is empty or the same as the last. */
void editor_remember(struct editor *e, const char *line);
/* Puts text in place of what is before the cursor from start on. */
void editor_replace(struct editor *e, size_t start, const char *text);

#endif
