/* emu/diagnosis.h: the likely mistake behind a triple fault, in a sentence or two. */
#ifndef EMU_DIAGNOSIS_H
#define EMU_DIAGNOSIS_H

#include "emu/debug/text.h"
#include "emu/machine.h"

/* Lines beginning "why: ", about the chain of exceptions whose first is number first in the processor's history. */
void diagnose_faults(const struct machine *m, unsigned first, struct text *t);

#endif
