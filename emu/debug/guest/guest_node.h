/* emu/debug/guest/guest_node.h: an expression once it is parsed: what guest_parse.c makes and guest_expr.c evaluates. */
#ifndef EMU_DEBUG_GUEST_NODE_H
#define EMU_DEBUG_GUEST_NODE_H

#include "emu/debug/guest/guest_expr.h"

enum node_kind {
	NODE_NUMBER, NODE_TEXT, NODE_NAME, NODE_FIELD, NODE_ARROW, NODE_INDEX, NODE_CAST, NODE_CONTAINER, NODE_PA, NODE_ADDRESS,
	NODE_DEREF, NODE_ADDRESS_OF, NODE_MINUS, NODE_NOT, NODE_INVERT, NODE_BINARY, NODE_CHOICE,
};

struct cexpr {
	enum node_kind kind;
	uint8_t op;                    /* BINARY: row of the table */
	uint64_t number;
	char *text;                    /* literal, name, field, type's name */
	unsigned stars;                /* CAST, CONTAINER: type's pointers */
	char *member;                  /* CONTAINER */
	struct cexpr *a, *b, *c;
	unsigned serial;               /* NAME, ADDRESS: of the scope it was looked up in; kept is what it is */
	struct cval kept;
	struct ctype *type;            /* CAST, CONTAINER: once looked up */
};

/* Binary operators; guest_parse.c has their precedences in this order. */
enum { OP_OROR, OP_ANDAND, OP_EQ, OP_NE, OP_SHL, OP_SHR, OP_LE, OP_GE, OP_LT, OP_GT, OP_OR, OP_XOR, OP_AND, OP_ADD, OP_SUB, OP_MUL,
	OP_DIV, OP_MOD, OPS };

#endif
