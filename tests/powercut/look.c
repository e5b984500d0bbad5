/* tests/powercut/look.c: in the guest, in place of init: says what is in /w, a line for each file and directory, and switches off.
 *
 * Each file is then made longer, and what appears must be zeroes: bytes that an append left on the disk without committing must not. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ops.h"

static unsigned char bytes[4096];

static int stale(const char *path, long size)
{
	int fd = open(path, O_RDWR), found = 0;
	ssize_t n = 0;

	if (fd < 0 || ftruncate(fd, size + 4096) < 0 || lseek(fd, size, SEEK_SET) < 0 || (n = read(fd, bytes, 4096)) != 4096)
		found = 1;
	for (ssize_t i = 0; i < n; i++)
		found |= bytes[i];
	if (ftruncate(fd, size) < 0)
		found = 1;
	close(fd);
	return found;
}

static void look(const char *path)
{
	char below[128];
	struct stat st;
	struct dirent *e;
	unsigned sum = SUM_START;
	ssize_t n;

	if (stat(path, &st) < 0)
		return;
	if (S_ISDIR(st.st_mode)) {
		DIR *d = opendir(path);
		printf("D %s\n", path);
		while (d && (e = readdir(d))) {
			if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
				continue;
			snprintf(below, sizeof(below), "%s/%s", path, e->d_name);
			look(below);
		}
		closedir(d);
		return;
	}
	int fd = open(path, O_RDONLY);
	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		for (ssize_t i = 0; i < n; i++)
			sum = sum_step(sum, bytes[i]);
	close(fd);
	if (stale(path, st.st_size))
		printf("S %s shows what was never written to it\n", path);
	printf("F %s %ld %x\n", path, (long)st.st_size, sum);
}

int main(void)
{
	puts("begin");
	look("/w");
	puts("end");
	fflush(stdout);
	poweroff();
	return 1;
}
