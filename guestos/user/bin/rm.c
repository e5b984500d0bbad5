/* rm [-r] [-f] PATH...: remove files; -r directories with all that is in them; -f without complaint if absent. */
#include <complain.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool recursive, force;

static int remove_path(const char *path);

/* The directory is opened again after each removal: its entries may have moved. */
static int remove_contents(const char *path)
{
	char inner[512];

	for (;;) {
		DIR *d = opendir(path);
		struct dirent *e;
		if (!d)
			return complain(path);
		while ((e = readdir(d)) && (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0))
			;
		if (e)
			snprintf(inner, sizeof(inner), "%s/%s", path, e->d_name);
		closedir(d);
		if (!e)
			return 0;
		if (remove_path(inner))
			return 1;
	}
}

static int remove_path(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return force && errno == ENOENT ? 0 : complain(path);
	if (!S_ISDIR(st.st_mode))
		return unlink(path) < 0 ? complain(path) : 0;
	if (!recursive) {
		errno = EISDIR;
		return complain(path);
	}
	if (remove_contents(path))
		return 1;
	return rmdir(path) < 0 ? complain(path) : 0;
}

int main(int argc, char **argv)
{
	int first = 1, status = 0;

	for (; first < argc && argv[first][0] == '-' && argv[first][1]; first++)
		for (const char *o = argv[first] + 1; *o; o++) {
			if (*o == 'r')
				recursive = true;
			else if (*o == 'f')
				force = true;
			else
				return complain_usage("rm [-r] [-f] PATH...");
		}
	if (first == argc && !force)
		return complain_usage("rm [-r] [-f] PATH...");
	for (int i = first; i < argc; i++)
		status |= remove_path(argv[i]);
	return status;
}
