/* mv FROM TO, mv FROM... DIRECTORY: rename files. */
#include <complain.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int main(int argc, char **argv)
{
	struct stat st;
	char path[512];
	int status = 0;

	if (argc < 3)
		return complain_usage("mv FROM TO, or mv FROM... DIRECTORY");
	const char *to = argv[argc - 1];
	int into = stat(to, &st) == 0 && S_ISDIR(st.st_mode);
	if (argc > 3 && !into)
		return complain_usage("mv FROM... DIRECTORY");
	for (int i = 1; i < argc - 1; i++) {
		const char *base = strrchr(argv[i], '/') ? strrchr(argv[i], '/') + 1 : argv[i];
		snprintf(path, sizeof(path), "%s/%s", to, base);
		if (rename(argv[i], into ? path : to) < 0)
			status = complain(argv[i]);
	}
	return status;
}
