/* guestos/include/mm_space.h: part of mm.h: what addresses mean, and how meaning becomes mapping. Address spaces, their regions, all that
 * changes them, and the faults that fill them. */
#ifndef MM_SPACE_H
#define MM_SPACE_H

#include "mm_frame.h"

/* region.c */
enum region_kind { REGION_FILE, REGION_ANON, REGION_HEAP, REGION_STACK };
struct inode;
struct memory_object;
struct ahead {                         /* prefetch.c: how far a reader has come, in pages */
	uint32_t last;                 /* the page it used last */
	uint32_t end;                  /* read ahead up to here */
	uint32_t window;               /* how many at a time */
};
enum locked {                          /* mlock.c: pages that come are pinned, unless NOT_LOCKED */
	NOT_LOCKED,
	LOCKED_ALL,                    /* and all come now */
	LOCKED_ON_FAULT,               /* and come when they are used */
};
struct region {
	struct region *next;           /* by address */
	uint32_t start, end;           /* page aligned, [start, end) */
	enum region_kind kind;
	uint8_t prot;                  /* PROT_READ, PROT_WRITE, PROT_EXEC; without page-level execute rights, WRITE or EXEC imply READ */
	uint8_t advice;                /* MADV_NORMAL, MADV_RANDOM or MADV_SEQUENTIAL */
	bool shared;                   /* writes go to the file, or to all who share the memory; else they are private */
	bool may_write;                /* PROT_WRITE may be asked for: not a shared mapping of a file opened read-only */
	uint8_t locked;                /* enum locked */
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
	uint8_t lock_future;           /* enum locked: mlockall(MCL_FUTURE), how new regions begin */
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

/* mremap.c, advice.c: all may sleep */
int space_remap(struct space *s, uint32_t from, uint32_t length, uint32_t new_length, bool may_move, uint32_t to);
int space_advise(struct space *s, uint32_t start, uint32_t end, uint32_t advice);
int space_sync(struct space *s, uint32_t start, uint32_t end, uint32_t flags);
int space_in_core(struct space *s, uint32_t start, uint32_t pages, uaddr_t to);

/* mlock.c */
int space_lock_range(struct space *s, uint32_t start, uint32_t end, enum locked how);  /* may sleep */
int space_lock_all(struct space *s, enum locked how);                  /* may sleep */
void lock_entry(struct region *r, pte_t *pte);                         /* a page has come: pin it if its region is locked */

/* fault.c */
enum fault_result { FAULT_DONE, FAULT_BAD, FAULT_OVERFLOW, FAULT_NOMEM, FAULT_IO, FAULT_BEYOND, FAULT_NOSPACE };
enum fault_result fault_in(struct space *s, uint32_t la, bool write, uint32_t user_esp);      /* may sleep */
void page_fault(struct trapframe *tf);                 /* may sleep */
void fault_got_on(const struct trapframe *tf);           /* the process enters the kernel for something else */

/* cow.c */
enum fault_result cow_write(struct space *s, struct region *r, uint32_t la, pte_t *pte);      /* may sleep */
int space_copy(struct space *to, struct space *from);                                         /* may sleep */

/* usercopy.c: all may sleep; 0 or -EFAULT. */
bool in_user_half(uaddr_t start, uint32_t n);           /* does not sleep; says nothing about what is mapped */
int copy_from_user(void *to, uaddr_t from, uint32_t n);
int copy_to_user(uaddr_t to, const void *from, uint32_t n);
int clear_user(uaddr_t to, uint32_t n);
int copy_string_from_user(char *to, uaddr_t from, uint32_t room);      /* length, -EFAULT or -ENAMETOOLONG */

#endif
