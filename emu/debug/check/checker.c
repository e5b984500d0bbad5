/* emu/debug/check/checker.c: see checker.h; how it works is in checker_private.h. Here: what the machine tells, and what was found. */
#include "emu/debug/check/checker_private.h"

#include <stdlib.h>
#include <string.h>

/* --- findings ---------------------------------------------------------------------------------------------------------------- */

/* Before the instruction: what is heard of an instruction is heard while it runs alone, and then it has been counted already. */
struct moment checker_now(const struct checker *c)
{
	bool counted = c->m->cpu.single;

	return (struct moment){ cpu_icount(&c->m->cpu) - counted, machine_now(c->m) - counted };
}

/* After going back, what is run again has been counted. */
static bool counted_before(const struct checker *c, struct moment at)
{
	return c->in_past && at.tick <= c->last.tick;
}

static void count_up_to(struct checker *c, struct moment at)
{
	if (at.tick > c->last.tick) {
		c->last = at;
		c->in_past = false;
	}
}

static bool same(const struct finding *a, const struct finding *b)
{
	return a->kind == b->kind && a->entry == b->entry && a->la >> PAGE_SHIFT == b->la >> PAGE_SHIFT && a->written_by == b->written_by;
}

static struct finding *find_same(const struct checker *c, const struct finding *f)
{
	for (size_t i = 0; i < c->findings; i++)
		if (same(&c->finding[i], f))
			return &c->finding[i];
	return NULL;
}

void checker_report(struct checker *c, const struct finding *f)
{
	struct moment at = checker_now(c);
	struct finding *known = find_same(c, f);

	if (known) {
		known->times += !counted_before(c, at);
	} else if (c->findings == FINDINGS_MOST) {
		c->untold++;
	} else {
		known = &c->finding[c->findings++];
		*known = *f;
		known->at = at;
		known->eip = c->m->cpu.eip;
		known->cr3 = c->m->mmu.pg.cr3;
		known->times = 1;
		if (c->action == CHECK_STOP) {
			c->wants_stop = true;
			machine_stop_soon(c->m);
		}
		if (c->tell)
			c->tell(c->owner, known);
	}
	count_up_to(c, at);
}

void checker_lazy(struct checker *c, enum laziness kind)
{
	struct moment at = checker_now(c);

	if (counted_before(c, at))
		return;
	c->lazy[kind]++;
	count_up_to(c, at);
}

enum check_action checker_action(const struct checker *c)
{
	return c->action;
}

bool checker_wants_stop(const struct checker *c)
{
	return c->wants_stop;
}

size_t checker_findings(const struct checker *c, const struct finding **f)
{
	*f = c->finding;
	return c->findings;
}

/* --- what the machine tells ---------------------------------------------------------------------------------------------------- */

static void on_walked(void *owner, struct machine *m, const struct walk *w)
{
	struct checker *c = owner;

	(void)m;
	if (w->access.user && !c->user_seen)
		open_user_seen(c);
	c->walk = *w;
	if (w->result != WALK_RESERVED)
		return;
	const struct walk_step *s = &w->step[w->levels - 1];
	checker_report(c, &(struct finding){ .severity = FINDING_ERROR, .kind = "reserved-bit", .la = w->access.la, .access = w->access.kind,
		.user = w->access.user, .entry = s->addr, .entry_name = s->name,
		.cached = s->value, .now = s->value });
}

static void on_tlb_changed(void *owner, struct machine *m, const struct tlb_entry *old, const struct tlb_entry *new)
{
	struct checker *c = owner;

	if (!new) {
		cache_drop(c, old->vpn);
		return;
	}
	/* A translation comes with the walk that has just been told. */
	if (!m->mmu.pg.enabled || c->walk.result != WALK_OK || c->walk.access.la >> PAGE_SHIFT != new->vpn)
		return;
	if (cache_put(c, new, &c->walk))
		open_cached(c, new);
}

static void on_accessed(void *owner, struct machine *m, const struct phys_access *a)
{
	struct checker *c = owner;

	(void)m;
	if (!cache_table(c, a->pa >> PAGE_SHIFT))
		cache_idle(c, (uint32_t)(a->pa >> PAGE_SHIFT));
	else if (a->write && a->by != BY_WALK)
		stale_written(c, a);
}

static void on_translated(void *owner, struct machine *m, const struct access *a, const struct tlb_entry *e, bool hit)
{
	(void)m;
	if (hit)
		stale_used(owner, a, e);
}

static void on_control(void *owner, struct machine *m, const struct register_write *w)
{
	struct checker *c = owner;

	if (w->kind == WROTE_CR && w->number == 3 && m->mmu.pg.enabled)
		stale_space_changed(c, w->eip);
}

static bool on_guarded(void *owner, struct machine *m, uint32_t vpn, uint32_t frame)
{
	(void)frame;
	if (m->cpu.cpl == 0)
		open_ring0_code(owner, vpn);
	return false;
}

static void rebuild_entry(void *owner, const struct tlb_entry *e)
{
	struct checker *c = owner;
	struct access a = { .la = e->vpn << PAGE_SHIFT, .kind = ACCESS_READ };
	struct walk w;

	page_walk(&c->m->phys, &c->m->mmu.pg, &a, &w);
	stale_found(c, e, &w);
}

static void on_jumped(void *owner, struct machine *m)
{
	struct checker *c = owner;

	c->in_past = machine_now(m) <= c->last.tick;
	cache_clear(c);
	if (m->mmu.pg.enabled)
		mmu_tlb_each(&m->mmu, rebuild_entry, c);
}

/* --- beginning and end ----------------------------------------------------------------------------------------------------------- */

struct checker *checker_start(struct machine *m, enum check_action action, void (*tell)(void *owner, const struct finding *f), void *owner, char *err)
{
	struct checker *c = calloc(1, sizeof(*c));

	if (c) {
		*c = (struct checker){ .m = m, .action = action, .tell = tell, .owner = owner, .observer = { .name = "checker", .owner = c,
			.walked = on_walked, .tlb_changed = on_tlb_changed, .accessed = on_accessed, .translated = on_translated, .control = on_control,
			.guarded = on_guarded, .jumped = on_jumped } };
		c->finding = calloc(FINDINGS_MOST, sizeof(*c->finding));
	}
	if (!c || !c->finding || !cache_init(c)) {
		checker_stop(c);
		loader_fail(err, "out of memory for the paging checker");
		return NULL;
	}
	machine_observe(m, &c->observer);
	on_jumped(c, m);
	return c;
}

void checker_stop(struct checker *c)
{
	if (!c)
		return;
	cache_free(c);
	machine_unobserve(c->m, &c->observer);
	free(c->finding);
	free(c);
}
