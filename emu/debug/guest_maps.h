/* emu/debug/guest_maps.h: what all page tables together say about frames: for views that ask about every frame. */
#ifndef EMU_DEBUG_GUEST_MAPS_H
#define EMU_DEBUG_GUEST_MAPS_H

#include "emu/debug/guest.h"

/* For each frame of memory, how many entries below the end of the user's half map it, each address space counted once. */
struct guest_maps { uint32_t *count; uint32_t frames; };
/* False: out of memory. */
bool guest_maps_take(struct debugger *d, struct guest_maps *maps);
void guest_maps_free(struct guest_maps *maps);
/* The first address that is not the user's; 4 GB when the description does not say. */
uint64_t guest_user_end(struct debugger *d);
/* Does the guest's count of a frame disagree with its tables? mappings: from guest_maps. */
bool guest_frame_wrong(const struct guest_frame *f, uint64_t mappings);

#endif
