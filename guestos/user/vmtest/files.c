/* vmtest/files.c: files as memory sees them: larger than memory, with holes, shared with programs that run from them. */
#include "vmtest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAME "/tmp/vmtest-file"

static uint32_t buf[PAGE_SIZE / 4];

static int create(void)
{
	int fd = open(NAME, O_RDWR | O_CREAT | O_TRUNC, 0644);
	CHECK(fd >= 0, "%s: %s", NAME, strerror(errno));
	return fd;
}

static void write_stamped(int fd, uint32_t pages, uint32_t who)
{
	for (uint32_t page = 0; page < pages; page++) {
		for (uint32_t i = 0; i < PAGE_SIZE / 4; i += 64)
			buf[i] = stamp(page * 64 + i, who);
		CHECK(write(fd, buf, PAGE_SIZE) == (ssize_t)PAGE_SIZE, "write of page %u: %s", (unsigned)page, strerror(errno));
	}
}

static void read_stamped(int fd, uint32_t pages, uint32_t who)
{
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	for (uint32_t page = 0; page < pages; page++) {
		CHECK_EQ(read(fd, buf, PAGE_SIZE), PAGE_SIZE);
		for (uint32_t i = 0; i < PAGE_SIZE / 4; i += 64)
			CHECK(buf[i] == stamp(page * 64 + i, who), "page %u of the file, word %u", (unsigned)page, (unsigned)i);
	}
	CHECK_EQ(read(fd, buf, 1), 0);
}

static void larger_than_memory(void)
{
	uint32_t pages = memory_pages() / 4 * 5;

	if (pages > 2048)
		note("a file of 8 MB; one larger than this machine's memory does not fit the disk");
	pages = pages < 2048 ? pages : 2048;
	int fd = create();
	write_stamped(fd, pages, 1);
	read_stamped(fd, pages, 1);
	close(fd);
	fd = open(NAME, O_RDONLY);
	read_stamped(fd, pages, 1);
	close(fd);
	CHECK_EQ(unlink(NAME), 0);
}

static void file_and_heap(void)
{
	uint32_t pages = memory_pages() / 2;

	pages = pages < 1000 ? pages : 1000;
	int fd = create();
	write_stamped(fd, pages, 2);
	char *heap = grow_heap(pages);
	stamp_pages(heap, pages, 3);
	squeeze();
	read_stamped(fd, pages, 2);
	check_pages(heap, pages, 3);
	close(fd);
	unlink(NAME);
}

static void holes(void)
{
	int fd = create();
	char c = 1;

	CHECK_EQ(lseek(fd, 5 << 20, SEEK_SET), 5 << 20);       /* beyond the first indirect block */
	CHECK_EQ(write(fd, "end", 3), 3);
	for (long at = 0; at < 5 << 20; at += 500000) {
		CHECK_EQ(pread(fd, &c, 1, at), 1);
		CHECK(c == 0, "byte %ld of a hole is %d", at, c);
	}
	CHECK_EQ(pread(fd, buf, 10, 5 << 20), 3);
	CHECK(memcmp(buf, "end", 3) == 0, "the end is not there");
	struct stat st;
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, (5 << 20) + 3);
	CHECK(st.st_blocks < 100, "a file with a hole takes %ld sectors", (long)st.st_blocks);
	close(fd);
	unlink(NAME);
}

static void truncated(void)
{
	int fd = create();

	memset(buf, 'q', sizeof(buf));
	CHECK_EQ(write(fd, buf, 4096), 4096);
	CHECK_EQ(write(fd, buf, 4096), 4096);
	CHECK_EQ(ftruncate(fd, 5000), 0);
	CHECK_EQ(ftruncate(fd, 8192), 0);
	CHECK_EQ(pread(fd, buf, 4096, 4096), 4096);
	for (int i = 0; i < 4096; i++)
		CHECK(((char *)buf)[i] == (i < 904 ? 'q' : 0), "byte %d after shrinking and growing is %d", 4096 + i, ((char *)buf)[i]);
	close(fd);
	CHECK((fd = open(NAME, O_WRONLY | O_TRUNC)) >= 0, "open: %s", strerror(errno));
	struct stat st;
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, 0);
	close(fd);
	unlink(NAME);
}

static void unlinked_open(void)
{
	int fd = create();
	struct stat st;

	write_stamped(fd, 20, 4);
	CHECK_EQ(unlink(NAME), 0);
	CHECK_ERROR(stat(NAME, &st), ENOENT);
	squeeze();
	read_stamped(fd, 20, 4);
	close(fd);
}

static int copy_program(const char *from, const char *to)
{
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	ssize_t n;

	CHECK(in >= 0 && out >= 0, "%s to %s: %s", from, to, strerror(errno));
	while ((n = read(in, buf, sizeof(buf))) > 0)
		CHECK_EQ(write(out, buf, n), n);
	close(in);
	return close(out);
}

static void run_copy(void *fd)
{
	char *argv[] = {"cat", NULL};
	dup2((int)fd, 0);
	execve("/tmp/vmtest-cat", argv, environ);
	_exit(98);
}

/* A program goes on running from a file that has no name any more, even if its text has been dropped. */
static void unlinked_running(void)
{
	int fd[2];

	copy_program("/bin/cat", "/tmp/vmtest-cat");
	CHECK_EQ(pipe(fd), 0);
	fcntl(fd[1], F_SETFD, FD_CLOEXEC);
	pid_t pid = start_child(run_copy, (void *)fd[0]);
	usleep(50000);
	CHECK_EQ(unlink("/tmp/vmtest-cat"), 0);
	squeeze();
	close(fd[1]);                          /* end of its input */
	must_end_well(pid);
}

static void renames(void)
{
	int fd = create();
	struct stat a, b;

	CHECK_EQ(write(fd, "one", 3), 3);
	CHECK_EQ(fstat(fd, &a), 0);
	close(fd);
	fd = open(NAME "2", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	CHECK_EQ(write(fd, "other", 5), 5);
	close(fd);
	CHECK_EQ(rename(NAME, NAME "2"), 0);
	CHECK_ERROR(stat(NAME, &b), ENOENT);
	CHECK_EQ(stat(NAME "2", &b), 0);
	CHECK(a.st_ino == b.st_ino && b.st_size == 3, "the renamed file is another file");
	CHECK_EQ(mkdir(NAME, 0755), 0);
	CHECK_EQ(rename(NAME "2", NAME "/inside"), 0);
	CHECK_ERROR(rmdir(NAME), ENOTEMPTY);
	CHECK_EQ(rename(NAME, NAME "3"), 0);
	CHECK_EQ(unlink(NAME "3/inside"), 0);
	CHECK_EQ(rmdir(NAME "3"), 0);
}

static int count_entries(const char *path, unsigned long *sum)
{
	DIR *d = opendir(path);
	struct dirent *e;
	int count = 0;

	CHECK(d, "%s: %s", path, strerror(errno));
	while ((e = readdir(d))) {
		if (e->d_name[0] != 'f')
			continue;
		count++;
		*sum += (e->d_name[1] - '0') * 100 + (e->d_name[2] - '0') * 10 + e->d_name[3] - '0';
	}
	closedir(d);
	return count;
}

static void directory(void)
{
	enum { FILES = 120 };                  /* more than one block of entries */
	char name[40];
	unsigned long sum = 0;

	CHECK_EQ(mkdir(NAME, 0755), 0);
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), NAME "/f%03d", i);
		int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0644);
		CHECK(fd >= 0, "%s: %s", name, strerror(errno));
		CHECK_ERROR(open(name, O_WRONLY | O_CREAT | O_EXCL, 0644), EEXIST);
		close(fd);
	}
	CHECK_EQ(count_entries(NAME, &sum), FILES);
	CHECK_EQ(sum, FILES * (FILES - 1) / 2);
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), NAME "/f%03d", i);
		CHECK_EQ(unlink(name), 0);
	}
	sum = 0;
	CHECK_EQ(count_entries(NAME, &sum), 0);
	CHECK_EQ(rmdir(NAME), 0);
}

static void appends(void)
{
	int a = create(), b = open(NAME, O_WRONLY | O_APPEND);

	CHECK_EQ(write(a, "aa", 2), 2);
	CHECK_EQ(write(b, "bb", 2), 2);
	CHECK_EQ(write(a, "cc", 2), 2);        /* at its own offset, over the first b's */
	CHECK_EQ(write(b, "dd", 2), 2);
	CHECK_EQ(pread(a, buf, 16, 0), 6);
	CHECK(memcmp(buf, "aaccdd", 6) == 0, "the file holds %.6s", (char *)buf);
	close(a);
	close(b);
	unlink(NAME);
}

static void path_errors(void)
{
	static char name[300];

	memset(name, 'n', sizeof(name) - 1);
	memcpy(name, "/tmp/", 5);
	CHECK_ERROR(open("/tmp/none/file", O_RDONLY), ENOENT);
	CHECK_ERROR(open("/bin/sh/file", O_RDONLY), ENOTDIR);
	CHECK_ERROR(open("/bin", O_WRONLY), EISDIR);
	CHECK_ERROR(open(name, O_WRONLY | O_CREAT, 0644), ENAMETOOLONG);
	CHECK_ERROR(mkdir("/bin", 0755), EEXIST);
	CHECK_ERROR(rmdir("/bin/sh"), ENOTDIR);
	CHECK_ERROR(read(31, buf, 1), EBADF);
	CHECK_ERROR(close(31), EBADF);
	CHECK_ERROR(syscall(400), ENOSYS);
}

static void hold(void *page)
{
	char text[4096];
	int fd = open(NAME, O_RDWR);
	for (int i = 0; i < 200; i++) {
		CHECK_EQ(pread(fd, text, sizeof(text), (long)page * 4096), 4096);
		for (int k = 1; k < 4096; k++)
			CHECK(text[k] == text[0], "half of a write was seen: %d and %d", text[0], text[k]);
	}
	close(fd);
}

static void shared_by_processes(void)
{
	int fd = create();
	pid_t child[3];

	memset(buf, 'A', sizeof(buf));
	for (int i = 0; i < 3; i++)
		CHECK_EQ(write(fd, buf, 4096), 4096);
	for (long i = 0; i < 3; i++)
		child[i] = start_child(hold, (void *)i);
	for (int i = 0; i < 3; i++)
		must_end_well(child[i]);
	close(fd);
	unlink(NAME);
}

const struct test file_tests[] = {
	{"file-over-memory", "a file larger than memory is written and read back", larger_than_memory, NULL},
	{"file-and-heap", "file pages and heap pages make room for each other", file_and_heap, NULL},
	{"file-hole", "a hole of 5 MB reads as zeroes and takes no blocks", holes, NULL},
	{"file-truncate", "what was cut off does not come back", truncated, NULL},
	{"file-unlinked-open", "a file without a name lives as long as it is open", unlinked_open, NULL},
	{"file-unlinked-text", "a program without a file name keeps running, also after its text was dropped", unlinked_running, NULL},
	{"file-rename", "rename replaces, moves and renames directories", renames, NULL},
	{"file-directory", "120 files in a directory are all listed once", directory, NULL},
	{"file-append", "O_APPEND writes at the end, others where they were", appends, NULL},
	{"file-errors", "wrong paths and descriptors have their own errors", path_errors, NULL},
	{"file-shared", "several processes read one file at once", shared_by_processes, NULL},
	{0}};
