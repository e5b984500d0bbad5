/* emu/monitor/history_file.h: the file in which the commands typed before are kept, for every face that has a command line. */
#ifndef EMU_DEBUG_HISTORY_FILE_H
#define EMU_DEBUG_HISTORY_FILE_H

#include <stdbool.h>
#include <stddef.h>

#define HISTORY_FILE_LINES 1000

/* $XDG_STATE_HOME/emu/history, its directories made. False: there is no home for it; path is empty. */
bool history_file(char *path, size_t size);

#endif
