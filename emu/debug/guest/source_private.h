/* emu/debug/guest/source_private.h: what source*.c and guest*.c share: the ELF files, one after the other, the kernel first.
 *
 *   source.c         files: added, found by process; names to addresses and back
 *   source_lines.c   DWARF's line tables as one sorted list for each file; source text
 *   source_unwind.c  call frame information: who called whom
 *
 * The files are untrusted: libelf and libdw check their own structure, here every count and index is checked again.
 * References: [ELF 4 "ELF Header", 5 "Program Header"], [DWARF 6.2 "Line Number Information"], [DWARF 6.4 "Call Frame Information"].
 */
#ifndef EMU_DEBUG_SOURCE_PRIVATE_H
#define EMU_DEBUG_SOURCE_PRIVATE_H

#include "emu/debug/guest/source.h"
#include "emu/symbols.h"

/* After ours: elf.h names bits of segments PF_W as mmu.h does bits of an error code. */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <gelf.h>

struct line_row { uint32_t address; unsigned line, order; const char *file; };     /* file NULL: after the end of some code */

struct module {
	struct module *next;
	struct host_file file;
	char *name;                    /* the path's last part without .debug: "program" in program:name */
	char *space;                   /* name of the process it belongs to, or NULL: every address space */
	uint32_t bias;                 /* loaded at the linked address plus this */
	Elf *elf;
	Dwarf *dwarf;                  /* NULL: no debug information */
	Dwarf_CFI *eh;                 /* of .eh_frame, once looked for */
	bool eh_read;
	struct symbols symbols;
	struct line_row *lines;        /* sorted by address, linked addresses */
	size_t line_count;
	bool lines_read;
};

struct source_file { struct source_file *next; char *name; char **lines; size_t count; char *text; };

struct source {
	struct module *modules;        /* of a kernel that is ELF the first, with space NULL */
	char **folder;                 /* where programs' files are looked for by the process's name */
	size_t folders;
	char **missing;                /* names for which there was none */
	size_t missings;
	char **root;                   /* --source */
	size_t roots;
	struct source_file *files;     /* source text that was looked at; lines NULL: not found */
};

/* The module whose code or data is at this address in the address space of cr3; *at is its linked address. NULL: none. */
struct module *source_module_at(const struct debugger *d, uint32_t cr3, uint32_t la, uint32_t *at);

/* The row that covers a linked address, or NULL. */
const struct line_row *module_line(struct module *m, uint32_t at);
/* The lowest address of this line, or of the nearest line after it that has code, in a file whose path ends with file. */
bool module_find_line(struct module *m, const char *file, unsigned line, uint32_t *at);
void module_free_lines(struct module *m);

#endif
