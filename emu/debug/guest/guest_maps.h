/* emu/debug/guest/guest_maps.h: what all page tables together say about frames: for views that ask about every frame. */
#ifndef EMU_DEBUG_GUEST_MAPS_H
#define EMU_DEBUG_GUEST_MAPS_H

#include "emu/debug/guest/guest.h"

/* Entries below the end of the user's half, each address space counted once. Those that map frame f are list[first[f]] .. list[first[f + 1] - 1];
 * of more than MAPPINGS_MAX some are counted only. */
#define MAPPINGS_MAX (4u << 20)
struct guest_maps {
	uint32_t frames;               /* of memory */
	uint32_t *count;
	uint32_t *first;
	struct mapping *list;
	struct guest_process *process; /* all, for their names */
	size_t processes;
};
/* False: out of memory. */
bool guest_maps_take(struct debugger *d, struct guest_maps *maps);
/* The process whose address space this is, or NULL. */
const struct guest_process *guest_maps_process(const struct guest_maps *maps, uint32_t cr3);
void guest_maps_free(struct guest_maps *maps);
/* How many pages of [start, end) have a present entry in the tables at cr3. */
uint32_t guest_present_pages(struct debugger *d, uint32_t cr3, uint32_t start, uint32_t end);
/* The first address that is not the user's; 4 GB when the description does not say. */
uint64_t guest_user_end(struct debugger *d);
/* Does the guest's count of a frame disagree with its tables? mappings: from guest_maps. */
bool guest_frame_wrong(const struct guest_frame *f, uint64_t mappings);

#endif
