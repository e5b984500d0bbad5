/* sh.h: the shell: text -> token.c -> parse.c -> tree -> run.c, which asks expand.c for the words.
 *
 *   list      = andor { (";" | "&" | newline) andor }
 *   andor     = pipeline { ("&&" | "||") pipeline }
 *   pipeline  = ["!"] command { "|" command }
 *   command   = { NAME=word } { word | redirection }
 *             | "(" list ")" | "{" list "}"                        each may be followed by redirections
 *             | "if" list "then" list { "elif" list "then" list } [ "else" list ] "fi"
 *             | ("while" | "until") list "do" list "done"
 *             | "for" NAME ["in" { word }] ";" "do" list "done"
 *   redirection = [digit] ("<" | ">" | ">>" | ">&") word
 *
 * Words stay as typed, quotes included, until the moment they are used.
 * Not implemented: functions, case, here-documents, arithmetic, job control, signals traps. */
#ifndef SH_H
#define SH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Memory for one command: everything is given back at once when it has run. */
struct arena { struct chunk *chunks; };
void *arena_alloc(struct arena *a, size_t size);               /* zeroed; ends the shell if there is no memory */
char *arena_string(struct arena *a, const char *s, size_t len);
void arena_free(struct arena *a);

/* Where commands come from. */
struct input {
	int fd;                        /* -1: text only */
	const char *text;              /* what is left of a string or a line */
	bool one_byte;                 /* take no more than needed: children read the same descriptor */
	bool terminal;
	bool at_end;
	char *buf;                     /* a script's block, or the line from the editor */
	size_t pos, len;
};

struct word { const char *text; struct word *next; };
enum redirect_kind { REDIRECT_READ, REDIRECT_WRITE, REDIRECT_APPEND, REDIRECT_DUP };
struct redirect { int fd; enum redirect_kind kind; const char *target; struct redirect *next; };
enum node_kind { NODE_COMMAND, NODE_PIPE, NODE_AND, NODE_OR, NODE_SEQUENCE, NODE_BACKGROUND, NODE_NOT, NODE_IF, NODE_WHILE, NODE_UNTIL,
	NODE_FOR, NODE_SUBSHELL, NODE_GROUP };
struct node {
	enum node_kind kind;
	struct node *a, *b, *c;        /* operands; IF: condition, then, else; loops: condition, body */
	struct word *words;            /* COMMAND: assignments and words; FOR: what to go through */
	const char *name;              /* FOR: the variable */
	bool over_parameters;          /* FOR without "in" */
	struct redirect *redirects;
};

#define HISTORY 50
struct history { char *line[HISTORY]; int count; };

struct shell {
	int status;                    /* $? */
	pid_t background;              /* $! */
	pid_t pid;                     /* $$ */
	int argc;                      /* $0 ... $argc-1 */
	char **argv;
	bool interactive;
	bool exiting;
	int loops, leaving;            /* loops being run; how many of them break or continue still has to end */
	bool continuing;               /* the last of those is to go on with its next turn */
	struct history history;
	struct arena *arena;
};

/* main.c */
int shell_run_input(struct shell *sh, struct input *in);
/* edit.c: one line, without its newline; NULL at the end of input */
char *edit_line(struct history *h, const char *prompt);
/* parse.c: next complete list; NULL with *error set, or NULL at the end of input */
struct node *parse(struct arena *a, struct input *in, struct shell *sh, bool *error);
/* expand.c: argv-like array, NULL at the end */
char **expand_words(struct shell *sh, const struct word *w, int *count);
char *expand_single(struct shell *sh, const char *text);
bool is_name(const char *s, size_t len);
/* builtin.c */
typedef int builtin(struct shell *sh, int argc, char **argv);
builtin *find_builtin(const char *name);                       /* NULL: it is a program */
int status_of(int wait_status);                                /* as $? tells it */
/* redirect.c */
#define FD_COUNT 10                                            /* descriptors a redirection can name */
bool redirect(struct shell *sh, const struct redirect *r, int *saved); /* saved[fd] is -1: untouched; -2: was closed; else a copy. NULL: no need to undo */
void undo_redirects(int *saved);
/* run.c */
void run_node(struct shell *sh, const struct node *n);
char *run_capture(struct shell *sh, const char *text);

#endif
