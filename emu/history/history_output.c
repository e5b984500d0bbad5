/* emu/history/history_output.c: what went out to the console, byte by byte with its tick; the newest part of it, in bounded memory. */
#include "emu/history/history_private.h"

#include <stdlib.h>
#include <string.h>

/* Full: the older half goes, so that the rest stays one array at little cost. */
static bool make_room(struct output_log *log)
{
	if (log->count < log->capacity)
		return true;
	if (log->capacity < log->most) {
		size_t capacity = log->capacity ? 2 * log->capacity : 256;
		capacity = capacity < log->most ? capacity : log->most;
		struct output_event *grown = realloc(log->event, capacity * sizeof(*grown));
		if (grown) {
			log->event = grown;
			log->capacity = capacity;
			return true;
		}
	}
	size_t kept = log->count / 2;
	if (log->count)
		memmove(log->event, log->event + log->count - kept, kept * sizeof(*log->event));
	log->count = kept;
	return log->capacity != 0;
}

/* In the past it has been seen before. */
static void put(void *owner, uint8_t byte)
{
	struct output_tap *tap = owner;
	struct history *h = tap->history;

	if (h->past)
		return;
	if (make_room(&h->output))
		h->output.event[h->output.count++] = (struct output_event){ machine_now(h->m), byte };
	if (tap->original.put)
		tap->original.put(tap->original.owner, byte);
}

void output_tap(struct history *h, struct output_tap *tap, struct char_out *out)
{
	*tap = (struct output_tap){ .history = h, .at = out, .original = *out };
	*out = (struct char_out){ put, tap };
}

void output_untap(struct output_tap *tap)
{
	if (tap->at)
		*tap->at = tap->original;
}

size_t output_until(const struct output_log *log, uint64_t tick)
{
	size_t low = 0, high = log->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (log->event[middle].tick <= tick)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
