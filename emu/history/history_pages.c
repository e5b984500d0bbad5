/* emu/history/history_pages.c: see history_pages.h. */
#include "emu/history/history_pages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "emu/hash.h"

#define FAN 16u
#define FAN_BITS 4u
#define MALLOC_COST 16u            /* what an allocation takes beside its bytes, about */
#define COMPRESSION 1

struct blob {
	uint32_t refs;
	uint16_t size;                 /* HISTORY_PAGE: not compressed */
	bool queued;
	uint32_t place;                /* in the queue */
	uint64_t hash;
	uint8_t *data;
	struct blob *next;             /* in its bucket */
};

/* Pages by their hash, so that the same bytes are kept once wherever they lie: in memory, in a page cache, in swap space. */
struct index {
	struct blob **bucket;
	size_t buckets;                /* a power of two */
};

/* Pages that nobody has tried to compress yet, the oldest first; NULL where one has gone. */
struct queue {
	struct blob **page;
	size_t first, end, capacity;
};

/* Child of a lowest node: a blob. Of the others: a node. */
struct page_node {
	uint32_t refs;
	void *child[FAN];
};

struct page_store {
	uint64_t bytes, pages;
	struct queue queue;
	struct index index;
	ZSTD_CCtx *compress;
	ZSTD_DCtx *expand;
	uint8_t scratch[ZSTD_COMPRESSBOUND(HISTORY_PAGE)];
	uint8_t compared[HISTORY_PAGE];
};

/* These two stand for many pages; they are not counted, nor ever changed. */
static const struct blob zeros_blob, mark_blob;
#define ZEROS ((struct blob *)&zeros_blob)
#define MARK ((struct blob *)&mark_blob)

static bool counted(const struct blob *b)
{
	return b && b != ZEROS && b != MARK;
}

struct page_store *page_store_new(void)
{
	struct page_store *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->compress = ZSTD_createCCtx();
	s->expand = ZSTD_createDCtx();
	if (s->compress && s->expand)
		return s;
	page_store_free(s);
	return NULL;
}

void page_store_free(struct page_store *s)
{
	if (!s)
		return;
	ZSTD_freeCCtx(s->compress);
	ZSTD_freeDCtx(s->expand);
	free(s->queue.page);
	free(s->index.bucket);
	free(s);
}

uint64_t page_store_bytes(const struct page_store *s) { return s->bytes; }
uint64_t page_store_pages(const struct page_store *s) { return s->pages; }

/* --- pages ------------------------------------------------------------------------------------------------------- */

static bool all_zero(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return !word && !memcmp(bytes, bytes + sizeof(word), HISTORY_PAGE - sizeof(word));
}

static uint64_t hash_of(const uint8_t *bytes)
{
	struct hash h;

	hash_init(&h);
	hash_bytes(&h, bytes, HISTORY_PAGE);
	uint64_t hash = hash_result(&h);
	return hash ? hash : 1;
}

uint64_t page_hash(const uint8_t *bytes)
{
	return all_zero(bytes) ? 0 : hash_of(bytes);
}

static uint64_t blob_cost(const struct blob *b)
{
	return sizeof(*b) + b->size + 2 * MALLOC_COST + 2 * sizeof(struct blob *);       /* with its part of index and queue */
}

/* The queue's live part moves to its beginning when its end is reached; places are what is left of them then. */
static int queue_room(struct queue *q)
{
	if (q->end < q->capacity)
		return 0;
	if (q->first > q->capacity / 2) {
		memmove(q->page, q->page + q->first, (q->end - q->first) * sizeof(struct blob *));
		q->end -= q->first;
		q->first = 0;
		for (size_t i = 0; i < q->end; i++)
			if (q->page[i])
				q->page[i]->place = (uint32_t)i;
		return 0;
	}
	size_t capacity = q->capacity ? 2 * q->capacity : 1024;
	struct blob **grown = realloc(q->page, capacity * sizeof(struct blob *));
	if (!grown)
		return -ENOMEM;
	q->page = grown;
	q->capacity = capacity;
	return 0;
}

static struct blob **bucket_of(const struct index *x, uint64_t hash)
{
	return &x->bucket[(hash * 0x9e3779b97f4a7c15ull >> 32) & (x->buckets - 1)];
}

/* As many buckets as pages. */
static int index_room(struct page_store *s)
{
	struct index *x = &s->index, bigger = { .buckets = x->buckets ? 2 * x->buckets : 1024 };

	if (s->pages < x->buckets)
		return 0;
	bigger.bucket = calloc(bigger.buckets, sizeof(struct blob *));
	if (!bigger.bucket)
		return -ENOMEM;
	for (size_t i = 0; i < x->buckets; i++) {
		for (struct blob *b = x->bucket[i], *next; b; b = next) {
			struct blob **at = bucket_of(&bigger, b->hash);
			next = b->next;
			b->next = *at;
			*at = b;
		}
	}
	free(x->bucket);
	*x = bigger;
	return 0;
}

static void index_add(struct page_store *s, struct blob *b)
{
	struct blob **at = bucket_of(&s->index, b->hash);

	b->next = *at;
	*at = b;
}

static void index_remove(struct page_store *s, const struct blob *b)
{
	struct blob **at = bucket_of(&s->index, b->hash);

	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
}

/* Bytes into scratch; HISTORY_PAGE if they do not get much smaller. */
static size_t compressed(struct page_store *s, const uint8_t *bytes)
{
	size_t size = ZSTD_compressCCtx(s->compress, s->scratch, sizeof(s->scratch), bytes, HISTORY_PAGE, COMPRESSION);

	return ZSTD_isError(size) || size > HISTORY_PAGE - HISTORY_PAGE / 8 ? HISTORY_PAGE : size;
}

/* Is most of the page the same over and over? Compressing that is quicker than finding room for the page. */
static bool monotonous(const uint8_t *bytes)
{
	uint64_t word[2];
	unsigned same = 0;

	for (unsigned i = 64; i < HISTORY_PAGE; i += 64) {
		memcpy(&word[0], bytes + i - 64, 8);
		memcpy(&word[1], bytes + i, 8);
		same += word[0] == word[1];
	}
	return same >= HISTORY_PAGE / 64 * 3 / 4;
}

static struct blob *blob_new(struct page_store *s, const uint8_t *bytes, uint64_t hash)
{
	size_t size = monotonous(bytes) ? compressed(s, bytes) : HISTORY_PAGE;
	const uint8_t *kept = size < HISTORY_PAGE ? s->scratch : bytes;
	struct blob *b = queue_room(&s->queue) || index_room(s) ? NULL : malloc(sizeof(*b));

	if (!b)
		return NULL;
	*b = (struct blob){ .refs = 1, .size = (uint16_t)size, .hash = hash, .data = malloc(size),
		.queued = kept == bytes, .place = (uint32_t)s->queue.end };
	if (!b->data) {
		free(b);
		return NULL;
	}
	memcpy(b->data, kept, size);
	if (b->queued)
		s->queue.page[s->queue.end++] = b;
	index_add(s, b);
	s->bytes += blob_cost(b);
	s->pages++;
	return b;
}

static void blob_drop(struct page_store *s, struct blob *b)
{
	if (!counted(b) || --b->refs)
		return;
	if (b->queued)
		s->queue.page[b->place] = NULL;
	index_remove(s, b);
	s->bytes -= blob_cost(b);
	s->pages--;
	free(b->data);
	free(b);
}

static void blob_compress(struct page_store *s, struct blob *b)
{
	size_t size = compressed(s, b->data);
	uint8_t *data = size < HISTORY_PAGE ? malloc(size) : NULL;

	b->queued = false;
	if (!data)
		return;
	memcpy(data, s->scratch, size);
	free(b->data);
	s->bytes -= blob_cost(b);
	b->data = data;
	b->size = (uint16_t)size;
	s->bytes += blob_cost(b);
}

void page_store_compress(struct page_store *s, uint64_t bytes)
{
	struct queue *q = &s->queue;

	while (s->bytes > bytes && q->first < q->end) {
		struct blob *b = q->page[q->first++];
		if (b)
			blob_compress(s, b);
	}
	if (q->first == q->end)
		q->first = q->end = 0;
}

static void blob_expand(struct page_store *s, const struct blob *b, uint8_t *bytes)
{
	if (b == ZEROS)
		memset(bytes, 0, HISTORY_PAGE);
	else if (b->size == HISTORY_PAGE)
		memcpy(bytes, b->data, HISTORY_PAGE);
	else
		ZSTD_decompressDCtx(s->expand, bytes, HISTORY_PAGE, b->data, b->size);
}

static bool blob_equal(struct page_store *s, const struct blob *b, const uint8_t *bytes, uint64_t hash)
{
	if (!counted(b) || b->hash != hash)
		return false;
	if (b->size == HISTORY_PAGE)
		return !memcmp(b->data, bytes, HISTORY_PAGE);
	blob_expand(s, b, s->compared);
	return !memcmp(s->compared, bytes, HISTORY_PAGE);
}

/* The page with these bytes, wherever it was stored before, with one more reference; NULL: there is none. */
static struct blob *blob_known(struct page_store *s, const uint8_t *bytes, uint64_t hash)
{
	struct blob *b = s->index.buckets ? *bucket_of(&s->index, hash) : NULL;

	while (b && !blob_equal(s, b, bytes, hash))
		b = b->next;
	if (b)
		b->refs++;
	return b;
}

/* --- nodes ------------------------------------------------------------------------------------------------------- */

static struct page_node *node_new(struct page_store *s)
{
	struct page_node *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->refs = 1;
	s->bytes += sizeof(*n) + MALLOC_COST;
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
	s->bytes -= sizeof(*n) + MALLOC_COST;
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
		else if (!level && counted(copy->child[i]))
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
	uint64_t bytes = sizeof(*n) + MALLOC_COST;

	for (unsigned i = 0; i < FAN; i++) {
		const struct page_node *child = level ? n->child[i] : NULL;
		const struct blob *b = level ? NULL : n->child[i];
		if (child && child->refs == 1)
			bytes += own_bytes(child, level - 1);
		else if (counted(b) && b->refs == 1)
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
	struct blob *old = find(t, index), *new = ZEROS;

	if (all_zero(bytes)) {
		if (old == ZEROS)
			return 0;
	} else {
		uint64_t hash = hash_of(bytes);
		if (blob_equal(s, old, bytes, hash))
			return 0;
		new = blob_known(s, bytes, hash);
		if (!new)
			new = blob_new(s, bytes, hash);
		if (!new)
			return -ENOMEM;
	}
	int err = put(s, t, index, new);
	return err ? err : 1;
}

int page_tree_mark(struct page_store *s, struct page_tree *t, uint64_t index)
{
	return find(t, index) == MARK ? 0 : put(s, t, index, MARK);
}

bool page_tree_get(struct page_store *s, const struct page_tree *t, uint64_t index, uint8_t *bytes)
{
	const struct blob *b = find(t, index);

	if (!b || b == MARK)
		return false;
	blob_expand(s, b, bytes);
	return true;
}

uint64_t page_tree_hash(const struct page_tree *t, uint64_t index)
{
	const struct blob *b = find(t, index);

	return counted(b) ? b->hash : 0;
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
