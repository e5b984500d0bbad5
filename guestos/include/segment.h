/* guestos/include/segment.h: segments that programs make for themselves: TLS slots in the GDT, descriptors in an LDT.
 *
 *   user_desc.bits   0 32-bit   1-2 contents: data, expand-down data, code, conforming code   3 not writable (code: not readable)
 *                    4 limit in pages   5 not present   6 for the program's own use
 * References: [SDM3A 3.4.5 "Segment Descriptors"], [SDM3A 3.4.5.1 "Code- and Data-Segment Descriptor Types"]. */
#ifndef SEGMENT_H
#define SEGMENT_H

#include "kernel.h"

struct user_desc { uint32_t entry, base, limit, bits; };       /* as set_thread_area() and modify_ldt() take it */
#define DESC_32BIT       (1u << 0)
#define DESC_READ_ONLY   (1u << 3)
#define DESC_PAGES       (1u << 4)
#define DESC_NOT_PRESENT (1u << 5)
#define DESC_USEABLE     (1u << 6)

bool user_desc_empty(const struct user_desc *d);               /* Linux' way to say "take the descriptor away" */
uint64_t user_descriptor(const struct user_desc *d);           /* a ring-3 code or data segment */

/* gdt.c: flags are G, D/B, L, AVL from bit 3 down */
uint64_t segment_descriptor(uint32_t base, uint32_t limit, uint32_t access, uint32_t flags);
void gdt_set(uint32_t slot, uint64_t descriptor);

#endif
