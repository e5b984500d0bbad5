/* emu/debug/arm.h: the physical pages that breakpoints watch while the machine runs: arm.c for notice.c. Private to the debugger's core. */
#ifndef EMU_DEBUG_ARM_H
#define EMU_DEBUG_ARM_H

#include "emu/debug/going.h"

/* False: out of memory; what could be armed is. */
bool arm_all(struct debugger *d);
void arm_none(struct debugger *d);
/* A walk for a real access: moves the watches of its page. */
void arm_walked(struct debugger *d, const struct walk *w);
/* Does an access touch the range of a memory breakpoint? Then n->la is the first address of it that was. */
bool arm_touches(const struct debugger *d, const struct arm *a, const struct phys_access *access, struct note *n);
/* At the boundary after: what was there and what is there, as far as n->access reaches into the range. */
void arm_values(struct debugger *d, struct arm *a, struct note *n);
/* Looks at a mapping again. Changed: n says what. Anew: whatever changed, it is no news. */
bool arm_mapping_changed(struct debugger *d, struct arm *a, struct note *n);
void arm_mapping_anew(struct debugger *d, struct arm *a);

#endif
