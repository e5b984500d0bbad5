/* emu/outputs.h: the files a run is to write: can they be, and are they none of the files it reads? Looks, and opens nothing, so
 * that a refused command line leaves every file as it was. */
#ifndef EMU_OUTPUTS_H
#define EMU_OUTPUTS_H

#include "emu/options.h"
#include "emu/plan.h"

/* 0, or -1 with one line in err (ERROR_LINE bytes). */
int outputs_check(const struct run_options *o, const struct plan *p, char *err);

#endif
