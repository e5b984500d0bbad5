/* emu/tui/draw.c: everything on the screen: title, panes, time bar, command line, keys, overlays. */
#include <stdio.h>
#include <string.h>

#include "emu/debug/guest/guest.h"
#include "emu/debug/notebook.h"
#include "emu/debug/registers.h"
#include "emu/tui/app.h"

#define FRACTION_OF(done, total) ((total) ? (unsigned)(100.0 * (double)(done) / (double)(total)) : 0)

/* What every view is asked with: width and height are the pane's matter. */
static struct view_request request(struct tui *t)
{
	struct notebook *n = notebook(t->d);
	struct view_request rq = { .large = t->wish.projector };

	if (n) {
		rq.mark = n->mark;
		rq.micro = n->micro.count ? &n->micro : NULL;
	}
	return rq;
}

/* --- title ------------------------------------------------------------------------------------------------------------- */

static void who(const struct tui *t, char *buf, size_t size)
{
	struct guest_process p;

	snprintf(buf, size, "%s", t->d->guest ? guest_name(t->d->guest) : "guest");
	if (t->d->guest && guest_process_of(t->d, t->d->m->cpu.cr3, &p)) {
		size_t n = strlen(buf);
		snprintf(buf + n, size - n, ": %s (%llu)", p.name, (unsigned long long)p.id);
	}
}

/* What there is room for: state and instruction first, then the guest, then the mode. */
static void draw_title(struct tui *t)
{
	char left[160], right[96], mode[32], process[80], number[32];
	const struct cpu *c = &t->d->m->cpu;
	const char *state = t->interacting ? "GUEST HAS THE KEYS" : t->running ? "running" : run_in_past(t) ? "PAST" : "stopped";
	int style = t->interacting ? CHROME_GUEST : CHROME_TITLE, cols = t->screen.cols;
	int n = snprintf(right, sizeof(right), "  %s%s  %s ", cols < 60 ? "" : "instruction ", timebar_number(cpu_icount(c), number), state);

	who(t, process, sizeof(process));
	if (snprintf(left, sizeof(left), " %s  %s  CPL %u", process, mode_name(c, mode, sizeof(mode)), c->cpl) > cols - n)
		snprintf(left, sizeof(left), " %s  CPL %u", process, c->cpl);
	screen_string(&t->screen, 0, 0, cols, style, left);
	screen_string(&t->screen, 0, cols > n ? cols - n : 0, n, style, right);
}

/* --- time bar ------------------------------------------------------------------------------------------------------------ */

void tui_timebar(struct tui *t, struct timebar *b, uint64_t checkpoint[CHECKPOINTS])
{
	struct moment at[CHECKPOINTS];
	size_t n = history_checkpoints(t->d->h, at, CHECKPOINTS);
	uint64_t present = history_present(t->d->h).icount;

	if (n > CHECKPOINTS)
		n = CHECKPOINTS;
	for (size_t i = 0; i < n; i++)
		checkpoint[i] = at[i].icount;
	timebar_forget(&t->faults, present);       /* history has forked: they are no more */
	*b = (struct timebar){ .first = history_first(t->d->h).icount, .now = history_now(t->d->h).icount, .present = present,
		.checkpoint = checkpoint, .checkpoints = n, .faults = &t->faults, .ascii = !t->screen.utf8, .focused = t->on_time };
}

static void draw_work(struct tui *t, int cols)
{
	char words[96];
	unsigned percent = FRACTION_OF(t->work_done, t->work_total);
	int n = snprintf(words, sizeof(words), " %s %3u%%  Esc stops ", t->working, percent);
	int room = cols - n, done = room > 0 ? room * (int)(percent > 100 ? 100 : percent) / 100 : 0;

	screen_string(&t->screen, t->layout.time_row, 0, cols, STYLE_BOLD, words);
	for (int i = 0; i < room; i++)
		screen_string(&t->screen, t->layout.time_row, n + i, 1, i < done ? STYLE_GOOD : STYLE_DIM, i < done ? "█" : "·");
}

static void draw_time(struct tui *t)
{
	uint64_t checkpoint[CHECKPOINTS];
	struct timebar b;
	struct text line = { 0 };
	size_t length = 0;
	const uint8_t *style;

	if (t->work_total) {
		draw_work(t, t->screen.cols);
		return;
	}
	tui_timebar(t, &b, checkpoint);
	timebar_draw(&b, (unsigned)t->screen.cols, &line);
	text_add(&line, "\n");
	const char *bytes = text_line(&line, 0, &length, &style);
	screen_line(&t->screen, t->layout.time_row, 0, t->screen.cols, bytes, length, style, 0, STYLE_PLAIN);
	text_free(&line);
}

/* --- the two last lines ---------------------------------------------------------------------------------------------------- */

static bool typing(const struct tui *t) { return t->mode == MODE_COMMAND || t->mode == MODE_SEARCH || t->mode == MODE_EXPORT; }

/* Returns the column of the cursor. */
static int draw_command(struct tui *t)
{
	const char *label = prompt_label(t);
	int cols = t->screen.cols, from = (int)strlen(label), room = cols - from - 1;

	if (!typing(t)) {
		screen_string(&t->screen, t->layout.command_row, 0, cols, t->message_style, t->message);
		return 0;
	}
	int skip = (int)t->editor.cursor > room ? (int)t->editor.cursor - room : 0;
	screen_string(&t->screen, t->layout.command_row, 0, from, CHROME_KEY, label);
	screen_line(&t->screen, t->layout.command_row, from, cols - from, t->editor.line, t->editor.length, NULL, (unsigned)skip, STYLE_PLAIN);
	return from + (int)t->editor.cursor - skip;
}

static void draw_keys(struct tui *t)
{
	struct text line = { 0 };
	size_t length = 0;
	const uint8_t *style = NULL;

	/* While a line is typed, what completion found has its place here. */
	if (typing(t) && *t->message)
		text_put(&line, t->message_style, " %s", t->message);
	else
		keys_bottom_line(t, &line);
	text_add(&line, "\n");
	const char *bytes = text_line(&line, 0, &length, &style);
	screen_line(&t->screen, t->layout.key_row, 0, t->screen.cols, bytes, length, style, 0, STYLE_PLAIN);
	text_free(&line);
}

/* --- panes and overlays ------------------------------------------------------------------------------------------------------ */

static void draw_panes(struct tui *t)
{
	struct view_request rq = request(t);

	for (int i = 0; i < SLOTS; i++) {
		const struct rect *r = &t->layout.slot[i];
		if (!r->rows)
			continue;
		pane_render(&t->pane[i], t->d, r, &rq);
		pane_draw(&t->pane[i], &t->screen, r, !t->on_time && t->wish.focus == (enum slot)i);
		if (r->x)
			screen_bar(&t->screen, r->y, r->x - 1, r->rows);
	}
}

static void draw_overlay(struct tui *t)
{
	struct rect r = { 1, 0, t->layout.time_row - 1, t->screen.cols };
	struct pane *p = &t->overlay;
	size_t lines = text_lines(&p->text);

	p->rows = (unsigned)r.rows - 1;
	if (p->place.top + p->rows > lines)
		p->place.top = lines > p->rows ? lines - p->rows : 0;
	screen_rule(&t->screen, r.y, r.x, r.cols, t->overlay_title, true);
	for (unsigned i = 0; i < p->rows; i++) {
		size_t n = p->place.top + i, length = 0;
		const uint8_t *style = NULL;
		const char *line = n < lines ? text_line(&p->text, n, &length, &style) : "";
		bool chosen = t->mode == MODE_MENU && n == p->place.cursor;
		screen_line(&t->screen, r.y + 1 + (int)i, 0, r.cols, line, length, chosen ? NULL : style, 0, chosen ? CHROME_CURSOR : STYLE_PLAIN);
	}
}

void tui_draw_work(struct tui *t)
{
	if (t->layout.too_small)
		return;
	draw_work(t, t->screen.cols);
	draw_keys(t);
	screen_show(&t->screen, -1, 0);
}

/* The guest's own cursor, while one types to it. */
static bool guest_cursor(const struct tui *t, int *y, int *x)
{
	for (int i = 0; t->interacting && i < SLOTS; i++)
		if (t->layout.slot[i].rows && !strcmp(t->pane[i].place.view->name, "console"))
			return pane_end(&t->pane[i], &t->layout.slot[i], y, x);
	return false;
}

void tui_draw(struct tui *t)
{
	int y = -1, x = 0;

	screen_clear(&t->screen);
	if (t->layout.too_small) {
		char words[64];
		snprintf(words, sizeof(words), "too small: %dx%d at least", LAYOUT_MIN_COLS, LAYOUT_MIN_ROWS);
		screen_string(&t->screen, 0, 0, t->screen.cols, STYLE_BOLD, words);
		screen_show(&t->screen, -1, 0);
		return;
	}
	draw_title(t);
	if (t->mode == MODE_OVERLAY || t->mode == MODE_MENU)
		draw_overlay(t);
	else
		draw_panes(t);
	draw_time(t);
	int column = draw_command(t);
	draw_keys(t);
	if (typing(t)) {
		y = t->layout.command_row;
		x = column;
	} else if (!guest_cursor(t, &y, &x)) {
		y = -1;
	}
	screen_show(&t->screen, y, x);
}
