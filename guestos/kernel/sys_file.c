/* guestos/kernel/sys_file.c: system calls on files, directories and pipes.
 *
 * Every user pointer goes through usercopy.c; no lock is held meanwhile. A call keeps its own reference to the file it works on only by
 * being the one thread of its process, which alone can close its descriptors. */
#include "syscalls.h"
#include "fs.h"
#include "mm.h"

static struct file *file_from_fd(uint32_t fd) { return fd < MAX_FILES ? current->files[fd] : NULL; }

static int new_fd(struct file *f, uint32_t from)
{
	for (uint32_t fd = from; fd < MAX_FILES; fd++)
		if (!current->files[fd]) {
			current->files[fd] = f;
			current->close_on_exec &= ~(1u << fd);
			return fd;
		}
	return -EMFILE;
}

/* The absolute path named by a user string, in memory of its own. */
static int user_path(uaddr_t from, char **out)
{
	char *given = kmalloc(2 * PATH_MAX);
	if (!given)
		return -ENOMEM;
	int err = copy_string_from_user(given, from, PATH_MAX);
	if (err >= 0)
		err = path_absolute(given, given + PATH_MAX);
	if (err < 0) {
		kfree(given);
		return err;
	}
	memmove(given, given + PATH_MAX, PATH_MAX);
	*out = given;
	return 0;
}

int sys_open(struct trapframe *tf)
{
	char *path;
	struct file *f;
	int err = user_path(ARG0(tf), &path);
	if (err)
		return err;
	err = file_open(path, ARG1(tf), ARG2(tf) & ~022u, &f);
	kfree(path);
	if (err)
		return err;
	int fd = new_fd(f, 0);
	if (fd < 0)
		file_put(f);
	else if (ARG1(tf) & O_CLOEXEC)
		current->close_on_exec |= 1u << fd;
	return fd;
}

int sys_close(struct trapframe *tf)
{
	struct file *f = file_from_fd(ARG0(tf));
	if (!f)
		return -EBADF;
	current->files[ARG0(tf)] = NULL;
	file_put(f);
	return 0;
}

static int read_at(struct file *f, uaddr_t to, uint32_t n, uint32_t *pos)
{
	if (!f || (f->flags & O_ACCMODE) == O_WRONLY)
		return -EBADF;
	if (!f->ops->read)
		return f->ops->next_entry ? -EISDIR : -EINVAL;
	if (!in_user_half(to, n))
		return -EFAULT;                /* the whole buffer is judged first, not just the part that would be filled */
	int r = f->ops->read(f, to, min(n, 0x7ffff000u), *pos);
	if (r > 0 && f->ops->seekable)
		*pos += r;
	return r;
}

int sys_read(struct trapframe *tf)
{
	struct file *f = file_from_fd(ARG0(tf));
	return read_at(f, ARG1(tf), ARG2(tf), f ? &f->pos : NULL);
}

int sys_pread64(struct trapframe *tf)
{
	struct file *f = file_from_fd(ARG0(tf));
	uint32_t pos = ARG3(tf);
	if (f && !f->ops->seekable)
		return -ESPIPE;
	if (ARG4(tf))
		return (int32_t)ARG4(tf) < 0 ? -EINVAL : 0;
	return read_at(f, ARG1(tf), ARG2(tf), &pos);
}

static int write_file(struct file *f, uaddr_t from, uint32_t n)
{
	struct stat_info st;
	if (!f || (f->flags & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	if (!f->ops->write)
		return -EINVAL;
	if (!in_user_half(from, n))
		return -EFAULT;
	if (f->flags & O_APPEND && f->ops->seekable && !f->ops->stat(f, &st))
		f->pos = st.size;
	int r = f->ops->write(f, from, min(n, 0x7ffff000u), f->pos);
	if (r > 0 && f->ops->seekable)
		f->pos += r;
	return r;
}

int sys_write(struct trapframe *tf) { return write_file(file_from_fd(ARG0(tf)), ARG1(tf), ARG2(tf)); }

int sys_writev(struct trapframe *tf)
{
	int done = 0;
	if (ARG2(tf) > 1024)
		return -EINVAL;
	for (uint32_t i = 0; i < ARG2(tf); i++) {
		uint32_t v[2] = { 0 };
		int r = copy_from_user(v, ARG1(tf) + i * sizeof v, sizeof v);
		uint32_t n = min(v[1], 0x7ffff000u - done);    /* the sum must fit the result */
		if (!r)
			r = (int32_t)v[1] < 0 ? -EINVAL : write_file(file_from_fd(ARG0(tf)), v[0], n);
		if (r < 0)
			return done ? done : r;
		done += r;
		if ((uint32_t)r < v[1])
			break;
	}
	return done;
}

static int seek(struct file *f, int64_t offset, uint32_t whence)
{
	struct stat_info st = { 0 };
	if (!f)
		return -EBADF;
	if (!f->ops->seekable)
		return -ESPIPE;
	if (whence > 2)
		return -EINVAL;
	if (whence == 1)
		offset += f->pos;
	else if (whence == 2) {
		f->ops->stat(f, &st);
		offset += st.size;
	}
	if (offset < 0 || offset > 0x7fffffff)
		return -EINVAL;
	f->pos = offset;
	return 0;
}

int sys_lseek(struct trapframe *tf)
{
	struct file *f = file_from_fd(ARG0(tf));
	int err = seek(f, (int32_t)ARG1(tf), ARG2(tf));
	return err ? err : (int)f->pos;
}

int sys_llseek(struct trapframe *tf)
{
	struct file *f = file_from_fd(ARG0(tf));
	int err = seek(f, (int64_t)((uint64_t)ARG1(tf) << 32 | ARG2(tf)), ARG4(tf));
	uint64_t pos = err ? 0 : f->pos;
	return err ? err : copy_to_user(ARG3(tf), &pos, sizeof pos);
}

int sys_ftruncate(struct trapframe *tf)
{
	struct file *f = file_from_fd(ARG0(tf));
	if (!f || (f->flags & O_ACCMODE) == O_RDONLY)
		return f ? -EINVAL : -EBADF;
	return !f->inode || (int32_t)ARG1(tf) < 0 ? -EINVAL : pfs_truncate(f->inode, ARG1(tf));
}

int sys_ioctl(struct trapframe *tf)
{
	struct file *f = file_from_fd(ARG0(tf));
	if (!f)
		return -EBADF;
	return f->ops->ioctl ? f->ops->ioctl(f, ARG1(tf), ARG2(tf)) : -ENOTTY;
}

int sys_dup(struct trapframe *tf)
{
	struct file *f = file_from_fd(ARG0(tf));
	int fd = f ? new_fd(f, 0) : -EBADF;
	if (fd >= 0)
		f->refs++;
	return fd;
}

int sys_dup2(struct trapframe *tf)
{
	struct file *f = file_from_fd(ARG0(tf)), *old = file_from_fd(ARG1(tf));
	if (!f || ARG1(tf) >= MAX_FILES)
		return -EBADF;
	if (f != old) {
		f->refs++;
		current->files[ARG1(tf)] = f;
		file_put(old);
	}
	if (ARG0(tf) != ARG1(tf))
		current->close_on_exec &= ~(1u << ARG1(tf));
	return ARG1(tf);
}

/* F_DUPFD 0, F_GETFD 1, F_SETFD 2, F_GETFL 3, F_SETFL 4, F_DUPFD_CLOEXEC 1030. */
int sys_fcntl(struct trapframe *tf)
{
	struct file *f = file_from_fd(ARG0(tf));
	uint32_t bit = 1u << (ARG0(tf) % MAX_FILES);
	int fd;
	if (!f)
		return -EBADF;
	switch (ARG1(tf)) {
	case 0: case 1030:
		if (ARG2(tf) >= MAX_FILES)
			return -EINVAL;
		fd = new_fd(f, ARG2(tf));
		if (fd >= 0) {
			f->refs++;
			current->close_on_exec |= ARG1(tf) ? 1u << fd : 0;
		}
		return fd;
	case 1:
		return !!(current->close_on_exec & bit);
	case 2:
		current->close_on_exec = ARG2(tf) & 1 ? current->close_on_exec | bit : current->close_on_exec & ~bit;
		return 0;
	case 3:
		return f->flags & ~O_CLOEXEC;
	case 4:
		f->flags = (f->flags & ~(O_APPEND | O_NONBLOCK)) | (ARG2(tf) & (O_APPEND | O_NONBLOCK));
		return 0;
	}
	return -EINVAL;
}

int sys_pipe(struct trapframe *tf)
{
	struct file *ends[2];
	int err = pipe_new(&ends[0], &ends[1]);
	if (err)
		return err;
	int fd[2] = { new_fd(ends[0], 0), new_fd(ends[1], 0) };
	if (fd[0] >= 0 && fd[1] >= 0 && !copy_to_user(ARG0(tf), fd, sizeof fd))
		return 0;
	err = fd[0] < 0 || fd[1] < 0 ? -EMFILE : -EFAULT;
	for (int i = 0; i < 2; i++) {
		if (fd[i] >= 0)
			current->files[fd[i]] = NULL;
		file_put(ends[i]);
	}
	return err;
}

static int stat_to_user(const struct stat_info *s, uaddr_t to)
{
	struct linux_stat st = { .st_dev = s->dev, .st_ino = s->ino, .st_mode = s->mode, .st_nlink = s->nlink, .st_rdev = s->rdev,
		.st_size = s->size, .st_blksize = PAGE_SIZE, .st_blocks = s->blocks, .st_atime = s->mtime, .st_mtime = s->mtime, .st_ctime = s->mtime };
	return copy_to_user(to, &st, sizeof st);
}

static int stat64_to_user(const struct stat_info *s, uaddr_t to)
{
	struct linux_stat64 st = { .st_dev = s->dev, .st_ino32 = s->ino, .st_ino = s->ino, .st_mode = s->mode, .st_nlink = s->nlink,
		.st_rdev = s->rdev, .st_size = s->size, .st_blksize = PAGE_SIZE, .st_blocks = s->blocks, .st_atime = s->mtime,
		.st_mtime = s->mtime, .st_ctime = s->mtime };
	return copy_to_user(to, &st, sizeof st);
}

static int stat_user_path(uaddr_t from, struct stat_info *st)
{
	char *path;
	int err = user_path(from, &path);
	if (err)
		return err;
	err = path_stat(path, st);
	kfree(path);
	return err;
}

static int stat_fd(uint32_t fd, struct stat_info *st)
{
	struct file *f = file_from_fd(fd);
	return f ? f->ops->stat(f, st) : -EBADF;
}

int sys_stat(struct trapframe *tf)
{
	struct stat_info st;
	int err = stat_user_path(ARG0(tf), &st);
	return err ? err : stat_to_user(&st, ARG1(tf));
}

int sys_stat64(struct trapframe *tf)
{
	struct stat_info st;
	int err = stat_user_path(ARG0(tf), &st);
	return err ? err : stat64_to_user(&st, ARG1(tf));
}

int sys_fstat(struct trapframe *tf)
{
	struct stat_info st;
	int err = stat_fd(ARG0(tf), &st);
	return err ? err : stat_to_user(&st, ARG1(tf));
}

int sys_fstat64(struct trapframe *tf)
{
	struct stat_info st;
	int err = stat_fd(ARG0(tf), &st);
	return err ? err : stat64_to_user(&st, ARG1(tf));
}

/* There is one user, root, who may do everything that is possible: X_OK needs an execute bit. */
int sys_access(struct trapframe *tf)
{
	struct stat_info st;
	int err = stat_user_path(ARG0(tf), &st);
	return err ? err : ARG1(tf) & 1 && !(st.mode & 0111) ? -EACCES : 0;
}

/* /proc, /dev or something in them. */
static bool on_mount(const char *path)
{
	for (int i = 0; i < 2; i++) {
		const char *top = i ? "/dev" : "/proc";
		uint32_t n = strlen(top);
		if (!strncmp(path, top, n) && (!path[n] || path[n] == '/'))
			return true;
	}
	return false;
}

/* One user path, one operation on it. /proc and /dev have no changes to make. */
static int with_path(uaddr_t from, int (*operation)(const char *path))
{
	char *path;
	int err = user_path(from, &path);
	if (err)
		return err;
	err = !strncmp(path, "/proc/", 6) || !strncmp(path, "/dev/", 5) ? -EPERM : operation(path);
	kfree(path);
	return err;
}

static int mkdir_default(const char *path) { return pfs_mkdir(path, 0755); }
static int rmdir_not_mount(const char *path) { return on_mount(path) ? -EBUSY : pfs_rmdir(path); }

int sys_unlink(struct trapframe *tf) { return with_path(ARG0(tf), pfs_unlink); }
int sys_rmdir(struct trapframe *tf) { return with_path(ARG0(tf), rmdir_not_mount); }
int sys_mkdir(struct trapframe *tf) { return with_path(ARG0(tf), mkdir_default); }

int sys_rename(struct trapframe *tf)
{
	char *from, *to;
	int err = user_path(ARG0(tf), &from);
	if (err)
		return err;
	err = user_path(ARG1(tf), &to);
	if (!err) {
		err = on_mount(from) || on_mount(to) ? -EXDEV : pfs_rename(from, to);
		kfree(to);
	}
	kfree(from);
	return err;
}

int sys_chdir(struct trapframe *tf)
{
	char *path;
	struct stat_info st;
	int err = user_path(ARG0(tf), &path);
	if (err)
		return err;
	err = path_stat(path, &st);
	if (!err && !S_ISDIR(st.mode))
		err = -ENOTDIR;
	char *cwd = err ? NULL : kstrdup(path);
	if (!err && !cwd)
		err = -ENOMEM;
	kfree(path);
	if (err)
		return err;
	kfree(current->cwd);
	current->cwd = cwd;
	return 0;
}

int sys_getcwd(struct trapframe *tf)
{
	uint32_t n = strlen(current->cwd) + 1;
	if (n > ARG1(tf))
		return -ERANGE;
	return copy_to_user(ARG0(tf), current->cwd, n) ? -EFAULT : (int)n;
}

/* Both directory formats: a fixed head, the name, padding; getdents keeps the type in the record's last byte. */
static int getdents(struct trapframe *tf, bool wide)
{
	struct file *f = file_from_fd(ARG0(tf));
	uint32_t done = 0, n = ARG2(tf);
	int r = 0;
	if (!f)
		return -EBADF;
	if (!f->ops->next_entry)
		return -ENOTDIR;
	for (;;) {
		struct dir_entry e;
		uint8_t record[24 + sizeof e.name] = { 0 };
		uint32_t pos = f->pos, head = wide ? 19 : 10;
		r = f->ops->next_entry(f, &pos, &e);
		if (r <= 0)
			break;
		uint32_t len = (head + strlen(e.name) + (wide ? 1 : 2) + 3) & ~3u;
		if (len > n - done) {
			r = -EINVAL;
			break;
		}
		memcpy(record, &e.ino, 4);
		memcpy(record + (wide ? 8 : 4), &pos, 4);
		record[wide ? 16 : 8] = len;
		record[wide ? 18 : len - 1] = e.type;
		strlcpy((char *)record + head, e.name, sizeof record - head);
		if (copy_to_user(ARG1(tf) + done, record, len)) {
			r = -EFAULT;
			break;
		}
		f->pos = pos;
		done += len;
	}
	return done ? (int)done : r;
}

int sys_getdents(struct trapframe *tf) { return getdents(tf, false); }
int sys_getdents64(struct trapframe *tf) { return getdents(tf, true); }

int sys_sync(struct trapframe *tf)
{
	(void)tf;
	pfs_sync();
	return 0;
}

int sys_fsync(struct trapframe *tf) { return file_from_fd(ARG0(tf)) ? pfs_sync() : -EBADF; }
int sys_umask(struct trapframe *tf) { (void)tf; return 022; }
