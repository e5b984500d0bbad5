/* cpu/code.c: the cache of decoded instructions, and the fetch of one that runs alone.
 *
 * Everything that may change decoded bytes comes here: phys.code_written for stores of the processor and of DMA,
 * mmu.fetch_dropped for translations. Nothing is decoded ahead of the page that is executed, so no page is touched that
 * the processor would not have touched.
 * References: [SDM3A 11.6 "Self-Modifying Code"], [SDM3A 6.15 "Exception and Interrupt Reference"] interrupts 6, 13, 14.
 */
#include "cpu/code.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#define LOOKUP_BYTES (PHYS_PAGES * sizeof(struct code_page *))
#define CACHE_LIMIT  ((size_t)192 << 20)

/* --- pages ------------------------------------------------------------------------------------------------------ */

static uint64_t granule_bits(unsigned offset, unsigned size)
{
	unsigned first = offset >> 6, last = (offset + size - 1) >> 6;

	return (~0ull >> (63 - last)) & (~0ull << first);
}

bool code_holds(const struct cpu *cpu, paddr_t pa, unsigned size)
{
	uint32_t frame = (uint32_t)(pa >> 12);

	if (pa >> 12 >= PHYS_PAGES)
		return false;
	for (unsigned mode = 0; mode < 2; mode++) {
		const struct code_page *page = cpu->cache->by_frame[mode][frame];
		if (page && page->granules & granule_bits(pa & PG_OFFSET, size))
			return true;
	}
	return false;
}

static struct code_page *page_create(struct cpu *cpu, uint32_t frame, bool mode32)
{
	struct code_cache *cache = cpu->cache;
	struct code_page *page = calloc(1, sizeof(*page));

	if (!page)
		return NULL;
	page->frame = frame;
	page->code32 = mode32;
	page->next = cache->pages;
	if (page->next)
		page->next->prev = page;
	cache->pages = page;
	cache->by_frame[mode32][frame] = page;
	cache->bytes += sizeof(*page);
	mmu_mark_code(cpu->mmu, (paddr_t)frame << 12);
	return page;
}

static void page_drop(struct cpu *cpu, struct code_page *page)
{
	struct code_cache *cache = cpu->cache;

	for (unsigned i = 0; i < RECENT_PAGES; i++)
		if (cache->recent[i].page == page)
			cache->recent[i] = (struct recent_page) { 0 };
	if (page->prev)
		page->prev->next = page->next;
	else
		cache->pages = page->next;
	if (page->next)
		page->next->prev = page->prev;
	cache->by_frame[page->code32][page->frame] = NULL;
	if (!cache->by_frame[!page->code32][page->frame])
		cpu->mmu->phys->attr[page->frame] &= (uint8_t)~PHYS_CODE;
	page->next = cache->dropped;
	cache->dropped = page;
}

void code_collect(struct cpu *cpu)
{
	struct code_cache *cache = cpu->cache;

	while (cache->dropped) {
		struct code_page *page = cache->dropped;
		cache->dropped = page->next;
		cache->bytes -= sizeof(*page);
		while (page->blocks) {
			struct block *b = page->blocks;
			page->blocks = b->next;
			cache->bytes -= sizeof(*b) + (b->count + 1u) * sizeof(b->insn[0]);
			free(b);
		}
		free(page);
	}
}

void code_flush(struct cpu *cpu)
{
	while (cpu->cache->pages)
		page_drop(cpu, cpu->cache->pages);
}

void cpu_forget_code(struct cpu *cpu)
{
	memset(cpu->cache->recent, 0, sizeof(cpu->cache->recent));
	code_flush(cpu);
}

/* phys.code_written: bytes of a page that holds code have been stored. */
static void code_written(void *owner, paddr_t pa, unsigned len)
{
	struct cpu *cpu = owner;

	for (unsigned mode = 0; len && mode < 2; mode++) {
		struct code_page *page = cpu->cache->by_frame[mode][pa >> 12];
		if (page && page->granules & granule_bits(pa & PG_OFFSET, len))
			page_drop(cpu, page);
	}
}

/* mmu.fetch_dropped */
static void fetch_dropped(void *owner, uint32_t first, uint32_t count)
{
	struct code_cache *cache = ((struct cpu *)owner)->cache;

	if (count >= RECENT_PAGES) {
		memset(cache->recent, 0, sizeof(cache->recent));
		return;
	}
	cache->moved = true;
	for (uint32_t vpn = first; vpn < first + count; vpn++)
		cache->recent[vpn % RECENT_PAGES] = (struct recent_page) { 0 };
}

int code_init(struct cpu *cpu)
{
	cpu->cache = calloc(1, sizeof(*cpu->cache));
	if (!cpu->cache)
		return -ENOMEM;
	for (unsigned mode = 0; mode < 2; mode++) {
		void *p = mmap(NULL, LOOKUP_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (p == MAP_FAILED)
			return -ENOMEM;
		cpu->cache->by_frame[mode] = p;
	}
	cpu->mmu->fetch_dropped = fetch_dropped;
	cpu->mmu->owner = cpu;
	cpu->mmu->phys->code_written = code_written;
	cpu->mmu->phys->code_owner = cpu;
	return 0;
}

void code_free(struct cpu *cpu)
{
	if (!cpu->cache)
		return;
	code_flush(cpu);
	code_collect(cpu);
	cpu->mmu->fetch_dropped = NULL;
	cpu->mmu->phys->code_written = NULL;
	for (unsigned mode = 0; mode < 2; mode++)
		if (cpu->cache->by_frame[mode])
			munmap(cpu->cache->by_frame[mode], LOOKUP_BYTES);
	free(cpu->cache);
	cpu->cache = NULL;
}

/* --- blocks ------------------------------------------------------------------------------------------------------ */

static void block_finish(struct block *b, unsigned end)
{
	bool continues = !(insn_table[b->insn[b->count - 1].row].props & IP_ENDS);

	b->insn[b->count] = (struct insn) {
		.handler = continues ? code_block_continue : code_block_end, .offset = (uint16_t)end,
	};
	b->bytes = (uint16_t)(end - b->insn[0].offset);
	for (unsigned i = 0; i < b->count; i++)
		b->insn[i].left = (uint8_t)(b->count - i);
}

static bool ends_block(const struct insn *in)
{
	uint32_t props = insn_table[in->row].props;

	return props & IP_ENDS || (props & IP_REP && in->rep);
}

/* Decodes from the offset as far as the page and the block go. NULL when not even one instruction lies wholly in it. */
static struct block *block_create(struct cpu *cpu, struct code_page *page, const uint8_t *bytes, unsigned start)
{
	struct insn insn[BLOCK_LONGEST];
	unsigned count = 0, at = start;
	struct block *b;

	while (count < BLOCK_LONGEST && at < PAGE_SIZE) {
		if (decode(bytes + at, PAGE_SIZE - at, page->code32, &insn[count]) != DECODE_OK)
			break;
		insn[count].offset = (uint16_t)at;
		at += insn[count].len;
		if (ends_block(&insn[count++]))
			break;
	}
	if (!count)
		return NULL;
	b = malloc(sizeof(*b) + (count + 1) * sizeof(b->insn[0]));
	if (!b)
		return NULL;
	b->count = (uint16_t)count;
	memcpy(b->insn, insn, count * sizeof(insn[0]));
	block_finish(b, at);
	b->next = page->blocks;
	page->blocks = b;
	page->at[start] = b;
	page->granules |= granule_bits(start, at - start);
	cpu->cache->bytes += sizeof(*b) + (count + 1) * sizeof(b->insn[0]);
	return b;
}

/* Whether the instructions of this page run alone because a debugger wants to hear of each. */
static bool guarded(const struct cpu *cpu, laddr_t la, uint32_t frame)
{
	return cpu->watch.guarded && cpu->watch.guarded(cpu->watch.owner, la >> 12, frame);
}

/* The code page at a linear address, through the TLB. NULL when it cannot be fetched from, is not memory, or is guarded. */
static struct code_page *page_find(struct cpu *cpu, laddr_t la, struct recent_page *recent, uint64_t tag)
{
	struct access a = { .la = la, .kind = ACCESS_FETCH, .user = cpu->cpl == 3 };
	bool mode32 = code32(cpu);
	const struct tlb_entry *e;
	struct code_page *page;

	if (recent->tag == tag)                /* found before to be guarded */
		return NULL;
	/* What needs a walk is left to the instruction that runs alone, so that each walk is made, counted and told once; and so is
	 * what a debugger wants to hear of. */
	if (mmu_vpn_watched(cpu->mmu, la >> 12) || !(e = mmu_hit(cpu->mmu, &a)))
		return NULL;
	if (!phys_host(cpu->mmu->phys, (paddr_t)e->frame << 12, PAGE_SIZE, false))
		return NULL;
	if (guarded(cpu, la, e->frame)) {
		*recent = (struct recent_page) { .tag = tag };
		return NULL;
	}
	if (cpu->cache->bytes > CACHE_LIMIT) {
		code_flush(cpu);
		return NULL;
	}
	page = cpu->cache->by_frame[mode32][e->frame];
	if (!page)
		page = page_create(cpu, e->frame, mode32);
	*recent = (struct recent_page) { .tag = tag, .page = page };
	return page;
}

/* The handler after a cut: gives back what was charged for the rest. */
static enum exec cut_end(struct cpu *cpu, const struct insn *in)
{
	cpu->icount -= in->left;
	cpu->eip = cpu->page_eip + in->offset;
	return EXEC_STOP;
}

/* The block is changed, so nobody must find it again. Attention keeps the instruction itself, a branch or a repeated one, from going on
 * inside of blocks. */
void code_cut(struct cpu *cpu, const struct insn *in)
{
	code_flush(cpu);
	cpu->attention = true;
	((struct insn *)in)[1].handler = cut_end;
}

/* Whether the whole block lies within the limit of CS. */
static bool within_limit(const struct cpu *cpu, const struct block *b, uint32_t eip)
{
	const struct segment *cs = &cpu->seg[SEG_CS];

	return cs->ok & SEG_OK_FETCH || (eip <= cs->limit && b->bytes - 1u <= cs->limit - eip);
}

struct block *code_find(struct cpu *cpu, uint32_t eip)
{
	laddr_t la = cpu->seg[SEG_CS].base + eip;
	struct recent_page *recent = &cpu->cache->recent[(la >> 12) % RECENT_PAGES];
	uint64_t tag = (uint64_t)(la >> 12) << 8 | (cpu->cpl == 3 ? 4u : 0) | (code32(cpu) ? 2u : 0) | 1u;
	struct code_page *page = recent->page;
	struct block *b;

	if (unlikely(recent->tag != tag || !page)) {
		page = page_find(cpu, la, recent, tag);
		if (!page)
			return NULL;
	}
	b = page->at[la & PG_OFFSET];
	if (unlikely(!b)) {
		const uint8_t *bytes = phys_host(cpu->mmu->phys, (paddr_t)page->frame << 12, PAGE_SIZE, false);
		b = bytes ? block_create(cpu, page, bytes, la & PG_OFFSET) : NULL;
		if (!b)
			return NULL;
	}
	if (unlikely(!within_limit(cpu, b, eip)))
		return NULL;
	cpu->page_eip = eip - (la & PG_OFFSET);
	return b;
}

/* --- fetching one instruction ------------------------------------------------------------------------------------- */

/* Reads n code bytes that lie in one page. */
static enum exec fetch_bytes(struct cpu *cpu, laddr_t la, uint8_t *bytes, unsigned n)
{
	struct access a = { .la = la, .kind = ACCESS_FETCH, .user = cpu->cpl == 3 };
	struct translation t;

	if (!mmu_translate(cpu->mmu, &a, &t))
		return raise_page_fault(cpu, cpu->cache->scratch, la);
	if (t.host)
		memcpy(bytes, t.host, n);
	else
		for (unsigned i = 0; i < n; i++)
			bytes[i] = (uint8_t)phys_read(cpu->mmu->phys, t.pa + i, 1);
	return EXEC_OK;
}

static unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }

enum exec code_fetch(struct cpu *cpu, uint32_t eip)
{
	struct insn *in = cpu->cache->scratch;
	laddr_t la = cpu->seg[SEG_CS].base + eip;
	uint32_t limit = cpu->seg[SEG_CS].limit, room = limit - eip;
	/* A limit of 4 GB is none: blocks are not checked against it, and an instruction may go on at offset 0 [SDM3A 5.3 "Limit
	 * Checking"]. */
	unsigned within = room < INSN_MAX && limit != 0xffffffff ? room + 1 : INSN_MAX;
	unsigned first = min(within, PAGE_SIZE - (la & PG_OFFSET));
	uint8_t bytes[INSN_MAX];
	enum decode_result result;

	cpu->insn = in;
	cpu->page_eip = eip;
	if (eip > limit)
		return raise_error(cpu, in, VEC_GP, 0);
	TRY(fetch_bytes(cpu, la, bytes, first));
	result = decode(bytes, first, code32(cpu), in);
	if (result == DECODE_MORE && first < within) {
		TRY(fetch_bytes(cpu, la + first, bytes + first, within - first));
		result = decode(bytes, within, code32(cpu), in);
	}
	in->left = 1;
	in[1] = (struct insn) { .handler = code_block_end, .offset = in->len };
	if (result == DECODE_UD)
		return raise_fault(cpu, in, VEC_UD);
	if (result != DECODE_OK)
		return raise_error(cpu, in, VEC_GP, 0);
	return EXEC_OK;
}
