/* emu/terminal.h: the user's terminal in raw mode, and signals; the terminal is restored on every way out.
 *
 * The one place of the program with file-scope state: a process has one controlling terminal and one set of signal handlers, and a
 * handler can reach nothing else.
 */
#ifndef EMU_TERMINAL_H
#define EMU_TERMINAL_H

#include <stdbool.h>

/* SIGINT, SIGTERM, SIGHUP are noted for signal_pending(), a second one kills at once; SIGPIPE becomes EPIPE. */
void signals_install(void);
/* The first terminating signal that arrived, or 0. */
int signal_pending(void);
/* True when that is SIGINT, which then counts as dealt with: for programs in which Ctrl-C stops something and not everything. */
bool signal_take_interrupt(void);
/* Ends the process by sig, with its default action, so that the parent sees what happened. */
void die_by_signal(int sig) __attribute__((noreturn));

/* Raw mode on fd, a terminal; left again by terminal_leave, exit(), and every deadly signal. 0 or negative errno. */
int terminal_enter(int fd);
void terminal_leave(void);
/* For a full screen: what to write to standard output before the terminal is given back (also by a signal), and when it is ours again. */
void terminal_screen(const char *leave, const char *enter);
/* Once after each time the process was stopped and went on: the screen has to be painted anew. */
bool terminal_returned(void);

#endif
