/* emu/debug/view/view.h: what can be looked at: one table of views. The TUI's panels, the monitor's `view NAME`, exports and JSON come from it. A
 * view only reads. */
#ifndef EMU_DEBUG_VIEW_H
#define EMU_DEBUG_VIEW_H

#include <jansson.h>

#include "emu/debug/debugger.h"
#include "emu/debug/explain/micro.h"
#include "emu/debug/text.h"

struct view_request {
	unsigned width, height;        /* of the space there is; height 0: as long as it gets */
	const char *argument;          /* an expression, a process, a frame; NULL: what follows from the stop */
	size_t first;                  /* lines already scrolled away: a view that is expensive may begin there */
	const struct micro *micro;     /* a walk step in progress, or NULL */
	bool large;                    /* projector: less, larger */
	const struct debugger_mark *mark;      /* differences since this are marked; NULL: none */
};

struct view {
	const char *name;              /* "walk" */
	const char *title;             /* "Page walk" */
	const char *help;              /* one line */
	void (*render)(struct debugger *d, const struct view_request *rq, struct text *t);
	json_t *(*json)(struct debugger *d, const struct view_request *rq);    /* NULL: the lines of text */
};

/* registers disassembly walk tables tlb frames processes regions swap memory stack breakpoints trace console history devices why */
extern const struct view views[];      /* ends with a NULL name */
const struct view *view_find(const char *name);

/* A moment to compare with: registers, page tables and memory as they were. */
struct debugger_mark;
struct debugger_mark *mark_take(struct debugger *d);
void mark_free(struct debugger_mark *mark);

#endif
