/* cpu/code.h: the cache of decoded instructions. Internal to cpu/.
 *
 *   physical frame, CS.D -> struct code_page -> at[offset] -> struct block: insn[0] insn[1] ... insn[n] (the end marker)
 *
 * A block is a run of instructions of one page that always execute one after another: it ends with the first that may go
 * elsewhere. Being found by physical address, blocks survive task switches, fork and exec. A write to bytes that were decoded
 * drops every block of its page; a frame marked PHYS_CODE has no fast write entry, so no such write goes unseen.
 */
#ifndef CPU_CODE_H
#define CPU_CODE_H

#include "cpu/exec.h"

#define BLOCK_MAX 32

struct block {
	struct block *next;        /* of the same page, for freeing */
	uint16_t offset;           /* of the first instruction in its page */
	uint16_t bytes;            /* of code covered */
	uint16_t n;                /* instructions, without the end marker */
	struct insn insn[];
};

struct code_page {
	struct code_page *next;    /* while waiting to be freed */
	struct block *blocks;
	uint64_t granules;         /* bit i: bytes 64i .. 64i+63 were decoded */
	struct block *at[4096];
};

struct code_cache {
	struct code_page **page[2];        /* [CS.D][frame] */
	struct code_page *dropped;         /* freed between blocks, since one of them may be executing */
	unsigned pages;
	struct insn scratch[2];            /* an instruction executed outside the cache, and its end marker */
};

int code_init(struct cpu *cpu);
void code_free(struct cpu *cpu);
/* The block at the page offset of cpu->eip, decoded when it is not there yet; NULL when the instruction has to be executed
 * alone (absent or device page, crosses the page, cannot be decoded). */
struct block *code_find(struct cpu *cpu);
/* True when [pa, pa + size) overlaps decoded bytes. */
bool code_holds(const struct cpu *cpu, paddr_t pa, unsigned size);
void code_free_dropped(struct cpu *cpu);
/* The handler of end markers: goes on behind the block. */
exec_fn op_end_of_block;

#endif
