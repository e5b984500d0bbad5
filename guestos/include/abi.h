/* guestos/include/abi.h: the numbers and structures of the Linux i386 system-call interface that Pagoda speaks.
 *
 * Only the kernel includes this; user programs have their own copy of the same facts, so that a mistake
 * in one of them shows as a failing test and does not agree with itself. */
#ifndef ABI_H
#define ABI_H

#include <stdint.h>

enum {
	EPERM = 1, ENOENT, ESRCH, EINTR, EIO, ENXIO, E2BIG, ENOEXEC, EBADF, ECHILD, EAGAIN, ENOMEM, EACCES, EFAULT,
	EBUSY = 16, EEXIST, EXDEV, ENODEV, ENOTDIR, EISDIR, EINVAL, ENFILE, EMFILE, ENOTTY, ETXTBSY, EFBIG, ENOSPC,
	ESPIPE, EROFS, EMLINK, EPIPE, ERANGE = 34, ENAMETOOLONG = 36, ENOSYS = 38, ENOTEMPTY = 39, EOVERFLOW = 75, EOPNOTSUPP = 95,
	ECANCELED = 125,
};

enum {
	SIGHUP = 1, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGKILL, SIGUSR1, SIGSEGV, SIGUSR2, SIGPIPE,
	SIGALRM, SIGTERM, SIGSTKFLT, SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGXCPU, SIGXFSZ,
	SIGVTALRM, SIGPROF, SIGWINCH, SIGIO, SIGPWR, SIGSYS,
};

#define O_ACCMODE   3u
#define O_RDONLY    0u
#define O_WRONLY    1u
#define O_RDWR      2u
#define O_CREAT     0100u
#define O_EXCL      0200u
#define O_TRUNC     01000u
#define O_APPEND    02000u
#define O_NONBLOCK  04000u
#define O_DSYNC     010000u             /* part of O_SYNC, which is the same here */
#define O_DIRECTORY 0200000u
#define O_CLOEXEC   02000000u

#define AT_FDCWD (-100)        /* dirfd: the current directory */
#define AT_SYMLINK_NOFOLLOW 0x100u
#define AT_REMOVEDIR        0x200u
#define AT_EMPTY_PATH       0x1000u

#define S_IFMT   0170000u
#define S_IFREG  0100000u
#define S_IFDIR  0040000u
#define S_IFCHR  0020000u
#define S_IFIFO  0010000u
#define S_IFLNK  0120000u
#define S_ISDIR(m) (((m) & S_IFMT) == S_IFDIR)
#define S_ISREG(m) (((m) & S_IFMT) == S_IFREG)
#define DT_OF(mode) (((mode) & S_IFMT) >> 12)

struct linux_stat {            /* fstat, number 108 */
	uint32_t st_dev, st_ino;
	uint16_t st_mode, st_nlink, st_uid, st_gid;
	uint32_t st_rdev, st_size, st_blksize, st_blocks;
	uint32_t st_atime, st_atime_ns, st_mtime, st_mtime_ns, st_ctime, st_ctime_ns;
	uint32_t unused[2];
};
struct linux_stat64 {          /* fstat64, number 197 */
	uint64_t st_dev;
	uint32_t pad0, st_ino32, st_mode, st_nlink, st_uid, st_gid;
	uint64_t st_rdev;
	uint32_t pad3;
	int64_t st_size;
	uint32_t st_blksize;
	uint64_t st_blocks;
	uint32_t st_atime, st_atime_ns, st_mtime, st_mtime_ns, st_ctime, st_ctime_ns;
	uint64_t st_ino;
} __attribute__((packed));
_Static_assert(sizeof(struct linux_stat) == 64, "layout is fixed by the ABI");
_Static_assert(sizeof(struct linux_stat64) == 96, "layout is fixed by the ABI");

#define PROT_READ  1u
#define PROT_WRITE 2u
#define PROT_EXEC  4u
#define PROT_SEM   8u

#define MAP_SHARED          0x01u
#define MAP_PRIVATE         0x02u
#define MAP_SHARED_VALIDATE 0x03u
#define MAP_TYPE            0x0fu
#define MAP_FIXED           0x10u
#define MAP_ANONYMOUS       0x20u
#define MAP_LOCKED          0x2000u
#define MAP_NORESERVE       0x4000u
#define MAP_POPULATE        0x8000u
#define MAP_FIXED_NOREPLACE 0x100000u

#define MREMAP_MAYMOVE 1u
#define MREMAP_FIXED   2u
#define MS_ASYNC       1u
#define MS_INVALIDATE  2u
#define MS_SYNC        4u
#define MCL_CURRENT    1u
#define MCL_FUTURE     2u
#define MCL_ONFAULT    4u
#define MLOCK_ONFAULT  1u
#define MADV_NORMAL     0u
#define MADV_RANDOM     1u
#define MADV_SEQUENTIAL 2u
#define MADV_WILLNEED   3u
#define MADV_DONTNEED   4u

struct linux_termios {
	uint32_t c_iflag, c_oflag, c_cflag, c_lflag;
	uint8_t c_line, c_cc[19];
};
#define ICRNL  0000400u
#define OPOST  0000001u
#define ONLCR  0000004u
#define ISIG   0000001u
#define ICANON 0000002u
#define ECHO   0000010u
#define ECHOE  0000020u
#define ECHOK  0000040u
enum { VINTR, VQUIT, VERASE, VKILL, VEOF, VTIME, VMIN, VSUSP = 10 };

enum { POLLIN = 1, POLLOUT = 4, POLLERR = 8, POLLHUP = 16, POLLNVAL = 32 };

#define TXN_BEGIN  0x5001u             /* Pagoda's own, on files: argument 1: strict. Returns the transaction's number */
#define TXN_COMMIT 0x5002u
#define TXN_ABORT  0x5003u
#define TCGETS     0x5401u
#define TCSETS     0x5402u
#define TCSETSW    0x5403u
#define TCSETSF    0x5404u
#define TCSBRK     0x5409u
#define TIOCSCTTY  0x540Eu
#define TIOCGPGRP  0x540Fu
#define TIOCSPGRP  0x5410u
#define TIOCGWINSZ 0x5413u
#define TIOCSWINSZ 0x5414u
#define FIONREAD   0x541Bu

struct linux_user_desc {       /* modify_ldt, set_thread_area: a segment as a program asks for it */
	uint32_t entry_number, base_addr, limit;
	uint32_t seg_32bit : 1, contents : 2, read_exec_only : 1, limit_in_pages : 1, seg_not_present : 1, useable : 1, unused : 25;
};
enum { SEGMENT_DATA, SEGMENT_STACK, SEGMENT_CODE, SEGMENT_CONFORMING };        /* contents; a stack's limit is its lower end */
_Static_assert(sizeof(struct linux_user_desc) == 16, "layout is fixed by the ABI");

struct linux_rusage {
	int32_t utime[2], stime[2];
	int32_t maxrss, ixrss, idrss, isrss, minflt, majflt, nswap, inblock, oublock, msgsnd, msgrcv, nsignals, nvcsw, nivcsw;
};
struct linux_rlimit { uint32_t soft, hard; };
struct linux_rlimit64 { uint64_t soft, hard; };
#define RLIM_INFINITY 0xffffffffu
enum { RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_CORE, RLIMIT_RSS, RLIMIT_NPROC, RLIMIT_NOFILE, RLIMIT_MEMLOCK, RLIMIT_AS,
	RLIMITS = 16 };
struct linux_sysinfo {
	int32_t uptime;
	uint32_t loads[3], totalram, freeram, sharedram, bufferram, totalswap, freeswap;
	uint16_t procs, pad;
	uint32_t totalhigh, freehigh, mem_unit;
	char fill[8];
};
_Static_assert(sizeof(struct linux_sysinfo) == 64, "layout is fixed by the ABI");

#endif
