/* emu/options.c: parsing from a table and printing it; nothing here knows a particular option. */
#include "emu/options.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "emu/loader.h"

/* --- values ------------------------------------------------------------------------------------------------------- */

bool parse_count(const char *s, uint64_t *value)
{
	char *end;

	if (!isdigit((unsigned char)*s))
		return false;
	errno = 0;
	*value = strtoull(s, &end, s[0] == '0' && (s[1] == 'x' || s[1] == 'X') ? 16 : 10);
	return !*end && !errno;
}

bool parse_size(const char *s, uint64_t *bytes)
{
	char *end;
	unsigned shift = 20;

	if (!isdigit((unsigned char)*s))
		return false;
	errno = 0;
	unsigned long long n = strtoull(s, &end, 10);
	if (errno)
		return false;
	if (*end) {
		switch (toupper((unsigned char)*end++)) {
		case 'K': shift = 10; break;
		case 'M': shift = 20; break;
		case 'G': shift = 30; break;
		default: return false;
		}
		if (*end == 'B' || *end == 'b')
			end++;
	}
	if (*end || n > UINT64_MAX >> shift)
		return false;
	*bytes = (uint64_t)n << shift;
	return true;
}

/* --- names -------------------------------------------------------------------------------------------------------- */

#define LONGEST_NAME 63

/* Edit distance: insertions, deletions, replacements, and swaps of two neighbours. */
static unsigned distance(const char *a, const char *b)
{
	size_t m = strlen(a), n = strlen(b);
	unsigned d[LONGEST_NAME + 1][LONGEST_NAME + 1];

	if (m > LONGEST_NAME || n > LONGEST_NAME)
		return LONGEST_NAME;
	for (size_t i = 0; i <= m; i++)
		for (size_t j = 0; j <= n; j++) {
			if (!i || !j) {
				d[i][j] = (unsigned)(i + j);
				continue;
			}
			unsigned best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			if (d[i - 1][j] + 1 < best)
				best = d[i - 1][j] + 1;
			if (d[i][j - 1] + 1 < best)
				best = d[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	return d[m][n];
}

const char *nearest_name(const char *word, const char *const *candidates, size_t count)
{
	const char *best = NULL;
	unsigned best_distance = (unsigned)strlen(word) / 2 + 1;

	for (size_t i = 0; i < count; i++) {
		unsigned d = distance(word, candidates[i]);
		/* A word cut short is near, however much is missing: --mem, --max. */
		if (strlen(word) >= 4 && !strncmp(word, candidates[i], strlen(word)))
			d = 1;
		if (d < best_distance) {
			best_distance = d;
			best = candidates[i];
		}
	}
	return best;
}

/* --- the parser --------------------------------------------------------------------------------------------------- */

/* One dash does as well as two: -kernel, -initrd and -append are how other emulators spell them. */
static const struct option_row *find_in(const struct option_row *table, const char *arg, size_t len)
{
	for (const struct option_row *r = table; r && r->name; r++) {
		const char *name = arg[1] == '-' || r->name[1] != '-' ? r->name : r->name + 1;
		if (strlen(name) == len && !memcmp(name, arg, len))
			return r;
	}
	return NULL;
}

static const struct option_row *find_row(const struct option_set *set, const char *arg, size_t len)
{
	const struct option_row *r = find_in(set->rows, arg, len);

	return r ? r : find_in(set->more, arg, len);
}

static int unknown_option(const struct option_set *set, const char *arg, size_t len, char *err)
{
	const struct option_row *const tables[] = { set->rows, set->more };
	const char *names[96] = { "--help" };
	char word[LONGEST_NAME + 1];
	size_t count = 1;

	for (unsigned i = 0; i < 2; i++)
		for (const struct option_row *r = tables[i]; r && r->name && count < 96; r++)
			names[count++] = r->name;
	snprintf(word, sizeof(word), "%.*s", (int)(len < LONGEST_NAME ? len : LONGEST_NAME), arg);
	const char *near = nearest_name(word, names, count);
	if (near)
		snprintf(err, ERROR_LINE, "unknown option '%s'; did you mean '%s'?", word, near);
	else
		snprintf(err, ERROR_LINE, "unknown option '%s'; see --help", word);
	return OPTIONS_ERROR;
}

int options_parse(const struct option_set *set, int argc, char **argv, void *target, char *err)
{
	bool ended = false;

	for (int i = 0; i < argc; i++) {
		const char *arg = argv[i];
		if (ended || arg[0] != '-' || !arg[1]) {
			if (set->operand(target, arg, err))
				return OPTIONS_ERROR;
			continue;
		}
		if (!strcmp(arg, "--")) {
			ended = true;
			continue;
		}
		if (!strcmp(arg, "--help") || !strcmp(arg, "-h"))
			return OPTIONS_HELP;
		if (!strncmp(arg, "--help=", 7)) {
			snprintf(err, ERROR_LINE, "--help takes no value");
			return OPTIONS_ERROR;
		}
		const char *equals = strchr(arg, '=');
		size_t len = equals ? (size_t)(equals - arg) : strlen(arg);
		const struct option_row *row = find_row(set, arg, len);
		if (!row)
			return unknown_option(set, arg, len, err);
		const char *value = equals ? equals + 1 : NULL;
		if (!row->form && value) {
			snprintf(err, ERROR_LINE, "%s takes no value", row->name);
			return OPTIONS_ERROR;
		}
		if (row->form && !value) {
			if (i + 1 == argc) {
				snprintf(err, ERROR_LINE, "%s needs a value: %s %s", row->name, row->name, row->form);
				return OPTIONS_ERROR;
			}
			value = argv[++i];
		}
		if (row->handle(target, value, err))
			return OPTIONS_ERROR;
	}
	return OPTIONS_OK;
}

/* Prints text with each line after the first indented. */
static void print_indented(FILE *out, const char *text, unsigned indent)
{
	for (; *text; text++) {
		fputc(*text, out);
		if (*text == '\n')
			fprintf(out, "%*s", (int)indent, "");
	}
	fputc('\n', out);
}

static void print_rows(const struct option_row *table, FILE *out)
{
	for (const struct option_row *r = table; r && r->name; r++) {
		int n = fprintf(out, "  %s%s%s", r->name, r->form ? " " : "", r->form ? r->form : "");
		if (n > 27)
			fprintf(out, "\n%*s", 28, "");
		else
			fprintf(out, "%*s", 28 - n, "");
		print_indented(out, r->help, 28);
	}
}

void options_help(const struct option_set *set, FILE *out)
{
	fprintf(out, "%s\nusage: %s\n\n", set->examples, set->usage);
	print_rows(set->rows, out);
	if (set->more)
		fputs("\n", out);
	print_rows(set->more, out);
	fprintf(out, "  --help                    this text\n");
	if (set->notes)
		fprintf(out, "\n%s", set->notes);
}
