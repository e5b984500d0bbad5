/* emu/debug/guest/guest_private.h: a description once it is read, and what guest*.c share.
 *
 *   guest_view.c    the text of a description -> struct description
 *   guest.c         which description fits; processes, regions, frames, swap slots
 *   guest_maps.c    who maps a frame, from all page tables
 *   guest_tree.c    Linux's maple trees
 *   kallsyms.c, linux_exports.c   the symbols a Linux kernel carries in its memory
 *   guest_parse.c, guest_expr.c   expressions;  guest_type.c  C types
 */
#ifndef EMU_DEBUG_GUEST_PRIVATE_H
#define EMU_DEBUG_GUEST_PRIVATE_H

#include "emu/debug/guest/guest.h"
#include "emu/debug/guest/guest_expr.h"

#define DESCRIPTION_MAX (1u << 20)
#define CONDITIONS_MAX 16

enum block_kind { BLOCK_PROCESS, BLOCK_REGION, BLOCK_FRAME, BLOCK_SWAP, BLOCKS };
#define FIELDS_OF_BLOCK 12

/* One kind of thing: how to come from one to the next, and an expression for each of its fields. */
struct block {
	bool present;
	unsigned line;
	char *var;                     /* the loop's variable */
	char *over;                    /* region: the process; frame: the frame's number */
	struct cexpr *from, *next, *loop, *where;
	bool tree;                     /* from is the root of a maple tree ... */
	char *as;                      /* ... of pointers to this type */
	unsigned as_stars;
	struct cexpr *field[FIELDS_OF_BLOCK];
	unsigned field_line[FIELDS_OF_BLOCK];
};
enum { PROCESS_ID, PROCESS_PARENT, PROCESS_NAME, PROCESS_STATE, PROCESS_CR3, PROCESS_CURRENT };
enum { REGION_START, REGION_END, REGION_READ, REGION_WRITE, REGION_EXECUTE, REGION_KIND, REGION_NAME, REGION_OFFSET };
enum { FRAME_OWNER, FRAME_REFERENCES, FRAME_DIRTY, FRAME_PINNED, FRAME_COUNTED, FRAME_EXTRA };
enum { SWAP_SLOT, SWAP_REFERENCES, SWAP_OWNER };

struct condition { char *symbol, *linux_version; };

struct description {
	char *name;
	char *file;                    /* for messages */
	struct condition condition[CONDITIONS_MAX];
	unsigned conditions;
	bool kallsyms;                 /* symbols come from the kernel's memory */
	struct cexpr *user_end;        /* below it mappings count as references; NULL: everywhere */
	struct block block[BLOCKS];
	struct types types;            /* the kernel's, and the description's own */
};

/* Reads text. dwarf: the kernel's, or NULL. NULL, with "file:line: what" in err, when it is not a description. */
struct description *description_read(const char *file, const char *text, Dwarf *dwarf, char *err);
void description_free(struct description *v);

struct guest {
	struct description *view;
	struct cscope scope;
	const struct symbols *kernel_symbols;
	/* Found in the guest's memory, and where, so that it is seen when it is no longer true. */
	struct symbols found;
	uint32_t found_at;
	uint64_t found_check;
	uint64_t looked_at;            /* instruction count of the last vain search; UINT64_MAX: none */
};

/* The scope to evaluate in, without variables; symbols looked for if need be. NULL: nothing can be evaluated now. */
struct cscope *guest_scope(struct debugger *d);

/* Symbols found in the guest's memory, or NULL. */
const struct symbols *guest_symbols(struct debugger *d);

/* kallsyms.c: the symbols of a Linux kernel in the memory of d's machine. False: there are none. where and check: for kallsyms_still. */
bool kallsyms_read(struct debugger *d, struct symbols *s, uint32_t *where, uint64_t *check);
bool kallsyms_still(struct debugger *d, uint32_t where, uint64_t check);
/* linux_exports.c: adds to s what the kernel at base exports to modules. */
void linux_exports_add(const struct debugger *d, uint32_t base, struct symbols *s);

/* guest_tree.c: calls fn for each pointer a maple tree holds, in order, until it returns false. root: ma_root. */
void maple_each(const struct debugger *d, uint32_t root, bool (*fn)(void *ctx, uint32_t entry), void *ctx);

#endif
