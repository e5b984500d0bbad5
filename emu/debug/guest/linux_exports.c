/* emu/debug/guest/linux_exports.c: the symbols that a Linux kernel keeps for its modules: most of its variables, which kallsyms of many configurations leaves out.
 *
 *   entry   12 bytes: value, name, name space; each a distance from its own place (CONFIG_HAVE_ARCH_PREL32_RELOCATIONS)
 *
 * The table is found from one name that every kernel exports: a string, then the word whose distance leads to it, then its neighbours on both sides
 * for as long as they look like entries. All memory is untrusted.
 */
#define _GNU_SOURCE                        /* memmem */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "emu/debug/guest/guest_private.h"
#include "emu/little_endian.h"

#define ENTRY_BYTES 12u
#define IMAGE_MOST (64u << 20)             /* of a kernel, with what it unpacks to */
#define EXPORTS_MAX 40000u
#define NAME_LONGEST 128u

struct image { const uint8_t *ram; size_t start, end; uint32_t to_linear; };      /* offsets in ram; linear = offset + to_linear */

/* Where the distance at a place leads. */
static size_t target(const struct image *g, size_t at) { return (uint32_t)(at + get32(g->ram + at)); }

/* The name of the entry at a place, or NULL when this is none. */
static const char *entry_name(const struct image *g, size_t entry)
{
	if (entry < g->start || entry + ENTRY_BYTES > g->end)
		return NULL;
	size_t name = target(g, entry + 4), value = target(g, entry);
	if (name < g->start || name + NAME_LONGEST > g->end || value < g->start || value >= g->end)
		return NULL;
	const char *text = (const char *)g->ram + name;
	size_t n = 0;
	while (n < NAME_LONGEST && (isalnum((unsigned char)text[n]) || text[n] == '_'))
		n++;
	return n > 0 && n < NAME_LONGEST && !text[n] ? text : NULL;
}

/* The entry whose name lies at a place; 0: none. */
static size_t entry_naming(const struct image *g, size_t name)
{
	for (size_t at = g->start; at + ENTRY_BYTES <= g->end; at += 4)
		if (target(g, at + 4) == name && entry_name(g, at))
			return at;
	return 0;
}

static size_t find_entry(const struct image *g, const char *name)
{
	size_t n = strlen(name) + 1;

	for (size_t from = g->start; from + n < g->end;) {
		const uint8_t *hit = memmem(g->ram + from, g->end - from, name, n);
		if (!hit)
			return 0;
		size_t at = (size_t)(hit - g->ram), entry = at > g->start && !hit[-1] ? entry_naming(g, at) : 0;
		if (entry)
			return entry;
		from = at + 1;
	}
	return 0;
}

static bool known(const struct symbols *s, size_t sorted, uint32_t address, const char *name)
{
	size_t low = 0, high = sorted;

	while (low < high) {
		size_t middle = (low + high) / 2;
		if (s->symbol[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < sorted && s->symbol[low].address == address; low++)
		if (!strcmp(s->symbol[low].name, name))
			return true;
	return false;
}

void linux_exports_add(const struct debugger *d, uint32_t base, struct symbols *s)
{
	struct image g = { .ram = d->m->phys.ram };
	size_t sorted = s->count;
	paddr_t pa;

	if (!mmu_peek(&d->m->mmu, base, &pa) || pa >= d->m->phys.ram_size)
		return;
	g.start = (size_t)pa;
	g.end = d->m->phys.ram_size - pa < IMAGE_MOST ? (size_t)d->m->phys.ram_size : g.start + IMAGE_MOST;
	g.to_linear = base - (uint32_t)pa;
	size_t entry = find_entry(&g, "init_task");
	while (entry && entry_name(&g, entry - ENTRY_BYTES))
		entry -= ENTRY_BYTES;
	struct symbol *more = entry ? realloc(s->symbol, (s->count + EXPORTS_MAX) * sizeof(*more)) : NULL;
	if (!more)
		return;
	s->symbol = more;
	const char *name;
	for (size_t n = 0; n < EXPORTS_MAX && (name = entry_name(&g, entry)); n++, entry += ENTRY_BYTES) {
		uint32_t address = (uint32_t)target(&g, entry) + g.to_linear;
		char *copy = known(s, sorted, address, name) ? NULL : strdup(name);
		if (copy)
			s->symbol[s->count++] = (struct symbol){ address, 0, copy };
	}
	symbols_sort(s);
}
