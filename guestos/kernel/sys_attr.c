/* guestos/kernel/sys_attr.c: what is known about files: stat in its five layouts, access, chmod, utime, statfs.
 *
 * There is one user, root, and one group. The disk keeps a mode, a size and one time for each file; the other times are shown as the
 * same, and setting them sets it. */
#include "syscalls.h"
#include "fs.h"
#include "mm.h"

struct linux_statx {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, pad;
	uint64_t ino, size, blocks, attributes_mask;
	struct { int64_t sec; uint32_t nsec, pad; } atime, btime, ctime, mtime;
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t unused[14];
};
#define STATX_BASIC_STATS 0x7ffu
_Static_assert(sizeof(struct linux_statx) == 256, "layout is fixed by the ABI");

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

/* Device numbers are 8 bits minor, the rest major. */
static int statx_to_user(const struct stat_info *s, uaddr_t to)
{
	struct linux_statx st = { .mask = STATX_BASIC_STATS, .blksize = PAGE_SIZE, .nlink = s->nlink, .mode = s->mode, .ino = s->ino,
		.size = s->size, .blocks = s->blocks, .rdev_major = s->rdev >> 8, .rdev_minor = s->rdev & 0xff, .dev_major = s->dev >> 8,
		.dev_minor = s->dev & 0xff };
	st.atime.sec = st.ctime.sec = st.mtime.sec = s->mtime;
	return copy_to_user(to, &st, sizeof st);
}

static int stat_path(int dirfd, uaddr_t name, bool follow, struct stat_info *st)
{
	char *path;
	int err = user_path_at(dirfd, name, follow, &path);
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

/* The "at" calls: with AT_EMPTY_PATH and an empty name, dirfd itself is meant. */
static int stat_at(int dirfd, uaddr_t name, uint32_t flags, struct stat_info *st)
{
	char first = 1;
	if (flags & AT_EMPTY_PATH && name && copy_from_user(&first, name, 1))
		return -EFAULT;
	if (flags & AT_EMPTY_PATH && (!name || !first) && dirfd != AT_FDCWD)
		return stat_fd(dirfd, st);
	return stat_path(dirfd, name, !(flags & AT_SYMLINK_NOFOLLOW), st);
}

int sys_stat(struct trapframe *tf)
{
	struct stat_info st;
	int err = stat_path(AT_FDCWD, ARG0(tf), true, &st);
	return err ? err : stat_to_user(&st, ARG1(tf));
}

int sys_lstat(struct trapframe *tf)
{
	struct stat_info st;
	int err = stat_path(AT_FDCWD, ARG0(tf), false, &st);
	return err ? err : stat_to_user(&st, ARG1(tf));
}

int sys_fstat(struct trapframe *tf)
{
	struct stat_info st;
	int err = stat_fd(ARG0(tf), &st);
	return err ? err : stat_to_user(&st, ARG1(tf));
}

int sys_stat64(struct trapframe *tf)
{
	struct stat_info st;
	int err = stat_path(AT_FDCWD, ARG0(tf), true, &st);
	return err ? err : stat64_to_user(&st, ARG1(tf));
}

int sys_lstat64(struct trapframe *tf)
{
	struct stat_info st;
	int err = stat_path(AT_FDCWD, ARG0(tf), false, &st);
	return err ? err : stat64_to_user(&st, ARG1(tf));
}

int sys_fstat64(struct trapframe *tf)
{
	struct stat_info st;
	int err = stat_fd(ARG0(tf), &st);
	return err ? err : stat64_to_user(&st, ARG1(tf));
}

int sys_fstatat64(struct trapframe *tf)
{
	struct stat_info st;
	int err = stat_at(ARG0(tf), ARG1(tf), ARG3(tf), &st);
	return err ? err : stat64_to_user(&st, ARG2(tf));
}

/* dirfd, name, flags, mask, result: more is told than the mask asks for, as statx() allows. */
int sys_statx(struct trapframe *tf)
{
	struct stat_info st;
	int err = stat_at(ARG0(tf), ARG1(tf), ARG2(tf), &st);
	return err ? err : statx_to_user(&st, ARG4(tf));
}

#define ACCESS_ALL 7u                  /* R_OK | W_OK | X_OK */
#define X_OK 1u

/* Root may do everything that is possible: X_OK needs an execute bit. */
static int access_at(int dirfd, uaddr_t name, uint32_t how)
{
	struct stat_info st;
	int err = how > ACCESS_ALL ? -EINVAL : stat_path(dirfd, name, true, &st);
	return err ? err : how & X_OK && !(st.mode & 0111) ? -EACCES : 0;
}

int sys_access(struct trapframe *tf) { return access_at(AT_FDCWD, ARG0(tf), ARG1(tf)); }
int sys_faccessat(struct trapframe *tf) { return access_at(ARG0(tf), ARG1(tf), ARG2(tf)); }

/* A change of attributes of the file that a name, or an open file, leads to. Those of /proc and /dev are not changed. */
struct change { bool mode, time; uint32_t value; };

static int change_file(struct file *f, const struct change *c)
{
	if (!f)
		return -EBADF;
	return !f->inode ? -EPERM : pfs_set_attributes(f->inode, c->mode ? &c->value : NULL, c->time ? &c->value : NULL);
}

static int change_path(int dirfd, uaddr_t name, const struct change *c)
{
	char *path;
	struct file *f;
	int err = user_path_at(dirfd, name, true, &path);
	if (err)
		return err;
	err = file_open(path, O_RDONLY, 0, &f);
	kfree(path);
	if (err)
		return err;
	err = change_file(f, c);
	file_put(f);
	return err;
}

static int chmod_at(int dirfd, uaddr_t name, uint32_t mode)
{
	return change_path(dirfd, name, &(struct change){ .mode = true, .value = mode & 07777 });
}

int sys_chmod(struct trapframe *tf) { return chmod_at(AT_FDCWD, ARG0(tf), ARG1(tf)); }
int sys_fchmodat(struct trapframe *tf) { return chmod_at(ARG0(tf), ARG1(tf), ARG2(tf)); }
int sys_fchmod(struct trapframe *tf)
{
	return change_file(file_from_fd(ARG0(tf)), &(struct change){ .mode = true, .value = ARG1(tf) & 07777 });
}

/* Everything belongs to user and group 0, and there is no place on the disk to say otherwise: -1 means "as it is". */
static int check_owner(uint32_t uid, uint32_t gid) { return (uid && uid + 1) || (gid && gid + 1) ? -EPERM : 0; }

static int chown_at(int dirfd, uaddr_t name, uint32_t uid, uint32_t gid)
{
	struct stat_info st;
	int err = stat_path(dirfd, name, true, &st);
	return err ? err : check_owner(uid, gid);
}

int sys_chown(struct trapframe *tf) { return chown_at(AT_FDCWD, ARG0(tf), ARG1(tf), ARG2(tf)); }
int sys_fchownat(struct trapframe *tf) { return chown_at(ARG0(tf), ARG1(tf), ARG2(tf), ARG3(tf)); }
int sys_fchown(struct trapframe *tf) { return file_from_fd(ARG0(tf)) ? check_owner(ARG1(tf), ARG2(tf)) : -EBADF; }

#define UTIME_NOW  0x3fffffffu
#define UTIME_OMIT 0x3ffffffeu

/* times: two (seconds, nanoseconds) pairs, of which the second, the time of modification, is kept; 0 means now. */
static int utimens_at(int dirfd, uaddr_t name, uaddr_t times, bool wide)
{
	struct change c = { .time = true, .value = boot_time + ticks / HZ };
	uint32_t words[4], seconds, nanoseconds;
	if (times) {
		if (copy_from_user(words, times + (wide ? 16 : 8), wide ? 16 : 8))
			return -EFAULT;
		seconds = words[0];
		nanoseconds = words[wide ? 2 : 1];
		if (nanoseconds >= 1000000000 && nanoseconds != UTIME_NOW && nanoseconds != UTIME_OMIT)
			return -EINVAL;
		c.time = nanoseconds != UTIME_OMIT;
		c.value = nanoseconds == UTIME_NOW ? c.value : seconds;
	}
	return name ? change_path(dirfd, name, &c) : change_file(file_from_fd(dirfd), &c);
}

int sys_utimensat(struct trapframe *tf) { return utimens_at(ARG0(tf), ARG1(tf), ARG2(tf), false); }
int sys_utimensat_time64(struct trapframe *tf) { return utimens_at(ARG0(tf), ARG1(tf), ARG2(tf), true); }

/* utime: seconds of access and modification; utimes: (seconds, microseconds) of both. */
static int utime_path(uaddr_t name, uaddr_t times, uint32_t offset)
{
	struct change c = { .time = true, .value = boot_time + ticks / HZ };
	if (times && copy_from_user(&c.value, times + offset, sizeof c.value))
		return -EFAULT;
	return change_path(AT_FDCWD, name, &c);
}

int sys_utime(struct trapframe *tf) { return utime_path(ARG0(tf), ARG1(tf), 4); }
int sys_utimes(struct trapframe *tf) { return utime_path(ARG0(tf), ARG1(tf), 8); }

static int truncate_path(uaddr_t name, int64_t size)
{
	char *path;
	struct file *f;
	int err = size < 0 ? -EINVAL : user_path_at(AT_FDCWD, name, true, &path);
	if (err)
		return err;
	err = file_open(path, O_WRONLY, 0, &f);
	kfree(path);
	if (err)
		return err;
	err = !f->inode ? -EINVAL : size > (int64_t)FILE_SIZE_MAX ? -EFBIG : pfs_truncate(f->inode, size);
	file_put(f);
	return err;
}

int sys_truncate(struct trapframe *tf) { return truncate_path(ARG0(tf), (int32_t)ARG1(tf)); }
int sys_truncate64(struct trapframe *tf) { return truncate_path(ARG0(tf), (int64_t)((uint64_t)ARG2(tf) << 32 | ARG1(tf))); }

/* The two layouts differ in the width of the five counts. */
struct linux_statfs { uint32_t type, bsize, blocks, bfree, bavail, files, ffree, fsid[2], namelen, frsize, flags, spare[4]; };
struct linux_statfs64 {
	uint32_t type, bsize;
	uint64_t blocks, bfree, bavail, files, ffree;
	uint32_t fsid[2], namelen, frsize, flags, spare[4];
} __attribute__((packed));
_Static_assert(sizeof(struct linux_statfs) == 64 && sizeof(struct linux_statfs64) == 84, "layout is fixed by the ABI");
#define PROC_MAGIC 0x9fa0u
#define TMPFS_MAGIC 0x01021994u

static int statfs_to_user(uint32_t dev, uaddr_t to, bool wide)
{
	struct linux_statfs64 s = { .type = dev == DEV_PROC ? PROC_MAGIC : TMPFS_MAGIC, .bsize = PAGE_SIZE, .namelen = PFS_NAME_MAX, .frsize = PAGE_SIZE };
	if (dev == DEV_PFS) {
		struct pfs_usage u;
		int err = pfs_usage(&u);
		if (err)
			return err;
		s.type = PFS_MAGIC;
		s.blocks = u.blocks;
		s.bfree = s.bavail = u.free_blocks;
		s.files = u.inodes;
		s.ffree = u.free_inodes;
	}
	if (wide)
		return copy_to_user(to, &s, sizeof s);
	struct linux_statfs narrow = { s.type, s.bsize, s.blocks, s.bfree, s.bavail, s.files, s.ffree, { 0 }, s.namelen, s.frsize, 0, { 0 } };
	return copy_to_user(to, &narrow, sizeof narrow);
}

int sys_statfs(struct trapframe *tf)
{
	struct stat_info st;
	int err = stat_path(AT_FDCWD, ARG0(tf), true, &st);
	return err ? err : statfs_to_user(st.dev, ARG1(tf), false);
}

int sys_fstatfs(struct trapframe *tf)
{
	struct stat_info st;
	int err = stat_fd(ARG0(tf), &st);
	return err ? err : statfs_to_user(st.dev, ARG1(tf), false);
}

int sys_statfs64(struct trapframe *tf)
{
	struct stat_info st;
	int err = ARG1(tf) != sizeof(struct linux_statfs64) ? -EINVAL : stat_path(AT_FDCWD, ARG0(tf), true, &st);
	return err ? err : statfs_to_user(st.dev, ARG2(tf), true);
}

int sys_fstatfs64(struct trapframe *tf)
{
	struct stat_info st;
	int err = ARG1(tf) != sizeof(struct linux_statfs64) ? -EINVAL : stat_fd(ARG0(tf), &st);
	return err ? err : statfs_to_user(st.dev, ARG2(tf), true);
}
