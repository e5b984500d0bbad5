/* emu/symbols.h: names for a kernel's addresses, from its ELF symbol table. Addresses are linear, as the kernel was linked. */
#ifndef EMU_SYMBOLS_H
#define EMU_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

#include "emu/loader.h"

struct Elf;                            /* libelf's */
struct symbol { uint32_t address, size; char *name; };
struct symbols { struct symbol *symbol; size_t count; };

/* No symbols is a valid answer, also for files that are not ELF. */
void symbols_load(struct symbols *s, const struct kernel *k);
/* ... of any ELF file. */
void symbols_read(struct symbols *s, struct Elf *elf);
void symbols_free(struct symbols *s);
/* For who fills the array himself: puts it in the order that the functions below expect. */
void symbols_sort(struct symbols *s);
/* The symbol that has this address in it, or NULL. */
const struct symbol *symbols_covering(const struct symbols *s, uint32_t address);
/* "name+0x12", or "" when no symbol covers the address. Returns buf. */
const char *symbols_name(const struct symbols *s, uint32_t address, char *buf, size_t size);
/* The address of a symbol. 0, or -1 when there is none of that name. */
int symbols_find(const struct symbols *s, const char *name, uint32_t *address);

#endif
