/* emu/monitor/command_help.c: what the tables of command.c say of themselves: help, subjects, completion. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "emu/monitor/commands.h"
#include "emu/debug/expr.h"
#include "emu/debug/guest/source.h"

#define COMPLETIONS 200
#define HELP_COLUMN 30

static void command_help(struct debugger *d, const char *args, struct reply *r);
static void command_info(struct debugger *d, const char *args, struct reply *r);

const struct command help_commands[] = {
	{ "help", "[COMMAND|SUBJECT]", "what a command does, with examples; without one, all commands\nhelp break\nhelp inspect", command_help, NULL,
		complete_command },
	{ "info", "SUBJECT", "what there is to know of something; help info lists the subjects", command_info, NULL, NULL },
	{ "?", NULL, NULL, NULL, "help", NULL },
	{ NULL, NULL, NULL, NULL, NULL, NULL },
};

static const char *const table_names[] = { "run", "break", "breakpoints", "inspect", "guest", "writer", "processor", "session", "check", "help" };
static const char *const table_titles[] = { "Running, forwards and backwards", "What to stop for", "Breakpoints there are", "Looking at code, memory and values",
	"Paging, and the guest's own tables", "Who wrote it", "Processor and devices", "Session", "Checking", "Help" };
#define TITLES (sizeof(table_titles) / sizeof(table_titles[0]))
_Static_assert(sizeof(table_names) == sizeof(table_titles), "a name and a title for each table of command.c, in its order");

/* --- help --------------------------------------------------------------------------------------------------------------- */

static void help_table(size_t i, struct reply *r)
{
	text_put(&r->text, STYLE_TITLE, "%s\n", table_titles[i]);
	for (const struct command *row = command_tables[i]; row->name; row++) {
		if (row->alias_of)
			continue;
		text_add(&r->text, "  ");
		text_put(&r->text, STYLE_NAME, "%s", row->name);
		text_add(&r->text, " %s", row->form ? row->form : "");
		if (strlen(row->name) + (row->form ? strlen(row->form) : 0) > HELP_COLUMN - 4)
			text_add(&r->text, "\n");
		text_column(&r->text, HELP_COLUMN);
		text_add(&r->text, " %.*s\n", (int)strcspn(row->help, "\n"), row->help);
	}
}

static void help_row(const struct command *row, struct reply *r)
{
	const char *p = row->help + strcspn(row->help, "\n");
	bool any = false;

	text_put(&r->text, STYLE_NAME, "%s", row->name);
	text_add(&r->text, " %s\n  %.*s\n", row->form ? row->form : "", (int)(p - row->help), row->help);
	while (*p) {
		size_t n = strcspn(++p, "\n");
		text_put(&r->text, STYLE_DIM, "    %.*s\n", (int)n, p);
		p += n;
	}
	for (const struct command *const *table = command_tables; *table; table++)
		for (const struct command *other = *table; other->name; other++)
			if (other->alias_of && !strcmp(other->alias_of, row->name)) {
				text_add(&r->text, "%s%s", any ? ", " : "  also: ", other->name);
				any = true;
			}
	text_add(&r->text, "%s", any ? "\n" : "");
	reply_set(r, "name", json_string(row->name));
	reply_set(r, "form", json_string(row->form ? row->form : ""));
	reply_set(r, "help", json_string(row->help));
}

/* Every row whose name begins with these words. */
static void help_group(const char *words, struct reply *r)
{
	size_t n = strlen(words);

	for (const struct command *const *table = command_tables; *table; table++)
		for (const struct command *row = *table; row->name; row++)
			if (!strncmp(row->name, words, n) && row->name[n] == ' ' && !row->alias_of) {
				text_put(&r->text, STYLE_NAME, "  %s", row->name);
				text_column(&r->text, HELP_COLUMN);
				text_add(&r->text, " %.*s\n", (int)strcspn(row->help, "\n"), row->help);
			}
}

/* What is left when no subject fits. */
static void command_info(struct debugger *d, const char *args, struct reply *r)
{
	char line[80];

	(void)d;
	snprintf(line, sizeof(line), "info %s", args);
	if (*args)
		command_unknown(line, r);
	else
		help_group("info", r);
}

static void command_help(struct debugger *d, const char *args, struct reply *r)
{
	char others[400];

	(void)d;
	if (!strcmp(args, "info")) {
		help_group(args, r);
		return;
	}
	if (!*args) {
		for (size_t i = 0; i < TITLES && command_tables[i]; i++)
			help_table(i, r);
		text_put(&r->text, STYLE_DIM, "Beginnings of names do; --json after any command; help NAME has examples. QEMU's, Bochs' and gdb's words work.\n");
		return;
	}
	for (size_t i = 0; i < TITLES && command_tables[i]; i++)
		if (!strcmp(args, table_names[i]) && strcmp(args, "break") && strcmp(args, "help") && strcmp(args, "run")) {
			help_table(i, r);
			return;
		}
	struct match m = command_find(args, others, sizeof(others));
	if (!m.row)
		command_unknown(args, r);
	else if (!m.row->alias_of)
		help_row(m.row, r);
	else {
		text_put(&r->text, STYLE_NAME, "%s", m.row->name);
		text_add(&r->text, " is short for, or another's word for: %s\n", m.row->alias_of);
		m = command_find(m.row->alias_of, others, sizeof(others));
		if (m.row && !m.row->alias_of)
			help_row(m.row, r);
	}
}

/* --- completion ---------------------------------------------------------------------------------------------------------- */

/* The last word of a line: where it begins. */
static const char *last_word(const char *line)
{
	const char *end = line + strlen(line);

	while (end > line && !isspace((unsigned char)end[-1]))
		end--;
	return end;
}

/* Has a row before this one the same words up to the end of the one that begins at before? */
static bool told_before(const struct command *row, unsigned table, size_t before)
{
	size_t n = before + strcspn(row->name + before, " ");

	for (unsigned t = 0; t <= table; t++)
		for (const struct command *other = command_tables[t]; other->name && other != row; other++)
			if (!strncmp(other->name, row->name, n) && (!other->name[n] || other->name[n] == ' '))
				return true;
	return false;
}

/* The words that may come next in a name, of which the line has some whole words and the beginning of another. */
static void complete_name(const char *line, found_fn *found, void *ctx)
{
	const char *last = last_word(line);
	size_t before = (size_t)(last - line), n = strlen(last);

	for (unsigned t = 0; command_tables[t]; t++)
		for (const struct command *row = command_tables[t]; row->name; row++)
			if (!strncmp(row->name, line, before) && !strncmp(row->name + before, last, n) && !told_before(row, t, before)) {
				char word[64];
				take_word(row->name + before, word, sizeof(word));
				found(ctx, word);
			}
}

void command_complete(struct debugger *d, const char *line, found_fn *found, void *ctx)
{
	char others[400], own[LINE_MOST];

	line += strspn(line, " \t");
	snprintf(own, sizeof(own), "%s", line);
	struct match m = command_find(own, others, sizeof(others));
	complete_name(own, found, ctx);
	for (unsigned i = 0; m.row && m.row->alias_of && i < MOST_ALIAS; i++) {
		const char *rest = m.rest;
		m = command_find(m.row->alias_of, others, sizeof(others));
		m.rest = rest;
	}
	if (m.row && m.row->complete && *m.rest && !*others)
		m.row->complete(d, m.rest + strspn(m.rest, " \t"), found, ctx);
}

/* found() for what follows the prefix of n bytes in the last word. */
static void found_after(const char *prefix, size_t n, const char *name, found_fn *found, void *ctx)
{
	char word[256];

	snprintf(word, sizeof(word), "%.*s%s", (int)n, prefix, name);
	found(ctx, word);
}

void complete_symbol(struct debugger *d, const char *args, found_fn *found, void *ctx)
{
	const char *names[COMPLETIONS], *last = last_word(args);
	size_t prefix = strspn(last, "*&$("), n = d->source && last[prefix] ? source_complete(d, last + prefix, names, COMPLETIONS) : 0;

	for (size_t i = 0; i < n && i < COMPLETIONS; i++)
		found_after(last, prefix, names[i], found, ctx);
	for (unsigned i = 0; register_name(i) && last[prefix]; i++)
		if (!strncmp(register_name(i), last + prefix, strlen(last + prefix)))
			found_after(last, prefix, register_name(i), found, ctx);
}

void complete_view(struct debugger *d, const char *args, found_fn *found, void *ctx)
{
	const char *last = last_word(args);

	(void)d;
	for (const struct view *v = views; v->name && last == args; v++)
		if (!strncmp(v->name, last, strlen(last)))
			found(ctx, v->name);
}

void complete_command(struct debugger *d, const char *args, found_fn *found, void *ctx)
{
	(void)d;
	complete_name(args, found, ctx);
}
