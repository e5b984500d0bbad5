/* guestos/mm/check_rules.c: the rules of memory management that can be seen to hold by looking, a function for each kind of thing.
 *
 * Counts that say how many there are of something are counted again. What is written down in two places (a frame's list of mappings and
 * the page tables, a name and the hash chain) is followed from both ends. A new rule is a line in one of these functions; a new kind of
 * thing is a new row of rules[]. Run by check.c, which says how; nothing here sleeps or changes anything. */
#include "mm.h"
#include "fs.h"
#include "proc.h"
#include "check.h"

static void check_slots(void)
{
	uint32_t used = 0;
	for (uint32_t slot = 1; slot <= swap_total; slot++) {
		used += swap_refs(slot) > 0;
		if (swap_marked(slot) != (swap_refs(slot) > 0))
			wrong("slot %u: the bitmap says %s, but it has %u references", slot, swap_marked(slot) ? "used" : "free", swap_refs(slot));
	}
	if (used != swap_used)
		wrong("swap: %u slots are in use, swap_used is %u", used, swap_used);
}

static bool is_named(const struct frame *f)
{
	const struct frame *g = cache_chain(cache_bucket_of(f->object, f->index));
	while (g && g != f)
		g = g->next;
	return g;
}

static void check_maps(const struct frame *f)
{
	uint32_t n = 0;
	for (const struct rmap *m = f->maps; m && n <= f->refs; m = m->next, n++) {
		const pte_t *pte = pte_find(m->space, m->la);
		if (!pte || !(*pte & PG_P) || PTE_FRAME(*pte) != frame_pa(f))
			wrong("frame %u: its list says 0x%08x maps it, but the page table does not", number(f), m->la);
	}
	if (n != f->refs)
		wrong("frame %u: %u references, list of %s%u mappings", number(f), f->refs, n > f->refs ? "at least " : "", n);
}

static void check_frame(const struct frame *f)
{
	uint32_t i = number(f);
	bool should_have_name = (f->state == FRAME_CACHE && !(f->flags & FRAME_ORPHAN))
		|| (f->state == FRAME_ANON && f->object == OBJECT_SWAP);
	if (f->state == FRAME_ANON || f->state == FRAME_CACHE)
		check_maps(f);
	else if (f->state != FRAME_ZERO && (f->refs || f->pins))
		wrong("frame %u (%s): %u references, %u pins", i, frame_state_name(f->state), f->refs, f->pins);
	if (f->flags & FRAME_BUSY && !f->pins)
		wrong("frame %u: busy but not pinned", i);
	if (f->state == FRAME_FREE && f->flags & FRAME_BUSY)
		wrong("frame %u: free but busy", i);
	if (f->state == FRAME_ANON && !f->refs && !f->pins && !(f->flags & FRAME_AHEAD && f->object == OBJECT_SWAP && swap_refs(f->index) > 1))
		wrong("frame %u: private memory that nobody uses", i);
	if (f->state == FRAME_CACHE && f->flags & FRAME_ORPHAN && (!f->pins || f->refs || f->flags & FRAME_DIRTY))
		wrong("frame %u: its file has lost it, but it has %u pins, %u references%s", i, f->pins, f->refs,
			f->flags & FRAME_DIRTY ? " and is dirty" : "");
	if (f->state == FRAME_HEAP && !heap_page_sound(f))
		wrong("frame %u: damaged heap page (class %u, %u in use)", i, f->object, f->index);
	if (f->state == FRAME_CACHE && object_is_memory(f->object) && !(f->flags & FRAME_ORPHAN)
	    && (!object_exists(f->object) || object_slot(f->object, f->index) != f->block))
		wrong("frame %u: page %u of memory object %x, which does not have it in slot %u", i, f->index, f->object, f->block);
	if (should_have_name && !is_named(f))
		wrong("frame %u: named (%x, %u) but not found by that name", i, f->object, f->index);
}

static void check_frames(void)
{
	uint32_t in_state[FRAME_STATES] = { 0 }, pinned = 0, ahead = 0;
	for (uint32_t i = 0; i < nr_frames; i++) {
		if (frames[i].state >= FRAME_STATES) {
			wrong("frame %u: state %u does not exist", i, frames[i].state);
			continue;
		}
		in_state[frames[i].state]++;
		pinned += frames[i].pins > 0;
		ahead += !!(frames[i].flags & FRAME_AHEAD);
		check_frame(&frames[i]);
	}
	for (unsigned s = 0; s < FRAME_STATES; s++)
		if (in_state[s] != nr_in_state[s])
			wrong("%u frames are %s, nr_in_state says %u", in_state[s], frame_state_name(s), nr_in_state[s]);
	if (pinned != nr_pinned)
		wrong("%u frames are pinned, nr_pinned says %u", pinned, nr_pinned);
	if (ahead != nr_ahead || vm.ahead_reads != vm.ahead_hits + vm.ahead_waste + nr_ahead)
		wrong("%u frames were read ahead, nr_ahead says %u; read %u, hits %u, waste %u", ahead, nr_ahead, vm.ahead_reads, vm.ahead_hits,
			vm.ahead_waste);
}

static void check_free_list(void)
{
	uint32_t n = 0;
	for (const struct frame *f = free_frames(); f && n <= nr_frames; f = f->next, n++)
		if (f->state != FRAME_FREE)
			wrong("frame %u: on the free list, but %s", number(f), frame_state_name(f->state));
	if (n != nr_free || n != nr_in_state[FRAME_FREE])
		wrong("the free list has %u frames, nr_free is %u", n, nr_free);
}

static void check_names(void)
{
	for (uint32_t n = 0; n < cache_buckets(); n++)
		for (const struct frame *f = cache_chain(n); f; f = f->next) {
			if (f->state != FRAME_CACHE && f->state != FRAME_ANON)
				wrong("frame %u (%s): has a name", number(f), frame_state_name(f->state));
			if (f->flags & FRAME_ORPHAN)
				wrong("frame %u: has a name, though its file has lost it", number(f));
			if (cache_bucket_of(f->object, f->index) != n)
				wrong("frame %u: (%x, %u) is in the wrong chain", number(f), f->object, f->index);
			for (const struct frame *g = f->next; g; g = g->next)
				if (g->object == f->object && g->index == f->index)
					wrong("frames %u and %u: both are named (%x, %u)", number(f), number(g), f->object, f->index);
		}
}

static void check_entry(const struct space *s, const struct region *r, uint32_t la, pte_t pte)
{
	if (!r)
		wrong("space %08x: 0x%08x has entry %08x but no region", (uint32_t)s, la, pte);
	if (!(pte & PG_P)) {
		if (!pte_swapped(pte) || !PTE_SLOT(pte) || PTE_SLOT(pte) > swap_total)
			wrong("space %08x: 0x%08x has entry %08x, which means nothing", (uint32_t)s, la, pte);
		return;
	}
	const struct frame *f = PTE_FRAME(pte) >> PAGE_SHIFT < nr_frames ? frame_of(PTE_FRAME(pte)) : NULL;
	if (!f || (f->state != FRAME_ANON && f->state != FRAME_CACHE && f->state != FRAME_ZERO)) {
		wrong("space %08x: 0x%08x maps frame %u (%s)", (uint32_t)s, la, pte >> PAGE_SHIFT, f ? frame_state_name(f->state) : "none");
		return;
	}
	if (r && !(pte & PG_U) != !r->prot)
		wrong("space %08x: 0x%08x is %s the user, but the region's rights are %u", (uint32_t)s, la, pte & PG_U ? "open to" : "closed to",
			r->prot);
	if (!(pte & PG_W))
		return;
	if (r && !region_writable(r))
		wrong("space %08x: 0x%08x is writable in a region that is not", (uint32_t)s, la);
	if (f->state == FRAME_CACHE && r && r->shared) {
		if (!(f->flags & FRAME_DIRTY))
			wrong("space %08x: 0x%08x is writable, but frame %u of the page cache is clean", (uint32_t)s, la, number(f));
		return;
	}
	if (f->state != FRAME_ANON || f->refs != 1 || f->object == OBJECT_SWAP)
		wrong("space %08x: 0x%08x is writable, but frame %u is %s, has %u references%s", (uint32_t)s, la, number(f),
			frame_state_name(f->state), f->refs, f->object == OBJECT_SWAP ? " and a copy in swap" : "");
}

static void check_space(struct space *s)
{
	uint32_t rss = 0, swapped = 0, tables = 0;
	for (uint32_t i = 0; i < KERNEL_BASE >> 22; i++) {
		if (!(s->dir[i] & PG_P))
			continue;
		const pte_t *table = phys_to_virt(PTE_FRAME(s->dir[i]));
		tables++;
		for (uint32_t j = 0; j < 1024; j++) {
			if (!table[j])
				continue;
			rss += table[j] & PG_P;
			swapped += pte_swapped(table[j]);
			check_entry(s, region_find(s, i << 22 | j << PAGE_SHIFT), i << 22 | j << PAGE_SHIFT, table[j]);
		}
	}
	if (rss != s->rss || swapped != s->swapped || tables != s->tables)
		wrong("space %08x: %u pages present, %u swapped, %u tables; it says %u, %u, %u", (uint32_t)s, rss, swapped, tables, s->rss,
			s->swapped, s->tables);
	/* Accessed and Dirty are set in each directory for itself [SDM3A 4.8 "Accessed and Dirty Flags"]. */
	for (uint32_t i = KERNEL_BASE >> 22; i < 1024; i++)
		if ((s->dir[i] ^ boot_pgdir[i]) & ~(PG_A | PG_D))
			wrong("space %08x: its kernel half is not the kernel's: entry %u is %08x", (uint32_t)s, i, s->dir[i]);
	for (const struct region *r = s->regions; r; r = r->next)
		if (r->start >= r->end || (r->start | r->end) % PAGE_SIZE || r->end > STACK_TOP || (r->next && r->next->start < r->end)
		    || (r->kind == REGION_FILE && !r->inode))
			wrong("space %08x: region %08x-%08x is misplaced", (uint32_t)s, r->start, r->end);
}

static void check_spaces(void)
{
	for (struct space *s = all_spaces; s; s = s->next) {
		uint32_t users = 0;
		for (struct proc *p = all_procs; p; p = p->next)
			users += p->space == s;
		if (users > s->refs)
			wrong("space %08x: %u processes use it, %u references", (uint32_t)s, users, s->refs);
		check_space(s);
	}
}

static void check_processes(void)
{
	for (const struct proc *p = all_procs; p; p = p->next) {
		if (*p->kstack != STACK_MAGIC)
			wrong("process %d: its kernel stack overflowed", p->pid);
		for (int i = 0; i < MAX_PINS; i++)
			if (p->pins[i] && (p->at_rest || p->state == PROC_ZOMBIE))
				wrong("process %d: pins frame %u, though it is not in the kernel", p->pid, number(p->pins[i]));
	}
}

static void (*const rules[])(void) = {
	check_slots,
	check_frames,
	check_free_list,
	check_names,
	check_spaces,
	check_processes,
};

void check_rules(void)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(rules); i++)
		rules[i]();
}
