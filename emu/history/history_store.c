/* emu/history/history_store.c: see history_store.h. */
#include "emu/history/history_store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "emu/hash.h"

#define COMPRESSION 1

/* Pages by their hash, so that the same bytes are kept once wherever they lie: in memory, in a page cache, in swap space. */
struct index {
	struct blob **bucket;
	size_t buckets;                /* a power of two */
};

/* Pages of one stage, the oldest first; NULL where one has gone. */
struct queue {
	struct blob **page;
	size_t first, end, capacity;
};

struct page_store {
	uint64_t bytes, pages;
	struct queue queue[BLOB_SPILLED];
	struct index index;
	struct spill spill;
	ZSTD_CCtx *compress;
	ZSTD_DCtx *expand;
	uint8_t scratch[ZSTD_COMPRESSBOUND(HISTORY_PAGE)];
	uint8_t compared[HISTORY_PAGE];
};

const struct blob history_zeros, history_mark;

struct page_store *page_store_new(uint64_t spill)
{
	struct page_store *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	spill_init(&s->spill, spill);
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
	spill_close(&s->spill);
	for (unsigned i = 0; i < BLOB_SPILLED; i++)
		free(s->queue[i].page);
	free(s->index.bucket);
	free(s);
}

uint64_t page_store_bytes(const struct page_store *s) { return s->bytes; }
uint64_t page_store_pages(const struct page_store *s) { return s->pages; }
uint64_t page_store_spilled(const struct page_store *s) { return s->spill.used; }
int page_store_spill_error(const struct page_store *s) { return s->spill.error; }
void page_store_count(struct page_store *s, int64_t bytes) { s->bytes += (uint64_t)bytes; }

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

uint64_t blob_cost(const struct blob *b)
{
	return sizeof(*b) + b->size + 2 * MALLOC_COST + 2 * sizeof(struct blob *);       /* with its part of index and queue */
}

static uint64_t in_memory(const struct blob *b)
{
	return blob_cost(b) - (b->data ? 0 : b->size);
}

/* --- queues ------------------------------------------------------------------------------------------------------ */

/* Takes what has gone out of the queue. */
static void queue_squeeze(struct queue *q)
{
	size_t kept = 0;

	for (size_t i = q->first; i < q->end; i++) {
		if (!q->page[i])
			continue;
		q->page[kept] = q->page[i];
		q->page[kept]->place = (uint32_t)kept;
		kept++;
	}
	q->first = 0;
	q->end = kept;
}

static int queue_room(struct queue *q)
{
	if (q->end < q->capacity)
		return 0;
	queue_squeeze(q);
	if (q->end < q->capacity / 2)
		return 0;
	size_t capacity = q->capacity ? 2 * q->capacity : 1024;
	struct blob **grown = realloc(q->page, capacity * sizeof(struct blob *));
	if (!grown)
		return -ENOMEM;
	q->page = grown;
	q->capacity = capacity;
	return 0;
}

/* There is room. */
static void queue_add(struct page_store *s, struct blob *b, enum blob_stage stage)
{
	struct queue *q = &s->queue[stage];

	b->stage = stage;
	b->place = (uint32_t)q->end;
	q->page[q->end++] = b;
}

/* The oldest that is there; it stays. NULL: none. */
static struct blob *queue_oldest(struct queue *q)
{
	while (q->first < q->end && !q->page[q->first])
		q->first++;
	if (q->first < q->end)
		return q->page[q->first];
	q->first = q->end = 0;
	return NULL;
}

static void queue_remove(struct page_store *s, const struct blob *b)
{
	s->queue[b->stage].page[b->place] = NULL;
}

/* --- the index --------------------------------------------------------------------------------------------------- */

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

/* --- a page ------------------------------------------------------------------------------------------------------ */

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
	enum blob_stage stage = size < HISTORY_PAGE ? BLOB_SETTLED : BLOB_FRESH;
	struct blob *b = queue_room(&s->queue[stage]) || index_room(s) ? NULL : malloc(sizeof(*b));

	if (!b)
		return NULL;
	*b = (struct blob){ .refs = 1, .size = (uint16_t)size, .hash = hash, .data = malloc(size) };
	if (!b->data) {
		free(b);
		return NULL;
	}
	memcpy(b->data, stage == BLOB_FRESH ? bytes : s->scratch, size);
	queue_add(s, b, stage);
	index_add(s, b);
	s->bytes += in_memory(b);
	s->pages++;
	return b;
}

void blob_drop(struct page_store *s, struct blob *b)
{
	if (!blob_counted(b) || --b->refs)
		return;
	if (b->stage == BLOB_SPILLED)
		spill_drop(&s->spill, b->place, b->size);
	else
		queue_remove(s, b);
	index_remove(s, b);
	s->bytes -= in_memory(b);
	s->pages--;
	free(b->data);
	free(b);
}

/* As it was put in, compressed or not. */
static const uint8_t *blob_stored(struct page_store *s, const struct blob *b)
{
	if (b->data)
		return b->data;
	return spill_get(&s->spill, b->place, s->scratch, b->size) ? NULL : s->scratch;
}

int blob_read(struct page_store *s, const struct blob *b, uint8_t *bytes)
{
	if (b == ZEROS) {
		memset(bytes, 0, HISTORY_PAGE);
		return 0;
	}
	const uint8_t *stored = blob_stored(s, b);
	if (!stored)
		return -EIO;
	if (b->size == HISTORY_PAGE)
		memcpy(bytes, stored, HISTORY_PAGE);
	else if (ZSTD_decompressDCtx(s->expand, bytes, HISTORY_PAGE, stored, b->size) != HISTORY_PAGE)
		return -EIO;
	return b->data || page_hash(bytes) == b->hash ? 0 : -EIO;
}

bool blob_equal(struct page_store *s, const struct blob *b, const uint8_t *bytes, uint64_t hash)
{
	if (!b || b == MARK || b->hash != hash)
		return false;
	return b == ZEROS || (!blob_read(s, b, s->compared) && !memcmp(s->compared, bytes, HISTORY_PAGE));
}

struct blob *blob_of(struct page_store *s, const uint8_t *bytes, uint64_t hash)
{
	if (!hash)
		return ZEROS;
	struct blob *b = s->index.buckets ? *bucket_of(&s->index, hash) : NULL;
	while (b && !blob_equal(s, b, bytes, hash))
		b = b->next;
	if (!b)
		return blob_new(s, bytes, hash);
	b->refs++;
	return b;
}

/* --- making room ------------------------------------------------------------------------------------------------- */

/* From fresh to settled; smaller, if it gets smaller and there is memory for that. */
static void blob_settle(struct page_store *s, struct blob *b)
{
	size_t size = compressed(s, b->data);
	uint8_t *data = size < HISTORY_PAGE ? malloc(size) : NULL;

	queue_remove(s, b);
	queue_add(s, b, BLOB_SETTLED);
	if (!data)
		return;
	memcpy(data, s->scratch, size);
	free(b->data);
	s->bytes -= b->size - size;
	b->data = data;
	b->size = (uint16_t)size;
}

void page_store_compress(struct page_store *s, uint64_t bytes)
{
	struct blob *b;

	while (s->bytes > bytes && (b = queue_oldest(&s->queue[BLOB_FRESH])) && !queue_room(&s->queue[BLOB_SETTLED]))
		blob_settle(s, b);
}

void page_store_spill(struct page_store *s, uint64_t bytes)
{
	struct blob *b;
	uint32_t slot;

	while (s->bytes > bytes && (b = queue_oldest(&s->queue[BLOB_SETTLED])) && !spill_put(&s->spill, b->data, b->size, &slot)) {
		queue_remove(s, b);
		free(b->data);
		b->data = NULL;
		b->stage = BLOB_SPILLED;
		b->place = slot;
		s->bytes -= b->size;
	}
}
