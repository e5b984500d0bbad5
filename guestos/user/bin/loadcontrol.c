/* loadcontrol, loadcontrol on|off: whether processes are suspended when memory cannot hold all working sets. From /proc/loadcontrol. */
#include <complain.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <vm.h>

static int show(void)
{
	char line[128];
	FILE *f = fopen("/proc/loadcontrol", "r");

	if (!f)
		return complain("/proc/loadcontrol");
	while (fgets(line, sizeof(line), f))
		fputs(line, stdout);
	fclose(f);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 2)
		return complain_usage("loadcontrol [on | off]");
	if (argc < 2)
		return show();
	return vm_switch("/proc/loadcontrol", argv[1]) < 0 ? complain(argv[1]) : 0;
}
