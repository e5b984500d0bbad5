/* emu/debug/explain/why_address.c: what an address is: a place of the guest's, or a value that looks like a certain mistake. */
#include <string.h>

#include "emu/debug/view/entry.h"
#include "emu/debug/guest/guest.h"
#include "emu/debug/guest/source.h"
#include "emu/debug/explain/why_private.h"

#define REGIONS 256
#define NULL_PAGE   0x1000u
#define NEAR_NULL   0x10000u
#define NEAR_STACK  0x10000u

/* --- values that tell a mistake ------------------------------------------------------------------------------------------- */

static const struct { uint32_t value; const char *words; } patterns[] = {
	{ 0xcccccccc, "0xcc is what debugging compilers fill fresh stack frames with" },
	{ 0xcdcdcdcd, "0xcd is what debugging allocators fill fresh memory with" },
	{ 0xdddddddd, "0xdd is what debugging allocators fill freed memory with" },
	{ 0xfeeefeee, "0xfeee is what debugging allocators fill freed memory with" },
	{ 0x6b6b6b6b, "0x6b is what Linux fills freed slab objects with" },
	{ 0x5a5a5a5a, "0x5a is what allocators fill memory with that was never written" },
	{ 0xa5a5a5a5, "0xa5 is what allocators fill memory with that was never written" },
	{ 0xdeadbeef, "0xdeadbeef marks memory that is not to be used" },
	{ 0xbaadf00d, "0xbaadf00d marks memory that was never written" },
};

static bool near(uint32_t la, uint32_t value) { return la - value < NULL_PAGE; }

static bool pattern_words(uint32_t la, struct text *t)
{
	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++)
		if (near(la, patterns[i].value)) {
			text_put(t, STYLE_WARN, "looks like a pointer that was never set, or freed: %s", patterns[i].words);
			return true;
		}
	if (la >= 0xfffff000u) {
		text_put(t, STYLE_WARN, "is %d as a number: an error code, or a null pointer minus something, used as a pointer", (int)la);
		return true;
	}
	return false;
}

static bool text_as_pointer(uint32_t la, struct text *t)
{
	char c[5] = { (char)la, (char)(la >> 8), (char)(la >> 16), (char)(la >> 24), 0 };

	for (unsigned i = 0; i < 4; i++)
		if (c[i] < ' ' || c[i] > '~')
			return false;
	text_put(t, STYLE_WARN, "reads as the text \"%s\": a string may have been copied over the pointer", c);
	return true;
}

static bool null_words(uint32_t la, struct text *t)
{
	if (la >= NEAR_NULL)
		return false;
	if (!la)
		text_put(t, STYLE_WARN, "a null pointer");
	else
		text_put(t, STYLE_WARN, "near zero: a null pointer, with a field or an element %u bytes behind it", la);
	return true;
}

/* --- places ------------------------------------------------------------------------------------------------------------------ */

static bool symbol_words(const struct debugger *d, uint32_t la, struct text *t)
{
	char name[128] = "";

	if (!*source_symbol(d, la, name, sizeof(name)))
		return false;
	text_put(t, STYLE_NAME, "%s", name);
	return true;
}

static void region_words(const struct guest_region *r, const struct guest_process *p, struct text *t)
{
	text_add(t, "in the region %08x-%08x %s ", r->start, r->end, r->rights);
	text_put(t, STYLE_NAME, "%s", *r->name ? r->name : r->kind);
	text_add(t, " of process %llu %s", (unsigned long long)p->id, p->name);
}

/* The nearest region above, for stacks that have outgrown theirs. */
static void no_region_words(const struct guest_region *r, size_t n, uint32_t la, const struct guest_process *p, struct text *t)
{
	const struct guest_region *above = NULL, *below = NULL;

	for (size_t i = 0; i < n; i++) {
		if (r[i].start > la && (!above || r[i].start < above->start))
			above = &r[i];
		if (r[i].end <= la && (!below || r[i].end > below->end))
			below = &r[i];
	}
	text_put(t, STYLE_WARN, "in no region of process %llu %s", (unsigned long long)p->id, p->name);
	if (above)
		text_add(t, "; %u bytes below %08x-%08x %s", above->start - la, above->start, above->end, *above->name ? above->name : above->kind);
	if (below && la - below->end < NEAR_STACK)
		text_add(t, "; %u bytes past the end of %08x-%08x %s", la - below->end, below->start, below->end, *below->name ? below->name : below->kind);
}

/* The regions of the process whose address space it was. The guest's tables are read through a debugger that is not changed. */
static size_t find_regions(const struct debugger *d, uint32_t cr3, struct guest_process *p, struct guest_region region[REGIONS])
{
	size_t n;

	if (!d->guest || !guest_process_of((struct debugger *)d, cr3, p))
		return 0;
	n = guest_regions((struct debugger *)d, p, region, REGIONS);
	return n < REGIONS ? n : REGIONS;
}

static const struct guest_region *region_of(const struct guest_region *region, size_t n, uint32_t la)
{
	for (size_t i = 0; i < n; i++)
		if (la >= region[i].start && la < region[i].end)
			return &region[i];
	return NULL;
}

static bool process_words(const struct debugger *d, uint32_t la, const struct fault_record *r, struct text *t)
{
	struct guest_region region[REGIONS];
	struct guest_process p;
	size_t n = find_regions(d, r->cr3, &p, region);
	const struct guest_region *in = region_of(region, n, la);

	if (in)
		region_words(in, &p, t);
	else if (n && r->walk.access.user)
		no_region_words(region, n, la, &p, t);
	else
		return false;
	return true;
}

static void stack_words(const struct fault_record *r, uint32_t la, struct text *t)
{
	uint32_t below = r->esp - la, above = la - r->esp;

	if (below - 1 < NEAR_STACK)
		text_add(t, "; %u bytes below ESP", below);
	else if (above < PAGE_SIZE)
		text_add(t, "; on the stack, ESP + %u", above);
}

/* Execution itself went there: whoever called through a bad pointer has left a return address. */
static void fetch_words(const struct debugger *d, uint32_t la, const struct fault_record *r, struct text *t)
{
	uint32_t back = 0;

	if (la != r->eip)
		return;
	text_put(t, STYLE_WARN, "; it is the instruction itself: execution went there");
	if (!d->source || debugger_read_space(d, r->cr3, r->esp, &back, 4) != 4)
		return;
	char name[128] = "";
	if (*source_symbol_in(d, r->cr3, back, name, sizeof(name)))
		text_add(t, ", perhaps called from <%s>, which ESP points to", name);
}

/* A translation that leads where there is no memory. */
static void physical_place(const struct debugger *d, const struct fault_record *r, struct text *t)
{
	const struct walk *w = &r->walk;
	paddr_t frame;

	if (w->result != WALK_PROTECTION)
		return;
	frame = step_base(w, w->levels);
	if (phys_kind_of(&d->m->phys, frame, NULL) != PHYS_RAM)
		text_put(t, STYLE_WARN, "; its frame 0x%08llx is no RAM: %s", (unsigned long long)frame, physical_words(&d->m->phys, frame));
}

void address_words(const struct debugger *d, uint32_t la, const struct fault_record *r, struct text *t)
{
	bool said = process_words(d, la, r, t);

	if (!said)
		said = null_words(la, t) || pattern_words(la, t) || symbol_words(d, la, t) || text_as_pointer(la, t);
	else if (la < NEAR_NULL || near(la, 0xcccccccc)) {
		text_add(t, "; ");
		(void)(null_words(la, t) || pattern_words(la, t));
	}
	if (!said)
		text_add(t, "page 0x%05x", la >> PAGE_SHIFT);
	stack_words(r, la, t);
	fetch_words(d, la, r, t);
	physical_place(d, r, t);
}

/* --- meaning -------------------------------------------------------------------------------------------------------------- */

static bool region_allows(const struct guest_region *in, enum access_kind kind)
{
	return strchr(in->rights, kind == ACCESS_WRITE ? 'w' : kind == ACCESS_FETCH ? 'x' : 'r') != NULL;
}

static void allowed_words(const struct fault_record *r, struct text *t)
{
	const struct walk *w = &r->walk;
	uint64_t entry = w->levels ? w->step[w->levels - 1].value : 0;

	if (w->result == WALK_PROTECTION && w->access.kind == ACCESS_WRITE)
		text_add(t, "the region may be written, its page not: copy-on-write, or a kernel that wants to hear of the first write");
	else if (w->result == WALK_NOT_PRESENT && entry)
		text_add(t, "the region allows this, and the entry holds 0x%08llx for the kernel: the page is elsewhere, in swap perhaps",
			 (unsigned long long)entry);
	else if (w->result == WALK_NOT_PRESENT)
		text_add(t, "the region allows this, the page is not there yet: demand paging");
}

void meaning_words(const struct debugger *d, const struct fault_record *r, struct text *t)
{
	struct guest_region region[REGIONS];
	struct guest_process p;
	size_t n = find_regions(d, r->cr3, &p, region);
	const struct guest_region *in = region_of(region, n, r->fault.cr2);

	if (in && region_allows(in, r->walk.access.kind))
		allowed_words(r, t);
	else if (in)
		text_put(t, STYLE_WARN, "the region does not allow it: a mistake of the program");
	else if (n && r->walk.access.user)
		text_put(t, STYLE_WARN, "no region allows it: a stack that has to grow, or a mistake of the program");
}
