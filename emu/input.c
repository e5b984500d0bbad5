/* emu/input.c: see input.h. */
#include "emu/input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void input_init(struct input *in, struct input_source source)
{
	*in = (struct input){ .source = source };
}

void input_free(struct input *in)
{
	free(in->event);
	*in = (struct input){ 0 };
}

int input_replay(struct input *in, const struct input_event *log, size_t count)
{
	struct input_event *copy = calloc(count + 1, sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	if (count)
		memcpy(copy, log, count * sizeof(*copy));
	free(in->event);
	*in = (struct input){ .event = copy, .count = count, .capacity = count + 1, .replaying = true };
	return 0;
}

void input_rewind(struct input *in, size_t position)
{
	in->position = position < in->count ? position : in->count;
	in->replaying = true;
}

void input_resume(struct input *in)
{
	in->position = in->count;
	in->replaying = false;
}

void input_cut(struct input *in)
{
	if (in->replaying)
		in->count = in->position;
	input_resume(in);
}

uint64_t input_next_tick(const struct input *in, uint64_t now)
{
	if (in->replaying) {
		if (in->position == in->count)
			return UINT64_MAX;
		uint64_t tick = in->event[in->position].tick;
		return tick > now ? tick : now;
	}
	if (!in->source.next)
		return UINT64_MAX;
	return (now / INPUT_GRID + 1) * INPUT_GRID;
}

static void log_append(struct input *in, uint64_t now, uint8_t byte)
{
	if (in->count == in->capacity) {
		size_t capacity = in->capacity ? 2 * in->capacity : 256;
		struct input_event *grown = realloc(in->event, capacity * sizeof(*grown));
		if (!grown) {
			in->lost = true;
			return;
		}
		in->event = grown;
		in->capacity = capacity;
	}
	in->event[in->count++] = (struct input_event){ now, byte };
}

int input_take(struct input *in, uint64_t now)
{
	if (in->replaying) {
		if (in->position == in->count || in->event[in->position].tick > now)
			return -1;
		return in->event[in->position++].byte;
	}
	if (!in->source.next || now % INPUT_GRID || in->silent == now + 1)
		return -1;
	int byte = in->source.next(in->source.owner);
	if (byte >= 0)
		log_append(in, now, (uint8_t)byte);
	else
		in->silent = now + 1;
	return byte;
}
