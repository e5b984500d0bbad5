/* maps [PID]: the regions of an address space: range, rights, offset, file. Without PID its own. From /proc/PID/maps. */
#include <complain.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	char path[40], line[256];

	snprintf(path, sizeof(path), "/proc/%s/maps", argc > 1 ? argv[1] : "self");
	FILE *f = fopen(path, "r");
	if (!f)
		return complain(path);
	while (fgets(line, sizeof(line), f))
		fputs(line, stdout);
	fclose(f);
	return 0;
}
