/* guestos/kernel/sys_file.c: system calls on open files, directories and pipes.
 *
 * Those on names are in sys_path.c, those on what stat() tells in sys_attr.c.
 * Every user pointer goes through usercopy.c; no lock is held meanwhile. A call keeps its own reference to the file it works on only by
 * being the one thread of its process, which alone can close its descriptors. */
#include "syscalls.h"
#include "fs.h"
#include "mm.h"

#define COUNT_MAX 0x7ffff000u          /* what one read or write moves at most, as in Linux: it fits a result, and is whole pages */
enum { SEEK_SET, SEEK_CUR, SEEK_END };
enum { F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC = 1030 };
#define FD_CLOEXEC 1u

struct file *file_from_fd(uint32_t fd) { return fd < MAX_FILES ? current->files[fd] : NULL; }

int new_fd(struct file *f, uint32_t from)
{
	for (uint32_t fd = from; fd < MAX_FILES; fd++)
		if (!current->files[fd]) {
			current->files[fd] = f;
			current->close_on_exec &= ~(1u << fd);
			return fd;
		}
	return -EMFILE;
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
	int r = f->ops->read(f, to, min(n, COUNT_MAX), *pos);
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

static int write_at(struct file *f, uaddr_t from, uint32_t n, uint32_t *pos)
{
	struct stat_info st;
	if (!f || (f->flags & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	if (!f->ops->write)
		return -EINVAL;
	if (!in_user_half(from, n))
		return -EFAULT;
	if (f->flags & O_APPEND && f->ops->seekable && !f->ops->stat(f, &st))
		*pos = st.size;
	int r = f->ops->write(f, from, min(n, COUNT_MAX), *pos);
	if (r > 0 && f->ops->seekable)
		*pos += r;
	return r;
}

static int write_file(struct file *f, uaddr_t from, uint32_t n) { return write_at(f, from, n, f ? &f->pos : NULL); }

int sys_write(struct trapframe *tf) { return write_file(file_from_fd(ARG0(tf)), ARG1(tf), ARG2(tf)); }

int sys_pwrite64(struct trapframe *tf)
{
	struct file *f = file_from_fd(ARG0(tf));
	if (!f)
		return -EBADF;
	if (!f->ops->seekable)
		return -ESPIPE;
	if (ARG4(tf))
		return (int32_t)ARG4(tf) < 0 ? -EINVAL : -EFBIG;
	uint32_t pos = ARG3(tf);
	return write_at(f, ARG1(tf), ARG2(tf), &pos);
}

static int read_file(struct file *f, uaddr_t to, uint32_t n) { return read_at(f, to, n, f ? &f->pos : NULL); }

/* A list of (address, length) pairs, one after the other, until one gives less than was asked. */
static int vector(struct trapframe *tf, int (*transfer)(struct file *, uaddr_t, uint32_t))
{
	int done = 0;
	if (ARG2(tf) > 1024)
		return -EINVAL;
	for (uint32_t i = 0; i < ARG2(tf); i++) {
		uint32_t v[2] = { 0 };
		int r = copy_from_user(v, ARG1(tf) + i * sizeof v, sizeof v);
		uint32_t n = min(v[1], COUNT_MAX - done);    /* the sum must fit the result */
		if (!r)
			r = (int32_t)v[1] < 0 ? -EINVAL : transfer(file_from_fd(ARG0(tf)), v[0], n);
		if (r < 0)
			return done ? done : r;
		done += r;
		if ((uint32_t)r < v[1])
			break;
	}
	return done;
}

int sys_readv(struct trapframe *tf) { return vector(tf, read_file); }
int sys_writev(struct trapframe *tf) { return vector(tf, write_file); }

static int seek(struct file *f, int64_t offset, uint32_t whence)
{
	struct stat_info st = { 0 };
	if (!f)
		return -EBADF;
	if (!f->ops->seekable)
		return -ESPIPE;
	if (whence > SEEK_END)
		return -EINVAL;
	if (whence == SEEK_CUR)
		offset += f->pos;
	else if (whence == SEEK_END) {
		f->ops->stat(f, &st);
		offset += st.size;
	}
	if (offset < 0 || offset > (int64_t)FILE_SIZE_MAX)
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

static int truncate_fd(uint32_t fd, int64_t size)
{
	struct file *f = file_from_fd(fd);
	if (!f || (f->flags & O_ACCMODE) == O_RDONLY)
		return f ? -EINVAL : -EBADF;
	if (!f->inode || size < 0)
		return -EINVAL;
	return size > (int64_t)FILE_SIZE_MAX ? -EFBIG : pfs_truncate(f->inode, size);
}

int sys_ftruncate(struct trapframe *tf) { return truncate_fd(ARG0(tf), (int32_t)ARG1(tf)); }
int sys_ftruncate64(struct trapframe *tf) { return truncate_fd(ARG0(tf), (int64_t)((uint64_t)ARG2(tf) << 32 | ARG1(tf))); }

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

int sys_dup3(struct trapframe *tf)
{
	if (ARG0(tf) == ARG1(tf) || ARG2(tf) & ~O_CLOEXEC)
		return -EINVAL;
	int fd = sys_dup2(tf);
	if (fd >= 0 && ARG2(tf) & O_CLOEXEC)
		current->close_on_exec |= 1u << fd;
	return fd;
}

int sys_fcntl(struct trapframe *tf)
{
	struct file *f = file_from_fd(ARG0(tf));
	uint32_t bit = 1u << (ARG0(tf) % MAX_FILES);
	int fd;
	if (!f)
		return -EBADF;
	switch (ARG1(tf)) {
	case F_DUPFD: case F_DUPFD_CLOEXEC:
		if (ARG2(tf) >= MAX_FILES)
			return -EINVAL;
		fd = new_fd(f, ARG2(tf));
		if (fd >= 0) {
			f->refs++;
			current->close_on_exec |= ARG1(tf) == F_DUPFD_CLOEXEC ? 1u << fd : 0;
		}
		return fd;
	case F_GETFD:
		return !!(current->close_on_exec & bit);
	case F_SETFD:
		current->close_on_exec = ARG2(tf) & FD_CLOEXEC ? current->close_on_exec | bit : current->close_on_exec & ~bit;
		return 0;
	case F_GETFL:
		return f->flags & ~O_CLOEXEC;
	case F_SETFL:
		f->flags = (f->flags & ~(O_APPEND | O_NONBLOCK)) | (ARG2(tf) & (O_APPEND | O_NONBLOCK));
		return 0;
	}
	return -EINVAL;
}

/* The descriptors go to the user; flags: O_CLOEXEC, O_NONBLOCK. */
static int make_pipe(uaddr_t to, uint32_t flags)
{
	struct file *ends[2];
	if (flags & ~(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	int err = pipe_new(&ends[0], &ends[1]);
	if (err)
		return err;
	int fd[2] = { new_fd(ends[0], 0), new_fd(ends[1], 0) };
	if (fd[0] >= 0 && fd[1] >= 0 && !copy_to_user(to, fd, sizeof fd)) {
		for (int i = 0; i < 2; i++) {
			ends[i]->flags |= flags & O_NONBLOCK;
			current->close_on_exec |= flags & O_CLOEXEC ? 1u << fd[i] : 0;
		}
		return 0;
	}
	err = fd[0] < 0 || fd[1] < 0 ? -EMFILE : -EFAULT;
	for (int i = 0; i < 2; i++) {
		if (fd[i] >= 0)
			current->files[fd[i]] = NULL;
		file_put(ends[i]);
	}
	return err;
}

int sys_pipe(struct trapframe *tf) { return make_pipe(ARG0(tf), 0); }
int sys_pipe2(struct trapframe *tf) { return make_pipe(ARG0(tf), ARG1(tf)); }

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
