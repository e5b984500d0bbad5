/* sleep SECONDS: wait. */
#include <complain.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char *end;

	if (argc != 2)
		return complain_usage("sleep SECONDS");
	unsigned long seconds = strtoul(argv[1], &end, 10);
	if (*end || end == argv[1])
		return complain_usage("sleep SECONDS");
	return sleep(seconds) ? complain("sleep") : 0;
}
