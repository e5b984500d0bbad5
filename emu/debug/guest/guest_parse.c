/* emu/debug/guest/guest_parse.c: expressions of descriptions (guest_expr.h), from text to a tree, by C's precedences. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/debug/guest/guest_node.h"

#define DEPTH_MAX 64
#define NODES_MAX 1000

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
