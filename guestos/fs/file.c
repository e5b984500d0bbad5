/* guestos/fs/file.c: open files, and which file system a path leads to.
 *
 * Paths are made absolute and normal by text: relative ones start at the current directory, "." and "..", and doubled slashes
 * disappear. Then "/proc" and "/dev" are looked up in their tables, everything else on the disk. There are no links to
 * directories, so the text and the tree agree. */
#include "fs.h"
#include "proc.h"
#include "mm.h"

struct file *file_new(const struct file_ops *ops, uint32_t flags)
{
	struct file *f = kzalloc(sizeof *f);
	if (f) {
		f->ops = ops;
		f->refs = 1;
		f->flags = flags;
	}
	return f;
}

void file_put(struct file *f)
{
	if (!f || --f->refs)
		return;
	if (f->ops->close)
		f->ops->close(f);
	kfree(f->path);
	kfree(f);
}

/* out has PATH_MAX bytes and receives "/a/b" or "/". */
int path_from(const char *base, const char *path, char *out)
{
	const char *parts[2] = { *path == '/' ? "" : base, path };
	uint32_t n = 0;
	if (!*path)
		return -ENOENT;
	for (int i = 0; i < 2; i++)
		for (const char *p = parts[i]; *p;) {
			uint32_t len = 0;
			while (*p == '/')
				p++;
			while (p[len] && p[len] != '/')
				len++;
			if (len == 2 && p[0] == '.' && p[1] == '.') {
				while (n && out[--n] != '/')
					;
			} else if (len && !(len == 1 && *p == '.')) {
				if (n + 1 + len >= PATH_MAX)
					return -ENAMETOOLONG;
				out[n++] = '/';
				memcpy(out + n, p, len);
				n += len;
			}
			p += len;
		}
	if (!n)
		out[n++] = '/';
	out[n] = 0;
	return 0;
}

int path_absolute(const char *path, char *out) { return path_from(current->cwd, path, out); }

bool path_below(const char *path, const char *top)
{
	uint32_t n = strlen(top);
	return !strncmp(path, top, n) && (!path[n] || path[n] == '/');
}

static int open_pfs(const char *path, uint32_t flags, uint32_t mode, struct file **out)
{
	struct inode *ip;
	bool writing = (flags & O_ACCMODE) != O_RDONLY;
	int err = flags & O_CREAT ? pfs_create(path, mode, flags & O_EXCL, &ip) : pfs_lookup(path, &ip);
	if (err)
		return err;
	if (S_ISDIR(ip->d.mode) && (writing || flags & O_CREAT))
		err = -EISDIR;
	else if (!S_ISDIR(ip->d.mode) && flags & O_DIRECTORY)
		err = -ENOTDIR;
	if (!err && flags & O_TRUNC && writing && S_ISREG(ip->d.mode) && ip->d.size)
		err = pfs_truncate(ip, 0);
	if (!err && !(*out = file_new(&pfs_file_ops, flags)))
		err = -ENOMEM;
	if (err) {
		inode_put(ip);
		return err;
	}
	(*out)->inode = ip;
	inode_remember_path(ip, path);
	return 0;
}

/* The "at" calls start from a directory's path. */
static int remember_directory(struct file *f, const char *path)
{
	struct stat_info st;
	int err = f->ops->stat(f, &st);
	if (!err && S_ISDIR(st.mode) && !(f->path = kstrdup(path)))
		err = -ENOMEM;
	if (err)
		file_put(f);
	return err;
}

/* path is absolute and normal. */
int file_open(const char *path, uint32_t flags, uint32_t mode, struct file **out)
{
	int err;
	if (path_below(path, "/proc"))
		err = procfs_open(path + 5, out);
	else if (path_below(path, "/dev"))
		err = devfs_open(path + 4, out);
	else
		err = open_pfs(path, flags, mode, out);
	if (err)
		return err;
	(*out)->flags = flags;
	return remember_directory(*out, path);
}

int path_stat(const char *path, struct stat_info *st)
{
	struct file *f;
	int err = file_open(path, O_RDONLY, 0, &f);
	if (err)
		return err;
	err = f->ops->stat(f, st);
	file_put(f);
	return err;
}
