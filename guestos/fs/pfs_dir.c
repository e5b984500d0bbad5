/* guestos/fs/pfs_dir.c: directories: names to inodes, and the operations that change names.
 *
 * Paths arrive absolute and normal: no ".", no "..", no doubled slash (file.c sees to that), so walking never goes up. Every directory
 * still has "." and ".." entries, because they are part of the format; links count them. */
#include "pfs_private.h"

/* Next entry in use at or after *pos; 1, 0 at the end, or an error. */
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

/* Inode number of a name and, if wanted, where the entry is. */
static int find(struct inode *dp, const char *name, uint32_t *ino, uint32_t *where)
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

static int put_entry(struct inode *dp, uint32_t pos, const struct pfs_dirent *e)
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

static int add_entry(struct inode *dp, const char *name, uint32_t ino)
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
	return put_entry(dp, free, &e);
}

static int remove_entry(struct inode *dp, uint32_t pos)
{
	static const struct pfs_dirent none;
	return put_entry(dp, pos, &none);
}

/* The next component of *path into name; false at the end. */
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

/* Walk to the inode of path, or, if last is not NULL, to its directory, leaving the final name in last. */
static int walk(const char *path, struct inode **out, char *last)
{
	char name[PFS_NAME_MAX + 1];
	struct inode *ip, *next;
	int err = inode_load(PFS_ROOT_INO, &ip), r;
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
			err = find(ip, name, &ino, NULL);
		if (!err)
			err = inode_load(ino, &next);
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
	int err = walk(path, out, NULL);
	mutex_unlock(&fs_lock);
	return err;
}

/* A new inode with a name in dp. */
static int make(struct inode *dp, const char *name, uint32_t mode, struct inode **out)
{
	int err = dp->d.links ? inode_alloc(mode, out) : -ENOENT;
	if (err)
		return err;
	struct inode *ip = *out;
	if (S_ISDIR(mode)) {
		err = add_entry(ip, ".", ip->ino);
		if (!err)
			err = add_entry(ip, "..", dp->ino);
	}
	if (!err)
		err = add_entry(dp, name, ip->ino);
	if (err) {
		inode_release(ip);             /* no links yet: frees it */
		return err;
	}
	ip->d.links = S_ISDIR(mode) ? 2 : 1;
	if (S_ISDIR(mode)) {
		dp->d.links++;
		inode_write(dp);
	}
	return inode_write(ip);
}

static int create_once(const char *path, uint32_t mode, bool exclusive, struct inode **out)
{
	char name[PFS_NAME_MAX + 1];
	struct inode *dp;
	uint32_t ino;
	int err = fs_begin();
	if (err)
		return err;
	err = walk(path, &dp, name);
	if (!err) {
		err = find(dp, name, &ino, NULL);
		if (!err)
			err = exclusive ? -EEXIST : inode_load(ino, out);
		else if (err == -ENOENT)
			err = make(dp, name, S_IFREG | (mode & 0777), out);
		inode_release(dp);
	} else if (err == -EBUSY) {
		err = -EISDIR;
	}
	fs_end();
	return err;
}

int pfs_create(const char *path, uint32_t mode, bool exclusive, struct inode **out)
{
	int err;
	do
		err = create_once(path, mode, exclusive, out);
	while (commit_makes_room(err));
	return err;
}

static int mkdir_once(const char *path, uint32_t mode)
{
	char name[PFS_NAME_MAX + 1];
	struct inode *dp, *ip;
	uint32_t ino;
	int err = fs_begin();
	if (err)
		return err;
	err = walk(path, &dp, name);
	if (!err) {
		err = find(dp, name, &ino, NULL);
		if (!err)
			err = -EEXIST;
		else if (err == -ENOENT && !(err = make(dp, name, S_IFDIR | (mode & 0777), &ip)))
			inode_release(ip);
		inode_release(dp);
	} else if (err == -EBUSY) {
		err = -EEXIST;
	}
	fs_end();
	return err;
}

int pfs_mkdir(const char *path, uint32_t mode)
{
	int err;
	do
		err = mkdir_once(path, mode);
	while (commit_makes_room(err));
	return err;
}

/* A second name for a file. Directories have one name, so that ".." is unambiguous. */
static int link_once(const char *from, const char *to)
{
	char name[PFS_NAME_MAX + 1];
	struct inode *ip, *dp;
	uint32_t ino;
	int err = fs_begin();
	if (err)
		return err;
	err = walk(from, &ip, NULL);
	if (!err) {
		err = S_ISDIR(ip->d.mode) ? -EPERM : ip->d.links == 0xffff ? -EMLINK : walk(to, &dp, name);
		if (!err) {
			err = find(dp, name, &ino, NULL);
			err = !err ? -EEXIST : err != -ENOENT ? err : dp->d.links ? add_entry(dp, name, ip->ino) : -ENOENT;
			if (!err) {
				ip->d.links++;
				err = inode_write(ip);
			}
			inode_release(dp);
		} else if (err == -EBUSY) {
			err = -EEXIST;
		}
		inode_release(ip);
	}
	fs_end();
	return err;
}

int pfs_link(const char *from, const char *to)
{
	int err;
	do
		err = link_once(from, to);
	while (commit_makes_room(err));
	return err;
}

static int check_empty(struct inode *dp)
{
	struct pfs_dirent e;
	uint32_t pos = 0;
	int r;
	while ((r = dir_next(dp, &pos, &e)) == 1)
		if (strcmp(e.name, ".") && strcmp(e.name, ".."))
			return -ENOTEMPTY;
	return r;
}

/* Take the name away; the inode's blocks go when its last user does. */
static int unlink_at(struct inode *dp, uint32_t where, struct inode *ip)
{
	int err = remove_entry(dp, where);
	if (err)
		return err;
	if (S_ISDIR(ip->d.mode)) {
		ip->d.links = 0;
		dp->d.links--;
		inode_write(dp);
	} else if (ip->d.links) {
		ip->d.links--;
	}
	return inode_write(ip);
}

static int remove(const char *path, bool directory)
{
	char name[PFS_NAME_MAX + 1];
	struct inode *dp, *ip;
	uint32_t ino, where;
	int err = fs_begin();
	if (err)
		return err;
	err = walk(path, &dp, name);
	if (!err) {
		err = find(dp, name, &ino, &where);
		if (!err && !(err = inode_load(ino, &ip))) {
			if (directory)
				err = S_ISDIR(ip->d.mode) ? check_empty(ip) : -ENOTDIR;
			else if (S_ISDIR(ip->d.mode))
				err = -EISDIR;
			if (!err)
				err = unlink_at(dp, where, ip);
			inode_release(ip);
		}
		inode_release(dp);
	}
	fs_end();
	return err;
}

int pfs_rmdir(const char *path) { return remove(path, true); }
int pfs_unlink(const char *path) { return remove(path, false); }

/* Point ".." of a moved directory at its new parent. */
static int reparent(struct inode *ip, struct inode *from, struct inode *to)
{
	struct pfs_dirent e = { .ino = to->ino, .name = ".." };
	uint32_t ino, where;
	int err = find(ip, "..", &ino, &where);
	if (err || from == to)
		return err;
	err = put_entry(ip, where, &e);
	from->d.links--;
	to->d.links++;
	inode_write(from);
	return err ? err : inode_write(to);
}

/* Replaces what the new name meant, if the kinds agree and a directory is empty. */
static int rename_at(struct inode *from, const char *old_name, struct inode *to, const char *new_name)
{
	struct inode *ip, *victim;
	uint32_t ino, where, victim_ino, victim_where;
	int err = find(from, old_name, &ino, &where);
	if (err || (err = inode_load(ino, &ip)))
		return err;
	err = find(to, new_name, &victim_ino, &victim_where);
	if (!err && victim_ino != ino) {
		if (!(err = inode_load(victim_ino, &victim))) {
			bool dir = S_ISDIR(ip->d.mode), victim_dir = S_ISDIR(victim->d.mode);
			err = dir && !victim_dir ? -ENOTDIR : !dir && victim_dir ? -EISDIR : dir ? check_empty(victim) : 0;
			if (!err)
				err = unlink_at(to, victim_where, victim);
			inode_release(victim);
		}
	}
	if ((!err && victim_ino != ino) || err == -ENOENT) {
		err = add_entry(to, new_name, ino);
		if (!err)
			err = remove_entry(from, where);
		if (!err && S_ISDIR(ip->d.mode))
			err = reparent(ip, from, to);
	}
	inode_release(ip);
	return err;
}

static int rename_once(const char *old_path, const char *new_path)
{
	char old_name[PFS_NAME_MAX + 1], new_name[PFS_NAME_MAX + 1];
	struct inode *from, *to;
	uint32_t n = strlen(old_path);
	if (!strncmp(old_path, new_path, n) && new_path[n] == '/')
		return -EINVAL;                /* into itself */
	int err = fs_begin();
	if (err)
		return err;
	err = walk(old_path, &from, old_name);
	if (!err) {
		err = walk(new_path, &to, new_name);
		if (!err) {
			err = rename_at(from, old_name, to, new_name);
			inode_release(to);
		}
		inode_release(from);
	}
	fs_end();
	return err;
}

int pfs_rename(const char *old_path, const char *new_path)
{
	int err;
	do
		err = rename_once(old_path, new_path);
	while (commit_makes_room(err));
	return err;
}
