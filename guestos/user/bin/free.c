/* free: physical memory and swap, in kB, in use and free. From /proc/meminfo. */
#include <complain.h>
#include <stdio.h>
#include <vm.h>

int main(void)
{
	long total = vm_meminfo_kb("MemTotal"), left = vm_meminfo_kb("MemFree");
	long swap = vm_meminfo_kb("SwapTotal"), swap_left = vm_meminfo_kb("SwapFree");

	if (total < 0 || left < 0)
		return complain("/proc/meminfo");
	printf("%-8s %10s %10s %10s\n", "", "total kB", "used kB", "free kB");
	printf("%-8s %10ld %10ld %10ld\n", "memory", total, total - left, left);
	if (swap >= 0)
		printf("%-8s %10ld %10ld %10ld\n", "swap", swap, swap - swap_left, swap_left);
	return 0;
}
