/* emu/linux_boot.c: the Linux boot protocol; layout and numbers are in linux_boot.h. The file is untrusted. */
#include "emu/linux_boot.h"

#include <string.h>

#include "emu/little_endian.h"
#include "emu/loader.h"

#define SECTOR 512u
#define OLDEST 0x0202                      /* the first with a pointer to the command line */
#define HEADER_2_02_END 0x22c              /* what protocol 2.02 defined */

/* [LINUXBOOT "The Real-Mode Kernel Header"]: without HdrS it is a boot sector like any other. */
bool linux_recognise(const uint8_t *data, size_t size)
{
	return size >= LINUX_MAGIC + 4 && get16(data + LINUX_BOOT_FLAG) == 0xaa55 && get32(data + LINUX_MAGIC) == LINUX_HDRS;
}

/* --- the setup header ------------------------------------------------------------------------------------------------ */

/* A field of this many bytes, or otherwise when the protocol or the header's length leaves it out. */
static uint64_t field(const struct kernel *k, unsigned since, uint32_t offset, unsigned bytes, uint64_t otherwise)
{
	const uint8_t *p = k->file.data + offset;

	if (get16(k->file.data + LINUX_VERSION) < since || offset + bytes > k->setup.header_end)
		return otherwise;
	return bytes == 8 ? get64(p) : bytes == 4 ? get32(p) : bytes == 2 ? get16(p) : *p;
}

static int check_header(struct kernel *k, char *err)
{
	const uint8_t *h = k->file.data;
	const char *path = k->file.path;

	if (k->file.size < HEADER_2_02_END)
		return loader_fail(err, "kernel '%s' is truncated: its Linux setup header is cut off at %zu bytes", path, k->file.size);
	unsigned version = get16(h + LINUX_VERSION);
	if (version < OLDEST)
		return loader_fail(err, "kernel '%s' has Linux boot protocol %u.%02u; 2.02 is the oldest this loader knows", path,
			version >> 8, version & 0xff);
	if (version >> 8 != 2)
		return loader_fail(err, "kernel '%s' has Linux boot protocol %u.%02u, which this loader does not know", path,
			version >> 8, version & 0xff);
	k->setup.header_end = LINUX_MAGIC + (h[LINUX_JUMP + 1] & 0x7f);
	if (h[LINUX_JUMP] != 0xeb || h[LINUX_JUMP + 1] & 0x80 || k->setup.header_end < HEADER_2_02_END)
		return loader_fail(err, "kernel '%s': the jump over its Linux setup header (bytes %02x %02x) is not as long as every header is",
			path, h[LINUX_JUMP], h[LINUX_JUMP + 1]);
	if (k->file.size < k->setup.header_end)
		return loader_fail(err, "kernel '%s' is truncated: its Linux setup header is cut off at %zu bytes", path, k->file.size);
	if (!(h[LINUX_LOADFLAGS] & LINUX_LOADED_HIGH))
		return loader_fail(err, "kernel '%s' is a zImage, to be loaded below 640K; this loader knows bzImage only", path);
	if (field(k, 0x020c, LINUX_XLOADFLAGS, 2, 0) & LINUX_KERNEL_64)
		return loader_fail(err, "kernel '%s' is a 64-bit Linux kernel; this machine has a 32-bit x86 processor", path);
	return 0;
}

/* Where the protected-mode code lies in the file. [LINUXBOOT "Details of Header Fields", setup_sects and syssize] */
static int find_code(const struct kernel *k, size_t *offset, uint64_t *size, char *err)
{
	const uint8_t *h = k->file.data;
	unsigned sectors = h[LINUX_SETUP_SECTS] ? h[LINUX_SETUP_SECTS] : 4;

	*offset = (sectors + 1) * SECTOR;
	if (*offset >= k->file.size)
		return loader_fail(err, "kernel '%s' is truncated: its setup code (%u sectors) fills the file", k->file.path, sectors);
	*size = k->file.size - *offset;
	uint64_t wanted = field(k, 0x0204, LINUX_SYSSIZE, 4, 0) * 16;      /* before 2.04 the field is too short to be of use */
	if (wanted > *size + 15)
		return loader_fail(err, "kernel '%s' is truncated: its header promises %llu bytes of protected-mode code (syssize), the file has %llu",
			k->file.path, (unsigned long long)wanted, (unsigned long long)*size);
	if (wanted && wanted < *size)
		*size = wanted;
	return 0;
}

/* The end of the memory the kernel uses before it has read the memory map. [LINUXBOOT "Details of Header Fields", init_size] */
static int find_end(const struct kernel *k, uint64_t *end, char *err)
{
	uint64_t init_size = field(k, 0x020a, LINUX_INIT_SIZE, 4, 0);
	uint64_t start = field(k, 0x020a, LINUX_PREF_ADDRESS, 8, 0);

	if (field(k, 0x0205, LINUX_RELOCATABLE, 1, 0)) {
		uint64_t alignment = field(k, 0x0205, LINUX_ALIGNMENT, 4, 1);
		if (!alignment || alignment & (alignment - 1))
			return loader_fail(err, "kernel '%s': its header wants an alignment of 0x%llx, which is not a power of two (kernel_alignment)",
				k->file.path, (unsigned long long)alignment);
		uint64_t aligned = (LINUX_CODE + alignment - 1) & ~(alignment - 1);
		start = start > aligned ? start : aligned;
	}
	if (start + init_size < start || start + init_size > 1ull << 32)
		return loader_fail(err, "kernel '%s': it would unpack itself to 0x%llx, which does not fit in 4G (pref_address, init_size)",
			k->file.path, (unsigned long long)start);
	if (init_size)
		*end = start + init_size;
	return 0;
}

int linux_open(struct kernel *k, char *err)
{
	size_t offset = 0;
	uint64_t size = 0, end = 0;

	if (check_header(k, err) || find_code(k, &offset, &size, err) || find_end(k, &end, err))
		return -1;
	k->kind = KERNEL_LINUX;
	k->entry = LINUX_CODE;
	uint64_t line_max = field(k, 0x0206, LINUX_CMDLINE_SIZE, 4, 255);
	k->setup.line_max = line_max < LINUX_LINE_LIMIT ? (uint32_t)line_max : LINUX_LINE_LIMIT;
	k->setup.initrd_end = field(k, 0x0203, LINUX_INITRD_MAX, 4, 0x37ffffff) + 1;
	/* One segment: the file's bytes, then the rest of what the kernel will use. */
	k->segments = 1;
	k->segment[0] = (struct kernel_segment){ LINUX_CODE, (uint32_t)size, offset, (uint32_t)size };
	if (end > LINUX_CODE + size)
		k->segment[0].size = (uint32_t)(end - LINUX_CODE);
	return 0;
}

/* --- the initrd ------------------------------------------------------------------------------------------------------ */

/* Several follow each other as one, each from a multiple of 4: the kernel unpacks archives one after the other and skips zeroes. */
static uint64_t initrd_bytes(const struct kernel *k)
{
	uint64_t size = 0;

	for (unsigned i = 0; i < k->modules; i++)
		size = ((size + 3) & ~3ull) + k->module[i].size;
	return size;
}

/* On a page boundary, as high as possible: there it is out of the way. 0 when it does not fit above the kernel. */
static uint64_t initrd_address(const struct kernel *k, uint64_t ram_size)
{
	uint64_t top = k->setup.initrd_end < ram_size ? k->setup.initrd_end : ram_size;
	uint64_t lowest = (uint64_t)k->segment[0].pa + k->segment[0].size, size = initrd_bytes(k);

	if (size > top)
		return 0;
	uint64_t start = (top - size) & ~(uint64_t)(PAGE_SIZE - 1);
	return start >= lowest ? start : 0;
}

int linux_check(const struct kernel *k, uint64_t ram_size, char *err)
{
	if (!k->modules || initrd_address(k, ram_size))
		return 0;
	bool limited = k->setup.initrd_end < ram_size;
	return loader_fail(err, "initrd '%s' (%llu bytes%s) does not fit in memory (%lluM%s) beside the kernel, which needs the first %lluM",
		k->module[0].path, (unsigned long long)initrd_bytes(k), k->modules > 1 ? ", with the others" : "",
		(unsigned long long)((limited ? k->setup.initrd_end : ram_size) >> 20), limited ? ", the kernel's initrd_addr_max" : "",
		(k->segment[0].pa + (unsigned long long)k->segment[0].size + 0xfffff) >> 20);
}

static void place_initrd(const struct kernel *k, struct phys *phys, uint64_t pa)
{
	for (unsigned i = 0; i < k->modules; i++) {
		phys_copy_in(phys, pa, k->module[i].data, k->module[i].size);
		pa = (pa + k->module[i].size + 3) & ~3ull;
	}
}

/* --- boot_params ----------------------------------------------------------------------------------------------------- */

static void put(uint8_t *page, uint32_t offset, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		page[offset + i] = (uint8_t)(value >> 8 * i);
}

/* VGA text mode 3, as the BIOS would have left it. */
static void put_screen(uint8_t *page)
{
	put(page, BP_VIDEO_MODE, 3, 1);
	put(page, BP_VIDEO_COLS, 80, 1);
	put(page, BP_VIDEO_LINES, 25, 1);
	put(page, BP_VIDEO_EGA_BX, 3, 2);          /* 256 KB, colour: what INT 10h function 12h gives for a VGA */
	put(page, BP_VIDEO_IS_VGA, 1, 1);
	put(page, BP_VIDEO_POINTS, 16, 2);
}

static void put_memory(uint8_t *page, uint64_t ram_size)
{
	struct memory_range map[MEMORY_RANGES];
	unsigned count = memory_map(ram_size, map);

	for (unsigned i = 0; i < count; i++) {
		put(page, BP_E820_TABLE + 20 * i, map[i].start, 8);
		put(page, BP_E820_TABLE + 20 * i + 8, map[i].end - map[i].start, 8);
		put(page, BP_E820_TABLE + 20 * i + 16, map[i].type, 4);
	}
	put(page, BP_E820_ENTRIES, count, 1);
	put(page, BP_ALT_MEM_K, (ram_size - LINUX_CODE) >> 10, 4);
}

static void put_setup(uint8_t *page, const struct kernel *k, uint64_t initrd)
{
	memcpy(page + LINUX_SETUP_SECTS, k->file.data + LINUX_SETUP_SECTS, k->setup.header_end - LINUX_SETUP_SECTS);
	put(page, LINUX_LOADER_TYPE, LINUX_LOADER_UNKNOWN, 1);
	put(page, LINUX_CMD_LINE_PTR, LINUX_LINE, 4);
	put(page, LINUX_RAMDISK_IMAGE, initrd, 4);
	put(page, LINUX_RAMDISK_SIZE, initrd_bytes(k), 4);
}

/* --- RAM and registers ----------------------------------------------------------------------------------------------- */

#define FLAT_CODE 0x00cf9b000000ffffull    /* [SDM3A 3.4.5 "Segment Descriptors"]: base 0, 4 GB, 32-bit, execute and read */
#define FLAT_DATA 0x00cf93000000ffffull

static void place_gdt(struct phys *phys)
{
	uint8_t gdt[LINUX_BOOT_DS + 8] = { 0 };

	put(gdt, LINUX_BOOT_CS, FLAT_CODE, 8);
	put(gdt, LINUX_BOOT_DS, FLAT_DATA, 8);
	phys_copy_in(phys, LINUX_GDT, gdt, sizeof(gdt));
}

/* [LINUXBOOT "32-bit Boot Protocol"]: flat segments, no paging, no interrupts, ESI holds boot_params, EBP, EDI and EBX are zero. */
static void set_entry_state(struct cpu *cpu, uint32_t entry)
{
	cpu_set_cr0(cpu, (cpu->cr0 | CR0_PE) & ~(CR0_CD | CR0_NW));      /* firmware has turned the caches on */
	cpu->gdtr = (struct table_register){ LINUX_GDT, LINUX_BOOT_DS + 7 };
	cpu_set_segment(cpu, SEG_CS, LINUX_BOOT_CS, 0, 0xffffffff, 0x9b, SEG_FLAG_DB | SEG_FLAG_G);
	for (unsigned seg = SEG_ES; seg <= SEG_GS; seg++)
		if (seg != SEG_CS)
			cpu_set_segment(cpu, seg, LINUX_BOOT_DS, 0, 0xffffffff, 0x93, SEG_FLAG_DB | SEG_FLAG_G);
	cpu_set_cpl(cpu, 0);
	cpu->r[R_EBP] = cpu->r[R_EDI] = cpu->r[R_EBX] = 0;
	cpu->r[R_ESI] = LINUX_BOOT_PARAMS;
	cpu->eip = entry;
}

void linux_place(const struct kernel *k, struct phys *phys, struct cpu *cpu)
{
	uint8_t page[BOOT_PARAMS_SIZE] = { 0 };
	uint64_t initrd = k->modules ? initrd_address(k, phys->ram_size) : 0;

	put_screen(page);
	put_setup(page, k, initrd);
	put_memory(page, phys->ram_size);
	phys_copy_in(phys, LINUX_BOOT_PARAMS, page, sizeof(page));
	place_gdt(phys);
	phys_copy_in(phys, LINUX_LINE, k->command_line, strlen(k->command_line) + 1);
	place_initrd(k, phys, initrd);
	set_entry_state(cpu, k->entry);
}
