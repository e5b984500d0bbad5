/* wc [FILE...]: count lines, words and bytes. */
#include <complain.h>
#include <ctype.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

static char buf[4096];

static int count(int fd, const char *name)
{
	unsigned long lines = 0, words = 0, bytes = 0;
	bool inside = false;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		bytes += n;
		for (ssize_t i = 0; i < n; i++) {
			lines += buf[i] == '\n';
			bool space = isspace((unsigned char)buf[i]);
			words += inside && space;
			inside = !space;
		}
	}
	if (n < 0)
		return complain(name);
	printf("%lu %lu %lu%s%s\n", lines, words + inside, bytes, *name ? " " : "", name);
	return 0;
}

int main(int argc, char **argv)
{
	int status = argc < 2 ? count(0, "") : 0;

	for (int i = 1; i < argc; i++) {
		int fd = open(argv[i], O_RDONLY);
		if (fd < 0) {
			status = complain(argv[i]);
			continue;
		}
		status |= count(fd, argv[i]);
		close(fd);
	}
	return status;
}
