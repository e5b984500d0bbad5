/* sync: write everything that is only in memory to the disk. */
#include <unistd.h>

int main(void)
{
	sync();
	return 0;
}
