/* emu/report.h: what happened, in words, when the processor shut down or halted for good. */
#ifndef EMU_REPORT_H
#define EMU_REPORT_H

#include <stdio.h>

#include "emu/machine.h"
#include "emu/symbols.h"

void report_triple_fault(const struct machine *m, const struct symbols *symbols, FILE *out);
void report_halted(const struct machine *m, const struct symbols *symbols, FILE *out);
/* How the machine ended, and the exit status that goes with it; "" and 0 while it has not. */
const char *ended_text(enum machine_stop ended);
int ended_status(const struct machine *m, enum machine_stop ended);
/* "page fault", "general protection fault", ... for vectors 0..31; "interrupt" for the others. */
const char *vector_name(unsigned vector);
/* "#PF", "NMI"; "" for those without. */
const char *vector_mnemonic(unsigned vector);
/* The mnemonic, or the name where there is none. */
const char *vector_short_name(unsigned vector);
/* A fetch that everything but PG_NX allowed. */
bool stopped_by_no_execute(const struct walk *w);

#endif
