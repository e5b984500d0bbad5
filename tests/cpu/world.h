/* tests/cpu/world.h: a tiny protected-mode world in which any single instruction can run, with every structure the
 * processor reads on pages of its own, so that a test can take each page away and see what happens.
 *
 *   linear = physical        what                                    user page
 *   0x01000                  handlers: 0x1100 exceptions, 0x1200 #PF, 0x1800 gate targets
 *   0x02000 0x03000          code under test                         yes
 *   0x04000                  branch and far-transfer target, 0x4807  yes
 *   0x06000 0x07000          first memory operand, DS:ESI            yes
 *   0x08000 0x09000          second memory operand, ES:EDI           yes
 *   0x0a000 0x0b000          stack                                   yes
 *   0x0c000 0x0d000          frame EBP points into                   yes
 *   0x10000                  GDT
 *   0x11000                  LDT
 *   0x12000 0x13000          IDT, vectors 0-15 on the first page
 *   0x14000 0x15000          TSS of the current task, across both
 *   0x16000                  its I/O permission bitmap
 *   0x17000 0x18000          a second 32-bit TSS, across both
 *   0x19000 0x1a000          a 16-bit TSS, across both
 *   0x1b000 0x1c000          ring-0 stack, ESP0 = 0x1c008
 *   0x1f000                  stack of the second task
 *   0x20000 0x21000          page directory, page table (not mapped); with PAE, the pointer tables of both tasks fill the end
 *                            of the directory, whose slots there are of no use
 */
#ifndef TESTS_CPU_WORLD_H
#define TESTS_CPU_WORLD_H

#include "cpu/cpu.h"

enum {
	HANDLERS = 0x1000, EXCEPTION_EIP = 0x1100, PAGE_FAULT_EIP = 0x1200, GATE_EIP = 0x1800,
	CODE = 0x3000, TARGET = 0x4807, DATA1 = 0x7000, DATA2 = 0x9000, STACK = 0xb000, FRAME = 0xd000,
	GDT = 0x10000, LDT = 0x11000, IDT = 0x12f80, TSS_CURRENT = 0x14fd0, IO_BITMAP = 0x16000, TSS_OTHER = 0x17fd0,
	TSS_16 = 0x19ff0, KERNEL_STACK = 0x1c008, OTHER_STACK = 0x1f800, DIRECTORY = 0x20000, TABLE = 0x21000,
	WORLD_PAGES = 0x22,
};

/* Selectors. */
enum {
	KCODE32 = 0x08, KDATA = 0x10, UCODE32 = 0x1b, UDATA = 0x23, KCODE16 = 0x28, KSTACK16 = 0x30, UCODE16 = 0x3b, USTACK16 = 0x43,
	SEL_TSS = 0x48, SEL_TSS_OTHER = 0x50, SEL_TSS_16 = 0x58, SEL_LDT = 0x60, SEL_GATE32 = 0x68, SEL_GATE16 = 0x70, SEL_TASK_GATE = 0x78,
	SEL_CONFORMING = 0x80, UCODE_FRESH = 0x8b, UDATA_FRESH = 0x93, SEL_ABSENT = 0x98, KDATA_FRESH = 0xa0, KCODE_FRESH = 0xa8,
	LDT_DATA = 0x07,
};

/* Software interrupt vectors with gates. */
enum { VEC_GATE32 = 0x30, VEC_TRAP16 = 0x31, VEC_TASK = 0x32, VEC_CONFORMING = 0x33 };

enum world_mode { RING0_32, RING0_16, RING3_32, RING3_16, V86, WORLD_MODES };
extern const char *const world_mode_name[];

#define PORT_LOG 64

struct world {
	struct phys phys;
	struct mmu mmu;
	struct cpu cpu;
	bool pae;                  /* PAE paging with no-execute */
	uint8_t pristine[WORLD_PAGES << 12];
	struct cpu fresh;          /* the processor as cpu_init left it */
	uint32_t port_log[PORT_LOG];
	unsigned port_count;
};

void world_init(struct world *w);
/* From now on the world is mapped by PAE tables: the same pages at the same addresses. */
void world_use_pae(struct world *w);
void world_free(struct world *w);
/* Memory back to pristine[], processor to the start of the mode, TLB empty, all pages mapped. Sets CS:EIP, flags, stack;
 * general registers are the caller's. */
void world_reset(struct world *w, enum world_mode mode);
/* The page-table entry of a page: flags are PG_* or 0 for not present. Invalidates the TLB entry. */
void world_map(struct world *w, unsigned page, uint64_t flags);
uint32_t world_flags(unsigned page);          /* what world_reset maps it with */
uint32_t world_entry(struct world *w, unsigned page);         /* its low half */
uint8_t *world_ram(struct world *w, uint32_t address);
/* Bytes into memory, telling the code cache. */
void world_put(struct world *w, uint32_t address, const void *bytes, unsigned n);
void world_put32(struct world *w, uint32_t address, uint32_t value);
bool world_page_dirty(const struct world *w, unsigned page);

#endif
