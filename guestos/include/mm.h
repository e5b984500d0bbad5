/* guestos/include/mm.h: memory management, in the order in which guestos/mm is best read.
 *
 *   frame.c      every 4 KB of RAM has a struct frame that says who uses it
 *   pagetable.c  two-level tables, page-table entries, the kernel's direct map
 *   heap.c       kmalloc: small kernel objects carved from frames
 *   region.c     what a process's addresses *mean*: file, zeroes, heap, stack
 *   mmap.c       regions change: map, unmap, protect
 *   mremap.c     regions move
 *   advice.c     madvise, msync, mincore
 *   mlock.c      pages that stay
 *   fault.c      a page fault turns meaning into mapping
 *   cow.c        fork shares frames; the first write separates them
 *   rmap.c       from a frame back to all page-table entries that map it
 *   pagecache.c  frames found by name: (file, page) or (swap, slot)
 *   object.c     shared memory without a file
 *   prefetch.c   pages that come before they are asked for
 *   evict.c      no free frame: choose a victim, unmap it everywhere, write it if needed
 *   policy.c     which victim: fifo, clock, second chance, aging, random, working-set clock
 *   workingset.c how many pages each process needs just now
 *   loadcontrol.c  suspends processes when that is more than there is
 *   swap.c       slots of the swap partition, reference-counted
 *   usercopy.c   the only code that touches user addresses
 *   check.c      is all that is held counted, and all that is counted held? (/proc/check, option check=N)
 *   check_rules.c  the other rules of all these books
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
#ifndef MM_H
#define MM_H

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
#define FRAME_LOGGED 128u      /* CACHE: changed by the running transaction, which has pinned it: must not go home yet */

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

/* heap.c */
void *kmalloc(size_t n);                       /* may sleep; NULL when out of memory */
void *kzalloc(size_t n);
char *kstrdup(const char *s);
void kfree(void *p);
bool heap_page_sound(const struct frame *f);

/* region.c */
enum region_kind { REGION_FILE, REGION_ANON, REGION_HEAP, REGION_STACK };
struct inode;
struct memory_object;
struct ahead {                         /* prefetch.c: how far a reader has come, in pages */
	uint32_t last;                 /* the page it used last */
	uint32_t end;                  /* read ahead up to here */
	uint32_t window;               /* how many at a time */
};
struct region {
	struct region *next;           /* by address */
	uint32_t start, end;           /* page aligned, [start, end) */
	enum region_kind kind;
	uint8_t prot;                  /* PROT_READ, PROT_WRITE, PROT_EXEC; without page-level execute rights, WRITE or EXEC imply READ */
	uint8_t advice;                /* MADV_NORMAL, MADV_RANDOM or MADV_SEQUENTIAL */
	bool shared;                   /* writes go to the file, or to all who share the memory; else they are private */
	bool may_write;                /* PROT_WRITE may be asked for: not a shared mapping of a file opened read-only */
	bool locked;                   /* mlock: pages that come are pinned */
	struct inode *inode;           /* FILE: where pages come from */
	struct memory_object *object;  /* ANON, shared: the same */
	uint32_t file_page;            /* page of the file or object that start shows */
	uint32_t file_bytes;           /* bytes from start that come from the file; zeroes follow (data segments) */
	struct ahead ahead;            /* its faults; pages counted as in file_page */
};
static inline bool region_writable(const struct region *r) { return r->prot & PROT_WRITE; }
static inline uint32_t region_pages(const struct region *r) { return (r->end - r->start) >> PAGE_SHIFT; }
static inline uint32_t region_page_at(const struct region *r, uint32_t la) { return r->file_page + ((la - r->start) >> PAGE_SHIFT); }
static inline bool region_from_file(const struct region *r, uint32_t la) { return r->inode && la - r->start < r->file_bytes; }
struct space {                         /* an address space */
	struct space *next;            /* all spaces, also those being made or taken down */
	pte_t *dir;
	struct region *regions;
	uint32_t brk_start, brk;
	uint32_t refs;
	uint32_t rss, swapped, tables; /* pages present, pages in swap, page-table pages */
	char *exe;                     /* path of the program */
	bool lock_future;              /* mlockall(MCL_FUTURE): new regions are locked */
	char *cmdline;                 /* the beginning of argv as exec was given it, its strings end with 0 */
	uint32_t cmdline_bytes;
	uint64_t *ldt;                 /* its own segments: a frame, or NULL (kernel/ldt.c) */
	uint32_t ldt_entries;          /* up to the last one ever written */
	uint32_t hand;                 /* policy.c: where to look next for a victim of its own */
	uint32_t vtime;                /* its own time, see workingset.c */
	uint32_t window_start, used_and_lost, working_set;     /* workingset.c; the last is an estimate, in pages */
};
#define USER_START 0x00001000u
#define STACK_TOP 0xC0000000u
#define STACK_LIMIT (8u << 20)
#define STACK_LOWEST (STACK_TOP - STACK_LIMIT)
extern struct space *all_spaces;
#define STACK_GUARD PAGE_SIZE          /* never mapped by itself: between the stack and what lies below it */
#define MAP_TOP (STACK_LOWEST - STACK_GUARD)   /* mappings are placed below */
#define MAX_REGIONS 4096u              /* of one space. Simplified: Linux allows 65530 */
struct space *space_new(void);                 /* may sleep */
void space_put(struct space *s);               /* may sleep (last reference to an unlinked file) */
uint32_t space_burden(const struct space *s);  /* pages of memory and swap that would be free without it, roughly */
void space_activate(struct space *s);          /* NULL: the kernel's own directory */
struct region *region_add(struct space *s, const struct region *like);         /* may sleep */
struct region *region_find(struct space *s, uint32_t la);
struct region *region_after(struct space *s, uint32_t la);     /* the first that ends above la, or NULL */
void regions_forget(uint32_t ino, uint32_t first_page);        /* the file has lost these pages: copies of them go too */
void region_zap(struct space *s, uint32_t start, uint32_t end);
bool regions_cover(struct space *s, uint32_t start, uint32_t end);
int regions_carve(struct space *s, uint32_t start, uint32_t end);      /* may sleep; afterwards no region crosses start or end */
void regions_merge(struct space *s, uint32_t start, uint32_t end);     /* may sleep */
void region_remove(struct space *s, struct region *r);                 /* may sleep */
void region_close(struct region *r);                                   /* may sleep */

/* mmap.c: all may sleep; addresses are page aligned and in the user half. */
uint32_t space_find_gap(struct space *s, uint32_t hint, uint32_t length);      /* 0 if there is none; does not sleep */
int space_map(struct space *s, const struct region *like);             /* replaces what is there */
int space_unmap(struct space *s, uint32_t start, uint32_t end);
int space_protect(struct space *s, uint32_t start, uint32_t end, uint8_t prot);
void space_populate(struct space *s, uint32_t start, uint32_t end);
void space_free_tables(struct space *s, uint32_t start, uint32_t end); /* does not sleep */
int space_set_brk(struct space *s, uint32_t brk);
bool space_affordable(uint32_t pages);                                 /* this and the next do not sleep */
bool space_may_grow(struct space *s, uint32_t pages);

/* kernel/ldt.c */
void ldt_activate(const struct space *s);
void ldt_free(struct space *s);
int ldt_copy(struct space *to, const struct space *from);              /* may sleep */

/* mremap.c, advice.c: all may sleep, but space_in_core() */
int space_remap(struct space *s, uint32_t from, uint32_t length, uint32_t new_length, bool may_move, uint32_t to);
int space_advise(struct space *s, uint32_t start, uint32_t end, uint32_t advice);
int space_sync(struct space *s, uint32_t start, uint32_t end, uint32_t flags);
bool space_in_core(struct space *s, uint32_t la);

/* mlock.c */
int space_lock_range(struct space *s, uint32_t start, uint32_t end, bool lock);        /* may sleep */
int space_lock_all(struct space *s, bool lock);                        /* may sleep */
void lock_entry(struct region *r, pte_t *pte);                         /* a page has come: pin it if its region is locked */

/* pagetable.c */
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

/* fault.c */
enum fault_result { FAULT_DONE, FAULT_BAD, FAULT_OVERFLOW, FAULT_NOMEM, FAULT_IO, FAULT_BEYOND, FAULT_NOSPACE };
enum fault_result fault_in(struct space *s, uint32_t la, bool write, uint32_t user_esp);      /* may sleep */
void page_fault(struct trapframe *tf);                 /* may sleep */

/* cow.c */
enum fault_result cow_write(struct space *s, struct region *r, uint32_t la, pte_t *pte);      /* may sleep */
int space_copy(struct space *to, struct space *from);                                         /* may sleep */

/* rmap.c */
struct rmap {
	struct rmap *next;
	struct space *space;
	uint32_t la;
};
void rmap_add(struct frame *f, struct rmap *m, struct space *s, uint32_t la);
void rmap_remove(struct frame *f, struct space *s, uint32_t la);
bool rmap_test_clear_accessed(struct frame *f);
void rmap_write_protect(struct frame *f);
void rmap_move(struct frame *f, struct space *s, uint32_t from, uint32_t to);
bool rmap_any(const struct frame *f, pte_t bit);       /* has any entry that maps it this bit? */
void rmap_unmap_all(struct frame *f, pte_t replacement);

/* pagecache.c */
#define OBJECT_DEVICE 0u               /* file-system metadata, index = block */
#define OBJECT_SWAP 0xffffffffu        /* index = slot */
#define OBJECT_MEMORY 0x80000000u      /* this bit: a memory object (object.c), or OBJECT_SWAP; without: an inode */
static inline bool object_is_memory(uint32_t object) { return object & OBJECT_MEMORY && object != OBJECT_SWAP; }
void cache_init(void);
bool cache_has(uint32_t object, uint32_t index);               /* does not sleep */
struct frame *cache_peek(uint32_t object, uint32_t index);     /* does not sleep, and is no use of it: not pinned, perhaps busy; or NULL */
struct frame *cache_find(uint32_t object, uint32_t index);     /* pinned; may sleep */
int cache_get(uint32_t object, uint32_t index, uint32_t block, struct frame **out);   /* pinned; may sleep */
int cache_get_zeroed(uint32_t object, uint32_t index, uint32_t block, struct frame **out);
void cache_name(struct frame *f, uint32_t object, uint32_t index);
void cache_forget_name(struct frame *f);
void cache_remove(uint32_t object, uint32_t index);
void cache_remove_from(uint32_t object, uint32_t first_index);
int cache_write(struct frame *f);                      /* may sleep; caller has set FRAME_BUSY */
int cache_sync_range(uint32_t object, uint32_t first, uint32_t n);     /* may sleep: writes these pages if they are dirty */
uint32_t cache_bucket_of(uint32_t object, uint32_t index);
uint32_t cache_buckets(void);
struct frame *cache_chain(uint32_t bucket);            /* linked by next */
int cache_sync(bool metadata);                         /* may sleep: writes all dirty data of files, and metadata if asked, but nothing logged */

/* object.c */
struct memory_object {
	struct memory_object *next;
	uint32_t id, refs, pages;
	uint32_t **slots;              /* tables of swap slots, made when needed */
	uint32_t swapped;              /* slots in them */
};
struct memory_object *object_new(uint32_t pages);              /* may sleep */
void object_get(struct memory_object *o);
void object_put(struct memory_object *o);                      /* may sleep */
int object_page(struct memory_object *o, uint32_t index, struct frame **out);  /* pinned; may sleep */
uint32_t object_slot(uint32_t id, uint32_t index);                             /* 0: none */
uint32_t object_give_slot(uint32_t id, uint32_t index);                        /* 0 if swap is full */
bool object_in_swap(const struct memory_object *o, uint32_t index);    /* has the page a slot? Does not sleep */
bool object_exists(uint32_t id);
void objects_each(void (*table)(struct frame *f, int by), void (*slot)(uint32_t slot, int by), int by);

/* evict.c */
struct choice {
	struct space *space;                           /* whose pages; NULL: anybody's */
	bool may_swap;                                 /* is there room for a page that has no slot? */
	bool unmapped;                                 /* only clean pages of the cache that no process maps */
};
bool evictable(const struct frame *f, const struct choice *c);
bool frame_needs_write(const struct frame *f);
bool evict_one(void);                                  /* may sleep; true if a frame became free or may soon */
void evict_all(struct space *s);                       /* may sleep; the current process gives up what it alone maps */
void rss_make_room(struct space *s, uint32_t la);      /* may sleep */
bool evict_unmapped(void);                             /* a clean page of the cache that nobody maps; does not sleep */
void evict_clean(struct frame *f);                     /* this one, of the cache, clean and not busy; does not sleep */

/* prefetch.c */
struct text;
struct proc;
struct file;
extern uint32_t nr_ahead;                              /* frames with FRAME_AHEAD */
void prefetch_fault(struct space *s, struct region *r, uint32_t la, bool write);       /* may sleep */
void prefetch_read(struct file *file, uint32_t page);  /* may sleep */
void prefetch_range(struct space *s, struct region *r, uint32_t start, uint32_t end);  /* may sleep */
void prefetch_mark(struct frame *f);                   /* it was read ahead; this and the following do not sleep */
void prefetch_used(struct frame *f);                   /* somebody uses it now */
void prefetch_gone(struct frame *f);                   /* it is about to hold its page no longer; its mappings are still there */
void prefetch_slot_put(uint32_t slot);
void prefetch_find_uses(void);                         /* brings the counters up to date */
void prefetch_show(struct text *t, struct proc *p);
int prefetch_switch(const char *word);                 /* "on" or "off"; 0 or -EINVAL */

/* policy.c; nothing here sleeps */
struct evict_policy {                                  /* all but name and choose may be NULL */
	const char *name;
	struct frame *(*choose)(const struct choice *c);       /* a frame evictable() accepts, or NULL */
	void (*start)(void);                           /* it takes over */
	void (*page_in)(struct frame *f);              /* the frame begins to hold a page: is in state ANON or CACHE */
	void (*page_out)(struct frame *f);             /* and ceases to */
	void (*tick)(void);                            /* several times a second */
};
extern const struct evict_policy *evict_policy;
struct text;
struct proc;
int policy_select(const char *word);                   /* 0 or -EINVAL */
void policy_show(struct text *t, struct proc *p);

/* workingset.c, loadcontrol.c */
#define VTIME_TICK 256u                                /* what a tick on the processor adds to a space's vtime; a disk wait adds 1 */
void pager_main(void);
void loadcontrol_tick(void);
void loadcontrol_wait(void);                           /* may sleep */
int loadcontrol_switch(const char *word);              /* "on" or "off"; 0 or -EINVAL */
void loadcontrol_show(struct text *t, struct proc *p);

/* swap.c */
void swap_init(uint32_t first_sector, uint32_t sectors);
uint32_t swap_alloc(void);                             /* slot with one reference, or 0 */
void swap_get(uint32_t slot);
void swap_put(uint32_t slot);
uint32_t swap_refs(uint32_t slot);
uint32_t swap_sector(uint32_t slot);
void swap_count(uint32_t slot, int by);                /* these three are for check.c */
bool swap_marked(uint32_t slot);                       /* in the bitmap */
void swap_each_table(void (*fn)(struct frame *f, int by), int by);
extern uint32_t swap_total, swap_used;

/* usercopy.c: all may sleep; 0 or -EFAULT. */
bool in_user_half(uaddr_t start, uint32_t n);           /* does not sleep; says nothing about what is mapped */
int copy_from_user(void *to, uaddr_t from, uint32_t n);
int copy_to_user(uaddr_t to, const void *from, uint32_t n);
int clear_user(uaddr_t to, uint32_t n);
int copy_string_from_user(char *to, uaddr_t from, uint32_t room);      /* length, -EFAULT or -ENAMETOOLONG */

/* check.c: neither sleeps */
uint32_t memory_check(char *to, uint32_t room, uint32_t *length);      /* violations; a line for each into to, or on the console if NULL */
void memory_check_now_and_then(void);                  /* option check=N: panics if something is wrong */

/* Counters shown by /proc/vmstat, in this order. */
#define VM_COUNTERS(X) \
	X(pgfault) \
	X(pgmajfault) \
	X(zero_fills) \
	X(zero_shares) \
	X(file_fills) \
	X(file_maps) \
	X(object_maps) \
	X(cow_copies) \
	X(cow_reuses) \
	X(shared_writes) \
	X(stack_growths) \
	X(violations) \
	X(bus_errors) \
	X(swap_ins) \
	X(swap_outs) \
	X(evictions) \
	X(clean_drops) \
	X(writebacks) \
	X(oom_kills) \
	X(around_maps) \
	X(ahead_reads) \
	X(ahead_hits) \
	X(ahead_waste) \
	X(behind_drops) \
	X(suspensions) \
	X(resumptions) \
	X(forks) \
	X(execs) \
	X(ctxt)
#define X(name) uint32_t name;
extern struct vm_counters { VM_COUNTERS(X) } vm;
#undef X

#endif
