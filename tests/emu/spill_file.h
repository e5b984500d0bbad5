/* tests/emu/spill_file.h: history's file without a name, to be damaged. */
#ifndef TESTS_SPILL_FILE_H
#define TESTS_SPILL_FILE_H

#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Its descriptor in this process; -1: there is none. */
static inline int spill_file(void)
{
	DIR *d = opendir("/proc/self/fd");
	int found = -1;

	for (struct dirent *e; d && found < 0 && (e = readdir(d)); ) {
		char path[PATH_MAX] = "", link[300];
		snprintf(link, sizeof(link), "/proc/self/fd/%s", e->d_name);
		if (readlink(link, path, sizeof(path) - 1) > 0 && strstr(path, "/emu-history-"))
			found = atoi(e->d_name);
	}
	if (d)
		closedir(d);
	return found;
}

/* Files of this process do not grow beyond that many bytes. */
static inline void files_most(rlim_t bytes)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = bytes;
	setrlimit(RLIMIT_FSIZE, &limit);
}

#endif
