/* guestos/fs/pfs.c: PFS: mounting, the metadata buffer cache, the block bitmap. The format is in include/pfs.h.
 *
 * Metadata blocks are page-cache frames named (OBJECT_DEVICE, block), pinned while somebody looks at them; file contents are frames
 * named (inode, page). A block has only one of the two names at a time: block_release() drops the metadata name when
 * the block is freed. All changes of metadata go through block_write(), which makes them part of a transaction (journal.c).
 * fs_lock is held throughout; nothing here touches user memory. */
#include "pfs_private.h"
#include "pfs_journal.h"
#include "dev.h"

struct mutex fs_lock;
struct pfs_super super;
static uint32_t block_hint;

int block_read(uint32_t block, struct frame **out)
{
	int r = cache_get(OBJECT_DEVICE, block, block, out);
	return r < 0 ? r : 0;
}

int block_zeroed(uint32_t block, struct frame **out)
{
	return cache_get_zeroed(OBJECT_DEVICE, block, block, out);
}

void block_write(struct frame *f) { journal_add(f); }
void block_put(struct frame *f) { frame_unpin(f); }

bool block_valid(uint32_t block)
{
	return block >= super.first_data && block < super.blocks;
}

/* Next free bit at or after the hint, then from the start. */
int block_alloc(uint32_t *out)
{
	uint32_t start = max(block_hint, super.first_data);
	for (uint32_t tried = 0, b = start; tried < super.blocks - super.first_data;) {
		struct frame *f;
		int err = block_read(super.block_bitmap + b / BITS_PER_BLOCK, &f);
		if (err)
			return err;
		uint32_t *words = frame_va(f), end = min(super.blocks, (b / BITS_PER_BLOCK + 1) * BITS_PER_BLOCK);
		for (; b < end; b++, tried++) {
			uint32_t *w = &words[b % BITS_PER_BLOCK / 32];
			if (*w & 1u << b % 32 || !journal_may_use(b))
				continue;
			*w |= 1u << b % 32;
			block_write(f);
			block_put(f);
			block_hint = b + 1;
			*out = b;
			return 0;
		}
		block_put(f);
		if (b >= super.blocks)
			b = super.first_data;
	}
	return -ENOSPC;
}

void block_release(uint32_t block)
{
	struct frame *f;
	if (!block_valid(block))
		return;                        /* a damaged inode may name the bitmaps, or the log */
	cache_remove(OBJECT_DEVICE, block);
	if (block_read(super.block_bitmap + block / BITS_PER_BLOCK, &f))
		return;
	((uint32_t *)frame_va(f))[block % BITS_PER_BLOCK / 32] &= ~(1u << block % 32);
	block_write(f);
	block_put(f);
	journal_free(block);
	block_hint = min(block_hint, block);
}

static bool super_ok(const struct pfs_super *s)
{
	return s->magic == PFS_MAGIC && (s->version == 1 || s->version == 2) && s->blocks <= disk_fs_blocks() && s->first_data < s->blocks
		&& s->block_bitmap && s->block_bitmap < s->first_data && s->inode_bitmap && s->inode_bitmap < s->first_data
		&& s->inode_table && s->inode_table < s->first_data && s->inode_table_blocks <= s->first_data - s->inode_table
		&& s->block_bitmap_blocks <= s->first_data - s->block_bitmap && s->inode_bitmap_blocks <= s->first_data - s->inode_bitmap
		&& (s->blocks - 1) / BITS_PER_BLOCK < s->block_bitmap_blocks
		&& s->inodes > PFS_ROOT_INO && (s->inodes - 1) / BITS_PER_BLOCK < s->inode_bitmap_blocks
		&& (s->inodes - 1) / PFS_INODES_PER_BLOCK < s->inode_table_blocks;
}

int pfs_mount(void)
{
	struct frame *f;
	struct inode *root = NULL;
	mutex_lock(&fs_lock);
	int err = block_read(0, &f);
	if (!err) {
		memcpy(&super, frame_va(f), sizeof super);
		block_put(f);
		err = super_ok(&super) ? journal_mount() : -EINVAL;
	}
	if (!err)
		err = inode_named(PFS_ROOT_INO, &root);
	if (!err && !S_ISDIR(root->d.mode))
		err = -EINVAL;
	if (!err && journal.in_use)
		err = inode_free_nameless(true);
	fs_end();
	if (err)
		printk("hda: the file system is damaged or of another version\n");
	return err;
}

/* Bits that are 0 among the first n of a bitmap that starts at a block. */
static int count_free(uint32_t bitmap, uint32_t n, uint32_t *free)
{
	*free = 0;
	for (uint32_t at = 0; at < n; at += BITS_PER_BLOCK) {
		struct frame *f;
		int err = block_read(bitmap + at / BITS_PER_BLOCK, &f);
		if (err)
			return err;
		const uint32_t *words = frame_va(f);
		for (uint32_t i = 0; i < min(BITS_PER_BLOCK, n - at); i++)
			*free += !(words[i / 32] >> i % 32 & 1);
		block_put(f);
	}
	return 0;
}

int pfs_usage(struct pfs_usage *u)
{
	mutex_lock(&fs_lock);
	u->blocks = super.blocks;
	u->inodes = super.inodes;
	int err = count_free(super.block_bitmap, super.blocks, &u->free_blocks);
	if (!err)
		err = count_free(super.inode_bitmap, super.inodes, &u->free_inodes);
	mutex_unlock(&fs_lock);
	return err;
}

/* Waits for whoever is in the middle of an operation and keeps the lock for good. */
void pfs_unmount(void)
{
	mutex_lock(&fs_lock);
	inode_free_nameless(false);
	journal_commit();
	journal_unmount();
}

int fs_begin(void)
{
	mutex_lock(&fs_lock);
	int err = journal_begin();
	if (err)
		mutex_unlock(&fs_lock);
	return err;
}

bool commit_makes_room(int err) { return err == -ENOSPC && journal_could_free() && !pfs_sync(); }

void fs_end(void)
{
	journal.begun = false;
	mutex_unlock(&fs_lock);
}

/* After this everything done so far survives a crash. Most data is written before the lock is taken, so that others can go on. */
int pfs_sync(void)
{
	int err = cache_sync(false);
	mutex_lock(&fs_lock);
	int err2 = journal_commit();
	mutex_unlock(&fs_lock);
	return err ? err : err2;
}
