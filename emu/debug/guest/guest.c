/* emu/debug/guest/guest.c: see guest.h and guest_private.h. Guest memory is whatever the guest made of it: a list that runs in a circle ends, one
 * that is endless is cut, a pointer that leads nowhere makes its field empty. */
#include "emu/debug/guest/guest_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THINGS_MAX 100000u             /* processes; regions of one; swap slots more: */
#define SLOTS_MAX 4000000u

/* --- which description ---------------------------------------------------------------------------------------------- */

/* The texts of views/, one for each guest; see builtin_views.c. */
extern const char *const builtin_views[];

static const struct module *kernel_module(const struct debugger *d)
{
	for (const struct module *m = d->source ? d->source->modules : NULL; m; m = m->next)
		if (!m->space)
			return m;
	return NULL;
}

/* The version that a bzImage carries in its setup code, as "6.1.0-50-686 (...) ...". */
static bool linux_version_is(const struct kernel *k, const char *version)
{
	if (!k || k->kind != KERNEL_LINUX || k->file.size < 0x210)
		return false;
	size_t at = (k->file.data[0x20e] | (size_t)k->file.data[0x20f] << 8) + 0x200, n = strlen(version);
	return at + n <= k->file.size && !memcmp(k->file.data + at, version, n);
}

static bool fits(const struct debugger *d, const struct description *v)
{
	const struct module *m = kernel_module(d);
	uint32_t address;

	for (unsigned i = 0; i < v->conditions; i++) {
		const struct condition *c = &v->condition[i];
		if (c->symbol && (!m || symbols_find(&m->symbols, c->symbol, &address)))
			return false;
		if (c->linux_version && !linux_version_is(d->m->kernel, c->linux_version))
			return false;
	}
	return v->conditions > 0;
}

/* A name that the kernel does not have: better said now than empty views later. Regions know the process's variable, frames their number. */
static bool names_known(struct guest *g, struct block *b, struct block *process, char *err)
{
	struct cscope s = g->scope;
	struct cexpr *all[FIELDS_OF_BLOCK + 4] = { b->from, b->next, b->loop, b->where };
	unsigned line[FIELDS_OF_BLOCK + 4] = { b->line, b->line, b->line, b->line };

	for (unsigned i = 0; i < FIELDS_OF_BLOCK; i++) {
		all[4 + i] = b->field[i];
		line[4 + i] = b->field_line[i];
	}
	s.var[s.vars++].name = b->var;
	if (b->over)
		s.var[s.vars++].name = b->over;
	(void)process;
	for (unsigned i = 0; i < FIELDS_OF_BLOCK + 4; i++) {
		const char *name = cexpr_unknown(&s, all[i]);
		if (name) {
			loader_fail(err, "%.200s:%u: the kernel has no '%.60s'", g->view->file, line[i], name);
			return false;
		}
	}
	return true;
}

static struct guest *guest_make(struct debugger *d, struct description *v)
{
	const struct module *m = kernel_module(d);
	struct guest *g = calloc(1, sizeof(*g));

	if (!g) {
		description_free(v);
		return NULL;
	}
	g->view = v;
	g->looked_at = UINT64_MAX;
	g->kernel_symbols = m ? &m->symbols : NULL;
	g->scope = (struct cscope){ .d = d, .types = &v->types, .symbols = g->kernel_symbols, .serial = 1 };
	return g;
}

static int open_file(struct debugger *d, const char *file, struct guest **g, char *err)
{
	const struct module *m = kernel_module(d);
	struct host_file text;

	if (host_file_read(&text, file, "description", err))
		return -1;
	char *copy = text.size < DESCRIPTION_MAX ? strndup((const char *)text.data, text.size) : NULL;
	host_file_free(&text);
	if (!copy)
		return loader_fail(err, "description '%.300s' is larger than %u bytes", file, DESCRIPTION_MAX);
	struct description *v = description_read(file, copy, m ? m->dwarf : NULL, err);
	free(copy);
	if (!v)
		return -1;
	*g = guest_make(d, v);
	for (unsigned i = 0; *g && i < BLOCKS && !v->kallsyms; i++)
		if (v->block[i].present && !names_known(*g, &v->block[i], &v->block[BLOCK_PROCESS], err)) {
			guest_close(*g);
			*g = NULL;
			return -1;
		}
	return *g ? 0 : loader_fail(err, "out of memory");
}

int guest_open(struct debugger *d, const char *file, struct guest **g, char *err)
{
	const struct module *m = kernel_module(d);

	*g = NULL;
	if (file)
		return open_file(d, file, g, err);
	for (unsigned i = 0; builtin_views[i]; i++) {
		struct description *v = description_read("built-in description", builtin_views[i], m ? m->dwarf : NULL, err);
		if (!v)
			return -1;
		if (fits(d, v) && (v->kallsyms || (m && m->dwarf))) {
			*g = guest_make(d, v);
			return *g ? 0 : loader_fail(err, "out of memory");
		}
		description_free(v);
	}
	return 0;
}

void guest_close(struct guest *g)
{
	if (!g)
		return;
	description_free(g->view);
	symbols_free(&g->found);
	free(g);
}

const char *guest_name(const struct guest *g)
{
	return g ? g->view->name : "";
}

/* Symbols in memory come when the guest has unpacked itself, and go when it starts again. */
static bool find_symbols(struct debugger *d, struct guest *g)
{
	uint64_t now = cpu_icount(&d->m->cpu);

	if (g->found.count && kallsyms_still(d, g->found_at, g->found_check))
		return true;
	if (g->looked_at == now)
		return false;
	symbols_free(&g->found);
	g->scope.symbols = NULL;
	g->scope.serial++;
	g->looked_at = now;
	if (!kallsyms_read(d, &g->found, &g->found_at, &g->found_check))
		return false;
	g->scope.symbols = &g->found;
	g->looked_at = UINT64_MAX;
	return true;
}

struct cscope *guest_scope(struct debugger *d)
{
	struct guest *g = d->guest;

	if (!g || (g->view->kallsyms && !find_symbols(d, g)))
		return NULL;
	g->scope.d = d;
	g->scope.vars = 0;
	return &g->scope;
}

const struct symbols *guest_symbols(struct debugger *d)
{
	return d->guest && d->guest->view->kallsyms && guest_scope(d) ? &d->guest->found : NULL;
}

/* --- from one to the next ------------------------------------------------------------------------------------------- */

/* False ends. The thing is in scope, the last variable. */
typedef bool (*each_fn)(struct cscope *s, const struct block *b, void *ctx);

static bool holds(struct cscope *s, struct cexpr *e)
{
	uint64_t n;

	return !e || (cexpr_number(s, e, &n) && n);
}

static void each_in_chain(struct cscope *s, const struct block *b, size_t most, each_fn fn, void *ctx)
{
	struct cvar *var = &s->var[s->vars];
	uint64_t start, value, seen, until = 1;
	struct ctype *type;

	if (!cexpr_pointer(s, b->from, &start, &type))
		return;
	seen = value = start;
	for (size_t i = 0; i < most; i++) {
		if (type && type->kind == CTYPE_POINTER && !value)
			return;
		*var = (struct cvar){ b->var, value, type };
		s->vars++;
		bool go = holds(s, b->loop);
		if (go && holds(s, b->where))
			go = fn(s, b, ctx);
		struct ctype *ignored;
		go = go && cexpr_pointer(s, b->next, &value, &ignored);
		s->vars--;
		if (!go || value == start || value == seen)
			return;
		if (i == until) {                      /* a circle that the start is not part of: seen gets into it, and waits */
			seen = value;
			until *= 2;
		}
	}
}

struct tree_walk { struct cscope *s; const struct block *b; each_fn fn; void *ctx; struct ctype *type; size_t left; };

static bool on_tree_entry(void *ctx, uint32_t entry)
{
	struct tree_walk *w = ctx;
	struct cscope *s = w->s;

	s->var[s->vars++] = (struct cvar){ w->b->var, entry, w->type };
	bool go = !holds(s, w->b->where) || w->fn(s, w->b, w->ctx);
	s->vars--;
	return go && --w->left;
}

static void each_thing(struct cscope *s, const struct block *b, size_t most, each_fn fn, void *ctx)
{
	uint64_t root;

	if (!b->present || !most)
		return;
	if (!b->tree) {
		each_in_chain(s, b, most, fn, ctx);
		return;
	}
	struct ctype *type = ctype_resolve(s->types, b->as, b->as_stars);
	struct tree_walk w = { s, b, fn, ctx, type ? types_pointer_to(s->types, type) : NULL, most };
	if (w.type && cexpr_number(s, b->from, &root))
		maple_each(s->d, (uint32_t)root, on_tree_entry, &w);
}

/* --- fields --------------------------------------------------------------------------------------------------------- */

static uint64_t number(struct cscope *s, const struct block *b, unsigned field, uint64_t otherwise)
{
	uint64_t n;

	return b->field[field] && cexpr_number(s, b->field[field], &n) ? n : otherwise;
}

static void words(struct cscope *s, const struct block *b, unsigned field, char *buf, size_t size)
{
	*buf = 0;
	if (b->field[field])
		cexpr_text(s, b->field[field], buf, size);
}

/* CR3 without its low bits, which are no address. */
static uint32_t cr3_base(const struct debugger *d, uint32_t cr3)
{
	return cr3 & (d->m->mmu.pg.pae ? ~0x1fu : PG_FRAME);
}

static void read_process(struct cscope *s, const struct block *b, struct guest_process *p)
{
	*p = (struct guest_process){ .address = s->var[s->vars - 1].value };
	p->id = number(s, b, PROCESS_ID, 0);
	p->parent = number(s, b, PROCESS_PARENT, 0);
	words(s, b, PROCESS_NAME, p->name, sizeof(p->name));
	words(s, b, PROCESS_STATE, p->state, sizeof(p->state));
	p->cr3 = cr3_base(s->d, (uint32_t)number(s, b, PROCESS_CR3, 0));
	p->current = number(s, b, PROCESS_CURRENT, p->cr3 && p->cr3 == cr3_base(s->d, s->d->m->cpu.cr3)) != 0;
}

struct processes { struct guest_process *out; size_t room, count; };

static bool on_process(struct cscope *s, const struct block *b, void *ctx)
{
	struct processes *l = ctx;

	if (l->count < l->room)
		read_process(s, b, &l->out[l->count]);
	l->count++;
	return true;
}

size_t guest_processes(struct debugger *d, struct guest_process *out, size_t room)
{
	struct cscope *s = guest_scope(d);
	struct processes l = { out, room, 0 };

	if (s)
		each_thing(s, &d->guest->view->block[BLOCK_PROCESS], THINGS_MAX, on_process, &l);
	return l.count;
}

struct wanted { uint32_t cr3; struct guest_process *out; bool found; };

static bool on_wanted(struct cscope *s, const struct block *b, void *ctx)
{
	struct wanted *w = ctx;

	if (cr3_base(s->d, (uint32_t)number(s, b, PROCESS_CR3, 0)) != w->cr3)
		return true;
	w->found = true;
	read_process(s, b, w->out);
	return !w->out->current;               /* threads share it: the running one is the best answer */
}

bool guest_process_of(struct debugger *d, uint32_t cr3, struct guest_process *out)
{
	struct cscope *s = guest_scope(d);
	struct wanted w = { cr3_base(d, cr3), out, false };

	if (s && w.cr3)
		each_thing(s, &d->guest->view->block[BLOCK_PROCESS], THINGS_MAX, on_wanted, &w);
	return w.found;
}

/* --- regions -------------------------------------------------------------------------------------------------------- */

struct regions { struct guest_region *out; size_t room, count; };

static bool on_region(struct cscope *s, const struct block *b, void *ctx)
{
	struct regions *l = ctx;
	struct guest_region r = { .start = (uint32_t)number(s, b, REGION_START, 0), .end = (uint32_t)number(s, b, REGION_END, 0) };

	r.offset = number(s, b, REGION_OFFSET, 0);
	snprintf(r.rights, sizeof(r.rights), "%c%c%c", number(s, b, REGION_READ, 1) ? 'r' : '-', number(s, b, REGION_WRITE, 0) ? 'w' : '-',
		number(s, b, REGION_EXECUTE, 0) ? 'x' : '-');
	words(s, b, REGION_KIND, r.kind, sizeof(r.kind));
	words(s, b, REGION_NAME, r.name, sizeof(r.name));
	if (l->count < l->room)
		l->out[l->count] = r;
	l->count++;
	return true;
}

/* What type the process's variable has. */
static bool process_type(struct cscope *s, const struct block *b, struct ctype **type)
{
	uint64_t start;

	return b->present && !b->tree && cexpr_pointer(s, b->from, &start, type);
}

size_t guest_regions(struct debugger *d, const struct guest_process *p, struct guest_region *out, size_t room)
{
	struct cscope *s = guest_scope(d);
	struct regions l = { out, room, 0 };
	struct ctype *type;

	if (!s)
		return 0;
	const struct block *b = &d->guest->view->block[BLOCK_REGION];
	if (!b->present || !process_type(s, &d->guest->view->block[BLOCK_PROCESS], &type))
		return 0;
	s->var[s->vars++] = (struct cvar){ b->over, p->address, type };
	each_thing(s, b, THINGS_MAX, on_region, &l);
	return l.count;
}

/* --- frames and swap ------------------------------------------------------------------------------------------------ */

bool guest_frame(struct debugger *d, uint32_t frame, struct guest_frame *out)
{
	struct cscope *s = guest_scope(d);
	uint64_t at;
	struct ctype *type;

	*out = (struct guest_frame){ 0 };
	if (!s)
		return false;
	const struct block *b = &d->guest->view->block[BLOCK_FRAME];
	if (!b->present)
		return false;
	s->var[s->vars++] = (struct cvar){ b->over, frame, NULL };
	if (!holds(s, b->loop) || !cexpr_pointer(s, b->from, &at, &type))
		return false;
	s->var[s->vars++] = (struct cvar){ b->var, at, type };
	if (!holds(s, b->where))
		return false;
	out->known = true;
	words(s, b, FRAME_OWNER, out->owner, sizeof(out->owner));
	out->references = number(s, b, FRAME_REFERENCES, 0);
	out->dirty = number(s, b, FRAME_DIRTY, 0);
	out->pinned = number(s, b, FRAME_PINNED, 0);
	out->counted = number(s, b, FRAME_COUNTED, 0);
	out->extra = number(s, b, FRAME_EXTRA, 0);
	return true;
}

struct slots { struct guest_swap *out; size_t room, count; };

static bool on_slot(struct cscope *s, const struct block *b, void *ctx)
{
	struct slots *l = ctx;

	if (l->count < l->room) {
		struct guest_swap *o = &l->out[l->count];
		o->slot = number(s, b, SWAP_SLOT, s->var[s->vars - 1].value);
		o->references = number(s, b, SWAP_REFERENCES, 0);
		words(s, b, SWAP_OWNER, o->owner, sizeof(o->owner));
	}
	l->count++;
	return true;
}

size_t guest_swap_slots(struct debugger *d, struct guest_swap *out, size_t room)
{
	struct cscope *s = guest_scope(d);
	struct slots l = { out, room, 0 };

	if (s)
		each_thing(s, &d->guest->view->block[BLOCK_SWAP], SLOTS_MAX, on_slot, &l);
	return l.count;
}
