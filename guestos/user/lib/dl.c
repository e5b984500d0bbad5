/* lib/dl.c: a loader of shared libraries, in the program that wants one.
 *
 * The library's file is mapped privately, wherever there is room. Its text is compiled so that it runs at any address and is never written:
 * the pages of all who map it are the one copy in the page cache. Only words in the data segment need the address: relocation
 * adds it, which gives the program its own copy of those pages. So sharing costs nothing but the rule that text is left alone; a library that
 * wants its text changed (DT_TEXTREL) is refused.
 *
 * References: [ELF] "Program Header", [ELF] "Dynamic Section", [ELF] "Hash Table"; [SYSVI386 5 "Relocation"]. */
#include <dlfcn.h>

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <vm.h>

struct elf_dynamic { uint32_t tag, value; };
struct elf_symbol { uint32_t name, value, size; uint8_t info, other; uint16_t section; };
struct elf_rel { uint32_t offset, info; };     /* info: symbol << 8 | type */

enum { DT_PLTRELSZ = 2, DT_HASH = 4, DT_STRTAB = 5, DT_SYMTAB = 6, DT_REL = 17, DT_RELSZ = 18, DT_TEXTREL = 22, DT_JMPREL = 23, DT_TAGS };
enum { R_386_32 = 1, R_386_GLOB_DAT = 6, R_386_JMP_SLOT = 7, R_386_RELATIVE = 8 };
#define MAX_SEGMENTS 8u
#define MAX_LENGTH (64u << 20)

struct library {
	uint8_t *base;                         /* address of the library's address 0 */
	uint32_t length;
	const struct elf_dynamic *dynamic;
	const struct elf_symbol *symbols;
	const char *strings;
	const uint32_t *hash;                  /* buckets, symbols, bucket[], chain[] */
	uint32_t tag[DT_TAGS];
};

static uint32_t page_up(uint32_t a) { return (a + PAGE_SIZE - 1) & -PAGE_SIZE; }

static bool read_headers(int fd, struct elf_header *h, struct elf_segment *s)
{
	if (pread(fd, h, sizeof(*h), 0) != sizeof(*h) || memcmp(h->ident, "\177ELF\1\1\1", 7) != 0 || h->type != ET_DYN ||
	    h->machine != EM_386 || h->phentsize != sizeof(*s) || h->phnum > MAX_SEGMENTS)
		return false;
	return pread(fd, s, h->phnum * sizeof(*s), h->phoff) == (ssize_t)(h->phnum * sizeof(*s));
}

/* How much room it needs; 0 if a segment makes no sense. */
static uint32_t measure(const struct elf_segment *s, int n)
{
	uint32_t length = 0;

	for (int i = 0; i < n; i++) {
		if (s[i].type != PT_LOAD && s[i].type != PT_DYNAMIC)
			continue;
		if (s[i].vaddr > MAX_LENGTH || s[i].memsz > MAX_LENGTH || s[i].filesz > s[i].memsz || (s[i].vaddr - s[i].offset) % PAGE_SIZE)
			return 0;
		if (s[i].type == PT_LOAD && s[i].vaddr + s[i].memsz > length)
			length = s[i].vaddr + s[i].memsz;
	}
	return page_up(length);
}

/* The pages that the file has, then zeroes: the rest of the last page by hand, what follows from the reserved room. */
static bool map_segment(const struct library *l, int fd, const struct elf_segment *s)
{
	uint32_t skew = s->vaddr % PAGE_SIZE, file_end = s->vaddr + s->filesz, end = s->vaddr + s->memsz;
	int prot = PROT_READ | (s->flags & PF_W ? PROT_WRITE : 0) | (s->flags & PF_X ? PROT_EXEC : 0);
	uint8_t *start = l->base + s->vaddr - skew;

	if (s->filesz && mmap(start, s->filesz + skew, prot, MAP_PRIVATE | MAP_FIXED, fd, s->offset - skew) != start)
		return false;
	if (end > page_up(file_end) && mprotect(l->base + page_up(file_end), page_up(end) - page_up(file_end), prot) < 0)
		return false;
	if (end > file_end && file_end % PAGE_SIZE && s->flags & PF_W)
		memset(l->base + file_end, 0, page_up(file_end) - file_end);
	return true;
}

static bool read_dynamic(struct library *l)
{
	if (!l->dynamic)
		return false;
	for (const struct elf_dynamic *d = l->dynamic; d->tag; d++)
		if (d->tag < DT_TAGS)
			l->tag[d->tag] = d->tag == DT_TEXTREL ? 1 : d->value;
	l->symbols = (const void *)(l->base + l->tag[DT_SYMTAB]);
	l->strings = (const char *)(l->base + l->tag[DT_STRTAB]);
	l->hash = (const void *)(l->base + l->tag[DT_HASH]);
	return l->tag[DT_SYMTAB] && l->tag[DT_STRTAB] && l->tag[DT_HASH] && !l->tag[DT_TEXTREL];
}

static bool map_library(struct library *l, int fd)
{
	struct elf_header h;
	struct elf_segment s[MAX_SEGMENTS];

	if (!read_headers(fd, &h, s) || !(l->length = measure(s, h.phnum))) {
		errno = ENOEXEC;
		return false;
	}
	uint8_t *room = mmap(NULL, l->length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (room == MAP_FAILED)
		return false;
	l->base = room;
	for (int i = 0; i < h.phnum; i++) {
		if (s[i].type == PT_LOAD && !map_segment(l, fd, &s[i]))
			return false;
		if (s[i].type == PT_DYNAMIC && s[i].vaddr < l->length)
			l->dynamic = (const void *)(l->base + s[i].vaddr);
	}
	errno = ENOEXEC;                       /* if not */
	return read_dynamic(l);
}

static bool relocate_word(const struct library *l, const struct elf_rel *r)
{
	const struct elf_symbol *symbol = &l->symbols[r->info >> 8];
	uint32_t *word = (uint32_t *)(l->base + r->offset), base = (uint32_t)l->base, type = r->info & 0xff;

	if (r->offset > l->length - sizeof(*word))
		return false;
	if (type == R_386_RELATIVE) {
		*word += base;
		return true;
	}
	if (!symbol->section)
		return false;                  /* defined elsewhere */
	if (type == R_386_32)
		*word += base + symbol->value;
	else if (type == R_386_GLOB_DAT || type == R_386_JMP_SLOT)
		*word = base + symbol->value;
	else
		return false;
	return true;
}

static bool relocate(const struct library *l, uint32_t table, uint32_t bytes)
{
	const struct elf_rel *r = (const void *)(l->base + table);

	for (uint32_t i = 0; i < bytes / sizeof(*r); i++)
		if (!relocate_word(l, &r[i])) {
			errno = ENOEXEC;
			return false;
		}
	return true;
}

void *dlopen(const char *path)
{
	struct library *l = calloc(1, sizeof(*l));
	int fd = l ? open(path, O_RDONLY) : -1;
	bool good = fd >= 0 && map_library(l, fd) && relocate(l, l->tag[DT_REL], l->tag[DT_RELSZ]) &&
		relocate(l, l->tag[DT_JMPREL], l->tag[DT_PLTRELSZ]);
	int why = errno;

	if (fd >= 0)
		close(fd);                     /* the mappings keep the file */
	if (good)
		return l;
	if (l)
		dlclose(l);
	errno = why;
	return NULL;
}

/* The hash function of the format. */
static uint32_t hash_of(const char *name)
{
	uint32_t h = 0;

	for (; *name; name++) {
		h = (h << 4) + (uint8_t)*name;
		h = (h ^ (h >> 24 & 0xf0)) & 0x0fffffff;
	}
	return h;
}

void *dlsym(void *library, const char *name)
{
	const struct library *l = library;
	const uint32_t *bucket = l->hash + 2, *chain = bucket + l->hash[0];

	for (uint32_t i = l->hash[0] ? bucket[hash_of(name) % l->hash[0]] : 0; i; i = chain[i])
		if (l->symbols[i].section && strcmp(l->strings + l->symbols[i].name, name) == 0)
			return l->base + l->symbols[i].value;
	return NULL;
}

int dlclose(void *library)
{
	struct library *l = library;

	if (l->base)
		munmap(l->base, l->length);
	free(l);
	return 0;
}
