/* emu/debug/check/checker_cache.c: for each translation in the TLB the entries it came from, and for each entry the translations behind it.
 *
 * A frame that holds such entries is watched, so that writes to it are told. It stays watched while it is merely out of use, since a flush
 * of the TLB takes away everything at once and most of it comes back; it is let go when it is accessed again and again with nothing behind
 * it: then it has probably become something else.
 */
#include <stdlib.h>
#include <string.h>

#include "emu/debug/check/checker_private.h"

bool cache_init(struct checker *c)
{
	c->frames = (uint32_t)(c->m->phys.ram_size >> PAGE_SHIFT);
	c->table = calloc(c->frames, sizeof(*c->table));
	c->user = calloc(c->frames, sizeof(*c->user));
	c->user_writable = calloc(c->frames, sizeof(*c->user_writable));
	return c->table && c->user && c->user_writable;
}

static struct cached *slot(const struct checker *c, uint32_t vpn)
{
	struct cached *chunk = c->chunk[vpn / CHUNK_PAGES];

	return chunk ? &chunk[vpn % CHUNK_PAGES] : NULL;
}

struct cached *cache_find(const struct checker *c, uint32_t vpn)
{
	struct cached *r = slot(c, vpn);

	return r && r->levels ? r : NULL;
}

/* --- tables --------------------------------------------------------------------------------------------------------------- */

static struct table *table_at(const struct checker *c, uint64_t frame)
{
	return frame < c->frames ? c->table[frame] : NULL;
}

struct table *cache_table(const struct checker *c, uint64_t frame)
{
	struct table *t = table_at(c, frame);

	return t && t->uses ? t : NULL;
}

/* NULL: not in memory, or out of memory. */
static struct table *table_get(struct checker *c, paddr_t entry)
{
	uint64_t frame = entry >> PAGE_SHIFT;
	struct table *t = table_at(c, frame);

	if (t || frame >= c->frames)
		return t;
	if (!(t = malloc(sizeof(*t))) || machine_watch_frame(c->m, (uint32_t)frame, true)) {
		free(t);
		c->failed = true;
		return NULL;
	}
	t->frame = (uint32_t)frame;
	t->uses = t->idle = 0;
	memset(t->head, 0xff, sizeof(t->head));
	return c->table[frame] = t;
}

static void table_forget(struct checker *c, struct table *t)
{
	machine_watch_frame(c->m, t->frame, false);
	c->table[t->frame] = NULL;
	free(t);
}

void cache_idle(struct checker *c, uint32_t frame)
{
	struct table *t = table_at(c, frame);

	if (t && !t->uses && ++t->idle > IDLE_ACCESSES)
		table_forget(c, t);
}

/* --- links ---------------------------------------------------------------------------------------------------------------- */

static uint32_t *head_of(struct table *t, paddr_t entry)
{
	return &t->head[entry / 4 % TABLE_SLOTS];
}

static struct link *link_of(const struct checker *c, uint32_t node)
{
	return &slot(c, node / 2)->link[node % 2];
}

static void link_in(struct checker *c, uint32_t vpn, unsigned level)
{
	struct cached *r = slot(c, vpn);
	struct table *t = table_get(c, r->entry[level]);
	uint32_t node = 2 * vpn + level;

	r->link[level] = (struct link){ NO_NODE, NO_NODE };
	if (!t)
		return;
	uint32_t *head = head_of(t, r->entry[level]);
	if (*head != NO_NODE)
		link_of(c, *head)->prev = node;
	r->link[level].next = *head;
	*head = node;
	t->idle = 0;
	if (!t->uses++)
		open_table(c, t->frame);
}

static void link_out(struct checker *c, uint32_t vpn, unsigned level)
{
	struct cached *r = slot(c, vpn);
	struct table *t = table_at(c, r->entry[level] >> PAGE_SHIFT);
	struct link *l = &r->link[level];
	uint32_t node = 2 * vpn + level;

	if (!t || (l->prev == NO_NODE && *head_of(t, r->entry[level]) != node))
		return;                                /* there was no memory for the table */
	if (l->prev == NO_NODE)
		*head_of(t, r->entry[level]) = l->next;
	else
		link_of(c, l->prev)->next = l->next;
	if (l->next != NO_NODE)
		link_of(c, l->next)->prev = l->prev;
	t->uses--;
}

/* An entry of eight bytes hangs at its first four. */
void cache_each_behind(struct checker *c, paddr_t pa, unsigned len, void (*fn)(struct checker *c, uint32_t vpn, unsigned level))
{
	struct table *t = cache_table(c, pa >> PAGE_SHIFT);
	unsigned first = pa / 8 * 2 % TABLE_SLOTS, last = (unsigned)((pa + len - 1) / 4 % TABLE_SLOTS);

	for (unsigned i = first; t && i <= last; i++)
		for (uint32_t node = t->head[i], next; node != NO_NODE; node = next) {
			next = link_of(c, node)->next;
			fn(c, node / 2, node % 2);
		}
}

/* --- translations ---------------------------------------------------------------------------------------------------------- */

void cache_pend(struct checker *c, uint32_t vpn, bool pending)
{
	struct cached *r = slot(c, vpn);

	if (r->pending == pending)
		return;
	if (machine_watch_vpn(c->m, vpn, pending)) {
		c->failed = true;
		return;
	}
	r->pending = pending;
}

static bool user_writable(const struct checker *c, const struct cached *r)
{
	return r->frame < c->frames && (r->flags & (TLB_U | TLB_W)) == (TLB_U | TLB_W);
}

void cache_drop(struct checker *c, uint32_t vpn)
{
	struct cached *r = cache_find(c, vpn);

	if (!r)
		return;
	cache_pend(c, vpn, false);
	for (unsigned i = 0; i < r->levels; i++)
		link_out(c, vpn, i);
	if (r->flags & TLB_G)
		c->region[vpn / REGION_PAGES].globals--;
	if (user_writable(c, r))
		c->user_writable[r->frame]--;
	r->levels = 0;
	r->ring0_code = false;
}

static void count_global(struct checker *c, uint32_t vpn, const struct cached *r)
{
	struct region *g = &c->region[vpn / REGION_PAGES];
	uint64_t pde = r->value[r->levels - 1] & ~(uint64_t)(PG_A | PG_D);

	if (!g->globals++)
		*g = (struct region){ .globals = 1, .pde = pde };
	g->mixed |= g->pde != pde;
}

struct cached *cache_put(struct checker *c, const struct tlb_entry *e, const struct walk *w)
{
	struct cached **chunk = &c->chunk[e->vpn / CHUNK_PAGES];
	unsigned registers = w->paging.pae;            /* the PDPTE is none of memory's entries */
	bool ring0 = false;

	if (!*chunk && !(*chunk = calloc(CHUNK_PAGES, sizeof(struct cached)))) {
		c->failed = true;
		return NULL;
	}
	struct cached *r = slot(c, e->vpn);
	if (r->levels) {
		ring0 = r->ring0_code && r->frame == e->frame;
		cache_drop(c, e->vpn);
	}
	*r = (struct cached){ .frame = e->frame, .flags = e->flags, .ring0_code = ring0, .levels = (uint8_t)(w->levels - registers) };
	for (unsigned i = 0; i < r->levels; i++) {
		const struct walk_step *s = &w->step[w->levels - 1 - i];
		r->entry[i] = s->addr;
		r->value[i] = s->value | s->set;
		link_in(c, e->vpn, i);
	}
	if (r->flags & TLB_G)
		count_global(c, e->vpn, r);
	if (user_writable(c, r))
		c->user_writable[r->frame]++;
	return r;
}

/* --- the whole ------------------------------------------------------------------------------------------------------------- */

void cache_clear(struct checker *c)
{
	for (uint32_t vpn = 0; vpn < LINEAR_PAGES; vpn += c->chunk[vpn / CHUNK_PAGES] ? 1 : CHUNK_PAGES)
		cache_drop(c, vpn);
	for (uint32_t frame = 0; frame < c->frames; frame++)
		if (c->table[frame])
			table_forget(c, c->table[frame]);
}

void cache_free(struct checker *c)
{
	if (c->table && c->user_writable)
		cache_clear(c);
	for (unsigned i = 0; i < CHUNKS; i++)
		free(c->chunk[i]);
	free(c->table);
	free(c->user);
	free(c->user_writable);
}
