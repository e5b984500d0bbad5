/* token.h: how parse.c gets its tokens (token.c). */
#ifndef TOKEN_H
#define TOKEN_H

#include "sh.h"

enum token { T_END, T_NEWLINE, T_WORD, T_SEMICOLON, T_BACKGROUND, T_AND, T_OR, T_PIPE, T_OPEN, T_CLOSE, T_REDIRECT };
#define WORD_MAX 2048

struct parser {
	struct arena *arena;
	struct input *in;
	struct shell *sh;
	enum token token;
	struct redirect redirect;      /* T_REDIRECT: fd and kind */
	const char *word;              /* T_WORD; NULL otherwise */
	bool failed, started;          /* started: a command is incomplete, so prompt with "> " */
	int depth;
	int unread;                    /* a character put back, or -1 */
	char text[WORD_MAX];           /* the word being read */
};

void advance(struct parser *p);                                /* reads the next token */
void parse_failed(struct parser *p, const char *what);         /* says so once; from now on there are only T_END */

#endif
