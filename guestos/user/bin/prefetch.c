/* prefetch, prefetch on|off: whether pages are brought in before they are asked for, and what that was good for. From /proc/prefetch. */
#include <complain.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <vm.h>

static int show(void)
{
	char line[128];
	FILE *f = fopen("/proc/prefetch", "r");

	if (!f)
		return complain("/proc/prefetch");
	while (fgets(line, sizeof(line), f))
		fputs(line, stdout);
	fclose(f);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 2)
		return complain_usage("prefetch [on | off]");
	if (argc < 2)
		return show();
	return vm_switch("/proc/prefetch", argv[1]) < 0 ? complain(argv[1]) : 0;
}
