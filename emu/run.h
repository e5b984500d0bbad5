/* emu/run.h: the commands of the program. */
#ifndef EMU_RUN_H
#define EMU_RUN_H

/* Each gets the arguments after the command's name and returns the exit status. */
int command_run(int argc, char **argv);
int command_debug(int argc, char **argv);
int command_replay(int argc, char **argv);
int command_demo(int argc, char **argv);

/* One line on standard error, "emu: ..."; returns status. */
int complain(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
