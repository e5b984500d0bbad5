/* mmu/phys.h: the physical address space: RAM, ROM, devices and holes.
 *
 * RAM is one mapping of a memfd, so that a snapshot can share it. Every physical address a guest can produce, page-table
 * entries included, comes through these bounds-checked accessors. A read of a hole gives all ones; a write to it is lost.
 */
#ifndef MMU_PHYS_H
#define MMU_PHYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t paddr_t;          /* physical: what the bus sees */

enum phys_kind { PHYS_HOLE, PHYS_RAM, PHYS_ROM, PHYS_MMIO };

struct mmio_ops {
	uint32_t (*read)(void *owner, uint32_t offset, unsigned size);    /* size 1, 2 or 4, naturally split by phys */
	void (*write)(void *owner, uint32_t offset, unsigned size, uint32_t value);
};

struct phys_range {
	const char *name;
	paddr_t start;
	uint64_t size;
	enum phys_kind kind;
	uint8_t *host;                     /* RAM and ROM */
	const struct mmio_ops *ops;        /* MMIO */
	void *owner;
};

#define PAGE_SHIFT   12
#define PAGE_SIZE    (1u << PAGE_SHIFT)
#define PHYS_PAGES   (1u << 20)            /* 4 GB of 4 KB pages */
#define PHYS_RANGES  64
#define PHYS_MAX_RAM (3ull << 30)          /* above it lies the PCI hole */

/* Bits of the per-page attribute byte. */
#define PHYS_RANGE_MASK 0x3f               /* index into range[]; 0 is the hole */
#define PHYS_CODE       0x40               /* the page holds decoded instructions */
#define PHYS_DIRTY      0x80               /* written since it was cleared; who clears it calls mmu_forget_writes() too */

/* Who accesses memory. BY_WALK: Accessed and Dirty bits. */
enum phys_by { BY_PROCESSOR, BY_WALK, BY_DMA };
/* A read or write in a page that is watched. Fetches of instructions are not told; nor are reads by DMA and by walks. */
struct phys_access {
	paddr_t pa;
	unsigned len;
	bool write;
	enum phys_by by;
};

struct phys {
	uint8_t *ram;
	uint64_t ram_size;
	int memfd;
	uint32_t a20_mask;                 /* 0xffffffff, or 0xffefffff while the A20 gate is closed */
	uint8_t *attr;                     /* PHYS_PAGES bytes */
	struct phys_range range[PHYS_RANGES];
	unsigned ranges;                   /* used; range[0] is the hole */
	/* Told of every write to a page marked PHYS_CODE, after the bytes are stored. */
	void (*code_written)(void *owner, paddr_t pa, unsigned len);
	void *code_owner;
	/* For debuggers: how often each page is watched (phys_watch); NULL while none ever was. */
	uint8_t *watched;
	void (*accessed)(void *accessed_owner, const struct phys_access *a);       /* after the bytes are stored */
	void *accessed_owner;
};

/* ram_size in bytes, a multiple of 4096, 1 MB .. PHYS_MAX_RAM. RAM is [0, 640 KB) and [1 MB, size), and [768 KB, 1 MB)
 * too (shadow RAM, where firmware would put itself). [640 KB, 768 KB) is left for VGA. Zero-filled. 0 or negative errno. */
int phys_init(struct phys *phys, uint64_t ram_size);
void phys_free(struct phys *phys);
/* Adds a range on page boundaries. -EEXIST when it overlaps another device or ROM range (*clash then names it); RAM gives
 * way to ROM and MMIO. -ENOSPC when the table is full. rom is copied. */
int phys_add_mmio(struct phys *phys, const char *name, paddr_t start, uint64_t size, const struct mmio_ops *ops, void *owner, const char **clash);
int phys_add_rom(struct phys *phys, const char *name, paddr_t start, const uint8_t *rom, uint64_t size, const char **clash);

/* The host address of [pa, pa+len) if all of it is RAM (or ROM when !write); else NULL. Marks pages dirty when write. */
uint8_t *phys_host(struct phys *phys, paddr_t pa, size_t len, bool write);
/* size 1, 2 or 4; may be misaligned and cross ranges. */
uint32_t phys_read(struct phys *phys, paddr_t pa, unsigned size);
void phys_write(struct phys *phys, paddr_t pa, unsigned size, uint32_t value);
/* For page tables: RAM or ROM only, else all ones; no device is ever touched. */
uint32_t phys_peek32(const struct phys *phys, paddr_t pa);
uint64_t phys_peek64(const struct phys *phys, paddr_t pa);
/* Watches a page of memory, counted up to 255. Its host address is not given to the processor while it is watched, so that every access comes
 * through phys_read and phys_write: who changes this calls mmu_forget_frame(). 0 or a negative errno. */
int phys_watch(struct phys *phys, uint32_t frame, bool on);
static inline bool phys_watched(const struct phys *phys, paddr_t pa)
{
	return phys->watched && pa >> PAGE_SHIFT < PHYS_PAGES && phys->watched[pa >> PAGE_SHIFT];
}
/* Copies for DMA, loaders and debuggers. Reads of devices and holes give 0xff; writes there are lost. */
void phys_copy_out(const struct phys *phys, paddr_t pa, void *buf, size_t len);
void phys_copy_in(struct phys *phys, paddr_t pa, const void *buf, size_t len);
enum phys_kind phys_kind_of(const struct phys *phys, paddr_t pa, const char **name);

#endif
