/* mkdir PATH...: make directories. */
#include <complain.h>
#include <sys/stat.h>

int main(int argc, char **argv)
{
	int status = 0;

	if (argc < 2)
		return complain_usage("mkdir PATH...");
	for (int i = 1; i < argc; i++)
		if (mkdir(argv[i], 0777) < 0)
			status = complain(argv[i]);
	return status;
}
