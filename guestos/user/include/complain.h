/* complain.h: how a program says what went wrong: "program: what: reason in words". */
#ifndef COMPLAIN_H
#define COMPLAIN_H

extern const char *program_name;       /* last part of argv[0] */

int complain(const char *what);        /* with errno's words; returns 1, an exit status */
int complain_usage(const char *form);  /* "usage: ..."; returns 2 */

#endif
