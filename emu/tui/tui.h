/* emu/tui/tui.h: the debugger's full-screen face, on ncurses.
 *
 *   +--------------------------------------------------------+
 *   | guest, mode, instructions, past or present, why stopped|
 *   | disassembly                      | registers           |   views (view.h) in panes (pane.h), placed by layout.h
 *   | page walk, or any other view, full width               |
 *   | time bar                                               |   timebar.h
 *   | : command line, messages                               |   editor.h, prompt.c
 *   | keys                                                   |   keys.c: one table of keys; this line and the help come from it
 *   +--------------------------------------------------------+
 *
 * What is shown comes from the table of views, what is done goes through debugger_go() and command_execute(): the TUI knows nothing of
 * its own about the guest. Reading order: layout.h, screen.h, pane.h, app.h, tui.c, keys.c, run.c, draw.c.
 */
#ifndef EMU_TUI_TUI_H
#define EMU_TUI_TUI_H

#include "emu/debug/debugger.h"

struct session;

/* Until the user quits. The program's exit status. The terminal is as it was before on every way out. */
int tui_run(struct debugger *d, struct session *s);

#endif
