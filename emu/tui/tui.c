/* emu/tui/tui.c: see tui.h: start, the loop, the end. */
#include "emu/tui/tui.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/debug/guest/source.h"
#include "emu/loader.h"
#include "emu/run.h"
#include "emu/session.h"
#include "emu/status.h"
#include "emu/terminal.h"
#include "emu/tui/app.h"
#include "emu/tui/remember.h"

#define IDLE_MS 100                    /* how long a signal, or another face, may wait to be seen */

void tui_message(struct tui *t, enum style style, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(t->message, sizeof(t->message), fmt, ap);
	va_end(ap);
	t->message_style = style;
}

struct pane *tui_focus(struct tui *t)
{
	return &t->pane[t->wish.focus];
}

void tui_arrange(struct tui *t)
{
	layout_make(&t->layout, t->screen.rows, t->screen.cols, &t->wish);
	/* A window that grew small again, or a pane that is shown no more. */
	if (!t->layout.too_small && !t->layout.slot[t->wish.focus].rows) {
		t->wish.focus = SLOT_MAIN;
		layout_make(&t->layout, t->screen.rows, t->screen.cols, &t->wish);
	}
}

bool tui_show_view(struct tui *t, enum slot slot, const char *name, const char *argument, bool keep)
{
	const struct view *v = view_find(name);

	if (!v)
		return false;
	pane_choose(&t->pane[slot], v, argument, keep);
	return true;
}

void tui_follow(struct tui *t)
{
	for (int i = 0; i < SLOTS; i++) {
		t->pane[i].follow = true;
		t->pane[i].wandered = false;
	}
}

/* The views that a slot begins with: the first of these that exist. */
static void choose_views(struct tui *t)
{
	static const char *const wanted[SLOTS][3] = {
		[SLOT_CODE] = { "disassembly" }, [SLOT_REGISTERS] = { "registers" }, [SLOT_MAIN] = { "walk", "memory" },
		[SLOT_STACK] = { "stack" }, [SLOT_CONSOLE] = { "console" }, [SLOT_TABLES] = { "tlb", "history" },
	};

	for (int i = 0; i < SLOTS; i++) {
		t->pane[i].place.view = &views[0];
		for (int k = 0; k < 3 && wanted[i][k]; k++)
			if (tui_show_view(t, (enum slot)i, wanted[i][k], NULL, false))
				break;
	}
}

static void start(struct tui *t, struct debugger *d, struct session *s)
{
	t->d = d;
	t->session = s;
	t->wish.focus = SLOT_MAIN;
	choose_views(t);
	remember_load(&t->editor);
	run_attach(t);
	tui_message(t, STYLE_PLAIN, "%s", d->stop.kind == STOP_NONE ? "stopped before the first instruction; c runs, s steps, ? tells all keys" : d->stop.text);
}

static void end(struct tui *t)
{
	run_detach(t);
	remember_save(&t->editor);
	for (int i = 0; i < SLOTS; i++)
		pane_free(&t->pane[i]);
	pane_free(&t->overlay);
	editor_free(&t->editor);
	free(t);
}

/* Others have work between our keys: gdb's link, which may run the machine. */
static void let_others_work(struct tui *t)
{
	uint64_t tick = machine_now(t->d->m);

	t->interrupt = false;
	debugger_idle(t->d);
	if (t->running)
		run_end(t);
	t->stale |= machine_now(t->d->m) != tick;
}

static void loop(struct tui *t)
{
	tui_arrange(t);
	t->stale = true;
	while (!t->quit && !t->screen.gone && !signal_pending() && !session_timed_out(t->session)) {
		let_others_work(t);
		if (t->stale)
			tui_draw(t);
		int key = screen_key(&t->screen, IDLE_MS);
		t->stale = key != KEYS_NONE;
		if (key == K_RESIZE)
			tui_arrange(t);
		else if (key != KEYS_NONE)
			keys_press(t, key);
	}
}

int tui_run(struct debugger *d, struct session *s)
{
	char err[ERROR_LINE];
	struct tui *t = calloc(1, sizeof(*t));

	if (!t)
		return complain(STATUS_ERROR, "out of memory");
	if (screen_open(&t->screen, err)) {
		free(t);
		return complain(STATUS_USAGE, "%s", err);
	}
	start(t, d, s);
	loop(t);
	screen_close(&t->screen);
	end(t);
	return STATUS_OK;
}
