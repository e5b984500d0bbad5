/* vmtest/mmap_file.c: a shared mapping while its file changes under it: its name, its end, its holes, and a disk that is full. */
#include "vmtest.h"
#include "mmap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define RW (PROT_READ | PROT_WRITE)

static char buf[PAGE_SIZE];

static uint32_t sectors_of(int fd)
{
	struct stat st;
	CHECK_EQ(fstat(fd, &st), 0);
	return st.st_blocks;
}

static void removed(void)
{
	int fd = mapped_file(3, 60);
	char *p = map_shared(fd, 3);

	close(fd);
	CHECK_EQ(unlink(MAPPED), 0);
	int again = mapped_file(3, 1);         /* the name leads to another file now */
	check_stamped(p, 3, 60);
	stamp_pages(p, 3, 61);
	squeeze();
	check_pages(p, 3, 61);
	read_page(again, buf, 0);
	check_pages(buf, 1, 1);
	CHECK_EQ(rename(MAPPED, MAPPED "2"), 0);
	char *q = map_shared(again, 1);
	CHECK_EQ(unlink(MAPPED "2"), 0);
	check_pages(q, 1, 1);
}

static void end_of_file(void)
{
	int fd = open(MAPPED, O_RDWR | O_CREAT | O_TRUNC, 0644);
	memset(buf, 'x', sizeof(buf));
	CHECK_EQ(write(fd, buf, PAGE_SIZE), PAGE_SIZE);
	CHECK_EQ(write(fd, buf, 1000), 1000);
	char *p = map_shared(fd, 4);

	CHECK_EQ(p[PAGE_SIZE + 999], 'x');
	for (uint32_t i = PAGE_SIZE + 1000; i < 2 * PAGE_SIZE; i++)
		CHECK(p[i] == 0, "byte %u, after the end of the file, is %d", (unsigned)i, p[i]);
	must_be_killed(touch_read, p + 2 * PAGE_SIZE, SIGBUS);
	must_be_killed(touch_write, p + 4 * PAGE_SIZE - 1, SIGBUS);
	must_be_killed(touch_write, p + 4 * PAGE_SIZE, SIGSEGV);
	p[2 * PAGE_SIZE - 1] = 'y';            /* allowed, but not part of the file */
	struct stat st;
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, (long)PAGE_SIZE + 1000);
	CHECK_EQ(ftruncate(fd, 3 * PAGE_SIZE), 0);
	touch_write(p + 3 * PAGE_SIZE - 1);    /* now it is there */
	must_be_killed(touch_read, p + 3 * PAGE_SIZE, SIGBUS);
	CHECK_EQ(pread(fd, buf, 10, PAGE_SIZE + 990), 10);
	CHECK(memcmp(buf, "xxxxxxxxxx", 10) == 0, "the file lost its end");
	int end[2];
	CHECK_EQ(pipe(end), 0);
	CHECK_ERROR(write(end[1], p + 3 * PAGE_SIZE, 10), EFAULT);
	CHECK_EQ(write(end[1], buf, 10), 10);
	CHECK_ERROR(read(end[0], p + 3 * PAGE_SIZE, 10), EFAULT);
	unlink(MAPPED);
}

static void truncated_under_mapping(void)
{
	int fd = mapped_file(4, 70);
	char *p = map_shared(fd, 4), *mine = map(4, RW, MAP_PRIVATE, fd, 0);

	stamp_pages(p, 4, 1);
	stamp_pages(mine, 4, 2);
	CHECK_EQ(ftruncate(fd, PAGE_SIZE + 100), 0);
	check_pages(p, 1, 1);
	CHECK_EQ(*(uint32_t *)(p + PAGE_SIZE), stamp(3, 1));
	CHECK_EQ(*(uint32_t *)(p + PAGE_SIZE + 2048), 0);
	must_be_killed(touch_read, p + 2 * PAGE_SIZE, SIGBUS);
	must_be_killed(touch_read, mine + 3 * PAGE_SIZE, SIGBUS);      /* private copies go too */
	check_pages(mine, 2, 2);
	CHECK_EQ(ftruncate(fd, 4 * PAGE_SIZE), 0);
	for (uint32_t i = PAGE_SIZE + 100; i < 4 * PAGE_SIZE; i++)
		CHECK(p[i] == 0, "byte %u came back as %d", (unsigned)i, p[i]);
	unlink(MAPPED);
}

static void fills_hole(void)
{
	int fd = open(MAPPED, O_RDWR | O_CREAT | O_TRUNC, 0644);
	CHECK_EQ(ftruncate(fd, 40 * PAGE_SIZE), 0);
	char *p = map_shared(fd, 40);
	uint32_t before = sectors_of(fd);

	for (int i = 0; i < 40; i++)
		CHECK_EQ(p[i * PAGE_SIZE], 0);
	CHECK_EQ(sectors_of(fd), before);      /* looking costs nothing */
	stamp_pages(p + 5 * PAGE_SIZE, 1, 5);
	CHECK_EQ(sectors_of(fd), before + 8);
	stamp_pages(p + 30 * PAGE_SIZE, 1, 6); /* beyond the direct blocks: one more for pointers */
	CHECK_EQ(sectors_of(fd), before + 24);
	CHECK_EQ(munmap(p, 40 * PAGE_SIZE), 0);
	squeeze();
	read_page(fd, buf, 5);
	check_pages(buf, 1, 5);
	read_page(fd, buf, 30);
	check_pages(buf, 1, 6);
	read_page(fd, buf, 31);
	CHECK_EQ(buf[0], 0);
	unlink(MAPPED);
}

/* With the disk full, a write through a mapping to a hole is a bus error at that very write. */
static void disk_full(void)
{
	int fd = open(MAPPED, O_RDWR | O_CREAT | O_TRUNC, 0644), big = open(MAPPED "2", O_RDWR | O_CREAT | O_TRUNC, 0644);
	CHECK_EQ(ftruncate(fd, 4 * PAGE_SIZE), 0);
	char *p = map_shared(fd, 4);
	ssize_t n;

	touch_write(p);
	unlink(MAPPED "2");
	while ((n = write(big, buf, sizeof(buf))) > 0)
		;
	CHECK(n < 0 && errno == ENOSPC, "the disk does not fill: %s", strerror(errno));
	must_be_killed(touch_write, p + PAGE_SIZE, SIGBUS);
	CHECK_EQ(p[PAGE_SIZE], 0);             /* reading is fine */
	p[1] = 3;                              /* this page has its block */
	close(big);
	touch_write(p + PAGE_SIZE);
	unlink(MAPPED);
}

const struct test mmap_file_tests[] = {
	{"mmap-remove", "a mapping keeps its file, though it is unlinked or renamed", removed, NULL},
	{"mmap-eof", "zeroes up to the end of the last page, SIGBUS beyond, EFAULT in system calls", end_of_file, NULL},
	{"mmap-truncate", "what is cut off under a mapping is SIGBUS, and zeroes if the file grows again", truncated_under_mapping, NULL},
	{"mmap-hole", "a write through a mapping gives a hole its block, a read does not", fills_hole, NULL},
	{"mmap-full", "a full disk is SIGBUS at the write that needs a block", disk_full, NULL},
	{0}};
