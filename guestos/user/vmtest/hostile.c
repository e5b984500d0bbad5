/* vmtest/hostile.c: programs that use everything up, or use it in no sensible order: nothing is lost. */
#include "vmtest.h"
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

void write_file(const char *path, const void *data, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);

	CHECK(fd >= 0, "%s: %s", path, strerror(errno));
	CHECK_EQ(write(fd, data, n), (long)n);
	close(fd);
}

/* Fork until it fails, then let the whole family die. */
static void bomb(void *unused)
{
	(void)unused;
	syscall(SYS_setpgid, 0, 0);    /* a group of their own */
	for (;;)
		if (fork() < 0)
			usleep(10000);
}

static void leave(void *status) { _exit((int)status); }

static void fork_bomb(void)
{
	int status;
	pid_t pid = start_child(bomb, NULL);

	usleep(600000);
	for (int quiet = 0; quiet < 3;) {      /* new ones may appear while the old ones die */
		quiet = kill(-pid, SIGKILL) < 0 ? quiet + 1 : 0;
		waitpid(pid, &status, WNOHANG);
		usleep(20000);
	}
	CHECK_EQ(child_status(leave, (void *)7), 7 << 8);
}

static void kill_init(void)
{
	kill(1, SIGKILL);
	kill(1, SIGSEGV);
	kill(2, SIGKILL);
	CHECK_ERROR(kill(1, 65), EINVAL);
	CHECK_ERROR(kill(1, -1), EINVAL);
	CHECK_ERROR(kill(32000, 0), ESRCH);
	CHECK_ERROR(kill(-2147483647 - 1, 9), ESRCH);
	usleep(20000);
	CHECK_EQ(kill(1, 0), 0);
	CHECK_EQ(kill(2, 0), 0);
}

/* Two processes, four ends, closed in every order; then what read and write say. */
static void pipe_orders(void)
{
	for (int order = 0; order < 24; order++) {
		int fd[2], ends[4], left = 4, n = order, status;
		CHECK_EQ(pipe(fd), 0);
		ends[0] = fd[0], ends[1] = fd[1], ends[2] = dup(fd[0]), ends[3] = dup(fd[1]);
		pid_t pid = fork();
		if (pid == 0) {
			char c;
			close(ends[1]);
			close(ends[3]);
			_exit(read(ends[order & 1 ? 0 : 2], &c, 1) == 0 ? 0 : 1);
		}
		while (left) {
			int k = n % left;
			n /= left;
			CHECK_EQ(close(ends[k]), 0);
			ends[k] = ends[--left];
		}
		CHECK(waitpid(pid, &status, 0) == pid && status == 0, "order %d: the reader saw no end: 0x%x", order, status);
	}
}

static void descriptors_used_up(void)
{
	int last = -1, n = 0, fd[2];

	while ((last = dup(1)) >= 0)
		n++;
	CHECK(errno == EMFILE && n > 10, "%d descriptors, errno %d", n, errno);
	CHECK_ERROR(pipe(fd), EMFILE);
	CHECK_ERROR(open("/bin/true", O_RDONLY), EMFILE);
	CHECK_EQ(close(5), 0);
	CHECK_ERROR(pipe(fd), EMFILE);
	CHECK_EQ(open("/bin/true", O_RDONLY), 5);
}

/* Names on themselves, into themselves, over each other. */
static void rename_odd(void)
{
	mkdir(PLACE, 0755);
	mkdir(PLACE "/d", 0755);
	mkdir(PLACE "/e", 0755);
	write_file(PLACE "/f", "x", 1);
	CHECK_EQ(rename(PLACE "/f", PLACE "/f"), 0);
	CHECK_EQ(rename(PLACE "/d", PLACE "/./d"), 0);
	CHECK_ERROR(rename(PLACE "/d", PLACE "/d/x"), EINVAL);
	CHECK_ERROR(rename(PLACE, PLACE "/d"), EINVAL);
	CHECK_ERROR(rename(PLACE "/d", PLACE), ENOTEMPTY);
	CHECK_ERROR(rename(PLACE "/f", PLACE "/d"), EISDIR);
	CHECK_ERROR(rename(PLACE "/d", PLACE "/f"), ENOTDIR);
	CHECK_ERROR(rename("/", PLACE "/g"), EBUSY);
	CHECK_ERROR(rename(PLACE "/f", "/"), EBUSY);
	CHECK_ERROR(rename(PLACE "/f", "/proc/f"), EXDEV);
	CHECK_ERROR(rename(PLACE "/f", "/dev/null"), EXDEV);
	CHECK_ERROR(rename("/proc/meminfo", PLACE "/g"), EXDEV);
	CHECK_ERROR(rename("/dev", PLACE "/g"), EXDEV);
	CHECK_ERROR(rmdir("/proc"), EBUSY);
	CHECK_ERROR(rmdir("/dev"), EBUSY);
	CHECK_ERROR(unlink("/"), EBUSY);
	CHECK_ERROR(rmdir("/"), EBUSY);
	CHECK_EQ(rename(PLACE "/d", PLACE "/e"), 0);
	CHECK_EQ(rmdir(PLACE "/e"), 0);
	CHECK_EQ(unlink(PLACE "/f"), 0);
	CHECK_EQ(rmdir(PLACE), 0);
}

static void write_vectors(void)
{
	uint32_t v[3][2] = {{PAGE_SIZE, 0x7fffe000}, {PAGE_SIZE, 0x7fffe000}, {0, 0xffffffff}};
	int fd = open("/dev/null", O_WRONLY);

	CHECK_EQ(syscall(SYS_writev, fd, v, 2), 0x7ffff000);
	CHECK_EQ(syscall(SYS_writev, fd, v, 1), 0x7fffe000);
	CHECK_ERROR(syscall(SYS_writev, fd, v + 2, 1), EINVAL);
	CHECK_ERROR(syscall(SYS_writev, fd, v, 1025), EINVAL);
	close(fd);
}

/* The last page a file can have, through both indirections; beyond that, EFBIG. */
static void file_limits(void)
{
	char c = 'z', got[3] = {1, 1, 1};
	int fd = open(PLACE, O_RDWR | O_CREAT | O_TRUNC, 0644);

	for (uint32_t at = 40000; at < 0x7fffffff - 8192; at = at * 3 + 4095) {
		CHECK_EQ(lseek(fd, at, SEEK_SET), at);
		CHECK_EQ(write(fd, &c, 1), 1);
		CHECK_EQ(pread(fd, got, 2, at - 1), 2);
		CHECK(got[0] == 0 && got[1] == 'z', "at %u: %d %d", (unsigned)at, got[0], got[1]);
	}
	CHECK_EQ(lseek(fd, 0x7ffffffe, SEEK_SET), 0x7ffffffe);
	CHECK_EQ(write(fd, "ab", 2), 1);
	CHECK_ERROR(write(fd, "b", 1), EFBIG);
	CHECK_EQ(lseek(fd, 0, SEEK_END), 0x7fffffff);
	CHECK_EQ(ftruncate(fd, 10), 0);
	CHECK_EQ(unlink(PLACE), 0);
	close(fd);
}

/* Fill the disk; what was there stays, and afterwards the room is back. */
static void disk_full(void)
{
	static char block[PAGE_SIZE];
	long total = 0, n;
	int fd = open(PLACE, O_RDWR | O_CREAT | O_TRUNC, 0644);

	write_file(PLACE ".keep", "kept", 4);
	while ((n = write(fd, block, sizeof(block))) > 0)
		total += n;
	CHECK(n == -1 && errno == ENOSPC, "after %ld bytes: %ld, errno %d", total, n, errno);
	CHECK_ERROR(mkdir(PLACE ".dir", 0755), ENOSPC);
	n = open(PLACE ".new", O_RDWR | O_CREAT, 0644);
	CHECK(n < 0 || write(n, block, 100) == -1, "a write to the full disk worked");
	close(n);
	CHECK_EQ(unlink(PLACE), 0);
	CHECK_ERROR(mkdir(PLACE ".dir", 0755), ENOSPC);        /* still open */
	close(fd);
	CHECK_EQ(mkdir(PLACE ".dir", 0755), 0);
	CHECK_EQ(rmdir(PLACE ".dir"), 0);
	unlink(PLACE ".new");
	CHECK_EQ(unlink(PLACE ".keep"), 0);
}

const struct test hostile_tests[] = {
	{"fork-bomb", "processes until no more can be made, then all are killed", fork_bomb, NULL},
	{"kill-init", "nothing kills processes 1 and 2", kill_init, NULL},
	{"pipe-orders", "the ends of a pipe closed in every order", pipe_orders, NULL},
	{"descriptors-used-up", "no descriptor left is EMFILE and loses nothing", descriptors_used_up, NULL},
	{"rename-odd", "names moved onto and into themselves and across mounts", rename_odd, NULL},
	{"write-vectors", "gathered writes of more than an int can count", write_vectors, NULL},
	{"file-limits", "a file with holes up to 2 GB - 1, and no further", file_limits, NULL},
	{"disk-full", "a full disk is ENOSPC, and the room comes back", disk_full, NULL},
	{0}};
