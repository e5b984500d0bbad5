/* emu/run_check.h: the paging checker of `emu run --check`: its findings go to standard error, with the kernel's names. */
#ifndef EMU_RUN_CHECK_H
#define EMU_RUN_CHECK_H

#include "emu/debug/debugger.h"
#include "emu/session.h"

struct run_check {
	struct checker *checker;       /* NULL: off */
	struct debugger names;         /* no debugger: what finding_describe() needs to name addresses */
};

/* As the session's options say. 0, or -1 with a line in err. */
int run_check_start(struct run_check *k, struct session *s, char *err);
/* Whether it was the checker that stopped the machine, and the run is to end. */
bool run_check_ended(const struct run_check *k);
/* Tells the summary, and lets go of the machine. */
void run_check_end(struct run_check *k);

#endif
