/* guestos/include/pfs.h: the on-disk format of PFS, Pagoda's file system.
 *
 *   disk:       sector 0 MBR | partition 1, type 0x7f: PFS | partition 2, type 0x82: swap
 *   PFS blocks: 0 superblock | inode bitmap | block bitmap | inode table | journal | data
 *
 * A block is 4096 bytes, the size of a page, so that one frame holds one block
 * and the page cache needs no arithmetic between the two. All numbers are
 * little-endian. Block 0 is never a data block, so 0 in a block pointer means
 * "a hole, reads as zeroes". Inode 0 is never used; inode 1 is the root.
 *
 * The kernel and the image builder both include this file; the emulator does not.
 */
#ifndef PFS_H
#define PFS_H

#include <stdint.h>

#define PFS_MAGIC          0x31534650u /* "PFS1" */
#define PFS_BLOCK_SIZE     4096u
#define PFS_SECTORS_PER_BLOCK 8u
#define PFS_PARTITION_TYPE 0x7f        /* MBR type byte reserved for individual use */
#define SWAP_PARTITION_TYPE 0x82
#define PFS_ROOT_INO       1u

struct pfs_super {             /* at byte 0 of block 0 */
	uint32_t magic;
	uint32_t version;              /* 1: without a log | 2: changes go through the log */
	uint32_t blocks;               /* in the whole partition */
	uint32_t inodes;               /* inode numbers 1 .. inodes-1 */
	uint32_t inode_bitmap, inode_bitmap_blocks;
	uint32_t block_bitmap, block_bitmap_blocks;
	uint32_t inode_table, inode_table_blocks;
	uint32_t journal, journal_blocks;   /* version 2: the log; see below */
	uint32_t first_data;
};

#define PFS_DIRECT 12
#define PFS_PER_INDIRECT (PFS_BLOCK_SIZE / 4)

struct pfs_inode {             /* 128 bytes, 32 to a block */
	uint16_t mode;                 /* POSIX S_IFREG, S_IFDIR and permission bits; 0 is free */
	uint16_t links;
	uint32_t size;                 /* bytes */
	uint32_t mtime;                /* seconds since 1970 */
	uint32_t blocks;               /* data and indirect blocks in use */
	uint32_t direct[PFS_DIRECT];
	uint32_t indirect;             /* block of PFS_PER_INDIRECT pointers */
	uint32_t double_indirect;      /* block of pointers to such blocks */
	uint32_t reserved[14];
};

#define PFS_INODES_PER_BLOCK (PFS_BLOCK_SIZE / sizeof(struct pfs_inode))
#define PFS_NAME_MAX 59
#define PFS_LINKS_MAX 0xffffu  /* what links can count */

/* A directory is a file of entries, whole blocks long. Its first two entries are "." and "..";
 * in the root both lead to itself. A directory's links: its name, its ".", each child's "..". */
struct pfs_dirent {            /* 64 bytes, fixed size; ino 0 is a free slot */
	uint32_t ino;
	char name[PFS_NAME_MAX + 1];   /* NUL-terminated */
};

/* The log. Block 0 is a header, of which only the first sector counts, so that it is written whole or not at all.
 *
 *   redo   header | descriptor, images, commit | descriptor, images, commit | ...     images are new contents
 *   undo   header | descriptor, images | descriptor, images | ...                     images are old contents
 *
 * Redo: transactions have consecutive sequence numbers from the header's on. One counts if its commit record does: the right number, and
 * a sum over descriptor and images that agrees. The first that does not count ends the log. Recovery copies the images to their
 * blocks, in order, except those a later transaction revokes: the block has been freed, or its contents went home another way.
 * Undo: all descriptors belong to the one transaction that the header names, and each carries the sum of itself (sum 0) and its images. Recovery
 * puts the images back, the last descriptor first. A transaction commits by the header's going on to the next number. */
#define PFS_JOURNAL_MAGIC  0x4a534650u /* "PFSJ" */
#define PFS_JOURNAL_REDO   1u
#define PFS_JOURNAL_UNDO   2u
#define PFS_JOURNAL_MIN    128u        /* blocks; a transaction must fit */
#define PFS_JOURNAL_MAX    512u        /* blocks; so that one descriptor has room for all revocations */
enum pfs_log_kind { PFS_LOG_HEADER = 1, PFS_LOG_DESCRIPTOR, PFS_LOG_COMMIT };

struct pfs_sum { uint32_t a, b; };

struct pfs_log {               /* at byte 0 of a header, descriptor or commit block */
	uint32_t magic, kind;
	uint32_t sequence;             /* header: of the first transaction in the log */
	uint32_t mode;                 /* header: PFS_JOURNAL_REDO or _UNDO */
	uint32_t in_use;               /* header: mounted; cleared by an orderly end */
	uint32_t images, revoked;      /* descriptor: how many; blocks[] has the images' home blocks, then the revoked ones */
	struct pfs_sum sum;
	uint32_t blocks[];
};
#define PFS_LOG_BLOCKS ((PFS_BLOCK_SIZE - sizeof(struct pfs_log)) / 4)

/* Two running sums over 32-bit words, the second of the first: it notices a sector that is old, missing or in the wrong place. */
static inline void pfs_sum(struct pfs_sum *s, const void *block)
{
	const uint32_t *w = block;
	for (uint32_t i = 0; i < PFS_BLOCK_SIZE / 4; i++) {
		s->a += w[i];
		s->b += s->a;
	}
}
static inline struct pfs_sum pfs_sum_start(uint32_t sequence) { return (struct pfs_sum){ sequence * 0x9e3779b1u + 1, ~sequence }; }

_Static_assert(sizeof(struct pfs_inode) == 128, "inode size is on disk");
_Static_assert(sizeof(struct pfs_dirent) == 64, "directory entry size is on disk");

#endif
