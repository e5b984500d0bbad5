/* libc_test.c: Pagoda's C library, run on this machine where 32-bit programs run. Exit status 0 and no output when all is well. */
#include <ctype.h>
#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int failures;

#define CHECK(e) ((e) ? (void)0 : (failures++, (void)printf("%s:%d: %s\n", __FILE__, __LINE__, #e)))

static void expect_text(int line, const char *got, const char *wanted)
{
	if (strcmp(got, wanted) == 0)
		return;
	printf("line %d: '%s', not '%s'\n", line, got, wanted);
	failures++;
}

#define FORMAT(wanted, ...) (snprintf(text, sizeof(text), __VA_ARGS__), expect_text(__LINE__, text, wanted))

static void test_printf(void)
{
	char text[100], *volatile nothing = NULL;

	FORMAT("0 -1 2147483647 -2147483648", "%d %d %d %d", 0, -1, 2147483647, -2147483647 - 1);
	FORMAT("4294967295 ffffffff FF 17", "%u %x %X %o", 4294967295u, 0xffffffffu, 255, 15);
	FORMAT("18446744073709551615 ffffffffffffffff", "%llu %llx", ~0ull, ~0ull);
	FORMAT("-9223372036854775808", "%lld", -9223372036854775807ll - 1);
	FORMAT("[   42] [42   ] [00042] [+42] [ 42]", "[%5d] [%-5d] [%05d] [%+d] [% d]", 42, 42, 42, 42, 42);
	FORMAT("[-0042] [  007] []", "[%05d] [%5.3d] [%.0d]", -42, 7, 0);
	FORMAT("[  abc] [abc  ] [ab] [(null)]", "[%5s] [%-5s] [%.2s] [%s]", "abc", "abc", "abc", nothing);
	FORMAT("[  x] [x  ] %", "[%3c] [%-3c] %%", 'x', 'x');
	FORMAT("[  12] [0x1234]", "[%*d] [%p]", 4, 12, (void *)0x1234);
	CHECK(snprintf(text, 5, "123456789") == 9);
	expect_text(__LINE__, text, "1234");
	CHECK(snprintf(NULL, 0, "%d", 12345) == 5);
}

static void test_strings(void)
{
	char b[32];

	CHECK(strlen("") == 0 && strlen("abc") == 3 && strnlen("abcdef", 3) == 3);
	CHECK(strcmp("a", "b") < 0 && strcmp("b", "a") > 0 && strcmp("\xff", "a") > 0 && strcmp("a", "a") == 0);
	CHECK(strncmp("abc", "abd", 2) == 0 && strncmp("abc", "abd", 3) < 0);
	CHECK(strlcpy(b, "abcdef", 4) == 6 && strcmp(b, "abc") == 0);
	CHECK(strlcat(b, "xyz", 6) == 6 && strcmp(b, "abcxy") == 0);
	CHECK(strchr("abcb", 'b')[1] == 'c' && strrchr("abcb", 'b')[1] == 0 && !strchr("abc", 'x') && *strchr("a", 0) == 0);
	CHECK(strcmp(strstr("one two", "tw"), "two") == 0 && !strstr("one", "two"));
	memcpy(b, "0123456789", 11);
	memmove(b + 2, b, 8);
	CHECK(strcmp(b, "0101234567") == 0);
	memmove(b, b + 2, 8);
	CHECK(memcmp(b, "01234567", 8) == 0);
	for (size_t n = 0; n < 20; n++) {
		memset(b, '.', sizeof(b));
		memset(b + 1, 'x', n);
		CHECK(b[0] == '.' && b[n + 1] == '.' && (n == 0 || (b[1] == 'x' && b[n] == 'x')));
	}
	CHECK(memchr("abc", 'c', 2) == NULL && memchr("abc", 'c', 3) != NULL);
}

static void test_numbers(void)
{
	char *end;

	CHECK(strtol("  -42x", &end, 10) == -42 && *end == 'x');
	CHECK(strtol("0x1F", NULL, 0) == 31 && strtol("017", NULL, 0) == 15 && strtol("1f", NULL, 16) == 31);
	CHECK(strtoul("4294967295", NULL, 10) == 4294967295u);
	CHECK(strtol("x", &end, 10) == 0 && *end == 'x');
	CHECK(strtol("0xg", &end, 16) == 0 && *end == 'x');
}

static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

static void test_sort(void)
{
	int a[500];
	unsigned seed = 1;

	for (int n = 0; n < 500; n += 7) {
		for (int i = 0; i < n; i++)
			a[i] = (seed = seed * 1103515245 + 12345) >> 16 & 0xff;
		qsort(a, n, sizeof(a[0]), compare);
		for (int i = 1; i < n; i++)
			CHECK(a[i - 1] <= a[i]);
	}
}

static void test_malloc(void)
{
	static char *p[64];
	static size_t size[64];
	unsigned seed = 7;

	for (int round = 0; round < 20000; round++) {
		unsigned i = (seed = seed * 1103515245 + 12345) >> 16 & 63;
		for (size_t k = 0; p[i] && k < size[i]; k++)
			if (p[i][k] != (char)i) {
				CHECK(!"a block was overwritten");
				return;
			}
		free(p[i]);
		size[i] = (seed = seed * 1103515245 + 12345) >> 16 & 2047;
		p[i] = malloc(size[i]);
		CHECK(p[i] && (size_t)p[i] % 16 == 0);
		memset(p[i], i, size[i]);
	}
	CHECK(!malloc(0x7fffffff) && errno == ENOMEM);
}

static void test_environment(void)
{
	CHECK(setenv("PAGODA_TEST", "one", 1) == 0 && strcmp(getenv("PAGODA_TEST"), "one") == 0);
	CHECK(setenv("PAGODA_TEST", "two", 0) == 0 && strcmp(getenv("PAGODA_TEST"), "one") == 0);
	CHECK(setenv("PAGODA_TEST", "two", 1) == 0 && strcmp(getenv("PAGODA_TEST"), "two") == 0);
	unsetenv("PAGODA_TEST");
	CHECK(!getenv("PAGODA_TEST"));
}

static void test_jumps(void)
{
	jmp_buf env;
	volatile int passes = 0;
	int value = setjmp(env);

	passes++;
	if (value < 3)
		longjmp(env, value + 1);
	CHECK(value == 3 && passes == 4);
}

static void test_processes(void)
{
	int fd[2], status;
	char text[20] = {0};

	CHECK(pipe(fd) == 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(fd[1], 1);
		puts("from the child");
		exit(9);
	}
	close(fd[1]);
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 9);
	CHECK(read_full(fd[0], text, sizeof(text)) == 15 && strcmp(text, "from the child\n") == 0);
	CHECK(read(99, text, 1) == -1 && errno == EBADF);
	CHECK(strcmp(strerror(ENOENT), "no such file or directory") == 0);
}

int main(void)
{
	test_printf();
	test_strings();
	test_numbers();
	test_sort();
	test_malloc();
	test_environment();
	test_jumps();
	test_processes();
	return failures != 0;
}
