/* emu/debug/view/tables.h: all mappings of an address space, folded: neighbours with equal rights are one range.
 *
 *   read a space -> one item for each page or large page -> ranges, the finer the more of them fit -> view, JSON
 */
#ifndef EMU_DEBUG_TABLES_H
#define EMU_DEBUG_TABLES_H

#include "emu/debug/mark.h"
#include "mmu/mmu.h"

/* Page tables and the memory they lie in: as they are, or as a mark remembers them. */
struct space {
	struct paging paging;
	const struct phys *phys;
	const struct debugger_mark *mark;      /* not NULL: memory as it was */
};

/* How a range differs from the mark. */
enum range_news { RANGE_SAME, RANGE_NEW, RANGE_GONE, RANGE_CHANGED };

struct table_range {
	uint32_t first, last;          /* linear page numbers */
	uint32_t pages;                /* mapped ones: less than last - first + 1 when holes are folded in */
	bool large;
	bool contiguous;               /* frames follow each other */
	uint64_t frame;                /* of the first page */
	uint64_t every, some;          /* entry bits that all pages have, or at least one; W, U and N as all levels grant them together */
	enum range_news news;
};

/* How far ranges are folded. */
enum folding {
	FOLD_NOTHING,                  /* equal entries with frames that follow each other */
	FOLD_RIGHTS,                   /* equal rights, whatever the frames, Accessed and Dirty */
	FOLD_HOLES,                    /* ... and over pages between that are not mapped, within one entry of the directory */
	FOLD_DIRECTORY,                /* everything in one entry of the directory, and then neighbours alike */
};

struct table_list {
	struct table_range *range;
	size_t count, capacity;
	unsigned tables;               /* page tables in use */
	uint64_t pages;                /* mapped, in units of 4 KB */
	uint64_t held;                 /* entries that are not present and yet not zero */
	bool failed;                   /* out of memory */
};

void space_now(const struct machine *m, struct space *s);
void space_of_mark(const struct debugger_mark *mark, struct space *s);
/* Pages covered by one PDE; entries of 4 or 8 bytes. */
static inline unsigned pages_in_table(const struct paging *pg) { return pg->pae ? 512 : 1024; }
/* The PDE that covers a linear page; false: no directory. *at: where it is. */
bool space_pde(const struct space *s, uint32_t vpn, paddr_t *at, uint64_t *pde);
/* The PTE of a page under a PDE that leads to a table. */
uint64_t space_pte(const struct space *s, uint64_t pde, uint32_t vpn, paddr_t *at);
bool space_is_large(const struct space *s, uint64_t pde);

/* The ranges of [first, last], which lie on boundaries of PDEs; then: what to compare with, or NULL. */
void tables_list(const struct space *s, const struct space *then, uint32_t first, uint32_t last, enum folding folding, struct table_list *list);
void tables_free(struct table_list *list);

#endif
