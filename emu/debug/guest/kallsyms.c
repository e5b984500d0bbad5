/* emu/debug/guest/kallsyms.c: the symbols that a Linux kernel carries in its own memory to print traces with.
 *
 *   offsets[n]      address of each symbol, from relative_base
 *   relative_base   as relocated
 *   num_syms        n
 *   names           for each: length (1 byte, or 2 when bit 7 is set), so many tokens; their texts are its type's letter and its name
 *   markers[]       where in names every 256th begins
 *   seqs[n]         3 bytes each: from 6.2, and in later 6.1
 *   token_table     256 texts, end to end
 *   token_index     where each of them begins, 256 numbers of 2 bytes
 *
 * Versions up to 6.3 have them one after the other in this order. The ten tokens for digits are always the digits themselves: that finds the
 * token table; token_index must repeat what it says, and so on backwards, so that nothing else is taken for it. All memory
 * is untrusted. Not implemented: the order from 6.4 on; CONFIG_KALLSYMS_ABSOLUTE_PERCPU, which 32-bit kernels do not have.
 */
#define _GNU_SOURCE                        /* memmem */
#include "emu/debug/guest/guest_private.h"
#include "emu/little_endian.h"

#include <stdlib.h>
#include <string.h>

#define TOKENS 256u
#define SYMBOLS_MAX 400000u
#define NAME_MAX_LENGTH 512u
#define NAME_AVERAGE_MOST 40u          /* tokens; about 10 in fact */
#define SEARCH_END (512u << 20)        /* a kernel of 32 bits lies below */

struct tables {
	const uint8_t *ram;
	size_t size;
	size_t token[TOKENS];          /* where each text begins in ram */
	size_t token_table, token_index;
	size_t names, count;
	size_t offsets;
	uint32_t base;
};

/* Backwards over the texts before the one at digit '0', then forwards over all, then the index that must agree. */
static bool read_tokens(struct tables *k, size_t zero)
{
	size_t at = zero;

	for (unsigned i = 0; i < '0'; i++) {
		size_t start = at - 1;
		while (start > 0 && k->ram[start - 1] && at - start < NAME_MAX_LENGTH)
			start--;
		if (start == 0 || at - start >= NAME_MAX_LENGTH)
			return false;
		at = start;
	}
	k->token_table = at;
	for (unsigned i = 0; i < TOKENS; i++) {
		k->token[i] = at;
		while (at < k->size && k->ram[at])
			at++;
		if (++at + 4 >= k->size)
			return false;
	}
	k->token_index = (at + 3) & ~(size_t)3;
	if (k->token_table % 4 || k->token_index + 2 * TOKENS > k->size)
		return false;
	for (unsigned i = 0; i < TOKENS; i++)
		if (get16(k->ram + k->token_index + 2 * i) != k->token[i] - k->token_table)
			return false;
	return true;
}

/* The length of the name at a place in names, and where its tokens begin; 0: beyond the end. */
static unsigned name_length(const struct tables *k, size_t *at)
{
	if (*at + 2 >= k->token_table)
		return 0;
	unsigned n = k->ram[(*at)++];
	if (n & 0x80)
		n = (n & 0x7f) | (unsigned)k->ram[(*at)++] << 7;
	return *at + n <= k->token_table ? n : 0;
}

/* Over so many names from at; 0: beyond the end. */
static size_t skip_names(const struct tables *k, size_t at, size_t count)
{
	while (count--) {
		unsigned n = name_length(k, &at);
		if (!n)
			return 0;
		at += n;
	}
	return at;
}

static size_t aligned(size_t at) { return (at + 3) & ~(size_t)3; }

/* Are these n names, followed by their markers and by what may lie between those and the tokens? */
static bool are_names(const struct tables *k, size_t at, size_t n)
{
	size_t second = skip_names(k, at, 256);
	size_t end = second ? skip_names(k, second, n - 256) : 0;

	if (!end)
		return false;
	size_t markers = aligned(end), markers_end = markers + 4 * ((n + 255) / 256);
	return markers_end <= k->token_table && get32(k->ram + markers) == 0 && get32(k->ram + markers + 4) == second - at
		&& (markers_end == k->token_table || aligned(markers_end + 3 * n) == k->token_table);
}

/* Backwards from the token table to a count that so many names follow. */
static bool read_names(struct tables *k)
{
	for (size_t at = k->token_table; at > 8 && k->token_table - at < SYMBOLS_MAX * NAME_AVERAGE_MOST; at -= 4) {
		size_t n = get32(k->ram + at - 4), bytes = k->token_table - at;
		if (n <= 256 || n > SYMBOLS_MAX || bytes < 3 * n || bytes > NAME_AVERAGE_MOST * n || at < 8 + 4 * n || !are_names(k, at, n))
			continue;
		k->names = at;
		k->count = n;
		k->base = get32(k->ram + at - 8);
		k->offsets = at - 8 - 4 * n;
		return true;
	}
	return false;
}

/* The text of a name: its tokens', without the type's letter. False: too long. */
static bool expand(const struct tables *k, size_t at, unsigned n, char *buf, size_t size)
{
	size_t length = 0;

	for (unsigned i = 0; i < n; i++)
		for (const uint8_t *c = k->ram + k->token[k->ram[at + i]]; *c; c++) {
			if (length + 1 >= size)
				return false;
			buf[length++] = (char)*c;
		}
	buf[length] = 0;
	return length > 1;
}

static bool read_symbols(const struct tables *k, struct symbols *s)
{
	char name[NAME_MAX_LENGTH];
	size_t at = k->names;

	*s = (struct symbols){ .symbol = calloc(k->count, sizeof(*s->symbol)) };
	for (size_t i = 0; s->symbol && i < k->count; i++) {
		unsigned n = name_length(k, &at);
		if (!n)
			break;
		if (expand(k, at, n, name, sizeof(name))) {
			char *copy = strdup(name + 1);
			if (copy)
				s->symbol[s->count++] = (struct symbol){ k->base + get32(k->ram + k->offsets + 4 * i), 0, copy };
		}
		at += n;
	}
	symbols_sort(s);
	return s->count > 0;
}

static bool tables_at(struct tables *k, size_t zero)
{
	return read_tokens(k, zero) && read_names(k);
}

/* A copy that was left behind by unpacking names addresses too; this one must lie in the kernel that runs there. */
static bool runs(const struct debugger *d, const struct tables *k)
{
	paddr_t image, table;

	if (!mmu_peek(&d->m->mmu, k->base, &image) || image > k->token_table)
		return false;
	return mmu_peek(&d->m->mmu, k->base + (uint32_t)(k->token_table - image), &table) && table == k->token_table;
}

static uint64_t check_of(const struct tables *k, size_t at)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < 2 * TOKENS; i++)
		h = (h ^ k->ram[at + i]) * 0x100000001b3u;
	return h;
}

static bool open_ram(struct debugger *d, struct tables *k)
{
	k->size = d->m->phys.ram_size < SEARCH_END ? (size_t)d->m->phys.ram_size : SEARCH_END;
	k->ram = d->m->phys.ram;
	return d->m->mmu.pg.enabled;
}

bool kallsyms_read(struct debugger *d, struct symbols *s, uint32_t *where, uint64_t *check)
{
	static const uint8_t digits[20] = { '0', 0, '1', 0, '2', 0, '3', 0, '4', 0, '5', 0, '6', 0, '7', 0, '8', 0, '9', 0 };
	struct tables k = { 0 };

	*s = (struct symbols){ 0 };
	if (!open_ram(d, &k))
		return false;
	for (size_t from = 1u << 20; from + sizeof(digits) < k.size;) {
		const uint8_t *hit = memmem(k.ram + from, k.size - from, digits, sizeof(digits));
		if (!hit)
			return false;
		from = (size_t)(hit - k.ram) + 1;
		if (!tables_at(&k, from - 1) || !runs(d, &k) || !read_symbols(&k, s))
			continue;
		linux_exports_add(d, k.base, s);
		*where = (uint32_t)k.token_index;
		*check = check_of(&k, k.token_index);
		return true;
	}
	return false;
}

bool kallsyms_still(struct debugger *d, uint32_t where, uint64_t check)
{
	struct tables k = { 0 };

	return open_ram(d, &k) && where + 2 * TOKENS <= k.size && check_of(&k, where) == check;
}
