/* emu/debug/view/walk_figure.h: the upper part of a walk's diagram: the address in its fields, the tables as boxes, and the lines between. For
 * walk_diagram.c. */
#ifndef EMU_DEBUG_WALK_FIGURE_H
#define EMU_DEBUG_WALK_FIGURE_H

#include "emu/debug/view/canvas.h"
#include "emu/debug/debugger.h"

#define GAP        7u              /* columns between boxes: the way out of one, the way into the next */
#define NARROWEST  16u             /* a column; with less the boxes are left out */
#define FIELDS     4u
#define SPACED     96u             /* columns from which the letters of an entry stand apart */
#define FIGURE_MAX 120u            /* wider only pulls the boxes apart */

struct field { const char *name; unsigned shift, bits, x, width, centre; };

struct figure {
	struct canvas canvas;
	const struct debugger *d;
	const struct walk *w;
	unsigned shown;            /* entries already read, as far as the reader is to know */
	unsigned width, height;    /* height 0: any */
	bool squat;                /* few lines: boxes without what stands around the entries */
	bool large;                /* for a projector: letters apart, no addresses and values of entries */
	unsigned y;
	unsigned tables;           /* columns of tables; one more for the frame */
	struct field field[FIELDS];
	unsigned fields;
	unsigned step, box;        /* of a column */
};

static inline unsigned figure_digits(const struct figure *f) { return f->w->paging.pae ? 16 : 8; }
static inline bool figure_spaced(const struct figure *f) { return f->large || f->width >= SPACED; }
static inline bool figure_finished(const struct figure *f) { return f->shown >= f->w->levels; }
static inline bool figure_reached(const struct figure *f, unsigned i) { return i < f->shown && i < f->w->levels; }

/* How the address divides into fields, and where these stand. */
void figure_split(struct figure *f);
void figure_place(struct figure *f);
/* The address: in boxes, or (squat) in bits only, when the labels come after the lines that begin under them. */
void figure_fields(struct figure *f);
void figure_fields_squat(struct figure *f);
void figure_labels(struct figure *f);
void figure_tables(struct figure *f);
/* Lines between the address and the boxes. */
unsigned figure_turns(const struct figure *f);
enum style figure_step_style(const struct figure *f, unsigned i);
/* What the physical address holds. False: a device is not asked. */
bool figure_held(const struct figure *f, uint32_t *value);

#endif
