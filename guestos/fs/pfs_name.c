/* guestos/fs/pfs_name.c: the operations that change names: create, mkdir, link, unlink, rmdir, rename.
 *
 * Each is one operation of the journal, from fs_begin() to fs_end(), so that a crash leaves it done or not done. It is tried again when the
 * disk was full and a commit has made room. */
#include "pfs_private.h"

/* Another directory in dp is another link to it: its "..". */
static int room_for_parent(const struct inode *dp) { return dp->d.links == PFS_LINKS_MAX ? -EMLINK : 0; }

/* A new inode with a name in dp. */
static int make(struct inode *dp, const char *name, uint32_t mode, struct inode **out)
{
	int err = !dp->d.links ? -ENOENT : S_ISDIR(mode) ? room_for_parent(dp) : 0;
	if (!err)
		err = inode_alloc(mode, out);
	if (err)
		return err;
	struct inode *ip = *out;
	if (S_ISDIR(mode)) {
		err = dir_add(ip, ".", ip->ino);
		if (!err)
			err = dir_add(ip, "..", dp->ino);
	}
	if (!err)
		err = dir_add(dp, name, ip->ino);
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

/* A file, or a new directory: mode says which. out may be NULL. */
static int create_once(const char *path, uint32_t mode, bool exclusive, struct inode **out)
{
	char name[PFS_NAME_MAX + 1];
	struct inode *dp, *ip = NULL;
	uint32_t ino;
	int err = fs_begin();
	if (err)
		return err;
	err = dir_walk(path, &dp, name);
	if (!err) {
		err = dir_find(dp, name, &ino, NULL);
		if (!err)
			err = exclusive ? -EEXIST : inode_named(ino, &ip);
		else if (err == -ENOENT)
			err = make(dp, name, mode, &ip);
		if (!err && out)
			*out = ip;
		else if (!err)
			inode_release(ip);
		inode_release(dp);
	} else if (err == -EBUSY) {
		err = S_ISDIR(mode) ? -EEXIST : -EISDIR;
	}
	fs_end();
	return err;
}

static int create(const char *path, uint32_t mode, bool exclusive, struct inode **out)
{
	int err;
	do
		err = create_once(path, mode, exclusive, out);
	while (commit_makes_room(err));
	return err;
}

int pfs_create(const char *path, uint32_t mode, bool exclusive, struct inode **out)
{
	return create(path, S_IFREG | (mode & 0777), exclusive, out);
}

int pfs_mkdir(const char *path, uint32_t mode) { return create(path, S_IFDIR | (mode & 0777), true, NULL); }

/* A second name for a file. Directories have one name, so that ".." is unambiguous. */
static int link_once(const char *from, const char *to)
{
	char name[PFS_NAME_MAX + 1];
	struct inode *ip, *dp;
	uint32_t ino;
	int err = fs_begin();
	if (err)
		return err;
	err = dir_walk(from, &ip, NULL);
	if (!err) {
		err = S_ISDIR(ip->d.mode) ? -EPERM : ip->d.links == PFS_LINKS_MAX ? -EMLINK : dir_walk(to, &dp, name);
		if (!err) {
			err = dir_find(dp, name, &ino, NULL);
			err = !err ? -EEXIST : err != -ENOENT ? err : dp->d.links ? dir_add(dp, name, ip->ino) : -ENOENT;
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

/* Take the name away; the inode's blocks go when its last user does. */
static int unlink_at(struct inode *dp, uint32_t where, struct inode *ip)
{
	int err = dir_remove(dp, where);
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
	err = dir_walk(path, &dp, name);
	if (!err) {
		err = dir_find(dp, name, &ino, &where);
		if (!err && !(err = inode_named(ino, &ip))) {
			if (directory)
				err = S_ISDIR(ip->d.mode) ? dir_check_empty(ip) : -ENOTDIR;
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
	int err = dir_find(ip, "..", &ino, &where);
	if (err || from == to)
		return err;
	err = dir_put(ip, where, &e);
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
	int err = dir_find(from, old_name, &ino, &where);
	if (err || (err = inode_named(ino, &ip)))
		return err;
	err = dir_find(to, new_name, &victim_ino, &victim_where);
	if (!err && victim_ino != ino) {
		if (!(err = inode_named(victim_ino, &victim))) {
			bool dir = S_ISDIR(ip->d.mode), victim_dir = S_ISDIR(victim->d.mode);
			err = dir && !victim_dir ? -ENOTDIR : !dir && victim_dir ? -EISDIR : dir ? dir_check_empty(victim) : 0;
			if (!err)
				err = unlink_at(to, victim_where, victim);
			inode_release(victim);
		}
	} else if (err == -ENOENT && S_ISDIR(ip->d.mode) && from != to && room_for_parent(to)) {
		err = -EMLINK;
	}
	if ((!err && victim_ino != ino) || err == -ENOENT) {
		err = dir_add(to, new_name, ino);
		if (!err)
			err = dir_remove(from, where);
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
	err = dir_walk(old_path, &from, old_name);
	if (!err) {
		err = dir_walk(new_path, &to, new_name);
		if (!err) {
			err = rename_at(from, old_name, to, new_name);
			inode_release(to);
		}
		inode_release(from);
	}
	fs_end();
	return err;
}

static int until_there_is_room(int (*once)(const char *, const char *), const char *from, const char *to)
{
	int err;
	do
		err = once(from, to);
	while (commit_makes_room(err));
	return err;
}

int pfs_link(const char *from, const char *to) { return until_there_is_room(link_once, from, to); }
int pfs_rename(const char *from, const char *to) { return until_there_is_room(rename_once, from, to); }
