/* mmu/walk.c: the page walk, as the manual draws it; the figure is in mmu.h.
 *
 * page_walk() fills a record and changes nothing; page_walk_commit() does the only writes. A walk that faults records
 * no bits to set: the manual lets a processor set Accessed in the levels above the fault, and we do not.
 *
 *   result           error code       entry to look at
 *   NOT_PRESENT      0      |W|U|I    the last one read
 *   RESERVED         RSVD|P |W|U|I    the last one read
 *   PROTECTION       P      |W|U|I    all of them: the rights are ANDed
 *
 * A bad entry ends the walk where it is read, so its reserved bits count before rights, and before an absent entry below it.
 *
 * References: [SDM3A 4.3 "32-Bit Paging"], [SDM3A 4.4 "PAE Paging"], [SDM3A 4.6 "Access Rights"],
 * [SDM3A 4.7 "Page-Fault Exceptions"], [SDM3A 4.8 "Accessed and Dirty Flags"].
 * Not implemented: memory types, so that the PAT bit (7 of a PTE, 12 of a large PDE) is ignored, as are PWT and PCD.
 */
#include <stdarg.h>
#include <stdio.h>

#include "mmu/mmu.h"
#include "mmu/phys_page.h"
#include "mmu/rights.h"

/* Address fields and reserved bits of the tables in the manual's 4.3 and 4.4 "Format of ...", for MAXPHYADDR 36. What lies
 * between the reserved bits of a 4 MB PDE and its PAT bit is the upper part of the address: PSE-36. */
#define PDE_4M_FRAME       0xffc00000u
#define PDE_4M_FRAME_HIGH  0x0001e000u             /* bits 16:13: address bits 35:32 */
#define PDE_4M_RESERVED    0x003e0000u
#define PAE_FRAME          ((1ull << MAXPHYADDR) - PAGE_SIZE)
#define PAE_RESERVED       (PG_NX - (1ull << MAXPHYADDR))      /* bits 62:36 of every entry */
#define PDE_2M_OFFSET      0x001fffffu
#define PDE_2M_RESERVED    0x001fe000u
#define PDPTE_RESERVED     (PAE_RESERVED | PG_NX | 0x1e6u)
#define CR3_PDPTES         0xffffffe0u

/* What leaves the processor: address bit 20 passes through the A20 gate, for table reads as for data. */
static paddr_t bus_address(const struct phys *phys, paddr_t pa)
{
	return pa & ~(paddr_t)~phys->a20_mask;
}

static void walk_fault(struct walk *w, enum walk_result result, uint32_t code)
{
	bool fetch = w->access.kind == ACCESS_FETCH && w->paging.pae && w->paging.nxe;

	w->result = result;
	w->pf_code = code | (w->access.kind == ACCESS_WRITE ? PF_W : 0) | (w->access.user ? PF_U : 0) | (fetch ? PF_I : 0);
}

/* Notes the entry of the next level. */
static uint64_t note_entry(struct walk *w, const char *name, paddr_t addr, uint64_t value)
{
	struct walk_step *s = &w->step[w->levels++];

	s->name = name;
	s->addr = addr;
	s->value = value;
	return value;
}

static uint64_t read_entry32(const struct phys *phys, struct walk *w, const char *name, paddr_t addr)
{
	addr = bus_address(phys, addr);
	return note_entry(w, name, addr, phys_peek32(phys, addr));
}

static uint64_t read_entry64(const struct phys *phys, struct walk *w, const char *name, paddr_t addr)
{
	addr = bus_address(phys, addr);
	return note_entry(w, name, addr, phys_peek64(phys, addr));
}

uint64_t page_entry_reserved(const struct paging *pg, bool large)
{
	if (!pg->pae)
		return large ? PDE_4M_RESERVED : 0;
	return PAE_RESERVED | (pg->nxe ? 0 : PG_NX) | (large ? PDE_2M_RESERVED : 0);
}

/* Checks a PDE or PTE, and takes away the rights it does not grant. */
static bool entry_good(struct walk *w, uint64_t entry, bool large)
{
	if (!(entry & PG_P)) {
		walk_fault(w, WALK_NOT_PRESENT, 0);
		return false;
	}
	if (entry & page_entry_reserved(&w->paging, large)) {
		walk_fault(w, WALK_RESERVED, PF_RSVD | PF_P);
		return false;
	}
	w->rights &= (uint32_t)(entry & (PG_W | PG_U)) | (entry & PG_NX ? 0 : PG_X);
	return true;
}

/* The leaf is found: checks the rights, and says where the byte is and which bits a commit has to add. */
static void finish(const struct phys *phys, struct walk *w, uint64_t leaf, paddr_t pa)
{
	w->global = w->paging.pge && (leaf & PG_G);
	if (!page_access_allowed(w->rights, w->paging.wp, &w->access)) {
		walk_fault(w, WALK_PROTECTION, PF_P);
		return;
	}
	for (unsigned i = w->paging.pae; i < w->levels; i++)           /* a PDPTE has no Accessed bit */
		w->step[i].set = PG_A & ~w->step[i].value;
	if (w->access.kind == ACCESS_WRITE)
		w->step[w->levels - 1].set |= PG_D & ~w->step[w->levels - 1].value;
	w->pa = bus_address(phys, pa);
}

static paddr_t frame_4m(uint64_t pde)
{
	return (pde & PDE_4M_FRAME) | (pde & PDE_4M_FRAME_HIGH) << 19;
}

paddr_t page_entry_target(const struct paging *pg, uint64_t entry, bool large)
{
	if (!pg->pae)
		return large ? frame_4m(entry) : entry & PG_FRAME;
	return entry & PAE_FRAME & ~(paddr_t)(large ? PDE_2M_OFFSET : 0);
}

static void walk_two_levels(const struct phys *phys, struct walk *w)
{
	laddr_t la = w->access.la;

	/* 1. CR3 locates the directory; LA[31:22] picks one of 1024 entries. */
	uint64_t pde = read_entry32(phys, w, "PDE", (w->paging.cr3 & PG_FRAME) + 4 * (la >> 22));
	bool large = w->paging.pse && (pde & PG_PS);           /* without CR4.PSE the bit is ignored */
	w->page_shift = large ? 22 : 12;
	if (!entry_good(w, pde, large))
		return;

	/* 2. With PS the PDE maps 4 MB itself. */
	if (large) {
		finish(phys, w, pde, frame_4m(pde) | (la & ~PDE_4M_FRAME));
		return;
	}

	/* 3. Else it locates the table; LA[21:12] picks one of 1024 entries. */
	uint64_t pte = read_entry32(phys, w, "PTE", (pde & PG_FRAME) + 4 * (la >> 12 & 0x3ff));
	if (!entry_good(w, pte, false))
		return;

	/* 4. A page is user, or writable, only if both levels say so; the PTE locates the frame. */
	finish(phys, w, pte, (pte & PG_FRAME) | (la & PG_OFFSET));
}

static void walk_pae(const struct phys *phys, struct walk *w)
{
	laddr_t la = w->access.la;
	unsigned n = la >> 30;

	/* 1. LA[31:30] picks one of four registers. They were checked when they were loaded, and they grant every right. */
	uint64_t pdpte = note_entry(w, "PDPTE", bus_address(phys, (w->paging.cr3 & CR3_PDPTES) + 8 * n), w->paging.pdpte[n]);
	if (!(pdpte & PG_P)) {
		walk_fault(w, WALK_NOT_PRESENT, 0);
		return;
	}

	/* 2. It locates the directory; LA[29:21] picks one of 512 entries. */
	uint64_t pde = read_entry64(phys, w, "PDE", (pdpte & PAE_FRAME) + 8 * (la >> 21 & 0x1ff));
	bool large = pde & PG_PS;                              /* whatever CR4.PSE says */
	w->page_shift = large ? 21 : 12;
	if (!entry_good(w, pde, large))
		return;

	/* 3. With PS the PDE maps 2 MB itself. */
	if (large) {
		finish(phys, w, pde, (pde & PAE_FRAME & ~(paddr_t)PDE_2M_OFFSET) | (la & PDE_2M_OFFSET));
		return;
	}

	/* 4. Else it locates the table; LA[20:12] picks one of 512 entries. */
	uint64_t pte = read_entry64(phys, w, "PTE", (pde & PAE_FRAME) + 8 * (la >> 12 & 0x1ff));
	if (!entry_good(w, pte, false))
		return;

	/* 5. A page is user, or writable, only if PDE and PTE say so, and not for fetches if one says so. */
	finish(phys, w, pte, (pte & PAE_FRAME) | (la & PG_OFFSET));
}

bool page_read_pdptes(const struct phys *phys, uint32_t cr3, uint64_t pdpte[PDPTES])
{
	bool good = true;

	for (unsigned i = 0; i < PDPTES; i++) {
		pdpte[i] = phys_peek64(phys, bus_address(phys, (cr3 & CR3_PDPTES) + 8 * i));
		good &= !(pdpte[i] & PG_P) || !(pdpte[i] & PDPTE_RESERVED);
	}
	return good;
}

void page_walk(const struct phys *phys, const struct paging *pg, const struct access *a, struct walk *w)
{
	/* Member by member: gcc clears the whole struct with a string instruction, slow for so few bytes. */
	w->access = *a;
	w->paging = *pg;
	w->levels = 0;
	w->step[0] = w->step[1] = w->step[2] = (struct walk_step){0};
	w->page_shift = 12;
	w->rights = PG_W | PG_U | PG_X;
	w->global = false;
	w->result = WALK_OK;
	w->pf_code = 0;
	w->pa = 0;
	if (!pg->enabled)
		w->pa = bus_address(phys, a->la);
	else if (pg->pae)
		walk_pae(phys, w);
	else
		walk_two_levels(phys, w);
}

/* Four bytes are enough for entries of 64 bits too: Accessed and Dirty lie in their low half. */
void page_walk_commit(struct phys *phys, struct walk *w)
{
	for (unsigned i = 0; i < w->levels; i++)
		if (w->step[i].set)
			phys_store(phys, w->step[i].addr, 4, (uint32_t)(w->step[i].value | w->step[i].set), BY_WALK);
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

static void describe_bits(struct text *t, const struct walk *w, uint64_t v, bool leaf)
{
	say(t, " W=%d U=%d", !!(v & PG_W), !!(v & PG_U));
	if (w->paging.pae && w->paging.nxe)
		say(t, " NX=%d", !!(v & PG_NX));
	say(t, " A=%d", !!(v & PG_A));
	if (leaf)
		say(t, " D=%d G=%d", !!(v & PG_D), !!(v & PG_G));
}

/* Where the entry leads. */
static void describe_target(struct text *t, const struct walk *w, uint64_t v, bool large, bool leaf)
{
	unsigned long long target = page_entry_target(&w->paging, v, large);

	if (large)
		say(t, " PS=1 %d MB page at 0x%08llx", w->paging.pae ? 2 : 4, target);
	else
		say(t, " %s at 0x%08llx", leaf ? "frame" : "table", target);
}

static void describe_step(struct text *t, const struct walk *w, unsigned i)
{
	const struct walk_step *s = &w->step[i];
	uint64_t v = s->value;
	bool pae = w->paging.pae, last = i == w->levels - 1;
	bool large = last && w->page_shift != PAGE_SHIFT, leaf = large || i == (pae ? 2 : 1);
	uint64_t reserved = v & page_entry_reserved(&w->paging, large);

	say(t, "%s at 0x%08llx = 0x%0*llx: ", s->name, (unsigned long long)s->addr, pae ? 16 : 8, (unsigned long long)v);
	if (!(v & PG_P)) {
		say(t, "P=0 not present\n");
		return;
	}
	say(t, "P=1");
	if (pae && i == 0) {
		say(t, " directory at 0x%08llx\n", (unsigned long long)(v & PAE_FRAME));
		return;
	}
	describe_bits(t, w, v, leaf);
	if (last && w->result == WALK_RESERVED)
		say(t, "%s reserved bits 0x%08llx are set", large ? " PS=1" : "", (unsigned long long)reserved);
	else
		describe_target(t, w, v, large, leaf);
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
		if (w->access.kind == ACCESS_FETCH)
			return "page is no-execute";
		return w->access.user ? "page is read-only" : "page is read-only and CR0.WP=1";
	}
}

const char *access_kind_name(enum access_kind kind)
{
	static const char *const name[] = {"read", "write", "fetch"};

	return name[kind];
}

const char *walk_result_name(enum walk_result result)
{
	static const char *const name[] = {"ok", "not present", "reserved bit", "protection"};

	return name[result];
}

int walk_describe(const struct walk *w, char *buf, size_t size)
{
	struct text t = {buf, size, 0};

	if (size)
		buf[0] = '\0';
	say(&t, "%s %s of 0x%08x", w->access.user ? "user" : "supervisor", access_kind_name(w->access.kind), w->access.la);
	if (w->paging.enabled)
		say(&t, ", CR3 = 0x%08x\n", w->paging.cr3);
	else
		say(&t, ", paging off\n");
	for (unsigned i = 0; i < w->levels; i++)
		describe_step(&t, w, i);
	if (w->result == WALK_OK)
		say(&t, "physical address 0x%08llx\n", (unsigned long long)w->pa);
	else
		say(&t, "#PF error code 0x%x: %s\n", w->pf_code, fault_reason(w));
	return (int)t.len;
}
