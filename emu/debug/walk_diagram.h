/* emu/debug/walk_diagram.h: the walk's figure (micro.h) fitted to the room there is. */
#ifndef EMU_DEBUG_WALK_DIAGRAM_H
#define EMU_DEBUG_WALK_DIAGRAM_H

#include <jansson.h>

#include "emu/debug/micro.h"

#define WALK_DIAGRAM_FULL 20u      /* lines the whole figure takes at most; with less room the tables' boxes are left out */

/* height 0: as long as it gets. large: for a projector, less and further apart. */
void walk_diagram_fitted(const struct debugger *d, const struct walk *w, unsigned levels_shown, unsigned width, unsigned height, bool large, struct text *t);
/* A walk as JSON: access, each entry, result. */
json_t *walk_json(const struct walk *w);

#endif
