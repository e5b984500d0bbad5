/* emu/history/history_pages.c: see history_pages.h. */
#include "emu/history/history_pages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "emu/history/history_store.h"

#define FAN 16u
#define FAN_BITS 4u
#define NODE_COST ((int64_t)(sizeof(struct page_node) + MALLOC_COST))

/* Child of a lowest node: a blob. Of the others: a node. */
struct page_node {
	uint32_t refs;
	void *child[FAN];
};

/* --- nodes ------------------------------------------------------------------------------------------------------- */

static struct page_node *node_new(struct page_store *s)
{
	struct page_node *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->refs = 1;
	page_store_count(s, NODE_COST);
	return n;
}

/* level 0: its children are blobs. */
static void node_drop(struct page_store *s, struct page_node *n, unsigned level)
{
	if (!n || --n->refs)
		return;
	for (unsigned i = 0; i < FAN; i++)
		if (level)
			node_drop(s, n->child[i], level - 1);
		else
			blob_drop(s, n->child[i]);
	page_store_count(s, -NODE_COST);
	free(n);
}

/* A node that only the caller refers to, in place of n. */
static struct page_node *node_own(struct page_store *s, struct page_node *n, unsigned level)
{
	if (n && n->refs == 1)
		return n;
	struct page_node *copy = node_new(s);
	if (!copy || !n)
		return copy;
	memcpy(copy->child, n->child, sizeof(copy->child));
	for (unsigned i = 0; i < FAN; i++)
		if (level && copy->child[i])
			((struct page_node *)copy->child[i])->refs++;
		else if (!level && blob_counted(copy->child[i]))
			((struct blob *)copy->child[i])->refs++;
	n->refs--;
	return copy;
}

static unsigned slot(uint64_t index, unsigned level)
{
	return index >> FAN_BITS * level & (FAN - 1);
}

static struct blob *find(const struct page_tree *t, uint64_t index)
{
	struct page_node *n = t->root;

	if (!t->levels || index >> FAN_BITS * t->levels)
		return NULL;
	for (unsigned level = t->levels - 1; n && level; level--)
		n = n->child[slot(index, level)];
	return n ? n->child[slot(index, 0)] : NULL;
}

/* Owns the path down to the page. Stopping half way for want of memory leaves a tree that means the same. */
static struct blob **place(struct page_store *s, struct page_tree *t, uint64_t index)
{
	struct page_node **at = &t->root;

	if (!t->levels || index >> FAN_BITS * t->levels)
		return NULL;
	for (unsigned level = t->levels - 1;; level--) {
		struct page_node *own = node_own(s, *at, level);
		if (!own)
			return NULL;
		*at = own;
		if (!level)
			return (struct blob **)&own->child[slot(index, 0)];
		at = (struct page_node **)&own->child[slot(index, level)];
	}
}

/* --- trees --------------------------------------------------------------------------------------------------------- */

void page_tree_init(struct page_tree *t, uint64_t pages)
{
	*t = (struct page_tree){ .levels = 1 };
	while (t->levels < 64 / FAN_BITS - 1 && (pages - 1) >> FAN_BITS * t->levels)
		t->levels++;
}

struct page_tree page_tree_share(const struct page_tree *t)
{
	if (t->root)
		t->root->refs++;
	return *t;
}

void page_tree_drop(struct page_store *s, struct page_tree *t)
{
	if (t->levels)
		node_drop(s, t->root, t->levels - 1);
	*t = (struct page_tree){ 0 };
}

static uint64_t own_bytes(const struct page_node *n, unsigned level)
{
	uint64_t bytes = NODE_COST;

	for (unsigned i = 0; i < FAN; i++) {
		const struct page_node *child = level ? n->child[i] : NULL;
		const struct blob *b = level ? NULL : n->child[i];
		if (child && child->refs == 1)
			bytes += own_bytes(child, level - 1);
		else if (blob_counted(b) && b->refs == 1)
			bytes += blob_cost(b);
	}
	return bytes;
}

uint64_t page_tree_own_bytes(const struct page_tree *t, const struct page_tree *shared)
{
	unsigned refs = shared && shared->root == t->root ? 2 : 1;

	return t->root && t->root->refs <= refs ? own_bytes(t->root, t->levels - 1) : 0;
}

enum page_kind page_tree_kind(const struct page_tree *t, uint64_t index)
{
	const struct blob *b = find(t, index);

	return !b ? PAGE_ABSENT : b == MARK ? PAGE_MARKED : PAGE_STORED;
}

static int put(struct page_store *s, struct page_tree *t, uint64_t index, struct blob *b)
{
	struct blob **at = place(s, t, index);

	if (!at) {
		blob_drop(s, b);
		return -ENOMEM;
	}
	blob_drop(s, *at);
	*at = b;
	return 0;
}

int page_tree_set(struct page_store *s, struct page_tree *t, uint64_t index, const uint8_t *bytes)
{
	uint64_t hash = page_hash(bytes);

	if (blob_equal(s, find(t, index), bytes, hash))
		return 0;
	struct blob *b = blob_of(s, bytes, hash);
	int err = b ? put(s, t, index, b) : -ENOMEM;
	return err ? err : 1;
}

int page_tree_mark(struct page_store *s, struct page_tree *t, uint64_t index)
{
	return find(t, index) == MARK ? 0 : put(s, t, index, MARK);
}

int page_tree_get(struct page_store *s, const struct page_tree *t, uint64_t index, uint8_t *bytes)
{
	const struct blob *b = find(t, index);

	if (!b || b == MARK)
		return 0;
	int err = blob_read(s, b, bytes);
	return err ? err : 1;
}

uint64_t page_tree_hash(const struct page_tree *t, uint64_t index)
{
	const struct blob *b = find(t, index);

	return blob_counted(b) ? b->hash : 0;
}

/* --- differences ----------------------------------------------------------------------------------------------------- */

struct diff {
	int (*fn)(void *ctx, uint64_t index);
	void *ctx;
};

static int diff_nodes(const struct diff *d, const struct page_node *a, const struct page_node *b, unsigned level, uint64_t first)
{
	int result = 0;

	for (unsigned i = 0; i < FAN && a != b && !result; i++) {
		const void *x = a ? a->child[i] : NULL, *y = b ? b->child[i] : NULL;
		uint64_t index = first + ((uint64_t)i << FAN_BITS * level);
		if (x != y)
			result = level ? diff_nodes(d, x, y, level - 1, index) : d->fn(d->ctx, index);
	}
	return result;
}

int page_tree_diff(const struct page_tree *a, const struct page_tree *b, int (*fn)(void *ctx, uint64_t index), void *ctx)
{
	struct diff d = { fn, ctx };
	unsigned levels = a->levels ? a->levels : b->levels;

	return levels ? diff_nodes(&d, a->root, b->root, levels - 1, 0) : 0;
}
