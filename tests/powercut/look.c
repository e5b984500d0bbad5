/* tests/powercut/look.c: in the guest, in place of init: says what is in /w, a line for each file and directory, and switches off. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ops.h"

static unsigned char bytes[4096];

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
