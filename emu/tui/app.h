/* emu/tui/app.h: the TUI's own state and what its files do for each other.
 *
 *   tui.c     start, the loop, the end        keys.c    the table of keys and what they do
 *   run.c     the guest runs: steps, time, walk steps, console input
 *   draw.c    everything on the screen        prompt.c  command line, search, names of files; overlays of text
 */
#ifndef EMU_TUI_APP_H
#define EMU_TUI_APP_H

#include "emu/debug/debugger.h"
#include "emu/debug/view/view.h"
#include "emu/tui/editor.h"
#include "emu/tui/layout.h"
#include "emu/tui/pane.h"
#include "emu/tui/screen.h"
#include "emu/tui/timebar.h"

#define MESSAGE 256
#define CHECKPOINTS 512

struct session;

enum mode {
	MODE_KEYS,                     /* one key, one action */
	MODE_COMMAND, MODE_SEARCH, MODE_EXPORT,        /* a line is being typed */
	MODE_OVERLAY,                  /* text over the panes: a reply, the help */
	MODE_MENU,                     /* ... of which a line can be chosen: the views */
};

struct tui {
	struct debugger *d;
	struct session *session;
	struct screen screen;
	struct layout layout;
	struct layout_wish wish;       /* wish.focus is the pane with the focus */
	bool on_time;                  /* the time bar has it instead */
	struct pane pane[SLOTS];
	enum mode mode;
	struct editor editor;
	char found[EDITOR_LINE];       /* what was searched last */
	struct pane overlay;           /* only its text, title and place are used */
	char overlay_title[MESSAGE];
	char message[MESSAGE];
	enum style message_style;
	struct face face;
	struct observer observer;      /* hears of faults, for the time bar */
	struct timebar_marks faults;
	bool running;                  /* inside debugger_go */
	bool interrupt;                /* ... which is to stop */
	bool interacting;              /* keys go to the guest */
	bool interacted;               /* some did */
	bool leaving;                  /* q was pressed once, and something would be lost */
	bool quit;
	bool stale;                    /* the screen is to be drawn */
	uint64_t drawn_ns;
	uint64_t pace_ns, pace_tick, pace_icount;      /* an idle guest was on time then */
	char working[64];              /* long work: what, and how far */
	uint64_t work_done, work_total;
};

/* --- tui.c */
void tui_message(struct tui *t, enum style style, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
struct pane *tui_focus(struct tui *t);
void tui_arrange(struct tui *t);                       /* after a change of size or of what is wished */
bool tui_show_view(struct tui *t, enum slot slot, const char *name, const char *argument, bool keep);
/* The views follow the machine to where it stands now. */
void tui_follow(struct tui *t);

/* --- draw.c */
void tui_draw(struct tui *t);
/* Only how far long work is; the rest of the screen stays as it was. */
void tui_draw_work(struct tui *t);
void tui_timebar(struct tui *t, struct timebar *b, uint64_t checkpoint[CHECKPOINTS]);

/* --- run.c */
void run_attach(struct tui *t);
void run_detach(struct tui *t);
void run_go(struct tui *t, enum go how, uint32_t la);
void run_goto(struct tui *t, uint64_t icount);
void run_walk(struct tui *t, int direction);
void run_interact(struct tui *t);
/* In the past by more than the one instruction that looking into the next one costs. */
bool run_in_past(const struct tui *t);
/* Around anything that may run the machine. */
void run_begin(struct tui *t);
void run_end(struct tui *t);

/* --- keys.c */
void keys_press(struct tui *t, int key);
/* While the machine runs. */
void keys_press_running(struct tui *t, int key);
void keys_bottom_line(const struct tui *t, struct text *line);
void keys_help(struct tui *t);

/* --- prompt.c */
void prompt_open(struct tui *t, enum mode mode, const char *line);
void prompt_key(struct tui *t, int key);
const char *prompt_label(const struct tui *t);
void prompt_execute(struct tui *t, const char *line);
void overlay_open(struct tui *t, enum mode mode, const char *title);   /* t->overlay.text has been written */
void overlay_key(struct tui *t, int key);

#endif
