/* mmu/phys.c: the physical address space.
 *
 *   attr[pa >> 12]:   7       6      5 ........ 0
 *                   +-------+------+-------------+
 *                   | DIRTY | CODE | range index |     range[0] is the hole
 *                   +-------+------+-------------+
 *
 * One byte a page says which range the page is in, so a lookup is one load whatever the number of ranges, and adding a
 * ROM over RAM is only a change of those bytes. Ranges are whole pages; an access that crosses a page is split.
 *
 * The A20 gate is not applied here: it sits between the processor and the bus, so mmu/walk.c applies it and DMA does not
 * see it.
 *
 * Above 4 GB nothing can be mapped: there page tables lead to a hole.
 */
#define _GNU_SOURCE                    /* memfd_create */
#include "mmu/phys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mmu/phys_page.h"

#define KB           1024ull
#define MB           (1024 * KB)
#define LOW_RAM_END  (640 * KB)
#define SHADOW_START (768 * KB)

/* --- the map -------------------------------------------------------------------------------------------------- */

static void map_range(struct phys *phys, const struct phys_range *r)
{
	uint8_t index = (uint8_t)phys->ranges++;
	paddr_t last = (r->start + r->size - 1) >> PAGE_SHIFT;

	phys->range[index] = *r;
	for (paddr_t page = r->start >> PAGE_SHIFT; page <= last; page++)
		phys->attr[page] = (uint8_t)((phys->attr[page] & ~PHYS_RANGE_MASK) | index);
}

static void map_ram(struct phys *phys, const char *name, paddr_t start, paddr_t end)
{
	if (start < end)
		map_range(phys, &(struct phys_range){.name = name, .start = start, .size = end - start,
		                                     .kind = PHYS_RAM, .host = phys->ram + start});
}

static int alloc_ram(struct phys *phys, uint64_t size)
{
	phys->memfd = memfd_create("guest-ram", MFD_CLOEXEC);
	if (phys->memfd < 0)
		return -errno;
	if (ftruncate(phys->memfd, (off_t)size) < 0)
		return -errno;
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, phys->memfd, 0);
	if (p == MAP_FAILED)
		return -errno;
	phys->ram = p;
	phys->ram_size = size;
	return 0;
}

int phys_init(struct phys *phys, uint64_t ram_size)
{
	*phys = (struct phys){.memfd = -1, .a20_mask = 0xffffffffu};
	if (ram_size < MB || ram_size > PHYS_MAX_RAM || ram_size % PAGE_SIZE)
		return -EINVAL;

	int err = alloc_ram(phys, ram_size);
	if (!err && !(phys->attr = calloc(PHYS_PAGES, 1)))
		err = -ENOMEM;
	if (err) {
		phys_free(phys);
		return err;
	}
	phys->range[0] = (struct phys_range){.name = "hole", .size = PHYS_LIMIT, .kind = PHYS_HOLE};
	phys->ranges = 1;
	map_ram(phys, "RAM below 640 KB", 0, LOW_RAM_END);
	map_ram(phys, "shadow RAM", SHADOW_START, MB);
	map_ram(phys, "RAM above 1 MB", MB, ram_size);
	return 0;
}

void phys_free(struct phys *phys)
{
	for (unsigned i = 0; i < phys->ranges; i++)
		if (phys->range[i].kind == PHYS_ROM)
			free(phys->range[i].host);
	if (phys->ram)
		munmap(phys->ram, phys->ram_size);
	if (phys->memfd >= 0)
		close(phys->memfd);
	free(phys->attr);
	free(phys->watched);
	*phys = (struct phys){.memfd = -1};
}

/* Is [start, start + size) a place where a range may go? */
static int check_range(const struct phys *phys, paddr_t start, uint64_t size, const char **clash)
{
	if (clash)
		*clash = NULL;
	if (!size || start % PAGE_SIZE || size % PAGE_SIZE)
		return -EINVAL;
	if (start >= PHYS_LIMIT || size > PHYS_LIMIT - start)
		return -EINVAL;
	for (paddr_t pa = start; pa < start + size; pa += PAGE_SIZE) {
		const struct phys_range *r = phys_range_at(phys, pa);
		if (r->kind == PHYS_MMIO || r->kind == PHYS_ROM) {
			if (clash)
				*clash = r->name;
			return -EEXIST;
		}
	}
	return phys->ranges < PHYS_RANGES ? 0 : -ENOSPC;
}

int phys_add_mmio(struct phys *phys, const char *name, paddr_t start, uint64_t size, const struct mmio_ops *ops,
                  void *owner, const char **clash)
{
	int err = check_range(phys, start, size, clash);

	if (err)
		return err;
	map_range(phys, &(struct phys_range){.name = name, .start = start, .size = size, .kind = PHYS_MMIO,
	                                     .ops = ops, .owner = owner});
	return 0;
}

int phys_add_rom(struct phys *phys, const char *name, paddr_t start, const uint8_t *rom, uint64_t size,
                 const char **clash)
{
	int err = check_range(phys, start, size, clash);

	if (err)
		return err;
	uint8_t *copy = malloc(size);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, rom, size);
	map_range(phys, &(struct phys_range){.name = name, .start = start, .size = size, .kind = PHYS_ROM,
	                                     .host = copy});
	return 0;
}

enum phys_kind phys_kind_of(const struct phys *phys, paddr_t pa, const char **name)
{
	const struct phys_range *r = phys_range_at(phys, pa);

	if (name)
		*name = r->name;
	return r->kind;
}

/* --- host addresses ------------------------------------------------------------------------------------------- */

static void mark_dirty(struct phys *phys, paddr_t pa)
{
	phys->attr[pa >> PAGE_SHIFT] |= PHYS_DIRTY;
}

/* All RAM is one mapping, so neighbouring RAM ranges are neighbours in the host too; two ROMs need not be. */
static bool same_block(const struct phys_range *a, const struct phys_range *b)
{
	return a == b || (a->kind == PHYS_RAM && b->kind == PHYS_RAM);
}

uint8_t *phys_host(struct phys *phys, paddr_t pa, size_t len, bool write)
{
	uint8_t *host = phys_page_host(phys, pa, write);

	if (!host || len > PHYS_LIMIT - pa)
		return NULL;
	if (!len)
		return host;
	paddr_t first = pa >> PAGE_SHIFT, last = (pa + len - 1) >> PAGE_SHIFT;
	for (paddr_t page = first + 1; page <= last; page++)
		if (!same_block(phys_range_at(phys, pa), phys_range_at(phys, page << PAGE_SHIFT)))
			return NULL;
	for (paddr_t page = first; write && page <= last; page++)
		mark_dirty(phys, page << PAGE_SHIFT);
	return host;
}

/* --- watching ------------------------------------------------------------------------------------------------- */

int phys_watch(struct phys *phys, uint32_t frame, bool on)
{
	if (frame >= PHYS_PAGES)
		return -EINVAL;
	if (!phys->watched && !(phys->watched = calloc(PHYS_PAGES, 1)))
		return -ENOMEM;
	uint8_t *count = &phys->watched[frame];
	if (on && *count == UINT8_MAX)
		return -EOVERFLOW;
	if (!on && !*count)
		return -EINVAL;
	*count = (uint8_t)(on ? *count + 1 : *count - 1);
	return 0;
}

static size_t rest_of_page(paddr_t pa, size_t len)
{
	size_t rest = PAGE_SIZE - (pa & (PAGE_SIZE - 1));

	return len < rest ? len : rest;
}

/* Tells of [pa, pa + len), page by page. */
static void tell_accessed(struct phys *phys, paddr_t pa, size_t len, bool write, enum phys_by by)
{
	if (!phys->watched || !phys->accessed)
		return;
	for (size_t n; len; pa += n, len -= n) {
		n = rest_of_page(pa, len);
		if (phys_watched(phys, pa))
			phys->accessed(phys->accessed_owner, &(struct phys_access){.pa = pa, .len = (unsigned)n, .write = write, .by = by});
	}
}

/* --- accesses of the processor and of devices ----------------------------------------------------------------- */

static uint32_t size_mask(unsigned size)
{
	return size == 4 ? 0xffffffffu : (1u << 8 * size) - 1;
}

static bool crosses_page(paddr_t pa, unsigned size)
{
	return (pa & (PAGE_SIZE - 1)) + size > PAGE_SIZE;
}

/* The largest aligned piece at the start of [pa, pa + size). A device never sees a misaligned access. */
static unsigned piece(paddr_t pa, unsigned size)
{
	for (unsigned n = size & 4 ? 4 : 2; n > 1; n /= 2)
		if (n <= size && pa % n == 0)
			return n;
	return 1;
}

/* One aligned piece: it lies in one page, so in one range. */
static uint32_t read_piece(const struct phys *phys, paddr_t pa, unsigned size)
{
	const struct phys_range *r = phys_range_at(phys, pa);
	uint32_t value = 0xffffffffu;

	if (r->kind == PHYS_RAM || r->kind == PHYS_ROM)
		memcpy(&value, r->host + (pa - r->start), size);
	else if (r->kind == PHYS_MMIO && r->ops->read)
		value = r->ops->read(r->owner, (uint32_t)(pa - r->start), size);
	return value & size_mask(size);
}

static uint32_t load(const struct phys *phys, paddr_t pa, unsigned size)
{
	uint32_t value = 0;
	unsigned n;

	const uint8_t *host = phys_page_host(phys, pa, false);
	if (host && !crosses_page(pa, size)) {
		memcpy(&value, host, size);
		return value;
	}
	if (pa >= PHYS_LIMIT)              /* else the sums below could wrap around to RAM */
		return size_mask(size);
	for (unsigned done = 0; done < size; done += n) {
		n = piece(pa + done, size - done);
		value |= read_piece(phys, pa + done, n) << 8 * done;
	}
	return value;
}

uint32_t phys_read(struct phys *phys, paddr_t pa, unsigned size)
{
	uint32_t value = load(phys, pa, size);

	tell_accessed(phys, pa, size, false, BY_PROCESSOR);
	return value;
}

/* Stores bytes that lie in one page of RAM. */
static void store_in_page(struct phys *phys, paddr_t pa, uint8_t *host, const void *bytes, unsigned len)
{
	memcpy(host, bytes, len);
	mark_dirty(phys, pa);
	if (phys_page_has_code(phys, pa) && phys->code_written)
		phys->code_written(phys->code_owner, pa, len);
}

static void write_piece(struct phys *phys, paddr_t pa, unsigned size, uint32_t value)
{
	const struct phys_range *r = phys_range_at(phys, pa);

	if (r->kind == PHYS_RAM)
		store_in_page(phys, pa, r->host + (pa - r->start), &value, size);
	else if (r->kind == PHYS_MMIO && r->ops->write)
		r->ops->write(r->owner, (uint32_t)(pa - r->start), size, value & size_mask(size));
}

static void store(struct phys *phys, paddr_t pa, unsigned size, uint32_t value)
{
	uint8_t *host = phys_page_host(phys, pa, true);
	unsigned n;

	if (host && !crosses_page(pa, size)) {
		store_in_page(phys, pa, host, &value, size);
		return;
	}
	if (pa >= PHYS_LIMIT)
		return;
	for (unsigned done = 0; done < size; done += n) {
		n = piece(pa + done, size - done);
		write_piece(phys, pa + done, n, value >> 8 * done);
	}
}

void phys_store(struct phys *phys, paddr_t pa, unsigned size, uint32_t value, enum phys_by by)
{
	store(phys, pa, size, value);
	tell_accessed(phys, pa, size, true, by);
}

void phys_write(struct phys *phys, paddr_t pa, unsigned size, uint32_t value)
{
	phys_store(phys, pa, size, value, BY_PROCESSOR);
}

uint32_t phys_peek32(const struct phys *phys, paddr_t pa)
{
	const uint8_t *host = phys_page_host(phys, pa, false);
	uint32_t value;

	if (host && !crosses_page(pa, sizeof(value)))
		memcpy(&value, host, sizeof(value));
	else
		phys_copy_out(phys, pa, &value, sizeof(value));
	return value;
}

uint64_t phys_peek64(const struct phys *phys, paddr_t pa)
{
	return phys_peek32(phys, pa) | (uint64_t)phys_peek32(phys, pa + 4) << 32;
}

/* --- copies --------------------------------------------------------------------------------------------------- */

void phys_copy_out(const struct phys *phys, paddr_t pa, void *buf, size_t len)
{
	uint8_t *out = buf;

	for (size_t n; len && pa < PHYS_LIMIT; pa += n, out += n, len -= n) {
		n = rest_of_page(pa, len);
		const uint8_t *host = phys_page_host(phys, pa, false);
		if (host)
			memcpy(out, host, n);
		else
			memset(out, 0xff, n);
	}
	memset(out, 0xff, len);            /* what lies beyond the last address */
}

void phys_copy_in(struct phys *phys, paddr_t pa, const void *buf, size_t len)
{
	const uint8_t *in = buf;

	for (size_t n; len && pa < PHYS_LIMIT; pa += n, in += n, len -= n) {
		n = rest_of_page(pa, len);
		uint8_t *host = phys_page_host(phys, pa, true);
		if (!host)
			continue;
		store_in_page(phys, pa, host, in, (unsigned)n);
		tell_accessed(phys, pa, n, true, BY_DMA);
	}
}
