/* emu/debug/view/view_tlb.c: the view `tlb`: the translations the processor holds, which need not be what the tables say.
 *
 *   tlb               all entries, neighbours folded; stale ones first, marked !, with what the tables say now
 *   tlb ADDRESS       the entry of one page beside a walk of the tables
 */
#include <string.h>

#include "emu/debug/check/checker.h"
#include "emu/debug/view/entry.h"
#include "emu/debug/view/views.h"

/* Neighbours with equal flags and the same verdict. */
struct tlb_run {
	struct tlb_entry first;
	uint32_t pages;
	bool contiguous;               /* frames follow each other */
	bool stale;
	struct walk now;               /* stale: the first page's */
};

struct tlb_list {
	const struct machine *m;
	struct tlb_run run;            /* being gathered */
	void (*done)(struct tlb_list *list, const struct tlb_run *run);
	void *owner;
	bool stale_only, fresh_only;
	unsigned entries, stale, runs;
};

static bool same_news(const struct walk *a, const struct walk *b)
{
	return a->result == b->result && (a->result != WALK_OK || a->rights == b->rights);
}

static bool extends(const struct tlb_run *run, const struct tlb_entry *e, bool stale, const struct walk *now)
{
	if (!run->pages || run->first.vpn + run->pages != e->vpn || run->first.flags != e->flags || run->stale != stale)
		return false;
	/* Stale in the same way, the same distance away. */
	return !stale || (same_news(&run->now, now) &&
			  run->now.pa - ((paddr_t)run->first.frame << PAGE_SHIFT) == now->pa - ((paddr_t)e->frame << PAGE_SHIFT));
}

static void finish_run(struct tlb_list *list)
{
	if (!list->run.pages)
		return;
	list->runs++;
	if (list->done)
		list->done(list, &list->run);
	list->run.pages = 0;
}

static void add_entry(void *ctx, const struct tlb_entry *e)
{
	struct tlb_list *list = ctx;
	struct walk now;
	bool stale = translation_is_stale(list->m, e, &now);

	list->entries++;
	list->stale += stale;
	if ((list->stale_only && !stale) || (list->fresh_only && stale))
		return;
	if (!extends(&list->run, e, stale, &now)) {
		finish_run(list);
		list->run = (struct tlb_run){ .first = *e, .contiguous = true, .stale = stale, .now = now };
	}
	list->run.contiguous &= list->run.first.frame + list->run.pages == e->frame;
	list->run.pages++;
}

static void walk_list(struct tlb_list *list)
{
	list->entries = list->stale = list->runs = list->run.pages = 0;
	mmu_tlb_each(&list->m->mmu, add_entry, list);
	finish_run(list);
}

/* --- as text ---------------------------------------------------------------------------------------------------------- */

/* The flags as the bits of an entry that they came from. */
static uint64_t flag_bits(const struct tlb_entry *e)
{
	return PG_P | (e->flags & TLB_W ? PG_W : 0) | (e->flags & TLB_U ? PG_U : 0) | (e->flags & TLB_D ? PG_D : 0) |
	       (e->flags & TLB_G ? PG_G : 0) | (e->flags & TLB_LARGE ? PG_PS : 0) | (e->flags & TLB_NX ? PG_NX : 0);
}

static void put_difference(const struct tlb_run *run, struct text *t)
{
	const struct walk *now = &run->now;
	uint64_t had = flag_bits(&run->first);

	text_put(t, STYLE_BAD, "  ! stale: tables say ");
	if (now->result == WALK_NOT_PRESENT)
		text_put(t, STYLE_BAD, "not present");
	else if (now->result != WALK_OK)
		text_put(t, STYLE_BAD, "reserved bit");
	else if (now->pa >> PAGE_SHIFT != run->first.frame)
		text_put(t, STYLE_BAD, "frame %05llx", (unsigned long long)now->pa >> PAGE_SHIFT);
	else if ((now->rights ^ had) & PG_U)
		text_put(t, STYLE_BAD, "U=%d", !!(now->rights & PG_U));
	else if ((now->rights ^ had) & PG_W)
		text_put(t, STYLE_BAD, "W=%d", !!(now->rights & PG_W));
	else if (!(now->rights & PG_X) != !!(had & PG_NX))
		text_put(t, STYLE_BAD, "N=%d", !(now->rights & PG_X));
	else
		text_put(t, STYLE_BAD, "D=0");
}

static void put_run(struct tlb_list *list, const struct tlb_run *run)
{
	struct text *t = list->owner;
	char letters[ENTRY_LETTERS + 1];
	uint32_t la = run->first.vpn << PAGE_SHIFT;
	unsigned long long pa = (unsigned long long)run->first.frame << PAGE_SHIFT;

	text_put(t, run->stale ? STYLE_BAD : STYLE_PLAIN, run->stale ? "!" : " ");
	text_put(t, STYLE_ADDRESS, "%08x-%08x", la, la + (run->pages << PAGE_SHIFT) - 1);
	text_add(t, " %5u  ", run->pages);
	if (run->contiguous)
		text_put(t, STYLE_ADDRESS, "%08llx-%08llx", pa, pa + ((uint64_t)run->pages << PAGE_SHIFT) - 1);
	else
		text_put(t, STYLE_ADDRESS, "%08llx and more", pa);
	text_add(t, "%s%s", run->contiguous ? "  " : "    ", entry_letters(&list->m->mmu.pg, flag_bits(&run->first), letters));
	if (run->stale)
		put_difference(run, t);
	text_add(t, "\n");
}

static void put_counts(const struct machine *m, const struct tlb_list *list, struct text *t)
{
	const struct tlb_geometry *g = &m->mmu.geometry;
	const struct tlb_stats *s = &m->mmu.stats;

	if (g->entries)
		text_put(t, STYLE_TITLE, " TLB of %u entries, %u ways", g->entries, g->ways);
	else
		text_put(t, STYLE_TITLE, " TLB without limit");
	text_put(t, STYLE_PLAIN, ": %u in use", list->entries);
	text_put(t, list->stale ? STYLE_BAD : STYLE_GOOD, list->stale ? ", ! %u stale" : ", none stale", list->stale);
	text_put(t, STYLE_PLAIN, "; %llu walks, %llu flushes", (unsigned long long)s->walks, (unsigned long long)s->flushes);
	if (g->entries)
		text_put(t, STYLE_PLAIN, "\n %llu hits, %llu misses (exact), %llu evictions\n", (unsigned long long)s->hits, (unsigned long long)s->misses,
			 (unsigned long long)s->evictions);
	else
		text_put(t, STYLE_DIM, "\n %llu misses; hits are counted only with a modelled TLB (--tlb)\n", (unsigned long long)s->misses);
}

/* One page: both opinions. */
static void put_one(struct debugger *d, uint32_t la, struct text *t)
{
	const struct tlb_entry *e = mmu_tlb_probe(&d->m->mmu, la);
	struct tlb_list list = { .m = d->m, .owner = t };
	char words[1024];
	struct walk now;

	if (!e) {
		struct access a = { .la = la, .kind = ACCESS_READ };
		text_put(t, STYLE_PLAIN, " The TLB holds nothing for 0x%08x: the next access walks the tables.\n", la);
		page_walk(&d->m->phys, &d->m->mmu.pg, &a, &now);
	} else {
		struct tlb_run run = { .first = *e, .pages = 1, .contiguous = true };
		run.stale = translation_is_stale(d->m, e, &run.now);
		put_run(&list, &run);
		text_put(t, STYLE_DIM, " came from the entry at 0x%08llx\n", (unsigned long long)e->leaf);
		now = run.now;
	}
	walk_describe(&now, words, sizeof(words));
	text_put(t, STYLE_TITLE, " the tables now:\n");
	for (char *line = strtok(words, "\n"); line; line = strtok(NULL, "\n"))
		text_add(t, "   %s\n", line);
}

void view_tlb(struct debugger *d, const struct view_request *rq, struct text *t)
{
	struct tlb_list list = { .m = d->m };
	uint64_t la;

	if (rq->argument && *rq->argument) {
		if (view_address(d, rq, 0, &la, t))
			put_one(d, (uint32_t)la, t);
		return;
	}
	walk_list(&list);
	put_counts(d->m, &list, t);
	text_put(t, STYLE_DIM, " %-17s %5s  %-17s  %s\n", "linear", "pages", "physical", entry_heading(&d->m->mmu.pg));
	list.done = put_run;
	list.owner = t;
	list.stale_only = true;
	walk_list(&list);
	list.stale_only = false;
	list.fresh_only = true;
	walk_list(&list);
}

/* --- JSON --------------------------------------------------------------------------------------------------------------- */

static void append_run(struct tlb_list *list, const struct tlb_run *run)
{
	char letters[ENTRY_LETTERS + 1];
	json_t *j = json_object();

	json_object_set_new(j, "linear", json_hex(run->first.vpn << PAGE_SHIFT));
	json_object_set_new(j, "pages", json_integer(run->pages));
	json_object_set_new(j, "physical", json_hex((uint64_t)run->first.frame << PAGE_SHIFT));
	json_object_set_new(j, "contiguous", json_boolean(run->contiguous));
	json_object_set_new(j, "bits", json_string(entry_letters(&list->m->mmu.pg, flag_bits(&run->first), letters)));
	json_object_set_new(j, "entry", json_hex(run->first.leaf));
	json_object_set_new(j, "stale", json_boolean(run->stale));
	json_array_append_new(list->owner, j);
}

json_t *view_tlb_json(struct debugger *d, const struct view_request *rq)
{
	json_t *j = json_object(), *runs = json_array();
	struct tlb_list list = { .m = d->m, .done = append_run, .owner = runs };
	const struct tlb_stats *s = &d->m->mmu.stats;

	(void)rq;
	walk_list(&list);
	json_object_set_new(j, "entries", json_integer(list.entries));
	json_object_set_new(j, "stale", json_integer(list.stale));
	json_object_set_new(j, "capacity", json_integer(d->m->mmu.geometry.entries));
	json_object_set_new(j, "exact_hits", json_boolean(d->m->mmu.geometry.entries != 0));
	json_object_set_new(j, "hits", json_integer((json_int_t)s->hits));
	json_object_set_new(j, "misses", json_integer((json_int_t)s->misses));
	json_object_set_new(j, "walks", json_integer((json_int_t)s->walks));
	json_object_set_new(j, "flushes", json_integer((json_int_t)s->flushes));
	json_object_set_new(j, "evictions", json_integer((json_int_t)s->evictions));
	json_object_set_new(j, "runs", runs);
	return j;
}
