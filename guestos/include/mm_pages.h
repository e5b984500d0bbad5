/* guestos/include/mm_pages.h: part of mm.h: where pages come from and where they go. The page cache, prefetching, eviction and its policies,
 * swap, and the way back from a frame to all who map it. */
#ifndef MM_PAGES_H
#define MM_PAGES_H

#include "mm_space.h"

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

#endif
