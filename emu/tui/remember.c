/* emu/tui/remember.c: see remember.h. The file is libedit's; its history functions need no terminal. */
#include "emu/tui/remember.h"

#include <histedit.h>
#include <stdio.h>
#include <string.h>

#include "emu/monitor/history_file.h"

/* NULL: there is none, and no place for one. */
static History *open_file(char *path, size_t size)
{
	History *h = history_file(path, size) ? history_init() : NULL;
	HistEvent ev;

	if (!h)
		return NULL;
	history(h, &ev, H_SETSIZE, HISTORY_FILE_LINES);
	history(h, &ev, H_SETUNIQUE, 1);
	history(h, &ev, H_LOAD, path);
	return h;
}

void remember_load(struct editor *e)
{
	char path[512], line[EDITOR_LINE];
	History *h = open_file(path, sizeof(path));
	HistEvent ev;

	if (!h)
		return;
	/* libedit's last is the oldest. */
	for (int r = history(h, &ev, H_LAST); r >= 0; r = history(h, &ev, H_PREV)) {
		snprintf(line, sizeof(line), "%.*s", (int)strcspn(ev.str, "\n"), ev.str);
		editor_remember(e, line);
	}
	history_end(h);
	e->loaded = e->remembered;
}

void remember_save(const struct editor *e)
{
	char path[512], line[EDITOR_LINE + 1];
	size_t fresh = e->remembered - e->loaded;
	History *h = fresh ? open_file(path, sizeof(path)) : NULL;
	HistEvent ev;

	if (!h)
		return;
	for (size_t i = fresh < e->count ? e->count - fresh : 0; i < e->count; i++) {
		snprintf(line, sizeof(line), "%s\n", e->history[i]);
		history(h, &ev, H_ENTER, line);
	}
	history(h, &ev, H_SAVE, path);
	history_end(h);
}
