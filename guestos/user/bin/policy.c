/* policy, policy NAME: which replacement policy is in force, what each has done; or put another in force. From /proc/policy. */
#include <complain.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <vm.h>

static int show(void)
{
	char line[128];
	FILE *f = fopen("/proc/policy", "r");

	if (!f)
		return complain("/proc/policy");
	while (fgets(line, sizeof(line), f))
		fputs(line, stdout);
	fclose(f);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 2)
		return complain_usage("policy [fifo | clock | second-chance | aging | random[:SEED] | wsclock]");
	if (argc < 2)
		return show();
	return vm_switch("/proc/policy", argv[1]) < 0 ? complain(argv[1]) : 0;
}
