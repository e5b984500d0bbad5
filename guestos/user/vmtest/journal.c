/* vmtest/journal.c: the file system's log while the machine runs: what is durable, what shares a commit, what happens when it is full. Whether a
 * crash leaves everything whole is tests/powercut's question. */
#include "vmtest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "/tmp/vmtest-log"

static char page[PAGE_SIZE];

/* A number from /proc/journal. */
static long log_number(const char *name)
{
	static char text[512];
	int fd = open("/proc/journal", O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read_full(fd, text, sizeof(text) - 1);
	size_t len = strlen(name);

	CHECK(n > 0, "/proc/journal: %s", strerror(errno));
	close(fd);
	text[n] = 0;
	for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (strncmp(line, name, len) == 0 && line[len] == ' ')
			return strtol(line + len + 1, NULL, 10);
	CHECK(false, "/proc/journal has no line %s", name);
	return -1;
}

static bool log_off(void)
{
	if (log_number("log_blocks"))
		return false;
	note("this disk has no log");
	return true;
}

static int create(const char *name, int flags)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | flags, 0644);
	CHECK(fd >= 0, "%s: %s", name, strerror(errno));
	return fd;
}

static void put_page(int fd, uint32_t at, int byte)
{
	memset(page, byte, sizeof(page));
	CHECK_EQ(lseek(fd, at * PAGE_SIZE, SEEK_SET), (long)(at * PAGE_SIZE));
	CHECK(write(fd, page, sizeof(page)) == sizeof(page), "write of page %u: %s", (unsigned)at, strerror(errno));
}

static void must_hold(int fd, uint32_t at, int byte)
{
	CHECK_EQ(pread(fd, page, sizeof(page), at * PAGE_SIZE), (long)sizeof(page));
	for (uint32_t i = 0; i < sizeof(page); i++)
		CHECK(page[i] == (char)byte, "page %u, byte %u: %d, not %d", (unsigned)at, (unsigned)i, page[i], byte);
}

static void fsync_commits(void)
{
	if (log_off())
		return;
	int fd = create(NAME, 0);
	put_page(fd, 0, 'a');
	CHECK(log_number("running") > 0, "a new file and its block are in no transaction");
	long commits = log_number("commits");
	CHECK_EQ(fsync(fd), 0);
	CHECK_EQ(log_number("running"), 0);
	CHECK(log_number("commits") == commits + 1, "%ld commits for one fsync", log_number("commits") - commits);
	CHECK_EQ(fsync(fd), 0);
	CHECK(log_number("commits") == commits + 1, "an fsync with nothing to do committed something");
	CHECK_ERROR(fsync(31), EBADF);
	close(fd);
	unlink(NAME);
}

static void synchronous_writes(void)
{
	if (log_off())
		return;
	int fd = create(NAME, O_SYNC);
	long commits = log_number("commits");
	for (uint32_t i = 0; i < 5; i++) {
		put_page(fd, i, 'a' + i);
		CHECK_EQ(log_number("running"), 0);
	}
	CHECK(log_number("commits") >= commits + 5, "5 writes to an O_SYNC file took %ld commits", log_number("commits") - commits);
	close(fd);
	unlink(NAME);
}

/* Far more operations than commits, unless a commit every 5 seconds is what the machine's speed makes of it. */
static void shared_commits(void)
{
	enum { FILES = 60 };
	char name[40];

	if (log_off())
		return;
	CHECK_EQ(mkdir(NAME, 0755), 0);
	sync();
	long commits = log_number("commits"), images = log_number("images");
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), NAME "/f%d", i);
		close(create(name, 0));
	}
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), NAME "/f%d", i);
		CHECK_EQ(unlink(name), 0);
	}
	CHECK_EQ(rmdir(NAME), 0);
	sync();
	CHECK(log_number("commits") - commits < FILES / 4, "%ld commits for %d operations", log_number("commits") - commits, 2 * FILES + 1);
	CHECK(log_number("images") - images < FILES, "%ld blocks went to the log", log_number("images") - images);
}

static void full_log(void)
{
	enum { PAGES = 24 };
	char name[40];

	if (log_off())
		return;
	int fd = create(NAME, 0);
	long checkpoints = log_number("checkpoints"), commits = log_number("commits");
	for (int round = 0; round < 16; round++) {
		for (uint32_t i = 0; i < PAGES; i++)
			put_page(fd, i, round + i);
		snprintf(name, sizeof(name), NAME "%d", round);
		close(create(name, 0));
		CHECK_EQ(fsync(fd), 0);
	}
	for (uint32_t i = 0; i < PAGES; i++)
		must_hold(fd, i, 15 + i);
	for (int round = 0; round < 16; round++) {
		snprintf(name, sizeof(name), NAME "%d", round);
		CHECK_EQ(unlink(name), 0);
	}
	CHECK(log_number("commits") > commits + 15, "16 rounds, %ld commits", log_number("commits") - commits);
	CHECK(log_number("checkpoints") > checkpoints, "the log was never emptied");
	CHECK(log_number("log_used") <= log_number("log_blocks"), "%ld blocks of the log in use", log_number("log_used"));
	close(fd);
	unlink(NAME);
}

/* Pages of a transaction stay in memory until it commits; there must never be so many that the rest of memory starves. */
static void under_pressure(void)
{
	enum { PAGES = 300 };

	if (log_off())
		return;
	int fd = create(NAME, 0);
	for (uint32_t i = 0; i < PAGES; i++)
		put_page(fd, i, 'x');
	CHECK_EQ(fsync(fd), 0);
	for (uint32_t i = 0; i < PAGES; i++) {
		put_page(fd, i, i);
		CHECK(log_number("running") <= 64, "%ld blocks in one transaction", log_number("running"));
		if (i % 100 == 50)
			squeeze();
	}
	squeeze();
	for (uint32_t i = 0; i < PAGES; i++)
		must_hold(fd, i, i);
	close(fd);
	unlink(NAME);
}

static void look_for(void *end)
{
	char c;

	while (access(end, F_OK) < 0) {
		int fd = open(NAME "-to", O_RDONLY);
		CHECK(fd >= 0, "while another file was renamed over it, the name was gone: %s", strerror(errno));
		CHECK_EQ(read(fd, &c, 1), 1);
		CHECK(c == 'o' || c == 'n', "it holds neither the old nor the new: %d", c);
		close(fd);
	}
}

static void rename_is_atomic(void)
{
	int fd = create(NAME "-to", 0);

	CHECK_EQ(write(fd, "o", 1), 1);
	close(fd);
	pid_t child = start_child(look_for, NAME "-end");
	for (int i = 0; i < 100; i++) {
		fd = create(NAME "-new", 0);
		CHECK_EQ(write(fd, "n", 1), 1);
		close(fd);
		CHECK_EQ(rename(NAME "-new", NAME "-to"), 0);
		if (i % 10 == 0)
			sync();
	}
	close(create(NAME "-end", 0));
	must_end_well(child);
	CHECK_EQ(unlink(NAME "-to"), 0);
	CHECK_EQ(unlink(NAME "-end"), 0);
}

/* One operation frees more blocks than a transaction can hold images of: only bitmaps and the inode are changed. */
static void big_truncate(void)
{
	struct stat st;

	if (log_off())
		return;
	int fd = create(NAME, 0);
	for (uint32_t i = 0; i < 1200; i += 2)
		put_page(fd, i, 'b');          /* every second page is a hole; some lie behind the double indirect block */
	sync();
	long commits = log_number("commits");
	CHECK_EQ(ftruncate(fd, 700 * PAGE_SIZE + 1), 0);
	must_hold(fd, 698, 'b');
	CHECK_EQ(ftruncate(fd, 0), 0);
	CHECK(log_number("commits") <= commits + 2, "truncating took %ld commits", log_number("commits") - commits);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK(st.st_size == 0 && st.st_blocks == 0, "an empty file has %ld sectors", (long)st.st_blocks);
	CHECK_EQ(fsync(fd), 0);
	close(fd);
	unlink(NAME);
}

static void write_and_sync(void *which)
{
	int fd = open(NAME, O_RDWR);

	for (int k = 0; k < 10; k++) {
		put_page(fd, (uint32_t)which, 'm' + k);
		CHECK_EQ(fsync(fd), 0);
	}
}

static void synced_by_many(void)
{
	int fd = create(NAME, 0);
	pid_t child[4];

	for (uint32_t i = 0; i < 8; i++)
		put_page(fd, i, 'm');
	for (long i = 0; i < 4; i++)
		child[i] = start_child(write_and_sync, (void *)i);
	for (int i = 0; i < 4; i++)
		must_end_well(child[i]);
	for (uint32_t i = 0; i < 8; i++)
		must_hold(fd, i, i < 4 ? 'm' + 9 : 'm');
	close(fd);
	unlink(NAME);
}

const struct test journal_tests[] = {
	{"log-fsync", "fsync commits what is running, and does nothing if nothing is", fsync_commits, NULL},
	{"log-o-sync", "a write to a file opened with O_SYNC is durable when it returns", synchronous_writes, NULL},
	{"log-group", "many small operations share a commit", shared_commits, NULL},
	{"log-full", "a full log is emptied and everything is still there", full_log, NULL},
	{"log-pressure", "overwriting through the log works while memory is short", under_pressure, NULL},
	{"log-rename", "a name that is renamed over is never missing", rename_is_atomic, NULL},
	{"log-truncate", "a thousand blocks are freed in one transaction", big_truncate, NULL},
	{"log-many-syncs", "processes that write and sync at once", synced_by_many, NULL},
	{0}};
