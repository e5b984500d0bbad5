/* emu/monitor/monitor.h: the debugger's line face: commands from a terminal (libedit: history, completion), a pipe, or a file.
 *
 *   interactive    (emu) step            an empty line repeats a step, an x or a list; Ctrl-C stops the guest, or long work
 *   pipe           the same, without prompt; a command that fails does not end it
 *   batch          emu debug --batch -x FILE: the first command that fails does
 *
 * `commands N` is followed by lines up to `end`. What the guest writes to its console is shown by whole lines between the monitor's, on
 * a terminal after a bar.
 *
 * Exit status: 0; 1 when a command failed (a batch names the line on standard error); 122 when that was an `assert` or a script's emu.fail(); when
 * all went well and the guest's own end was the last stop, what `emu run` would have given for it.
 */
#ifndef EMU_DEBUG_MONITOR_H
#define EMU_DEBUG_MONITOR_H

#include <stdio.h>

#include "emu/debug/debugger.h"

struct session;

/* script: lines from there, a batch; NULL: standard input. name: of the script, for messages. */
int monitor_run(struct debugger *d, struct session *s, FILE *script, const char *name);

#endif
