/* guestos/mm/swap.c: slots of the swap partition; a slot is one page, 8 sectors.
 *
 * A bitmap says which slots are in use, and a count for each says how many hold it: every page-table entry that names it and, when
 * the page is also in memory, that frame's name. Slot 0 is never used, so that 0 can mean none.
 * Invariants: a slot's bit is set exactly if its count is not 0, and swap_used counts those slots (check_rules.c).
 * The tables are made of single frames, and cover at most SWAP_PER_FRAME times the size of memory, so that a big
 * partition does not eat a small machine. */
#include "mm.h"

#define SWAP_PER_FRAME 8u
#define COUNTS_PER_PAGE (PAGE_SIZE / 2)
#define BITS_PER_PAGE (PAGE_SIZE * 8)

uint32_t swap_total, swap_used;
static uint16_t **counts;
static uint32_t **bitmap;
static uint32_t slots, hint, first_sector;

static bool pages(void ***table, uint32_t n)
{
	if (n > 512 || !(*table = kzalloc(n * sizeof(void *))))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		struct frame *f = frame_alloc(ALLOC_KERNEL);
		if (!f)
			return false;
		(*table)[i] = memset(frame_va(f), 0, PAGE_SIZE);
	}
	return true;
}

void swap_init(uint32_t sector, uint32_t sectors)
{
	uint32_t n = min(min(sectors / 8, nr_usable * SWAP_PER_FRAME), 512 * COUNTS_PER_PAGE);
	if (n < 2)
		return;
	if (!pages((void ***)&counts, (n + COUNTS_PER_PAGE - 1) / COUNTS_PER_PAGE)
	    || !pages((void ***)&bitmap, (n + BITS_PER_PAGE - 1) / BITS_PER_PAGE)) {
		printk("swap: not enough memory for its tables\n");
		return;
	}
	slots = n;
	first_sector = sector;
	hint = 1;
	swap_total = n - 1;
}

static uint16_t *count_of(uint32_t slot)
{
	KASSERT(slot && slot < slots);
	return &counts[slot / COUNTS_PER_PAGE][slot % COUNTS_PER_PAGE];
}

static uint32_t *word_of(uint32_t slot)
{
	return &bitmap[slot / BITS_PER_PAGE][slot % BITS_PER_PAGE / 32];
}

/* Next fit: pages evicted together lie together. */
uint32_t swap_alloc(void)
{
	if (swap_used >= swap_total)
		return 0;
	for (uint32_t slot = hint;;) {
		if (slot % 32 == 0 && *word_of(slot) == 0xffffffffu)
			slot += 32;
		else if (*word_of(slot) & 1u << slot % 32)
			slot++;
		else {
			*word_of(slot) |= 1u << slot % 32;
			*count_of(slot) = 1;
			swap_used++;
			hint = slot + 1 < slots ? slot + 1 : 1;
			return slot;
		}
		if (slot >= slots)
			slot = 1;
	}
}

void swap_get(uint32_t slot)
{
	KASSERT(*count_of(slot) && *count_of(slot) < 0xffff);
	++*count_of(slot);
}

void swap_put(uint32_t slot)
{
	KASSERT(*count_of(slot));
	if (--*count_of(slot))
		return;
	*word_of(slot) &= ~(1u << slot % 32);
	swap_used--;
}

uint32_t swap_refs(uint32_t slot) { return *count_of(slot); }

void swap_count(uint32_t slot, int by) { *count_of(slot) += by; }
bool swap_marked(uint32_t slot) { return *word_of(slot) & 1u << slot % 32; }

void swap_each_table(void (*fn)(struct frame *f, int by), int by)
{
	for (uint32_t i = 0; i * COUNTS_PER_PAGE < slots; i++)
		fn(frame_of(virt_to_phys(counts[i])), by);
	for (uint32_t i = 0; i * BITS_PER_PAGE < slots; i++)
		fn(frame_of(virt_to_phys(bitmap[i])), by);
}

uint32_t swap_sector(uint32_t slot)
{
	KASSERT(slot && slot < slots);
	return first_sector + slot * 8;
}
