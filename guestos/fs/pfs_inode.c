/* guestos/fs/pfs_inode.c: inodes: which there are, and which blocks each has.
 *
 * An inode in memory exists once per number, with a reference for each open file, region and look-up under way. When the last
 * reference goes and no name is left, its blocks are freed. */
#include "pfs_private.h"
#include "pfs_journal.h"
#include "dev.h"

#define MAX_PAGES (PFS_DIRECT + PFS_PER_INDIRECT + PFS_PER_INDIRECT * PFS_PER_INDIRECT)

static struct inode *inodes;

static int inode_block(uint32_t ino, struct frame **f, struct pfs_inode **d)
{
	int err = block_read(super.inode_table + ino / PFS_INODES_PER_BLOCK, f);
	if (!err)
		*d = (struct pfs_inode *)frame_va(*f) + ino % PFS_INODES_PER_BLOCK;
	return err;
}

int inode_load(uint32_t ino, struct inode **out)
{
	struct frame *f;
	struct pfs_inode *d;
	if (!ino || ino >= super.inodes)
		return -EIO;
	struct inode *ip = kmalloc(sizeof *ip);
	if (!ip)
		return -ENOMEM;
	for (struct inode *i = inodes; i; i = i->next)
		if (i->ino == ino) {
			i->refs++;
			*out = i;
			kfree(ip);
			return 0;
		}
	int err = inode_block(ino, &f, &d);
	if (err) {
		kfree(ip);
		return err;
	}
	*ip = (struct inode){ .next = inodes, .ino = ino, .refs = 1, .d = *d };
	inodes = *out = ip;
	block_put(f);
	return 0;
}

int inode_write(struct inode *ip)
{
	struct frame *f;
	struct pfs_inode *d;
	int err = inode_block(ip->ino, &f, &d);
	if (err)
		return err;
	*d = ip->d;
	block_write(f);
	block_put(f);
	return 0;
}

/* The word of the bitmap that has this inode's bit, in a frame to be put back. */
static int bitmap_word(uint32_t ino, struct frame **f, uint32_t **word)
{
	int err = block_read(super.inode_bitmap + ino / BITS_PER_BLOCK, f);
	if (!err)
		*word = (uint32_t *)frame_va(*f) + ino % BITS_PER_BLOCK / 32;
	return err;
}

static int bitmap_change(uint32_t ino, bool set)
{
	struct frame *f;
	uint32_t *w;
	int err = bitmap_word(ino, &f, &w);
	if (err)
		return err;
	*w = set ? *w | 1u << ino % 32 : *w & ~(1u << ino % 32);
	block_write(f);
	block_put(f);
	return 0;
}

static int in_use(uint32_t ino, bool *used)
{
	struct frame *f;
	uint32_t *w;
	int err = bitmap_word(ino, &f, &w);
	if (err)
		return err;
	*used = *w & 1u << ino % 32;
	block_put(f);
	return 0;
}

int inode_alloc(uint32_t mode, struct inode **out)
{
	for (uint32_t ino = PFS_ROOT_INO; ino < super.inodes; ino++) {
		bool used;
		int err = in_use(ino, &used);
		if (err)
			return err;
		if (used)
			continue;
		err = inode_load(ino, out);
		if (!err)
			err = bitmap_change(ino, true);
		if (err)
			return err;
		(*out)->d = (struct pfs_inode){ .mode = mode, .mtime = boot_time + ticks / HZ };
		return inode_write(*out);
	}
	return -ENOSPC;
}

/* The pointer to page index lives in the inode or in an indirect block; either way *slot, and *holder is that block if it is one. */
static int follow(struct inode *ip, uint32_t *slot, struct frame **holder, bool alloc)
{
	struct frame *next;
	uint32_t block = *slot;
	bool fresh = !block;
	if (fresh) {
		if (!alloc)
			return -ENOENT;
		int err = block_alloc(&block);
		if (err)
			return err;
		*slot = block;
		ip->d.blocks++;
		if (*holder)
			block_write(*holder);
	} else if (!block_valid(block)) {
		printk("pfs: inode %u points to block %u, which does not exist\n", ip->ino, block);
		return -EIO;
	}
	int err = fresh ? block_zeroed(block, &next) : block_read(block, &next);
	if (*holder)
		block_put(*holder);
	*holder = NULL;
	if (err)
		return err;
	if (fresh)
		block_write(next);
	*holder = next;
	return 0;
}

/* The block that holds a page of the file; 0 is a hole (only without alloc). 1 if it was allocated now, 0, or a negative error. */
int inode_map(struct inode *ip, uint32_t index, bool alloc, uint32_t *block)
{
	struct frame *holder = NULL;
	uint32_t *slot = NULL;
	int err = 0;
	*block = 0;
	if (index >= MAX_PAGES)
		return -EFBIG;
	if (index >= PFS_DIRECT + PFS_PER_INDIRECT) {
		uint32_t n = index - PFS_DIRECT - PFS_PER_INDIRECT;
		err = follow(ip, &ip->d.double_indirect, &holder, alloc);
		if (!err)
			err = follow(ip, (uint32_t *)frame_va(holder) + n / PFS_PER_INDIRECT, &holder, alloc);
		if (!err)
			slot = (uint32_t *)frame_va(holder) + n % PFS_PER_INDIRECT;
	} else if (index >= PFS_DIRECT) {
		err = follow(ip, &ip->d.indirect, &holder, alloc);
		if (!err)
			slot = (uint32_t *)frame_va(holder) + (index - PFS_DIRECT);
	} else {
		slot = &ip->d.direct[index];
	}
	if (!err && !*slot && alloc) {
		err = block_alloc(block);
		if (!err) {
			*slot = *block;
			ip->d.blocks++;
			if (holder)
				block_write(holder);
			err = 1;
		}
	} else if (!err && *slot && !block_valid(*slot)) {
		printk("pfs: inode %u points to block %u, which does not exist\n", ip->ino, *slot);
		err = -EIO;
	} else if (!err) {
		*block = *slot;
	}
	if (holder)
		block_put(holder);
	return err == -ENOENT ? 0 : err;
}

/* Free what a pointer leads to from page `first` of its part on; depth 0 is a data block. True if the pointer is now empty. */
static bool release_tree(struct inode *ip, uint32_t *slot, int depth, uint32_t first)
{
	if (!*slot)
		return true;
	uint32_t span = depth == 2 ? PFS_PER_INDIRECT : 1;
	if (depth) {
		struct frame *f;
		bool empty = true;
		if (!block_valid(*slot) || block_read(*slot, &f))
			return false;
		uint32_t *table = frame_va(f);
		for (uint32_t i = 0; i < PFS_PER_INDIRECT; i++) {
			if ((i + 1) * span <= first)
				empty &= !table[i];
			else
				empty &= release_tree(ip, &table[i], depth - 1, first > i * span ? first - i * span : 0);
		}
		if (!empty)
			block_write(f);        /* a table that is freed whole need not be logged */
		block_put(f);
		if (!empty)
			return false;
	}
	block_release(*slot);
	*slot = 0;
	ip->d.blocks--;
	return true;
}

static int inode_truncate(struct inode *ip, uint32_t size)
{
	uint32_t first = page_up(size) / PAGE_SIZE;
	int err = zero_tail(ip, min(size, ip->d.size), size < ip->d.size);
	if (err)
		return err;
	if (size < ip->d.size || !size) {
		cache_remove_from(ip->ino, first);
		for (uint32_t i = first; i < PFS_DIRECT; i++)
			release_tree(ip, &ip->d.direct[i], 0, 0);
		uint32_t skip = first > PFS_DIRECT ? first - PFS_DIRECT : 0;
		release_tree(ip, &ip->d.indirect, 1, skip);
		release_tree(ip, &ip->d.double_indirect, 2, skip > PFS_PER_INDIRECT ? skip - PFS_PER_INDIRECT : 0);
	}
	ip->d.size = size;
	ip->d.mtime = boot_time + ticks / HZ;
	return inode_write(ip);
}

static void free_on_disk(struct inode *ip)
{
	inode_truncate(ip, 0);
	ip->d.mode = 0;
	inode_write(ip);
	bitmap_change(ip->ino, false);
}

static int free_if_nameless(uint32_t ino)
{
	struct inode *ip;
	bool used;
	int err = in_use(ino, &used);
	if (err || !used)
		return err;
	err = journal_begin();
	if (!err && !(err = inode_load(ino, &ip)))
		inode_release(ip);             /* frees it if it has no links */
	return err;
}

/* Files that were unlinked while open: those in memory when the machine goes down, or, after it went down without asking, those on the disk. */
int inode_free_nameless(bool on_disk)
{
	int err = 0;
	for (uint32_t ino = PFS_ROOT_INO; on_disk && !err && ino < super.inodes; ino++)
		err = free_if_nameless(ino);
	for (struct inode *ip = inodes; !on_disk && !err && ip; ip = ip->next)
		if (!ip->d.links && !(err = journal_begin()))
			free_on_disk(ip);
	return err;
}

static void drop(struct inode *ip)
{
	if (--ip->refs)
		return;
	struct inode **link = &inodes;
	while (*link != ip)
		link = &(*link)->next;
	*link = ip->next;
	kfree(ip->path);
	kfree(ip);
}

/* Give up a reference with fs_lock held; if it may be the last of an inode without a name, in an operation. */
void inode_release(struct inode *ip)
{
	if (ip->refs == 1 && !ip->d.links)
		free_on_disk(ip);
	drop(ip);
}

/* The inode that a name leads to. Only on a damaged disk is there one without links; it is nobody's to free, least of all by looking. */
int inode_named(uint32_t ino, struct inode **out)
{
	int err = inode_load(ino, out);
	if (err || (*out)->d.links)
		return err;
	printk("pfs: a name leads to inode %u, which has none\n", ino);
	drop(*out);
	return -EIO;
}

void inode_get(struct inode *ip) { ip->refs++; }

/* Without memory there is just no name to show. */
void inode_remember_path(struct inode *ip, const char *path)
{
	char *copy = ip->path ? NULL : kstrdup(path);
	if (ip->path)
		kfree(copy);                   /* somebody was faster */
	else
		ip->path = copy;
}

void inode_put(struct inode *ip)
{
	if (ip->refs > 1) {
		ip->refs--;
		return;
	}
	mutex_lock(&fs_lock);
	journal_begin();                       /* if it fails, what follows changes memory only */
	inode_release(ip);
	fs_end();
}

int pfs_set_attributes(struct inode *ip, const uint32_t *mode, const uint32_t *mtime)
{
	int err = fs_begin();
	if (err)
		return err;
	if (mode)
		ip->d.mode = (ip->d.mode & S_IFMT) | (*mode & ~S_IFMT);
	if (mtime)
		ip->d.mtime = *mtime;
	err = mode || mtime ? inode_write(ip) : 0;
	fs_end();
	return err;
}

int pfs_truncate(struct inode *ip, uint32_t size)
{
	if (size / PAGE_SIZE >= MAX_PAGES)
		return -EFBIG;
	int err = fs_begin();
	if (err)
		return err;
	err = inode_truncate(ip, size);
	fs_end();
	return err;
}
