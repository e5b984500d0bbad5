/* guestos/kernel/sys_path.c: system calls on names: open, link, unlink, rename, directories.
 *
 * A name becomes an absolute path first: from the current directory or, for the calls that end in "at", from an open one. Then
 * "/proc/PID/exe", the one symbolic link there is, is replaced by what it leads to, unless the call is about the link itself. Every
 * call exists once, as the "at" form; the older calls are the same with AT_FDCWD.
 * Simplified: an open directory remembers the path it was opened by, so it is not found again after it was renamed. */
#include "syscalls.h"
#include "fs.h"
#include "mm.h"

/* The absolute path named by a user string, in memory of its own: two rooms of PATH_MAX bytes, given and then made. */
static int resolve(int dirfd, uaddr_t from, char *given, char *path)
{
	const char *base = current->cwd;
	int err = copy_string_from_user(given, from, PATH_MAX);
	if (err < 0)
		return err;
	if (*given != '/' && dirfd != AT_FDCWD) {
		struct file *f = file_from_fd(dirfd);
		if (!f)
			return -EBADF;
		if (!f->path)
			return -ENOTDIR;
		base = f->path;
	}
	return path_from(base, given, path);
}

int user_path_at(int dirfd, uaddr_t from, bool follow, char **out)
{
	char *room = kmalloc(2 * PATH_MAX);
	if (!room)
		return -ENOMEM;
	int err = resolve(dirfd, from, room, room + PATH_MAX);
	if (err < 0) {
		kfree(room);
		return err;
	}
	if (!follow || procfs_link(room + PATH_MAX, room, PATH_MAX) < 0)
		memmove(room, room + PATH_MAX, PATH_MAX);
	*out = room;
	return 0;
}

static int open_at(int dirfd, uaddr_t name, uint32_t flags, uint32_t mode)
{
	char *path;
	struct file *f;
	int err = user_path_at(dirfd, name, true, &path);
	if (err)
		return err;
	err = file_open(path, flags, mode & ~current->umask, &f);
	kfree(path);
	if (err)
		return err;
	int fd = new_fd(f, 0);
	if (fd < 0)
		file_put(f);
	else if (flags & O_CLOEXEC)
		current->close_on_exec |= 1u << fd;
	return fd;
}

int sys_open(struct trapframe *tf) { return open_at(AT_FDCWD, ARG0(tf), ARG1(tf), ARG2(tf)); }
int sys_openat(struct trapframe *tf) { return open_at(ARG0(tf), ARG1(tf), ARG2(tf), ARG3(tf)); }
int sys_creat(struct trapframe *tf) { return open_at(AT_FDCWD, ARG0(tf), O_WRONLY | O_CREAT | O_TRUNC, ARG1(tf)); }

int sys_umask(struct trapframe *tf)
{
	int old = current->umask;
	current->umask = ARG0(tf) & 0777;
	return old;
}

/* /proc, /dev or something in them: they have no changes to make. */
static bool on_mount(const char *path) { return path_below(path, "/proc") || path_below(path, "/dev"); }
static bool in_mount(const char *path) { return on_mount(path) && strcmp(path, "/proc") && strcmp(path, "/dev"); }

static int make_dir(const char *path, uint32_t mode)
{
	struct stat_info st;
	if (!path_stat(path, &st))
		return -EEXIST;
	return in_mount(path) ? -EPERM : pfs_mkdir(path, mode & ~current->umask);
}

static int remove_dir(const char *path, uint32_t unused)
{
	(void)unused;
	return in_mount(path) ? -EPERM : on_mount(path) ? -EBUSY : pfs_rmdir(path);
}

static int remove_name(const char *path, uint32_t unused)
{
	(void)unused;
	return in_mount(path) ? -EPERM : pfs_unlink(path);
}

/* One user path, one operation on it. */
static int with_path(int dirfd, uaddr_t from, int (*operation)(const char *path, uint32_t argument), uint32_t argument)
{
	char *path;
	int err = user_path_at(dirfd, from, false, &path);
	if (err)
		return err;
	err = operation(path, argument);
	kfree(path);
	return err;
}

int sys_mkdir(struct trapframe *tf) { return with_path(AT_FDCWD, ARG0(tf), make_dir, ARG1(tf)); }
int sys_mkdirat(struct trapframe *tf) { return with_path(ARG0(tf), ARG1(tf), make_dir, ARG2(tf)); }
int sys_rmdir(struct trapframe *tf) { return with_path(AT_FDCWD, ARG0(tf), remove_dir, 0); }
int sys_unlink(struct trapframe *tf) { return with_path(AT_FDCWD, ARG0(tf), remove_name, 0); }

int sys_unlinkat(struct trapframe *tf)
{
	if (ARG2(tf) & ~AT_REMOVEDIR)
		return -EINVAL;
	return with_path(ARG0(tf), ARG1(tf), ARG2(tf) ? remove_dir : remove_name, 0);
}

/* Two user paths. */
static int with_paths(int from_dir, uaddr_t from, int to_dir, uaddr_t to, int (*operation)(const char *from, const char *to))
{
	char *old, *new;
	int err = user_path_at(from_dir, from, false, &old);
	if (err)
		return err;
	err = user_path_at(to_dir, to, false, &new);
	if (!err) {
		err = on_mount(old) || on_mount(new) ? -EXDEV : operation(old, new);
		kfree(new);
	}
	kfree(old);
	return err;
}

int sys_rename(struct trapframe *tf) { return with_paths(AT_FDCWD, ARG0(tf), AT_FDCWD, ARG1(tf), pfs_rename); }
int sys_renameat(struct trapframe *tf) { return with_paths(ARG0(tf), ARG1(tf), ARG2(tf), ARG3(tf), pfs_rename); }
int sys_link(struct trapframe *tf) { return with_paths(AT_FDCWD, ARG0(tf), AT_FDCWD, ARG1(tf), pfs_link); }
int sys_linkat(struct trapframe *tf) { return with_paths(ARG0(tf), ARG1(tf), ARG2(tf), ARG3(tf), pfs_link); }

/* No flag of renameat2() can be kept. */
int sys_renameat2(struct trapframe *tf) { return ARG4(tf) ? -EINVAL : sys_renameat(tf); }

/* Symbolic links are not part of the disk's format: EPERM is how Linux says so of such a file system. */
int sys_symlink(struct trapframe *tf) { (void)tf; return -EPERM; }
int sys_symlinkat(struct trapframe *tf) { (void)tf; return -EPERM; }

static int read_link(int dirfd, uaddr_t name, uaddr_t to, uint32_t room)
{
	char *path, *target = kmalloc(PATH_MAX);
	struct stat_info st;
	int err = target ? user_path_at(dirfd, name, false, &path) : -ENOMEM;
	if (!err) {
		int n = procfs_link(path, target, PATH_MAX);
		if (n < 0)
			err = path_stat(path, &st) ? -ENOENT : -EINVAL;
		else
			err = copy_to_user(to, target, min((uint32_t)n, room)) ? -EFAULT : (int)min((uint32_t)n, room);
		kfree(path);
	}
	kfree(target);
	return err;
}

int sys_readlink(struct trapframe *tf) { return read_link(AT_FDCWD, ARG0(tf), ARG1(tf), ARG2(tf)); }
int sys_readlinkat(struct trapframe *tf) { return read_link(ARG0(tf), ARG1(tf), ARG2(tf), ARG3(tf)); }

static int go_to(const char *path)
{
	struct stat_info st;
	int err = path_stat(path, &st);
	if (err || !S_ISDIR(st.mode))
		return err ? err : -ENOTDIR;
	char *cwd = kstrdup(path);
	if (!cwd)
		return -ENOMEM;
	kfree(current->cwd);
	current->cwd = cwd;
	return 0;
}

int sys_chdir(struct trapframe *tf)
{
	char *path;
	int err = user_path_at(AT_FDCWD, ARG0(tf), true, &path);
	if (err)
		return err;
	err = go_to(path);
	kfree(path);
	return err;
}

int sys_fchdir(struct trapframe *tf)
{
	struct file *f = file_from_fd(ARG0(tf));
	return !f ? -EBADF : f->path ? go_to(f->path) : -ENOTDIR;
}

int sys_getcwd(struct trapframe *tf)
{
	uint32_t n = strlen(current->cwd) + 1;
	if (n > ARG1(tf))
		return -ERANGE;
	return copy_to_user(ARG0(tf), current->cwd, n) ? -EFAULT : (int)n;
}
