/* emu/debug/mark.c: see mark.h. A mark is a copy of what is not zero: simple, and independent of what history thins out. */
#include "emu/debug/mark.h"

#include <stdlib.h>
#include <string.h>

static bool all_zero(const uint8_t *p)
{
	return !p[0] && !memcmp(p, p + 1, PAGE_SIZE - 1);
}

struct debugger_mark *mark_take(struct debugger *d)
{
	struct debugger_mark *mark = calloc(1, sizeof(*mark));
	const struct phys *phys = &d->m->phys;

	if (!mark)
		return NULL;
	mark->at = history_now(d->h);
	registers_read(&d->m->cpu, &mark->registers);
	mark->paging = d->m->mmu.pg;
	mark->ram_size = phys->ram_size;
	mark->page = calloc(phys->ram_size / PAGE_SIZE, sizeof(*mark->page));
	for (uint64_t i = 0; mark->page && i < phys->ram_size / PAGE_SIZE; i++) {
		const uint8_t *now = phys->ram + i * PAGE_SIZE;
		if (all_zero(now))
			continue;
		mark->page[i] = malloc(PAGE_SIZE);
		if (!mark->page[i]) {
			mark_free(mark);
			return NULL;
		}
		memcpy(mark->page[i], now, PAGE_SIZE);
	}
	if (mark->page)
		return mark;
	mark_free(mark);
	return NULL;
}

void mark_free(struct debugger_mark *mark)
{
	if (!mark)
		return;
	for (uint64_t i = 0; mark->page && i < mark->ram_size / PAGE_SIZE; i++)
		free(mark->page[i]);
	free(mark->page);
	free(mark);
}

void mark_read(const struct debugger_mark *mark, paddr_t pa, void *buf, size_t size)
{
	uint8_t *out = buf;

	for (size_t i = 0; i < size; i++) {
		paddr_t at = pa + i;
		const uint8_t *page = at < mark->ram_size ? mark->page[at / PAGE_SIZE] : NULL;
		out[i] = at >= mark->ram_size ? 0xff : page ? page[at % PAGE_SIZE] : 0;
	}
}

uint64_t mark_entry(const struct debugger_mark *mark, paddr_t pa, unsigned size)
{
	uint8_t b[8] = { 0 };
	uint64_t v = 0;

	mark_read(mark, pa, b, size < 8 ? size : 8);
	for (unsigned i = 0; i < 8; i++)
		v |= (uint64_t)b[i] << 8 * i;
	return v;
}

static size_t page_changes(const struct debugger_mark *mark, const uint8_t *now, uint64_t frame, struct mark_range *out, size_t room, size_t n)
{
	const uint8_t *was = mark->page[frame];

	for (unsigned i = 0; i < PAGE_SIZE; i++) {
		if (now[i] == (was ? was[i] : 0))
			continue;
		paddr_t at = frame * PAGE_SIZE + i;
		/* Differences less than 8 bytes apart are one range. */
		if (n && n <= room && at < out[n - 1].end + 8)
			out[n - 1].end = at + 1;
		else if (n++ < room)
			out[n - 1] = (struct mark_range){ at, at + 1 };
	}
	return n;
}

size_t mark_changes(const struct debugger_mark *mark, const struct debugger *d, struct mark_range *out, size_t room)
{
	size_t n = 0;

	for (uint64_t i = 0; i < mark->ram_size / PAGE_SIZE && i < d->m->phys.ram_size / PAGE_SIZE; i++) {
		const uint8_t *now = d->m->phys.ram + i * PAGE_SIZE;
		if (mark->page[i] ? memcmp(now, mark->page[i], PAGE_SIZE) != 0 : !all_zero(now))
			n = page_changes(mark, now, i, out, room, n);
	}
	return n;
}
