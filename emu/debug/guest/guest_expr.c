/* emu/debug/guest/guest_expr.c: see guest_expr.h: what the tree of an expression is worth in the guest as it is now. */
#include "emu/debug/guest/guest_expr.h"

#include <stdio.h>
#include <string.h>

#include "emu/debug/guest/guest_node.h"

struct ctype *ctype_resolve(struct types *t, const char *name, unsigned stars)
{
	struct ctype *type = !strcmp(name, "void") ? NULL : types_named(t, name);

	if (!type && (!stars || strcmp(name, "void")))
		return NULL;
	while (stars--)
		type = types_pointer_to(t, type);
	return type;
}

static struct cval plain(uint64_t number, struct ctype *type) { return (struct cval){ .type = type, .number = number }; }

static uint64_t extend(uint64_t n, unsigned bits, bool is_signed)
{
	if (bits >= 64)
		return n;
	n &= (1ull << bits) - 1;
	return is_signed && n >> (bits - 1) & 1 ? n | ~((1ull << bits) - 1) : n;
}

/* From memory to a number; an array becomes the address of its first element. */
static bool load(struct cscope *s, struct cval *v)
{
	uint8_t byte[8] = { 0 };
	struct ctype *t = v->type;

	if (v->text)
		return false;
	if (!v->in_memory)
		return true;
	v->in_memory = false;
	if (t && t->kind == CTYPE_ARRAY) {
		v->number = v->address;
		v->type = types_pointer_to(s->types, types_target(s->types, t));
		return v->type != NULL;
	}
	if (!t || t->kind == CTYPE_STRUCT || t->kind == CTYPE_OTHER || t->size == 0 || t->size > 8)
		return false;
	size_t size = v->bits ? (v->shift + v->bits + 7u) / 8 : t->size;
	if (size > sizeof(byte) || debugger_read_linear(s->d, v->address, byte, size) != size)
		return false;
	v->number = 0;
	for (unsigned i = 0; i < 8; i++)
		v->number |= (uint64_t)byte[i] << 8 * i;
	v->number = extend(v->number >> (v->bits ? v->shift : 0), v->bits ? v->bits : 8 * t->size, t->is_signed);
	return true;
}

static bool eval_loaded(struct cscope *s, struct cexpr *e, struct cval *v)
{
	return cexpr_eval(s, e, v) && load(s, v);
}

static bool find_name(struct cscope *s, struct cexpr *e, struct cval *v)
{
	struct ctype *type;
	uint32_t address;
	int64_t constant;

	for (unsigned i = 0; i < s->vars; i++)
		if (!strcmp(s->var[i].name, e->text)) {
			*v = plain(s->var[i].value, s->var[i].type);
			return true;
		}
	if (e->serial == s->serial) {
		*v = e->kept;
		return true;
	}
	if (types_constant(s->types, e->text, &constant, &type))
		*v = plain((uint64_t)constant, NULL);
	else if (types_variable(s->types, e->text, &address, &type))
		*v = (struct cval){ .type = type, .in_memory = true, .address = address };
	else if (s->symbols && !symbols_find(s->symbols, e->text, &address))
		*v = plain(address, NULL);
	else
		return false;
	e->serial = s->serial;
	e->kept = *v;
	return true;
}

/* The struct at v: a value in memory, or what a pointer points to. */
static bool select_field(struct cscope *s, struct cval *v, const char *name)
{
	struct cfield f;

	if (!v->type || v->type->kind != CTYPE_STRUCT || !types_field(s->types, v->type, name, &f))
		return false;
	*v = (struct cval){ .type = f.type, .in_memory = true, .address = v->address + f.offset, .shift = f.shift, .bits = f.bits };
	return true;
}

static bool dereference(struct cscope *s, struct cval *v)
{
	struct ctype *target;

	if (!load(s, v) || !v->type || v->type->kind != CTYPE_POINTER || !(target = types_target(s->types, v->type)))
		return false;
	*v = (struct cval){ .type = target, .in_memory = true, .address = (uint32_t)v->number };
	return true;
}

static bool address_of(struct cscope *s, struct cval *v)
{
	if (!v->in_memory || v->bits)
		return false;
	*v = plain(v->address, types_pointer_to(s->types, v->type));
	return true;
}

/* How far a pointer of this type moves by one. */
static uint32_t stride(struct cscope *s, struct ctype *t)
{
	struct ctype *target = t && t->kind == CTYPE_POINTER ? types_target(s->types, t) : NULL;

	return target && target->size ? target->size : 1;
}

static bool eval_index(struct cscope *s, struct cexpr *e, struct cval *v)
{
	struct cval index;

	if (!eval_loaded(s, e->a, v) || !eval_loaded(s, e->b, &index) || !v->type || v->type->kind != CTYPE_POINTER)
		return false;
	v->number = (uint32_t)(v->number + index.number * stride(s, v->type));
	return dereference(s, v);
}

static struct ctype *named_type(struct cscope *s, struct cexpr *e)
{
	if (!e->type)
		e->type = ctype_resolve(s->types, e->text, e->stars);
	return e->type;
}

static bool eval_cast(struct cscope *s, struct cexpr *e, struct cval *v)
{
	struct ctype *t = named_type(s, e);

	if (!t || t->kind == CTYPE_STRUCT || !eval_loaded(s, e->a, v))
		return false;
	*v = plain(extend(v->number, 8 * (t->size ? t->size : 8), t->is_signed), t);
	return true;
}

static bool eval_container(struct cscope *s, struct cexpr *e, struct cval *v)
{
	struct ctype *t = named_type(s, e);
	struct cfield f;

	if (!t || !types_field(s->types, t, e->member, &f) || !eval_loaded(s, e->a, v))
		return false;
	*v = plain((uint32_t)(v->number - f.offset), types_pointer_to(s->types, t));
	return true;
}

static bool eval_pa(struct cscope *s, struct cexpr *e, struct cval *v)
{
	paddr_t pa;

	if (!eval_loaded(s, e->a, v) || !mmu_peek(&s->d->m->mmu, (laddr_t)v->number, &pa))
		return false;
	*v = plain(pa, NULL);
	return true;
}

static bool compute(unsigned op, uint64_t a, uint64_t b, uint64_t *r)
{
	switch (op) {
	case OP_EQ: *r = a == b; break;
	case OP_NE: *r = a != b; break;
	case OP_LE: *r = a <= b; break;
	case OP_GE: *r = a >= b; break;
	case OP_LT: *r = a < b; break;
	case OP_GT: *r = a > b; break;
	case OP_OR: *r = a | b; break;
	case OP_XOR: *r = a ^ b; break;
	case OP_AND: *r = a & b; break;
	case OP_ADD: *r = a + b; break;
	case OP_SUB: *r = a - b; break;
	case OP_MUL: *r = a * b; break;
	case OP_SHL: *r = b < 64 ? a << b : 0; break;
	case OP_SHR: *r = b < 64 ? a >> b : 0; break;
	case OP_DIV: if (b) *r = a / b; return b != 0;
	case OP_MOD: if (b) *r = a % b; return b != 0;
	}
	return true;
}

static bool eval_binary(struct cscope *s, struct cexpr *e, struct cval *v)
{
	struct cval a, b;
	uint64_t r = 0;

	if (!eval_loaded(s, e->a, &a))
		return false;
	if (e->op == OP_OROR || e->op == OP_ANDAND) {
		bool decided = (a.number != 0) == (e->op == OP_OROR);
		if (!decided && !eval_loaded(s, e->b, &b))
			return false;
		*v = plain(decided ? a.number != 0 : b.number != 0, NULL);
		return true;
	}
	if (!eval_loaded(s, e->b, &b))
		return false;
	bool pointer = a.type && a.type->kind == CTYPE_POINTER, two = pointer && b.type && b.type->kind == CTYPE_POINTER;
	uint32_t step = pointer && (e->op == OP_ADD || e->op == OP_SUB) ? stride(s, a.type) : 1;
	if (!two)
		b.number *= step;
	if (!compute(e->op, a.number, b.number, &r))
		return false;
	if (two && e->op == OP_SUB)
		*v = plain((uint64_t)((int64_t)r / (int64_t)step), NULL);
	else if (pointer && (e->op == OP_ADD || e->op == OP_SUB))
		*v = plain((uint32_t)r, a.type);
	else
		*v = plain(r, NULL);
	return true;
}

static bool eval_unary(struct cscope *s, struct cexpr *e, struct cval *v)
{
	if (!eval_loaded(s, e->a, v))
		return false;
	uint64_t n = v->number;
	*v = plain(e->kind == NODE_MINUS ? -n : e->kind == NODE_NOT ? !n : ~n, NULL);
	return true;
}

bool cexpr_eval(struct cscope *s, struct cexpr *e, struct cval *v)
{
	uint32_t address;
	uint64_t n;

	switch (e->kind) {
	case NODE_NUMBER:
		*v = plain(e->number, NULL);
		return true;
	case NODE_TEXT:
		*v = (struct cval){ .text = e->text };
		return e->text != NULL;
	case NODE_NAME:
		return find_name(s, e, v);
	case NODE_FIELD:
		return cexpr_eval(s, e->a, v) && v->in_memory && select_field(s, v, e->text);
	case NODE_ARROW:
		return cexpr_eval(s, e->a, v) && dereference(s, v) && select_field(s, v, e->text);
	case NODE_INDEX:
		return eval_index(s, e, v);
	case NODE_CAST:
		return eval_cast(s, e, v);
	case NODE_CONTAINER:
		return eval_container(s, e, v);
	case NODE_PA:
		return eval_pa(s, e, v);
	case NODE_ADDRESS:
		if (e->serial != s->serial) {
			if (!e->text || !s->symbols || symbols_find(s->symbols, e->text, &address))
				return false;
			e->serial = s->serial;
			e->kept = plain(address, NULL);
		}
		*v = e->kept;
		return true;
	case NODE_DEREF:
		return cexpr_eval(s, e->a, v) && dereference(s, v);
	case NODE_ADDRESS_OF:
		return cexpr_eval(s, e->a, v) && address_of(s, v);
	case NODE_MINUS:
	case NODE_NOT:
	case NODE_INVERT:
		return eval_unary(s, e, v);
	case NODE_BINARY:
		return eval_binary(s, e, v);
	case NODE_CHOICE:
		return e->c && e->b && cexpr_number(s, e->a, &n) && cexpr_eval(s, n ? e->b : e->c, v);
	}
	return false;
}

bool cexpr_number(struct cscope *s, struct cexpr *e, uint64_t *number)
{
	struct cval v;

	if (!eval_loaded(s, e, &v))
		return false;
	*number = v.number;
	return true;
}

bool cexpr_pointer(struct cscope *s, struct cexpr *e, uint64_t *number, struct ctype **type)
{
	struct cval v;

	if (!cexpr_eval(s, e, &v))
		return false;
	if (v.in_memory && v.type && v.type->kind == CTYPE_STRUCT && !address_of(s, &v))
		return false;
	if (!load(s, &v))
		return false;
	*number = v.number;
	*type = v.type;
	return true;
}

static void printable(char *text)
{
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || (unsigned char)*c > 0x7e)
			*c = '?';
}

bool cexpr_text(struct cscope *s, struct cexpr *e, char *buf, size_t size)
{
	struct cval v;
	struct ctype *target = NULL;

	*buf = 0;
	if (!cexpr_eval(s, e, &v))
		return false;
	if (v.text) {
		snprintf(buf, size, "%s", v.text);
		return true;
	}
	size_t room = v.type && v.type->kind == CTYPE_ARRAY && v.type->count < size - 1 ? v.type->count : size - 1;
	if (!load(s, &v))
		return false;
	if (v.type && (v.type->kind == CTYPE_POINTER))
		target = types_target(s->types, v.type);
	const char *name = v.type ? types_value_name(s->types, v.type, (int64_t)v.number) : NULL;
	if (target && target->kind == CTYPE_INT && target->size == 1) {
		buf[v.number ? debugger_read_linear(s->d, (uint32_t)v.number, buf, room) : 0] = 0;
		printable(buf);
	} else if (name) {
		snprintf(buf, size, "%s", name);
	} else {
		snprintf(buf, size, "%llu", (unsigned long long)v.number);
	}
	return true;
}

const char *cexpr_unknown(struct cscope *s, const struct cexpr *e)
{
	struct cval v;
	const char *name;

	if (!e)
		return NULL;
	if (e->kind == NODE_NAME && !find_name(s, (struct cexpr *)e, &v))
		return e->text;
	if ((e->kind == NODE_CAST || e->kind == NODE_CONTAINER) && !named_type(s, (struct cexpr *)e))
		return e->text;
	if ((name = cexpr_unknown(s, e->a)) || (name = cexpr_unknown(s, e->b)))
		return name;
	return cexpr_unknown(s, e->c);
}
