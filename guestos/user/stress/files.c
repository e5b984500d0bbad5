/* stress/files.c: a file, and beside it what it must contain. */
#include "stress.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <vm.h>

#define FILE_PAGES 16
#define LARGEST (FILE_PAGES * PAGE_SIZE)

static char path[24];
static int fd;
static char model[LARGEST];
static uint32_t size;

static uint32_t pages(void) { return (size + PAGE_SIZE - 1) / PAGE_SIZE; }

static void compare(const char *got, uint32_t at, uint32_t n, const char *how)
{
	for (uint32_t i = 0; i < n; i++)
		EXPECT(got[i] == model[at + i], "%s: byte %u of %u is 0x%x, not 0x%x", how, (unsigned)(at + i), (unsigned)size,
			(unsigned char)got[i], (unsigned char)model[at + i]);
}

static void compare_all(int from)
{
	static char buffer[PAGE_SIZE];

	for (uint32_t at = 0; at < size; at += PAGE_SIZE) {
		uint32_t n = size - at < PAGE_SIZE ? size - at : PAGE_SIZE;
		ssize_t got = pread(from, buffer, n, at);
		EXPECT(got == (ssize_t)n, "pread of %u at %u: %ld, errno %d", (unsigned)n, (unsigned)at, (long)got, errno);
		compare(buffer, at, n, "read");
	}
}

static void create(void)
{
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
	EXPECT(fd >= 0, "open: errno %d", errno);
	memset(model, 0, sizeof(model));
	size = 0;
}

void files_begin(void)
{
	snprintf(path, sizeof(path), "/tmp/stress.%d", worker);
	create();
}

void files_end(void)
{
	compare_all(fd);
	close(fd);
	EXPECT(unlink(path) == 0, "unlink: errno %d", errno);
}

static void put(uint32_t at, const char *from, uint32_t n)
{
	EXPECT(lseek(fd, at, SEEK_SET) == (off_t)at, "lseek");
	ssize_t done = write(fd, from, n);
	EXPECT(done == (ssize_t)n, "write of %u at %u: %ld, errno %d", (unsigned)n, (unsigned)at, (long)done, errno);
	memcpy(model + at, from, n);
	size = at + n > size ? at + n : size;
}

static void write_some(void)
{
	static char buffer[9000];
	uint32_t at = any(LARGEST - sizeof(buffer)), n = 1 + any(sizeof(buffer) - 1);
	const char *page = memory_some_page();

	if (page && any(2)) {
		put(at, page + any(200), PAGE_SIZE - 200);
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		buffer[i] = any(256);
	put(at, buffer, n);
}

static void read_some(void)
{
	static char buffer[9000];
	uint32_t at = any(LARGEST), n = 1 + any(sizeof(buffer) - 1), wanted = at >= size ? 0 : n < size - at ? n : size - at;
	ssize_t got = pread(fd, buffer, n, at);

	EXPECT(got == (ssize_t)wanted, "pread of %u at %u, size %u: %ld, errno %d", (unsigned)n, (unsigned)at, (unsigned)size, (long)got, errno);
	compare(buffer, at, wanted, "read");
}

static void cut(uint32_t to)
{
	EXPECT(ftruncate(fd, to) == 0, "ftruncate: errno %d", errno);
	if (to < size)
		memset(model + to, 0, size - to);
	size = to;
}

static void truncate_file(void) { cut(any(LARGEST)); }

static char *view(int prot, int flags)
{
	return size ? mmap(NULL, pages() * PAGE_SIZE, prot, flags, fd, 0) : MAP_FAILED;
}

/* What a private mapping writes stays its own. */
static void map_private(void)
{
	char *at = view(PROT_READ | PROT_WRITE, MAP_PRIVATE);

	if (at == MAP_FAILED)
		return;
	compare(at, 0, size, "private mapping");
	for (int i = 0; i < 6; i++)
		at[any(size)] ^= 0x55;
	memory_touch(1);
	compare_all(fd);
	EXPECT(munmap(at, pages() * PAGE_SIZE) == 0, "munmap: errno %d", errno);
}

/* What a shared mapping writes is the file's. */
static void map_shared(void)
{
	uint32_t had = pages();
	char *at = view(PROT_READ | PROT_WRITE, MAP_SHARED);

	if (at == MAP_FAILED)
		return;
	compare(at, 0, size, "shared mapping");
	for (int i = 0; i < 6; i++) {
		uint32_t where = any(size);
		at[where] = model[where] = any(256);
	}
	memory_touch(any(3));
	if (any(2))
		compare_all(fd);
	write_some();
	compare(at, 0, size < had * PAGE_SIZE ? size : had * PAGE_SIZE, "shared mapping after a write");
	EXPECT(munmap(at, had * PAGE_SIZE) == 0, "munmap: errno %d", errno);
	compare_all(fd);
}

/* A file that shrinks and grows again under a mapping nobody wrote to. */
static void cut_under_mapping(void)
{
	uint32_t had = pages(), old = size;
	char *at = view(PROT_READ, MAP_PRIVATE);

	if (at == MAP_FAILED)
		return;
	compare(at, 0, size, "mapping");
	cut(any(size));
	compare(at, 0, size, "mapping of what is left");
	memory_touch(1);
	cut(old);
	compare(at, 0, size, "mapping grown again");
	EXPECT(munmap(at, had * PAGE_SIZE) == 0, "munmap: errno %d", errno);
}

/* A file without a name lives as long as it is open or mapped. */
static void replace(void)
{
	uint32_t had = pages();
	char *at = view(PROT_READ, MAP_PRIVATE);

	EXPECT(unlink(path) == 0, "unlink: errno %d", errno);
	if (any(2))
		compare_all(fd);
	EXPECT(close(fd) == 0, "close: errno %d", errno);
	if (at != MAP_FAILED) {
		compare(at, 0, size, "mapping of a nameless file");
		EXPECT(munmap(at, had * PAGE_SIZE) == 0, "munmap: errno %d", errno);
	}
	create();
}

static void sync_all(void) { sync(); }

const struct operation file_operations[] = {
	{"write", write_some, 8},
	{"read", read_some, 6},
	{"truncate", truncate_file, 3},
	{"map private", map_private, 4},
	{"map shared", map_shared, 4},
	{"cut under mapping", cut_under_mapping, 3},
	{"replace", replace, 2},
	{"sync", sync_all, 1},
	{0}};
