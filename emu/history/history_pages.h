/* emu/history/history_pages.h: many versions of an array of 4 KB pages, kept in little memory.
 *
 *   version 1   root ---+--> node --+--> node ---> page, page, page ...
 *                       |           |
 *   version 2   root ---+--> node --+                         what did not change is shared
 *                       `--> node -----> page
 *
 * A version is a tree of nodes of 16 that are never changed once two versions share them: storing a page copies the few nodes above
 * it. Nodes and pages count who refers to them; the same bytes are kept once, however many versions, trees and places have them. Pages
 * are kept as they are, since that is quick, but for those that hold little, until page_store_compress() and page_store_spill(); a page of
 * zeros costs nothing. A page stored over one with the same bytes leaves the version as it was.
 */
#ifndef EMU_HISTORY_PAGES_H
#define EMU_HISTORY_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HISTORY_PAGE 4096u

struct page_store;
struct page_node;

/* One version. {0} holds nothing. */
struct page_tree {
	struct page_node *root;
	unsigned levels;
};

/* spill: bytes that may go to a file (history_spill.h). NULL: out of memory. */
struct page_store *page_store_new(uint64_t spill);
/* Every tree must have been dropped. */
void page_store_free(struct page_store *s);
/* What all versions together take, with what malloc adds, in memory. */
uint64_t page_store_bytes(const struct page_store *s);
uint64_t page_store_pages(const struct page_store *s);         /* pages stored, each counted once */

/* Compresses pages, those stored first before the others, until all take no more than bytes or none is left that could be. */
void page_store_compress(struct page_store *s, uint64_t bytes);
/* The same, moving pages that were tried to a file, until that is full or cannot be written. */
void page_store_spill(struct page_store *s, uint64_t bytes);
uint64_t page_store_spilled(const struct page_store *s);       /* bytes in the file */
int page_store_spill_error(const struct page_store *s);        /* negative errno: why it could not grow; 0: it could, up to its bound */

void page_tree_init(struct page_tree *t, uint64_t pages);
/* One more reference to the same version: drop both. */
struct page_tree page_tree_share(const struct page_tree *t);
void page_tree_drop(struct page_store *s, struct page_tree *t);

/* What dropping the version would give back. shared: another version, of the caller's, that is this one or goes with it; may be NULL. */
uint64_t page_tree_own_bytes(const struct page_tree *t, const struct page_tree *shared);

enum page_kind { PAGE_ABSENT, PAGE_MARKED, PAGE_STORED };
enum page_kind page_tree_kind(const struct page_tree *t, uint64_t index);
/* 1: stored; 0: the same bytes were there; -ENOMEM: nothing has changed. */
int page_tree_set(struct page_store *s, struct page_tree *t, uint64_t index, const uint8_t *bytes);
/* A mark instead of bytes, for pages whose bytes are elsewhere. 0 or -ENOMEM. */
int page_tree_mark(struct page_store *s, struct page_tree *t, uint64_t index);
/* 1; 0, and bytes as they were, when the page is absent or only marked; -EIO: it was in the file, which has lost it. */
int page_tree_get(struct page_store *s, const struct page_tree *t, uint64_t index, uint8_t *bytes);
/* Of the bytes; 0 for zeros and for an absent page. */
uint64_t page_tree_hash(const struct page_tree *t, uint64_t index);
/* The hash that a page with these bytes has: 0 only for zeros. */
uint64_t page_hash(const uint8_t *bytes);
/* Calls fn for each page that is not the same in both, in order of index, until it returns something else than 0, which is then
 * returned. fn must not change either tree. */
int page_tree_diff(const struct page_tree *a, const struct page_tree *b, int (*fn)(void *ctx, uint64_t index), void *ctx);

#endif
