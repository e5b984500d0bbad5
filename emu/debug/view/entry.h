/* emu/debug/view/entry.h: entries of page tables in letters and words: what the walk's diagram, the tables, the TLB's view and the story share.
 *
 *   N G S D A C T U W P      from left to right as the bits stand; a letter when set, - when clear
 *   | | | | | | | | | +- present           | | | | +- accessed          N: no-execute, bit 63: only with PAE and EFER.NXE
 *   | | | | | | | | +--- writable          | | | +--- dirty
 *   | | | | | | | +----- user              | | +----- S: the PDE maps a large page itself
 *   | | | | | +-+------- T write-through, C not cached          | +------- global
 *
 * References: [SDM3A 4.3 "32-Bit Paging"], [SDM3A 4.4 "PAE Paging"], [SDM3A 4.6 "Access Rights"].
 */
#ifndef EMU_DEBUG_ENTRY_H
#define EMU_DEBUG_ENTRY_H

#include <stdbool.h>

#include "emu/debug/text.h"
#include "mmu/mmu.h"

#define ENTRY_LETTERS 10           /* with N */

/* "NGSDACTUWP", or without N. */
const char *entry_heading(const struct paging *pg);
/* The letters of an entry, as long as the heading; returns buf. */
const char *entry_letters(const struct paging *pg, uint64_t entry, char buf[ENTRY_LETTERS + 1]);
/* The bit a letter of the heading stands for. */
uint64_t entry_letter_bit(char letter);

/* A walk's step: whether it maps the page itself, and whether that page is large. */
bool step_is_leaf(const struct walk *w, unsigned i);
bool step_is_large(const struct walk *w, unsigned i);
/* Index into its table. */
unsigned step_index(const struct walk *w, unsigned i);
/* The table that step i reads from: where it begins. Step w->levels: the frame. */
paddr_t step_base(const struct walk *w, unsigned i);
/* Bits of step i that stop the walk: P, reserved bits, or the rights that are missing. 0: this one does not. */
uint64_t step_blame(const struct walk *w, unsigned i);
/* ... in words: "P=0 not present", "U=0 supervisor only". "" when it does not. Returns buf. */
const char *step_blame_words(const struct walk *w, unsigned i, char *buf, size_t size);

/* "user write". */
const char *access_words(const struct access *a);
/* "not present, write, user": the error code of a page fault bit by bit. Returns buf. */
const char *page_fault_words(uint32_t error, char *buf, size_t size);
/* What lies at a physical address: "RAM", a device's name, "nothing". */
const char *physical_words(const struct phys *phys, paddr_t pa);

#endif
