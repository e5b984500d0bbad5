/* test EXPRESSION, [ EXPRESSION ]: status 0 if true, 1 if false, 2 if it makes no sense.
 *   STRING  -n STRING  -z STRING  A = B  A != B  A -eq -ne -lt -le -gt -ge B  -e -f -d -s -r -w -x PATH  ! EXPRESSION */
#include <complain.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int about_file(char what, const char *path)
{
	struct stat st;

	if (strchr("rwx", what))
		return access(path, what == 'r' ? R_OK : what == 'w' ? W_OK : X_OK) != 0;
	if (stat(path, &st) < 0)
		return 1;
	switch (what) {
	case 'f': return !S_ISREG(st.st_mode);
	case 'd': return !S_ISDIR(st.st_mode);
	case 's': return st.st_size == 0;
	}
	return 0;
}

static int compare(const char *a, const char *op, const char *b)
{
	static const char *const ops[] = {"-eq", "-ne", "-lt", "-le", "-gt", "-ge"};
	long x = atoi(a), y = atoi(b);
	int truth[] = {x == y, x != y, x < y, x <= y, x > y, x >= y};

	if (strcmp(op, "=") == 0)
		return strcmp(a, b) != 0;
	if (strcmp(op, "!=") == 0)
		return strcmp(a, b) == 0;
	for (int i = 0; i < 6; i++)
		if (strcmp(op, ops[i]) == 0)
			return !truth[i];
	return 2;
}

static int evaluate(int n, char **word)
{
	if (n > 1 && strcmp(word[0], "!") == 0) {
		int status = evaluate(n - 1, word + 1);
		return status > 1 ? status : !status;
	}
	if (n == 0)
		return 1;
	if (n == 1)
		return !*word[0];
	if (n == 3)
		return compare(word[0], word[1], word[2]);
	if (n != 2 || word[0][0] != '-' || !word[0][1] || word[0][2])
		return 2;
	if (word[0][1] == 'n' || word[0][1] == 'z')
		return (*word[1] == 0) == (word[0][1] == 'n');
	return strchr("efdsrwx", word[0][1]) ? about_file(word[0][1], word[1]) : 2;
}

int main(int argc, char **argv)
{
	if (strcmp(program_name, "[") == 0) {
		if (strcmp(argv[argc - 1], "]") != 0)
			return complain_usage("[ EXPRESSION ]");
		argc--;
	}
	int status = evaluate(argc - 1, argv + 1);
	if (status == 2)
		fprintf(stderr, "%s: expression not understood\n", program_name);
	return status;
}
