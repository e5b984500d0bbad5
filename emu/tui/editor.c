/* emu/tui/editor.c: see editor.h. */
#include "emu/tui/editor.h"

#include <stdlib.h>
#include <string.h>

void editor_free(struct editor *e)
{
	for (size_t i = 0; i < e->count; i++)
		free(e->history[i]);
	*e = (struct editor){ 0 };
}

void editor_set(struct editor *e, const char *line)
{
	e->length = 0;
	for (; *line && e->length < EDITOR_LINE - 1; line++)
		if (*line >= ' ' && *line <= '~')
			e->line[e->length++] = *line;
	e->line[e->length] = 0;
	e->cursor = e->length;
	e->at = e->count;
}

void editor_insert(struct editor *e, char c)
{
	if (c < ' ' || c > '~' || e->length == EDITOR_LINE - 1)
		return;
	memmove(e->line + e->cursor + 1, e->line + e->cursor, e->length + 1 - e->cursor);
	e->line[e->cursor++] = c;
	e->length++;
}

static void cut(struct editor *e, size_t from, size_t to)
{
	memmove(e->line + from, e->line + to, e->length + 1 - to);
	e->length -= to - from;
	e->cursor = from;
}

void editor_backspace(struct editor *e)
{
	if (e->cursor)
		cut(e, e->cursor - 1, e->cursor);
}

void editor_delete(struct editor *e)
{
	if (e->cursor < e->length)
		cut(e, e->cursor, e->cursor + 1);
}

void editor_move(struct editor *e, int by)
{
	if (by < 0 && e->cursor)
		e->cursor--;
	if (by > 0 && e->cursor < e->length)
		e->cursor++;
}

void editor_home(struct editor *e) { e->cursor = 0; }
void editor_end(struct editor *e) { e->cursor = e->length; }
void editor_kill_to_end(struct editor *e) { cut(e, e->cursor, e->length); }
void editor_kill_line(struct editor *e) { cut(e, 0, e->cursor); }

void editor_kill_word(struct editor *e)
{
	size_t from = e->cursor;

	while (from && e->line[from - 1] == ' ')
		from--;
	while (from && e->line[from - 1] != ' ')
		from--;
	cut(e, from, e->cursor);
}

static void recall(struct editor *e, size_t at)
{
	if (e->at == e->count)
		memcpy(e->draft, e->line, e->length + 1);
	editor_set(e, at == e->count ? e->draft : e->history[at]);
	e->at = at;
}

void editor_older(struct editor *e)
{
	if (e->at)
		recall(e, e->at - 1);
}

void editor_newer(struct editor *e)
{
	if (e->at < e->count)
		recall(e, e->at + 1);
}

void editor_remember(struct editor *e, const char *line)
{
	char *copy;

	if (!*line || (e->count && !strcmp(e->history[e->count - 1], line)) || !(copy = strdup(line)))
		return;
	if (e->count == EDITOR_HISTORY) {
		free(e->history[0]);
		memmove(e->history, e->history + 1, (EDITOR_HISTORY - 1) * sizeof(e->history[0]));
		e->count--;
	}
	e->history[e->count++] = copy;
	e->remembered++;
	e->at = e->count;
}

void editor_replace(struct editor *e, size_t start, const char *text)
{
	cut(e, start, e->cursor);
	for (; *text; text++)
		editor_insert(e, *text);
}
