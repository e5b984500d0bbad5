/* tests/emu/command_rig.h: a tiny guest under the debugger, and commands for it. */
#ifndef TESTS_EMU_COMMAND_RIG_H
#define TESTS_EMU_COMMAND_RIG_H

#include <stdbool.h>

#include "emu/console.h"
#include "emu/monitor/command.h"
#include "emu/debug/debugger.h"
#include "emu/loader.h"

struct command_rig {
	struct kernel kernel;
	struct machine *m;
	struct history *h;
	struct debugger d;
	struct console console;
	struct reply r;                /* of the last command */
	char output[4096];             /* of the guest's */
	size_t output_size;
};

/* name: of a guest in tests/emu/guests. */
void command_rig_open(struct command_rig *rig, const char *name);
void command_rig_close(struct command_rig *rig);
/* Runs a line; its text, or its error. */
const char *run_line(struct command_rig *rig, const char *line);
/* ... that must succeed, or must fail. */
const char *must_run(struct command_rig *rig, const char *line);
const char *must_fail(struct command_rig *rig, const char *line);
/* ... with --json: the object, valid until the next command. */
json_t *must_give(struct command_rig *rig, const char *line);
bool has(const char *text, const char *part);

#endif
