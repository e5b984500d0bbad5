/* vmtest/mprotect.c: what regions allow, and that changing parts of them keeps the rest as it was. */
#include "vmtest.h"
#include "mmap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RW (PROT_READ | PROT_WRITE)

static void lose_right_and_write(void *p)
{
	touch_write(p);                        /* its own page now, and writable */
	CHECK_EQ(mprotect(p, PAGE_SIZE, PROT_READ), 0);
	touch_write(p);
}

static void rights(void)
{
	char *p = map_anonymous(4);
	int fd[2];

	stamp_pages(p, 4, 5);
	must_be_killed(lose_right_and_write, p, SIGSEGV);
	CHECK_EQ(pipe(fd), 0);
	CHECK_EQ(mprotect(p + PAGE_SIZE, 2 * PAGE_SIZE, PROT_READ), 0);
	must_be_killed(touch_write, p + PAGE_SIZE, SIGSEGV);
	must_be_killed(touch_write, p + 3 * PAGE_SIZE - 1, SIGSEGV);
	touch_write(p + 5);
	CHECK_EQ(write(fd[1], p + PAGE_SIZE, 100), 100);
	CHECK_ERROR(read(fd[0], p + PAGE_SIZE, 100), EFAULT);
	stamp_pages(p, 1, 5);
	check_pages(p, 4, 5);
	CHECK_EQ(mprotect(p, 4 * PAGE_SIZE, RW), 0);
	long copies = vm_counter("cow_copies");
	stamp_pages(p, 4, 6);
	CHECK_EQ(vm_counter("cow_copies") - copies, 0);        /* nobody shares: the frames are taken back */
	check_pages(p, 4, 6);
	CHECK_EQ(munmap(p + PAGE_SIZE, PAGE_SIZE), 0);
	CHECK_ERROR(mprotect(p, 4 * PAGE_SIZE, PROT_READ), ENOMEM);
	must_be_killed(touch_write, p, SIGSEGV);               /* up to the hole it was done */
	touch_write(p + 2 * PAGE_SIZE);
}

static void no_rights(void)
{
	char *p = map_anonymous(3);
	int fd[2];

	stamp_pages(p, 3, 7);
	CHECK_EQ(pipe(fd), 0);
	CHECK_EQ(mprotect(p, 3 * PAGE_SIZE, PROT_NONE), 0);
	must_be_killed(touch_read, p, SIGSEGV);
	must_be_killed(touch_write, p + PAGE_SIZE, SIGSEGV);
	CHECK_ERROR(write(fd[1], p, 10), EFAULT);              /* the kernel may not look either */
	CHECK_ERROR(open(p, O_RDONLY), EFAULT);
	squeeze_out(p, 3);                                     /* closed pages can be swapped */
	must_be_killed(touch_read, p, SIGSEGV);
	CHECK_EQ(mprotect(p, 2 * PAGE_SIZE, PROT_READ), 0);
	check_pages(p, 2, 7);
	CHECK_EQ(mprotect(p, 3 * PAGE_SIZE, RW), 0);
	check_pages(p, 3, 7);
	stamp_pages(p, 3, 8);
	check_pages(p, 3, 8);
	CHECK_EQ(mprotect(p, PAGE_SIZE, PROT_NONE), 0);        /* present this time */
	CHECK_EQ(child_status(touch_write, p + PAGE_SIZE), 0);
	must_be_killed(touch_read, p, SIGSEGV);
	CHECK_EQ(mprotect(p, PAGE_SIZE, RW), 0);
	check_pages(p, 3, 8);
}

/* Many mappings in random order: pieces of one range are mapped, protected and unmapped, against a model. */
static void random_regions(void)
{
	enum { PAGES = 48 };
	static uint8_t state[PAGES];           /* 0 none, 1 readable, 2 writable */
	uint32_t seed = 99;
	char *p = map_anonymous(PAGES);

	memset(state, 2, sizeof(state));
	for (int round = 0; round < 1500; round++) {
		uint32_t first = next_random(&seed) % PAGES, n = 1 + next_random(&seed) % 6, what = next_random(&seed) % 4, holes = 0;
		n = n < PAGES - first ? n : PAGES - first;
		char *at = p + first * PAGE_SIZE;
		for (uint32_t i = first; i < first + n; i++)
			holes += !state[i];
		if (what == 0)
			CHECK_EQ(munmap(at, n * PAGE_SIZE), 0);
		else if (what == 1)
			CHECK_EQ(mmap(at, n * PAGE_SIZE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), at);
		else if (!holes)
			CHECK_EQ(mprotect(at, n * PAGE_SIZE, what == 2 ? PROT_READ : RW), 0);
		for (uint32_t i = first; i < first + n && (what < 2 || !holes); i++)
			state[i] = what == 0 ? 0 : what == 2 ? 1 : 2;
		for (uint32_t i = 0; i < PAGES; i++)
			if (state[i] == 2)
				*(volatile uint32_t *)(p + i * PAGE_SIZE) = round + i;
			else if (state[i])
				touch_read(p + i * PAGE_SIZE);
	}
	for (uint32_t i = 0; i < PAGES; i++) {
		if (state[i] < 1)
			must_be_killed(touch_read, p + i * PAGE_SIZE, SIGSEGV);
		else if (state[i] < 2)
			must_be_killed(touch_write, p + i * PAGE_SIZE, SIGSEGV);
	}
}

static int count_maps(void)
{
	static char text[4096];
	int lines = 0, fd = open("/proc/self/maps", O_RDONLY);
	ssize_t n = read_full(fd, text, sizeof(text));

	close(fd);
	for (ssize_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	return lines;
}

static void merges(void)
{
	char *p = map_anonymous(6);
	int before = count_maps();

	CHECK_EQ(mprotect(p + PAGE_SIZE, PAGE_SIZE, PROT_READ), 0);
	CHECK_EQ(count_maps(), before + 2);
	CHECK_EQ(mprotect(p + 4 * PAGE_SIZE, PAGE_SIZE, PROT_NONE), 0);
	CHECK_EQ(count_maps(), before + 4);
	CHECK_EQ(mprotect(p, 6 * PAGE_SIZE, RW), 0);
	CHECK_EQ(count_maps(), before);
}

const struct test mprotect_tests[] = {
	{"mprotect", "rights are lost at once, regained without copies", rights, NULL},
	{"mprotect-none", "PROT_NONE closes pages to user and kernel and keeps them, also through swap", no_rights, NULL},
	{"mmap-random", "1500 random changes of regions agree with a model", random_regions, NULL},
	{"mmap-merge", "neighbours that mean the same are one region again", merges, NULL},
	{0}};
