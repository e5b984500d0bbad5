/* grep [-v] [-c] [-q] PATTERN [FILE...]: print lines with a match; -v without one; -c only how many; -q only the status.
 * In a pattern  .  is any character,  X*  any number of X,  ^  and  $  the ends of the line,  \X  X itself. */
#include <complain.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool invert, count_only, quiet;

static bool match_here(const char *p, const char *s);

/* One pattern element at p, which is len characters long, repeated as often as possible or less. */
static bool match_star(const char *p, int len, const char *s)
{
	const char *t = s;

	while (*t && (p[0] == '.' || *t == p[len - 1]))
		t++;
	for (; t >= s; t--)
		if (match_here(p + len + 1, t))
			return true;
	return false;
}

static bool match_here(const char *p, const char *s)
{
	if (!*p)
		return true;
	if (p[0] == '$' && !p[1])
		return !*s;
	int len = p[0] == '\\' && p[1] ? 2 : 1;
	if (p[len] == '*')
		return match_star(p, len, s);
	if (*s && ((p[0] == '.' && len == 1) || *s == p[len - 1]))
		return match_here(p + len, s + 1);
	return false;
}

static bool match(const char *p, const char *s)
{
	if (*p == '^')
		return match_here(p + 1, s);
	do {
		if (match_here(p, s))
			return true;
	} while (*s++);
	return false;
}

static long grep(FILE *f, const char *pattern, const char *name)
{
	char *line = NULL;
	size_t size = 0;
	long found = 0, n;

	while ((n = getline(&line, &size, f)) > 0) {
		if (line[n - 1] == '\n')
			line[n - 1] = 0;
		if (match(pattern, line) == invert)
			continue;
		found++;
		if (!count_only && !quiet)
			printf("%s%s%s\n", name, *name ? ":" : "", line);
	}
	if (count_only && !quiet)
		printf("%s%s%ld\n", name, *name ? ":" : "", found);
	free(line);
	return found;
}

int main(int argc, char **argv)
{
	long found = 0;
	int i = 1, status = 0;

	for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++)
		for (const char *o = argv[i] + 1; *o; o++) {
			invert |= *o == 'v';
			count_only |= *o == 'c';
			quiet |= *o == 'q';
			if (!strchr("vcq", *o))
				return complain_usage("grep [-v] [-c] [-q] PATTERN [FILE...]");
		}
	if (i == argc)
		return complain_usage("grep [-v] [-c] [-q] PATTERN [FILE...]");
	const char *pattern = argv[i++];
	if (i == argc)
		found = grep(stdin, pattern, "");
	for (int first = i; i < argc; i++) {
		FILE *f = fopen(argv[i], "r");
		if (!f) {
			complain(argv[i]);
			status = 2;
			continue;
		}
		found += grep(f, pattern, argc - first > 1 ? argv[i] : "");
		fclose(f);
	}
	return status ? status : !found;
}
