/* emu/debug/view/tables.c: see tables.h.
 * References: [SDM3A 4.3 "32-Bit Paging"], [SDM3A 4.4 "PAE Paging"], [SDM3A 4.6 "Access Rights"]. */
#include "emu/debug/view/tables.h"

#include <stdlib.h>
#include <string.h>

#define RIGHTS (PG_P | PG_W | PG_U | PG_PWT | PG_PCD | PG_PS | PG_G | PG_NX)

void space_now(const struct machine *m, struct space *s)
{
	*s = (struct space){ .paging = m->mmu.pg, .phys = &m->phys };
}

void space_of_mark(const struct debugger_mark *mark, struct space *s)
{
	*s = (struct space){ .paging = mark->paging, .mark = mark };
}

/* --- reading ------------------------------------------------------------------------------------------------------- */

static uint64_t read_entry(const struct space *s, paddr_t pa)
{
	unsigned size = s->paging.pae ? 8 : 4;

	if (s->mark)
		return mark_entry(s->mark, pa, size);
	return size == 8 ? phys_peek64(s->phys, pa) : phys_peek32(s->phys, pa);
}

bool space_pde(const struct space *s, uint32_t vpn, paddr_t *at, uint64_t *pde)
{
	paddr_t directory = s->paging.cr3 & PG_FRAME;

	*at = *pde = 0;
	if (!s->paging.enabled)
		return false;
	if (s->paging.pae) {
		uint64_t pdpte = s->paging.pdpte[vpn >> 18];
		if (!(pdpte & PG_P))
			return false;
		directory = page_entry_target(&s->paging, pdpte, false);
	}
	*at = directory + (s->paging.pae ? 8 * (vpn >> 9 & 0x1ff) : 4 * (vpn >> 10));
	*pde = read_entry(s, *at);
	return true;
}

uint64_t space_pte(const struct space *s, uint64_t pde, uint32_t vpn, paddr_t *at)
{
	paddr_t table = page_entry_target(&s->paging, pde, false);

	*at = table + (s->paging.pae ? 8 * (vpn & 0x1ff) : 4 * (vpn & 0x3ff));
	return read_entry(s, *at);
}

bool space_is_large(const struct space *s, uint64_t pde)
{
	return pde & PG_P && pde & PG_PS && (s->paging.pae || s->paging.pse);
}

/* --- one page or large page ------------------------------------------------------------------------------------------ */

struct item {
	bool present, large;
	uint64_t bits;                 /* of the entry, W, U and N of both levels together */
	uint64_t frame;
};

static struct item item_from(const struct space *s, uint64_t pde, uint64_t leaf, bool large)
{
	struct item it = { .present = leaf & PG_P, .large = large };

	if (!it.present)
		return it;
	it.bits = (leaf & (RIGHTS | PG_A | PG_D)) | (pde & PG_NX);
	it.bits &= (pde & (PG_W | PG_U)) | ~(uint64_t)(PG_W | PG_U);
	if (!large)
		it.bits &= ~(uint64_t)PG_PS;   /* bit 7 of a PTE is PAT */
	it.frame = page_entry_target(&s->paging, leaf, large) >> PAGE_SHIFT;
	return it;
}

static enum range_news compare(const struct item *now, const struct item *then)
{
	if (!then || (!now->present && !then->present))
		return RANGE_SAME;
	if (!then->present)
		return RANGE_NEW;
	if (!now->present)
		return RANGE_GONE;
	return now->bits == then->bits && now->frame == then->frame && now->large == then->large ? RANGE_SAME : RANGE_CHANGED;
}

/* --- ranges ------------------------------------------------------------------------------------------------------------ */

static bool same_table(const struct space *s, uint32_t a, uint32_t b)
{
	return a / pages_in_table(&s->paging) == b / pages_in_table(&s->paging);
}

static bool extends(const struct space *s, const struct table_range *r, const struct item *it, uint32_t vpn, enum range_news news,
		    enum folding folding)
{
	bool adjacent = r->last + 1 == vpn, follows = r->frame + r->pages == it->frame;

	if (r->news != news || r->large != it->large)
		return false;
	if (folding == FOLD_DIRECTORY && same_table(s, r->last, vpn))
		return true;
	if (((r->every ^ it->bits) & RIGHTS) || ((r->some ^ it->bits) & RIGHTS))
		return false;
	if (folding == FOLD_NOTHING)
		return adjacent && follows && r->contiguous && r->every == it->bits;
	return adjacent || (folding >= FOLD_HOLES && same_table(s, r->last, vpn));
}

static struct table_range *new_range(struct table_list *list)
{
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? 2 * list->capacity : 64;
		struct table_range *more = reallocarray(list->range, capacity, sizeof(*more));
		if (!more) {
			list->failed = true;
			return NULL;
		}
		list->range = more;
		list->capacity = capacity;
	}
	return &list->range[list->count++];
}

static void add_item(const struct space *s, struct table_list *list, const struct item *it, uint32_t vpn, enum range_news news, enum folding folding)
{
	uint32_t pages = it->large ? pages_in_table(&s->paging) : 1;
	struct table_range *r = list->count ? &list->range[list->count - 1] : NULL;

	if (!r || !extends(s, r, it, vpn, news, folding)) {
		r = new_range(list);
		if (r)
			*r = (struct table_range){ .first = vpn, .last = vpn + pages - 1, .pages = pages, .large = it->large, .contiguous = true,
				.frame = it->frame, .every = it->bits, .some = it->bits, .news = news };
		return;
	}
	r->contiguous = r->contiguous && r->last + 1 == vpn && r->frame + r->pages == it->frame;
	r->last = vpn + pages - 1;
	r->pages += pages;
	r->every &= it->bits;
	r->some |= it->bits;
}

static void add_both(const struct space *s, struct table_list *list, const struct item *now, const struct item *then, uint32_t vpn,
		     enum folding folding)
{
	enum range_news news = compare(now, then);

	if (now->present) {
		list->pages += now->large ? pages_in_table(&s->paging) : 1;
		add_item(s, list, now, vpn, news, folding);
	} else if (news == RANGE_GONE) {
		add_item(s, list, then, vpn, news, folding);
	}
}

/* --- the whole space ----------------------------------------------------------------------------------------------------- */

struct covering { uint64_t pde; bool table, large; };

static struct covering covering_of(const struct space *s, uint32_t vpn)
{
	struct covering c = { 0 };
	paddr_t at;

	if (!s || !space_pde(s, vpn, &at, &c.pde) || !(c.pde & PG_P))
		return (struct covering){ 0 };
	c.large = space_is_large(s, c.pde);
	c.table = !c.large;
	return c;
}

static struct item page_item(const struct space *s, const struct covering *c, uint32_t vpn, uint64_t *held)
{
	paddr_t at;

	if (c->large) {                        /* then a table: the large page as its parts */
		struct item it = item_from(s, c->pde, c->pde, false);
		it.bits |= PG_PS;
		it.frame += vpn % pages_in_table(&s->paging);
		return it;
	}
	if (!c->table)
		return (struct item){ 0 };
	uint64_t pte = space_pte(s, c->pde, vpn, &at);
	*held += !(pte & PG_P) && pte;
	return item_from(s, c->pde, pte, false);
}

static void list_table(const struct space *s, const struct space *then, uint32_t vpn, enum folding folding, struct table_list *list)
{
	struct covering now = covering_of(s, vpn), old = covering_of(then, vpn);
	uint64_t ignored = 0;

	list->tables += now.table;
	if (now.table || old.table) {
		for (uint32_t i = 0; i < pages_in_table(&s->paging); i++) {
			struct item a = page_item(s, &now, vpn + i, &list->held), b = { 0 };
			if (then)
				b = page_item(then, &old, vpn + i, &ignored);
			add_both(s, list, &a, then ? &b : NULL, vpn + i, folding);
		}
		return;
	}
	struct item a = item_from(s, now.pde, now.pde, now.large), b = { 0 };
	if (then)
		b = item_from(then, old.pde, old.pde, old.large);
	add_both(s, list, &a, then ? &b : NULL, vpn, folding);
}

void tables_list(const struct space *s, const struct space *then, uint32_t first, uint32_t last, enum folding folding, struct table_list *list)
{
	memset(list, 0, sizeof(*list));
	/* Spaces of another shape have no page to compare one by one. */
	if (then && then->paging.pae != s->paging.pae)
		then = NULL;
	for (uint64_t vpn = first; vpn <= last && !list->failed; vpn += pages_in_table(&s->paging))
		list_table(s, then, (uint32_t)vpn, folding, list);
}

void tables_free(struct table_list *list)
{
	free(list->range);
	memset(list, 0, sizeof(*list));
}
