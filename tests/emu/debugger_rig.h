/* tests/emu/debugger_rig.h: a debugger on a guest of its own, made anew for each test, for the tests of the debugger's core. */
#ifndef TESTS_EMU_DEBUGGER_RIG_H
#define TESTS_EMU_DEBUGGER_RIG_H

#include <check.h>

#include "emu/debug/debugger.h"
#include "emu/symbols.h"

extern char err[ERROR_LINE];
extern struct symbols symbols;
extern struct machine *m;
extern struct history *h;
extern struct debugger d;

struct machine *new_machine(void);
uint32_t at(const char *name);
unsigned add(struct breakpoint b);
unsigned break_at(const char *name);
const struct stop *go(enum go how);
uint32_t word(const char *name);
void expect_break(const struct stop *s, unsigned id);
void expect_at(const char *name);
/* Some rounds into the run, at its beginning. */
void to_round(unsigned n);
/* The state that a machine without debugger has after the same instructions. */
void expect_plain_state(void);

/* Each of these, on guests/stepping.S, with the flat TLB and with a modelled one; NULL after the last. */
Suite *debugger_suite(const char *name, const TTest *const *tests);
/* These on another guest, "timer", "reset"; with the flat TLB. */
void debugger_suite_add(Suite *s, const char *other_guest, const TTest *const *tests);
int debugger_suite_run(Suite *s);

#endif
