/* emu/tui/remember.h: the command line's history from and to the file that the line monitor has as well. */
#ifndef EMU_TUI_REMEMBER_H
#define EMU_TUI_REMEMBER_H

#include "emu/tui/editor.h"

void remember_load(struct editor *e);
/* Adds what was typed since remember_load(). What another session wrote meanwhile stays. */
void remember_save(const struct editor *e);

#endif
