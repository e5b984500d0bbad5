/* cp FROM TO, cp FROM... DIRECTORY: copy files. */
#include <complain.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char buf[4096];

static int copy(const char *from, const char *to)
{
	struct stat st, other;
	int in = open(from, O_RDONLY), status = 0;
	ssize_t n;

	if (in < 0 || fstat(in, &st) < 0)
		return complain(from);
	if (S_ISDIR(st.st_mode) || (stat(to, &other) == 0 && other.st_ino == st.st_ino && other.st_dev == st.st_dev)) {
		fprintf(stderr, "cp: %s: is %s\n", from, S_ISDIR(st.st_mode) ? "a directory" : "the same file");
		close(in);
		return 1;
	}
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC, st.st_mode & 0777);
	if (out < 0) {
		close(in);
		return complain(to);
	}
	while (!status && (n = read(in, buf, sizeof(buf))) != 0)
		if (n < 0)
			status = complain(from);
		else if (write_full(out, buf, n) < 0)
			status = complain(to);
	close(in);
	if (close(out) < 0)
		status = complain(to);
	return status;
}

int main(int argc, char **argv)
{
	const char *to = argv[argc - 1];
	struct stat st;
	char path[512];
	int status = 0;

	if (argc < 3)
		return complain_usage("cp FROM TO, or cp FROM... DIRECTORY");
	int into = stat(to, &st) == 0 && S_ISDIR(st.st_mode);
	if (argc > 3 && !into)
		return complain_usage("cp FROM... DIRECTORY");
	for (int i = 1; i < argc - 1; i++) {
		const char *base = strrchr(argv[i], '/') ? strrchr(argv[i], '/') + 1 : argv[i];
		snprintf(path, sizeof(path), "%s/%s", to, base);
		status |= copy(argv[i], into ? path : to);
	}
	return status;
}
