/* emu/symbols.c: see symbols.h. The file is untrusted: libelf checks its sections, we check every name and count. */
#include "emu/symbols.h"

#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYMBOLS_MAX 200000u
#define SYMBOL_REACH 0x10000u              /* a symbol without size, as assembly has, covers at most this much */

static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return strcmp(x->name, y->name);
}

void symbols_sort(struct symbols *s)
{
	if (s->count)
		qsort(s->symbol, s->count, sizeof(*s->symbol), by_address);
}

static void add_symbol(struct symbols *s, const GElf_Sym *sym, const char *name)
{
	unsigned type = GELF_ST_TYPE(sym->st_info);

	if (!name || !*name || sym->st_shndx == SHN_UNDEF || sym->st_shndx == SHN_ABS || type > STT_FUNC)
		return;
	char *copy = strdup(name);
	if (copy)
		s->symbol[s->count++] = (struct symbol){ (uint32_t)sym->st_value, (uint32_t)sym->st_size, copy };
}

static void read_table(struct symbols *s, Elf *elf, Elf_Scn *section, const GElf_Shdr *header)
{
	Elf_Data *data = elf_getdata(section, NULL);

	if (!data || header->sh_entsize == 0)
		return;
	size_t count = data->d_size / sizeof(Elf32_Sym);
	if (count > SYMBOLS_MAX)
		count = SYMBOLS_MAX;
	s->symbol = calloc(count + 1, sizeof(*s->symbol));
	for (size_t i = 0; s->symbol && i < count; i++) {
		GElf_Sym sym;
		if (gelf_getsym(data, (int)i, &sym))
			add_symbol(s, &sym, elf_strptr(elf, header->sh_link, sym.st_name));
	}
	symbols_sort(s);
}

void symbols_read(struct symbols *s, Elf *elf)
{
	Elf_Scn *section = NULL;

	*s = (struct symbols){ 0 };
	while (elf && (section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		if (gelf_getshdr(section, &header) && header.sh_type == SHT_SYMTAB) {
			read_table(s, elf, section, &header);
			break;
		}
	}
}

void symbols_load(struct symbols *s, const struct kernel *k)
{
	*s = (struct symbols){ 0 };
	if (k->kind != KERNEL_ELF)
		return;
	elf_version(EV_CURRENT);
	Elf *elf = elf_memory((char *)k->file.data, k->file.size);
	symbols_read(s, elf);
	elf_end(elf);
}

void symbols_free(struct symbols *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->symbol[i].name);
	free(s->symbol);
	*s = (struct symbols){ 0 };
}

/* The last symbol at or below the address. */
static const struct symbol *symbol_below(const struct symbols *s, uint32_t address)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		if (s->symbol[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &s->symbol[low - 1] : NULL;
}

const struct symbol *symbols_covering(const struct symbols *s, uint32_t address)
{
	const struct symbol *sym = symbol_below(s, address);

	return sym && address - sym->address < (sym->size ? sym->size : SYMBOL_REACH) ? sym : NULL;
}

const char *symbols_name(const struct symbols *s, uint32_t address, char *buf, size_t size)
{
	const struct symbol *sym = symbols_covering(s, address);

	*buf = 0;
	if (!sym)
		return buf;
	if (address == sym->address)
		snprintf(buf, size, "%s", sym->name);
	else
		snprintf(buf, size, "%s+0x%x", sym->name, address - sym->address);
	return buf;
}

int symbols_find(const struct symbols *s, const char *name, uint32_t *address)
{
	for (size_t i = 0; i < s->count; i++)
		if (!strcmp(s->symbol[i].name, name)) {
			*address = s->symbol[i].address;
			return 0;
		}
	return -1;
}
