/* emu/debug/explain/fault_words.h: an exception's parts in words: for the story (why.h) and the reports (emu/report.h). */
#ifndef EMU_DEBUG_FAULT_WORDS_H
#define EMU_DEBUG_FAULT_WORDS_H

#include "cpu/cpu.h"
#include "emu/debug/text.h"

/* "#PF page fault" */
void fault_name_words(const struct fault_record *r, struct text *t);
/* Each bit of the error code on a line of its own, after indent. Nothing when there is no error code. */
void fault_error_words(const struct cpu *cpu, const struct fault_record *r, const char *indent, struct text *t);
/* "about selector 0010 in the GDT, beyond its limit": an error code that names a selector or a gate, on one line. */
void selector_error_words(const struct cpu *cpu, uint32_t error, struct text *t);
/* "IDT gate 14 at 0000f070: 32-bit interrupt gate, DPL 0, to 0008:00010240", or what is wrong with it. */
void fault_gate_words(const struct cpu *cpu, const struct fault_record *r, struct text *t);

/* The faults of the last instruction that ran into one: how many (0: none is known); *first is the oldest's number in
 * cpu->faults, to be taken modulo FAULT_HISTORY. */
unsigned fault_chain(const struct cpu *cpu, unsigned *first);

#endif
