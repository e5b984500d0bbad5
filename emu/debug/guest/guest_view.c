/* emu/debug/guest/guest_view.c: reads a description of a guest's kernel.
 *
 *   guest "Teach"                                       # its name
 *   when symbol proc_table                              # it is this kernel: all such lines must hold
 *   user end 0x80000000                                 # user addresses end here
 *   process p from &proc_table[0] next p + 1 while p < &proc_table[NPROC] where p->state != UNUSED
 *       id    p->pid
 *       name  p->comm
 *       state p->state
 *       cr3   p->pgdir - 0x80000000
 *   region r of p from p->mm->first next r->next        # also: process, region, frame, swap
 *       start r->start
 *       end   r->end
 *
 * Lines that begin with a blank belong to the line above that does not. README.md in views/ has the whole language.
 */
#include "emu/debug/guest/guest_private.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES_MAX 10000u

static const char *const process_fields[] = { "id", "parent", "name", "state", "cr3", "current", NULL };
static const char *const region_fields[] = { "start", "end", "read", "write", "execute", "kind", "name", "offset", NULL };
static const char *const frame_fields[] = { "owner", "references", "dirty", "pinned", "counted", "extra", NULL };
static const char *const swap_fields[] = { "slot", "references", "owner", NULL };
static const struct { const char *name; const char *const *fields; } blocks[BLOCKS] = {
	{ "process", process_fields }, { "region", region_fields }, { "frame", frame_fields }, { "swap", swap_fields },
};

struct reader {
	struct description *v;
	const char *file;
	unsigned line;
	const char *at;
	char *err;
	struct block *block;           /* that indented lines belong to, or ... */
	const char *const *fields;
	struct ctype *structure;       /* ... this */
};

static bool __attribute__((format(printf, 2, 3))) wrong(struct reader *r, const char *fmt, ...)
{
	char what[ERROR_LINE / 2];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	snprintf(r->err, ERROR_LINE, "%.200s:%u: %s", r->file, r->line, what);
	return false;
}

static void blanks(struct reader *r)
{
	while (isspace((unsigned char)*r->at))
		r->at++;
}

/* A word, into buf. Empty: none stands here. */
static const char *word(struct reader *r, char *buf, size_t size)
{
	size_t n = 0;

	blanks(r);
	while (isalnum((unsigned char)r->at[n]) || r->at[n] == '_')
		n++;
	snprintf(buf, size, "%.*s", (int)(n < size ? n : size - 1), r->at);
	r->at += n;
	return buf;
}

static char *new_word(struct reader *r)
{
	char buf[128];

	word(r, buf, sizeof(buf));
	if (!*buf)
		wrong(r, "a name is missing");
	return *buf ? strdup(buf) : NULL;
}

static char *new_string(struct reader *r)
{
	blanks(r);
	const char *end = *r->at == '"' ? strchr(r->at + 1, '"') : NULL;
	if (!end) {
		wrong(r, "a text in \"...\" is missing");
		return NULL;
	}
	char *text = strndup(r->at + 1, (size_t)(end - r->at - 1));
	r->at = end + 1;
	return text;
}

static struct cexpr *expression(struct reader *r)
{
	char what[ERROR_LINE];
	struct cexpr *e = cexpr_parse(&r->at, what);

	if (!e)
		wrong(r, "%.200s", what);
	return e;
}

static bool only(struct reader *r, struct cexpr **to, const char *what)
{
	if (*to)
		return wrong(r, "%s is said twice", what);
	*to = expression(r);
	return *to != NULL;
}

static bool line_ends(struct reader *r)
{
	blanks(r);
	return !*r->at || wrong(r, "unexpected '%.40s'", r->at);
}

/* --- lines ---------------------------------------------------------------------------------------------------------- */

static bool read_guest(struct reader *r)
{
	if (r->v->name)
		return wrong(r, "the guest is named twice");
	r->v->name = new_string(r);
	return r->v->name != NULL;
}

static bool read_when(struct reader *r)
{
	char kind[16];
	struct condition *c = &r->v->condition[r->v->conditions];

	if (r->v->conditions == CONDITIONS_MAX)
		return wrong(r, "more than %d lines `when`", CONDITIONS_MAX);
	word(r, kind, sizeof(kind));
	if (!strcmp(kind, "symbol"))
		c->symbol = new_word(r);
	else if (!strcmp(kind, "linux"))
		c->linux_version = new_string(r);
	else
		return wrong(r, "`when symbol NAME` or `when linux \"VERSION\"` expected");
	if (!c->symbol && !c->linux_version)
		return false;
	r->v->conditions++;
	return true;
}

static bool read_symbols(struct reader *r)
{
	char kind[16];

	r->v->kallsyms = !strcmp(word(r, kind, sizeof(kind)), "kallsyms");
	return r->v->kallsyms || wrong(r, "`symbols kallsyms` expected");
}

static bool read_user(struct reader *r)
{
	char end[8];

	return strcmp(word(r, end, sizeof(end)), "end") ? wrong(r, "`user end ADDRESS` expected") : only(r, &r->v->user_end, "user end");
}

static bool read_struct(struct reader *r)
{
	char name[128];

	word(r, name, sizeof(name));
	blanks(r);
	char *end;
	unsigned long size = strtoul(r->at, &end, 0);
	if (!*name || end == r->at || size > 1u << 24)
		return wrong(r, "`struct NAME SIZE` expected");
	r->at = end;
	r->structure = types_define(&r->v->types, name, (uint32_t)size);
	return r->structure || wrong(r, "out of memory");
}

/* What may follow in a block's first line, in any order. */
static bool read_loop(struct reader *r, struct block *b)
{
	char key[16], name[128];

	while (*word(r, key, sizeof(key))) {
		bool ok = true;
		if (!strcmp(key, "from") || !strcmp(key, "tree")) {
			b->tree = *key == 't';
			ok = only(r, &b->from, key);
		} else if (!strcmp(key, "next")) {
			ok = only(r, &b->next, key);
		} else if (!strcmp(key, "while")) {
			ok = only(r, &b->loop, key);
		} else if (!strcmp(key, "where")) {
			ok = only(r, &b->where, key);
		} else if (!strcmp(key, "as") && !b->as) {
			ok = ctype_parse(&r->at, name, sizeof(name), &b->as_stars) || wrong(r, "a type is missing behind `as`");
			b->as = ok ? strdup(name) : NULL;
		} else {
			ok = wrong(r, "'%s' is not one of from, tree, next, while, where, as", key);
		}
		if (!ok)
			return false;
	}
	return line_ends(r);
}

static bool read_block(struct reader *r, enum block_kind kind)
{
	struct block *b = &r->v->block[kind];
	char key[16];

	if (b->present)
		return wrong(r, "%s is described twice", blocks[kind].name);
	*b = (struct block){ .present = true, .line = r->line };
	r->block = b;
	r->fields = blocks[kind].fields;
	if (!(b->var = new_word(r)))
		return false;
	if (kind == BLOCK_REGION || kind == BLOCK_FRAME) {
		const char *preposition = kind == BLOCK_REGION ? "of" : "number";
		if (strcmp(word(r, key, sizeof(key)), preposition) || !(b->over = new_word(r)))
			return wrong(r, "`%s %s %s NAME` expected", blocks[kind].name, b->var, preposition);
	}
	if (!read_loop(r, b))
		return false;
	if (!b->from)
		return wrong(r, "%s: `from` is missing", blocks[kind].name);
	if (kind != BLOCK_FRAME && !b->tree && !b->next)
		return wrong(r, "%s: `next` is missing", blocks[kind].name);
	if (b->tree != (b->as != NULL))
		return wrong(r, "`tree` and `as` go together");
	return true;
}

static bool read_field(struct reader *r)
{
	char name[32];

	word(r, name, sizeof(name));
	for (unsigned i = 0; r->fields[i]; i++)
		if (!strcmp(r->fields[i], name)) {
			r->block->field_line[i] = r->line;
			return only(r, &r->block->field[i], name) && line_ends(r);
		}
	return wrong(r, "'%s' is no field here", name);
}

/* NAME TYPE [COUNT] at OFFSET */
static bool read_member(struct reader *r)
{
	char name[128], type_name[128], key[8];
	unsigned stars;
	char *end;

	word(r, name, sizeof(name));
	if (!*name || !ctype_parse(&r->at, type_name, sizeof(type_name), &stars))
		return wrong(r, "`NAME TYPE at OFFSET` expected");
	struct ctype *type = ctype_resolve(&r->v->types, type_name, stars);
	if (!type)
		return wrong(r, "type '%s' is not known", type_name);
	blanks(r);
	if (*r->at == '[') {
		unsigned long count = strtoul(r->at + 1, &end, 0);
		if (*end != ']' || count == 0 || count > 1u << 24 || !(type = types_array_of(&r->v->types, type, (uint32_t)count)))
			return wrong(r, "`[COUNT]` expected");
		r->at = end + 1;
	}
	word(r, key, sizeof(key));
	unsigned long offset = strtoul(r->at, &end, 0);
	if (strcmp(key, "at") || end == r->at || offset > 1u << 24)
		return wrong(r, "`at OFFSET` expected");
	r->at = end;
	return (types_define_field(&r->v->types, r->structure, name, type, (uint32_t)offset) || wrong(r, "out of memory")) && line_ends(r);
}

static bool read_top(struct reader *r)
{
	char key[16];
	bool ok;

	r->block = NULL;
	r->structure = NULL;
	word(r, key, sizeof(key));
	for (unsigned i = 0; i < BLOCKS; i++)
		if (!strcmp(key, blocks[i].name))
			return read_block(r, (enum block_kind)i);
	if (!strcmp(key, "guest"))
		ok = read_guest(r);
	else if (!strcmp(key, "when"))
		ok = read_when(r);
	else if (!strcmp(key, "symbols"))
		ok = read_symbols(r);
	else if (!strcmp(key, "user"))
		ok = read_user(r);
	else if (!strcmp(key, "struct"))
		ok = read_struct(r);
	else
		return wrong(r, "'%.40s' is not one of guest, when, symbols, user, struct, process, region, frame, swap", *key ? key : r->at);
	return ok && line_ends(r);
}

/* # begins a comment, but not in a text. */
static void cut_comment(char *line)
{
	bool text = false;

	for (; *line; line++) {
		text ^= *line == '"';
		if (*line == '#' && !text) {
			*line = 0;
			return;
		}
	}
}

static bool read_line(struct reader *r, char *line)
{
	bool inner = *line == ' ' || *line == '\t';

	cut_comment(line);
	r->at = line;
	blanks(r);
	if (!*r->at)
		return true;
	if (!inner)
		return read_top(r);
	if (r->structure)
		return read_member(r);
	return r->block ? read_field(r) : wrong(r, "an indented line, and nothing above it that it could belong to");
}

static bool read_lines(struct reader *r, char *text)
{
	for (char *line = text, *next; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		if (++r->line > LINES_MAX)
			return wrong(r, "more than %u lines", LINES_MAX);
		if (!read_line(r, line))
			return false;
	}
	return r->v->name != NULL || wrong(r, "`guest \"NAME\"` is missing");
}

struct description *description_read(const char *file, const char *text, Dwarf *dwarf, char *err)
{
	struct description *v = calloc(1, sizeof(*v));
	char *copy = strdup(text);
	struct reader r = { .v = v, .file = file, .err = err };

	if (v && copy) {
		v->file = strdup(file);
		v->types.dwarf = dwarf;
		if (read_lines(&r, copy)) {
			free(copy);
			return v;
		}
	} else {
		loader_fail(err, "out of memory");
	}
	free(copy);
	description_free(v);
	return NULL;
}

static void free_block(struct block *b)
{
	free(b->var);
	free(b->over);
	free(b->as);
	cexpr_free(b->from);
	cexpr_free(b->next);
	cexpr_free(b->loop);
	cexpr_free(b->where);
	for (unsigned i = 0; i < FIELDS_OF_BLOCK; i++)
		cexpr_free(b->field[i]);
}

void description_free(struct description *v)
{
	if (!v)
		return;
	for (unsigned i = 0; i < v->conditions; i++) {
		free(v->condition[i].symbol);
		free(v->condition[i].linux_version);
	}
	for (unsigned i = 0; i < BLOCKS; i++)
		free_block(&v->block[i]);
	cexpr_free(v->user_end);
	types_free(&v->types);
	free(v->name);
	free(v->file);
	free(v);
}
