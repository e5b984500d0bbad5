#include "cpu/code.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#define PAGES_KEPT 8192            /* beyond it everything is dropped: about 300 MB */
#define INDEX_BYTES (PHYS_PAGES * sizeof(struct code_page *))

static bool code32(const struct cpu *cpu) { return cpu->seg[SEG_CS].flags & SEG_FLAG_DB; }

/* --- dropping ------------------------------------------------------------------------------------------------------ */

static void drop(struct cpu *cpu, unsigned mode, uint32_t frame)
{
	struct code_cache *c = cpu->cache;
	struct code_page *page = c->page[mode][frame];

	if (!page)
		return;
	c->page[mode][frame] = NULL;
	c->pages--;
	page->next = c->dropped;
	c->dropped = page;
	if (!c->page[!mode][frame])
		cpu->mmu->phys->attr[frame] &= (uint8_t)~PHYS_CODE;
}

static void drop_all(struct cpu *cpu)
{
	for (uint32_t frame = 0; frame < PHYS_PAGES; frame++)
		for (unsigned mode = 0; mode < 2; mode++)
			if (cpu->mmu->phys->attr[frame] & PHYS_CODE)
				drop(cpu, mode, frame);
}

void code_free_dropped(struct cpu *cpu)
{
	struct code_page *page;

	while ((page = cpu->cache->dropped)) {
		cpu->cache->dropped = page->next;
		for (struct block *b = page->blocks, *next; b; b = next) {
			next = b->next;
			free(b);
		}
		free(page);
	}
}

static uint64_t granules(unsigned offset, unsigned size)
{
	unsigned first = offset >> 6, last = (offset + size - 1) >> 6;

	return (~0ull << first) & (~0ull >> (63 - (last > 63 ? 63 : last)));
}

bool code_holds(const struct cpu *cpu, paddr_t pa, unsigned size)
{
	for (unsigned mode = 0; mode < 2; mode++) {
		const struct code_page *page = cpu->cache->page[mode][pa >> 12];
		if (page && page->granules & granules(pa & 0xfff, size))
			return true;
	}
	return false;
}

/* Told by physical memory of each write to a page marked PHYS_CODE. */
static void written(void *owner, paddr_t pa, unsigned len)
{
	struct cpu *cpu = owner;

	while (len) {
		unsigned here = 4096 - (pa & 0xfff) < len ? 4096 - (unsigned)(pa & 0xfff) : len;

		for (unsigned mode = 0; mode < 2; mode++) {
			const struct code_page *page = cpu->cache->page[mode][pa >> 12];
			if (page && page->granules & granules(pa & 0xfff, here))
				drop(cpu, mode, (uint32_t)(pa >> 12));
		}
		pa += here;
		len -= here;
	}
}

/* --- decoding ------------------------------------------------------------------------------------------------------ */

static bool ends_block(const struct insn *in)
{
	uint32_t props = insn_table[in->row].props;

	return props & (IP_ENDS | IP_BRANCH) || (props & IP_REP && in->rep);
}

/* Decodes from bytes[offset] to the end of the block. NULL when not even one instruction can be cached. */
static struct block *decode_block(const uint8_t *bytes, unsigned offset, bool is32)
{
	struct insn in[BLOCK_MAX + 1] = { 0 };
	unsigned n = 0, at = offset;
	struct block *b;

	while (n < BLOCK_MAX && at < 4096) {
		unsigned avail = 4096 - at < 15 ? 4096 - at : 15;

		if (decode(bytes + at, avail, is32, &in[n]) != DECODE_OK)
			break;
		in[n].offset = (uint16_t)at;
		at += in[n].len;
		if (ends_block(&in[n++]))
			break;
	}
	if (n == 0)
		return NULL;
	b = malloc(sizeof *b + (n + 1) * sizeof in[0]);
	if (!b)
		return NULL;
	for (unsigned i = 0; i < n; i++)
		in[i].left = (uint8_t)(n - i);
	in[n] = (struct insn){ .handler = op_end_of_block, .offset = (uint16_t)at };
	/* After an instruction that may change mode, mapping or pending interrupts the main loop has a look. */
	in[n].opcode = insn_table[in[n - 1].row].props & IP_ENDS && !(insn_table[in[n - 1].row].props & IP_BRANCH);
	*b = (struct block){ .offset = (uint16_t)offset, .bytes = (uint16_t)(at - offset), .n = (uint16_t)n };
	memcpy(b->insn, in, (n + 1) * sizeof in[0]);
	return b;
}

static struct code_page *page_of(struct cpu *cpu, uint32_t frame, bool is32)
{
	struct code_page **slot = &cpu->cache->page[is32][frame];

	if (*slot)
		return *slot;
	if (cpu->cache->pages >= PAGES_KEPT)
		drop_all(cpu);
	*slot = calloc(1, sizeof **slot);
	if (*slot) {
		cpu->cache->pages++;
		mmu_mark_code(cpu->mmu, (paddr_t)frame << 12);
	}
	return *slot;
}

struct block *code_find(struct cpu *cpu)
{
	laddr_t la = cpu->seg[SEG_CS].base + cpu->eip;
	uintptr_t addend = cpu->tables[ACCESS_FETCH][la >> 12];
	uint64_t in_ram;
	struct code_page *page;
	struct block *b;

	if (!addend) {
		struct access a = { .la = la, .kind = ACCESS_FETCH, .user = cpu->cpl == 3 };
		struct translation t;

		if (!mmu_translate(cpu->mmu, &a, &t) || !(addend = cpu->tables[ACCESS_FETCH][la >> 12]))
			return NULL;
	}
	in_ram = addend + la - (uintptr_t)cpu->mmu->phys->ram;
	if (in_ram >= cpu->mmu->phys->ram_size || !(page = page_of(cpu, (uint32_t)(in_ram >> 12), code32(cpu))))
		return NULL;
	b = page->at[la & 0xfff];
	if (b)
		return b;
	b = decode_block((const uint8_t *)(addend + (la & ~0xfffu)), la & 0xfff, code32(cpu));
	if (!b)
		return NULL;
	b->next = page->blocks;
	page->blocks = b;
	page->at[b->offset] = b;
	page->granules |= granules(b->offset, b->bytes);
	return b;
}

/* --- life ---------------------------------------------------------------------------------------------------------- */

static struct code_page **map_index(void)
{
	void *p = mmap(NULL, INDEX_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

int code_init(struct cpu *cpu)
{
	struct code_cache *c = calloc(1, sizeof *c);

	if (!c)
		return -ENOMEM;
	cpu->cache = c;
	c->page[0] = map_index();
	c->page[1] = map_index();
	if (!c->page[0] || !c->page[1]) {
		code_free(cpu);
		return -ENOMEM;
	}
	c->scratch[1].handler = op_end_of_block;
	c->scratch[1].opcode = 1;
	cpu->mmu->phys->code_written = written;
	cpu->mmu->phys->code_owner = cpu;
	return 0;
}

void code_free(struct cpu *cpu)
{
	struct code_cache *c = cpu->cache;

	if (!c)
		return;
	if (c->page[0] && c->page[1]) {
		drop_all(cpu);
		code_free_dropped(cpu);
	}
	for (unsigned mode = 0; mode < 2; mode++)
		if (c->page[mode])
			munmap(c->page[mode], INDEX_BYTES);
	free(c);
	cpu->cache = NULL;
	cpu->mmu->phys->code_written = NULL;
}
