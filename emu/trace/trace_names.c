/* emu/trace/trace_names.c: what the guest's own tables add to a trace. */
#include <stdio.h>
#include <string.h>

#include "emu/debug/guest/guest.h"
#include "emu/debug/notebook.h"

static bool space_name(void *owner, uint32_t cr3, char *buf, size_t size)
{
	struct guest_process p;

	if (!guest_process_of(owner, cr3, &p))
		return false;
	snprintf(buf, size, "%s (%llu)", p.name, (unsigned long long)p.id);
	return true;
}

static bool free_frames(void *owner, uint64_t *n)
{
	struct debugger *d = owner;
	struct guest_frame f;
	bool known = false;

	*n = 0;
	for (uint32_t frame = 0; frame < d->m->phys.ram_size / PAGE_SIZE; frame++) {
		if (!guest_frame(d, frame, &f) || !f.known)
			continue;
		known = true;
		*n += !strcmp(f.owner, "free");
	}
	return known;
}

struct trace_names debugger_trace_names(struct debugger *d)
{
	if (!d->guest)
		return (struct trace_names){ NULL, NULL, NULL };
	return (struct trace_names){ d, space_name, free_frames };
}
