/* emu/debug/register_names.h: setting registers by hand; reading them is in expr.h. */
#ifndef EMU_DEBUG_REGISTER_NAMES_H
#define EMU_DEBUG_REGISTER_NAMES_H

#include "emu/machine.h"

/* May this register be given this value? 0, or -1 with one line in err. */
int register_check_write(const char *name, uint64_t value, char *err);
/* After that said yes. */
void register_write(struct machine *m, const char *name, uint64_t value);

#endif
