/* emu/tui/pane.h: one view in one rectangle: what it was asked, how far it is scrolled, the line the cursor is on, the way back. */
#ifndef EMU_TUI_PANE_H
#define EMU_TUI_PANE_H

#include "emu/debug/view/view.h"
#include "emu/tui/layout.h"
#include "emu/tui/screen.h"

#define PANE_ARGUMENT 96
#define PANE_BACK 8

struct pane_place {
	const struct view *view;
	char argument[PANE_ARGUMENT];  /* "": none */
	size_t cursor, top;            /* lines of the text */
};

struct pane {
	struct pane_place place;
	struct pane_place back[PANE_BACK];     /* where Enter led away from */
	unsigned depth;
	unsigned left;                 /* columns scrolled away */
	bool follow;                   /* put the cursor on the line that is marked as current, or the last of a console, when next drawn */
	bool wandered;                 /* the cursor was moved: the line it is on is shown, stops aside */
	long pending;                  /* lines the cursor moves when next drawn */
	unsigned rows;                 /* of content, when last drawn */
	struct text text;              /* as last rendered */
};

void pane_free(struct pane *p);
/* argument NULL: none. Forgets the way back unless keep. */
void pane_choose(struct pane *p, const struct view *v, const char *argument, bool keep);
bool pane_return(struct pane *p);
void pane_render(struct pane *p, struct debugger *d, const struct rect *r, const struct view_request *like);
void pane_draw(struct pane *p, const struct screen *s, const struct rect *r, bool focus);
/* Where the text ends on the screen; false: out of sight. */
bool pane_end(const struct pane *p, const struct rect *r, int *y, int *x);
void pane_move(struct pane *p, long lines);            /* the cursor */
void pane_scroll(struct pane *p, long lines);          /* the window, the cursor stays in it */
void pane_shift(struct pane *p, int columns);
/* The first address on the cursor's line. False: there is none. */
bool pane_address(const struct pane *p, uint64_t *address);
/* ... the first decimal number. */
bool pane_number(const struct pane *p, uint64_t *number);
/* Breaks the lines that are longer than width between words. */
void pane_wrap(struct text *t, unsigned width);
/* The next line after the cursor, from the top again, that has this in it, letters' case aside. */
bool pane_search(struct pane *p, const char *what);
/* The lines of the view, for a file: all, or those in sight of one that has no end. */
void pane_copy(const struct pane *p, struct text *out);
/* Is a line of the text the current one? */
bool pane_line_is_here(const struct text *t, size_t line);

#endif
