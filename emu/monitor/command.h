/* emu/monitor/command.h: the monitor's language: one table of {name, form, help, function}. Every face has it: the line monitor, the TUI's command line,
 * gdb's `monitor`, scripts and breakpoint commands. Students' words (QEMU's, Bochs', gdb's) are further rows of the same table.
 *
 *   break *0xc0100000 if eax == 1     step   rstep   x/10i $eip   info tlb   why   goto 12345   view walk 0xbfffeffc --json
 */
#ifndef EMU_DEBUG_COMMAND_H
#define EMU_DEBUG_COMMAND_H

#include <jansson.h>

#include "emu/debug/debugger.h"
#include "emu/debug/text.h"

struct reply {
	struct text text;              /* for people */
	json_t *json;                  /* an object, filled beside text when want_json; never NULL then */
	bool want_json;
	bool no_files;                 /* set before: commands that read or write files of the host refuse (Lua scripts are not to) */
	bool failed;                   /* text is one line of error */
	bool assertion;                /* ... of an `assert` */
	bool quit;                     /* the user asked to leave */
	bool moved;                    /* the machine ran or went to another moment */
};

struct command {
	const char *name;              /* "info tlb"; may have several words */
	const char *form;              /* arguments in words, NULL: none */
	const char *help;              /* first line short; more lines are examples */
	/* args: what followed the name, blanks cut, never NULL. */
	void (*run)(struct debugger *d, const char *args, struct reply *r);
	const char *alias_of;          /* another's row, maybe with words before the arguments: "info registers control"; then run is NULL */
	void (*complete)(struct debugger *d, const char *args, void (*found)(void *ctx, const char *word), void *ctx);  /* NULL: no words */
};
/* Several tables, one for each subject (commands_run.c, commands_break.c, commands_look.c, ...), listed in command.c. */
extern const struct command *const command_tables[];

/* One line. "NAME ... --json" asks for JSON. An empty line does nothing; faces repeat steps themselves. Unambiguous beginnings of names work. */
void command_execute(struct debugger *d, const char *line, struct reply *r);
void reply_free(struct reply *r);
/* For commands: one line of error. */
void reply_fail(struct reply *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The text, or the JSON on one line. */
int reply_write(const struct reply *r, FILE *out, bool ansi);
/* Completions of a partly typed line. */
void command_complete(struct debugger *d, const char *line, void (*found)(void *ctx, const char *word), void *ctx);

#endif
