/* lib/exec.c: execvp. */
#include <unistd.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int execvp(const char *file, char *const argv[])
{
	const char *dir = getenv("PATH");
	char path[256];
	int seen = ENOENT;

	if (strchr(file, '/'))
		return execve(file, argv, environ);
	for (dir = dir ? dir : "/bin"; dir; dir = strchr(dir, ':') ? strchr(dir, ':') + 1 : NULL) {
		int len = strchr(dir, ':') ? strchr(dir, ':') - dir : (int)strlen(dir);
		if (snprintf(path, sizeof(path), "%.*s/%s", len, dir, file) >= (int)sizeof(path))
			continue;
		execve(path, argv, environ);
		if (errno != ENOENT && errno != ENOTDIR)
			seen = errno;
	}
	errno = seen;
	return -1;
}
