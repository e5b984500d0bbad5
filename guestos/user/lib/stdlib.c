/* lib/stdlib.c: program start and end, environment, numbers, sorting. */
#include <stdlib.h>

#include <assert.h>
#include <complain.h>
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

char **environ;
const char *program_name = "?";

int main(int argc, char **argv, char **envp);
_Noreturn void libc_start(int argc, char **argv, char **envp);

_Noreturn void libc_start(int argc, char **argv, char **envp)
{
	environ = envp;
	if (argc > 0)
		program_name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
	exit(main(argc, argv, envp));
}

_Noreturn void exit(int status)
{
	fflush(stdout);
	_exit(status);
}

_Noreturn void abort(void)
{
	fflush(stdout);
	kill(getpid(), SIGABRT);
	_exit(127);
}

_Noreturn void assert_failed(const char *expression, const char *file, int line)
{
	fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expression);
	abort();
}

int complain(const char *what)
{
	int error = errno;

	fflush(stdout);
	fprintf(stderr, "%s: %s: %s\n", program_name, what, strerror(error));
	return 1;
}

int complain_usage(const char *form)
{
	fprintf(stderr, "usage: %s\n", form);
	return 2;
}

/* Numbers */

static int digit_value(int c)
{
	return isdigit(c) ? c - '0' : isalpha(c) ? tolower(c) - 'a' + 10 : 99;
}

unsigned long strtoul(const char *s, char **end, int base)
{
	const char *p = s;
	bool negative = false, any = false;
	unsigned long value = 0;

	while (isspace((unsigned char)*p))
		p++;
	if (*p == '-' || *p == '+')
		negative = *p++ == '-';
	if ((base == 0 || base == 16) && p[0] == '0' && tolower(p[1]) == 'x' && digit_value((unsigned char)p[2]) < 16) {
		p += 2;
		base = 16;
	}
	if (base == 0)
		base = *p == '0' ? 8 : 10;
	for (; digit_value((unsigned char)*p) < base; p++, any = true)
		value = value * base + digit_value((unsigned char)*p);
	if (end)
		*end = (char *)(any ? p : s);
	return negative ? -value : value;
}

long strtol(const char *s, char **end, int base) { return (long)strtoul(s, end, base); }
int atoi(const char *s) { return (int)strtol(s, NULL, 10); }

/* Environment: a NULL-terminated array of "NAME=value". */

static char **env_find(const char *name, size_t len)
{
	for (char **e = environ; e && *e; e++)
		if (strncmp(*e, name, len) == 0 && (*e)[len] == '=')
			return e;
	return NULL;
}

char *getenv(const char *name)
{
	size_t len = strlen(name);
	char **e = env_find(name, len);
	return e ? *e + len + 1 : NULL;
}

int setenv(const char *name, const char *value, int overwrite)
{
	size_t len = strlen(name), size = len + strlen(value) + 2, count = 0;
	char **e = env_find(name, len);
	char *entry;

	if (e && !overwrite)
		return 0;
	if (!(entry = malloc(size)))
		return -1;
	snprintf(entry, size, "%s=%s", name, value);
	if (e) {                       /* Simplified: the old string is not freed; it may be on the first stack page */
		*e = entry;
		return 0;
	}
	while (environ && environ[count])
		count++;
	char **grown = malloc((count + 2) * sizeof(*grown));
	if (!grown)
		return -1;
	memcpy(grown, environ, count * sizeof(*grown));
	grown[count] = entry;
	grown[count + 1] = NULL;
	environ = grown;
	return 0;
}

int unsetenv(const char *name)
{
	char **e = env_find(name, strlen(name));

	for (; e && *e; e++)
		e[0] = e[1];
	return 0;
}

/* Sorting: heap sort, since it needs neither memory nor recursion. */

struct sort {
	char *base;
	size_t size;
	int (*compare)(const void *, const void *);
};

static void sort_swap(const struct sort *s, size_t a, size_t b)
{
	char *p = s->base + a * s->size, *q = s->base + b * s->size;

	for (size_t i = 0; i < s->size; i++) {
		char t = p[i];
		p[i] = q[i];
		q[i] = t;
	}
}

static void sort_sift(const struct sort *s, size_t root, size_t n)
{
	for (size_t child; (child = 2 * root + 1) < n; root = child) {
		if (child + 1 < n && s->compare(s->base + child * s->size, s->base + (child + 1) * s->size) < 0)
			child++;
		if (s->compare(s->base + root * s->size, s->base + child * s->size) >= 0)
			return;
		sort_swap(s, root, child);
	}
}

void qsort(void *base, size_t n, size_t size, int (*compare)(const void *, const void *))
{
	struct sort s = {base, size, compare};

	for (size_t i = n / 2; i-- > 0;)
		sort_sift(&s, i, n);
	for (size_t i = n; i-- > 1;) {
		sort_swap(&s, 0, i);
		sort_sift(&s, 0, i);
	}
}
