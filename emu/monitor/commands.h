/* emu/monitor/commands.h: what the tables of commands share. Private to command.c and commands_*.c. */
#ifndef EMU_DEBUG_COMMANDS_H
#define EMU_DEBUG_COMMANDS_H

#include "emu/monitor/command.h"
#include "emu/debug/notebook.h"
#include "emu/debug/view/view.h"

#define MOST_ALIAS 4                       /* aliases of aliases */
#define LINE_MOST  4096u                   /* bytes */

extern const struct command run_commands[], break_commands[], breaks_commands[], help_commands[], look_commands[], guest_commands[], who_commands[],
	cpu_commands[], session_commands[], check_commands[];

typedef void found_fn(void *ctx, const char *word);

/* How a line's first words fit a row's name. */
struct match {
	const struct command *row;     /* NULL: nothing fits */
	unsigned words;
	unsigned whole;                /* of them, not just beginnings */
	const char *rest;              /* of the line */
};
/* The best row. others: names of rows that fit as well and mean something else, for the complaint. */
struct match command_find(const char *line, char *others, size_t size);
/* Fails with the name that is nearest. */
void command_unknown(const char *line, struct reply *r);

/* The word that args begin with, copied and cut to size; returns what follows it, blanks skipped. */
const char *take_word(const char *args, char *word, size_t size);
/* True, and *args moves on, when args begin with this word. */
bool take_this(const char **args, const char *word);
/* The value of an expression; false, and r failed, when it is none. */
bool number_of(struct debugger *d, const char *text, uint64_t *value, struct reply *r);
/* ... of args, or otherwise when they are empty. */
bool number_or(struct debugger *d, const char *args, uint64_t otherwise, uint64_t *value, struct reply *r);
/* The process named by id, name or CR3; false, and r failed: there is none. */
bool space_of(struct debugger *d, const char *name, uint32_t *cr3, struct reply *r);
/* False, and r failed, when r->no_files. */
bool files_allowed(struct reply *r);
/* "byte(", "*(u16*)", "*": the bytes that this speaks of (0: none of these), and where the address's expression begins. */
unsigned target_size(const char *text, const char **address);
/* Puts a view of 100 columns into the reply. */
void reply_view(struct debugger *d, const char *view, const char *argument, unsigned height, struct reply *r);
/* Sets a member of the JSON, when it is wanted; takes the value over. */
void reply_set(struct reply *r, const char *key, json_t *value);
/* Runs lines of commands one after the other into r, until one fails. origin is told with the number of the line that did. */
void run_lines(struct debugger *d, const char *lines, const char *origin, struct reply *r);

/* The moment that savevm gave this name, or NULL. */
const struct bookmark *bookmark_find(const struct debugger *d, const char *name);

/* For the tables' last column. */
void complete_symbol(struct debugger *d, const char *args, found_fn *found, void *ctx);
void complete_view(struct debugger *d, const char *args, found_fn *found, void *ctx);
void complete_command(struct debugger *d, const char *args, found_fn *found, void *ctx);

#endif
