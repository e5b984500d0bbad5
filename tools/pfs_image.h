/* tools/pfs_image.h: a PFS file system held in memory, and the disk it lies on.
 *
 * The image builder makes one of these and writes it out; the checker reads one in.
 * Both hold all blocks of the partition as one array, so a block number is an index
 * and every access goes through pfs_block(), which refuses what lies outside.
 *
 *   disk sector 0   MBR: entries of 16 bytes at byte 446, 0x55 0xaa at byte 510
 *   entry           +4 type | +8 first sector, 4 bytes | +12 sectors, 4 bytes
 *
 * References: the format is guestos/include/pfs.h. */
#ifndef PFS_IMAGE_H
#define PFS_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pfs.h"

#define SECTOR_SIZE 512u
#define SECTORS_PER_MB 2048u
#define MBR_PARTITIONS 4

struct partition {
	uint8_t type;                  /* 0: unused entry */
	uint32_t first, sectors;
};

struct pfs_image {
	uint8_t *base;                 /* blocks * PFS_BLOCK_SIZE bytes */
	uint32_t blocks;
	uint32_t next_free;            /* builder: no free block lies below */
	uint32_t mtime;                /* builder: given to every inode */
};

/* The disk. */
void mbr_write(uint8_t sector[SECTOR_SIZE], const struct partition part[MBR_PARTITIONS]);
bool mbr_read(const uint8_t sector[SECTOR_SIZE], struct partition part[MBR_PARTITIONS]);

/* Looking. Each returns NULL, or 0, for what is outside the image. */
struct pfs_super *pfs_super(const struct pfs_image *img);
uint8_t *pfs_block(const struct pfs_image *img, uint32_t block);
struct pfs_inode *pfs_inode(const struct pfs_image *img, uint32_t ino);
uint32_t pfs_bmap(const struct pfs_image *img, const struct pfs_inode *inode, uint32_t index);
bool pfs_bit(const struct pfs_image *img, uint32_t bitmap, uint32_t bit);
const char *pfs_super_problem(const struct pfs_image *img);    /* NULL when the superblock can be trusted */
uint32_t pfs_lookup(const struct pfs_image *img, uint32_t dir, const char *name, size_t len);

/* pfs_replay.c: the log of a disk that was not unmounted is used, as mounting would. NULL, or what is wrong with the log. */
struct pfs_replay {
	bool in_use, undo;             /* not unmounted; undo: the images are old contents */
	uint32_t transactions, images;
};
const char *pfs_recover(struct pfs_image *img, struct pfs_replay *r);

/* pfs_verify.c: recovers if asked to, then checks everything; one report for each problem. False only when out of memory. */
struct pfs_verdict {
	struct pfs_replay replay;
	uint32_t problems, files, directories, used, free;
	uint32_t nameless;             /* files removed while open when the power went */
};
bool pfs_verify(struct pfs_image *img, bool replay, void (*report)(void *owner, const char *line), void *owner, struct pfs_verdict *v);

/* Building. Each returns 0 or a negative errno: ENOSPC, ENAMETOOLONG, EEXIST, ENOTDIR, EINVAL. */
int pfs_format(struct pfs_image *img, uint32_t blocks, uint32_t journal_blocks, uint32_t mtime);
int pfs_make_dir(struct pfs_image *img, const char *path);             /* and its parents; existing is fine */
int pfs_make_file(struct pfs_image *img, const char *path, unsigned permissions, const void *data, size_t size);
void pfs_release(struct pfs_image *img);

#endif
