/* emu/debug/check/checker_open.c: what is open to users and should not be.
 *
 *   a table of the present translations, user-writable       error: a user can map anything
 *   GDT, IDT, TSS, code that ring 0 executes, with U = 1     warning
 *   a frame that one user may write and another only read    note
 *
 * All this is judged when such a translation comes into the TLB, so only of what is used, and only once something has run in ring 3: before,
 * and in kernels that never go there, nothing needs to be closed. Tables that users may read are no finding: some kernels show them their own.
 * The last one stays a note, whatever else it may be: two rights on one frame is how shared memory looks, or a copy-on-write page that has
 * been given to its last user before the other's tables are torn down; from outside they cannot be told from a lost reference.
 * Simplified: of the GDT only the first page counts, since a limit is often set too large.
 */
#include "emu/debug/check/checker_private.h"

#define IDT_BYTES 0x800u

struct place { const char *kind; uint32_t base, size; };

static bool lies_in(const struct place *p, uint32_t vpn)
{
	return p->size && vpn - (p->base >> PAGE_SHIFT) <= ((p->base + p->size - 1) >> PAGE_SHIFT) - (p->base >> PAGE_SHIFT);
}

static void report(struct checker *c, const char *kind, enum finding_severity severity, const struct cached *r, uint32_t vpn)
{
	checker_report(c, &(struct finding){ .severity = severity, .kind = kind, .la = vpn << PAGE_SHIFT, .frame = r->frame, .user = true,
		.access = r->flags & TLB_W ? ACCESS_WRITE : ACCESS_READ, .entry = r->entry[LEAF], .entry_name = cache_entry_name(r, LEAF),
		.cached = r->value[LEAF], .now = r->value[LEAF] });
}

/* --- tables ------------------------------------------------------------------------------------------------------------------ */

static bool walk_passes(const struct checker *c, uint32_t vpn, uint32_t frame)
{
	struct access a = { .la = vpn << PAGE_SHIFT, .kind = ACCESS_READ };
	struct walk w;

	page_walk(&c->m->phys, &c->m->mmu.pg, &a, &w);
	for (unsigned i = w.paging.pae; i < w.levels; i++)
		if (w.step[i].addr >> PAGE_SHIFT == frame)
			return true;
	return false;
}

/* Translations can outlive their table, until they are flushed: a walk must still pass through it. */
static bool table_lives(const struct checker *c, const struct table *t)
{
	for (unsigned i = 0; i < TABLE_SLOTS; i++)
		if (t->head[i] != NO_NODE && walk_passes(c, t->head[i] / 2, t->frame))
			return true;
	return false;
}

static void check_table(struct checker *c, const struct cached *r, uint32_t vpn)
{
	const struct table *t = cache_table(c, r->frame);

	if ((r->flags & TLB_U) && (r->flags & TLB_W) && t && table_lives(c, t))
		report(c, "user-writable-table", FINDING_ERROR, r, vpn);
}

struct table_search { struct checker *c; uint32_t frame; };

static void check_table_of(void *ctx, const struct tlb_entry *e)
{
	const struct table_search *s = ctx;
	struct cached *r = e->frame == s->frame ? cache_find(s->c, e->vpn) : NULL;

	if (r)
		check_table(s->c, r, e->vpn);
}

void open_table(struct checker *c, uint32_t frame)
{
	struct table_search s = { c, frame };

	if (c->user_seen && c->user_writable[frame])
		mmu_tlb_each(&c->m->mmu, check_table_of, &s);
}

/* --- the processor's tables, the kernel's code --------------------------------------------------------------------------------- */

static void check_places(struct checker *c, const struct cached *r, uint32_t vpn)
{
	const struct cpu *cpu = &c->m->cpu;
	const struct segment *tr = &cpu->seg[SEG_TR];
	uint32_t idt = cpu->idtr.limit < IDT_BYTES ? cpu->idtr.limit + 1u : IDT_BYTES;
	const struct place places[] = {
		{ "user-accessible-gdt", cpu->gdtr.base, 1 },
		{ "user-accessible-idt", cpu->idtr.base, idt },
		{ "user-accessible-tss", tr->base, tr->selector ? 0x68 : 0 },
	};

	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (lies_in(&places[i], vpn))
			report(c, places[i].kind, FINDING_WARNING, r, vpn);
	if (r->ring0_code)
		report(c, "user-accessible-code", FINDING_WARNING, r, vpn);
}

void open_ring0_code(struct checker *c, uint32_t vpn)
{
	struct cached *r = cache_find(c, vpn);

	if (!r || r->ring0_code)
		return;
	r->ring0_code = true;
	if (c->user_seen && (r->flags & TLB_U))
		report(c, "user-accessible-code", FINDING_WARNING, r, vpn);
}

/* --- two users of a frame ------------------------------------------------------------------------------------------------------- */

static bool still_maps(const struct checker *c, const struct user_mapping *u, uint32_t frame)
{
	struct access a = { .la = (uint32_t)u->vpn << PAGE_SHIFT, .kind = ACCESS_READ, .user = true };
	struct paging pg = c->m->mmu.pg;
	struct walk w;

	if (pg.pae)
		pg.pdpte[u->vpn >> 18] = (uint64_t)u->directory << PAGE_SHIFT | PG_P;
	else
		pg.cr3 = u->directory << PAGE_SHIFT;
	page_walk(&c->m->phys, &pg, &a, &w);
	return w.result == WALK_OK && w.pa >> PAGE_SHIFT == frame && !!(w.rights & PG_W) == u->writable;
}

static void check_alias(struct checker *c, const struct cached *r, uint32_t vpn)
{
	struct user_mapping *old = &c->user[r->frame];
	struct user_mapping new = { .directory = (uint32_t)(r->entry[r->levels - 1] >> PAGE_SHIFT), .vpn = vpn, .writable = !!(r->flags & TLB_W) };

	if (old->directory && old->directory != new.directory && old->writable != new.writable && still_maps(c, old, r->frame))
		checker_lazy(c, LAZY_ALIAS);
	*old = new;
}

/* --- when ----------------------------------------------------------------------------------------------------------------------- */

void open_cached(struct checker *c, const struct tlb_entry *e)
{
	struct cached *r = cache_find(c, e->vpn);

	if (!c->user_seen || !r || !(r->flags & TLB_U))
		return;
	check_table(c, r, e->vpn);
	check_places(c, r, e->vpn);
	if (r->frame < c->frames)
		check_alias(c, r, e->vpn);
}

static void check_entry(void *ctx, const struct tlb_entry *e)
{
	open_cached(ctx, e);
}

void open_user_seen(struct checker *c)
{
	c->user_seen = true;
	mmu_tlb_each(&c->m->mmu, check_entry, c);
}
