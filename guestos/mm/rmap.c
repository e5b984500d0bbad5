/* guestos/mm/rmap.c: from a frame back to every page-table entry that maps it.
 *
 * Page tables lead from an address to a frame. Eviction starts from a frame, so each ANON and CACHE frame keeps a list of (space, address),
 * one for each reference. The zero frame has too many mappings to list and is never evicted.
 * Invariant: frame->refs == length of frame->maps, and each entry's page-table entry maps this frame. Nothing here sleeps. */
#include "mm.h"

void rmap_add(struct frame *f, struct rmap *m, struct space *s, uint32_t la)
{
	m->space = s;
	m->la = page_down(la);
	m->next = f->maps;
	f->maps = m;
}

void rmap_remove(struct frame *f, struct space *s, uint32_t la)
{
	struct rmap **link = &f->maps, *m;
	while ((m = *link)->space != s || m->la != page_down(la))
		link = &m->next;
	*link = m->next;
	kfree(m);
}

/* True if any mapping was used since the last call. The processor sets Accessed [SDM3A 4.8 "Accessed and Dirty Flags"]. */
bool rmap_test_clear_accessed(struct frame *f)
{
	bool accessed = false;
	for (struct rmap *m = f->maps; m; m = m->next) {
		pte_t *pte = pte_find(m->space, m->la);
		if (*pte & PG_A) {
			accessed = true;
			pte_set(m->space, m->la, pte, (*pte & ~PG_A) | PG_SEEN);
		}
	}
	return accessed;
}

bool rmap_any(const struct frame *f, pte_t bit)
{
	for (const struct rmap *m = f->maps; m; m = m->next)
		if (*pte_find(m->space, m->la) & bit)
			return true;
	return false;
}

/* Nobody may write any more without a fault; what the processor noted as written is known. */
void rmap_write_protect(struct frame *f)
{
	for (struct rmap *m = f->maps; m; m = m->next) {
		pte_t *pte = pte_find(m->space, m->la);
		if (*pte & (PG_W | PG_D))
			pte_set(m->space, m->la, pte, *pte & ~(PG_W | PG_D));
	}
}

/* An entry moves to another address of its space. */
void rmap_move(struct frame *f, struct space *s, uint32_t from, uint32_t to)
{
	struct rmap *m = f->maps;
	while (m->space != s || m->la != from)
		m = m->next;
	m->la = to;
}

/* Every entry becomes the replacement: 0 (find it again from the region) or a swap entry, which takes a reference to its slot. */
void rmap_unmap_all(struct frame *f, pte_t replacement)
{
	prefetch_gone(f);
	while (f->maps) {
		struct rmap *m = f->maps;
		pte_t *pte = pte_find(m->space, m->la);
		KASSERT((*pte & PG_P) && frame_of(PTE_FRAME(*pte)) == f);
		if (*pte & PG_LOCKED)
			frame_unlock(f);
		m->space->used_and_lost += !!(*pte & (PG_A | PG_SEEN));
		pte_set(m->space, m->la, pte, replacement);
		if (pte_swapped(replacement))
			swap_get(PTE_SLOT(replacement));
		f->refs--;
		f->maps = m->next;
		kfree(m);
	}
	KASSERT(!f->refs);
}
