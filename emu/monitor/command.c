/* emu/monitor/command.c: finding the command that a line means, and answering.
 *
 *   "info reg --json" -> words matched against the names in all tables -> row, arguments -> run -> struct reply
 *
 * The row with the most words wins, a whole name before a beginning. Beginnings that several rows share are refused, unless
 * the rows mean the same. Lines come from people, scripts, gdb and fuzzers: any bytes.
 */
#include "emu/monitor/command.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "emu/monitor/commands.h"
#include "emu/debug/expr.h"
#include "emu/debug/guest/guest.h"
#include "emu/debug/view/views.h"
#include "emu/options.h"

#define MOST_DEPTH 16                  /* of commands that run commands */

const struct command *const command_tables[] = { run_commands, break_commands, breaks_commands, look_commands, guest_commands, who_commands, cpu_commands,
	session_commands, check_commands, help_commands, NULL };

/* --- replies --------------------------------------------------------------------------------------------------------- */

void reply_free(struct reply *r)
{
	text_free(&r->text);
	json_decref(r->json);
	*r = (struct reply){ 0 };
}

void reply_fail(struct reply *r, const char *fmt, ...)
{
	char line[LINE_MOST];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	line[strcspn(line, "\n")] = 0;
	text_clear(&r->text);
	text_put(&r->text, STYLE_BAD, "%s\n", line);
	r->failed = true;
}

void reply_set(struct reply *r, const char *key, json_t *value)
{
	if (r->json && r->want_json)
		json_object_set_new(r->json, key, value ? value : json_null());
	else
		json_decref(value);
}

int reply_write(const struct reply *r, FILE *out, bool ansi)
{
	if (!r->want_json)
		return ansi ? text_write_ansi(&r->text, out) : text_write_plain(&r->text, out);
	if (json_dumpf(r->json, out, JSON_COMPACT | JSON_SORT_KEYS) || fputc('\n', out) == EOF)
		return -5;
	return 0;
}

/* A command that had no structure to give: its lines. */
static void complete_json(struct reply *r)
{
	if (!r->json)
		r->json = json_object();
	if (r->failed) {
		struct text err = r->text;
		r->text = (struct text){ 0 };
		json_object_clear(r->json);
		json_t *e = view_error(&err);
		json_object_update(r->json, e);
		json_decref(e);
	} else if (!json_object_size(r->json) && r->text.size) {
		json_t *lines = text_json(&r->text);
		json_object_update(r->json, lines);
		json_decref(lines);
	}
}

/* --- finding ---------------------------------------------------------------------------------------------------------- */

static size_t word_length(const char *p)
{
	return strcspn(p, " \t/");
}

/* How the line's first words fit the row's name: 0 words if not. */
static struct match match_row(const struct command *row, const char *line)
{
	struct match m = { .row = row };
	const char *name = row->name, *p = line;

	while (*name) {
		size_t have = word_length(p), want = strcspn(name, " ");
		if (m.words)
			have = strcspn(p, " \t");          /* the slash of x/10i belongs to the first word only */
		if (!have && *p == '/' && *name == '/')
			have = 1;
		if (!have || have > want || strncmp(p, name, have))
			return (struct match){ 0 };
		m.whole += have == want;
		m.words++;
		p += have;
		name += want;
		name += strspn(name, " ");
		if (*name)
			p += strspn(p, " \t");
	}
	m.rest = p;
	return m;
}

static const char *meaning(const struct command *row)
{
	return row->alias_of ? row->alias_of : row->name;
}

static bool better(const struct match *a, const struct match *b)
{
	return a->words != b->words ? a->words > b->words : a->whole > b->whole;
}

/* The best row. others: names of rows that fit as well and mean something else, for the complaint. */
struct match command_find(const char *line, char *others, size_t size)
{
	struct match best = { 0 };
	size_t n = 0;

	*others = 0;
	for (const struct command *const *table = command_tables; *table; table++)
		for (const struct command *row = *table; row->name; row++) {
			struct match m = match_row(row, line);
			if (!m.words)
				continue;
			if (better(&m, &best)) {
				best = m;
				*others = 0;
				n = 0;
			} else if (!better(&best, &m) && m.whole < m.words && strcmp(meaning(row), meaning(best.row)) && n < size)
				n += (size_t)snprintf(others + n, size - n, ", %s", row->name);
		}
	return best;
}

void command_unknown(const char *line, struct reply *r)
{
	const char *names[512];
	size_t n = 0;
	char word[64];

	for (const struct command *const *table = command_tables; *table; table++)
		for (const struct command *row = *table; row->name && n < 512; row++)
			names[n++] = row->name;
	take_word(line, word, sizeof(word));
	const char *near = nearest_name(line, names, n);
	if (!near && strcmp(word, "info"))
		near = nearest_name(word, names, n);
	if (!strcmp(word, "info"))
		snprintf(word, sizeof(word), "%.63s", line);
	if (near)
		reply_fail(r, "unknown command '%s'; did you mean '%s'?", word, near);
	else
		reply_fail(r, "unknown command '%s'; see help", word);
}

/* Does it move or change the machine, or who is told of it? In a script's hook the machine is in the middle of an instruction. */
static bool only_between_runs(const struct command *row)
{
	static const char *const others[] = { "set", "who wrote", "check", "save", "loadvm", "system_reset", "trace", "lua", "source", "fork", "nmi" };

	for (const struct command *r = run_commands; r->name; r++)
		if (r == row)
			return true;
	for (const struct command *r = break_commands; r->name; r++)
		if (r == row)
			return true;
	for (const struct command *r = breaks_commands; r->name; r++)
		if (r == row)
			return strncmp(r->name, "info", 4);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!strcmp(others[i], row->name))
			return true;
	return false;
}

static void execute(struct debugger *d, const char *line, unsigned aliases, struct reply *r)
{
	char others[400];

	line += strspn(line, " \t");
	struct match m = command_find(line, others, sizeof(others));
	if (!m.row)
		command_unknown(line, r);
	else if (*others)
		reply_fail(r, "'%.*s' may mean %s%s", (int)(m.rest - line), line, m.row->name, others);
	else if (!m.row->alias_of && d->notes->only_look && only_between_runs(m.row))
		reply_fail(r, "%s is not for hooks, which only look", m.row->name);
	else if (!m.row->alias_of)
		m.row->run(d, m.rest + strspn(m.rest, " \t"), r);
	else if (aliases < MOST_ALIAS) {
		char again[LINE_MOST + 128];
		/* p/x stays print/x: options written onto the name go onto the other. */
		snprintf(again, sizeof(again), "%s%s%s", m.row->alias_of, *m.rest == '/' || !*m.rest ? "" : " ", m.rest + strspn(m.rest, " \t"));
		execute(d, again, aliases + 1, r);
	}
}

/* Takes " --json" off the end of the line. */
static bool wants_json(char *line)
{
	size_t n = strlen(line);

	if (n < 6 || strcmp(line + n - 6, "--json") || (n > 6 && !isspace((unsigned char)line[n - 7])))
		return false;
	for (n -= 6; n && isspace((unsigned char)line[n - 1]); n--)
		;
	line[n] = 0;
	return true;
}

void command_execute(struct debugger *d, const char *line, struct reply *r)
{
	struct notebook *nb = notebook(d);
	char own[LINE_MOST];
	size_t n = strlen(line);

	while (n && isspace((unsigned char)line[n - 1]))
		n--;
	if (!nb)
		reply_fail(r, "out of memory");
	else if (n >= sizeof(own))
		reply_fail(r, "the line has more than %u bytes", LINE_MOST - 1);
	else if (nb->depth >= MOST_DEPTH)
		reply_fail(r, "commands that run commands are nested more than %d deep", MOST_DEPTH);
	else {
		memcpy(own, line, n);
		own[n] = 0;
		for (char *c = own; *c; c++)
			if (iscntrl((unsigned char)*c))
				*c = ' ';
		r->want_json |= wants_json(own);
		if (r->want_json && !r->json)
			r->json = json_object();
		const char *p = own + strspn(own, " ");
		if (*p && *p != '#') {
			nb->depth++;
			execute(d, p, 0, r);
			nb->depth--;
		}
	}
	if (r->text.failed)
		reply_fail(r, "out of memory");
	if (r->want_json)
		complete_json(r);
}

/* --- what commands share ------------------------------------------------------------------------------------------------ */

const char *take_word(const char *args, char *word, size_t size)
{
	args += strspn(args, " \t");
	size_t n = strcspn(args, " \t");

	snprintf(word, size, "%.*s", (int)n, args);
	args += n;
	return args + strspn(args, " \t");
}

bool take_this(const char **args, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*args, word, n) || ((*args)[n] && !isspace((unsigned char)(*args)[n])))
		return false;
	*args += n;
	*args += strspn(*args, " \t");
	return true;
}

bool number_of(struct debugger *d, const char *text, uint64_t *value, struct reply *r)
{
	char err[ERROR_LINE];

	if (!expr_eval(d, text, value, err))
		return true;
	reply_fail(r, "%s", err);
	return false;
}

bool number_or(struct debugger *d, const char *args, uint64_t otherwise, uint64_t *value, struct reply *r)
{
	*value = otherwise;
	return !*args || number_of(d, args, value, r);
}

bool space_of(struct debugger *d, const char *name, uint32_t *cr3, struct reply *r)
{
	struct guest_process p[256];
	size_t n = guest_processes(d, p, 256);
	uint64_t value;
	char err[ERROR_LINE];

	for (size_t i = 0; i < n && i < 256; i++) {
		char id[24];
		snprintf(id, sizeof(id), "%llu", (unsigned long long)p[i].id);
		if (strcmp(p[i].name, name) && strcmp(id, name))
			continue;
		*cr3 = p[i].cr3;
		if (*cr3)
			return true;
		reply_fail(r, "process %s has no address space of its own", name);
		return false;
	}
	if (!expr_eval(d, name, &value, err) && value >= 0x1000 && value <= UINT32_MAX) {
		*cr3 = (uint32_t)value;
		return true;
	}
	reply_fail(r, "'%s' is no process's name or number, and no CR3", name);
	return false;
}

bool files_allowed(struct reply *r)
{
	if (r->no_files)
		reply_fail(r, "scripts may not use files of the host");
	return !r->no_files;
}

void reply_view(struct debugger *d, const char *name, const char *argument, unsigned height, struct reply *r)
{
	const struct view *v = view_find(name);
	struct notebook *nb = d->notes;
	struct view_request rq = { .width = 100, .height = height, .argument = argument && *argument ? argument : NULL,
		.micro = nb && nb->micro.count ? &nb->micro : NULL, .mark = nb ? nb->mark : NULL };

	if (!v) {
		reply_fail(r, "there is no view '%s' here", name);
		return;
	}
	if (r->want_json && v->json) {
		json_t *j = v->json(d, &rq);
		const char *error = json_string_value(json_object_get(j, "error"));
		if (error && json_object_size(j) == 1)
			reply_fail(r, "%s", error);
		else if (r->json)
			json_object_update(r->json, j);
		else
			r->json = json_incref(j);
		json_decref(j);
		return;
	}
	size_t before = r->text.size;
	v->render(d, &rq, &r->text);
	/* See views.h: a view that could not. */
	if (r->text.size > before && r->text.style[before] == STYLE_BAD && memchr(r->text.byte + before, '\n', r->text.size - before) == r->text.byte + r->text.size - 1)
		r->failed = true;
}

void run_lines(struct debugger *d, const char *lines, const char *origin, struct reply *r)
{
	unsigned number = 1;

	for (const char *p = lines; *p && !r->quit; number++) {
		size_t n = strcspn(p, "\n");
		char line[LINE_MOST];
		struct reply one = { .no_files = r->no_files };
		snprintf(line, sizeof(line), "%.*s", (int)(n < sizeof(line) ? n : sizeof(line) - 1), p);
		p += n + (p[n] == '\n');
		command_execute(d, line, &one);
		r->moved |= one.moved;
		r->quit |= one.quit;
		if (one.failed) {
			r->assertion = one.assertion;
			reply_fail(r, "%s, line %u: %s", origin, number, text_plain(&one.text));
			reply_free(&one);
			return;
		}
		for (size_t i = 0; i < one.text.size; ) {          /* runs of one style */
			size_t k = i;
			while (k < one.text.size && one.text.style[k] == one.text.style[i])
				k++;
			text_put(&r->text, one.text.style[i], "%.*s", (int)(k - i), one.text.byte + i);
			i = k;
		}
		reply_free(&one);
	}
}

unsigned target_size(const char *text, const char **address)
{
	static const struct { const char *prefix; unsigned size; } kinds[] = {
		{ "*(u8*)", 1 }, { "*(u16*)", 2 }, { "*(u32*)", 4 }, { "*(u64*)", 8 }, { "byte", 1 }, { "word", 2 }, { "long", 4 }, { "*", 4 },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t n = strlen(kinds[i].prefix);
		if (strncmp(text, kinds[i].prefix, n) || (isalpha((unsigned char)*kinds[i].prefix) && text[n] != '('))
			continue;
		*address = text + n;
		return kinds[i].size;
	}
	return 0;
}
