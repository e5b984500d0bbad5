/* emu/debug/guest/source.h: names and source lines of the guest's code: the kernel's and several programs' at once (libelf, libdw). */
#ifndef EMU_DEBUG_SOURCE_H
#define EMU_DEBUG_SOURCE_H

#include "emu/debug/debugger.h"

struct source_line { const char *file, *function; unsigned line; };    /* file as DWARF has it; strings live as long as the source */

/* From the kernel the machine was started with; more can be added. NULL: out of memory. A kernel without symbols is no error. */
struct source *source_open(const struct kernel *k);
void source_close(struct source *s);
/* A program's or module's ELF file at its linked addresses plus bias. space: name of the guest's process that it belongs to, or NULL: every
 * address space. 0, or -1 with a line in err. */
int source_add(struct source *s, const char *path, uint32_t bias, const char *space, char *err);
/* A folder with programs' ELF files, NAME or NAME.debug for the process NAME; opened when such a process is seen. The folder `programs` beside the
 * kernel's file is one from the start. A folder to look for source files in (--source). 0, or -1: out of memory, or too many. */
int source_programs(struct source *s, const char *folder);
int source_root(struct source *s, const char *folder);
/* These ask d->source; where there is none (NULL), nothing is known.
 * "name+0x12", or "" when nothing is known; in the debugger's current address space (guest.h says which process that is). Returns buf. */
const char *source_symbol(const struct debugger *d, uint32_t la, char *buf, size_t size);
/* ... of the address space of cr3. */
const char *source_symbol_in(const struct debugger *d, uint32_t cr3, uint32_t la, char *buf, size_t size);
bool source_line_of(const struct debugger *d, uint32_t la, struct source_line *line);
/* The text of a line, without its end; false when the file cannot be found (also beside the ELF file and under --source DIR). */
bool source_text(const struct debugger *d, const struct source_line *line, char *buf, size_t size);
/* "name", "file.c:12", "program:name". False: nobody has it. */
bool source_find(const struct debugger *d, const char *what, uint32_t *la);
/* "program:name" of a program that belongs to processes of one name: that name, into buf. NULL: what is no such thing. */
const char *source_process_of(const struct debugger *d, const char *what, char *buf, size_t size);
/* The first n names that begin with prefix, for completion; returns how many. Strings as above. */
size_t source_complete(const struct debugger *d, const char *prefix, const char **names, size_t n);
/* The address after the line that la is in, and the canonical frame address where known: for stepping by lines and `backtrace`. */
struct source_frame {
	uint32_t pc, cfa;
	bool exact;                    /* the instruction that comes next there: of the innermost, and of code that a trap interrupted. Else pc is a
	                                * return address, and the call lies before it. */
};
size_t source_backtrace(const struct debugger *d, struct source_frame *frames, size_t room);

#endif
