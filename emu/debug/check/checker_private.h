/* emu/debug/check/checker_private.h: what the parts of the paging checker share.
 *
 *   walked, tlb_changed -> checker_cache.c: which entries of which tables are behind each translation in the TLB; tables in use are watched
 *   a write there       -> checker_stale.c: does the translation still agree? if not, its page is watched, and uses of it are judged
 *   each new translation -> checker_open.c: does it open to users what must not be open?
 *   what they find      -> checker.c: the same again is counted; checker_words.c: in words
 *
 *   chunk[vpn >> 10] -> cached[vpn & 1023] --link[0]--> others of the same PTE      table[frame].head[entry]: the first of each entry
 *                                          --link[1]--> others of the same PDE
 */
#ifndef EMU_DEBUG_CHECKER_PRIVATE_H
#define EMU_DEBUG_CHECKER_PRIVATE_H

#include "emu/debug/check/checker.h"

#define CHUNK_PAGES   1024u
#define LINEAR_PAGES  (1u << 20)
#define CHUNKS        (LINEAR_PAGES / CHUNK_PAGES)
#define TABLE_SLOTS   1024u            /* of four bytes; entries of eight use every other one */
#define REGION_PAGES  512u             /* the smallest range of one PDE */
#define REGIONS       (LINEAR_PAGES / REGION_PAGES)
#define NO_NODE       UINT32_MAX
#define IDLE_ACCESSES 64               /* of a watched table with nothing in the TLB behind it, until it is watched no longer */
#define FINDINGS_MOST 1000

enum { LEAF, DIRECTORY };              /* the entry that maps, and the PDE above it when that is a PTE */

/* A list's links: nodes are 2 * linear page + level. */
struct link { uint32_t next, prev; };

/* A translation in the TLB, and where it came from. */
struct cached {
	paddr_t entry[2];
	uint64_t value[2];             /* as the walk left them */
	struct link link[2];
	uint32_t frame;
	uint16_t flags;                /* TLB_* */
	uint8_t levels;                /* entries known: 0 when nothing is cached */
	bool pending;                  /* disagrees with the tables: its page is watched */
	bool by_cr3;                   /* ... with those that CR3 leads to now, while its own are as they were */
	bool ring0_code;               /* instructions of ring 0 were fetched through it */
	uint8_t culprit;               /* pending: which entry was written */
	uint32_t writer;               /* pending: its EIP */
	struct moment written;         /* pending; icount 0: unknown */
};

struct table {
	uint32_t frame;
	uint32_t uses;                 /* nodes below */
	uint32_t idle;
	uint32_t head[TABLE_SLOTS];
};

/* Global translations in the range of a PDE. */
struct region {
	uint32_t globals;
	bool mixed;                    /* they have come from different PDEs */
	uint64_t pde;                  /* without A and D */
};

/* The last mapping of a frame for users. */
struct user_mapping {
	uint32_t directory;            /* its frame; 0: none */
	uint32_t vpn : 20, writable : 1;
};

enum laziness { LAZY_RAISED, LAZY_ACCESSED, LAZY_ALLOWED, LAZY_GLOBAL, LAZY_ALIAS, LAZY_KINDS };

struct checker {
	struct machine *m;
	struct observer observer;
	enum check_action action;
	void (*tell)(void *owner, const struct finding *f);
	void *owner;
	struct walk walk;              /* the last one made for a real access */
	bool user_seen;                /* until something ran in ring 3, nothing needs to be closed to it */
	bool wants_stop;
	bool failed;                   /* out of memory: something may have been missed */
	struct cached *chunk[CHUNKS];
	struct table **table;          /* by frame */
	uint16_t *user_writable;       /* by frame: how many translations let users write it */
	struct user_mapping *user;     /* by frame */
	uint32_t frames;
	struct region region[REGIONS];
	struct finding *finding;
	size_t findings;
	uint64_t untold;               /* beyond FINDINGS_MOST */
	uint64_t lazy[LAZY_KINDS];
	struct moment last;            /* of the last thing counted */
	bool in_past;                  /* after going back: what runs again until then is not counted again */
};

/* checker_cache.c */
bool cache_init(struct checker *c);
/* Lets go of all, and of what was watched. */
void cache_clear(struct checker *c);
void cache_free(struct checker *c);
/* NULL: nothing is cached for the page, or it is not known from where. */
struct cached *cache_find(const struct checker *c, uint32_t vpn);
/* e has come into the TLB by this walk, or replaced another. NULL: out of memory. */
struct cached *cache_put(struct checker *c, const struct tlb_entry *e, const struct walk *w);
void cache_drop(struct checker *c, uint32_t vpn);
static inline const char *cache_entry_name(const struct cached *r, unsigned level)
{
	return level == LEAF && !(r->flags & TLB_LARGE) ? "PTE" : "PDE";
}
/* The table in a frame, while a translation in the TLB comes from it. */
struct table *cache_table(const struct checker *c, uint64_t frame);
/* Calls fn for each cached translation that has an entry in these bytes of a table, with the entry's level. */
void cache_each_behind(struct checker *c, paddr_t pa, unsigned len, void (*fn)(struct checker *c, uint32_t vpn, unsigned level));
/* Somebody accesses a table with nothing behind it. */
void cache_idle(struct checker *c, uint32_t frame);
/* Marks, or no longer marks, a disagreement. */
void cache_pend(struct checker *c, uint32_t vpn, bool pending);

/* checker_stale.c */
void stale_written(struct checker *c, const struct phys_access *a);
void stale_used(struct checker *c, const struct access *a, const struct tlb_entry *e);
/* CR3 has been written by the instruction at eip. */
void stale_space_changed(struct checker *c, uint32_t eip);
/* A translation found in the TLB, with the walk that its page takes now. */
void stale_found(struct checker *c, const struct tlb_entry *e, const struct walk *w);

/* checker_open.c */
void open_cached(struct checker *c, const struct tlb_entry *e);
/* A frame has begun to be a table. */
void open_table(struct checker *c, uint32_t frame);
/* The first access from ring 3. */
void open_user_seen(struct checker *c);
void open_ring0_code(struct checker *c, uint32_t vpn);

/* checker.c */
struct moment checker_now(const struct checker *c);
/* times, at, eip and cr3 are filled in. */
void checker_report(struct checker *c, const struct finding *f);
void checker_lazy(struct checker *c, enum laziness kind);

#endif
