/* emu/debug/view/walk_diagram.h: the walk's figure (micro.h) fitted to the room there is. */
#ifndef EMU_DEBUG_WALK_DIAGRAM_H
#define EMU_DEBUG_WALK_DIAGRAM_H

#include <jansson.h>

#include "emu/debug/explain/micro.h"

/* height 0: as long as it gets, about 20 lines. With fewer there is nothing around the entries: ten lines do for two levels. With still less
 * room the tables' boxes are left out. large: for a projector, less and further apart. */
void walk_diagram_fitted(const struct debugger *d, const struct walk *w, unsigned levels_shown, unsigned width, unsigned height, bool large,
			 struct text *t);
/* A walk as JSON: access, each entry, result. */
json_t *walk_json(const struct walk *w);

#endif
