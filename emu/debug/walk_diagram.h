/* emu/debug/walk_diagram.h: the walk's figure (micro.h) fitted to the room there is. */
#ifndef EMU_DEBUG_WALK_DIAGRAM_H
#define EMU_DEBUG_WALK_DIAGRAM_H

#include <jansson.h>

#include "emu/debug/micro.h"

/* Lines the whole figure takes at most. With fewer there is nothing around the entries: ten lines do for two levels, eleven for three. With still
 * less room the tables' boxes are left out. */
#define WALK_DIAGRAM_FULL 20u

/* height 0: as long as it gets. large: for a projector, less and further apart. */
void walk_diagram_fitted(const struct debugger *d, const struct walk *w, unsigned levels_shown, unsigned width, unsigned height, bool large, struct text *t);
/* A walk as JSON: access, each entry, result. */
json_t *walk_json(const struct walk *w);

#endif
