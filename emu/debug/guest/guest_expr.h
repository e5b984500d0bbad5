/* emu/debug/guest/guest_expr.h: C expressions over the guest's kernel, as descriptions write them: they read, never write or call.
 *
 *   p->space->exe   frames[n].refs   &init_task   (struct mm_struct *)x   pa(p->dir)   a ? b : "words"   n * 4 + 1
 *   container(pointer, struct task_struct, tasks)   the struct in which this is the field
 *   pa(address)                                     translated by the current page tables
 *   address(name)                                   of a symbol
 *
 * Names are the loop's variables, then constants of the description, enumerators, variables, symbols (their address).
 */
#ifndef EMU_DEBUG_GUEST_EXPR_H
#define EMU_DEBUG_GUEST_EXPR_H

#include "emu/debug/debugger.h"
#include "emu/debug/guest/guest_type.h"

struct cvar { const char *name; uint64_t value; struct ctype *type; };
#define CSCOPE_VARS 4
struct cscope {
	const struct debugger *d;
	struct types *types;
	const struct symbols *symbols; /* of the kernel, or found in its memory; may be NULL */
	unsigned serial;               /* changes when symbols do; never 0 */
	struct cvar var[CSCOPE_VARS];
	unsigned vars;
};

/* What an expression is worth. */
struct cval {
	struct ctype *type;            /* NULL: a plain number */
	bool in_memory;                /* at address; else in number */
	uint32_t address;
	uint8_t shift, bits;
	uint64_t number;
	const char *text;              /* of a literal: then nothing else counts */
};

struct cexpr;
/* Parses from *at as far as an expression goes and moves *at behind it. NULL, with the reason (no file, no line) in err. */
struct cexpr *cexpr_parse(const char **at, char *err);
void cexpr_free(struct cexpr *e);
/* "struct foo *", "u32", as in casts. Moves *at. False: no type stands there. name gets what types_named wants. */
bool ctype_parse(const char **at, char *name, size_t size, unsigned *stars);
struct ctype *ctype_resolve(struct types *t, const char *name, unsigned stars);

/* False: some name is unknown, some memory cannot be read. */
bool cexpr_eval(struct cscope *s, struct cexpr *e, struct cval *v);
bool cexpr_number(struct cscope *s, struct cexpr *e, uint64_t *number);
/* As words: a literal, an enumerator's name, characters an array has or a pointer points to, or a decimal number; printable, cut to size. */
bool cexpr_text(struct cscope *s, struct cexpr *e, char *buf, size_t size);
/* The first name in e that nobody knows, or NULL. */
const char *cexpr_unknown(struct cscope *s, const struct cexpr *e);
/* The value as a number with its type, so that a loop's variable can hold it: arrays and structs become pointers. */
bool cexpr_pointer(struct cscope *s, struct cexpr *e, uint64_t *number, struct ctype **type);

#endif
