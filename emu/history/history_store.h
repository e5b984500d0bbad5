/* emu/history/history_store.h: the bytes below the trees of history_pages.h: each different page once.
 *
 *   fresh      as it came                         since that is quick
 *   settled    compressed, if it gets smaller     when room is wanted: those that came first, before the others
 *   spilled    in a file                          when that was not enough
 *
 * A page's hash stays in memory: most comparisons end there. What comes out of the file is compared with it.
 */
#ifndef EMU_HISTORY_STORE_H
#define EMU_HISTORY_STORE_H

#include "emu/history/history_pages.h"
#include "emu/history/history_spill.h"

#define MALLOC_COST 16u            /* what an allocation takes beside its bytes, about */

enum blob_stage { BLOB_FRESH, BLOB_SETTLED, BLOB_SPILLED };

struct blob {
	uint32_t refs;
	uint16_t size;                 /* HISTORY_PAGE: not compressed */
	uint8_t stage;                 /* enum blob_stage */
	uint32_t place;                /* in its stage's queue, or slot in the file */
	uint64_t hash;
	uint8_t *data;                 /* NULL: spilled */
	struct blob *next;             /* in its bucket */
};

/* The page of zeros. It stands for many pages; it is not counted, nor ever changed. A mark is another of that kind: it has no bytes. */
extern const struct blob history_zeros, history_mark;
#define ZEROS ((struct blob *)&history_zeros)
#define MARK ((struct blob *)&history_mark)

static inline bool blob_counted(const struct blob *b) { return b && b != ZEROS && b != MARK; }

/* The page with these bytes, whose page_hash() is given, with one reference more; NULL: out of memory. */
struct blob *blob_of(struct page_store *s, const uint8_t *bytes, uint64_t hash);
void blob_drop(struct page_store *s, struct blob *b);
bool blob_equal(struct page_store *s, const struct blob *b, const uint8_t *bytes, uint64_t hash);
/* 0, or -EIO: the file did not give what it was given. */
int blob_read(struct page_store *s, const struct blob *b, uint8_t *bytes);
/* In memory and file. */
uint64_t blob_cost(const struct blob *b);
/* The trees' nodes count as well. */
void page_store_count(struct page_store *s, int64_t bytes);

#endif
