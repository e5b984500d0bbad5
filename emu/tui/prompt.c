/* emu/tui/prompt.c: lines that are typed: commands with history and completion, what to search, names of files; and text over the panes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/monitor/command.h"
#include "emu/debug/notebook.h"
#include "emu/tui/app.h"

#define MOST_WORDS 256

const char *prompt_label(const struct tui *t)
{
	return t->mode == MODE_SEARCH ? "/" : t->mode == MODE_EXPORT ? "export to (.svg, .txt): " : ":";
}

void prompt_open(struct tui *t, enum mode mode, const char *line)
{
	t->mode = mode;
	*t->message = 0;
	editor_set(&t->editor, line);
}

/* --- overlays ---------------------------------------------------------------------------------------------------------- */

void overlay_open(struct tui *t, enum mode mode, const char *title)
{
	t->mode = mode;
	if (mode != MODE_MENU)                 /* there a line is a choice */
		pane_wrap(&t->overlay.text, (unsigned)t->screen.cols);
	t->overlay.place.top = t->overlay.place.cursor = 0;
	snprintf(t->overlay_title, sizeof(t->overlay_title), "%s", title);
}

static void menu_choose(struct tui *t)
{
	size_t n = t->overlay.place.cursor;

	t->mode = MODE_KEYS;
	tui_show_view(t, t->wish.focus, views[n].name, NULL, true);
}

static void overlay_move(struct tui *t, long by)
{
	struct pane *p = &t->overlay;
	size_t lines = text_lines(&p->text);

	if (t->mode == MODE_MENU) {
		pane_move(p, by);
		return;
	}
	if (by < 0)
		p->place.top = p->place.top > (size_t)-by ? p->place.top - (size_t)-by : 0;
	else
		p->place.top += lines > p->place.top + p->rows ? (size_t)by : 0;
}

void overlay_key(struct tui *t, int key)
{
	long page = t->overlay.rows > 1 ? (long)t->overlay.rows - 1 : 1;

	switch (key) {
	case K_UP: case 'k':
		overlay_move(t, -1);
		break;
	case K_DOWN: case 'j':
		overlay_move(t, 1);
		break;
	case K_PAGE_UP:
		overlay_move(t, -page);
		break;
	case K_PAGE_DOWN: case ' ':
		overlay_move(t, page);
		break;
	case K_MOUSE:
		overlay_move(t, 3 * t->screen.mouse_wheel);
		break;
	case K_ENTER:
		if (t->mode == MODE_MENU) {
			menu_choose(t);
			break;
		}
		/* fall through */
	default:
		t->mode = MODE_KEYS;
		if (key == ':')
			prompt_open(t, MODE_COMMAND, "");
	}
}

/* --- commands ---------------------------------------------------------------------------------------------------------- */

/* "view NAME [ARGUMENT]" is for the pane, not for an overlay. */
static bool show_view(struct tui *t, const char *line)
{
	char name[32], argument[PANE_ARGUMENT] = "";

	if (sscanf(line, " view %31s %95[^\n]", name, argument) < 1 || !view_find(name) || strstr(argument, "--json"))
		return false;
	return tui_show_view(t, t->wish.focus, name, *argument ? argument : NULL, true);
}

static void take_reply(struct tui *t, const char *line, struct reply *r)
{
	size_t lines = text_lines(&r->text);
	struct notebook *n = notebook(t->d);

	/* Where the machine stands now is in the panes, and why it stopped there in the message. */
	if (r->moved && !r->failed && !(n && n->displays))
		return;
	if (lines <= 1) {
		size_t length = 0;
		const char *words = lines ? text_line(&r->text, 0, &length, NULL) : "";
		if (lines || !r->moved)
			tui_message(t, r->failed ? STYLE_BAD : STYLE_PLAIN, "%.*s", (int)length, words);
		return;
	}
	text_free(&t->overlay.text);
	t->overlay.text = r->text;
	r->text = (struct text){ 0 };
	overlay_open(t, MODE_OVERLAY, line);
}

void prompt_execute(struct tui *t, const char *line)
{
	struct reply r = { 0 };

	if (show_view(t, line))
		return;
	run_begin(t);
	command_execute(t->d, line, &r);
	run_end(t);
	take_reply(t, line, &r);
	t->quit = r.quit;
	reply_free(&r);
}

/* --- completion -------------------------------------------------------------------------------------------------------- */

struct words { char *word[MOST_WORDS]; size_t count; };

static void found_word(void *ctx, const char *word)
{
	struct words *w = ctx;

	if (w->count < MOST_WORDS && (w->word[w->count] = strdup(word)))
		w->count++;
}

static size_t common_length(const struct words *w)
{
	size_t n = strlen(w->word[0]);

	for (size_t i = 1; i < w->count; i++) {
		size_t k = 0;
		while (k < n && w->word[i][k] == w->word[0][k])
			k++;
		n = k;
	}
	return n;
}

static void list_words(struct tui *t, const struct words *w)
{
	char line[MESSAGE] = "";
	size_t n = 0;

	for (size_t i = 0; i < w->count && n + strlen(w->word[i]) + 8 < sizeof(line); i++)
		n += (size_t)snprintf(line + n, sizeof(line) - n, "%s%s", i ? "  " : "", w->word[i]);
	tui_message(t, STYLE_DIM, "%s", line);
}

/* A word found may be more than one, as "info tlb" is: it replaces the longest end of the line that it begins with. */
static size_t replaced_from(const char *line, size_t end, const char *word)
{
	for (size_t start = 0; start < end; start++)
		if ((!start || line[start - 1] == ' ') && !strncmp(line + start, word, end - start))
			return start;
	return end;
}

static void complete(struct tui *t)
{
	struct words w = { .count = 0 };
	char before[EDITOR_LINE];

	snprintf(before, sizeof(before), "%.*s", (int)t->editor.cursor, t->editor.line);
	command_complete(t->d, before, found_word, &w);
	if (w.count) {
		size_t n = common_length(&w);
		w.word[0][n] = w.count > 1 ? w.word[0][n] : 0;
		char *common = strndup(w.word[0], n);
		if (common) {
			editor_replace(&t->editor, replaced_from(before, strlen(before), common), common);
			if (w.count == 1)
				editor_insert(&t->editor, ' ');
		}
		free(common);
	}
	if (w.count > 1)
		list_words(t, &w);
	else
		*t->message = 0;
	while (w.count)
		free(w.word[--w.count]);
}

/* --- searching, exporting ---------------------------------------------------------------------------------------------- */

static void search(struct tui *t, const char *what)
{
	if (*what)
		snprintf(t->found, sizeof(t->found), "%s", what);
	if (pane_search(tui_focus(t), t->found))
		*t->message = 0;
	else
		tui_message(t, STYLE_WARN, "'%s' is not in this view", t->found);
}

static int write_export(struct tui *t, const char *path, FILE *out)
{
	struct pane *p = tui_focus(t);
	const char *dot = strrchr(path, '.');
	char title[PANE_ARGUMENT + 64];
	struct text shown = { 0 };

	snprintf(title, sizeof(title), "%s %s", p->place.view->title, p->place.argument);
	pane_copy(p, &shown);
	int r = dot && !strcmp(dot, ".svg") ? text_write_svg(&shown, title, out) : text_write_plain(&shown, out);
	text_free(&shown);
	return r;
}

/* A file that exists is somebody's: it stays as it is. */
static void export_to(struct tui *t, const char *path)
{
	FILE *out = *path ? fopen(path, "wxe") : NULL;
	int error = out ? 0 : errno;

	if (!*path)
		return;
	if (out) {
		error = -write_export(t, path, out);
		if (fclose(out) && !error)
			error = errno;
	}
	if (error)
		tui_message(t, STYLE_BAD, "cannot write '%s': %s", path, strerror(error));
	else
		tui_message(t, STYLE_GOOD, "written: %s", path);
}

/* --- keys -------------------------------------------------------------------------------------------------------------- */

static void enter(struct tui *t)
{
	enum mode mode = t->mode;
	char line[EDITOR_LINE];

	snprintf(line, sizeof(line), "%s", t->editor.line);
	t->mode = MODE_KEYS;
	*t->message = 0;
	if (mode == MODE_COMMAND) {
		editor_remember(&t->editor, line);
		prompt_execute(t, line);
	} else if (mode == MODE_SEARCH) {
		search(t, line);
	} else {
		export_to(t, line);
	}
}

static const struct { int key; void (*act)(struct editor *e); } editing[] = {
	{ K_BACKSPACE, editor_backspace }, { K_DELETE, editor_delete }, { KEY_CTRL('D'), editor_delete }, { K_HOME, editor_home }, { KEY_CTRL('A'), editor_home },
	{ K_END, editor_end }, { KEY_CTRL('E'), editor_end }, { KEY_CTRL('K'), editor_kill_to_end }, { KEY_CTRL('U'), editor_kill_line },
	{ KEY_CTRL('W'), editor_kill_word },
};

void prompt_key(struct tui *t, int key)
{
	struct editor *e = &t->editor;

	for (size_t i = 0; i < sizeof(editing) / sizeof(editing[0]); i++)
		if (editing[i].key == key) {
			if (key == K_BACKSPACE && !e->length)
				t->mode = MODE_KEYS;
			editing[i].act(e);
			return;
		}
	if (key == K_ENTER)
		enter(t);
	else if (key == K_ESCAPE || key == KEY_CTRL('C') || key == KEY_CTRL('G'))
		t->mode = MODE_KEYS;
	else if (key == K_TAB && t->mode == MODE_COMMAND)
		complete(t);
	else if ((key == K_UP || key == KEY_CTRL('P')) && t->mode == MODE_COMMAND)
		editor_older(e);
	else if ((key == K_DOWN || key == KEY_CTRL('N')) && t->mode == MODE_COMMAND)
		editor_newer(e);
	else if (key == K_LEFT || key == K_RIGHT)
		editor_move(e, key == K_LEFT ? -1 : 1);
	else if (key >= ' ' && key <= '~')
		editor_insert(e, (char)key);
}
