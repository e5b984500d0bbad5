/* vmstat, vmstat INTERVAL [COUNT]: what paging has done.
 * Without arguments every counter since boot; with them one line each INTERVAL seconds: what is free now, and how much each
 * counter rose since the line before (the first line: since boot). From /proc/vmstat. */
#include <complain.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <vm.h>

static const struct column { const char *heading, *counter; int is_level; } columns[] = {
	{"free", "nr_free_frames", 1}, {"swapped", "swap_used", 1}, {"faults", "pgfault", 0}, {"major", "pgmajfault", 0},
	{"zeroed", "zero_fills", 0}, {"cow", "cow_copies", 0}, {"evicted", "evictions", 0}, {"swapin", "swap_ins", 0},
	{"swapout", "swap_outs", 0}, {"switches", "ctxt", 0}};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static int all_counters(void)
{
	char line[128];
	FILE *f = fopen("/proc/vmstat", "r");

	if (!f)
		return complain("/proc/vmstat");
	while (fgets(line, sizeof(line), f)) {
		char *value = line;
		while (*value && *value != ' ')
			value++;
		printf("%-20.*s %10ld\n", (int)(value - line), line, strtol(value, NULL, 10));
	}
	fclose(f);
	return 0;
}

int main(int argc, char **argv)
{
	long before[COLUMNS] = {0};

	if (argc < 2)
		return all_counters();
	long interval = atoi(argv[1]), count = argc > 2 ? atoi(argv[2]) : -1;
	if (interval <= 0)
		return complain_usage("vmstat [INTERVAL [COUNT]]");
	for (long line = 0; count < 0 || line < count; line++) {
		if (line % 20 == 0) {
			for (size_t i = 0; i < COLUMNS; i++)
				printf("%9s", columns[i].heading);
			putchar('\n');
		}
		for (size_t i = 0; i < COLUMNS; i++) {
			long now = vm_counter(columns[i].counter);
			printf("%9ld", columns[i].is_level ? now : now - before[i]);
			before[i] = now;
		}
		putchar('\n');
		fflush(stdout);
		if (line + 1 != count)
			sleep(interval);
	}
	return 0;
}
