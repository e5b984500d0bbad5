/* emu/run_gdb.h: `emu run --gdb`. */
#ifndef EMU_RUN_GDB_H
#define EMU_RUN_GDB_H

#include "emu/session.h"

/* Runs until the guest powers off or exits, gdb asks for the end, or host_ends(owner) says so. *stop: how the machine stands then. 0, or -1 with
 * one line in err when it could not begin. */
int run_under_gdb(struct session *s, bool (*host_ends)(void *owner), void *owner, enum machine_stop *stop, char *err);

#endif
