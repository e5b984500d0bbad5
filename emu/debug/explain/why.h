/* emu/debug/explain/why.h: the last fault as a story: instruction and source line, address and region, the walk drawn with the entry that stopped it,
 * the error code in words, who wrote that entry last and when, what the handler did, whether the instruction was resumed. A
 * double or triple fault: the whole chain. */
#ifndef EMU_DEBUG_WHY_H
#define EMU_DEBUG_WHY_H

#include <jansson.h>

#include "emu/debug/debugger.h"
#include "emu/debug/text.h"

/* The last fault before now, or the fault that is about to be delivered. search: may go back in time to find the writer (and returns). */
void why_tell(struct debugger *d, bool search, struct text *t);
json_t *why_json(struct debugger *d, bool search);

#endif
