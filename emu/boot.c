/* emu/boot.c: puts an opened kernel into RAM and the processor into the state it expects. See loader.h for the layout. */
#include "emu/loader.h"

#include <string.h>

#include "emu/linux_boot.h"
#include "emu/multiboot.h"

#define LOW_END    0x9fc00u        /* conventional memory; above it firmware keeps its data */
#define HIGH_START 0x100000u
#define INFO_BYTES 4096u           /* fixed parts, map, command line and names all fit in one page: see info_build */
#define LOADER_NAME "emu"

static uint64_t page_up(uint64_t a) { return (a + 0xfff) & ~0xfffull; }

static bool free_of_segments(const struct kernel *k, uint64_t start, uint64_t end)
{
	for (unsigned i = 0; i < k->segments; i++)
		if (k->segment[i].pa < end && start < (uint64_t)k->segment[i].pa + k->segment[i].size)
			return false;
	return true;
}

/* The highest free page below the firmware's data, or 0. */
static uint32_t info_address(const struct kernel *k)
{
	for (uint32_t pa = 0x9e000; pa >= 0x1000; pa -= 0x1000)
		if (free_of_segments(k, pa, pa + INFO_BYTES))
			return pa;
	return 0;
}

/* Modules follow the last segment, from 1 MB up. */
static uint64_t modules_address(const struct kernel *k)
{
	uint64_t end = HIGH_START;

	for (unsigned i = 0; i < k->segments; i++) {
		uint64_t segment_end = (uint64_t)k->segment[i].pa + k->segment[i].size;
		if (segment_end > end)
			end = segment_end;
	}
	return page_up(end);
}

static bool in_ram(uint64_t start, uint64_t end, uint64_t ram_size)
{
	return end <= LOW_END || (start >= HIGH_START && end <= ram_size);
}

unsigned memory_map(uint64_t ram_size, struct memory_range map[MEMORY_RANGES])
{
	map[0] = (struct memory_range){ 0, LOW_END, MEMORY_USABLE };
	map[1] = (struct memory_range){ LOW_END, 0xa0000, MEMORY_RESERVED };
	map[2] = (struct memory_range){ 0xf0000, HIGH_START, MEMORY_RESERVED };
	map[3] = (struct memory_range){ HIGH_START, ram_size, MEMORY_USABLE };
	return ram_size > HIGH_START ? 4 : 3;
}

static int check_segments(const struct kernel *k, uint64_t ram_size, char *err)
{
	for (unsigned i = 0; i < k->segments; i++) {
		const struct kernel_segment *s = &k->segment[i];
		if (!in_ram(s->pa, (uint64_t)s->pa + s->size, ram_size))
			return loader_fail(err, "kernel '%s': its segment at 0x%08x-0x%08x lies outside memory (%lluM)", k->file.path,
				s->pa, s->pa + s->size - 1, (unsigned long long)(ram_size >> 20));
	}
	return 0;
}

static int multiboot_check(const struct kernel *k, uint64_t ram_size, char *err)
{
	uint64_t at = modules_address(k);

	for (unsigned i = 0; i < k->modules; i++) {
		if (at + k->module[i].size > ram_size)
			return loader_fail(err, "initrd '%s' (%zu bytes) does not fit in memory (%lluM)", k->module[i].path,
				k->module[i].size, (unsigned long long)(ram_size >> 20));
		at = page_up(at + k->module[i].size);
	}
	if (!info_address(k))
		return loader_fail(err, "kernel '%s' leaves no room below 640K for the boot information", k->file.path);
	return 0;
}

int kernel_check(const struct kernel *k, uint64_t ram_size, char *err)
{
	if (check_segments(k, ram_size, err))
		return -1;
	return k->kind == KERNEL_LINUX ? linux_check(k, ram_size, err) : multiboot_check(k, ram_size, err);
}

/* --- the boot information ----------------------------------------------------------------------------------------- */

struct info { uint8_t page[INFO_BYTES]; uint32_t base; uint32_t used; };

static void put32(struct info *b, uint32_t offset, uint32_t value)
{
	if (offset + 4 > INFO_BYTES)
		return;
	for (unsigned i = 0; i < 4; i++)
		b->page[offset + i] = (uint8_t)(value >> 8 * i);
}

/* Takes room for size bytes; returns the offset. */
static uint32_t take(struct info *b, uint32_t size)
{
	uint32_t at = (b->used + 3) & ~3u;

	b->used = at + size;
	return at;
}

/* Copies a string of at most max bytes; returns its physical address. */
static uint32_t put_string(struct info *b, const char *s, size_t max)
{
	size_t n = strnlen(s, max);
	uint32_t at = take(b, (uint32_t)n + 1);

	if (at + n + 1 > INFO_BYTES)
		return 0;
	memcpy(b->page + at, s, n);
	return b->base + at;
}

static void put_range(struct info *b, uint64_t start, uint64_t end, uint32_t type)
{
	uint32_t at = take(b, 24);

	put32(b, at, 20);                  /* size of the rest of the entry */
	put32(b, at + 4, (uint32_t)start);
	put32(b, at + 8, (uint32_t)(start >> 32));
	put32(b, at + 12, (uint32_t)(end - start));
	put32(b, at + 16, (uint32_t)((end - start) >> 32));
	put32(b, at + 20, type);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Module strings are the file's name without its folders: the same guest state wherever the files lie. */
static void put_modules(struct info *b, const struct kernel *k)
{
	uint64_t pa = modules_address(k);
	uint32_t at = take(b, 16 * k->modules);

	put32(b, MBI_MODS_COUNT, k->modules);
	put32(b, MBI_MODS_ADDR, b->base + at);
	for (unsigned i = 0; i < k->modules; i++) {
		put32(b, at + 16 * i, (uint32_t)pa);
		put32(b, at + 16 * i + 4, (uint32_t)(pa + k->module[i].size));
		put32(b, at + 16 * i + 8, put_string(b, base_name(k->module[i].path), 255));
		pa = page_up(pa + k->module[i].size);
	}
}

static void info_build(struct info *b, const struct kernel *k, uint64_t ram_size)
{
	take(b, MBI_SIZE);
	put32(b, MBI_FLAGS, MBI_HAS_MEMORY | MBI_HAS_CMDLINE | MBI_HAS_MODULES | MBI_HAS_MMAP | MBI_HAS_NAME);
	put32(b, MBI_MEM_LOWER, 0x9fc00 / 1024);
	put32(b, MBI_MEM_UPPER, (uint32_t)((ram_size - HIGH_START) / 1024));
	uint32_t start = b->used;
	struct memory_range map[MEMORY_RANGES];
	unsigned count = memory_map(ram_size, map);
	for (unsigned i = 0; i < count; i++)
		put_range(b, map[i].start, map[i].end, map[i].type);
	put32(b, MBI_MMAP_ADDR, b->base + start);
	put32(b, MBI_MMAP_LENGTH, b->used - start);
	put32(b, MBI_CMDLINE, put_string(b, k->command_line, MULTIBOOT_COMMAND_LINE));
	put32(b, MBI_LOADER_NAME, put_string(b, LOADER_NAME, 16));
	put_modules(b, k);
}

/* --- RAM and registers ------------------------------------------------------------------------------------------- */

static void place_segments(const struct kernel *k, struct phys *phys)
{
	static const uint8_t zeroes[4096];

	for (unsigned i = 0; i < k->segments; i++) {
		const struct kernel_segment *s = &k->segment[i];
		phys_copy_in(phys, s->pa, k->file.data + s->offset, s->filled);
		for (uint32_t done = s->filled; done < s->size;) {
			uint32_t n = s->size - done < sizeof(zeroes) ? s->size - done : (uint32_t)sizeof(zeroes);
			phys_copy_in(phys, (paddr_t)s->pa + done, zeroes, n);
			done += n;
		}
	}
}

/* [Multiboot 3.2]: flat 32-bit segments, protected mode, paging and interrupts off; the rest is undefined and is as after reset. */
static void set_entry_state(struct cpu *cpu, uint32_t entry, uint32_t info)
{
	cpu_set_cr0(cpu, (cpu->cr0 | CR0_PE) & ~(CR0_CD | CR0_NW));      /* firmware has turned the caches on */
	cpu_set_segment(cpu, SEG_CS, 0x08, 0, 0xffffffff, 0x9b, SEG_FLAG_DB | SEG_FLAG_G);
	for (unsigned seg = SEG_ES; seg <= SEG_GS; seg++)
		if (seg != SEG_CS)
			cpu_set_segment(cpu, seg, 0x10, 0, 0xffffffff, 0x93, SEG_FLAG_DB | SEG_FLAG_G);
	cpu_set_cpl(cpu, 0);
	cpu->r[R_EAX] = MULTIBOOT_LOADED_MAGIC;
	cpu->r[R_EBX] = info;
	cpu->eip = entry;
}

static void multiboot_place(const struct kernel *k, struct phys *phys, struct cpu *cpu)
{
	struct info info = { .base = info_address(k) };

	info_build(&info, k, phys->ram_size);
	uint64_t pa = modules_address(k);
	for (unsigned i = 0; i < k->modules; i++) {
		phys_copy_in(phys, pa, k->module[i].data, k->module[i].size);
		pa = page_up(pa + k->module[i].size);
	}
	phys_copy_in(phys, info.base, info.page, INFO_BYTES);
	set_entry_state(cpu, k->entry, info.base);
}

/* Firmware finds out with FNINIT whether there is an x87; after RESET alone every exception would be raised and no register empty, so
 * that a kernel's first load is a stack overflow [SDM3A 9.1.1 "Processor State After Reset"] table 9-1. */
static void init_x87(struct cpu *cpu)
{
	cpu->fpu.control = 0x37f;
	cpu->fpu.valid = 0;
}

int kernel_place(const struct kernel *k, struct phys *phys, struct cpu *cpu, char *err)
{
	if (kernel_check(k, phys->ram_size, err))
		return -1;
	place_segments(k, phys);
	init_x87(cpu);
	if (k->kind == KERNEL_LINUX)
		linux_place(k, phys, cpu);
	else
		multiboot_place(k, phys, cpu);
	return 0;
}
