/* cat [FILE...]: copy the files, or standard input, to standard output; "-" is standard input. */
#include <complain.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static char buf[4096];

static int copy(int fd, const char *name)
{
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		if (write_full(1, buf, n) < 0)
			return complain("write");
	return n < 0 ? complain(name) : 0;
}

int main(int argc, char **argv)
{
	int status = argc < 2 ? copy(0, "standard input") : 0;

	for (int i = 1; i < argc; i++) {
		int fd = strcmp(argv[i], "-") == 0 ? 0 : open(argv[i], O_RDONLY);
		if (fd < 0) {
			status = complain(argv[i]);
			continue;
		}
		status |= copy(fd, argv[i]);
		if (fd > 0)
			close(fd);
	}
	return status;
}
