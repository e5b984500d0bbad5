/* lib/malloc.c: first-fit allocator on sbrk.
 *
 *   | size,used | payload ... | size,used | payload ... |  ... break
 *
 * Blocks lie back to back in address order from the first sbrk to the break; the
 * header's size includes itself. Freeing joins a block with the free ones after it,
 * and a search joins as it passes. When the last block is free and at least TRIM
 * bytes, the break moves down and the kernel gets the frames back.
 *
 * Invariant: walking from first by size reaches end exactly; end is the break unless
 * the program moved it by hand, in which case a new run of blocks is not joined to
 * the old one: the gap becomes a block that is never freed. */
#include <stdlib.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define ALIGN 16u
#define GROW 8192u             /* least growth, so that small mallocs do not each move the break */
#define TRIM 65536u

struct block {
	size_t size;           /* bytes from this header to the next; 0 never occurs */
	bool used;
	uint8_t pad[ALIGN - sizeof(size_t) - sizeof(bool)];
};
_Static_assert(sizeof(struct block) == ALIGN, "payloads are aligned because headers are");

static struct block *first, *end;

static struct block *next_of(struct block *b) { return (struct block *)((char *)b + b->size); }

static void join_following(struct block *b)
{
	for (struct block *n = next_of(b); n < end && !n->used; n = next_of(b))
		b->size += n->size;
}

static void split(struct block *b, size_t need)
{
	if (b->size - need >= 2 * ALIGN) {
		struct block *rest = (struct block *)((char *)b + need);
		rest->size = b->size - need;
		rest->used = false;
		b->size = need;
	}
	b->used = true;
}

/* One free block of at least need bytes at the end of the heap. */
static struct block *grow(size_t need)
{
	size_t amount = need > GROW ? need : GROW;
	uintptr_t now = (uintptr_t)sbrk(0), gap;

	if (amount > INTPTR_MAX)
		return NULL;
	gap = end && now == (uintptr_t)end ? 0 : -now & (ALIGN - 1);
	if (sbrk(amount + gap) == (void *)-1 && (amount = need, sbrk(amount + gap) == (void *)-1))
		return NULL;
	struct block *b = (struct block *)(now + gap);
	if (!first)
		first = b;
	else if (b != end) {           /* somebody else moved the break */
		struct block *hole = end;
		hole->size = (char *)b - (char *)end;
		hole->used = true;
	}
	b->size = amount;
	b->used = false;
	end = next_of(b);
	return b;
}

void *malloc(size_t n)
{
	if (n > INTPTR_MAX - 2 * ALIGN) {
		errno = ENOMEM;
		return NULL;
	}
	size_t need = (n + ALIGN + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (need < 2 * ALIGN)
		need = 2 * ALIGN;
	struct block *b;
	for (b = first; b < end; b = next_of(b)) {
		if (b->used)
			continue;
		join_following(b);
		if (b->size >= need)
			break;
	}
	if (b >= end && !(b = grow(need))) {
		errno = ENOMEM;
		return NULL;
	}
	split(b, need);
	return b + 1;
}

void free(void *p)
{
	if (!p)
		return;
	struct block *b = (struct block *)p - 1;
	b->used = false;
	join_following(b);
	if (next_of(b) == end && b->size >= TRIM && sbrk(0) == (void *)end) {
		size_t give = b->size - ALIGN * 2;
		if (sbrk(-(intptr_t)give) != (void *)-1) {
			b->size -= give;
			end = next_of(b);
		}
	}
}

void *calloc(size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total)) {
		errno = ENOMEM;
		return NULL;
	}
	void *p = malloc(total);
	return p ? memset(p, 0, total) : NULL;
}

void *realloc(void *p, size_t n)
{
	if (!p)
		return malloc(n);
	size_t had = ((struct block *)p - 1)->size - ALIGN;
	if (n <= had)
		return p;
	void *bigger = malloc(n);
	if (bigger) {
		memcpy(bigger, p, had);
		free(p);
	}
	return bigger;
}
