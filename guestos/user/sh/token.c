/* token.c: characters to tokens. A word stays as it was typed, quotes included. */
#include "token.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void parse_failed(struct parser *p, const char *what)
{
	if (!p->failed)
		fprintf(stderr, "sh: %s\n", what);
	p->failed = true;
	p->token = T_END;
}

/* Characters */

static bool refill(struct parser *p)
{
	struct input *in = p->in;

	in->pos = in->len = 0;
	if (in->fd < 0 || in->at_end)
		return false;
	if (in->terminal) {
		free(in->buf);
		in->buf = edit_line(&p->sh->history, p->started ? "> " : "$ ");
		if (!in->buf)
			return false;
		in->len = strlen(in->buf);
		in->buf[in->len++] = '\n';     /* takes the place of the terminating zero */
		return true;
	}
	if (!in->buf && !(in->buf = malloc(1024)))
		return false;
	ssize_t n = read(in->fd, in->buf, in->one_byte ? 1 : 1024);
	in->len = n > 0 ? n : 0;
	return n > 0;
}

static int next_char(struct parser *p)
{
	struct input *in = p->in;
	int c = p->unread;

	if (c >= 0) {
		p->unread = -1;
		return c;
	}
	if (in->text)
		return *in->text ? (unsigned char)*in->text++ : -1;
	if (in->pos == in->len && !refill(p)) {
		in->at_end = true;
		return -1;
	}
	return (unsigned char)in->buf[in->pos++];
}

/* Tokens */

struct text { char *buf; size_t len; };

static void add(struct parser *p, struct text *t, int c)
{
	if (t->len + 1 >= WORD_MAX)
		parse_failed(p, "word too long");
	else
		t->buf[t->len++] = c;
}

static bool followed_by(struct parser *p, int wanted)
{
	int c = next_char(p);

	if (c == wanted)
		return true;
	p->unread = c;
	return false;
}

/* Copy up to the closing character, which is copied too. What is quoted, or in $( ), nests. */
static void copy_until(struct parser *p, struct text *t, int close)
{
	while (!p->failed) {
		int c = next_char(p);
		if (c < 0) {
			parse_failed(p, close == ')' ? "missing )" : "missing closing quote");
			return;
		}
		add(p, t, c);
		if (c == close)
			return;
		if (c == '\\' && close != '\'')
			add(p, t, next_char(p));
		else if (close == ')' && strchr("'\"(", c))
			copy_until(p, t, c == '(' ? ')' : c);
		else if (close == '"' && c == '$' && followed_by(p, '(')) {
			add(p, t, '(');
			copy_until(p, t, ')');
		}
	}
}

static void read_word(struct parser *p, int c)
{
	struct text t = {p->text, 0};

	for (; c >= 0 && !p->failed && !isspace(c) && !strchr(";&|<>()", c); c = next_char(p)) {
		if (c == '\\') {
			int quoted = next_char(p);
			if (quoted == '\n')    /* a line continued */
				continue;
			add(p, &t, c);
			add(p, &t, quoted < 0 ? '\\' : quoted);
			continue;
		}
		add(p, &t, c);
		if (c == '\'' || c == '"') {
			copy_until(p, &t, c);
		} else if (c == '$') {
			if (followed_by(p, '(')) {
				add(p, &t, '(');
				copy_until(p, &t, ')');
			}
		}
	}
	p->unread = c;
	if (p->failed)
		return;
	p->token = T_WORD;
	p->word = arena_string(p->arena, t.buf, t.len);
}

static void read_redirect(struct parser *p, int fd, int c)
{
	p->token = T_REDIRECT;
	p->redirect.fd = fd >= 0 ? fd : c == '<' ? 0 : 1;
	p->redirect.kind = c == '<' ? REDIRECT_READ : REDIRECT_WRITE;
	if (c == '>' && followed_by(p, '>'))
		p->redirect.kind = REDIRECT_APPEND;
	else if (followed_by(p, '&'))
		p->redirect.kind = REDIRECT_DUP;
}

void advance(struct parser *p)
{
	int c;

	if (p->failed)
		return;
	p->word = NULL;
	do
		c = next_char(p);
	while (c == ' ' || c == '\t' || c == '\r');
	if (c == '#')
		while (c >= 0 && c != '\n')
			c = next_char(p);
	switch (c) {
	case -1: p->token = T_END; return;
	case '\n': p->token = T_NEWLINE; return;
	case ';': p->token = T_SEMICOLON; return;
	case '(': p->token = T_OPEN; return;
	case ')': p->token = T_CLOSE; return;
	case '&': p->token = followed_by(p, '&') ? T_AND : T_BACKGROUND; return;
	case '|': p->token = followed_by(p, '|') ? T_OR : T_PIPE; return;
	case '<': case '>': read_redirect(p, -1, c); return;
	}
	read_word(p, c);
	/* A word of one digit right before < or > says which descriptor. */
	if (p->token == T_WORD && p->word && isdigit((unsigned char)p->word[0]) && !p->word[1] && (p->unread == '<' || p->unread == '>')) {
		int fd = p->word[0] - '0';
		c = p->unread;
		p->unread = -1;
		p->word = NULL;
		read_redirect(p, fd, c);
	}
}
