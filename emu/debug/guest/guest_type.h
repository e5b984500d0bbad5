/* emu/debug/guest/guest_type.h: the C types and variables of the guest's kernel, from its DWARF, or written down in a description.
 *
 * A type is read when somebody asks for what is in it, and never recursively, so that a file whose types run in circles costs nothing.
 * References: [DWARF 2.6 "Location Descriptions"], [DWARF 5.1 "Base Type Entries"], [DWARF 5.7 "Structure, Union, Class and Interface Type Entries"].
 * Not implemented: C++, floating point, variables in registers or in several pieces.
 */
#ifndef EMU_DEBUG_GUEST_TYPE_H
#define EMU_DEBUG_GUEST_TYPE_H

#include "emu/debug/guest/source_private.h"

enum ctype_kind { CTYPE_OTHER, CTYPE_INT, CTYPE_BOOL, CTYPE_ENUM, CTYPE_POINTER, CTYPE_ARRAY, CTYPE_STRUCT };

struct ctype;
struct cfield {
	const char *name;              /* NULL: an anonymous struct or union, whose fields count as the outer one's */
	struct ctype *type;
	uint32_t offset;               /* bytes */
	uint8_t shift, bits;           /* bits 0: no bit-field; else value = (bytes at offset) >> shift, so many bits */
};
struct cvalue { const char *name; int64_t value; };
struct ctype {
	enum ctype_kind kind;
	const char *name;              /* of structs and enums; may be NULL */
	uint32_t size;                 /* bytes */
	bool is_signed;
	struct ctype *target;          /* POINTER, ARRAY: of what; see types_target */
	uint32_t count;                /* ARRAY */
	struct cfield *field;          /* STRUCT, once complete */
	struct cvalue *value;          /* ENUM, once complete */
	size_t fields, values;
	bool complete;
	bool declared;                 /* only its name is known here */
	Dwarf_Off die, target_die;     /* 0: not from DWARF / nothing to read */
	struct ctype *pointer;         /* to this */
	struct ctype *next;            /* all types */
	struct ctype *chain;           /* same slot of the table by die */
	char *own_name;
};

struct type_name;
struct types {
	Dwarf *dwarf;                  /* NULL: only what a description says */
	struct ctype *all;
	struct ctype **slot;           /* by die */
	struct ctype *void_pointer;
	struct type_name *name;        /* sorted */
	size_t names, room;
	bool indexed;
	unsigned count;                /* of types made */
};

/* Zeroed types with dwarf set are ready. */
void types_free(struct types *t);
/* "struct foo", "union foo", "enum foo", "foo" (typedef or base type, u8 u16 u32 u64 s8 s16 s32 s64 char at least). NULL: no such type. */
struct ctype *types_named(struct types *t, const char *name);
/* A variable of the kernel and its type. */
bool types_variable(struct types *t, const char *name, uint32_t *address, struct ctype **type);
bool types_constant(struct types *t, const char *name, int64_t *value, struct ctype **type);
/* What a pointer points to, or an array consists of; NULL for void. */
struct ctype *types_target(struct types *t, struct ctype *type);
/* The field, with its offset from the beginning of type, also one of an anonymous member. False: no such field. */
bool types_field(struct types *t, struct ctype *type, const char *name, struct cfield *field);
/* The enumerator with this value, or NULL. */
const char *types_value_name(struct types *t, struct ctype *type, int64_t value);
/* Made types. NULL: out of memory. */
struct ctype *types_pointer_to(struct types *t, struct ctype *target);
struct ctype *types_array_of(struct types *t, struct ctype *target, uint32_t count);
/* A description's own struct: replaces the kernel's of that name. */
struct ctype *types_define(struct types *t, const char *name, uint32_t size);
bool types_define_field(struct types *t, struct ctype *type, const char *name, struct ctype *field, uint32_t offset);

#endif
