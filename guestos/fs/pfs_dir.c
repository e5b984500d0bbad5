/* guestos/fs/pfs_dir.c: directories: from names to inodes. The operations that change names are in pfs_name.c.
 *
 * Paths arrive absolute and normal: no ".", no "..", no doubled slash (file.c sees to that), so walking never goes up. Every directory
 * still has "." and ".." entries, because they are part of the format; links count them. */
#include "pfs_private.h"

int dir_next(struct inode *dp, uint32_t *pos, struct pfs_dirent *e)
{
	while (*pos + sizeof *e <= dp->d.size) {
		struct frame *f;
		uint32_t block;
		int err = inode_map(dp, *pos / PFS_BLOCK_SIZE, false, &block);
		if (!err && !block) {
			*pos = (*pos / PFS_BLOCK_SIZE + 1) * PFS_BLOCK_SIZE;
			continue;
		}
		if (err || (err = block_read(block, &f)))
			return err;
		do {
			memcpy(e, (char *)frame_va(f) + *pos % PFS_BLOCK_SIZE, sizeof *e);
			*pos += sizeof *e;
		} while (!e->ino && *pos % PFS_BLOCK_SIZE && *pos < dp->d.size);
		block_put(f);
		e->name[PFS_NAME_MAX] = 0;
		if (e->ino)
			return 1;
	}
	return 0;
}

int dir_find(struct inode *dp, const char *name, uint32_t *ino, uint32_t *where)
{
	struct pfs_dirent e;
	uint32_t pos = 0;
	int r;
	while ((r = dir_next(dp, &pos, &e)) == 1)
		if (!strcmp(e.name, name)) {
			*ino = e.ino;
			if (where)
				*where = pos - sizeof e;
			return 0;
		}
	return r ? r : -ENOENT;
}

int dir_put(struct inode *dp, uint32_t pos, const struct pfs_dirent *e)
{
	struct frame *f;
	uint32_t block;
	int r = inode_map(dp, pos / PFS_BLOCK_SIZE, true, &block);
	if (r >= 0)
		r = r ? block_zeroed(block, &f) : block_read(block, &f);
	if (r < 0)
		return r;
	memcpy((char *)frame_va(f) + pos % PFS_BLOCK_SIZE, e, sizeof *e);
	block_write(f);
	block_put(f);
	if (pos + sizeof *e > dp->d.size)
		dp->d.size = (pos / PFS_BLOCK_SIZE + 1) * PFS_BLOCK_SIZE;
	dp->d.mtime = boot_time + ticks / HZ;
	return inode_write(dp);
}

int dir_add(struct inode *dp, const char *name, uint32_t ino)
{
	struct pfs_dirent e;
	uint32_t free = dp->d.size;
	for (uint32_t pos = 0; pos < dp->d.size; pos += sizeof e) {
		uint32_t next = pos;
		int r = dir_next(dp, &next, &e);
		if (r < 0)
			return r;
		if (!r || next != pos + sizeof e) {
			free = pos;
			break;
		}
	}
	memset(&e, 0, sizeof e);
	e.ino = ino;
	strlcpy(e.name, name, sizeof e.name);
	return dir_put(dp, free, &e);
}

int dir_remove(struct inode *dp, uint32_t pos)
{
	static const struct pfs_dirent none;
	return dir_put(dp, pos, &none);
}

/* The next component of *path into name: 1, 0 at the end, or -ENAMETOOLONG. */
static int component(const char **path, char name[PFS_NAME_MAX + 1])
{
	const char *p = *path;
	uint32_t n = 0;
	while (*p == '/')
		p++;
	while (p[n] && p[n] != '/')
		n++;
	*path = p + n;
	if (n > PFS_NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, p, n);
	name[n] = 0;
	return n > 0;
}

int dir_walk(const char *path, struct inode **out, char *last)
{
	char name[PFS_NAME_MAX + 1];
	struct inode *ip, *next;
	int err = inode_named(PFS_ROOT_INO, &ip), r;
	if (err)
		return err;
	while ((r = component(&path, name)) > 0) {
		uint32_t ino;
		bool final = !*path;
		err = S_ISDIR(ip->d.mode) ? 0 : -ENOTDIR;
		if (!err && final && last) {
			strlcpy(last, name, PFS_NAME_MAX + 1);
			*out = ip;
			return 0;
		}
		if (!err)
			err = dir_find(ip, name, &ino, NULL);
		if (!err)
			err = inode_named(ino, &next);
		inode_release(ip);
		if (err)
			return err;
		ip = next;
	}
	if (r < 0 || last) {                   /* last: the root has no name in any directory */
		inode_release(ip);
		return r < 0 ? r : -EBUSY;
	}
	*out = ip;
	return 0;
}

int pfs_lookup(const char *path, struct inode **out)
{
	mutex_lock(&fs_lock);
	int err = dir_walk(path, out, NULL);
	mutex_unlock(&fs_lock);
	return err;
}

int dir_check_empty(struct inode *dp)
{
	struct pfs_dirent e;
	uint32_t pos = 0;
	int r;
	while ((r = dir_next(dp, &pos, &e)) == 1)
		if (strcmp(e.name, ".") && strcmp(e.name, ".."))
			return -ENOTEMPTY;
	return r;
}
