/* cpu/code.h: decoded instructions, kept by the physical page they were read from. Internal to cpu/.
 *
 *   CS:EIP -> linear page -> (recent[]) -> struct code_page -> at[page offset] -> struct block -> insn[0] .. insn[count]
 *
 * A block is at most BLOCK_LONGEST instructions from one page, one after the other, and a last entry whose handler leaves
 * it. Conditional branches do not end a block: taken, they give back what was charged for the rest. Linear aliases
 * share blocks, since nothing in them depends on where the page is mapped; 16- and 32-bit code are kept apart.
 *
 * A write that hits a 64-byte granule holding decoded bytes drops the whole page. Dropped pages stay allocated until the
 * loop is outside of all blocks.
 */
#ifndef CPU_CODE_H
#define CPU_CODE_H

#include "cpu/exec.h"

#define BLOCK_LONGEST 32

struct block {
	struct block *next;        /* all blocks of the page */
	uint16_t count;            /* instructions, the last entry not counted */
	uint16_t bytes;            /* from the first to the end of the last */
	struct insn insn[];
};

struct code_page {
	uint32_t frame;            /* physical page number */
	bool code32;
	uint64_t granules;         /* bit n: bytes 64n .. 64n+63 have been decoded */
	struct block *blocks;
	struct code_page *next;    /* in the list of all, or of the dropped */
	struct code_page *prev;
	struct block *at[PAGE_SIZE];
};

#define RECENT_PAGES 1024
struct recent_page { uint64_t tag; struct code_page *page; };

struct code_cache {
	struct recent_page recent[RECENT_PAGES];   /* by linear page, user mode and code size; without a page: it is guarded */
	struct code_page **by_frame[2];            /* [code32][physical page number] */
	struct code_page *pages, *dropped;
	bool moved;                                /* a fetch translation has changed since somebody cleared this */
	size_t bytes;                              /* allocated */
	struct insn scratch[2];                    /* the instruction that runs alone */
};

int code_init(struct cpu *cpu);
void code_free(struct cpu *cpu);
/* Forgets every decoded instruction. */
void code_flush(struct cpu *cpu);
/* Frees what was dropped. Only while no block is running. */
void code_collect(struct cpu *cpu);
/* Whether decoded bytes lie in [pa, pa + size), which does not cross a page. */
bool code_holds(const struct cpu *cpu, paddr_t pa, unsigned size);
/* Ends the running block after in, so that what comes then is fetched anew: what it was decoded from has changed under it. */
void code_cut(struct cpu *cpu, const struct insn *in);
/* The block at eip, decoded now if need be; sets page_eip. NULL: the instruction there has to run alone. */
struct block *code_find(struct cpu *cpu, uint32_t eip);
/* Fetches and decodes the instruction at eip into scratch, with every check of a fetch. page_eip is set for it. */
enum exec code_fetch(struct cpu *cpu, uint32_t eip);
/* The handler of a block's last entry: leaves it. */
exec_fn code_block_end;
/* ... and goes on with the next block if it can; for blocks that end only because they are long enough. The instructions that
 * end a block by their nature may have changed the mode, and need not end in a tail call. */
exec_fn code_block_continue;

static inline bool code32(const struct cpu *cpu) { return cpu->seg[SEG_CS].flags & SEG_FLAG_DB; }

#endif
