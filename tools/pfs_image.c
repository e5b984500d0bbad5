/* tools/pfs_image.c: PFS in memory; see the header. Simplified: assumes a little-endian host, as the format does. */
#include "pfs_image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BITS_PER_BLOCK (8 * PFS_BLOCK_SIZE)
#define BLOCKS_PER_INODE 4             /* one inode for each 16 KB */
#define DIRENTS_PER_BLOCK (PFS_BLOCK_SIZE / sizeof(struct pfs_dirent))

static uint32_t get32(const uint8_t *p) { return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24; }

static void put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = v >> 8 * i;
}

/* The disk */

void mbr_write(uint8_t sector[SECTOR_SIZE], const struct partition part[MBR_PARTITIONS])
{
	memset(sector, 0, SECTOR_SIZE);
	for (int i = 0; i < MBR_PARTITIONS; i++) {
		uint8_t *e = sector + 446 + 16 * i;
		if (!part[i].type)
			continue;
		memcpy(e + 1, "\xfe\xff\xff", 3);      /* cylinder, head and sector numbers: "use the LBA" */
		e[4] = part[i].type;
		memcpy(e + 5, "\xfe\xff\xff", 3);
		put32(e + 8, part[i].first);
		put32(e + 12, part[i].sectors);
	}
	sector[510] = 0x55;
	sector[511] = 0xaa;
}

bool mbr_read(const uint8_t sector[SECTOR_SIZE], struct partition part[MBR_PARTITIONS])
{
	for (int i = 0; i < MBR_PARTITIONS; i++) {
		const uint8_t *e = sector + 446 + 16 * i;
		part[i] = (struct partition){e[4], get32(e + 8), get32(e + 12)};
	}
	return sector[510] == 0x55 && sector[511] == 0xaa;
}

/* Looking */

struct pfs_super *pfs_super(const struct pfs_image *img) { return (struct pfs_super *)img->base; }

uint8_t *pfs_block(const struct pfs_image *img, uint32_t block)
{
	return block < img->blocks ? img->base + (size_t)block * PFS_BLOCK_SIZE : NULL;
}

struct pfs_inode *pfs_inode(const struct pfs_image *img, uint32_t ino)
{
	const struct pfs_super *s = pfs_super(img);

	if (ino == 0 || ino >= s->inodes)
		return NULL;
	uint8_t *b = pfs_block(img, s->inode_table + ino / PFS_INODES_PER_BLOCK);
	return b ? (struct pfs_inode *)b + ino % PFS_INODES_PER_BLOCK : NULL;
}

bool pfs_bit(const struct pfs_image *img, uint32_t bitmap, uint32_t bit)
{
	const uint8_t *b = pfs_block(img, bitmap + bit / BITS_PER_BLOCK);
	bit %= BITS_PER_BLOCK;
	return b && (b[bit / 8] >> bit % 8 & 1);
}

static void set_bit(struct pfs_image *img, uint32_t bitmap, uint32_t bit)
{
	uint8_t *b = pfs_block(img, bitmap + bit / BITS_PER_BLOCK);
	bit %= BITS_PER_BLOCK;
	b[bit / 8] |= 1 << bit % 8;
}

/* Entry of a block of pointers; 0 for a hole or a block outside. */
static uint32_t pointer_in(const struct pfs_image *img, uint32_t block, uint32_t index)
{
	const uint8_t *b = block ? pfs_block(img, block) : NULL;
	return b ? get32(b + 4 * index) : 0;
}

uint32_t pfs_bmap(const struct pfs_image *img, const struct pfs_inode *inode, uint32_t index)
{
	if (index < PFS_DIRECT)
		return inode->direct[index];
	index -= PFS_DIRECT;
	if (index < PFS_PER_INDIRECT)
		return pointer_in(img, inode->indirect, index);
	index -= PFS_PER_INDIRECT;
	if (index >= PFS_PER_INDIRECT * PFS_PER_INDIRECT)
		return 0;
	return pointer_in(img, pointer_in(img, inode->double_indirect, index / PFS_PER_INDIRECT), index % PFS_PER_INDIRECT);
}

static bool area_fits(const struct pfs_image *img, uint32_t first, uint32_t count, uint32_t least)
{
	return first > 0 && count >= least && first < img->blocks && count <= img->blocks - first;
}

const char *pfs_super_problem(const struct pfs_image *img)
{
	const struct pfs_super *s = pfs_super(img);

	if (img->blocks < 8)
		return "partition too small";
	if (s->magic != PFS_MAGIC)
		return "no PFS magic number";
	if (s->version != 1 && s->version != 2)
		return "unknown version";
	if (s->blocks != img->blocks)
		return "block count differs from the partition's size";
	if (s->inodes < 2 || s->inodes > 0x1000000)
		return "bad inode count";
	if (!area_fits(img, s->inode_bitmap, s->inode_bitmap_blocks, (s->inodes + BITS_PER_BLOCK - 1) / BITS_PER_BLOCK))
		return "inode bitmap outside the file system";
	if (!area_fits(img, s->block_bitmap, s->block_bitmap_blocks, (s->blocks + BITS_PER_BLOCK - 1) / BITS_PER_BLOCK))
		return "block bitmap outside the file system";
	if (!area_fits(img, s->inode_table, s->inode_table_blocks, (s->inodes + PFS_INODES_PER_BLOCK - 1) / PFS_INODES_PER_BLOCK))
		return "inode table outside the file system";
	if (s->journal_blocks && !area_fits(img, s->journal, s->journal_blocks, 1))
		return "journal outside the file system";
	if (s->first_data >= s->blocks || s->first_data < s->inode_table + s->inode_table_blocks)
		return "first data block outside the file system";
	return NULL;
}

uint32_t pfs_lookup(const struct pfs_image *img, uint32_t dir, const char *name, size_t len)
{
	const struct pfs_inode *d = pfs_inode(img, dir);

	for (uint32_t i = 0; d && len <= PFS_NAME_MAX && i < d->size / PFS_BLOCK_SIZE; i++) {
		const struct pfs_dirent *e = (const struct pfs_dirent *)pfs_block(img, pfs_bmap(img, d, i));
		for (size_t k = 0; e && k < DIRENTS_PER_BLOCK; k++)
			if (e[k].ino && strncmp(e[k].name, name, len) == 0 && e[k].name[len] == 0)
				return e[k].ino;
	}
	return 0;
}

/* Building */

static uint32_t alloc_block(struct pfs_image *img, struct pfs_inode *owner)
{
	const struct pfs_super *s = pfs_super(img);

	while (img->next_free < s->blocks && pfs_bit(img, s->block_bitmap, img->next_free))
		img->next_free++;
	if (img->next_free == s->blocks)
		return 0;
	set_bit(img, s->block_bitmap, img->next_free);
	owner->blocks++;
	return img->next_free++;
}

static uint32_t alloc_inode(struct pfs_image *img, unsigned mode)
{
	const struct pfs_super *s = pfs_super(img);

	for (uint32_t ino = 1; ino < s->inodes; ino++) {
		if (pfs_bit(img, s->inode_bitmap, ino))
			continue;
		set_bit(img, s->inode_bitmap, ino);
		*pfs_inode(img, ino) = (struct pfs_inode){.mode = mode, .mtime = img->mtime};
		return ino;
	}
	return 0;
}

/* *slot, or a new block put there; NULL when the disk is full. */
static uint8_t *block_at(struct pfs_image *img, struct pfs_inode *owner, uint32_t *slot)
{
	if (!*slot)
		*slot = alloc_block(img, owner);
	return *slot ? pfs_block(img, *slot) : NULL;
}

/* Block index of the file, made if it is not there yet. */
static uint8_t *file_block(struct pfs_image *img, struct pfs_inode *inode, uint32_t index)
{
	uint8_t *table;

	if (index < PFS_DIRECT)
		return block_at(img, inode, &inode->direct[index]);
	index -= PFS_DIRECT;
	if (index < PFS_PER_INDIRECT) {
		table = block_at(img, inode, &inode->indirect);
	} else {
		index -= PFS_PER_INDIRECT;
		if (index >= PFS_PER_INDIRECT * PFS_PER_INDIRECT)
			return NULL;
		table = block_at(img, inode, &inode->double_indirect);
		if (table)
			table = block_at(img, inode, (uint32_t *)table + index / PFS_PER_INDIRECT);
		index %= PFS_PER_INDIRECT;
	}
	return table ? block_at(img, inode, (uint32_t *)table + index) : NULL;
}

static int add_entry(struct pfs_image *img, uint32_t dir, const char *name, size_t len, uint32_t ino)
{
	struct pfs_inode *d = pfs_inode(img, dir);
	uint32_t last = d->size / PFS_BLOCK_SIZE;

	if (len == 0)
		return -EINVAL;
	if (len > PFS_NAME_MAX)
		return -ENAMETOOLONG;
	for (uint32_t i = 0; i <= last; i++) {
		struct pfs_dirent *e = (struct pfs_dirent *)file_block(img, d, i);
		if (!e)
			return -ENOSPC;
		if (i == last)
			d->size += PFS_BLOCK_SIZE;
		for (size_t k = 0; k < DIRENTS_PER_BLOCK; k++) {
			if (e[k].ino)
				continue;
			e[k].ino = ino;
			memcpy(e[k].name, name, len);
			return 0;
		}
	}
	return -ENOSPC;
}

/* A new, empty directory that nothing names yet; the root is its own parent. */
static uint32_t new_directory(struct pfs_image *img, uint32_t parent)
{
	uint32_t ino = alloc_inode(img, S_IFDIR | 0755);

	if (!ino)
		return 0;
	if (add_entry(img, ino, ".", 1, ino) < 0 || add_entry(img, ino, "..", 2, parent ? parent : ino) < 0)
		return 0;
	pfs_inode(img, ino)->links = 2;        /* its "." and its name, or the root's ".." */
	if (parent)
		pfs_inode(img, parent)->links++;
	return ino;
}

int pfs_format(struct pfs_image *img, uint32_t blocks, uint32_t journal_blocks, uint32_t mtime)
{
	*img = (struct pfs_image){.base = calloc(blocks, PFS_BLOCK_SIZE), .blocks = blocks, .mtime = mtime};
	if (!img->base)
		return -ENOMEM;
	struct pfs_super *s = pfs_super(img);
	s->magic = PFS_MAGIC;
	s->version = journal_blocks ? 2 : 1;
	s->blocks = blocks;
	s->inodes = blocks / BLOCKS_PER_INODE / PFS_INODES_PER_BLOCK * PFS_INODES_PER_BLOCK + PFS_INODES_PER_BLOCK;
	s->inode_bitmap = 1;
	s->inode_bitmap_blocks = (s->inodes + BITS_PER_BLOCK - 1) / BITS_PER_BLOCK;
	s->block_bitmap = s->inode_bitmap + s->inode_bitmap_blocks;
	s->block_bitmap_blocks = (blocks + BITS_PER_BLOCK - 1) / BITS_PER_BLOCK;
	s->inode_table = s->block_bitmap + s->block_bitmap_blocks;
	s->inode_table_blocks = s->inodes / PFS_INODES_PER_BLOCK;
	s->journal_blocks = journal_blocks;
	s->journal = s->journal_blocks ? s->inode_table + s->inode_table_blocks : 0;
	s->first_data = s->inode_table + s->inode_table_blocks + s->journal_blocks;
	if (s->first_data >= blocks)
		return -ENOSPC;
	if (journal_blocks)
		*(struct pfs_log *)pfs_block(img, s->journal) = (struct pfs_log){
			.magic = PFS_JOURNAL_MAGIC, .kind = PFS_LOG_HEADER, .sequence = 1, .mode = PFS_JOURNAL_REDO};
	for (uint32_t b = 0; b < s->first_data; b++)
		set_bit(img, s->block_bitmap, b);
	/* Bits for blocks and inodes that do not exist are set, so that no search finds them. */
	for (uint32_t b = blocks; b < s->block_bitmap_blocks * BITS_PER_BLOCK; b++)
		set_bit(img, s->block_bitmap, b);
	for (uint32_t i = s->inodes; i < s->inode_bitmap_blocks * BITS_PER_BLOCK; i++)
		set_bit(img, s->inode_bitmap, i);
	set_bit(img, s->inode_bitmap, 0);
	img->next_free = s->first_data;
	return new_directory(img, 0) == PFS_ROOT_INO ? 0 : -ENOSPC;
}

/* Walk the directories of path, making those that are missing; *name is what follows the last slash. */
static int open_parent(struct pfs_image *img, const char *path, uint32_t *dir, const char **name)
{
	if (*path != '/')
		return -EINVAL;
	*dir = PFS_ROOT_INO;
	for (*name = ++path; (path = strchr(path, '/')); *name = ++path) {
		size_t len = path - *name;
		if (len == 0)
			continue;
		uint32_t ino = pfs_lookup(img, *dir, *name, len);
		if (!ino) {
			if (len > PFS_NAME_MAX)
				return -ENAMETOOLONG;
			if (!(ino = new_directory(img, *dir)))
				return -ENOSPC;
			int error = add_entry(img, *dir, *name, len, ino);
			if (error)
				return error;
		}
		if (!S_ISDIR(pfs_inode(img, ino)->mode))
			return -ENOTDIR;
		*dir = ino;
	}
	return 0;
}

int pfs_make_dir(struct pfs_image *img, const char *path)
{
	uint32_t dir;
	const char *name;
	char with_slash[1024];

	if (strlen(path) + 2 > sizeof(with_slash))
		return -ENAMETOOLONG;
	strcpy(with_slash, path);
	strcat(with_slash, "/");
	return open_parent(img, with_slash, &dir, &name);
}

int pfs_make_file(struct pfs_image *img, const char *path, unsigned permissions, const void *data, size_t size)
{
	uint32_t dir, ino;
	const char *name;
	int error = open_parent(img, path, &dir, &name);

	if (error)
		return error;
	if (pfs_lookup(img, dir, name, strlen(name)))
		return -EEXIST;
	if (size > UINT32_MAX)
		return -EFBIG;
	if (!(ino = alloc_inode(img, S_IFREG | permissions)))
		return -ENOSPC;
	struct pfs_inode *inode = pfs_inode(img, ino);
	inode->links = 1;
	inode->size = size;
	for (uint32_t i = 0; (size_t)i * PFS_BLOCK_SIZE < size; i++) {
		size_t at = (size_t)i * PFS_BLOCK_SIZE, part = size - at < PFS_BLOCK_SIZE ? size - at : PFS_BLOCK_SIZE;
		uint8_t *b = file_block(img, inode, i);
		if (!b)
			return -ENOSPC;
		memcpy(b, (const char *)data + at, part);
	}
	return add_entry(img, dir, name, strlen(name), ino);
}

void pfs_release(struct pfs_image *img)
{
	free(img->base);
	img->base = NULL;
}
