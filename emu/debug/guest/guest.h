/* emu/debug/guest/guest.h: the guest's own tables: processes, regions, frames, swap, by a short description over its debug information.
 *
 * A description (views/pagoda.view, views/linux.view, --view FILE) names variables and fields of the kernel's C code; DWARF says where they
 * are. Guest memory is untrusted: lists are cut, pointers checked, nothing is written.
 */
#ifndef EMU_DEBUG_GUEST_H
#define EMU_DEBUG_GUEST_H

#include "emu/debug/debugger.h"

struct guest_process {
	uint64_t id, parent;
	char name[32], state[16];
	uint32_t cr3;                  /* 0: a kernel thread without an address space */
	uint64_t address;              /* of the kernel's structure, linear */
	bool current;
};
struct guest_region { uint32_t start, end; char rights[8], kind[16], name[64]; uint64_t offset; };
struct guest_frame {
	bool known;                    /* the kernel keeps a record of this frame */
	char owner[16];                /* "free", "kernel", "anonymous", "file", "page table" */
	uint64_t references;
	bool dirty, pinned, counted;   /* counted: references is meant to equal the number of mappings (+ extra) */
	uint64_t extra;                /* references that are no mappings: cache, pins */
};
struct guest_swap { uint64_t slot, references; char owner[32]; };

/* Chooses the built-in description whose kernel this is, or reads file. *g is NULL and the result 0 when none fits and no file was named. -1 with a
 * line in err: file, line, what is wrong. */
int guest_open(struct debugger *d, const char *file, struct guest **g, char *err);
void guest_close(struct guest *g);
const char *guest_name(const struct guest *g);         /* "Pagoda" */

/* Each fills at most room and returns how many there are; g may be NULL (0). All read the guest as it is now. */
size_t guest_processes(struct debugger *d, struct guest_process *out, size_t room);
size_t guest_regions(struct debugger *d, const struct guest_process *p, struct guest_region *out, size_t room);
size_t guest_swap_slots(struct debugger *d, struct guest_swap *out, size_t room);
bool guest_frame(struct debugger *d, uint32_t frame, struct guest_frame *out);
/* The process whose address space this is. False: none. */
bool guest_process_of(struct debugger *d, uint32_t cr3, struct guest_process *out);
/* Who maps a frame, from all known page tables (every process's and the current CR3). Returns how many mappings there are. */
struct mapping { uint32_t cr3, la; uint64_t entry; unsigned page_shift; };
size_t guest_mappings(struct debugger *d, uint32_t frame, struct mapping *out, size_t room);

#endif
