/* emu/debug/mark.h: a moment kept to compare with: registers, and memory with the page tables in it, as they were. */
#ifndef EMU_DEBUG_MARK_H
#define EMU_DEBUG_MARK_H

#include "emu/debug/registers.h"
#include "emu/debug/view/view.h"

struct debugger_mark {
	struct moment at;
	struct registers registers;
	struct paging paging;
	uint64_t ram_size;
	uint8_t **page;                /* by frame; NULL: it was all zero */
};

/* RAM as it was; what was no RAM reads as ones. */
void mark_read(const struct debugger_mark *mark, paddr_t pa, void *buf, size_t size);
/* An entry of a page table as it was: size 4 or 8. */
uint64_t mark_entry(const struct debugger_mark *mark, paddr_t pa, unsigned size);
/* What differs now: registers, then ranges of memory that were written, at most room of them; returns how many there are. */
struct mark_range { paddr_t start, end; };
size_t mark_changes(const struct debugger_mark *mark, const struct debugger *d, struct mark_range *out, size_t room);

#endif
