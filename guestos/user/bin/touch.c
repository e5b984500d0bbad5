/* touch PATH...: make empty files where there are none. Simplified: an existing file keeps its time. */
#include <complain.h>
#include <fcntl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int status = 0;

	if (argc < 2)
		return complain_usage("touch PATH...");
	for (int i = 1; i < argc; i++) {
		int fd = open(argv[i], O_WRONLY | O_CREAT, 0666);
		if (fd < 0)
			status = complain(argv[i]);
		else
			close(fd);
	}
	return status;
}
