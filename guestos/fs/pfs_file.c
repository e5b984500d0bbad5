/* guestos/fs/pfs_file.c: the contents of files, through the page cache.
 *
 * A write first copies from the user into frames of its own, without fs_lock (the copy may fault, and the fault may need the lock), and then
 * changes the file under it, in one operation. */
#include "pfs_journal.h"

#define WRITE_PAGES 8u                 /* of one operation: a write of at most 28 KB is whole after a crash wherever it begins */

/* A page of the file, pinned. What lies on the disk behind the end of the file is not believed: a write that was never committed may
 * have left it there. Block 0: a hole. 1 if it was read now, 0, or a negative error. */
int page_get(struct inode *ip, uint32_t index, uint32_t block, struct frame **f)
{
	int r = cache_get(ip->ino, index, block, f);
	if (r == 1 && index == ip->d.size / PAGE_SIZE)
		memset((char *)frame_va(*f) + ip->d.size % PAGE_SIZE, 0, PAGE_SIZE - ip->d.size % PAGE_SIZE);
	return r;
}

/* Zero the page that holds byte `size` from there on, so that a file that grows shows zeroes. */
int zero_tail(struct inode *ip, uint32_t size, bool shrinking)
{
	struct frame *f;
	uint32_t block;
	if (!(size % PAGE_SIZE))
		return 0;
	int r = inode_map(ip, size / PAGE_SIZE, false, &block);
	if (r >= 0)
		r = page_get(ip, size / PAGE_SIZE, block, &f);
	if (r < 0)
		return r;
	memset((char *)frame_va(f) + size % PAGE_SIZE, 0, PAGE_SIZE - size % PAGE_SIZE);
	if (block && shrinking)
		journal_add(f);                /* the zeroes are where the file still has data if this is not committed */
	else if (block)
		f->flags |= FRAME_DIRTY;
	frame_unpin(f);
	return 0;
}

/* The frame with a page of the file, pinned: 1 if it was read from the disk, 0 if it was in memory, or a negative error. */
int pfs_page(struct inode *ip, uint32_t index, struct frame **out)
{
	uint32_t block;
	if (index >= page_up(ip->d.size) / PAGE_SIZE)
		return -EINVAL;
	if ((*out = cache_find(ip->ino, index)))
		return 0;
	mutex_lock(&fs_lock);
	int r = index >= page_up(ip->d.size) / PAGE_SIZE ? -EINVAL : inode_map(ip, index, false, &block);
	if (!r)
		r = page_get(ip, index, block, out);
	mutex_unlock(&fs_lock);
	return r;
}

/* The same for a guess. What is there stays as it is; a hole needs no frame; and nobody is told of an error, but the reader stops. */
int pfs_page_ahead(struct inode *ip, uint32_t index)
{
	struct frame *f;
	uint32_t block;
	if (index >= page_up(ip->d.size) / PAGE_SIZE)
		return -EINVAL;
	if (cache_has(ip->ino, index))
		return 0;
	mutex_lock(&fs_lock);
	int r = index >= page_up(ip->d.size) / PAGE_SIZE ? -EINVAL : inode_map(ip, index, false, &block);
	if (!r && block && !cache_has(ip->ino, index)) {
		r = page_get(ip, index, block, &f);
		if (r == 1)
			prefetch_mark(f);
		if (r >= 0)
			frame_unpin(f);
	}
	mutex_unlock(&fs_lock);
	return min(r, 0);
}

static int give_block(struct inode *ip, uint32_t index, struct frame *f)
{
	uint32_t block;
	int r = fs_begin();
	if (r)
		return r;
	r = f->flags & FRAME_ORPHAN || index >= page_up(ip->d.size) / PAGE_SIZE ? -EINVAL : inode_map(ip, index, true, &block);
	if (r >= 0) {
		f->block = block;
		f->flags |= FRAME_DIRTY;
	}
	if (r != -EINVAL) {
		int err = inode_write(ip);     /* also if only an indirect block was allocated */
		r = r < 0 ? r : err;
	}
	fs_end();
	return r;
}

/* A shared mapping is about to write to a page that lies in a hole: it gets a block. -ENOSPC; -EINVAL if the file has lost the page. */
int pfs_page_give_block(struct inode *ip, uint32_t index, struct frame *f)
{
	int r;
	do
		r = give_block(ip, index, f);
	while (commit_makes_room(r));
	return r;
}

/* For the kernel itself: headers of programs, the log of programs' transactions. Bytes read: fewer at the end of the file. */
int pfs_read_kernel(struct inode *ip, void *to, uint32_t n, uint32_t pos)
{
	uint32_t done = 0;
	while (done < n && pos + done < ip->d.size) {
		struct frame *f;
		uint32_t at = (pos + done) % PAGE_SIZE, piece = min(min(n - done, PAGE_SIZE - at), ip->d.size - pos - done);
		int err = pfs_page(ip, (pos + done) / PAGE_SIZE, &f);
		if (err < 0)
			return err;
		memcpy((char *)to + done, (char *)frame_va(f) + at, piece);
		frame_unpin(f);
		done += piece;
	}
	return done;
}

/* One page's part of a write. A block that the file had already is changed through the log, so that a crash leaves all of the old or all of
 * the new bytes; a new one, or bytes after the end, can go home at once: nothing leads there until the commit. */
static int store_page(struct inode *ip, uint32_t pos, const void *from, uint32_t n)
{
	struct frame *f;
	uint32_t block, index = pos / PAGE_SIZE;
	int r = inode_map(ip, index, false, &block);
	if (r < 0 || (r = page_get(ip, index, block, &f)) < 0)
		return r;
	bool fresh = !block;
	r = fresh ? inode_map(ip, index, true, &block) : 0;
	if (r < 0) {
		frame_unpin(f);
		return r;
	}
	while (f->flags & FRAME_BUSY)
		frame_wait(f);
	f->block = block;
	memcpy((char *)frame_va(f) + pos % PAGE_SIZE, from, n);
	if (!fresh && pos < ip->d.size)
		journal_add(f);
	else
		f->flags |= FRAME_DIRTY;
	frame_unpin(f);
	ip->d.size = max(ip->d.size, pos + n);
	return 0;
}

/* One operation: bytes of the kernel's become part of the file. Bytes stored, or an error. */
int pfs_write_kernel(struct inode *ip, const void *from, uint32_t n, uint32_t pos)
{
	uint32_t done = 0;
	int err = fs_begin();
	if (err)
		return err;
	while (!err && done < n) {
		uint32_t piece = min(n - done, PAGE_SIZE - (pos + done) % PAGE_SIZE);
		err = store_page(ip, pos + done, (const char *)from + done, piece);
		done += err ? 0 : piece;
	}
	ip->d.mtime = boot_time + ticks / HZ;
	int err2 = inode_write(ip);
	fs_end();
	return err ? err : err2 ? err2 : (int)done;
}

static int file_read(struct file *file, uaddr_t to, uint32_t n, uint32_t pos)
{
	struct inode *ip = file->inode;
	uint32_t done = 0;
	if (S_ISDIR(ip->d.mode))
		return -EISDIR;
	int refused = txn_any() ? txn_access(file, n, pos, false) : 0;
	if (refused)
		return refused;
	while (done < n && pos + done < ip->d.size && !current->killed) {
		struct frame *f;
		uint32_t at = (pos + done) % PAGE_SIZE, piece = min(min(n - done, PAGE_SIZE - at), ip->d.size - pos - done);
		int err = pfs_page(ip, (pos + done) / PAGE_SIZE, &f);
		if (err >= 0) {
			err = copy_to_user(to + done, (char *)frame_va(f) + at, piece);
			frame_unpin(f);
		}
		if (err)
			return done ? (int)done : err;
		prefetch_read(file, (pos + done) / PAGE_SIZE);
		done += piece;
	}
	return done;
}

/* One operation: bytes that are in kernel frames, as they lie in the pages of the file, become part of it. Bytes stored, or an error. */
static int store(struct inode *ip, struct frame **data, uint32_t n, uint32_t pos)
{
	uint32_t done = 0;
	int err = fs_begin();
	if (err)
		return err;
	if (pos > ip->d.size)
		err = zero_tail(ip, ip->d.size, false);
	while (!err && done < n) {
		uint32_t at = (pos + done) % PAGE_SIZE, piece = min(n - done, PAGE_SIZE - at);
		err = store_page(ip, pos + done, (char *)frame_va(*data++) + at, piece);
		done += err ? 0 : piece;
	}
	ip->d.mtime = boot_time + ticks / HZ;
	int err2 = inode_write(ip);            /* also after an error: it may have got an indirect block before the disk was full */
	fs_end();
	return done ? (int)done : err ? err : err2;
}

/* The user's bytes, up to the first page that cannot be read. No lock is held: the copy may fault, and the fault may need it. */
static uint32_t fetch(struct frame **data, uaddr_t from, uint32_t n, uint32_t pos)
{
	uint32_t done = 0;
	while (done < n) {
		uint32_t at = (pos + done) % PAGE_SIZE, piece = min(n - done, PAGE_SIZE - at);
		if (copy_from_user((char *)frame_va(*data++) + at, from + done, piece))
			break;
		done += piece;
	}
	return done;
}

/* As many frames as the write has pages, if they can be had; more than one only while memory is not scarce. */
static uint32_t get_frames(struct frame **data, uint32_t wanted)
{
	uint32_t n = 0;
	while (n < min(wanted, WRITE_PAGES) && (data[n] = frame_alloc(n ? ALLOC_USER : ALLOC_KERNEL)))
		n++;
	return n;
}

static int write_pieces(struct inode *ip, struct frame **data, uint32_t frames, uaddr_t from, uint32_t n, uint32_t pos)
{
	uint32_t done = 0;
	while (done < n && !current->killed) {
		uint32_t piece = min(n - done, frames * PAGE_SIZE - (pos + done) % PAGE_SIZE);
		if (pos + done >= FILE_SIZE_MAX)
			return done ? (int)done : -EFBIG;
		piece = min(piece, FILE_SIZE_MAX - pos - done);
		uint32_t got = fetch(data, from + done, piece, pos + done);
		int r = got ? store(ip, data, got, pos + done) : -EFAULT;
		if (commit_makes_room(r))
			continue;
		if (r < 0)
			return done ? (int)done : r;
		done += r;
	}
	return done;
}

static int file_write(struct file *file, uaddr_t from, uint32_t n, uint32_t pos)
{
	struct frame *data[WRITE_PAGES];
	int refused = txn_any() ? txn_access(file, n, pos, true) : 0;
	if (refused)
		return refused;
	uint32_t frames = n ? get_frames(data, page_up(pos % PAGE_SIZE + n) / PAGE_SIZE) : 0;
	int r = frames ? write_pieces(file->inode, data, frames, from, n, pos) : n ? -ENOMEM : 0;
	while (frames)
		frame_free(data[--frames]);
	if (r > 0 && file->flags & O_DSYNC) {
		int err = pfs_sync();
		r = err ? err : r;
	}
	return r;
}

static int file_next_entry(struct file *file, uint32_t *pos, struct dir_entry *out)
{
	struct pfs_dirent e;
	if (!S_ISDIR(file->inode->d.mode))
		return -ENOTDIR;
	mutex_lock(&fs_lock);
	int r = dir_next(file->inode, pos, &e);
	if (r == 1) {
		struct inode *ip;
		out->ino = e.ino;
		strlcpy(out->name, e.name, sizeof out->name);
		out->type = 0;
		if (!inode_named(e.ino, &ip)) {
			out->type = DT_OF(ip->d.mode);
			inode_release(ip);
		}
	}
	mutex_unlock(&fs_lock);
	return r;
}

static int file_stat(struct file *file, struct stat_info *st)
{
	const struct inode *ip = file->inode;
	*st = (struct stat_info){ .dev = DEV_PFS, .ino = ip->ino, .mode = ip->d.mode, .nlink = ip->d.links, .size = ip->d.size,
		.blocks = ip->d.blocks * PFS_SECTORS_PER_BLOCK, .mtime = ip->d.mtime };
	return 0;
}

static void file_close(struct file *file)
{
	if (txn_any())
		txn_close(file);
	inode_put(file->inode);
}

const struct file_ops pfs_file_ops = {
	.read = file_read, .write = file_write, .next_entry = file_next_entry, .stat = file_stat, .ioctl = txn_ioctl, .close = file_close,
	.seekable = true,
};
