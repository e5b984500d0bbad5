/* parse.c: tokens to a tree; the grammar is in sh.h. Recursive descent, one function per rule. */
#include "token.h"

#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 100                  /* nesting; the parser recurses */

/* Grammar. Each function starts with its first token read, and leaves the first one after it read. */

static struct node *parse_list(struct parser *p);

static struct node *new_node(struct parser *p, enum node_kind kind, struct node *a, struct node *b)
{
	struct node *n = arena_alloc(p->arena, sizeof(*n));
	n->kind = kind;
	n->a = a;
	n->b = b;
	return n;
}

static bool at_word(struct parser *p, const char *word) { return p->token == T_WORD && strcmp(p->word, word) == 0; }

static void skip_newlines(struct parser *p)
{
	while (p->token == T_NEWLINE)
		advance(p);
}

static void expect(struct parser *p, const char *word)
{
	char text[40];

	if (at_word(p, word)) {
		advance(p);
		return;
	}
	snprintf(text, sizeof(text), "missing '%s'", word);
	parse_failed(p, text);
}

static bool ends_list(struct parser *p)
{
	static const char *const words[] = {"then", "elif", "else", "fi", "do", "done", "}"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (at_word(p, words[i]))
			return true;
	return p->token == T_END || p->token == T_CLOSE;
}

static void parse_redirect(struct parser *p, struct redirect ***tail)
{
	struct redirect *r = arena_alloc(p->arena, sizeof(*r));

	*r = p->redirect;
	advance(p);
	if (p->token != T_WORD) {
		parse_failed(p, "redirection to what?");
		return;
	}
	r->target = p->word;
	**tail = r;
	*tail = &r->next;
	advance(p);
}

static struct word *parse_words(struct parser *p, struct redirect ***redirects)
{
	struct word *first = NULL, **tail = &first;

	for (;;) {
		if (p->token == T_WORD) {
			struct word *w = arena_alloc(p->arena, sizeof(*w));
			w->text = p->word;
			*tail = w;
			tail = &w->next;
			advance(p);
		} else if (p->token == T_REDIRECT && redirects) {
			parse_redirect(p, redirects);
		} else {
			return first;
		}
	}
}

/* After "if" or "elif". */
static struct node *parse_if(struct parser *p)
{
	struct node *n = new_node(p, NODE_IF, parse_list(p), NULL);

	expect(p, "then");
	n->b = parse_list(p);
	if (at_word(p, "elif")) {
		advance(p);
		n->c = parse_if(p);    /* it takes the one "fi" there is */
		return n;
	}
	if (at_word(p, "else")) {
		advance(p);
		n->c = parse_list(p);
	}
	expect(p, "fi");
	return n;
}

static struct node *parse_body(struct parser *p)
{
	expect(p, "do");
	struct node *body = parse_list(p);
	expect(p, "done");
	return body;
}

static struct node *parse_for(struct parser *p)
{
	struct node *n = new_node(p, NODE_FOR, NULL, NULL);

	if (p->token != T_WORD || !is_name(p->word, strlen(p->word))) {
		parse_failed(p, "for: not a variable's name");
		return n;
	}
	n->name = p->word;
	advance(p);
	skip_newlines(p);
	n->over_parameters = !at_word(p, "in");
	if (!n->over_parameters) {
		advance(p);
		n->words = parse_words(p, NULL);
	}
	if (p->token == T_SEMICOLON)
		advance(p);
	skip_newlines(p);
	n->b = parse_body(p);
	return n;
}

static struct node *parse_compound(struct parser *p)
{
	struct node *n;

	if (at_word(p, "if")) {
		advance(p);
		return parse_if(p);
	}
	if (at_word(p, "while") || at_word(p, "until")) {
		n = new_node(p, p->word[0] == 'w' ? NODE_WHILE : NODE_UNTIL, NULL, NULL);
		advance(p);
		n->a = parse_list(p);
		n->b = parse_body(p);
		return n;
	}
	if (at_word(p, "for")) {
		advance(p);
		return parse_for(p);
	}
	if (at_word(p, "{")) {
		advance(p);
		n = new_node(p, NODE_GROUP, parse_list(p), NULL);
		expect(p, "}");
		return n;
	}
	if (p->token != T_OPEN)
		return NULL;
	advance(p);
	n = new_node(p, NODE_SUBSHELL, parse_list(p), NULL);
	if (p->token == T_CLOSE)
		advance(p);
	else
		parse_failed(p, "missing )");
	return n;
}

static struct node *parse_command(struct parser *p)
{
	struct node *n;

	if (++p->depth > DEPTH_MAX)
		parse_failed(p, "nested too deeply");
	bool outer = p->started;
	p->started = true;
	n = parse_compound(p);
	p->started = outer;
	p->depth--;
	if (n) {
		struct redirect **tail = &n->redirects;
		while (p->token == T_REDIRECT)
			parse_redirect(p, &tail);
		return n;
	}
	n = new_node(p, NODE_COMMAND, NULL, NULL);
	struct redirect **tail = &n->redirects;
	if (ends_list(p) && p->token != T_END)
		parse_failed(p, p->token == T_CLOSE ? "unexpected )" : "unexpected word of the grammar");
	n->words = parse_words(p, &tail);
	if (!n->words && !n->redirects)
		parse_failed(p, "command expected");
	return n;
}

static struct node *parse_pipeline(struct parser *p)
{
	if (at_word(p, "!")) {
		advance(p);
		return new_node(p, NODE_NOT, parse_pipeline(p), NULL);
	}
	struct node *n = parse_command(p);
	if (p->token != T_PIPE)
		return n;
	p->started = true;
	advance(p);
	skip_newlines(p);
	return new_node(p, NODE_PIPE, n, parse_pipeline(p));
}

static struct node *parse_and_or(struct parser *p)
{
	struct node *n = parse_pipeline(p);

	while (p->token == T_AND || p->token == T_OR) {
		enum node_kind kind = p->token == T_AND ? NODE_AND : NODE_OR;
		p->started = true;
		advance(p);
		skip_newlines(p);
		n = new_node(p, kind, n, parse_pipeline(p));
	}
	return n;
}

/* One and-or list and its separator. At the top level a newline is left alone: reading on would wait for the next line. */
static struct node *parse_item(struct parser *p)
{
	struct node *n = parse_and_or(p);

	if (p->token == T_BACKGROUND) {
		n = new_node(p, NODE_BACKGROUND, n, NULL);
		advance(p);
	} else if (p->token == T_SEMICOLON) {
		advance(p);
	}
	return n;
}

static struct node *parse_list(struct parser *p)
{
	struct node *list = NULL;

	for (skip_newlines(p); !ends_list(p) && !p->failed; skip_newlines(p)) {
		struct node *n = parse_item(p);
		list = list ? new_node(p, NODE_SEQUENCE, list, n) : n;
	}
	if (!list)
		parse_failed(p, "command expected");
	return list;
}

struct node *parse(struct arena *a, struct input *in, struct shell *sh, bool *error)
{
	struct parser p = {.arena = a, .in = in, .sh = sh, .unread = -1};
	struct node *list = NULL;

	advance(&p);
	if (p.token == T_NEWLINE)
		return new_node(&p, NODE_SEQUENCE, NULL, NULL);
	while (p.token != T_END && p.token != T_NEWLINE) {
		struct node *n = parse_item(&p);
		list = list ? new_node(&p, NODE_SEQUENCE, list, n) : n;
	}
	*error = p.failed;
	if (p.failed && in->terminal)
		in->pos = in->len;             /* the rest of a wrong line is not a command */
	return p.failed ? NULL : list;
}
