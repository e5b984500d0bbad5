/* tools/mkimage.c: builds the disk Pagoda boots from.
 *
 *   mkimage -o DISK [--size MB] [--swap MB] [--journal BLOCKS] [--kernel ELF] ITEM...
 *   ITEM is HOSTFILE:/path (a file; executable if it is on the host) or /path/ (an empty directory)
 *
 * The same items give the same bytes: every time stamp is SOURCE_DATE_EPOCH or a
 * constant. The disk is written under a temporary name, sparse, and renamed only when
 * complete, so a disk that exists is whole. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pfs_image.h"

#define BLOCKS_PER_MB (SECTORS_PER_MB / PFS_SECTORS_PER_BLOCK)
#define JOURNAL_BLOCKS 256
#define JOURNAL_MIN_FS 4096             /* blocks; a smaller file system gets no log unless asked for */
#define FIXED_TIME 1767225600u         /* 2026-01-01 00:00:00 UTC */

struct options {
	const char *output, *kernel;
	unsigned long size_mb, swap_mb, journal_blocks;
	bool journal_given;
};

static const struct option long_options[] = {
	{"output", required_argument, NULL, 'o'}, {"size", required_argument, NULL, 's'},
	{"swap", required_argument, NULL, 'w'}, {"kernel", required_argument, NULL, 'k'},
	{"journal", required_argument, NULL, 'j'},
	{"help", no_argument, NULL, 'h'}, {0}};

static const char usage[] =
	"Example: mkimage -o pagoda.img build/sh:/bin/sh /tmp/\n"
	"Usage: mkimage -o DISK [--size MB] [--swap MB] [--journal BLOCKS] [--kernel ELF] HOSTFILE:/path ... /directory/ ...\n"
	"  -o, --output DISK  the disk image to write\n"
	"  --size MB          size of the file system (32)\n"
	"  --swap MB          size of the swap partition (64); 0 for none\n"
	"  --journal BLOCKS   size of the log, 128 to 512 (256; below 16 MB 0, which is none)\n"
	"  --kernel ELF       also store this file as /boot/pagoda.elf\n";

static void __attribute__((format(printf, 1, 2))) complain(const char *format, ...)
{
	va_list ap;

	fputs("mkimage: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static bool parse_mb(const char *text, unsigned long least, unsigned long *mb)
{
	char *end;

	errno = 0;
	*mb = strtoul(text, &end, 10);
	if (errno || end == text || *end || text[0] == '-' || *mb < least || *mb > 2048) {
		complain("size '%s' is not a number from %lu to 2048", text, least);
		return false;
	}
	return true;
}

static bool parse_journal(const char *text, struct options *o)
{
	char *end;

	o->journal_blocks = strtoul(text, &end, 10);
	o->journal_given = true;
	if (end == text || *end || (o->journal_blocks && (o->journal_blocks < PFS_JOURNAL_MIN || o->journal_blocks > PFS_JOURNAL_MAX))) {
		complain("log of '%s' blocks: neither 0 nor from %u to %u", text, PFS_JOURNAL_MIN, PFS_JOURNAL_MAX);
		return false;
	}
	return true;
}

static uint32_t image_time(void)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	return epoch && *epoch ? strtoul(epoch, NULL, 10) : FIXED_TIME;
}

/* The whole of a host file in memory; 0 or a negative errno. */
static int slurp(const char *path, void **data, size_t *size, unsigned *permissions)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC), error = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		error = -errno;
	else if (!S_ISREG(st.st_mode))
		error = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	else if (!(*data = malloc(st.st_size ? st.st_size : 1)))
		error = -ENOMEM;
	for (*size = 0; !error && *size < (size_t)st.st_size;) {
		ssize_t n = read(fd, (char *)*data + *size, st.st_size - *size);
		if (n <= 0) {
			error = n < 0 ? -errno : -EIO;
			free(*data);
		} else {
			*size += n;
		}
	}
	close(fd);
	if (!error)
		*permissions = st.st_mode & 0111 ? 0755 : 0644;
	return error;
}

static bool add_file(struct pfs_image *img, const char *host, const char *path)
{
	void *data = NULL;
	size_t size = 0;
	unsigned permissions = 0;
	int error = slurp(host, &data, &size, &permissions);

	if (error) {
		complain("%s: %s", host, strerror(-error));
		return false;
	}
	error = pfs_make_file(img, path, permissions, data, size);
	free(data);
	if (error)
		complain("%s: %s", path, error == -ENOSPC ? "the file system is full; give a larger --size" : strerror(-error));
	return !error;
}

static bool add_item(struct pfs_image *img, char *item)
{
	char *colon = strrchr(item, ':');

	if (item[0] == '/' && item[strlen(item) - 1] == '/') {
		int error = pfs_make_dir(img, item);
		if (error)
			complain("%s: %s", item, strerror(-error));
		return !error;
	}
	if (!colon || colon == item || colon[1] != '/') {
		complain("'%s' is neither HOSTFILE:/path nor /directory/", item);
		return false;
	}
	*colon = 0;
	bool ok = add_file(img, item, colon + 1);
	*colon = ':';
	return ok;
}

static bool write_at(int fd, const void *data, size_t size, off_t at)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = pwrite(fd, (const char *)data + done, size - done, at + done);
		if (n <= 0)
			return false;
		done += n;
	}
	return true;
}

/* Blocks of zeroes are left out: the file is as long as the disk, but takes only the space of what is in it. */
static bool write_disk(int fd, const struct pfs_image *img, const struct options *o)
{
	static const uint8_t zeroes[PFS_BLOCK_SIZE];
	uint8_t mbr[SECTOR_SIZE];
	uint32_t fs_sectors = o->size_mb * SECTORS_PER_MB;
	struct partition part[MBR_PARTITIONS] = {{PFS_PARTITION_TYPE, SECTORS_PER_MB, fs_sectors}};

	if (o->swap_mb)
		part[1] = (struct partition){SWAP_PARTITION_TYPE, SECTORS_PER_MB + fs_sectors, o->swap_mb * SECTORS_PER_MB};
	mbr_write(mbr, part);
	if (ftruncate(fd, (off_t)(1 + o->size_mb + o->swap_mb) << 20) < 0 || !write_at(fd, mbr, sizeof(mbr), 0))
		return false;
	for (uint32_t b = 0; b < img->blocks; b++) {
		const uint8_t *data = pfs_block(img, b);
		if (memcmp(data, zeroes, sizeof(zeroes)) != 0 &&
		    !write_at(fd, data, PFS_BLOCK_SIZE, (1 << 20) + (off_t)b * PFS_BLOCK_SIZE))
			return false;
	}
	return fsync(fd) == 0;
}

static bool save(const struct pfs_image *img, const struct options *o)
{
	char name[4096];

	if (snprintf(name, sizeof(name), "%s.XXXXXX", o->output) >= (int)sizeof(name)) {
		complain("%s: name too long", o->output);
		return false;
	}
	int fd = mkstemp(name);
	if (fd < 0) {
		complain("%s: %s", o->output, strerror(errno));
		return false;
	}
	mode_t mask = umask(0);
	umask(mask);
	bool ok = write_disk(fd, img, o) && fchmod(fd, 0666 & ~mask) == 0;
	ok &= close(fd) == 0;
	if (!ok || rename(name, o->output) < 0) {
		complain("%s: %s", o->output, strerror(errno));
		unlink(name);
		return false;
	}
	return true;
}

static bool parse(int argc, char **argv, struct options *o)
{
	int c;

	*o = (struct options){.size_mb = 32, .swap_mb = 64};
	while ((c = getopt_long(argc, argv, "o:h", long_options, NULL)) != -1) {
		switch (c) {
		case 'o': o->output = optarg; break;
		case 'k': o->kernel = optarg; break;
		case 's':
			if (!parse_mb(optarg, 1, &o->size_mb))
				return false;
			break;
		case 'w':
			if (!parse_mb(optarg, 0, &o->swap_mb))
				return false;
			break;
		case 'j':
			if (!parse_journal(optarg, o))
				return false;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			return false;
		}
	}
	if (!o->output)
		complain("no output file: give -o DISK");
	return o->output != NULL;
}

int main(int argc, char **argv)
{
	struct options o;
	struct pfs_image img;

	if (!parse(argc, argv, &o))
		return 2;
	if (!o.journal_given)
		o.journal_blocks = o.size_mb * BLOCKS_PER_MB >= JOURNAL_MIN_FS ? JOURNAL_BLOCKS : 0;
	int error = pfs_format(&img, o.size_mb * BLOCKS_PER_MB, o.journal_blocks, image_time());
	if (error) {
		complain("%lu MB file system: %s", o.size_mb, strerror(-error));
		pfs_release(&img);
		return 1;
	}
	bool ok = !o.kernel || add_file(&img, o.kernel, "/boot/pagoda.elf");
	for (int i = optind; ok && i < argc; i++)
		ok = add_item(&img, argv[i]);
	ok = ok && save(&img, &o);
	pfs_release(&img);
	return ok ? 0 : 1;
}
