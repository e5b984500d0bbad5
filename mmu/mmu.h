/* mmu/mmu.h: from linear to physical addresses, as the processor does it.
 *
 *   linear address -> TLB -> (miss) page walk -> physical address -> RAM, ROM or device
 *
 *    31          22 21          12 11            0
 *   +--------------+--------------+---------------+
 *   | dir index    | table index  | page offset   |   two-level paging, 4 KB pages
 *   +--------------+--------------+---------------+
 *        |               |               +--------------------------+
 *        |               +----------------------+                   |
 *   CR3 -+-> directory --[4 * dir]--> table ----[4 * table]--> frame + offset
 *                 `-- PS = 1: the entry maps 4 MB itself, and its bits 16:13 are address bits 35:32 (PSE-36)
 *
 *    31 30 29         21 20          12 11            0
 *   +-----+-------------+--------------+---------------+
 *   | ptr | dir index   | table index  | page offset   |   PAE paging: entries of 64 bits, addresses of 36
 *   +-----+-------------+--------------+---------------+
 *      |          |             |              +--------------------+
 *      |          |             +-----------------+                 |
 *   PDPTE[4] --> directory --[8 * dir]--> table --[8 * table]--> frame + offset
 *   (registers, loaded with CR3)   `-- PS = 1: the entry maps 2 MB itself
 *
 * The walk is one pure function that fills a struct walk; a second step sets Accessed and Dirty. The TLB keeps
 * what a walk found until the guest flushes it, stale or not, as hardware does. Nothing here knows the processor.
 *
 * References: [SDM3A 4.3 "32-Bit Paging"], [SDM3A 4.4 "PAE Paging"], [SDM3A 4.6 "Access Rights"],
 * [SDM3A 4.7 "Page-Fault Exceptions"], [SDM3A 4.8 "Accessed and Dirty Flags"], [SDM3A 4.10 "Caching Translation Information"].
 * Not implemented: memory types (the bits PWT, PCD and PAT make no difference), SMEP, SMAP.
 */
#ifndef MMU_MMU_H
#define MMU_MMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mmu/phys.h"

typedef uint32_t laddr_t;          /* linear: after segmentation, before paging */

/* PDE and PTE bits; [SDM3A 4.3 "32-Bit Paging"], tables "Format of a 32-Bit Page-Directory Entry ...", and the low half of the
 * same in [SDM3A 4.4 "PAE Paging"]. */
#define PG_P      (1u << 0)        /* present */
#define PG_W      (1u << 1)        /* writable */
#define PG_U      (1u << 2)        /* user may access */
#define PG_PWT    (1u << 3)
#define PG_PCD    (1u << 4)
#define PG_A      (1u << 5)        /* accessed */
#define PG_D      (1u << 6)        /* dirty (PTE, or PDE of a 4 MB page) */
#define PG_PS     (1u << 7)        /* PDE: maps a 4 MB page, if CR4.PSE; a 2 MB page in PAE paging */
#define PG_G      (1u << 8)        /* global, if CR4.PGE */
#define PG_FRAME  0xfffff000u
#define PG_OFFSET 0x00000fffu
#define PG_NX     (1ull << 63)     /* PAE: no fetches, if EFER.NXE ("XD" in the manual) */
/* Not a bit of any entry: what a set of rights has when no level says PG_NX. */
#define PG_X      (1u << 31)

#define MAXPHYADDR 36              /* address bits an entry can hold; higher ones are reserved */
#define PDPTES     4

/* #PF error code bits; [SDM3A 4.7 "Page-Fault Exceptions"]. */
#define PF_P (1u << 0)             /* 0: not present, 1: protection violation */
#define PF_W (1u << 1)             /* the access was a write */
#define PF_U (1u << 2)             /* the access was made in user mode */
#define PF_RSVD (1u << 3)          /* a reserved bit was set in an entry */
#define PF_I (1u << 4)             /* the access was a fetch; only in PAE paging with EFER.NXE */

enum access_kind { ACCESS_READ, ACCESS_WRITE, ACCESS_FETCH };

struct access {
	laddr_t la;
	enum access_kind kind;
	bool user;                 /* CPL 3 and not an implicit supervisor access */
};

/* What the control registers say about paging. */
struct paging {
	bool enabled;              /* CR0.PG */
	bool wp;                   /* CR0.WP: the supervisor obeys read-only pages too */
	bool pse, pge, pae;        /* CR4 */
	bool nxe;                  /* EFER.NXE: counts with PAE only */
	uint32_t cr3;
	uint64_t pdpte[PDPTES];    /* with PAE: as they were when CR3 was loaded */
};

enum walk_result {
	WALK_OK,
	WALK_NOT_PRESENT,          /* step[levels-1] has P = 0 */
	WALK_RESERVED,             /* step[levels-1] has a reserved bit set */
	WALK_PROTECTION,           /* every entry is present but the rights do not suffice */
};

struct walk_step {
	const char *name;          /* "PDPTE", "PDE", "PTE" */
	paddr_t addr;              /* physical address of the entry; of a PDPTE, from where it was loaded */
	uint64_t value;            /* as read; of a PDPTE, what its register holds */
	uint64_t set;              /* A and D bits a commit would add */
};

/* Everything one walk saw. The TLB is filled from it, the debugger and the reports print it. */
struct walk {
	struct access access;
	struct paging paging;
	unsigned levels;           /* entries read: step[0 .. levels-1]; 0 when paging is off */
	struct walk_step step[3];
	unsigned page_shift;       /* 12, 21 or 22; valid when the result is WALK_OK or WALK_PROTECTION */
	uint32_t rights;           /* PG_W | PG_U | PG_X that all levels grant */
	bool global;
	enum walk_result result;
	uint32_t pf_code;          /* valid when result != WALK_OK */
	paddr_t pa;                /* valid when result == WALK_OK */
};

struct mmu;

/* Walks the tables for one access; changes nothing in the guest. */
void page_walk(const struct phys *phys, const struct paging *pg, const struct access *a, struct walk *w);
/* Sets Accessed, and Dirty for a write, after a walk that succeeded. */
void page_walk_commit(struct phys *phys, struct walk *w);
/* Reads the four PDPTEs that CR3 locates. False when a present one has a reserved bit set, so that no MOV may load them:
 * [SDM3A 4.4.1 "PDPTE Registers"]. */
bool page_read_pdptes(const struct phys *phys, uint32_t cr3, uint64_t pdpte[PDPTES]);
/* Of a PDE or PTE: its reserved bits, and the table or frame it leads to. large: a PDE that maps a page itself. */
uint64_t page_entry_reserved(const struct paging *pg, bool large);
paddr_t page_entry_target(const struct paging *pg, uint64_t entry, bool large);
/* The walk in words, as lines like "PDE at 0x00101004 = 0x00000000: P=0 not present". Returns the length as snprintf. */
int walk_describe(const struct walk *w, char *buf, size_t size);
/* "read", "write", "fetch"; "ok", "not present", "reserved bit", "protection": the words of traces, JSON and scripts. */
const char *access_kind_name(enum access_kind kind);
const char *walk_result_name(enum walk_result result);

/* --- TLB ------------------------------------------------------------------------------------------------------ */

/* One cached translation of one 4 KB page (a larger page fills one entry for each 4 KB touched). */
struct tlb_entry {
	uint32_t frame;            /* physical page number */
	uint32_t vpn;              /* linear page number */
	uint16_t flags;            /* TLB_* */
	paddr_t leaf;              /* physical address of the PTE or large PDE it came from */
	uint64_t used;             /* modelled geometry: for LRU */
};
#define TLB_VALID  (1u << 0)
#define TLB_W      (1u << 1)       /* PG_W at all levels */
#define TLB_U      (1u << 2)       /* PG_U at all levels */
#define TLB_D      (1u << 3)       /* Dirty is set: a write needs no walk */
#define TLB_G      (1u << 4)
#define TLB_LARGE  (1u << 5)       /* from a page of 4 MB, or of 2 MB in PAE paging */
#define TLB_NX     (1u << 6)       /* PG_NX at some level */

struct tlb_geometry { unsigned entries, ways; };   /* {0, 0}: flat, unlimited */
struct tlb_stats { uint64_t hits, misses, walks, flushes, evictions; };

/* --- the unit ------------------------------------------------------------------------------------------------- */

/* Fast tables, one set for user and one for supervisor mode, by linear page number: fast[user][kind][la >> 12] is
 * (host address of the page) - (its linear address), so that entry + la is the host address; 0 means "ask
 * mmu_translate". There is a write entry only when Dirty is set, writing is allowed, and the page is PHYS_DIRTY already and holds
 * neither code (mmu_mark_code) nor a device. With a modelled geometry the tables stay empty, so that every access is counted. */
struct mmu {
	uintptr_t *fast[2][3];
	struct paging pg;
	struct phys *phys;
	struct walk last_fault;            /* the walk of the last translation that faulted */
	struct tlb_geometry geometry;
	struct tlb_stats stats;
	struct tlb *tlb;                   /* private to mmu/tlb.c */
	/* Called when a fetch translation goes away or changes: [first, first + count) linear pages. May be NULL. */
	void (*fetch_dropped)(void *owner, uint32_t first_vpn, uint32_t count);
	void *owner;
	/* Told of each walk made for a real access, before A and D are stored; for traces, which only look. May be NULL. */
	void (*walked)(void *walked_owner, const struct walk *w);
	/* For debuggers, like walked; all may be NULL. translated is told of accesses that may go on: of one that faults, walked is. */
	void (*translated)(void *walked_owner, const struct access *a, const struct tlb_entry *e, bool hit);
	void (*tlb_changed)(void *walked_owner, const struct tlb_entry *old, const struct tlb_entry *new);
	uint8_t *watched_vpn;              /* how often each linear page is watched; NULL while none ever was */
	unsigned all_watched;
	void *walked_owner;
};

struct translation {
	paddr_t pa;
	uint8_t *host;             /* the byte at pa, valid to the end of its page; NULL when this access must go through
	                            * phys_read/phys_write (device, hole, write to ROM or to a page that holds code) */
};

/* Returns 0 or a negative errno. flat: geometry {0,0}. entries must be a power of two times ways, 1..65536. */
int mmu_init(struct mmu *mmu, struct phys *phys, struct tlb_geometry geometry);
void mmu_free(struct mmu *mmu);
void mmu_reset(struct mmu *mmu);

/* Translates for a real access: looks in the TLB, walks on a miss, sets A and D, fills. On a fault returns false with the
 * error code in last_fault.pf_code; the TLB entry for the page is dropped. What that and the functions below flush is
 * [SDM3A 4.10.4.1 "Operations that Invalidate TLBs and Paging-Structure Caches"]. */
bool mmu_translate(struct mmu *mmu, const struct access *a, struct translation *t);
/* Translates as a debugger: no A/D, no TLB change, no counting, no rights. False when nothing is mapped. */
bool mmu_peek(const struct mmu *mmu, laddr_t la, paddr_t *pa);
/* The entry by which the TLB would answer without a walk, or NULL. Looking changes nothing. */
const struct tlb_entry *mmu_hit(const struct mmu *mmu, const struct access *a);
/* The cached entry for la, or NULL. Looking changes nothing. */
const struct tlb_entry *mmu_tlb_probe(const struct mmu *mmu, laddr_t la);
/* Calls fn for each valid entry, in order of linear page number. */
void mmu_tlb_each(const struct mmu *mmu, void (*fn)(void *ctx, const struct tlb_entry *e), void *ctx);

/* A control register changed: stores the new view, and flushes: all when a mode bit changed, all but global entries when only
 * CR3 or the PDPTEs did, nothing when nothing did. */
void mmu_set_paging(struct mmu *mmu, const struct paging *pg);
/* CR3 was written: flushes all but global entries. pdpte: what was loaded with it, or NULL when PAE paging is off. */
void mmu_write_cr3(struct mmu *mmu, uint32_t cr3, const uint64_t pdpte[PDPTES]);
void mmu_flush_all(struct mmu *mmu);
void mmu_invlpg(struct mmu *mmu, laddr_t la);                    /* also a whole large page, and global entries; no PDPTE */

/* --- for debuggers and snapshots: nothing here is noticed by the guest --- */

/* Drops every fast entry of the linear page / to the physical page / for writes; the TLB stays as it is, and they are made again as
 * accesses come. After mmu_forget_writes() a first write to a page marks it PHYS_DIRTY again. */
void mmu_forget_vpn(struct mmu *mmu, uint32_t vpn);
void mmu_forget_frame(struct mmu *mmu, uint32_t frame);
void mmu_forget_writes(struct mmu *mmu);
/* Watches a linear page, counted: accesses to it get no fast entry and are told to translated(). 0 or a negative errno. */
int mmu_watch_vpn(struct mmu *mmu, uint32_t vpn, bool on);
static inline bool mmu_vpn_watched(const struct mmu *mmu, uint32_t vpn)
{
	return mmu->all_watched || (mmu->watched_vpn && mmu->watched_vpn[vpn]);
}
/* Whether somebody hears of what the unit does beyond the fast tables. */
static inline bool mmu_heard(const struct mmu *mmu)
{
	return mmu->walked || mmu->translated || mmu->tlb_changed || mmu->phys->watched;
}
/* Watches all, counted. */
void mmu_watch_all(struct mmu *mmu, bool on);
/* The TLB as a list, and back: entries in any order, at most one for each page, those that do not fit the geometry are refused
 * with -EINVAL. lru is the modelled geometry's clock. Loading replaces everything, tells nobody but fetch_dropped. */
size_t mmu_tlb_count(const struct mmu *mmu);
void mmu_tlb_save(const struct mmu *mmu, struct tlb_entry *entries, uint64_t *lru);
int mmu_tlb_load(struct mmu *mmu, const struct tlb_entry *entries, size_t count, uint64_t lru);

/* Marks the physical page of pa as holding decoded code: drops every fast write entry to it and sets PHYS_CODE. */
void mmu_mark_code(struct mmu *mmu, paddr_t pa);

#endif
