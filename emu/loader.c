/* emu/loader.c: from an image file to struct kernel: everything that reads untrusted bytes. boot.c places the result in RAM. */
#include "emu/loader.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emu/linux_boot.h"
#include "emu/little_endian.h"
#include "emu/multiboot.h"
#include "devices/host_io.h"

#define FILE_LIMIT (1ull << 30)            /* larger cannot be a kernel or initrd for a 32-bit machine */

int loader_fail(char *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err, ERROR_LINE, fmt, ap);
	va_end(ap);
	for (char *c = err; *c; c++)               /* names from files may hold anything; this stays one line */
		if (iscntrl((unsigned char)*c))
			*c = '?';
	return -1;
}

/* --- files ------------------------------------------------------------------------------------------------------ */

/* Opens a regular, non-empty file. A disk image may be a block device as well, and has no upper limit. */
static int open_image(const char *path, const char *what, bool disk, struct stat *st, char *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);    /* O_NONBLOCK: opening a FIFO must not hang */

	if (fd < 0)
		return loader_fail(err, "cannot open %s '%s': %s", what, path, strerror(errno));
	const char *wrong = NULL;
	if (fstat(fd, st))
		wrong = strerror(errno);
	else if (S_ISDIR(st->st_mode))
		wrong = "is a directory";
	else if (!S_ISREG(st->st_mode) && !(disk && S_ISBLK(st->st_mode)))
		wrong = "is not a regular file";
	else if (S_ISREG(st->st_mode) && st->st_size == 0)
		wrong = "is empty";
	else if (!disk && (uint64_t)st->st_size > FILE_LIMIT)
		wrong = "is larger than 1G";
	if (!wrong)
		return fd;
	close(fd);
	return loader_fail(err, "%s '%s' %s", what, path, wrong);
}

int host_file_read(struct host_file *f, const char *path, const char *what, char *err)
{
	struct stat st;
	int fd = open_image(path, what, false, &st, err);

	*f = (struct host_file){ 0 };
	if (fd < 0)
		return -1;
	f->path = strdup(path);
	f->data = malloc((size_t)st.st_size);
	ssize_t n = f->path && f->data ? host_read(fd, f->data, (size_t)st.st_size, 0) : -ENOMEM;
	close(fd);
	if (n < 0 || n != st.st_size) {
		host_file_free(f);
		return loader_fail(err, "cannot read %s '%s': %s", what, path, n < 0 ? strerror((int)-n) : "it shrank while being read");
	}
	f->size = (size_t)n;
	return 0;
}

void host_file_free(struct host_file *f)
{
	free(f->path);
	free(f->data);
	*f = (struct host_file){ 0 };
}

/* [Multiboot 3.1 "OS image format"]: on a 4-byte boundary in the first 8 KB, three words that add to zero. */
static bool find_header(const uint8_t *data, size_t size, size_t *offset)
{
	size_t end = size < MULTIBOOT_SEARCH ? size : MULTIBOOT_SEARCH;

	for (size_t i = 0; i + 12 <= end; i += 4)
		if (get32(data + i) == MULTIBOOT_HEADER_MAGIC && get32(data + i) + get32(data + i + 4) + get32(data + i + 8) == 0) {
			*offset = i;
			return true;
		}
	return false;
}

#define MBR_TABLE 446
#define MBR_SIGNATURE 510
#define PAGODA_PARTITION 0x7f

static bool has_pagoda_partition(const uint8_t *mbr)
{
	if (mbr[MBR_SIGNATURE] != 0x55 || mbr[MBR_SIGNATURE + 1] != 0xaa)
		return false;
	for (unsigned i = 0; i < 4; i++)
		if (mbr[MBR_TABLE + 16 * i + 4] == PAGODA_PARTITION)
			return true;
	return false;
}

int image_kind(const char *path, enum image_kind *kind, char *err)
{
	struct stat st;
	uint8_t head[MULTIBOOT_SEARCH] = { 0 };
	size_t at;
	int fd = open_image(path, "image", true, &st, err);

	if (fd < 0)
		return -1;
	ssize_t n = host_read(fd, head, sizeof(head), 0);
	close(fd);
	if (n < 0)
		return loader_fail(err, "cannot read image '%s': %s", path, strerror((int)-n));
	if ((n >= 4 && !memcmp(head, ELFMAG, SELFMAG)) || linux_recognise(head, (size_t)n) || find_header(head, (size_t)n, &at))
		*kind = IMAGE_KERNEL;
	else if (n >= 512 && has_pagoda_partition(head))
		*kind = IMAGE_DISK_PAGODA;
	else
		*kind = IMAGE_DISK;
	return 0;
}

/* --- ELF -------------------------------------------------------------------------------------------------------- */

static int add_segment(struct kernel *k, uint64_t pa, uint64_t size, uint64_t offset, uint64_t filled, char *err)
{
	const char *path = k->file.path;

	if (!filled)
		offset = 0;
	if (offset > k->file.size || filled > k->file.size - offset)
		return loader_fail(err, "kernel '%s' is truncated: a segment ends at byte %llu, the file has %zu", path,
			(unsigned long long)(offset + filled), k->file.size);
	if (filled > size)
		return loader_fail(err, "kernel '%s': a segment has more bytes in the file than in memory", path);
	if (pa + size > 1ull << 32 || pa + size < pa)
		return loader_fail(err, "kernel '%s': a segment at 0x%llx does not fit in 4G", path, (unsigned long long)pa);
	for (unsigned i = 0; i < k->segments; i++)
		if (pa < (uint64_t)k->segment[i].pa + k->segment[i].size && k->segment[i].pa < pa + size)
			return loader_fail(err, "kernel '%s': two segments overlap at 0x%llx", path, (unsigned long long)pa);
	if (k->segments == KERNEL_SEGMENTS)
		return loader_fail(err, "kernel '%s' has more than %d segments", path, KERNEL_SEGMENTS);
	k->segment[k->segments++] = (struct kernel_segment){ (uint32_t)pa, (uint32_t)size, (size_t)offset, (uint32_t)filled };
	return 0;
}

static int elf_refuse(const struct kernel *k, char *err)
{
	const uint8_t *id = k->file.data;
	const char *path = k->file.path;

	if (k->file.size < EI_NIDENT || (id[EI_CLASS] == ELFCLASS32 && k->file.size < sizeof(Elf32_Ehdr)))
		return loader_fail(err, "kernel '%s' is truncated: its ELF header is cut off at %zu bytes", path, k->file.size);
	if (id[EI_CLASS] != ELFCLASS32)
		return loader_fail(err, "kernel '%s' is a 64-bit ELF file; this machine has a 32-bit x86 processor", path);
	unsigned machine = id[18] | id[19] << 8;
	if (id[EI_DATA] != ELFDATA2LSB || machine != EM_386)
		return loader_fail(err, "kernel '%s' is an ELF file for another machine (number %u); this one is an Intel 80386 (%u)", path,
			id[EI_DATA] == ELFDATA2LSB ? machine : (unsigned)(id[18] << 8 | id[19]), EM_386);
	return 0;
}

/* The entry point is a linear address; with paging off it must be the physical one, so an entry in the range of a
 * segment's virtual addresses is taken to its physical ones. */
static uint32_t physical_entry(uint32_t entry, const GElf_Phdr *p)
{
	return entry - (uint32_t)p->p_vaddr + (uint32_t)p->p_paddr;
}

static int elf_segments(struct kernel *k, Elf *elf, char *err)
{
	GElf_Ehdr eh;
	size_t count;
	bool entry_found = false;

	if (!gelf_getehdr(elf, &eh) || elf_getphdrnum(elf, &count))
		return loader_fail(err, "kernel '%s': bad ELF header: %s", k->file.path, elf_errmsg(-1));
	if (eh.e_type != ET_EXEC)
		return loader_fail(err, "kernel '%s' is not an executable ELF file (type %u)", k->file.path, eh.e_type);
	if (eh.e_phoff > k->file.size || count * sizeof(Elf32_Phdr) > k->file.size - eh.e_phoff)
		return loader_fail(err, "kernel '%s' is truncated: its program headers lie beyond the end of the file", k->file.path);
	k->entry = (uint32_t)eh.e_entry;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr p;
		if (!gelf_getphdr(elf, (int)i, &p))
			return loader_fail(err, "kernel '%s' is truncated: cannot read program header %zu", k->file.path, i);
		if (p.p_type != PT_LOAD || !p.p_memsz)
			continue;
		if (add_segment(k, p.p_paddr, p.p_memsz, p.p_offset, p.p_filesz, err))
			return -1;
		bool physical = eh.e_entry >= p.p_paddr && eh.e_entry - p.p_paddr < p.p_memsz;
		bool virtual = eh.e_entry >= p.p_vaddr && eh.e_entry - p.p_vaddr < p.p_memsz;
		if (physical || (virtual && !entry_found))
			k->entry = physical ? (uint32_t)eh.e_entry : physical_entry((uint32_t)eh.e_entry, &p);
		entry_found |= physical || virtual;
	}
	if (!k->segments)
		return loader_fail(err, "kernel '%s' has no segment to load", k->file.path);
	if (!entry_found)
		return loader_fail(err, "kernel '%s': its entry point 0x%08x lies outside its segments", k->file.path, k->entry);
	return 0;
}

static int open_elf(struct kernel *k, char *err)
{
	if (elf_refuse(k, err))
		return -1;
	elf_version(EV_CURRENT);
	Elf *elf = elf_memory((char *)k->file.data, k->file.size);
	if (!elf)
		return loader_fail(err, "kernel '%s': %s", k->file.path, elf_errmsg(-1));
	k->kind = KERNEL_ELF;
	int r = elf_segments(k, elf, err);
	elf_end(elf);
	return r;
}

/* [Multiboot 3.1.3 "The address fields of Multiboot header"]: the header itself says what goes where. */
static int open_flat(struct kernel *k, size_t at, char *err)
{
	const uint8_t *h = k->file.data + at;

	if (!(k->flags & MULTIBOOT_ADDRESSES))
		return loader_fail(err, "kernel '%s' is neither an ELF file nor has a Multiboot header with load addresses", k->file.path);
	if (at + 32 > k->file.size)
		return loader_fail(err, "kernel '%s' is truncated: its Multiboot header is cut off", k->file.path);
	uint32_t header = get32(h + 12), load = get32(h + 16), load_end = get32(h + 20), bss_end = get32(h + 24);
	if (load > header || header - load > at)
		return loader_fail(err, "kernel '%s': the load address in its Multiboot header lies before the file", k->file.path);
	size_t offset = at - (header - load);
	uint64_t filled = load_end ? (uint64_t)load_end - load : k->file.size - offset;
	if (load_end && load_end < load)
		return loader_fail(err, "kernel '%s': its Multiboot header ends the data before it begins", k->file.path);
	uint64_t size = bss_end > load + filled ? (uint64_t)bss_end - load : filled;
	k->entry = get32(h + 28);
	return add_segment(k, load, size, offset, filled, err);
}

static int parse(struct kernel *k, char *err)
{
	size_t at;
	bool elf = k->file.size >= SELFMAG && !memcmp(k->file.data, ELFMAG, SELFMAG);

	if (!elf && linux_recognise(k->file.data, k->file.size))
		return linux_open(k, err);
	if (elf && elf_refuse(k, err))
		return -1;
	if (!find_header(k->file.data, k->file.size, &at))
		return loader_fail(err, elf && k->file.size < MULTIBOOT_SEARCH / 2 ?
			"kernel '%s' is truncated, or has no Multiboot header" :
			"kernel '%s' has no Multiboot header in its first 8 KB", k->file.path);
	k->flags = get32(k->file.data + at + 4);
	if (k->flags & MULTIBOOT_MUST & ~MULTIBOOT_KNOWN)
		return loader_fail(err, "kernel '%s' requires Multiboot features this loader lacks (flags 0x%08x)", k->file.path, k->flags);
	return elf && !(k->flags & MULTIBOOT_ADDRESSES) ? open_elf(k, err) : open_flat(k, at, err);
}

/* Takes over k->file, also when it fails. */
static int finish_open(struct kernel *k, char *err)
{
	int r = parse(k, err);

	k->command_line = strdup("");
	if (!r && !k->command_line)
		r = loader_fail(err, "out of memory");
	if (r)
		kernel_close(k);
	return r;
}

int kernel_open(struct kernel *k, const char *path, char *err)
{
	*k = (struct kernel){ 0 };
	if (host_file_read(&k->file, path, "kernel", err))
		return -1;
	return finish_open(k, err);
}

int kernel_from_memory(struct kernel *k, const char *name, const uint8_t *data, size_t size, char *err)
{
	*k = (struct kernel){ .file = { .path = strdup(name), .data = malloc(size ? size : 1), .size = size } };
	if (!k->file.path || !k->file.data) {
		kernel_close(k);
		return loader_fail(err, "out of memory");
	}
	memcpy(k->file.data, data, size);
	return finish_open(k, err);
}

int kernel_add_module(struct kernel *k, const char *path, char *err)
{
	if (k->modules == KERNEL_MODULES)
		return loader_fail(err, "more than %d modules: '%s'", KERNEL_MODULES, path);
	if (host_file_read(&k->module[k->modules], path, "initrd", err))
		return -1;
	k->modules++;
	return 0;
}

int kernel_add_module_from_memory(struct kernel *k, const char *name, const uint8_t *data, size_t size, char *err)
{
	if (k->modules == KERNEL_MODULES)
		return loader_fail(err, "more than %d modules: '%s'", KERNEL_MODULES, name);
	struct host_file f = { .path = strdup(name), .data = malloc(size ? size : 1), .size = size };
	if (!f.path || !f.data) {
		host_file_free(&f);
		return loader_fail(err, "out of memory");
	}
	memcpy(f.data, data, size);
	k->module[k->modules++] = f;
	return 0;
}

int kernel_set_command_line(struct kernel *k, const char *line, char *err)
{
	size_t most = k->kind == KERNEL_LINUX ? k->setup.line_max : MULTIBOOT_COMMAND_LINE;

	if (strlen(line) > most)
		return loader_fail(err, "the kernel command line is longer than %zu bytes, the most '%s' takes", most, k->file.path);
	char *copy = strdup(line);
	if (!copy)
		return loader_fail(err, "out of memory");
	free(k->command_line);
	k->command_line = copy;
	return 0;
}

void kernel_close(struct kernel *k)
{
	host_file_free(&k->file);
	for (unsigned i = 0; i < k->modules; i++)
		host_file_free(&k->module[i]);
	free(k->command_line);
	*k = (struct kernel){ 0 };
}
