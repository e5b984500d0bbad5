/* lib/syscall.c: the wrappers around int $0x80. One line each unless the C function and the call differ. */
#include <unistd.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/ldt.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <sys/time.h>
#include <time.h>

#define REBOOT_MAGIC1 0xfee1dead
#define REBOOT_MAGIC2 672274793
#define REBOOT_POWER_OFF 0x4321fedc

int errno;

/* call[0] is the number. The sixth argument goes in EBP, which the compiler may be using: it is saved by hand, and debuggers are told where. */
static long trap(const long call[7])
{
	long result;
	__asm__ volatile(
		".cfi_remember_state\n\t"
		"pushl %%ebp\n\t.cfi_adjust_cfa_offset 4\n\t.cfi_rel_offset ebp, 0\n\t"
		"movl 4(%%eax), %%ebx\n\tmovl 8(%%eax), %%ecx\n\tmovl 12(%%eax), %%edx\n\t"
		"movl 16(%%eax), %%esi\n\tmovl 20(%%eax), %%edi\n\tmovl 24(%%eax), %%ebp\n\t"
		"movl (%%eax), %%eax\n\tint $0x80\n\t"
		"popl %%ebp\n\t.cfi_restore_state"
		: "=a"(result)
		: "a"(call)
		: "ebx", "ecx", "edx", "esi", "edi", "memory");
	return result;
}

long syscall(long number, ...)
{
	va_list ap;
	long call[7] = {number};

	va_start(ap, number);
	for (int i = 1; i < 7; i++)    /* reading words the caller did not pass is harmless: they are stack */
		call[i] = va_arg(ap, long);
	va_end(ap);
	long result = trap(call);
	if (result < 0 && result >= -4095) {
		errno = -result;
		return -1;
	}
	return result;
}

pid_t fork(void) { return syscall(SYS_fork); }
pid_t getpid(void) { return syscall(SYS_getpid); }
pid_t getppid(void) { return syscall(SYS_getppid); }
int execve(const char *path, char *const argv[], char *const envp[]) { return syscall(SYS_execve, path, argv, envp); }

_Noreturn void _exit(int status)
{
	for (;;)
		syscall(SYS_exit_group, status);
}

ssize_t read(int fd, void *buf, size_t n) { return syscall(SYS_read, fd, buf, n); }
ssize_t write(int fd, const void *buf, size_t n) { return syscall(SYS_write, fd, buf, n); }
ssize_t pread(int fd, void *buf, size_t n, off_t at) { return syscall(SYS_pread64, fd, buf, n, at, at < 0 ? -1L : 0L); }
ssize_t pwrite(int fd, const void *buf, size_t n, off_t at) { return syscall(SYS_pwrite64, fd, buf, n, at, at < 0 ? -1L : 0L); }
off_t lseek(int fd, off_t offset, int whence) { return syscall(SYS_lseek, fd, offset, whence); }
int close(int fd) { return syscall(SYS_close, fd); }
int dup(int fd) { return syscall(SYS_dup, fd); }
int dup2(int fd, int to) { return syscall(SYS_dup2, fd, to); }
int pipe(int fd[2]) { return syscall(SYS_pipe, fd); }
int ftruncate(int fd, off_t length) { return syscall(SYS_ftruncate, fd, length); }
int fcntl(int fd, int command, long argument) { return syscall(SYS_fcntl, fd, command, argument); }
int ioctl(int fd, unsigned long request, void *argument) { return syscall(SYS_ioctl, fd, request, argument); }

int open(const char *path, int flags, ...)
{
	va_list ap;

	va_start(ap, flags);
	int mode = flags & O_CREAT ? va_arg(ap, int) : 0;
	va_end(ap);
	return syscall(SYS_open, path, flags, mode);
}

ssize_t read_full(int fd, void *buf, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t got = read(fd, (char *)buf + done, n - done);
		if (got < 0)
			return done ? (ssize_t)done : -1;
		if (got == 0)
			break;
		done += got;
	}
	return done;
}

ssize_t write_full(int fd, const void *buf, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t put = write(fd, (const char *)buf + done, n - done);
		if (put <= 0)
			return -1;
		done += put;
	}
	return done;
}

int tcgetattr(int fd, struct termios *t) { return ioctl(fd, TCGETS, t); }
int tcsetattr(int fd, int when, const struct termios *t) { return ioctl(fd, when ? TCSETSW : TCSETS, (void *)t); }

int isatty(int fd)
{
	struct termios t;
	return tcgetattr(fd, &t) == 0;
}

void *mmap(void *where, size_t length, int prot, int flags, int fd, off_t offset)
{
	if (offset % 4096) {
		errno = EINVAL;
		return MAP_FAILED;
	}
	return (void *)syscall(SYS_mmap2, where, length, prot, flags, fd, (unsigned long)offset / 4096);
}

int munmap(void *start, size_t length) { return syscall(SYS_munmap, start, length); }
int mprotect(void *start, size_t length, int prot) { return syscall(SYS_mprotect, start, length, prot); }
int msync(void *start, size_t length, int flags) { return syscall(SYS_msync, start, length, flags); }
int madvise(void *start, size_t length, int advice) { return syscall(SYS_madvise, start, length, advice); }
int mincore(void *start, size_t length, unsigned char *present) { return syscall(SYS_mincore, start, length, present); }
int mlockall(int flags) { return syscall(SYS_mlockall, flags); }
int munlockall(void) { return syscall(SYS_munlockall); }

void *mremap(void *start, size_t length, size_t new_length, int flags, ...)
{
	va_list ap;

	va_start(ap, flags);
	void *to = flags & MREMAP_FIXED ? va_arg(ap, void *) : NULL;
	va_end(ap);
	return (void *)syscall(SYS_mremap, start, length, new_length, flags, to);
}

int mlock(const void *start, size_t length) { return syscall(SYS_mlock, start, length); }
int mlock2(const void *start, size_t length, int flags) { return syscall(SYS_mlock2, start, length, flags); }
int munlock(const void *start, size_t length) { return syscall(SYS_munlock, start, length); }

int access(const char *path, int mode) { return syscall(SYS_access, path, mode); }
int link(const char *path, const char *another) { return syscall(SYS_link, path, another); }
int unlink(const char *path) { return syscall(SYS_unlink, path); }
int rename(const char *from, const char *to) { return syscall(SYS_rename, from, to); }
int mkdir(const char *path, mode_t mode) { return syscall(SYS_mkdir, path, mode); }
int rmdir(const char *path) { return syscall(SYS_rmdir, path); }
int chdir(const char *path) { return syscall(SYS_chdir, path); }
char *getcwd(char *buf, size_t size) { return syscall(SYS_getcwd, buf, size) < 0 ? NULL : buf; }
int stat(const char *path, struct stat *st) { return syscall(SYS_stat64, path, st); }
int lstat(const char *path, struct stat *st) { return syscall(SYS_lstat64, path, st); }
int fstat(int fd, struct stat *st) { return syscall(SYS_fstat64, fd, st); }
ssize_t getdents64(int fd, void *buf, size_t size) { return syscall(SYS_getdents64, fd, buf, size); }
void sync(void) { syscall(SYS_sync); }
int fsync(int fd) { return syscall(SYS_fsync, fd); }
int fdatasync(int fd) { return syscall(SYS_fdatasync, fd); }

pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage) { return syscall(SYS_wait4, pid, status, options, usage); }
pid_t waitpid(pid_t pid, int *status, int options) { return wait4(pid, status, options, NULL); }
pid_t wait(int *status) { return wait4(-1, status, 0, NULL); }
int setitimer(int which, const struct itimerval *new, struct itimerval *old) { return syscall(SYS_setitimer, which, new, old); }
int getitimer(int which, struct itimerval *now) { return syscall(SYS_getitimer, which, now); }
int getrusage(int who, struct rusage *usage) { return syscall(SYS_getrusage, who, usage); }
int getrlimit(int which, struct rlimit *limit) { return syscall(SYS_getrlimit, which, limit); }
int setrlimit(int which, const struct rlimit *limit) { return syscall(SYS_setrlimit, which, limit); }
int sched_yield(void) { return syscall(SYS_sched_yield); }
int uname(struct utsname *u) { return syscall(SYS_uname, u); }
int modify_ldt(int func, void *data, unsigned long bytes) { return syscall(SYS_modify_ldt, func, data, bytes); }
int poweroff(void) { return syscall(SYS_reboot, REBOOT_MAGIC1, REBOOT_MAGIC2, REBOOT_POWER_OFF, 0); }

time_t time(time_t *t) { return syscall(SYS_time, t); }
int gettimeofday(struct timeval *tv, void *zone) { return syscall(SYS_gettimeofday, tv, zone); }
int clock_gettime(int clock, struct timespec *ts) { return syscall(SYS_clock_gettime, clock, ts); }
int nanosleep(const struct timespec *wanted, struct timespec *left) { return syscall(SYS_nanosleep, wanted, left); }

int usleep(unsigned microseconds)
{
	struct timespec t = {microseconds / 1000000, microseconds % 1000000 * 1000};
	return nanosleep(&t, NULL);
}

unsigned sleep(unsigned seconds)
{
	struct timespec t = {seconds, 0};
	return nanosleep(&t, NULL) < 0 ? 1 : 0;
}
