/* emu/monitor/history_file.c: see history_file.h. */
#include "emu/monitor/history_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool history_file(char *path, size_t size)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int n;

	*path = 0;
	if (state && *state == '/')
		n = snprintf(path, size, "%s/emu/history", state);
	else if (home && *home == '/')
		n = snprintf(path, size, "%s/.local/state/emu/history", home);
	else
		return false;
	if (n < 0 || (size_t)n >= size) {
		*path = 0;
		return false;
	}
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		mkdir(path, 0700);
		*slash = '/';
	}
	return true;
}
