/* vmtest/pointers.c: no pointer a program passes can hurt the kernel, and every good one works.
 *
 * One table row per system call and pointer argument. Each is tried with every kind of bad pointer, and the
 * answer must be EFAULT. Then the opposite: pointers to pages that are fine but not in memory. */
#include "vmtest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum kind { OUT, IN, STRING, VECTOR };         /* the kernel writes n bytes there; reads n bytes; reads up to a zero; reads pointers */
enum setup { NO_FD, FILE_FD, DIR_FD, PIPE_FD, TTY_FD };

struct pointer_case {
	int number, argument;          /* which argument is the pointer */
	enum kind kind;
	enum setup setup;              /* what argument 0 is */
	bool null_allowed;
	long args[5];
	long size;                     /* bytes the kernel touches; decides which pointers straddle */
};

static const char text_page[PAGE_SIZE] __attribute__((aligned(4096))) = "/bin/sh";

static int open_for(enum setup setup)
{
	int fd[2];

	switch (setup) {
	case FILE_FD: return open("/bin/vmtest", O_RDONLY);
	case DIR_FD: return open("/bin", O_RDONLY | O_DIRECTORY);
	case TTY_FD: return open("/dev/console", O_RDWR);
	case PIPE_FD:
		CHECK_EQ(pipe(fd), 0);
		return fd[1];          /* the reading end stays open, else writing would end this process */
	default: return 0;
	}
}

static void try_pointer(const struct pointer_case *c, const void *pointer, const char *what)
{
	long a[5];

	memcpy(a, c->args, sizeof(a));
	int fd = open_for(c->setup);
	CHECK(fd >= 0, "nothing to call it on: %s", strerror(errno));
	if (c->setup != NO_FD)
		a[0] = fd;
	a[c->argument] = (long)pointer;
	errno = 0;
	long result = syscall(c->number, a[0], a[1], a[2], a[3], a[4]);
	CHECK(result == -1 && errno == EFAULT, "%s pointer %p: result %ld, errno %d", what, pointer, result, errno);
	if (fd > 2)
		close(fd);
}

/* The last bytes before a hole: a buffer or string that starts there runs out of memory. */
static char *edge(void)
{
	char *page = grow_heap(1);
	memset(page, 'a', PAGE_SIZE);
	return page + PAGE_SIZE;
}

static void bad_pointers(void)
{
	const struct pointer_case *c = running->argument;
	char *end = edge();

	if (!c->null_allowed)
		try_pointer(c, NULL, "null");
	try_pointer(c, (void *)0xc0000000, "kernel");
	try_pointer(c, (void *)0xc0100000, "kernel text");
	try_pointer(c, (void *)0xfffffffc, "last");
	try_pointer(c, (void *)0x70000000, "unmapped");
	try_pointer(c, (void *)16, "near null");
	if (c->size > 1 || c->kind == STRING || c->kind == VECTOR) {
		try_pointer(c, end - 1, "straddling");
		if (c->kind != STRING)         /* the stack's last byte is a zero, which is a string */
			try_pointer(c, (void *)0xbfffffff, "into the kernel");
	}
	if (c->kind == OUT)
		try_pointer(c, text_page, "read-only");
}

#define CASE(name, ...) {"efault-" name, "every bad pointer is EFAULT", bad_pointers, &(const struct pointer_case){__VA_ARGS__}}

/* Those that need more than a row. */

static void exit_now(void *unused) { (void)unused; }

static void wait_pointers(void)
{
	char *end = edge();
	int *bad[] = {(int *)0xc0000000, (int *)0x70000000, (int *)(end - 1), (int *)text_page};

	for (size_t i = 0; i < 4; i++) {
		start_child(exit_now, NULL);
		CHECK_ERROR(waitpid(-1, bad[i], 0), EFAULT);
		while (waitpid(-1, NULL, 0) > 0)
			;
	}
}

static void exec_pointers(void)
{
	char *end = edge();
	char *argv_bad_string[] = {"sh", (char *)0xc0000000, NULL}, *argv_edge[] = {"sh", end - 3, NULL};
	char **unended = (char **)(end - sizeof(char *));
	char *good[] = {"sh", NULL};

	*unended = "x";
	CHECK_ERROR(execve("/bin/sh", argv_bad_string, NULL), EFAULT);
	CHECK_ERROR(execve("/bin/sh", argv_edge, NULL), EFAULT);
	CHECK_ERROR(execve("/bin/sh", unended, NULL), EFAULT);
	CHECK_ERROR(execve("/bin/sh", (char **)0x70000000, NULL), EFAULT);
	CHECK_ERROR(execve("/bin/sh", good, (char **)0xc0000000), EFAULT);
	CHECK_ERROR(execve("/bin/sh", good, argv_bad_string), EFAULT);
	CHECK_ERROR(execve((char *)0xc0000000, good, NULL), EFAULT);
	CHECK_ERROR(execve(end - 2, good, NULL), EFAULT);
}

static void pipe_leaves_nothing(void)
{
	int before = dup(0);
	close(before);
	CHECK_ERROR(pipe((int *)text_page), EFAULT);
	CHECK_ERROR(pipe((int *)0x70000000), EFAULT);
	CHECK_EQ(dup(0), before);
}

static void partial_write(void)
{
	char *end = edge();
	int fd = open("/tmp/vmtest-partial", O_RDWR | O_CREAT | O_TRUNC, 0644);
	char back[16];

	CHECK(fd >= 0, "cannot create: %s", strerror(errno));
	unlink("/tmp/vmtest-partial");
	long n = write(fd, end - 8, 4096);             /* 8 good bytes: all or part or EFAULT, never more than 8 */
	CHECK(n == 8 || (n == -1 && errno == EFAULT), "writing 8 good bytes of 4096 gave %ld", n);
	lseek(fd, 0, SEEK_SET);
	long got = read(fd, back, sizeof(back));
	CHECK(got <= 8, "%ld bytes arrived in the file", got);
	close(fd);
}

static void wrap_around(void)
{
	int fd = open("/bin/vmtest", O_RDONLY);
	char *page = grow_heap(1);
	CHECK_ERROR(write(fd, page, 0), EBADF);        /* opened for reading only */
	long n = read(fd, page, 0xc0000000u);  /* fills what there is, or refuses */
	CHECK((n == -1 && errno == EFAULT) || (n >= 0 && n <= (long)PAGE_SIZE), "reading 3 GB into one page gave %ld", n);
	CHECK_ERROR(read(fd, (void *)0xfffff000, 0x2000), EFAULT);
	CHECK_ERROR(pread(fd, (void *)0xfffffff0, 0x20, 0), EFAULT);
	close(fd);
}

/* Good pointers whose pages are not there */

static char bss_buffer[40 * PAGE_SIZE] __attribute__((aligned(4096)));
static char absent_path[PAGE_SIZE] __attribute__((aligned(4096))) = "/bin/vmtest";
static char *absent_argv[3][1024] __attribute__((aligned(4096))) = {{"vmtest", "--helper", "exit-7", NULL}};

static void read_to_absent(void)
{
	int fd = open("/bin/vmtest", O_RDONLY);
	char head[64];

	CHECK_EQ(pages_present(bss_buffer, 40), 0);
	CHECK_EQ(read_full(fd, bss_buffer + 100, 8 * PAGE_SIZE), 8 * PAGE_SIZE);
	CHECK_EQ(pread(fd, head, sizeof(head), 5 * PAGE_SIZE), (long)sizeof(head));
	CHECK(memcmp(bss_buffer + 100 + 5 * PAGE_SIZE, head, sizeof(head)) == 0, "read() gave other bytes than pread()");
	CHECK_EQ(bss_buffer[99], 0);
	close(fd);
}

static void write_from_absent(void)
{
	int fd = open("/tmp/vmtest-absent", O_RDWR | O_CREAT | O_TRUNC, 0644);
	char *back = grow_heap(20);

	CHECK(fd >= 0, "cannot create: %s", strerror(errno));
	unlink("/tmp/vmtest-absent");
	memset(back, 'b', 20 * PAGE_SIZE);
	CHECK_EQ(write_full(fd, bss_buffer, 20 * PAGE_SIZE), 20 * PAGE_SIZE);
	lseek(fd, 0, SEEK_SET);
	CHECK_EQ(read_full(fd, back, 20 * PAGE_SIZE), 20 * PAGE_SIZE);
	for (uint32_t i = 0; i < 20 * PAGE_SIZE; i++)
		CHECK(back[i] == 0, "byte %u of an untouched buffer was written as %d", (unsigned)i, back[i]);
	close(fd);
}

static void path_absent(void)
{
	struct stat st;
	char copy[20] = "/bin/vmtest";

	CHECK(!page_of(absent_path).present, "the path is in memory already");
	int fd = open(absent_path, O_RDONLY);
	CHECK(fd >= 0, "open: %s", strerror(errno));
	CHECK_EQ(fstat(fd, (struct stat *)(bss_buffer + PAGE_SIZE - 40)), 0);
	CHECK_EQ(stat(copy, &st), 0);
	CHECK(memcmp(&st, bss_buffer + PAGE_SIZE - 40, sizeof(st)) == 0, "stat across two absent pages differs");
	close(fd);
}

static void exec_absent(void *unused)
{
	(void)unused;
	execve(absent_path, absent_argv[0], absent_argv[2]);
	_exit(99);
}

static void argv_absent(void)
{
	CHECK_EQ(child_status(exec_absent, NULL), 7 << 8);
}

static void swapped_pointers(void)
{
	const int pages = 30;
	char *heap = grow_heap(pages), *other = grow_heap(pages);
	int fd = open("/tmp/vmtest-swapped", O_RDWR | O_CREAT | O_TRUNC, 0644);

	CHECK(fd >= 0, "cannot create: %s", strerror(errno));
	unlink("/tmp/vmtest-swapped");
	stamp_pages(heap, pages, 3);
	stamp_pages(other, pages, 4);
	squeeze_out(heap, pages);
	CHECK_EQ(write_full(fd, heap, pages * PAGE_SIZE), pages * PAGE_SIZE);
	lseek(fd, 0, SEEK_SET);
	squeeze_out(other, pages);
	CHECK_EQ(read_full(fd, other, pages * PAGE_SIZE), pages * PAGE_SIZE);
	check_pages(other, pages, 3);
	check_pages(heap, pages, 3);
	close(fd);
}

static void pipe_to_absent(void)
{
	int fd[2];

	CHECK_EQ(pipe((int *)(bss_buffer + 2 * PAGE_SIZE - 4)), 0);    /* two numbers on two absent pages */
	memcpy(fd, bss_buffer + 2 * PAGE_SIZE - 4, sizeof(fd));
	CHECK_EQ(write(fd[1], text_page + PAGE_SIZE - 100, 100), 100);
	CHECK_EQ(read(fd[0], bss_buffer + 5 * PAGE_SIZE - 50, 100), 100);
	CHECK_EQ(close(fd[0]) | close(fd[1]), 0);
}

const struct test pointer_tests[] = {
	CASE("read", SYS_read, 1, OUT, FILE_FD, false, {0, 0, 64}, 64),
	CASE("write", SYS_write, 1, IN, PIPE_FD, false, {0, 0, 64}, 64),
	CASE("pread", SYS_pread64, 1, OUT, FILE_FD, false, {0, 0, 64, 0}, 64),
	CASE("open", SYS_open, 0, STRING, NO_FD, false, {0}, 0),
	CASE("stat-path", SYS_stat64, 0, STRING, NO_FD, false, {0, (long)bss_buffer}, 0),
	CASE("stat", SYS_stat64, 1, OUT, NO_FD, false, {(long)text_page}, 96),
	CASE("lstat", SYS_lstat64, 1, OUT, NO_FD, false, {(long)text_page}, 96),
	CASE("fstat", SYS_fstat64, 1, OUT, FILE_FD, false, {0}, 96),
	CASE("getdents", SYS_getdents64, 1, OUT, DIR_FD, false, {0, 0, 512}, 512),
	CASE("getcwd", SYS_getcwd, 0, OUT, NO_FD, false, {0, 512}, 2),
	CASE("pipe", SYS_pipe, 0, OUT, NO_FD, false, {0}, 8),
	CASE("uname", SYS_uname, 0, OUT, NO_FD, false, {0}, 390),
	CASE("nanosleep", SYS_nanosleep, 0, IN, NO_FD, false, {0}, 8),
	CASE("clock_gettime", SYS_clock_gettime, 1, OUT, NO_FD, false, {1}, 8),
	CASE("gettimeofday", SYS_gettimeofday, 0, OUT, NO_FD, true, {0}, 8),
	CASE("time", SYS_time, 0, OUT, NO_FD, true, {0}, 4),
	CASE("getrusage", SYS_getrusage, 1, OUT, NO_FD, false, {0}, 72),
	CASE("sysinfo", SYS_sysinfo, 0, OUT, NO_FD, false, {0}, 64),
	CASE("ioctl", SYS_ioctl, 2, OUT, TTY_FD, false, {0, TCGETS}, 36),
	CASE("chdir", SYS_chdir, 0, STRING, NO_FD, false, {0}, 0),
	CASE("mkdir", SYS_mkdir, 0, STRING, NO_FD, false, {0, 0755}, 0),
	CASE("rmdir", SYS_rmdir, 0, STRING, NO_FD, false, {0}, 0),
	CASE("unlink", SYS_unlink, 0, STRING, NO_FD, false, {0}, 0),
	CASE("access", SYS_access, 0, STRING, NO_FD, false, {0}, 0),
	CASE("rename-from", SYS_rename, 0, STRING, NO_FD, false, {0, (long)"/tmp/x"}, 0),
	CASE("rename-to", SYS_rename, 1, STRING, NO_FD, false, {(long)"/bin/sh", 0}, 0),
	CASE("readlink", SYS_readlink, 0, STRING, NO_FD, false, {0, (long)bss_buffer, 64}, 0),
	CASE("readlink-to", SYS_readlink, 1, OUT, NO_FD, false, {(long)"/proc/self/exe", 0, 64}, 11),
	CASE("link-from", SYS_link, 0, STRING, NO_FD, false, {0, (long)"/tmp/x"}, 0),
	CASE("link-to", SYS_link, 1, STRING, NO_FD, false, {(long)"/bin/sh", 0}, 0),
	CASE("openat", SYS_openat, 1, STRING, DIR_FD, false, {0, 0, 0}, 0),
	CASE("statx", SYS_statx, 4, OUT, NO_FD, false, {-100, (long)text_page, 0, 0, 0}, 256),
	CASE("statfs64", SYS_statfs64, 2, OUT, NO_FD, false, {(long)text_page, 84, 0}, 84),
	CASE("utimensat", SYS_utimensat, 2, IN, NO_FD, true, {-100, (long)"/tmp", 0, 0}, 16),
	CASE("poll", SYS_poll, 0, OUT, NO_FD, false, {0, 1, 0}, 8),
	CASE("select", SYS__newselect, 1, IN, NO_FD, true, {3, 0, 0, 0, (long)bss_buffer}, 4),
	CASE("set_thread_area", SYS_set_thread_area, 0, IN, NO_FD, false, {0}, 16),
	CASE("getrandom", SYS_getrandom, 0, OUT, NO_FD, false, {0, 4, 0}, 4),
	CASE("clock_gettime64", SYS_clock_gettime64, 1, OUT, NO_FD, false, {1}, 16),
	CASE("prctl", SYS_prctl, 1, OUT, NO_FD, false, {16, 0}, 16),
	CASE("times", SYS_times, 0, OUT, NO_FD, true, {0}, 16),
	CASE("pipe2", SYS_pipe2, 0, OUT, NO_FD, false, {0, 0}, 8),
	CASE("readv", SYS_readv, 1, IN, FILE_FD, false, {0, 0, 1}, 8),
	{"efault-wait", "a bad status pointer in wait is EFAULT", wait_pointers, NULL},
	{"efault-exec", "bad path, argv, envp, bad strings in them and an unended argv are EFAULT", exec_pointers, NULL},
	{"efault-pipe-clean", "a failed pipe leaves no descriptor behind", pipe_leaves_nothing, NULL},
	{"efault-partial", "a buffer that is good for 8 bytes gives at most those", partial_write, NULL},
	{"efault-wrap", "buffers that wrap around the address space are EFAULT", wrap_around, NULL},
	{"absent-read", "read() pages its buffer in", read_to_absent, NULL},
	{"absent-write", "write() pages its buffer in, as zeroes", write_from_absent, NULL},
	{"absent-path", "a path and a result on pages not in memory", path_absent, NULL},
	{"absent-argv", "exec finds argv and envp on pages not in memory", argv_absent, NULL},
	{"absent-pipe", "pipe numbers and data across absent pages", pipe_to_absent, NULL},
	{"swapped-buffers", "buffers in swap are brought back by read() and write()", swapped_pointers, NULL},
	{0}};
