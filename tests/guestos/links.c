/* links.c: a program for links_test.sh, on a disk where /file and the directory /full have as many links as can be counted. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static bool failed;

static void expect(const char *what, int got, int error)
{
	bool ok = error ? got == -1 && errno == error : got == 0;

	printf("%s: %s\n", what, ok ? "right" : "WRONG");
	failed |= !ok;
}

static void expect_links(const char *path, unsigned links)
{
	struct stat st;

	expect(path, stat(path, &st) < 0 || st.st_nlink != links, 0);
}

int main(void)
{
	expect_links("/file", 65535);
	expect_links("/full", 65535);
	expect("link", link("/file", "/again"), EMLINK);
	expect("mkdir", mkdir("/full/new", 0755), EMLINK);
	expect("rename into it", rename("/other", "/full/other"), EMLINK);
	expect("rename within it", rename("/full/a", "/full/c"), 0);
	expect("rename over a directory in it", rename("/full/c", "/full/b"), 0);      /* it has one less now */
	expect_links("/full", 65534);
	expect("rename into it, once", rename("/other", "/full/a"), 0);
	expect("and again", rename("/third", "/full/third"), EMLINK);
	expect("a file is no link to it", close(open("/full/file", O_RDWR | O_CREAT, 0644)), 0);
	expect_links("/file", 65535);
	expect_links("/full", 65535);
	return failed;
}
