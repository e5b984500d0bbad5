/* guestos/mm/pagetable.c: two-level page tables [SDM3A 4.3 "32-Bit Paging"] and the kernel's direct map.
 *
 * Directory entries 768-1023 (the kernel's gigabyte) are made once at boot and copied into every directory, so kernel
 * addresses mean the same everywhere; they are global (CR4.PGE) and survive CR3 loads. With CR4.PSE the direct map
 * uses 4 MB pages. Entries 0-767 belong to the process and their tables come and go with it.
 * Invariant: the processor's cache of entries (TLB) never says more than the tables of the loaded space. Whoever changes an entry calls
 * pte_set(), which flushes it if that space is loaded; other spaces' entries are flushed by the CR3 load that switches to them. */
#include "mm.h"
#include "proc.h"
#include "x86.h"

#define KERNEL_PDE (KERNEL_BASE >> 22)

extern pte_t boot_pgtable[];
static struct space *loaded;

/* CPUID leaf 1 EDX; 0 on a processor without CPUID. */
uint32_t cpu_features(void)
{
	uint32_t a, b, c, d, before, after;
	/* CPUID exists if EFLAGS.ID (bit 21) can be changed. */
	__asm__ volatile("pushfl; popl %0; movl %0, %1; xorl $0x200000, %1; pushl %1; popfl; pushfl; popl %1; pushl %0; popfl"
		: "=&r"(before), "=&r"(after));
	if (!((before ^ after) & 0x200000))
		return 0;
	cpuid(0, &a, &b, &c, &d);
	if (a < 1)
		return 0;
	cpuid(1, &a, &b, &c, &d);
	return d;
}

void paging_init(void)
{
	uint32_t features = cpu_features(), top = min(memory_top(), DIRECT_MAP_MAX);
	bool pse = features & 1 << 3, pge = features & 1 << 13;
	uint32_t global = pge ? PG_G : 0;
	if (pse)
		write_cr4(read_cr4() | CR4_PSE);
	for (uint32_t pa = 0; pa < top; pa += 4u << 20) {
		pte_t *pde = &boot_pgdir[KERNEL_PDE + (pa >> 22)];
		if (pse) {
			*pde = pa | PG_P | PG_W | PG_PS | global;
			continue;
		}
		pte_t *table = pa ? early_alloc(2 * PAGE_SIZE) : boot_pgtable;
		table = (pte_t *)page_up(table);
		for (uint32_t i = 0; i < 1024; i++)
			table[i] = (pa + i * PAGE_SIZE) | PG_P | PG_W | global;
		*pde = virt_to_phys(table) | PG_P | PG_W;
	}
	boot_pgdir[0] = 0;
	write_cr3(virt_to_phys(boot_pgdir));
	if (pge)
		write_cr4(read_cr4() | CR4_PGE);
	write_cr0(read_cr0() | CR0_WP);
}

void space_activate(struct space *s)
{
	if (s == loaded)
		return;
	loaded = s;
	write_cr3(virt_to_phys(s ? s->dir : boot_pgdir));
	ldt_activate(s);
}

pte_t *pte_find(struct space *s, uint32_t la)
{
	pte_t pde = s->dir[la >> 22];
	if (!(pde & PG_P))
		return NULL;
	return (pte_t *)phys_to_virt(PTE_FRAME(pde)) + (la >> PAGE_SHIFT & 0x3ff);
}

pte_t *pte_make(struct space *s, uint32_t la)
{
	KASSERT(la < KERNEL_BASE);
	may_sleep();
	if (!(s->dir[la >> 22] & PG_P)) {
		struct frame *f = frame_alloc(ALLOC_USER);
		if (!f)
			return NULL;
		memset(frame_va(f), 0, PAGE_SIZE);
		frame_set_state(f, FRAME_TABLE);
		s->dir[la >> 22] = frame_pa(f) | PG_P | PG_W | PG_U;
		s->tables++;
	}
	return pte_find(s, la);
}

/* Keeps the resident and swapped counts of the space; references of frames and slots are the caller's business. */
void pte_set(struct space *s, uint32_t la, pte_t *pte, pte_t value)
{
	pte_t old = *pte;
	s->rss += !!(value & PG_P) - !!(old & PG_P);
	s->swapped += pte_swapped(value) - pte_swapped(old);
	*pte = value;
	if ((old & PG_P) && s == loaded)
		invlpg(la);
}

/* Forget a page: drop its reference to a frame or a slot. */
void pte_zap(struct space *s, uint32_t la, pte_t *pte)
{
	pte_t old = *pte;
	pte_set(s, la, pte, 0);
	if (pte_swapped(old)) {
		swap_put(PTE_SLOT(old));
		prefetch_slot_put(PTE_SLOT(old));
	} else if (old & PG_P) {
		struct frame *f = frame_of(PTE_FRAME(old));
		if (f->state != FRAME_ZERO)
			rmap_remove(f, s, la);
		if (old & (PG_A | PG_SEEN))
			prefetch_used(f);
		f->refs--;
		/* The pin makes the order safe: the reference is gone first, then whoever unpins last frees. */
		if (old & PG_LOCKED) {
			frame_unlock(f);
		} else {
			frame_pin(f);
			frame_unpin(f);
		}
	}
}

void table_free(struct space *s, uint32_t la)
{
	pte_t pde = s->dir[la >> 22];
	if (!(pde & PG_P))
		return;
	s->dir[la >> 22] = 0;
	s->tables--;
	if (s == loaded)
		invlpg(la);            /* also forgets cached directory entries [SDM3A 4.10.4.1 "Operations that Invalidate TLBs and Paging-Structure Caches"] */
	frame_free(frame_of(PTE_FRAME(pde)));
}

void tables_free(struct space *s)
{
	for (uint32_t i = 0; i < KERNEL_PDE; i++)
		table_free(s, i << 22);
}
