/* emu/history/history_spill.c: see history_spill.h. */
#define _GNU_SOURCE                        /* mkostemp */
#include "emu/history/history_spill.h"
#include "devices/host_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void spill_init(struct spill *s, uint64_t most)
{
	*s = (struct spill){ .fd = -1, .most = most };
}

void spill_close(struct spill *s)
{
	if (s->fd >= 0)
		close(s->fd);
	for (unsigned i = 0; i < SPILL_SIZES; i++)
		free(s->free[i].slot);
	spill_init(s, 0);
}

/* --- the file ---------------------------------------------------------------------------------------------------- */

static int nameless_file(const char *directory)
{
	char path[4096];

	if (!directory || snprintf(path, sizeof(path), "%s/emu-history-XXXXXX", directory) >= (int)sizeof(path))
		return -ENOENT;
	int fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	unlink(path);
	return fd;
}

static int open_file(struct spill *s)
{
	const char *place[] = { getenv("TMPDIR"), "/var/tmp", "/tmp" };

	for (unsigned i = 0; i < sizeof(place) / sizeof(place[0]) && s->fd < 0; i++)
		s->fd = nameless_file(place[i]);
	if (s->fd >= 0)
		return 0;
	int err = s->fd;
	s->fd = -1;
	return err;
}

/* --- slots ------------------------------------------------------------------------------------------------------- */

static unsigned units(unsigned size) { return (size + SPILL_UNIT - 1) / SPILL_UNIT; }
static struct spill_slots *free_slots(struct spill *s, unsigned size) { return &s->free[units(size) - 1]; }

int spill_put(struct spill *s, const void *bytes, unsigned size, uint32_t *slot)
{
	struct spill_slots *again = free_slots(s, size);
	uint64_t room = units(size) * SPILL_UNIT;
	bool grows = !again->count;

	if (grows && (s->error || room > s->most - s->end || s->end / SPILL_UNIT > UINT32_MAX))
		return -ENOSPC;
	uint32_t at = grows ? (uint32_t)(s->end / SPILL_UNIT) : again->slot[again->count - 1];
	int err = s->fd < 0 ? open_file(s) : 0;
	if (!err)
		err = host_write(s->fd, bytes, size, (uint64_t)at * SPILL_UNIT);
	if (err) {
		s->error = s->error ? s->error : err;
		return err;
	}
	if (grows)
		s->end += room;
	else
		again->count--;
	s->used += room;
	*slot = at;
	return 0;
}

int spill_get(const struct spill *s, uint32_t slot, void *bytes, unsigned size)
{
	ssize_t n = host_read(s->fd, bytes, size, (uint64_t)slot * SPILL_UNIT);

	return n < 0 ? (int)n : n < (ssize_t)size ? -EIO : 0;
}

/* A slot that there is no memory to remember is lost to the file, nothing else. */
void spill_drop(struct spill *s, uint32_t slot, unsigned size)
{
	struct spill_slots *f = free_slots(s, size);

	s->used -= units(size) * SPILL_UNIT;
	if (f->count == f->capacity) {
		size_t capacity = f->capacity ? 2 * f->capacity : 256;
		uint32_t *grown = realloc(f->slot, capacity * sizeof(*grown));
		if (!grown)
			return;
		f->slot = grown;
		f->capacity = capacity;
	}
	f->slot[f->count++] = slot;
}
