/* pagemap [PID]: for every page of every region, where it is now: frame and how many share it, swap slot, or nowhere yet.
 * Runs of pages that are not there are one line. From /proc/PID/maps, /proc/PID/pagemap and /proc/kpagecount. */
#include <complain.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vm.h>

static void show_absent(unsigned long first, unsigned long end)
{
	if (first < end)
		printf("  %08lx-%08lx  not present (%lu page%s)\n", first, end, (end - first) / PAGE_SIZE,
			end - first == PAGE_SIZE ? "" : "s");
}

static void show_region(pid_t pid, unsigned long start, unsigned long end)
{
	unsigned long absent_from = start;
	struct page_info p;

	for (unsigned long a = start; a < end; a += PAGE_SIZE) {
		if (vm_page_of(pid, (void *)a, &p) < 0 || (!p.present && !p.swapped))
			continue;
		show_absent(absent_from, a);
		absent_from = a + PAGE_SIZE;
		if (p.present)
			printf("  %08lx  frame %5u  mapped %ldx\n", a, (unsigned)p.frame, vm_frame_refs(p.frame));
		else
			printf("  %08lx  swap slot %u\n", a, (unsigned)p.slot);
	}
	show_absent(absent_from, end);
}

int main(int argc, char **argv)
{
	char path[40], line[256], *rest;

	snprintf(path, sizeof(path), "/proc/%s/maps", argc > 1 ? argv[1] : "self");
	FILE *f = fopen(path, "r");
	if (!f)
		return complain(path);
	while (fgets(line, sizeof(line), f)) {
		unsigned long start = strtoul(line, &rest, 16);
		unsigned long end = *rest == '-' ? strtoul(rest + 1, &rest, 16) : 0;
		fputs(line, stdout);
		show_region(argc > 1 ? atoi(argv[1]) : 0, start, end);
	}
	fclose(f);
	return 0;
}
