/* mmu/walk.c: the page walk, as the manual draws it; the figure is in mmu.h.
 *
 * page_walk() fills a record and changes nothing; page_walk_commit() does the only writes. A walk that faults records
 * no bits to set: the manual lets a processor set Accessed in the levels above the fault, and we do not.
 *
 *   result           error code      entry to look at
 *   NOT_PRESENT      0      |W|U     the last one read
 *   RESERVED         RSVD|P |W|U     the last one read
 *   PROTECTION       P      |W|U     all of them: the rights are ANDed
 *
 * References: [SDM3A 4.3 "32-Bit Paging"], [SDM3A 4.6 "Access Rights"], [SDM3A 4.7 "Page-Fault Exceptions"],
 * [SDM3A 4.8 "Accessed and Dirty Flags"].
 * Not implemented: PAE, PSE-36 and memory types. Simplified: the PAT bit (7 of a PTE, 12 of a 4 MB PDE) is ignored where
 * a processor without PAT would call it reserved.
 */
#include <stdarg.h>
#include <stdio.h>

#include "mmu/mmu.h"
#include "mmu/rights.h"

/* Bits 21:13 of a PDE for a 4 MB page; address bits 39:32 where PSE-36 exists. [SDM3A 4.3 "32-Bit Paging"], "Format of a 32-Bit
 * Page-Directory Entry that Maps a 4-MByte Page". */
#define PDE_LARGE_RESERVED 0x003fe000u
#define PDE_LARGE_FRAME    0xffc00000u

/* What leaves the processor: address bit 20 passes through the A20 gate, for table reads as for data. */
static paddr_t bus_address(const struct phys *phys, uint32_t pa)
{
	return pa & phys->a20_mask;
}

static void walk_fault(struct walk *w, enum walk_result result, uint32_t code)
{
	w->result = result;
	w->pf_code = code | (w->access.kind == ACCESS_WRITE ? PF_W : 0) | (w->access.user ? PF_U : 0);
}

/* Reads the entry of the next level and notes it. */
static uint32_t read_entry(const struct phys *phys, struct walk *w, const char *name, uint32_t addr)
{
	struct walk_step *s = &w->step[w->levels++];

	s->name = name;
	s->addr = bus_address(phys, addr);
	s->value = phys_peek32(phys, s->addr);
	return (uint32_t)s->value;
}

/* The leaf is found: checks the rights, and says where the byte is and which bits a commit has to add. */
static void finish(const struct phys *phys, struct walk *w, uint32_t leaf, uint32_t pa)
{
	w->global = w->paging.pge && (leaf & PG_G);
	if (!page_access_allowed(w->rights, w->paging.wp, &w->access)) {
		walk_fault(w, WALK_PROTECTION, PF_P);
		return;
	}
	for (unsigned i = 0; i < w->levels; i++)
		w->step[i].set = PG_A & ~w->step[i].value;
	if (w->access.kind == ACCESS_WRITE)
		w->step[w->levels - 1].set |= PG_D & ~w->step[w->levels - 1].value;
	w->pa = bus_address(phys, pa);
}

static void walk_two_levels(const struct phys *phys, struct walk *w)
{
	laddr_t la = w->access.la;

	/* 1. CR3 locates the directory; LA[31:22] picks one of 1024 entries. */
	uint32_t pde = read_entry(phys, w, "PDE", (w->paging.cr3 & PG_FRAME) + 4 * (la >> 22));
	if (!(pde & PG_P)) {
		walk_fault(w, WALK_NOT_PRESENT, 0);
		return;
	}
	w->rights &= pde;

	/* 2. With PS the PDE maps 4 MB itself. Without CR4.PSE the bit is ignored. */
	if (w->paging.pse && (pde & PG_PS)) {
		w->page_shift = 22;
		if (pde & PDE_LARGE_RESERVED)
			walk_fault(w, WALK_RESERVED, PF_RSVD | PF_P);
		else
			finish(phys, w, pde, (pde & PDE_LARGE_FRAME) | (la & ~PDE_LARGE_FRAME));
		return;
	}

	/* 3. Else it locates the table; LA[21:12] picks one of 1024 entries. */
	uint32_t pte = read_entry(phys, w, "PTE", (pde & PG_FRAME) + 4 * (la >> 12 & 0x3ff));
	if (!(pte & PG_P)) {
		walk_fault(w, WALK_NOT_PRESENT, 0);
		return;
	}

	/* 4. A page is user, or writable, only if both levels say so; the PTE locates the frame. */
	w->rights &= pte;
	w->page_shift = 12;
	finish(phys, w, pte, (pte & PG_FRAME) | (la & PG_OFFSET));
}

void page_walk(const struct phys *phys, const struct paging *pg, const struct access *a, struct walk *w)
{
	/* Member by member: gcc clears the whole struct with a string instruction, slow for so few bytes. */
	w->access = *a;
	w->paging = *pg;
	w->levels = 0;
	w->step[0] = w->step[1] = w->step[2] = (struct walk_step){0};
	w->page_shift = 12;
	w->rights = PG_W | PG_U;
	w->global = false;
	w->result = WALK_OK;
	w->pf_code = 0;
	w->pa = 0;
	if (pg->enabled) {
		walk_two_levels(phys, w);
		return;
	}
	w->pa = bus_address(phys, a->la);
}

void page_walk_commit(struct phys *phys, struct walk *w)
{
	for (unsigned i = 0; i < w->levels; i++)
		if (w->step[i].set)
			phys_write(phys, w->step[i].addr, 4, (uint32_t)(w->step[i].value | w->step[i].set));
}

/* --- the walk in words ---------------------------------------------------------------------------------------- */

struct text {
	char *buf;
	size_t size, len;
};

__attribute__((format(printf, 2, 3)))
static void say(struct text *t, const char *fmt, ...)
{
	bool room = t->len < t->size;
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(room ? t->buf + t->len : NULL, room ? t->size - t->len : 0, fmt, ap);
	va_end(ap);
	t->len += n > 0 ? (size_t)n : 0;
}

static void describe_step(struct text *t, const struct walk *w, unsigned i)
{
	const struct walk_step *s = &w->step[i];
	uint32_t v = (uint32_t)s->value;
	bool large = w->page_shift == 22 && s->name[1] == 'D';
	bool leaf = large || s->name[1] == 'T';

	say(t, "%s at 0x%08x = 0x%08x: ", s->name, (unsigned)s->addr, v);
	if (!(v & PG_P)) {
		say(t, "P=0 not present\n");
		return;
	}
	say(t, "P=1 W=%d U=%d A=%d", !!(v & PG_W), !!(v & PG_U), !!(v & PG_A));
	if (leaf)
		say(t, " D=%d G=%d", !!(v & PG_D), !!(v & PG_G));
	if (large && w->result == WALK_RESERVED)
		say(t, " PS=1 reserved bits 0x%08x are set", v & PDE_LARGE_RESERVED);
	else if (large)
		say(t, " PS=1 4 MB page at 0x%08x", v & PDE_LARGE_FRAME);
	else
		say(t, " %s at 0x%08x", leaf ? "frame" : "table", v & PG_FRAME);
	if (s->set)
		say(t, ", sets%s%s", s->set & PG_A ? " A" : "", s->set & PG_D ? " D" : "");
	say(t, "\n");
}

static const char *fault_reason(const struct walk *w)
{
	switch (w->result) {
	case WALK_NOT_PRESENT:
		return "page not present";
	case WALK_RESERVED:
		return "reserved bit set";
	default:
		if (w->access.user && !(w->rights & PG_U))
			return "page is supervisor-only";
		return w->access.user ? "page is read-only" : "page is read-only and CR0.WP=1";
	}
}

int walk_describe(const struct walk *w, char *buf, size_t size)
{
	static const char *const kind[] = {"read", "write", "fetch"};
	struct text t = {buf, size, 0};

	if (size)
		buf[0] = '\0';
	say(&t, "%s %s of 0x%08x", w->access.user ? "user" : "supervisor", kind[w->access.kind], w->access.la);
	if (w->paging.enabled)
		say(&t, ", CR3 = 0x%08x\n", w->paging.cr3);
	else
		say(&t, ", paging off\n");
	for (unsigned i = 0; i < w->levels; i++)
		describe_step(&t, w, i);
	if (w->result == WALK_OK)
		say(&t, "physical address 0x%08x\n", (unsigned)w->pa);
	else
		say(&t, "#PF error code 0x%x: %s\n", w->pf_code, fault_reason(w));
	return (int)t.len;
}
