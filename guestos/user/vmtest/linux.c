/* vmtest/linux.c: what programs made for Linux i386 count on: the auxiliary vector, vfork, links, calls relative to directories, poll.
 *
 * Numbers and layouts are given here once more, as Linux has them. */
#include "vmtest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define AT_FDCWD (-100)
#define AT_REMOVEDIR 0x200

/* exec */

enum { AT_NULL, AT_PHDR = 3, AT_PHENT = 4, AT_PHNUM = 5, AT_PAGESZ = 6, AT_ENTRY = 9, AT_UID = 11, AT_SECURE = 23, AT_RANDOM = 25, AT_EXECFN = 31 };

static bool in_auxv(uint32_t type, uint32_t *value)
{
	char **e = environ;
	while (*e++)
		;
	for (const uint32_t *a = (const uint32_t *)e; a[0] != AT_NULL; a += 2)
		if (a[0] == type) {
			*value = a[1];
			return true;
		}
	return false;
}

static uint32_t auxv(uint32_t type)
{
	uint32_t value;
	CHECK(in_auxv(type, &value), "no value of type %u", (unsigned)type);
	return value;
}

void _start(void);

/* argv[2] is linux-auxv; the environment is the one that main() got, since nobody has called setenv(). */
static void auxv_helper(void)
{
	CHECK_EQ(auxv(AT_PAGESZ), PAGE_SIZE);
	CHECK_EQ(auxv(AT_PHENT), 32);
	CHECK_EQ(auxv(AT_ENTRY), (uint32_t)_start);
	CHECK_EQ(auxv(AT_UID), 0);
	CHECK_EQ(auxv(AT_SECURE), 0);
	CHECK_EQ(auxv(AT_PHDR), 0);            /* lib/user.ld puts the program headers in no segment */
	CHECK(auxv(AT_PHNUM) >= 2 && auxv(AT_PHNUM) <= 4, "%u program headers", (unsigned)auxv(AT_PHNUM));
	CHECK(strcmp((char *)auxv(AT_EXECFN), "../bin/vmtest") == 0, "the program was called %s", (char *)auxv(AT_EXECFN));
	const uint32_t *random = (const uint32_t *)auxv(AT_RANDOM);
	CHECK((random[0] | random[1] | random[2] | random[3]) != 0, "sixteen zeroes");
	exit(0);
}

void linux_helper(const char *what)
{
	if (strcmp(what, "auxv") == 0)
		auxv_helper();
	exit(1);
}

static void exec_auxv(void *path)
{
	char *argv[] = {"vmtest", "--helper", "linux-auxv", NULL};
	chdir("/tmp");
	execve(path, argv, environ);
	_exit(98);
}

static void auxiliary(void) { CHECK_EQ(child_status(exec_auxv, "../bin/vmtest"), 0); }

static void exec_link(void *unused)
{
	char *argv[] = {"vmtest", "--helper", "exit-7", NULL};
	(void)unused;
	execve("/proc/self/exe", argv, environ);
	_exit(98);
}

static void self_exe(void)
{
	char path[64];
	long n = syscall(SYS_readlink, "/proc/self/exe", path, sizeof(path));
	CHECK(n == 11 && memcmp(path, "/bin/vmtest", 11) == 0, "the link has %ld bytes", n);
	CHECK_EQ(syscall(SYS_readlink, "/proc/self/exe", path, 4), 4);
	CHECK_ERROR(syscall(SYS_readlink, "/bin", path, sizeof(path)), EINVAL);
	CHECK_ERROR(syscall(SYS_readlink, "/none", path, sizeof(path)), ENOENT);
	CHECK_EQ(child_status(exec_link, NULL), 7 << 8);
	CHECK_ERROR(syscall(SYS_symlink, "/bin/sh", "/tmp/s"), EPERM);
}

/* The child runs in its parent's memory, and so must not return from here: this is all in assembly. It writes to a variable, exits or
 * executes, and the parent goes on only then. */
static volatile uint32_t from_child;

static long vfork_and_exit(void)
{
	long pid;
	__asm__ volatile("int $0x80\n\ttestl %%eax, %%eax\n\tjnz 1f\n\t"
		"movl $12345, %1\n\tmovl $5, %%ebx\n\tmovl %2, %%eax\n\tint $0x80\n1:"
		: "=a"(pid), "+m"(from_child) : "i"(SYS_exit), "0"(SYS_vfork) : "ebx", "memory");
	return pid;
}

static long vfork_and_exec(char *const argv[])
{
	long pid;
	__asm__ volatile("int $0x80\n\ttestl %%eax, %%eax\n\tjnz 1f\n\t"
		"movl (%%ecx), %%ebx\n\tmovl %2, %%eax\n\tint $0x80\n\tmovl $98, %%ebx\n\tmovl %3, %%eax\n\tint $0x80\n1:"
		: "=a"(pid) : "0"(SYS_vfork), "i"(SYS_execve), "i"(SYS_exit), "c"(argv), "d"(environ) : "ebx", "memory");
	return pid;
}

static void vfork_shares(void)
{
	char *argv[] = {"/bin/vmtest", "--helper", "exit-7", NULL};
	int status;
	long pid = vfork_and_exit();
	CHECK(pid > 0 && from_child == 12345, "vfork gave %ld, the child wrote %u", pid, (unsigned)from_child);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 5 << 8);
	pid = vfork_and_exec(argv);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 7 << 8);
	char *heap = grow_heap(4);             /* the space is whole, and its owner's again */
	stamp_pages(heap, 4, 1);
	check_pages(heap, 4, 1);
}

static void clone_refused(void)
{
	CHECK_ERROR(syscall(SYS_clone, 0x00010f00, 0, 0, 0, 0), EINVAL);       /* a thread */
	CHECK_ERROR(syscall(SYS_clone, 0x00000100, 0, 0, 0, 0), EINVAL);       /* memory shared while both run */
	uint32_t tid = 0;
	long pid = syscall(SYS_clone, 0x01200011, 0, 0, 0, &tid);              /* as fork() in a C library: the child learns its number */
	if (pid == 0)
		_exit(tid == (uint32_t)getpid() ? 0 : 1);
	must_end_well(pid);
	CHECK_EQ(tid, 0);
}

/* Files */

static struct stat stat_of(const char *path)
{
	struct stat st;
	CHECK(stat(path, &st) == 0, "%s: %s", path, strerror(errno));
	return st;
}

static void links(void)
{
	char c = 'a';
	mkdir("/tmp/l", 0755);
	int fd = open("/tmp/l/one", O_RDWR | O_CREAT | O_TRUNC, 0644);
	CHECK_EQ(syscall(SYS_link, "/tmp/l/one", "/tmp/l/two"), 0);
	CHECK_EQ(write(fd, &c, 1), 1);
	CHECK(stat_of("/tmp/l/two").st_size == 1 && stat_of("/tmp/l/two").st_nlink == 2, "not the same file");
	CHECK_EQ(stat_of("/tmp/l/two").st_ino, stat_of("/tmp/l/one").st_ino);
	CHECK_ERROR(syscall(SYS_link, "/tmp/l/one", "/tmp/l/two"), EEXIST);
	CHECK_ERROR(syscall(SYS_link, "/tmp/l/none", "/tmp/l/three"), ENOENT);
	CHECK_ERROR(syscall(SYS_link, "/tmp/l", "/tmp/m"), EPERM);
	CHECK_ERROR(syscall(SYS_link, "/dev/null", "/tmp/l/null"), EXDEV);
	CHECK_EQ(unlink("/tmp/l/one"), 0);
	CHECK_EQ(stat_of("/tmp/l/two").st_nlink, 1);
	close(fd);
	fd = open("/tmp/l/two", O_RDONLY);
	c = 0;
	CHECK(read(fd, &c, 1) == 1 && c == 'a', "the contents went with the first name");
	close(fd);
	CHECK_EQ(unlink("/tmp/l/two") | rmdir("/tmp/l"), 0);
}

static void relative(void)
{
	mkdir("/tmp/r", 0755);
	int dir = open("/tmp/r", O_RDONLY | O_DIRECTORY), file = open("/bin/sh", O_RDONLY);
	int fd = syscall(SYS_openat, dir, "f", O_RDWR | O_CREAT, 0640);
	CHECK(fd >= 0, "openat: %s", strerror(errno));
	CHECK_EQ(stat_of("/tmp/r/f").st_mode & 0777, 0640);
	CHECK_EQ(syscall(SYS_mkdirat, dir, "d", 0700), 0);
	CHECK_EQ(syscall(SYS_renameat, dir, "f", dir, "d/g"), 0);
	CHECK_EQ(syscall(SYS_faccessat, dir, "d/g", R_OK), 0);
	CHECK_ERROR(syscall(SYS_openat, dir, "f", O_RDONLY), ENOENT);
	CHECK_ERROR(syscall(SYS_openat, file, "f", O_RDONLY), ENOTDIR);
	CHECK_ERROR(syscall(SYS_openat, 31, "f", O_RDONLY), EBADF);
	int absolute = syscall(SYS_openat, 31, "/bin/sh", O_RDONLY);   /* an absolute path needs no directory */
	CHECK(absolute >= 0, "absolute: %s", strerror(errno));
	CHECK_ERROR(syscall(SYS_unlinkat, dir, "d", 0), EISDIR);
	CHECK_EQ(syscall(SYS_unlinkat, dir, "d/g", 0), 0);
	CHECK_EQ(syscall(SYS_unlinkat, dir, "d", AT_REMOVEDIR), 0);
	CHECK_EQ(syscall(SYS_fchdir, dir), 0);
	CHECK_EQ(rmdir("../r"), 0);
	close(dir), close(file), close(fd), close(absolute);
}

static void attributes(void)
{
	uint32_t times[4] = {1, 0, 1000000000, 0};
	CHECK_EQ(syscall(SYS_umask, 077), 022);
	int fd = open("/tmp/a", O_RDWR | O_CREAT, 0666);
	CHECK_EQ(stat_of("/tmp/a").st_mode & 0777, 0600);
	CHECK_EQ(syscall(SYS_umask, 022), 077);
	CHECK_EQ(syscall(SYS_chmod, "/tmp/a", 04751), 0);
	CHECK_EQ(stat_of("/tmp/a").st_mode, 0104751);
	CHECK_EQ(syscall(SYS_fchmod, fd, 0600), 0);
	CHECK_EQ(syscall(SYS_utimensat, AT_FDCWD, "/tmp/a", times, 0), 0);
	CHECK_EQ(stat_of("/tmp/a").st_mtime, 1000000000);
	CHECK_ERROR(access("/tmp/a", X_OK), EACCES);
	CHECK_EQ(syscall(SYS_chown, "/tmp/a", 0, -1), 0);
	CHECK_ERROR(syscall(SYS_chown, "/tmp/a", 1000, 1000), EPERM);
	CHECK_ERROR(syscall(SYS_chmod, "/dev/null", 0), EPERM);
	close(fd);
	unlink("/tmp/a");
}

static void positioned(void)
{
	char got[8] = {0};
	struct { char *at; uint32_t n; } parts[2] = {{got, 2}, {got + 4, 3}};
	int fd = open("/tmp/p", O_RDWR | O_CREAT | O_TRUNC, 0644);
	CHECK_EQ(write(fd, "abcdef", 6), 6);
	CHECK_EQ(syscall(SYS_pwrite64, fd, "XY", 2, 1, 0), 2);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 6);
	lseek(fd, 0, SEEK_SET);
	CHECK_EQ(syscall(SYS_readv, fd, parts, 2), 5);
	CHECK(memcmp(got, "aX\0\0Yde", 7) == 0, "read %s and %s", got, got + 4);
	CHECK_EQ(syscall(SYS_truncate, "/tmp/p", 2), 0);
	CHECK_EQ(stat_of("/tmp/p").st_size, 2);
	close(fd);
	unlink("/tmp/p");
}

static void descriptors(void)
{
	int fd[2];
	CHECK_EQ(syscall(SYS_pipe2, fd, O_CLOEXEC | O_NONBLOCK), 0);
	CHECK_EQ(syscall(SYS_fcntl, fd[0], 1, 0), 1);
	CHECK_ERROR(read(fd[0], fd, 1), EAGAIN);
	CHECK_EQ(syscall(SYS_dup3, fd[0], 20, 0), 20);
	CHECK_EQ(syscall(SYS_fcntl, 20, 1, 0), 0);
	CHECK_ERROR(syscall(SYS_dup3, fd[0], fd[0], 0), EINVAL);
	CHECK_ERROR(syscall(SYS_pipe2, fd, O_APPEND), EINVAL);
	close(fd[0]), close(fd[1]), close(20);
}

/* Waiting for several files */

enum { POLLIN = 1, POLLOUT = 4, POLLHUP = 16, POLLNVAL = 32 };
struct pollfd { int fd; short events, revents; };

static void polls(void)
{
	int fd[2];
	char c;
	CHECK_EQ(pipe(fd), 0);
	struct pollfd p[3] = {{fd[0], POLLIN, 0}, {fd[1], POLLOUT, 0}, {-1, POLLIN, 7}};
	CHECK_EQ(syscall(SYS_poll, p, 3, -1), 1);
	CHECK(p[0].revents == 0 && p[1].revents == POLLOUT && p[2].revents == 0, "an empty pipe: %d %d %d", p[0].revents, p[1].revents, p[2].revents);
	uint32_t before = now_ms();
	CHECK_EQ(syscall(SYS_poll, p, 1, 200), 0);
	CHECK(now_ms() - before >= 200 && now_ms() - before < 1000, "200 ms took %u", (unsigned)(now_ms() - before));
	pid_t pid = fork();
	if (pid == 0) {
		usleep(100000);
		_exit(write(fd[1], "x", 1) == 1 ? 0 : 1);
	}
	CHECK_EQ(syscall(SYS_poll, p, 1, -1), 1);
	CHECK_EQ(p[0].revents, POLLIN);
	must_end_well(pid);
	CHECK_EQ(read(fd[0], &c, 1), 1);
	close(fd[1]);
	CHECK_EQ(syscall(SYS_poll, p, 2, -1), 2);
	CHECK(p[0].revents == POLLHUP && p[1].revents == POLLNVAL, "a closed end: %d %d", p[0].revents, p[1].revents);
	close(fd[0]);
}

static void selects(void)
{
	int fd[2];
	uint32_t in[32] = {0}, out[32] = {0}, time[2] = {0, 50000};
	CHECK_EQ(pipe(fd), 0);
	in[0] = 1u << fd[0];
	CHECK_EQ(syscall(SYS__newselect, 10, in, NULL, NULL, time), 0);
	CHECK_EQ(in[0], 0);
	in[0] = 1u << fd[0], out[0] = 1u << fd[1];
	CHECK_EQ(write(fd[1], "x", 1), 1);
	CHECK_EQ(syscall(SYS__newselect, 10, in, out, NULL, NULL), 2);
	CHECK(in[0] == 1u << fd[0] && out[0] == 1u << fd[1], "in 0x%x, out 0x%x", (unsigned)in[0], (unsigned)out[0]);
	in[0] = 1u << 30;
	CHECK_ERROR(syscall(SYS__newselect, 31, in, NULL, NULL, NULL), EBADF);
	close(fd[0]), close(fd[1]);
}

const struct test linux_tests[] = {
	{"auxiliary-vector", "a program finds page size, program headers, entry, its name and 16 bytes above its environment", auxiliary, NULL},
	{"self-exe", "/proc/self/exe leads to the program, and can be executed", self_exe, NULL},
	{"vfork", "the child runs in the parent's memory, and the parent waits until exit or exec", vfork_shares, NULL},
	{"clone", "clone makes processes, not threads", clone_refused, NULL},
	{"link", "a file with two names, and with the second only", links, NULL},
	{"relative-paths", "openat and its like start from an open directory", relative, NULL},
	{"attributes", "chmod, utimensat, umask, chown", attributes, NULL},
	{"read-write-at", "pwrite, readv, truncate by name", positioned, NULL},
	{"descriptor-flags", "pipe2 and dup3", descriptors, NULL},
	{"poll", "a pipe becomes readable, writable, hung up; time passes", polls, NULL},
	{"select", "the same by bit sets", selects, NULL},
	{0}};
