/* hexdump [FILE]: bytes in hexadecimal and as characters, 16 to a line. */
#include <complain.h>
#include <ctype.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	FILE *f = argc > 1 ? fopen(argv[1], "r") : stdin;
	unsigned char b[16];
	size_t n;

	if (!f)
		return complain(argv[1]);
	for (unsigned long at = 0; (n = fread(b, 1, sizeof(b), f)) > 0; at += n) {
		printf("%08lx ", at);
		for (size_t i = 0; i < sizeof(b); i++) {
			if (i < n)
				printf(" %02x", b[i]);
			else
				printf("   ");
		}
		printf("  ");
		for (size_t i = 0; i < n; i++)
			putchar(isprint(b[i]) ? b[i] : '.');
		putchar('\n');
	}
	return ferror(f) ? complain("read") : 0;
}
