/* rmdir PATH...: remove empty directories. */
#include <complain.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int status = 0;

	if (argc < 2)
		return complain_usage("rmdir PATH...");
	for (int i = 1; i < argc; i++)
		if (rmdir(argv[i]) < 0)
			status = complain(argv[i]);
	return status;
}
