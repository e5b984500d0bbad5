/* pwd: print the current directory. */
#include <complain.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	char path[512];

	if (!getcwd(path, sizeof(path)))
		return complain("current directory");
	puts(path);
	return 0;
}
