/* expand.c: from words as typed to arguments: quotes, variables, command output, splitting, file name patterns.
 *
 * While a word is built, a quoted character that would mean something in a pattern is preceded by QUOTED. */
#include "sh.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUOTED '\001'

struct list { struct arena *arena; char **word; int count, room; };

struct builder {
	struct shell *sh;
	struct list *out;
	char *buf;
	size_t len, room;
	bool any;                      /* there is a word, even if it is empty: "" */
	bool split;                    /* false: keep everything in one word */
};

static void list_add(struct list *l, char *word)
{
	if (l->count + 1 >= l->room) {
		int room = l->room ? 2 * l->room : 16;
		char **bigger = arena_alloc(l->arena, room * sizeof(*bigger));
		if (l->count)
			memcpy(bigger, l->word, l->count * sizeof(*bigger));
		l->word = bigger;
		l->room = room;
	}
	if (word)
		l->word[l->count++] = word;
	l->word[l->count] = NULL;
}

static void add(struct builder *b, char c)
{
	if (b->len + 1 >= b->room) {
		size_t room = b->room ? 2 * b->room : 64;
		char *bigger = arena_alloc(b->sh->arena, room);
		if (b->len)
			memcpy(bigger, b->buf, b->len);
		b->buf = bigger;
		b->room = room;
	}
	b->buf[b->len++] = c;
	b->buf[b->len] = 0;
	b->any = true;
}

/* There is a word from here on, even if nothing is added. */
static void start_word(struct builder *b)
{
	if (!b->any) {
		add(b, 0);
		b->len = 0;
	}
}

static void add_quoted(struct builder *b, char c)
{
	if (c == '*' || c == '?' || c == QUOTED)
		add(b, QUOTED);
	add(b, c);
}

/* Patterns */

static bool pattern_matches(const char *p, const char *name)
{
	for (; *p; p++, name++) {
		if (*p == '*') {
			for (;; name++) {
				if (pattern_matches(p + 1, name))
					return true;
				if (!*name)
					return false;
			}
		}
		if (*p == QUOTED && p[1])
			p++;
		else if (*p == '?' && *name)
			continue;
		if (*p != *name)
			return false;
	}
	return !*name;
}

static bool has_pattern(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] == QUOTED)
			i++;
		else if (s[i] == '*' || s[i] == '?')
			return true;
	}
	return false;
}

static char *unquote(struct arena *a, const char *s)
{
	char *plain = arena_string(a, s, strlen(s)), *to = plain;

	for (; *s; s++) {
		if (*s == QUOTED && s[1])
			s++;
		*to++ = *s;
	}
	*to = 0;
	return plain;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Names matching the last part of the pattern; the directory in front of it is taken as it is. */
static bool match_files(struct list *out, const char *pattern)
{
	const char *last = strrchr(pattern, '/') ? strrchr(pattern, '/') + 1 : pattern;
	size_t dir_len = last - pattern;
	int first = out->count;
	struct dirent *e;

	if (!has_pattern(last, strlen(last)) || has_pattern(pattern, dir_len))
		return false;
	char *dir = dir_len ? unquote(out->arena, arena_string(out->arena, pattern, dir_len)) : "";
	DIR *d = opendir(*dir ? dir : ".");
	if (!d)
		return false;
	while ((e = readdir(d))) {
		if ((e->d_name[0] == '.' && *last != '.') || !pattern_matches(last, e->d_name))
			continue;
		size_t size = strlen(dir) + strlen(e->d_name) + 1;
		char *path = arena_alloc(out->arena, size);
		snprintf(path, size, "%s%s", dir, e->d_name);
		list_add(out, path);
	}
	closedir(d);
	qsort(out->word + first, out->count - first, sizeof(*out->word), by_name);
	return out->count > first;
}

static void end_word(struct builder *b)
{
	if (!b->any)
		return;
	if (!b->split || !match_files(b->out, b->buf))
		list_add(b->out, unquote(b->sh->arena, b->buf));
	b->len = b->room = 0;
	b->any = false;
}

/* A value put in for $something: unquoted it is split at white space. */
static void add_value(struct builder *b, const char *value, bool quoted)
{
	for (; value && *value; value++) {
		if (quoted || !b->split)
			add_quoted(b, *value);
		else if (isspace((unsigned char)*value))
			end_word(b);
		else
			add(b, *value);
	}
}

static void add_number(struct builder *b, long n)
{
	char text[16];

	snprintf(text, sizeof(text), "%ld", n);
	add_value(b, text, true);
}

static void add_parameters(struct builder *b, bool quoted, bool separate)
{
	for (int i = 1; i < b->sh->argc; i++) {
		if (i > 1 && quoted && !separate)
			add(b, ' ');
		else if (i > 1)
			end_word(b);
		if (quoted)
			start_word(b);
		add_value(b, b->sh->argv[i], quoted);
	}
}

bool is_name(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!(isalpha((unsigned char)s[i]) || s[i] == '_' || (i > 0 && isdigit((unsigned char)s[i]))))
			return false;
	return len > 0;
}

static void add_variable(struct builder *b, const char *name, size_t len, bool quoted)
{
	const char *value;

	if (len == 1 && isdigit((unsigned char)*name))
		value = *name - '0' < b->sh->argc ? b->sh->argv[*name - '0'] : NULL;
	else
		value = getenv(arena_string(b->sh->arena, name, len));
	add_value(b, value, quoted);
}

/* The text from "$(" to its ")" ; returns what follows. */
static const char *add_output(struct builder *b, const char *s, bool quoted)
{
	int depth = 1;
	const char *start = s;

	for (char quote = 0; *s; s++) {
		if (*s == '\\' && s[1])
			s++;
		else if (quote || *s == '\'' || *s == '"')
			quote = !quote ? *s : *s == quote ? 0 : quote;
		else if ((depth += (*s == '(') - (*s == ')')) == 0)
			break;
	}
	char *output = run_capture(b->sh, arena_string(b->sh->arena, start, s - start));
	add_value(b, output, quoted);
	free(output);
	return *s ? s + 1 : s;
}

/* s is what follows the dollar; returns what follows the expansion. */
static const char *add_dollar(struct builder *b, const char *s, bool quoted)
{
	const char *end;

	switch (*s) {
	case '?': add_number(b, b->sh->status); return s + 1;
	case '$': add_number(b, b->sh->pid); return s + 1;
	case '!': add_number(b, b->sh->background); return s + 1;
	case '#': add_number(b, b->sh->argc > 0 ? b->sh->argc - 1 : 0); return s + 1;
	case '@': add_parameters(b, quoted, true); return s + 1;
	case '*': add_parameters(b, quoted, false); return s + 1;
	case '(': return add_output(b, s + 1, quoted);
	case '{':
		if (!(end = strchr(s, '}')))
			break;
		add_variable(b, s + 1, end - s - 1, quoted);
		return end + 1;
	}
	if (isdigit((unsigned char)*s)) {
		add_variable(b, s, 1, quoted);
		return s + 1;
	}
	for (end = s; is_name(s, end - s + 1) && *end; end++)
		;
	if (end == s)
		add(b, '$');
	else
		add_variable(b, s, end - s, quoted);
	return end;
}

static const char *add_double_quoted(struct builder *b, const char *s)
{
	start_word(b);                         /* "" is a word */
	while (*s && *s != '"') {
		if (*s == '\\' && s[1] && strchr("\\\"$`", s[1])) {
			add_quoted(b, s[1]);
			s += 2;
		} else if (*s == '$') {
			s = add_dollar(b, s + 1, true);
		} else {
			add_quoted(b, *s++);
		}
	}
	return *s ? s + 1 : s;
}

static void expand(struct builder *b, const char *s)
{
	while (*s) {
		if (*s == '\'') {
			start_word(b);
			for (s++; *s && *s != '\''; s++)
				add_quoted(b, *s);
			s += *s == '\'';
		} else if (*s == '"') {
			s = add_double_quoted(b, s + 1);
		} else if (*s == '\\' && s[1]) {
			add_quoted(b, s[1]);
			s += 2;
		} else if (*s == '$') {
			s = add_dollar(b, s + 1, false);
		} else {
			add(b, *s++);
		}
	}
	end_word(b);
}

char **expand_words(struct shell *sh, const struct word *w, int *count)
{
	struct list out = {.arena = sh->arena};

	list_add(&out, NULL);
	for (; w; w = w->next) {
		struct builder b = {.sh = sh, .out = &out, .split = true};
		expand(&b, w->text);
	}
	*count = out.count;
	return out.word;
}

char *expand_single(struct shell *sh, const char *text)
{
	struct list out = {.arena = sh->arena};
	struct builder b = {.sh = sh, .out = &out};

	expand(&b, text);
	return out.count ? out.word[0] : "";
}
