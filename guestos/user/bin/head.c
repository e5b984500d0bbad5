/* head [-n LINES | -LINES] [FILE...]: the first lines (10). */
#include <complain.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int head(FILE *f, long lines)
{
	for (int c; lines > 0 && (c = fgetc(f)) != EOF; lines -= c == '\n')
		putchar(c);
	return ferror(f) ? complain("read") : 0;
}

int main(int argc, char **argv)
{
	long lines = 10;
	int i = 1, status = 0;

	if (argc > 2 && strcmp(argv[1], "-n") == 0) {
		lines = atoi(argv[2]);
		i = 3;
	} else if (argc > 1 && argv[1][0] == '-' && isdigit((unsigned char)argv[1][1])) {
		lines = atoi(argv[1] + 1);
		i = 2;
	}
	if (i == argc)
		return head(stdin, lines);
	for (; i < argc; i++) {
		FILE *f = fopen(argv[i], "r");
		if (!f) {
			status = complain(argv[i]);
			continue;
		}
		status |= head(f, lines);
		fclose(f);
	}
	return status;
}
