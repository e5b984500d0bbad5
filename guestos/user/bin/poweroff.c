/* poweroff: write everything to the disk and switch the machine off. */
#include <complain.h>
#include <unistd.h>

int main(void)
{
	sync();
	poweroff();
	return complain("poweroff");
}
