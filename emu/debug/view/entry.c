/* emu/debug/view/entry.c: see entry.h. */
#include "emu/debug/view/entry.h"

#include <string.h>

static const struct { char letter; uint64_t bit; } letters[ENTRY_LETTERS] = {
	{ 'N', PG_NX }, { 'G', PG_G }, { 'S', PG_PS }, { 'D', PG_D }, { 'A', PG_A },
	{ 'C', PG_PCD }, { 'T', PG_PWT }, { 'U', PG_U }, { 'W', PG_W }, { 'P', PG_P },
};

static bool has_no_execute(const struct paging *pg) { return pg->pae && pg->nxe; }

const char *entry_heading(const struct paging *pg)
{
	static const char heading[] = "NGSDACTUWP";

	return heading + !has_no_execute(pg);
}

const char *entry_letters(const struct paging *pg, uint64_t entry, char buf[ENTRY_LETTERS + 1])
{
	unsigned n = 0;

	for (unsigned i = !has_no_execute(pg); i < ENTRY_LETTERS; i++)
		buf[n++] = entry & letters[i].bit ? letters[i].letter : '-';
	buf[n] = '\0';
	return buf;
}

uint64_t entry_letter_bit(char letter)
{
	for (unsigned i = 0; i < ENTRY_LETTERS; i++)
		if (letters[i].letter == letter)
			return letters[i].bit;
	return 0;
}

/* --- steps of a walk --------------------------------------------------------------------------------------------- */

bool step_is_large(const struct walk *w, unsigned i)
{
	return i == (w->paging.pae ? 1 : 0) && w->page_shift != PAGE_SHIFT && w->step[i].value & PG_P;
}

bool step_is_leaf(const struct walk *w, unsigned i)
{
	return i == (w->paging.pae ? 2 : 1) || step_is_large(w, i);
}

unsigned step_index(const struct walk *w, unsigned i)
{
	laddr_t la = w->access.la;

	if (!w->paging.pae)
		return i ? la >> 12 & 0x3ff : la >> 22;
	return i == 0 ? la >> 30 : la >> (i == 1 ? 21 : 12) & 0x1ff;
}

paddr_t step_base(const struct walk *w, unsigned i)
{
	if (i == 0)
		return w->paging.cr3 & (w->paging.pae ? 0xffffffe0u : PG_FRAME);
	return page_entry_target(&w->paging, w->step[i - 1].value, step_is_large(w, i - 1));
}

static uint64_t missing_rights(const struct walk *w, uint64_t entry)
{
	const struct access *a = &w->access;

	if (a->user && !(w->rights & PG_U))
		return entry & PG_U ? 0 : PG_U;
	if (a->kind == ACCESS_FETCH)
		return entry & PG_NX;
	return entry & PG_W ? 0 : PG_W;
}

uint64_t step_blame(const struct walk *w, unsigned i)
{
	uint64_t entry = w->step[i].value;
	bool last = i + 1 == w->levels, pdpte = w->paging.pae && i == 0;

	switch (w->result) {
	case WALK_NOT_PRESENT:
		return last ? PG_P : 0;
	case WALK_RESERVED:
		return last ? entry & page_entry_reserved(&w->paging, step_is_large(w, i)) : 0;
	case WALK_PROTECTION:
		return pdpte ? 0 : missing_rights(w, entry);
	default:
		return 0;
	}
}

static unsigned lowest_bit(uint64_t bits)
{
	unsigned n = 0;

	while (!(bits >> n & 1))
		n++;
	return n;
}

const char *step_blame_words(const struct walk *w, unsigned i, char *buf, size_t size)
{
	uint64_t blame = step_blame(w, i);

	if (!blame)
		snprintf(buf, size, "%s", "");
	else if (w->result == WALK_NOT_PRESENT)
		snprintf(buf, size, "P=0 not present");
	else if (w->result == WALK_RESERVED)
		snprintf(buf, size, "reserved bit %u set", lowest_bit(blame));
	else if (blame == PG_U)
		snprintf(buf, size, "U=0 supervisor only");
	else if (blame == PG_W)
		snprintf(buf, size, "W=0 read-only");
	else
		snprintf(buf, size, "N=1 no-execute");
	return buf;
}

/* --- words --------------------------------------------------------------------------------------------------------- */

const char *access_words(const struct access *a)
{
	static const char *const words[2][3] = {
		{ "supervisor read", "supervisor write", "supervisor fetch" }, { "user read", "user write", "user fetch" },
	};

	return words[a->user][a->kind];
}

const char *page_fault_words(uint32_t error, char *buf, size_t size)
{
	snprintf(buf, size, "%s, %s, %s%s", error & PF_P ? "present but forbidden" : "not present",
		 error & PF_I ? "fetch" : error & PF_W ? "write" : "read", error & PF_U ? "user" : "supervisor",
		 error & PF_RSVD ? ", reserved bit set" : "");
	return buf;
}

const char *physical_words(const struct phys *phys, paddr_t pa)
{
	const char *name = NULL;

	switch (phys_kind_of(phys, pa, &name)) {
	case PHYS_RAM:
		return "RAM";
	case PHYS_ROM:
	case PHYS_MMIO:
		return name ? name : "device";
	default:
		return "nothing";
	}
}
