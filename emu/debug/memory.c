/* emu/debug/memory.c: guest memory as the debugger sees it: no Accessed or Dirty bits, no TLB, no device is touched. */
#include <string.h>

#include "emu/debug/debugger.h"

/* From pa to the end of its page at most. */
static size_t read_within_page(const struct phys *phys, paddr_t pa, void *buf, size_t size)
{
	enum phys_kind kind = phys_kind_of(phys, pa, NULL);
	size_t n = PAGE_SIZE - (pa & PG_OFFSET);

	if (kind != PHYS_RAM && kind != PHYS_ROM)
		return 0;
	n = size < n ? size : n;
	phys_copy_out(phys, pa, buf, n);
	return n;
}

size_t debugger_read_physical(const struct debugger *d, paddr_t pa, void *buf, size_t size)
{
	size_t done = 0;

	while (done < size) {
		size_t n = read_within_page(&d->m->phys, pa + done, (char *)buf + done, size - done);
		if (!n)
			break;
		done += n;
	}
	return done;
}

/* Whatever the entries grant: presence is all a debugger needs. */
static bool translate(const struct phys *phys, const struct paging *pg, uint32_t la, paddr_t *pa)
{
	struct access a = { .la = la, .kind = ACCESS_READ };
	struct walk w;

	page_walk(phys, pg, &a, &w);
	*pa = w.pa;
	return w.result == WALK_OK;
}

static size_t read_paged(const struct debugger *d, const struct paging *pg, uint32_t la, void *buf, size_t size)
{
	size_t done = 0;
	paddr_t pa;

	while (done < size && translate(&d->m->phys, pg, la + (uint32_t)done, &pa)) {
		size_t room = PAGE_SIZE - (pa & PG_OFFSET), want = size - done < room ? size - done : room;
		size_t n = read_within_page(&d->m->phys, pa, (char *)buf + done, want);
		if (!n)
			break;
		done += n;
	}
	return done;
}

size_t debugger_read_linear(const struct debugger *d, uint32_t la, void *buf, size_t size)
{
	return read_paged(d, &d->m->mmu.pg, la, buf, size);
}

/* In PAE paging the four PDPTEs of another space are what loading its CR3 would find. */
size_t debugger_read_space(const struct debugger *d, uint32_t cr3, uint32_t la, void *buf, size_t size)
{
	struct paging pg = d->m->mmu.pg;

	if (cr3 != pg.cr3) {
		pg.cr3 = cr3;
		if (pg.enabled && pg.pae && !page_read_pdptes(&d->m->phys, cr3, pg.pdpte))
			return 0;
	}
	return read_paged(d, &pg, la, buf, size);
}

uint32_t debugger_pc(const struct debugger *d)
{
	return d->m->cpu.seg[SEG_CS].base + d->m->cpu.eip;
}
