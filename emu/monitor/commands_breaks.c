/* emu/monitor/commands_breaks.c: commands about the breakpoints there are: which count, when, what is done at a stop. */
#include "emu/monitor/commands.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "emu/debug/expr.h"

static struct breakpoint *breakpoint_of(struct debugger *d, const char *word, struct reply *r)
{
	char *end;
	unsigned long id = strtoul(word, &end, 10);
	struct breakpoint *b = isdigit((unsigned char)*word) && !*end && id <= UINT32_MAX ? debugger_break_find(d, (unsigned)id) : NULL;

	if (b && !b->silent)
		return b;
	reply_fail(r, "there is no breakpoint '%s'; see info break", word);
	return NULL;
}

enum change { CHANGE_ENABLE, CHANGE_DISABLE, CHANGE_DELETE };

static void change_one(struct debugger *d, struct breakpoint *b, enum change what)
{
	if (what == CHANGE_DELETE)
		debugger_break_delete(d, b->id);
	else
		b->enabled = what == CHANGE_ENABLE;
}

/* The ones named, all of them or none; every one when none is named. */
static void change(struct debugger *d, enum change what, const char *args, struct reply *r)
{
	char word[32];

	if (!strncmp(args, "breakpoints", strcspn(args, " ")) && *args)       /* gdb's `delete breakpoints` */
		args += strcspn(args, " "), args += strspn(args, " ");
	for (const char *p = args; *p; ) {
		p = take_word(p, word, sizeof(word));
		if (!breakpoint_of(d, word, r))
			return;
	}
	if (!*args)
		for (struct breakpoint *b = d->breaks, *next; b; b = next) {
			next = b->next;
			if (!b->silent)
				change_one(d, b, what);
		}
	for (const char *p = args; *p; ) {
		p = take_word(p, word, sizeof(word));
		struct breakpoint *b = breakpoint_of(d, word, r);
		if (b)
			change_one(d, b, what);
		r->failed = false;         /* the same one twice */
	}
}

static void run_enable(struct debugger *d, const char *args, struct reply *r) { change(d, CHANGE_ENABLE, args, r); }
static void run_disable(struct debugger *d, const char *args, struct reply *r) { change(d, CHANGE_DISABLE, args, r); }
static void run_delete(struct debugger *d, const char *args, struct reply *r) { change(d, CHANGE_DELETE, args, r); }

static void run_ignore(struct debugger *d, const char *args, struct reply *r)
{
	char word[32];
	const char *rest = take_word(args, word, sizeof(word));
	struct breakpoint *b = breakpoint_of(d, word, r);
	uint64_t n;

	if (!b || !number_of(d, rest, &n, r))
		return;
	b->ignore = n;
	text_add(&r->text, "breakpoint %u passes %" PRIu64 " hits by\n", b->id, n);
}

static void run_condition(struct debugger *d, const char *args, struct reply *r)
{
	char word[32], err[ERROR_LINE];
	const char *rest = take_word(args, word, sizeof(word));
	struct breakpoint *b = breakpoint_of(d, word, r);

	if (!b)
		return;
	if (take_this(&rest, "if") || *rest) {
		if (expr_check(d, rest, err)) {
			reply_fail(r, "%s", err);
			return;
		}
	}
	char *own = *rest ? strdup(rest) : NULL;
	free(b->condition);
	b->condition = own;
}

/* commands N LINE ; LINE ...  Nothing after the number: none any more. (The line monitor reads lines up to `end` and puts them together.) */
static void run_lines_at(struct debugger *d, const char *args, struct reply *r)
{
	char word[32];
	const char *rest = take_word(args, word, sizeof(word));

	if (!*word) {
		reply_fail(r, "commands of which breakpoint? its number, then lines of at most 4000 characters in all");
		return;
	}
	struct breakpoint *b = breakpoint_of(d, word, r);
	if (!b)
		return;
	char *own = *rest ? malloc(strlen(rest) + 1) : NULL;
	char *out = own;
	for (const char *p = rest; own && *p; ) {
		p += strspn(p, " ;");
		size_t n = strcspn(p, ";");
		memcpy(out, p, n);
		out += n;
		p += n;
		if (*p)
			*out++ = '\n';
	}
	if (own)
		*out = 0;
	free(b->commands);
	b->commands = own;
}

static void run_info_break(struct debugger *d, const char *args, struct reply *r)
{
	reply_view(d, "breakpoints", args, 0, r);
}

const struct command breaks_commands[] = {
	{ "condition", "N [EXPRESSION]", "breakpoint N stops only if; without one always\ncondition 2 eax == 0", run_condition, NULL, NULL },
	{ "ignore", "N COUNT", "breakpoint N passes so many hits by", run_ignore, NULL, NULL },
	{ "commands", "N [LINE ; LINE ...]", "what to do when breakpoint N stops the machine\ncommands 1 info registers ; continue", run_lines_at, NULL, NULL },
	{ "enable", "[N ...]", "breakpoints, all when none is named", run_enable, NULL, NULL },
	{ "bpe", NULL, NULL, NULL, "enable", NULL },
	{ "disable", "[N ...]", "... keep them, but do not stop", run_disable, NULL, NULL },
	{ "bpd", NULL, NULL, NULL, "disable", NULL },
	{ "delete", "[N ...]", "forget them", run_delete, NULL, NULL },
	{ "del", NULL, NULL, NULL, "delete", NULL },
	{ "d", NULL, NULL, NULL, "delete", NULL },
	{ "unwatch", NULL, NULL, NULL, "delete", NULL },
	{ "clear", NULL, NULL, NULL, "delete", NULL },
	{ "info break", NULL, "the breakpoints, how often they hit", run_info_break, NULL, NULL },
	{ "info b", NULL, NULL, NULL, "info break", NULL },
	{ "info breakpoints", NULL, NULL, NULL, "info break", NULL },
	{ "info watchpoints", NULL, NULL, NULL, "info break", NULL },
	{ "info w", NULL, NULL, NULL, "info break", NULL },
	{ "blist", NULL, NULL, NULL, "info break", NULL },
	{ NULL, NULL, NULL, NULL, NULL, NULL },
};
