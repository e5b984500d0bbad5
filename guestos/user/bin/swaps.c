/* swaps: the swap partition and how full it is. From /proc/swaps. */
#include <complain.h>
#include <stdio.h>

int main(void)
{
	char line[256];
	FILE *f = fopen("/proc/swaps", "r");

	if (!f)
		return complain("/proc/swaps");
	while (fgets(line, sizeof(line), f))
		fputs(line, stdout);
	fclose(f);
	return 0;
}
