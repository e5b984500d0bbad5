/* guestos/include/mm_frame.h: part of mm.h: what there is. Frames, page tables, and the kernel's own small pieces of memory.
 *
 * A page-table entry of a user page is one of
 *
 *    31           12 11  9   6 5     2 1 0
 *   | frame number  | L .  | D A |   U W 1 |  present; L (bit 10) = pinned by mlock
 *   | swap slot     |                  1 0 |  in swap
 *   | 0                                0 0 |  never touched, or dropped file page: the region says what it is
 *
 * Whether a read-only entry is copy-on-write or truly read-only is decided by the region, never by the entry.
 * In a region that may not even be read (PROT_NONE), present entries have U clear. */
#ifndef MM_FRAME_H
#define MM_FRAME_H

#include "kernel.h"

/* [SDM3A 4.3 "32-Bit Paging"]: the first eight bits, and which are left to software. */
#define PG_P 0x001u
#define PG_W 0x002u
#define PG_U 0x004u
#define PG_A 0x020u
#define PG_D 0x040u
#define PG_PS 0x080u
#define PG_G 0x100u
#define PG_SEEN 0x200u         /* available to software: a use that a policy has seen, and the working-set sample not yet */
#define PG_LOCKED 0x400u       /* available to software: this mapping holds a pin for mlock */
#define PG_SWAPPED 0x002u      /* meaning of bit 1 when P is clear */
typedef uint32_t pte_t;
#define PTE_FRAME(pte) ((pte) & PAGE_MASK)
#define PTE_SLOT(pte) ((pte) >> PAGE_SHIFT)
static inline bool pte_swapped(pte_t pte) { return (pte & (PG_P | PG_SWAPPED)) == PG_SWAPPED; }

/* frame.c */
enum frame_state {
	FRAME_RESERVED,        /* not RAM, or the kernel image */
	FRAME_FREE,
	FRAME_KERNEL,          /* kernel stacks, page directories, pipe buffers, and frames not yet given a use */
	FRAME_HEAP,            /* kmalloc */
	FRAME_TABLE,           /* a page table or directory of a user process */
	FRAME_ANON,            /* private user memory */
	FRAME_CACHE,           /* a copy of a disk block */
	FRAME_ZERO,            /* the one shared zero frame */
	FRAME_STATES
};
#define FRAME_BUSY 1u          /* disk transfer under way: wait with frame_wait() */
#define FRAME_DIRTY 2u         /* CACHE: newer than the disk */
#define FRAME_REFERENCED 4u    /* used by the kernel since the clock hand passed */
#define FRAME_ORPHAN 8u        /* CACHE: its file has lost it; free when the last pin goes */
#define FRAME_STUCK 16u        /* ANON: its slot cannot be written, so it stays: one pin is for that */
#define FRAME_AHEAD 32u        /* ANON, CACHE: read before anybody asked for it, and not used since: see prefetch.c */
#define FRAME_LOGGED 64u       /* CACHE: changed by the running transaction, which has pinned it: must not go home yet */

struct rmap;
struct frame {
	uint8_t state, flags;
	uint16_t pins;                 /* while not 0, never a victim */
	uint32_t refs;                 /* page-table entries that map it */
	struct frame *next;            /* free list, hash chain, or list of heap pages with room */
	union {
		struct rmap *maps;     /* ANON, CACHE: who maps it */
		void *free_objects;    /* HEAP */
	};
	uint32_t object, index;        /* its name in the page cache; HEAP: class and objects in use; KERNEL: see frame_alloc() */
	uint32_t block;                /* CACHE: file-system block it is a copy of, 0 = a hole; of a memory object: swap slot, 0 = none */
	union {                        /* ANON, CACHE: notes of the replacement policy in force, see policy.c */
		struct { struct frame *older, *newer; };
		uint8_t age;
		struct { uint32_t last_use, last_tick; };
	};
};
#define ALLOC_KERNEL 0u
#define ALLOC_USER 1u          /* leaves the last few frames to the kernel */

void *early_alloc(uint32_t bytes);
void frame_init(void);
struct frame *frame_alloc(unsigned how);       /* may sleep; NULL when memory and swap are full */
void frame_set_state(struct frame *f, enum frame_state s);
void frame_free(struct frame *f);
void frame_wait(struct frame *f);              /* sleeps until not busy; look the frame up again afterwards */
void frame_wake(struct frame *f);              /* clears busy */
void frame_pin(struct frame *f);               /* by this process, which unpins it itself */
void frame_unpin(struct frame *f);
void frame_lock(struct frame *f);              /* a pin that belongs to an entry with PG_LOCKED, or to FRAME_STUCK */
void frame_unlock(struct frame *f);
struct frame *free_frames(void);               /* linked by next */
struct frame *frame_of(paddr_t pa);
paddr_t frame_pa(const struct frame *f);
static inline bool frame_holds_page(const struct frame *f) { return f->state == FRAME_ANON || f->state == FRAME_CACHE; }
static inline void *frame_va(const struct frame *f) { return phys_to_virt(frame_pa(f)); }
extern struct frame *frames;
extern uint32_t nr_frames, nr_free, nr_usable, nr_pinned, nr_in_state[FRAME_STATES];
extern struct frame *zero_frame;
const char *frame_state_name(unsigned state);

/* pagetable.c */
struct space;
#define DIRECT_MAP_MAX (768u << 20)    /* leaves room above for what later needs its own addresses */
#define TABLE_SPAN (1u << 22)          /* addresses that one page table maps [SDM3A 4.3 "32-Bit Paging"] */
static inline uint32_t table_start(uint32_t la) { return la & ~(TABLE_SPAN - 1); }
/* A loop over pages that finds no table goes on behind this page. */
static inline uint32_t table_last_page(uint32_t la) { return la | (TABLE_SPAN - PAGE_SIZE); }
extern pte_t boot_pgdir[];
void paging_init(void);
uint32_t cpu_features(void);
pte_t *pte_find(struct space *s, uint32_t la);         /* NULL if there is no table */
pte_t *pte_make(struct space *s, uint32_t la);         /* may sleep; NULL when out of memory */
void pte_set(struct space *s, uint32_t la, pte_t *pte, pte_t value);
void pte_zap(struct space *s, uint32_t la, pte_t *pte);
void table_free(struct space *s, uint32_t la);         /* the table for the 4 MB around la, which must be empty */
void tables_free(struct space *s);
uint32_t memory_top(void);                             /* kernel/main.c: end of RAM, below the direct map's limit; and each piece of it */
void memory_each(void (*fn)(uint32_t start, uint32_t end));

/* heap.c */
void *kmalloc(size_t n);                       /* may sleep; NULL when out of memory */
void *kzalloc(size_t n);
char *kstrdup(const char *s);
void kfree(void *p);
bool heap_page_sound(const struct frame *f);

#endif
