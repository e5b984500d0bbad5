/* tests/emu/initrd_subset.c: copies an initramfs archive from standard input to standard output, with the named entries only:
 *
 *   zcat initrd.gz | initrd_subset bin bin/sh bin/busybox >small
 *
 * So that a test can boot an installer's kernel in little memory and little time, whoever runs it: unpacking the archive would
 * need root for its device files. Status 1 when a name is missing or the archive is not in the "newc" format.
 * References: [INITRAMFS "initramfs buffer format"]. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER 110                         /* "070701", then 13 numbers of 8 hexadecimal digits */
#define FIELD_FILESIZE 6
#define FIELD_NAMESIZE 11
#define NAME_LIMIT 4096u
#define TRAILER "TRAILER!!!"

struct entry { char header[HEADER + 1]; char name[NAME_LIMIT]; unsigned long name_size, file_size; };

static int die(const char *what)
{
	fprintf(stderr, "initrd_subset: %s\n", what);
	exit(1);
}

static unsigned long number(const struct entry *e, unsigned field)
{
	char digits[9] = { 0 };

	memcpy(digits, e->header + 6 + 8 * field, 8);
	return strtoul(digits, NULL, 16);
}

/* Header and name together, and the contents, each end on a multiple of 4. */
static unsigned long padding(unsigned long n) { return -n & 3; }

/* size bytes from input to output, or nowhere. */
static void move(unsigned long size, bool keep)
{
	char buf[65536];

	while (size) {
		size_t n = size < sizeof(buf) ? size : sizeof(buf);
		if (fread(buf, 1, n, stdin) != n)
			die("the archive is cut off");
		if (keep && fwrite(buf, 1, n, stdout) != n)
			die("cannot write");
		size -= n;
	}
}

static void read_entry(struct entry *e)
{
	if (fread(e->header, 1, HEADER, stdin) != HEADER || memcmp(e->header, "070701", 6))
		die("not an archive in newc format");
	e->name_size = number(e, FIELD_NAMESIZE);
	e->file_size = number(e, FIELD_FILESIZE);
	unsigned long n = e->name_size + padding(HEADER + e->name_size);
	if (!e->name_size || n > NAME_LIMIT || fread(e->name, 1, n, stdin) != n || e->name[e->name_size - 1])
		die("an entry's name is cut off");
}

static void write_entry(const struct entry *e)
{
	unsigned long n = e->name_size + padding(HEADER + e->name_size);

	if (fwrite(e->header, 1, HEADER, stdout) != HEADER || fwrite(e->name, 1, n, stdout) != n)
		die("cannot write");
}

/* Is it asked for? Then it is struck off the list. */
static bool wanted(char **names, const char *name)
{
	if (!strncmp(name, "./", 2))
		name += 2;
	for (; *names; names++)
		if (!strcmp(*names, name)) {
			*names = "";
			return true;
		}
	return false;
}

int main(int argc, char **argv)
{
	static struct entry e;
	int missing = 0;

	do {
		read_entry(&e);
		bool keep = wanted(argv + 1, e.name) || !strcmp(e.name, TRAILER);
		if (keep)
			write_entry(&e);
		move(e.file_size + padding(e.file_size), keep);
	} while (strcmp(e.name, TRAILER));
	for (int i = 1; i < argc; i++)
		if (*argv[i]) {
			fprintf(stderr, "initrd_subset: '%s' is not in the archive\n", argv[i]);
			missing = 1;
		}
	return fflush(stdout) ? die("cannot write") : missing;
}
