/* frames: what physical memory is used for, and a histogram of how many page tables share a frame.
 * From /proc/frames and /proc/kpagecount. */
#include <complain.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define MOST 8

int main(void)
{
	char line[256];
	static uint64_t counts[512];
	unsigned long histogram[MOST + 1] = {0};
	ssize_t n;
	FILE *f = fopen("/proc/frames", "r");

	if (!f)
		return complain("/proc/frames");
	while (fgets(line, sizeof(line), f))
		fputs(line, stdout);
	fclose(f);
	int fd = open("/proc/kpagecount", O_RDONLY);
	if (fd < 0)
		return complain("/proc/kpagecount");
	while ((n = read(fd, counts, sizeof(counts))) > 0)
		for (size_t i = 0; i < n / sizeof(counts[0]); i++)
			histogram[counts[i] < MOST ? counts[i] : MOST]++;
	close(fd);
	for (int i = 1; i <= MOST; i++)
		if (histogram[i])
			printf("mapped %d%s time%s: %lu frames\n", i, i == MOST ? " or more" : "", i == 1 ? "" : "s", histogram[i]);
	return 0;
}
