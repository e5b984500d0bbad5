/* ps: every process: number, parent, state, sizes in kB (WS: the estimate of its working set), name. From /proc/PID/status. */
#include <complain.h>
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row { char name[32], state[4]; long ppid, size, resident, swapped, working_set; };

static void parse_line(struct row *r, char *line)
{
	char *value = strchr(line, ':');

	if (!value)
		return;
	*value++ = 0;
	while (isspace((unsigned char)*value))
		value++;
	char *newline = strchr(value, '\n');
	if (newline)
		*newline = 0;
	if (strcmp(line, "Name") == 0)
		strlcpy(r->name, value, sizeof(r->name));
	else if (strcmp(line, "State") == 0)
		strlcpy(r->state, value, 2);
	else if (strcmp(line, "PPid") == 0)
		r->ppid = atoi(value);
	else if (strcmp(line, "VmSize") == 0)
		r->size = atoi(value);
	else if (strcmp(line, "VmRSS") == 0)
		r->resident = atoi(value);
	else if (strcmp(line, "VmSwap") == 0)
		r->swapped = atoi(value);
	else if (strcmp(line, "VmWSet") == 0)
		r->working_set = atoi(value);
}

static void show(int pid)
{
	char path[40], line[128];
	struct row r = {.name = "?", .state = "?"};

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	FILE *f = fopen(path, "r");
	if (!f)                        /* it has ended since the directory was read */
		return;
	while (fgets(line, sizeof(line), f))
		parse_line(&r, line);
	fclose(f);
	printf("%5d %5ld %-2s %8ld %8ld %8ld %8ld %s\n", pid, r.ppid, r.state, r.size, r.resident, r.swapped, r.working_set, r.name);
}

static int by_number(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

int main(void)
{
	static int pids[512];
	size_t n = 0;
	struct dirent *e;
	DIR *d = opendir("/proc");

	if (!d)
		return complain("/proc");
	while ((e = readdir(d)) && n < sizeof(pids) / sizeof(pids[0]))
		if (isdigit((unsigned char)e->d_name[0]))
			pids[n++] = atoi(e->d_name);
	closedir(d);
	qsort(pids, n, sizeof(pids[0]), by_number);
	puts("  PID  PPID ST  SIZE kB   RSS kB  SWAP kB   WS kB NAME");
	for (size_t i = 0; i < n; i++)
		show(pids[i]);
	return 0;
}
