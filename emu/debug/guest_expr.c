/* emu/debug/guest_expr.c: see guest_expr.h. First the parser, by C's precedences, then the evaluation of its tree. */
#include "emu/debug/guest_expr.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 64
#define NODES_MAX 1000

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

/* --- parser --------------------------------------------------------------------------------------------------------- */

struct parser { const char *at; unsigned depth, nodes; char *err; bool failed; };

static struct cexpr *parse_choice(struct parser *p);

static void *syntax(struct parser *p, const char *what)
{
	if (!p->failed)
		snprintf(p->err, ERROR_LINE, "%s at '%.40s'", what, *p->at ? p->at : "end of line");
	p->failed = true;
	return NULL;
}

void cexpr_free(struct cexpr *e)
{
	if (!e)
		return;
	cexpr_free(e->a);
	cexpr_free(e->b);
	cexpr_free(e->c);
	free(e->text);
	free(e->member);
	free(e);
}

static struct cexpr *node(struct parser *p, enum node_kind kind, struct cexpr *a, struct cexpr *b)
{
	struct cexpr *e = p->failed || ++p->nodes > NODES_MAX ? NULL : calloc(1, sizeof(*e));

	if (!e) {
		cexpr_free(a);
		cexpr_free(b);
		return syntax(p, "expression too long");
	}
	e->kind = kind;
	e->a = a;
	e->b = b;
	return e;
}

static void blanks(struct parser *p)
{
	while (isspace((unsigned char)*p->at))
		p->at++;
}

static bool token(struct parser *p, const char *text)
{
	blanks(p);
	size_t n = strlen(text);
	if (strncmp(p->at, text, n))
		return false;
	p->at += n;
	return true;
}

static bool need(struct parser *p, const char *text)
{
	char what[32];

	if (token(p, text))
		return true;
	snprintf(what, sizeof(what), "'%s' expected", text);
	syntax(p, what);
	return false;
}

static bool name_char(char c) { return isalnum((unsigned char)c) || c == '_'; }

/* A name, copied. NULL: none stands here. */
static char *word(struct parser *p)
{
	blanks(p);
	const char *start = p->at;
	if (isdigit((unsigned char)*start))
		return NULL;
	while (name_char(*p->at))
		p->at++;
	return p->at > start ? strndup(start, (size_t)(p->at - start)) : NULL;
}

bool ctype_parse(const char **at, char *name, size_t size, unsigned *stars)
{
	static const char *const tags[] = { "struct", "union", "enum" };
	struct parser p = { .at = *at };
	char *first = word(&p), *second = NULL;
	bool tag = false;

	for (unsigned i = 0; first && i < 3; i++)
		tag |= !strcmp(first, tags[i]);
	if (tag)
		second = word(&p);
	bool ok = first && (!tag || second) && snprintf(name, size, "%s%s%s", first, tag ? " " : "", tag ? second : "") < (int)size;
	free(first);
	free(second);
	if (!ok)
		return false;
	for (*stars = 0; *stars < 8 && token(&p, "*"); ++*stars)
		;
	*at = p.at;
	return true;
}

struct ctype *ctype_resolve(struct types *t, const char *name, unsigned stars)
{
	struct ctype *type = !strcmp(name, "void") ? NULL : types_named(t, name);

	if (!type && (!stars || strcmp(name, "void")))
		return NULL;
	while (stars--)
		type = types_pointer_to(t, type);
	return type;
}

/* Behind "(": is this a cast? "(name)" is one only with a star, or for a basic type's name. */
static bool is_cast(struct parser *p, char *name, size_t size, unsigned *stars)
{
	static const char *const basic[] = { "u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "char", "int", "unsigned", "long" };
	const char *at = p->at;

	if (!ctype_parse(&at, name, size, stars))
		return false;
	while (isspace((unsigned char)*at))
		at++;
	bool type = *stars || strchr(name, ' ');
	for (size_t i = 0; i < sizeof(basic) / sizeof(basic[0]); i++)
		type |= !strcmp(name, basic[i]);
	if (*at != ')' || !type)
		return false;
	p->at = at + 1;
	return true;
}

static struct cexpr *parse_number(struct parser *p)
{
	char *end;
	struct cexpr *e = node(p, NODE_NUMBER, NULL, NULL);

	if (!e)
		return NULL;
	bool hex = p->at[0] == '0' && (p->at[1] | 0x20) == 'x';
	e->number = strtoull(p->at, &end, hex ? 16 : 10);
	if (end == p->at || name_char(*end)) {
		cexpr_free(e);
		return syntax(p, "no number");
	}
	p->at = end;
	return e;
}

static struct cexpr *parse_text(struct parser *p)
{
	const char *end = strchr(++p->at, '"');
	struct cexpr *e = end ? node(p, NODE_TEXT, NULL, NULL) : syntax(p, "no end of the string");

	if (e) {
		e->text = strndup(p->at, (size_t)(end - p->at));
		p->at = end + 1;
	}
	return e;
}

/* container(pointer, struct NAME, field) */
static struct cexpr *parse_container(struct parser *p)
{
	char name[128];
	unsigned stars;
	struct cexpr *e = node(p, NODE_CONTAINER, parse_choice(p), NULL);

	if (!e || !need(p, ",") || !ctype_parse(&p->at, name, sizeof(name), &stars) || stars || !need(p, ",") || !(e->member = word(p))) {
		cexpr_free(e);
		return syntax(p, "container(pointer, struct NAME, field) expected");
	}
	e->text = strdup(name);
	return e;
}

static struct cexpr *parse_name(struct parser *p)
{
	char *name = word(p);
	struct cexpr *e;

	if (!name)
		return syntax(p, "a value is missing");
	if (!token(p, "(")) {
		if ((e = node(p, NODE_NAME, NULL, NULL)))
			e->text = name;
		else
			free(name);
		return e;
	}
	if (!strcmp(name, "container")) {
		e = parse_container(p);
	} else if (!strcmp(name, "pa")) {
		e = node(p, NODE_PA, parse_choice(p), NULL);
	} else if (!strcmp(name, "address")) {
		if ((e = node(p, NODE_ADDRESS, NULL, NULL)))
			e->text = word(p);
	} else {
		e = syntax(p, "unknown function before");
	}
	free(name);
	if (e && !need(p, ")")) {
		cexpr_free(e);
		return NULL;
	}
	return e;
}

static struct cexpr *parse_primary(struct parser *p)
{
	blanks(p);
	if (isdigit((unsigned char)*p->at))
		return parse_number(p);
	if (*p->at == '"')
		return parse_text(p);
	if (!token(p, "("))
		return parse_name(p);
	struct cexpr *e = parse_choice(p);
	if (e && !need(p, ")")) {
		cexpr_free(e);
		return NULL;
	}
	return e;
}

static struct cexpr *parse_postfix(struct parser *p)
{
	struct cexpr *e = parse_primary(p);

	while (e && !p->failed) {
		bool arrow = token(p, "->");
		if (arrow || token(p, ".")) {
			char *name = word(p);
			e = node(p, arrow ? NODE_ARROW : NODE_FIELD, e, NULL);
			if (e)
				e->text = name;
			else
				free(name);
			if (e && !name) {
				cexpr_free(e);
				return syntax(p, "a field's name is missing");
			}
		} else if (token(p, "[")) {
			e = node(p, NODE_INDEX, e, parse_choice(p));
			if (e && !need(p, "]")) {
				cexpr_free(e);
				return NULL;
			}
		} else {
			break;
		}
	}
	return e;
}

static struct cexpr *parse_unary(struct parser *p)
{
	static const struct { char c; enum node_kind kind; } unary[] = {
		{ '*', NODE_DEREF }, { '&', NODE_ADDRESS_OF }, { '-', NODE_MINUS }, { '!', NODE_NOT }, { '~', NODE_INVERT },
	};
	char name[128];
	unsigned stars;
	struct cexpr *e = NULL;

	if (++p->depth > DEPTH_MAX)
		return syntax(p, "expression too deep");
	blanks(p);
	for (size_t i = 0; i < sizeof(unary) / sizeof(unary[0]) && !e; i++)
		if (*p->at == unary[i].c) {
			p->at++;
			e = node(p, unary[i].kind, parse_unary(p), NULL);
			p->depth--;
			return e;
		}
	const char *start = p->at;
	if (token(p, "(") && is_cast(p, name, sizeof(name), &stars)) {
		e = node(p, NODE_CAST, parse_unary(p), NULL);
		if (e) {
			e->text = strdup(name);
			e->stars = stars;
		}
	} else {
		p->at = start;
		e = parse_postfix(p);
	}
	p->depth--;
	return e;
}

static const struct { char text[3]; uint8_t level; } binary[] = {
	{ "||", 1 }, { "&&", 2 }, { "==", 6 }, { "!=", 6 }, { "<<", 8 }, { ">>", 8 }, { "<=", 7 }, { ">=", 7 }, { "<", 7 }, { ">", 7 },
	{ "|", 3 }, { "^", 4 }, { "&", 5 }, { "+", 9 }, { "-", 9 }, { "*", 10 }, { "/", 10 }, { "%", 10 },
};
enum { OP_OROR, OP_ANDAND, OP_EQ, OP_NE, OP_SHL, OP_SHR, OP_LE, OP_GE, OP_LT, OP_GT, OP_OR, OP_XOR, OP_AND, OP_ADD, OP_SUB, OP_MUL,
	OP_DIV, OP_MOD, OPS };

/* The operator here, if it binds at least as tightly as level; OPS: none. */
static unsigned binary_here(struct parser *p, unsigned level)
{
	blanks(p);
	for (unsigned i = 0; i < OPS; i++)
		if (!strncmp(p->at, binary[i].text, strlen(binary[i].text)))
			return binary[i].level >= level ? i : OPS;
	return OPS;
}

static struct cexpr *parse_binary(struct parser *p, unsigned level)
{
	struct cexpr *e = parse_unary(p);
	unsigned op;

	if (++p->depth > DEPTH_MAX) {
		cexpr_free(e);
		return syntax(p, "expression too deep");
	}
	while (e && (op = binary_here(p, level)) < OPS) {
		p->at += strlen(binary[op].text);
		e = node(p, NODE_BINARY, e, parse_binary(p, binary[op].level + 1u));
		if (e)
			e->op = (uint8_t)op;
	}
	p->depth--;
	return e;
}

static struct cexpr *parse_choice(struct parser *p)
{
	if (++p->depth > DEPTH_MAX)
		return syntax(p, "expression too deep");
	struct cexpr *e = parse_binary(p, 1);
	if (e && token(p, "?")) {
		struct cexpr *yes = parse_choice(p);
		struct cexpr *no = yes && need(p, ":") ? parse_choice(p) : NULL;
		if ((e = node(p, NODE_CHOICE, e, yes)))
			e->c = no;
		else
			cexpr_free(no);
	}
	p->depth--;
	return e;
}

struct cexpr *cexpr_parse(const char **at, char *err)
{
	struct parser p = { .at = *at, .err = err };
	struct cexpr *e = parse_choice(&p);

	if (p.failed) {
		cexpr_free(e);
		return NULL;
	}
	*at = p.at;
	return e;
}

/* --- evaluation ----------------------------------------------------------------------------------------------------- */

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
