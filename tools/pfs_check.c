/* tools/pfs_check.c: says whether the PFS file system on a disk image is consistent.
 *
 *   pfs-check DISK        exit 0: clean | 1: problems, one line each | 2: cannot be read
 *
 * Walks the tree from the root, counting for every inode the names that lead to it
 * and for every block the inodes that own it, and then compares:
 *   inode bitmap   set exactly for the inodes that were reached (and number 0)
 *   block bitmap   set exactly for metadata and owned blocks; no block owned twice
 *   links          names found; for a directory ".", and ".." of its children, count
 *   blocks, size   what the pointers say
 *
 * Simplified: an orphan (no name, but allocated) is reported, also when the system
 * was switched off while a program held the removed file open. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pfs_image.h"

#define DIRENTS_PER_BLOCK (PFS_BLOCK_SIZE / sizeof(struct pfs_dirent))
#define MAX_REPORTS 50

struct check {
	const char *disk;
	struct pfs_image img;
	uint32_t *links;               /* [inodes]: names found for it */
	uint32_t *queue, queued;       /* directories found; each is in it once */
	uint8_t *owned;                /* [blocks]: 1 once an inode points to it */
	uint32_t problems, files, directories, used;
};

static void __attribute__((format(printf, 2, 3))) problem(struct check *c, const char *format, ...)
{
	va_list ap;

	if (++c->problems > MAX_REPORTS)
		return;
	printf("%s: ", c->disk);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
}

/* Take one block for an inode. False if its content must not be looked at. */
static bool own(struct check *c, uint32_t ino, uint32_t block)
{
	const struct pfs_super *s = pfs_super(&c->img);

	if (block < s->first_data || block >= s->blocks) {
		problem(c, "inode %" PRIu32 ": block %" PRIu32 " is outside the data area", ino, block);
		return false;
	}
	if (c->owned[block]) {
		problem(c, "inode %" PRIu32 ": block %" PRIu32 " is owned twice", ino, block);
		return false;
	}
	c->owned[block] = 1;
	c->used++;
	return true;
}

/* The blocks below one pointer; level 0 is data. Returns how many; *last becomes the highest data index + 1. */
static uint32_t own_tree(struct check *c, uint32_t ino, uint32_t block, int level, uint32_t first, uint32_t *last)
{
	uint32_t count = 1, span = level == 2 ? PFS_PER_INDIRECT : 1;

	if (!block || !own(c, ino, block))
		return 0;
	if (level == 0) {
		*last = first + 1 > *last ? first + 1 : *last;
		return 1;
	}
	const uint32_t *entry = (const uint32_t *)pfs_block(&c->img, block);
	for (uint32_t i = 0; i < PFS_PER_INDIRECT; i++)
		count += own_tree(c, ino, entry[i], level - 1, first + i * span, last);
	return count;
}

static void check_blocks(struct check *c, uint32_t ino, const struct pfs_inode *n)
{
	uint32_t count = 0, last = 0, size_blocks = n->size / PFS_BLOCK_SIZE + (n->size % PFS_BLOCK_SIZE != 0);

	for (uint32_t i = 0; i < PFS_DIRECT; i++)
		count += own_tree(c, ino, n->direct[i], 0, i, &last);
	count += own_tree(c, ino, n->indirect, 1, PFS_DIRECT, &last);
	count += own_tree(c, ino, n->double_indirect, 2, PFS_DIRECT + PFS_PER_INDIRECT, &last);
	if (count != n->blocks)
		problem(c, "inode %" PRIu32 ": says %" PRIu32 " blocks, has %" PRIu32, ino, n->blocks, count);
	if (last > size_blocks)
		problem(c, "inode %" PRIu32 ": has a block beyond its size of %" PRIu32 " bytes", ino, n->size);
}

/* An inode that a name leads to: count the name, and on the first one look at the inode itself. */
static void reach(struct check *c, uint32_t from, const char *name, uint32_t ino)
{
	const struct pfs_inode *n = pfs_inode(&c->img, ino);

	if (!n) {
		problem(c, "directory %" PRIu32 ": '%s' names inode %" PRIu32 ", which does not exist", from, name, ino);
		return;
	}
	if (c->links[ino]++ > 0) {
		if (S_ISDIR(n->mode))
			problem(c, "directory %" PRIu32 ": '%s' is a second name of directory %" PRIu32, from, name, ino);
		return;
	}
	if (!S_ISDIR(n->mode) && !S_ISREG(n->mode)) {
		problem(c, "directory %" PRIu32 ": '%s' has the unknown mode 0%o", from, name, n->mode);
		return;
	}
	check_blocks(c, ino, n);
	if (S_ISDIR(n->mode)) {
		c->queue[c->queued++] = ino;
		c->directories++;
	} else {
		c->files++;
	}
}

static void check_entry(struct check *c, uint32_t dir, uint32_t parent, const struct pfs_dirent *e)
{
	if (!memchr(e->name, 0, sizeof(e->name)) || !e->name[0]) {
		problem(c, "directory %" PRIu32 ": an entry's name is empty or does not end", dir);
		return;
	}
	bool self = strcmp(e->name, ".") == 0, up = strcmp(e->name, "..") == 0;
	if (!self && !up) {
		reach(c, dir, e->name, e->ino);
		return;
	}
	if (e->ino != (self ? dir : parent))
		problem(c, "directory %" PRIu32 ": '%s' leads to inode %" PRIu32, dir, e->name, e->ino);
	else
		c->links[e->ino]++;
}

static void check_directory(struct check *c, uint32_t dir, uint32_t *parent_of)
{
	const struct pfs_inode *d = pfs_inode(&c->img, dir);

	if (d->size % sizeof(struct pfs_dirent))
		problem(c, "directory %" PRIu32 ": size %" PRIu32 " is not whole entries", dir, d->size);
	for (uint32_t i = 0; i < d->size / sizeof(struct pfs_dirent); i++) {
		uint32_t block = pfs_bmap(&c->img, d, i / DIRENTS_PER_BLOCK);
		const struct pfs_dirent *e = block ? (const struct pfs_dirent *)pfs_block(&c->img, block) : NULL;
		if (!e || !e[i % DIRENTS_PER_BLOCK].ino)
			continue;
		uint32_t before = c->queued;
		check_entry(c, dir, parent_of[dir], &e[i % DIRENTS_PER_BLOCK]);
		if (c->queued > before)
			parent_of[c->queue[before]] = dir;
	}
}

static void check_inodes(struct check *c)
{
	const struct pfs_super *s = pfs_super(&c->img);

	for (uint32_t ino = 1; ino < s->inodes; ino++) {
		bool marked = pfs_bit(&c->img, s->inode_bitmap, ino);
		const struct pfs_inode *n = pfs_inode(&c->img, ino);
		if (c->links[ino] && !marked)
			problem(c, "inode %" PRIu32 ": in use but marked free", ino);
		if (!c->links[ino] && marked)
			problem(c, "inode %" PRIu32 ": marked in use but has no name", ino);
		if (c->links[ino] && n->links != c->links[ino])
			problem(c, "inode %" PRIu32 ": says %u links, has %" PRIu32, ino, n->links, c->links[ino]);
	}
	if (!pfs_bit(&c->img, s->inode_bitmap, 0))
		problem(c, "inode 0 is marked free");
	for (uint32_t b = 0; b < s->blocks; b++) {
		bool marked = pfs_bit(&c->img, s->block_bitmap, b), wanted = b < s->first_data || c->owned[b];
		if (wanted && !marked)
			problem(c, "block %" PRIu32 ": in use but marked free", b);
		if (!wanted && marked)
			problem(c, "block %" PRIu32 ": marked in use but nothing owns it", b);
	}
}

static bool check_all(struct check *c)
{
	const char *why = pfs_super_problem(&c->img);

	if (why) {
		problem(c, "superblock: %s", why);
		return true;
	}
	const struct pfs_super *s = pfs_super(&c->img);
	uint32_t *parent_of = calloc(s->inodes, sizeof(*parent_of));
	c->links = calloc(s->inodes, sizeof(*c->links));
	c->queue = calloc(s->inodes, sizeof(*c->queue));
	c->owned = calloc(s->blocks, 1);
	bool ok = parent_of && c->links && c->queue && c->owned;
	if (ok) {
		parent_of[PFS_ROOT_INO] = PFS_ROOT_INO;
		reach(c, PFS_ROOT_INO, "/", PFS_ROOT_INO);
		c->links[PFS_ROOT_INO]--;      /* no directory names the root; its own ".." stands for that */
		if (!c->queued)
			problem(c, "inode %u: the root is not a directory", PFS_ROOT_INO);
		for (uint32_t i = 0; i < c->queued; i++)
			check_directory(c, c->queue[i], parent_of);
		check_inodes(c);
	}
	free(parent_of);
	free(c->links);
	free(c->queue);
	free(c->owned);
	return ok;
}

/* Reads the PFS partition into memory; 0, or -1 after saying why not. */
static int load(struct check *c)
{
	uint8_t mbr[SECTOR_SIZE];
	struct partition part[MBR_PARTITIONS];
	int fd = open(c->disk, O_RDONLY | O_CLOEXEC), i = 0;
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
		c->img.blocks = part[i].sectors / PFS_SECTORS_PER_BLOCK;
		if (!(c->img.base = malloc(size)))
			why = strerror(ENOMEM);
		for (ssize_t n; !why && done < size; done += n)
			if ((n = pread(fd, c->img.base + done, size - done, (off_t)part[i].first * SECTOR_SIZE + done)) <= 0)
				why = n < 0 ? strerror(errno) : "the disk ends early";
	}
	if (why)
		fprintf(stderr, "pfs-check: %s: %s\n", c->disk, why);
	if (fd >= 0)
		close(fd);
	return why ? -1 : 0;
}

int main(int argc, char **argv)
{
	struct check c = {.disk = argv[1]};
	int status = 2;

	if (argc != 2) {
		fputs("Usage: pfs-check DISK\n", stderr);
		return 2;
	}
	if (load(&c) == 0 && check_all(&c)) {
		status = c.problems != 0;
		if (c.problems > MAX_REPORTS)
			printf("%s: ... and %" PRIu32 " more\n", c.disk, c.problems - MAX_REPORTS);
		if (!c.problems)
			printf("%s: clean: %" PRIu32 " files, %" PRIu32 " directories, %" PRIu32 " blocks used, %" PRIu32 " free\n", c.disk,
				c.files, c.directories, c.used, pfs_super(&c.img)->blocks - pfs_super(&c.img)->first_data - c.used);
	}
	pfs_release(&c.img);
	return status;
}
