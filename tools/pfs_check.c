/* tools/pfs_check.c: says whether the PFS file system on a disk image is consistent, by pfs_verify.
 *
 *   pfs-check [--no-replay] DISK        exit 0: clean | 1: problems, one line each | 2: cannot be read
 *
 * A disk that was not unmounted is first recovered from its log, in memory: what is checked is what mounting would find. A file without a
 * name (0 links) is allowed there, as mounting frees it. --no-replay leaves that out and shows the disk as it lies. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pfs_image.h"

#define MAX_REPORTS 50

static uint32_t reports;

static void report(void *disk, const char *line)
{
	if (++reports <= MAX_REPORTS)
		printf("%s: %s\n", (const char *)disk, line);
}

/* Reads the PFS partition into memory; 0, or -1 after saying why not. */
static int load(const char *disk, struct pfs_image *img)
{
	uint8_t mbr[SECTOR_SIZE];
	struct partition part[MBR_PARTITIONS];
	int fd = open(disk, O_RDONLY | O_CLOEXEC), i = 0;
	off_t length = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	const char *why = NULL;

	if (fd < 0 || length < 0)
		why = strerror(errno);
	else if (pread(fd, mbr, sizeof(mbr), 0) != sizeof(mbr) || !mbr_read(mbr, part))
		why = "no partition table";
	else {
		while (i < MBR_PARTITIONS && part[i].type != PFS_PARTITION_TYPE)
			i++;
		if (i == MBR_PARTITIONS)
			why = "no PFS partition";
		else if ((uint64_t)part[i].first + part[i].sectors > (uint64_t)length / SECTOR_SIZE || part[i].sectors < 64)
			why = "the PFS partition is not inside the disk";
	}
	if (!why) {
		size_t size = (size_t)part[i].sectors / PFS_SECTORS_PER_BLOCK * PFS_BLOCK_SIZE, done = 0;
		img->blocks = part[i].sectors / PFS_SECTORS_PER_BLOCK;
		if (!(img->base = malloc(size)))
			why = strerror(ENOMEM);
		for (ssize_t n; !why && done < size; done += n)
			if ((n = pread(fd, img->base + done, size - done, (off_t)part[i].first * SECTOR_SIZE + done)) <= 0)
				why = n < 0 ? strerror(errno) : "the disk ends early";
	}
	if (why)
		fprintf(stderr, "pfs-check: %s: %s\n", disk, why);
	if (fd >= 0)
		close(fd);
	return why ? -1 : 0;
}

int main(int argc, char **argv)
{
	bool replay = argc < 2 || strcmp(argv[1], "--no-replay") != 0;
	char *disk = argv[argc - 1];
	struct pfs_image img = {0};
	struct pfs_verdict v;
	int status = 2;

	if (argc != (replay ? 2 : 3)) {
		fputs("Usage: pfs-check [--no-replay] DISK\n", stderr);
		return 2;
	}
	if (load(disk, &img) == 0 && pfs_verify(&img, replay, report, disk, &v)) {
		status = v.problems != 0;
		if (v.replay.in_use)
			printf("%s: not unmounted: %" PRIu32 " blocks %s in memory, %" PRIu32 " files without a name\n", disk, v.replay.images,
				v.replay.undo ? "put back" : "replayed", v.nameless);
		if (reports > MAX_REPORTS)
			printf("%s: ... and %" PRIu32 " more\n", disk, reports - MAX_REPORTS);
		if (!v.problems)
			printf("%s: clean: %" PRIu32 " files, %" PRIu32 " directories, %" PRIu32 " blocks used, %" PRIu32 " free\n", disk,
				v.files, v.directories, v.used, v.free);
	}
	pfs_release(&img);
	return status;
}
