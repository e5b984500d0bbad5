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
	uint32_t version;              /* 1 */
	uint32_t blocks;               /* in the whole partition */
	uint32_t inodes;               /* inode numbers 1 .. inodes-1 */
	uint32_t inode_bitmap, inode_bitmap_blocks;
	uint32_t block_bitmap, block_bitmap_blocks;
	uint32_t inode_table, inode_table_blocks;
	uint32_t journal, journal_blocks;   /* reserved for the write-ahead log; may be 0 */
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

/* A directory is a file of entries, whole blocks long. Its first two entries are "." and "..";
 * in the root both lead to itself. A directory's links: its name, its ".", each child's "..". */
struct pfs_dirent {            /* 64 bytes, fixed size; ino 0 is a free slot */
	uint32_t ino;
	char name[PFS_NAME_MAX + 1];   /* NUL-terminated */
};

_Static_assert(sizeof(struct pfs_inode) == 128, "inode size is on disk");
_Static_assert(sizeof(struct pfs_dirent) == 64, "directory entry size is on disk");

#endif
